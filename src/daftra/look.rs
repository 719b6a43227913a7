//! Looking for things by what we know of them: a document by its reference, a product by its code.
//!
//! A filter is a wish. Daftra returns everything when it does not know one, so every row is compared here; and "not
//! there" is said only after a list that was read to its last page and added up, for it may be followed by a second
//! create. A list that changes while it is read does not add up: then the look failed and is repeated later.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::client::{Answered, Client, Door, Payable, Read, Visit, unreadable};
use super::outcome::{Dialect, Unanswered};
use super::wire::{self, RemotePayment, Tills};
use super::write::mentions;
use crate::domain::catalog::{Code, Product};
use crate::outgoing::Method;

/// A list with more pages than this is not read to its end, so nothing is concluded from it.
const MOST_PAGES: i64 = 1_000;

/// What a complete look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Exactly one document carries the reference.
    Found {
        /// Daftra's id.
        remote_id: i64,
        /// The number people see.
        remote_no: Option<String>,
    },
    /// No document carries it.
    Absent,
    /// More than one does.
    Several(BTreeSet<i64>),
}

/// What an invoice says of itself in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Daftra's id.
    pub id: i64,
    /// The number people see.
    pub no: Option<String>,
    /// Fields that hold the number of somebody else's order.
    pub numbers: [String; 2],
    /// Free text.
    pub notes: String,
    /// As Daftra prints it, with the currency.
    pub total: String,
}

/// A list of Daftra's.
#[derive(Clone)]
pub(super) struct List<'a> {
    pub(super) dialect: Dialect,
    pub(super) path: &'a str,
    /// The name around each row in v1.
    pub(super) model: &'a str,
    pub(super) query: Vec<(&'a str, &'a str)>,
}

impl<'a> List<'a> {
    fn narrowed(&self, filter: &'a str, value: &'a str) -> Self {
        let mut list = self.clone();
        list.query.push((filter, value));
        list
    }
}

/// Takes one row, or says why it cannot be read.
pub(super) type EachRow<'a> = &'a mut dyn FnMut(&Map<String, Value>) -> Result<(), String>;

/// Documents that carry the reference: id and number.
type Hits = BTreeMap<i64, Option<String>>;

impl Client {
    /// Looks for an invoice by its reference among those created since a day. The filter by `po_number` depends on a
    /// setting of the account, so it may find but never proves absence; whether the list shows drafts unasked is not
    /// documented, so absence is said only after the drafts were asked for too.
    pub fn look_up_invoice(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        reference: &str,
        created_from: Date,
    ) -> Answered<Result<Looked, Unanswered>> {
        let since = created_from.to_string();
        let all = List {
            dialect: Dialect::V1,
            path: "/api2/invoices.json",
            model: "Invoice",
            // By id, so that an invoice made meanwhile comes last and moves none to another page.
            query: vec![("created_from", &since), ("recursive", "1"), ("sort", "id"), ("direction", "asc")],
        };
        let (quick, drafts) = (all.narrowed("po_number", reference), all.narrowed("draft", "1"));
        self.visit(door, pace, "look_up", |visit| {
            let mut hits = Hits::new();
            let counts = visit.page(&quick, 1, &mut |row| note(row, reference, 0, &mut hits))?;
            // With more pages the filter was ignored, and a second one may be further on.
            if counts.pages <= 1 && !hits.is_empty() {
                return Ok(looked(hits));
            }
            for list in [&all, &drafts] {
                visit.pages(list, &mut |row| note(row, reference, 0, &mut hits))?;
                if !hits.is_empty() {
                    break;
                }
            }
            Ok(looked(hits))
        })
    }

    /// Every invoice that was created since a day, drafts among them, with what may name an order.
    pub fn invoices_since(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        created_from: Date,
    ) -> Answered<Result<Vec<Heading>, Unanswered>> {
        let since = created_from.to_string();
        let all = List {
            dialect: Dialect::V1,
            path: "/api2/invoices.json",
            model: "Invoice",
            query: vec![("created_from", &since), ("recursive", "1"), ("sort", "id"), ("direction", "asc")],
        };
        let drafts = all.narrowed("draft", "1");
        self.visit(door, pace, "look_up", |visit| {
            let mut found = BTreeMap::new();
            for list in [&all, &drafts] {
                visit.pages(list, &mut |row| {
                    if wire::integer(row, "type")?.is_none_or(|kind| kind == 0) && !is_deleted(row) {
                        let heading = heading(row)?;
                        found.insert(heading.id, heading);
                    }
                    Ok(())
                })?;
            }
            Ok(found.into_values().collect())
        })
    }

    /// Looks for a receipt of this invoice by its reference. v1 cannot filter receipts, so this asks v2; absence also
    /// wants the invoice to say that nothing was refunded but the receipts we know, `posted_total`.
    pub fn look_up_receipt(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        reference: &str,
        invoice_id: i64,
        posted_total: Decimal,
    ) -> Answered<Result<Looked, Unanswered>> {
        let invoice = invoice_id.to_string();
        let list = List {
            dialect: Dialect::V2,
            path: "/v2/api/entity/refund_receipt/list/1",
            model: "",
            query: vec![("filter[subscription_id]", invoice.as_str()), ("sort[id]", "asc")],
        };
        self.visit(door, pace, "look_up", |visit| {
            let mut hits = Hits::new();
            visit.pages(&list, &mut |row| note(row, reference, 6, &mut hits))?;
            let looked = looked(hits);
            if looked == Looked::Absent {
                visit.expect_refunded(invoice_id, posted_total)?;
            }
            Ok(looked)
        })
    }

    /// All payments on a document; `None` if there is no such document. An invoice carries its payments. v2 lists those
    /// of a receipt, where every row is compared, for a filter is a wish; what it calls deleted is none.
    pub fn payments(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        on: Payable,
    ) -> Answered<Result<Option<Vec<RemotePayment>>, Unanswered>> {
        self.visit(door, pace, "payments", |visit| match on {
            Payable::Invoice(id) => match visit.read_invoice(id)? {
                Read::Missing => Ok(None),
                Read::Found(invoice) => match invoice.payments {
                    Some(payments) => Ok(Some(payments)),
                    None => Err(Unanswered::failed(format!("Invoice {id} does not say what was paid on it"))),
                },
            },
            Payable::Receipt(id) => visit.payments_of(id).map(Some),
        })
    }

    /// What payments may name in the account.
    pub fn tills(&self, door: &Door, pace: &dyn Fn()) -> Answered<Result<Tills, Unanswered>> {
        let list = |path| List { dialect: Dialect::V2, path, model: "", query: vec![("sort[id]", "asc")] };
        self.visit(door, pace, "tills", |visit| {
            let mut tills = Tills::default();
            visit.pages(&list("/v2/api/entity/site_payment_gateway/list/1"), &mut |row| {
                tills.methods.extend(wire::method(row)?.filter(|_| !is_deleted(row)));
                Ok(())
            })?;
            visit.pages(&list("/v2/api/entity/treasury/list/1"), &mut |row| {
                tills.treasuries.extend(wire::treasury(row)?.filter(|_| !is_deleted(row)));
                Ok(())
            })?;
            Ok(tills)
        })
    }

    /// Every product of the account. v2 is asked; where it is of no use, v1.
    pub fn all_products(&self, door: &Door, pace: &dyn Fn()) -> Answered<Result<Vec<Product>, Unanswered>> {
        self.visit(door, pace, "products", |visit| match visit.all_products(Dialect::V2) {
            Err(Unanswered::Credential(_) | Unanswered::Failed { outage: false, trouble: None, .. }) => {
                visit.all_products(Dialect::V1)
            }
            other => other,
        })
    }

    /// Every product whose code or barcode is this one, or whose barcode is the same article number in its other
    /// length. v2 is asked; where it is of no use, v1.
    pub fn products(&self, door: &Door, pace: &dyn Fn(), code: &str) -> Answered<Result<Vec<Product>, Unanswered>> {
        let code = Code::new(code);
        self.visit(door, pace, "products", |visit| match visit.products(Dialect::V2, &code) {
            Err(Unanswered::Credential(_) | Unanswered::Failed { outage: false, trouble: None, .. }) => {
                visit.products(Dialect::V1, &code)
            }
            other => other,
        })
    }
}

impl Visit<'_> {
    fn products(&mut self, dialect: Dialect, code: &Code) -> Result<Vec<Product>, Unanswered> {
        let [by_code, by_barcode] = match dialect {
            Dialect::V1 => ["product_code", "barcode"],
            Dialect::V2 => ["filter[product_code]", "filter[barcode]"],
        };
        let path = match dialect {
            Dialect::V1 => "/api2/products.json",
            Dialect::V2 => "/v2/api/entity/product/list/1",
        };
        let twin = code.gtin_twin();
        let wanted = [Some((by_code, code)), Some((by_barcode, code)), twin.as_ref().map(|twin| (by_barcode, twin))];
        let mut found = BTreeMap::new();
        for (filter, value) in wanted.into_iter().flatten() {
            let list = List { dialect, path, model: "Product", query: vec![(filter, value.as_str())] };
            self.pages(&list, &mut |row| {
                let is = |name| Code::new(&wire::text(row, name).unwrap_or_default());
                let barcode = is("barcode");
                let fits = is("product_code") == *code || barcode == *code || Some(barcode) == twin;
                if fits && !is_deleted(row) {
                    let product = wire::product(row)?;
                    found.insert(product.id, product);
                }
                Ok(())
            })?;
        }
        Ok(found.into_values().collect())
    }

    fn all_products(&mut self, dialect: Dialect) -> Result<Vec<Product>, Unanswered> {
        let (path, query) = match dialect {
            Dialect::V1 => ("/api2/products.json", Vec::new()),
            Dialect::V2 => ("/v2/api/entity/product/list/1", vec![("sort[id]", "asc")]),
        };
        let mut all = Vec::new();
        self.pages(&List { dialect, path, model: "Product", query }, &mut |row| {
            if !is_deleted(row) {
                all.push(wire::product(row)?);
            }
            Ok(())
        })?;
        Ok(all)
    }

    fn payments_of(&mut self, document_id: i64) -> Result<Vec<RemotePayment>, Unanswered> {
        let id = document_id.to_string();
        let list = List {
            dialect: Dialect::V2,
            path: "/v2/api/entity/invoice_payment/list/1",
            model: "",
            query: vec![("filter[invoice_id]", id.as_str()), ("sort[id]", "asc")],
        };
        let mut payments = Vec::new();
        self.pages(&list, &mut |row| {
            let is_on_it = wire::id(row, "invoice_id")?.ok_or("invoice_id of a payment is missing")? == document_id;
            if is_on_it && !is_deleted(row) {
                payments.push(wire::payment(row)?);
            }
            Ok(())
        })?;
        Ok(payments)
    }

    fn expect_refunded(&mut self, invoice_id: i64, posted_total: Decimal) -> Result<(), Unanswered> {
        let invoice = match self.read_invoice(invoice_id)? {
            Read::Found(invoice) => invoice,
            Read::Missing => return Err(Unanswered::failed(format!("Invoice {invoice_id} is not there"))),
        };
        match invoice.refunded {
            Some(refunded) if refunded == posted_total => Ok(()),
            Some(refunded) => Err(Unanswered::failed(format!(
                "Invoice {invoice_id} says {} is refunded, our receipts are {posted_total}",
                refunded.normalize()
            ))),
            None => Err(Unanswered::failed(format!("Invoice {invoice_id} does not say what is refunded"))),
        }
    }

    /// Reads a list to its last page. Ok: every row was there and was read.
    pub(super) fn pages(&mut self, list: &List<'_>, row: EachRow<'_>) -> Result<(), Unanswered> {
        let mut ids = BTreeSet::new();
        let mut total = None;
        for number in 1..=MOST_PAGES {
            let page = self.page(list, number, &mut |fields| {
                ids.insert(wire::id(fields, "id")?.ok_or("id of a row is missing")?);
                row(fields)
            })?;
            if page.number != number {
                return Err(Unanswered::failed(format!("Asked for page {number}, got page {}", page.number)));
            }
            if *total.get_or_insert(page.total) != page.total {
                return Err(Unanswered::failed("The list changed while it was read"));
            }
            if number >= page.pages {
                return match i64::try_from(ids.len()) {
                    Ok(read) if read == page.total => Ok(()),
                    Ok(_) | Err(_) => {
                        Err(Unanswered::failed(format!("The list has {} rows and gave {}", page.total, ids.len())))
                    }
                };
            }
        }
        Err(Unanswered::failed(format!("The list has more than {MOST_PAGES} pages")))
    }

    pub(super) fn page(&mut self, list: &List<'_>, number: i64, row: EachRow<'_>) -> Result<Counts, Unanswered> {
        let (number, size) = (number.to_string(), self.page_size().to_string());
        let size_name = match list.dialect {
            Dialect::V1 => "limit",
            Dialect::V2 => "per_page",
        };
        let mut query = list.query.clone();
        query.extend([("page", number.as_str()), (size_name, size.as_str())]);
        let answer = self.call(list.dialect, Method::Get, list.path, &query, None)?;
        let page = match list.dialect {
            Dialect::V1 => wire::page_v1(&answer, list.model),
            Dialect::V2 => wire::page_v2(&answer),
        };
        let page = page.map_err(unreadable)?;
        for fields in &page.rows {
            row(fields).map_err(unreadable)?;
        }
        Ok(Counts { number: page.number, pages: page.pages, total: page.total })
    }
}

/// What a page says about its list.
pub(super) struct Counts {
    number: i64,
    pages: i64,
    total: i64,
}

fn heading(row: &Map<String, Value>) -> Result<Heading, String> {
    let text = |name| wire::text(row, name).unwrap_or_default();
    let total = wire::decimal(row, "summary_total")?.map(|total| total.normalize().to_string()).unwrap_or_default();
    Ok(Heading {
        id: wire::id(row, "id")?.ok_or("id of a row is missing")?,
        no: wire::text(row, "no"),
        numbers: [text("po_number"), text("order_number")],
        notes: text("notes"),
        total: format!("{total} {}", text("currency_code")).trim().to_owned(),
    })
}

/// Notes the row if it is a live document of this type and carries the reference.
fn note(row: &Map<String, Value>, reference: &str, type_id: i64, hits: &mut Hits) -> Result<(), String> {
    let id = wire::id(row, "id")?.ok_or("id of a row is missing")?;
    if !row.contains_key("po_number") && !row.contains_key("notes") {
        return Err(format!("row {id} has neither po_number nor notes"));
    }
    let text = |name| wire::text(row, name).unwrap_or_default();
    let carries = text("po_number").trim() == reference || mentions(&text("notes"), reference);
    let is_of_type = wire::integer(row, "type")?.is_none_or(|found| found == type_id);
    if carries && is_of_type && !is_deleted(row) {
        hits.insert(id, wire::text(row, "no"));
    }
    Ok(())
}

fn looked(mut hits: Hits) -> Looked {
    match hits.pop_first() {
        None => Looked::Absent,
        Some((remote_id, remote_no)) if hits.is_empty() => Looked::Found { remote_id, remote_no },
        Some((first, _)) => Looked::Several(hits.into_keys().chain([first]).collect()),
    }
}

/// Deleted rows stay in v2's lists.
pub(super) fn is_deleted(row: &Map<String, Value>) -> bool {
    wire::text(row, "deleted_at").is_some()
}

//! `/api2`: routes, envelopes and lists.
//!
//! Lists honour only the parameters known for their resource and ignore every other, so an unknown filter returns all.

use super::Call;
use super::account::{Account, Client};
use super::document::{Document, DocumentKind};
use super::form::{Form, decimal, given, text, wrapped};
use super::payment;
use super::refusal::{Message, Reason, Refusal};
use super::v1_rows::{self as rows, Depth};
use super::write;
use crate::sandbox::http::Answer;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

pub(super) fn answer(account: &mut Account, call: &Call<'_>) -> Result<Answer, Refusal> {
    let kind = match call.path.first() {
        Some(&"invoices") => Some(DocumentKind::Invoice),
        Some(&"credit_notes") => Some(DocumentKind::CreditNote),
        Some(&"refund_receipts") => Some(DocumentKind::RefundReceipt),
        Some(_) | None => None,
    };
    match (call.method, call.path.as_slice(), kind) {
        ("GET", ["invoices", "update_draft", id, flag], _) => {
            write::update_draft(account, call, number(id)?, *flag == "1")?;
            Ok(done(&json!({})))
        }
        ("GET", [_], Some(DocumentKind::Invoice)) => Ok(invoices(account, call)),
        ("GET", [_], Some(kind)) => Ok(documents(account, call, kind)),
        ("GET", [_, id], Some(kind)) => {
            let document = write::find(account, call, kind, number(id)?)?;
            Ok(whole(account, document))
        }
        ("POST", [_], Some(kind)) => {
            let id = write::create(account, call, kind)?;
            let number = account.document(id).map(|document| document.no.clone());
            Ok(created(
                account,
                id,
                number.filter(|_| kind == DocumentKind::Invoice && account.setup().number_in_answer),
            ))
        }
        ("PUT" | "POST", [_, id], Some(kind)) => {
            write::replace(account, call, kind, number(id)?)?;
            Ok(done(&json!({})))
        }
        ("DELETE", [_, id], Some(kind)) => {
            write::delete(account, call, kind, number(id)?)?;
            Ok(done(&json!({})))
        }
        ("POST", ["invoice_payments"], _) => {
            let id = payment::create(account, call)?;
            Ok(created(account, id, None))
        }
        ("DELETE", ["invoice_payments", id], _) => {
            payment::delete(account, number(id)?)?;
            Ok(done(&json!({"message": "Payment has been deleted"})))
        }
        ("POST", ["clients"], _) => {
            let client = client(account, call)?;
            let id = account.add_client(client);
            Ok(created(account, id, None))
        }
        ("GET", ["site_info"], _) => Ok(one("Site", &rows::site(account))),
        ("GET", [resource], _) => list(account, call, resource),
        ("GET", [resource, id], _) => get(account, call, resource, number(id)?),
        _ => Err(Refusal::new(404, Message::InvalidEndpoint)),
    }
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| Refusal::new(404, Message::InvalidEndpoint))
}

fn one(model: &str, row: &Value) -> Answer {
    Answer::json(200, &json!({"result": "successful", "code": 200, "data": {model: row}}))
}

/// One document with everything in it, or beside it.
fn whole(account: &Account, document: &Document) -> Answer {
    let setup = account.setup();
    let wrapper = if setup.answers_say_invoice { DocumentKind::Invoice } else { document.kind }.wrapper();
    let mut row = rows::document(account, document, Depth::All);
    let mut data = Map::new();
    if setup.rows_beside_header
        && let Some(fields) = row.as_object_mut()
    {
        for part in ["InvoiceItem", "InvoiceCustomField", "InvoicePayment"] {
            data.extend(fields.remove(part).map(|value| (part.to_owned(), value)));
        }
    }
    data.insert(wrapper.into(), row);
    Answer::json(200, &json!({"result": "successful", "code": 200, "data": data}))
}

fn created(account: &Account, id: u64, invoice_number: Option<String>) -> Answer {
    let id = if account.setup().ids_as_text { json!(id.to_string()) } else { json!(id) };
    let mut body = json!({"code": 202, "result": "successful", "id": id});
    if let Some(number) = invoice_number {
        body["invoice_number"] = number.into();
    }
    Answer::json(202, &body)
}

fn done(more: &Value) -> Answer {
    let mut body = json!({"code": 200, "result": "successful"});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    Answer::json(200, &body)
}

/// The envelope of a list. `limit` is capped unless `cap` is none; only the rows of the page are rendered.
fn page<T>(call: &Call<'_>, model: &str, all: Vec<T>, cap: Option<usize>, render: impl Fn(T) -> Value) -> Answer {
    let asked = |name| call.parameter(name).and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0);
    let limit = asked("limit").unwrap_or(20).min(cap.unwrap_or(usize::MAX));
    let page = asked("page").unwrap_or(1);
    let (total, page_count) = (all.len(), all.len().div_ceil(limit).max(1));
    let link = |page: usize| format!("/api2/{}/?page={page}", call.path[0]);
    let data: Vec<Value> = (all.into_iter().skip((page - 1).saturating_mul(limit)).take(limit))
        .map(|row| {
            let row = render(row);
            json!({model: row})
        })
        .collect();
    Answer::json(
        200,
        &json!({"code": 200, "result": "successful", "data": data,
                "pagination": {"prev": (page > 1).then(|| link(page - 1)),
                               "next": (page < page_count).then(|| link(page + 1)),
                               "page": page, "page_count": page_count, "total_results": total}}),
    )
}

const CAP: Option<usize> = Some(1000);

fn list(account: &Account, call: &Call<'_>, resource: &str) -> Result<Answer, Refusal> {
    let answer = match resource {
        "clients" => page(call, "Client", account.clients.values().collect(), CAP, rows::client),
        "products" => {
            let code = call.parameter("product_code").filter(|_| account.setup().product_code_filter);
            let wanted = |row: &&_| code.is_none_or(|code| rows::has_code(row, code));
            page(call, "Product", account.products.values().filter(wanted).collect(), CAP, |p| {
                rows::product(account, p)
            })
        }
        "stores" => page(call, "Store", account.stores.values().collect(), CAP, rows::store),
        "taxes" => page(call, "Tax", account.taxes.values().collect(), CAP, rows::tax),
        "treasuries" => page(call, "Treasury", account.treasuries.values().collect(), CAP, rows::treasury),
        "branches" => page(call, "Branch", account.setup().branches.clone(), CAP, rows::branch),
        "invoice_payments" => {
            let listed = account.payments.values().filter(|payment| account.listed(payment.created, call.now));
            page(call, "InvoicePayment", listed.collect(), CAP, |p| rows::payment(account, p))
        }
        "stock_transactions" => {
            let number = |name| call.parameter(name).and_then(|text| text.parse::<u64>().ok());
            let (product, source) = (number("product_id"), number("source_type"));
            let listed = account.stock.iter().filter(|row| {
                account.listed(row.date, call.now)
                    && !call.key.closed_stores.contains(&row.store_id)
                    && product.is_none_or(|id| row.product_id == id)
                    && source.is_none_or(|id| u64::from(row.source_type) == id)
            });
            page(call, "StockTransaction", listed.collect(), CAP, |row| rows::stock(account, row))
        }
        _ => return Err(Refusal::new(404, Message::InvalidEndpoint)),
    };
    Ok(answer)
}

fn get(account: &Account, call: &Call<'_>, resource: &str, id: u64) -> Result<Answer, Refusal> {
    let (model, noun, row) = match resource {
        "clients" => ("Client", "Item", account.clients.get(&id).map(rows::client)),
        "products" => ("Product", "Item", account.products.get(&id).map(|product| rows::product(account, product))),
        "stores" => ("Store", "Item", account.stores.get(&id).map(rows::store)),
        "taxes" => ("Tax", "Item", account.taxes.get(&id).map(rows::tax)),
        "treasuries" => ("Treasury", "Item", account.treasuries.get(&id).map(rows::treasury)),
        "branches" => {
            ("Branch", "Item", call.branch.filter(|_| account.setup().branches.contains(&id)).map(|_| rows::branch(id)))
        }
        "invoice_payments" => {
            ("InvoicePayment", "Payment", account.payments.get(&id).map(|payment| rows::payment(account, payment)))
        }
        _ => return Err(Refusal::new(404, Message::InvalidEndpoint)),
    };
    row.map(|row| one(model, &row)).ok_or(Refusal::new(404, Message::NotFound(noun)))
}

/// Receipts and credit notes: paging and, perhaps, the custom field of credit notes.
fn documents(account: &Account, call: &Call<'_>, kind: DocumentKind) -> Answer {
    let filtered = kind == DocumentKind::CreditNote && account.setup().credit_note_filters;
    let all = visible(account, call, kind).filter(|document| !filtered || has_custom_field(call, document)).collect();
    page(call, kind.wrapper(), all, CAP, |document| rows::document(account, document, Depth::Client))
}

fn invoices(account: &Account, call: &Call<'_>) -> Answer {
    let depth = match call.parameter("recursive") {
        Some("-1") => Depth::Header,
        Some("1") => Depth::All,
        Some(_) | None => Depth::Client,
    };
    let mut all: Vec<&Document> =
        visible(account, call, DocumentKind::Invoice).filter(|invoice| passes(account, call, invoice)).collect();
    match call.parameter("sort").map(|field| field.trim_start_matches("Invoice.")) {
        Some("id" | "created") => all.sort_by_key(|invoice| invoice.id),
        Some("no") => all.sort_by(|a, b| a.no.cmp(&b.no)),
        Some(_) | None => all.sort_by_key(|invoice| (invoice.date, invoice.id)),
    }
    if !call.parameter("direction").is_some_and(|direction| direction.eq_ignore_ascii_case("asc")) {
        all.reverse();
    }
    page(call, "Invoice", all, None, |invoice| rows::document(account, invoice, depth))
}

fn visible<'a>(account: &'a Account, call: &Call<'_>, kind: DocumentKind) -> impl Iterator<Item = &'a Document> {
    let (branch, now) = (call.branch, call.now);
    account.documents.values().filter(move |document| {
        document.kind == kind
            && document.deleted.is_none()
            && (branch.is_none() || document.branch_id == branch)
            && account.listed(document.created, now)
    })
}

fn has_custom_field(call: &Call<'_>, document: &Document) -> bool {
    call.parameter("custom_field").is_none_or(|value| {
        let label = call.parameter("custom_field_label");
        let fields = &document.custom_fields;
        fields.iter().any(|field| field.value == value && label.is_none_or(|label| field.label == label))
    })
}

/// Every parameter that is present and honoured must agree.
fn passes(account: &Account, call: &Call<'_>, invoice: &Document) -> bool {
    let setup = account.setup();
    let po_number = call.parameter("po_number").filter(|_| setup.po_numbers);
    if po_number.is_some_and(|number| invoice.text("po_number") != number) {
        return false;
    }
    // Whoever hides drafts honours the question for them.
    let asks_for_drafts = call.parameter("draft") == Some("1") || call.parameter("payment_status") == Some("-1");
    if invoice.draft && !setup.drafts_listed && !asks_for_drafts {
        return false;
    }
    if !setup.v1_filters {
        return true;
    }
    let is = |name, value: &str| call.parameter(name).is_none_or(|wanted| wanted == value);
    let day = |name| call.parameter(name).and_then(|text| Date::strptime("%Y-%m-%d", text).ok());
    let between =
        |from, to, date: Date| day(from).is_none_or(|from| date >= from) && day(to).is_none_or(|to| date <= to);
    let amount = |name| call.parameter(name).and_then(|text| decimal(&text.into()));
    let status = || account.standing(invoice.id).map_or(0, |standing| standing.status).to_string();
    let keywords = call.parameter("keywords").is_none_or(|words| {
        let texts = ["po_number", "order_number", "client_business_name", "client_email"];
        invoice.no.contains(words) || texts.iter().any(|name| invoice.text(name).contains(words))
    });
    let sources: Vec<&str> = call
        .parameters
        .iter()
        .filter(|(name, _)| name == "external_source[]")
        .map(|(_, value)| value.as_str())
        .collect();
    is("client_id", &invoice.client_id.to_string())
        && is("type", "0")
        && is("draft", if invoice.draft { "1" } else { "0" })
        && call.parameter("payment_status").is_none_or(|wanted| wanted == status())
        && is("currency_code", &invoice.currency)
        && call.parameter("no").is_none_or(|no| invoice.no.contains(no) || invoice.text("order_number").contains(no))
        && has_custom_field(call, invoice)
        && keywords
        && (sources.is_empty() || sources.contains(&"api"))
        && between("date_from", "date_to", invoice.date)
        && between("created_from", "created_to", account.local(invoice.created).date())
        && amount("summary_total_from").is_none_or(|from| invoice.totals.total >= from)
        && amount("summary_total_to").is_none_or(|to| invoice.totals.total <= to)
}

/// `POST /clients`.
fn client(account: &Account, call: &Call<'_>) -> Result<Client, Refusal> {
    let body = call.object()?;
    let fields = wrapped(&body, "Client")?;
    let mut form = Form::new(account, call);
    for name in ["business_name", "type"] {
        if given(fields, name).is_none() {
            form.problem("", name, Reason::Required);
        }
    }
    form.finish()?;
    Ok(client_of(fields))
}

pub(super) fn client_of(fields: &Map<String, Value>) -> Client {
    Client {
        id: 0,
        client_number: text(fields, "client_number"),
        business_name: text(fields, "business_name"),
        first_name: text(fields, "first_name"),
        last_name: text(fields, "last_name"),
        email: text(fields, "email"),
        phone1: text(fields, "phone1"),
        address1: text(fields, "address1"),
        city: text(fields, "city"),
        country_code: text(fields, "country_code"),
        invoice_by_email: false,
    }
}

//! What Daftra prints, read into our own types.
//!
//! Lenient about form: the same field comes as a number, as text, as null or as `""`, an empty map as `[]`, rows beside
//! the document or inside it. Strict about meaning: a field we rely on that is missing or cannot be read makes the whole
//! answer unreadable, with the field's name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::domain::catalog::{Code, Product, ProductKind};

/// An invoice or refund receipt as Daftra holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteDocument {
    /// Daftra's id.
    pub id: i64,
    /// The number people see; a draft may have none.
    pub no: Option<String>,
    /// Whose it is.
    pub client_id: Option<i64>,
    /// The warehouse of rows that name none.
    pub store_id: Option<i64>,
    /// The branch it was made in.
    pub branch_id: Option<i64>,
    /// Three letters.
    pub currency: String,
    /// From `original_date`: `date` is printed in the site's own format.
    pub date: Option<Date>,
    /// Not issued yet.
    pub is_draft: bool,
    /// Where our reference stands.
    pub po_number: String,
    /// Free text; our reference stands here too.
    pub notes: String,
    /// In Daftra's order.
    pub items: Vec<RemoteItem>,
    /// As Daftra computed it.
    pub total: Decimal,
    /// The header changes the total by a discount, shipping or an adjustment, none of which we write.
    pub is_adjusted: bool,
    /// Sum of the receipts on this invoice.
    pub refunded: Option<Decimal>,
    /// What was paid on it. `None`: the answer does not say.
    pub payments: Option<Vec<RemotePayment>>,
    /// Set when goods move by a requisition: 1 pending, 3 accepted.
    pub requisition_status: Option<i64>,
    /// All of it, with rows and custom fields inside.
    pub raw: Value,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteItem {
    /// None: a free-text row.
    pub product_id: Option<i64>,
    /// Units.
    pub quantity: Decimal,
    /// Before discount.
    pub unit_price: Decimal,
    /// Id of the first tax.
    pub tax1: Option<i64>,
    /// Id of the second tax.
    pub tax2: Option<i64>,
    /// Per unit or in percent; zero for none.
    pub discount: Decimal,
    /// None: the document's.
    pub store_id: Option<i64>,
    /// It carries the mark of our rows.
    pub is_marked: bool,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePayment {
    /// Daftra's id.
    pub id: i64,
    /// In the document's currency.
    pub amount: Decimal,
    /// Slug of the method.
    pub method: String,
    /// Reference of whoever wrote it.
    pub transaction_id: String,
    /// The money counts: it is not failed and not waited for.
    pub is_completed: bool,
}

/// What payments may name in an account today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tills {
    /// Slugs of the active methods of payment.
    pub methods: BTreeSet<String>,
    /// Ids of the active treasuries.
    pub treasuries: BTreeSet<i64>,
}

/// The account behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Another one at the same address is another account.
    pub id: String,
    /// Three letters.
    pub currency: String,
    /// Digits amounts are kept with, if it says.
    pub decimals: Option<u32>,
    /// The full host.
    pub host: String,
    /// The subscription ran out.
    pub is_expired: bool,
}

/// One page of a list.
pub(super) struct Page<'a> {
    pub rows: Vec<&'a Map<String, Value>>,
    pub number: i64,
    pub pages: i64,
    pub total: i64,
}

/// What v1 sends for one document, whatever it calls the wrapper. `type_id` is 0 for invoices and 6 for receipts.
pub(super) fn document(answer: &Map<String, Value>, type_id: i64) -> Result<RemoteDocument, String> {
    let data = object(answer, "data")?;
    let inner = ["Invoice", "RefundReceipt"].into_iter().find_map(|wrapper| data.get(wrapper)?.as_object());
    let mut raw = inner.ok_or("data holds neither Invoice nor RefundReceipt")?.clone();
    for part in ["InvoiceItem", "InvoiceCustomField", "InvoicePayment"] {
        if !raw.contains_key(part)
            && let Some(beside) = data.get(part)
        {
            raw.insert(part.to_owned(), beside.clone());
        }
    }
    if let Some(other) = integer(&raw, "type")?
        && other != type_id
    {
        return Err(format!("type is {other}, not {type_id}"));
    }
    let items = rows(&raw, "InvoiceItem")?.ok_or("InvoiceItem is missing")?;
    let items: Vec<RemoteItem> = items.into_iter().map(item).collect::<Result<_, _>>()?;
    let payments = rows(&raw, "InvoicePayment")?;
    let payments = payments.map(|rows| rows.into_iter().map(payment).collect::<Result<_, _>>()).transpose()?;
    let on_header = ["discount", "discount_amount", "shipping_amount", "adjustment_value"];
    let mut is_adjusted = false;
    for name in on_header {
        is_adjusted |= decimal(&raw, name)?.is_some_and(|amount| !amount.is_zero());
    }
    Ok(RemoteDocument {
        id: id(&raw, "id")?.ok_or("id is missing")?,
        no: text(&raw, "no"),
        client_id: id(&raw, "client_id")?,
        store_id: id(&raw, "store_id")?,
        branch_id: id(&raw, "branch_id")?,
        currency: text(&raw, "currency_code").unwrap_or_default(),
        date: date(&raw, "original_date")?,
        is_draft: flag(&raw, "draft")?,
        po_number: text(&raw, "po_number").unwrap_or_default(),
        notes: text(&raw, "notes").unwrap_or_default(),
        items,
        total: decimal(&raw, "summary_total")?.ok_or("summary_total is missing")?,
        is_adjusted,
        refunded: decimal(&raw, "summary_refund")?,
        payments,
        requisition_status: integer(&raw, "requisition_delivery_status")?,
        raw: Value::Object(raw),
    })
}

fn item(row: &Map<String, Value>) -> Result<RemoteItem, String> {
    Ok(RemoteItem {
        product_id: id(row, "product_id")?,
        quantity: decimal(row, "quantity")?.ok_or("quantity of a row is missing")?,
        unit_price: decimal(row, "unit_price")?.ok_or("unit_price of a row is missing")?,
        tax1: id(row, "tax1")?,
        tax2: id(row, "tax2")?,
        discount: decimal(row, "discount")?.unwrap_or_default(),
        store_id: id(row, "store_id")?,
        is_marked: text(row, "description").is_some_and(|text| super::mark::is_marked(&text)),
    })
}

/// A payment of either dialect: both use the same names.
pub(super) fn payment(row: &Map<String, Value>) -> Result<RemotePayment, String> {
    Ok(RemotePayment {
        id: id(row, "id")?.ok_or("id of a payment is missing")?,
        amount: decimal(row, "amount")?.ok_or("amount of a payment is missing")?,
        method: text(row, "payment_method").unwrap_or_default(),
        transaction_id: text(row, "transaction_id").unwrap_or_default(),
        is_completed: integer(row, "status")?.is_none_or(|status| status == 1),
    })
}

/// A row of v2's `site_payment_gateway`: its slug, if it is active.
pub(super) fn method(row: &Map<String, Value>) -> Result<Option<String>, String> {
    let slug = text(row, "payment_gateway").ok_or("payment_gateway of a row is missing")?;
    Ok(flag(row, "active")?.then_some(slug))
}

/// A row of v2's `treasury`: its id, if it is active.
pub(super) fn treasury(row: &Map<String, Value>) -> Result<Option<i64>, String> {
    let id = id(row, "id")?.ok_or("id of a treasury is missing")?;
    Ok(flag(row, "active")?.then_some(id))
}

/// A product of either dialect: both use the same names.
pub(super) fn product(row: &Map<String, Value>) -> Result<Product, String> {
    let id_of_row = id(row, "id")?.ok_or("id of a product is missing")?;
    let kind = match integer(row, "type")? {
        None | Some(1) => ProductKind::Product,
        Some(2) => ProductKind::Service,
        Some(3) => ProductKind::Bundle,
        Some(other) => return Err(format!("type of product {id_of_row} is {other}")),
    };
    let code = |name| Code::new(&text(row, name).unwrap_or_default());
    Ok(Product {
        id: id_of_row,
        code: code("product_code"),
        barcode: code("barcode"),
        name: text(row, "name").unwrap_or_default(),
        kind,
        active: integer(row, "status")?.unwrap_or(0) == 0 && !flag(row, "deactivate")?,
        tracked: flag(row, "track_stock")?,
        branch_id: id(row, "branch_id")?,
    })
}

/// What is left of a product in each store, by the answer to reading it; none for one of which no stock is kept.
pub(super) fn available(answer: &Map<String, Value>) -> Result<Option<BTreeMap<i64, Decimal>>, String> {
    let product = object(object(answer, "data")?, "Product")?;
    if !flag(product, "track_stock")? {
        return Ok(None);
    }
    let mut stores = BTreeMap::new();
    // An empty map comes as an empty list.
    if let Some(Value::Object(by_store)) = product.get("productAvailableQTY") {
        for store in by_store.keys() {
            let id = store.parse().map_err(|_| format!("productAvailableQTY names the store {store}"))?;
            stores.insert(id, decimal(by_store, store)?.unwrap_or_default());
        }
    }
    Ok(Some(stores))
}

/// The record of an answer about one.
pub(super) fn record(answer: &Map<String, Value>, model: &str) -> Result<Map<String, Value>, String> {
    object(object(answer, "data")?, model).cloned()
}

/// What `site_info` says.
pub(super) fn site(answer: &Map<String, Value>) -> Result<Site, String> {
    let site = object(object(answer, "data")?, "Site")?;
    let decimals = match site.get("numberFormat").and_then(Value::as_array).and_then(|format| format.first()) {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Number(number)) => number.as_u64().and_then(|digits| u32::try_from(digits).ok()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    Ok(Site {
        id: text(site, "id").ok_or("id of the site is missing")?,
        currency: text(site, "currency_code").ok_or("currency_code of the site is missing")?,
        decimals,
        host: text(site, "subdomain").unwrap_or_default(),
        is_expired: flag(site, "is_expired")?,
    })
}

/// A page of v1: rows inside their model's name, counts in `pagination`.
pub(super) fn page_v1<'a>(answer: &'a Map<String, Value>, model: &str) -> Result<Page<'a>, String> {
    let rows = rows(answer, "data")?.ok_or("data is missing")?;
    let rows = rows.into_iter().map(|row| object(row, model)).collect::<Result<_, _>>()?;
    let counts = object(answer, "pagination")?;
    Ok(Page {
        rows,
        number: count(counts, "page")?,
        pages: count(counts, "page_count")?,
        total: count(counts, "total_results")?,
    })
}

/// A page of v2: flat rows, counts beside them or in `meta`.
pub(super) fn page_v2(answer: &Map<String, Value>) -> Result<Page<'_>, String> {
    let counts = answer.get("meta").and_then(Value::as_object).unwrap_or(answer);
    Ok(Page {
        rows: rows(answer, "data")?.ok_or("data is missing")?,
        number: count(counts, "current_page")?,
        pages: count(counts, "last_page")?,
        total: count(counts, "total")?,
    })
}

fn count(counts: &Map<String, Value>, name: &str) -> Result<i64, String> {
    integer(counts, name)?.filter(|count| *count >= 0).ok_or_else(|| format!("{name} is missing"))
}

fn object<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a Map<String, Value>, String> {
    fields.get(name).and_then(Value::as_object).ok_or_else(|| format!("{name} is missing"))
}

/// A list of records. One with gaps comes as an object whose keys are numbers.
fn rows<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<Vec<&'a Map<String, Value>>>, String> {
    values(fields.get(name).unwrap_or(&Value::Null))
        .map_err(|()| format!("{name} is no list"))?
        .map(|rows| {
            rows.into_iter().map(|row| row.as_object().ok_or_else(|| format!("{name} holds no records"))).collect()
        })
        .transpose()
}

/// The values of a list in its order; `None` for null.
pub(super) fn values(list: &Value) -> Result<Option<Vec<&Value>>, ()> {
    match list {
        Value::Null => Ok(None),
        Value::Array(rows) => Ok(Some(rows.iter().collect())),
        Value::Object(rows) => {
            let mut numbered: Vec<(u32, &Value)> =
                rows.iter().map(|(key, row)| Ok((key.parse().map_err(|_| ())?, row))).collect::<Result<_, ()>>()?;
            numbered.sort_by_key(|(number, _)| *number);
            Ok(Some(numbered.into_iter().map(|(_, row)| row).collect()))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(()),
    }
}

/// Text that says something; numbers as they print.
pub(super) fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number in any form; null, empty and absent are none.
pub(super) fn decimal(fields: &Map<String, Value>, name: &str) -> Result<Option<Decimal>, String> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        // Prints the digits that were sent, as far as amounts have any: see write::number.
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Bool(flag)) => u8::from(*flag).to_string(),
        Some(Value::Array(_) | Value::Object(_)) => return Err(format!("{name} is no number")),
    };
    let number = text.parse().or_else(|_| Decimal::from_scientific(&text));
    number.map(Some).map_err(|_| format!("{name} is no number"))
}

pub(super) fn integer(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, String> {
    let Some(number) = decimal(fields, name)? else { return Ok(None) };
    let whole = number.normalize();
    if whole.scale() > 0 {
        return Err(format!("{name} is no whole number"));
    }
    i64::try_from(whole).map(Some).map_err(|_| format!("{name} is no whole number"))
}

/// An id; 0 means none, as everywhere in v1.
pub(super) fn id(fields: &Map<String, Value>, name: &str) -> Result<Option<i64>, String> {
    match integer(fields, name)? {
        Some(0) | None => Ok(None),
        Some(id) if id > 0 => Ok(Some(id)),
        Some(_) => Err(format!("{name} is negative")),
    }
}

/// `true`, 1, "1" or "true"; null, empty and absent are false.
pub(super) fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool, String> {
    match fields.get(name) {
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Ok(integer(fields, name)?.is_some_and(|number| number != 0)),
    }
}

fn date(fields: &Map<String, Value>, name: &str) -> Result<Option<Date>, String> {
    let Some(text) = text(fields, name) else { return Ok(None) };
    // A time may follow.
    let day = text.get(..10).unwrap_or_default();
    Date::strptime("%Y-%m-%d", day).map(Some).map_err(|_| format!("{name} is no date"))
}

//! How v1 prints records: numbers mostly as strings, computed ones as numbers, dates in the site's format.

use super::account::{Account, Client, Product, Store, Tax, Treasury};
use super::document::{Document, Item, Requisition};
use super::money::{Discount, RowDiscount, RowTotals};
use super::payment::Payment;
use super::setup::AccountSetup;
use super::stock::StockTransaction;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// How much of a document is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    Header,
    Client,
    All,
}

/// An exact JSON number.
pub(super) fn real(amount: Decimal) -> Value {
    let text = amount.normalize().to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// A number as a string.
fn string(amount: Decimal) -> String {
    amount.normalize().to_string()
}

fn flag(flag: bool) -> &'static str {
    if flag { "1" } else { "0" }
}

fn id(id: Option<u64>) -> Option<String> {
    id.map(|id| id.to_string())
}

/// How this account prints a map without entries.
pub(super) fn empty_map(setup: &AccountSetup) -> Value {
    if setup.empty_maps_as_lists { json!([]) } else { json!({}) }
}

pub(super) fn site(account: &Account) -> Value {
    let setup = account.setup();
    json!({
        "id": "4711", "business_name": format!("Account {}", setup.name), "first_name": "Owner", "last_name": "-",
        "email": format!("{}@example.com", setup.name), "subdomain": format!("{}.daftra.com", setup.name),
        "currency_code": setup.currency, "currencies": {setup.currency.as_str(): setup.currency},
        "language_code": match setup.language {
            super::Language::En => "en",
            super::Language::Ar => "ar",
        },
        "timezone": "61", "time_zone_name": setup.time_zone, "date_format": setup.date_format.id().to_string(),
        "numberFormat": [setup.decimals.to_string(), ".", ","], "country_code": "SA",
        "staff_id": -3, "is_super_admin": true, "is_expired": setup.expired, "is_beta": false,
        "expiry_date": if setup.expired { "2020-01-01" } else { "2099-12-31" }, "package_id": "3",
    })
}

pub(super) fn client(client: &Client) -> Value {
    json!({
        "id": client.id.to_string(), "site_id": "4711", "client_number": client.client_number, "type": "2",
        "is_offline": "1", "business_name": client.business_name, "first_name": client.first_name,
        "last_name": client.last_name, "email": client.email, "phone1": client.phone1, "phone2": "",
        "address1": client.address1, "city": client.city, "country_code": client.country_code, "bn1": null,
        "default_currency_code": "", "category": null, "category_id": null, "suspend": "0", "branch_id": null,
    })
}

/// Product codes compare without case.
pub(super) fn has_code(product: &Product, code: &str) -> bool {
    product.product_code.to_lowercase() == code.to_lowercase()
}

pub(super) fn product(account: &Account, product: &Product) -> Value {
    let balances = account.balances(product.id);
    let by_store: Map<String, Value> =
        balances.iter().map(|(store, quantity)| (store.to_string(), real(*quantity))).collect();
    let by_store = if by_store.is_empty() { empty_map(account.setup()) } else { Value::Object(by_store) };
    json!({
        "id": product.id.to_string(), "site_id": "4711", "name": product.name, "description": "",
        "product_code": product.product_code, "barcode": product.barcode, "type": product.kind.to_string(),
        "status": flag(!product.active), "deactivate": flag(!product.active), "unit_price": string(product.unit_price),
        "buy_price": "0", "tax1": id(product.tax1).unwrap_or("0".into()), "tax2": id(product.tax2).unwrap_or("0".into()),
        "track_stock": flag(product.track_stock), "stock_balance": string(balances.values().sum()),
        "low_stock_thershold": "0", "availabe_online": "1", "tracking_type": "quantity_only",
        "branch_id": id(product.branch_id), "item_group_id": null, "productAvailableQTY": by_store,
    })
}

pub(super) fn store(store: &Store) -> Value {
    json!({"id": store.id.to_string(), "name": store.name, "primary": flag(store.primary),
           "active": flag(store.active), "branch_id": null})
}

pub(super) fn tax(tax: &Tax) -> Value {
    json!({"id": tax.id.to_string(), "name": tax.name, "value": string(tax.value), "included": flag(tax.included),
           "active": flag(tax.active), "description": ""})
}

pub(super) fn treasury(treasury: &Treasury) -> Value {
    json!({"id": treasury.id.to_string(), "name": treasury.name, "type": "3", "active": "1"})
}

pub(super) fn branch(id: u64) -> Value {
    json!({"id": id.to_string(), "code": format!("{id:06}"), "name": format!("Branch {id}")})
}

pub(super) fn stock(account: &Account, row: &StockTransaction) -> Value {
    let out = row.quantity.is_sign_negative();
    json!({
        "id": row.id.to_string(), "product_id": row.product_id.to_string(), "store_id": row.store_id.to_string(),
        "transaction_type": if out { "2" } else { "1" }, "quantity": string(row.quantity.abs()),
        "price": string(row.price), "source_type": row.source_type.to_string(), "order_id": id(row.order_id),
        "ref_id": id(row.ref_id), "status": "4", "date": account.local_text(row.date),
    })
}

pub(super) fn payment(account: &Account, payment: &Payment) -> Value {
    let currency = account.document(payment.document_id).map(|document| document.currency.as_str());
    json!({
        "id": payment.id.to_string(), "invoice_id": payment.document_id.to_string(),
        "payment_method": payment.method, "amount": string(payment.amount),
        "date": payment.date.strftime("%Y-%m-%d %H:%M:%S").to_string(), "transaction_id": payment.transaction_id,
        "treasury_id": payment.treasury_id.to_string(), "status": payment.status.to_string(),
        "currency_code": currency, "code": format!("{:06}", payment.id - 300), "notes": payment.notes,
        "staff_id": "-3", "added_by": "-3", "ip": "127.0.0.1", "extra_details": null,
        "created": account.local_text(payment.created), "modified": account.local_text(payment.created),
    })
}

pub(super) fn document(account: &Account, document: &Document, depth: Depth) -> Value {
    let mut row = identity(document);
    row.append(&mut dates(account, document));
    row.append(&mut money(account, document));
    for (name, unset) in UNSET {
        row.insert(name.into(), unset.map_or(Value::Null, Value::from));
    }
    for (name, text) in document.texts.iter().filter(|(_, text)| !text.is_empty()) {
        row.insert(name.clone(), text.as_str().into());
    }
    let mut part = |name: &str, value| row.insert(name.into(), value);
    if depth != Depth::Header {
        part("Client", account.clients.get(&document.client_id).map(client).unwrap_or(empty_map(account.setup())));
    }
    if depth == Depth::All {
        let items = document.items.iter().zip(&document.totals.rows);
        let fields = document.custom_fields.iter();
        part("OrderSource", empty_map(account.setup()));
        part("InvoiceItem", items.map(|(item, amounts)| invoice_item(document, item, amounts)).collect());
        part("InvoiceCustomField", fields.map(|field| json!({"label": field.label, "value": field.value})).collect());
        part("InvoicePayment", account.payments_of(document.id).map(|row| payment(account, row)).collect());
        part("InvoiceTax", taxes(document));
        part("InvoiceDocument", json!([]));
    }
    Value::Object(row)
}

/// What a header field shows that nobody filled in.
const UNSET: [(&str, Option<&str>); 13] = [
    ("po_number", None),
    ("order_number", None),
    ("order_source_id", None),
    ("shipping_option_id", None),
    ("group_price_id", None),
    ("notes", Some("")),
    ("terms", Some("")),
    ("html_notes", Some("")),
    ("due_after", Some("0")),
    ("language_id", Some("0")),
    ("invoice_layout_id", Some("0")),
    ("shipping_options", Some("0")),
    ("sales_person_id", Some("0")),
];

fn identity(document: &Document) -> Map<String, Value> {
    let requisition = document.requisition.map(|state| match state {
        Requisition::Pending => "1",
        Requisition::Accepted => "3",
    });
    fields(json!({
        "id": document.id.to_string(), "site_id": "4711", "staff_id": "-3", "no": document.no,
        "type": document.kind.type_id().to_string(), "client_id": document.client_id.to_string(), "is_offline": "1",
        "store_id": id(document.store_id), "branch_id": id(document.branch_id),
        "subscription_id": id(document.parent), "currency_code": document.currency,
        "draft": flag(document.draft), "active": "1", "issued": !document.draft, "overdue": false,
        "external_source": "api", "e_invoice_status": document.e_invoice_accepted.then_some("accepted"),
        "requisition_delivery_status": requisition,
        "extra_details": json!({"invoice_version": document.version}).to_string(),
    }))
}

fn dates(account: &Account, document: &Document) -> Map<String, Value> {
    let format = account.setup().date_format;
    let site_date = document.date.strftime(format.pattern()).to_string();
    let iso_date = document.date.to_string();
    fields(json!({
        "date": site_date, "issue_date": site_date, "due_date": site_date, "original_date": iso_date,
        "stored_due_date": iso_date, "cur_date": iso_date, "date_format": format.id().to_string(),
        "str_date_format": format.pattern(), "created": account.local_text(document.created),
        "modified": account.local_text(document.modified),
    }))
}

fn money(account: &Account, document: &Document) -> Map<String, Value> {
    let totals = &document.totals;
    let standing = account.standing(document.id);
    let (percent, amount) = match document.discount {
        Discount::No => (None, None),
        Discount::Percent(percent) => (Some(string(percent)), None),
        Discount::Amount(amount) => (None, Some(string(amount))),
    };
    fields(json!({
        "discount": percent, "discount_amount": amount, "shipping_amount": document.shipping.map(string),
        "shipping_tax_id": document.shipping_tax.as_ref().map(|rate| rate.tax_id.to_string()),
        "deposit": "0", "deposit_type": 0, "summary_deposit": "0", "adjustment_label": null, "adjustment_value": null,
        "item_discount_amount": string(totals.item_discount), "summary_subtotal": real(totals.subtotal),
        "summary_discount": real(totals.discount), "summary_total": real(totals.total),
        "summary_paid": standing.map(|standing| string(standing.paid)),
        "summary_unpaid": standing.map(|standing| real(standing.unpaid)),
        "summary_refund": standing.map(|standing| real(standing.refunded)),
        "payment_status": standing.map(|standing| standing.status),
    }))
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

fn invoice_item(document: &Document, item: &Item, amounts: &RowTotals) -> Value {
    let (discount, discount_type) = match item.discount {
        RowDiscount::No => (None, None),
        RowDiscount::Percent(percent) => (Some(string(percent)), Some("1")),
        RowDiscount::PerUnit(amount) => (Some(string(amount)), Some("2")),
    };
    let [tax1, tax2] = item.taxes.each_ref().map(Option::as_ref);
    json!({
        "id": item.id.to_string(), "invoice_id": document.id.to_string(), "item": item.item,
        "description": item.description, "product_id": id(item.product_id),
        "store_id": id(item.store_id.or(document.store_id)).unwrap_or("0".into()),
        "unit_price": string(item.unit_price), "quantity": string(item.quantity), "quantity2": null,
        "discount": discount, "discount_type": discount_type, "calculated_discount": real(amounts.discount),
        "tax1": tax1.map(|rate| rate.tax_id.to_string()),
        "tax2": tax2.map_or("0".into(), |rate| rate.tax_id.to_string()),
        "tax1_name": tax1.map(|rate| &rate.name), "tax1_percent": "%", "tax1_value": real(amounts.taxes[0]),
        "summary_tax1": real(amounts.taxes[0]), "summary_tax2": real(amounts.taxes[1]),
        "subtotal": real(amounts.subtotal), "item_subtotal": real(amounts.subtotal), "unit_name": null,
        "unit_factor": null, "offer_id": null, "tracking_data": null, "product_image": "", "product_image_s3": false,
    })
}

/// One row per tax used, with the sum over all rows.
fn taxes(document: &Document) -> Value {
    let mut sums: Vec<Value> = Vec::new();
    let mut seen: Vec<(u64, Decimal)> = Vec::new();
    for (item, amounts) in document.items.iter().zip(&document.totals.rows) {
        for (rate, amount) in item.taxes.iter().zip(amounts.taxes) {
            let Some(rate) = rate else { continue };
            let at = seen.iter().position(|(id, _)| *id == rate.tax_id).unwrap_or_else(|| {
                seen.push((rate.tax_id, Decimal::ZERO));
                sums.push(json!({"tax_id": rate.tax_id.to_string(), "invoice_id": document.id.to_string(),
                                 "name": rate.name, "value": string(rate.percent), "included": flag(rate.included)}));
                seen.len() - 1
            });
            seen[at].1 += amount;
            sums[at]["invoice_value"] = real(seen[at].1);
        }
    }
    sums.into()
}

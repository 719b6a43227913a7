//! Creating, replacing, issuing and deleting documents through v1, with the refusals Daftra is known for.
//!
//! `payment_status` and `summary_*` are not read, nor are fields nobody knows.

use super::Call;
use super::account::{Account, Client};
use super::document::{CustomField, Document, DocumentKind, Item, Requisition, save};
use super::form::{Form, decimal, flag, given, text, wrapped};
use super::money::{Discount, Rate, RowDiscount, Totals};
use super::payment::{self, NewPayment};
use super::refusal::{Message, Reason, Refusal};
use super::setup::PartialPut;
use super::stock;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Header fields that are kept as they come.
const TEXTS: [&str; 28] = [
    "po_number",
    "order_number",
    "notes",
    "terms",
    "html_notes",
    "name",
    "due_after",
    "invoice_layout_id",
    "language_id",
    "sales_person_id",
    "cost_center_id",
    "follow_up_status",
    "work_order_id",
    "estimate_id",
    "group_price_id",
    "order_source_id",
    "shipping_options",
    "shipping_option_id",
    "source_type",
    "source_id",
    "client_business_name",
    "client_first_name",
    "client_last_name",
    "client_email",
    "client_address1",
    "client_city",
    "client_country_code",
    "issue_date",
];

/// Fields that may be longer than 255 characters.
const LONG_TEXTS: [&str; 3] = ["notes", "terms", "html_notes"];

/// `POST /invoices` and its sisters.
pub(super) fn create(account: &mut Account, call: &Call<'_>, kind: DocumentKind) -> Result<u64, Refusal> {
    let body = call.object()?;
    let header = wrapped(&body, kind.wrapper())?;
    let blank = Document {
        id: 0,
        kind,
        no: String::new(),
        draft: false,
        client_id: 0,
        store_id: None,
        branch_id: call.branch,
        parent: None,
        currency: account.setup().currency.clone(),
        date: account.local(call.now).date(),
        discount: Discount::No,
        shipping: None,
        shipping_tax: None,
        items: Vec::new(),
        custom_fields: Vec::new(),
        texts: BTreeMap::new(),
        totals: Totals::default(),
        created: call.now,
        modified: call.now,
        deleted: None,
        e_invoice_accepted: false,
        requisition: None,
        version: 0,
    };
    let (document, payments) = submitted(account, call, blank, header, &body)?;
    if document.items.is_empty() {
        return Err(Refusal::new(400, Message::InvoiceEmpty));
    }
    save(account, document, Some(payments.unwrap_or_default()), call.now)
}

/// `PUT /invoices/{id}`: what is submitted replaces; the rest stays or is lost, as the account's switch says.
pub(super) fn replace(account: &mut Account, call: &Call<'_>, kind: DocumentKind, id: u64) -> Result<u64, Refusal> {
    let body = call.object()?;
    let header = wrapped(&body, kind.wrapper())?;
    let existing = changeable(account, call, kind, id)?;
    let nested_only = header.contains_key("InvoiceItem") && !body.contains_key("InvoiceItem");
    let emptied = body.get("InvoiceItem").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if nested_only || emptied {
        return Err(Refusal::new(400, Message::InvoiceEmpty));
    }
    let (base, rest) = match account.setup().partial_put {
        PartialPut::Keep => (existing.clone(), None),
        PartialPut::Drop => {
            let stripped = Document {
                store_id: None,
                discount: Discount::No,
                shipping: None,
                shipping_tax: None,
                items: Vec::new(),
                custom_fields: Vec::new(),
                texts: BTreeMap::new(),
                ..existing.clone()
            };
            (stripped, Some(Vec::new()))
        }
    };
    let (document, payments) = submitted(account, call, base, header, &body)?;
    save(account, document, payments.or(rest), call.now)
}

/// `DELETE /invoices/{id}`: softly; stock comes back.
pub(super) fn delete(account: &mut Account, call: &Call<'_>, kind: DocumentKind, id: u64) -> Result<(), Refusal> {
    changeable(account, call, kind, id)?;
    if payment::is_leaned_on(account, id) {
        return Err(Refusal::new(400, Message::RemoveTransactions));
    }
    if let Some(document) = account.documents.get_mut(&id) {
        document.deleted = Some(call.now);
    }
    stock::repost(account, id, call.now);
    Ok(())
}

/// `GET /invoices/update_draft/{id}/{draft}`: a GET that issues.
pub(super) fn update_draft(account: &mut Account, call: &Call<'_>, id: u64, draft: bool) -> Result<(), Refusal> {
    let existing = changeable(account, call, DocumentKind::Invoice, id)?;
    if existing.draft == draft {
        return match account.setup().reissue_refused {
            true => Err(Refusal::new(400, Message::AlreadyIssued)),
            false => Ok(()),
        };
    }
    let document = Document { draft, ..existing.clone() };
    check_period(account, &document)?;
    save(account, document, None, call.now).map(|_| ())
}

/// The live document of this kind that the caller's branch may see.
pub(super) fn find<'a>(
    account: &'a Account,
    call: &Call<'_>,
    kind: DocumentKind,
    id: u64,
) -> Result<&'a Document, Refusal> {
    match account.documents.get(&id).filter(|document| document.deleted.is_none()) {
        Some(document) if document.kind != kind => Err(Refusal::new(404, Message::NotFound(kind.noun()))),
        Some(document) if call.branch.is_some() && document.branch_id != call.branch => {
            Err(Refusal::new(404, Message::NotFound(kind.noun())))
        }
        Some(document) => Ok(document),
        None => Err(Refusal::new(404, Message::NotFound("Item"))),
    }
}

fn changeable<'a>(account: &'a Account, call: &Call<'_>, kind: DocumentKind, id: u64) -> Result<&'a Document, Refusal> {
    let document = find(account, call, kind, id)?;
    let status = if account.setup().refuse_with_404 { 404 } else { 400 };
    if document.e_invoice_accepted {
        return Err(Refusal::new(status, Message::EInvoiceAccepted));
    }
    if document.requisition == Some(Requisition::Accepted) {
        return Err(Refusal::new(status, Message::RequisitionAccepted));
    }
    check_period(account, document).map_err(|refusal| Refusal { status, ..refusal })?;
    Ok(document)
}

fn check_period(account: &Account, document: &Document) -> Result<(), Refusal> {
    match account.closed(document.date) && !document.draft {
        true => Err(Refusal::new(400, Message::ClosedPeriod(document.date))),
        false => Ok(()),
    }
}

/// What was submitted laid over `base`. Payments are `None` when their key is missing.
fn submitted(
    account: &Account,
    call: &Call<'_>,
    base: Document,
    header: &Map<String, Value>,
    body: &Map<String, Value>,
) -> Result<(Document, Option<Vec<NewPayment>>), Refusal> {
    let mut form = Form::new(account, call);
    let kind = base.kind;
    let mut document = read_header(&mut form, base, header);
    match body.get("InvoiceItem") {
        None => {}
        Some(Value::Array(rows)) => {
            document.items = rows.iter().enumerate().filter_map(|(at, row)| read_item(&mut form, at, row)).collect();
        }
        Some(_) => form.problem("", "InvoiceItem", Reason::Required),
    }
    if let Some(fields) = body.get("InvoiceCustomField") {
        document.custom_fields = custom_fields(fields);
    }
    let payments = body.get(kind.payment_key()).and_then(Value::as_array).map(|rows| {
        let rows = rows.iter().enumerate().filter_map(|(at, row)| Some((at, row.as_object()?)));
        rows.filter_map(|(at, row)| payment::read(&mut form, &format!("{}.{at}", kind.payment_key()), row)).collect()
    });
    form.finish()?;
    check_period(account, &document)?;
    for payment in payments.iter().flatten() {
        payment::check_period(account, payment)?;
    }
    Ok((document, payments))
}

fn read_header(form: &mut Form<'_>, base: Document, header: &Map<String, Value>) -> Document {
    let account = form.account;
    let mut document = base;

    let client_id = form.reference("", header, "client_id", |id| account.clients.contains_key(&id));
    match client_id.and_then(|id| account.clients.get(&id)) {
        None => form.problem("", "client_id", Reason::Required),
        Some(client) => {
            document.client_id = client.id;
            if client.invoice_by_email && client.email.is_empty() && document.kind == DocumentKind::Invoice {
                form.problem("", "client_email", Reason::Required);
            }
            remember_client(&mut document.texts, client);
        }
    }
    if header.contains_key("store_id") {
        document.store_id = read_store(form, "", header);
    }
    if document.kind == DocumentKind::RefundReceipt && document.store_id.is_none() {
        form.problem("", "store_id", Reason::Required);
    }
    if document.kind != DocumentKind::Invoice {
        let call = form.call;
        let invoice = |id| find(account, call, DocumentKind::Invoice, id).is_ok_and(|invoice| !invoice.draft);
        let parent = form.reference("", header, "subscription_id", invoice);
        document.parent = parent.or(document.parent);
        if document.parent.is_none() {
            form.problem("", "subscription_id", Reason::Required);
        }
    }
    if let Some(currency) = given(header, "currency_code").and_then(Value::as_str) {
        document.currency = currency.into();
    }
    if given(header, "date").is_some()
        && let Some(moment) = form.moment("", header, "date")
    {
        document.date = moment.date();
    }
    if let Some(draft) = given(header, "draft") {
        document.draft = flag(draft);
    }
    if given(header, "no").is_some() {
        document.no = text(header, "no");
    }
    read_discount(form, &mut document, header);
    if header.contains_key("shipping_amount") {
        document.shipping = form.amount("", header, "shipping_amount");
    }
    if header.contains_key("shipping_tax_id") {
        document.shipping_tax = read_tax(form, "", header, "shipping_tax_id");
    }
    for name in TEXTS.into_iter().filter(|name| header.contains_key(*name)) {
        let value = text(header, name);
        let limit = if LONG_TEXTS.contains(&name) { 80_000 } else { 255 };
        if value.chars().count() > limit {
            form.problem("", name, Reason::TooLong);
        }
        document.texts.insert(name.into(), value);
    }
    document
}

/// The document keeps its own copy of the client's address; what was submitted for it comes later and wins.
fn remember_client(texts: &mut BTreeMap<String, String>, client: &Client) {
    let copies = [
        ("client_business_name", &client.business_name),
        ("client_first_name", &client.first_name),
        ("client_last_name", &client.last_name),
        ("client_email", &client.email),
        ("client_address1", &client.address1),
        ("client_city", &client.city),
        ("client_country_code", &client.country_code),
    ];
    for (name, value) in copies {
        texts.entry(name.into()).or_insert_with(|| value.clone());
    }
}

fn read_discount(form: &mut Form<'_>, document: &mut Document, header: &Map<String, Value>) {
    if !header.contains_key("discount") && !header.contains_key("discount_amount") {
        return;
    }
    let percent = form.amount("", header, "discount").unwrap_or_default();
    let amount = form.amount("", header, "discount_amount").unwrap_or_default();
    if percent > Decimal::ONE_HUNDRED {
        form.problem("", "discount", Reason::OutOfRange);
    }
    document.discount = match (percent.is_zero(), amount.is_zero()) {
        (true, true) => Discount::No,
        (false, true) => Discount::Percent(percent),
        (true, false) => Discount::Amount(amount),
        (false, false) => {
            form.problem("", "discount_amount", Reason::Exclusive);
            Discount::No
        }
    };
}

fn read_item(form: &mut Form<'_>, at: usize, row: &Value) -> Option<Item> {
    let place = &format!("InvoiceItem.{at}");
    let account = form.account;
    let Some(fields) = row.as_object() else {
        form.problem(place, "item", Reason::Required);
        return None;
    };
    let branch = form.call.branch;
    let product_id = form.reference(place, fields, "product_id", |id| {
        let product = account.products.get(&id);
        product.is_some_and(|p| p.active && (branch.is_none() || p.branch_id.is_none() || p.branch_id == branch))
    });
    let product = product_id.and_then(|id| account.products.get(&id));
    let unit_price = form.amount(place, fields, "unit_price");
    if unit_price.is_none() {
        form.problem(place, "unit_price", Reason::Required);
    }
    let quantity = form.amount(place, fields, "quantity").filter(|quantity| !quantity.is_zero());
    if quantity.is_none() {
        form.problem(place, "quantity", Reason::Required);
    }
    let discount = read_row_discount(form, place, fields, unit_price.unwrap_or_default());
    let inherited = product.filter(|_| account.setup().tax_inheritance);
    let taxes = [("tax1", inherited.and_then(|p| p.tax1)), ("tax2", inherited.and_then(|p| p.tax2))];
    let taxes = taxes.map(|(name, from_product)| match fields.contains_key(name) {
        true => read_tax(form, place, fields, name),
        false => from_product.and_then(|id| rate(account, id)),
    });
    let label = text(fields, "item");
    Some(Item {
        id: 0,
        item: if label.is_empty() { product.map(|p| p.name.clone()).unwrap_or_default() } else { label },
        description: text(fields, "description"),
        product_id,
        store_id: read_store(form, place, fields),
        unit_price: unit_price?,
        quantity: quantity?,
        discount,
        taxes,
    })
}

/// Without `discount_type` the number is a percentage, which is the dearer way to misunderstand.
fn read_row_discount(form: &mut Form<'_>, place: &str, fields: &Map<String, Value>, price: Decimal) -> RowDiscount {
    let Some(discount) = form.amount(place, fields, "discount").filter(|discount| !discount.is_zero()) else {
        return RowDiscount::No;
    };
    let (read, limit) = match given(fields, "discount_type").and_then(decimal) {
        Some(kind) if kind == Decimal::TWO => (RowDiscount::PerUnit(discount), price),
        Some(_) | None => (RowDiscount::Percent(discount), Decimal::ONE_HUNDRED),
    };
    if discount > limit {
        form.problem(place, "discount", Reason::OutOfRange);
    }
    read
}

fn read_store(form: &mut Form<'_>, place: &str, fields: &Map<String, Value>) -> Option<u64> {
    let account = form.account;
    let known = |id| account.stores.get(&id).is_some_and(|store| store.active);
    let store = form.reference(place, fields, "store_id", known)?;
    if form.call.key.closed_stores.contains(&store) {
        form.problem(place, "store_id", Reason::NoRight);
    }
    Some(store)
}

fn read_tax(form: &mut Form<'_>, place: &str, fields: &Map<String, Value>, name: &str) -> Option<Rate> {
    let account = form.account;
    let known = |id| account.taxes.get(&id).is_some_and(|tax| tax.active);
    form.reference(place, fields, name, known).and_then(|id| rate(account, id))
}

fn rate(account: &Account, tax_id: u64) -> Option<Rate> {
    let tax = account.taxes.get(&tax_id).filter(|tax| tax.active)?;
    Some(Rate { tax_id, name: tax.name.clone(), percent: tax.value, included: tax.included })
}

/// A list of `{label, value}`, or an object from label to value.
fn custom_fields(value: &Value) -> Vec<CustomField> {
    match value {
        Value::Array(rows) => (rows.iter().filter_map(Value::as_object))
            .map(|row| CustomField { label: text(row, "label"), value: text(row, "value") })
            .collect(),
        Value::Object(map) => {
            map.keys().map(|label| CustomField { label: label.clone(), value: text(map, label) }).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

//! What goes out: a draft as Daftra wants it, and a replacement which keeps what others wrote.
//!
//! Rows stand beside the header, never inside; taxes, discounts and stores are always spelled out, or Daftra takes the
//! product's. Totals and states are never sent: they are Daftra's own.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::compare::{compare, compare_header, match_rows};
use super::mark::{LONGEST_LABEL_CHARS, description};
use super::wire::{RemoteDocument, RemoteItem, values};
use crate::domain::draft::Draft;
use crate::domain::invoice::{Billed, Header, InvoiceDraft, Row};
use crate::domain::money::Amount;
use crate::domain::payment::PaymentDraft;
use crate::domain::reason::Difference;

/// The money is there: Daftra counts no other payment.
const COMPLETED: u8 = 1;

/// Header fields that others may have filled and Daftra takes. Not among them: what the server computes or keeps for
/// itself, `issue_date`, which is printed in the site's format, and `unique_id`, which makes Daftra recompute discounts.
const CARRIED: [&str; 52] = [
    "staff_id",
    "branch_id",
    "no",
    "name",
    "order_number",
    "due_after",
    "discount",
    "discount_amount",
    "deposit",
    "deposit_type",
    "shipping_amount",
    "shipping_option_id",
    "shipping_tax_id",
    "shipping_options",
    "adjustment_label",
    "adjustment_value",
    "terms",
    "html_notes",
    "invoice_layout_id",
    "language_id",
    "date_format",
    "order_source_id",
    "sales_person_id",
    "cost_center_id",
    "follow_up_status",
    "work_order_id",
    "estimate_id",
    "group_price_id",
    "terminal_id",
    "pos_shift_id",
    "source_type",
    "source_id",
    "subscription_id",
    "is_offline",
    "client_business_name",
    "client_first_name",
    "client_last_name",
    "client_email",
    "client_address1",
    "client_address2",
    "client_postal_code",
    "client_city",
    "client_state",
    "client_country_code",
    "client_active_secondary_address",
    "client_secondary_name",
    "client_secondary_address1",
    "client_secondary_address2",
    "client_secondary_city",
    "client_secondary_state",
    "client_secondary_postal_code",
    "client_secondary_country_code",
];

/// What a row of others consists of. Row ids are not among them: Daftra gives new ones.
const CARRIED_ROW: [&str; 21] = [
    "item",
    "description",
    "product_id",
    "unit_price",
    "quantity",
    "tax1",
    "tax2",
    "discount",
    "discount_type",
    "store_id",
    "lot",
    "expiry_date",
    "serials",
    "col_3",
    "col_4",
    "col_5",
    "unit_name",
    "unit_small_name",
    "unit_factor",
    "unit_factor_id",
    "offer_id",
];

/// The body that creates a document. `None`: a receipt or payment without the id of its parent, which must not be sent.
#[must_use]
pub fn body(draft: &Draft, parent_remote: Option<i64>) -> Option<Value> {
    if let Draft::Payment(payment) = draft {
        return Some(payment_body(payment, parent_remote?));
    }
    let header = draft.header();
    let mut fields = own_fields(header, header.date, &notes(header));
    fields.insert("draft".to_owned(), json!(u8::from(header.draft)));
    fields.insert("discount".to_owned(), json!(0));
    fields.insert("discount_amount".to_owned(), json!(0));
    let wrapper = match draft {
        Draft::Invoice(_) => "Invoice",
        Draft::RefundReceipt(_) => {
            fields.insert("subscription_id".to_owned(), json!(parent_remote?));
            "RefundReceipt"
        }
        Draft::Payment(_) => return None,
    };
    let items: Vec<Value> = own_rows(header, draft.billed()).collect();
    Some(json!({wrapper: fields, "InvoiceItem": items}))
}

/// Our reference stands where the shop's or the bank's would: it is what the payment is found by.
fn payment_body(payment: &PaymentDraft, parent_remote: i64) -> Value {
    let header = &payment.header;
    let mut fields = json!({
        "invoice_id": parent_remote,
        "payment_method": payment.method,
        "amount": number(header.currency.decimal(payment.amount)),
        "currency_code": header.currency.code(),
        "date": payment.clock.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "transaction_id": header.reference,
        "status": COMPLETED,
        "notes": format!("{} {}", header.order_name, payment.gateway).trim(),
    });
    if let Some(treasury_id) = payment.treasury_id {
        fields["treasury_id"] = json!(treasury_id);
    }
    json!({"InvoicePayment": fields})
}

/// The body of a PUT. Only [`merge`] and [`overwrite`] make one, so nothing can be replaced that was not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Replacement(Value);

impl Replacement {
    /// As it is sent.
    #[must_use]
    pub fn body(&self) -> &Value {
        &self.0
    }
}

/// The whole invoice with our rows exchanged and everything else as others left it. `old` is what Daftra should hold;
/// if it does not, the differences come back and nothing may be written: a person changed what is ours.
///
/// There is no `Payment` in it: payments live on their own, and naming them would replace them.
pub fn merge(remote: &RemoteDocument, old: &InvoiceDraft, new: &InvoiceDraft) -> Result<Replacement, Vec<Difference>> {
    if old.has_rows_of_others() {
        let tolerance = Amount(i64::try_from(old.billed.len()).unwrap_or(i64::MAX));
        let differences = compare(&Draft::Invoice(old.clone()), remote, tolerance);
        return if differences.is_empty() { Ok(take_over(remote, new)) } else { Err(differences) };
    }
    let matched = match_rows(&old.header, &old.billed, remote);
    let mut differences = compare_header(&old.header, remote);
    differences.extend(matched.missing);
    if !differences.is_empty() {
        return Err(differences);
    }
    let is_draft = remote.is_draft;
    let place = |is_own: bool| if is_own { Place::Ours } else { Place::Theirs };
    Ok(whole(remote, new, is_draft, matched.is_own.into_iter().map(place)))
}

/// The invoice as `own` says, over whatever a person made of our rows and fields. Rows without our mark stay. None: no row
/// has a mark, so nobody can say which of those that differ are ours.
#[must_use]
pub fn overwrite(remote: &RemoteDocument, own: &InvoiceDraft) -> Option<Replacement> {
    if own.has_rows_of_others() {
        return Some(take_over(remote, own));
    }
    let matched = match_rows(&own.header, &own.billed, remote);
    let has_marks = remote.items.iter().any(|item| item.is_marked);
    if !has_marks && matched.is_own.iter().any(|is_own| !is_own) {
        return None;
    }
    let place = |(is_own, item): (bool, &RemoteItem)| match (is_own, item.is_marked) {
        (true, _) => Place::Ours,
        (false, true) => Place::Nobodys,
        (false, false) => Place::Theirs,
    };
    let is_draft = remote.is_draft && own.header.draft;
    Some(whole(remote, own, is_draft, matched.is_own.into_iter().zip(&remote.items).map(place)))
}

/// An invoice that others made becomes ours: our rows in the place of theirs, and nothing of theirs that moves the total.
fn take_over(remote: &RemoteDocument, own: &InvoiceDraft) -> Replacement {
    let is_draft = remote.is_draft && own.header.draft;
    let mut taken = remote.clone();
    if let Some(fields) = taken.raw.as_object_mut() {
        for name in ["discount", "discount_amount", "shipping_amount", "adjustment_value"] {
            if fields.get(name).is_some_and(|value| !value.is_null()) {
                fields.insert(name.to_owned(), json!(0));
            }
        }
    }
    whole(&taken, own, is_draft, remote.items.iter().map(|_| Place::Nobodys))
}

/// What becomes of the place of a row.
enum Place {
    /// The next of our rows stands in it.
    Ours,
    /// It is carried over.
    Theirs,
    /// A row of ours that should not be there.
    Nobodys,
}

fn whole(
    remote: &RemoteDocument,
    new: &InvoiceDraft,
    is_draft: bool,
    places: impl Iterator<Item = Place>,
) -> Replacement {
    let mut fields: Map<String, Value> = Map::new();
    for name in CARRIED {
        if let Some(value) = remote.raw.get(name).filter(|value| !value.is_null()) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    for unset in ["discount", "discount_amount"] {
        fields.entry(unset).or_insert_with(|| json!(0));
    }
    let date = remote.date.unwrap_or(new.header.date);
    fields.append(&mut own_fields(&new.header, date, &kept_notes(&remote.notes, &new.header)));
    // Issuing is the act of a person, and is not undone here.
    fields.insert("draft".to_owned(), json!(u8::from(is_draft)));

    let mut ours = own_rows(&new.header, &new.billed);
    let mut items = Vec::new();
    for (row, place) in list(&remote.raw, "InvoiceItem").into_iter().zip(places) {
        match place {
            Place::Ours => items.extend(ours.next()),
            Place::Theirs => items.push(carried_row(row)),
            Place::Nobodys => {}
        }
    }
    items.extend(ours);

    let mut body = json!({"Invoice": fields, "InvoiceItem": items});
    let custom = custom_fields(&remote.raw);
    if !custom.is_empty() {
        body["InvoiceCustomField"] = custom.into();
    }
    Replacement(body)
}

/// Whether the text holds the reference as a word of its own: `k-1-order` is not in `k-1-order/2`.
pub(super) fn mentions(text: &str, reference: &str) -> bool {
    let part_of_reference = |c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '_');
    text.split(|c| !part_of_reference(c)).any(|word| word == reference)
}

fn own_fields(header: &Header, date: Date, notes: &str) -> Map<String, Value> {
    let fields = [
        ("client_id", json!(header.client_id)),
        ("store_id", json!(header.store_id)),
        ("currency_code", json!(header.currency.code())),
        ("date", json!(date.to_string())),
        ("po_number", json!(header.reference)),
        ("notes", json!(notes)),
    ];
    let branch = header.branch_id.map(|branch| ("branch_id", json!(branch)));
    fields.into_iter().chain(branch).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn notes(header: &Header) -> String {
    format!("{} {}", header.order_name, header.reference).trim().to_owned()
}

/// The notes of others, with our reference put back if they took it out.
fn kept_notes(notes_there: &str, header: &Header) -> String {
    match notes_there.trim() {
        "" => notes(header),
        _ if mentions(notes_there, &header.reference) => notes_there.to_owned(),
        _ => format!("{notes_there}\n{}", notes(header)),
    }
}

fn own_rows<'a>(header: &'a Header, billed: &'a [Billed]) -> impl Iterator<Item = Value> + 'a {
    billed.iter().flat_map(move |one| one.rows.iter().map(move |row| own_row(header, one, *row)))
}

fn own_row(header: &Header, billed: &Billed, row: Row) -> Value {
    let tax = |at: usize| billed.taxes.get(at).map(|tax| tax.daftra_id);
    json!({
        "product_id": billed.product_id,
        "item": cut(&billed.title),
        "description": description(billed),
        "unit_price": number(header.currency.decimal(row.unit_price)),
        "quantity": row.units,
        "tax1": tax(0),
        "tax2": tax(1),
        "discount": 0,
        "discount_type": 2,
        "store_id": header.store_id,
    })
}

fn cut(label: &str) -> String {
    label.trim().chars().take(LONGEST_LABEL_CHARS).collect()
}

/// An exact JSON number. serde_json keeps a fraction in binary, which is harmless for an amount: at most 15 decimal
/// digits go in, and the shortest text that names the same binary number, which it prints, is those digits again.
fn number(amount: Decimal) -> Value {
    let digits = amount.normalize().to_string();
    serde_json::from_str(&digits).unwrap_or(Value::String(digits))
}

fn carried_row(row: &Value) -> Value {
    let kept = CARRIED_ROW.into_iter().filter_map(|name| Some((name.to_owned(), row.get(name)?.clone())));
    // Taxes are spelled out even when they are none: an absent tax is taken from the product.
    let unset = ["tax1", "tax2"].map(|name| (name.to_owned(), Value::Null));
    Value::Object(unset.into_iter().chain(kept).collect())
}

/// As a list of label and value, whichever of its forms Daftra gave.
fn custom_fields(raw: &Value) -> Vec<Value> {
    if let Some(Value::Object(fields)) = raw.get("InvoiceCustomField")
        && fields.values().all(|value| !value.is_object())
    {
        return fields.iter().map(|(label, value)| json!({"label": label, "value": value})).collect();
    }
    let fields = list(raw, "InvoiceCustomField");
    fields.into_iter().map(|field| json!({"label": field["label"], "value": field["value"]})).collect()
}

fn list<'a>(raw: &'a Value, name: &str) -> Vec<&'a Value> {
    raw.get(name).and_then(|list| values(list).ok().flatten()).unwrap_or_default()
}

//! Invoices, credit notes and refund receipts: one table, one id space, one way to save.
//!
//! `save` is the only place where a document changes: it computes totals, refuses what stock does not allow, gives ids
//! and numbers, and moves stock. Nothing changes when it refuses.

use super::account::{Account, Series};
use super::money::{Discount, Header, Rate, Row, RowDiscount, Totals, totals};
use super::payment::{self, NewPayment};
use super::refusal::{Reason, Refusal};
use super::stock;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// Sales invoice, type 0.
    Invoice,
    /// Value correction, type 5.
    CreditNote,
    /// Goods come back, type 6.
    RefundReceipt,
}

impl DocumentKind {
    /// Key of the header in requests and answers of v1.
    pub(super) fn wrapper(self) -> &'static str {
        match self {
            DocumentKind::Invoice => "Invoice",
            DocumentKind::CreditNote => "CreditNote",
            DocumentKind::RefundReceipt => "RefundReceipt",
        }
    }

    pub(super) fn type_id(self) -> u8 {
        match self {
            DocumentKind::Invoice => 0,
            DocumentKind::CreditNote => 5,
            DocumentKind::RefundReceipt => 6,
        }
    }

    /// Key of the payments in requests; answers always say `InvoicePayment`.
    pub(super) fn payment_key(self) -> &'static str {
        match self {
            DocumentKind::Invoice => "Payment",
            DocumentKind::CreditNote | DocumentKind::RefundReceipt => "InvoicePayment",
        }
    }

    pub(super) fn noun(self) -> &'static str {
        match self {
            DocumentKind::Invoice => "Invoice",
            DocumentKind::CreditNote => "Credit note",
            DocumentKind::RefundReceipt => "Refund receipt",
        }
    }
}

/// How far the outbound requisition of an invoice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Requisition {
    /// Under delivery; stock has not moved.
    Pending,
    /// Received; stock has moved and the invoice is locked.
    Accepted,
}

/// A document with its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    pub id: u64,
    pub kind: DocumentKind,
    /// The visible number; has no relation to the id.
    pub no: String,
    pub draft: bool,
    pub client_id: u64,
    pub store_id: Option<u64>,
    pub branch_id: Option<u64>,
    /// The invoice that a receipt or credit note belongs to (`subscription_id`).
    pub parent: Option<u64>,
    pub currency: String,
    pub date: Date,
    pub discount: Discount,
    pub shipping: Option<Decimal>,
    pub shipping_tax: Option<Rate>,
    pub items: Vec<Item>,
    pub custom_fields: Vec<CustomField>,
    /// Every other header field that was sent, by its name: `po_number`, `notes`, `terms`…
    pub texts: BTreeMap<String, String>,
    pub totals: Totals,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// When it was deleted; it stays visible in v2.
    pub deleted: Option<Timestamp>,
    pub e_invoice_accepted: bool,
    pub requisition: Option<Requisition>,
    /// How often it was saved.
    pub version: u32,
}

impl Document {
    /// A header field kept as text, or the empty text.
    pub fn text(&self, name: &str) -> &str {
        self.texts.get(name).map_or("", String::as_str)
    }

    /// Issued and not deleted: it counts.
    pub fn counts(&self) -> bool {
        !self.draft && self.deleted.is_none()
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    pub id: u64,
    pub item: String,
    pub description: String,
    pub product_id: Option<u64>,
    pub store_id: Option<u64>,
    pub unit_price: Decimal,
    pub quantity: Decimal,
    pub discount: RowDiscount,
    /// `tax1` and `tax2`.
    pub taxes: [Option<Rate>; 2],
}

/// A custom field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomField {
    pub label: String,
    pub value: String,
}

/// Saves a new document (id 0) or the next version of one; `payments` replace the existing ones when given.
pub(super) fn save(
    account: &mut Account,
    mut document: Document,
    payments: Option<Vec<NewPayment>>,
    now: Timestamp,
) -> Result<u64, Refusal> {
    document.totals = sums(account, &document);
    if matches!(document.discount, Discount::Amount(_)) && document.totals.discount > document.totals.subtotal {
        return Err(Refusal::field("discount_amount", Reason::OutOfRange));
    }
    if account.setup().requisitions && document.kind == DocumentKind::Invoice && document.requisition.is_none() {
        let moves = stock::movements(account, &document).next().is_some();
        document.requisition = moves.then_some(Requisition::Pending);
    }
    stock::enough(account, &document)?;
    document.e_invoice_accepted |=
        account.setup().e_invoices && document.kind == DocumentKind::Invoice && !document.draft;

    let before = account.documents.get(&document.id);
    let issued_now = before.is_some_and(|old| old.draft && !document.draft && old.no == document.no);
    if document.no.is_empty() || issued_now {
        document.no = match document.draft {
            true => format!("draft-{:06}", account.next(Series::Draft)),
            false => format!("{:06}", account.next(Series::Number(document.kind))),
        };
    }
    if document.id == 0 {
        document.id = account.next(Series::Document);
    }
    for item in document.items.iter_mut().filter(|item| item.id == 0) {
        item.id = account.next(Series::Item);
    }
    document.modified = now;
    document.version += 1;
    let id = document.id;
    account.documents.insert(id, document);
    stock::repost(account, id, now);
    if let Some(payments) = payments {
        account.payments.retain(|_, payment| payment.document_id != id);
        for new in payments {
            payment::add(account, id, new, now);
        }
    }
    Ok(id)
}

fn sums(account: &Account, document: &Document) -> Totals {
    let rows: Vec<Row<'_>> = (document.items.iter())
        .map(|item| Row {
            unit_price: item.unit_price,
            quantity: item.quantity,
            discount: item.discount,
            taxes: item.taxes.each_ref().map(Option::as_ref),
        })
        .collect();
    let header = Header {
        discount: document.discount,
        shipping: document.shipping.unwrap_or_default(),
        shipping_tax: document.shipping_tax.as_ref(),
    };
    totals(&rows, &header, account.setup())
}

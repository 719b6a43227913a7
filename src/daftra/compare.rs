//! What Daftra holds against what we wrote.
//!
//! Rows are matched as a multiset, for Daftra gives rows new ids with every change and titles are nobody's key. Our rows
//! carry a mark, so a row of ours that should not be there (any more) is told from one that others added: theirs is no
//! difference, but then the total is theirs too. Where no row has a mark, Daftra dropped them, and every row counts as
//! ours.

use rust_decimal::Decimal;

use super::wire::{RemoteDocument, RemoteItem, RemotePayment};
use crate::domain::draft::Draft;
use crate::domain::invoice::{Billed, Header, InvoiceDraft, Row, shop_totals};
use crate::domain::money::Amount;
use crate::domain::payment::PaymentDraft;
use crate::domain::reason::{Difference, DifferenceKind};

/// Every difference that a person should see. `tolerance` is what the account's own rounding may move the total.
#[must_use]
pub fn compare(draft: &Draft, remote: &RemoteDocument, tolerance: Amount) -> Vec<Difference> {
    let header = draft.header();
    if let Draft::Invoice(invoice) = draft
        && invoice.has_rows_of_others()
    {
        return compare_total(invoice, remote, tolerance);
    }
    let matched = match_rows(header, draft.billed(), remote);
    let only_ours = matched.is_own.iter().all(|own| *own) && matched.missing.is_empty() && !remote.is_adjusted;
    let mut differences = compare_header(header, remote);
    differences.extend(matched.missing);
    let total = header.currency.decimal(shop_totals(draft.billed()).total);
    if only_ours && (remote.total - total).abs() > header.currency.decimal(tolerance.abs()) {
        differences.push(difference(DifferenceKind::Total, &total, &remote.total.normalize()));
    }
    differences
}

/// Of an invoice that others made, and nothing was written on yet: whether it still comes to what the order does.
fn compare_total(draft: &InvoiceDraft, remote: &RemoteDocument, tolerance: Amount) -> Vec<Difference> {
    let mut differences = compare_header(&draft.header, remote);
    // A row names its warehouse; the header may name none.
    differences.retain(|difference| difference.what != DifferenceKind::Store);
    let total = draft.header.currency.decimal(shop_totals(&draft.billed).total);
    if (remote.total - total).abs() > draft.header.currency.decimal(tolerance.abs()) {
        differences.push(difference(DifferenceKind::Total, &total, &remote.total.normalize()));
    }
    differences
}

/// Every difference of a payment. How much of it is Daftra's rounding was decided when it was made.
#[must_use]
pub fn compare_payment(draft: &PaymentDraft, remote: &RemotePayment) -> Vec<Difference> {
    let amount = draft.header.currency.decimal(draft.amount);
    let mut differences = Vec::new();
    let counted = if remote.is_completed { remote.amount } else { Decimal::ZERO };
    if counted != amount {
        differences.push(difference(DifferenceKind::Amount, &amount, &counted.normalize()));
    }
    if !remote.method.eq_ignore_ascii_case(&draft.method) {
        differences.push(difference(DifferenceKind::Method, &draft.method, &remote.method));
    }
    differences
}

/// What others paid on an invoice, as far as the answer says. Ours, also those of another life of the database, carry a
/// reference of the order.
#[must_use]
pub fn paid_by_others(draft: &InvoiceDraft, remote: &RemoteDocument) -> Option<Decimal> {
    let family = draft.header.reference.rsplit_once('-').map_or("", |(family, _)| family);
    let is_ours = |payment: &&RemotePayment| payment.transaction_id.trim().starts_with(family);
    let payments = remote.payments.as_ref()?.iter();
    Some(payments.filter(|payment| !is_ours(payment)).map(|payment| payment.amount).sum())
}

/// Payments of others that were there when our PUT was sent and are not any more.
#[must_use]
pub fn lost_payments(draft: &InvoiceDraft, remote: &RemoteDocument) -> Option<Difference> {
    let (before, now) = (draft.paid_by_others, paid_by_others(draft, remote)?);
    (now < before).then(|| difference(DifferenceKind::Paid, &before.normalize(), &now.normalize()))
}

/// Whose rows the rows in Daftra are.
pub(super) struct Matched {
    /// For each row in Daftra: it is one of ours.
    pub is_own: Vec<bool>,
    /// Our rows that are not there, and rows of ours that should not be.
    pub missing: Vec<Difference>,
}

pub(super) fn match_rows(header: &Header, billed: &[Billed], remote: &RemoteDocument) -> Matched {
    let mut is_own = vec![false; remote.items.len()];
    let mut lost = Vec::new();
    for (billed, row) in billed.iter().flat_map(|one| one.rows.iter().map(move |row| (one, *row))) {
        let ours = Key::ours(header, billed, row);
        let is_it = |(at, item): (usize, &RemoteItem)| !is_own[at] && Key::theirs(remote, item).as_ref() == Some(&ours);
        match remote.items.iter().enumerate().position(is_it) {
            Some(at) => is_own[at] = true,
            None => lost.push(ours),
        }
    }
    // What is left of the same product is most likely what became of the row.
    let mut left: Vec<&RemoteItem> =
        remote.items.iter().zip(&is_own).filter(|(_, own)| !**own).map(|(item, _)| item).collect();
    let missing = lost.into_iter().map(|ours| {
        let changed = left.iter().position(|item| ours.product_id.is_some() && item.product_id == ours.product_id);
        let daftra = changed.map_or_else(|| "-".to_owned(), |at| print(left.swap_remove(at)));
        Difference { what: DifferenceKind::Row, ours: ours.to_string(), daftra }
    });
    let mut missing: Vec<Difference> = missing.collect();
    let marks_are_kept = remote.items.iter().any(|item| item.is_marked);
    let surplus = left.into_iter().filter(|item| item.is_marked || !marks_are_kept);
    missing.extend(surplus.map(|item| Difference {
        what: DifferenceKind::Row,
        ours: "-".to_owned(),
        daftra: print(item),
    }));
    Matched { is_own, missing }
}

pub(super) fn compare_header(header: &Header, remote: &RemoteDocument) -> Vec<Difference> {
    let mut differences = Vec::new();
    let shown = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    if remote.client_id != Some(header.client_id) {
        differences.push(difference(DifferenceKind::Client, &header.client_id, &shown(remote.client_id)));
    }
    if remote.store_id != Some(header.store_id) {
        differences.push(difference(DifferenceKind::Store, &header.store_id, &shown(remote.store_id)));
    }
    if !remote.currency.eq_ignore_ascii_case(header.currency.code()) {
        differences.push(difference(DifferenceKind::Currency, &header.currency, &remote.currency));
    }
    // Our drafts are there for a person to issue, so an issued draft is as it should be.
    if remote.is_draft && !header.draft {
        differences.push(difference(DifferenceKind::Draft, &"issued", &"draft"));
    }
    differences
}

fn difference(what: DifferenceKind, ours: &dyn ToString, daftra: &dyn ToString) -> Difference {
    Difference { what, ours: ours.to_string(), daftra: daftra.to_string() }
}

/// What makes two rows the same.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    product_id: Option<i64>,
    units: Decimal,
    unit_price: Decimal,
    taxes: Vec<i64>,
    store_id: i64,
}

impl Key {
    fn ours(header: &Header, billed: &Billed, row: Row) -> Self {
        Self {
            product_id: billed.product_id,
            units: row.units.into(),
            unit_price: header.currency.decimal(row.unit_price),
            taxes: sorted(billed.taxes.iter().map(|tax| tax.daftra_id)),
            store_id: header.store_id,
        }
    }

    /// None: a row that cannot be ours, for we write no discounts and always a store.
    fn theirs(remote: &RemoteDocument, item: &RemoteItem) -> Option<Self> {
        let store_id = item.store_id.or(remote.store_id)?;
        item.discount.is_zero().then(|| Self {
            product_id: item.product_id,
            units: item.quantity,
            unit_price: item.unit_price,
            taxes: sorted(item.tax1.into_iter().chain(item.tax2)),
            store_id,
        })
    }
}

fn sorted(taxes: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut taxes: Vec<i64> = taxes.collect();
    taxes.sort_unstable();
    taxes
}

/// As facts, in no language: `33: 2 x 12.50 [1] @ 4` is product, units, price, taxes and store.
impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let product = self.product_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        write!(f, "{product}: {} x {} {:?} @ {}", self.units, self.unit_price, self.taxes, self.store_id)
    }
}

fn print(item: &RemoteItem) -> String {
    let id = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let taxes = sorted(item.tax1.into_iter().chain(item.tax2));
    let (units, price) = (item.quantity.normalize(), item.unit_price.normalize());
    let discount = if item.discount.is_zero() { String::new() } else { format!(" -{}", item.discount.normalize()) };
    format!("{}: {units} x {price}{discount} {taxes:?} @ {}", id(item.product_id), id(item.store_id))
}

//! Stock: every movement is a row, a balance is the sum of rows.
//!
//! The rows of a document are taken back and written anew whenever it is saved; deleted and draft documents have none.

use super::account::{Account, Series};
use super::document::{Document, DocumentKind, Requisition};
use super::refusal::{Reason, Refusal};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::BTreeMap;

/// One movement, processed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockTransaction {
    pub id: u64,
    pub product_id: u64,
    pub store_id: u64,
    /// Positive: in; negative: out.
    pub quantity: Decimal,
    pub price: Decimal,
    /// 1 by hand, 2 invoice, 4 credit note, 6 refund receipt.
    pub source_type: u8,
    /// The document it belongs to.
    pub order_id: Option<u64>,
    /// The row it belongs to.
    pub ref_id: Option<u64>,
    pub date: Timestamp,
}

impl Account {
    /// Brings stock in (or out, if negative) by hand.
    pub fn add_stock(&mut self, product_id: u64, store_id: u64, quantity: Decimal, now: Timestamp) {
        let id = self.next(Series::Stock);
        self.stock.push(StockTransaction {
            id,
            product_id,
            store_id,
            quantity,
            price: Decimal::ZERO,
            source_type: 1,
            order_id: None,
            ref_id: None,
            date: now,
        });
    }

    /// What lies in this store.
    pub fn stock(&self, product_id: u64, store_id: u64) -> Decimal {
        self.balances(product_id).get(&store_id).copied().unwrap_or_default()
    }

    /// What lies where, by store.
    pub fn balances(&self, product_id: u64) -> BTreeMap<u64, Decimal> {
        let mut balances = BTreeMap::new();
        for row in self.stock.iter().filter(|row| row.product_id == product_id) {
            *balances.entry(row.store_id).or_default() += row.quantity;
        }
        balances
    }

    /// Every movement in the order written.
    pub fn stock_transactions(&self) -> &[StockTransaction] {
        &self.stock
    }
}

/// What a document means for the stock, once it is issued and, where that is asked for, its requisition accepted.
pub(super) fn movements<'a>(
    account: &'a Account,
    document: &'a Document,
) -> impl Iterator<Item = StockTransaction> + 'a {
    let source = match document.kind {
        DocumentKind::Invoice => Some((2, Decimal::NEGATIVE_ONE)),
        DocumentKind::CreditNote => account.setup().credit_note_stock.then_some((4, Decimal::ONE)),
        DocumentKind::RefundReceipt => Some((6, Decimal::ONE)),
    };
    let source = source.filter(|_| document.counts());
    let primary = account.stores.values().find(|store| store.primary).or(account.stores.values().next());
    document.items.iter().filter_map(move |item| {
        let (source_type, sign) = source?;
        let product = account.products.get(&item.product_id?).filter(|product| product.track_stock)?;
        Some(StockTransaction {
            id: 0,
            product_id: product.id,
            store_id: item.store_id.or(document.store_id).or(primary.map(|store| store.id))?,
            quantity: item.quantity * sign,
            price: item.unit_price,
            source_type,
            order_id: Some(document.id),
            ref_id: Some(item.id),
            date: document.modified,
        })
    })
}

/// Refuses a document that takes more than there is, unless the account allows it.
pub(super) fn enough(account: &Account, document: &Document) -> Result<(), Refusal> {
    if account.setup().negative_stock || document.requisition == Some(Requisition::Pending) {
        return Ok(());
    }
    let mut after: BTreeMap<(u64, u64), Decimal> = BTreeMap::new();
    for row in movements(account, document).filter(|row| row.quantity.is_sign_negative()) {
        let left = after.entry((row.product_id, row.store_id)).or_insert_with(|| {
            let others = account.stock.iter().filter(|other| other.order_id != Some(document.id));
            let here = others.filter(|other| (other.product_id, other.store_id) == (row.product_id, row.store_id));
            here.map(|other| other.quantity).sum()
        });
        *left += row.quantity;
        if left.is_sign_negative() && !left.is_zero() {
            return Err(Refusal::field("quantity", Reason::NotEnough));
        }
    }
    Ok(())
}

/// Takes back what the document moved and moves what it says now.
pub(super) fn repost(account: &mut Account, document_id: u64, now: Timestamp) {
    account.stock.retain(|row| row.order_id != Some(document_id));
    let Some(document) = account.documents.get(&document_id) else { return };
    if document.requisition == Some(Requisition::Pending) {
        return;
    }
    for row in movements(account, document).collect::<Vec<_>>() {
        let id = account.next(Series::Stock);
        account.stock.push(StockTransaction { id, date: now, ..row });
    }
}

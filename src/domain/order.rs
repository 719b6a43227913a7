//! A Shopify order as we understand it: the newest snapshot, and the facts that never go back.
//!
//! The snapshot may be replaced by a newer one. Facts (refunds, transactions, a cancellation, a deletion) are collected
//! from every body that mentions them, also from an older one, so the order in which deliveries arrive does not matter.
//! All amounts are in the shop's currency.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::{Amount, Currency};

/// The order that Shopify's "Send test notification" always sends; its sums do not add up and nobody bought it.
pub const SAMPLE_ORDER: i64 = 820_982_911_946_154_508;

/// Everything known about one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub snapshot: Snapshot,
    pub facts: Facts,
}

/// The order as the newest body shows it; only what the planner reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: i64,
    /// `#1042`: shown to people, never a key (merchants may change or repeat it).
    pub name: String,
    pub currency: Currency,
    /// Line and shipping prices contain the tax.
    pub taxes_included: bool,
    pub test: bool,
    /// `web`, `pos`, `shopify_draft_order` or an app id.
    pub source: String,
    /// As written by the shop.
    #[serde(default)]
    pub tags: Vec<String>,
    pub gateways: Vec<String>,
    pub payment: PaymentStatus,
    pub fulfillment: FulfillmentStatus,
    pub created_at: Timestamp,
    /// The business date; imports put it before `created_at`.
    pub processed_at: Timestamp,
    pub lines: Vec<Line>,
    pub shipping: Vec<Shipping>,
    pub total_price: Amount,
    pub total_tax: Amount,
    /// What the lines are worth now, less what edits and refunds took off, in the terms of the prices; nothing in old bodies.
    #[serde(default)]
    pub current_subtotal: Option<Amount>,
    /// Tips that are not shown as lines.
    pub tip: Amount,
    pub duties: Amount,
    pub fees: Amount,
    pub cash_rounding: Amount,
    /// Goods were exchanged for others: for these lines, as far as the shop names them.
    #[serde(default)]
    pub exchanged: Option<BTreeSet<i64>>,
    /// The refund records this body contained: the others in [`Facts`] are newer than the snapshot's quantities.
    pub refunds_seen: BTreeSet<i64>,
}

impl Order {
    /// The same goods at no price, for documents that move stock only. What moved no goods is no part of it.
    #[must_use]
    pub fn without_prices(&self) -> Self {
        let mut order = self.clone();
        let Snapshot { lines, shipping, total_price, total_tax, tip, duties, fees, cash_rounding, .. } =
            &mut order.snapshot;
        for line in lines {
            (line.unit_price, line.discount) = (Amount::ZERO, Amount::ZERO);
            line.taxes.clear();
        }
        shipping.clear();
        for amount in [total_price, total_tax, tip, duties, fees, cash_rounding] {
            *amount = Amount::ZERO;
        }
        order.facts.refunds.retain(|_, refund| !refund.lines.is_empty());
        for refund in order.facts.refunds.values_mut() {
            for line in &mut refund.lines {
                (line.subtotal, line.tax) = (Amount::ZERO, Amount::ZERO);
            }
            refund.shipping.clear();
            refund.adjustments.clear();
            refund.has_duties = false;
        }
        order
    }
}

/// Where the money of the order stands, in Shopify's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    Pending,
    Authorized,
    PartiallyPaid,
    Paid,
    PartiallyRefunded,
    Refunded,
    Voided,
    Expired,
    /// Absent, or a word we do not know.
    Unknown,
}

impl PaymentStatus {
    /// The whole amount was received at some time.
    #[must_use]
    pub fn was_paid_in_full(self) -> bool {
        match self {
            Self::Paid | Self::PartiallyRefunded | Self::Refunded => true,
            Self::Pending | Self::Authorized | Self::PartiallyPaid | Self::Voided | Self::Expired | Self::Unknown => {
                false
            }
        }
    }
}

/// How much was shipped, in Shopify's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    Nothing,
    Partial,
    Fulfilled,
    Restocked,
    Unknown,
}

/// One line item. Amounts are line totals unless they say "unit".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub id: i64,
    pub variant_id: Option<i64>,
    pub sku: String,
    /// As written by the shop; empty when the line has none.
    pub vendor: String,
    pub title: String,
    /// Units ever ordered: refunds and removals never lower it.
    pub quantity: i64,
    /// Units left after edits and refunds; absent in bodies before 2024.
    pub current_quantity: Option<i64>,
    pub unit_price: Amount,
    /// Sum of the line's `discount_allocations`, for the full quantity.
    pub discount: Amount,
    pub taxes: Vec<TaxLine>,
    pub gift_card: bool,
    pub tip: bool,
}

impl Line {
    /// Price times quantity less discounts; with tax if the order's prices contain it.
    #[must_use]
    pub fn net(&self) -> Amount {
        Amount(self.unit_price.0 * self.quantity) - self.discount
    }

    #[must_use]
    pub fn tax(&self) -> Amount {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }
}

/// One tax on a line or on shipping. The amount is copied, never computed from the rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    pub title: String,
    /// 0.15 is fifteen percent.
    pub rate: Decimal,
    pub amount: Amount,
}

/// One shipping line that was not removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    pub id: i64,
    pub title: String,
    pub price: Amount,
    pub discount: Amount,
    pub taxes: Vec<TaxLine>,
}

impl Shipping {
    #[must_use]
    pub fn net(&self) -> Amount {
        self.price - self.discount
    }

    #[must_use]
    pub fn tax(&self) -> Amount {
        self.taxes.iter().map(|tax| tax.amount).sum()
    }
}

/// What never goes back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub refunds: BTreeMap<i64, Refund>,
    pub transactions: BTreeMap<i64, Transaction>,
    pub cancelled: Option<Cancelled>,
    pub deleted: bool,
}

impl Facts {
    /// Takes in everything another body knew. The result does not depend on which came first.
    pub fn merge(&mut self, other: Self) {
        for (id, refund) in other.refunds {
            match self.refunds.get_mut(&id) {
                Some(known) => known.merge(refund),
                None => drop(self.refunds.insert(id, refund)),
            }
        }
        for (id, transaction) in other.transactions {
            merge_transaction(&mut self.transactions, id, transaction);
        }
        self.cancelled = match (self.cancelled, other.cancelled) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.deleted |= other.deleted;
    }

    /// What came in, less change; `None` if a movement is not in the order's currency.
    #[must_use]
    pub fn received(&self, currency: Currency) -> Option<Amount> {
        let came =
            self.transactions.values().filter(|t| t.status == TransactionStatus::Success).map(|t| match t.kind {
                TransactionKind::Capture | TransactionKind::Sale => t.amount_in(currency),
                TransactionKind::Change => t.amount_in(currency).map(|change| -change),
                TransactionKind::Authorization
                | TransactionKind::Void
                | TransactionKind::Refund
                | TransactionKind::Other => Some(Amount::ZERO),
            });
        came.sum()
    }

    /// The successful movements of money into the shop.
    #[must_use]
    pub fn money_was_received(&self) -> bool {
        self.transactions.values().any(|t| t.status == TransactionStatus::Success && t.kind.brings_money())
    }
}

/// The further status stays; what else may differ is decided by order, so that it does not matter which came first.
fn merge_transaction(known: &mut BTreeMap<i64, Transaction>, id: i64, new: Transaction) {
    match known.get_mut(&id) {
        Some(old) if (old.status, &*old) >= (new.status, &new) => {}
        Some(old) => *old = new,
        None => drop(known.insert(id, new)),
    }
}

/// When the order was cancelled, by the shop's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cancelled {
    pub at: Timestamp,
}

/// One refund record: goods, shipping, adjustments and the money that moved, if any did.
/// An edit that removes units leaves such a record too, without money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    pub id: i64,
    pub created_at: Timestamp,
    pub lines: Vec<RefundLine>,
    pub shipping: Vec<RefundShipping>,
    pub adjustments: Vec<Adjustment>,
    pub has_duties: bool,
    /// The record belongs to a return the customer asked for.
    pub is_return: bool,
    pub transactions: BTreeMap<i64, Transaction>,
}

impl Refund {
    /// The same record from another body. Its money may advance; of the rest the body that says more counts.
    fn merge(&mut self, other: Self) {
        self.created_at = self.created_at.min(other.created_at);
        keep_greater(&mut self.lines, other.lines);
        keep_greater(&mut self.shipping, other.shipping);
        keep_greater(&mut self.adjustments, other.adjustments);
        self.has_duties |= other.has_duties;
        self.is_return |= other.is_return;
        for (id, transaction) in other.transactions {
            merge_transaction(&mut self.transactions, id, transaction);
        }
    }

    /// Money went back, or is on its way.
    #[must_use]
    pub fn has_money(&self) -> bool {
        self.transactions.values().any(Transaction::goes_back)
    }

    /// The same record without the money beside its goods and shipping.
    #[must_use]
    pub fn for_goods(&self) -> Self {
        let adjustments = self.adjustments.iter().filter(|adjustment| adjustment.is_shipping).cloned().collect();
        Self { adjustments, ..self.clone() }
    }

    /// Its money is on its way, and may still stay.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.transactions.values().any(|t| t.kind == TransactionKind::Refund && t.status == TransactionStatus::Pending)
    }

    /// The money that surely went back; `None` if some is not in the order's currency.
    #[must_use]
    pub fn paid_out(&self, currency: Currency) -> Option<Amount> {
        let went = |t: &&Transaction| t.kind == TransactionKind::Refund && t.status == TransactionStatus::Success;
        self.transactions.values().filter(went).map(|t| t.amount_in(currency)).sum()
    }
}

fn keep_greater<T: Ord>(known: &mut T, new: T) {
    if *known < new {
        *known = new;
    }
}

/// Goods of one line in a refund record. Amounts are totals for these units, without the tax if prices exclude it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundLine {
    pub line_id: i64,
    pub quantity: i64,
    pub restock: Restock,
    pub subtotal: Amount,
    pub tax: Amount,
}

/// What became of refunded goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restock {
    /// The goods are gone: their stock stays out.
    NoRestock,
    /// They never left.
    Cancel,
    /// They came back.
    Return,
    LegacyRestock,
}

/// Shipping given back, as a `refund_shipping_lines` entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RefundShipping {
    pub shipping_id: i64,
    pub subtotal: Amount,
    pub tax: Amount,
}

/// Money of a refund that no goods explain; negative means more money to the customer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Adjustment {
    pub is_shipping: bool,
    pub amount: Amount,
    pub tax: Amount,
}

/// One movement of money. Its currency may differ from the order's, hence the decimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transaction {
    pub id: i64,
    pub kind: TransactionKind,
    pub status: TransactionStatus,
    pub gateway: String,
    pub amount: Decimal,
    /// As written; test bodies carry none.
    pub currency: String,
    pub at: Option<Timestamp>,
}

impl Transaction {
    /// Money that went back, or is on its way.
    #[must_use]
    pub fn goes_back(&self) -> bool {
        self.kind == TransactionKind::Refund
            && !matches!(self.status, TransactionStatus::Failure | TransactionStatus::Error)
    }

    /// The amount in minor units of the order's currency; `None` in another, or in parts of a minor unit. Where no
    /// currency is named the shop's is meant.
    #[must_use]
    pub fn amount_in(&self, currency: Currency) -> Option<Amount> {
        let is_own = self.currency.trim().is_empty() || Currency::parse(&self.currency) == Some(currency);
        is_own.then(|| currency.amount(self.amount).ok()).flatten()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionKind {
    Authorization,
    Capture,
    Sale,
    Void,
    Refund,
    Change,
    Other,
}

impl TransactionKind {
    fn brings_money(self) -> bool {
        match self {
            Self::Capture | Self::Sale => true,
            Self::Authorization | Self::Void | Self::Refund | Self::Change | Self::Other => false,
        }
    }
}

/// From the least certain to the one that no other body can take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    Pending,
    Error,
    Failure,
    Success,
}

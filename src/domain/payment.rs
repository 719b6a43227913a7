//! Money: where it stands for an order, and a payment as we want it in Daftra.
//!
//! Money is a successful sale or capture, less the change handed out; an authorization is a promise, a void its end.
//! What was received is never rounded: an order that is paid short or over says so. Which payments an order needs, and
//! what becomes of them, is decided in `collect`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::invoice::Header;
use super::money::Amount;
use super::order::{Order, PaymentStatus, Refund, Snapshot, Transaction, TransactionKind, TransactionStatus};

/// A payment as we want it in Daftra: on the invoice, or, when money went back, on the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDraft {
    /// Its parent's, with the payment's own reference and date.
    pub header: Header,
    pub cause: Cause,
    pub at: Timestamp,
    /// The same moment in the merchant's time zone.
    pub clock: DateTime,
    /// Below zero: an over-payment that went back.
    pub amount: Amount,
    /// What of the amount is no money but Daftra's own rounding of the invoice, which the last payment takes along.
    pub rounding: Amount,
    /// The transactions it stands for: the sale or capture, and what was handed out or given back before it was sent.
    pub covers: BTreeSet<i64>,
    /// The shop's word for the way it was paid; several only where all of them are booked alike.
    pub gateway: String,
    /// Slug of Daftra's payment method.
    pub method: String,
    /// `None`: the method's own.
    pub treasury_id: Option<i64>,
    /// It was in Daftra and went with a PUT of ours. The money was received, so it comes back as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

impl PaymentDraft {
    /// What moved in the shop.
    #[must_use]
    pub fn money(&self) -> Amount {
        self.amount - self.rounding
    }
}

/// What a payment answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A movement of money that the shop told of.
    Transaction(i64),
    /// The shop said that the order is paid, for the so-manieth time, and named no movement for it.
    Paid(u32),
}

impl Cause {
    /// The payment's place in the ledger of its order.
    #[must_use]
    pub fn source_key(self) -> String {
        match self {
            Self::Transaction(id) => format!("transaction/{id}"),
            Self::Paid(1) => "paid".to_owned(),
            Self::Paid(time) => format!("paid/{time}"),
        }
    }
}

/// Where the money of an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoneyState {
    Pending,
    Authorized,
    PartiallyPaid,
    Paid,
    Overpaid,
    PartiallyRefunded,
    Refunded,
    Voided,
    Expired,
}

impl MoneyState {
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::Authorized,
        Self::PartiallyPaid,
        Self::Paid,
        Self::Overpaid,
        Self::PartiallyRefunded,
        Self::Refunded,
        Self::Voided,
        Self::Expired,
    ];
}

/// The money of an order in sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    pub state: MoneyState,
    /// What the order costs now.
    pub total: Amount,
    /// Without the change handed out. By the shop's word alone where no transaction is known.
    pub received: Amount,
    pub given_back: Amount,
}

impl Money {
    /// What the customer still owes; below zero, what the customer paid too much.
    #[must_use]
    pub fn unpaid(&self) -> Amount {
        self.total - (self.received - self.given_back)
    }
}

/// Where the money stands: by the successful transactions where any is known, else by the shop's word.
#[must_use]
pub fn money(order: &Order) -> Money {
    let total = costs_now(order);
    let known = movements(order);
    let sum = |is_meant: fn(TransactionKind) -> bool| -> Amount {
        let meant = known.values().filter(|movement| is_meant(movement.kind));
        meant.filter_map(|movement| movement.amount_in(order.snapshot.currency)).sum()
    };
    let received = sum(brings_money) - sum(|kind| kind == TransactionKind::Change);
    let given_back = sum(|kind| kind == TransactionKind::Refund);
    let has = |kind| known.values().any(|movement| movement.kind == kind);
    if known.values().any(|movement| brings_money(movement.kind)) {
        return Money { state: by_sums(total, received, given_back), total, received, given_back };
    }
    let state = match (by_word(&order.snapshot), has(TransactionKind::Void), has(TransactionKind::Authorization)) {
        (MoneyState::Pending, true, _) => MoneyState::Voided,
        (MoneyState::Pending, false, true) => MoneyState::Authorized,
        (state, ..) => state,
    };
    let received = match state {
        MoneyState::Paid | MoneyState::Overpaid => total,
        MoneyState::PartiallyRefunded | MoneyState::Refunded => total + given_back,
        MoneyState::Pending
        | MoneyState::Authorized
        | MoneyState::PartiallyPaid
        | MoneyState::Voided
        | MoneyState::Expired => Amount::ZERO,
    };
    Money { state, total, received, given_back }
}

/// Whether all that it cost was paid at some time, by the transactions that the shop told of. `None`: it told of no money
/// that came, or of some in another currency.
#[must_use]
pub fn was_paid_in_full(order: &Order) -> Option<bool> {
    let Order { snapshot, facts } = order;
    let received = facts.received(snapshot.currency).filter(|_| facts.money_was_received())?;
    Some(received >= snapshot.total_price || money(order).unpaid() <= Amount::ZERO)
}

fn by_sums(total: Amount, received: Amount, given_back: Amount) -> MoneyState {
    let kept = received - given_back;
    if kept > total.max(Amount::ZERO) {
        MoneyState::Overpaid
    } else if given_back > Amount::ZERO {
        if kept > Amount::ZERO { MoneyState::PartiallyRefunded } else { MoneyState::Refunded }
    } else if kept < total {
        MoneyState::PartiallyPaid
    } else {
        MoneyState::Paid
    }
}

fn by_word(snapshot: &Snapshot) -> MoneyState {
    match snapshot.payment {
        PaymentStatus::Authorized => MoneyState::Authorized,
        PaymentStatus::PartiallyPaid => MoneyState::PartiallyPaid,
        PaymentStatus::Paid => MoneyState::Paid,
        PaymentStatus::PartiallyRefunded => MoneyState::PartiallyRefunded,
        PaymentStatus::Refunded => MoneyState::Refunded,
        PaymentStatus::Voided => MoneyState::Voided,
        PaymentStatus::Expired => MoneyState::Expired,
        PaymentStatus::Pending | PaymentStatus::Unknown => MoneyState::Pending,
    }
}

/// The successful movements, wherever the shop told of them.
#[must_use]
pub fn movements(order: &Order) -> BTreeMap<i64, &Transaction> {
    let of_refunds = order.facts.refunds.values().flat_map(|refund| &refund.transactions);
    let all = order.facts.transactions.iter().chain(of_refunds);
    all.filter(|(_, movement)| movement.status == TransactionStatus::Success).map(|(id, one)| (*id, one)).collect()
}

/// A sale or a capture.
#[must_use]
pub fn brings_money(kind: TransactionKind) -> bool {
    match kind {
        TransactionKind::Capture | TransactionKind::Sale => true,
        TransactionKind::Authorization
        | TransactionKind::Void
        | TransactionKind::Refund
        | TransactionKind::Change
        | TransactionKind::Other => false,
    }
}

/// The order's total less what the refund records took off it. A cancelled order costs nothing any more.
fn costs_now(order: &Order) -> Amount {
    let Order { snapshot, facts } = order;
    if facts.cancelled.is_some() {
        return Amount::ZERO;
    }
    let taken: Amount = facts.refunds.values().map(|refund| worth(refund, snapshot)).sum();
    snapshot.total_price - taken
}

/// What goods and shipping of a record cost the customer, its goods being in the terms of the order's prices.
fn worth(refund: &Refund, snapshot: &Snapshot) -> Amount {
    let (net, tax) = refund
        .lines
        .iter()
        .fold((Amount::ZERO, Amount::ZERO), |(net, tax), line| (net + line.subtotal, tax + line.tax));
    let goods = if snapshot.taxes_included { net } else { net + tax };
    let Some((id, net, tax)) = super::refund::shipping_part(refund) else { return goods };
    let charged = snapshot.shipping.iter().filter(|part| id.is_none_or(|id| part.id == id));
    let charged: Amount = charged.map(|part| part.net()).sum();
    // Whether the tax is in it is told by what it may be at most.
    let has_tax = snapshot.taxes_included && net + tax > charged;
    goods + if has_tax { net } else { net + tax }
}

//! Why an order is ignored, held, waiting or refused: a code and the facts, no prose. `text` has the sentences.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::catalog::Code;
use super::money::{Amount, Currency};

/// Why nothing is to be done for this order, unless it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Ignored {
    /// No line belongs to the merchant.
    NoOwnLines {
        vendors: BTreeSet<String>,
    },
    /// Placed before the merchant went live: booked by hand then.
    BeforeGoLive {
        placed_at: Timestamp,
        live_from: Timestamp,
    },
    /// Paid through a test gateway.
    TestOrder,
    /// Shopify's sample notification.
    Sample,
    /// A sales channel the merchant chose to ignore.
    Source {
        source: String,
    },
    /// A tag by which the merchant chose to ignore orders.
    Tag {
        tag: String,
    },
    /// A person said that there is nothing to do as long as the order stays as it is.
    Dismissed,
    /// A person says that the invoice was deleted in Daftra on purpose.
    InvoiceDeleted {
        reference: String,
    },
    CancelledBeforeInvoice,
    DeletedBeforeInvoice,
    /// All units were removed or refunded before there was an invoice, or policies leave no row.
    NothingToBill,
}

/// Why nothing may run before a time, or before something happens (no time).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Waiting {
    /// A call whose end we never learned: looked up when it can no longer be executed.
    Settling {
        reference: String,
    },
    /// Looked for once and not found; looked for again.
    LookingAgain {
        reference: String,
    },
    /// Cancelled without a refund record, which may still come.
    CancelRecord,
    /// A refund came before the body that explains it: one of its lines, or money for no goods.
    OrderBehind {
        refund: i64,
    },
    /// Money of a refund is on its way, and nothing else tells what the refund is for.
    MoneyUnderWay {
        refund: i64,
    },
    NotPaid,
    NotFulfilled,
    /// Something came after what the shop had said of the order was removed: its next body tells what that means.
    BodyRemoved,
    /// The invoice is there; its goods have not left their warehouse by Daftra's books.
    StockPending {
        reference: String,
        why: BTreeSet<Unmoved>,
    },
}

/// Why Daftra has not taken the goods of an invoice out of its stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmoved {
    /// Nobody issued the invoice yet.
    Draft,
    /// The warehouse has not confirmed its requisition.
    Requisition,
    /// Daftra keeps no stock of this product.
    Untracked(i64),
}

/// Why a person must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Hold {
    UnknownProduct {
        line: String,
        codes: BTreeSet<Code>,
    },
    AmbiguousProduct {
        line: String,
        sku: Code,
        products: BTreeSet<i64>,
    },
    UnknownTax {
        line: String,
        title: String,
        rate: Decimal,
        included: bool,
    },
    /// A line carries several taxes, `A + B` at the rate of their sum, and no rule names them together.
    SeveralTaxes {
        line: String,
        title: String,
        rate: Decimal,
        included: bool,
    },
    CustomLine {
        line: String,
    },
    GiftCard {
        line: String,
    },
    Tip {
        line: String,
    },
    /// Tip, duties, fees or cash rounding beside the lines of an order that is wholly the merchant's.
    ExtraAmount {
        what: Extra,
        amount: Amount,
    },
    /// The order's own sums do not add up.
    AmountsDoNotAddUp {
        expected: Amount,
        found: Amount,
    },
    /// What Daftra would compute is further from the order than the tolerance.
    TotalsDiffer {
        order: Amount,
        daftra: Amount,
        tax_order: Amount,
        tax_daftra: Amount,
        tolerance: Amount,
        /// The things on the document that differ by themselves.
        #[serde(default)]
        lines: Vec<LineDifference>,
    },
    AccountTooCoarse {
        currency: Currency,
        decimals: u32,
    },
    /// A document of this order lies in another Daftra account than the merchant's of today.
    OtherAccount {
        reference: String,
    },
    /// Our books say so many units are left, the shop says otherwise.
    QuantitiesDiffer {
        line: String,
        ours: i64,
        shop: i64,
    },
    CancelledButPaid,
    CancelledAfterShipping,
    /// Goods of a posted order are exchanged for others: titles and units of both sides.
    Exchange {
        back: Vec<(String, i64)>,
        given: Vec<(String, i64)>,
    },
    /// A refund part that cannot be booked without a person.
    RefundPart {
        refund: i64,
        part: RefundPart,
    },
    /// More is refunded than the invoice still holds.
    RefundExceeds {
        refund: i64,
        line: String,
        left: i64,
        refunded: i64,
    },
    /// The receipts take back more than the invoice holds, or would hold after an edit: what is left, below zero.
    Overdrawn {
        line: String,
        units: i64,
        net: Amount,
        tax: Amount,
    },
    /// Nobody said how money of this way of paying is booked; several when the shop does not say which of them it was.
    UnmappedGateway {
        gateways: BTreeSet<String>,
    },
    /// Money in another currency than the shop's, or in parts of its smallest unit.
    ForeignPayment {
        transaction: i64,
        amount: Decimal,
        currency: String,
    },
    /// Money that was paid too much went back to the customer, and the rules leave its booking to a person.
    PayBackByHand {
        refund: i64,
        amount: Amount,
    },
    /// Daftra said no.
    Refused {
        reference: String,
        refusal: Refusal,
    },
    /// Daftra said no, and less is in stock than the document takes.
    NotEnoughStock {
        reference: String,
        shortages: Vec<Shortage>,
    },
    /// The invoice exists and Daftra refuses to change it.
    Locked {
        reference: String,
        refusal: Refusal,
        /// Somebody else's, for which it does not make room for another one by itself.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        payments: BTreeSet<i64>,
    },
    /// Someone deleted the document in Daftra.
    Gone {
        reference: String,
    },
    /// What Daftra holds is not what we wrote.
    ChangedByHand {
        reference: String,
        differences: Vec<Difference>,
    },
    /// More than one document carries the reference.
    SeveralFound {
        reference: String,
        ids: BTreeSet<i64>,
    },
    LookUpFails {
        reference: String,
    },
    /// Sent so often without ever learning the end that a person must look.
    TooManyUnknownSends {
        reference: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    Tip,
    Duties,
    Fees,
    CashRounding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundPart {
    /// Money that neither goods nor shipping explain.
    Adjustment,
    MoneyOnly,
    Duties,
    /// A shipping amount that is not what the invoice carries.
    Shipping,
    /// A line of an edit that never was on the invoice as a whole.
    Line,
    /// More money than all that the documents still hold.
    TooMuch,
}

/// One thing on a document as the order counts it and as Daftra would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDifference {
    pub line: String,
    pub order: Amount,
    pub daftra: Amount,
    pub tax_order: Amount,
    pub tax_daftra: Amount,
}

/// Both sides of one thing that differs between our ledger and Daftra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub what: DifferenceKind,
    pub ours: String,
    pub daftra: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    Row,
    Total,
    Store,
    Draft,
    Client,
    Currency,
    Date,
    /// Goods or money of this invoice went back by documents that are not ours.
    Refunded,
    /// Payments of others went with a PUT of ours.
    Paid,
    Amount,
    Method,
}

/// What Daftra lacks of one product in one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    pub product_id: i64,
    /// As the shop calls it.
    pub title: String,
    pub store_id: i64,
    pub wanted: i64,
    pub available: Decimal,
}

/// Daftra's no, in its own words (redacted); never branched on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    /// Field and complaint.
    pub fields: Vec<(String, String)>,
}

impl Hold {
    /// The code by which holds are grouped and released: what a script sees as `code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownProduct { .. } => "unknown_product",
            Self::AmbiguousProduct { .. } => "ambiguous_product",
            Self::UnknownTax { .. } => "unknown_tax",
            Self::SeveralTaxes { .. } => "several_taxes",
            Self::CustomLine { .. } => "custom_line",
            Self::GiftCard { .. } => "gift_card",
            Self::Tip { .. } => "tip",
            Self::ExtraAmount { .. } => "extra_amount",
            Self::AmountsDoNotAddUp { .. } => "amounts_do_not_add_up",
            Self::TotalsDiffer { .. } => "totals_differ",
            Self::AccountTooCoarse { .. } => "account_too_coarse",
            Self::OtherAccount { .. } => "other_account",
            Self::QuantitiesDiffer { .. } => "quantities_differ",
            Self::CancelledButPaid => "cancelled_but_paid",
            Self::CancelledAfterShipping => "cancelled_after_shipping",
            Self::Exchange { .. } => "exchange",
            Self::UnmappedGateway { .. } => "unmapped_gateway",
            Self::ForeignPayment { .. } => "foreign_payment",
            Self::PayBackByHand { .. } => "pay_back_by_hand",
            Self::RefundPart { .. } => "refund_part",
            Self::RefundExceeds { .. } => "refund_exceeds",
            Self::Overdrawn { .. } => "overdrawn",
            Self::Refused { .. } => "refused",
            Self::NotEnoughStock { .. } => "not_enough_stock",
            Self::Locked { .. } => "locked",
            Self::Gone { .. } => "gone",
            Self::ChangedByHand { .. } => "changed_by_hand",
            Self::SeveralFound { .. } => "several_found",
            Self::LookUpFails { .. } => "look_up_fails",
            Self::TooManyUnknownSends { .. } => "too_many_unknown_sends",
        }
    }

    /// What many orders may be held by alike, so that one act helps them all; empty where each order is its own case.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::UnknownProduct { codes, .. } => codes.first().map_or("", Code::as_str).to_owned(),
            Self::AmbiguousProduct { sku, .. } => sku.as_str().to_owned(),
            Self::UnknownTax { title, rate, .. } | Self::SeveralTaxes { title, rate, .. } => {
                format!("{title} {}", rate.normalize())
            }
            Self::AccountTooCoarse { currency, .. } => currency.code().to_owned(),
            Self::UnmappedGateway { gateways } => gateways.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            Self::ForeignPayment { currency, .. } => currency.clone(),
            Self::Refused { refusal, .. } | Self::Locked { refusal, .. } => refusal.message.clone(),
            Self::NotEnoughStock { shortages, .. } => {
                shortages.first().map(|short| format!("{} @ {}", short.product_id, short.store_id)).unwrap_or_default()
            }
            Self::CustomLine { .. }
            | Self::GiftCard { .. }
            | Self::Tip { .. }
            | Self::ExtraAmount { .. }
            | Self::AmountsDoNotAddUp { .. }
            | Self::TotalsDiffer { .. }
            | Self::OtherAccount { .. }
            | Self::QuantitiesDiffer { .. }
            | Self::CancelledButPaid
            | Self::CancelledAfterShipping
            | Self::Exchange { .. }
            | Self::PayBackByHand { .. }
            | Self::RefundPart { .. }
            | Self::RefundExceeds { .. }
            | Self::Overdrawn { .. }
            | Self::Gone { .. }
            | Self::ChangedByHand { .. }
            | Self::SeveralFound { .. }
            | Self::LookUpFails { .. }
            | Self::TooManyUnknownSends { .. } => String::new(),
        }
    }
}

/// Why an order stands where it stands: stored beside its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Ignored(Ignored),
    Waiting(Waiting),
    Held(Vec<Hold>),
    Failed(Failed),
}

/// Why we gave up; a person's "try again" starts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Failed {
    /// The body could not be read as what its topic says.
    Unreadable { topic: String, path: String, problem: String },
    /// So many tries in a row ended without an answer that counts.
    TooManyFailures { failures: u32, last: String },
    /// The plan did not come to an end: a fault of ours.
    NoEnd,
    /// A panic: a fault of ours, with its text.
    Panicked { text: String },
}

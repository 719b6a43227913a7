//! One order as the shop keeps it, and its sums.
//!
//! `quantity`, allocations and tax of a line are for all units ever ordered and never go down; what went away is in
//! `reductions`. The journal says the same a second time, as signed entries written when something happens: it is the
//! expectation against which others are checked, so nothing printed is computed from it.

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};

use super::cart::{Buyer, LineId, OrderId, Restock};
use super::{Refusal, ShopSetup, Tax};

/// Everything the shop knows about an order.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) number: u64,
    pub(super) token: String,
    pub(super) created_at: Timestamp,
    pub(super) processed_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) cancelled: Option<Cancelled>,
    pub(super) deleted: bool,
    pub(super) buyer: Option<(u64, Buyer)>,
    pub(super) gateway: String,
    pub(super) note: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) source: String,
    pub(super) test: bool,
    pub(super) lines: Vec<Line>,
    pub(super) shipping: Option<ShippingLine>,
    /// Import duties the buyer paid at the till; no line shows them.
    pub(super) duties: Decimal,
    /// Paid beyond the total for want of small coins.
    pub(super) cash_rounding: Decimal,
    pub(super) applications: Vec<Application>,
    pub(super) transactions: Vec<Transaction>,
    pub(super) records: Vec<Record>,
    pub(super) reductions: Vec<Reduction>,
    pub(super) fulfilments: Vec<Fulfilment>,
    pub(super) journal: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(super) struct Cancelled {
    pub(super) at: Timestamp,
    pub(super) reason: String,
    pub(super) restocked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    Goods,
    GiftCard,
    Tip,
}

#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: LineId,
    pub(super) kind: LineKind,
    /// Product and variant; custom items have none.
    pub(super) source: Option<(u64, u64)>,
    pub(super) sku: Option<String>,
    pub(super) vendor: Option<String>,
    pub(super) title: String,
    pub(super) variant_title: Option<String>,
    pub(super) price: Decimal,
    pub(super) taxable: bool,
    pub(super) quantity: u32,
    pub(super) to_ship: u32,
    pub(super) allocations: Vec<Allocation>,
    pub(super) taxes: Vec<TaxLine>,
}

/// A tax and what it comes to.
#[derive(Debug, Clone)]
pub(super) struct TaxLine {
    pub(super) tax: Tax,
    pub(super) amount: Decimal,
}

fn total_tax(taxes: &[TaxLine]) -> Decimal {
    taxes.iter().map(|line| line.amount).sum()
}

impl Line {
    pub(super) fn discount(&self) -> Decimal {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    /// The line as ordered, before anything went away.
    pub(super) fn whole(&self) -> Share {
        let discount = self.discount();
        Share {
            units: self.quantity,
            net: self.price * Decimal::from(self.quantity) - discount,
            tax: total_tax(&self.taxes),
            discount,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Allocation {
    pub(super) application: usize,
    pub(super) amount: Decimal,
}

#[derive(Debug, Clone)]
pub(super) struct ShippingLine {
    pub(super) id: u64,
    pub(super) price: Decimal,
    pub(super) allocations: Vec<Allocation>,
    pub(super) taxes: Vec<TaxLine>,
}

impl ShippingLine {
    pub(super) fn discount(&self) -> Decimal {
        self.allocations.iter().map(|allocation| allocation.amount).sum()
    }

    pub(super) fn net(&self) -> Decimal {
        self.price - self.discount()
    }

    pub(super) fn tax(&self) -> Decimal {
        total_tax(&self.taxes)
    }
}

/// A discount as granted: what `discount_applications` says.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) discount: super::cart::Discount,
    pub(super) amount: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransactionKind {
    Sale,
    Authorization,
    Capture,
    Void,
    Refund,
}

/// Only a success is money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TransactionStatus {
    Success,
    Pending,
    Failure,
}

/// Money that moved, was reserved, is on its way, or did not come.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    pub(super) id: u64,
    pub(super) kind: TransactionKind,
    pub(super) status: TransactionStatus,
    pub(super) amount: Decimal,
    pub(super) at: Timestamp,
    pub(super) parent: Option<u64>,
}

/// An element of `refunds[]`, whether or not money moved.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    pub(super) note: Option<String>,
    pub(super) shipping: Option<ShippingBack>,
    pub(super) discrepancies: Vec<Discrepancy>,
    pub(super) transaction: Option<u64>,
}

/// Positive: the buyer got less than goods and shipping were worth; negative: more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Discrepancy {
    pub(super) id: u64,
    pub(super) amount: Decimal,
    /// It only evens out what was owed before, so the order is worth what it was worth.
    pub(super) owed: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ShippingBack {
    pub(super) id: u64,
    pub(super) adjustment: u64,
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
}

/// Units of a line that went away with a record.
#[derive(Debug, Clone)]
pub(super) struct Reduction {
    pub(super) id: u64,
    pub(super) record: u64,
    pub(super) line: LineId,
    pub(super) share: Share,
    pub(super) restock: Restock,
}

#[derive(Debug, Clone)]
pub(super) struct Fulfilment {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    /// With the units in the parcel.
    pub(super) lines: Vec<(LineId, u32)>,
}

/// A signed line of the shop's own book.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) line: LineId,
    pub(super) units: i64,
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
}

/// Units with their money. `net` is after discounts, in the terms of the price: tax inside when prices contain it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) units: u32,
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
    pub(super) discount: Decimal,
}

impl Share {
    /// The money of some of the units, rounded; the last units take the remainder because they are all that is left.
    pub(super) fn part(self, units: u32, digits: u32) -> Share {
        let of = |amount: Decimal| round(amount * Decimal::from(units) / Decimal::from(self.units), digits);
        Share { units, net: of(self.net), tax: of(self.tax), discount: of(self.discount) }
    }
}

impl Order {
    pub(super) fn line(&self, id: LineId) -> Result<&Line, Refusal> {
        self.lines.iter().find(|line| line.id == id).ok_or(Refusal::UnknownLine)
    }

    pub(super) fn line_mut(&mut self, id: LineId) -> Result<&mut Line, Refusal> {
        self.lines.iter_mut().find(|line| line.id == id).ok_or(Refusal::UnknownLine)
    }

    /// What of a line has gone.
    pub(super) fn gone(&self, id: LineId) -> Share {
        self.reductions.iter().filter(|reduction| reduction.line == id).fold(Share::default(), |sum, reduction| Share {
            units: sum.units + reduction.share.units,
            net: sum.net + reduction.share.net,
            tax: sum.tax + reduction.share.tax,
            discount: sum.discount + reduction.share.discount,
        })
    }

    /// What of a line is left.
    pub(super) fn left(&self, line: &Line) -> Share {
        let (whole, gone) = (line.whole(), self.gone(line.id));
        Share {
            units: whole.units - gone.units,
            net: whole.net - gone.net,
            tax: whole.tax - gone.tax,
            discount: whole.discount - gone.discount,
        }
    }

    /// Price and tax of the shipping that was not given back.
    pub(super) fn shipping_left(&self) -> (Decimal, Decimal) {
        let whole = self.shipping.as_ref().map_or((Decimal::ZERO, Decimal::ZERO), |line| (line.net(), line.tax()));
        self.records
            .iter()
            .filter_map(|record| record.shipping)
            .fold(whole, |(net, tax), back| (net - back.net, tax - back.tax))
    }

    pub(super) fn taken(&self) -> Decimal {
        self.moved(TransactionKind::Sale) + self.moved(TransactionKind::Capture)
    }

    /// Money taken and not given back.
    pub(super) fn paid(&self) -> Decimal {
        self.taken() - self.moved(TransactionKind::Refund)
    }

    /// Money on its way back.
    pub(super) fn promised(&self) -> Decimal {
        self.total_of(TransactionKind::Refund, TransactionStatus::Pending)
    }

    pub(super) fn has(&self, kind: TransactionKind) -> bool {
        self.transactions.iter().any(|transaction| transaction.kind == kind)
    }

    pub(super) fn moved(&self, kind: TransactionKind) -> Decimal {
        self.total_of(kind, TransactionStatus::Success)
    }

    fn total_of(&self, kind: TransactionKind, status: TransactionStatus) -> Decimal {
        let transactions = self.transactions.iter().filter(|one| (one.kind, one.status) == (kind, status));
        transactions.map(|one| one.amount).sum()
    }

    pub(super) fn sums(&self, setup: &ShopSetup) -> Sums {
        let on_top = |tax: Decimal| if setup.taxes_included { Decimal::ZERO } else { tax };
        let whole: Vec<Share> = self.lines.iter().map(Line::whole).collect();
        let left: Vec<Share> = self.lines.iter().map(|line| self.left(line)).collect();
        let (shipping, shipping_discount, shipping_tax) = self
            .shipping
            .as_ref()
            .map_or((Decimal::ZERO, Decimal::ZERO, Decimal::ZERO), |line| (line.price, line.discount(), line.tax()));
        let (current_shipping, current_shipping_tax) = self.shipping_left();
        let discounts: Decimal = whole.iter().map(|share| share.discount).sum();
        let subtotal: Decimal = whole.iter().map(|share| share.net).sum();
        let tax = whole.iter().map(|share| share.tax).sum::<Decimal>() + shipping_tax;
        let current_subtotal: Decimal = left.iter().map(|share| share.net).sum();
        let current_tax = left.iter().map(|share| share.tax).sum::<Decimal>() + current_shipping_tax;
        let kept_back: Decimal = self
            .records
            .iter()
            .flat_map(|record| &record.discrepancies)
            .filter(|one| !one.owed)
            .map(|one| one.amount)
            .sum();
        // Goods may go away after their money went as goodwill; it is not owed twice.
        let worth = current_subtotal + current_shipping + on_top(current_tax) + self.duties;
        let current_total = (worth + kept_back).max(Decimal::ZERO);
        Sums {
            line_items: subtotal + discounts,
            discounts: discounts + shipping_discount,
            subtotal,
            shipping,
            tax,
            total: subtotal + shipping - shipping_discount + on_top(tax) + self.duties,
            current_subtotal,
            current_discounts: left.iter().map(|share| share.discount).sum::<Decimal>() + shipping_discount,
            current_shipping,
            current_tax,
            current_total,
            outstanding: if self.financial_voided() {
                Decimal::ZERO
            } else {
                current_total + self.cash_rounding - self.paid()
            },
            tip: self.lines.iter().filter(|line| line.kind == LineKind::Tip).map(|line| line.price).sum(),
        }
    }

    fn financial_voided(&self) -> bool {
        self.cancelled.is_some() && self.taken().is_zero()
    }

    pub(super) fn financial_status(&self, sums: &Sums) -> &'static str {
        let taken = self.taken();
        if self.financial_voided() && !sums.total.is_zero() {
            "voided"
        } else if taken.is_zero() {
            match (sums.total.is_zero(), self.has(TransactionKind::Authorization)) {
                (true, _) => "paid",
                (false, true) => "authorized",
                (false, false) => "pending",
            }
        } else if self.paid() < taken {
            if self.paid().is_zero() { "refunded" } else { "partially_refunded" }
        } else if sums.outstanding > Decimal::ZERO {
            "partially_paid"
        } else {
            "paid"
        }
    }

    pub(super) fn fulfilment_status(&self) -> Option<&'static str> {
        if self.fulfilments.is_empty() {
            return self.cancelled.as_ref().filter(|cancelled| cancelled.restocked).map(|_| "restocked");
        }
        Some(if self.lines.iter().all(|line| line.to_ship == 0) { "fulfilled" } else { "partial" })
    }
}

/// The totals of an order, in the shop's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub(super) line_items: Decimal,
    pub(super) discounts: Decimal,
    pub(super) subtotal: Decimal,
    pub(super) shipping: Decimal,
    pub(super) tax: Decimal,
    pub(super) total: Decimal,
    pub(super) current_subtotal: Decimal,
    pub(super) current_discounts: Decimal,
    pub(super) current_shipping: Decimal,
    pub(super) current_tax: Decimal,
    pub(super) current_total: Decimal,
    pub(super) outstanding: Decimal,
    pub(super) tip: Decimal,
}

/// Half a minor unit goes away from zero.
pub(super) fn round(amount: Decimal, digits: u32) -> Decimal {
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

/// Spreads `total` over `bases` in proportion, each share rounded; the last takes the remainder. No share is negative
/// or larger than its base, so `total` must not exceed their sum.
pub(super) fn spread(total: Decimal, bases: &[Decimal], digits: u32) -> Vec<Decimal> {
    let all: Decimal = bases.iter().sum();
    let (mut rest, mut behind) = (total, all);
    bases
        .iter()
        .map(|base| {
            behind -= base;
            let fair = if all.is_zero() { Decimal::ZERO } else { round(total * base / all, digits) };
            // What the later ones cannot carry must be carried here.
            let share = fair.max(rest - behind).min(rest).min(*base);
            rest -= share;
            share
        })
        .collect()
}

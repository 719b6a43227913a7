//! Histories of one order, told as a shop makes them: what was ordered, then edits, refunds, cancellation. Every act
//! leaves the bodies a shop would send and the amounts the shop itself says are left.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use qantara::domain::invoice::Source;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::order::{
    Adjustment, Cancelled, Facts, FulfillmentStatus, Line, Order, PaymentStatus, Refund, RefundLine, RefundShipping,
    Restock, Shipping, Snapshot, TaxLine, Transaction, TransactionKind, TransactionStatus,
};
use qantara::domain::refund::Left;
use rust_decimal::Decimal;

use crate::make::{line, snapshot};

pub(crate) const ORDER: i64 = 55;
const SHIPPING: i64 = 900;

/// So much tax of a unit, in minor units, is still to be told from rounding when discounts took most of it.
const LITTLE_TAX: i64 = 15;

/// A whole history, as generated.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) currency: Currency,
    pub(crate) included: bool,
    pub(crate) percent: i64,
    pub(crate) paid: bool,
    /// The shop rounds the worth of refunded units down, also of the last.
    pub(crate) sloppy: bool,
    /// Refunds state the worth of goods without the tax that their prices contain, as real bodies do. Not where one of the
    /// lines has a few minor units of tax: nobody could tell whether it is among them.
    pub(crate) bare: bool,
    pub(crate) shipping: Option<i64>,
    pub(crate) items: Vec<Item>,
    pub(crate) acts: Vec<Act>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) ours: bool,
    pub(crate) price: i64,
    pub(crate) quantity: i64,
    pub(crate) percent_off: i64,
}

/// What happens to the order. Lines are picked by number, modulo their count; units at most those that are left.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Add(Item),
    Raise { line: usize, by: i64 },
    Discount { line: usize, percent: i64 },
    Remove { line: usize, units: i64 },
    Refund { line: usize, units: i64, restock: Restock, shipping: bool },
    PartOfShipping { percent: i64 },
    Goodwill { amount: i64 },
    Fulfil,
    Cancel { record: bool },
    Delete,
}

/// One delivery: an order with everything known so far, or a refund alone.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) rank: usize,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) facts: Facts,
}

/// Everything the shop sent, and what it says is left of the merchant's part.
pub(crate) struct History {
    pub(crate) bodies: Vec<Body>,
    pub(crate) left: BTreeMap<Source, Left>,
    /// Money given back for no goods, by refund record.
    pub(crate) kindness: BTreeMap<i64, Amount>,
    /// Whether the merchant's lines were the whole order does not depend on when one looks.
    pub(crate) shipping_is_sure: bool,
    /// Only acts that need no person's judgement.
    pub(crate) ordinary: bool,
    /// How far the net of a line may be off for the shop's own rounding.
    pub(crate) slack: i64,
}

pub(crate) fn items() -> impl Strategy<Value = Item> {
    let prices = prop_oneof![Just(0_i64), 1_i64..30, 100_i64..100_000];
    let off = prop_oneof![3 => Just(0_i64), 2 => 1_i64..60, 1 => Just(100)];
    (prop_oneof![4 => Just(true), 1 => Just(false)], prices, 1_i64..6, off)
        .prop_map(|(ours, price, quantity, percent_off)| Item { ours, price, quantity, percent_off })
}

fn acts() -> impl Strategy<Value = Act> {
    let restock = select(vec![Restock::NoRestock, Restock::Cancel, Restock::Return, Restock::LegacyRestock]);
    prop_oneof![
        2 => items().prop_map(Act::Add),
        1 => (0_usize..4, 1_i64..4).prop_map(|(line, by)| Act::Raise { line, by }),
        1 => (0_usize..4, 1_i64..50).prop_map(|(line, percent)| Act::Discount { line, percent }),
        4 => (0_usize..4, 1_i64..4).prop_map(|(line, units)| Act::Remove { line, units }),
        5 => (0_usize..4, 1_i64..4, restock, any::<bool>())
            .prop_map(|(line, units, restock, shipping)| Act::Refund { line, units, restock, shipping }),
        1 => (1_i64..100).prop_map(|percent| Act::PartOfShipping { percent }),
        1 => (1_i64..500).prop_map(|amount| Act::Goodwill { amount }),
        1 => Just(Act::Fulfil),
        1 => any::<bool>().prop_map(|record| Act::Cancel { record }),
        1 => Just(Act::Delete),
    ]
}

pub(crate) fn stories() -> impl Strategy<Value = Story> {
    let currencies = select(["SAR", "KWD", "JPY"].map(|code| Currency::parse(code).unwrap()).to_vec());
    let head = (currencies, any::<bool>(), select(vec![0_i64, 5, 15]), any::<bool>(), any::<[bool; 2]>());
    (head, option::of(1_i64..5_000), vec(items(), 1..4), vec(acts(), 0..7)).prop_map(
        |((currency, included, percent, paid, [sloppy, bare]), shipping, items, acts)| Story {
            currency,
            included,
            percent,
            paid,
            sloppy,
            bare,
            shipping,
            items,
            acts,
        },
    )
}

impl Story {
    pub(crate) fn tell(&self) -> History {
        let mut shop = Shop::open(self);
        shop.send();
        for act in &self.acts {
            shop.act(act);
        }
        shop.close()
    }
}

impl History {
    /// The order when everything has arrived.
    pub(crate) fn order(&self) -> Order {
        let mut facts = Facts::default();
        self.bodies.iter().for_each(|body| facts.merge(body.facts.clone()));
        let newest = self.bodies.iter().filter_map(|body| body.snapshot.clone()).next_back();
        Order { snapshot: newest.unwrap(), facts }
    }
}

/// The shop's own books.
struct Shop<'a> {
    story: &'a Story,
    snapshot: Snapshot,
    facts: Facts,
    ours: BTreeSet<i64>,
    left: BTreeMap<i64, Left>,
    shipping_left: Left,
    bodies: Vec<Body>,
    ordinary: bool,
    slack: i64,
    kindness: BTreeMap<i64, Amount>,
    was_whole: bool,
}

impl<'a> Shop<'a> {
    fn open(story: &'a Story) -> Self {
        let mut shop = Self {
            story,
            snapshot: empty(story),
            facts: Facts::default(),
            ours: BTreeSet::new(),
            left: BTreeMap::new(),
            shipping_left: Left::default(),
            bodies: Vec::new(),
            ordinary: true,
            slack: 0,
            kindness: BTreeMap::new(),
            was_whole: false,
        };
        story.items.iter().for_each(|item| shop.add(*item));
        shop.was_whole = shop.is_whole();
        if let Some(price) = story.shipping {
            let tax = shop.tax_of(Amount(price));
            shop.shipping_left = Left { units: 1, net: Amount(price), tax };
            shop.snapshot.shipping = vec![Shipping {
                id: SHIPPING,
                title: "Courier".into(),
                price: Amount(price),
                discount: Amount::ZERO,
                taxes: shop.taxes(tax),
            }];
        }
        if story.paid {
            let paid = shop.total().0;
            shop.facts.transactions.insert(1, transaction(1, TransactionKind::Sale, story.currency, paid));
        }
        shop
    }

    fn act(&mut self, act: &Act) {
        if self.facts.deleted || (self.facts.cancelled.is_some() && !matches!(act, Act::Delete)) {
            return;
        }
        match *act {
            Act::Add(item) => {
                self.add(item);
                // Who looks only now leaves the shipping to the other.
                self.ordinary &= item.ours || self.story.shipping.is_none();
            }
            Act::Raise { line, by } => {
                let line = self.pick(line);
                let one = self.snapshot.lines[line].unit_price;
                self.change(line, |line| line.quantity += by, by, Amount(one.0 * by));
                self.slack = self.slack.max(self.snapshot.lines[line].quantity);
            }
            Act::Discount { line, percent } => {
                let line = self.pick(line);
                let (id, off) = (self.snapshot.lines[line].id, self.snapshot.lines[line].net().0 * percent / 100);
                if self.left[&id].units == self.snapshot.lines[line].quantity {
                    self.change(line, |line| line.discount += Amount(off), 0, Amount(-off));
                    self.slack = self.slack.max(self.snapshot.lines[line].quantity);
                }
            }
            Act::Remove { line, units } => {
                let taken = self.take(line, units, Restock::Cancel);
                self.file(taken, None, Amount::ZERO, false);
            }
            Act::Refund { line, units, restock, shipping } => {
                let taken = self.take(line, units, restock);
                let shipping = if shipping { self.give_shipping(100) } else { None };
                self.file(taken, shipping, Amount::ZERO, self.story.paid);
            }
            Act::PartOfShipping { percent } => {
                let shipping = self.give_shipping(percent);
                // With little tax inside nobody can tell whether a part contains it.
                let (whole, of) = self.snapshot.shipping.first().map_or((0, 1), |all| (all.tax().0, all.net().0));
                let tells = |part: &RefundShipping| part.tax.0 * whole > 3 * of || whole == 0;
                self.ordinary &= !self.story.included || shipping.as_ref().is_none_or(tells);
                self.file(None, shipping, Amount::ZERO, self.story.paid);
            }
            Act::Goodwill { amount } => {
                self.ordinary = false;
                self.file(None, None, Amount(amount), true);
            }
            Act::Fulfil => self.snapshot.fulfillment = FulfillmentStatus::Fulfilled,
            Act::Cancel { record } => self.cancel(record),
            Act::Delete => {
                self.facts.deleted = true;
                let facts = Facts { deleted: true, ..Facts::default() };
                self.bodies.push(Body { rank: self.bodies.len(), snapshot: None, facts });
                return;
            }
        }
        self.send();
    }

    fn cancel(&mut self, record: bool) {
        if record {
            let count = self.snapshot.lines.len();
            let taken: Vec<RefundLine> =
                (0..count).filter_map(|line| self.take(line, i64::MAX, Restock::Cancel)).collect();
            let shipping = self.give_shipping(100);
            self.file(taken, shipping, Amount::ZERO, self.story.paid);
        } else {
            self.ordinary &= !self.story.paid && self.snapshot.fulfillment == FulfillmentStatus::Nothing;
            self.left.values_mut().for_each(|left| *left = Left::default());
            self.shipping_left = Left::default();
            self.snapshot.lines.iter_mut().for_each(|line| line.current_quantity = Some(0));
        }
        self.facts.cancelled = Some(Cancelled { at: at(self.bodies.len()) });
    }

    fn add(&mut self, item: Item) {
        let id = 1 + i64::try_from(self.snapshot.lines.len()).unwrap();
        let gross = item.price * item.quantity;
        let discount = Amount(gross * item.percent_off / 100);
        let net = Amount(gross) - discount;
        let tax = self.tax_of(net);
        self.snapshot.lines.push(Line {
            vendor: if item.ours { "Nour " } else { "Other" }.into(),
            quantity: item.quantity,
            current_quantity: Some(item.quantity),
            unit_price: Amount(item.price),
            discount,
            taxes: self.taxes(tax),
            ..line(id, &format!("SKU-{id}"))
        });
        self.left.insert(id, Left { units: item.quantity, net, tax });
        if item.ours {
            self.ours.insert(id);
        }
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut Line), units: i64, net: Amount) {
        let line = &mut self.snapshot.lines[index];
        let before = line.tax();
        change(line);
        let now = line.net();
        let tax = self.tax_of(now);
        let taxes = self.taxes(tax);
        let line = &mut self.snapshot.lines[index];
        line.taxes = taxes;
        let left = self.left.get_mut(&line.id).unwrap();
        left.units += units;
        left.net += net;
        left.tax += tax - before;
        line.current_quantity = Some(left.units);
    }

    fn pick(&self, line: usize) -> usize {
        line % self.snapshot.lines.len()
    }

    fn take(&mut self, line: usize, units: i64, restock: Restock) -> Option<RefundLine> {
        let index = self.pick(line);
        let line = &mut self.snapshot.lines[index];
        let id = line.id;
        let left = self.left.get_mut(&id).unwrap();
        let units = units.min(left.units);
        if units == 0 {
            return None;
        }
        let count = left.units;
        let part = |rest: Amount| {
            if self.story.sloppy { Amount(rest.share(1, count).0 * units) } else { rest.share(units, count) }
        };
        let (subtotal, tax) = (part(left.net), part(left.tax));
        left.units -= units;
        left.net -= subtotal;
        left.tax -= tax;
        if left.units == 0 && self.story.sloppy {
            // The shop's own rounding is nothing that is left.
            (left.net, left.tax) = (Amount::ZERO, Amount::ZERO);
            self.slack = self.slack.max(line.quantity);
        }
        line.current_quantity = Some(left.units);
        let subtotal = if self.is_bare() { subtotal - tax } else { subtotal };
        Some(RefundLine { line_id: id, quantity: units, restock, subtotal, tax })
    }

    fn give_shipping(&mut self, percent: i64) -> Option<RefundShipping> {
        let left = &mut self.shipping_left;
        let part = |rest: Amount| Amount(rest.0 * percent / 100);
        let (subtotal, tax) = (part(left.net), part(left.tax));
        if left.units == 0 || subtotal.is_zero() {
            return None;
        }
        left.net -= subtotal;
        left.tax -= tax;
        left.units = i64::from(!left.net.is_zero());
        Some(RefundShipping { shipping_id: SHIPPING, subtotal, tax })
    }

    /// Files a refund record, and sends it alone as shops do beside the order.
    fn file(
        &mut self,
        lines: impl IntoIterator<Item = RefundLine>,
        shipping: Option<RefundShipping>,
        goodwill: Amount,
        money: bool,
    ) {
        let lines: Vec<RefundLine> = lines.into_iter().collect();
        if lines.is_empty() && shipping.is_none() && goodwill.is_zero() {
            return;
        }
        let id = 100 + i64::try_from(self.bodies.len()).unwrap();
        let adjustments =
            (!goodwill.is_zero()).then_some(Adjustment { is_shipping: false, amount: -goodwill, tax: Amount::ZERO });
        if !goodwill.is_zero() {
            self.kindness.insert(id, goodwill);
        }
        let worth = self.worth(&lines, shipping.as_ref()) + goodwill;
        let refund = Refund {
            id,
            created_at: at(self.bodies.len()),
            lines,
            shipping: shipping.into_iter().collect(),
            adjustments: adjustments.into_iter().collect(),
            has_duties: false,
            is_return: false,
            transactions: money
                .then(|| (id, transaction(id, TransactionKind::Refund, self.story.currency, worth)))
                .into_iter()
                .collect(),
        };
        let alone = Facts { refunds: [(id, refund.clone())].into(), ..Facts::default() };
        self.bodies.push(Body { rank: self.bodies.len(), snapshot: None, facts: alone });
        self.facts.refunds.insert(id, refund);
    }

    fn send(&mut self) {
        (self.snapshot.total_price, self.snapshot.total_tax) = self.total();
        self.snapshot.current_subtotal = Some(self.left.values().map(|left| left.net).sum());
        self.snapshot.refunds_seen = self.facts.refunds.keys().copied().collect();
        let (snapshot, facts) = (Some(self.snapshot.clone()), self.facts.clone());
        self.bodies.push(Body { rank: self.bodies.len(), snapshot, facts });
    }

    /// Price of everything ever ordered, and the tax of it.
    fn total(&self) -> (Amount, Amount) {
        let lines: Amount = self.snapshot.lines.iter().map(Line::net).sum();
        let shipping: Amount = self.snapshot.shipping.iter().map(Shipping::net).sum();
        let line_tax: Amount = self.snapshot.lines.iter().map(Line::tax).sum();
        let tax = line_tax + self.snapshot.shipping.iter().map(Shipping::tax).sum();
        (lines + shipping + if self.story.included { Amount::ZERO } else { tax }, tax)
    }

    /// What a record gives back in money.
    fn worth(&self, lines: &[RefundLine], shipping: Option<&RefundShipping>) -> Amount {
        let is_apart = !self.story.included || self.is_bare();
        let goods: Amount =
            lines.iter().map(|part| if is_apart { part.subtotal + part.tax } else { part.subtotal }).sum();
        let included = self.story.included;
        goods + shipping.map_or(Amount::ZERO, |part| if included { part.subtotal } else { part.subtotal + part.tax })
    }

    fn is_bare(&self) -> bool {
        let added = self.story.acts.iter().filter_map(|act| if let Act::Add(item) = act { Some(item) } else { None });
        let tells = |item: &Item| {
            let net = item.price * (100 - item.percent_off) / 100;
            net == 0 || self.tax_of(Amount(net)) > Amount(LITTLE_TAX)
        };
        self.story.bare
            && self.story.included
            && self.story.percent > 0
            && self.story.items.iter().chain(added).all(tells)
    }

    fn is_whole(&self) -> bool {
        self.ours.len() == self.snapshot.lines.len()
    }

    fn close(self) -> History {
        let whole = self.is_whole();
        let shipping_is_sure = whole == self.was_whole;
        let lines =
            self.left.iter().filter(|(id, _)| self.ours.contains(id)).map(|(id, left)| (Source::Line(*id), *left));
        let shipping = (whole && !self.ours.is_empty()).then_some((Source::Shipping(SHIPPING), self.shipping_left));
        let left = lines.chain(shipping).filter(|(_, left)| left.units > 0).collect();
        let Self { bodies, ordinary, slack, kindness, .. } = self;
        History { bodies, left, kindness, shipping_is_sure, ordinary, slack }
    }

    fn tax_of(&self, net: Amount) -> Amount {
        let percent = Decimal::from(self.story.percent);
        let of = if self.story.included { Decimal::ONE_HUNDRED + percent } else { Decimal::ONE_HUNDRED };
        Amount::rounded(Decimal::from(net.0) * percent / of)
    }

    fn taxes(&self, amount: Amount) -> Vec<TaxLine> {
        let rate = Decimal::new(self.story.percent, 2);
        (self.story.percent > 0).then(|| TaxLine { title: "VAT".into(), rate, amount }).into_iter().collect()
    }
}

pub(crate) fn at(step: usize) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + 600 * i64::try_from(step).unwrap()).unwrap()
}

fn transaction(id: i64, kind: TransactionKind, currency: Currency, amount: Amount) -> Transaction {
    let (status, amount) = (TransactionStatus::Success, currency.decimal(amount));
    Transaction { id, kind, status, gateway: "mada".into(), amount, currency: currency.code().into(), at: None }
}

fn empty(story: &Story) -> Snapshot {
    Snapshot {
        id: ORDER,
        name: "#1042".into(),
        currency: story.currency,
        taxes_included: story.included,
        payment: if story.paid { PaymentStatus::Paid } else { PaymentStatus::Pending },
        created_at: at(0),
        processed_at: at(0),
        ..snapshot()
    }
}

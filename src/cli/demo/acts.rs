//! What people do to the orders of a generated town, drawn and done: each act is what the fake shop makes of it.

use std::collections::{BTreeSet, VecDeque};

use anyhow::Context as _;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::checkout::{Cause, Hand, Lot, Why};
use super::history::{Event, Order, What};
use super::town::{Front, MERCHANTS, SHOPS, Town};
use super::wares::{Leads, WARES};
use crate::sandbox::shop::Left;
use crate::sandbox::shop::cart::{CancelHow, Edit, Item, LineId, MoneyBack, Refund, Restock};
use crate::sandbox::shop::delivery::Delivery;

/// What somebody is about to do with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Tag,
    Note,
    Ship,
    Raise,
    Lower,
    Add,
    Pay,
    PayPart,
    /// Somebody subscribes to the transactions at last, and hears of all of them.
    TellMoney,
    /// The tax authority accepts the invoice.
    Lock,
    /// Goods come in.
    Restock,
    GiveBack,
    ShippingBack,
    Cancel,
    CancelSilently,
    KeepMoneyBack,
}

impl Hand {
    /// What will happen to the order.
    pub(super) fn acts(&mut self, order: &Order, is_paid: bool) -> VecDeque<Act> {
        let draw = |hand: &mut Self, from: &[Act]| from[hand.below(from.len())];
        let echo = [Act::Tag, Act::Note];
        match order.lot {
            Lot::MustHold(Cause::CancelledButPaid) => return [Act::Tag, Act::CancelSilently].into(),
            Lot::MustHold(Cause::NotEnoughStock) => return [Act::Tag, Act::Restock].into(),
            Lot::MustHold(Cause::Locked) => return [Act::Lock, Act::Raise].into(),
            Lot::MustHold(Cause::MoneyKeptBack) => return [Act::KeepMoneyBack, Act::Tag].into(),
            Lot::LeaveAlone(Why::CancelledUnpaid) => return [Act::Tag, Act::Cancel].into(),
            Lot::MustHold(_) | Lot::LeaveAlone(_) => return [draw(self, &echo)].into(),
            Lot::Plain => {}
        }
        // Counted out to the last coin: what is given back of it is a matter for a person.
        if !order.cart.cash_rounding.is_zero() {
            return [draw(self, &echo)].into();
        }
        if !order.is_open && order.is_najds() && self.chance.per_mille(120) {
            let edit = draw(self, &[Act::Raise, Act::Lower]);
            let more = draw(self, &[Act::Raise, Act::GiveBack, Act::Tag]);
            return [Act::GiveBack, Act::Lock, edit, more].into_iter().skip(self.below(2)).collect();
        }
        let mut acts = VecDeque::new();
        let waits_for_money = waits_for_money(order);
        // News in any order: a body that says "paid" may be followed by one that says "something is owed".
        let edits: &[Act] = if order.is_open && waits_for_money {
            &[Act::Lower, Act::Tag]
        } else {
            &[Act::Lower, Act::Raise, Act::Add, Act::Lower, Act::Note]
        };
        if self.chance.per_mille(450) {
            acts.push_back(draw(self, edits));
        }
        if !is_paid {
            match self.below(10) {
                0 | 1 => acts.push_back(Act::Cancel),
                // Owes for ever, which is all the same to a merchant who does not wait for money.
                2 if !waits_for_money => {}
                3 => acts.extend([Act::PayPart, Act::Pay]),
                4 if !waits_for_money => acts.push_back(Act::PayPart),
                _ => acts.push_back(Act::Pay),
            }
        } else if self.chance.per_mille(250) {
            acts.push_back(draw(self, edits));
            acts.push_back(Act::Pay);
        }
        if self.chance.per_mille(100) {
            acts.push_back(Act::Ship);
        }
        for _ in 0..2 {
            if self.chance.per_mille(180) {
                acts.push_back(Act::GiveBack);
            }
        }
        if self.chance.per_mille(30) {
            acts.push_back(Act::ShippingBack);
        }
        // Something more is bought after something went back.
        if !order.is_open && self.chance.per_mille(60) {
            acts.push_back(if self.chance.per_mille(500) { Act::Raise } else { Act::Add });
            acts.extend(self.chance.per_mille(600).then_some(Act::Pay));
        }
        if self.chance.per_mille(60) {
            acts.push_back(Act::Cancel);
        }
        if !SHOPS[order.shop].tells_money && !order.is_open && self.chance.per_mille(300) {
            acts.push_back(Act::TellMoney);
            return acts;
        }
        if self.chance.per_mille(150) {
            acts.push_back(draw(self, &echo));
        }
        acts
    }

    /// Does it, if the shop lets it happen and it means what it should.
    pub(super) fn act(
        &mut self,
        act: Act,
        order: &mut Order,
        front: &mut Front,
        left: &[Left],
        now: Timestamp,
    ) -> Option<Vec<Delivery>> {
        let (shop, id, owed) = (&mut front.shop, order.id, order.figures.owed);
        let has_paid = shop.what_is_paid(id).is_ok_and(|paid| !paid.is_zero());
        match act {
            Act::Tag => shop.tag(id, "gift", now).ok(),
            Act::Note => shop.note(id, "قبل الخميس", now).ok(),
            Act::Ship => shop.fulfil(id, now).ok(),
            Act::Pay => shop.pay(id, now).ok(),
            Act::PayPart => {
                let part = Decimal::new(owed * (1 + self.number(3)) / 5, SHOPS[order.shop].digits);
                shop.pay_part(id, part, now).ok()
            }
            Act::TellMoney | Act::Lock | Act::Restock => None,
            Act::Raise => {
                let line = self.ware_of(left)?;
                let by = 1 + self.below(3);
                let to = line.units + u32::try_from(by).ok()?;
                let done = shop.edit(id, &[Edit::SetQuantity { line: line.line_id, to, restock: true }], now).ok()?;
                order.events.push(Event::Raised { line: line.line_id.0, by: i64::try_from(by).ok()? });
                Some(done)
            }
            Act::Lower => {
                let line = self.ware_of(left)?;
                // The last thing of a merchant leaves an order by a refund or a cancellation.
                let others = left.iter().filter(|one| !one.sku.is_empty() && one.vendor == line.vendor).count();
                let to = self.below(usize::try_from(line.units).ok()?);
                let to = u32::try_from(to).ok()?.max(u32::from(others < 2));
                let restocked = order.must_come_back() || order.is_locked() || self.chance.per_mille(850);
                let by = i64::from(line.units.checked_sub(to).filter(|by| *by > 0)?);
                let edit = Edit::SetQuantity { line: line.line_id, to, restock: restocked };
                let done = shop.edit(id, &[edit], now).ok()?;
                order.events.push(Event::Lowered { record: 0, line: line.line_id.0, by, restocked });
                Some(done)
            }
            Act::Add => {
                let wares: Vec<usize> = front.variants.keys().copied().collect();
                let vendors: BTreeSet<&str> = left.iter().map(|line| line.vendor.as_str()).collect();
                let fits = |at: &usize| matches!(WARES[*at].leads, Leads::To(_)) && vendors.contains(WARES[*at].vendor);
                let mut good: Vec<usize> = wares.iter().copied().filter(fits).collect();
                if good.is_empty() || self.chance.per_mille(200) {
                    good = wares.into_iter().filter(|at| matches!(WARES[*at].leads, Leads::To(_))).collect();
                }
                let ware = good[self.below(good.len())];
                let quantity = self.units();
                let item = Item::Variant(front.variants[&ware]);
                let done = shop.edit(id, &[Edit::AddLine { item, quantity }], now).ok()?;
                let line = shop.what_is_left(id).ok()?.last()?.line_id.0;
                order.events.push(Event::Added {
                    line,
                    what: What::Ware(ware),
                    units: quantity.into(),
                    at_checkout: false,
                });
                Some(done)
            }
            Act::GiveBack => {
                // What was paid of it nobody knows who hears of another currency.
                if has_paid && !order.is_paid() && !SHOPS[order.shop].tells_amounts() {
                    return None;
                }
                let goods = self.goods_back(left, order.must_come_back());
                let shipping = if self.chance.per_mille(200) { order.figures.shipping_left } else { 0 };
                let mut refund = Refund::of(&goods);
                refund.shipping = Decimal::new(shipping, SHOPS[order.shop].digits);
                let are_all_back = goods.iter().all(|(.., restock)| *restock == Restock::Return);
                if shipping == 0 && are_all_back && self.chance.per_mille(100) {
                    refund.money = MoneyBack::None;
                }
                self.give_back(order, front, &refund, now)
            }
            Act::ShippingBack => {
                let refund = Refund {
                    shipping: Decimal::new(order.figures.shipping_left, SHOPS[order.shop].digits),
                    ..Refund::of(&[])
                };
                self.give_back(order, front, &refund, now)
            }
            Act::KeepMoneyBack => {
                let line = left.iter().find(|line| !line.sku.is_empty())?;
                let goods = [(line.line_id, 1, Restock::Return)];
                let worth = line.net / Decimal::from(line.units);
                let refund = Refund { money: MoneyBack::Amount(worth / Decimal::TWO), ..Refund::of(&goods) };
                self.give_back(order, front, &refund, now)
            }
            Act::Cancel | Act::CancelSilently => {
                let is_paid = order.is_paid();
                if !order.cart.duties.is_zero() {
                    return None;
                }
                // Money that is owed either way would be evened out, which is a matter for a person.
                if (is_paid || has_paid) && owed != 0 {
                    return None;
                }
                let silent = act == Act::CancelSilently || (!is_paid && self.chance.per_mille(400));
                let how = CancelHow {
                    restock: !silent,
                    money: !silent,
                    shipping: is_paid || self.chance.per_mille(500),
                    reason: "customer".to_owned(),
                };
                let done = shop.cancel(id, &how, now).ok()?;
                let goods = left.iter().map(|line| (line.line_id.0, line.units.into())).collect();
                order.events.push(Event::Cancelled { record: None, goods, moved_money: moved_money(&done) });
                Some(done)
            }
        }
    }

    /// Some of the goods that are left, each with the way it goes.
    fn goods_back(&mut self, left: &[Left], must_come_back: bool) -> Vec<(LineId, u32, Restock)> {
        let mut lines: Vec<&Left> = left.iter().filter(|line| !line.sku.is_empty()).collect();
        self.shuffle(&mut lines);
        lines.truncate(1 + self.below(3));
        lines
            .into_iter()
            .map(|line| {
                let units = if self.chance.per_mille(600) { 1 } else { line.units };
                let restock = match self.below(20) {
                    // Without worth nothing tells it from an edit.
                    0..3 if line.net >= Decimal::from(line.units) => Restock::Cancel,
                    3..7 if !must_come_back => Restock::NoRestock,
                    _ => Restock::Return,
                };
                (line.line_id, units, restock)
            })
            .collect()
    }

    fn give_back(
        &self,
        order: &mut Order,
        front: &mut Front,
        refund: &Refund,
        now: Timestamp,
    ) -> Option<Vec<Delivery>> {
        let done = front.shop.refund(order.id, refund, now).ok()?;
        let goods = refund.lines.iter().map(|(line, units, way)| (line.0, i64::from(*units), *way)).collect();
        order.events.push(Event::GaveBack { record: 0, goods, moved_money: moved_money(&done) });
        Some(done)
    }

    fn ware_of<'a>(&mut self, left: &'a [Left]) -> Option<&'a Left> {
        let wares: Vec<&Left> = left.iter().filter(|line| !line.sku.is_empty()).collect();
        wares.get(self.below(wares.len())).copied()
    }
}

/// The tax authority takes the invoices of an order.
pub(super) fn lock(order: &mut Order, town: &Town) -> anyhow::Result<()> {
    for place in order.merchants() {
        if let Some(invoice) = town.invoice(place, order.id.0) {
            let accept = json!({"do": "accept_e_invoice", "document": invoice});
            town.stage.at_the_desk(SHOPS[order.shop].account, "hand", &accept)?;
            if order.events.last().is_none_or(|event| !matches!(event, Event::Locked)) {
                order.events.push(Event::Locked);
            }
        }
    }
    Ok(())
}

/// So much comes in of everything as the order lacks.
pub(super) fn restock(order: &Order, town: &mut Town) -> anyhow::Result<()> {
    let account = SHOPS[order.shop].account;
    for event in &order.events {
        let Event::Added { what: What::Ware(at), units, .. } = event else { continue };
        let (Leads::To(code), Some(store)) = (WARES[*at].leads, order.store_of(*at)) else { continue };
        let product = town.product(account, code).with_context(|| format!("there is no {code}"))?;
        let goods = json!({"product_id": product, "store_id": store, "quantity": units});
        town.stage.at_the_desk(account, "stock", &goods)?;
        *town.came_in.entry((account, code, store)).or_default() += units;
    }
    Ok(())
}

/// It is invoiced when it is paid.
fn waits_for_money(order: &Order) -> bool {
    order.merchants().any(|place| MERCHANTS[place].when_paid) && !order.at_the_door
}

/// Letting go of what a card had reserved is a transaction, too, but no money.
fn moved_money(deliveries: &[Delivery]) -> bool {
    let transactions = deliveries.iter().filter(|delivery| delivery.topic == "order_transactions/create");
    let mut bodies = transactions.filter_map(|delivery| serde_json::from_slice::<Value>(&delivery.body).ok());
    bodies.any(|body| body["kind"] == "refund")
}

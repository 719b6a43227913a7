//! What happens to the orders of a generated town: bought, edited, paid, given back, cancelled. All of it is drawn.
//!
//! An order is a list of events in units, and beside it the amounts of the last body its shop signed. What the books must
//! say follows from both in `expectation`. Where the shop refuses an act, a tag is added instead: an echo hurts nobody.

use std::collections::{BTreeSet, VecDeque};

use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::checkout::{Cause, Hand, Lot, Why};
use super::figures::{Figures, Moved, Word};
use super::town::{AT_THE_DOOR, Front, Leads, MERCHANTS, NAJD, SHOPS, Town, WARES, merchants_of};
use crate::sandbox::shop::Left;
use crate::sandbox::shop::cart::{CancelHow, Cart, Edit, Item, LineId, MoneyBack, OrderId, Payment, Refund, Restock};
use crate::sandbox::shop::delivery::Delivery;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A place in the list of wares.
    Ware(usize),
    Custom,
    Tip,
    GiftCard,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Added {
        line: u64,
        what: What,
        units: i64,
        at_checkout: bool,
    },
    Raised {
        line: u64,
        by: i64,
    },
    /// By an edit: the record has no money.
    Lowered {
        record: u64,
        line: u64,
        by: i64,
        restocked: bool,
    },
    Paid,
    /// The tax authority has the invoice: nobody changes it any more.
    Locked,
    GaveBack {
        record: u64,
        goods: Vec<(u64, i64, Restock)>,
        moved_money: bool,
    },
    Cancelled {
        record: Option<u64>,
        goods: Vec<(u64, i64)>,
        moved_money: bool,
    },
}

/// A warehouse that hands out goods on requisition only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Requisition {
    /// To the end.
    Waits,
    Accepted,
}

/// How an order stood at the end of a day on which something happened to it.
#[derive(Debug)]
struct Evening {
    at: Timestamp,
    /// So many events had happened.
    events: usize,
    figures: Figures,
    /// On this day.
    moved: Vec<Moved>,
    /// Today somebody told of all the money that had moved in secret.
    reveals: bool,
}

/// An order up to some evening.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) order: &'a Order,
    pub(super) events: &'a [Event],
    pub(super) figures: &'a Figures,
    /// On the last day.
    pub(super) moved: &'a [Moved],
    pub(super) reveals: bool,
}

impl<'a> Told<'a> {
    pub(super) fn is_paid(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Paid))
    }

    /// If an invoice that cannot be changed should have been: how the order stood before, and when that was.
    pub(super) fn when_locked(&self) -> Option<(Self, Timestamp)> {
        let locked = self.events.iter().position(|event| matches!(event, Event::Locked))?;
        let is_edit = |event: &Event| matches!(event, Event::Raised { .. } | Event::Lowered { .. });
        let edited = locked + self.events[locked..].iter().position(is_edit)?;
        let before = self.order.evenings().rfind(|told| told.events.len() <= edited)?;
        let after = self.order.evenings.iter().find(|evening| evening.events > edited)?;
        Some((before, after.at))
    }
}

/// One order and all that happened to it.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) shop: usize,
    pub(super) id: OrderId,
    pub(super) name: String,
    pub(super) lot: Lot,
    /// The buyer pays the courier.
    pub(super) at_the_door: bool,
    /// The shop's word for the way of paying.
    pub(super) gateway: String,
    pub(super) events: Vec<Event>,
    pub(super) figures: Figures,
    pub(super) cart: Cart,
    pub(super) requisition: Option<Requisition>,
    /// Everything happened before anything was delivered: whether the invoice is smaller or a receipt follows, and
    /// whether there is any, is left to the order in which the news arrives.
    pub(super) is_open: bool,
    after_the_law: bool,
    acts: VecDeque<Act>,
    evenings: Vec<Evening>,
    /// Of money, by a shop that does not tell of it.
    kept_back: Vec<Delivery>,
}

/// What somebody is about to do with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
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
    /// Somebody buys something. The order, and what the shop has to say about it.
    pub(super) fn buy(&mut self, town: &mut Town) -> anyhow::Result<(Order, Vec<Delivery>)> {
        let lot = self.lot();
        let shop = self.shop_for(lot);
        self.buy_at(shop, lot, None, town)
    }

    /// The same in this shop; on requisition it is paid at once, and nothing happens to it later.
    pub(super) fn buy_at(
        &mut self,
        shop: usize,
        lot: Lot,
        requisition: Option<Requisition>,
        town: &mut Town,
    ) -> anyhow::Result<(Order, Vec<Delivery>)> {
        let after_the_law = lot == Lot::MustHold(Cause::UnknownTax);
        let now = town.stage.now();
        let front = front(town, shop, after_the_law);
        let (mut cart, whats) = self.cart(shop, lot, front, now);
        if requisition.is_some() {
            cart.payment = Payment::Paid;
        }
        let (id, deliveries) = front.shop.buy(&cart, now).map_err(|why| anyhow!("{lot:?}: {why}"))?;
        let lines = front.shop.what_is_left(id).map_err(|why| anyhow!("{lot:?}: {why}"))?;
        let body = last_body(&deliveries)?;
        let mut order = Order {
            shop,
            id,
            name: body["name"].as_str().unwrap_or_default().to_owned(),
            lot,
            at_the_door: cart.gateway == AT_THE_DOOR,
            gateway: cart.gateway.clone(),
            events: Vec::new(),
            figures: Figures::read(&body, &SHOPS[shop])?,
            is_open: lot == Lot::Plain && requisition.is_none() && self.chance.per_mille(80),
            requisition,
            cart,
            after_the_law,
            acts: VecDeque::new(),
            evenings: Vec::new(),
            kept_back: Vec::new(),
        };
        if lines.len() != whats.len() {
            bail!("{}: the shop made {} lines of {}", order.name, lines.len(), whats.len());
        }
        for (line, what) in lines.iter().zip(whats) {
            order.events.push(Event::Added { line: line.line_id.0, what, units: line.units.into(), at_checkout: true });
        }
        let is_paid = order.figures.word == Word::Paid;
        if is_paid {
            order.events.push(Event::Paid);
        }
        if requisition.is_none() {
            order.acts = self.acts(&order, is_paid);
        }
        let mut deliveries = deliveries;
        order.end_day(now, &mut deliveries, false)?;
        while order.is_open && order.has_a_future() {
            deliveries.extend(self.go_on(&mut order, town)?);
        }
        if order.is_open {
            self.shuffle(&mut deliveries);
        }
        self.repeat(&mut deliveries);
        Ok((order, deliveries))
    }

    /// The next thing happens to an order.
    pub(super) fn go_on(&mut self, order: &mut Order, town: &mut Town) -> anyhow::Result<Vec<Delivery>> {
        let Some(act) = order.acts.pop_front() else { return Ok(Vec::new()) };
        let now = town.stage.now();
        if act == Act::TellMoney {
            let mut deliveries = std::mem::take(&mut order.kept_back);
            order.end_day(now, &mut Vec::new(), true)?;
            self.repeat(&mut deliveries);
            return Ok(deliveries);
        }
        if act == Act::Lock {
            lock(order, town)?;
        }
        if act == Act::Restock {
            restock(order, town)?;
        }
        let front = front(town, order.shop, order.after_the_law);
        let left = front.shop.what_is_left(order.id).map_err(|why| anyhow!("{}: {why}", order.name))?;
        let done = self.act(act, order, front, &left, now);
        // What the shop does not do is no event.
        let mut deliveries = match done {
            Some(deliveries) => deliveries,
            None => front.shop.tag(order.id, "echo", now).map_err(|why| anyhow!("{}: {why}", order.name))?,
        };
        let figures = Figures::read(&last_body(&deliveries)?, &SHOPS[order.shop])?;
        note_record(order, &figures);
        order.figures = figures;
        order.end_day(now, &mut deliveries, false)?;
        self.repeat(&mut deliveries);
        Ok(deliveries)
    }

    /// What will happen to the order.
    fn acts(&mut self, order: &Order, is_paid: bool) -> VecDeque<Act> {
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
    fn act(
        &mut self,
        act: Act,
        order: &mut Order,
        front: &mut Front,
        left: &[Left],
        now: Timestamp,
    ) -> Option<Vec<Delivery>> {
        let (shop, id, owed) = (&mut front.shop, order.id, order.figures.owed);
        match act {
            Act::Tag => shop.tag(id, "gift", now).ok(),
            Act::Note => shop.note(id, "قبل الخميس", now).ok(),
            Act::Ship => shop.fulfil(id, now).ok(),
            Act::Pay => {
                let done = shop.pay(id, now).ok()?;
                order.events.push(Event::Paid);
                Some(done)
            }
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
                // Before an invoice nobody can say of which payment it was taken.
                if order.taken() > 0 && !order.is_paid() && waits_for_money(order) {
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
                if (is_paid || order.taken() != 0) && owed != 0 {
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

    /// Some deliveries come twice, even on the best of days.
    fn repeat(&mut self, deliveries: &mut Vec<Delivery>) {
        let twice: Vec<Delivery> = deliveries.iter().filter(|_| self.chance.per_mille(40)).cloned().collect();
        deliveries.extend(twice);
    }
}

impl Order {
    /// How it stands in the end.
    pub(super) fn told(&self) -> Told<'_> {
        Told { order: self, events: &self.events, figures: &self.figures, moved: &[], reveals: false }
    }

    /// Each evening of its life.
    pub(super) fn evenings(&self) -> impl DoubleEndedIterator<Item = Told<'_>> {
        self.evenings.iter().map(|Evening { events, figures, moved, reveals, .. }| Told {
            order: self,
            events: &self.events[..*events],
            figures,
            moved,
            reveals: *reveals,
        })
    }

    /// Remembers the day, and keeps back what a shop does not tell.
    fn end_day(&mut self, at: Timestamp, deliveries: &mut Vec<Delivery>, reveals: bool) -> anyhow::Result<()> {
        let shop = &SHOPS[self.shop];
        let is_about_money = |delivery: &Delivery| delivery.topic == "order_transactions/create";
        let mut moved = Vec::new();
        for delivery in deliveries.iter().filter(|delivery| is_about_money(delivery) && !reveals) {
            // Buyers from abroad pay in their own currency, to merchants who record no payments.
            if shop.tells_amounts() {
                moved.extend(Moved::read(&serde_json::from_slice(&delivery.body)?, shop)?);
            }
        }
        if !shop.tells_money && !reveals {
            self.kept_back.extend(deliveries.extract_if(.., |delivery| is_about_money(delivery)));
        }
        self.evenings.push(Evening { at, events: self.events.len(), figures: self.figures.clone(), moved, reveals });
        Ok(())
    }

    fn is_locked(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Locked))
    }

    /// Where a ware goes out from.
    fn store_of(&self, ware: usize) -> Option<u64> {
        self.merchants().find(|place| MERCHANTS[*place].owns(WARES[ware].vendor)).map(|place| MERCHANTS[place].store)
    }

    /// All of it is the merchant's who makes a new invoice where the old one cannot be changed.
    fn is_najds(&self) -> bool {
        self.events.iter().all(|event| match event {
            Event::Added { what: What::Ware(at), .. } => WARES[*at].vendor == NAJD,
            Event::Added { .. } => false,
            Event::Raised { .. }
            | Event::Lowered { .. }
            | Event::Paid
            | Event::Locked
            | Event::GaveBack { .. }
            | Event::Cancelled { .. } => true,
        })
    }

    /// How often money came.
    pub(super) fn movements(&self) -> usize {
        self.evenings.iter().flat_map(|evening| &evening.moved).filter(|moved| moved.amount > 0).count()
    }

    /// Money that came, without what went back.
    fn taken(&self) -> i64 {
        let moved = self.evenings.iter().flat_map(|evening| &evening.moved);
        moved.map(|moved| moved.amount.max(0)).sum()
    }

    pub(super) fn has_a_future(&self) -> bool {
        !self.acts.is_empty()
    }

    /// An order that was called off before it was invoiced is as if it had never been, and so is what was lost of it. So
    /// nothing may be lost of one of which nobody knows whether it will be invoiced.
    fn must_come_back(&self) -> bool {
        self.is_open && self.acts.contains(&Act::Cancel)
    }

    /// The merchants who hear of it.
    pub(super) fn merchants(&self) -> impl Iterator<Item = usize> + use<> {
        merchants_of(self.shop)
    }

    pub(super) fn is_paid(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Paid))
    }
}

/// The tax authority takes the invoices of an order.
fn lock(order: &mut Order, town: &Town) -> anyhow::Result<()> {
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
fn restock(order: &Order, town: &mut Town) -> anyhow::Result<()> {
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

fn front(town: &mut Town, shop: usize, after_the_law: bool) -> &mut Front {
    let fronts = if after_the_law { &mut town.after_the_law } else { &mut town.fronts };
    &mut fronts[shop]
}

/// The order as the shop signed it last.
fn last_body(deliveries: &[Delivery]) -> anyhow::Result<Value> {
    let newest = deliveries.iter().rev().find(|delivery| delivery.topic == "orders/updated");
    Ok(serde_json::from_slice(&newest.context("the shop did not say what the order is now")?.body)?)
}

/// The last event made the record that was not there before.
fn note_record(order: &mut Order, figures: &Figures) {
    let new = figures.records.keys().find(|id| !order.figures.records.contains_key(id)).copied();
    let Some(new) = new else { return };
    match order.events.last_mut() {
        Some(Event::Lowered { record, .. } | Event::GaveBack { record, .. }) => *record = new,
        Some(Event::Cancelled { record, .. }) => *record = Some(new),
        Some(Event::Added { .. } | Event::Raised { .. } | Event::Paid | Event::Locked) | None => {}
    }
}

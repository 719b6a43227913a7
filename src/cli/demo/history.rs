//! What happens to the orders of a generated town: bought, edited, paid, given back, cancelled. All of it is drawn.
//!
//! An order is a list of events in units, and beside it the amounts of the last body its shop signed. What the books must
//! say follows from both in `expectation`. Where the shop refuses an act, a tag is added instead: an echo hurts nobody.

use std::collections::VecDeque;

use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;
use serde_json::Value;

use super::acts::{Act, lock, restock};
use super::checkout::{Cause, Hand, Lot};
use super::figures::{Figures, Moved, Word};
use super::town::{AT_THE_DOOR, Front, MERCHANTS, SHOPS, Town, merchants_of};
use super::wares::{NAJD, WARES};
use crate::sandbox::shop::cart::{Cart, OrderId, Payment, Restock};
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
        order.note_payment();
        order.end_day(now, &mut deliveries, false)?;
        self.repeat(&mut deliveries);
        Ok(deliveries)
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

    /// It is paid when nothing is owed any more, be it because less is left of it.
    fn note_payment(&mut self) {
        if self.figures.word != Word::Other && self.figures.owed <= 0 && !self.is_paid() {
            self.events.push(Event::Paid);
        }
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

    pub(super) fn is_locked(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Locked))
    }

    /// Where a ware goes out from.
    pub(super) fn store_of(&self, ware: usize) -> Option<u64> {
        self.merchants().find(|place| MERCHANTS[*place].owns(WARES[ware].vendor)).map(|place| MERCHANTS[place].store)
    }

    /// All of it is the merchant's who makes a new invoice where the old one cannot be changed.
    pub(super) fn is_najds(&self) -> bool {
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

    pub(super) fn has_a_future(&self) -> bool {
        !self.acts.is_empty()
    }

    /// An order that was called off before it was invoiced is as if it had never been, and so is what was lost of it. So
    /// nothing may be lost of one of which nobody knows whether it will be invoiced.
    pub(super) fn must_come_back(&self) -> bool {
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

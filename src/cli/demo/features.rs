//! What a generated town has met: every shape of money, of an order's life and of a hold that it can draw, counted. A town
//! that is large enough and lacks one of them has proven less than it says.

use rust_decimal::Decimal;

use super::checkout::{Cause, Lot, Why};
use super::figures::Word;
use super::history::{Event, Order, Requisition, What};
use super::town::{AT_THE_DOOR, MERCHANTS, SHOPS};
use super::wares::{BUNDLE, Leads, WARES};
use crate::sandbox::shop::cart::{Payment, Restock, Shipping, Target, Value};

/// So many orders should meet everything.
pub(super) const ENOUGH: usize = 3_000;

type Feature = (&'static str, fn(&Order) -> bool);

const FEATURES: [Feature; 58] = [
    ("prices with tax", |o| SHOPS[o.shop].has_tax() && SHOPS[o.shop].taxes_included),
    ("taxes on top", |o| SHOPS[o.shop].has_tax() && !SHOPS[o.shop].taxes_included),
    ("no tax in the shop", |o| !SHOPS[o.shop].has_tax()),
    ("an untaxed line", |o| has_ware(o, |at| !WARES[at].taxable)),
    ("two taxes on a line", |o| has_ware(o, |at| WARES[at].two_taxes)),
    ("no digits", |o| SHOPS[o.shop].digits == 0),
    ("two digits", |o| SHOPS[o.shop].digits == 2),
    ("three digits", |o| SHOPS[o.shop].digits == 3),
    ("buyers of another currency", |o| !SHOPS[o.shop].tells_amounts()),
    ("discount on the order", |o| has_discount(o, |target, _| matches!(target, Target::Order))),
    ("discount on a line", |o| has_discount(o, |target, _| matches!(target, Target::Line(_)))),
    ("discount on shipping", |o| has_discount(o, |target, _| matches!(target, Target::Shipping))),
    ("discount of an amount", |o| has_discount(o, |_, value| matches!(value, Value::Fixed(_)))),
    ("several discounts", |o| o.cart.discounts.len() > 1),
    ("goods for nothing", |o| is_free(o, false)),
    ("no shipping", |o| matches!(o.cart.shipping, Shipping::None)),
    ("shipping of nothing", |o| matches!(o.cart.shipping, Shipping::Free)),
    ("shipping discounted to nothing", |o| matches!(o.cart.shipping, Shipping::Priced(_)) && is_free(o, true)),
    ("shipping paid", |o| o.figures.shipping.is_some_and(|line| line.net > 0)),
    ("tip left out", |o| is_plain(o) && has(o, What::Tip)),
    ("custom item as text", |o| is_plain(o) && has(o, What::Custom)),
    ("duties billed", |o| is_plain(o) && !o.cart.duties.is_zero()),
    ("cash rounding", |o| !o.cart.cash_rounding.is_zero() && o.cart.payment == Payment::Paid),
    ("bundle", |o| has_ware(o, |at| WARES[at].leads == Leads::To(BUNDLE))),
    ("order of two merchants", |o| {
        o.merchants().filter(|place| has_ware(o, |at| MERCHANTS[*place].owns(WARES[at].vendor))).count() > 1
    }),
    ("somebody else's line beside ours", |o| is_plain(o) && has_ware(o, |at| WARES[at].leads == Leads::Elsewhere)),
    ("dated on another day than in UTC", |o| {
        o.merchants().any(|place| {
            MERCHANTS[place].day(o.figures.processed) != o.figures.processed.to_zoned(jiff::tz::TimeZone::UTC).date()
        })
    }),
    ("told in any order", |o| o.is_open),
    ("paid at once", |o| o.cart.payment == Payment::Paid),
    ("authorized", |o| o.cart.payment == Payment::Authorized),
    ("paid to the courier", |o| o.gateway == AT_THE_DOOR && o.figures.word == Word::Paid),
    ("paid in parts", |o| o.movements() > 1),
    ("paid short", |o| o.figures.owed > 0 && o.figures.cancelled.is_none() && o.movements() > 0),
    ("paid too much", |o| o.figures.owed < 0),
    ("paid by word alone", |o| {
        !SHOPS[o.shop].tells_money && o.movements() > 0 && !o.evenings().any(|told| told.reveals)
    }),
    ("transactions told late", |o| o.movements() > 0 && o.evenings().any(|told| told.reveals)),
    ("edit raises", |o| did(o, |event| matches!(event, Event::Raised { .. }))),
    ("edit lowers", |o| did(o, |event| matches!(event, Event::Lowered { restocked: true, .. }))),
    ("edit lowers, goods lost", |o| did(o, |event| matches!(event, Event::Lowered { restocked: false, .. }))),
    ("edit adds a line", |o| did(o, |event| matches!(event, Event::Added { at_checkout: false, .. }))),
    ("goods back", |o| gave_back(o, |way| way == Restock::Return)),
    ("goods never sent", |o| gave_back(o, |way| way == Restock::Cancel)),
    ("goods lost", |o| gave_back(o, |way| way == Restock::NoRestock)),
    ("refund in parts", |o| o.figures.records.len() > 1),
    ("refund of shipping", |o| o.figures.records.values().any(|record| record.shipping.is_some())),
    ("refund without money", |o| did(o, |event| matches!(event, Event::GaveBack { moved_money: false, .. }))),
    ("cancelled with a record", |o| did(o, |event| matches!(event, Event::Cancelled { record: Some(_), .. }))),
    ("cancelled without a record", |o| {
        is_plain(o) && did(o, |event| matches!(event, Event::Cancelled { record: None, .. }))
    }),
    ("locked, and a new invoice", |o| is_plain(o) && o.told().when_locked().is_some()),
    ("requisition accepted", |o| o.requisition == Some(Requisition::Accepted)),
    ("requisition waits", |o| o.requisition == Some(Requisition::Waits)),
    ("test order", |o| o.lot == Lot::LeaveAlone(Why::Test)),
    ("ignored source", |o| o.lot == Lot::LeaveAlone(Why::AtTheCounter)),
    ("ignored tag", |o| o.lot == Lot::LeaveAlone(Why::Tagged)),
    ("held: locked", |o| o.lot == Lot::MustHold(Cause::Locked)),
    ("held: stock, then released", |o| o.lot == Lot::MustHold(Cause::NotEnoughStock)),
    ("held: duties", |o| o.lot == Lot::MustHold(Cause::Duty)),
    ("held: way of paying", |o| o.lot == Lot::MustHold(Cause::UnmappedGateway)),
];

/// How many orders have each.
pub(super) fn count(orders: &[Order]) -> Vec<(&'static str, usize)> {
    FEATURES.iter().map(|(name, has)| (*name, orders.iter().filter(|order| has(order)).count())).collect()
}

fn is_plain(order: &Order) -> bool {
    order.lot == Lot::Plain
}

fn did(order: &Order, what: fn(&Event) -> bool) -> bool {
    order.events.iter().any(what)
}

fn has(order: &Order, meant: What) -> bool {
    order.events.iter().any(|event| matches!(event, Event::Added { what, .. } if *what == meant))
}

fn has_ware(order: &Order, is_meant: impl Fn(usize) -> bool) -> bool {
    order.events.iter().any(|event| matches!(event, Event::Added { what: What::Ware(at), .. } if is_meant(*at)))
}

fn has_discount(order: &Order, is_meant: fn(Target, Value) -> bool) -> bool {
    order.cart.discounts.iter().any(|discount| is_meant(discount.target, discount.value))
}

/// Discounted to nothing: the goods, or the shipping.
fn is_free(order: &Order, shipping: bool) -> bool {
    order.cart.discounts.iter().any(|discount| {
        matches!(discount.value, Value::Percent(all) if all == Decimal::ONE_HUNDRED)
            && matches!(discount.target, Target::Shipping) == shipping
    })
}

fn gave_back(order: &Order, is_meant: fn(Restock) -> bool) -> bool {
    let is_it =
        |event: &Event| matches!(event, Event::GaveBack { goods, .. } if goods.iter().any(|(.., way)| is_meant(*way)));
    order.events.iter().any(is_it)
}

//! The nightly account: what Daftra holds is read again, differences wait for a person with their ways out, and every order
//! of a day is in one class.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use std::collections::BTreeMap;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use qantara::db::class::Class;
use qantara::db::order::State;
use qantara::db::scope::Scope;
use qantara::db::statement::Statement;
use qantara::db::{document, examination, merchant};
use qantara::desk::Wish;
use qantara::domain::reason::{Hold, Reason};
use qantara::domain::ruling::Ruling;
use qantara::domain::sequence::{Gap, gaps, gaps_before};
use qantara::sandbox::daftra::{DocumentKind, Hand};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{CancelHow, Cart, OrderId, Product, VariantId};
use rust_decimal::Decimal;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn usual() -> (Stage, Shop, Vec<VariantId>) {
    watched_each(MINUTE)
}

/// A stage that is looked after so often, at noon in Riyadh.
fn watched_each(upkeep: SignedDuration) -> (Stage, Shop, Vec<VariantId>) {
    let mut stage = Stage::new(Plan { upkeep, ..Plan::default() });
    stage.add(&Cast::default());
    let zone = stage.db.read(|c| merchant::get(c, 1)).unwrap().time_zone;
    assert_eq!(zone, "Asia/Riyadh", "the days of these tests");
    stage.start();
    let (shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    (stage, shop, shelf)
}

fn buy(stage: &Stage, shop: &mut Shop, variant: VariantId, units: u32) -> OrderId {
    let (order, deliveries) = shop.buy(&Cart::of(&[(variant, units)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    order
}

/// Until this moment of the merchant's clock.
fn until(stage: &Stage, moment: &str) {
    let there: Timestamp = format!("{moment}+03").parse().unwrap();
    stage.pass(there.duration_since(stage.clock.now()));
}

fn invoice_of(stage: &Stage, name: &str) -> u64 {
    let order = stage.order(name);
    let documents = stage.db.read(|c| document::of_order(c, order.id)).unwrap();
    documents[0].remote_id.unwrap().try_into().unwrap()
}

fn hand(stage: &Stage, hand: Hand) {
    let now = stage.clock.now();
    stage.account("one", |account| account.hand(hand, now)).unwrap();
}

/// The code of the one reason for which an order is held.
fn held(stage: &Stage, name: &str) -> Option<&'static str> {
    match stage.order(name).reason {
        Some(Reason::Held(holds)) => match holds.as_slice() {
            [Hold::ChangedByHand { .. }] => Some("changed"),
            [Hold::Gone { .. }] => Some("gone"),
            other => panic!("{other:?}"),
        },
        _ => None,
    }
}

fn calls(stage: &Stage, method: &str) -> u64 {
    stage.account("one", |account| {
        let calls = account.calls().iter().filter(|(call, _)| call.starts_with(method));
        calls.map(|(_, count)| count).sum()
    })
}

fn statement(stage: &Stage, day: &str) -> Option<(Statement, BTreeMap<String, Class>)> {
    let day: Date = day.parse().unwrap();
    let (found, lines) = stage.db.see(&Scope::All, |sight| sight.statement(1, day)).ok()?;
    let lines = lines.into_iter().map(|line| (line.name.unwrap(), line.class)).collect();
    Some((found, lines))
}

#[test]
fn three_differences_are_found_in_the_night_and_repaired_by_three_decisions() {
    let (stage, mut shop, shelf) = usual();
    for units in 1..=5 {
        buy(&stage, &mut shop, shelf[2], units);
    }
    let two_rows = Cart::of(&[(shelf[2], 1), (shelf[0], 2)]);
    stage.deliver(&shop.buy(&two_rows, stage.clock.now()).unwrap().1);
    stage.until_idle(HOUR);
    let [deleted, changed, robbed] = ["1001", "1002", "1006"].map(|name| invoice_of(&stage, name));
    hand(&stage, Hand::Delete { document: deleted });
    let price = Some(Decimal::from(300));
    hand(&stage, Hand::ChangeRow { document: changed, row: 0, unit_price: price, quantity: None });
    hand(&stage, Hand::RemoveRow { document: robbed, row: 0 });
    hand(&stage, Hand::AddRow { document: changed, item: "Gift".into(), unit_price: 5.into(), quantity: 1.into() });
    let (puts, posts) = (calls(&stage, "PUT"), calls(&stage, "POST"));

    until(&stage, "2026-06-18T06:00");
    let found: Vec<_> =
        stage.orders().into_iter().rev().map(|order| (order.name.clone(), held(&stage, &order.name[1..]))).collect();
    let found: Vec<_> = found.iter().filter_map(|(name, why)| Some((name.as_str(), (*why)?))).collect();
    assert_eq!(found, [("#1001", "gone"), ("#1002", "changed"), ("#1006", "changed")], "exactly these three");
    assert_eq!((calls(&stage, "PUT"), calls(&stage, "POST")), (puts, posts), "nobody repairs behind a person's back");

    let rule = |name: &str, ruling: fn(i64) -> Ruling| {
        let order = stage.order(name);
        let document = stage.db.read(|c| document::of_order(c, order.id)).unwrap()[0].id;
        stage.wish(Wish::OrderRule { order_id: order.id, ruling: ruling(document), note: String::new() });
    };
    rule("1001", |document| Ruling::NewInvoice { document });
    rule("1002", |document| Ruling::Rewrite { document });
    rule("1006", |document| Ruling::Rewrite { document });
    stage.until_idle(HOUR);
    assert!(stage.orders().iter().all(|order| order.state == State::Settled), "{:?}", stage.orders());
    let rows = |id: u64| {
        stage.account("one", |account| {
            let document = account.documents(DocumentKind::Invoice).find(|one| one.id == id).unwrap();
            let rows = document.items.iter().map(|item| (item.item.clone(), item.unit_price, item.quantity));
            rows.collect::<Vec<_>>()
        })
    };
    assert_eq!(rows(robbed).len(), 2);
    let again = rows(changed);
    assert!(again.iter().any(|(item, ..)| item == "Gift"), "what others added stays: {again:?}");
    assert!(again.iter().any(|(_, price, units)| (*price, *units) == (349.into(), 2.into())), "{again:?}");
    assert_eq!(again.len(), 2);

    // The next night finds nothing.
    let puts = calls(&stage, "PUT");
    until(&stage, "2026-06-19T06:00");
    assert!(stage.orders().iter().all(|order| order.state == State::Settled));
    assert_eq!(calls(&stage, "PUT"), puts);
}

#[test]
fn an_invoice_that_cannot_be_written_again_stays_with_the_person_and_is_tried_once() {
    let (stage, mut shop, shelf) = usual();
    buy(&stage, &mut shop, shelf[2], 2);
    let invoice = invoice_of(&stage, "1001");
    hand(&stage, Hand::ChangeRow { document: invoice, row: 0, unit_price: Some(1.into()), quantity: None });
    hand(&stage, Hand::AcceptEInvoice { document: invoice });
    until(&stage, "2026-06-18T06:00");
    assert_eq!(held(&stage, "1001"), Some("changed"));
    let order = stage.order("1001");
    let document = stage.db.read(|c| document::of_order(c, order.id)).unwrap()[0].id;
    let puts = calls(&stage, "PUT");
    stage.wish(Wish::OrderRule { order_id: order.id, ruling: Ruling::Rewrite { document }, note: String::new() });
    stage.until_idle(DAY);
    assert_eq!((held(&stage, "1001"), calls(&stage, "PUT") - puts), (Some("changed"), 1));
}

#[test]
fn each_order_is_asked_about_once_a_night_and_new_orders_come_first() {
    let (stage, mut shop, shelf) = usual();
    for _ in 0..45 {
        let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
    }
    stage.until_idle(HOUR);
    let before = calls(&stage, "GET");
    let night = || stage.db.read(|c| examination::latest(c, 1)).unwrap();
    until(&stage, "2026-06-18T00:59");
    let first = night().unwrap();
    assert_eq!((first.day.to_string().as_str(), first.orders), ("2026-06-17", 0), "nothing was there yet");
    assert_eq!(calls(&stage, "GET"), before, "not before one o'clock");
    until(&stage, "2026-06-18T01:01");
    let begun = night().unwrap();
    assert!(begun.ended_at.is_none() && (20..=40).contains(&begun.orders), "a few at a time: {begun:?}");
    until(&stage, "2026-06-18T03:00");
    let ended = night().unwrap();
    assert_eq!((ended.orders, ended.ended_at.is_some()), (45, true));
    let asked = calls(&stage, "GET") - before;
    assert!((45..=3 * 45).contains(&asked), "{asked} calls for 45 orders");
    until(&stage, "2026-06-18T23:00");
    assert_eq!(calls(&stage, "GET") - before, asked, "once");
}

#[test]
fn what_nothing_happened_to_for_a_month_is_left_alone() {
    let (stage, mut shop, shelf) = watched_each(HOUR);
    buy(&stage, &mut shop, shelf[2], 1);
    let orders = || stage.db.read(|c| examination::latest(c, 1)).unwrap().unwrap().orders;
    until(&stage, "2026-06-18T12:00");
    stage.hand.advance(SignedDuration::from_hours(28 * 24));
    until(&stage, "2026-07-17T04:00");
    assert_eq!(orders(), 1);
    until(&stage, "2026-07-19T00:59");
    let before = calls(&stage, "GET");
    until(&stage, "2026-07-19T12:00");
    assert_eq!((calls(&stage, "GET") - before, orders()), (0, 0));
}

#[test]
fn a_statement_has_every_order_of_the_day_in_one_class_and_tells_what_was_never_seen() {
    let (stage, mut shop, shelf) = usual();
    let unknown = shop.sell(Product { sku: "LAMP-9".into(), ..Product::samples(2).remove(0) });
    buy(&stage, &mut shop, shelf[2], 1);
    buy(&stage, &mut shop, unknown, 1);
    // Nobody hears of the third.
    drop(shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap());
    let cancelled = buy(&stage, &mut shop, shelf[2], 4);
    let how = CancelHow { restock: true, money: true, shipping: false, reason: "customer".into() };
    stage.deliver(&shop.cancel(cancelled, &how, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    // A minute before midnight in Riyadh, and one after.
    until(&stage, "2026-06-17T23:59");
    buy(&stage, &mut shop, shelf[2], 1);
    until(&stage, "2026-06-18T00:01");
    buy(&stage, &mut shop, shelf[2], 1);

    until(&stage, "2026-06-18T03:59");
    assert!(statement(&stage, "2026-06-17").is_none(), "the night is not over");
    until(&stage, "2026-06-18T04:05");
    let (first, lines) = statement(&stage, "2026-06-17").unwrap();
    let expected =
        [("#1001", Class::Invoiced), ("#1002", Class::Held), ("#1004", Class::Cancelled), ("#1005", Class::Invoiced)];
    assert_eq!(lines, expected.map(|(name, class)| (name.to_owned(), class)).into());
    assert_eq!((first.orders(), first.missing.as_slice()), (4, [Gap { from: 1003, to: 1003 }].as_slice()));
    assert!(statement(&stage, "2026-06-18").is_none(), "that day is not over");

    // The held order is mapped: the day's statement follows as long as it is young.
    stage.wish(Wish::MappingSet { slug: "wadi".into(), code: "LAMP-9".into(), product_id: 102 });
    stage.until_idle(HOUR);
    until(&stage, "2026-06-19T04:05");
    let (again, lines) = statement(&stage, "2026-06-17").unwrap();
    assert_eq!((lines["#1002"], again.id), (Class::Invoiced, first.id));
    assert!(again.drawn_at > first.drawn_at);
    let (second, lines) = statement(&stage, "2026-06-18").unwrap();
    assert_eq!((lines.len(), second.missing.len()), (1, 0));
    // A day without an order has a statement, too, and one without news is left as it was.
    until(&stage, "2026-06-20T04:05");
    assert_eq!(statement(&stage, "2026-06-19").unwrap().0.orders(), 0);
    assert_eq!(statement(&stage, "2026-06-17").unwrap().0.drawn_at, again.drawn_at);
    let listed = stage.db.see(&Scope::All, |sight| sight.statements(None, None, 2)).unwrap();
    assert_eq!(listed.iter().map(|one| one.day.to_string()).collect::<Vec<_>>(), ["2026-06-19", "2026-06-18"]);
}

#[test]
fn a_gap_ends_at_the_name_that_is_written_alike() {
    let named = [("#1001", 1), ("W1003", 2), ("#21003", 3), ("#1003", 9), ("#1003", 4)];
    let found: Vec<_> = gaps_before(named.into_iter()).into_iter().map(|(gap, at)| (gap.from, gap.to, at)).collect();
    assert_eq!(found, [(1_002, 1_002, 4), (1_004, 21_002, 3)]);
}

#[test]
fn numbers_are_compared_with_those_that_are_written_alike() {
    let found = |before: Option<&str>, names: &[&str]| {
        let gaps = gaps(before, names.iter().copied());
        gaps.into_iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>()
    };
    assert_eq!(found(None, &["#7", "#5", "#6"]), []);
    assert_eq!(found(None, &["#5", "#9", "#10"]), [(6, 8)]);
    assert_eq!(found(Some("#4"), &["#7"]), [(5, 6)]);
    assert_eq!(found(Some("#4"), &[]), []);
    assert_eq!(found(Some("#9"), &["#7", "#8"]), [], "a later number that came before");
    assert_eq!(found(Some("#4"), &["W7-KSA", "W9-KSA", "#5"]), [(8, 8)]);
    assert_eq!(found(None, &["٤#1001", "٤#1003", "", "gift"]), [(1002, 1002)]);
    assert_eq!(found(None, &["#99999999999999999999", "#1", "#1"]), []);
}

//! The engine at work on a hand-moved clock: orders in, documents out, through every bad day.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::log::Status;
use qantara::db::order::State;
use qantara::sandbox::daftra::DocumentKind;
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::cart::{Cart, Payment};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[test]
fn an_accepted_delivery_reaches_daftra_without_any_movement_of_the_clock() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let before = stage.account("one", |account| account.calls().values().sum::<u64>());
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries[..1]);
    // The call is on its way when everybody has come to rest; only its answer takes time.
    stage.hand.rest();
    stage.pass(SignedDuration::from_millis(20));
    let after = stage.account("one", |account| account.calls().values().sum::<u64>());
    assert!(after > before, "the first call was made: {before} before, {after} after");
    stage.until_idle(HOUR);
}

#[test]
fn an_order_becomes_one_invoice_that_moves_the_stock() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[0], 2), (shelf[2], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let order = stage.order("1001");
    assert_eq!(order.state, State::Settled, "{:?} {:?}", order.reason, order.trace);
    stage.account("one", |account| {
        let invoices: Vec<_> = account.documents(DocumentKind::Invoice).collect();
        assert_eq!(invoices.len(), 1);
        assert_eq!(invoices[0].totals.total.to_string(), "608.90", "two of 129.95 and one of 349.00");
        assert_eq!(account.stock(101, 1).to_string(), "99998");
        assert_eq!(account.stock(102, 1).to_string(), "99999");
    });
    let told: Vec<Status> = stage.log().iter().map(|entry| entry.status).collect();
    assert_eq!(told, [Status::Success]);
}

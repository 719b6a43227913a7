//! Each unknown of the real Daftra on its own: orders end as they do without it, or in the one way it changes.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use std::collections::BTreeSet;

use common::profile::PROFILES;
use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::order::State;
use qantara::sandbox::daftra::{AccountSetup, DocumentKind, Hand, UNKNOWNS, any, unknown};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Cart, Edit, OrderId, Refund, Restock};
use qantara::sandbox::shop::chance::Chance;
use serde_json::{Map, Value};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What an account is, as opposed to what nobody knows of Daftra.
const KNOWN: [&str; 5] = ["name", "keys", "currency", "decimals", "time_zone"];

fn fields(setup: &AccountSetup) -> Map<String, Value> {
    serde_json::to_value(setup).unwrap().as_object().unwrap().clone()
}

#[test]
fn every_field_of_an_account_is_known_or_in_the_list() {
    let plain = fields(&AccountSetup::default());
    let listed: BTreeSet<&str> = UNKNOWNS.iter().map(|unknown| unknown.name).chain(KNOWN).collect();
    assert_eq!(listed, plain.keys().map(String::as_str).collect());
    assert_eq!(listed.len(), UNKNOWNS.len() + KNOWN.len(), "no name twice");
    for unknown in UNKNOWNS {
        let mut setup = AccountSetup::default();
        (unknown.other)(&mut setup);
        let other = fields(&setup);
        assert_ne!(other[unknown.name], plain[unknown.name], "{}", unknown.name);
        let aside = |(name, value): &(&String, &Value)| *name != unknown.name && plain[*name] != **value;
        let moved: Vec<&String> = other.iter().filter(aside).map(|(name, _)| name).collect();
        assert!(moved.is_empty() || (unknown.name, moved) == ("when_expired", vec![&"expired".to_owned()]));
    }
}

#[test]
fn every_unknown_that_must_not_show_is_in_one_profile() {
    let named: Vec<&str> = PROFILES.iter().flat_map(|profile| profile.split('+')).collect();
    assert!(named.iter().all(|name| unknown(name).is_some()), "{named:?}");
    for unknown in UNKNOWNS.iter().filter(|unknown| unknown.changes.is_none()) {
        assert_eq!(named.iter().filter(|name| **name == unknown.name).count(), 1, "{}", unknown.name);
    }
}

fn at(setup: AccountSetup) -> (Stage, Shop, OrderId) {
    let mut stage = Stage::new(Plan { accounts: vec![setup], ..Plan::default() });
    stage.add(&Cast::default());
    stage.start();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3), (shelf[3], 2)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    (stage, shop, order)
}

fn edit(stage: &Stage, shop: &mut Shop, order: OrderId) {
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let edits = [Edit::SetQuantity { line, to: 2, restock: true }];
    stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
}

fn refund(stage: &Stage, shop: &mut Shop, order: OrderId) {
    let line = shop.what_is_left(order).unwrap()[1].line_id;
    let refund = Refund::of(&[(line, 1, Restock::Return)]);
    stage.deliver(&shop.refund(order, &refund, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
}

/// Kinds and totals of what stands in Daftra.
fn books(stage: &Stage) -> Vec<(DocumentKind, String)> {
    stage.account("one", |account| {
        let all = account.documents(DocumentKind::Invoice).chain(account.documents(DocumentKind::RefundReceipt));
        all.map(|document| (document.kind, document.totals.total.to_string())).collect()
    })
}

/// An order, its edit and a refund, on a day when no first answer comes back.
fn story(setup: AccountSetup) {
    let shown = format!("{setup:?}");
    let (stage, mut shop, order) = at(setup);
    stage.account("one", |account| {
        for call in ["invoices", "refund_receipts"] {
            account.add_fault(Fault::once(FaultKind::LoseAnswer).on("POST", call));
        }
        account.add_fault(Fault::once(FaultKind::LoseAnswer).on("PUT", "invoices"));
    });
    stage.until_idle(DAY);
    edit(&stage, &mut shop, order);
    refund(&stage, &mut shop, order);
    let end = stage.order("1001");
    assert_eq!(end.state, State::Settled, "{:?}: {shown}", end.reason);
    assert_eq!(stage.account("one", |account| account.faults().clone()), [], "bad days that did not come: {shown}");
    let expected = [(DocumentKind::Invoice, "729.50".to_owned()), (DocumentKind::RefundReceipt, "15.75".to_owned())];
    assert_eq!(books(&stage), expected, "{shown}");
}

#[test]
fn an_unknown_that_must_not_show_does_not() {
    story(AccountSetup::default());
    for unknown in UNKNOWNS.iter().filter(|unknown| unknown.changes.is_none()) {
        let mut setup = AccountSetup::default();
        (unknown.other)(&mut setup);
        story(setup);
    }
}

#[test]
fn nor_do_any_of_them_together() {
    for seed in 0..12 {
        println!("seed {seed}");
        story(any(&mut Chance::new(seed)));
    }
}

fn with(name: &str) -> AccountSetup {
    let mut setup = AccountSetup::default();
    (unknown(name).unwrap().other)(&mut setup);
    setup
}

fn is_held(stage: &Stage) {
    let order = stage.order("1001");
    assert_eq!(order.state, State::Held, "{:?}", order.reason);
}

#[test]
fn an_accepted_requisition_locks_the_invoice() {
    let (stage, mut shop, order) = at(with("requisitions"));
    stage.until_idle(DAY);
    assert_eq!(stage.account("one", |account| account.stock(102, 1)), 100_000.into(), "nothing moved yet");
    edit(&stage, &mut shop, order);
    assert_eq!(stage.order("1001").state, State::Waiting, "for the stock");
    let now = stage.clock.now();
    let id = stage.account("one", |account| account.documents(DocumentKind::Invoice).next().unwrap().id);
    stage.account("one", |account| account.hand(Hand::AcceptRequisition { document: id }, now)).unwrap();
    assert_eq!(stage.account("one", |account| account.stock(102, 1)), 99_998.into());
    refund(&stage, &mut shop, order);
    assert_eq!((stage.order("1001").state, books(&stage).len()), (State::Settled, 2), "a receipt is another document");
}

#[test]
fn an_accepted_invoice_refuses_its_edit_and_the_order_waits_for_a_person() {
    let (stage, mut shop, order) = at(with("e_invoices"));
    stage.until_idle(DAY);
    assert_eq!(stage.order("1001").state, State::Settled);
    edit(&stage, &mut shop, order);
    is_held(&stage);
    assert_eq!(books(&stage).len(), 1);
}

#[test]
fn a_closed_period_holds_the_order_until_it_is_opened() {
    let (stage, ..) = at(with("closed_until"));
    stage.until_idle(DAY);
    is_held(&stage);
    assert!(books(&stage).is_empty());
    stage.account("one", |account| account.change(|setup| setup.closed_until = None)).unwrap();
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    assert_eq!((stage.order("1001").state, books(&stage).len()), (State::Settled, 1));
}

#[test]
fn an_expired_subscription_stops_the_merchant_until_it_is_renewed() {
    for name in ["expired", "when_expired"] {
        let (stage, ..) = at(with(name));
        stage.pass(SignedDuration::from_hours(3));
        assert!(books(&stage).is_empty());
        let alerts = stage.db.read(qantara::db::alert::open).unwrap();
        assert_eq!(alerts.iter().filter(|alert| alert.cause == "trouble").count(), 1, "{name}: {alerts:?}");
        stage.account("one", |account| account.change(|setup| setup.expired = false)).unwrap();
        stage.until_idle(DAY * 2);
        assert_eq!((stage.order("1001").state, books(&stage).len()), (State::Settled, 1), "{name}");
    }
}

#[test]
fn stock_that_is_not_there_holds_the_order_until_it_comes() {
    let (stage, ..) = at(AccountSetup::default());
    let now = stage.clock.now();
    // No call has arrived yet: that takes time, and time has not passed.
    stage.account("one", |account| account.add_stock(103, 1, (-99_999).into(), now));
    stage.until_idle(DAY);
    is_held(&stage);
    assert!(books(&stage).is_empty());
    stage.account("one", |account| account.add_stock(103, 1, 1.into(), now));
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    assert_eq!((stage.order("1001").state, books(&stage).len()), (State::Settled, 1));
}

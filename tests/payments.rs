//! Money on the hand-moved clock: what the shop received is in Daftra, once, through every bad day.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::stage::{Cast, Plan, Stage, bad_days, shop};
use jiff::SignedDuration;
use qantara::db::log::Status;
use qantara::db::merchant::{self, Mode};
use qantara::db::order::State;
use qantara::db::{alert, document, order};
use qantara::domain::document::State as RowState;
use qantara::domain::reason::{Difference, DifferenceKind, Hold, Reason};
use qantara::domain::rules::{GatewayRule, LinePolicy, LockedPolicy, PaymentRules, Rules, Trigger};
use qantara::sandbox::daftra::{Account, AccountSetup, DocumentKind, Hand, PartialPut, PaymentMethod, Standing};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::http::Request;
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Cart, Edit, Item, MoneyBack, OrderId, Payment, Refund, Restock, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How the sandbox's shop is paid, unless a cart says otherwise.
const CARD: &str = "bogus";
const COD: &str = "Cash on Delivery (COD)";

fn wadi() -> (Shop, Vec<VariantId>) {
    shop("wadi.myshopify.com", "hush", 1)
}

fn rules() -> PaymentRules {
    let rule = |method: &str| GatewayRule { method: method.to_owned(), treasury_id: Some(1) };
    let gateways = BTreeMap::from([(CARD.to_owned(), rule("bank")), (COD.to_lowercase(), rule("cash"))]);
    PaymentRules { record: true, gateways, ..PaymentRules::default() }
}

/// From now on the merchant's payments are booked so.
fn record(stage: &Stage, merchant_id: i64, payments: PaymentRules) {
    let change = move |tx: &rusqlite::Transaction<'_>| {
        let mut merchant = merchant::get(tx, merchant_id)?;
        merchant.rules.payments = payments;
        merchant::change(tx, &merchant)
    };
    stage.db.write(change).unwrap();
    for name in ["one", "a", "b"] {
        if let Some(account) = stage.network.world.lock().unwrap().account_mut(name) {
            give_methods(account, true);
        }
    }
}

/// Money for no goods is no document's from now on.
fn leave_out_kindness(stage: &Stage, merchant_id: i64) {
    let change = move |tx: &rusqlite::Transaction<'_>| {
        let mut merchant = merchant::get(tx, merchant_id)?;
        merchant.rules.goodwill = LinePolicy::Skip;
        merchant::change(tx, &merchant)
    };
    stage.db.write(change).unwrap();
}

fn give_methods(account: &mut Account, active: bool) {
    for (id, slug) in (1..).zip(["cash", "bank"]) {
        let (slug, label) = (slug.to_owned(), slug.to_owned());
        account.add_method(PaymentMethod { id, slug, label, active, ..PaymentMethod::default() });
    }
}

/// One merchant who records payments, at work.
fn stage_with(setup: AccountSetup, payments: PaymentRules) -> Stage {
    let mut stage = Stage::new(Plan { accounts: vec![setup], ..Plan::default() });
    let merchant_id = stage.add(&Cast::default());
    record(&stage, merchant_id, payments);
    stage.start();
    stage
}

/// The only merchant's rules change.
fn rules_of(stage: &Stage, change: fn(&mut Rules)) {
    let change = move |tx: &rusqlite::Transaction<'_>| {
        let mut merchant = merchant::by_slug(tx, "wadi")?.unwrap();
        change(&mut merchant.rules);
        merchant::change(tx, &merchant)
    };
    stage.db.write(change).unwrap();
}

fn stage() -> Stage {
    stage_with(AccountSetup::default(), rules())
}

/// The payments of an account by reference; no two have the same. Our ledger says the same of each.
fn payments(stage: &Stage) -> BTreeMap<String, String> {
    let remote: BTreeMap<u64, (String, Decimal)> = stage.account("one", |account| {
        account.payments().map(|one| (one.id, (one.transaction_id.clone(), one.amount.normalize()))).collect()
    });
    let mut ledger = BTreeMap::new();
    for order in stage.orders() {
        for row in stage.db.read(|c| document::of_order(c, order.id)).unwrap() {
            if let (Some(payment), Some(id)) = (row.payment(), row.remote_id) {
                let amount = payment.header.currency.decimal(payment.amount).normalize();
                assert!(row.state != RowState::Posted || row.total == Some(payment.amount), "{row:?}");
                ledger.insert(u64::try_from(id).unwrap(), (payment.header.reference.clone(), amount));
            }
        }
    }
    assert_eq!(ledger, remote, "our books on the left, Daftra's on the right");
    let by_reference: BTreeMap<String, String> =
        remote.values().map(|(reference, amount)| (key_of(reference), amount.to_string())).collect();
    assert_eq!(by_reference.len(), remote.len(), "one payment is there twice: {remote:?}");
    by_reference
}

/// `transaction/17` of `kwadi-55-transaction/17`: the ids are the sandbox's, so only the kind is told.
fn key_of(reference: &str) -> String {
    reference.splitn(3, '-').last().unwrap().to_owned()
}

fn amounts(stage: &Stage) -> Vec<String> {
    let mut all: Vec<String> = payments(stage).into_values().collect();
    all.sort();
    all
}

fn standing(stage: &Stage) -> Standing {
    stage.account("one", |account| {
        let invoice = account.documents(DocumentKind::Invoice).next().expect("an invoice").id;
        account.standing(invoice).unwrap()
    })
}

/// Status and what is unpaid, of the only invoice.
fn balance(stage: &Stage) -> (i8, String) {
    let standing = standing(stage);
    (standing.status, standing.unpaid.normalize().to_string())
}

fn cart(shelf: &[VariantId], units: u32, payment: Payment) -> Cart {
    Cart { payment, ..Cart::of(&[(shelf[2], units)]) }
}

fn holds(stage: &Stage) -> Vec<Hold> {
    match stage.order("1001").reason {
        Some(Reason::Held(holds)) => holds,
        other => panic!("not held: {other:?}"),
    }
}

#[track_caller]
fn assert_settled(stage: &Stage, what: &str) {
    let order = stage.order("1001");
    assert_eq!(order.state, State::Settled, "{what} {:?}", order.reason);
}

fn edit(shop: &mut Shop, order: OrderId, to: u32, stage: &Stage) -> Vec<Delivery> {
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    shop.edit(order, &[Edit::SetQuantity { line, to, restock: true }], stage.clock.now()).unwrap()
}

/// What a person or another program does over Daftra's own interface.
fn call(stage: &Stage, method: &str, path: &str, body: &Value) {
    let mut request = Request::new(method, &format!("/acct/one/api2/{path}")).with_header("apikey", "key-one");
    request.body = body.to_string().into_bytes();
    let now = stage.clock.now();
    let reaction = stage.network.world.lock().unwrap().react(&request, now);
    let qantara::sandbox::Reaction::Answer { answer, .. } = reaction else { panic!("no answer") };
    assert!(answer.status < 300, "{path}: {}", String::from_utf8_lossy(&answer.body));
}

#[test]
fn a_paid_order_is_a_paid_invoice() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let (_, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    assert_settled(&stage, "");
    assert_eq!((amounts(&stage), balance(&stage)), (vec!["698".to_owned()], (2, "0".to_owned())));
    stage.account("one", |account| {
        let payment = account.payments().next().unwrap();
        assert_eq!((payment.method.as_str(), payment.treasury_id, payment.status), ("bank", 1, 1));
        assert_eq!(payment.date.to_string(), "2026-06-17T12:00:00", "in the merchant's zone");
        assert_eq!(payment.notes, "#1001 bogus");
    });
    let told: Vec<Status> = stage.log().iter().map(|entry| entry.status).collect();
    assert_eq!(told, [Status::Success, Status::Updated]);
}

#[test]
fn cash_on_delivery_is_unpaid_until_the_courier_has_it() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let cart = Cart { gateway: COD.to_owned(), ..cart(&shelf, 1, Payment::Pending) };
    let (order, deliveries) = shop.buy(&cart, stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    assert_eq!((amounts(&stage).len(), balance(&stage)), (0, (0, "349".to_owned())));
    stage.pass(DAY);
    stage.deliver(&shop.pay(order, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    assert_eq!((amounts(&stage), balance(&stage)), (vec!["349".to_owned()], (2, "0".to_owned())));
    let method = stage.account("one", |account| account.payments().next().unwrap().method.clone());
    assert_eq!(method, "cash");
}

#[test]
fn in_whatever_order_the_shop_tells_it_the_money_is_there_once() {
    let mut keys = BTreeSet::new();
    for arrival in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let stage = stage();
        let (mut shop, shelf) = wadi();
        let (order, created) = shop.buy(&cart(&shelf, 2, Payment::Pending), stage.clock.now()).unwrap();
        let paid = shop.pay(order, stage.clock.now() + SignedDuration::from_secs(20)).unwrap();
        let pick = |all: &[Delivery], topic: &str| all.iter().find(|one| one.topic == topic).cloned().unwrap();
        let three = [created[0].clone(), pick(&paid, "orders/paid"), pick(&paid, "order_transactions/create")];
        for index in arrival {
            stage.deliver(std::slice::from_ref(&three[index]));
            stage.pass(SignedDuration::from_mins(20));
        }
        stage.deliver(&three);
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{arrival:?}"));
        assert_eq!((amounts(&stage), balance(&stage)), (vec!["698".to_owned()], (2, "0".to_owned())), "{arrival:?}");
        keys.extend(payments(&stage).into_keys().map(|key| key.split('/').next().unwrap().to_owned()));
    }
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["paid", "transaction"], "both ways were gone");
}

#[test]
fn whatever_happens_to_a_payment_it_is_there_once() {
    for kind in bad_days() {
        for times in 1..=2 {
            let stage = stage();
            let (mut shop, shelf) = wadi();
            let fault = Fault { times: Some(times), ..Fault::always(kind.clone()).on("POST", "invoice_payments") };
            stage.account("one", |account| account.add_fault(fault));
            let (_, deliveries) = shop.buy(&cart(&shelf, 1, Payment::Paid), stage.clock.now()).unwrap();
            stage.deliver(&deliveries);
            for _ in 0..=times {
                stage.until_idle(DAY);
                stage.try_again_if_held();
            }
            stage.until_idle(DAY);
            assert_settled(&stage, &format!("{kind:?}"));
            assert_eq!(amounts(&stage), ["349"], "{kind:?} {times} times");
        }
    }
}

/// Whatever happens on the way, also to the payment of a receipt, which is looked for in another way.
#[test]
fn whatever_happens_to_money_that_goes_back_it_is_there_once() {
    for kind in bad_days() {
        let stage = stage_with(AccountSetup::default(), PaymentRules { refunds: true, ..rules() });
        let (mut shop, shelf) = wadi();
        let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        stage.account("one", |account| account.add_fault(Fault::once(kind.clone()).on("POST", "invoice_payments")));
        let line = shop.what_is_left(order).unwrap()[0].line_id;
        let refund = Refund::of(&[(line, 1, Restock::Return)]);
        stage.deliver(&shop.refund(order, &refund, stage.clock.now()).unwrap());
        stage.until_idle(DAY);
        stage.try_again_if_held();
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{kind:?}"));
        assert_eq!(amounts(&stage), ["349", "698"], "{kind:?}");
        stage.account("one", |account| {
            let receipt = account.documents(DocumentKind::RefundReceipt).next().unwrap().id;
            let back: Vec<Decimal> = account.payments_of(receipt).map(|one| one.amount).collect();
            assert_eq!(back, [Decimal::from(349)], "{kind:?}");
        });
    }
}

#[test]
fn a_payment_that_went_with_our_put_comes_back_under_its_own_row() {
    for partial_put in [PartialPut::Drop, PartialPut::Keep] {
        let stage = stage_with(AccountSetup { partial_put, ..AccountSetup::default() }, rules());
        let (mut shop, shelf) = wadi();
        let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        let before = payments(&stage);
        for to in [3, 4, 2] {
            stage.deliver(&edit(&mut shop, order, to, &stage));
            stage.until_idle(DAY);
        }
        assert_settled(&stage, &format!("{partial_put:?}"));
        assert_eq!((payments(&stage), balance(&stage)), (before, (2, "0".to_owned())), "{partial_put:?}");
        let sent = stage.account("one", |account| account.calls().clone());
        let sent: u64 = sent
            .iter()
            .filter(|(call, _)| call.starts_with("POST") && call.contains("payments"))
            .map(|(_, n)| *n)
            .sum();
        assert_eq!(sent, if partial_put == PartialPut::Drop { 4 } else { 1 }, "{partial_put:?}");
    }
}

/// What was received is received: a PUT that takes the payment along changes neither that nor how much it was, whatever
/// the shop says of the order since.
#[test]
fn a_payment_on_the_shops_word_that_went_with_our_put_comes_back_as_it_was() {
    for (to, left) in [(3, (1, "349")), (1, (4, "-349"))] {
        let stage = stage_with(AccountSetup { partial_put: PartialPut::Drop, ..AccountSetup::default() }, rules());
        let (mut shop, shelf) = wadi();
        let (order, mut deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
        deliveries.retain(|delivery| delivery.topic != "order_transactions/create");
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        let before = payments(&stage);
        assert_eq!(before.keys().collect::<Vec<_>>(), ["paid"]);
        stage.deliver(&edit(&mut shop, order, to, &stage));
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{to} units"));
        assert_eq!((payments(&stage), balance(&stage)), (before, (left.0, left.1.to_owned())), "{to} units");
    }
}

/// After "try again" nothing counts as read back, and an edit that comes at the same time goes first.
#[test]
fn a_payment_that_is_to_be_read_back_comes_back_as_well() {
    let stage = stage_with(AccountSetup { partial_put: PartialPut::Drop, ..AccountSetup::default() }, rules());
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    stage.network.down.lock().unwrap().insert("one".to_owned());
    stage.try_again(&stage.order("1001"));
    stage.deliver(&edit(&mut shop, order, 3, &stage));
    stage.hand.rest();
    stage.network.down.lock().unwrap().clear();
    stage.until_idle(DAY);
    assert_settled(&stage, "");
    assert_eq!((amounts(&stage), balance(&stage)), (vec!["698".to_owned()], (1, "349".to_owned())));
}

/// A reversal would leave the payment on an invoice that counts no more.
#[test]
fn an_invoice_with_payments_is_not_reversed_without_a_person() {
    let stage = stage_with(AccountSetup { e_invoices: true, ..AccountSetup::default() }, rules());
    rules_of(&stage, |rules| rules.locked = LockedPolicy::NewInvoice);
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    stage.deliver(&edit(&mut shop, order, 3, &stage));
    stage.until_idle(DAY);
    assert!(matches!(holds(&stage)[..], [Hold::Locked { .. }]), "{:?}", holds(&stage));
    assert_eq!(stage.account("one", |account| account.documents(DocumentKind::RefundReceipt).count()), 0);
}

/// Three lamps are paid and all are taken off again, while the invoice for one of them cannot be changed any more: nothing
/// takes its place, and the shop keeps the money.
fn edited_to_nothing(payments: PaymentRules, bad_day: Option<&FaultKind>) -> (Stage, Shop, VariantId, OrderId) {
    let stage = stage_with(AccountSetup { e_invoices: true, ..AccountSetup::default() }, payments);
    rules_of(&stage, |rules| rules.locked = LockedPolicy::NewInvoice);
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 1, Payment::Pending), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let mut news = edit(&mut shop, order, 3, &stage);
    news.extend(shop.pay(order, stage.clock.now()).unwrap());
    news.extend(edit(&mut shop, order, 0, &stage));
    let fault = bad_day.map(|kind| Fault::once(kind.clone()).on("POST", "invoice_payments"));
    stage.account("one", |account| fault.into_iter().for_each(|fault| account.add_fault(fault)));
    let stage = at_once(stage, &news);
    assert_settled(&stage, &format!("{bad_day:?}"));
    assert_eq!((made(&stage), amounts(&stage)), ((1, 1), vec!["1047".to_owned()]), "{bad_day:?}");
    (stage, shop, shelf[2], order)
}

/// Invoices and receipts.
fn made(stage: &Stage) -> (usize, usize) {
    let count = |kind| stage.account("one", |account| account.documents(kind).count());
    (count(DocumentKind::Invoice), count(DocumentKind::RefundReceipt))
}

fn money_back(shop: &mut Shop, order: OrderId, amount: i64, stage: &Stage) -> Vec<Delivery> {
    let back = Refund { money: MoneyBack::Amount(Decimal::from(amount)), ..Refund::of(&[]) };
    shop.refund(order, &back, stage.clock.now()).unwrap()
}

fn order_again(shop: &mut Shop, order: OrderId, variant: VariantId, stage: &Stage) {
    let again = [Edit::AddLine { item: Item::Variant(variant), quantity: 2 }];
    stage.deliver(&shop.edit(order, &again, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
}

#[test]
fn what_is_kept_of_an_order_edited_to_nothing_is_on_its_reversed_invoice() {
    let refunds = || PaymentRules { refunds: true, ..rules() };
    for bad_day in [None, Some(FaultKind::LoseAnswer), Some(FaultKind::LoseRequest)] {
        let (stage, mut shop, lamp, order) = edited_to_nothing(refunds(), bad_day.as_ref());
        // What is ordered again is paid already, and what is given back of it was.
        order_again(&mut shop, order, lamp, &stage);
        stage.deliver(&money_back(&mut shop, order, 349, &stage));
        stage.until_idle(DAY);
        assert_settled(&stage, "");
        assert_eq!((made(&stage), amounts(&stage)), ((2, 1), vec!["-349".to_owned(), "1047".to_owned()]));
    }
    let (stage, mut shop, lamp, order) = edited_to_nothing(refunds(), None);
    stage.deliver(&money_back(&mut shop, order, 349, &stage));
    stage.until_idle(DAY);
    order_again(&mut shop, order, lamp, &stage);
    assert_settled(&stage, "it was paid too much, and what is ordered again is paid");
    assert_eq!((made(&stage), amounts(&stage)), ((2, 1), vec!["-349".to_owned(), "1047".to_owned()]));
    let (stage, mut shop, _, order) = edited_to_nothing(refunds(), None);
    stage.deliver(&money_back(&mut shop, order, 1047, &stage));
    stage.until_idle(DAY);
    assert_settled(&stage, "all of it went back");
    assert_eq!((made(&stage), amounts(&stage)), ((1, 1), vec!["-1047".to_owned(), "1047".to_owned()]));
    let (stage, mut shop, _, order) = edited_to_nothing(rules(), None);
    stage.deliver(&money_back(&mut shop, order, 1047, &stage));
    stage.until_idle(DAY);
    assert!(matches!(holds(&stage)[..], [Hold::PayBackByHand { .. }]), "{:?}", holds(&stage));
}

/// The life that is gone recorded what was kept, and then billed what was ordered again. The copy knows of neither.
#[test]
fn money_of_another_life_on_a_reversed_invoice_is_not_booked_on_the_next() {
    let stage = stage_with(AccountSetup { e_invoices: true, ..AccountSetup::default() }, rules());
    rules_of(&stage, |rules| rules.locked = LockedPolicy::NewInvoice);
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 1, Payment::Pending), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let mut more = edit(&mut shop, order, 3, &stage);
    more.extend(edit(&mut shop, order, 0, &stage));
    let stage = at_once(stage, &more);
    assert_eq!((made(&stage), amounts(&stage)), ((1, 1), vec![]));
    let copy = stage.back_up();
    let again = |units| [Edit::AddLine { item: Item::Variant(shelf[2]), quantity: units }];
    let mut kept = shop.edit(order, &again(2), stage.clock.now()).unwrap();
    kept.extend(shop.pay(order, stage.clock.now()).unwrap());
    kept.extend(edit(&mut shop, order, 0, &stage));
    let stage = at_once(stage, &kept);
    assert_eq!((made(&stage), amounts(&stage)), ((1, 1), vec!["698".to_owned()]));
    kept.extend(shop.edit(order, &again(1), stage.clock.now()).unwrap());
    let stage = at_once(stage, &kept);
    assert_eq!((made(&stage), amounts(&stage)), ((2, 1), vec!["698".to_owned()]));
    let stage = at_once(stage.restore(copy, HOUR), &kept);
    assert!(matches!(holds(&stage)[..], [Hold::SeveralFound { .. }, ..]), "{:?}", holds(&stage));
    assert_eq!(stage.account("one", |account| account.payments().count()), 1, "and a person is told");
}

/// All of it is known before anybody works on it.
fn at_once(stage: Stage, deliveries: &[Delivery]) -> Stage {
    let mut stage = stage.restart(SignedDuration::from_secs(1));
    stage.deliver(deliveries);
    stage.start();
    stage.until_idle(DAY);
    stage
}

/// What others wrote on an invoice outlives our edit. If Daftra drops their payments with it, a person is told at once.
#[test]
fn what_others_added_outlives_an_edit_or_is_missed() {
    let bad_days = [None, Some(FaultKind::LoseAnswer), Some(FaultKind::ErrorAfterSaving)];
    for (partial_put, fault) in
        [PartialPut::Keep, PartialPut::Drop].iter().flat_map(|put| bad_days.iter().map(move |day| (*put, day)))
    {
        let about = format!("{partial_put:?} {fault:?}");
        let stage = stage_with(AccountSetup { partial_put, ..AccountSetup::default() }, rules());
        let (mut shop, shelf) = wadi();
        let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        let now = stage.clock.now();
        let cash = |document| Hand::AddPayment { document, method: "cash".into(), amount: Decimal::from(20) };
        stage.account("one", |account| {
            let document = account.documents(DocumentKind::Invoice).next().unwrap().id;
            let (item, unit_price, quantity) = ("Gift wrap".to_owned(), Decimal::from(9), Decimal::ONE);
            for hand in [
                Hand::AddRow { document, item, unit_price, quantity },
                Hand::SetNotes { document, notes: "Ring twice".into() },
                Hand::AddCustomField { document, label: "Driver".into(), value: "Omar".into() },
                cash(document),
            ] {
                account.hand(hand, now).unwrap();
            }
            account.add_fault(Fault::once(fault.clone().unwrap_or(FaultKind::LoseRequest)).on("PUT", "invoices"));
        });
        stage.deliver(&edit(&mut shop, order, 3, &stage));
        stage.until_idle(DAY);
        let invoice = stage.account("one", |account| {
            assert_eq!(account.faults().len(), 0, "{about}");
            account.documents(DocumentKind::Invoice).next().unwrap().clone()
        });
        let rows: Vec<(&str, Decimal)> = invoice.items.iter().map(|item| (item.item.as_str(), item.quantity)).collect();
        assert_eq!((rows[0].1, rows[1]), (Decimal::from(3), ("Gift wrap", Decimal::ONE)), "{about}");
        assert!(invoice.text("notes").starts_with("Ring twice"), "{about}");
        assert_eq!(invoice.custom_fields[0].value, "Omar", "{about}");
        let theirs = |stage: &Stage| {
            let is_theirs = |one: &&qantara::sandbox::daftra::Payment| !one.transaction_id.starts_with("kwadi");
            stage.account("one", |account| account.payments_of(invoice.id).filter(is_theirs).count())
        };
        if partial_put == PartialPut::Drop {
            let [Hold::ChangedByHand { differences, .. }] = &holds(&stage)[..] else { panic!("{:?}", holds(&stage)) };
            let [Difference { what: DifferenceKind::Paid, ours, daftra }] = &differences[..] else {
                panic!("{differences:?}")
            };
            assert_eq!((ours.as_str(), daftra.as_str(), theirs(&stage)), ("20", "0", 0), "{about}");
            let now = stage.clock.now();
            stage.account("one", |account| account.hand(cash(invoice.id), now)).unwrap();
            stage.try_again(&stage.order("1001"));
            stage.until_idle(DAY);
        }
        assert_settled(&stage, &about);
        assert_eq!(theirs(&stage), 1, "{about}");
        // The money of the order is there as well, and an echo changes nothing of all that.
        stage.deliver(&shop.tag(order, "seen", stage.clock.now()).unwrap());
        stage.until_idle(DAY);
        assert_settled(&stage, &about);
        let paid =
            stage.account("one", |account| account.payments_of(invoice.id).map(|one| one.amount).sum::<Decimal>());
        assert_eq!(paid, Decimal::from(718), "{about}");
    }
}

/// Who does without the payment says so by trying again, and is asked once.
#[test]
fn a_payment_of_others_that_is_done_without_is_missed_once() {
    let stage = stage_with(AccountSetup { partial_put: PartialPut::Drop, ..AccountSetup::default() }, rules());
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Pending), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let now = stage.clock.now();
    stage.account("one", |account| {
        let document = account.documents(DocumentKind::Invoice).next().unwrap().id;
        account.hand(Hand::AddPayment { document, method: "cash".into(), amount: Decimal::from(20) }, now).unwrap();
    });
    stage.deliver(&edit(&mut shop, order, 3, &stage));
    stage.until_idle(DAY);
    assert!(matches!(holds(&stage)[..], [Hold::ChangedByHand { .. }]));
    for units in [3, 1] {
        stage.try_again(&stage.order("1001"));
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{units} units"));
        if units == 3 {
            stage.deliver(&edit(&mut shop, order, 1, &stage));
            stage.until_idle(DAY);
        }
    }
}

/// What somebody else booked on an invoice would stay there, too: a person is asked, and told of which payments.
#[test]
fn an_invoice_with_payments_of_others_is_not_reversed_without_a_person() {
    for fault in [None, Some(FaultKind::LoseAnswer), Some(FaultKind::TruncatedJson)] {
        let stage = stage_with(AccountSetup { e_invoices: true, ..AccountSetup::default() }, PaymentRules::default());
        rules_of(&stage, |rules| rules.locked = LockedPolicy::NewInvoice);
        let (mut shop, shelf) = wadi();
        let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        let invoice = stage.account("one", |account| account.documents(DocumentKind::Invoice).next().unwrap().id);
        let fields =
            json!({"invoice_id": invoice, "payment_method": "bank", "amount": 100, "transaction_id": "cheque"});
        call(&stage, "POST", "invoice_payments", &json!({ "InvoicePayment": fields }));
        let id = stage.account("one", |account| account.payments().next().unwrap().id);
        // The second reading is the one before the reversal: the first says that the edit did not come to pass.
        let fault = fault.map(|kind| Fault::once(kind).on("GET", "invoices").after(2));
        stage.account("one", |account| fault.into_iter().for_each(|fault| account.add_fault(fault)));
        stage.deliver(&edit(&mut shop, order, 3, &stage));
        stage.until_idle(DAY);
        assert_eq!(stage.account("one", |account| account.faults().len()), 0, "the bad day came");
        let kept = i64::try_from(id).unwrap();
        let [Hold::Locked { payments, .. }] = &holds(&stage)[..] else { panic!("{:?}", holds(&stage)) };
        assert_eq!(*payments, [kept].into());
        let count = |kind| stage.account("one", |account| account.documents(kind).count());
        assert_eq!((count(DocumentKind::Invoice), count(DocumentKind::RefundReceipt)), (1, 0));
        // A person takes it off, and tries again.
        call(&stage, "DELETE", &format!("invoice_payments/{id}"), &json!({}));
        stage.try_again(&stage.order("1001"));
        stage.until_idle(DAY);
        assert_settled(&stage, "");
        assert_eq!((count(DocumentKind::Invoice), count(DocumentKind::RefundReceipt)), (2, 1));
    }
}

#[test]
fn what_is_paid_too_much_shows_as_overpaid_and_what_is_paid_short_as_unpaid() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    stage.deliver(&edit(&mut shop, order, 1, &stage));
    stage.until_idle(DAY);
    assert_eq!((amounts(&stage), balance(&stage)), (vec!["698".to_owned()], (4, "-349".to_owned())));
    assert!(format!("{:?}", stage.order("1001").trace).contains("Overpaid"));
    stage.deliver(&edit(&mut shop, order, 3, &stage));
    stage.until_idle(DAY);
    assert_eq!(balance(&stage), (1, "349".to_owned()));
    assert_settled(&stage, "");
    assert!(format!("{:?}", stage.order("1001").trace).contains("PartiallyPaid"));
    stage.deliver(&shop.pay(order, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert_eq!((amounts(&stage), balance(&stage)), (vec!["349".to_owned(), "698".to_owned()], (2, "0".to_owned())));
}

#[test]
fn a_payment_that_daftra_refuses_holds_up_nothing_and_is_tried_again_alone() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    stage.account("one", |account| give_methods(account, false));
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    assert!(matches!(&holds(&stage)[..], [Hold::Refused { .. }]), "{:?}", holds(&stage));
    stage.deliver(&edit(&mut shop, order, 3, &stage));
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    stage.deliver(&shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    let documents = stage.account("one", |account| {
        let total = |kind| account.documents(kind).map(|one| one.totals.total.normalize().to_string()).collect();
        let (invoices, receipts): (Vec<String>, Vec<String>) =
            (total(DocumentKind::Invoice), total(DocumentKind::RefundReceipt));
        give_methods(account, true);
        (invoices, receipts)
    });
    assert_eq!(documents, (vec!["1047".to_owned()], vec!["349".to_owned()]), "edit and refund went on");
    stage.try_again_if_held();
    stage.until_idle(DAY);
    assert_settled(&stage, "");
    // The money for one lamp went back before it was ever recorded, and the third lamp is still owed.
    assert_eq!((amounts(&stage), balance(&stage)), (vec!["349".to_owned()], (1, "349".to_owned())));
}

#[test]
fn a_payment_that_somebody_took_out_is_not_put_back() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let id = stage.account("one", |account| account.payments().next().unwrap().id);
    call(&stage, "DELETE", &format!("invoice_payments/{id}"), &json!({}));
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    assert!(matches!(&holds(&stage)[..], [Hold::Gone { reference }] if reference.contains("transaction/")));
    // What is to be done about the invoice goes on all the same.
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    stage.deliver(&shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert!(matches!(&holds(&stage)[..], [Hold::Gone { .. }]));
    let (payments, receipts) = stage
        .account("one", |account| (account.payments().count(), account.documents(DocumentKind::RefundReceipt).count()));
    assert_eq!((payments, receipts), (0, 1));
}

#[test]
fn a_payment_that_somebody_changed_is_shown_with_both_sides() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let (_, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let id = stage.account("one", |account| account.payments().next().unwrap().id);
    let now = stage.clock.now();
    let change = Hand::ChangePayment { payment: id, amount: Decimal::from(600) };
    stage.account("one", |account| account.hand(change, now)).unwrap();
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    let [Hold::ChangedByHand { differences, .. }] = &holds(&stage)[..] else { panic!("{:?}", holds(&stage)) };
    assert_eq!((differences[0].ours.as_str(), differences[0].daftra.as_str()), ("698.00", "600"), "payment {id}");
}

/// The same money under a reference that our books do not know: another life of the database sent it.
#[test]
fn money_of_another_life_is_not_booked_beside_it() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    stage.account("one", |account| {
        account.add_fault(Fault::once(FaultKind::LoseRequest).on("POST", "invoice_payments"));
    });
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    let created = deliveries.iter().find(|one| one.topic == "orders/create").unwrap();
    stage.deliver(std::slice::from_ref(created));
    stage.pass(SignedDuration::from_secs(30));
    let invoice = stage.account("one", |account| account.documents(DocumentKind::Invoice).next().unwrap().id);
    let reference = format!("kwadi-{}-transaction/77", order.0);
    let fields = json!({"invoice_id": invoice, "payment_method": "bank", "amount": 698, "transaction_id": reference});
    call(&stage, "POST", "invoice_payments", &json!({ "InvoicePayment": fields }));
    stage.until_idle(DAY);
    assert!(matches!(&holds(&stage)[..], [Hold::SeveralFound { reference, .. }] if reference.ends_with("paid")));
    assert_eq!(stage.account("one", |account| account.payments().count()), 1);
}

/// The copy that is put back knows nothing of the payment; by the time the shop tells of it all money is back.
#[test]
fn money_of_another_life_is_looked_for_before_what_went_back_is_taken_off_it() {
    let stage = stage_with(AccountSetup::default(), PaymentRules { refunds: true, ..rules() });
    let copy = stage.back_up();
    let (mut shop, shelf) = wadi();
    let (order, mut deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    assert_eq!(amounts(&stage), ["698"]);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let refund = Refund::of(&[(line, 2, Restock::Return)]);
    deliveries.extend(shop.refund(order, &refund, stage.clock.now()).unwrap());
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    stage.deliver(&deliveries);
    stage.until_idle(DAY);
    assert_settled(&stage, "");
    assert_eq!(amounts(&stage), ["698", "698"], "it came, and it went back");
}

/// The life that is gone recorded the word, and then the riyal that went back. The next one meets them the other way round.
#[test]
fn the_word_of_another_life_is_looked_for_as_if_nothing_had_gone_back() {
    let mut stage = Stage::new(Plan::default());
    let merchant_id = stage.add(&Cast::default());
    record(&stage, merchant_id, PaymentRules { refunds: true, ..rules() });
    leave_out_kindness(&stage, merchant_id);
    stage.start();
    let (mut shop, shelf) = wadi();
    let (order, bought) = shop.buy(&cart(&shelf, 2, Payment::Pending), stage.clock.now()).unwrap();
    stage.deliver(&bought);
    stage.until_idle(HOUR);
    let copy = stage.back_up();
    let (money, word): (Vec<_>, Vec<_>) = shop
        .pay(order, stage.clock.now())
        .unwrap()
        .into_iter()
        .partition(|one| one.topic.starts_with("order_transactions"));
    stage.deliver(&word);
    stage.until_idle(HOUR);
    let kindness = Refund { money: MoneyBack::Amount(Decimal::ONE), ..Refund::of(&[]) };
    let given = shop.refund(order, &kindness, stage.clock.now()).unwrap();
    stage.deliver(&money);
    stage.deliver(&given);
    stage.until_idle(HOUR);
    assert_eq!(amounts(&stage), ["-1", "698"]);
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    for deliveries in [given, word, money] {
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
    }
    stage.until_idle(DAY);
    assert_settled(&stage, "");
    assert_eq!(amounts(&stage), ["-1", "698"], "as before");
}

/// The life that is gone replaced the invoice, and its payment went along and came back under another id.
#[test]
fn a_payment_that_another_life_sent_again_is_known_by_its_reference() {
    let stage = stage_with(AccountSetup { partial_put: PartialPut::Drop, ..AccountSetup::default() }, rules());
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let copy = stage.back_up();
    let id = |stage: &Stage| stage.account("one", |account| account.payments().next().map(|payment| payment.id));
    let first = id(&stage);
    stage.deliver(&edit(&mut shop, order, 3, &stage));
    stage.until_idle(HOUR);
    assert!(id(&stage) != first && amounts(&stage) == ["698"], "the test needs the payment under another id");
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    stage.deliver(&shop.tag(order, "vip", stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert!(matches!(holds(&stage)[..], [Hold::ChangedByHand { .. }]), "{:?}", holds(&stage));
    assert_eq!(amounts(&stage), ["698"], "the payment is ours");
}

/// Nobody replaced the invoice since the copy: its payment was taken out by a person.
#[test]
fn a_payment_that_is_missing_after_a_restore_is_not_put_back() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let copy = stage.back_up();
    let id = stage.account("one", |account| account.payments().next().unwrap().id);
    call(&stage, "DELETE", &format!("invoice_payments/{id}"), &json!({}));
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    stage.deliver(&shop.tag(order, "vip", stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert!(matches!(&holds(&stage)[..], [Hold::Gone { reference }] if reference.contains("transaction/")));
    assert_eq!(stage.account("one", |account| account.payments().count()), 0);
}

/// In the copy that is put back the payment waits for Daftra's patience; the life that is gone sent it.
#[test]
fn a_payment_that_is_given_up_after_a_restore_is_looked_for_first() {
    let stage = stage_with(AccountSetup::default(), PaymentRules { refunds: true, ..rules() });
    stage.account("one", |account| {
        let patience = FaultKind::Throttled { retry_after: Some(1_800) };
        account.add_fault(Fault::once(patience).on("POST", "invoice_payments"));
    });
    let (mut shop, shelf) = wadi();
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.pass(SignedDuration::from_mins(5));
    assert_eq!(amounts(&stage), Vec::<String>::new());
    let copy = stage.back_up();
    stage.until_idle(HOUR);
    assert_eq!(amounts(&stage), ["698"]);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let refund = Refund::of(&[(line, 2, Restock::Return)]);
    let back = shop.refund(order, &refund, stage.clock.now()).unwrap();
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    stage.deliver(&back);
    stage.until_idle(DAY);
    assert_settled(&stage, "");
    assert_eq!(amounts(&stage), ["698", "698"]);
}

/// The shop says "paid" of an order that an edit has made smaller, and only then of how much.
#[test]
fn of_a_transaction_that_brought_more_than_the_word_the_rest_is_booked() {
    for partial_put in [PartialPut::Drop, PartialPut::Keep] {
        let stage = stage_with(AccountSetup { partial_put, ..AccountSetup::default() }, rules());
        let (mut shop, shelf) = wadi();
        let (order, deliveries) = shop.buy(&cart(&shelf, 3, Payment::Paid), stage.clock.now()).unwrap();
        let (money, word): (Vec<_>, Vec<_>) =
            deliveries.into_iter().partition(|one| one.topic.starts_with("order_transactions"));
        stage.deliver(&word);
        stage.deliver(&edit(&mut shop, order, 2, &stage));
        stage.until_idle(HOUR);
        assert_eq!(amounts(&stage), ["698"], "{partial_put:?}");
        stage.deliver(&money);
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{partial_put:?}"));
        assert_eq!(amounts(&stage), ["349", "698"], "{partial_put:?}");
        // Another edit takes both along, and both come back.
        stage.deliver(&edit(&mut shop, order, 1, &stage));
        stage.until_idle(DAY);
        let sum: Decimal = amounts(&stage).iter().map(|amount| amount.parse::<Decimal>().unwrap()).sum();
        assert_eq!(sum, Decimal::from(1047), "{partial_put:?}");
    }
}

/// One unit is paid, and a riyal of it goes back as a kindness that no document tells of. The body that says "paid" was
/// written before that, and the shop tells of the money itself last.
#[test]
fn a_word_that_is_older_than_money_that_went_back_does_not_speak_of_it() {
    for knows_before_it_writes in [true, false] {
        let mut stage = Stage::new(Plan::default());
        let merchant_id = stage.add(&Cast::default());
        record(&stage, merchant_id, PaymentRules { refunds: true, ..rules() });
        leave_out_kindness(&stage, merchant_id);
        let (mut shop, shelf) = wadi();
        let (order, bought) = shop.buy(&cart(&shelf, 1, Payment::Paid), stage.clock.now()).unwrap();
        let kindness = Refund { money: MoneyBack::Amount(Decimal::ONE), ..Refund::of(&[]) };
        let given = shop.refund(order, &kindness, stage.clock.now()).unwrap();
        let (first, rest): (Vec<_>, Vec<_>) =
            bought.into_iter().chain(given).partition(|one| ["orders/create", "refunds/create"].contains(&&*one.topic));
        let [word, record] = &first[..] else { panic!("{}", first.len()) };
        stage.deliver(std::slice::from_ref(word));
        if knows_before_it_writes {
            stage.deliver(std::slice::from_ref(record));
        }
        stage.start();
        stage.until_idle(HOUR);
        let by_word = if knows_before_it_writes { vec![] } else { vec!["349"] };
        assert_eq!(amounts(&stage), by_word, "the record is known: {knows_before_it_writes}");
        stage.deliver(std::slice::from_ref(record));
        stage.until_idle(HOUR);
        stage.deliver(&rest);
        stage.until_idle(DAY);
        assert_settled(&stage, "");
        let kept = if knows_before_it_writes { vec!["348"] } else { vec!["-1", "349"] };
        assert_eq!(amounts(&stage), kept, "the record was known: {knows_before_it_writes}");
    }
}

/// Two merchants of one shop, each with an account of the same name.
fn shared_stage() -> Stage {
    let accounts = ["a", "b"].map(|name| AccountSetup { name: name.into(), ..AccountSetup::default() });
    let mut stage = Stage::new(Plan { accounts: accounts.into(), ..Plan::default() });
    for (slug, vendor) in [("a", "Wadi Home"), ("b", "عطور نجد")] {
        let vendors = [vendor];
        let id = stage.add(&Cast { slug, account: slug, vendors: &vendors, ..Cast::default() });
        record(&stage, id, rules());
    }
    stage.start();
    stage
}

fn paid_to(stage: &Stage, name: &str) -> Vec<String> {
    stage.account(name, |account| account.payments().map(|one| one.amount.normalize().to_string()).collect())
}

#[test]
fn merchants_who_share_an_order_each_get_their_part_when_it_is_paid() {
    let stage = shared_stage();
    let (mut shop, shelf) = wadi();
    let both = Cart { payment: Payment::Pending, ..Cart::of(&[(shelf[2], 1), (shelf[5], 2)]) };
    let (order, deliveries) = shop.buy(&both, stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    assert!(paid_to(&stage, "a").is_empty() && paid_to(&stage, "b").is_empty());
    stage.deliver(&shop.pay(order, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    for name in ["a", "b"] {
        let total =
            stage.account(name, |account| account.documents(DocumentKind::Invoice).next().unwrap().totals.total);
        assert_eq!(paid_to(&stage, name), [total.normalize().to_string()], "{name}");
    }
}

/// "Partially refunded" is said as soon as anything went back, also of an order that was never paid in full.
#[test]
fn a_share_is_not_paid_while_something_is_owed_for_the_order() {
    let stage = shared_stage();
    let (mut shop, shelf) = wadi();
    let part = Payment::Part(Decimal::from(100));
    let both = Cart { payment: part, ..Cart::of(&[(shelf[2], 1), (shelf[6], 2)]) };
    let (order, deliveries) = shop.buy(&both, stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let line = shop.what_is_left(order).unwrap()[1].line_id;
    stage.deliver(&shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert_eq!(shop.order_body(order).unwrap()["financial_status"], "partially_refunded");
    assert!(paid_to(&stage, "a").is_empty() && paid_to(&stage, "b").is_empty());
    stage.deliver(&shop.pay(order, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert_eq!((paid_to(&stage, "a"), paid_to(&stage, "b")), (vec!["349".to_owned()], vec!["43.33".to_owned()]));
}

/// A merchant who invoices what is paid goes by the money where the shop tells of it.
#[test]
fn an_order_of_which_a_part_was_paid_and_a_part_went_back_waits_for_the_rest() {
    let stage = stage();
    rules_of(&stage, |rules| rules.trigger = Trigger::Paid);
    let (mut shop, shelf) = wadi();
    let part = Payment::Part(Decimal::from(400));
    let (order, deliveries) = shop.buy(&cart(&shelf, 2, part), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    stage.deliver(&shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert_eq!(shop.order_body(order).unwrap()["financial_status"], "partially_refunded");
    assert_eq!(stage.order("1001").state, State::Waiting);
    stage.deliver(&shop.pay(order, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert_settled(&stage, "");
    assert_eq!(balance(&stage), (2, "0".to_owned()));
}

#[test]
fn shadow_shows_the_payment_and_writes_none() {
    let mut stage = Stage::new(Plan::default());
    let merchant_id = stage.add(&Cast::default());
    record(&stage, merchant_id, rules());
    stage.start();
    let (mut shop, shelf) = wadi();
    let (_, deliveries) = shop.buy(&cart(&shelf, 1, Payment::Pending), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let to_shadow = move |tx: &rusqlite::Transaction<'_>| {
        let mut merchant = merchant::get(tx, merchant_id)?;
        merchant.mode = Mode::Shadow;
        merchant.live_from = None;
        merchant::change(tx, &merchant)
    };
    stage.db.write(to_shadow).unwrap();
    let id = stage.orders()[0].remote_id;
    stage.deliver(&shop.pay(OrderId(u64::try_from(id).unwrap()), stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Shadow);
    assert!(format!("{:?}", stage.order("1001").trace).contains("WouldDo"));
    assert_eq!(stage.account("one", |account| account.payments().count()), 0);
}

/// The process ends between sending and hearing, at every call of an order with two payments.
#[test]
fn an_end_of_the_process_at_any_time_leaves_each_payment_once() {
    for milliseconds in (0..900).step_by(60) {
        let mut stage = stage();
        let (mut shop, shelf) = wadi();
        let (order, deliveries) = shop.buy(&cart(&shelf, 1, Payment::Paid), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        let more = edit(&mut shop, order, 2, &stage);
        stage.deliver(&more);
        stage.deliver(&shop.pay(order, stage.clock.now()).unwrap());
        stage.pass(SignedDuration::from_millis(milliseconds));
        stage = stage.restart(SignedDuration::from_secs(5));
        stage.start();
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{milliseconds} ms"));
        assert_eq!(amounts(&stage), ["349", "349"], "{milliseconds} ms");
        let waiting = stage.db.read(|c| order::list(c, order::Filter::default(), 10)).unwrap();
        assert!(waiting.iter().all(|order| order.state == State::Settled));
    }
}

#[test]
fn what_the_account_does_not_have_is_told_before_a_payment_is_refused() {
    let mut stage = Stage::new(Plan::default());
    let merchant_id = stage.add(&Cast::default());
    let mut payments = rules();
    let odd = GatewayRule { method: "barter".to_owned(), treasury_id: Some(9) };
    payments.gateways.insert("goats".to_owned(), odd);
    record(&stage, merchant_id, payments);
    stage.start();
    stage.pass(SignedDuration::from_secs(5));
    let open = |stage: &Stage| {
        let alerts = stage.db.read(alert::open).unwrap();
        alerts.into_iter().map(|alert| (alert.cause, alert.subject)).collect::<BTreeSet<_>>()
    };
    let told = |subject: &str| ("payments".to_owned(), format!("merchant {merchant_id}: {subject}"));
    assert_eq!(open(&stage), [told("barter"), told("treasury 9")].into());
    record(&stage, merchant_id, rules());
    let mut stage = stage.restart(SignedDuration::from_secs(5));
    stage.start();
    stage.pass(SignedDuration::from_secs(5));
    assert_eq!(open(&stage), [].into());
}

#[test]
fn a_payment_in_doubt_does_not_delay_an_edit() {
    for partial_put in [PartialPut::Drop, PartialPut::Keep] {
        let stage = stage_with(AccountSetup { partial_put, ..AccountSetup::default() }, rules());
        let (mut shop, shelf) = wadi();
        stage.account("one", |account| {
            account.add_fault(Fault::once(FaultKind::LoseAnswer).on("POST", "invoice_payments"));
        });
        let (order, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.pass(SignedDuration::from_secs(10));
        assert_eq!(stage.order("1001").state, State::Waiting);
        stage.deliver(&edit(&mut shop, order, 3, &stage));
        stage.pass(SignedDuration::from_secs(10));
        assert_eq!(standing(&stage).paid + standing(&stage).unpaid, Decimal::from(3 * 349), "edited at once");
        stage.until_idle(DAY);
        assert_settled(&stage, &format!("{partial_put:?}"));
        assert_eq!(amounts(&stage), ["698"], "{partial_put:?}");
    }
}

#[test]
fn an_invoice_that_somebody_deleted_is_not_asked_for_its_payments() {
    let stage = stage();
    let (mut shop, shelf) = wadi();
    let (_, deliveries) = shop.buy(&cart(&shelf, 2, Payment::Paid), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let now = stage.clock.now();
    stage.account("one", |account| {
        let document = account.documents(DocumentKind::Invoice).next().unwrap().id;
        account.hand(Hand::Delete { document }, now).unwrap();
    });
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    assert!(matches!(&holds(&stage)[..], [Hold::Gone { reference }] if reference.ends_with("-order")));
    assert_eq!(stage.order("1001").failures, 0);
}

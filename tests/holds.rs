//! What waits for a person or for the warehouse: every hold, what people decide about it, and what comes of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use std::collections::BTreeSet;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::class::{self, Class};
use qantara::db::merchant::{self, Mode};
use qantara::db::order::{Overview, State};
use qantara::db::{document, ruling};
use qantara::desk::{MappingRow, Wish};
use qantara::domain::document::{Document, State as DocumentState};
use qantara::domain::reason::{Hold, Ignored, Reason, Unmoved, Waiting};
use qantara::domain::rules::{LockedPolicy, Rules};
use qantara::domain::ruling::Ruling;
use qantara::engine::worker::Step;
use qantara::sandbox::daftra::{AccountSetup, DocumentKind, Hand, Product};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{
    CancelHow, Cart, Edit, Item, LineId, OrderId, Payment, Product as Ware, Refund, Restock, VariantId,
};
use rust_decimal::Decimal;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// What the third variant of the shelf is in Daftra.
const LAMP: u64 = 102;

fn wadi(seed: u64) -> (Shop, Vec<VariantId>) {
    shop("wadi.myshopify.com", "hush", seed)
}

/// A running stage whose account and merchant differ from the usual ones.
fn stage(setup: AccountSetup, change: impl FnOnce(&mut Rules) + Send + 'static) -> Stage {
    let mut stage = Stage::new(Plan { accounts: vec![setup], ..Plan::default() });
    let id = stage.add(&Cast::default());
    rules(&stage, id, change);
    stage.start();
    stage
}

fn rules(stage: &Stage, id: i64, change: impl FnOnce(&mut Rules) + Send + 'static) {
    let changed = stage.db.write(move |tx| {
        let mut merchant = merchant::get(tx, id)?;
        change(&mut merchant.rules);
        merchant::change(tx, &merchant)
    });
    changed.unwrap();
}

fn buy(stage: &Stage, shop: &mut Shop, variant: VariantId, units: u32) -> OrderId {
    let (order, deliveries) = shop.buy(&Cart::of(&[(variant, units)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(SignedDuration::from_mins(5));
    order
}

fn only_line(shop: &Shop, order: OrderId) -> LineId {
    shop.what_is_left(order).unwrap()[0].line_id
}

fn set_quantity(stage: &Stage, shop: &mut Shop, order: OrderId, to: u32) {
    let edits = [Edit::SetQuantity { line: only_line(shop, order), to, restock: true }];
    stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
}

fn hand(stage: &Stage, hand: impl FnOnce(u64) -> Hand) {
    let now = stage.clock.now();
    let done = stage.account("one", |account| {
        let invoice = account.documents(DocumentKind::Invoice).last().unwrap().id;
        account.hand(hand(invoice), now)
    });
    done.unwrap();
}

/// What left the first warehouse.
fn gone_from_stock(stage: &Stage, product: u64) -> Decimal {
    stage.account("one", |account| Decimal::from(100_000) - account.stock(product, 1))
}

/// Invoices and receipts that count.
fn counted(stage: &Stage) -> (usize, usize) {
    stage.account("one", |account| {
        let count = |kind| account.documents(kind).filter(|document| document.counts()).count();
        (count(DocumentKind::Invoice), count(DocumentKind::RefundReceipt))
    })
}

fn ledger(stage: &Stage, order: &Overview) -> Vec<Document> {
    stage.db.read(|c| document::of_order(c, order.id)).unwrap()
}

fn class_of(stage: &Stage, order: &Overview) -> Class {
    stage.db.read(|c| class::of(c, order)).unwrap()
}

fn unmoved(order: &Overview) -> Vec<Unmoved> {
    match &order.reason {
        Some(Reason::Waiting(Waiting::StockPending { why, .. })) => why.iter().copied().collect(),
        other => panic!("{} does not wait for its stock: {other:?}", order.name),
    }
}

fn holds(order: &Overview) -> &[Hold] {
    match &order.reason {
        Some(Reason::Held(holds)) => holds,
        other => panic!("{} is not held: {other:?}", order.name),
    }
}

fn posts(stage: &Stage, resource: &str) -> u64 {
    stage.account("one", |account| account.calls().get(&format!("POST {resource}")).copied().unwrap_or_default())
}

fn lamp(tracked: bool) -> Product {
    let code = "WH-2040".to_owned();
    Product { id: LAMP, name: "Lamp".into(), product_code: code, track_stock: tracked, ..Product::default() }
}

/// Of every state with every reason; what was settled is told by what its documents leave.
#[test]
fn every_order_is_in_exactly_one_class() {
    let reference = || "k-1-order".to_owned();
    let waiting = [
        (Waiting::Settling { reference: reference() }, Class::InDoubt),
        (Waiting::LookingAgain { reference: reference() }, Class::InDoubt),
        (Waiting::CancelRecord, Class::Waiting),
        (Waiting::OrderBehind { refund: 1 }, Class::Waiting),
        (Waiting::MoneyUnderWay { refund: 1 }, Class::Waiting),
        (Waiting::NotPaid, Class::Waiting),
        (Waiting::NotFulfilled, Class::Waiting),
        (Waiting::StockPending { reference: reference(), why: [Unmoved::Draft].into() }, Class::Invoiced),
    ];
    let others = [
        (State::New, Class::InWork),
        (State::Working, Class::InWork),
        (State::Ignored, Class::Ignored),
        (State::Shadow, Class::Shadow),
        (State::Held, Class::Held),
        (State::Failed, Class::Failed),
        (State::Settled, Class::Cancelled),
    ];
    let mut met = BTreeSet::new();
    for (why, expected) in waiting {
        let reason = Reason::Waiting(why);
        assert_eq!(class::class(State::Waiting, Some(&reason), &[]), expected, "{reason:?}");
        met.insert(expected);
        // The reason of a wait says nothing of an order that does not wait.
        for (state, expected) in others {
            assert_eq!(class::class(state, Some(&reason), &[]), expected, "{state:?}");
            met.insert(expected);
        }
    }
    assert_eq!(met, Class::ALL.into(), "each is some order's");
}

#[test]
fn an_invoice_with_a_requisition_waits_until_the_warehouse_confirms_it() {
    let stage = stage(AccountSetup { requisitions: true, ..AccountSetup::default() }, |_| {});
    let (mut shop, shelf) = wadi(1);
    buy(&stage, &mut shop, shelf[2], 3);
    let pending = stage.order("1001");
    assert_eq!(unmoved(&pending), [Unmoved::Requisition]);
    assert_eq!((class_of(&stage, &pending), gone_from_stock(&stage, LAMP)), (Class::Invoiced, 0.into()));
    stage.pass(HOUR * 5);
    assert_eq!(unmoved(&stage.order("1001")), [Unmoved::Requisition], "asked again, and still so");
    hand(&stage, |document| Hand::AcceptRequisition { document });
    stage.pass(HOUR);
    let settled = stage.order("1001");
    assert_eq!(settled.state, State::Settled, "{:?}", settled.reason);
    assert_eq!((gone_from_stock(&stage, LAMP), counted(&stage)), (3.into(), (1, 0)));
    assert_eq!(settled.due_at, None, "nothing is asked any more");
}

#[test]
fn what_is_given_back_wholly_is_not_waited_for() {
    let stage = stage(AccountSetup { requisitions: true, ..AccountSetup::default() }, |_| {});
    let (mut shop, shelf) = wadi(1);
    let order = buy(&stage, &mut shop, shelf[2], 1);
    assert_eq!(unmoved(&stage.order("1001")), [Unmoved::Requisition]);
    let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
    stage.deliver(&shop.cancel(order, &how, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    let cancelled = stage.order("1001");
    assert_eq!((cancelled.state, class_of(&stage, &cancelled)), (State::Settled, Class::Cancelled));
}

#[test]
fn a_product_without_stock_is_proven_by_the_movement_itself() {
    let stage = stage(AccountSetup::default(), |_| {});
    stage.account("one", |account| account.add_product(lamp(false)));
    let (mut shop, shelf) = wadi(1);
    buy(&stage, &mut shop, shelf[2], 2);
    assert_eq!(unmoved(&stage.order("1001")), [Unmoved::Untracked(102)]);
    // To keep stock of it from now on moves nothing that was sold before.
    stage.account("one", |account| account.add_product(lamp(true)));
    stage.pass(DAY);
    assert_eq!(unmoved(&stage.order("1001")), [Unmoved::Untracked(102)]);
    // Saving the invoice anew does.
    hand(&stage, |document| Hand::SetNotes { document, notes: "stock is kept now".into() });
    stage.pass(DAY);
    assert_eq!(stage.order("1001").state, State::Settled);
    assert_eq!(gone_from_stock(&stage, LAMP), 2.into());
}

#[test]
fn a_draft_waits_to_be_issued() {
    let stage = stage(AccountSetup::default(), |rules| rules.draft = true);
    let (mut shop, shelf) = wadi(1);
    buy(&stage, &mut shop, shelf[2], 1);
    assert_eq!(unmoved(&stage.order("1001")), [Unmoved::Draft]);
}

#[test]
fn what_lacks_stock_is_held_with_what_is_missing_and_tried_every_hour() {
    let stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    let now = stage.clock.now();
    stage.account("one", |account| account.add_stock(LAMP, 1, Decimal::from(-99_998), now));
    buy(&stage, &mut shop, shelf[2], 3);
    let held = stage.order("1001");
    let [Hold::NotEnoughStock { shortages, .. }] = holds(&held) else { panic!("{:?}", held.reason) };
    let [short] = shortages.as_slice() else { panic!("{shortages:?}") };
    assert_eq!((short.product_id, short.store_id, short.wanted, short.available), (102, 1, 3, 2.into()));
    assert_eq!(posts(&stage, "invoices"), 1);
    stage.pass(HOUR * 2);
    assert_eq!((posts(&stage, "invoices"), stage.order("1001").state), (3, State::Held), "once every hour");
    let told = stage.log().iter().filter(|entry| entry.order_name == "#1001").count();
    assert_eq!(told, 1, "the same hold is told once");
    let now = stage.clock.now();
    stage.account("one", |account| account.add_stock(LAMP, 1, Decimal::from(10), now));
    stage.pass(HOUR);
    assert_eq!((stage.order("1001").state, counted(&stage)), (State::Settled, (1, 0)));
}

/// The time to try it again is over, and something else holds the order: nobody comes back at once, for ever.
#[test]
fn what_lacks_stock_and_is_held_for_more_comes_to_rest() {
    let mut stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    let now = stage.clock.now();
    stage.account("one", |account| account.add_stock(LAMP, 1, Decimal::from(-99_998), now));
    let order = buy(&stage, &mut shop, shelf[2], 3);
    assert!(matches!(holds(&stage.order("1001")), [Hold::NotEnoughStock { .. }]));
    stage.stop();
    let item = Item::Custom { title: "Engraving".to_owned(), price: Decimal::TEN, taxable: true };
    stage.deliver(&shop.edit(order, &[Edit::AddLine { item, quantity: 1 }], stage.clock.now()).unwrap());
    stage.hand.advance(HOUR * 2);
    let is_at_rest = (0..20).any(|_| matches!(stage.engine.work_once(), Step::Idle(at) if at > stage.clock.now()));
    assert!(is_at_rest, "it is worked on for ever: {:?}", stage.order("1001"));
    assert!(matches!(holds(&stage.order("1001")), [Hold::CustomLine { .. }]));
}

/// The process ends, or no answer comes, between Daftra's no and the question whether it was for want of stock.
#[test]
fn whether_a_refusal_was_for_want_of_stock_is_asked_whatever_happens() {
    let short = |fault: Option<Fault>| {
        let stage = stage(AccountSetup::default(), |_| {});
        let now = stage.clock.now();
        stage.account("one", |account| {
            account.add_stock(LAMP, 1, Decimal::from(-99_998), now);
            fault.into_iter().for_each(|fault| account.add_fault(fault));
        });
        let (mut shop, shelf) = wadi(1);
        let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage
    };
    let mut was_cut_off = false;
    for milliseconds in (0..400).step_by(10) {
        let stage = short(None);
        stage.pass(SignedDuration::from_millis(milliseconds));
        let mut stage = stage.restart(SignedDuration::from_secs(5));
        let order = stage.orders().pop().unwrap();
        was_cut_off |=
            ledger(&stage, &order).iter().any(|one| one.state == DocumentState::Refused && one.finding.is_none());
        stage.start();
        stage.pass(SignedDuration::from_mins(15));
        let held = stage.order("1001");
        assert!(matches!(holds(&held), [Hold::NotEnoughStock { .. }]), "{milliseconds} ms: {:?}", held.reason);
    }
    assert!(was_cut_off, "nobody died in between");
    for kind in [FaultKind::LoseRequest, FaultKind::LoseAnswer, FaultKind::Throttled { retry_after: Some(60) }] {
        let stage = short(Some(Fault::once(kind.clone()).on("GET", "products")));
        stage.pass(SignedDuration::from_mins(15));
        let held = stage.order("1001");
        assert!(matches!(holds(&held), [Hold::NotEnoughStock { .. }]), "{kind:?}: {:?}", held.reason);
    }
    // What is answered with a no cannot be asked: the refusal stays, and nobody asks for ever.
    let stage = short(Some(Fault::once(FaultKind::FailedWith200).on("GET", "products")));
    stage.pass(SignedDuration::from_mins(15));
    assert!(matches!(holds(&stage.order("1001")), [Hold::Refused { .. }]));
}

/// The life that is gone understood a cancellation's record as an edit, and took the unit off the invoice. The next life
/// hears of the cancellation first and would take it back by a receipt, too.
#[test]
fn a_receipt_after_a_restore_is_made_of_the_invoice_as_it_is() {
    let stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    let order = buy(&stage, &mut shop, shelf[2], 2);
    set_quantity(&stage, &mut shop, order, 3);
    stage.until_idle(HOUR);
    let line = only_line(&shop, order);
    let back = Refund::of(&[(line, 2, Restock::Return)]);
    stage.deliver(&shop.refund(order, &back, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((1, 1), 1.into()));
    let copy = stage.back_up();
    let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
    let cancelled = shop.cancel(order, &how, stage.clock.now()).unwrap();
    let (record, rest): (Vec<_>, Vec<_>) = cancelled.into_iter().partition(|one| one.topic == "refunds/create");
    stage.deliver(&record);
    stage.until_idle(HOUR);
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((1, 1), 0.into()), "edited");
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    stage.deliver(&rest);
    stage.deliver(&record);
    stage.until_idle(DAY);
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((1, 1), 0.into()));
    assert!(matches!(holds(&stage.order("1001")), [Hold::ChangedByHand { .. }]));
}

/// The life that is gone took a unit off the invoice, which is put on again after a copy from before that was put back: by
/// its own books nothing was ever changed.
#[test]
fn an_invoice_that_another_life_edited_does_not_count_as_in_step() {
    let stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    let order = buy(&stage, &mut shop, shelf[2], 2);
    let copy = stage.back_up();
    set_quantity(&stage, &mut shop, order, 3);
    stage.until_idle(HOUR);
    assert_eq!(gone_from_stock(&stage, LAMP), 3.into());
    let mut stage = stage.restore(copy, HOUR);
    stage.start();
    stage.pass(HOUR);
    let edits = [Edit::SetQuantity { line: only_line(&shop, order), to: 2, restock: true }];
    let told = shop.edit(order, &edits, stage.clock.now()).unwrap();
    stage.deliver(&told.into_iter().filter(|one| one.topic == "orders/updated").collect::<Vec<_>>());
    stage.until_idle(DAY);
    assert!(matches!(holds(&stage.order("1001")), [Hold::ChangedByHand { .. }]), "a person is told");
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((1, 0), 3.into()));
}

/// In an older copy of the books the invoice lacks stock; the life that went on had its stock, and sent it.
#[test]
fn what_lacked_stock_in_an_older_copy_is_looked_for() {
    let mut stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    *stage.network.heard.lock().unwrap() = Some(Vec::new());
    let now = stage.clock.now();
    stage.account("one", |account| account.add_stock(LAMP, 1, Decimal::from(-99_998), now));
    buy(&stage, &mut shop, shelf[2], 3);
    assert!(matches!(holds(&stage.order("1001")), [Hold::NotEnoughStock { .. }]));
    stage.stop();
    let heard = stage.network.heard.lock().unwrap().take().unwrap();
    let sent = heard.into_iter().find(|request| request.method == "POST").unwrap();
    let now = stage.clock.now();
    stage.account("one", |account| account.add_stock(LAMP, 1, Decimal::from(10), now));
    drop(stage.network.world.lock().unwrap().react(&sent, now));
    assert_eq!(counted(&stage), (1, 0));
    let mut stage = stage.restart(HOUR * 2);
    stage.start();
    stage.pass(DAY);
    assert_eq!((stage.order("1001").state, counted(&stage)), (State::Settled, (1, 0)));
}

/// A locked invoice with this policy, edited from three to two.
fn locked(policy: LockedPolicy, fault: Option<Fault>) -> Stage {
    let stage = stage(AccountSetup::default(), move |rules| rules.locked = policy);
    let (mut shop, shelf) = wadi(1);
    let order = buy(&stage, &mut shop, shelf[2], 3);
    hand(&stage, |document| Hand::AcceptEInvoice { document });
    stage.account("one", |account| fault.into_iter().for_each(|fault| account.add_fault(fault)));
    set_quantity(&stage, &mut shop, order, 2);
    stage.until_idle(DAY);
    stage
}

#[test]
fn a_locked_invoice_is_held_unless_the_merchant_wants_a_new_one() {
    let stage = locked(LockedPolicy::Hold, None);
    assert!(matches!(holds(&stage.order("1001")), [Hold::Locked { .. }]));
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((1, 0), 3.into()));
}

#[test]
fn a_locked_invoice_makes_room_for_exactly_one_new_one_whatever_happens() {
    let faults =
        [FaultKind::LoseRequest, FaultKind::LoseAnswer, FaultKind::ErrorAfterSaving, FaultKind::Late { seconds: 45 }];
    let on = |resource: &'static str| {
        let faults = faults.clone();
        faults.into_iter().map(move |kind| Some(Fault::once(kind).on("POST", resource)))
    };
    for fault in on("refund_receipts").chain(on("invoices")).chain([None]) {
        let name = format!("{fault:?}");
        let stage = locked(LockedPolicy::NewInvoice, fault);
        let order = stage.order("1001");
        assert_eq!(order.state, State::Settled, "{name}: {:?}", order.reason);
        assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((2, 1), 2.into()), "{name}");
        let documents: Vec<_> = ledger(&stage, &order).into_iter().map(|one| (one.source_key, one.state)).collect();
        let expected = [
            ("order".to_owned(), DocumentState::Reversed),
            ("reversal/1".to_owned(), DocumentState::Posted),
            ("order/2".to_owned(), DocumentState::Posted),
        ];
        assert_eq!(documents, expected, "{name}");
        assert_eq!(class_of(&stage, &order), Class::Invoiced, "{name}");
    }
}

#[test]
fn a_new_invoice_lives_on_like_the_first() {
    let stage = stage(AccountSetup::default(), |rules| rules.locked = LockedPolicy::NewInvoice);
    let (mut shop, shelf) = wadi(1);
    let cart = Cart { payment: Payment::Pending, ..Cart::of(&[(shelf[2], 4)]) };
    let (order, deliveries) = shop.buy(&cart, stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    for units in [3, 2] {
        hand(&stage, |document| Hand::AcceptEInvoice { document });
        set_quantity(&stage, &mut shop, order, units);
        stage.until_idle(DAY);
    }
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((3, 2), 2.into()));
    set_quantity(&stage, &mut shop, order, 1);
    stage.until_idle(DAY);
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((3, 2), 1.into()), "replaced like any other");
    let how = CancelHow { restock: true, money: false, shipping: false, reason: "customer".into() };
    stage.deliver(&shop.cancel(order, &how, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    let cancelled = stage.order("1001");
    assert_eq!(
        (cancelled.state, class_of(&stage, &cancelled)),
        (State::Settled, Class::Cancelled),
        "{:?}",
        cancelled.reason
    );
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((3, 3), 0.into()));
}

/// An order whose invoice somebody deleted, found out by an edit.
fn deleted() -> (Stage, Shop, OrderId, i64) {
    let stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    let order = buy(&stage, &mut shop, shelf[2], 3);
    hand(&stage, |document| Hand::Delete { document });
    set_quantity(&stage, &mut shop, order, 2);
    stage.until_idle(DAY);
    let held = stage.order("1001");
    assert!(matches!(holds(&held), [Hold::Gone { .. }]), "{:?}", held.reason);
    let document = ledger(&stage, &held)[0].id;
    (stage, shop, order, document)
}

fn rule(stage: &Stage, name: &str, ruling: Ruling) {
    let order_id = stage.order(name).id;
    stage.wish(Wish::OrderRule { order_id, ruling, note: "by phone".into() });
    stage.until_idle(DAY);
}

#[test]
fn a_deletion_that_was_meant_is_left_until_the_order_changes() {
    let (stage, mut shop, order, document) = deleted();
    rule(&stage, "1001", Ruling::Leave { document });
    let left = stage.order("1001");
    assert!(matches!(left.reason, Some(Reason::Ignored(Ignored::InvoiceDeleted { .. }))), "{:?}", left.reason);
    let [told] = stage.db.read(|c| ruling::of_order(c, left.id)).unwrap().try_into().unwrap();
    assert_eq!((told.ruling, told.note.as_str()), (Ruling::Leave { document }, "by phone"));
    set_quantity(&stage, &mut shop, order, 1);
    stage.until_idle(DAY);
    assert!(matches!(holds(&stage.order("1001")), [Hold::Gone { .. }]), "the person is asked again");
    assert_eq!(counted(&stage), (0, 0));
}

#[test]
fn a_deletion_that_was_a_mistake_gets_one_new_invoice() {
    let (stage, mut shop, order, document) = deleted();
    for _ in 0..2 {
        rule(&stage, "1001", Ruling::NewInvoice { document });
        assert_eq!((stage.order("1001").state, counted(&stage)), (State::Settled, (1, 0)), "however often it is said");
    }
    set_quantity(&stage, &mut shop, order, 1);
    stage.until_idle(DAY);
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((1, 0), 1.into()));
    assert_eq!(ledger(&stage, &stage.order("1001"))[1].source_key, "order/2");
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    let states: Vec<_> = ledger(&stage, &stage.order("1001")).into_iter().map(|document| document.state).collect();
    assert_eq!(states, [DocumentState::Gone, DocumentState::Posted], "what took its place keeps it");
    assert_eq!(counted(&stage), (1, 0));
}

#[test]
fn what_a_person_dismissed_stays_so_until_the_order_changes() {
    let stage = stage(AccountSetup::default(), |_| {});
    let mut shop = wadi(1).0;
    let variant = shop.sell(Ware { sku: "LAMP-9".into(), ..Ware::samples(2).remove(0) });
    let order = buy(&stage, &mut shop, variant, 2);
    assert!(matches!(holds(&stage.order("1001")), [Hold::UnknownProduct { .. }]));
    rule(&stage, "1001", Ruling::Dismiss);
    let now = stage.clock.now();
    stage.account("one", |account| {
        account.add_product(Product {
            id: 900,
            product_code: "LAMP-9".into(),
            name: "Lamp".into(),
            ..Product::default()
        });
        account.add_stock(900, 1, Decimal::from(10), now);
    });
    stage.pass(DAY);
    let dismissed = stage.order("1001");
    assert_eq!(dismissed.reason, Some(Reason::Ignored(Ignored::Dismissed)));
    assert_eq!(counted(&stage), (0, 0), "booked by hand, says the person");
    set_quantity(&stage, &mut shop, order, 1);
    stage.until_idle(DAY);
    assert_eq!((stage.order("1001").state, counted(&stage)), (State::Settled, (1, 0)));
}

#[test]
fn trying_again_lifts_a_dismissal() {
    let stage = stage(AccountSetup::default(), |_| {});
    let mut shop = wadi(1).0;
    let variant = shop.sell(Ware { sku: "LAMP-9".into(), ..Ware::samples(2).remove(0) });
    buy(&stage, &mut shop, variant, 2);
    rule(&stage, "1001", Ruling::Dismiss);
    stage.try_again(&stage.order("1001"));
    stage.until_idle(SignedDuration::from_mins(5));
    assert!(matches!(holds(&stage.order("1001")), [Hold::UnknownProduct { .. }]));
}

#[test]
fn an_old_order_is_imported_on_a_persons_word() {
    let stage = stage(AccountSetup::default(), |_| {});
    let (mut shop, shelf) = wadi(1);
    let old = stage.clock.now() - DAY * 3;
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), old).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    assert!(matches!(stage.order("1001").reason, Some(Reason::Ignored(Ignored::BeforeGoLive { .. }))));
    rule(&stage, "1001", Ruling::Import);
    assert_eq!((stage.order("1001").state, counted(&stage)), (State::Settled, (1, 0)));
    stage.account("one", |account| {
        assert!(
            account.calls().get("GET invoices").copied().unwrap_or_default() >= 4,
            "looked for twice before it was sent"
        );
    });
}

#[test]
fn one_cause_mended_releases_every_order_it_held() {
    let stage = stage(AccountSetup::default(), |rules| rules.client_id = 404);
    let (mut shop, shelf) = wadi(1);
    for _ in 0..3 {
        buy(&stage, &mut shop, shelf[2], 1);
    }
    assert!(stage.orders().iter().all(|order| matches!(holds(order), [Hold::Refused { .. }])));
    rules(&stage, 1, |rules| rules.client_id = common::stage::CLIENT);
    let answer = stage.wish(Wish::HoldRelease { slug: Some("wadi".into()), cause: "refused".into(), about: None });
    assert_eq!(answer["orders"], 3);
    stage.until_idle(HOUR);
    assert!(stage.orders().iter().all(|order| order.state == State::Settled));
    assert_eq!(counted(&stage), (3, 0));
}

#[test]
fn one_mapping_releases_every_order_that_waited_for_the_code() {
    let stage = stage(AccountSetup::default(), |_| {});
    let mut shop = wadi(1).0;
    let variant = shop.sell(Ware { sku: "LAMP-9".into(), ..Ware::samples(2).remove(0) });
    for _ in 0..3 {
        buy(&stage, &mut shop, variant, 1);
    }
    assert!(stage.orders().iter().all(|order| matches!(holds(order), [Hold::UnknownProduct { .. }])));
    let row = MappingRow { code: " LAMP-9 ".into(), product_id: 102, note: "the new box".into() };
    let import = || stage.wish(Wish::MappingImport { slug: "wadi".into(), rows: vec![row.clone()] });
    assert_eq!((&import()["changed"], &import()["changed"]), (&1.into(), &0.into()), "a second time changes nothing");
    stage.until_idle(HOUR);
    assert!(stage.orders().iter().all(|order| order.state == State::Settled));
    assert_eq!((counted(&stage), gone_from_stock(&stage, LAMP)), ((3, 0), 3.into()));
}

/// Whatever a merchant's rules and people want: in shadow mode no call leaves that writes.
#[test]
fn shadow_never_writes() {
    let mut stage = Stage::new(Plan::default());
    let id = stage.add(&Cast { mode: Mode::Shadow, ..Cast::default() });
    rules(&stage, id, |rules| rules.locked = LockedPolicy::NewInvoice);
    stage.start();
    let (mut shop, shelf) = wadi(1);
    let orders: Vec<OrderId> = (0..4).map(|_| buy(&stage, &mut shop, shelf[2], 3)).collect();
    set_quantity(&stage, &mut shop, orders[0], 2);
    let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
    stage.deliver(&shop.cancel(orders[1], &how, stage.clock.now()).unwrap());
    stage.deliver(&shop.delete(orders[2], stage.clock.now()).unwrap());
    let old = stage.clock.now() - DAY * 3;
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), old).unwrap().1);
    stage.until_idle(DAY);
    rule(&stage, "1005", Ruling::Import);
    stage.pass(DAY);
    let states: Vec<State> = stage.orders().iter().rev().map(|order| order.state).collect();
    assert_eq!(states, [State::Shadow, State::Ignored, State::Ignored, State::Shadow, State::Shadow]);
    stage.account("one", |account| {
        let writes: Vec<_> = account.calls().iter().filter(|(call, _)| !call.starts_with("GET")).collect();
        assert!(writes.is_empty(), "{writes:?}");
    });
    assert!(stage.orders().iter().all(|order| ledger(&stage, order).is_empty()), "our books are as empty as Daftra's");
}

//! The engine at work on a hand-moved clock: orders in, documents out, through every bad day.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use common::profile;
use common::stage::{CLIENT, Cast, Plan, STORE, Stage, VAT_INCLUDED, bad_days, shop};
use jiff::SignedDuration;
use qantara::db::log::Status;
use qantara::db::order::State;
use qantara::domain::reason::{DifferenceKind, Hold, Reason};
use qantara::sandbox::daftra::{AccountSetup, DocumentKind, Requisition};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::http::Request;
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{CancelHow, Cart, Edit, LineId, OrderId, Payment, Refund, Restock, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use serde_json::json;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A shop that prints its name once, for all tests.
fn wadi(seed: u64) -> (Shop, Vec<VariantId>) {
    shop("wadi.myshopify.com", "hush", seed)
}

#[test]
fn under_every_profile() {
    profile::again(&[
        "under_every_profile",
        // A queue is as long and deliveries come in any order, whatever Daftra's habits.
        "a_slow_account_does_not_delay_another",
        "a_day_without_daftra_costs_nothing_but_time",
        "every_order_of_arrival_ends_the_same",
        "repeats_and_echoes_change_nothing",
    ]);
}

/// Units in Daftra less units given back, per product, and what the stock of store 1 lost: they must agree. Goods that
/// wait for their requisition are still there.
fn net_units(stage: &Stage, account: &str) -> Vec<(u64, String)> {
    stage.account(account, |account| {
        let mut net = std::collections::BTreeMap::<u64, rust_decimal::Decimal>::new();
        let mut waiting = net.clone();
        for document in account.documents(DocumentKind::Invoice).chain(account.documents(DocumentKind::RefundReceipt)) {
            for item in document.items.iter().filter(|_| document.counts()) {
                let sign = if document.kind == DocumentKind::Invoice { 1 } else { -1 };
                if let Some(product) = item.product_id {
                    let units = item.quantity * rust_decimal::Decimal::from(sign);
                    *net.entry(product).or_default() += units;
                    if document.requisition == Some(Requisition::Pending) {
                        *waiting.entry(product).or_default() += units;
                    }
                }
            }
        }
        for product in 101..=107 {
            let lost = rust_decimal::Decimal::from(100_000) - account.stock(product, 1);
            let of = |units: &std::collections::BTreeMap<u64, _>| units.get(&product).copied().unwrap_or_default();
            assert_eq!(of(&net), lost + of(&waiting), "stock and documents of {product}");
        }
        net.into_iter()
            .filter(|(_, units)| !units.is_zero())
            .map(|(id, units)| (id, units.normalize().to_string()))
            .collect()
    })
}

fn documents(stage: &Stage, account: &str) -> (usize, usize) {
    stage.account(account, |account| {
        (
            account.documents(DocumentKind::Invoice).filter(|d| d.counts()).count(),
            account.documents(DocumentKind::RefundReceipt).filter(|d| d.counts()).count(),
        )
    })
}

fn only_line(shop: &Shop, order: OrderId) -> LineId {
    shop.what_is_left(order).unwrap()[0].line_id
}

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
    stage.account("one", |account| account.change(|setup| setup.requisitions = false)).unwrap();
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

#[test]
fn whatever_happens_to_a_create_there_is_one_invoice_in_the_end() {
    for kind in bad_days() {
        for times in 1..=2 {
            let stage = Stage::usual();
            let (mut shop, shelf) = wadi(1);
            stage.account("one", |account| {
                account.add_fault(Fault { times: Some(times), ..Fault::always(kind.clone()).on("POST", "invoices") });
            });
            let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
            stage.deliver(&deliveries);
            for _ in 0..=times {
                stage.until_idle(DAY);
                stage.try_again_if_held();
            }
            stage.until_idle(DAY);
            assert_eq!(stage.order("1001").state, State::Settled, "{kind:?} {:?}", stage.order("1001").reason);
            assert_eq!(documents(&stage, "one"), (1, 0), "{kind:?} {times} times");
            assert_eq!(net_units(&stage, "one"), [(102, "3".to_owned())], "{kind:?}");
        }
    }
}

#[test]
fn whatever_happens_to_a_replacement_the_invoice_ends_as_edited() {
    for kind in bad_days() {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3), (shelf[3], 1)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        stage.account("one", |account| account.add_fault(Fault::once(kind.clone()).on("PUT", "invoices")));
        let line = only_line(&shop, order);
        let edits = [Edit::SetQuantity { line, to: 2, restock: true }];
        stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
        stage.until_idle(DAY);
        stage.try_again_if_held();
        stage.until_idle(DAY);
        assert_eq!(stage.order("1001").state, State::Settled, "{kind:?} {:?}", stage.order("1001").reason);
        assert_eq!(documents(&stage, "one"), (1, 0), "{kind:?}");
        assert_eq!(net_units(&stage, "one"), [(102, "2".to_owned()), (103, "1".to_owned())], "{kind:?}");
    }
}

#[test]
fn whatever_happens_to_a_receipt_it_comes_once() {
    for kind in bad_days() {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        stage.account("one", |account| account.add_fault(Fault::once(kind.clone()).on("POST", "refund_receipts")));
        let refund = Refund::of(&[(only_line(&shop, order), 1, Restock::Return)]);
        stage.deliver(&shop.refund(order, &refund, stage.clock.now()).unwrap());
        stage.until_idle(DAY);
        stage.try_again_if_held();
        stage.until_idle(DAY);
        assert_eq!(stage.order("1001").state, State::Settled, "{kind:?} {:?}", stage.order("1001").reason);
        assert_eq!(documents(&stage, "one"), (1, 1), "{kind:?}");
        assert_eq!(net_units(&stage, "one"), [(102, "2".to_owned())], "{kind:?}");
    }
}

#[test]
fn an_answer_that_trickles_past_its_time_is_no_answer() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    stage.account("one", |account| {
        account.add_fault(Fault::once(FaultKind::Drip { bytes_per_second: 2 }).on("POST", "invoices"));
    });
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.until_idle(DAY);
    assert!(stage.log().iter().any(|entry| entry.status == Status::InDoubt));
    assert_eq!((calls(&stage, "POST"), documents(&stage, "one")), (1, (1, 0)), "it was found, not sent again");
    assert_eq!(stage.order("1001").state, State::Settled);
}

#[test]
fn a_list_that_lags_makes_no_second_invoice() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    stage.account("one", |account| {
        account.change(|setup| setup.list_lag_seconds = 60).unwrap();
        account.add_fault(Fault::once(FaultKind::LoseAnswer).on("POST", "invoices"));
    });
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(DAY);
    assert_eq!(documents(&stage, "one"), (1, 0));
    assert!(stage.log().iter().any(|entry| entry.status == Status::InDoubt));
}

#[test]
fn every_order_of_arrival_ends_the_same() {
    let mut orders: Vec<Vec<usize>> = vec![vec![]];
    for next in 0..4 {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                (0..=order.len()).map(move |at| {
                    let mut o = order.clone();
                    o.insert(at, next);
                    o
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 24);
    let mut ends = std::collections::BTreeSet::new();
    for arrival in orders {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let cart = Cart { payment: Payment::Pending, ..Cart::of(&[(shelf[2], 2)]) };
        let (order, created) = shop.buy(&cart, stage.clock.now()).unwrap();
        let tagged = shop.tag(order, "gift", stage.clock.now() + SignedDuration::from_secs(10)).unwrap();
        let paid = shop.pay(order, stage.clock.now() + SignedDuration::from_secs(20)).unwrap();
        let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
        let cancelled = shop.cancel(order, &how, stage.clock.now() + SignedDuration::from_secs(30)).unwrap();
        let pick = |deliveries: &[Delivery], topic: &str| {
            deliveries.iter().find(|delivery| delivery.topic == topic).cloned().expect("a delivery of that topic")
        };
        let four = [
            pick(&created, "orders/create"),
            pick(&tagged, "orders/updated"),
            pick(&paid, "orders/paid"),
            pick(&cancelled, "orders/cancelled"),
        ];
        for index in &arrival {
            stage.deliver(std::slice::from_ref(&four[*index]));
            // Long enough that each body is worked on before the next one comes.
            stage.pass(SignedDuration::from_mins(20));
        }
        stage.until_idle(DAY);
        let (invoices, receipts) = documents(&stage, "one");
        assert!(invoices == receipts && invoices <= 1, "{arrival:?}: {invoices} invoices, {receipts} receipts");
        ends.insert(net_units(&stage, "one"));
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [vec![]], "nothing is left of a cancelled order");
}

#[test]
fn refund_and_transaction_first_the_order_an_hour_later() {
    let mut ends = std::collections::BTreeSet::new();
    for arrival in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let (order, created) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
        let refund = Refund::of(&[(only_line(&shop, order), 1, Restock::Return)]);
        let refunded = shop.refund(order, &refund, stage.clock.now() + SignedDuration::from_secs(5)).unwrap();
        let pick = |topic: &str| refunded.iter().find(|delivery| delivery.topic == topic).cloned().unwrap();
        let three = [pick("refunds/create"), pick("order_transactions/create"), created[0].clone()];
        for index in arrival {
            stage.deliver(std::slice::from_ref(&three[index]));
            stage.pass(HOUR);
        }
        // The body of the order that knows the refund comes in the end, as it does in reality.
        stage.deliver(&[pick("orders/updated")]);
        stage.until_idle(DAY);
        assert_eq!(stage.order("1001").state, State::Settled, "{arrival:?} {:?}", stage.order("1001").reason);
        ends.insert(net_units(&stage, "one"));
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [vec![(102, "2".to_owned())]]);
}

#[test]
fn a_slow_account_does_not_delay_another() {
    let run = |with_slow: bool| {
        let accounts = ["a", "b"].map(|name| AccountSetup { name: name.into(), ..profile::setup() });
        let mut stage = Stage::new(Plan { workers: 16, accounts: accounts.into(), ..Plan::default() });
        stage.add(&Cast { slug: "a", shop: "a.myshopify.com", account: "a", ..Cast::default() });
        let b = stage.add(&Cast { slug: "b", shop: "b.myshopify.com", account: "b", ..Cast::default() });
        stage.start();
        let (mut slow, slow_shelf) = shop("a.myshopify.com", "hush", 1);
        let (mut quick, quick_shelf) = shop("b.myshopify.com", "hush", 2);
        stage.account("a", |account| account.add_fault(Fault::always(FaultKind::Slow { seconds: 60 })));
        if with_slow {
            for _ in 0..1_000 {
                stage.deliver(&slow.buy(&Cart::of(&[(slow_shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
            }
        }
        for _ in 0..500 {
            stage.deliver(&quick.buy(&Cart::of(&[(quick_shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
        }
        let begin = stage.clock.now();
        let done = || documents(&stage, "b").0;
        while done() < 500 {
            assert!(stage.hand.step(begin + DAY), "only {} orders of the quick account in a day", done());
        }
        let took = stage.clock.now().duration_since(begin);
        let counts = stage.db.read(qantara::db::order::counts).unwrap();
        assert!(counts.iter().all(|(merchant, state, _)| *merchant != b || *state != State::Failed));
        took
    };
    let alone = run(false);
    let together = run(true);
    println!("500 orders took {alone:#} alone and {together:#} beside 1,000 orders of a hanging account");
    // One poll of a second is the grain of the queue.
    assert!(together <= alone + SignedDuration::from_secs(1), "{together:#} against {alone:#}");
}

#[test]
fn a_day_without_daftra_costs_nothing_but_time() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    stage.network.down.lock().unwrap().insert("one".to_owned());
    for _ in 0..500 {
        stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
        stage.pass(SignedDuration::from_secs(172));
    }
    assert_eq!(documents(&stage, "one"), (0, 0));
    stage.network.down.lock().unwrap().clear();
    stage.until_idle(DAY);
    let orders = stage.orders();
    assert_eq!(orders.len(), 500);
    for order in &orders {
        assert_eq!(order.state, State::Settled, "{} {:?}", order.name, order.reason);
    }
    assert_eq!(documents(&stage, "one"), (500, 0));
    assert_eq!(net_units(&stage, "one"), [(102, "500".to_owned())]);
}

#[test]
fn a_bad_key_stops_one_merchant_and_repairs_itself() {
    let mut stage = Stage::new(Plan::default());
    stage.add(&Cast { slug: "good", vendors: &["Wadi Home"], ..Cast::default() });
    stage.add(&Cast { slug: "bad", vendors: &["عطور نجد"], key: "revoked", ..Cast::default() });
    stage.start();
    let (mut shop, shelf) = wadi(1);
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1), (shelf[5], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.pass(HOUR);
    assert_eq!(documents(&stage, "one"), (1, 0), "the merchant with the good key is served");
    let alerts = stage.db.read(qantara::db::alert::open).unwrap();
    assert_eq!(alerts.iter().filter(|alert| alert.cause == "trouble").count(), 1, "{alerts:?}");
    // The key begins to work: the hourly question finds out.
    stage
        .account("one", |account| {
            account.change(|setup| setup.keys.push(qantara::sandbox::daftra::ApiKey::full("revoked")))
        })
        .unwrap();
    stage.pass(HOUR * 2);
    stage.until_idle(DAY);
    assert_eq!(documents(&stage, "one"), (2, 0));
    assert!(stage.db.read(qantara::db::alert::open).unwrap().is_empty());
}

#[test]
fn another_account_at_the_same_address_is_not_written_to() {
    let stage = Stage::usual();
    let now = stage.clock.now();
    stage
        .db
        .write(|tx| {
            tx.execute("update account set site_id = 'another'", []).unwrap();
            Ok(())
        })
        .unwrap();
    stage.db.write(move |tx| qantara::db::job::ask_chore(tx, qantara::db::job::Chore::Account, 1, now)).unwrap();
    stage.engine.wake_chores();
    stage.pass(SignedDuration::from_mins(1));
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(HOUR * 5);
    assert_eq!(documents(&stage, "one"), (0, 0));
}

#[test]
fn shadow_shows_everything_and_writes_nothing() {
    let mut stage = Stage::new(Plan::default());
    stage.add(&Cast { mode: qantara::db::merchant::Mode::Shadow, ..Cast::default() });
    stage.start();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    stage.deliver(&shop.tag(order, "seen", stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    let shown = stage.order("1001");
    assert_eq!(shown.state, State::Shadow, "{:?}", shown.reason);
    assert!(format!("{:?}", shown.trace).contains("WouldDo"), "what would be done can be read back");
    stage.account("one", |account| {
        let writes: Vec<_> = account.calls().iter().filter(|(call, _)| !call.starts_with("GET")).collect();
        assert!(writes.is_empty(), "{writes:?}");
        assert!(account.calls().values().sum::<u64>() > 0, "it asked for products");
    });
}

#[test]
fn a_restart_looks_for_what_it_was_doing() {
    for kind in [FaultKind::LoseAnswer, FaultKind::LoseRequest, FaultKind::Late { seconds: 60 }] {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        stage.account("one", |account| account.add_fault(Fault::once(kind.clone()).on("POST", "invoices")));
        let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        // As a crash leaves it: the intent is committed, the answer was never heard.
        stage.until_idle(SignedDuration::from_secs(5));
        let as_crashed = "update document set state = 'sending', look_at = null, unknown_sends = 0";
        let mut stage = stage;
        stage.stop();
        stage
            .db
            .write(move |tx| {
                tx.execute(as_crashed, []).unwrap();
                Ok(())
            })
            .unwrap();
        let mut stage = stage.restart(SignedDuration::from_secs(20));
        stage.start();
        stage.until_idle(DAY);
        assert_eq!(stage.order("1001").state, State::Settled, "{kind:?}");
        assert_eq!(documents(&stage, "one"), (1, 0), "{kind:?}");
    }
}

#[test]
fn after_a_long_silence_it_looks_before_it_sends() {
    // An older copy of the database is put back: the orders after it were invoiced by the life that is gone.
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (_, first) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&first);
    stage.until_idle(HOUR);
    let (_, second) = shop.buy(&Cart::of(&[(shelf[3], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&second);
    stage.until_idle(HOUR);
    assert_eq!(documents(&stage, "one"), (2, 0));
    let forget = "delete from sync_log where order_id = 2; delete from attempt where order_id = 2;
                  delete from document where order_id = 2; delete from delivery where order_id = 2;
                  delete from job where subject = 2 and kind = 'order'; delete from fact where order_id = 2;
                  delete from orders where id = 2;";
    stage
        .db
        .write(move |tx| {
            tx.execute_batch(forget).unwrap();
            Ok(())
        })
        .unwrap();
    let mut stage = stage.restart(SignedDuration::from_mins(30));
    stage.start();
    stage.deliver(&second);
    let (_, third) = shop.buy(&Cart::of(&[(shelf[6], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&third);
    stage.until_idle(DAY);
    assert_eq!(documents(&stage, "one"), (3, 0), "the second order's invoice was found, not made again");
    assert!(stage.orders().iter().all(|order| order.state == State::Settled));
}

#[test]
fn repeats_and_echoes_change_nothing() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    for _ in 0..20 {
        stage.deliver(&deliveries);
    }
    stage.until_idle(HOUR);
    let writes = |stage: &Stage| {
        stage.account("one", |account| {
            account.calls().iter().filter(|(call, _)| !call.starts_with("GET")).map(|(_, count)| count).sum::<u64>()
        })
    };
    assert_eq!(writes(&stage), 1);
    // Five hundred updates in a minute, of which one changes something.
    for number in 0..500 {
        if number == 250 {
            let edit = Edit::SetQuantity { line: only_line(&shop, order), to: 2, restock: true };
            stage.deliver(&shop.edit(order, &[edit], stage.clock.now()).unwrap());
        }
        stage.deliver(&shop.tag(order, &format!("tag {number}"), stage.clock.now()).unwrap());
        if number % 5 == 4 {
            stage.pass(SignedDuration::from_millis(600));
        }
    }
    stage.until_idle(HOUR);
    assert_eq!(writes(&stage), 2, "tags are no reason to write");
    assert_eq!(stage.log().iter().filter(|entry| entry.status == Status::Duplicate).count(), deliveries.len());
}

#[test]
fn a_change_by_hand_is_left_alone_and_shown() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let id = stage.account("one", |account| account.documents(DocumentKind::Invoice).next().unwrap().id);
    let change = qantara::sandbox::daftra::Hand::ChangeRow {
        document: id,
        row: 0,
        quantity: Some(rust_decimal::Decimal::from(5)),
        unit_price: None,
    };
    let now = stage.clock.now();
    stage.account("one", |account| account.hand(change, now)).unwrap();
    let edits = [Edit::SetQuantity { line: only_line(&shop, order), to: 2, restock: true }];
    stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    let held = stage.order("1001");
    let Some(Reason::Held(holds)) = &held.reason else { panic!("{:?}", held.reason) };
    let [Hold::ChangedByHand { differences, .. }] = holds.as_slice() else { panic!("{holds:?}") };
    let sides: Vec<_> = differences.iter().map(|one| (one.what, one.ours.as_str(), one.daftra.as_str())).collect();
    assert_eq!(sides, [(DifferenceKind::Row, "102: 3 x 349.00 [2] @ 1", "102: 5 x 349 [2] @ 1")]);
    assert_eq!(net_units(&stage, "one"), [(102, "5".to_owned())], "nobody overwrites what a person wrote");
}

#[test]
fn a_receipt_that_is_not_ours_is_shown() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    // Somebody takes goods back in Daftra, or a life of the database that is gone did.
    let invoice = stage.account("one", |account| account.documents(DocumentKind::Invoice).next().unwrap().id);
    let header = json!({ "client_id": CLIENT, "store_id": STORE, "subscription_id": invoice });
    let row = json!({ "product_id": 103, "item": "Tray", "unit_price": 15.75, "quantity": 1, "tax1": VAT_INCLUDED });
    let body = json!({ "RefundReceipt": header, "InvoiceItem": [row] });
    let mut request = Request::new("POST", "/acct/one/api2/refund_receipts.json").with_header("apikey", "key-one");
    request.body = body.to_string().into_bytes();
    drop(stage.network.world.lock().unwrap().react(&request, stage.clock.now()));
    assert_eq!(documents(&stage, "one"), (1, 1));
    let edits = [Edit::SetQuantity { line: only_line(&shop, order), to: 2, restock: true }];
    stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    let held = stage.order("1001");
    let Some(Reason::Held(holds)) = &held.reason else { panic!("{:?}", held.reason) };
    let [Hold::ChangedByHand { differences, .. }] = holds.as_slice() else { panic!("{holds:?}") };
    assert_eq!(differences.iter().map(|one| one.what).collect::<Vec<_>>(), [DifferenceKind::Refunded]);
    assert_eq!((differences[0].ours.as_str(), differences[0].daftra.as_str()), ("0.00", "15.75"));
}

#[test]
fn a_deleted_invoice_is_never_made_again_by_itself() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let now = stage.clock.now();
    stage
        .account("one", |account| {
            let id = account.documents(DocumentKind::Invoice).next().unwrap().id;
            account.hand(qantara::sandbox::daftra::Hand::Delete { document: id }, now)
        })
        .unwrap();
    let edits = [Edit::SetQuantity { line: only_line(&shop, order), to: 2, restock: true }];
    stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
    stage.until_idle(DAY);
    assert_eq!(documents(&stage, "one"), (0, 0));
    assert!(format!("{:?}", stage.order("1001").reason).contains("Gone"), "{:?}", stage.order("1001").reason);
}

/// How many calls of a kind the account saw: `POST invoices` and the like.
fn calls(stage: &Stage, kind: &str) -> u64 {
    stage.account("one", |account| {
        account.calls().iter().filter(|(call, _)| call.contains(kind)).map(|(_, count)| count).sum()
    })
}

#[test]
fn an_account_that_does_not_answer_is_left_in_peace_and_costs_no_order_a_try() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    // The catalogue is known, so that the first thing to fail is a write.
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
    stage.until_idle(HOUR);
    let before = calls(&stage, "POST");
    stage.account("one", |account| account.add_fault(Fault::always(FaultKind::ErrorBeforeSaving)));
    for _ in 0..40 {
        stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
    }
    stage.pass(SignedDuration::from_secs(20));
    assert_eq!(calls(&stage, "POST") - before, 5, "five calls without an answer in a row open the breaker");
    let asked = calls(&stage, "site_info");
    stage.pass(HOUR * 5);
    assert_eq!(calls(&stage, "POST") - before, 5, "while it is open, nothing that matters is sent");
    let asked = calls(&stage, "site_info") - asked;
    // 30 s, 60 s … 10 min: some thirty questions in five hours.
    assert!((25..=40).contains(&asked), "{asked} harmless questions in five hours");
    assert!(stage.orders().iter().all(|order| order.failures <= 1 && order.state != State::Failed));
    let alerts = stage.db.read(qantara::db::alert::open).unwrap();
    assert_eq!(alerts.iter().filter(|alert| alert.cause == "outage").count(), 1, "one alert for one cause: {alerts:?}");

    stage.account("one", qantara::sandbox::daftra::Account::clear_faults);
    stage.until_idle(DAY);
    assert_eq!(documents(&stage, "one"), (41, 0));
    // What was in doubt for hours is looked for now and then.
    stage.pass(HOUR);
    assert!(stage.db.read(qantara::db::alert::open).unwrap().is_empty(), "and it is over when it is over");
}

#[test]
fn a_throttled_account_waits_as_long_as_it_was_told() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    stage.account("one", |account| {
        account.add_fault(Fault::once(FaultKind::Throttled { retry_after: Some(600) }).on("POST", "invoices"));
    });
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
    stage.pass(SignedDuration::from_secs(590));
    assert_eq!(calls(&stage, "POST"), 1);
    stage.pass(SignedDuration::from_secs(30));
    assert_eq!((calls(&stage, "POST"), documents(&stage, "one")), (2, (1, 0)));
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").failures, 0, "no fault of the order");
}

#[test]
fn a_wrong_client_is_mended_in_the_rules_and_tried_again() {
    let stage = Stage::usual();
    let change = |client: i64| {
        stage
            .db
            .write(move |tx| {
                let mut merchant = qantara::db::merchant::get(tx, 1)?;
                merchant.rules.client_id = client;
                qantara::db::merchant::change(tx, &merchant)
            })
            .unwrap();
    };
    change(404);
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
    stage.until_idle(HOUR);
    let held = stage.order("1001");
    assert!(format!("{:?}", held.reason).contains("client_id"), "Daftra's own complaint is kept: {:?}", held.reason);
    change(CLIENT);
    stage.try_again(&held);
    stage.until_idle(HOUR);
    assert_eq!(documents(&stage, "one"), (1, 0));
}

fn open_alerts(stage: &Stage) -> Vec<String> {
    stage.db.read(qantara::db::alert::open).unwrap().into_iter().map(|alert| alert.cause).collect()
}

fn sql(stage: &Stage, text: &'static str) {
    stage
        .db
        .write(move |tx| {
            tx.execute_batch(text).unwrap();
            Ok(())
        })
        .unwrap();
}

fn posts(stage: &Stage) -> u64 {
    let is_post = |(call, count): (&String, &u64)| call.starts_with("POST").then_some(*count);
    stage.account("one", |account| account.calls().iter().filter_map(is_post).sum())
}

#[test]
fn a_document_that_was_planned_when_the_copy_was_made_is_looked_for_as_well() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.until_idle(HOUR);
    let mut stage = stage;
    stage.stop();
    // The copy knows of the plan, and not that it was carried out.
    sql(
        &stage,
        "update document set state = 'planned', remote_id = null, remote_no = null, written = null, verified_at = null;
         update job set due_at = 0 where kind = 'order'",
    );
    let mut stage = stage.restart(SignedDuration::from_mins(30));
    stage.start();
    stage.until_idle(DAY);
    assert_eq!(documents(&stage, "one"), (1, 0));
    assert_eq!(stage.order("1001").state, State::Settled);
}

#[test]
fn an_order_that_ended_after_the_copy_was_made_is_looked_for_before_it_is_ignored() {
    // The life that is gone made the invoice; in this copy the order was never seen.
    for was_invoiced in [true, false] {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
        if was_invoiced {
            stage.deliver(&deliveries);
            stage.until_idle(HOUR);
        }
        let mut stage = stage;
        stage.stop();
        sql(
            &stage,
            "delete from sync_log; delete from attempt; delete from document; delete from delivery;
                     delete from job where kind = 'order'; delete from fact; delete from orders;",
        );
        let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
        let cancelled = shop.cancel(order, &how, stage.clock.now()).unwrap();
        let mut stage = stage.restart(SignedDuration::from_mins(30));
        stage.start();
        stage.deliver(&cancelled);
        stage.until_idle(DAY + HOUR);
        let (state, receipts) = if was_invoiced { (State::Settled, 1) } else { (State::Ignored, 0) };
        assert_eq!(stage.order("1001").state, state, "{:?}", stage.order("1001").reason);
        assert_eq!(documents(&stage, "one"), (receipts, receipts));
        assert_eq!(net_units(&stage, "one"), []);
    }
}

/// In a copy that has never seen the order, its refund looks as if it came before the invoice.
#[test]
fn what_another_life_gave_back_is_not_taken_for_never_invoiced() {
    for is_edited in [false, true] {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let (order, mut all) = shop.buy(&Cart::of(&[(shelf[2], 4)]), stage.clock.now()).unwrap();
        stage.deliver(&all);
        stage.until_idle(HOUR);
        let line = only_line(&shop, order);
        let back = shop.refund(order, &Refund::of(&[(line, 2, Restock::Return)]), stage.clock.now()).unwrap();
        stage.deliver(&back);
        stage.until_idle(HOUR);
        assert_eq!(documents(&stage, "one"), (1, 1));
        let mut stage = stage;
        stage.stop();
        sql(
            &stage,
            "delete from sync_log; delete from attempt; delete from reduction; delete from document where parent_id is not null;
             delete from document; delete from delivery; delete from job where kind = 'order'; delete from fact;
             delete from orders;",
        );
        all.extend(back);
        if is_edited {
            // Two units back, two units more: the invoice that is there now looks like the one that is wanted.
            let edits = [Edit::SetQuantity { line, to: 4, restock: true }];
            all.extend(shop.edit(order, &edits, stage.clock.now()).unwrap());
        }
        let mut stage = stage.restart(SignedDuration::from_mins(30));
        stage.start();
        all.reverse(); // the newest comes first
        stage.deliver(&all);
        stage.until_idle(DAY);
        assert_eq!(documents(&stage, "one"), (1, 1), "{is_edited}");
        let known = if is_edited { State::Held } else { State::Settled };
        assert_eq!(stage.order("1001").state, known, "{:?}", stage.order("1001").reason);
    }
}

#[test]
fn a_document_that_was_refused_when_the_copy_was_made_is_looked_for_as_well() {
    for a_person_tries_again in [true, false] {
        let stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        let mut stage = stage;
        stage.stop();
        sql(
            &stage,
            "update document set state = 'refused', remote_id = null, remote_no = null, written = null,
               verified_at = null, refusal = '{\"status\":400,\"message\":\"No\",\"fields\":[]}'",
        );
        let mut stage = stage.restart(SignedDuration::from_mins(30));
        stage.start();
        if a_person_tries_again {
            stage.try_again(&stage.order("1001"));
            stage.until_idle(DAY);
            assert_eq!(stage.order("1001").state, State::Settled, "{:?}", stage.order("1001").reason);
        } else {
            let line = only_line(&shop, order);
            let edits = [Edit::SetQuantity { line, to: 3, restock: true }];
            stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
            stage.until_idle(DAY);
        }
        assert_eq!(documents(&stage, "one"), (1, 0), "{a_person_tries_again}");
    }
}

#[test]
fn what_comes_during_a_run_that_is_given_up_is_looked_at() {
    use qantara::db::{job, order};
    let mut stage = Stage::new(Plan::default());
    let merchant = stage.add(&Cast::default());
    let now = stage.clock.now();
    let again = stage
        .db
        .write(move |tx| {
            let order = order::known(tx, merchant, 1, now)?;
            job::ask(tx, order, merchant, now, true)?;
            let claimed = job::claim(tx, now, 1)?.unwrap();
            job::ask(tx, order, merchant, now, true)?;
            job::fail(tx, &claimed, None, now)?;
            let again = job::claim(tx, now, 1)?;
            job::fail(tx, &again.unwrap(), None, now)?;
            Ok((again.is_some(), job::claim(tx, now, 1)?.is_some()))
        })
        .unwrap();
    assert_eq!(again, (true, false), "once for the news, and not for ever");
}

#[test]
fn a_database_that_fails_for_a_while_leaves_no_order_running() {
    let stage = Stage::usual();
    sql(
        &stage,
        "create trigger disk_full before update of running_since on job when new.running_since is null
         begin select raise(abort, 'the disk is full'); end",
    );
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(SignedDuration::from_mins(1));
    sql(&stage, "drop trigger disk_full");
    stage.until_idle(DAY);
    assert_eq!(stage.order("1001").state, State::Settled);
    assert_eq!(documents(&stage, "one"), (1, 0));
}

#[test]
fn a_pause_of_no_length_is_not_taken_at_its_word() {
    let stage = Stage::usual();
    let throttled = FaultKind::Throttled { retry_after: Some(0) };
    stage.account("one", |account| {
        account.add_fault(Fault { times: Some(1_000), ..Fault::always(throttled).on("POST", "invoices") });
    });
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(SignedDuration::from_mins(10));
    assert!((2..=21).contains(&posts(&stage)), "{} calls in ten minutes", posts(&stage));
}

#[test]
fn an_outage_is_over_with_the_first_answer_whatever_it_says_and_whoever_hears_it() {
    for is_restarted in [false, true] {
        let mut stage = Stage::usual();
        let (mut shop, shelf) = wadi(1);
        stage.network.down.lock().unwrap().insert("one".to_owned());
        for _ in 0..5 {
            stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
        }
        stage.pass(SignedDuration::from_mins(2));
        assert_eq!(open_alerts(&stage), ["outage"]);
        stage.network.down.lock().unwrap().clear();
        if is_restarted {
            stage = stage.restart(SignedDuration::from_secs(20));
            stage.start();
        } else {
            let throttled = FaultKind::Throttled { retry_after: Some(7) };
            stage.account("one", |account| account.add_fault(Fault::once(throttled).on("GET", "site_info")));
        }
        stage.until_idle(DAY);
        assert_eq!(documents(&stage, "one"), (5, 0));
        assert!(open_alerts(&stage).is_empty(), "restarted: {is_restarted}");
    }
}

#[test]
fn the_alert_of_failed_orders_closes_with_the_last_of_them() {
    let stage = Stage::usual();
    stage.account("one", |account| {
        account.add_fault(Fault { times: Some(20), ..Fault::always(FaultKind::TruncatedJson).on("GET", "product") });
    });
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(DAY);
    assert_eq!(stage.order("1001").state, State::Failed);
    assert_eq!(open_alerts(&stage), ["failed"]);
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    assert_eq!(stage.order("1001").state, State::Settled);
    assert!(open_alerts(&stage).is_empty());
}

#[test]
fn a_clock_that_is_set_back_stops_nobody() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    for back in [SignedDuration::ZERO, HOUR] {
        stage.hand.advance(-back);
        stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
        stage.pass(SignedDuration::from_mins(2));
    }
    assert_eq!(documents(&stage, "one"), (2, 0));
}

#[test]
fn what_never_left_for_a_wrong_address_goes_to_the_right_one() {
    use qantara::db::merchant::{self, Credential, CredentialKind, Slot};
    let accounts = ["wrong", "one"].map(|name| AccountSetup { name: name.into(), ..profile::setup() });
    let mut stage = Stage::new(Plan { accounts: accounts.into(), ..Plan::default() });
    let id = stage.add(&Cast { account: "wrong", ..Cast::default() });
    stage.start();
    stage.account("wrong", |account| {
        account.add_fault(Fault::always(FaultKind::Throttled { retry_after: Some(7) }).on("POST", "invoices"));
    });
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(SignedDuration::from_mins(1));
    let vault = std::sync::Arc::clone(&stage.engine.vault);
    let address = "http://127.0.0.1:8901/acct/one";
    stage
        .db
        .write(move |tx| {
            let account_id = Some(qantara::db::account::at_address(tx, address)?);
            merchant::change(tx, &merchant::Merchant { account_id, ..merchant::get(tx, id)? })?;
            let kind = CredentialKind::DaftraKey;
            let sealed = vault.seal(&qantara::engine::credential_place(id, kind, Some(address)), b"key-one");
            merchant::put_credential(tx, &Credential { merchant_id: id, kind, slot: Slot::Current, sealed })
        })
        .unwrap();
    stage.try_again(&stage.order("1001"));
    stage.until_idle(DAY);
    assert_eq!(stage.order("1001").state, State::Settled, "{:?}", stage.order("1001").reason);
    assert_eq!((documents(&stage, "wrong"), documents(&stage, "one")), ((0, 0), (1, 0)));
}

#[test]
fn a_dozen_refunds_at_once_are_no_endless_run() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 13)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    sql(&stage, "update merchant set mode = 'paused'");
    for _ in 0..12 {
        let refund = Refund::of(&[(only_line(&shop, order), 1, Restock::Return)]);
        stage.deliver(&shop.refund(order, &refund, stage.clock.now()).unwrap());
    }
    sql(&stage, "update merchant set mode = 'live'");
    stage.engine.wake();
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Settled, "{:?}", stage.order("1001").reason);
    assert_eq!(documents(&stage, "one"), (1, 12));
}

#[test]
fn the_last_look_for_a_dropped_receipt_is_made() {
    let stage = Stage::usual();
    let (mut shop, shelf) = wadi(1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let refund = Refund::of(&[(only_line(&shop, order), 1, Restock::Return)]);
    stage.deliver(&shop.refund(order, &refund, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    sql(
        &stage,
        "insert into document (order_id, account_id, parent_id, kind, source_key, reference, state, since_at, look_at,
           unknown_sends, content, wanted, currency)
         select order_id, account_id, id, 'refund_receipt', 'cancel', reference || '/x', 'dropped', since_at,
           since_at + 86400000, 1,
           (select json_object('refund_receipt', json_set(json_remove(content -> '$.invoice', '$.vendors', '$.shipping',
              '$.seen'), '$.cause', 'cancel'))), wanted, currency
         from document where kind = 'invoice'",
    );
    stage.deliver(&shop.tag(order, "seen", stage.clock.now()).unwrap());
    stage.until_idle(DAY * 2);
    let documents = stage.db.read(|c| qantara::db::document::of_order(c, 1)).unwrap();
    let dropped = documents.iter().find(|d| d.source_key == "cancel").unwrap();
    assert_eq!((dropped.state, dropped.look_at), (qantara::domain::document::State::Dropped, None));
}

#[test]
fn another_account_is_not_written_to_while_nobody_can_be_asked_either() {
    let stage = Stage::usual();
    sql(&stage, "update account set site_id = 'another'");
    let now = stage.clock.now();
    stage.db.write(move |tx| qantara::db::job::ask_chore(tx, qantara::db::job::Chore::Account, 1, now)).unwrap();
    stage.engine.wake_chores();
    stage.pass(SignedDuration::from_mins(1));
    let (mut shop, shelf) = wadi(1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(SignedDuration::from_mins(50));
    stage.network.down.lock().unwrap().insert("one".to_owned());
    stage.pass(SignedDuration::from_mins(68));
    stage.network.down.lock().unwrap().clear();
    stage.pass(HOUR * 5);
    assert_eq!(documents(&stage, "one"), (0, 0));
}

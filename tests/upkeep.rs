//! What the upkeep looks for each minute, what retention takes and what it must leave, and a disk that is nearly full.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use std::sync::atomic::Ordering;

use common::profile;
use common::stage::{Cast, Plan, Stage, shop};
use jiff::{SignedDuration, Timestamp};
use qantara::db::alert::{self, Alert, Cause};
use qantara::db::log;
use qantara::db::order::State;
use qantara::db::{Context as _, delivery, document, order};
use qantara::desk::Wish;
use qantara::domain::reason::{Reason, Waiting};
use qantara::domain::ruling::Ruling;
use qantara::domain::trace::Step;
use qantara::sandbox::daftra::{AccountSetup, DocumentKind};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Cart, Product, Refund, Restock, VariantId};
use qantara::sandbox::shop::delivery::Delivery;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn wadi() -> (Shop, Vec<VariantId>) {
    shop("wadi.myshopify.com", "hush", 1)
}

/// A stage that is looked after each minute, as the product is.
fn plan() -> Plan {
    Plan { upkeep: MINUTE, ..Plan::default() }
}

/// The usual merchant on it, running.
fn usual() -> Stage {
    let mut stage = Stage::new(plan());
    stage.add(&Cast::default());
    stage.start();
    stage
}

/// The open alerts of a cause: whom they are about and how often.
fn open(stage: &Stage, cause: Cause) -> Vec<(String, i64)> {
    let all = stage.db.read(alert::open).unwrap();
    all.into_iter().filter(|alert| alert.cause == cause.word()).map(|alert| (alert.subject, alert.count)).collect()
}

fn of_merchant(count: i64) -> Vec<(String, i64)> {
    vec![("merchant 1".to_owned(), count)]
}

fn count(stage: &Stage, sql: &'static str) -> i64 {
    stage.db.read(|c| c.query_row(sql, [], |row| row.get(0)).during("look")).unwrap()
}

fn invoices(stage: &Stage) -> usize {
    stage.account("one", |account| account.documents(DocumentKind::Invoice).count())
}

fn dismissal(order_id: i64) -> Wish {
    Wish::OrderRule { order_id, ruling: Ruling::Dismiss, note: "by hand".into() }
}

fn receipts(stage: &Stage) -> usize {
    stage.account("one", |account| account.documents(DocumentKind::RefundReceipt).count())
}

#[test]
fn orders_that_are_held_for_long_are_an_alert_until_somebody_decides() {
    let stage = usual();
    let (mut shop, _) = wadi();
    let unknown = shop.sell(Product { sku: "LAMP-9".into(), ..Product::samples(2).remove(0) });
    for _ in 0..2 {
        stage.deliver(&shop.buy(&Cart::of(&[(unknown, 1)]), stage.clock.now()).unwrap().1);
    }
    stage.until_idle(MINUTE);
    assert_eq!(stage.order("1001").state, State::Held);
    stage.hand.advance(DAY - HOUR);
    stage.pass(MINUTE);
    assert_eq!(open(&stage, Cause::Holds), []);
    stage.hand.advance(HOUR);
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Holds), of_merchant(2));
    stage.wish(dismissal(stage.order("1001").id));
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Holds), of_merchant(1), "counted anew, not once more each minute");
    stage.wish(dismissal(stage.order("1002").id));
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Holds), []);
    let past = count(&stage, "select count(*) from alert where cause = 'holds' and closed_at is not null");
    assert_eq!(past, 1, "it stays as history");
}

#[test]
fn a_plan_that_has_ended_is_an_alert() {
    let ended = AccountSetup { expired: true, ..profile::setup() };
    let mut stage = Stage::new(Plan { accounts: vec![ended], ..plan() });
    stage.add(&Cast::default());
    stage.start();
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Expired), of_merchant(1));
}

#[test]
fn what_stays_in_doubt_is_an_alert() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    stage.account("one", |account| account.add_fault(Fault::once(FaultKind::LoseAnswer).on("POST", "invoices")));
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(MINUTE);
    stage.network.down.lock().unwrap().insert("one".to_owned());
    stage.pass(HOUR - MINUTE * 2);
    assert_eq!(open(&stage, Cause::InDoubt), []);
    stage.pass(MINUTE * 3);
    assert_eq!(open(&stage, Cause::InDoubt), of_merchant(1));
    assert_eq!(open(&stage, Cause::Queue), [], "its account waits, so nobody is late");
    stage.network.down.lock().unwrap().clear();
    stage.until_idle(DAY);
    stage.pass(MINUTE);
    assert_eq!((open(&stage, Cause::InDoubt), open(&stage, Cause::Outage)), (vec![], vec![]));
    assert_eq!((stage.order("1001").state, invoices(&stage)), (State::Settled, 1));
}

#[test]
fn a_queue_that_nobody_works_on_is_an_alert() {
    let mut stage = Stage::new(Plan { workers: 0, ..plan() });
    stage.add(&Cast::default());
    let (mut shop, shelf) = wadi();
    for _ in 0..3 {
        stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    }
    stage.start();
    stage.pass(MINUTE * 14);
    assert_eq!(open(&stage, Cause::Queue), []);
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Queue), of_merchant(3));
    stage.db.write(|tx| tx.execute_batch("update merchant set mode = 'paused'").during("pause")).unwrap();
    stage.pass(MINUTE);
    assert_eq!(open(&stage, Cause::Queue), [], "a paused merchant keeps nobody waiting");
    stage.db.write(|tx| tx.execute_batch("update merchant set mode = 'live'").during("go on")).unwrap();
    stage.settings.workers = 2;
    let mut stage = stage.restart(SignedDuration::ZERO);
    stage.start();
    stage.until_idle(HOUR);
    stage.pass(MINUTE);
    assert_eq!(open(&stage, Cause::Queue), []);
}

#[test]
fn what_came_due_while_nobody_was_there_is_an_alert_only_if_nobody_looks_at_it() {
    let mut stage = Stage::new(Plan { workers: 0, ..plan() });
    stage.add(&Cast::default());
    let (mut shop, shelf) = wadi();
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    let mut stage = stage.restart(HOUR * 6);
    stage.start();
    stage.pass(MINUTE * 14);
    assert_eq!(open(&stage, Cause::Queue), [], "it may just have begun");
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Queue), of_merchant(1));
}

#[test]
fn signatures_that_prove_nothing_are_an_alert_for_a_day() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    assert!(!stage.deliver_to(Some("wadi"), &deliveries[0], "somebody else's"));
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Signatures), of_merchant(1));
    stage.hand.advance(DAY + HOUR);
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Signatures), []);
}

#[test]
fn a_clock_that_was_set_back_is_an_alert_until_another_confirms_it() {
    let mut stage = Stage::new(plan());
    stage.add(&Cast::default());
    let look = |stage: &Stage| {
        stage.engine.upkeep_once();
        open(stage, Cause::Clock).into_iter().map(|(subject, _)| subject).collect::<Vec<_>>()
    };
    let address = "http://127.0.0.1:8901/acct/one";
    assert_eq!(look(&stage), [""; 0]);
    stage.hand.advance(-MINUTE);
    assert_eq!(look(&stage), [""; 0], "so much may be mended by whoever keeps the time");
    stage.hand.advance(-HOUR);
    assert_eq!(look(&stage), ["server"]);
    stage.hand.advance(HOUR);
    assert_eq!(look(&stage), ["server"], "nobody has confirmed it");
    // Another clock differs from ours, then agrees with it.
    stage.engine.vitals.hear(address, stage.clock.now() + MINUTE * 3);
    assert_eq!(look(&stage), ["account 1", "server"]);
    stage.engine.vitals.hear(address, stage.clock.now() - MINUTE);
    assert_eq!(look(&stage), [""; 0]);
    // What is not one of our accounts says nothing of us; and without any confirmation a day is enough.
    stage.engine.vitals.hear("http://elsewhere", stage.clock.now() + DAY);
    assert_eq!(look(&stage), [""; 0]);
    stage.hand.advance(-HOUR);
    assert_eq!(look(&stage), ["server"]);
    stage.hand.advance(DAY + MINUTE);
    assert_eq!(look(&stage), [""; 0]);
    // Also while nobody looked: the next life finds a heartbeat of the future.
    stage.engine.beat_once().unwrap();
    let stage = stage.restart(-HOUR);
    stage.engine.recover().unwrap();
    assert_eq!(look(&stage), ["server"]);
}

#[test]
fn what_is_nobodys_any_more_is_no_alert() {
    let stage = usual();
    let raise = |stage: &Stage| {
        let now = stage.clock.now();
        stage
            .db
            .write(move |tx| {
                alert::raise(tx, Cause::Trouble, "merchant 1", Some(1), now)?;
                alert::raise(tx, Cause::Payments, "merchant 1: cash", Some(1), now)?;
                alert::raise(tx, Cause::Outage, "account 1", None, now)
            })
            .unwrap();
    };
    let left = |stage: &Stage, mode: &'static str| {
        raise(stage);
        let set = format!("update merchant set mode = '{mode}'");
        stage.db.write(move |tx| tx.execute_batch(&set).during("set its mode")).unwrap();
        stage.engine.upkeep_once();
        [Cause::Trouble, Cause::Payments, Cause::Outage].map(|cause| open(stage, cause).len())
    };
    assert_eq!(left(&stage, "live"), [1, 1, 1]);
    assert_eq!(left(&stage, "paused"), [1, 1, 0], "nobody calls the account");
    assert_eq!(left(&stage, "closed"), [0, 0, 0]);
}

#[test]
fn by_a_clock_that_nobody_believes_nothing_is_old() {
    const BODIES: &str = "select count(*) from delivery where body is not null";
    let stage = usual();
    let (mut shop, shelf) = wadi();
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap().1);
    stage.until_idle(HOUR);
    let stage = stage.restart(KEPT);
    let kept = count(&stage, BODIES);
    assert!(kept > 0);
    let address = "http://127.0.0.1:8901/acct/one";
    stage.engine.vitals.hear(address, stage.clock.now() - KEPT);
    stage.engine.upkeep_once();
    assert_eq!((open(&stage, Cause::Clock).len(), count(&stage, BODIES)), (1, kept));
    stage.engine.vitals.hear(address, stage.clock.now());
    stage.engine.upkeep_once();
    assert_eq!((open(&stage, Cause::Clock).len(), count(&stage, BODIES)), (0, 0));
}

#[test]
fn a_minute_in_which_nothing_is_new_writes_nothing() {
    let stage = usual();
    stage.room.store(0, Ordering::SeqCst);
    stage.pass(MINUTE * 2);
    let told = || {
        let disk: Vec<Alert> = stage.db.read(alert::open).unwrap();
        assert_eq!((disk.len(), disk[0].cause.as_str(), disk[0].count), (1, "disk", 1));
        disk[0].seen_at
    };
    let first = told();
    stage.pass(MINUTE * 5);
    assert_eq!(told(), first);
    stage.pass(MINUTE * 10);
    assert!(told() > first, "that it goes on is noted now and then");
}

#[test]
fn an_unreadable_body_is_forgotten_as_an_alert_when_no_other_came() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (_, mut deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    deliveries[0].body = b"{}".to_vec();
    assert!(stage.deliver_to(None, &deliveries[0], "hush"));
    stage.pass(HOUR);
    assert_eq!(open(&stage, Cause::Unreadable), of_merchant(1));
    stage.hand.advance(DAY * 3);
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Unreadable), []);
}

#[test]
fn with_a_full_disk_nothing_new_begins_and_everything_goes_on_by_itself() {
    let mut stage = Stage::new(plan());
    stage.add(&Cast::default());
    let (mut shop, shelf) = wadi();
    let (_, first) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    let (_, second) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
    stage.deliver(&first);
    stage.room.store((1 << 20) - 1, Ordering::SeqCst);
    stage.hand.advance(SignedDuration::from_secs(2));
    stage.start();
    stage.pass(MINUTE * 2);
    assert!(!stage.deliver_to(None, &second[0], "hush"), "put off, before anything is lost");
    assert_eq!(count(&stage, "select count(*) from delivery where order_id = 2"), 0);
    assert_eq!((stage.order("1001").state, invoices(&stage)), (State::New, 0));
    assert_eq!(open(&stage, Cause::Disk), [("server".to_owned(), 1)]);
    // At the mark it would be full and not full in turns; a quarter more is room.
    stage.room.store(1 << 20, Ordering::SeqCst);
    stage.pass(MINUTE);
    assert_eq!(invoices(&stage), 0);
    stage.room.store((1 << 20) + (1 << 18), Ordering::SeqCst);
    stage.pass(MINUTE * 2);
    assert_eq!((stage.order("1001").state, invoices(&stage)), (State::Settled, 1));
    assert_eq!(open(&stage, Cause::Disk), []);
    stage.deliver(&second);
    stage.until_idle(MINUTE);
    assert_eq!((stage.order("1002").state, invoices(&stage)), (State::Settled, 2));
}

#[test]
fn an_order_in_work_sends_nothing_more_once_the_disk_is_full() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    stage
        .account("one", |account| account.add_fault(Fault::once(FaultKind::Slow { seconds: 20 }).on("GET", "product")));
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.pass(SignedDuration::from_secs(5));
    stage.room.store(0, Ordering::SeqCst);
    *stage.network.heard.lock().unwrap() = Some(Vec::new());
    stage.pass(MINUTE);
    let heard = stage.network.heard.lock().unwrap().take().unwrap();
    assert!(heard.iter().all(|request| request.method != "POST"), "the invoice was sent");
    assert_eq!(invoices(&stage), 0);
    stage.room.store(u64::MAX, Ordering::SeqCst);
    stage.until_idle(HOUR);
    assert_eq!((stage.order("1001").state, invoices(&stage)), (State::Settled, 1));
}

#[test]
fn the_room_is_asked_for_at_most_every_other_second_and_a_system_that_does_not_tell_changes_nothing() {
    use qantara::vitals::disk::Disk;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    let (answer, asked) = (Arc::new(AtomicU64::new(100)), Arc::new(AtomicU64::new(0)));
    let (told, times) = (Arc::clone(&answer), Arc::clone(&asked));
    let disk = Disk::asking(50, move || {
        times.fetch_add(1, Ordering::SeqCst);
        match told.load(Ordering::SeqCst) {
            0 => Err(std::io::ErrorKind::Other.into()),
            free => Ok(free),
        }
    });
    let at = |ms: i64| Timestamp::from_millisecond(1_795_165_200_000 + ms).unwrap();
    assert!(!disk.is_full(at(0)));
    answer.store(49, Ordering::SeqCst);
    assert!(!disk.is_full(at(1_999)) && asked.load(Ordering::SeqCst) == 1);
    assert!(disk.is_full(at(2_000)));
    answer.store(0, Ordering::SeqCst);
    assert!(disk.is_full(at(4_000)) && disk.free(at(4_001)).is_none());
    answer.store(63, Ordering::SeqCst);
    assert!(!disk.is_full(at(3_000)), "a clock that was set back does not stop the looking");
    let folder = common::stage::folder();
    assert!(Disk::of(folder.path(), 1).free(at(0)).unwrap() > 0);
    assert!(Disk::of(folder.path(), u64::MAX).is_full(at(0)) && !Disk::of(folder.path(), 0).is_full(at(0)));
    assert!(Disk::of(std::path::Path::new("/proc"), 1).is_full(at(0)), "a file system without room");
}

/// A stage on which an order was invoiced, one was given a receipt, one is held, and one was ignored; then 91 days pass.
struct Aged {
    stage: Stage,
    shop: Shop,
    settled: Vec<Delivery>,
    refunded: Vec<Delivery>,
}

const KEPT: SignedDuration = SignedDuration::from_hours(91 * 24);

fn aged() -> Aged {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let unknown = shop.sell(Product { sku: "LAMP-9".into(), ..Product::samples(2).remove(0) });
    let (_, settled) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
    stage.deliver(&settled);
    let (order, created) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
    stage.deliver(&created);
    stage.until_idle(HOUR);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let refunded = shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap();
    stage.deliver(&refunded);
    stage.deliver(&shop.buy(&Cart::of(&[(unknown, 1)]), stage.clock.now()).unwrap().1);
    let (pos, pos_created) =
        shop.buy(&Cart { source: "pos".into(), ..Cart::of(&[(shelf[2], 1)]) }, stage.clock.now()).unwrap();
    let _ = pos;
    stage.deliver(&pos_created);
    stage.until_idle(MINUTE);
    let states: Vec<State> = ["1001", "1002", "1003", "1004"].map(|name| stage.order(name).state).into();
    assert_eq!(states, [State::Settled, State::Settled, State::Held, State::Ignored]);
    assert_eq!((invoices(&stage), receipts(&stage)), (2, 1));
    stage.hand.advance(KEPT);
    stage.pass(MINUTE * 2);
    Aged { stage, shop, settled, refunded }
}

#[test]
fn after_its_time_everything_goes_but_what_waits_for_somebody() {
    let Aged { stage, .. } = aged();
    for (name, is_gone) in [("1001", true), ("1002", true), ("1003", false), ("1004", true)] {
        let id = stage.order(name).id;
        let (snapshot, buyer): (bool, bool) = stage
            .db
            .read(|c| {
                c.query_row("select snapshot is null, buyer is null from orders where id = ?1", [id], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .during("look")
            })
            .unwrap();
        assert_eq!(snapshot, is_gone, "{name}");
        assert!(buyer, "{name}: nothing waits for who bought");
        let bodies = stage.db.read(|c| delivery::of_order(c, id)).unwrap();
        assert!(bodies.iter().all(|one| one.has_body != is_gone), "{name}");
        let calls = stage.db.read(|c| document::attempts(c, id)).unwrap();
        let has_texts = |call: &document::Attempt| call.request.is_some() || call.answer.is_some();
        assert!(calls.iter().all(|call| has_texts(call) != is_gone), "{name}: {calls:?}");
        assert_eq!(calls.is_empty(), name == "1004", "that there were calls stays");
        let trace = stage.order(name).trace.unwrap();
        assert_eq!(matches!(trace.as_slice(), [Step::Trimmed { days: 90, .. }]), is_gone, "{name}: {trace:?}");
        assert!(!stage.db.read(|c| document::of_order(c, id)).unwrap().is_empty() || name == "1003" || name == "1004");
    }
    assert_eq!(count(&stage, "select count(*) from fact where kind = 'refund'"), 1, "facts stay");
    assert!(count(&stage, "select count(*) from sync_log") >= 4, "the story stays longer");
    let mut stage = stage;
    stage.settings.retention.log = Some(DAY);
    let mut stage = stage.restart(SignedDuration::ZERO);
    stage.db.write(|tx| alert::raise(tx, Cause::Backup, "server", None, Timestamp::UNIX_EPOCH)).unwrap();
    stage.db.write(|tx| alert::close(tx, Cause::Backup, "server", Timestamp::UNIX_EPOCH)).unwrap();
    stage.start();
    stage.pass(MINUTE * 2);
    let held = stage.order("1003").id;
    let rows = stage.db.read(|c| log::list(c, log::Filter::default(), 1_000)).unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.order_id == Some(held)), "{rows:?}");
    assert_eq!(count(&stage, "select count(*) from happening where hour >= 0 and status = 'success'"), 0);
    assert_eq!(
        count(&stage, "select count from happening where hour = -1 and status = 'success'"),
        2,
        "a sum never falls"
    );
    assert_eq!(count(&stage, "select count(*) from alert where cause = 'backup'"), 0);
}

#[test]
fn nothing_goes_where_it_is_kept_for_ever() {
    let mut stage = Stage::new(plan());
    stage.settings.retention = qantara::db::trim::Retention::default();
    let mut stage = stage.restart(SignedDuration::ZERO);
    stage.add(&Cast::default());
    stage.start();
    let (mut shop, shelf) = wadi();
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap().1);
    stage.until_idle(HOUR);
    stage.hand.advance(KEPT * 20);
    stage.pass(MINUTE * 2);
    assert_eq!(count(&stage, "select count(*) from orders where snapshot is null"), 0);
    assert_eq!(count(&stage, "select count(*) from delivery where body is null"), 0);
    assert_eq!(count(&stage, "select count(*) from attempt where answer is null"), 0);
    assert!(count(&stage, "select count(*) from sync_log") > 0);
}

#[test]
fn what_comes_again_after_its_time_makes_no_second_document() {
    let Aged { stage, settled, refunded, .. } = aged();
    // The same events; then bodies that are older than what was known, as events of their own.
    stage.deliver(&settled);
    stage.deliver(&refunded);
    stage.until_idle(HOUR);
    let renamed =
        |one: &Delivery, name: &str| Delivery { webhook_id: format!("{}-{name}", one.webhook_id), ..one.clone() };
    let older: Vec<Delivery> = settled
        .iter()
        .take(1)
        .chain(&refunded)
        .map(|one| Delivery { triggered_at: one.triggered_at - DAY, ..renamed(one, "older") })
        .collect();
    stage.deliver(&older);
    stage.until_idle(HOUR);
    let states = ["1001", "1002"].map(|name| stage.order(name).state);
    assert_eq!(states, [State::Settled, State::Settled]);
    assert_eq!(stage.db.read(|c| Ok(order::list(c, order::Filter::default(), 9)?.len())).unwrap(), 4);
    // A person's "try again" changes nothing either.
    stage.try_again(&stage.order("1001"));
    stage.try_again(&stage.order("1004"));
    stage.until_idle(HOUR);
    assert_eq!((stage.order("1001").state, stage.order("1004").state), (State::Settled, State::Ignored));
    // The newest body of each comes as new news: it is planned against the ledger, and is what it was.
    let newest: Vec<Delivery> = [&settled, &refunded]
        .map(|all| renamed(all.iter().rfind(|one| one.topic.starts_with("orders/")).unwrap(), "newest"))
        .into();
    stage.deliver(&newest);
    stage.until_idle(HOUR);
    assert_eq!(["1001", "1002"].map(|name| stage.order(name).state), [State::Settled, State::Settled]);
    assert_eq!((invoices(&stage), receipts(&stage)), (2, 1));
}

#[test]
fn a_refund_long_after_waits_for_the_order_and_then_is_made_once() {
    let Aged { stage, mut shop, settled, .. } = aged();
    let order = qantara::sandbox::shop::cart::OrderId(settled[0].order_id.unwrap());
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let late = shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap();
    let (about_order, record): (Vec<_>, Vec<_>) = late.into_iter().partition(|one| one.topic.starts_with("orders/"));
    stage.deliver(&record);
    stage.until_idle(HOUR);
    let waiting = stage.order("1001");
    assert_eq!((waiting.state, waiting.reason), (State::Waiting, Some(Reason::Waiting(Waiting::BodyRemoved))));
    stage.pass(HOUR * 2);
    assert_eq!(stage.order("1001").state, State::Waiting, "a walk of retention takes nothing from what waits");
    stage.deliver(&about_order);
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Settled);
    assert_eq!((invoices(&stage), receipts(&stage)), (2, 2));
}

#[test]
fn what_was_passed_over_stays_so_whatever_is_told_of_it() {
    let Aged { stage, .. } = aged();
    let (id, merchant_id) = (stage.order("1004").id, 1);
    stage
        .db
        .write(move |tx| {
            tx.execute(
                "insert into fact (order_id, kind, remote_id, body, seen_at)
                 select ?1, kind, 77, replace(body, remote_id, 77), seen_at from fact where kind = 'refund'",
                [id],
            )
            .during("tell of a refund")?;
            qantara::db::job::ask(tx, id, merchant_id, Timestamp::UNIX_EPOCH, true)
        })
        .unwrap();
    stage.engine.wake();
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1004").state, State::Ignored);
    // But not if a person decides about it: then what it was must be known again.
    stage.wish(Wish::OrderRule { order_id: id, ruling: Ruling::Import, note: "after all".into() });
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1004").reason, Some(Reason::Waiting(Waiting::BodyRemoved)));
    assert_eq!(invoices(&stage), 2);
}

#[test]
fn retention_goes_in_small_steps_and_leaves_the_way_to_orders_that_wait() {
    let Aged { stage, mut shop, .. } = aged();
    stage
        .db
        .write(|tx| {
            tx.execute_batch(
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
                 insert into delivery (merchant_id, event_key, topic, received_at, body)
                 select 1, 'old ' || i, 'shop/update', i, x'00' from n",
            )
            .during("fill")
        })
        .unwrap();
    let left = || count(&stage, "select count(*) from delivery where body is not null and received_at <= 1000");
    stage.pass(MINUTE * 2);
    assert_eq!(left(), 1_000, "a walk rests for an hour");
    // An order is due that nobody can work on: its account has as many as it may.
    let shelf = shop.sell(Product::samples(2).remove(0));
    stage.account("one", |account| account.add_fault(Fault::always(FaultKind::Hang)));
    stage.pass(HOUR - MINUTE * 4);
    for _ in 0..4 {
        stage.deliver(&shop.buy(&Cart::of(&[(shelf, 1)]), stage.clock.now()).unwrap().1[..1]);
    }
    let before = left();
    stage.hand.advance(MINUTE * 5);
    stage.hand.rest();
    let taken = before - left();
    assert!(taken <= 200, "one step while orders wait, not {taken} rows");
    stage.account("one", |account| account.clear_faults());
    stage.until_idle(DAY);
    stage.pass(HOUR * 2);
    assert_eq!(left(), 0);
}

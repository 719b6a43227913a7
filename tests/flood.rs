//! Too much of everything: the same order a thousand times from fifty connections, strangers among them, a writer that
//! cannot keep up, and a person who cannot wait.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;
mod process;

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use common::stage::{Stage, folder, furnished_for_files, shop};
use jiff::SignedDuration;
use process::{DOMAIN, House, WEBHOOK_SECRET, until};
use qantara::clock::Clock;
use qantara::db::log::{self, Status};
use qantara::db::rejection::{Rejected, Why};
use qantara::db::scope::Scope;
use qantara::db::writer::INBOX;
use qantara::db::{Db, delivery, order};
use qantara::desk::{Desk, Person, Wish};
use qantara::engine::intake::Received;
use qantara::sandbox::daftra::DocumentKind;
use qantara::sandbox::shop::cart::{Cart, Refund, Restock};
use qantara::sandbox::shop::delivery::{Delivery, Sender};
use qantara::sandbox::{Server, World};
use qantara::shop::webhook::Headers;

const CONNECTIONS: usize = 50;
const EACH: usize = 20;
/// Of every connection's tries, those that nobody's secret signed.
const FORGED: usize = 2;

#[test]
fn one_order_a_thousand_times_from_fifty_connections_is_one_invoice() {
    let (house, daftra) = installation();
    let server = house.start(&["serve"]);
    let url = format!("http://{}/webhook", server.text("listening"));
    let (mut shop, shelf) = shop(DOMAIN, WEBHOOK_SECRET, 1);
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), "2026-11-20T09:00:00Z".parse().unwrap()).unwrap();
    let created = deliveries.into_iter().find(|delivery| delivery.topic == "orders/create").unwrap();

    let together = Barrier::new(CONNECTIONS);
    let answers = Mutex::new(BTreeMap::<u16, usize>::new());
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (created, url, together, answers) = (&created, &url, &together, &answers);
            scope.spawn(move || {
                let sender = Sender::new();
                together.wait();
                for number in 0..EACH + FORGED {
                    let is_fresh = number % 2 == 0;
                    let own = format!("fresh {connection} {number}");
                    let webhook_id = if is_fresh { own } else { created.webhook_id.clone() };
                    let delivery = Delivery { webhook_id, ..created.clone() };
                    let secret = if number < EACH { WEBHOOK_SECRET } else { "guessed" };
                    let status = sender.send(url, &delivery, secret).unwrap();
                    assert_eq!(status, if number < EACH { 200 } else { 401 }, "try {number} of {connection}");
                    *answers.lock().unwrap().entry(status).or_default() += 1;
                }
            });
        }
    });
    assert_eq!(*answers.lock().unwrap(), [(200, CONNECTIONS * EACH), (401, CONNECTIONS * FORGED)].into());
    until("settled", || house.ask(&["order", "list"])[0]["state"] == "settled");
    assert_eq!(server.stop().0.code(), Some(0));

    let calls = daftra.world().lock().unwrap().account("one").map(|one| {
        assert_eq!(one.documents(DocumentKind::Invoice).count(), 1);
        one.calls().clone()
    });
    assert_eq!(calls.unwrap()["POST invoices"], 1, "not even a second try");
    let db = Db::open(&house.path("data")).unwrap();
    db.read(|c| {
        let orders = order::list(c, order::Filter::default(), 10)?;
        assert_eq!(orders.len(), 1);
        let kept = delivery::of_order(c, orders[0].id)?;
        // A row for the id that all share, one for each fresh id, and none for a stranger.
        assert_eq!(kept.len(), 1 + CONNECTIONS * EACH / 2);
        let repeats: Vec<i64> = kept.iter().map(|one| one.repeats).filter(|repeats| *repeats > 0).collect();
        assert_eq!(repeats, [499]);
        let log = log::list(c, log::Filter::default(), 10_000)?;
        let mut told: Vec<Status> = log.into_iter().map(|entry| entry.status).collect();
        told.sort_by_key(|status| status.word());
        assert_eq!(told, [Status::Duplicate, Status::Success], "a thousand lines would bury the one that matters");
        Ok(())
    })
    .unwrap();
    let forged = db.see(&Scope::All, |sight| sight.rejected(Clock::real().now())).unwrap();
    let of = |why: Why| forged.iter().filter(|one| one.why == why).map(|one| one.week).sum::<i64>();
    let looked_at = of(Why::OtherSecret);
    assert_eq!(looked_at + of(Why::Unexamined), 100, "all are counted: {forged:?}");
    assert!((60..=120).contains(&looked_at), "a minute has time for sixty: {looked_at}");
    assert!(forged.iter().all(|Rejected { shop, .. }| shop == DOMAIN));
}

/// A house with a merchant, and the Daftra it writes to.
fn installation() -> (House, Server) {
    let house = House::inside(folder());
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    let mut world = World::new(1);
    world.add(furnished_for_files(now));
    let daftra = Server::start(Arc::new(Mutex::new(world)), move || now).unwrap();
    let merchant = house.merchant(&format!("http://{}/acct/one", daftra.address()), "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    (house, daftra)
}

/// What the writer cannot take is not taken: Shopify hears 503 (see the tests of the web) and comes again.
#[test]
fn a_full_inbox_is_busy_and_keeps_nothing_half() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    let (inside, arrival) = channel();
    let (release, gate) = channel::<()>();
    let standstill = stage.db.post(move |_| {
        inside.send(()).unwrap();
        let _ = gate.recv();
        Ok(())
    });
    arrival.recv().unwrap();
    let waiting: Vec<_> = (0..INBOX).map_while(|_| stage.db.post(|_| Ok(())).ok()).collect();
    assert!(stage.db.post(|_| Ok(())).is_err(), "the inbox takes more than {INBOX}");

    let headers = deliveries[0].headers("hush");
    let headers = Headers::read(headers.iter().map(|(name, value)| (*name, value.as_str())));
    assert!(matches!(stage.intake.receive(None, &headers, &deliveries[0].body), Received::Busy));
    let forged = Headers { hmac: String::new(), ..headers };
    assert!(matches!(stage.intake.receive(None, &forged, &deliveries[0].body), Received::NotAuthentic));

    release.send(()).unwrap();
    standstill.unwrap().wait().unwrap();
    waiting.into_iter().for_each(|change| change.wait().unwrap());
    assert_eq!(stage.orders().len(), 0, "nothing of what was turned away");
    stage.deliver(&deliveries);
    stage.until_idle(SignedDuration::from_hours(1));
    assert_eq!(stage.orders()[0].state, order::State::Settled);
}

/// Every wish sets the documents free to be read back again. A run that wishes keep alive is no endless one.
#[test]
fn a_person_who_cannot_wait_is_not_told_that_the_program_is_at_fault() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (id, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 8)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    let line = shop.what_is_left(id).unwrap()[0].line_id;
    for _ in 0..4 {
        let refund = Refund::of(&[(line, 1, Restock::Return)]);
        stage.deliver(&shop.refund(id, &refund, stage.clock.now()).unwrap());
        stage.until_idle(SignedDuration::from_hours(1));
    }
    for _ in 0..40 {
        let wish = Wish::OrderRetry { order_id: stage.order("1001").id };
        let desk = Desk { db: &stage.db, vault: &stage.engine.vault, policy: stage.engine.settings.policy };
        desk.perform(wish, stage.clock.now(), Person::AT_THE_COMMAND_LINE).unwrap();
        stage.engine.wake();
        stage.pass(SignedDuration::from_millis(300));
    }
    stage.until_idle(SignedDuration::from_hours(1));
    let order = stage.order("1001");
    assert_eq!(order.state, order::State::Settled, "{:?}", order.reason);
    assert!(stage.log().iter().all(|entry| entry.status != Status::Failed));
}

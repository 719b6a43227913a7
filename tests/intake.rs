//! What comes in at the door and is no plain order: samples, nonsense, other topics, facts without their order.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::log::Status;
use qantara::db::merchant::{self, CredentialKind, Slot};
use qantara::db::order::State;
use qantara::db::tally::{self, Kind};
use qantara::db::{alert, delivery};
use qantara::desk::{Secret, Wish};
use qantara::sandbox::shop::cart::{Cart, Refund, Restock};
use qantara::sandbox::shop::delivery::Delivery;
use secrecy::SecretString;
use serde_json::json;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn count(stage: &Stage, sql: &'static str) -> i64 {
    stage.db.read(|c| Ok(c.query_row(sql, [], |row| row.get(0)).unwrap())).unwrap()
}

fn told(stage: &Stage) -> Vec<Status> {
    stage.log().iter().map(|entry| entry.status).collect()
}

#[test]
fn a_body_that_cannot_be_read_is_kept_and_answered_and_shown() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let whole = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1.remove(0);
    let cut = Delivery { body: whole.body[..whole.body.len() / 2].to_vec(), ..whole.clone() };
    let draft =
        shop.say("orders/create", &json!({"id": 7, "line_items": [], "total_price": "1.00"}), stage.clock.now());
    for delivery in [&cut, &draft] {
        assert!(stage.deliver_to(Some("wadi"), delivery, "hush"), "kept, which is answered 200");
    }
    stage.until_idle(HOUR);
    assert_eq!(told(&stage), [Status::Failed, Status::Failed]);
    assert_eq!(count(&stage, "select count(*) from delivery where body is not null"), 2);
    let alerts = stage.db.read(alert::open).unwrap();
    assert_eq!(alerts.iter().map(|alert| (alert.cause.as_str(), alert.count)).collect::<Vec<_>>(), [("unreadable", 2)]);
    // The whole body comes under an id of its own and is worked on as if nothing had happened.
    stage.deliver(&[Delivery { webhook_id: "another".into(), ..whole }]);
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Settled);
}

#[test]
fn what_is_no_order_is_kept_and_leads_to_nothing() {
    let stage = Stage::usual();
    let (mut shop, _) = shop("wadi.myshopify.com", "hush", 1);
    let now = stage.clock.now();
    let bodies = [
        ("products/update", json!({"id": 1, "title": "Lamp", "variants": []})),
        ("fulfillments/create", json!({"id": 2, "order_id": 3, "status": "success"})),
        ("draft_orders/create", json!({"id": 4, "line_items": [{"id": 5}], "total_price": "1.00"})),
        ("moon/eclipsed", json!({"anything": true})),
        ("shop/redact", json!({"shop_id": 1, "shop_domain": "wadi.myshopify.com"})),
    ];
    for (topic, body) in &bodies {
        assert!(stage.deliver_to(None, &shop.say(topic, body, now), "hush"), "{topic}");
    }
    stage.until_idle(HOUR);
    assert_eq!(count(&stage, "select count(*) from delivery"), 5);
    assert_eq!((count(&stage, "select count(*) from orders"), told(&stage)), (0, vec![]));
}

#[test]
fn the_sample_notification_is_answered_and_never_booked() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (order, _) = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    let mut sample = shop.order_body(order).unwrap();
    sample["id"] = json!(820_982_911_946_154_508_i64);
    sample["admin_graphql_api_id"] = json!("gid://shopify/Order/820982911946154508");
    assert!(stage.deliver_to(None, &shop.say("orders/create", &sample, stage.clock.now()), "hush"));
    stage.until_idle(HOUR);
    assert_eq!(told(&stage), [Status::Test]);
    assert_eq!(count(&stage, "select count(*) from orders"), 0);
}

#[test]
fn facts_wait_for_their_order_and_are_never_lost() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (order, created) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let later = stage.clock.now() + SignedDuration::from_secs(9);
    let refunded = shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), later).unwrap();
    let refund = refunded.iter().find(|delivery| delivery.topic == "refunds/create").unwrap();
    stage.deliver(std::slice::from_ref(refund));
    stage.until_idle(HOUR);
    let waiting = stage.orders().remove(0);
    assert_eq!((waiting.state, waiting.name.as_str()), (State::New, ""), "known by a refund alone");
    assert_eq!(count(&stage, "select count(*) from fact where kind = 'refund'"), 1);
    stage.deliver(&created[..1]);
    stage.until_idle(HOUR);
    let order = stage.order("1001");
    assert_eq!(order.state, State::Settled, "{:?}", order.reason);
    assert_eq!(count(&stage, "select count(*) from document where kind = 'invoice'"), 1);
    let deliveries = stage.db.read(|c| delivery::of_order(c, order.id)).unwrap();
    assert_eq!(
        deliveries.iter().map(|one| one.topic.as_str()).collect::<Vec<_>>(),
        ["refunds/create", "orders/create"]
    );
}

#[test]
fn an_older_body_never_replaces_a_newer_one() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let cart = Cart { payment: qantara::sandbox::shop::cart::Payment::Pending, ..Cart::of(&[(shelf[2], 3)]) };
    let (order, created) = shop.buy(&cart, stage.clock.now()).unwrap();
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    let edit = qantara::sandbox::shop::cart::Edit::SetQuantity { line, to: 1, restock: true };
    let edited = shop.edit(order, &[edit], stage.clock.now() + SignedDuration::from_secs(30)).unwrap();
    stage.deliver(&edited);
    stage.until_idle(HOUR);
    stage.deliver(&created);
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Settled);
    let units = stage.account("one", |account| {
        let invoice = account.documents(qantara::sandbox::daftra::DocumentKind::Invoice).next().unwrap();
        invoice.items.iter().map(|item| item.quantity).sum::<rust_decimal::Decimal>()
    });
    assert_eq!(units, rust_decimal::Decimal::ONE);
}

#[test]
fn a_vendor_of_nobody_is_counted_for_its_shop() {
    let mut stage = Stage::new(Plan::default());
    stage.add(&Cast { vendors: &["Wadi Home"], ..Cast::default() });
    stage.start();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1), (shelf[5], 1)]), stage.clock.now()).unwrap().1[..1]);
    stage.until_idle(HOUR);
    let unowned = stage.db.read(|c| tally::all(c, Kind::UnownedVendor)).unwrap();
    assert_eq!(unowned, [("wadi.myshopify.com عطور نجد".to_owned(), 1)]);
}

#[test]
fn a_paused_merchant_loses_nothing() {
    let mut stage = Stage::new(Plan::default());
    stage.add(&Cast { mode: merchant::Mode::Paused, ..Cast::default() });
    stage.start();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1[..1]);
    stage.pass(HOUR * 30);
    assert_eq!(stage.order("1001").state, State::New);
    assert_eq!(told(&stage), [Status::Paused]);
    let calls = stage.account("one", |account| account.calls().values().sum::<u64>());
    assert_eq!(calls, 0, "nobody is called for a merchant who pauses");
    let resume = "update merchant set mode = 'live'";
    assert_eq!(stage.db.write(move |tx| Ok(tx.execute(resume, []).unwrap())).unwrap(), 1);
    stage.engine.wake();
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Settled);
}

#[test]
fn the_use_of_a_secret_is_noted_by_the_hour_and_stays_with_it() {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let kind = CredentialKind::WebhookSecret;
    let uses = || stage.db.read(|c| merchant::uses(c, 1, kind)).unwrap();
    let mut buy = |secret: &str| {
        let delivery = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1.remove(0);
        assert!(stage.deliver_to(Some("wadi"), &delivery, secret));
        stage.clock.now()
    };
    assert_eq!(uses(), []);
    let first = buy("hush");
    stage.pass(SignedDuration::from_mins(59));
    buy("hush");
    assert_eq!(uses(), [(Slot::Current, first)], "not at every delivery");
    stage.pass(SignedDuration::from_mins(1));
    let second = buy("hush");
    assert_eq!(uses(), [(Slot::Current, second)]);
    let rotate = |secret: &str| {
        stage.wish(Wish::SecretRotate { slug: "wadi".into(), secret: Secret(SecretString::from(secret)) });
    };
    rotate("next");
    assert_eq!(uses(), [(Slot::Previous, second)], "it stays with the secret");
    // The door that has not read the new secrets yet notes nothing of the wrong one.
    stage.pass(HOUR);
    buy("hush");
    assert_eq!(uses(), [(Slot::Previous, second)]);
    stage.intake.reload().unwrap();
    let third = buy("next");
    assert_eq!(uses(), [(Slot::Current, third), (Slot::Previous, second)]);
    stage.wish(Wish::SecretForget { slug: "wadi".into() });
    assert_eq!(uses(), [(Slot::Current, third)]);
}

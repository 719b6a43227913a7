//! A merchant who leaves: what can be taken along, what is taken away some time later, and what stays.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::{Context as _, Error, leave};
use qantara::desk::{self, Desk, Person, Wish};
use qantara::sandbox::shop::cart::{Cart, Refund, Restock};
use qantara::sandbox::shop::delivery::Delivery;
use qantara::text::refusal::Why;
use serde_json::Value;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Two merchants of one account with orders, the first of which has a receipt, too.
fn busy() -> Stage {
    let mut stage = Stage::new(Plan { upkeep: MINUTE, ..Plan::default() });
    stage.add(&Cast::default());
    stage.add(&Cast { slug: "najd", shop: "najd.myshopify.com", secret: "quiet", ..Cast::default() });
    stage.start();
    for (domain, secret) in [("wadi.myshopify.com", "hush"), ("najd.myshopify.com", "quiet")] {
        let (mut shop, shelf) = shop(domain, secret, 1);
        let deliver = |deliveries: &[Delivery]| {
            for delivery in deliveries {
                assert!(stage.deliver_to(None, delivery, secret), "{} was not kept", delivery.topic);
            }
        };
        for units in 1..4 {
            let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], units)]), stage.clock.now()).unwrap();
            deliver(&deliveries);
            stage.until_idle(HOUR);
            let line = shop.what_is_left(order).unwrap()[0].line_id;
            let refund = Refund::of(&[(line, 1, Restock::Return)]);
            deliver(&shop.refund(order, &refund, stage.clock.now()).unwrap());
            stage.until_idle(HOUR);
        }
    }
    stage
}

fn count(stage: &Stage, sql: &str) -> i64 {
    stage.db.read(|c| c.query_row(sql, [], |row| row.get(0)).during("look")).unwrap()
}

/// How many rows there are of a merchant, by table.
fn rows_of(stage: &Stage, merchant: i64) -> Vec<(&'static str, i64)> {
    let of_merchant =
        ["orders", "delivery", "sync_log", "order_sku", "standing", "happening", "product", "credential", "job"];
    let of_order = ["document", "fact", "attempt", "reduction"];
    let direct =
        of_merchant.map(|table| (table, format!("select count(*) from {table} where merchant_id = {merchant}")));
    let through = of_order.map(|table| {
        (
            table,
            format!("select count(*) from {table} join orders o on o.id = order_id where o.merchant_id = {merchant}"),
        )
    });
    direct.into_iter().chain(through).map(|(table, sql)| (table, count(stage, &sql))).collect()
}

fn all_rows(stage: &Stage) -> i64 {
    ["document", "fact", "attempt", "reduction", "orders"]
        .into_iter()
        .map(|table| count(stage, &format!("select count(*) from {table}")))
        .sum()
}

#[test]
fn all_that_a_merchant_had_can_be_taken_along_and_nothing_of_others() {
    let stage = busy();
    let mut files = Vec::new();
    stage
        .db
        .read(|c| {
            for (name, columns) in leave::files(c)? {
                assert!(
                    !columns
                        .iter()
                        .any(|column| ["buyer", "body_sealed", "sealed", "request"].contains(&column.as_str()))
                );
                let mut rows = Vec::new();
                leave::rows::<Error>(c, 1, name, |row| {
                    assert_eq!(row.keys().collect::<Vec<_>>().len(), columns.len());
                    rows.push(Value::Object(row.clone()));
                    Ok(())
                })?;
                files.push((name, rows));
            }
            Ok(())
        })
        .unwrap();
    let of = |name: &str| &files.iter().find(|(file, _)| *file == name).unwrap().1;
    assert_eq!((of("merchant").len(), of("orders").len()), (1, 3));
    assert_eq!(of("merchant")[0]["slug"], "wadi");
    assert_eq!(of("orders")[0]["name"], "#1001");
    assert!(of("orders")[0]["snapshot"]["lines"].is_array(), "as JSON, not as text: {}", of("orders")[0]);
    assert_eq!(of("documents").len(), 6);
    assert!(of("documents")[0]["daftra_id"].is_i64() && of("documents")[0]["since_at"].is_string());
    for (name, rows) in &files {
        let text = serde_json::to_string(rows).unwrap();
        assert!(!text.contains("najd"), "{name}");
        assert!(
            !rows.is_empty()
                || ["rulings", "mails", "mapping", "history", "statements", "variants", "documents_of_others"]
                    .contains(name),
            "{name} is empty"
        );
    }
}

#[test]
fn what_a_closed_merchant_had_is_taken_away_in_time_and_its_name_stays() {
    let mut stage = busy();
    let before = all_rows(&stage);
    let others = rows_of(&stage, 2);
    assert!(others.iter().all(|(_, rows)| *rows > 0), "else this test looks at nothing: {others:?}");
    stage.wish(Wish::MerchantClose { slug: "wadi".into() });
    stage.hand.advance(DAY * 80);
    stage.engine.upkeep_once();
    assert_eq!(count(&stage, "select count(*) from orders where merchant_id = 1"), 3, "not yet");
    // Only what a closed merchant had, not what is old.
    stage.settings.retention = qantara::db::trim::Retention { closed: Some(DAY * 90), ..Default::default() };
    let stage = stage.restart(DAY * 11);
    // Cut off after every step it goes on where it was.
    let now = stage.clock.now();
    assert_eq!(stage.db.read(|c| leave::due(c, now - DAY * 90)).unwrap(), [1]);
    for left in [2, 1] {
        assert!(stage.db.write(move |tx| leave::purge(tx, 1, now - DAY * 90, 1, now)).unwrap());
        assert_eq!(count(&stage, "select count(*) from orders where merchant_id = 1"), left);
        assert_eq!(count(&stage, "select count(*) from pragma_foreign_key_check"), 0);
    }
    // What is half gone is not opened again.
    let desk = Desk { db: &stage.db, vault: &stage.vault, policy: stage.settings.policy };
    let open = Wish::MerchantOpen { slug: "wadi".into(), secret: None };
    assert!(desk.perform(open, now, Person::AT_THE_COMMAND_LINE).is_err());
    // Nobody was here for months, or the clock is wrong: nothing goes by it.
    stage.engine.recover().unwrap();
    stage.engine.upkeep_once();
    assert_eq!(count(&stage, "select count(*) from orders where merchant_id = 1"), 1);
    let stage = stage.restart(MINUTE);
    for _ in 0..10 {
        stage.engine.upkeep_once();
    }
    assert!(rows_of(&stage, 1).iter().all(|(_, rows)| *rows == 0), "{:?}", rows_of(&stage, 1));
    assert_eq!((rows_of(&stage, 2), all_rows(&stage) * 2), (others, before));
    assert_eq!(count(&stage, "select count(*) from merchant where slug = 'wadi' and purged_at is not null"), 1);
    assert_eq!(count(&stage, "select count(*) from audit where action = 'merchant.close'"), 1);
    assert_eq!(count(&stage, "select count(*) from pragma_foreign_key_check"), 0);
    // Nobody begins with an empty ledger what was booked before.
    let desk = Desk { db: &stage.db, vault: &stage.vault, policy: stage.settings.policy };
    let open = Wish::MerchantOpen { slug: "wadi".into(), secret: None };
    match desk.perform(open, stage.clock.now(), Person::AT_THE_COMMAND_LINE) {
        Err(desk::Error::Refused(refusal)) => assert_eq!(refusal.why, Why::MerchantPurged),
        other => panic!("{:?}", other.map(|done| done.answer)),
    }
}

#[test]
fn a_merchant_that_was_opened_again_keeps_everything() {
    let mut stage = busy();
    stage.wish(Wish::MerchantClose { slug: "wadi".into() });
    stage.hand.advance(DAY);
    stage.wish(Wish::MerchantOpen { slug: "wadi".into(), secret: None });
    stage.settings.retention = qantara::db::trim::Retention { closed: Some(DAY * 90), ..Default::default() };
    let stage = stage.restart(DAY * 100).restart(MINUTE);
    stage.engine.upkeep_once();
    let (now, kept) = (stage.clock.now(), DAY * 90);
    assert!(!stage.db.write(move |tx| leave::purge(tx, 1, now - kept, 20, now)).unwrap(), "found before it was opened");
    assert_eq!(count(&stage, "select count(*) from orders where merchant_id = 1"), 3);
    assert_eq!(stage.db.read(|c| leave::times(c, 1)).unwrap(), (None, None));
}

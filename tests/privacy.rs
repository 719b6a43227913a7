//! Customers who ask, and customers who are to be forgotten: what is kept as evidence, what may be seen, and that nothing of
//! them is left afterwards while the books stay as they were.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::alert::{self, Cause};
use qantara::db::order::State;
use qantara::db::privacy::{self, Request};
use qantara::db::{Context as _, FILE, data_key, document, order};
use qantara::desk::Wish;
use qantara::domain::document::Document;
use qantara::domain::reason::Reason;
use qantara::sandbox::daftra::DocumentKind;
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Buyer, Cart, Edit, Item, OrderId, Refund, Restock, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use qantara::shop::personal::Personal;
use qantara::shop::read::read;
use serde_json::{Value, json};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What is known of the customer, as it must not stand anywhere afterwards.
const TRACES: [&str; 8] =
    ["Zubaida", "zubaida", "Hashemite", "hashemite", "zub@example.com", "501239876", "77 Palmyra", "ring twice"];

fn zubaida() -> Buyer {
    Buyer {
        first_name: "Zubaida".into(),
        last_name: "Hashemite".into(),
        email: Some("zub@example.com".into()),
        phone: Some("+966501239876".into()),
        address1: "77 Palmyra Road".into(),
        ..Buyer::sample()
    }
}

fn wadi() -> (Shop, Vec<VariantId>) {
    shop("wadi.myshopify.com", "hush", 1)
}

/// The usual merchant on a stage that is looked after each minute.
fn usual() -> Stage {
    let mut stage = Stage::new(Plan { upkeep: MINUTE, ..Plan::default() });
    stage.add(&Cast::default());
    let (sealed, now) = (stage.vault.seal_data_key(1, &stage.data_key), stage.clock.now());
    stage.db.write(move |tx| data_key::add(tx, 1, &sealed, now)).unwrap();
    stage.start();
    stage
}

/// A cart that mentions its buyer wherever people write.
fn telling(shelf: &[VariantId]) -> Cart {
    Cart {
        buyer: Some(zubaida()),
        note: Some("Please ring twice at the gate".into()),
        tags: vec!["VIP".into(), "friend of Zubaida".into()],
        ..Cart::of(&[(shelf[2], 2)])
    }
}

fn requests(stage: &Stage) -> Vec<Request> {
    stage.db.read(|c| privacy::list(c, 100)).unwrap()
}

fn open(stage: &Stage, cause: Cause) -> usize {
    let all = stage.db.read(alert::open).unwrap();
    all.iter().filter(|alert| alert.cause == cause.word()).count()
}

fn about(shop: &mut Shop, topic: &str, orders: &[OrderId], stage: &Stage) -> Delivery {
    let ids: Vec<u64> = orders.iter().map(|order| order.0).collect();
    let body = json!({
        "shop_id": 1, "shop_domain": "wadi.myshopify.com",
        "customer": { "id": 990_044, "email": "zub@example.com", "phone": "+966501239876" },
        "orders_requested": ids, "orders_to_redact": ids, "data_request": { "id": 5 },
    });
    shop.say(topic, &body, stage.clock.now())
}

fn traces_in(bytes: &[u8]) -> Vec<&'static str> {
    let is_in = |trace: &&&str| bytes.windows(trace.len()).any(|window| window == trace.as_bytes());
    TRACES.iter().filter(is_in).copied().collect()
}

fn traces_on_disk(folder: &Path) -> Vec<&'static str> {
    let files = [FILE.to_owned(), format!("{FILE}-wal")];
    let bytes = files.iter().flat_map(|file| std::fs::read(folder.join(file)).unwrap_or_default()).collect::<Vec<u8>>();
    traces_in(&bytes)
}

/// What the account holds, by kind, number and total.
fn books(stage: &Stage) -> Vec<String> {
    stage.account("one", |account| {
        [DocumentKind::Invoice, DocumentKind::RefundReceipt]
            .into_iter()
            .flat_map(|kind| {
                account
                    .documents(kind)
                    .map(|one| format!("{kind:?} {} {}", one.id, one.totals.total))
                    .collect::<Vec<_>>()
            })
            .collect()
    })
}

fn ledger(stage: &Stage, order_id: i64) -> Vec<(String, i64, String)> {
    let documents = stage.db.read(|c| document::of_order(c, order_id)).unwrap();
    let told =
        |one: Document| (one.content.header().reference.clone(), one.content.total().0, format!("{:?}", one.state));
    documents.into_iter().map(told).collect()
}

#[test]
fn reasons_name_the_place_and_the_kind_of_fault_and_quote_nothing() {
    let order = |change: Value| {
        let mut order = json!({
            "id": 7, "admin_graphql_api_id": "gid://shopify/Order/7", "currency": "SAR", "total_price": "1.00",
            "created_at": "2026-03-01T07:00:05Z", "line_items": [], "name": "#1",
        });
        order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        order.to_string()
    };
    let said = |topic: &str, body: &str| {
        let said = read(topic, body.as_bytes()).unwrap_err().to_string();
        assert!(!said.contains("Zubaida"), "{said}");
        said
    };
    let orders = |change: Value| said("orders/create", &order(change));
    assert!(orders(json!({ "id": "Zubaida" })).starts_with("id: string found, expected i64 at line 1"));
    assert!(orders(json!({ "total_price": "Zubaida, expected nothing" })).starts_with("total_price: "));
    assert!(orders(json!({ "created_at": "Zubaida" })).starts_with("created_at: "));
    assert!(orders(json!({ "customer": "Zubaida" })).starts_with("customer: string found, expected struct"));
    assert!(orders(json!({ "currency": "Zubaida" })).starts_with("currency: this is not a currency"));
    assert!(
        orders(json!({ "admin_graphql_api_id": "gid://shopify/Zubaida H/7" })).contains("resource of no known kind")
    );
    assert!(orders(json!({ "line_items": null })).starts_with("line_items: null found, expected a sequence"));
    assert!(said("orders/create", "{\"id\": 7, \"note\": \"Zubaida").contains("breaks off"));
    assert!(said("orders/create", "Zubaida").contains("not JSON"));
    assert!(said("refunds/create", "{\"id\": 7}").starts_with("order_id: missing"));
    assert!(said("customers/redact", "{\"orders_to_redact\": []}").contains("missing field `shop_domain`"));
}

#[test]
fn a_person_is_found_however_the_name_is_written() {
    let body = json!({
        "email": "zub@example.com",
        "note": "Ring twice, please",
        "customer": { "first_name": "Zubaida", "last_name": "Al-H", "phone": "+966 50 123 9876" },
        "shipping_address": { "name": "Zubaida Al-H", "address1": "77 Palmyra Road", "city": "Riyadh" },
        "line_items": [{ "name": "Shirt", "properties": [{ "name": "Size", "value": "L" },
            { "name": "Engraving", "value": "For my Omar" }] }],
    });
    let person = Personal::of_body(body.to_string().as_bytes());
    for (text, without) in [
        ("VIP zubaida", "VIP …"),
        ("Gift for ZUBAIDA AL-H!", "Gift for …!"),
        ("call 966501239876", "call …"),
        ("Mug 'For my Omar'", "Mug '…'"),
        ("an Al-H", "an …"),
    ] {
        assert_eq!(person.without(text).as_deref(), Some(without), "{text}");
    }
    for text in ["Riyadh", "Shirt L", "", "77 Palm", "Al-Hanouf"] {
        assert_eq!(person.without(text), None, "{text}");
    }
    let mut column = json!({
        "sku": "zubaida", "vendor": "Zubaida", "gateways": ["Zubaida"], "tags": ["Zubaida", "no Zubaida"],
        "lines": [{ "title": "For Zubaida", "taxes": [{ "title": "Zubaida" }] }],
    });
    assert_eq!(person.take_out(&mut column, &["no zubaida".to_owned()].into()), 2);
    let kept = json!({
        "sku": "zubaida", "vendor": "Zubaida", "gateways": ["Zubaida"], "tags": ["…", "no Zubaida"],
        "lines": [{ "title": "For …", "taxes": [{ "title": "Zubaida" }] }],
    });
    assert_eq!(column, kept, "what the planner compares stays");
}

#[test]
fn only_the_shop_itself_asks() {
    let stage = usual();
    let (mut shop, _) = wadi();
    for topic in ["customers/data_request", "customers/redact", "shop/redact", "app/uninstalled"] {
        let delivery = about(&mut shop, topic, &[], &stage);
        assert!(!stage.deliver_to(Some("wadi"), &delivery, "somebody else's"), "{topic}: answered 401");
        assert!(!stage.deliver_to(None, &delivery, ""), "{topic}");
    }
    assert_eq!(requests(&stage), []);
    assert_eq!(stage.db.read(|c| privacy::uninstalled_at(c, 1)).unwrap(), None);
}

#[test]
fn what_is_asked_for_is_kept_with_its_delivery_and_due_in_thirty_days() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    let asked_at = stage.clock.now();
    for topic in ["customers/data_request", "customers/redact"] {
        let delivery = about(&mut shop, topic, &[bought], &stage);
        stage.deliver(&[delivery.clone(), delivery]);
    }
    let kept = requests(&stage);
    let told: Vec<_> = kept.iter().map(|one| (one.kind, one.state, one.customer_id, one.due_at)).collect();
    let due = asked_at + DAY * 30;
    assert_eq!(
        told,
        [
            (privacy::Kind::CustomerRedact, privacy::State::Open, Some(990_044), due),
            (privacy::Kind::DataRequest, privacy::State::Open, Some(990_044), due),
        ],
        "once each, though each came twice"
    );
    assert_eq!(kept[0].orders, BTreeSet::from([i64::try_from(bought.0).unwrap()]));
    stage.until_idle(HOUR);
    stage.hand.advance(DAY * 22);
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Privacy), 0);
    stage.hand.advance(DAY);
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Privacy), 1);
    stage.wish(Wish::PrivacyAnswer { request_id: kept[1].id });
    stage.wish(Wish::PrivacyRedact { request_id: kept[0].id });
    stage.pass(MINUTE * 2);
    assert_eq!(open(&stage, Cause::Privacy), 0);
    assert!(requests(&stage).iter().all(|one| one.state == privacy::State::Done));
}

#[test]
fn all_that_is_kept_of_a_customer_can_be_handed_over() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    stage.until_idle(HOUR);
    stage.deliver(&[about(&mut shop, "customers/data_request", &[bought, OrderId(4)], &stage)]);
    let held = stage.wish(Wish::PrivacyRead { request_id: 1 });
    assert_eq!((held["merchant"].as_str(), held["orders"].as_array().unwrap().len()), (Some("wadi"), 1));
    let order = &held["orders"][0];
    assert_eq!(order["buyer"]["email"], "zub@example.com");
    assert_eq!(order["buyer"]["name"], "Zubaida Hashemite");
    let fields = order["bodies"][0]["fields"].as_array().unwrap();
    let text_at = |path: &str| fields.iter().find(|field| field["path"] == path).map(|field| field["text"].clone());
    assert_eq!(text_at("shipping_address.address1"), Some("77 Palmyra Road".into()));
    assert_eq!(text_at("note"), Some("Please ring twice at the gate".into()));
    let mentions = order["mentions"].to_string();
    assert!(mentions.contains("friend of Zubaida") && mentions.contains("snapshot"), "{mentions}");
    assert_eq!(held["orders_never_received"], json!([4]));
    let audited = stage.db.read(|c| qantara::db::audit::list(c, None, 1)).unwrap();
    assert_eq!(
        (audited[0].action.as_str(), traces_in(audited[0].facts.to_string().as_bytes())),
        ("privacy.read", vec![])
    );
}

#[test]
fn who_is_forgotten_leaves_no_trace_and_the_books_stay() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    // Held, with the name in the reason; and one of somebody else.
    let custom = Item::Custom { title: "Mug for Zubaida".into(), price: 40.into(), taxable: true };
    let mug = Cart { lines: vec![(custom, 1)], ..telling(&shelf) };
    let (mug, deliveries) = shop.buy(&mug, stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.deliver(&shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1);
    let mut broken = about(&mut shop, "orders/updated", &[bought], &stage);
    broken.body = format!("{{\"id\": {}, \"email\": \"zub@example.com\"", bought.0).into_bytes();
    assert!(stage.deliver_to(None, &broken, "hush"));
    stage.until_idle(HOUR);
    let mugs = stage.order("1002");
    assert!(matches!(mugs.reason, Some(Reason::Held(_))));
    stage.wish(Wish::OrderRule {
        order_id: mugs.id,
        ruling: qantara::domain::ruling::Ruling::Dismiss,
        note: "as agreed with the customer".into(),
    });
    stage.until_idle(HOUR);
    let first = stage.order("1001");
    let before = (books(&stage), ledger(&stage, first.id));
    assert_eq!(before.0.len(), 2);
    stage.db.empty_log().unwrap();
    assert!(traces_on_disk(stage.folder.path()).contains(&"Zubaida"), "else this test looks for nothing");

    stage.deliver(&[about(&mut shop, "customers/redact", &[bought, mug, OrderId(4)], &stage)]);
    stage.pass(MINUTE * 2);
    assert_eq!(requests(&stage)[0].state, privacy::State::Open, "a person decides");
    stage.wish(Wish::PrivacyRedact { request_id: 1 });
    stage.pass(MINUTE * 2);
    let done = requests(&stage).remove(0);
    assert_eq!(done.state, privacy::State::Done);
    assert_eq!((done.counts.orders, done.counts.unknown, done.counts.buyers), (2, 1, 2));
    assert!(done.counts.texts >= 3 && done.counts.bodies >= 4, "{:?}", done.counts);
    assert_eq!(traces_on_disk(stage.folder.path()), [""; 0], "neither in the database nor in its log");
    let held = stage.wish(Wish::PrivacyRead { request_id: 1 });
    assert_eq!(traces_in(held.to_string().as_bytes()), [""; 0]);
    let others = "select count(*) from orders where redacted_at is null and buyer is not null";
    assert_eq!(stage.db.read(|c| c.query_row(others, [], |row| row.get::<_, i64>(0)).during("look")).unwrap(), 1);

    // Looked at again it is what it was.
    for order in [&first, &mugs] {
        stage.try_again(order);
    }
    stage.until_idle(HOUR);
    assert_eq!((books(&stage), ledger(&stage, first.id)), (before.0.clone(), before.1));
    assert_eq!(stage.order("1001").state, State::Settled);
    assert_eq!(order_price(&stage, first.id), Some(69_800));

    // What comes later is learned without the buyer, and the books follow it.
    stage.deliver(&shop.tag(bought, "call Zubaida", stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    assert_eq!(books(&stage), before.0);
    let line = shop.what_is_left(bought).unwrap()[0].line_id;
    let edits = [Edit::SetQuantity { line, to: 1, restock: true }];
    stage.deliver(&shop.edit(bought, &edits, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    assert_eq!(stage.order("1001").state, State::Settled);
    assert_eq!(books(&stage).len(), 2);
    assert_ne!(books(&stage), before.0);
    let refund = Refund::of(&[(line, 1, Restock::Return)]);
    stage.deliver(&shop.refund(bought, &refund, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    assert_eq!((stage.order("1001").state, books(&stage).len()), (State::Settled, 3));
    stage.db.empty_log().unwrap();
    assert_eq!(traces_on_disk(stage.folder.path()), [""; 0]);
}

fn order_price(stage: &Stage, order_id: i64) -> Option<i64> {
    stage.db.read(|c| order::price(c, order_id)).unwrap().map(|(amount, _)| amount.0)
}

#[test]
fn who_is_named_by_a_person_is_forgotten_without_any_request() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let orders = BTreeSet::from([i64::try_from(bought.0).unwrap()]);
    stage.wish(Wish::PrivacyForget { slug: "wadi".into(), orders });
    stage.pass(MINUTE * 2);
    assert_eq!((requests(&stage)[0].state, traces_on_disk(stage.folder.path())), (privacy::State::Done, vec![]));
}

#[test]
fn a_shop_that_left_is_forgotten_after_two_days_unless_it_came_back() {
    let gone = |comes_back: bool| {
        let stage = usual();
        let (mut shop, shelf) = wadi();
        let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
        stage.until_idle(HOUR);
        let left = json!({ "id": 1, "myshopify_domain": null });
        stage.deliver(&[shop.say("app/uninstalled", &left, stage.clock.now())]);
        stage.pass(MINUTE * 2);
        assert_eq!(open(&stage, Cause::Uninstalled), 1);
        stage.hand.advance(DAY * 2);
        stage.deliver(&[about(&mut shop, "shop/redact", &[], &stage)]);
        assert!(stage.db.read(|c| privacy::uninstalled_at(c, 1)).unwrap().is_some(), "it says so because it left");
        stage.hand.advance(DAY);
        stage.pass(MINUTE * 2);
        assert_eq!(requests(&stage)[0].state, privacy::State::Open);
        if comes_back {
            stage.deliver(&shop.tag(bought, "again", stage.clock.now()).unwrap());
        }
        stage.hand.advance(DAY + HOUR);
        stage.pass(MINUTE * 2);
        assert_eq!(open(&stage, Cause::Uninstalled), usize::from(!comes_back));
        stage.db.empty_log().unwrap();
        (requests(&stage)[0].state, traces_on_disk(stage.folder.path()).is_empty(), books(&stage).len())
    };
    assert_eq!(gone(false), (privacy::State::Done, true, 1));
    assert_eq!(gone(true), (privacy::State::Dropped, false, 1));
}

#[test]
fn a_closed_merchant_is_still_asked_to_forget_and_to_nothing_else() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    stage.wish(Wish::MerchantClose { slug: "wadi".into() });
    stage.intake.reload().unwrap();
    let tagged = shop.tag(bought, "late", stage.clock.now()).unwrap();
    assert!(!stage.deliver_to(None, &tagged[0], "hush"));
    stage.deliver(&[about(&mut shop, "shop/redact", &[], &stage)]);
    stage.hand.advance(DAY * 2 + HOUR);
    stage.pass(MINUTE * 2);
    stage.db.empty_log().unwrap();
    assert_eq!((requests(&stage)[0].state, traces_on_disk(stage.folder.path())), (privacy::State::Done, vec![]));
}

#[test]
fn what_was_said_before_a_shop_left_does_not_bring_it_back_and_a_person_may() {
    let stage = usual();
    let (mut shop, shelf) = wadi();
    let (bought, deliveries) = shop.buy(&telling(&shelf), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    let late = shop.tag(bought, "late", stage.clock.now()).unwrap();
    stage.hand.advance(HOUR);
    let left = json!({ "id": 1, "myshopify_domain": null });
    stage.deliver(&[shop.say("app/uninstalled", &left, stage.clock.now())]);
    stage.hand.advance(HOUR);
    stage.deliver(&late);
    let is_gone = || stage.db.read(|c| privacy::uninstalled_at(c, 1)).unwrap().is_some();
    assert!(is_gone());
    stage.wish(Wish::ShopBack { slug: "wadi".into() });
    assert!(!is_gone());
    stage.until_idle(HOUR);
}

#[test]
fn every_column_that_could_hold_anything_personal_is_in_the_table() {
    let schema = rusqlite::Connection::open_in_memory().unwrap();
    schema.execute_batch(qantara::db::schema::TODAY.create).unwrap();
    let mut columns = schema
        .prepare(
            "select t.name || '.' || c.name from sqlite_schema t, pragma_table_info(t.name) c
             where t.type = 'table' and t.name not like 'sqlite%' and lower(c.type) in ('text', 'blob')",
        )
        .unwrap();
    let columns: BTreeSet<String> =
        columns.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md")).unwrap();
    let section = text.split("## Personal data").nth(1).unwrap().split("\n## ").next().unwrap();
    let is_column = |word: &&str| {
        word.split_once('.').is_some_and(|(table, column)| {
            table != "retention"
                && !column.is_empty()
                && word.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c))
        })
    };
    let told: Vec<&str> = section.split('`').filter(is_column).collect();
    let named: BTreeSet<String> = told.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(told.len(), named.len(), "one of them stands there twice");
    assert_eq!(columns.difference(&named).collect::<Vec<_>>(), [""; 0], "say in ARCHITECTURE.md what becomes of them");
    assert_eq!(named.difference(&columns).collect::<Vec<_>>(), [""; 0], "these are in no table");
    for place in privacy::TEXTS {
        let name = format!("{}.{}", place.table, place.column);
        let row = section.lines().find(|line| line.contains(&format!("`{name}`"))).unwrap();
        assert!(row.contains("| cleaned |"), "{name}: {row}");
    }
}

//! A merchant can never see, sign for or write with another's credentials: a test per path.
//!
//! Three merchants: Wadi and Najd sell in one shop, told apart by vendor, and share one Daftra account with a key each;
//! Other has a shop and an account of its own. What leaves for Daftra is heard on the line, with the key it carries.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;

use std::collections::BTreeSet;

use common::profile;
use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::merchant::{self, Credential, CredentialKind, Slot, Trouble};
use qantara::db::order::{self, State};
use qantara::db::{Context as _, delivery, document, log};
use qantara::engine::credential_place;
use qantara::sandbox::daftra::{AccountSetup, ApiKey, DocumentKind};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::http::Request;
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{CancelHow, Cart, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use serde_json::{Value, json};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MARKET: &str = "market.myshopify.com";
const OTHER_SHOP: &str = "other.myshopify.com";

#[test]
fn under_every_profile() {
    profile::again(&["under_every_profile"]);
}

struct City {
    stage: Stage,
    market: Shop,
    shelf: Vec<VariantId>,
    wadi: i64,
    najd: i64,
    other: i64,
}

impl City {
    fn new() -> Self {
        let one = ["wadi-key", "najd-key"].map(ApiKey::full).to_vec();
        let two = vec![ApiKey::full("other-key")];
        let account = |name: &str, keys| AccountSetup { name: name.into(), keys, ..profile::setup() };
        let mut stage =
            Stage::new(Plan { accounts: vec![account("one", one), account("two", two)], ..Plan::default() });
        let at_market = Cast { shop: MARKET, account: "one", ..Cast::default() };
        let wadi = Cast { slug: "wadi", secret: "wadi-secret", key: "wadi-key", vendors: &["Wadi Home"], ..at_market };
        let wadi = stage.add(&wadi);
        let at_market = Cast { shop: MARKET, account: "one", ..Cast::default() };
        let najd =
            Cast { slug: "najd", secret: "najd-secret", key: "najd-key", vendors: &["عطور نجد"], ..at_market };
        let najd = stage.add(&najd);
        let at_home = Cast { shop: OTHER_SHOP, account: "two", ..Cast::default() };
        let other = stage.add(&Cast { slug: "other", secret: "other-secret", key: "other-key", ..at_home });
        let (market, shelf) = shop(MARKET, "unused", 1);
        *stage.network.heard.lock().unwrap() = Some(Vec::new());
        stage.start();
        // Everybody says hello to its account.
        stage.pass(SignedDuration::from_mins(1));
        Self { stage, market, shelf, wadi, najd, other }
    }

    /// An order with goods of both vendors of the market.
    fn order(&mut self) -> Delivery {
        let cart = Cart::of(&[(self.shelf[2], 2), (self.shelf[5], 1)]);
        let (_, deliveries) = self.market.buy(&cart, self.stage.clock.now()).unwrap();
        deliveries.into_iter().find(|delivery| delivery.topic == "orders/create").unwrap()
    }

    fn heard(&self) -> Vec<Request> {
        self.stage.network.heard.lock().unwrap().clone().unwrap()
    }

    /// Which keys were carried to an account.
    fn keys_at(&self, account: &str) -> BTreeSet<String> {
        let path = format!("/acct/{account}/");
        let calls = self.heard().into_iter().filter(|call| call.path.starts_with(&path));
        calls.map(|call| call.header("apikey").unwrap_or_default().to_owned()).collect()
    }

    fn forget_calls(&self) {
        *self.stage.network.heard.lock().unwrap() = Some(Vec::new());
    }

    fn sql(&self, sql: String) {
        let changed = self.stage.db.write(move |tx| tx.execute(&sql, []).during("change a row by hand")).unwrap();
        assert_eq!(changed, 1);
        self.stage.intake.reload().unwrap();
    }

    fn orders_of(&self, merchant_id: i64) -> Vec<order::Overview> {
        let filter = order::Filter { merchant_id: Some(merchant_id), ..order::Filter::default() };
        self.stage.db.read(|c| order::list(c, filter, 100)).unwrap()
    }

    fn trouble_of(&self, merchant_id: i64) -> Option<Trouble> {
        self.stage.db.read(|c| merchant::get(c, merchant_id)).unwrap().trouble
    }

    fn rest(&self) {
        self.stage.until_idle(HOUR * 12);
    }
}

fn from_shop(delivery: &Delivery, shop: &str) -> Delivery {
    Delivery { shop_domain: shop.into(), ..delivery.clone() }
}

/// The same bytes as another event.
fn replayed(delivery: &Delivery, topic: &str) -> Delivery {
    Delivery { topic: topic.into(), webhook_id: format!("replayed as {topic}"), ..delivery.clone() }
}

#[test]
fn a_secret_signs_for_its_own_merchant_and_shop_only() {
    let mut city = City::new();
    let order = city.order();
    // Address, shop in the header, secret, and for whom it proves itself.
    let cases = [
        (Some("wadi"), MARKET, "najd-secret", None),
        (Some("najd"), MARKET, "wadi-secret", None),
        (Some("other"), OTHER_SHOP, "wadi-secret", None),
        (Some("wadi"), MARKET, "other-secret", None),
        (None, MARKET, "other-secret", None),
        (None, OTHER_SHOP, "wadi-secret", None),
        (None, "nowhere.myshopify.com", "wadi-secret", None),
        (None, "", "wadi-secret", None),
        (Some("nobody"), MARKET, "wadi-secret", None),
        (Some("wadi"), MARKET, "", None),
        // The own secret, but another shop in the header, or the address of somebody else in the own shop.
        (Some("wadi"), OTHER_SHOP, "wadi-secret", None),
        (Some("other"), MARKET, "other-secret", None),
        (None, OTHER_SHOP, "najd-secret", None),
        (Some("wadi"), MARKET, "wadi-secret", Some(city.wadi)),
        (Some("najd"), MARKET, "najd-secret", Some(city.najd)),
        (Some("other"), OTHER_SHOP, "other-secret", Some(city.other)),
    ];
    for (slug, domain, secret, owner) in cases {
        let all = [city.wadi, city.najd, city.other];
        let before = all.map(|id| city.orders_of(id).len());
        let taken = city.stage.deliver_to(slug, &from_shop(&order, domain), secret);
        assert_eq!(taken, owner.is_some(), "{slug:?} {domain} {secret}");
        let after = all.map(|id| city.orders_of(id).len());
        for (place, id) in all.iter().enumerate() {
            let is_new = usize::from(owner == Some(*id));
            assert_eq!(after[place], before[place] + is_new, "{slug:?} {domain} {secret}: merchant {id}");
        }
    }
}

#[test]
fn the_common_address_serves_exactly_those_who_are_proven() {
    let mut city = City::new();
    let order = city.order();
    assert!(city.stage.deliver_to(None, &order, "najd-secret"));
    assert_eq!((city.orders_of(city.wadi).len(), city.orders_of(city.najd).len()), (0, 1));
    city.rest();
    assert_eq!(city.keys_at("one"), ["najd-key".to_owned(), "wadi-key".to_owned()].into(), "both said hello");
    let writes: Vec<Request> = city.heard().into_iter().filter(|call| call.method != "GET").collect();
    assert_eq!(writes.len(), 1);
    assert_eq!(writes[0].header("apikey"), Some("najd-key"));
}

#[test]
fn a_store_key_says_nothing_of_the_app_but_asks_for_customers() {
    let city = City::new();
    let place = credential_place(city.wadi, CredentialKind::StoreKey, None);
    let sealed = city.stage.engine.vault.seal(&place, b"store-key");
    let (merchant_id, kind, slot) = (city.wadi, CredentialKind::StoreKey, Slot::Current);
    let credential = Credential { merchant_id, kind, slot, sealed };
    city.stage.db.write(move |tx| merchant::put_credential(tx, &credential)).unwrap();
    city.stage.intake.reload().unwrap();
    let City { stage, mut market, shelf, .. } = city;
    let (_, deliveries) = market.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap();
    assert!(stage.deliver_to(Some("wadi"), &deliveries[0], "store-key"), "what the shop's own page sends");
    let body = json!({ "shop_id": 1, "shop_domain": MARKET, "myshopify_domain": MARKET, "orders_requested": [],
                       "orders_to_redact": [], "customer": { "id": 1 } });
    for topic in ["customers/data_request", "customers/redact", "shop/redact", "app/uninstalled", "app/anything"] {
        let mut said = market.say(topic, &body, stage.clock.now());
        let asks_for_customers = !topic.starts_with("app/");
        assert_eq!(stage.deliver_to(Some("wadi"), &said, "store-key"), asks_for_customers, "{topic}");
        assert_eq!(stage.deliver_to(None, &said, "store-key"), asks_for_customers, "{topic}");
        assert!(stage.deliver_to(Some("wadi"), &said, "wadi-secret"), "{topic}: the app's own secret");
        said.body = body.to_string().replace(MARKET, OTHER_SHOP).into_bytes();
        let is_of_the_shop = topic == "app/anything";
        assert_eq!(stage.deliver_to(Some("wadi"), &said, "wadi-secret"), is_of_the_shop, "{topic} names another shop");
    }
}

#[test]
fn a_body_that_is_replayed_does_nothing_it_did_not_do_before() {
    let mut city = City::new();
    let order = city.order();
    assert!(city.stage.deliver_to(None, &order, "wadi-secret"));
    city.rest();
    let topics = [
        "orders/updated",
        "orders/edited",
        "orders/paid",
        "orders/cancelled",
        "orders/fulfilled",
        "orders/delete",
        "refunds/create",
        "order_transactions/create",
        "customers/redact",
        "shop/redact",
        "app/uninstalled",
        "made/up",
        "",
    ];
    for topic in topics {
        // Whoever got hold of a signed body can send it on, but not sign anything else.
        city.stage.deliver_to(None, &replayed(&order, topic), "wadi-secret");
        assert!(!city.stage.deliver_to(None, &from_shop(&replayed(&order, topic), OTHER_SHOP), "wadi-secret"));
        assert!(!city.stage.deliver_to(Some("other"), &replayed(&order, topic), "wadi-secret"));
        city.rest();
    }
    let ours = city.orders_of(city.wadi);
    assert_eq!(ours.len(), 1, "no body became another order");
    assert_eq!(ours[0].state, State::Settled, "{:?}", ours[0].reason);
    let facts = city.stage.db.read(|c| order::facts(c, ours[0].id)).unwrap();
    assert!(facts.cancelled.is_none() && !facts.deleted && facts.refunds.is_empty(), "{facts:?}");
    let writes = || city.heard().iter().filter(|call| call.method != "GET").count();
    assert_eq!(writes(), 1, "one invoice and nothing else");

    // The order is called off; its first body, sent again as news of today, does not bring it back.
    let id = qantara::sandbox::shop::cart::OrderId(order.order_id.unwrap());
    let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
    let cancelled = city.market.cancel(id, &how, city.stage.clock.now()).unwrap();
    assert!(cancelled.iter().all(|delivery| city.stage.deliver_to(None, delivery, "wadi-secret")));
    city.rest();
    let again = Delivery { triggered_at: city.stage.clock.now() + DAY, ..replayed(&order, "orders/create") };
    assert!(city.stage.deliver_to(None, &again, "wadi-secret"));
    city.rest();
    let (invoices, receipts) = city.stage.account("one", |account| {
        (account.documents(DocumentKind::Invoice).count(), account.documents(DocumentKind::RefundReceipt).count())
    });
    assert_eq!((invoices, receipts), (1, 1));
}

/// A sealed value that is moved to where it does not belong stays closed: its new owner has no key at all.
#[test]
fn a_sealed_key_that_is_copied_opens_nowhere() {
    type Copy = fn(&City) -> String;
    let copies: [(&str, Copy); 4] = [
        ("another merchant's key", |city| {
            let from =
                format!("(select sealed from credential where merchant_id = {} and kind = 'daftra_key')", city.najd);
            format!("update credential set sealed = {from} where merchant_id = {} and kind = 'daftra_key'", city.wadi)
        }),
        ("another kind of the same merchant", |city| {
            let from = format!(
                "(select sealed from credential where merchant_id = {0} and kind = 'webhook_secret')",
                city.wadi
            );
            format!("update credential set sealed = {from} where merchant_id = {} and kind = 'daftra_key'", city.wadi)
        }),
        ("the row itself, given to another merchant", |city| {
            format!(
                "update credential set merchant_id = {}, slot = 'previous' where merchant_id = {} and kind = 'daftra_key'",
                city.other, city.wadi
            )
        }),
        ("another account for the same merchant", |city| {
            format!(
                "update merchant set account_id = (select account_id from merchant where id = {}) where id = {}",
                city.other, city.wadi
            )
        }),
    ];
    for (what, copy) in copies {
        let mut city = City::new();
        city.sql(copy(&city));
        city.forget_calls();
        let order = city.order();
        assert!(city.stage.deliver_to(None, &order, "wadi-secret"));
        assert!(city.stage.deliver_to(None, &order, "najd-secret"));
        city.stage.pass(DAY);
        assert!(matches!(city.trouble_of(city.wadi), Some(Trouble::Credential { .. })), "{what}");
        assert_eq!(city.keys_at("one"), ["najd-key".to_owned()].into(), "{what}: only Najd called, with its own key");
        assert_eq!(city.keys_at("two"), BTreeSet::new(), "{what}: nobody went elsewhere");
        assert_ne!(city.orders_of(city.wadi)[0].state, State::Settled, "{what}");
        assert_eq!(city.orders_of(city.najd)[0].state, State::Settled, "{what}: Najd is served");
        let references = references(&city);
        assert!(references.iter().all(|reference| reference.starts_with("knajd-")), "{what}: {references:?}");
    }
}

#[test]
fn a_webhook_secret_that_is_copied_signs_for_nobody() {
    let mut city = City::new();
    let from = format!("(select sealed from credential where merchant_id = {} and kind = 'webhook_secret')", city.najd);
    city.sql(format!(
        "update credential set sealed = {from} where merchant_id = {} and kind = 'webhook_secret'",
        city.wadi
    ));
    let order = city.order();
    for slug in [Some("wadi"), None] {
        assert!(!city.stage.deliver_to(slug, &order, "wadi-secret"), "its own is gone");
    }
    assert!(!city.stage.deliver_to(Some("wadi"), &order, "najd-secret"));
    assert!(city.stage.deliver_to(None, &order, "najd-secret"), "it still signs where it belongs");
    assert_eq!((city.orders_of(city.wadi).len(), city.orders_of(city.najd).len()), (0, 1));
}

#[test]
fn a_changed_address_never_gets_the_old_key() {
    let mut city = City::new();
    // The account itself is moved; both merchants of it go with it.
    city.sql(
        "update account set address = replace(address, '/acct/one', '/acct/elsewhere')".to_owned() + " where id = 1",
    );
    city.forget_calls();
    let order = city.order();
    assert!(city.stage.deliver_to(None, &order, "wadi-secret") && city.stage.deliver_to(None, &order, "najd-secret"));
    city.stage.pass(DAY);
    assert_eq!(city.heard().len(), 0, "not a single call left");
    assert!(city.trouble_of(city.wadi).is_some() && city.trouble_of(city.najd).is_some());
    assert!(city.trouble_of(city.other).is_none());
}

/// The reference of every document Daftra was asked to make.
fn references(city: &City) -> Vec<String> {
    let creates = city.heard().into_iter().filter(|call| call.method == "POST");
    creates.map(|call| reference_in(&call)).collect()
}

fn reference_in(call: &Request) -> String {
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let header = body.as_object().unwrap().values().find_map(|part| part["po_number"].as_str());
    header.unwrap_or_else(|| panic!("{body} names no reference")).to_owned()
}

#[test]
fn merchants_of_one_account_write_their_own_lines_with_their_own_keys() {
    let mut city = City::new();
    for _ in 0..5 {
        let order = city.order();
        assert!(city.stage.deliver_to(None, &order, "wadi-secret"));
        assert!(city.stage.deliver_to(None, &order, "najd-secret"));
    }
    city.rest();
    let writes: Vec<Request> = city.heard().into_iter().filter(|call| call.method == "POST").collect();
    assert_eq!(writes.len(), 10);
    for call in &writes {
        let owner = if reference_in(call).starts_with("kwadi-") { "wadi-key" } else { "najd-key" };
        assert_eq!(call.header("apikey"), Some(owner));
    }
    let all: BTreeSet<String> = references(&city).into_iter().collect();
    assert_eq!(all.len(), 10, "no two documents share a reference, though the shop's order is the same");
    city.stage.account("one", |account| {
        for invoice in account.documents(DocumentKind::Invoice) {
            let own = if invoice.text("po_number").starts_with("kwadi-") { 102 } else { 105 };
            let products: Vec<_> = invoice.items.iter().map(|item| item.product_id).collect();
            assert_eq!(products, [Some(own)], "{}", invoice.text("po_number"));
        }
    });
    assert_eq!(city.keys_at("two"), ["other-key".to_owned()].into(), "the third merchant only said hello");
}

#[test]
fn what_is_shown_of_one_merchant_is_its_own() {
    let of_merchant = |id| order::Filter { merchant_id: Some(id), ..order::Filter::default() };
    let mut city = City::new();
    let order = city.order();
    assert!(city.stage.deliver_to(None, &order, "wadi-secret"));
    assert!(city.stage.deliver_to(None, &order, "najd-secret"));
    assert!(city.stage.deliver_to(None, &from_shop(&order, OTHER_SHOP), "other-secret"));
    city.rest();
    let remote = order.order_id.unwrap().to_string();
    for (id, slug) in [(city.wadi, "wadi"), (city.najd, "najd"), (city.other, "other")] {
        let own = city.orders_of(id);
        assert_eq!(own.iter().map(|order| order.merchant.as_str()).collect::<Vec<_>>(), [slug]);
        for name in ["1001", "#1001", &remote, &own[0].id.to_string()] {
            let found = city.stage.db.read(|c| order::find(c, of_merchant(id), name, 5)).unwrap();
            assert_eq!(found.iter().map(|order| order.id).collect::<Vec<_>>(), [own[0].id], "{slug} {name}");
        }
        for stranger in [city.wadi, city.najd, city.other].into_iter().filter(|stranger| *stranger != id) {
            let found =
                city.stage.db.read(|c| order::find(c, of_merchant(stranger), &own[0].id.to_string(), 5)).unwrap();
            assert!(found.is_empty(), "{slug}'s order by its number, for merchant {stranger}");
        }
        let filter = log::Filter { merchant_id: Some(id), ..log::Filter::default() };
        let rows = city.stage.db.read(|c| log::list(c, filter, 100)).unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row.merchant == slug && row.order_id == Some(own[0].id)));
        city.stage
            .db
            .read(|c| {
                let documents = document::of_order(c, own[0].id)?;
                let prefix = format!("k{slug}-");
                assert!(documents.iter().all(|d| d.content.header().reference.starts_with(&prefix)));
                let kept = delivery::of_order(c, own[0].id)?;
                assert_eq!(kept.len(), 1, "the body is kept for each merchant apart");
                assert_eq!(delivery::body(c, kept[0].id)?.0, id);
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_redirect_is_not_followed_and_takes_no_key_along() {
    let mut city = City::new();
    city.forget_calls();
    city.stage.account("one", |account| account.add_fault(Fault::always(FaultKind::HtmlRedirect)));
    let order = city.order();
    assert!(city.stage.deliver_to(None, &order, "wadi-secret"));
    city.stage.pass(HOUR);
    let heard = city.heard();
    assert_eq!(heard.len(), 1, "one call met the redirect, none followed it");
    assert!(heard[0].path.starts_with("/acct/one/"), "{}", heard[0].path);
    assert_eq!(city.trouble_of(city.wadi), Some(Trouble::Redirect));
    assert_eq!(city.trouble_of(city.najd), None, "who did not call is not in trouble");
}

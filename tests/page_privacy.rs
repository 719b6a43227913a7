//! The page of what shops ask for in the name of their customers: what it shows, to whom, and what its buttons wish for.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use serde_json::json;
use web_world::World;

/// Beside the order of the world (merchant 1) a second merchant; requests of every kind, the first of them nearly due.
const ASKED: &str = r##"
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at, uninstalled_at)
select 'wadi', 'k2', 'Wadi', 'wadi.myshopify.com', 1, 'Africa/Cairo', 'live', 0, rules, 0, 1795165200000 from merchant;
insert into privacy_request (merchant_id, kind, customer_id, orders, received_at, due_at, begins_at, state, state_at, counts) values
  (1, 'data_request', 990044, '[5551234567]', 1795165200000, 1795165200000, null, 'open', 0, '{}'),
  (1, 'customer_redact', 990045, '[5551234567, 5551234568]', 1795165200000, 1797757200000, null, 'open', 0, '{}'),
  (2, 'shop_redact', null, '[]', 1795165200000, 1797757200000, 1795338000000, 'open', 0, '{}'),
  (2, 'customer_redact', 990046, '[77]', 1795165200000, 1797757200000, null, 'done', 1795165200000,
   '{"orders":1,"bodies":3,"texts":2}'),
  (2, 'customer_redact', 990047, '[78]', 1795165200000, 1797757200000, null, 'doing', 0, '{}');
"##;

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    world
}

#[test]
fn a_page_without_requests_says_where_they_come_from() {
    let world = world();
    let page = world.get("/privacy", "olga");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Nothing is asked for") && page.body.contains("each one stays here"), "{}", page.body);
    assert!(!page.body.contains("Shops without the app"));
}

#[test]
fn each_request_shows_its_last_day_and_what_can_be_done() {
    let world = world();
    world.sql(ASKED);
    let page = world.get("/privacy", "olga").body;
    for shown in [
        "A customer asks what is kept",
        "A customer is to be forgotten",
        "All customers of a shop are to be forgotten",
        "too late",
        "990045",
        "5551234568",
        "being forgotten, a few orders at a time",
        "orders: 1 · bodies of deliveries: 3 · texts: 2",
        "Shops without the app",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    for (action, is_there) in [
        ("/privacy/1/data", true),
        ("/privacy/1/answer", true),
        ("/privacy/1/redact", false),
        ("/privacy/2/redact", true),
        ("/privacy/2/answer", false),
        ("/privacy/3/redact", false),
        ("/privacy/5/redact", false),
        ("/privacy/shops/wadi/back", true),
    ] {
        assert_eq!(page.contains(&format!("action=\"{action}\"")), is_there, "{action}");
    }
}

#[test]
fn buttons_wish_for_what_they_say() {
    let world = world();
    world.sql(ASKED);
    for (action, wish) in [
        ("/privacy/1/data", json!({ "privacy_read": { "request_id": 1 } })),
        ("/privacy/1/answer", json!({ "privacy_answer": { "request_id": 1 } })),
        ("/privacy/2/redact", json!({ "privacy_redact": { "request_id": 2 } })),
        ("/privacy/shops/wadi/back", json!({ "shop_back": { "slug": "wadi" } })),
    ] {
        let answer = world.press("olga", "/privacy", action, "");
        assert!([200, 303].contains(&answer.status), "{action}: {}", answer.status);
        assert_eq!(world.desk.last().1, wish, "{action}");
    }
    let file = world.press("olga", "/privacy", "/privacy/1/data", "");
    let name = file.header("content-disposition").unwrap();
    assert!(name.contains("qantara-privacy-1.json"), "{name}");
}

#[test]
fn it_is_for_owners_and_for_their_own_merchants() {
    let world = world();
    world.sql(ASKED);
    world.add_user("lena", Role::Owner);
    world.limit("lena", &[2]);
    let page = world.get("/privacy", "lena").body;
    assert!(page.contains("990046") && !page.contains("990045") && !page.contains("Noon"), "{page}");
    assert_eq!(world.get("/privacy", "vera").status, 403);
}

//! Tokens: what they open, how long, and who makes them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use jiff::Timestamp;
use qantara::db::token;
use qantara::db::user::{self, Role};
use qantara::desk::Via;
use serde_json::{Value, json};
use web_world::{Answer, PASSWORD, START, World, basic};

const DAY: i64 = 86_400;
const RETRY: &str = "POST /api/v1/orders/1/retry";

/// Two merchants with an order each; lina is an operator of the second one.
fn town() -> World {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
         select 'souq', 'k2', 'Souq', 'souq.myshopify.com', 1, time_zone, 'shadow', 0, rules, 0 from merchant where id = 1;
         insert into orders (merchant_id, remote_id, name, state, state_at, created_at) values (2, 7, '#2001', 'new', 0, 0)",
    );
    world.add_user("lina", Role::Operator);
    world.limit("lina", &[2]);
    world
}

fn ask(world: &World, line: &str, authorization: &str) -> Answer {
    world.send(line, &[("Authorization", authorization)], "")
}

fn code(answer: &Answer) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    (answer.status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_token_is_its_user_with_less() {
    let world = town();
    let orders = |token: &str| {
        let answer = ask(&world, "GET /api/v1/orders", token);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        let items = body["items"].as_array().unwrap_or_else(|| panic!("{body}"));
        items.iter().map(|order| order["id"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let whole = world.add_token("omar", Role::Owner, None, 7);
    assert_eq!(orders(&whole), [2, 1]);
    assert_eq!(code(&ask(&world, "GET /api/v1/merchants/noon", &whole)), (403, "forbidden".into()), "omar is no owner");
    assert_eq!(ask(&world, RETRY, &whole).status, 200);
    let (person, _) = world.desk.last();
    assert!(matches!(person.via, Via::Api { token: 1 }), "{person:?}");
    assert_eq!((person.user_id, person.from), (Some(2), Some([127, 0, 0, 1].into())));

    let looking = world.add_token("omar", Role::Viewer, None, 7);
    assert_eq!(ask(&world, "GET /api/v1/orders/1", &looking).status, 200);
    assert_eq!(code(&ask(&world, RETRY, &looking)), (403, "forbidden".into()));
    let of_souq = world.add_token("omar", Role::Operator, Some(2), 7);
    assert_eq!(orders(&of_souq), [2]);
    assert_eq!(code(&ask(&world, RETRY, &of_souq)), (404, "not_found".into()));
    let of_a_stranger = world.add_token("lina", Role::Operator, Some(1), 7);
    assert_eq!(orders(&of_a_stranger), [0; 0], "lina does not see that one");
    assert_eq!(orders(&world.add_token("lina", Role::Owner, None, 7)), [2]);

    // What the user loses the token loses.
    world.limit("omar", &[2]);
    assert_eq!(orders(&whole), [2]);
    world.sql("update user set role = 'viewer' where name = 'omar'");
    assert_eq!(code(&ask(&world, "POST /api/v1/orders/2/retry", &whole)), (403, "forbidden".into()));
    world.sql("update user set disabled_at = 1 where name = 'omar'");
    assert_eq!(code(&ask(&world, "GET /api/v1/orders", &whole)), (401, "sign_in".into()));
    world.sql("update user set disabled_at = null where name = 'omar'");
    assert_eq!(orders(&whole), [2]);
    assert_eq!(world.desk.wishes().len(), 1, "only what was allowed");
}

#[test]
fn a_token_ends_and_opens_no_page() {
    let world = town();
    let (week, month) =
        (world.add_token("omar", Role::Viewer, None, 7), world.add_token("omar", Role::Viewer, None, 30));
    for line in ["GET /", "GET /log.json", "GET /orders/1", "GET /me"] {
        assert_eq!(ask(&world, line, &week).status, 401, "{line}");
    }
    let status = |token: &str| ask(&world, "GET /api/v1/orders", token).status;
    world.advance(7 * DAY - 1);
    assert_eq!((status(&week), status(&month)), (200, 200));
    world.advance(1);
    assert_eq!((status(&week), status(&month)), (401, 200));
    world.sql("update token set revoked_at = 1 where id = 2");
    assert_eq!(status(&month), 401);
    for wrong in ["Bearer", "Bearer ", "Bearer qa_", "Bearer x y", "Token x", "Basic eA=="] {
        assert_eq!(status(wrong), 401, "{wrong:?}");
        world.advance(3_600);
    }
}

#[test]
fn wrong_tokens_wait_and_a_right_one_never_does() {
    let world = town();
    let right = world.add_token("omar", Role::Viewer, None, 7);
    let wrong = |number: u32| code(&ask(&world, "GET /api/v1/orders", &format!("Bearer qa_{number}")));
    for number in 0..5 {
        assert_eq!(wrong(number), (401, "sign_in".into()));
    }
    assert_eq!(wrong(5), (429, "too_many_tries".into()));
    let answer = ask(&world, "GET /api/v1/orders", "Bearer qa_6");
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(ask(&world, "GET /api/v1/orders", &right).status, 200, "whoever has one is not kept out by others");
    assert_eq!(ask(&world, "GET /api/v1/orders", &basic("vera", PASSWORD)).status, 200);
    world.advance(2);
    assert_eq!(wrong(7), (401, "sign_in".into()));
    assert_eq!(wrong(8), (429, "too_many_tries".into()), "each failure doubles the delay");
    // The same throttle keeps passwords from being tried here.
    let guess = |number: u32| code(&ask(&world, "GET /api/v1/orders", &basic("omar", &format!("wrong {number}")))).0;
    assert_eq!((0..6).map(guess).collect::<Vec<_>>(), [401, 401, 401, 401, 401, 429]);
}

#[test]
fn the_use_of_a_token_is_noted_once_an_hour() {
    let world = town();
    let token = world.add_token("omar", Role::Viewer, None, 7);
    let start: Timestamp = START.parse().unwrap();
    let used = || {
        assert_eq!(ask(&world, "GET /api/v1/orders", &token).status, 200);
        // What was posted before is written before.
        world.db.write(|_| Ok(())).unwrap();
        let used_at = world.db.read(token::all).unwrap()[0].used_at.unwrap();
        used_at.duration_since(start).as_secs()
    };
    assert_eq!(used(), 0);
    world.advance(3_599);
    assert_eq!(used(), 0);
    world.advance(1);
    assert_eq!(used(), 3_600);
}

#[test]
fn everybody_makes_tokens_on_the_own_page_and_sees_them_once() {
    let world = town();
    let answer = world.press("vera", "/me", "/me/tokens", "name=nightly&role=viewer&days=30&merchant=souq");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (person, wish) = world.desk.last();
    let secret = wish["token_add"]["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("qa_") && secret.len() > 40 && answer.body.contains(&secret), "{wish}");
    assert_eq!(person.via, Via::Page);
    let mut asked = wish["token_add"].clone();
    asked.as_object_mut().unwrap().remove("secret");
    assert_eq!(asked, json!({"user": "vera", "name": "nightly", "role": "viewer", "merchant": "souq", "days": 30}));

    // A merchant out of sight is as little there as one that does not exist.
    let wished = world.desk.wishes().len();
    for slug in ["noon", "nobody"] {
        let fields = format!("name=nightly&role=viewer&days=30&merchant={slug}");
        assert_eq!(world.press("lina", "/me", "/me/tokens", &fields).status, 404, "{slug}");
    }
    assert_eq!(world.desk.wishes().len(), wished);
    // No role above the own one is offered, and nobody else's token is listed or revoked.
    let page = world.get("/me", "vera").body;
    assert!(page.contains("value=\"viewer\"") && !page.contains("value=\"operator\""), "{page}");
    assert!(!page.contains("qa_") && page.contains("You have no token"), "{page}");
    world.add_token("vera", Role::Viewer, Some(2), 7);
    world.add_token("omar", Role::Operator, None, 7);
    let page = world.get("/me", "vera").body;
    for expected in ["a script", "souq", "2026-11-27 09:00:00", "Never", "/me/tokens/1/revoke"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("/me/tokens/2/revoke"), "{page}");
    assert_eq!(world.press("vera", "/me", "/me/tokens/1/revoke", "").status, 303);
    assert_eq!(world.desk.last().1, json!({"token_revoke": {"token_id": 1}}));
    let others = "/me/tokens/2/revoke";
    let body = format!("token={}", world.form_token("vera", others));
    let headers = [("Authorization", &*basic("vera", PASSWORD)), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(world.send(&format!("POST {others}"), &headers, &body).status, 404);
    assert_eq!(world.desk.last().1, json!({"token_revoke": {"token_id": 1}}), "nothing more was wished for");
    world.advance(8 * DAY);
    assert!(world.get("/me", "vera").body.contains("Ended"));
    let user = world.db.read(|c| user::by_name(c, "vera")).unwrap().unwrap();
    world.db.write(move |tx| user::set_language(tx, user.id, Some("ar"))).unwrap();
    assert!(world.get("/me", "vera").body.contains("رموز الوصول"));
}

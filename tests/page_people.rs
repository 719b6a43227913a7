//! The pages about people – users, what they did, oneself – and what a limited user does not see.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::audit;
use qantara::db::user::{self, Role};
use qantara::desk::Via;
use serde_json::json;
use web_world::{PASSWORD, World};

/// Two merchants with an order each: the second one is a stranger to whoever is limited to the first.
fn two_merchants() -> World {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
         select 'souq', 'k2', 'Souq', 'souq.myshopify.com', 1, time_zone, 'shadow', 0, rules, 0 from merchant where id = 1;
         insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
         values (2, 77, '#2001', 'held', 1795165200000, '{\"held\":[{\"code\":\"cancelled_but_paid\"}]}', 1795165200000);
         insert into sync_log (at, merchant_id, order_id, status) values (1795165201000, 2, 2, 'held');
         insert into alert (cause, subject, opened_at, seen_at) values ('outage', 'https://noon.daftra.com', 0, 0);",
    );
    world.add_user("lina", Role::Operator);
    world.limit("lina", &[1]);
    world
}

#[test]
fn a_limited_user_sees_nothing_of_others() {
    let world = two_merchants();
    for (path, own, strange) in [
        ("/", "Noon", "Souq"),
        ("/", "held until a person decides", "noon.daftra.com"),
        ("/log", "#1001", "#2001"),
        ("/attention", "#1001", "#2001"),
    ] {
        let (hers, all) = (world.get(path, "lina").body, world.get(path, "omar").body);
        assert!(hers.contains(own) && !hers.contains(strange), "{path}: {hers}");
        assert!(all.contains(own) && all.contains(strange), "{path}: {all}");
    }
    assert_eq!(world.get("/orders/1", "lina").status, 200);
    for path in ["/orders/2", "/log?merchant=souq", "/attention?merchant=souq"] {
        assert_eq!((world.get(path, "omar").status, world.get(path, "lina").status), (200, 404), "{path}");
    }
    // The token of her own page does not help with a stranger's order, and hers does not name it.
    let fields = "merchant=souq&cause=cancelled_but_paid&about=";
    let hers = "/attention/again?cause=unknown_product";
    assert_eq!(world.press("lina", hers, "/attention/release", fields).status, 404);
    assert_eq!(world.get("/attention/again?merchant=souq&cause=cancelled_but_paid", "lina").status, 404);
    let none = world.get("/attention/again?cause=cancelled_but_paid", "lina").body;
    assert!(none.contains("no such order any more") && !none.contains("Souq"), "{none}");
    // Without a merchant all are meant whom she sees, and none of them is held for this.
    assert_eq!(world.press("lina", hers, "/attention/release", "cause=cancelled_but_paid").status, 303);
    assert!(world.desk.wishes().is_empty());
    let page = "/attention/again?merchant=souq&cause=cancelled_but_paid&about=";
    assert_eq!(world.press("omar", page, "/attention/release", fields).status, 303);
    world.limit("lina", &[]);
    assert!(world.get("/", "lina").body.contains("There is no merchant yet"), "nobody's merchant is nobody's order");
    assert_eq!(world.get("/orders/1", "lina").status, 404);
}

#[test]
fn a_cause_is_released_for_its_merchant() {
    let world = two_merchants();
    let page = world.get("/attention", "omar").body;
    for expected in ["Souq", "Next step", "#2001", "href=\"/orders/2\""] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let before = "/attention/again?merchant=souq&amp;cause=cancelled_but_paid&amp;about=";
    assert!(page.contains(&format!("href=\"{before}\"")), "a page in between: {page}");
    assert!(!world.get("/attention", "vera").body.contains("/attention/again"), "a viewer looks on");
    let before = before.replace("&amp;", "&");
    let told = world.get(&before, "omar").body;
    for expected in [
        "Souq",
        "<strong>1</strong>",
        "this merchant is in shadow",
        "Look at them again (1)",
        "never sent a second time",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(!told.contains("Noon"));
    let fields = "merchant=souq&cause=cancelled_but_paid&about=";
    let answer = world.press("omar", &before, "/attention/release", fields);
    assert_eq!(answer.header("location"), Some("/attention?said=looks_again"));
    let (person, wish) = world.desk.last();
    assert_eq!(wish, json!({"hold_release": {"slug": "souq", "cause": "cancelled_but_paid", "about": ""}}));
    assert_eq!((person.user_id, person.via, person.from), (Some(2), Via::Page, Some([127, 0, 0, 1].into())));
    assert!(world.get("/attention?said=looks_again", "omar").body.contains("The order is looked at again"));
    assert!(!world.get("/attention?said=%3Cb%3E", "omar").body.contains("role=\"status\""), "nobody else's words");
}

#[test]
fn failed_orders_are_tried_again_together_and_doubts_are_shown() {
    let world = two_merchants();
    world.sql(
        "update orders set state = 'failed', reason = '{\"failed\":{\"code\":\"no_end\"}}' where id = 2;
         update document set state = 'in_doubt', look_at = 1795165260000, remote_id = null, written = null where id = 2",
    );
    let page = world.get("/attention", "omar").body;
    assert!(page.contains("Failed orders") && page.contains("In doubt"), "{page}");
    assert!(page.contains("k1-5551234567-transaction/17"), "{page}");
    let before = world.get("/attention/again?merchant=souq", "omar").body;
    assert!(before.contains("Look at them again (1)") && before.contains("begun anew"), "{before}");
    assert_eq!(world.press("omar", "/attention/again?merchant=souq", "/attention/retry", "merchant=souq").status, 303);
    assert_eq!(world.desk.last().1, json!({"failed_retry": {"slug": "souq"}}));
}

#[test]
fn who_has_many_orders_hides_nobody_who_has_few() {
    let world = two_merchants();
    world.sql(
        "insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
         values (2, 79, '#2002', 'failed', 1795165200000, '{\"failed\":{\"code\":\"no_end\"}}', 1795165200000);
         with recursive n(i) as (select 1000 union all select i + 1 from n where i < 7000)
         insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
         select 1, i, '#' || i, iif(i % 10, 'held', 'failed'), 1795165200000, iif(i % 10,
           '{\"held\":[{\"code\":\"cancelled_after_shipping\"}]}', '{\"failed\":{\"code\":\"no_end\"}}'), 1795165200000 from n;",
    );
    let page = world.get("/attention", "omar").body;
    assert!(page.contains("#2001") && page.contains("#2002"), "{page}");
    assert!(page.contains("There are more held orders"), "and it says that not all were looked at");
    let before = world.get("/attention/again?cause=cancelled_but_paid", "omar").body;
    assert!(before.contains("Souq") && before.contains("again (1)"), "{before}");
}

#[test]
fn what_is_meant_of_all_merchants_is_told_and_done_one_by_one() {
    let world = two_merchants();
    world.sql(
        "update orders set state = 'failed', reason = '{\"failed\":{\"code\":\"no_end\"}}';
         insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, rules, created_at)
         select 'shut', 'k3', 'Shut', 'shut.myshopify.com', 1, time_zone, 'closed', rules, 0 from merchant where id = 1;
         insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
         select 3, 78, '#3001', state, 0, reason, 0 from orders where id = 1;",
    );
    assert!(world.get("/attention", "omar").body.contains("href=\"/attention/again?\""));
    let before = world.get("/attention/again", "omar").body;
    assert!(before.contains("Noon") && before.contains("Souq") && before.contains("again (2)"), "{before}");
    assert!(!before.contains("Shut"), "what is closed does not change");
    assert_eq!(world.press("omar", "/attention/again", "/attention/retry", "merchant=").status, 303);
    let wished: Vec<_> = world.desk.wishes().into_iter().map(|(_, wish)| wish).collect();
    assert_eq!(wished, ["failed_retry", "failed_retry"]);

    world.sql("update orders set state = 'held', reason = '{\"held\":[{\"code\":\"unknown_product\",\"line\":\"x\",\"codes\":[\"C-' || id || '\"]}]}'");
    let page = world.get("/attention", "omar").body;
    assert!(page.contains("href=\"/attention/again?cause=unknown_product\""), "all of the kind: {page}");
    let before = world.get("/attention/again?cause=unknown_product", "omar").body;
    assert!(before.contains("For example:") && before.contains("again (2)"), "{before}");
    let one = world.get("/attention/again?cause=unknown_product&about=c-2", "omar").body;
    assert!(one.contains("again (1)") && one.contains("Souq") && !one.contains("Noon"), "{one}");
    let before = "/attention/again?cause=unknown_product&about=c-2";
    assert_eq!(
        world.press("omar", before, "/attention/release", "merchant=&cause=unknown_product&about=c-2").status,
        303
    );
    assert_eq!(
        world.desk.last().1,
        json!({"hold_release": {"slug": "souq", "cause": "unknown_product", "about": "c-2"}})
    );
    assert_eq!(world.desk.wishes().len(), 3, "nobody else's orders were asked for");
}

#[test]
fn owners_manage_users_and_nobody_else() {
    let world = two_merchants();
    world.add_user("olga", Role::Owner);
    for path in ["/users", "/users/1", "/audit"] {
        let status = |user| world.get(path, user).status;
        assert_eq!((status("vera"), status("omar"), status("lina"), status("olga")), (403, 403, 403, 200), "{path}");
    }
    let menu = |user| world.get("/", user).body.contains("href=\"/users\"");
    assert!(menu("olga") && !menu("omar"));
    let page = world.get("/users", "olga").body;
    assert!(page.contains("lina") && page.contains("Only these (1)"), "{page}");

    let fields = "role=viewer&scope=only&merchant=noon&merchant=souq";
    assert_eq!(world.press("olga", "/users/3", "/users/3/rights", fields).status, 303);
    let wish = json!({"user_rights": {"name": "lina", "role": "viewer", "merchants": ["noon", "souq"]}});
    assert_eq!(world.desk.last().1, wish);
    world.press("olga", "/users/3", "/users/3/rights", "role=operator&scope=all&merchant=noon");
    assert_eq!(world.desk.last().1["user_rights"]["merchants"], json!(null));
    world.press("olga", "/users/3", "/users/3/disable", "");
    assert_eq!(world.desk.last().1, json!({"user_disable": {"name": "lina", "disabled": true}}));
    let password = |fields: &str| {
        let answer = world.press("olga", "/users/3", "/users/3/password", fields);
        (world.desk.last().1["user_passwd"].clone(), answer.header("location").unwrap_or_default().to_owned())
    };
    let passwd = |end| json!({"name": "lina", "password": " spaces stay ", "end_tokens": end});
    assert_eq!(password("password=+spaces+stay+"), (passwd(false), "/users/3?said=password_changed".to_owned()));
    let all = password("password=+spaces+stay+&tokens=end");
    assert_eq!(all, (passwd(true), "/users/3?said=tokens_ended".to_owned()));
    assert_eq!(world.get("/users/99", "olga").status, 404);
}

#[test]
fn everybody_chooses_a_language_and_a_password() {
    let world = World::new();
    assert_eq!(world.press("vera", "/me", "/me/language", "language=ar").status, 303);
    assert_eq!(world.desk.last().1, json!({"user_language": {"name": "vera", "language": "ar"}}));
    world.sql("update user set language = 'ar' where name = 'vera'");
    assert!(world.get("/me", "vera").body.contains("<html lang=\"ar\" dir=\"rtl\">"));

    let change = |fields: &str| world.press("omar", "/me", "/me/password", fields);
    let before = world.desk.wishes().len();
    let wrong = change("current=guess&new=long+enough+1&again=long+enough+1");
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("The current password is not right"), "{}", wrong.body);
    let current = PASSWORD.replace(' ', "+");
    assert!(
        change(&format!("current={current}&new=long+enough+1&again=other+one+22")).body.contains("typed in two ways")
    );
    assert_eq!(world.desk.wishes().len(), before);
    assert_eq!(change(&format!("current={current}&new=long+enough+1&again=long+enough+1")).status, 303);
    let passwd = |end| json!({"user_passwd": {"name": "omar", "password": "long enough 1", "end_tokens": end}});
    assert_eq!(world.desk.last().1, passwd(false), "the own scripts go on, if nobody says otherwise");
    assert!(world.get("/me?said=password_changed", "omar").body.contains("Tokens stay as they were"));
    let all = change(&format!("current={current}&new=long+enough+1&again=long+enough+1&tokens=end"));
    assert_eq!((all.header("location"), world.desk.last().1), (Some("/me?said=tokens_ended"), passwd(true)));
}

#[test]
fn an_owner_sees_and_ends_the_tokens_of_others() {
    let world = two_merchants();
    world.add_user("olga", Role::Owner);
    world.add_token("lina", Role::Owner, Some(1), 7);
    world.add_token("omar", Role::Operator, None, 30);
    world.sql("update token set used_at = 1795165200000 where id = 1");
    let row = |page: &str, user: &str| page.split("<tr>").find(|row| row.contains(user)).unwrap().to_owned();
    let all = world.get("/users", "olga").body;
    assert!(row(&all, "lina").contains("<td>1</td>") && row(&all, "vera").contains("<td>–</td>"), "{all}");
    let hers = world.get("/users/3", "olga").body;
    for expected in
        ["a script", "operator", "noon", "2026-11-20 09:00:00", "2026-11-27 09:00:00", "Also end all tokens"]
    {
        assert!(hers.contains(expected), "{expected}: {hers}");
    }
    assert!(hers.contains("name=\"tokens\" value=\"end\" checked"), "ticked for a reset: {hers}");
    assert!(!world.get("/me", "olga").body.contains("value=\"end\" checked"), "and not for oneself");
    // The proofs of forms are made of the same letters.
    let tells_a_token = hers
        .match_indices("qa_")
        .any(|(at, _)| !hers[..at].ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c)));
    assert!(!tells_a_token && !hers.contains("tokens/2/revoke"), "nobody else's: {hers}");
    assert!(world.get("/users/1", "olga").body.contains("This user has no token"));

    // Somebody else's token is not hers, whoever asks.
    let end = |action: &str, user: &str| {
        let body = format!("token={}", world.form_token(user, action));
        let login = web_world::basic(user, PASSWORD);
        world
            .send(&format!("POST {action}"), &[("Authorization", &login), ("Sec-Fetch-Site", "same-origin")], &body)
            .status
    };
    assert_eq!(end("/users/3/tokens/2/revoke", "olga"), 404);
    assert_eq!(end("/users/99/tokens/1/revoke", "olga"), 404);
    assert_eq!(end("/users/3/tokens/1/revoke", "omar"), 403);
    assert!(world.desk.wishes().is_empty());
    assert_eq!(world.press("olga", "/users/3", "/users/3/tokens/1/revoke", "").status, 303);
    assert_eq!(world.desk.last().1, json!({"token_revoke": {"token_id": 1}}));
    world.advance(8 * 86_400);
    let later = world.get("/users", "olga").body;
    assert!(row(&later, "lina").contains("<td>–</td>") && row(&later, "omar").contains("<td>1</td>"), "{later}");
    assert!(world.get("/users/3", "olga").body.contains("Ended"));
    world.sql("update user set language = 'ar' where name = 'olga'");
    let hers = world.get("/users/3", "olga").body;
    assert!(hers.contains("رموز الوصول") && hers.contains("كل رموز الوصول لهذا المستخدم"), "{hers}");
}

#[test]
fn what_people_did_is_told_newest_first() {
    let world = World::new();
    world.add_user("olga", Role::Owner);
    let write = move |tx: &rusqlite::Transaction<'_>| {
        let by = user::by_name(tx, "omar")?.map(|user| user.id);
        audit::write(
            tx,
            by,
            "order.retry",
            &json!({"name": "#1001", "from": "10.1.2.3", "via": "page"}),
            "2026-11-20T08:00:00Z".parse().unwrap(),
        )?;
        audit::write(tx, None, "user.passwd", &json!({"user": "<vera>"}), "2026-11-20T08:01:00Z".parse().unwrap())
    };
    world.db.write(write).unwrap();
    let page = world.get("/audit", "olga").body;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("changed a password") < place("looked again at an order"));
    assert!(place("Command line") < place("omar") && page.contains("10.1.2.3") && page.contains("&lt;vera&gt;"));
    assert!(!world.get("/audit?before=2", "olga").body.contains("changed a password"));
    assert_eq!(world.get("/audit?before=x", "olga").status, 404);
}

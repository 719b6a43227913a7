//! The page of an order: its links, the buttons that make sense where it stands, and what they wish for; raw bodies.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use web_world::{Answer, PASSWORD, World, basic};

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    world
}

fn page(world: &World, user: &str) -> String {
    world.get("/orders/1", user).body
}

/// The actions of the page's forms, but for their order's address.
fn actions(page: &str) -> Vec<&str> {
    let actions = page.split("<form method=\"post\" action=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    actions.map(|action| action.strip_prefix("/orders/1/").unwrap_or(action)).collect()
}

/// Presses the button of one form.
fn press(world: &World, action: &str, user: &str, fields: &str) -> Answer {
    let page = page(world, user);
    let (_, form) = page.split_once(&format!("action=\"{action}\"")).unwrap();
    let token = form.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap().to_owned();
    let login = basic(user, PASSWORD);
    let headers = [("Authorization", &*login), ("Sec-Fetch-Site", "same-origin")];
    world.send(&format!("POST {action}"), &headers, &format!("token={token}{fields}"))
}

#[test]
fn only_buttons_that_make_sense_are_there() {
    let world = world();
    world.sql("update delivery set body = x'00'");
    let held = page(&world, "omar");
    assert_eq!(actions(&held), ["retry", "/deliveries/1/replay", "dismiss", "note"]);
    assert!(held.contains("<button>Try again</button>"), "the one to press");
    assert!(actions(&page(&world, "vera")).is_empty(), "who only reads has no button");

    world.sql("update orders set state = 'settled', reason = null; update delivery set body = null");
    let settled = page(&world, "omar");
    assert_eq!(actions(&settled), ["retry", "note"]);
    assert!(settled.contains("<button class=\"second\">Look again</button>"), "nothing is to be done");

    world.sql(r#"update orders set state = 'ignored', reason = '{"ignored":{"code":"source","source":"pos"}}'"#);
    assert_eq!(actions(&page(&world, "omar")), ["import", "retry", "note"]);
    world.sql(r#"update orders set reason = '{"ignored":{"code":"test_order"}}'"#);
    assert_eq!(actions(&page(&world, "omar")), ["retry", "note"], "nobody books a test");

    world.sql(
        r#"update document set state = 'gone' where id = 1;
           update orders set state = 'held', reason = '{"held":[{"code":"gone","reference":"k1-5551234567-order"}]}'"#,
    );
    let gone = page(&world, "omar");
    assert_eq!(actions(&gone), ["documents/1/renew", "documents/1/leave", "retry", "dismiss", "note"]);
    assert!(!gone.contains("/owner/invoices/view/"), "what is gone is not linked");
}

#[test]
fn each_button_wishes_for_what_it_says() {
    let world = world();
    world.sql(
        "update document set state = 'gone' where id = 1;
         update delivery set body = x'00'",
    );
    let presses = [
        ("/orders/1/retry", "", "order_retry", "looks_again"),
        ("/orders/1/note", "&note=hello", "order_note", "noted"),
        ("/orders/1/dismiss", "&note=", "order_rule", "dismissed"),
        ("/orders/1/documents/1/renew", "", "order_rule", "decided"),
        ("/orders/1/documents/1/leave", "", "order_rule", "decided"),
        ("/deliveries/1/replay", "", "delivery_replay", "replayed"),
    ];
    for (action, fields, wish, said) in presses {
        let answer = press(&world, action, "omar", fields);
        let to = format!("/orders/1?said={said}");
        assert_eq!((answer.status, answer.header("location")), (303, Some(&*to)), "{action}");
        assert_eq!(world.desk.wishes().last().unwrap(), &(Some(2), wish.to_owned()), "{action}");
    }
    assert!(world.get("/orders/1?said=replayed", "omar").body.contains("The delivery was read again"));
}

#[test]
fn it_leads_into_the_shop_and_into_daftra() {
    let world = world();
    let page = page(&world, "omar");
    for link in [
        "href=\"https://admin.shopify.com/store/noon/orders/5551234567\"",
        "href=\"https://noon.daftra.com/owner/invoices/view/4711\"",
        "href=\"/log?merchant=noon\"",
    ] {
        assert!(page.contains(link), "{link}\n{page}");
    }
    assert_eq!(page.matches("/owner/invoices/view/").count(), 1, "no guess at where Daftra shows payments");
    world.sql("update merchant set shop_domain = 'evil.example/?.myshopify.com'");
    assert!(!self::page(&world, "vera").contains("admin.shopify.com"), "no address is made of strange names");
}

#[test]
fn the_story_names_people_stock_and_money() {
    let world = world();
    world.sql(
        r##"insert into audit (at, user_id, action, facts, previous, hash) values
             (1795165204000, 2, 'order.note', '{"order":1,"note":"<q>ring him</q>"}', x'00', x'01'),
             (1795165205000, null, 'order.rule', '{"order":1,"ruling":"dismiss","document":null,"note":"twice"}', x'00', x'02'),
             (1795165206000, 2, 'hold.release', '{"orders":[1,2]}', x'00', x'03'),
             (1795165206000, 2, 'order.note', '{"order":2,"note":"another order"}', x'00', x'04');
           update document set stock = '{"stock":"moved"}' where id = 1"##,
    );
    let text = page(&world, "vera");
    for expected in [
        "&lt;q&gt;ring him&lt;/q&gt;",
        "<bdi>omar</bdi>",
        "Command line",
        "twice",
        "Looked again at all orders held for one cause",
        "The goods left the warehouse by Daftra&#39;s books.",
        "Daftra does not accept the key",
    ] {
        let plain = expected.replace("&#39;", "'");
        assert!(text.contains(expected) || text.contains(&plain), "{expected}\n{text}");
    }
    assert!(!text.contains("another order"));
    let sections: Vec<usize> = ["Documents in Daftra", "How it was decided", "What people did", "Calls to Daftra"]
        .iter()
        .map(|heading| text.find(heading).unwrap())
        .collect();
    assert!(sections.is_sorted(), "what is needed first stands first");
    world.sql(
        r#"update document set stock = '{"stock":"pending","why":["requisition"]}' where id = 1;
           update orders set snapshot = '{"total_price":23000,"currency":"KWD"}'"#,
    );
    let text = page(&world, "vera");
    assert!(text.contains("requisition") && text.contains("23.000 KWD"), "{text}");
}

#[test]
fn long_calls_are_cut_and_old_ones_left_out() {
    let world = world();
    world
        .db
        .write(|tx| {
            let body = lz4_flex::compress_prepend_size("ن".repeat(30_000).as_bytes());
            let sql = "update attempt set answer = ?1 where id = 1";
            qantara::db::Context::during(tx.execute(sql, [body]), "prepare a test")
        })
        .unwrap();
    let text = page(&world, "vera");
    assert!((20_000..20_100).contains(&text.matches('ن').count()), "of the answer so much, and little of the rest");
    assert!(text.contains("(the rest is left out)") && !text.contains("Only the latest calls"));
    world.sql(
        "insert into attempt (order_id, account_id, action, started_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 60)
         select 1, 1, 'find', 1795165300000 + i from n",
    );
    let text = page(&world, "vera");
    assert!(text.contains("Only the latest calls are shown") && !text.contains("345 ms"));
}

#[test]
fn owners_open_bodies_and_nobody_else() {
    let world = world();
    let open = |user| world.get("/deliveries/1/body", user);
    let nothing = open("olga");
    assert!(nothing.body.contains("The body is not kept any more"), "{}", nothing.body);
    assert!(world.desk.wishes().is_empty(), "nothing was opened");
    world.sql("update delivery set body = x'00'");
    let body = open("olga").body;
    let expected = "{\n  &quot;name&quot;: &quot;&lt;b&gt;#1001&lt;/b&gt;&quot;,\n  &quot;total_price&quot;: \
                    &quot;11.500&quot;,\n  &quot;note&quot;: null,\n  &quot;tags&quot;: [],\n  &quot;lines&quot;: [\n    \
                    {\n      &quot;id&quot;: 1\n    }\n  ]\n}";
    assert!(body.contains(expected), "{body}");
    assert_eq!(world.desk.wishes(), [(Some(3), "body".to_owned())]);
    for user in ["omar", "vera"] {
        assert_eq!(open(user).status, 403, "{user}");
        assert!(!page(&world, user).contains("/deliveries/1/body"), "{user}");
    }
    assert!(page(&world, "olga").contains("href=\"/deliveries/1/body\""));
    assert_eq!(world.get("/deliveries/9/body", "olga").status, 404);
    assert_eq!(world.desk.wishes().len(), 1, "who may not, opens nothing");
}

#[test]
fn a_limited_person_touches_no_order_of_others() {
    let world = world();
    for (name, role) in [("lina", Role::Operator), ("lord", Role::Owner)] {
        world.add_user(name, role);
    }
    world.sql("update delivery set body = x'00'");
    let token = |user: &str| {
        let page = world.get("/orders/1", user).body;
        let (_, form) = page.split_once("action=\"/orders/1/note\"").unwrap();
        form.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
    };
    let token = token("lina");
    world.sql("update user set limited = 1 where name in ('lina', 'lord')");
    let login = basic("lina", PASSWORD);
    let headers = [("Authorization", &*login), ("Sec-Fetch-Site", "same-origin")];
    let answer = world.send("POST /orders/1/note", &headers, &format!("token={token}&note=x"));
    assert_eq!(answer.status, 404);
    assert_eq!(world.get("/orders/1", "lina").status, 404);
    assert_eq!(world.get("/deliveries/1/body", "lord").status, 404);
    assert!(world.desk.wishes().is_empty());
}

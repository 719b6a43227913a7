//! Every address of the table is attacked: nobody gets in without a name, beyond a role, beyond a scope, from another site
//! or without the form's own token, and no answer can be framed, led astray or made to run somebody's script. A new address
//! is attacked by being in the table.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::collections::BTreeSet;

use form_urlencoded::Serializer;
use hyper::Method;
use qantara::db::user::Role;
use qantara::web::route::{ROUTES, Route};
use serde_json::{Value, json};
use web_world::{Answer, PASSWORD, World, basic};

/// Olga, omar and vera see all. Lena, lina and lola have the same roles for the second merchant only, to whom nothing of the
/// first one belongs. No owner can be limited by the pages; one who is all the same must not see more.
fn town() -> World {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
         select 'souq', 'k2', 'Souq', 'souq.myshopify.com', 1, time_zone, 'shadow', 0, rules, 0 from merchant where id = 1;
         insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
         values (2, 77, '#2001', 'held', 1795165200000, '{\"held\":[{\"code\":\"cancelled_but_paid\"}]}', 1795165200000);
         insert into document (order_id, account_id, kind, source_key, reference, state, since_at, content, wanted, written,
           remote_id)
         select 2, account_id, kind, source_key, 'k2-77-order', 'gone', since_at,
           replace(replace(content, 'k1-5551234567', 'k2-77'), '#1001', '#2001'), wanted, written, 4712
         from document where id = 1;
         insert into delivery (merchant_id, event_key, topic, order_id, received_at)
         values (2, 'b2', 'orders/create', 2, 1795165200000);
         insert into privacy_request (merchant_id, kind, orders, received_at, due_at, state_at)
         values (1, 'customer_redact', '[5551234567]', 0, 0, 0), (2, 'customer_redact', '[77]', 0, 0, 0);
         insert into sync_log (at, merchant_id, order_id, status) values (1795165201000, 2, 2, 'held');
         insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing)
         values (2, '2026-11-20', 0, 9, 9, '[]');
         insert into accounted values (2, 2, 'held');
         insert into mail_recipient (merchant_id, address, language, kinds, created_at)
         values (1, x'00', 'en', json_array('held'), 0), (2, x'00', 'ar', json_array('held'), 0);
         insert into mail (dedupe_key, kind, merchant_id, order_id, recipient, content, message_id, due_at, created_at, state_at)
         values ('held/1', 'held', 1, 1, x'00', x'00', 'a', 0, 0, 0), ('held/2', 'held', 2, 2, x'00', x'00', 'b', 0, 0, 0),
           ('alert/1', 'alert', null, null, x'00', x'00', 'c', 0, 0, 0);
         insert into namesake (merchant_id, order_id, account_id, remote_id, state, seen_at)
           values (1, 1, 1, 1, 'open', 0), (2, 2, 1, 2, 'open', 0)",
    );
    world.add_user("olga", Role::Owner);
    for (name, role) in Role::ALL.map(|role| (limited(role), role)) {
        world.add_user(name, role);
        world.limit(name, &[2]);
    }
    // Vera's, and the first.
    world.add_token("vera", Role::Viewer, None, 7);
    world
}

/// The address with everything filled in that exists, all of it the first merchant's.
fn address(route: &Route) -> String {
    let places = ["{order}", "{document}", "{delivery}", "{user}", "{token}", "{request}", "{invoice}"];
    let path = places.into_iter().fold(route.path.to_owned(), |path, place| path.replace(place, "1"));
    let path = path.replace("/alerts/mails/{mail}", "/alerts/mails/3").replace("{mail}", "1");
    let path = path.replace("{recipient}", "1").replace("{kind}", "held").replace("{language}", "en");
    path.replace("{merchant}", "noon").replace("{slug}", "noon").replace("{day}", "2026-11-20")
}

/// The same of the second merchant; whose user and token is meant makes no difference to who asks.
fn own_address(route: &Route) -> String {
    let path = ["{order}", "{delivery}", "{request}", "{invoice}"]
        .into_iter()
        .fold(route.path.to_owned(), |path, place| path.replace(place, "2"));
    let path = path.replace("{day}", "2026-11-20").replace("{kind}", "held").replace("{language}", "en");
    let path =
        path.replace("/alerts/mails/{mail}", "/alerts/mails/3").replace("{mail}", "1").replace("{recipient}", "1");
    path.replace("{merchant}", "souq").replace("{document}", "3").replace("{user}", "1").replace("{token}", "1")
}

/// Those behind the sign-in, but for style and script, whose names change.
fn pages() -> impl Iterator<Item = (&'static Route, Role)> {
    ROUTES.iter().filter(|route| !route.path.starts_with("/static/")).filter_map(|route| Some((route, route.role?)))
}

fn is_api(route: &Route) -> bool {
    route.path.starts_with("/api/")
}

fn who(role: Role) -> &'static str {
    match role {
        Role::Viewer => "vera",
        Role::Operator => "omar",
        Role::Owner => "olga",
    }
}

/// Who sees the second merchant only.
fn limited(role: Role) -> &'static str {
    match role {
        Role::Viewer => "lola",
        Role::Operator => "lina",
        Role::Owner => "lena",
    }
}

/// As a browser sends a form from our own page.
fn from_our_page(user: &str) -> Vec<(&'static str, String)> {
    vec![("Authorization", basic(user, PASSWORD)), ("Sec-Fetch-Site", "same-origin".to_owned())]
}

/// As whoever this address is for comes by: with a form of ours, or with a token as large as its user.
fn properly(world: &World, route: &Route, user: &str) -> (Vec<(&'static str, String)>, String) {
    if is_api(route) {
        let headers = script(world.add_token(user, Role::Owner, None, 7));
        let is_change = route.method == Method::POST;
        return (headers, if is_change { "{\"items\":[]}".to_owned() } else { String::new() });
    }
    (from_our_page(user), token(world, user, &address(route)))
}

fn script(token: String) -> Vec<(&'static str, String)> {
    vec![("Authorization", token), ("Content-Type", "application/json".to_owned())]
}

/// Everybody for whom the first merchant is not there, with what they show: whoever is limited to the second one, and for
/// the API a token of the owner that is.
fn strangers(world: &World, route: &Route, role: Role) -> Vec<(String, Vec<(&'static str, String)>)> {
    let user = limited(role);
    if !is_api(route) {
        return vec![(user.to_owned(), from_our_page(user))];
    }
    let theirs = (user.to_owned(), script(world.add_token(user, Role::Owner, None, 7)));
    vec![theirs, ("a token of olga's".to_owned(), script(world.add_token("olga", Role::Owner, Some(2), 7)))]
}

fn send(world: &World, route: &Route, path: &str, headers: &[(&'static str, String)], body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.send(&format!("{} {path}", route.method), &headers, body)
}

fn ask(world: &World, route: &Route, headers: &[(&'static str, String)], body: &str) -> Answer {
    send(world, route, &address(route), headers, body)
}

fn token(world: &World, user: &str, action: &str) -> String {
    format!("token={}", world.form_token(user, action))
}

#[test]
fn nobody_gets_in_without_a_name_or_beyond_a_role() {
    let world = town();
    for (route, role) in pages() {
        let line = format!("{} {}", route.method, route.path);
        assert_eq!(ask(&world, route, &[], "").status, 401, "{line}");
        for smaller in Role::ALL.into_iter().filter(|other| *other < role) {
            let user = who(smaller);
            let (headers, body) = properly(&world, route, user);
            assert_eq!(ask(&world, route, &headers, &body).status, 403, "{line} as {user}");
        }
        let user = who(role);
        let (headers, body) = properly(&world, route, user);
        let fields = if is_api(route) { "" } else { "&merchant=noon&role=viewer&name=vera&days=30" };
        let allowed = ask(&world, route, &headers, &(body + fields)).status;
        assert!(![401, 403, 404, 405, 500].contains(&allowed), "{line} as {user}: {allowed}");
    }
}

#[test]
fn a_form_of_another_site_another_page_or_another_person_is_not_taken() {
    let world = town();
    for (route, role) in pages().filter(|(route, _)| route.method == Method::POST) {
        let (user, path) = (who(role), address(route));
        if is_api(route) {
            // What a browser sends by itself changes nothing here, wherever it was sent from.
            for body in ["", "{\"items\":[]}", &token(&world, user, &path)] {
                assert_eq!(ask(&world, route, &from_our_page(user), body).status, 403, "{path} with a password");
            }
            continue;
        }
        let right = token(&world, user, &path);
        let mut forged = vec![("Authorization", basic(user, PASSWORD))];
        assert_eq!(ask(&world, route, &forged, &right).status, 403, "{path}: a browser that says nothing");
        for site in ["cross-site", "same-site", "none"] {
            forged.truncate(1);
            forged.push(("Sec-Fetch-Site", site.to_owned()));
            assert_eq!(ask(&world, route, &forged, &right).status, 403, "{path} from {site}");
        }
        let stranger = if user == "olga" { "omar" } else { "olga" };
        for wrong in
            [String::new(), "token=".to_owned(), token(&world, user, "/elsewhere"), token(&world, stranger, &path)]
        {
            assert_eq!(ask(&world, route, &from_our_page(user), &wrong).status, 403, "{path} with {wrong:?}");
        }
    }
    assert!(world.desk.wishes().is_empty(), "nothing was wished for");
}

/// What of the first merchant no answer may tell.
const STRANGE: [&str; 4] = ["#1001", "Noon", "noon.myshopify", "5551234567"];

#[test]
fn what_is_out_of_scope_is_not_there() {
    let world = town();
    let places = ["{order}", "{document}", "{delivery}", "{merchant}", "{user}", "{token}", "{request}", "{mail}"];
    let mut met = 0;
    for (route, role) in pages().filter(|(route, _)| places.iter().any(|place| route.path.contains(place))) {
        for (who, headers) in strangers(&world, route, role) {
            let path = address(route);
            let body = body_of(&world, route, role, &path);
            let answer = send(&world, route, &path, &headers, &body);
            assert_eq!(answer.status, 404, "{} {path} as {who}: {}", route.method, answer.body);
            met += 1;
        }
    }
    assert!(met >= 50, "only {met} were asked for");
    assert_eq!(world.desk.all(), [Value::Null; 0], "nothing was wished for");
    for (route, role) in pages().filter(|(route, _)| route.method == Method::GET) {
        for (who, headers) in strangers(&world, route, role) {
            for path in [address(route), own_address(route)] {
                let body = send(&world, route, &path, &headers, "").body;
                for strange in STRANGE {
                    assert!(!body.contains(strange), "{path} tells {who} of {strange}: {body}");
                }
            }
        }
    }
}

/// What goes along with a form or a script, so that it is taken but for what is strange in it.
fn body_of(world: &World, route: &Route, role: Role, path: &str) -> String {
    match (is_api(route), &route.method) {
        (_, &Method::GET) => String::new(),
        (true, _) => "{\"items\":[]}".to_owned(),
        (false, _) => {
            token(world, limited(role), path) + "&role=viewer&name=x&days=30&note=x&cause=cancelled_but_paid&scope=only"
        }
    }
}

/// Fields that lead to a merchant, or to something of one: what is the first merchant's, what is nobody's, and what is the
/// second merchant's where that is taken as it is.
const LEADING: [(&str, &str, &str, Option<&str>); 5] = [
    ("merchant", "noon", "nobody", Some("souq")),
    ("order", "1", "99", Some("2")),
    ("q", "#1001", "#9009", Some("#2001")),
    ("cause", "unknown_product", "no_such_cause", Some("cancelled_but_paid")),
    ("about", "ab-1", "zz-9", None),
];

/// All others lead nowhere: words of ours, what is typed for people, and codes of the merchant whom the path names.
const PLAIN: &[&str] = &[
    // Filters and places in lists.
    "status",
    "state",
    "from",
    "to",
    "before",
    "after",
    "limit",
    "topic",
    "fate",
    "search",
    "client",
    // What a file of codes did, counted.
    "rows",
    "changed",
    "orders",
    // People and their secrets.
    "name",
    "role",
    "scope",
    "password",
    "current",
    "new",
    "again",
    "tokens",
    "days",
    "language",
    // What is noted and confirmed.
    "note",
    "confirm",
    // The merchant file.
    "domain",
    "slug",
    "zone",
    "secret",
    "address",
    "key",
    "store",
    "branch",
    "whose",
    "vendor",
    "more",
    "but",
    "strip",
    "add",
    "end",
    "ends",
    "barcode",
    "title",
    "rate",
    "included",
    "daftra",
    "shipping",
    "custom",
    "gift_card",
    "tip",
    "duty",
    "goodwill",
    "trigger",
    "price",
    "locked",
    "exchange",
    "gateway",
    "moment",
    "draft",
    "test_orders",
    "sources",
    "tags",
    "tolerance",
    "record",
    "method",
    "treasury",
    "refunds",
    "mode",
    // Mails, and who gets which.
    "kind",
    "recipient",
    "subject",
    "greeting",
    "closing",
    // The shop's API.
    "access",
    "since",
    // The mapping.
    "code",
    "product",
    "file",
    "items",
    "product_id",
];

/// Whether a wish is about something of the first merchant, or about everybody's.
fn is_strange(wish: &Value) -> bool {
    match wish {
        Value::Object(fields) => fields.iter().any(|(name, value)| match name.as_str() {
            "order_id" | "delivery_id" | "document" | "token_id" | "request_id" => *value == 1,
            "slug" | "merchant" | "merchants" => {
                value.is_null() && name == "slug" || value.to_string().contains("noon")
            }
            _ => is_strange(value),
        }),
        Value::Array(items) => items.iter().any(is_strange),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Sends these fields where the route would read them: in the query, in a form, or in JSON.
fn with(
    world: &World,
    route: &Route,
    role: Role,
    headers: &[(&'static str, String)],
    fields: &[(&str, &str)],
) -> Answer {
    let path = own_address(route);
    let written = || Serializer::new(String::new()).extend_pairs(fields).finish();
    let body = body_of(world, route, role, &path);
    if route.method == Method::GET {
        return send(world, route, &format!("{path}?{}", written()), headers, &body);
    }
    if is_api(route) {
        let mut said: Value = serde_json::from_str(&body).unwrap();
        said.as_object_mut().unwrap().extend(fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        return send(world, route, &path, headers, &said.to_string());
    }
    // The first of two fields of a name counts.
    let (token, rest) = body.split_once('&').unwrap();
    send(world, route, &path, headers, &format!("{token}&{}&{rest}", written()))
}

#[test]
fn a_field_that_names_what_is_out_of_scope_is_answered_as_if_it_were_not_there() {
    let world = town();
    let mut met = 0;
    for (route, role) in pages() {
        for (who, headers) in strangers(&world, route, role) {
            let line = format!("{} {} as {who}", route.method, route.path);
            for field in route.reads {
                let Some((name, strange, nobodys, own)) = LEADING.into_iter().find(|(name, ..)| name == field) else {
                    assert!(PLAIN.contains(field), "{line} reads {field}: does it lead to anything of a merchant?");
                    continue;
                };
                let answer = |value: &str| {
                    let answer = with(&world, route, role, &headers, &[(name, value)]);
                    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
                    // A page may say again what was typed.
                    let typed: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                    let same = |body: &str| body.replace(value, "…").replace(&typed, "…");
                    (answer.status, if is_number { answer.body } else { same(&answer.body) })
                };
                let (found, missing) = (answer(strange), answer(nobodys));
                assert_eq!(found, missing, "{line}: {name}={strange} is told from {name}={nobodys}");
                for other in STRANGE {
                    assert!(!found.1.contains(other), "{line}: {name} leads to {other}: {}", found.1);
                }
                // The same field is taken where it leads to what somebody may see, else all this proves nothing.
                if let (Some(own), true) = (own, role < Role::Owner) {
                    assert!(answer(own).0 < 400, "{line}: {name}={own} is {:?}", answer(own));
                }
                met += 1;
            }
            // And all at once, whether the route reads them or not.
            let all = LEADING.map(|(name, strange, ..)| (name, strange));
            let body = with(&world, route, role, &headers, &all).body;
            assert!(!body.contains("Noon") && !body.contains("noon.myshopify"), "{line}: {body}");
            let wishes = world.desk.all();
            assert!(!wishes.iter().any(is_strange), "{line}: {wishes:?}");
        }
    }
    assert!(met >= 25, "only {met} fields were tried");
}

#[test]
fn the_table_names_every_field_that_the_api_reads() {
    let world = town();
    let headers = script(world.add_token("olga", Role::Owner, None, 7));
    let known = |body: &str| -> BTreeSet<String> {
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        let names = problem["remedy"].as_str().and_then(|remedy| remedy.strip_prefix("use "));
        names.into_iter().flat_map(|names| names.split(", ")).map(str::to_owned).collect()
    };
    for (route, _) in pages().filter(|(route, _)| is_api(route)) {
        let path = address(route);
        let read: BTreeSet<String> = match route.method {
            Method::GET => known(&send(&world, route, &format!("{path}?xyz=1"), &headers, "").body),
            _ => ["{\"xyz\":1}", "{\"items\":[{\"xyz\":1}]}"]
                .into_iter()
                .flat_map(|body| known(&send(&world, route, &path, &headers, body).body))
                .collect(),
        };
        assert_eq!(read, route.reads.iter().map(|name| (*name).to_owned()).collect(), "{path}");
    }
}

#[test]
fn no_answer_can_be_framed_led_astray_or_made_to_run_a_script() {
    let world = town();
    for (route, role) in pages() {
        let (user, path) = (who(role), address(route));
        let body =
            token(&world, user, &path) + "&merchant=//evil.example&next=//evil.example&back=https://evil.example";
        let answer = ask(
            &world,
            route,
            &if is_api(route) { properly(&world, route, user).0 } else { from_our_page(user) },
            &body,
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        if let Some(location) = answer.header("location") {
            assert!(location.starts_with('/') && !location.starts_with("//"), "{path} leads to {location}");
            assert!(!location.contains("evil"), "{path} leads to {location}");
        }
        // The names of the order, its lines and its merchant are full of these; a file is no page.
        if !answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            continue;
        }
        let page = answer.body.replace("<script src=\"/static/", "");
        for markup in ["<script", "<b>", "<i>", "<u>", "<s>", "<em>", "<event>", " onerror", "javascript:"] {
            assert!(!page.contains(markup), "{path} has {markup}: {page}");
        }
    }
}

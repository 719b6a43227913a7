//! The API: its description against the routes and against real answers, its lists page by page, and what it refuses.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "api/schema.rs"]
mod schema;

mod process;
mod web_world;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpStream;

use hyper::Method;
use process::{DOMAIN, House, Running, WEBHOOK_SECRET, http, until};
use qantara::db::Db;
use qantara::db::class::Class;
use qantara::db::log::Status;
use qantara::db::order::State;
use qantara::db::scope::Scope;
use qantara::db::user::Role;
use qantara::sandbox::shop::cart::{Cart, Product};
use qantara::sandbox::shop::delivery::Sender;
use qantara::sandbox::shop::{Shop, ShopSetup};
use qantara::web::route::ROUTES;
use schema::Description;
use serde_json::{Value, json};
use web_world::{Answer, PASSWORD, World, basic};

const FILE: &str = include_str!("../src/web/api/openapi.json");

fn description() -> Description {
    Description(serde_json::from_str(FILE).unwrap())
}

/// Every operation: its method, its path and what is said of it.
fn operations(description: &Description) -> Vec<(String, String, Value)> {
    let paths = description.0["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let path = path.clone();
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, said)| (method.to_uppercase(), path.clone(), said)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

/// The operation that answers a request.
fn operation(description: &Description, line: &str) -> Value {
    let (method, address) = line.split_once(' ').unwrap();
    let given: Vec<&str> = address.split('?').next().unwrap().split('/').collect();
    let fits = |path: &str| {
        let wanted: Vec<&str> = path.split('/').collect();
        wanted.len() == given.len() && wanted.iter().zip(&given).all(|(want, got)| want.starts_with('{') || want == got)
    };
    let mut found = operations(description).into_iter().filter(|(known, path, _)| known == method && fits(path));
    found.next().unwrap_or_else(|| panic!("{line}: not described")).2
}

/// An answer must be one of those that its operation describes, down to the last field.
fn is_as_described(description: &Description, line: &str, answer: &Answer) -> Value {
    let said = operation(description, line);
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{line}: {}", answer.body));
    let responses = &said["responses"];
    let response = responses.get(answer.status.to_string()).unwrap_or(&responses["default"]);
    let kind = answer.header("content-type").unwrap();
    let schema = &description.resolved(response)["content"][kind]["schema"];
    assert!(!schema.is_null(), "{line}: {} {kind} is not described", answer.status);
    let faults = description.faults(schema, &body);
    assert!(faults.is_empty(), "{line} answers {body}:\n{}", faults.join("\n"));
    if answer.status != 200 {
        assert_eq!(kind, "application/problem+json", "{line}");
        assert_eq!(body["status"], answer.status, "{line}");
        let (file, place) = body["type"].as_str().unwrap().split_once('#').unwrap();
        assert_eq!(file, "/api/v1/openapi.json");
        let told = description.at(&format!("#{place}"))["description"].as_str().unwrap();
        assert!(told.starts_with(&answer.status.to_string()), "{line}: {told}");
        assert!(place.ends_with(body["code"].as_str().unwrap()));
    }
    body
}

#[test]
fn every_address_is_described_and_every_description_is_an_address() {
    let description = description();
    let described: BTreeMap<(String, String), String> = operations(&description)
        .into_iter()
        .map(|(method, path, said)| ((method, path), said["x-role"].as_str().unwrap().to_owned()))
        .collect();
    let is_api = |path: &str| path.starts_with("/api");
    let routes: BTreeMap<(String, String), String> = ROUTES
        .iter()
        .filter(|route| is_api(route.path))
        .map(|route| ((route.method.to_string(), route.path.to_owned()), route.role.unwrap().word().to_owned()))
        .collect();
    assert_eq!(described, routes);
    assert!(routes.len() > 10);
    for (method, path, said) in operations(&description) {
        let is_change = method == Method::POST.as_str();
        assert_eq!(said.get("x-idempotent").is_some_and(|is| is == true), is_change, "{path}");
        assert_eq!(said.get("security").is_some(), is_change, "{path}: changes want a token");
        let open: BTreeSet<&str> = path.split('/').filter(|part| part.starts_with('{')).collect();
        let named: BTreeSet<String> =
            parameters(&description, &said, "path").map(|name| format!("{{{name}}}")).collect();
        assert_eq!(open, named.iter().map(String::as_str).collect(), "{path}");
    }
}

fn parameters<'a>(description: &'a Description, said: &'a Value, place: &'a str) -> impl Iterator<Item = String> + 'a {
    let all = said["parameters"].as_array().into_iter().flatten();
    let all = all.map(|one| description.resolved(one)).filter(move |one| one["in"] == place);
    all.map(|one| one["name"].as_str().unwrap().to_owned())
}

#[test]
fn the_description_holds_together() {
    let description = description();
    // Every reference leads somewhere, and nothing is described that nobody answers.
    let mut used = BTreeSet::new();
    references(&description.0, &mut used);
    for reference in &used {
        description.at(reference);
    }
    for (kind, things) in description.0["components"].as_object().unwrap() {
        for name in things.as_object().unwrap().keys().filter(|_| kind != "securitySchemes" && kind != "responses") {
            assert!(used.contains(&format!("#/components/{kind}/{name}")), "{kind} {name} is not used");
        }
    }
    // What it gives as an example is one, and a checker that knows no fault would be none.
    let mappings = description.at("#/components/schemas/Mappings");
    let example = operation(&description, "POST /api/v1/merchants/x/mapping");
    let example = &example["requestBody"]["content"]["application/json"]["example"];
    assert_eq!(description.faults(mappings, example), Vec::<String>::new());
    for (place, wrong) in [("/items/0/code", json!(7)), ("/items/0/product_id", json!(0)), ("/items", json!(null))] {
        let mut example = example.clone();
        *example.pointer_mut(place).unwrap() = wrong;
        assert_eq!(description.faults(mappings, &example).len(), 1, "{place}");
    }
    let problem = &description.at("#/components/responses/refused")["content"]["application/problem+json"];
    assert_eq!(description.faults(&problem["schema"], &problem["example"]), Vec::<String>::new());
    let mut more = problem["example"].clone();
    more["more"] = true.into();
    assert_eq!(description.faults(&problem["schema"], &more), [".more: not described"]);
    // Its words are ours.
    let words = |pointer: &str| description.0.pointer(pointer).unwrap().clone();
    let schemas = "/components/schemas";
    assert_eq!(words("/components/parameters/state/schema/enum"), json!(State::ALL.map(State::word)));
    assert_eq!(words(&format!("{schemas}/Order/properties/state/enum")), json!(State::ALL.map(State::word)));
    assert_eq!(words(&format!("{schemas}/Order/properties/class/enum")), json!(Class::ALL));
    assert_eq!(words("/components/parameters/status/schema/enum"), json!(Status::ALL.map(Status::word)));
    assert_eq!(words(&format!("{schemas}/LogRow/properties/status/enum")), json!(Status::ALL));
    let documents = json!(qantara::domain::document::State::ALL);
    assert_eq!(words(&format!("{schemas}/Document/properties/state/enum")), documents);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A server of its own process, and a token of its owner.
struct Town<'a> {
    house: &'a House,
    server: Running,
    description: Description,
    authorization: String,
}

impl Town<'_> {
    fn ask(&self, line: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.server.text("listening")).unwrap();
        let mut headers = vec![("Authorization", self.authorization.as_str())];
        headers.extend((!body.is_empty()).then_some(("Content-Type", "application/json")));
        web_world::send(&mut stream, line, &headers, body);
        let answer = web_world::read(&mut stream);
        assert_eq!(answer.status, 200, "{line}: {}", answer.body);
        is_as_described(&self.description, line, &answer)
    }

    fn list(&self, address: &str) -> Value {
        self.ask(&format!("GET {address}"), "")["items"].clone()
    }
}

/// Everything with real processes, once: one order is settled, another is held for want of a product.
#[test]
fn the_api_answers_as_the_command_line_does() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let known = shop.sell(Product::samples(2).remove(0));
    let lamp = shop.sell(Product { sku: "LAMP-9".to_owned(), ..Product::samples(2).remove(0) });
    let url = format!("http://{}/webhook", server.text("listening"));
    for variant in [known, lamp] {
        let (_, deliveries) = shop.buy(&Cart::of(&[(variant, 2)]), "2026-11-21T09:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(Sender::new().send(&url, &deliveries[0], WEBHOOK_SECRET).unwrap(), 200);
    }
    let states =
        || house.ask(&["order", "list"]).as_array().unwrap().iter().map(|o| o["state"].clone()).collect::<Vec<_>>();
    until("one settled, one held", || states() == ["held", "settled"]);

    house.qantara(&["user", "add", "olga", "--role", "owner"]).write_stdin(PASSWORD).assert().success();
    let token = house.ask(&["token", "add", "nightly", "--user", "olga", "--role", "owner", "--days", "7"]);
    let secret = token["secret"].as_str().unwrap();
    let authorization = format!("Bearer {secret}");
    let town = Town { house: &house, server, description: description(), authorization };

    for (command, address) in [
        (&["merchant", "list"][..], "/api/v1/merchants"),
        (&["order", "list"], "/api/v1/orders"),
        (
            &["order", "list", "--state", "held", "--merchant", "wadi-home"],
            "/api/v1/orders?state=held&merchant=wadi-home",
        ),
        (&["order", "list", "--before", "2", "--limit", "1"], "/api/v1/orders?before=2&limit=1"),
        (&["log"], "/api/v1/log"),
        (&["log", "--status", "held"], "/api/v1/log?status=held"),
        (&["log", "--order", "#1001"], "/api/v1/log?order=1"),
        (&["hold", "list"], "/api/v1/holds"),
        (&["hold", "list", "--merchant", "wadi-home"], "/api/v1/holds?merchant=wadi-home"),
    ] {
        let said = house.ask(command);
        assert!(!said.as_array().unwrap().is_empty(), "{command:?} must have something to say");
        assert_eq!(town.list(address), said, "{address}");
    }
    assert_eq!(town.list("/api/v1/orders?q=1001"), json!([house.ask(&["order", "list"])[1]]));
    assert_eq!(town.list("/api/v1/orders?q=1001&state=held"), json!([]));
    for (command, address) in [
        (&["merchant", "show", "wadi-home"][..], "/api/v1/merchants/wadi-home"),
        (&["order", "show", "#1001"], "/api/v1/orders/1"),
        (&["order", "show", "#1002"], "/api/v1/orders/2"),
    ] {
        let (said, answered) = (house.ask(command), town.ask(&format!("GET {address}"), ""));
        assert_eq!(answered, said, "{address}");
        let told = answered.to_string();
        assert!(!told.contains(WEBHOOK_SECRET) && !told.contains(process::DAFTRA_KEY), "{told}");
    }
    assert_eq!(town.ask("GET /api/v1/openapi.json", ""), town.description.0);
    changes_are_made_once(&town, sandbox.text("control"));

    // What was done stands in the audit in the name of the token's owner.
    let db = Db::open(&house.path("data")).unwrap();
    let deeds = db.see(&Scope::All, |sight| sight.audit(None, 100)).unwrap();
    let retry = deeds.iter().find(|deed| deed.action == "order.retry" && deed.user.is_some()).unwrap();
    assert_eq!(retry.user.as_deref(), Some("olga"));
    assert_eq!((&retry.facts["via"], &retry.facts["by_token"]), (&json!("api"), &token["token"]));
    let count = |action: &str| deeds.iter().filter(|deed| deed.action == action).count();
    assert_eq!([count("merchant.pause"), count("merchant.resume"), count("mapping.import")], [1, 1, 1], "once each");
    let told = format!("{deeds:?}") + &town.server.stop().1;
    assert!(!told.contains(secret), "a token is kept and logged nowhere: {told}");
    let file = std::fs::read(house.path("data/qantara.db")).unwrap();
    assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()), "nor in the database");
}

fn changes_are_made_once(town: &Town<'_>, control: &str) {
    let house = town.house;
    let pause = "POST /api/v1/merchants/wadi-home/pause";
    let first = town.ask(pause, "");
    assert_eq!((&first["mode"], &first["changed"]), (&json!("paused"), &json!(["mode"])));
    let again = town.ask(pause, "{}");
    assert_eq!(again["changed"], json!([]), "once more is no change");
    assert_eq!(again, house.ask(&["merchant", "pause", "wadi-home"]));
    let resume = "POST /api/v1/merchants/wadi-home/resume";
    assert_eq!(town.ask(resume, "")["changed"], json!(["mode"]));
    assert_eq!(town.ask(resume, ""), house.ask(&["merchant", "resume", "wadi-home"]));

    for _ in 0..2 {
        let answered = town.ask("POST /api/v1/orders/1/retry", "");
        assert_eq!(answered, house.ask(&["order", "retry", "#1001"]));
    }
    let product = json!({ "name": "Lamp", "product_code": "OTHER-9", "unit_price": "129.95" });
    let id = http("POST", &format!("{control}/product"), Some(&product))["id"].clone();
    http("POST", &format!("{control}/stock"), Some(&json!({ "product_id": id, "store_id": 1, "quantity": "10" })));
    let map = "POST /api/v1/merchants/wadi-home/mapping";
    let rows = json!({ "items": [{ "code": "LAMP-9", "product_id": id, "note": "by script" }] });
    let first = town.ask(map, &rows.to_string());
    assert_eq!((&first["changed"], &first["orders"]), (&json!(1), &json!(1)));
    until("all settled", || {
        house.ask(&["order", "list"]).as_array().unwrap().iter().all(|order| order["state"] == "settled")
    });
    let again = town.ask(map, &rows.to_string());
    assert_eq!((&again["changed"], &again["orders"]), (&json!(0), &json!(0)), "once more is no change");
    let listed = town.list("/api/v1/merchants/wadi-home/mapping");
    assert_eq!(listed, house.ask(&["mapping", "list", "wadi-home"]));
    assert_eq!(town.ask(map, &json!({ "items": listed }).to_string())["changed"], 0, "what is read can be sent");
    let invoices = http("GET", &format!("{control}/books"), None)["invoices"].as_array().unwrap().len();
    assert_eq!(invoices, 2, "one for each order, however often it was asked for");
}

/// One merchant with an order; omar is an operator, and `token` is his.
fn world() -> (World, String) {
    let world = World::new();
    world.add_order();
    let token = world.add_token("omar", Role::Operator, None, 7);
    (world, token)
}

fn ask(world: &World, line: &str, authorization: &str, body: &str) -> Answer {
    world.send(line, &[("Authorization", authorization), ("Content-Type", "application/json")], body)
}

#[test]
fn lists_go_page_by_page_and_miss_nothing() {
    let (world, token) = world();
    world.sql(
        "insert into orders (merchant_id, remote_id, name, state, state_at, created_at)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 119)
         select 1, i, iif(i % 40, '#' || i, '#same'), 'settled', 0, 0 from n;
         insert into sync_log (at, merchant_id, order_id, status) select 1795165200000 + id, 1, id, 'success' from orders",
    );
    let description = description();
    for (address, expected) in [
        ("/api/v1/orders?limit=7", 120),
        ("/api/v1/orders?state=settled&merchant=noon", 119),
        ("/api/v1/orders?q=same&limit=1", 2),
        ("/api/v1/orders?q=same&limit=1&state=settled&merchant=noon", 2),
        ("/api/v1/log?limit=50", 123),
        ("/api/v1/log?q=%23110&limit=200", 1),
        ("/api/v1/log?status=success&from=2026-11-20&to=2026-11-20&limit=60", 121),
    ] {
        world.sql("delete from sync_log where status = 'duplicate'");
        let mut next = Some(address.to_owned());
        let mut seen = Vec::new();
        while let Some(address) = next {
            let line = format!("GET {address}");
            let page = is_as_described(&description, &line, &ask(&world, &line, &token, ""));
            let items = page["items"].as_array().unwrap();
            assert!(!items.is_empty(), "{address}: no page is empty but the only one");
            seen.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
            next = page["next"].as_str().map(str::to_owned);
            // What comes meanwhile is newer and moves nothing.
            world.sql("insert into sync_log (at, merchant_id, status) values (1795165300000, 1, 'duplicate')");
        }
        assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{address}: newest first, nothing twice: {seen:?}");
        assert_eq!(seen.len(), expected, "{address}");
    }
}

#[test]
fn mappings_go_page_by_page_by_code() {
    let (world, token) = world();
    world.sql(
        "insert into mapping (merchant_id, code, product_id)
         values (1, 'a&b=1', 7), (1, 'z', 7), (1, 'a', 7), (1, 'عطر', 7), (1, 'm', 7)",
    );
    let (description, mut seen) = (description(), Vec::new());
    let mut next = Some("/api/v1/merchants/noon/mapping?limit=2".to_owned());
    while let Some(address) = next {
        let line = format!("GET {address}");
        let page = is_as_described(&description, &line, &ask(&world, &line, &token, ""));
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["code"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, ["a", "a&b=1", "m", "z", "عطر"]);
}

#[test]
fn what_is_wrong_is_named() {
    let (world, token) = world();
    let description = description();
    let refused = |line: &str, body: &str| {
        let problem = is_as_described(&description, line, &ask(&world, line, &token, body));
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(422), &json!("refused")),
            "{line} {body}: {problem}"
        );
        problem
    };
    for (address, field) in [
        ("orders?limit=0", "limit"),
        ("orders?limit=201", "limit"),
        ("orders?limit=x", "limit"),
        ("orders?before=-1", "before"),
        ("orders?state=lost", "state"),
        ("orders?merchant=nobody", "merchant"),
        ("orders?limit=3&limit=4", "limit"),
        ("log?status=lost", "status"),
        ("log?from=yesterday", "from"),
        ("log?to=2026-13-01", "to"),
        ("log?order=x", "order"),
        ("holds?merchant=nobody", "merchant"),
    ] {
        let problem = refused(&format!("GET /api/v1/{address}"), "");
        assert_eq!(problem["field"], field, "{problem}");
        assert!(!problem["remedy"].as_str().unwrap().is_empty());
    }
    // Each address takes what is described, and nothing else.
    for (method, path, said) in operations(&description).into_iter().filter(|(method, ..)| method == "GET") {
        let address = path.replace("{merchant}", "noon").replace("{order}", "1");
        let known: Vec<String> = parameters(&description, &said, "query").collect();
        if said["x-role"] != "owner" && said["operationId"] != "describe" {
            let problem = refused(&format!("{method} {address}?nonsense=1"), "");
            assert_eq!(problem["field"], "nonsense");
            if !known.is_empty() {
                assert_eq!(problem["remedy"], format!("use {}", known.join(", ")), "{path}");
            }
        }
        for name in known {
            let value = match name.as_str() {
                "merchant" => "noon",
                "state" | "status" => "held",
                "from" | "to" => "2026-11-20",
                "limit" => "200",
                _ => "1",
            };
            let line = format!("{method} {address}?{name}={value}");
            assert_eq!(ask(&world, &line, &token, "").status, 200, "{line}");
        }
    }
    let map = "POST /api/v1/merchants/noon/mapping";
    for (body, field) in [
        ("", "body"),
        ("[]", "body"),
        ("{\"items\": 1}", "body"),
        ("{\"items\": [], \"next\": null}", "next"),
        ("{\"items\": [7]}", "items[0]"),
        ("{\"items\": [{\"code\": \"A\", \"product_id\": 1}, {\"code\": \"B\"}]}", "items[1].product_id"),
        ("{\"items\": [{\"code\": 7, \"product_id\": 1}]}", "items[0].code"),
        ("{\"items\": [{\"code\": \"A\", \"product_id\": -1}]}", "items[0].product_id"),
        ("{\"items\": [{\"code\": \"A\", \"product_id\": 1, \"note\": 2}]}", "items[0].note"),
        ("{\"items\": [{\"code\": \"A\", \"product_id\": 1, \"nota\": \"\"}]}", "items[0].nota"),
    ] {
        assert_eq!(refused(map, body)["field"], field, "{body}");
    }
    assert!(world.desk.wishes().is_empty(), "nothing was wished for");
    let problem = |line: &str, body: &str| {
        let answer = ask(&world, line, &token, body);
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap()["code"].clone(), answer)
    };
    let (status, code, answer) = problem("GET /api/v1/nothing", "");
    assert_eq!((status, code), (404, json!("not_found")));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let (status, code, answer) = problem("GET /api/v1/orders/1/retry", "");
    assert_eq!((status, code, answer.header("allow")), (405, json!("wrong_method"), Some("POST")));
    let (status, code, _) = problem("POST /api/v1/orders/1/retry", &"x".repeat(1024 * 1024 + 1));
    assert_eq!((status, code), (413, json!("too_large")));
    let headers = [("Authorization", token.as_str()), ("Content-Type", "text/plain")];
    let answer = world.send(map, &headers, "{\"items\": []}");
    assert_eq!(is_as_described(&description, map, &answer)["code"], "unsupported");
    let answer = world.send("GET /api/v1/orders", &[], "");
    let problem = is_as_described(&description, "GET /api/v1/orders", &answer);
    assert_eq!((&problem["status"], &problem["code"]), (&json!(401), &json!("sign_in")));
    assert!(answer.head.contains("Basic realm=") && answer.head.contains("Bearer realm="), "{}", answer.head);
}

#[test]
fn a_password_reads_and_a_token_changes() {
    let (world, token) = world();
    let description = description();
    let password = basic("omar", PASSWORD);
    let line = "GET /api/v1/orders/1";
    let (by_password, by_token) = (ask(&world, line, &password, ""), ask(&world, line, &token, ""));
    assert_eq!(is_as_described(&description, line, &by_password), is_as_described(&description, line, &by_token));
    // A browser sends the password by itself: what a page of strangers makes it send changes nothing.
    for (method, path, _) in operations(&description).into_iter().filter(|(method, ..)| method == "POST") {
        let line = format!("{method} {}", path.replace("{merchant}", "noon").replace("{order}", "1"));
        for kind in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
            let headers = [("Authorization", &*password), ("Content-Type", kind), ("Sec-Fetch-Site", "same-origin")];
            let problem = is_as_described(&description, &line, &world.send(&line, &headers, "{}"));
            assert_eq!(problem["code"], "token_needed", "{line}");
        }
    }
    assert!(world.desk.wishes().is_empty(), "nothing was wished for");
    let answer = ask(&world, "POST /api/v1/orders/1/retry", &token, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(world.desk.last().1, json!({ "order_retry": { "order_id": 1 } }));
    let wish = json!({ "items": [{ "code": "AB-1", "product_id": 7 }] }).to_string();
    assert_eq!(ask(&world, "POST /api/v1/merchants/noon/mapping", &token, &wish).status, 200);
    let rows = json!([{ "code": "AB-1", "product_id": 7, "note": "" }]);
    assert_eq!(world.desk.last().1, json!({ "mapping_import": { "slug": "noon", "rows": rows } }));
}

//! What is written to the log at its most talkative: no secret and nothing about a person, in text and in JSON; every line
//! of a request names it. And `healthcheck`, which asks the server that runs.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod process;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use process::{DAFTRA_KEY, DOMAIN, House, Running, WEBHOOK_SECRET, http, until};
use qantara::sandbox::shop::cart::{Cart, Product, Refund, Restock};
use qantara::sandbox::shop::delivery::{Delivery, Sender};
use qantara::sandbox::shop::{Shop, ShopSetup};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// What the shop knows of the sample buyer, and what opens anything.
fn secrets(deliveries: &[Delivery], token: &str) -> Vec<String> {
    let body: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    let mut all = vec![WEBHOOK_SECRET.to_owned(), DAFTRA_KEY.to_owned(), PASSWORD.to_owned(), token.to_owned()];
    all.push(STANDARD.encode(format!("ali:{PASSWORD}")));
    for path in [
        "/email",
        "/phone",
        "/contact_email",
        "/customer/email",
        "/customer/first_name",
        "/customer/last_name",
        "/billing_address/address1",
        "/shipping_address/address1",
        "/shipping_address/name",
        "/shipping_address/phone",
        "/shipping_address/zip",
    ] {
        all.extend(body.pointer(path).and_then(Value::as_str).filter(|text| text.len() > 2).map(str::to_owned));
    }
    assert!(all.len() >= 9, "the buyer has nothing to hide: {body}");
    all.extend(
        deliveries.iter().map(|delivery| qantara::sandbox::shop::delivery::sign(WEBHOOK_SECRET, &delivery.body)),
    );
    all
}

fn get(server: &Running, path: &str, authorization: Option<&str>) -> (u16, String, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
    let mut request = agent.get(format!("http://{}{path}", server.text("listening")));
    if let Some(value) = authorization {
        request = request.header("Authorization", value);
    }
    let mut answer = request.call().unwrap();
    let id = answer.headers().get("x-request-id").unwrap().to_str().unwrap().to_owned();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap(), id)
}

/// Everything that a server does in its life, at the level `trace`, and what it logged meanwhile. Returns what must not be
/// in it, too, and the ids of some requests.
fn a_whole_life(format: &str) -> (String, Vec<String>, Vec<String>) {
    let house = House::new();
    let config = std::fs::read_to_string(house.path("config.toml")).unwrap();
    let log = format!("[log]\nfilter = 'trace'\nformat = '{format}'\n");
    house.write("config.toml", &config.replace("[log]\nfilter = 'trace'\nformat = 'json'\n", &log));
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    house.ask(&["merchant", "add", house.merchant(sandbox.text("daftra"), "mode = 'live'").to_str().unwrap()]);

    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let shelf: Vec<_> = Product::samples(2).into_iter().map(|product| shop.sell(product)).collect();
    let placed: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
    let (order, mut deliveries) = shop.buy(&Cart::of(&[(shelf[0], 2)]), placed).unwrap();
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    deliveries.extend(shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), placed).unwrap());
    let url = format!("http://{}/webhook", server.text("listening"));
    assert_eq!(Sender::new().send(&url, &deliveries[0], "somebody-else's").unwrap(), 401);
    // Bad days of Daftra, whose answers quote what was sent.
    for kind in ["lose_answer", "error_after_saving", "unauthorized"] {
        let fault = json!({ "kind": kind, "method": "POST", "path_contains": "invoices", "times": 1 });
        http("POST", &format!("{}/fault", sandbox.text("control")), Some(&fault));
    }
    let broken = Delivery {
        body: b"{\"id\": 1, \"email\": \"leak@example.com\"}".to_vec(),
        webhook_id: "x".into(),
        ..deliveries[0].clone()
    };
    for delivery in deliveries.iter().chain([&broken]) {
        assert_eq!(Sender::new().send(&url, delivery, WEBHOOK_SECRET).unwrap(), 200);
    }
    house.qantara(&["user", "add", "ali", "--role", "owner"]).write_stdin(format!("{PASSWORD}\n")).assert().success();
    let token = house.ask(&["token", "add", "nightly", "--user", "ali", "--role", "operator", "--days", "9"]);
    let token = token["secret"].as_str().unwrap().to_owned();
    let basic = format!("Basic {}", STANDARD.encode(format!("ali:{PASSWORD}")));
    let pages = [
        "/",
        "/attention",
        "/alerts",
        "/log?q=%231001",
        "/orders/1",
        "/deliveries",
        "/deliveries/1/body",
        "/users",
        "/audit",
        "/nowhere",
    ];
    let mut ids = Vec::new();
    for path in pages {
        ids.push(get(&server, path, Some(&basic)).2);
    }
    assert_eq!(get(&server, "/", Some(&format!("Basic {}", STANDARD.encode("ali:wrong")))).0, 401);
    assert_eq!(get(&server, "/api/v1/orders", Some(&format!("Bearer {token}"))).0, 200);
    until("an order was looked at", || house.ask(&["order", "list"])[0]["state"] != "new");
    // The figures of a server with a neighbour: its clock is heard, and its calls are counted.
    until("a call was made", || get(&server, "/metrics", None).1.contains("qantara_account_clock_ahead_seconds{"));
    let figures = get(&server, "/metrics", None).1;
    assert!(figures.contains("qantara_daftra_call_duration_seconds_bucket{action="), "{figures}");
    assert!(figures.contains("qantara_intake_duration_seconds_count{outcome=\"kept\"}"), "{figures}");
    let mut secrets = secrets(&deliveries, &token);
    secrets.push("leak@example.com".into());
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(secrets.iter().all(|secret| !figures.contains(secret.as_str())), "{figures}");
    (log, secrets, ids)
}

#[test]
fn no_secret_and_nothing_about_a_person_is_logged_at_any_level() {
    for format in ["json", "text"] {
        let (log, secrets, ids) = a_whole_life(format);
        let lines = log.lines().count();
        assert!(lines >= 20, "only {lines} lines: {log}");
        for secret in &secrets {
            let found = log.lines().find(|line| line.contains(secret.as_str()));
            assert!(found.is_none(), "{secret} is in {found:?}");
        }
        // The request stands in each of its lines, whoever wrote them.
        for id in &ids {
            let named = match format {
                "json" => format!("\"request\":\"{id}\""),
                _ => format!("request={id}"),
            };
            assert!(log.lines().any(|line| line.contains(&named)), "{id} is in no line: {log}");
        }
    }
}

#[test]
fn healthcheck_asks_the_server_that_runs() {
    let house = House::new();
    let complaint = house.complaint(&["healthcheck"], 1);
    assert!(complaint.contains("http.listen is 127.0.0.1:0") && complaint.contains("name a port"), "{complaint}");
    let server = house.start(&["serve"]);
    let listening = server.text("listening").to_owned();
    let ask = |arguments: &[&str], listen: &str| {
        let mut command = house.qantara(arguments);
        command.env("QANTARA__HTTP__LISTEN", listen);
        command
    };
    ask(&["healthcheck"], &listening).assert().success().stdout("ok\n");
    ask(&["healthcheck", "--live"], &listening).assert().success();
    // Who listens everywhere is asked here.
    let everywhere = listening.replace("127.0.0.1", "0.0.0.0");
    let mut command = ask(&["healthcheck"], &everywhere);
    command.env("QANTARA__HTTP__ALLOW_PLAIN_HTTP", "true").assert().success();
    let mut full = ask(&["healthcheck"], &listening);
    full.assert().success();
    server.stop();
    let assert = ask(&["healthcheck"], &listening).assert().code(1);
    let complaint = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(complaint.contains("does not answer: is the server running?"), "{complaint}");
}

/// With a disk that never has enough room the server lives, and is not ready.
#[test]
fn healthcheck_fails_where_the_disk_is_too_full() {
    let house = House::new();
    house.configure("data", "min_free_bytes = 1099511627776");
    let server = house.start(&["serve"]);
    let ask = |arguments: &[&str]| {
        let mut command = house.qantara(arguments);
        command.env("QANTARA__HTTP__LISTEN", server.text("listening"));
        command
    };
    ask(&["healthcheck", "--live"]).assert().success();
    let assert = ask(&["healthcheck"]).assert().code(1);
    let complaint = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(complaint.contains("answers 503: the server's log says why it is not ready"), "{complaint}");
    let (_, log) = server.stop();
    assert!(log.contains("the disk is nearly full"), "{log}");
}

/// Its certificate is for another name, and signed by nobody whom anybody knows.
#[test]
fn healthcheck_does_not_judge_the_servers_own_certificate() {
    let house = House::new();
    let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let files: Vec<String> =
        std::fs::read_dir(tls).unwrap().map(|file| file.unwrap().path().display().to_string()).collect();
    let of = |what: &str| files.iter().find(|file| file.contains(what)).unwrap_or_else(|| panic!("{files:?}")).clone();
    house.configure(
        "http",
        &format!("certificate_file = '{}'\ncertificate_key_file = '{}'", of("server.pem"), of("server.key")),
    );
    let server = house.start(&["serve"]);
    let mut command = house.qantara(&["healthcheck"]);
    command.env("QANTARA__HTTP__LISTEN", server.text("listening")).assert().success().stdout("ok\n");
}

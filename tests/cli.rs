//! The command line from outside: real processes, a real server on a port of its own choice, a sandbox Daftra.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;

use jiff::Timestamp;
use process::{DAFTRA_KEY, DOMAIN, House, WEBHOOK_SECRET, http, until};
use qantara::sandbox::shop::cart::{Cart, Product};
use qantara::sandbox::shop::delivery::{Delivery, Sender};
use qantara::sandbox::shop::{Shop, ShopSetup};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// One order for two cushions, as the shop announces it.
fn order() -> Delivery {
    order_of(Product::samples(2).remove(0))
}

fn order_of(product: Product) -> Delivery {
    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let variant = shop.sell(product);
    let placed: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
    let (_, deliveries) = shop.buy(&Cart::of(&[(variant, 2)]), placed).unwrap();
    deliveries.into_iter().find(|delivery| delivery.topic == "orders/create").unwrap()
}

#[test]
fn an_order_goes_all_the_way_by_hand() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    let added = house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    assert_eq!((&added["mode"], &added["notes"]), (&json!("live"), &json!([])));

    let delivery = order();
    let url = format!("http://{}/webhook/wadi-home", server.text("listening"));
    assert_eq!(Sender::new().send(&url, &delivery, "somebody-else's").unwrap(), 401);
    for _ in 0..2 {
        assert_eq!(Sender::new().send(&url, &delivery, WEBHOOK_SECRET).unwrap(), 200);
    }
    house.until_settled();

    let books = http("GET", &format!("{}/books", sandbox.text("control")), None);
    let invoices = books["invoices"].as_array().unwrap();
    assert_eq!(invoices.len(), 1, "exactly one invoice: {books}");
    let story = house.ask(&["order", "show", "1001"]);
    assert_eq!(story["deliveries"][0]["repeats"], 1);
    assert_eq!(story["documents"][0]["daftra_id"], invoices[0]["id"]);
    assert_eq!(story["documents"][0]["total"], "259.90");
    assert_eq!(story["documents"][0]["state"], "posted");
    assert!(story["calls"].as_array().unwrap().iter().any(|call| call["action"] == "create" && call["status"] == 202));

    let told = house.words(&["order", "show", "#1001"]);
    for part in [
        "Order #1001 of wadi-home",
        "Settled since",
        "orders/create, repeated 1 times",
        "259.90 SAR",
        "(WH-1001-RED-XL): Daftra's product 1,",
        "Success",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert!(house.words(&["log", "--status", "success", "--order", "#1001"]).contains("Success"));
    assert!(house.words(&["merchant", "list"]).contains("1 settled"));

    let arguments = fs::read_to_string(format!("/proc/{}/cmdline", server.pid())).unwrap();
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!house.path("data/qantara.sock").exists(), "a stopped server leaves no socket");
    let lines =
        log.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(lines.map(|line| line["message"].clone()).next_back(), Some(json!("stopping")), "{log}");
    let shown =
        house.words(&["merchant", "show", "wadi-home"]) + &house.words(&["merchant", "show", "wadi-home", "--json"]);
    for text in [&arguments, &log, &told, &shown, &story.to_string()] {
        assert!(!text.contains(WEBHOOK_SECRET) && !text.contains(DAFTRA_KEY), "{text}");
    }
    let (status, _) = sandbox.stop();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_change_while_the_server_runs_shows_at_once() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    let merchant = house.merchant(sandbox.text("daftra"), "");
    let merchant = merchant.to_str().unwrap();
    house.complaint(&["merchant", "add", merchant], 1);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    let merchant = merchant.to_str().unwrap();
    house.ask(&["merchant", "add", merchant]);

    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let lamp = Product { sku: "LAMP-9".to_owned(), ..Product::samples(2).into_iter().next().unwrap() };
    let variant = shop.sell(lamp);
    let (_, deliveries) = shop.buy(&Cart::of(&[(variant, 1)]), "2026-11-21T09:00:00Z".parse().unwrap()).unwrap();
    let url = format!("http://{}/webhook", server.text("listening"));
    assert_eq!(Sender::new().send(&url, &deliveries[0], WEBHOOK_SECRET).unwrap(), 200);
    until("held", || house.ask(&["order", "list", "--state", "held"])[0]["state"] == "held");
    let story = house.words(&["order", "show", "1001"]);
    assert!(story.contains("looked for lamp-9"), "{story}");

    // What was missing is made, and one command is enough for the server to look again.
    let control = sandbox.text("control");
    let product = json!({ "name": "Lamp", "product_code": "LAMP-9", "unit_price": Decimal::new(12_995, 2) });
    let id = http("POST", &format!("{control}/product"), Some(&product))["id"].clone();
    let stock = json!({ "product_id": id, "store_id": 1, "quantity": "10" });
    http("POST", &format!("{control}/stock"), Some(&stock));
    house.qantara(&["order", "retry", "#1001", "--merchant", "wadi-home"]).assert().success();
    house.until_settled();

    // Pausing is known to the intake at once.
    house.ask(&["merchant", "pause", "wadi-home"]);
    let again = Delivery { webhook_id: "another".to_owned(), ..deliveries[0].clone() };
    assert_eq!(Sender::new().send(&url, &again, WEBHOOK_SECRET).unwrap(), 200);
    assert_eq!(house.ask(&["log", "--limit", "1"])[0]["status"], "paused");
    assert_eq!(house.ask(&["merchant", "resume", "wadi-home"])["mode"], "live");

    // A secret that is replaced no longer opens the door.
    house.write("webhook-secret", "the-next-secret");
    assert_eq!(house.ask(&["merchant", "set", merchant])["secrets"], json!(["webhook_secret"]));
    assert_eq!(Sender::new().send(&url, &again, WEBHOOK_SECRET).unwrap(), 401);
    assert_eq!(Sender::new().send(&url, &again, "the-next-secret").unwrap(), 200);

    house.qantara(&["user", "add", "ali", "--role", "owner"]).write_stdin("correct horse\n").assert().success();
    let page = |password: &str| {
        use base64::Engine as _;
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("ali:{password}"));
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let request = agent.get(format!("http://{}/", server.text("listening")));
        request.header("Authorization", format!("Basic {credentials}")).call().unwrap().status().as_u16()
    };
    assert_eq!((page("correct horse"), page("wrong horse")), (200, 401));
    house.qantara(&["user", "passwd", "ali", "--password-file", "-"]).write_stdin("another horse").assert().success();
    assert_eq!(page("another horse"), 200);
}

#[test]
fn a_second_server_is_refused_by_the_first_ones_process() {
    let house = House::new();
    let server = house.start(&["serve"]);
    let complaint = house.complaint(&["serve"], 1);
    assert!(complaint.contains(&format!("Another server (process {})", server.pid())), "{complaint}");
    let mode = fs::metadata(house.path("data/qantara.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the socket is the server's alone");
    assert_eq!(server.stop().0.code(), Some(0));
    // What a crash leaves behind is no obstacle.
    drop(house.start(&["serve"]));
    assert!(house.path("data/qantara.sock").exists());
    house.qantara(&["user", "add", "ali", "--role", "viewer"]).write_stdin("correct horse").assert().success();
    assert_eq!(house.start(&["serve"]).stop().0.code(), Some(0));
}

#[test]
fn the_service_manager_hears_when_it_serves_lives_and_stops() {
    let house = House::new();
    let socket = house.path("notices");
    let notices = UnixDatagram::bind(&socket).unwrap();
    let server = house.start_under(&["serve"], Some(&socket));
    let mut heard = String::new();
    let hear = |heard: &mut String| {
        let mut notice = [0; 256];
        let length = notices.recv(&mut notice).unwrap();
        *heard += std::str::from_utf8(&notice[..length]).unwrap();
    };
    while !(heard.contains("READY=1") && heard.contains("WATCHDOG=1")) {
        hear(&mut heard);
    }
    assert!(!heard.contains("STOPPING=1"));
    assert_eq!(server.stop().0.code(), Some(0));
    while !heard.contains("STOPPING=1") {
        hear(&mut heard);
    }
}

#[test]
fn a_moved_clock_never_leaves_this_machine() {
    let house = House::new();
    let merchant = house.merchant("https://wadi.daftra.com", "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let complaint = house.complaint(&["serve", "--clock-speed", "60"], 1);
    assert!(complaint.contains("Merchant \"wadi-home\" has the Daftra address https://wadi.daftra.com"), "{complaint}");

    // A merchant who moves away later is not called either.
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let here = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "set", here.to_str().unwrap()]);
    // Not even where the operator allows it otherwise (nobody has this address).
    let config = fs::read_to_string(house.path("config.toml")).unwrap();
    house.write("config.toml", &config.replace("'127.0.0.0/8'", "'127.0.0.0/8', '192.0.2.0/24'"));
    let server = house.start(&["serve", "--clock-speed", "60", "--clock-start", "2027-01-01T00:00:00Z"]);
    let away = house.merchant("https://192.0.2.1", "mode = 'live'");
    house.ask(&["merchant", "set", away.to_str().unwrap()]);
    let url = format!("http://{}/webhook", server.text("listening"));
    assert_eq!(Sender::new().send(&url, &order(), WEBHOOK_SECRET).unwrap(), 200);
    until("a failed call", || {
        let story = house.ask(&["order", "show", "#1001"]);
        story["calls"].as_array().unwrap().iter().any(|call| call["outcome"].is_string())
    });
    let story = house.ask(&["order", "show", "#1001"]);
    assert!(story["deliveries"][0]["received_at"].as_str().unwrap().starts_with("2027-01-01"), "{story}");
    assert!(story["calls"][0]["detail"].as_str().unwrap().contains("192.0.2.1 is not this machine"), "{story}");
    assert_eq!(story["documents"], json!([]));
}

#[test]
fn a_sandbox_is_as_it_is_asked_to_be_and_says_where_it_is_steered() {
    let house = House::new();
    let address = ["--listen", "127.0.0.1:0"];
    let wishes = ["--set", "requisitions=true", "--set", "language=ar", "--set", "list_lag_seconds=3"];
    let sandbox = house.start(&[&["sandbox"], &address[..], &wishes[..]].concat());
    let settings = http("GET", &format!("{}/settings", sandbox.text("control")), None);
    let set = ["requisitions", "language", "list_lag_seconds", "rounding"].map(|name| settings[name].clone());
    assert_eq!(set, [json!(true), json!("ar"), json!(3), json!("row")]);
    assert!(sandbox.text("help").ends_with("/control"));
    for (wrong, why) in
        [("requisition=true", "unknown field"), ("rounding=up", "unknown variant"), ("rounding", "KEY=VALUE")]
    {
        let complaint = house.complaint(&["sandbox", "--set", wrong], 2);
        assert!(complaint.contains(why), "{complaint}");
    }
    let complaint = house.complaint(&["sandbox", "--listen", "127.0.0.1:0", "--set", "time_zone=Moon/Sea"], 1);
    assert!(complaint.contains("The account cannot be like this: time_zone is 'Moon/Sea'"), "{complaint}");
}

#[test]
fn a_catch_up_is_tried_by_hand_with_a_shop_of_the_sandbox() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0", "--shop", DOMAIN]);
    let server = house.start(&["serve", "--shops-at", sandbox.text("listening")]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let control = format!("http://{}/control/shop/{DOMAIN}", sandbox.text("listening"));
    let buy = |sku: &str| {
        let cart = json!({"lines": [{"sku": sku, "quantity": 2}]});
        http("POST", &format!("{control}/buy"), Some(&cart))["name"].clone()
    };
    assert_eq!(buy("WH-2040"), "#1001");
    let shop = http("GET", &control, None);
    assert_eq!((&shop["orders"][0]["total"], shop["shelf"].as_array().unwrap().len()), (&json!("698.00"), 8));

    let name = DOMAIN.split('.').next().unwrap();
    let token = house.write("token", &format!("shpat_{name}"));
    house.ask(&["merchant", "api", "wadi-home", "--token-file", token.to_str().unwrap()]);
    let api = || house.ask(&["merchant", "api", "wadi-home"]);
    until("the shop was looked through", || api()["caught_up_at"].is_string());
    house.until_settled();
    buy("WH-3300");
    let before = api()["caught_up_at"].clone();
    let asked = house.words(&["catch-up", "wadi-home", "--since", "2026-01-01"]);
    assert!(asked.contains("(60 days)") && asked.contains("qantara merchant api wadi-home"), "{asked}");
    until("the shop was looked through again", || api()["caught_up_at"] != before);
    house.until_settled();
    let books = http("GET", &format!("{}/books", sandbox.text("control")), None);
    assert_eq!(books["invoices"].as_array().unwrap().len(), 2);
    let told = house.words(&["merchant", "api", "wadi-home"]);
    assert!(told.contains("not shown without the scope read_all_orders"), "{told}");
    drop((server.stop(), sandbox.stop()));
    let complaint = house.complaint(&["sandbox", "--listen", "127.0.0.1:0", "--shop", "wadi"], 1);
    assert!(complaint.contains("write it like wadi.myshopify.com"), "{complaint}");
}

#[test]
fn every_command_explains_itself() {
    let house = House::new();
    let everything: &[&[&str]] = &[
        &[],
        &["serve"],
        &["sandbox"],
        &["merchant"],
        &["merchant", "add"],
        &["merchant", "set"],
        &["merchant", "list"],
        &["merchant", "show"],
        &["merchant", "pause"],
        &["merchant", "resume"],
        &["mapping"],
        &["mapping", "set"],
        &["order"],
        &["order", "list"],
        &["order", "show"],
        &["order", "retry"],
        &["log"],
        &["user"],
        &["user", "add"],
        &["user", "passwd"],
        &["user", "list"],
        &["token"],
        &["token", "add"],
        &["token", "list"],
        &["token", "revoke"],
        &["healthcheck"],
        &["config"],
        &["config", "show"],
        &["config", "check"],
    ];
    for command in everything {
        let help = house.words(&[command, &["--help"][..]].concat());
        assert!(help.contains("Usage: qantara") && help.contains("--json"), "{command:?}: {help}");
    }
    assert!(house.words(&["--version"]).starts_with("qantara "));
    for wrong in [&["sever"][..], &["merchant", "add"], &["order", "list", "--state", "lost"], &["user", "add", "ali"]]
    {
        house.complaint(wrong, 2);
    }
    let state = house.complaint(&["order", "list", "--state", "lost"], 2);
    assert!(state.contains("write one of new, working"), "{state}");
}

#[test]
fn without_a_server_a_command_does_it_itself() {
    let house = House::new();
    let nothing = house.complaint(&["merchant", "list"], 1);
    assert!(nothing.contains("There is no database") && nothing.contains("qantara init"), "{nothing}");
    let merchant = house.merchant("https://wadi.daftra.com", "mode = 'live'");
    let said = house.qantara(&["merchant", "add", merchant.to_str().unwrap()]).assert().success();
    let said = String::from_utf8(said.get_output().stderr.clone()).unwrap();
    assert!(said.contains("A new master key is in"), "{said}");

    // What `show` prints is a file that changes nothing, and it can be piped.
    let file = house.words(&["merchant", "show", "wadi-home", "--toml"]);
    let set = house.qantara(&["merchant", "set", "-"]).write_stdin(file.clone()).assert().success();
    assert!(String::from_utf8_lossy(&set.get_output().stdout).contains("Nothing changed"));
    assert_eq!(house.words(&["merchant", "show", "wadi-home", "--toml"]), file);
    assert!(house.words(&["merchant", "add", "--example"]).contains("slug = \"wadi-home\""));

    let made = house.ask(&["merchant", "pause", "wadi-home"]);
    assert_eq!((&made["mode"], &made["changed"]), (&json!("paused"), &json!(["mode"])));
    assert!(house.complaint(&["merchant", "show", "nobody"], 1).contains("There is no merchant \"nobody\""));
    assert!(house.complaint(&["order", "show", "#9"], 1).contains("There is no order \"#9\""));
    house.qantara(&["user", "add", "ali", "--role", "viewer"]).write_stdin("correct horse").assert().success();
    assert_eq!(house.ask(&["user", "list"]), json!([{ "name": "ali", "role": "viewer", "disabled_at": null }]));

    // A new password ends the tokens, unless somebody says otherwise.
    let passwd = |more: &[&str]| {
        let arguments = [&["user", "passwd", "ali"], more].concat();
        let done = house.qantara(&arguments).write_stdin("battery staple").assert().success();
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    house.ask(&["token", "add", "weekly", "--user", "ali"]);
    assert!(!passwd(&["--keep-tokens"]).contains("Tokens"));
    assert_eq!(house.ask(&["token", "list"])[0]["name"], "weekly");
    assert!(passwd(&[]).contains("Tokens ended: weekly"));
    assert_eq!(house.ask(&["token", "list"]), json!([]));

    let made = house.ask(&["token", "add", "nightly", "--user", "ali", "--merchant", "wadi-home"]);
    let shown = house.words(&["token", "list"]);
    assert!(shown.contains("nightly") && shown.contains("wadi-home"), "{shown}");
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("qa_") && !shown.contains(secret), "shown once");
    let complaint = house.complaint(&["token", "add", "x", "--user", "ali", "--role", "owner"], 1);
    assert!(complaint.contains("choose viewer or less"), "{complaint}");
    assert!(house.words(&["token", "revoke", "2"]).contains("Token 2 opens nothing any more"));
    assert_eq!(house.ask(&["token", "list"]), json!([]));

    // The key that everything is sealed with is never made a second time.
    fs::rename(house.path("qantara.key"), house.path("elsewhere")).unwrap();
    let complaint = house.complaint(&["merchant", "resume", "wadi-home"], 1);
    assert!(complaint.contains("is missing") && complaint.contains("put the file back"), "{complaint}");
    assert!(!house.path("qantara.key").exists());
}

#[test]
fn the_files_of_a_merchant_are_named_when_they_are_wrong() {
    let house = House::new();
    let merchant = house.merchant("https://wadi.daftra.com", "mode = 'live'");
    let merchant = merchant.to_str().unwrap();
    let add = |code| house.complaint(&["merchant", "add", merchant], code);
    house.write("daftra-key", " \n");
    assert!(add(1).contains("daftra.key_file is") && add(1).contains("the file is empty"));
    fs::remove_file(house.path("daftra-key")).unwrap();
    assert!(add(1).contains("it cannot be read, name the right file"));
    house.write("daftra-key", DAFTRA_KEY);
    fs::set_permissions(house.path("daftra-key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(add(0).contains("can be read by others (mode 0644); run: chmod 600"));
    let wrong = house.write("wrong.toml", "slug = 'x'\nname = 3");
    let complaint = house.complaint(&["merchant", "add", wrong.to_str().unwrap()], 1);
    assert!(complaint.contains("wrong.toml is wrong: name is 3: write the merchant's name"), "{complaint}");
}

#[test]
fn the_configuration_is_shown_and_checked() {
    let house = House::new();
    assert!(house.words(&["config", "show"]).contains("daftra.pace_ms = 0  # file"));
    house.qantara(&["config", "check"]).assert().success();
    let found = house.qantara(&["config", "check", "--json"]).env("QANTARA__DATA__FOLDER", "/nowhere").assert().code(3);
    let found: Value = serde_json::from_slice(&found.get_output().stdout).unwrap();
    assert!(found["problems"][0].as_str().unwrap().contains("data.folder is /nowhere"), "{found}");
    house.write("config.toml", "[http]\nlisten = 8080\n");
    assert!(house.complaint(&["serve"], 2).contains("http.listen is 8080"));
    house.qantara(&["config", "check"]).assert().code(3);
}

#[test]
fn what_a_shop_calls_its_goods_does_not_steer_the_terminal() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let mut product = Product::samples(2).remove(0);
    product.title = "\u{1b}]0;owned\u{7}\u{9b}2JCushion\n  2026-01-01 00:00:00  Success  forged".to_owned();
    product.vendor = "\u{1b}[8m Wadi".to_owned();
    let url = format!("http://{}/webhook/wadi-home", server.text("listening"));
    assert_eq!(Sender::new().send(&url, &order_of(product), WEBHOOK_SECRET).unwrap(), 200);
    house.until_settled();
    let told = house.words(&["order", "show", "1001"]);
    assert!(told.contains("Cushion"), "{told:?}");
    for line in told.lines() {
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(!line.trim_start().starts_with("2026-01-01"), "{line:?}");
    }
    let complaint = house.complaint(&["order", "show", "\u{1b}[2J"], 1);
    assert!(!complaint.trim_end().contains(char::is_control), "{complaint:?}");
}

#[test]
fn an_order_can_be_named_even_if_its_number_is_the_name_of_another() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let setup = ShopSetup { first_order_number: 2, ..ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR") };
    let mut shop = Shop::new(setup);
    let cushion = shop.sell(Product::samples(2).remove(0));
    let url = format!("http://{}/webhook/wadi-home", server.text("listening"));
    for _ in 0..2 {
        let (_, deliveries) = shop.buy(&Cart::of(&[(cushion, 1)]), "2026-11-21T09:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(Sender::new().send(&url, &deliveries[0], WEBHOOK_SECRET).unwrap(), 200);
    }
    // #3 is our 2, and #2 our 1.
    let complaint = house.complaint(&["order", "show", "2", "--merchant", "wadi-home"], 1);
    let named = complaint.split(['(', ',', ')']).find(|part| part.contains("--merchant")).unwrap();
    let order: Vec<&str> = ["order", "show"].into_iter().chain(named.split_whitespace()).collect();
    assert_eq!(house.ask(&order)["order"]["merchant"], "wadi-home", "{complaint}");
}

#[test]
fn a_cause_is_told_once() {
    let house = House::new();
    let complaint = house.complaint(&["order", "list", "--config", "nowhere.toml"], 2);
    assert_eq!(complaint.matches("os error").count(), 1, "{complaint}");
}

/// One round of a person with a shell: what is held, why, and what is done about it.
#[test]
fn holds_are_listed_by_cause_and_released_by_a_mapping_file() {
    let house = House::new();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let server = house.start(&["serve"]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let lamp = Product { sku: "LAMP, \"9\"".to_owned(), ..Product::samples(2).into_iter().next().unwrap() };
    let variant = shop.sell(lamp);
    let url = format!("http://{}/webhook", server.text("listening"));
    for _ in 0..2 {
        let (_, deliveries) = shop.buy(&Cart::of(&[(variant, 1)]), "2026-11-21T09:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(Sender::new().send(&url, &deliveries[0], WEBHOOK_SECRET).unwrap(), 200);
    }
    until("held", || house.ask(&["order", "list", "--state", "held"]).as_array().unwrap().len() == 2);

    let causes = house.ask(&["hold", "list", "--merchant", "wadi-home"]);
    assert_eq!(causes.as_array().unwrap().len(), 1, "{causes}");
    assert_eq!((&causes[0]["cause"], &causes[0]["orders"]), (&json!("unknown_product"), &json!(2)));
    assert_eq!(causes[0]["examples"], json!(["#1002", "#1001"]));
    let told = house.words(&["hold", "list"]);
    assert!(told.contains("unknown_product") && told.contains("map the code to a product"), "{told}");
    let complaint = house.complaint(&["hold", "release", "locked"], 1);
    assert!(complaint.contains("no order is held for it"), "{complaint}");

    house.ask(&["hold", "dismiss", "1002", "--note", "booked by hand"]);
    until("dismissed", || house.ask(&["order", "show", "1002"])["order"]["class"] == "ignored");
    let story = house.words(&["order", "show", "1002"]);
    assert!(story.contains("by the command line: booked by hand"), "{story}");
    assert!(house.complaint(&["hold", "leave", "1002"], 1).contains("None of the invoices"), "nothing was deleted");

    let file = house.write("codes.csv", "code,product,note\r\n\"lamp, \"\"9\"\"\",1,\"a box, new\"\r\n\r\n");
    let import = || house.ask(&["mapping", "import", "wadi-home", file.to_str().unwrap()]);
    assert_eq!(import(), json!({ "merchant": "wadi-home", "rows": 1, "changed": 1, "orders": 1 }));
    until("invoiced", || house.ask(&["order", "show", "1001"])["order"]["class"] == "invoiced");
    let exported = house.words(&["mapping", "export", "wadi-home"]);
    assert_eq!(exported, "code,product,note\n\"lamp, \"\"9\"\"\",1,\"a box, new\"\n");
    house.write("codes.csv", &exported);
    assert_eq!(import()["changed"], 0, "what was exported changes nothing");
    assert!(house.words(&["mapping", "list", "wadi-home"]).contains("a box, new"));
    house.write("codes.csv", "lamp,one\n");
    assert!(
        house
            .complaint(&["mapping", "import", "wadi-home", file.to_str().unwrap()], 1)
            .contains("Row 1 has the product")
    );
    assert_eq!(house.words(&["hold", "list"]).trim(), "No order is held.");
    server.stop();
    sandbox.stop();
}

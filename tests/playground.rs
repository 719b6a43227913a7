//! `demo` as a browser sees it, without one: what is bought is booked, what is broken heals, and only its own pages press
//! its buttons. A real browser plays it in `tests/browser`.
#![expect(clippy::unwrap_used, reason = "a playground that cannot be opened fails")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use ureq::http::Response;

/// How often something is asked for that must become so; each time is a page made anew.
const PATIENCE: u32 = 20_000;

/// A playground at work.
struct Playground {
    child: Option<Child>,
    about: Value,
    agent: ureq::Agent,
}

impl Playground {
    fn open() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qantara"));
        let mut child = command.args(["demo", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let about = serde_json::from_str(&line).unwrap();
        let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).max_redirects(0).build();
        Self { child: Some(child), about, agent: config.new_agent() }
    }

    fn text(&self, key: &str) -> &str {
        self.about[key].as_str().unwrap()
    }

    fn site(&self) -> &str {
        self.text("shop").trim_end_matches("/shop")
    }

    fn get(&self, path: &str) -> Response<String> {
        read(self.agent.get(format!("{}{path}", self.site())).call())
    }

    /// Presses a button, with these headers.
    fn press_with(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> u16 {
        let request = self.agent.post(format!("{}{path}", self.site()));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        read(request.send(form)).status().as_u16()
    }

    /// As the playground's own page does.
    fn press(&self, path: &str, form: &str) {
        assert_eq!(self.press_with(path, form, &[("Sec-Fetch-Site", "same-origin")]), 303, "{path}");
    }

    fn page(&self, path: &str) -> String {
        let page = self.get(path);
        assert_eq!(page.status(), 200, "{path}: {}", page.body());
        page.into_body()
    }

    fn qantara(&self, path: &str) -> Response<String> {
        let (name, password) = (self.text("name"), self.text("password"));
        let url = self.text("qantara").replacen("http://", &format!("http://{name}:{password}@"), 1);
        read(self.agent.get(format!("{url}{path}")).call())
    }

    fn until(&self, path: &str, what: &str) {
        let mut seen = String::new();
        for _ in 0..PATIENCE {
            seen = plain(&self.page(path));
            if seen.contains(what) {
                return;
            }
        }
        panic!("it never came to this: {what}\n{seen}");
    }

    /// Every order is read back and settled: what happens in Daftra from now on is not seen by itself.
    fn until_at_rest(&self) {
        let moving = ["<li class=\"calm\"", "<li class=\"warn\""];
        for _ in 0..PATIENCE {
            let page = self.page("/shop");
            if !moving.iter().any(|word| page.contains(word)) {
                return;
            }
        }
        panic!("the orders never came to rest:\n{}", plain(&self.page("/shop")));
    }

    fn invoices(&self, account: &str) -> Vec<Value> {
        let url = format!("{}/acct/{account}/books", self.text("control"));
        let books: Value = serde_json::from_str(read(self.agent.get(url).call()).body()).unwrap();
        books["invoices"].as_array().unwrap().clone()
    }

    /// Sends a signal; gives whether it ended well.
    fn end(&mut self, signal: &str) -> bool {
        let mut child = self.child.take().unwrap();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap().success()
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.end("-TERM");
        }
    }
}

fn read(answer: Result<Response<ureq::Body>, ureq::Error>) -> Response<String> {
    let (head, mut body) = answer.unwrap().into_parts();
    Response::from_parts(head, body.read_to_string().unwrap())
}

/// What a person reads of a page.
fn plain(page: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in page.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            letter if !is_tag => text.push(letter),
            _ => {}
        }
    }
    text.replace("&amp;", "&")
}

#[test]
fn what_is_bought_is_booked_and_nothing_stays_behind() {
    let mut playground = Playground::open();
    playground.until("/line", "2 orders · 3 invoices · 0 held · 0 missing · 0 twice · killed 0 times");
    playground.press("/shop/buy/souq", "one=WH-3300");
    playground.until("/line", "3 orders · 4 invoices");
    let invoices = playground.invoices("one");
    assert_eq!((invoices.len(), &invoices[1]["totals"]["total"]), (2, &Value::from("15.75")), "{invoices:?}");
    playground.until("/shop", "Wadi Home: invoice 000095 in Daftra");
    playground.until("/daftra", "Coffee & date tray WH-3300999 (1000)");

    playground.press("/shop/buy/kuwait", "WH-3300=2&NJ-BKH-1=1&NJ-OUD-100=");
    playground.until("/daftra", "7.498 KWD");
    playground.press("/shop/buy/souq", "WH-3300=");
    playground.until("/shop", "Nothing is in the cart");

    let folder = playground.text("folder").to_owned();
    assert!(Path::new(&folder).exists());
    assert!(playground.end("-HUP"), "the terminal was closed");
    assert!(!Path::new(&folder).exists(), "{folder} stays behind");
}

#[test]
fn a_kill_during_the_call_ends_in_one_invoice_at_the_same_address() {
    let playground = Playground::open();
    playground.until("/line", "2 orders · 3 invoices");
    playground.press("/shop/break/kill-during-call", "");
    playground.until("/shop", "on: call it off");
    playground.press("/shop/buy/souq", "one=WH-2040");
    playground.until("/line", "killed 1 time");
    playground.until("/shop", "in doubt");
    assert_eq!(playground.invoices("one").len(), 2, "it had arrived");
    let home = playground.qantara("");
    assert_eq!(home.status(), 200, "the same address, and the same password");
    let policy = home.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with(&format!("; frame-src {}", playground.site())), "{policy}");
    assert!(home.body().contains(&format!("<iframe class=\"playground\" src=\"{}/line\"", playground.site())));
    playground.until("/shop", "Wadi Home: invoice 000095 in Daftra · story in Qantara");
    let rest = "3 orders · 4 invoices · 0 held · 0 missing · 0 twice · killed 1 time";
    playground.until("/line", rest);
    assert_eq!(playground.invoices("one").len(), 2, "looked for and found, not sent again");
}

#[test]
fn the_line_would_show_a_disaster() {
    let playground = Playground::open();
    playground.until("/line", "2 orders · 3 invoices · 0 held · 0 missing · 0 twice · killed 0 times");
    playground.until_at_rest();
    let daftra = playground.text("control").replace("/control", "");
    let post = |path: &str, body: &Value| {
        let request = playground.agent.post(format!("{daftra}{path}")).header("apikey", "key-one");
        let answer = read(request.send(body.to_string()));
        assert!(answer.status().is_success(), "{path}: {}", answer.body());
    };
    // A second invoice of the same order, as a hasty retry would make it.
    let first = &playground.invoices("one")[0];
    let head = serde_json::json!({
        "client_id": 1, "store_id": 1, "currency_code": "SAR", "date": "2026-11-21", "draft": false,
        "po_number": first["texts"]["po_number"],
    });
    let items = serde_json::json!([{ "item": "Again", "product_id": 2, "quantity": 1, "unit_price": 349 }]);
    post("/acct/one/api2/invoices", &serde_json::json!({ "Invoice": head, "InvoiceItem": items }));
    playground.until("/line", "2 orders · 4 invoices · 0 held · 0 missing · 1 twice");
    for invoice in playground.invoices("one") {
        let hand = serde_json::json!({ "do": "delete", "document": invoice["id"] });
        post("/control/acct/one/hand", &hand);
    }
    playground.until("/line", "2 orders · 2 invoices · 0 held · 1 missing · 0 twice");
}

#[test]
fn other_sites_press_no_buttons() {
    let playground = Playground::open();
    let (site, kill, buy) = (playground.site().to_owned(), "/shop/break/kill-now", "/shop/buy/souq");
    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "cross-site")],
        // Another port of this machine is the same site, and another origin.
        &[("Sec-Fetch-Site", "same-site"), ("Origin", &site)],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "http://127.0.0.1:1")],
        &[("Origin", "null")],
    ] {
        assert_eq!(playground.press_with(kill, "", headers), 403, "{headers:?}");
        assert_eq!(playground.press_with(buy, "one=WH-3300", headers), 403, "{headers:?}");
    }
    // A name that somebody pointed here is its own origin to a browser.
    let rebound = [("Host", "evil.example"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(playground.press_with(kill, "", &rebound), 421);
    let own = [("Sec-Fetch-Site", "same-origin")];
    for nothing in ["/shop/break/everything", "/shop/buy/elsewhere", "/shop/orders/1/burn", "/daftra"] {
        assert_eq!(playground.press_with(nothing, "", &own), 404, "{nothing}");
    }
    playground.until("/line", "2 orders · 3 invoices · 0 held · 0 missing · 0 twice · killed 0 times");
    assert_eq!(playground.press_with(buy, "one=WH-3300", &[("Origin", &site)]), 303, "an older browser");
    playground.until("/line", "3 orders");

    let policy = |path: &str| playground.get(path).headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy("/shop").ends_with("frame-ancestors 'none'"));
    let qantara = playground.text("qantara").trim_end_matches('/');
    assert!(policy("/line").ends_with(&format!("frame-ancestors {qantara}")), "{}", policy("/line"));
}

#[test]
fn a_server_in_earnest_shows_no_page_of_others() {
    let serve = |arguments: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("qantara").unwrap();
        let output = command.arg("serve").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for arguments in [
        &["--playground", "http://127.0.0.1:9"][..],
        &["--clock-speed", "1", "--playground", "http://shop.example"],
        &["--clock-speed", "1", "--playground", "http://192.0.2.1:80"],
        &["--clock-speed", "1", "--playground", "http://127.0.0.1:9; script-src *"],
    ] {
        let (code, complaint) = serve(arguments);
        assert_eq!(code, Some(1), "{complaint}");
        assert!(complaint.contains("--playground is http://"), "{complaint}");
    }
}

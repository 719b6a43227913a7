//! The pages of the merchants, against a real desk, a real engine and a fake Daftra: from five typed values to the first
//! invoice planned in shadow, and what is refused on the way.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;
mod web_world;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::stage::furnished;
use form_urlencoded::Serializer;
use jiff::Timestamp;
use qantara::clock::Clock;
use qantara::config::{Config, keys};
use qantara::daftra::client::{Client, Settings as Calls};
use qantara::db::merchant::{self, Merchant, Mode};
use qantara::db::order::State;
use qantara::db::user::{self, Role};
use qantara::db::{Context as _, Db, order, seen, shop_api};
use qantara::desk::account::Accounts;
use qantara::desk::office::Office;
use qantara::desk::{self, Person, Wish};
use qantara::domain::rules::{Trigger, Vendor, Vendors};
use qantara::engine::intake::{Intake, Received};
use qantara::engine::worker::Step;
use qantara::engine::{Engine, Settings};
use qantara::outgoing::{Limits, Outgoing};
use qantara::sandbox::daftra::{AccountSetup, ApiKey};
use qantara::sandbox::shop::cart::{Cart, Product};
use qantara::sandbox::shop::{Shop, ShopSetup};
use qantara::sandbox::{Server, World as Sandbox};
use qantara::shop::webhook::Headers;
use qantara::text::Lang;
use qantara::vault::{DataKey, MasterKey, Vault, hash_password};
use qantara::vitals::Vitals;
use qantara::vitals::disk::Disk;
use qantara::web::server::{self, Running};
use qantara::web::{self, Parts};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use web_world::{Answer, PASSWORD, basic, read, send};

const DOMAIN: &str = "wadi-home.myshopify.com";
const SECRET: &str = "a webhook secret that is long enough 7Q4z";
const KEY: &str = "c0ffee5ec2e7c0ffee5ec2e7c0ffee5ec2e7";

/// The whole server, but for threads that work by themselves: a test says when.
struct House {
    address: SocketAddr,
    db: Arc<Db>,
    engine: Arc<Engine>,
    running: Option<Running>,
    daftra: Server,
    clock: Clock,
    _folder: TempDir,
}

struct Door(Arc<Intake>);

impl web::Door for Door {
    fn receive(&self, slug: Option<&str>, headers: &[(String, String)], body: Vec<u8>) -> web::Received {
        let headers = Headers::read(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        match self.0.receive(slug, &headers, &body) {
            Received::Pending(kept) => web::Received::Pending(Box::pin(async { kept.await.map_err(drop) })),
            Received::NotAuthentic => web::Received::NotAuthentic,
            Received::Busy => web::Received::Busy,
        }
    }
}

struct Desk(Arc<Office>);

impl web::Desk for Desk {
    fn perform(&self, wish: Wish, by: Person) -> Result<Value, desk::Error> {
        self.0.perform(wish, by)
    }

    fn body(&self, _: i64, _: Person) -> Result<String, desk::Error> {
        unreachable!("no page of a merchant opens a delivery")
    }
}

impl House {
    fn new() -> Self {
        let clock = Clock::real();
        let setup = AccountSetup { name: "one".into(), keys: vec![ApiKey::full(KEY)], ..AccountSetup::default() };
        let mut sandbox = Sandbox::new(1);
        sandbox.add(furnished(setup, clock.now()));
        let of_sandbox = clock.clone();
        let daftra = Server::start(Arc::new(Mutex::new(sandbox)), move || of_sandbox.now()).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let db = Arc::new(Db::open(folder.path()).unwrap());
        let vault = Arc::new(Vault::new(MasterKey::create(&folder.path().join("key")).unwrap(), None));
        let way_out = keys::Outgoing { allow: vec!["127.0.0.0/8".parse().unwrap()], extra_ca_file: None };
        let patience = Duration::from_secs(20);
        let limits = Limits { call_timeout: patience, connect_timeout: patience, max_answer_bytes: 4 << 20 };
        let client = Client::new(Outgoing::new(&way_out).unwrap(), Calls { limits, page_size: 100 });
        let mut config = Config::default();
        config.daftra.pace_ms = 0;
        let vitals = Arc::new(Vitals::new(clock.clone(), Disk::of(folder.path(), 0)));
        let (books, measured) = (Arc::clone(&db), Arc::clone(&vitals));
        let engine = Engine::new(books, clock.clone(), measured, Arc::clone(&vault), client, Settings::new(&config));
        let intake = Arc::new(Intake::new(Arc::clone(&engine), Arc::new(DataKey::generate())).unwrap());
        let office = Arc::new(Office::new(Arc::clone(&engine), Arc::clone(&intake)));
        config.http.public_address = Some("https://bridge.example".into());
        let parts = Parts {
            config: Arc::new(config),
            db: Arc::clone(&db),
            vault,
            clock: clock.clone(),
            vitals,
            playground: None,
            door: Arc::new(Door(intake)),
            desk: Arc::new(Desk(Arc::clone(&office))),
            accounts: office as Arc<dyn Accounts>,
        };
        let running = server::start(parts, TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        let hash = hash_password(&SecretString::from(PASSWORD));
        db.write(move |tx| {
            for (name, role) in [("olga", Role::Owner), ("omar", Role::Operator), ("vera", Role::Viewer)] {
                user::add(tx, name, &hash, role, Timestamp::UNIX_EPOCH)?;
            }
            Ok(())
        })
        .unwrap();
        let address = running.address();
        Self { address, db, engine, running: Some(running), daftra, clock, _folder: folder }
    }

    fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        send(&mut stream, line, headers, body);
        read(&mut stream)
    }

    fn get(&self, path: &str, user: &str) -> Answer {
        self.send(&format!("GET {path}"), &[("Authorization", &basic(user, PASSWORD))], "")
    }

    /// Fills in the form that a page shows for this action, and presses its button.
    fn press(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page, "olga");
        assert_eq!(shown.status, 200, "{page}: {}", shown.body);
        let form =
            shown.body.split(&format!("method=\"post\" action=\"{action}\"")).nth(1).expect("the form is on the page");
        let token = form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let body = Serializer::new(String::new()).append_pair("token", token).extend_pairs(fields).finish();
        let login = basic("olga", PASSWORD);
        let headers = [
            ("Authorization", login.as_str()),
            ("Sec-Fetch-Site", "same-origin"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.send(&format!("POST {action}"), &headers, &body)
    }

    /// A form that is taken leads on; where to.
    fn on(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.press(page, action, fields);
        assert_eq!(answer.status, 303, "{action}: {}", answer.body);
        answer.header("location").unwrap().to_owned()
    }

    /// A form that is not taken is shown again with what is wrong.
    fn refused(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.press(page, action, fields);
        assert_eq!(answer.status, 422, "{action}: {}", answer.body);
        answer.body
    }

    fn begin(&self) {
        let fields = [("domain", DOMAIN), ("secret", SECRET), ("zone", "Asia/Riyadh")];
        let next = self.on("/merchants/new", "/merchants/new", &fields);
        assert_eq!(next, "/merchants/wadi-home/webhooks?said=saved");
    }

    fn daftra(&self) -> String {
        format!("http://{}/acct/one", self.daftra.address())
    }

    fn connect(&self) {
        let here = "/merchants/wadi-home/daftra";
        self.on(here, here, &[("address", &format!("{}/", self.daftra())), ("key", KEY)]);
        let next = self.on(here, "/merchants/wadi-home/places", &[("store", "1"), ("client", "15")]);
        assert_eq!(next, "/merchants/wadi-home/vendors?said=saved");
    }

    fn merchant(&self) -> Merchant {
        self.db.read(|c| merchant::by_slug(c, "wadi-home")).unwrap().unwrap()
    }

    /// An order of the shop comes in, as Shopify sends it.
    fn order(&self) {
        let mut shop = Shop::new(ShopSetup::new(DOMAIN, SECRET, "SAR"));
        let product = Product::samples(2).remove(0);
        let variant = shop.sell(product);
        let (_, deliveries) = shop.buy(&Cart::of(&[(variant, 2)]), self.clock.now()).unwrap();
        for delivery in deliveries {
            let headers = delivery.headers(SECRET);
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let body = String::from_utf8(delivery.body).unwrap();
            assert_eq!(self.send("POST /webhook/wadi-home", &headers, &body).status, 200);
        }
    }

    fn work(&self) {
        while matches!(self.engine.chore_once(), Step::Done) {}
        while matches!(self.engine.work_once(), Step::Done) {}
    }

    fn states(&self) -> Vec<State> {
        let orders = self.db.read(|c| order::list(c, order::Filter::default(), 10)).unwrap();
        orders.into_iter().map(|order| order.state).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.wait();
        }
    }
}

#[test]
fn five_typed_values_lead_to_the_first_invoice_in_shadow() {
    let house = House::new();
    house.begin();
    assert_eq!(house.merchant().mode, Mode::Paused);
    let waiting = house.get("/merchants/wadi-home/webhooks", "olga").body;
    assert!(waiting.contains("Waiting for the first signed delivery"), "{waiting}");
    assert!(waiting.contains("https://bridge.example/webhook/wadi-home"));
    assert!(waiting.contains("data-live-ms"), "it looks by itself");
    house.order();
    let arrived = house.get("/merchants/wadi-home/webhooks", "olga").body;
    assert!(arrived.contains("Deliveries arrive") && !arrived.contains("data-live-ms"), "{arrived}");

    // The account's own taxes are the map, for no two of them have a rate.
    house.connect();
    let taxes = house.merchant().rules.taxes;
    assert_eq!(taxes.iter().map(|rule| (rule.daftra_id, rule.included)).collect::<Vec<_>>(), [(1, false), (2, true)]);

    // The vendor on the order that came in meanwhile.
    let vendors = house.get("/merchants/wadi-home/vendors", "olga").body;
    let name = vendors.split("name=\"vendor\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(vendors.contains("Nobody&#39;s") || vendors.contains("Nobody's"), "{vendors}");
    let here = "/merchants/wadi-home/vendors";
    house.on(here, here, &[("whose", "some"), ("vendor", &name)]);

    let here = "/merchants/wadi-home/live";
    assert!(!house.get(here, "olga").body.contains("Go live</button>"), "shadow comes first");
    house.on(here, here, &[("mode", "shadow")]);
    house.work();
    assert_eq!(house.states(), [State::Shadow]);
    let ready = house.get(here, "olga").body;
    assert!(ready.contains("Go live</button>") && !ready.contains("still to do"), "{ready}");
    // Somebody else may have invoiced its orders: that is looked for first.
    house.on(here, "/merchants/wadi-home/cut-over", &[]);
    house.work();
    assert!(house.get(here, "olga").body.contains("None was found."));
    house.on(here, here, &[("mode", "live"), ("from", "2026-01-01T00:00")]);
    let live = house.merchant();
    // Midnight in Riyadh.
    assert_eq!((live.mode, live.live_from), (Mode::Live, Some("2025-12-31T21:00:00Z".parse().unwrap())));
}

#[test]
fn no_page_shows_a_secret_back() {
    let house = House::new();
    house.begin();
    house.connect();
    for step in ["", "/shop", "/webhooks", "/daftra", "/vendors", "/codes", "/taxes", "/policies", "/payments", "/live"]
    {
        let page = house.get(&format!("/merchants/wadi-home{step}"), "olga");
        assert_eq!(page.status, 200, "{step}");
        assert!(!page.body.contains(SECRET) && !page.body.contains(KEY), "{step}");
    }
    // Enough to tell two apart.
    assert!(house.get("/merchants/wadi-home/shop", "olga").body.contains("…7Q4z"));
}

#[test]
fn a_domain_for_customers_is_refused_with_the_way_to_the_permanent_one() {
    let house = House::new();
    for domain in ["wadi-home.com", "www.wadi-home.com", "wadi-home"] {
        let page = house.refused("/merchants/new", "/merchants/new", &[("domain", domain), ("zone", "Asia/Riyadh")]);
        assert!(
            page.contains("This is an address for customers") && page.contains(&format!("value=\"{domain}\"")),
            "{page}"
        );
    }
    assert_eq!(house.db.read(merchant::all).unwrap().len(), 0);
    // As pasted from the browser.
    let fields = [("domain", "https://Wadi-Home.myshopify.com/"), ("zone", "Asia/Riyadh")];
    house.on("/merchants/new", "/merchants/new", &fields);
    assert_eq!((house.merchant().shop_domain.as_str(), house.merchant().name.as_str()), (DOMAIN, "Wadi Home"));
}

/// The field that is marked, and what stands beside it.
fn complaint(page: &str) -> (&str, &str) {
    let (before, rest) = page
        .split_once(" aria-invalid=\"true\" aria-describedby=\"wrong\" autofocus")
        .unwrap_or_else(|| panic!("{page}"));
    let field = before.rsplit(" name=\"").next().unwrap().trim_end_matches('"');
    assert!(rest.contains("</label>"));
    let (_, text) = before.split_once("<p class=\"wrong\" id=\"wrong\" role=\"alert\">").unwrap();
    let (text, label) = text.split_once("</p>").unwrap();
    assert!(label.starts_with("<label"), "the field comes right after it: {label}");
    (field, text)
}

/// Page, form, what is typed; the field that is marked, and what still stands there.
type Sent<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn what_is_wrong_stands_beside_its_field_and_what_was_typed_stays() {
    let house = House::new();
    house.begin();
    house.connect();
    let here = |step: &str| format!("/merchants/wadi-home/{step}");
    let (shop, daftra, vendors) = (here("shop"), here("daftra"), here("vendors"));
    let (policies, long) = (here("policies"), "what to know ".repeat(99));
    house.order();
    let nowhere = format!("{}/", house.daftra());
    let (secret, close) = (here("secret"), here("close"));
    let forms: [Sent<'_>; 9] = [
        (
            "/merchants/new",
            "/merchants/new",
            &[("domain", "wadi.com"), ("name", "<Wadi>")],
            "domain",
            "value=\"&lt;Wadi&gt;\"",
        ),
        (&shop, &shop, &[("domain", DOMAIN), ("name", "New"), ("zone", "Asia/Nowhere")], "zone", "value=\"New\""),
        (&shop, &secret, &[("secret", "")], "secret", ""),
        (&daftra, &daftra, &[("address", &nowhere), ("key", "another")], "key", &house.daftra()),
        (&daftra, &daftra, &[("address", "not an address"), ("key", KEY)], "address", "value=\"not an address\""),
        (&vendors, &vendors, &[("whose", "some"), ("but", "Acme")], "more", "value=\"some\" checked"),
        ("/orders/1", "/orders/1/note", &[("note", &long)], "note", long.trim()),
        (&policies, &policies, &[("tolerance", "much"), ("tags", "vip")], "tolerance", "value=\"much\""),
        ("/merchants/wadi-home", &close, &[("confirm", "wadi")], "confirm", ""),
    ];
    for (page, action, fields, field, kept) in forms {
        let page = house.refused(page, action, fields);
        let (marked, said) = complaint(&page);
        assert!(marked == field && said.len() > 10, "{action}: {marked}: {said}");
        assert!(page.contains(kept), "{action}: {kept}: {page}");
        assert_eq!(page.matches("role=\"alert\"").count(), 1, "{action}: said once");
        assert!(!page.contains(SECRET) && !page.contains(KEY), "{action}: no secret comes back");
    }
}

#[test]
fn a_key_that_nobody_answers_to_is_not_stored() {
    let house = House::new();
    house.begin();
    let (here, words) = ("/merchants/wadi-home/daftra", Lang::En.merchants());
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, key, wrong) in [
        (house.daftra(), "another key", words.bad_key),
        (format!("http://{elsewhere}"), KEY, words.unreached),
        ("not an address".to_owned(), KEY, words.no_address),
    ] {
        let page = house.refused(here, here, &[("address", &address), ("key", key)]);
        assert!(page.replace("&#39;", "'").contains(wrong), "{wrong}: {page}");
    }
    assert_eq!(house.merchant().account_id, None);
}

#[test]
fn what_is_missing_stops_the_start_and_not_the_deliveries() {
    let house = House::new();
    house.begin();
    house.order();
    house.work();
    assert_eq!(house.states(), [State::New]);
    let page = house.get("/merchants/wadi-home/live", "olga").body;
    assert!(page.contains("Still missing") && !page.contains("<button>Start in shadow"), "{page}");
    let list = house.get("/merchants", "vera").body;
    assert!(list.contains("Being set up") && !list.contains("/merchants/new"), "{list}");
    // Of the pages only the one at a glance is for those who change nothing.
    assert_eq!(house.get("/merchants/wadi-home", "vera").status, 200);
    assert_eq!(house.get("/merchants/wadi-home/shop", "omar").status, 403);
}

#[test]
fn the_secret_page_says_when_each_was_used_last() {
    let house = House::new();
    house.begin();
    let here = "/merchants/wadi-home/shop";
    let page = || house.get(here, "olga").body;
    assert!(page().contains("no delivery was signed with it yet"));
    house.order();
    assert!(page().contains("last used <time"), "{}", page());
    let (action, rotated) = ("/merchants/wadi-home/secret", "another webhook secret that is long 9XyZ");
    house.on(here, action, &[("secret", rotated)]);
    let both = page();
    assert!(both.contains("…9XyZ") && both.contains("…7Q4z") && both.contains("Keep the previous secret"), "{both}");
    // Three hours ago the old one was used for the last time, and just now the new one.
    let later = "update credential set used_at = used_at - 3 * 3600000 where slot = 'previous';
                 update credential set used_at = (select used_at + 3 * 3600000 from credential where slot = 'previous') where slot = 'current' and kind = 'webhook_secret'";
    house.db.write(move |tx| tx.execute_batch(later).during("let time pass")).unwrap();
    assert!(page().contains("the previous one can be forgotten"), "{}", page());
}

#[test]
fn policies_are_stored_as_they_were_chosen() {
    let house = House::new();
    house.begin();
    let here = "/merchants/wadi-home/policies";
    assert_eq!(every_choice(Lang::En), every_choice(Lang::Ar));
    for (name, word) in every_choice(Lang::En) {
        house.on(here, here, &[(name, word), ("sources", "pos\r\n market ")]);
        let page = house.get(here, "olga").body;
        assert!(page.contains(&format!("name=\"{name}\" value=\"{word}\" checked")), "{name} = {word}");
    }
    assert_eq!(house.merchant().rules.ignored_sources, ["market".to_owned(), "pos".to_owned()].into());
    let page = house.refused(here, here, &[("tolerance", "a little")]);
    assert!(page.contains("whole number"), "{page}");
}

fn every_choice(lang: Lang) -> Vec<(&'static str, &'static str)> {
    let words = lang.policies();
    let three = [
        ("trigger", &words.trigger),
        ("shipping", &words.shipping),
        ("custom", &words.custom),
        ("gift_card", &words.gift_card),
        ("tip", &words.tip),
        ("duty", &words.duty),
        ("goodwill", &words.goodwill),
    ];
    let two =
        [("draft", &words.draft), ("price", &words.price), ("locked", &words.locked), ("exchange", &words.exchange)];
    let of_three = three.into_iter().flat_map(|(name, one)| one.choices.iter().map(move |one| (name, one.word)));
    of_three
        .chain(two.into_iter().flat_map(|(name, one)| one.choices.iter().map(move |one| (name, one.word))))
        .collect()
}

#[test]
fn closing_wants_the_short_name_and_frees_the_vendors() {
    let house = House::new();
    house.begin();
    house.connect();
    let vendors = "/merchants/wadi-home/vendors";
    house.on(vendors, vendors, &[("whose", "some"), ("more", "Wadi\nNajd")]);
    let (here, action) = ("/merchants/wadi-home", "/merchants/wadi-home/close");
    let page = house.refused(here, action, &[("confirm", "wadi")]);
    assert!(page.contains("nothing was closed"), "{page}");
    house.on(here, action, &[("confirm", "wadi-home")]);
    assert_eq!(house.merchant().mode, Mode::Closed);
    assert_eq!(house.db.read(|c| merchant::vendors_of_shop(c, DOMAIN)).unwrap(), []);
    assert_eq!(house.get("/merchants/wadi-home/shop", "olga").status, 404, "what is closed does not change");
    assert_eq!(house.get(here, "vera").status, 200);
    assert!(!house.get(here, "omar").body.contains("/open\""), "an owner opens");
    house.on(here, "/merchants/wadi-home/open", &[]);
    assert_eq!(house.merchant().mode, Mode::Paused);
    assert!(house.get(here, "olga").body.contains("action=\"/merchants/wadi-home/close\""));
}

#[test]
fn opening_again_says_what_belongs_to_others_by_now() {
    let house = House::new();
    house.begin();
    house.connect();
    let here = "/merchants/wadi-home";
    let vendors = "/merchants/wadi-home/vendors";
    house.on(vendors, vendors, &[("whose", "some"), ("more", "Wadi\nعطور\nNajd")]);
    house.on(here, "/merchants/wadi-home/close", &[("confirm", "wadi-home")]);
    // Another merchant of the same shop takes two of the three.
    let fields = [("domain", DOMAIN), ("name", "Najd"), ("slug", "najd"), ("secret", SECRET), ("zone", "Asia/Riyadh")];
    house.on("/merchants/new", "/merchants/new", &fields);
    house.on("/merchants/najd/vendors", "/merchants/najd/vendors", &[("whose", "some"), ("more", "najd\nعطور")]);
    assert!(house.get(here, "olga").body.contains("Only if the shop signs with another webhook secret"));
    let answer = house.press(here, "/merchants/wadi-home/open", &[]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    for expected in ["belong to other merchants", "<bdi>عطور</bdi>", "<bdi>najd</bdi>", "href=\"/merchants/najd\""]
    {
        assert!(answer.body.contains(expected), "{expected}: {}", answer.body);
    }
    assert!(!answer.body.contains("<bdi>wadi</bdi>"), "that one is still its own: {}", answer.body);
    assert_eq!(house.merchant().rules.vendors, Vendors::Only([Vendor::new("wadi")].into()));

    // The same in Arabic, where all lines are another's.
    house.on("/merchants/najd", "/merchants/najd/close", &[("confirm", "najd")]);
    house.on(vendors, vendors, &[("whose", "all")]);
    house.on(here, "/merchants/wadi-home/close", &[("confirm", "wadi-home")]);
    house.on("/merchants/najd", "/merchants/najd/open", &[]);
    let speak = "update user set language = 'ar' where name = 'olga'";
    house.db.write(move |tx| tx.execute_batch(speak).during("speak Arabic")).unwrap();
    let answer = house.press(here, "/merchants/wadi-home/open", &[]);
    let words = Lang::Ar.merchants();
    for expected in [words.opened_without, words.vendor_of, words.all_lines, "dir=\"ltr\">najd</bdi>"] {
        assert!(answer.body.contains(expected), "{expected}: {}", answer.body);
    }
}

#[test]
fn a_secret_that_another_shop_took_is_replaced_when_a_merchant_is_opened() {
    let house = House::new();
    house.begin();
    let (here, open) = ("/merchants/wadi-home", "/merchants/wadi-home/open");
    house.on(here, "/merchants/wadi-home/close", &[("confirm", "wadi-home")]);
    let other = [("domain", "najd.myshopify.com"), ("slug", "najd"), ("secret", SECRET), ("zone", "Asia/Riyadh")];
    house.on("/merchants/new", "/merchants/new", &other);
    let page = house.refused(here, open, &[("secret", "")]);
    assert!(page.contains("has the same secret by now") && page.contains("name=\"secret\""), "{page}");
    assert!(house.refused(here, open, &[("secret", SECRET)]).contains("give each shop an app of its own"));
    let speak = "update user set language = 'ar' where name = 'olga'";
    house.db.write(move |tx| tx.execute_batch(speak).during("speak Arabic")).unwrap();
    let page = house.refused(here, open, &[("secret", "")]);
    assert!(page.contains("في متجر آخر السرّ نفسه") && page.contains("اكتب سرًّا جديدًا"), "{page}");
    assert_eq!(house.merchant().mode, Mode::Closed);
    let next = "another webhook secret that is long 8R5a";
    let answer = house.press(here, open, &[("secret", next)]);
    assert!(answer.status == 303 && !answer.body.contains(next), "{}", answer.body);
    assert_eq!(house.merchant().mode, Mode::Paused);
}

#[test]
fn whoever_is_limited_sees_their_merchants_only() {
    let house = House::new();
    house.begin();
    let limit = "update user set limited = 1";
    house.db.write(move |tx| tx.execute_batch(limit).during("limit everybody")).unwrap();
    assert!(!house.get("/merchants", "olga").body.contains("Wadi Home"));
    assert_eq!(house.get("/merchants/new", "olga").status, 403, "they would not see the one they made");
    for step in ["", "/shop", "/webhooks", "/daftra", "/vendors", "/codes", "/taxes", "/policies", "/payments", "/live"]
    {
        assert_eq!(house.get(&format!("/merchants/wadi-home{step}"), "olga").status, 404, "{step}");
    }
}

#[test]
fn rules_for_codes_are_stored_and_show_what_is_looked_for() {
    let house = House::new();
    house.begin();
    house.order();
    let here = "/merchants/wadi-home/codes";
    let sku = house.db.read(|c| seen::recent(c, 1)).unwrap().skus.keys().next().unwrap().clone();
    let prefix = sku.split('-').next().unwrap().to_owned() + "-";
    let before = house.get(here, "olga").body;
    assert!(before.contains(&sku) && before.contains("name=\"end\" value=\"-\" checked"), "{before}");
    let fields = [
        ("strip", &*format!("{prefix}\r\n\r\n")),
        ("add", " X- "),
        ("end", "blank"),
        ("end", "_"),
        ("ends", "+ #"),
        ("barcode", "yes"),
    ];
    house.on(here, here, &fields);
    let rules = house.merchant().rules.sku;
    assert_eq!(
        (rules.strip_prefixes.as_slice(), rules.add_prefix.as_str(), rules.is_barcode),
        (&[prefix.clone()][..], "X-", true)
    );
    assert_eq!(rules.separators, [' ', '_', '+', '#'].into());
    let after = house.get(here, "olga").body;
    let known = |code: String| after.contains(&format!("dir=\"ltr\">{}</bdi>", code.to_lowercase()));
    assert!(known(format!("X-{sku}")) && known(sku[prefix.len()..].to_owned()), "{after}");
    assert!(
        after.contains("value=\"#+\"")
            && after.contains("value=\"blank\" checked")
            && !after.contains("value=\"-\" checked")
    );
    house.on(here, here, &[]);
    let rules = house.merchant().rules.sku;
    assert!(
        rules.separators.is_empty() && !rules.is_barcode && rules.strip_prefixes.is_empty(),
        "an empty form is no default"
    );
}

#[test]
fn nobodys_vendors_and_the_moment_by_gateway_are_stored_as_they_were_chosen() {
    let house = House::new();
    house.begin();
    house.order();
    let vendors = "/merchants/wadi-home/vendors";
    house.on(vendors, vendors, &[("whose", "all"), ("but", "Najd\n عطور نجد ")]);
    let others = |names: &[&str]| Vendors::AllBut(names.iter().map(|name| Vendor::new(name)).collect());
    assert_eq!(house.merchant().rules.vendors, others(&["najd", "عطور نجد"]));
    assert!(house.get(vendors, "olga").body.contains("najd\nعطور نجد</textarea>"));
    house.on(vendors, vendors, &[("whose", "all"), ("but", "")]);
    assert_eq!(house.merchant().rules.vendors, others(&[]));

    let here = "/merchants/wadi-home/policies";
    let gateways = house.db.read(|c| seen::recent(c, 1)).unwrap().gateways;
    let (key, name) = gateways.iter().next().unwrap();
    let page = house.get(here, "olga").body;
    assert!(page.contains(&format!("name=\"gateway\" value=\"{name}\"")), "those of recent orders are offered: {page}");
    let fields = [
        ("gateway", &**name),
        ("moment", "paid"),
        ("gateway", "Cash on Delivery (COD)"),
        ("moment", "fulfilled"),
        ("gateway", ""),
        ("moment", "paid"),
    ];
    house.on(here, here, &fields);
    let expected = [(key.clone(), Trigger::Paid), ("cash on delivery (cod)".to_owned(), Trigger::Fulfilled)].into();
    assert_eq!(house.merchant().rules.trigger_by_gateway, expected);
    let page = house.get(here, "olga").body;
    assert!(
        page.contains("value=\"cash on delivery (cod)\"") && page.contains("value=\"fulfilled\" selected"),
        "{page}"
    );
    house.on(here, here, &[("gateway", name), ("moment", ""), ("gateway", "x"), ("moment", "some day")]);
    assert!(house.merchant().rules.trigger_by_gateway.is_empty());
}

#[test]
fn the_page_about_the_api_says_what_is_missing_without_it_and_connects() {
    let house = House::new();
    house.begin();
    let (here, look, off) =
        ("/merchants/wadi-home/api", "/merchants/wadi-home/catch-up", "/merchants/wadi-home/api/off");
    let page = || house.get(here, "olga").body;
    assert!(house.get("/merchants/wadi-home", "olga").body.contains(&format!("href=\"{here}\"")));
    assert!(page().contains("Not connected: webhooks only."), "{}", page());
    assert_eq!(house.get(here, "omar").status, 403);
    let wrong = house.refused(here, here, &[("client", "<id>"), ("secret", "")]);
    assert!(wrong.contains("Give a client ID with its secret") && wrong.contains("&lt;id&gt;"), "{wrong}");
    let by_token = "/merchants/wadi-home/api/token";
    let wrong = house.refused(here, by_token, &[("access", ""), ("secret", "x")]);
    assert!(wrong.contains("Give a client ID with its secret, or a token."), "{wrong}");

    assert_eq!(house.on(here, by_token, &[("access", "shpat_1")]), format!("{here}?said=saved"));
    let connected = page();
    assert!(connected.contains("Connected.") && !connected.contains("shpat_1"), "{connected}");
    assert!(connected.contains("neither made nor mended from here"), "{connected}");
    house.on(here, look, &[("since", "2026-03-01"), ("orders", "1001\n\n#1002 ")]);
    let wanted = house.db.read(|c| shop_api::get(c, 1)).unwrap().unwrap();
    assert_eq!(wanted.wanted, ["1001", "#1002"]);
    assert_eq!(wanted.since.unwrap().to_string(), "2026-02-28T21:00:00Z", "the day begins in the merchant's zone");
    let wrong = house.refused(here, look, &[("since", "yesterday"), ("orders", "")]);
    assert!(wrong.contains("This is no day") && wrong.contains("yesterday"), "{wrong}");

    assert!(connected.contains("placed more than 60 days ago"), "{connected}");

    // How far a long look is, and what the shop does not give.
    assert!(!page().contains("<progress"));
    let under_way = |tx: &rusqlite::Transaction<'_>| {
        shop_api::expect(tx, 1, 430)?;
        shop_api::went_through(tx, 1, 120)?;
        shop_api::note_unread(tx, 1, &shop_api::Unread { id: 7, name: "#<7>".to_owned() }, true)
    };
    assert_eq!(house.db.write(under_way).unwrap(), 1);
    let looking = page();
    assert!(looking.contains("<progress value=\"120\" max=\"430\"") && looking.contains("120 / 430"), "{looking}");
    assert!(looking.contains("#&lt;7&gt;"), "{looking}");

    // What closes it is said with the next step.
    let block = |tx: &rusqlite::Transaction<'_>| {
        let missing = ["read_orders".to_owned()].into();
        shop_api::block(tx, 1, &qantara::domain::connection::Blocked::Scopes { missing })
    };
    house.db.write(block).unwrap();
    assert!(page().contains("scopes are missing: read_orders."), "{}", page());

    // An app's secret signs its webhooks, too, and is never shown.
    house.on(here, here, &[("client", "client-1"), ("secret", "a client secret that is long 9XyZ")]);
    let connected = page();
    assert!(connected.contains("value=\"client-1\"") && !connected.contains("a client secret"), "{connected}");
    assert!(house.get("/merchants/wadi-home/shop", "olga").body.contains("…9XyZ"), "the current webhook secret");
    house.on(here, off, &[]);
    assert!(page().contains("Not connected: webhooks only."));
}

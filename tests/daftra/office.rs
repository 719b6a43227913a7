//! What the tests share: drafts, a furnished sandbox, and a counterpart that reads from a script.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use qantara::config::keys;
use qantara::daftra::client::{Answered, Client, Door, Settings};
use qantara::daftra::outcome::Written;
use qantara::domain::draft::Draft;
use qantara::domain::invoice::{Billed, Header, InvoiceDraft, Source, exact_rows};
use qantara::domain::money::{Amount, Currency};
use qantara::domain::refund::{Cause, ReceiptDraft};
use qantara::domain::rules::{PricePolicy, ShippingPolicy, Vendors};
use qantara::domain::tax::BilledTax;
use qantara::outgoing::{Limits, Outgoing};
use qantara::sandbox::daftra::{Account, AccountSetup, ApiKey, Hand, Product, Store, Tax};
use qantara::sandbox::{Server, World, daftra};
use serde_json::Value;

use crate::profile;

/// Long enough to be looked for in reports.
pub(crate) const KEY: &str = "c0ffee5ec2e7c0ffee5ec2e7c0ffee5ec2e7";
pub(crate) const BUYER: &str = "Layla Haddad";
pub(crate) const CLIENT: i64 = 15;
pub(crate) const STORE: i64 = 4;
pub(crate) const MUG: i64 = 33;
pub(crate) const LAMP: i64 = 34;
pub(crate) const VAT: i64 = 7;

pub(crate) fn client(page_size: u32) -> Client {
    patient_client(page_size, Duration::from_secs(20))
}

/// One that waits so long for a whole answer.
pub(crate) fn patient_client(page_size: u32, call_timeout: Duration) -> Client {
    let way_out = keys::Outgoing { allow: vec!["127.0.0.0/8".parse().unwrap()], extra_ca_file: None };
    let limits = Limits { call_timeout, connect_timeout: Duration::from_secs(10), max_answer_bytes: 4 << 20 };
    Client::new(Outgoing::new(&way_out).unwrap(), Settings { limits, page_size })
}

pub(crate) fn still() {}

/// A line of `units` that cost `net` minor units together.
pub(crate) fn line(id: i64, product_id: Option<i64>, units: i64, net: i64) -> Billed {
    Billed {
        source: Source::Line(id),
        title: format!("Thing {id}"),
        sku: format!("SKU-{id}"),
        product_id,
        found: None,
        taxes: vec![BilledTax { title: "VAT".into(), rate: "0.15".parse().unwrap(), daftra_id: VAT }],
        included: false,
        units,
        net: Amount(net),
        tax: Amount(net * 15 / 100),
        rows: exact_rows(units, Amount(net)),
    }
}

pub(crate) fn header(source_key: &str) -> Header {
    Header {
        reference: format!("k3y-820-{source_key}"),
        order_name: "#1042".into(),
        client_id: CLIENT,
        store_id: STORE,
        branch_id: None,
        currency: Currency::parse("SAR").unwrap(),
        date: "2026-06-17".parse().unwrap(),
        draft: false,
    }
}

pub(crate) fn invoice(billed: Vec<Billed>) -> InvoiceDraft {
    InvoiceDraft {
        header: header("order"),
        vendors: Vendors::AllBut([].into()),
        shipping: ShippingPolicy::Never,
        with_shipping: None,
        paid_by_others: rust_decimal::Decimal::ZERO,
        adopted: None,
        price: PricePolicy::Sale,
        seen: BTreeMap::new(),
        billed,
    }
}

pub(crate) fn receipt(billed: Vec<Billed>) -> Draft {
    Draft::RefundReceipt(ReceiptDraft { header: header("refund/9"), cause: Cause::Refund(9), billed })
}

/// A furnished account in the sandbox, its clock, and the client that speaks to it.
pub(crate) struct Office {
    pub(crate) client: Client,
    pub(crate) door: Door,
    server: Server,
    clock: Arc<Mutex<Timestamp>>,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self::with(2, |_| {})
    }

    pub(crate) fn with(page_size: u32, change: impl FnOnce(&mut AccountSetup)) -> Self {
        let mut setup = AccountSetup { keys: vec![ApiKey::full(KEY)], ..profile::setup() };
        change(&mut setup);
        let mut account = Account::new(setup).unwrap();
        account.add_client(daftra::Client { id: 15, business_name: BUYER.into(), ..daftra::Client::default() });
        account.add_store(Store { id: 4, name: "Riyadh".into(), ..Store::default() });
        account.add_tax(Tax { id: 7, name: "VAT".into(), value: "15".parse().unwrap(), ..Tax::default() });
        let clock = Arc::new(Mutex::new("2026-06-17T09:00:00Z".parse().unwrap()));
        for (id, code, barcode) in [(33, "Mug-1", "0123456789012"), (34, "LAMP-1", ""), (35, "OTHER", "mug-1")] {
            let product = Product { id, product_code: code.into(), barcode: barcode.into(), ..Product::default() };
            account.add_product(product);
            account.add_stock(id, 4, 1_000.into(), *clock.lock().unwrap());
        }
        let mut world = World::new(1);
        world.add(account);
        let hand = clock.clone();
        let server = Server::start(Arc::new(Mutex::new(world)), move || *hand.lock().unwrap()).unwrap();
        let door = door_to(&format!("http://{}/acct/one/", server.address()));
        Self { client: client(page_size), door, server, clock }
    }

    pub(crate) fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(self.server.world().lock().unwrap().account_mut("one").unwrap())
    }

    /// What a person does in Daftra's own screens.
    pub(crate) fn hand(&self, hand: Hand) {
        let now = *self.clock.lock().unwrap();
        self.account(|account| account.hand(hand, now)).unwrap();
    }

    pub(crate) fn later(&self, time: SignedDuration) {
        *self.clock.lock().unwrap() += time;
    }

    pub(crate) fn create(&self, draft: &Draft, parent: Option<i64>) -> Written {
        self.client.create(&self.door, &still, draft, parent).outcome
    }

    /// Posts the draft; its id.
    pub(crate) fn post(&self, draft: &Draft, parent: Option<i64>) -> i64 {
        let written = self.create(draft, parent);
        let Written::Accepted { remote_id, .. } = written else { panic!("{written:?}") };
        remote_id
    }
}

pub(crate) fn door_to(address: &str) -> Door {
    Door { address: address.into(), key: KEY.to_owned().into(), branch_id: None }
}

/// Answers one call after the other from a script, then listens no more.
pub(crate) struct Script {
    pub(crate) door: Door,
    actor: thread::JoinHandle<Vec<String>>,
}

impl Script {
    pub(crate) fn new(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let actor = thread::spawn(move || {
            answers
                .into_iter()
                .map(|answer| {
                    let (mut stream, _) = listener.accept().unwrap();
                    let request = read_request(&mut stream);
                    stream.write_all(&answer).unwrap();
                    request
                })
                .collect()
        });
        Self { door: door_to(&format!("http://{address}/acct/one")), actor }
    }

    pub(crate) fn json(answers: &[Value]) -> Self {
        Self::new(answers.iter().map(|body| raw("200 OK", "application/json", &body.to_string())).collect())
    }

    /// The requests, once every answer was given.
    pub(crate) fn requests(self) -> Vec<String> {
        self.actor.join().unwrap()
    }
}

pub(crate) fn raw(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut request).unwrap(), 0, "the request ends early: {request}");
    }
    let announced = request.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; announced.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    request + &String::from_utf8(body).unwrap()
}

/// Every call was announced first, and reported.
pub(crate) fn paced<T>(ask: impl FnOnce(&dyn Fn()) -> Answered<T>) -> Answered<T> {
    let announced = Cell::new(0);
    let answered = ask(&|| announced.set(announced.get() + 1));
    assert_eq!(announced.get(), answered.reports.len());
    answered
}

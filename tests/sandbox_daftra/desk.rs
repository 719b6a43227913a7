//! A served account to test against, and the hand-written HTTP to talk to it.

use jiff::{SignedDuration, Timestamp};
use qantara::sandbox::daftra::{Account, AccountSetup, Client, DocumentKind, PaymentMethod, Product, Store, Tax};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::{Server, World};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const START: &str = "2026-06-17T09:00:00Z";

/// A served account with a client (15), two stores (1, 2), three products, four taxes, and a clock that tests move.
pub(crate) struct Desk {
    pub(crate) server: Server,
    clock: Arc<Mutex<Timestamp>>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().into()
    }

    pub(crate) fn complains_about(&self, field: &str) -> bool {
        self.status == 400 && self.json()["validation_errors"].get(field).is_some()
    }
}

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut AccountSetup)) -> Desk {
        let mut world = World::new(7);
        world.add(furnished(change));
        let clock = Arc::new(Mutex::new(START.parse::<Timestamp>().unwrap()));
        let hand = clock.clone();
        let server = Server::start(Arc::new(Mutex::new(world)), move || *hand.lock().unwrap()).unwrap();
        Desk { server, clock }
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    pub(crate) fn wait(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(self.server.world().lock().unwrap().account_mut("one").unwrap())
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut AccountSetup)) {
        self.account(|account| account.change(change)).unwrap();
    }

    pub(crate) fn invoices(&self) -> usize {
        self.account(|account| account.documents(DocumentKind::Invoice).count())
    }

    /// Sends exactly this and returns all bytes until the connection closes.
    pub(crate) fn raw(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Reply {
        let bytes = self.raw(&format!(
            "{method} {target} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head[9..12].parse().unwrap();
        Reply { status, head, body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", &format!("/acct/one{path}"), "apikey: key-one\r\n", "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", &format!("/acct/one{path}"), "apikey: key-one\r\n", &body.to_string())
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", &format!("/acct/one{path}"), "apikey: key-one\r\n", &body.to_string())
    }

    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", &format!("/acct/one{path}"), "apikey: key-one\r\n", "")
    }

    /// Creates an invoice that must be accepted and returns its id.
    pub(crate) fn invoice(&self, body: &Value) -> u64 {
        let reply = self.post("/api2/invoices", body);
        assert_eq!(reply.status, 202, "{}", String::from_utf8_lossy(&reply.body));
        reply.json()["id"].as_u64().unwrap()
    }

    pub(crate) fn read(&self, id: u64) -> Value {
        self.get(&format!("/api2/invoices/{id}")).json()["data"]["Invoice"].clone()
    }

    pub(crate) fn stock(&self, product: u64, store: u64) -> String {
        self.account(|account| account.stock(product, store)).normalize().to_string()
    }

    /// Sends a request that gets no complete answer; returns what came.
    pub(crate) fn lost(&self, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        self.raw(&format!(
            "POST /acct/one/api2/invoices HTTP/1.1\r\nHost: sandbox\r\napikey: key-one\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub(crate) fn fault(&self, kind: FaultKind) {
        self.account(|account| account.add_fault(Fault::once(kind).on("POST", "invoices")));
    }
}

pub(crate) fn furnished(change: impl FnOnce(&mut AccountSetup)) -> Account {
    let mut setup = AccountSetup::default();
    change(&mut setup);
    let mut account = Account::new(setup).unwrap();
    account.add_client(Client { id: 15, business_name: "Web buyers".into(), ..Client::default() });
    account.add_store(Store { id: 1, name: "Main".into(), primary: true, ..Store::default() });
    account.add_store(Store { id: 2, name: "Second".into(), ..Store::default() });
    for (id, name, value, included) in
        [(1, "VAT", 15, false), (2, "VAT included", 15, true), (3, "Excise", 5, false), (4, "Old VAT", 5, false)]
    {
        account.add_tax(Tax { id, name: name.into(), value: value.into(), included, active: id != 4 });
    }
    for (id, code, barcode) in [(3, "MUG", "6281000000017"), (4, "CUP", "6281000000024"), (5, "TEA", "")] {
        account.add_product(Product {
            id,
            name: code.to_lowercase(),
            product_code: code.into(),
            barcode: barcode.into(),
            ..Product::default()
        });
        account.add_stock(id, 1, 100.into(), START.parse().unwrap());
    }
    account.add_method(PaymentMethod { slug: "cash".into(), label: "Cash".into(), ..PaymentMethod::default() });
    account
}

/// Two mugs at 100 from store 1, without tax.
pub(crate) fn two_mugs() -> Value {
    json!({"Invoice": {"client_id": 15, "store_id": 1, "date": "2026-06-17", "po_number": "SHOP-1001"},
           "InvoiceItem": [row("100", "2")]})
}

pub(crate) fn row(unit_price: &str, quantity: &str) -> Value {
    json!({"product_id": 3, "item": "Mug", "unit_price": unit_price, "quantity": quantity, "tax1": null, "tax2": null})
}

pub(crate) fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (place, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(place).unwrap()[name] = value;
    body
}

pub(crate) fn receipt(parent: u64, quantity: &str) -> Value {
    json!({"RefundReceipt": {"client_id": 15, "store_id": 1, "subscription_id": parent, "date": "2026-06-20"},
           "InvoiceItem": [row("100", quantity)]})
}

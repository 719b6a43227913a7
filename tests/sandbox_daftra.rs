//! The fake Daftra as a caller sees it: hand-written HTTP over a plain socket, one test per behaviour that a client
//! must be able to rely on or must survive.

use jiff::{SignedDuration, Timestamp};
use qantara::sandbox::daftra::{
    Account, AccountSetup, ApiKey, Client, DateFormat, DocumentKind, Hand, Language, PartialPut, PaymentMethod,
    Product, Rounding, Store, Tax,
};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::http::Request;
use qantara::sandbox::{Reaction, Server, World};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const START: &str = "2026-06-17T09:00:00Z";

/// A served account with a client (15), two stores (1, 2), three products, four taxes, and a clock that tests move.
struct Desk {
    server: Server,
    clock: Arc<Mutex<Timestamp>>,
}

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().into()
    }

    fn complains_about(&self, field: &str) -> bool {
        self.status == 400 && self.json()["validation_errors"].get(field).is_some()
    }
}

impl Desk {
    fn new() -> Desk {
        Desk::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut AccountSetup)) -> Desk {
        let mut world = World::new(7);
        world.add(furnished(change));
        let clock = Arc::new(Mutex::new(START.parse::<Timestamp>().unwrap()));
        let hand = clock.clone();
        let server = Server::start(Arc::new(Mutex::new(world)), move || *hand.lock().unwrap()).unwrap();
        Desk { server, clock }
    }

    fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    fn wait(&self, seconds: i64) {
        *self.clock.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(self.server.world().lock().unwrap().account_mut("one").unwrap())
    }

    fn change(&self, change: impl FnOnce(&mut AccountSetup)) {
        self.account(|account| account.change(change)).unwrap();
    }

    fn invoices(&self) -> usize {
        self.account(|account| account.documents(DocumentKind::Invoice).count())
    }

    /// Sends exactly this and returns all bytes until the connection closes.
    fn raw(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Reply {
        let bytes = self.raw(&format!(
            "{method} {target} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head[9..12].parse().unwrap();
        Reply { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn get(&self, path: &str) -> Reply {
        self.send("GET", &format!("/acct/one{path}"), "apikey: key-one\r\n", "")
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", &format!("/acct/one{path}"), "apikey: key-one\r\n", &body.to_string())
    }

    fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", &format!("/acct/one{path}"), "apikey: key-one\r\n", &body.to_string())
    }

    fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", &format!("/acct/one{path}"), "apikey: key-one\r\n", "")
    }

    /// Creates an invoice that must be accepted and returns its id.
    fn invoice(&self, body: &Value) -> u64 {
        let reply = self.post("/api2/invoices", body);
        assert_eq!(reply.status, 202, "{}", String::from_utf8_lossy(&reply.body));
        reply.json()["id"].as_u64().unwrap()
    }

    fn read(&self, id: u64) -> Value {
        self.get(&format!("/api2/invoices/{id}")).json()["data"]["Invoice"].clone()
    }

    fn stock(&self, product: u64, store: u64) -> String {
        self.account(|account| account.stock(product, store)).normalize().to_string()
    }

    /// Sends a request that gets no complete answer; returns what came.
    fn lost(&self, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        self.raw(&format!(
            "POST /acct/one/api2/invoices HTTP/1.1\r\nHost: sandbox\r\napikey: key-one\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn fault(&self, kind: FaultKind) {
        self.account(|account| account.add_fault(Fault::once(kind).on("POST", "invoices")));
    }
}

fn furnished(change: impl FnOnce(&mut AccountSetup)) -> Account {
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
fn two_mugs() -> Value {
    json!({"Invoice": {"client_id": 15, "store_id": 1, "date": "2026-06-17", "po_number": "SHOP-1001"},
           "InvoiceItem": [row("100", "2")]})
}

fn row(unit_price: &str, quantity: &str) -> Value {
    json!({"product_id": 3, "item": "Mug", "unit_price": unit_price, "quantity": quantity, "tax1": null, "tax2": null})
}

fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (place, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(place).unwrap()[name] = value;
    body
}

fn receipt(parent: u64, quantity: &str) -> Value {
    json!({"RefundReceipt": {"client_id": 15, "store_id": 1, "subscription_id": parent, "date": "2026-06-20"},
           "InvoiceItem": [row("100", quantity)]})
}

#[test]
fn point_01_key_in_any_case_and_alone() {
    let desk = Desk::new();
    let ask = |headers: &str| desk.send("GET", "/acct/one/api2/site_info", headers, "");
    assert_eq!(ask("APIKEY: key-one\r\n").status, 200);
    assert_eq!(ask("ApiKey: key-one\r\n").status, 200);
    for headers in
        ["", "apikey: wrong\r\n", "Authorization: Bearer key-one\r\n", "apikey: key-one\r\nAuthorization: x\r\n"]
    {
        let reply = ask(headers);
        assert_eq!(reply.status, 401, "{headers}");
        assert_eq!(reply.json(), json!({"result": "failed", "code": 401, "message": "Unauthorized"}));
    }
    let v2 = desk.send("GET", "/acct/one/v2/api/entity/product/list", "", "");
    assert_eq!((v2.status, v2.json()), (401, json!({"message": "Unauthenticated."})));
}

#[test]
fn point_01_suffix_slash_and_unknown_routes() {
    let desk = Desk::new();
    for path in ["/api2/stores", "/api2/stores.json", "/api2/stores/", "/api2/stores/1", "/api2/stores/1.json"] {
        assert_eq!(desk.get(path).status, 200, "{path}");
    }
    for path in ["/api2/api_key_info", "/api2/nothing", "/api2/invoices/x", "/elsewhere"] {
        let reply = desk.get(path);
        assert_eq!((reply.status, reply.message().as_str()), (404, "Invalid Endpoint"), "{path}");
    }
    assert_eq!(desk.send("GET", "/acct/nobody/api2/site_info", "apikey: key-one\r\n", "").status, 404);
}

#[test]
fn point_01_a_key_may_be_limited() {
    let desk = Desk::with(|setup| {
        let limited = ApiKey {
            may_not_change: ["invoices".into()].into(),
            may_not_view: ["clients".into()].into(),
            ..ApiKey::full("key-two")
        };
        let stores = ApiKey { closed_stores: [1].into(), ..ApiKey::full("key-three") };
        setup.keys.extend([limited, stores]);
    });
    let ask = |method: &str, path: &str, key: &str, body: &Value| {
        desk.send(method, &format!("/acct/one/api2/{path}"), &format!("apikey: {key}\r\n"), &body.to_string())
    };
    assert_eq!(ask("GET", "invoices", "key-two", &json!({})).status, 200);
    assert_eq!(ask("POST", "invoices", "key-two", &two_mugs()).status, 403);
    assert_eq!(ask("GET", "clients", "key-two", &json!({})).status, 403);
    assert!(ask("POST", "invoices", "key-three", &two_mugs()).complains_about("store_id"));
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn point_02_create_answers_202_with_id_and_number() {
    let desk = Desk::new();
    let reply = desk.post("/api2/invoices.json", &two_mugs());
    assert_eq!(reply.status, 202);
    let id = reply.json()["id"].as_u64().expect("an integer id");
    assert_eq!(reply.json(), json!({"code": 202, "result": "successful", "id": id, "invoice_number": "000094"}));

    desk.change(|setup| (setup.ids_as_text, setup.number_in_answer) = (true, false));
    let reply = desk.post("/api2/invoices", &two_mugs()).json();
    assert_eq!(reply, json!({"code": 202, "result": "successful", "id": (id + 1).to_string()}));
}

#[test]
fn point_02_the_model_wrapper_is_required() {
    let desk = Desk::new();
    for (path, body) in [
        ("/api2/invoices", json!({"client_id": 15, "InvoiceItem": [row("1", "1")]})),
        ("/api2/refund_receipts", two_mugs()),
        ("/api2/invoice_payments", json!({"invoice_id": 1, "amount": 1})),
        ("/api2/clients", json!({"business_name": "x"})),
        ("/api2/invoices", json!([])),
    ] {
        let reply = desk.post(path, &body);
        assert_eq!((reply.status, reply.json()["result"].as_str()), (400, Some("failed")), "{path}");
    }
}

#[test]
fn point_03_lists_default_to_twenty_and_ignore_unknown_filters() {
    let desk = Desk::with(|setup| setup.negative_stock = true);
    for _ in 0..45 {
        desk.invoice(&two_mugs());
    }
    let list = desk.get("/api2/invoices?filter[po_number]=NONE&nonsense=1&modified_from=2099-01-01").json();
    assert_eq!(list["data"].as_array().unwrap().len(), 20);
    assert_eq!(
        list["pagination"],
        json!({"prev": null, "next": "/api2/invoices/?page=2", "page": 1, "page_count": 3, "total_results": 45})
    );
    let last = desk.get("/api2/invoices?page=3").json();
    assert_eq!(last["data"].as_array().unwrap().len(), 5);
    assert_eq!(last["pagination"]["prev"], "/api2/invoices/?page=2");
    assert_eq!(last["pagination"]["next"], Value::Null);
    assert_eq!(desk.get("/api2/invoices?limit=2000").json()["data"].as_array().unwrap().len(), 45);
    assert_eq!(desk.get("/api2/products?keywords=none&barcode=none").json()["pagination"]["total_results"], 3);
}

#[test]
fn point_03_other_lists_are_capped_at_a_thousand() {
    let desk = Desk::new();
    desk.account(|account| (0..1100).map(|_| account.add_client(Client::default())).max());
    let list = desk.get("/api2/clients?limit=2000").json();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["pagination"]["page_count"]), (1000, &json!(2)));
}

#[test]
fn point_03_invoice_filters_order_and_depth() {
    let desk = Desk::new();
    let early = desk.invoice(&with(two_mugs(), "/Invoice/date", json!("2026-06-01")));
    let late = desk.invoice(&with(two_mugs(), "/Invoice/po_number", json!("SHOP-1002")));
    let draft = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));
    let ids = |query: &str| -> Vec<u64> {
        let list = desk.get(&format!("/api2/invoices?{query}")).json();
        let rows = list["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["Invoice"]["id"].as_str().unwrap().parse().unwrap()).collect()
    };
    assert_eq!(ids(""), [draft, late, early], "newest date first");
    assert_eq!(ids("sort=id&direction=asc"), [early, late, draft]);
    assert_eq!(ids("po_number=SHOP-1002"), [late]);
    assert_eq!(ids("no=0009"), [late, early], "a part of the number is enough");
    assert_eq!(ids("date_to=2026-06-10"), [early]);
    assert_eq!(ids("created_from=2026-06-17"), [draft, late, early]);
    assert_eq!(ids("created_from=2026-06-18"), [] as [u64; 0]);
    assert_eq!(ids("draft=1"), [draft]);
    assert_eq!(ids("client_id=16"), [] as [u64; 0]);
    assert_eq!(ids("payment_status=-1"), [draft]);
    desk.change(|setup| setup.po_numbers = false);
    assert_eq!(ids("po_number=SHOP-1002"), [draft, late, early], "ignored without PO numbers");

    let row = |query: &str| desk.get(&format!("/api2/invoices?{query}")).json()["data"][0]["Invoice"].clone();
    assert!(row("recursive=-1").get("Client").is_none());
    assert!(row("").get("Client").is_some() && row("").get("InvoiceItem").is_none());
    assert_eq!(row("recursive=1")["InvoiceItem"].as_array().unwrap().len(), 1);
}

#[test]
fn point_03_lists_lag_behind_creates() {
    let desk = Desk::with(|setup| setup.list_lag_seconds = 2);
    let id = desk.invoice(&two_mugs());
    let count = |path: &str| {
        let body = desk.get(path).json();
        body.pointer("/pagination/total_results").or(body.get("total")).unwrap().as_u64().unwrap()
    };
    assert_eq!((count("/api2/invoices"), count("/v2/api/entity/invoice/list")), (0, 0));
    assert_eq!(desk.get(&format!("/api2/invoices/{id}")).status, 200);
    desk.wait(2);
    assert_eq!((count("/api2/invoices"), count("/v2/api/entity/invoice/list")), (1, 1));
}

#[test]
fn point_03_product_code_filter_is_a_switch() {
    let desk = Desk::new();
    let count = || desk.get("/api2/products?product_code=cup").json()["pagination"]["total_results"].clone();
    assert_eq!(count(), 1);
    desk.change(|setup| setup.product_code_filter = false);
    assert_eq!(count(), 3);
}

#[test]
fn point_04_an_invoice_mixes_strings_and_numbers() {
    let desk = Desk::new();
    let body = json!({"Invoice": {"client_id": 15, "store_id": 1, "date": "2026-04-03", "po_number": "SHOP-1"},
                      "InvoiceItem": [with(row("100.50", "2"), "/tax1", json!(1))],
                      "InvoiceCustomField": [{"label": "Shop order", "value": "77"}],
                      "Payment": [{"payment_method": "cash", "amount": 31.15, "date": "2026-04-03 10:00:00"}]});
    let reply = desk.get(&format!("/api2/invoices/{}", desk.invoice(&body))).json();
    assert!(reply.get("pagination").is_none());
    let invoice = &reply["data"]["Invoice"];
    for name in ["id", "site_id", "staff_id", "store_id", "type", "client_id", "draft", "summary_paid", "date_format"] {
        assert!(invoice[name].is_string(), "{name}");
    }
    for name in ["payment_status", "summary_subtotal", "summary_total", "summary_unpaid", "summary_refund"] {
        assert!(invoice[name].is_number(), "{name}");
    }
    for name in ["discount", "shipping_amount", "order_number", "subscription_id", "requisition_delivery_status"] {
        assert!(invoice[name].is_null(), "{name}");
    }
    assert!(invoice["issued"].is_boolean());
    assert_eq!(invoice["summary_total"].to_string(), "231.15");
    assert_eq!((&invoice["summary_paid"], invoice["summary_unpaid"].to_string()), (&json!("31.15"), "200".into()));
    assert_eq!((&invoice["date"], &invoice["original_date"]), (&json!("03/04/2026"), &json!("2026-04-03")));
    assert_eq!(invoice["created"], "2026-06-17 12:00:00", "in the account's time zone");
    assert_eq!((&invoice["external_source"], &invoice["staff_id"]), (&json!("api"), &json!("-3")));
    assert_eq!(invoice["Client"]["business_name"], "Web buyers");
    let item = &invoice["InvoiceItem"][0];
    assert_eq!((&item["unit_price"], &item["quantity"], &item["tax1"]), (&json!("100.5"), &json!("2"), &json!("1")));
    assert_eq!((item["subtotal"].to_string(), item["summary_tax1"].to_string()), ("201".into(), "30.15".into()));
    assert_eq!((&item["tax2"], &item["discount"]), (&json!("0"), &Value::Null));
    assert_eq!(invoice["InvoiceTax"][0]["invoice_value"].to_string(), "30.15");
    assert_eq!(invoice["InvoiceCustomField"], json!([{"label": "Shop order", "value": "77"}]));
    let payment = &invoice["InvoicePayment"][0];
    assert_eq!((&payment["amount"], &payment["status"]), (&json!("31.15"), &json!("1")));
    assert_eq!(payment["date"], "2026-04-03 10:00:00");
    desk.change(|setup| setup.date_format = DateFormat::MonthDayYear);
    assert_eq!(desk.read(1001)["date"], "04/03/2026");
}

#[test]
fn point_05_all_documents_share_one_id_space() {
    let desk = Desk::new();
    let invoice = desk.invoice(&two_mugs());
    let refund = desk.post("/api2/refund_receipts", &receipt(invoice, "1")).json()["id"].as_u64().unwrap();
    assert_eq!(refund, invoice + 1);
    let reply = desk.get(&format!("/api2/invoices/{refund}"));
    assert_eq!((reply.status, reply.message().as_str()), (404, "Invoice not found"));
    let reply = desk.get("/api2/invoices/999999");
    assert_eq!((reply.status, reply.message().as_str()), (404, "Item not found"));
    assert_eq!(desk.get("/api2/invoices").json()["pagination"]["total_results"], 1);
}

#[test]
fn point_06_numbers_are_a_sequence_of_their_own() {
    let desk = Desk::new();
    let draft = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!("1")));
    let issued = desk.invoice(&two_mugs());
    assert_eq!((&desk.read(draft)["no"], &desk.read(issued)["no"]), (&json!("draft-000001"), &json!("000094")));
    assert_ne!(issued.to_string(), "94");
    let own = desk.invoice(&with(two_mugs(), "/Invoice/no", json!("MINE-1")));
    assert_eq!(desk.read(own)["no"], "MINE-1");
    assert_eq!(desk.put(&format!("/api2/invoices/{draft}"), &with(two_mugs(), "/Invoice/draft", json!(0))).status, 200);
    assert_eq!((&desk.read(draft)["no"], &desk.read(draft)["draft"]), (&json!("000095"), &json!("0")));
}

/// Subtotal, discount and total of an invoice with these rows and header fields.
fn sums(desk: &Desk, header: &Value, rows: &Value) -> [String; 3] {
    let mut body = json!({"Invoice": {"client_id": 15, "date": "2026-06-17", "draft": 1}, "InvoiceItem": rows});
    for (name, value) in header.as_object().unwrap() {
        body["Invoice"][name] = value.clone();
    }
    let invoice = desk.read(desk.invoice(&body));
    ["summary_subtotal", "summary_discount", "summary_total"].map(|name| invoice[name].to_string())
}

#[test]
fn point_07_totals_are_computed_by_the_server() {
    let desk = Desk::new();
    let line = |price: &str, quantity: &str, more: &Value| {
        let mut line = row(price, quantity);
        more.as_object().unwrap().iter().for_each(|(name, value)| line[name] = value.clone());
        line
    };
    let none = &json!({});
    let check = |header: &Value, rows: Value, expected: [&str; 3]| assert_eq!(sums(&desk, header, &rows), expected);
    let lies = json!({"summary_total": 1, "summary_subtotal": 1, "payment_status": 2});
    check(&lies, json!([line("100", "2", none)]), ["200", "0", "200"]);
    // A fixed discount of a row counts once per unit.
    check(none, json!([line("100", "3", &json!({"discount": 10, "discount_type": 2}))]), ["270", "0", "270"]);
    check(none, json!([line("100", "3", &json!({"discount": 10, "discount_type": 1}))]), ["270", "0", "270"]);
    check(none, json!([line("200", "3", &json!({"discount": 10}))]), ["540", "0", "540"]);
    // Taxes on top, included, and stacked.
    check(none, json!([line("100", "1", &json!({"tax1": 1}))]), ["100", "0", "115"]);
    check(none, json!([line("115", "1", &json!({"tax1": 2}))]), ["100", "0", "115"]);
    check(none, json!([line("100", "1", &json!({"tax1": 1, "tax2": 3}))]), ["100", "0", "120.75"]);
    check(none, json!([line("0.05", "1", &json!({"tax1": 2}))]), ["0.04", "0", "0.05"]);
    // A header discount lowers the taxable amount.
    check(&json!({"discount": 10}), json!([line("100", "1", &json!({"tax1": 1}))]), ["100", "10", "103.5"]);
    check(&json!({"discount_amount": 10}), json!([line("100", "1", &json!({"tax1": 1}))]), ["100", "10", "103.5"]);
    // Shipping with its tax, on top and included.
    let shipping = json!({"shipping_amount": 20, "shipping_tax_id": 1});
    check(&shipping, json!([line("100", "1", none)]), ["100", "0", "123"]);
    let shipping = json!({"shipping_amount": 23, "shipping_tax_id": 2});
    check(&shipping, json!([line("100", "1", none)]), ["100", "0", "123"]);
}

#[test]
fn point_07_rounding_by_row_or_by_document() {
    let desk = Desk::new();
    let rows = json!([with(row("0.10", "1"), "/tax1", json!(1)), with(row("0.10", "1"), "/tax1", json!(1))]);
    assert_eq!(sums(&desk, &json!({}), &rows), ["0.2", "0", "0.24"], "0.015 rounds up twice");
    desk.change(|setup| setup.rounding = Rounding::Document);
    assert_eq!(sums(&desk, &json!({}), &rows), ["0.2", "0", "0.23"]);
    desk.change(|setup| setup.decimals = 3);
    assert_eq!(sums(&desk, &json!({}), &json!([row("1.2345", "1")])), ["1.235", "0", "1.235"]);
    desk.change(|setup| setup.decimals = 0);
    assert_eq!(sums(&desk, &json!({}), &json!([row("1.5", "1")])), ["2", "0", "2"]);
}

#[test]
fn point_07_taxes_are_inherited_unless_sent() {
    let desk = Desk::new();
    desk.account(|account| account.add_product(Product { id: 3, tax1: Some(1), ..Product::default() }));
    let silent = json!([{"product_id": 3, "unit_price": 100, "quantity": 1}]);
    assert_eq!(sums(&desk, &json!({}), &silent)[2], "115");
    assert_eq!(sums(&desk, &json!({}), &json!([row("100", "1")]))[2], "100");
    desk.change(|setup| setup.tax_inheritance = false);
    assert_eq!(sums(&desk, &json!({}), &silent)[2], "100");
}

#[test]
fn point_08_items_nested_only_are_an_empty_invoice() {
    let desk = Desk::new();
    let nested = json!({"Invoice": {"client_id": 15, "InvoiceItem": [row("100", "1")]}});
    for body in [nested, json!({"Invoice": {"client_id": 15}, "InvoiceItem": []})] {
        let reply = desk.post("/api2/invoices", &body);
        assert_eq!((reply.status, reply.message().as_str()), (400, "Invoice is empty"));
    }
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn point_08_what_is_unknown_is_refused_by_field() {
    let desk = Desk::new();
    desk.account(|account| {
        account.add_product(Product { id: 9, active: false, ..Product::default() });
        account.add_store(Store { id: 9, active: false, ..Store::default() });
        account.add_method(PaymentMethod { slug: "old".into(), active: false, ..PaymentMethod::default() });
    });
    let paid = |payment: Value| with(two_mugs(), "/Payment", json!([payment]));
    let item = |name: &str, value: Value| with(two_mugs(), &format!("/InvoiceItem/0/{name}"), value);
    let header = |name: &str, value: Value| with(two_mugs(), &format!("/Invoice/{name}"), value);
    for (field, body) in [
        ("client_id", header("client_id", json!(16))),
        ("client_id", header("client_id", json!("Web buyers"))),
        ("client_id", header("client_id", Value::Null)),
        ("store_id", header("store_id", json!(9))),
        ("date", header("date", json!("17/06/2026"))),
        ("discount", header("discount", json!(120))),
        ("discount_amount", header("discount_amount", json!(500))),
        ("discount_amount", with(header("discount", json!(5)), "/Invoice/discount_amount", json!(5))),
        ("po_number", header("po_number", json!("x".repeat(256)))),
        ("shipping_tax_id", header("shipping_tax_id", json!(99))),
        ("InvoiceItem.0.product_id", item("product_id", json!(99))),
        ("InvoiceItem.0.product_id", item("product_id", json!(9))),
        ("InvoiceItem.0.product_id", item("product_id", json!("MUG"))),
        ("InvoiceItem.0.store_id", item("store_id", json!(77))),
        ("InvoiceItem.0.tax1", item("tax1", json!(4))),
        ("InvoiceItem.0.tax1", item("tax1", json!(15))),
        ("InvoiceItem.0.tax2", item("tax2", json!("VAT"))),
        ("InvoiceItem.0.unit_price", item("unit_price", json!("much"))),
        ("InvoiceItem.0.quantity", item("quantity", json!(0))),
        ("InvoiceItem.0.quantity", item("quantity", json!(-1))),
        ("InvoiceItem.0.unit_price", item("unit_price", json!(1e15))),
        ("Payment.0.payment_method", paid(json!({"payment_method": "Cash", "amount": 1}))),
        ("Payment.0.payment_method", paid(json!({"payment_method": "old", "amount": 1}))),
        ("Payment.0.treasury_id", paid(json!({"payment_method": "cash", "amount": 1, "treasury_id": 5}))),
        ("Payment.0.amount", paid(json!({"payment_method": "cash"}))),
    ] {
        let reply = desk.post("/api2/invoices", &body);
        assert!(reply.complains_about(field), "{field}: {}", String::from_utf8_lossy(&reply.body));
    }
    assert_eq!((desk.invoices(), desk.stock(3, 1)), (0, "100".into()));
}

#[test]
fn point_08_closed_period_and_invoicing_by_mail() {
    let desk = Desk::with(|setup| setup.closed_until = Some("2026-06-17".parse().unwrap()));
    let reply = desk.post("/api2/invoices", &two_mugs());
    let told = "You can not add, edit, or delete a transaction in this date 2026-06-17 within a closed period";
    assert_eq!((reply.status, reply.message().as_str()), (400, told));
    desk.invoice(&with(two_mugs(), "/Invoice/date", json!("2026-06-18")));
    desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));

    desk.account(|account| account.add_client(Client { id: 16, invoice_by_email: true, ..Client::default() }));
    let body = with(with(two_mugs(), "/Invoice/client_id", json!(16)), "/Invoice/date", json!("2026-06-18"));
    assert!(desk.post("/api2/invoices", &body).complains_about("client_email"));
}

#[test]
fn point_09_issued_invoices_move_stock_and_drafts_do_not() {
    let desk = Desk::new();
    let draft = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));
    assert_eq!(desk.stock(3, 1), "100");
    let id = desk.invoice(&two_mugs());
    assert_eq!(desk.stock(3, 1), "98");
    let rows = desk.get("/api2/stock_transactions.json?product_id=3&source_type=2").json();
    let moved = &rows["data"][0]["StockTransaction"];
    assert_eq!(rows["pagination"]["total_results"], 1);
    assert_eq!(
        (&moved["order_id"], &moved["ref_id"]),
        (&json!(id.to_string()), &desk.read(id)["InvoiceItem"][0]["id"])
    );
    assert_eq!(
        (&moved["transaction_type"], &moved["status"], &moved["quantity"]),
        (&json!("2"), &json!("4"), &json!("2"))
    );

    let product = desk.get("/api2/products/3").json()["data"]["Product"].clone();
    assert_eq!((&product["stock_balance"], &product["productAvailableQTY"]), (&json!("98"), &json!({"1": 98})));
    desk.account(|account| account.add_product(Product { id: 8, ..Product::default() }));
    assert_eq!(desk.get("/api2/products/8").json()["data"]["Product"]["productAvailableQTY"], json!([]));

    let fewer = with(two_mugs(), "/InvoiceItem/0/quantity", json!(5));
    assert_eq!(desk.put(&format!("/api2/invoices/{id}"), &fewer).status, 200);
    assert_eq!(desk.stock(3, 1), "95", "taken back and posted again");
    desk.post("/api2/refund_receipts", &receipt(id, "3"));
    assert_eq!(desk.stock(3, 1), "98");
    assert_eq!(desk.delete(&format!("/api2/invoices/{draft}")).status, 200);
    assert_eq!(desk.stock(3, 1), "98");
}

#[test]
fn point_09_the_store_of_a_row_wins_and_the_primary_store_is_the_last_resort() {
    let desk = Desk::with(|setup| setup.negative_stock = true);
    desk.invoice(&with(two_mugs(), "/InvoiceItem/0/store_id", json!(2)));
    desk.invoice(&with(two_mugs(), "/Invoice/store_id", Value::Null));
    assert_eq!((desk.stock(3, 1), desk.stock(3, 2)), ("98".into(), "-2".into()));
}

#[test]
fn point_09_not_enough_stock_is_refused_unless_allowed() {
    let desk = Desk::new();
    let many = json!({"Invoice": {"client_id": 15, "store_id": 1}, "InvoiceItem": [row("1", "60"), row("1", "41")]});
    assert!(desk.post("/api2/invoices", &many).complains_about("quantity"));
    assert_eq!((desk.invoices(), desk.stock(3, 1)), (0, "100".into()));
    desk.change(|setup| setup.negative_stock = true);
    desk.invoice(&many);
    assert_eq!(desk.stock(3, 1), "-1");
}

#[test]
fn point_09_requisitions_and_credit_notes_are_switches() {
    let desk = Desk::with(|setup| setup.requisitions = true);
    let id = desk.invoice(&two_mugs());
    assert_eq!((&desk.read(id)["requisition_delivery_status"], desk.stock(3, 1)), (&json!("1"), "100".into()));
    desk.account(|account| account.hand(Hand::AcceptRequisition { document: id }, START.parse().unwrap())).unwrap();
    assert_eq!((&desk.read(id)["requisition_delivery_status"], desk.stock(3, 1)), (&json!("3"), "98".into()));
    assert_eq!(desk.put(&format!("/api2/invoices/{id}"), &two_mugs()).status, 400);

    let note = json!({"CreditNote": {"client_id": 15, "subscription_id": id}, "InvoiceItem": [row("100", "1")]});
    assert_eq!(desk.post("/api2/credit_notes", &note).status, 202);
    assert_eq!(desk.stock(3, 1), "98");
    desk.change(|setup| setup.credit_note_stock = true);
    assert_eq!(desk.post("/api2/credit_notes", &note).status, 202);
    assert_eq!(desk.stock(3, 1), "99");
}

#[test]
fn point_10_put_replaces_rows_and_gives_new_item_ids() {
    let desk = Desk::new();
    let id = desk.invoice(&two_mugs());
    let before = desk.read(id);
    let body =
        json!({"Invoice": {"client_id": 15, "store_id": 1, "date": "2026-06-17"}, "InvoiceItem": [row("50", "4")]});
    let reply = desk.put(&format!("/api2/invoices/{id}.json"), &body);
    assert_eq!((reply.status, reply.json()), (200, json!({"code": 200, "result": "successful"})));
    let after = desk.read(id);
    assert_eq!((&after["id"], &after["no"]), (&before["id"], &before["no"]));
    assert_eq!((after["InvoiceItem"].as_array().unwrap().len(), &after["summary_total"]), (1, &json!(200)));
    assert_ne!(after["InvoiceItem"][0]["id"], before["InvoiceItem"][0]["id"]);
    let without_client = json!({"Invoice": {"store_id": 1}, "InvoiceItem": [row("50", "4")]});
    assert!(desk.put(&format!("/api2/invoices/{id}"), &without_client).complains_about("client_id"));
    assert_eq!(desk.post(&format!("/api2/invoices/{id}"), &body).status, 200, "POST with an id is a PUT");
    assert_eq!(desk.invoices(), 1);
}

#[test]
fn point_10_what_a_partial_put_leaves_is_a_switch() {
    for (partial_put, rows, payments, fields, po_number) in
        [(PartialPut::Keep, 1, 1, 1, json!("SHOP-1001")), (PartialPut::Drop, 0, 0, 0, Value::Null)]
    {
        let desk = Desk::with(|setup| setup.partial_put = partial_put);
        let mut body = two_mugs();
        body["Payment"] = json!([{"payment_method": "cash", "amount": 5}]);
        body["InvoiceCustomField"] = json!({"a": "b"});
        let id = desk.invoice(&body);
        let item = desk.read(id)["InvoiceItem"][0]["id"].clone();
        assert_eq!(desk.put(&format!("/api2/invoices/{id}"), &json!({"Invoice": {"client_id": 15}})).status, 200);
        let after = desk.read(id);
        let count = |name: &str| after[name].as_array().unwrap().len();
        assert_eq!(
            (count("InvoiceItem"), count("InvoicePayment"), count("InvoiceCustomField")),
            (rows, payments, fields)
        );
        assert_eq!(after["po_number"], po_number);
        if partial_put == PartialPut::Keep {
            assert_eq!(after["InvoiceItem"][0]["id"], item);
        }
    }
}

#[test]
fn point_10_locked_invoices_refuse_a_put() {
    let desk = Desk::new();
    let id = desk.invoice(&two_mugs());
    let path = format!("/api2/invoices/{id}");
    desk.change(|setup| setup.closed_until = Some("2026-06-17".parse().unwrap()));
    assert_eq!(desk.put(&path, &two_mugs()).status, 400);
    let moved = with(two_mugs(), "/Invoice/date", json!("2026-06-18"));
    assert_eq!(desk.put(&path, &moved).status, 400, "it cannot leave the closed period either");
    desk.change(|setup| setup.closed_until = None);
    assert_eq!(desk.put(&path, &two_mugs()).status, 200);
    desk.account(|account| account.hand(Hand::AcceptEInvoice { document: id }, START.parse().unwrap())).unwrap();
    assert_eq!(desk.put(&path, &two_mugs()).status, 400);
    desk.change(|setup| setup.refuse_with_404 = true);
    assert_eq!(desk.put(&path, &two_mugs()).status, 404);
    assert_eq!(desk.get(&path).status, 200, "refused as if it were gone, and yet it is there");
}

#[test]
fn point_10_branches_see_only_their_own() {
    let desk = Desk::with(|setup| setup.branches = vec![1, 2]);
    desk.account(|account| account.add_product(Product { id: 7, branch_id: Some(2), ..Product::default() }));
    let reply = desk.post("/api2/invoices?request_branch_id=2", &two_mugs()).json();
    let path = format!("/api2/invoices/{}", reply["id"]);
    assert_eq!((desk.get(&path).status, desk.put(&path, &two_mugs()).status), (404, 404));
    assert_eq!(desk.put(&format!("{path}?request_branch_id=2"), &two_mugs()).status, 200);
    assert_eq!(desk.get("/api2/invoices").json()["pagination"]["total_results"], 0);
    assert_eq!(desk.get("/api2/invoices?request_branch_id=9").status, 403);
    let foreign = with(two_mugs(), "/InvoiceItem/0/product_id", json!(7));
    assert!(desk.post("/api2/invoices", &foreign).complains_about("InvoiceItem.0.product_id"));
}

#[test]
fn point_11_payments_and_the_status_they_make() {
    let desk = Desk::new();
    let id = desk.invoice(&two_mugs());
    let pay = |amount: &str| {
        let body = json!({"InvoicePayment": {"invoice_id": id, "payment_method": "cash", "amount": amount}});
        let reply = desk.post("/api2/invoice_payments", &body);
        assert_eq!(reply.status, 202);
        reply.json()["id"].as_u64().unwrap()
    };
    let standing = || {
        let invoice = desk.read(id);
        (
            invoice["payment_status"].as_i64().unwrap(),
            invoice["summary_paid"].clone(),
            invoice["summary_unpaid"].clone(),
        )
    };
    assert_eq!(standing(), (0, json!("0"), json!(200)));
    pay("50");
    assert_eq!(standing(), (1, json!("50"), json!(150)));
    pay("150");
    assert_eq!(standing(), (2, json!("200"), json!(0)));
    let last = pay("1");
    assert_eq!(standing(), (4, json!("201"), json!(-1)));
    let gone = desk.delete(&format!("/api2/invoice_payments/{last}"));
    assert_eq!((gone.status, gone.message().as_str()), (200, "Payment has been deleted"));
    assert_eq!(standing().0, 2);
    let missing = desk.delete(&format!("/api2/invoice_payments/{last}"));
    assert_eq!((missing.status, missing.message().as_str()), (404, "Payment not found"));

    let pending = json!({"InvoicePayment": {"invoice_id": id, "payment_method": "cash", "amount": 9, "status": 2}});
    desk.post("/api2/invoice_payments", &pending);
    assert_eq!(standing().0, 2, "a pending payment is not money");
    let nowhere = json!({"InvoicePayment": {"invoice_id": 5, "payment_method": "cash", "amount": 9}});
    assert!(desk.post("/api2/invoice_payments", &nowhere).complains_about("invoice_id"));
    desk.change(|setup| setup.closed_until = Some("2026-06-30".parse().unwrap()));
    assert_eq!(desk.post("/api2/invoice_payments", &pending).status, 400);
    assert_eq!(desk.delete("/api2/invoice_payments/301").status, 400);
}

#[test]
fn point_11_refunds_raise_the_refund_sum_and_end_as_refunded() {
    let desk = Desk::new();
    let id = desk.invoice(&two_mugs());
    let standing = || {
        let invoice = desk.read(id);
        (invoice["payment_status"].as_i64().unwrap(), invoice["summary_refund"].clone())
    };
    desk.post("/api2/refund_receipts", &receipt(id, "1"));
    assert_eq!(standing(), (0, json!(100)));
    let last = desk.post("/api2/refund_receipts", &receipt(id, "1")).json()["id"].clone();
    assert_eq!(standing(), (3, json!(200)));
    let money = json!({"InvoicePayment": {"invoice_id": last, "payment_method": "cash", "amount": 100}});
    assert_eq!(desk.post("/api2/invoice_payments", &money).status, 202, "a receipt can be paid out");
    let read = desk.get(&format!("/api2/refund_receipts/{last}")).json();
    assert_eq!(read["data"]["RefundReceipt"]["summary_paid"], "100");
}

#[test]
fn point_12_receipts_belong_to_an_invoice_and_lists_only_page() {
    let desk = Desk::new();
    let id = desk.invoice(&two_mugs());
    assert!(desk.post("/api2/refund_receipts", &receipt(9, "1")).complains_about("subscription_id"));
    let orphan = with(receipt(id, "1"), "/RefundReceipt/subscription_id", Value::Null);
    assert!(desk.post("/api2/refund_receipts", &orphan).complains_about("subscription_id"));
    let homeless = with(receipt(id, "1"), "/RefundReceipt/store_id", Value::Null);
    assert!(desk.post("/api2/refund_receipts", &homeless).complains_about("store_id"));

    let mut paid = receipt(id, "1");
    paid["InvoicePayment"] = json!([{"payment_method": "cash", "amount": 100}]);
    paid["Payment"] = json!([{"payment_method": "nobody reads this", "amount": 1}]);
    let reply = desk.post("/api2/refund_receipts", &paid);
    assert_eq!((reply.status, reply.json().get("invoice_number")), (202, None));
    let first = reply.json()["id"].as_u64().unwrap();
    let read = desk.get(&format!("/api2/refund_receipts/{first}")).json()["data"]["RefundReceipt"].clone();
    assert_eq!((&read["type"], &read["subscription_id"]), (&json!("6"), &json!(id.to_string())));
    assert_eq!((&read["summary_total"], read["InvoicePayment"].as_array().unwrap().len()), (&json!(100), 1));

    let other = desk.invoice(&two_mugs());
    desk.post("/api2/refund_receipts", &receipt(other, "1"));
    let all = desk.get(&format!("/api2/refund_receipts?subscription_id={id}&client_id=99")).json();
    assert_eq!(all["pagination"]["total_results"], 2, "v1 has no filter");
    let own = desk.get(&format!("/v2/api/entity/refund_receipt/list?filter[subscription_id]={id}")).json();
    assert_eq!((&own["total"], &own["data"][0]["id"]), (&json!(1), &json!(first)));
}

#[test]
fn point_13_an_invoice_with_transactions_cannot_be_deleted() {
    let desk = Desk::new();
    let id = desk.invoice(&with(two_mugs(), "/Payment", json!([{"payment_method": "cash", "amount": 5}])));
    let reply = desk.delete(&format!("/api2/invoices/{id}"));
    assert_eq!((reply.status, reply.message().as_str()), (400, "Can't delete item. Remove its transactions first."));
    desk.delete("/api2/invoice_payments/301");
    assert_eq!(desk.delete(&format!("/api2/invoices/{id}")).status, 200);
    assert_eq!(desk.get(&format!("/api2/invoices/{id}")).status, 404);
    assert_eq!(desk.get("/api2/invoices").json()["pagination"]["total_results"], 0);
    assert_eq!(desk.stock(3, 1), "100");
    let rows = |query: &str| desk.get(&format!("/v2/api/entity/invoice/list?{query}")).json()["total"].clone();
    assert_eq!((rows(""), rows("filter[deleted_at][is_null]=1")), (json!(1), json!(0)));
}

#[test]
fn point_14_v2_rows_are_flat_with_real_numbers() {
    let desk = Desk::new();
    let id = desk.invoice(&with(two_mugs(), "/Payment", json!([{"payment_method": "cash", "amount": "5.50"}])));
    let list = desk.get("/v2/api/entity/invoice/list/1?per_page=50").json();
    for name in ["first_page_url", "from", "last_page", "last_page_url", "links", "next_page_url", "path", "to"] {
        assert!(list.get(name).is_some(), "{name}");
    }
    assert_eq!((&list["current_page"], &list["per_page"], &list["total"]), (&json!(1), &json!(50), &json!(1)));
    let invoice = &list["data"][0];
    assert_eq!(
        (&invoice["id"], &invoice["summary_total"], &invoice["draft"]),
        (&json!(id), &json!(200), &json!(false))
    );
    assert_eq!((&invoice["date"], &invoice["invoice_item"][0]["product_id"]), (&json!("2026-06-17"), &json!(3)));
    assert_eq!(invoice["payment"][0]["amount"].to_string(), "5.5");

    let payments = desk.get(&format!("/v2/api/entity/invoice_payment/list?filter[invoice_id]={id}")).json();
    assert_eq!(payments["data"][0]["amount"].to_string(), "5.5");
    let methods = desk.get("/v2/api/entity/site_payment_gateway/list/1?per_page=100").json();
    assert_eq!(methods["data"][0]["payment_gateway"], "cash");
    assert_eq!(desk.get("/v2/api/entity/product/3/1").json()["product_code"], "MUG");
    let missing = desk.get("/v2/api/entity/product/999/1");
    assert_eq!((missing.status, missing.json()), (400, json!({"message": "Record not found"})));
    assert_eq!(desk.get("/v2/api/entity/branch/list").json(), json!({"error": "Entity Not exists"}));
    let hints = desk.get("/v2/api/entity/client/filter-auto-suggest?filter[business_name][like]=web").json();
    assert_eq!(hints, json!([{"id": 15, "name": "Web buyers", "avatar": null}]));

    let made = desk.post("/v2/api/entity/client", &json!({"business_name": "New"}));
    assert_eq!((made.status, made.json()["id"].as_u64()), (200, Some(16)));
    let refused = desk.post("/v2/api/entity/client", &json!({}));
    assert_eq!((refused.status, refused.message().as_str()), (422, "Entity not saved"));
}

#[test]
fn point_14_v2_filter_grammar() {
    let desk = Desk::new();
    let ids = |query: &str| -> Vec<u64> {
        let list = desk.get(&format!("/v2/api/entity/product/list?{query}")).json();
        list["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(ids("filter[barcode]=6281000000024"), [4]);
    assert_eq!(ids("filter%5Bproduct_code%5D=mug"), [3], "text compares without case");
    assert_eq!(ids("filter[product_code][not_equal]=MUG"), [4, 5]);
    assert_eq!(ids("filter[id][gt]=3&filter[id][lte]=4"), [4]);
    assert_eq!(ids("filter[id][in][]=3&filter[id][in][]=5"), [3, 5]);
    assert_eq!(ids("filter[id][not_in][]=3&filter[id][not_in][]=5"), [4]);
    assert_eq!(ids("filter[or][product_code][like]=EA&filter[or][barcode][like]=0017"), [3, 5]);
    assert_eq!(ids("filter[tax1][is_null]=1"), [3, 4, 5]);
    assert_eq!(ids("filter[no_such_field]=1"), [3, 4, 5], "ignored");
    assert_eq!(ids("sort[id]=desc&per_page=2"), [5, 4]);
    assert_eq!(ids("sort[id]=desc&per_page=2&page=2"), [3]);
    desk.change(|setup| setup.v2_filters = false);
    assert_eq!(ids("filter[barcode]=6281000000024"), [3, 4, 5]);
}

#[test]
fn point_15_site_info_names_the_full_host() {
    let desk = Desk::new();
    let site = desk.get("/api2/site_info.json").json()["data"]["Site"].clone();
    assert_eq!((&site["subdomain"], &site["currency_code"]), (&json!("one.daftra.com"), &json!("SAR")));
    assert!(site["id"].is_string() && site["date_format"].is_string() && site["timezone"].is_string());
    assert_eq!((&site["staff_id"], &site["is_expired"]), (&json!(-3), &json!(false)));
    desk.change(|setup| setup.expired = true);
    assert_eq!(desk.get("/api2/site_info").json()["data"]["Site"]["is_expired"], true);
}

#[test]
fn point_16_a_get_issues_a_draft() {
    let desk = Desk::new();
    let id = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));
    let path = format!("/api2/invoices/update_draft/{id}/0.json");
    assert_eq!(desk.get(&path).json(), json!({"code": 200, "result": "successful"}));
    assert_eq!((&desk.read(id)["draft"], &desk.read(id)["no"]), (&json!("0"), &json!("000094")));
    assert_eq!(desk.stock(3, 1), "98");
    assert_eq!(desk.get(&path).status, 200);
    desk.change(|setup| setup.reissue_refused = true);
    assert_eq!(desk.get(&path).status, 400);
    assert_eq!(desk.read(id)["no"], "000094");
}

#[test]
fn point_17_messages_speak_the_account_s_language() {
    let desk = Desk::with(|setup| setup.language = Language::Ar);
    assert_eq!(desk.get("/api2/nothing").message(), "رابط غير صالح");
    let reply = desk.post("/api2/invoices", &with(two_mugs(), "/Invoice/client_id", json!(99))).json();
    assert_eq!(reply["validation_errors"]["client_id"], "غير موجود");
}

#[test]
fn fault_lose_request() {
    let desk = Desk::new();
    desk.fault(FaultKind::LoseRequest);
    assert!(desk.lost(&two_mugs()).is_empty());
    assert_eq!(desk.invoices(), 0);
    desk.invoice(&two_mugs());
}

#[test]
fn fault_lose_answer() {
    let desk = Desk::new();
    desk.fault(FaultKind::LoseAnswer);
    assert!(desk.lost(&two_mugs()).is_empty());
    assert_eq!((desk.invoices(), desk.stock(3, 1)), (1, "98".into()));
}

#[test]
fn fault_late() {
    let desk = Desk::new();
    desk.fault(FaultKind::Late { seconds: 60 });
    assert!(desk.lost(&two_mugs()).is_empty());
    let total = || desk.get("/api2/invoices").json()["pagination"]["total_results"].clone();
    assert_eq!(total(), 0);
    let due = desk.server.world().lock().unwrap().next_event().unwrap();
    assert_eq!(due, desk.now() + SignedDuration::from_secs(60));
    desk.wait(59);
    assert_eq!(total(), 0);
    desk.wait(1);
    assert_eq!(total(), 1);
    assert_eq!(desk.server.world().lock().unwrap().next_event(), None);
    desk.wait(60);
    assert_eq!(desk.read(1001)["created"], "2026-06-17 12:01:00", "at the moment of its arrival");
}

#[test]
fn fault_errors_before_and_after_saving() {
    let desk = Desk::new();
    desk.fault(FaultKind::ErrorBeforeSaving);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert_eq!((reply.status, reply.message().as_str()), (500, "Internal Server Error"));
    assert_eq!(desk.invoices(), 0);
    desk.fault(FaultKind::ErrorAfterSaving);
    assert_eq!(desk.post("/api2/invoices", &two_mugs()).status, 500);
    assert_eq!(desk.invoices(), 1);
}

#[test]
fn fault_failed_with_200() {
    let desk = Desk::new();
    desk.fault(FaultKind::FailedWith200);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert_eq!((reply.status, reply.json()["result"].as_str()), (200, Some("failed")));
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_html_page_and_redirect() {
    let desk = Desk::new();
    desk.fault(FaultKind::HtmlPage);
    let page = desk.post("/api2/invoices", &two_mugs());
    assert!(page.status == 200 && page.body.starts_with(b"<!DOCTYPE html>"));
    desk.fault(FaultKind::HtmlRedirect);
    let redirect = desk.post("/api2/invoices", &two_mugs());
    assert!(redirect.status == 302 && redirect.head.to_lowercase().contains("location: /login"));
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_unauthorized_and_forbidden() {
    let desk = Desk::new();
    desk.fault(FaultKind::Unauthorized);
    assert_eq!(desk.post("/api2/invoices", &two_mugs()).status, 401);
    desk.fault(FaultKind::Forbidden);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert!(reply.status == 403 && reply.json()["error_type"].is_string() && reply.json()["extra_data"].is_array());
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_throttled_with_and_without_retry_after() {
    let desk = Desk::new();
    for retry_after in [Some(30), None] {
        desk.fault(FaultKind::Throttled { retry_after });
        let reply = desk.post("/api2/invoices", &two_mugs());
        assert_eq!(reply.status, 429);
        assert_eq!(reply.head.to_lowercase().contains("retry-after: 30"), retry_after.is_some());
    }
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_slow() {
    let mut world = World::new(1);
    let mut account = furnished(|_| {});
    account.add_fault(Fault::once(FaultKind::Slow { seconds: 40 }));
    world.add(account);
    let request =
        Request::new("POST", "/acct/one/api2/invoices").with_header("apikey", "key-one").with_json(&two_mugs());
    match world.react(&request, START.parse().unwrap()) {
        Reaction::Answer { answer, after } => assert_eq!((answer.status, after.as_secs()), (202, 40)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn fault_hang() {
    let desk = Desk::new();
    desk.fault(FaultKind::Hang);
    let mut stream = TcpStream::connect(desk.server.address()).unwrap();
    let head = "POST /acct/one/api2/invoices HTTP/1.1\r\nHost: x\r\napikey: key-one\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    stream.shutdown(Shutdown::Both).unwrap();
    desk.invoice(&two_mugs());
}

#[test]
fn fault_cut_at_a_byte() {
    let desk = Desk::new();
    for bytes in [0, 5, 60] {
        desk.fault(FaultKind::CutAt { bytes });
        let got = desk.lost(&two_mugs());
        assert_eq!(got.len(), bytes);
        assert!(b"HTTP/1.1 202".starts_with(&got[..bytes.min(12)]));
    }
    desk.fault(FaultKind::CutAt { bytes: 10_000 });
    assert!(desk.lost(&two_mugs()).ends_with(b"}"), "more bytes than there are is the whole answer");
    assert_eq!(desk.invoices(), 4);
}

#[test]
fn fault_truncated_json() {
    let desk = Desk::new();
    desk.fault(FaultKind::TruncatedJson);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert_eq!(reply.status, 202);
    assert!(reply.body.starts_with(b"{") && serde_json::from_slice::<Value>(&reply.body).is_err());
    assert_eq!(desk.invoices(), 1);
}

#[test]
fn fault_refuse() {
    let desk = Desk::new();
    desk.fault(FaultKind::Refuse);
    assert!(desk.lost(&two_mugs()).is_empty());
    assert_eq!(desk.invoices(), 0);
    let mut world = World::new(1);
    let mut account = furnished(|_| {});
    account.add_fault(Fault::always(FaultKind::Refuse));
    world.add(account);
    let request = Request::new("GET", "/acct/one/api2/invoices");
    assert_eq!(world.react(&request, START.parse().unwrap()), Reaction::Refuse);
}

#[test]
fn faults_of_chance_repeat_with_the_seed() {
    let run = |seed| -> Vec<bool> {
        let mut world = World::new(seed);
        let mut account = furnished(|_| {});
        account.add_fault(Fault::always(FaultKind::LoseAnswer).on("GET", "site_info").per_mille(300));
        world.add(account);
        let request = Request::new("GET", "/acct/one/api2/site_info").with_header("apikey", "key-one");
        (0..1000).map(|_| world.react(&request, START.parse().unwrap()) == Reaction::Close).collect()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let lost = run(3).into_iter().filter(|lost| *lost).count();
    assert!((230..370).contains(&lost), "{lost}");
}

#[test]
fn faults_hit_only_the_calls_they_name_and_only_so_often() {
    let desk = Desk::new();
    let fault = Fault { times: Some(2), ..Fault::always(FaultKind::ErrorBeforeSaving).on("POST", "invoices") };
    desk.account(|account| account.add_fault(fault));
    assert_eq!(desk.get("/api2/invoices").status, 200);
    let statuses: Vec<u16> = (0..3).map(|_| desk.post("/api2/invoices", &two_mugs()).status).collect();
    assert_eq!(statuses, [500, 500, 202]);
}

#[test]
fn control_sets_up_breaks_and_reads_an_account() {
    let desk = Desk::new();
    let control = |method: &str, path: &str, body: &Value| desk.send(method, path, "", &body.to_string());
    let ok = |method: &str, path: &str, body: &Value| {
        let reply = control(method, &format!("/control/acct{path}"), body);
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
        reply.json()
    };
    ok("POST", "", &json!({"name": "two", "keys": [{"key": "k"}], "currency": "KWD", "decimals": 3}));
    assert_eq!(ok("GET", "", &json!({})), json!(["one", "two"]));
    assert_eq!(ok("POST", "/two/client", &json!({"business_name": "Buyer"})), json!({"id": 1}));
    ok("POST", "/two/store", &json!({"id": 4, "name": "Main", "primary": true}));
    ok("POST", "/two/tax", &json!({"name": "VAT", "value": "5", "included": true}));
    ok("POST", "/two/treasury", &json!({"name": "Bank"}));
    ok("POST", "/two/method", &json!({"payment_gateway": "cash", "treasury_id": 2}));
    ok("POST", "/two/product", &json!({"id": 8, "name": "Mug", "product_code": "MUG", "type": 1}));
    ok("POST", "/two/stock", &json!({"product_id": 8, "store_id": 4, "quantity": 10}));
    ok("POST", "/two/settings", &json!({"closed_until": "2025-12-31", "rounding": "document"}));
    ok("POST", "/two/fault", &json!({"kind": "throttled", "retry_after": 5, "method": "POST", "times": 1}));

    let body =
        json!({"Invoice": {"client_id": 1}, "InvoiceItem": [{"product_id": 8, "unit_price": 1.005, "quantity": 3}]});
    let create = || desk.send("POST", "/acct/two/api2/invoices", "apikey: k\r\n", &body.to_string());
    assert_eq!((create().status, create().status), (429, 202));
    ok("POST", "/two/fault", &json!({"kind": "hang"}));
    ok("DELETE", "/two/faults", &json!({}));
    let books = ok("GET", "/two/books", &json!({}));
    let invoice = &books["invoices"][0];
    assert_eq!((&invoice["totals"]["total"], &invoice["standing"]["status"]), (&json!("3.015"), &json!(0)));
    assert_eq!((&books["stock"]["8"]["4"], &books["calls"]["POST invoices"]), (&json!("7"), &json!(2)));

    let id = &invoice["id"];
    for hand in [
        json!({"do": "change_row", "document": id, "row": 0, "quantity": 1}),
        json!({"do": "add_row", "document": id, "item": "Gift wrap", "unit_price": 2, "quantity": 1}),
        json!({"do": "set_notes", "document": id, "notes": "Call first"}),
        json!({"do": "add_custom_field", "document": id, "label": "Driver", "value": "Ali"}),
        json!({"do": "add_payment", "document": id, "method": "cash", "amount": "3.005"}),
        json!({"do": "accept_e_invoice", "document": id}),
    ] {
        ok("POST", "/two/hand", &hand);
    }
    let books = ok("GET", "/two/books", &json!({}));
    let invoice = &books["invoices"][0];
    assert_eq!((&invoice["totals"]["total"], &invoice["standing"]["status"]), (&json!("3.005"), &json!(2)));
    assert_eq!(
        (&invoice["texts"]["notes"], &invoice["custom_fields"][0]["value"]),
        (&json!("Call first"), &json!("Ali"))
    );
    assert_eq!((&books["stock"]["8"]["4"], &invoice["e_invoice_accepted"]), (&json!("9"), &json!(true)));
    ok("POST", "/two/hand", &json!({"do": "delete", "document": id}));
    assert_eq!(ok("GET", "/two/books", &json!({}))["stock"]["8"]["4"], "10");

    for (method, path, body, status) in [
        ("POST", "/two/settings", json!({"roundin": "row"}), 400),
        ("POST", "/two/settings", json!({"time_zone": "Moon/Sea"}), 400),
        ("POST", "/two/fault", json!({"kind": "rain"}), 400),
        ("POST", "/two/hand", json!({"do": "delete", "document": 5}), 400),
        ("POST", "", json!({"name": "a/b"}), 400),
        ("GET", "/three/books", json!({}), 404),
        ("GET", "/two/nothing", json!({}), 404),
    ] {
        assert_eq!(control(method, &format!("/control/acct{path}"), &body).status, status, "{path} {body}");
    }
}

#[test]
fn a_dropped_server_no_longer_listens() {
    let desk = Desk::new();
    let address = desk.server.address();
    let idle = TcpStream::connect(address).unwrap();
    drop(desk);
    assert!(TcpStream::connect(address).is_err());
    drop(idle);
}

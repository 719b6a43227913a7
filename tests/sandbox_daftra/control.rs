//! The control API, edits by hand, and the end of a server.

use crate::desk::Desk;
use serde_json::{Value, json};
use std::net::TcpStream;

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
fn control_explains_itself_and_what_it_says_is_there() {
    let desk = Desk::new();
    let page = desk.send("GET", "/control", "", "");
    assert!(page.head.to_lowercase().contains("content-type: text/plain"));
    let help = String::from_utf8(page.body).unwrap();
    let mut routes = 0;
    for line in help.lines() {
        let mut words = line.split_whitespace();
        let (Some(method @ ("GET" | "POST" | "DELETE")), Some(path)) = (words.next(), words.next()) else { continue };
        let path = path.replace("<name>", "one").replace("<id>", "3");
        // An empty body is wrong for most; a route that is not there would say 404.
        assert_ne!(desk.send(method, &path, "", "").status, 404, "{method} {path}");
        routes += 1;
    }
    assert!(routes >= 15, "{help}");
    assert!(!help.contains("//") && !help.contains("```"), "{help}");
}

#[test]
fn control_makes_every_bad_day_it_names() {
    let desk = Desk::new();
    let help = String::from_utf8(desk.send("GET", "/control", "", "").body).unwrap();
    let kinds = [
        json!({"kind": "lose_request"}),
        json!({"kind": "lose_answer"}),
        json!({"kind": "late", "seconds": 5}),
        json!({"kind": "slow", "seconds": 5}),
        json!({"kind": "drip", "bytes_per_second": 5}),
        json!({"kind": "hang"}),
        json!({"kind": "refuse"}),
        json!({"kind": "error_before_saving"}),
        json!({"kind": "error_after_saving"}),
        json!({"kind": "failed_with200"}),
        json!({"kind": "html_page"}),
        json!({"kind": "html_redirect"}),
        json!({"kind": "unauthorized", "after": 3}),
        json!({"kind": "forbidden"}),
        json!({"kind": "throttled"}),
        json!({"kind": "cut_at", "bytes": 5}),
        json!({"kind": "truncated_json"}),
    ];
    for fault in &kinds {
        assert!(help.contains(fault["kind"].as_str().unwrap()), "{fault}");
        assert_eq!(desk.send("POST", "/control/acct/one/fault", "", &fault.to_string()).status, 200, "{fault}");
    }
    let waiting = desk.send("GET", "/control/acct/one/faults", "", "").json();
    assert_eq!(waiting.as_array().unwrap().len(), kinds.len());
    assert_eq!((&waiting[12]["kind"], &waiting[12]["after"]), (&json!("unauthorized"), &json!(3)));
    desk.send("DELETE", "/control/acct/one/faults", "", "");
    assert_eq!(desk.send("GET", "/control/acct/one/faults", "", "").json(), json!([]));
}

#[test]
fn control_takes_back_what_it_gave_and_shows_what_it_set() {
    let desk = Desk::new();
    let control = |method: &str, path: &str, body: &Value| {
        let reply = desk.send(method, &format!("/control/acct/one/{path}"), "", &body.to_string());
        (reply.status, reply.json())
    };
    assert_eq!(control("POST", "settings", &json!({"requisitions": true})).0, 200);
    let (_, settings) = control("GET", "settings", &json!({}));
    assert_eq!((&settings["requisitions"], &settings["rounding"]), (&json!(true), &json!("row")));
    for kind in ["product/3", "client/15", "store/2", "tax/4", "method/1", "treasury/1"] {
        assert_eq!(control("DELETE", kind, &json!({})).0, 200, "{kind}");
        assert_eq!(control("DELETE", kind, &json!({})).0, 404, "{kind}");
    }
    assert_eq!(control("POST", "revoke", &json!({"key": "key-one"})).0, 200);
    assert_eq!(control("POST", "revoke", &json!({"key": "key-one"})).0, 400);
    assert_eq!(desk.get("/api2/site_info").status, 401);

    let unknowns = desk.send("GET", "/control/unknowns", "", "").json();
    let of = |name: &str| unknowns.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(of("partial_put"), json!({"name": "partial_put", "default": "drop", "other": "keep", "changes": null}));
    assert!(of("closed_until")["changes"].is_string());
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

#[test]
fn control_takes_no_orders_from_pages_of_other_sites() {
    let desk = Desk::new();
    let status = |headers: &str| desk.send("POST", "/control/acct/one/settings", headers, "{}").status;
    assert_eq!(status(""), 200);
    assert_eq!(status("Sec-Fetch-Site: none\r\n"), 200, "typed into the address line");
    assert_eq!(status("Sec-Fetch-Site: cross-site\r\n"), 403);
    assert_eq!(status("Sec-Fetch-Site: same-site\r\n"), 403, "another port of this machine");
    assert_eq!(status("Origin: http://elsewhere.example\r\n"), 403);
}

#[test]
fn control_opens_a_shop_and_says_what_happens_there() {
    let desk = Desk::new();
    let control = |method: &str, path: &str, body: &Value| {
        let reply = desk.send(method, &format!("/control/shop{path}"), "", &body.to_string());
        (reply.status, serde_json::from_slice::<Value>(&reply.body).unwrap())
    };
    let wadi = json!({"domain": "wadi.myshopify.com"});
    let (status, opened) = control("POST", "", &wadi);
    assert_eq!((status, &opened["token"]), (200, &json!("shpat_wadi")));
    assert_eq!(control("POST", "", &wadi).0, 400, "it is open already");
    assert_eq!(control("POST", "", &json!({"domain": "wadi.example"})).0, 400);
    assert_eq!(control("GET", "", &json!({})).1, json!(["wadi.myshopify.com"]));
    assert_eq!(control("GET", "/other.myshopify.com", &json!({})).0, 404);
    let (_, bought) = control(
        "POST",
        "/wadi.myshopify.com/buy",
        &json!({"lines": [{"sku": "WH-2040", "quantity": 3}], "paid": false}),
    );
    assert_eq!(bought["name"], "#1001");
    assert_eq!(control("POST", "/wadi.myshopify.com/buy", &json!({"lines": [{"sku": "X", "quantity": 3}]})).0, 400);
    let deed = |deed: &str, body: &Value| {
        control("POST", &format!("/wadi.myshopify.com/order/{}/{deed}", bought["order"]), body).0
    };
    let line = json!({"sku": "WH-2040", "quantity": 1});
    assert_eq!(["pay", "ship", "refund", "pay"].map(|word| deed(word, &line)), [200, 200, 200, 400]);
    assert_eq!(deed("sing", &line), 404);
    assert_eq!(control("GET", "/wadi.myshopify.com", &json!({})).1["orders"][0]["money"], "partially_refunded");
    let ask = || {
        let headers = "X-Shopify-Access-Token: shpat_wadi\r\n";
        let body = json!({"operationName": "Orders", "query": "", "variables": {"q": ""}});
        let path = "/shop/wadi.myshopify.com/admin/api/2026-07/graphql.json";
        desk.send("POST", path, headers, &body.to_string())
    };
    assert_eq!(ask().json()["data"]["orders"]["nodes"][0]["name"], "#1001");
    assert_eq!(control("POST", "/wadi.myshopify.com/shut", &json!({"status": 423})).0, 200);
    assert_eq!(ask().status, 423);
    control("POST", "/wadi.myshopify.com/shut", &json!({"status": null}));
    assert_eq!(control("POST", "/wadi.myshopify.com/revoke", &json!({"token": "shpat_wadi"})).0, 200);
    assert_eq!(ask().status, 401);
    assert_eq!(deed("delete", &line), 200);
    assert_eq!(control("GET", "/wadi.myshopify.com", &json!({})).1["orders"], json!([]));
}

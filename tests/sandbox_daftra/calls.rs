//! What every call shares: keys, routes, lists, the two dialects.

use crate::desk::{Desk, row, two_mugs, with};
use qantara::sandbox::daftra::{ApiKey, Client, Language, Product, WhenExpired};
use serde_json::{Value, json};

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
    assert_eq!(ids("filter[tax1][is_null]=0"), [] as [u64; 0]);
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
fn point_17_messages_speak_the_account_s_language() {
    let desk = Desk::with(|setup| setup.language = Language::Ar);
    assert_eq!(desk.get("/api2/nothing").message(), "رابط غير صالح");
    let reply = desk.post("/api2/invoices", &with(two_mugs(), "/Invoice/client_id", json!(99))).json();
    assert_eq!(reply["validation_errors"]["client_id"], "غير موجود");
}

#[test]
fn point_02_a_refused_write_may_come_with_200() {
    let desk = Desk::with(|setup| setup.failures_with_200 = true);
    let wrong = with(two_mugs(), "/Invoice/client_id", json!(99));
    let reply = desk.post("/api2/invoices", &wrong);
    assert_eq!(
        (reply.status, reply.json()["code"].as_u64(), reply.message().as_str()),
        (200, Some(200), "Bad Request")
    );
    assert_eq!(reply.json()["result"], "failed");
    assert_eq!(desk.get("/api2/invoices/999").status, 404, "what is not there is not there");
    desk.change(|setup| setup.nested_complaints = true);
    let wrong = with(wrong, "/InvoiceItem/0/tax1", json!(99));
    let complaints = desk.post("/api2/invoices", &wrong).json()["validation_errors"].clone();
    assert_eq!(complaints, json!({"Invoice": {"client_id": ["Not found"]}, "InvoiceItem": {"0.tax1": ["Not found"]}}));
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn point_02_an_empty_map_is_a_list_or_a_map() {
    let desk = Desk::new();
    desk.account(|account| account.add_product(Product { id: 8, ..Product::default() }));
    let empty = || {
        let product = desk.get("/api2/products/8").json()["data"]["Product"]["productAvailableQTY"].clone();
        [product, desk.get("/api2/nothing").json()["extra_data"].clone()]
    };
    assert_eq!(empty(), [json!([]), json!([])]);
    desk.change(|setup| setup.empty_maps_as_lists = false);
    assert_eq!(empty(), [json!({}), json!({})]);
}

#[test]
fn point_03_v1_filters_and_drafts_are_switches() {
    let desk = Desk::new();
    let draft = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));
    let issued = desk.invoice(&with(two_mugs(), "/Invoice/date", json!("2026-06-18")));
    let ids = |query: &str| -> Vec<u64> {
        let list = desk.get(&format!("/api2/invoices?{query}")).json();
        let rows = list["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["Invoice"]["id"].as_str().unwrap().parse().unwrap()).collect()
    };
    assert_eq!((ids("created_from=2026-06-18"), ids("")), (vec![], vec![issued, draft]));
    desk.change(|setup| setup.v1_filters = false);
    assert_eq!(ids("created_from=2026-06-18&client_id=9"), [issued, draft], "ignored");
    assert_eq!(ids("sort=id&direction=asc&limit=1"), [draft], "order and paging are no filters");
    desk.change(|setup| setup.drafts_listed = false);
    assert_eq!(
        (ids(""), ids("draft=1"), ids("payment_status=-1")),
        (vec![issued], vec![issued, draft], vec![issued, draft])
    );
    desk.change(|setup| setup.v1_filters = true);
    assert_eq!((ids(""), ids("draft=1")), (vec![issued], vec![draft]));
}

#[test]
fn point_14_counts_in_meta_and_rows_without_relations_are_switches() {
    let desk = Desk::with(|setup| (setup.v2_meta, setup.v2_relations) = (true, false));
    let id = desk.invoice(&two_mugs());
    let list = desk.get("/v2/api/entity/invoice/list/1?per_page=1").json();
    assert_eq!(
        (&list["meta"]["total"], &list["meta"]["current_page"], list.get("total")),
        (&json!(1), &json!(1), None)
    );
    assert!(list["links"]["next"].is_null() && list["data"][0].get("invoice_item").is_none());
    assert_eq!(list["data"][0]["id"], id);
    let deep = desk.get("/v2/api/entity/invoice/list/2").json();
    assert_eq!(deep["data"][0]["invoice_item"][0]["product_id"], 3);
    let one = desk.get(&format!("/v2/api/entity/invoice/{id}/2")).json();
    assert_eq!(one["invoice_item"][0]["product_id"], 3);
}

#[test]
fn point_14_addresses_and_barcodes_may_be_shared() {
    let desk = Desk::new();
    for _ in 0..2 {
        let body = json!({"Client": {"business_name": "Twin", "type": 2, "email": "twin@example.com"}});
        assert_eq!(desk.post("/api2/clients", &body).status, 202, "an address is no key");
    }
    desk.account(|account| {
        account.add_product(Product { id: 9, barcode: "6281000000017".into(), ..Product::default() });
    });
    let total = |path: &str| desk.get(&format!("/v2/api/entity/{path}")).json()["total"].clone();
    assert_eq!(total("client/list?filter[email]=TWIN@example.com"), 2);
    assert_eq!(total("product/list?filter[barcode]=6281000000017"), 2);
}

#[test]
fn point_15_an_expired_subscription_answers_one_question() {
    let desk = Desk::with(|setup| setup.expired = true);
    let ask = || [desk.get("/api2/site_info").status, desk.post("/api2/invoices", &two_mugs()).status];
    let page = desk.post("/api2/invoices", &two_mugs());
    assert!(page.status == 200 && page.body.starts_with(b"<!DOCTYPE html>"));
    assert_eq!(desk.get("/api2/site_info").json()["data"]["Site"]["is_expired"], true);
    desk.change(|setup| setup.when_expired = WhenExpired::Forbidden);
    assert_eq!(ask(), [200, 403]);
    assert_eq!(desk.invoices(), 0);
    desk.change(|setup| setup.when_expired = WhenExpired::Answers);
    assert_eq!(ask(), [200, 202]);
}

#[test]
fn point_01_a_bad_key_may_be_shown_the_log_in_page() {
    let desk = Desk::with(|setup| setup.bad_key_page = true);
    let page = desk.send("POST", "/acct/one/api2/invoices", "apikey: wrong\r\n", "");
    assert!(page.status == 200 && page.body.starts_with(b"<!DOCTYPE html>"));
    assert_eq!(desk.send("GET", "/acct/one/v2/api/entity/product/list", "", "").status, 401, "v2 knows better");
    assert_eq!(desk.get("/api2/site_info").status, 200);
}

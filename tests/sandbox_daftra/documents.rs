//! Documents: how they look, what they add up to, what is refused, what a PUT does.

use crate::desk::{Desk, START, receipt, row, two_mugs, with};
use qantara::sandbox::daftra::{
    Client, DateFormat, Hand, PartialPut, PaymentMethod, Product, Record, Rounding, SecondTax, Store,
};
use serde_json::{Value, json};

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
fn a_second_tax_is_on_the_net_or_on_the_first_tax_too() {
    let desk = Desk::new();
    let taxed =
        |unit_price, tax1, tax2| json!([with(with(row(unit_price, "1"), "/tax1", json!(tax1)), "/tax2", json!(tax2))]);
    // 15 % and 5 % on top; 15 % twice inside.
    assert_eq!(sums(&desk, &json!({}), &taxed("100", 1, 3)), ["100", "0", "120.75"]);
    assert_eq!(sums(&desk, &json!({}), &taxed("132.25", 2, 2)), ["100", "0", "132.25"]);
    desk.change(|setup| setup.second_tax = SecondTax::OnNet);
    assert_eq!(sums(&desk, &json!({}), &taxed("100", 1, 3)), ["100", "0", "120"]);
    assert_eq!(sums(&desk, &json!({}), &taxed("130", 2, 2)), ["100", "0", "130"]);
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
    let nested = json!({"Invoice": {"client_id": 15, "InvoiceItem": [row("50", "4")]}});
    for body in [nested, with(body.clone(), "/InvoiceItem", json!([]))] {
        assert_eq!(desk.put(&format!("/api2/invoices/{id}"), &body).message(), "Invoice is empty");
    }
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
    let draft = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));
    desk.change(|setup| setup.closed_until = Some("2026-06-17".parse().unwrap()));
    assert_eq!(desk.get(&format!("/api2/invoices/update_draft/{draft}/0")).status, 400, "nor be issued into it");
    desk.change(|setup| setup.closed_until = None);
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
fn point_04_names_and_places_in_answers_are_switches() {
    let desk = Desk::new();
    let id = desk.invoice(&two_mugs());
    let receipt_id = desk.post("/api2/refund_receipts", &receipt(id, "1")).json()["id"].clone();
    let read = |path: String| desk.get(&path).json()["data"].clone();
    assert!(read(format!("/api2/refund_receipts/{receipt_id}")).get("RefundReceipt").is_some());
    desk.change(|setup| setup.answers_say_invoice = true);
    assert_eq!(read(format!("/api2/refund_receipts/{receipt_id}"))["Invoice"]["type"], "6");
    desk.change(|setup| setup.rows_beside_header = true);
    let data = read(format!("/api2/invoices/{id}"));
    assert!(data["Invoice"].get("InvoiceItem").is_none());
    assert_eq!((&data["InvoiceItem"][0]["quantity"], &data["InvoicePayment"]), (&json!("2"), &json!([])));
}

#[test]
fn point_08_a_tax_that_is_gone_or_switched_off_is_refused_and_old_rows_keep_it() {
    let desk = Desk::new();
    let taxed = |id: u64| with(two_mugs(), "/InvoiceItem/0/tax1", json!(id));
    let id = desk.invoice(&taxed(1));
    desk.account(|account| account.remove(Record::Tax, 1));
    assert!(desk.post("/api2/invoices", &taxed(1)).complains_about("InvoiceItem.0.tax1"));
    assert!(desk.put(&format!("/api2/invoices/{id}"), &taxed(1)).complains_about("InvoiceItem.0.tax1"));
    assert_eq!(desk.read(id)["summary_total"], 230);
    assert_eq!(desk.get("/api2/taxes/1").status, 404);
    assert!(!desk.account(|account| account.remove(Record::Tax, 1)));
}

#[test]
fn point_10_e_invoices_may_be_accepted_at_once() {
    let desk = Desk::with(|setup| setup.e_invoices = true);
    let draft = desk.invoice(&with(two_mugs(), "/Invoice/draft", json!(1)));
    assert_eq!(desk.put(&format!("/api2/invoices/{draft}"), &two_mugs()).status, 200, "a draft is not reported");
    let id = desk.invoice(&two_mugs());
    assert_eq!(desk.read(id)["e_invoice_status"], "accepted");
    assert_eq!(desk.put(&format!("/api2/invoices/{id}"), &two_mugs()).status, 400);
    assert_eq!(desk.post("/api2/refund_receipts", &receipt(id, "1")).status, 202);
}

#[test]
fn point_12_credit_notes_may_be_found_by_custom_field() {
    let desk = Desk::new();
    let invoice = desk.invoice(&two_mugs());
    for value in ["a", "b"] {
        let note = json!({"CreditNote": {"client_id": 15, "subscription_id": invoice}, "InvoiceItem": [row("1", "1")],
                          "InvoiceCustomField": [{"label": "Refund", "value": value}]});
        assert_eq!(desk.post("/api2/credit_notes", &note).status, 202);
    }
    let total =
        |query: &str| desk.get(&format!("/api2/credit_notes?{query}")).json()["pagination"]["total_results"].clone();
    assert_eq!(total("custom_field=b&custom_field_label=Refund"), 2, "ignored");
    desk.change(|setup| setup.credit_note_filters = true);
    assert_eq!(
        (total("custom_field=b&custom_field_label=Refund"), total("custom_field=b&custom_field_label=Other")),
        (json!(1), json!(0))
    );
}

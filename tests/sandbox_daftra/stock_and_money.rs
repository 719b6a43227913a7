//! What documents do to stock and money.

use crate::desk::{Desk, START, receipt, row, two_mugs, with};
use qantara::sandbox::daftra::{Hand, Product};
use serde_json::{Value, json};

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
    let all = with(two_mugs(), "/InvoiceItem/0/quantity", json!(100));
    let id = desk.invoice(&all);
    assert_eq!(desk.put(&format!("/api2/invoices/{id}"), &all).status, 200, "its own stock counts as there");
    assert_eq!(desk.stock(3, 1), "0");
    desk.change(|setup| setup.negative_stock = true);
    desk.invoice(&many);
    assert_eq!(desk.stock(3, 1), "-101");
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

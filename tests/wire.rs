//! What Shopify sends, read: one small body per rule.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::collections::BTreeSet;

use qantara::domain::money::{Amount, Currency};
use qantara::domain::order::{Facts, FulfillmentStatus, PaymentStatus, Restock, Snapshot, TransactionStatus};
use qantara::shop::read::{Buyer, ReadError, Reading, read};
use qantara::shop::webhook::{Headers, verify};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde_json::{Value, json};

/// An order of one line at 100.00 and one shipping line at 25.00, VAT of 15 % on top.
fn order() -> Value {
    json!({
        "id": 5001, "admin_graphql_api_id": "gid://shopify/Order/5001", "name": "#1042", "order_number": 1042,
        "created_at": "2026-03-01T10:00:00+03:00", "updated_at": "2026-03-01T10:00:05+03:00",
        "processed_at": "2026-03-01T09:59:00+03:00", "cancelled_at": null, "currency": "SAR",
        "financial_status": "paid", "fulfillment_status": null, "taxes_included": false, "test": false,
        "source_name": "web", "payment_gateway_names": ["mada"], "total_price": "143.75", "total_tax": "18.75",
        "total_tip_received": "0.0", "original_total_duties_set": null,
        "line_items": [{
            "id": 11, "variant_id": 71, "sku": "TEA-1", "vendor": "Shay", "title": "Tea", "name": "Tea - Green",
            "quantity": 1, "current_quantity": 1, "price": "100.00", "total_discount": "0.00",
            "discount_allocations": [], "gift_card": false, "properties": {},
            "tax_lines": [{"title": "VAT", "rate": 0.15, "price": "15.00"}]
        }],
        "shipping_lines": [{
            "id": 21, "title": "Courier", "price": "25.00", "discount_allocations": [],
            "tax_lines": [{"title": "VAT", "rate": 0.15, "price": "3.75"}]
        }],
        "refunds": []
    })
}

fn order_with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = order();
    change(&mut body);
    body
}

fn refund() -> Value {
    json!({
        "id": 901, "order_id": 5001, "created_at": "2026-03-02T10:00:00+03:00", "return": null, "duties": [],
        "refund_line_items": [{
            "id": 1, "line_item_id": 11, "quantity": 1, "restock_type": "return", "subtotal": 100.0, "total_tax": 15.0,
            "subtotal_set": bag("100.00", "SAR"), "total_tax_set": bag("15.00", "SAR")
        }],
        "refund_shipping_lines": [], "order_adjustments": [],
        "transactions": [{
            "id": 301, "order_id": 5001, "kind": "refund", "status": "success", "gateway": "mada", "amount": "115.00",
            "currency": "SAR", "created_at": "2026-03-02T10:00:01+03:00"
        }]
    })
}

/// The buyer's side is in another currency, as in every shop that sells abroad.
fn bag(amount: &str, currency: &str) -> Value {
    json!({
        "shop_money": {"amount": amount, "currency_code": currency},
        "presentment_money": {"amount": "999.99", "currency_code": "USD"}
    })
}

fn read_json(topic: &str, body: &Value) -> Result<Reading, ReadError> {
    read(topic, body.to_string().as_bytes())
}

#[track_caller]
fn read_order(body: &Value) -> (Snapshot, Facts) {
    let Reading::Order { snapshot, facts, .. } = read_json("orders/updated", body).unwrap() else {
        panic!("Not read as an order");
    };
    (*snapshot, facts)
}

#[track_caller]
fn refused(topic: &str, body: &Value) -> String {
    match read_json(topic, body) {
        Err(error) => error.path,
        Ok(reading) => panic!("Read as {reading:?}"),
    }
}

#[test]
fn the_official_signature_verifies_and_nothing_else_does() {
    let body = r#"{"id":450789469,"email":"\u0026","landing_site":"http:\/\/example.com","note":"شكرا"}"#.as_bytes();
    let signature = "0XPNewvNEn+S5yrCnfZfsD7eWofVsJm61AjPPTtQJVc=";
    let secrets = ["other", "hush", "hush"].map(SecretString::from);
    assert_eq!(body.len(), 89);
    assert_eq!(verify(body, signature, &secrets), Some(1));
    assert_eq!(verify(body, signature, &secrets[..1]), None);
    assert_eq!(verify(body, signature, &[]), None);
    assert_eq!(verify(&body[1..], signature, &secrets), None);
    for broken in ["", "hush", "0XPNewvNEn+S5yrCnfZfsD7eWofVsJm61AjPPTtQJVc", "0XPNewvN", "====", "لا"] {
        assert_eq!(verify(body, broken, &secrets), None, "{broken}");
    }
}

#[test]
fn an_empty_body_or_secret_never_verifies() {
    // Both are right by the formula: HMAC of nothing under "hush", HMAC of "{}" under nothing.
    let of_nothing = "Knm8rWjeSXNIt2H0AOMT7DQ8/YSy8sQi/pEjbuUmGMs=";
    let under_nothing = "IvjuqQlACvmK3zaBqfMZI+9rf8ukq7VT2Sgjo+nVwl4=";
    assert_eq!(verify(b"", of_nothing, &[SecretString::from("hush")]), None);
    assert_eq!(verify(b"{}", under_nothing, &[SecretString::from("")]), None);
}

#[test]
fn headers_are_found_in_any_case() {
    let headers = Headers::read([
        ("x-shopify-topic", "orders/create"),
        ("X-SHOPIFY-SHOP-DOMAIN", " Tea.myshopify.com "),
        ("X-Shopify-Webhook-Id", "w-1"),
        ("X-Shopify-Webhook-Id", "w-2"),
        ("X-Shopify-Triggered-At", "2026-03-30T14:30:00.000000000Z"),
        ("Host", "example.com"),
    ]);
    assert_eq!(headers.topic, "orders/create");
    assert_eq!(headers.shop_domain, "tea.myshopify.com");
    assert_eq!(headers.webhook_id.as_deref(), Some("w-1"));
    assert_eq!(headers.triggered_at, Some("2026-03-30T14:30:00Z".parse().unwrap()));
    assert_eq!((headers.event_id, headers.api_version, headers.hmac), (None, None, String::new()));
}

#[test]
fn an_order_is_read_whole() {
    let Reading::Order { snapshot, facts, updated_at, buyer } = read_json("orders/create", &order()).unwrap() else {
        panic!("Not an order");
    };
    assert_eq!((snapshot.id, snapshot.name.as_str(), snapshot.source.as_str()), (5001, "#1042", "web"));
    assert_eq!((snapshot.currency, snapshot.total_price), (Currency::parse("SAR").unwrap(), Amount(14_375)));
    assert_eq!((snapshot.payment, snapshot.fulfillment), (PaymentStatus::Paid, FulfillmentStatus::Nothing));
    assert_eq!(snapshot.processed_at, "2026-03-01T06:59:00Z".parse().unwrap());
    assert_eq!(updated_at, "2026-03-01T07:00:05Z".parse().unwrap());
    let line = &snapshot.lines[0];
    assert_eq!(
        (line.title.as_str(), line.vendor.as_str(), line.net(), line.tax()),
        ("Tea - Green", "Shay", Amount(10_000), Amount(1_500))
    );
    assert_eq!((line.taxes[0].rate, line.tip, line.gift_card), (Decimal::new(15, 2), false, false));
    assert_eq!((snapshot.shipping[0].net(), snapshot.shipping[0].tax()), (Amount(2_500), Amount(375)));
    assert_eq!((facts, buyer), (Facts::default(), None));
}

#[test]
fn arrays_and_texts_may_be_null_absent_or_of_another_type() {
    let (snapshot, _) = read_order(&order_with(|body| {
        body["shipping_lines"] = Value::Null;
        body["refunds"] = Value::Null;
        body["payment_gateway_names"] = Value::Null;
        body.as_object_mut().unwrap().remove("total_tip_received");
        let line = &mut body["line_items"][0];
        line["sku"] = json!(12345);
        line["vendor"] = Value::Null;
        line["tax_lines"] = Value::Null;
        line["properties"] = json!([{"name": "engraving", "value": 7}]);
    }));
    assert_eq!((snapshot.shipping.len(), snapshot.gateways.len(), snapshot.tip), (0, 0, Amount::ZERO));
    assert_eq!((snapshot.lines[0].sku.as_str(), snapshot.lines[0].vendor.as_str()), ("12345", ""));
}

#[test]
fn amounts_are_exact_as_text_and_as_number() {
    for amount in [json!("0.29"), json!(0.29), json!("0.290")] {
        let (snapshot, _) = read_order(&order_with(|body| body["line_items"][0]["price"] = amount));
        assert_eq!(snapshot.lines[0].unit_price, Amount(29));
    }
    let dinars = order_with(|body| {
        body["currency"] = json!("KWD");
        body["line_items"][0]["price"] = json!("12.505");
    });
    assert_eq!(read_order(&dinars).0.lines[0].unit_price, Amount(12_505));
    let yen = order_with(|body| {
        body["currency"] = json!("JPY");
        body["line_items"] = json!([{"id": 1, "quantity": 2, "price": "1400", "tax_lines": []}]);
        body["shipping_lines"] = json!([]);
        body["total_price"] = json!("2800");
        body["total_tax"] = json!("0");
    });
    assert_eq!(read_order(&yen).0.lines[0].unit_price, Amount(1_400));
}

#[test]
fn every_complaint_names_its_place() {
    let cases: [(&str, &str, Value); 10] = [
        ("/line_items/0/price", "line_items[0].price", json!("1O.00")),
        ("/line_items/0/price", "line_items[0].price", json!("10.005")),
        ("/line_items/0/quantity", "line_items[0].quantity", json!(-1)),
        ("/line_items/0/quantity", "line_items[0].quantity", json!(i64::MAX)),
        ("/line_items/0/tax_lines/0/price", "line_items[0].tax_lines[0].price", json!("0.001")),
        ("/line_items/0/tax_lines/0/rate", "line_items[0].tax_lines[0].rate", json!(-1)),
        ("/line_items/0/tax_lines/0/rate", "line_items[0].tax_lines[0].rate", json!(1e25)),
        ("/currency", "currency", json!("RIYAL")),
        ("/created_at", "created_at", json!("yesterday")),
        ("/line_items", "line_items", Value::Null),
    ];
    for (pointer, path, value) in cases {
        let body = order_with(|body| *body.pointer_mut(pointer).unwrap() = value.clone());
        assert_eq!(refused("orders/create", &body), path, "{value}");
    }
    let twice = order_with(|body| {
        let line = body["line_items"][0].clone();
        body["line_items"].as_array_mut().unwrap().push(line);
    });
    assert_eq!(refused("orders/create", &twice), "line_items");
    assert_eq!(read("orders/create", b"{").unwrap_err().path, "");
    assert!(read("orders/create", format!("{} x", order()).as_bytes()).is_err());
}

#[test]
fn discounts_are_the_allocations_and_only_old_bodies_mean_total_discount() {
    let allocated = order_with(|body| {
        let line = &mut body["line_items"][0];
        line["total_discount"] = json!("7.00");
        line["discount_allocations"] = json!([{"amount": "2.39"}, {"amount": "5.00"}]);
    });
    assert_eq!(read_order(&allocated).0.lines[0].discount, Amount(739));
    let old = order_with(|body| {
        let line = body["line_items"][0].as_object_mut().unwrap();
        line.insert("total_discount".to_owned(), json!("7.00"));
        line.remove("discount_allocations");
    });
    assert_eq!(read_order(&old).0.lines[0].discount, Amount(700));
}

#[test]
fn removed_shipping_is_skipped() {
    let body = order_with(|body| body["shipping_lines"][0]["is_removed"] = json!(true));
    assert_eq!(read_order(&body).0.shipping, []);
}

#[test]
fn a_tip_is_known_by_its_keys_even_when_they_are_null() {
    let body = order_with(|body| body["line_items"][0]["tip_payment_gateway"] = Value::Null);
    assert!(read_order(&body).0.lines[0].tip);
}

#[test]
fn extras_come_from_their_money_bags_in_the_shops_currency() {
    let body = order_with(|body| {
        body["original_total_duties_set"] = bag("4.00", "SAR");
        body["original_total_additional_fees_set"] = bag("1.50", "SAR");
        body["total_cash_rounding_payment_adjustment_set"] = bag("-0.05", "SAR");
        body["total_tip_received"] = json!("3.00");
    });
    let (snapshot, _) = read_order(&body);
    assert_eq!((snapshot.duties, snapshot.fees), (Amount(400), Amount(150)));
    assert_eq!((snapshot.cash_rounding, snapshot.tip), (Amount(-5), Amount(300)));
    let foreign = order_with(|body| body["original_total_duties_set"] = bag("4.00", "USD"));
    assert_eq!(refused("orders/create", &foreign), "original_total_duties_set");
}

#[test]
fn a_cancelled_order_says_so_itself() {
    let at = json!("2026-03-01T12:00:00+03:00");
    let cancelled = order_with(|body| body["cancelled_at"] = at);
    for topic in ["orders/cancelled", "orders/updated"] {
        let Reading::Order { facts, .. } = read_json(topic, &cancelled).unwrap() else { panic!("Not an order") };
        assert_eq!(facts.cancelled.unwrap().at, "2026-03-01T09:00:00Z".parse().unwrap());
    }
    // The topic is unsigned: an older body of the same order sent again under this one cancels nothing.
    assert_eq!(refused("orders/cancelled", &order()), "cancelled_at");
}

#[test]
fn refunds_inside_an_order_are_facts_and_seen() {
    let (snapshot, facts) = read_order(&order_with(|body| body["refunds"] = json!([refund()])));
    assert_eq!((snapshot.refunds_seen, snapshot.current_subtotal), (BTreeSet::from([901]), None));
    let worth =
        |worth: Value| read_order(&order_with(|body| body["current_subtotal_price"] = worth)).0.current_subtotal;
    assert_eq!((worth(json!("85.00")), worth(Value::Null)), (Some(Amount(8_500)), None));
    assert_eq!(facts.transactions[&301].status, TransactionStatus::Success);
    let record = &facts.refunds[&901];
    assert_eq!(
        (record.lines[0].restock, record.lines[0].subtotal, record.lines[0].tax),
        (Restock::Return, Amount(10_000), Amount(1_500))
    );
    assert!(record.has_money() && !record.is_return && !record.has_duties);
    // The same record alone says the same.
    let alone = read_json("refunds/create", &refund()).unwrap();
    assert_eq!(alone, Reading::Facts { order_id: 5001, facts });
}

#[test]
fn refund_shapes() {
    let mut body = refund();
    body["return"] = json!({"id": 3});
    body["order_adjustments"] = json!([
        {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.75"},
        {"kind": "refund_discrepancy", "amount_set": bag("2.00", "SAR"), "tax_amount_set": bag("0.00", "SAR")}
    ]);
    body["refund_shipping_lines"] = json!([{"id": 1, "shipping_line_id": 21, "subtotal_amount_set": bag("5.00", "SAR"), "tax_amount_set": bag("0.75", "SAR")}]);
    body["total_duties_set"] = bag("9.00", "SAR");
    let Reading::Facts { facts, .. } = read_json("refunds/create", &body).unwrap() else { panic!("No facts") };
    let record = &facts.refunds[&901];
    let adjustments: Vec<_> = record.adjustments.iter().map(|a| (a.is_shipping, a.amount, a.tax)).collect();
    assert_eq!(adjustments, [(true, Amount(-500), Amount(-75)), (false, Amount(200), Amount::ZERO)]);
    assert_eq!(
        (record.shipping[0].shipping_id, record.shipping[0].subtotal, record.shipping[0].tax),
        (21, Amount(500), Amount(75))
    );
    assert!(record.is_return && record.has_duties);
}

#[test]
fn a_refund_is_in_one_currency_and_guesses_nothing() {
    let mixed = || {
        let mut body = refund();
        body["refund_line_items"][0]["total_tax_set"] = bag("15.00", "USD");
        body
    };
    assert_eq!(refused("refunds/create", &mixed()), "refund_line_items[0].total_tax");
    let foreign = order_with(|body| {
        body["currency"] = json!("EUR");
        body["refunds"] = json!([refund()]);
    });
    assert_eq!(refused("orders/updated", &foreign), "refunds[0].refund_line_items[0].subtotal");
    let mut unknown = refund();
    unknown["refund_line_items"][0]["restock_type"] = json!("given_away");
    assert_eq!(refused("refunds/create", &unknown), "refund_line_items[0].restock_type");
    let mut bare = refund();
    for key in ["subtotal_set", "total_tax_set"] {
        bare["refund_line_items"][0].as_object_mut().unwrap().remove(key);
    }
    // Plain numbers have no currency of their own: inside an order they have the order's.
    assert_eq!(refused("refunds/create", &bare), "refund_line_items[0].subtotal");
    let (_, facts) = read_order(&order_with(|body| body["refunds"] = json!([bare])));
    assert_eq!(facts.refunds[&901].lines[0].subtotal, Amount(10_000));
}

#[test]
fn a_transaction_is_a_fact() {
    let body = json!({
        "id": 77, "order_id": 5001, "kind": "sale", "status": "awaiting_response", "gateway": "cod",
        "amount": "143.75", "currency": null, "created_at": "2026-03-01T10:00:00+03:00",
        "total_unsettled_set": {"shop_money": {"amount": "0.0", "currency": "SAR"}}
    });
    let Reading::Facts { order_id: 5001, facts } = read_json("order_transactions/create", &body).unwrap() else {
        panic!("No facts of order 5001");
    };
    assert_eq!(facts.transactions[&77].status, TransactionStatus::Pending);
    assert_eq!(facts.transactions[&77].amount, Decimal::new(14_375, 2));
}

#[test]
fn a_body_must_fit_its_topic() {
    let kind = |gid: &str| order_with(|body| body["admin_graphql_api_id"] = json!(gid));
    assert_eq!(refused("orders/create", &kind("gid://shopify/DraftOrder/5001")), "admin_graphql_api_id");
    let nameless = order_with(|body| {
        body.as_object_mut().unwrap().remove("admin_graphql_api_id");
        body.as_object_mut().unwrap().remove("order_number");
    });
    assert_eq!(refused("orders/create", &nameless), "order_number");
    assert_eq!(refused("orders/create", &refund()), "order_number");
    assert_eq!(refused("orders/delete", &order()), "line_items");
    assert_eq!(refused("refunds/create", &order()), "admin_graphql_api_id");
    assert_eq!(refused("refunds/create", &json!({"id": 1, "created_at": "2026-03-01T10:00:00Z"})), "order_id");
    assert_eq!(refused("order_transactions/create", &refund()), "");
    assert_eq!(refused("orders/edited", &order()), "");
    assert_eq!(refused("shop/redact", &order()), "");
    assert_eq!(refused("app/uninstalled", &order()), "");
}

#[test]
fn what_is_not_an_order() {
    let other = |topic: &str| read(topic, b"not even JSON").unwrap();
    assert_eq!(
        [other("draft_orders/create"), other("products/create"), other("moons/rise")],
        [(); 3].map(|()| Reading::Other)
    );
    assert_eq!(
        read_json("orders/delete", &json!({"id": 5001})).unwrap(),
        Reading::Facts { order_id: 5001, facts: Facts { deleted: true, ..Facts::default() } }
    );
    let edit = json!({"order_edit": {"id": 1, "order_id": 5001, "line_items": {"additions": [{"id": 2, "delta": 1}]}}});
    assert_eq!(read_json("orders/edited", &edit).unwrap(), Reading::Edited { order_id: 5001 });
    let shop_domain = "tea.myshopify.com".to_owned();
    let redact = json!({"shop_id": 1, "shop_domain": shop_domain, "customer": {"id": 2}, "orders_to_redact": [7, 8]});
    assert_eq!(
        read_json("customers/redact", &redact).unwrap(),
        Reading::RedactBuyer { shop_domain: shop_domain.clone(), customer_id: Some(2), orders: BTreeSet::from([7, 8]) }
    );
    let request = json!({"shop_domain": shop_domain, "customer": {"id": 2}, "orders_requested": null});
    assert_eq!(
        read_json("customers/data_request", &request).unwrap(),
        Reading::DataRequest { shop_domain: shop_domain.clone(), customer_id: Some(2), orders: BTreeSet::new() }
    );
    assert_eq!(read_json("shop/redact", &redact).unwrap(), Reading::RedactShop { shop_domain });
    let shop = json!({"id": 1, "myshopify_domain": null});
    assert_eq!(read_json("app/uninstalled", &shop).unwrap(), Reading::Uninstalled { shop_domain: None });
}

#[test]
fn the_sample_is_recognised_in_every_shape() {
    for order_id in [820_982_911_946_154_508_i64, 820_982_911_946_154_500] {
        let sample = Ok(Reading::Sample { order_id });
        let mut part = refund();
        part["order_id"] = json!(order_id);
        assert_eq!(read_json("orders/paid", &order_with(|body| body["id"] = json!(order_id))), sample);
        assert_eq!(read_json("orders/delete", &json!({"id": order_id})), sample);
        assert_eq!(read_json("orders/edited", &json!({"order_edit": {"order_id": order_id}})), sample);
        assert_eq!(read_json("refunds/create", &part), sample);
    }
}

#[test]
fn the_buyer_is_gathered_and_never_shown() {
    let body = order_with(|body| {
        body["email"] = json!("");
        body["phone"] = Value::Null;
        body["customer"] = json!({"first_name": "Other", "email": "sara@example.com", "phone": "0500000000"});
        body["billing_address"] = json!({"first_name": "سارة", "last_name": "", "address1": "", "city": null});
        body["shipping_address"] =
            json!({"address1": "King Road 7", "zip": 12345, "city": "جدة", "country": "Saudi Arabia"});
    });
    let Reading::Order { buyer: Some(buyer), .. } = read_json("orders/create", &body).unwrap() else {
        panic!("No buyer");
    };
    assert_eq!(format!("{buyer:?}"), "Buyer(…)");
    let expected = Buyer {
        name: "سارة".to_owned(),
        email: "sara@example.com".to_owned(),
        phone: "0500000000".to_owned(),
        address: "King Road 7, 12345, جدة, Saudi Arabia".to_owned(),
    };
    assert!(buyer == expected);
}

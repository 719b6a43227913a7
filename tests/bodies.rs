//! Every kind of body that Shopify is known to send, delivered to the whole bridge: which become documents, with which
//! amounts, and why the others do not. `QANTARA_FIXTURES=<folder>` runs the same table on recorded bodies of these names.
//!
//! What an invoice must amount to is added up here from the JSON alone, with none of the product's own types.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "bodies/bridge.rs"]
mod bridge;
mod common;
#[path = "bodies/left.rs"]
mod left;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bridge::Bridge;
use left::Left;
use qantara::sandbox::daftra::SecondTax;
use serde_json::Value;

/// File, the topic it comes under, what becomes of it, and the reason's code or the place that could not be read.
///
/// `kept`: stored, and not a word about it. `new`: a fact of an order that is still to come. `test` and `failed` stand in
/// the sync log, without an order. The rest are states of orders.
const BODIES: [(&str, &str, &str, &str); 47] = [
    ("app-scopes-update.docs-2026-07", "app/scopes_update", "kept", ""),
    ("app-uninstalled.docs-2026-07", "app/uninstalled", "kept", ""),
    ("customers-data-request.docs-2026-07", "customers/data_request", "kept", ""),
    ("customers-redact.docs-2026-07", "customers/redact", "kept", ""),
    ("draft-orders-create.docs-2026-07", "draft_orders/create", "kept", ""),
    ("fulfillments-create.docs-2026-07", "fulfillments/create", "kept", ""),
    ("inventory-levels-update.docs-2026-07", "inventory_levels/update", "kept", ""),
    ("order-2020.php-fixture", "orders/updated", "settled", ""),
    ("order-cancelled-1.rest-2026-07", "orders/cancelled", "ignored", "cancelled_before_invoice"),
    ("order-discount-code.rest-2026-07", "orders/paid", "settled", ""),
    ("order-discount-tax", "orders/create", "held", "amounts_do_not_add_up"),
    ("order-egp-four-vendors", "orders/create", "settled", ""),
    ("order-egp-two-vendors", "orders/create", "settled", ""),
    ("order-eur-one-tax-no-customer.rest-2026-07", "orders/paid", "held", "custom_line"),
    ("order-eur-partially-refunded", "orders/updated", "settled", ""),
    ("order-eur-vat-included", "orders/create", "settled", ""),
    ("order-jpy-tax", "orders/create", "settled", ""),
    ("order-paid-fulfilled.rest-2026-07", "orders/fulfilled", "settled", ""),
    ("order-partially-paid.rest-2026-07", "orders/updated", "settled", ""),
    ("order-partially-refunded.rest-2026-07", "orders/updated", "settled", ""),
    ("order-pending.rest-2026-07", "orders/create", "settled", ""),
    ("order-three-lines-two-tax-lines.rest-2026-07", "orders/create", "held", "custom_line"),
    ("order-transactions-create.docs-2026-07", "order_transactions/create", "test", ""),
    ("order-usd-shop-cad-presentment", "orders/updated", "failed", "original_total_duties_set"),
    ("order.go-fixture", "orders/cancelled", "ignored", "cancelled_before_invoice"),
    ("order.python-fixture", "orders/create", "held", "amounts_do_not_add_up"),
    ("orderlineitems-properties_object.go-fixture", "orders/create", "failed", "body"),
    ("orderlineitems-valid.go-fixture", "orders/create", "failed", "order_number"),
    ("orders-create-hkd-manual-and-automatic-discount", "orders/create", "settled", ""),
    ("orders-create-hkd-order-and-line-discount", "orders/create", "settled", ""),
    ("orders-create-hkd-two-discounts", "orders/create", "settled", ""),
    ("orders-create.docs-2025-01", "orders/create", "test", ""),
    ("orders-create.docs-2026-07", "orders/create", "test", ""),
    ("orders-delete.docs-2026-07", "orders/delete", "test", ""),
    ("orders-edited.docs-2026-07", "orders/edited", "test", ""),
    ("products-update.docs-2026-07", "products/update", "kept", ""),
    ("refund-1.rest-2026-07", "refunds/create", "new", ""),
    ("refund-3.rest-2026-07", "refunds/create", "new", ""),
    ("refund-legacy-restock.php-fixture", "refunds/create", "new", ""),
    ("refund-list.node-fixture", "refunds/create", "failed", "body"),
    ("refund.python-fixture", "refunds/create", "failed", "refund_line_items[0].subtotal"),
    ("refunds-create.docs-2026-07", "refunds/create", "test", ""),
    ("returns-approve.docs-2026-07", "returns/approve", "kept", ""),
    ("shop-redact.docs-2026-07", "shop/redact", "kept", ""),
    ("tender-transactions-create.docs-2026-07", "tender_transactions/create", "kept", ""),
    ("test-notification-orders-2017", "orders/create", "test", ""),
    ("transaction-list.node-fixture", "order_transactions/create", "failed", "body"),
];

/// One file: the resource in it, and the bytes as they would travel in a webhook.
struct Body {
    json: Value,
    bytes: Vec<u8>,
    /// Answers of the REST interface wrap the resource; webhooks do not.
    wrapped: Option<Vec<u8>>,
}

impl Body {
    fn read(folder: &Path, file: &str) -> Self {
        let path = folder.join(format!("{file}.json"));
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let only = json.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
        match only {
            Some((key, inner)) if ["order", "refund"].contains(&key.as_str()) => {
                Self { json: inner.clone(), bytes: inner.to_string().into_bytes(), wrapped: Some(bytes) }
            }
            Some(_) | None => Self { json, bytes, wrapped: None },
        }
    }
}

#[test]
fn our_own_bodies_end_as_the_table_says() {
    check_all(&own_folder());
}

#[test]
fn recorded_bodies_end_as_the_table_says() {
    if let Some(folder) = foreign_folder() {
        check_all(&folder);
    }
}

/// Plays the whole table, and shows it.
fn check_all(folder: &Path) {
    let mut wrong = Vec::new();
    let (mut adding_up, mut invoiced) = (0, 0);
    for (file, topic, outcome, reason) in BODIES {
        let body = Body::read(folder, file);
        let bridge = Bridge::new(&body.json, SecondTax::OnNetAndFirst);
        let found = bridge.deliver(file, topic, &body.bytes);
        println!("{file} | {topic} | {} | {}", found.0, found.1);
        if found != (outcome.to_owned(), reason.to_owned()) {
            wrong.push(format!("{file}: {found:?}, not {outcome} {reason}"));
        }
        if outcome == "settled" {
            let (documents, left) = (bridge.found(), Left::of(&body.json));
            if documents.as_ref() != Ok(&left) {
                wrong.push(format!("{file}: {documents:?}, not {left:?}"));
            }
            invoiced += 1;
        } else if bridge.documents() > 0 {
            wrong.push(format!("{file}: there is a document"));
        }
        if is_order(&body.json) && left::sums_hold(&body.json) {
            adding_up += 1;
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let custom = BODIES.iter().filter(|(.., reason)| *reason == "custom_line").count();
    println!("{adding_up} add up: {invoiced} invoiced, {custom} held for custom lines, one cancelled");
    assert_eq!((adding_up, invoiced, custom), (17, 14, 2));
}

#[test]
fn custom_lines_are_booked_when_the_policy_says_so_however_daftra_adds_taxes() {
    for folder in [Some(own_folder()), foreign_folder()].into_iter().flatten() {
        for (file, topic, ..) in BODIES.into_iter().filter(|(.., reason)| *reason == "custom_line") {
            let body = Body::read(&folder, file);
            for second_tax in [SecondTax::OnNet, SecondTax::OnNetAndFirst] {
                let bridge = Bridge::new(&body.json, second_tax);
                bridge.deliver(file, topic, &body.bytes);
                assert_eq!(bridge.book_custom_lines(), ("settled".to_owned(), String::new()), "{file}");
                assert_eq!(bridge.found(), Ok(Left::of(&body.json)), "{file} {second_tax:?}");
            }
        }
    }
}

#[test]
fn two_taxes_on_a_line_wait_for_a_rule_that_names_both() {
    let file = "order-three-lines-two-tax-lines.rest-2026-07";
    for folder in [Some(own_folder()), foreign_folder()].into_iter().flatten() {
        let body = Body::read(&folder, file);
        let bridge = Bridge::new(&body.json, SecondTax::OnNet);
        bridge.forget_joined_taxes();
        bridge.deliver(file, "orders/create", &body.bytes);
        assert_eq!(bridge.book_custom_lines(), ("held".to_owned(), "several_taxes".to_owned()));
        assert_eq!(bridge.documents(), 0);
    }
}

/// A webhook is the bare resource. What wraps it is an answer of the REST interface, and nobody signs those.
#[test]
fn a_wrapped_resource_is_no_webhook() {
    for folder in [Some(own_folder()), foreign_folder()].into_iter().flatten() {
        let bodies = BODIES.map(|(file, topic, ..)| (file, topic, Body::read(&folder, file).wrapped));
        let wrapped: Vec<_> =
            bodies.into_iter().filter_map(|(file, topic, bytes)| Some((file, topic, bytes?))).collect();
        assert_eq!(wrapped.len(), 7);
        let bridge = Bridge::new(&Value::Null, SecondTax::OnNet);
        for (file, topic, bytes) in wrapped {
            assert_eq!(bridge.deliver(file, topic, &bytes), ("failed".to_owned(), "body".to_owned()), "{file}");
        }
        assert_eq!(bridge.documents(), 0);
    }
}

/// The topic is an unsigned header: whoever has one signed body may send it under another.
#[test]
fn nothing_but_an_order_becomes_a_document_under_the_topic_of_orders() {
    for folder in [Some(own_folder()), foreign_folder()].into_iter().flatten() {
        let bridge = Bridge::new(&Value::Null, SecondTax::OnNet);
        for (file, ..) in BODIES {
            let body = Body::read(&folder, file);
            if !is_order(&body.json) {
                let (outcome, reason) = bridge.deliver(file, "orders/create", &body.bytes);
                assert_eq!(outcome, "failed", "{file}: {reason}");
            }
        }
        assert_eq!(bridge.documents(), 0);
    }
}

/// Ours were written after the recorded ones: same keys, same types, other values.
#[test]
fn our_own_bodies_have_the_shape_of_the_recorded_ones() {
    let Some(folder) = foreign_folder() else { return };
    let mut differences = Vec::new();
    for (file, ..) in BODIES {
        let [own, recorded] = [own_folder(), folder.clone()].map(|folder| {
            let bytes = std::fs::read(folder.join(format!("{file}.json"))).unwrap();
            let mut shape = BTreeSet::new();
            outline(&serde_json::from_slice(&bytes).unwrap(), "", &mut shape);
            shape
        });
        differences.extend(own.difference(&recorded).map(|path| format!("{file}: only ours has {path}")));
        differences.extend(recorded.difference(&own).map(|path| format!("{file}: ours lacks {path}")));
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

/// Every path in a body with the type of what stands there.
fn outline(json: &Value, path: &str, shape: &mut BTreeSet<String>) {
    match json {
        Value::Null => drop(shape.insert(format!("{path}: null"))),
        Value::Bool(_) => drop(shape.insert(format!("{path}: yes or no"))),
        Value::Number(_) => drop(shape.insert(format!("{path}: number"))),
        Value::String(_) => drop(shape.insert(format!("{path}: text"))),
        Value::Array(list) => {
            shape.insert(format!("{path}: list"));
            list.iter().for_each(|element| outline(element, &format!("{path}[]"), shape));
        }
        Value::Object(fields) => {
            shape.insert(format!("{path}: object"));
            fields.iter().for_each(|(key, value)| outline(value, &format!("{path}.{key}"), shape));
        }
    }
}

fn is_order(body: &Value) -> bool {
    body["order_number"].is_number()
}

fn own_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shopify")
}

fn foreign_folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the one input of the tests from outside")]
    std::env::var("QANTARA_FIXTURES").ok().map(PathBuf::from)
}

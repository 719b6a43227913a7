//! What happens to an order as JSON: refund records, transactions, edits, the end.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::ShopSetup;
use super::body::{bag, gid, line, number, presented, presentment_currency, shipping, text, time};
use super::cart::{LineId, Restock};
use super::change::EditLog;
use super::order::{Order, Record, Transaction, TransactionKind, TransactionStatus};

/// A refund record, by id; null for one that was never filed.
pub(super) fn refund_of(order: &Order, id: u64, setup: &ShopSetup) -> Value {
    order.records.iter().find(|record| record.id == id).map(|record| refund(order, record, setup)).into()
}

/// A transaction, by id; null for one that never was.
pub(super) fn transaction_of(order: &Order, id: u64, setup: &ShopSetup) -> Value {
    order.transactions.iter().find(|one| one.id == id).map(|one| transaction(order, one, setup)).into()
}

/// All that is left of a deleted order.
pub(super) fn deleted(order: &Order) -> Value {
    json!({"id": order.id.0})
}

/// An element of `refunds[]`, and the body of `refunds/create`.
pub(super) fn refund(order: &Order, record: &Record, setup: &ShopSetup) -> Value {
    // Subtotals of a record never contain the tax: only then do lines and tax add up to the money.
    let without_tax = |net: Decimal, tax: Decimal| if setup.taxes_included { net - tax } else { net };
    let reductions = || order.reductions.iter().filter(|reduction| reduction.record == record.id);
    let lines: Vec<Value> = reductions()
        .map(|reduction| {
            let whole = order.lines.iter().find(|line| line.id == reduction.line);
            let subtotal = without_tax(reduction.share.net, reduction.share.tax);
            json!({
                "id": reduction.id,
                "line_item_id": reduction.line.0,
                "location_id": null,
                "quantity": reduction.share.units,
                "restock_type": match reduction.restock {
                    Restock::NoRestock => "no_restock",
                    Restock::Cancel => "cancel",
                    Restock::Return => "return",
                },
                "subtotal": number(subtotal),
                "subtotal_set": bag(subtotal, setup),
                "total_tax": number(reduction.share.tax),
                "total_tax_set": bag(reduction.share.tax, setup),
                "line_item": whole.map(|whole| line(order, whole, setup)),
            })
        })
        .collect();
    let adjustment = |id: u64, kind: &str, reason: &str, amount: Decimal, tax: Decimal| {
        json!({
            "id": id,
            "order_id": order.id.0,
            "refund_id": record.id,
            "kind": kind,
            "reason": reason,
            "amount": text(amount, setup),
            "amount_set": bag(amount, setup),
            "tax_amount": text(tax, setup),
            "tax_amount_set": bag(tax, setup),
        })
    };
    let back = record.shipping.map(|back| (back, without_tax(back.net, back.tax)));
    // A shipping refund stands in both lists, as in Shopify's own bodies; it is one refund.
    let adjustments: Vec<Value> = back
        .map(|(back, net)| adjustment(back.adjustment, "shipping_refund", "Shipping refund", -net, -back.tax))
        .into_iter()
        .chain(record.discrepancies.iter().map(|one| {
            let reason = if one.owed { "Pending refund discrepancy" } else { "Refund discrepancy" };
            adjustment(one.id, "refund_discrepancy", reason, one.amount, Decimal::ZERO)
        }))
        .collect();
    let shipping_lines: Vec<Value> = back
        .zip(order.shipping.as_ref())
        .map(|((back, net), line)| {
            json!({
                "id": back.id,
                "shipping_line_id": line.id,
                "subtotal_amount_set": bag(net, setup),
                "tax_amount_set": bag(back.tax, setup),
                "shipping_line": shipping(order, line, setup),
            })
        })
        .into_iter()
        .collect();
    let transactions = order.transactions.iter().filter(|one| Some(one.id) == record.transaction);
    json!({
        "id": record.id,
        "admin_graphql_api_id": gid("Refund", record.id),
        "order_id": order.id.0,
        "created_at": time(record.at, setup),
        "processed_at": time(record.at, setup),
        "note": record.note,
        "user_id": null,
        "restock": reductions().any(|reduction| reduction.restock != Restock::NoRestock),
        "return": null,
        "duties": [],
        "total_duties_set": bag(Decimal::ZERO, setup),
        "order_adjustments": adjustments,
        "refund_line_items": lines,
        "refund_shipping_lines": shipping_lines,
        "transactions": transactions.map(|one| transaction(order, one, setup)).collect::<Vec<_>>(),
    })
}

fn transaction(order: &Order, one: &Transaction, setup: &ShopSetup) -> Value {
    let kind = match one.kind {
        TransactionKind::Sale => "sale",
        TransactionKind::Authorization => "authorization",
        TransactionKind::Capture => "capture",
        TransactionKind::Void => "void",
        TransactionKind::Refund => "refund",
    };
    let (status, message) = match one.status {
        TransactionStatus::Success => ("success", None),
        TransactionStatus::Pending => ("pending", None),
        TransactionStatus::Failure => ("failure", Some("The card was declined")),
    };
    // This bag names its currency differently from all others.
    let unsettled = json!({"amount": text(Decimal::ZERO, setup), "currency": setup.currency});
    json!({
        "id": one.id,
        "admin_graphql_api_id": gid("OrderTransaction", one.id),
        "order_id": order.id.0,
        "kind": kind,
        "status": status,
        // What was charged to the buyer, in the currency of the buyer.
        "amount": presented(one.amount, setup),
        "currency": presentment_currency(setup),
        "gateway": order.gateway,
        "authorization": null,
        "created_at": time(one.at, setup),
        "processed_at": time(one.at, setup),
        "device_id": null,
        "error_code": null,
        "location_id": null,
        "message": message,
        "parent_id": one.parent,
        "payment_id": format!("#{}.{}", order.number, one.id % 10),
        "receipt": {},
        "source_name": order.source,
        "test": order.test,
        "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
        "user_id": null,
    })
}

/// The wrapped object of `orders/edited`: lines and units, no prices.
pub(super) fn edited(order: &Order, log: &EditLog, setup: &ShopSetup) -> Value {
    let lines = |touched: &[(LineId, u32)]| {
        touched.iter().map(|(line, units)| json!({"id": line.0, "delta": units})).collect::<Vec<_>>()
    };
    json!({"order_edit": {
        "id": log.id,
        "app_id": null,
        "created_at": time(log.at, setup),
        "committed_at": time(log.at, setup),
        "notify_customer": false,
        "order_id": order.id.0,
        "staff_note": "",
        "user_id": null,
        "line_items": {"additions": lines(&log.additions), "removals": lines(&log.removals)},
        "discounts": {"line_item": {"additions": [], "removals": []}},
        "shipping_lines": {"additions": [], "removals": []},
    }})
}

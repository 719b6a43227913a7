//! The order as the Admin GraphQL shows it: other names, other enums, bags in both currencies, and lists that have pages.
//!
//! It is told from the body of a webhook, which says the same: the shop has one truth. What GraphQL cannot tell (that a
//! line is a tip, which adjustment is the shipping's) is lost here as it is there.

use serde_json::{Value, json};

/// What of an order is answered at once, without its lines.
pub(super) fn order(rest: &Value, transactions: &[Value], with_returns: bool, with_persons: bool) -> Value {
    let mut order = json!({
        "legacyResourceId": digits(&rest["id"]),
        "name": rest["name"],
        "currencyCode": rest["currency"],
        "taxesIncluded": rest["taxes_included"],
        "test": rest["test"],
        "sourceName": rest["source_name"],
        "tags": rest["tags"].as_str().unwrap_or_default().split(", ").filter(|tag| !tag.is_empty()).collect::<Vec<_>>(),
        "paymentGatewayNames": rest["payment_gateway_names"],
        "displayFinancialStatus": loud(&rest["financial_status"]),
        "displayFulfillmentStatus": match rest["fulfillment_status"].as_str() {
            Some("partial") => "PARTIALLY_FULFILLED",
            Some("fulfilled") => "FULFILLED",
            Some("restocked") => "RESTOCKED",
            Some(_) | None => "UNFULFILLED",
        },
        "returnStatus": "NO_RETURN",
        "createdAt": rest["created_at"],
        "processedAt": rest["processed_at"],
        "updatedAt": rest["updated_at"],
        "cancelledAt": rest["cancelled_at"],
        "totalPriceSet": bag(&rest["total_price_set"]),
        "totalTaxSet": bag(&rest["total_tax_set"]),
        "currentSubtotalPriceSet": bag(&rest["current_subtotal_price_set"]),
        "totalTipReceivedSet": tip(rest),
        "originalTotalDutiesSet": bag(&rest["original_total_duties_set"]),
        "originalTotalAdditionalFeesSet": bag(&rest["original_total_additional_fees_set"]),
        "totalCashRoundingAdjustment": {"paymentSet": bag(&rest["total_cash_rounding_payment_adjustment_set"])},
        "shippingLines": page(list(&rest["shipping_lines"]).map(shipping).collect()),
        "transactions": transactions.iter().map(transaction).collect::<Vec<_>>(),
        "refunds": list(&rest["refunds"]).map(|one| json!({"id": gid("Refund", &one["id"])})).collect::<Vec<_>>(),
    });
    let person = |value: Value| if with_persons { value } else { Value::Null };
    order["email"] = person(rest["email"].as_str().filter(|email| !email.is_empty()).into());
    order["phone"] = person(rest["phone"].clone());
    order["customer"] = person(customer(&rest["customer"]));
    order["billingAddress"] = person(address(&rest["billing_address"]));
    order["shippingAddress"] = person(address(&rest["shipping_address"]));
    if with_returns {
        order["returns"] = page(Vec::new());
    }
    order
}

/// An order as it stands in a list.
pub(super) fn listed(rest: &Value) -> Value {
    json!({
        "legacyResourceId": digits(&rest["id"]),
        "name": rest["name"],
        "createdAt": rest["created_at"],
        "updatedAt": rest["updated_at"],
    })
}

pub(super) fn line(rest: &Value) -> Value {
    let variant = &rest["variant_id"];
    json!({
        "id": gid("LineItem", &rest["id"]),
        "sku": rest["sku"],
        "vendor": rest["vendor"],
        "name": rest["name"],
        "title": rest["title"],
        "quantity": rest["quantity"],
        "currentQuantity": rest["current_quantity"],
        "isGiftCard": rest["gift_card"],
        "variant": if variant.is_null() { Value::Null } else { json!({"legacyResourceId": digits(variant)}) },
        "originalUnitPriceSet": bag(&rest["price_set"]),
        "discountAllocations": allocations(rest),
        "taxLines": taxes(rest),
    })
}

fn shipping(rest: &Value) -> Value {
    json!({
        "id": gid("ShippingLine", &rest["id"]),
        "title": rest["title"],
        "isRemoved": rest["is_removed"],
        "originalPriceSet": bag(&rest["price_set"]),
        "discountAllocations": allocations(rest),
        "taxLines": taxes(rest),
    })
}

/// A refund record. Adjustments carry no kind here, and shipping that goes back is no adjustment.
pub(super) fn refund(rest: &Value, order: &Value, with_returns: bool) -> Value {
    let lines = list(&rest["refund_line_items"]).map(|one| {
        json!({
            "quantity": one["quantity"],
            "restockType": loud(&one["restock_type"]),
            "lineItem": {"id": gid("LineItem", &one["line_item_id"])},
            "subtotalSet": bag(&one["subtotal_set"]),
            "totalTaxSet": bag(&one["total_tax_set"]),
        })
    });
    let shipping = list(&rest["refund_shipping_lines"]).map(|one| {
        json!({
            "shippingLine": {"id": gid("ShippingLine", &one["shipping_line_id"])},
            "subtotalAmountSet": bag(&one["subtotal_amount_set"]),
            "taxAmountSet": bag(&one["tax_amount_set"]),
        })
    });
    let adjustments = list(&rest["order_adjustments"])
        .filter(|one| one["kind"] != "shipping_refund")
        .map(|one| json!({"amountSet": bag(&one["amount_set"]), "taxAmountSet": bag(&one["tax_amount_set"])}));
    let mut refund = json!({
        "legacyResourceId": digits(&rest["id"]),
        "createdAt": rest["created_at"],
        "order": {"updatedAt": order["updated_at"]},
        "duties": [],
        "refundLineItems": page(lines.collect()),
        "refundShippingLines": page(shipping.collect()),
        "orderAdjustments": page(adjustments.collect()),
        "transactions": page(list(&rest["transactions"]).map(transaction).collect()),
    });
    if with_returns {
        refund["return"] = Value::Null;
    }
    refund
}

fn transaction(rest: &Value) -> Value {
    json!({
        "id": gid("OrderTransaction", &rest["id"]),
        "kind": loud(&rest["kind"]),
        "status": loud(&rest["status"]),
        "gateway": rest["gateway"],
        "createdAt": rest["created_at"],
        "processedAt": rest["processed_at"],
        "amountSet": {"presentmentMoney": {"amount": rest["amount"], "currencyCode": rest["currency"]}},
    })
}

/// All of a list, on its only page.
fn page(nodes: Vec<Value>) -> Value {
    json!({"pageInfo": {"hasNextPage": false, "endCursor": null}, "nodes": Value::Array(nodes)})
}

fn tip(rest: &Value) -> Value {
    // The list body prints it without the digits of its currency; here it is an amount like any other.
    json!({"shopMoney": {"amount": rest["total_tip_received"], "currencyCode": rest["currency"]}})
}

fn allocations(rest: &Value) -> Vec<Value> {
    list(&rest["discount_allocations"]).map(|one| json!({"allocatedAmountSet": bag(&one["amount_set"])})).collect()
}

fn taxes(rest: &Value) -> Vec<Value> {
    list(&rest["tax_lines"])
        .map(|one| json!({"title": one["title"], "rate": one["rate"], "priceSet": bag(&one["price_set"])}))
        .collect()
}

fn customer(rest: &Value) -> Value {
    if rest.is_null() {
        return Value::Null;
    }
    let own = |name: &str, key: &str| if rest[name].is_null() { Value::Null } else { json!({key: rest[name]}) };
    json!({
        "firstName": rest["first_name"],
        "lastName": rest["last_name"],
        "defaultEmailAddress": own("email", "emailAddress"),
        "defaultPhoneNumber": own("phone", "phoneNumber"),
    })
}

fn address(rest: &Value) -> Value {
    if rest.is_null() {
        return Value::Null;
    }
    json!({
        "firstName": rest["first_name"],
        "lastName": rest["last_name"],
        "company": rest["company"],
        "address1": rest["address1"],
        "address2": rest["address2"],
        "city": rest["city"],
        "province": rest["province"],
        "country": rest["country"],
        "zip": rest["zip"],
        "phone": rest["phone"],
    })
}

fn bag(rest: &Value) -> Value {
    let side = |name: &str| json!({"amount": rest[name]["amount"], "currencyCode": rest[name]["currency_code"]});
    if rest.is_null() {
        return Value::Null;
    }
    json!({"shopMoney": side("shop_money"), "presentmentMoney": side("presentment_money")})
}

fn list(rest: &Value) -> impl Iterator<Item = &Value> {
    rest.as_array().into_iter().flatten()
}

/// Ids of the old kind travel as text.
fn digits(id: &Value) -> Value {
    id.to_string().into()
}

fn gid(kind: &str, id: &Value) -> String {
    format!("gid://shopify/{kind}/{id}")
}

fn loud(word: &Value) -> Value {
    word.as_str().map(str::to_uppercase).into()
}

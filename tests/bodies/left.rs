//! What is left of an order, added up from its JSON alone: none of the product's own types or rules.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

/// What documents about an order must amount to together.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// What the customer pays, tax included.
    pub(crate) total: Decimal,
    pub(crate) tax: Decimal,
    /// By line id; lines of which nothing is left do not appear.
    pub(crate) units: BTreeMap<i64, Decimal>,
}

impl Left {
    pub(crate) fn of(order: &Value) -> Self {
        let mut left = Self::of_everything(order);
        let included = order["taxes_included"] == true;
        for refunded in list(&order["refunds"]).flat_map(|refund| list(&refund["refund_line_items"])) {
            let tax = shop_amount(refunded, "total_tax");
            left.total -= shop_amount(refunded, "subtotal") + if included { Decimal::ZERO } else { tax };
            left.tax -= tax;
            *left.units.get_mut(&refunded["line_item_id"].as_i64().unwrap()).unwrap() -= number(&refunded["quantity"]);
        }
        left.units.retain(|_, units| !units.is_zero());
        // Newer bodies say themselves what is left.
        for line in list(&order["line_items"]).filter(|line| line["current_quantity"].is_number()) {
            let units = left.units.get(&line["id"].as_i64().unwrap()).copied().unwrap_or_default();
            assert_eq!(units, number(&line["current_quantity"]), "units left of {}", line["name"]);
        }
        if order["current_total_price"].is_string() {
            let stated = ["current_total_price", "current_total_tax"].map(|key| number(&order[key]));
            assert_eq!([left.total, left.tax], stated, "what the body says is left");
        }
        left
    }

    /// Before anything was given back.
    pub(crate) fn of_everything(order: &Value) -> Self {
        let mut left = Self::default();
        for line in list(&order["line_items"]) {
            left.add(order, line, number(&line["quantity"]));
            left.units.insert(line["id"].as_i64().unwrap_or_default(), number(&line["quantity"]));
        }
        for shipping in list(&order["shipping_lines"]).filter(|line| line["is_removed"] != true) {
            left.add(order, shipping, Decimal::ONE);
        }
        left
    }

    fn add(&mut self, order: &Value, line: &Value, units: Decimal) {
        let discount: Decimal = list(&line["discount_allocations"]).map(|part| number(&part["amount"])).sum();
        let tax: Decimal = list(&line["tax_lines"]).map(|tax| number(&tax["price"])).sum();
        self.total += number(&line["price"]) * units - discount;
        if order["taxes_included"] != true {
            self.total += tax;
        }
        self.tax += tax;
    }
}

/// The sums that hold in every real order.
pub(crate) fn sums_hold(order: &Value) -> bool {
    let Left { total, tax, .. } = Left::of_everything(order);
    (total, tax) == (number(&order["total_price"]), number(&order["total_tax"]))
}

/// The elements of a list, which may be absent.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An amount as text or as number; absent is nothing.
pub(crate) fn number(value: &Value) -> Decimal {
    match value {
        Value::String(text) => text.parse().unwrap(),
        Value::Number(number) => number.to_string().parse().unwrap(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Decimal::ZERO,
    }
}

/// The exact text of a money bag, else the plain number of older bodies.
fn shop_amount(part: &Value, key: &str) -> Decimal {
    let exact = &part[format!("{key}_set")]["shop_money"]["amount"];
    number(if exact.is_null() { &part[key] } else { exact })
}

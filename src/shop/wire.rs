//! The JSON as Shopify sends it: only what we read, and as lenient as real bodies demand.
//!
//! New keys come with every API version and are ignored. Whatever may be absent or null is an `Option`; text for people
//! may be of any type and never makes a body unreadable. Amounts are strings or numbers; a number reaches the decimal by
//! its shortest printed form, which is the one Shopify wrote.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What every resource says of itself, read before the rest.
#[derive(Deserialize)]
pub(super) struct Identity {
    pub(super) id: i64,
    /// `gid://shopify/Order/450789469`; bodies before 2018 have none.
    pub(super) admin_graphql_api_id: Option<String>,
    pub(super) order_id: Option<i64>,
    /// Orders have it; drafts, checkouts and fulfilments do not.
    pub(super) order_number: Option<i64>,
    pub(super) line_items: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(super) struct Order {
    pub(super) id: i64,
    #[serde(default, deserialize_with = "text")]
    pub(super) name: String,
    pub(super) currency: String,
    pub(super) taxes_included: Option<bool>,
    pub(super) test: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    pub(super) source_name: String,
    /// One text, comma separated.
    #[serde(default, deserialize_with = "text")]
    pub(super) tags: String,
    pub(super) payment_gateway_names: Option<Vec<String>>,
    pub(super) financial_status: Option<String>,
    pub(super) fulfillment_status: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) processed_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) line_items: Vec<LineItem>,
    pub(super) shipping_lines: Option<Vec<ShippingLine>>,
    pub(super) refunds: Option<Vec<Refund>>,
    pub(super) returns: Option<Vec<Return>>,
    pub(super) total_price: Decimal,
    pub(super) total_tax: Option<Decimal>,
    pub(super) current_subtotal_price: Option<Decimal>,
    pub(super) total_tip_received: Option<Decimal>,
    pub(super) original_total_duties_set: Option<MoneyBag>,
    pub(super) original_total_additional_fees_set: Option<MoneyBag>,
    pub(super) total_cash_rounding_payment_adjustment_set: Option<MoneyBag>,
    #[serde(default, deserialize_with = "text")]
    pub(super) email: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) phone: String,
    pub(super) customer: Option<Person>,
    pub(super) billing_address: Option<Person>,
    pub(super) shipping_address: Option<Person>,
}

#[derive(Deserialize)]
pub(super) struct Product {
    #[serde(default, deserialize_with = "text")]
    pub(super) title: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) vendor: String,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) variants: Vec<Variant>,
    pub(super) variant_gids: Option<Vec<VariantGid>>,
}

#[derive(Deserialize)]
pub(super) struct Variant {
    pub(super) id: i64,
    #[serde(default, deserialize_with = "text")]
    pub(super) title: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) sku: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) barcode: String,
    pub(super) updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct VariantGid {
    pub(super) admin_graphql_api_id: String,
}

#[derive(Deserialize)]
pub(super) struct LineItem {
    pub(super) id: i64,
    pub(super) variant_id: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) sku: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) vendor: String,
    /// Title and variant.
    #[serde(default, deserialize_with = "text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) title: String,
    pub(super) quantity: i64,
    pub(super) current_quantity: Option<i64>,
    pub(super) price: Decimal,
    /// Only bodies before 2018, which have no allocations, mean it: later it is zero even on discounted lines.
    pub(super) total_discount: Option<Decimal>,
    pub(super) discount_allocations: Option<Vec<Allocation>>,
    pub(super) tax_lines: Option<Vec<TaxLine>>,
    pub(super) gift_card: Option<bool>,
    /// The keys exist only on tips; their values may be null.
    #[serde(default, deserialize_with = "present")]
    pub(super) tip_payment_gateway: bool,
    #[serde(default, deserialize_with = "present")]
    pub(super) tip_payment_method: bool,
}

#[derive(Deserialize)]
pub(super) struct Allocation {
    pub(super) amount: Decimal,
}

#[derive(Deserialize)]
pub(super) struct TaxLine {
    #[serde(default, deserialize_with = "text")]
    pub(super) title: String,
    pub(super) rate: Option<Decimal>,
    pub(super) price: Decimal,
}

#[derive(Deserialize)]
pub(super) struct ShippingLine {
    /// Absent in the oldest bodies, which have one such line at most.
    pub(super) id: Option<i64>,
    #[serde(default, deserialize_with = "text")]
    pub(super) title: String,
    pub(super) price: Decimal,
    pub(super) discount_allocations: Option<Vec<Allocation>>,
    pub(super) tax_lines: Option<Vec<TaxLine>>,
    pub(super) is_removed: Option<bool>,
}

/// A return; of an exchange it names what was given instead.
#[derive(Deserialize)]
pub(super) struct Return {
    pub(super) exchange_line_items: Option<Vec<ExchangeLineItem>>,
}

#[derive(Deserialize)]
pub(super) struct ExchangeLineItem {
    /// Null until the exchange is through.
    pub(super) line_item: Option<LineReference>,
}

#[derive(Deserialize)]
pub(super) struct LineReference {
    pub(super) id: i64,
}

#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) id: i64,
    pub(super) created_at: Timestamp,
    /// Before there was a `restock_type` on each line.
    pub(super) restock: Option<bool>,
    #[serde(rename = "return")]
    pub(super) of_return: Option<IgnoredAny>,
    pub(super) duties: Option<Vec<IgnoredAny>>,
    pub(super) total_duties_set: Option<MoneyBag>,
    pub(super) total_additional_fees_set: Option<MoneyBag>,
    pub(super) refund_line_items: Option<Vec<RefundLineItem>>,
    pub(super) refund_shipping_lines: Option<Vec<RefundShippingLine>>,
    pub(super) order_adjustments: Option<Vec<OrderAdjustment>>,
    pub(super) transactions: Option<Vec<Transaction>>,
}

#[derive(Deserialize)]
pub(super) struct RefundLineItem {
    pub(super) line_item_id: i64,
    pub(super) quantity: i64,
    pub(super) restock_type: Option<String>,
    pub(super) subtotal: Option<Decimal>,
    pub(super) subtotal_set: Option<MoneyBag>,
    pub(super) total_tax: Option<Decimal>,
    pub(super) total_tax_set: Option<MoneyBag>,
}

#[derive(Deserialize)]
pub(super) struct RefundShippingLine {
    pub(super) shipping_line_id: i64,
    pub(super) subtotal_amount_set: MoneyBag,
    pub(super) tax_amount_set: Option<MoneyBag>,
}

#[derive(Deserialize)]
pub(super) struct OrderAdjustment {
    pub(super) kind: Option<String>,
    pub(super) amount: Option<Decimal>,
    pub(super) amount_set: Option<MoneyBag>,
    pub(super) tax_amount: Option<Decimal>,
    pub(super) tax_amount_set: Option<MoneyBag>,
}

#[derive(Deserialize)]
pub(super) struct Transaction {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) status: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) gateway: String,
    pub(super) amount: Decimal,
    #[serde(default, deserialize_with = "text")]
    pub(super) currency: String,
    pub(super) processed_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
}

/// One amount in the shop's and in the buyer's currency; only the shop's counts.
#[derive(Deserialize)]
pub(super) struct MoneyBag {
    pub(super) shop_money: Money,
}

impl MoneyBag {
    /// The same money in the other direction.
    pub(super) fn negated(&self) -> Self {
        let Money { amount, currency_code } = &self.shop_money;
        Self { shop_money: Money { amount: -*amount, currency_code: currency_code.clone() } }
    }
}

#[derive(Deserialize)]
pub(super) struct Money {
    pub(super) amount: Decimal,
    pub(super) currency_code: String,
}

/// A customer or an address: they share the fields we keep.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Person {
    #[serde(deserialize_with = "text")]
    pub(super) first_name: String,
    #[serde(deserialize_with = "text")]
    pub(super) last_name: String,
    #[serde(deserialize_with = "text")]
    pub(super) company: String,
    #[serde(deserialize_with = "text")]
    pub(super) email: String,
    #[serde(deserialize_with = "text")]
    pub(super) phone: String,
    #[serde(deserialize_with = "text")]
    pub(super) address1: String,
    #[serde(deserialize_with = "text")]
    pub(super) address2: String,
    #[serde(deserialize_with = "text")]
    pub(super) city: String,
    #[serde(deserialize_with = "text")]
    pub(super) province: String,
    #[serde(deserialize_with = "text")]
    pub(super) zip: String,
    #[serde(deserialize_with = "text")]
    pub(super) country: String,
}

/// `orders/edited` names lines and deltas, but no prices.
#[derive(Deserialize)]
pub(super) struct Edited {
    pub(super) order_edit: OrderEdit,
}

#[derive(Deserialize)]
pub(super) struct OrderEdit {
    pub(super) order_id: i64,
}

/// The three privacy topics.
#[derive(Deserialize)]
pub(super) struct Privacy {
    pub(super) shop_domain: String,
    pub(super) customer: Option<Customer>,
    pub(super) orders_requested: Option<Vec<i64>>,
    pub(super) orders_to_redact: Option<Vec<i64>>,
}

/// Whom it is about; more of them is in the sealed body only.
#[derive(Deserialize)]
pub(super) struct Customer {
    pub(super) id: Option<i64>,
}

/// `app/uninstalled` carries the shop. The domain may be null, but a body without the key is no shop.
#[derive(Deserialize)]
pub(super) struct Shop {
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) myshopify_domain: Option<String>,
}

/// Text for people: a number becomes its digits, anything else that is no text becomes nothing.
fn text<'de, D: Deserializer<'de>>(json: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(json)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

fn present<'de, D: Deserializer<'de>>(json: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(json).map(|_| true)
}

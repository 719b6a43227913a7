//! An order of the Admin API in the shape of a webhook's body, so that one reader reads both.
//!
//! What GraphQL does not say is taken from what it does say, and only where that leaves no choice: shipping that went back is an
//! adjustment in a webhook, too; the one line that costs the whole tip is the tip.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::super::read::{ReadError, Reading, kind_of_fault, order_of};
use super::super::wire;

/// What several questions told of one order.
pub(super) struct Parts {
    pub(super) order: Value,
    pub(super) lines: Vec<Value>,
    pub(super) refunds: Vec<Value>,
}

/// The same as a webhook's body says.
pub(super) fn reading(parts: Parts) -> Result<Reading, ReadError> {
    let order: Order = fit(parts.order, "order")?;
    let sure = matches!(order.return_status.as_str(), "" | "NO_RETURN");
    if !sure && order.returns.is_none() {
        let problem =
            "there are returns, which may be exchanges, and the app may not see them: give it the scope read_returns";
        return Err(ReadError::new("returns", problem));
    }
    let lines = parts.lines.into_iter().map(|line| fit::<Line>(line, "lineItems")).collect::<Result<Vec<_>, _>>()?;
    let refunds =
        parts.refunds.into_iter().map(|refund| fit::<Refund>(refund, "refunds")).collect::<Result<Vec<_>, _>>()?;
    let transactions = order.transactions.iter().map(Transaction::wire).collect::<Result<Vec<_>, _>>()?;
    order_of(order.wire(lines, refunds)?, transactions)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    legacy_resource_id: String,
    name: String,
    currency_code: String,
    taxes_included: bool,
    test: bool,
    source_name: Option<String>,
    tags: Vec<String>,
    payment_gateway_names: Vec<String>,
    display_financial_status: Option<String>,
    display_fulfillment_status: String,
    #[serde(default)]
    return_status: String,
    created_at: Timestamp,
    processed_at: Timestamp,
    updated_at: Timestamp,
    cancelled_at: Option<Timestamp>,
    email: Option<String>,
    phone: Option<String>,
    customer: Option<Customer>,
    billing_address: Option<Address>,
    shipping_address: Option<Address>,
    total_price_set: Bag,
    total_tax_set: Option<Bag>,
    current_subtotal_price_set: Bag,
    total_tip_received_set: Bag,
    original_total_duties_set: Option<Bag>,
    original_total_additional_fees_set: Option<Bag>,
    total_cash_rounding_adjustment: Option<Rounding>,
    shipping_lines: List<ShippingLine>,
    transactions: Vec<Transaction>,
    returns: Option<List<Return>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<T> {
    page_info: Option<PageInfo>,
    nodes: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bag {
    shop_money: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Money {
    amount: Decimal,
    currency_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rounding {
    payment_set: Option<Bag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    first_name: Option<String>,
    last_name: Option<String>,
    default_email_address: Option<Email>,
    default_phone_number: Option<Phone>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Email {
    email_address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Phone {
    phone_number: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    first_name: Option<String>,
    last_name: Option<String>,
    company: Option<String>,
    address1: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    province: Option<String>,
    country: Option<String>,
    zip: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    sku: Option<String>,
    vendor: Option<String>,
    name: String,
    title: String,
    quantity: i64,
    current_quantity: i64,
    is_gift_card: bool,
    variant: Option<Variant>,
    original_unit_price_set: Bag,
    discount_allocations: Vec<Allocation>,
    tax_lines: Vec<TaxLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Variant {
    legacy_resource_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Allocation {
    allocated_amount_set: Bag,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaxLine {
    title: String,
    rate: Option<Decimal>,
    price_set: Bag,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ShippingLine {
    id: Option<String>,
    title: String,
    is_removed: bool,
    original_price_set: Bag,
    discount_allocations: Vec<Allocation>,
    tax_lines: Vec<TaxLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transaction {
    id: String,
    kind: String,
    status: String,
    gateway: Option<String>,
    created_at: Option<Timestamp>,
    processed_at: Option<Timestamp>,
    amount_set: Paid,
}

/// What was charged, in the currency of the buyer: the same as in a webhook.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paid {
    presentment_money: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Return {
    exchange_line_items: List<Exchange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    line_items: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refund {
    legacy_resource_id: String,
    created_at: Option<Timestamp>,
    #[serde(rename = "return")]
    of_return: Option<Reference>,
    duties: Option<Vec<Duty>>,
    refund_line_items: List<RefundLine>,
    refund_shipping_lines: List<RefundShipping>,
    order_adjustments: List<Adjustment>,
    transactions: List<Transaction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Duty {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundLine {
    quantity: i64,
    restock_type: String,
    line_item: Reference,
    subtotal_set: Bag,
    total_tax_set: Bag,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundShipping {
    shipping_line: Reference,
    subtotal_amount_set: Bag,
    tax_amount_set: Bag,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Adjustment {
    amount_set: Bag,
    tax_amount_set: Bag,
}

impl Order {
    fn wire(self, lines: Vec<Line>, refunds: Vec<Refund>) -> Result<wire::Order, ReadError> {
        let tip = self.total_tip_received_set.shop_money.amount;
        let mut line_items = lines.into_iter().map(Line::wire).collect::<Result<Vec<_>, _>>()?;
        mark_tip(&mut line_items, tip);
        let created_at = self.created_at;
        Ok(wire::Order {
            id: digits(&self.legacy_resource_id, "legacyResourceId")?,
            name: self.name,
            currency: self.currency_code,
            taxes_included: Some(self.taxes_included),
            test: Some(self.test),
            source_name: self.source_name.unwrap_or_default(),
            tags: self.tags.join(", "),
            payment_gateway_names: Some(self.payment_gateway_names),
            financial_status: self.display_financial_status.map(|word| word.to_lowercase()),
            fulfillment_status: match self.display_fulfillment_status.as_str() {
                "PARTIALLY_FULFILLED" => Some("partial".to_owned()),
                "FULFILLED" => Some("fulfilled".to_owned()),
                "RESTOCKED" => Some("restocked".to_owned()),
                // Scheduled, on hold, in progress: nothing has left yet.
                _ => None,
            },
            created_at,
            processed_at: Some(self.processed_at),
            updated_at: Some(self.updated_at),
            cancelled_at: self.cancelled_at,
            line_items,
            shipping_lines: Some(self.shipping_lines.whole("shippingLines", ShippingLine::wire)?),
            refunds: Some(refunds.into_iter().map(|one| one.wire(created_at)).collect::<Result<Vec<_>, _>>()?),
            returns: self.returns.map(|all| all.whole("returns", Return::wire)).transpose()?,
            total_price: self.total_price_set.shop_money.amount,
            total_tax: self.total_tax_set.map(|bag| bag.shop_money.amount),
            current_subtotal_price: Some(self.current_subtotal_price_set.shop_money.amount),
            total_tip_received: Some(tip),
            original_total_duties_set: self.original_total_duties_set.map(Bag::wire),
            original_total_additional_fees_set: self.original_total_additional_fees_set.map(Bag::wire),
            total_cash_rounding_payment_adjustment_set: self
                .total_cash_rounding_adjustment
                .and_then(|rounding| rounding.payment_set)
                .map(Bag::wire),
            email: self.email.unwrap_or_default(),
            phone: self.phone.unwrap_or_default(),
            customer: self.customer.map(Customer::wire),
            billing_address: self.billing_address.map(Address::wire),
            shipping_address: self.shipping_address.map(Address::wire),
        })
    }
}

/// A tip is a line of no variant, and the only one that costs what was tipped.
fn mark_tip(lines: &mut [wire::LineItem], tip: Decimal) {
    if tip.is_zero() {
        return;
    }
    let is_it = |line: &wire::LineItem| {
        line.variant_id.is_none() && line.gift_card != Some(true) && line.quantity == 1 && line.price == tip
    };
    let mut all = lines.iter_mut().filter(|line| is_it(line));
    if let (Some(line), None) = (all.next(), all.next()) {
        line.tip_payment_gateway = true;
    }
}

impl Line {
    fn wire(self) -> Result<wire::LineItem, ReadError> {
        Ok(wire::LineItem {
            id: id_of(&self.id, "lineItems")?,
            variant_id: self.variant.map(|one| digits(&one.legacy_resource_id, "variant")).transpose()?,
            sku: self.sku.unwrap_or_default(),
            vendor: self.vendor.unwrap_or_default(),
            name: self.name,
            title: self.title,
            quantity: self.quantity,
            current_quantity: Some(self.current_quantity),
            price: self.original_unit_price_set.shop_money.amount,
            total_discount: None,
            discount_allocations: Some(allocations(self.discount_allocations)),
            tax_lines: Some(taxes(self.tax_lines)),
            gift_card: Some(self.is_gift_card),
            tip_payment_gateway: false,
            tip_payment_method: false,
        })
    }
}

impl ShippingLine {
    fn wire(self) -> Result<wire::ShippingLine, ReadError> {
        Ok(wire::ShippingLine {
            id: self.id.map(|id| id_of(&id, "shippingLines")).transpose()?,
            title: self.title,
            price: self.original_price_set.shop_money.amount,
            discount_allocations: Some(allocations(self.discount_allocations)),
            tax_lines: Some(taxes(self.tax_lines)),
            is_removed: Some(self.is_removed),
        })
    }
}

impl Return {
    fn wire(self) -> Result<wire::Return, ReadError> {
        let exchanges = self.exchange_line_items.whole("exchangeLineItems", |exchange| {
            let given = exchange.line_items.unwrap_or_default();
            given.into_iter().map(|line| line.id("lineItems").map(|id| wire::LineReference { id })).collect()
        })?;
        let mut exchange_line_items = Vec::new();
        for given in exchanges {
            let given: Vec<wire::LineReference> = given;
            // Until the exchange is through it names no line, and is one all the same.
            if given.is_empty() {
                exchange_line_items.push(wire::ExchangeLineItem { line_item: None });
            }
            exchange_line_items.extend(given.into_iter().map(|line| wire::ExchangeLineItem { line_item: Some(line) }));
        }
        Ok(wire::Return { exchange_line_items: Some(exchange_line_items) })
    }
}

impl Refund {
    fn wire(self, placed_at: Timestamp) -> Result<wire::Refund, ReadError> {
        let shipping = self.refund_shipping_lines.whole("refundShippingLines", |line| {
            Ok(wire::RefundShippingLine {
                shipping_line_id: line.shipping_line.id("shippingLine")?,
                subtotal_amount_set: line.subtotal_amount_set.wire(),
                tax_amount_set: Some(line.tax_amount_set.wire()),
            })
        })?;
        let of_shipping = |line: &wire::RefundShippingLine| wire::OrderAdjustment {
            kind: Some("shipping_refund".to_owned()),
            amount: None,
            amount_set: Some(line.subtotal_amount_set.negated()),
            tax_amount: None,
            tax_amount_set: line.tax_amount_set.as_ref().map(wire::MoneyBag::negated),
        };
        let mut adjustments: Vec<wire::OrderAdjustment> = shipping.iter().map(of_shipping).collect();
        adjustments.extend(self.order_adjustments.whole("orderAdjustments", |one| {
            Ok(wire::OrderAdjustment {
                kind: None,
                amount: None,
                amount_set: Some(one.amount_set.wire()),
                tax_amount: None,
                tax_amount_set: Some(one.tax_amount_set.wire()),
            })
        })?);
        Ok(wire::Refund {
            id: digits(&self.legacy_resource_id, "legacyResourceId")?,
            created_at: self.created_at.unwrap_or(placed_at),
            restock: None,
            of_return: self.of_return.map(|_| serde::de::IgnoredAny),
            duties: self.duties.map(|all| all.iter().map(|_| serde::de::IgnoredAny).collect()),
            total_duties_set: None,
            total_additional_fees_set: None,
            refund_line_items: Some(self.refund_line_items.whole("refundLineItems", |line| {
                Ok(wire::RefundLineItem {
                    line_item_id: line.line_item.id("lineItem")?,
                    quantity: line.quantity,
                    restock_type: Some(line.restock_type.to_lowercase()),
                    subtotal: None,
                    subtotal_set: Some(line.subtotal_set.wire()),
                    total_tax: None,
                    total_tax_set: Some(line.total_tax_set.wire()),
                })
            })?),
            refund_shipping_lines: Some(shipping),
            order_adjustments: Some(adjustments),
            transactions: Some(self.transactions.whole("transactions", |one| one.wire())?),
        })
    }
}

impl Transaction {
    fn wire(&self) -> Result<wire::Transaction, ReadError> {
        Ok(wire::Transaction {
            id: id_of(&self.id, "transactions")?,
            kind: self.kind.to_lowercase(),
            status: self.status.to_lowercase(),
            gateway: self.gateway.clone().unwrap_or_default(),
            amount: self.amount_set.presentment_money.amount,
            currency: self.amount_set.presentment_money.currency_code.clone(),
            processed_at: self.processed_at,
            created_at: self.created_at,
        })
    }
}

impl Customer {
    fn wire(self) -> wire::Person {
        wire::Person {
            first_name: self.first_name.unwrap_or_default(),
            last_name: self.last_name.unwrap_or_default(),
            email: self.default_email_address.map(|one| one.email_address).unwrap_or_default(),
            phone: self.default_phone_number.map(|one| one.phone_number).unwrap_or_default(),
            ..wire::Person::default()
        }
    }
}

impl Address {
    fn wire(self) -> wire::Person {
        wire::Person {
            first_name: self.first_name.unwrap_or_default(),
            last_name: self.last_name.unwrap_or_default(),
            company: self.company.unwrap_or_default(),
            email: String::new(),
            phone: self.phone.unwrap_or_default(),
            address1: self.address1.unwrap_or_default(),
            address2: self.address2.unwrap_or_default(),
            city: self.city.unwrap_or_default(),
            province: self.province.unwrap_or_default(),
            zip: self.zip.unwrap_or_default(),
            country: self.country.unwrap_or_default(),
        }
    }
}

impl Bag {
    fn wire(self) -> wire::MoneyBag {
        let Money { amount, currency_code } = self.shop_money;
        wire::MoneyBag { shop_money: wire::Money { amount, currency_code } }
    }
}

impl Reference {
    fn id(&self, place: &str) -> Result<i64, ReadError> {
        id_of(self.id.as_deref().unwrap_or_default(), place)
    }
}

impl<T> List<T> {
    /// A list that goes on where we do not ask would be a part taken for the whole.
    fn whole<U>(self, place: &str, read: impl Fn(T) -> Result<U, ReadError>) -> Result<Vec<U>, ReadError> {
        if self.page_info.is_some_and(|info| info.has_next_page) {
            return Err(ReadError::new(place, "more entries than one answer holds"));
        }
        self.nodes.into_iter().map(read).collect()
    }
}

fn allocations(all: Vec<Allocation>) -> Vec<wire::Allocation> {
    all.into_iter().map(|one| wire::Allocation { amount: one.allocated_amount_set.shop_money.amount }).collect()
}

fn taxes(all: Vec<TaxLine>) -> Vec<wire::TaxLine> {
    let own = |one: TaxLine| wire::TaxLine { title: one.title, rate: one.rate, price: one.price_set.shop_money.amount };
    all.into_iter().map(own).collect()
}

/// `gid://shopify/LineItem/1` is 1.
fn id_of(gid: &str, place: &str) -> Result<i64, ReadError> {
    // Some ids carry a query of their own behind the number.
    let last = gid.rsplit('/').next().unwrap_or_default();
    digits(last.split('?').next().unwrap_or_default(), place)
}

fn digits(text: &str, place: &str) -> Result<i64, ReadError> {
    text.parse().map_err(|_| ReadError::new(place, "an id that is no number"))
}

fn fit<T: for<'de> Deserialize<'de>>(value: Value, place: &str) -> Result<T, ReadError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        ReadError::new(path.trim_end_matches(['?', '.']), kind_of_fault(&error.into_inner())).inside(place)
    })
}

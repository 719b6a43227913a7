//! From a webhook's body to what the core knows of an order; every complaint names the place in the JSON.
//!
//! The topic is an unsigned header, so the body's shape must fit it: a draft order is never read as an order, and only a
//! body that says so itself cancels anything. Amounts are the shop's currency, exact, never rounded. Nothing is judged
//! here: sums that do not add up are the core's business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::wire;
use crate::domain::catalog::Code;
use crate::domain::money::{Amount, Currency};
use crate::domain::order::{
    Adjustment, Cancelled, Facts, FulfillmentStatus, Line, PaymentStatus, Refund, RefundLine, RefundShipping, Restock,
    SAMPLE_ORDER, Shipping, Snapshot, TaxLine, Transaction, TransactionKind, TransactionStatus,
};
use crate::domain::variant::{Variant, title_of};

/// What one delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The whole order, and every fact its body mentions.
    Order { snapshot: Box<Snapshot>, facts: Facts, updated_at: Timestamp, buyer: Option<Buyer> },
    /// A fact about an order, without the order.
    Facts { order_id: i64, facts: Facts },
    /// The order was edited; how, only the order itself says.
    Edited { order_id: i64 },
    /// Shopify's "Send test notification".
    Sample { order_id: i64 },
    /// A buyer wants to see what is kept of these orders.
    DataRequest { shop_domain: String, customer_id: Option<i64>, orders: BTreeSet<i64> },
    /// A buyer wants to be forgotten in these orders.
    RedactBuyer { shop_domain: String, customer_id: Option<i64>, orders: BTreeSet<i64> },
    /// Everybody in this shop is to be forgotten.
    RedactShop { shop_domain: String },
    /// The shop removed our app. Shopify may leave out which shop it was.
    Uninstalled { shop_domain: Option<String> },
    /// A product changed: its variants, those of which only the id is told, and when.
    Product { variants: Vec<Variant>, untold: BTreeSet<i64> },
    /// Not about an order: a topic that never is, or one we do not know.
    Other,
}

/// Who bought. Kept sealed, never logged: hence no `Debug` of its contents.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub name: String,
    pub email: String,
    pub phone: String,
    /// One line, from street to country.
    pub address: String,
}

impl fmt::Debug for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buyer(…)")
    }
}

/// Why a body is not what its topic says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if path.is_empty() { "body" } else { path })]
pub struct ReadError {
    /// `line_items[2].price`; empty for the body as a whole.
    pub path: String,
    pub problem: String,
}

/// The sample order's id after it went through a program that keeps numbers as floats, as Shopify's own samples did.
const SAMPLE_ORDER_ROUNDED: i64 = 820_982_911_946_154_500;
/// Shops are known that write 15 for fifteen percent; beyond a hundred times the price nothing is meant.
const HIGHEST_RATE: Decimal = Decimal::ONE_HUNDRED;
/// The name of a kind of resource is not longer: anything else is not quoted.
const LONGEST_KIND: usize = 40;
/// No list of an order is longer: Shopify's own limits are far below.
const LONGEST_LIST: usize = 1_000;

/// Reads a body by its topic.
pub fn read(topic: &str, body: &[u8]) -> Result<Reading, ReadError> {
    match topic {
        "orders/create"
        | "orders/updated"
        | "orders/paid"
        | "orders/cancelled"
        | "orders/fulfilled"
        | "orders/partially_fulfilled" => order(topic, body),
        "orders/delete" => deleted(body),
        "orders/edited" => {
            let order_id = parse::<wire::Edited>(body)?.order_edit.order_id;
            Ok(if is_sample(order_id) { Reading::Sample { order_id } } else { Reading::Edited { order_id } })
        }
        "refunds/create" => refund_alone(body),
        "order_transactions/create" => transaction_alone(body),
        "customers/data_request" => {
            let wire::Privacy { shop_domain, customer, orders_requested, .. } = parse(body)?;
            let orders = orders_requested.unwrap_or_default().into_iter().collect();
            Ok(Reading::DataRequest { shop_domain, customer_id: customer.and_then(|customer| customer.id), orders })
        }
        "customers/redact" => {
            let wire::Privacy { shop_domain, customer, orders_to_redact, .. } = parse(body)?;
            let orders = orders_to_redact.unwrap_or_default().into_iter().collect();
            Ok(Reading::RedactBuyer { shop_domain, customer_id: customer.and_then(|customer| customer.id), orders })
        }
        "shop/redact" => Ok(Reading::RedactShop { shop_domain: parse::<wire::Privacy>(body)?.shop_domain }),
        "products/update" => product(body),
        "app/uninstalled" => Ok(Reading::Uninstalled { shop_domain: parse::<wire::Shop>(body)?.myshopify_domain }),
        _ => Ok(Reading::Other),
    }
}

fn order(topic: &str, body: &[u8]) -> Result<Reading, ReadError> {
    let identity: wire::Identity = parse(body)?;
    identity.must_be("Order")?;
    if identity.admin_graphql_api_id.is_none() && identity.order_number.is_none() {
        return Err(ReadError::new("order_number", "missing: this is no order"));
    }
    if is_sample(identity.id) {
        return Ok(Reading::Sample { order_id: identity.id });
    }
    let wire: wire::Order = parse(body)?;
    if topic == "orders/cancelled" && wire.cancelled_at.is_none() {
        return Err(ReadError::new("cancelled_at", "missing: this order is alive"));
    }
    order_of(wire, Vec::new())
}

/// What an order says, whoever told it. The API tells all movements of money with it, a webhook only those of refunds.
pub(super) fn order_of(wire: wire::Order, movements: Vec<wire::Transaction>) -> Result<Reading, ReadError> {
    let updated_at = wire.updated_at.unwrap_or(wire.created_at);
    let buyer = buyer(&wire);
    let (snapshot, mut facts) = snapshot(wire)?;
    facts.transactions.extend(movements.into_iter().map(transaction).map(|one| (one.id, one)));
    Ok(Reading::Order { snapshot: Box::new(snapshot), facts, updated_at, buyer })
}

fn deleted(body: &[u8]) -> Result<Reading, ReadError> {
    let identity: wire::Identity = parse(body)?;
    identity.must_be("Order")?;
    if identity.line_items.is_some() {
        return Err(ReadError::new("line_items", "a deletion carries no lines: this order is alive"));
    }
    let order_id = identity.id;
    if is_sample(order_id) {
        return Ok(Reading::Sample { order_id });
    }
    Ok(Reading::Facts { order_id, facts: Facts { deleted: true, ..Facts::default() } })
}

fn refund_alone(body: &[u8]) -> Result<Reading, ReadError> {
    let order_id = parse::<wire::Identity>(body)?.part_of_order("Refund")?;
    if is_sample(order_id) {
        return Ok(Reading::Sample { order_id });
    }
    let wire: wire::Refund = parse(body)?;
    if wire.refund_line_items.is_none() && wire.transactions.is_none() {
        return Err(ReadError::new("refund_line_items", "missing: this is no refund"));
    }
    let mut facts = Facts::default();
    add_refund(&mut facts, refund(wire, None)?);
    Ok(Reading::Facts { order_id, facts })
}

fn transaction_alone(body: &[u8]) -> Result<Reading, ReadError> {
    let order_id = parse::<wire::Identity>(body)?.part_of_order("OrderTransaction")?;
    if is_sample(order_id) {
        return Ok(Reading::Sample { order_id });
    }
    let transaction = transaction(parse(body)?);
    let transactions = BTreeMap::from([(transaction.id, transaction)]);
    Ok(Reading::Facts { order_id, facts: Facts { transactions, ..Facts::default() } })
}

/// A product with more than a hundred variants tells of the others by their ids only.
fn product(body: &[u8]) -> Result<Reading, ReadError> {
    parse::<wire::Identity>(body)?.must_be("Product")?;
    let wire: wire::Product = parse(body)?;
    let changed_at = wire.updated_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let variants: Vec<Variant> = wire
        .variants
        .into_iter()
        .map(|one| Variant {
            id: one.id,
            barcode: Some(Code::new(&one.barcode)),
            sku: one.sku,
            title: title_of(&wire.title, &one.title),
            vendor: wire.vendor.clone(),
            updated_at: one.updated_at.unwrap_or(changed_at),
        })
        .collect();
    let ids = wire.variant_gids.unwrap_or_default().into_iter();
    let ids = ids.filter_map(|one| one.admin_graphql_api_id.rsplit('/').next()?.parse().ok());
    let untold = ids.filter(|id| variants.iter().all(|told| told.id != *id)).collect();
    Ok(Reading::Product { variants, untold })
}

fn is_sample(order_id: i64) -> bool {
    matches!(order_id, SAMPLE_ORDER | SAMPLE_ORDER_ROUNDED)
}

impl wire::Identity {
    /// A body that names its own kind must name this one.
    fn must_be(&self, kind: &str) -> Result<(), ReadError> {
        let named = self.admin_graphql_api_id.as_deref().and_then(|gid| gid.strip_prefix("gid://shopify/"));
        match named.and_then(|rest| rest.split('/').next()) {
            Some(other) if other != kind => {
                let is_kind = other.len() <= LONGEST_KIND && other.chars().all(|letter| letter.is_ascii_alphabetic());
                let other = if is_kind { other } else { "resource of no known kind" };
                Err(ReadError::new("admin_graphql_api_id", format!("this is a {other}, not a {kind}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn part_of_order(&self, kind: &str) -> Result<i64, ReadError> {
        self.must_be(kind)?;
        self.order_id.ok_or_else(|| ReadError::new("order_id", "missing: whose is it?"))
    }
}

fn snapshot(wire: wire::Order) -> Result<(Snapshot, Facts), ReadError> {
    let currency = currency(&wire.currency).map_err(|error| error.inside("currency"))?;
    let lines = each("line_items", Some(wire.line_items), |item| line(item, currency))?;
    distinct("line_items", lines.iter().map(|line| line.id))?;
    let shown = wire.shipping_lines.map(|all| all.into_iter().filter(|line| line.is_removed != Some(true)).collect());
    let shipping = each("shipping_lines", shown, |line| shipping(line, currency))?;
    distinct("shipping_lines", shipping.iter().map(|line| line.id))?;
    let mut facts = Facts { cancelled: wire.cancelled_at.map(|at| Cancelled { at }), ..Facts::default() };
    for refund in each("refunds", wire.refunds, |wire| refund(wire, Some(currency)))? {
        add_refund(&mut facts, refund);
    }
    let exchanges = each("returns", wire.returns, |of_return| Ok(of_return.exchange_line_items.unwrap_or_default()))?;
    let exchanges: Vec<wire::ExchangeLineItem> = exchanges.into_iter().flatten().collect();
    let plain = |name, amount: Option<Decimal>| amount_of(None, amount, Some(currency)).map_err(|e| e.inside(name));
    let extra = |name, set: Option<wire::MoneyBag>| {
        amount_of(set.as_ref(), None, Some(currency)).map_err(|error| error.inside(name))
    };
    let snapshot = Snapshot {
        id: wire.id,
        name: wire.name,
        currency,
        taxes_included: wire.taxes_included.unwrap_or(false),
        test: wire.test.unwrap_or(false),
        source: wire.source_name,
        tags: wire.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        gateways: wire.payment_gateway_names.unwrap_or_default(),
        payment: payment_status(wire.financial_status.as_deref()),
        fulfillment: fulfillment_status(wire.fulfillment_status.as_deref()),
        created_at: wire.created_at,
        processed_at: wire.processed_at.unwrap_or(wire.created_at),
        lines,
        shipping,
        total_price: plain("total_price", Some(wire.total_price))?,
        total_tax: plain("total_tax", wire.total_tax)?,
        current_subtotal: wire
            .current_subtotal_price
            .map(|now| plain("current_subtotal_price", Some(now)))
            .transpose()?,
        tip: plain("total_tip_received", wire.total_tip_received)?,
        duties: extra("original_total_duties_set", wire.original_total_duties_set)?,
        fees: extra("original_total_additional_fees_set", wire.original_total_additional_fees_set)?,
        cash_rounding: extra(
            "total_cash_rounding_payment_adjustment_set",
            wire.total_cash_rounding_payment_adjustment_set,
        )?,
        exchanged: (!exchanges.is_empty())
            .then(|| exchanges.into_iter().filter_map(|given| Some(given.line_item?.id)).collect()),
        refunds_seen: facts.refunds.keys().copied().collect(),
    };
    Ok((snapshot, facts))
}

fn line(wire: wire::LineItem, currency: Currency) -> Result<Line, ReadError> {
    let unit_price = amount(wire.price, currency).map_err(|error| error.inside("price"))?;
    if wire.quantity < 0 || unit_price.times(wire.quantity).is_none() {
        return Err(ReadError::new("quantity", format!("{} units at {} are impossible", wire.quantity, wire.price)));
    }
    let discount = match (wire.discount_allocations, wire.total_discount) {
        (None, Some(discount)) => amount(discount, currency).map_err(|error| error.inside("total_discount"))?,
        (allocations, _) => discount(allocations, currency)?,
    };
    Ok(Line {
        id: wire.id,
        variant_id: wire.variant_id,
        sku: wire.sku,
        vendor: wire.vendor,
        title: if wire.name.is_empty() { wire.title } else { wire.name },
        quantity: wire.quantity,
        current_quantity: wire.current_quantity,
        unit_price,
        discount,
        taxes: taxes(wire.tax_lines, currency)?,
        gift_card: wire.gift_card.unwrap_or(false),
        tip: wire.tip_payment_gateway || wire.tip_payment_method,
    })
}

fn shipping(wire: wire::ShippingLine, currency: Currency) -> Result<Shipping, ReadError> {
    Ok(Shipping {
        id: wire.id.unwrap_or_default(),
        title: wire.title,
        price: amount(wire.price, currency).map_err(|error| error.inside("price"))?,
        discount: discount(wire.discount_allocations, currency)?,
        taxes: taxes(wire.tax_lines, currency)?,
    })
}

fn discount(allocations: Option<Vec<wire::Allocation>>, currency: Currency) -> Result<Amount, ReadError> {
    let parts = each("discount_allocations", allocations, |part| {
        amount(part.amount, currency).map_err(|error| error.inside("amount"))
    })?;
    Ok(parts.into_iter().sum())
}

fn taxes(lines: Option<Vec<wire::TaxLine>>, currency: Currency) -> Result<Vec<TaxLine>, ReadError> {
    each("tax_lines", lines, |tax| {
        let amount = amount(tax.price, currency).map_err(|error| error.inside("price"))?;
        let rate = tax.rate.unwrap_or_default().normalize();
        if rate < Decimal::ZERO || rate > HIGHEST_RATE {
            return Err(ReadError::new("rate", format!("{rate} is no part of a price")));
        }
        Ok(TaxLine { title: tax.title, rate, amount })
    })
}

/// A refund record. Alone it names its currency only in its own amounts, which must agree; inside an order they must be
/// the order's.
fn refund(wire: wire::Refund, currency: Option<Currency>) -> Result<Refund, ReadError> {
    let currency = match (currency, wire.first_bag()) {
        (None, Some(bag)) => Some(self::currency(&bag.shop_money.currency_code)?),
        (known, _) => known,
    };
    let part =
        |set: Option<&wire::MoneyBag>, plain, name| amount_of(set, plain, currency).map_err(|error| error.inside(name));
    let stated = |set: Option<&wire::MoneyBag>, plain: Option<Decimal>, name| {
        if set.is_none() && plain.is_none() { Err(ReadError::new(name, "missing")) } else { part(set, plain, name) }
    };
    let duties = part(wire.total_duties_set.as_ref(), None, "total_duties_set")?;
    let fees = part(wire.total_additional_fees_set.as_ref(), None, "total_additional_fees_set")?;
    let restocked = if wire.restock == Some(true) { Restock::LegacyRestock } else { Restock::NoRestock };
    Ok(Refund {
        id: wire.id,
        created_at: wire.created_at,
        has_duties: wire.duties.is_some_and(|list| !list.is_empty()) || !duties.is_zero() || !fees.is_zero(),
        is_return: wire.of_return.is_some(),
        lines: each("refund_line_items", wire.refund_line_items, |line| {
            if line.quantity < 0 {
                return Err(ReadError::new("quantity", format!("{} units cannot be refunded", line.quantity)));
            }
            Ok(RefundLine {
                line_id: line.line_item_id,
                quantity: line.quantity,
                restock: line.restock_type.as_deref().map_or(Ok(restocked), restock)?,
                subtotal: stated(line.subtotal_set.as_ref(), line.subtotal, "subtotal")?,
                tax: part(line.total_tax_set.as_ref(), line.total_tax, "total_tax")?,
            })
        })?,
        shipping: each("refund_shipping_lines", wire.refund_shipping_lines, |line| {
            Ok(RefundShipping {
                shipping_id: line.shipping_line_id,
                subtotal: part(Some(&line.subtotal_amount_set), None, "subtotal_amount_set")?,
                tax: part(line.tax_amount_set.as_ref(), None, "tax_amount_set")?,
            })
        })?,
        adjustments: each("order_adjustments", wire.order_adjustments, |adjustment| {
            Ok(Adjustment {
                is_shipping: adjustment.kind.as_deref() == Some("shipping_refund"),
                amount: stated(adjustment.amount_set.as_ref(), adjustment.amount, "amount")?,
                tax: part(adjustment.tax_amount_set.as_ref(), adjustment.tax_amount, "tax_amount")?,
            })
        })?,
        transactions: each("transactions", wire.transactions, |wire| Ok(transaction(wire)))?
            .into_iter()
            .map(|transaction| (transaction.id, transaction))
            .collect(),
    })
}

impl wire::Refund {
    fn first_bag(&self) -> Option<&wire::MoneyBag> {
        let lines = self.refund_line_items.iter().flatten().find_map(|line| line.subtotal_set.as_ref());
        let shipping = || self.refund_shipping_lines.iter().flatten().map(|line| &line.subtotal_amount_set).next();
        let adjustments = || self.order_adjustments.iter().flatten().find_map(|a| a.amount_set.as_ref());
        lines.or_else(shipping).or_else(adjustments).or(self.total_duties_set.as_ref())
    }
}

/// The money of a refund is a movement of the order's like any other.
fn add_refund(facts: &mut Facts, refund: Refund) {
    facts.transactions.extend(refund.transactions.clone());
    facts.refunds.insert(refund.id, refund);
}

fn transaction(wire: wire::Transaction) -> Transaction {
    Transaction {
        id: wire.id,
        kind: match wire.kind.as_str() {
            "authorization" | "emv_authorization" => TransactionKind::Authorization,
            "capture" => TransactionKind::Capture,
            "sale" => TransactionKind::Sale,
            "void" => TransactionKind::Void,
            "refund" => TransactionKind::Refund,
            "change" => TransactionKind::Change,
            _ => TransactionKind::Other,
        },
        status: match wire.status.as_str() {
            "success" => TransactionStatus::Success,
            "failure" => TransactionStatus::Failure,
            "error" => TransactionStatus::Error,
            // Pending, awaiting_response, unknown: the end is not known yet.
            _ => TransactionStatus::Pending,
        },
        gateway: wire.gateway,
        amount: wire.amount,
        currency: wire.currency,
        at: wire.processed_at.or(wire.created_at),
    }
}

fn payment_status(word: Option<&str>) -> PaymentStatus {
    match word {
        Some("pending") => PaymentStatus::Pending,
        Some("authorized") => PaymentStatus::Authorized,
        Some("partially_paid") => PaymentStatus::PartiallyPaid,
        Some("paid") => PaymentStatus::Paid,
        Some("partially_refunded") => PaymentStatus::PartiallyRefunded,
        Some("refunded") => PaymentStatus::Refunded,
        Some("voided") => PaymentStatus::Voided,
        Some("expired") => PaymentStatus::Expired,
        Some(_) | None => PaymentStatus::Unknown,
    }
}

fn fulfillment_status(word: Option<&str>) -> FulfillmentStatus {
    match word {
        None => FulfillmentStatus::Nothing,
        Some("partial") => FulfillmentStatus::Partial,
        Some("fulfilled") => FulfillmentStatus::Fulfilled,
        Some("restocked") => FulfillmentStatus::Restocked,
        Some(_) => FulfillmentStatus::Unknown,
    }
}

/// Where the goods are decides about stock, so an unknown word is not guessed.
fn restock(word: &str) -> Result<Restock, ReadError> {
    match word {
        "no_restock" => Ok(Restock::NoRestock),
        "cancel" => Ok(Restock::Cancel),
        "return" => Ok(Restock::Return),
        "legacy_restock" => Ok(Restock::LegacyRestock),
        _ => Err(ReadError::new("restock_type", "none of no_restock, cancel, return, legacy_restock")),
    }
}

/// The best of what is known of the buyer. Without approval of the shop's app all of it is missing.
fn buyer(order: &wire::Order) -> Option<Buyer> {
    let people = [&order.billing_address, &order.shipping_address, &order.customer];
    let people: Vec<&wire::Person> = people.into_iter().flatten().collect();
    let first = |pick: &dyn Fn(&wire::Person) -> String| {
        people.iter().map(|person| pick(person)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let own = |own: &str, pick: &dyn Fn(&wire::Person) -> String| {
        if own.is_empty() { first(pick) } else { own.to_owned() }
    };
    let buyer = Buyer {
        name: first(&|p| joined(" ", &[&p.first_name, &p.last_name])),
        email: own(&order.email, &|p| p.email.clone()),
        phone: own(&order.phone, &|p| p.phone.clone()),
        address: first(&|p| {
            joined(", ", &[&p.company, &p.address1, &p.address2, &p.zip, &p.city, &p.province, &p.country])
        }),
    };
    (buyer != Buyer::default()).then_some(buyer)
}

fn joined(between: &str, parts: &[&str]) -> String {
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// The shop's side of a money bag, which must be in the known currency; else the plain amount; else nothing.
fn amount_of(
    set: Option<&wire::MoneyBag>,
    plain: Option<Decimal>,
    known: Option<Currency>,
) -> Result<Amount, ReadError> {
    match (set, plain, known) {
        (Some(wire::MoneyBag { shop_money }), _, known) => {
            let own = currency(&shop_money.currency_code)?;
            match known.filter(|known| *known != own) {
                Some(known) => Err(ReadError::new("", format!("shop money in {own}, in an order in {known}"))),
                None => amount(shop_money.amount, own),
            }
        }
        (None, Some(plain), Some(known)) => amount(plain, known),
        (None, Some(plain), None) if !plain.is_zero() => Err(ReadError::new("", "an amount without a currency")),
        (None, Some(_) | None, _) => Ok(Amount::ZERO),
    }
}

fn amount(major: Decimal, currency: Currency) -> Result<Amount, ReadError> {
    currency.amount(major).map_err(|error| ReadError::new("", error.to_string()))
}

fn currency(code: &str) -> Result<Currency, ReadError> {
    // Only what looks like a code is quoted.
    let is_code = code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_alphabetic());
    let quoted = if is_code { format!("'{code}'") } else { "this".to_owned() };
    Currency::parse(code).ok_or_else(|| ReadError::new("", format!("{quoted} is not a currency")))
}

/// Reads a list, which may be absent, and says which element was bad.
fn each<W, T>(name: &str, list: Option<Vec<W>>, read: impl Fn(W) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
    let list = list.unwrap_or_default();
    if list.len() > LONGEST_LIST {
        return Err(ReadError::new(name, format!("{} entries, more than {LONGEST_LIST}", list.len())));
    }
    list.into_iter()
        .enumerate()
        .map(|(index, wire)| read(wire).map_err(|error| error.inside(&format!("{name}[{index}]"))))
        .collect()
}

/// Ids are keys: what has the id of another would be booked as the other.
fn distinct(name: &str, ids: impl Iterator<Item = i64>) -> Result<(), ReadError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(ReadError::new(name, format!("{id} stands there twice")));
        }
    }
    Ok(())
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ReadError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // The body as a whole is "." there, a place that was never reached "?".
        let path = error.path().to_string();
        ReadError::new(path.trim_end_matches(['?', '.']), kind_of_fault(error.inner()))
    })?;
    json.end().map_err(|error| ReadError::new("", kind_of_fault(&error)))?;
    Ok(value)
}

/// What is wrong, in words that hold nothing of the body: serde quotes what it found, which may be a buyer's name.
pub(super) fn kind_of_fault(error: &serde_json::Error) -> String {
    let fault = match error.classify() {
        Category::Io | Category::Eof => "the JSON breaks off".to_owned(),
        Category::Syntax => "this is not JSON".to_owned(),
        Category::Data => data_fault(&error.to_string()),
    };
    match (error.line(), error.column()) {
        (0, _) => fault,
        (line, column) => format!("{fault} at line {line} column {column}"),
    }
}

/// The kinds of value that serde names before it quotes one.
const FOUND: [&str; 11] = [
    "null",
    "boolean",
    "integer",
    "floating point",
    "character",
    "string",
    "byte array",
    "unit value",
    "Option value",
    "sequence",
    "map",
];

fn data_fault(words: &str) -> String {
    // Names of fields are ours.
    if words.starts_with("missing field `") || words.starts_with("duplicate field `") {
        let end = words.match_indices('`').nth(1).map_or(0, |(at, _)| at + 1);
        return words[..end].to_owned();
    }
    let found = ["invalid type: ", "invalid value: ", "invalid length "]
        .into_iter()
        .find_map(|what| words.strip_prefix(what))
        .and_then(|rest| FOUND.into_iter().find(|kind| rest.starts_with(kind)));
    // What is expected stands last, in words of ours: whatever is quoted stands before it.
    let expected = words.rsplit_once(", expected ").map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
    match (found, expected) {
        (Some(found), Some(expected)) => format!("{found} found, expected {expected}"),
        _ => "a value that cannot be read".to_owned(),
    }
}

impl ReadError {
    pub(super) fn new(path: &str, problem: impl Into<String>) -> Self {
        Self { path: path.to_owned(), problem: problem.into() }
    }

    pub(super) fn inside(mut self, outer: &str) -> Self {
        self.path = if self.path.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.path) };
        self
    }
}

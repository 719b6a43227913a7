//! A fake Shopify shop: products, carts, and everything that can happen to an order, each as the deliveries it causes.
//!
//! Written from the behaviour of real shops, not from our reading of it: it shares no code with the product. No clock
//! and no chance inside: `now` is a parameter and ids come from a seed, so a history can be repeated byte for byte.
//! It does not imitate Shopify's own samples where they contradict real traffic (totals that do not add up), and ships
//! each order with one shipping line.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

pub mod admin;
mod admin_body;
mod body;
pub mod cart;
pub mod chance;
mod change;
mod change_body;
pub mod courier;
pub mod delivery;
mod order;
mod shelf;
mod till;

use cart::{CancelHow, Cart, Edit, LineId, OrderId, Product, Refund, VariantId};
use chance::Chance;
use change::News;
use delivery::{API_VERSION, Delivery, raw};
use order::{Order, TaxLine, round};

/// What one must know to open a shop.
#[derive(Debug, Clone)]
pub struct ShopSetup {
    /// `name.myshopify.com`.
    pub domain: String,
    /// Signs the bodies.
    pub secret: String,
    /// ISO code; decides the digits.
    pub currency: String,
    /// Whether prices contain the tax.
    pub taxes_included: bool,
    /// The taxes of the shop, each on the same amount. A product may have its own.
    pub taxes: Vec<Tax>,
    /// What buyers see, if it is not the shop's currency.
    pub presentment: Option<Presentment>,
    /// Offset of all times in bodies.
    pub zone: TimeZone,
    /// Decides all ids.
    pub seed: u64,
    /// The first order is called `#` and this.
    pub first_order_number: u64,
    /// What is subscribed to; other news is not delivered.
    pub topics: BTreeSet<Topic>,
}

impl ShopSetup {
    /// A shop in Riyadh's time with prices that contain 15 % VAT, subscribed to everything.
    pub fn new(domain: &str, secret: &str, currency: &str) -> ShopSetup {
        ShopSetup {
            domain: domain.to_owned(),
            secret: secret.to_owned(),
            currency: currency.to_owned(),
            taxes_included: true,
            taxes: vec![Tax { title: "VAT".to_owned(), rate: Decimal::new(15, 2) }],
            presentment: None,
            zone: TimeZone::fixed(jiff::tz::offset(3)),
            seed: 1,
            first_order_number: 1001,
            topics: Topic::ALL.into_iter().collect(),
        }
    }

    /// Digits after the point: what Shopify prints for this currency.
    pub fn digits(&self) -> u32 {
        digits_of(&self.currency)
    }

    /// The taxes in, or on top of, an amount, each rounded by itself.
    fn taxes_of(&self, net: Decimal, taxes: &[Tax]) -> Vec<TaxLine> {
        let all: Decimal = taxes.iter().map(|tax| tax.rate).sum();
        let base = if self.taxes_included { net / (Decimal::ONE + all) } else { net };
        taxes.iter().map(|tax| TaxLine { tax: tax.clone(), amount: round(base * tax.rate, self.digits()) }).collect()
    }
}

fn digits_of(currency: &str) -> u32 {
    match currency {
        "JPY" | "KRW" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// A second currency beside the shop's.
#[derive(Debug, Clone)]
pub struct Presentment {
    /// ISO code.
    pub currency: String,
    /// What one unit of the shop's currency costs in it.
    pub rate: Decimal,
}

/// A tax as it appears in `tax_lines`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tax {
    /// `VAT`.
    pub title: String,
    /// 0.15 is 15 %.
    pub rate: Decimal,
}

/// The topics the shop can announce by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// `orders/create`
    OrdersCreate,
    /// `orders/updated`
    OrdersUpdated,
    /// `orders/edited`
    OrdersEdited,
    /// `orders/paid`
    OrdersPaid,
    /// `orders/cancelled`
    OrdersCancelled,
    /// `orders/partially_fulfilled`
    OrdersPartiallyFulfilled,
    /// `orders/fulfilled`
    OrdersFulfilled,
    /// `orders/delete`
    OrdersDelete,
    /// `refunds/create`
    RefundsCreate,
    /// `order_transactions/create`
    OrderTransactionsCreate,
    /// `fulfillments/create`
    FulfillmentsCreate,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 11] = [
        Topic::OrdersCreate,
        Topic::OrdersUpdated,
        Topic::OrdersEdited,
        Topic::OrdersPaid,
        Topic::OrdersCancelled,
        Topic::OrdersPartiallyFulfilled,
        Topic::OrdersFulfilled,
        Topic::OrdersDelete,
        Topic::RefundsCreate,
        Topic::OrderTransactionsCreate,
        Topic::FulfillmentsCreate,
    ];

    /// As in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::OrdersCreate => "orders/create",
            Topic::OrdersUpdated => "orders/updated",
            Topic::OrdersEdited => "orders/edited",
            Topic::OrdersPaid => "orders/paid",
            Topic::OrdersCancelled => "orders/cancelled",
            Topic::OrdersPartiallyFulfilled => "orders/partially_fulfilled",
            Topic::OrdersFulfilled => "orders/fulfilled",
            Topic::OrdersDelete => "orders/delete",
            Topic::RefundsCreate => "refunds/create",
            Topic::OrderTransactionsCreate => "order_transactions/create",
            Topic::FulfillmentsCreate => "fulfillments/create",
        }
    }
}

/// Why the shop does not do it, as its admin page would say. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Never made, or deleted.
    #[error("there is no such order")]
    UnknownOrder,
    /// Not on this order.
    #[error("the order has no such line")]
    UnknownLine,
    /// Not on the shelf.
    #[error("the shop sells no such thing")]
    UnknownVariant,
    /// More units than are left, or none.
    #[error("{left} units are left on the line")]
    TooMany {
        /// What could be taken.
        left: u32,
    },
    /// More money than was paid, than is owed, or than shipping cost, or less than none.
    #[error("that is not money which can be taken or given back")]
    TooMuchMoney,
    /// A cancelled order takes tags, notes and refunds only.
    #[error("the order is cancelled")]
    Cancelled,
    /// Shipped goods cannot be edited away or cancelled.
    #[error("the goods are shipped")]
    Shipped,
    /// It would change nothing.
    #[error("there is nothing to do")]
    Nothing,
}

/// What should still stand for one line, by the shop's own book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The line.
    pub line_id: LineId,
    /// Its SKU, empty when it has none.
    pub sku: String,
    /// Its vendor, empty when it has none.
    pub vendor: String,
    /// Units not removed, refunded or cancelled.
    pub units: u32,
    /// Their money after discounts, in the terms of the price: the tax is inside when prices contain it.
    pub net: Decimal,
    /// The tax in it, or on top of it.
    pub tax: Decimal,
}

/// The shop.
#[derive(Debug, Clone)]
pub struct Shop {
    desk: Desk,
    orders: BTreeMap<OrderId, Order>,
    keep_updated_at: bool,
}

/// What every change of an order may use.
#[derive(Debug, Clone)]
struct Desk {
    setup: ShopSetup,
    shelf: BTreeMap<VariantId, Ware>,
    mint: Mint,
    orders_made: u64,
}

/// A product on the shelf, with the taxes on it.
#[derive(Debug, Clone)]
struct Ware {
    product_id: u64,
    product: Product,
    taxes: Vec<Tax>,
    label: shelf::Label,
}

impl Desk {
    fn next_number(&mut self) -> u64 {
        self.orders_made += 1;
        self.setup.first_order_number + self.orders_made - 1
    }
}

impl Shop {
    /// Opens an empty shop.
    pub fn new(setup: ShopSetup) -> Shop {
        let mint = Mint::new(setup.seed);
        let desk = Desk { setup, shelf: BTreeMap::new(), mint, orders_made: 0 };
        Shop { desk, orders: BTreeMap::new(), keep_updated_at: false }
    }

    /// How the shop was set up.
    pub fn setup(&self) -> &ShopSetup {
        &self.desk.setup
    }

    /// Puts a product on the shelf, under the taxes of the shop.
    pub fn sell(&mut self, product: Product) -> VariantId {
        let taxes = self.desk.setup.taxes.clone();
        self.sell_with_taxes(product, taxes)
    }

    /// Puts a product on the shelf that has taxes of its own: reduced, zero, or several.
    pub fn sell_with_taxes(&mut self, product: Product, taxes: Vec<Tax>) -> VariantId {
        let variant = VariantId(self.desk.mint.id());
        let product_id = self.desk.mint.id();
        self.desk.shelf.insert(variant, Ware { product_id, product, taxes, label: shelf::Label::default() });
        variant
    }

    /// What stands on the shelf.
    pub(crate) fn shelf(&self) -> impl Iterator<Item = (VariantId, &Product)> {
        self.desk.shelf.iter().map(|(variant, ware)| (*variant, &ware.product))
    }

    /// A checkout.
    pub fn buy(&mut self, cart: &Cart, now: Timestamp) -> Result<(OrderId, Vec<Delivery>), Refusal> {
        let (order, news) = Order::place(cart, &mut self.desk, now)?;
        let (id, deliveries) = (order.id, self.announce(&order, &news, now));
        self.orders.insert(id, order);
        Ok((id, deliveries))
    }

    /// A person edits the order; all changes or none.
    pub fn edit(&mut self, order: OrderId, edits: &[Edit], now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.edit(edits, desk, now))
    }

    /// What is owed comes in: a sale, or the capture of what was reserved.
    pub fn pay(&mut self, order: OrderId, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.pay(desk, now))
    }

    /// A part of what is owed comes in.
    pub fn pay_part(&mut self, order: OrderId, amount: Decimal, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.pay_part(amount, desk, now))
    }

    /// The buyer's bank says no: a transaction that failed, and nothing else has changed.
    pub fn decline(&mut self, order: OrderId, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.decline(desk, now))
    }

    /// Money of refunds that was on its way arrives.
    pub fn settle_refunds(&mut self, order: OrderId, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, _| order.settle_refunds())
    }

    /// Goods, shipping or money go back.
    pub fn refund(&mut self, order: OrderId, refund: &Refund, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.refund(refund, desk, now))
    }

    /// The order is called off; possible until something is shipped.
    pub fn cancel(&mut self, order: OrderId, how: &CancelHow, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.cancel(how, desk, now))
    }

    /// Adds a tag: an echo in which nothing that matters has changed.
    pub fn tag(&mut self, order: OrderId, tag: &str, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, _| {
            order.tags.push(tag.to_owned());
            Ok(vec![News::Order(Topic::OrdersUpdated)])
        })
    }

    /// Writes the note.
    pub fn note(&mut self, order: OrderId, note: &str, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, _| {
            order.note = Some(note.to_owned());
            Ok(vec![News::Order(Topic::OrdersUpdated)])
        })
    }

    /// Ships everything that waits.
    pub fn fulfil(&mut self, order: OrderId, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.fulfil(desk, now))
    }

    /// Ships some of what waits.
    pub fn fulfil_part(
        &mut self,
        order: OrderId,
        parcel: &[(LineId, u32)],
        now: Timestamp,
    ) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, desk| order.fulfil_part(parcel, desk, now))
    }

    /// Deletes the order; its book stays readable here.
    pub fn delete(&mut self, order: OrderId, now: Timestamp) -> Result<Vec<Delivery>, Refusal> {
        self.act(order, now, |order, _| {
            order.deleted = true;
            Ok(vec![News::Deleted])
        })
    }

    /// A delivery of any topic and body: uninstall, privacy, products, drafts, or nonsense.
    pub fn say(&mut self, topic: &str, body: &Value, now: Timestamp) -> Delivery {
        let event_id = self.desk.mint.chance.uuid();
        self.deliver(topic, event_id, None, raw(body), now)
    }

    /// The next action leaves `updated_at` as it is, so two different bodies carry the same time.
    pub fn keep_updated_at_once(&mut self) {
        self.keep_updated_at = true;
    }

    /// The order as a webhook would carry it now.
    pub fn order_body(&self, order: OrderId) -> Result<Value, Refusal> {
        let order = self.orders.get(&order).filter(|order| !order.deleted).ok_or(Refusal::UnknownOrder)?;
        Ok(body::order(order, &self.desk.setup))
    }

    /// Every order that was not deleted.
    pub fn order_ids(&self) -> Vec<OrderId> {
        self.orders.values().filter(|order| !order.deleted).map(|order| order.id).collect()
    }

    /// The same, without those that have not changed since then; printed times have whole seconds.
    fn order_ids_since(&self, since: Option<Timestamp>) -> Vec<OrderId> {
        let is_meant = |order: &&Order| since.is_none_or(|since| order.updated_at.as_second() >= since.as_second());
        self.orders.values().filter(|order| !order.deleted).filter(is_meant).map(|order| order.id).collect()
    }

    /// The order's movements of money as webhooks would carry them.
    fn transaction_bodies(&self, order: u64) -> Vec<Value> {
        let Some(order) = self.orders.get(&OrderId(order)) else { return Vec::new() };
        let setup = &self.desk.setup;
        order.transactions.iter().map(|one| change_body::transaction_of(order, one.id, setup)).collect()
    }

    /// Lines with units left, in the order they were bought; also of a deleted order. Added up from the shop's journal
    /// of what happened, not from what is printed.
    pub fn what_is_left(&self, order: OrderId) -> Result<Vec<Left>, Refusal> {
        let order = self.orders.get(&order).ok_or(Refusal::UnknownOrder)?;
        let booked = order.lines.iter().map(|line| {
            let entries = || order.journal.iter().filter(|entry| entry.line == line.id);
            let units: i64 = entries().map(|entry| entry.units).sum();
            Left {
                line_id: line.id,
                sku: line.sku.clone().unwrap_or_default(),
                vendor: line.vendor.clone().unwrap_or_default(),
                units: u32::try_from(units).expect("no more units go away than came"),
                net: entries().map(|entry| entry.net).sum(),
                tax: entries().map(|entry| entry.tax).sum(),
            }
        });
        Ok(booked.filter(|left| left.units > 0).collect())
    }

    /// What is left of one vendor's lines.
    pub fn what_is_left_of(&self, order: OrderId, vendor: &str) -> Result<Vec<Left>, Refusal> {
        Ok(self.what_is_left(order)?.into_iter().filter(|left| left.vendor == vendor).collect())
    }

    /// Money taken and not given back.
    pub fn what_is_paid(&self, order: OrderId) -> Result<Decimal, Refusal> {
        self.orders.get(&order).map(Order::paid).ok_or(Refusal::UnknownOrder)
    }

    /// Changes a copy, which replaces the order only if the change was accepted.
    fn act(
        &mut self,
        id: OrderId,
        now: Timestamp,
        change: impl FnOnce(&mut Order, &mut Desk) -> Result<Vec<News>, Refusal>,
    ) -> Result<Vec<Delivery>, Refusal> {
        let known = self.orders.get(&id).filter(|order| !order.deleted).ok_or(Refusal::UnknownOrder)?;
        let mut order = known.clone();
        let news = change(&mut order, &mut self.desk)?;
        if !std::mem::take(&mut self.keep_updated_at) {
            // Bodies print whole seconds, so a later change must be a second later.
            let second = SignedDuration::from_secs(1);
            order.updated_at = now.max(order.updated_at.saturating_add(second).unwrap_or(now));
        }
        let deliveries = self.announce(&order, &news, now);
        self.orders.insert(id, order);
        Ok(deliveries)
    }

    /// One event, a delivery for each subscribed topic. Order topics of one action carry the same bytes.
    fn announce(&mut self, order: &Order, news: &[News], now: Timestamp) -> Vec<Delivery> {
        let event_id = self.desk.mint.chance.uuid();
        let mut whole = None;
        let mut deliveries = Vec::new();
        for one in news {
            let topic = one.topic();
            let setup = &self.desk.setup;
            if !setup.topics.contains(&topic) {
                continue;
            }
            let bytes = match one {
                News::Order(_) => whole.get_or_insert_with(|| raw(&body::order(order, setup))).clone(),
                News::Edited(log) => raw(&change_body::edited(order, log, setup)),
                News::Refund(record) => raw(&change_body::refund_of(order, *record, setup)),
                News::Transaction(id) => raw(&change_body::transaction_of(order, *id, setup)),
                News::Fulfilment(id) => raw(&body::fulfilment_of(order, *id, setup)),
                News::Deleted => raw(&change_body::deleted(order)),
            };
            deliveries.push(self.deliver(topic.as_str(), event_id.clone(), Some(order.id.0), bytes, now));
        }
        deliveries
    }

    fn deliver(
        &mut self,
        topic: &str,
        event_id: String,
        order_id: Option<u64>,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Delivery {
        Delivery {
            topic: topic.to_owned(),
            webhook_id: self.desk.mint.chance.uuid(),
            event_id,
            triggered_at: now,
            api_version: API_VERSION.to_owned(),
            shop_domain: self.desk.setup.domain.clone(),
            order_id,
            body,
        }
    }
}

/// Makes ids as Shopify does: 13 digits, growing, never twice.
#[derive(Debug, Clone)]
struct Mint {
    chance: Chance,
    last: u64,
}

impl Mint {
    fn new(seed: u64) -> Mint {
        let mut chance = Chance::new(seed);
        let last = 5_000_000_000_000 + chance.below(1_000_000_000_000);
        Mint { chance, last }
    }

    fn id(&mut self) -> u64 {
        self.last += 32_768 * (1 + self.chance.below(9));
        self.last
    }

    fn token(&mut self) -> String {
        format!("{:016x}{:016x}", self.chance.bits(), self.chance.bits())
    }
}

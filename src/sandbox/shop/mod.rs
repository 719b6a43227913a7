//! A fake Shopify shop: products, carts, and everything that can happen to an order, each as the deliveries it causes.
//!
//! Written from the behaviour of real shops, not from our reading of it: it shares no code with the product. No clock
//! and no chance inside: `now` is a parameter and ids come from a seed, so a history can be repeated byte for byte.
//! It does not imitate Shopify's own samples where they contradict real traffic (totals that do not add up), knows no
//! second currency per order, and each transaction succeeds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

mod body;
pub mod cart;
pub mod chance;
mod change;
mod change_body;
pub mod courier;
pub mod delivery;
mod order;

use cart::{CancelHow, Cart, Edit, LineId, OrderId, Product, Refund, VariantId};
use chance::Chance;
use change::News;
use delivery::{API_VERSION, Delivery, raw};
use order::{Order, round};

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
    /// The one tax of the shop.
    pub tax: Option<Tax>,
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
            tax: Some(Tax { title: "VAT".to_owned(), rate: Decimal::new(15, 2) }),
            zone: TimeZone::fixed(jiff::tz::offset(3)),
            seed: 1,
            first_order_number: 1001,
            topics: Topic::ALL.into_iter().collect(),
        }
    }

    /// Digits after the point: what Shopify prints for this currency.
    pub fn digits(&self) -> u32 {
        match self.currency.as_str() {
            "JPY" | "KRW" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }

    /// The tax in, or on top of, an amount.
    fn tax_of(&self, net: Decimal) -> Decimal {
        let rate = self.tax.as_ref().map_or(Decimal::ZERO, |tax| tax.rate);
        let tax = if self.taxes_included { net * rate / (Decimal::ONE + rate) } else { net * rate };
        round(tax, self.digits())
    }
}

/// A tax as it appears in `tax_lines`.
#[derive(Debug, Clone)]
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
    /// `orders/fulfilled`
    OrdersFulfilled,
    /// `orders/delete`
    OrdersDelete,
    /// `refunds/create`
    RefundsCreate,
    /// `order_transactions/create`
    OrderTransactionsCreate,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 9] = [
        Topic::OrdersCreate,
        Topic::OrdersUpdated,
        Topic::OrdersEdited,
        Topic::OrdersPaid,
        Topic::OrdersCancelled,
        Topic::OrdersFulfilled,
        Topic::OrdersDelete,
        Topic::RefundsCreate,
        Topic::OrderTransactionsCreate,
    ];

    /// As in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Topic::OrdersCreate => "orders/create",
            Topic::OrdersUpdated => "orders/updated",
            Topic::OrdersEdited => "orders/edited",
            Topic::OrdersPaid => "orders/paid",
            Topic::OrdersCancelled => "orders/cancelled",
            Topic::OrdersFulfilled => "orders/fulfilled",
            Topic::OrdersDelete => "orders/delete",
            Topic::RefundsCreate => "refunds/create",
            Topic::OrderTransactionsCreate => "order_transactions/create",
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
    /// More money than was paid, or than shipping cost, or less than none.
    #[error("that is not money which can be given back")]
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
#[derive(Debug)]
pub struct Shop {
    desk: Desk,
    orders: BTreeMap<OrderId, Order>,
    keep_updated_at: bool,
}

/// What every change of an order may use.
#[derive(Debug)]
struct Desk {
    setup: ShopSetup,
    shelf: BTreeMap<VariantId, (u64, Product)>,
    mint: Mint,
    orders_made: u64,
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

    /// Puts a product on the shelf.
    pub fn sell(&mut self, product: Product) -> VariantId {
        let variant = VariantId(self.desk.mint.id());
        let product_id = self.desk.mint.id();
        self.desk.shelf.insert(variant, (product_id, product));
        variant
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
#[derive(Debug)]
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

//! Questions in a row to one shop, as many as an answer takes: pages, lines, refund records.
//!
//! A conversation never sleeps: when the bucket runs dry it says for how long, and the caller comes again.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, Door, Setback};
use super::order::{self, Parts};
use super::{
    Document, ORDER, ORDER_LINES, ORDERS, ORDERS_COUNT, REFUND, SHELF, SHOP, SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE,
    VARIANTS,
};
use crate::domain::catalog::Code;
use crate::domain::variant::{Variant, title_of};
use crate::shop::read::{ReadError, Reading};

/// Shopify takes no more ids in one question.
const IDS: usize = 250;

/// An order that changes while it is read is begun anew, so often.
const TRIES: u32 = 3;

/// A conversation with one shop.
pub struct Conversation<'a> {
    client: &'a Client,
    door: &'a Door,
    scopes: BTreeSet<String>,
    wait: Option<SignedDuration>,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Shopify's id.
    pub id: i64,
    /// `#1001`.
    pub name: String,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// Some of a list, and where the rest begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order of the shop.
    pub rows: Vec<T>,
    /// For the next page; none: this was the last.
    pub next: Option<String>,
}

/// What one order came to.
#[derive(Clone, Debug)]
pub enum Found {
    /// Read like a webhook's body.
    Order(Box<Reading>),
    /// The shop shows no such order: deleted, or too old.
    Missing,
    /// The shop shows it, and it cannot be read.
    Unreadable(ReadError),
}

/// Who is told of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Shopify's id.
    pub id: String,
    /// Where deliveries go.
    pub uri: String,
    /// `ORDERS_CREATE`.
    pub topic: String,
}

/// Who answers, and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// The permanent domain.
    pub domain: String,
    /// What the app may do.
    pub scopes: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List<T> {
    page_info: PageInfo,
    nodes: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    legacy_resource_id: String,
    name: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantRow {
    legacy_resource_id: String,
    sku: Option<String>,
    barcode: Option<String>,
    title: String,
    updated_at: Timestamp,
    product: ProductRow,
}

#[derive(Deserialize)]
struct ProductRow {
    title: String,
    vendor: String,
}

#[derive(Deserialize)]
struct SubscriptionRow {
    id: String,
    uri: String,
    topic: String,
}

#[derive(Deserialize)]
struct UserError {
    message: String,
}

impl<'a> Conversation<'a> {
    /// Begins one; with what the app may do, as far as it is known.
    #[must_use]
    pub fn new(client: &'a Client, door: &'a Door, scopes: BTreeSet<String>) -> Self {
        Self { client, door, scopes, wait: None }
    }

    /// Whose shop this is, and what the app may do there.
    pub fn introduce(&mut self) -> Result<Introduction, Setback> {
        let data = self.ask(SHOP, &json!({}))?;
        let handles = data["currentAppInstallation"]["accessScopes"].as_array().into_iter().flatten();
        let scopes: BTreeSet<String> =
            handles.filter_map(|scope| scope["handle"].as_str()).map(str::to_owned).collect();
        self.scopes.clone_from(&scopes);
        let domain = data["shop"]["myshopifyDomain"].as_str().unwrap_or_default().to_ascii_lowercase();
        Ok(Introduction { domain, scopes })
    }

    /// Orders that changed since then, those that changed longest ago first.
    pub fn changed_since(&mut self, since: Timestamp, after: Option<&str>) -> Result<Page<Listed>, Setback> {
        self.list(&json!({"q": changed(since), "after": after}))
    }

    /// How many orders changed since then; none: the shop does not say. Beyond ten thousand it counts no further.
    pub fn how_many_changed(&mut self, since: Timestamp) -> Result<Option<i64>, Setback> {
        match self.ask(ORDERS_COUNT, &json!({"q": changed(since)})) {
            Ok(data) => Ok(data["ordersCount"]["count"].as_i64()),
            // Nothing but a person's patience depends on it.
            Err(Setback::Failed(_)) => Ok(None),
            Err(setback @ (Setback::Blocked(_) | Setback::Throttled(_))) => Err(setback),
        }
    }

    /// Orders of this name. Shopify finds words that begin so, too; only those that have the name wholly are meant.
    pub fn named(&mut self, name: &str) -> Result<Vec<Listed>, Setback> {
        let bare = |name: &str| name.trim().trim_start_matches('#').to_lowercase();
        let wanted = bare(name);
        let quoted: String = wanted.chars().filter(|one| !matches!(one, '\'' | '"' | '\\')).collect();
        let page = self.list(&json!({"q": format!("name:'{quoted}'"), "after": null}))?;
        Ok(page.rows.into_iter().filter(|row| bare(&row.name) == wanted).collect())
    }

    fn list(&mut self, variables: &Value) -> Result<Page<Listed>, Setback> {
        let list: List<Row> = fit(self.ask(ORDERS, variables)?["orders"].take(), ORDERS)?;
        let mut rows = Vec::new();
        for row in list.nodes {
            let id = row.legacy_resource_id.parse().map_err(|_| unfit(ORDERS))?;
            rows.push(Listed { id, name: row.name, created_at: row.created_at, updated_at: row.updated_at });
        }
        Ok(Page { rows, next: list.page_info.next() })
    }

    /// One order with everything about it, as of one moment.
    pub fn order(&mut self, id: i64) -> Result<Found, Setback> {
        for _ in 0..TRIES {
            if let Some(found) = self.order_once(id)? {
                return Ok(found);
            }
        }
        Err(Setback::Failed(format!("order {id} changes faster than it can be read")))
    }

    /// `None` when it changed meanwhile.
    fn order_once(&mut self, id: i64) -> Result<Option<Found>, Setback> {
        let gid = format!("gid://shopify/Order/{id}");
        let returns = self.scopes.contains("read_returns");
        let order = self.ask(ORDER, &json!({"id": gid, "returns": returns}))?["order"].take();
        if order.is_null() {
            return Ok(Some(Found::Missing));
        }
        let moment = order["updatedAt"].clone();
        let mut lines = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut part = self.ask(ORDER_LINES, &json!({"id": gid, "after": after}))?["order"].take();
            if part["updatedAt"] != moment {
                return Ok(None);
            }
            let list: List<Value> = fit(part["lineItems"].take(), ORDER_LINES)?;
            lines.extend(list.nodes);
            after = list.page_info.end_cursor.filter(|_| list.page_info.has_next_page);
            if after.is_none() {
                break;
            }
        }
        let mut refunds = Vec::new();
        for refund in order["refunds"].as_array().into_iter().flatten() {
            let found = self.ask(REFUND, &json!({"id": refund["id"], "returns": returns}))?["refund"].take();
            if found.is_null() || found["order"]["updatedAt"] != moment {
                return Ok(None);
            }
            refunds.push(found);
        }
        Ok(Some(match order::reading(Parts { order, lines, refunds }) {
            Ok(reading) => Found::Order(Box::new(reading)),
            Err(error) => Found::Unreadable(error),
        }))
    }

    /// These variants, as far as the shop still has them. What it does not tell of was deleted.
    pub fn variants(&mut self, ids: &BTreeSet<i64>) -> Result<Vec<Variant>, Setback> {
        let ids: Vec<String> = ids.iter().map(|id| format!("gid://shopify/ProductVariant/{id}")).collect();
        let mut all = Vec::new();
        for some in ids.chunks(IDS) {
            let nodes = self.ask(VARIANTS, &json!({"ids": some}))?["nodes"].take();
            // What is there no more is null, and what is no variant is empty.
            let nodes: Vec<Option<Value>> = fit(nodes, VARIANTS)?;
            let nodes = nodes.into_iter().flatten().filter(|node| node.get("legacyResourceId").is_some());
            for node in nodes {
                all.push(fit::<VariantRow>(node, VARIANTS)?.variant(VARIANTS)?);
            }
        }
        Ok(all)
    }

    /// All variants of the shop, a page of them.
    pub fn shelf(&mut self, after: Option<&str>) -> Result<Page<Variant>, Setback> {
        let list: List<VariantRow> = fit(self.ask(SHELF, &json!({"after": after}))?["productVariants"].take(), SHELF)?;
        let rows = list.nodes.into_iter().map(|row| row.variant(SHELF)).collect::<Result<_, _>>()?;
        Ok(Page { rows, next: list.page_info.next() })
    }

    /// All subscriptions of the app.
    pub fn subscriptions(&mut self) -> Result<Vec<Subscription>, Setback> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let mut data = self.ask(SUBSCRIPTIONS, &json!({"after": after}))?;
            let list: List<SubscriptionRow> = fit(data["webhookSubscriptions"].take(), SUBSCRIPTIONS)?;
            let own = |row: SubscriptionRow| Subscription { id: row.id, uri: row.uri, topic: row.topic };
            all.extend(list.nodes.into_iter().map(own));
            after = list.page_info.next();
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    /// One more subscription.
    pub fn subscribe(&mut self, topic: &str, uri: &str) -> Result<(), Setback> {
        let variables = json!({"topic": topic, "subscription": {"uri": uri, "format": "JSON"}});
        let mut data = self.ask(SUBSCRIBE, &variables)?;
        obeyed(&mut data["webhookSubscriptionCreate"], SUBSCRIBE)
    }

    /// One subscription less; that it is gone already is what was wanted.
    pub fn unsubscribe(&mut self, id: &str) -> Result<(), Setback> {
        self.ask(UNSUBSCRIBE, &json!({"id": id})).map(drop)
    }

    fn ask(&mut self, question: Document, variables: &Value) -> Result<Value, Setback> {
        if let Some(wait) = self.wait.take() {
            return Err(Setback::Throttled(wait));
        }
        let (data, room) = self.client.ask(self.door, question, variables)?;
        self.wait = room.wait;
        Ok(data)
    }
}

impl VariantRow {
    fn variant(self, question: Document) -> Result<Variant, Setback> {
        Ok(Variant {
            id: self.legacy_resource_id.parse().map_err(|_| unfit(question))?,
            barcode: Some(Code::new(&self.barcode.unwrap_or_default())),
            sku: self.sku.unwrap_or_default(),
            title: title_of(&self.product.title, &self.title),
            vendor: self.product.vendor,
            updated_at: self.updated_at,
        })
    }
}

impl PageInfo {
    fn next(self) -> Option<String> {
        self.end_cursor.filter(|_| self.has_next_page)
    }
}

/// The search for orders that changed since then.
fn changed(since: Timestamp) -> String {
    format!("updated_at:>='{}'", since.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

fn obeyed(payload: &mut Value, question: Document) -> Result<(), Setback> {
    let errors: Vec<UserError> = fit(payload["userErrors"].take(), question)?;
    match errors.into_iter().next() {
        None => Ok(()),
        Some(error) => Err(Setback::Failed(format!("{}: {}", question.name, error.message))),
    }
}

fn fit<T: for<'de> Deserialize<'de>>(value: Value, question: Document) -> Result<T, Setback> {
    serde_json::from_value(value).map_err(|_| unfit(question))
}

fn unfit(question: Document) -> Setback {
    Setback::Failed(format!("{}: the answer has another shape than was asked for", question.name))
}

//! The merchant file: what the command line reads and prints, in TOML or JSON, and what the API will take.
//!
//! Every key is known: one of a later version is refused by name instead of being ignored, one that nobody knows too.
//! What a key means together with the others is judged in `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{About, Form, Refusal, Why};
use crate::db::merchant::Mode;
use crate::domain::rules::{ExchangePolicy, LinePolicy, LockedPolicy, PricePolicy, ShippingPolicy, SkuRules, Trigger};

/// A whole merchant, but for its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerchantFile {
    /// In the webhook address; never changes.
    pub slug: String,
    /// For people.
    pub name: String,
    /// IANA name; decides the date of a document.
    pub time_zone: String,
    /// Absent: as it is, and shadow for a new merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Where orders come from.
    pub shop: Shop,
    /// Where invoices go.
    pub daftra: Daftra,
    /// Whose lines, and how they become products.
    pub lines: Lines,
    /// Which orders, and when.
    #[serde(default)]
    pub orders: Orders,
    /// The tax map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax: Vec<Tax>,
    /// What becomes of the money.
    #[serde(default, skip_serializing_if = "Payments::is_nothing")]
    pub payments: Payments,
}

/// `[shop]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// The permanent domain.
    pub domain: String,
    /// The current secret, then the previous one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhook_secret_files: Vec<PathBuf>,
}

/// `[daftra]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daftra {
    /// Scheme and host, where needed port and path. Empty while a paused merchant has no account yet.
    pub url: String,
    /// The API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Warehouse of every row; 0 while a paused merchant has none yet.
    pub store_id: i64,
    /// Client of every invoice; 0 while a paused merchant has none yet.
    pub client_id: i64,
    /// In an account with branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch_id: Option<i64>,
}

/// `[lines]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Names, or `*` for all; empty while a paused merchant has none yet.
    pub vendors: Vec<String>,
    /// Beside `*`: all but these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_vendors: Vec<String>,
    /// Where a SKU's prefix may end.
    #[serde(default = "separators")]
    pub separators: BTreeSet<char>,
    /// Taken off a SKU before it is looked up.
    #[serde(default)]
    pub strip_prefixes: Vec<String>,
    /// Put before a SKU.
    #[serde(default)]
    pub add_prefix: String,
    /// Every SKU is a barcode.
    #[serde(default)]
    pub sku_is_barcode: bool,
    /// The order's shipping.
    #[serde(default = "all_lines")]
    pub shipping: ShippingPolicy,
    /// Items typed in by hand.
    #[serde(default = "hold")]
    pub custom: LinePolicy,
    /// Gift cards sold.
    #[serde(default = "hold")]
    pub gift_card: LinePolicy,
    /// Tips.
    #[serde(default = "hold")]
    pub tip: LinePolicy,
    /// Duties and fees.
    #[serde(default = "hold")]
    pub duty: LinePolicy,
    /// Money given back for no goods.
    #[serde(default)]
    pub goodwill: LinePolicy,
}

/// `[orders]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Orders {
    /// When an order is invoiced.
    pub trigger: Trigger,
    /// The same, by payment gateway.
    pub trigger_by_gateway: BTreeMap<String, Trigger>,
    /// Sales channels that are somebody else's.
    pub ignored_sources: BTreeSet<String>,
    /// Orders with one of these tags are not booked.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ignored_tags: BTreeSet<String>,
    /// Whether test orders are invoiced.
    pub test_orders: bool,
    /// Older orders are not booked. Absent: as it is, and now for a merchant who goes live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_from: Option<Timestamp>,
    /// Invoices stay drafts.
    pub draft: bool,
    /// What the customer pays, or nothing.
    pub price: PricePolicy,
    /// Goods exchanged for others after the invoice.
    pub exchange: ExchangePolicy,
    /// Absent: one minor unit per line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_minor: Option<i64>,
    /// What follows when Daftra refuses to change an invoice.
    pub locked: LockedPolicy,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            trigger: Trigger::Created,
            trigger_by_gateway: BTreeMap::new(),
            // What is sold at the counter is booked at the counter.
            ignored_sources: ["pos".to_owned()].into(),
            ignored_tags: BTreeSet::new(),
            test_orders: false,
            live_from: None,
            draft: false,
            price: PricePolicy::Sale,
            exchange: ExchangePolicy::Hold,
            tolerance_minor: None,
            locked: LockedPolicy::Hold,
        }
    }
}

/// `[[tax]]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Shopify's title, `A + B` for taxes that a line carries together; absent fits every title of a tax that stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A decimal fraction in quotes: TOML's own numbers with a point are binary and would not be exact.
    pub rate: String,
    /// Whether prices contain it.
    pub included: bool,
    /// Daftra's number of the tax.
    pub daftra_id: i64,
}

/// `[payments]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payments {
    /// Whether payments are recorded in Daftra.
    pub record: bool,
    /// Money of older orders was booked by hand. Absent: as it is, and now for a merchant who begins to record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Whether money that goes back is recorded too.
    pub refunds: bool,
    /// How each way of paying is booked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gateway: Vec<Gateway>,
}

impl Payments {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// `[[payments.gateway]]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// As Shopify names it.
    pub shopify: String,
    /// Slug of one of Daftra's payment methods.
    pub method: String,
    /// Absent: the method's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treasury_id: Option<i64>,
}

fn separators() -> BTreeSet<char> {
    SkuRules::default().separators
}

fn all_lines() -> ShippingPolicy {
    ShippingPolicy::AllLines
}

fn hold() -> LinePolicy {
    LinePolicy::Hold
}

/// What only a paused merchant may go without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// `daftra.url`
    Account,
    /// `daftra.store_id`
    Store,
    /// `daftra.client_id`
    Client,
    /// `lines.vendors`
    Vendors,
}

/// The file of an imagined merchant, with a word on each key.
pub const EXAMPLE: &str = include_str!("example.toml");

/// Keys that a later version will know, and the one value that already means what happens today.
const LATER: [(&str, Option<&str>); 5] = [
    ("shop.api_url", None),
    ("shop.token_file", None),
    ("shop.client_id", None),
    ("shop.client_secret_file", None),
    ("notify", None),
];

impl MerchantFile {
    /// A merchant of whom only the shop is known, with the default of everything else. It is paused: deliveries are kept
    /// while the rest is chosen.
    #[must_use]
    pub fn begun(slug: String, name: String, time_zone: String, domain: String) -> Self {
        Self {
            slug,
            name,
            time_zone,
            mode: Some(Mode::Paused),
            shop: Shop { domain, webhook_secret_files: Vec::new() },
            daftra: Daftra { url: String::new(), key_file: None, store_id: 0, client_id: 0, branch_id: None },
            lines: Lines {
                vendors: Vec::new(),
                not_vendors: Vec::new(),
                separators: separators(),
                strip_prefixes: Vec::new(),
                add_prefix: String::new(),
                sku_is_barcode: false,
                shipping: all_lines(),
                custom: hold(),
                gift_card: hold(),
                tip: hold(),
                duty: hold(),
                goodwill: LinePolicy::default(),
            },
            orders: Orders::default(),
            tax: Vec::new(),
            payments: Payments::default(),
        }
    }

    /// Reads a file: JSON if it begins with a brace, else TOML.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut tree = if text.trim_start().starts_with('{') { json_tree(text) } else { toml_tree(text) }?;
        for (key, allowed) in LATER {
            refuse_later(&mut tree, key, allowed)?;
        }
        serde_path_to_error::deserialize(&tree).map_err(|error| explain(&tree, &error))
    }

    /// As TOML. Reading it gives the same again.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a merchant file holds only tables, lists and plain values, which TOML can say")
    }
}

fn json_tree(text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::of(About::Text(error.line()), Why::Json(error.to_string())))
}

fn toml_tree(text: &str) -> Result<Value, Refusal> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        Refusal::of(About::Text(line), Why::Toml(error.message().to_owned()))
    })?;
    Ok(Value::Object(table.into_iter().map(|(key, value)| (key, json_of(value))).collect()))
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(value) => value.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(key, v)| (key, json_of(v))).collect()),
    }
}

/// Refuses a key of a later version, or takes it out if it says what happens anyway.
fn refuse_later(tree: &mut Value, key: &str, allowed: Option<&str>) -> Result<(), Refusal> {
    let Some(root) = tree.as_object_mut() else { return Ok(()) };
    let (section, name) = key.split_once('.').map_or((None, key), |(section, name)| (Some(section), name));
    let holder: &mut Map<String, Value> = match section {
        None => root,
        Some(section) => match root.get_mut(section).and_then(Value::as_object_mut) {
            Some(holder) => holder,
            None => return Ok(()),
        },
    };
    let Some(value) = holder.remove(name) else { return Ok(()) };
    if allowed != Some(value.to_string().as_str()) {
        return Err(Refusal::of(About::Key(key.to_owned()), Why::LaterKey(allowed.map(str::to_owned))));
    }
    Ok(())
}

/// serde's complaint as key, value and remedy.
fn explain(tree: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let message = error.inner().to_string();
    let path = error.path().to_string();
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        let key = if path == "." { field.to_owned() } else { format!("{path}.{field}") };
        let why = Why::Missing(form(&key));
        return Refusal::of(About::Key(key), why);
    }
    if let Some((_, known)) = message.strip_prefix("unknown field").and_then(|rest| rest.split_once(", ")) {
        // Its value stays unsaid: it may be a secret in the wrong place.
        return Refusal::of(About::Key(path), Why::UnknownKey(known.to_owned()));
    }
    let value = error.path().iter().try_fold(tree, |value, segment| match segment {
        serde_path_to_error::Segment::Seq { index } => value.get(index),
        serde_path_to_error::Segment::Map { key } => value.get(key),
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => None,
    });
    let why = form(&path).map_or(Why::Type(message), Why::Form);
    Refusal::new(path, value, why)
}

/// What to write where the type alone does not say it.
fn form(key: &str) -> Option<Form> {
    let plain = key.split('[').next().unwrap_or(key);
    let last = key.rsplit('.').next().unwrap_or(key);
    Some(match plain {
        "slug" => Form::Slug,
        "name" => Form::Name,
        "time_zone" => Form::TimeZone,
        "mode" => Form::Mode,
        "shop" => Form::ShopSection,
        "shop.domain" => Form::ShopDomain,
        "daftra" => Form::DaftraSection,
        "daftra.url" => Form::DaftraUrl,
        "lines" => Form::LinesSection,
        "lines.vendors" => Form::Vendors,
        "lines.separators" => Form::Separators,
        _ if plain.starts_with("orders.trigger") => Form::Trigger,
        "orders.live_from" | "payments.from" => Form::Time,
        "orders.tolerance_minor" => Form::Tolerance,
        "orders.locked" => Form::Locked,
        "lines.shipping" => Form::Shipping,
        "orders.price" => Form::Price,
        "orders.exchange" => Form::Exchange,
        "lines.custom" | "lines.gift_card" | "lines.tip" | "lines.duty" | "lines.goodwill" => Form::Line,
        _ => match last {
            "rate" => Form::Rate,
            "included" => Form::Included,
            "shopify" => Form::Gateway,
            "method" => Form::Method,
            "store_id" | "client_id" | "branch_id" | "daftra_id" | "treasury_id" => Form::DaftraId,
            _ => return None,
        },
    })
}

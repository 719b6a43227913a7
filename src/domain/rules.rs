//! What a merchant chose. Changing it never rewrites a document that was sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// A merchant as the planner needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Merchant {
    /// Random, in every reference, never changed: two merchants can never share a reference.
    pub key: String,
    pub account_id: i64,
    pub zone: TimeZone,
    /// Orders placed before this were booked by hand. `None` until the merchant goes live.
    pub live_from: Option<Timestamp>,
    pub rules: Rules,
}

/// The merchant's rules, stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    pub vendors: Vendors,
    /// Daftra's client on every invoice (matching buyers is a later policy).
    pub client_id: i64,
    /// Daftra's warehouse on every invoice and row.
    pub store_id: i64,
    pub branch_id: Option<i64>,
    pub sku: SkuRules,
    pub shipping: ShippingPolicy,
    pub custom: LinePolicy,
    pub gift_card: LinePolicy,
    pub tip: LinePolicy,
    pub duty: LinePolicy,
    /// Money given back for no goods and no shipping.
    #[serde(default)]
    pub goodwill: LinePolicy,
    pub trigger: Trigger,
    pub trigger_by_gateway: BTreeMap<String, Trigger>,
    pub ignored_sources: BTreeSet<String>,
    /// Orders that carry one of these tags are not ours to book. Folded.
    #[serde(default)]
    pub ignored_tags: BTreeSet<String>,
    pub test_orders: bool,
    /// Invoices are created as drafts: no number, no stock movement until a person issues them.
    pub draft: bool,
    #[serde(default)]
    pub price: PricePolicy,
    #[serde(default)]
    pub exchange: ExchangePolicy,
    /// How far Daftra's predicted total may be from the order's; `None` is one minor unit per line.
    pub tolerance_minor: Option<i64>,
    /// What follows when Daftra refuses to change an invoice that exists.
    #[serde(default)]
    pub locked: LockedPolicy,
    pub taxes: Vec<TaxRule>,
    #[serde(default)]
    pub payments: PaymentRules,
}

/// Whose lines are the merchant's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendors {
    /// Every line but those of these vendors: the only merchant of its shop.
    AllBut(BTreeSet<Vendor>),
    Only(BTreeSet<Vendor>),
}

impl Vendors {
    #[must_use]
    pub fn covers(&self, vendor: &Vendor) -> bool {
        match self {
            Self::AllBut(others) => !others.contains(vendor),
            Self::Only(own) => own.contains(vendor),
        }
    }
}

/// A vendor's name in the one form in which names are compared: trimmed, case-folded, NFC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Vendor(String);

impl Vendor {
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(fold(name))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Vendor {
    fn from(name: String) -> Self {
        Self::new(&name)
    }
}

impl From<Vendor> for String {
    fn from(vendor: Vendor) -> Self {
        vendor.0
    }
}

/// Trimmed, case-folded, in normal form C: how names and codes typed by people are compared.
#[must_use]
pub fn fold(text: &str) -> String {
    // Lower-casing can leave a sequence that composes further, hence the second pass.
    text.trim().nfc().collect::<String>().to_lowercase().nfc().collect()
}

/// How the merchant's SKUs relate to Daftra's product codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkuRules {
    /// Where a SKU's prefix may end.
    pub separators: BTreeSet<char>,
    /// The merchant's own prefixes, taken off the SKU before it is looked up.
    pub strip_prefixes: Vec<String>,
    /// A prefix the codes in Daftra have and the SKUs do not.
    pub add_prefix: String,
    /// Every SKU is a barcode, also those that are no valid GTIN.
    pub is_barcode: bool,
}

impl Default for SkuRules {
    fn default() -> Self {
        Self {
            separators: ['-', '_', '.', '/', ' '].into(),
            strip_prefixes: Vec::new(),
            add_prefix: String::new(),
            is_barcode: false,
        }
    }
}

/// When the order's shipping goes onto this merchant's invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingPolicy {
    /// Only when the merchant's lines are the whole order.
    AllLines,
    Always,
    Never,
}

/// What happens to what is no product: custom items, gift cards sold, tips, duties and fees, money given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinePolicy {
    /// A person decides.
    #[default]
    Hold,
    /// Not on the document.
    Skip,
    /// A free-text row, never stock.
    Line,
}

/// What follows when Daftra refuses to change an invoice that exists and complains of no field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedPolicy {
    /// A person decides.
    #[default]
    Hold,
    /// A receipt for all that is left of it, then a new invoice.
    NewInvoice,
}

/// What stands on the invoice as prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricePolicy {
    /// What the customer pays.
    #[default]
    Sale,
    /// Nothing: the documents move stock, and the money is booked elsewhere.
    Zero,
}

/// What happens when goods of a posted order are exchanged for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangePolicy {
    /// A person sees both sides first.
    #[default]
    Hold,
    /// The invoice gains what was given, a receipt takes back what was returned.
    Book,
}

/// What makes an order ready to be invoiced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    Created,
    Paid,
    Fulfilled,
}

/// One row of the tax map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRule {
    /// Shopify's title of the tax, compared folded; `A + B` for taxes that a line carries together, in either order.
    /// `None` fits every title of a tax that stands alone.
    pub title: Option<String>,
    /// 0.15 is fifteen percent.
    pub rate: Decimal,
    /// Whether the prices contain the tax: Daftra's own flag sits on its tax record and must agree.
    pub included: bool,
    pub daftra_id: i64,
}

/// What becomes of the shop's money in Daftra. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentRules {
    /// Payments are recorded.
    pub record: bool,
    /// Money of orders placed before this was booked by hand.
    pub from: Option<Timestamp>,
    /// Money that goes back is a payment too, on the receipt.
    pub refunds: bool,
    /// By the shop's word for the way of paying, folded.
    pub gateways: BTreeMap<String, GatewayRule>,
}

/// How money of one way of paying is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayRule {
    /// Slug of one of the account's payment methods.
    pub method: String,
    /// `None`: the method's own.
    pub treasury_id: Option<i64>,
}

impl PaymentRules {
    /// How this way of paying is booked.
    #[must_use]
    pub fn gateway(&self, name: &str) -> Option<&GatewayRule> {
        self.gateways.get(&fold(name))
    }
}

impl Rules {
    /// What must happen before this order is invoiced, by the gateways it was paid through.
    #[must_use]
    pub fn trigger(&self, gateways: &[String]) -> Trigger {
        gateways.iter().find_map(|gateway| self.trigger_by_gateway.get(&fold(gateway))).copied().unwrap_or(self.trigger)
    }
}

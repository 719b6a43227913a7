//! The variants of a shop: what is known of each beyond the lines of orders, and which rule finds its product.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, Code, Item, Product, Resolution, Rule, candidates, resolve_item};
use super::rules::Rules;

/// One variant of a product, as the shop tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Shopify's id.
    pub id: i64,
    /// Empty when it has none; `None` while nobody could ask.
    pub barcode: Option<Code>,
    /// As written by the shop; empty when it has none.
    pub sku: String,
    /// Of the product and, where there are several, of the variant.
    pub title: String,
    /// As written by the shop.
    pub vendor: String,
    /// When the shop changed it last.
    pub updated_at: Timestamp,
}

/// How a product is found for a variant, or why none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A person said which.
    Mapping,
    /// By its barcode.
    Barcode,
    /// By its barcode but for a leading zero.
    BarcodeTwin,
    /// By its whole SKU.
    Code,
    /// By the longest prefix of its SKU.
    SkuPrefix,
    /// More than one product fits.
    Ambiguous,
    /// None fits.
    Unknown,
}

impl Outcome {
    /// All of them, the rules first and in their order.
    pub const ALL: [Self; 7] =
        [Self::Mapping, Self::Barcode, Self::BarcodeTwin, Self::Code, Self::SkuPrefix, Self::Ambiguous, Self::Unknown];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Barcode => "barcode",
            Self::BarcodeTwin => "barcode_twin",
            Self::Code => "code",
            Self::SkuPrefix => "sku_prefix",
            Self::Ambiguous => "ambiguous",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }

    /// A product was found.
    #[must_use]
    pub fn is_covered(self) -> bool {
        match self {
            Self::Mapping | Self::Barcode | Self::BarcodeTwin | Self::Code | Self::SkuPrefix => true,
            Self::Ambiguous | Self::Unknown => false,
        }
    }
}

impl From<Rule> for Outcome {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Mapping => Self::Mapping,
            Rule::Barcode => Self::Barcode,
            Rule::BarcodeTwin => Self::BarcodeTwin,
            Rule::Code => Self::Code,
            Rule::SkuPrefix => Self::SkuPrefix,
        }
    }
}

/// What a line with this item would come to. The catalogue must hold all that could decide: what it does not know counts as
/// not there.
fn outcome(item: &Item<'_>, rules: &Rules, catalog: &Catalog) -> Outcome {
    match resolve_item(item, rules, catalog) {
        Resolution::Found { rule, .. } => rule.into(),
        Resolution::Ambiguous { .. } => Outcome::Ambiguous,
        Resolution::Ask(_) | Resolution::Unknown { .. } => Outcome::Unknown,
    }
}

/// A whole catalogue, in which whatever is not there is known to be missing.
#[derive(Debug, Default)]
pub struct WholeCatalog {
    products: Vec<Product>,
    by_code: BTreeMap<Code, Vec<usize>>,
    mappings: BTreeMap<Code, i64>,
}

impl WholeCatalog {
    /// Of all products, and of what people decided.
    #[must_use]
    pub fn new(products: Vec<Product>, mappings: BTreeMap<Code, i64>) -> Self {
        let mut by_code = BTreeMap::<Code, Vec<usize>>::new();
        for (at, product) in products.iter().enumerate() {
            for code in [&product.code, &product.barcode].into_iter().filter(|code| !code.is_none()) {
                by_code.entry(code.clone()).or_default().push(at);
            }
        }
        Self { products, by_code, mappings }
    }

    /// What a line with this item would come to.
    #[must_use]
    pub fn outcome(&self, item: &Item<'_>, rules: &Rules) -> Outcome {
        let codes = candidates(item, rules);
        let found: BTreeSet<usize> =
            codes.iter().filter_map(|code| self.by_code.get(code)).flatten().copied().collect();
        let catalog = Catalog {
            products: found.into_iter().map(|at| self.products[at].clone()).collect(),
            mappings: codes.iter().filter_map(|code| Some((code.clone(), *self.mappings.get(code)?))).collect(),
            misses: codes.iter().filter(|code| !self.by_code.contains_key(code)).cloned().collect(),
            barcodes: BTreeMap::new(),
        };
        outcome(item, rules, &catalog)
    }
}

/// One text for people. A product without choices has one variant, which Shopify calls so.
#[must_use]
pub fn title_of(product: &str, variant: &str) -> String {
    match variant.trim() {
        "" | "Default Title" => product.trim().to_owned(),
        variant => format!("{} - {variant}", product.trim()),
    }
}

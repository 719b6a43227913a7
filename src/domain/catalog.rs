//! From an order line to a Daftra product: a person's mapping, then barcode, then the whole SKU, then its longest prefix.
//!
//! The barcode is the one that the shop gave the variant, where it could be asked, and the SKU where that is one. The first rule that yields exactly one product wins; two candidates at any rule stop, for a guess would move the
//! wrong stock. A code nobody asked Daftra about yet is asked first. Inactive products and those of another branch do
//! not count.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::order::Line;
use super::rules::{Rules, fold};

/// A code in the form in which codes are compared: trimmed and case-folded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Code(String);

impl Code {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(fold(text))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The same article number in its other length: EAN-13 with a leading zero is UPC-A.
    #[must_use]
    pub fn gtin_twin(&self) -> Option<Self> {
        if !self.0.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        match self.0.len() {
            12 => Some(Self(format!("0{}", self.0))),
            13 => self.0.strip_prefix('0').map(|upc| Self(upc.to_owned())),
            _ => None,
        }
    }

    /// Eight, 12, 13 or 14 digits with the right check digit.
    #[must_use]
    pub fn is_gtin(&self) -> bool {
        if !matches!(self.0.len(), 8 | 12 | 13 | 14) || !self.0.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
        let weighted = self.0.bytes().rev().zip([1_u32, 3].into_iter().cycle());
        weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum::<u32>().is_multiple_of(10)
    }
}

impl From<String> for Code {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// What we know of the Daftra catalogue, as far as this order needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    pub products: Vec<Product>,
    /// What a person decided: a variant id, SKU or barcode, and Daftra's product id.
    pub mappings: BTreeMap<Code, i64>,
    /// Codes that Daftra was asked about lately and did not have.
    pub misses: BTreeSet<Code>,
    /// What the shop says of its variants, by their ids; empty: this one has no barcode.
    #[serde(default)]
    pub barcodes: BTreeMap<i64, Code>,
}

/// A Daftra product as the merchant's key sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Product {
    pub id: i64,
    pub code: Code,
    pub barcode: Code,
    pub name: String,
    pub kind: ProductKind,
    pub active: bool,
    /// Daftra keeps stock of it.
    pub tracked: bool,
    pub branch_id: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    Product,
    Service,
    /// Booked as the bundle; Daftra takes its components.
    Bundle,
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Mapping,
    Barcode,
    /// The barcode differed by a leading zero only (EAN-13 and UPC-A).
    BarcodeTwin,
    Code,
    SkuPrefix,
}

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    Found {
        product_id: i64,
        rule: Rule,
        code: Code,
    },
    /// Daftra must be asked about these codes first.
    Ask(BTreeSet<Code>),
    /// More than one product at one rule, or barcode and code name different ones.
    Ambiguous {
        code: Code,
        products: BTreeSet<i64>,
    },
    Unknown {
        codes: BTreeSet<Code>,
    },
}

/// A SKU prefix shorter than this says nothing.
const SHORTEST_PREFIX: usize = 3;

/// What a product is looked for by.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    pub variant_id: Option<i64>,
    /// As written by the shop.
    pub sku: &'a str,
    /// Of the variant; empty when it has none, `None` when nobody knows.
    pub barcode: Option<&'a Code>,
}

impl<'a> Item<'a> {
    /// A line, with the barcode that the shop gave its variant.
    #[must_use]
    pub fn of(line: &'a Line, barcodes: &'a BTreeMap<i64, Code>) -> Self {
        let barcode = line.variant_id.and_then(|id| barcodes.get(&id));
        Self { variant_id: line.variant_id, sku: &line.sku, barcode }
    }

    fn barcode(&self) -> Option<&'a Code> {
        self.barcode.filter(|barcode| !barcode.is_none())
    }
}

/// Resolves one line by the rules above.
#[must_use]
pub fn resolve(line: &Line, rules: &Rules, catalog: &Catalog) -> Resolution {
    resolve_item(&Item::of(line, &catalog.barcodes), rules, catalog)
}

/// Resolves whatever a product is looked for by.
#[must_use]
pub fn resolve_item(item: &Item<'_>, rules: &Rules, catalog: &Catalog) -> Resolution {
    let variant = item.variant_id.map(|id| Code::new(&id.to_string()));
    let sku = Code::new(item.sku);
    for key in variant.iter().chain([&sku]).chain(item.barcode()).filter(|key| !key.is_none()) {
        if let Some(product_id) = catalog.mappings.get(key) {
            return Resolution::Found { product_id: *product_id, rule: Rule::Mapping, code: key.clone() };
        }
    }
    let skus = spellings(item.sku, rules);
    let is_barcode = |code: &&Code| rules.sku.is_barcode && !code.is_none() || code.is_gtin();
    let barcodes: BTreeSet<Code> = [&sku].into_iter().filter(is_barcode).chain(item.barcode()).cloned().collect();
    if skus.is_empty() && barcodes.is_empty() {
        return Resolution::Unknown { codes: variant.into_iter().collect() };
    }
    let twins: BTreeSet<Code> = barcodes.iter().filter_map(Code::gtin_twin).collect();

    let whole: BTreeSet<&Code> = skus.iter().chain(&barcodes).chain(&twins).collect();
    let unasked: BTreeSet<Code> = whole.into_iter().filter(|code| !catalog.knows(code)).cloned().collect();
    if !unasked.is_empty() {
        return Resolution::Ask(unasked);
    }
    let usable: Vec<&Product> = catalog.products.iter().filter(|product| product.is_usable(rules.branch_id)).collect();
    let ids = |fits: &dyn Fn(&Product) -> bool| -> BTreeSet<i64> {
        usable.iter().filter(|product| fits(product)).map(|product| product.id).collect()
    };
    let same = ids(&|product| barcodes.contains(&product.barcode));
    let twin = ids(&|product| twins.contains(&product.barcode));
    let by_barcode: BTreeSet<i64> = same.union(&twin).copied().collect();
    let by_code = ids(&|product| skus.contains(&product.code));
    let rule = match (same.is_empty(), by_barcode.is_empty()) {
        (false, _) => Rule::Barcode,
        (true, false) => Rule::BarcodeTwin,
        (true, true) => Rule::Code,
    };
    let both: BTreeSet<i64> = by_barcode.union(&by_code).copied().collect();
    match (both.len(), both.first()) {
        (0, _) | (_, None) if skus.is_empty() => Resolution::Unknown { codes: barcodes },
        (0, _) | (_, None) => by_prefix(&skus, rules, catalog, &usable),
        (1, Some(id)) => {
            // The one that is the shop's own word, where both lead there.
            let by_variant = item.barcode().filter(|code| {
                let fits = |barcode: &Code| barcode == *code || Some(barcode) == code.gtin_twin().as_ref();
                usable.iter().any(|product| product.id == *id && fits(&product.barcode))
            });
            Resolution::Found { product_id: *id, rule, code: by_variant.unwrap_or(&sku).clone() }
        }
        (_, Some(_)) if sku.is_none() => {
            Resolution::Ambiguous { code: item.barcode().cloned().unwrap_or(sku), products: both }
        }
        (_, Some(_)) => Resolution::Ambiguous { code: sku, products: both },
    }
}

/// Every code that could decide about an item: what the catalogue must be asked for before resolving it.
#[must_use]
pub fn candidates(item: &Item<'_>, rules: &Rules) -> BTreeSet<Code> {
    let variant = item.variant_id.map(|id| Code::new(&id.to_string()));
    let sku = Code::new(item.sku);
    let skus = spellings(item.sku, rules);
    let prefixes: Vec<Code> = skus.iter().flat_map(|sku| prefixes(sku, &rules.sku.separators)).collect();
    let barcodes = item.barcode().into_iter().flat_map(|code| [Some(code.clone()), code.gtin_twin()]).flatten();
    let all = variant.into_iter().chain(sku.gtin_twin()).chain([sku]).chain(skus).chain(prefixes).chain(barcodes);
    all.filter(|code| !code.is_none()).collect()
}

/// The longest prefix of a SKU that is a product code and ends where a separator begins.
fn by_prefix(skus: &BTreeSet<Code>, rules: &Rules, catalog: &Catalog, usable: &[&Product]) -> Resolution {
    let mut prefixes: Vec<Code> = skus.iter().flat_map(|sku| prefixes(sku, &rules.sku.separators)).collect();
    prefixes.sort_by_key(|code| std::cmp::Reverse(code.as_str().chars().count()));
    let unasked: BTreeSet<Code> = prefixes.iter().filter(|code| !catalog.knows(code)).cloned().collect();
    if !unasked.is_empty() {
        return Resolution::Ask(unasked);
    }
    // Two spellings of a SKU may end in different prefixes of one length: none of them is the longest.
    for longest in prefixes.chunk_by(|a, b| a.as_str().chars().count() == b.as_str().chars().count()) {
        let fitting = usable.iter().filter(|product| longest.contains(&product.code));
        let hits: BTreeMap<i64, &Code> = fitting.map(|product| (product.id, &product.code)).collect();
        match hits.first_key_value() {
            None => {}
            Some((id, code)) if hits.len() == 1 => {
                let (product_id, code) = (*id, (*code).clone());
                return Resolution::Found { product_id, rule: Rule::SkuPrefix, code };
            }
            Some((_, code)) => {
                return Resolution::Ambiguous { code: (*code).clone(), products: hits.into_keys().collect() };
            }
        }
    }
    Resolution::Unknown { codes: skus.clone() }
}

fn prefixes(sku: &Code, separators: &BTreeSet<char>) -> Vec<Code> {
    sku.as_str()
        .char_indices()
        .filter(|(_, c)| separators.contains(c))
        .map(|(at, _)| Code::new(&sku.as_str()[..at]))
        .filter(|prefix| prefix.as_str().chars().count() >= SHORTEST_PREFIX)
        .collect()
}

/// The SKU as it may stand in Daftra: the merchant's own prefix taken off or put before.
fn spellings(sku: &str, rules: &Rules) -> BTreeSet<Code> {
    let code = Code::new(sku);
    if code.is_none() {
        return BTreeSet::new();
    }
    let stripped = rules
        .sku
        .strip_prefixes
        .iter()
        .filter_map(|prefix| code.as_str().strip_prefix(Code::new(prefix).as_str()).map(Code::new))
        .filter(|rest| !rest.is_none());
    let mut all: BTreeSet<Code> = stripped.collect();
    if !rules.sku.add_prefix.is_empty() {
        all.insert(Code::new(&format!("{}{}", rules.sku.add_prefix, code.as_str())));
    }
    all.insert(code);
    all
}

impl Catalog {
    fn knows(&self, code: &Code) -> bool {
        self.misses.contains(code) || self.products.iter().any(|p| p.code == *code || p.barcode == *code)
    }
}

impl Product {
    fn is_usable(&self, branch_id: Option<i64>) -> bool {
        self.active && (self.branch_id.is_none() || branch_id.is_none() || self.branch_id == branch_id)
    }
}

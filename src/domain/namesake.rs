//! Documents in Daftra that name an order of ours and were not made by us: another program's, or a person's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Ids of Shopify have more digits; a shorter number in a text may be anything.
const SHORTEST_ID: usize = 10;

/// The names of orders, as others may write them.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Without the sign before it.
    bare: BTreeMap<String, i64>,
    /// What means an order wherever it stands.
    sure: BTreeMap<String, i64>,
}

impl Names {
    /// Of orders: our own id, Shopify's id, and the name. Of two of one name the later one is meant.
    #[must_use]
    pub fn new<'a>(orders: impl Iterator<Item = (i64, i64, &'a str)>) -> Self {
        let mut names = Self::default();
        for (order_id, remote_id, name) in orders {
            let name = name.trim().to_lowercase();
            let bare = name.trim_start_matches('#').to_owned();
            let is_plain = bare.bytes().all(|byte| byte.is_ascii_digit());
            if !bare.is_empty() {
                names.bare.insert(bare, order_id);
                if name.starts_with('#') || !is_plain {
                    names.sure.insert(name, order_id);
                }
            }
            let id = remote_id.to_string();
            if id.len() >= SHORTEST_ID {
                names.sure.insert(id.clone(), order_id);
                names.bare.insert(id, order_id);
            }
        }
        names
    }

    /// The order that a document names: in a field that holds a number and nothing else, or by a word of a text.
    #[must_use]
    pub fn meant<'a>(&self, fields: impl IntoIterator<Item = &'a str>, text: &str) -> Option<i64> {
        let mut by_field = fields
            .into_iter()
            .filter_map(|field| self.bare.get(field.trim().trim_start_matches('#').to_lowercase().as_str()));
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '#' | '-' | '_');
        let mut words = text.split(|letter| !is_part(letter)).filter(|word| !word.is_empty());
        by_field.next().or_else(|| words.find_map(|word| self.sure.get(word.to_lowercase().as_str()))).copied()
    }
}

/// Why a document cannot be adopted as the invoice of an order. Amounts are printed, in the account's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Fault {
    /// Daftra has no such invoice.
    Missing,
    /// It is ours already.
    Taken,
    /// Its total is not what the order comes to.
    Total { ours: String, daftra: String },
    /// It is in another currency.
    Currency { ours: String, daftra: String },
    /// Something was given back on it by receipts that are not ours.
    Refunded { daftra: String },
    /// It is a draft, and ours are issued.
    Draft,
    /// The order has an invoice already.
    HasInvoice,
    /// Nothing of the order is to be booked.
    NotBooked,
}

/// Numbers that stand in two rows of a list, each but once.
#[must_use]
pub fn twice<T: Ord + Copy>(all: impl Iterator<Item = T>) -> BTreeSet<T> {
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    for one in all {
        if !seen.insert(one) {
            twice.insert(one);
        }
    }
    twice
}

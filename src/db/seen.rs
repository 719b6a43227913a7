//! What a merchant's pages show beside its rules: how far it is, and what its recent orders hold that rules must know.
//!
//! Only recent orders are read, so a page costs the same after a year. What has not been seen lately can still be named.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use rust_decimal::Decimal;

use super::convert::{at, from_json, ms};
use super::merchant::{self, CredentialKind, Slot};
use super::order::State;
use super::sight::Sight;
use super::{Context as _, Error, account};
use crate::domain::order::{Line, Snapshot, TaxLine};
use crate::domain::rules::{Vendor, fold};
use crate::domain::tax::joined;

/// So many orders are looked through.
const RECENT: u32 = 200;

/// SKUs that are shown.
const EXAMPLES: usize = 6;

/// How far a merchant is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Of the Daftra account; empty while there is none.
    pub address: String,
    /// The account's own currency, once it told.
    pub currency: Option<String>,
    /// How many secrets prove its deliveries.
    pub webhook_secrets: usize,
    pub has_daftra_key: bool,
    /// When the last delivery came that proved itself.
    pub last_delivery: Option<Timestamp>,
    /// Orders that were planned and shown, and not done.
    pub shadows: i64,
}

/// What recent orders hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// By the name in which vendors are compared; the one without a name is empty.
    pub vendors: BTreeMap<String, SeenVendor>,
    /// By title, rate and whether prices contain it.
    pub taxes: BTreeMap<(String, Decimal, bool), SeenTax>,
    /// Ways of paying: the shop's word by its folded form.
    pub gateways: BTreeMap<String, String>,
    /// Sales channels.
    pub sources: BTreeSet<String>,
    /// Some lines by their SKU, the newest first seen.
    pub skus: BTreeMap<String, Line>,
    /// How many orders were looked through.
    pub orders: usize,
}

/// A vendor on recent orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenVendor {
    /// As the shop writes it.
    pub name: String,
    pub orders: usize,
    pub lines: usize,
    /// Something it sells.
    pub example: String,
}

/// A tax on recent orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenTax {
    /// As the shop writes it; `A + B` for taxes that a line carries together.
    pub title: String,
    pub lines: usize,
}

impl Sight<'_> {
    /// How far a merchant is.
    pub fn progress(&self, merchant_id: i64) -> Result<Progress, Error> {
        self.allow(merchant_id)?;
        let known = merchant::get(self.c, merchant_id)?;
        let account = known.account_id.map(|id| account::get(self.c, id)).transpose()?;
        let credentials = merchant::credentials(self.c, Some(merchant_id))?;
        let count = |kind| credentials.iter().filter(|one| one.kind == kind).count();
        let has_key = |one: &merchant::Credential| one.kind == CredentialKind::DaftraKey && one.slot == Slot::Current;
        Ok(Progress {
            currency: account.as_ref().and_then(|account| account.currency.clone()),
            address: account.map(|account| account.address).unwrap_or_default(),
            webhook_secrets: count(CredentialKind::WebhookSecret) + count(CredentialKind::StoreKey),
            has_daftra_key: credentials.iter().any(has_key),
            last_delivery: last_delivery(self.c, merchant_id)?,
            shadows: shadows(self.c, merchant_id)?,
        })
    }

    /// How many orders of a merchant came in since a time, to the hour.
    pub fn orders_since(&self, merchant_id: i64, since: Timestamp) -> Result<i64, Error> {
        self.allow(merchant_id)?;
        orders_since(self.c, merchant_id, since)
    }

    /// What the recent orders of a merchant hold.
    pub fn seen(&self, merchant_id: i64) -> Result<Seen, Error> {
        self.allow(merchant_id)?;
        recent(self.c, merchant_id)
    }

    /// Whose vendors are whose in a shop, by the name in which they are compared: the slug of the owner, or nothing where
    /// the owner is out of sight.
    pub fn vendors_of_shop(&self, shop_domain: &str) -> Result<BTreeMap<String, Option<String>>, Error> {
        let slugs: BTreeMap<i64, String> =
            self.merchants()?.into_iter().map(|merchant| (merchant.id, merchant.slug)).collect();
        let owned = merchant::vendors_of_shop(self.c, shop_domain)?;
        Ok(owned.into_iter().map(|(name, owner)| (name, slugs.get(&owner).cloned())).collect())
    }
}

impl Seen {
    fn note(&mut self, order: &Snapshot) {
        self.orders += 1;
        let mut vendors = BTreeSet::new();
        for line in &order.lines {
            let key = Vendor::new(&line.vendor).as_str().to_owned();
            let vendor = self.vendors.entry(key.clone()).or_insert_with(|| SeenVendor {
                name: line.vendor.trim().to_owned(),
                example: line.title.clone(),
                ..SeenVendor::default()
            });
            vendor.lines += 1;
            vendor.orders += usize::from(vendors.insert(key));
            self.note_taxes(&line.taxes, order.taxes_included);
            let sku = line.sku.trim();
            if !sku.is_empty() && self.skus.len() < EXAMPLES {
                self.skus.entry(sku.to_owned()).or_insert_with(|| line.clone());
            }
        }
        for shipping in &order.shipping {
            self.note_taxes(&shipping.taxes, order.taxes_included);
        }
        self.gateways.extend(
            order.gateways.iter().filter(|name| !name.trim().is_empty()).map(|name| (fold(name), name.clone())),
        );
        self.sources.insert(order.source.clone());
    }

    fn note_taxes(&mut self, taxes: &[TaxLine], included: bool) {
        let Some(tax) = joined(taxes) else { return };
        let key = (fold(&tax.title), tax.rate.normalize(), included);
        let seen = self.taxes.entry(key).or_insert_with(|| SeenTax { title: tax.title, lines: 0 });
        seen.lines += 1;
    }
}

/// What the recent orders of a merchant hold.
pub fn recent(c: &Connection, merchant_id: i64) -> Result<Seen, Error> {
    const READ: &str = "read recent orders";
    let mut statement = c
        .prepare_cached("select snapshot from orders where merchant_id = ?1 order by id desc limit ?2")
        .during(READ)?;
    let rows = statement.query_map((merchant_id, RECENT), |row| row.get::<_, Option<String>>(0)).during(READ)?;
    let mut seen = Seen::default();
    for row in rows {
        let Some(text) = row.during(READ)? else { continue };
        seen.note(&from_json(READ, &text)?);
    }
    Ok(seen)
}

/// How many orders of a merchant came in since a time, to the hour.
pub fn orders_since(c: &Connection, merchant_id: i64, since: Timestamp) -> Result<i64, Error> {
    const COUNT: &str = "count a merchant's orders since a time";
    c.prepare_cached("select coalesce(sum(count), 0) from standing where merchant_id = ?1 and hour >= ?2")
        .during(COUNT)?
        .query_row((merchant_id, ms(since).div_euclid(3_600_000)), |row| row.get(0))
        .during(COUNT)
}

/// When the last delivery came that proved itself.
pub fn last_delivery(c: &Connection, merchant_id: i64) -> Result<Option<Timestamp>, Error> {
    const READ: &str = "read when the last delivery came";
    let last: Option<i64> = c
        .prepare_cached("select received_at from delivery where merchant_id = ?1 order by id desc limit 1")
        .during(READ)?
        .query_row([merchant_id], |row| row.get(0))
        .optional()
        .during(READ)?;
    last.map(at).transpose()
}

/// How many orders were planned and shown, and not done.
pub fn shadows(c: &Connection, merchant_id: i64) -> Result<i64, Error> {
    const COUNT: &str = "count the orders that were only shown";
    c.prepare_cached("select coalesce(sum(count), 0) from standing where merchant_id = ?1 and hour = -1 and state = ?2")
        .during(COUNT)?
        .query_row((merchant_id, State::Shadow.word()), |row| row.get(0))
        .during(COUNT)
}

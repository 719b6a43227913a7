//! Before a merchant goes live: for which of the shop's variants a product is found, by which rule, and for which none is.
//!
//! Asked for by a person. The shop is paged through, where it has a way; else the variants are those seen in orders. Then
//! Daftra's products are read once, and each variant is resolved as a line would be. A look that is cut goes on where it was.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::ask::Asked;
use super::barcodes::SCOPE;
use super::catch_up::PAUSE;
use super::shop::Way;
use crate::daftra::client::Client;
use crate::db::job::{self, Again, Job};
use crate::db::variant::{self, Coverage, Keep, Look};
use crate::db::{Error, merchant, product};
use crate::domain::catalog::Item;
use crate::domain::rules::{Rules, Vendor};
use crate::domain::variant::{Outcome, Variant, WholeCatalog};
use crate::shop::api::client::Setback;
use crate::shop::api::conversation::Conversation;

/// Pages of the shop's list, of a hundred variants, in one run: then other chores have their turn.
const PAGES: u32 = 20;
/// Variants, or orders, of one write.
const ROWS: u32 = 200;
/// After an account of Daftra that gave no list.
const RETRY: SignedDuration = SignedDuration::from_mins(15);

/// How a look at the shop's list ended.
enum Listed {
    /// All was seen that the shop tells of.
    All,
    /// There is more: others first.
    More,
    /// Nothing is told before this.
    Later(Timestamp),
    /// The shop does not tell.
    Not,
}

impl Engine {
    /// Goes on with a look through a merchant's variants.
    pub(super) fn look_at_coverage(&self, job: &Job) -> Result<(), Error> {
        let (merchant_id, job) = (job.subject, *job);
        let look = self.db.read(|c| variant::look(c, merchant_id))?;
        let now = self.clock.now();
        let Some(look) = look else { return self.db.write(move |tx| job::settle(tx, &job, Again::WhenAsked, now)) };
        let listed = if look.is_listed { Listed::All } else { self.list_variants(merchant_id, &look)? };
        let whole = match listed {
            Listed::All => true,
            Listed::More => return self.db.write(move |tx| job::put_back(tx, &job, now)),
            Listed::Later(at) => return self.db.write(move |tx| job::put_back(tx, &job, at)),
            Listed::Not => {
                self.list_sold(merchant_id)?;
                false
            }
        };
        let products = match self.ask(merchant_id, Client::all_products)? {
            Asked::Answered(Ok(products)) => products,
            Asked::Busy => {
                let at = self.clock.now() + PAUSE;
                return self.db.write(move |tx| job::put_back(tx, &job, at));
            }
            Asked::NoKey | Asked::Answered(Err(_)) => {
                let now = self.clock.now();
                return self.db.write(move |tx| job::fail(tx, &job, Some(now + RETRY), now));
            }
        };
        let mappings = self.db.read(|c| product::all_mapped(c, merchant_id))?;
        let since = whole.then_some(look.began_at);
        let counts = self.judge_variants(merchant_id, &WholeCatalog::new(products, mappings), since)?;
        let now = self.clock.now();
        let coverage = Coverage { read_at: now, whole, counts };
        self.db.write(move |tx| {
            variant::end_look(tx, merchant_id, &coverage)?;
            job::settle(tx, &job, Again::WhenAsked, now)
        })
    }

    /// Goes on through the list of the shop.
    fn list_variants(&self, merchant_id: i64, look: &Look) -> Result<Listed, Error> {
        let way = match self.way_to_shop(merchant_id)? {
            Some(Ok(way)) if way.scopes.contains(SCOPE) => way,
            Some(Err(setback)) => return self.not_listed(merchant_id, &setback),
            None | Some(Ok(_)) => return Ok(Listed::Not),
        };
        match self.page_through(merchant_id, &way, look.place.clone())? {
            Ok(true) => Ok(Listed::All),
            Ok(false) => Ok(Listed::More),
            Err(setback) => self.not_listed(merchant_id, &setback),
        }
    }

    /// True: that was the last page.
    fn page_through(
        &self,
        merchant_id: i64,
        way: &Way,
        mut place: Option<String>,
    ) -> Result<Result<bool, Setback>, Error> {
        let vendors = self.db.read(|c| merchant::get(c, merchant_id))?.rules.vendors;
        let mut talk = Conversation::new(&self.shops, &way.door, way.scopes.clone());
        for _ in 0..PAGES {
            let page = match talk.shelf(place.as_deref()) {
                Ok(page) => page,
                Err(setback) => return Ok(Err(setback)),
            };
            let is_own = |one: &Variant| vendors.covers(&Vendor::new(&one.vendor));
            let own: Vec<Variant> = page.rows.into_iter().filter(is_own).collect();
            let (next, now) = (page.next.clone(), self.clock.now());
            self.db.write(move |tx| {
                variant::learn(tx, merchant_id, &own, Keep::All, now)?;
                variant::look_came_to(tx, merchant_id, next.as_deref())
            })?;
            place = page.next;
            if place.is_none() {
                return Ok(Ok(true));
            }
            if self.is_stopping() {
                break;
            }
        }
        Ok(Ok(false))
    }

    fn not_listed(&self, merchant_id: i64, setback: &Setback) -> Result<Listed, Error> {
        if let Setback::Throttled(wait) = setback {
            return Ok(Listed::Later(self.clock.now() + *wait));
        }
        self.note_shop(merchant_id, setback)?;
        Ok(Listed::Not)
    }

    /// Without the shop's word: what stands on the lines of orders.
    fn list_sold(&self, merchant_id: i64) -> Result<(), Error> {
        let vendors = self.db.read(|c| merchant::get(c, merchant_id))?.rules.vendors;
        let mut from = Some(0);
        while let Some(place) = from {
            let vendors = vendors.clone();
            from = self.db.write(move |tx| {
                let is_own = |vendor: &str| vendors.covers(&Vendor::new(vendor));
                variant::learn_from_orders(tx, merchant_id, place, ROWS, is_own)
            })?;
        }
        Ok(())
    }

    /// Notes what each variant came to, and counts. Those that were not seen since then are not the merchant's any more.
    fn judge_variants(
        &self,
        merchant_id: i64,
        catalog: &WholeCatalog,
        since: Option<Timestamp>,
    ) -> Result<BTreeMap<Outcome, u64>, Error> {
        let rules: Rules = self.db.read(|c| merchant::get(c, merchant_id))?.rules;
        let mut counts = BTreeMap::new();
        let mut place = 0;
        loop {
            let rows = self.db.read(|c| variant::after(c, merchant_id, place, ROWS))?;
            let Some(last) = rows.last() else { break };
            place = last.id;
            let seen = rows.iter().filter(|row| since.is_none_or(|since| row.read_at >= since));
            let outcomes: Vec<(i64, Outcome)> = seen
                .map(|row| {
                    let item = Item { variant_id: Some(row.id), sku: &row.sku, barcode: row.barcode.as_ref() };
                    (row.id, catalog.outcome(&item, &rules))
                })
                .collect();
            for (_, outcome) in &outcomes {
                *counts.entry(*outcome).or_default() += 1;
            }
            self.db.write(move |tx| variant::came_to(tx, merchant_id, &outcomes))?;
        }
        if let Some(since) = since {
            while self.db.write(move |tx| variant::forget_unseen(tx, merchant_id, since, ROWS))? {}
        }
        Ok(counts)
    }
}

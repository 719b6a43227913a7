//! Looking for rows of the sync log: by merchant, status, time and words, page by page in both directions, and counted.
//!
//! Words are looked up first: they lead to orders, and the rows are those of these orders. So no search reads the log.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::log::{self, Entry, Status};
use super::sight::Sight;
use super::{Error, document, order};
use crate::domain::catalog::Code;

/// Words that fit more orders than this find the newest of them.
pub const ORDERS: u32 = 100;
/// Hours of all merchants together that are added up for counters, a few rows each; beyond it there are none.
const HOURS: i64 = 20_000;
const HOUR_MS: i64 = 3_600_000;

/// Which rows somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub merchant_id: Option<i64>,
    pub status: Option<Status>,
    /// Written at this time or later.
    pub from: Option<Timestamp>,
    /// Written before this time.
    pub until: Option<Timestamp>,
    /// Of one order, by our own id.
    pub order_id: Option<i64>,
    /// The name or a number of an order, the number of an invoice, or a whole SKU.
    pub text: Option<String>,
}

/// Where in a list a page is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    Newest,
    /// The rows older than this one.
    Before(i64),
    /// The rows just newer than this one.
    After(i64),
}

/// One page of rows, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    pub rows: Vec<Entry>,
    pub has_newer: bool,
    pub has_older: bool,
    /// More orders fit the words than are looked at.
    pub is_cut: bool,
}

impl Sight<'_> {
    /// One page of the rows that fit.
    pub fn browse(&self, search: &Search, place: Place, limit: u32) -> Result<Page, Error> {
        let mut orders = search.text.as_deref().map(|text| self.orders_meant(search.merchant_id, text)).transpose()?;
        if let Some(id) = search.order_id {
            let of = self.order(id)?.merchant_id;
            let is_meant = orders.is_none_or(|orders| orders.contains(&id));
            orders = Some(if is_meant && search.merchant_id.is_none_or(|wanted| wanted == of) {
                vec![id]
            } else {
                Vec::new()
            });
        }
        let is_cut = orders.as_ref().is_some_and(|orders| u32::try_from(orders.len()) == Ok(ORDERS));
        let rows = |place| self.rows(search, orders.as_deref(), place, limit);
        let (rows, has_newer, has_older) = match place {
            Place::Newest => {
                let (rows, more) = rows(place)?;
                (rows, false, more)
            }
            Place::Before(_) => {
                let (rows, more) = rows(place)?;
                (rows, true, more)
            }
            Place::After(_) => match rows(place)? {
                (rows, true) => (rows, true, true),
                // The newest page is a whole one, and goes on by itself.
                (_, false) => return self.browse(search, Place::Newest, limit),
            },
        };
        Ok(Page { rows, has_newer, has_older, is_cut })
    }

    /// How many rows of each status fit; none where only reading them would tell, or too many hours.
    pub fn counts(&self, search: &Search, now: Timestamp) -> Result<Option<BTreeMap<Status, i64>>, Error> {
        let merchants = self.merchants_meant(search.merchant_id)?;
        let Some(hours) = hours(search, now, &merchants) else { return Ok(None) };
        let mut counts = BTreeMap::new();
        for merchant_id in merchants {
            for (status, count) in log::counts(self.c, merchant_id, hours)? {
                *counts.entry(status).or_default() += count;
            }
        }
        Ok(Some(counts))
    }

    /// The rows at a place, and whether there are more beyond them.
    fn rows(
        &self,
        search: &Search,
        orders: Option<&[i64]>,
        place: Place,
        limit: u32,
    ) -> Result<(Vec<Entry>, bool), Error> {
        let mut filter = log::Filter { status: search.status, ..log::Filter::default() };
        match place {
            Place::Newest => {}
            Place::Before(id) => filter.before = Some(id),
            Place::After(id) => (filter.after, filter.is_backwards) = (Some(id), true),
        }
        if let Some(from) = search.from {
            let Some(first) = log::first_since(self.c, from)? else { return Ok((Vec::new(), false)) };
            filter.after = filter.after.max(Some(first - 1));
        }
        if let Some(first) = search.until.map(|until| log::first_since(self.c, until)).transpose()?.flatten() {
            filter.before = Some(filter.before.map_or(first, |before| before.min(first)));
        }
        let mut found = Vec::new();
        match orders {
            Some(orders) => {
                for id in orders {
                    found.extend(log::list(self.c, log::Filter { order_id: Some(*id), ..filter }, limit + 1)?);
                }
            }
            None => {
                for merchant_id in self.each(search.merchant_id) {
                    found.extend(log::list(self.c, log::Filter { merchant_id, ..filter }, limit + 1)?);
                }
            }
        }
        found.sort_by_key(|entry| std::cmp::Reverse(entry.id));
        let surplus = found.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        if filter.is_backwards {
            found.drain(..surplus);
        } else {
            found.truncate(found.len() - surplus);
        }
        Ok((found, surplus > 0))
    }

    /// The orders that somebody means, newest first.
    fn orders_meant(&self, merchant_id: Option<i64>, text: &str) -> Result<Vec<i64>, Error> {
        let mut orders = Vec::new();
        for one in self.each(merchant_id) {
            let filter = order::Filter { merchant_id: one, ..order::Filter::default() };
            orders.extend(order::find(self.c, filter, text, ORDERS)?.iter().map(|order| order.id));
            orders.extend(document::orders_by_number(self.c, one, text, ORDERS)?);
        }
        let sku = Code::new(text);
        for one in self.merchants_meant(merchant_id)? {
            orders.extend(order::with_sku(self.c, one, &sku, ORDERS)?);
        }
        orders.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        orders.dedup();
        orders.truncate(usize::try_from(ORDERS).unwrap_or(usize::MAX));
        Ok(orders)
    }

    /// The merchants in sight that are meant, one by one.
    pub(super) fn merchants_meant(&self, wanted: Option<i64>) -> Result<Vec<i64>, Error> {
        let all = self.merchants()?.into_iter().map(|merchant| merchant.id);
        Ok(all.filter(|id| wanted.is_none_or(|wanted| wanted == *id)).collect())
    }
}

/// The hours that the counters of a search cover; they know neither words nor parts of an hour.
fn hours(search: &Search, now: Timestamp, merchants: &[i64]) -> Option<(i64, i64)> {
    if search.text.is_some() || search.order_id.is_some() {
        return None;
    }
    if search.from.is_none() && search.until.is_none() {
        return Some(log::EVER);
    }
    let from = search.from?.as_millisecond();
    let until = search.until.map_or(now.as_millisecond() / HOUR_MS * HOUR_MS + HOUR_MS, Timestamp::as_millisecond);
    let hours = (from / HOUR_MS, until / HOUR_MS - 1);
    let merchants = i64::try_from(merchants.len()).ok()?;
    let is_whole = from % HOUR_MS == 0 && until % HOUR_MS == 0;
    let fits = (hours.1 - hours.0).max(0).checked_mul(merchants).is_some_and(|rows| rows <= HOURS);
    (is_whole && fits && from >= 0).then_some(hours)
}

//! Held orders by cause: what one act of a person may help together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::convert::{at, maybe_at};
use super::order::{self, Overview, State};
use super::sight::Sight;
use super::{Context as _, Error};
use crate::domain::reason::{Hold, Reason};

/// Orders that are named of a cause.
const EXAMPLES: usize = 10;
/// Orders read at a time.
const PAGE: u32 = 1_000;
/// A page of somebody's browser looks at so many held orders, of each merchant at the same share; there is no end of what
/// may be held.
pub const LOOKED_AT: usize = 5_000;

/// One cause of one merchant.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The merchant's slug.
    pub merchant: String,
    pub merchant_id: i64,
    /// The code by which it is released.
    pub cause: &'static str,
    /// What the orders have in common: a code, a tax, Daftra's words.
    pub about: String,
    pub orders: usize,
    /// Of the oldest of them.
    pub since: Timestamp,
    /// Some of them: our ids and their names.
    pub examples: Vec<(i64, String)>,
    /// Of the first of them.
    pub hold: Hold,
}

/// Held orders of one merchant or of all, newest first, so many at most.
pub fn held(c: &Connection, merchant_id: Option<i64>, most: usize) -> Result<Vec<Overview>, Error> {
    let mut filter = order::Filter { merchant_id, state: Some(State::Held), before: None };
    let mut held = Vec::new();
    loop {
        let page = order::list(c, filter, PAGE)?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        held.extend(page);
        if held.len() >= most {
            held.truncate(most);
            break;
        }
    }
    Ok(held)
}

/// One row per merchant, cause and what it is about, the largest first; an order counts once in each of its causes.
#[must_use]
pub fn by_cause(held: &[Overview]) -> Vec<Cause> {
    let mut causes = BTreeMap::<(i64, &str, String), (Vec<&Overview>, &Hold)>::new();
    for order in held {
        let Some(Reason::Held(holds)) = &order.reason else { continue };
        for hold in holds {
            let key = (order.merchant_id, hold.code(), hold.subject());
            let (orders, _) = causes.entry(key).or_insert_with(|| (Vec::new(), hold));
            if orders.last().is_none_or(|last| last.id != order.id) {
                orders.push(order);
            }
        }
    }
    let mut causes: Vec<Cause> = causes
        .into_iter()
        .filter_map(|((merchant_id, cause, about), (orders, hold))| {
            Some(Cause {
                merchant: orders.first()?.merchant.clone(),
                merchant_id,
                cause,
                about,
                orders: orders.len(),
                since: orders.iter().map(|order| order.state_at).min()?,
                examples: orders.iter().take(EXAMPLES).map(|order| (order.id, order.name.clone())).collect(),
                hold: hold.clone(),
            })
        })
        .collect();
    causes.sort_by(|a, b| b.orders.cmp(&a.orders).then(a.since.cmp(&b.since)));
    causes
}

impl Sight<'_> {
    /// What holds orders, by cause; true if there are more held orders than were looked at.
    pub fn causes(&self, merchant_id: Option<i64>) -> Result<(Vec<Cause>, bool), Error> {
        self.causes_among(merchant_id, LOOKED_AT)
    }

    /// The same among so many orders of each merchant.
    pub fn causes_among(&self, merchant_id: Option<i64>, most: usize) -> Result<(Vec<Cause>, bool), Error> {
        let (held, is_cut) = self.held_among(merchant_id, most)?;
        Ok((by_cause(&held), is_cut))
    }

    /// Held orders, the newest so many of each merchant; true if there are more of them.
    pub fn held_among(&self, merchant_id: Option<i64>, most: usize) -> Result<(Vec<Overview>, bool), Error> {
        let merchants = self.merchants_meant(merchant_id)?;
        let share = (most / merchants.len().max(1)).max(1);
        let (mut all, mut is_cut) = (Vec::new(), false);
        for one in merchants {
            let held = held(self.connection(), Some(one), share)?;
            is_cut |= held.len() >= share;
            all.extend(held);
        }
        Ok((all, is_cut))
    }
}

/// An invoice that Daftra refuses to change, and the order that is held for it.
#[derive(Clone, Debug)]
pub struct Locked {
    pub order_id: i64,
    pub order: String,
    /// The merchant's slug.
    pub merchant: String,
    pub reference: String,
    pub since: Timestamp,
    /// Daftra's words, and the payments on it that are not ours.
    pub hold: Hold,
}

/// What is locked among held orders, the oldest first.
#[must_use]
pub fn locked(held: &[Overview]) -> Vec<Locked> {
    let mut all = Vec::new();
    for order in held {
        let Some(Reason::Held(holds)) = &order.reason else { continue };
        for hold in holds {
            let Hold::Locked { reference, .. } = hold else { continue };
            all.push(Locked {
                order_id: order.id,
                order: order.name.clone(),
                merchant: order.merchant.clone(),
                reference: reference.clone(),
                since: order.state_at,
                hold: hold.clone(),
            });
        }
    }
    all.sort_by_key(|one| (one.since, one.order_id));
    all
}

/// A document of which nobody knows yet whether Daftra has it.
#[derive(Clone, Debug)]
pub struct Doubt {
    pub order_id: i64,
    pub order: String,
    /// The merchant's slug.
    pub merchant: String,
    pub merchant_id: i64,
    pub reference: String,
    pub since: Timestamp,
    pub look_at: Option<Timestamp>,
}

impl Sight<'_> {
    /// Documents in doubt of one merchant or of all, the oldest first, so many at most.
    pub fn doubts(&self, wanted: Option<i64>, most: usize) -> Result<Vec<Doubt>, Error> {
        const LIST: &str = "list documents in doubt";
        let mut statement = self
            .connection()
            .prepare_cached(
                "select o.id, o.name, m.slug, m.id, d.reference, d.since_at, d.look_at
                 from document d join orders o on o.id = d.order_id join merchant m on m.id = o.merchant_id
                 where d.state in ('sending', 'in_doubt', 'replacing', 'replace_in_doubt') and d.state like '%in_doubt'",
            )
            .during(LIST)?;
        let rows = statement
            .query_map([], |row| {
                Ok((
                    (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?),
                    row.get::<_, i64>(5)?,
                    row.get::<_, Option<i64>>(6)?,
                ))
            })
            .during(LIST)?;
        let mut all = Vec::new();
        for row in rows {
            let ((order_id, order, merchant, merchant_id, reference), since, look_at) = row.during(LIST)?;
            if wanted.is_none_or(|wanted| wanted == merchant_id) && self.allow(merchant_id).is_ok() {
                let (since, look_at) = (at(since)?, maybe_at(look_at)?);
                all.push(Doubt { order_id, order, merchant, merchant_id, reference, since, look_at });
            }
        }
        all.sort_by_key(|doubt| doubt.since);
        all.truncate(most);
        Ok(all)
    }
}

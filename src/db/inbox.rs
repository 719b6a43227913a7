//! All deliveries, newest first, page by page, and what became of them.
//!
//! Each merchant is asked for ids through an index of its own, and only the rows of a page are read: bodies lie in the same
//! table, so a walk through it would read gigabytes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::Connection;

use super::convert::{at, word};
use super::delivery::Fate;
use super::order::State;
use super::sight::Sight;
use super::{Context as _, Error};

/// Topics that a filter offers; a shop subscribes to a dozen.
const TOPICS: usize = 40;

/// Which deliveries somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub merchant_id: Option<i64>,
    pub topic: Option<String>,
    pub fate: Option<Fate>,
    /// Only those older than this one: the next page.
    pub before: Option<i64>,
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub id: i64,
    pub merchant_id: i64,
    /// The merchant's slug.
    pub merchant: String,
    pub topic: String,
    pub fate: Fate,
    pub received_at: Timestamp,
    pub repeats: i64,
    /// Retention has not taken its body yet.
    pub has_body: bool,
    pub order: Option<Order>,
}

/// The order a delivery is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: i64,
    pub name: String,
    pub state: State,
}

impl Sight<'_> {
    /// Deliveries that fit, newest first.
    pub fn deliveries(&self, filter: &Filter, limit: u32) -> Result<Vec<Received>, Error> {
        let mut found = Vec::new();
        for merchant_id in self.merchants_meant(filter.merchant_id)? {
            found.extend(ids(self.connection(), merchant_id, filter, limit)?);
        }
        found.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        found.into_iter().map(|id| read(self.connection(), id)).collect()
    }

    /// The topics that came in, by name.
    pub fn topics(&self, merchant_id: Option<i64>) -> Result<Vec<String>, Error> {
        let mut all = BTreeSet::new();
        for merchant_id in self.merchants_meant(merchant_id)? {
            all.extend(topics(self.connection(), merchant_id)?);
        }
        Ok(all.into_iter().take(TOPICS).collect())
    }
}

fn ids(c: &Connection, merchant_id: i64, filter: &Filter, limit: u32) -> Result<Vec<i64>, Error> {
    const LIST: &str = "list deliveries";
    // Each of the four has an index of its own.
    let topic = if filter.topic.is_some() { " and topic = ?3" } else { "" };
    let fate = if filter.fate.is_some() { " and fate = ?4" } else { "" };
    let sql =
        format!("select id from delivery where merchant_id = ?1 and id < ?2{topic}{fate} order by id desc limit ?5");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let (before, fate) = (filter.before.unwrap_or(i64::MAX), filter.fate.map(Fate::word));
    let rows = statement
        .query_map((merchant_id, before, filter.topic.as_deref(), fate, limit), |row| row.get(0))
        .during(LIST)?;
    rows.map(|row| row.during(LIST)).collect()
}

fn read(c: &Connection, id: i64) -> Result<Received, Error> {
    const READ: &str = "read a delivery of the inbox";
    let (received, fate, received_at, order) = c
        .prepare_cached(
            "select d.id, d.merchant_id, m.slug, d.topic, d.repeats, d.body is not null, d.fate, d.received_at,
               o.id, o.name, o.state
             from delivery d join merchant m on m.id = d.merchant_id left join orders o on o.id = d.order_id
             where d.id = ?1",
        )
        .during(READ)?
        .query_row([id], |row| {
            let received = Received {
                id: row.get(0)?,
                merchant_id: row.get(1)?,
                merchant: row.get(2)?,
                topic: row.get(3)?,
                repeats: row.get(4)?,
                has_body: row.get(5)?,
                fate: Fate::Other,
                received_at: Timestamp::UNIX_EPOCH,
                order: None,
            };
            let order = match row.get::<_, Option<i64>>(8)? {
                Some(id) => Some((id, row.get::<_, String>(9)?, row.get::<_, String>(10)?)),
                None => None,
            };
            Ok((received, row.get::<_, String>(6)?, row.get::<_, i64>(7)?, order))
        })
        .during(READ)?;
    let order = match order {
        Some((id, name, state)) => Some(Order { id, name, state: word(READ, &state, State::parse(&state))? }),
        None => None,
    };
    Ok(Received { fate: word(READ, &fate, Fate::parse(&fate))?, received_at: at(received_at)?, order, ..received })
}

/// Hops from one topic to the next along the index instead of reading all deliveries.
fn topics(c: &Connection, merchant_id: i64) -> Result<Vec<String>, Error> {
    const LIST: &str = "list topics";
    let mut statement =
        c.prepare_cached("select min(topic) from delivery where merchant_id = ?1 and topic > ?2").during(LIST)?;
    let mut all: Vec<String> = Vec::new();
    while all.len() < TOPICS {
        let last = all.last().map_or("", String::as_str);
        let next: Option<String> = statement.query_row((merchant_id, last), |row| row.get(0)).during(LIST)?;
        let Some(next) = next else { break };
        all.push(next);
    }
    Ok(all)
}

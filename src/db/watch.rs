//! What the watchers ask: how many orders came in each hour, and which numbers nobody told of.

use jiff::Timestamp;
use rusqlite::Connection;

use super::convert::{at, ms};
use super::{Context as _, Error};
use crate::domain::rhythm::HOURS;
use crate::domain::sequence::{Gap, gaps_before};

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// The orders of a merchant that came in during each of the last whole hours before a time, the oldest first.
pub fn orders_by_hour(c: &Connection, merchant_id: i64, now: Timestamp) -> Result<[u32; HOURS], Error> {
    const READ: &str = "read how many orders came in each hour";
    let mut counted = [0; HOURS];
    let span = i64::try_from(HOURS).unwrap_or(i64::MAX);
    let (end, first) = (ms(now) / HOUR, ms(now) / HOUR - span);
    let mut statement = c
        .prepare_cached(
            "select hour, sum(count) from standing where merchant_id = ?1 and hour >= ?2 and hour < ?3 group by hour",
        )
        .during(READ)?;
    let rows = statement
        .query_map((merchant_id, first, end), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u32>(1)?)))
        .during(READ)?;
    for row in rows {
        let (hour, count) = row.during(READ)?;
        if let Some(place) = usize::try_from(hour - first).ok().and_then(|at| counted.get_mut(at)) {
            *place = count;
        }
    }
    Ok(counted)
}

/// Numbers that were never seen between the orders of a merchant placed since a time, and when the order after each was placed.
pub fn gaps_since(c: &Connection, merchant_id: i64, since: Timestamp) -> Result<Vec<(Gap, Timestamp)>, Error> {
    const READ: &str = "read the names of a merchant's orders";
    let mut statement = c
        .prepare_cached(
            "select name, coalesce(placed_at, created_at) from orders
             where merchant_id = ?1 and coalesce(placed_at, created_at) >= ?2 and name <> ''",
        )
        .during(READ)?;
    let rows = statement
        .query_map((merchant_id, ms(since)), |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .during(READ)?;
    let named = rows.map(|row| row.during(READ)).collect::<Result<Vec<_>, Error>>()?;
    let found = gaps_before(named.iter().map(|(name, placed)| (name.as_str(), *placed)));
    found.into_iter().map(|(gap, placed)| Ok((gap, at(placed)?))).collect()
}

//! The nightly examination: which orders Daftra is asked about again, and how far it has come.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::convert::{at, maybe_at, ms, word};
use super::sight::Sight;
use super::{Context as _, Error};

/// One night of a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examination {
    pub merchant_id: i64,
    /// Of the merchant's own calendar.
    pub day: Date,
    pub began_at: Timestamp,
    /// None: it goes on.
    pub ended_at: Option<Timestamp>,
    /// How many orders Daftra was asked about.
    pub orders: i64,
    place: (i64, i64),
}

const COLUMNS: &str = "merchant_id, day, began_at, ended_at, orders, place_at, place_id";

type Columns = (i64, String, i64, Option<i64>, i64, (i64, i64));

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, (row.get(5)?, row.get(6)?)))
}

fn examination((merchant_id, day, began_at, ended_at, orders, place): Columns) -> Result<Examination, Error> {
    let day = word("read an examination", &day, day.parse().ok())?;
    Ok(Examination { merchant_id, day, began_at: at(began_at)?, ended_at: maybe_at(ended_at)?, orders, place })
}

/// The newest one of a merchant.
pub fn latest(c: &Connection, merchant_id: i64) -> Result<Option<Examination>, Error> {
    const READ: &str = "read an examination";
    let sql = format!("select {COLUMNS} from examination where merchant_id = ?1 order by day desc limit 1");
    let found = c.prepare_cached(&sql).during(READ)?.query_row([merchant_id], columns).optional().during(READ)?;
    found.map(examination).transpose()
}

/// A night begins; one that was not through ends with it.
pub fn begin(tx: &Transaction<'_>, merchant_id: i64, day: Date, now: Timestamp) -> Result<(), Error> {
    const BEGIN: &str = "begin an examination";
    tx.prepare_cached("update examination set ended_at = ?2 where merchant_id = ?1 and ended_at is null")
        .during(BEGIN)?
        .execute((merchant_id, ms(now)))
        .during(BEGIN)?;
    tx.prepare_cached("insert into examination (merchant_id, day, began_at) values (?1, ?2, ?3)")
        .during(BEGIN)?
        .execute((merchant_id, day.to_string(), ms(now)))
        .during(BEGIN)?;
    Ok(())
}

/// Orders to look at next, newest first: touched within a time before the night. Which of them have a document that exists
/// and that nobody is asked about.
pub fn next(
    tx: &Transaction<'_>,
    night: &Examination,
    reach: SignedDuration,
    limit: u32,
) -> Result<Vec<(i64, Timestamp, bool)>, Error> {
    const FIND: &str = "find orders to examine";
    let mut statement = tx
        .prepare_cached(
            "select o.id, o.state_at, exists (select 1 from document d where d.order_id = o.id
                 and d.state in ('posted', 'locked') and d.finding is null)
             from orders o indexed by orders_by_touch
             where o.merchant_id = ?1 and o.state_at >= ?2 and (o.state_at, o.id) < (?3, ?4)
             order by o.state_at desc, o.id desc limit ?5",
        )
        .during(FIND)?;
    let from = ms(night.began_at - reach);
    let (place_at, place_id) = if night.place == (0, 0) { (ms(night.began_at), 0) } else { night.place };
    let rows = statement
        .query_map((night.merchant_id, from, place_at, place_id, limit), |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?))
        })
        .during(FIND)?;
    rows.map(|row| {
        let (id, touched, has_document) = row.during(FIND)?;
        Ok((id, at(touched)?, has_document))
    })
    .collect()
}

/// So far it has come.
pub fn go_on(tx: &Transaction<'_>, night: &Examination, last: (i64, Timestamp), asked: usize) -> Result<(), Error> {
    const NOTE: &str = "note how far an examination has come";
    let (id, touched) = last;
    let orders = night.orders + i64::try_from(asked).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "update examination set place_at = ?3, place_id = ?4, orders = ?5 where merchant_id = ?1 and day = ?2",
    )
    .during(NOTE)?
    .execute((night.merchant_id, night.day.to_string(), ms(touched), id, orders))
    .during(NOTE)?;
    Ok(())
}

/// All were asked for.
pub fn end(tx: &Transaction<'_>, night: &Examination, now: Timestamp) -> Result<(), Error> {
    const END: &str = "end an examination";
    tx.prepare_cached("update examination set ended_at = ?3 where merchant_id = ?1 and day = ?2")
        .during(END)?
        .execute((night.merchant_id, night.day.to_string(), ms(now)))
        .during(END)?;
    Ok(())
}

impl Sight<'_> {
    /// When Daftra was last asked about all orders of a merchant, and about how many.
    pub fn examined(&self, merchant_id: i64) -> Result<Option<Examination>, Error> {
        self.allow(merchant_id)?;
        latest(self.connection(), merchant_id)
    }
}

//! The sync log: append-only, the story of every order in the operator's words.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, ms, to_json, word};
use super::{Context as _, Error};
use crate::domain::document::State;
use crate::domain::money::Currency;
use crate::domain::reason::Reason;

/// What happened, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// An invoice came into being.
    Success,
    /// It was replaced, or partly refunded.
    Updated,
    /// It was wholly refunded.
    Cancelled,
    Ignored,
    Failed,
    Held,
    Waiting,
    InDoubt,
    Duplicate,
    Test,
    Paused,
    Shadow,
}

impl Status {
    pub const ALL: [Self; 12] = [
        Self::Success,
        Self::Updated,
        Self::Cancelled,
        Self::Ignored,
        Self::Failed,
        Self::Held,
        Self::Waiting,
        Self::InDoubt,
        Self::Duplicate,
        Self::Test,
        Self::Paused,
        Self::Shadow,
    ];

    /// As it stands in the database and in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::InDoubt => "in_doubt",
            Self::Duplicate => "duplicate",
            Self::Test => "test",
            Self::Paused => "paused",
            Self::Shadow => "shadow",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == text)
    }
}

/// What a row is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub merchant_id: i64,
    pub order_id: Option<i64>,
    pub delivery_id: Option<i64>,
    pub document_id: Option<i64>,
}

impl About {
    /// A row about one order.
    #[must_use]
    pub fn order(merchant_id: i64, order_id: i64) -> Self {
        Self { merchant_id, order_id: Some(order_id), delivery_id: None, document_id: None }
    }
}

/// The facts of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facts {
    /// A document and what it changed to.
    Document {
        reference: String,
        number: Option<String>,
        state: State,
    },
    Reason(Reason),
    Topic(String),
}

/// Appends a row.
pub fn write(
    tx: &Transaction<'_>,
    status: Status,
    about: About,
    facts: Option<&Facts>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into sync_log (at, merchant_id, order_id, delivery_id, document_id, status, reason)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .during("write the sync log")?
    .execute((
        ms(now),
        about.merchant_id,
        about.order_id,
        about.delivery_id,
        about.document_id,
        status.word(),
        facts.map(to_json),
    ))
    .during("write the sync log")?;
    Ok(())
}

/// A row as pages show it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: i64,
    pub at: Timestamp,
    pub merchant: String,
    pub order_id: Option<i64>,
    pub order_name: String,
    pub status: Status,
    pub facts: Option<Facts>,
    /// Of the amounts in the facts, as long as the order's newest body is kept.
    pub currency: Option<Currency>,
}

/// Which rows a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub merchant_id: Option<i64>,
    pub status: Option<Status>,
    pub order_id: Option<i64>,
    /// Only rows older than this one: the next page.
    pub before: Option<i64>,
    /// Only rows newer than this one.
    pub after: Option<i64>,
    /// Of all that fit, the oldest are wanted: the page before, which ends at `after`.
    pub is_backwards: bool,
}

/// Rows, newest first.
pub fn list(c: &Connection, filter: Filter, limit: u32) -> Result<Vec<Entry>, Error> {
    const LIST: &str = "list the sync log";
    let mut conditions = vec!["l.id < ?1"];
    // Each filter that is set names an index; one that is not must not appear, or the plan would be a scan.
    let parts = [
        (filter.merchant_id.is_some(), "l.merchant_id = ?2"),
        (filter.status.is_some(), "l.status = ?3"),
        (filter.order_id.is_some(), "l.order_id = ?4"),
        (filter.after.is_some(), "l.id > ?5"),
    ];
    conditions.extend(parts.iter().filter(|(is_set, _)| *is_set).map(|(_, condition)| *condition));
    let sql = format!(
        "select l.id, l.at, m.slug, l.order_id, coalesce(o.name, ''), l.status, l.reason,
           iif(l.status = 'held', o.snapshot ->> '$.currency', null)
         from sync_log l join merchant m on m.id = l.merchant_id left join orders o on o.id = l.order_id
         where {} order by l.id {} limit ?6",
        conditions.join(" and "),
        if filter.is_backwards { "asc" } else { "desc" }
    );
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let before = filter.before.unwrap_or(i64::MAX);
    let status = filter.status.map(Status::word);
    let rows = statement
        .query_map((before, filter.merchant_id, status, filter.order_id, filter.after.unwrap_or(0), limit), |row| {
            Ok((
                (row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get::<_, Option<String>>(7)?),
                row.get::<_, i64>(1)?,
                row.get::<_, String>(5)?,
                row.get::<_, Option<String>>(6)?,
            ))
        })
        .during(LIST)?;
    let mut rows: Vec<Entry> = rows
        .map(|row| {
            let ((id, merchant, order_id, order_name, currency), when, status, facts) = row.during(LIST)?;
            let status = word(LIST, &status, Status::parse(&status))?;
            let facts = facts.map(|text| from_json(LIST, &text)).transpose()?;
            let currency = currency.as_deref().and_then(Currency::parse);
            Ok(Entry { id, at: at(when)?, merchant, order_id, order_name, status, facts, currency })
        })
        .collect::<Result<_, Error>>()?;
    if filter.is_backwards {
        rows.reverse();
    }
    Ok(rows)
}

/// The first row that was written at this time or later. Rows are written in the order of time, but for a clock that was
/// set back.
pub fn first_since(c: &Connection, time: Timestamp) -> Result<Option<i64>, Error> {
    c.prepare_cached("select id from sync_log where at >= ?1 order by at, id limit 1")
        .during("find a time in the sync log")?
        .query_row([ms(time)], |row| row.get(0))
        .optional()
        .during("find a time in the sync log")
}

/// All there ever was.
pub const EVER: (i64, i64) = (-1, -1);

/// How many rows of each status one merchant has, from one hour to another, both counted from 1970.
pub fn counts(c: &Connection, merchant_id: i64, hours: (i64, i64)) -> Result<Vec<(Status, i64)>, Error> {
    const COUNT: &str = "count rows of the sync log";
    let mut statement = c
        .prepare_cached(
            "select status, sum(count) from happening where merchant_id = ?1 and hour between ?2 and ?3 group by status",
        )
        .during(COUNT)?;
    let rows = statement
        .query_map((merchant_id, hours.0, hours.1), |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .during(COUNT)?;
    rows.map(|row| {
        let (status, count) = row.during(COUNT)?;
        Ok((word(COUNT, &status, Status::parse(&status))?, count))
    })
    .collect()
}

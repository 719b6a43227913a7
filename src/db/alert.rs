//! Alerts: one open row per cause and subject, counted, written by the step that knows the cause.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::convert::{at, ms};
use super::{Context as _, Error};

/// What an operator must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A merchant's key or address does not work.
    Trouble,
    /// A Daftra account does not answer.
    Outage,
    /// An order was given up.
    Failed,
    /// A body could not be read.
    Unreadable,
    /// A merchant's payments name what the account does not have.
    Payments,
}

impl Cause {
    fn word(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Outage => "outage",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
            Self::Payments => "payments",
        }
    }
}

/// Opens an alert, or counts it once more.
pub fn raise(
    tx: &Transaction<'_>,
    cause: Cause,
    subject: &str,
    merchant_id: Option<i64>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into alert (cause, subject, merchant_id, opened_at, seen_at) values (?1, ?2, ?3, ?4, ?4)
         on conflict (cause, subject) where closed_at is null do update set count = count + 1, seen_at = excluded.seen_at",
    )
    .during("raise an alert")?
    .execute((cause.word(), subject, merchant_id, ms(now)))
    .during("raise an alert")?;
    Ok(())
}

/// The cause is gone.
pub fn close(tx: &Transaction<'_>, cause: Cause, subject: &str, now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached("update alert set closed_at = ?3 where cause = ?1 and subject = ?2 and closed_at is null")
        .during("close an alert")?
        .execute((cause.word(), subject, ms(now)))
        .during("close an alert")?;
    Ok(())
}

/// These are a merchant's alerts of one cause now: the others are closed.
pub fn set(
    tx: &Transaction<'_>,
    cause: Cause,
    merchant_id: i64,
    subjects: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Error> {
    const OPEN: &str = "read a merchant's open alerts";
    let mut statement = tx
        .prepare_cached("select subject from alert where cause = ?1 and merchant_id = ?2 and closed_at is null")
        .during(OPEN)?;
    let rows = statement.query_map((cause.word(), merchant_id), |row| row.get::<_, String>(0)).during(OPEN)?;
    for subject in rows {
        let subject = subject.during(OPEN)?;
        if !subjects.contains(&subject) {
            close(tx, cause, &subject, now)?;
        }
    }
    subjects.iter().try_for_each(|subject| raise(tx, cause, subject, Some(merchant_id), now))
}

/// An alert as pages show it.
#[derive(Clone, Debug)]
pub struct Alert {
    pub cause: String,
    pub subject: String,
    /// None: it is about an account or the server.
    pub merchant_id: Option<i64>,
    pub count: i64,
    pub opened_at: Timestamp,
    pub seen_at: Timestamp,
}

/// The open alerts, newest first.
pub fn open(c: &Connection) -> Result<Vec<Alert>, Error> {
    const LIST: &str = "list open alerts";
    let mut statement = c
        .prepare_cached(
            "select cause, subject, count, opened_at, seen_at, merchant_id from alert where closed_at is null
             order by seen_at desc",
        )
        .during(LIST)?;
    let rows = statement
        .query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?, row.get(5)?))
        })
        .during(LIST)?;
    rows.map(|row| {
        let (cause, subject, count, opened_at, seen_at, merchant_id) = row.during(LIST)?;
        Ok(Alert { cause, subject, merchant_id, count, opened_at: at(opened_at)?, seen_at: at(seen_at)? })
    })
    .collect()
}

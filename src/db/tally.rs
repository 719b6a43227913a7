//! Counters of what strangers do: one row per ten minutes, so nobody can fill the disk by trying.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction};

use super::convert::ms;
use super::{Context as _, Error};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A wrong password.
    Login,
    /// A vendor that belongs to nobody; counted once and for all.
    UnownedVendor,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::UnownedVendor => "unowned_vendor",
        }
    }

    fn window(self, now: Timestamp) -> i64 {
        const WINDOW: SignedDuration = SignedDuration::from_mins(10);
        match self {
            Self::Login => {
                let window = i64::try_from(WINDOW.as_millis()).unwrap_or(i64::MAX);
                ms(now).div_euclid(window) * window
            }
            Self::UnownedVendor => 0,
        }
    }
}

/// Counts one.
pub fn count(tx: &Transaction<'_>, kind: Kind, subject: &str, now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into tally (kind, subject, window_at) values (?1, ?2, ?3)
         on conflict (kind, subject, window_at) do update set count = count + 1",
    )
    .during("count")?
    .execute((kind.word(), subject, kind.window(now)))
    .during("count")?;
    Ok(())
}

/// Everything counted of a kind, the largest first.
pub fn all(c: &Connection, kind: Kind) -> Result<Vec<(String, i64)>, Error> {
    const LIST: &str = "list counters";
    let mut statement = c
        .prepare_cached(
            "select subject, sum(count) from tally where kind = ?1 group by subject order by 2 desc limit 100",
        )
        .during(LIST)?;
    let rows = statement.query_map([kind.word()], |row| Ok((row.get(0)?, row.get(1)?))).during(LIST)?;
    rows.map(|row| row.during(LIST)).collect()
}

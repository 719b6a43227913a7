//! What people did: append-only, each row sealing the one before.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::convert::{at, from_json, ms};
use super::{Context as _, Error};

/// Appends what somebody did. `user_id` is empty for the command line; `facts` says how it came.
pub fn write(
    tx: &Transaction<'_>,
    user_id: Option<i64>,
    action: &str,
    facts: &Value,
    now: Timestamp,
) -> Result<(), Error> {
    let previous: Vec<u8> = tx
        .query_row("select hash from audit order by id desc limit 1", [], |row| row.get(0))
        .optional()
        .during("read the head of the audit")?
        .unwrap_or_default();
    let facts = facts.to_string();
    let hash = seal(&previous, ms(now), user_id, action, &facts);
    tx.execute(
        "insert into audit (at, user_id, action, facts, previous, hash) values (?1, ?2, ?3, ?4, ?5, ?6)",
        (ms(now), user_id, action, facts, previous, hash),
    )
    .during("write the audit")?;
    Ok(())
}

fn seal(previous: &[u8], at_ms: i64, user_id: Option<i64>, action: &str, facts: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [previous, &at_ms.to_be_bytes(), &user_id.unwrap_or(0).to_be_bytes()] {
        hash.update(part);
    }
    for text in [action, facts] {
        // The length first, so that no two rows can be read as each other.
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    hash.finalize().to_vec()
}

/// The first row that does not seal the one before it, or is not what was sealed. That the newest rows were cut off
/// cannot be seen from inside.
pub fn first_broken(c: &Connection) -> Result<Option<i64>, Error> {
    const READ: &str = "check the audit";
    let mut statement =
        c.prepare("select id, at, user_id, action, facts, previous, hash from audit order by id").during(READ)?;
    let mut rows = statement.query([]).during(READ)?;
    let mut head = Vec::new();
    while let Some(row) = rows.next().during(READ)? {
        let read = || {
            let (action, facts): (String, String) = (row.get(3)?, row.get(4)?);
            let (previous, hash): (Vec<u8>, Vec<u8>) = (row.get(5)?, row.get(6)?);
            Ok((seal(&previous, row.get(1)?, row.get(2)?, &action, &facts), previous, hash))
        };
        let (sealed, previous, hash) = read().during(READ)?;
        if previous != head || hash != sealed {
            return row.get(0).map(Some).during(READ);
        }
        head = hash;
    }
    Ok(None)
}

/// A row as pages show it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: i64,
    pub at: Timestamp,
    /// None: at the command line.
    pub user: Option<String>,
    pub action: String,
    pub facts: Value,
}

/// Rows older than one, newest first.
pub fn list(c: &Connection, before: Option<i64>, limit: u32) -> Result<Vec<Entry>, Error> {
    const LIST: &str = "list the audit";
    let mut statement = c
        .prepare_cached(
            "select a.id, a.at, u.name, a.action, a.facts from audit a left join user u on u.id = a.user_id
             where a.id < ?1 order by a.id desc limit ?2",
        )
        .during(LIST)?;
    let rows = statement
        .query_map((before.unwrap_or(i64::MAX), limit), |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?, row.get::<_, String>(4)?))
        })
        .during(LIST)?;
    rows.map(|row| {
        let (id, when, user, action, facts) = row.during(LIST)?;
        Ok(Entry { id, at: at(when)?, user, action, facts: from_json(LIST, &facts)? })
    })
    .collect()
}

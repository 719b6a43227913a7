//! What people did: append-only, each row sealing the one before.

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction};
use sha2::{Digest as _, Sha256};

use super::convert::ms;
use super::{Context as _, Error};

/// Appends what somebody did. `user_id` is empty for the command line; `facts` says how it came.
pub fn write(
    tx: &Transaction<'_>,
    user_id: Option<i64>,
    action: &str,
    facts: &serde_json::Value,
    now: Timestamp,
) -> Result<(), Error> {
    let previous: Vec<u8> = tx
        .query_row("select hash from audit order by id desc limit 1", [], |row| row.get(0))
        .optional()
        .during("read the head of the audit")?
        .unwrap_or_default();
    let facts = facts.to_string();
    let mut hash = Sha256::new();
    for part in [previous.as_slice(), &ms(now).to_be_bytes(), &user_id.unwrap_or(0).to_be_bytes()] {
        hash.update(part);
    }
    for text in [action, &facts] {
        // The length first, so that no two rows can be read as each other.
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    tx.execute(
        "insert into audit (at, user_id, action, facts, previous, hash) values (?1, ?2, ?3, ?4, ?5, ?6)",
        (ms(now), user_id, action, facts, previous, hash.finalize().to_vec()),
    )
    .during("write the audit")?;
    Ok(())
}

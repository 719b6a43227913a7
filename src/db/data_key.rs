//! The data key that seals bodies and buyers, itself sealed by the master key.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::convert::ms;
use super::{Context as _, Error};

/// The key in use: the id its seal is bound to, and the seal.
pub fn newest(c: &Connection) -> Result<Option<(i64, Vec<u8>)>, Error> {
    c.query_row("select id, sealed from data_key order by id desc limit 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .during("read the data key")
}

/// Keeps the first key of a database, under the id it was sealed for. A `Unique` constraint error if there is one.
pub fn add(tx: &Transaction<'_>, id: i64, sealed: &[u8], now: Timestamp) -> Result<(), Error> {
    tx.execute("insert into data_key (id, sealed, created_at) values (?1, ?2, ?3)", (id, sealed, ms(now)))
        .during("store the data key")?;
    Ok(())
}

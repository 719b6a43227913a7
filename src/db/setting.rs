//! Single values: the heartbeat and what follows from its silence, and how backups go.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::convert::{at, ms};
use super::{Context as _, Error};

/// When this program last said that it lives.
pub const HEARTBEAT: &str = "heartbeat_at";
/// Sources older than this may have been sent by another life of this database: look before sending.
pub const LOOK_FIRST_BEFORE: &str = "look_first_before";
/// When a backup was last made by itself, and found good.
pub const BACKUP_OK: &str = "backup_ok_at";
/// When making one last failed.
pub const BACKUP_FAILED: &str = "backup_failed_at";

/// Since when mails are on; not there while they are off.
pub const MAILS_SINCE: &str = "mails_since";

/// A time that was set.
pub fn time(c: &Connection, key: &str) -> Result<Option<Timestamp>, Error> {
    c.prepare_cached("select value ->> '$' from setting where key = ?1")
        .during("read a setting")?
        .query_row([key], |row| row.get::<_, i64>(0))
        .optional()
        .during("read a setting")?
        .map(at)
        .transpose()
}

/// Sets a time.
pub fn set_time(tx: &Transaction<'_>, key: &str, value: Timestamp) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into setting (key, value) values (?1, ?2) on conflict (key) do update set value = excluded.value",
    )
    .during("write a setting")?
    .execute((key, ms(value).to_string()))
    .during("write a setting")?;
    Ok(())
}

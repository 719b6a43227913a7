//! Daftra accounts: one row per address. Pace, breaker and fairness live here.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::convert::{at, ms};
use super::{Context as _, Error};

/// One Daftra address and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: i64,
    /// Scheme, host, port, path prefix.
    pub address: String,
    /// What `site_info` called the account; another one at the same address stops everything.
    pub site_id: Option<String>,
    pub currency: Option<String>,
    pub decimals: Option<u32>,
    pub not_before: Timestamp,
}

const COLUMNS: &str = "id, address, site_id, currency, decimals, not_before";

fn from_row(row: &Row<'_>) -> rusqlite::Result<(Account, i64)> {
    let account = Account {
        id: row.get(0)?,
        address: row.get(1)?,
        site_id: row.get(2)?,
        currency: row.get(3)?,
        decimals: row.get(4)?,
        not_before: Timestamp::UNIX_EPOCH,
    };
    Ok((account, row.get(5)?))
}

/// The account of an id.
pub fn get(c: &Connection, id: i64) -> Result<Account, Error> {
    let sql = format!("select {COLUMNS} from account where id = ?1");
    let mut statement = c.prepare_cached(&sql).during("read an account")?;
    let (account, not_before) = statement.query_row([id], from_row).during("read an account")?;
    Ok(Account { not_before: at(not_before)?, ..account })
}

/// All accounts, by id.
pub fn all(c: &Connection) -> Result<Vec<Account>, Error> {
    const LIST: &str = "list accounts";
    let mut statement = c.prepare_cached(&format!("select {COLUMNS} from account order by id")).during(LIST)?;
    let rows = statement.query_map([], from_row).during(LIST)?;
    rows.map(|row| {
        let (account, not_before) = row.during(LIST)?;
        Ok(Account { not_before: at(not_before)?, ..account })
    })
    .collect()
}

/// The account of an address, made when it is new.
pub fn at_address(tx: &Transaction<'_>, address: &str) -> Result<i64, Error> {
    let known = tx
        .query_row("select id from account where address = ?1", [address], |row| row.get(0))
        .optional()
        .during("find an account")?;
    if let Some(id) = known {
        return Ok(id);
    }
    tx.execute("insert into account (address) values (?1)", [address]).during("add an account")?;
    Ok(tx.last_insert_rowid())
}

/// What `site_info` said.
pub fn introduce(
    tx: &Transaction<'_>,
    id: i64,
    site_id: &str,
    currency: Option<&str>,
    decimals: Option<u32>,
) -> Result<(), Error> {
    tx.execute(
        "update account set site_id = coalesce(site_id, ?2), currency = ?3, decimals = ?4 where id = ?1",
        (id, site_id, currency, decimals),
    )
    .during("note what an account says of itself")?;
    Ok(())
}

/// Nobody calls this account before a time; a later pause is not shortened.
pub fn pause(tx: &Transaction<'_>, id: i64, until: Timestamp) -> Result<(), Error> {
    tx.execute("update account set not_before = max(not_before, ?2) where id = ?1", (id, ms(until)))
        .during("pause an account")?;
    Ok(())
}

//! What people decided about single orders.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::convert::{at, ms, word};
use super::{Context as _, Error};
use crate::domain::ruling::Ruling;

/// Writes a ruling down, with what was known of the order when it was made.
pub fn add(
    tx: &Transaction<'_>,
    order_id: i64,
    ruling: Ruling,
    note: &str,
    user_id: Option<i64>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into ruling (order_id, document_id, kind, version_at, facts, at, user_id, note)
         select id, ?2, ?3, version_at, (select count(*) from fact where order_id = orders.id), ?4, ?5, ?6
         from orders where id = ?1",
    )
    .during("write a ruling")?
    .execute((order_id, ruling.document(), ruling.word(), ms(now), user_id, note))
    .during("write a ruling")?;
    Ok(())
}

/// The rulings that count for the order as it is now: those that end with the next change only if nothing changed.
pub fn in_force(c: &Connection, order_id: i64) -> Result<BTreeSet<Ruling>, Error> {
    const READ: &str = "read an order's rulings";
    let mut statement = c
        .prepare_cached(
            "select r.kind, r.document_id from ruling r join orders o on o.id = r.order_id
             where r.order_id = ?1
               and (r.kind in ('import', 'new_invoice')
                    or r.version_at = o.version_at and r.facts = (select count(*) from fact where order_id = ?1))",
        )
        .during(READ)?;
    let rows = statement.query_map([order_id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).during(READ)?;
    rows.map(|row| {
        let (kind, document) = row.during(READ)?;
        word(READ, &kind, Ruling::parse(&kind, document))
    })
    .collect()
}

/// Ends the rulings that would end with the next change of the order: a person wants it looked at again.
pub fn lift(tx: &Transaction<'_>, order_id: i64) -> Result<(), Error> {
    tx.prepare_cached(
        "update ruling set version_at = -1 where order_id = ?1 and kind in ('dismiss', 'leave', 'rewrite')",
    )
    .during("lift an order's rulings")?
    .execute([order_id])
    .during("lift an order's rulings")?;
    Ok(())
}

/// What was to be done once is begun.
pub fn fulfil(tx: &Transaction<'_>, ruling: Ruling) -> Result<(), Error> {
    const END: &str = "end a ruling";
    let Some(document_id) = ruling.document() else { return Ok(()) };
    tx.prepare_cached(
        "update ruling set version_at = -1
         where order_id = (select order_id from document where id = ?1) and document_id = ?1 and kind = ?2",
    )
    .during(END)?
    .execute((document_id, ruling.word()))
    .during(END)?;
    Ok(())
}

/// A ruling as the order's story shows it.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What was decided.
    pub ruling: Ruling,
    /// When.
    pub at: Timestamp,
    /// Who; none for the command line.
    pub user: Option<String>,
    /// Why.
    pub note: String,
}

/// Every ruling on an order, oldest first.
pub fn of_order(c: &Connection, order_id: i64) -> Result<Vec<Overview>, Error> {
    const LIST: &str = "list an order's rulings";
    let mut statement = c
        .prepare_cached(
            "select r.kind, r.document_id, r.at, u.name, r.note from ruling r left join user u on u.id = r.user_id
             where r.order_id = ?1 order by r.id",
        )
        .during(LIST)?;
    let rows = statement
        .query_map([order_id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .during(LIST)?;
    rows.map(|row| {
        let (kind, document, when, user, note) = row.during(LIST)?;
        let ruling = word(LIST, &kind, Ruling::parse(&kind, document))?;
        Ok(Overview { ruling, at: at(when)?, user, note })
    })
    .collect()
}

//! Leaving: all that is kept of a merchant, for whoever takes it along; and taking it away, some time after the merchant was
//! closed.
//!
//! What goes, goes order by order, each with all that hangs on it, so a step is small and a crash between two of them leaves
//! whole orders. What stays: the merchant's own row, so that its address and its references are never another's; what people
//! did; and what was asked for in the name of customers.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction};
use serde_json::{Map, Value};

use super::convert::ms;
use super::{Context as _, Error};

/// What a merchant takes along: the name of each file, and its rows. Sealed bodies, secrets and what was exchanged with Daftra
/// are not among it; what is JSON in a column is JSON in the file.
const FILES: [(&str, &str); 14] = [
    (
        "merchant",
        "select slug, name, shop_domain, time_zone, mode, live_from, rules, created_at, closed_at from merchant where id = ?1",
    ),
    (
        "orders",
        "select id, remote_id as shop_order_id, name, state, state_at, reason, snapshot, trace, placed_at, created_at, redacted_at
         from orders where merchant_id = ?1 order by id",
    ),
    (
        "statements",
        "select s.day, s.drawn_at, s.missing, a.order_id, a.class
         from statement s left join accounted a on a.statement_id = s.id where s.merchant_id = ?1 order by s.day, a.order_id",
    ),
    (
        "facts",
        "select f.order_id, f.kind, f.remote_id, f.body, f.seen_at from orders o cross join fact f on f.order_id = o.id
         where o.merchant_id = ?1 order by f.order_id, f.kind, f.remote_id",
    ),
    (
        "documents",
        "select d.id, d.order_id, d.parent_id, d.kind, d.source_key, d.reference, d.state, d.since_at, d.remote_id as daftra_id,
           d.remote_no as daftra_number, d.total_minor, d.currency, d.content
         from orders o cross join document d on d.order_id = o.id where o.merchant_id = ?1 order by d.id",
    ),
    (
        "rulings",
        "select r.order_id, r.document_id, r.kind, r.at, r.note from orders o cross join ruling r on r.order_id = o.id
         where o.merchant_id = ?1 order by r.id",
    ),
    (
        "calls",
        "select a.order_id, a.document_id, a.action, a.started_at, a.ended_at, a.outcome, a.status, a.remote_id as daftra_id, a.detail
         from orders o cross join attempt a on a.order_id = o.id where o.merchant_id = ?1 order by a.id",
    ),
    (
        "deliveries",
        "select id, order_id, topic, event_key, sent_at, received_at, repeats, fate from delivery where merchant_id = ?1 order by id",
    ),
    (
        "mails",
        "select order_id, kind, state, state_at, failures, doubts, message_id, created_at
         from mail where merchant_id = ?1 order by id",
    ),
    ("mapping", "select code, product_id, note from mapping where merchant_id = ?1 order by code"),
    ("documents_of_others", "select order_id, remote_id as daftra_id, remote_no as daftra_number, total, state, seen_at from namesake where merchant_id = ?1 order by id"),
    ("variants", "select remote_id as variant, barcode, sku, title, outcome from variant where merchant_id = ?1 order by remote_id"),
    (
        "log",
        "select at, order_id, delivery_id, document_id, status, reason from sync_log where merchant_id = ?1 order by id",
    ),
    (
        "history",
        "select a.at, u.name as user, a.action, a.facts
         from audit a left join user u on u.id = a.user_id cross join merchant m on m.id = ?1
         where a.facts ->> '$.merchant' = m.slug order by a.id",
    ),
];

/// The names of the files, and the columns of each.
pub fn files(c: &Connection) -> Result<Vec<(&'static str, Vec<String>)>, Error> {
    FILES
        .into_iter()
        .map(|(name, sql)| {
            let statement = c.prepare(sql).during("prepare what a merchant takes along")?;
            Ok((name, statement.column_names().map(str::to_owned).collect()))
        })
        .collect()
}

/// Hands every row of one file over, one after the other, so that no file must fit into the memory.
pub fn rows<E: From<Error>>(
    c: &Connection,
    merchant_id: i64,
    file: &str,
    mut take: impl FnMut(&Map<String, Value>) -> Result<(), E>,
) -> Result<(), E> {
    const READ: &str = "read what a merchant takes along";
    let Some((_, sql)) = FILES.into_iter().find(|(name, _)| *name == file) else { return Ok(()) };
    let mut statement = c.prepare(sql).during(READ)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([merchant_id]).during(READ)?;
    while let Some(row) = rows.next().during(READ)? {
        let mut told = Map::new();
        for (at, name) in names.iter().enumerate() {
            told.insert(name.clone(), value(name, row.get_ref(at).during(READ)?));
        }
        take(&told)?;
    }
    Ok(())
}

/// Columns whose text is JSON.
const JSON: [&str; 8] = ["rules", "reason", "snapshot", "trace", "body", "content", "facts", "missing"];

fn value(name: &str, found: ValueRef<'_>) -> Value {
    match found {
        // No column of bytes is taken along, and none holds an inexact number.
        ValueRef::Null | ValueRef::Blob(_) | ValueRef::Real(_) => Value::Null,
        ValueRef::Integer(at) if name == "at" || name.ends_with("_at") || name == "live_from" => {
            Timestamp::from_millisecond(at).map_or(at.into(), |at| at.to_string().into())
        }
        ValueRef::Integer(number) => number.into(),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let parsed = JSON.contains(&name).then(|| serde_json::from_str(&text).ok()).flatten();
            parsed.unwrap_or_else(|| text.into_owned().into())
        }
    }
}

/// Notes when a merchant was closed, from which on its time runs.
pub fn closed(tx: &Transaction<'_>, merchant_id: i64, now: Timestamp) -> Result<(), Error> {
    note(tx, "update merchant set closed_at = ?2 where id = ?1 and closed_at is null", (merchant_id, ms(now)))
}

/// It is there again.
pub fn opened(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), Error> {
    note(tx, "update merchant set closed_at = null where id = ?1", [merchant_id])
}

fn note(tx: &Transaction<'_>, sql: &str, values: impl rusqlite::Params) -> Result<(), Error> {
    const NOTE: &str = "note when a merchant was closed";
    tx.prepare_cached(sql).during(NOTE)?.execute(values).during(NOTE)?;
    Ok(())
}

/// When a merchant was closed, and when what it had was taken away.
pub fn times(c: &Connection, merchant_id: i64) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
    const ASK: &str = "ask when a merchant was closed";
    let (closed, purged): (Option<i64>, Option<i64>) = c
        .prepare_cached("select closed_at, purged_at from merchant where id = ?1")
        .during(ASK)?
        .query_row([merchant_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .during(ASK)?;
    Ok((super::convert::maybe_at(closed)?, super::convert::maybe_at(purged)?))
}

/// Merchants that were closed before a time and still have something.
pub fn due(c: &Connection, before: Timestamp) -> Result<Vec<i64>, Error> {
    const ASK: &str = "ask who was closed long ago";
    let mut statement = c
        .prepare_cached(
            "select id from merchant where mode = 'closed' and coalesce(purged_at, 0) = 0 and closed_at <= ?1 order by closed_at, id",
        )
        .during(ASK)?;
    let rows = statement.query_map([ms(before)], |row| row.get(0)).during(ASK)?;
    rows.map(|row| row.during(ASK)).collect()
}

/// What hangs on an order, each before what it hangs on.
const OF_ORDER: [&str; 14] = [
    "delete from mail_news where order_id = ?1",
    "delete from mail where order_id = ?1",
    "delete from reduction where order_id = ?1",
    "delete from ruling where order_id = ?1",
    "delete from attempt where order_id = ?1",
    "delete from sync_log where order_id = ?1",
    "delete from document where order_id = ?1 and parent_id in (select id from document where order_id = ?1 and parent_id is not null)",
    "delete from document where order_id = ?1 and parent_id is not null",
    "delete from document where order_id = ?1",
    "delete from namesake where order_id = ?1",
    "delete from fact where order_id = ?1",
    "delete from delivery where order_id = ?1",
    "delete from job where kind = 'order' and subject = ?1",
    "delete from orders where id = ?1",
];

/// What a merchant has beside its orders, a few rows at a time.
const OF_MERCHANT: [&str; 23] = [
    "delete from mail where id in (select id from mail where merchant_id = ?1 limit ?2)",
    "delete from mail_recipient where id in (select id from mail_recipient where merchant_id = ?1 limit ?2)",
    "delete from mail_wording where (merchant_id, kind, language) in (
       select merchant_id, kind, language from mail_wording where merchant_id = ?1 limit ?2)",
    "delete from delivery where id in (select id from delivery where merchant_id = ?1 limit ?2)",
    "delete from sync_log where id in (select id from sync_log where merchant_id = ?1 limit ?2)",
    "delete from order_sku where (merchant_id, sku, order_id) in (
       select merchant_id, sku, order_id from order_sku where merchant_id = ?1 limit ?2)",
    "delete from standing where (merchant_id, hour, state) in (
       select merchant_id, hour, state from standing where merchant_id = ?1 limit ?2)",
    "delete from happening where (merchant_id, hour, status) in (
       select merchant_id, hour, status from happening where merchant_id = ?1 limit ?2)",
    "delete from pace where (merchant_id, hour, within) in (
       select merchant_id, hour, within from pace where merchant_id = ?1 limit ?2)",
    "delete from shop_api where merchant_id in (select merchant_id from shop_api where merchant_id = ?1 limit ?2)",
    "delete from accounted where (statement_id, order_id) in (
       select statement_id, order_id from accounted
       where statement_id in (select id from statement where merchant_id = ?1) limit ?2)",
    "delete from statement where id in (select id from statement where merchant_id = ?1 limit ?2)",
    "delete from examination where (merchant_id, day) in (select merchant_id, day from examination where merchant_id = ?1 limit ?2)",
    "delete from product where id in (select id from product where merchant_id = ?1 limit ?2)",
    "delete from product_miss where (merchant_id, code) in (select merchant_id, code from product_miss where merchant_id = ?1 limit ?2)",
    "delete from cut_over where merchant_id in (select merchant_id from cut_over where merchant_id = ?1 limit ?2)",
    "delete from variant where (merchant_id, remote_id) in (select merchant_id, remote_id from variant where merchant_id = ?1 limit ?2)",
    "delete from coverage where merchant_id in (select merchant_id from coverage where merchant_id = ?1 limit ?2)",
    "delete from mapping where (merchant_id, code) in (select merchant_id, code from mapping where merchant_id = ?1 limit ?2)",
    "delete from credential where id in (select id from credential where merchant_id = ?1 limit ?2)",
    "delete from rejection where (merchant_id, hour, reason) in (
       select merchant_id, hour, reason from rejection where merchant_id = ?1 limit ?2)",
    "delete from alert where id in (select id from alert where merchant_id = ?1 limit ?2)",
    "delete from job where id in (select id from job where kind <> 'order' and merchant_id = ?1 limit ?2)",
];

/// Takes away so many orders of a merchant, or rows beside them once there are no more. False: nothing was left, and the
/// merchant is a name only.
pub fn purge(
    tx: &Transaction<'_>,
    merchant_id: i64,
    before: Timestamp,
    limit: u32,
    now: Timestamp,
) -> Result<bool, Error> {
    const TAKE: &str = "take away what a closed merchant had";
    // Somebody may have opened it since it was found.
    if !due(tx, before)?.contains(&merchant_id) {
        return Ok(false);
    }
    // From the first row on there is no way back.
    tx.prepare_cached("update merchant set purged_at = 0 where id = ?1")
        .during(TAKE)?
        .execute([merchant_id])
        .during(TAKE)?;
    let mut statement =
        tx.prepare_cached("select id from orders where merchant_id = ?1 order by id limit ?2").during(TAKE)?;
    let orders = statement.query_map((merchant_id, limit), |row| row.get::<_, i64>(0)).during(TAKE)?;
    let orders = orders.collect::<rusqlite::Result<Vec<_>>>().during(TAKE)?;
    for order in &orders {
        for sql in OF_ORDER {
            tx.prepare_cached(sql).during(TAKE)?.execute([order]).during(TAKE)?;
        }
    }
    if !orders.is_empty() {
        return Ok(true);
    }
    for sql in OF_MERCHANT {
        if tx.prepare_cached(sql).during(TAKE)?.execute((merchant_id, limit)).during(TAKE)? > 0 {
            return Ok(true);
        }
    }
    tx.prepare_cached("update merchant set purged_at = ?2, trouble = null, uninstalled_at = null where id = ?1")
        .during(TAKE)?
        .execute((merchant_id, ms(now)))
        .during(TAKE)?;
    Ok(false)
}

//! Documents in Daftra that name orders of a merchant and were not made by us, and what a person decided about them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::{Context as _, Error};
use crate::domain::namesake::Fault;

/// What is decided about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing yet, or it could not be done.
    Open,
    /// It is to be the order's invoice; the next look at the order does it.
    Adopting,
    /// It is the order's invoice.
    Adopted,
    /// It is none of ours.
    Dismissed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Adopting, Self::Adopted, Self::Dismissed];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Adopting => "adopting",
            Self::Adopted => "adopted",
            Self::Dismissed => "dismissed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A document of somebody else that names an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namesake {
    pub id: i64,
    pub merchant_id: i64,
    pub order_id: i64,
    /// As the shop calls the order.
    pub order_name: String,
    /// Daftra's id.
    pub remote_id: i64,
    /// The number people see.
    pub remote_no: Option<String>,
    /// As Daftra prints it, with the currency; empty while nobody looked.
    pub total: String,
    pub state: State,
    /// Why it could not be adopted.
    pub fault: Option<Fault>,
    pub seen_at: Timestamp,
}

pub(super) const NAMESAKE: &str =
    "select n.id, n.merchant_id, n.order_id, o.name, n.remote_id, n.remote_no, n.total, n.state, n.fault, n.seen_at
  from namesake n join orders o on o.id = n.order_id";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Namesake, Error>> {
    const READ: &str = "read a document of somebody else";
    let (id, merchant_id, order_id, order_name) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let (remote_id, remote_no, total, state): (_, _, _, String) = (row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
    let (fault, seen_at): (Option<String>, i64) = (row.get(8)?, row.get(9)?);
    let build = || {
        let state = word(READ, &state, State::parse(&state))?;
        let fault = fault.map(|fault| from_json(READ, &fault)).transpose()?;
        let seen_at = at(seen_at)?;
        Ok(Namesake { id, merchant_id, order_id, order_name, remote_id, remote_no, total, state, fault, seen_at })
    };
    Ok(build())
}

/// What a look found.
#[derive(Clone, Debug)]
pub struct Found {
    pub order_id: i64,
    pub remote_id: i64,
    pub remote_no: Option<String>,
    /// As Daftra prints it, with the currency.
    pub total: String,
}

/// Keeps what a look found; what was decided stays decided. What waits for a decision waits for the order that it names, not
/// for the one that somebody took for it.
pub fn keep(
    tx: &Transaction<'_>,
    merchant_id: i64,
    account_id: i64,
    found: &Found,
    now: Timestamp,
) -> Result<(), Error> {
    const KEEP: &str = "keep a document of somebody else";
    tx.prepare_cached(
        "insert into namesake (merchant_id, order_id, account_id, remote_id, remote_no, total, state, seen_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7)
         on conflict (account_id, remote_id) do update set
           remote_no = excluded.remote_no, total = excluded.total, seen_at = excluded.seen_at,
           order_id = iif(state = 'open' and merchant_id = excluded.merchant_id, excluded.order_id, order_id),
           fault = iif(order_id = excluded.order_id, fault, null)",
    )
    .during(KEEP)?
    .execute((merchant_id, found.order_id, account_id, found.remote_id, &found.remote_no, &found.total, ms(now)))
    .during(KEEP)?;
    Ok(())
}

/// A person wants this document to be the order's invoice. False: it names another order and nobody has dismissed it there,
/// or it is adopted or being adopted.
pub fn want(
    tx: &Transaction<'_>,
    (merchant_id, account_id): (i64, i64),
    order_id: i64,
    remote_id: i64,
    now: Timestamp,
) -> Result<bool, Error> {
    const WANT: &str = "want a document of somebody else";
    let changed = tx
        .prepare_cached(
            "insert into namesake (merchant_id, order_id, account_id, remote_id, state, seen_at)
             values (?1, ?2, ?3, ?4, 'adopting', ?5)
             on conflict (account_id, remote_id) do update set state = 'adopting', fault = null, order_id = excluded.order_id
             where merchant_id = excluded.merchant_id
               and (state = 'dismissed' or state = 'open' and order_id = excluded.order_id)",
        )
        .during(WANT)?
        .execute((merchant_id, order_id, account_id, remote_id, ms(now)))
        .during(WANT)?;
    Ok(changed > 0)
}

/// The order for which a document waits for a decision.
pub fn disputing(c: &Connection, account_id: i64, remote_id: i64) -> Result<Option<i64>, Error> {
    const ASK: &str = "ask which order a document of others names";
    c.prepare_cached("select order_id from namesake where account_id = ?1 and remote_id = ?2 and state = 'open'")
        .during(ASK)?
        .query_row((account_id, remote_id), |row| row.get(0))
        .optional()
        .during(ASK)
}

/// Whether what the shop says of an order is known: without it nothing can be compared.
pub fn has_snapshot(c: &Connection, order_id: i64) -> Result<bool, Error> {
    const ASK: &str = "ask whether an order is known as a whole";
    c.prepare_cached("select snapshot is not null from orders where id = ?1")
        .during(ASK)?
        .query_row([order_id], |row| row.get(0))
        .during(ASK)
}

/// It is none of ours. The order that it names; `None`: nothing is to be decided about it.
pub fn dismiss(tx: &Transaction<'_>, merchant_id: i64, remote_id: i64) -> Result<Option<i64>, Error> {
    const DISMISS: &str = "dismiss a document of somebody else";
    tx.prepare_cached(
        "update namesake set state = 'dismissed', fault = null
         where merchant_id = ?1 and remote_id = ?2 and state in ('open', 'adopting') returning order_id",
    )
    .during(DISMISS)?
    .query_row((merchant_id, remote_id), |row| row.get(0))
    .optional()
    .during(DISMISS)
}

/// How an adoption ended. False: a person has decided otherwise meanwhile.
pub fn end(tx: &Transaction<'_>, id: i64, fault: Option<&Fault>) -> Result<bool, Error> {
    const END: &str = "end an adoption";
    let state = if fault.is_some() { State::Open } else { State::Adopted };
    let changed = tx
        .prepare_cached("update namesake set state = ?2, fault = ?3 where id = ?1 and state = 'adopting'")
        .during(END)?
        .execute((id, state.word(), fault.map(to_json)))
        .during(END)?;
    Ok(changed > 0)
}

/// The document that is to be the order's invoice: its row, and Daftra's id.
pub fn adopting(c: &Connection, order_id: i64) -> Result<Option<(i64, i64)>, Error> {
    const READ: &str = "read what an order is to adopt";
    c.prepare_cached(
        "select id, remote_id from namesake where order_id = ?1 and state = 'adopting' order by id limit 1",
    )
    .during(READ)?
    .query_row([order_id], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
    .during(READ)
}

/// Whether a document that names the order waits for a decision.
pub fn is_disputed(c: &Connection, order_id: i64) -> Result<bool, Error> {
    const ASK: &str = "ask whether an order has a document of others";
    c.prepare_cached("select exists (select 1 from namesake where order_id = ?1 and state = 'open')")
        .during(ASK)?
        .query_row([order_id], |row| row.get(0))
        .during(ASK)
}

/// Whether a document that names the order waits for a decision, or is to be its invoice.
pub fn awaits(c: &Connection, order_id: i64) -> Result<bool, Error> {
    const ASK: &str = "ask whether an order waits for a document of others";
    c.prepare_cached("select exists (select 1 from namesake where order_id = ?1 and state in ('open', 'adopting'))")
        .during(ASK)?
        .query_row([order_id], |row| row.get(0))
        .during(ASK)
}

/// The orders a merchant means by name or by Shopify's id.
pub fn orders_meant(c: &Connection, merchant_id: i64, text: &str) -> Result<Vec<i64>, Error> {
    const FIND: &str = "find the order that is meant";
    let text = text.trim();
    let name = if text.starts_with('#') { text.to_owned() } else { format!("#{text}") };
    let mut statement = c
        .prepare_cached(
            "select id from orders where name in (?2, ?3) and merchant_id = ?1
             union select id from orders where merchant_id = ?1 and remote_id = ?4",
        )
        .during(FIND)?;
    let rows = statement
        .query_map((merchant_id, text, name, text.parse::<i64>().unwrap_or(-1)), |row| row.get(0))
        .during(FIND)?;
    rows.map(|row| row.during(FIND)).collect()
}

/// Whether the order has an invoice of ours that exists, or may.
pub fn has_invoice(c: &Connection, order_id: i64) -> Result<bool, Error> {
    const ASK: &str = "ask whether an order has an invoice";
    c.prepare_cached(
        "select exists (select 1 from document where order_id = ?1 and kind = 'invoice'
           and state in ('sending', 'in_doubt', 'posted', 'replacing', 'replace_in_doubt', 'locked'))",
    )
    .during(ASK)?
    .query_row([order_id], |row| row.get(0))
    .during(ASK)
}

/// The order of which an invoice of Daftra is ours.
pub fn owner(c: &Connection, account_id: i64, remote_id: i64) -> Result<Option<i64>, Error> {
    const ASK: &str = "ask whose an invoice is";
    c.prepare_cached("select order_id from document where account_id = ?1 and kind = 'invoice' and remote_id = ?2")
        .during(ASK)?
        .query_row((account_id, remote_id), |row| row.get(0))
        .optional()
        .during(ASK)
}

/// Daftra's ids of all invoices of ours in an account that are of orders placed since then, and of all that ever were.
pub fn own_invoices(c: &Connection, account_id: i64) -> Result<BTreeSet<i64>, Error> {
    const READ: &str = "read which invoices are ours";
    let mut statement = c
        .prepare_cached(
            "select remote_id from document where account_id = ?1 and kind = 'invoice' and remote_id is not null",
        )
        .during(READ)?;
    let rows = statement.query_map([account_id], |row| row.get(0)).during(READ)?;
    rows.map(|row| row.during(READ)).collect()
}

/// The orders of a merchant placed since then that are, or may be, its own: our id, Shopify's id, and the name.
pub fn orders_since(c: &Connection, merchant_id: i64, since: Timestamp) -> Result<Vec<(i64, i64, String)>, Error> {
    const READ: &str = "read a merchant's orders of late";
    let mut statement = c
        .prepare_cached(
            "select id, remote_id, name from orders
             where merchant_id = ?1 and coalesce(placed_at, created_at) >= ?2
               and not (state = 'ignored' and reason ->> '$.ignored.code' = 'no_own_lines') order by id",
        )
        .during(READ)?;
    let rows = statement
        .query_map((merchant_id, ms(since)), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .during(READ)?;
    rows.map(|row| row.during(READ)).collect()
}

/// Whether a merchant has any order placed since then.
pub fn has_orders_since(c: &Connection, merchant_id: i64, since: Timestamp) -> Result<bool, Error> {
    const ASK: &str = "ask whether a merchant has orders of late";
    c.prepare_cached(
        "select exists (select 1 from orders where merchant_id = ?1 and coalesce(placed_at, created_at) >= ?2)",
    )
    .during(ASK)?
    .query_row((merchant_id, ms(since)), |row| row.get(0))
    .during(ASK)
}

/// Somebody wants Daftra looked through for such documents, from a time on.
pub fn begin_look(tx: &Transaction<'_>, merchant_id: i64, since: Timestamp) -> Result<(), Error> {
    const BEGIN: &str = "begin a look for documents of others";
    tx.prepare_cached(
        "insert into cut_over (merchant_id, since) values (?1, ?2)
         on conflict (merchant_id) do update set since = min(coalesce(since, excluded.since), excluded.since)",
    )
    .during(BEGIN)?
    .execute((merchant_id, ms(since)))
    .during(BEGIN)?;
    Ok(())
}

/// A look is through.
pub fn end_look(tx: &Transaction<'_>, merchant_id: i64, since: Timestamp, now: Timestamp) -> Result<(), Error> {
    const END: &str = "end a look for documents of others";
    tx.prepare_cached(
        "update cut_over set looked_at = ?3, looked_since = ?2, since = nullif(since, ?2) where merchant_id = ?1",
    )
    .during(END)?
    .execute((merchant_id, ms(since), ms(now)))
    .during(END)?;
    Ok(())
}

/// How looking for documents of others stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// From where on it is to be looked; none: no look is under way.
    pub since: Option<Timestamp>,
    /// When the last look ended.
    pub looked_at: Option<Timestamp>,
    /// From where on that was.
    pub looked_since: Option<Timestamp>,
}

/// How looking for documents of others stands.
pub fn look(c: &Connection, merchant_id: i64) -> Result<Look, Error> {
    const READ: &str = "read a look for documents of others";
    let found: Option<(Option<i64>, Option<i64>, Option<i64>)> = c
        .prepare_cached("select since, looked_at, looked_since from cut_over where merchant_id = ?1")
        .during(READ)?
        .query_row([merchant_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .during(READ)?;
    let Some((since, looked_at, looked_since)) = found else { return Ok(Look::default()) };
    Ok(Look { since: maybe_at(since)?, looked_at: maybe_at(looked_at)?, looked_since: maybe_at(looked_since)? })
}

/// How many wait for a person, or for their adoption.
pub fn waiting(c: &Connection, merchant_id: i64) -> Result<u32, Error> {
    const COUNT: &str = "count documents of others that wait";
    c.prepare_cached("select count(*) from namesake where merchant_id = ?1 and state in ('open', 'adopting')")
        .during(COUNT)?
        .query_row([merchant_id], |row| row.get(0))
        .during(COUNT)
}

//! The ledger: documents, the classes of refund records, and every call that was made for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction};

use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::{Context as _, Error};
use crate::domain::document::{Document, State};
use crate::domain::draft::{Draft, Fingerprint};
use crate::domain::money::Amount;
use crate::domain::refund::Class;

const COLUMNS: &str = "id, account_id, parent_id, source_key, state, since_at, look_at, misses, failed_looks,
  unknown_sends, content, replacement, wanted, written, refusal, finding, remote_id, remote_no, total_minor, verified_at,
  stock";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Document, Error>> {
    const READ: &str = "read a document";
    let (state, content): (String, String) = (row.get(4)?, row.get(10)?);
    let (since_at, look_at, verified_at): (i64, Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?, row.get(19)?);
    let replacement: Option<String> = row.get(11)?;
    let (wanted, written): (Vec<u8>, Option<Vec<u8>>) = (row.get(12)?, row.get(13)?);
    let (refusal, finding): (Option<String>, Option<String>) = (row.get(14)?, row.get(15)?);
    let (id, account_id, parent_id, source_key) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let (misses, failed_looks, unknown_sends) = (row.get(7)?, row.get(8)?, row.get(9)?);
    let stock: Option<String> = row.get(20)?;
    let (remote_id, remote_no, total): (_, _, Option<i64>) = (row.get(16)?, row.get(17)?, row.get(18)?);
    let build = || {
        Ok(Document {
            id,
            account_id,
            parent_id,
            source_key,
            state: word(READ, &state, State::parse(&state))?,
            since_at: at(since_at)?,
            look_at: maybe_at(look_at)?,
            misses,
            failed_looks,
            unknown_sends,
            content: from_json(READ, &content)?,
            replacement: replacement.map(|text| from_json(READ, &text)).transpose()?,
            wanted: fingerprint(&wanted),
            written: written.as_deref().map(fingerprint),
            refusal: refusal.map(|text| from_json(READ, &text)).transpose()?,
            finding: finding.map(|text| from_json(READ, &text)).transpose()?,
            remote_id,
            remote_no,
            total: total.map(Amount),
            verified_at: maybe_at(verified_at)?,
            stock: stock.map(|text| from_json(READ, &text)).transpose()?,
        })
    };
    Ok(build())
}

fn fingerprint(bytes: &[u8]) -> Fingerprint {
    Fingerprint(String::from_utf8_lossy(bytes).into_owned())
}

/// The documents of an order, oldest first.
pub fn of_order(c: &Connection, order_id: i64) -> Result<Vec<Document>, Error> {
    let sql = format!("select {COLUMNS} from document where order_id = ?1 order by id");
    let mut statement = c.prepare_cached(&sql).during("read an order's documents")?;
    let rows = statement.query_map([order_id], from_row).during("read an order's documents")?;
    rows.map(|row| row.during("read an order's documents")?).collect()
}

/// The document of an id.
pub fn get(c: &Connection, id: i64) -> Result<Document, Error> {
    let sql = format!("select {COLUMNS} from document where id = ?1");
    c.prepare_cached(&sql).during("read a document")?.query_row([id], from_row).during("read a document")?
}

/// Adds a document and returns its id.
pub fn add(tx: &Transaction<'_>, order_id: i64, document: &Document) -> Result<i64, Error> {
    let header = document.content.header();
    tx.prepare_cached(
        "insert into document (order_id, account_id, parent_id, kind, source_key, reference, state, since_at, look_at,
           unknown_sends, content, wanted, currency)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .during("add a document")?
    .execute(rusqlite::params![
        order_id,
        document.account_id,
        document.parent_id,
        document.content.kind(),
        document.source_key,
        header.reference,
        document.state.word(),
        ms(document.since_at),
        document.look_at.map(ms),
        document.unknown_sends,
        to_json(&document.content),
        document.wanted.0.as_bytes(),
        header.currency.code(),
    ])
    .during("add a document")?;
    Ok(tx.last_insert_rowid())
}

/// Writes what an event made of a document, if it still is in the state the event was applied to.
pub fn store(tx: &Transaction<'_>, was: State, document: &Document) -> Result<(), Error> {
    let changed = tx
        .prepare_cached(
            "update document set state = ?3, since_at = ?4, look_at = ?5, misses = ?6, failed_looks = ?7,
               unknown_sends = ?8, content = ?9, replacement = ?10, wanted = ?11, written = ?12, refusal = ?13,
               finding = ?14, remote_id = ?15, remote_no = ?16, total_minor = ?17, verified_at = ?18, account_id = ?19, stock = ?20,
               parent_id = ?21
             where id = ?1 and state = ?2",
        )
        .during("write a document")?
        .execute(rusqlite::params![
            document.id,
            was.word(),
            document.state.word(),
            ms(document.since_at),
            document.look_at.map(ms),
            document.misses,
            document.failed_looks,
            document.unknown_sends,
            to_json(&document.content),
            document.replacement.as_ref().map(to_json::<Draft>),
            document.wanted.0.as_bytes(),
            document.written.as_ref().map(|written| written.0.as_bytes()),
            document.refusal.as_ref().map(to_json),
            document.finding.as_ref().map(to_json),
            document.remote_id,
            document.remote_no,
            document.total.map(|total| total.0),
            document.verified_at.map(ms),
            document.account_id,
            document.stock.as_ref().map(to_json),
            document.parent_id,
        ])
        .during("write a document")?;
    if changed == 1 { Ok(()) } else { Err(Error::NotFound { context: "write a document in the state it was read in" }) }
}

/// The orders with a document that people know by this number, newest first. Every account counts from one.
pub fn orders_by_number(c: &Connection, merchant_id: Option<i64>, number: &str, limit: u32) -> Result<Vec<i64>, Error> {
    const FIND: &str = "find orders by the number of a document";
    let of_merchant = if merchant_id.is_some() { "o.merchant_id = ?1" } else { "?1 is null" };
    let sql = format!(
        "select distinct o.id from document d indexed by document_by_number cross join orders o on o.id = d.order_id
         where d.remote_no = ?2 and {of_merchant}"
    );
    let mut statement = c.prepare_cached(&sql).during(FIND)?;
    let rows = statement.query_map((merchant_id, number), |row| row.get(0)).during(FIND)?;
    let mut ids: Vec<i64> = rows.map(|row| row.during(FIND)).collect::<Result<_, _>>()?;
    ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(ids)
}

/// Whether one of an account's newest invoices waits for its warehouse's requisition.
pub fn awaits_requisition(c: &Connection, account_id: i64) -> Result<bool, Error> {
    const ASK: &str = "look for requisitions";
    c.prepare_cached(
        "select exists (
           select 1 from (
             select stock from document where account_id = ?1 and kind = 'invoice' and remote_id is not null
             order by remote_id desc limit 200)
           where exists (select 1 from json_each(stock, '$.why') where value = 'requisition'))",
    )
    .during(ASK)?
    .query_row([account_id], |row| row.get(0))
    .during(ASK)
}

/// The documents whose call was cut off by the end of the process: document and order.
pub fn cut_off(c: &Connection) -> Result<Vec<(i64, i64)>, Error> {
    let mut statement = c
        .prepare_cached(
            "select id, order_id from document where state in ('sending', 'in_doubt', 'replacing', 'replace_in_doubt')
               and state in ('sending', 'replacing')",
        )
        .during("find documents that were cut off")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.during("find documents that were cut off")?.map(|row| row.during("find documents that were cut off")).collect()
}

/// How the refund records of an order were understood.
pub fn classes(c: &Connection, order_id: i64) -> Result<BTreeMap<i64, Class>, Error> {
    let mut statement = c
        .prepare_cached("select refund_id, class from reduction where order_id = ?1")
        .during("read the classes of refunds")?;
    let rows = statement.query_map([order_id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
    rows.during("read the classes of refunds")?
        .map(|row| {
            let (refund, class) = row.during("read the classes of refunds")?;
            let parsed = Class::ALL.into_iter().find(|known| known.word() == class);
            Ok((refund, word("read the class of a refund", &class, parsed)?))
        })
        .collect()
}

/// Writes the class of a refund record, once and for ever. The document is the one whose send uses it.
pub fn classify(
    tx: &Transaction<'_>,
    order_id: i64,
    refund_id: i64,
    class: Class,
    document_id: i64,
) -> Result<(), Error> {
    let document_id = match class {
        Class::Absorbed | Class::Edit | Class::Receipt => Some(document_id),
        Class::Covered | Class::NotOurs => None,
    };
    tx.prepare_cached("insert into reduction (order_id, refund_id, class, document_id) values (?1, ?2, ?3, ?4)")
        .during("write the class of a refund")?
        .execute((order_id, refund_id, class.word(), document_id))
        .during("write the class of a refund")?;
    Ok(())
}

/// What a call to Daftra is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Create,
    Replace,
    LookUp,
    Verify,
    Find,
    SiteInfo,
}

impl Action {
    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::LookUp => "look_up",
            Self::Verify => "verify",
            Self::Find => "find",
            Self::SiteInfo => "site_info",
        }
    }
}

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub action: Action,
    pub order_id: Option<i64>,
    pub account_id: i64,
    pub document_id: Option<i64>,
}

/// How a call ended.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    pub outcome: &'static str,
    pub status: Option<u16>,
    pub remote_id: Option<i64>,
    /// Redacted, compressed.
    pub request: Vec<u8>,
    pub answer: Vec<u8>,
    pub detail: String,
}

/// A call is about to be made: its trace stays even if we never learn the end.
pub fn begin_attempt(tx: &Transaction<'_>, about: About, now: Timestamp) -> Result<i64, Error> {
    tx.prepare_cached(
        "insert into attempt (order_id, account_id, document_id, action, started_at) values (?1, ?2, ?3, ?4, ?5)",
    )
    .during("begin an attempt")?
    .execute((about.order_id, about.account_id, about.document_id, about.action.word(), ms(now)))
    .during("begin an attempt")?;
    Ok(tx.last_insert_rowid())
}

/// A call has ended.
pub fn end_attempt(tx: &Transaction<'_>, id: i64, ended: &Ended, now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached(
        "update attempt set ended_at = ?2, outcome = ?3, status = ?4, remote_id = ?5, request = ?6, answer = ?7,
           detail = ?8 where id = ?1 and ended_at is null",
    )
    .during("end an attempt")?
    .execute(rusqlite::params![
        id,
        ms(now),
        ended.outcome,
        ended.status,
        ended.remote_id,
        ended.request,
        ended.answer,
        ended.detail,
    ])
    .during("end an attempt")?;
    Ok(())
}

/// A call as the order page shows it.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub id: i64,
    pub document_id: Option<i64>,
    pub action: String,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub outcome: Option<String>,
    pub status: Option<u16>,
    pub remote_id: Option<i64>,
    pub request: Option<Vec<u8>>,
    pub answer: Option<Vec<u8>>,
    pub detail: String,
}

/// Every call for an order, oldest first.
pub fn attempts(c: &Connection, order_id: i64) -> Result<Vec<Attempt>, Error> {
    let mut attempts = latest_attempts(c, order_id, u32::MAX)?;
    attempts.reverse();
    Ok(attempts)
}

/// The latest calls for an order, newest first: an order that waits for stock is looked at for months.
pub fn latest_attempts(c: &Connection, order_id: i64, limit: u32) -> Result<Vec<Attempt>, Error> {
    const LIST: &str = "list an order's calls";
    let mut statement = c
        .prepare_cached(
            "select id, document_id, action, started_at, ended_at, outcome, status, remote_id, request, answer, detail
             from attempt where order_id = ?1 order by id desc limit ?2",
        )
        .during(LIST)?;
    let rows = statement
        .query_map((order_id, limit), |row| {
            let attempt = Attempt {
                id: row.get(0)?,
                document_id: row.get(1)?,
                action: row.get(2)?,
                started_at: Timestamp::UNIX_EPOCH,
                ended_at: None,
                outcome: row.get(5)?,
                status: row.get(6)?,
                remote_id: row.get(7)?,
                request: row.get(8)?,
                answer: row.get(9)?,
                detail: row.get(10)?,
            };
            Ok((attempt, row.get::<_, i64>(3)?, row.get::<_, Option<i64>>(4)?))
        })
        .during(LIST)?;
    rows.map(|row| {
        let (attempt, started_at, ended_at) = row.during(LIST)?;
        Ok(Attempt { started_at: at(started_at)?, ended_at: maybe_at(ended_at)?, ..attempt })
    })
    .collect()
}

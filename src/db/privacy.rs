//! What shops ask for in the name of their customers, and every place where something about a customer may stand.
//!
//! A request is evidence: its row is never removed and holds ids, times and counts. What is personal is known by its column:
//! [`TEXTS`] are read and cleaned, sealed bodies and what was exchanged with Daftra are taken away whole. The table in
//! ARCHITECTURE.md has all columns, and a test compares it with the schema.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::sight::Sight;
use super::{Context as _, Error};

/// The days that Shopify gives for any of it.
const DUE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A shop that comes back within this time is not forgotten.
pub const SECOND_THOUGHTS: SignedDuration = SignedDuration::from_hours(48);
/// Before its last day a request that is still open is worth an alert.
pub const NEAR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What is kept of a customer.
    DataRequest,
    /// A customer is to be forgotten.
    CustomerRedact,
    /// All customers of the shop are to be forgotten.
    ShopRedact,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DataRequest, Self::CustomerRedact, Self::ShopRedact];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::DataRequest => "data_request",
            Self::CustomerRedact => "customer_redact",
            Self::ShopRedact => "shop_redact",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == text)
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A person, or for a shop its time, is waited for.
    Open,
    /// Customers are being forgotten, a few orders at a time.
    Doing,
    Done,
    /// The shop came back.
    Dropped,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Doing, Self::Done, Self::Dropped];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Doing => "doing",
            Self::Done => "done",
            Self::Dropped => "dropped",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == text)
    }
}

/// What was taken away, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Orders that know of no buyer any more.
    pub orders: u64,
    /// Of orders that were named and never came here there is nothing.
    pub unknown: u64,
    /// Sealed bodies of deliveries.
    pub bodies: u64,
    /// Sealed buyers.
    pub buyers: u64,
    /// Calls of which request and answer were kept.
    pub calls: u64,
    /// Texts in which the customer was mentioned.
    pub texts: u64,
}

impl Counts {
    /// As much more.
    pub fn add(&mut self, other: Self) {
        self.orders += other.orders;
        self.unknown += other.unknown;
        self.bodies += other.bodies;
        self.buyers += other.buyers;
        self.calls += other.calls;
        self.texts += other.texts;
    }
}

/// A request as pages and scripts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: i64,
    pub merchant_id: i64,
    pub kind: Kind,
    pub delivery_id: Option<i64>,
    /// Shopify's id.
    pub customer_id: Option<i64>,
    /// Shopify's ids.
    pub orders: BTreeSet<i64>,
    pub received_at: Timestamp,
    pub due_at: Timestamp,
    /// A shop is forgotten by itself from then on.
    pub begins_at: Option<Timestamp>,
    pub state: State,
    pub state_at: Timestamp,
    /// Deliveries of no order up to this one are done.
    pub swept: i64,
    /// Orders up to this one are done.
    pub reached: i64,
    pub counts: Counts,
}

/// Keeps a request, in the transaction that keeps the delivery which brought it. Returns our id of it.
pub fn ask(
    tx: &Transaction<'_>,
    merchant_id: i64,
    kind: Kind,
    customer_id: Option<i64>,
    orders: &BTreeSet<i64>,
    delivery_id: Option<i64>,
    now: Timestamp,
) -> Result<i64, Error> {
    const ASK: &str = "keep a request about a customer";
    let begins_at = match kind {
        Kind::ShopRedact => Some(ms(now + SECOND_THOUGHTS)),
        Kind::DataRequest | Kind::CustomerRedact => None,
    };
    tx.prepare_cached(
        "insert into privacy_request (merchant_id, kind, delivery_id, customer_id, orders, received_at, due_at, begins_at, state_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?6)",
    )
    .during(ASK)?
    .execute((merchant_id, kind.word(), delivery_id, customer_id, to_json(orders), ms(now), ms(now + DUE), begins_at))
    .during(ASK)?;
    Ok(tx.last_insert_rowid())
}

const COLUMNS: &str =
    "id, merchant_id, kind, delivery_id, customer_id, orders, received_at, due_at, begins_at, state, state_at,
  swept, reached, counts";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Request, Error>> {
    const READ: &str = "read a request about a customer";
    let (id, merchant_id, delivery_id, customer_id) = (row.get(0)?, row.get(1)?, row.get(3)?, row.get(4)?);
    let (kind, orders, state, counts): (String, String, String, String) =
        (row.get(2)?, row.get(5)?, row.get(9)?, row.get(13)?);
    let (received_at, due_at, begins_at, state_at): (i64, i64, Option<i64>, i64) =
        (row.get(6)?, row.get(7)?, row.get(8)?, row.get(10)?);
    let (swept, reached) = (row.get(11)?, row.get(12)?);
    let build = || {
        Ok(Request {
            id,
            merchant_id,
            kind: word(READ, &kind, Kind::parse(&kind))?,
            delivery_id,
            customer_id,
            orders: from_json(READ, &orders)?,
            received_at: at(received_at)?,
            due_at: at(due_at)?,
            begins_at: maybe_at(begins_at)?,
            state: word(READ, &state, State::parse(&state))?,
            state_at: at(state_at)?,
            swept,
            reached,
            counts: from_json(READ, &counts)?,
        })
    };
    Ok(build())
}

/// The request of our own id.
pub fn get(c: &Connection, id: i64) -> Result<Request, Error> {
    const READ: &str = "read a request about a customer";
    let sql = format!("select {COLUMNS} from privacy_request where id = ?1");
    c.prepare_cached(&sql).during(READ)?.query_row([id], from_row).during(READ)?
}

/// All requests, the newest first.
pub fn list(c: &Connection, limit: u32) -> Result<Vec<Request>, Error> {
    const LIST: &str = "list requests about customers";
    let sql =
        format!("select {COLUMNS} from privacy_request order by state in ('open', 'doing') desc, id desc limit ?1");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map([limit], from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// Those in one state, the most urgent first.
pub fn in_state(c: &Connection, state: State) -> Result<Vec<Request>, Error> {
    const LIST: &str = "list requests about customers";
    let sql = format!("select {COLUMNS} from privacy_request where state = ?1 order by due_at, id");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map([state.word()], from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// Shops whose time for second thoughts is over.
pub fn ripe(c: &Connection, now: Timestamp) -> Result<Vec<Request>, Error> {
    let mut open = in_state(c, State::Open)?;
    open.retain(|request| request.begins_at.is_some_and(|begins_at| begins_at <= now));
    Ok(open)
}

/// Notes where a request stands now, and on whose word.
pub fn enter(tx: &Transaction<'_>, id: i64, state: State, user_id: Option<i64>, now: Timestamp) -> Result<(), Error> {
    const NOTE: &str = "note what becomes of a request";
    tx.prepare_cached(
        "update privacy_request set state = ?2, state_at = ?3, user_id = coalesce(?4, user_id) where id = ?1",
    )
    .during(NOTE)?
    .execute((id, state.word(), ms(now), user_id))
    .during(NOTE)?;
    Ok(())
}

/// Notes how far a request has come.
pub fn progress(tx: &Transaction<'_>, request: &Request) -> Result<(), Error> {
    const NOTE: &str = "note how far a request has come";
    tx.prepare_cached("update privacy_request set swept = ?2, reached = ?3, counts = ?4 where id = ?1")
        .during(NOTE)?
        .execute((request.id, request.swept, request.reached, to_json(&request.counts)))
        .during(NOTE)?;
    Ok(())
}

/// A shop that speaks again is not forgotten, and is there again.
pub fn came_back(tx: &Transaction<'_>, merchant_id: i64, said_at: Timestamp, now: Timestamp) -> Result<bool, Error> {
    const NOTE: &str = "note that a shop came back";
    let is_back = tx
        .prepare_cached("update merchant set uninstalled_at = null where id = ?1 and uninstalled_at < ?2")
        .during(NOTE)?
        .execute((merchant_id, ms(said_at)))
        .during(NOTE)?;
    let is_kept = tx
        .prepare_cached(
            "update privacy_request set state = 'dropped', state_at = ?3
             where state = 'open' and merchant_id = ?1 and kind = 'shop_redact' and received_at < ?2",
        )
        .during(NOTE)?
        .execute((merchant_id, ms(said_at), ms(now)))
        .during(NOTE)?;
    Ok(is_back + is_kept > 0)
}

/// The shop removed our app: nobody calls it until it comes back.
pub fn uninstalled(tx: &Transaction<'_>, merchant_id: i64, said_at: Timestamp) -> Result<(), Error> {
    const NOTE: &str = "note that a shop removed our app";
    tx.prepare_cached("update merchant set uninstalled_at = max(coalesce(uninstalled_at, 0), ?2) where id = ?1")
        .during(NOTE)?
        .execute((merchant_id, ms(said_at)))
        .during(NOTE)?;
    Ok(())
}

/// Since when the shop of a merchant is without our app; none while it has it.
pub fn uninstalled_at(c: &Connection, merchant_id: i64) -> Result<Option<Timestamp>, Error> {
    const ASK: &str = "ask whether a shop removed our app";
    let at: Option<i64> = c
        .prepare_cached("select uninstalled_at from merchant where id = ?1")
        .during(ASK)?
        .query_row([merchant_id], |row| row.get(0))
        .during(ASK)?;
    maybe_at(at)
}

/// Merchants that are not closed and whose shops removed our app.
pub fn without_app(c: &Connection) -> Result<Vec<i64>, Error> {
    const ASK: &str = "ask which shops removed our app";
    let mut statement = c
        .prepare_cached("select id from merchant where uninstalled_at is not null and mode <> 'closed' order by id")
        .during(ASK)?;
    let rows = statement.query_map([], |row| row.get(0)).during(ASK)?;
    rows.map(|row| row.during(ASK)).collect()
}

impl Sight<'_> {
    /// The newest requests of those merchants whom this scope reaches.
    pub fn privacy_requests(&self, limit: u32) -> Result<Vec<Request>, Error> {
        let mut all = list(self.connection(), limit)?;
        all.retain(|request| self.allow(request.merchant_id).is_ok());
        Ok(all)
    }

    /// One of them.
    pub fn privacy_request(&self, id: i64) -> Result<Request, Error> {
        let request = get(self.connection(), id)?;
        self.allow(request.merchant_id)?;
        Ok(request)
    }

    /// Since when the shop of a merchant is without our app.
    pub fn uninstalled_at(&self, merchant_id: i64) -> Result<Option<Timestamp>, Error> {
        self.allow(merchant_id)?;
        uninstalled_at(self.connection(), merchant_id)
    }
}

/// A column that may mention a customer of one order.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    /// The column with our id of the order.
    by: &'static str,
    pub is_json: bool,
}

const fn json(table: &'static str, by: &'static str, column: &'static str) -> Place {
    Place { table, column, by, is_json: true }
}

const fn plain(table: &'static str, by: &'static str, column: &'static str) -> Place {
    Place { table, column, by, is_json: false }
}

/// All of them. What was sealed, and what was exchanged with Daftra, is not among them: that goes as a whole.
pub const TEXTS: [Place; 11] = [
    json("orders", "id", "snapshot"),
    json("orders", "id", "reason"),
    json("orders", "id", "trace"),
    json("document", "order_id", "content"),
    json("document", "order_id", "replacement"),
    json("document", "order_id", "refusal"),
    json("document", "order_id", "finding"),
    json("document", "order_id", "stock"),
    json("sync_log", "order_id", "reason"),
    plain("ruling", "order_id", "note"),
    plain("attempt", "order_id", "detail"),
];

/// The rows of a column that are about an order: their ids and what stands there.
pub fn texts(c: &Connection, place: Place, order_id: i64) -> Result<Vec<(i64, String)>, Error> {
    const READ: &str = "read what may mention a customer";
    let Place { table, column, by, .. } = place;
    let sql = format!("select id, {column} from {table} where {by} = ?1 and {column} is not null");
    let mut statement = c.prepare_cached(&sql).during(READ)?;
    let rows = statement.query_map([order_id], |row| Ok((row.get(0)?, row.get(1)?))).during(READ)?;
    rows.map(|row| row.during(READ)).collect()
}

/// Puts a text without the customer in its place.
pub fn put_text(tx: &Transaction<'_>, place: Place, row: i64, text: &str) -> Result<(), Error> {
    const PUT: &str = "take a customer out of a text";
    let Place { table, column, .. } = place;
    let sql = format!("update {table} set {column} = ?2 where id = ?1");
    tx.prepare_cached(&sql).during(PUT)?.execute((row, text)).during(PUT)?;
    Ok(())
}

/// An order whose customer is asked for or to be forgotten.
#[derive(Clone, Debug)]
pub struct Held {
    pub id: i64,
    pub remote_id: i64,
    pub name: String,
    /// Sealed for the merchant and Shopify's id of the order.
    pub buyer: Option<Vec<u8>>,
    pub redacted_at: Option<Timestamp>,
    /// It is being worked on at this moment.
    pub is_running: bool,
}

const HELD: &str = "select o.id, o.remote_id, o.name, o.buyer, o.redacted_at, coalesce(j.running_since is not null, 0)
  from orders o left join job j on j.kind = 'order' and j.subject = o.id";

fn held(row: &Row<'_>) -> rusqlite::Result<Result<Held, Error>> {
    let (id, remote_id, name, buyer, is_running) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?);
    let redacted_at = maybe_at(row.get(4)?);
    Ok(redacted_at.map(|redacted_at| Held { id, remote_id, name, buyer, redacted_at, is_running }))
}

/// The order of Shopify's id.
pub fn order(c: &Connection, merchant_id: i64, remote_id: i64) -> Result<Option<Held>, Error> {
    const FIND: &str = "find an order of a customer";
    let sql = format!("{HELD} where o.merchant_id = ?1 and o.remote_id = ?2");
    let found =
        c.prepare_cached(&sql).during(FIND)?.query_row((merchant_id, remote_id), held).optional().during(FIND)?;
    found.transpose()
}

/// A merchant's orders from one on.
pub fn orders_after(c: &Connection, merchant_id: i64, id: i64, limit: u32) -> Result<Vec<Held>, Error> {
    const FIND: &str = "find the orders of a shop";
    let sql = format!("{HELD} where o.merchant_id = ?1 and o.id > ?2 order by o.id limit ?3");
    let mut statement = c.prepare_cached(&sql).during(FIND)?;
    let rows = statement.query_map((merchant_id, id, limit), held).during(FIND)?;
    rows.map(|row| row.during(FIND)?).collect()
}

/// Whether an order is to know of no buyer any more.
pub fn is_redacted(c: &Connection, order_id: i64) -> Result<bool, Error> {
    const ASK: &str = "ask whether a buyer was forgotten";
    c.prepare_cached("select redacted_at is not null from orders where id = ?1")
        .during(ASK)?
        .query_row([order_id], |row| row.get(0))
        .during(ASK)
}

/// A sealed body and what it was sealed for.
#[derive(Clone, Debug)]
pub struct Body {
    pub delivery_id: i64,
    pub event_key: String,
    pub topic: String,
    pub received_at: Timestamp,
    pub sealed: Vec<u8>,
}

fn body(row: &Row<'_>) -> rusqlite::Result<Result<Body, Error>> {
    let (delivery_id, event_key, topic, sealed) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(4)?);
    let received_at = at(row.get(3)?);
    Ok(received_at.map(|received_at| Body { delivery_id, event_key, topic, received_at, sealed }))
}

const BODY: &str = "select id, event_key, topic, received_at, body from delivery";

/// The bodies that are kept of an order.
pub fn bodies(c: &Connection, order_id: i64) -> Result<Vec<Body>, Error> {
    const READ: &str = "read the bodies of an order";
    let sql = format!("{BODY} where order_id = ?1 and body is not null order by id");
    let mut statement = c.prepare_cached(&sql).during(READ)?;
    let rows = statement.query_map([order_id], body).during(READ)?;
    rows.map(|row| row.during(READ)?).collect()
}

/// The body of a delivery, as long as it is kept.
pub fn body_of(c: &Connection, delivery_id: i64) -> Result<Option<Body>, Error> {
    const READ: &str = "read the body of a delivery";
    let sql = format!("{BODY} where id = ?1 and body is not null");
    c.prepare_cached(&sql).during(READ)?.query_row([delivery_id], body).optional().during(READ)?.transpose()
}

/// A merchant's bodies that belong to no order, from one on: what could not be read, and what no invoice depends on.
pub fn loose_bodies(c: &Connection, merchant_id: i64, after: i64, limit: u32) -> Result<Vec<Body>, Error> {
    const READ: &str = "read bodies of no order";
    let sql = format!(
        "{BODY} indexed by delivery_loose where merchant_id = ?1 and id > ?2 and order_id is null and body is not null
         order by id limit ?3"
    );
    let mut statement = c.prepare_cached(&sql).during(READ)?;
    let rows = statement.query_map((merchant_id, after, limit), body).during(READ)?;
    rows.map(|row| row.during(READ)?).collect()
}

/// Takes the body of one delivery away.
pub fn forget_body(tx: &Transaction<'_>, delivery_id: i64) -> Result<(), Error> {
    const TAKE: &str = "take the body of a delivery away";
    tx.prepare_cached("update delivery set body = null where id = ?1")
        .during(TAKE)?
        .execute([delivery_id])
        .during(TAKE)?;
    Ok(())
}

/// Takes away what an order holds of its buyer as a whole, and notes that nothing of the kind is taken in again.
pub fn forget_buyer(tx: &Transaction<'_>, order_id: i64, now: Timestamp) -> Result<Counts, Error> {
    const TAKE: &str = "forget who bought";
    let run = |sql: &str| tx.prepare_cached(sql).during(TAKE)?.execute([order_id]).during(TAKE);
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let bodies = run("update delivery set body = null where order_id = ?1 and body is not null")?;
    // A call under way has its end still to come.
    let calls = run("update attempt set request = null, answer = null
       where order_id = ?1 and ended_at is not null and (request is not null or answer is not null)")?;
    let buyers = run("update orders set buyer = null where id = ?1 and buyer is not null")?;
    tx.prepare_cached("update orders set redacted_at = coalesce(redacted_at, ?2) where id = ?1")
        .during(TAKE)?
        .execute((order_id, ms(now)))
        .during(TAKE)?;
    Ok(Counts { orders: 1, bodies: count(bodies), calls: count(calls), buyers: count(buyers), ..Counts::default() })
}

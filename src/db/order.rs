//! Orders: what is known of each, where it stands, and the case that is put before the planner.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::merchant::Mode;
use super::{Context as _, Error, account, document, merchant, namesake, product, ruling, setting, variant};
use crate::domain::catalog::{Catalog, Code, Item, candidates};
use crate::domain::document::{Document, Policy};
use crate::domain::ledger::Ledger;
use crate::domain::money::{Amount, Currency};
use crate::domain::order::{Cancelled, Facts, Line, Order, Refund, Snapshot, Transaction as Movement};
use crate::domain::reason::Reason;
use crate::domain::rules;
use crate::domain::trace::Trace;

/// Where an order stands in our work; what Shopify says of it is in the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never planned.
    New,
    /// Being worked on for the first time.
    Working,
    Waiting,
    Settled,
    Ignored,
    /// Planned and shown, not done.
    Shadow,
    Held,
    /// Given up until a person says "try again".
    Failed,
}

impl State {
    pub const ALL: [Self; 8] =
        [Self::New, Self::Working, Self::Waiting, Self::Settled, Self::Ignored, Self::Shadow, Self::Held, Self::Failed];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Settled => "settled",
            Self::Ignored => "ignored",
            Self::Shadow => "shadow",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == text)
    }
}

/// Everything the planner needs about one order, read at one moment.
#[derive(Clone, Debug)]
pub struct Case {
    pub order_id: i64,
    pub order: Order,
    pub merchant: rules::Merchant,
    pub mode: Mode,
    pub catalog: Catalog,
    pub ledger: Ledger,
    /// How new the snapshot is, of a merchant who may ask the shop for a newer one.
    pub read_at: Option<Timestamp>,
    /// Variants of which it is not known, or not of late, what barcode the shop gave them, and a line that no invoice has yet
    /// would be found by it. Where the shop does not answer, what it said last counts.
    pub unread: BTreeSet<i64>,
    /// A document that others made and that is to be its invoice: its row here, and Daftra's id.
    pub adopting: Option<(i64, i64)>,
    /// A document that others made names it, and nobody has decided about that yet.
    pub is_disputed: bool,
}

/// The case of an order; `None` while only facts are known and no snapshot.
pub fn case(
    c: &Connection,
    order_id: i64,
    policy: Policy,
    ages: product::Ages,
    now: Timestamp,
) -> Result<Option<Case>, Error> {
    let (merchant_id, snapshot, read_at): (i64, Option<String>, Option<i64>) = c
        .prepare_cached(
            "select merchant_id, snapshot, iif(exists (select 1 from shop_api s where s.merchant_id = orders.merchant_id),
               max(triggered_at, coalesce(read_at, 0)), null)
             from orders where id = ?1",
        )
        .during("read an order")?
        .query_row([order_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .during("read an order")?;
    let Some(snapshot) = snapshot else { return Ok(None) };
    let snapshot: Snapshot = from_json("read an order's snapshot", &snapshot)?;
    let merchant = merchant::get(c, merchant_id)?;
    let account_id = merchant.account_id.ok_or(Error::NotFound { context: "find the merchant's Daftra account" })?;
    let account = account::get(c, account_id)?;
    let barcodes = variant::barcodes(c, merchant_id, snapshot.lines.iter().filter_map(|line| line.variant_id))?;
    let items = snapshot.lines.iter().map(|line| Item::of(line, &barcodes));
    let codes: BTreeSet<_> = items.flat_map(|item| candidates(&item, &merchant.rules)).collect();
    let catalog = Catalog { barcodes, ..product::about(c, merchant_id, &codes, ages, now)? };
    let adopting = namesake::adopting(c, order_id)?;
    let ledger = Ledger {
        documents: document::of_order(c, order_id)?,
        classes: document::classes(c, order_id)?,
        rulings: ruling::in_force(c, order_id)?,
        decimals: account.decimals,
        look_first_before: setting::time(c, setting::LOOK_FIRST_BEFORE)?,
        is_adopting: adopting.is_some(),
        policy,
    };
    let ids = snapshot.lines.iter().filter_map(|line| line.variant_id);
    let told = variant::told_since(c, merchant_id, ids, now - variant::BELIEVED)?;
    let unread = unread(&snapshot, &merchant.rules, &told, &ledger);
    let zone = TimeZone::get(&merchant.time_zone)
        .map_err(|error| Error::Unreadable { context: "read a merchant's time zone", why: error.to_string() })?;
    Ok(Some(Case {
        order_id,
        order: Order { snapshot, facts: facts(c, order_id)? },
        mode: merchant.mode,
        merchant: rules::Merchant {
            key: merchant.key,
            account_id,
            zone,
            live_from: merchant.live_from,
            rules: merchant.rules,
        },
        catalog,
        ledger,
        read_at: maybe_at(read_at)?,
        unread,
        adopting,
        is_disputed: namesake::is_disputed(c, order_id)?,
    }))
}

fn unread(snapshot: &Snapshot, rules: &rules::Rules, told: &BTreeSet<i64>, ledger: &Ledger) -> BTreeSet<i64> {
    let invoice = ledger.last_invoice().and_then(Document::invoice);
    let is_new = |line: &&Line| invoice.is_none_or(|invoice| !invoice.seen.contains_key(&line.id));
    let own = snapshot.lines.iter().filter(|line| rules.vendors.covers(&rules::Vendor::new(&line.vendor)));
    let variants = own.filter(is_new).filter_map(|line| line.variant_id);
    variants.filter(|id| !told.contains(id)).collect()
}

/// The order of Shopify's id, made when it is new.
pub fn known(tx: &Transaction<'_>, merchant_id: i64, remote_id: i64, now: Timestamp) -> Result<i64, Error> {
    let id = tx
        .prepare_cached("select id from orders where merchant_id = ?1 and remote_id = ?2")
        .during("find an order")?
        .query_row((merchant_id, remote_id), |row| row.get(0))
        .optional()
        .during("find an order")?;
    if let Some(id) = id {
        return Ok(id);
    }
    tx.prepare_cached("insert into orders (merchant_id, remote_id, state_at, created_at) values (?1, ?2, ?3, ?3)")
        .during("add an order")?
        .execute((merchant_id, remote_id, ms(now)))
        .during("add an order")?;
    Ok(tx.last_insert_rowid())
}

/// Takes a snapshot in, unless a newer one is known. Equal ranks replace: two bodies of the same moment may differ.
pub fn take_snapshot(
    tx: &Transaction<'_>,
    order_id: i64,
    snapshot: &Snapshot,
    rank: (Timestamp, Timestamp),
    buyer: Option<&[u8]>,
) -> Result<bool, Error> {
    let changed = tx
        .prepare_cached(
            "update orders set snapshot = ?2, name = ?3, placed_at = ?4, version_at = ?5, triggered_at = ?6,
               buyer = iif(redacted_at is null, ?7, null)
             where id = ?1 and (version_at, triggered_at) <= (?5, ?6)",
        )
        .during("keep a snapshot")?
        .execute((order_id, to_json(snapshot), &snapshot.name, ms(snapshot.created_at), ms(rank.0), ms(rank.1), buyer))
        .during("keep a snapshot")?;
    if changed == 0 {
        return Ok(false);
    }
    let mut keep = tx
        .prepare_cached(
            "insert or ignore into order_sku (merchant_id, sku, order_id) select merchant_id, ?2, id from orders where id = ?1",
        )
        .during("keep an order's SKUs")?;
    let skus: BTreeSet<Code> = snapshot.lines.iter().map(|line| Code::new(&line.sku)).collect();
    for sku in skus.iter().filter(|sku| !sku.is_none()) {
        keep.execute((order_id, sku.as_str())).during("keep an order's SKUs")?;
    }
    Ok(true)
}

/// Merges facts into what is known; they never go back.
pub fn take_facts(tx: &Transaction<'_>, order_id: i64, new: &Facts, now: Timestamp) -> Result<(), Error> {
    let mut merged = facts(tx, order_id)?;
    let before = merged.clone();
    merged.merge(new.clone());
    if merged == before {
        return Ok(());
    }
    let keep = |kind: &str, remote_id: i64, body: String| {
        tx.prepare_cached(
            "insert into fact (order_id, kind, remote_id, body, seen_at) values (?1, ?2, ?3, ?4, ?5)
             on conflict (order_id, kind, remote_id) do update set body = excluded.body where body <> excluded.body",
        )
        .during("keep a fact")?
        .execute((order_id, kind, remote_id, body, ms(now)))
        .during("keep a fact")
    };
    for (id, refund) in &merged.refunds {
        keep("refund", *id, to_json(refund))?;
    }
    for (id, movement) in &merged.transactions {
        keep("transaction", *id, to_json(movement))?;
    }
    if let Some(cancelled) = &merged.cancelled {
        keep("cancelled", 0, to_json(cancelled))?;
    }
    if merged.deleted {
        keep("deleted", 0, "true".to_owned())?;
    }
    Ok(())
}

/// What is known of an order for ever.
pub fn facts(c: &Connection, order_id: i64) -> Result<Facts, Error> {
    const READ: &str = "read an order's facts";
    let mut statement = c.prepare_cached("select kind, remote_id, body from fact where order_id = ?1").during(READ)?;
    let rows = statement
        .query_map([order_id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?)))
        .during(READ)?;
    let mut facts = Facts::default();
    for row in rows {
        let (kind, id, body) = row.during(READ)?;
        match kind.as_str() {
            "refund" => drop(facts.refunds.insert(id, from_json::<Refund>(READ, &body)?)),
            "transaction" => drop(facts.transactions.insert(id, from_json::<Movement>(READ, &body)?)),
            "cancelled" => facts.cancelled = Some(from_json::<Cancelled>(READ, &body)?),
            _ => facts.deleted = true,
        }
    }
    Ok(facts)
}

/// Notes where an order stands. True if that is news.
pub fn stand(
    tx: &Transaction<'_>,
    order_id: i64,
    state: State,
    reason: Option<&Reason>,
    trace: Option<&Trace>,
    now: Timestamp,
) -> Result<bool, Error> {
    let reason = reason.map(to_json);
    let was: (String, Option<String>) = tx
        .prepare_cached("select state, reason from orders where id = ?1")
        .during("read where an order stands")?
        .query_row([order_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .during("read where an order stands")?;
    let is_news = was.0 != state.word() || was.1 != reason;
    tx.prepare_cached(
        "update orders set state = ?2, reason = ?3, trace = coalesce(?4, trace), state_at = iif(?5, ?6, state_at)
         where id = ?1",
    )
    .during("note where an order stands")?
    .execute((order_id, state.word(), reason, trace.map(to_json), is_news, ms(now)))
    .during("note where an order stands")?;
    Ok(is_news)
}

/// Whether any order of a merchant waits for a person because it was given up.
pub fn has_failed(c: &Connection, merchant_id: i64) -> Result<bool, Error> {
    c.prepare_cached("select exists (select 1 from orders where state = 'failed' and merchant_id = ?1)")
        .during("ask whether an order has failed")?
        .query_row([merchant_id], |row| row.get(0))
        .during("ask whether an order has failed")
}

/// An order as lists and pages show it.
#[derive(Clone, Debug)]
pub struct Overview {
    pub id: i64,
    pub merchant_id: i64,
    pub merchant: String,
    pub remote_id: i64,
    pub name: String,
    pub state: State,
    pub state_at: Timestamp,
    pub reason: Option<Reason>,
    pub trace: Option<Trace>,
    pub placed_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub failures: u32,
}

const OVERVIEW: &str =
    "select o.id, o.merchant_id, m.slug, o.remote_id, o.name, o.state, o.state_at, o.reason, o.trace,
  o.placed_at, j.due_at, coalesce(j.failures, 0)
  from orders o join merchant m on m.id = o.merchant_id left join job j on j.kind = 'order' and j.subject = o.id";

fn overview(row: &Row<'_>) -> rusqlite::Result<Result<Overview, Error>> {
    const READ: &str = "read an order";
    let (id, merchant_id, merchant, remote_id, name) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    let (state, state_at): (String, i64) = (row.get(5)?, row.get(6)?);
    let (reason, trace): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
    let (placed_at, due_at, failures): (Option<i64>, Option<i64>, u32) = (row.get(9)?, row.get(10)?, row.get(11)?);
    let build = || {
        Ok(Overview {
            id,
            merchant_id,
            merchant,
            remote_id,
            name,
            state: word(READ, &state, State::parse(&state))?,
            state_at: at(state_at)?,
            reason: reason.map(|text| from_json(READ, &text)).transpose()?,
            trace: trace.map(|text| from_json(READ, &text)).transpose()?,
            placed_at: maybe_at(placed_at)?,
            due_at: maybe_at(due_at)?,
            failures,
        })
    };
    Ok(build())
}

/// When an order was first heard of.
pub fn known_since(c: &Connection, id: i64) -> Result<Timestamp, Error> {
    const READ: &str = "read since when an order is known";
    let created: i64 = c
        .prepare_cached("select created_at from orders where id = ?1")
        .during(READ)?
        .query_row([id], |row| row.get(0))
        .during(READ)?;
    at(created)
}

/// The order of our own id.
pub fn get(c: &Connection, id: i64) -> Result<Overview, Error> {
    c.prepare_cached(&format!("{OVERVIEW} where o.id = ?1"))
        .during("read an order")?
        .query_row([id], overview)
        .during("read an order")?
}

/// The orders a person means by Shopify's id, our id or the order's name, newest first.
pub fn find(c: &Connection, filter: Filter, text: &str, limit: u32) -> Result<Vec<Overview>, Error> {
    const FIND: &str = "find orders";
    let number: Option<i64> = text.parse().ok();
    let name = if text.starts_with('#') { text.to_owned() } else { format!("#{text}") };
    let sql = format!(
        "{OVERVIEW} where o.id in (
           select id from orders where name in (?2, ?3)
           union select id from orders where id = ?4
           union select orders.id from merchant cross join orders on orders.merchant_id = merchant.id and remote_id = ?4)
         and o.merchant_id = coalesce(?1, o.merchant_id) and +o.state = coalesce(?5, o.state) and +o.id < ?6"
    );
    let (state, before) = (filter.state.map(State::word), filter.before.unwrap_or(i64::MAX));
    let mut statement = c.prepare_cached(&sql).during(FIND)?;
    let fields = (filter.merchant_id, text, name, number, state, before);
    let rows = statement.query_map(fields, overview).during(FIND)?;
    // Each merchant has few of one name, so they are put in order here.
    let mut found = rows.map(|row| row.during(FIND)?).collect::<Result<Vec<_>, Error>>()?;
    found.sort_by_key(|order| std::cmp::Reverse(order.id));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The newest orders of a merchant that ever had a line with this SKU.
pub fn with_sku(c: &Connection, merchant_id: i64, sku: &Code, limit: u32) -> Result<Vec<i64>, Error> {
    const FIND: &str = "find orders by SKU";
    let mut statement = c
        .prepare_cached(
            "select order_id from order_sku where merchant_id = ?1 and sku = ?2 order by order_id desc limit ?3",
        )
        .during(FIND)?;
    let rows = statement.query_map((merchant_id, sku.as_str(), limit), |row| row.get(0)).during(FIND)?;
    rows.map(|row| row.during(FIND)).collect()
}

/// What the newest body says the whole order costs; none without a body, or once retention has taken it.
pub fn price(c: &Connection, id: i64) -> Result<Option<(Amount, Currency)>, Error> {
    const READ: &str = "read an order's price";
    let (total, currency): (Option<i64>, Option<String>) = c
        .prepare_cached("select snapshot ->> '$.total_price', snapshot ->> '$.currency' from orders where id = ?1")
        .during(READ)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .during(READ)?;
    let currency = currency.map(|code| word(READ, &code, Currency::parse(&code))).transpose()?;
    Ok(total.map(Amount).zip(currency))
}

/// Which orders a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub merchant_id: Option<i64>,
    pub state: Option<State>,
    /// Only orders older than this one: the next page.
    pub before: Option<i64>,
}

/// Orders, newest first.
pub fn list(c: &Connection, filter: Filter, limit: u32) -> Result<Vec<Overview>, Error> {
    const LIST: &str = "list orders";
    let state = filter.state.map(State::word);
    let before = filter.before.unwrap_or(i64::MAX);
    // One shape per filter, so that each walks an index from its newest end.
    let by = match (filter.merchant_id, state) {
        (None, None) => "?1 is null and ?2 is null",
        (Some(_), None) => "o.merchant_id = ?1 and ?2 is null",
        (None, Some(_)) => "?1 is null and o.state = ?2",
        (Some(_), Some(_)) => "o.merchant_id = ?1 and o.state = ?2",
    };
    let sql = format!("{OVERVIEW} where {by} and o.id < ?3 order by o.id desc limit ?4");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map((filter.merchant_id, state, before, limit), overview).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// How many orders stand where, per merchant.
pub fn counts(c: &Connection) -> Result<Vec<(i64, State, i64)>, Error> {
    const COUNT: &str = "count orders";
    let mut statement = c
        .prepare_cached(
            "select s.merchant_id, s.state, s.count from merchant m cross join standing s on s.merchant_id = m.id and s.hour = -1
             where s.count > 0 order by s.merchant_id, s.state",
        )
        .during(COUNT)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))).during(COUNT)?;
    rows.map(|row| {
        let (merchant, state, count) = row.during(COUNT)?;
        Ok((merchant, word(COUNT, &state, State::parse(&state))?, count))
    })
    .collect()
}

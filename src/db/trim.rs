//! Retention: what is taken away after its time, in small steps, so that no write is long.
//!
//! What stays for ever: that an order, a document, a fact or a ruling was, and what is frozen in documents. What waits for a
//! person or for the shop loses nothing, nor does what is in work. An order that was trimmed has no snapshot any more; what
//! was known when it lost it is noted in its trace, so that news can be told from repetition ([`left_of`]).

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Transaction};
use sha2::{Digest as _, Sha256};

use super::convert::{ms, to_json};
use super::order::{self, Overview, State};
use super::{Context as _, Error, ruling};
use crate::domain::trace::Step;

/// How long something is kept; `None` is for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// Bodies of deliveries.
    pub bodies: Option<SignedDuration>,
    /// Who bought, whatever the order waits for: no document needs it.
    pub buyers: Option<SignedDuration>,
    /// What settled and ignored orders hold beyond their documents.
    pub orders: Option<SignedDuration>,
    /// All that a closed merchant had; see [`super::leave`].
    pub closed: Option<SignedDuration>,
    /// Requests and answers.
    pub calls: Option<SignedDuration>,
    /// Mails that were sent or failed.
    pub mails: Option<SignedDuration>,
    /// Rows of the sync log, counters by the hour, closed alerts.
    pub log: Option<SignedDuration>,
}

/// What is taken away together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Bodies,
    Buyers,
    Orders,
    Calls,
    Mails,
    Log,
    /// How many rows the log had in an hour.
    Hours,
    Alerts,
    /// Wrong passwords of strangers.
    Tries,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Bodies,
        Self::Buyers,
        Self::Orders,
        Self::Calls,
        Self::Mails,
        Self::Log,
        Self::Hours,
        Self::Alerts,
        Self::Tries,
    ];
}

/// As long as signatures that failed are kept.
const TRIES: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Retention {
    /// How long a class is kept.
    #[must_use]
    pub fn of(&self, class: Class) -> Option<SignedDuration> {
        match class {
            Class::Bodies => self.bodies,
            Class::Buyers => self.buyers,
            Class::Orders => self.orders,
            Class::Calls => self.calls,
            Class::Mails => self.mails,
            Class::Log | Class::Hours | Class::Alerts => self.log,
            Class::Tries => Some(TRIES),
        }
    }
}

/// Where a walk from the oldest on stands: the time of the last row that was looked at, and its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place(i64, i64);

/// A row that has had its time.
struct Old {
    place: Place,
    /// It waits for somebody, or something is still to happen to it.
    stays: bool,
}

const BODIES: &str = "
select d.received_at, d.id, coalesce(o.state in ('new', 'working', 'waiting', 'held', 'failed'), 0)
from delivery d indexed by delivery_with_body left join orders o on o.id = d.order_id
where d.body is not null and d.received_at < ?1 and (d.received_at, d.id) > (?2, ?3)
order by d.received_at, d.id limit ?4";
const BUYERS: &str = "
select o.created_at, o.id, 0 from orders o indexed by orders_with_buyer
where o.buyer is not null and o.created_at < ?1 and (o.created_at, o.id) > (?2, ?3)
order by o.created_at, o.id limit ?4";
/// What the shop changed lately, what is asked for, and what has a document that somebody will look at, is not done with.
const ORDERS: &str = "
select o.state_at, o.id, o.version_at >= ?1
  or exists (select 1 from job j where j.kind = 'order' and j.subject = o.id
             and (j.due_at is not null or j.running_since is not null))
  or exists (select 1 from document d where d.order_id = o.id and (d.look_at is not null
             or d.state in ('planned', 'sending', 'in_doubt', 'replacing', 'replace_in_doubt')))
from orders o indexed by orders_to_trim
where o.snapshot is not null and o.state in ('settled', 'ignored') and o.state_at < ?1 and (o.state_at, o.id) > (?2, ?3)
order by o.state_at, o.id limit ?4";
const CALLS: &str = "
select a.started_at, a.id, coalesce(o.state in ('new', 'working', 'waiting', 'held', 'failed'), 0)
from attempt a left join orders o on o.id = a.order_id
where (a.request is not null or a.answer is not null) and a.started_at < ?1 and (a.started_at, a.id) > (?2, ?3)
order by a.started_at, a.id limit ?4";
const MAILS: &str = "
select m.created_at, m.id, m.state not in ('sent', 'failed')
from mail m indexed by mail_by_time where m.created_at < ?1 and (m.created_at, m.id) > (?2, ?3)
order by m.created_at, m.id limit ?4";
const LOG: &str = "
select l.at, l.id, coalesce(o.state in ('new', 'working', 'waiting', 'held', 'failed'), 0)
from sync_log l indexed by sync_log_by_time left join orders o on o.id = l.order_id
where l.at < ?1 and (l.at, l.id) > (?2, ?3)
order by l.at, l.id limit ?4";

/// Takes away what is older than a time, looking at so many rows from a place on. Returns the next place, or none when all
/// were looked at.
pub fn step(
    tx: &Transaction<'_>,
    class: Class,
    kept: SignedDuration,
    from: Place,
    rows: u32,
    now: Timestamp,
) -> Result<Option<Place>, Error> {
    let before = now - kept;
    match class {
        Class::Bodies => {
            walk(tx, BODIES, before, from, rows, |id| execute(tx, "update delivery set body = null where id = ?1", id))
        }
        Class::Buyers => {
            walk(tx, BUYERS, before, from, rows, |id| execute(tx, "update orders set buyer = null where id = ?1", id))
        }
        Class::Orders => walk(tx, ORDERS, before, from, rows, |id| forget(tx, id, kept, now)),
        Class::Calls => walk(tx, CALLS, before, from, rows, |id| {
            execute(tx, "update attempt set request = null, answer = null where id = ?1", id)
        }),
        Class::Mails => walk(tx, MAILS, before, from, rows, |id| execute(tx, "delete from mail where id = ?1", id)),
        Class::Log => walk(tx, LOG, before, from, rows, |id| execute(tx, "delete from sync_log where id = ?1", id)),
        Class::Hours => hours(tx, before, from, rows),
        Class::Alerts => few(
            tx,
            "delete from alert where id in (select id from alert where closed_at < ?1 limit ?2)",
            ms(before),
            from,
            rows,
        ),
        Class::Tries => few(
            tx,
            "delete from tally where (kind, subject, window_at) in (
               select kind, subject, window_at from tally where kind = 'login' and window_at < ?1 limit ?2)",
            ms(before),
            from,
            rows,
        ),
    }
}

const TRIM: &str = "take away what has had its time";

fn walk(
    tx: &Transaction<'_>,
    sql: &str,
    before: Timestamp,
    from: Place,
    rows: u32,
    take: impl Fn(i64) -> Result<(), Error>,
) -> Result<Option<Place>, Error> {
    const LOOK: &str = "look for what has had its time";
    let mut statement = tx.prepare_cached(sql).during(LOOK)?;
    let found = statement
        .query_map((ms(before), from.0, from.1, rows), |row| {
            Ok(Old { place: Place(row.get(0)?, row.get(1)?), stays: row.get(2)? })
        })
        .during(LOOK)?;
    let old = found.collect::<rusqlite::Result<Vec<_>>>().during(LOOK)?;
    for row in old.iter().filter(|row| !row.stays) {
        take(row.place.1)?;
    }
    let is_all = u32::try_from(old.len()).is_ok_and(|found| found < rows);
    Ok(old.last().map(|row| row.place).filter(|_| !is_all))
}

fn execute(tx: &Transaction<'_>, sql: &str, id: i64) -> Result<(), Error> {
    tx.prepare_cached(sql).during(TRIM)?.execute([id]).during(TRIM)?;
    Ok(())
}

/// The counters of hours whose rows are gone; those of all hours together stay.
fn hours(tx: &Transaction<'_>, before: Timestamp, from: Place, rows: u32) -> Result<Option<Place>, Error> {
    let hour = super::pulse::hour(before);
    let mut next = None;
    for sql in [
        "delete from happening where (merchant_id, hour, status) in (
           select h.merchant_id, h.hour, h.status from merchant m cross join happening h on h.merchant_id = m.id
           where h.hour >= 0 and h.hour < ?1 limit ?2)",
        "delete from pace where (merchant_id, hour, within) in (
           select p.merchant_id, p.hour, p.within from merchant m cross join pace p on p.merchant_id = m.id
           where p.hour >= 0 and p.hour < ?1 limit ?2)",
    ] {
        next = next.or(few(tx, sql, hour, from, rows)?);
    }
    Ok(next)
}

/// Deletes so many at most; as long as there were so many there may be more.
fn few(tx: &Transaction<'_>, sql: &str, before: i64, from: Place, rows: u32) -> Result<Option<Place>, Error> {
    let gone = tx.prepare_cached(sql).during(TRIM)?.execute((before, rows)).during(TRIM)?;
    Ok(u32::try_from(gone).map_or(Some(from), |gone| (gone >= rows).then_some(from)))
}

/// An order loses what the shop said of it, why it was decided so, and its buyer.
fn forget(tx: &Transaction<'_>, id: i64, kept: SignedDuration, now: Timestamp) -> Result<(), Error> {
    let order = order::get(tx, id)?;
    let step = Step::Trimmed { at: now, days: kept.as_hours() / 24, known: known(tx, &order)? };
    tx.prepare_cached("update orders set snapshot = null, buyer = null, trace = ?2 where id = ?1")
        .during(TRIM)?
        .execute((id, to_json(&[step])))
        .during(TRIM)?;
    Ok(())
}

/// What is left of an order without a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Only facts came so far.
    Unborn,
    /// Retention took it, and nothing is known since that could change anything.
    AsItWas,
    /// Retention took it, and something came since: nobody can say what that means without the order.
    News,
}

/// Tells news of an order without a snapshot from repetition.
pub fn left_of(c: &Connection, order: &Overview) -> Result<Left, Error> {
    let Some([Step::Trimmed { known: before, .. }]) = order.trace.as_deref() else { return Ok(Left::Unborn) };
    let is_done = matches!(order.state, State::Settled | State::Ignored);
    Ok(if is_done && *before == known(c, order)? { Left::AsItWas } else { Left::News })
}

/// What of an order could lead to something else than where it stands: the facts, unless it was passed over whatever
/// happens to it, and what people decided that is in force.
fn known(c: &Connection, order: &Overview) -> Result<String, Error> {
    let facts = if order.state == State::Ignored { String::new() } else { to_json(&order::facts(c, order.id)?) };
    let rulings = ruling::in_force(c, order.id)?;
    let rulings = rulings.into_iter().map(|ruling| format!(" {} {:?}", ruling.word(), ruling.document()));
    let text = rulings.fold(facts, |text, ruling| text + &ruling);
    Ok(Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

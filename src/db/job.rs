//! The queue: at most one row per subject, so bursts melt into one and nothing is worked on twice at once.
//!
//! An ask bumps `asked` and brings the due time nearer, but never nearer than `not_before`, which back-off, settling and
//! pauses set. A job is parked (no due time) only if nobody asked since it was claimed. No leases: one process.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::convert::{maybe_at, ms, word};
use super::{Context as _, Error};

/// A claimed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: i64,
    /// Order, or merchant for a chore.
    pub subject: i64,
    pub merchant_id: i64,
    /// The value of `asked` when the run began.
    pub asked: i64,
    pub failures: u32,
}

/// Chores: work that is not about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// Ask a merchant's Daftra account who it is.
    Account,
    /// Look for orders of a merchant's shop that no webhook told of.
    CatchUp,
    /// See to it that the shop tells us of everything.
    Subscriptions,
    /// Look for which of the shop's variants a product is found.
    Catalogue,
    /// Look for documents in Daftra that name our orders and are not ours.
    Namesakes,
}

impl Chore {
    const ALL: [Self; 5] = [Self::Account, Self::CatchUp, Self::Subscriptions, Self::Catalogue, Self::Namesakes];

    fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::CatchUp => "catch_up",
            Self::Subscriptions => "subscriptions",
            Self::Catalogue => "catalogue",
            Self::Namesakes => "reconcile",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chore| chore.word() == word)
    }
}

/// Asks for an order to be looked at. `fresh` means that something new is known: earlier failures no longer count.
pub fn ask(tx: &Transaction<'_>, order_id: i64, merchant_id: i64, now: Timestamp, fresh: bool) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into job (kind, subject, merchant_id, due_at) values ('order', ?1, ?2, ?3)
         on conflict (kind, subject) do update set
           asked = asked + 1,
           due_at = iif(running_since is not null, due_at, min(coalesce(due_at, 1 << 60), max(?3, not_before))),
           failures = iif(?4, 0, failures)",
    )
    .during("ask for an order")?
    .execute((order_id, merchant_id, ms(now), fresh))
    .during("ask for an order")?;
    Ok(())
}

/// Asks for a chore about a subject, at a time.
pub fn ask_chore(tx: &Transaction<'_>, chore: Chore, subject: i64, due: Timestamp) -> Result<(), Error> {
    tx.execute(
        "insert into job (kind, subject, merchant_id, due_at) values (?1, ?2, ?2, ?3)
         on conflict (kind, subject) do update set asked = asked + 1, due_at = min(coalesce(due_at, 1 << 60), ?3)",
        (chore.word(), subject, ms(due)),
    )
    .during("ask for a chore")?;
    Ok(())
}

/// The next order to work on: from the account served longest ago, then the merchant, then the oldest. Accounts with as
/// many running jobs as allowed, and accounts and merchants that wait, are passed over, so a slow address holds few
/// workers.
const CLAIM: &str = "
update job set running_since = :now where id = (
  select id from job
  where kind = 'order' and running_since is null and due_at <= :now and merchant_id = (
    select id from merchant
    where account_id = (
        select id from account
        where not_before <= :now
          and :at_once > (select count(*) from job r indexed by job_running cross join merchant m on m.id = r.merchant_id
                   where r.running_since is not null and r.kind = 'order' and m.account_id = account.id)
          and 1 = (select 1 from merchant m
                   where m.account_id = account.id and m.mode in ('live', 'shadow') and m.not_before <= :now
                     and 1 = (select 1 from job d where d.kind = 'order' and d.merchant_id = m.id
                              and d.due_at <= :now and d.running_since is null limit 1) limit 1)
        order by served_at, id limit 1)
      and mode in ('live', 'shadow') and not_before <= :now
      and 1 = (select 1 from job d where d.kind = 'order' and d.merchant_id = merchant.id
               and d.due_at <= :now and d.running_since is null limit 1)
    order by served_at, id limit 1)
  order by due_at limit 1)
returning id, subject, merchant_id, asked, failures";

/// Claims the next order, if one is due.
pub fn claim(tx: &Transaction<'_>, now: Timestamp, at_once: u32) -> Result<Option<Job>, Error> {
    let job = tx
        .prepare_cached(CLAIM)
        .during("claim a job")?
        .query_row(rusqlite::named_params! { ":now": ms(now), ":at_once": at_once }, from_row)
        .optional()
        .during("claim a job")?;
    if let Some(job) = &job {
        tx.prepare_cached(
            "update account set served_at = max(?2, (select max(served_at) from account) + 1)
             where id = (select account_id from merchant where id = ?1)",
        )
        .during("note who was served")?
        .execute((job.merchant_id, ms(now)))
        .during("note who was served")?;
        tx.prepare_cached(
            "update merchant set served_at = max(?2, 1 + (select max(peer.served_at) from merchant peer
                                                          where peer.account_id = merchant.account_id))
             where id = ?1",
        )
        .during("note who was served")?
        .execute((job.merchant_id, ms(now)))
        .during("note who was served")?;
        tx.prepare_cached(
            "update orders set state = 'working', reason = null, state_at = ?2 where id = ?1 and state = 'new'",
        )
        .during("note that an order is worked on")?
        .execute((job.subject, ms(now)))
        .during("note that an order is worked on")?;
    }
    Ok(job)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        subject: row.get(1)?,
        merchant_id: row.get(2)?,
        asked: row.get(3)?,
        failures: row.get(4)?,
    })
}

/// The next chore that is due.
pub fn claim_chore(tx: &Transaction<'_>, now: Timestamp) -> Result<Option<(Chore, Job)>, Error> {
    const CLAIM: &str = "claim a chore";
    let claimed = tx.query_row(
        "update job set running_since = ?1 where id = (
           select id from job indexed by job_chore
           where due_at is not null and running_since is null and kind <> 'order' and due_at <= ?1
           order by due_at limit 1)
         returning id, subject, merchant_id, asked, failures, kind",
        [ms(now)],
        |row| Ok((row.get::<_, String>(5)?, from_row(row)?)),
    );
    let Some((kind, job)) = claimed.optional().during(CLAIM)? else { return Ok(None) };
    Ok(Some((word(CLAIM, &kind, Chore::parse(&kind))?, job)))
}

/// When a run ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// When someone asks.
    WhenAsked,
    /// At a time, or when someone asks.
    At(Timestamp),
    /// At a time and, whoever asks, not before.
    NotBefore(Timestamp),
}

impl Again {
    /// The same, but for a time that is over: then so much later than now.
    #[must_use]
    pub fn later_than(self, now: Timestamp, gap: SignedDuration) -> Self {
        let later = |at: Timestamp| if at > now { at } else { now + gap };
        match self {
            Self::WhenAsked => Self::WhenAsked,
            Self::At(at) => Self::At(later(at)),
            Self::NotBefore(at) => Self::NotBefore(later(at)),
        }
    }
}

/// Ends a run that came to a decision.
pub fn settle(tx: &Transaction<'_>, job: &Job, again: Again, now: Timestamp) -> Result<(), Error> {
    let (due, not_before) = match again {
        Again::WhenAsked => (None, now),
        Again::At(at) => (Some(at), now),
        Again::NotBefore(at) => (Some(at), at),
    };
    tx.prepare_cached(
        "update job set running_since = null, failures = 0, answered = ?2, not_before = ?4,
           due_at = iif(asked = ?2, ?3, min(coalesce(?3, 1 << 60), max(?5, ?4)))
         where id = ?1",
    )
    .during("settle a job")?
    .execute((job.id, job.asked, due.map(ms), ms(not_before), ms(now)))
    .during("settle a job")?;
    Ok(())
}

/// Whether anybody asked since the run began.
pub fn was_asked_since(c: &Connection, job: &Job) -> Result<bool, Error> {
    c.prepare_cached("select asked > ?2 from job where id = ?1")
        .during("ask whether a job was asked for anew")?
        .query_row((job.id, job.asked), |row| row.get(0))
        .during("ask whether a job was asked for anew")
}

/// Ends a run that could not be carried on for a while, through no fault of the order: failures are unchanged.
pub fn put_back(tx: &Transaction<'_>, job: &Job, until: Timestamp) -> Result<(), Error> {
    tx.prepare_cached("update job set running_since = null, due_at = ?2, not_before = ?2 where id = ?1")
        .during("put a job back")?
        .execute((job.id, ms(until)))
        .during("put a job back")?;
    Ok(())
}

/// Ends a run that failed; it is tried again at a time, or parked for a person, unless something new came during the
/// run: whoever gave up did not know it.
pub fn fail(tx: &Transaction<'_>, job: &Job, again: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached(
        "update job set running_since = null, failures = failures + 1, due_at = iif(?2 is null and asked > ?3, ?4, ?2),
           not_before = coalesce(?2, 0), answered = iif(?2 is null, ?3, answered)
         where id = ?1",
    )
    .during("fail a job")?
    .execute((job.id, again.map(ms), job.asked, ms(now)))
    .during("fail a job")?;
    Ok(())
}

/// After a start nothing runs: whatever says so was cut off. How many that were.
pub fn recover(tx: &Transaction<'_>, now: Timestamp) -> Result<usize, Error> {
    const RECOVER: &str = "recover jobs";
    // Apart, because what runs of the orders has an index, and what is no order's is little.
    let orders = tx
        .execute(
            "update job indexed by job_running set running_since = null, due_at = coalesce(due_at, ?1)
             where kind = 'order' and running_since is not null",
            [ms(now)],
        )
        .during(RECOVER)?;
    let chores = tx
        .execute(
            "update job set running_since = null, due_at = coalesce(due_at, ?1)
             where (kind < 'order' or kind > 'order') and running_since is not null",
            [ms(now)],
        )
        .during(RECOVER)?;
    Ok(orders + chores)
}

/// A person says: now, whatever was waited for. Failures are forgotten.
pub fn hurry(tx: &Transaction<'_>, order_id: i64, merchant_id: i64, now: Timestamp) -> Result<(), Error> {
    ask(tx, order_id, merchant_id, now, true)?;
    tx.execute(
        "update job set not_before = 0, due_at = iif(running_since is null, ?2, due_at)
         where kind = 'order' and subject = ?1",
        (order_id, ms(now)),
    )
    .during("hurry an order")?;
    Ok(())
}

/// The earliest time at which an order can be claimed, as far as pauses say; a time that has passed means that the
/// accounts in question have as many running jobs as they may.
pub fn next_claim(c: &Connection) -> Result<Option<Timestamp>, Error> {
    let due: Option<i64> = c
        .prepare_cached(
            "select min(max(m.not_before, a.not_before,
               (select min(d.due_at) from job d where d.kind = 'order' and d.merchant_id = m.id
                and d.due_at is not null and d.running_since is null)))
             from merchant m join account a on a.id = m.account_id where m.mode in ('live', 'shadow')",
        )
        .during("ask when an order is due")?
        .query_row([], |row| row.get(0))
        .during("ask when an order is due")?;
    maybe_at(due)
}

/// When the next chore is due.
pub fn next_chore(c: &Connection) -> Result<Option<Timestamp>, Error> {
    let due: Option<i64> = c
        .prepare_cached(
            "select min(due_at) from job indexed by job_chore
             where due_at is not null and running_since is null and kind <> 'order'",
        )
        .during("ask when a chore is due")?
        .query_row([], |row| row.get(0))
        .during("ask when a chore is due")?;
    maybe_at(due)
}

/// How many order jobs are due or running: what a drained queue has none of.
pub fn unfinished(c: &Connection, now: Timestamp) -> Result<i64, Error> {
    c.query_row(
        "select (select count(*) from job indexed by job_running
                   where kind = 'order' and running_since is not null)
           + coalesce(sum((select count(*) from job d where d.kind = 'order' and d.merchant_id = m.id
                           and d.due_at <= ?1 and d.running_since is null)), 0)
         from merchant m",
        [ms(now)],
        |row| row.get(0),
    )
    .during("count unfinished jobs")
}

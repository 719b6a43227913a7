//! What an operator must know and nobody stumbles over: questions that the upkeep asks each minute, answered from ends of
//! indexes and counters, so that they cost the same after a year.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::alert::{Cause, Conditions, Standing};
use super::convert::ms;
use super::merchant::{self, Merchant, Mode};
use super::pulse::{DEEPEST, queue};
use super::scope::Scope;
use super::sight::Sight;
use super::{Context as _, Error, account, mail, notice, privacy, rejection};

/// From when on something is worth an alert.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A document that has been in doubt for so long.
    pub in_doubt: SignedDuration,
    /// An order that has been held for so long.
    pub hold: SignedDuration,
    /// An order that has been due for so long, while nothing forbids to work on it.
    pub queue_age: SignedDuration,
}

/// What is the case, as far as the database tells.
pub fn conditions(c: &Connection, limits: &Limits, now: Timestamp) -> Result<Conditions, Error> {
    let merchants = merchant::all(c)?;
    let mut found = Conditions::from([
        (Cause::InDoubt, in_doubt(c, now - limits.in_doubt)?),
        (Cause::Signatures, signatures(c, now)?),
        (Cause::Privacy, asked_by_customers(c, now)?),
        (Cause::Uninstalled, without_app(c)?),
        (Cause::Messages, messages(c, now)?),
    ]);
    let mut note = |cause, merchant_id, count: u32| {
        let subjects: &mut BTreeMap<_, _> = found.entry(cause).or_default();
        if count > 0 {
            subjects.insert(subject(merchant_id), Standing { merchant_id: Some(merchant_id), count: count.into() });
        }
    };
    for merchant in &merchants {
        note(Cause::Holds, merchant.id, held_since(c, merchant.id, now - limits.hold)?);
        let depth = overdue(c, merchant, now - limits.queue_age, now)?;
        note(Cause::Queue, merchant.id, depth);
    }
    // Nobody looks after what a closed merchant has left, but for what its customers asked for.
    let closed: Vec<i64> = merchants.iter().filter(|one| one.mode == Mode::Closed).map(|one| one.id).collect();
    let is_closed = |standing: &Standing| standing.merchant_id.is_some_and(|id| closed.contains(&id));
    for (_, subjects) in found.iter_mut().filter(|(cause, _)| **cause != Cause::Privacy) {
        subjects.retain(|_, standing| !is_closed(standing));
    }
    Ok(found)
}

/// How alerts name a merchant.
#[must_use]
pub fn subject(merchant_id: i64) -> String {
    format!("merchant {merchant_id}")
}

/// Whether orders that may be worked on have been due since then, and none of their account was begun meanwhile: a queue
/// that is only long moves, one that stands still has no server behind it.
pub fn is_stuck(c: &Connection, since: Timestamp) -> Result<bool, Error> {
    const ASK: &str = "ask whether the queue stands still";
    c.prepare_cached(
        "select exists (
           select 1 from merchant m join account a on a.id = m.account_id
           where m.mode in ('live', 'shadow') and m.not_before <= ?1 and a.not_before <= ?1 and a.served_at <= ?1
             and 1 = (select 1 from job d where d.kind = 'order' and d.merchant_id = m.id
                      and d.due_at <= ?1 and d.running_since is null limit 1))",
    )
    .during(ASK)?
    .query_row([ms(since)], |row| row.get(0))
    .during(ASK)
}

/// Documents of which it has not been known since then whether Daftra has them, by merchant.
fn in_doubt(c: &Connection, since: Timestamp) -> Result<BTreeMap<String, Standing>, Error> {
    let mut found = BTreeMap::<String, Standing>::new();
    for doubt in Sight::of(c, &Scope::All).doubts(None, usize::MAX)?.into_iter().filter(|doubt| doubt.since <= since) {
        let merchant_id = Some(doubt.merchant_id);
        found.entry(subject(doubt.merchant_id)).or_insert(Standing { merchant_id, count: 0 }).count += 1;
    }
    Ok(found)
}

/// What was asked for in the name of customers, is not done, and has not long to wait.
fn asked_by_customers(c: &Connection, now: Timestamp) -> Result<BTreeMap<String, Standing>, Error> {
    let mut found = BTreeMap::<String, Standing>::new();
    for state in [privacy::State::Open, privacy::State::Doing] {
        for request in privacy::in_state(c, state)?.into_iter().filter(|request| request.due_at - privacy::NEAR <= now)
        {
            let merchant_id = Some(request.merchant_id);
            found.entry(subject(request.merchant_id)).or_insert(Standing { merchant_id, count: 0 }).count += 1;
        }
    }
    Ok(found)
}

/// Ways by which nothing gets out.
fn messages(c: &Connection, now: Timestamp) -> Result<BTreeMap<String, Standing>, Error> {
    let mut found = BTreeMap::new();
    for channel in notice::CHANNELS {
        if notice::is_failing(c, channel, now)? {
            found.insert(channel.to_owned(), Standing { merchant_id: None, count: 1 });
        }
    }
    if let Some(waiting) = mail::stuck(c, now)? {
        found.insert("mail".to_owned(), Standing { merchant_id: None, count: waiting });
    }
    Ok(found)
}

/// Shops that removed our app.
fn without_app(c: &Connection) -> Result<BTreeMap<String, Standing>, Error> {
    let merchants = privacy::without_app(c)?.into_iter();
    Ok(merchants.map(|id| (subject(id), Standing { merchant_id: Some(id), count: 1 })).collect())
}

/// Where deliveries come in whose signatures prove nothing.
fn signatures(c: &Connection, now: Timestamp) -> Result<BTreeMap<String, Standing>, Error> {
    let rises = rejection::rising(&Sight::of(c, &Scope::All).rejected(now)?);
    let of = |rise: rejection::Rise| {
        let subject = rise.merchant_id.map_or_else(|| "nobody".to_owned(), subject);
        (subject, Standing { merchant_id: rise.merchant_id, count: rise.day })
    };
    Ok(rises.into_iter().map(of).collect())
}

/// Of the held orders that came in first, how many have been held since then.
fn held_since(c: &Connection, merchant_id: i64, since: Timestamp) -> Result<u32, Error> {
    const COUNT: &str = "count orders that are held for long";
    let mut statement = c
        .prepare_cached("select state_at from orders where merchant_id = ?1 and state = 'held' order by id limit ?2")
        .during(COUNT)?;
    let rows = statement.query_map((merchant_id, DEEPEST), |row| row.get(0)).during(COUNT)?;
    let held = rows.collect::<rusqlite::Result<Vec<i64>>>().during(COUNT)?;
    Ok(u32::try_from(held.into_iter().filter(|at| *at <= ms(since)).count()).unwrap_or(DEEPEST))
}

/// How many orders wait, if the first of them could have been worked on since then.
fn overdue(c: &Connection, merchant: &Merchant, since: Timestamp, now: Timestamp) -> Result<u32, Error> {
    let Some(account_id) = merchant.account_id else { return Ok(0) };
    match merchant.mode {
        Mode::Live | Mode::Shadow => {}
        Mode::Paused | Mode::Closed => return Ok(0),
    }
    let queue = queue(c, merchant.id, now)?;
    let may_since = merchant.not_before.max(account::get(c, account_id)?.not_before);
    Ok(queue.oldest.filter(|oldest| may_since.max(*oldest) <= since).map_or(0, |_| queue.depth))
}

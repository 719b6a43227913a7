//! What was told of alerts beside mail: one row per word and channel, written in the transaction that notes the word at the
//! alert, sent later in the order in which it was said.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::alert::{Alert, Cause};
use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::sight::Sight;
use super::{Context as _, Error, account, merchant, pulse};
use crate::domain::telling::{Facts, Pace, Stage, Standing, next};

/// Words of the channels beside mail.
pub const CHANNELS: [&str; 2] = ["telegram", "webhook"];
/// Failures in a row of one channel after which that is an alert itself.
const FAILING: u32 = 3;
/// What failed for good says so for this long: nobody can try a channel again but by the next word.
const LATELY: SignedDuration = SignedDuration::from_hours(24);
/// After so many failures of one row nobody tries any more.
pub const MOST_FAILURES: u32 = 12;

/// A word that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub stage: Stage,
    pub facts: Facts,
    subject: String,
}

impl Word {
    /// That a way out fails is not told by that way.
    #[must_use]
    pub fn may_go_by(&self, way: &str) -> bool {
        self.facts.cause != Cause::Messages.word() || self.subject != way
    }
}

/// A row to send.
#[derive(Clone, Debug)]
pub struct Notice {
    pub id: i64,
    pub channel: String,
    pub stage: Stage,
    pub facts: Facts,
    pub failures: u32,
    pub created_at: Timestamp,
}

/// What came of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// It is tried again then.
    Later {
        why: String,
        due_at: Timestamp,
    },
    Failed {
        why: String,
    },
}

/// A row as pages show it.
#[derive(Clone, Debug)]
pub struct Told {
    pub channel: String,
    pub stage: Stage,
    /// `queued`, `sent` or `failed`.
    pub state: String,
    pub state_at: Timestamp,
    pub problem: Option<String>,
}

struct Candidate {
    id: i64,
    cause: String,
    subject: String,
    merchant_id: Option<i64>,
    count: i64,
    standing: Standing,
}

/// What is to be told now.
pub fn due(c: &Connection, pace: Pace, now: Timestamp) -> Result<Vec<Word>, Error> {
    let mut words = Vec::new();
    for candidate in candidates(c)? {
        if let Some((stage, from)) = next(&candidate.standing, pace)
            && from <= now
        {
            words.push(word_of(c, candidate, stage, now)?);
        }
    }
    Ok(words)
}

/// Notes that it is told, and queues it for these channels.
pub fn tell<'a>(
    tx: &Transaction<'_>,
    word: &Word,
    channels: impl Iterator<Item = &'a str>,
    now: Timestamp,
) -> Result<(), Error> {
    const TELL: &str = "tell of an alert";
    let Word { stage, facts, .. } = word;
    tx.prepare_cached("update alert set told = ?2, told_at = ?3 where id = ?1")
        .during(TELL)?
        .execute((facts.alert, stage.word(), ms(now)))
        .during(TELL)?;
    let facts_column = to_json(facts);
    for channel in channels.filter(|channel| word.may_go_by(channel)) {
        tx.prepare_cached(
            "insert into notice (alert_id, channel, stage, facts, due_at, created_at, state_at)
             values (?1, ?2, ?3, ?4, ?5, ?5, ?5)",
        )
        .during(TELL)?
        .execute((facts.alert, channel, stage.word(), &facts_column, ms(now)))
        .during(TELL)?;
    }
    Ok(())
}

/// The next row of a channel and when it is due: the first that was said, so that nothing is over before it opened.
pub fn first(c: &Connection, channel: &str) -> Result<Option<(Notice, Timestamp)>, Error> {
    const READ: &str = "read what is to be told";
    c.prepare_cached(
        "select id, channel, stage, facts, failures, created_at, due_at from notice
         where state = 'queued' and channel = ?1 order by id limit 1",
    )
    .during(READ)?
    .query_row([channel], |row| {
        let (stage, facts): (String, String) = (row.get(2)?, row.get(3)?);
        let (created, due): (i64, i64) = (row.get(5)?, row.get(6)?);
        let (id, channel, failures) = (row.get(0)?, row.get(1)?, row.get(4)?);
        let build = || {
            let (stage, facts) = (word(READ, &stage, Stage::parse(&stage))?, from_json(READ, &facts)?);
            Ok((Notice { id, channel, stage, facts, failures, created_at: at(created)? }, at(due)?))
        };
        Ok(build())
    })
    .optional()
    .during(READ)?
    .transpose()
}

/// Notes what came of it.
pub fn settle(tx: &Transaction<'_>, id: i64, outcome: &Outcome, now: Timestamp) -> Result<(), Error> {
    const SETTLE: &str = "note what came of telling";
    let (state, due, problem) = match outcome {
        Outcome::Sent => ("sent", None, None),
        Outcome::Later { why, due_at } => ("queued", Some(ms(*due_at)), Some(why)),
        Outcome::Failed { why } => ("failed", None, Some(why)),
    };
    let failed = u8::from(problem.is_some());
    tx.prepare_cached(
        "update notice set state = ?2, due_at = ?3, problem = ?4, failures = failures + ?5, state_at = ?6 where id = ?1",
    )
    .during(SETTLE)?
    .execute((id, state, due, problem, failed, ms(now)))
    .during(SETTLE)?;
    Ok(())
}

/// Rows of a channel that are not sent yet.
pub fn waiting_for(c: &Connection, channel: &str) -> Result<i64, Error> {
    const COUNT: &str = "count what is to be told";
    c.prepare_cached("select count(*) from notice where state = 'queued' and channel = ?1")
        .during(COUNT)?
        .query_row([channel], |row| row.get(0))
        .during(COUNT)
}

/// Whether nothing gets out by a channel: the first in line failed again and again, or the last one failed for good within a day.
pub fn is_failing(c: &Connection, channel: &str, now: Timestamp) -> Result<bool, Error> {
    const ASK: &str = "ask whether a channel fails";
    let failures = c
        .prepare_cached("select failures from notice where state = 'queued' and channel = ?1 order by id limit 1")
        .during(ASK)?
        .query_row([channel], |row| row.get::<_, u32>(0))
        .optional()
        .during(ASK)?;
    if failures.is_some_and(|failures| failures >= FAILING) {
        return Ok(true);
    }
    let last = c
        .prepare_cached(
            "select state, state_at from notice where channel = ?1 and state <> 'queued' order by id desc limit 1",
        )
        .during(ASK)?
        .query_row([channel], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .optional()
        .during(ASK)?;
    Ok(last.is_some_and(|(state, at)| state == "failed" && at >= ms(now - LATELY)))
}

fn candidates(c: &Connection) -> Result<Vec<Candidate>, Error> {
    const READ: &str = "read which alerts may be told";
    const SELECT: &str = "select id, cause, subject, merchant_id, count, opened_at, closed_at, told, told_at,
        (select max(b.told_at) from alert b where b.cause = alert.cause and b.subject = alert.subject
         and b.told_at is not null and b.id < alert.id) from alert indexed by";
    const OPEN: &str = "alert_open where closed_at is null";
    const TO_END: &str = "alert_to_end where closed_at is not null and told in ('opened', 'reminder')";
    let mut all = Vec::new();
    for which in [OPEN, TO_END] {
        let mut statement = c.prepare_cached(&format!("{SELECT} {which} order by id")).during(READ)?;
        let rows = statement.query_map([], candidate).during(READ)?;
        for row in rows {
            all.push(row.during(READ)??);
        }
    }
    Ok(all)
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Result<Candidate, Error>> {
    const READ: &str = "read which alerts may be told";
    let (id, cause, subject, merchant_id, count) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    let (opened, closed, told): (i64, Option<i64>, Option<String>) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let (told_at, before): (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
    let build = || {
        let stage = told.map(|told| word(READ, &told, Stage::parse(&told))).transpose()?;
        let standing = Standing {
            opened_at: at(opened)?,
            closed_at: maybe_at(closed)?,
            told: stage.zip(maybe_at(told_at)?),
            told_before: maybe_at(before)?,
        };
        Ok(Candidate { id, cause, subject, merchant_id, count, standing })
    };
    Ok(build())
}

fn word_of(c: &Connection, candidate: Candidate, stage: Stage, now: Timestamp) -> Result<Word, Error> {
    let Candidate { id, cause, subject, merchant_id, count, standing } = candidate;
    let known = merchant_id.map(|id| merchant::get(c, id)).transpose()?;
    let account_id = subject.strip_prefix("account ").and_then(|id| id.parse::<i64>().ok());
    let address = account_id.map(|id| account::get(c, id)).transpose()?.map(|account| account.address);
    let rest = subject.split_once(": ").map(|(_, rest)| rest.to_owned());
    let facts = Facts {
        alert: id,
        waiting: waiting(c, &cause, merchant_id, account_id, now)?,
        cause,
        merchant: known.map(|merchant| (merchant.name, merchant.slug)),
        particular: address.or(rest),
        count,
        opened_at: standing.opened_at,
        closed_at: standing.closed_at,
    };
    Ok(Word { stage, facts, subject })
}

/// How many orders are due and cannot go on, where the cause keeps them; and those that were tried and put back until the
/// pause ends.
fn waiting(
    c: &Connection,
    cause: &str,
    merchant_id: Option<i64>,
    account_id: Option<i64>,
    now: Timestamp,
) -> Result<Option<u32>, Error> {
    if ![Cause::Trouble, Cause::Outage].map(Cause::word).contains(&cause) {
        return Ok(None);
    }
    let concerned = merchant::all(c)?.into_iter().filter(|merchant| {
        Some(merchant.id) == merchant_id || account_id.is_some() && merchant.account_id == account_id
    });
    const COUNT: &str = "count the orders that wait";
    let mut count = c
        .prepare_cached(
            "select count(*) from (select 1 from job where kind = 'order' and merchant_id = ?1 and running_since is null
               and due_at <= ?3 and (due_at <= ?2 or due_at = not_before) limit ?4)",
        )
        .during(COUNT)?;
    let mut sum = 0_u32;
    for merchant in concerned {
        let account = merchant.account_id.map(|id| account::get(c, id)).transpose()?;
        let paused = account.map_or(merchant.not_before, |account| account.not_before.max(merchant.not_before));
        let values = (merchant.id, ms(now), ms(now.max(paused)), pulse::DEEPEST);
        sum = sum.saturating_add(count.query_row(values, |row| row.get(0)).during(COUNT)?);
    }
    Ok(Some(sum))
}

impl Sight<'_> {
    /// What was told of an alert beside mail, newest first, for whoever may see all.
    pub fn told_of(&self, alert: &Alert) -> Result<Vec<Told>, Error> {
        if self.is_whole() { of_alert(self.connection(), alert.id) } else { Ok(Vec::new()) }
    }
}

/// What was told of an alert, newest first.
fn of_alert(c: &Connection, alert_id: i64) -> Result<Vec<Told>, Error> {
    const LIST: &str = "list what was told";
    let mut statement = c
        .prepare_cached(
            "select channel, stage, state, state_at, problem from notice where alert_id = ?1 order by id desc limit 20",
        )
        .during(LIST)?;
    let rows = statement
        .query_map([alert_id], |row| {
            let (stage, state_at): (String, i64) = (row.get(1)?, row.get(3)?);
            let (channel, state, problem) = (row.get(0)?, row.get(2)?, row.get(4)?);
            let build = || {
                let stage = word(LIST, &stage, Stage::parse(&stage))?;
                Ok(Told { channel, stage, state, state_at: at(state_at)?, problem })
            };
            Ok(build())
        })
        .during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

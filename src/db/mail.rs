//! The outbox: news in, mails out, one row per news and recipient.
//!
//! The way of a mail: [`tell`] (or [`put`], for what is about no order) in the transaction that makes the news; [`take`] marks
//! the next due one as under way, and that is committed before anybody is called; [`settle`] says how it ended. What was under
//! way when the program ended is put back by [`recover`], and counts as in doubt: it is sent again under the same Message-ID.
//! Nothing here waits for a mail server, and no order waits for any of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::sight::Sight;
use super::{Context as _, Error, account, data_key, document, order, setting};
use crate::domain::document::Document;
use crate::domain::news::{Kind, Problem};

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes out when its time comes.
    Queued,
    /// It is being handed over at this moment.
    Sending,
    /// The mail server took it.
    Sent,
    /// The server will not have it, or it was tried for too long.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Sending, Self::Sent, Self::Failed];

    /// As it stands in the database and in addresses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == text)
    }
}

/// A mail to be. Both blobs are sealed by the caller.
#[derive(Clone, Debug)]
pub struct New {
    /// Says the news and the recipient; the same key again changes nothing.
    pub key: String,
    pub kind: Kind,
    /// None: to the operator, about no merchant.
    pub merchant_id: Option<i64>,
    pub order_id: Option<i64>,
    pub recipient: Vec<u8>,
    pub content: Vec<u8>,
    /// What stands before its @; the same at every try.
    pub message_id: String,
    pub due_at: Timestamp,
}

/// A mail in the outbox.
#[derive(Clone, Debug)]
pub struct Mail {
    pub id: i64,
    /// What its seals are bound to.
    pub key: String,
    pub kind: Kind,
    pub merchant_id: Option<i64>,
    pub order_id: Option<i64>,
    pub recipient: Vec<u8>,
    /// None: the customer it mentioned was forgotten.
    pub content: Option<Vec<u8>>,
    /// How many news it stands for.
    pub count: u32,
    pub message_id: String,
    pub state: State,
    pub due_at: Option<Timestamp>,
    /// Tries that failed.
    pub failures: u32,
    /// Tries whose end was never learned: it may have arrived then, too.
    pub doubts: u32,
    pub problem: Option<Problem>,
    pub created_at: Timestamp,
    pub state_at: Timestamp,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Sent,
    /// Not taken: again then.
    Later {
        until: Timestamp,
        problem: Problem,
    },
    /// Perhaps taken: again then, under the same Message-ID.
    InDoubt {
        until: Timestamp,
    },
    /// It is not tried again by itself.
    Failed(Problem),
}

/// What happened, for whoever gets mails about it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub kind: Kind,
    pub order_id: i64,
    pub document_id: Option<i64>,
    /// Of an updated invoice, as JSON: what it was, and what it is.
    pub changes: Option<&'a str>,
}

/// The same, when it is read.
#[derive(Clone, Debug)]
pub struct News {
    pub id: i64,
    pub kind: Kind,
    pub merchant_id: i64,
    pub order_id: i64,
    pub document_id: Option<i64>,
    pub changes: Option<String>,
    pub at: Timestamp,
}

/// Notes news in the transaction that makes it. Nothing is noted while mails are off, of a merchant who is not live, and where
/// nobody gets mails of the kind.
pub fn tell(tx: &Transaction<'_>, told: Told<'_>, now: Timestamp) -> Result<(), Error> {
    const TELL: &str = "note news for the outbox";
    tx.prepare_cached(
        "insert into mail_news (kind, order_id, document_id, changes, at)
         select ?1, o.id, ?3, ?4, ?5 from orders o join merchant m on m.id = o.merchant_id
         where o.id = ?2 and m.mode = 'live' and exists (select 1 from setting where key = ?6)
           and exists (select 1 from mail_recipient r, json_each(r.kinds) k where r.merchant_id = m.id and k.value = ?1)",
    )
    .during(TELL)?
    .execute((told.kind.word(), told.order_id, told.document_id, told.changes, ms(now), setting::MAILS_SINCE))
    .during(TELL)?;
    Ok(())
}

/// Whether mails are on. When they go off, what was noted and never became a mail is dropped, and what waits does not go out
/// by itself any more: weeks later nobody wants it.
pub fn switch(tx: &Transaction<'_>, is_on: bool, now: Timestamp) -> Result<(), Error> {
    const SWITCH: &str = "switch mails on or off";
    if is_on {
        if setting::time(tx, setting::MAILS_SINCE)?.is_none() {
            setting::set_time(tx, setting::MAILS_SINCE, now)?;
        }
        return Ok(());
    }
    tx.execute("delete from setting where key = ?1", [setting::MAILS_SINCE]).during(SWITCH)?;
    tx.execute("delete from mail_news", []).during(SWITCH)?;
    tx.execute(
        "update mail set state = 'failed', due_at = null, problem = ?1, state_at = ?2 where state in ('queued', 'sending')",
        (to_json(&Problem::Off), ms(now)),
    )
    .during(SWITCH)?;
    Ok(())
}

/// Whether mails are on.
pub fn is_on(c: &Connection) -> Result<bool, Error> {
    Ok(setting::time(c, setting::MAILS_SINCE)?.is_some())
}

/// The oldest news of which no mails were made yet.
pub fn news(c: &Connection) -> Result<Option<News>, Error> {
    const READ: &str = "read the news";
    let row = c
        .prepare_cached(
            "select n.id, n.kind, o.merchant_id, n.order_id, n.document_id, n.changes, n.at
             from mail_news n cross join orders o on o.id = n.order_id order by n.id limit 1",
        )
        .during(READ)?
        .query_row([], |row| {
            let (kind, told_at): (String, i64) = (row.get(1)?, row.get(6)?);
            Ok((row.get(0)?, kind, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, told_at))
        })
        .optional()
        .during(READ)?;
    let Some((id, kind, merchant_id, order_id, document_id, changes, told_at)) = row else { return Ok(None) };
    let kind = word(READ, &kind, Kind::parse(&kind))?;
    Ok(Some(News { id, kind, merchant_id, order_id, document_id, changes, at: at(told_at)? }))
}

/// Mails were made of it. False: somebody took it away meanwhile.
pub fn done_with(tx: &Transaction<'_>, news: i64) -> Result<bool, Error> {
    const DONE: &str = "be done with news";
    let gone = tx.prepare_cached("delete from mail_news where id = ?1").during(DONE)?.execute([news]).during(DONE)?;
    Ok(gone > 0)
}

/// Puts a mail into the outbox. False: it is there already.
pub fn put(tx: &Transaction<'_>, new: &New, now: Timestamp) -> Result<bool, Error> {
    insert(tx, new, now, "on conflict (dedupe_key) do nothing")
}

/// The same for a mail that counts: one that still waits stands for one more.
pub fn put_or_count(tx: &Transaction<'_>, new: &New, now: Timestamp) -> Result<bool, Error> {
    insert(tx, new, now, "on conflict (dedupe_key) do update set count = count + 1 where state = 'queued'")
}

fn insert(tx: &Transaction<'_>, new: &New, now: Timestamp, conflict: &str) -> Result<bool, Error> {
    const PUT: &str = "put a mail into the outbox";
    let sql = format!(
        "insert into mail (dedupe_key, kind, merchant_id, order_id, recipient, content, message_id, due_at, created_at, state_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) {conflict}"
    );
    let New { key, kind, merchant_id, order_id, recipient, content, message_id, due_at } = new;
    let changed = tx
        .prepare_cached(&sql)
        .during(PUT)?
        .execute((key, kind.word(), merchant_id, order_id, recipient, content, message_id, ms(*due_at), ms(now)))
        .during(PUT)?;
    Ok(changed > 0)
}

/// How many mails of a kind a merchant's recipient was given since.
pub fn how_many(c: &Connection, merchant_id: i64, kind: Kind, since: Timestamp) -> Result<u32, Error> {
    const COUNT: &str = "count a merchant's mails";
    c.prepare_cached("select count(*) from mail where merchant_id = ?1 and kind = ?2 and created_at >= ?3")
        .during(COUNT)?
        .query_row((merchant_id, kind.word(), ms(since)), |row| row.get(0))
        .during(COUNT)
}

const COLUMNS: &str =
    "id, dedupe_key, kind, merchant_id, order_id, recipient, content, count, message_id, state, due_at,
  failures, doubts, problem, created_at, state_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Mail, Error>> {
    const READ: &str = "read a mail";
    let (id, key, merchant_id, order_id) = (row.get(0)?, row.get(1)?, row.get(3)?, row.get(4)?);
    let (kind, state, problem): (String, String, Option<String>) = (row.get(2)?, row.get(9)?, row.get(13)?);
    let (recipient, content, count, message_id) = (row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?);
    let (due_at, failures, doubts): (Option<i64>, _, _) = (row.get(10)?, row.get(11)?, row.get(12)?);
    let (created_at, state_at): (i64, i64) = (row.get(14)?, row.get(15)?);
    let build = || {
        Ok(Mail {
            id,
            key,
            kind: word(READ, &kind, Kind::parse(&kind))?,
            merchant_id,
            order_id,
            recipient,
            content,
            count,
            message_id,
            state: word(READ, &state, State::parse(&state))?,
            due_at: maybe_at(due_at)?,
            failures,
            doubts,
            // One of a later version says nothing here, and stops nobody.
            problem: problem.and_then(|text| from_json(READ, &text).ok()),
            created_at: at(created_at)?,
            state_at: at(state_at)?,
        })
    };
    Ok(build())
}

/// Takes the next due mail and marks it as under way; its content is there.
pub fn take(tx: &Transaction<'_>, now: Timestamp) -> Result<Option<Mail>, Error> {
    const TAKE: &str = "take the next mail";
    let sql = format!(
        "update mail set state = 'sending', due_at = null, state_at = ?1 where id = (
           select id from mail indexed by mail_due where state = 'queued' and due_at <= ?1 order by due_at, id limit 1)
         returning {COLUMNS}"
    );
    tx.prepare_cached(&sql).during(TAKE)?.query_row([ms(now)], from_row).optional().during(TAKE)?.transpose()
}

/// When the next mail is due.
pub fn next_due(c: &Connection) -> Result<Option<Timestamp>, Error> {
    const ASK: &str = "ask when the next mail is due";
    let due = c
        .prepare_cached("select min(due_at) from mail indexed by mail_due where state = 'queued'")
        .during(ASK)?
        .query_row([], |row| row.get(0))
        .during(ASK)?;
    maybe_at(due)
}

/// Notes how a try ended. What mentions a customer who was forgotten meanwhile is not kept.
pub fn settle(tx: &Transaction<'_>, id: i64, ended: &Ended, now: Timestamp) -> Result<(), Error> {
    const SETTLE: &str = "note how a mail ended";
    let (state, due_at, is_failure, is_doubt, problem) = match ended {
        Ended::Sent => (State::Sent, None, false, false, None),
        Ended::Later { until, problem } => (State::Queued, Some(*until), true, false, Some(problem)),
        Ended::InDoubt { until } => (State::Queued, Some(*until), true, true, Some(&Problem::InDoubt)),
        Ended::Failed(problem) => (State::Failed, None, true, *problem == Problem::InDoubt, Some(problem)),
    };
    tx.prepare_cached(
        "update mail set state = ?2, due_at = ?3, failures = failures + ?4, doubts = doubts + ?5, problem = ?6, state_at = ?7,
           content = iif(?3 is null and exists (select 1 from orders o where o.id = order_id and o.redacted_at is not null),
             null, content)
         where id = ?1 and state = 'sending'",
    )
    .during(SETTLE)?
    .execute((id, state.word(), due_at.map(ms), is_failure, is_doubt, problem.map(to_json), ms(now)))
    .during(SETTLE)?;
    // What was under way while its customer was forgotten is not sent again.
    tx.prepare_cached(
        "update mail set state = 'failed', due_at = null, content = null, problem = ?2
         where id = ?1 and state = 'queued' and exists (select 1 from orders o where o.id = order_id and o.redacted_at is not null)",
    )
    .during(SETTLE)?
    .execute((id, to_json(&Problem::Forgotten)))
    .during(SETTLE)?;
    Ok(())
}

/// At the start nothing is under way: whether what was has arrived is not known.
pub fn recover(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Error> {
    const RECOVER: &str = "put back mails that were cut off";
    tx.prepare_cached(
        "update mail indexed by mail_under_way set state = 'failed', content = null, problem = ?1, state_at = ?2
         where state = 'sending' and exists (select 1 from orders o where o.id = order_id and o.redacted_at is not null)",
    )
    .during(RECOVER)?
    .execute((to_json(&Problem::Forgotten), ms(now)))
    .during(RECOVER)?;
    tx.prepare_cached(
        "update mail indexed by mail_under_way set state = 'queued', due_at = ?1, doubts = doubts + 1, problem = ?2, state_at = ?1
         where state = 'sending'",
    )
    .during(RECOVER)?
    .execute((ms(now), to_json(&Problem::InDoubt)))
    .during(RECOVER)?;
    Ok(())
}

/// A person wants it sent (again). False: its content is not kept, or it is on its way already.
pub fn resend(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<bool, Error> {
    const RESEND: &str = "send a mail again";
    let changed = tx
        .prepare_cached(
            "update mail set state = 'queued', due_at = ?2, failures = 0, doubts = 0, state_at = ?2
             where id = ?1 and content is not null and state <> 'sending'",
        )
        .during(RESEND)?
        .execute((id, ms(now)))
        .during(RESEND)?;
    Ok(changed > 0)
}

/// The mail of our own id.
pub fn get(c: &Connection, id: i64) -> Result<Mail, Error> {
    const READ: &str = "read a mail";
    let sql = format!("select {COLUMNS} from mail where id = ?1");
    c.prepare_cached(&sql).during(READ)?.query_row([id], from_row).during(READ)?
}

/// Which mails a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    pub merchant_id: Option<i64>,
    pub state: Option<State>,
    /// Only mails older than this one: the next page.
    pub before: Option<i64>,
}

/// Mails, newest first.
pub fn list(c: &Connection, filter: Filter, limit: u32) -> Result<Vec<Mail>, Error> {
    const LIST: &str = "list mails";
    // One shape per filter, so that each walks an index from its newest end.
    let by = match (filter.merchant_id, filter.state) {
        (None, None) => "?1 is null and ?2 is null",
        (Some(_), None) => "merchant_id = ?1 and ?2 is null",
        (None, Some(_)) => "?1 is null and state = ?2",
        (Some(_), Some(_)) => "merchant_id = ?1 and state = ?2",
    };
    let sql = format!("select {COLUMNS} from mail where {by} and id < ?3 order by id desc limit ?4");
    let (state, before) = (filter.state.map(State::word), filter.before.unwrap_or(i64::MAX));
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map((filter.merchant_id, state, before, limit), from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// The mails about an order, oldest first.
pub fn of_order(c: &Connection, order_id: i64) -> Result<Vec<Mail>, Error> {
    const LIST: &str = "list the mails about an order";
    let sql = format!("select {COLUMNS} from mail where order_id = ?1 order by id");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map([order_id], from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// How the outbox stands: how many wait and since when the oldest of them does, how many failed of those of the last day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub waiting: u32,
    pub oldest: Option<Timestamp>,
    pub failed: u32,
}

/// Counts no more than that many of either.
const MOST_COUNTED: u32 = 10_000;

/// How the outbox stands.
pub fn standing(c: &Connection, since: Timestamp) -> Result<Standing, Error> {
    const ASK: &str = "ask how the outbox stands";
    let (waiting, oldest) = c
        .prepare_cached(
            "select count(*), min(created_at) from (
               select created_at from mail indexed by mail_due where state = 'queued' limit ?1)",
        )
        .during(ASK)?
        .query_row([MOST_COUNTED], |row| Ok((row.get(0)?, row.get(1)?)))
        .during(ASK)?;
    let failed = c
        .prepare_cached(
            "select count(*) from (
               select 1 from mail indexed by mail_by_time where created_at >= ?1 and state = 'failed' limit ?2)",
        )
        .during(ASK)?
        .query_row((ms(since), MOST_COUNTED), |row| row.get(0))
        .during(ASK)?;
    Ok(Standing { waiting, oldest: maybe_at(oldest)?, failed })
}

/// So long a mail was tried in vain before that is an alert.
const STUCK: SignedDuration = SignedDuration::from_mins(30);
/// Failures of one mail that are no chance any more.
const OFTEN: u32 = 3;
/// Mails that failed for good say so for this long.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// How many mails do not get out: those that were tried in vain for long, or the last three if all of them were refused.
pub(super) fn stuck(c: &Connection, now: Timestamp) -> Result<Option<i64>, Error> {
    const ASK: &str = "ask whether mails fail";
    if !is_on(c)? {
        return Ok(None);
    }
    let waiting: i64 = c
        .prepare_cached(
            "select count(*) from mail indexed by mail_due where state = 'queued' and failures >= ?1 and created_at <= ?2",
        )
        .during(ASK)?
        .query_row((OFTEN, ms(now - STUCK)), |row| row.get(0))
        .during(ASK)?;
    if waiting > 0 {
        return Ok(Some(waiting));
    }
    let mut failed = c
        .prepare_cached(
            "select id, created_at from mail where state = 'failed' and problem ->> '$.problem' not in ('forgotten', 'off')
             order by id desc limit 3",
        )
        .during(ASK)?;
    let rows = failed.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).during(ASK)?;
    let failed = rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>().during(ASK)?;
    let &[_, _, (third, created)] = failed.as_slice() else { return Ok(None) };
    let sent: Option<i64> = c
        .prepare_cached("select max(id) from mail where state = 'sent'")
        .during(ASK)?
        .query_row([], |row| row.get(0))
        .during(ASK)?;
    Ok((sent.is_none_or(|sent| sent < third) && created >= ms(now - LATELY)).then_some(1))
}

/// Whether the customer of an order was forgotten.
pub fn is_forgotten(c: &Connection, order_id: i64) -> Result<bool, Error> {
    const ASK: &str = "ask whether a customer was forgotten";
    c.prepare_cached("select exists (select 1 from orders where id = ?1 and redacted_at is not null)")
        .during(ASK)?
        .query_row([order_id], |row| row.get(0))
        .during(ASK)
}

/// Takes away what mails say of an order; those that wait do not go out any more.
pub fn forget(tx: &Transaction<'_>, order_id: i64, now: Timestamp) -> Result<u64, Error> {
    const FORGET: &str = "forget what mails say of an order";
    tx.prepare_cached("update mail_news set changes = null where order_id = ?1")
        .during(FORGET)?
        .execute([order_id])
        .during(FORGET)?;
    let gone = tx
        .prepare_cached(
            "update mail set content = null, problem = iif(state = 'queued', ?2, problem), due_at = null,
               state_at = iif(state = 'queued', ?3, state_at), state = iif(state = 'queued', 'failed', state)
             where order_id = ?1 and content is not null and state <> 'sending'",
        )
        .during(FORGET)?
        .execute((order_id, to_json(&Problem::Forgotten), ms(now)))
        .during(FORGET)?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}

/// Who gets mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    pub id: i64,
    pub merchant_id: i64,
    /// Sealed.
    pub address: Vec<u8>,
    /// As a tag: `ar` or `en`.
    pub language: String,
    pub kinds: BTreeSet<Kind>,
}

/// The recipients of a merchant, oldest first.
pub fn recipients(c: &Connection, merchant_id: i64) -> Result<Vec<Recipient>, Error> {
    const LIST: &str = "list who gets mails";
    let mut statement = c
        .prepare_cached("select id, address, language, kinds from mail_recipient where merchant_id = ?1 order by id")
        .during(LIST)?;
    let rows = statement
        .query_map([merchant_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?)))
        .during(LIST)?;
    rows.map(|row| {
        let (id, address, language, kinds) = row.during(LIST)?;
        Ok(Recipient { id, merchant_id, address, language, kinds: from_json(LIST, &kinds)? })
    })
    .collect()
}

/// Somebody gets mails from now on. Returns our id.
pub fn add_recipient(
    tx: &Transaction<'_>,
    merchant_id: i64,
    address: &[u8],
    language: &str,
    kinds: &BTreeSet<Kind>,
    now: Timestamp,
) -> Result<i64, Error> {
    const ADD: &str = "add somebody who gets mails";
    tx.prepare_cached(
        "insert into mail_recipient (merchant_id, address, language, kinds, created_at) values (?1, ?2, ?3, ?4, ?5)",
    )
    .during(ADD)?
    .execute((merchant_id, address, language, to_json(kinds), ms(now)))
    .during(ADD)?;
    Ok(tx.last_insert_rowid())
}

/// Somebody gets others than before, or in another language.
pub fn change_recipient(tx: &Transaction<'_>, id: i64, language: &str, kinds: &BTreeSet<Kind>) -> Result<(), Error> {
    const CHANGE: &str = "change what somebody gets mails about";
    tx.prepare_cached("update mail_recipient set language = ?2, kinds = ?3 where id = ?1")
        .during(CHANGE)?
        .execute((id, language, to_json(kinds)))
        .during(CHANGE)?;
    Ok(())
}

/// Somebody gets no more.
pub fn remove_recipient(tx: &Transaction<'_>, id: i64) -> Result<(), Error> {
    const REMOVE: &str = "remove somebody who gets mails";
    tx.prepare_cached("delete from mail_recipient where id = ?1").during(REMOVE)?.execute([id]).during(REMOVE)?;
    Ok(())
}

/// The words of a mail that are a merchant's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    pub subject: String,
    pub greeting: String,
    pub closing: String,
}

/// A merchant's own words for a kind, if it has any.
pub fn wording(c: &Connection, merchant_id: i64, kind: Kind, language: &str) -> Result<Option<Wording>, Error> {
    const READ: &str = "read a merchant's words for a mail";
    c.prepare_cached(
        "select subject, greeting, closing from mail_wording where merchant_id = ?1 and kind = ?2 and language = ?3",
    )
    .during(READ)?
    .query_row((merchant_id, kind.word(), language), |row| {
        Ok(Wording { subject: row.get(0)?, greeting: row.get(1)?, closing: row.get(2)? })
    })
    .optional()
    .during(READ)
}

/// Keeps a merchant's own words, or with none goes back to ours.
pub fn set_wording(
    tx: &Transaction<'_>,
    merchant_id: i64,
    kind: Kind,
    language: &str,
    own: Option<&Wording>,
) -> Result<(), Error> {
    const SET: &str = "keep a merchant's words for a mail";
    match own {
        None => tx
            .prepare_cached("delete from mail_wording where merchant_id = ?1 and kind = ?2 and language = ?3")
            .during(SET)?
            .execute((merchant_id, kind.word(), language)),
        Some(own) => tx
            .prepare_cached(
                "insert into mail_wording (merchant_id, kind, language, subject, greeting, closing)
                 values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict (merchant_id, kind, language)
                 do update set subject = excluded.subject, greeting = excluded.greeting, closing = excluded.closing",
            )
            .during(SET)?
            .execute((merchant_id, kind.word(), language, &own.subject, &own.greeting, &own.closing)),
    }
    .during(SET)?;
    Ok(())
}

/// An order with which a kind of mail can be shown.
#[derive(Clone, Debug)]
pub struct Sample {
    pub order: order::Overview,
    pub documents: Vec<Document>,
    /// Of the accounts in which they lie.
    pub addresses: BTreeMap<i64, String>,
}

/// So many of the newest orders are looked at for one that fits.
const SAMPLED: u32 = 50;

impl Sight<'_> {
    /// The data key, sealed.
    pub fn data_key(&self) -> Result<Option<(i64, Vec<u8>)>, Error> {
        data_key::newest(self.connection())
    }

    /// The newest order of a merchant that a mail of this kind could be about, else the newest with an invoice.
    pub fn mail_sample(&self, merchant_id: i64, kind: Kind) -> Result<Option<Sample>, Error> {
        self.allow(merchant_id)?;
        let c = self.connection();
        let state = match kind {
            Kind::Held => Some(order::State::Held),
            Kind::Failed => Some(order::State::Failed),
            Kind::Created
            | Kind::Updated
            | Kind::Cancelled
            | Kind::More
            | Kind::Trial
            | Kind::Alert
            | Kind::Summary => None,
        };
        let mut best = None;
        for order in order::list(c, order::Filter { merchant_id: Some(merchant_id), state, before: None }, SAMPLED)? {
            let documents = document::of_order(c, order.id)?;
            let exists =
                |is: &dyn Fn(&Document) -> bool| documents.iter().any(|one| is(one) && one.remote_id.is_some());
            let (is_billed, is_refunded) =
                (exists(&|one| one.invoice().is_some()), exists(&|one| one.receipt().is_some()));
            let fits = if kind == Kind::Cancelled { is_refunded } else { state.is_some() || is_billed };
            if fits || (best.is_none() && is_billed) {
                best = Some((order, documents));
            }
            if fits {
                break;
            }
        }
        let Some((order, documents)) = best else { return Ok(None) };
        let mut addresses = BTreeMap::new();
        for document in &documents {
            addresses.insert(document.account_id, account::get(c, document.account_id)?.address);
        }
        Ok(Some(Sample { order, documents, addresses }))
    }

    /// How the outbox stands, for those who see all.
    pub fn outbox(&self, since: Timestamp) -> Result<Option<Standing>, Error> {
        if self.is_whole() { standing(self.connection(), since).map(Some) } else { Ok(None) }
    }

    /// Mails about merchants in scope, newest first; the operator's for those who see all.
    pub fn mails(&self, filter: Filter, limit: u32) -> Result<Vec<Mail>, Error> {
        match filter.merchant_id {
            Some(id) => self.allow(id)?,
            None => self.only_whole()?,
        }
        list(self.connection(), filter, limit)
    }

    /// Mails to those who run the server, newest first; nothing for whoever is limited to merchants.
    pub fn mails_to_operators(&self, limit: u32) -> Result<Vec<Mail>, Error> {
        const LIST: &str = "list the mails to those who run the server";
        if !self.is_whole() {
            return Ok(Vec::new());
        }
        let sql = format!("select {COLUMNS} from mail where merchant_id is null order by id desc limit ?1");
        let mut statement = self.connection().prepare_cached(&sql).during(LIST)?;
        let rows = statement.query_map([limit], from_row).during(LIST)?;
        rows.map(|row| row.during(LIST)?).collect()
    }

    /// One of them.
    pub fn mail_to_operators(&self, id: i64) -> Result<Mail, Error> {
        self.only_whole()?;
        let mail = get(self.connection(), id)?;
        if mail.merchant_id.is_none() { Ok(mail) } else { Err(Error::NotFound { context: "find a mail" }) }
    }

    /// The mails about an order.
    pub fn mails_of_order(&self, order_id: i64) -> Result<Vec<Mail>, Error> {
        self.order(order_id)?;
        of_order(self.connection(), order_id)
    }

    /// Who gets a merchant's mails.
    pub fn mail_recipients(&self, merchant_id: i64) -> Result<Vec<Recipient>, Error> {
        self.allow(merchant_id)?;
        recipients(self.connection(), merchant_id)
    }

    /// A merchant's own words for a kind of mail.
    pub fn mail_wording(&self, merchant_id: i64, kind: Kind, language: &str) -> Result<Option<Wording>, Error> {
        self.allow(merchant_id)?;
        wording(self.connection(), merchant_id, kind, language)
    }
}

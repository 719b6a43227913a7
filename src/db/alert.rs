//! Alerts: one open row per cause and subject, counted.
//!
//! Some are raised and closed by the step that knows the cause. Others are conditions that somebody has to look for: the
//! upkeep says each minute what is the case ([`stand`]), and a row opens, is counted or closes accordingly. What is closed
//! stays as history until retention takes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, Transaction};

use super::convert::{at, maybe_at, ms};
use super::sight::Sight;
use super::{Context as _, Error};

/// What an operator must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A merchant's key or address does not work.
    Trouble,
    /// The plan of a merchant's Daftra account has ended.
    Expired,
    /// A Daftra account does not answer.
    Outage,
    /// An order was given up.
    Failed,
    /// A body could not be read.
    Unreadable,
    /// A merchant's payments name what the account does not have.
    Payments,
    /// It has not been known for long whether Daftra has a document.
    InDoubt,
    /// Orders have waited for a person for long.
    Holds,
    /// Deliveries prove nothing, and more of them than before.
    Signatures,
    /// Orders are due for long and not looked at.
    Queue,
    /// The data folder is nearly full.
    Disk,
    /// Our time is not that of others, or went back.
    Clock,
    /// No good copy of the database was made for long.
    Backup,
    /// The certificate ends soon, or could not be renewed.
    Certificate,
    /// What a shop asks for in the name of a customer must be done soon.
    Privacy,
    /// A shop removed our app.
    Uninstalled,
    /// The API of a merchant's shop does not open.
    ShopApi,
    /// Orders that a shop's API lists and does not give.
    Unread,
    /// A shop had stopped telling us of something, and tells us again.
    Subscriptions,
    /// Mails, or what an operator should hear of by another way, do not get out.
    Messages,
    /// Somebody else makes documents of our orders in Daftra.
    SecondConnector,
    /// Numbers of orders that nobody told of.
    Gaps,
    /// A shop that is usually busy tells of nothing.
    Silence,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::Trouble,
        Self::Expired,
        Self::Outage,
        Self::Failed,
        Self::Unreadable,
        Self::Payments,
        Self::InDoubt,
        Self::Holds,
        Self::Signatures,
        Self::Queue,
        Self::Disk,
        Self::Clock,
        Self::Backup,
        Self::Certificate,
        Self::Privacy,
        Self::Uninstalled,
        Self::ShopApi,
        Self::Unread,
        Self::Subscriptions,
        Self::Messages,
        Self::SecondConnector,
        Self::Gaps,
        Self::Silence,
    ];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Expired => "expired",
            Self::Outage => "outage",
            Self::Failed => "failed",
            Self::Unreadable => "unreadable",
            Self::Payments => "payments",
            Self::InDoubt => "in_doubt",
            Self::Holds => "holds",
            Self::Signatures => "signatures",
            Self::Queue => "queue",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Backup => "backup",
            Self::Certificate => "certificate",
            Self::Privacy => "privacy",
            Self::Uninstalled => "uninstalled",
            Self::ShopApi => "shop_api",
            Self::Unread => "unread",
            Self::Subscriptions => "subscriptions",
            Self::Messages => "messages",
            Self::SecondConnector => "second_connector",
            Self::Gaps => "gaps",
            Self::Silence => "silence",
        }
    }

    /// The cause of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.word() == word)
    }
}

/// Opens an alert, or counts it once more.
pub fn raise(
    tx: &Transaction<'_>,
    cause: Cause,
    subject: &str,
    merchant_id: Option<i64>,
    now: Timestamp,
) -> Result<(), Error> {
    tx.prepare_cached(
        "insert into alert (cause, subject, merchant_id, opened_at, seen_at) values (?1, ?2, ?3, ?4, ?4)
         on conflict (cause, subject) where closed_at is null do update set count = count + 1, seen_at = excluded.seen_at",
    )
    .during("raise an alert")?
    .execute((cause.word(), subject, merchant_id, ms(now)))
    .during("raise an alert")?;
    Ok(())
}

/// The cause is gone.
pub fn close(tx: &Transaction<'_>, cause: Cause, subject: &str, now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached("update alert set closed_at = ?3 where cause = ?1 and subject = ?2 and closed_at is null")
        .during("close an alert")?
        .execute((cause.word(), subject, ms(now)))
        .during("close an alert")?;
    Ok(())
}

/// The cause is gone, unless it was seen after a time.
pub fn close_seen_before(
    tx: &Transaction<'_>,
    cause: Cause,
    subject: &str,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    tx.prepare_cached(
        "update alert set closed_at = ?4 where cause = ?1 and subject = ?2 and closed_at is null and seen_at < ?3",
    )
    .during("close an alert")?
    .execute((cause.word(), subject, ms(before), ms(now)))
    .during("close an alert")?;
    Ok(())
}

/// These are a merchant's alerts of one cause now: the others are closed.
pub fn set(
    tx: &Transaction<'_>,
    cause: Cause,
    merchant_id: i64,
    subjects: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(), Error> {
    const OPEN: &str = "read a merchant's open alerts";
    let mut statement = tx
        .prepare_cached("select subject from alert where cause = ?1 and merchant_id = ?2 and closed_at is null")
        .during(OPEN)?;
    let rows = statement.query_map((cause.word(), merchant_id), |row| row.get::<_, String>(0)).during(OPEN)?;
    for subject in rows {
        let subject = subject.during(OPEN)?;
        if !subjects.contains(&subject) {
            close(tx, cause, &subject, now)?;
        }
    }
    subjects.iter().try_for_each(|subject| raise(tx, cause, subject, Some(merchant_id), now))
}

/// That something is the case, of one subject: whose it is, and how much of it there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub merchant_id: Option<i64>,
    pub count: i64,
}

/// What is the case, by cause and subject. A cause of which nothing is the case stands here, too, with nothing.
pub type Conditions = BTreeMap<Cause, BTreeMap<String, Standing>>;

/// An open alert that says the same for so long says when it was seen last.
const SEEN_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Whether the open alerts of these causes say just that already, so that nothing need be written.
pub fn is_told(c: &Connection, conditions: &Conditions, now: Timestamp) -> Result<bool, Error> {
    for (cause, subjects) in conditions {
        let open = standing(c, *cause)?;
        let is_same = |(subject, known): (&String, &Known)| {
            subjects.get(subject).is_some_and(|one| one.count == known.count)
                && now.duration_since(known.seen_at).abs() < SEEN_AGAIN
        };
        if open.len() != subjects.len() || !open.iter().all(is_same) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// This is the case now: alerts of these causes open, are counted anew, or close.
pub fn stand(tx: &Transaction<'_>, conditions: &Conditions, now: Timestamp) -> Result<(), Error> {
    const STAND: &str = "say what is the case";
    for (cause, subjects) in conditions {
        let open = standing(tx, *cause)?;
        for subject in open.keys().filter(|subject| !subjects.contains_key(*subject)) {
            close(tx, *cause, subject, now)?;
        }
        for (subject, Standing { merchant_id, count }) in subjects {
            tx.prepare_cached(
                "insert into alert (cause, subject, merchant_id, count, opened_at, seen_at) values (?1, ?2, ?3, ?4, ?5, ?5)
                 on conflict (cause, subject) where closed_at is null
                 do update set count = excluded.count, seen_at = excluded.seen_at",
            )
            .during(STAND)?
            .execute((cause.word(), subject, merchant_id, (*count).max(1), ms(now)))
            .during(STAND)?;
        }
    }
    Ok(())
}

struct Known {
    count: i64,
    seen_at: Timestamp,
}

fn standing(c: &Connection, cause: Cause) -> Result<BTreeMap<String, Known>, Error> {
    const READ: &str = "read the open alerts of a cause";
    let mut statement = c
        .prepare_cached("select subject, count, seen_at from alert where cause = ?1 and closed_at is null")
        .during(READ)?;
    let rows = statement
        .query_map([cause.word()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, i64>(2)?)))
        .during(READ)?;
    rows.map(|row| {
        let (subject, count, seen_at) = row.during(READ)?;
        Ok((subject, Known { count, seen_at: at(seen_at)? }))
    })
    .collect()
}

/// Alerts of a cause that nobody takes back close when it did not come again for so long. True if there were any.
pub fn close_quiet(tx: &Transaction<'_>, cause: Cause, since: Timestamp, now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached("update alert set closed_at = ?3 where cause = ?1 and seen_at < ?2 and closed_at is null")
        .during("close quiet alerts")?
        .execute((cause.word(), ms(since), ms(now)))
        .during("close quiet alerts")?;
    Ok(())
}

/// Whether any open alert of a cause was not seen since.
pub fn has_quiet(c: &Connection, cause: Cause, since: Timestamp) -> Result<bool, Error> {
    const ASK: &str = "look for quiet alerts";
    c.prepare_cached("select exists (select 1 from alert where cause = ?1 and seen_at < ?2 and closed_at is null)")
        .during(ASK)?
        .query_row((cause.word(), ms(since)), |row| row.get(0))
        .during(ASK)
}

/// Of closed merchants, and of accounts that nobody works with, nothing is wrong any more that anybody would look after.
const MOOT: &str = "closed_at is null and (
    (cause <> 'privacy' and merchant_id in (select id from merchant where mode = 'closed'))
    or (cause = 'outage' and subject not in
        (select 'account ' || account_id from merchant where mode in ('live', 'shadow') and account_id is not null)))";

/// Whether there are any such alerts.
pub fn has_moot(c: &Connection) -> Result<bool, Error> {
    const ASK: &str = "look for alerts that are nobody's";
    let sql = format!("select exists (select 1 from alert where {MOOT})");
    c.prepare_cached(&sql).during(ASK)?.query_row([], |row| row.get(0)).during(ASK)
}

/// Closes them.
pub fn close_moot(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Error> {
    const CLOSE: &str = "close alerts that are nobody's";
    let sql = format!("update alert set closed_at = ?1 where {MOOT}");
    tx.prepare_cached(&sql).during(CLOSE)?.execute([ms(now)]).during(CLOSE)?;
    Ok(())
}

/// An alert as pages show it.
#[derive(Clone, Debug)]
pub struct Alert {
    pub id: i64,
    /// A word of [`Cause`], or of a later version.
    pub cause: String,
    pub subject: String,
    /// None: it is about an account or the server.
    pub merchant_id: Option<i64>,
    pub count: i64,
    pub opened_at: Timestamp,
    pub seen_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, cause, subject, merchant_id, count, opened_at, seen_at, closed_at";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Alert, Error>> {
    let (id, cause, subject, merchant_id, count) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    let (opened_at, seen_at, closed_at): (i64, i64, Option<i64>) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let build = || {
        let (opened_at, seen_at, closed_at) = (at(opened_at)?, at(seen_at)?, maybe_at(closed_at)?);
        Ok(Alert { id, cause, subject, merchant_id, count, opened_at, seen_at, closed_at })
    };
    Ok(build())
}

/// The open alerts, newest first.
pub fn open(c: &Connection) -> Result<Vec<Alert>, Error> {
    const LIST: &str = "list open alerts";
    let sql = format!("select {COLUMNS} from alert where closed_at is null order by seen_at desc, id desc");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map([], from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// How many are open, by the word of their cause.
pub fn open_by_cause(c: &Connection) -> Result<BTreeMap<String, i64>, Error> {
    const COUNT: &str = "count open alerts";
    let mut statement =
        c.prepare_cached("select cause, count(*) from alert where closed_at is null group by cause").during(COUNT)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).during(COUNT)?;
    rows.map(|row| row.during(COUNT)).collect()
}

impl Sight<'_> {
    /// The open alerts, newest first. What is about no merchant is for those who see all.
    pub fn alerts(&self) -> Result<Vec<Alert>, Error> {
        let mut all = open(self.connection())?;
        all.retain(|alert| self.concerns(alert));
        Ok(all)
    }

    /// Alerts that were closed, those that opened last first, from before this one on.
    pub fn past_alerts(&self, before: Option<i64>, limit: u32) -> Result<Vec<Alert>, Error> {
        const LIST: &str = "list closed alerts";
        let sql = format!("select {COLUMNS} from alert where closed_at is not null and id < ?1 order by id desc");
        let mut statement = self.connection().prepare_cached(&sql).during(LIST)?;
        let rows = statement.query_map([before.unwrap_or(i64::MAX)], from_row).during(LIST)?;
        let theirs = rows
            .map(|row| row.during(LIST)?)
            .filter(|row| row.as_ref().map_or(true, |alert| self.concerns(alert)))
            .take(usize::try_from(limit).unwrap_or(usize::MAX));
        theirs.collect()
    }

    fn concerns(&self, alert: &Alert) -> bool {
        alert.merchant_id.map_or_else(|| self.is_whole(), |id| self.allow(id).is_ok())
    }
}

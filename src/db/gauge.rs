//! The figures of the whole installation for those who measure it: one moment, and nothing that counts a big table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;

use super::account::{self, Account};
use super::alert::{self, Cause};
use super::convert::{at, maybe_at, ms};
use super::log::{self, Status};
use super::merchant::Merchant;
use super::order::{self, State};
use super::pulse::{Queue, oldest_hold, queue};
use super::sight::Sight;
use super::{Context as _, Error, notice, setting};

/// How everything is at one moment.
#[derive(Clone, Debug)]
pub struct Gauges {
    pub merchants: Vec<OfMerchant>,
    pub accounts: Vec<OfAccount>,
    /// Chores that are due, by their kind.
    pub chores: Vec<Due>,
    /// Documents between sending and certainty, by the word of their state.
    pub unsettled: Vec<Unsettled>,
    /// Open alerts, by the word of their cause.
    pub alerts: BTreeMap<String, i64>,
    /// Words about alerts that are not sent yet, by channel.
    pub notices: Vec<(&'static str, i64)>,
    pub heartbeat: Option<Timestamp>,
    /// When a copy of the database was last good, and when one last failed.
    pub backup: (Option<Timestamp>, Option<Timestamp>),
}

/// One merchant.
#[derive(Clone, Debug)]
pub struct OfMerchant {
    pub merchant: Merchant,
    /// Orders by where they stand.
    pub orders: BTreeMap<&'static str, i64>,
    /// All rows that the sync log ever had, by status.
    pub outcomes: Vec<(Status, i64)>,
    pub queue: Queue,
    /// Since when the order has been held that came in first.
    pub oldest_hold: Option<Timestamp>,
}

/// One Daftra account.
#[derive(Clone, Debug)]
pub struct OfAccount {
    pub account: Account,
    /// It does not answer: the breaker is open, or was when somebody last called.
    pub is_out: bool,
}

/// What is due of one kind.
#[derive(Clone, Debug)]
pub struct Due {
    pub kind: String,
    pub depth: i64,
    pub oldest: Timestamp,
}

/// Documents in one state.
#[derive(Clone, Debug)]
pub struct Unsettled {
    pub state: String,
    pub count: i64,
    pub since: Timestamp,
}

impl Sight<'_> {
    /// How everything is. For those who see all.
    pub fn gauges(&self, now: Timestamp) -> Result<Gauges, Error> {
        self.only_whole()?;
        let c = self.connection();
        let standing = order::counts(c)?;
        let of_merchant = |merchant: Merchant| {
            let theirs = standing.iter().filter(|(id, ..)| *id == merchant.id);
            let counts: BTreeMap<_, _> = theirs.map(|(_, state, count)| (state.word(), *count)).collect();
            let orders = State::ALL.map(|state| (state.word(), counts.get(state.word()).copied().unwrap_or(0)));
            Ok(OfMerchant {
                orders: orders.into(),
                outcomes: log::counts(c, merchant.id, log::EVER)?,
                queue: queue(c, merchant.id, now)?,
                oldest_hold: oldest_hold(c, merchant.id)?.map(|(_, _, since)| since),
                merchant,
            })
        };
        Ok(Gauges {
            merchants: self.merchants()?.into_iter().map(of_merchant).collect::<Result<_, Error>>()?,
            accounts: accounts(c)?,
            chores: chores(c, now)?,
            unsettled: unsettled(c)?,
            alerts: alert::open_by_cause(c)?,
            notices: notice::CHANNELS
                .into_iter()
                .map(|channel| Ok((channel, notice::waiting_for(c, channel)?)))
                .collect::<Result<_, Error>>()?,
            heartbeat: setting::time(c, setting::HEARTBEAT)?,
            backup: (setting::time(c, setting::BACKUP_OK)?, setting::time(c, setting::BACKUP_FAILED)?),
        })
    }
}

fn accounts(c: &Connection) -> Result<Vec<OfAccount>, Error> {
    let open = alert::open(c)?;
    let is_out = |account: &Account| {
        let subject = format!("account {}", account.id);
        open.iter().any(|alert| alert.cause == Cause::Outage.word() && alert.subject == subject)
    };
    Ok(account::all(c)?.into_iter().map(|account| OfAccount { is_out: is_out(&account), account }).collect())
}

fn chores(c: &Connection, now: Timestamp) -> Result<Vec<Due>, Error> {
    const READ: &str = "read which chores are due";
    let mut statement = c
        .prepare_cached(
            "select kind, count(*), min(due_at) from job indexed by job_chore
             where due_at is not null and running_since is null and kind <> 'order' and due_at <= ?1 group by kind",
        )
        .during(READ)?;
    let rows = statement
        .query_map([ms(now)], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<i64>>(2)?)))
        .during(READ)?;
    let due = rows.map(|row| {
        let (kind, depth, oldest) = row.during(READ)?;
        Ok(maybe_at(oldest)?.map(|oldest| Due { kind, depth, oldest }))
    });
    due.filter_map(Result::transpose).collect()
}

fn unsettled(c: &Connection) -> Result<Vec<Unsettled>, Error> {
    const READ: &str = "read which documents are unsettled";
    let mut statement = c
        .prepare_cached(
            "select state, since_at from document
             where state in ('sending', 'in_doubt', 'replacing', 'replace_in_doubt')",
        )
        .during(READ)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).during(READ)?;
    let mut found = BTreeMap::<String, Unsettled>::new();
    for row in rows {
        let (state, since) = row.during(READ)?;
        let since = at(since)?;
        let known = found.entry(state.clone()).or_insert_with(|| Unsettled { state, count: 0, since });
        known.count += 1;
        known.since = known.since.min(since);
    }
    Ok(found.into_values().collect())
}

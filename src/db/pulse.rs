//! How a merchant is doing, in figures that cost little however large the tables have grown: counters kept by triggers, and
//! the ends of indexes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _};

use super::convert::{at, maybe_at, ms, word};
use super::order::State;
use super::sight::Sight;
use super::{Context as _, Error, seen};

const HOUR_MS: i64 = 3_600_000;

/// Waiting orders are counted up to here; more is more.
pub const DEEPEST: u32 = 1_000;

/// Orders of some time by how they came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Invoiced, and nothing left to do.
    pub done: i64,
    /// A person must decide, or it was given up.
    pub stuck: i64,
    /// Not yet: waiting, in work, or shown only.
    pub open: i64,
    pub ignored: i64,
}

impl Outcomes {
    /// Counts orders in a state.
    pub fn add(&mut self, state: State, count: i64) {
        match state {
            State::Settled => self.done += count,
            State::Held | State::Failed => self.stuck += count,
            State::New | State::Working | State::Waiting | State::Shadow => self.open += count,
            State::Ignored => self.ignored += count,
        }
    }

    /// Takes others in.
    pub fn plus(&mut self, other: Self) {
        self.done += other.done;
        self.stuck += other.stuck;
        self.open += other.open;
        self.ignored += other.ignored;
    }

    /// All of them.
    #[must_use]
    pub fn all(self) -> i64 {
        self.done + self.stuck + self.open + self.ignored
    }

    /// Of a hundred orders that came to an end, so many came to a good one.
    #[must_use]
    pub fn success(self) -> Option<i64> {
        (self.done * 100).checked_div(self.done + self.stuck)
    }
}

/// How one merchant is doing.
#[derive(Clone, Debug)]
pub struct Pulse {
    /// Orders by the hour in which they came in (from 1970) and where they stand now; hours without orders are not there.
    pub hours: Vec<(i64, State, i64)>,
    /// Invoices by how soon they came after the first news of their order, since the same hour: within so many seconds,
    /// 0 for later than all others; and in which hour.
    pub pace: Vec<(i64, i64, i64)>,
    pub queue: Queue,
    /// The held order that came in first: our id, its name, and since when.
    pub oldest_hold: Option<(i64, String, Timestamp)>,
    pub last_delivery: Option<Timestamp>,
}

/// Orders that are due and not yet looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// [`DEEPEST`] at most.
    pub depth: u32,
    /// Since when the first of them is due.
    pub oldest: Option<Timestamp>,
}

impl Sight<'_> {
    /// How a merchant has been doing since an hour.
    pub fn pulse(&self, merchant_id: i64, since_hour: i64, now: Timestamp) -> Result<Pulse, Error> {
        self.allow(merchant_id)?;
        let c = self.connection();
        Ok(Pulse {
            hours: hours(c, merchant_id, since_hour)?,
            pace: pace(c, merchant_id, since_hour)?,
            queue: queue(c, merchant_id, now)?,
            oldest_hold: oldest_hold(c, merchant_id)?,
            last_delivery: seen::last_delivery(c, merchant_id)?,
        })
    }
}

fn hours(c: &Connection, merchant_id: i64, since: i64) -> Result<Vec<(i64, State, i64)>, Error> {
    const READ: &str = "read how many orders came in";
    let mut statement = c
        .prepare_cached(
            "select hour, state, count from standing where merchant_id = ?1 and hour >= ?2 and count > 0 order by hour",
        )
        .during(READ)?;
    let rows = statement
        .query_map((merchant_id, since.max(0)), |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))
        .during(READ)?;
    rows.map(|row| {
        let (hour, state, count) = row.during(READ)?;
        Ok((hour, word(READ, &state, State::parse(&state))?, count))
    })
    .collect()
}

fn pace(c: &Connection, merchant_id: i64, since: i64) -> Result<Vec<(i64, i64, i64)>, Error> {
    const READ: &str = "read how soon invoices came";
    let mut statement = c
        .prepare_cached("select within, count, hour from pace where merchant_id = ?1 and hour >= ?2 order by hour")
        .during(READ)?;
    let rows = statement
        .query_map((merchant_id, since.max(0)), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .during(READ)?;
    rows.map(|row| row.during(READ)).collect()
}

pub(super) fn queue(c: &Connection, merchant_id: i64, now: Timestamp) -> Result<Queue, Error> {
    const READ: &str = "read how many orders are due";
    let mut statement = c
        .prepare_cached(
            "select due_at from job where kind = 'order' and merchant_id = ?1 and due_at <= ?2 and running_since is null
             order by due_at limit ?3",
        )
        .during(READ)?;
    let rows = statement.query_map((merchant_id, ms(now), DEEPEST), |row| row.get(0)).during(READ)?;
    let due = rows.collect::<Result<Vec<i64>, _>>().during(READ)?;
    Ok(Queue { depth: u32::try_from(due.len()).unwrap_or(DEEPEST), oldest: maybe_at(due.first().copied())? })
}

pub(super) fn oldest_hold(c: &Connection, merchant_id: i64) -> Result<Option<(i64, String, Timestamp)>, Error> {
    const FIND: &str = "find the oldest held order";
    let found: Option<(i64, String, i64)> = c
        .prepare_cached(
            "select id, name, state_at from orders where merchant_id = ?1 and state = 'held' order by id limit 1",
        )
        .during(FIND)?
        .query_row([merchant_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .during(FIND)?;
    found.map(|(id, name, since)| Ok((id, name, at(since)?))).transpose()
}

/// The hour in which the day of a merchant began.
#[must_use]
pub fn midnight(now: Timestamp, zone: &TimeZone) -> i64 {
    let begin = now.to_zoned(zone.clone()).start_of_day().map_or(now, |day| day.timestamp());
    begin.as_millisecond().div_euclid(HOUR_MS)
}

/// The hour of a time, from 1970.
#[must_use]
pub fn hour(now: Timestamp) -> i64 {
    now.as_millisecond().div_euclid(HOUR_MS)
}

/// Orders since an hour.
#[must_use]
pub fn since(pulse: &Pulse, hour: i64) -> Outcomes {
    let mut sum = Outcomes::default();
    pulse.hours.iter().filter(|(at, ..)| *at >= hour).for_each(|(_, state, count)| sum.add(*state, *count));
    sum
}

/// Orders in so many steps of so many hours, the newest last, the last of them ending with `last`.
#[must_use]
pub fn steps(pulses: &[Pulse], last: i64, count: i64, length: i64) -> Vec<Outcomes> {
    let mut steps = vec![Outcomes::default(); usize::try_from(count).unwrap_or_default()];
    for (at, state, orders) in pulses.iter().flat_map(|pulse| &pulse.hours) {
        let back = (last - at).div_euclid(length);
        let step = usize::try_from(count - 1 - back).ok().and_then(|step| steps.get_mut(step));
        if let Some(step) = step.filter(|_| back >= 0) {
            step.add(*state, *orders);
        }
    }
    steps
}

/// How soon orders became invoices: so many of a hundred within so many seconds; `None` when it was longer than is told
/// apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soon(pub Option<i64>);

/// The time within which so many of a hundred invoices came since an hour.
#[must_use]
pub fn within<'a>(pulses: impl IntoIterator<Item = &'a Pulse>, hour: i64, percent: i64) -> Option<Soon> {
    let mut counts = BTreeMap::<i64, i64>::new();
    for (within, count, at) in pulses.into_iter().flat_map(|pulse| &pulse.pace) {
        if *at >= hour {
            *counts.entry(if *within == 0 { i64::MAX } else { *within }).or_default() += count;
        }
    }
    let all: i64 = counts.values().sum();
    let mut passed = 0;
    for (within, count) in counts {
        passed += count;
        if passed * 100 >= all * percent {
            return Some(Soon((within != i64::MAX).then_some(within)));
        }
    }
    None
}

//! What somebody must do now and then: look whether anything is worth an alert, take away what has had its time, and forget
//! customers as shops ask for it.
//!
//! Once a minute, on a thread of its own. A minute in which nothing is new writes nothing. Retention goes in steps of a few
//! rows, each a write like any other; while orders wait it makes one step and leaves the rest for the next minute. Where a
//! walk stands is kept in memory: after a restart it begins at the oldest row again, which costs reading only.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::night::Drawn;
use super::summary::Summed;
use crate::db::alert::{self, Cause, Standing};
use crate::db::condition::conditions;
use crate::db::trim::{self, Class, Place};
use crate::db::{Error, account, job};

/// Rows that one step looks at.
const ROWS: u32 = 200;
/// Steps of one minute while no order waits.
const STEPS: u32 = 50;
/// After a walk through everything.
const REST: SignedDuration = SignedDuration::from_hours(1);
/// What other clocks said is believed for so long, and so long it is told that ours was set back.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// An alert that nobody takes back closes when it did not come again for so long.
const QUIET: SignedDuration = SignedDuration::from_hours(72);
/// How alerts name what is neither a merchant's nor an account's.
const SERVER: &str = "server";

/// What the upkeep remembers.
#[derive(Default)]
pub(super) struct Upkeep {
    /// The time at the last look.
    last: Option<Timestamp>,
    /// When it was seen that our clock was set back.
    went_back: Option<Timestamp>,
    /// When this process began to work.
    started_at: Option<Timestamp>,
    /// It was started after a long time by its own clock, which no other has confirmed yet.
    woke_late: bool,
    /// Our clock is not believed: others say otherwise, or it went back.
    doubts_clock: bool,
    walk: Walk,
    /// Whose statements are drawn up.
    drawn: Drawn,
    /// Whose day was told.
    summed: Summed,
    /// When the shops were watched last.
    watched: Option<Timestamp>,
}

/// A walk of retention through all classes.
#[derive(Default)]
struct Walk {
    class: usize,
    place: Place,
    rests_until: Timestamp,
}

impl Engine {
    /// The life of the thread.
    pub(super) fn keep_up(&self) {
        while !self.is_stopping() {
            let next = self.upkeep_once();
            self.clock.wait(&self.broom, next);
        }
    }

    /// Looks at everything once. Returns when to look again.
    pub fn upkeep_once(&self) -> Timestamp {
        let now = self.clock.now();
        if let Err(error) = self.watch(now) {
            tracing::error!(%error, "cannot look for what is worth an alert");
        }
        if let Err(error) = self.tell_of_alerts(now) {
            tracing::error!(%error, "cannot tell of alerts");
        }
        if let Err(error) = self.trim(now) {
            tracing::error!(%error, "cannot take away what has had its time");
        }
        if let Err(error) = self.account_for_orders(now) {
            tracing::error!(%error, "cannot account for the orders of the days before");
        }
        let is_clock_believed = !self.memory().doubts_clock;
        let mut watched = self.memory().watched;
        if is_clock_believed && let Err(error) = self.watch_shops(now, &mut watched) {
            tracing::error!(%error, "cannot watch the shops");
        }
        self.memory().watched = watched;
        if let Err(error) = self.forget(now, is_clock_believed) {
            tracing::error!(%error, "cannot forget customers as asked");
        }
        if let Err(error) = self.purge_closed(now, is_clock_believed) {
            tracing::error!(%error, "cannot take away what a closed merchant had");
        }
        now + self.settings.upkeep
    }

    /// By a clock that nobody believes no day is over.
    fn account_for_orders(&self, now: Timestamp) -> Result<(), Error> {
        if self.memory().doubts_clock || self.vitals.disk.is_full(now) {
            return Ok(());
        }
        let mut drawn = self.memory().drawn.clone();
        let ended = self.account(&mut drawn, now);
        self.memory().drawn = drawn;
        ended?;
        let mut summed = self.memory().summed.clone();
        let ended = self.sum_up(&mut summed, now);
        self.memory().summed = summed;
        ended
    }

    /// Orders are looked at from now on.
    pub(super) fn note_start(&self, now: Timestamp) {
        self.memory().started_at = Some(now);
    }

    /// Our clock says that nobody was here for long: that is so, or it is wrong.
    pub(super) fn note_long_silence(&self, now: Timestamp) {
        tracing::warn!(%now, "nobody was here for long, or the clock is wrong: nothing is taken away until another clock is heard");
        self.memory().woke_late = true;
    }

    /// Our clock is behind what this database, or this process, has seen before.
    pub(super) fn note_clock_set_back(&self, now: Timestamp) {
        tracing::error!(%now, "the clock was set back");
        self.vitals.forget_clocks();
        self.memory().went_back = Some(now);
    }

    fn watch(&self, now: Timestamp) -> Result<(), Error> {
        let limits = self.settings.alerts;
        let (mut found, accounts) = self.db.read(|c| Ok((conditions(c, &limits, now)?, account::all(c)?)))?;
        let server = |is_so: bool| {
            let standing = Standing { merchant_id: None, count: 1 };
            is_so.then(|| (SERVER.to_owned(), standing)).into_iter().collect::<BTreeMap<_, _>>()
        };
        // What came due while nobody was there is being looked at: whether the queue stands still shows after a while.
        let is_new_here = self.memory().started_at.is_some_and(|at| now.duration_since(at) < limits.queue_age);
        if let Some(late) = found.get_mut(&Cause::Queue).filter(|late| is_new_here && !late.is_empty()) {
            let open = self.db.read(alert::open)?;
            late.retain(|subject, _| {
                open.iter().any(|one| one.cause == Cause::Queue.word() && one.subject == *subject)
            });
        }
        found.insert(Cause::Disk, server(self.vitals.disk.is_full(now)));
        let mut clocks = server(self.went_back(now));
        let told = self.vitals.clocks();
        for account in accounts {
            let is_off = told.get(&account.address).is_some_and(|clock| {
                now.duration_since(clock.heard_at) < DAY && clock.ahead.abs() > self.settings.clock
            });
            if is_off {
                clocks.insert(format!("account {}", account.id), Standing { merchant_id: None, count: 1 });
            }
        }
        if told.values().any(|clock| clock.ahead.abs() <= self.settings.clock) {
            self.memory().woke_late = false;
        }
        let doubts = !clocks.is_empty() || self.memory().woke_late;
        self.memory().doubts_clock = doubts;
        found.insert(Cause::Clock, clocks);
        let quiet = now - QUIET;
        let is_old_news = self.db.read(|c| {
            Ok(alert::is_told(c, &found, now)?
                && !alert::has_quiet(c, Cause::Unreadable, quiet)?
                && !alert::has_moot(c)?)
        })?;
        if is_old_news {
            return Ok(());
        }
        self.db.write(move |tx| {
            alert::stand(tx, &found, now)?;
            alert::close_moot(tx, now)?;
            alert::close_quiet(tx, Cause::Unreadable, quiet, now)
        })
    }

    /// Whether our clock was set back lately and nobody else's has confirmed it since.
    fn went_back(&self, now: Timestamp) -> bool {
        let last = self.memory().last.replace(now);
        if last.is_some_and(|last| last.duration_since(now) > self.settings.clock) {
            self.note_clock_set_back(now);
        }
        let Some(since) = self.memory().went_back else { return false };
        let is_confirmed = self.vitals.clocks().values().any(|clock| clock.ahead.abs() <= self.settings.clock);
        if is_confirmed || now.duration_since(since) > DAY {
            self.memory().went_back = None;
            return false;
        }
        true
    }

    /// Some steps of retention, unless it rests.
    fn trim(&self, now: Timestamp) -> Result<(), Error> {
        // What is taken away is written to the log first. By a clock that nobody believes nothing is old.
        let rests = {
            let memory = self.memory();
            now < memory.walk.rests_until || memory.doubts_clock
        };
        if rests || self.vitals.disk.is_full(now) {
            return Ok(());
        }
        for _ in 0..STEPS {
            let (class, from) = {
                let walk = &self.memory().walk;
                (Class::ALL.get(walk.class).copied(), walk.place)
            };
            let Some(class) = class else {
                self.memory().walk = Walk { rests_until: now + REST, ..Walk::default() };
                return Ok(());
            };
            let next = match self.settings.retention.of(class) {
                Some(kept) => self.db.write(move |tx| trim::step(tx, class, kept, from, ROWS, now))?,
                None => None,
            };
            let walk = &mut self.memory().walk;
            match next {
                Some(place) => walk.place = place,
                None => *walk = Walk { class: walk.class + 1, ..Walk::default() },
            }
            if self.is_stopping() || self.db.read(job::next_claim)?.is_some_and(|due| due <= now) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Upkeep> {
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

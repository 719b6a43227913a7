//! The time, and waiting for it: the real clock, a faster one, a hand that tests move, or one that jumps.
//!
//! Every wait of the engine goes through here, so a test can live through a day in a moment and always knows when all
//! threads have come to rest. Nothing below the shell asks for the time; it is handed down as a value.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A clock; clones show the same time.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    Real,
    Scaled { start: Timestamp, since: Instant, speed: u32 },
    Hand(Arc<Hand>),
    Jumping(Arc<Mutex<Timestamp>>),
}

/// Wakes waiting threads: each ring lets one of them go on, up to as many rings as the bell holds.
#[derive(Clone)]
pub struct Bell(Arc<BellState>);

struct BellState {
    rings: AtomicU32,
    most: u32,
    lock: Mutex<()>,
    wake: Condvar,
    hand: Option<Arc<Hand>>,
}

impl Clock {
    #[must_use]
    pub fn real() -> Self {
        Self(Kind::Real)
    }

    /// A clock that begins at `start` and runs `speed` times as fast: a day in a minute and a half at 1,000.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn scaled(start: Timestamp, speed: u32) -> Self {
        Self(Kind::Scaled { start, since: Instant::now(), speed: speed.max(1) })
    }

    /// A clock that stands still until its hand is moved.
    #[must_use]
    pub fn hand(start: Timestamp) -> (Self, Arc<Hand>) {
        let table = Table { now: start, threads: 0, parked: BTreeMap::new(), tickets: 0 };
        let hand = Arc::new(Hand { state: Mutex::new(table), rest: Condvar::new() });
        (Self(Kind::Hand(Arc::clone(&hand))), hand)
    }

    /// A clock for one thread that does everything: whoever waits is at that time at once.
    #[must_use]
    pub fn jumping(start: Timestamp) -> Self {
        Self(Kind::Jumping(Arc::new(Mutex::new(start))))
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::Real => Timestamp::now(),
            Kind::Scaled { start, since, speed } => {
                let real = SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::MAX);
                start.saturating_add(real.saturating_mul(i32::try_from(*speed).unwrap_or(i32::MAX))).unwrap_or(*start)
            }
            Kind::Hand(hand) => hand.lock().now,
            Kind::Jumping(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Whether what it shows is meant to be what other machines show, too.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match &self.0 {
            Kind::Real | Kind::Hand(_) | Kind::Jumping(_) => true,
            Kind::Scaled { .. } => false,
        }
    }

    /// A bell that holds so many rings at most.
    #[must_use]
    pub fn bell(&self, most: u32) -> Bell {
        let hand = match &self.0 {
            Kind::Hand(hand) => Some(Arc::clone(hand)),
            Kind::Real | Kind::Scaled { .. } | Kind::Jumping(_) => None,
        };
        Bell(Arc::new(BellState { rings: AtomicU32::new(0), most, lock: Mutex::new(()), wake: Condvar::new(), hand }))
    }

    /// Waits until the bell rings or the time has come, whichever is first.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn wait(&self, bell: &Bell, until: Timestamp) {
        match &self.0 {
            Kind::Hand(hand) => hand.park(bell, until),
            Kind::Jumping(now) => {
                if !bell.take() {
                    let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
                    *now = until.max(*now);
                }
            }
            Kind::Real | Kind::Scaled { .. } => {
                let speed = match &self.0 {
                    Kind::Scaled { speed, .. } => *speed,
                    Kind::Real | Kind::Hand(_) | Kind::Jumping(_) => 1,
                };
                let gap = Duration::try_from(until.duration_since(self.now())).unwrap_or_default() / speed;
                let end = Instant::now() + gap;
                let mut guard = bell.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
                while !bell.take() {
                    let left = end.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    guard = bell.0.wake.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    /// Waits for the time alone.
    pub fn sleep(&self, gap: SignedDuration) {
        let silent = self.bell(0);
        self.wait(&silent, self.now() + gap);
    }

    /// A thread that waits through this clock says so while it lives, so that a test knows when all have come to rest.
    #[must_use]
    pub fn enlist(&self) -> Option<Enlisted> {
        match &self.0 {
            Kind::Hand(hand) => {
                hand.lock().threads += 1;
                Some(Enlisted(Arc::clone(hand)))
            }
            Kind::Real | Kind::Scaled { .. } | Kind::Jumping(_) => None,
        }
    }
}

impl Bell {
    /// Lets one waiting thread go on, now or when it comes to wait.
    pub fn ring(&self) {
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.rings.load(Ordering::SeqCst) < self.0.most {
            self.0.rings.fetch_add(1, Ordering::SeqCst);
        }
        drop(guard);
        match &self.0.hand {
            Some(hand) => {
                let table = hand.lock();
                for parked in table.parked.values().filter(|parked| Arc::ptr_eq(&parked.bell.0, &self.0)) {
                    parked.turn.notify_one();
                }
            }
            None => self.0.wake.notify_one(),
        }
    }

    /// Lets everyone go on: as many rings as the bell holds.
    pub fn ring_all(&self) {
        for _ in 0..self.0.most {
            self.ring();
        }
    }

    fn take(&self) -> bool {
        self.0.rings.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |rings| rings.checked_sub(1)).is_ok()
    }

    fn has_rung(&self) -> bool {
        self.0.rings.load(Ordering::SeqCst) > 0
    }
}

/// The hand of a clock that stands still otherwise.
pub struct Hand {
    state: Mutex<Table>,
    /// For the one who waits until all do.
    rest: Condvar,
}

struct Table {
    now: Timestamp,
    /// Threads which wait through this clock.
    threads: usize,
    parked: BTreeMap<u64, Parked>,
    tickets: u64,
}

struct Parked {
    until: Timestamp,
    bell: Bell,
    /// Each thread has its own: simulated days are millions of moments, and waking all for each takes longer than they do.
    turn: Arc<Condvar>,
}

impl Table {
    fn is_at_rest(&self) -> bool {
        self.parked.len() >= self.threads && self.parked.values().all(|parked| !parked.may_go(self.now))
    }

    fn wake_the_due(&self) {
        for parked in self.parked.values().filter(|parked| parked.until <= self.now) {
            parked.turn.notify_one();
        }
    }
}

impl Parked {
    fn may_go(&self, now: Timestamp) -> bool {
        self.until <= now || self.bell.has_rung()
    }
}

impl Hand {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn park(&self, bell: &Bell, until: Timestamp) {
        let mut table = self.lock();
        let ticket = table.tickets;
        let turn = Arc::new(Condvar::new());
        table.tickets += 1;
        table.parked.insert(ticket, Parked { until, bell: bell.clone(), turn: Arc::clone(&turn) });
        while !bell.take() && table.now < until {
            // Also after a wait: somebody else may have taken the ring that woke us.
            self.tell_of_rest(&table);
            table = turn.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        table.parked.remove(&ticket);
    }

    fn tell_of_rest(&self, table: &Table) {
        if table.is_at_rest() {
            self.rest.notify_all();
        }
    }

    /// Waits until every enlisted thread waits for a later time or for a bell.
    pub fn rest(&self) {
        let mut table = self.lock();
        while !table.is_at_rest() {
            table = self.rest.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Moves the time on at once.
    pub fn advance(&self, gap: SignedDuration) {
        let mut table = self.lock();
        table.now += gap;
        table.wake_the_due();
    }

    /// Comes to rest, then moves to the next moment anyone waits for, but not beyond `end`. False at the end.
    pub fn step(&self, end: Timestamp) -> bool {
        self.rest();
        let mut table = self.lock();
        if table.now >= end {
            return false;
        }
        let next = table.parked.values().map(|parked| parked.until).min().unwrap_or(end).min(end);
        table.now = next.max(table.now);
        table.wake_the_due();
        true
    }
}

/// A thread that waits through the clock of a hand; it is no longer counted when this is dropped.
pub struct Enlisted(Arc<Hand>);

impl Drop for Enlisted {
    fn drop(&mut self) {
        let mut table = self.0.lock();
        table.threads -= 1;
        self.0.tell_of_rest(&table);
    }
}

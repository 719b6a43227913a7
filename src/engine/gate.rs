//! One way into each Daftra account: how many calls at once, how far apart, and when to stop calling.
//!
//! After several calls in a row that brought no answer the account is paused for a growing time; the first call after
//! a pause is a harmless question, so an outage burns no order's tries. Nobody waits here longer than a second: a
//! worker that cannot enter goes on with another account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Bell, Clock};
use crate::domain::retry::Backoff;

/// The longest a worker waits to enter.
const PATIENCE: SignedDuration = SignedDuration::from_secs(1);

/// The rules of all gates.
#[derive(Clone, Copy, Debug)]
pub struct GateRules {
    pub at_once: usize,
    /// Between the starts of two calls.
    pub pace: SignedDuration,
    /// Calls without an answer, in a row, that pause an account.
    pub breaker_after: u32,
    pub breaker: Backoff,
}

/// The gates of all accounts.
pub struct Gates {
    clock: Clock,
    rules: GateRules,
    gates: Mutex<BTreeMap<i64, Arc<Gate>>>,
}

struct Gate {
    state: Mutex<State>,
    left: Bell,
}

#[derive(Default)]
struct State {
    inside: usize,
    last_call: Option<Timestamp>,
    outages: u32,
    /// It answered since this program began to call it, and the breaker did not open since.
    is_well: bool,
    /// How often in a row the breaker opened.
    openings: u32,
    /// Until then nobody enters; whoever waited at the gate meanwhile must know it too.
    closed_until: Option<Timestamp>,
}

/// What came of trying to enter.
pub enum Entry {
    In(Pass),
    /// Come back then.
    Later(Timestamp),
}

/// The right to call an account, given back when dropped.
pub struct Pass {
    clock: Clock,
    rules: GateRules,
    gate: Arc<Gate>,
}

impl Gates {
    #[must_use]
    pub fn new(clock: Clock, rules: GateRules) -> Self {
        Self { clock, rules, gates: Mutex::new(BTreeMap::new()) }
    }

    /// Enters, waiting for at most a second.
    pub fn enter(&self, account_id: i64) -> Entry {
        let gate =
            Arc::clone(
                self.gates.lock().unwrap_or_else(PoisonError::into_inner).entry(account_id).or_insert_with(|| {
                    Arc::new(Gate { state: Mutex::new(State::default()), left: self.clock.bell(1) })
                }),
            );
        let end = self.clock.now() + PATIENCE;
        loop {
            {
                let mut state = gate.lock();
                if let Some(until) = state.closed_until.filter(|until| *until > self.clock.now()) {
                    return Entry::Later(until);
                }
                if state.inside < self.rules.at_once {
                    state.inside += 1;
                    drop(state);
                    return Entry::In(Pass { clock: self.clock.clone(), rules: self.rules, gate });
                }
            }
            if self.clock.now() >= end {
                return Entry::Later(end);
            }
            self.clock.wait(&gate.left, end);
        }
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Waits until the next call may start.
    pub fn pace(&self) {
        let at = {
            let mut state = self.gate.lock();
            let now = self.clock.now();
            // Nobody queues for longer than all who are inside; more means that the clock was set back.
            let turns = i32::try_from(self.rules.at_once).unwrap_or(i32::MAX);
            let latest = now + self.rules.pace.saturating_mul(turns);
            let at = state.last_call.map_or(now, |last| (last + self.rules.pace).clamp(now, latest));
            state.last_call = Some(at);
            at
        };
        self.clock.sleep(at.duration_since(self.clock.now()));
    }

    /// The breaker was open: ask something harmless before anything that matters.
    #[must_use]
    pub fn needs_probe(&self) -> bool {
        self.gate.lock().openings > 0
    }

    /// The account answered. True if that is news: for the first time, or after the breaker was open.
    #[must_use]
    pub fn answered(&self) -> bool {
        let mut state = self.gate.lock();
        state.outages = 0;
        state.openings = 0;
        !std::mem::replace(&mut state.is_well, true)
    }

    /// It did not. Returns for how long nobody should call, if the breaker opens.
    #[must_use]
    pub fn no_answer(&self) -> Option<SignedDuration> {
        let mut state = self.gate.lock();
        state.outages += 1;
        if state.openings == 0 && state.outages < self.rules.breaker_after {
            return None;
        }
        state.openings += 1;
        state.is_well = false;
        let gap = self.rules.breaker.gap(state.openings, 0);
        state.closed_until = Some(self.clock.now() + gap);
        Some(gap)
    }

    /// The account asked to be left alone until a time.
    pub fn close_until(&self, until: Timestamp) {
        self.gate.lock().closed_until = Some(until);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.lock().inside -= 1;
        self.gate.left.ring();
    }
}

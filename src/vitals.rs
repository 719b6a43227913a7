//! How the running program is doing beyond what its database tells: how long webhooks and calls took, whether the disk has
//! room, what other clocks say, and until when the certificate is good.
//!
//! All of it is in memory and bounded; it begins anew with each start, which is what those who read it expect. Nothing here
//! decides anything: the door, the workers, the probes and the upkeep ask.

pub mod disk;
pub mod histogram;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use disk::Disk;
use histogram::Histogram;

/// Upper ends of the steps in which answers to webhooks are counted.
const INTAKE_MS: &[u64] = &[1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000];
/// The same for calls to Daftra, the last of which is the usual time-out.
const CALLS_MS: &[u64] = &[50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000];
/// Other machines whose time is remembered; one more is not listened to.
const CLOCKS: usize = 256;

/// How the running program is doing.
pub struct Vitals {
    clock: Clock,
    pub started_at: Timestamp,
    pub disk: Disk,
    /// From the head of a webhook to our answer, by how it ended.
    pub intake: Histogram<1>,
    /// Calls to Daftra, by what they were for and how they ended.
    pub calls: Histogram<2>,
    /// By address: when it last told its time, and how far that was ahead of ours.
    clocks: Mutex<BTreeMap<String, OtherClock>>,
    certificate_until: Mutex<Option<Timestamp>>,
}

/// What the clock of another machine said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherClock {
    pub heard_at: Timestamp,
    /// Below zero: behind ours.
    pub ahead: SignedDuration,
}

impl Vitals {
    /// From now on.
    #[must_use]
    pub fn new(clock: Clock, disk: Disk) -> Self {
        Self {
            started_at: clock.now(),
            clock,
            disk,
            intake: Histogram::new(["outcome"], INTAKE_MS),
            calls: Histogram::new(["action", "outcome"], CALLS_MS),
            clocks: Mutex::default(),
            certificate_until: Mutex::default(),
        }
    }

    /// The time by which all of this is measured.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How long something has taken that began then; nothing if the clock was set back meanwhile.
    #[must_use]
    pub fn since(&self, began: Timestamp) -> SignedDuration {
        self.now().duration_since(began).max(SignedDuration::ZERO)
    }

    /// Whether the data folder is too full for anything new.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        self.disk.is_full(self.now())
    }

    /// Another machine said what time it is. Trials have a time of their own, which nobody else can confirm.
    pub fn hear(&self, address: &str, time: Timestamp) {
        if !self.clock.is_true() {
            return;
        }
        let now = self.now();
        let mut clocks = lock(&self.clocks);
        if clocks.len() < CLOCKS || clocks.contains_key(address) {
            clocks.insert(address.to_owned(), OtherClock { heard_at: now, ahead: time.duration_since(now) });
        }
    }

    /// Our own time jumped: what others said before is compared with a time that was.
    pub fn forget_clocks(&self) {
        lock(&self.clocks).clear();
    }

    /// What other clocks said last, by address.
    #[must_use]
    pub fn clocks(&self) -> BTreeMap<String, OtherClock> {
        lock(&self.clocks).clone()
    }

    /// The certificate that is served is good until then; `None` where nothing is served with one.
    pub fn certify(&self, until: Option<Timestamp>) {
        *lock(&self.certificate_until) = until;
    }

    /// Until when the certificate that is served is good.
    #[must_use]
    pub fn certificate_until(&self) -> Option<Timestamp> {
        *lock(&self.certificate_until)
    }
}

impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vitals")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

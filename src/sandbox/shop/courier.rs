//! The way from the shop to the receiver, with seeded bad habits: late, out of order, twice, never.
//!
//! Time is a parameter: the courier says when something is due and is told what came of it. Failed deliveries come
//! again up to eight times in four hours, the same bytes under the same webhook id. A delivery that was sent twice is two
//! that fail on their own.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::delivery::Delivery;

/// Seconds between a failure and the next try: eight retries, a little less than four hours.
pub const RETRY_GAPS_S: [i64; 8] = [10, 60, 180, 600, 1200, 2400, 3600, 6000];

/// How unreliable the way is. The default is a perfect courier.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habits {
    /// How many deliveries in a thousand are sent twice.
    pub duplicate_per_mille: u32,
    /// Whether deliveries may overtake each other.
    pub shuffle: bool,
    /// The longest delay of a first try.
    pub max_delay_s: u32,
    /// How many deliveries in a thousand never leave.
    pub lose_per_mille: u32,
}

/// Carries deliveries; ask it what is due and tell it what was answered.
#[derive(Debug)]
pub struct Courier {
    habits: Habits,
    chance: Chance,
    /// By time, then by place in the queue.
    bag: BTreeMap<(Timestamp, u64, u64), Parcel>,
    posted: u64,
    newest: Timestamp,
    /// What was handed out and not answered yet, by webhook id: how often each copy has failed. Copies cannot be told
    /// apart, so the one that left first is answered first.
    out: BTreeMap<String, VecDeque<usize>>,
    undelivered: Vec<Delivery>,
}

#[derive(Debug)]
struct Parcel {
    delivery: Delivery,
    failures: usize,
}

impl Courier {
    /// A courier whose habits repeat with the seed.
    pub fn new(seed: u64, habits: Habits) -> Courier {
        Courier {
            habits,
            chance: Chance::new(seed),
            bag: BTreeMap::new(),
            posted: 0,
            newest: Timestamp::MIN,
            out: BTreeMap::new(),
            undelivered: Vec::new(),
        }
    }

    /// Takes deliveries on.
    pub fn post(&mut self, deliveries: Vec<Delivery>, now: Timestamp) {
        for delivery in deliveries {
            if self.chance.per_mille(self.habits.lose_per_mille) {
                self.undelivered.push(delivery);
                continue;
            }
            if self.chance.per_mille(self.habits.duplicate_per_mille) {
                self.pack(delivery.clone(), now);
            }
            self.pack(delivery, now);
        }
    }

    fn pack(&mut self, delivery: Delivery, now: Timestamp) {
        let delay = self.chance.below(u64::from(self.habits.max_delay_s) + 1);
        let mut at = later(now, i64::try_from(delay).expect("a delay fits 32 bits"));
        let mut rank = 0;
        if self.habits.shuffle {
            rank = self.chance.bits();
        } else {
            at = at.max(self.newest);
            self.newest = at;
        }
        self.put(at, rank, Parcel { delivery, failures: 0 });
    }

    fn put(&mut self, at: Timestamp, rank: u64, parcel: Parcel) {
        self.posted += 1;
        self.bag.insert((at, rank, self.posted), parcel);
    }

    /// What must be sent by now, in this order. Each must be answered.
    pub fn due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let rest = self.bag.split_off(&(now, u64::MAX, u64::MAX));
        let parcels = std::mem::replace(&mut self.bag, rest).into_values();
        let mut hand_out = |parcel: Parcel| {
            self.out.entry(parcel.delivery.webhook_id.clone()).or_default().push_back(parcel.failures);
            parcel.delivery
        };
        parcels.map(&mut hand_out).collect()
    }

    /// What the receiver said; `None` is no answer. Anything but 2xx is tried again until the gaps are used up.
    pub fn answered(&mut self, delivery: &Delivery, status: Option<u16>, now: Timestamp) {
        let copies = self.out.entry(delivery.webhook_id.clone()).or_default();
        let failures = copies.pop_front().unwrap_or_default();
        if copies.is_empty() {
            self.out.remove(&delivery.webhook_id);
        }
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
        match RETRY_GAPS_S.get(failures) {
            Some(gap) => {
                self.put(later(now, *gap), 0, Parcel { delivery: delivery.clone(), failures: failures + 1 });
            }
            None => self.undelivered.push(delivery.clone()),
        }
    }

    /// When the next delivery is due.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.bag.keys().next().map(|(at, _, _)| *at)
    }

    /// What was lost or given up.
    pub fn undelivered(&self) -> &[Delivery] {
        &self.undelivered
    }
}

fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds)).expect("a signed duration has no calendar units")
}

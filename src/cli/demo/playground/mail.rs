//! How deliveries travel: in order, sent until they are taken, and counted, so that a page can say how far an order's
//! news has come.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use crate::clock::Clock;
use crate::sandbox::shop::delivery::{Delivery, Sender};

/// Between two tries; a real shop waits ten seconds and more.
const PAUSE: SignedDuration = SignedDuration::from_millis(200);
/// How often an idle courier asks whether it is time to go home.
const LOOK_UP: Duration = Duration::from_millis(200);

/// One delivery and what its shop signs with.
pub(super) struct Parcel {
    pub(super) delivery: Delivery,
    pub(super) secret: String,
}

/// How far the news of one order has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Handed over.
    pub(super) posted: usize,
    /// Answered with 200: they are on Qantara's disk.
    pub(super) kept: usize,
    /// The last try was not answered so.
    pub(super) is_turned_away: bool,
}

/// Where deliveries are handed over.
pub(super) struct Mail {
    parcels: mpsc::Sender<Parcel>,
    progress: Arc<Mutex<BTreeMap<u64, Progress>>>,
}

/// The courier's end of it.
pub(super) struct Courier {
    parcels: Receiver<Parcel>,
    progress: Arc<Mutex<BTreeMap<u64, Progress>>>,
    url: String,
    sender: Sender,
}

impl Mail {
    /// A post office that delivers to this address.
    pub(super) fn new(url: String) -> (Self, Courier) {
        let (parcels, to_carry) = mpsc::channel();
        let progress = Arc::<Mutex<_>>::default();
        let courier = Courier { parcels: to_carry, progress: Arc::clone(&progress), url, sender: Sender::new() };
        (Self { parcels, progress }, courier)
    }

    /// Takes a delivery on, so many times.
    pub(super) fn post(&self, parcel: &Parcel, times: usize) {
        if let Some(order) = parcel.delivery.order_id {
            lock(&self.progress).entry(order).or_default().posted += times;
        }
        for _ in 0..times {
            // The courier goes home when the playground closes.
            let _ = self.parcels.send(Parcel { delivery: parcel.delivery.clone(), secret: parcel.secret.clone() });
        }
    }

    /// How far everything has come, by Shopify's number for the order.
    pub(super) fn progress(&self) -> BTreeMap<u64, Progress> {
        lock(&self.progress).clone()
    }
}

impl Courier {
    /// A courier's life.
    pub(super) fn carry(self, clock: &Clock, closing: &AtomicBool) {
        let goes_home = || closing.load(Ordering::SeqCst);
        while !goes_home() {
            let parcel = match self.parcels.recv_timeout(LOOK_UP) {
                Ok(parcel) => parcel,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            while !self.deliver(&parcel) && !goes_home() {
                clock.sleep(PAUSE);
            }
        }
    }

    fn deliver(&self, parcel: &Parcel) -> bool {
        let is_taken = self.sender.send(&self.url, &parcel.delivery, &parcel.secret).is_ok_and(|status| status == 200);
        if let Some(order) = parcel.delivery.order_id {
            let mut progress = lock(&self.progress);
            let progress = progress.entry(order).or_default();
            progress.kept += usize::from(is_taken);
            progress.is_turned_away = !is_taken;
        }
        is_taken
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The room that is left where the data lies.
//!
//! A full disk is no place to find out that it is full: below `data.min_free_bytes` nothing new is begun, so that what was
//! begun can be brought to its end and recorded. Whoever wants to begin something asks; the system is asked every other
//! second at most, on the thread of whoever asks. There is a gap between "full" and "has room again", or a disk at the mark
//! would be both in turns.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// What was found out is good for so long.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(2);

type Ask = Box<dyn Fn() -> io::Result<u64> + Send + Sync>;

/// Bytes that may still be written where a folder lies.
pub fn free_in(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The file system of the data folder.
pub struct Disk {
    /// Less than so many free bytes is full; 0 never is.
    least: u64,
    ask: Ask,
    known: Mutex<Known>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    at: Option<Timestamp>,
    /// None while it cannot be told.
    free: Option<u64>,
    is_full: bool,
    /// That it cannot be told was said already.
    is_blind: bool,
}

impl Disk {
    /// The one on which a folder lies.
    #[must_use]
    pub fn of(folder: &Path, least: u64) -> Self {
        let folder = folder.to_owned();
        Self::asking(least, move || free_in(&folder))
    }

    /// One whose free bytes are told by a function.
    #[must_use]
    pub fn asking(least: u64, ask: impl Fn() -> io::Result<u64> + Send + Sync + 'static) -> Self {
        Self { least, ask: Box::new(ask), known: Mutex::default() }
    }

    /// With so many free bytes it is not full, whatever it was before.
    #[must_use]
    pub fn enough(&self) -> u64 {
        self.least.saturating_add(self.least / 4)
    }

    /// Nothing new is to be begun.
    #[must_use]
    pub fn is_full(&self, now: Timestamp) -> bool {
        self.least > 0 && self.look(now).is_full
    }

    /// Bytes that may still be written, if that can be told.
    #[must_use]
    pub fn free(&self, now: Timestamp) -> Option<u64> {
        self.look(now).free
    }

    /// The same, asked anew.
    pub fn free_now(&self) -> io::Result<u64> {
        (self.ask)()
    }

    /// Looks, unless somebody just did. Where the system does not tell, what was known last stays so.
    fn look(&self, now: Timestamp) -> Known {
        let mut known = self.lock();
        let is_fresh = |at: Timestamp| now >= at && now.duration_since(at) < GOOD_FOR;
        if known.at.is_some_and(is_fresh) {
            return *known;
        }
        known.at = Some(now);
        match (self.ask)() {
            Ok(free) => {
                known.is_blind = false;
                known.free = Some(free);
                let enough = if known.is_full { self.enough() } else { self.least };
                let is_full = free < enough;
                if is_full && !known.is_full {
                    tracing::error!(free, least = self.least, "the disk is nearly full: nothing new is begun");
                } else if known.is_full && !is_full {
                    tracing::info!(free, "the disk has room again");
                }
                known.is_full = is_full;
            }
            Err(error) => {
                known.free = None;
                if !std::mem::replace(&mut known.is_blind, true) {
                    tracing::error!(%error, "the system does not tell how much room the data folder has");
                }
            }
        }
        *known
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

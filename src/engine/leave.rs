//! Taking away what a closed merchant had, once its time is over: a few orders at a time, each step a write of its own.

use jiff::Timestamp;

use super::Engine;
use crate::db::{Error, job, leave};

/// Orders, or rows beside them, that one step takes away.
const ROWS: u32 = 20;
/// Steps of one minute while no order waits.
const STEPS: u32 = 100;

impl Engine {
    /// Some steps, unless nobody was closed for long enough. By a clock that is not believed nobody was.
    pub(super) fn purge_closed(&self, now: Timestamp, is_clock_believed: bool) -> Result<(), Error> {
        let Some(kept) = self.settings.retention.closed.filter(|_| is_clock_believed) else { return Ok(()) };
        if self.vitals.disk.is_full(now) {
            return Ok(());
        }
        let before = now - kept;
        let mut steps = 0;
        for merchant_id in self.db.read(|c| leave::due(c, before))? {
            while self.db.write(move |tx| leave::purge(tx, merchant_id, before, ROWS, now))? {
                steps += 1;
                let has_orders = self.db.read(job::next_claim)?.is_some_and(|due| due <= now);
                if steps >= STEPS || has_orders || self.is_stopping() {
                    return Ok(());
                }
            }
            tracing::info!(merchant_id, "what a closed merchant had is taken away");
        }
        Ok(())
    }
}

//! How long to wait after a failure: a value one asks for, not a thread that sleeps.

use jiff::SignedDuration;

/// A schedule of growing gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: SignedDuration,
    pub longest: SignedDuration,
}

impl Backoff {
    /// The gap after so many failures in a row (1 is the first), doubled each time up to the longest. `jitter` is a
    /// number out of 1,000: it takes off up to a quarter, so that many do not come back at once.
    #[must_use]
    pub fn gap(&self, failures: u32, jitter: u16) -> SignedDuration {
        let doublings = failures.saturating_sub(1).min(20);
        let gap = self.first.saturating_mul(1 << doublings).min(self.longest);
        gap - gap / 4_000 * i32::from(jitter.min(1_000))
    }
}

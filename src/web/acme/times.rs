//! When a certificate is asked for, as plain functions of times.

use jiff::{SignedDuration, Timestamp};

/// The first pause after a failure. Let's Encrypt bears five failed proofs of a name an hour.
const FIRST: SignedDuration = SignedDuration::from_mins(5);
/// The longest pause of ours.
const LONGEST: SignedDuration = SignedDuration::from_hours(4);
/// The shortest one, for certificates that live minutes.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
const SHORTEST_MS: i64 = 60_000;
/// The longest pause that an authority is granted: what it says is not signed.
const GRANTED: SignedDuration = SignedDuration::from_hours(48);

/// When a certificate is renewed: at two thirds of its own life, or by chance up to a thirtieth earlier, so that servers
/// which were set up together do not ask together.
///
/// One that we got ourselves (`got_at`, by our clock) is kept for a third of its life, and a minute, whatever the clocks say:
/// where ours is far ahead, every certificate seems to be over, and nobody may ask without end.
pub fn renewal(not_before: Timestamp, not_after: Timestamp, got_at: Option<Timestamp>, chance: u16) -> Timestamp {
    let life_ms = not_after.as_millisecond().saturating_sub(not_before.as_millisecond()).max(0);
    let early_ms = life_ms / 30 * i64::from(chance) / i64::from(u16::MAX);
    let due = later(not_before, life_ms / 3 * 2 - early_ms);
    got_at.map_or(due, |got_at| due.max(later(got_at, (life_ms / 3).max(SHORTEST_MS))))
}

/// How long to wait after so many failures in a row (one at least): minutes, doubling up to hours. A short-lived
/// certificate waits for no more than a quarter of what it has left, and the authority's own wish goes before all that.
pub fn pause(failures: u32, left: SignedDuration, asked: Option<SignedDuration>) -> SignedDuration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    let ours = if left.is_positive() { doubled.min((left / 4).max(SHORTEST)) } else { doubled };
    asked.map_or(ours, |asked| ours.max(asked.min(GRANTED)))
}

fn later(time: Timestamp, gap_ms: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_millis(gap_ms)).unwrap_or(Timestamp::MAX)
}

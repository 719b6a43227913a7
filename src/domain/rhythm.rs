//! Whether a shop that is usually busy has gone silent, by its own weeks.
//!
//! Each past hour weighs as much as the hours of the same weekday and time brought orders in the four weeks before: a night
//! in which nobody ever buys weighs nothing. A pause weighs what its hours weigh together. One is strange when it weighs far
//! more than any of the last four weeks did, and than a handful of orders. Whole numbers only; a shop without enough orders,
//! or without enough weeks, is never called silent.

/// Hours of a week.
const WEEK: usize = 7 * 24;
/// Weeks that are looked at.
pub const WEEKS: usize = 4;
/// Hours that are looked at.
pub const HOURS: usize = WEEKS * WEEK;
/// Fewer orders in all of them say nothing, nor do as few in the time before a pause.
const FEWEST: u64 = 200;
/// Each week has so many at least: a shop that has just begun, or was shut, has no rhythm.
const FEWEST_IN_A_WEEK: u64 = 20;
/// A pause is strange from so many missing orders on. A shop in which orders came by chance alone would pause so long once in
/// a hundred thousand times.
const MISSING: u64 = 12;
/// And only when it is so many times as heavy as the heaviest of before.
const TIMES: u64 = 2;
/// Weeks that are known of the time of day at which a pause of less than a week lies.
const KNOWN: u64 = 3;
/// Divides by one, two and three.
const PARTS: u64 = 6;

/// The orders of each of the last [`HOURS`] whole hours, the oldest first. `true`: the pause at their end is strange.
///
/// A pause does not count among the weeks that it is measured by, so it stays strange while it lasts, until less than a week is
/// known of before.
#[must_use]
pub fn is_silent(hours: &[u32; HOURS]) -> bool {
    let pause_begins = hours.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    let before = level(&hours[..pause_begins]);
    let mut weeks = before.rchunks_exact(WEEK).map(|week| week.iter().sum::<u64>());
    let is_enough = before.iter().sum::<u64>() * wide(HOURS) >= FEWEST * wide(pause_begins);
    if before.len() < WEEK || !is_enough || weeks.any(|count| count < FEWEST_IN_A_WEEK) {
        return false;
    }
    let slots: Vec<u64> = (0..WEEK).map(|slot| weight(&before, slot)).collect();
    let (mut pause, mut heaviest) = (0, 0);
    for (at, count) in hours.iter().enumerate() {
        if *count == 0 {
            pause += slots[at % WEEK];
        } else {
            heaviest = heaviest.max(pause);
            pause = 0;
        }
    }
    pause >= MISSING * wide(WEEKS) * PARTS && pause > heaviest * TIMES
}

/// Many orders of a backfill came in one hour and were placed in others: an hour counts at most a few times as much as the
/// same hour of the other weeks.
fn level(hours: &[u32]) -> Vec<u64> {
    let usual: Vec<u32> = (0..WEEK)
        .map(|slot| {
            let mut same: Vec<u32> = hours.iter().skip(slot).step_by(WEEK).copied().collect();
            same.sort_unstable();
            same.get(same.len().saturating_sub(1) / 2).copied().unwrap_or(0)
        })
        .collect();
    hours.iter().zip(usual.iter().cycle()).map(|(count, usual)| u64::from((*count).min(usual * 3 + 3))).collect()
}

/// What an hour of this time brought in all weeks together, in parts of an order. Where a long pause leaves fewer weeks, these
/// stand for the others.
fn weight(before: &[u64], slot: usize) -> u64 {
    let same = before.iter().skip(slot).step_by(WEEK);
    let weeks = wide(same.len()).clamp(1, KNOWN);
    same.sum::<u64>() * PARTS * KNOWN / weeks
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

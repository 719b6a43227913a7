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
/// Fewer orders in all of them say nothing.
const FEWEST: u64 = 200;
/// Each week has so many at least: a shop that has just begun, or was shut, has no rhythm.
const FEWEST_IN_A_WEEK: u64 = 20;
/// A pause is strange from so many missing orders on. A shop in which orders came by chance alone would pause so long once in
/// a hundred thousand times.
const MISSING: u64 = 12;
/// And only when it is so many times as heavy as the heaviest of before.
const TIMES: u64 = 2;

/// The orders of each of the last [`HOURS`] whole hours, the oldest first. `true`: the pause at their end is strange.
#[must_use]
pub fn is_silent(hours: &[u32; HOURS]) -> bool {
    let weeks: Vec<u64> = hours.chunks(WEEK).map(|week| week.iter().map(|count| u64::from(*count)).sum()).collect();
    // The week under way is the one that may be silent.
    let (_, before) = weeks.split_last().unwrap_or((&0, &[]));
    if weeks.iter().sum::<u64>() < FEWEST || before.iter().any(|count| *count < FEWEST_IN_A_WEEK) {
        return false;
    }
    // In orders of all weeks together: a usual week's order weighs as much as there are weeks.
    let weigh = |at: usize| -> u64 { (0..WEEKS).map(|week| u64::from(hours[at % WEEK + week * WEEK])).sum() };
    let (mut pause, mut heaviest) = (0, 0);
    for (at, count) in hours.iter().enumerate() {
        if *count == 0 {
            pause += weigh(at);
        } else {
            heaviest = heaviest.max(pause);
            pause = 0;
        }
    }
    let weeks = u64::try_from(WEEKS).unwrap_or(u64::MAX);
    pause >= MISSING * weeks && pause > heaviest * TIMES
}

//! When a busy shop counts as silent: never a slow one, never one that keeps its own weeks, and always one that stops.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use qantara::domain::rhythm::{HOURS, WEEKS, is_silent};

const WEEK: usize = HOURS / WEEKS;

fn hours(of: impl Fn(usize) -> u32) -> [u32; HOURS] {
    std::array::from_fn(of)
}

/// Busy from nine to nine, shut on the sixth day.
fn usual(at: usize) -> u32 {
    let (day, hour) = (at % WEEK / 24, at % 24);
    if day != 5 && (9..21).contains(&hour) { 3 } else { 0 }
}

#[test]
fn a_busy_shop_that_stops_is_silent_within_its_next_busy_hours_and_not_in_its_night() {
    // The last hour of the array is the one before now: Sunday midnight of a week that began on Monday.
    let silent_for = |gap: usize| is_silent(&hours(|at| if at + gap >= HOURS { 0 } else { usual(at) }));
    assert!(!silent_for(0));
    assert!(!silent_for(3), "the shop is shut at this time");
    assert!(!silent_for(5), "two busy hours");
    assert!(silent_for(3 + 12), "a whole day");
    // An ordinary night is no silence, whenever one asks.
    for turn in 0..WEEK {
        assert!(!is_silent(&hours(|at| usual(at + turn))), "asked {turn} hours later");
    }
}

#[test]
fn a_shop_without_enough_history_is_never_silent() {
    let new = hours(|at| if (3 * WEEK - 24..HOURS - 48).contains(&at) { 9 } else { 0 });
    assert!(!is_silent(&new), "it began in the third week");
    assert!(!is_silent(&[0; HOURS]));
}

#[test]
fn orders_fetched_later_make_no_rhythm() {
    // What a night's look through the shop brought counts in the hours in which it came.
    let fetched =
        |at: usize| if at % WEEK / 24 == 2 && (2..5).contains(&(at % 24)) && at / WEEK == 1 { 500 } else { 0 };
    for turn in 0..WEEK {
        let counted = hours(|at| usual(at + turn) + if at + turn < HOURS { fetched(at + turn) } else { 0 });
        assert!(!is_silent(&counted), "asked {turn} hours later");
    }
}

proptest! {
    #[test]
    fn what_is_silent_stays_so_while_nobody_buys(week in vec(0_u32..6, WEEK), turn in 0..WEEK, gap in 1..2 * WEEK) {
        let silent_for = |gap: usize| {
            is_silent(&hours(|at| if at + gap >= HOURS { 0 } else { week[(at + gap + turn) % WEEK] }))
        };
        prop_assert!(!silent_for(gap) || silent_for(gap + 1));
    }

    #[test]
    fn a_slow_shop_is_never_called_silent(places in vec(any::<Index>(), 0..199)) {
        let mut counted = [0; HOURS];
        for place in places {
            counted[place.index(HOURS)] += 1;
        }
        prop_assert!(!is_silent(&counted));
    }

    #[test]
    fn a_shop_that_does_as_every_week_is_never_called_silent(week in vec(0_u32..6, WEEK), turn in 0..WEEK) {
        let counted = hours(|at| week[(at + turn) % WEEK]);
        prop_assert!(!is_silent(&counted));
    }

    #[test]
    fn a_shop_that_repeats_a_pause_of_before_is_not_called_silent(
        week in vec(1_u32..6, WEEK),
        long in 1_usize..100,
        turn in 0..WEEK,
    ) {
        // The second week had the same pause.
        let paused = |at: usize| (2 * WEEK - long..2 * WEEK).contains(&at) || at + long >= HOURS;
        let counted = hours(|at| if paused(at) { 0 } else { week[(at + turn) % WEEK] });
        prop_assert!(!is_silent(&counted));
    }

    #[test]
    fn a_busy_shop_that_stops_for_good_is_called_silent(week in vec(2_u32..6, WEEK)) {
        let counted = hours(|at| if at + 48 >= HOURS { 0 } else { week[at % WEEK] });
        prop_assert!(is_silent(&counted));
    }
}

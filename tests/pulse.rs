//! The figures of the overview: counted by the schema as things happen, worked out without a clock of their own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use qantara::db::order::State;
use qantara::db::pulse::{Outcomes, Pulse, Queue, Soon, hour, midnight, since, steps, within};
use qantara::db::scope::Scope;
use qantara::db::{Context as _, Db};

fn pulse(hours: &[(i64, State, i64)], pace: &[(i64, i64, i64)]) -> Pulse {
    Pulse {
        hours: hours.to_vec(),
        pace: pace.to_vec(),
        queue: Queue::default(),
        oldest_hold: None,
        last_delivery: None,
    }
}

#[test]
fn the_day_begins_where_the_merchant_is() {
    let now = "2026-11-20T22:30:00Z".parse().unwrap();
    let zone = |name| TimeZone::get(name).unwrap();
    assert_eq!(midnight(now, &zone("Asia/Riyadh")), hour("2026-11-20T21:00:00Z".parse().unwrap()));
    assert_eq!(midnight(now, &TimeZone::UTC), hour("2026-11-20T00:00:00Z".parse().unwrap()));
}

#[test]
fn only_what_came_to_an_end_counts_for_success() {
    let pulse =
        pulse(&[(7, State::Settled, 9), (8, State::Held, 2), (8, State::Failed, 1), (9, State::Waiting, 5)], &[]);
    let all = since(&pulse, 7);
    assert_eq!(all, Outcomes { done: 9, stuck: 3, open: 5, ignored: 0 });
    assert_eq!((all.all(), all.success()), (17, Some(75)));
    assert_eq!(since(&pulse, 8).done, 0);
    assert_eq!(Outcomes { open: 4, ..Outcomes::default() }.success(), None);
}

#[test]
fn steps_end_with_the_last_hour() {
    let pulses = [pulse(
        &[(76, State::Settled, 1), (77, State::Settled, 2), (99, State::Held, 3), (100, State::Settled, 4)],
        &[],
    )];
    let days = steps(&pulses, 100, 2, 12);
    assert_eq!(days[1], Outcomes { done: 4, stuck: 3, ..Outcomes::default() });
    assert_eq!(days[0], Outcomes { done: 2, ..Outcomes::default() }, "hours 77 to 88; 76 is too old");
}

#[test]
fn the_pace_is_the_bucket_that_holds_so_many_of_a_hundred() {
    let pulses = [pulse(&[], &[(1, 50, 9), (5, 44, 9), (60, 5, 9), (0, 1, 9), (1, 900, 8)])];
    assert_eq!(within(&pulses, 9, 50), Some(Soon(Some(1))));
    assert_eq!(within(&pulses, 9, 95), Some(Soon(Some(60))));
    assert_eq!(within(&pulses, 9, 100), Some(Soon(None)));
    assert_eq!(within(&pulses, 10, 50), None);
}

#[test]
fn everything_is_counted_where_it_stands_now_and_when_it_came_in() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path()).unwrap();
    db.write(|tx| {
        tx.execute_batch(
            "insert into merchant (slug, key, name, shop_domain, time_zone, mode, rules, created_at)
             values ('one', 'k1', 'One', 'one', 'UTC', 'paused', '{}', 0), ('two', 'k2', 'Two', 'two', 'UTC', 'paused', '{}', 0);
             insert into orders (merchant_id, remote_id, state_at, created_at)
             values (1, 11, 0, 3600000), (1, 12, 0, 3600001), (1, 13, 0, 7200000), (2, 11, 0, 7200000);
             update orders set state = 'settled' where remote_id in (11, 12);
             update orders set state = 'settled' where remote_id = 11;
             update orders set state = 'held', reason = '{}', state_at = 99 where remote_id = 13;
             insert into sync_log (at, merchant_id, order_id, status)
             values (3604000, 1, 1, 'success'), (7300000, 1, 2, 'success'), (7300000, 1, 3, 'held');
             insert into job (kind, subject, merchant_id, due_at) values ('order', 3, 1, 5000), ('order', 2, 1, 9000000);
             insert into delivery (merchant_id, event_key, topic, received_at) values (1, 'a', 't', 7), (1, 'b', 't', 8);",
        )
        .during("prepare a test")
    })
    .unwrap();
    let now = Timestamp::from_millisecond(8_000_000).unwrap();
    let pulse = db.see(&Scope::All, |sight| sight.pulse(1, 0, now)).unwrap();
    assert_eq!(pulse.hours, [(1, State::Settled, 2), (2, State::Held, 1)]);
    assert_eq!(
        pulse.pace.iter().map(|(within, count, _)| (*within, *count)).collect::<BTreeMap<_, _>>(),
        [(5, 1), (21_600, 1)].into()
    );
    assert_eq!(pulse.queue, Queue { depth: 1, oldest: Some(Timestamp::from_millisecond(5_000).unwrap()) });
    assert_eq!(pulse.oldest_hold.map(|(id, ..)| id), Some(3));
    assert_eq!(pulse.last_delivery, Some(Timestamp::from_millisecond(8).unwrap()));
    let later = db.see(&Scope::All, |sight| sight.pulse(1, 2, now)).unwrap();
    assert_eq!(later.hours, [(2, State::Held, 1)]);
    let stranger = Scope::Only([2].into());
    assert!(db.see(&stranger, |sight| sight.pulse(1, 0, now)).is_err(), "out of scope");
    let standing = db.see(&stranger, |sight| sight.standing()).unwrap();
    assert_eq!(standing, [(2, State::Settled, 1)]);
}

//! A simulated week of two shops and three merchants: 5 % of the deliveries lost, all webhooks taken away twice, six hours of
//! down-time, a token revoked. In the end Daftra holds what the shops' own lists say, every statement has every order, and
//! people were told of what they must know and of nothing else.
//!
//! `QANTARA_ORDERS=<n>` lets so many orders be placed (100), `QANTARA_SEED=<seed>` draws another week (1).
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "week/check.rs"]
mod check;
mod common;
#[path = "week/town.rs"]
mod town;
#[path = "week/week.rs"]
mod week;

use std::collections::BTreeSet;

use check::Told;
use qantara::clock::Clock;
use week::{Course, Week};

const ORDERS: usize = 100;
/// How many deliveries in a thousand never leave.
const LOST: u32 = 50;

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to play")]
    let chosen = std::env::var(name).ok();
    chosen.map(|text| text.parse().unwrap())
}

/// Plays a week, and tells how it went.
fn play(has_api: bool, lose_per_mille: u32) -> Week {
    let orders = number("QANTARA_ORDERS").map_or(ORDERS, |orders| usize::try_from(orders).unwrap());
    let course = Course { seed: number("QANTARA_SEED").unwrap_or(1), orders, has_api, lose_per_mille };
    println!("{course:?}");
    let begin = Clock::real().now();
    let mut week = Week::new(course);
    week.play();
    let lost: usize = week.merchants.iter().map(|merchant| merchant.courier.undelivered().len()).sum();
    let took = Clock::real().now().duration_since(begin).as_secs_f64();
    println!("{} deliveries sent, {lost} lost, {} orders at a shop's API, {took:.1} s", week.sent, week.read());
    week
}

#[test]
fn after_a_bad_week_every_order_is_there_once_and_on_its_statement() {
    let week = play(true, LOST);
    let differences = week.differences();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(week.strays(), BTreeSet::new());

    let (mut mappable, mut unmappable) = (0, BTreeSet::new());
    for (at, merchant) in week.merchants.iter().enumerate() {
        for (sold, day) in week.days(at) {
            assert!(day.is_proven, "{}: the shop was looked through", merchant.slug);
            assert_eq!(day.missing, BTreeSet::new());
            let listed: BTreeSet<&String> = sold.iter().map(|one| &one.name).collect();
            assert_eq!(day.classes.keys().collect::<BTreeSet<_>>(), listed, "{}", merchant.slug);
            for one in &sold {
                let class = day.classes[&one.name];
                assert!(one.classes(merchant).contains(&class), "{} of {} is {class:?}", one.name, merchant.slug);
                if one.is_unmappable(merchant) {
                    unmappable.insert((merchant.slug.to_owned(), i64::try_from(one.id.0).unwrap()));
                } else {
                    mappable += 1;
                }
            }
        }
    }
    let waited = week.waited_for_a_person();
    let needless: Vec<_> = waited.difference(&unmappable).collect();
    assert!(needless.len() * 1_000 <= mappable, "of {mappable} orders waited for a person: {needless:?}");
    assert!(!unmappable.is_empty() && unmappable.is_subset(&waited), "{unmappable:?}");
    assert_eq!(week.told(), expected(&week));
}

/// Of each cause one alert, open as long as the cause is there.
fn expected(week: &Week) -> Vec<Told> {
    let told = |cause: &str, merchant: usize, is_over| (cause.to_owned(), format!("merchant {merchant}"), is_over);
    let mut all = Vec::new();
    // What the accounts lack still lacks: the lamps of the shop of two, and of the other one.
    all.extend([told("holds", 1, false), told("holds", 3, false)]);
    // The revoked token, until a person gave another.
    all.push(told("shop_api", 1, true));
    // Webhooks were taken away twice; and Shopify took those away that failed while nobody was there.
    for (at, merchant) in week.merchants.iter().enumerate() {
        let days: BTreeSet<_> = week.unsubscribed.iter().filter(|(slug, _)| *slug == merchant.slug).collect();
        let days: BTreeSet<i64> = days.iter().map(|(_, at)| at.as_second() / 86_400).collect();
        all.extend(days.iter().map(|_| told("subscriptions", at + 1, true)));
    }
    all.sort();
    all
}

#[test]
fn without_the_api_a_statement_says_what_it_cannot_know() {
    let week = play(false, 0);
    for (at, merchant) in week.merchants.iter().enumerate() {
        let (mut unheard, mut missing) = (BTreeSet::new(), BTreeSet::new());
        for (sold, day) in week.days(at) {
            assert!(!day.is_proven, "{}: nobody looked through the shop", merchant.slug);
            for one in &sold {
                let number = one.name[1..].parse::<u64>().unwrap();
                if merchant.heard.contains(&one.id) {
                    assert!(day.classes.contains_key(&one.name), "{} of {}", one.name, merchant.slug);
                } else {
                    unheard.insert(number);
                }
            }
            missing.extend(day.missing);
        }
        assert_eq!(missing, unheard, "{}: the numbers of what never came", merchant.slug);
    }
    assert!(week.merchants.iter().any(|merchant| !merchant.missed.is_empty()), "six hours cost nothing");
    // What is not as the shop says is what something never came of; of all else everything is right.
    for ((slug, order), fault) in week.differences() {
        let merchant = week.merchants.iter().find(|merchant| merchant.slug == slug).unwrap();
        assert!(merchant.missed.contains(&order), "{slug}: {fault}");
        assert!(!fault.contains("DUPLICATE"), "{slug}: {fault}");
    }
    assert_eq!(week.strays(), BTreeSet::new());
    // Orders that a person decides about, and numbers that nobody told of.
    assert!(week.told().iter().all(|(cause, ..)| cause == "holds" || cause == "gaps"), "{:?}", week.told());
    assert!(week.told().iter().any(|(cause, ..)| cause == "gaps"), "{:?}", week.told());
}

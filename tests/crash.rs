//! The crash simulation: thousands of histories in which the process dies wherever it can, and in the end no document is
//! there twice, none is missing, and ledger, Daftra's books and stock agree.
//!
//! `QANTARA_SEEDS=<n>` plays so many seeds (200), from `QANTARA_SEED=<first>`; a single one is told in full by
//! `QANTARA_SEED=<seed> cargo test --test crash one_seed -- --nocapture`.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "crash/check.rs"]
mod check;
mod common;
#[path = "crash/people.rs"]
mod people;
#[path = "crash/points.rs"]
mod points;
#[path = "crash/sim.rs"]
mod sim;
#[expect(dead_code, reason = "only words are asked for here")]
mod sources;
#[path = "crash/town.rs"]
mod town;
#[path = "crash/wire.rs"]
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{panic, thread};

use jiff::{SignedDuration, Timestamp};
use points::Tally;
use qantara::clock::Clock;
use qantara::domain::document::Policy;
use qantara::engine::Settings;
use sim::Sim;

const SEEDS: u64 = 200;
/// Lines of a story that a failure shows.
const LAST_LINES: usize = 60;

/// What came of one seed.
struct Played {
    differences: Vec<String>,
    story: Vec<(Timestamp, String)>,
    tally: Tally,
    lives: u32,
    restores: usize,
}

fn play(seed: u64, settings: Settings) -> Played {
    let sim = Sim::new(seed, settings);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        sim.play();
        let cases = check::cases(&sim);
        sim.state().tally.note(cases);
        check::differences(&sim)
    }));
    let differences = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        vec![format!("PANIC {text}")]
    });
    let mut state = sim.state();
    let (story, tally) = (std::mem::take(&mut state.story), std::mem::take(&mut state.tally));
    let restores = usize::from(!state.undone.is_empty());
    Played { differences, story, tally, lives: state.lives, restores }
}

impl Played {
    /// The last so many lines of the story.
    fn tell(&self, most: usize) -> String {
        let line = |(number, (at, text)): (usize, &(Timestamp, String))| format!("{number:>5}  {at:.3}  {text}");
        let skipped = self.story.len().saturating_sub(most);
        (1..).zip(&self.story).skip(skipped).map(line).collect::<Vec<_>>().join("\n")
    }
}

/// How a seed is told in full.
fn again(seed: u64) -> String {
    format!("Its whole story: QANTARA_SEED={seed} cargo test --test crash one_seed -- --nocapture")
}

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to play")]
    let chosen = std::env::var(name).ok();
    chosen.map(|text| text.parse().unwrap())
}

#[test]
fn whenever_it_dies_nothing_is_there_twice_and_nothing_is_missing() {
    let (first, count) = (number("QANTARA_SEED").unwrap_or(1), number("QANTARA_SEEDS").unwrap_or(SEEDS));
    let begin = Clock::real().now();
    let next = AtomicU64::new(first);
    let sum = Mutex::new((Tally::default(), 0_u64, 0_usize));
    let failed = Mutex::new(BTreeMap::<u64, Played>::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, |cores| cores.get()) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + count || failed.lock().unwrap().len() >= 20 {
                        return;
                    }
                    let played = play(seed, sim::settings());
                    let mut sum = sum.lock().unwrap();
                    sum.0.add(&played.tally);
                    sum.1 += u64::from(played.lives);
                    sum.2 += played.restores;
                    drop(sum);
                    if !played.differences.is_empty() {
                        failed.lock().unwrap().insert(seed, played);
                    }
                }
            });
        }
    });
    let (tally, lives, restores) = sum.into_inner().unwrap();
    let took = Clock::real().now().duration_since(begin).as_secs_f64();
    println!("{}\n{count} seeds from {first}: {lives} lives, {restores} restores, {took:.1} s", tally.table());
    let failed = failed.into_inner().unwrap();
    if let Some((seed, first)) = failed.first_key_value() {
        let all = failed.iter().map(|(seed, played)| format!("  {seed}: {}", played.differences.join("; ")));
        let (all, end, again) = (all.collect::<Vec<_>>().join("\n"), first.tell(LAST_LINES), again(*seed));
        panic!("Seeds that failed:\n{all}\n\nThe end of seed {seed}:\n{end}\n\n{again}");
    }
    if count >= SEEDS {
        let faults = tally.faults();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in [3, 8, 21] {
        let (first, second) = (play(seed, sim::settings()), play(seed, sim::settings()));
        assert!(first.story == second.story, "seed {seed} tells two stories");
        assert_eq!(first.differences, second.differences);
    }
}

/// The simulation can see what it is for: who looks too early and only once, and then sends again, makes duplicates.
#[test]
fn a_settling_time_that_is_too_short_is_found_out() {
    let mut settings = sim::settings();
    settings.policy = Policy { settling: SignedDuration::ZERO, look_ups: 1, ..settings.policy };
    let is_found_out = |seed| {
        let played = play(seed, settings);
        played.differences.iter().any(|difference| difference.starts_with("DUPLICATE"))
    };
    let found = (1..=SEEDS).find(|seed| is_found_out(*seed));
    println!("the first seed with a duplicate: {found:?}");
    assert!(found.is_some(), "no duplicate in {SEEDS} seeds");
}

/// Every function of the engine and the desk that changes the database is a crash point, or says why it is none.
#[test]
fn every_write_of_the_product_has_a_name() {
    let mut found = BTreeSet::new();
    for source in sources::sources().iter().filter(|source| ["engine", "desk"].contains(&source.top())) {
        let words: Vec<&str> = source.words.iter().map(|word| word.text.as_str()).collect();
        let mut function = "";
        for (at, four) in words.windows(4).enumerate() {
            match four {
                ["fn", name, ..] => function = name,
                ["db", ".", "write" | "post", "("] => {
                    let module = source.module().join("::");
                    assert!(!function.is_empty(), "{}:{}", source.file, source.words[at].line);
                    found.insert(format!("{module}::{function}"));
                }
                _ => {}
            }
        }
    }
    let listed = points::WRITES.iter().chain(points::BEYOND.iter().map(|(name, _)| name));
    assert_eq!(found, listed.map(|name| (*name).to_owned()).collect());
    let is_known = |name: &&str| points::all().iter().any(|point| point.rsplit_once(": ").unwrap().0 == *name);
    assert!(points::RARE.iter().all(is_known));
}

#[test]
fn one_seed() {
    let seed = number("QANTARA_SEED").unwrap_or(1);
    let played = play(seed, sim::settings());
    println!("{}", played.tell(usize::MAX));
    assert!(played.differences.is_empty(), "The differences of seed {seed}:\n  {}", played.differences.join("\n  "));
}

//! The names of all points at which a simulated process dies, and how often each was reached and deadly.
//!
//! The lists are written by hand on purpose: a new write or a new kind of call must be added here by somebody who thought
//! about a crash there, and `tests/crash.rs` compares the lists with the sources and with what was hit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use qantara::sandbox::shop::chance::Chance;

/// The functions of the product that change the database. Each is a crash point twice.
pub(crate) const WRITES: &[&str] = &[
    "engine::cut_over::look_for_namesakes",
    "engine::intake::count_stranger",
    "engine::intake::receive",
    "engine::order::fail",
    "engine::order::give_up",
    "engine::order::park_without_snapshot",
    "engine::order::show",
    "engine::order::stand",
    "engine::order::work_on_order",
    "engine::perform::all_happened",
    "engine::perform::answered",
    "engine::perform::conclude",
    "engine::perform::create",
    "engine::perform::find",
    "engine::perform::in_trouble",
    "engine::perform::no_answer",
    "engine::perform::note",
    "engine::perform::note_trouble",
    "engine::perform::record",
    "engine::perform::put",
    "engine::perform::trouble",
    "engine::worker::beat_once",
    "engine::worker::chore_once",
    "engine::worker::meet_account",
    "engine::worker::recover",
    "engine::worker::work_once",
];

/// No merchant of the simulation has a way to its shop.
const OF_SHOPS: &str = "only a merchant with a way to its shop's API comes there; see `tests/shopapi.rs`";

/// A report that touches no order.
const OF_COVERAGE: &str = "a report of what is found, looked at again from where it was cut; see `tests/shopapi.rs`";

/// The functions that write and are never reached here, and why.
pub(crate) const BEYOND: &[(&str, &str)] = &[
    (
        "engine::backup::close_backup_alert",
        "an alert, once at the start, and again at the next one; see `tests/backup.rs`",
    ),
    ("desk::in_one", "every wish has a name of its own, in `WISHES`"),
    ("engine::summary::sum_up_all", "the key of a mail says day and recipient; see `tests/telling.rs`"),
    ("engine::summary::sum_up_merchant", "the same of one merchant; see `tests/telling.rs`"),
    ("engine::telling::tell_of_alerts", "word, notices and mails in one commit; see `tests/telling.rs`"),
    ("engine::telling::tell_once", "the end of a word, noted a second time; see `tests/telling.rs`"),
    ("engine::telling::say", "a word whose end is not noted is said again; see `tests/telling.rs`"),
    ("engine::outbox::make_mails", "the key says news and recipient, and the news goes with it; see `tests/mails.rs`"),
    ("engine::outbox::mail_step", "a mail under way counts as in doubt; see `tests/mails.rs`"),
    ("engine::outbox::open_outbox", "the same again at the next start; see `tests/mails.rs`"),
    ("engine::backup::back_up_once", "it notes a time and an alert, and no order depends on either"),
    ("engine::night::ask_again", "marks that are set again in the next night; see `tests/night.rs`"),
    ("engine::night::draw", "statements are drawn up from our own books, again each night; see `tests/night.rs`"),
    ("engine::night::examine", "a night that began; see `tests/night.rs`"),
    ("engine::leave::purge_closed", "small steps, each of which is taken again if it was lost; see `tests/leaving.rs`"),
    ("engine::privacy::forget", "small steps, each of which is taken again if it was lost; see `tests/privacy.rs`"),
    ("engine::catch_up::ask_shops", OF_SHOPS),
    ("engine::catch_up::catch_up", OF_SHOPS),
    ("engine::catch_up::look_through", OF_SHOPS),
    ("engine::catch_up::learn", OF_SHOPS),
    ("engine::catch_up::try_order", OF_SHOPS),
    ("engine::reread::not_there", OF_SHOPS),
    ("engine::reread::read_again", OF_SHOPS),
    ("engine::adopt::adopt", "a person's wish; one commit, before which nothing has changed; see `tests/cut_over.rs`"),
    ("engine::adopt::not_adopted", "a person's wish; see `tests/cut_over.rs`"),
    ("engine::watch::look_for_others", "asked for again in the next night; see `tests/cut_over.rs`"),
    ("engine::watch::missing_numbers", OF_SHOPS),
    ("engine::watch::watch_shops", "what is the case is asked anew; see `tests/cut_over.rs`"),
    ("engine::barcodes::read_variants", OF_SHOPS),
    ("engine::coverage::judge_variants", OF_COVERAGE),
    ("engine::coverage::list_sold", OF_COVERAGE),
    ("engine::coverage::look_at_coverage", OF_COVERAGE),
    ("engine::coverage::page_through", OF_COVERAGE),
    ("engine::shop::note_shop", OF_SHOPS),
    ("engine::shop::token", OF_SHOPS),
    ("engine::shop::way_to_shop", OF_SHOPS),
    ("engine::subscriptions::watch_subscriptions", OF_SHOPS),
    ("engine::perform::rewrite", "a person's wish that cannot be done; see `tests/daftra/documents.rs`"),
    ("engine::order::stop_going_round", "a fault of ours, or more wishes in one run than operations"),
    ("engine::upkeep::trim", "small steps, each of which is taken again if it was lost; see `tests/upkeep.rs`"),
    ("engine::upkeep::watch", "what is the case is asked anew each minute; see `tests/upkeep.rs`"),
    ("engine::worker::release", "only an error of the database leads there"),
];

/// What a person asks for.
pub(crate) const WISHES: &[&str] = &["look for others", "map", "pause", "resume", "retry", "set"];

/// Calls that change something in Daftra. Each is a crash point four times.
pub(crate) const SENDS: &[&str] = &["create invoice", "create payment", "create receipt", "replace invoice"];

/// Calls that only ask. Each is a crash point twice.
pub(crate) const QUESTIONS: &[&str] = &[
    "find products",
    "find tills",
    "list payments",
    "look up invoice",
    "look up receipt",
    "read invoice",
    "read receipt",
    "read stock",
    "site_info",
];

/// What must come about in some seed of so many, so that somebody drew it and the check saw it.
pub(crate) const CASES: &[&str] = &[
    "a change by hand is shown",
    "a deletion by hand is shown",
    "a locked invoice is held",
    "a locked invoice makes room for another",
    "an exchange is booked",
    "an exchange is held",
    "goodwill is held",
    "goodwill is left out",
    "goodwill is on a receipt",
    "payments are recorded",
    "stock lacks",
    "stock waits for a requisition",
];

/// What few histories come to: a third of the seeds is after each of these points.
pub(crate) const RARE: &[&str] = &[
    "create payment",
    "create receipt",
    "engine::intake::count_stranger",
    "engine::order::give_up",
    "engine::order::park_without_snapshot",
    "engine::order::show",
    "engine::order::work_on_order",
    "engine::perform::in_trouble",
    "engine::perform::no_answer",
    "engine::perform::note_trouble",
    "engine::perform::put",
    "engine::perform::trouble",
    "find tills",
    "list payments",
    "look up receipt",
    "read receipt",
    "read stock",
    "replace invoice",
    "wish map",
    "wish pause",
    "wish resume",
    "wish retry",
    "wish set",
];

/// What comes in few seeds only, or when most lives are spent: every seed is after it.
const LATE: &[&str] = &["engine::cut_over::look_for_namesakes", "list payments", "wish look for others"];

/// Of the rare points a seed is after one in so many.
const SHARE: u64 = 3;

/// The points a seed is after: one of all, and its share of the rare ones.
pub(crate) fn aims(chance: &mut Chance) -> BTreeSet<String> {
    let all = all();
    let pick = usize::try_from(chance.below(all.len() as u64)).unwrap();
    let is_among = |names: &[&str], point: &str| point.rsplit_once(": ").is_some_and(|(name, _)| names.contains(&name));
    let mut aims: BTreeSet<String> = BTreeSet::from([all[pick].clone()]);
    let late = all.iter().filter(|point| is_among(LATE, point)).cloned();
    aims.extend(late);
    aims.extend(all.into_iter().filter(|point| is_among(RARE, point) && chance.below(SHARE) == 0));
    aims
}

/// Around a commit: the change is lost, or it is kept and nobody hears of it.
pub(crate) const COMMIT: [&str; 2] = ["lost", "kept"];
/// Around a call that changes something: nothing left; it was executed and nobody heard; it is executed later, in the
/// next life; the answer came and was not recorded.
pub(crate) const SEND: [&str; 4] = ["before", "executed", "late", "heard"];
/// Around a call that asks.
pub(crate) const QUESTION: [&str; 2] = ["before", "heard"];

/// Every name there is.
pub(crate) fn all() -> Vec<String> {
    let with = |names: &[&str], ends: &[&str]| -> Vec<String> {
        names.iter().flat_map(|name| ends.iter().map(move |end| format!("{name}: {end}"))).collect()
    };
    let wishes: Vec<String> = WISHES.iter().map(|wish| format!("wish {wish}")).collect();
    let wishes: Vec<&str> = wishes.iter().map(String::as_str).collect();
    [with(WRITES, &COMMIT), with(&wishes, &COMMIT), with(SENDS, &SEND), with(QUESTIONS, &QUESTION)].concat()
}

/// From the type of a closure to the function that wrote it: `engine::perform::create`. `None` if it is not the product's.
pub(crate) fn site(closure: &str) -> Option<String> {
    let path = closure.strip_prefix("qantara::")?;
    let mut depth = 0;
    let outside = path.chars().filter(|character| {
        depth += i32::from(*character == '<');
        let is_outside = depth == 0;
        depth -= i32::from(*character == '>');
        is_outside
    });
    let outside: String = outside.collect();
    let is_name = |part: &&str| part.starts_with(|first: char| first.is_ascii_lowercase());
    Some(outside.split("::").filter(is_name).collect::<Vec<_>>().join("::"))
}

/// How often a point was passed, and how often it was the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hits {
    pub(crate) reached: u64,
    pub(crate) deadly: u64,
}

/// The hits of every point of a run, and what came about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    points: BTreeMap<String, Hits>,
    /// Seeds in which a case came about.
    cases: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn hits(&mut self, point: &str) -> &mut Hits {
        // Most points are known after a moment: no name is copied then.
        if !self.points.contains_key(point) {
            self.points.insert(point.to_owned(), Hits::default());
        }
        self.points.get_mut(point).unwrap()
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        for (point, hits) in &other.points {
            let sum = self.hits(point);
            sum.reached += hits.reached;
            sum.deadly += hits.deadly;
        }
        for (case, seeds) in &other.cases {
            *self.cases.entry(case).or_default() += seeds;
        }
    }

    pub(crate) fn note(&mut self, cases: BTreeSet<&'static str>) {
        self.cases.extend(cases.into_iter().map(|case| (case, 1)));
    }

    /// Points that nobody listed, points at which nobody died, and cases that never came about.
    pub(crate) fn faults(&self) -> Vec<String> {
        let known = all();
        let strangers = self.points.keys().filter(|point| !known.contains(point));
        let strangers = strangers.map(|point| format!("{point}: add it to tests/crash/points.rs"));
        let untried = known.iter().filter(|point| self.points.get(*point).is_none_or(|hits| hits.deadly == 0));
        let missed = CASES.iter().filter(|case| !self.cases.contains_key(*case));
        let missed = missed.map(|case| format!("{case}: in no seed"));
        strangers.chain(untried.map(|point| format!("{point}: nobody died there"))).chain(missed).collect()
    }

    pub(crate) fn table(&self) -> String {
        let mut table = format!("{:>9} {:>9}  crash point\n", "reached", "deadly");
        for (point, hits) in &self.points {
            let _ = writeln!(table, "{:>9} {:>9}  {point}", hits.reached, hits.deadly);
        }
        let _ = writeln!(table, "{:>9}            case", "seeds");
        for (case, seeds) in &self.cases {
            let _ = writeln!(table, "{seeds:>9}            {case}");
        }
        table
    }
}

//! The house rules: what lies where, who may use whom, and what must not be in any file.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

mod sources;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use sources::{ROOT, Source, read, sources, tracked, words};

/// What lies at the top, beside files and folders that begin with a dot.
const TOP_LEVEL: [&str; 11] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "config.example.toml",
    "schema.sql",
    "src",
    "systemd",
    "tests",
];

/// Who uses whom in `src/`, lowest first. Exactly: a right that nobody uses any more is taken out here too.
const USES: [(&str, &[&str]); 20] = [
    ("sys", &[]),
    ("clock", &[]),
    ("config", &[]),
    ("vault", &[]),
    ("domain", &[]),
    ("vitals", &["clock"]),
    ("outgoing", &["config"]),
    ("channel", &["outgoing"]),
    ("shop", &["domain", "outgoing"]),
    ("daftra", &["domain", "outgoing", "vitals"]),
    ("db", &["domain"]),
    ("text", &["db", "domain"]),
    ("mail", &["domain", "text"]),
    ("engine", &["channel", "clock", "config", "daftra", "db", "domain", "mail", "shop", "text", "vault", "vitals"]),
    ("desk", &["daftra", "db", "domain", "engine", "mail", "text", "vault"]),
    ("view", &["db", "desk", "domain", "text"]),
    ("web", &["clock", "config", "db", "desk", "domain", "mail", "outgoing", "text", "vault", "view", "vitals"]),
    ("sandbox", &[]),
    (
        "cli",
        &[
            "channel", "clock", "config", "daftra", "db", "desk", "domain", "engine", "mail", "outgoing", "sandbox",
            "shop", "text", "vault", "view", "vitals", "web",
        ],
    ),
    ("main", &["cli", "sys"]),
];

/// All that the pure core may name of the world outside.
const PURE: [&str; 17] = [
    "crate::domain",
    "jiff::SignedDuration",
    "jiff::Timestamp",
    "jiff::civil",
    "jiff::tz::TimeZone",
    "rust_decimal",
    "serde",
    "std::borrow",
    "std::cmp",
    "std::collections::BTreeMap",
    "std::collections::BTreeSet",
    "std::fmt",
    "std::iter",
    "std::ops",
    "std::str",
    "thiserror",
    "unicode_normalization",
];
/// Ways to the clock, to the files of time zones and to the screen which those names offer.
const IMPURE_CALLS: [&str; 5] =
    ["TimeZone::get", "TimeZone::system", "TimeZone::try_system", "Timestamp::now", "Zoned::now"];
const IMPURE_WORDS: [&str; 6] = ["dbg", "env", "eprint", "eprintln", "in_tz", "println"];

/// What the demo may know of the rest: it plays against the product from outside, and what it expects is worked out
/// without it. Of the command line only what all commands use, and the set-up of the fake account.
const DEMO: [&str; 9] = [
    "crate::cli::Ended",
    "crate::cli::Session",
    "crate::cli::demo",
    "crate::cli::out",
    "crate::cli::sandbox",
    "crate::cli::serve",
    "crate::clock",
    "crate::sandbox",
    "crate::vault",
];

/// The modules that serve sockets; everybody else is a thread with a loop.
const ASYNC: [&str; 3] = ["cli", "sandbox", "web"];

#[test]
fn the_top_level_is_closed() {
    let allowed = |name: &str| name.starts_with('.') || TOP_LEVEL.contains(&name);
    let found: BTreeSet<String> = tracked().iter().map(|file| file.split('/').next().unwrap().to_owned()).collect();
    let surplus = found.iter().filter(|name| !allowed(name)).map(|name| format!("{name}: does not belong here"));
    let missing = TOP_LEVEL.iter().filter(|name| !found.contains(**name)).map(|name| format!("{name}: missing"));
    none(surplus.chain(missing));
}

#[test]
fn modules_use_whom_the_table_says() {
    let table: BTreeMap<&str, BTreeSet<&str>> =
        USES.iter().map(|(module, used)| (*module, used.iter().copied().collect())).collect();
    let found = between_modules(&sources());
    let mut faults = Vec::new();
    for (user, used) in &found {
        let Some(allowed) = table.get(user.as_str()) else {
            faults.push(format!("src/{user}: not in the table"));
            continue;
        };
        for (module, place) in used {
            if !allowed.contains(module.as_str()) {
                faults.push(format!("{place}: {user} may not use {module}"));
            }
        }
    }
    for (user, allowed) in table {
        match found.get(user) {
            Some(used) => faults.extend(
                allowed
                    .iter()
                    .filter(|module| !used.contains_key(**module))
                    .map(|module| format!("tests/house.rs: the table lets {user} use {module}, which it does not")),
            ),
            None => faults.push(format!("tests/house.rs: the table knows {user}, and there is none")),
        }
    }
    none(faults);
}

#[test]
fn no_imports_go_in_a_circle() {
    let sources = sources();
    // The fake Daftra is one machine of records that know each other; the rest of the product has an order.
    let folders: BTreeSet<&str> = sources.iter().map(Source::top).filter(|top| *top != "sandbox").collect();
    let inside = folders.into_iter().filter_map(|folder| circle(&between_files_of(folder, &sources)));
    none(circle(&between_modules(&sources)).into_iter().chain(inside));
}

#[test]
fn the_core_is_pure() {
    let foreign = dependencies();
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.top() == "domain") {
        for (line, path) in source.paths() {
            let spelled = path.join("::");
            let is_outside =
                matches!(path[0].as_str(), "std" | "core" | "alloc" | "crate") || foreign.contains(&path[0]);
            let is_pure = PURE
                .iter()
                .any(|pure| spelled.strip_prefix(pure).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")));
            if (is_outside && !is_pure) || IMPURE_CALLS.iter().any(|call| spelled.ends_with(call)) {
                faults.push(format!("{}:{line}: the pure core names {spelled}", source.file));
            }
        }
        faults.extend(source.places(&IMPURE_WORDS).map(|(place, word)| format!("{place}: the pure core says {word}")));
    }
    none(faults);
}

#[test]
fn the_demo_expects_by_itself() {
    let sources = sources();
    // The playground shows what the product says; it expects nothing.
    let expects = |file: &str| file.starts_with("src/cli/demo/") && !file.starts_with("src/cli/demo/playground/");
    let demo: Vec<&Source> = sources.iter().filter(|source| expects(&source.file)).collect();
    assert!(demo.len() > 1, "the demo is somewhere else: this rule looks at nothing");
    let mut faults = Vec::new();
    for source in demo {
        for (line, path) in source.paths().into_iter().filter(|(_, path)| path[0] == "crate") {
            let spelled = path.join("::");
            let is_known = DEMO
                .iter()
                .any(|known| spelled.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")));
            if !is_known {
                faults.push(format!("{}:{line}: the demo names {spelled}", source.file));
            }
        }
    }
    none(faults);
}

#[test]
fn only_sockets_we_serve_are_async() {
    let sources = sources();
    let threads = sources.iter().filter(|source| !ASYNC.contains(&source.top()));
    none(threads.flat_map(|source| source.places(&["async", "await"])).map(|(place, word)| format!("{place}: {word}")));
}

#[test]
fn nothing_has_two_names() {
    let mut faults = Vec::new();
    // The sandbox is a product of its own with a front; inside the bridge every item is named by its module.
    for source in sources().iter().filter(|source| source.top() != "sandbox") {
        let words: Vec<&str> = source.words.iter().map(|word| word.text.as_str()).collect();
        for (at, word) in source.words.iter().enumerate().filter(|(_, word)| word.text == "use") {
            if matches!(words[..at], [.., "pub"] | [.., "pub", "(", _, ")"]) {
                faults.push(format!("{}:{}: pub use", source.file, word.line));
            }
        }
    }
    none(faults);
}

#[test]
fn unsafe_and_floats_stay_out() {
    let sources = sources();
    let raw = sources.iter().filter(|source| source.file != "src/sys.rs").flat_map(|source| source.places(&["unsafe"]));
    let inexact = sources.iter().flat_map(|source| source.places(&["f32", "f64"]));
    none(raw.chain(inexact).map(|(place, word)| format!("{place}: {word}")));
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = tracked().into_iter().filter(|file| file.ends_with(".rs"));
    none(
        files.filter(|file| !read(file).starts_with("//! ")).map(|file| format!("{file}:1: begin with a //! sentence")),
    );
}

#[test]
fn the_map_is_true() {
    let text = read("ARCHITECTURE.md");
    let map = text.split("```map\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
    // What begins with a space goes on with the sentence of the line before.
    let named: Vec<&str> = map
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .map(|path| path.trim_end_matches('/'))
        .collect();
    let gone = named.iter().filter(|path| !Path::new(ROOT).join(path).exists());
    let gone = gone.map(|path| format!("ARCHITECTURE.md: the map names {path}, and there is none"));
    let covers = |file: &str, named: &&str| {
        named.starts_with("src/")
            && file.strip_prefix(*named).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let sources = sources();
    let lost = sources.iter().filter(|source| !named.iter().any(|named| covers(&source.file, named)));
    none(gone.chain(lost.map(|source| format!("ARCHITECTURE.md: the map does not show {}", source.file))));
}

#[test]
fn nothing_is_left_lying_about() {
    // Spelled in two halves, or this file would be its own finding.
    let leftovers = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("<<<", "<<<<"),
        concat!(">>>", ">>>>"),
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tm", "p/wt"),
        concat!("crates", ".io"),
    ];
    // Of the last, a hash happens to hold such a word.
    let registry = ["Cargo.lock", ".deny.toml", "tests/post/package-lock.json"];
    let mut faults = Vec::new();
    for file in tracked().iter().filter(|file| !registry.contains(&file.as_str())) {
        // Pictures are not text.
        let Ok(text) = fs::read_to_string(Path::new(ROOT).join(file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let found = leftovers.iter().filter(|word| line.contains(**word));
            faults.extend(found.map(|word| format!("{file}:{}: {word}", number + 1)));
        }
    }
    none(faults);
}

#[test]
fn an_ignored_test_is_run_by_another() {
    let mut faults = Vec::new();
    for file in tracked().iter().filter(|file| file.ends_with(".rs")) {
        let text = read(file);
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("#[ignore")) {
            let parent = line.split_once("\"the child of ").and_then(|(_, rest)| rest.split_once('"'));
            if !parent.is_some_and(|(name, _)| text.contains(&format!("fn {name}("))) {
                faults.push(format!("{file}:{}: ignored, and no other test runs it", number + 1));
            }
        }
    }
    none(faults);
}

#[test]
fn a_test_that_stands_aside_is_run_by_all() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let all = read("tests/all");
    let aside = manifest["test"].as_array().unwrap().iter().filter(|target| target["test"].as_bool() == Some(false));
    let names = aside.map(|target| target["name"].as_str().unwrap());
    none(
        names
            .filter(|name| !all.contains(&format!("cargo test --locked --test {name}")))
            .map(|name| format!("Cargo.toml: the test {name} stands aside, and tests/all does not run it")),
    );
}

#[test]
fn sources_are_read_as_the_compiler_reads_them() {
    let text = r##"
        // use crate::comment;  /* and */
        use crate::db::{self, log::{Entry, Status as S}, order};
        const TEXT: &str = "crate::literal \" // no comment"; /* crate::block /* nested */ */
        const RAW: &str = r#"crate::raw " "#;
        fn quote<'a>(c: &'a char) -> bool { *c == '"' || *c == '\'' || super::text::is(c) }
        mod inner { use super::super::money::Amount; }
        pub(crate) use self::inner::*;
        let list = Vec::<u8>::new();
    "##;
    let source = Source { file: "src/web/page.rs".to_owned(), words: words(text) };
    let found: Vec<(usize, String)> = source.paths().into_iter().map(|(line, path)| (line, path.join("::"))).collect();
    let expected = [
        (3, "crate::db"),
        (3, "crate::db::log::Entry"),
        (3, "crate::db::log::Status"),
        (3, "crate::db::order"),
        (6, "crate::web::text::is"),
        (7, "crate::web::money::Amount"),
        (8, "crate::web::page::inner::*"),
        (9, "Vec"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));

    let edges = |pairs: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (from, to) in pairs {
            uses.entry((*from).to_owned()).or_default().insert((*to).to_owned(), format!("{from}:1"));
        }
        uses
    };
    assert_eq!(circle(&edges(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    let found = circle(&edges(&[("a", "b"), ("b", "c"), ("c", "d"), ("d", "a"), ("d", "c")]));
    assert_eq!(found.as_deref(), Some("a circle: c:1 uses d, d:1 uses c"));
}

/// Fails with all faults, one per line.
fn none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Who uses whom, and one place where it can be seen.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

fn between_modules(sources: &[Source]) -> Uses {
    let mut uses = Uses::new();
    for source in sources.iter().filter(|source| source.file != "src/lib.rs") {
        let used = uses.entry(source.top().to_owned()).or_default();
        for (line, path) in source.paths() {
            if let [root, module, ..] = path.as_slice()
                && root == "crate"
                && module != source.top()
            {
                used.entry(module.clone()).or_insert_with(|| format!("{}:{line}", source.file));
            }
        }
    }
    uses
}

fn between_files_of(folder: &str, sources: &[Source]) -> Uses {
    let mut uses = Uses::new();
    for source in sources.iter().filter(|source| source.top() == folder) {
        let name = source.module().join("::");
        let used = uses.entry(name.clone()).or_default();
        for (line, path) in source.paths() {
            if let [root, top, file, ..] = path.as_slice()
                && root == "crate"
                && top == folder
                && format!("{folder}::{file}") != name
            {
                used.entry(format!("{folder}::{file}")).or_insert_with(|| format!("{}:{line}", source.file));
            }
        }
    }
    uses
}

/// The shortest circle, told by the uses that close it.
fn circle(uses: &Uses) -> Option<String> {
    let shortest = uses.keys().filter_map(|start| way_back(start, uses)).min_by_key(Vec::len)?;
    let steps = shortest.iter().map(|(user, used)| format!("{} uses {used}", uses[*user][*used]));
    Some(format!("a circle: {}", steps.collect::<Vec<_>>().join(", ")))
}

/// The fewest uses that lead from a module to itself.
fn way_back<'a>(start: &'a str, uses: &'a Uses) -> Option<Vec<(&'a str, &'a str)>> {
    let mut reached = BTreeSet::new();
    let mut ways: VecDeque<Vec<(&str, &str)>> = [Vec::new()].into();
    while let Some(way) = ways.pop_front() {
        let user = way.last().map_or(start, |(_, used)| *used);
        if user == start && !way.is_empty() {
            return Some(way);
        }
        for used in uses.get(user).into_iter().flat_map(BTreeMap::keys).filter(|used| reached.insert(used.as_str())) {
            ways.push_back(way.iter().copied().chain([(user, used.as_str())]).collect());
        }
    }
    None
}

/// The crates of Cargo.toml, as they are spelled in Rust.
fn dependencies() -> BTreeSet<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let tables = ["dependencies", "dev-dependencies"].map(|name| manifest[name].as_table().unwrap());
    tables.into_iter().flat_map(toml::Table::keys).map(|name| name.replace('-', "_")).collect()
}

//! `demo --once` from outside: it ends well, and it would notice if it did not. `QANTARA_SEED` names another town.
#![expect(clippy::unwrap_used, reason = "a demo that cannot be run fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

fn demo(arguments: &[&str]) -> Output {
    assert_cmd::Command::cargo_bin("qantara").unwrap().arg("demo").args(arguments).output().unwrap()
}

#[test]
fn the_scenario_ends_as_a_person_wrote_it_down() {
    let output = demo(&["--once"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let last = text.lines().last().unwrap();
    assert_eq!(last, "35 orders · 32 invoices · 3 held · 0 missing · 0 twice · killed 3 times");
}

/// Whether a server works in a folder under this one.
fn is_serving(below: &Path) -> bool {
    fs::read_dir(below).unwrap().flatten().any(|folder| folder.path().join("qantara.lock").exists())
}

/// The processes that were told of something under this folder.
fn processes(below: &Path) -> Vec<String> {
    let told = |process: fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(below.to_str()?).then_some(line)
    };
    fs::read_dir("/proc").unwrap().flatten().filter_map(told).collect()
}

#[test]
fn a_demo_that_is_interrupted_leaves_nothing_behind() {
    for arguments in [&["--once"][..], &["--once", "--orders", "1000"]] {
        let place = tempfile::tempdir().unwrap();
        let mut demo = Command::new(assert_cmd::cargo::cargo_bin("qantara"));
        demo.arg("demo").args(arguments).env("TMPDIR", place.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut demo = demo.spawn().unwrap();
        while !is_serving(place.path()) {
            assert!(demo.try_wait().unwrap().is_none(), "{arguments:?} ended before it served");
            thread::yield_now();
        }
        assert!(Command::new("kill").args(["-INT", &demo.id().to_string()]).status().unwrap().success());
        let ended = demo.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), told.contains("Interrupted")), (Some(1), true), "{arguments:?}: {told}");
        assert_eq!(processes(place.path()), Vec::<String>::new(), "{arguments:?}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{arguments:?}");
    }
}

#[test]
fn a_wrong_expectation_is_noticed() {
    let output = demo(&["--once", "--wrong", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["differences"], 1, "{answer}");
    let wrong: Vec<&Value> = answer["rows"].as_array().unwrap().iter().filter(|row| row["verdict"] != "ok").collect();
    assert_eq!((wrong.len(), &wrong[0]["order"]), (1, &Value::from("#1001")), "{wrong:?}");
}

#[test]
fn a_generated_town_ends_as_its_generator_expects() {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to repeat")]
    let seed = std::env::var("QANTARA_SEED").unwrap_or_else(|_| "7".to_owned());
    let output = demo(&["--once", "--orders", "120", "--seed", &seed, "--faults"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "seed {seed}\n{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().collect();
    let [.., planted, last] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(*planted, "5 planted changes found");
    assert!(last.starts_with("120 orders · ") && last.contains(" · 0 missing · 0 twice · killed "), "{last}");
    assert!(!last.ends_with("killed 0 times"), "{last}");
}

#[test]
fn a_generated_town_notices_a_wrong_expectation() {
    let output = demo(&["--once", "--orders", "100", "--seed", "2", "--wrong", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["differences"], &answer["noticed"]), (&Value::from(1), &Value::from(0)), "{answer}");
    assert!(answer["plain"].as_u64().unwrap() * 10 >= answer["orders"].as_u64().unwrap() * 9, "{answer}");
    let booked = |slug: &str| {
        let rows = answer["merchants"].as_array().unwrap();
        rows.iter().find(|row| row["merchant"] == slug).unwrap()["payments"].as_u64().unwrap()
    };
    assert!(["wadi", "bahr", "khor"].into_iter().all(|slug| booked(slug) > 0), "{answer}");
    assert_eq!(booked("najd") + booked("sakura"), 0, "{answer}");
    let met = answer["features"].as_object().unwrap();
    assert!(met.values().filter(|count| count.as_u64().unwrap() > 0).count() * 4 > met.len() * 3, "{answer}");
    let causes: Vec<&Value> = answer["merchants"].as_array().unwrap().iter().map(|row| &row["held"]).collect();
    assert!(causes.iter().any(|held| held.as_object().is_some_and(|held| !held.is_empty())), "{answer}");
}

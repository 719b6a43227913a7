//! `demo --once` from outside: it ends well, and it would notice if it did not. `QANTARA_SEED` names another town.
#![expect(clippy::unwrap_used, reason = "a demo that cannot be run fails")]

use std::process::Output;

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
    assert_eq!(*planted, "4 planted changes found");
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
    let causes: Vec<&Value> = answer["merchants"].as_array().unwrap().iter().map(|row| &row["held"]).collect();
    assert!(causes.iter().any(|held| held.as_object().is_some_and(|held| !held.is_empty())), "{answer}");
}

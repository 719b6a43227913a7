//! `demo --once` from outside: it ends well, and it would notice if it did not.
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

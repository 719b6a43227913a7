//! The fake Daftra as a caller sees it: hand-written HTTP over a plain socket, one test per behaviour that a client
//! must be able to rely on or must survive. `point_NN` counts the behaviours in the order of our Daftra notes.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

mod calls;
mod control;
mod desk;
mod documents;
mod faults;
mod stock_and_money;

/// The table at the top of the fake and the tests say the same.
#[test]
fn every_point_has_its_tests() {
    let files = [
        ("calls", include_str!("calls.rs")),
        ("documents", include_str!("documents.rs")),
        ("stock_and_money", include_str!("stock_and_money.rs")),
    ];
    let tested: BTreeSet<(String, &str)> = files
        .iter()
        .flat_map(|(file, text)| text.split("fn point_").skip(1).map(|name| (name[..2].to_owned(), *file)))
        .collect();
    let table = include_str!("../../src/sandbox/daftra/mod.rs");
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .filter(|line| line.get(..2).is_some_and(|number| number.parse::<u8>().is_ok()));
    let named: BTreeSet<(String, &str)> = rows
        .flat_map(|row| {
            let files = row.rsplit("  ").next().unwrap().trim().split(", ");
            files.map(|file| (row[..2].to_owned(), file))
        })
        .collect();
    assert_eq!(named, tested);
    assert_eq!(named.iter().map(|(point, _)| point).collect::<BTreeSet<_>>().len(), 17);
}

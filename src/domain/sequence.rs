//! Numbers in the names of orders: a shop counts on, so a number that nobody told us of is an order we may not know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Numbers that were never seen, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    pub from: u64,
    pub to: u64,
}

/// What is missing between these names and after `before`, the last name of an earlier time. Names are compared with those
/// that are written alike: `#1001` and `W1001` are two ways of counting.
#[must_use]
pub fn gaps<'a>(before: Option<&'a str>, names: impl Iterator<Item = &'a str>) -> Vec<Gap> {
    let found = find(before.map(|name| (name, ())), names.map(|name| (name, ())));
    found.into_iter().map(|(gap, ())| gap).collect()
}

/// The same, of names that carry something, with what the name after each gap carries.
#[must_use]
pub fn gaps_before<'a, T: Copy + Ord>(names: impl Iterator<Item = (&'a str, T)>) -> Vec<(Gap, T)> {
    find(None, names)
}

fn find<'a, T: Copy + Ord>(before: Option<(&'a str, T)>, names: impl Iterator<Item = (&'a str, T)>) -> Vec<(Gap, T)> {
    let read = |(name, carried): (&'a str, T)| split(name).map(|(affixes, number)| (affixes, (number, carried)));
    let mut series = BTreeMap::<(&str, &str), Vec<(u64, T)>>::new();
    for (affixes, one) in names.filter_map(read) {
        series.entry(affixes).or_default().push(one);
    }
    let last = before.and_then(read);
    let mut gaps = Vec::new();
    for (affixes, mut numbers) in series {
        numbers.extend(last.filter(|(known, _)| *known == affixes).map(|(_, one)| one));
        numbers.sort_unstable();
        let missing = numbers.windows(2).filter(|pair| pair[1].0 - pair[0].0 > 1);
        gaps.extend(missing.map(|pair| (Gap { from: pair[0].0 + 1, to: pair[1].0 - 1 }, pair[1].1)));
    }
    gaps
}

/// What stands around the last run of digits, and the number itself.
fn split(name: &str) -> Option<((&str, &str), u64)> {
    let end = name.rfind(|letter: char| letter.is_ascii_digit())? + 1;
    let begin = name[..end]
        .rfind(|letter: char| !letter.is_ascii_digit())
        .map_or(0, |at| at + name[at..].chars().next().map_or(0, char::len_utf8));
    Some(((&name[..begin], &name[end..]), name[begin..end].parse().ok()?))
}

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
pub fn gaps<'a>(before: Option<&str>, names: impl Iterator<Item = &'a str>) -> Vec<Gap> {
    let mut series = BTreeMap::<(&str, &str), Vec<u64>>::new();
    for (affixes, number) in names.filter_map(split) {
        series.entry(affixes).or_default().push(number);
    }
    let last = before.and_then(split);
    let mut gaps = Vec::new();
    for (affixes, mut numbers) in series {
        let earlier = last.filter(|(known, _)| *known == affixes).map(|(_, number)| number);
        numbers.extend(earlier);
        numbers.sort_unstable();
        let missing = numbers.windows(2).filter(|pair| pair[1] - pair[0] > 1);
        gaps.extend(missing.map(|pair| Gap { from: pair[0] + 1, to: pair[1] - 1 }));
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

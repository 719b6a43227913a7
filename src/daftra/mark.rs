//! The mark by which our rows in Daftra are known: the end of their description.
//!
//! Daftra gives rows new ids with every change, and people add rows of their own. A row with our mark is ours, whatever
//! became of the rest of it.

use crate::domain::invoice::Billed;

/// Daftra cuts or refuses longer labels.
pub(super) const LONGEST_LABEL_CHARS: usize = 255;

/// The SKU for people, and behind it the mark by which the row is known as ours.
pub(super) fn description(billed: &Billed) -> String {
    let mark = format!("[{}]", billed.source);
    let room = LONGEST_LABEL_CHARS.saturating_sub(mark.chars().count() + 1);
    let sku: String = billed.sku.trim().chars().take(room).collect();
    format!("{sku} {mark}").trim_start().to_owned()
}

/// Whether a row's description ends with the mark that we put on every row.
pub(super) fn is_marked(description: &str) -> bool {
    let mark = description.trim_end().strip_suffix(']').and_then(|text| text.rsplit_once('['));
    mark.is_some_and(|(_, mark)| match mark.split_once(' ') {
        Some(("line" | "shipping" | "money", id)) => !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()),
        Some(_) => false,
        None => matches!(mark, "tip" | "duties" | "fees"),
    })
}

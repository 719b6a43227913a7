//! Mappings as a file: CSV with the columns code, product and note, as spreadsheets write it.
//!
//! A file is read whole or not at all, and what is wrong with it is told by row and column. What is written reads back the
//! same, and no cell of it is a formula: codes come from shops, and whoever opens the file runs what they wrote.

use std::collections::BTreeMap;

use super::MappingRow;
use crate::db::product::Mapping;
use crate::domain::catalog::Code;

/// The columns.
pub const HEAD: [&str; 3] = ["code", "product", "note"];

/// Spreadsheets of some countries part cells by a semicolon, and what is copied out of one by a tab.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// With these a spreadsheet takes a cell for a formula.
const FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// Rows of one file: beyond any shop's codes, and few enough for one change of the database.
pub const MOST_ROWS: usize = 100_000;

/// The row with which some spreadsheets begin, to say what parts their cells.
const TOLD_SEPARATOR: &str = "sep=";

/// What is wrong with a file, and where; rows count from 1, the one with the headings among them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something else than text in UTF-8.
    #[error("The file is not UTF-8 text: save it as CSV UTF-8")]
    NotText,
    /// A quote that is opened is never closed.
    #[error("Row {row} has a cell that begins with a quote and does not end: close it, or double the quote")]
    OpenQuote { row: usize },
    /// More than is taken at once.
    #[error("The file has more than {most} rows: take it in as several files")]
    TooMany { most: usize },
    /// Too few cells, or too many.
    #[error("Row {row} has {columns} columns: write code, product and note")]
    Columns { row: usize, columns: usize },
    /// There is nothing in the column of the code.
    #[error("Row {row} has no code: write a SKU, a barcode or the id of a variant")]
    NoCode { row: usize },
    /// A spreadsheet took a barcode for a number and kept only its first digits.
    #[error(
        "Row {row} has the code \"{code}\", which a spreadsheet rounded: \
         import the column as text there, so that all digits stay"
    )]
    Rounded { row: usize, code: String },
    /// What stands in the column of the product is no number of one.
    #[error("Row {row} has the product \"{value}\": write Daftra's id of the product, a number")]
    Product { row: usize, value: String },
    /// The same code stands in two rows.
    #[error("Row {row} has the code \"{code}\" of row {first} again: keep the row that is right")]
    Twice { row: usize, first: usize, code: String },
}

/// All mappings as a file.
#[must_use]
pub fn write(mappings: &[Mapping]) -> String {
    let line = |cells: [&str; 3]| cells.map(quoted).join(",") + "\n";
    let rows = mappings.iter().map(|(code, product_id, note)| line([code, &product_id.to_string(), note]));
    line(HEAD) + &rows.collect::<String>()
}

/// A cell as spreadsheets read it, and never as a formula.
pub(super) fn quoted(cell: &str) -> String {
    let guard = if is_formula(cell) { "'" } else { "" };
    if !guard.is_empty() || cell.contains(['"', ',', ';', '\t', '\n', '\r']) {
        format!("\"{guard}{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A spreadsheet takes it for a formula, or did before it was guarded.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches(['\'', ' ', '\t', '\r', '\n']).starts_with(FORMULA)
}

/// The cell without the guard that `quoted` puts before it.
fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Such as `6.28123E+12`, which is what is left of a barcode that was opened as a number.
fn is_rounded(code: &str) -> bool {
    let Some((digits, power)) = code.split_once(['E', 'e']) else { return false };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, part) = digits.split_once(['.', ',', '٫']).unwrap_or((digits, "0"));
    are_digits(whole) && are_digits(part) && power.strip_prefix('+').is_some_and(are_digits)
}

/// The rows of a file. Empty rows are passed over, and so are a row that names the separator and the one of headings, both
/// of which may be missing.
pub fn read(text: &str) -> Result<Vec<MappingRow>, Fault> {
    // What was no UTF-8 was replaced by this mark where it was made text.
    if text.contains('\u{fffd}') || text.contains('\0') {
        return Err(Fault::NotText);
    }
    let mut rows = Vec::new();
    let mut seen = BTreeMap::new();
    let mut may_be_head = true;
    for (row, cells) in (1..).zip(records(text.trim_start_matches('\u{feff}'))?) {
        let mut cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        // Empty columns at the end are a spreadsheet's.
        while cells.len() > HEAD.len() && cells.last() == Some(&"") {
            cells.pop();
        }
        let is_told = row == 1 && cells.first().is_some_and(|cell| cell.eq_ignore_ascii_case(TOLD_SEPARATOR));
        if is_told || cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        if std::mem::take(&mut may_be_head) && cells.first().is_some_and(|cell| cell.eq_ignore_ascii_case(HEAD[0])) {
            continue;
        }
        let (code, product, note) = match cells.as_slice() {
            [code, product] => (unguarded(code), *product, ""),
            [code, product, note] => (unguarded(code), *product, unguarded(note)),
            _ => return Err(Fault::Columns { row, columns: cells.len() }),
        };
        let known = Code::new(code);
        if known.is_none() {
            return Err(Fault::NoCode { row });
        }
        if is_rounded(code) {
            return Err(Fault::Rounded { row, code: code.to_owned() });
        }
        let Some(product_id) = product.parse().ok().filter(|id: &i64| *id > 0) else {
            return Err(Fault::Product { row, value: product.to_owned() });
        };
        if let Some(first) = seen.insert(known, row) {
            return Err(Fault::Twice { row, first, code: code.to_owned() });
        }
        rows.push(MappingRow { code: code.to_owned(), product_id, note: note.to_owned() });
    }
    Ok(rows)
}

/// Cells in quotes may hold separators, line ends and doubled quotes.
pub(super) fn records(text: &str) -> Result<Vec<Vec<String>>, Fault> {
    let separator = separator(text);
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match (letter, is_quoted) {
            ('"', true) if letters.next_if_eq(&'"').is_some() => cell.push('"'),
            ('"', true) => is_quoted = false,
            (letter, true) => cell.push(letter),
            ('"', false) if cell.is_empty() => is_quoted = true,
            ('\r', false) => {}
            ('\n', false) => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
                if records.len() > MOST_ROWS {
                    return Err(Fault::TooMany { most: MOST_ROWS });
                }
            }
            (letter, false) if letter == separator => record.push(std::mem::take(&mut cell)),
            (letter, false) => cell.push(letter),
        }
    }
    if is_quoted {
        return Err(Fault::OpenQuote { row: records.len() + 1 });
    }
    if !(cell.is_empty() && record.is_empty()) {
        record.push(cell);
        records.push(record);
    }
    Ok(records)
}

/// What the file says by itself, or the first of them that parts its first row; in it nothing but a note may hold another.
fn separator(text: &str) -> char {
    let first = text.lines().map(str::trim_start).find(|line| !line.is_empty()).unwrap_or_default();
    let told = first.get(..TOLD_SEPARATOR.len()).filter(|start| start.eq_ignore_ascii_case(TOLD_SEPARATOR));
    let parting = told.map_or(first, |start| &first[start.len()..]).chars().find(|letter| SEPARATORS.contains(letter));
    parting.unwrap_or(SEPARATORS[0])
}

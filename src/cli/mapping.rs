//! `mapping`: which code of a shop is which product of Daftra, where the codes do not say it themselves.
//!
//! Files are CSV with the columns code, product and note, as a spreadsheet writes them; what `export` prints `import`
//! takes and changes nothing.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::order::merchant_of;
use super::{Ended, Session, is_stdin, open, out};
use crate::clock::Clock;
use crate::db::scope::Scope;
use crate::desk::{MappingRow, Wish};
use crate::view::{self, read};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// From now on this code is this product, whatever else would fit; orders held for want of a product go on
    Set {
        /// The merchant
        merchant: String,
        /// A SKU, a barcode or the id of a variant
        code: String,
        /// Daftra's id of the product
        product: i64,
    },
    /// What was decided about codes
    List {
        /// The merchant
        merchant: String,
    },
    /// Set many at once from a CSV file with the columns code, product, note; codes that it does not name stay
    Import {
        /// The merchant
        merchant: String,
        /// - for standard input
        file: PathBuf,
    },
    /// Print all as CSV
    Export {
        /// The merchant
        merchant: String,
    },
}

const HEAD: [&str; 3] = ["code", "product", "note"];

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let now = Clock::real().now();
        match self {
            Self::Set { merchant, code, product } => {
                let wish = Wish::MappingSet { slug: merchant, code, product_id: product };
                let answer = open::wish(&config, wish, now)?;
                session.out.say(&answer, || {
                    let code = answer["code"].as_str().unwrap_or_default();
                    match (answer["was"].as_i64(), answer["orders"].as_u64().unwrap_or_default()) {
                        (Some(was), _) if was == product => format!("{code} is product {product} already"),
                        (_, 0) => format!("{code} is product {product}"),
                        (_, orders) => format!("{code} is product {product}; {orders} held orders are looked at again"),
                    }
                })?;
            }
            Self::List { merchant } => {
                let mappings = mappings(&open::look(&config)?, &merchant)?;
                let cells = |one: &view::Mapping| [one.code.clone(), one.product_id.to_string(), one.note.clone()];
                session.out.say(&mappings, || {
                    out::table(["CODE", "PRODUCT", "NOTE"], &mappings.iter().map(cells).collect::<Vec<_>>())
                })?;
            }
            Self::Import { merchant, file } => {
                let rows = rows(&read(&file)?).with_context(|| format!("In {}", file.display()))?;
                let answer = open::wish(&config, Wish::MappingImport { slug: merchant, rows }, now)?;
                session.out.say(&answer, || {
                    let (rows, changed, orders) = (&answer["rows"], &answer["changed"], &answer["orders"]);
                    format!("{rows} codes read, {changed} changed; {orders} held orders are looked at again")
                })?;
            }
            Self::Export { merchant } => {
                let mappings = mappings(&open::look(&config)?, &merchant)?;
                session.out.say(&mappings, || export(&mappings))?;
            }
        }
        Ok(Ended::Fine)
    }
}

fn mappings(db: &crate::db::Db, slug: &str) -> anyhow::Result<Vec<view::Mapping>> {
    let merchant = merchant_of(db, slug)?;
    Ok(db.see(&Scope::All, |sight| read::mappings(sight, &merchant.slug))?)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if is_stdin(file) {
        io::stdin().read_to_string(&mut text).context("Cannot read standard input")?;
    } else {
        text = fs::read_to_string(file).with_context(|| format!("Cannot read {}", file.display()))?;
    }
    Ok(text)
}

fn export(mappings: &[view::Mapping]) -> String {
    let line = |cells: [&str; 3]| cells.map(quoted).join(",") + "\n";
    let rows = mappings.iter().map(|one| line([&one.code, &one.product_id.to_string(), &one.note]));
    line(HEAD) + &rows.collect::<String>()
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

fn rows(text: &str) -> anyhow::Result<Vec<MappingRow>> {
    let mut rows = Vec::new();
    for (number, cells) in (1..).zip(records(text.trim_start_matches('\u{feff}'))?) {
        let cells: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
        let is_head = number == 1 && cells.first().is_some_and(|cell| cell.eq_ignore_ascii_case(HEAD[0]));
        let (code, product, note) = match cells.as_slice() {
            _ if is_head => continue,
            [] | [""] => continue,
            [code, product] => (*code, *product, ""),
            [code, product, note] => (*code, *product, *note),
            _ => bail!("Row {number} has {} columns: write code, product and note", cells.len()),
        };
        let Ok(product_id) = product.parse() else {
            bail!("Row {number} has the product \"{product}\": write Daftra's id of the product, a number");
        };
        rows.push(MappingRow { code: code.to_owned(), product_id, note: note.to_owned() });
    }
    Ok(rows)
}

/// CSV as spreadsheets write it: cells in quotes may hold commas, line ends and doubled quotes.
fn records(text: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match (letter, is_quoted) {
            ('"', true) if letters.next_if_eq(&'"').is_some() => cell.push('"'),
            ('"', true) => is_quoted = false,
            (letter, true) => cell.push(letter),
            ('"', false) if cell.is_empty() => is_quoted = true,
            (',', false) => record.push(std::mem::take(&mut cell)),
            ('\r', false) => {}
            ('\n', false) => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            (letter, false) => cell.push(letter),
        }
    }
    if is_quoted {
        bail!("A cell that begins with a quote does not end: close it, or double the quote");
    }
    if !(cell.is_empty() && record.is_empty()) {
        record.push(cell);
        records.push(record);
    }
    Ok(records)
}

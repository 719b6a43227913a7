//! Looking for which of a shop's variants a product is found: a report for whoever wants to go live.

use rusqlite::Transaction;
use serde_json::json;

use super::mapping_file::quoted;
use super::merchant::open_merchant;
use super::{About, Done, Effects, Error, Moment, Refusal, Why};
use crate::db::job::{self, Chore};
use crate::db::variant::{self, Known};
use crate::domain::catalog::Code;
use crate::domain::variant::Outcome;

/// The columns of the file.
pub const HEAD: [&str; 5] = ["variant", "sku", "barcode", "title", "why"];

/// Looks anew; while that goes on, asking again changes nothing.
pub(super) fn look(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    if known.account_id.is_none() {
        return Err(Refusal::of(About::Merchant(slug.to_owned()), Why::NoAccount).into());
    }
    let answer = json!({ "merchant": slug, "looking": true });
    if variant::look(tx, known.id)?.is_none() {
        variant::begin_look(tx, known.id, moment.now)?;
        moment.write_down(tx, "merchant.coverage", json!({ "merchant": slug }))?;
    }
    job::ask_chore(tx, Chore::Catalogue, known.id, moment.now)?;
    Ok(Done { answer, effects: Effects { chores_asked: true, ..Effects::default() } })
}

/// The variants without a product as a file, as spreadsheets read it; what a shop wrote is never a formula there.
#[must_use]
pub fn file(rows: &[Known]) -> String {
    let line = |cells: [&str; 5]| cells.map(quoted).join(",") + "\n";
    let rows = rows.iter().map(|row| {
        let barcode = row.barcode.as_ref().map(Code::as_str).unwrap_or_default();
        let outcome = row.outcome.map(Outcome::word).unwrap_or_default();
        line([&row.id.to_string(), &row.sku, barcode, &row.title, outcome])
    });
    line(HEAD) + &rows.collect::<String>()
}

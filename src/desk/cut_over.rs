//! The way from another program to this one: documents in Daftra that name our orders and are not ours, each adopted or
//! dismissed before a merchant goes live.

use rusqlite::Transaction;
use serde::Serialize;
use serde_json::json;

use super::go_live::REACH;
use super::mapping_file;
use super::merchant::open_merchant;
use super::{About, AdoptRow, Done, Effects, Error, Moment, Refusal, Why};
use crate::db::job::{self, Chore};
use crate::db::merchant::Merchant;
use crate::db::{namesake, order};
use crate::domain::namesake::twice;

/// The columns of a file.
pub const HEAD: [&str; 2] = ["order", "invoice"];

/// Looks through Daftra anew.
pub(super) fn look(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    account_of(&known)?;
    namesake::begin_look(tx, known.id, moment.now - REACH)?;
    job::ask_chore(tx, Chore::Namesakes, known.id, moment.now)?;
    moment.write_down(tx, "merchant.cut_over", json!({ "merchant": slug }))?;
    let answer = json!({ "merchant": slug, "looking": true });
    Ok(Done { answer, effects: Effects { chores_asked: true, ..Effects::default() } })
}

/// What became of one line.
#[derive(Serialize)]
struct Line {
    line: u32,
    order: String,
    invoice: String,
    refusal: Option<Refusal>,
}

/// Documents become the invoices of orders, each line for itself: what is wrong with one is told, and the others are done.
pub(super) fn adopt(tx: &Transaction<'_>, moment: &Moment, slug: &str, rows: &[AdoptRow]) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    let account_id = account_of(&known)?;
    let orders_twice = twice(rows.iter().map(|row| row.order.trim().trim_start_matches('#')));
    let invoices_twice = twice(rows.iter().map(|row| row.invoice.trim()));
    let (mut lines, mut orders) = (Vec::new(), Vec::new());
    for row in rows {
        let refuse = |key: &str, value: &str, why| {
            let value = Some(json!(value).to_string());
            Some(Refusal { about: About::Line(row.line, key.to_owned()), value, why })
        };
        let refusal = if orders_twice.contains(row.order.trim().trim_start_matches('#')) {
            refuse(HEAD[0], &row.order, Why::LineTwice)
        } else if invoices_twice.contains(row.invoice.trim()) {
            refuse(HEAD[1], &row.invoice, Why::LineTwice)
        } else {
            match want(tx, moment, (known.id, account_id), row)? {
                Ok(order_id) => {
                    orders.push(order_id);
                    None
                }
                Err((key, value, why)) => refuse(key, value, why),
            }
        };
        lines.push(Line { line: row.line, order: row.order.clone(), invoice: row.invoice.clone(), refusal });
    }
    let answer = json!({ "merchant": slug, "adopting": orders.len(), "lines": lines });
    if !orders.is_empty() {
        moment.write_down(tx, "order.adopt", json!({ "merchant": slug, "orders": orders }))?;
    }
    Ok(Done { answer, effects: Effects { orders_asked: !orders.is_empty(), ..Effects::default() } })
}

type LineFault<'a> = (&'static str, &'a str, Why);

/// One line, as far as our own books can judge it; Daftra is asked when the order is looked at.
fn want<'a>(
    tx: &Transaction<'_>,
    moment: &Moment,
    (merchant_id, account_id): (i64, i64),
    row: &'a AdoptRow,
) -> Result<Result<i64, LineFault<'a>>, Error> {
    let [of_order, of_invoice] = HEAD;
    let Some(remote_id) = row.invoice.trim().parse::<i64>().ok().filter(|id| *id > 0) else {
        return Ok(Err((of_invoice, &row.invoice, Why::InvoiceForm)));
    };
    let order_id = match namesake::orders_meant(tx, merchant_id, &row.order)?.as_slice() {
        [one] => *one,
        [] => return Ok(Err((of_order, &row.order, Why::NoOrder))),
        [..] => return Ok(Err((of_order, &row.order, Why::OrderAmbiguous))),
    };
    match namesake::owner(tx, account_id, remote_id)? {
        Some(other) if other == order_id => return Ok(Err((of_order, &row.order, Why::OrderInvoiced))),
        Some(other) => {
            let name = order::get(tx, other)?.name;
            return Ok(Err((of_invoice, &row.invoice, Why::InvoiceTaken(name))));
        }
        None => {}
    }
    if namesake::has_invoice(tx, order_id)? {
        return Ok(Err((of_order, &row.order, Why::OrderInvoiced)));
    }
    if namesake::adopting(tx, order_id)?.is_some_and(|(_, other)| other != remote_id) {
        return Ok(Err((of_order, &row.order, Why::LineTwice)));
    }
    if !namesake::has_snapshot(tx, order_id)? {
        return Ok(Err((of_order, &row.order, Why::OrderEmpty)));
    }
    if let Some(other) = namesake::disputing(tx, account_id, remote_id)?.filter(|other| *other != order_id) {
        let name = order::get(tx, other)?.name;
        return Ok(Err((of_invoice, &row.invoice, Why::InvoiceNames(name))));
    }
    if !namesake::want(tx, (merchant_id, account_id), order_id, remote_id, moment.now)? {
        return Ok(Err((of_invoice, &row.invoice, Why::InvoiceTaken(row.order.clone()))));
    }
    job::hurry(tx, order_id, merchant_id, moment.now)?;
    Ok(Ok(order_id))
}

/// A document is none of ours, whatever it names.
pub(super) fn dismiss(tx: &Transaction<'_>, moment: &Moment, slug: &str, invoice: i64) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    let Some(order_id) = namesake::dismiss(tx, known.id, invoice)? else {
        return Err(Refusal::new(HEAD[1], invoice, Why::NoNamesake).into());
    };
    // It waited for this.
    job::hurry(tx, order_id, known.id, moment.now)?;
    moment.write_down(tx, "namesake.dismiss", json!({ "merchant": slug, "invoice": invoice }))?;
    Ok(Done {
        answer: json!({ "merchant": slug, "dismissed": invoice }),
        effects: Effects { orders_asked: true, ..Effects::default() },
    })
}

fn account_of(known: &Merchant) -> Result<i64, Error> {
    let none = || Refusal::of(About::Merchant(known.slug.clone()), Why::NoAccount);
    Ok(known.account_id.ok_or_else(none)?)
}

/// The rows of a file with the columns order and invoice; headings and empty rows are passed over. What is wrong with a row
/// is told with what became of it.
pub fn rows(text: &str) -> Result<Vec<AdoptRow>, mapping_file::Fault> {
    let records = mapping_file::records(text.trim_start_matches('\u{feff}'))?;
    let rows = (1..).zip(records).filter_map(|(line, cells)| {
        let cell = |at: usize| cells.get(at).map(|cell| cell.trim().to_owned()).unwrap_or_default();
        let (order, invoice) = (cell(0), cell(1));
        let is_head = line == 1 && order.eq_ignore_ascii_case(HEAD[0]);
        (!(is_head || order.is_empty() && invoice.is_empty())).then_some(AdoptRow { line, order, invoice })
    });
    Ok(rows.collect())
}

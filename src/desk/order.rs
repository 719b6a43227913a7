//! A person's "try again" on one order, and what people note about it.

use rusqlite::Transaction;
use serde_json::json;

use super::{About, Done, Effects, Error, Moment, Refusal, Why};
use crate::db::order::Overview;
use crate::db::{self, document, job, order, product, ruling, setting};
use crate::domain::document::{Document, Event, State, apply};

/// Makes an order due now: counts begin anew, refused documents are planned again, and what was missing in Daftra is
/// asked for once more. Only the settling time of a call in doubt is not cut short: the ledger sees to that.
pub(super) fn retry(tx: &Transaction<'_>, moment: &Moment, order_id: i64) -> Result<Done, Error> {
    let order = known(tx, order_id)?;
    product::forget_misses(tx, order.merchant_id)?;
    let again = begin_anew(tx, moment, &order)?;
    let facts = json!({ "order": order_id, "name": order.name, "merchant": order.merchant, "documents": again });
    moment.write_down(tx, "order.retry", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects { orders_asked: true, ..Effects::default() } })
}

/// Longer ones belong into a file.
const LONGEST_NOTE: usize = 1_000;

/// Keeps a note with the order's story.
pub(super) fn note(tx: &Transaction<'_>, moment: &Moment, order_id: i64, note: &str) -> Result<Done, Error> {
    let length = note.chars().count();
    if !(1..=LONGEST_NOTE).contains(&length) {
        return Err(Refusal::of(About::Key("note".to_owned()), Why::NoteLength(length, LONGEST_NOTE)).into());
    }
    let order = known(tx, order_id)?;
    let facts = json!({ "order": order_id, "name": order.name, "merchant": order.merchant, "note": note });
    moment.write_down(tx, "order.note", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects::default() })
}

/// The order of our number, which somebody typed.
pub(super) fn known(tx: &Transaction<'_>, order_id: i64) -> Result<Overview, Error> {
    match order::get(tx, order_id) {
        Err(db::Error::NotFound { .. }) => Err(Refusal::new("order", order_id, Why::NoOrder).into()),
        found => Ok(found?),
    }
}

/// Counts of its documents begin anew and it is due now, also if it was dismissed. The documents that were touched. That
/// products are asked for anew is the caller's to see to, once for many orders.
pub(super) fn begin_anew(tx: &Transaction<'_>, moment: &Moment, order: &Overview) -> Result<Vec<String>, db::Error> {
    let order_id = order.id;
    let mut again = Vec::new();
    let look_first_before = setting::time(tx, setting::LOOK_FIRST_BEFORE)?;
    let documents = document::of_order(tx, order_id)?;
    // What took the place of a deleted invoice keeps it.
    let is_replaced = |gone: &Document| {
        let others = || documents.iter().filter(|other| other.invoice().is_some() && other.state.is_live());
        gone.state == State::Gone && gone.invoice().is_some() && others().next().is_some()
    };
    for document in documents.iter().filter(|document| may_try_again(document) && !is_replaced(document)) {
        // What was refused in an older copy of the database may exist by now: it is looked for, not sent.
        let is_old = document.state == State::Refused && document.may_have_left(look_first_before);
        let event = if is_old { Event::Restarted } else { Event::TryAgain };
        let Ok(after) = apply(document, event, moment.now, &moment.policy) else { continue };
        document::store(tx, document.state, &after)?;
        again.push(after.content.header().reference.clone());
    }
    ruling::lift(tx, order_id)?;
    job::hurry(tx, order_id, order.merchant_id, moment.now)?;
    Ok(again)
}

fn may_try_again(document: &Document) -> bool {
    match document.state {
        // Its last look may be what the order is held for.
        State::Dropped => document.look_at.is_some(),
        State::Planned | State::InDoubt | State::Refused | State::Posted => true,
        State::ReplaceInDoubt | State::Locked | State::Gone => true,
        State::Sending | State::Replacing | State::Reversed => false,
    }
}

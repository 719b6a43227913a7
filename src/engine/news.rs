//! Which step of an order is news that somebody may want a mail about. Noted in the transaction that makes the step; whether
//! anybody gets it is asked there, too, so that nothing is noted for nobody.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::db::Error;
use crate::db::mail::{self, Told};
use crate::domain::document::{Document, State};
use crate::domain::draft::Draft;
use crate::domain::news::Kind;
use crate::domain::refund::Cause;
use crate::mail::letter::{self, changes};

/// An order stands where people must know of it.
pub(super) fn of_order(tx: &Transaction<'_>, kind: Kind, order_id: i64, now: Timestamp) -> Result<(), Error> {
    mail::tell(tx, Told { kind, order_id, document_id: None, changes: None }, now)
}

/// A document came into being, when it was first read back as it was written: then its number and Daftra's total are known.
/// One that is not as it was written holds its order, and that is the news. Or its content became another one.
pub(super) fn of_document(
    tx: &Transaction<'_>,
    order_id: i64,
    before: &Document,
    after: &Document,
    is_read_back: bool,
    now: Timestamp,
) -> Result<(), Error> {
    let document_id = Some(after.id);
    if matches!(before.state, State::Replacing | State::ReplaceInDoubt) && after.state == State::Posted {
        let changes = changes(&before.content, &after.content);
        if changes.is_empty() {
            return Ok(());
        }
        let changes = letter::as_json(&changes);
        return mail::tell(tx, Told { kind: Kind::Updated, order_id, document_id, changes: Some(&changes) }, now);
    }
    let kind = match &after.content {
        _ if !is_read_back || before.total.is_some() => return Ok(()),
        Draft::Payment(_) => return Ok(()),
        Draft::Invoice(_) => Kind::Created,
        Draft::RefundReceipt(receipt) => match receipt.cause {
            Cause::Refund(_) | Cause::Cancel => Kind::Cancelled,
            // The order lives on with another invoice.
            Cause::Reversal(_) => Kind::Updated,
        },
    };
    mail::tell(tx, Told { kind, order_id, document_id, changes: None }, now)
}

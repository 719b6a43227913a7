//! Whether a merchant may go from shadow to live.

use jiff::SignedDuration;
use rusqlite::Transaction;

use super::{About, Error, Moment, Refusal, Why};
use crate::db::merchant::{Merchant, Mode};
use crate::db::namesake;

/// Orders that were placed so lately may have documents of others.
pub(super) const REACH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What was found so long ago is looked for again.
const FRESH: SignedDuration = SignedDuration::from_hours(24);
/// Whether a merchant may go live: nobody else's document of a recent order waits for a decision, and that is known of late.
pub(super) fn check(tx: &Transaction<'_>, before: &Merchant, mode: Mode, moment: &Moment) -> Result<(), Error> {
    let was_live = match before.mode {
        Mode::Live => true,
        // It goes back to where it was.
        Mode::Paused => before.live_from.is_some(),
        Mode::Shadow | Mode::Closed => false,
    };
    let goes_live = mode == Mode::Live && !was_live;
    if !goes_live || namesake::orders_since(tx, before.id, moment.now - REACH)?.is_empty() {
        return Ok(());
    }
    let refuse = |why| Err(Refusal::of(About::Merchant(before.slug.clone()), why).into());
    let look = namesake::look(tx, before.id)?;
    let covers = |since| since <= moment.now - REACH + FRESH;
    let is_known = look.looked_at.is_some_and(|at| at >= moment.now - FRESH) && look.looked_since.is_some_and(covers);
    if !is_known {
        return refuse(Why::CutOverFirst);
    }
    match namesake::waiting(tx, before.id)? {
        0 => Ok(()),
        waiting => refuse(Why::CutOverOpen(waiting)),
    }
}

//! The newest state of one order, asked of its shop before the first document is made of an older body.
//!
//! Only what the shop answers counts as read. While it does not answer an order waits a little, then it is booked as its
//! webhooks told: it stays on the list of what the next look through the shop must ask for.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::catch_up::{PAUSE, SHOWN};
use super::{Engine, intake};
use crate::db::order::{self, Case};
use crate::db::{Error, merchant, shop_api};
use crate::domain::connection::SCOPE_OF_OLD_ORDERS;
use crate::domain::order::Facts;
use crate::shop::api::client::Setback;
use crate::shop::api::conversation::{Conversation, Found};

/// A snapshot that is older than this is read again before its order is first booked.
pub(super) const STALE: SignedDuration = SignedDuration::from_secs(30);
/// An order known for so long is booked as its webhooks told, also while its shop does not answer. And what the shop does not
/// show for so long is deleted there, not only late.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// A shop that does not show an order says so twice, so far apart, before it counts as deleted: one answer may be a slip.
const TWICE: SignedDuration = SignedDuration::from_mins(10);

/// What it came to.
pub(super) enum ReadAgain {
    /// As new as can be: plan again.
    Done,
    /// Nobody can say: it is taken as it is.
    AsItIs,
    /// No answer now: come back then.
    Later(Timestamp),
}

impl Engine {
    /// Reads an order anew that is about to be booked for the first time from an older body.
    pub(super) fn read_again(&self, merchant_id: i64, case: &Case) -> Result<ReadAgain, Error> {
        let (order_id, snapshot) = (case.order_id, &case.order.snapshot);
        let known_since = self.db.read(|c| order::known_since(c, order_id))?;
        let is_old = self.clock.now().duration_since(known_since) > PATIENCE;
        let way = match self.way_to_shop(merchant_id)? {
            Some(Ok(way)) => way,
            None => return Ok(ReadAgain::AsItIs),
            Some(Err(setback)) => return self.not_read(merchant_id, &setback, is_old),
        };
        let mut talk = Conversation::new(&self.shops, &way.door, way.scopes.clone());
        match talk.order(snapshot.id) {
            Ok(Found::Order(reading)) => {
                let buyer = self.sealed_buyer(merchant_id, &reading);
                let now = self.clock.now();
                self.unseen().remove(&order_id);
                self.db.write(move |tx| {
                    let shop_domain = merchant::get(tx, merchant_id)?.shop_domain;
                    intake::take_in(tx, order_id, &shop_domain, &reading, buyer.as_deref(), now)?;
                    shop_api::order_was_read(tx, order_id, now)
                })?;
                Ok(ReadAgain::Done)
            }
            Ok(Found::Missing) => {
                let sees_all = way.scopes.contains(SCOPE_OF_OLD_ORDERS);
                let is_shown = sees_all || self.clock.now().duration_since(snapshot.created_at) < SHOWN;
                self.not_there(order_id, is_shown, is_old)
            }
            // Its webhooks could be read.
            Ok(Found::Unreadable(_)) => Ok(ReadAgain::AsItIs),
            Err(setback) => self.not_read(merchant_id, &setback, is_old),
        }
    }

    /// The shop has no such order. An old one it may not show; a young one that stays away was deleted there, and nobody
    /// wants an invoice for it: it ends like after the webhook that says so.
    fn not_there(&self, order_id: i64, is_shown: bool, is_old: bool) -> Result<ReadAgain, Error> {
        let now = self.clock.now();
        if !is_shown {
            return Ok(ReadAgain::AsItIs);
        }
        let since = *self.unseen().entry(order_id).or_insert(now);
        match is_old && now.duration_since(since) >= TWICE {
            false => Ok(ReadAgain::Later(now + PAUSE)),
            true => {
                self.unseen().remove(&order_id);
                let facts = Facts { deleted: true, ..Facts::default() };
                self.db.write(move |tx| {
                    order::take_facts(tx, order_id, &facts, now)?;
                    shop_api::order_was_read(tx, order_id, now)
                })?;
                Ok(ReadAgain::Done)
            }
        }
    }

    fn unseen(&self) -> MutexGuard<'_, BTreeMap<i64, Timestamp>> {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_read(&self, merchant_id: i64, setback: &Setback, is_old: bool) -> Result<ReadAgain, Error> {
        let now = self.clock.now();
        match setback {
            Setback::Throttled(wait) if !is_old => Ok(ReadAgain::Later(now + *wait)),
            Setback::Failed(_) if !is_old => Ok(ReadAgain::Later(now + PAUSE)),
            // What is closed to us holds up no order: somebody is being told of the trouble.
            Setback::Throttled(_) | Setback::Failed(_) | Setback::Blocked(_) => {
                self.note_shop(merchant_id, setback)?;
                Ok(ReadAgain::AsItIs)
            }
        }
    }
}

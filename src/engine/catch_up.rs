//! Catching up with a shop: what no webhook told of.
//!
//! Orders are looked through by the time they changed, from a while before the cursor to the last page. The cursor moves in
//! the commit after all before it is kept, so whatever ends a run, the next one begins early enough. An order of which
//! everything is known is not asked for again, so a run that was cut does little twice. An order that the shop lists and does not
//! give holds up no other: it is remembered, told of, and tried again by each run.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::shop::{Way, subject};
use super::{Engine, intake};
use crate::db::job::{self, Again, Chore, Job};
use crate::db::shop_api::{self, ShopApi, Unread};
use crate::db::{Error, alert, merchant, order};
use crate::domain::connection::SCOPE_OF_OLD_ORDERS;
use crate::shop::api::client::Setback;
use crate::shop::api::conversation::{Conversation, Found, Listed};
use crate::shop::read::Reading;

/// How often a shop is looked through.
const EVERY: SignedDuration = SignedDuration::from_mins(15);
/// So much before the cursor is looked at again: the shop's search lags, and several orders change in one second.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// Without a special scope Shopify shows orders of so many days.
pub(super) const SHOWN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So many orders are read in one run: then other chores have their turn.
const READS_PER_RUN: u32 = 100;
/// So many orders that the shop lists and does not give are remembered: more is no fault of single orders, and the look ends.
const MOST_UNREAD: usize = 50;
/// So many of them are tried again in one run, in turn: a shop that allows little comes to its list all the same.
const UNREAD_PER_RUN: usize = 10;
/// After a shop that did not answer.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// Why a look through a shop ended early.
enum Cut {
    /// More is to be read; others first.
    Enough,
    Setback(Setback),
    Db(Error),
}

impl From<Setback> for Cut {
    fn from(setback: Setback) -> Self {
        Self::Setback(setback)
    }
}

impl From<Error> for Cut {
    fn from(error: Error) -> Self {
        Self::Db(error)
    }
}

impl Engine {
    /// Looks through a merchant's shop once.
    pub(super) fn catch_up(&self, job: &Job) -> Result<(), Error> {
        let merchant_id = job.subject;
        let job = *job;
        let api = self.db.read(|c| shop_api::get(c, merchant_id))?;
        let (Some(api), Some(way)) = (api, self.way_to_shop(merchant_id)?) else {
            let now = self.clock.now();
            let again = self.when_there_may_be_a_way(merchant_id, now + EVERY)?;
            return self.db.write(move |tx| job::settle(tx, &job, again, now));
        };
        let began = self.clock.now();
        let end = match way {
            Ok(way) => self.look_through(merchant_id, &api, &way, began).map(|from| (way, from)),
            Err(setback) => Err(Cut::Setback(setback)),
        };
        let now = self.clock.now();
        match end {
            Ok((way, (from, since))) => self.db.write(move |tx| {
                shop_api::seen_until(tx, merchant_id, began)?;
                shop_api::caught_up(tx, merchant_id, &ShopApi { since, ..api }, from, now)?;
                if !way.is_ailing {
                    shop_api::opened(tx, merchant_id, &way.scopes)?;
                    alert::close(tx, alert::Cause::ShopApi, &subject(merchant_id), now)?;
                }
                job::settle(tx, &job, Again::At(now + EVERY), now)
            }),
            // What cannot be read is met again at once, and takes nothing in: that must not go round.
            Err(Cut::Enough) => self.db.write(move |tx| job::settle(tx, &job, Again::At(now + PAUSE), now)),
            Err(Cut::Setback(Setback::Throttled(wait))) => self.db.write(move |tx| job::put_back(tx, &job, now + wait)),
            Err(Cut::Setback(setback)) => {
                self.note_shop(merchant_id, &setback)?;
                let again = match setback {
                    Setback::Blocked(_) => now + EVERY,
                    Setback::Failed(_) | Setback::Throttled(_) => now + self.settings.retry.gap(job.failures + 1, 0),
                };
                self.db.write(move |tx| job::fail(tx, &job, Some(again.min(now + EVERY)), now))
            }
            Err(Cut::Db(error)) => Err(error),
        }
    }

    /// Ok: all that changed from this time on is known; and what a person's wish has become on the way.
    fn look_through(
        &self,
        merchant_id: i64,
        api: &ShopApi,
        way: &Way,
        began: Timestamp,
    ) -> Result<(Timestamp, Option<Timestamp>), Cut> {
        let mut talk = Conversation::new(&self.shops, &way.door, way.scopes.clone());
        let mut left = READS_PER_RUN;
        let mut tried = BTreeSet::new();
        for order in api.unread.iter().take(UNREAD_PER_RUN) {
            tried.insert(order.id);
            self.try_order(merchant_id, &mut talk, order)?;
        }
        for name in &api.wanted {
            for row in talk.named(name)? {
                self.try_order(merchant_id, &mut talk, &Unread { id: row.id, name: row.name })?;
            }
            // A run that is cut goes on with the next one.
            let name = name.clone();
            self.db.write(move |tx| shop_api::was_asked_for(tx, merchant_id, &name))?;
        }
        let oldest = began - SHOWN;
        // A clock that once was ahead hides nothing.
        let from = api.cursor.unwrap_or(began).min(began) - OVERLAP;
        let from = api.since.map_or(from, |since| since.min(from));
        let from = if way.scopes.contains(SCOPE_OF_OLD_ORDERS) { from } else { from.max(oldest) };
        let after_hole = api.cursor.is_some_and(|cursor| from > cursor);
        if after_hole || api.caught_up_at.is_none() {
            self.db.write(move |tx| shop_api::looks_from(tx, merchant_id, from, after_hole))?;
        }
        let mut since = None;
        let mut after = None;
        loop {
            let page = talk.changed_since(from, after.as_deref())?;
            if let (None, Some(_)) = (&after, &page.next)
                && let Some(count) = talk.how_many_changed(from)?
            {
                self.db.write(move |tx| shop_api::expect(tx, merchant_id, count))?;
            }
            for Listed { id, name, updated_at, .. } in &page.rows {
                let known = self.db.read(|c| shop_api::known_as_of(c, merchant_id, *id))?;
                if known.is_some_and(|known| known >= *updated_at) || tried.contains(id) {
                    continue;
                }
                if left == 0 {
                    return Err(Cut::Enough);
                }
                left -= 1;
                self.try_order(merchant_id, &mut talk, &Unread { id: *id, name: name.clone() })?;
            }
            if let Some(last) = page.rows.last().map(|row| row.updated_at) {
                let (wanted, rows) = (api.since, page.rows.len());
                self.db.write(move |tx| {
                    shop_api::went_through(tx, merchant_id, rows)?;
                    shop_api::seen_until(tx, merchant_id, last.min(began))?;
                    // A long way that is cut goes on from here.
                    if let Some(wanted) = wanted {
                        shop_api::went_on(tx, merchant_id, since.unwrap_or(wanted), last.min(began))?;
                    }
                    Ok(())
                })?;
                since = wanted.map(|_| last.min(began));
            }
            after = page.next;
            if after.is_none() {
                return Ok((from, since.or(api.since)));
            }
            if self.is_stopping() {
                return Err(Cut::Enough);
            }
        }
    }

    /// Reads one order and takes it in like a webhook's body. One that the shop does not give, while it answers all else, is
    /// noted and left for the next look.
    fn try_order(&self, merchant_id: i64, talk: &mut Conversation<'_>, order: &Unread) -> Result<(), Cut> {
        let is_unread = match talk.order(order.id) {
            Ok(Found::Order(reading)) => {
                self.learn(merchant_id, order.id, *reading)?;
                false
            }
            // Deleted between the list and the question; its webhook or the next look tells.
            Ok(Found::Missing) => false,
            Ok(Found::Unreadable(error)) => {
                tracing::warn!(merchant = merchant_id, order = order.id, %error, "an order of the shop's API cannot be read");
                true
            }
            Err(Setback::Failed(text)) => {
                // Whether it is this order or the shop, the shop says when it is asked for something else.
                talk.introduce()?;
                tracing::warn!(merchant = merchant_id, order = order.id, reason = %text, "the shop's API does not give an order");
                true
            }
            Err(setback @ (Setback::Blocked(_) | Setback::Throttled(_))) => return Err(setback.into()),
        };
        let (order, now) = (order.clone(), self.clock.now());
        let unread = self.db.read(|c| shop_api::get(c, merchant_id))?.map(|api| api.unread).unwrap_or_default();
        match (unread.contains(&order), is_unread) {
            (false, false) => return Ok(()),
            (true, true) => {
                return Ok(self.db.write(move |tx| shop_api::note_unread(tx, merchant_id, &order, true).map(drop))?);
            }
            (true, false) | (false, true) => {}
        }
        if is_unread && unread.len() >= MOST_UNREAD {
            let text = format!("the shop's API lists more than {MOST_UNREAD} orders that it does not give");
            return Err(Setback::Failed(text).into());
        }
        self.db.write(move |tx| {
            if shop_api::note_unread(tx, merchant_id, &order, is_unread)? > 0 {
                alert::raise(tx, alert::Cause::Unread, &subject(merchant_id), Some(merchant_id), now)
            } else {
                alert::close(tx, alert::Cause::Unread, &subject(merchant_id), now)
            }
        })?;
        Ok(())
    }

    fn learn(&self, merchant_id: i64, remote_id: i64, reading: Reading) -> Result<(), Error> {
        let now = self.clock.now();
        let buyer = self.sealed_buyer(merchant_id, &reading);
        self.db.write(move |tx| {
            let shop_domain = merchant::get(tx, merchant_id)?.shop_domain;
            let order_id = order::known(tx, merchant_id, remote_id, now)?;
            intake::take_in(tx, order_id, &shop_domain, &reading, buyer.as_deref(), now)?;
            shop_api::order_was_read(tx, order_id, now)?;
            job::ask(tx, order_id, merchant_id, now, true)
        })?;
        self.wake();
        Ok(())
    }

    /// Asks for a look through every shop that has a way, now.
    pub(super) fn ask_shops(&self) -> Result<(), Error> {
        let now = self.clock.now();
        if self.db.read(shop_api::all)?.is_empty() {
            return Ok(());
        }
        self.db.write(move |tx| {
            for merchant_id in shop_api::all(tx)? {
                job::ask_chore(tx, Chore::CatchUp, merchant_id, now)?;
                job::ask_chore(tx, Chore::Subscriptions, merchant_id, now)?;
            }
            Ok(())
        })
    }
}

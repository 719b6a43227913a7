//! Catching up with a shop: what no webhook told of, and the newest state of one order before it is first booked.
//!
//! Orders are looked through by the time they changed, from a while before the cursor to the last page. The cursor moves in
//! the commit after all before it is kept, so whatever ends a run, the next one begins early enough. An order of which
//! everything is known is not asked for again, so a run that was cut does little twice.

use jiff::{SignedDuration, Timestamp};

use super::shop::{Way, subject};
use super::{Engine, intake};
use crate::db::job::{self, Again, Chore, Job};
use crate::db::shop_api::{self, ShopApi};
use crate::db::{Error, alert, merchant, order};
use crate::domain::connection::SCOPE_OF_OLD_ORDERS;
use crate::shop::api::client::Setback;
use crate::shop::api::conversation::{Conversation, Found, Listed};

/// How often a shop is looked through.
const EVERY: SignedDuration = SignedDuration::from_mins(15);
/// So much before the cursor is looked at again: the shop's search lags, and several orders change in one second.
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);
/// Without a special scope Shopify shows orders of so many days.
const SHOWN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So many orders are read in one run: then other chores have their turn.
const READS_PER_RUN: u32 = 100;
/// A snapshot that is older than this is read again before its order is first booked.
pub(super) const STALE: SignedDuration = SignedDuration::from_secs(30);
/// After a shop that did not answer.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// An order known for so long is booked as its webhooks told, also while its shop does not answer.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

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

/// What reading one order before its first write came to.
pub(super) enum ReadAgain {
    /// As new as can be: plan again.
    Done,
    /// No answer now: come back then.
    Later(Timestamp),
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
        for name in &api.wanted {
            for row in talk.named(name)? {
                self.read_order(merchant_id, &mut talk, row.id)?;
            }
        }
        let oldest = began - SHOWN;
        // A clock that once was ahead hides nothing.
        let from = api.cursor.unwrap_or(began).min(began) - OVERLAP;
        let from = api.since.map_or(from, |since| since.min(from));
        let from = if way.scopes.contains(SCOPE_OF_OLD_ORDERS) { from } else { from.max(oldest) };
        if api.caught_up_at.is_none() {
            self.db.write(move |tx| shop_api::looks_from(tx, merchant_id, from))?;
        }
        let mut since = None;
        let mut after = None;
        loop {
            let page = talk.changed_since(from, after.as_deref())?;
            for Listed { id, updated_at, .. } in &page.rows {
                let known = self.db.read(|c| shop_api::known_as_of(c, merchant_id, *id))?;
                if known.is_some_and(|known| known >= *updated_at) {
                    continue;
                }
                if left == 0 {
                    return Err(Cut::Enough);
                }
                left -= 1;
                self.read_order(merchant_id, &mut talk, *id)?;
            }
            if let Some(last) = page.rows.last().map(|row| row.updated_at) {
                let wanted = api.since;
                self.db.write(move |tx| {
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

    /// Reads one order and takes it in like a webhook's body.
    fn read_order(&self, merchant_id: i64, talk: &mut Conversation<'_>, remote_id: i64) -> Result<(), Cut> {
        let reading = match talk.order(remote_id)? {
            Found::Order(reading) => reading,
            // Deleted between the list and the question; its webhook or the next look tells.
            Found::Missing => return Ok(()),
            Found::Unreadable(error) => {
                tracing::warn!(merchant = merchant_id, order = remote_id, %error, "an order of the shop's API cannot be read");
                let now = self.clock.now();
                self.db.write(move |tx| {
                    alert::raise(tx, alert::Cause::Unreadable, &subject(merchant_id), Some(merchant_id), now)
                })?;
                return Ok(());
            }
        };
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

    /// Reads an order anew that is about to be booked for the first time from an older body.
    pub(super) fn read_again(&self, merchant_id: i64, order_id: i64, remote_id: i64) -> Result<ReadAgain, Error> {
        let now = self.clock.now();
        // What is closed to us holds up no order: its webhooks told of it, and somebody is being told of the trouble.
        let as_it_is = || {
            let now = self.clock.now();
            self.db.write(move |tx| shop_api::order_was_read(tx, order_id, now)).map(|()| ReadAgain::Done)
        };
        let known_since = self.db.read(|c| order::known_since(c, order_id))?;
        let is_old = now.duration_since(known_since) > PATIENCE;
        let way = match self.way_to_shop(merchant_id)? {
            Some(Ok(way)) => way,
            None => return as_it_is(),
            Some(Err(setback)) => return self.not_read(merchant_id, &setback, is_old, as_it_is),
        };
        let mut talk = Conversation::new(&self.shops, &way.door, way.scopes.clone());
        match talk.order(remote_id) {
            Ok(Found::Order(reading)) => {
                let buyer = self.sealed_buyer(merchant_id, &reading);
                let now = self.clock.now();
                self.db.write(move |tx| {
                    let shop_domain = merchant::get(tx, merchant_id)?.shop_domain;
                    intake::take_in(tx, order_id, &shop_domain, &reading, buyer.as_deref(), now)?;
                    shop_api::order_was_read(tx, order_id, now)
                })?;
                Ok(ReadAgain::Done)
            }
            Ok(Found::Missing | Found::Unreadable(_)) => as_it_is(),
            Err(setback) => self.not_read(merchant_id, &setback, is_old, as_it_is),
        }
    }

    fn not_read(
        &self,
        merchant_id: i64,
        setback: &Setback,
        is_old: bool,
        as_it_is: impl FnOnce() -> Result<ReadAgain, Error>,
    ) -> Result<ReadAgain, Error> {
        let now = self.clock.now();
        match setback {
            Setback::Throttled(wait) => Ok(ReadAgain::Later(now + *wait)),
            Setback::Failed(_) if !is_old => Ok(ReadAgain::Later(now + PAUSE)),
            Setback::Failed(_) | Setback::Blocked(_) => {
                self.note_shop(merchant_id, setback)?;
                as_it_is()
            }
        }
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

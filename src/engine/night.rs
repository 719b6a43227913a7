//! The nightly account: what Daftra holds is read again, and every order of the days before is put into one class.
//!
//! The examination writes nothing in Daftra: it marks documents, and the orders they belong to are looked at like any other.
//! What somebody changed or deleted by hand then holds its order, with its cause and the ways out. A few orders at a time,
//! while no other waits. Statements are drawn up from our own books, and drawn up anew while their days are young.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::Engine;
use crate::db::examination::{self, Examination};
use crate::db::merchant::{self, Merchant, Mode};
use crate::db::{Error, document, job, statement};
use crate::domain::document::{Event, State, apply};

/// From this hour of the merchant's day on Daftra is asked.
const EXAMINE_FROM: i8 = 1;
/// From this hour on statements are drawn up: what was examined by then is in them.
const DRAW_FROM: i8 = 4;
/// Orders that nothing happened to for so long are not asked about any more.
const REACH: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Orders of one merchant and minute: a tenth of what an account takes.
const ORDERS: usize = 20;
/// Orders that are looked at for these; most of a shop of many vendors have no document.
const ROWS: u32 = 500;
/// Days whose statement is drawn up anew when orders have moved on.
const YOUNG: i64 = 7;
/// Days that are drawn up at all.
const OLDEST: i64 = 60;
/// Orders that were first heard of since then may belong to any day.
const LATELY: SignedDuration = SignedDuration::from_hours(48);

/// For which day of a merchant the statements are through.
pub(super) type Drawn = BTreeMap<i64, Date>;

impl Engine {
    /// What is to be done this minute for the nightly account. `drawn` is what was done before.
    pub(super) fn account(&self, drawn: &mut Drawn, now: Timestamp) -> Result<(), Error> {
        for merchant in self.db.read(merchant::all)? {
            let Some(zone) = merchant.zone() else { continue };
            let local = now.to_zoned(zone);
            if merchant.mode == Mode::Live && local.hour() >= EXAMINE_FROM {
                self.examine(&merchant, local.date(), now)?;
            }
            let is_due = drawn.get(&merchant.id).is_none_or(|day| *day < local.date());
            if merchant.mode != Mode::Closed && local.hour() >= DRAW_FROM && is_due {
                self.draw(&merchant, local.date(), now)?;
                drawn.insert(merchant.id, local.date());
            }
        }
        Ok(())
    }

    fn examine(&self, merchant: &Merchant, today: Date, now: Timestamp) -> Result<(), Error> {
        let merchant_id = merchant.id;
        let night = match self.db.read(|c| examination::latest(c, merchant_id))? {
            Some(night) if night.day >= today => night,
            Some(_) | None => {
                self.db.write(move |tx| examination::begin(tx, merchant_id, today, now))?;
                self.look_for_others(merchant_id, now)?;
                let Some(night) = self.db.read(|c| examination::latest(c, merchant_id))? else { return Ok(()) };
                night
            }
        };
        if night.ended_at.is_some() || self.db.read(job::next_claim)?.is_some_and(|due| due <= now) {
            return Ok(());
        }
        self.ask_again(night, now)?;
        self.wake();
        Ok(())
    }

    /// Marks the documents of the next orders, and asks for these.
    fn ask_again(&self, night: Examination, now: Timestamp) -> Result<(), Error> {
        let policy = self.settings.policy;
        self.db.write(move |tx| {
            let rows = examination::next(tx, &night, REACH, ROWS)?;
            let (mut asked, mut last) = (0, None);
            let seen = rows.iter().take_while(|(_, _, has_document)| {
                asked += usize::from(*has_document);
                asked <= ORDERS
            });
            let seen: Vec<_> = seen.collect();
            for (order_id, touched, has_document) in &seen {
                last = Some((*order_id, *touched));
                if !has_document {
                    continue;
                }
                for document in document::of_order(tx, *order_id)? {
                    if !matches!(document.state, State::Posted | State::Locked) {
                        continue;
                    }
                    if let Ok(after) = apply(&document, Event::Examine, now, &policy) {
                        document::store(tx, document.state, &after)?;
                    }
                }
                job::ask(tx, *order_id, night.merchant_id, now, false)?;
            }
            if let Some(last) = last {
                examination::go_on(tx, &night, last, asked.min(ORDERS))?;
            }
            if seen.len() == rows.len() && rows.len() < usize::try_from(ROWS).unwrap_or(usize::MAX) {
                examination::end(tx, &night, now)?;
            }
            Ok(())
        })
    }

    /// Draws up the statements of the days before, from the merchant's first on.
    fn draw(&self, merchant: &Merchant, today: Date, now: Timestamp) -> Result<(), Error> {
        let Some(zone) = merchant.zone() else { return Ok(()) };
        let first = self.db.read(|c| merchant::known_since(c, merchant.id))?.to_zoned(zone.clone()).date();
        // Days of which something was heard late, and days on which nobody was here to draw.
        let late = self.db.read(|c| statement::days_heard_of(c, merchant.id, now - LATELY, &zone))?;
        for back in (1..=OLDEST).rev() {
            let Ok(day) = today.checked_sub(back.days()) else { continue };
            let is_drawn = self.db.read(|c| statement::of_day(c, merchant.id, day))?.is_some();
            if day < first || back > YOUNG && is_drawn && !late.contains(&day) {
                continue;
            }
            if self.is_stopping() {
                return Ok(());
            }
            let (account, is_told) = self.db.read(|c| {
                let account = statement::account(c, merchant.id, day, &zone)?;
                let is_told = statement::is_told(c, &account)?;
                Ok((account, is_told))
            })?;
            if !is_told {
                self.db.write(move |tx| statement::draw(tx, &account, now))?;
            }
        }
        Ok(())
    }
}

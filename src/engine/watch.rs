//! The watchers: is somebody else writing invoices of our orders, was no order lost on the way, and has a busy shop gone silent?
//!
//! Asked for every ten minutes by the upkeep, of merchants that are live. Each is an alert while it is the case.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use crate::db::alert::{self, Cause, Conditions, Standing};
use crate::db::condition::subject;
use crate::db::job::{self, Chore};
use crate::db::merchant::{self, Merchant, Mode};
use crate::db::{Error, namesake, shop_api, watch};
use crate::domain::rhythm::is_silent;

/// How often it is looked.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
/// A number that is missing for less may still come.
const PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// Numbers that were missed longer ago stand on the statements.
const REACH: SignedDuration = SignedDuration::from_hours(72);
/// Whose last order is older has nothing that somebody else would invoice.
const LATELY: SignedDuration = SignedDuration::from_hours(30 * 24);
/// No shop loses so many orders in a row: such numbers are ids of a marketplace, or somebody began to count anew.
const WIDEST: u64 = 1_000;
/// More missing numbers than this are not looked for one by one.
const NAMES: u64 = 50;

impl Engine {
    /// Looks at everything, if it is time.
    pub(super) fn watch_shops(&self, now: Timestamp, last: &mut Option<Timestamp>) -> Result<(), Error> {
        if last.is_some_and(|last| now.duration_since(last).abs() < EVERY) {
            return Ok(());
        }
        *last = Some(now);
        let mut found = Conditions::from([
            (Cause::SecondConnector, BTreeMap::new()),
            (Cause::Gaps, BTreeMap::new()),
            (Cause::Silence, BTreeMap::new()),
        ]);
        let mut note = |cause, merchant_id: i64, count: i64| {
            let subjects: &mut BTreeMap<_, _> = found.entry(cause).or_default();
            if count > 0 {
                subjects.insert(subject(merchant_id), Standing { merchant_id: Some(merchant_id), count });
            }
        };
        for merchant in self.db.read(merchant::all)?.into_iter().filter(|merchant| merchant.mode == Mode::Live) {
            note(Cause::SecondConnector, merchant.id, self.db.read(|c| namesake::waiting(c, merchant.id))?.into());
            note(Cause::Gaps, merchant.id, self.missing_numbers(&merchant, now)?);
            let hours = self.db.read(|c| watch::orders_by_hour(c, merchant.id, now))?;
            note(Cause::Silence, merchant.id, i64::from(is_silent(&hours)));
        }
        if self.db.read(|c| alert::is_told(c, &found, now))? {
            return Ok(());
        }
        self.db.write(move |tx| alert::stand(tx, &found, now))
    }

    /// How many numbers are missing of which nobody can say that there are no such orders. Where the shop can be asked it is,
    /// and what it was looked through for since is no gap: it has no such order.
    fn missing_numbers(&self, merchant: &Merchant, now: Timestamp) -> Result<i64, Error> {
        let merchant_id = merchant.id;
        let begin = merchant.live_from.map_or(now - REACH, |from| from.max(now - REACH));
        let gaps = self.db.read(|c| watch::gaps_since(c, merchant_id, begin))?;
        let gaps = gaps.into_iter().filter(|(gap, _)| gap.to - gap.from < WIDEST);
        let old: Vec<_> = gaps.filter(|(_, after)| now.duration_since(*after) > PATIENCE).collect();
        let api = self.db.read(|c| shop_api::get(c, merchant_id))?.filter(|api| api.blocked.is_none());
        let looked_at = api.as_ref().and_then(|api| api.caught_up_at);
        let unknown: Vec<_> = old.into_iter().filter(|(_, after)| looked_at.is_none_or(|at| at <= *after)).collect();
        if unknown.is_empty() {
            return Ok(0);
        }
        let numbers = || unknown.iter().map(|(gap, _)| gap.to - gap.from + 1);
        if let Some(api) = api {
            let all =
                unknown.iter().filter(|(gap, _)| gap.to - gap.from < NAMES).flat_map(|(gap, _)| gap.from..=gap.to);
            let fresh: Vec<String> =
                all.map(|number| number.to_string()).filter(|one| !api.wanted.contains(one)).collect();
            if !fresh.is_empty() {
                self.db.write(move |tx| {
                    shop_api::want(tx, merchant_id, None, &fresh)?;
                    job::ask_chore(tx, Chore::CatchUp, merchant_id, now)
                })?;
                self.wake_chores();
            }
        }
        Ok(numbers().map(|count| i64::try_from(count).unwrap_or(i64::MAX)).fold(0, i64::saturating_add))
    }

    /// Once a night: what others wrote since the night before. Of a merchant without orders of late nothing can be found.
    pub(super) fn look_for_others(&self, merchant_id: i64, now: Timestamp) -> Result<(), Error> {
        if !self.db.read(|c| namesake::has_orders_since(c, merchant_id, now - LATELY))? {
            return Ok(());
        }
        self.db.write(move |tx| {
            namesake::begin_look(tx, merchant_id, now - REACH)?;
            job::ask_chore(tx, Chore::Namesakes, merchant_id, now)
        })?;
        self.wake_chores();
        Ok(())
    }
}

//! The summary of each day by mail: to whom a merchant named, at seven in the merchant's morning; to those who run the server,
//! of all merchants at once, at seven in theirs. It says what the statement says.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _, Zoned};

use super::Engine;
use super::letters::Address;
use crate::db::merchant::{self, Merchant, Mode};
use crate::db::scope::Scope;
use crate::db::sight::Sight;
use crate::db::statement::Statement;
use crate::db::{Error, alert, mail};
use crate::domain::news::Kind;
use crate::domain::sequence::Gap;
use crate::domain::telling::Day;
use crate::mail::letter::Letter;

/// From this hour on the day before is told: its statement was drawn up some hours ago.
const FROM: i8 = 7;
/// Until then the summary of all waits for the statements of all.
const NOON: i8 = 12;

/// The last day that was told, by merchant; of all together under nobody's number.
pub(super) type Summed = BTreeMap<i64, Date>;
const ALL: i64 = 0;

impl Engine {
    /// What is to be told this minute of the day before. `summed` is what was told before; a restart tells nobody twice,
    /// for a mail of the same day and recipient is there already.
    pub(super) fn sum_up(&self, summed: &mut Summed, now: Timestamp) -> Result<(), Error> {
        if !self.db.read(mail::is_on)? {
            return Ok(());
        }
        let merchants: Vec<Merchant> =
            self.db.read(merchant::all)?.into_iter().filter(|merchant| merchant.mode != Mode::Closed).collect();
        for merchant in merchants.iter().filter(|merchant| merchant.mode == Mode::Live) {
            let Some(zone) = merchant.zone() else { continue };
            let Some(day) = due(summed, merchant.id, &now.to_zoned(zone)) else { continue };
            match self.sum_up_merchant(merchant, day, now) {
                Ok(true) => drop(summed.insert(merchant.id, day)),
                Ok(false) => {}
                Err(error) => tracing::error!(merchant = merchant.slug, %error, "cannot tell of a merchant's day"),
            }
        }
        let Some(tongue) = self.tongue.get().filter(|tongue| !tongue.mail_to.is_empty()) else { return Ok(()) };
        let local = now.to_zoned(tongue.zone.clone());
        if let Some(day) = due(summed, ALL, &local)
            && self.sum_up_all(&merchants, day, local.hour() >= NOON, now)?
        {
            summed.insert(ALL, day);
        }
        Ok(())
    }

    /// False: there is no statement of that day yet.
    fn sum_up_merchant(&self, merchant: &Merchant, day: Date, now: Timestamp) -> Result<bool, Error> {
        let Some(told) = self.day(merchant, day)? else { return Ok(false) };
        let recipients = self.db.read(|c| mail::recipients(c, merchant.id))?;
        let recipients: Vec<_> = recipients.into_iter().filter(|one| one.kinds.contains(&Kind::Summary)).collect();
        let (Some(seals), false) = (self.seals()?, recipients.is_empty()) else { return Ok(true) };
        let mut made = Vec::new();
        for recipient in recipients {
            let Ok(address) = seals.address(&recipient) else { continue };
            let letter = Letter {
                merchant: merchant.name.clone(),
                days: vec![told.clone()],
                ..Letter::blank(Kind::Summary, &recipient.language)
            };
            let to = Address { merchant_id: Some(merchant.id), order_id: None, address: &address };
            let key = format!("summary/{}/{day}/{}", merchant.id, recipient.id);
            made.push(seals.sealed(key, &letter, &to, now, now));
        }
        self.db.write(move |tx| made.iter().try_for_each(|new| mail::put(tx, new, now).map(drop)))?;
        self.wake_mails();
        Ok(true)
    }

    /// False: it waits for merchants further west, whose statements are not drawn up yet.
    fn sum_up_all(&self, merchants: &[Merchant], day: Date, is_late: bool, now: Timestamp) -> Result<bool, Error> {
        let mut days = Vec::new();
        for merchant in merchants {
            match self.day(merchant, day)? {
                Some(told) => days.push(told),
                None if is_late || merchant.mode != Mode::Live => {}
                None => return Ok(false),
            }
        }
        if days.is_empty() {
            return Ok(true);
        }
        let open = self.db.read(|c| Ok(alert::open(c)?.len()))?;
        let (letters, page) = (self.letters_to_operators()?, self.alerts_page());
        self.db.write(move |tx| {
            letters.put(tx, &format!("summary/all/{day}"), now, |language| Letter {
                days: days.clone(),
                open_alerts: Some(u32::try_from(open).unwrap_or(u32::MAX)),
                link: Some(page.clone()),
                ..Letter::blank(Kind::Summary, language)
            })
        })?;
        self.wake_mails();
        Ok(true)
    }

    /// What a merchant's statement of a day says.
    fn day(&self, merchant: &Merchant, day: Date) -> Result<Option<Day>, Error> {
        let known = self.db.read(|c| {
            let sight = Sight::of(c, &Scope::All);
            let before = day.tomorrow().ok();
            let newest = sight.statements(Some(merchant.id), before, 1)?.into_iter().next();
            let Some(statement) = newest.filter(|statement| statement.day == day) else { return Ok(None) };
            let is_proven = sight.is_proven(&statement)?;
            Ok(Some((statement, is_proven)))
        })?;
        let Some((Statement { missing, counts, .. }, is_proven)) = known else { return Ok(None) };
        let number =
            |gap: Gap| if gap.from == gap.to { gap.from.to_string() } else { format!("{}–{}", gap.from, gap.to) };
        let page = self.origin.get().map(|origin| format!("{origin}/merchants/{}/statements/{day}", merchant.slug));
        Ok(Some(Day {
            merchant: merchant.name.clone(),
            day,
            classes: counts.into_iter().map(|(class, count)| (class.word().to_owned(), count)).collect(),
            missing: missing.into_iter().map(number).collect(),
            is_proven,
            page,
        }))
    }
}

/// The day that is to be told now, unless it was.
fn due(summed: &Summed, whose: i64, local: &Zoned) -> Option<Date> {
    let day = local.date().checked_sub(1.day()).ok()?;
    (local.hour() >= FROM && summed.get(&whose).is_none_or(|told| *told < day)).then_some(day)
}

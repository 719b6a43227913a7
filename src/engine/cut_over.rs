//! Looking in Daftra for documents that name our orders and that we did not make: before a merchant goes live, and each night
//! after it did, for a second program may write there.
//!
//! Reads only. A filter is a wish, so every row is compared here; what is found waits for a person.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::ask::Asked;
use super::catch_up::PAUSE;
use crate::daftra::look::Heading;
use crate::db::job::{self, Again, Job};
use crate::db::namesake::{self, Found};
use crate::db::{Error, merchant};
use crate::domain::namesake::Names;

/// Clocks and zones differ, and a document may be a day older than its order.
const EARLIER: SignedDuration = SignedDuration::from_hours(48);
/// Orders so much older than the documents are compared, too: some are invoiced late.
const OLDER: SignedDuration = SignedDuration::from_hours(30 * 24);
/// After an account that gave no list.
const RETRY: SignedDuration = SignedDuration::from_mins(15);

impl Engine {
    /// Looks through an account for a merchant, as far back as somebody wants.
    pub(super) fn look_for_namesakes(&self, job: &Job) -> Result<(), Error> {
        let (merchant_id, job) = (job.subject, *job);
        let now = self.clock.now();
        let Some(since) = self.db.read(|c| namesake::look(c, merchant_id))?.since else {
            return self.db.write(move |tx| job::settle(tx, &job, Again::WhenAsked, now));
        };
        let merchant = self.db.read(|c| merchant::get(c, merchant_id))?;
        let (Some(account_id), Some(zone)) = (merchant.account_id, merchant.zone()) else {
            return self.db.write(move |tx| job::settle(tx, &job, Again::WhenAsked, now));
        };
        let from = (since - EARLIER).to_zoned(zone).date();
        let headings = match self.ask(merchant_id, |client, door, pace| client.invoices_since(door, pace, from))? {
            Asked::Answered(Ok(headings)) => headings,
            Asked::Busy => return self.db.write(move |tx| job::put_back(tx, &job, now + PAUSE)),
            Asked::NoKey | Asked::Answered(Err(_)) => {
                let now = self.clock.now();
                return self.db.write(move |tx| job::fail(tx, &job, Some(now + RETRY), now));
            }
        };
        let found = self.others(merchant_id, account_id, since, &headings)?;
        let now = self.clock.now();
        self.db.write(move |tx| {
            // What a run of ours made meanwhile is ours.
            let own = namesake::own_invoices(tx, account_id)?;
            for one in found.iter().filter(|one| !own.contains(&one.remote_id)) {
                namesake::keep(tx, merchant_id, account_id, one, now)?;
            }
            namesake::end_look(tx, merchant_id, since, now)?;
            job::settle(tx, &job, Again::WhenAsked, now)
        })
    }

    /// Those that name an order and are not ours: neither in our books nor with a reference of any merchant here.
    fn others(
        &self,
        merchant_id: i64,
        account_id: i64,
        since: Timestamp,
        headings: &[Heading],
    ) -> Result<Vec<Found>, Error> {
        let (orders, own, keys) = self.db.read(|c| {
            let orders = namesake::orders_since(c, merchant_id, since - OLDER)?;
            let keys: Vec<String> = merchant::all(c)?.into_iter().map(|one| format!("{}-", one.key)).collect();
            Ok((orders, namesake::own_invoices(c, account_id)?, keys))
        })?;
        let names = Names::new(orders.iter().map(|(id, remote_id, name)| (*id, *remote_id, name.as_str())));
        Ok(headings.iter().filter_map(|heading| found(heading, &names, &own, &keys)).collect())
    }
}

fn found(heading: &Heading, names: &Names, own: &BTreeSet<i64>, keys: &[String]) -> Option<Found> {
    let carries = |key: &String| heading.numbers[0].trim().starts_with(key.as_str()) || heading.notes.contains(key);
    if own.contains(&heading.id) || keys.iter().any(carries) {
        return None;
    }
    let order_id = names.meant(heading.numbers.iter().map(String::as_str), &heading.notes)?;
    let (remote_no, total) = (heading.no.clone(), heading.total.clone());
    Some(Found { order_id, remote_id: heading.id, remote_no, total })
}

//! What the shop tells us of: subscriptions that are looked at each hour, and mended.
//!
//! Shopify deletes a subscription after eight failures in a row, without a word. Whatever was missed meanwhile is looked
//! for after each mending.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::Engine;
use super::shop::subject;
use crate::db::job::{self, Again, Chore, Job};
use crate::db::{Error, alert, merchant, shop_api};
use crate::shop::api::client::Setback;
use crate::shop::api::conversation::Conversation;

/// How often it is looked whether the shop still tells us of everything.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// So long a mending is shown.
const SHOWN: SignedDuration = SignedDuration::from_hours(24);

/// An app that may not read products hears nothing of them.
const PRODUCTS: &str = "PRODUCTS_UPDATE";

/// What the shop is to tell of.
const TOPICS: [&str; 12] = [
    "APP_UNINSTALLED",
    "ORDERS_CANCELLED",
    "ORDERS_CREATE",
    "ORDERS_DELETE",
    "ORDERS_EDITED",
    "ORDERS_FULFILLED",
    "ORDERS_PAID",
    "ORDERS_PARTIALLY_FULFILLED",
    "ORDERS_UPDATED",
    "ORDER_TRANSACTIONS_CREATE",
    PRODUCTS,
    "REFUNDS_CREATE",
];

impl Engine {
    /// Looks at a merchant's subscriptions, and mends them.
    pub(super) fn watch_subscriptions(&self, job: &Job) -> Result<(), Error> {
        let merchant_id = job.subject;
        let job = *job;
        let api = self.db.read(|c| shop_api::get(c, merchant_id))?.filter(|api| api.watches);
        let address = match self.origin.get() {
            // Shopify delivers over HTTPS only, and to names.
            Some(origin) if is_public(origin) => {
                let slug = self.db.read(|c| merchant::get(c, merchant_id))?.slug;
                Some(format!("{origin}/webhook/{slug}"))
            }
            Some(_) | None => None,
        };
        let (Some(api), Some(address), Some(way)) = (api, address, self.way_to_shop(merchant_id)?) else {
            let now = self.clock.now();
            let again = self.when_there_may_be_a_way(merchant_id, now + EVERY)?;
            return self.db.write(move |tx| job::settle(tx, &job, again, now));
        };
        let before = self.db.read(|c| shop_api::address(c, merchant_id))?;
        let mended = way.and_then(|way| {
            let is_allowed = |topic: &str| topic != PRODUCTS || way.scopes.contains(super::barcodes::SCOPE);
            let mut talk = Conversation::new(&self.shops, &way.door, way.scopes.clone());
            mend(&mut talk, is_allowed, &address, before.as_deref())
        });
        let now = self.clock.now();
        match mended {
            Ok(mended) => {
                let is_first = api.watched_at.is_none();
                self.db.write(move |tx| {
                    shop_api::watched(tx, merchant_id, &address, now)?;
                    if mended > 0 {
                        job::ask_chore(tx, Chore::CatchUp, merchant_id, now)?;
                    }
                    if mended > 0 && !is_first {
                        alert::raise(tx, alert::Cause::Subscriptions, &subject(merchant_id), Some(merchant_id), now)?;
                    } else {
                        alert::close_seen_before(
                            tx,
                            alert::Cause::Subscriptions,
                            &subject(merchant_id),
                            now - SHOWN,
                            now,
                        )?;
                    }
                    job::settle(tx, &job, Again::At(now + EVERY), now)
                })
            }
            Err(Setback::Throttled(wait)) => self.db.write(move |tx| job::put_back(tx, &job, now + wait)),
            Err(setback) => {
                self.note_shop(merchant_id, &setback)?;
                self.db.write(move |tx| job::fail(tx, &job, Some(now + EVERY), now))
            }
        }
    }
}

/// Makes what is missing; then takes away what leads to where this database had them before. Whatever else there is belongs
/// to others: another installation may use the same app. How many were mended.
fn mend(
    talk: &mut Conversation<'_>,
    is_allowed: impl Fn(&str) -> bool,
    address: &str,
    before: Option<&str>,
) -> Result<usize, Setback> {
    let mut whole = BTreeSet::new();
    let mut left_behind = Vec::new();
    for one in talk.subscriptions()? {
        if one.uri == address {
            whole.insert(one.topic);
        } else if before == Some(one.uri.as_str()) {
            left_behind.push(one.id);
        }
    }
    let missing: Vec<_> = TOPICS.iter().filter(|topic| is_allowed(topic) && !whole.contains(**topic)).collect();
    for topic in &missing {
        talk.subscribe(topic, address)?;
    }
    for id in &left_behind {
        talk.unsubscribe(id)?;
    }
    Ok(missing.len() + left_behind.len())
}

fn is_public(origin: &str) -> bool {
    let host = origin.strip_prefix("https://").map(|rest| rest.split(['/', ':']).next().unwrap_or_default());
    host.is_some_and(|host| host.contains('.') && host.parse::<std::net::IpAddr>().is_err())
}

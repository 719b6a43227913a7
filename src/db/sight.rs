//! What somebody may see. Pages and the API get a [`Sight`] and never a connection, so no query of theirs can forget whose
//! eyes it is for: a merchant's own staff see that merchant and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::scope::Scope;
use super::{Db, Error, account, act, audit, delivery, document, log, merchant, order, product, ruling, user};
use crate::domain::document::{Document, Policy};
use crate::domain::money::{Amount, Currency};

/// One moment of the database, as far as a scope reaches.
pub struct Sight<'a> {
    pub(super) c: &'a Connection,
    pub(super) scope: &'a Scope,
}

/// All that is known of one order.
pub struct Story {
    pub order: order::Overview,
    pub merchant: merchant::Merchant,
    /// What the shop says the whole order costs, as long as its newest body is kept.
    pub price: Option<(Amount, Currency)>,
    /// The shop's, once a snapshot or a document tells it.
    pub currency: Option<Currency>,
    pub documents: Vec<Document>,
    pub deliveries: Vec<delivery::Overview>,
    /// The latest calls, newest first.
    pub attempts: Vec<document::Attempt>,
    /// What people did, newest first.
    pub acts: Vec<act::Act>,
    pub log: Vec<log::Entry>,
    /// The addresses of the accounts in which its documents lie.
    pub addresses: BTreeMap<i64, String>,
}

impl Db {
    /// Reads for somebody's eyes.
    pub fn see<T>(&self, scope: &Scope, look: impl FnOnce(&Sight<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.read(|c| look(&Sight::of(c, scope)))
    }
}

impl<'a> Sight<'a> {
    /// The same for a connection that is at hand.
    #[must_use]
    pub fn of(c: &'a Connection, scope: &'a Scope) -> Self {
        Self { c, scope }
    }

    /// For queries of this module that have asked [`allow`](Self::allow) before.
    pub(super) fn connection(&self) -> &Connection {
        self.c
    }

    /// As if there were no merchant, if it is out of scope: whoever may not see it learns nothing of it.
    pub fn allow(&self, merchant_id: i64) -> Result<(), Error> {
        if self.scope.has(merchant_id) { Ok(()) } else { Err(Error::NotFound { context: "find a merchant in scope" }) }
    }

    /// Nothing is out of scope.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self.scope == Scope::All
    }

    /// The merchants, by slug.
    pub fn merchants(&self) -> Result<Vec<merchant::Merchant>, Error> {
        let mut all = merchant::all(self.c)?;
        all.retain(|merchant| self.scope.has(merchant.id));
        Ok(all)
    }

    /// The merchant of a slug.
    pub fn merchant(&self, slug: &str) -> Result<merchant::Merchant, Error> {
        let known = merchant::by_slug(self.c, slug)?.filter(|merchant| self.scope.has(merchant.id));
        known.ok_or(Error::NotFound { context: "find a merchant in scope" })
    }

    /// Where the merchant's account is.
    pub fn account_address(&self, merchant: &merchant::Merchant) -> Result<Option<String>, Error> {
        self.allow(merchant.id)?;
        merchant.account_id.map(|id| Ok(account::get(self.c, id)?.address)).transpose()
    }

    /// The order of our own id.
    pub fn order(&self, id: i64) -> Result<order::Overview, Error> {
        let order = order::get(self.c, id)?;
        self.allow(order.merchant_id)?;
        Ok(order)
    }

    /// All that is known of one order; the newest rows of its log and its latest calls.
    pub fn story(&self, id: i64, rows: u32, calls: u32, now: Timestamp) -> Result<Story, Error> {
        let order = self.order(id)?;
        let documents = document::of_order(self.c, id)?;
        let mut addresses = BTreeMap::new();
        for account_id in documents.iter().map(|document| document.account_id).collect::<BTreeSet<_>>() {
            addresses.insert(account_id, account::get(self.c, account_id)?.address);
        }
        Ok(Story {
            merchant: merchant::get(self.c, order.merchant_id)?,
            price: order::price(self.c, id)?,
            currency: self.currency(id, &documents, now),
            deliveries: delivery::of_order(self.c, id)?,
            attempts: document::latest_attempts(self.c, id, calls)?,
            acts: act::of_order(self.c, id, rows)?,
            addresses,
            log: self.log(log::Filter { order_id: Some(id), ..log::Filter::default() }, rows)?,
            documents,
            order,
        })
    }

    /// What people ruled about one order, oldest first.
    pub fn rulings(&self, order_id: i64) -> Result<Vec<ruling::Overview>, Error> {
        self.order(order_id)?;
        ruling::of_order(self.c, order_id)
    }

    /// Only words depend on it, so a case that cannot be read leaves the amounts in minor units.
    fn currency(&self, id: i64, documents: &[Document], now: Timestamp) -> Option<Currency> {
        if let Some(document) = documents.first() {
            return Some(document.content.header().currency);
        }
        let ages = product::Ages { product: SignedDuration::ZERO, miss: SignedDuration::ZERO };
        let case = order::case(self.c, id, Policy::default(), ages, now).ok()??;
        Some(case.order.snapshot.currency)
    }

    /// One delivery, sealed as it is.
    pub fn delivery(&self, id: i64) -> Result<delivery::Sealed, Error> {
        let delivery = delivery::get(self.c, id)?;
        self.allow(delivery.merchant_id)?;
        Ok(delivery)
    }

    /// Orders, newest first.
    pub fn orders(&self, filter: order::Filter, limit: u32) -> Result<Vec<order::Overview>, Error> {
        let mut found = Vec::new();
        for merchant_id in self.each(filter.merchant_id) {
            found.extend(order::list(self.c, order::Filter { merchant_id, ..filter }, limit)?);
        }
        Ok(newest(found, limit, |order| order.id))
    }

    /// The orders that somebody means by a name or a number, newest first.
    pub fn orders_called(&self, filter: order::Filter, text: &str, limit: u32) -> Result<Vec<order::Overview>, Error> {
        let mut found = Vec::new();
        for merchant_id in self.each(filter.merchant_id) {
            found.extend(order::find(self.c, order::Filter { merchant_id, ..filter }, text, limit)?);
        }
        Ok(newest(found, limit, |order| order.id))
    }

    /// Rows of the sync log, newest first.
    pub fn log(&self, filter: log::Filter, limit: u32) -> Result<Vec<log::Entry>, Error> {
        if let Some(id) = filter.order_id {
            self.order(id)?;
        }
        let mut found = Vec::new();
        for merchant_id in self.each(filter.merchant_id) {
            found.extend(log::list(self.c, log::Filter { merchant_id, ..filter }, limit)?);
        }
        Ok(newest(found, limit, |entry| entry.id))
    }

    /// How many orders stand where, per merchant.
    pub fn standing(&self) -> Result<Vec<(i64, order::State, i64)>, Error> {
        let mut all = order::counts(self.c)?;
        all.retain(|(merchant_id, ..)| self.scope.has(*merchant_id));
        Ok(all)
    }

    /// What people decided about codes of a merchant after this one, by code.
    pub fn mappings(&self, merchant_id: i64, after: &str, limit: u32) -> Result<Vec<product::Mapping>, Error> {
        self.allow(merchant_id)?;
        product::mappings(self.c, merchant_id, after, limit)
    }

    /// What Daftra calls a product of a merchant, if it was seen.
    pub fn product_name(&self, merchant_id: i64, remote_id: i64) -> Result<Option<String>, Error> {
        self.allow(merchant_id)?;
        product::name(self.c, merchant_id, remote_id)
    }

    /// Everybody who may sign in, by name. For those who see all.
    pub fn users(&self) -> Result<Vec<user::User>, Error> {
        self.only_whole()?;
        user::all(self.c)
    }

    /// What people did, newest first. For those who see all.
    pub fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<audit::Entry>, Error> {
        self.only_whole()?;
        audit::list(self.c, before, limit)
    }

    pub(super) fn only_whole(&self) -> Result<(), Error> {
        if self.is_whole() { Ok(()) } else { Err(Error::NotFound { context: "look beyond a scope" }) }
    }

    /// The merchants to ask for, one by one, so that each question walks an index; one question is enough for all.
    pub(super) fn each(&self, wanted: Option<i64>) -> Vec<Option<i64>> {
        match (wanted, self.scope) {
            (Some(one), scope) => scope.has(one).then_some(Some(one)).into_iter().collect(),
            (None, Scope::All) => vec![None],
            (None, Scope::Only(merchants)) => merchants.iter().copied().map(Some).collect(),
        }
    }
}

fn newest<T>(mut rows: Vec<T>, limit: u32, id: impl Fn(&T) -> i64) -> Vec<T> {
    rows.sort_by_key(|row| std::cmp::Reverse(id(row)));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    rows
}

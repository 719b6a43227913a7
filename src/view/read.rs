//! Fills the shapes from what somebody may see: the command line sees all, the API what its user sees.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Cause, LogRow, Mapping, Merchant, MerchantRow, Money, Order, PrivacyRow, Ruling, Statement, Story};
use crate::db::browse::{Place, Search};
use crate::db::order::{self, Overview};
use crate::db::sight::Sight;
use crate::db::{Error, class, merchant, privacy, statement};
use crate::desk::file::MerchantFile;
use crate::domain::trace;
use crate::text::Lang;

/// Rows of the log in a story; the log itself has all.
const LOG_ROWS: u32 = 200;
/// The latest calls in a story: an order that waits for stock is looked at for months.
const CALLS: u32 = 500;

/// What shops ask for in the name of their customers, newest first.
pub fn privacy_requests(sight: &Sight<'_>) -> Result<Vec<PrivacyRow>, Error> {
    let merchants: BTreeMap<i64, String> =
        sight.merchants()?.into_iter().map(|merchant| (merchant.id, merchant.slug)).collect();
    let row = |request: privacy::Request| {
        let privacy::Request { id, merchant_id, kind, customer_id, orders, received_at, due_at, .. } = request;
        let privacy::Request { state, state_at, counts, .. } = request;
        let merchant = merchants.get(&merchant_id).cloned().unwrap_or_default();
        PrivacyRow { id, merchant, kind, customer_id, orders, received_at, due_at, state, state_at, counts }
    };
    Ok(sight.privacy_requests(1_000)?.into_iter().map(row).collect())
}

/// Every merchant, by slug.
pub fn merchants(sight: &Sight<'_>) -> Result<Vec<MerchantRow>, Error> {
    let counts = sight.standing()?;
    let of = |id| counts.iter().filter(move |(merchant, ..)| *merchant == id).map(|(_, state, n)| (*state, *n));
    let row = |merchant: merchant::Merchant| {
        let address = sight.account_address(&merchant)?;
        Ok(MerchantRow::new(&merchant, address, of(merchant.id)))
    };
    sight.merchants()?.into_iter().map(row).collect()
}

/// One merchant with its settings, and where its webhooks go.
pub fn merchant(sight: &Sight<'_>, slug: &str, origin: &str) -> Result<Merchant, Error> {
    let known = sight.merchant(slug)?;
    let progress = sight.progress(known.id)?;
    Ok(Merchant {
        file: MerchantFile::of(&known, &progress.address),
        webhook_address: super::webhook_address(origin, slug),
        webhook_secrets: progress.webhook_secrets,
        has_daftra_key: progress.has_daftra_key,
        trouble: known.trouble.as_ref().map(|trouble| Lang::En.words().trouble(trouble).into()),
    })
}

/// Orders, newest first.
pub fn orders(sight: &Sight<'_>, filter: order::Filter, limit: u32) -> Result<Vec<Order>, Error> {
    in_classes(sight, sight.orders(filter, limit)?)
}

/// The orders that a name or a number means, newest first.
pub fn orders_called(sight: &Sight<'_>, filter: order::Filter, text: &str, limit: u32) -> Result<Vec<Order>, Error> {
    in_classes(sight, sight.orders_called(filter, text, limit)?)
}

fn in_classes(sight: &Sight<'_>, orders: Vec<Overview>) -> Result<Vec<Order>, Error> {
    orders.into_iter().map(|order| Ok(Order::new(sight.class(&order)?, order, None))).collect()
}

/// Statements, the newest day first.
pub fn statements(
    sight: &Sight<'_>,
    merchant_id: Option<i64>,
    before: Option<Date>,
    limit: u32,
) -> Result<Vec<Statement>, Error> {
    let slugs: BTreeMap<i64, String> = sight.merchants()?.into_iter().map(|one| (one.id, one.slug)).collect();
    let slug = |id: i64| slugs.get(&id).cloned().unwrap_or_default();
    let found = sight.statements(merchant_id, before, limit)?;
    let view = |one: statement::Statement| {
        let proven = sight.is_proven(&one)?;
        Ok(Statement::new(slug(one.merchant_id), one, proven, None))
    };
    found.into_iter().map(view).collect()
}

/// The statement of a merchant's day with its orders.
pub fn statement(sight: &Sight<'_>, merchant_id: i64, day: Date) -> Result<Statement, Error> {
    let (found, lines) = sight.statement(merchant_id, day)?;
    let slug = sight.merchants()?.into_iter().find(|one| one.id == merchant_id).map(|one| one.slug);
    let proven = sight.is_proven(&found)?;
    Ok(Statement::new(slug.unwrap_or_default(), found, proven, Some(lines)))
}

/// The whole story of one order.
pub fn story(sight: &Sight<'_>, id: i64) -> Result<Story, Error> {
    // Of all that depends on the time only the currency is used, which does not.
    let told = sight.story(id, LOG_ROWS, CALLS, Timestamp::UNIX_EPOCH)?;
    let (order, currency) = (told.order, told.currency);
    let class = class::class(order.state, order.reason.as_ref(), &told.documents);
    let trace = order.trace.clone().unwrap_or_default();
    let words = Lang::En.words();
    Ok(Story {
        money: trace::money(&trace).zip(currency).map(|(money, currency)| Money::new(money, currency)),
        decisions: trace.iter().map(|step| words.step(step, currency)).collect(),
        trace,
        order: Order::new(class, order, currency),
        rulings: sight.rulings(id)?.into_iter().map(Ruling::from).collect(),
        deliveries: told.deliveries.into_iter().map(super::Delivery::from).collect(),
        documents: told.documents.iter().map(super::Document::from).collect(),
        calls: told.attempts.into_iter().rev().map(super::Call::from).collect(),
        log: told.log.into_iter().map(LogRow::from).collect(),
    })
}

/// One page of the log.
pub struct Rows {
    /// Newest first.
    pub items: Vec<LogRow>,
    /// There are older ones.
    pub has_more: bool,
    /// More orders fit the words than were looked at.
    pub is_cut: bool,
}

/// Rows of the log that fit.
pub fn log(sight: &Sight<'_>, search: &Search, place: Place, limit: u32) -> Result<Rows, Error> {
    let page = sight.browse(search, place, limit)?;
    let items = page.rows.into_iter().map(LogRow::from).collect();
    Ok(Rows { items, has_more: page.has_older, is_cut: page.is_cut })
}

/// Why orders are held, the largest cause first, and whether more orders are held than were looked at.
pub fn causes(sight: &Sight<'_>, merchant_id: Option<i64>, most: usize) -> Result<(Vec<Cause>, bool), Error> {
    let (causes, is_cut) = sight.causes_among(merchant_id, most)?;
    Ok((causes.into_iter().map(Cause::from).collect(), is_cut))
}

/// What people decided about codes of a merchant after this one, by code.
pub fn mappings(sight: &Sight<'_>, slug: &str, after: &str, limit: u32) -> Result<Vec<Mapping>, Error> {
    let merchant = sight.merchant(slug)?;
    let mappings = sight.mappings(merchant.id, after, limit)?.into_iter();
    Ok(mappings.map(|(code, product_id, note)| Mapping { code, product_id, note }).collect())
}

//! A merchant's way to the API of its shop, and how far the shop was looked through.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, maybe_at, ms, to_json};
use super::sight::Sight;
use super::{Context as _, Error};
use crate::domain::connection::Blocked;

/// What is known of one merchant's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopApi {
    /// Of the app whose credentials make tokens; none: the token does not end.
    pub client_id: Option<String>,
    /// Whether the subscriptions are ours to make and to mend.
    pub watches: bool,
    /// What the app may do; empty: nobody asked yet.
    pub scopes: BTreeSet<String>,
    /// When the shop said so; none: it is to be asked before the next look.
    pub scopes_at: Option<Timestamp>,
    /// When the token ends.
    pub token_until: Option<Timestamp>,
    /// When the shop was last looked through to its last page.
    pub caught_up_at: Option<Timestamp>,
    /// All that changed before is known: where the next look begins.
    pub cursor: Option<Timestamp>,
    /// A person wants it looked through from here.
    pub since: Option<Timestamp>,
    /// Orders that a person wants, by name.
    pub wanted: Vec<String>,
    /// Orders that the shop lists and does not give: each look tries them again.
    pub unread: Vec<Unread>,
    /// Orders that the look under way has come past.
    pub gone_through: i64,
    /// How many there are in all, by the shop's own count; none: few, or no look is under way.
    pub expected: Option<i64>,
    /// When our subscriptions were last found whole, or made so.
    pub watched_at: Option<Timestamp>,
    /// Why it does not open.
    pub blocked: Option<Blocked>,
}

/// An order that the shop's API lists and does not give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Shopify's id.
    pub id: i64,
    /// What the shop calls it.
    pub name: String,
}

const READ: &str = "read a merchant's way to its shop";
const CHANGE: &str = "change a merchant's way to its shop";

/// The way of a merchant; none: webhooks only.
pub fn get(c: &Connection, merchant_id: i64) -> Result<Option<ShopApi>, Error> {
    let row = c
        .prepare_cached(
            "select s.client_id, s.watches, s.scopes, s.token_until, s.caught_up_at, m.catch_up_to, s.since, s.wanted,
               s.watched_at, s.blocked, s.scopes_at, s.unread, s.gone_through, s.expected
             from shop_api s join merchant m on m.id = s.merchant_id where s.merchant_id = ?1",
        )
        .during(READ)?
        .query_row([merchant_id], |row| {
            let (client_id, watches) = (row.get(0)?, row.get(1)?);
            let (scopes, wanted, blocked): (String, String, Option<String>) = (row.get(2)?, row.get(7)?, row.get(9)?);
            let (token_until, caught_up_at, cursor) = (row.get(3)?, row.get(4)?, row.get(5)?);
            let (since, watched_at) = (row.get(6)?, row.get(8)?);
            let (scopes_at, unread): (_, String) = (row.get(10)?, row.get(11)?);
            let (gone_through, expected) = (row.get(12)?, row.get(13)?);
            let build = || {
                Ok(ShopApi {
                    client_id,
                    watches,
                    scopes: from_json(READ, &scopes)?,
                    scopes_at: maybe_at(scopes_at)?,
                    token_until: maybe_at(token_until)?,
                    caught_up_at: maybe_at(caught_up_at)?,
                    cursor: maybe_at(cursor)?,
                    since: maybe_at(since)?,
                    wanted: from_json(READ, &wanted)?,
                    unread: from_json(READ, &unread)?,
                    gone_through,
                    expected,
                    watched_at: maybe_at(watched_at)?,
                    blocked: blocked.map(|text| from_json(READ, &text)).transpose()?,
                })
            };
            Ok(build())
        })
        .optional()
        .during(READ)?;
    row.transpose()
}

/// Every merchant that has a way to its shop.
pub fn all(c: &Connection) -> Result<Vec<i64>, Error> {
    let mut statement = c.prepare_cached("select merchant_id from shop_api order by merchant_id").during(READ)?;
    let rows = statement.query_map([], |row| row.get(0)).during(READ)?;
    rows.map(|row| row.during(READ)).collect()
}

/// A new way, or another one. What was looked through stays so; a first way begins at a time.
pub fn connect(
    tx: &Transaction<'_>,
    merchant_id: i64,
    client_id: Option<&str>,
    watches: bool,
    begin: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "insert into shop_api (merchant_id, client_id, watches) values (?1, ?2, ?3)
         on conflict (merchant_id) do update set client_id = excluded.client_id, watches = excluded.watches,
           scopes = '[]', scopes_at = null, token_until = null, watched_at = null, blocked = null",
        (merchant_id, client_id, watches),
    )
    .during(CHANGE)?;
    tx.execute("update merchant set catch_up_to = coalesce(catch_up_to, ?2) where id = ?1", (merchant_id, ms(begin)))
        .during(CHANGE)?;
    Ok(())
}

/// Webhooks only, from now on. How far the shop was looked through is remembered.
pub fn disconnect(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), Error> {
    tx.execute("delete from shop_api where merchant_id = ?1", [merchant_id]).during(CHANGE)?;
    Ok(())
}

/// The shop answered as it should, and the app may do this. True if it had not before.
pub fn opened(tx: &Transaction<'_>, merchant_id: i64, scopes: &BTreeSet<String>) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "update shop_api set scopes = ?2, blocked = null where merchant_id = ?1 and (scopes <> ?2 or blocked is not null)",
            (merchant_id, to_json(scopes)),
        )
        .during(CHANGE)?;
    Ok(changed > 0)
}

/// What the app may do, as the shop says now.
pub fn may(tx: &Transaction<'_>, merchant_id: i64, scopes: &BTreeSet<String>, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update shop_api set scopes = ?2, scopes_at = ?3 where merchant_id = ?1",
        (merchant_id, to_json(scopes), ms(now)),
    )
    .during(CHANGE)?;
    Ok(())
}

/// Something was refused: what the app may do is asked anew before the next look.
pub fn doubt_scopes(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), Error> {
    tx.execute("update shop_api set scopes_at = null where merchant_id = ?1", [merchant_id]).during(CHANGE)?;
    Ok(())
}

/// Whether the shop gives this order or not. How many it does not give. The one that was tried last stands last.
pub fn note_unread(tx: &Transaction<'_>, merchant_id: i64, order: &Unread, is_unread: bool) -> Result<usize, Error> {
    let Some(ShopApi { mut unread, .. }) = get(tx, merchant_id)? else { return Ok(0) };
    let is_known = unread.iter().any(|known| known.id == order.id);
    if !is_known && !is_unread {
        return Ok(unread.len());
    }
    unread.retain(|known| known.id != order.id);
    unread.extend(is_unread.then(|| order.clone()));
    tx.execute("update shop_api set unread = ?2 where merchant_id = ?1", (merchant_id, to_json(&unread)))
        .during(CHANGE)?;
    Ok(unread.len())
}

/// A look that takes more than one page: how many orders there are from where it begins, or from where it goes on.
pub fn expect(tx: &Transaction<'_>, merchant_id: i64, orders: i64) -> Result<(), Error> {
    tx.execute(
        "update shop_api set expected = coalesce(expected, ?2), gone_through = max(0, coalesce(expected, ?2) - ?2)
         where merchant_id = ?1",
        (merchant_id, orders),
    )
    .during(CHANGE)?;
    Ok(())
}

/// The look has come past so many orders more.
pub fn went_through(tx: &Transaction<'_>, merchant_id: i64, orders: usize) -> Result<(), Error> {
    let orders = i64::try_from(orders).unwrap_or(i64::MAX);
    tx.execute("update shop_api set gone_through = gone_through + ?2 where merchant_id = ?1", (merchant_id, orders))
        .during(CHANGE)?;
    Ok(())
}

/// The token in the vault is good until then.
pub fn token_lives(tx: &Transaction<'_>, merchant_id: i64, until: Timestamp) -> Result<(), Error> {
    tx.execute("update shop_api set token_until = ?2 where merchant_id = ?1", (merchant_id, ms(until)))
        .during(CHANGE)?;
    Ok(())
}

/// It does not open.
pub fn block(tx: &Transaction<'_>, merchant_id: i64, why: &Blocked) -> Result<(), Error> {
    tx.execute("update shop_api set blocked = ?2 where merchant_id = ?1", (merchant_id, to_json(why)))
        .during(CHANGE)?;
    Ok(())
}

/// All that changed before this time is known. The cursor never goes back.
pub fn seen_until(tx: &Transaction<'_>, merchant_id: i64, until: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update merchant set catch_up_to = max(coalesce(catch_up_to, 0), ?2) where id = ?1",
        (merchant_id, ms(until)),
    )
    .during(CHANGE)?;
    Ok(())
}

/// What a person wanted looked through is known up to here.
pub fn went_on(tx: &Transaction<'_>, merchant_id: i64, wanted: Timestamp, until: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update shop_api set since = ?3 where merchant_id = ?1 and since = ?2",
        (merchant_id, ms(wanted), ms(until)),
    )
    .during(CHANGE)?;
    Ok(())
}

/// The shop does not know the token any more: an app makes another.
pub fn token_is_dead(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), Error> {
    tx.execute(
        "update shop_api set token_until = null, scopes = '[]', scopes_at = null where merchant_id = ?1",
        [merchant_id],
    )
    .during(CHANGE)?;
    Ok(())
}

/// The first look through the shop begins here, however many runs it takes. After a hole, of which the shop shows nothing any
/// more, only what is looked through from now on counts.
pub fn looks_from(tx: &Transaction<'_>, merchant_id: i64, from: Timestamp, after_hole: bool) -> Result<(), Error> {
    tx.execute(
        "update shop_api set looked_from = iif(?3, ?2, min(coalesce(looked_from, ?2), ?2)) where merchant_id = ?1",
        (merchant_id, ms(from), after_hole),
    )
    .during(CHANGE)?;
    Ok(())
}

/// The shop was looked through to its last page; what a person wanted is done, unless more was wanted meanwhile.
pub fn caught_up(
    tx: &Transaction<'_>,
    merchant_id: i64,
    done: &ShopApi,
    from: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update shop_api set caught_up_at = ?2, gone_through = 0, expected = null, since = iif(since is ?3, null, since),
           looked_from = min(coalesce(looked_from, ?4), ?4) where merchant_id = ?1",
        (merchant_id, ms(now), done.since.map(ms), ms(from)),
    )
    .during(CHANGE)?;
    Ok(())
}

/// A person wants the shop looked through from a time, or orders by name.
pub fn want(tx: &Transaction<'_>, merchant_id: i64, since: Option<Timestamp>, names: &[String]) -> Result<(), Error> {
    let Some(known) = get(tx, merchant_id)? else { return Ok(()) };
    let since = known.since.into_iter().chain(since).min();
    let mut wanted = known.wanted;
    wanted.extend(names.iter().filter(|name| !wanted.contains(name)).cloned().collect::<Vec<_>>());
    tx.execute(
        "update shop_api set since = ?2, wanted = ?3 where merchant_id = ?1",
        (merchant_id, since.map(ms), to_json(&wanted)),
    )
    .during(CHANGE)?;
    Ok(())
}

/// An order that a person wants by name was asked for.
pub fn was_asked_for(tx: &Transaction<'_>, merchant_id: i64, name: &str) -> Result<(), Error> {
    let Some(ShopApi { mut wanted, .. }) = get(tx, merchant_id)? else { return Ok(()) };
    wanted.retain(|one| one != name);
    tx.execute("update shop_api set wanted = ?2 where merchant_id = ?1", (merchant_id, to_json(&wanted)))
        .during(CHANGE)?;
    Ok(())
}

/// Our subscriptions are whole.
pub fn watched(tx: &Transaction<'_>, merchant_id: i64, address: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update shop_api set watched_at = ?3, address = ?2 where merchant_id = ?1",
        (merchant_id, address, ms(now)),
    )
    .during(CHANGE)?;
    Ok(())
}

/// Where our subscriptions led when they were last found whole.
pub fn address(c: &Connection, merchant_id: i64) -> Result<Option<String>, Error> {
    c.prepare_cached("select address from shop_api where merchant_id = ?1")
        .during(READ)?
        .query_row([merchant_id], |row| row.get(0))
        .optional()
        .during(READ)
        .map(Option::flatten)
}

/// When the order of Shopify's id last changed, as far as everything about it is known; none: less is known.
pub fn known_as_of(c: &Connection, merchant_id: i64, remote_id: i64) -> Result<Option<Timestamp>, Error> {
    // A webhook of the order tells of no payment, and the one that does may be lost: each change is asked for once. The
    // shop's clock and ours are not the same.
    let version: Option<i64> = c
        .prepare_cached(
            "select version_at from orders where merchant_id = ?1 and remote_id = ?2
               and read_at >= version_at + 60000",
        )
        .during(READ)?
        .query_row((merchant_id, remote_id), |row| row.get(0))
        .optional()
        .during(READ)?;
    version.map(at).transpose()
}

/// The shop's API was asked for this order.
pub fn order_was_read(tx: &Transaction<'_>, order_id: i64, now: Timestamp) -> Result<(), Error> {
    tx.execute("update orders set read_at = ?2 where id = ?1", (order_id, ms(now)))
        .during("note that an order was read")?;
    Ok(())
}

impl Sight<'_> {
    /// A merchant's way to its shop.
    pub fn shop_api(&self, merchant_id: i64) -> Result<Option<ShopApi>, Error> {
        self.allow(merchant_id)?;
        get(self.connection(), merchant_id)
    }
}

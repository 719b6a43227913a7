//! The variants of a merchant's shop: their barcodes, and whether a product is found for each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, ms, to_json, word};
use super::{Context as _, Error};
use crate::domain::catalog::Code;
use crate::domain::variant::{Outcome, Variant};

/// How long the shop's word on a barcode is believed: shops that do not tell of their products say nothing when one moves.
pub const BELIEVED: SignedDuration = SignedDuration::from_hours(6);

/// What the shop says of these; one of which nobody asked it is not there.
pub fn barcodes(
    c: &Connection,
    merchant_id: i64,
    ids: impl Iterator<Item = i64>,
) -> Result<BTreeMap<i64, Code>, Error> {
    const READ: &str = "read the barcodes of variants";
    let mut statement = c
        .prepare_cached("select barcode from variant where merchant_id = ?1 and remote_id = ?2 and barcode is not null")
        .during(READ)?;
    let mut found = BTreeMap::new();
    for id in ids {
        let barcode: Option<String> =
            statement.query_row((merchant_id, id), |row| row.get(0)).optional().during(READ)?;
        found.extend(barcode.map(|barcode| (id, Code::new(&barcode))));
    }
    Ok(found)
}

/// Those of these whose barcode was told since then: of the others the shop may have changed it, and nobody said so.
pub fn told_since(
    c: &Connection,
    merchant_id: i64,
    ids: impl Iterator<Item = i64>,
    since: Timestamp,
) -> Result<BTreeSet<i64>, Error> {
    const READ: &str = "read which barcodes are new";
    let mut statement = c
        .prepare_cached(
            "select exists (select 1 from variant
             where merchant_id = ?1 and remote_id = ?2 and barcode is not null and read_at > ?3)",
        )
        .during(READ)?;
    let mut told = BTreeSet::new();
    for id in ids {
        if statement.query_row((merchant_id, id, ms(since)), |row| row.get(0)).during(READ)? {
            told.insert(id);
        }
    }
    Ok(told)
}

/// Whose variants are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All that are told of.
    All,
    /// Those that are known; others are somebody else's.
    Known,
}

/// Keeps what was told of variants, unless something newer is known. What nobody could ask never replaces what the shop said.
pub fn learn(
    tx: &Transaction<'_>,
    merchant_id: i64,
    variants: &[Variant],
    keep: Keep,
    now: Timestamp,
) -> Result<(), Error> {
    const KEEP: &str = "keep a variant";
    let mut change = tx
        .prepare_cached(
            "update variant set read_at = iif(?3 is null, read_at, max(read_at, ?7)), version_at = max(version_at, ?6),
               barcode = iif(version_at <= ?6, coalesce(?3, barcode), barcode),
               sku = iif(version_at <= ?6, ?4, sku), title = iif(version_at <= ?6, ?5, title)
             where merchant_id = ?1 and remote_id = ?2",
        )
        .during(KEEP)?;
    let mut add = tx
        .prepare_cached(
            "insert into variant (merchant_id, remote_id, barcode, sku, title, version_at, read_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .during(KEEP)?;
    for one in variants {
        let barcode = one.barcode.as_ref().map(Code::as_str);
        let values = (merchant_id, one.id, barcode, &one.sku, &one.title, ms(one.updated_at), ms(now));
        if change.execute(values).during(KEEP)? == 0 && keep == Keep::All {
            add.execute(values).during(KEEP)?;
        }
    }
    Ok(())
}

/// The shop has these no more: they have no barcode, and need not be asked for again.
pub fn are_gone(tx: &Transaction<'_>, merchant_id: i64, ids: &BTreeSet<i64>, now: Timestamp) -> Result<(), Error> {
    const NOTE: &str = "note that a variant is gone";
    let mut statement = tx
        .prepare_cached(
            "insert into variant (merchant_id, remote_id, barcode, read_at) values (?1, ?2, '', ?3)
             on conflict (merchant_id, remote_id) do update set barcode = coalesce(barcode, ''), read_at = excluded.read_at",
        )
        .during(NOTE)?;
    ids.iter().try_for_each(|id| statement.execute((merchant_id, id, ms(now))).during(NOTE).map(drop))
}

/// Something about these changed that nobody told: the shop is to be asked again.
pub fn forget_barcodes(tx: &Transaction<'_>, merchant_id: i64, ids: &BTreeSet<i64>) -> Result<(), Error> {
    const FORGET: &str = "forget the barcodes of variants";
    let mut statement = tx
        .prepare_cached("update variant set barcode = null where merchant_id = ?1 and remote_id = ?2")
        .during(FORGET)?;
    ids.iter().try_for_each(|id| statement.execute((merchant_id, id)).during(FORGET).map(drop))
}

/// Variants that stand on lines of these orders and are not known yet, without their barcodes. Returns where the next page
/// begins; `None`: that was the last.
pub fn learn_from_orders(
    tx: &Transaction<'_>,
    merchant_id: i64,
    from: i64,
    limit: u32,
    is_own: impl Fn(&str) -> bool,
) -> Result<Option<i64>, Error> {
    const READ: &str = "read the variants of orders";
    let mut orders = tx
        .prepare_cached(
            "select id, snapshot, created_at from orders where merchant_id = ?1 and id > ?2 order by id limit ?3",
        )
        .during(READ)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = orders.query_map((merchant_id, from, limit), read).during(READ)?;
    let rows: Vec<(i64, Option<String>, i64)> = rows.collect::<rusqlite::Result<_>>().during(READ)?;
    for (_, snapshot, created_at) in &rows {
        let Some(snapshot) = snapshot else { continue };
        let snapshot: crate::domain::order::Snapshot = from_json(READ, snapshot)?;
        let own = snapshot.lines.into_iter().filter(|line| is_own(&line.vendor));
        let variants: Vec<Variant> = own
            .filter_map(|line| {
                let id = line.variant_id?;
                let (sku, title, vendor) = (line.sku, line.title, line.vendor);
                Some(Variant { id, barcode: None, sku, title, vendor, updated_at: Timestamp::UNIX_EPOCH })
            })
            .collect();
        learn(tx, merchant_id, &variants, Keep::All, at(*created_at)?)?;
    }
    let is_full = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(rows.last().filter(|_| is_full).map(|(id, ..)| *id))
}

/// A variant as it is kept; its vendor is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Shopify's id.
    pub id: i64,
    /// Empty when it has none; `None` while nobody could ask.
    pub barcode: Option<Code>,
    pub sku: String,
    pub title: String,
    /// As it was last looked through.
    pub outcome: Option<Outcome>,
    /// When the shop, or an order, told of it last.
    pub read_at: Timestamp,
}

pub(super) const COLUMNS: &str = "remote_id, barcode, sku, title, outcome, read_at";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Known, Error>> {
    let (id, barcode, sku, title): (_, Option<String>, _, _) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let (outcome, read_at): (Option<String>, i64) = (row.get(4)?, row.get(5)?);
    let build = || {
        let outcome = outcome.map(|text| word("read a variant", &text, Outcome::parse(&text))).transpose()?;
        Ok(Known { id, barcode: barcode.map(|text| Code::new(&text)), sku, title, outcome, read_at: at(read_at)? })
    };
    Ok(build())
}

/// Variants after this one, by their ids.
pub fn after(c: &Connection, merchant_id: i64, after: i64, limit: u32) -> Result<Vec<Known>, Error> {
    const LIST: &str = "list variants";
    let sql =
        format!("select {COLUMNS} from variant where merchant_id = ?1 and remote_id > ?2 order by remote_id limit ?3");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map((merchant_id, after, limit), from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

/// What each of these came to.
pub fn came_to(tx: &Transaction<'_>, merchant_id: i64, outcomes: &[(i64, Outcome)]) -> Result<(), Error> {
    const NOTE: &str = "note which rule finds a variant";
    let mut statement = tx
        .prepare_cached(
            "update variant set outcome = ?3 where merchant_id = ?1 and remote_id = ?2 and outcome is not ?3",
        )
        .during(NOTE)?;
    outcomes
        .iter()
        .try_for_each(|(id, outcome)| statement.execute((merchant_id, id, outcome.word())).during(NOTE).map(drop))
}

/// Variants that a look through the whole shop did not meet are sold no more, or are another's: they count no more. True while
/// there may be others.
pub fn forget_unseen(tx: &Transaction<'_>, merchant_id: i64, before: Timestamp, limit: u32) -> Result<bool, Error> {
    const FORGET: &str = "forget variants that are sold no more";
    let gone = tx
        .prepare_cached(
            "update variant set outcome = null where (merchant_id, remote_id) in (
               select merchant_id, remote_id from variant where merchant_id = ?1 and read_at < ?2 and outcome is not null limit ?3)",
        )
        .during(FORGET)?
        .execute((merchant_id, ms(before), limit))
        .during(FORGET)?;
    Ok(gone > 0)
}

/// How far the products of Daftra cover what a merchant sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// When it was looked through.
    pub read_at: Timestamp,
    /// The shop told of all its variants; else they are those seen in orders.
    pub whole: bool,
    /// How many variants came to what.
    pub counts: BTreeMap<Outcome, u64>,
}

impl Coverage {
    /// All variants.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Those for which a product is found.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.counts.iter().filter(|(outcome, _)| outcome.is_covered()).map(|(_, count)| count).sum()
    }
}

/// A look that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// When it began.
    pub began_at: Timestamp,
    /// How far it came in the list of the shop.
    pub place: Option<String>,
    /// It has seen all that the shop tells of.
    pub is_listed: bool,
}

/// Somebody wants it looked through anew; where that is under way, it goes on.
pub fn begin_look(tx: &Transaction<'_>, merchant_id: i64, now: Timestamp) -> Result<(), Error> {
    const BEGIN: &str = "begin a look through the variants";
    tx.prepare_cached(
        "insert into coverage (merchant_id, began_at) values (?1, ?2) on conflict (merchant_id) do update set
           began_at = coalesce(began_at, excluded.began_at)",
    )
    .during(BEGIN)?
    .execute((merchant_id, ms(now)))
    .during(BEGIN)?;
    Ok(())
}

/// The look that is under way, if one is.
pub fn look(c: &Connection, merchant_id: i64) -> Result<Option<Look>, Error> {
    const READ: &str = "read a look through the variants";
    let found: Option<(i64, String, bool)> = c
        .prepare_cached(
            "select began_at, place, is_listed from coverage where merchant_id = ?1 and began_at is not null",
        )
        .during(READ)?
        .query_row([merchant_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .during(READ)?;
    found
        .map(|(began_at, place, is_listed)| {
            Ok(Look { began_at: at(began_at)?, place: Some(place).filter(|place| !place.is_empty()), is_listed })
        })
        .transpose()
}

/// The look came so far; without a place it has seen all that the shop tells of.
pub fn look_came_to(tx: &Transaction<'_>, merchant_id: i64, place: Option<&str>) -> Result<(), Error> {
    const NOTE: &str = "note how far a look came";
    tx.prepare_cached("update coverage set place = ?2, is_listed = ?3 where merchant_id = ?1")
        .during(NOTE)?
        .execute((merchant_id, place.unwrap_or_default(), place.is_none()))
        .during(NOTE)?;
    Ok(())
}

/// Keeps what a look came to, in the place of the one before.
pub fn end_look(tx: &Transaction<'_>, merchant_id: i64, coverage: &Coverage) -> Result<(), Error> {
    const KEEP: &str = "keep a coverage";
    tx.prepare_cached(
        "update coverage set began_at = null, place = '', is_listed = 0, read_at = ?2, whole = ?3, counts = ?4
         where merchant_id = ?1",
    )
    .during(KEEP)?
    .execute((merchant_id, ms(coverage.read_at), coverage.whole, to_json(&coverage.counts)))
    .during(KEEP)?;
    Ok(())
}

/// What the last look came to, if there was one.
pub fn coverage(c: &Connection, merchant_id: i64) -> Result<Option<Coverage>, Error> {
    const READ: &str = "read a coverage";
    let found: Option<(i64, bool, String)> = c
        .prepare_cached("select read_at, whole, counts from coverage where merchant_id = ?1 and read_at is not null")
        .during(READ)?
        .query_row([merchant_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .during(READ)?;
    found
        .map(|(read_at, whole, counts)| {
            Ok(Coverage { read_at: at(read_at)?, whole, counts: from_json(READ, &counts)? })
        })
        .transpose()
}

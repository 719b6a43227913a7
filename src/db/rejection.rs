//! Deliveries that proved nothing: how many came for whom in which hour, and what is likely wrong with them.
//!
//! Of a stranger's request nothing is kept but the shop it names, if that can be a shop's name. Rows are bounded by
//! merchants, hours of a month and reasons, however many come.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};

use super::convert::{at, ms, word};
use super::sight::Sight;
use super::{Context as _, Error};

/// Why a delivery proves nothing, told from facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It carries no signature.
    NoSignature,
    /// What it carries as one cannot be one.
    BrokenSignature,
    /// There is nothing that could be signed.
    EmptyBody,
    /// No merchant has this address.
    UnknownAddress,
    /// No merchant has this shop.
    UnknownShop,
    /// The merchant was closed.
    Closed,
    /// It names another shop than the merchant's.
    OtherShop,
    /// The secret that was replaced or forgotten last signed it.
    ForgottenSecret,
    /// The secret fits the body as it was before something on its way changed it.
    ChangedBody,
    /// No secret that we know of fits.
    OtherSecret,
    /// It came in a flood, or is too large to be looked at more closely.
    Unexamined,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NoSignature,
        Self::BrokenSignature,
        Self::EmptyBody,
        Self::UnknownAddress,
        Self::UnknownShop,
        Self::Closed,
        Self::OtherShop,
        Self::ForgottenSecret,
        Self::ChangedBody,
        Self::OtherSecret,
        Self::Unexamined,
    ];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoSignature => "no_signature",
            Self::BrokenSignature => "broken_signature",
            Self::EmptyBody => "empty_body",
            Self::UnknownAddress => "unknown_address",
            Self::UnknownShop => "unknown_shop",
            Self::Closed => "closed",
            Self::OtherShop => "other_shop",
            Self::ForgottenSecret => "forgotten_secret",
            Self::ChangedBody => "changed_body",
            Self::OtherSecret => "other_secret",
            Self::Unexamined => "unexamined",
        }
    }

    /// The reason of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.word() == word)
    }

    fn is_noise(self) -> bool {
        match self {
            Self::NoSignature
            | Self::BrokenSignature
            | Self::EmptyBody
            | Self::UnknownAddress
            | Self::UnknownShop
            | Self::Unexamined => true,
            Self::Closed | Self::OtherShop | Self::ForgottenSecret | Self::ChangedBody | Self::OtherSecret => false,
        }
    }
}

const HOUR_MS: i64 = 3_600_000;
/// Hours that are kept.
const KEPT: i64 = 30 * 24;
/// Stands for nobody among the merchants.
const NOBODY: i64 = 0;
/// Hours of a day.
const DAY: i64 = 24;

/// Counts one delivery for a merchant, or for nobody. The shop is the one it names, or empty.
pub fn count(
    tx: &Transaction<'_>,
    merchant_id: Option<i64>,
    why: Why,
    shop: &str,
    now: Timestamp,
) -> Result<(), Error> {
    const COUNT: &str = "count a delivery that proves nothing";
    let (merchant_id, hour) = (merchant_id.unwrap_or(NOBODY), ms(now).div_euclid(HOUR_MS));
    let counted: i64 = tx
        .prepare_cached(
            "insert into rejection (merchant_id, hour, reason, count, last_at, shop) values (?1, ?2, ?3, 1, ?4, ?5)
             on conflict do update set count = count + 1, last_at = excluded.last_at, shop = excluded.shop
             returning count",
        )
        .during(COUNT)?
        .query_row((merchant_id, hour, why.word(), ms(now), shop), |row| row.get(0))
        .during(COUNT)?;
    if counted == 1 {
        tx.prepare_cached("delete from rejection where merchant_id = ?1 and hour < ?2")
            .during(COUNT)?
            .execute((merchant_id, hour - KEPT))
            .during(COUNT)?;
    }
    Ok(())
}

/// What came to one merchant for one reason in the last seven days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// None: to nobody.
    pub merchant_id: Option<i64>,
    pub why: Why,
    /// In seven days.
    pub week: i64,
    /// In the last 24 hours, and in those before them.
    pub day: i64,
    pub day_before: i64,
    pub last_at: Timestamp,
    /// The shop that the newest one named; empty if it named none.
    pub shop: String,
}

impl Rejected {
    /// Whoever tries doors makes these, too: few of them mean nothing.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        self.why.is_noise() || (self.why == Why::OtherShop && self.shop.is_empty())
    }
}

impl Sight<'_> {
    /// What was turned away in the last seven days, the newest first. What came to nobody is for those who see all.
    pub fn rejected(&self, now: Timestamp) -> Result<Vec<Rejected>, Error> {
        let mut all = Vec::new();
        for merchant in self.merchants()? {
            all.extend(of(self.connection(), Some(merchant.id), now)?);
        }
        if self.is_whole() {
            all.extend(of(self.connection(), None, now)?);
        }
        all.sort_by_key(|one| std::cmp::Reverse(one.last_at));
        Ok(all)
    }
}

fn of(c: &Connection, merchant_id: Option<i64>, now: Timestamp) -> Result<Vec<Rejected>, Error> {
    const READ: &str = "read what was turned away";
    let hour = ms(now).div_euclid(HOUR_MS);
    let mut statement = c
        .prepare_cached(
            "select reason, sum(count), sum(iif(hour > ?3, count, 0)), sum(iif(hour between ?4 + 1 and ?3, count, 0)),
               max(last_at), shop
             from rejection where merchant_id = ?1 and hour > ?2 group by reason",
        )
        .during(READ)?;
    let hours = (merchant_id.unwrap_or(NOBODY), hour - 7 * DAY, hour - DAY, hour - 2 * DAY);
    let rows = statement
        .query_map(hours, |row| {
            Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?, row.get(3)?), row.get(4)?, row.get(5)?))
        })
        .during(READ)?;
    rows.map(|row| {
        let (why, (week, day, day_before), last_at, shop) = row.during(READ)?;
        let why = word(READ, &why, Why::parse(&why))?;
        Ok(Rejected { merchant_id, why, week, day, day_before, last_at: at(last_at)?, shop })
    })
    .collect()
}

/// Turned away in the last 24 hours, for one merchant or for nobody: as the overview tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rise {
    pub merchant_id: Option<i64>,
    pub day: i64,
    pub day_before: i64,
    pub last_at: Timestamp,
}

/// Of noise there must be so much before it is told.
const LOUD: i64 = 20;

/// Where something is likely wrong: any delivery that shows it, and noise only when it is loud and louder than before.
#[must_use]
pub fn rising(rejected: &[Rejected]) -> Vec<Rise> {
    let mut rises = Vec::<(Rise, bool)>::new();
    for one in rejected.iter().filter(|one| one.day > 0 && one.why != Why::Closed) {
        let is_telling = !one.is_noise() || (one.day >= LOUD && one.day > 2 * one.day_before);
        match rises.iter_mut().find(|(rise, _)| rise.merchant_id == one.merchant_id) {
            Some((rise, tells)) => {
                rise.day += one.day;
                rise.day_before += one.day_before;
                rise.last_at = rise.last_at.max(one.last_at);
                *tells |= is_telling;
            }
            None => {
                let Rejected { merchant_id, day, day_before, last_at, .. } = *one;
                rises.push((Rise { merchant_id, day, day_before, last_at }, is_telling));
            }
        }
    }
    rises.into_iter().filter(|(_, tells)| *tells).map(|(rise, _)| rise).collect()
}

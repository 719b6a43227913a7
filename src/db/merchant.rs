//! Merchants, the vendors they own in a shop, and their sealed credentials.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{at, from_json, maybe_at, ms, to_json, word};
use super::{Context as _, Error};
use crate::domain::rules::Rules;

/// One merchant as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merchant {
    pub id: i64,
    /// In the webhook address.
    pub slug: String,
    /// Random, in every reference.
    pub key: String,
    pub name: String,
    pub shop_domain: String,
    pub account_id: Option<i64>,
    pub time_zone: String,
    pub mode: Mode,
    pub live_from: Option<Timestamp>,
    pub rules: Rules,
    pub trouble: Option<Trouble>,
    pub not_before: Timestamp,
}

impl Merchant {
    /// The zone of its days; none if this program does not know the name.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.time_zone).ok()
    }
}

/// Since when a merchant is known here.
pub fn known_since(c: &Connection, id: i64) -> Result<Timestamp, Error> {
    const READ: &str = "read since when a merchant is known";
    let created: i64 = c
        .prepare_cached("select created_at from merchant where id = ?1")
        .during(READ)?
        .query_row([id], |row| row.get(0))
        .during(READ)?;
    at(created)
}

/// What the merchant's orders lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything is planned and shown, nothing is written.
    Shadow,
    Live,
    /// Deliveries are kept, nothing is done.
    Paused,
    /// Not even deliveries are taken.
    Closed,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Shadow, Self::Live, Self::Paused, Self::Closed];

    /// As it stands in the database and in the merchant file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Live => "live",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }

    /// The mode of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.word() == word)
    }
}

/// Why a merchant's calls are turned away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Trouble {
    /// Daftra does not accept the key.
    Credential { text: String },
    /// The address answers with a redirect: the key is not sent on.
    Redirect,
    /// The address answers with a page instead of data.
    Html,
    /// Another account answers at the same address.
    OtherSite { known: String, found: String },
}

const COLUMNS: &str =
    "id, slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, trouble, not_before";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Merchant, Error>> {
    let (mode, rules): (String, String) = (row.get(7)?, row.get(9)?);
    let (live_from, not_before): (Option<i64>, i64) = (row.get(8)?, row.get(11)?);
    let trouble: Option<String> = row.get(10)?;
    let (id, slug, key, name) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let (shop_domain, account_id, time_zone) = (row.get(4)?, row.get(5)?, row.get(6)?);
    let build = || {
        Ok(Merchant {
            id,
            slug,
            key,
            name,
            shop_domain,
            account_id,
            time_zone,
            mode: word("read a merchant's mode", &mode, Mode::parse(&mode))?,
            live_from: maybe_at(live_from)?,
            rules: from_json("read a merchant's rules", &rules)?,
            trouble: trouble.map(|text| from_json("read a merchant's trouble", &text)).transpose()?,
            not_before: at(not_before)?,
        })
    };
    Ok(build())
}

/// Every merchant, by slug.
pub fn all(c: &Connection) -> Result<Vec<Merchant>, Error> {
    let sql = format!("select {COLUMNS} from merchant order by slug");
    let mut statement = c.prepare_cached(&sql).during("list merchants")?;
    let rows = statement.query_map([], from_row).during("list merchants")?;
    rows.map(|row| row.during("list merchants")?).collect()
}

/// The merchant of an id.
pub fn get(c: &Connection, id: i64) -> Result<Merchant, Error> {
    let sql = format!("select {COLUMNS} from merchant where id = ?1");
    let mut statement = c.prepare_cached(&sql).during("read a merchant")?;
    statement.query_row([id], from_row).during("read a merchant")?
}

/// The merchant of a slug, if there is one.
pub fn by_slug(c: &Connection, slug: &str) -> Result<Option<Merchant>, Error> {
    let sql = format!("select {COLUMNS} from merchant where slug = ?1");
    let mut statement = c.prepare_cached(&sql).during("find a merchant")?;
    statement.query_row([slug], from_row).optional().during("find a merchant")?.transpose()
}

/// Adds a merchant; its id and key are the database's and the caller's.
pub fn add(tx: &Transaction<'_>, merchant: &Merchant, now: Timestamp) -> Result<i64, Error> {
    tx.execute(
        "insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        (
            &merchant.slug,
            &merchant.key,
            &merchant.name,
            &merchant.shop_domain,
            merchant.account_id,
            &merchant.time_zone,
            merchant.mode.word(),
            merchant.live_from.map(ms),
            to_json(&merchant.rules),
            ms(now),
        ),
    )
    .during("add a merchant")?;
    Ok(tx.last_insert_rowid())
}

/// Writes what a person changed; slug, key and trouble are not theirs to change here.
pub fn change(tx: &Transaction<'_>, merchant: &Merchant) -> Result<(), Error> {
    tx.execute(
        "update merchant set name = ?2, shop_domain = ?3, account_id = ?4, time_zone = ?5, mode = ?6, live_from = ?7,
           rules_version = rules_version + (rules <> ?8), rules = ?8
         where id = ?1",
        (
            merchant.id,
            &merchant.name,
            &merchant.shop_domain,
            merchant.account_id,
            &merchant.time_zone,
            merchant.mode.word(),
            merchant.live_from.map(ms),
            to_json(&merchant.rules),
        ),
    )
    .during("change a merchant")?;
    Ok(())
}

/// Notes trouble and stops this merchant's calls until a time. True if it is new.
pub fn trouble(tx: &Transaction<'_>, id: i64, trouble: &Trouble, until: Timestamp) -> Result<bool, Error> {
    let text = to_json(trouble);
    let was: Option<String> = tx
        .query_row("select trouble from merchant where id = ?1", [id], |row| row.get(0))
        .during("read a merchant's trouble")?;
    tx.execute("update merchant set trouble = ?2, not_before = ?3 where id = ?1", (id, &text, ms(until)))
        .during("note a merchant's trouble")?;
    Ok(was.is_none())
}

/// Trouble that nobody could ask about goes on until a time; a later one is not shortened.
pub fn still_in_trouble(tx: &Transaction<'_>, id: i64, until: Timestamp) -> Result<(), Error> {
    tx.execute(
        "update merchant set not_before = max(not_before, ?2) where id = ?1 and trouble is not null",
        (id, ms(until)),
    )
    .during("note that a merchant's trouble goes on")?;
    Ok(())
}

/// The trouble is over: this merchant's orders may go on at once. True if there was any.
pub fn recovered(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<bool, Error> {
    let changed = tx
        .execute("update merchant set trouble = null, not_before = 0 where id = ?1 and trouble is not null", [id])
        .during("clear a merchant's trouble")?;
    if changed > 0 {
        tx.execute(
            "update job set not_before = 0, due_at = ?2
             where kind = 'order' and merchant_id = ?1 and due_at is not null and running_since is null",
            (id, ms(now)),
        )
        .during("ask a merchant's orders again")?;
    }
    Ok(changed > 0)
}

/// Replaces the vendors a merchant owns in its shop. A vendor of another merchant is a `Unique` constraint error.
pub fn own_vendors(tx: &Transaction<'_>, id: i64, shop_domain: &str, names: &[String]) -> Result<(), Error> {
    tx.execute("delete from vendor where merchant_id = ?1", [id]).during("change a merchant's vendors")?;
    for name in names {
        tx.execute("insert into vendor (shop_domain, name, merchant_id) values (?1, ?2, ?3)", (shop_domain, name, id))
            .during("claim a vendor")?;
    }
    Ok(())
}

/// Who owns vendors in a shop: name and merchant.
pub fn vendors_of_shop(c: &Connection, shop_domain: &str) -> Result<Vec<(String, i64)>, Error> {
    let mut statement = c
        .prepare_cached("select name, merchant_id from vendor where shop_domain = ?1 order by name")
        .during("list a shop's vendors")?;
    let rows = statement.query_map([shop_domain], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.during("list a shop's vendors")?.map(|row| row.during("list a shop's vendors")).collect()
}

/// A sealed secret of a merchant.
#[derive(Clone, Debug)]
pub struct Credential {
    pub merchant_id: i64,
    pub kind: CredentialKind,
    pub slot: Slot,
    pub sealed: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// Signs the webhooks that an app made.
    WebhookSecret,
    /// Signs the webhooks of the shop's notification page.
    StoreKey,
    DaftraKey,
    /// The webhook secret that was replaced or forgotten last. It proves nothing: by it the door tells that a delivery is
    /// still signed with it.
    ForgottenSecret,
    /// Opens the API of the shop.
    ShopToken,
    /// Makes such tokens, together with the client's id.
    ShopClient,
}

impl CredentialKind {
    const ALL: [Self; 6] = [
        Self::WebhookSecret,
        Self::StoreKey,
        Self::DaftraKey,
        Self::ForgottenSecret,
        Self::ShopToken,
        Self::ShopClient,
    ];

    /// As it stands in the database and in the seal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::WebhookSecret => "webhook_secret",
            Self::StoreKey => "store_key",
            Self::DaftraKey => "daftra_key",
            Self::ForgottenSecret => "forgotten_secret",
            Self::ShopToken => "shopify_token",
            Self::ShopClient => "shopify_client",
        }
    }

    /// The kind of a word; kinds of a later version are none of ours.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Two secrets may be live while one is being replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    Current,
    Previous,
}

impl Slot {
    /// As it stands in the database and in the seal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// The sealed secrets of one merchant, or of all.
pub fn credentials(c: &Connection, merchant_id: Option<i64>) -> Result<Vec<Credential>, Error> {
    let mut statement = c
        .prepare_cached(
            "select merchant_id, kind, slot, sealed from credential
             where merchant_id = coalesce(?1, merchant_id) order by merchant_id, kind, slot",
        )
        .during("read credentials")?;
    let rows = statement
        .query_map([merchant_id], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
        })
        .during("read credentials")?;
    let mut all = Vec::new();
    for row in rows {
        let (merchant_id, kind, slot, sealed) = row.during("read credentials")?;
        // Kinds of a later version are not ours to open.
        let Some(kind) = CredentialKind::parse(&kind) else { continue };
        let slot = if slot == Slot::Current.word() { Slot::Current } else { Slot::Previous };
        all.push(Credential { merchant_id, kind, slot, sealed });
    }
    Ok(all)
}

/// Puts a sealed secret into its slot.
pub fn put_credential(tx: &Transaction<'_>, credential: &Credential) -> Result<(), Error> {
    tx.execute(
        "insert into credential (merchant_id, kind, slot, sealed) values (?1, ?2, ?3, ?4)
         on conflict (merchant_id, kind, slot) do update set sealed = excluded.sealed, used_at = null",
        (credential.merchant_id, credential.kind.word(), credential.slot.word(), &credential.sealed),
    )
    .during("store a credential")?;
    Ok(())
}

/// Forgets the secrets of a kind.
pub fn forget_credentials(tx: &Transaction<'_>, merchant_id: i64, kind: CredentialKind) -> Result<(), Error> {
    tx.execute("delete from credential where merchant_id = ?1 and kind = ?2", (merchant_id, kind.word()))
        .during("forget credentials")?;
    Ok(())
}

/// How long the note of a use stands before it is written anew: seldom enough to cost nothing.
const USE_STANDS: SignedDuration = SignedDuration::from_hours(1);

/// Notes that this sealed secret proved a delivery, unless that was noted lately. Of a secret that was replaced meanwhile
/// nothing is noted.
pub fn note_use(tx: &Transaction<'_>, merchant_id: i64, sealed: &[u8], now: Timestamp) -> Result<(), Error> {
    tx.prepare_cached(
        "update credential set used_at = ?3
         where merchant_id = ?1 and sealed = ?2 and (used_at is null or used_at <= ?4)",
    )
    .during("note the use of a secret")?
    .execute((merchant_id, sealed, ms(now), ms(now - USE_STANDS)))
    .during("note the use of a secret")?;
    Ok(())
}

/// When the secret in each slot of a kind last proved a delivery, to the hour.
pub fn uses(c: &Connection, merchant_id: i64, kind: CredentialKind) -> Result<Vec<(Slot, Timestamp)>, Error> {
    const READ: &str = "read when secrets were used";
    let mut statement = c
        .prepare_cached(
            "select slot, used_at from credential where merchant_id = ?1 and kind = ?2 and used_at is not null",
        )
        .during(READ)?;
    let rows = statement
        .query_map((merchant_id, kind.word()), |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .during(READ)?;
    rows.map(|row| {
        let (slot, used_at) = row.during(READ)?;
        Ok((if slot == Slot::Current.word() { Slot::Current } else { Slot::Previous }, at(used_at)?))
    })
    .collect()
}

/// The secret in this slot was used before it came there.
pub fn was_used(
    tx: &Transaction<'_>,
    merchant_id: i64,
    kind: CredentialKind,
    slot: Slot,
    used_at: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "update credential set used_at = ?4 where merchant_id = ?1 and kind = ?2 and slot = ?3",
        (merchant_id, kind.word(), slot.word(), ms(used_at)),
    )
    .during("keep when a secret was used")?;
    Ok(())
}

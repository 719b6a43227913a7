//! Tokens with which scripts speak for a user. Only a hash is kept: a token of 256 random bits needs no slow one.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::convert::{at, maybe_at, ms, word};
use super::sight::Sight;
use super::user::{self, Role, User};
use super::{Context as _, Error};

/// So often it is noted that a token is in use; a script that asks every second writes no more than one that asks daily.
const NOTED: SignedDuration = SignedDuration::from_hours(1);

/// A token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: i64,
    /// The name of the user for whom it speaks.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// It may do no more than this, and never more than its user.
    pub role: Role,
    /// It sees this merchant only; none: what its user sees.
    pub merchant_id: Option<i64>,
    /// The slug of that merchant.
    pub merchant: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// To the hour.
    pub used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Neither revoked nor too old.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// Whether this use is worth a note.
    #[must_use]
    pub fn is_news(&self, now: Timestamp) -> bool {
        self.used_at.is_none_or(|used| now.duration_since(used) >= NOTED)
    }
}

/// A token as it is made.
#[derive(Clone, Debug)]
pub struct New<'a> {
    pub user_id: i64,
    pub name: &'a str,
    pub hash: [u8; 32],
    pub role: Role,
    pub merchant_id: Option<i64>,
    pub expires_at: Timestamp,
}

const SELECT: &str = "select t.id, u.name, t.name, t.role, t.merchant_id, m.slug,
  t.created_at, t.expires_at, t.used_at, t.revoked_at
  from token t join user u on u.id = t.user_id left join merchant m on m.id = t.merchant_id";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<Token, Error>> {
    let (id, user, name) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let role: String = row.get(3)?;
    let (merchant_id, merchant) = (row.get(4)?, row.get(5)?);
    let (created_at, expires_at): (i64, i64) = (row.get(6)?, row.get(7)?);
    let (used_at, revoked_at): (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
    let build = || {
        let role = word("read a token", &role, Role::parse(&role))?;
        let (created_at, expires_at) = (at(created_at)?, at(expires_at)?);
        let (used_at, revoked_at) = (maybe_at(used_at)?, maybe_at(revoked_at)?);
        Ok(Token { id, user, name, role, merchant_id, merchant, created_at, expires_at, used_at, revoked_at })
    };
    Ok(build())
}

fn by_hash(c: &Connection, hash: &[u8; 32]) -> Result<Option<Token>, Error> {
    const FIND: &str = "find a token";
    let mut statement = c.prepare_cached(&format!("{SELECT} where t.hash = ?1")).during(FIND)?;
    statement.query_row([hash], from_row).optional().during(FIND)?.transpose()
}

/// The user for whom a good token speaks, with no more than both may do and see.
pub fn speaker(c: &Connection, hash: &[u8; 32], now: Timestamp) -> Result<Option<(Token, User)>, Error> {
    let Some(token) = by_hash(c, hash)?.filter(|token| token.is_good(now)) else { return Ok(None) };
    let Some(user) = user::by_name(c, &token.user)?.filter(|user| user.disabled_at.is_none()) else { return Ok(None) };
    let scope = token.merchant_id.map_or_else(|| user.scope.clone(), |id| user.scope.narrowed(id));
    let user = User { role: user.role.min(token.role), scope, ..user };
    Ok(Some((token, user)))
}

/// The token of our own id.
pub fn get(c: &Connection, id: i64) -> Result<Option<Token>, Error> {
    const FIND: &str = "find a token by its number";
    let mut statement = c.prepare_cached(&format!("{SELECT} where t.id = ?1")).during(FIND)?;
    statement.query_row([id], from_row).optional().during(FIND)?.transpose()
}

/// The tokens of a user that were not revoked, newest first.
pub fn of_user(c: &Connection, user_id: i64) -> Result<Vec<Token>, Error> {
    list(c, "where t.user_id = ?1 and t.revoked_at is null order by t.id desc", Some(user_id))
}

/// Everybody's tokens that were not revoked, newest first.
pub fn all(c: &Connection) -> Result<Vec<Token>, Error> {
    list(c, "where t.revoked_at is null and ?1 is null order by t.id desc", None)
}

fn list(c: &Connection, which: &str, user_id: Option<i64>) -> Result<Vec<Token>, Error> {
    const LIST: &str = "list tokens";
    let mut statement = c.prepare_cached(&format!("{SELECT} {which}")).during(LIST)?;
    let rows = statement.query_map([user_id], from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
}

impl Sight<'_> {
    /// The tokens that somebody made for scripts of their own.
    pub fn tokens(&self, user_id: i64) -> Result<Vec<Token>, Error> {
        of_user(self.connection(), user_id)
    }

    /// How many good tokens each user has. For those who see all.
    pub fn good_tokens(&self, now: Timestamp) -> Result<BTreeMap<i64, i64>, Error> {
        const COUNT: &str = "count tokens";
        self.only_whole()?;
        let mut statement = self
            .connection()
            .prepare_cached(
                "select id, (select count(*) from token indexed by token_by_user
                   where user_id = user.id and revoked_at is null and expires_at > ?1)
                 from user order by name",
            )
            .during(COUNT)?;
        let rows = statement.query_map([ms(now)], |row| Ok((row.get(0)?, row.get(1)?))).during(COUNT)?;
        rows.map(|row| row.during(COUNT)).collect()
    }
}

/// Keeps a new one.
pub fn add(tx: &Transaction<'_>, token: &New<'_>, now: Timestamp) -> Result<i64, Error> {
    let New { user_id, name, hash, role, merchant_id, expires_at } = token;
    tx.execute(
        "insert into token (user_id, name, hash, role, merchant_id, created_at, expires_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (user_id, name, hash, role.word(), merchant_id, ms(now), ms(*expires_at)),
    )
    .during("add a token")?;
    Ok(tx.last_insert_rowid())
}

/// From now on it opens nothing.
pub fn revoke(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<(), Error> {
    tx.execute("update token set revoked_at = ?2 where id = ?1", (id, ms(now))).during("revoke a token")?;
    Ok(())
}

/// From now on no token of a user opens anything. The names of those that did, by number.
pub fn revoke_all(tx: &Transaction<'_>, user_id: i64, now: Timestamp) -> Result<Vec<String>, Error> {
    const REVOKE: &str = "revoke the tokens of a user";
    let mut live = of_user(tx, user_id)?;
    live.retain(|token| token.is_good(now));
    tx.execute("update token set revoked_at = ?2 where user_id = ?1 and revoked_at is null", (user_id, ms(now)))
        .during(REVOKE)?;
    Ok(live.into_iter().rev().map(|token| token.name).collect())
}

/// It was used.
pub fn used(tx: &Transaction<'_>, id: i64, now: Timestamp) -> Result<(), Error> {
    tx.execute("update token set used_at = max(coalesce(used_at, 0), ?2) where id = ?1", (id, ms(now)))
        .during("note that a token was used")?;
    Ok(())
}

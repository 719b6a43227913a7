//! People who may sign in.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{maybe_at, ms, word};
use super::{Context as _, Error};

/// A person with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub name: String,
    /// argon2id, PHC string.
    pub password: String,
    pub role: Role,
    pub disabled_at: Option<Timestamp>,
}

/// What a person may do; each role includes the ones below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Operator,
    Owner,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Owner];

    /// As it stands in the database and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == text)
    }
}

type Raw = (i64, String, String, String, Option<i64>);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

fn build((id, name, password, role, disabled_at): Raw) -> Result<User, Error> {
    let role = word("read a user", &role, Role::parse(&role))?;
    Ok(User { id, name, password, role, disabled_at: maybe_at(disabled_at)? })
}

/// The user of a name.
pub fn by_name(c: &Connection, name: &str) -> Result<Option<User>, Error> {
    c.prepare_cached("select id, name, password, role, disabled_at from user where name = ?1")
        .during("find a user")?
        .query_row([name], raw)
        .optional()
        .during("find a user")?
        .map(build)
        .transpose()
}

/// Every user, by name.
pub fn all(c: &Connection) -> Result<Vec<User>, Error> {
    let mut statement = c
        .prepare_cached("select id, name, password, role, disabled_at from user order by name")
        .during("list users")?;
    let rows = statement.query_map([], raw).during("list users")?;
    rows.map(|row| build(row.during("list users")?)).collect()
}

/// Adds a user. A name that is taken is a `Unique` constraint error.
pub fn add(tx: &Transaction<'_>, name: &str, password: &str, role: Role, now: Timestamp) -> Result<i64, Error> {
    tx.execute(
        "insert into user (name, password, role, created_at) values (?1, ?2, ?3, ?4)",
        (name, password, role.word(), ms(now)),
    )
    .during("add a user")?;
    Ok(tx.last_insert_rowid())
}

/// Changes a password. False if there is no such user.
pub fn set_password(tx: &Transaction<'_>, name: &str, password: &str) -> Result<bool, Error> {
    let changed =
        tx.execute("update user set password = ?2 where name = ?1", (name, password)).during("change a password")?;
    Ok(changed > 0)
}

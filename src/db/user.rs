//! People who may sign in.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};

use super::convert::{from_json, maybe_at, ms, word};
use super::scope::Scope;
use super::{Context as _, Error};

/// A person with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: i64,
    pub name: String,
    /// argon2id, PHC string.
    pub password: String,
    pub role: Role,
    /// The tag of a language; none: what the browser asks for.
    pub language: Option<String>,
    pub scope: Scope,
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

const COLUMNS: &str = "id, name, password, role, language, disabled_at,
    iif(limited, (select json_group_array(merchant_id) from user_merchant where user_id = user.id), null)";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Result<User, Error>> {
    let (id, name, password, language) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(4)?);
    let (role, disabled_at): (String, Option<i64>) = (row.get(3)?, row.get(5)?);
    let only: Option<String> = row.get(6)?;
    let build = || {
        let role = word("read a user", &role, Role::parse(&role))?;
        let only = only.map(|ids| from_json("read a user's merchants", &ids)).transpose()?;
        let scope = only.map_or(Scope::All, Scope::Only);
        Ok(User { id, name, password, role, language, scope, disabled_at: maybe_at(disabled_at)? })
    };
    Ok(build())
}

/// The user of a name.
pub fn by_name(c: &Connection, name: &str) -> Result<Option<User>, Error> {
    const FIND: &str = "find a user";
    let sql = format!("select {COLUMNS} from user where name = ?1");
    let mut statement = c.prepare_cached(&sql).during(FIND)?;
    statement.query_row([name], from_row).optional().during(FIND)?.transpose()
}

/// Every user, by name.
pub fn all(c: &Connection) -> Result<Vec<User>, Error> {
    const LIST: &str = "list users";
    let sql = format!("select {COLUMNS} from user order by name");
    let mut statement = c.prepare_cached(&sql).during(LIST)?;
    let rows = statement.query_map([], from_row).during(LIST)?;
    rows.map(|row| row.during(LIST)?).collect()
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

/// The language somebody reads, from now on; none: what the browser asks for.
pub fn set_language(tx: &Transaction<'_>, id: i64, language: Option<&str>) -> Result<(), Error> {
    tx.execute("update user set language = ?2 where id = ?1", (id, language)).during("change a language")?;
    Ok(())
}

/// What somebody may do and see, from the next request on.
pub fn set_rights(tx: &Transaction<'_>, id: i64, role: Role, scope: &Scope) -> Result<(), Error> {
    const SET: &str = "change a user's rights";
    let only = match scope {
        Scope::All => None,
        Scope::Only(merchants) => Some(merchants),
    };
    tx.execute("update user set role = ?2, limited = ?3 where id = ?1", (id, role.word(), only.is_some()))
        .during(SET)?;
    tx.execute("delete from user_merchant where user_id = ?1", [id]).during(SET)?;
    for merchant_id in only.into_iter().flatten() {
        tx.execute("insert into user_merchant (user_id, merchant_id) values (?1, ?2)", (id, merchant_id))
            .during(SET)?;
    }
    Ok(())
}

/// Lets somebody in no longer, or again.
pub fn disable(tx: &Transaction<'_>, id: i64, since: Option<Timestamp>) -> Result<(), Error> {
    tx.execute("update user set disabled_at = ?2 where id = ?1", (id, since.map(ms))).during("disable a user")?;
    Ok(())
}

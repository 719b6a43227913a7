//! Makes a new database, brings an old one up to date, refuses one that is not ours or newer than this program.
//!
//! Rules for a migration: append it to the list and change schema.sql in the same commit; never edit or remove one that
//! was released; the previous version's rows must survive it. All that are due run in one transaction with foreign keys
//! off (so that tables can be rebuilt) and checked at its end, after a copy of the file was put beside it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, MAIN_DB, TransactionBehavior, backup};

use super::{Context, Error};

/// "Qant" in the header of the file: tells our databases from everybody else's.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Qant");

/// The schema of this version of the program.
pub const TODAY: Schema<'static> = Schema { create: include_str!("../../schema.sql"), migrations: &[] };

/// Two roads to the same tables.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    /// Makes them from nothing.
    pub create: &'a str,
    /// Make them from version 1: the first leads to version 2, and so on.
    pub migrations: &'a [&'a str],
}

/// What an acceptable file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// The tables of this version, which is ours or an earlier one.
    Version(u32),
}

impl Schema<'_> {
    /// The version this schema is at; kept in the file as `user_version`.
    pub(crate) fn version(&self) -> u32 {
        self.numbered().last().map_or(1, |(version, _)| version)
    }

    /// Looks without touching anything.
    pub(crate) fn look_at(&self, connection: &Connection, path: &Path) -> Result<Found, Error> {
        let (application, version, tables) = connection
            .query_row(
                "select application_id, user_version, (select count(*) from sqlite_schema)
                 from pragma_application_id, pragma_user_version",
                [],
                |row| Ok((row.get::<_, i32>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?)),
            )
            .during("read what kind of file the database is")?;
        match (application, version, tables) {
            (0, 0, 0) => Ok(Found::Empty),
            (APPLICATION_ID, found, _) if found > self.version() => {
                Err(Error::Newer { path: path.to_owned(), found, ours: self.version() })
            }
            (APPLICATION_ID, 1.., _) => Ok(Found::Version(version)),
            _ => {
                let why = "it is another program's database: choose another data folder".to_owned();
                Err(Error::Unusable { path: path.to_owned(), why })
            }
        }
    }

    /// Creates or migrates, whichever is due. Either all of it happens or nothing.
    pub fn bring_up(&self, connection: &mut Connection, path: &Path) -> Result<(), Error> {
        let ours = self.version();
        match self.look_at(connection, path)? {
            Found::Version(version) if version == ours => return Ok(()),
            Found::Version(_) => back_up(connection, &copy_before(path, ours))?,
            Found::Empty => {}
        }
        connection.pragma_update(None, "foreign_keys", "off").during("prepare the database")?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).during("prepare the database")?;
        // Asked again, because only now nobody else can be doing the same.
        match self.look_at(&tx, path)? {
            Found::Empty => {
                tx.execute_batch(self.create).during("create the tables")?;
                tx.pragma_update(None, "application_id", APPLICATION_ID).during("create the tables")?;
            }
            Found::Version(found) => {
                for (_, migration) in self.numbered().filter(|(version, _)| *version > found) {
                    tx.execute_batch(migration).during("migrate the database")?;
                }
            }
        }
        refuse_loose_ends(&tx, path)?;
        tx.pragma_update(None, "user_version", ours).during("prepare the database")?;
        tx.commit().during("prepare the database")?;
        connection.pragma_update(None, "foreign_keys", "on").during("prepare the database")
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, &str)> {
        (2..).zip(self.migrations.iter().copied())
    }
}

/// The copy that is made of `qantara.db` before it becomes version 7: `qantara.db.before-v7`.
pub fn copy_before(path: &Path, version: u32) -> PathBuf {
    path.with_added_extension(format!("before-v{version}"))
}

fn refuse_loose_ends(connection: &Connection, path: &Path) -> Result<(), Error> {
    let loose: Option<String> = connection
        .query_row("select min(\"table\") from pragma_foreign_key_check", [], |row| row.get(0))
        .during("check the foreign keys")?;
    match loose {
        None => Ok(()),
        Some(table) => {
            let why = format!(
                "a row of {table} refers to one that is not there, so it was not migrated and is unchanged: \
                 go back to the version before this one and report it"
            );
            Err(Error::Unusable { path: path.to_owned(), why })
        }
    }
}

/// Copies a database while it is in use: under another name first, checked, then renamed. A file that has the final
/// name is therefore a whole one.
pub(crate) fn back_up(from: &Connection, to: &Path) -> Result<(), Error> {
    let part = to.with_added_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::file(&part)(error)),
        Ok(()) | Err(_) => {}
    }
    from.backup(MAIN_DB, &part, backup::NO_PROGRESS).during("copy the database")?;
    #[expect(clippy::disallowed_methods, reason = "a copy is not the live database: it gets none of its settings")]
    let copy = Connection::open(&part).during("open the copy of the database")?;
    // Out of WAL mode: one file, which can be moved by itself.
    let verdict: String = copy
        .pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
        .and_then(|()| copy.query_row("pragma quick_check(1)", [], |row| row.get(0)))
        .during("check the copy of the database")?;
    if verdict != "ok" {
        return Err(Error::Unusable { path: part, why: format!("the copy is damaged, as is its source: {verdict}") });
    }
    copy.close().map_err(|(_, error)| error).during("close the copy of the database")?;
    fs::rename(&part, to).map_err(Error::file(to))?;
    // The name must survive a power cut as the content does.
    let folder = to.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))
}

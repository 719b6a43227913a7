//! Whether a database file is whole: its pages, its references, its schema, and the audit that seals itself row by row.
//!
//! Everything that is wrong is found in one go, as far as what is damaged lets anybody look. Nothing is repaired and
//! nothing written. What the master key opens is looked at in `engine::seals`, for keys are none of this module's.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::Serialize;

use super::schema::{Found, TODAY};
use super::{BUSY_TIMEOUT, Context as _, Error, audit, setting};

/// What is in a database, and what is wrong with it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Of its schema; 0 if it has none.
    pub version: u32,
    pub bytes: i64,
    /// Until when a server worked with it.
    pub alive_at: Option<Timestamp>,
    pub merchants: i64,
    pub orders: i64,
    pub documents: i64,
    pub deliveries: i64,
    pub deeds: i64,
    /// Empty: it is good.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The same in every version.
    pub code: Code,
    /// In words.
    pub what: String,
}

/// The kinds of what can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// SQLite cannot read all of it.
    Damaged,
    /// Another program's, or a later version's.
    Foreign,
    /// A row refers to one that is not there.
    LooseEnd,
    /// A table, index, view or trigger is missing, too many, or other than it should be.
    Schema,
    /// The audit was changed afterwards.
    Audit,
    /// Something sealed does not open with the master key.
    Sealed,
    /// There is no master key to try.
    Untried,
}

/// Lines that SQLite may say of one damaged file.
const MOST_FINDINGS: u32 = 20;

impl Finding {
    /// Says what is wrong.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Opens a file that is no server's to look into it.
pub fn open(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).during("open the file")?;
    connection.busy_timeout(BUSY_TIMEOUT).during("open the file")?;
    // What the file itself brings along (views, triggers, checks) calls nothing that could do harm.
    connection.pragma_update(None, "trusted_schema", "off").during("open the file")?;
    Ok(connection)
}

/// Looks at all of a database. An error means that it could not be looked at; what is wrong with it is in the report.
pub fn examine(c: &Connection, path: &Path) -> Result<Report, Error> {
    let mut report = Report::default();
    match report.fill(c, path) {
        Err(Error::Sqlite { cause, .. }) if is_damage(&cause) => report.find(Code::Damaged, cause.to_string()),
        Err(Error::Unreadable { context, why }) => {
            report.find(Code::Damaged, format!("Cannot {context}: a row is unreadable: {why}"));
        }
        Err(Error::Unusable { why, .. }) => report.find(Code::Foreign, why),
        Err(Error::Newer { found, ours, .. }) => {
            let what = format!(
                "it was written by a newer version of qantara (its schema is {found}, this program knows {ours}): \
                 use that version"
            );
            report.find(Code::Foreign, what);
        }
        looked => looked?,
    }
    Ok(report)
}

/// For a copy that counts only when nothing is wrong with it.
pub fn demand(c: &Connection, path: &Path) -> Result<Report, Error> {
    let report = examine(c, path)?;
    match report.findings.first() {
        None => Ok(report),
        Some(finding) => Err(Error::Damaged(finding.to_string())),
    }
}

impl Report {
    fn find(&mut self, code: Code, what: impl Into<String>) {
        self.findings.push(Finding::new(code, what));
    }

    fn fill(&mut self, c: &Connection, path: &Path) -> Result<(), Error> {
        const COUNT: &str = "count what is in the database";
        match TODAY.look_at(c, path)? {
            Found::Version(version) => self.version = version,
            Found::Empty => {
                self.find(Code::Foreign, "it is empty");
                return Ok(());
            }
        }
        self.bytes = c
            .query_row("select page_count * page_size from pragma_page_count, pragma_page_size", [], |row| row.get(0))
            .during(COUNT)?;
        self.check_pages(c)?;
        self.check_references(c)?;
        match TODAY.differences(c, path) {
            Ok(names) => names.into_iter().for_each(|name| {
                self.find(Code::Schema, format!("{name} is not as version {} has it", self.version));
            }),
            Err(error) => self.find(Code::Schema, format!("its schema cannot be brought up to date: {error}")),
        }
        if let Some(id) = audit::first_broken(c)? {
            self.find(Code::Audit, format!("row {id} of the audit, or one before it, was changed afterwards"));
        }
        let count = |table| c.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).during(COUNT);
        self.merchants = count("merchant")?;
        self.orders = count("orders")?;
        self.documents = count("document")?;
        self.deliveries = count("delivery")?;
        self.deeds = count("audit")?;
        self.alive_at = setting::time(c, setting::HEARTBEAT)?;
        Ok(())
    }

    fn check_pages(&mut self, c: &Connection) -> Result<(), Error> {
        const CHECK: &str = "check the database";
        let mut statement = c.prepare(&format!("pragma integrity_check({MOST_FINDINGS})")).during(CHECK)?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0)).during(CHECK)?;
        for line in lines {
            let line = line.during(CHECK)?;
            if line != "ok" {
                self.find(Code::Damaged, line);
            }
        }
        Ok(())
    }

    fn check_references(&mut self, c: &Connection) -> Result<(), Error> {
        const CHECK: &str = "check the references";
        let mut statement = c
            .prepare("select \"table\", parent, count(*) from pragma_foreign_key_check group by 1, 2")
            .during(CHECK)?;
        let loose = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).during(CHECK)?;
        for row in loose {
            let (table, parent, rows): (String, String, i64) = row.during(CHECK)?;
            self.find(Code::LooseEnd, format!("{rows} rows of {table} refer to rows of {parent} that are not there"));
        }
        Ok(())
    }
}

/// What SQLite says of a file that is broken, and not of one that it may not read.
fn is_damage(cause: &rusqlite::Error) -> bool {
    let code = cause.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

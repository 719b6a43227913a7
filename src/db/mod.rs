//! The database: one SQLite file, one thread that writes, any number that read.
//!
//! Invariants: whatever `write` acknowledged survives a power cut; a `read` sees one moment, however many selects it
//! makes; every connection is set up by `configure`, so the rules of schema.sql hold on all of them.
//!
//! Not here: time and chance (callers pass them), retries on a locked file (with one writer there is nothing to retry),
//! and SQL, which lives in the files beside this one, a function per question.

pub mod account;
pub mod act;
pub mod alert;
pub mod archive;
pub mod audit;
pub mod backup;
pub mod browse;
pub mod class;
pub mod condition;
mod convert;
mod cut_over;
pub mod data_key;
pub mod delivery;
pub mod document;
pub mod examination;
mod file;
pub mod gauge;
pub mod held;
pub mod inbox;
pub mod job;
pub mod leave;
pub mod lock;
pub mod log;
pub mod mail;
pub mod merchant;
pub mod namesake;
pub mod notice;
pub mod order;
pub mod privacy;
pub mod product;
pub mod pulse;
pub mod rejection;
pub mod restore;
pub mod ruling;
pub mod schema;
pub mod scope;
pub mod sealed;
pub mod seen;
pub mod setting;
pub mod shop_api;
pub mod sight;
pub mod statement;
pub mod tally;
pub mod token;
pub mod trim;
pub mod user;
pub mod variant;
pub mod verify;
pub mod watch;
pub mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, fs, io};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi};

use writer::{Full, OnCommit, Pending, Writer};

/// The name of the database inside the data folder.
pub const FILE: &str = "qantara.db";

/// How long a connection waits for a lock which another process holds (a shell, a backup).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read waits for one of the reading connections to come free.
const READER_TIMEOUT: Duration = Duration::from_secs(5);
/// More than the statements of the hot paths, so that none is parsed twice.
const STATEMENTS_KEPT: usize = 128;

/// The open database. Dropping it finishes what was posted, checkpoints and closes the file.
pub struct Db {
    readers: r2d2::Pool<Readers>, // first, so that nobody reads any more when the writer takes its last checkpoint
    writer: Writer,
    path: PathBuf,
}

/// What differs between the product and a test.
pub struct Options {
    /// Reading connections at most; each is opened when it is first needed.
    pub readers: u32,
    /// Told by the writer around each commit. A simulation copies the folder here and so has every crash there can be.
    pub on_commit: OnCommit,
}

impl Default for Options {
    fn default() -> Self {
        Options { readers: 16, on_commit: Box::new(|_, _| {}) }
    }
}

impl Db {
    /// Opens the database of a data folder; makes it when it is not there, brings it up to date when it is older.
    pub fn open(folder: &Path) -> Result<Db, Error> {
        Db::open_with(folder, Options::default())
    }

    /// As `open`, with other settings than the product's.
    pub fn open_with(folder: &Path, options: Options) -> Result<Db, Error> {
        if !folder.is_dir() {
            let why = "there is no such folder: create it, owned by the user this program runs as".to_owned();
            return Err(Error::Unusable { path: folder.to_owned(), why });
        }
        let path = folder.join(FILE);
        let mut connection = open_to_write(&path)?;
        schema::TODAY.bring_up(&mut connection, &path)?;
        Db::start(connection, path, options)
    }

    /// Opens the database beside a server that works with it, perhaps one of an earlier version: an older one is
    /// refused and not brought up to date.
    pub fn open_as_it_is(folder: &Path) -> Result<Db, Error> {
        let path = folder.join(FILE);
        let mut connection = open_to_write(&path)?;
        match schema::TODAY.look_at(&connection, &path)? {
            schema::Found::Version(found) if found < schema::TODAY.version() => {
                return Err(Error::Older { path, found, ours: schema::TODAY.version() });
            }
            schema::Found::Version(_) => {}
            schema::Found::Empty => schema::TODAY.bring_up(&mut connection, &path)?,
        }
        Db::start(connection, path, Options::default())
    }

    fn start(connection: Connection, path: PathBuf, options: Options) -> Result<Db, Error> {
        let folder = file::folder_of(&path).to_owned();
        let readers = r2d2::Pool::builder()
            .max_size(options.readers)
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(READER_TIMEOUT)
            .error_handler(Box::new(r2d2::NopErrorHandler)) // the error reaches the one who waits
            .build_unchecked(Readers { path: path.clone() });
        let writer = Writer::start(connection, options.on_commit).map_err(|error| Error::Unusable {
            path: folder,
            why: format!("the writer's thread cannot start: {error}"),
        })?;
        Ok(Db { readers, writer, path })
    }

    /// Where the database lies.
    pub fn folder(&self) -> &Path {
        file::folder_of(&self.path)
    }

    /// How many bytes the database has on the disk, and how many its log of changes, which is taken into it now and then.
    pub fn sizes(&self) -> Result<[u64; 2], Error> {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        let size = |path: &Path| fs::metadata(path).map(|file| file.len()).map_err(Error::file(path));
        Ok([size(&self.path)?, size(Path::new(&wal))?])
    }

    /// Takes the log of changes into the database and empties it: what was taken away stands in neither afterwards. False:
    /// somebody was reading from the log all the time.
    pub fn empty_log(&self) -> Result<bool, Error> {
        let connection = self.readers.get().map_err(|error| Error::NoReader(error.to_string()))?;
        let is_busy: bool = connection
            .query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))
            .during("take the log into the database")?;
        Ok(!is_busy)
    }

    /// Asks the database. All selects of one call see the same moment.
    pub fn read<T>(&self, question: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let connection = self.readers.get().map_err(|error| Error::NoReader(error.to_string()))?;
        let moment = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred).during("begin to read")?;
        question(&moment)
    }

    /// Changes the database and returns when the change is on the disk. Waits; not for threads that serve sockets, nor
    /// from within another change, which would wait for itself.
    pub fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.writer.write(change)
    }

    /// Hands a change over without waiting. What comes back can be awaited; dropping it does not recall the change.
    pub fn post<T, F>(&self, change: F) -> Result<Pending<T>, Full>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.writer.post(change)
    }
}

fn open_to_write(path: &Path) -> Result<Connection, Error> {
    // SQLite would leave a new file to the umask; its side files take after it.
    match file::create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::file(path)(error)),
        Ok(_) | Err(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).during("open the database")?;
    schema::TODAY.look_at(&connection, path)?; // a file that is not ours stays as it is, down to its journal mode
    configure(&connection, path)?;
    Ok(connection)
}

/// The settings of every connection; a reader adds `query_only`.
fn configure(connection: &Connection, path: &Path) -> Result<(), Error> {
    let set = |name, value: &str| connection.pragma_update(None, name, value).during("configure a connection");
    connection.busy_timeout(BUSY_TIMEOUT).during("configure a connection")?;
    let journal: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .during("configure a connection")?;
    if journal != "wal" {
        let why = format!("its file system allows only journal mode '{journal}': use a local disk");
        return Err(Error::Unusable { path: path.to_owned(), why });
    }
    set("synchronous", "full")?; // an acknowledged delivery survives a power cut; 'normal' may lose the last commits
    set("foreign_keys", "on")?;
    set("secure_delete", "on")?; // what was taken away is overwritten: a customer who is forgotten is not in the file
    set("temp_store", "memory")?;
    set("trusted_schema", "off")?;
    // Else a kept statement is compiled anew where a value of 0 or 1 might speak for another plan: the first merchant's id does.
    let plans = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
    plans.during("configure a connection")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// Opens the reading connections for r2d2.
struct Readers {
    path: PathBuf,
}

impl r2d2::ManageConnection for Readers {
    type Connection = Connection;
    type Error = Error;

    fn connect(&self) -> Result<Connection, Error> {
        // WAL readers write to the shared index, hence READ_WRITE. No CREATE: a vanished file is an error, not a new
        // and empty ledger.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).during("open the database to read")?;
        configure(&connection, &self.path)?;
        connection.pragma_update(None, "query_only", "on").during("configure a connection")?;
        Ok(connection)
    }

    fn is_valid(&self, _: &mut Connection) -> Result<(), Error> {
        Ok(()) // there is no peer that could have hung up
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

/// What can go wrong, a variant per reaction. Cheap to clone: a failed commit is told to everybody in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing was done: answer 503, or come again.
    #[error("The database has as many changes waiting as it accepts: try again in a moment")]
    Full,
    /// Nothing was read: come again.
    #[error("No connection for reading came free in time: {0}")]
    NoReader(String),
    /// The program is ending; whether the change was made is unknown.
    #[error("The writer ended before it answered")]
    Stopped,
    /// Refuse to start: the file belongs to a later version.
    #[error(
        "{} was written by a newer version (its schema is {found}, this program knows {ours}): \
         install that version again, or go back to {}, the copy it made before its first change",
        path.display(),
        schema::copy_before(path, *found).display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The latest this program knows.
        ours: u32,
    },
    /// Refuse to look: only the server, or a command that keeps it out, brings the file up to date.
    #[error(
        "{} is of an earlier version (its schema is {found}, this program's {ours}): start the server, which keeps a \
         copy and brings it up to date; a server that still runs is the earlier version and wants a restart",
        path.display()
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The latest this program knows.
        ours: u32,
    },
    /// A copy of a database does not count, for something is wrong with it.
    #[error("The copy is no good, as is its source: {0}; see all that is wrong with qantara verify")]
    Damaged(String),
    /// A copy was not finished, because the program is ending.
    #[error("The program is ending: the copy was given up")]
    GivenUp,
    /// Refuse to start: a person must look at the folder.
    #[error("{} cannot be used: {why}", path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// Refuse to start: another server works on this folder.
    #[error(
        "Another server{} works on {}: stop it first, or choose another data folder",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        folder.display()
    )]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// Who holds it, if that could be read.
        pid: Option<u32>,
    },
    /// The schema refused the row.
    #[error("Cannot {context}: {rule} constraint {name}")]
    Constraint {
        /// The statement, as given to `during`.
        context: &'static str,
        /// The kind of rule.
        rule: Rule,
        /// SQLite's name of it: the columns of a unique or not null, the name or text of a check.
        name: String,
    },
    /// The one row that was asked for is not there.
    #[error("Cannot {context}: no such row")]
    NotFound {
        /// The statement, as given to `during`.
        context: &'static str,
    },
    /// This one row makes no sense: park it with this text and go on with the others.
    #[error("Cannot {context}: a row is unreadable: {why}")]
    Unreadable {
        /// The statement, as given to `during`.
        context: &'static str,
        /// Which column, and what it held.
        why: String,
    },
    /// The change panicked and was rolled back.
    #[error("A change to the database panicked: {0}")]
    Panicked(String),
    /// Anything else from SQLite (disk full, I/O error, wrong SQL): not known to be done.
    #[error("Cannot {context}: {cause}")]
    Sqlite {
        /// The statement, as given to `during`.
        context: &'static str,
        /// SQLite's words.
        cause: Arc<rusqlite::Error>,
    },
    /// A file beside the database failed.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: Arc<io::Error>,
    },
}

impl Error {
    /// The disk is full.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        matches!(self, Self::Sqlite { cause, .. } if cause.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Error {
        |cause| Error::File { path: path.to_owned(), cause: Arc::new(cause) }
    }
}

impl From<Full> for Error {
    fn from(Full: Full) -> Error {
        Error::Full
    }
}

/// The kinds of rule a row can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A check.
    Check,
    /// A unique index or a primary key: the row is there already.
    Unique,
    /// A reference to a row which is not there, or a row removed that others refer to.
    ForeignKey,
    /// A null where none is allowed.
    NotNull,
    /// A value of the wrong type; tables are strict.
    DataType,
    /// A rule over several rows.
    Trigger,
    /// A kind of rule the schema does not use.
    Other,
}

impl Rule {
    fn from_extended_code(code: std::ffi::c_int) -> Rule {
        match code {
            ffi::SQLITE_CONSTRAINT_CHECK => Rule::Check,
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                Rule::Unique
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Rule::ForeignKey,
            ffi::SQLITE_CONSTRAINT_NOTNULL => Rule::NotNull,
            ffi::SQLITE_CONSTRAINT_DATATYPE => Rule::DataType,
            ffi::SQLITE_CONSTRAINT_TRIGGER => Rule::Trigger,
            _ => Rule::Other,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Check => "check",
            Rule::Unique => "unique",
            Rule::ForeignKey => "foreign key",
            Rule::NotNull => "not null",
            Rule::DataType => "type",
            Rule::Trigger => "trigger",
            Rule::Other => "unknown",
        })
    }
}

/// Says which statement failed: `.during("store a delivery")` reads "Cannot store a delivery: …".
pub trait Context<T> {
    /// Turns SQLite's error into ours.
    fn during(self, context: &'static str) -> Result<T, Error>;
}

impl<T> Context<T> for rusqlite::Result<T> {
    fn during(self, context: &'static str) -> Result<T, Error> {
        use rusqlite::Error as Cause;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "rusqlite's list is open; its other errors get one reaction"
        )]
        self.map_err(|cause| match &cause {
            Cause::SqliteFailure(code, text) if code.code == ErrorCode::ConstraintViolation => {
                let rule = Rule::from_extended_code(code.extended_code);
                let text = text.as_deref().unwrap_or_default();
                let name = text.split_once(" constraint failed: ").map_or(text, |(_, name)| name).to_owned();
                Error::Constraint { context, rule, name }
            }
            Cause::QueryReturnedNoRows => Error::NotFound { context },
            Cause::FromSqlConversionFailure(..)
            | Cause::IntegralValueOutOfRange(..)
            | Cause::InvalidColumnType(..)
            | Cause::Utf8Error(..) => Error::Unreadable { context, why: cause.to_string() },
            _ => Error::Sqlite { context, cause: Arc::new(cause) },
        })
    }
}

//! A copy of a database while it is in use: a whole file, checked, on the disk and private, or no file of that name.
//!
//! - The copy shows one moment. SQLite begins a copy anew whenever another connection writes, so on a busy server it
//!   would never end; a reading transaction held from the first page to the last prevents that. Nobody waits for it:
//!   what is written meanwhile stays in the log beside the database, which grows by so much until the copy is done.
//! - It comes in steps of a mebibyte. Each is on the disk before the next begins: a large pile that the system would
//!   write at once would keep the writer's own commits waiting. Between two steps the caller decides how long to rest.
//! - It is written under another name and gets its own when it was checked, so a copy that has its name is good.
//!
//! When to make copies and which to delete is decided in `engine::backup`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, MAIN_DB, Transaction, TransactionBehavior};

use super::{Context as _, Error, file};

/// Asked after each step, and now and then while the copy is checked; it may take its time. False: give it up.
pub type GoOn = Arc<dyn Fn() -> bool + Send + Sync>;

/// What to do when there is a file of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and refuse.
    Refuse,
    /// Take its place.
    Replace,
}

/// Pages of 4 KiB that are copied in one step.
const STEP_PAGES: i32 = 256;
/// Instructions of SQLite between two questions whether to go on.
const INSTRUCTIONS: i32 = 100_000;
/// Ends the name of a copy that is being written.
pub(crate) const PART: &str = "part";
/// What may lie beside a database file and belongs to it.
pub(crate) const SIDES: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Copies the database behind a connection. `check` judges the copy before it gets its name, and may still change it.
pub fn copy(
    from: &Connection,
    to: &Path,
    existing: Existing,
    go_on: &GoOn,
    check: impl FnOnce(&Connection) -> Result<(), Error>,
) -> Result<(), Error> {
    if existing == Existing::Refuse && fs::symlink_metadata(to).is_ok() {
        return Err(taken(to));
    }
    let mut part = Part::begin(to)?;
    part.fill(from, go_on)?;
    part.settle(go_on, check)?;
    part.name(to, existing)
}

/// The check of a copy of which only the content matters: that SQLite can read all of it.
pub(crate) fn quick_check(copy: &Connection) -> Result<(), Error> {
    let verdict: String =
        copy.query_row("pragma quick_check(1)", [], |row| row.get(0)).during("check the copy of the database")?;
    if verdict == "ok" { Ok(()) } else { Err(Error::Damaged(verdict)) }
}

/// Removes what a copy that was cut off left behind, unless somebody is still writing it.
pub fn sweep(part: &Path) -> Result<(), Error> {
    if part.is_file() {
        drop(Part::lock(part.to_owned())?);
    }
    Ok(())
}

fn taken(path: &Path) -> Error {
    let why = "it exists already, and a copy never takes the place of another file: name a new one".to_owned();
    Error::Unusable { path: path.to_owned(), why }
}

/// A file beside a database with an ending of its own, as SQLite names them.
pub(crate) fn side(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A copy that is being written. Dropping it removes the file.
struct Part {
    path: PathBuf,
    /// Its lock keeps a second copy away. It stays open until SQLite has closed the file: closing it would take away
    /// the locks that SQLite holds on it.
    file: File,
    is_named: bool,
}

impl Part {
    fn begin(to: &Path) -> Result<Part, Error> {
        let path = to.with_added_extension(PART);
        let part = Part::lock(path)?;
        part.file.set_len(0).map_err(Error::file(&part.path))?;
        Ok(part)
    }

    /// Takes a file over, and removes what lies beside it: a left-over log would be played into the new content.
    fn lock(path: PathBuf) -> Result<Part, Error> {
        let opened = file::open_or_create(&path).map_err(Error::file(&path))?;
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = "another copy is being written under this name: wait for its end".to_owned();
                return Err(Error::Unusable { path, why });
            }
            Err(TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
        }
        let (own, named) = (opened.metadata(), fs::metadata(&path));
        if !own.and_then(|own| Ok(own.ino() == named?.ino())).map_err(Error::file(&path))? {
            // It was another's and has its own name by now.
            let why = "another copy of this name was made at this moment: try again".to_owned();
            return Err(Error::Unusable { path, why });
        }
        for side in SIDES.map(|ending| side(&path, ending)) {
            file::remove(&side).map_err(Error::file(&side))?;
        }
        Ok(Part { path, file: opened, is_named: false })
    }

    fn fill(&mut self, from: &Connection, go_on: &GoOn) -> Result<(), Error> {
        const COPY: &str = "copy the database";
        let _moment = match from.is_autocommit() {
            true => Some(Transaction::new_unchecked(from, TransactionBehavior::Deferred).during(COPY)?),
            false => None,
        };
        // The transaction begins with the first question. Its answers say how much room the copy needs.
        let bytes: i64 = from
            .query_row("select page_count * page_size from pragma_page_count, pragma_page_size", [], |row| row.get(0))
            .during(COPY)?;
        self.refuse_without_room(bytes)?;
        let mut copy = self.open()?;
        // Nobody needs half a copy: it is neither logged nor, but for the steps below, synced.
        copy.execute_batch("pragma journal_mode = off; pragma synchronous = off").during(COPY)?;
        let backup = Backup::new_with_names(from, MAIN_DB, &mut copy, MAIN_DB).during(COPY)?;
        while backup.step(STEP_PAGES).during(COPY)? != StepResult::Done {
            self.file.sync_data().map_err(Error::file(&self.path))?;
            if !go_on() {
                return Err(Error::GivenUp);
            }
        }
        drop(backup);
        copy.close().map_err(|(_, error)| error).during(COPY)
    }

    /// Out of the log's mode, so that it is one file that can be moved by itself; then judged, then on the disk.
    fn settle(&mut self, go_on: &GoOn, check: impl FnOnce(&Connection) -> Result<(), Error>) -> Result<(), Error> {
        const CHECK: &str = "check the copy of the database";
        let mut copy = self.open()?;
        copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())).during(CHECK)?;
        let go_on = Arc::clone(go_on);
        copy.progress_handler(INSTRUCTIONS, Some(move || !go_on())).during(CHECK)?;
        check(&copy)?;
        copy.close().map_err(|(_, error)| error).during(CHECK)?;
        self.file.sync_all().map_err(Error::file(&self.path))
    }

    fn name(mut self, to: &Path, existing: Existing) -> Result<(), Error> {
        match existing {
            Existing::Replace => fs::rename(&self.path, to),
            // A rename would replace what came there meanwhile, a link does not.
            Existing::Refuse => match fs::hard_link(&self.path, to) {
                Ok(()) => fs::remove_file(&self.path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken(to)),
                // A file system without links, such as a stick's: the name was free when the copy began.
                Err(_) => fs::rename(&self.path, to),
            },
        }
        .map_err(Error::file(to))?;
        self.is_named = true;
        file::sync_folder_of(to).map_err(Error::file(to))
    }

    fn refuse_without_room(&self, bytes: i64) -> Result<(), Error> {
        let folder = file::folder_of(&self.path);
        let disk = rustix::fs::statvfs(folder).map_err(|error| Error::file(folder)(error.into()))?;
        let (free, needed) = (disk.f_bavail.saturating_mul(disk.f_frsize), u64::try_from(bytes).unwrap_or(0));
        if free > needed {
            return Ok(());
        }
        let (free, needed) = (free >> 20, needed >> 20);
        let why = format!("there are {free} MiB free and the copy takes {needed}: make room, or use another disk");
        Err(Error::Unusable { path: folder.to_owned(), why })
    }

    fn open(&self) -> Result<Connection, Error> {
        #[expect(clippy::disallowed_methods, reason = "a copy is not the live database: it gets none of its settings")]
        Connection::open(&self.path).during("open the copy of the database")
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_named {
            // What cannot be removed is taken over by the next copy of this name.
            for path in SIDES.map(|ending| side(&self.path, ending)).iter().chain([&self.path]) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

//! Puts a copy in the place of the database.
//!
//! Whenever this is cut off there is a whole database under the name, the old one or the new one, and running it again
//! finishes: the new file is complete and on the disk under another name before one rename puts it there. The log of
//! the old database must be gone by then, for SQLite would play it into the new one. The old file keeps a second name
//! from before that moment; nothing is ever deleted.
//!
//! What is put back knows nothing of what its later life sent to Daftra. So the copy says of itself that everything
//! older than this moment is looked for first (`setting::LOOK_FIRST_BEFORE`), before it gets the name.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use serde_json::json;

use super::backup::{self, Existing, GoOn, SIDES, side};
use super::lock::ServerLock;
use super::{Context as _, Error, FILE, audit, file, setting, verify};

/// Ends the name of the new database until it is one.
const INCOMING: &str = "incoming";
/// Comes into the name of the old one, before the time.
const REPLACED: &str = "replaced";

/// A copy that is ready to become the database.
pub struct Incoming {
    path: PathBuf,
    /// The database it is to replace.
    place: PathBuf,
}

/// Prepares a file that was verified; the database is not touched yet. The lock proves that no server works with it.
pub fn prepare(_lock: &ServerLock, from: &Path, folder: &Path, now: Timestamp) -> Result<Incoming, Error> {
    let place = folder.join(FILE);
    if is_same_file(from, &place)? {
        let why = "it is the database itself: name a copy of it".to_owned();
        return Err(Error::Unusable { path: from.to_owned(), why });
    }
    let path = place.with_added_extension(INCOMING);
    let source = verify::open(from)?;
    let go_on: GoOn = Arc::new(|| true);
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    backup::copy(&source, &path, Existing::Replace, &go_on, |copy| {
        let tx = Transaction::new_unchecked(copy, TransactionBehavior::Immediate).during("prepare the copy")?;
        setting::set_time(&tx, setting::LOOK_FIRST_BEFORE, now)?;
        audit::write(&tx, None, "database.restore", &json!({ "file": name, "via": "cli" }), now)?;
        tx.commit().during("prepare the copy")?;
        backup::quick_check(copy)
    })?;
    Ok(Incoming { path, place })
}

impl Incoming {
    /// Becomes the database. What was there before keeps the name that is returned.
    pub fn take_over(self, now: Timestamp) -> Result<Option<PathBuf>, Error> {
        let place = &self.place;
        let kept = side(place, &format!(".{REPLACED}-{}", now.strftime("%Y%m%dT%H%M%S%.3fZ")));
        let old = match fs::metadata(place) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::file(place)(error)),
        };
        if let Some(old) = &old {
            forget_second_names(place, old)?;
            let new = fs::File::open(&self.path).map_err(Error::file(&self.path))?;
            file::make_like(&new, old).and_then(|()| new.sync_all()).map_err(Error::file(&self.path))?;
            empty_the_log(place)?;
            fs::hard_link(place, &kept).map_err(Error::file(&kept))?;
        }
        // What still lies there belongs to a file that is gone, or too damaged to take it in: with the old one it is
        // kept, to the new one it must not come.
        let mut has_kept = old.is_some();
        for ending in SIDES {
            let from = side(place, ending);
            if from.exists() {
                fs::rename(&from, side(&kept, ending)).map_err(Error::file(&from))?;
                has_kept = true;
            }
        }
        file::sync_folder_of(place).map_err(Error::file(place))?;
        fs::rename(&self.path, place).map_err(Error::file(place))?;
        file::sync_folder_of(place).map_err(Error::file(place))?;
        Ok(has_kept.then_some(kept))
    }
}

/// Brings all that the log holds into the database file, after which SQLite removes the log. A file too damaged for
/// that stays as it is, with its log.
fn empty_the_log(place: &Path) -> Result<(), Error> {
    const EMPTY: &str = "empty the log of the database";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let emptied = Connection::open_with_flags(place, flags).and_then(|old| {
        // A checkpoint needs to have read the file, or it does nothing.
        old.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
        old.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
        old.close().map_err(|(_, error)| error)
    });
    match emptied {
        Err(error) => match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(()),
            _ => Err(error).during(EMPTY),
        },
        Ok(()) if SIDES.iter().any(|ending| side(place, ending).exists()) => {
            let why = "another program has it open: end it, then run this again".to_owned();
            Err(Error::Unusable { path: place.to_owned(), why })
        }
        Ok(()) => Ok(()),
    }
}

/// A restore that was cut off may have given the database a second name, and it is still the database. SQLite must
/// never meet it under another name.
fn forget_second_names(place: &Path, old: &fs::Metadata) -> Result<(), Error> {
    let folder = file::folder_of(place);
    let beginning = format!("{FILE}.{REPLACED}-");
    for entry in fs::read_dir(folder).map_err(Error::file(folder))? {
        let entry = entry.map_err(Error::file(folder))?;
        if entry.file_name().to_string_lossy().starts_with(&beginning)
            && entry.metadata().is_ok_and(|other| (other.dev(), other.ino()) == (old.dev(), old.ino()))
        {
            fs::remove_file(entry.path()).map_err(Error::file(&entry.path()))?;
        }
    }
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> Result<bool, Error> {
    let one = fs::metadata(one).map_err(Error::file(one))?;
    Ok(fs::metadata(other).is_ok_and(|other| (one.dev(), one.ino()) == (other.dev(), other.ino())))
}

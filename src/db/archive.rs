//! The folder of backups: what they are called, and which files in it are backups of ours.
//!
//! A name says when the backup was made, in UTC, so that names sort as times do. When to make one and which to delete is
//! decided in `engine::backup`.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::schema::APPLICATION_ID;

const PREFIX: &str = "qantara-";
const SUFFIX: &str = ".db";
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// What a backup of this time is called.
#[must_use]
pub fn name(at: Timestamp) -> String {
    format!("{PREFIX}{}{SUFFIX}", at.strftime(STAMP))
}

/// The time in a name; `None` if it is none of ours.
#[must_use]
pub fn time_of(name: &str) -> Option<Timestamp> {
    let stamp = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let at = DateTime::strptime(STAMP, stamp).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (self::name(at) == name).then_some(at)
}

/// The backups of a folder, oldest first. One whose time is still to come was made while the clock was wrong, and is
/// left alone until then.
pub fn list(folder: &Path, now: Timestamp) -> io::Result<Vec<(Timestamp, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let at = entry.file_name().to_str().and_then(time_of).filter(|at| *at <= now);
        let Some(at) = at else { continue };
        // One that cannot be read, a copy of root's perhaps, is nobody's to delete and no reason to make none.
        match entry.file_type().and_then(|kind| Ok(kind.is_file() && is_ours(&entry.path())?)) {
            Ok(true) => found.push((at, entry.path())),
            Ok(false) => {}
            Err(error) => tracing::warn!(file = %entry.path().display(), %error, "a backup cannot be looked at"),
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file begins as our databases do.
fn is_ours(path: &Path) -> io::Result<bool> {
    const APPLICATION: std::ops::Range<usize> = 68..72;
    let mut head = Vec::new();
    File::open(path)?.take(100).read_to_end(&mut head)?;
    let application = head.get(APPLICATION);
    Ok(head.starts_with(b"SQLite format 3\0") && application == Some(&APPLICATION_ID.to_be_bytes()))
}

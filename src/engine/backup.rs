//! Backups by themselves: one after every so many hours, each checked as `verify` checks it, old ones deleted.
//!
//! - A thread of its own: copying and checking a large database takes minutes, and neither orders nor chores wait for
//!   it. It rests as long as it works, so that at most half of a slow disk's time is its own.
//! - Only a copy that was checked gets its name and counts; then the alert is closed. A failure is an alert, the log has
//!   its words, and it is tried again after an hour.
//! - Deleted are only files that this has made: by their name, and by what they begin with; first for want of room, then,
//!   once there is a new one, what is too old or one too many. How old a copy is is measured by the copy before the new one:
//!   a clock that is wrong for a while ends no copy's life.
//! - On the disk of the data a copy leaves the room without which nothing new would be begun.
//!
//! The master key is in none of them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::worker::{Running, Step};
use crate::clock::{Bell, Clock};
use crate::config::Config;
use crate::db::alert::{self, Cause};
use crate::db::backup::{self, Existing, GoOn};
use crate::db::{Error, archive, setting, verify};
use crate::vitals::disk::free_in;

/// When backups are made, where, and how many are kept.
#[derive(Clone, Debug)]
pub struct Rules {
    pub folder: PathBuf,
    /// Nobody else makes the folder that the operator named: behind it a disk may be missing.
    pub makes_folder: bool,
    pub every: SignedDuration,
    pub keep: usize,
    /// `None`: however old.
    pub keep_for: Option<SignedDuration>,
}

/// After a failure, unless backups are more frequent.
const RETRY: SignedDuration = SignedDuration::from_hours(1);
/// What the alert is about; there is one.
const SUBJECT: &str = "backup";

impl Rules {
    /// The rules of a configuration; `None` if backups are switched off.
    #[must_use]
    pub fn new(config: &Config) -> Option<Self> {
        let backup = &config.backup;
        if backup.every_ms == 0 {
            return None;
        }
        Some(Self {
            folder: config.backup_folder(),
            makes_folder: backup.folder.is_none(),
            every: SignedDuration::from_millis(i64::try_from(backup.every_ms).unwrap_or(i64::MAX)),
            keep: backup.keep,
            keep_for: (backup.keep_days > 0).then(|| SignedDuration::from_hours(24 * i64::from(backup.keep_days))),
        })
    }
}

/// Why there is no new backup.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Db(#[from] Error),
    #[error("The folder for backups, {}, cannot be used: {cause}", folder.display())]
    Folder { folder: PathBuf, cause: io::Error },
    #[error(
        "There is no room for a backup in {}: {} MiB are free, and {} MiB are wanted, with what orders need \
         (data.min_free_bytes). Make room, or name a folder on another disk in backup.folder",
        folder.display(),
        free >> 20,
        wanted >> 20
    )]
    NoRoom { folder: PathBuf, free: u64, wanted: u64 },
}

impl Running {
    /// Makes backups from now on, on a thread of their own.
    pub fn keep_backups(&mut self, rules: Rules) -> io::Result<()> {
        self.spawn("backup".to_owned(), move |engine| engine.keep_backups(&rules))
    }
}

impl Engine {
    /// A life of making backups.
    fn keep_backups(self: &Arc<Self>, rules: &Rules) {
        while !self.is_stopping() {
            if let Step::Idle(until) = self.back_up_once(rules) {
                self.clock.wait(&self.backups, until);
            }
        }
    }

    /// Makes a backup if one is due.
    pub fn back_up_once(self: &Arc<Self>, rules: &Rules) -> Step {
        let now = self.clock.now();
        match self.backup_due(rules, now) {
            Ok(Some(due)) if due > now => return Step::Idle(due),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "cannot ask when the last backup was made");
                return Step::Idle(now + RETRY);
            }
        }
        let made = self.back_up(rules, now);
        if self.is_stopping() {
            return Step::Done;
        }
        let noted = match made {
            Ok((file, report)) => {
                tracing::info!(file = %file.display(), bytes = report.bytes, "a backup was made and checked");
                self.db.write(move |tx| {
                    setting::set_time(tx, setting::BACKUP_OK, now)?;
                    alert::close(tx, Cause::Backup, SUBJECT, now)
                })
            }
            Err(error) => {
                tracing::error!(%error, "there is no new backup");
                self.db.write(move |tx| {
                    setting::set_time(tx, setting::BACKUP_FAILED, now)?;
                    alert::raise(tx, Cause::Backup, SUBJECT, None, now)
                })
            }
        };
        match noted {
            Ok(()) => Step::Done,
            Err(error) => {
                tracing::error!(%error, "cannot note how the backup went");
                Step::Idle(now + RETRY)
            }
        }
    }

    /// `None`: there was none so far. What is noted of times to come was noted while the clock was wrong.
    fn backup_due(&self, rules: &Rules, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        self.db.read(|c| {
            let past = |key| Ok::<_, Error>(setting::time(c, key)?.filter(|at| *at <= now));
            let made = past(setting::BACKUP_OK)?.map(|at| at + rules.every);
            let failed = past(setting::BACKUP_FAILED)?.map(|at| at + RETRY.min(rules.every));
            Ok(made.max(failed))
        })
    }

    /// Nobody makes backups any more, so nothing is wrong with them.
    pub fn close_backup_alert(&self) -> Result<(), Error> {
        let now = self.clock.now();
        self.db.write(move |tx| alert::close(tx, Cause::Backup, SUBJECT, now))
    }

    fn back_up(self: &Arc<Self>, rules: &Rules, now: Timestamp) -> Result<(PathBuf, verify::Report), Failure> {
        let in_folder = |cause| Failure::Folder { folder: rules.folder.clone(), cause };
        if rules.makes_folder {
            match DirBuilder::new().mode(0o700).create(&rules.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(in_folder)?,
            }
        }
        sweep(&rules.folder).map_err(in_folder)?;
        self.make_room(rules, now)?;
        let file = rules.folder.join(archive::name(now));
        let go_on = half_the_time(Arc::clone(self));
        let mut report = verify::Report::default();
        self.db.read(|c| {
            backup::copy(c, &file, Existing::Refuse, &go_on, |copy| {
                report = verify::demand(copy, &file)?;
                Ok(())
            })
        })?;
        expire(rules, now).map_err(in_folder)?;
        Ok((file, report))
    }

    /// Deletes the oldest copies until there is room for one more, but never the newest.
    fn make_room(&self, rules: &Rules, now: Timestamp) -> Result<(), Failure> {
        let folder = &rules.folder;
        let in_folder = |cause| Failure::Folder { folder: folder.clone(), cause };
        let device = |of: &Path| fs::metadata(of).map(|about| about.dev());
        let is_beside_the_data = device(folder).map_err(in_folder)? == device(self.db.folder()).map_err(in_folder)?;
        let kept_free = if is_beside_the_data { self.vitals.disk.enough() } else { 0 };
        let wanted = self.db.sizes()?.into_iter().sum::<u64>().saturating_add(kept_free);
        let mut all = archive::list(folder, now).map_err(in_folder)?;
        all.pop();
        let mut oldest_first = all.into_iter();
        loop {
            let free = if is_beside_the_data { self.vitals.disk.free_now() } else { free_in(folder) };
            let free = free.map_err(in_folder)?;
            if free > wanted {
                return Ok(());
            }
            let Some((_, path)) = oldest_first.next() else {
                return Err(Failure::NoRoom { folder: folder.clone(), free, wanted });
            };
            fs::remove_file(&path).map_err(in_folder)?;
            tracing::warn!(file = %path.display(), free, wanted, "an old backup was deleted for want of room");
        }
    }
}

/// Rests after each step as long as the step took; ends with the server.
fn half_the_time(engine: Arc<Engine>) -> GoOn {
    let rest = resting(engine.clock.clone(), engine.backups.clone());
    Arc::new(move || {
        if !engine.is_stopping() {
            rest();
        }
        !engine.is_stopping()
    })
}

/// Whoever calls this between two steps of a long work does it half of the time. The bell ends a rest.
pub fn resting(clock: Clock, bell: Bell) -> impl Fn() {
    let began = Mutex::new(clock.now());
    move || {
        let mut began = began.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock.now();
        clock.wait(&bell, now + now.duration_since(*began));
        *began = clock.now();
    }
}

/// Deletes what is too old or one too many. The new one stays, and the one before it, by which age is measured.
fn expire(rules: &Rules, now: Timestamp) -> io::Result<()> {
    let mut all = archive::list(&rules.folder, now)?;
    all.pop();
    let Some((today, _)) = all.last().cloned() else { return Ok(()) };
    let surplus = all.len().saturating_sub(rules.keep.saturating_sub(1));
    for (number, (at, path)) in all.iter().enumerate() {
        let is_too_old = rules.keep_for.is_some_and(|age| today.duration_since(*at) > age);
        if number < surplus || is_too_old {
            fs::remove_file(path)?;
            tracing::info!(file = %path.display(), "an old backup was deleted");
        }
    }
    Ok(())
}

/// Removes what copies that were cut off left behind.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let whole = name.to_str().and_then(|name| name.strip_suffix(".part"));
        if whole.is_some_and(|whole| archive::time_of(whole).is_some())
            && let Err(error) = backup::sweep(&entry.path())
        {
            tracing::warn!(%error, "what is left of a backup cannot be removed");
        }
    }
    Ok(())
}

//! `backup`: a checked copy of the database, whether or not a server works with it, and of whatever version it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use rusqlite::Connection;

use super::verify::View;
use super::{Ended, Session, open, out};
use crate::clock::Clock;
use crate::config::Config;
use crate::db;
use crate::db::backup::{self, Existing, GoOn};
use crate::db::verify::{self, Report};
use crate::engine::backup::resting;

#[derive(clap::Args)]
pub(super) struct Backup {
    /// The copy to make; a file that is there already stays as it is
    file: PathBuf,
}

impl Backup {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let database = open::existing(&config.data.folder)?.join(db::FILE);
        if !database.is_file() {
            bail!(
                "There is no database {}: name the right configuration (--config), or data.folder in it",
                database.display()
            );
        }
        let report = copy(&verify::open(&database)?, &self.file)?;
        let answer = View::new(&self.file, report);
        session.out.say(&answer, || {
            format!(
                "{}\nThe master key is not in it: keep a copy of {} in another place.",
                answer.words(),
                config.vault.key_file.display()
            )
        })?;
        note_key(&config);
        Ok(Ended::Fine)
    }
}

/// Copies at half the speed of the disk: a server may need the other half.
fn copy(database: &Connection, file: &Path) -> Result<Report, db::Error> {
    let clock = Clock::real();
    let rest = resting(clock.clone(), clock.bell(0));
    let go_on: GoOn = Arc::new(move || {
        rest();
        true
    });
    let mut report = Report::default();
    backup::copy(database, file, Existing::Refuse, &go_on, |copy| {
        report = verify::demand(copy, file)?;
        Ok(())
    })?;
    Ok(report)
}

/// A key file that is gone is noticed now rather than on the day it is needed.
fn note_key(config: &Config) {
    let file = &config.vault.key_file;
    if !file.try_exists().unwrap_or(true) {
        out::complain(&format!("There is no master key {}: without it no copy can be used", file.display()));
    }
}

//! `restore`: a backup becomes the database. Nothing is replaced before everything that can be known was looked at.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;

use super::{Ended, Session, open, out, verify};
use crate::clock::Clock;
use crate::db::lock::ServerLock;
use crate::db::verify::Code;
use crate::db::{self, restore};

#[derive(clap::Args)]
pub(super) struct Restore {
    /// A file that qantara backup made, or the server by itself
    file: PathBuf,
}

/// What was done.
#[derive(Serialize)]
struct Restored {
    file: PathBuf,
    database: PathBuf,
    /// Where the database of before lies now.
    kept: Option<PathBuf>,
}

impl Restore {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let (config, now) = (session.config()?, Clock::real().now());
        let folder = open::existing(&config.data.folder)?;
        let lock = ServerLock::take(folder)?;
        let backup = verify::look(&config, &self.file)?;
        let refuse = || {
            out::complain(&format!("Nothing was replaced. {}", backup.words()));
            Ok(Ended::FoundWrong)
        };
        if backup.report.findings.iter().any(|finding| finding.code != Code::Sealed) {
            return refuse();
        }
        match backup.sealed {
            None => bail!(
                "The master key {} cannot be read, and {} is sealed with it: put the key back first",
                config.vault.key_file.display(),
                self.file.display()
            ),
            Some(seals) if seals.is_other_key => bail!(
                "The master key {key} is not the one {file} was sealed with, so nothing was replaced: put the key of \
                 that time back, or add it to {key} as a second line, restore, and run qantara rekey",
                key = config.vault.key_file.display(),
                file = self.file.display(),
            ),
            Some(_) => {}
        }
        if !backup.report.findings.is_empty() {
            return refuse();
        }
        let database = folder.join(db::FILE);
        out::complain(&format!("To be put back: {}", backup.words()));
        out::complain(&match verify::look(&config, &database) {
            Ok(old) => format!("To be replaced, and kept: {}", old.words()),
            Err(error) => format!("What is to be replaced cannot be read ({error:#})"),
        });
        let kept = restore::prepare(&lock, &self.file, folder, now)?.take_over(now)?;
        let restored = Restored { file: self.file, database, kept };
        session.out.say(&restored, || {
            let kept = restored.kept.as_ref().map_or_else(
                || "There was no database before.".to_owned(),
                |kept| format!("The database of before is {}; delete it when you are sure.", kept.display()),
            );
            format!(
                "{} is now {}.\n{kept}\nStart the server: it looks in Daftra for everything that is older than this \
                 moment before it sends anything.\nWhat the shops sent since the backup must come again: have them \
                 deliver it once more.",
                restored.database.display(),
                restored.file.display()
            )
        })?;
        Ok(Ended::Fine)
    }
}

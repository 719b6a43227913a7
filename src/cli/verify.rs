//! `verify`: whether a database, or a copy of it, is whole; with the master key at hand also whether it opens.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Ended, Session};
use crate::config::Config;
use crate::db::verify::{Code, Finding, Report, examine};
use crate::db::{self, verify};
use crate::engine::seals::{self, Proof};
use crate::vault::key_file::{KeyFileError, Keys};
use crate::vault::{MasterKey, Vault};
use crate::view;

#[derive(clap::Args)]
pub(super) struct Verify {
    /// A copy of the database; without one the database itself, also while a server works with it
    file: Option<PathBuf>,
    /// Do not ask for the master key: look only whether the file is whole
    #[arg(long)]
    without_key: bool,
}

impl Verify {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let file = self.file.unwrap_or_else(|| config.data.folder.join(db::FILE));
        let mut view = look(&config, &file)?;
        // A file that cannot be read holds nothing that a key could open.
        if view.sealed.is_none() && view.report.findings.is_empty() && !self.without_key {
            let what = format!(
                "the master key was not tried: {} cannot be read; name it in vault.key_file, run this as root, or add \
                 --without-key",
                config.vault.key_file.display()
            );
            view.report.findings.push(Finding::new(Code::Untried, what));
        }
        session.out.say(&view, || view.words())?;
        Ok(if view.report.findings.is_empty() { Ended::Fine } else { Ended::FoundWrong })
    }
}

/// What is told of a database file.
#[derive(Serialize)]
pub(super) struct View {
    pub(super) file: PathBuf,
    #[serde(flatten)]
    pub(super) report: Report,
    /// None: the master key is not at hand, so nobody knows whether it opens.
    pub(super) sealed: Option<Seals>,
}

/// What the master key opens.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Seals {
    pub(super) all: usize,
    pub(super) closed: usize,
    /// Opened with the key before the current one.
    pub(super) by_previous: usize,
    #[serde(skip)]
    pub(super) is_other_key: bool,
}

impl View {
    pub(super) fn new(file: &Path, report: Report) -> Self {
        Self { file: file.to_owned(), report, sealed: None }
    }

    pub(super) fn words(&self) -> String {
        let Report { version, bytes, alive_at, merchants, orders, documents, deeds, findings, .. } = &self.report;
        let until = alive_at.map_or_else(|| "never served".to_owned(), |at| format!("as of {} UTC", view::second(at)));
        let mut lines = vec![
            self.file.display().to_string(),
            format!("  {until}, {} KiB, schema {version}", bytes >> 10),
            format!("  {merchants} merchants, {orders} orders, {documents} documents, {deeds} rows of audit"),
        ];
        lines.push(match self.sealed {
            None => "  the master key was not tried".to_owned(),
            Some(Seals { all, closed: 0, by_previous: 0, .. }) => format!("  the master key opens all {all} secrets"),
            Some(Seals { all, closed: 0, by_previous, .. }) => format!(
                "  the master keys open all {all} secrets, {by_previous} with the previous one only: run qantara rekey"
            ),
            Some(Seals { all, closed, .. }) => format!("  of {all} secrets {closed} do not open"),
        });
        lines.push(if findings.is_empty() { "Nothing is wrong with it".to_owned() } else { "WRONG:".to_owned() });
        lines.extend(findings.iter().map(|finding| format!("  {finding}")));
        lines.join("\n")
    }
}

/// Looks at a file, and tries the master key if it can be read.
pub(super) fn look(config: &Config, file: &Path) -> anyhow::Result<View> {
    if !file.is_file() {
        anyhow::bail!("There is no file {}: name a backup, or the right data.folder", file.display());
    }
    let keys = keys_at_hand(config)?;
    let c = verify::open(file)?;
    let mut view = View::new(file, examine(&c, file)?);
    // What cannot be read holds no secrets that could be tried.
    let is_readable = view.report.findings.iter().all(|finding| !matches!(finding.code, Code::Damaged | Code::Foreign));
    if let (Some(keys), true) = (keys, is_readable) {
        let Proof { sealed, closed, is_other_key, by_previous } =
            seals::prove(&c, &Vault::new(keys.current, keys.previous))?;
        view.sealed = Some(Seals { all: sealed, closed: closed.len(), by_previous, is_other_key });
        let findings = closed.iter().map(|(name, why)| Finding::new(Code::Sealed, format!("{name}: {why}")));
        view.report.findings.extend(findings);
    }
    Ok(view)
}

/// The master key, unless there is none here or it is not ours to read: a copy can be looked at without it.
fn keys_at_hand(config: &Config) -> anyhow::Result<Option<Keys>> {
    match MasterKey::read(&config.vault.key_file) {
        Ok(keys) => Ok(Some(keys)),
        Err(KeyFileError::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

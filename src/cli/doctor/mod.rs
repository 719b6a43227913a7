//! `doctor`: is everything well, and if not, what to do. It changes nothing but a file of its own that it removes again.
//!
//! Each check is a row: what was looked at, how it is, what was found, and what to do next. Exits with 3 if anything is
//! bad; a warning alone does not count. A check that needs what another one found missing is left out.

mod accounts;
mod machine;
mod mail;
mod shops;
mod telling;
mod way_in;

use std::fs;
use std::io::ErrorKind;

use serde::Serialize;
use serde_json::json;

use super::{Ended, Session, open};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::lock::{self, ServerLock};
use crate::db::{self, Db};

#[derive(clap::Args)]
pub(super) struct Doctor {
    /// Ask neither Daftra nor our own public address: look at this machine only
    #[arg(long)]
    offline: bool,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Row {
    check: &'static str,
    /// Which of several: a merchant's slug. Empty for what there is one of.
    #[serde(skip_serializing_if = "String::is_empty")]
    of: String,
    state: State,
    found: String,
    /// Empty when nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    next: String,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Warning,
    Bad,
}

impl Doctor {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let rows = match session.config() {
            Ok(config) => {
                let file = session.file_in_use().map(|file| file.display().to_string());
                let from = file.map_or_else(|| "no file, only defaults".to_owned(), |file| format!("from {file}"));
                let mut rows =
                    vec![Row::good("configuration", format!("{from}; every key is known and within its bounds"))];
                rows.extend(self.look(&config));
                if rows.iter().all(|row| row.check != machine::CLOCK) {
                    rows.push(machine::clock());
                }
                rows
            }
            Err(error) => vec![Row::bad("configuration", error, "Correct it; qantara config show prints what counts")],
        };
        let worst = rows.iter().map(|row| row.state).max().unwrap_or(State::Good);
        session.out.say(&json!({ "state": worst, "checks": rows }), || {
            let lines: Vec<String> = rows.iter().map(Row::words).collect();
            lines.join("\n") + "\n" + verdict(&rows).as_str()
        })?;
        Ok(if worst == State::Bad { Ended::FoundWrong } else { Ended::Fine })
    }

    fn look(&self, config: &Config) -> Vec<Row> {
        let mut rows = Vec::new();
        let folder = &config.data.folder;
        let folder_row = machine::folder(folder);
        let has_folder = folder_row.state != State::Bad || folder.is_dir();
        rows.push(folder_row);
        if !has_folder {
            return rows;
        }
        rows.extend([machine::space(folder, config.data.min_free_bytes), machine::speed(folder)]);
        rows.extend(machine::left_over(folder));
        let server = running(config);
        rows.push(way_in::server(config, &server));
        rows.extend(way_in::certificate(config, Clock::real().now()));
        let key = machine::key(config);
        let is_open = key.state != State::Bad;
        rows.push(key);
        let Some(db) = Self::database(config, &mut rows) else { return rows };
        rows.extend(shops::all(&db));
        rows.extend(telling::all(config, &db));
        rows.push(mail::way_out(config, self.offline));
        rows.extend(mail::outbox(&db));
        if !self.offline {
            rows.extend(way_in::from_outside(config));
            // Without the master key nobody has a key to any account.
            if is_open {
                rows.extend(accounts::all(config, db));
            }
        }
        rows
    }

    fn database(config: &Config, rows: &mut Vec<Row>) -> Option<Db> {
        const CHECK: &str = "database";
        match fs::metadata(config.data.folder.join(db::FILE)) {
            Ok(about) if about.len() > 0 => {}
            Err(error) if error.kind() != ErrorKind::NotFound => {
                rows.push(Row::bad(CHECK, error, "Run it as the server's user, or as root"));
                return None;
            }
            Ok(_) | Err(_) => {
                rows.push(Row::warning(CHECK, "there is none yet", "The first start makes it, or qantara init"));
                return None;
            }
        }
        let error = match open::look(config) {
            Ok(db) => {
                rows.push(machine::database(&db, &config.data.folder));
                return Some(db);
            }
            Err(error) => error,
        };
        let next = match error.downcast_ref() {
            Some(db::Error::Older { .. }) => "systemctl restart qantara",
            Some(db::Error::Newer { .. }) => "Install the newer version again: sudo ./qantara install",
            _ => "qantara verify says what is wrong with it; if it is damaged: qantara restore FILE",
        };
        rows.push(Row::bad(CHECK, format!("{error:#}"), next));
        None
    }
}

/// Whether a server works on the data folder, and as which process.
enum Server {
    Stopped,
    Running(Option<u32>),
    /// The lock cannot be looked at.
    Unknown(String),
}

fn running(config: &Config) -> Server {
    // Without its file nobody holds the lock, and looking must not leave one behind.
    if !config.data.folder.join(lock::FILE).exists() {
        return Server::Stopped;
    }
    match ServerLock::hold(&config.data.folder) {
        Ok(_) => Server::Stopped,
        Err(db::Error::Locked { pid, .. }) => Server::Running(pid),
        Err(error) => Server::Unknown(error.to_string()),
    }
}

impl Row {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, of: String::new(), state: State::Good, found: found.into(), next: String::new() }
    }

    fn warning(check: &'static str, found: impl Into<String>, next: impl Into<String>) -> Self {
        Self { state: State::Warning, next: next.into(), ..Self::good(check, found) }
    }

    #[expect(clippy::needless_pass_by_value, reason = "what was found is told here and nowhere else")]
    fn bad(check: &'static str, found: impl ToString, next: impl Into<String>) -> Self {
        Self { state: State::Bad, next: next.into(), ..Self::good(check, found.to_string()) }
    }

    fn of(self, one: &str) -> Self {
        Self { of: one.to_owned(), ..self }
    }

    fn words(&self) -> String {
        let state = match self.state {
            State::Good => "good",
            State::Warning => "WARN",
            State::Bad => "BAD ",
        };
        let name = if self.of.is_empty() { self.check.to_owned() } else { format!("{} {}", self.check, self.of) };
        let line = format!("{state}  {name}: {}", self.found);
        if self.next.is_empty() { line } else { format!("{line}\n      -> {}", self.next) }
    }
}

fn verdict(rows: &[Row]) -> String {
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    match (count(State::Bad), count(State::Warning)) {
        (0, 0) => "Everything is well".to_owned(),
        (bad, warnings) => format!("{bad} bad, {warnings} to look at"),
    }
}

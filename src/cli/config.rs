//! `config show|check`: what is set, where it comes from, and whether it would work.

use serde_json::json;

use super::{Ended, Session, open};
use crate::config::Config;
use crate::db::{self, data_key};
use crate::outgoing::Outgoing;
use crate::vault::{MasterKey, Vault};
use crate::web::upkeep;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Print every key with its value and where that comes from
    Show,
    /// Look for what would keep the server from starting; exits with 3 if there is anything
    Check,
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::Show => show(session),
            Self::Check => check(session),
        }
    }
}

fn show(session: &Session) -> anyhow::Result<Ended> {
    let lines = session.config()?.explain();
    let value: Vec<_> = lines
        .iter()
        .map(|(key, value, origin)| json!({ "key": key, "value": value, "origin": origin.to_string() }))
        .collect();
    session
        .out
        .say(&value, || lines.iter().map(|(key, value, origin)| format!("{key} = {value}  # {origin}\n")).collect())?;
    Ok(Ended::Fine)
}

fn check(session: &Session) -> anyhow::Result<Ended> {
    let problems = match session.config() {
        Ok(config) => problems(&config),
        Err(error) => vec![error.to_string()],
    };
    session.out.say(&json!({ "problems": problems }), || {
        if problems.is_empty() { "No problem found".to_owned() } else { problems.join("\n") }
    })?;
    Ok(if problems.is_empty() { Ended::Fine } else { Ended::FoundWrong })
}

fn problems(config: &Config) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |checked: anyhow::Result<()>| problems.extend(checked.err().map(|error| format!("{error:#}")));
    note(open::existing(&config.data.folder).map(drop));
    note(keys(config));
    note(Outgoing::new(&config.outgoing).map(drop).map_err(Into::into));
    note(upkeep::on_disk(config).map(drop).map_err(Into::into));
    problems
}

/// The master key must be readable and fit; a new installation has none yet and needs only a folder for it.
fn keys(config: &Config) -> anyhow::Result<()> {
    let file = &config.vault.key_file;
    let stored =
        if config.data.folder.join(db::FILE).is_file() { open::look(config)?.read(data_key::newest)? } else { None };
    if stored.is_none() && !file.try_exists().unwrap_or(true) {
        return match file.parent() {
            Some(folder) if folder.is_dir() => Ok(()),
            _ => anyhow::bail!(
                "vault.key_file is {}: create its folder, the key is made at the first start",
                file.display()
            ),
        };
    }
    let keys = MasterKey::read(file)?;
    let vault = Vault::new(keys.current, keys.previous);
    if let Some((id, sealed)) = stored {
        vault.open_data_key(id, &sealed)?;
    }
    Ok(())
}

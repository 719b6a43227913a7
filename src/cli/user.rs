//! `user`: who may sign in to the pages.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Ended, Session, is_stdin, open, out};
use crate::clock::Clock;
use crate::db::user::{self, Role};
use crate::desk::{Secret, Wish};
use crate::{vault, view};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Add a user
    Add {
        /// To sign in with
        name: String,
        /// owner, operator or viewer
        #[arg(long, value_parser = role)]
        role: Role,
        #[command(flatten)]
        password: Password,
    },
    /// Change a password
    Passwd {
        /// Who
        name: String,
        #[command(flatten)]
        password: Password,
        /// Leave the user's tokens alive; without this they end with the old password
        #[arg(long)]
        keep_tokens: bool,
    },
    /// Who there is
    List,
}

#[derive(clap::Args)]
pub(super) struct Password {
    /// Read the password from a file, or from standard input with "-". Without this it is read from standard input
    /// if that is no terminal, and made up and shown once if it is
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

pub(super) fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "write owner, operator or viewer".to_owned())
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let change = |wish: Wish, made_up: Option<SecretString>| {
            let mut answer = open::wish(&config, wish, Clock::real().now())?;
            if let Some(password) = &made_up {
                answer["password"] = password.expose_secret().into();
            }
            session.out.say(&answer, || words(&answer))
        };
        match self {
            Self::Add { name, role, password } => {
                let (password, made_up) = password.get()?;
                change(Wish::UserAdd { name, role, password }, made_up)?;
            }
            Self::Passwd { name, password, keep_tokens } => {
                let (password, made_up) = password.get()?;
                change(Wish::UserPasswd { name, password, end_tokens: !keep_tokens }, made_up)?;
            }
            Self::List => {
                let users: Vec<view::User> =
                    open::look(&config)?.read(user::all)?.into_iter().map(view::User::from).collect();
                session.out.say(&users, || {
                    let row = |user: &view::User| {
                        let state = user.disabled_at.map_or_else(String::new, |at| format!("disabled since {at}"));
                        [user.name.clone(), user.role.word().to_owned(), state]
                    };
                    out::table(["USER", "ROLE", ""], &users.iter().map(row).collect::<Vec<_>>())
                })?;
            }
        }
        Ok(Ended::Fine)
    }
}

fn words(answer: &Value) -> String {
    let text = |key: &str| answer[key].as_str().unwrap_or_default();
    let done = match answer["role"].as_str() {
        Some(role) => format!("User {} may sign in as {role}", text("user")),
        None => format!("User {} has a new password", text("user")),
    };
    let mut lines = vec![done];
    if let Some(ended) = answer["tokens_ended"].as_array().filter(|ended| !ended.is_empty()) {
        let names: Vec<&str> = ended.iter().filter_map(Value::as_str).collect();
        lines.push(format!("Tokens ended: {}", names.join(", ")));
    }
    lines.extend(answer["password"].as_str().map(|password| format!("Password, shown this once: {password}")));
    lines.join("\n")
}

impl Password {
    /// The same, but made up wherever none was given: for what must not wait for somebody's input.
    pub(super) fn get_or_make_up(self) -> anyhow::Result<(Secret, Option<SecretString>)> {
        if self.password_file.is_some() { self.get() } else { Ok(made_up()) }
    }

    /// The password, and again if it was made up here.
    fn get(self) -> anyhow::Result<(Secret, Option<SecretString>)> {
        let text = match self.password_file {
            Some(file) if !is_stdin(&file) => read(&file)?,
            None if io::stdin().is_terminal() => return Ok(made_up()),
            Some(_) | None => {
                let mut text = String::new();
                io::stdin().read_to_string(&mut text).context("Cannot read the password from standard input")?;
                text
            }
        };
        Ok((Secret(SecretString::from(text.trim_end_matches(['\r', '\n']))), None))
    }
}

fn made_up() -> (Secret, Option<SecretString>) {
    let made_up = SecretString::from(vault::random_token());
    (Secret(made_up.clone()), Some(made_up))
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("Cannot read the password file {}", file.display()))
}

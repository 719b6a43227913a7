//! The command line: the same functions as the pages, for a person with a shell.
//!
//! Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, 3 ran and found something wrong. What a command found
//! out goes to standard output (`--json`: one JSON value, its shapes are in `crate::view`), everything else to standard error.
//! A secret is never an argument: others can see those.

mod config;
mod demo;
mod hold;
mod log;
mod logging;
mod mapping;
mod merchant;
mod open;
mod order;
mod out;
mod sandbox;
mod serve;
mod token;
mod user;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config as configuration;
use out::Out;

/// Shopify orders in, Daftra invoices out, exactly once.
#[derive(Parser)]
#[command(name = "qantara", version, about, disable_help_subcommand = true)]
struct Cli {
    /// Configuration file; also the variable QANTARA_CONFIG. Without one everything is default
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Take webhooks in, work on orders, serve the pages
    Serve(serve::Serve),
    /// Serve a fake Daftra with a small catalogue, to try everything out
    Sandbox(sandbox::Sandbox),
    /// See it at work: fake shops, a fake Daftra, and this program between them
    Demo(demo::Demo),
    /// Whose orders become whose invoices
    #[command(subcommand)]
    Merchant(merchant::Command),
    /// Which code of a shop is which product of Daftra
    #[command(subcommand)]
    Mapping(mapping::Command),
    /// Orders and their stories
    #[command(subcommand)]
    Order(order::Command),
    /// What waits for a person
    #[command(subcommand)]
    Hold(hold::Command),
    /// What happened, newest first
    Log(log::Log),
    /// Who may sign in to the pages
    #[command(subcommand)]
    User(user::Command),
    /// What lets scripts speak to the API in a user's name
    #[command(subcommand)]
    Token(token::Command),
    /// The effective configuration
    #[command(subcommand)]
    Config(config::Command),
}

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Fine,
    FoundWrong,
}

/// What every command is given.
struct Session {
    config_file: Option<PathBuf>,
    environment: Vec<(String, String)>,
    out: Out,
}

const CONFIG_VARIABLE: &str = "QANTARA_CONFIG";

/// Runs one command of these arguments, the first of which is the program's name.
pub fn run(arguments: impl Iterator<Item = OsString>, environment: Vec<(String, String)>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => {
            // Nobody reads it any more if this fails.
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { USAGE } else { FINE });
        }
    };
    let by_variable = environment.iter().find(|(name, file)| name == CONFIG_VARIABLE && !file.is_empty());
    let config_file = cli.config.or_else(|| by_variable.map(|(_, file)| file.into()));
    let session = Session { config_file, environment, out: Out { json: cli.json } };
    let ended = match cli.command {
        Command::Serve(serve) => serve.run(&session),
        Command::Sandbox(sandbox) => sandbox.run(&session),
        Command::Demo(demo) => demo.run(&session),
        Command::Merchant(command) => command.run(&session),
        Command::Mapping(command) => command.run(&session),
        Command::Order(command) => command.run(&session),
        Command::Hold(command) => command.run(&session),
        Command::Log(log) => log.run(&session),
        Command::User(command) => command.run(&session),
        Command::Token(command) => command.run(&session),
        Command::Config(command) => command.run(&session),
    };
    match ended {
        Ok(Ended::Fine) => ExitCode::from(FINE),
        Ok(Ended::FoundWrong) => ExitCode::from(FOUND_WRONG),
        Err(error) => {
            out::complain(&story(&error));
            ExitCode::from(if error.is::<configuration::Error>() { USAGE } else { FAILED })
        }
    }
}

/// An error and its causes, without those that it has quoted already.
fn story(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told += &format!(": {cause}");
        }
    }
    told
}

const FINE: u8 = 0;
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const FOUND_WRONG: u8 = 3;

impl Session {
    fn config(&self) -> Result<configuration::Config, configuration::Error> {
        configuration::load(self.config_file.as_deref(), self.environment.iter().cloned())
    }

    fn has_variable(&self, name: &str) -> bool {
        self.environment.iter().any(|(known, _)| known == name)
    }
}

/// `-` stands for standard input.
fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

//! The command line: the same functions as the pages, for a person with a shell.
//!
//! Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, 3 ran and found something wrong. What a command found
//! out goes to standard output (`--json`: one JSON value, its shapes are in `crate::view`), everything else to standard error.
//! A secret is never an argument: others can see those.

mod alert;
mod backup;
mod completions;
mod config;
mod coverage;
mod cut_over;
mod demo;
mod doctor;
mod healthcheck;
mod hold;
mod init;
mod install;
mod log;
mod logging;
mod mail;
mod mapping;
mod merchant;
mod merchant_export;
mod open;
mod order;
mod out;
mod privacy;
mod rekey;
mod restore;
mod sandbox;
mod secret;
mod serve;
mod shop;
mod statement;
mod token;
mod user;
mod verify;

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
    /// Configuration file; also the variable QANTARA_CONFIG. Without either /etc/qantara/config.toml if it is there, else
    /// everything is default
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
    /// Ask the running server whether it is ready
    Healthcheck(healthcheck::Healthcheck),
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
    /// Look for orders in a merchant's shop now
    CatchUp(shop::CatchUp),
    /// What waits for a person
    #[command(subcommand)]
    Hold(hold::Command),
    /// What happened, newest first
    Log(log::Log),
    /// The daily statements: every order of a day in exactly one class
    #[command(subcommand)]
    Statement(statement::Command),
    /// What shops ask for in the name of their customers, and forgetting a customer
    #[command(subcommand)]
    Privacy(privacy::Command),
    /// Whether mails arrive
    #[command(subcommand)]
    Mail(mail::Command),
    /// Who may sign in to the pages
    #[command(subcommand)]
    User(user::Command),
    /// What lets scripts speak to the API in a user's name
    #[command(subcommand)]
    Token(token::Command),
    /// How people hear of alerts who look at no page
    #[command(subcommand)]
    Alert(alert::Command),
    /// Make a checked copy of the database, also while the server works
    Backup(backup::Backup),
    /// Look whether the database, or a copy of it, is whole and opens; exits with 3 if not
    Verify(verify::Verify),
    /// Put a backup in the place of the database; the server must be stopped
    Restore(restore::Restore),
    /// Replace the master key and seal everything anew; the server must be stopped
    Rekey,
    /// The effective configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Write a configuration, the master key and the first owner
    Init(init::Init),
    /// Make this program a service of systemd
    Install(install::Install),
    /// Stop and remove the service; configuration, key and data stay
    Uninstall(install::Uninstall),
    /// Look whether everything is well, and say what to do; exits with 3 if something is bad
    Doctor(doctor::Doctor),
    /// Print what a shell needs to complete these commands
    Completions(completions::Completions),
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
        Command::Healthcheck(healthcheck) => healthcheck.run(&session),
        Command::Sandbox(sandbox) => sandbox.run(&session),
        Command::Demo(demo) => demo.run(&session),
        Command::Merchant(command) => command.run(&session),
        Command::Mapping(command) => command.run(&session),
        Command::Order(command) => command.run(&session),
        Command::CatchUp(catch_up) => catch_up.run(&session),
        Command::Hold(command) => command.run(&session),
        Command::Log(log) => log.run(&session),
        Command::Statement(command) => command.run(&session),
        Command::Privacy(command) => command.run(&session),
        Command::Mail(command) => command.run(&session),
        Command::User(command) => command.run(&session),
        Command::Token(command) => command.run(&session),
        Command::Alert(command) => command.run(&session),
        Command::Backup(backup) => backup.run(&session),
        Command::Verify(verify) => verify.run(&session),
        Command::Restore(restore) => restore.run(&session),
        Command::Rekey => rekey::run(&session),
        Command::Config(command) => command.run(&session),
        Command::Init(init) => init.run(&session),
        Command::Install(install) => install.run(&session),
        Command::Uninstall(uninstall) => uninstall.run(&session),
        Command::Doctor(doctor) => doctor.run(&session),
        Command::Completions(completions) => completions.run(),
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
        configuration::load(self.file_in_use(), self.environment.iter().cloned())
    }

    /// The configuration file that counts, if any.
    fn file_in_use(&self) -> Option<&Path> {
        let usual = Some(Path::new(init::CONFIG_FILE)).filter(|file| file.is_file());
        self.config_file.as_deref().or(usual)
    }

    fn has_variable(&self, name: &str) -> bool {
        self.environment.iter().any(|(known, _)| known == name)
    }
}

/// `-` stands for standard input.
fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

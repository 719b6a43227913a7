//! `merchant`: whose orders become whose invoices.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::{Ended, Session, coverage, cut_over, is_stdin, merchant_export, open, out, secret, shop};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::merchant::Mode;
use crate::db::scope::Scope;
use crate::desk::file::{EXAMPLE, MerchantFile};
use crate::desk::{Proposal, Secrets, Wish};
use crate::text::Lang;
use crate::view::{self, read};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Add a merchant from its file
    Add {
        /// The merchant file, TOML or JSON; "-" reads standard input
        #[arg(required_unless_present = "example")]
        file: Option<PathBuf>,
        /// Print a file with every key explained instead
        #[arg(long, conflicts_with = "file")]
        example: bool,
    },
    /// Make a merchant what its file says; secrets the file does not name stay
    Set {
        /// The merchant file, TOML or JSON; "-" reads standard input
        file: PathBuf,
    },
    /// All merchants and how their orders stand
    List,
    /// One merchant
    Show {
        /// The merchant
        slug: String,
        /// As a file that "merchant set" takes
        #[arg(long)]
        toml: bool,
    },
    /// Go on keeping deliveries, do nothing with them
    Pause {
        /// The merchant
        slug: String,
    },
    /// Go back to what was paused
    Resume {
        /// The merchant
        slug: String,
    },
    /// End a merchant: what was booked stays for a time, nothing new is taken in
    Close {
        /// The merchant
        slug: String,
    },
    /// Write all that is kept of a merchant into a new folder, as JSON and CSV, for whoever takes it along
    Export {
        /// The merchant
        slug: String,
        /// The folder, which must not be there yet
        folder: PathBuf,
    },
    /// Connect a merchant to the API of its shop; without options: how that stands
    Api(Box<shop::Api>),
    /// For which of the shop's variants a product is found in Daftra, by which rule, and for which none is; exits with 3 if
    /// there are such
    Coverage(coverage::Coverage),
    /// Look in Daftra for invoices of the last 30 days that name this merchant's orders and were made by somebody else; exits
    /// with 3 if one waits for a decision
    CutOver(cut_over::CutOver),
    /// Take a closed merchant's deliveries in again, paused
    Open {
        /// The merchant
        slug: String,
        /// A file with a new webhook secret, where another shop has the one of before by now
        #[arg(long, value_name = "FILE")]
        webhook_secret_file: Option<PathBuf>,
    },
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::Add { file: Some(file), .. } => {
                let proposal = proposal(&file)?;
                change(session, Wish::MerchantAdd(Box::new(proposal)))?;
            }
            Self::Add { file: None, .. } => out::print(EXAMPLE.trim_end())?,
            Self::Set { file } => {
                let proposal = proposal(&file)?;
                change(session, Wish::MerchantSet(Box::new(proposal)))?;
            }
            Self::List => list(session)?,
            Self::Show { slug, toml } => show(session, &slug, toml)?,
            Self::Pause { slug } => change(session, Wish::MerchantPause { slug })?,
            Self::Resume { slug } => change(session, Wish::MerchantResume { slug })?,
            Self::Close { slug } => change(session, Wish::MerchantClose { slug })?,
            Self::Export { slug, folder } => return merchant_export::export(session, &slug, &folder),
            Self::Api(api) => api.run(session)?,
            Self::Coverage(coverage) => return coverage.run(session),
            Self::CutOver(cut_over) => return cut_over.run(session),
            Self::Open { slug, webhook_secret_file } => {
                let secret =
                    webhook_secret_file.map(|file| secret::read("--webhook-secret-file", &file)).transpose()?;
                change(session, Wish::MerchantOpen { slug, secret })?;
            }
        }
        Ok(Ended::Fine)
    }
}

fn change(session: &Session, wish: Wish) -> anyhow::Result<()> {
    let config = session.config()?;
    let mut answer = open::wish(&config, wish, Clock::real().now())?;
    let address = webhook_address(&config, answer["merchant"].as_str().unwrap_or_default());
    answer["webhook_address"] = address.into();
    session.out.say(&answer, || words(&answer))
}

fn words(answer: &Value) -> String {
    let text = |key: &str| answer[key].as_str().unwrap_or_default();
    let list =
        |key: &str| -> Vec<&str> { answer[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect() };
    let mode = Mode::parse(text("mode")).map_or("", |mode| Lang::En.words().mode(mode));
    let mut lines = vec![format!("Merchant {}: {mode}", text("merchant"))];
    match (list("changed").join(", "), list("secrets").join(", ")) {
        (keys, secrets) if keys.is_empty() && secrets.is_empty() => lines.push("Nothing changed".to_owned()),
        (keys, secrets) => {
            lines.extend((!keys.is_empty()).then(|| format!("Changed: {keys}")));
            lines.extend((!secrets.is_empty()).then(|| format!("Secrets changed: {secrets}")));
        }
    }
    lines.push(format!("Webhook address: {}", text("webhook_address")));
    lines.extend(list("notes").into_iter().map(str::to_owned));
    lines.join("\n")
}

fn webhook_address(config: &Config, slug: &str) -> String {
    view::webhook_address(&config.public_origin(config.http.listen), slug)
}

/// Reads a merchant file and the secrets it names.
fn proposal(file: &Path) -> anyhow::Result<Proposal> {
    let (text, folder) = if is_stdin(file) {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).context("Cannot read the merchant file from standard input")?;
        (text, Path::new(""))
    } else {
        let text =
            fs::read_to_string(file).with_context(|| format!("Cannot read the merchant file {}", file.display()))?;
        (text, file.parent().unwrap_or(Path::new("")))
    };
    let mut merchant =
        MerchantFile::read(&text).with_context(|| format!("The merchant file {} is wrong", file.display()))?;
    let secret = |key: &str, path: &Path| secret::read(key, &folder.join(path));
    let webhook = std::mem::take(&mut merchant.shop.webhook_secret_files);
    let secrets = Secrets {
        webhook: webhook.iter().map(|path| secret("shop.webhook_secret_files", path)).collect::<Result<_, _>>()?,
        daftra_key: merchant.daftra.key_file.take().map(|path| secret("daftra.key_file", &path)).transpose()?,
    };
    Ok(Proposal { file: merchant, secrets })
}

fn list(session: &Session) -> anyhow::Result<()> {
    let db = open::look(&session.config()?)?;
    let rows = db.see(&Scope::All, read::merchants)?;
    session.out.say(&rows, || {
        let cells = |row: &view::MerchantRow| {
            let orders: Vec<String> = row.orders.iter().map(|(state, count)| format!("{count} {state}")).collect();
            let trouble = row.trouble.as_ref().map_or_else(String::new, |trouble| trouble.what.clone());
            [row.slug.clone(), row.mode.word().to_owned(), row.shop_domain.clone(), orders.join(", "), trouble]
        };
        out::table(["MERCHANT", "MODE", "SHOP", "ORDERS", "TROUBLE"], &rows.iter().map(cells).collect::<Vec<_>>())
    })
}

fn show(session: &Session, slug: &str, as_file: bool) -> anyhow::Result<()> {
    let config = session.config()?;
    let db = open::look(&config)?;
    let found = open::merchant_of(&db, slug)?;
    let merchant =
        db.see(&Scope::All, |sight| read::merchant(sight, &found.slug, &config.public_origin(config.http.listen)))?;
    if as_file {
        return out::print(merchant.file.to_toml().trim_end());
    }
    session.out.say(&merchant, || {
        let mut lines = vec![
            format!("# Webhook address: {}", merchant.webhook_address),
            format!("# Webhook secrets: {}", merchant.webhook_secrets),
            format!("# Daftra key: {}", if merchant.has_daftra_key { "stored" } else { "none" }),
        ];
        lines.extend(
            merchant.trouble.iter().map(|trouble| format!("# Trouble: {} {}", trouble.what, trouble.next_step)),
        );
        format!("{}\n\n{}", lines.join("\n"), merchant.file.to_toml())
    })
}

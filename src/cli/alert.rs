//! `alert`: the ways by which people hear of alerts, tried out.

use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Ended, Session, mail, secret};
use crate::channel::telegram::Telegram;
use crate::channel::webhook::Webhook;
use crate::channel::{Channels, Message};
use crate::clock::Clock;
use crate::config::Config;
use crate::engine::telling::Tongue;
use crate::mail::post;
use crate::outgoing::Outgoing;
use crate::text::Lang;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Say something by each way of the configuration now, also while no server runs; exits with 3 if one fails
    Test,
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::Test => test(session),
        }
    }
}

/// How alerts are told by this configuration. The files of its secrets must be there.
pub(super) fn tongue(config: &Config, outgoing: Outgoing) -> anyhow::Result<Tongue> {
    let alerts = &config.alerts;
    let telegram = match (&alerts.telegram_token_file, &alerts.telegram_chat) {
        (Some(file), Some(chat)) => {
            let token = secret::read("alerts.telegram_token_file", file)?.0;
            Some(Telegram { origin: alerts.telegram_address.clone(), token, chat: chat.clone() })
        }
        _ => None,
    };
    let webhook = match (&alerts.webhook_url, &alerts.webhook_secret_file) {
        (Some(url), Some(file)) => Some(webhook(url, file)?),
        _ => None,
    };
    let lang = Lang::of_tag(&alerts.language).unwrap_or(Lang::En);
    if let Some(address) = alerts.mail_to.iter().find(|address| post::mailbox(address).is_none()) {
        bail!("alerts.mail_to has {address}: that is no mail address, write one like ops@example.com");
    }
    let zone = TimeZone::get(&alerts.time_zone).unwrap_or(TimeZone::UTC);
    Ok(Tongue { channels: Channels::new(outgoing, telegram, webhook), lang, mail_to: alerts.mail_to.clone(), zone })
}

fn webhook(url: &str, file: &Path) -> anyhow::Result<Webhook> {
    const KEY: &str = "alerts.webhook_secret_file";
    let text = secret::read(KEY, file)?;
    Webhook::new(url.to_owned(), text.0.expose_secret()).with_context(|| format!("{KEY} is {}", file.display()))
}

fn test(session: &Session) -> anyhow::Result<Ended> {
    let config = session.config()?;
    let tongue = tongue(&config, Outgoing::new(&config.outgoing)?)?;
    let open = tongue.channels.open();
    if open.is_empty() && tongue.mail_to.is_empty() {
        bail!(
            "No way is configured by which alerts are told: set alerts.mail_to, alerts.telegram_token_file with \
             alerts.telegram_chat, or alerts.webhook_url with alerts.webhook_secret_file"
        );
    }
    let now = Clock::real().now();
    let text = tongue.lang.telling().trial;
    let body = json!({ "type": "alert.trial", "timestamp": now.to_string(), "data": { "what": text } }).to_string();
    let id = format!("alert-{}-trial", now.as_millisecond());
    let message = Message { id: &id, text, body: &body };
    let mut tries: Vec<(String, Option<String>)> = Vec::new();
    for channel in open {
        let problem = tongue.channels.send(channel, &message, now).err().map(|error| error.to_string());
        tries.push((channel.word().to_owned(), problem));
    }
    for address in &tongue.mail_to {
        tries.push((format!("mail to {address}"), mail::trial(&config, address)?));
    }
    let rows = tries.iter().map(|(way, problem)| json!({ "way": way, "problem": problem }));
    session.out.say(&json!({ "told": rows.collect::<Vec<Value>>() }), || {
        let line = |(way, problem): &(String, Option<String>)| match problem {
            None => format!("{way}: sent, look whether it is there"),
            Some(problem) => format!("{way}: not sent. {problem}"),
        };
        tries.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if tries.iter().all(|(_, problem)| problem.is_none()) { Ended::Fine } else { Ended::FoundWrong })
}

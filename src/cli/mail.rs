//! `mail`: whether mails arrive.

use lettre::message::Mailbox;
use serde_json::json;

use super::{Ended, Session};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::news::{Kind, Problem};
use crate::engine::outbox::Rules;
use crate::mail::letter::Letter;
use crate::mail::post::{self, Handed, Outgoing, Post};
use crate::mail::render::render;
use crate::text::Lang;
use crate::text::label::mail::problem;
use crate::vault;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Send a mail with the settings of [mail], beside the outbox; exits with 3 if the mail server does not take it
    Test(Test),
}

#[derive(clap::Args)]
pub(super) struct Test {
    /// Whom to send it to
    address: String,
    /// In which language: en or ar
    #[arg(long, default_value = "en", value_parser = ["en", "ar"])]
    language: String,
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::Test(test) => test.run(session),
        }
    }
}

impl Test {
    fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let Some(rules) = Rules::new(&config)? else {
            anyhow::bail!("mail.server is empty: name the mail server, and who sends in mail.from");
        };
        let Some(to) = post::mailbox(&self.address) else {
            anyhow::bail!("{} is no mail address: write one, for example owner@example.com", self.address);
        };
        let handed = send(rules, &to, &self.language);
        let told = complaint(&handed);
        let state = match &handed {
            Handed::Taken => "sent",
            Handed::NotTaken { .. } => "not_sent",
            Handed::Unknown => "in_doubt",
        };
        session.out.say(&json!({ "state": state, "problem": told, "server": server(&config) }), || match &told {
            None => format!("{} took the mail; look whether it arrives, and where", server(&config)),
            Some(found) => in_words(&config, found),
        })?;
        Ok(if handed == Handed::Taken { Ended::Fine } else { Ended::FoundWrong })
    }
}

pub(super) fn server(config: &Config) -> String {
    format!("{}:{}", config.mail.server.as_deref().unwrap_or_default(), config.mail.port)
}

/// Why a mail was not taken, as far as is known.
fn complaint(handed: &Handed) -> Option<Problem> {
    match handed {
        Handed::Taken => None,
        Handed::NotTaken { problem, .. } => Some(problem.clone()),
        Handed::Unknown => Some(Problem::InDoubt),
    }
}

fn in_words(config: &Config, found: &Problem) -> String {
    let sentence = problem(Lang::En, found);
    format!("{}: {} {}", server(config), sentence.what, sentence.next_step)
}

/// Sends a trial to somebody who gets alerts; what is wrong, if it does not go.
pub(super) fn trial(config: &Config, address: &str) -> anyhow::Result<Option<String>> {
    let (Some(rules), Some(to)) = (Rules::new(config)?, post::mailbox(address)) else {
        return Ok(Some(format!("{address} cannot be written to: see mail.server and alerts.mail_to")));
    };
    let handed = send(rules, &to, &config.alerts.language);
    Ok(complaint(&handed).map(|found| in_words(config, &found)))
}

fn send(rules: Rules, to: &Mailbox, language: &str) -> Handed {
    let letter = Letter::blank(Kind::Trial, language);
    let Rules { server, from, .. } = rules;
    let token: String = vault::random_token().chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    let message_id = format!("<{token}@{}>", post::domain(&from));
    let rendered = render(&letter, 1);
    let at = Clock::real().now();
    let outgoing = Outgoing { from: &from, to: &to.email, message_id: &message_id, at, rendered: &rendered };
    match post::bytes(&outgoing) {
        Ok(bytes) => {
            let mut post = Post::new(server);
            let handed = post.hand_over(&from.email, &to.email, &bytes);
            post.hang_up();
            handed
        }
        Err(problem) => Handed::NotTaken { problem, is_the_servers: false },
    }
}

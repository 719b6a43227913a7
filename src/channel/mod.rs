//! Ways beside mail by which an operator hears of alerts: a Telegram bot, and one webhook of the operator's own.
//!
//! A way takes a text, or a body, and says what came of it. Whoever may be reached is judged by [`crate::outgoing`]: private
//! addresses want an exception there. What failed may be sent again: the receiver of a webhook sees the same id, in
//! Telegram the message may then stand twice.

pub mod telegram;
pub mod webhook;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::outgoing::{Limits, Outgoing};
use telegram::Telegram;
use webhook::Webhook;

/// Nobody waits longer for one of them.
const LIMITS: Limits = Limits {
    call_timeout: Duration::from_secs(20),
    connect_timeout: Duration::from_secs(10),
    max_answer_bytes: 64 * 1024,
};
/// So much of a stranger's answer is quoted.
const QUOTED: usize = 200;

/// A way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    Telegram,
    Webhook,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Telegram, Self::Webhook];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
        }
    }
}

/// One thing to say.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The same at every try.
    pub id: &'a str,
    /// For people.
    pub text: &'a str,
    /// The same for programs: a JSON object.
    pub body: &'a str,
}

/// Why it was not said. Texts name the receiver's host at most, never a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It may go better after a while; the receiver may have said after how long.
    #[error("{why}")]
    Later { why: String, after: Option<SignedDuration> },
    /// It will not go better by itself.
    #[error("{0}")]
    Never(String),
}

/// The ways that are open.
#[derive(Clone, Debug)]
pub struct Channels {
    outgoing: Outgoing,
    telegram: Option<Telegram>,
    webhook: Option<Webhook>,
}

impl Channels {
    /// Those of these that there are.
    #[must_use]
    pub fn new(outgoing: Outgoing, telegram: Option<Telegram>, webhook: Option<Webhook>) -> Self {
        Self { outgoing, telegram, webhook }
    }

    /// Which are open.
    #[must_use]
    pub fn open(&self) -> Vec<Channel> {
        let telegram = self.telegram.as_ref().map(|_| Channel::Telegram);
        telegram.into_iter().chain(self.webhook.as_ref().map(|_| Channel::Webhook)).collect()
    }

    /// Says it once. A way that is not open any more refuses for good.
    pub fn send(&self, channel: Channel, message: &Message<'_>, now: Timestamp) -> Result<(), Refused> {
        let closed = || Refused::Never("it is not in the configuration any more".to_owned());
        match channel {
            Channel::Telegram => self.telegram.as_ref().ok_or_else(closed)?.send(&self.outgoing, message),
            Channel::Webhook => self.webhook.as_ref().ok_or_else(closed)?.send(&self.outgoing, message, now),
        }
    }
}

/// The beginning of what a receiver answered, on one line.
fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|letter| !letter.is_control()).take(QUOTED).collect()
}

/// The pause that a receiver asks for in whole seconds.
fn pause(header: Option<&str>) -> Option<SignedDuration> {
    header?.trim().parse::<u32>().ok().map(|seconds| SignedDuration::from_secs(seconds.into()))
}

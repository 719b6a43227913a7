//! A Telegram bot: it says a text in one chat. Facts are those of Telegram's page about its Bot API.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{LIMITS, Message, Refused, quoted};
use crate::outgoing::{Answer, Call, Failure, Method, Outgoing};
use jiff::SignedDuration;

/// The longest text that Telegram takes, in UTF-16 units.
const LONGEST: usize = 4_096;

/// The bot and where it speaks.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// Scheme and host; `https://api.telegram.org` but in trials.
    pub origin: String,
    /// As @BotFather gave it. It stands in the address of every call, which is why nothing quotes addresses.
    pub token: SecretString,
    /// A number, or `@name` of a channel.
    pub chat: String,
}

#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    description: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
}

impl Telegram {
    pub(super) fn send(&self, outgoing: &Outgoing, message: &Message<'_>) -> Result<(), Refused> {
        let url = SecretString::from(format!("{}/bot{}/sendMessage", self.origin, self.token.expose_secret()));
        let body = json!({
            "chat_id": self.chat,
            "text": cut(message.text),
            "link_preview_options": { "is_disabled": true },
        })
        .to_string();
        let call = Call {
            method: Method::Post,
            url: url.expose_secret(),
            headers: &[("content-type", "application/json")],
            secret_header: None,
            body: Some(body.as_bytes()),
        };
        match outgoing.exchange(&call, &LIMITS) {
            Ok(answer) => read(&answer),
            Err(Failure::Unsent(why) | Failure::Unknown(why)) => Err(Refused::Later { why, after: None }),
        }
    }
}

fn read(answer: &Answer) -> Result<(), Refused> {
    let Ok(said) = serde_json::from_slice::<Said>(&answer.body) else {
        let why = format!("Telegram answered {} without JSON: {}", answer.status, quoted(&answer.body));
        return Err(Refused::Later { why, after: None });
    };
    if said.ok {
        return Ok(());
    }
    let why = format!("Telegram answered {}: {}", answer.status, quoted(said.description.as_bytes()));
    match answer.status {
        401 | 404 => Err(Refused::Never(format!("{why}; put the token of @BotFather into alerts.telegram_token_file"))),
        400 | 403 => Err(Refused::Never(format!(
            "{why}; see alerts.telegram_chat, and write to the bot once so that it may answer"
        ))),
        _ => {
            let after = said.parameters.and_then(|parameters| parameters.retry_after);
            Err(Refused::Later { why, after: after.map(|seconds| SignedDuration::from_secs(seconds.into())) })
        }
    }
}

/// What fits.
fn cut(text: &str) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|letter| {
            units += letter.len_utf16();
            units <= LONGEST
        })
        .collect()
}

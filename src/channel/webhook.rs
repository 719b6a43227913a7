//! A webhook of the operator's own, signed as Standard Webhooks wants it: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature`, an HMAC-SHA256 over the three parts id, timestamp and body, joined by full stops.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;

use super::{LIMITS, Message, Refused, pause, quoted};
use crate::outgoing::{Call, Failure, Method, Outgoing};

/// What a secret begins with when it is written down.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Where it goes and what signs it.
#[derive(Clone, Debug)]
pub struct Webhook {
    url: String,
    secret: SecretSlice<u8>,
}

/// The text is no secret of Standard Webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be whsec_ and 24 to 64 bytes in base64; make one: echo whsec_$(head -c 32 /dev/urandom | base64)")]
pub struct BadSecret;

impl Webhook {
    /// To this address, signed with this secret as it is written down.
    pub fn new(url: String, secret: &str) -> Result<Self, BadSecret> {
        let text = secret.trim().strip_prefix(PREFIX).ok_or(BadSecret)?;
        let bytes = STANDARD.decode(text).map_err(|_| BadSecret)?;
        if !LENGTHS.contains(&bytes.len()) {
            return Err(BadSecret);
        }
        Ok(Self { url, secret: bytes.into() })
    }

    pub(super) fn send(&self, outgoing: &Outgoing, message: &Message<'_>, now: Timestamp) -> Result<(), Refused> {
        let at = now.as_second().to_string();
        let signature = self.sign(message.id, &at, message.body);
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", message.id),
            ("webhook-timestamp", &at),
            ("webhook-signature", &signature),
        ];
        let body = Some(message.body.as_bytes());
        let call = Call { method: Method::Post, url: &self.url, headers: &headers, secret_header: None, body };
        let answer = match outgoing.exchange(&call, &LIMITS) {
            Ok(answer) => answer,
            Err(Failure::Unsent(why) | Failure::Unknown(why)) => return Err(Refused::Later { why, after: None }),
        };
        let why = || format!("The webhook's receiver answered {}: {}", answer.status, quoted(&answer.body));
        match answer.status {
            200..=299 => Ok(()),
            410 => Err(Refused::Never(format!("{}; it wants no more, empty alerts.webhook_url", why()))),
            400 | 404 | 405 | 413 | 415 | 422 => {
                Err(Refused::Never(format!("{}; it does not understand what is posted", why())))
            }
            _ => Err(Refused::Later { why: why(), after: pause(answer.header("retry-after")) }),
        }
    }

    fn sign(&self, id: &str, at: &str, body: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.secret.expose_secret()).expect("HMAC takes keys of any length");
        for part in [id, ".", at, ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

//! One call to the Admin API, and what its answer counts as.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use form_urlencoded::Serializer;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Document, VERSION};
use crate::domain::connection::Blocked;
use crate::outgoing::{Answer, Call, Failure, Limits, Method, Outgoing};

/// After a throttled answer that does not say when there is room again.
const THROTTLED: SignedDuration = SignedDuration::from_secs(2);
/// Nobody waits longer for room without asking again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(1);

/// Speaks to shops.
#[derive(Clone, Debug)]
pub struct Client {
    outgoing: Outgoing,
    limits: Limits,
    /// Where all shops are in a trial, below `/shop/DOMAIN`; else each is at its own domain.
    trial: Option<SocketAddr>,
}

/// The way into one shop.
#[derive(Clone, Debug)]
pub struct Door {
    /// `name.myshopify.com`.
    pub shop: String,
    /// For the header `X-Shopify-Access-Token`.
    pub token: SecretString,
}

/// A token that was given for a client's id and secret.
#[derive(Clone, Debug)]
pub struct Grant {
    /// In clear.
    pub token: SecretString,
    /// So long it is good.
    pub lives: SignedDuration,
    /// What it allows.
    pub scopes: BTreeSet<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Setback {
    /// A person has to do something.
    #[error("the shop's API is closed to us: {0:?}")]
    Blocked(Blocked),
    /// Too much was asked lately: ask again after this.
    #[error("the shop's API wants a pause")]
    Throttled(SignedDuration),
    /// Nobody answered, or nonsense: it may work the next time.
    #[error("{0}")]
    Failed(String),
}

/// What the last answer left in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// When a question as dear as the last one could not be paid: how long until it can.
    pub(super) wait: Option<SignedDuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cost {
    requested_query_cost: Option<Decimal>,
    throttle_status: Option<Throttle>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttle {
    maximum_available: Decimal,
    currently_available: Decimal,
    restore_rate: Decimal,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    scope: String,
    expires_in: Option<i64>,
}

impl Client {
    /// A client that goes out by this way. In a trial all shops are at one address.
    #[must_use]
    pub fn new(outgoing: Outgoing, limits: Limits, trial: Option<SocketAddr>) -> Self {
        Self { outgoing, limits, trial }
    }

    /// Asks for a token with the client's id and secret.
    pub fn sign_in(&self, shop: &str, client_id: &str, client_secret: &SecretString) -> Result<Grant, Setback> {
        let body = Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", client_id)
            .append_pair("client_secret", client_secret.expose_secret())
            .finish();
        let url = format!("{}/admin/oauth/access_token", self.origin(shop));
        let headers = [("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded")];
        let call = Call {
            method: Method::Post,
            url: &url,
            headers: &headers,
            secret_header: None,
            body: Some(body.as_bytes()),
        };
        let answer = self.outgoing.exchange(&call, &self.limits).map_err(|failure| unanswered(&failure))?;
        if matches!(answer.status, 400 | 401) {
            return Err(Setback::Blocked(Blocked::Client { text: words_of(&answer.body) }));
        }
        refused(&answer)?;
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| nonsense())?;
        Ok(Grant {
            token: SecretString::from(granted.access_token),
            lives: SignedDuration::from_secs(granted.expires_in.unwrap_or(86_399)),
            scopes: granted.scope.split([',', ' ']).filter(|one| !one.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Asks one question; the data, and how much may still be asked. What is denied about buyers alone is no failure:
    /// an order without them can be booked.
    pub(super) fn ask(&self, door: &Door, question: Document, variables: &Value) -> Result<(Value, Room), Setback> {
        let body = json!({"query": question.text, "operationName": question.name, "variables": variables}).to_string();
        let url = format!("{}/admin/api/{VERSION}/graphql.json", self.origin(&door.shop));
        let call = Call {
            method: Method::Post,
            url: &url,
            headers: &[("Accept", "application/json"), ("Content-Type", "application/json")],
            secret_header: Some(("X-Shopify-Access-Token", &door.token)),
            body: Some(body.as_bytes()),
        };
        let answer = self.outgoing.exchange(&call, &self.limits).map_err(|failure| unanswered(&failure))?;
        refused(&answer)?;
        let mut whole: Value = serde_json::from_slice(&answer.body).map_err(|_| nonsense())?;
        let cost = serde_json::from_value::<Cost>(whole["extensions"]["cost"].take()).ok();
        let data = whole["data"].take();
        let errors = whole["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let codes = || errors.iter().filter_map(|error| error["extensions"]["code"].as_str());
        if codes().any(|code| code == "THROTTLED") {
            return Err(Setback::Throttled(cost.and_then(|cost| cost.wait()).unwrap_or(THROTTLED)));
        }
        if let Some(blocked) = denied(errors, &data) {
            return Err(Setback::Blocked(blocked));
        }
        let is_gap = |error: &Value| error["extensions"]["code"] == "ACCESS_DENIED";
        if let Some(error) = errors.iter().find(|error| !is_gap(error)) {
            let text = error["message"].as_str().unwrap_or("no reason given");
            return Err(Setback::Failed(format!("{}: {}", question.name, short(text))));
        }
        if data.is_null() {
            return Err(Setback::Failed(format!("{}: an answer without data", question.name)));
        }
        Ok((data, Room { wait: cost.and_then(|cost| cost.wait()) }))
    }

    fn origin(&self, shop: &str) -> String {
        self.trial.map_or_else(|| format!("https://{shop}"), |address| format!("http://{address}/shop/{shop}"))
    }
}

impl Cost {
    /// Nothing while another such question can be paid; else until half of the bucket is there again: whoever came back
    /// for the next question only would begin an order anew for ever.
    fn wait(&self) -> Option<SignedDuration> {
        let throttle = self.throttle_status.as_ref()?;
        let price = self.requested_query_cost?;
        if price <= throttle.currently_available || throttle.restore_rate <= Decimal::ZERO {
            return None;
        }
        let wanted = price.max(throttle.maximum_available / Decimal::TWO);
        let seconds = ((wanted - throttle.currently_available) / throttle.restore_rate).ceil().to_i64()?;
        Some(SignedDuration::from_secs(seconds).min(LONGEST_WAIT))
    }
}

/// What the status alone says.
fn refused(answer: &Answer) -> Result<(), Setback> {
    match answer.status {
        200..=299 => Ok(()),
        401 => Err(Setback::Blocked(Blocked::Token)),
        402 => Err(Setback::Blocked(Blocked::Unpaid)),
        403 => Err(Setback::Blocked(Blocked::Forbidden)),
        404 => Err(Setback::Blocked(Blocked::NoShop)),
        423 => Err(Setback::Blocked(Blocked::Locked)),
        429 => {
            let said = answer.header("retry-after").and_then(|text| text.trim().split('.').next()?.parse().ok());
            let wait = said.map_or(THROTTLED, SignedDuration::from_secs);
            Err(Setback::Throttled(wait.clamp(SignedDuration::from_secs(1), LONGEST_WAIT)))
        }
        status => Err(Setback::Failed(format!("the shop answered with HTTP {status}"))),
    }
}

/// What a person must allow: a scope that lacks, or the access to protected data. Where what was asked for is there, only
/// fields about the buyer are missing; where it is not, it was denied, and nobody says that there is no such thing.
fn denied(errors: &[Value], data: &Value) -> Option<Blocked> {
    let denied = errors.iter().filter(|error| error["extensions"]["code"] == "ACCESS_DENIED");
    let mut missing = BTreeSet::new();
    let mut is_protected = false;
    let is_withheld =
        |error: &Value| data.is_null() || error["path"][0].as_str().is_some_and(|asked| data[asked].is_null());
    for error in denied {
        match error["extensions"]["requiredAccess"].as_str() {
            Some(required) => missing.extend(scopes_in(required)),
            None => is_protected |= is_withheld(error),
        }
    }
    if !missing.is_empty() {
        return Some(Blocked::Scopes { missing });
    }
    is_protected.then_some(Blocked::Protected)
}

/// The scopes that stand between backticks in Shopify's words.
fn scopes_in(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn unanswered(failure: &Failure) -> Setback {
    Setback::Failed(failure.to_string())
}

fn nonsense() -> Setback {
    // The library's words may quote the answer, and with it a buyer.
    Setback::Failed("the shop's answer is no JSON that can be read".to_owned())
}

fn words_of(body: &[u8]) -> String {
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = whole["error_description"].as_str().or_else(|| whole["error"].as_str());
    short(said.unwrap_or("no reason given"))
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

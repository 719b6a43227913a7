//! One webhook as it travels: headers, signature, the raw bytes, and a small blocking sender.
//!
//! Only the body is signed, as on the real thing. A repeat is the same value again: same bytes, same webhook id.

use std::io::{Read as _, copy, sink};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;

/// The version all bodies are written in.
pub const API_VERSION: &str = "2026-07";

/// One webhook, ready to be sent as often as needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `orders/create`.
    pub topic: String,
    /// One per delivery; repeats keep it.
    pub webhook_id: String,
    /// One per action; deliveries of several topics share it.
    pub event_id: String,
    /// When the action happened.
    pub triggered_at: Timestamp,
    /// The version of the body.
    pub api_version: String,
    /// The permanent domain of the shop.
    pub shop_domain: String,
    /// The order it is about, if any.
    pub order_id: Option<u64>,
    /// The bytes that are signed.
    pub body: Vec<u8>,
}

impl Delivery {
    /// All headers of the request, signed with `secret`.
    pub fn headers(&self, secret: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-Shopify-Topic", self.topic.clone()),
            ("X-Shopify-Hmac-Sha256", sign(secret, &self.body)),
            ("X-Shopify-Shop-Domain", self.shop_domain.clone()),
            ("X-Shopify-API-Version", self.api_version.clone()),
            ("X-Shopify-Webhook-Id", self.webhook_id.clone()),
            ("X-Shopify-Event-Id", self.event_id.clone()),
            ("X-Shopify-Triggered-At", format!("{:.9}", self.triggered_at)),
        ];
        headers.extend(self.order_id.map(|id| ("X-Shopify-Order-Id", id.to_string())));
        headers
    }
}

/// Base64 of the HMAC-SHA256 of the raw body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// JSON as Shopify writes it: `/`, `&`, `<` and `>` escaped, other scripts as plain UTF-8. These characters cannot
/// stand outside of a string in JSON, so replacing them in the finished text is exact.
pub fn raw(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    text.replace('/', "\\/").replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e").into_bytes()
}

/// Posts deliveries under Shopify's time limits.
#[derive(Debug, Clone)]
pub struct Sender(ureq::Agent);

impl Default for Sender {
    fn default() -> Sender {
        Sender::new()
    }
}

impl Sender {
    /// One second to connect, five in all, no redirects, no proxy; connections are kept.
    pub fn new() -> Sender {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(1)))
            .timeout_global(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Sender(config.new_agent())
    }

    /// Posts one delivery and gives the status, whatever it is.
    pub fn send(&self, url: &str, delivery: &Delivery, secret: &str) -> Result<u16, ureq::Error> {
        let request = delivery
            .headers(secret)
            .into_iter()
            .fold(self.0.post(url), |request, (name, value)| request.header(name, value));
        let mut response = request.send(delivery.body.as_slice())?;
        // A connection is kept only if its answer was read to the end; a long answer is not worth it.
        copy(&mut response.body_mut().as_reader().take(64 * 1024), &mut sink())?;
        Ok(response.status().as_u16())
    }
}

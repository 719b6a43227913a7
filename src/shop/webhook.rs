//! What travels around a webhook's body: the headers, and the proof that the body is the shop's.
//!
//! Only the body is signed. Everything in [`Headers`] may be forged by whoever got hold of one signed body, so it picks
//! what to try and is never believed about an order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The headers of one delivery. Absent text is empty: an empty signature verifies nothing, an empty topic is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// `orders/create`.
    pub topic: String,
    /// `name.myshopify.com`, never the shop's own domain.
    pub shop_domain: String,
    /// One delivery: what repeats are recognised by.
    pub webhook_id: Option<String>,
    /// One action of the merchant: several deliveries share it, so it recognises nothing.
    pub event_id: Option<String>,
    /// The sender's clock.
    pub triggered_at: Option<Timestamp>,
    /// The version the body was really written in.
    pub api_version: Option<String>,
    /// The signature, in base64.
    pub hmac: String,
}

impl Headers {
    /// Picks Shopify's headers out of all; names may come in any case, and the first of equals counts.
    pub fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut read = Self::default();
        let text = |slot: &mut String, value: &str| {
            if slot.is_empty() {
                value.clone_into(slot);
            }
        };
        for (name, value) in headers {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "x-shopify-topic" => text(&mut read.topic, value),
                "x-shopify-shop-domain" => text(&mut read.shop_domain, &value.to_ascii_lowercase()),
                "x-shopify-hmac-sha256" => text(&mut read.hmac, value),
                "x-shopify-webhook-id" => drop(read.webhook_id.get_or_insert_with(|| value.to_owned())),
                "x-shopify-event-id" => drop(read.event_id.get_or_insert_with(|| value.to_owned())),
                "x-shopify-api-version" => drop(read.api_version.get_or_insert_with(|| value.to_owned())),
                "x-shopify-triggered-at" => read.triggered_at = read.triggered_at.or_else(|| value.parse().ok()),
                _ => {}
            }
        }
        read
    }
}

/// Which of the secrets signed these bytes. Every secret costs the same time, whatever the signature is; an empty body
/// and an empty secret never count, although Shopify's formula is defined for both.
#[must_use]
pub fn verify(body: &[u8], signature: &str, secrets: &[SecretString]) -> Option<usize> {
    // What is no base64 becomes a signature of no bytes, which no secret makes.
    let signature = STANDARD.decode(signature).unwrap_or_default();
    let mut signer = None;
    for (index, secret) in secrets.iter().enumerate() {
        let secret = secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of every length");
        mac.update(body);
        if mac.verify_slice(&signature).is_ok() && !secret.is_empty() && !body.is_empty() {
            signer = signer.or(Some(index));
        }
    }
    signer
}

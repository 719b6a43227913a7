//! Shopify, the source: proving that a webhook is the shop's, reading it into the core's own words, and asking the shop's API.
//!
//! Nothing of the JSON leaves this folder. It decides nothing: whether an order matters is the core's business.

pub mod api;
pub mod personal;
pub mod read;
pub mod webhook;
mod wire;

//! Shopify, the source: proving that a webhook is the shop's, and reading it into the core's own words.
//!
//! Nothing of the JSON leaves this folder. It decides nothing: whether an order matters is the core's business.

pub mod personal;
pub mod read;
pub mod webhook;
mod wire;

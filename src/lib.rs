//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod config;
pub mod outgoing;
pub mod sys;
pub mod vault;

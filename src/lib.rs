//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod config;
pub mod daftra;
pub mod domain;
pub mod outgoing;
pub mod sandbox;
pub mod sys;
pub mod vault;

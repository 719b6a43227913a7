//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod config;
pub mod sys;
pub mod vault;

//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod clock;
pub mod config;
pub mod daftra;
pub mod db;
pub mod domain;
pub mod engine;
pub mod outgoing;
pub mod sandbox;
pub mod shop;
pub mod sys;
pub mod vault;

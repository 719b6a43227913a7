//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod clock;
pub mod db;
pub mod domain;

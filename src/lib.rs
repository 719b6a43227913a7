//! Qantara: Shopify orders in, Daftra documents out, exactly once.

pub mod sandbox;

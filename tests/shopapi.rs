//! The shop's Admin API: our documents, the client, and what the engine makes of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

#[path = "shopapi/barcodes.rs"]
mod barcodes;
#[path = "shopapi/client.rs"]
mod client;
mod common;
#[path = "shopapi/documents.rs"]
mod documents;
#[path = "shopapi/engine.rs"]
mod engine;
#[path = "shopapi/looks.rs"]
mod looks;

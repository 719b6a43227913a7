//! The pure core: what an order means and what Daftra should hold for it. No clock, no chance, no I/O.
//!
//! Laws, kept by `tests/laws.rs`: a plan is a function of its input; after its operations succeeded it says that nothing
//! is left to do, or what it waits for; deliveries in any order and number end in the same net; receipts never exceed
//! what was invoiced; a change of rules or catalogue alone writes nothing on a document that exists.

pub mod catalog;
pub mod collect;
pub mod connection;
pub mod document;
pub mod draft;
pub mod invoice;
pub mod ledger;
pub mod money;
pub mod namesake;
pub mod news;
pub mod offer;
pub mod operation;
pub mod order;
pub mod payment;
pub mod plan;
pub mod reason;
pub mod refund;
pub mod retry;
pub mod rhythm;
pub mod rules;
pub mod ruling;
pub mod sequence;
pub mod tax;
pub mod telling;
pub mod trace;
pub mod variant;

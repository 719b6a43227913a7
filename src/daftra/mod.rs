//! Daftra, the destination: the only code that speaks to it and the only code that knows how it prints things.
//!
//! - Nothing is repeated here. Every call happens once, is judged once and leaves a redacted report; what to do next is
//!   decided by `domain::document`.
//! - Daftra is not believed: a write counts only with an id, a filter only after each row was compared, an absence only
//!   after the last page added up.
//! - A key leaves in the header `apikey` and nowhere else.
//!
//! It does not pace calls (the caller's `pace` does), keeps no state and reads no clock.

pub mod client;
pub mod compare;
pub mod lists;
pub mod look;
mod mark;
pub mod outcome;
mod redact;
mod stock;
pub mod wire;
pub mod write;

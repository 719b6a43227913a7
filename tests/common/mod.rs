//! What several test programs share.
#![allow(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

#[allow(clippy::duplicate_mod, reason = "some programs take two helpers that listen")]
pub(crate) mod leaks;
pub(crate) mod network;
pub(crate) mod profile;
pub(crate) mod stage;

//! The client of Daftra: against the sandbox where an honest counterpart is wanted, and against canned answers where the
//! answer is what no counterpart should give.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod answers;
mod documents;
mod lists;
mod looks;
mod office;
mod payments;
#[path = "../common/profile.rs"]
mod profile;
mod reports;

#[test]
fn under_every_profile() {
    profile::again(&["under_every_profile"]);
}

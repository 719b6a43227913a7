//! The fake Daftra as a caller sees it: hand-written HTTP over a plain socket, one test per behaviour that a client
//! must be able to rely on or must survive. `point_NN` counts the behaviours in the order of our Daftra notes.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod calls;
mod control;
mod desk;
mod documents;
mod faults;
mod stock_and_money;

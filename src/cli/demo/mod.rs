//! `demo`: the product at work before your eyes, between fake shops and a fake Daftra that are part of it.

mod acts;
mod checkout;
mod compare;
mod expectation;
mod features;
mod figures;
mod generated;
mod history;
mod interrupt;
mod lies;
mod once;
mod playground;
mod purse;
mod scenario;
mod stage;
mod town;
mod verdict;
mod wares;

use super::{Ended, Session};
use interrupt::Interrupt;

#[derive(clap::Args)]
pub(super) struct Demo {
    /// Play a written scenario, print what was expected and what was found, and end
    #[arg(long)]
    once: bool,
    /// Instead of the scenario so many generated orders of five merchants, at least 100
    #[arg(long, value_name = "N", requires = "once", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    orders: Option<u32>,
    /// Decides everything that is generated
    #[arg(long, value_name = "S", requires = "orders", default_value_t = 1)]
    seed: u64,
    /// Beside --orders: with bad days of Daftra and of the way from the shops, and a kill -9 every day
    #[arg(long, requires = "orders")]
    faults: bool,
    /// Expect something wrong, to see that it is noticed
    #[arg(long, requires = "once", hide = true)]
    wrong: bool,
}

impl Demo {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let Self { once, orders, seed, faults, wrong } = self;
        match orders.map(usize::try_from) {
            Some(orders) => {
                let ask = generated::Ask { orders: orders?, seed, faults, wrong };
                generated::play(session, &Interrupt::catch()?, ask)
            }
            None if once => once::play(session, &Interrupt::catch()?, wrong),
            None => playground::open(session),
        }
    }
}

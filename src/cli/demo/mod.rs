//! `demo`: the product at work before your eyes, between fake shops and a fake Daftra that are part of it.

mod once;
mod playground;
mod scenario;
mod stage;

use super::{Ended, Session};

#[derive(clap::Args)]
pub(super) struct Demo {
    /// Play a fixed scenario, print what was expected and what was found, and end
    #[arg(long)]
    once: bool,
    /// Expect something wrong, to see that it is noticed
    #[arg(long, requires = "once", hide = true)]
    wrong: bool,
}

impl Demo {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        if self.once { once::play(session, self.wrong) } else { playground::open(session) }
    }
}

//! Headings, columns, buttons and hints, by the page they stand on: a struct of words, and one of it per language side by
//! side, so that neither can be forgotten.

pub mod log;
pub mod me;
pub mod order;
pub mod shell;

use super::Lang;

impl Lang {
    /// What stands around every page.
    #[must_use]
    pub fn shell(self) -> &'static shell::Shell {
        self.pick(&shell::EN, &shell::AR)
    }

    /// The page of whoever reads it.
    #[must_use]
    pub fn me(self) -> &'static me::Me {
        self.pick(&me::EN, &me::AR)
    }

    /// The sync log.
    #[must_use]
    pub fn log(self) -> &'static log::Log {
        self.pick(&log::EN, &log::AR)
    }

    /// One order.
    #[must_use]
    pub fn order(self) -> &'static order::Order {
        self.pick(&order::EN, &order::AR)
    }

    fn pick<T>(self, english: &'static T, arabic: &'static T) -> &'static T {
        match self {
            Self::En => english,
            Self::Ar => arabic,
        }
    }
}

//! Headings, columns, buttons and hints, by the page they stand on: a struct of words, and one of it per language side by
//! side, so that neither can be forgotten.

pub mod me;
pub mod merchants;
pub mod policies;
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

    /// The pages of the merchants.
    #[must_use]
    pub fn merchants(self) -> &'static merchants::Merchants {
        self.pick(&merchants::EN, &merchants::AR)
    }

    /// What a merchant's rules mean.
    #[must_use]
    pub fn policies(self) -> &'static policies::Policies {
        self.pick(&policies::EN, &policies::AR)
    }

    fn pick<T>(self, english: &'static T, arabic: &'static T) -> &'static T {
        match self {
            Self::En => english,
            Self::Ar => arabic,
        }
    }
}

//! Questions to an account on behalf of somebody who waits for the answer: what a form may choose from, and whether a key
//! opens. They go through the account's gate like everything else, and change nothing.

use secrecy::SecretString;

use super::Engine;
use super::gate::Entry;
use crate::daftra::client::{Answered, Client, Door};
use crate::daftra::outcome::Unanswered;
use crate::daftra::wire::Site;
use crate::db::Error;

/// Why nobody was asked, or what came of it.
pub enum Asked<T> {
    /// The merchant has no account, or no key that opens.
    NoKey,
    /// The account is being left alone for a while.
    Busy,
    /// It was asked.
    Answered(Result<T, Unanswered>),
}

impl Engine {
    /// Asks the account of a merchant.
    pub fn ask<T>(
        &self,
        merchant_id: i64,
        question: impl FnOnce(&Client, &Door, &dyn Fn()) -> Answered<Result<T, Unanswered>>,
    ) -> Result<Asked<T>, Error> {
        let Some((door, account)) = self.door(merchant_id)? else { return Ok(Asked::NoKey) };
        let pass = match self.gates.enter(account.id) {
            Entry::In(pass) => pass,
            Entry::Later(_) => return Ok(Asked::Busy),
        };
        if account.not_before > self.clock.now() {
            return Ok(Asked::Busy);
        }
        Ok(Asked::Answered(question(&self.daftra, &door, &|| pass.pace()).outcome))
    }

    /// Asks an address who it is, with a key that nobody has stored.
    pub fn meet(&self, address: &str, key: SecretString) -> Result<Site, Unanswered> {
        let door = Door { address: address.to_owned(), key, branch_id: None };
        self.daftra.site_info(&door, &|| {}).outcome
    }
}

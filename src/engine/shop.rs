//! The way to a merchant's shop: its token, made anew before it ends, and what is noted when it does not open.

use std::collections::BTreeSet;
use std::sync::TryLockError;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Engine, credential_place};
use crate::db::job::Again;
use crate::db::merchant::{self, Credential, CredentialKind, Mode, Slot};
use crate::db::shop_api::{self, ShopApi};
use crate::db::{Error, alert, privacy};
use crate::domain::connection::{Blocked, SCOPES};
use crate::shop::api::client::{Door, Setback};
use crate::shop::api::conversation::Conversation;

/// A token is made anew so long before it ends, that trouble with it is known while it still opens.
const EARLY: SignedDuration = SignedDuration::from_hours(4);

/// Until a token that another thread is making is looked for again.
const SOON: SignedDuration = SignedDuration::from_secs(1);

/// What the app may do is asked anew so often: somebody may give it more, or take some away.
const SCOPES_LAST: SignedDuration = SignedDuration::from_hours(24);

/// An open way.
pub(super) struct Way {
    pub(super) door: Door,
    pub(super) scopes: BTreeSet<String>,
    /// It opens for a while yet, but a new token could not be made.
    pub(super) is_ailing: bool,
}

/// A token, and whether the next one could not be made.
struct Token {
    secret: SecretString,
    is_ailing: bool,
}

impl Engine {
    /// A shop that removed the app may be back by then; whoever else has no way asks when there is one.
    pub(super) fn when_there_may_be_a_way(&self, merchant_id: i64, then: Timestamp) -> Result<Again, Error> {
        let is_gone = self.db.read(|c| privacy::uninstalled_at(c, merchant_id))?.is_some();
        Ok(if is_gone { Again::At(then) } else { Again::WhenAsked })
    }

    /// Opens the way to a merchant's shop. `None`: it has none, the merchant is closed, or the shop removed the app.
    pub(super) fn way_to_shop(&self, merchant_id: i64) -> Result<Option<Result<Way, Setback>>, Error> {
        let known = self.db.read(|c| {
            let Some(api) = shop_api::get(c, merchant_id)? else { return Ok(None) };
            let merchant = merchant::get(c, merchant_id)?;
            // A shop that removed the app is left alone until it comes back.
            let is_there = merchant.mode != Mode::Closed && privacy::uninstalled_at(c, merchant_id)?.is_none();
            Ok(is_there.then_some((api, merchant.shop_domain)))
        })?;
        let Some((api, shop)) = known else { return Ok(None) };
        let token = match self.token(merchant_id, &api, &shop)? {
            Ok(token) => token,
            Err(setback) => return Ok(Some(Err(setback))),
        };
        let Token { secret, is_ailing } = token;
        let door = Door { shop, token: secret };
        let now = self.clock.now();
        if !api.scopes.is_empty() && api.scopes_at.is_some_and(|at| now.duration_since(at).abs() < SCOPES_LAST) {
            return Ok(Some(Ok(Way { door, scopes: api.scopes, is_ailing })));
        }
        // Whose shop it is, and what may be asked there.
        let scopes = match Conversation::new(&self.shops, &door, BTreeSet::new()).introduce() {
            Ok(known) if known.domain != door.shop => return Ok(Some(Err(Setback::Blocked(Blocked::Token)))),
            Ok(known) => known.scopes,
            // What is known for long is good for another while.
            Err(Setback::Failed(_) | Setback::Throttled(_)) if !api.scopes.is_empty() => {
                return Ok(Some(Ok(Way { door, scopes: api.scopes, is_ailing })));
            }
            Err(setback) => return Ok(Some(Err(setback))),
        };
        let missing: BTreeSet<String> =
            SCOPES.iter().filter(|scope| !scopes.contains(**scope)).map(|scope| (*scope).to_owned()).collect();
        if missing.contains("read_orders") {
            return Ok(Some(Err(Setback::Blocked(Blocked::Scopes { missing }))));
        }
        let kept = scopes.clone();
        self.db.write(move |tx| shop_api::may(tx, merchant_id, &kept, now))?;
        Ok(Some(Ok(Way { door, scopes, is_ailing })))
    }

    /// The token that is stored, or a new one where it ends soon. One thread makes one at a time.
    fn token(&self, merchant_id: i64, api: &ShopApi, shop: &str) -> Result<Result<Token, Setback>, Error> {
        let well = |secret| Token { secret, is_ailing: false };
        let sealed = Err(Setback::Blocked(Blocked::Sealed));
        let Some(client_id) = &api.client_id else {
            return Ok(self
                .stored(merchant_id, CredentialKind::ShopToken, shop)?
                .map_or(sealed, |secret| Ok(well(secret))));
        };
        let now = self.clock.now();
        let current = || -> Result<(Option<SecretString>, Option<Timestamp>), Error> {
            let until = self.db.read(|c| shop_api::get(c, merchant_id))?.and_then(|api| api.token_until);
            Ok((self.stored(merchant_id, CredentialKind::ShopToken, shop)?, until))
        };
        let is_good = |until: Option<Timestamp>, after: Timestamp| until.is_some_and(|until| until > after);
        let (token, until) = current()?;
        if let (true, Some(token)) = (is_good(until, now + EARLY), &token) {
            return Ok(Ok(well(token.clone())));
        }
        // Nobody waits for the one who makes it: the token of before opens meanwhile, or it is asked again soon.
        let _alone = match self.refreshing.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let left = token.filter(|_| is_good(until, now));
                return Ok(left.map(well).ok_or(Setback::Throttled(SOON)));
            }
        };
        let (token, until) = current()?;
        if let (true, Some(token)) = (is_good(until, now + EARLY), &token) {
            return Ok(Ok(well(token.clone())));
        }
        let Some(secret) = self.stored(merchant_id, CredentialKind::ShopClient, shop)? else { return Ok(sealed) };
        match self.shops.sign_in(shop, client_id, &secret) {
            Ok(grant) => {
                let place = credential_place(merchant_id, CredentialKind::ShopToken, Some(shop));
                let sealed = self.vault.seal(&place, grant.token.expose_secret().as_bytes());
                let (kind, slot) = (CredentialKind::ShopToken, Slot::Current);
                let until = now + grant.lives;
                self.db.write(move |tx| {
                    merchant::put_credential(tx, &Credential { merchant_id, kind, slot, sealed })?;
                    shop_api::token_lives(tx, merchant_id, until)
                })?;
                Ok(Ok(well(grant.token)))
            }
            Err(setback) => {
                self.note_shop(merchant_id, &setback)?;
                // The one of before still opens for a while.
                let left = token.filter(|_| is_good(until, now));
                Ok(left.map(|secret| Token { secret, is_ailing: true }).ok_or(setback))
            }
        }
    }

    fn stored(&self, merchant_id: i64, kind: CredentialKind, shop: &str) -> Result<Option<SecretString>, Error> {
        let all = self.db.read(|c| merchant::credentials(c, Some(merchant_id)))?;
        let place = credential_place(merchant_id, kind, Some(shop));
        let found = all.iter().find(|one| one.kind == kind && one.slot == Slot::Current);
        Ok(found.and_then(|one| self.vault.open_text(&place, &one.sealed).ok()))
    }

    /// Notes why a shop does not open, for the merchant's page and as an alert.
    pub(super) fn note_shop(&self, merchant_id: i64, setback: &Setback) -> Result<(), Error> {
        let now = self.clock.now();
        let blocked = match setback {
            Setback::Throttled(_) => return Ok(()),
            Setback::Blocked(blocked) => Some(blocked.clone()),
            Setback::Failed(text) => {
                tracing::warn!(merchant = merchant_id, reason = %text, "the shop's API does not answer");
                None
            }
        };
        self.db.write(move |tx| {
            if let Some(blocked) = &blocked {
                shop_api::block(tx, merchant_id, blocked)?;
                match blocked {
                    Blocked::Token => shop_api::token_is_dead(tx, merchant_id)?,
                    Blocked::Forbidden | Blocked::Scopes { .. } | Blocked::Protected => {
                        shop_api::doubt_scopes(tx, merchant_id)?;
                    }
                    Blocked::Client { .. } | Blocked::Unpaid | Blocked::NoShop | Blocked::Locked | Blocked::Sealed => {}
                }
            }
            alert::raise(tx, alert::Cause::ShopApi, &subject(merchant_id), Some(merchant_id), now)
        })
    }
}

/// What alerts about a merchant's API are about.
pub(super) fn subject(merchant_id: i64) -> String {
    format!("merchant {merchant_id}")
}

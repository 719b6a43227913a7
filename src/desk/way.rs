//! A merchant's way to the API of its shop, as every change of the merchant may touch it.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::db::job::{self, Chore};
use crate::db::merchant::{self, CredentialKind};
use crate::db::{self, shop_api};

/// The way to a shop, and what opens it, are gone.
pub(super) fn forget(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), db::Error> {
    forget_secrets(tx, merchant_id)?;
    shop_api::disconnect(tx, merchant_id)
}

pub(super) fn forget_secrets(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), db::Error> {
    merchant::forget_credentials(tx, merchant_id, CredentialKind::ShopToken)?;
    merchant::forget_credentials(tx, merchant_id, CredentialKind::ShopClient)
}

/// Asks for a look through a merchant's shop, now. False: it has no way there.
pub(super) fn ask(tx: &Transaction<'_>, merchant_id: i64, now: Timestamp) -> Result<bool, db::Error> {
    if shop_api::get(tx, merchant_id)?.is_none() {
        return Ok(false);
    }
    for chore in [Chore::CatchUp, Chore::Subscriptions] {
        job::ask_chore(tx, chore, merchant_id, now)?;
    }
    Ok(true)
}

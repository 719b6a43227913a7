//! Tokens with which scripts of a user speak to the API. The secret comes with the wish, is hashed here and kept nowhere.

use jiff::SignedDuration;
use rusqlite::Transaction;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{About, Done, Effects, Error, Moment, Refusal, Secret, Why, person};
use crate::db::merchant;
use crate::db::token::{self, New};
use crate::db::user::Role;
use crate::vault;

/// Live ones of one user; more are not looked after by anybody.
const MOST: usize = 20;
const LONGEST_NAME: usize = 64;
/// A token that never ends is forgotten in a file somewhere.
const LONGEST_DAYS: u32 = 366;
/// Shorter ones could be guessed; ours have more.
const SHORTEST: usize = 40;

/// What a token is to be.
pub(super) struct Wanted {
    pub(super) user: String,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) merchant: Option<String>,
    pub(super) days: u32,
    pub(super) secret: Secret,
}

pub(super) fn add(tx: &Transaction<'_>, moment: &Moment, wanted: &Wanted) -> Result<Done, Error> {
    let user = person::known(tx, &wanted.user)?;
    if user.disabled_at.is_some() {
        return Err(Refusal::new("user", &user.name, Why::UserDisabled).into());
    }
    let mut live = token::of_user(tx, user.id)?;
    live.retain(|token| token.is_good(moment.now));
    let name = wanted.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Refusal::new("name", name, Why::TokenName(LONGEST_NAME)).into());
    }
    if live.iter().any(|token| token.name == name) {
        return Err(Refusal::new("name", name, Why::TokenTaken).into());
    }
    if live.len() >= MOST {
        return Err(Refusal::new("tokens", live.len(), Why::TokensMany(MOST)).into());
    }
    if wanted.role > user.role {
        return Err(Refusal::new("role", wanted.role, Why::TokenRole(user.role)).into());
    }
    if !(1..=LONGEST_DAYS).contains(&wanted.days) {
        return Err(Refusal::new("days", wanted.days, Why::TokenDays(LONGEST_DAYS)).into());
    }
    if wanted.secret.0.expose_secret().len() < SHORTEST {
        return Err(Refusal::of(About::Key("secret".to_owned()), Why::TokenShort(SHORTEST)).into());
    }
    let merchant_id = match &wanted.merchant {
        None => None,
        // What the user does not see is not there, here as everywhere.
        Some(slug) => match merchant::by_slug(tx, slug)?.filter(|known| user.scope.has(known.id)) {
            Some(known) => Some(known.id),
            None => return Err(Refusal::new("merchant", slug, Why::NoMerchant).into()),
        },
    };
    let expires_at = moment.now + SignedDuration::from_hours(24 * i64::from(wanted.days));
    let hash = vault::fingerprint(&wanted.secret.0);
    let new = New { user_id: user.id, name, hash, role: wanted.role, merchant_id, expires_at };
    let id = token::add(tx, &new, moment.now)?;
    let facts = json!({
        "user": user.name,
        "token": id,
        "name": name,
        "role": wanted.role,
        "merchant": wanted.merchant,
        "expires_at": expires_at,
    });
    moment.write_down(tx, "token.add", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects::default() })
}

pub(super) fn revoke(tx: &Transaction<'_>, moment: &Moment, id: i64) -> Result<Done, Error> {
    let known = token::get(tx, id)?.ok_or_else(|| Refusal::new("token", id, Why::NoToken))?;
    let facts = json!({ "user": known.user, "token": id, "name": known.name });
    if known.revoked_at.is_none() {
        token::revoke(tx, id, moment.now)?;
        moment.write_down(tx, "token.revoke", facts.clone())?;
    }
    Ok(Done { answer: facts, effects: Effects::default() })
}

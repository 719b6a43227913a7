//! People who may sign in.

use rusqlite::Transaction;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{About, Done, Effects, Error, Moment, Refusal, Secret, Why};
use crate::db::scope::Scope;
use crate::db::user::{self, Role, User};
use crate::db::{merchant, token};
use crate::vault;

/// The shortest password; a longer one may be anything.
const SHORTEST: usize = 10;
/// Longer ones only cost time.
const LONGEST: usize = 256;
const LONGEST_NAME: usize = 64;

/// The hash of a good password. Takes its time, so it comes before the transaction.
pub(super) fn hashed(name: &str, password: &Secret) -> Result<String, Refusal> {
    let is_plain = |c: char| !c.is_control() && c != ':';
    if name.is_empty() || name.trim() != name || name.chars().count() > LONGEST_NAME || !name.chars().all(is_plain) {
        return Err(Refusal::new("user", name, Why::UserForm));
    }
    let length = password.0.expose_secret().chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(Refusal::of(About::Key("password".to_owned()), Why::PasswordLength(length, SHORTEST, LONGEST)));
    }
    Ok(vault::hash_password(&password.0))
}

pub(super) fn add(
    tx: &Transaction<'_>,
    moment: &Moment,
    name: &str,
    role: Role,
    password: &str,
) -> Result<Done, Error> {
    if user::by_name(tx, name)?.is_some() {
        return Err(Refusal::new("user", name, Why::UserTaken).into());
    }
    user::add(tx, name, password, role, moment.now)?;
    let facts = json!({ "user": name, "role": role });
    moment.write_down(tx, "user.add", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects::default() })
}

pub(super) fn set_password(
    tx: &Transaction<'_>,
    moment: &Moment,
    name: &str,
    password: &str,
    end_tokens: bool,
) -> Result<Done, Error> {
    let user = known(tx, name)?;
    user::set_password(tx, name, password)?;
    let ended = if end_tokens { token::revoke_all(tx, user.id, moment.now)? } else { Vec::new() };
    let facts = json!({ "user": name, "tokens_ended": ended });
    moment.write_down(tx, "user.passwd", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects::default() })
}

pub(super) fn set_language(
    tx: &Transaction<'_>,
    moment: &Moment,
    name: &str,
    language: Option<&str>,
) -> Result<Done, Error> {
    if language.is_some_and(|tag| !["ar", "en"].contains(&tag)) {
        return Err(Refusal::new("language", language, Why::Language).into());
    }
    let user = known(tx, name)?;
    let facts = json!({ "user": name, "language": language });
    if user.language.as_deref() != language {
        user::set_language(tx, user.id, language)?;
        moment.write_down(tx, "user.language", facts.clone())?;
    }
    Ok(Done { answer: facts, effects: Effects::default() })
}

pub(super) fn set_rights(
    tx: &Transaction<'_>,
    moment: &Moment,
    name: &str,
    role: Role,
    merchants: Option<&[String]>,
) -> Result<Done, Error> {
    let user = known(tx, name)?;
    if role != Role::Owner || merchants.is_some() {
        keep_an_owner(tx, &user)?;
    }
    let id_of = |slug: &String| {
        let known = merchant::by_slug(tx, slug)?;
        let known = known.ok_or_else(|| Refusal::new("merchant", slug, Why::NoMerchant))?;
        Ok::<_, Error>(known.id)
    };
    let scope = match merchants {
        None => Scope::All,
        Some(_) if role == Role::Owner => {
            return Err(Refusal::new("merchants", merchants, Why::OwnerLimited).into());
        }
        Some(slugs) => Scope::Only(slugs.iter().map(id_of).collect::<Result<_, _>>()?),
    };
    let facts = json!({ "user": name, "role": role, "merchants": merchants });
    if (user.role, &user.scope) != (role, &scope) {
        user::set_rights(tx, user.id, role, &scope)?;
        moment.write_down(tx, "user.rights", facts.clone())?;
    }
    Ok(Done { answer: facts, effects: Effects::default() })
}

pub(super) fn disable(tx: &Transaction<'_>, moment: &Moment, name: &str, disabled: bool) -> Result<Done, Error> {
    let user = known(tx, name)?;
    if disabled {
        keep_an_owner(tx, &user)?;
    }
    let mut facts = json!({ "user": name, "disabled": disabled, "tokens_ended": [] });
    if user.disabled_at.is_some() != disabled {
        user::disable(tx, user.id, disabled.then_some(moment.now))?;
        // Also when somebody is let in again: earlier versions left tokens with the disabled.
        facts["tokens_ended"] = token::revoke_all(tx, user.id, moment.now)?.into();
        moment.write_down(tx, if disabled { "user.disable" } else { "user.enable" }, facts.clone())?;
    }
    Ok(Done { answer: facts, effects: Effects::default() })
}

pub(super) fn known(tx: &Transaction<'_>, name: &str) -> Result<User, Error> {
    let user = user::by_name(tx, name)?;
    Ok(user.ok_or_else(|| Refusal::new("user", name, Why::NoUser))?)
}

/// Somebody must be left who may do everything.
fn keep_an_owner(tx: &Transaction<'_>, leaving: &User) -> Result<(), Error> {
    let is_owner = |user: &User| user.role == Role::Owner && user.disabled_at.is_none();
    if is_owner(leaving) && !user::all(tx)?.iter().any(|user| user.id != leaving.id && is_owner(user)) {
        return Err(Refusal::new("user", &leaving.name, Why::LastOwner).into());
    }
    Ok(())
}

//! Connecting a merchant to the API of its shop, and looking for orders there.
//!
//! What signs the app's webhooks becomes the current webhook secret, so two shops never share it (see `merchant`).

use jiff::{SignedDuration, Timestamp};
use rusqlite::Transaction;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::merchant::{open_merchant, rotate};
use super::way::{ask, forget, forget_secrets};
use super::{About, Done, Effects, Error, Form, Moment, Refusal, Secret, Why};
use crate::db::job::{self, Chore};
use crate::db::merchant::{self, Credential, CredentialKind, Slot};
use crate::db::{alert, privacy, shop_api};
use crate::engine::credential_place;

/// A first look reaches no further back: older orders are not shown without a special scope.
const SHOWN: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So many orders may be asked for by name at once.
const MOST_NAMES: usize = 200;

pub(super) fn connect(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    client_id: Option<&str>,
    secret: &Secret,
    signs: Option<Secret>,
) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    if secret.is_empty() {
        return Err(Refusal::of(About::Secret, Why::SecretEmpty).into());
    }
    if client_id.is_some_and(|id| id.trim().is_empty()) {
        return Err(Refusal::of(About::Key("client_id".to_owned()), Why::Missing(None::<Form>)).into());
    }
    // The same secret makes tokens and signs webhooks.
    let signs = if client_id.is_some() { Some(secret.clone()) } else { signs };
    let watches = signs.is_some();
    if let Some(signs) = signs {
        rotate(tx, moment, slug, signs)?;
    }
    forget_secrets(tx, known.id)?;
    let kind = if client_id.is_some() { CredentialKind::ShopClient } else { CredentialKind::ShopToken };
    let place = credential_place(known.id, kind, Some(&known.shop_domain));
    let sealed = moment.vault.seal(&place, secret.0.expose_secret().as_bytes());
    merchant::put_credential(tx, &Credential { merchant_id: known.id, kind, slot: Slot::Current, sealed })?;
    let oldest = moment.now - SHOWN;
    let begin = known.live_from.unwrap_or(moment.now).clamp(oldest, moment.now);
    // Who connects a shop says that it is there.
    privacy::came_back(tx, known.id, moment.now, moment.now)?;
    shop_api::connect(tx, known.id, client_id.map(str::trim), watches, begin)?;
    let facts = json!({ "merchant": slug, "client_id": client_id, "secrets": [kind.word()] });
    moment.write_down(tx, "merchant.shop_connect", facts)?;
    ask(tx, known.id, moment.now)?;
    let answer = json!({ "merchant": slug, "connected": true, "makes_subscriptions": watches });
    Ok(Done { answer, effects: Effects { doors_changed: watches, chores_asked: true, ..Effects::default() } })
}

pub(super) fn disconnect(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    let answer = json!({ "merchant": slug, "connected": false });
    if shop_api::get(tx, known.id)?.is_none() {
        return Ok(Done { answer, effects: Effects::default() });
    }
    forget(tx, known.id)?;
    for cause in [alert::Cause::ShopApi, alert::Cause::Unread, alert::Cause::Subscriptions] {
        alert::close(tx, cause, &format!("merchant {}", known.id), moment.now)?;
    }
    moment.write_down(tx, "merchant.shop_disconnect", json!({ "merchant": slug }))?;
    Ok(Done { answer, effects: Effects::default() })
}

pub(super) fn catch_up(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    since: Option<Timestamp>,
    orders: &[String],
) -> Result<Done, Error> {
    let known = open_merchant(tx, slug)?;
    let Some(api) = shop_api::get(tx, known.id)? else {
        return Err(Refusal::of(About::Merchant(slug.to_owned()), Why::NoShopApi).into());
    };
    let names: Vec<String> = orders.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if names.len() > MOST_NAMES {
        return Err(Refusal::of(About::Key("orders".to_owned()), Why::OrdersMany(names.len(), MOST_NAMES)).into());
    }
    shop_api::want(tx, known.id, since, &names)?;
    job::ask_chore(tx, Chore::CatchUp, known.id, moment.now)?;
    moment.write_down(tx, "merchant.catch_up", json!({ "merchant": slug, "since": since, "names": names }))?;
    // Shopify shows no older ones, and says nothing about it.
    let sees_all = api.scopes.contains(crate::domain::connection::SCOPE_OF_OLD_ORDERS);
    let limit = (!sees_all && since.is_some_and(|since| since < moment.now - SHOWN)).then(|| moment.now - SHOWN);
    let answer = json!({ "merchant": slug, "since": since, "orders": names, "nothing_placed_before": limit });
    Ok(Done { answer, effects: Effects { chores_asked: true, ..Effects::default() } })
}

//! What shops ask for in the name of their customers, and what people do about it.
//!
//! That something is to be forgotten is decided here; the engine does it, a few orders at a time. Whoever collects what is kept
//! of a customer leaves a row in the audit, like whoever opens a body.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction};
use serde_json::{Value, json};

use super::merchant::any_merchant;
use super::{About, Done, Effects, Error, Moment, Refusal, Why};
use crate::db::privacy::{self, Kind, Request, State};
use crate::db::{self, merchant};
use crate::engine::privacy::{Opener, held};
use crate::vault::Vault;

/// Everything that is kept of the customer of a request. It opens many bodies, so it is a reader's work: meanwhile others write.
pub(super) fn collect(c: &Connection, vault: &Vault, request_id: i64) -> Result<Value, Error> {
    let request = known(c, request_id)?;
    let opener = Opener::new(c, vault, request.merchant_id)?;
    let mut answer = held(c, &opener, &request)?;
    answer["request"] = request.id.into();
    answer["merchant"] = merchant::get(c, request.merchant_id)?.slug.into();
    Ok(answer)
}

/// Writes down that it was collected, before anybody sees it.
pub(super) fn read(tx: &Transaction<'_>, moment: &Moment, request_id: i64, answer: Value) -> Result<Done, Error> {
    let request = known(tx, request_id)?;
    moment.write_down(tx, "privacy.read", facts(tx, &request)?)?;
    Ok(Done { answer, effects: Effects::default() })
}

/// The customer has the answer: what is kept of them was handed over.
pub(super) fn answer(tx: &Transaction<'_>, moment: &Moment, request_id: i64) -> Result<Done, Error> {
    let request = waiting(tx, request_id, Kind::DataRequest)?;
    // It names the customer, and nobody needs it any more.
    if let Some(delivery_id) = request.delivery_id {
        privacy::forget_body(tx, delivery_id)?;
    }
    turn(tx, moment, &request, State::Done, "privacy.answer")
}

/// The customer is forgotten from the engine's next look on.
pub(super) fn redact(tx: &Transaction<'_>, moment: &Moment, request_id: i64) -> Result<Done, Error> {
    let request = waiting(tx, request_id, Kind::CustomerRedact)?;
    turn(tx, moment, &request, State::Doing, "privacy.redact")
}

/// The same for orders that a person names: shops whose app is their own are never asked by Shopify.
pub(super) fn forget(tx: &Transaction<'_>, moment: &Moment, slug: &str, orders: &BTreeSet<i64>) -> Result<Done, Error> {
    let merchant = any_merchant(tx, slug)?;
    if orders.is_empty() {
        return Err(Refusal::of(About::Key("orders".to_owned()), Why::NoOrdersNamed).into());
    }
    let id = privacy::ask(tx, merchant.id, Kind::CustomerRedact, None, orders, None, moment.now)?;
    let request = privacy::get(tx, id)?;
    turn(tx, moment, &request, State::Doing, "privacy.redact")
}

/// A shop that removed our app has it again, as a person knows.
pub(super) fn shop_is_back(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let merchant = any_merchant(tx, slug)?;
    let facts = json!({ "merchant": merchant.slug });
    if privacy::came_back(tx, merchant.id, moment.now, moment.now)? {
        moment.write_down(tx, "shop.back", facts.clone())?;
    }
    Ok(Done { answer: facts, effects: Effects::default() })
}

fn turn(tx: &Transaction<'_>, moment: &Moment, request: &Request, state: State, deed: &str) -> Result<Done, Error> {
    privacy::enter(tx, request.id, state, moment.by.user_id, moment.now)?;
    let facts = facts(tx, request)?;
    moment.write_down(tx, deed, facts.clone())?;
    Ok(Done { answer: facts, effects: Effects::default() })
}

fn facts(tx: &Transaction<'_>, request: &Request) -> Result<Value, db::Error> {
    Ok(json!({
        "request": request.id,
        "kind": request.kind,
        "merchant": merchant::get(tx, request.merchant_id)?.slug,
        "shop_orders": request.orders,
    }))
}

fn known(c: &Connection, request_id: i64) -> Result<Request, Error> {
    match privacy::get(c, request_id) {
        Err(db::Error::NotFound { .. }) => Err(Refusal::new("request", request_id, Why::NoRequest).into()),
        found => Ok(found?),
    }
}

fn waiting(tx: &Transaction<'_>, request_id: i64, kind: Kind) -> Result<Request, Error> {
    let request = known(tx, request_id)?;
    if request.kind != kind || request.state != State::Open {
        return Err(Refusal::new("request", request_id, Why::RequestEnded).into());
    }
    Ok(request)
}

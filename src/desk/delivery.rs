//! Kept deliveries: their bodies are read by people, and taken in once more.
//!
//! A body holds what the buyer told the shop, so whoever opens one leaves a row in the audit.

use rusqlite::Transaction;
use serde_json::{Value, json};

use super::{About, Done, Effects, Error, Moment, Refusal, Why};
use crate::db::delivery::{self, Sealed};
use crate::db::{self, data_key, job, merchant, order};
use crate::engine::intake::{Replayed, body_place, replay as take_in};
use crate::vault::DataKey;

/// What a delivery says is learned again, as this version of the program reads it, and its order is looked at.
pub(super) fn replay(tx: &Transaction<'_>, moment: &Moment, delivery_id: i64) -> Result<Done, Error> {
    let kept = known(tx, delivery_id)?;
    let key = key(tx, moment, delivery_id)?;
    let body = open(&key, delivery_id, &kept)?;
    let refuse = |why: Why| Err(Refusal::of(About::Delivery(delivery_id), why).into());
    let order_id = match take_in(tx, &key, delivery_id, &kept, &body, moment.now)? {
        Replayed::Order(order_id) => order_id,
        Replayed::NoOrder => return refuse(Why::NothingToTakeIn),
        Replayed::Unreadable { path, problem } => {
            return refuse(Why::BodyUnreadable(path, problem));
        }
    };
    job::hurry(tx, order_id, kept.merchant_id, moment.now)?;
    let order = order::get(tx, order_id)?;
    let facts = json!({
        "order": order_id,
        "name": order.name,
        "merchant": order.merchant,
        "delivery": delivery_id,
        "topic": kept.topic,
    });
    moment.write_down(tx, "delivery.replay", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects { orders_asked: true, ..Effects::default() } })
}

/// The body of a delivery as the shop sent it.
pub(super) fn read(tx: &Transaction<'_>, moment: &Moment, delivery_id: i64) -> Result<Done, Error> {
    let kept = known(tx, delivery_id)?;
    let body = open(&key(tx, moment, delivery_id)?, delivery_id, &kept)?;
    let slug = merchant::get(tx, kept.merchant_id)?.slug;
    let facts = json!({ "order": kept.order_id, "merchant": slug, "delivery": delivery_id, "topic": kept.topic });
    moment.write_down(tx, "delivery.read", facts)?;
    let answer = Value::String(String::from_utf8_lossy(&body).into_owned());
    Ok(Done { answer, effects: Effects::default() })
}

fn known(tx: &Transaction<'_>, delivery_id: i64) -> Result<Sealed, Error> {
    match delivery::get(tx, delivery_id) {
        Err(db::Error::NotFound { .. }) => Err(Refusal::new("delivery", delivery_id, Why::NoDelivery).into()),
        found => Ok(found?),
    }
}

fn key(tx: &Transaction<'_>, moment: &Moment, delivery_id: i64) -> Result<DataKey, Error> {
    let (id, sealed) = data_key::newest(tx)?.ok_or_else(|| foreign(delivery_id))?;
    Ok(moment.vault.open_data_key(id, &sealed).map_err(|_| foreign(delivery_id))?)
}

fn open(key: &DataKey, delivery_id: i64, kept: &Sealed) -> Result<Vec<u8>, Refusal> {
    let Some(sealed) = &kept.body else {
        return Err(Refusal::of(About::Delivery(delivery_id), Why::BodyPurged));
    };
    let packed = key.open(&body_place(kept.merchant_id, &kept.event_key), sealed).map_err(|_| foreign(delivery_id))?;
    lz4_flex::decompress_size_prepended(&packed).map_err(|_| foreign(delivery_id))
}

fn foreign(delivery_id: i64) -> Refusal {
    Refusal::of(About::Delivery(delivery_id), Why::BodySealed)
}

//! Forgetting customers: a few orders at a time, each step a write of its own, so that a stop or a crash anywhere means going
//! on. What is kept of a customer is found here, too, for whoever asks for it.
//!
//! Books stay books: amounts, references, ids, SKUs and states are not touched, so documents still agree with Daftra and no
//! order looks changed. An order that is being worked on is left for the next minute, for its case was read before.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction};
use serde_json::{Value, json};

use super::Engine;
use super::intake::{body_place, buyer_place};
use crate::db::privacy::{self, Body, Counts, Held, Kind, Place, Request, State, TEXTS};
use crate::db::{Error, data_key, job, mail, merchant};
use crate::domain::reason::Reason;
use crate::shop::personal::{self, Found, Personal};
use crate::shop::read::Buyer;
use crate::vault::{DataKey, Vault};

/// Orders that one step makes forget their buyers.
const ORDERS: u32 = 5;
/// Bodies of no order that one step looks through.
const BODIES: u32 = 20;
/// Steps of one minute.
const STEPS: u32 = 200;

/// Opens what is sealed of customers.
pub struct Opener {
    /// None: it does not open with the master key at hand, or there is nothing sealed yet.
    key: Option<DataKey>,
    merchant_id: i64,
}

impl Opener {
    /// With the data key of the database.
    pub fn new(c: &Connection, vault: &Vault, merchant_id: i64) -> Result<Self, Error> {
        let key = data_key::newest(c)?.and_then(|(id, sealed)| vault.open_data_key(id, &sealed).ok());
        Ok(Self { key, merchant_id })
    }

    fn body(&self, body: &Body) -> Option<Vec<u8>> {
        let packed = self.key.as_ref()?.open(&body_place(self.merchant_id, &body.event_key), &body.sealed).ok()?;
        lz4_flex::decompress_size_prepended(&packed).ok()
    }

    fn buyer(&self, order: &Held) -> Option<Buyer> {
        let name = order.remote_id.to_string();
        let place = buyer_place(self.merchant_id, &name);
        let plain = self.key.as_ref()?.open(&place, order.buyer.as_ref()?).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// What is known of the person who placed an order.
    fn person(&self, c: &Connection, order: &Held) -> Result<Personal, Error> {
        let mut person = Personal::default();
        if let Some(buyer) = self.buyer(order) {
            person.add_buyer(&buyer);
        }
        for body in privacy::bodies(c, order.id)? {
            person.extend(self.body(&body).map(|plain| Personal::of_body(&plain)).unwrap_or_default());
        }
        Ok(person)
    }

    /// What the delivery of a request says of the person.
    fn asked(&self, c: &Connection, request: &Request) -> Result<Personal, Error> {
        let body = request.delivery_id.map(|id| privacy::body_of(c, id)).transpose()?.flatten();
        let plain = body.and_then(|body| self.body(&body));
        Ok(plain.map(|plain| Personal::of_body(&plain)).unwrap_or_default())
    }
}

impl Engine {
    /// Begins what is due and goes on with what was begun. A minute in which nothing is asked for writes nothing.
    /// By a clock that is not believed no shop's time is over.
    pub(super) fn forget(&self, now: Timestamp, is_clock_believed: bool) -> Result<(), Error> {
        let (mut ripe, doing) = self.db.read(|c| Ok((privacy::ripe(c, now)?, privacy::in_state(c, State::Doing)?)))?;
        ripe.retain(|_| is_clock_believed);
        for request in &ripe {
            let id = request.id;
            self.db.write(move |tx| privacy::enter(tx, id, State::Doing, None, now))?;
        }
        let (mut steps, mut has_ended) = (0, false);
        for request in ripe.iter().chain(&doing) {
            let (id, merchant_id) = (request.id, request.merchant_id);
            loop {
                steps += 1;
                // One step a minute is made whatever waits.
                let gives_way = steps > 1 && self.db.read(job::next_claim)?.is_some_and(|due| due <= now);
                if steps > STEPS || gives_way || self.is_stopping() {
                    return Ok(());
                }
                let opener = self.db.read(|c| Opener::new(c, &self.vault, merchant_id))?;
                match self.db.write(move |tx| step(tx, &opener, id, now))? {
                    Next::GoOn => {}
                    Next::Later => break,
                    Next::Ended => {
                        has_ended = true;
                        break;
                    }
                }
            }
        }
        if has_ended && !self.db.empty_log()? {
            tracing::warn!("the log of changes still holds what was taken away: it is overwritten as work goes on");
        }
        Ok(())
    }
}

/// What follows a step.
enum Next {
    GoOn,
    /// An order is being worked on.
    Later,
    Ended,
}

/// Goes on with one request.
fn step(tx: &Transaction<'_>, opener: &Opener, id: i64, now: Timestamp) -> Result<Next, Error> {
    let mut request = privacy::get(tx, id)?;
    if request.state != State::Doing {
        return Ok(Next::Ended);
    }
    let asked = opener.asked(tx, &request)?;
    if sweep(tx, opener, &mut request, &asked)? {
        privacy::progress(tx, &request)?;
        return Ok(Next::GoOn);
    }
    let tags = merchant::get(tx, request.merchant_id)?.rules.ignored_tags;
    let next = next_orders(tx, &request)?;
    if next.is_empty() {
        finish(tx, &mut request, now)?;
        return Ok(Next::Ended);
    }
    let mut went_on = false;
    for order in next.iter().take_while(|order| !order.is_running) {
        let mut person = opener.person(tx, order)?;
        person.extend(asked.clone());
        let counts = redact(tx, order, &person, &tags, now)?;
        request.counts.add(counts);
        request.reached = order.id;
        went_on = true;
    }
    if went_on {
        privacy::progress(tx, &request)?;
    }
    Ok(if went_on { Next::GoOn } else { Next::Later })
}

/// Looks through bodies that belong to no order. False: there are no more.
fn sweep(tx: &Transaction<'_>, opener: &Opener, request: &mut Request, asked: &Personal) -> Result<bool, Error> {
    let bodies = privacy::loose_bodies(tx, request.merchant_id, request.swept, BODIES)?;
    for body in &bodies {
        request.swept = body.delivery_id;
        // What asks for it is needed to the end.
        if request.delivery_id == Some(body.delivery_id) {
            continue;
        }
        let is_theirs = match request.kind {
            Kind::ShopRedact => true,
            Kind::DataRequest | Kind::CustomerRedact => {
                opener.body(body).is_some_and(|plain| is_about(&plain, request, asked))
            }
        };
        if is_theirs {
            privacy::forget_body(tx, body.delivery_id)?;
            request.counts.bodies += 1;
        }
    }
    Ok(!bodies.is_empty())
}

/// Whether a body names one of the orders, the customer, or anything that is known of them.
fn is_about(body: &[u8], request: &Request, asked: &Personal) -> bool {
    let text = String::from_utf8_lossy(body);
    let numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse::<i64>().ok());
    let mut ids = numbers.filter(|id| request.orders.contains(id) || request.customer_id == Some(*id));
    ids.next().is_some() || asked.is_in(&text)
}

fn next_orders(c: &Connection, request: &Request) -> Result<Vec<Held>, Error> {
    match request.kind {
        Kind::ShopRedact => privacy::orders_after(c, request.merchant_id, request.reached, ORDERS),
        Kind::DataRequest | Kind::CustomerRedact => {
            let mut orders = named(c, request.merchant_id, &request.orders)?;
            orders.retain(|order| order.id > request.reached);
            orders.sort_by_key(|order| order.id);
            orders.truncate(usize::try_from(ORDERS).unwrap_or(usize::MAX));
            Ok(orders)
        }
    }
}

fn named(c: &Connection, merchant_id: i64, orders: &BTreeSet<i64>) -> Result<Vec<Held>, Error> {
    orders.iter().filter_map(|remote_id| privacy::order(c, merchant_id, *remote_id).transpose()).collect()
}

/// Takes a person out of everything that is kept of an order.
fn redact(
    tx: &Transaction<'_>,
    order: &Held,
    person: &Personal,
    tags: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Counts, Error> {
    let mut changed = 0;
    for place in TEXTS {
        for (row, text) in privacy::texts(tx, place, order.id)? {
            let clean = if place.is_json {
                serde_json::from_str::<Value>(&text).ok().and_then(|mut value| {
                    let found = person.take_out(&mut value, tags);
                    (found > 0).then(|| as_it_is_kept(place, value))
                })
            } else {
                person.without(&text)
            };
            if let Some(clean) = clean {
                privacy::put_text(tx, place, row, &clean)?;
                changed += 1;
            }
        }
    }
    let mut counts = privacy::forget_buyer(tx, order.id, now)?;
    counts.texts = changed + mail::forget(tx, order.id, now)?;
    Ok(counts)
}

/// Why an order stands where it stands is compared as text, so it is written as the engine writes it.
fn as_it_is_kept(place: Place, value: Value) -> String {
    let text = value.to_string();
    let reason = (place.table, place.column) == ("orders", "reason");
    let written =
        reason.then(|| serde_json::from_value::<Reason>(value).and_then(|reason| serde_json::to_string(&reason)));
    written.and_then(Result::ok).unwrap_or(text)
}

/// Nothing is left to do: what asked for it, which names the customer, goes last.
fn finish(tx: &Transaction<'_>, request: &mut Request, now: Timestamp) -> Result<(), Error> {
    let known = named(tx, request.merchant_id, &request.orders)?.len();
    request.counts.unknown = u64::try_from(request.orders.len().saturating_sub(known)).unwrap_or(u64::MAX);
    if let Some(delivery_id) = request.delivery_id {
        privacy::forget_body(tx, delivery_id)?;
        request.counts.bodies += 1;
    }
    privacy::progress(tx, request)?;
    privacy::enter(tx, request.id, State::Done, None, now)
}

/// All that is kept about the person of a request: of each order who bought, the fields of bodies that are about a person,
/// and every other text in which they are mentioned.
pub fn held(c: &Connection, opener: &Opener, request: &Request) -> Result<Value, Error> {
    let asked = opener.asked(c, request)?;
    let known = named(c, request.merchant_id, &request.orders)?;
    let missing: Vec<i64> =
        request.orders.iter().copied().filter(|id| known.iter().all(|order| order.remote_id != *id)).collect();
    let mut orders = Vec::new();
    for order in &known {
        let mut person = opener.person(c, order)?;
        person.extend(asked.clone());
        let mut bodies = Vec::new();
        for body in privacy::bodies(c, order.id)? {
            let fields = opener.body(&body).map(|plain| personal::in_body(&plain)).unwrap_or_default();
            let fields: Vec<Value> =
                fields.into_iter().map(|Found { path, text }| json!({ "path": path, "text": text })).collect();
            let received_at = body.received_at.to_string();
            bodies.push(json!({
                "table": "delivery", "column": "body", "row": body.delivery_id, "topic": body.topic,
                "received_at": received_at, "fields": fields,
            }));
        }
        let mut mentions = Vec::new();
        for place in TEXTS {
            for (row, text) in privacy::texts(c, place, order.id)? {
                let value = if place.is_json { serde_json::from_str(&text).unwrap_or_default() } else { text.into() };
                for text in person.mentions(&value) {
                    mentions.push(json!({ "table": place.table, "column": place.column, "row": row, "text": text }));
                }
            }
        }
        orders.push(json!({
            "order": order.id,
            "shop_order_id": order.remote_id,
            "name": order.name,
            "redacted_at": order.redacted_at.map(|at| at.to_string()),
            "buyer": opener.buyer(order),
            "bodies": bodies,
            "mentions": mentions,
        }));
    }
    Ok(json!({ "customer_id": request.customer_id, "orders": orders, "orders_never_received": missing }))
}

//! What comes in at the door: proof, reading, and one transaction that keeps everything.
//!
//! A delivery is only a hint: it is stored, merged into what is known of the order, and the order is asked for. It
//! counts for a merchant only if one of that merchant's own live secrets signed it. A body that proves itself but
//! cannot be read is kept and answered like any other: refusing it would make Shopify delete the subscription.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rusqlite::Transaction;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use super::rejected::{self, Examiner};
use super::{Engine, credential_place};
use crate::db::delivery::{self, Delivery, Fate, Kept};
use crate::db::log::{self, Status};
use crate::db::merchant::{self, CredentialKind, Mode};
use crate::db::rejection::{self, Why};
use crate::db::tally::{self, Kind};
use crate::db::variant::{self, Keep};
use crate::db::writer::Pending;
use crate::db::{Error, alert, job, order, privacy};
use crate::domain::order::Snapshot;
use crate::domain::reason::{Failed, Reason};
use crate::domain::rules::Vendor;
use crate::domain::variant::Variant;
use crate::shop::personal::Personal;
use crate::shop::read::{ReadError, Reading, read};
use crate::shop::webhook::{Headers, verify};
use crate::vault::{DataKey, Place};

/// Where webhooks come in.
pub struct Intake {
    engine: Arc<Engine>,
    data_key: Arc<DataKey>,
    doors: RwLock<Arc<Vec<MerchantDoor>>>,
    /// Signs nothing: strangers cost the same work as merchants.
    stranger: SecretString,
    examiner: Examiner,
}

/// A merchant as the door knows it.
struct MerchantDoor {
    merchant_id: i64,
    slug: String,
    shop_domain: String,
    mode: Mode,
    secrets: Vec<SecretString>,
    /// The same, sealed: how they are told apart in the database.
    sealed: Vec<Vec<u8>>,
    store_keys: Vec<SecretString>,
    /// Proves nothing.
    forgotten: Vec<SecretString>,
}

/// What became of a request.
pub enum Received {
    /// It is being kept; the answer is 200 only after this ends well.
    Pending(Pending<()>),
    /// Nobody's secret signed it.
    NotAuthentic,
    /// More waits to be written than is accepted, or the disk has no room for it: the sender comes again.
    Busy,
}

/// One merchant for whom a body proved itself.
struct Proven {
    merchant_id: i64,
    mode: Mode,
    shop_domain: String,
    /// The sealed secret that signed it.
    by: Option<Vec<u8>>,
    delivery: Delivery,
    buyer: Option<Vec<u8>>,
    /// The body, compressed: what a buyer who is forgotten is called stands nowhere else.
    compressed: Arc<[u8]>,
}

/// What proved a body.
#[derive(Clone, Copy)]
enum Proof {
    /// One of the merchant's webhook secrets.
    Secret(usize),
    StoreKey,
}

impl Intake {
    /// Opens the door with the merchants of today.
    pub fn new(engine: Arc<Engine>, data_key: Arc<DataKey>) -> Result<Self, Error> {
        let stranger = SecretString::from(crate::vault::random_token());
        // The shop's API tells of buyers, too.
        let _ = engine.data_key.set(Arc::clone(&data_key));
        let intake = Self { engine, data_key, doors: RwLock::default(), stranger, examiner: Examiner::default() };
        intake.reload()?;
        Ok(intake)
    }

    /// Reads merchants and secrets anew, after any of them changed.
    pub fn reload(&self) -> Result<(), Error> {
        let (merchants, credentials) =
            self.engine.db.read(|c| Ok((merchant::all(c)?, merchant::credentials(c, None)?)))?;
        let opened = |merchant_id: i64, kind: CredentialKind| -> Vec<(SecretString, Vec<u8>)> {
            let own = credentials.iter().filter(|c| c.merchant_id == merchant_id && c.kind == kind);
            let place = credential_place(merchant_id, kind, None);
            own.filter_map(|c| Some((self.engine.vault.open_text(&place, &c.sealed).ok()?, c.sealed.clone()))).collect()
        };
        let open = |merchant_id, kind| opened(merchant_id, kind).into_iter().map(|(secret, _)| secret).collect();
        let doors = merchants
            .into_iter()
            .map(|merchant| (opened(merchant.id, CredentialKind::WebhookSecret).into_iter().unzip(), merchant))
            .map(|((secrets, sealed), merchant)| MerchantDoor {
                secrets,
                sealed,
                store_keys: open(merchant.id, CredentialKind::StoreKey),
                forgotten: open(merchant.id, CredentialKind::ForgottenSecret),
                merchant_id: merchant.id,
                slug: merchant.slug,
                shop_domain: merchant.shop_domain,
                mode: merchant.mode,
            })
            .collect();
        *self.doors.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(doors);
        Ok(())
    }

    /// Takes one request in: by a merchant's own address, or for every merchant of the shop it names.
    #[must_use]
    pub fn receive(&self, slug: Option<&str>, headers: &Headers, body: &[u8]) -> Received {
        let doors = Arc::clone(&self.doors.read().unwrap_or_else(PoisonError::into_inner));
        let now = self.engine.clock.now();
        if self.engine.vitals.disk.is_full(now) {
            return Received::Busy;
        }
        let candidates: Vec<&MerchantDoor> = doors
            .iter()
            .filter(|door| door.is_open() || is_of_an_app(&headers.topic))
            .filter(|door| door.shop_domain == headers.shop_domain)
            .filter(|door| slug.is_none_or(|slug| door.slug == slug))
            .collect();
        if candidates.is_empty() {
            let _ = verify(body, &headers.hmac, std::slice::from_ref(&self.stranger));
        }
        let proven: Vec<(&MerchantDoor, Proof)> =
            candidates.into_iter().filter_map(|door| Some((door, door.proves(headers, body)?))).collect();
        if proven.is_empty() {
            self.count_stranger(self.suspicions(&doors, slug, headers, body, now), &headers.shop_domain, now);
            return Received::NotAuthentic;
        }
        let reading = read(&headers.topic, body);
        if proven.iter().any(|(door, _)| !names_this_shop(&reading, &door.shop_domain)) {
            let why = proven.iter().map(|(door, _)| (Some(door.merchant_id), Why::OtherShop)).collect();
            let named = reading.as_ref().ok().and_then(shop_in).unwrap_or_default();
            self.count_stranger(why, named, now);
            return Received::NotAuthentic;
        }
        let compressed: Arc<[u8]> = lz4_flex::compress_prepend_size(body).into();
        let proven: Vec<Proven> =
            proven.iter().map(|(door, by)| self.seal(door, *by, headers, body, &compressed, &reading)).collect();
        let engine = Arc::clone(&self.engine);
        let topic = headers.topic.clone();
        let sent_at = headers.triggered_at.unwrap_or(now);
        let kept = self.engine.db.post(move |tx| {
            for merchant in &proven {
                keep(tx, merchant, &topic, sent_at, &reading, now)?;
                if let Some(sealed) = &merchant.by {
                    merchant::note_use(tx, merchant.delivery.merchant_id, sealed, now)?;
                }
                // The claim comes through the same writer, so it sees what is about to be committed.
                engine.wake();
            }
            Ok(())
        });
        match kept {
            Ok(pending) => Received::Pending(pending),
            Err(_full) => Received::Busy,
        }
    }

    /// What is likely wrong, and for whom.
    fn suspicions(
        &self,
        doors: &[MerchantDoor],
        slug: Option<&str>,
        headers: &Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Vec<(Option<i64>, Why)> {
        let of_shop = |door: &&MerchantDoor| door.is_open() && door.shop_domain == headers.shop_domain;
        let meant: Vec<&MerchantDoor> = match slug {
            Some(slug) => doors.iter().filter(|door| door.slug == slug).collect(),
            None => doors.iter().filter(of_shop).collect(),
        };
        if meant.is_empty() {
            let of_nobody = if slug.is_some() { Why::UnknownAddress } else { Why::UnknownShop };
            return vec![(None, of_nobody)];
        }
        let why = |door: &MerchantDoor| {
            if !door.is_open() {
                return Why::Closed;
            }
            if let Some(why) = rejected::at_first_sight(&headers.hmac, body) {
                return why;
            }
            if door.shop_domain != headers.shop_domain {
                // Who says another name and proves nothing must not put that name before anybody's eyes.
                let is_proven = verify(body, &headers.hmac, &door.secrets).is_some();
                return if is_proven { Why::OtherShop } else { Why::Unexamined };
            }
            self.examiner.examine(door.merchant_id, body, &headers.hmac, &door.secrets, &door.forgotten, now)
        };
        meant.into_iter().map(|door| (Some(door.merchant_id), why(door))).collect()
    }

    fn count_stranger(&self, suspicions: Vec<(Option<i64>, Why)>, named: &str, now: Timestamp) {
        let shop = rejected::shop_named(named).to_owned();
        // Dropped when the queue is full: a stranger's try is worth no waiting.
        drop(self.engine.db.post(move |tx| {
            suspicions.iter().try_for_each(|(merchant_id, why)| rejection::count(tx, *merchant_id, *why, &shop, now))
        }));
    }

    fn seal(
        &self,
        door: &MerchantDoor,
        by: Proof,
        headers: &Headers,
        body: &[u8],
        compressed: &Arc<[u8]>,
        reading: &Result<Reading, ReadError>,
    ) -> Proven {
        let event_key = headers.webhook_id.clone().unwrap_or_else(|| {
            let hash = Sha256::new().chain_update(&headers.topic).chain_update([0]).chain_update(body).finalize();
            hash.iter().map(|byte| format!("{byte:02x}")).collect()
        });
        let buyer = reading.as_ref().ok().and_then(|reading| sealed_buyer(&self.data_key, door.merchant_id, reading));
        Proven {
            merchant_id: door.merchant_id,
            mode: door.mode,
            shop_domain: door.shop_domain.clone(),
            by: match by {
                Proof::Secret(index) => door.sealed.get(index).cloned(),
                Proof::StoreKey => None,
            },
            delivery: Delivery {
                merchant_id: door.merchant_id,
                topic: headers.topic.clone(),
                sent_at: headers.triggered_at,
                body: self.data_key.seal(&body_place(door.merchant_id, &event_key), compressed),
                event_key,
                fate: fate(reading),
            },
            buyer,
            compressed: Arc::clone(compressed),
        }
    }
}

/// Where a body belongs: to one event of one merchant.
#[must_use]
pub fn body_place(merchant_id: i64, event_key: &str) -> Place<'_> {
    Place { table: "delivery", row: merchant_id, kind: event_key, address: None }
}

pub(super) fn sealed_buyer(key: &DataKey, merchant_id: i64, reading: &Reading) -> Option<Vec<u8>> {
    let Reading::Order { snapshot, buyer: Some(buyer), .. } = reading else { return None };
    let plain = serde_json::to_vec(buyer).ok()?;
    Some(key.seal(&buyer_place(merchant_id, &snapshot.id.to_string()), &plain))
}

pub(super) fn buyer_place(merchant_id: i64, order: &str) -> Place<'_> {
    Place { table: "orders", row: merchant_id, kind: order, address: None }
}

impl MerchantDoor {
    fn is_open(&self) -> bool {
        self.mode != Mode::Closed
    }

    /// A store key signs what the shop's own notification page sends: never what is said of the app itself. What is asked in
    /// the name of customers counts whichever key signed it.
    fn proves(&self, headers: &Headers, body: &[u8]) -> Option<Proof> {
        let by_secret = verify(body, &headers.hmac, &self.secrets).map(Proof::Secret);
        let by_store_key = verify(body, &headers.hmac, &self.store_keys).map(|_| Proof::StoreKey);
        by_secret.or(by_store_key.filter(|_| !headers.topic.starts_with("app/")))
    }
}

/// Whether only an app is told of it, and of shops that are gone, too.
fn is_of_an_app(topic: &str) -> bool {
    topic.starts_with("customers/") || topic.starts_with("app/") || topic == "shop/redact"
}

/// One secret of an app serves all its shops, and the shop stands in an unsigned header: where the body names the shop,
/// it must be this one.
fn names_this_shop(reading: &Result<Reading, ReadError>, domain: &str) -> bool {
    reading.as_ref().ok().and_then(shop_in).is_none_or(|named| named.eq_ignore_ascii_case(domain))
}

/// The shop that a body names.
fn shop_in(reading: &Reading) -> Option<&str> {
    match reading {
        Reading::DataRequest { shop_domain, .. }
        | Reading::RedactBuyer { shop_domain, .. }
        | Reading::RedactShop { shop_domain } => Some(shop_domain),
        Reading::Uninstalled { shop_domain } => shop_domain.as_deref(),
        Reading::Order { .. }
        | Reading::Facts { .. }
        | Reading::Edited { .. }
        | Reading::Sample { .. }
        | Reading::Product { .. }
        | Reading::Other => None,
    }
}

fn keep(
    tx: &Transaction<'_>,
    proven: &Proven,
    topic: &str,
    sent_at: Timestamp,
    reading: &Result<Reading, ReadError>,
    now: Timestamp,
) -> Result<(), Error> {
    let merchant_id = proven.merchant_id;
    let remote_id = reading.as_ref().ok().and_then(order_meant);
    let order_id = remote_id.map(|id| order::known(tx, merchant_id, id, now)).transpose()?;
    let kept = delivery::keep(tx, &proven.delivery, order_id, now)?;
    let told = |status, delivery_id, facts: Option<log::Facts>| {
        let about = log::About { merchant_id, order_id, delivery_id: Some(delivery_id), document_id: None };
        log::write(tx, status, about, facts.as_ref(), now)
    };
    let delivery_id = match kept {
        Kept::New { id } => id,
        // The first repeat is told; a thousand more would only bury the rest.
        Kept::Repeat { id, repeats: 1 } => {
            return told(Status::Duplicate, id, Some(log::Facts::Topic(topic.to_owned())));
        }
        Kept::Repeat { .. } => return Ok(()),
    };
    hear_of_the_shop(tx, merchant_id, topic, delivery_id, reading, sent_at, now)?;
    match (reading, order_id) {
        (Ok(reading), Some(order_id)) => {
            let mut reading = Cow::Borrowed(reading);
            if privacy::is_redacted(tx, order_id)? {
                privacy::forget_body(tx, delivery_id)?;
                let body = lz4_flex::decompress_size_prepended(&proven.compressed).unwrap_or_default();
                make_impersonal(tx, merchant_id, reading.to_mut(), &body)?;
            }
            take_in_sent(tx, order_id, &proven.shop_domain, &reading, sent_at, proven.buyer.as_deref(), now)?;
            job::ask(tx, order_id, merchant_id, now, true)?;
        }
        (Ok(Reading::Sample { .. }), None) => {
            told(Status::Test, delivery_id, Some(log::Facts::Topic(topic.to_owned())))?
        }
        (Ok(Reading::Product { variants, untold }), None) => {
            hear_of_a_product(tx, merchant_id, variants, untold, now)?;
            // All that it says of use is kept, and shops tell of products whenever one is sold.
            privacy::forget_body(tx, delivery_id)?;
        }
        (Ok(_), None) => {}
        (Err(ReadError { path, problem }), _) => {
            let failed = Failed::Unreadable { topic: topic.to_owned(), path: path.clone(), problem: problem.clone() };
            told(Status::Failed, delivery_id, Some(log::Facts::Reason(Reason::Failed(failed))))?;
            alert::raise(tx, alert::Cause::Unreadable, &format!("merchant {merchant_id}"), Some(merchant_id), now)?;
        }
    }
    if proven.mode == Mode::Paused && order_id.is_some() {
        told(Status::Paused, delivery_id, None)?;
    }
    Ok(())
}

/// What a delivery says of the shop itself and of its customers, beside any order.
fn hear_of_the_shop(
    tx: &Transaction<'_>,
    merchant_id: i64,
    topic: &str,
    delivery_id: i64,
    reading: &Result<Reading, ReadError>,
    sent_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let ask = |kind, customer_id: Option<i64>, orders: &BTreeSet<i64>| {
        privacy::ask(tx, merchant_id, kind, customer_id, orders, Some(delivery_id), now).map(drop)
    };
    match reading {
        Ok(Reading::DataRequest { customer_id, orders, .. }) => ask(privacy::Kind::DataRequest, *customer_id, orders),
        Ok(Reading::RedactBuyer { customer_id, orders, .. }) => {
            ask(privacy::Kind::CustomerRedact, *customer_id, orders)
        }
        Ok(Reading::RedactShop { .. }) => ask(privacy::Kind::ShopRedact, None, &BTreeSet::new()),
        Ok(Reading::Uninstalled { .. }) => privacy::uninstalled(tx, merchant_id, sent_at),
        Ok(
            Reading::Order { .. }
            | Reading::Facts { .. }
            | Reading::Edited { .. }
            | Reading::Sample { .. }
            | Reading::Product { .. }
            | Reading::Other,
        )
        | Err(_) => {
            // These are said of shops that are gone, however they read.
            if !is_of_an_app(topic) {
                privacy::came_back(tx, merchant_id, sent_at, now)?;
            }
            Ok(())
        }
    }
}

/// Keeps the barcodes of the merchant's products, and of others only where they are known.
fn hear_of_a_product(
    tx: &Transaction<'_>,
    merchant_id: i64,
    variants: &[Variant],
    untold: &BTreeSet<i64>,
    now: Timestamp,
) -> Result<(), Error> {
    let vendors = merchant::get(tx, merchant_id)?.rules.vendors;
    let is_own = |variant: &&Variant| vendors.covers(&Vendor::new(&variant.vendor));
    let (own, others): (Vec<&Variant>, Vec<&Variant>) = variants.iter().partition(is_own);
    let of = |some: Vec<&Variant>| some.into_iter().cloned().collect::<Vec<_>>();
    variant::learn(tx, merchant_id, &of(own), Keep::All, now)?;
    variant::learn(tx, merchant_id, &of(others), Keep::Known, now)?;
    variant::forget_barcodes(tx, merchant_id, untold)
}

/// Takes the buyer out of what is learned of an order whose buyer was forgotten.
fn make_impersonal(tx: &Transaction<'_>, merchant_id: i64, reading: &mut Reading, body: &[u8]) -> Result<(), Error> {
    let Reading::Order { snapshot, buyer, .. } = reading else { return Ok(()) };
    let mut personal = Personal::of_body(body);
    if let Some(buyer) = buyer.take() {
        personal.add_buyer(&buyer);
    }
    let tags = merchant::get(tx, merchant_id)?.rules.ignored_tags;
    let clean = serde_json::to_value(&*snapshot).ok().and_then(|mut value| {
        personal.take_out(&mut value, &tags);
        serde_json::from_value::<Snapshot>(value).ok()
    });
    if let Some(clean) = clean {
        **snapshot = clean;
    }
    Ok(())
}

fn fate(reading: &Result<Reading, ReadError>) -> Fate {
    match reading {
        Err(_) => Fate::Unreadable,
        Ok(Reading::Order { .. } | Reading::Facts { .. } | Reading::Edited { .. }) => Fate::Order,
        Ok(Reading::Sample { .. }) => Fate::Sample,
        Ok(
            Reading::DataRequest { .. }
            | Reading::RedactBuyer { .. }
            | Reading::RedactShop { .. }
            | Reading::Uninstalled { .. }
            | Reading::Product { .. }
            | Reading::Other,
        ) => Fate::Other,
    }
}

/// The order that a body is about, by Shopify's id.
fn order_meant(reading: &Reading) -> Option<i64> {
    match reading {
        Reading::Order { snapshot, .. } => Some(snapshot.id),
        Reading::Facts { order_id, .. } | Reading::Edited { order_id } => Some(*order_id),
        Reading::Sample { .. }
        | Reading::DataRequest { .. }
        | Reading::RedactBuyer { .. }
        | Reading::RedactShop { .. }
        | Reading::Uninstalled { .. }
        | Reading::Product { .. }
        | Reading::Other => None,
    }
}

/// Takes in what the shop's API says now of an order.
pub(super) fn take_in(
    tx: &Transaction<'_>,
    order_id: i64,
    shop_domain: &str,
    reading: &Reading,
    buyer: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), Error> {
    if privacy::is_redacted(tx, order_id)? {
        let mut reading = reading.clone();
        make_impersonal(tx, order::get(tx, order_id)?.merchant_id, &mut reading, b"")?;
        return take_in_sent(tx, order_id, shop_domain, &reading, now, None, now);
    }
    take_in_sent(tx, order_id, shop_domain, reading, now, buyer, now)
}

/// The one door for what is said of an order, whoever says it.
fn take_in_sent(
    tx: &Transaction<'_>,
    order_id: i64,
    shop_domain: &str,
    reading: &Reading,
    sent_at: Timestamp,
    buyer: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), Error> {
    learn(tx, order_id, reading, sent_at, buyer, now)?;
    if let Reading::Order { snapshot, .. } = reading {
        count_unowned(tx, shop_domain, snapshot, now)?;
    }
    Ok(())
}

/// Takes what a body says of its order into what is known of it.
fn learn(
    tx: &Transaction<'_>,
    order_id: i64,
    reading: &Reading,
    sent_at: Timestamp,
    buyer: Option<&[u8]>,
    now: Timestamp,
) -> Result<(), Error> {
    match reading {
        Reading::Order { snapshot, facts, updated_at, .. } => {
            order::take_snapshot(tx, order_id, snapshot, (*updated_at, sent_at), buyer)?;
            order::take_facts(tx, order_id, facts, now)
        }
        Reading::Facts { facts, .. } => order::take_facts(tx, order_id, facts, now),
        Reading::Edited { .. }
        | Reading::Sample { .. }
        | Reading::DataRequest { .. }
        | Reading::RedactBuyer { .. }
        | Reading::RedactShop { .. }
        | Reading::Uninstalled { .. }
        | Reading::Product { .. }
        | Reading::Other => Ok(()),
    }
}

/// What became of a body that was read once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// What it says of this order, by our own id, is known.
    Order(i64),
    /// It is about no order.
    NoOrder,
    /// It still is not what its topic says: where, and why.
    Unreadable { path: String, problem: String },
}

/// Reads the body of a kept delivery as this version of the program reads it, and learns from it what it would have
/// learned at the door. It proved itself when it came; nothing newer is lost, for an older body never replaces a newer.
pub fn replay(
    tx: &Transaction<'_>,
    key: &DataKey,
    delivery_id: i64,
    kept: &delivery::Sealed,
    body: &[u8],
    now: Timestamp,
) -> Result<Replayed, Error> {
    let mut reading = match read(&kept.topic, body) {
        Ok(reading) => reading,
        Err(ReadError { path, problem }) => return Ok(Replayed::Unreadable { path, problem }),
    };
    let Some(remote_id) = order_meant(&reading) else { return Ok(Replayed::NoOrder) };
    let order_id = order::known(tx, kept.merchant_id, remote_id, now)?;
    if privacy::is_redacted(tx, order_id)? {
        privacy::forget_body(tx, delivery_id)?;
        make_impersonal(tx, kept.merchant_id, &mut reading, body)?;
    }
    let buyer = sealed_buyer(key, kept.merchant_id, &reading);
    learn(tx, order_id, &reading, kept.sent_at.unwrap_or(kept.received_at), buyer.as_deref(), now)?;
    delivery::belongs_to(tx, delivery_id, order_id)?;
    Ok(Replayed::Order(order_id))
}

/// A vendor that belongs to nobody is shown once per shop: its lines are on no invoice.
fn count_unowned(tx: &Transaction<'_>, shop_domain: &str, snapshot: &Snapshot, now: Timestamp) -> Result<(), Error> {
    let owners = merchant::vendors_of_shop(tx, shop_domain)?;
    if owners.iter().any(|(name, _)| name == "*") {
        return Ok(());
    }
    for line in &snapshot.lines {
        let vendor = Vendor::new(&line.vendor);
        if !owners.iter().any(|(name, _)| name == vendor.as_str()) {
            tally::count(tx, Kind::UnownedVendor, &format!("{shop_domain} {}", vendor.as_str()), now)?;
        }
    }
    Ok(())
}

//! What people may ask about a merchant's Daftra account and its secrets while they fill in a form. Nothing is changed and
//! nothing is kept.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Secret, check};
use crate::daftra::outcome::{Trouble, Unanswered};
use crate::db;
use crate::db::merchant::{self, CredentialKind, Slot};
use crate::domain::catalog::Product;
use crate::domain::offer::{Named, Places, Tax, WaysOfPaying};
use crate::engine::ask::Asked;
use crate::engine::{Engine, credential_place};

/// Where forms ask. Called where it may wait for an account.
pub trait Accounts: Send + Sync {
    /// Who answers at an address with a key that is not stored yet.
    fn meet(&self, address: &str, key: &Secret) -> Result<Site, Silence>;
    /// Warehouses and branches, clients of a name, and the name of the client who is chosen.
    fn choices(&self, merchant_id: i64, client: &str, chosen: i64) -> Result<Result<Choices, Silence>, db::Error>;
    /// The active taxes.
    fn taxes(&self, merchant_id: i64) -> Result<Result<Vec<Tax>, Silence>, db::Error>;
    /// The active ways of paying and treasuries.
    fn ways_of_paying(&self, merchant_id: i64) -> Result<Result<WaysOfPaying, Silence>, db::Error>;
    /// Active products whose name, code or barcode holds a text, some of them.
    fn products(&self, merchant_id: i64, text: &str) -> Result<Result<Vec<Product>, Silence>, db::Error>;
    /// What may be shown of the webhook secrets, the current one first.
    fn secrets(&self, merchant_id: i64) -> Result<Vec<Trail>, db::Error>;
}

/// What may be shown of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// How it ends: enough to tell two apart, too little to use them. Empty for a short one.
    pub ending: String,
    /// When it last proved a delivery, to the hour.
    pub used_at: Option<Timestamp>,
}

/// The account behind a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The full host.
    pub host: String,
    /// Three letters.
    pub currency: String,
}

/// What the documents of a merchant may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Warehouses, the primary one first.
    pub stores: Vec<Named>,
    /// Empty in an account without branches.
    pub branches: Vec<Named>,
    /// A page of them.
    pub clients: Vec<Named>,
    /// Who is chosen already, if the account has such a client.
    pub client: Option<Named>,
}

/// Why an account said nothing of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It is no address.
    NoAddress,
    /// There is no key to ask with.
    NoKey,
    /// The key does not open.
    BadKey,
    /// The address sends elsewhere.
    Redirect,
    /// A page for people answers.
    Page,
    /// The subscription ran out.
    Expired,
    /// It is not reached, or does not answer in time.
    Unreached,
    /// It wants to be left alone for a while.
    Busy,
    /// It answers what cannot be understood.
    Unclear,
}

impl Silence {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::NoAddress,
        Self::NoKey,
        Self::BadKey,
        Self::Redirect,
        Self::Page,
        Self::Expired,
        Self::Unreached,
        Self::Busy,
        Self::Unclear,
    ];
}

impl From<Unanswered> for Silence {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Credential(_) => Self::BadKey,
            Unanswered::Throttled { .. } => Self::Busy,
            Unanswered::Unsent(_) => Self::Unreached,
            Unanswered::Failed { trouble: Some(Trouble::Redirect), .. } => Self::Redirect,
            Unanswered::Failed { trouble: Some(Trouble::Html), .. } => Self::Page,
            Unanswered::Failed { outage: true, .. } => Self::Unreached,
            Unanswered::Failed { outage: false, trouble: None, .. } => Self::Unclear,
        }
    }
}

pub(super) fn meet(engine: &Engine, address: &str, key: &Secret) -> Result<Site, Silence> {
    let address = check::address(address).ok_or(Silence::NoAddress)?;
    let site = engine.meet(&address, key.0.clone())?;
    if site.is_expired {
        return Err(Silence::Expired);
    }
    Ok(Site { host: site.host, currency: site.currency })
}

pub(super) fn choices(
    engine: &Engine,
    merchant_id: i64,
    client: &str,
    chosen: i64,
) -> Result<Result<Choices, Silence>, db::Error> {
    let Places { stores, branches } =
        match said(engine.ask(merchant_id, |daftra, door, pace| daftra.places(door, pace))?) {
            Ok(places) => places,
            Err(silence) => return Ok(Err(silence)),
        };
    let clients = match said(engine.ask(merchant_id, |daftra, door, pace| daftra.clients(door, pace, client))?) {
        Ok(clients) => clients,
        Err(silence) => return Ok(Err(silence)),
    };
    let known = clients.iter().find(|client| client.id == chosen).cloned();
    let client = match known {
        None if chosen > 0 => said(engine.ask(merchant_id, |daftra, door, pace| daftra.client(door, pace, chosen))?),
        known => Ok(known),
    };
    Ok(client.map(|client| Choices { stores, branches, clients, client }))
}

pub(super) fn taxes(engine: &Engine, merchant_id: i64) -> Result<Result<Vec<Tax>, Silence>, db::Error> {
    Ok(said(engine.ask(merchant_id, |daftra, door, pace| daftra.taxes(door, pace))?))
}

pub(super) fn ways_of_paying(engine: &Engine, merchant_id: i64) -> Result<Result<WaysOfPaying, Silence>, db::Error> {
    Ok(said(engine.ask(merchant_id, |daftra, door, pace| daftra.ways_of_paying(door, pace))?))
}

pub(super) fn products(
    engine: &Engine,
    merchant_id: i64,
    text: &str,
) -> Result<Result<Vec<Product>, Silence>, db::Error> {
    Ok(said(engine.ask(merchant_id, |daftra, door, pace| daftra.products_like(door, pace, text))?))
}

pub(super) fn secrets(engine: &Engine, merchant_id: i64) -> Result<Vec<Trail>, db::Error> {
    let kind = CredentialKind::WebhookSecret;
    let (mut stored, uses) = engine.db.read(|c| {
        let stored = merchant::credentials(c, Some(merchant_id))?;
        Ok((stored, merchant::uses(c, merchant_id, kind)?))
    })?;
    stored.retain(|credential| credential.kind == kind);
    stored.sort_by_key(|credential| credential.slot == Slot::Previous);
    let place = credential_place(merchant_id, kind, None);
    let trail = |one: &merchant::Credential| {
        let secret = engine.vault.open_text(&place, &one.sealed).ok()?;
        let used_at = uses.iter().find(|(slot, _)| *slot == one.slot).map(|(_, used_at)| *used_at);
        Some(Trail { ending: ending(&secret), used_at })
    };
    Ok(stored.iter().filter_map(trail).collect())
}

/// The last four characters of a long secret; of a short one they would be too much.
fn ending(secret: &SecretString) -> String {
    const SHOWN: usize = 4;
    const LONG: usize = 16;
    let length = secret.expose_secret().chars().count();
    if length < LONG { String::new() } else { secret.expose_secret().chars().skip(length - SHOWN).collect() }
}

fn said<T>(asked: Asked<T>) -> Result<T, Silence> {
    match asked {
        Asked::NoKey => Err(Silence::NoKey),
        Asked::Busy => Err(Silence::Busy),
        Asked::Answered(answer) => answer.map_err(Silence::from),
    }
}

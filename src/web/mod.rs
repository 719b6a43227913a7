//! The HTTP side: webhooks in, pages out. It reads through `db`, hands webhooks to the [`Door`] and wishes to the
//! [`Desk`]; it decides nothing about orders, and only forms ask an account what there is to choose from, through [`Accounts`].
//!
//! Threads that serve sockets do no SQL and no argon2: pages and sign-ins run in the blocking pool, at most eight at
//! once.

pub mod acme;
mod api;
mod asked;
pub mod auth;
mod blocking;
mod body;
mod context;
mod hook;
mod metrics;
mod multipart;
mod origin;
mod page;
mod peer;
mod probe;
mod reply;
mod request;
pub mod route;
pub mod server;
mod stall;
pub mod tls;
pub mod upkeep;

use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::desk::account::Accounts;
use crate::desk::{self, Person, Wish};
use crate::vault::Vault;
use crate::vitals::Vitals;

/// What the HTTP side needs from the rest of the program.
#[derive(Clone)]
pub struct Parts {
    /// Limits, addresses and certificate.
    pub config: Arc<Config>,
    /// What pages show.
    pub db: Arc<Db>,
    /// Keys for form tokens.
    pub vault: Arc<Vault>,
    /// For everything that ages.
    pub clock: Clock,
    /// How the running program is doing.
    pub vitals: Arc<Vitals>,
    /// In the demo: the origin of the sites beside this one, whose status line our pages show.
    pub playground: Option<String>,
    /// Takes webhooks in.
    pub door: Arc<dyn Door>,
    /// Takes wishes of people.
    pub desk: Arc<dyn Desk>,
    /// Asks accounts what forms may choose from.
    pub accounts: Arc<dyn Accounts>,
}

/// Where webhooks go in. Called on a thread that serves sockets: HMAC and sealing, no waiting.
pub trait Door: Send + Sync {
    /// Looks at one request to `/webhook` (no slug) or `/webhook/{slug}`. Header names are in lower case.
    fn receive(&self, slug: Option<&str>, headers: &[(String, String)], body: Vec<u8>) -> Received;
}

/// Ends well when the delivery is on the disk.
pub type Kept = Pin<Box<dyn Future<Output = Result<(), ()>> + Send>>;

/// What became of a webhook.
pub enum Received {
    /// It proved itself and is being stored; the sender hears "done" after that and not before.
    Pending(Kept),
    /// Nobody's secret fits.
    NotAuthentic,
    /// There is no room for it now: the sender comes again.
    Busy,
}

/// Where a person's wishes go. Called in the blocking pool: it may wait for the database.
pub trait Desk: Send + Sync {
    /// Makes a wish come true and sees to it that it shows at once.
    fn perform(&self, wish: Wish, by: Person) -> Result<Value, desk::Error>;

    /// Opens the body of a delivery; that it was read is written down.
    fn body(&self, delivery_id: i64, by: Person) -> Result<String, desk::Error>;
}

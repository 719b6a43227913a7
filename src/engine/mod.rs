//! The thin shell that joins database, planner and Daftra. It decides nothing: it asks the planner, performs the first
//! operation, records what came of it and asks again.

pub mod ask;
pub mod gate;
pub mod intake;
pub mod order;
mod pay;
pub mod perform;
mod rejected;
mod stock;
pub mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use crate::clock::{Bell, Clock};
use crate::config::keys;
use crate::daftra::client::{Client, Door};
use crate::daftra::outcome;
use crate::db::product::Ages;
use crate::db::{Db, Error, account, merchant};
use crate::domain::document::Policy;
use crate::domain::retry::Backoff;
use crate::vault::{Place, Vault};
use gate::{GateRules, Gates};

/// Everything the workers share.
pub struct Engine {
    pub db: Arc<Db>,
    pub clock: Clock,
    pub vault: Arc<Vault>,
    pub settings: Settings,
    daftra: Client,
    gates: Gates,
    /// Rung when an order is asked for.
    bell: Bell,
    /// Rung when a chore is asked for.
    chores: Bell,
    /// Rung when the heart is to stop.
    heart: Bell,
    stopping: AtomicBool,
}

/// How the engine behaves, from the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub workers: usize,
    /// Running orders per account, so that a slow one holds few workers.
    pub per_account: u32,
    pub policy: Policy,
    pub ages: Ages,
    pub retry: Backoff,
    pub max_failures: u32,
    pub max_operations: u32,
    pub trouble_probe: SignedDuration,
    pub heartbeat: SignedDuration,
    pub heartbeat_gap: SignedDuration,
    pub gate: GateRules,
}

impl Settings {
    /// The settings of a configuration.
    #[must_use]
    pub fn new(engine: &keys::Engine, daftra: &keys::Daftra) -> Self {
        let ms = |value: u64| SignedDuration::from_millis(i64::try_from(value).unwrap_or(i64::MAX));
        Self {
            workers: engine.workers,
            per_account: u32::try_from(daftra.calls_at_once).unwrap_or(u32::MAX).saturating_add(1),
            policy: Policy {
                settling: ms(daftra.settling_ms),
                look_ups: daftra.look_ups,
                look_up_gap: ms(daftra.look_up_gap_ms),
                ..Policy::default()
            },
            ages: Ages { product: ms(engine.product_age_ms), miss: ms(engine.product_miss_ms) },
            retry: Backoff { first: ms(engine.retry_first_ms), longest: ms(engine.retry_longest_ms) },
            max_failures: engine.max_failures,
            max_operations: engine.max_operations_per_run,
            trouble_probe: ms(engine.trouble_probe_ms),
            heartbeat: ms(engine.heartbeat_ms),
            heartbeat_gap: ms(engine.heartbeat_gap_ms),
            gate: GateRules {
                at_once: daftra.calls_at_once,
                pace: ms(daftra.pace_ms),
                breaker_after: engine.breaker_after,
                breaker: Backoff { first: ms(engine.breaker_first_ms), longest: ms(engine.breaker_longest_ms) },
            },
        }
    }
}

impl Engine {
    /// An engine at rest; `worker::start` brings it to life.
    #[must_use]
    pub fn new(db: Arc<Db>, clock: Clock, vault: Arc<Vault>, daftra: Client, settings: Settings) -> Arc<Self> {
        let most = u32::try_from(settings.workers).unwrap_or(u32::MAX);
        Arc::new(Self {
            gates: Gates::new(clock.clone(), settings.gate),
            bell: clock.bell(most),
            chores: clock.bell(1),
            heart: clock.bell(1),
            stopping: AtomicBool::new(false),
            db,
            clock,
            vault,
            daftra,
            settings,
        })
    }

    /// Somebody asked for an order.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Somebody asked for a chore.
    pub fn wake_chores(&self) {
        self.chores.ring();
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// A merchant's way into its account; `None` when it has no account, no key, or one that does not open.
    fn door(&self, merchant_id: i64) -> Result<Option<(Door, account::Account)>, Error> {
        let known = self.db.read(|c| {
            let merchant = merchant::get(c, merchant_id)?;
            let Some(id) = merchant.account_id else { return Ok(None) };
            let keys = merchant::credentials(c, Some(merchant_id))?;
            let key = keys
                .into_iter()
                .find(|key| key.kind == merchant::CredentialKind::DaftraKey && key.slot == merchant::Slot::Current);
            Ok(Some((account::get(c, id)?, merchant.rules.branch_id, key)))
        })?;
        let Some((account, branch_id, Some(sealed))) = known else { return Ok(None) };
        let place = credential_place(merchant_id, sealed.kind, Some(&account.address));
        let Ok(key) = self.vault.open_text(&place, &sealed.sealed) else { return Ok(None) };
        Ok(Some((Door { address: account.address.clone(), key, branch_id }, account)))
    }
}

impl From<outcome::Trouble> for merchant::Trouble {
    fn from(trouble: outcome::Trouble) -> Self {
        match trouble {
            outcome::Trouble::Redirect => Self::Redirect,
            outcome::Trouble::Html => Self::Html,
        }
    }
}

/// Where a credential belongs: sealed for one merchant, one kind and, for keys, the address they are sent to. A value
/// that is copied elsewhere does not open.
#[must_use]
pub fn credential_place(merchant_id: i64, kind: merchant::CredentialKind, address: Option<&str>) -> Place<'_> {
    Place { table: "credential", row: merchant_id, kind: kind.word(), address }
}

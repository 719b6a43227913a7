//! The thin shell that joins database, planner and Daftra. It decides nothing: it asks the planner, performs the first
//! operation, records what came of it and asks again.

mod adopt;
pub mod ask;
pub mod backup;
mod barcodes;
mod catch_up;
mod coverage;
mod cut_over;
pub mod gate;
pub mod intake;
mod leave;
pub mod letters;
mod news;
mod night;
pub mod order;
pub mod outbox;
mod pay;
pub mod perform;
pub mod privacy;
mod rejected;
mod reread;
pub mod seals;
mod shop;
mod stock;
mod subscriptions;
mod summary;
pub mod telling;
mod upkeep;
mod watch;
pub mod worker;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Bell, Clock};
use crate::config::Config;
use crate::daftra::client::{Client, Door};
use crate::daftra::outcome;
use crate::db::condition::Limits;
use crate::db::notice::Outcome;
use crate::db::product::Ages;
use crate::db::trim::Retention;
use crate::db::{Db, Error, account, merchant};
use crate::domain::document::Policy;
use crate::domain::retry::Backoff;
use crate::domain::telling::Pace;
use crate::shop::api;
use crate::shop::read::Reading;
use crate::vault::{DataKey, Place, Vault};
use crate::vitals::Vitals;
use gate::{GateRules, Gates};
use telling::Tongue;
use upkeep::Upkeep;

/// How soon it is looked whether the disk has room again.
const NO_ROOM: SignedDuration = SignedDuration::from_secs(5);

/// A cause that comes and goes is told once in so long.
const PAUSE: SignedDuration = SignedDuration::from_mins(30);

/// Everything the workers share.
pub struct Engine {
    pub db: Arc<Db>,
    pub clock: Clock,
    /// How the running program is doing.
    pub vitals: Arc<Vitals>,
    pub vault: Arc<Vault>,
    pub settings: Settings,
    daftra: Client,
    shops: api::client::Client,
    /// A token of a shop is made by one thread at a time.
    refreshing: Mutex<()>,
    /// Seals buyers; the intake brings it.
    data_key: OnceLock<Arc<DataKey>>,
    /// Where shops reach this server, for subscriptions.
    origin: OnceLock<String>,
    gates: Gates,
    /// Rung when an order is asked for.
    bell: Bell,
    /// Rung when a chore is asked for.
    chores: Bell,
    /// Rung when the heart is to stop.
    heart: Bell,
    /// Rung when the backups are to stop.
    backups: Bell,
    /// The same for the upkeep.
    broom: Bell,
    /// Rung when something is to be told.
    mouth: Bell,
    /// How alerts are told beside mail; the command line brings it.
    tongue: OnceLock<Tongue>,
    /// How a word ended, as long as that could not be noted.
    unsaid: Mutex<Option<(i64, Outcome)>>,
    /// Rung when there may be something to mail.
    mails: Bell,
    upkeep: Mutex<Upkeep>,
    /// Orders that their shop did not show, and when that was first so. A start forgets it: then it takes a little longer.
    unseen: Mutex<BTreeMap<i64, Timestamp>>,
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
    /// How often it is looked what is worth an alert.
    pub upkeep: SignedDuration,
    pub alerts: Limits,
    /// When alerts are told.
    pub telling: Pace,
    /// How far our clock may be from others, or be set back.
    pub clock: SignedDuration,
    pub retention: Retention,
    /// Where all shops' APIs are in a trial; else each is at its own domain.
    pub shops: Option<SocketAddr>,
}

impl Settings {
    /// The settings of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let Config { engine, daftra, alerts, retention, .. } = config;
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
            upkeep: ms(alerts.every_ms),
            alerts: Limits {
                in_doubt: ms(alerts.in_doubt_ms),
                hold: ms(alerts.hold_ms),
                queue_age: ms(alerts.queue_age_ms),
            },
            telling: Pace { settle: ms(alerts.settle_ms), remind: ms(alerts.remind_ms), pause: PAUSE },
            clock: ms(alerts.clock_ms),
            retention: Retention {
                bodies: days(retention.bodies_days),
                closed: days(retention.closed_days),
                buyers: days(retention.buyers_days),
                orders: days(retention.orders_days),
                calls: days(retention.calls_days),
                mails: days(retention.mails_days),
                log: days(retention.log_days),
            },
            shops: None,
        }
    }
}

/// How long something is kept; `None` for ever.
fn days(days: u32) -> Option<SignedDuration> {
    (days > 0).then(|| SignedDuration::from_hours(24 * i64::from(days)))
}

impl Engine {
    /// An engine at rest; `worker::start` brings it to life.
    #[must_use]
    pub fn new(
        db: Arc<Db>,
        clock: Clock,
        vitals: Arc<Vitals>,
        vault: Arc<Vault>,
        daftra: Client,
        settings: Settings,
    ) -> Arc<Self> {
        let most = u32::try_from(settings.workers).unwrap_or(u32::MAX);
        let (outgoing, limits) = daftra.way_out();
        Arc::new(Self {
            shops: api::client::Client::new(outgoing.clone(), limits, settings.shops),
            refreshing: Mutex::default(),
            data_key: OnceLock::new(),
            origin: OnceLock::new(),
            gates: Gates::new(clock.clone(), settings.gate),
            bell: clock.bell(most),
            chores: clock.bell(1),
            heart: clock.bell(1),
            backups: clock.bell(1),
            broom: clock.bell(1),
            mouth: clock.bell(1),
            tongue: OnceLock::new(),
            unsaid: Mutex::default(),
            mails: clock.bell(1),
            upkeep: Mutex::default(),
            unseen: Mutex::default(),
            stopping: AtomicBool::new(false),
            db,
            clock,
            vault,
            daftra: daftra.measured_by(Arc::clone(&vitals)),
            vitals,
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

    /// There may be something to mail.
    pub fn wake_mails(&self) {
        self.mails.ring();
    }

    /// Where shops reach this server: scheme and host. Said once, before it starts.
    pub fn is_reached_at(&self, origin: String) {
        // A second time would say the same.
        let _ = self.origin.set(origin);
    }

    /// The buyer of a reading, sealed as the intake seals it.
    fn sealed_buyer(&self, merchant_id: i64, reading: &Reading) -> Option<Vec<u8>> {
        intake::sealed_buyer(self.data_key.get()?, merchant_id, reading)
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

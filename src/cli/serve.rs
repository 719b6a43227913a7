//! `serve`: everything at work, from the first webhook to a stop that cuts nothing off.
//!
//! Whatever can fail at the start fails before the first call to Daftra. The stop goes the way an order comes: no new
//! connections, requests end, commands end, workers end their call, and the database is closed last.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use sd_notify::NotifyState;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Ended, Session, alert, logging, open};
use crate::clock::Clock;
use crate::config::Config;
use crate::daftra::client::{Client, Settings as CallSettings};
use crate::db::lock::ServerLock;
use crate::db::{self, Db, account, merchant};
use crate::desk::account::Accounts;
use crate::desk::office::Office;
use crate::desk::{self, Person, Wish, local};
use crate::engine::intake::{Intake, Received};
use crate::engine::{Engine, Settings, backup, outbox, worker};
use crate::outgoing::{Limits, Outgoing};
use crate::shop::webhook::Headers;
use crate::vitals::Vitals;
use crate::vitals::disk::Disk;
use crate::web;

#[derive(clap::Args)]
pub(super) struct Serve {
    /// For trials against a sandbox: let time run so many times as fast
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    clock_speed: Option<u32>,
    /// For trials against a sandbox: let time begin here, for example 2026-11-01T08:00:00Z
    #[arg(long, value_name = "TIME")]
    clock_start: Option<Timestamp>,
    /// For the demo: where the shop and the Daftra beside this server are, for its pages to show
    #[arg(long, value_name = "ORIGIN", hide = true)]
    playground: Option<String>,
    /// For trials against a sandbox: where on this machine it plays the API of all shops
    #[arg(long, value_name = "ADDRESS:PORT")]
    shops_at: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = Arc::new(session.config()?);
        logging::start(&config.log, session.has_variable("JOURNAL_STREAM"));
        let signals = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = {
            let _inside = signals.enter();
            Stop::catch()?
        };
        let clock = self.clock();
        if self.is_trial() && config.acme.is_on() {
            bail!("acme.domains is set: with --clock-speed and --clock-start no certificate is asked for, empty it");
        }
        let playground = self.playground()?;
        let folder = open::existing(&config.data.folder)?;
        let _lock = ServerLock::take(folder)?;
        let listener = TcpListener::bind(config.http.listen).with_context(|| {
            format!("http.listen is {}: the port cannot be used, choose another", config.http.listen)
        })?;
        let opened = open::open(&config, clock.now())?;
        let outgoing = self.outgoing(&config, &opened.db)?;
        let tongue = alert::tongue(&config, outgoing.clone())?;
        let daftra = Client::new(outgoing, call_settings(&config));
        if let Some(address) = self.shops_at.filter(|address| !address.ip().is_loopback()) {
            bail!("--shops-at is {address}: a sandbox is on this machine");
        }
        let mails = outbox::Rules::new(&config)?;
        if let Some(server) = config.mail.server.as_ref().filter(|server| self.is_trial() && !is_here(server)) {
            bail!("mail.server is {server}: with --clock-speed and --clock-start mails would be wrong, empty it");
        }
        let settings = Settings { shops: self.shops_at, ..Settings::new(&config) };
        let vitals = Arc::new(Vitals::new(clock.clone(), Disk::of(folder, config.data.min_free_bytes)));
        let (db, vault) = (Arc::clone(&opened.db), Arc::clone(&opened.vault));
        let engine = Engine::new(db, clock.clone(), Arc::clone(&vitals), vault, daftra, settings);
        let intake = Arc::new(Intake::new(Arc::clone(&engine), opened.data_key)?);
        engine.speaks_by(tongue);
        engine.is_reached_at(config.public_origin(config.http.listen));
        let office = Arc::new(Office::new(Arc::clone(&engine), Arc::clone(&intake)));
        let parts = web::Parts {
            config: Arc::clone(&config),
            db: opened.db,
            vault: opened.vault,
            clock,
            vitals,
            playground,
            door: Arc::new(Door(intake)),
            desk: Arc::clone(&office) as Arc<dyn web::Desk>,
            accounts: Arc::clone(&office) as Arc<dyn Accounts>,
        };
        let web = web::server::start(parts, listener)?;
        let perform = move |wish: Wish| office.perform(wish, Person::AT_THE_COMMAND_LINE);
        let local = local::serve(folder, perform).with_context(|| {
            format!("Cannot make the socket {}; a shorter data.folder may help", folder.join(local::FILE).display())
        })?;
        engine.open_outbox(mails.is_some())?;
        let mut work = worker::start(&engine, || tell(NotifyState::Watchdog))?;
        match backup::Rules::new(&config) {
            Some(rules) => work.keep_backups(rules)?,
            None => engine.close_backup_alert()?,
        }
        if let Some(rules) = mails {
            work.send_mails(rules)?;
        }

        let address = web.address();
        session.out.say(&json!({ "listening": address }), || {
            let public = config.public_origin(address);
            format!("Qantara listens on {address}; webhooks go to {public}/webhook, pages are at {public}/")
        })?;
        tracing::info!(%address, "serving");
        tell(NotifyState::Ready);

        signals.block_on(stop.wait());
        tracing::info!("stopping");
        tell(NotifyState::Stopping);
        web.stop();
        web.wait();
        local.stop();
        work.stop();
        Ok(Ended::Fine)
    }

    fn is_trial(&self) -> bool {
        self.clock_speed.is_some() || self.clock_start.is_some()
    }

    /// A page of somebody else inside ours is for trials, and from this machine only.
    fn playground(&self) -> anyhow::Result<Option<String>> {
        let Some(origin) = &self.playground else { return Ok(None) };
        let authority = origin.strip_prefix("http://").and_then(|authority| authority.parse::<SocketAddr>().ok());
        if !self.is_trial() || !authority.is_some_and(|address| address.ip().is_loopback()) {
            bail!("--playground is {origin}: it belongs to a trial (--clock-speed) and is an address of this machine");
        }
        Ok(Some(origin.clone()))
    }

    fn clock(&self) -> Clock {
        let real = Clock::real();
        if !self.is_trial() {
            return real;
        }
        Clock::scaled(self.clock_start.unwrap_or_else(|| real.now()), self.clock_speed.unwrap_or(1))
    }

    /// With a clock that lies, documents would carry wrong dates: then nothing leaves this machine, neither to the
    /// merchants of today nor to those added later.
    fn outgoing(&self, config: &Config, db: &Db) -> anyhow::Result<Outgoing> {
        if !self.is_trial() {
            return Ok(Outgoing::new(&config.outgoing)?);
        }
        let accounts = db.read(|c| {
            let merchants = merchant::all(c)?;
            let ids = merchants.into_iter().filter_map(|merchant| Some((merchant.slug, merchant.account_id?)));
            ids.map(|(slug, id)| Ok((slug, account::get(c, id)?.address))).collect::<Result<Vec<_>, db::Error>>()
        })?;
        if let Some((slug, address)) = accounts.iter().find(|(_, address)| !is_here(address)) {
            bail!(
                "Merchant \"{slug}\" has the Daftra address {address}: --clock-speed and --clock-start are for trials \
                 against this machine, use another data folder"
            );
        }
        Ok(Outgoing::loopback_only(&config.outgoing)?)
    }
}

/// Whether an address names this machine itself.
fn is_here(address: &str) -> bool {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        Some(_) | None => authority,
    };
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

pub(super) fn call_settings(config: &Config) -> CallSettings {
    let daftra = &config.daftra;
    CallSettings {
        limits: Limits {
            call_timeout: Duration::from_millis(daftra.call_timeout_ms),
            connect_timeout: Duration::from_millis(daftra.connect_timeout_ms),
            max_answer_bytes: daftra.max_answer_bytes,
        },
        page_size: daftra.look_up_page,
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager does not listen");
    }
}

/// The signals that end a server. Caught from the start: one that comes early is not lost.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal was closed; a server may outlive it.
    hang_up: Option<Signal>,
}

impl Stop {
    /// Must be called inside a runtime.
    pub(super) fn catch() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: None,
        })
    }

    /// The same for what belongs to its terminal.
    pub(super) fn catch_with_terminal() -> std::io::Result<Self> {
        Ok(Self { hang_up: Some(signal(SignalKind::hangup())?), ..Self::catch()? })
    }

    /// Ends with the first of them.
    pub(super) async fn wait(mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// The intake as the HTTP side knows it.
struct Door(Arc<Intake>);

impl web::Door for Door {
    fn receive(&self, slug: Option<&str>, headers: &[(String, String)], body: Vec<u8>) -> web::Received {
        let headers = Headers::read(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        match self.0.receive(slug, &headers, &body) {
            Received::Pending(kept) => web::Received::Pending(Box::pin(async {
                kept.await.map_err(|error| tracing::error!(%error, "a delivery could not be kept; it will come again"))
            })),
            Received::NotAuthentic => web::Received::NotAuthentic,
            Received::Busy => web::Received::Busy,
        }
    }
}

impl web::Desk for Office {
    fn perform(&self, wish: Wish, by: Person) -> Result<Value, desk::Error> {
        self.perform(wish, by)
    }

    fn body(&self, delivery_id: i64, by: Person) -> Result<String, desk::Error> {
        self.body(delivery_id, by)
    }
}

//! A whole bridge on one stage: real database, real engine with its threads, fake Daftra and fake shops, and a clock
//! whose hand the test moves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use qantara::clock::{Clock, Hand};
use qantara::config::{Config, keys};
use qantara::daftra::client::{Client, Settings as DaftraSettings};
use qantara::db::merchant::{self, Credential, CredentialKind, Merchant, Mode, Slot};
use qantara::db::{Db, FILE, account, document, log, order};
use qantara::desk::{Desk, Person, Wish};
use qantara::domain::document::State;
use qantara::domain::rules::{
    ExchangePolicy, LinePolicy, LockedPolicy, PaymentRules, PricePolicy, Rules, ShippingPolicy, SkuRules, TaxRule,
    Trigger, Vendor, Vendors,
};
use qantara::engine::intake::{Intake, Received};
use qantara::engine::{Engine, Settings, credential_place, worker};
use qantara::outgoing::{Limits, Outgoing};
use qantara::sandbox::World;
use qantara::sandbox::daftra::{self as fake, AccountSetup};
use qantara::sandbox::fault::FaultKind;
use qantara::sandbox::shop::delivery::Delivery;
use qantara::sandbox::shop::{Shop, ShopSetup};
use qantara::shop::webhook::Headers;
use qantara::vault::{DataKey, MasterKey, Vault};
use qantara::vitals::Vitals;
use qantara::vitals::disk::Disk;
use rust_decimal::Decimal;
use tempfile::TempDir;

use super::network::Network;
use super::{leaks, profile};

pub(crate) const START: &str = "2026-06-17T09:00:00Z";
/// The sandbox's ids, the same in every account.
pub(crate) const CLIENT: i64 = 15;
pub(crate) const STORE: i64 = 1;
pub(crate) const VAT_INCLUDED: i64 = 2;

/// Everything of one bridge. Dropping it stops the threads and checks what every test leaves behind.
pub(crate) struct Stage {
    pub(crate) db: Arc<Db>,
    pub(crate) clock: Clock,
    pub(crate) hand: Arc<Hand>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) intake: Intake,
    pub(crate) network: Network,
    pub(crate) vault: Arc<Vault>,
    running: Option<worker::Running>,
    pub(crate) folder: Arc<TempDir>,
    pub(crate) data_key: Arc<DataKey>,
    /// How the engine behaves; a change counts from the next life on.
    pub(crate) settings: Settings,
    /// Free bytes of the disk, a mebibyte of which is too little.
    pub(crate) room: Arc<AtomicU64>,
    /// Another life goes on with the folder: what this one left running is for it to find.
    is_handed_on: bool,
}

/// How a stage differs from the usual one.
pub(crate) struct Plan {
    pub(crate) workers: usize,
    pub(crate) accounts: Vec<AccountSetup>,
    /// How often it is looked what is worth an alert. Seldom: a suite lives through months, and a minute of upkeep is no
    /// more to it than the look itself costs.
    pub(crate) upkeep: SignedDuration,
}

impl Default for Plan {
    fn default() -> Self {
        Self { workers: 4, accounts: vec![profile::setup()], upkeep: SignedDuration::from_hours(1) }
    }
}

/// A merchant to add.
pub(crate) struct Cast<'a> {
    pub(crate) slug: &'a str,
    pub(crate) shop: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) account: &'a str,
    pub(crate) key: &'a str,
    pub(crate) vendors: &'a [&'a str],
    pub(crate) mode: Mode,
}

impl Default for Cast<'_> {
    fn default() -> Self {
        Self {
            slug: "wadi",
            shop: "wadi.myshopify.com",
            secret: "hush",
            account: "one",
            key: "key-one",
            vendors: &[],
            mode: Mode::Live,
        }
    }
}

/// A memory file system where there is one: a simulation syncs thousands of times.
pub(crate) fn folder() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// An account with the sandbox's client, stores, taxes and the products of the sample shelf, with plenty of stock.
pub(crate) fn furnished(setup: AccountSetup, now: Timestamp) -> fake::Account {
    let mut account = fake::Account::new(setup).unwrap();
    account.add_client(fake::Client { id: 15, business_name: "Online orders".into(), ..fake::Client::default() });
    account.add_store(fake::Store { id: 1, name: "Main".into(), primary: true, active: true });
    account.add_store(fake::Store { id: 2, name: "Second".into(), primary: false, active: true });
    for (id, included) in [(1, false), (2, true)] {
        let value = Decimal::from(15);
        account.add_tax(fake::Tax { id, name: format!("VAT {id}"), value, included, active: true });
    }
    let codes = ["WH-1001", "WH-2040", "WH-3300", "6281000000014", "NJ-OUD", "NJ-BKH-1", "NJ-BOOK"];
    for (id, code) in (101..).zip(codes) {
        let barcode = if code.len() == 13 { code.to_owned() } else { String::new() };
        account.add_product(fake::Product {
            id,
            name: format!("Product {code}"),
            product_code: code.into(),
            barcode,
            ..fake::Product::default()
        });
        account.add_stock(id, 1, Decimal::from(100_000), now);
    }
    account
}

/// An account that also has the client and the tax which the merchant file of a real installation names.
pub(crate) fn furnished_for_files(now: Timestamp) -> fake::Account {
    let mut account = furnished(profile::setup(), now);
    account.add_client(fake::Client { id: 1, business_name: "Online orders".into(), ..fake::Client::default() });
    let value = Decimal::from(15);
    account.add_tax(fake::Tax { id: 1, name: "VAT".into(), value, included: true, active: true });
    account
}

pub(crate) fn rules(vendors: &[&str]) -> Rules {
    Rules {
        vendors: if vendors.is_empty() {
            Vendors::AllBut(BTreeSet::new())
        } else {
            Vendors::Only(vendors.iter().map(|name| Vendor::new(name)).collect())
        },
        client_id: CLIENT,
        store_id: STORE,
        branch_id: None,
        sku: SkuRules::default(),
        shipping: ShippingPolicy::AllLines,
        custom: LinePolicy::Hold,
        gift_card: LinePolicy::Hold,
        tip: LinePolicy::Hold,
        duty: LinePolicy::Hold,
        goodwill: LinePolicy::Hold,
        trigger: Trigger::Created,
        trigger_by_gateway: BTreeMap::new(),
        ignored_sources: ["pos".to_owned()].into(),
        ignored_tags: BTreeSet::new(),
        test_orders: false,
        draft: false,
        price: PricePolicy::Sale,
        exchange: ExchangePolicy::Hold,
        tolerance_minor: None,
        locked: LockedPolicy::Hold,
        taxes: vec![TaxRule { title: None, rate: Decimal::new(15, 2), included: true, daftra_id: VAT_INCLUDED }],
        payments: PaymentRules::default(),
    }
}

/// Every way in which one call can go wrong.
pub(crate) fn bad_days() -> Vec<FaultKind> {
    vec![
        FaultKind::LoseRequest,
        FaultKind::LoseAnswer,
        FaultKind::Late { seconds: 45 },
        FaultKind::ErrorAfterSaving,
        FaultKind::ErrorBeforeSaving,
        FaultKind::FailedWith200,
        FaultKind::HtmlPage,
        FaultKind::HtmlRedirect,
        FaultKind::Unauthorized,
        FaultKind::Forbidden,
        FaultKind::Throttled { retry_after: Some(7) },
        FaultKind::Throttled { retry_after: None },
        FaultKind::Slow { seconds: 60 },
        FaultKind::Drip { bytes_per_second: 1 },
        FaultKind::Hang,
        FaultKind::CutAt { bytes: 20 },
        FaultKind::TruncatedJson,
        FaultKind::Refuse,
    ]
}

impl Stage {
    pub(crate) fn new(plan: Plan) -> Self {
        leaks::listen();
        let start: Timestamp = START.parse().unwrap();
        let (clock, hand) = Clock::hand(start);
        let mut world = World::new(7);
        for setup in plan.accounts {
            world.add(furnished(setup, start));
        }
        let network = Network {
            world: Arc::new(Mutex::new(world)),
            clock: clock.clone(),
            down: Arc::default(),
            heard: Arc::default(),
            latency: SignedDuration::from_millis(20),
        };
        let folder = Arc::new(folder());
        let key = folder.path().join("key");
        let vault = Arc::new(Vault::new(MasterKey::create(&key).unwrap(), None));
        let data_key = Arc::new(DataKey::generate());
        let mut config = Config::default();
        config.engine.workers = plan.workers;
        let shops = Some(([127, 0, 0, 1], 8901).into());
        let settings = Settings { upkeep: plan.upkeep, shops, ..Settings::new(&config) };
        let room = Arc::new(AtomicU64::new(u64::MAX));
        Self::open(Parts { clock, hand, network, vault, data_key, folder, settings, room })
    }

    fn open(parts: Parts) -> Self {
        let Parts { clock, hand, network, vault, data_key, folder, settings, room } = parts;
        let db = Arc::new(Db::open(folder.path()).unwrap());
        let outgoing = keys::Outgoing { allow: vec!["127.0.0.0/8".parse().unwrap()], extra_ca_file: None };
        let limits = Limits {
            call_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_answer_bytes: 16 << 20,
        };
        let client = Client::new(
            Outgoing::with_connector(&outgoing, network.clone()).unwrap(),
            DaftraSettings { limits, page_size: 100 },
        );
        let free = Arc::clone(&room);
        let disk = Disk::asking(1 << 20, move || Ok(free.load(Ordering::SeqCst)));
        let vitals = Arc::new(Vitals::new(clock.clone(), disk));
        let engine = Engine::new(Arc::clone(&db), clock.clone(), vitals, Arc::clone(&vault), client, settings);
        let intake = Intake::new(Arc::clone(&engine), Arc::clone(&data_key)).unwrap();
        Self {
            db,
            clock,
            hand,
            engine,
            intake,
            network,
            vault,
            running: None,
            folder,
            data_key,
            settings,
            room,
            is_handed_on: false,
        }
    }

    /// The usual stage with the usual merchant, running.
    pub(crate) fn usual() -> Self {
        let mut stage = Self::new(Plan::default());
        stage.add(&Cast::default());
        stage.start();
        stage
    }

    pub(crate) fn start(&mut self) {
        self.running = Some(worker::start(&self.engine, || {}).unwrap());
        self.hand.rest();
    }

    pub(crate) fn stop(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.announce_stop();
        let stopping = std::thread::spawn(move || running.stop());
        // Calls under way come to their end only as time passes. It passes from rest to rest: on a busy machine no more
        // of it than on an idle one, so that nothing else comes due.
        let end = self.clock.now() + SignedDuration::from_mins(2);
        while !stopping.is_finished() && self.hand.step(end) {}
        stopping.join().unwrap();
    }

    /// Ends the process without any goodbye (what runs in memory is gone, what is committed stays) and begins a new
    /// one on the same folder, `gap` later.
    pub(crate) fn restart(self, gap: SignedDuration) -> Self {
        let folder = Arc::clone(&self.folder);
        self.begin_again(gap, folder)
    }

    /// Ends the process, and the next one begins with an older copy of the books.
    pub(crate) fn restore(self, copy: TempDir, gap: SignedDuration) -> Self {
        self.begin_again(gap, Arc::new(copy))
    }

    /// A copy of the books as they are. Nobody may be writing.
    pub(crate) fn back_up(&self) -> TempDir {
        let copy = folder();
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            std::fs::copy(self.folder.path().join(&name), copy.path().join(&name)).unwrap();
        }
        copy
    }

    fn begin_again(mut self, gap: SignedDuration, folder: Arc<TempDir>) -> Self {
        self.stop();
        self.hand.advance(gap);
        let parts = Parts {
            clock: self.clock.clone(),
            hand: Arc::clone(&self.hand),
            network: self.network.clone(),
            vault: Arc::clone(&self.vault),
            data_key: Arc::clone(&self.data_key),
            folder,
            settings: self.settings,
            room: Arc::clone(&self.room),
        };
        self.is_handed_on = true;
        drop(self);
        Self::open(parts)
    }

    pub(crate) fn add(&mut self, cast: &Cast<'_>) -> i64 {
        let address = format!("http://127.0.0.1:8901/acct/{}", cast.account);
        let (slug, shop, mode) = (cast.slug.to_owned(), cast.shop.to_owned(), cast.mode);
        let (secret, key) = (cast.secret.to_owned(), cast.key.to_owned());
        let rules = rules(cast.vendors);
        let names: Vec<String> = match &rules.vendors {
            Vendors::AllBut(_) => vec!["*".to_owned()],
            Vendors::Only(own) => own.iter().map(|vendor| vendor.as_str().to_owned()).collect(),
        };
        let (vault, now) = (Arc::clone(&self.vault), self.clock.now());
        let live_from = now - SignedDuration::from_hours(24);
        let id = self
            .db
            .write(move |tx| {
                let account_id = account::at_address(tx, &address)?;
                let merchant = Merchant {
                    id: 0,
                    key: format!("k{slug}"),
                    name: slug.clone(),
                    slug,
                    shop_domain: shop.clone(),
                    account_id: Some(account_id),
                    time_zone: "Asia/Riyadh".into(),
                    mode,
                    live_from: Some(live_from),
                    rules,
                    trouble: None,
                    not_before: Timestamp::UNIX_EPOCH,
                };
                let id = merchant::add(tx, &merchant, now)?;
                merchant::own_vendors(tx, id, &shop, &names)?;
                for (kind, text, address) in [
                    (CredentialKind::WebhookSecret, &secret, None),
                    (CredentialKind::DaftraKey, &key, Some(address.as_str())),
                ] {
                    let sealed = vault.seal(&credential_place(id, kind, address), text.as_bytes());
                    merchant::put_credential(tx, &Credential { merchant_id: id, kind, slot: Slot::Current, sealed })?;
                }
                Ok(id)
            })
            .unwrap();
        self.intake.reload().unwrap();
        id
    }

    /// Hands one delivery in; true if it was kept, which means committed.
    pub(crate) fn deliver_to(&self, slug: Option<&str>, delivery: &Delivery, secret: &str) -> bool {
        let headers = delivery.headers(secret);
        let headers = Headers::read(headers.iter().map(|(name, value)| (*name, value.as_str())));
        match self.intake.receive(slug, &headers, &delivery.body) {
            Received::Pending(pending) => pending.wait().is_ok(),
            Received::NotAuthentic | Received::Busy => false,
        }
    }

    pub(crate) fn deliver(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            assert!(self.deliver_to(None, delivery, "hush"), "{} was not kept", delivery.topic);
        }
    }

    /// Moves the time on, from one thing to do to the next, for so long.
    pub(crate) fn pass(&self, gap: SignedDuration) {
        let end = self.clock.now() + gap;
        while self.hand.step(end) {}
        self.hand.rest();
    }

    /// Moves the time on until no order waits for anything it could do by itself, at most so long.
    pub(crate) fn until_idle(&self, longest: SignedDuration) {
        let end = self.clock.now() + longest;
        loop {
            self.hand.rest();
            let waits = self
                .db
                .read(|c| {
                    let due = "select count(*) from job where kind = 'order' and (due_at is not null or running_since is not null)";
                    Ok(c.query_row(due, [], |row| row.get::<_, i64>(0)).unwrap())
                })
                .unwrap();
            if waits == 0 || !self.hand.step(end) {
                return;
            }
        }
    }

    pub(crate) fn account<T>(&self, name: &str, look: impl FnOnce(&mut fake::Account) -> T) -> T {
        look(self.network.world.lock().unwrap().account_mut(name).unwrap())
    }

    pub(crate) fn orders(&self) -> Vec<order::Overview> {
        self.db.read(|c| order::list(c, order::Filter::default(), 100_000)).unwrap()
    }

    pub(crate) fn order(&self, name: &str) -> order::Overview {
        self.db
            .read(|c| order::find(c, order::Filter::default(), name, 5))
            .unwrap()
            .pop()
            .expect("an order of that name")
    }

    pub(crate) fn log(&self) -> Vec<log::Entry> {
        let mut log = self.db.read(|c| log::list(c, log::Filter::default(), 100_000)).unwrap();
        log.reverse();
        log
    }

    /// A person's "try again".
    pub(crate) fn try_again(&self, order: &order::Overview) {
        self.wish(Wish::OrderRetry { order_id: order.id });
    }

    /// What a person does where the bridge rightly asks for one: what was answered with a no is tried again once its
    /// cause is gone.
    pub(crate) fn try_again_if_held(&self) {
        let is_asked = |order: &order::Overview| matches!(order.state, order::State::Held | order::State::Failed);
        for order in self.orders().into_iter().filter(is_asked) {
            let documents = self.db.read(|c| document::of_order(c, order.id)).unwrap();
            assert!(documents.iter().all(|one| one.state != State::Sending));
            self.try_again(&order);
        }
    }

    /// Makes a person's wish come true, and wakes everybody.
    pub(crate) fn wish(&self, wish: Wish) -> serde_json::Value {
        let desk = Desk { db: &self.db, vault: &self.vault, policy: self.settings.policy };
        let done = desk.perform(wish, self.clock.now(), Person::AT_THE_COMMAND_LINE).unwrap();
        (0..self.settings.workers).for_each(|_| self.engine.wake());
        done.answer
    }
}

struct Parts {
    clock: Clock,
    hand: Arc<Hand>,
    network: Network,
    vault: Arc<Vault>,
    data_key: Arc<DataKey>,
    folder: Arc<TempDir>,
    settings: Settings,
    room: Arc<AtomicU64>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() || self.is_handed_on {
            return;
        }
        leaks::check();
        let check = self.db.read(|c| {
            let count = |sql: &str| c.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
            let running = count("select count(*) from job where running_since is not null");
            let sending = count("select count(*) from document where state in ('sending', 'replacing')");
            let open = count("select count(*) from attempt where ended_at is null");
            Ok((running, sending, open))
        });
        assert_eq!(check.unwrap(), (0, 0, 0), "running jobs, running calls and attempts without end that were left");
    }
}

/// A shop with the sample shelf; its variants in the order of `Product::samples`.
pub(crate) fn shop(domain: &str, secret: &str, seed: u64) -> (Shop, Vec<qantara::sandbox::shop::cart::VariantId>) {
    let mut shop = Shop::new(ShopSetup { seed, ..ShopSetup::new(domain, secret, "SAR") });
    let shelf = qantara::sandbox::shop::cart::Product::samples(2);
    let variants = shelf.into_iter().map(|product| shop.sell(product)).collect();
    (shop, variants)
}

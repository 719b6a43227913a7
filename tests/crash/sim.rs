//! One seed: real engine, desk, intake and database; town, Daftra and time are simulated, and one thread does everything.
//!
//! - The process dies at named points: around each commit and around each call. A death is a copy of the database files;
//!   what the dead process still does reaches nobody, and the next life opens the copy.
//! - While a call is on its way the world goes on: deliveries arrive, people ask for things, another worker works.
//! - All chance comes from the seed, and nothing asks a real clock: the same seed tells the same story.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use qantara::clock::Clock;
use qantara::config::{Config, keys};
use qantara::daftra::client::{Client, Settings as CallSettings};
use qantara::db::writer::Moment;
use qantara::db::{Db, FILE, Options, job, mail, merchant, setting};
use qantara::desk::office::Office;
use qantara::desk::{Desk, Person, Wish};
use qantara::domain::news::Kind;
use qantara::engine::intake::Intake;
use qantara::engine::{Engine, Settings};
use qantara::outgoing::{Limits, Outgoing};
use qantara::sandbox::World;
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::courier::{Courier, Habits};
use qantara::sandbox::shop::delivery::Delivery;
use qantara::vault::{DataKey, MasterKey, Vault};
use qantara::vitals::Vitals;
use qantara::vitals::disk::Disk;
use tempfile::TempDir;

use crate::common::stage::{START, folder};
use crate::people::{Act, Tampering};
use crate::points::{self, Tally, site};
use crate::town::Town;

/// Deaths of one seed at most, so that every seed comes to an end.
const LIVES: u32 = 14;
/// How long a call waits for its answer.
pub(crate) const PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// Longer than anything waits by itself.
const DAY: SignedDuration = SignedDuration::from_hours(25);

/// No seed has anything to do for so long.
const LONGEST: SignedDuration = SignedDuration::from_hours(40 * 24);

/// Nobody has so much to do at one moment.
const MOST_AT_ONCE: u32 = 5_000;

/// Sealing costs nothing worth repeating.
static VAULT: LazyLock<Arc<Vault>> = LazyLock::new(|| {
    let folder = folder();
    Arc::new(Vault::new(MasterKey::create(&folder.path().join("key")).unwrap(), None))
});
static DATA_KEY: LazyLock<Arc<DataKey>> = LazyLock::new(|| Arc::new(DataKey::generate()));
/// An empty database, made once.
static BLANK: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = folder();
    drop(Db::open(folder.path()).unwrap());
    folder
});

/// The product's settings, but for a heart that beats less often: a simulated day is then no thousand commits.
pub(crate) fn settings() -> Settings {
    let minutes = |count: u64| count * 60_000;
    let engine =
        keys::Engine { workers: 2, heartbeat_ms: minutes(5), heartbeat_gap_ms: minutes(15), ..keys::Engine::default() };
    let mut config = Config::default();
    config.engine = engine;
    Settings::new(&config)
}

/// Everything of one seed.
pub(crate) struct Sim {
    state: Mutex<State>,
    /// Told after each commit.
    committed: Condvar,
    life: Mutex<Option<Arc<Life>>>,
    client: Client,
}

/// One process.
pub(crate) struct Life {
    pub(crate) clock: Clock,
    image: PathBuf,
    pub(crate) engine: Arc<Engine>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) office: Office,
}

/// What is not the process.
pub(crate) struct State {
    pub(crate) chance: Chance,
    pub(crate) world: World,
    pub(crate) town: Town,
    /// What people and buyers will do.
    pub(crate) agenda: BTreeMap<(Timestamp, u64), Act>,
    /// Deliveries that have left the shop: to which merchant.
    in_hand: VecDeque<(usize, Delivery)>,
    pub(crate) rates: Rates,
    pub(crate) tally: Tally,
    /// What happened, and when.
    pub(crate) story: Vec<(Timestamp, String)>,
    /// What a person is asking for at the moment.
    pub(crate) wish: Option<&'static str>,
    pub(crate) death: Option<Death>,
    pub(crate) lives: u32,
    commits: u64,
    settings: Settings,
    folder: TempDir,
    images: u32,
    pub(crate) backups: Vec<(Timestamp, PathBuf)>,
    /// What Daftra will carry out later than anybody waits for: when, which call and for what reference.
    pub(crate) on_its_way: Vec<(Timestamp, &'static str, String)>,
    /// Accounts whose host does not answer until then.
    pub(crate) outages: BTreeMap<&'static str, Timestamp>,
    /// Orders that a life wrote to which a restore made undone.
    pub(crate) undone: BTreeMap<String, Undone>,
    /// Orders whose invoice somebody changed or deleted in Daftra.
    pub(crate) by_hand: BTreeMap<String, BTreeSet<Tampering>>,
    acts: u64,
    /// Calls within calls.
    depth: u32,
}

/// What happens how often, in a thousand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    pub(crate) crash: u32,
    pub(crate) fault: u32,
    pub(crate) down: u32,
    /// A buyer changes the newest order while a call is on its way.
    pub(crate) meddle: u32,
    /// The points this seed is after.
    pub(crate) aims: BTreeSet<String>,
}

/// What of an order only Daftra knows after a restore.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Undone {
    /// An invoice or receipt, made or changed; else payments only.
    pub(crate) has_documents: bool,
    /// Receipts too, so that what Daftra says was refunded is more than our books can explain.
    pub(crate) has_receipts: bool,
}

/// What a dead process leaves behind.
pub(crate) struct Death {
    pub(crate) at: Timestamp,
    pub(crate) image: PathBuf,
    pub(crate) is_restore: bool,
}

impl Sim {
    /// The world before the first life.
    pub(crate) fn new(seed: u64, settings: Settings) -> Arc<Self> {
        let start: Timestamp = START.parse().unwrap();
        let mut chance = Chance::new(seed);
        let mut world = World::new(seed);
        let town = Town::new(&mut chance, &mut world, start);
        let pick = |rates: [u32; 4], chance: &mut Chance| rates[usize::try_from(chance.below(4)).unwrap()];
        let rates = Rates {
            crash: pick([0, 8, 20, 60], &mut chance),
            fault: pick([0, 30, 100, 250], &mut chance),
            down: pick([0, 0, 5, 30], &mut chance),
            meddle: pick([0, 20, 60, 120], &mut chance),
            aims: points::aims(&mut chance),
        };
        let mut settings = settings;
        let at_once = 1 + usize::try_from(chance.below(2)).unwrap();
        settings.gate.at_once = at_once;
        settings.max_failures = if chance.per_mille(500) { 3 } else { settings.max_failures };
        settings.per_account = u32::try_from(at_once).unwrap() + 1;
        let state = State {
            chance,
            world,
            town,
            agenda: BTreeMap::new(),
            in_hand: VecDeque::new(),
            rates,
            tally: Tally::default(),
            story: Vec::new(),
            wish: None,
            death: None,
            lives: 0,
            commits: 0,
            settings,
            folder: folder(),
            images: 0,
            backups: Vec::new(),
            on_its_way: Vec::new(),
            outages: BTreeMap::new(),
            undone: BTreeMap::new(),
            by_hand: BTreeMap::new(),
            acts: 0,
            depth: 0,
        };
        Arc::new_cyclic(|this| {
            let outgoing = keys::Outgoing { allow: vec!["127.0.0.0/8".parse().unwrap()], extra_ca_file: None };
            let limits = Limits {
                call_timeout: Duration::from_secs(30),
                connect_timeout: Duration::from_secs(10),
                max_answer_bytes: 16 << 20,
            };
            let network = crate::wire::Network { sim: this.clone() };
            let outgoing = Outgoing::with_connector(&outgoing, network).unwrap();
            let client = Client::new(outgoing, CallSettings { limits, page_size: 100 });
            Self { state: Mutex::new(state), committed: Condvar::new(), life: Mutex::new(None), client }
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn life(&self) -> Arc<Life> {
        Arc::clone(self.life.lock().unwrap_or_else(PoisonError::into_inner).as_ref().expect("somebody lives"))
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().death.is_some()
    }

    /// The whole seed: a history with crashes, then peace until nobody has anything to do.
    pub(crate) fn play(self: &Arc<Self>) {
        self.found();
        self.state().plan_ahead();
        self.go_on();
        self.make_peace();
        for _ in 0..8 {
            self.go_on();
            if !self.try_again() {
                break;
            }
            // What was given up while it may still exist is looked for once more a day later.
            self.life().clock.sleep(DAY);
        }
    }

    /// Makes the merchants, as a person would before the first start.
    fn found(self: &Arc<Self>) {
        let (image, start) = {
            let mut state = self.state();
            (state.copy_of(BLANK.path()), START.parse().unwrap())
        };
        {
            let db = Db::open(&image).unwrap();
            let state = self.state();
            for merchant in &state.town.merchants {
                let desk = Desk { db: &db, vault: &VAULT, policy: state.settings.policy };
                desk.perform(Wish::MerchantAdd(merchant.proposal()), start, Person::AT_THE_COMMAND_LINE).unwrap();
            }
            // Keys are random, and stand in every reference.
            db.write(move |tx| {
                tx.execute("update merchant set key = 'k' || slug", []).unwrap();
                // Somebody gets mails of every kind; who sends them is not played.
                mail::switch(tx, true, start)?;
                for merchant in merchant::all(tx)? {
                    mail::add_recipient(tx, merchant.id, b"", "en", &Kind::OF_ORDERS.into(), start)?;
                }
                Ok(())
            })
            .unwrap();
        }
        self.state().death = Some(Death { at: start, image, is_restore: false });
        self.rise();
    }

    /// The next life, and the next, until one survives its own start.
    pub(crate) fn rise(self: &Arc<Self>) {
        while let Some(death) = self.bury() {
            let (clock, settings) = {
                let mut state = self.state();
                let gaps = [0, 0, 1, 7, 40, 240, 2000];
                let gap = gaps[usize::try_from(state.chance.below(7)).unwrap()];
                let now = death.at + SignedDuration::from_secs(gap);
                state.miss_deliveries(now);
                state.lives += 1;
                let copy = if death.is_restore { ", on an older copy" } else { "" };
                let text = format!("life {} begins{copy}", state.lives);
                state.tell(now, text);
                (Clock::jumping(now), state.settings)
            };
            let on_commit = {
                let (sim, clock, image) = (Arc::downgrade(self), clock.clone(), death.image.clone());
                Box::new(move |moment, names: &[&'static str]| {
                    if let Some(sim) = sim.upgrade() {
                        sim.on_commit(moment, names, &clock, &image);
                    }
                })
            };
            let db = Arc::new(Db::open_with(&death.image, Options { readers: 1, on_commit }).unwrap());
            // Small files are copied faster by the deaths to come.
            db.empty_log().unwrap();
            if death.is_restore {
                let now = clock.now();
                db.write(move |tx| setting::set_time(tx, setting::LOOK_FIRST_BEFORE, now)).unwrap();
            }
            let vault = Arc::clone(&VAULT);
            let vitals = Arc::new(Vitals::new(clock.clone(), Disk::asking(0, || Ok(u64::MAX))));
            let engine = Engine::new(db, clock.clone(), vitals, vault, self.client.clone(), settings);
            let intake = Arc::new(Intake::new(Arc::clone(&engine), Arc::clone(&DATA_KEY)).unwrap());
            let office = Office::new(Arc::clone(&engine), Arc::clone(&intake));
            let life = Life { clock, image: death.image, engine: Arc::clone(&engine), intake, office };
            *self.life.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(life));
            engine.recover().unwrap();
        }
    }

    /// Takes the dead process away. `None` if it lives.
    fn bury(&self) -> Option<Death> {
        if !self.is_dead() {
            return None;
        }
        // Its last words reach nobody, for the death is noted until it is gone.
        drop(self.life.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.state().death.take()
    }

    /// Lives on until nobody has anything to do.
    fn go_on(self: &Arc<Self>) {
        let (mut beaten, mut last, mut rounds) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, 0);
        loop {
            self.rise();
            let life = self.life();
            let now = life.clock.now();
            rounds = if now == last { rounds + 1 } else { 0 };
            last = now;
            assert!(rounds < MOST_AT_ONCE, "they go round and round");
            assert!(now < Timestamp::from_str(START).unwrap() + LONGEST, "they go on and on");
            self.state().world.tick(now);
            if now.duration_since(beaten) >= life.engine.settings.heartbeat {
                beaten = now;
                life.engine.beat_once().unwrap();
                continue;
            }
            if self.one_event(&life, now) {
                continue;
            }
            let next = |next: Result<Option<Timestamp>, _>| next.unwrap().unwrap_or(Timestamp::MAX);
            let (order, chore) =
                (next(life.engine.db.read(job::next_claim)), next(life.engine.db.read(job::next_chore)));
            if chore <= now && (order > now || self.state().chance.per_mille(500)) {
                life.engine.chore_once();
            } else if order <= now {
                life.engine.work_once();
            } else {
                let event = self.state().next_event().unwrap_or(Timestamp::MAX);
                let next = order.min(chore).min(event);
                if next == Timestamp::MAX {
                    return;
                }
                life.clock.sleep(next.duration_since(now));
            }
        }
    }

    /// Moves the time on; what is due meanwhile happens. Ends early when the process dies.
    pub(crate) fn pass(&self, life: &Life, until: Timestamp) {
        while !self.is_dead() {
            let now = life.clock.now();
            if self.one_event(life, now) {
                continue;
            }
            let Some(next) = self.state().next_event().filter(|next| *next <= until) else {
                life.clock.sleep(until.duration_since(now));
                return;
            };
            life.clock.sleep(next.duration_since(now));
        }
    }

    /// Another worker of the same process gets its turn while a call is on its way.
    pub(crate) fn another_worker(&self, life: &Life) {
        {
            let mut state = self.state();
            if state.depth > 0 || state.death.is_some() || !state.chance.per_mille(120) {
                return;
            }
            state.depth += 1;
        }
        life.engine.work_once();
        self.state().depth -= 1;
    }

    /// The next thing that is due, if any is.
    fn one_event(&self, life: &Life, now: Timestamp) -> bool {
        enum Due {
            Act(Act),
            Delivery(usize, Delivery),
        }
        let due = {
            let mut state = self.state();
            let first = state.agenda.first_key_value().map(|(key, _)| *key).filter(|(at, _)| *at <= now);
            if let Some(key) = first {
                Due::Act(state.agenda.remove(&key).unwrap())
            } else {
                for merchant in 0..state.town.merchants.len() {
                    let due = state.town.merchants[merchant].courier.due(now);
                    state.in_hand.extend(due.into_iter().map(|delivery| (merchant, delivery)));
                }
                let Some((merchant, delivery)) = state.in_hand.pop_front() else { return false };
                Due::Delivery(merchant, delivery)
            }
        };
        match due {
            Due::Act(act) => self.act(life, act, now),
            Due::Delivery(merchant, delivery) => self.deliver(life, merchant, &delivery, now),
        }
        true
    }

    /// Waits for a change that nobody waits for.
    pub(crate) fn until_committed(&self, before: u64) {
        let mut state = self.state();
        while state.commits == before {
            state = self.committed.wait(state).unwrap();
        }
    }

    pub(crate) fn commits(&self) -> u64 {
        self.state().commits
    }

    fn on_commit(&self, moment: Moment, names: &[&'static str], clock: &Clock, image: &Path) {
        let mut state = self.state();
        let end = match moment {
            Moment::BeforeCommit => "lost",
            Moment::AfterCommit => "kept",
        };
        for name in names.iter().filter_map(|name| site(name)) {
            let point = match state.wish.filter(|_| name == "desk::in_one") {
                Some(wish) => format!("wish {wish}: {end}"),
                None => format!("{name}: {end}"),
            };
            if state.ends_at(&point) {
                state.die(&point, clock.now(), image, None);
            } else if moment == Moment::AfterCommit && state.death.is_none() {
                state.tell(clock.now(), format!("    committed: {name}"));
            }
        }
        if moment == Moment::AfterCommit {
            state.commits += 1;
            self.committed.notify_all();
        }
    }

    /// Whether the process dies here; if so, it is dead now.
    pub(crate) fn ends_at(&self, life: &Life, point: &str) -> bool {
        let mut state = self.state();
        let is_end = state.ends_at(point);
        if is_end {
            state.die(point, life.clock.now(), &life.image, None);
        }
        is_end
    }

    /// A copy is put back: what happened since is forgotten here, and only here.
    pub(crate) fn restore(&self, life: &Life, backup: &Path) {
        self.state().die("a person puts an older copy back", life.clock.now(), &life.image, Some(backup));
    }

    /// A copy of the files, as `backup` makes one.
    pub(crate) fn back_up(&self, life: &Life) {
        let mut state = self.state();
        let copy = state.copy_of(&life.image);
        state.backups.push((life.clock.now(), copy));
    }

    /// From now on nothing goes wrong any more, and everything arrives.
    fn make_peace(&self) {
        let now = self.life().clock.now();
        let mut state = self.state();
        state.rates = Rates::default();
        state.tell(now, "peace".to_owned());
        for merchant in &mut state.town.merchants {
            let late = merchant.courier.undelivered().to_vec();
            merchant.courier = Courier::new(1, Habits::default());
            merchant.courier.post(late, now);
        }
    }
}

impl State {
    pub(crate) fn tell(&mut self, now: Timestamp, text: String) {
        self.story.push((now, text));
    }

    pub(crate) fn put(&mut self, at: Timestamp, act: Act) {
        self.acts += 1;
        self.agenda.insert((at, self.acts), act);
    }

    /// When something happens without the process.
    fn next_event(&self) -> Option<Timestamp> {
        let act = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let delivery = self.town.merchants.iter().filter_map(|merchant| merchant.courier.next_at());
        act.into_iter().chain(delivery).min()
    }

    /// Whoever knocks while nobody lives goes away and comes again.
    fn miss_deliveries(&mut self, now: Timestamp) {
        let mut missed: Vec<(usize, Delivery)> = self.in_hand.drain(..).collect();
        for (at, merchant) in self.town.merchants.iter_mut().enumerate() {
            missed.extend(merchant.courier.due(now).into_iter().map(|delivery| (at, delivery)));
        }
        for (merchant, delivery) in missed {
            self.town.merchants[merchant].courier.answered(&delivery, None, now);
        }
    }

    fn ends_at(&mut self, point: &str) -> bool {
        if self.death.is_some() {
            return false;
        }
        let rate = if self.rates.aims.contains(point) { 500 } else { self.rates.crash };
        let is_end = self.lives < LIVES && rate > 0 && self.chance.per_mille(rate);
        if is_end {
            // There is more to die of.
            self.rates.aims.remove(point);
        }
        let hits = self.tally.hits(point);
        hits.reached += 1;
        hits.deadly += u64::from(is_end);
        is_end
    }

    fn die(&mut self, point: &str, now: Timestamp, folder: &Path, backup: Option<&Path>) {
        self.tell(now, format!("DIES at {point}"));
        let image = self.copy_of(backup.unwrap_or(folder));
        self.death = Some(Death { at: now, image, is_restore: backup.is_some() });
    }

    /// The files of a database as a dead process leaves them.
    fn copy_of(&mut self, folder: &Path) -> PathBuf {
        self.images += 1;
        let copy = self.folder.path().join(self.images.to_string());
        fs::create_dir(&copy).unwrap();
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            let file = folder.join(&name);
            if file.exists() {
                fs::copy(file, copy.join(name)).unwrap();
            }
        }
        copy
    }
}

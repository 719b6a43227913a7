//! Real processes and real kills: the server dies again and again in the middle of its calls while Daftra misbehaves,
//! and in the end the books are as if nothing had happened.
//!
//! Nothing here hopes for the right moment. Most kills wait until a certain write has arrived at the fake, which then
//! keeps the answer to itself; what the database holds after each kill is read from a copy, so that the next life finds
//! the file exactly as the dead one left it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;
mod process;
#[path = "kill/town.rs"]
mod town;

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::stage::{START, folder, furnished_for_files};
use jiff::{SignedDuration, Timestamp};
use process::{House, Running};
use qantara::clock::Clock;
use qantara::db::{Db, FILE, document, log, order};
use qantara::domain::draft::Draft;
use qantara::domain::reason::{Failed, Reason};
use qantara::sandbox::daftra::{Account, DocumentKind};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::cart::OrderId;
use qantara::sandbox::{Server, World};
use rust_decimal::Decimal;
use tempfile::TempDir;
use town::{Town, order_of};

/// What decides orders and faults; `QANTARA_SEED` names another.
static SEED: LazyLock<u64> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to repeat")]
    let chosen = std::env::var("QANTARA_SEED").ok();
    chosen.and_then(|seed| seed.parse().ok()).unwrap_or(20_903)
});
const KILLS: usize = 54;
/// Kills that must have caught a document between its intent and its outcome.
const KILLS_IN_A_WRITE: usize = 20;
/// A settling time of 90 seconds passes in less than a fifth of one.
const SPEED: u32 = 500;
/// How long a kill waits for the write it aims at, in real time.
const PATIENCE: SignedDuration = SignedDuration::from_secs(4);
/// How often someone who waits looks again if nobody wakes him.
const GLANCE: Duration = Duration::from_millis(2);
/// Longer than anything waits by itself.
const DAY: SignedDuration = SignedDuration::from_hours(25);
const STOCK: i64 = 100_000;

#[test]
fn fifty_kills_in_the_middle_of_everything_leave_the_books_whole() {
    let begin = Clock::real().now();
    let scene = Scene::new();
    let mut kills = Kills::default();
    for number in 0..KILLS {
        let life = scene.start();
        scene.town.news(number, &scene.invoiced(), scene.now());
        scene.wait_for(&Aim::of(number));
        scene.die(life);
        kills.count(&scene.left_behind());
    }
    let orders = scene.come_to_rest();
    scene.check_books(orders);

    let took = Clock::real().now().duration_since(begin).as_secs_f64();
    let (calls, invoices, replaced, receipts) = scene.account(|account| {
        let count = |kind| account.documents(kind).count();
        let replaced = account.documents(DocumentKind::Invoice).filter(|invoice| invoice.version > 1).count();
        let calls = account.calls().values().sum::<u64>();
        (calls, count(DocumentKind::Invoice), replaced, count(DocumentKind::RefundReceipt))
    });
    println!(
        "QANTARA_SEED={}: {orders} orders, {invoices} invoices ({replaced} replaced), {receipts} receipts, {kills:?}, \
         {calls} calls to Daftra, {took:.1} s",
        *SEED
    );
    assert!(replaced > 5 && receipts > 5, "the town is too quiet to prove anything");
    assert!(kills.all >= 50, "{kills:?}");
    assert!(kills.while_sending + kills.while_replacing >= KILLS_IN_A_WRITE, "{kills:?}");
    assert!(kills.while_replacing > 0 && kills.while_sending > 0, "{kills:?}");
}

#[derive(Debug, Default)]
struct Kills {
    all: usize,
    while_sending: usize,
    while_replacing: usize,
}

impl Kills {
    fn count(&mut self, cut_off: &[document::Action]) {
        self.all += 1;
        self.while_replacing += usize::from(cut_off.contains(&document::Action::Replace));
        // A kill counts once, however many documents it caught.
        let only_creates = !cut_off.is_empty() && !cut_off.contains(&document::Action::Replace);
        self.while_sending += usize::from(only_creates);
    }
}

/// The moment of a kill.
enum Aim {
    /// This write has arrived, and its answer does not come.
    Write { method: &'static str, resource: &'static str, fate: FaultKind },
    /// So many calls of any kind have come.
    Calls(u64),
}

impl Aim {
    fn of(number: usize) -> Self {
        // Carried out and never answered, or not even carried out: the dead process can know neither.
        let (done, lost) = (FaultKind::Slow { seconds: 60 }, FaultKind::Hang);
        let fate = if number % 4 < 2 { done } else { lost };
        match number % 6 {
            0 | 3 => Self::Write { method: "POST", resource: "invoices", fate },
            1 | 4 => Self::Write { method: "PUT", resource: "invoices", fate },
            2 => Self::Write { method: "POST", resource: "refund_receipts", fate },
            _ => Self::Calls(u64::try_from(number).unwrap() % 7),
        }
    }
}

/// How Daftra misbehaves while the kills go on, and in how many of a thousand calls.
fn bad_days() -> Vec<Fault> {
    [
        (FaultKind::LoseRequest, 20),
        (FaultKind::LoseAnswer, 30),
        (FaultKind::Late { seconds: 45 }, 30),
        (FaultKind::ErrorAfterSaving, 30),
        (FaultKind::ErrorBeforeSaving, 10),
        (FaultKind::FailedWith200, 20),
        (FaultKind::HtmlPage, 10),
        (FaultKind::Throttled { retry_after: Some(7) }, 20),
        (FaultKind::CutAt { bytes: 20 }, 15),
        (FaultKind::TruncatedJson, 15),
    ]
    .into_iter()
    .map(|(kind, share)| Fault::always(kind).per_mille(share))
    .collect()
}

/// An installation whose server lives many short lives, a Daftra that outlives them, and a town of buyers.
struct Scene {
    house: House,
    daftra: Server,
    /// Rung when a call arrives.
    arrival: Arc<Condvar>,
    /// The time of the town and of Daftra; each life of the server begins with it.
    time: Arc<Mutex<Clock>>,
    town: Arc<Town>,
    carrier: Option<JoinHandle<()>>,
}

impl Scene {
    fn new() -> Self {
        let start: Timestamp = START.parse().unwrap();
        let time = Arc::new(Mutex::new(Clock::scaled(start, SPEED)));
        let arrival = Arc::new(Condvar::new());
        let mut world = World::new(*SEED);
        world.add(furnished_for_files(start));
        let (seen, clock) = (Arc::clone(&arrival), Arc::clone(&time));
        let daftra = Server::start(Arc::new(Mutex::new(world)), move || {
            seen.notify_all();
            clock.lock().unwrap().now()
        })
        .unwrap();

        let house = House::inside(folder());
        house.configure("daftra", "calls_at_once = 2");
        house.configure("engine", "workers = 4\ntrouble_probe_ms = 30000\nbreaker_longest_ms = 60000");
        let merchant = house.merchant(&format!("http://{}/acct/one", daftra.address()), "mode = 'live'");
        house.ask(&["merchant", "add", merchant.to_str().unwrap()]);

        let town = Arc::new(Town::new());
        let carrier = {
            let (town, time) = (Arc::clone(&town), Arc::clone(&time));
            thread::spawn(move || town.carry(|| time.lock().unwrap().now()))
        };
        Self { house, daftra, arrival, time, town, carrier: Some(carrier) }
    }

    fn now(&self) -> Timestamp {
        self.time.lock().unwrap().now()
    }

    fn account<T>(&self, look: impl FnOnce(&mut Account) -> T) -> T {
        look(self.daftra.world().lock().unwrap().account_mut("one").unwrap())
    }

    /// The orders that have an invoice by now.
    fn invoiced(&self) -> Vec<OrderId> {
        self.account(|account| account.documents(DocumentKind::Invoice).map(order_of).collect())
    }

    fn start(&self) -> Running {
        let (speed, start) = (SPEED.to_string(), self.now().to_string());
        let life = self.house.start(&["serve", "--clock-speed", &speed, "--clock-start", &start]);
        self.town.moves_to(Some(format!("http://{}/webhook", life.text("listening"))));
        life
    }

    fn die(&self, life: Running) {
        life.kill();
        self.town.moves_to(None);
    }

    /// Lets it work until the moment of the kill, or until it is clear that this moment does not come.
    fn wait_for(&self, aim: &Aim) {
        let of = |account: &Account, aim: &Aim| match aim {
            Aim::Write { method, resource, .. } => {
                account.calls().get(&format!("{method} {resource}")).copied().unwrap_or_default()
            }
            Aim::Calls(_) => account.calls().values().sum(),
        };
        let (world, end) = (self.daftra.world(), Clock::real().now() + PATIENCE);
        let mut world = world.lock().unwrap();
        let account = world.account_mut("one").unwrap();
        account.clear_faults();
        let more = match aim {
            Aim::Write { method, resource, fate } => {
                account.add_fault(Fault::once(fate.clone()).on(method, resource));
                1
            }
            Aim::Calls(more) => *more,
        };
        bad_days().into_iter().for_each(|fault| account.add_fault(fault));
        let enough = of(account, aim) + more;
        while of(world.account("one").unwrap(), aim) < enough && Clock::real().now() < end {
            world = self.arrival.wait_timeout(world, GLANCE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Which calls the dead process had begun and not ended.
    fn left_behind(&self) -> Vec<document::Action> {
        let copy = TempDir::new().unwrap();
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            let file = self.house.path("data").join(&name);
            if file.exists() {
                fs::copy(file, copy.path().join(&name)).unwrap();
            }
        }
        let db = Db::open(copy.path()).unwrap();
        db.read(|c| {
            let cut_off = document::cut_off(c)?;
            let state = |(id, _): &(i64, i64)| document::get(c, *id);
            cut_off.iter().map(|row| state(row).map(|document| action_of(&document))).collect()
        })
        .unwrap()
    }

    /// The bad days end, everything arrives, people try again what waits for them, and a day or two pass. Returns how
    /// many orders there are.
    fn come_to_rest(&self) -> usize {
        self.account(Account::clear_faults);
        for _ in 0..3 {
            let life = self.start();
            self.town.everything_arrives(self.now());
            self.until_nobody_works();
            self.town.moves_to(None);
            assert_eq!(life.stop().0.code(), Some(0));
            let orders = self.orders();
            if orders.iter().all(|order| matches!(order.state, order::State::Settled | order::State::Ignored)) {
                return orders.len();
            }
            // What was given up while it may still exist is looked for once more a day later.
            let later = self.now() + DAY;
            *self.time.lock().unwrap() = Clock::scaled(later, SPEED);
        }
        self.explain("they never came to rest");
    }

    fn explain(&self, what: &str) -> ! {
        let restless = self
            .orders()
            .into_iter()
            .filter(|order| !matches!(order.state, order::State::Settled | order::State::Ignored));
        let stories = restless.map(|order| self.house.words(&["order", "show", &order.id.to_string()]));
        panic!("QANTARA_SEED={}: {what}:\n{}", *SEED, stories.collect::<Vec<_>>().join("\n"));
    }

    /// Each round asks the command line, as a person would; the asking takes its time.
    fn until_nobody_works(&self) {
        let end = Clock::real().now() + SignedDuration::from_secs(30);
        loop {
            if Clock::real().now() > end {
                self.explain("they go on and on");
            }
            let orders = self.orders();
            let soon = self.now() + SignedDuration::from_hours(2);
            let mut is_at_rest = self.town.is_quiet();
            for order in orders {
                match order.state {
                    order::State::Held | order::State::Failed => {
                        // One wish is enough: it is being worked on, or waits for its time.
                        if order.due_at.is_none() {
                            self.house.ask(&["order", "retry", &order.id.to_string()]);
                        }
                        is_at_rest = false;
                    }
                    order::State::New | order::State::Working | order::State::Shadow => is_at_rest = false,
                    order::State::Waiting | order::State::Settled | order::State::Ignored => {
                        is_at_rest &= order.due_at.is_none_or(|due| due > soon);
                    }
                }
            }
            if is_at_rest && self.running_jobs() == 0 {
                return;
            }
        }
    }

    fn db(&self) -> Db {
        Db::open(&self.house.path("data")).unwrap()
    }

    fn orders(&self) -> Vec<order::Overview> {
        self.db().read(|c| order::list(c, order::Filter::default(), 10_000)).unwrap()
    }

    fn running_jobs(&self) -> i64 {
        self.db().read(|c| qantara::db::job::unfinished(c, self.now())).unwrap()
    }

    /// Daftra's bad days may use up the tries of an order; a fault of ours may not.
    fn check_log(&self) {
        let filter = log::Filter { status: Some(log::Status::Failed), ..log::Filter::default() };
        let db = self.db();
        for entry in db.read(|c| log::list(c, filter, 10_000)).unwrap() {
            let order = entry.order_id.unwrap_or_default().to_string();
            let is_ours =
                !matches!(entry.facts, Some(log::Facts::Reason(Reason::Failed(Failed::TooManyFailures { .. }))));
            assert!(!is_ours, "{:?}\n{}", entry.facts, self.house.words(&["order", "show", &order]));
        }
    }

    fn check_books(&self, orders: usize) {
        self.check_log();
        self.town.check_deliveries(orders);
        self.account(|account| {
            self.town.check_documents(account);
            check_stock(account);
            self.check_ledger(account);
        });
    }

    /// Every row that exists in Daftra is there as we say, and Daftra holds nothing else.
    fn check_ledger(&self, account: &Account) {
        let db = self.db();
        let rows = self.orders().into_iter().flat_map(|order| db.read(|c| document::of_order(c, order.id)).unwrap());
        let mut ledger = BTreeMap::new();
        for row in rows {
            let header = row.content.header();
            match row.remote_id {
                Some(id) => {
                    let total = header.currency.decimal(row.total.unwrap());
                    let kind = match &row.content {
                        Draft::Invoice(_) => DocumentKind::Invoice,
                        Draft::RefundReceipt(_) => DocumentKind::RefundReceipt,
                        Draft::Payment(_) => panic!("nobody records payments here"),
                    };
                    let entry = (kind, header.reference.clone(), total.normalize());
                    assert_eq!(ledger.insert(u64::try_from(id).unwrap(), entry), None, "document {id} twice");
                }
                None => assert_eq!(row.state, qantara::domain::document::State::Dropped, "{}", header.reference),
            }
        }
        let kinds = [DocumentKind::Invoice, DocumentKind::RefundReceipt];
        let books = kinds.into_iter().flat_map(|kind| account.documents(kind)).map(|document| {
            let reference = document.text("po_number").to_owned();
            (document.id, (document.kind, reference, document.totals.total.normalize()))
        });
        assert_eq!(ledger, books.collect());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.town.close();
        if let Some(carrier) = self.carrier.take() {
            assert!(carrier.join().is_ok() || thread::panicking(), "the carrier panicked");
        }
    }
}

fn action_of(document: &qantara::domain::document::Document) -> document::Action {
    if document.replacement.is_some() { document::Action::Replace } else { document::Action::Create }
}

/// What the stock lost is what the documents say.
fn check_stock(account: &Account) {
    let mut gone = BTreeMap::<u64, Decimal>::new();
    for document in account.documents(DocumentKind::Invoice) {
        document.items.iter().for_each(|item| *gone.entry(item.product_id.unwrap()).or_default() += item.quantity);
    }
    for document in account.documents(DocumentKind::RefundReceipt) {
        document.items.iter().for_each(|item| *gone.entry(item.product_id.unwrap()).or_default() -= item.quantity);
    }
    for product in 101..=107 {
        let lost = Decimal::from(STOCK) - account.stock(product, 1);
        assert_eq!(lost, gone.remove(&product).unwrap_or_default(), "stock and documents of product {product}");
    }
    assert!(gone.is_empty(), "documents of products that nobody sells: {gone:?}");
}

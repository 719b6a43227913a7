//! Yesterday's backup is put back, the shops deliver again, and no document exists twice.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]
#![expect(clippy::disallowed_methods, reason = "what lies in a file is looked at beside Db, too")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::stage::{Cast, Plan, Stage, folder, shop};
use jiff::{SignedDuration, Timestamp};
use qantara::clock::Clock;
use qantara::db::backup::{self, Existing};
use qantara::db::lock::ServerLock;
use qantara::db::order::State;
use qantara::db::{Db, Error, FILE, restore, setting, verify};
use qantara::sandbox::daftra::DocumentKind;
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Cart, Edit, Item, Refund, Restock, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use rusqlite::Connection;
use tempfile::TempDir;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Orders that came after the backup was made.
const LATER: usize = 300;
const EARLIER: usize = 20;

fn back_up(db: &Db, to: &Path) {
    let go_on: backup::GoOn = Arc::new(|| true);
    db.read(|c| backup::copy(c, to, Existing::Refuse, &go_on, |copy| verify::demand(copy, to).map(drop))).unwrap();
}

fn put_back(from: &Path, folder: &Path, now: Timestamp) -> Result<Option<PathBuf>, Error> {
    let lock = ServerLock::take(folder).unwrap();
    restore::prepare(&lock, from, folder, now)?.take_over(now)
}

fn buy(shop: &mut Shop, shelf: &[VariantId], stage: &Stage, count: usize) -> Vec<Delivery> {
    let mut news = Vec::new();
    for number in 0..count {
        let cart = Cart::of(&[(shelf[number % 3], 1 + u32::try_from(number % 2).unwrap())]);
        let (order, created) = shop.buy(&cart, stage.clock.now()).unwrap();
        news.extend(created);
        // A third of them change before they come to rest.
        let line = shop.what_is_left(order).unwrap()[0].line_id;
        match number % 9 {
            0 => news.extend(
                shop.edit(order, &[Edit::AddLine { item: Item::Variant(shelf[2]), quantity: 1 }], stage.clock.now())
                    .unwrap(),
            ),
            3 => {
                news.extend(shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap())
            }
            _ => {}
        }
    }
    news
}

#[test]
fn yesterdays_backup_and_three_hundred_later_orders_make_no_document_twice() {
    let mut stage = Stage::new(Plan { workers: 1, ..Plan::default() });
    stage.add(&Cast::default());
    stage.start();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let before = buy(&mut shop, &shelf, &stage, EARLIER);
    stage.deliver(&before);
    stage.until_idle(HOUR);
    let copies = folder();
    let copy = copies.path().join("yesterday.db");
    back_up(&stage.db, &copy);

    stage.hand.advance(SignedDuration::from_hours(24));
    let later = buy(&mut shop, &shelf, &stage, LATER);
    stage.deliver(&later);
    stage.until_idle(HOUR);
    let books = |stage: &Stage| -> BTreeMap<String, (u64, String)> {
        stage.account("one", |account| {
            let kinds = [DocumentKind::Invoice, DocumentKind::RefundReceipt];
            let all = kinds.into_iter().flat_map(|kind| account.documents(kind)).map(|document| {
                (document.text("po_number").to_owned(), (document.id, document.totals.total.normalize().to_string()))
            });
            let all: Vec<_> = all.collect();
            let books: BTreeMap<_, _> = all.iter().cloned().collect();
            assert_eq!(books.len(), all.len(), "a document exists twice");
            books
        })
    };
    let whole = books(&stage);
    let states = |stage: &Stage| -> BTreeMap<String, State> {
        stage.orders().into_iter().map(|order| (order.name, order.state)).collect()
    };
    let before_the_loss = states(&stage);
    assert!(whole.len() > LATER && before_the_loss.values().all(|state| *state != State::Held), "{}", whole.len());

    // The machine is lost, and on another one the backup is put back. (A backup younger than any silence that a start
    // would notice is put back in tests/drill.rs.)
    let machine = folder();
    let now = stage.clock.now();
    assert_eq!(put_back(&copy, machine.path(), now).unwrap(), None, "there was nothing before");
    let mut stage = stage.restore(machine, MINUTE);
    stage.start();
    assert_eq!(stage.orders().len(), EARLIER);
    let marked = stage.db.read(|c| setting::time(c, setting::LOOK_FIRST_BEFORE)).unwrap().unwrap();
    assert!(marked >= now, "{marked}");
    stage.deliver(&before);
    stage.deliver(&later);
    stage.until_idle(6 * HOUR);

    assert_eq!(books(&stage), whole, "nothing new, nothing changed");
    // Those of which the life that is gone changed the invoice are for a person (see ARCHITECTURE.md); the others are as
    // they were.
    let mut held = 0;
    for (name, state) in states(&stage) {
        assert!(state == before_the_loss[&name] || state == State::Held, "{name}: {state:?}");
        held += usize::from(state == State::Held);
    }
    println!("{held} of {LATER} are held");
    assert_eq!(states(&stage).len(), EARLIER + LATER);
    assert!(held < LATER / 9, "{held} are held, and only every ninth was edited");
}

/// A data folder with one value in its database.
fn life(value: &str) -> TempDir {
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    mark(&db, value);
    close(db, folder.path());
    folder
}

fn mark(db: &Db, value: &str) {
    let at: Timestamp = value.parse().unwrap();
    db.write(move |tx| setting::set_time(tx, "life", at)).unwrap();
}

const OLD: &str = "2026-01-01T00:00:00Z";
const NEW: &str = "2026-02-02T00:00:00Z";

fn life_in(folder: &Path) -> String {
    let db = Db::open(folder).unwrap();
    let life = db.read(|c| setting::time(c, "life")).unwrap().unwrap().to_string();
    close(db, folder);
    life
}

/// A thread of the pool that has just made a connection may be the last to let go of it, and the log goes with the last.
fn close(db: Db, folder: &Path) {
    drop(db);
    let latest = Clock::real().now() + MINUTE;
    while folder.join(format!("{FILE}-wal")).exists() && Clock::real().now() < latest {
        std::thread::yield_now();
    }
}

fn copy_of(folder: &Path) -> TempDir {
    let copies = crate::folder();
    back_up(&Db::open(folder).unwrap(), &copies.path().join("copy.db"));
    copies
}

#[test]
fn the_old_database_is_kept_whole_and_nothing_of_it_reaches_the_new_one() {
    let (old, new) = (life(OLD), life(NEW));
    let copies = copy_of(new.path());
    // The old server was killed: what it committed last is in the log only, which another process cannot take in.
    let living = Connection::open(old.path().join(FILE)).unwrap();
    living.execute_batch("pragma wal_autocheckpoint = 0; insert into setting values ('last word', '1')").unwrap();
    let killed = folder();
    for ending in ["", "-wal"] {
        let name = format!("{FILE}{ending}");
        fs::copy(old.path().join(&name), killed.path().join(&name)).unwrap();
    }
    drop(living);
    let file = killed.path().join(FILE);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();

    let now: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
    let kept = put_back(&copies.path().join("copy.db"), killed.path(), now).unwrap().unwrap();
    assert_eq!(kept, killed.path().join("qantara.db.replaced-20260303T000000.000Z"));
    let report = verify::examine(&verify::open(&kept).unwrap(), &kept).unwrap();
    assert_eq!(report.findings, []);
    let last_word = "select count(*) from setting where key = 'last word'";
    let count =
        |path: &Path| Connection::open(path).unwrap().query_row(last_word, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!((count(&kept), count(&file)), (1, 0));
    assert_eq!(life_in(killed.path()), NEW);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640, "as it was");
    let db = Db::open(killed.path()).unwrap();
    assert_eq!(db.read(|c| setting::time(c, setting::LOOK_FIRST_BEFORE)).unwrap(), Some(now));
    assert_eq!(db.read(|c| qantara::db::audit::list(c, None, 9)).unwrap()[0].action, "database.restore");
}

#[test]
fn a_database_that_is_damaged_or_missing_can_be_replaced() {
    let (old, new) = (life(OLD), life(NEW));
    let copies = copy_of(new.path());
    let now: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
    let wal = old.path().join(format!("{FILE}-wal"));
    let garbage = "garbage ".repeat(1000);
    fs::write(old.path().join(FILE), &garbage).unwrap();
    let kept = put_back(&copies.path().join("copy.db"), old.path(), now).unwrap().unwrap();
    assert_eq!((fs::read_to_string(kept).unwrap(), life_in(old.path())), (garbage, NEW.to_owned()));

    // A log without its database would be played into whatever comes under that name.
    fs::remove_file(old.path().join(FILE)).unwrap();
    fs::write(&wal, "its log").unwrap();
    let kept = put_back(&copies.path().join("copy.db"), old.path(), now + MINUTE).unwrap().unwrap();
    let kept_log = PathBuf::from(format!("{}-wal", kept.display()));
    assert_eq!((fs::read_to_string(kept_log).unwrap(), life_in(old.path())), ("its log".to_owned(), NEW.to_owned()));
    assert!(!kept.exists());
}

#[test]
fn nothing_is_replaced_while_somebody_has_the_database_open() {
    let (old, new) = (life(OLD), life(NEW));
    let copies = copy_of(new.path());
    let copy = copies.path().join("copy.db");
    let now: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
    // A process of its own has the locks of one.
    let db = Db::open(old.path()).unwrap();
    mark(&db, OLD);
    let error = put_back(&copy, old.path(), now).unwrap_err();
    assert!(error.to_string().contains("another program has it open"), "{error}");
    close(db, old.path());
    assert_eq!(life_in(old.path()), OLD);
    let error = put_back(&old.path().join(FILE), old.path(), now).unwrap_err();
    assert!(error.to_string().contains("it is the database itself"), "{error}");
    put_back(&copy, old.path(), now).unwrap();
    assert_eq!(life_in(old.path()), NEW);
}

/// A second name that an interrupted restore left on the living file goes: SQLite must not meet one file by two names.
#[test]
fn a_second_name_of_the_living_file_goes() {
    let (old, new) = (life(OLD), life(NEW));
    let copies = copy_of(new.path());
    let left_over = old.path().join(format!("{FILE}.replaced-20260101T000000.000Z"));
    let older = old.path().join(format!("{FILE}.replaced-20250101T000000.000Z"));
    fs::hard_link(old.path().join(FILE), &left_over).unwrap();
    fs::write(&older, "another life").unwrap();
    let now: Timestamp = "2026-03-03T00:00:00Z".parse().unwrap();
    let kept = put_back(&copies.path().join("copy.db"), old.path(), now).unwrap().unwrap();
    assert!(!left_over.exists() && older.exists());
    assert_eq!(fs::metadata(&kept).unwrap().nlink(), 1);
}

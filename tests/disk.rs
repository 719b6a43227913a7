//! A disk that fails: full, read-only, or one that does not keep what it was told to. Never a "done" for what is not on it,
//! nothing broken, and everything goes on by itself.
//!
//! `tests/small-disk` runs this as root with `QANTARA_SMALL_DISK`, a folder on a file system of a few megabytes: then it is
//! really full, and a whole server lives on it. Without it SQLite is told to be full: the same error from the same calls.
//! A lock of the whole disk is told to SQLite in any case. A failing fsync, and writes that fail as they do once the system
//! went on read-only after an error, are made below SQLite, by a file system of ours that hands everything on to the real one
//! but for what lies in a marked folder.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;
mod process;
mod vfs;

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use jiff::Timestamp;
use process::{DOMAIN, House, WEBHOOK_SECRET, until};
use qantara::db::delivery::{self, Delivery, Fate, Kept};
use qantara::db::{Context as _, Db, Error, condition, job, setting};
use qantara::sandbox::shop::cart::{Cart, Product};
use qantara::sandbox::shop::delivery::Sender;
use qantara::sandbox::shop::{Shop, ShopSetup};
use qantara::vitals::disk::Disk;
use tempfile::TempDir;

const BODY: usize = 64 * 1024;

fn now() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn folder() -> TempDir {
    match env::var_os("QANTARA_SMALL_DISK") {
        Some(small) => TempDir::new_in(small).unwrap(),
        None => common::stage::folder(),
    }
}

fn is_real() -> bool {
    env::var_os("QANTARA_SMALL_DISK").is_some()
}

fn with_merchant(folder: &Path) -> Arc<Db> {
    let db = Arc::new(Db::open(folder).unwrap());
    let add = "insert into merchant (slug, key, name, shop_domain, time_zone, rules, created_at)
               values ('wadi', 'k', 'Wadi', 'wadi.myshopify.com', 'UTC', '{}', 0)";
    db.write(move |tx| tx.execute_batch(add).during("prepare a test")).unwrap();
    db
}

/// Keeps a delivery as the door does. True means: it would have been answered 200.
fn keep(db: &Db, number: usize) -> Result<bool, Error> {
    let delivery = Delivery {
        merchant_id: 1,
        event_key: format!("event {number}"),
        topic: "shop/update".into(),
        sent_at: None,
        body: vec![7; BODY],
        fate: Fate::Other,
    };
    db.write(move |tx| Ok(matches!(delivery::keep(tx, &delivery, None, now())?, Kept::New { .. })))
}

/// What is in the file now, as another process reads it; and that nothing in it is broken.
fn kept(folder: &Path) -> Vec<String> {
    let db = Db::open(folder).unwrap();
    db.read(|c| {
        let sound: String = c.query_row("pragma integrity_check", [], |row| row.get(0)).during("check")?;
        assert_eq!(sound, "ok");
        let mut statement = c.prepare("select event_key from delivery order by id").during("look")?;
        let rows = statement.query_map([], |row| row.get(0)).during("look")?;
        rows.collect::<Result<_, _>>().during("look")
    })
    .unwrap()
}

#[test]
fn a_full_disk_is_never_a_yes_and_breaks_nothing() {
    let folder = folder();
    let db = with_merchant(folder.path());
    if !is_real() {
        db.write(|tx| tx.pragma_update(None, "max_page_count", 400).during("make the disk small")).unwrap();
    }
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for number in 0..2_000 {
        match keep(&db, number) {
            Ok(_) => acknowledged.push(format!("event {number}")),
            Err(error) => {
                assert!(matches!(error, Error::Sqlite { .. }), "{error}");
                refused += 1;
            }
        }
        if refused > 20 {
            break;
        }
    }
    assert!(refused > 20 && acknowledged.len() > 5, "{refused} refused of {}", acknowledged.len());
    // What is small may still fit; what was said is there, and reading goes on.
    assert!(db.read(|c| condition::is_stuck(c, now())).is_ok());
    assert_eq!(db.read(|c| setting::time(c, setting::HEARTBEAT)).unwrap(), None);
    drop(db);
    assert_eq!(kept(folder.path()), acknowledged, "all that was acknowledged, and nothing else");
    if !is_real() {
        let db = Db::open(folder.path()).unwrap();
        assert!(keep(&db, 9_999).unwrap(), "with room everything goes on");
    }
}

#[test]
fn where_nothing_may_be_written_nothing_is_said_to_be_kept() {
    let folder = folder();
    let db = with_merchant(folder.path());
    keep(&db, 1).unwrap();
    db.write(|tx| tx.pragma_update(None, "query_only", "on").during("lock the disk")).unwrap();
    for number in 2..5 {
        assert!(keep(&db, number).is_err());
        assert!(db.write(|tx| setting::set_time(tx, setting::HEARTBEAT, now())).is_err(), "so /readyz fails");
    }
    assert!(db.read(job::next_chore).is_ok(), "pages are still read");
    drop(db);
    let db = Db::open(folder.path()).unwrap();
    assert!(keep(&db, 5).unwrap(), "and everything goes on");
    drop(db);
    assert_eq!(kept(folder.path()), ["event 1", "event 5"]);
}

#[test]
fn a_disk_that_fails_under_an_open_database_is_never_a_yes() {
    vfs::install();
    for fault in [&vfs::FSYNC, &vfs::WRITE] {
        let folder = tempfile::Builder::new().prefix(fault.mark).tempdir().unwrap();
        let db = with_merchant(folder.path());
        keep(&db, 1).unwrap();
        fault.set(true);
        for number in 2..6 {
            let error = keep(&db, number).unwrap_err().to_string();
            assert!(error.contains("disk I/O error"), "{}: {error}", fault.mark);
        }
        assert!(db.read(job::next_chore).is_ok(), "pages are still read");
        fault.set(false);
        assert!(fault.count() >= 4, "{}: {} times", fault.mark, fault.count());
        assert!(keep(&db, 6).unwrap());
        drop(db);
        assert_eq!(kept(folder.path()), ["event 1", "event 6"], "{}: what failed was not half done either", fault.mark);
    }
}

/// The whole server, from the first 503 to the first 200 after somebody made room.
#[test]
fn a_server_whose_disk_fills_up_puts_webhooks_off_and_goes_on_with_room() {
    const LEAST: u64 = 4 << 20;
    let Some(small) = env::var_os("QANTARA_SMALL_DISK") else {
        eprintln!("not on a small disk: see tests/small-disk, and with_a_full_disk_… in tests/upkeep.rs");
        return;
    };
    let small = Path::new(&small);
    let house = House::inside(TempDir::new_in(small).unwrap());
    house.configure("data", &format!("min_free_bytes = {LEAST}"));
    let server = house.start(&["serve"]);
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    house.ask(&["merchant", "add", house.merchant(sandbox.text("daftra"), "mode = 'live'").to_str().unwrap()]);
    let free = Disk::of(small, 0).free(now()).unwrap();
    let ballast = small.join("ballast");
    fs::write(&ballast, vec![7; usize::try_from(free - LEAST - (1 << 20)).unwrap()]).unwrap();

    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let variant = shop.sell(Product::samples(2).remove(0));
    let url = format!("http://{}/webhook", server.text("listening"));
    let mut kept = 0;
    let mut send = || {
        let mut delivery = shop.buy(&Cart::of(&[(variant, 1)]), now()).unwrap().1.remove(0);
        delivery.topic = "orders/create".into();
        Sender::new().send(&url, &delivery, WEBHOOK_SECRET).unwrap()
    };
    let is_healthy = || {
        let mut ask = house.qantara(&["healthcheck"]);
        ask.env("QANTARA__HTTP__LISTEN", server.text("listening")).output().unwrap().status.success()
    };
    assert!(is_healthy());
    let put_off = (0..20_000).map(|_| send()).find(|status| {
        kept += i64::from(*status == 200);
        *status != 200
    });
    assert_eq!(put_off, Some(503), "after {kept}");
    assert!(kept > 0);
    // The 503 may have come from the disk itself, ahead of the next look at its room.
    until("the disk is known to be full", || !is_healthy());
    fs::remove_file(&ballast).unwrap();
    until("there is room again", is_healthy);
    assert_eq!(send(), 200);
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(0), "{log}");
    let db = Db::open(&house.path("data")).unwrap();
    let found: i64 =
        db.read(|c| c.query_row("select count(*) from delivery", [], |row| row.get(0)).during("look")).unwrap();
    assert_eq!(found, kept + 1, "all that was answered 200 is there");
}

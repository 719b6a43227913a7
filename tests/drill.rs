//! The drill by the command line: a backup of a server at work, the loss of the machine, the restore; the wrong key and
//! the old one; and whose the files are that root's commands leave behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]
#![expect(clippy::disallowed_methods, reason = "what lies in a file is looked at beside Db, too")]

mod process;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use process::{DOMAIN, House, WEBHOOK_SECRET, http, until};
use qantara::sandbox::shop::cart::{Cart, Product};
use qantara::sandbox::shop::delivery::{Delivery, Sender};
use qantara::sandbox::shop::{Shop, ShopSetup};
use rusqlite::Connection;
use serde_json::{Value, json};

/// Who owns the data folder where the tests may give it away.
const NOBODY: u32 = 65_534;

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn orders(count: usize) -> Vec<Delivery> {
    let mut shop = Shop::new(ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR"));
    let variant = shop.sell(Product::samples(2).remove(0));
    let placed: Timestamp = "2026-11-21T09:00:00Z".parse().unwrap();
    let news = (0..count).flat_map(|_| shop.buy(&Cart::of(&[(variant, 1)]), placed).unwrap().1).collect::<Vec<_>>();
    news.into_iter().filter(|delivery| delivery.topic == "orders/create").collect()
}

#[test]
fn a_machine_is_lost_and_its_backup_put_back() {
    let house = House::new();
    // A lost answer is looked for in a moment instead of minutes.
    house.configure("daftra", "call_timeout_ms = 500\nsettling_ms = 1000\nlook_up_gap_ms = 50");
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let merchant = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.ask(&["merchant", "add", path(&merchant)]);
    let server = house.start(&["serve"]);
    let deliver = |server: &process::Running, deliveries: &[Delivery]| {
        let url = format!("http://{}/webhook", server.text("listening"));
        for delivery in deliveries {
            assert_eq!(Sender::new().send(&url, delivery, WEBHOOK_SECRET).unwrap(), 200);
        }
    };
    let settled = |count: usize| {
        until("all are settled", || {
            let list = house.ask(&["order", "list", "--state", "settled"]);
            list.as_array().unwrap().len() == count
        });
    };
    let invoices =
        || http("GET", &format!("{}/books", sandbox.text("control")), None)["invoices"].as_array().unwrap().len();
    let news = orders(5);
    deliver(&server, &news[..2]);
    settled(2);
    // Made while the server works; the one that it makes by itself at its start is there as well.
    let copy = house.path("yesterday.db");
    let made = house.ask(&["backup", path(&copy)]);
    assert_eq!((&made["orders"], &made["findings"]), (&json!(2), &json!([])));
    until("the server made one by itself", || {
        fs::read_dir(house.path("data/backups")).is_ok_and(|mut files| {
            files.any(|file| file.unwrap().path().extension().is_some_and(|extension| extension == "db"))
        })
    });
    assert_eq!(house.ask(&["verify"])["findings"], json!([]), "the live one, beside the server");
    deliver(&server, &news[2..]);
    settled(5);
    assert_eq!(invoices(), 5);
    let refused = house.complaint(&["restore", path(&copy)], 1);
    assert!(refused.contains("Another server"), "{refused}");
    let refused = house.complaint(&["rekey"], 1);
    assert!(refused.contains("Another server"), "{refused}");
    server.kill();

    // Another machine: an empty folder, and the key from its copy.
    fs::remove_dir_all(house.path("data")).unwrap();
    fs::create_dir(house.path("data")).unwrap();
    let key = house.path("qantara.key");
    let right = fs::read_to_string(&key).unwrap();
    house.write("qantara.key", &"ab".repeat(32));
    let refused = house.complaint(&["restore", path(&copy)], 1);
    assert!(refused.contains("is not the one") && refused.contains("nothing was replaced"), "{refused}");
    fs::remove_file(&key).unwrap();
    let refused = house.complaint(&["restore", path(&copy)], 1);
    assert!(refused.contains("put the key back first"), "{refused}");
    house.write("qantara.key", &right);
    let told = house.words(&["restore", path(&copy)]);
    assert!(told.contains("There was no database before") && told.contains("looks in Daftra"), "{told}");

    // Everything is delivered once more, and every invoice that is there already is found.
    let server = house.start(&["serve"]);
    assert_eq!(house.ask(&["order", "list"]).as_array().unwrap().len(), 2);
    deliver(&server, &news);
    settled(5);
    assert_eq!(invoices(), 5, "none twice");
    let (status, log) = server.stop();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// An installation whose data folder is somebody else's where the tests run as root, as a service's is.
fn somebody_elses() -> House {
    let house = House::new();
    let merchant = house.merchant("http://127.0.0.1:9/acct/one", "mode = 'live'");
    house.ask(&["merchant", "add", path(&merchant)]);
    if fs::metadata(house.path("data")).unwrap().uid() == 0 {
        for file in ["data", "data/qantara.db", "data/qantara.lock"] {
            chown(house.path(file), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    house
}

#[test]
fn what_roots_commands_leave_is_the_folder_owners() {
    let house = somebody_elses();
    let (data, key) = (house.path("data"), house.path("qantara.key"));
    if fs::metadata(&key).unwrap().uid() == 0 {
        chown(&key, Some(0), Some(NOBODY)).unwrap();
    }
    let owner = |path: &Path| fs::metadata(path).map(|file| (file.uid(), file.gid())).unwrap();
    let check = |after: &str| {
        for entry in fs::read_dir(&data).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(owner(&path), owner(&data), "{} after {after}", path.display());
        }
    };
    let copy = data.join("copy.db");
    let owner_of_key = owner(&key);
    let commands: [&[&str]; 6] =
        [&["log"], &["verify"], &["backup", path(&copy)], &["restore", path(&copy)], &["rekey"], &["log"]];
    for command in commands {
        // Root comes first, before any server did.
        fs::remove_file(data.join("qantara.lock")).unwrap_or_default();
        // A reader of its own, so that SQLite's side files outlive the command.
        let reader = Connection::open(data.join("qantara.db")).unwrap();
        let read = || reader.query_row("select count(*) from merchant", [], |row| row.get::<_, i64>(0)).unwrap();
        if command[0] != "restore" {
            read();
        } else {
            drop(reader);
        }
        house.qantara(command).assert().success();
        check(command[0]);
    }
    assert_eq!(owner(&key), owner_of_key, "and the key's owner is still the key's");
}

#[test]
fn a_backup_of_before_a_new_key_comes_back_with_the_old_key() {
    let house = somebody_elses();
    let copy = house.path("copy.db");
    let key = house.path("qantara.key");
    house.ask(&["backup", path(&copy)]);
    let old = fs::read_to_string(&key).unwrap();
    let answer = house.ask(&["rekey"]);
    assert_eq!((&answer["finished"], answer["values"].as_u64()), (&json!(false), Some(3)));
    let new = fs::read_to_string(&key).unwrap();
    assert_ne!(old, new);
    assert_eq!(house.ask(&["verify"])["sealed"], json!({ "all": 3, "closed": 0, "by_previous": 0 }));

    let found: Value =
        serde_json::from_slice(&house.qantara(&["verify", path(&copy), "--json"]).assert().code(3).get_output().stdout)
            .unwrap();
    assert_eq!(found["findings"][0]["code"], "sealed", "{found}");
    let refused = house.complaint(&["restore", path(&copy)], 1);
    assert!(refused.contains("add it to") && refused.contains("second line"), "{refused}");
    house.write("qantara.key", &(new.clone() + &old));
    house.ask(&["restore", path(&copy)]);
    assert_eq!(house.ask(&["verify"])["sealed"]["by_previous"], 3);
    assert_eq!(house.ask(&["rekey"])["finished"], true);
    assert_eq!(fs::read_to_string(&key).unwrap(), new, "the key in use stays the one in use");
    assert_eq!(house.ask(&["verify"])["sealed"], json!({ "all": 3, "closed": 0, "by_previous": 0 }));
}

#[test]
fn a_file_that_is_no_good_is_told_and_not_put_back() {
    let house = somebody_elses();
    let copy = house.path("copy.db");
    house.ask(&["backup", path(&copy)]);
    let words = house.words(&["verify", path(&copy)]);
    for part in ["never served", "1 merchants, 0 orders", "opens all 3 secrets", "Nothing is wrong"] {
        assert!(words.contains(part), "{part} is not in\n{words}");
    }
    let before = fs::read(house.path("data/qantara.db")).unwrap();
    let spoiled: PathBuf = house.path("spoiled.db");
    let cases = [
        ("drop index one_live_invoice", "index one_live_invoice"),
        ("update audit set facts = '{}'", "row 1 of the audit"),
        ("update credential set sealed = x'01'", "of merchant wadi-home"),
        ("pragma user_version = 9", "newer version"),
    ];
    for (change, what) in cases {
        fs::copy(&copy, &spoiled).unwrap();
        Connection::open(&spoiled).unwrap().execute_batch(change).unwrap();
        let told = house.qantara(&["verify", path(&spoiled)]).assert().code(3);
        let told = String::from_utf8(told.get_output().stdout.clone()).unwrap();
        assert!(told.contains("WRONG") && told.contains(what), "{told}");
        let refused = house.qantara(&["restore", path(&spoiled)]).assert();
        let refused = refused.get_output();
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(matches!(refused.status.code(), Some(1 | 3)) && !words.is_empty(), "{words}");
        assert!(words.contains("Nothing was replaced"), "{words}");
    }
    assert_eq!(fs::read(house.path("data/qantara.db")).unwrap(), before);
    let missing = house.complaint(&["verify", path(&house.path("typo.db"))], 1);
    assert!(missing.contains("There is no file"), "{missing}");
}

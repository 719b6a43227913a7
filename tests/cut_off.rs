//! `kill -9` in the middle of a backup, a restore, a new master key and a migration: what is left is the old state or the
//! new one, it is whole, and running the same again finishes.
//!
//! No moment is hoped for: each kill waits for something that can be seen from outside (a file appears, grows or
//! changes), some commands are held there by a lock, and how many kills came in time is counted.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]
#![expect(clippy::disallowed_methods, reason = "what lies in a file is looked at beside Db, too")]

mod process;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use process::House;
use qantara::db::schema::{APPLICATION_ID, copy_before};
use rusqlite::Connection;
use serde_json::Value;

/// Enough for a copy to take some steps.
const MIB: u32 = 12;

/// An installation with one merchant, its keys, and some volume.
fn house() -> House {
    let house = House::new();
    let merchant = house.merchant("http://127.0.0.1:9/acct/one", "mode = 'live'");
    house.ask(&["merchant", "add", merchant.to_str().unwrap()]);
    let c = open(&database(&house));
    c.execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
         insert into setting (key, value) select 'note ' || i, json_quote(hex(randomblob(2000))) from n",
        [MIB * 256],
    )
    .unwrap();
    house
}

fn database(house: &House) -> PathBuf {
    house.path("data/qantara.db")
}

fn open(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn spawn(house: &House, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qantara"));
    command.env_clear().env("QANTARA_CONFIG", house.path("config.toml")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills it as soon as something is so; false if it ended before.
fn kill_when(mut child: Child, mut is_so: impl FnMut() -> bool) -> bool {
    while child.try_wait().unwrap().is_none() {
        if is_so() {
            child.kill().unwrap();
            return !child.wait().unwrap().success();
        }
        thread::yield_now();
    }
    false
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// What `verify` finds in a file.
fn verify(house: &House, file: &Path) -> Value {
    let output = house.qantara(&["verify", path(file), "--json"]).assert().get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap_or_else(|_| panic!("{}", house.complaint(&["verify", path(file)], 0)))
}

fn is_whole(house: &House, file: &Path) {
    let found = verify(house, file);
    assert_eq!(found["findings"], Value::Array(vec![]), "{}: {found}", file.display());
    assert_eq!(found["sealed"]["closed"], 0, "{found}");
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn during_a_backup() {
    let house = house();
    let folder = house.path("copies");
    fs::create_dir(&folder).unwrap();
    let (to, part) = (folder.join("copy.db"), folder.join("copy.db.part"));
    let mut kills = 0;
    for round in 0..8 {
        let enough = (round * u64::from(MIB) / 8) << 20;
        // The last rounds aim at the check after the copy.
        let killed = kill_when(spawn(&house, &["backup", path(&to)]), || size(&part) > enough);
        kills += usize::from(killed);
        if to.exists() {
            is_whole(&house, &to);
            fs::remove_file(&to).unwrap();
        }
        is_whole(&house, &database(&house));
    }
    assert!(kills >= 4, "only {kills} came in time");
    let made = house.ask(&["backup", path(&to)]);
    assert_eq!(made["merchants"], 1, "{made}");
    is_whole(&house, &to);
    assert_eq!(files_in(&folder), ["copy.db"]);
    let refused = house.complaint(&["backup", path(&to)], 1);
    assert!(refused.contains("exists already"), "{refused}");
}

/// Which life a database is of: that of the backup, or the one after it.
fn life(house: &House) -> String {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let c = Connection::open_with_flags(database(house), flags).unwrap();
    c.query_row("select value from setting where key = 'life'", [], |row| row.get(0)).unwrap()
}

fn live(house: &House, life: &str) {
    let c = open(&database(house));
    c.execute("insert into setting values ('life', ?1) on conflict do update set value = excluded.value", [life])
        .unwrap();
}

#[test]
fn during_a_restore() {
    let house = house();
    let (copy, data) = (house.path("copy.db"), house.path("data"));
    live(&house, "1");
    house.ask(&["backup", path(&copy)]);
    let kept = |data: &Path| files_in(data).into_iter().filter(|name| name.contains("replaced")).collect::<Vec<_>>();
    let (part, incoming) = (data.join("qantara.db.incoming.part"), data.join("qantara.db.incoming"));
    let (mut kills, mut old, mut new) = (0, 0, 0);
    for round in 0..12 {
        live(&house, "2");
        let (before, file) = (kept(&data), fs::metadata(database(&house)).unwrap().ino());
        let moment = || match round % 6 {
            0 => part.exists(),
            1 => size(&part) > 4 << 20,
            2 => size(&part) > 10 << 20,
            3 => incoming.exists(),
            4 => kept(&data) != before,
            // The rename is done, and little is left to do.
            _ => fs::metadata(database(&house)).is_ok_and(|new| new.ino() != file),
        };
        let killed = kill_when(spawn(&house, &["restore", path(&copy)]), moment);
        kills += usize::from(killed);
        is_whole(&house, &database(&house));
        match life(&house).as_str() {
            "1" => new += 1,
            "2" => old += 1,
            other => panic!("a third life: {other}"),
        }
        assert!(killed || life(&house) == "1");
    }
    println!("{kills} kills: {old} times the old one, {new} times the new one");
    assert!(kills >= 6 && old > 0 && new > 0, "only {kills} came in time: {old} old, {new} new");
    live(&house, "2");
    let restored = house.ask(&["restore", path(&copy)]);
    assert_eq!(life(&house), "1");
    is_whole(&house, &database(&house));
    let kept = PathBuf::from(restored["kept"].as_str().unwrap());
    is_whole(&house, &kept);
    let looks_first = "select count(*) from setting where key = 'look_first_before'";
    let count = open(&database(&house)).query_row(looks_first, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count, 1);
    assert!(!files_in(&data).iter().any(|name| name.contains("incoming")), "{:?}", files_in(&data));
}

fn keys_in(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn during_a_new_master_key() {
    let house = house();
    let file = house.path("qantara.key");
    let first = keys_in(&file);
    let (database, next) = (database(&house), house.path("qantara.key.next"));
    let by_previous = || verify(&house, &database)["sealed"]["by_previous"].as_u64().unwrap();

    // Held before the first value is sealed anew: both keys are in the file.
    let held = open(&database);
    held.execute_batch("begin immediate").unwrap();
    assert!(kill_when(spawn(&house, &["rekey"]), || keys_in(&file).len() == 2));
    drop(held);
    let both = keys_in(&file);
    assert_eq!(both[1], first[0]);
    is_whole(&house, &database);
    assert!(by_previous() > 1);

    // Held after the last one: the file cannot be written.
    fs::create_dir(&next).unwrap();
    let complaint = house.complaint(&["rekey"], 1);
    assert!(complaint.contains("cannot be written"), "{complaint}");
    assert_eq!((keys_in(&file), by_previous()), (both.clone(), 0));
    is_whole(&house, &database);

    // Running it again finishes it, with the key that it had begun with.
    fs::remove_dir(&next).unwrap();
    assert_eq!(house.ask(&["rekey"])["finished"], true);
    assert_eq!(keys_in(&file), both[..1]);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    is_whole(&house, &database);

    // Wherever else it is killed.
    let mut kills = 0;
    for round in 0..12_u32 {
        let before = keys_in(&file);
        let wal = house.path("data/qantara.db-wal");
        let mut looks = 0;
        let moment = || match round % 4 {
            0 => next.exists(),
            1 => keys_in(&file) != before,
            2 => size(&wal) > 0,
            _ => {
                looks += u32::from(keys_in(&file).len() == 2);
                looks > 20 * round
            }
        };
        kills += u32::from(kill_when(spawn(&house, &["rekey"]), moment));
        is_whole(&house, &database);
    }
    assert!(kills >= 6, "only {kills} came in time");
    house.ask(&["rekey"]);
    assert_eq!(keys_in(&file).len(), 1);
    is_whole(&house, &database);
    house.ask(&["config", "check"]);

    // The key of before opens nothing any more.
    house.write("qantara.key", &format!("{}\n", first[0]));
    assert_eq!(house.qantara(&["verify"]).assert().get_output().status.code(), Some(3));
    let complaint = house.complaint(&["rekey"], 1);
    assert!(complaint.contains("does not open"), "{complaint}");
    assert_eq!(keys_in(&file), first);
}

/// The same rows as version 1 left them.
fn to_version_1(house: &House, database: &Path) {
    let made = house.path("made-by-1.db");
    let old = open(&made);
    old.execute_batch(include_str!("schema/v1.sql")).unwrap();
    let listed = |sql: &str| {
        let mut statement = old.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    // What the triggers counted is among the rows.
    let triggers = listed("select sql from sqlite_schema where type = 'trigger'");
    for name in listed("select name from sqlite_schema where type = 'trigger'") {
        old.execute_batch(&format!("drop trigger {name}")).unwrap();
    }
    old.execute("attach ?1 as today", [path(database)]).unwrap();
    for table in listed("select name from sqlite_schema where type = 'table' and name <> 'sqlite_sequence'") {
        let columns = listed(&format!("select name from pragma_table_info('{table}')")).join(", ");
        let copy = format!("insert into {table} ({columns}) select {columns} from today.{table}");
        old.execute_batch(&copy).unwrap();
    }
    old.execute_batch(&triggers.join(";\n")).unwrap();
    old.execute_batch("detach today").unwrap();
    let header =
        format!("pragma application_id = {APPLICATION_ID}; pragma user_version = 1; pragma journal_mode = wal");
    old.execute_batch(&header).unwrap();
    drop(old);
    for side in ["-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{side}", database.display()));
        if file.exists() {
            fs::remove_file(file).unwrap();
        }
    }
    fs::copy(&made, database).unwrap();
    fs::remove_file(made).unwrap();
}

#[test]
fn during_a_migration() {
    let house = house();
    let database = database(&house);
    let alert = "insert into alert (cause, subject, opened_at, seen_at) values ('failed', 'merchant 1', 1, 2)";
    open(&database).execute_batch(alert).unwrap();
    to_version_1(&house, &database);
    is_whole(&house, &database);
    let original = house.path("version-1.db");
    fs::copy(&database, &original).unwrap();
    let copy = copy_before(&database, 2);
    let (part, wal) = (PathBuf::from(format!("{}.part", copy.display())), house.path("data/qantara.db-wal"));
    let version = |file: &Path| open(file).query_row("pragma user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let alerts = |file: &Path| {
        open(file)
            .query_row("select count(*) from alert where subject = 'merchant 1'", [], |row| row.get::<_, i64>(0))
            .unwrap()
    };

    // Nobody but the server brings it up to date.
    let refused = house.complaint(&["log"], 1);
    assert!(refused.contains("of an earlier version") && refused.contains("start the server"), "{refused}");
    assert_eq!(version(&database), 1);

    let (mut kills, mut seen) = (0, [0, 0]);
    for round in 0..10 {
        for name in files_in(&house.path("data")) {
            let _ = fs::remove_file(house.path("data").join(name));
        }
        fs::copy(&original, &database).unwrap();
        // Held where the copy is made and the migration begins.
        let held = (round == 0).then(|| open(&database));
        if let Some(held) = &held {
            held.execute_batch("begin immediate; insert into setting values ('held', '1')").unwrap();
        }
        let moment = || match round % 5 {
            0 => copy.exists(),
            1 => size(&part) > 4 << 20,
            2 => part.exists(),
            3 => copy.exists() && size(&wal) > 0,
            _ => copy.exists() && version(&database) == 2,
        };
        let killed = kill_when(spawn(&house, &["serve"]), moment);
        assert!(killed, "a server does not end by itself");
        kills += 1;
        if let Some(held) = held {
            held.execute_batch("rollback").unwrap();
        }
        is_whole(&house, &database);
        let now = version(&database);
        seen[usize::try_from(now).unwrap() - 1] += 1;
        assert_eq!((alerts(&database), if copy.exists() { version(&copy) } else { 1 }), (1, 1), "round {round}");
        if copy.exists() {
            is_whole(&house, &copy);
        }
    }
    println!("{kills} kills: {} times version 1, {} times version 2", seen[0], seen[1]);
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    house.start(&["serve"]).stop();
    assert_eq!((version(&database), alerts(&database)), (2, 1));
    is_whole(&house, &database);
    house.ask(&["log"]);

    // The version before this one refuses what this one made.
    open(&database).pragma_update(None, "user_version", 3).unwrap();
    let refused = house.complaint(&["serve"], 1);
    assert!(refused.contains("newer version") && refused.contains("qantara.db.before-v3"), "{refused}");
}

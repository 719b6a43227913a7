//! Copies of a database in use, what is said of a copy that is not whole, and backups by themselves.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]
#![expect(clippy::disallowed_methods, reason = "what lies in a file is looked at beside Db, too")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::stage::Stage;
use jiff::{SignedDuration, Timestamp};
use qantara::config::Config;
use qantara::db::archive::name;
use qantara::db::backup::{self, Existing, GoOn};
use qantara::db::verify::{self, Code, Report};
use qantara::db::{Context as _, Db, Error, FILE, alert, setting};
use qantara::engine::backup::Rules;
use qantara::engine::worker::Step;
use rusqlite::Connection;
use tempfile::TempDir;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn go_on() -> GoOn {
    Arc::new(|| true)
}

fn copy(db: &Db, to: &Path, go_on: &GoOn) -> Result<(), Error> {
    db.read(|c| backup::copy(c, to, Existing::Refuse, go_on, |copy| verify::demand(copy, to).map(drop)))
}

/// A database of so many mebibytes, in notes of four KiB.
fn filled(folder: &Path, mib: u32) -> Db {
    let db = Db::open(folder).unwrap();
    db.write(move |tx| {
        tx.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
             insert into setting (key, value) select 'note ' || i, json_quote(hex(randomblob(2000))) from n",
            [mib * 256],
        )
        .during("fill it")
    })
    .unwrap();
    db
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_copy_shows_one_moment_although_the_server_goes_on_writing() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let db = Arc::new(filled(folder.path(), 4));
    let to = elsewhere.path().join("copy.db");
    let (writer, steps) = (Arc::clone(&db), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&steps);
    let write_on: GoOn = Arc::new(move || {
        let step = counted.fetch_add(1, Ordering::SeqCst);
        let key = format!("later {step}");
        writer.write(move |tx| setting::set_time(tx, &key, Timestamp::UNIX_EPOCH)).unwrap();
        true
    });
    copy(&db, &to, &write_on).unwrap();
    let steps = steps.load(Ordering::SeqCst);
    assert!((4..40).contains(&steps), "the writes made it begin anew: {steps}");
    let later = |c: &Connection| {
        let count = "select count(*) from setting where key like 'later%'";
        c.query_row(count, [], |row| row.get::<_, i64>(0)).during("count")
    };
    assert_eq!(db.read(later).unwrap(), i64::try_from(steps).unwrap());
    let copied = Connection::open(&to).unwrap();
    assert_eq!(later(&copied).unwrap(), 0);
    assert_eq!(names_in(elsewhere.path()), ["copy.db"], "one file, with nothing beside it");
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_copy_replaces_nothing_and_leaves_nothing_half_done() {
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let db = filled(folder.path(), 2);
    let to = elsewhere.path().join("copy.db");
    fs::write(&to, "precious").unwrap();
    let error = copy(&db, &to, &go_on()).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "precious");

    let to = elsewhere.path().join("other.db");
    // Somebody takes the name while the copy is made.
    let taken = to.clone();
    let take = Arc::new(move || fs::write(&taken, "precious").is_ok());
    let error = copy(&db, &to, &(take as GoOn)).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "precious");

    let to = elsewhere.path().join("third.db");
    let given_up = copy(&db, &to, &(Arc::new(|| false) as GoOn)).unwrap_err();
    assert!(matches!(given_up, Error::GivenUp), "{given_up}");
    let refused = db.read(|c| backup::copy(c, &to, Existing::Refuse, &go_on(), |_| Err(Error::Damaged("so".into()))));
    assert!(matches!(refused, Err(Error::Damaged(_))));
    assert_eq!(names_in(elsewhere.path()), ["copy.db", "other.db"]);

    // What a killed one left is taken over, a log that would be played into the new copy among it.
    for ending in ["part", "part-journal", "part-wal"] {
        fs::write(elsewhere.path().join(format!("third.db.{ending}")), "left over").unwrap();
    }
    copy(&db, &to, &go_on()).unwrap();
    assert_eq!(names_in(elsewhere.path()), ["copy.db", "other.db", "third.db"]);

    // Two of one name at a time.
    let to = elsewhere.path().join("fourth.db");
    let third = TempDir::new().unwrap();
    let (inner, again) = (to.clone(), filled(third.path(), 0));
    let second: GoOn = Arc::new(move || {
        let error = copy(&again, &inner, &go_on()).unwrap_err();
        assert!(error.to_string().contains("another copy is being written"), "{error}");
        true
    });
    copy(&db, &to, &second).unwrap();
    assert!(to.is_file());
}

/// What `verify` says of the file of this folder after it was changed.
fn after(folder: &Path, sql: &str) -> Report {
    let copy = TempDir::new().unwrap();
    let path = copy.path().join(FILE);
    fs::copy(folder.join(FILE), &path).unwrap();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    examine(&path)
}

fn examine(path: &Path) -> Report {
    verify::examine(&verify::open(path).unwrap(), path).unwrap()
}

#[test]
fn whatever_is_wrong_with_a_file_is_found() {
    let stage = Stage::usual();
    for word in ["one", "two", "three"] {
        let now = stage.clock.now();
        let facts = serde_json::json!({ "word": word });
        stage.db.write(move |tx| qantara::db::audit::write(tx, None, "test", &facts, now)).unwrap();
    }
    let folder = Arc::clone(&stage.folder);
    drop(stage);
    let codes = |report: &Report| report.findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    let good = after(folder.path(), "select 1");
    assert_eq!((codes(&good), good.merchants, good.deeds), (vec![], 1, 3), "{good:?}");

    let cases = [
        ("update audit set facts = '{\"word\":\"four\"}' where id = 2", Code::Audit, "row 2"),
        ("delete from audit where id = 2", Code::Audit, "row 3"),
        ("delete from audit where id = 1", Code::Audit, "row 2"),
        ("update audit set at = at + 1 where id = 3", Code::Audit, "row 3"),
        ("pragma foreign_keys = off; delete from merchant", Code::LooseEnd, "refer to rows of merchant"),
        ("drop index one_live_invoice", Code::Schema, "index one_live_invoice is not as"),
        ("create table extra (id integer)", Code::Schema, "table extra is not as"),
        ("alter table tally add column extra text", Code::Schema, "table tally is not as"),
        ("drop trigger a_class_is_for_ever", Code::Schema, "trigger a_class_is_for_ever"),
        ("pragma user_version = 9", Code::Foreign, "newer version"),
        ("pragma application_id = 9", Code::Foreign, "another program's"),
    ];
    for (change, code, words) in cases {
        let report = after(folder.path(), change);
        assert!(codes(&report).contains(&code), "{change}: {report:?}");
        assert!(report.findings.iter().any(|finding| finding.to_string().contains(words)), "{change}: {report:?}");
        assert!(report.findings.iter().all(|finding| finding.code == code), "{change}: {report:?}");
    }

    // Damage of each kind: no database at all, half of one, and one page overwritten.
    let broken = folder.path().join("broken.db");
    let bytes = fs::read(folder.path().join(FILE)).unwrap();
    let mut overwritten = bytes.clone();
    overwritten[bytes.len() / 2..bytes.len() / 2 + 40_960].fill(0xa5);
    for content in
        [b"not a database, but long enough to be taken for one ".repeat(40), bytes[..8192].to_vec(), overwritten]
    {
        fs::write(&broken, content).unwrap();
        let report = examine(&broken);
        assert!(codes(&report).contains(&Code::Damaged), "{report:?}");
    }
    fs::write(&broken, "").unwrap();
    assert_eq!(codes(&examine(&broken)), [Code::Foreign]);
}

#[test]
fn a_file_of_an_earlier_version_is_judged_by_its_own_schema() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("old.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("schema/v1.sql")).unwrap();
    old.execute_batch("pragma user_version = 1; pragma application_id = 1365339764").unwrap();
    let report = examine(&path);
    assert_eq!((report.version, report.findings.len()), (1, 0), "{report:?}");
    old.execute_batch("drop index alert_open").unwrap();
    assert_eq!(examine(&path).findings.len(), 1);
}

fn rules(folder: &Path) -> Rules {
    let (folder, keep_for) = (folder.to_owned(), Some(30 * DAY));
    Rules { folder, makes_folder: true, every: DAY, keep: 3, keep_for }
}

fn backups_of(rules: &Rules) -> Vec<String> {
    names_in(&rules.folder).into_iter().filter(|name| name.starts_with("qantara-")).collect()
}

#[test]
fn backups_are_made_by_themselves_and_the_old_ones_go() {
    let stage = Stage::usual();
    let rules = rules(&stage.folder.path().join("backups"));
    let mut made = Vec::new();
    for day in 0..6 {
        assert_eq!(stage.engine.back_up_once(&rules), Step::Done, "day {day}");
        made.push(name(stage.clock.now()));
        let next = stage.clock.now() + DAY;
        assert_eq!(stage.engine.back_up_once(&rules), Step::Idle(next), "one a day");
        stage.hand.advance(DAY);
    }
    assert_eq!(backups_of(&rules), made[3..], "the newest three");
    for file in backups_of(&rules) {
        assert_eq!(examine(&rules.folder.join(file)).findings, []);
    }
    assert_eq!(fs::metadata(&rules.folder).unwrap().permissions().mode() & 0o777, 0o700);

    // After a long pause: what cannot be made is told, tried again, and over when it is over.
    stage.hand.advance(40 * DAY);
    let blocked = Rules { folder: rules.folder.join("missing"), makes_folder: false, ..rules.clone() };
    assert_eq!(stage.engine.back_up_once(&blocked), Step::Done);
    assert_eq!(raised(&stage), ["backup"]);
    let now = stage.clock.now();
    assert_eq!(stage.engine.back_up_once(&rules), Step::Idle(now + HOUR), "tried again after an hour");
    stage.hand.advance(HOUR);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    assert!(raised(&stage).is_empty());
    // That so much time has passed is believed once a copy was made in it: then those that are too old go.
    let new = name(stage.clock.now());
    assert_eq!(backups_of(&rules), [made[4].clone(), made[5].clone(), new.clone()]);
    stage.hand.advance(DAY);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    assert_eq!(backups_of(&rules), [new, name(stage.clock.now())]);
}

fn raised(stage: &Stage) -> Vec<String> {
    stage.db.read(alert::open).unwrap().into_iter().map(|alert| alert.cause).collect()
}

#[test]
fn a_clock_that_is_far_ahead_for_an_hour_costs_no_backup_and_stops_none() {
    let stage = Stage::usual();
    let rules = Rules { keep: 9, ..rules(&stage.folder.path().join("backups")) };
    let mut made = Vec::new();
    for _ in 0..3 {
        assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
        made.push(name(stage.clock.now()));
        stage.hand.advance(DAY);
    }
    stage.hand.advance(60 * DAY);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    made.push(name(stage.clock.now()));
    assert_eq!(backups_of(&rules), made, "nothing was too old by the copy before");
    stage.hand.advance(-60 * DAY);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done, "that one was made in a time to come is not believed");
    made.insert(3, name(stage.clock.now()));
    assert_eq!(backups_of(&rules), made);
    // Who fell asleep in that time wakes up.
    stage.hand.advance(61 * DAY);
}

#[test]
fn a_backup_never_takes_the_room_that_orders_need() {
    let stage = Stage::usual();
    let rules = rules(&stage.folder.path().join("backups"));
    for _ in 0..3 {
        assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
        stage.hand.advance(DAY);
    }
    let newest = backups_of(&rules).pop().unwrap();
    // Enough for the copy alone, and for orders alone, but not for both.
    let size: u64 = stage.db.sizes().unwrap().into_iter().sum();
    stage.room.store(size + (1 << 20), Ordering::SeqCst);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    assert_eq!((backups_of(&rules), raised(&stage)), (vec![newest.clone()], vec!["backup".to_owned()]));
    assert!(!stage.engine.vitals.is_disk_full(), "and orders go on");
    stage.room.store(size * 2 + (2 << 20), Ordering::SeqCst);
    stage.hand.advance(HOUR);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    assert_eq!(backups_of(&rules), [newest, name(stage.clock.now())]);
    assert!(raised(&stage).is_empty());
}

#[test]
fn nothing_is_wrong_with_backups_that_nobody_wants() {
    let stage = Stage::usual();
    let rules = Rules { folder: "/nowhere/backups".into(), makes_folder: false, ..rules(Path::new("")) };
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    assert_eq!(raised(&stage), ["backup"]);
    stage.engine.close_backup_alert().unwrap();
    assert!(raised(&stage).is_empty());
}

#[test]
fn only_what_it_made_itself_is_deleted() {
    let stage = Stage::usual();
    let rules = Rules { keep: 1, keep_for: Some(DAY), ..rules(&stage.folder.path().join("backups")) };
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    let first = rules.folder.join(&backups_of(&rules)[0]);
    let other = |name: &str| rules.folder.join(name);
    let kept: Vec<PathBuf> = vec![
        other("before-the-upgrade.db"),
        other("qantara-20200101T000000Z.db.old"),
        other("qantara-20200101.db"),
        other("qantara-20201301T000000Z.db"),
        // From a time that is still to come: the clock was wrong then.
        other("qantara-20400101T000000Z.db"),
    ];
    for path in &kept {
        fs::copy(&first, path).unwrap();
    }
    let foreign = other("qantara-20200101T000000Z.db");
    fs::write(&foreign, "somebody else's, by our name").unwrap();
    let linked = other("qantara-20200102T000000Z.db");
    std::os::unix::fs::symlink(&kept[0], &linked).unwrap();
    let left_over = other("qantara-20200103T000000Z.db.part");
    fs::write(&left_over, "cut off").unwrap();

    stage.hand.advance(2 * DAY);
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    let second = rules.folder.join(name(stage.clock.now()));
    assert!(!first.exists() && second.exists() && !left_over.exists());
    assert!(kept.iter().chain([&foreign, &linked]).all(|path| path.exists()), "{:?}", names_in(&rules.folder));
}

#[test]
fn a_damaged_database_does_not_push_out_the_good_backups() {
    let stage = Stage::usual();
    let rules = Rules { keep: 1, ..rules(&stage.folder.path().join("backups")) };
    assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    let good = backups_of(&rules);
    stage.db.write(|tx| tx.execute_batch("drop index one_live_invoice").during("damage it")).unwrap();
    for _ in 0..3 {
        stage.hand.advance(DAY);
        assert_eq!(stage.engine.back_up_once(&rules), Step::Done);
    }
    assert_eq!(backups_of(&rules), good);
    let alerts = stage.db.read(alert::open).unwrap();
    assert_eq!(alerts.iter().map(|alert| (alert.cause.as_str(), alert.count)).collect::<Vec<_>>(), [("backup", 3)]);
}

#[test]
fn the_configuration_says_when_where_and_how_many() {
    let mut config = Config::default();
    let rules = Rules::new(&config).unwrap();
    assert_eq!((rules.folder, rules.makes_folder), (config.data.folder.join("backups"), true));
    assert_eq!((rules.every, rules.keep, rules.keep_for), (DAY, 14, Some(30 * DAY)));
    config.backup.folder = Some("/mnt/safe".into());
    config.backup.keep_days = 0;
    let rules = Rules::new(&config).unwrap();
    assert_eq!((rules.folder, rules.makes_folder, rules.keep_for), ("/mnt/safe".into(), false, None));
    config.backup.every_ms = 0;
    assert!(Rules::new(&config).is_none());
}

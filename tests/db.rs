//! The writer, the readers, the lock and the settings of every connection, on real files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "what lies in a file is looked at beside Db, too")]

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::{env, fs, thread};

use jiff::{SignedDuration, Timestamp};
use qantara::db::job::Again;
use qantara::db::lock::ServerLock;
use qantara::db::writer::{Full, INBOX, Moment};
use qantara::db::{Context, Db, Error, FILE, Options, Rule};
use rusqlite::types::Value;
use rusqlite::{Connection, StatementStatus, Transaction};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn put(key: &str) -> impl FnOnce(&Transaction<'_>) -> Result<(), Error> + Send + use<> {
    let key = key.to_owned();
    move |tx| tx.execute("insert into setting (key, value) values (?1, '1')", [key]).map(drop).during("put a setting")
}

fn keys(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare("select key from setting order by key").during("list settings")?;
    let rows = statement.query_map([], |row| row.get(0)).during("list settings")?;
    rows.collect::<Result<_, _>>().during("list settings")
}

/// A database whose writer stands still before its first commit, which contains the key "first".
struct Still {
    db: Db,
    release: Sender<()>,
    commits: Arc<AtomicUsize>,
    _folder: TempDir,
}

fn still() -> Still {
    let folder = folder();
    let commits = Arc::new(AtomicUsize::new(0));
    let (reached, arrival) = channel();
    let (release, gate): (_, Receiver<()>) = channel();
    let counted = Arc::clone(&commits);
    let on_commit = Box::new(move |moment, _: &[&'static str]| {
        if moment == Moment::BeforeCommit && counted.fetch_add(1, Ordering::SeqCst) == 0 {
            reached.send(()).unwrap();
            let _ = gate.recv();
        }
    });
    let db = Db::open_with(folder.path(), Options { on_commit, ..Options::default() }).unwrap();
    drop(db.post(put("first")).unwrap());
    arrival.recv().unwrap();
    Still { db, release, commits, _folder: folder }
}

#[test]
fn what_waits_together_is_committed_together() {
    let Still { db, release, commits, _folder } = still();
    let waiting: Vec<_> = (0..100).map(|n| db.post(put(&format!("{n:03}"))).unwrap()).collect();
    drop(release);
    for pending in waiting {
        pending.wait().unwrap();
    }
    assert_eq!(commits.load(Ordering::SeqCst), 2, "one for the first, one for the hundred behind it");
    assert_eq!(db.read(keys).unwrap().len(), 101);
}

#[test]
fn a_change_that_fails_or_panics_undoes_itself_alone() {
    let Still { db, release, commits, _folder } = still();
    let before = db.post(put("before")).unwrap();
    let refused = db
        .post(|tx| {
            put("half done")(tx)?;
            put("before")(tx)
        })
        .unwrap();
    let panicked = db
        .post(|tx| -> Result<(), Error> {
            put("half done")(tx)?;
            panic!("the {} broke", "change")
        })
        .unwrap();
    let after = db.post(put("after")).unwrap();
    drop(release);

    before.wait().unwrap();
    let error = refused.wait().unwrap_err();
    assert!(matches!(error, Error::Constraint { rule: Rule::Unique, .. }), "{error:?}");
    assert_eq!(error.to_string(), "Cannot put a setting: unique constraint setting.key");
    let error = panicked.wait().unwrap_err();
    assert!(matches!(&error, Error::Panicked(text) if text == "the change broke"), "{error:?}");
    after.wait().unwrap();
    assert_eq!(commits.load(Ordering::SeqCst), 2);
    assert_eq!(db.read(keys).unwrap(), ["after", "before", "first"]);
}

#[test]
fn a_commit_that_fails_is_told_to_everybody_in_it() {
    let Still { db, release, _folder, .. } = still();
    let innocent = db.post(put("innocent")).unwrap();
    let guilty = db
        .post(|tx| {
            // Looked at only when the transaction ends: the commit itself fails.
            tx.execute_batch("pragma defer_foreign_keys = on").during("defer")?;
            tx.execute("insert into vendor (shop_domain, name, merchant_id) values ('a', 'b', 404)", [])
                .map(drop)
                .during("put a vendor")
        })
        .unwrap();
    drop(release);
    for pending in [innocent, guilty] {
        let error = pending.wait().unwrap_err();
        assert!(matches!(error, Error::Constraint { context: "commit", rule: Rule::ForeignKey, .. }), "{error:?}");
    }
    db.write(put("later")).unwrap();
    assert_eq!(db.read(keys).unwrap(), ["first", "later"]);
}

#[test]
fn a_transaction_lost_under_way_is_told_to_everybody_who_ran_in_it() {
    let Still { db, release, _folder, .. } = still();
    let innocent = db.post(put("innocent")).unwrap();
    // What SQLite does by itself on a full disk.
    let loser = db.post(|tx| tx.execute_batch("rollback").during("lose the transaction")).unwrap();
    let next = db.post(put("next")).unwrap();
    drop(release);
    assert!(matches!(innocent.wait(), Err(Error::Sqlite { context: "commit", .. })));
    assert!(matches!(loser.wait(), Err(Error::Sqlite { context: "commit", .. })));
    next.wait().unwrap();
    assert_eq!(db.read(keys).unwrap(), ["first", "next"]);
}

#[test]
fn a_full_inbox_says_so_and_takes_more_when_it_has_room() {
    let Still { db, release, _folder, .. } = still();
    let accepted: Vec<_> = (0..INBOX).map(|n| db.post(put(&format!("{n:04}"))).unwrap()).collect();
    assert_eq!(db.post(put("one too many")).err(), Some(Full));
    drop(release);
    for pending in accepted {
        pending.wait().unwrap();
    }
    db.post(put("room again")).unwrap().wait().unwrap();
    assert_eq!(db.read(keys).unwrap().len(), INBOX + 2);
}

#[test]
fn an_answer_can_be_awaited() {
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(async { db.post(|tx| put("a")(tx).map(|()| 7)).unwrap().await });
    assert_eq!(answer.unwrap(), 7);
}

#[test]
fn a_change_that_waits_for_another_is_refused_instead_of_waiting_for_ever() {
    let folder = folder();
    let db = Arc::new(Db::open(folder.path()).unwrap());
    let inner = Arc::clone(&db);
    let error = db.write(move |_| inner.write(put("never"))).unwrap_err();
    assert!(matches!(error, Error::Panicked(_)), "{error:?}");
    assert_eq!(db.read(keys).unwrap(), [""; 0]);
}

#[test]
fn a_write_that_returned_is_on_the_disk() {
    let folder = folder();
    let moments = Arc::new(Mutex::new(Vec::new()));
    let (from, log) = (folder.path().to_owned(), Arc::clone(&moments));
    // A copy of the files at a moment is what a crash at that moment leaves behind.
    let on_commit = Box::new(move |moment, _: &[&'static str]| {
        let crashed = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(&from).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), crashed.path().join(entry.file_name())).unwrap();
        }
        log.lock().unwrap().push((moment, crashed));
    });
    let db = Db::open_with(folder.path(), Options { on_commit, ..Options::default() }).unwrap();
    db.write(put("a")).unwrap();
    let outside = Connection::open(folder.path().join(FILE)).unwrap();
    assert_eq!(keys(&outside).unwrap(), ["a"]);
    drop(db);

    let moments = moments.lock().unwrap();
    let survived: Vec<_> = moments
        .iter()
        .map(|(moment, crashed)| (*moment, Db::open(crashed.path()).unwrap().read(keys).unwrap().len()))
        .collect();
    assert_eq!(survived, [(Moment::BeforeCommit, 0), (Moment::AfterCommit, 1)]);
}

#[test]
fn dropping_the_database_finishes_what_was_accepted_and_leaves_one_file() {
    let Still { db, release, _folder, .. } = still();
    for n in 0..50 {
        drop(db.post(put(&format!("{n:02}"))).unwrap());
    }
    // Another process has the file open, so SQLite's own checkpoint at the last close does not come.
    let outside = Connection::open(_folder.path().join(FILE)).unwrap();
    assert_eq!(keys(&outside).unwrap(), [""; 0]);
    drop(release);
    drop(db);
    // The file alone, without its log.
    let elsewhere = folder();
    fs::copy(_folder.path().join(FILE), elsewhere.path().join(FILE)).unwrap();
    assert_eq!(Db::open(elsewhere.path()).unwrap().read(keys).unwrap().len(), 51);
}

#[test]
fn a_panic_of_the_writer_itself_ends_the_process() {
    const NAME: &str = "a_panic_of_the_writer_itself_ends_the_process";
    const FOLDER: &str = "FOLDER_OF_THE_PANICKING_WRITER";
    if let Some(folder) = env::var_os(FOLDER) {
        let mut commits = 0;
        let on_commit = Box::new(move |moment, _: &[&'static str]| {
            commits += usize::from(moment == Moment::BeforeCommit);
            assert!(commits < 2, "the writer's own fault");
        });
        let db = Db::open_with(Path::new(&folder), Options { on_commit, ..Options::default() }).unwrap();
        db.write(put("acknowledged")).unwrap();
        let _ = db.write(put("under way"));
        return;
    }
    let folder = folder();
    let mut child = Command::new(env::current_exe().unwrap());
    let ended = child.args(["--exact", NAME]).env(FOLDER, folder.path()).output().unwrap().status;
    assert_eq!(ended.signal(), Some(6), "it aborted: {ended}");
    assert_eq!(Db::open(folder.path()).unwrap().read(keys).unwrap(), ["acknowledged"]);
}

#[test]
fn a_read_sees_one_moment() {
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    db.write(put("a")).unwrap();
    let (early, late) = db
        .read(|connection| {
            let early = keys(connection)?;
            db.write(put("b"))?;
            Ok((early, keys(connection)?))
        })
        .unwrap();
    assert_eq!((early.len(), late.len()), (1, 1));
    assert_eq!(db.read(keys).unwrap(), ["a", "b"]);
}

#[test]
fn readers_are_never_turned_away_and_never_see_half_a_change() {
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    let set = |round: u32| {
        move |tx: &Transaction<'_>| {
            let sql =
                "insert into setting (key, value) values (?1, ?2) on conflict do update set value = excluded.value";
            for key in ["left", "right"] {
                tx.execute(sql, (key, round.to_string())).during("set one side")?;
            }
            Ok(())
        }
    };
    let sides = |c: &Connection| {
        let side = |key: &str| c.query_row("select value from setting where key = ?1", [key], |row| row.get(0));
        let left: String = side("left").during("read the left side")?;
        Ok((left, side("right").during("read the right side")?))
    };
    db.write(set(0)).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while {
                    let (left, right) = db.read(sides).unwrap();
                    assert_eq!(left, right);
                    left != "200"
                } {}
            });
        }
        for round in 1..=200 {
            db.write(set(round)).unwrap();
        }
    });
}

#[test]
fn readers_neither_wait_for_the_writer_nor_write() {
    let Still { db, release, _folder, .. } = still();
    assert_eq!(db.read(keys).unwrap(), [""; 0], "the writer is in the middle of its transaction");
    drop(release);
    let error = db.read(|c| c.execute("delete from setting", []).map(drop).during("delete")).unwrap_err();
    assert!(matches!(error, Error::Sqlite { context: "delete", .. }), "{error:?}");
}

#[test]
fn every_connection_has_every_setting() {
    const NAMES: [&str; 7] =
        ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "temp_store", "trusted_schema", "query_only"];
    fn settings(connection: &Connection) -> Result<Vec<Value>, Error> {
        let ask = |name| connection.pragma_query_value(None, name, |row| row.get(0)).during("read a setting");
        NAMES.into_iter().map(ask).collect()
    }
    let expected = |query_only: i64| {
        let numbers = [2, 1, 5000, 2, 0, query_only].map(Value::Integer);
        [vec![Value::Text("wal".to_owned())], numbers.to_vec()].concat()
    };
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    assert_eq!(db.write(|tx| settings(tx)).unwrap(), expected(0));
    // Nested, so that these are three connections and not one three times.
    let readers = db.read(|a| db.read(|b| db.read(|c| Ok([settings(a)?, settings(b)?, settings(c)?])))).unwrap();
    for reader in readers {
        assert_eq!(reader, expected(1));
    }
    let count = "select count(*) from pragma_compile_options where compile_options = 'DEFAULT_MEMSTATUS=0'";
    let uncounted: i64 = db.read(|c| c.query_row(count, [], |row| row.get(0)).during("read a setting")).unwrap();
    assert_eq!(uncounted, 1, "threads do not wait for each other to count memory");
    let error = db
        .write(|tx| {
            tx.execute("insert into vendor (shop_domain, name, merchant_id) values ('a', 'b', 404)", [])
                .during("put a vendor")
        })
        .unwrap_err();
    assert!(matches!(error, Error::Constraint { rule: Rule::ForeignKey, .. }), "{error:?}");
}

#[test]
fn a_statement_that_is_kept_is_compiled_once() {
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    // SQLite takes a 1 for a value that stands in many rows, and would look for another plan with each new value.
    let question = "select id from document where order_id = ?1 order by id";
    let compiled_again = db.read(|c| {
        let mut statement = c.prepare(question).during("ask")?;
        for order in [1_i64, 2, 1, 3] {
            assert!(!statement.exists([order]).during("ask")?);
        }
        Ok(statement.get_status(StatementStatus::RePrepare))
    });
    assert_eq!(compiled_again.unwrap(), 0);
}

#[test]
fn errors_say_what_to_do_about_them() {
    let folder = folder();
    let db = Db::open(folder.path()).unwrap();
    let ask =
        |sql: &'static str| db.read(|c| c.query_row(sql, [], |row| row.get::<_, u8>(0)).during("ask")).unwrap_err();
    assert!(matches!(ask("select 1 where false"), Error::NotFound { context: "ask" }));
    assert!(matches!(ask("select 256"), Error::Unreadable { .. }));
    assert!(matches!(ask("select 'one'"), Error::Unreadable { .. }));
    assert!(matches!(ask("select nothing"), Error::Sqlite { .. }));
    assert!(matches!(Error::from(Full), Error::Full));
}

#[test]
fn a_second_server_is_refused_and_told_who_is_there() {
    let folder = folder();
    let lock = ServerLock::take(folder.path()).unwrap();
    let error = ServerLock::take(folder.path()).unwrap_err();
    let me = std::process::id();
    assert!(matches!(error, Error::Locked { pid: Some(pid), .. } if pid == me), "{error:?}");
    assert!(error.to_string().starts_with(&format!("Another server (process {me}) works on ")), "{error}");
    drop(lock);
    let _again = ServerLock::take(folder.path()).unwrap();
    Db::open(folder.path()).unwrap().read(keys).unwrap(); // the lock is the server's, not the database's
}

#[test]
fn a_missing_folder_is_not_made() {
    let folder = folder();
    let error = Db::open(&folder.path().join("typo")).map(drop).unwrap_err();
    assert!(matches!(&error, Error::Unusable { path, .. } if path.ends_with(Path::new("typo"))), "{error:?}");
    assert!(!folder.path().join("typo").exists());
    assert!(matches!(ServerLock::take(&folder.path().join("typo")), Err(Error::File { .. })));
}

#[test]
fn nobody_else_may_open_what_lies_in_the_folder() {
    let folder = folder();
    let _lock = ServerLock::take(folder.path()).unwrap();
    let db = Db::open(folder.path()).unwrap();
    db.write(put("a")).unwrap();
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let open: Vec<_> = files.filter(|file| fs::metadata(file).unwrap().permissions().mode() & 0o077 != 0).collect();
    assert!(open.is_empty(), "{open:?}");
}

/// A run that asked for a time that is over would be asked for again at once, and for ever.
#[test]
fn a_run_is_never_due_again_at_once() {
    let (now, gap) = (Timestamp::from_second(1_000).unwrap(), SignedDuration::from_secs(60));
    let (over, later) = (now - gap, now + SignedDuration::from_secs(1));
    for (again, expected) in [
        (Again::WhenAsked, Again::WhenAsked),
        (Again::At(later), Again::At(later)),
        (Again::NotBefore(later), Again::NotBefore(later)),
        (Again::At(now), Again::At(now + gap)),
        (Again::At(over), Again::At(now + gap)),
        (Again::NotBefore(over), Again::NotBefore(now + gap)),
    ] {
        assert_eq!(again.later_than(now, gap), expected, "{again:?}");
    }
}

//! The page of the server itself: what its owner reads there, and that nobody else does.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::fs;

use qantara::db::archive;
use qantara::db::user::Role;
use qantara::web::Received;
use web_world::World;

#[test]
fn the_owner_reads_of_backups_certificate_and_retention_and_nobody_else_does() {
    let folder = tempfile::TempDir::new().unwrap();
    let backups = folder.path().to_owned();
    let world = World::with(
        |config| {
            config.backup.folder = Some(backups.clone());
            config.retention.calls_days = 0;
            config.retention.bodies_days = 2;
        },
        Box::new(|_, _, _| Received::NotAuthentic),
    );
    world.add_user("ola", Role::Owner);
    assert_eq!((world.get("/server", "omar").status, world.get("/server", "vera").status), (403, 403));
    let first = world.get("/server", "ola").body;
    assert!(first.contains("None yet.") && first.contains("speaks plain HTTP"), "{first}");
    assert!(
        first.contains("after 2 days") && first.contains("never") && first.contains("retention.calls_days"),
        "{first}"
    );

    let name = archive::name("2026-11-01T03:00:00Z".parse().unwrap());
    let mut head = b"SQLite format 3\0".to_vec();
    head.resize(68, 0);
    head.extend(b"Qant");
    head.resize(3 * 512, 0);
    fs::write(folder.path().join(&name), &head).unwrap();
    fs::write(folder.path().join("qantara-20261101T030001Z.db"), "somebody else's").unwrap();
    world.sql("insert into setting (key, value) values ('backup_ok_at', '1793502000000')");
    let listed = world.get("/server", "ola").body;
    assert!(listed.contains(&name) && listed.contains("1.5 KiB") && listed.contains("2026-11-01 03:00:00"), "{listed}");
    assert!(!listed.contains("030001Z"), "what only has the name is no backup");

    fs::remove_dir_all(folder.path()).unwrap();
    assert!(world.get("/server", "ola").body.contains("folder of the backups cannot be read"));
}

#[test]
fn in_arabic_it_reads_from_right_to_left() {
    let world = World::new();
    world.add_user("ola", Role::Owner);
    world.sql("update user set language = 'ar'");
    let page = world.get("/server", "ola").body;
    assert!(page.contains("dir=\"rtl\"") && page.contains("النسخ الاحتياطية") && page.contains("بعد 90 يومًا"), "{page}");
}

//! Pages that say why there is no other: a cause, a next step and a way on, in the reader's language and with the menu.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use web_world::{Answer, PASSWORD, World, basic};

/// Where the one button of the page leads.
fn way_on(answer: &Answer) -> &str {
    let (before, _) = answer.body.split_once("</main>").unwrap();
    let (_, main) = before.split_once("<main").unwrap();
    let links: Vec<&str> = main.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let [only] = links.as_slice() else { panic!("{links:?}: {main}") };
    only
}

#[test]
fn every_problem_has_a_way_on_that_is_there() {
    let world = World::new();
    world.add_order();
    world.add_user("ola", Role::Owner);
    for (path, user, status, wanted) in [
        ("/nowhere", "vera", 404, "/"),
        ("/orders/99", "vera", 404, "/"),
        ("/merchants/nobody", "vera", 404, "/merchants"),
        ("/merchants/nobody/daftra", "ola", 404, "/merchants"),
        ("/merchants/noon/daftra", "vera", 403, "/merchants/noon"),
        ("/users", "omar", 403, "/"),
        ("/users/99", "ola", 404, "/users"),
        ("/orders/1/note", "vera", 405, "/orders/1"),
        ("/merchants/noon/secret", "ola", 405, "/merchants/noon"),
        ("/users/1/rights", "vera", 405, "/"),
    ] {
        let answer = world.get(path, user);
        assert_eq!((answer.status, way_on(&answer)), (status, wanted), "{path} of {user}");
        assert_eq!(world.get(wanted, user).status, 200, "{wanted} for {user}");
        assert!(answer.body.contains("<nav"), "{path}: whoever is signed in keeps the menu");
    }
}

#[test]
fn what_may_pass_offers_the_same_page_once_more() {
    let world = World::new();
    let unsigned = world.send("GET /log?q=1", &[("Accept-Language", "ar")], "");
    assert_eq!((unsigned.status, way_on(&unsigned)), (401, "/log"));
    assert!(unsigned.body.contains("تسجيل الدخول") && unsigned.body.contains("dir=\"rtl\""));
    let style = unsigned.body.split("<link rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(world.send(&format!("GET {style}"), &[], "").status, 200, "it is read with its style");
    let guess = || world.send("GET /log", &[("Authorization", &basic("vera", "no"))], "");
    let waits = std::iter::repeat_with(guess).take(20).find(|answer| answer.status == 429).unwrap();
    assert_eq!(way_on(&waits), "/log");
    assert!(waits.body.contains("Wait 1 second and"), "{}", waits.body);
}

#[test]
fn what_is_not_there_is_told_in_the_language_of_the_account() {
    let world = World::new();
    world.sql("update user set language = 'ar'");
    for path in ["/nowhere", "/orders/7", "/me/password"] {
        let answer = world.get(path, "vera");
        assert!(answer.body.contains("<html lang=\"ar\" dir=\"rtl\">"), "{path}: {}", answer.body);
        assert!(answer.body.contains("نظرة عامة"), "{path}: the menu");
    }
}

#[test]
fn a_form_without_its_mark_says_that_nothing_was_changed() {
    let world = World::new();
    world.add_order();
    let headers = [("Authorization", &*basic("omar", PASSWORD)), ("Sec-Fetch-Site", "same-origin")];
    let stale = world.send("POST /orders/1/note", &headers, "note=hello");
    assert_eq!((stale.status, way_on(&stale)), (403, "/orders/1"));
    assert!(stale.body.contains("Nothing was changed"), "{}", stale.body);
    let large = format!("note={}", "x".repeat(1024 * 1024));
    let large = world.send("POST /orders/1/note", &headers, &large);
    assert_eq!((large.status, way_on(&large)), (413, "/orders/1"));
    assert!(world.desk.wishes().is_empty());
}

//! Signing in, staying signed in, and changing things: each rule over real HTTP.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::tally;
use qantara::db::user::{self, Role};
use qantara::vault::hash_password;
use secrecy::SecretString;
use web_world::{Answer, PASSWORD, World, basic};

const WRONG: &str = "wrong horse";
/// Failures that cost nothing.
const FREE: usize = 5;
const HOUR: i64 = 3_600;

fn retry(world: &World, user: &str, order: i64, token: &str, headers: &[(&str, &str)]) -> Answer {
    let login = basic(user, PASSWORD);
    let headers = [&[("Authorization", login.as_str())], headers].concat();
    world.send(&format!("POST /orders/{order}/retry"), &headers, &format!("token={token}"))
}

#[test]
fn only_a_known_name_with_its_password_gets_in() {
    let world = World::new();
    assert_eq!(world.login("vera", PASSWORD), 200);
    for header in [
        basic("vera", WRONG),
        basic("vera", ""),
        basic("nobody", PASSWORD),
        basic("Vera", PASSWORD),
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        "Basic dmVyYQ==".to_owned(), // no colon
        "Bearer dmVyYTpjb3JyZWN0IGhvcnNl".to_owned(),
    ] {
        let answer = world.send("GET /", &[("Authorization", &header)], "");
        assert_eq!(answer.status, 401, "{header}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm=\"Qantara\""), "{challenge}");
    }
    assert_eq!(world.send("GET /", &[], "").status, 401);
}

#[test]
fn after_some_failures_a_name_waits_and_the_wait_ends_and_grows() {
    let world = World::new();
    for _ in 0..FREE {
        assert_eq!(world.login("vera", WRONG), 401);
    }
    let throttled = world.get("/", "vera");
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("1")), "also with the right password");
    assert_eq!(world.login("omar", PASSWORD), 200, "another name is not delayed");

    world.advance(1);
    assert_eq!(world.login("vera", WRONG), 401);
    assert_eq!(world.get("/", "vera").header("retry-after"), Some("2"), "the sixth failure waits twice as long");
    world.advance(2);
    assert_eq!(world.login("vera", PASSWORD), 200);
    for _ in 0..FREE {
        assert_eq!(world.login("vera", WRONG), 401, "success forgives what was before");
    }
}

#[test]
fn an_unknown_name_is_delayed_like_a_known_one() {
    let world = World::new();
    let answers: Vec<u16> = (0..=FREE).map(|_| world.login("nobody", WRONG)).collect();
    assert_eq!(answers, [401, 401, 401, 401, 401, 429]);
}

#[test]
fn a_proven_header_is_never_delayed_and_old_failures_are_forgotten() {
    let world = World::new();
    assert_eq!(world.login("vera", PASSWORD), 200);
    for _ in 0..FREE {
        assert_eq!(world.login("vera", WRONG), 401);
    }
    assert_eq!(world.login("vera", WRONG), 429);
    assert_eq!(world.login("vera", PASSWORD), 200, "this header was proven before");
    world.advance(HOUR);
    for _ in 0..FREE {
        assert_eq!(world.login("vera", WRONG), 401);
    }
}

#[test]
fn a_proof_ends_after_five_minutes() {
    let world = World::new();
    assert_eq!(world.login("vera", PASSWORD), 200);
    for _ in 0..FREE {
        assert_eq!(world.login("vera", WRONG), 401);
    }
    world.advance(299);
    assert_eq!(world.login("vera", WRONG), 401, "the sixth failure: two seconds");
    assert_eq!(world.login("vera", PASSWORD), 200, "remembered");
    world.advance(1);
    assert_eq!(world.login("vera", PASSWORD), 429, "not any more, so the delay of its name counts");
}

#[test]
fn failures_count_by_network() {
    let world = World::with(
        |config| config.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()],
        Box::new(|_, _, _| qantara::web::Received::Busy),
    );
    let from = |address: &str, password: &str| {
        let headers = [("Authorization", &*basic("vera", password)), ("X-Forwarded-For", address)];
        world.send("GET /", &headers, "").status
    };
    for last in 0..FREE {
        assert_eq!(from(&format!("203.0.113.{last}"), WRONG), 401);
    }
    assert_eq!(from("203.0.113.200", PASSWORD), 429, "a neighbour in the same /24");
    assert_eq!(from("::ffff:203.0.113.9", PASSWORD), 429, "the same in IPv6 clothes");
    assert_eq!(
        from("198.51.100.7, 203.0.113.9", PASSWORD),
        429,
        "the right-most hop counts, not what a client invents"
    );
    for last in 0..FREE {
        assert_eq!(from(&format!("[2001:db8:0:1::{last}]:4711"), WRONG), 401);
    }
    assert_eq!(from("2001:db8:0:1:ffff::1", PASSWORD), 429, "a neighbour in the same /64");
    assert_eq!(from("203.0.114.1", PASSWORD), 200);

    world.db.write(|_| Ok(())).unwrap(); // behind the counts, which nobody waits for
    let counted = world.db.read(|c| tally::all(c, tally::Kind::Login)).unwrap();
    assert_eq!(counted, [("2001:db8:0:1::/64".to_owned(), 5), ("203.0.113.0/24".to_owned(), 5)]);
}

#[test]
fn what_a_stranger_says_of_its_address_is_not_believed() {
    let world = World::new();
    for last in 0..FREE {
        let headers = [("Authorization", &*basic("vera", WRONG)), ("X-Forwarded-For", &*format!("10.0.{last}.1"))];
        assert_eq!(world.send("GET /", &headers, "").status, 401);
    }
    assert_eq!(world.login("vera", PASSWORD), 429);
}

#[test]
fn a_changed_password_or_a_disabled_account_ends_a_proof_at_once() {
    let world = World::new();
    assert_eq!(world.login("vera", PASSWORD), 200);
    let new = hash_password(&SecretString::from("battery staple"));
    world.db.write(move |tx| user::set_password(tx, "vera", &new)).unwrap();
    assert_eq!(world.login("vera", PASSWORD), 401);
    assert_eq!(world.login("vera", "battery staple"), 200);

    world.sql("update user set disabled_at = 1 where name = 'vera'");
    assert_eq!(world.login("vera", "battery staple"), 401);
    world.sql("update user set disabled_at = null where name = 'vera'");
    assert_eq!(world.login("vera", "battery staple"), 200);
}

#[test]
fn a_user_made_again_under_the_same_name_is_another_one() {
    let world = World::new();
    world.add_user("temp", Role::Viewer);
    assert_eq!(world.login("temp", PASSWORD), 200);
    world.sql("delete from user where name = 'temp'");
    assert_eq!(world.login("temp", PASSWORD), 401);
}

#[test]
fn an_operator_changes_things_from_our_own_page_only() {
    let world = World::new();
    world.add_order();
    let token = world.get("/orders/1", "omar").token();
    let same = [("Sec-Fetch-Site", "same-origin")];
    let origin = [("Origin", "http://qantara.test")];

    let done = retry(&world, "omar", 1, &token, &same);
    assert_eq!((done.status, done.header("location")), (303, Some("/orders/1?said=looks_again")));
    assert_eq!(retry(&world, "omar", 1, &token, &origin).status, 303, "an older browser");
    assert_eq!(world.desk.wishes(), [(Some(2), "order_retry".to_owned()), (Some(2), "order_retry".to_owned())]);

    let refused: [&[(&str, &str)]; 7] = [
        &[],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://qantara.test")],
        &[("Origin", "null")],
        &[("Origin", "http://evil.test")],
    ];
    for headers in refused {
        assert_eq!(retry(&world, "omar", 1, &token, headers).status, 403, "{headers:?}");
    }
    assert_eq!(world.desk.wishes().len(), 2);
}

#[test]
fn the_public_address_is_our_origin_behind_a_proxy() {
    let world = World::with(
        |config| config.http.public_address = Some("https://orders.example.com".to_owned()),
        Box::new(|_, _, _| qantara::web::Received::Busy),
    );
    world.add_order();
    let token = world.get("/orders/1", "omar").token();
    assert_eq!(retry(&world, "omar", 1, &token, &[("Origin", "https://orders.example.com")]).status, 303);
    assert_eq!(retry(&world, "omar", 1, &token, &[("Origin", "http://orders.example.com")]).status, 403);
}

#[test]
fn a_form_token_is_for_one_person_one_form_and_two_days() {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    let same = [("Sec-Fetch-Site", "same-origin")];
    let token = world.get("/orders/1", "omar").token();
    for (why, user, order, token) in [
        ("none", "omar", 1, ""),
        ("nonsense", "omar", 1, "x"),
        ("another person's", "olga", 1, &*token),
        ("another form's", "omar", 2, &*token),
    ] {
        assert_eq!(retry(&world, user, order, token, &same).status, 403, "{why}");
    }
    world.advance(15 * HOUR); // midnight: yesterday's
    assert_eq!(retry(&world, "omar", 1, &token, &same).status, 303);
    world.advance(24 * HOUR);
    assert_eq!(retry(&world, "omar", 1, &token, &same).status, 403);
    let owners = world.get("/orders/1", "olga").token();
    assert_eq!(retry(&world, "olga", 1, &owners, &same).status, 303, "an owner is an operator");
}

#[test]
fn a_role_counts_as_it_is_now() {
    let world = World::new();
    world.add_order();
    let same = [("Sec-Fetch-Site", "same-origin")];
    assert!(!world.get("/orders/1", "vera").body.contains("<form"), "no button that would be refused");
    let token = world.get("/orders/1", "omar").token();
    world.sql("update user set role = 'viewer' where name = 'omar'");
    assert_eq!(retry(&world, "omar", 1, &token, &same).status, 403);
    world.sql("update user set role = 'operator' where name = 'omar'");
    assert_eq!(retry(&world, "omar", 1, &token, &same).status, 303);
}

#[test]
fn many_requests_at_once_with_one_new_header_all_get_in() {
    let world = World::new();
    std::thread::scope(|scope| {
        let tabs: Vec<_> = (0..12).map(|_| scope.spawn(|| world.login("vera", PASSWORD))).collect();
        for tab in tabs {
            assert_eq!(tab.join().unwrap(), 200);
        }
    });
}

#[test]
fn guesses_sent_at_once_are_counted_one_by_one() {
    let world = World::new();
    let guesses = std::thread::scope(|scope| {
        let world = &world;
        let guesses: Vec<_> =
            (0..12).map(|n| scope.spawn(move || world.login("vera", &format!("guess {n}")))).collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(guesses.iter().filter(|status| **status == 401).count(), FREE, "{guesses:?}");
}

//! What operators watch: figures in the text format of Prometheus, read by a strict reader of our own; the probes; the page
//! of the alerts; the id of each request.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use qantara::db::alert::{self, Cause};
use qantara::db::setting;
use qantara::db::user::Role;
use qantara::web::Received;
use web_world::{Answer, PASSWORD, START, World, basic, read, send};

/// One family: its type, and its samples by name and labels.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    samples: BTreeMap<(String, BTreeMap<String, String>), String>,
}

/// Reads the text as a scraper does, and refuses what the format does not allow.
fn parse(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line ends, too");
    let mut families = BTreeMap::<String, Family>::new();
    let (mut help, mut open) = (None, String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, words) = rest.split_once(' ').unwrap();
            assert!(is_name(name) && words.len() > 5, "{line}");
            assert!(help.replace(name.to_owned()).is_none(), "two helps in a row: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(help.take().as_deref(), Some(name), "help stands before the type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!((kind == "counter") == name.ends_with("_total"), "{line}");
            let family = Family { kind: kind.to_owned(), ..Family::default() };
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} twice");
            name.clone_into(&mut open);
        } else {
            let (name, labels, value) = sample(line);
            let family = families.get_mut(&open).unwrap_or_else(|| panic!("no family yet: {line}"));
            let ends = if family.kind == "histogram" { &["_bucket", "_sum", "_count"][..] } else { &[""][..] };
            assert!(ends.iter().any(|end| name == format!("{open}{end}")), "{line} is not of {open}");
            let is_number = value.strip_prefix('-').unwrap_or(&value).bytes().all(|b| b.is_ascii_digit() || b == b'.');
            assert!(is_number && !value.is_empty() && value.matches('.').count() < 2, "{line}");
            assert!(family.samples.insert((name, labels), value).is_none(), "twice: {line}");
        }
    }
    for (name, family) in &families {
        assert!(!family.samples.is_empty(), "{name} has no samples");
        if family.kind == "histogram" {
            check_histogram(name, family);
        }
    }
    families
}

/// `name{label="value",…} 1.5`, with the three escapes that a value may have.
fn sample(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (head, value) = line.rsplit_once(' ').unwrap();
    let Some((name, rest)) = head.split_once('{') else {
        assert!(is_name(head), "{line}");
        return (head.to_owned(), BTreeMap::new(), value.to_owned());
    };
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    let mut rest = rest.strip_suffix('}').unwrap();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").unwrap();
        assert!(is_name(label) && !label.contains(':'), "{line}");
        let mut text = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().unwrap_or_else(|| panic!("no end: {line}")) {
                (end, '"') => break end,
                (_, '\\') => match letters.next().unwrap().1 {
                    'n' => text.push('\n'),
                    escaped @ ('\\' | '"') => text.push(escaped),
                    other => panic!("\\{other} is no escape: {line}"),
                },
                (_, letter) => text.push(letter),
            }
        };
        assert!(labels.insert(label.to_owned(), text).is_none(), "{label} twice: {line}");
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    (name.to_owned(), labels, value.to_owned())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
}

/// Steps rise, do not fall in count, end with all there are, and each series has its sum and its number.
fn check_histogram(name: &str, family: &Family) {
    let mut series = BTreeMap::<BTreeMap<String, String>, Vec<(u64, u64)>>::new();
    for ((sample, labels), value) in &family.samples {
        if sample.ends_with("_bucket") {
            let mut labels = labels.clone();
            let bound = labels.remove("le").unwrap();
            let bound = if bound == "+Inf" { u64::MAX } else { bound.replace('.', "").parse().unwrap() };
            series.entry(labels).or_default().push((bound, value.parse().unwrap()));
        }
    }
    assert!(!series.is_empty(), "{name}");
    for (labels, mut steps) in series {
        steps.sort_unstable();
        assert!(steps.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name}: {steps:?}");
        let (last, all) = *steps.last().unwrap();
        assert_eq!(last, u64::MAX, "{name}");
        assert_eq!(family.samples[&(format!("{name}_count"), labels.clone())], all.to_string());
        assert!(family.samples.contains_key(&(format!("{name}_sum"), labels)));
    }
}

/// `tests/all` names Prometheus' own tool: it judges the same text, names and help included.
fn judged_by_prometheus(text: &str) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let Some(tool) = std::env::var_os("QANTARA_PROMTOOL") else { return };
    let mut judge = Command::new(tool).args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    judge.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(judge.wait().unwrap().success(), "{text}");
}

/// From this machine, by this name, with these headers more.
fn scrape(world: &World, host: &str, more: &[(&str, &str)]) -> Answer {
    use std::io::Write as _;
    let mut stream = world.connect();
    let more: String = more.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").unwrap();
    read(&mut stream)
}

fn value<'a>(families: &'a BTreeMap<String, Family>, name: &str, labels: &[(&str, &str)]) -> Option<&'a str> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let family = name.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum");
    families.get(family)?.samples.get(&(name.to_owned(), labels)).map(String::as_str)
}

#[test]
fn the_figures_are_those_of_the_database_and_of_the_process() {
    let world = World::new();
    world.add_order();
    world.sql(
        "update account set address = 'http://odd.example/\"a\\b\"' || char(10), not_before = 1795165200000 + 90000000;
         update document set state = 'in_doubt', remote_id = null, written = null, since_at = 1795165200000 - 3600000,
           look_at = 1795165200000 where parent_id is null;
         insert into alert (cause, subject, opened_at, seen_at) values ('outage', 'account 1', 0, 0);
         insert into job (kind, subject, merchant_id, due_at) values ('order', 1, 1, 1795165200000 - 61500),
           ('account', 1, 1, 1795165200000 - 2000);",
    );
    let now = START.parse().unwrap();
    world.db.write(move |tx| setting::set_time(tx, setting::HEARTBEAT, now)).unwrap();
    world.db.write(move |tx| setting::set_time(tx, setting::BACKUP_OK, now)).unwrap();
    world.vitals.certify(Some(now + SignedDuration::from_hours(48)));
    world.vitals.calls.note(["create", "answered"], SignedDuration::from_millis(250));
    world.vitals.calls.note(["create", "answered"], SignedDuration::from_millis(251));
    world.vitals.calls.note(["look_up", "unknown"], SignedDuration::from_secs(99));
    world.vitals.hear("http://odd.example/\"a\\b\"\n", now - SignedDuration::from_millis(1_500));
    world.room.store(5_000, Ordering::SeqCst);
    world.advance(2);

    let answer = scrape(&world, "127.0.0.1:9", &[]);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    let found = parse(&answer.body);
    judged_by_prometheus(&answer.body);
    let odd = "http://odd.example/\"a\\b\"\n";
    for (name, labels, expected) in [
        ("qantara_orders", &[("merchant", "noon"), ("state", "held")][..], "1"),
        ("qantara_orders", &[("merchant", "noon"), ("state", "settled")], "0"),
        ("qantara_outcomes_total", &[("merchant", "noon"), ("status", "success")], "1"),
        ("qantara_documents_unsettled", &[("state", "in_doubt")], "1"),
        ("qantara_in_doubt_age_seconds", &[], "3602.000"),
        ("qantara_queue_depth", &[("kind", "order")], "1"),
        ("qantara_queue_age_seconds", &[("kind", "order")], "63.500"),
        ("qantara_queue_depth", &[("kind", "account")], "1"),
        ("qantara_queue_age_seconds", &[("kind", "account")], "4.000"),
        ("qantara_merchant_queue_age_seconds", &[("merchant", "noon")], "63.500"),
        ("qantara_merchant_hold_age_seconds", &[("merchant", "noon")], "2.000"),
        ("qantara_merchant_trouble", &[("merchant", "noon")], "1"),
        ("qantara_merchant_works", &[("merchant", "noon")], "1"),
        ("qantara_account_paused_seconds", &[("account", odd)], "89998.000"),
        ("qantara_account_out", &[("account", odd)], "1"),
        ("qantara_account_clock_ahead_seconds", &[("account", odd)], "-1.500"),
        ("qantara_alerts", &[("cause", "trouble")], "1"),
        ("qantara_alerts", &[("cause", "backup")], "0"),
        ("qantara_notices_waiting", &[("channel", "telegram")], "0"),
        ("qantara_heartbeat_age_seconds", &[], "2.000"),
        ("qantara_backup_age_seconds", &[], "2.000"),
        ("qantara_certificate_left_seconds", &[], "172798.000"),
        ("qantara_start_time_seconds", &[], "1795165200.000"),
        ("qantara_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1"),
        ("qantara_disk_free_bytes", &[], "5000"),
        ("qantara_disk_full", &[], "1"),
        (
            "qantara_daftra_call_duration_seconds_bucket",
            &[("action", "create"), ("outcome", "answered"), ("le", "0.250")],
            "1",
        ),
        ("qantara_daftra_call_duration_seconds_sum", &[("action", "create"), ("outcome", "answered")], "0.501"),
        (
            "qantara_daftra_call_duration_seconds_bucket",
            &[("action", "look_up"), ("outcome", "unknown"), ("le", "30.000")],
            "0",
        ),
        ("qantara_daftra_call_duration_seconds_count", &[("action", "look_up"), ("outcome", "unknown")], "1"),
    ] {
        assert_eq!(value(&found, name, labels), Some(expected), "{name} {labels:?} in\n{}", answer.body);
    }
    let size = value(&found, "qantara_database_size_bytes", &[("file", "database")]).unwrap();
    assert!(size.parse::<u64>().unwrap() >= 4_096, "{size}");
    // Causes, states and statuses are ours, merchants and accounts an owner's; nothing else makes series.
    let labels: BTreeSet<&str> = found
        .values()
        .flat_map(|family| family.samples.keys())
        .flat_map(|(_, labels)| labels.keys())
        .map(String::as_str)
        .collect();
    let known = [
        "account", "action", "cause", "channel", "file", "kind", "le", "merchant", "outcome", "state", "status",
        "version",
    ];
    assert!(labels.iter().all(|label| known.contains(label)), "{labels:?}");
}

#[test]
fn an_empty_installation_has_figures_too() {
    let world = World::new();
    let found = parse(&scrape(&world, "localhost:1", &[]).body);
    assert!(found.contains_key("qantara_build_info") && !found.contains_key("qantara_orders"));
}

#[test]
fn how_long_webhooks_take_is_counted_by_how_they_end() {
    let answers = Arc::new(Mutex::new(vec![
        Received::Busy,
        Received::NotAuthentic,
        Received::Pending(Box::pin(async { Err(()) })),
        Received::Pending(Box::pin(async { Ok(()) })),
    ]));
    let world = World::with(|_| {}, Box::new(move |_, _, _| answers.lock().unwrap().pop().unwrap()));
    let told: Vec<u16> = (0..4).map(|_| world.send("POST /webhook/noon", &[], "{}").status).collect();
    assert_eq!(told, [200, 503, 401, 503]);
    let found = parse(&scrape(&world, "[::1]:443", &[]).body);
    for (outcome, count) in [("kept", "1"), ("not_authentic", "1"), ("busy", "2")] {
        assert_eq!(
            value(&found, "qantara_intake_duration_seconds_count", &[("outcome", outcome)]),
            Some(count),
            "{outcome}"
        );
    }
}

#[test]
fn only_this_machine_itself_needs_no_password_for_the_figures() {
    let world = World::new();
    for host in ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]", "[::1]:8080"] {
        assert_eq!(scrape(&world, host, &[]).status, 200, "{host}");
    }
    // A page of strangers, or a name that leads here, is not this machine; nor is who comes through a proxy.
    for host in ["orders.example.com", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""] {
        assert_eq!(scrape(&world, host, &[]).status, 401, "{host}");
    }
    for header in ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"] {
        assert_eq!(scrape(&world, "127.0.0.1", &[(header, "127.0.0.1")]).status, 401, "{header}");
    }
    let mut sent = world.connect();
    send(&mut sent, "POST /metrics", &[("Authorization", &basic("omar", PASSWORD))], "");
    assert_eq!(read(&mut sent).status, 405);
    assert_eq!(world.get("/metrics", "omar").status, 200);
    assert_eq!(world.get("/metrics", "vera").status, 403);
    world.add_order();
    world.add_user("lina", Role::Operator);
    world.limit("lina", &[1]);
    assert_eq!(world.get("/metrics", "lina").status, 404, "the figures are everybody's");

    // We listen where only this machine can come from, and the public has a way to us: somebody hands it on in silence.
    let hidden = World::with(
        |config| config.http.public_address = Some("https://orders.example.com".into()),
        Box::new(|_, _, _| Received::Busy),
    );
    assert_eq!(scrape(&hidden, "127.0.0.1", &[]).status, 401);
    // One that is named and says nothing either, wherever we listen.
    let named = |config: &mut qantara::config::Config| {
        config.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    };
    let behind = World::with(named, Box::new(|_, _, _| Received::Busy));
    assert_eq!(scrape(&behind, "127.0.0.1:8080", &[]).status, 401);
}

#[test]
fn every_answer_names_its_request() {
    let world = World::new();
    let ids: Vec<String> = ["GET /livez", "GET /", "POST /webhook", "GET /nowhere", "GET /static/x"]
        .iter()
        .map(|line| world.send(line, &[("X-Request-Id", "mine")], "").header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    let (run, _) = ids[0].split_once('-').unwrap();
    assert!(run.len() == 8 && ids.iter().all(|id| id.starts_with(run)), "{ids:?}");
}

#[test]
fn a_server_that_cannot_do_its_work_is_not_ready() {
    let world = World::new();
    world.add_order();
    let ready = || world.send("GET /readyz", &[], "").status;
    assert_eq!(ready(), 200);

    // The disk is nearly full, and has room again: with a gap, or it would be both in turns.
    let least = 256 << 20;
    for (free, status) in [(least - 1, 503), (least + least / 8, 503), (least + least / 4, 200), (least, 200)] {
        world.room.store(free, Ordering::SeqCst);
        world.advance(2);
        assert_eq!(ready(), status, "{free} bytes");
    }

    // Three heartbeats stayed away.
    let now = world.vitals.now();
    world.db.write(move |tx| setting::set_time(tx, setting::HEARTBEAT, now)).unwrap();
    world.advance(180);
    assert_eq!(ready(), 200);
    world.advance(1);
    assert_eq!(ready(), 503);
    world.sql("delete from setting");
    assert_eq!(ready(), 200);

    // An order is due for longer than it may be, and none of its account was begun.
    world.sql("insert into job (kind, subject, merchant_id, due_at) values ('order', 1, 1, 1795165200000)");
    assert_eq!(ready(), 200);
    world.advance(900);
    assert_eq!(ready(), 503);
    for excused in [
        "update merchant set mode = 'paused'",
        "update merchant set not_before = 1999999999999",
        "update account set not_before = 1999999999999",
        "update account set served_at = 1795165900000",
        "update job set running_since = 1",
        "update job set due_at = null",
    ] {
        world.sql(excused);
        assert_eq!(ready(), 200, "{excused}");
        world.sql(
            "update merchant set mode = 'live', not_before = 0; update account set not_before = 0, served_at = 0;
             update job set running_since = null, due_at = 1795165200000",
        );
        assert_eq!(ready(), 503, "after {excused}");
    }
    assert_eq!(world.send("GET /livez", &[], "").status, 200, "it lives all the same");
}

#[test]
fn the_page_of_the_alerts_shows_open_ones_first_and_then_the_past_page_by_page() {
    let world = World::new();
    world.add_user("olga", Role::Owner);
    let empty = world.get("/alerts", "vera").body;
    assert!(empty.contains("Nothing is wrong at the moment.") && empty.contains("There were no alerts before."));
    world.add_order();
    world.sql("update alert set closed_at = 1795165300000");
    let now = START.parse().unwrap();
    world
        .db
        .write(move |tx| {
            for cause in Cause::ALL {
                alert::raise(tx, cause, "merchant 1", Some(1), now)?;
            }
            alert::raise(tx, Cause::Disk, "server", None, now)?;
            alert::raise(tx, Cause::Outage, "account 1", None, now)
        })
        .unwrap();
    world.sql(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 150)
         insert into alert (cause, subject, merchant_id, opened_at, seen_at, closed_at)
         select 'outage', 'account ' || (i + 100), null, i * 1000, i * 1000, i * 1000 + 500 from n",
    );
    for (lang, first) in [("en", "Open alerts"), ("ar", "التنبيهات")] {
        world.sql(if lang == "en" { "update user set language = 'en'" } else { "update user set language = 'ar'" });
        let page = world.get("/alerts", "vera").body;
        assert!(lang == "ar" && page.contains(first) || page.contains("The disk is nearly full"), "{page}");
        let (open, past) = page.split_once("id=\"rows\"").unwrap();
        assert_eq!(open.matches("<li class=\"banner warn\"").count(), Cause::ALL.len() + 2);
        assert_eq!(past.matches("<tr>").count(), 101, "a heading and a page of rows");
        // A merchant by its name, an account by its address, the server by nothing.
        assert!(open.contains("&lt;b&gt;Noon&lt;/b&gt; نون") && open.contains("https://noon.daftra.com"), "{open}");
        assert!(!open.contains(">server<") && !open.contains(">account 1<"), "{open}");
    }
    world.sql("update user set language = 'en'");
    let page = world.get("/alerts", "vera").body;
    let older = page.split("href=\"/alerts?before=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let second = world.get(&format!("/alerts?before={older}"), "vera").body;
    assert_eq!(second.matches("<tr>").count(), 1 + 51, "the rest, and the one of the merchant");
    assert!(!second.contains("banner warn") && second.contains("href=\"/alerts\">Open alerts"), "{second}");
    assert_eq!(world.get("/alerts?before=x", "vera").status, 404);

    // Whoever is limited sees what concerns their merchants.
    world.sql(
        "insert into merchant (slug, key, name, shop_domain, time_zone, rules, created_at)
         select 'souq', 'k2', 'Souq', 'souq.myshopify.com', time_zone, rules, 0 from merchant",
    );
    world.limit("vera", &[2]);
    let page = world.get("/alerts", "vera").body;
    assert!(page.contains("Nothing is wrong") && page.contains("no alerts before"), "{page}");
    world.limit("vera", &[1]);
    let page = world.get("/alerts", "vera").body;
    assert_eq!(page.matches("<li class=\"banner warn\"").count(), Cause::ALL.len());
    assert!(!page.contains("account 1"), "{page}");
}

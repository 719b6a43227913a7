//! The server as a browser and a shop see it: limits, webhooks, addresses, pages, stopping.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use hyper::Method;
use qantara::config::Config;
use qantara::db::user::Role;
use qantara::web::Received;
use qantara::web::route::{ROUTES, Route};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring, version};
use web_world::{Answer, PASSWORD, Script, World, basic, read, send};

const MAX_BODY: usize = 64 * 1024;

/// What an operator's browser sends with a form of ours.
fn of_omar(login: &str) -> [(&str, &str); 2] {
    [("Authorization", login), ("Sec-Fetch-Site", "same-origin")]
}

fn pending(outcome: Result<(), ()>) -> Received {
    Received::Pending(Box::pin(async move { outcome }))
}

fn taking() -> Script {
    Box::new(|_, _, _| pending(Ok(())))
}

fn limited(config: &mut Config) {
    config.http.max_body_bytes = MAX_BODY;
}

#[test]
fn a_webhook_reaches_the_door_whole() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let script: Script = Box::new(move |slug, headers, body| {
        let hmac = headers.iter().find(|(name, _)| name == "x-shopify-hmac-sha256").map(|(_, value)| value.clone());
        notes.lock().unwrap().push((slug.map(str::to_owned), hmac, body));
        pending(Ok(()))
    });
    let world = World::with(limited, script);
    let largest = "x".repeat(MAX_BODY);
    for (line, body) in [("POST /webhook", "{\"a\": 1}"), ("POST /webhook/noon", &largest), ("POST /webhook", "")] {
        let answer = world.send(line, &[("X-Shopify-Hmac-Sha256", "c2lnbg==")], body);
        assert_eq!((answer.status, &*answer.body), (200, ""));
    }
    let hmac = Some("c2lnbg==".to_owned());
    let expected = [
        (None, hmac.clone(), b"{\"a\": 1}".to_vec()),
        (Some("noon".to_owned()), hmac.clone(), largest.into_bytes()),
        (None, hmac, Vec::new()),
    ];
    assert!(*seen.lock().unwrap() == expected);
}

#[test]
fn the_sender_hears_what_became_of_it_and_nothing_more() {
    let outcomes = Mutex::new(vec![pending(Err(())), Received::NotAuthentic, Received::Busy].into_iter());
    let world = World::with(limited, Box::new(move |_, _, _| outcomes.lock().unwrap().next().unwrap()));
    let answers: Vec<Answer> = (0..3).map(|_| world.send("POST /webhook/noon", &[], "{}")).collect();
    let told: Vec<_> =
        answers.iter().map(|answer| (answer.status, answer.header("retry-after"), &*answer.body)).collect();
    assert_eq!(told, [(503, Some("5"), ""), (401, None, ""), (503, Some("5"), "")]);
}

#[test]
fn done_is_not_said_before_it_is_done() {
    let (told, hears) = channel::<Sender<()>>();
    let script: Script = Box::new(move |_, _, _| {
        let (finish, finished) = channel();
        told.send(finish).unwrap();
        Received::Pending(Box::pin(async move {
            tokio::task::spawn_blocking(move || finished.recv().map_err(drop)).await.unwrap()
        }))
    });
    let world = World::with(limited, script);
    let mut stream = world.connect();
    send(&mut stream, "POST /webhook", &[], "{}");
    let finish = hears.recv().unwrap();
    stream.set_nonblocking(true).unwrap();
    let early = stream.read(&mut [0]).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock, "not yet");
    stream.set_nonblocking(false).unwrap();
    finish.send(()).unwrap();
    assert_eq!(read(&mut stream).status, 200);
}

#[test]
fn a_body_too_large_is_refused_by_its_announcement_or_on_the_way() {
    let world = World::with(limited, taking());
    let mut announced = world.connect();
    announced.write_all(b"POST /webhook HTTP/1.1\r\nHost: q\r\nContent-Length: 65537\r\n\r\n").unwrap();
    assert_eq!(read(&mut announced).status, 413, "not a byte of the body was needed");

    let mut streamed = world.connect();
    streamed.write_all(b"POST /webhook HTTP/1.1\r\nHost: q\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n").unwrap();
    streamed.write_all(&vec![b'x'; MAX_BODY + 1]).unwrap();
    assert_eq!(read(&mut streamed).status, 413);
}

#[test]
fn a_slow_body_and_a_silent_connection_are_given_up() {
    let world = World::with(|config| config.http.read_timeout_ms = 100, taking());
    let mut slow = world.connect();
    slow.write_all(b"POST /webhook HTTP/1.1\r\nHost: q\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
    assert_eq!(read(&mut slow).status, 408);

    let mut silent = world.connect();
    silent.write_all(b"GET /livez HTTP/1.1\r\nHo").unwrap();
    assert_eq!(silent.read_to_end(&mut Vec::new()).unwrap(), 0, "closed");
}

#[test]
fn bodies_of_all_requests_share_one_room() {
    let (told, hears) = channel::<Sender<()>>();
    let script: Script = Box::new(move |_, _, _| {
        let (finish, finished) = channel();
        told.send(finish).unwrap();
        Received::Pending(Box::pin(async move {
            tokio::task::spawn_blocking(move || finished.recv().map_err(drop)).await.unwrap()
        }))
    });
    let room = |config: &mut Config| {
        limited(config);
        config.http.bodies_in_memory_bytes = MAX_BODY;
    };
    let world = World::with(room, script);
    let mut first = world.connect();
    send(&mut first, "POST /webhook", &[], &"x".repeat(MAX_BODY - 1));
    let finish = hears.recv().unwrap();
    assert_eq!(world.send("POST /webhook", &[], "xx").status, 503, "the first is not on the disk yet");
    finish.send(()).unwrap();
    assert_eq!(read(&mut first).status, 200);
    let mut second = world.connect();
    send(&mut second, "POST /webhook", &[], &"x".repeat(MAX_BODY));
    hears.recv().unwrap().send(()).unwrap();
    assert_eq!(read(&mut second).status, 200, "room again");
}

#[test]
fn whoever_sends_too_much_reads_why_after_the_last_byte() {
    let world = World::new();
    // More than the system keeps for both sides, so that it can be sent only where somebody takes it.
    let large = "x".repeat(12 * 1024 * 1024);
    let form = [("Authorization", &*basic("omar", PASSWORD)), ("Sec-Fetch-Site", "same-origin")];
    for (line, headers, status) in [
        ("POST /webhook", &[][..], 413),
        ("POST /orders/1/note", &form, 413),
        ("POST /orders/1/note", &[], 401),
        ("POST /nowhere", &[], 401),
    ] {
        assert_eq!(world.send(line, headers, &large).status, status, "{line}");
    }
}

#[test]
fn whoever_never_stops_sending_is_cut_off() {
    let world = World::new();
    let mut stream = world.connect();
    write!(stream, "POST /webhook HTTP/1.1\r\nHost: qantara.test\r\nContent-Length: 1000000000\r\n\r\n").unwrap();
    let megabyte = vec![b'x'; 1024 * 1024];
    let taken = (0..100).take_while(|_| stream.write_all(&megabyte).is_ok()).count();
    assert!((16..100).contains(&taken), "{taken} MiB were taken");
}

#[test]
fn packed_bodies_are_refused() {
    let world = World::new();
    assert_eq!(world.send("POST /webhook", &[("Content-Encoding", "gzip")], "{}").status, 415);
    assert_eq!(world.send("POST /webhook", &[("Content-Encoding", "identity")], "{}").status, 200);
}

#[test]
fn one_connection_carries_many_requests() {
    let world = World::new();
    let mut stream = world.connect();
    for _ in 0..3 {
        send(&mut stream, "POST /webhook", &[], "{}");
        assert_eq!(read(&mut stream).status, 200);
        send(&mut stream, "GET /livez", &[], "");
        assert_eq!(read(&mut stream).body, "ok");
    }
}

#[test]
fn connections_beyond_the_limit_wait_their_turn() {
    let world = World::with(|config| config.http.max_connections = 1, taking());
    let mut first = world.connect();
    send(&mut first, "GET /livez", &[], "");
    assert_eq!(read(&mut first).status, 200);
    let mut second = world.connect();
    send(&mut second, "GET /livez", &[], "");
    send(&mut first, "GET /readyz", &[], "");
    assert_eq!(read(&mut first).status, 200);
    second.set_nonblocking(true).unwrap();
    assert_eq!(second.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "not accepted yet");
    second.set_nonblocking(false).unwrap();
    drop(first);
    assert_eq!(read(&mut second).status, 200);
}

#[test]
fn stopping_lets_a_running_request_end_and_closes_idle_connections() {
    let (told, hears) = channel::<Sender<()>>();
    let script: Script = Box::new(move |_, _, _| {
        let (finish, finished) = channel();
        told.send(finish).unwrap();
        Received::Pending(Box::pin(async move {
            tokio::task::spawn_blocking(move || finished.recv().map_err(drop)).await.unwrap()
        }))
    });
    let mut world = World::with(limited, script);
    let mut idle = world.connect();
    send(&mut idle, "GET /livez", &[], "");
    assert_eq!(read(&mut idle).status, 200);
    let mut busy = world.connect();
    send(&mut busy, "POST /webhook", &[], "{}");
    let finish = hears.recv().unwrap();

    let running = world.running.take().unwrap();
    running.stop();
    assert_eq!(idle.read_to_end(&mut Vec::new()).unwrap(), 0, "closed");
    assert!(TcpStream::connect(world.address).is_err(), "nobody listens");
    finish.send(()).unwrap();
    assert_eq!(read(&mut busy).status, 200);
    running.wait();
}

#[test]
fn a_request_that_does_not_end_is_cut_off_when_the_time_to_stop_is_over() {
    let (told, hears) = channel();
    let script: Script = Box::new(move |_, _, _| {
        told.send(()).unwrap();
        Received::Pending(Box::pin(std::future::pending()))
    });
    let mut world = World::with(|config| config.engine.stop_grace_ms = 10, script);
    let mut busy = world.connect();
    send(&mut busy, "POST /webhook", &[], "{}");
    hears.recv().unwrap();
    let running = world.running.take().unwrap();
    running.stop();
    running.wait();
    assert_eq!(busy.read_to_end(&mut Vec::new()).unwrap_or(0), 0, "no answer");
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn certified(config: &mut Config) {
    config.http.certificate_file = Some(fixture("server.pem"));
    config.http.certificate_key_file = Some(fixture("server.key.pem"));
}

#[test]
fn https_is_served_from_two_files_in_both_versions() {
    let world = World::with(certified, taking());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("authority.pem")).unwrap()).unwrap();
    for version in [&version::TLS12, &version::TLS13] {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, world.connect());
        send(&mut stream, "POST /webhook", &[], "{}");
        let answer = read(&mut stream);
        assert_eq!(answer.status, 200, "{version:?}");
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    }
}

#[test]
fn browsers_are_told_to_stay_with_https_where_they_came_by_it() {
    let world = |public: Option<&'static str>, proxies: &'static [&'static str]| {
        let settings = move |config: &mut Config| {
            config.http.public_address = public.map(str::to_owned);
            config.http.trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        };
        World::with(settings, taking())
    };
    let (here, there) = (Some("https://qantara.test"), Some("https://other.test"));
    let (ours, others) = (&["127.0.0.1"][..], &["10.0.0.0/8"][..]);
    for (public, proxies, said, expected) in [
        (None, &[][..], None, false),
        (None, &[], Some("https"), false),
        (None, others, Some("https"), false),
        (None, ours, None, false),
        (None, ours, Some("https"), true),
        (None, ours, Some("HTTPS"), true),
        (None, ours, Some("http"), false),
        // The nearest proxy is the one we trust.
        (None, ours, Some("https, http"), false),
        (None, ours, Some("http, https"), true),
        // Proxies in a row: each hands on what the first one said, or puts its own word behind it.
        (None, ours, Some("https, https"), true),
        (None, ours, Some("https, https, http"), false),
        (None, ours, Some("http\r\nX-Forwarded-Proto: https"), true),
        (None, ours, Some("https\r\nX-Forwarded-Proto: http"), false),
        (None, ours, Some(""), false),
        (here, &[], None, true),
        (here, ours, None, true),
        (here, ours, Some("http"), false),
        (there, &[], None, false),
        (Some("http://qantara.test"), &[], None, false),
    ] {
        let world = world(public, proxies);
        for (path, status) in [("/", 401), ("/livez", 200), ("/api/v1/orders", 401), ("/nothing", 401)] {
            let headers: Vec<(&str, &str)> = said.into_iter().map(|said| ("X-Forwarded-Proto", said)).collect();
            let answer = world.send(&format!("GET {path}"), &headers, "");
            let told = answer.header("strict-transport-security");
            assert_eq!(
                (answer.status, told),
                (status, expected.then_some("max-age=31536000")),
                "{public:?} {proxies:?} {said:?}"
            );
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    for (chain, key, named) in [
        ("nowhere.pem", "server.key.pem", "http.certificate_file"),
        ("server.key.pem", "server.key.pem", "http.certificate_file"),
        ("server.pem", "server.pem", "http.certificate_key_file"),
        ("authority.pem", "server.key.pem", "http.certificate_key_file"),
    ] {
        let mut config = Config::default();
        config.http.certificate_file = Some(fixture(chain));
        config.http.certificate_key_file = Some(fixture(key));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = World::start(config, taking(), listener).map(drop).unwrap_err().to_string();
        assert!(error.starts_with(named) && error.contains("; name "), "{error}");
    }
}

/// An address that fits the route, about the order of [`World::add_order`].
fn address(world: &World, route: &Route) -> String {
    let path = route
        .path
        .replace("{slug}", "noon")
        .replace("{order}", "1")
        .replace("{document}", "1")
        .replace("{delivery}", "1")
        .replace("{user}", "1")
        .replace("{token}", "1")
        .replace("{merchant}", "noon")
        .replace("{day}", "2026-11-20")
        .replace("{mail}", "1")
        .replace("{recipient}", "1")
        .replace("{kind}", "held")
        .replace("{language}", "en")
        .replace("{request}", "1")
        .replace("{invoice}", "1");
    let script = || {
        world.sql(
            "insert into job (kind, subject, merchant_id, due_at, asked) values ('order', 1, 1, 1795165260000, 1)",
        );
        let page = world.get("/orders/1", "vera").body;
        page.split("<script src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    match path.as_str() {
        "/static/{style}" => style(world),
        "/static/{script}" => script(),
        _ => path,
    }
}

#[test]
fn every_address_lets_in_whom_it_should() {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    world.sql(
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, state_at)
         values (1, 'customer_redact', '[5551234567]', 0, 0, 0)",
    );
    let login = basic("olga", PASSWORD);
    for route in ROUTES {
        let line = format!("{} {}", route.method, address(&world, route));
        let anonymous = world.send(&line, &[], "").status;
        let signed_in = world.send(&line, &of_omar(&login), "").status;
        let expected = match (route.role, route.method == Method::POST) {
            (None, _) => (200, 200),
            (Some(_), false) => (401, 200),
            (Some(_), true) => (401, 403), // no form token
        };
        assert_eq!((anonymous, signed_in), expected, "{line}");
    }
}

fn style(world: &World) -> String {
    let page = world.get("/", "vera").body;
    let (_, rest) = page.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn what_is_not_there_and_what_is_not_done() {
    let world = World::new();
    world.add_order();
    let login = basic("omar", PASSWORD);
    for path in [
        "/nothing",
        "/orders/x",
        "/orders/99",
        "/orders/1/",
        "//",
        "/static/old.css",
        "/log?merchant=x",
        "/log?status=x",
    ] {
        assert_eq!(world.send(&format!("GET {path}"), &of_omar(&login), "").status, 404, "{path}");
    }
    assert_eq!(world.send("GET /nothing", &[], "").status, 401, "nobody learns which pages there are");
    let allowed = |line: &str| {
        let answer = world.send(line, &of_omar(&login), "");
        (answer.status, answer.header("allow").map(str::to_owned))
    };
    for (line, allow) in [
        ("GET /webhook", "POST"),
        ("PUT /webhook/noon", "POST"),
        ("POST /livez", "GET, HEAD"),
        ("POST /", "GET, HEAD"),
        ("DELETE /orders/1", "GET, HEAD"),
        ("GET /orders/1/retry", "POST"),
    ] {
        assert_eq!(allowed(line), (405, Some(allow.to_owned())), "{line}");
    }
    assert_eq!(world.send("GET /webhook", &[], "").status, 405, "open addresses say so to anyone");
    assert_eq!(world.send("GET /orders/1/retry", &[], "").status, 401);

    let token = world.get("/orders/1", "omar").token();
    assert_eq!(world.send("POST /orders/1/retry", &of_omar(&login), &format!("token={token}")).status, 303);
    let large = "x".repeat(1024 * 1024 + 1);
    assert_eq!(world.send("POST /orders/1/retry", &of_omar(&login), &large).status, 413);
}

#[test]
fn a_head_has_no_body() {
    let world = World::new();
    let mut stream = world.connect();
    send(&mut stream, "HEAD /", &[("Authorization", &basic("vera", PASSWORD)), ("Connection", "close")], "");
    let mut whole = String::new();
    stream.read_to_string(&mut whole).unwrap();
    assert!(whole.starts_with("HTTP/1.1 200") && whole.ends_with("\r\n\r\n"), "{whole}");
}

#[test]
fn every_answer_carries_its_protection() {
    let world = World::new();
    world.add_order();
    let style = style(&world);
    let answers = [
        world.get("/", "vera"),
        world.get("/orders/1", "vera"),
        world.get("/nothing", "vera"),
        world.send("GET /", &[], ""),
        world.send("POST /webhook", &[], ""),
        world.send("GET /readyz", &[], ""),
    ];
    for answer in &answers {
        let csp = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(csp.contains(part), "{csp}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let style = world.get(&style, "vera");
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(style.header("cache-control"), Some("private, max-age=31536000, immutable"));
    for page in &answers[..3] {
        let others = page.body.replace("<script src=\"/static/", "");
        assert!(!others.contains("<script") && !others.contains("style="), "the policy would refuse it");
    }
}

#[test]
fn the_page_of_an_order_that_moves_is_live_until_it_rests() {
    let world = World::new();
    world.add_order();
    let is_live = || {
        let page = world.get("/orders/1", "vera").body;
        let script = page.split("<script src=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        assert_eq!(script.is_some(), page.contains("data-live-ms="), "{page}");
        let is_moving = page.contains("data-live-ms=\"1500\"");
        assert!(is_moving || page.contains("data-live-ms=\"5000\""), "the shop may change it while it is open: {page}");
        script.filter(|_| is_moving)
    };
    assert_eq!(is_live(), None, "nothing is due");
    world.sql("insert into job (kind, subject, merchant_id, due_at, asked) values ('order', 1, 1, 1795165260000, 1)");
    let script = is_live().unwrap();
    let file = world.get(&script, "vera");
    assert_eq!((file.status, file.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(file.header("cache-control"), Some("private, max-age=31536000, immutable"));
    assert_eq!(world.send(&format!("GET {script}"), &[], "").status, 401, "behind the sign-in like everything");
    world.sql("update job set due_at = 1795168800000");
    assert_eq!(is_live(), None, "an hour is too long to keep asking");
}

#[test]
fn readiness_is_the_database() {
    let world = World::new();
    let ready = || {
        let answer = world.send("GET /readyz", &[], "");
        (answer.status, answer.body)
    };
    assert_eq!(ready(), (200, "ok".to_owned()));
    world.sql("alter table setting rename to elsewhere");
    assert_eq!(ready(), (503, "not ready".to_owned()));
    assert_eq!(world.send("GET /livez", &[], "").status, 200);
}

#[test]
fn the_overview_shows_what_needs_somebody_and_how_things_stand() {
    let world = World::new();
    assert!(world.get("/", "vera").body.contains("There is no merchant yet"));
    world.add_order();
    let page = world.get("/", "vera").body + &world.get("/log", "vera").body;
    for expected in [
        "href=\"/log?merchant=noon\"",
        "href=\"/attention#held\"",
        "&lt;b&gt;Noon&lt;/b&gt; نون",
        "Daftra does not accept the key: “Unauthenticated.”",
        "Make a new API key in Daftra",
        "1 order is held until a person decides",
        "No. INV-000042, k1-5551234567-order: posted",
        "Somebody deleted k1-5551234567-order in Daftra.",
        "products/&lt;update&gt;",
        "href=\"/orders/1\"",
        "#1001 &lt;script&gt;",
        "2026-11-20 12:00:01",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
}

#[test]
fn the_log_can_be_filtered_and_continued() {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into sync_log (at, merchant_id, status)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 150)
         select i * 1000, 1, 'duplicate' from n",
    );
    let rows = |page: &Answer| page.body.matches("<span class=\"badge calm\">Duplicate</span>").count();
    let first = world.get("/log?merchant=noon&status=duplicate", "vera");
    assert_eq!(rows(&first), 100);
    let (_, older) = first.body.split_once("href=\"/log?before=").unwrap();
    let older = format!("/log?before={}", older.split('"').next().unwrap().replace("&amp;", "&"));
    assert!(older.contains("merchant=noon") && older.contains("status=duplicate"), "{older}");
    let second = world.get(&older, "vera");
    assert_eq!(rows(&second), 50);
    assert!(!second.body.contains("?before="), "the end");
    assert!(world.get("/log?merchant=&status=held", "vera").body.contains("Somebody deleted"));
}

#[test]
fn the_order_page_tells_the_story() {
    let world = World::new();
    world.add_order();
    let (sent, got) = (r#"{"Invoice":{"name":"<x>"}}"#, r#"{"id":4711}"#);
    let pack = |text: &str| lz4_flex::compress_prepend_size(text.as_bytes());
    let (request, answer) = (pack(sent), pack(got));
    world
        .db
        .write(move |tx| {
            qantara::db::Context::during(
                tx.execute("update attempt set request = ?1, answer = ?2 where id = 1", (request, answer)),
                "prepare a test",
            )
        })
        .unwrap();
    let page = world.get("/orders/1", "omar").body;
    for expected in [
        "#1001 &lt;script&gt;alert(1)&lt;/script&gt;",
        ">Held<",
        "&lt;i&gt;عباية&lt;/i&gt;",
        "looked for ab-1",
        "Add the product with this code in Daftra",
        "Daftra would compute 11.501 KWD with 1.501 KWD tax, the order says 11.500 KWD",
        "INV-000042",
        "11.500 KWD",
        "k1-5551234567-order",
        "4711",
        "&lt;u&gt;Scarf&lt;/u&gt;",
        "overpaid. Overpaid by 0.500 KWD.",
        "k1-5551234567-transaction/17",
        "&lt;s&gt;Mada&lt;/s&gt;",
        "12.000 KWD",
        "orders/create",
        "b1-&lt;event&gt;",
        "345 ms",
        "HTTP 200",
        "&lt;em&gt;detail&lt;/em&gt;",
        "&quot;name&quot;:&quot;&lt;x&gt;&quot;",
        "Find products: no end known",
        "Asia/Riyadh",
        "2026-11-20 12:00:00",
        "Try again",
    ] {
        assert!(page.contains(expected), "{expected}\n{page}");
    }
    for raw in ["<script>", "<u>", "<i>", "<em>", "<x>", "<event>"] {
        assert!(!page.contains(raw), "{raw} came through");
    }
}

#[test]
fn an_order_nobody_knows_much_about_has_a_page() {
    let world = World::new();
    world.add_order();
    world.sql("insert into orders (merchant_id, remote_id, state_at, created_at) values (1, 8, 0, 0)");
    let page = world.get("/orders/2", "vera");
    assert_eq!(page.status, 200);
    for expected in ["№ 2", "No document yet.", "Not planned yet.", "No delivery is kept.", "was not called"] {
        assert!(page.body.contains(expected), "{expected}");
    }
}

#[test]
fn arabic_is_spoken_to_those_who_ask_for_it() {
    let world = World::new();
    world.add_order();
    let login = basic("vera", PASSWORD);
    let page = |path: &str, wish: &str| {
        world.send(&format!("GET {path}"), &[("Authorization", &login), ("Accept-Language", wish)], "").body
    };
    for wish in ["ar", "ar-SA,ar;q=0.9,en;q=0.5", "fr, en;q=0.3, ar;q=0.8"] {
        let page = page("/orders/1", wish);
        for expected in ["<html lang=\"ar\" dir=\"rtl\">", "فاتورة", "لا يوجد في دفترة منتج للبند", "الخطوة التالية"]
        {
            assert!(page.contains(expected), "{wish}: {expected}");
        }
    }
    for wish in ["", "en-GB,en;q=0.9,ar;q=0.8", "fr", "ar;q=0", "ar;q=9"] {
        assert!(page("/", wish).contains("<html lang=\"en\" dir=\"ltr\">"), "{wish}");
    }
    let refused = world.send("GET /", &[("Accept-Language", "ar")], "");
    assert!(refused.body.contains("لم تسجّل الدخول."), "{}", refused.body);
}

#[test]
fn a_client_that_takes_no_answer_is_let_go() {
    let world = World::with(|config| config.http.read_timeout_ms = 200, taking());
    let mut stream = world.connect();
    stream.set_write_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let many = "GET /livez HTTP/1.1\r\nHost: qantara\r\n\r\n".repeat(10_000);
    let ended = loop {
        if let Err(error) = stream.write_all(many.as_bytes()) {
            break error.kind();
        }
    };
    assert_ne!(ended, std::io::ErrorKind::WouldBlock, "the server still holds the connection");
}

#[test]
fn whoever_may_not_press_a_button_is_not_listened_to() {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    const FILE: &str = "/merchants/noon/mapping.csv";
    let upload = |user: &str, site: &str, headers: &[(&str, &str)], body: &str| {
        let login = basic(user, PASSWORD);
        let mut all = vec![("Authorization", login.as_str()), ("Sec-Fetch-Site", site)];
        all.extend_from_slice(headers);
        world.send(&format!("POST {FILE}"), &all, body)
    };
    let form = ("Content-Type", "multipart/form-data; boundary=xyz");
    // More is announced than is taken, and none of it comes: an answer that waited for it would be another one.
    let announced = |user: &str, site: &str| {
        let mut stream = world.connect();
        let login = basic(user, PASSWORD);
        let head = format!(
            "POST {FILE} HTTP/1.1\r\nHost: qantara.test\r\nAuthorization: {login}\r\nSec-Fetch-Site: {site}\r\n\
             Content-Type: {}\r\nContent-Length: 99999999\r\n\r\n",
            form.1
        );
        stream.write_all(head.as_bytes()).unwrap();
        read(&mut stream).status
    };
    assert_eq!((announced("vera", "same-origin"), announced("olga", "cross-site")), (403, 403));
    assert_eq!(announced("olga", "same-origin"), 413, "whoever may is told what is wrong");

    // Without its token nothing else of a form is read, so nobody hears that it has too many fields.
    let part = |name: &str, value: &str| {
        format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let many = part("file", "x").repeat(10_001);
    assert_eq!(upload("omar", "same-origin", &[form], &many).status, 403);
    let token = world.form_token("omar", FILE);
    let forged = part("token", "nonsense") + &part("token", &token) + &many;
    assert_eq!(upload("omar", "same-origin", &[form], &forged).status, 403, "the first one counts");
    assert_eq!(upload("omar", "same-origin", &[form], &(part("token", &token) + &many + "--xyz--")).status, 413);
    let urlencoded = format!("token={token}{}", "&file=".repeat(10_001));
    assert_eq!(upload("omar", "same-origin", &[], &urlencoded).status, 413);
    // Names that nobody reads cost nothing, wherever the token stands.
    let strange = "x=&".repeat(20_000) + "file=code,product&token=" + &token;
    assert_ne!(upload("omar", "same-origin", &[], &strange).status, 413);
    assert!(world.desk.wishes().is_empty());
    let file = part("file", "code,product,note\r\nab-1,7,") + &part("token", &token) + "--xyz--\r\n";
    assert_eq!(upload("omar", "same-origin", &[form], &file).status, 303);
    assert_eq!(world.desk.wishes().len(), 1);
}

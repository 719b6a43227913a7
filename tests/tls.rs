//! Certificates as browsers, shops and operators meet them: what is sent, what changes while the server serves, and when
//! the next is due. An authority that answers is in `tests/acme.rs`.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use qantara::config::{Config, keys};
use qantara::db::Db;
use qantara::db::alert::{self, Cause};
use qantara::web::Received;
use qantara::web::acme::times::{pause, renewal};
use qantara::web::tls::facts::Facts;
use qantara::web::upkeep;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls_pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion, crypto::ring, version,
};
use web_world::{World, read, send};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[test]
fn both_versions_see_the_whole_chain() {
    let authority = Authority::new();
    let site = Site::new(&authority);
    for version in [&version::TLS12, &version::TLS13] {
        let mut stream = site.connect(&authority, version);
        for _ in 0..2 {
            send(&mut stream, "GET /livez", &[], "");
            let answer = read(&mut stream);
            assert_eq!(answer.status, 200, "{version:?}");
            assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
        }
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let sent = stream.conn.peer_certificates().unwrap();
        assert_eq!(sent.len(), 2, "the server's, and the one between it and the root");
    }
}

#[test]
fn new_files_are_noticed_while_connections_live_on() {
    let authority = Authority::new();
    let site = Site::new(&authority);
    let old = site.facts();
    let mut kept_alive = site.connect(&authority, &version::TLS13);
    let mut is_alive = || {
        send(&mut kept_alive, "GET /livez", &[], "");
        read(&mut kept_alive).status == 200
    };
    assert!(is_alive());
    site.put(&authority.issue(&["new.test", "localhost"], 2120));
    assert_eq!(site.facts(), old, "not looked at yet");
    site.pass(MINUTE);
    assert_eq!(site.facts().names, ["new.test", "localhost"]);
    assert!(is_alive());
    let mut fresh = site.connect(&authority, &version::TLS12);
    send(&mut fresh, "GET /livez", &[], "");
    assert_eq!(read(&mut fresh).status, 200);
    let sent = Facts::read(&fresh.conn.peer_certificates().unwrap()[0]).unwrap();
    assert_eq!(sent, *site.facts());
    assert_eq!(site.alerts(), []);
}

#[test]
fn what_does_not_load_or_fit_changes_nothing() {
    let authority = Authority::new();
    let site = Site::new(&authority);
    let old = site.facts();
    let (good, other) = (authority.issue(&["new.test"], 2120), authority.issue(&["other.test"], 2120));
    let cut = |quarters: usize| good.chain[..good.chain.len() * quarters / 4].to_owned();
    let (cut_early, cut_late) = (cut(1), cut(3));
    for (chain, key) in [
        (Some(&good.chain), Some(&other.key)),
        (Some(&cut_early), Some(&good.key)),
        (Some(&cut_late), Some(&good.key)),
        (Some(&String::new()), Some(&good.key)),
        (Some(&good.key), Some(&good.key)),
        (Some(&good.chain), None),
        (None, Some(&good.key)),
    ] {
        site.lay("chain.pem", chain);
        site.lay("key.pem", key);
        site.pass(MINUTE);
        site.pass(MINUTE);
        assert_eq!(site.facts(), old, "{chain:?} {key:?}");
        let mut stream = site.connect(&authority, &version::TLS13);
        send(&mut stream, "GET /livez", &[], "");
        assert_eq!(read(&mut stream).status, 200);
    }
    let [(cause, subject, count)] = &site.alerts()[..] else { panic!("one alert: {:?}", site.alerts()) };
    assert_eq!((&**cause, &**subject), ("certificate", "HTTPS"));
    assert!(*count < 14, "the same complaint is told once: {count}");

    site.put(&good);
    site.pass(MINUTE);
    assert_eq!(site.facts().names, ["new.test"]);
    assert_eq!(site.alerts(), []);
}

#[test]
fn files_that_nobody_renews_are_told_before_their_end() {
    let authority = Authority::new();
    let site = Site::new(&authority);
    site.put(&authority.issue(&["localhost"], 2040));
    site.pass(MINUTE);
    assert_eq!(site.alerts(), []);
    let Facts { not_before, not_after, .. } = &*site.facts();
    let nine_tenths = *not_before + not_after.duration_since(*not_before) * 9 / 10;
    site.pass(nine_tenths.duration_since(web_world::START.parse().unwrap()));
    assert_eq!(site.alerts(), [("certificate".to_owned(), "HTTPS".to_owned(), 1)]);
    assert_eq!(site.facts().not_after, *not_after, "it is still the best there is");
    site.put(&authority.issue(&["localhost"], 2120));
    site.pass(MINUTE);
    assert_eq!(site.alerts(), []);
}

#[test]
fn facts_are_read_off_a_certificate() {
    let authority = Authority::new();
    let issued = authority.issue(&["orders.example.com", "127.0.0.1", "::1"], 2030);
    let facts = Facts::read(&issued.der).unwrap();
    let expected = Facts {
        names: ["orders.example.com", "127.0.0.1", "::1"].map(str::to_owned).into(),
        issuer: "CN=Between".to_owned(),
        not_before: "2020-01-01T00:00:00Z".parse().unwrap(),
        not_after: "2030-01-01T00:00:00Z".parse().unwrap(),
        is_self_signed: false,
    };
    assert_eq!(facts, expected);
    let own = Facts::read(&authority.root()).unwrap();
    assert!(own.is_self_signed && own.names.is_empty(), "{own:?}");
    for damaged in [&issued.der[..issued.der.len() - 1], b"", b"\x30\x03\x02\x01\x01"] {
        Facts::read(&CertificateDer::from(damaged.to_vec())).unwrap_err();
    }
}

#[test]
fn what_would_be_shown_is_known_without_a_server() {
    assert_eq!(upkeep::on_disk(&Config::default()), Ok(None), "plain HTTP");
    let authority = Authority::new();
    let site = Site::new(&authority);
    assert_eq!(upkeep::on_disk(&site.config()), Ok(Some(site.facts())));
    site.lay("chain.pem", None);
    assert_eq!(upkeep::on_disk(&site.config()).unwrap_err().key, "http.certificate_file");
    let acme = acme(&site.folder);
    assert_eq!(upkeep::on_disk(&acme), Ok(None), "none came yet");
}

#[test]
fn until_its_certificate_comes_the_server_serves_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let world = start(acme(&folder));
    let running = world.running.as_ref().unwrap();
    assert_eq!(alerts(&world), [("certificate".to_owned(), "HTTPS".to_owned(), 1)]);
    let facts = running.certificate().unwrap();
    assert_eq!((&*facts.names, facts.is_self_signed), (&["orders.test".to_owned()][..], true));
    assert_eq!(world.vitals.certificate_until(), Some(world.vitals.now()), "the stand-in is good for nothing");

    let plain = |line: &str| {
        let mut stream = TcpStream::connect(running.plain_address().unwrap()).unwrap();
        send(&mut stream, line, &[("X-Forwarded-Proto", "https")], "");
        let answer = read(&mut stream);
        (answer.status, answer.header("location").map(str::to_owned), answer.body)
    };
    let https = |path: &str| (308, Some(format!("https://orders.test:{}{path}", world.address.port())), String::new());
    for path in ["/", "/orders/1?a=b&c", "/.well-known/other", "//elsewhere.test/"] {
        assert_eq!(plain(&format!("GET {path}")), https(path));
    }
    assert_eq!(plain("POST /webhook/noon"), https("/webhook/noon"));
    assert_eq!(plain("GET http://elsewhere.test/x"), https("/x"));
    assert_eq!(plain("GET /.well-known/acme-challenge/nothing").0, 404);
    // Five minutes later, ten, twenty: each try is one more of the same alert.
    for (minutes, count) in [(4, 1), (1, 2), (9, 2), (1, 3), (19, 3), (1, 4)] {
        world.hand.advance(MINUTE * minutes);
        world.hand.rest();
        assert_eq!(alerts(&world)[0].2, count);
    }
}

#[test]
fn a_server_that_starts_again_and_again_does_not_ask_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let count = |world: &World| alerts(world).first().map_or(0, |alert| alert.2);
    let config = acme(&folder);
    let world = start(config.clone());
    assert_eq!(count(&world), 1);
    drop(world);
    let world = start(config.clone());
    assert_eq!(count(&world), 0, "it was asked a moment ago");
    world.hand.advance(MINUTE * 14);
    world.hand.rest();
    assert_eq!(count(&world), 0);
    world.hand.advance(MINUTE);
    world.hand.rest();
    assert_eq!(count(&world), 1);
    drop(world);
    // What was refused to others is asked at once.
    let mut other = config;
    other.acme.domains = vec!["other.test".to_owned()];
    assert_eq!(count(&start(other)), 1);
}

#[test]
fn an_alert_does_not_outlive_what_it_is_about() {
    let raised = |db: &Db| {
        let now = web_world::START.parse().unwrap();
        db.write(move |tx| alert::raise(tx, Cause::Certificate, "HTTPS", None, now)).unwrap();
    };
    let site = Site::new(&Authority::new());
    for config in [Config::default(), site.config()] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let world = World::start_after(raised, config, Box::new(|_, _, _| Received::Busy), listener).unwrap();
        world.hand.rest();
        assert_eq!(alerts(&world), []);
    }
}

#[test]
fn a_port_or_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = |config: Config| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        World::start(config, Box::new(|_, _, _| Received::Busy), listener).map(drop).unwrap_err().to_string()
    };
    let mut config = acme(&folder);
    config.acme.listen = taken.local_addr().unwrap();
    assert!(refused(config).starts_with(&format!("acme.listen is {}: ", taken.local_addr().unwrap())));
    let mut config = acme(&folder);
    config.data.folder = folder.path().join("missing");
    let said = refused(config);
    assert!(said.starts_with("data.folder ") && said.contains("; let "), "{said}");
    let mut config = acme(&folder);
    config.acme.extra_ca_file = Some(folder.path().join("missing.pem"));
    let said = refused(config);
    assert!(said.starts_with("acme.extra_ca_file ") && said.contains("; name "), "{said}");
}

#[test]
fn renewal_is_due_at_two_thirds_of_any_life() {
    let begin: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    for (life, latest, earliest) in [
        (days(90), days(60), days(57)),
        (days(6), days(4), days(4) - SignedDuration::from_mins(288)),
        (MINUTE * 10, SignedDuration::from_secs(400), SignedDuration::from_secs(380)),
        (days(0), days(0), days(0)),
    ] {
        assert_eq!(renewal(begin, begin + life, None, 0), begin + latest, "{life:?}");
        assert_eq!(renewal(begin, begin + life, None, u16::MAX), begin + earliest, "{life:?}");
        let between = renewal(begin, begin + life, None, u16::MAX / 2);
        assert!(begin + earliest <= between && between <= begin + latest);
    }
    // One that is over was due long ago; of one that is yet to begin the clock is to blame, and another would be no better.
    let now = begin + days(400);
    assert!(renewal(begin, begin + days(90), None, 0) < now);
    assert!(renewal(now + days(1), now + days(91), None, 0) > now + days(60));
    // Whoever's clock is years ahead gets one each third of a life, not one each minute.
    assert_eq!(renewal(begin, begin + days(90), Some(now), 0), now + days(30));
    assert_eq!(renewal(begin, begin, Some(now), 0), now + MINUTE);
    assert_eq!(renewal(begin, begin - days(1), None, 7), begin, "nonsense is due at once");
    assert_eq!(renewal(Timestamp::MAX, Timestamp::MAX, Some(Timestamp::MAX), 7), Timestamp::MAX);
}

#[test]
fn pauses_grow_from_minutes_to_hours_and_heed_the_authority() {
    let (over, months) = (SignedDuration::ZERO, SignedDuration::from_hours(24 * 30));
    let minutes: Vec<i64> = (1..=8).map(|failures| pause(failures, months, None).as_mins()).collect();
    assert_eq!(minutes, [5, 10, 20, 40, 80, 160, 240, 240]);
    assert_eq!(pause(u32::MAX, over, None), SignedDuration::from_hours(4));
    assert_eq!(pause(1, MINUTE * 200 / 60, None), MINUTE, "a certificate for minutes");
    assert_eq!(pause(9, MINUTE * 60, None), MINUTE * 15);
    let asked = |hours| pause(1, months, Some(SignedDuration::from_hours(hours)));
    assert_eq!((asked(0), asked(7), asked(1000)), (MINUTE * 5, MINUTE * 420, MINUTE * 2880));
}

/// A root, one between, and what it issues.
struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    between: CertifiedIssuer<'static, KeyPair>,
}

struct Issued {
    der: CertificateDer<'static>,
    chain: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let named = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let key = || KeyPair::generate().unwrap();
        let mut own = named("Root");
        own.distinguished_name = rcgen::DistinguishedName::new();
        own.distinguished_name.push(DnType::CommonName, "Root");
        let root = CertifiedIssuer::self_signed(own, key()).unwrap();
        let mut params = named("Between");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Between");
        let between = CertifiedIssuer::signed_by(params, key(), &root).unwrap();
        Self { root, between }
    }

    fn root(&self) -> CertificateDer<'static> {
        self.root.der().clone()
    }

    /// From 2020 to the first day of this year.
    fn issue(&self, names: &[&str], end: i32) -> Issued {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.between).unwrap();
        let chain = certificate.pem() + &self.between.pem();
        Issued { der: certificate.der().clone(), chain, key: key.serialize_pem() }
    }
}

/// A server with two files, whose clock stands still.
struct Site {
    world: World,
    folder: TempDir,
}

impl Site {
    fn new(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issued = authority.issue(&["localhost"], 2120);
        lay(&folder, "chain.pem", Some(&issued.chain));
        lay(&folder, "key.pem", Some(&issued.key));
        let world = start(files(&folder));
        Self { world, folder }
    }

    fn config(&self) -> Config {
        files(&self.folder)
    }

    fn put(&self, issued: &Issued) {
        self.lay("chain.pem", Some(&issued.chain));
        self.lay("key.pem", Some(&issued.key));
    }

    /// None: it is gone.
    fn lay(&self, name: &str, text: Option<&String>) {
        lay(&self.folder, name, text);
    }

    /// Lets time pass, and what is due then be done.
    fn pass(&self, gap: SignedDuration) {
        self.world.hand.advance(gap);
        self.world.hand.rest();
    }

    fn facts(&self) -> Arc<Facts> {
        self.world.running.as_ref().unwrap().certificate().unwrap()
    }

    fn alerts(&self) -> Vec<(String, String, i64)> {
        alerts(&self.world)
    }

    /// A client of this version that trusts the root, after its handshake.
    fn connect(
        &self,
        authority: &Authority,
        version: &'static SupportedProtocolVersion,
    ) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.root()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = self.facts().names[0].clone();
        let session = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
        let mut stream = StreamOwned::new(session, self.world.connect());
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        stream
    }
}

fn lay(folder: &TempDir, name: &str, text: Option<&String>) {
    let path = folder.path().join(name);
    match text {
        Some(text) => fs::write(path, text).unwrap(),
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        },
    }
}

fn files(folder: &TempDir) -> Config {
    let file = |name: &str| Some(folder.path().join(name));
    let mut config = Config::default();
    (config.http.certificate_file, config.http.certificate_key_file) = (file("chain.pem"), file("key.pem"));
    config
}

/// A server whose authority does not answer.
fn acme(folder: &TempDir) -> Config {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config = Config::default();
    config.data.folder = folder.path().to_owned();
    config.acme = keys::Acme {
        domains: vec!["orders.test".to_owned()],
        directory: format!("https://{nobody}/directory"),
        agree_to_terms: true,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..keys::Acme::default()
    };
    config
}

fn start(config: Config) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::start(config, Box::new(|_, _, _| Received::Busy), listener).unwrap();
    world.hand.rest();
    world
}

/// The open alerts: cause, subject, count.
fn alerts(world: &World) -> Vec<(String, String, i64)> {
    let open = world.db.read(alert::open).unwrap();
    open.into_iter().map(|alert| (alert.cause, alert.subject, alert.count)).collect()
}

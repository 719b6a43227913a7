//! Certificates from a real ACME authority: Pebble, which Let's Encrypt tries its clients with. Plain `cargo test` leaves
//! this out, for Pebble is not everywhere; `tests/all` installs and runs it.
//!
//! Only the authority lives by the real time: the server's clock is moved by hand, and comes to rest when it has done what
//! was due.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use qantara::config::Config;
use qantara::config::keys;
use qantara::db::alert;
use qantara::outgoing::{Call, Limits, Method, Outgoing};
use qantara::web::Received;
use qantara::web::tls::facts::Facts;
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tempfile::TempDir;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use web_world::{START, World, read, send};

const NAME: &str = "localhost";
/// More than any step here takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_certificate_comes_when_the_authority_does_and_is_kept() {
    let mut site = Site::new();
    assert_eq!(site.alerts(), [("certificate".to_owned(), 1)], "the authority is down");
    assert!(site.facts().is_self_signed, "something answers");
    assert_eq!(site.world.send_plain("GET /.well-known/acme-challenge/x").0, 404);
    assert_eq!(site.world.send_plain("GET /orders/1?a=b"), (308, Some(format!("{}/orders/1?a=b", site.origin()))));

    let pebble = Pebble::start(&site, &[]);
    assert!(site.handshake(&pebble.root()).is_err(), "nobody trusts the stand-in");
    site.advance(SignedDuration::from_mins(5));
    assert_eq!(site.alerts(), []);
    let facts = site.facts();
    assert_eq!((&*facts.names, facts.is_self_signed), (&[NAME.to_owned()][..], false));
    let chain = site.handshake(&pebble.root()).unwrap();
    assert!(chain.len() > 1, "the whole chain is sent");

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = site.data.path().join("acme");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["account.json", "certificate.pem"]);
    assert_eq!(mode(&folder), 0o700);
    assert!(names.iter().all(|name| mode(&folder.join(name)) == 0o600));

    // The next life shows what was kept, and asks nobody.
    drop(pebble);
    let site = site.restart(|_| {});
    assert_eq!(site.facts(), facts);
    assert_eq!(site.alerts(), []);
}

#[test]
fn it_is_renewed_at_two_thirds_of_its_life() {
    let mut site = Site::new();
    let pebble = Pebble::start(&site, &[]);
    site.advance(SignedDuration::from_mins(5));
    let (first, chain) = (site.facts(), site.handshake(&pebble.root()).unwrap());
    let life = first.not_after.duration_since(first.not_before);
    let mut kept_alive = site.connect(&pebble.root());
    let mut is_alive = || {
        send(&mut kept_alive, "GET /livez", &[], "");
        read(&mut kept_alive).status == 200
    };
    assert!(is_alive());

    site.advance_to(first.not_before + life * 6 / 10);
    assert_eq!(site.handshake(&pebble.root()).unwrap(), chain, "not yet");
    site.advance_to(first.not_before + life * 2 / 3);
    let second = site.handshake(&pebble.root()).unwrap();
    assert_ne!(second, chain);
    assert!(is_alive(), "a connection lives on under the old one");
    // By our clock the new one is nearly over, too, for the authority lives in its own time. It is not asked without end.
    site.advance(life / 4);
    assert_eq!(site.handshake(&pebble.root()).unwrap(), second);
    site.advance(life / 12 + SignedDuration::from_mins(1));
    assert_ne!(site.handshake(&pebble.root()).unwrap(), second);
    assert_eq!(site.alerts(), []);
}

#[test]
fn while_the_authority_is_away_the_old_one_stays() {
    let mut site = Site::new();
    let pebble = Pebble::start(&site, &[]);
    site.advance(SignedDuration::from_mins(5));
    let (first, root) = (site.facts(), pebble.root());
    let chain = site.handshake(&root).unwrap();
    drop(pebble);
    site.advance_to(first.not_before + first.not_after.duration_since(first.not_before) * 2 / 3);
    assert_eq!(site.alerts(), [("certificate".to_owned(), 1)]);
    site.advance(SignedDuration::from_mins(5));
    assert_eq!(site.alerts(), [("certificate".to_owned(), 2)]);
    assert_eq!(site.handshake(&root).unwrap(), chain);
    assert_eq!(site.world.send_tls("GET /readyz", site.connect(&root)), 200);

    // It comes back and remembers nobody, so our account is made anew.
    let pebble = Pebble::start(&site, &[]);
    site.advance(SignedDuration::from_mins(10));
    assert_eq!(site.alerts(), []);
    assert_eq!(site.handshake(&pebble.root()).unwrap().len(), chain.len());
}

#[test]
fn a_refused_order_is_told_and_tried_again() {
    // Nobody answers where the authority asks.
    let mut site = Site::new();
    let closed = free_port();
    let pebble = Pebble::start_asking(&site, closed, &[]);
    site.advance(SignedDuration::from_mins(5));
    assert_eq!(site.alerts(), [("certificate".to_owned(), 2)]);
    assert!(site.facts().is_self_signed);
    drop(pebble);

    // The authority does not give certificates for this name.
    let pebble = Pebble::start(&site, &[NAME]);
    site.advance(SignedDuration::from_mins(10));
    assert_eq!(site.alerts(), [("certificate".to_owned(), 3)]);
    drop(pebble);

    let _pebble = Pebble::start(&site, &[]);
    site.advance(SignedDuration::from_mins(19));
    assert!(site.facts().is_self_signed, "the third pause is twenty minutes");
    site.advance(SignedDuration::from_mins(1));
    assert_eq!(site.alerts(), []);
    assert!(!site.facts().is_self_signed);
}

#[test]
fn another_authority_or_name_asks_anew_and_shows_the_old_one_meanwhile() {
    let mut site = Site::new();
    let pebble = Pebble::start(&site, &[]);
    site.advance(SignedDuration::from_mins(5));
    let first = site.facts();
    drop(pebble);
    let site = site.restart(|config| config.acme.domains.push("orders.localhost".to_owned()));
    assert_eq!((site.facts(), site.alerts()), (Arc::clone(&first), vec![("certificate".to_owned(), 1)]));
    let site = site.restart(|config| config.acme.directory = config.acme.directory.replace("/dir", "/other"));
    assert_eq!((site.facts(), site.alerts()), (first, vec![("certificate".to_owned(), 1)]));
}

/// A server that wants a certificate from an authority on a port where at first nobody listens.
struct Site {
    world: World,
    data: TempDir,
    directory_port: u16,
    now: Timestamp,
}

impl Site {
    fn new() -> Self {
        Self::start(tempfile::tempdir().unwrap(), free_port(), |_| {})
    }

    fn start(data: TempDir, directory_port: u16, settings: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.data.folder = data.path().to_owned();
        config.acme = keys::Acme {
            domains: vec![NAME.to_owned()],
            contact: Some("owner@example.com".to_owned()),
            directory: format!("https://localhost:{directory_port}/dir"),
            agree_to_terms: true,
            extra_ca_file: Some(fixture("authority.pem")),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        settings(&mut config);
        let door = Box::new(|_: Option<&str>, _: &[(String, String)], _| Received::Busy);
        let world = World::start(config, door, TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
        world.hand.rest();
        Self { world, data, directory_port, now: START.parse().unwrap() }
    }

    /// The same folder in another life.
    fn restart(self, settings: impl FnOnce(&mut Config)) -> Self {
        let Self { world, data, directory_port, .. } = self;
        drop(world);
        Self::start(data, directory_port, settings)
    }

    fn facts(&self) -> Arc<Facts> {
        self.running().certificate().unwrap()
    }

    fn running(&self) -> &qantara::web::server::Running {
        self.world.running.as_ref().unwrap()
    }

    fn origin(&self) -> String {
        format!("https://{NAME}:{}", self.world.address.port())
    }

    /// The open alerts with their counts.
    fn alerts(&self) -> Vec<(String, i64)> {
        let open = self.world.db.read(alert::open).unwrap();
        open.into_iter().map(|alert| (alert.cause, alert.count)).collect()
    }

    /// Lets time pass, and what is due then be done.
    fn advance(&mut self, gap: SignedDuration) {
        self.world.hand.advance(gap);
        self.now += gap;
        self.world.hand.rest();
    }

    fn advance_to(&mut self, then: Timestamp) {
        self.advance(then.duration_since(self.now));
    }

    /// A connection whose certificate must be signed by this authority.
    fn connect(&self, root: &CertificateDer<'static>) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let session = ClientConnection::new(Arc::new(config), ServerName::try_from(NAME).unwrap()).unwrap();
        StreamOwned::new(session, self.world.connect())
    }

    /// The chain that a new connection sees.
    fn handshake(&self, root: &CertificateDer<'static>) -> std::io::Result<Vec<CertificateDer<'static>>> {
        let mut stream = self.connect(root);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream.conn.peer_certificates().unwrap().to_vec())
    }
}

impl World {
    fn send_tls(&self, line: &str, mut stream: StreamOwned<ClientConnection, TcpStream>) -> u16 {
        send(&mut stream, line, &[], "");
        read(&mut stream).status
    }

    /// Status and address of what the port for plain HTTP answers.
    fn send_plain(&self, line: &str) -> (u16, Option<String>) {
        let address = self.running.as_ref().unwrap().plain_address().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        send(&mut stream, line, &[], "");
        let answer = read(&mut stream);
        (answer.status, answer.header("location").map(str::to_owned))
    }
}

/// The authority at work. It remembers nothing of an earlier life.
struct Pebble {
    child: Child,
    management_port: u16,
    _folder: TempDir,
}

impl Pebble {
    fn start(site: &Site, blocked: &[&str]) -> Self {
        Self::start_asking(site, site.running().plain_address().unwrap().port(), blocked)
    }

    /// It asks for proofs on this port of every name.
    fn start_asking(site: &Site, http_port: u16, blocked: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, management_port) = (site.directory_port, free_port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management_port}"),
            "certificate": fixture("server.pem"),
            "privateKey": fixture("server.key.pem"),
            "httpPort": http_port,
            "tlsPort": http_port,
            "domainBlocklist": blocked,
        }});
        let path = folder.path().join("config.json");
        fs::write(&path, config.to_string()).unwrap();
        let log = || File::options().append(true).create(true).open(folder.path().join("log")).unwrap();
        let child = Command::new("pebble")
            .args(["-strict", "-config"])
            .arg(&path)
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", "0")
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .unwrap_or_else(|error| panic!("pebble: {error}. Run: sudo apt-get install pebble"));
        let pebble = Self { child, management_port, _folder: folder };
        pebble.wait_for(port);
        pebble.wait_for(management_port);
        pebble
    }

    #[expect(clippy::disallowed_methods, reason = "a process of somebody else comes up in its own time")]
    fn wait_for(&self, port: u16) {
        let began = std::time::Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "Pebble {} does not listen on {port}", self.child.id());
            std::thread::yield_now();
        }
    }

    /// What it signs with in this life.
    fn root(&self) -> CertificateDer<'static> {
        let settings = keys::Outgoing {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            extra_ca_file: Some(fixture("authority.pem")),
        };
        let url = format!("https://127.0.0.1:{}/roots/0", self.management_port);
        let call = Call { method: Method::Get, url: &url, headers: &[], secret_header: None, body: None };
        let limits = Limits { call_timeout: PATIENCE, connect_timeout: PATIENCE, max_answer_bytes: 1 << 20 };
        let answer = Outgoing::new(&settings).unwrap().exchange(&call, &limits).unwrap();
        CertificateDer::from_pem_slice(&answer.body).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A port that was free a moment ago: Pebble does not tell which one it got.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

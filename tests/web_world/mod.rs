//! A real server on port 0 with a scripted door and desk, and the little HTTP client the tests speak with.

#![allow(dead_code, reason = "each test file uses its part")]

#[allow(clippy::duplicate_mod, reason = "some programs take two helpers that listen")]
#[path = "../common/leaks.rs"]
mod leaks;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use qantara::clock::{Clock, Hand};
use qantara::config::Config;
use qantara::db::scope::Scope;
use qantara::db::user::{self, Role};
use qantara::db::{self, Db, token};
use qantara::desk::account::{Accounts, Choices, Silence, Site, Trail};
use qantara::desk::{self, Person, Secret, Wish};
use qantara::domain::catalog::{Code, Product, ProductKind};
use qantara::domain::offer::{Named, Tax, WaysOfPaying};
use qantara::vault::{self, MasterKey, Vault, hash_password};
use qantara::vitals::Vitals;
use qantara::vitals::disk::Disk;
use qantara::web::server::{self, Running, StartError};
use qantara::web::{Desk, Door, Parts, Received};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const START: &str = "2026-11-20T09:00:00Z";
pub(crate) const PASSWORD: &str = "correct horse";

/// What the door does with a request.
pub(crate) type Script = Box<dyn FnMut(Option<&str>, &[(String, String)], Vec<u8>) -> Received + Send>;

struct Scripted(Mutex<Script>);

impl Door for Scripted {
    fn receive(&self, slug: Option<&str>, headers: &[(String, String)], body: Vec<u8>) -> Received {
        (self.0.lock().unwrap())(slug, headers, body)
    }
}

/// Notes who wished for what, by the user's id and the wish's word; nothing comes true.
#[derive(Default)]
pub(crate) struct Wishes(Mutex<Vec<(Person, Value)>>);

impl Wishes {
    /// The newest wish as JSON, and whose it was.
    pub(crate) fn last(&self) -> (Person, Value) {
        self.0.lock().unwrap().last().cloned().unwrap()
    }

    /// All of them as JSON.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().iter().map(|(_, wish)| wish.clone()).collect()
    }

    pub(crate) fn wishes(&self) -> Vec<(Option<i64>, String)> {
        let word = |wish: &Value| wish.as_object().unwrap().keys().next().unwrap().clone();
        self.0.lock().unwrap().iter().map(|(person, wish)| (person.user_id, word(wish))).collect()
    }
}

impl Desk for Wishes {
    fn perform(&self, wish: Wish, by: Person) -> Result<Value, desk::Error> {
        self.0.lock().unwrap().push((by, serde_json::to_value(&wish).unwrap()));
        Ok(Value::Null)
    }

    fn body(&self, _: i64, by: Person) -> Result<String, desk::Error> {
        self.0.lock().unwrap().push((by, serde_json::json!({ "body": null })));
        Ok(r#"{"name":"<b>#1001</b>","total_price":"11.500","note":null,"tags":[],"lines":[{"id":1}]}"#.to_owned())
    }
}

/// An account that has one of everything, whoever asks.
struct Furnished;

impl Accounts for Furnished {
    fn meet(&self, _: &str, _: &Secret) -> Result<Site, Silence> {
        Ok(Site { host: "noon.daftra.com".into(), currency: "SAR".into() })
    }

    fn choices(&self, _: i64, _: &str, _: i64) -> Result<Result<Choices, Silence>, db::Error> {
        let named = |name: &str| vec![Named { id: 1, name: name.into() }];
        let (stores, clients) = (named("<b>Main</b>"), named("<b>Online</b>"));
        Ok(Ok(Choices { stores, branches: Vec::new(), client: clients.first().cloned(), clients }))
    }

    fn taxes(&self, _: i64) -> Result<Result<Vec<Tax>, Silence>, db::Error> {
        Ok(Ok(vec![Tax { id: 1, name: "<b>VAT</b>".into(), rate: "0.15".parse().unwrap(), included: true }]))
    }

    fn ways_of_paying(&self, _: i64) -> Result<Result<WaysOfPaying, Silence>, db::Error> {
        Ok(Ok(WaysOfPaying::default()))
    }

    fn products(&self, _: i64, text: &str) -> Result<Result<Vec<Product>, Silence>, db::Error> {
        let product = Product {
            id: 7,
            code: Code::new("ab-1"),
            barcode: Code::new(""),
            name: "<b>Scarf</b>".into(),
            kind: ProductKind::Product,
            active: true,
            tracked: true,
            branch_id: None,
        };
        Ok(if text == "silent" {
            Err(Silence::Unreached)
        } else {
            Ok([product].into_iter().filter(|_| text != "nothing").collect())
        })
    }

    fn secrets(&self, _: i64) -> Result<Vec<Trail>, db::Error> {
        Ok(vec![Trail { ending: "abcd".to_owned(), used_at: None }])
    }
}

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) db: Arc<Db>,
    pub(crate) hand: Arc<Hand>,
    pub(crate) desk: Arc<Wishes>,
    vault: Arc<Vault>,
    pub(crate) vitals: Arc<Vitals>,
    /// Free bytes of the disk.
    pub(crate) room: Arc<AtomicU64>,
    pub(crate) running: Option<Running>,
    _folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {}, Box::new(|_, _, _| Received::Pending(Box::pin(async { Ok(()) }))))
    }

    pub(crate) fn with(settings: impl FnOnce(&mut Config), script: Script) -> Self {
        let mut config = Config::default();
        settings(&mut config);
        Self::start(config, script, TcpListener::bind("127.0.0.1:0").unwrap()).unwrap()
    }

    pub(crate) fn start(config: Config, script: Script, listener: TcpListener) -> Result<Self, StartError> {
        Self::start_after(|_| {}, config, script, listener)
    }

    /// The database is as an earlier life left it.
    pub(crate) fn start_after(
        earlier: impl FnOnce(&Db),
        config: Config,
        script: Script,
        listener: TcpListener,
    ) -> Result<Self, StartError> {
        leaks::listen();
        let folder = tempfile::tempdir().unwrap();
        let db = Arc::new(Db::open(folder.path()).unwrap());
        earlier(&db);
        let key = MasterKey::create(&folder.path().join("key")).unwrap();
        let (clock, hand) = Clock::hand(START.parse().unwrap());
        let desk = Arc::new(Wishes::default());
        let vault = Arc::new(Vault::new(key, None));
        let room = Arc::new(AtomicU64::new(u64::MAX));
        let free = Arc::clone(&room);
        let disk = Disk::asking(config.data.min_free_bytes, move || Ok(free.load(Ordering::SeqCst)));
        let vitals = Arc::new(Vitals::new(clock.clone(), disk));
        let parts = Parts {
            config: Arc::new(config),
            db: Arc::clone(&db),
            vault: Arc::clone(&vault),
            vitals: Arc::clone(&vitals),
            clock,
            playground: None,
            door: Arc::new(Scripted(Mutex::new(script))),
            desk: Arc::clone(&desk) as Arc<dyn Desk>,
            accounts: Arc::new(Furnished),
        };
        let running = server::start(parts, listener)?;
        let world = Self {
            address: running.address(),
            db,
            hand,
            desk,
            vault,
            vitals,
            room,
            running: Some(running),
            _folder: folder,
        };
        for (name, role) in [("vera", Role::Viewer), ("omar", Role::Operator)] {
            world.add_user(name, role);
        }
        Ok(world)
    }

    pub(crate) fn add_user(&self, name: &str, role: Role) {
        static HASH: LazyLock<String> = LazyLock::new(|| hash_password(&SecretString::from(PASSWORD)));
        let (name, hash) = (name.to_owned(), HASH.clone());
        self.db.write(move |tx| user::add(tx, &name, &hash, role, Timestamp::UNIX_EPOCH)).unwrap();
    }

    /// What a script of this user sends as its `Authorization`, for so many days from [`START`].
    pub(crate) fn add_token(&self, user: &str, role: Role, merchant_id: Option<i64>, days: i64) -> String {
        let (secret, user) = (vault::api_token(), user.to_owned());
        let (hash, now) = (vault::fingerprint(&secret), START.parse::<Timestamp>().unwrap());
        let add = move |tx: &rusqlite::Transaction<'_>| {
            let user_id = user::by_name(tx, &user)?.unwrap().id;
            let expires_at = now + SignedDuration::from_hours(24 * days);
            token::add(tx, &token::New { user_id, name: "a script", hash, role, merchant_id, expires_at }, now)
        };
        self.db.write(add).unwrap();
        format!("Bearer {}", secret.expose_secret())
    }

    /// From now on this user sees these merchants and no others.
    pub(crate) fn limit(&self, name: &str, merchants: &[i64]) {
        let (name, scope) = (name.to_owned(), Scope::Only(merchants.iter().copied().collect()));
        let change = move |tx: &rusqlite::Transaction<'_>| {
            let user = user::by_name(tx, &name)?.unwrap();
            user::set_rights(tx, user.id, user.role, &scope)
        };
        self.db.write(change).unwrap();
    }

    /// Presses a button: the form of a page, with its token.
    pub(crate) fn press(&self, user: &str, page: &str, action: &str, fields: &str) -> Answer {
        let shown = self.get(page, user);
        let (_, form) =
            shown.body.split_once(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("{}", shown.body));
        let (_, token) = form.split_once("name=\"token\" value=\"").unwrap();
        let body = format!("token={}&{fields}", token.split('"').next().unwrap());
        let headers = [("Authorization", &*basic(user, PASSWORD)), ("Sec-Fetch-Site", "same-origin")];
        self.send(&format!("POST {action}"), &headers, &body)
    }

    /// What a form of this user with this action carries on the day of [`START`].
    pub(crate) fn form_token(&self, user: &str, action: &str) -> String {
        let user = self.db.read(|c| user::by_name(c, user)).unwrap().unwrap();
        let day = START.parse::<Timestamp>().unwrap().as_second() / 86_400;
        let parts: [&[u8]; 3] = [&user.id.to_be_bytes(), &day.to_be_bytes(), action.as_bytes()];
        BASE64_URL_SAFE_NO_PAD.encode(self.vault.keyed_hash("form token").hash(&parts))
    }

    /// Changes the database behind the back of the server, as another request or the command line would.
    pub(crate) fn sql(&self, sql: &'static str) {
        self.db.write(move |tx| db::Context::during(tx.execute_batch(sql), "prepare a test")).unwrap();
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.hand.advance(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these lines and a body on a connection of its own.
    pub(crate) fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.connect();
        send(&mut stream, line, headers, body);
        read(&mut stream)
    }

    pub(crate) fn get(&self, path: &str, user: &str) -> Answer {
        self.send(&format!("GET {path}"), &[("Authorization", &basic(user, PASSWORD))], "")
    }

    pub(crate) fn login(&self, user: &str, password: &str) -> u16 {
        self.send("GET /", &[("Authorization", &basic(user, password))], "").status
    }

    /// A merchant with one order, which has the id 1 and whose names are full of markup.
    pub(crate) fn add_order(&self) {
        self.sql(include_str!("order.sql"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.wait();
        }
        if !std::thread::panicking() {
            leaks::check();
        }
    }
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fits = |line: &&str| line.split(':').next().is_some_and(|known| known.eq_ignore_ascii_case(name));
        self.head.lines().find(fits).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    /// The token of the page's form.
    pub(crate) fn token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"token\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

pub(crate) fn send(stream: &mut impl Write, line: &str, headers: &[(&str, &str)], body: &str) {
    send_bytes(stream, line, headers, body.as_bytes());
}

pub(crate) fn send_bytes(stream: &mut impl Write, line: &str, headers: &[(&str, &str)], body: &[u8]) {
    let mut text = format!("{line} HTTP/1.1\r\nHost: qantara.test\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || line.starts_with("POST") {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut request = format!("{text}\r\n").into_bytes();
    request.extend_from_slice(body);
    stream.write_all(&request).unwrap();
}

/// Reads one answer and leaves the connection at its end.
pub(crate) fn read(stream: &mut impl Read) -> Answer {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "closed after {:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let answer = Answer { status, head, body: String::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Answer { body: String::from_utf8(body).unwrap(), ..answer }
}

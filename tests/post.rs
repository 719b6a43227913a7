//! Mails to a real mail server, read by a real reader: nodemailer's smtp-server and mailparser. Plain `cargo test` leaves this
//! out, for it wants Node and two packages from the registry; `tests/all` installs and runs it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use assert_cmd::Command as Program;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::news::{Kind, Problem};
use qantara::mail::letter::{Letter, Line, Order, Paper, PaperKind};
use qantara::mail::post::{self, Handed, Outgoing, Post, Security, Server};
use qantara::mail::render::render;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;

struct Office {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
    folder: TempDir,
}

impl Drop for Office {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Office {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/post/server.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .args([&certificate, &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().expect("the server starts").unwrap()).unwrap();
        let port = first["port"].as_u64().unwrap().try_into().unwrap();
        Self { child, lines, port, folder }
    }

    /// The next mail that arrived.
    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn post(&self, password: &str, trusts: bool) -> Post {
        self.post_with(password, trusts, Duration::from_secs(20))
    }

    fn post_with(&self, password: &str, trusts: bool, patience: Duration) -> Post {
        let login = Some(("sara".to_owned(), SecretString::from(password)));
        let authority = trusts.then(|| self.certificate());
        let server =
            Server::new("localhost".into(), self.port, Security::StartTls, login, patience, authority.as_deref());
        Post::new(server.unwrap())
    }
}

const ID: &str = "<0123456789abcdef@wadi.example>";

fn arabic() -> Letter {
    let line = Line {
        source: qantara::domain::invoice::Source::Line(1),
        title: "مصباح طاولة خشبي طويل الاسم حتى يمتد السطر إلى أبعد مما يسمح به أي خادم بريد ".repeat(20),
        sku: "WH-2040".into(),
        units: 2,
        total: Amount(69_800),
    };
    let paper = Paper {
        kind: PaperKind::Invoice,
        number: Some("INV-000317".into()),
        invoice: None,
        currency: Currency::parse("SAR").unwrap(),
        lines: vec![line],
        tax: Amount(9_104),
        total: Amount(69_800),
        page: Some("https://wadi.daftra.example/owner/invoices/view/317".into()),
    };
    Letter {
        merchant: "بيت الوادي".into(),
        order: Some(Order { name: "#1001".into(), page: Some("https://orders.wadi.example/orders/7".into()) }),
        paper: Some(paper),
        ..Letter::blank(Kind::Created, "ar")
    }
}

fn send(post: &mut Post, to: &str, letter: &Letter) -> Handed {
    let from = post::mailbox("قنطرة <orders@wadi.example>").unwrap();
    let to = post::mailbox(to).unwrap();
    let at = "2026-11-20T09:00:00Z".parse().unwrap();
    let rendered = render(letter, 1);
    let outgoing = Outgoing { from: &from, to: &to.email, message_id: ID, at, rendered: &rendered };
    post.hand_over(&from.email, &to.email, &post::bytes(&outgoing).unwrap())
}

#[test]
fn an_arabic_mail_arrives_and_is_read_as_it_was_written() {
    let mut office = Office::open();
    let mut post = office.post("open sesame", true);
    assert_eq!(send(&mut post, "sara@wadi.example", &arabic()), Handed::Taken);
    let mail = office.next();
    assert_eq!((&mail["secure"], &mail["user"]), (&true.into(), &"sara".into()));
    assert_eq!(mail["subject"], "الفاتورة \u{2068}INV-000317\u{2069} للطلب \u{2068}#1001\u{2069}");
    assert_eq!(mail["message_id"], ID);
    assert_eq!((&mail["from"], &mail["to"][0]), (&"orders@wadi.example".into(), &"sara@wadi.example".into()));
    assert!(mail["sender"].as_str().unwrap().contains("قنطرة"));
    let rendered = render(&arabic(), 1);
    assert_eq!(mail["text"].as_str().unwrap().trim(), rendered.text.trim());
    assert_eq!(mail["html"].as_str().unwrap().trim(), rendered.html.trim());
    assert!(rendered.html.contains("<html lang=\"ar\" dir=\"rtl\">"));
    assert_eq!(mail["attachments"], 0);
    assert!(mail["longest_line"].as_u64().unwrap() <= 998 && mail["is_ascii"] == true, "{mail}");
    // The connection is good for the next.
    assert_eq!(send(&mut post, "omar@wadi.example", &arabic()), Handed::Taken);
    assert_eq!(office.next()["to"][0], "omar@wadi.example");
}

#[test]
fn every_no_is_told_apart() {
    let mut office = Office::open();
    let mut post = office.post("open sesame", true);
    let problem = |handed: Handed| match handed {
        Handed::NotTaken { problem, is_the_servers } => (problem, is_the_servers),
        Handed::Taken | Handed::Unknown => panic!("{handed:?}"),
    };
    let (refused, is_the_servers) = problem(send(&mut post, "refused@wadi.example", &arabic()));
    let Problem::Refused { code: 550, words } = &refused else { panic!("{refused:?}") };
    assert!(!is_the_servers && !words.contains('@') && words.contains("nobody here"), "{words}");
    let (later, is_the_servers) = problem(send(&mut post, "later@wadi.example", &arabic()));
    assert!(matches!(later, Problem::Later { code: 451, .. }) && !is_the_servers, "{later:?}");
    assert_eq!(send(&mut post, "later@wadi.example", &arabic()), Handed::Taken);
    assert_eq!(office.next()["to"][0], "later@wadi.example");

    assert_eq!(send(&mut post, "lost@wadi.example", &arabic()), Handed::Unknown);
    assert_eq!(send(&mut post, "lost@wadi.example", &arabic()), Handed::Taken);
    let copies = [office.next(), office.next()];
    assert_eq!(copies[0], copies[1], "the same mail, with the same Message-ID");

    let stranger = office.post("guess", true).greet();
    assert!(matches!(stranger, Err(Problem::Login { code: Some(535), .. })), "{stranger:?}");
    assert_eq!(office.post("open sesame", false).greet(), Err(Problem::Tls), "nobody vouches for the certificate");
}

#[test]
fn a_server_on_a_bad_day_takes_each_mail_once_or_nobody_knows() {
    let mut office = Office::open();
    let mut post = office.post("open sesame", true);
    let busy = send(&mut post, "busy@wadi.example", &arabic());
    let is_later =
        matches!(&busy, Handed::NotTaken { problem: Problem::Later { code: 421, .. }, is_the_servers: true });
    assert!(is_later, "{busy:?}");
    for (to, first) in [("cut@wadi.example", Handed::Unknown), ("slow@wadi.example", Handed::Taken)] {
        assert_eq!(send(&mut post, to, &arabic()), first, "{to}");
    }
    for to in ["busy@wadi.example", "cut@wadi.example"] {
        assert_eq!(send(&mut post, to, &arabic()), Handed::Taken, "{to}");
    }
    let mut hasty = office.post_with("open sesame", true, Duration::from_secs(1));
    assert_eq!(send(&mut hasty, "silent@wadi.example", &arabic()), Handed::Unknown);
    assert_eq!(send(&mut hasty, "silent@wadi.example", &arabic()), Handed::Taken);
    let mut arrived: Vec<String> = (0..4).map(|_| office.next()["to"][0].as_str().unwrap().to_owned()).collect();
    arrived.sort();
    let whom = ["busy", "cut", "silent", "slow"].map(|name| format!("{name}@wadi.example"));
    assert_eq!(arrived, whom, "one copy of each");
    // Nobody is there any more.
    let port = office.port;
    drop(office);
    let server = Server::new("localhost".into(), port, Security::StartTls, None, Duration::from_secs(5), None);
    assert_eq!(Post::new(server.unwrap()).greet(), Err(Problem::Unreachable));
}

#[test]
fn the_command_sends_one_and_says_how_it_went() {
    let mut office = Office::open();
    let password = office.folder.path().join("password");
    let config = office.folder.path().join("config.toml");
    let write = |secret: &str| {
        fs::write(&password, format!("{secret}\n")).unwrap();
        let text = format!(
            "[data]\nfolder = {:?}\n[mail]\nserver = \"localhost\"\nport = {}\nuser = \"sara\"\npassword_file = {password:?}\n\
             from = \"Orders <orders@wadi.example>\"\nextra_ca_file = {:?}\n",
            office.folder.path(),
            office.port,
            office.certificate()
        );
        fs::write(&config, text).unwrap();
    };
    let test = || {
        let mut program = Program::new(env!("CARGO_BIN_EXE_qantara"));
        program.arg("--config").arg(&config).args(["mail", "test", "sara@wadi.example", "--language", "ar"]);
        program.env_remove("QANTARA_CONFIG").assert()
    };
    write("guess");
    let said = test().code(3).get_output().stdout.clone();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("does not accept user and password") && !said.contains("guess"), "{said}");
    write("open sesame");
    test().code(0);
    assert_eq!(office.next()["subject"], "رسالة تجريبية من Qantara");
}

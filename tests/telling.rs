//! Alerts told beside mail: a storm is one word, what fails is tried again and shown, and everything that is posted is signed.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::stage::{Cast, Plan, Stage, shop};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use qantara::channel::Channels;
use qantara::channel::telegram::Telegram;
use qantara::channel::webhook::Webhook;
use qantara::config::keys;
use qantara::db::Context as _;
use qantara::db::alert::{self, Cause};
use qantara::db::data_key;
use qantara::db::mail::{self, Filter};
use qantara::db::notice;
use qantara::db::scope::Scope;
use qantara::db::sight::Sight;
use qantara::desk::{Desk, Person, Wish};
use qantara::domain::news::Kind;
use qantara::domain::telling::{Facts, Pace, Stage as Said, Standing, next};
use qantara::engine::letters::Seals;
use qantara::engine::telling::Tongue;
use qantara::mail::letter::Letter;
use qantara::mail::render::render;
use qantara::outgoing::Outgoing;
use qantara::sandbox::shop::cart::Cart;
use qantara::text::{Lang, telling};
use serde_json::Value;
use sha2::Sha256;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const PACE: Pace =
    Pace { settle: MINUTE, remind: SignedDuration::from_hours(24), pause: SignedDuration::from_mins(30) };
const TOKEN: &str = "4711:swordfish-token";
const SECRET: &[u8; 32] = b"thirty-two bytes of no great use";

/// What somebody who listens was sent.
#[derive(Clone, Debug)]
struct Heard {
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn text(&self) -> String {
        self.json()["text"].as_str().unwrap_or_default().to_owned()
    }
}

/// Somebody who listens on this machine and answers as told, else with 200 and `{"ok":true}`.
#[derive(Clone)]
struct Ear {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

impl Ear {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ear = Self { address: listener.local_addr().unwrap(), heard: Arc::default(), answers: Arc::default() };
        let it = ear.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                it.listen(&mut stream.unwrap());
            }
        });
        ear
    }

    fn listen(&self, stream: &mut TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        let length =
            headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, text)| text.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        self.heard.lock().unwrap().push(Heard { path, headers, body: String::from_utf8(body).unwrap() });
        let told = self.answers.lock().unwrap().pop_front();
        let answer = told.unwrap_or("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"ok\":true}");
        stream.write_all(answer.as_bytes()).unwrap();
    }

    fn will_answer(&self, answers: &[&'static str]) {
        self.answers.lock().unwrap().extend(answers);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn outgoing(allow: &[&str]) -> Outgoing {
    let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
    Outgoing::new(&keys::Outgoing { allow, extra_ca_file: None }).unwrap()
}

fn written_secret() -> String {
    format!("whsec_{}", STANDARD.encode(SECRET))
}

/// A bridge that is looked after each minute and speaks by these ways.
fn stage(telegram: Option<&Ear>, webhook: Option<&Ear>) -> Stage {
    stage_by(telegram, webhook, outgoing(&["127.0.0.0/8"]))
}

fn stage_by(telegram: Option<&Ear>, webhook: Option<&Ear>, outgoing: Outgoing) -> Stage {
    let mut stage = Stage::new(Plan { upkeep: MINUTE, ..Plan::default() });
    stage.add(&Cast::default());
    let telegram = telegram.map(|ear| Telegram {
        origin: format!("http://{}", ear.address),
        token: TOKEN.into(),
        chat: "-100200".into(),
    });
    let webhook =
        webhook.map(|ear| Webhook::new(format!("http://{}/hook?x=1", ear.address), &written_secret()).unwrap());
    stage.engine.is_reached_at("https://orders.example.com".to_owned());
    stage.engine.speaks_by(Tongue {
        channels: Channels::new(outgoing, telegram, webhook),
        lang: Lang::En,
        mail_to: Vec::new(),
        zone: TimeZone::UTC,
    });
    stage.start();
    stage
}

fn raise(stage: &Stage, times: u32) {
    let now = stage.clock.now();
    stage
        .db
        .write(move |tx| (0..times).try_for_each(|_| alert::raise(tx, Cause::Failed, "merchant 1", Some(1), now)))
        .unwrap();
}

fn close(stage: &Stage) {
    let now = stage.clock.now();
    stage.db.write(move |tx| alert::close(tx, Cause::Failed, "merchant 1", now)).unwrap();
}

/// What is shown of the first alert: stage and state of each word, oldest first.
fn told(stage: &Stage) -> Vec<(Said, String)> {
    let told = stage.db.read(|c| {
        let sight = Sight::of(c, &Scope::All);
        let alert = sight.alerts()?.into_iter().chain(sight.past_alerts(None, 10)?).min_by_key(|alert| alert.id);
        sight.told_of(&alert.unwrap())
    });
    told.unwrap().into_iter().rev().map(|told| (told.stage, told.state)).collect()
}

#[test]
fn five_thousand_failures_of_one_cause_are_one_word_and_one_when_it_is_over() {
    let ear = Ear::new();
    let stage = stage(Some(&ear), None);
    for _ in 0..5 {
        raise(&stage, 1_000);
        stage.hand.advance(SignedDuration::from_secs(5));
    }
    stage.pass(MINUTE * 3);
    let words = ear.heard();
    assert_eq!(words.len(), 1, "{words:?}");
    assert_eq!(words[0].path, format!("/bot{TOKEN}/sendMessage"));
    assert_eq!(words[0].json()["chat_id"], "-100200");
    let text = words[0].text();
    for part in [
        "Alert: An order was given up",
        "wadi",
        "It came 5000 times",
        "What to do: ",
        "https://orders.example.com/alerts",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    stage.pass(HOUR * 2);
    assert_eq!(ear.heard().len(), 1, "while it stands nothing more is said");
    close(&stage);
    stage.pass(MINUTE * 3);
    let words = ear.heard();
    assert_eq!(words.len(), 2);
    assert!(words[1].text().starts_with("Over: An order was given up"), "{}", words[1].text());
    assert!(!words[1].text().contains("What to do"));
    stage.pass(HOUR * 30);
    assert_eq!(ear.heard().len(), 2);
    assert_eq!(told(&stage), [(Said::Opened, "sent".to_owned()), (Said::Over, "sent".to_owned())]);
}

#[test]
fn what_stands_is_told_again_after_a_day() {
    let ear = Ear::new();
    let stage = stage(Some(&ear), None);
    raise(&stage, 1);
    stage.pass(HOUR * 50);
    let firsts: Vec<String> =
        ear.heard().iter().map(|heard| heard.text().split(':').next().unwrap().to_owned()).collect();
    assert_eq!(firsts, ["Alert", "Still so", "Still so"]);
}

#[test]
fn what_ends_at_once_is_told_to_nobody() {
    let ear = Ear::new();
    let stage = stage(Some(&ear), None);
    raise(&stage, 3);
    stage.hand.advance(SignedDuration::from_secs(20));
    close(&stage);
    stage.pass(HOUR);
    assert!(ear.heard().is_empty());
}

#[test]
fn a_webhook_is_signed_and_carries_the_same_id_at_every_try() {
    let ear = Ear::new();
    ear.will_answer(&[
        "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Slow\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n",
    ]);
    let stage = stage(None, Some(&ear));
    raise(&stage, 2);
    stage.pass(MINUTE * 5);
    assert_eq!(ear.heard().len(), 2, "the second answer asked for ten minutes");
    stage.pass(MINUTE * 10);
    let words = ear.heard();
    assert_eq!(words.len(), 3);
    for word in &words {
        assert_eq!((word.path.as_str(), word.header("webhook-id")), ("/hook?x=1", words[0].header("webhook-id")));
        let signed = format!("{}.{}.{}", word.header("webhook-id"), word.header("webhook-timestamp"), word.body);
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(word.header("webhook-signature"), expected);
    }
    assert_ne!(words[0].header("webhook-timestamp"), words[2].header("webhook-timestamp"));
    let body = words[2].json();
    assert_eq!((&body["type"], &body["data"]["cause"]), (&"alert.opened".into(), &"failed".into()));
    assert_eq!((&body["data"]["merchant"], &body["data"]["count"]), (&"wadi".into(), &2.into()));
    assert_eq!(told(&stage), [(Said::Opened, "sent".to_owned())]);
}

#[test]
fn a_way_that_fails_is_told_by_the_other() {
    let (telegram, webhook) = (Ear::new(), Ear::new());
    const REFUSED: &str =
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 47\r\n\r\n{\"ok\":false,\"description\":\"Unauthorized token\"} ";
    telegram.will_answer(&[REFUSED; 3]);
    let stage = stage(Some(&telegram), Some(&webhook));
    raise(&stage, 1);
    stage.pass(MINUTE * 10);
    let causes =
        |ear: &Ear| -> Vec<Value> { ear.heard().iter().map(|heard| heard.json()["data"]["cause"].clone()).collect() };
    assert_eq!(telegram.heard().len(), 1, "a token that is refused is not tried again, nor told of by its own way");
    assert_eq!(causes(&webhook), ["failed", "messages"]);
    assert!(told(&stage).contains(&(Said::Opened, "failed".to_owned())), "{:?}", told(&stage));
    let problem = stage.db.read(|c| {
        let sight = Sight::of(c, &Scope::All);
        let all = sight.alerts()?.iter().map(|alert| sight.told_of(alert)).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().flatten().find_map(|told| told.problem).unwrap())
    });
    let problem = problem.unwrap();
    assert!(problem.contains("Unauthorized token") && problem.contains("alerts.telegram_token_file"), "{problem}");
    assert!(!problem.contains(TOKEN), "{problem}");
}

#[test]
fn a_private_address_wants_an_exception() {
    let ear = Ear::new();
    let stage = stage_by(None, Some(&ear), outgoing(&[]));
    raise(&stage, 1);
    stage.pass(MINUTE * 5);
    assert!(ear.heard().is_empty());
    let first = stage.db.read(|c| notice::first(c, "webhook")).unwrap().unwrap();
    assert!(first.0.failures > 0);
    let shown = stage.db.read(|c| {
        let sight = Sight::of(c, &Scope::All);
        sight.told_of(sight.alerts()?.iter().find(|alert| alert.cause == "failed").unwrap())
    });
    let problem = shown.unwrap()[0].problem.clone().unwrap();
    assert!(problem.contains("outgoing"), "{problem}");
}

#[test]
fn a_merchants_bad_key_says_how_many_orders_wait() {
    let ear = Ear::new();
    let stage = stage(Some(&ear), None);
    let facts = |waiting| Facts {
        alert: 1,
        cause: "trouble".into(),
        merchant: Some(("Wadi".into(), "wadi".into())),
        particular: None,
        count: 1,
        waiting,
        opened_at: stage.clock.now(),
        closed_at: None,
    };
    let text = |lang, facts: &Facts| telling::text(lang, Said::Opened, facts, "https://orders.example.com/alerts");
    assert!(text(Lang::En, &facts(Some(214))).contains("214 orders wait"));
    assert!(text(Lang::Ar, &facts(Some(214))).contains("214 طلبًا ينتظر"));
    assert!(!text(Lang::En, &facts(Some(0))).contains("wait\n"));
    assert!(ear.heard().is_empty());
}

#[test]
fn orders_that_wait_for_a_revoked_key_are_counted() {
    let ear = Ear::new();
    let stage = stage(Some(&ear), None);
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    stage.account("one", |account| assert!(account.revoke("key-one")));
    for _ in 0..7 {
        stage.deliver(&shop.buy(&Cart::of(&[(shelf[0], 1)]), stage.clock.now()).unwrap().1);
    }
    stage.pass(MINUTE * 5);
    let words = ear.heard();
    assert_eq!(words.len(), 1, "{words:?}");
    let text = words[0].text();
    assert!(text.contains("A merchant's key or address does not work") && text.contains("7 orders wait"), "{text}");
}

#[test]
fn a_secret_that_is_none_is_refused_with_how_to_make_one() {
    for bad in ["", "hush", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", &STANDARD.encode(SECRET)] {
        let error = Webhook::new("https://example.com/".into(), bad).unwrap_err().to_string();
        assert!(error.contains("whsec_") && error.contains("/dev/urandom"), "{bad}: {error}");
    }
    assert!(Webhook::new("https://example.com/".into(), &format!(" {}\n", written_secret())).is_ok());
}

/// The stage of somebody who listens at a webhook and gets mails, which nobody sends: they stay in the outbox.
fn stage_with_mails(webhook: &Ear) -> Stage {
    let mut stage = Stage::new(Plan { upkeep: MINUTE, ..Plan::default() });
    stage.add(&Cast::default());
    let (sealed, now) = (stage.vault.seal_data_key(1, &stage.data_key), stage.clock.now());
    stage.db.write(move |tx| data_key::add(tx, 1, &sealed, now)).unwrap();
    let webhook = Webhook::new(format!("http://{}/hook?x=1", webhook.address), &written_secret()).unwrap();
    stage.engine.is_reached_at("https://orders.example.com".to_owned());
    stage.engine.speaks_by(Tongue {
        channels: Channels::new(outgoing(&["127.0.0.0/8"]), None, Some(webhook)),
        lang: Lang::Ar,
        mail_to: vec!["ops@example.com".into(), "night@example.com".into()],
        zone: TimeZone::get("Asia/Riyadh").unwrap(),
    });
    stage.engine.open_outbox(true).unwrap();
    stage.start();
    stage
}

/// The mails in the outbox, oldest first: to whom, and what they say.
fn mails(stage: &Stage) -> Vec<(String, Letter)> {
    let (mails, key) = stage.db.read(|c| Ok((mail::list(c, Filter::default(), 100)?, data_key::newest(c)?))).unwrap();
    let seals = Seals::of(&stage.vault, key.as_ref()).unwrap();
    mails.iter().rev().map(|mail| (seals.recipient(mail).unwrap(), seals.letter(mail).unwrap())).collect()
}

#[test]
fn those_who_run_the_server_get_each_alert_once_by_mail() {
    let ear = Ear::new();
    let stage = stage_with_mails(&ear);
    raise(&stage, 40);
    stage.pass(HOUR);
    close(&stage);
    stage.pass(MINUTE * 3);
    let mails: Vec<(String, Letter)> =
        mails(&stage).into_iter().filter(|(_, letter)| letter.alert.as_ref().unwrap().1.cause == "failed").collect();
    let told: Vec<(&str, Said, i64)> = mails
        .iter()
        .map(|(to, letter)| (to.as_str(), letter.alert.as_ref().unwrap().0, letter.alert.as_ref().unwrap().1.count))
        .collect();
    let expected = [
        ("ops@example.com", Said::Opened, 40),
        ("night@example.com", Said::Opened, 40),
        ("ops@example.com", Said::Over, 40),
        ("night@example.com", Said::Over, 40),
    ];
    assert_eq!(told, expected);
    let mail = render(&mails[0].1, 1);
    assert!(mail.subject.starts_with("تنبيه: "), "{}", mail.subject);
    assert!(mail.html.contains("dir=\"rtl\"") && mail.html.contains("https://orders.example.com/alerts"));
    assert!(mail.text.contains("حدث 40 مرة"), "{}", mail.text);
}

#[test]
fn that_mails_fail_is_told_by_another_way() {
    let ear = Ear::new();
    let stage = stage_with_mails(&ear);
    raise(&stage, 1);
    stage.pass(MINUTE * 5);
    stage.db.write(|tx| tx.execute("update mail set failures = 3", []).during("let mails fail")).unwrap();
    stage.pass(MINUTE * 40);
    let causes: Vec<Value> = ear.heard().iter().map(|heard| heard.json()["data"]["cause"].clone()).collect();
    assert_eq!(causes, ["failed", "messages"]);
    assert!(mails(&stage).iter().all(|(_, letter)| letter.alert.as_ref().unwrap().1.cause != "messages"));
}

#[test]
fn that_every_mail_is_refused_is_told_by_another_way() {
    let ear = Ear::new();
    let stage = stage_with_mails(&ear);
    raise(&stage, 1);
    stage.pass(MINUTE * 3);
    close(&stage);
    stage.pass(MINUTE * 3);
    let refused = r#"{"problem":"refused","code":550,"words":"relaying denied"}"#;
    stage
        .db
        .write(move |tx| {
            let sql = "update mail set state = 'failed', due_at = null, problem = ?1";
            tx.execute(sql, [refused]).during("let mails be refused")
        })
        .unwrap();
    stage.pass(MINUTE * 5);
    let causes: Vec<Value> = ear.heard().iter().map(|heard| heard.json()["data"]["cause"].clone()).collect();
    assert_eq!(causes, ["failed", "failed", "messages"]);

    // The server is mended: a person sends one again, which is not a merchant's.
    let one = || stage.db.read(|c| mail::list(c, Filter::default(), 100)).unwrap().pop().unwrap();
    let desk = Desk { db: &stage.db, vault: &stage.vault, policy: stage.settings.policy };
    let resend = |slug: Option<&str>| {
        let wish = Wish::MailResend { slug: slug.map(str::to_owned), mail_id: one().id };
        desk.perform(wish, stage.clock.now(), Person::AT_THE_COMMAND_LINE).is_ok()
    };
    assert!(!resend(Some("wadi")));
    assert_eq!(one().state, mail::State::Failed);
    assert!(resend(None));
    assert_eq!(one().state, mail::State::Queued);
}

#[test]
fn what_a_closed_merchant_left_is_nobodys_alert() {
    let ear = Ear::new();
    let stage = stage_with_mails(&ear);
    let now = stage.clock.now();
    stage
        .db
        .write(move |tx| {
            [Cause::ShopApi, Cause::Failed, Cause::Unread]
                .into_iter()
                .try_for_each(|cause| alert::raise(tx, cause, "merchant 1", Some(1), now))
        })
        .unwrap();
    stage.pass(MINUTE * 3);
    assert_eq!(stage.db.read(alert::open).unwrap().len(), 3);
    stage.wish(Wish::MerchantClose { slug: "wadi".into() });
    stage.pass(MINUTE * 3);
    assert!(stage.db.read(alert::open).unwrap().is_empty());
}

#[test]
fn the_day_is_told_once_in_the_morning() {
    let ear = Ear::new();
    let stage = stage_with_mails(&ear);
    stage.wish(Wish::MailRecipientAdd {
        slug: "wadi".into(),
        address: "shop@example.com".into(),
        language: "en".into(),
        kinds: [Kind::Summary].into(),
    });
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    for _ in 0..3 {
        stage.deliver(&shop.buy(&Cart::of(&[(shelf[0], 1)]), stage.clock.now()).unwrap().1);
    }
    stage.until_idle(HOUR);
    let seven: Timestamp = "2026-06-18T04:00:00Z".parse().unwrap();
    stage.pass(seven.duration_since(stage.clock.now()) - MINUTE);
    let summaries = |stage: &Stage| -> Vec<(String, Letter)> {
        mails(stage).into_iter().filter(|(_, letter)| letter.kind == Kind::Summary).collect()
    };
    assert_eq!(summaries(&stage).len(), 0, "before seven nobody is told");
    stage.pass(MINUTE * 3);
    let told = summaries(&stage);
    let to: Vec<&str> = told.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["shop@example.com", "ops@example.com", "night@example.com"]);
    let stage = stage.restart(MINUTE);
    let mail = render(&told[0].1, 1);
    assert_eq!(mail.subject, "Summary of 2026-06-17 – Wadi".replace("Wadi", &told[0].1.merchant));
    for part in ["Orders: 3", "invoiced: 3", "https://orders.example.com/merchants/wadi/statements/2026-06-17"] {
        assert!(mail.text.to_lowercase().contains(&part.to_lowercase()), "{part} is missing in {}", mail.text);
    }
    let all = render(&told[1].1, 1);
    assert!(
        all.subject.starts_with("ملخص ") && all.subject.contains("2026-06-17") && all.text.contains("لا تنبيه مفتوحًا"),
        "{}",
        all.text
    );
    assert_eq!(summaries(&stage).len(), 3);
}

#[test]
fn each_way_can_be_tried_from_the_command_line() {
    let ear = Ear::new();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let run = |config: &str| {
        let mut command = assert_cmd::Command::cargo_bin("qantara").unwrap();
        command.args(["--config", &file("config.toml", config), "alert", "test"]).output().unwrap()
    };
    let nothing = run("");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(String::from_utf8(nothing.stderr).unwrap().contains("alerts.mail_to"));

    let (token, secret) = (file("token", TOKEN), file("secret", &written_secret()));
    let address = ear.address;
    let config = format!(
        "[alerts]\nwebhook_url = \"http://{address}/hook\"\nwebhook_secret_file = \"{secret}\"\n\
         telegram_address = \"http://{address}\"\ntelegram_chat = \"-1\"\ntelegram_token_file = \"{token}\"\n\
         [outgoing]\nallow = [\"127.0.0.1\"]\n"
    );
    let good = run(&config);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    let heard: Vec<String> = ear.heard().into_iter().map(|heard| heard.path).collect();
    assert_eq!(heard, [format!("/bot{TOKEN}/sendMessage"), "/hook".to_owned()]);
    assert_eq!(ear.heard()[1].json()["type"], "alert.trial");

    ear.will_answer(&[
        "HTTP/1.1 400 Bad\r\nContent-Length: 47\r\n\r\n{\"ok\":false,\"description\":\"chat not found\"}    ",
    ]);
    let bad = run(&config);
    assert_eq!(bad.status.code(), Some(3));
    let said = String::from_utf8(bad.stdout).unwrap();
    assert!(
        said.contains("telegram: not sent") && said.contains("chat not found") && said.contains("webhook: sent"),
        "{said}"
    );
    assert!(!said.contains(TOKEN));
}

/// One alert as the database would keep it.
#[derive(Clone, Debug)]
struct Row {
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    told: Option<(Said, Timestamp)>,
}

/// Plays minutes in which the cause comes, goes or stays, and notes what is said when.
fn play(minutes: &[u8]) -> (Vec<Row>, Vec<(Said, usize, Timestamp)>, Timestamp) {
    let (mut rows, mut said) = (Vec::<Row>::new(), Vec::new());
    let mut now: Timestamp = common::stage::START.parse().unwrap();
    for minute in minutes {
        now += MINUTE;
        let open = rows.iter().position(|row| row.closed_at.is_none());
        match (minute % 8, open) {
            (0 | 1, None) => rows.push(Row { opened_at: now, closed_at: None, told: None }),
            (2, Some(open)) => rows[open].closed_at = Some(now),
            _ => {}
        }
        for at in 0..rows.len() {
            let told_before = rows[..at].iter().filter_map(|row| row.told.map(|(_, told)| told)).max();
            let Row { opened_at, closed_at, told } = rows[at];
            if let Some((stage, from)) = next(&Standing { opened_at, closed_at, told, told_before }, PACE)
                && from <= now
            {
                rows[at].told = Some((stage, now));
                said.push((stage, at, now));
            }
        }
    }
    (rows, said, now)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    /// Whatever comes and goes: each alert opens once and is over once, in that order; nothing that stands stays unsaid; and
    /// nobody hears more than the pace allows.
    #[test]
    fn a_storm_is_told_in_order_and_within_bounds(minutes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let (rows, said, now) = play(&minutes);
        for (at, row) in rows.iter().enumerate() {
            let words: Vec<Said> = said.iter().filter(|(_, of, _)| *of == at).map(|(stage, ..)| *stage).collect();
            let middle = words.iter().skip(1).take_while(|stage| **stage == Said::Reminder).count();
            match words.as_slice() {
                [] => {
                    let lived = row.closed_at.unwrap_or(now).duration_since(row.opened_at);
                    prop_assert!(lived <= PACE.settle + PACE.pause, "{lived} and not a word");
                }
                [Said::Opened, rest @ ..] => {
                    let ends = &rest[middle..];
                    let right: &[Said] = if row.closed_at.is_some() { &[Said::Over] } else { &[] };
                    prop_assert_eq!(ends, right);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let openings: Vec<Timestamp> = said.iter().filter(|(stage, ..)| *stage == Said::Opened).map(|(.., at)| *at).collect();
        for pair in openings.windows(2) {
            prop_assert!(pair[1].duration_since(pair[0]) >= PACE.pause);
        }
    }
}

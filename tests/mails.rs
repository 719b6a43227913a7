//! Mails from the first news to the mail server: who gets what, exactly once, and what a bad day of the server does to them.
//! The server is a fake one that fails where it is told to; `tests/post.rs` sends to a real one.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;
#[path = "mails/looks.rs"]
mod looks;
mod post_office;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use mail_parser::{MessageParser, MimeHeaders as _};
use post_office::{Fault, PostOffice, Taken, nobody};
use qantara::config::Config;
use qantara::db::mail::{self, Mail, State};
use qantara::db::merchant::Mode;
use qantara::db::order;
use qantara::db::{Context as _, data_key};
use qantara::desk::Wish;
use qantara::desk::mail::Words;
use qantara::domain::news::{Kind, Problem};
use qantara::domain::retry::Backoff;
use qantara::engine::outbox::{MOST_AN_HOUR, MOST_DOUBTS, Outbox, Rules};
use qantara::engine::worker::Step;
use qantara::mail::post::{self, Security, Server};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Cart, Edit, Product, Refund, Restock, VariantId};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The usual merchant with a data key, and with mails on.
fn stage() -> Stage {
    let mut stage = Stage::new(Plan::default());
    stage.add(&Cast::default());
    let (sealed, now) = (stage.vault.seal_data_key(1, &stage.data_key), stage.clock.now());
    stage.db.write(move |tx| data_key::add(tx, 1, &sealed, now)).unwrap();
    stage.engine.is_reached_at("https://orders.example".to_owned());
    stage.engine.open_outbox(true).unwrap();
    stage.start();
    stage
}

fn subscribe(stage: &Stage, address: &str, language: &str, kinds: &[Kind]) {
    stage.wish(Wish::MailRecipientAdd {
        slug: "wadi".into(),
        address: address.into(),
        language: language.into(),
        kinds: kinds.iter().copied().collect(),
    });
}

fn outbox_at(address: SocketAddr) -> Outbox {
    outbox(address, Security::None, None)
}

fn outbox(address: SocketAddr, security: Security, authority: Option<&Path>) -> Outbox {
    // As long as a machine that is busy may take for an answer that comes.
    let patience = Duration::from_secs(20);
    Outbox::new(rules(address, security, authority, patience))
}

fn rules(address: SocketAddr, security: Security, authority: Option<&Path>, timeout: Duration) -> Rules {
    let server = Server::new(address.ip().to_string(), address.port(), security, None, timeout, authority).unwrap();
    Rules {
        server,
        from: post::mailbox("Orders <orders@wadi.example>").unwrap(),
        retry: Backoff { first: MINUTE, longest: HOUR },
        give_up: SignedDuration::from_hours(48),
    }
}

/// Works on the outbox until nothing is due at this moment.
fn work(stage: &Stage, outbox: &mut Outbox) {
    while stage.engine.mail_once(outbox) == Step::Done {}
}

/// So much time passes at once.
fn later(stage: &Stage, gap: SignedDuration) {
    stage.hand.advance(gap);
    stage.hand.rest();
}

fn mails(stage: &Stage) -> Vec<Mail> {
    let mut all = stage.db.read(|c| mail::list(c, mail::Filter::default(), 10_000)).unwrap();
    all.reverse();
    all
}

fn wadi() -> (Shop, Vec<VariantId>) {
    shop("wadi.myshopify.com", "hush", 1)
}

fn header(taken: &Taken, name: &str) -> String {
    let text = String::from_utf8(taken.bytes.clone()).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    value.unwrap_or_default().to_owned()
}

fn buy(stage: &Stage, shop: &mut Shop, shelf: &[VariantId]) -> qantara::sandbox::shop::cart::OrderId {
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    order
}

#[test]
fn everybody_is_told_in_their_language_once() {
    let stage = stage();
    let office = PostOffice::open();
    let mut outbox = outbox_at(office.address);
    subscribe(&stage, "sara@wadi.example", "ar", &Kind::OF_ORDERS);
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    let order = buy(&stage, &mut shop, &shelf);
    work(&stage, &mut outbox);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    stage.deliver(&shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    // The same bodies again, and a look by hand, are no news.
    stage.try_again(&stage.orders()[0]);
    stage.until_idle(HOUR);
    work(&stage, &mut outbox);

    let told: Vec<(String, Kind, State)> = {
        let opened = |one: &Mail| (one.key.clone(), one.kind, one.state);
        mails(&stage).iter().map(opened).collect()
    };
    assert_eq!(told.iter().map(|one| one.1).collect::<Vec<_>>(), [Kind::Created, Kind::Created, Kind::Cancelled]);
    assert!(told.iter().all(|one| one.2 == State::Sent), "{told:?}");
    let taken = office.taken();
    let to: Vec<&str> = taken.iter().map(|one| one.to.as_str()).collect();
    assert_eq!(to, ["sara@wadi.example", "omar@wadi.example", "sara@wadi.example"]);
    assert!(taken.iter().all(|one| one.from == "orders@wadi.example"));
    assert_eq!(office.connections(), 1, "one connection for all");

    for one in &taken {
        let parsed = MessageParser::new().parse(&one.bytes).expect("a mail that others can read");
        assert!(parsed.message_id().unwrap().ends_with("@wadi.example"));
        assert_eq!(header(one, "Auto-Submitted"), "auto-generated");
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        assert_eq!((parsed.text_body_count(), parsed.attachment_count()), (1, 0));
        assert!(parsed.html_part(0).unwrap().is_content_type("text", "html"));
        for part in [&text, &html] {
            assert!(part.contains("https://orders.example/orders/1"), "{part}");
            assert!(part.contains("/owner/invoices/view/"), "{part}");
            assert!(part.contains("#1001") && part.contains("SAR"), "{part}");
        }
        assert!(!html.contains("<img") && !html.contains("http://www"), "nothing is loaded from elsewhere");
        let is_arabic = one.to.starts_with("sara");
        assert_eq!(html.contains("dir=\"rtl\""), is_arabic);
        assert_eq!(parsed.subject().unwrap().contains("للطلب"), is_arabic, "{:?}", parsed.subject());
    }
    let ids: BTreeSet<String> = taken.iter().map(|one| header(one, "Message-ID")).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn only_live_merchants_and_only_what_somebody_wants() {
    let stage = stage();
    let mut outbox = outbox_at(nobody());
    let (mut shop, shelf) = wadi();
    buy(&stage, &mut shop, &shelf);
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Held]);
    buy(&stage, &mut shop, &shelf);
    work(&stage, &mut outbox);
    assert!(mails(&stage).is_empty(), "nobody wants to know of invoices");

    let mut shadow = stage_in(Mode::Shadow);
    subscribe(&shadow, "omar@wadi.example", "en", &Kind::OF_ORDERS);
    let (mut shop, shelf) = wadi();
    buy(&shadow, &mut shop, &shelf);
    work(&shadow, &mut outbox);
    assert!(mails(&shadow).is_empty(), "in shadow nothing happened");
    shadow.engine.open_outbox(false).unwrap();
    shadow.stop();
}

fn stage_in(mode: Mode) -> Stage {
    let mut stage = Stage::new(Plan::default());
    stage.add(&Cast { mode, ..Cast::default() });
    let (sealed, now) = (stage.vault.seal_data_key(1, &stage.data_key), stage.clock.now());
    stage.db.write(move |tx| data_key::add(tx, 1, &sealed, now)).unwrap();
    stage.engine.open_outbox(true).unwrap();
    stage.start();
    stage
}

#[test]
fn an_edit_tells_what_changed() {
    let stage = stage();
    let office = PostOffice::open();
    let mut outbox = outbox_at(office.address);
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Updated]);
    let (mut shop, shelf) = wadi();
    let order = buy(&stage, &mut shop, &shelf);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    stage.pass(MINUTE);
    let edits = [Edit::SetQuantity { line, to: 1, restock: true }];
    stage.deliver(&shop.edit(order, &edits, stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    work(&stage, &mut outbox);
    let taken = office.taken();
    assert_eq!(taken.len(), 1);
    let text = MessageParser::new().parse(&taken[0].bytes).unwrap().body_text(0).unwrap().into_owned();
    assert!(text.contains("What changed") && text.contains("Changed: ") && text.contains('→'), "{text}");
}

#[test]
fn a_storm_is_counted() {
    let stage = stage();
    let office = PostOffice::open();
    let mut outbox = outbox_at(office.address);
    subscribe(&stage, "omar@wadi.example", "en", &Kind::OF_ORDERS);
    let (mut shop, _) = wadi();
    let stranger = shop.sell(Product { sku: "LAMP-9".into(), ..Product::samples(2).remove(0) });
    let storm = MOST_AN_HOUR + 5;
    for _ in 0..storm {
        let (_, deliveries) = shop.buy(&Cart::of(&[(stranger, 1)]), stage.clock.now()).unwrap();
        stage.deliver(&deliveries);
    }
    stage.pass(MINUTE);
    work(&stage, &mut outbox);
    let held = mails(&stage).iter().filter(|one| one.kind == Kind::Held).count();
    assert_eq!(held, usize::try_from(MOST_AN_HOUR).unwrap());
    assert_eq!(office.taken().len(), held, "the rest waits for the end of the hour");
    stage.pass(HOUR);
    work(&stage, &mut outbox);
    let more: Vec<Mail> = mails(&stage).into_iter().filter(|one| one.kind == Kind::More).collect();
    assert_eq!(more.iter().map(|one| (one.count, one.state)).collect::<Vec<_>>(), [(5, State::Sent)]);
    let taken = office.taken();
    let text = MessageParser::new().parse(&taken.last().unwrap().bytes).unwrap().body_text(0).unwrap().into_owned();
    assert!(text.contains("5 more orders"), "{text}");
}

/// What one mail comes to after the server's bad day, and how many copies there are.
fn after(faults: &[Fault]) -> (Mail, Vec<Taken>, Stage, PostOffice, Outbox) {
    let stage = stage();
    let office = PostOffice::open();
    let mut outbox = outbox_at(office.address);
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    buy(&stage, &mut shop, &shelf);
    office.will(faults);
    work(&stage, &mut outbox);
    let mail = mails(&stage).pop().unwrap();
    (mail, office.taken(), stage, office, outbox)
}

#[test]
fn whatever_the_server_does_one_copy_arrives_or_the_mail_is_seen_to_have_failed() {
    for fault in [
        Fault::HangUp,
        Fault::Sender("421 closing"),
        Fault::Sender("451 later"),
        Fault::Sender("550 not you"),
        Fault::Recipient("450 greylisted"),
        Fault::Recipient("421 closing"),
        Fault::Whole("452 full"),
    ] {
        let (mail, taken, stage, office, mut outbox) = after(&[fault]);
        assert_eq!((mail.state, mail.failures, mail.doubts, taken.len()), (State::Queued, 1, 0, 0), "{fault:?}");
        assert!(mail.problem.is_some() && mail.due_at > Some(stage.clock.now()), "{fault:?}: {mail:?}");
        work(&stage, &mut outbox);
        assert!(office.taken().is_empty(), "{fault:?}: not before its time");
        stage.pass(HOUR);
        work(&stage, &mut outbox);
        let mail = mails(&stage).pop().unwrap();
        assert_eq!((mail.state, office.taken().len()), (State::Sent, 1), "{fault:?}: {mail:?}");
    }
    for fault in [Fault::Recipient("550 5.1.1 <omar@wadi.example> is nobody here"), Fault::Whole("554 no")] {
        let (mail, taken, stage, office, mut outbox) = after(&[fault]);
        assert_eq!((mail.state, taken.len()), (State::Failed, 0), "{fault:?}");
        let Some(Problem::Refused { words, .. }) = &mail.problem else { panic!("{fault:?}: {mail:?}") };
        assert!(!words.contains('@'), "no address is kept in clear: {words}");
        later(&stage, HOUR * 60);
        work(&stage, &mut outbox);
        assert!(office.taken().is_empty(), "{fault:?}: not by itself");
        stage.wish(Wish::MailResend { slug: Some("wadi".into()), mail_id: mail.id });
        work(&stage, &mut outbox);
        assert_eq!((mails(&stage)[0].state, office.taken().len()), (State::Sent, 1), "{fault:?}");
    }
}

#[test]
fn a_lost_answer_is_sent_again_as_the_same_mail_and_shown_as_such() {
    let (mail, taken, stage, office, mut outbox) = after(&[Fault::LoseAnswer]);
    assert_eq!((mail.state, mail.doubts, taken.len()), (State::Queued, 1, 1));
    assert_eq!(mail.problem, Some(Problem::InDoubt));
    stage.pass(HOUR);
    work(&stage, &mut outbox);
    let (mail, taken) = (mails(&stage).pop().unwrap(), office.taken());
    assert_eq!((mail.state, mail.doubts, taken.len()), (State::Sent, 1, 2));
    assert_eq!(taken[0].bytes, taken[1].bytes, "the same mail, to the last byte");
    assert!(header(&taken[0], "Message-ID").contains(&mail.message_id));

    // Cut in the middle, the server surely has not got it; we cannot know.
    let (mail, taken, stage, office, mut outbox) = after(&[Fault::CutInData]);
    assert_eq!((mail.state, mail.doubts, taken.len()), (State::Queued, 1, 0));
    stage.pass(HOUR);
    work(&stage, &mut outbox);
    assert_eq!((mails(&stage)[0].state, office.taken().len()), (State::Sent, 1));

    // Not for ever: copies may pile up somewhere.
    let faults = vec![Fault::LoseAnswer; 10];
    let (_, _, stage, office, mut outbox) = after(&faults);
    for _ in 0..10 {
        stage.pass(HOUR);
        work(&stage, &mut outbox);
    }
    let mail = mails(&stage).pop().unwrap();
    assert_eq!((mail.state, mail.problem), (State::Failed, Some(Problem::InDoubt)));
    assert_eq!(office.taken().len(), usize::try_from(MOST_DOUBTS).unwrap());
}

#[test]
fn what_was_under_way_when_the_program_ended_is_in_doubt() {
    let (mail, _, stage, office, _) = after(&[]);
    assert_eq!(mail.state, State::Sent);
    let id = mail.id;
    // As a crash between the server's answer and our note leaves it.
    stage.wish(Wish::MailResend { slug: Some("wadi".into()), mail_id: id });
    let now = stage.clock.now();
    assert_eq!(stage.db.write(move |tx| mail::take(tx, now)).unwrap().unwrap().id, id);
    stage.engine.open_outbox(true).unwrap();
    let mail = mails(&stage).pop().unwrap();
    assert_eq!((mail.state, mail.doubts, mail.problem), (State::Queued, 1, Some(Problem::InDoubt)));
    work(&stage, &mut outbox_at(office.address));
    let taken = office.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!(header(&taken[0], "Message-ID"), header(&taken[1], "Message-ID"));
}

#[test]
fn no_server_no_mail_and_no_order_waits() {
    let stage = stage();
    let mut outbox = outbox_at(nobody());
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    for _ in 0..3 {
        buy(&stage, &mut shop, &shelf);
    }
    work(&stage, &mut outbox);
    assert!(stage.orders().iter().all(|order| order.state == order::State::Settled));
    let tried = |stage: &Stage| mails(stage).iter().filter(|one| one.failures > 0).count();
    assert_eq!((mails(&stage).len(), tried(&stage)), (3, 1), "the first says it for all");
    assert!(mails(&stage).iter().any(|one| one.problem == Some(Problem::Unreachable)));
    for _ in 0..60 {
        later(&stage, HOUR);
        work(&stage, &mut outbox);
    }
    assert!(mails(&stage).iter().any(|one| one.state == State::Failed), "two days are enough");
}

#[test]
fn a_server_that_says_nothing_is_hung_up_on() {
    let (stage, office) = (stage(), PostOffice::open());
    let mut outbox = Outbox::new(rules(office.address, Security::None, None, Duration::from_millis(100)));
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    buy(&stage, &mut shop, &shelf);
    office.will(&[Fault::Silent]);
    work(&stage, &mut outbox);
    let mail = mails(&stage).pop().unwrap();
    assert_eq!((mail.state, mail.doubts), (State::Queued, 0));
    // On a busy machine it may be hung up on before.
    assert!(matches!(mail.problem, Some(Problem::Cut | Problem::Unreachable)), "{:?}", mail.problem);
}

#[test]
fn a_certificate_of_somebody_else_gets_no_mail() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let file = folder.path().join("authority.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let office = PostOffice::with_tls(config);
    let stage = stage();
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    buy(&stage, &mut shop, &shelf);
    work(&stage, &mut outbox(office.address, Security::Tls, None));
    let mail = mails(&stage).pop().unwrap();
    assert_eq!((mail.state, mail.problem), (State::Queued, Some(Problem::Tls)));
    assert!(office.taken().is_empty());
    stage.pass(HOUR);
    work(&stage, &mut outbox(office.address, Security::Tls, Some(&file)));
    assert_eq!((mails(&stage)[0].state, office.taken().len()), (State::Sent, 1));

    // STARTTLS is not offered: nothing is said in clear.
    let plain = PostOffice::open();
    buy(&stage, &mut shop, &shelf);
    work(&stage, &mut outbox(plain.address, Security::StartTls, None));
    assert_eq!(mails(&stage).pop().unwrap().problem, Some(Problem::NoStarttls));
    assert!(plain.taken().is_empty());
}

#[test]
fn a_merchants_own_words_and_a_trial() {
    let stage = stage();
    let office = PostOffice::open();
    let mut outbox = outbox_at(office.address);
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    buy(&stage, &mut shop, &shelf);
    let own = Words {
        subject: "Sold: {order} ({invoice})".into(),
        greeting: "Dear team,\nthere is news.".into(),
        closing: "Yours, {merchant} {total}".into(),
    };
    stage.wish(Wish::MailWords { slug: "wadi".into(), kind: Kind::Created, language: "en".into(), own: Some(own) });
    stage.wish(Wish::MailTrial {
        slug: "wadi".into(),
        kind: Kind::Created,
        language: "en".into(),
        recipient_id: 1,
        origin: None,
    });
    work(&stage, &mut outbox);
    let taken = office.taken();
    let subjects: Vec<String> =
        taken.iter().map(|one| MessageParser::new().parse(&one.bytes).unwrap().subject().unwrap().to_owned()).collect();
    assert_eq!(subjects.len(), 2);
    // The news was made into a mail when the words were there.
    assert!(subjects.iter().any(|subject| subject.starts_with("Sold: #1001 (")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.starts_with("Trial: Sold: #1001")), "{subjects:?}");
    let text = MessageParser::new().parse(&taken[0].bytes).unwrap().body_text(0).unwrap().into_owned();
    assert!(text.contains("there is news.") && text.contains("Yours, wadi 698.00 SAR"), "{text}");
}

#[test]
fn who_is_forgotten_is_in_no_mail() {
    let stage = stage();
    let mut outbox = outbox_at(nobody());
    subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
    let (mut shop, shelf) = wadi();
    let order = buy(&stage, &mut shop, &shelf);
    work(&stage, &mut outbox);
    assert!(mails(&stage)[0].content.is_some());
    let id = stage.orders()[0].id;
    let now = stage.clock.now();
    stage.db.write(move |tx| mail::forget(tx, id, now)).unwrap();
    let mail = mails(&stage).pop().unwrap();
    assert_eq!((mail.content, mail.state, mail.problem), (None, State::Failed, Some(Problem::Forgotten)));
    assert!(order.0 > 0);
}

/// Neither addresses nor what mails say stands in the file in clear.
#[test]
fn what_the_outbox_keeps_is_sealed() {
    let stage = stage();
    let office = PostOffice::open();
    subscribe(&stage, "zubaida@wadi.example", "en", &Kind::OF_ORDERS);
    let (mut shop, shelf) = wadi();
    buy(&stage, &mut shop, &shelf);
    work(&stage, &mut outbox_at(office.address));
    assert_eq!(office.taken().len(), 1);
    let in_clear: i64 = stage
        .db
        .read(|c| {
            c.query_row(
                "select count(*) from mail m, mail_recipient r where instr(cast(m.recipient as text), 'zubaida')
                 or instr(cast(m.content as text), '#1001') or instr(cast(r.address as text), 'zubaida')
                 or instr(m.dedupe_key, '@')",
                [],
                |row| row.get(0),
            )
            .during("look for what is in clear")
        })
        .unwrap();
    assert_eq!(in_clear, 0);
    let audit: i64 = stage
        .db
        .read(|c| {
            c.query_row("select count(*) from audit where facts like '%zubaida%'", [], |row| row.get(0)).during("look")
        })
        .unwrap();
    assert_eq!(audit, 0, "who did what is kept for ever, addresses are not");
}

#[test]
fn the_configuration_becomes_rules() {
    let mut config = Config::default();
    assert!(Rules::new(&config).unwrap().is_none(), "off");
    config.mail.server = Some("smtp.example.com".into());
    config.mail.from = Some("Wadi <orders@wadi.example>".into());
    let rules = Rules::new(&config).unwrap().unwrap();
    assert_eq!((rules.server.port, rules.server.security), (587, Security::StartTls));
    config.mail.user = Some("wadi".into());
    config.mail.password_file = Some("/nowhere/password".into());
    let error = Rules::new(&config).err().unwrap().to_string();
    assert!(error.contains("mail.password_file is /nowhere/password"), "{error}");
}

/// The process dies after each step of the outbox, and the next life goes on with what was committed.
#[test]
fn dying_at_any_step_loses_no_mail_and_makes_none_twice() {
    let mut steps = 0;
    loop {
        let stage = stage();
        subscribe(&stage, "omar@wadi.example", "en", &[Kind::Created]);
        subscribe(&stage, "sara@wadi.example", "ar", &[Kind::Created]);
        let (mut shop, shelf) = wadi();
        for _ in 0..2 {
            buy(&stage, &mut shop, &shelf);
        }
        let office = PostOffice::open();
        let mut outbox = outbox_at(office.address);
        let done = (0..steps).take_while(|_| stage.engine.mail_once(&mut outbox) == Step::Done).count();
        let mut stage = stage.restart(MINUTE);
        stage.engine.open_outbox(true).unwrap();
        stage.start();
        work(&stage, &mut outbox_at(office.address));
        assert!(mails(&stage).iter().all(|one| one.state == State::Sent && one.doubts == 0), "after {steps} steps");
        let ids: BTreeSet<String> = office.taken().iter().map(|one| header(one, "Message-ID")).collect();
        assert_eq!((office.taken().len(), ids.len()), (4, 4), "after {steps} steps");
        if done < steps {
            break;
        }
        steps += 1;
    }
    assert_eq!(steps, 7, "two news, four mails, and nothing more");
}

//! Every mail in both languages, as snapshots: what the recipient reads is looked at by whoever changes a word.

use qantara::domain::catalog::Code;
use qantara::domain::invoice::Source;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::news::{Kind, Problem};
use qantara::domain::reason::{Failed, Hold, Reason};
use qantara::domain::telling::{Day, Facts, Stage};
use qantara::mail::letter::{Change, Letter, Line, Order, Own, Paper, PaperKind};
use qantara::mail::render::{PLACES, render, unknown_place};
use qantara::text::Lang;
use qantara::text::label::mail::problem;

fn line(id: i64, title: &str, sku: &str, units: i64, total: i64) -> Line {
    Line { source: Source::Line(id), title: title.into(), sku: sku.into(), units, total: Amount(total) }
}

fn invoice(currency: &str) -> Paper {
    Paper {
        kind: PaperKind::Invoice,
        number: Some("INV-000317".into()),
        invoice: None,
        currency: Currency::parse(currency).unwrap(),
        lines: vec![
            line(1, "Linen cushion / \"Wadi\" <Red & XL>", "WH-1001-RED-XL", 2, 25_990),
            line(2, "مصباح طاولة خشبي", "WH-2040", 1, 34_900),
        ],
        tax: Amount(7_942),
        total: Amount(60_890),
        page: Some("https://wadi.daftra.example/owner/invoices/view/317".into()),
    }
}

fn receipt(kind: PaperKind) -> Paper {
    let lines = vec![line(2, "مصباح طاولة خشبي", "WH-2040", 1, 34_900)];
    let (number, invoice_number) = (Some("RR-000012".into()), Some("INV-000317".into()));
    Paper { kind, number, invoice: invoice_number, lines, tax: Amount(4_552), total: Amount(34_900), ..invoice("SAR") }
}

fn about(kind: Kind, paper: Option<Paper>) -> Letter {
    Letter {
        merchant: "Wadi Home".into(),
        order: Some(Order { name: "#1001".into(), page: Some("https://orders.wadi.example/orders/7".into()) }),
        paper,
        ..Letter::blank(kind, "en")
    }
}

fn told(stage: Stage, cause: &str, count: i64, waiting: Option<u32>) -> Letter {
    let closed_at = (stage == Stage::Over).then(|| "2026-11-20T13:30:00Z".parse().unwrap());
    let facts = Facts {
        alert: 17,
        cause: cause.into(),
        merchant: Some(("Wadi Home".into(), "wadi".into())),
        particular: None,
        count,
        waiting,
        opened_at: "2026-11-20T09:00:00Z".parse().unwrap(),
        closed_at,
    };
    Letter {
        alert: Some((stage, facts)),
        link: Some("https://orders.wadi.example/alerts".into()),
        ..Letter::blank(Kind::Alert, "en")
    }
}

fn day(merchant: &str, is_proven: bool) -> Day {
    Day {
        merchant: merchant.into(),
        day: "2026-11-20".parse().unwrap(),
        classes: vec![("invoiced".into(), 41), ("held".into(), 2), ("cancelled".into(), 1)],
        missing: if is_proven { Vec::new() } else { vec!["1017".into(), "1021–1023".into()] },
        is_proven,
        page: Some("https://orders.wadi.example/merchants/wadi/statements/2026-11-20".into()),
    }
}

/// One of each, with a name for its file.
fn letters() -> Vec<(&'static str, Letter)> {
    let (was, is) = (line(1, "Linen cushion", "WH-1001", 2, 25_990), line(1, "Linen cushion", "WH-1001", 1, 12_995));
    let changes = vec![
        Change::Added(line(3, "Coffee & date tray", "WH-3300", 1, 1_575)),
        Change::Changed { was, is },
        Change::Removed(line(4, "بخور معمول", "NJ-BKH-1", 1, 4_333)),
        Change::Total { was: Amount(65_223), is: Amount(60_890) },
    ];
    let holds =
        vec![Hold::UnknownProduct { line: "Lamp".into(), codes: [Code::new("LAMP-9")].into() }, Hold::CancelledButPaid];
    let failed = Failed::TooManyFailures { failures: 10, last: "no answer in time".into() };
    let own = Own {
        subject: "Sold: {order}\r\nBcc: x".into(),
        greeting: "Dear team,\nthere is news.\n\nRead on.".into(),
        closing: "{merchant} <{total}>".into(),
    };
    let more = Letter {
        order: None,
        of: Some(Kind::Held),
        link: Some("https://orders.wadi.example/attention".into()),
        ..about(Kind::More, None)
    };
    vec![
        ("created", about(Kind::Created, Some(invoice("SAR")))),
        ("created-in-dinars", about(Kind::Created, Some(invoice("KWD")))),
        ("created-in-own-words", Letter { own: Some(own), ..about(Kind::Created, Some(invoice("SAR"))) }),
        ("updated", Letter { changes, ..about(Kind::Updated, Some(invoice("SAR"))) }),
        ("reversed", about(Kind::Updated, Some(receipt(PaperKind::Reversal)))),
        ("refunded", about(Kind::Cancelled, Some(receipt(PaperKind::Refund)))),
        ("cancelled", about(Kind::Cancelled, Some(receipt(PaperKind::Cancel)))),
        ("held", Letter { reason: Some(Reason::Held(holds)), ..about(Kind::Held, None) }),
        ("failed", Letter { reason: Some(Reason::Failed(failed)), ..about(Kind::Failed, None) }),
        ("more", more),
        ("alert", told(Stage::Opened, "trouble", 1, Some(214))),
        ("alert-still", told(Stage::Reminder, "holds", 12, None)),
        ("alert-over", told(Stage::Over, "failed", 5_000, None)),
        (
            "day",
            Letter {
                merchant: "Wadi Home".into(),
                days: vec![day("Wadi Home", false)],
                ..Letter::blank(Kind::Summary, "en")
            },
        ),
        (
            "day-of-all",
            Letter {
                days: vec![day("Wadi Home", true), day("نجد للعود", false)],
                open_alerts: Some(2),
                link: Some("https://orders.wadi.example/alerts".into()),
                ..Letter::blank(Kind::Summary, "en")
            },
        ),
        ("trial", Letter::blank(Kind::Trial, "en")),
        ("trial-of-created", Letter { is_trial: true, ..about(Kind::Created, Some(invoice("SAR"))) }),
    ]
}

#[test]
fn every_mail_in_both_languages() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(".");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, letter) in letters() {
        for lang in Lang::ALL {
            let letter = Letter { language: lang.tag().to_owned(), ..letter.clone() };
            let mail = render(&letter, 7);
            assert!(!mail.subject.contains(['\r', '\n']), "{name}: {:?}", mail.subject);
            assert!(mail.html.contains(&format!("<html lang=\"{}\" dir=\"{}\">", lang.tag(), lang.direction())));
            assert!(!mail.html.contains("<Red & XL>"), "{name}: somebody's words are markup");
            // For whoever wants to look at them.
            #[expect(clippy::disallowed_methods, reason = "a test is told by its environment where to leave them")]
            let folder = std::env::var("QANTARA_MAILS").ok();
            if let Some(folder) = folder {
                std::fs::write(format!("{folder}/{name}-{}.html", lang.tag()), &mail.html).unwrap();
            }
            // The style is the same in all.
            let (head, rest) = mail.html.split_once("<style>").unwrap();
            let html = format!("{head}{}", rest.split_once("</style>").unwrap().1);
            let told = format!("{}\n\n{}\n{}", mail.subject, mail.text, html.replace("><", ">\n<"));
            settings.bind(|| insta::assert_snapshot!(format!("{name}-{}", lang.tag()), told));
        }
    }
}

#[test]
fn places_in_words_are_known() {
    for place in PLACES {
        assert_eq!(unknown_place(&format!("a {place} b")), None);
    }
    assert_eq!(unknown_place("Dear {name}, {order}"), Some("{name}"));
    assert_eq!(unknown_place("an open { brace"), Some("{ brace"));
    // A name with braces in it is no place, and neither is anything filled in looked at again.
    let mut letter = about(Kind::Created, Some(invoice("SAR")));
    letter.merchant = "{order}".into();
    letter.own = Some(Own { subject: "{merchant}".into(), greeting: String::new(), closing: String::new() });
    assert_eq!(render(&letter, 1).subject, "{order}");
}

#[test]
fn every_problem_says_what_to_do_in_both_languages() {
    let said = |words: &str| words.to_owned();
    let all = [
        Problem::Unreachable,
        Problem::Tls,
        Problem::NoStarttls,
        Problem::Login { code: Some(535), words: said("no") },
        Problem::Later { code: 451, words: said("later") },
        Problem::Refused { code: 550, words: said("no such user") },
        Problem::Cut,
        Problem::InDoubt,
        Problem::Unreadable,
        Problem::Forgotten,
    ];
    for one in &all {
        for lang in Lang::ALL {
            let sentence = problem(lang, one);
            assert!(sentence.what.len() > 10, "{one:?}");
            let is_arabic = |text: &str| text.chars().any(|letter| ('\u{0620}'..='\u{064A}').contains(&letter));
            assert_eq!(is_arabic(&sentence.what), lang == Lang::Ar, "{one:?}");
        }
        let back: Problem = serde_json::from_str(&serde_json::to_string(one).unwrap()).unwrap();
        assert_eq!(back, *one);
    }
}

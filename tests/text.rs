//! Every code has its sentence in both languages. A new code does not compile here until it is listed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use qantara::db::alert;
use qantara::db::class::Class;
use qantara::db::delivery::Fate;
use qantara::db::document::Action;
use qantara::db::log::{Facts, Status};
use qantara::db::merchant::{Mode, Trouble};
use qantara::db::order;
use qantara::db::rejection::Why;
use qantara::db::user::Role;
use qantara::domain::catalog::{Code, Rule};
use qantara::domain::connection::Blocked;
use qantara::domain::document;
use qantara::domain::invoice::{Seen, Totals};
use qantara::domain::money::{Amount, Currency};
use qantara::domain::operation::Operation;
use qantara::domain::payment::{Money, MoneyState};
use qantara::domain::reason::{
    Difference, DifferenceKind, Extra, Failed, Hold, Ignored, LineDifference, Reason, RefundPart, Refusal, Shortage,
    Unmoved, Waiting,
};
use qantara::domain::refund::Class as RefundClass;
use qantara::domain::rules::ShippingPolicy;
use qantara::domain::ruling::Ruling;
use qantara::domain::trace::Step;
use qantara::text::{self, Lang, Notice, Said, Sentence};

/// One value per variant, and a match that forgets none.
macro_rules! every {
    ($type:ident: $($variant:ident $({ $($field:tt)* })? $(($($inner:tt)*))?),+ $(,)?) => {{
        let _complete = |value: &$type| match value { $($type::$variant { .. } => (),)+ };
        vec![$($type::$variant $({ $($field)* })? $(($($inner)*))?),+]
    }};
}

fn line() -> String {
    "عباية".to_owned()
}

fn reference() -> String {
    "k1-5551234567-order".to_owned()
}

fn code() -> Code {
    Code::new("ab-1")
}

fn refusal() -> Refusal {
    Refusal { status: 422, message: "Entity not saved".into(), fields: vec![("date".into(), "closed".into())] }
}

fn ignored() -> Vec<Ignored> {
    let at = "2026-11-20T09:00:00Z".parse().unwrap();
    every!(Ignored:
        NoOwnLines { vendors: ["Acme".to_owned()].into() },
        BeforeGoLive { placed_at: at, live_from: at },
        TestOrder, Sample, Source { source: "pos".into() }, Tag { tag: "wholesale".into() }, Dismissed,
        InvoiceDeleted { reference: reference() },
        CancelledBeforeInvoice, DeletedBeforeInvoice, NothingToBill)
}

fn unmoved() -> Vec<Unmoved> {
    every!(Unmoved: Draft, Requisition, Untracked(7))
}

fn shortage() -> Shortage {
    Shortage { product_id: 7, title: line(), store_id: 3, wanted: 2, available: "1.50".parse().unwrap() }
}

fn waiting() -> Vec<Waiting> {
    every!(Waiting:
        Settling { reference: reference() }, LookingAgain { reference: reference() }, CancelRecord,
        OrderBehind { refund: 991 }, MoneyUnderWay { refund: 991 }, NotPaid, NotFulfilled, BodyRemoved,
        StockPending { reference: reference(), why: unmoved().into_iter().collect() })
}

fn holds() -> Vec<Hold> {
    let sum = Amount(1_250);
    let differences =
        every!(DifferenceKind: Row, Total, Store, Draft, Client, Currency, Date, Refunded, Paid, Amount, Method)
            .into_iter()
            .map(|what| Difference { what, ours: "1".into(), daftra: "2".into() })
            .collect();
    every!(Hold:
        UnknownProduct { line: line(), codes: [code()].into() },
        AmbiguousProduct { line: line(), sku: code(), products: [1, 2].into() },
        UnknownTax { line: line(), title: "VAT".into(), rate: "0.15".parse().unwrap(), included: true },
        SeveralTaxes { line: line(), title: "GST + PST".into(), rate: "0.12".parse().unwrap(), included: false },
        CustomLine { line: line() }, GiftCard { line: line() }, Tip { line: line() },
        ExtraAmount { what: Extra::Tip, amount: sum },
        AmountsDoNotAddUp { expected: sum, found: sum },
        TotalsDiffer {
            order: sum, daftra: sum, tax_order: sum, tax_daftra: sum, tolerance: sum,
            lines: vec![LineDifference { line: line(), order: sum, daftra: sum, tax_order: sum, tax_daftra: sum }]
        },
        AccountTooCoarse { currency: kuwait(), decimals: 2 },
        OtherAccount { reference: reference() },
        QuantitiesDiffer { line: line(), ours: 1, shop: 2 },
        CancelledButPaid, CancelledAfterShipping,
        Exchange { back: vec![(line(), 1)], given: vec![(line(), 2)] },
        RefundPart { refund: 991, part: RefundPart::Adjustment },
        Overdrawn { line: line(), units: -1, net: Amount(-100), tax: Amount(-15) },
        RefundExceeds { refund: 991, line: line(), left: 1, refunded: 2 },
        UnmappedGateway { gateways: ["mada".to_owned()].into() },
        ForeignPayment { transaction: 17, amount: 5.into(), currency: "USD".into() },
        PayBackByHand { refund: 991, amount: sum },
        Refused { reference: reference(), refusal: refusal() },
        NotEnoughStock { reference: reference(), shortages: vec![shortage()] },
        Locked { reference: reference(), refusal: refusal(), payments: [31].into() },
        Gone { reference: reference() },
        ChangedByHand { reference: reference(), differences },
        SeveralFound { reference: reference(), ids: [1, 2].into() },
        LookUpFails { reference: reference() },
        TooManyUnknownSends { reference: reference() })
}

fn failures() -> Vec<Failed> {
    every!(Failed:
        Unreadable { topic: "orders/create".into(), path: "line_items[2].price".into(), problem: "no number".into() },
        TooManyFailures { failures: 10, last: "no answer in time".into() }, NoEnd, Panicked { text: "oh".into() })
}

fn troubles() -> Vec<Trouble> {
    every!(Trouble:
        Credential { text: "Unauthenticated.".into() }, Redirect, Html, OtherSite { known: "1".into(), found: "2".into() })
}

fn blocks() -> Vec<Blocked> {
    every!(Blocked:
        Token, Client { text: "invalid".into() }, Unpaid, Forbidden, NoShop, Locked,
        Scopes { missing: ["read_orders".to_owned()].into() }, Protected, Sealed)
}

fn steps() -> Vec<Step> {
    let totals = Totals { total: Amount(1_250), tax: Amount(50) };
    let (line_id, title) = (1, line());
    every!(Step:
        Ownership { line: line_id, title: title.clone(), vendor: "Acme".into(), seen: Seen::Billed },
        Product { line: line_id, title, rule: Rule::Barcode, code: code(), product_id: 9 },
        Shipping { policy: ShippingPolicy::Always, billed: true },
        Totals { shop: totals, daftra: totals },
        Refund { id: 991, class: RefundClass::Edit },
        Money(money(1_250)),
        InStep { reference: reference() }, Trimmed { at: "2026-11-20T09:00:00Z".parse().unwrap(), days: 90, known: String::new() }, DeletedInShop,
        WouldDo { operation: Box::new(Operation::Verify { document: 1 }) })
}

fn money(received: i64) -> Money {
    let (total, received, given_back) = (Amount(1_250), Amount(received), Amount::ZERO);
    Money { state: MoneyState::Paid, total, received, given_back }
}

fn notices() -> Vec<Notice> {
    every!(Notice:
        SignIn, TooManyTries { seconds: 4 }, Forbidden, TokenNeeded, CrossSite, StaleForm, NotFound, Refused, WrongMethod, TooLarge,
        TooSlow, Unsupported, Busy, Fault)
}

fn kuwait() -> Currency {
    Currency::parse("KWD").unwrap()
}

/// Each value has its own words, in each language other ones.
fn distinct<T: Debug, S: AsRef<str>>(values: &[T], say: impl Fn(Lang, &T) -> S) {
    let said: Vec<(Lang, String)> = Lang::ALL
        .iter()
        .flat_map(|lang| values.iter().map(|value| (*lang, say(*lang, value).as_ref().to_owned())))
        .collect();
    let different: BTreeSet<&String> = said.iter().map(|(_, text)| text).collect();
    assert_eq!(different.len(), 2 * values.len(), "{said:#?}");
    for (lang, text) in &said {
        let is_arabic = text.chars().any(|letter| ('\u{0620}'..='\u{064A}').contains(&letter));
        assert!(!text.trim().is_empty() && (is_arabic || *lang == Lang::En), "{text}");
    }
}

/// As `distinct`, and everyone is told what to do.
fn complete<T: Debug>(values: &[T], say: impl Fn(Lang, &T) -> Sentence) {
    distinct(values, |lang, value| say(lang, value).what);
    for lang in Lang::ALL {
        for value in values {
            let next_step = say(lang, value).next_step;
            assert!(next_step.chars().count() > 8 && next_step.ends_with('.'), "{value:?}: {next_step}");
        }
    }
}

#[test]
fn every_reason_has_its_cause_and_its_next_step() {
    complete(&ignored(), |lang, why| lang.words().ignored(why));
    complete(&waiting(), |lang, why| lang.words().waiting(why));
    complete(&holds(), |lang, why| lang.words().hold(why, Some(kuwait())));
    complete(&failures(), |lang, why| lang.words().failed(why));
    complete(&troubles(), |lang, why| lang.words().trouble(why));
    complete(&blocks(), |lang, why| lang.words().blocked(why));
    complete(&notices(), |lang, notice| lang.words().notice(*notice));
}

#[test]
fn every_part_of_a_reason_has_its_words() {
    let extras = every!(Extra: Tip, Duties, Fees, CashRounding);
    distinct(&extras, |lang, what| lang.words().hold(&Hold::ExtraAmount { what: *what, amount: Amount(1) }, None).what);
    let parts = every!(RefundPart: Adjustment, MoneyOnly, Duties, Shipping, Line, TooMuch);
    distinct(&parts, |lang, part| lang.words().hold(&Hold::RefundPart { refund: 1, part: *part }, None).what);
    let differences =
        every!(DifferenceKind: Row, Total, Store, Draft, Client, Currency, Date, Refunded, Paid, Amount, Method);
    distinct(&differences, |lang, what| {
        let differences = vec![Difference { what: *what, ours: String::new(), daftra: String::new() }];
        lang.words().hold(&Hold::ChangedByHand { reference: reference(), differences }, None).what
    });
    distinct(&unmoved(), |lang, why| {
        lang.words().waiting(&Waiting::StockPending { reference: reference(), why: [*why].into() }).what
    });
    let without_codes = Hold::UnknownProduct { line: line(), codes: BTreeSet::new() };
    complete(&[without_codes, holds().remove(0)], |lang, hold| lang.words().hold(hold, None));
    let gateways = [vec![], vec!["mada"], vec!["mada", "gift_card"]];
    let unmapped =
        gateways.map(|names| Hold::UnmappedGateway { gateways: names.into_iter().map(str::to_owned).collect() });
    complete(&unmapped, |lang, hold| lang.words().hold(hold, None));
    let without_vendors = Ignored::NoOwnLines { vendors: BTreeSet::new() };
    complete(&[without_vendors, ignored().remove(0)], |lang, why| lang.words().ignored(why));
}

#[test]
fn a_hold_that_a_policy_lets_through_names_its_key() {
    let extra = |what| Hold::ExtraAmount { what, amount: Amount(1) };
    let part = |part| Hold::RefundPart { refund: 1, part };
    let keys = [
        (extra(Extra::Tip), "lines.tip"),
        (extra(Extra::Duties), "lines.duty"),
        (extra(Extra::Fees), "lines.duty"),
        (part(RefundPart::MoneyOnly), "lines.goodwill"),
        (part(RefundPart::Adjustment), "lines.goodwill"),
        (Hold::Exchange { back: Vec::new(), given: Vec::new() }, "orders.exchange"),
    ];
    for (hold, key) in keys {
        for lang in Lang::ALL {
            let next_step = lang.words().hold(&hold, None).next_step;
            assert!(next_step.contains(key), "{next_step}");
        }
    }
}

#[test]
fn totals_that_differ_are_told_line_by_line() {
    let line = LineDifference {
        line: "Tea".into(),
        order: Amount(11_500),
        daftra: Amount(11_600),
        tax_order: Amount(1_500),
        tax_daftra: Amount(1_600),
    };
    let sum = Amount(1);
    let lines = vec![line];
    let hold = Hold::TotalsDiffer { order: sum, daftra: sum, tax_order: sum, tax_daftra: sum, tolerance: sum, lines };
    let what = Lang::En.words().hold(&hold, Currency::parse("SAR")).what;
    assert!(what.ends_with(" “Tea”: 116.00 SAR with 16.00 SAR tax instead of 115.00 SAR with 15.00 SAR."), "{what}");
}

#[test]
fn every_step_of_a_decision_has_its_words() {
    distinct(&steps(), |lang, step| lang.words().step(step, Some(kuwait())));
    let seen = every!(Seen: Billed, NotOurs, Skipped);
    distinct(&seen, |lang, seen| {
        lang.words().step(&Step::Ownership { line: 1, title: line(), vendor: "Acme".into(), seen: *seen }, None)
    });
    let rules = every!(Rule: Mapping, Barcode, BarcodeTwin, Code, SkuPrefix);
    distinct(&rules, |lang, rule| {
        lang.words().step(&Step::Product { line: 1, title: line(), rule: *rule, code: code(), product_id: 9 }, None)
    });
    let balances = [1_250, 1_000, 2_000].map(|received| Step::Money(money(received)));
    distinct(&balances, |lang, step| lang.words().step(step, Some(kuwait())));
    let policies = every!(ShippingPolicy: AllLines, Always, Never);
    distinct(&policies, |lang, policy| lang.words().step(&Step::Shipping { policy: *policy, billed: false }, None));
}

#[test]
fn every_reason_to_turn_a_delivery_away_has_its_next_step() {
    for shop in ["", "wadi.myshopify.com"] {
        complete(&Why::ALL, |lang, why| lang.words().rejection(*why, shop));
    }
}

#[test]
fn every_state_has_its_word() {
    distinct(&order::State::ALL, |lang, state| lang.words().order_state(*state));
    distinct(&Class::ALL, |lang, class| lang.words().class(*class));
    let rulings =
        every!(Ruling: Dismiss, Import, NewInvoice { document: 1 }, Leave { document: 1 }, Rewrite { document: 1 });
    distinct(&rulings, |lang, ruling| lang.words().ruling(*ruling));
    distinct(&Status::ALL, |lang, status| lang.words().status(*status));
    distinct(&Fate::ALL, |lang, fate| lang.words().fate(*fate));
    distinct(&Said::ALL, |lang, said| lang.words().said(*said));
    distinct(&Role::ALL, |lang, role| lang.words().role(*role));
    distinct(&document::State::ALL, |lang, state| lang.words().document_state(*state));
    distinct(&MoneyState::ALL, |lang, state| lang.words().money_state(*state));
    distinct(&RefundClass::ALL, |lang, class| lang.words().refund_class(*class));
    distinct(&every!(Mode: Shadow, Live, Paused, Closed), |lang, mode| lang.words().mode(*mode));
    let actions = every!(Action: Create, Replace, LookUp, Verify, Find, SiteInfo);
    distinct(&actions, |lang, action| lang.words().action(action.word()));
}

#[test]
fn every_word_the_schema_knows_for_the_end_of_a_call_is_spoken() {
    let schema = include_str!("../schema.sql");
    let (_, list) = schema.split_once("check (outcome in (").unwrap();
    let outcomes: Vec<&str> =
        list.split_once("))").unwrap().0.split(',').map(|word| word.trim().trim_matches('\'')).collect();
    assert_eq!(outcomes.len(), 10);
    distinct(&outcomes, |lang, word| lang.words().outcome(word));
    distinct(&alert::Cause::ALL, |lang, cause| lang.words().alert(*cause).what);
    distinct(&alert::Cause::ALL, |lang, cause| lang.words().alert(*cause).next_step);
    assert_eq!(text::alert(Lang::Ar, "of a later version").what, "of a later version");
    assert_eq!(Lang::Ar.words().outcome("of a later version"), "of a later version");
}

#[test]
fn amounts_have_the_digits_of_their_currency() {
    let say = |lang, currency| text::amount(lang, Amount(12_500), currency);
    assert_eq!(say(Lang::En, Some(kuwait())), "12.500 KWD");
    assert_eq!(say(Lang::En, Currency::parse("SAR")), "125.00 SAR");
    assert_eq!(say(Lang::En, None), "12500 (in the currency's smallest unit)");
    assert_eq!(say(Lang::Ar, Some(kuwait())), "\u{2068}12.500 KWD\u{2069}", "keeps its direction");
}

#[test]
fn a_row_of_the_log_says_what_happened_and_an_order_why() {
    let held = Reason::Held(vec![Hold::CancelledButPaid, Hold::Gone { reference: reference() }]);
    let sentences = text::reason(Lang::En, &held, None);
    assert_eq!(sentences.len(), 2, "all reasons at once");
    let whats = format!("{} {}", sentences[0].what, sentences[1].what);
    assert_eq!(text::facts(Lang::En, &Facts::Reason(held), None), whats);
    let document =
        Facts::Document { reference: reference(), number: Some("INV-7".into()), state: document::State::Posted };
    assert_eq!(text::facts(Lang::En, &document, None), "No. INV-7, k1-5551234567-order: posted");
    assert_eq!(text::facts(Lang::En, &Facts::Topic("app/uninstalled".into()), None), "app/uninstalled");
}

#[test]
fn foreign_names_keep_their_direction_in_a_sentence() {
    let hold = Hold::CustomLine { line: line() };
    assert!(Lang::En.words().hold(&hold, None).what.contains("“\u{2068}عباية\u{2069}”"));
    let hold = Hold::Gone { reference: reference() };
    assert!(Lang::Ar.words().hold(&hold, None).what.contains("\u{2068}k1-5551234567-order\u{2069}"));
}

/// People release holds by the code that scripts see.
#[test]
fn a_hold_is_grouped_by_the_code_it_is_stored_with() {
    for hold in holds() {
        assert_eq!(serde_json::json!(hold)["code"], hold.code());
    }
    assert_eq!(holds()[0].subject(), "ab-1");
    assert_eq!(Hold::Gone { reference: reference() }.subject(), "", "each order is its own case");
}

/// Words that mean the same and are not the glossary's: whoever reads two words thinks of two things.
const STRANGERS: [(&str, &[&str]); 14] = [
    ("متجر", &["دكان", "محل "]),
    ("تاجر", &["بائع"]),
    ("طلب", &["طلبية", "أوردر"]),
    ("فاتورة", &["قائمة بيع"]),
    ("فاتورة مرتجعة", &["إيصال", "إشعار دائن", "سند"]),
    ("عميل", &["زبون"]),
    ("منتج", &["سلعة", "مادة "]),
    ("مستودع", &["مخزن ", "المخزن ", "مخازن"]),
    ("خزينة", &["صندوق", "خزنة"]),
    ("إذن مخزني", &["أمر صرف", "طلب صرف"]),
    ("مسودة", &["غير نهائية"]),
    ("معلّق", &["محتجز", "مجمّد"]),
    ("غير مؤكد", &["مشكوك"]),
    ("إشعار", &["ويب هوك", "نداء"]),
];

/// The Arabic texts of the product, as they stand in the sources.
fn arabic_texts() -> Vec<(String, String)> {
    fn walk(folder: &Path, texts: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, texts);
            } else {
                let file = path.display().to_string();
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.lines().filter(|line| line.chars().any(|c| ('\u{0620}'..='\u{064A}').contains(&c)));
                texts.extend(lines.map(|line| (file.clone(), line.to_owned())));
            }
        }
    }
    let mut texts = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/text"), &mut texts);
    texts
}

/// Without articles and without the marks on letters, which are not always written.
fn plain(text: &str) -> String {
    let bare: String = text.chars().filter(|letter| !('\u{064B}'..='\u{0652}').contains(letter)).collect();
    bare.replace("ال", "")
}

#[test]
fn arabic_texts_keep_to_the_glossary() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let words: Vec<&str> = readme
        .split_once("## Words")
        .unwrap()
        .1
        .lines()
        .filter_map(|line| line.split('|').nth(2).map(str::trim))
        .filter(|word| word.chars().any(|c| ('\u{0620}'..='\u{064A}').contains(&c)))
        .collect();
    let texts = arabic_texts();
    assert!(words.len() >= 20 && texts.len() > 500, "{} words, {} texts", words.len(), texts.len());
    for word in &words {
        let is_used = texts.iter().any(|(_, text)| plain(text).contains(&plain(word)));
        assert!(is_used, "no text says {word}");
    }
    for (word, strangers) in STRANGERS {
        assert!(words.contains(&word), "{word} is not in the glossary");
        for (file, text) in &texts {
            let said = strangers.iter().find(|stranger| plain(text).contains(&plain(stranger)));
            assert!(said.is_none(), "{file} says {said:?} for {word}: {text}");
        }
    }
}

#[test]
fn what_is_counted_takes_the_form_that_goes_with_its_number() {
    let held = |lang: Lang, count: i64| lang.home().held_orders.of(count);
    assert_eq!(held(Lang::En, 1), "1 order is held until a person decides");
    for count in [0, 2, 11, 101] {
        assert_eq!(held(Lang::En, count), format!("{count} orders are held until a person decides"));
    }
    for (count, beginning) in [
        (0, "0 طلب معلّق "),
        (1, "طلب واحد معلّق "),
        (2, "طلبان معلّقان "),
        (3, "3 طلبات معلّقة "),
        (10, "10 طلبات معلّقة "),
        (11, "11 طلبًا معلّقًا "),
        (99, "99 طلبًا معلّقًا "),
        (100, "100 طلب معلّق "),
        (102, "102 طلب معلّق "),
        (103, "103 طلبات معلّقة "),
        (1_011, "1011 طلبًا معلّقًا "),
    ] {
        let said = held(Lang::Ar, count);
        assert!(said.starts_with(beginning), "{count}: {said}");
    }
    let days = |lang, days: i64| text::span(lang, days * 86_400);
    assert_eq!([2, 3, 11].map(|count| days(Lang::Ar, count)), ["يومان", "3 أيام", "11 يومًا"]);
    assert_eq!([2, 11].map(|count| days(Lang::En, count)), ["2 d", "11 d"]);
}

#[test]
fn nobody_reads_of_one_things() {
    let one = [
        Lang::En.words().hold(&Hold::QuantitiesDiffer { line: line(), ours: 1, shop: 0 }, None),
        Lang::En.words().hold(&Hold::AccountTooCoarse { currency: kuwait(), decimals: 1 }, None),
        Lang::En.words().hold(&Hold::Overdrawn { line: line(), units: 1, net: Amount(1), tax: Amount(0) }, None),
        Lang::En.words().failed(&Failed::TooManyFailures { failures: 1, last: "no answer".into() }),
        Lang::En.words().notice(Notice::TooManyTries { seconds: 1 }),
    ];
    for Sentence { what, next_step } in one {
        for plural in ["1 units", "1 decimals", "1 tries", "1 seconds"] {
            assert!(!what.contains(plural) && !next_step.contains(plural), "{what} {next_step}");
        }
    }
    let seconds = |seconds| Lang::Ar.words().notice(Notice::TooManyTries { seconds }).next_step;
    assert!(seconds(1).contains("ثانية واحدة") && seconds(4).contains("4 ثوانٍ") && seconds(30).contains("30 ثانية"));
}

//! Whatever is refused is told with its cause and the way out, in both languages. A new reason does not compile here
//! until it is listed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::collections::BTreeSet;

use qantara::db::order::State;
use qantara::db::user::Role;
use qantara::text::refusal::{About, Form, Refusal, Why};
use qantara::text::{Lang, Sentence};

/// One value per variant, and a match that forgets none.
macro_rules! every {
    ($type:ident: $($variant:ident $(($($inner:tt)*))?),+ $(,)?) => {{
        let _complete = |value: &$type| match value { $($type::$variant { .. } => (),)+ };
        vec![$($type::$variant $(($($inner)*))?),+]
    }};
}

fn forms() -> Vec<Form> {
    every!(Form:
        Slug, Name, TimeZone, Mode, ShopSection, ShopDomain, DaftraSection, DaftraUrl, LinesSection, Vendors, Separators,
        Trigger, Time, Tolerance, Locked, Shipping, Price, Exchange, Line, Rate, Included, Gateway, Method, DaftraId)
}

/// Every reason, and whether the value it is about is told beside it.
fn reasons() -> Vec<(Why, bool)> {
    let wadi = || "wadi-home".to_owned();
    let reasons = every!(Why:
        Form(Form::Slug), Missing(None), UnknownKey("expected `a`".into()), LaterKey(Some("false".into())),
        Type("invalid type".into()), Json("expected value".into()), Toml("expected `=`".into()),
        SlugTaken, SlugReserved, NoMerchant, MerchantClosed, MerchantPurged, LiveFromAlone, SharedShop(wadi()), VendorOwned(wadi()),
        ShopOwned(wadi()), AllVendorsAlone, ExceptionsAlone, VendorNameless, PrefixForm, Blanks, TaxTwice(0),
        KeyAlone, SecretsMany(3), SecretEmpty, SecretShared(wadi()), SecretTaken(wadi()),
        NoAccount, NoShopApi, OrdersMany(201, 200),
        PaidDraft, PaidZero, RecordFirst, MethodWantsMail, GatewayTwice,
        UserForm, UserTaken, NoUser, UserDisabled, PasswordLength(3, 12, 1024), LastOwner, OwnerLimited, Language,
        TokenName(64), TokenTaken, TokensMany(20), TokenRole(Role::Viewer), TokenDays(366), TokenShort(40), NoToken,
        MailForm, RecipientTaken, RecipientsMany(20), NoRecipient, UnknownPlace, NoMail,
        NoteLength(0, 2000), CodeTwice, CodeForm, ProductForm,
        NoOrder, CutOverFirst, CutOverOpen(3), OrderAmbiguous, OrderInvoiced, OrderEmpty, InvoiceTaken("#1001".into()), InvoiceNames("#1001".into()), InvoiceForm, LineTwice,
        NoNamesake, NoCause, NotDismissed(State::Settled), NotImported(State::Settled), NothingGone(State::Held), NothingChanged(State::Held),
        NoDelivery, NoRequest, RequestEnded, NoOrdersNamed, NothingToTakeIn, BodyUnreadable("total_price".into(), "no number".into()), BodyPurged, BodySealed);
    let with_value = |why: &Why| {
        !matches!(
            why,
            Why::Missing(_)
                | Why::UnknownKey(_)
                | Why::LaterKey(_)
                | Why::Json(_)
                | Why::Toml(_)
                | Why::MerchantClosed
                | Why::MerchantPurged
                | Why::TaxTwice(_)
                | Why::KeyAlone
                | Why::SecretsMany(_)
                | Why::SecretEmpty
                | Why::CutOverFirst
                | Why::CutOverOpen(_)
                | Why::NoAccount
                | Why::NoShopApi
                | Why::OrdersMany(..)
                | Why::TokenShort(_)
                | Why::SecretShared(_)
                | Why::SecretTaken(_)
                | Why::PasswordLength(..)
                | Why::NoteLength(..)
                | Why::NotDismissed(_)
                | Why::NotImported(_)
                | Why::NothingGone(_)
                | Why::NothingChanged(_)
                | Why::NoOrdersNamed
                | Why::NothingToTakeIn
                | Why::BodyUnreadable(..)
                | Why::BodyPurged
                | Why::BodySealed
        )
    };
    reasons.into_iter().map(|why| (why.clone(), with_value(&why))).collect()
}

fn refusal(why: Why, has_value: bool) -> Refusal {
    Refusal { about: About::Key("slug".into()), value: has_value.then(|| "\"x\"".to_owned()), why }
}

fn is_arabic(text: &str) -> bool {
    text.chars().any(|letter| ('\u{0620}'..='\u{064A}').contains(&letter))
}

/// What stands outside the isolates, in which names and codes keep their own direction.
fn outside(text: &str) -> String {
    let mut depth = 0_u32;
    let mut rest = String::new();
    for letter in text.chars() {
        match letter {
            '\u{2066}' | '\u{2068}' => depth += 1,
            '\u{2069}' => depth = depth.checked_sub(1).unwrap(),
            _ if depth == 0 => rest.push(letter),
            _ => (),
        }
    }
    assert_eq!(depth, 0, "an isolate stays open: {text}");
    rest
}

#[test]
fn every_refusal_says_what_is_wrong_and_what_to_do() {
    let mut said = BTreeSet::new();
    for (why, has_value) in reasons() {
        for lang in Lang::ALL {
            let refusal = refusal(why.clone(), has_value);
            let Sentence { what, next_step } = refusal.sentence(lang);
            assert!(what.chars().count() > 5 && next_step.chars().count() > 3, "{why:?}: {what}: {next_step}");
            assert!(lang == Lang::En || (is_arabic(&what) && is_arabic(&next_step)), "{why:?}: {what}: {next_step}");
            assert!(said.insert(refusal.line(lang)), "{why:?} says what another says");
            if has_value {
                assert!(what.contains("\"x\""), "{why:?}: {what}");
            } else {
                assert!(!what.contains("not possible") && !what.contains("غير ممكن"), "{why:?} says not what it is");
            }
        }
    }
}

#[test]
fn every_form_is_told_by_an_example_or_its_choices() {
    for lang in Lang::ALL {
        let said: BTreeSet<String> =
            forms().into_iter().map(|form| refusal(Why::Form(form), true).sentence(lang).next_step).collect();
        // On pages a section is its first field.
        let sections = if lang == Lang::Ar { 2 } else { 0 };
        assert_eq!(said.len(), forms().len() - sections, "{said:#?}");
        assert!(said.iter().all(|step| lang == Lang::En || is_arabic(step)), "{said:#?}");
    }
}

#[test]
fn a_page_calls_a_field_by_its_name_and_a_command_by_its_key() {
    let wrong =
        Refusal { about: About::Key("lines.vendors".into()), value: Some("[]".into()), why: Why::VendorNameless };
    assert_eq!(
        wrong.to_string(),
        "lines.vendors is []: a vendor without a name cannot be owned: leave the empty one out"
    );
    assert!(wrong.sentence(Lang::En).what.starts_with("Vendors is "));
    assert!(wrong.sentence(Lang::Ar).what.starts_with("المورّدون"));
    let row = Refusal { about: About::Line(3, "code".into()), value: Some("\"\"".into()), why: Why::CodeForm };
    assert_eq!(row.to_string(), "line 3: code is \"\": write a SKU, a barcode or the id of a variant");
    for about in every!(About:
        Key("x".into()), Line(1, "code".into()), Text(1), Merchant("wadi".into()), Order("#1001".into()), Delivery(7), Secret)
    {
        let refusal = Refusal { about, value: None, why: Why::MerchantClosed };
        assert!(is_arabic(&refusal.sentence(Lang::Ar).what) && !refusal.to_string().contains("closed closed"));
    }
}

/// Values, names and keys stand in isolates, so that a Latin word never turns an Arabic sentence around.
#[test]
fn foreign_words_keep_their_direction() {
    for (why, has_value) in reasons() {
        let line = outside(&refusal(why.clone(), has_value).line(Lang::Ar)).replace("SKU", "");
        assert!(!line.chars().any(|letter| letter.is_ascii_alphabetic()), "{why:?}: {line}");
    }
}

/// The local socket carries a refusal from the server to the command, and programs know it by its code.
#[test]
fn a_refusal_travels_and_has_a_code() {
    let mut codes = BTreeSet::new();
    for (why, has_value) in reasons() {
        let refusal = refusal(why, has_value);
        let back: Refusal = serde_json::from_str(&serde_json::to_string(&refusal).unwrap()).unwrap();
        assert_eq!(back, refusal);
        assert!(codes.insert(refusal.code()), "{codes:?}");
    }
    assert!(codes.contains("slug_taken") && codes.contains("password_length"));
}

//! A delivery that proves nothing is counted with the reason that the facts tell, and of a stranger nothing is kept.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;

use common::stage::{Cast, Stage, shop};
use jiff::SignedDuration;
use qantara::db::merchant::{self, CredentialKind};
use qantara::db::rejection::{self, Rejected, Rise, Why};
use qantara::db::scope::Scope;
use qantara::desk::{Secret, Wish};
use qantara::engine::intake::Received;
use qantara::sandbox::shop::cart::Cart;
use qantara::sandbox::shop::delivery::{Delivery, sign};
use qantara::shop::webhook::Headers;
use secrecy::SecretString;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A merchant `wadi` whose secret is `hush`, and a delivery of its shop.
fn scene() -> (Stage, Delivery) {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let delivery = shop.buy(&Cart::of(&[(shelf[2], 1)]), stage.clock.now()).unwrap().1.remove(0);
    (stage, delivery)
}

fn rejected(stage: &Stage) -> Vec<Rejected> {
    stage.db.see(&Scope::All, |sight| sight.rejected(stage.clock.now())).unwrap()
}

/// Sends a body with this signature and says what it was counted as.
fn counted(stage: &Stage, slug: Option<&str>, domain: &str, signature: &str, body: &[u8]) -> Rejected {
    let before = rejected(stage);
    let headers =
        [("X-Shopify-Topic", "orders/create"), ("X-Shopify-Shop-Domain", domain), ("X-Shopify-Hmac-Sha256", signature)];
    assert!(matches!(stage.intake.receive(slug, &Headers::read(headers), body), Received::NotAuthentic));
    // The count waits in the same queue.
    stage.db.write(|_| Ok(())).unwrap();
    let mut after = rejected(stage);
    after.retain(|one| !before.contains(one));
    assert_eq!(after.len(), 1, "{after:?}");
    after.remove(0)
}

#[test]
fn each_reason_is_told_from_facts() {
    let (stage, delivery) = scene();
    let (body, shop) = (delivery.body.as_slice(), delivery.shop_domain.as_str());
    let right = sign("hush", body);
    let found = |slug, domain, signature: &str, body: &[u8]| {
        let one = counted(&stage, slug, domain, signature, body);
        (one.merchant_id, one.why)
    };
    let of_wadi = |why| (Some(1), why);
    assert_eq!(found(Some("wadi"), shop, "", body), of_wadi(Why::NoSignature));
    for cut in [&right[..20], "no base64 at all!", "c2hvcnQ="] {
        assert_eq!(found(Some("wadi"), shop, cut, body), of_wadi(Why::BrokenSignature), "{cut}");
    }
    assert_eq!(found(Some("wadi"), shop, &sign("hush", b""), b""), of_wadi(Why::EmptyBody));
    assert_eq!(found(Some("wady"), shop, &right, body), (None, Why::UnknownAddress));
    assert_eq!(found(None, "strange.myshopify.com", &right, body), (None, Why::UnknownShop));
    assert_eq!(found(Some("wadi"), "wadi-2.myshopify.com", &right, body), of_wadi(Why::OtherShop));
    // A stranger's name for the shop is nobody's hint.
    let forged = sign("a stranger's", body);
    assert_eq!(found(Some("wadi"), "evil.myshopify.com", &forged, body), of_wadi(Why::Unexamined));
    assert_eq!(found(Some("wadi"), shop, &sign("another", body), body), of_wadi(Why::OtherSecret));
    assert_eq!(found(None, shop, &sign("another", body), body), of_wadi(Why::OtherSecret));
}

#[test]
fn a_body_that_was_changed_on_its_way_is_told_from_another_secret() {
    let (stage, delivery) = scene();
    let shop = delivery.shop_domain.as_str();
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    assert!(!text.is_ascii() || text.contains('/'), "else the forms below would be the body itself");
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
    let as_sent = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
    let twice: String = "{\"title\":\"عطر\"}".bytes().map(char::from).collect();
    for (sent, arrived) in [
        (text.clone(), format!("{text}\r\n")),
        (format!("{text}\n"), text.clone()),
        (text.clone(), format!("\u{feff}{text}")),
        (as_sent.clone(), pretty),
        (as_sent.replace('/', "\\/"), as_sent),
        ("{\"title\":\"عطر\"}".to_owned(), twice),
        ("{\n\"id\":1}".to_owned(), "{\r\n\"id\":1}".to_owned()),
    ] {
        if sent == arrived {
            continue;
        }
        let one = counted(&stage, Some("wadi"), shop, &sign("hush", sent.as_bytes()), arrived.as_bytes());
        assert_eq!(one.why, Why::ChangedBody, "{arrived}");
        // A change of what it says is no accident.
        let other = arrived.replacen('1', "2", 1) + "0";
        assert_eq!(
            counted(&stage, Some("wadi"), shop, &sign("hush", sent.as_bytes()), other.as_bytes()).why,
            Why::OtherSecret
        );
    }
}

#[test]
fn the_secret_of_before_is_known_and_proves_nothing() {
    let (stage, delivery) = scene();
    let (body, shop) = (delivery.body.as_slice(), delivery.shop_domain.as_str());
    let rotate = |secret: &str| {
        stage.wish(Wish::SecretRotate { slug: "wadi".into(), secret: Secret(SecretString::from(secret)) });
        stage.intake.reload().unwrap();
    };
    rotate("second");
    assert!(stage.deliver_to(Some("wadi"), &delivery, "hush"), "the previous one still proves");
    stage.wish(Wish::SecretForget { slug: "wadi".into() });
    stage.intake.reload().unwrap();
    let old = |secret: &str| counted(&stage, Some("wadi"), shop, &sign(secret, body), body).why;
    assert_eq!(old("hush"), Why::ForgottenSecret);
    rotate("third");
    rotate("fourth");
    assert_eq!(
        (old("second"), old("hush")),
        (Why::ForgottenSecret, Why::OtherSecret),
        "only the newest of them is kept"
    );
    let kept = stage.db.read(|c| merchant::credentials(c, Some(1))).unwrap();
    let count = |kind| kept.iter().filter(|one| one.kind == kind).count();
    assert_eq!((count(CredentialKind::WebhookSecret), count(CredentialKind::ForgottenSecret)), (2, 1));
}

#[test]
fn whoever_floods_the_door_makes_no_rows_and_is_examined_no_longer() {
    let (stage, delivery) = scene();
    let (body, shop) = (delivery.body.as_slice(), delivery.shop_domain.as_str());
    let rows = || -> Result<i64, qantara::db::Error> {
        stage.db.read(|c| Ok(c.query_row("select count(*) from rejection", [], |row| row.get(0)).unwrap()))
    };
    let forged = sign("another", body);
    let knock = |times: usize| {
        for number in 0..times {
            let headers = [
                ("X-Shopify-Shop-Domain", shop),
                ("X-Shopify-Topic", "orders/create"),
                ("X-Shopify-Webhook-Id", &*number.to_string()),
                ("X-Shopify-Hmac-Sha256", &forged),
            ];
            assert!(matches!(
                stage.intake.receive(Some("wadi"), &Headers::read(headers), body),
                Received::NotAuthentic
            ));
            stage.db.write(|_| Ok(())).unwrap();
        }
    };
    knock(200);
    let by_reason = |stage: &Stage| rejected(stage).iter().map(|one| (one.why, one.day)).collect::<Vec<_>>();
    let mut found = by_reason(&stage);
    found.sort_unstable();
    assert_eq!(found, [(Why::OtherSecret, 60), (Why::Unexamined, 140)]);
    assert_eq!(rows().unwrap(), 2);
    // Five hours of it, and a month later: what is older is gone.
    for _ in 0..5 {
        stage.pass(HOUR);
        knock(1);
    }
    assert_eq!((rows().unwrap(), rejected(&stage).iter().map(|one| one.week).sum::<i64>()), (7, 205));
    let later = stage.clock.now() + HOUR * 24 * 31;
    stage.db.write(move |tx| rejection::count(tx, Some(1), Why::OtherSecret, "", later)).unwrap();
    assert_eq!(rows().unwrap(), 1);
    // Of a stranger's words nothing is kept.
    let named = |domain: &str| counted(&stage, Some("wady"), domain, &forged, body).shop;
    assert_eq!(named("<script>alert(1)</script>.myshopify.com"), "");
    assert_eq!(named("a-shop.myshopify.com"), "a-shop.myshopify.com");
    assert_eq!(named(&format!("{}.myshopify.com", "x".repeat(80))), "");
}

#[test]
fn who_floods_one_merchant_takes_nothing_from_the_others() {
    let (mut stage, delivery) = scene();
    let cast = Cast { slug: "najd", vendors: &["najd"], ..Cast::default() };
    let body = delivery.body.as_slice();
    let najd = stage.add(&cast);
    let forged = sign("another", body);
    let knock = |slug: &str, domain: &str| {
        let headers =
            [("X-Shopify-Topic", "x"), ("X-Shopify-Shop-Domain", domain), ("X-Shopify-Hmac-Sha256", forged.as_str())];
        assert!(matches!(stage.intake.receive(Some(slug), &Headers::read(headers), body), Received::NotAuthentic));
        stage.db.write(|_| Ok(())).unwrap();
    };
    for _ in 0..100 {
        knock("wadi", &delivery.shop_domain);
    }
    knock("najd", cast.shop);
    let found = |merchant_id: i64| {
        let all = rejected(&stage);
        let of = |why| {
            all.iter().filter(|one| one.merchant_id == Some(merchant_id) && one.why == why).map(|one| one.day).sum()
        };
        (of(Why::OtherSecret), of(Why::Unexamined))
    };
    let (of_wadi, of_najd): ((i64, i64), (i64, i64)) = (found(1), found(najd));
    assert_eq!((of_wadi, of_najd), ((60, 40), (1, 0)), "its fault is still told from another one");
    stage.pass(SignedDuration::from_secs(60));
    knock("wadi", &delivery.shop_domain);
    assert_eq!(found(1), (61, 40), "the next minute is another one");
}

#[test]
fn a_body_of_another_shop_and_a_closed_merchant_are_counted_too() {
    let (stage, delivery) = scene();
    let (mut market, _) = shop("wadi.myshopify.com", "hush", 2);
    let foreign = serde_json::json!({"shop_id": 1, "shop_domain": "other.myshopify.com"});
    let said = market.say("shop/redact", &foreign, stage.clock.now());
    assert!(!stage.deliver_to(Some("wadi"), &said, "hush"));
    stage.db.write(|_| Ok(())).unwrap();
    let foreign = &rejected(&stage)[0];
    assert_eq!((foreign.why, foreign.shop.as_str()), (Why::OtherShop, "other.myshopify.com"), "as the body names it");
    stage.wish(Wish::MerchantClose { slug: "wadi".into() });
    stage.intake.reload().unwrap();
    let right = sign("hush", &delivery.body);
    let closed = counted(&stage, Some("wadi"), &delivery.shop_domain, &right, &delivery.body);
    assert_eq!((closed.merchant_id, closed.why), (Some(1), Why::Closed));
    let nobody = counted(&stage, None, &delivery.shop_domain, &right, &delivery.body);
    assert_eq!((nobody.merchant_id, nobody.why), (None, Why::UnknownShop));
    // What a limited person sees.
    let seen = stage.db.see(&Scope::Only([1].into()), |sight| sight.rejected(stage.clock.now())).unwrap();
    assert!(seen.len() == 2 && seen.iter().all(|one| one.merchant_id == Some(1)), "{seen:?}");
    assert_eq!(stage.db.see(&Scope::Only([9].into()), |sight| sight.rejected(stage.clock.now())).unwrap(), []);
}

#[test]
fn noise_is_told_only_when_it_is_loud_and_rises() {
    let now = "2026-11-20T09:00:00Z".parse().unwrap();
    let one = |why, day, day_before| Rejected {
        merchant_id: Some(1),
        why,
        week: day + day_before,
        day,
        day_before,
        last_at: now,
        shop: String::new(),
    };
    let told = |all: &[Rejected]| rejection::rising(all).iter().map(|rise| rise.day).collect::<Vec<_>>();
    assert_eq!(told(&[one(Why::NoSignature, 19, 0)]), [0_i64; 0]);
    assert_eq!(told(&[one(Why::NoSignature, 30, 15)]), [0_i64; 0], "as much as ever");
    assert_eq!(told(&[one(Why::NoSignature, 31, 15)]), [31]);
    assert_eq!(told(&[one(Why::OtherShop, 9, 0)]), [0_i64; 0], "it names no shop at all");
    assert_eq!(told(&[Rejected { shop: "a.myshopify.com".into(), ..one(Why::OtherShop, 9, 0) }]), [9]);
    assert_eq!(told(&[one(Why::OtherSecret, 0, 9)]), [0_i64; 0], "it is over");
    assert_eq!(told(&[one(Why::Closed, 50, 0)]), [0_i64; 0], "somebody closed it on purpose");
    let rise = rejection::rising(&[one(Why::OtherSecret, 1, 2), one(Why::NoSignature, 3, 4)]);
    assert_eq!(rise, [Rise { merchant_id: Some(1), day: 4, day_before: 6, last_at: now }]);
}

//! The barcodes of variants: asked once, told anew when one changes, and no order waits for them for ever.

use jiff::SignedDuration;
use qantara::db::order::State;
use qantara::db::scope::Scope;
use qantara::db::{Context as _, document, variant};
use qantara::desk::{Secret, Wish};
use qantara::domain::catalog::Rule;
use qantara::domain::invoice::Billed;
use qantara::domain::variant::Outcome;
use qantara::sandbox::daftra as fake;
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::admin::Storefront;
use qantara::sandbox::shop::cart::{Cart, OrderId, Product, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use rust_decimal::Decimal;

use crate::common::stage::{Cast, Plan, Stage, shop};

const DOMAIN: &str = "wadi.myshopify.com";
const BOWL: u64 = 201;
const EAN: &str = "6291041500213";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A shop whose API may be asked; the last on the shelf has a SKU that Daftra does not know.
struct Story {
    stage: Stage,
    shelf: Vec<VariantId>,
    odd: VariantId,
    merchant_id: i64,
}

impl Story {
    fn new() -> Self {
        let mut stage = Stage::new(Plan { workers: 2, ..Plan::default() });
        let (mut shop, shelf) = shop(DOMAIN, "hush", 7);
        let odd = shop.sell(Product {
            sku: "ODD-77".to_owned(),
            price: Decimal::new(5_000, 2),
            vendor: "Wadi Home".to_owned(),
            title: "Brass bowl".to_owned(),
            variant_title: None,
            taxable: true,
        });
        let mut front = Storefront::new(shop, "client-1", "hush");
        front.admin.grant("shpat_forever");
        stage.network.world.lock().unwrap().add_shop(front);
        let merchant_id = stage.add(&Cast::default());
        stage.engine.is_reached_at("https://bridge.example".to_owned());
        stage.start();
        Self { stage, shelf, odd, merchant_id }
    }

    fn connected() -> Self {
        let story = Self::new();
        story.connect();
        story
    }

    fn connect(&self) {
        self.stage.wish(Wish::ShopConnect {
            slug: "wadi".to_owned(),
            client_id: None,
            secret: Secret("shpat_forever".to_owned().into()),
            signs: None,
        });
        self.chores();
    }

    fn chores(&self) {
        self.stage.engine.wake_chores();
        self.stage.pass(MINUTE);
        self.stage.until_idle(HOUR);
    }

    fn shop<T>(&self, change: impl FnOnce(&mut Storefront) -> T) -> T {
        change(self.stage.network.world.lock().unwrap().shop_mut(DOMAIN).unwrap())
    }

    fn label(&self, variant: VariantId, barcode: Option<&str>) -> Delivery {
        let now = self.stage.clock.now();
        self.shop(|front| front.shop.label(variant, barcode, now)).unwrap()
    }

    fn buy(&self, variant: VariantId) -> (OrderId, Vec<Delivery>) {
        let (now, cart) = (self.stage.clock.now(), Cart::of(&[(variant, 1)]));
        self.shop(|front| front.shop.buy(&cart, now)).unwrap()
    }

    /// Bought, told of by its webhooks, and worked on.
    fn order(&self, variant: VariantId) {
        let (_, deliveries) = self.buy(variant);
        self.stage.deliver(&deliveries);
        self.stage.until_idle(HOUR);
    }

    /// Daftra has the bowl, under a code of its own and with this barcode.
    fn known_in_daftra(&self, barcode: &str) {
        let now = self.stage.clock.now();
        self.stage.account("one", |account| {
            account.add_product(fake::Product {
                id: BOWL,
                name: "Bowl".to_owned(),
                product_code: "B-1".to_owned(),
                barcode: barcode.to_owned(),
                ..fake::Product::default()
            });
            account.add_stock(BOWL, 1, Decimal::from(100), now);
        });
    }

    fn billed(&self, name: &str) -> Billed {
        let order_id = self.stage.order(name).id;
        let documents = self.stage.db.read(|c| document::of_order(c, order_id)).unwrap();
        documents[0].invoice().unwrap().billed[0].clone()
    }

    fn rule_of(&self, name: &str) -> Rule {
        self.billed(name).found.unwrap().rule
    }

    fn barcode(&self, variant: VariantId) -> Option<String> {
        let id = i64::try_from(variant.0).unwrap();
        let known = self.stage.db.read(|c| variant::barcodes(c, self.merchant_id, [id].into_iter())).unwrap();
        known.get(&id).map(|code| code.as_str().to_owned())
    }
}

#[test]
fn a_product_is_found_by_the_barcode_that_the_shop_tells_of() {
    let story = Story::connected();
    story.known_in_daftra(EAN);
    story.label(story.odd, Some(EAN));
    story.order(story.odd);
    assert_eq!(story.stage.order("#1001").state, State::Settled);
    assert_eq!(story.rule_of("#1001"), Rule::Barcode);
    assert_eq!(story.billed("#1001").product_id, i64::try_from(BOWL).ok());
    // The next order of the same thing asks for nothing.
    let before = story.shop(|front| front.admin.times("Variants"));
    story.order(story.odd);
    assert_eq!(story.stage.order("#1002").state, State::Settled);
    assert_eq!(story.shop(|front| front.admin.times("Variants")), before);
    assert_eq!(before, 1);
}

#[test]
fn a_barcode_that_moved_unsaid_is_asked_for_again() {
    const OTHER: &str = "6291041500220";
    let story = Story::connected();
    story.known_in_daftra(EAN);
    story.stage.account("one", |account| {
        account.add_product(fake::Product {
            id: BOWL + 1,
            name: "Plate".to_owned(),
            product_code: "P-1".to_owned(),
            barcode: OTHER.to_owned(),
            ..fake::Product::default()
        });
        account.add_stock(BOWL + 1, 1, Decimal::from(100), "2026-06-17T09:00:00Z".parse().unwrap());
    });
    story.label(story.odd, Some(EAN));
    story.order(story.odd);
    assert_eq!(story.billed("#1001").product_id, i64::try_from(BOWL).ok());
    // No webhook tells of it.
    story.stage.pass(MINUTE);
    story.label(story.odd, Some(OTHER));
    story.stage.pass(variant::BELIEVED + MINUTE);
    story.order(story.odd);
    assert_eq!(story.billed("#1002").product_id, i64::try_from(BOWL + 1).ok());
}

#[test]
fn without_a_way_to_the_shop_the_sku_decides_as_before() {
    let story = Story::new();
    story.known_in_daftra(EAN);
    story.label(story.odd, Some(EAN));
    story.order(story.odd);
    assert_eq!(story.stage.order("#1001").state, State::Held);
    story.order(story.shelf[2]);
    assert_eq!(story.stage.order("#1002").state, State::Settled);
    assert_eq!(story.shop(|front| front.admin.times("Variants")), 0);
}

#[test]
fn a_webhook_tells_of_a_new_barcode_and_an_older_one_replaces_nothing() {
    let story = Story::connected();
    let older = story.label(story.odd, Some("111"));
    story.stage.pass(MINUTE);
    let newer = story.label(story.odd, Some(EAN));
    story.stage.deliver(&[newer]);
    assert_eq!(story.barcode(story.odd).as_deref(), Some(EAN));
    story.stage.deliver(&[older]);
    assert_eq!(story.barcode(story.odd).as_deref(), Some(EAN));
    let kept: (i64, i64) = story
        .stage
        .db
        .read(|c| {
            c.query_row("select count(*), count(body) from delivery where topic = 'products/update'", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .during("count")
        })
        .unwrap();
    assert_eq!(kept, (2, 0), "what it said is kept, and its body is not");
    story.stage.pass(MINUTE);
    let gone = story.label(story.odd, None);
    story.stage.deliver(&[gone]);
    assert_eq!(story.barcode(story.odd).as_deref(), Some(""));
    // A thing that nobody sells any more is asked for once.
    story.shop(|front| front.shop.stop_selling(story.shelf[2]));
    story.stage.until_idle(HOUR);
}

#[test]
fn of_a_product_of_many_variants_the_untold_ones_are_asked_for_again() {
    let story = Story::connected();
    let many: Vec<VariantId> = story.shop(|front| {
        let beside = |at: usize| front.shop.sell_beside(story.odd, &format!("ODD-{at}"), &format!("{at}")).unwrap();
        (100..225).map(beside).collect()
    });
    let last = *many.last().unwrap();
    let delivery = story.label(last, Some(EAN));
    story.known_in_daftra(EAN);
    story.order(last);
    assert_eq!(story.barcode(last).as_deref(), Some(EAN));
    story.stage.deliver(&[delivery]);
    assert_eq!(story.barcode(last), None, "the body told of a hundred, and that this one may have changed");
    story.order(last);
    assert_eq!(story.shop(|front| front.admin.times("Variants")), 2);
    assert_eq!(story.stage.order("#1002").state, State::Settled);
}

#[test]
fn an_order_waits_a_quarter_of_an_hour_for_a_shop_that_does_not_answer_and_not_longer() {
    let story = Story::connected();
    // The webhooks are read as new, so only the barcode is missing.
    let (_, deliveries) = story.buy(story.shelf[2]);
    story.shop(|front| front.faults.push(Fault::always(FaultKind::Refuse)));
    story.stage.deliver(&deliveries);
    story.stage.pass(10 * MINUTE);
    assert_ne!(story.stage.order("#1001").state, State::Settled);
    story.stage.pass(10 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!(story.stage.order("#1001").state, State::Settled);
    assert_eq!(story.rule_of("#1001"), Rule::Code);
}

#[test]
fn an_app_that_may_not_read_products_is_not_asked_for_them() {
    let story = Story::new();
    story.shop(|front| front.admin.scopes.retain(|scope| scope != "read_products"));
    story.connect();
    story.order(story.shelf[2]);
    assert_eq!(story.stage.order("#1001").state, State::Settled);
    assert_eq!(story.shop(|front| front.admin.times("Variants")), 0);
}

#[test]
fn the_coverage_counts_what_is_found_by_which_rule_and_names_the_rest() {
    let story = Story::connected();
    story.known_in_daftra(EAN);
    story.label(story.odd, Some(EAN));
    let lost = story.shop(|front| front.shop.sell_beside(story.odd, "LOST-1", "Lost").unwrap());
    story.stage.wish(Wish::CoverageLook { slug: "wadi".to_owned() });
    story.chores();
    let (coverage, rest) = story
        .stage
        .db
        .see(&Scope::All, |sight| {
            Ok((sight.coverage(story.merchant_id)?.unwrap(), sight.uncovered(story.merchant_id, 0, 100)?))
        })
        .unwrap();
    assert!(coverage.whole);
    assert_eq!(
        coverage.counts.get(&Outcome::Barcode),
        Some(&2),
        "one by its own barcode, one by a SKU that is one: {coverage:?}"
    );
    assert_eq!(coverage.total() - coverage.covered(), u64::try_from(rest.len()).unwrap());
    assert!(rest.iter().any(|one| one.sku == "LOST-1" && one.title == "Brass bowl - Lost"), "{rest:?}");
    // A person says which product it is; it is looked through again.
    story.stage.wish(Wish::MappingSet { slug: "wadi".to_owned(), code: lost.0.to_string(), product_id: 101 });
    story.stage.wish(Wish::CoverageLook { slug: "wadi".to_owned() });
    story.chores();
    let again = story.stage.db.read(|c| variant::coverage(c, story.merchant_id)).unwrap().unwrap();
    assert_eq!(again.counts.get(&Outcome::Mapping), Some(&1));
    assert_eq!(again.covered(), coverage.covered() + 1);
}

#[test]
fn without_the_shop_the_coverage_is_that_of_what_was_sold_and_says_so() {
    let story = Story::new();
    story.order(story.shelf[2]);
    story.order(story.odd);
    story.stage.wish(Wish::CoverageLook { slug: "wadi".to_owned() });
    story.chores();
    let coverage = story.stage.db.read(|c| variant::coverage(c, story.merchant_id)).unwrap().unwrap();
    assert!(!coverage.whole);
    assert_eq!((coverage.total(), coverage.covered()), (2, 1), "{coverage:?}");
}

#[test]
fn a_shop_of_many_variants_is_listed_to_its_end_though_the_bucket_runs_dry() {
    let story = Story::connected();
    story.shop(|front| {
        for at in 0..2_500 {
            front.shop.sell_beside(story.odd, &format!("M-{at}"), "x").unwrap();
        }
    });
    story.stage.wish(Wish::CoverageLook { slug: "wadi".to_owned() });
    story.chores();
    story.stage.pass(2 * MINUTE);
    let coverage = story.stage.db.read(|c| variant::coverage(c, story.merchant_id)).unwrap().unwrap();
    assert!(coverage.whole && coverage.total() > 2_500, "{coverage:?}");
    let pages = story.shop(|front| front.admin.times("Shelf"));
    assert!((26..35).contains(&pages), "{pages}: no page is read twice but where a question was thrown away");
}

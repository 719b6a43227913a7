//! Every shape that the money of an order takes, through the whole bridge: Daftra's own sums are the order's, whichever way
//! it rounds, and the goods leave the warehouse; or the order is held, and says why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use qantara::db::order::State;
use qantara::domain::money::Amount;
use qantara::domain::reason::{Hold, Reason};
use qantara::domain::rules::{LinePolicy, Rules, TaxRule};
use qantara::domain::trace::Step;
use qantara::sandbox::daftra::{AccountSetup, DocumentKind, Rounding, Tax as DaftraTax};
use qantara::sandbox::shop::cart::{
    Cart, Discount, Item, Origin, Product, Shipping, Target, Value as Worth, VariantId,
};
use qantara::sandbox::shop::delivery::raw;
use qantara::sandbox::shop::{Presentment, Shop, ShopSetup, Tax};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{bridge, hear};

/// An order, and what must become of it.
struct Shape {
    about: &'static str,
    shop: ShopSetup,
    account: AccountSetup,
    rules: fn(&mut Rules),
    cart: Cart,
    /// What the shop of the sandbox does not do by itself.
    body: fn(&mut Value),
    end: End,
}

enum End {
    Booked {
        /// Of the order's total, what is on no document.
        left_out: &'static str,
        /// Units by product.
        moved: &'static [(u64, i64)],
        /// Rows that move no stock.
        texts: usize,
    },
    Held(&'static str),
}

/// What the usual cart takes out of the stock: three cushions and two lamps.
const GOODS: &[(u64, i64)] = &[(101, 3), (102, 2)];

const WHOLE: End = End::Booked { left_out: "0", moved: GOODS, texts: 0 };
const WITH_A_TEXT: End = End::Booked { left_out: "0", moved: GOODS, texts: 1 };

const fn without(left_out: &'static str) -> End {
    End::Booked { left_out, moved: GOODS, texts: 0 }
}

/// Places on the shelf, beside the samples.
const ZERO_RATED: usize = 8;
const TWICE_TAXED: usize = 9;

fn riyals() -> ShopSetup {
    ShopSetup::new("wadi.myshopify.com", "hush", "SAR")
}

/// The same ids in every shop of the same seed and shelf.
fn stocked(setup: ShopSetup) -> (Shop, Vec<VariantId>) {
    let mut shop = Shop::new(setup);
    let digits = shop.setup().digits();
    let samples = || Product::samples(digits);
    let mut shelf: Vec<VariantId> = samples().into_iter().map(|product| shop.sell(product)).collect();
    let tax = |title: &str, percent| Tax { title: title.into(), rate: Decimal::new(percent, 2) };
    shelf.push(shop.sell_with_taxes(samples().remove(3), vec![tax("Zero-rated", 0)]));
    shelf.push(shop.sell_with_taxes(samples().remove(3), vec![tax("City", 2), tax("VAT", 15)]));
    (shop, shelf)
}

fn shape(about: &'static str, change: impl FnOnce(&mut Cart, &[VariantId]), end: End) -> Shape {
    let (_, shelf) = stocked(riyals());
    let mut cart = Cart::of(&[(shelf[2], 2), (shelf[0], 3)]);
    change(&mut cart, &shelf);
    Shape { about, shop: riyals(), account: AccountSetup::default(), rules: |_| {}, cart, body: |_| {}, end }
}

/// With the usual cart.
fn plain(about: &'static str, end: End) -> Shape {
    shape(about, |_, _| {}, end)
}

fn off(origin: Origin, target: Target, value: Worth) -> Discount {
    Discount { origin, target, value }
}

fn percent(percent: i64) -> Worth {
    Worth::Percent(Decimal::from(percent))
}

fn minor(minor: i64) -> Decimal {
    Decimal::new(minor, 2)
}

fn discounts() -> Vec<Shape> {
    let code = || Origin::Code("TEN".into());
    let automatic = || Origin::Automatic("Spring".into());
    let priced = Shipping::Priced(minor(2_300));
    let everything = move |cart: &mut Cart| {
        cart.shipping = priced;
        cart.discounts = vec![
            off(Origin::Manual("Friend".into()), Target::Line(1), Worth::Fixed(minor(1_001))),
            off(automatic(), Target::Order, percent(7)),
            off(code(), Target::Order, Worth::Fixed(Decimal::TEN)),
            off(code(), Target::Shipping, percent(50)),
        ];
    };
    vec![
        shape("on a line", |cart, _| cart.discounts = vec![off(automatic(), Target::Line(1), percent(11))], WHOLE),
        shape(
            "on the order",
            |cart, _| cart.discounts = vec![off(automatic(), Target::Order, Worth::Fixed(minor(1_000)))],
            WHOLE,
        ),
        shape("by code", |cart, _| cart.discounts = vec![off(code(), Target::Order, percent(13))], WHOLE),
        shape("automatic", |cart, _| cart.discounts = vec![off(automatic(), Target::Order, percent(15))], WHOLE),
        shape(
            "on the shipping",
            |cart, _| {
                cart.shipping = priced;
                cart.discounts = vec![off(code(), Target::Shipping, percent(33))];
            },
            WITH_A_TEXT,
        ),
        shape("of every kind", |cart, _| everything(cart), WITH_A_TEXT),
        shape(
            "of everything: the goods leave all the same",
            |cart, _| cart.discounts = vec![off(code(), Target::Order, percent(100))],
            WHOLE,
        ),
        shape("free shipping: no line", |cart, _| cart.shipping = Shipping::None, WHOLE),
        shape("free shipping: a line of nothing", |cart, _| cart.shipping = Shipping::Free, WHOLE),
        shape(
            "free shipping: a price and a discount of it",
            |cart, _| {
                cart.shipping = priced;
                cart.discounts = vec![off(code(), Target::Shipping, percent(100))];
            },
            WHOLE,
        ),
        Shape {
            body: |order| {
                order["shipping_lines"][0]["is_removed"] = json!(true);
                add(order, "total_price", "-23.00");
                add(order, "total_tax", "-3.00");
            },
            ..shape("shipping that was taken off", |cart, _| cart.shipping = priced, WHOLE)
        },
    ]
}

fn taxes() -> Vec<Shape> {
    let priced = Shipping::Priced(minor(2_350));
    let on_top = || ShopSetup { taxes_included: false, ..riyals() };
    let untaxed = || ShopSetup { taxes: Vec::new(), ..riyals() };
    let one = |place: usize, units: u32| {
        move |cart: &mut Cart, shelf: &[VariantId]| *cart = Cart::of(&[(shelf[place], units)])
    };
    let halves = |cart: &mut Cart, shelf: &[VariantId]| *cart = Cart::of(&[(shelf[1], 1), (shelf[5], 1)]);
    let trays = |units: &'static [(u64, i64)]| End::Booked { left_out: "0", moved: units, texts: 0 };
    vec![
        plain("inside the prices", WHOLE),
        Shape { shop: on_top(), ..plain("on top", WHOLE) },
        // Halves of a halala on both lines: rounded together there is one less of it.
        Shape { shop: on_top(), ..shape("rounded otherwise", halves, trays(&[(101, 1), (105, 1)])) },
        Shape { shop: untaxed(), ..plain("none at all", WHOLE) },
        shape(
            "on some lines",
            |cart, shelf| *cart = Cart::of(&[(shelf[7], 2), (shelf[6], 7)]),
            trays(&[(106, 7), (107, 2)]),
        ),
        shape("of zero", one(ZERO_RATED, 2), trays(&[(103, 2)])),
        Shape { shop: on_top(), ..shape("two, named together", one(TWICE_TAXED, 3), trays(&[(103, 3)])) },
        shape("two, that nobody named", one(TWICE_TAXED, 3), End::Held("several_taxes")),
        Shape { rules: |rules| rules.taxes.clear(), ..plain("that nobody named", End::Held("unknown_tax")) },
        shape("on the shipping, inside", |cart, _| cart.shipping = priced, WITH_A_TEXT),
        Shape { shop: on_top(), ..shape("on the shipping, on top", |cart, _| cart.shipping = priced, WITH_A_TEXT) },
        Shape {
            body: |order| {
                add(order, "total_tax", "-1.00");
                add(&mut order["line_items"][0]["tax_lines"][0], "price", "-1.00");
            },
            ..plain("that Daftra would compute otherwise", End::Held("totals_differ"))
        },
    ]
}

fn currencies() -> Vec<Shape> {
    let of = |currency: &str, decimals| {
        let account = AccountSetup { currency: currency.into(), decimals, ..AccountSetup::default() };
        (ShopSetup::new("wadi.myshopify.com", "hush", currency), account)
    };
    let abroad = Presentment { currency: "USD".into(), rate: Decimal::new(267, 3) };
    let ((yen, no_digits), (dinars, three_digits), (_, two_digits)) = (of("JPY", 0), of("KWD", 3), of("KWD", 2));
    vec![
        Shape { shop: ShopSetup { presentment: Some(abroad), ..riyals() }, ..plain("the buyer's own", WHOLE) },
        Shape { shop: yen, account: no_digits, ..plain("without digits", WHOLE) },
        Shape { shop: dinars.clone(), account: three_digits, ..plain("of three digits", WHOLE) },
        Shape {
            shop: dinars,
            account: two_digits,
            ..plain("too fine for the account", End::Held("account_too_coarse"))
        },
    ]
}

fn extras() -> Vec<Shape> {
    let tip = |cart: &mut Cart, _: &[VariantId]| cart.tip = Some(minor(500));
    let duties = |cart: &mut Cart, _: &[VariantId]| cart.duties = minor(1_234);
    let gift_card = |cart: &mut Cart, _: &[VariantId]| cart.lines.push((Item::GiftCard { price: minor(5_000) }, 1));
    let custom = |cart: &mut Cart, _: &[VariantId]| {
        cart.lines.push((Item::Custom { title: "Engraving".into(), price: minor(3_000), taxable: false }, 1));
    };
    let fees = |order: &mut Value| {
        order["original_total_additional_fees_set"] = bag("7.00");
        add(order, "total_price", "7.00");
    };
    let tip_beside = |order: &mut Value| {
        order["total_tip_received"] = json!("5.00");
        add(order, "total_price", "5.00");
    };
    vec![
        shape("a tip, held", tip, End::Held("tip")),
        Shape { rules: |rules| rules.tip = LinePolicy::Line, ..shape("a tip, booked", tip, WITH_A_TEXT) },
        Shape { rules: |rules| rules.tip = LinePolicy::Skip, ..shape("a tip, left out", tip, without("5.00")) },
        Shape { body: tip_beside, ..plain("a tip beside the lines, held", End::Held("extra_amount")) },
        Shape {
            body: tip_beside,
            rules: |rules| rules.tip = LinePolicy::Line,
            ..plain("a tip beside the lines, booked", WITH_A_TEXT)
        },
        Shape {
            body: tip_beside,
            rules: |rules| rules.tip = LinePolicy::Skip,
            ..plain("a tip beside the lines, left out", without("5.00"))
        },
        shape("duties, held", duties, End::Held("extra_amount")),
        Shape { rules: |rules| rules.duty = LinePolicy::Line, ..shape("duties, booked", duties, WITH_A_TEXT) },
        Shape { rules: |rules| rules.duty = LinePolicy::Skip, ..shape("duties, left out", duties, without("12.34")) },
        Shape { body: fees, ..plain("fees, held", End::Held("extra_amount")) },
        Shape { body: fees, rules: |rules| rules.duty = LinePolicy::Line, ..plain("fees, booked", WITH_A_TEXT) },
        Shape { body: fees, rules: |rules| rules.duty = LinePolicy::Skip, ..plain("fees, left out", without("7.00")) },
        shape("a gift card, held", gift_card, End::Held("gift_card")),
        Shape {
            rules: |rules| rules.gift_card = LinePolicy::Line,
            ..shape("a gift card, booked", gift_card, WITH_A_TEXT)
        },
        Shape {
            rules: |rules| rules.gift_card = LinePolicy::Skip,
            ..shape("a gift card, left out", gift_card, without("50.00"))
        },
        shape("something typed in, held", custom, End::Held("custom_line")),
        Shape { rules: |rules| rules.custom = LinePolicy::Line, ..shape("typed in, booked", custom, WITH_A_TEXT) },
        Shape {
            rules: |rules| rules.custom = LinePolicy::Skip,
            ..shape("typed in, left out", custom, without("30.00"))
        },
        shape("cash rounded when it was paid", |cart, _| cart.cash_rounding = minor(5), WHOLE),
        Shape {
            body: |order| {
                order["total_cash_rounding_payment_adjustment_set"] = bag("0.05");
                add(order, "total_price", "0.05");
            },
            ..plain("cash rounded inside the total", End::Held("extra_amount"))
        },
        Shape { body: |order| delete_product(&mut order["line_items"][0]), ..plain("a deleted product", WHOLE) },
        Shape {
            body: |order| {
                delete_product(&mut order["line_items"][0]);
                order["line_items"][0]["sku"] = Value::Null;
            },
            ..plain("a deleted product of which nothing is left", End::Held("custom_line"))
        },
        Shape {
            body: |order| add(order, "total_price", "1.00"),
            ..plain("sums that do not add up", End::Held("amounts_do_not_add_up"))
        },
    ]
}

fn delete_product(line: &mut Value) {
    for field in ["product_id", "variant_id"] {
        line[field] = Value::Null;
    }
    line["product_exists"] = json!(false);
}

fn bag(amount: &str) -> Value {
    let money = json!({"amount": amount, "currency_code": "SAR"});
    json!({"shop_money": money, "presentment_money": money})
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn add(body: &mut Value, field: &str, amount: &str) {
    body[field] = json!((decimal(&body[field]) + amount.parse::<Decimal>().unwrap()).to_string());
}

#[test]
fn discounts_and_shipping_of_every_kind_are_in_daftras_own_sums() {
    play(&discounts());
}

#[test]
fn taxes_of_every_kind_are_in_daftras_own_sums() {
    play(&taxes());
}

#[test]
fn every_currency_is_booked_in_its_own_digits() {
    play(&currencies());
}

#[test]
fn what_is_no_product_is_held_booked_or_left_out_as_the_rules_say() {
    play(&extras());
}

fn play(shapes: &[Shape]) {
    for shape in shapes {
        for rounding in [Rounding::Row, Rounding::Document] {
            let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(shape, rounding)));
            assert!(played.is_ok(), "{} (rounding by {rounding:?})", shape.about);
        }
    }
}

fn check(shape: &Shape, rounding: Rounding) {
    let change = shape.rules;
    let stage = bridge(AccountSetup { rounding, ..shape.account.clone() }, move |rules| {
        let rule = |title: Option<&str>, percent, included, daftra_id| TaxRule {
            title: title.map(str::to_owned),
            rate: Decimal::new(percent, 2),
            included,
            daftra_id,
        };
        rules.taxes.push(rule(None, 15, false, 1));
        rules.taxes.push(rule(None, 0, true, 3));
        rules.taxes.push(rule(Some("City + VAT"), 17, false, 4));
        change(rules);
    });
    stage.account("one", |account| {
        for (id, value, included) in [(3, 0, true), (4, 17, false)] {
            let (name, value) = (format!("Tax {id}"), Decimal::from(value));
            account.add_tax(DaftraTax { id, name, value, included, active: true });
        }
    });
    let (mut shop, _) = stocked(shape.shop.clone());
    let digits = shop.setup().digits();
    let (_, mut deliveries) = shop.buy(&shape.cart, stage.clock.now()).unwrap();
    let mut order: Value = serde_json::from_slice(&deliveries[0].body).unwrap();
    (shape.body)(&mut order);
    deliveries[0].body = raw(&order);
    hear(&stage, &deliveries[..1]);

    let found = stage.orders().pop().unwrap();
    let (total, tax) = (decimal(&order["total_price"]), decimal(&order["total_tax"]));
    let (left_out, moved, texts) = match shape.end {
        End::Booked { left_out, moved, texts } => (left_out.parse::<Decimal>().unwrap(), moved, texts),
        End::Held(code) => {
            let Some(Reason::Held(holds)) = &found.reason else { panic!("{:?}", found.reason) };
            assert_eq!(holds.iter().map(Hold::code).collect::<BTreeSet<_>>(), [code].into(), "{holds:?}");
            let tells = |hold: &Hold| !matches!(hold, Hold::TotalsDiffer { lines, .. } if lines.len() != 1);
            assert!(holds.iter().all(tells), "which line differs: {holds:?}");
            stage.account("one", |account| assert_eq!(account.documents(DocumentKind::Invoice).count(), 0));
            return;
        }
    };
    assert_eq!(found.state, State::Settled, "{:?}", found.reason);
    stage.account("one", |account| {
        let invoice = account.documents(DocumentKind::Invoice).next().unwrap();
        let tolerance = Decimal::new(i64::try_from(invoice.items.len()).unwrap(), digits);
        let off = (invoice.totals.total - (total - left_out)).abs();
        assert!(off <= tolerance, "{} in Daftra, {total} in the shop", invoice.totals.total);
        if left_out.is_zero() {
            assert!((invoice.totals.tax - tax).abs() <= tolerance, "{} of tax, {tax} in the shop", invoice.totals.tax);
        }
        assert_eq!(invoice.items.iter().filter(|item| item.product_id.is_none()).count(), texts);
        for product in 101..=107 {
            let expected = moved.iter().find(|(id, _)| *id == product).map_or(0, |(_, units)| *units);
            assert_eq!(Decimal::from(100_000) - account.stock(product, 1), expected.into(), "product {product}");
        }
    });
    // A difference within the tolerance stays in the order's story, with both sums.
    let held = stage.account("one", |account| account.documents(DocumentKind::Invoice).next().unwrap().totals.total);
    let major = |amount: Amount| Decimal::new(amount.0, digits);
    let told = found.trace.iter().flatten().find_map(|step| {
        if let Step::Totals { shop, daftra } = step { Some((major(shop.total), major(daftra.total))) } else { None }
    });
    let expected = (total - left_out, held);
    assert_eq!(told.filter(|(shop, daftra)| shop != daftra), Some(expected).filter(|_| held != total - left_out));
    stage.pass(SignedDuration::from_hours(2));
    let writes = |calls: &BTreeMap<String, u64>| {
        calls.iter().filter(|(call, _)| !call.starts_with("GET")).map(|(_, count)| count).sum::<u64>()
    };
    stage.account("one", |account| assert_eq!(writes(account.calls()), 1, "one invoice, and nothing after it"));
}

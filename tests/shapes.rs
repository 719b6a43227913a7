//! Orders of every shape through the whole bridge: a shop with its own books on one side, a Daftra with its own on the
//! other. What Daftra's documents leave of a line is what the shop says is left, in units, money and stock; or a person is
//! asked, and told why.

#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;
#[path = "shapes/sums.rs"]
mod sums;

use std::collections::BTreeMap;

use common::stage::{Cast, Plan, Stage, shop};
use jiff::SignedDuration;
use qantara::db::merchant;
use qantara::db::order::State;
use qantara::domain::reason::{Hold, Reason, RefundPart};
use qantara::domain::rules::{ExchangePolicy, LinePolicy, PricePolicy, Rules};
use qantara::sandbox::daftra::{AccountSetup, DocumentKind, Product, Rounding};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{
    CancelHow, Cart, Discount, Edit, Item, MoneyBack, OrderId, Origin, Payment, Refund, Restock, Shipping, Target,
    Value, VariantId,
};
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::delivery::{Delivery, raw};
use rust_decimal::Decimal;
use serde_json::json;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Something that happens to an order.
type Step<'a> = &'a dyn Fn(&mut Shop, OrderId, &Stage);

/// A running bridge whose merchant has other rules than the usual one.
fn bridge(setup: AccountSetup, change: impl FnOnce(&mut Rules) + Send + 'static) -> Stage {
    let mut stage = Stage::new(Plan { accounts: vec![setup], ..Plan::default() });
    let id = stage.add(&Cast::default());
    let change = move |tx: &rusqlite::Transaction<'_>| {
        let mut merchant = merchant::get(tx, id)?;
        change(&mut merchant.rules);
        merchant::change(tx, &merchant)
    };
    stage.db.write(change).unwrap();
    stage.start();
    stage
}

fn hear(stage: &Stage, deliveries: &[Delivery]) {
    stage.deliver(deliveries);
    stage.until_idle(DAY);
}

/// Of every line what the documents in Daftra leave: units, and what the customer pays for them, as Daftra computed it.
fn net(stage: &Stage) -> BTreeMap<String, (Decimal, Decimal)> {
    stage.account("one", |account| {
        let mut net: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
        let mut moved: BTreeMap<u64, Decimal> = BTreeMap::new();
        for document in account.documents(DocumentKind::Invoice).chain(account.documents(DocumentKind::RefundReceipt)) {
            let sign = if document.kind == DocumentKind::Invoice { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            for (item, totals) in document.items.iter().zip(&document.totals.rows) {
                let mark = item.description.rsplit('[').next().unwrap().trim_end_matches(']').to_owned();
                let (units, money) = net.entry(mark).or_default();
                *units += sign * item.quantity;
                *money += sign * (totals.subtotal + totals.taxes.iter().sum::<Decimal>());
                if let Some(product) = item.product_id {
                    *moved.entry(product).or_default() += sign * item.quantity;
                }
            }
        }
        for (product, units) in moved {
            assert_eq!(Decimal::from(100_000) - account.stock(product, 1), units, "stock of product {product}");
        }
        net
    })
}

/// Daftra leaves of each line what the shop's own books do; a minor unit per unit may gather in roundings.
fn assert_same(stage: &Stage, shop: &Shop, order: OrderId) {
    let mut net = net(stage);
    for left in shop.what_is_left(order).unwrap() {
        let (units, money) = net.remove(&format!("line {}", left.line_id.0)).unwrap_or_default();
        assert_eq!(units, Decimal::from(left.units), "{}", left.sku);
        let slack = Decimal::new(10, 2);
        assert!((money - left.net).abs() <= slack, "{}: {money} in Daftra, {} in the shop", left.sku, left.net);
    }
    for (mark, (units, money)) in net.into_iter().filter(|(mark, _)| mark.starts_with("line")) {
        assert!(
            units <= Decimal::ZERO && money.abs() <= Decimal::new(10, 2),
            "{mark}: {units} units, {money} are left"
        );
    }
}

fn few(chance: &mut Chance, most: u64) -> u32 {
    1 + u32::try_from(chance.below(most)).unwrap()
}

fn cart(chance: &mut Chance, shelf: &[VariantId]) -> Cart {
    let from = usize::try_from(chance.below(3)).unwrap();
    let lines: Vec<(VariantId, u32)> = shelf[from..].iter().take(2).map(|variant| (*variant, few(chance, 4))).collect();
    let percent = Decimal::from(chance.below(30));
    let discount = |origin, target, value| Discount { origin, target, value };
    let discounts = match chance.below(4) {
        0 => Vec::new(),
        1 => vec![discount(Origin::Automatic("Spring".into()), Target::Line(0), Value::Percent(percent))],
        2 => vec![discount(Origin::Code("TEN".into()), Target::Order, Value::Fixed(Decimal::TEN))],
        _ => vec![
            discount(Origin::Manual("Loyal".into()), Target::Line(1), Value::Fixed(Decimal::ONE)),
            discount(Origin::Code("SHIP".into()), Target::Shipping, Value::Percent(percent)),
        ],
    };
    let shipping = if chance.per_mille(700) { Shipping::Priced(Decimal::new(2_300, 2)) } else { Shipping::Free };
    let payment = if chance.per_mille(800) { Payment::Paid } else { Payment::Pending };
    Cart { discounts, shipping, payment, ..Cart::of(&lines) }
}

/// Something happens to the order; nothing if the shop does not allow it.
fn act(chance: &mut Chance, shop: &mut Shop, order: OrderId, shelf: &[VariantId], stage: &Stage) -> Vec<Delivery> {
    let now = stage.clock.now();
    let left = shop.what_is_left(order).unwrap();
    let Some(line) = left.get(usize::try_from(chance.below(3)).unwrap() % left.len().max(1)) else { return Vec::new() };
    let units = 1 + u32::try_from(chance.below(u64::from(line.units))).unwrap();
    let restock = [Restock::NoRestock, Restock::Cancel, Restock::Return][usize::try_from(chance.below(3)).unwrap()];
    let goods = Refund::of(&[(line.line_id, units, restock)]);
    let done = match chance.below(7) {
        0 => shop.edit(order, &[Edit::AddLine { item: Item::Variant(shelf[4]), quantity: units }], now),
        1 => shop.edit(order, &[Edit::SetQuantity { line: line.line_id, to: line.units - units, restock: true }], now),
        2 => shop.edit(order, &[Edit::SetQuantity { line: line.line_id, to: line.units + units, restock: true }], now),
        3 => shop.refund(order, &Refund { shipping: Decimal::new(1_150, 2), ..Refund::of(&[]) }, now),
        4 => shop.refund(order, &Refund { shipping: Decimal::new(575, 2), ..goods }, now),
        5 | 6 => shop.refund(order, &goods, now),
        _ => unreachable!("below seven"),
    };
    done.unwrap_or_default()
}

#[test]
fn refunds_and_edits_in_any_sequence_leave_in_daftra_what_the_shop_says_is_left() {
    let mut settled = 0;
    for seed in 0..24 {
        let rounding = if seed % 2 == 0 { Rounding::Row } else { Rounding::Document };
        let stage = bridge(AccountSetup { rounding, ..AccountSetup::default() }, |_| {});
        let mut chance = Chance::new(seed);
        let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", seed);
        let (order, deliveries) = shop.buy(&cart(&mut chance, &shelf), stage.clock.now()).unwrap();
        hear(&stage, &deliveries);
        for _ in 0..4 {
            let deliveries = act(&mut chance, &mut shop, order, &shelf, &stage);
            // Some acts are heard of together.
            stage.deliver(&deliveries);
            if chance.per_mille(700) {
                stage.until_idle(DAY);
            }
        }
        stage.until_idle(DAY);
        let overview = stage.orders().pop().unwrap();
        match (overview.state, overview.reason) {
            (State::Settled, None) => {
                settled += 1;
                let same = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| assert_same(&stage, &shop, order)));
                assert!(same.is_ok(), "seed {seed}");
            }
            (State::Held, Some(Reason::Held(holds))) => {
                let is_asked = |hold: &Hold| matches!(hold, Hold::RefundPart { .. } | Hold::Overdrawn { .. });
                assert!(holds.iter().all(is_asked), "seed {seed}: {holds:?}");
            }
            other => panic!("seed {seed} ends as {other:?}"),
        }
    }
    assert!(settled >= 20, "only {settled} of 24 orders needed nobody");
}

/// What an edit left over-paid, or owed, goes the way of the goods when the order is cancelled: nobody has to judge it.
#[test]
fn a_cancellation_that_evens_out_what_an_edit_left_asks_nobody() {
    let fewer = |shop: &mut Shop, order, stage: &Stage| {
        let line = shop.what_is_left(order).unwrap()[0].clone();
        let edit = Edit::SetQuantity { line: line.line_id, to: line.units - 1, restock: true };
        hear(stage, &shop.edit(order, &[edit], stage.clock.now()).unwrap());
    };
    let more = |shop: &mut Shop, order, stage: &Stage| {
        let line = shop.what_is_left(order).unwrap()[1].clone();
        let edit = Edit::SetQuantity { line: line.line_id, to: line.units + 3, restock: true };
        hear(stage, &shop.edit(order, &[edit], stage.clock.now()).unwrap());
    };
    let back = |shop: &mut Shop, order, stage: &Stage| {
        let line = shop.what_is_left(order).unwrap()[0].clone();
        let refund = Refund::of(&[(line.line_id, 1, Restock::Return)]);
        hear(stage, &shop.refund(order, &refund, stage.clock.now()).unwrap());
    };
    let ways: [&[Step<'_>]; 4] = [&[&fewer], &[&fewer, &back], &[&more, &fewer], &[&more]];
    for (number, way) in ways.iter().enumerate() {
        for together in [false, true] {
            let stage = bridge(AccountSetup::default(), |_| {});
            let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 6);
            let cart = Cart {
                shipping: Shipping::Priced(Decimal::new(2_300, 2)),
                ..Cart::of(&[(shelf[0], 4), (shelf[2], 1)])
            };
            let (order, deliveries) = shop.buy(&cart, stage.clock.now()).unwrap();
            hear(&stage, &deliveries);
            way.iter().for_each(|step| step(&mut shop, order, &stage));
            let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
            let mut deliveries = shop.cancel(order, &how, stage.clock.now()).unwrap();
            if together {
                deliveries.reverse();
            }
            hear(&stage, &deliveries);
            let end = stage.orders().pop().unwrap();
            assert_eq!(end.state, State::Settled, "way {number}: {:?}", end.reason);
            assert_same(&stage, &shop, order);
        }
    }
}

#[test]
fn money_for_no_goods_becomes_a_receipt_where_the_merchant_says_so() {
    let kindness = |policy: LinePolicy| {
        let stage = bridge(AccountSetup::default(), move |rules| rules.goodwill = policy);
        let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 3);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[0], 2)]), stage.clock.now()).unwrap();
        hear(&stage, &deliveries);
        let refund = Refund { money: MoneyBack::Amount(Decimal::TEN), ..Refund::of(&[]) };
        hear(&stage, &shop.refund(order, &refund, stage.clock.now()).unwrap());
        assert_same(&stage, &shop, order);
        (stage.orders().pop().unwrap(), net(&stage).into_iter().find(|(mark, _)| mark.starts_with("money")))
    };
    let (held, none) = kindness(LinePolicy::Hold);
    let Some(Reason::Held(holds)) = held.reason else { panic!("{held:?}") };
    assert!(matches!(holds[..], [Hold::RefundPart { part: RefundPart::MoneyOnly, .. }]), "{holds:?}");
    assert_eq!(none, None);
    let (settled, row) = kindness(LinePolicy::Line);
    assert_eq!((settled.state, row.unwrap().1), (State::Settled, (Decimal::NEGATIVE_ONE, Decimal::from(-10))));
    assert_eq!(kindness(LinePolicy::Skip).0.state, State::Settled);
}

#[test]
fn an_invoice_of_a_closed_period_is_held_until_the_period_is_open() {
    let closed_until = Some(jiff::civil::date(2026, 12, 31));
    let stage = bridge(AccountSetup { closed_until, ..AccountSetup::default() }, |_| {});
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 4);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[0], 1)]), stage.clock.now()).unwrap();
    hear(&stage, &deliveries);
    let held = stage.orders().pop().unwrap();
    let Some(Reason::Held(holds)) = &held.reason else { panic!("{held:?}") };
    assert!(matches!(&holds[..], [Hold::Refused { .. }]), "{holds:?}");
    stage.account("one", |account| account.change(|setup| setup.closed_until = None)).unwrap();
    stage.try_again(&held);
    stage.until_idle(DAY);
    assert_eq!(stage.orders().pop().unwrap().state, State::Settled);
    assert_same(&stage, &shop, order);
}

/// What was decided about a line that changes nothing is kept in the database.
#[test]
fn a_tip_that_was_left_out_stays_out_under_other_rules() {
    let stage = bridge(AccountSetup::default(), |rules| rules.custom = LinePolicy::Skip);
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 5);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[0], 1)]), stage.clock.now()).unwrap();
    hear(&stage, &deliveries);
    let item = Item::Custom { title: "Gift wrap".into(), price: Decimal::TEN, taxable: true };
    hear(&stage, &shop.edit(order, &[Edit::AddLine { item, quantity: 1 }], stage.clock.now()).unwrap());
    let before = net(&stage);
    let rule = |tx: &rusqlite::Transaction<'_>| {
        let mut merchant = merchant::by_slug(tx, "wadi")?.unwrap();
        merchant.rules.custom = LinePolicy::Line;
        merchant::change(tx, &merchant)
    };
    stage.db.write(rule).unwrap();
    hear(&stage, &shop.tag(order, "seen", stage.clock.now()).unwrap());
    assert_eq!((stage.orders().pop().unwrap().state, net(&stage)), (State::Settled, before));
}

/// A bundle is one row; what it consists of leaves the stock by Daftra's own doing, so its own is not waited for.
#[test]
fn a_bundle_is_booked_as_the_bundle_and_waits_for_no_stock_of_its_own() {
    let stage = bridge(AccountSetup::default(), |_| {});
    let (code, now) = ("WH-2040".to_owned(), stage.clock.now());
    let set =
        Product { id: 102, name: "Set".into(), product_code: code, kind: 3, track_stock: false, ..Product::default() };
    stage.account("one", |account| {
        account.add_product(set);
        account.add_stock(102, 1, Decimal::from(-100_000), now);
    });
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 7);
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 2), (shelf[3], 1)]), stage.clock.now()).unwrap();
    hear(&stage, &deliveries);
    let end = stage.orders().pop().unwrap();
    assert_eq!(end.state, State::Settled, "{:?}", end.reason);
    stage.account("one", |account| {
        let rows = &account.documents(DocumentKind::Invoice).next().unwrap().items;
        let rows: Vec<_> = rows.iter().map(|row| (row.product_id, row.quantity)).collect();
        assert_eq!(rows, [(Some(102), 2.into()), (Some(103), 1.into())]);
    });
}

/// The money is booked elsewhere: documents at no price move the stock, out and in.
#[test]
fn orders_without_prices_move_the_stock_alone() {
    let stage = bridge(AccountSetup::default(), |rules| rules.price = PricePolicy::Zero);
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 8);
    let discounts =
        vec![Discount { origin: Origin::Code("TEN".into()), target: Target::Order, value: Value::Fixed(Decimal::TEN) }];
    let shipping = Shipping::Priced(Decimal::new(2_300, 2));
    let cart = Cart { discounts, shipping, ..Cart::of(&[(shelf[2], 3), (shelf[0], 1)]) };
    let (order, deliveries) = shop.buy(&cart, stage.clock.now()).unwrap();
    hear(&stage, &deliveries);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    hear(&stage, &shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    let edit = Edit::SetQuantity { line, to: 1, restock: true };
    hear(&stage, &shop.edit(order, &[edit], stage.clock.now()).unwrap());
    let end = stage.orders().pop().unwrap();
    assert_eq!(end.state, State::Settled, "{:?}", end.reason);
    stage.account("one", |account| {
        let all = account.documents(DocumentKind::Invoice).chain(account.documents(DocumentKind::RefundReceipt));
        let totals: Vec<_> = all.map(|one| (one.totals.total, one.totals.tax)).collect();
        assert_eq!(totals, [(Decimal::ZERO, Decimal::ZERO); 2]);
    });
    let left: BTreeMap<String, Decimal> = net(&stage).into_iter().map(|(mark, (units, _))| (mark, units)).collect();
    for line in shop.what_is_left(order).unwrap() {
        assert_eq!(left[&format!("line {}", line.line_id.0)], line.units.into(), "{}", line.sku);
    }
}

/// A lamp comes back and a cushion goes out for it: a person sees both sides, or the merchant says that it may be booked.
#[test]
fn an_exchange_is_shown_or_booked() {
    for policy in [ExchangePolicy::Hold, ExchangePolicy::Book] {
        let stage = bridge(AccountSetup::default(), move |rules| rules.exchange = policy);
        let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 9);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
        hear(&stage, &deliveries);
        let line = shop.what_is_left(order).unwrap()[0].line_id;
        let added = Edit::AddLine { item: Item::Variant(shelf[0]), quantity: 1 };
        let mut news = shop.edit(order, &[added], stage.clock.now()).unwrap();
        news.extend(shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
        let given = shop.order_body(order).unwrap()["line_items"][1]["id"].clone();
        for one in news.iter_mut().filter(|one| one.topic == "orders/updated") {
            let mut body: serde_json::Value = serde_json::from_slice(&one.body).unwrap();
            body["returns"] = json!([{ "exchange_line_items": [{ "line_item": { "id": given } }] }]);
            one.body = raw(&body);
        }
        news.retain(|one| one.topic != "orders/edited");
        hear(&stage, &news);
        let end = stage.orders().pop().unwrap();
        match policy {
            ExchangePolicy::Book => {
                assert_eq!(end.state, State::Settled, "{:?}", end.reason);
                assert_same(&stage, &shop, order);
            }
            ExchangePolicy::Hold => {
                let Some(Reason::Held(holds)) = &end.reason else { panic!("{:?}", end.reason) };
                let [Hold::Exchange { back, given }] = holds.as_slice() else { panic!("{holds:?}") };
                let units = |side: &[(String, i64)]| side.iter().map(|(_, units)| *units).collect::<Vec<_>>();
                assert_eq!((units(back), units(given)), (vec![1], vec![1]));
                assert_ne!(back[0].0, given[0].0);
                stage.account("one", |account| {
                    assert_eq!(account.documents(DocumentKind::RefundReceipt).count(), 0);
                    assert_eq!(account.documents(DocumentKind::Invoice).next().unwrap().items.len(), 1);
                });
            }
        }
    }
}

/// The period was closed after the invoice: neither its edit nor a receipt dated into it is forced on Daftra.
#[test]
fn edits_and_receipts_of_a_closed_period_are_held_until_it_is_open() {
    for is_edit in [true, false] {
        let stage = bridge(AccountSetup::default(), |_| {});
        let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 10);
        let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 2)]), stage.clock.now()).unwrap();
        hear(&stage, &deliveries);
        let closed_until = Some(jiff::civil::date(2026, 12, 31));
        stage.account("one", |account| account.change(|setup| setup.closed_until = closed_until)).unwrap();
        let before = net(&stage);
        let line = shop.what_is_left(order).unwrap()[0].line_id;
        let news = if is_edit {
            shop.edit(order, &[Edit::SetQuantity { line, to: 1, restock: true }], stage.clock.now())
        } else {
            shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now())
        };
        hear(&stage, &news.unwrap());
        let held = stage.orders().pop().unwrap();
        let Some(Reason::Held(holds)) = &held.reason else { panic!("{held:?}") };
        assert!(matches!(holds[..], [Hold::Locked { .. } | Hold::Refused { .. }]), "{holds:?}");
        assert_eq!(net(&stage), before);
        stage.account("one", |account| account.change(|setup| setup.closed_until = None)).unwrap();
        stage.try_again(&held);
        stage.until_idle(DAY);
        assert_eq!(stage.orders().pop().unwrap().state, State::Settled);
        assert_same(&stage, &shop, order);
    }
}

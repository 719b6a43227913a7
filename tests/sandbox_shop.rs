//! The fake shop keeps its own laws: the sums of real orders and refunds, over random histories.

#![expect(clippy::unwrap_used, reason = "what tests call fails like a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use jiff::{SignedDuration, Timestamp};
use qantara::sandbox::shop::cart::{
    CancelHow, Cart, Discount, Edit, Item, LineId, MoneyBack, OrderId, Origin, Payment, Product, Refund, Restock,
    Shipping, Target, Value as Worth, VariantId,
};
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::courier::{Courier, Habits, RETRY_GAPS_S};
use qantara::sandbox::shop::delivery::{Delivery, Sender, raw, sign};
use qantara::sandbox::shop::{Left, Presentment, Refusal, Shop, ShopSetup, Tax, Topic};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const SECRET: &str = "hush";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn open(currency: &str, taxes_included: bool, seed: u64) -> (Shop, Vec<VariantId>) {
    let setup = ShopSetup { taxes_included, seed, ..ShopSetup::new("nakheel.myshopify.com", SECRET, currency) };
    let mut shop = Shop::new(setup);
    let products = Product::samples(shop.setup().digits());
    let shelf = products.into_iter().map(|product| shop.sell(product)).collect();
    (shop, shelf)
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).parse().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn total(of: &Value, key: &str) -> Decimal {
    list(of).iter().map(|one| decimal(&one[key])).sum()
}

fn shop_money(bag: &Value) -> Decimal {
    decimal(&bag["shop_money"]["amount"])
}

fn lines_of(shop: &Shop, order: OrderId) -> Vec<LineId> {
    shop.what_is_left(order).unwrap().iter().map(|left| left.line_id).collect()
}

fn topics(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.topic.as_str()).collect()
}

fn body_of(deliveries: &[Delivery], topic: &str) -> Value {
    let delivery = deliveries.iter().find(|delivery| delivery.topic == topic).unwrap();
    serde_json::from_slice(&delivery.body).unwrap()
}

// ── the laws of a printed order ────────────────────────────────────────────────────────────────────────────────────

/// Everything that must hold for any order at any time; `left` and `paid` come from the shop's own book.
fn check_order(body: &Value, left: &[Left], paid: Decimal, digits: u32) {
    let included = body["taxes_included"].as_bool().unwrap();
    let on_top = |tax: Decimal| if included { Decimal::ZERO } else { tax };

    // What was ordered.
    let (mut subtotal, mut discounts, mut tax) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    for line in list(&body["line_items"]) {
        assert!(decimal(&line["total_discount"]).is_zero());
        let (whole, off) = (
            decimal(&line["price"]) * Decimal::from(line["quantity"].as_u64().unwrap()),
            total(&line["discount_allocations"], "amount"),
        );
        assert!(off >= Decimal::ZERO && off <= whole, "a discount is no more than its line: {line}");
        subtotal += whole - off;
        discounts += off;
        let rates: Vec<Decimal> = list(&line["tax_lines"]).iter().map(rate).collect();
        assert!(line["taxable"] == true || rates.is_empty(), "{line}");
        let all: Decimal = rates.iter().sum();
        let base = if included { (whole - off) / (Decimal::ONE + all) } else { whole - off };
        // Half a minor unit for each tax, and more for each part that was given back.
        let halves = Decimal::from(1 + 3 * list(&body["refunds"]).len());
        for one in list(&line["tax_lines"]) {
            let (found, fair) = (decimal(&one["price"]), base * rate(one));
            assert!((found - fair).abs() <= halves * Decimal::new(5, digits + 1), "{found} for {fair}: {body:#}");
            assert!(found >= Decimal::ZERO, "{line}");
        }
        tax += total(&line["tax_lines"], "price");
    }
    let mut shipping = Decimal::ZERO;
    for line in list(&body["shipping_lines"]) {
        let off = total(&line["discount_allocations"], "amount");
        shipping += decimal(&line["price"]) - off;
        discounts += off;
        tax += total(&line["tax_lines"], "price");
    }
    assert_eq!(decimal(&body["subtotal_price"]), subtotal);
    assert_eq!(decimal(&body["total_discounts"]), discounts);
    assert_eq!(decimal(&body["total_tax"]), tax);
    assert_eq!(total(&body["tax_lines"], "price"), tax);
    let names: BTreeSet<(&str, Decimal)> =
        list(&body["tax_lines"]).iter().map(|one| (one["title"].as_str().unwrap(), rate(one))).collect();
    assert_eq!(names.len(), list(&body["tax_lines"]).len(), "each tax once");
    let duties = &body["original_total_duties_set"];
    let duties = if duties.is_null() { Decimal::ZERO } else { shop_money(duties) };
    assert_eq!(decimal(&body["total_price"]), subtotal + shipping + on_top(tax) + duties);

    // The shares of a discount add up to it.
    let mut granted: BTreeMap<u64, Decimal> = BTreeMap::new();
    for line in list(&body["line_items"]).iter().chain(list(&body["shipping_lines"])) {
        for share in list(&line["discount_allocations"]) {
            let index = share["discount_application_index"].as_u64().unwrap();
            *granted.entry(index).or_default() += decimal(&share["amount"]);
        }
    }
    let applications = (0..).zip(list(&body["discount_applications"]));
    let by_code: Vec<Decimal> = applications
        .filter(|(_, one)| {
            one["type"] == "discount_code"
                || (one["type"] == "manual" && one["target_selection"] == "all" && one["target_type"] == "line_item")
        })
        .map(|(index, _)| granted.get(&index).copied().unwrap_or_default())
        .collect();
    let codes: Vec<Decimal> = list(&body["discount_codes"]).iter().map(|code| decimal(&code["amount"])).collect();
    assert_eq!(codes, by_code);

    // What is left, by the book.
    let by_line: BTreeMap<u64, &Left> = left.iter().map(|left| (left.line_id.0, left)).collect();
    for line in list(&body["line_items"]) {
        let units = by_line.get(&line["id"].as_u64().unwrap()).map_or(0, |left| left.units);
        assert_eq!(line["current_quantity"], json!(units));
        assert!(line["fulfillable_quantity"].as_u64().unwrap() <= u64::from(units));
    }
    let mut current_shipping = shipping;
    let mut current_tax: Decimal = left.iter().map(|left| left.tax).sum();
    current_tax += list(&body["shipping_lines"]).iter().map(|line| total(&line["tax_lines"], "price")).sum::<Decimal>();
    let mut kept_back = Decimal::ZERO;
    for refund in list(&body["refunds"]) {
        for part in list(&refund["refund_shipping_lines"]) {
            let (net, tax) = (shop_money(&part["subtotal_amount_set"]), shop_money(&part["tax_amount_set"]));
            current_shipping -= if included { net + tax } else { net };
            current_tax -= tax;
        }
        for one in list(&refund["order_adjustments"]) {
            if one["reason"] == "Refund discrepancy" {
                kept_back += decimal(&one["amount"]);
            }
        }
        check_refund(refund);
    }
    let current_subtotal: Decimal = left.iter().map(|left| left.net).sum();
    assert_eq!(decimal(&body["current_subtotal_price"]), current_subtotal);
    assert_eq!(decimal(&body["current_total_tax"]), current_tax);
    assert_eq!(shop_money(&body["current_shipping_price_set"]), current_shipping);
    let worth = current_subtotal + current_shipping + on_top(current_tax) + duties;
    let current = (worth + kept_back).max(Decimal::ZERO);
    assert_eq!(decimal(&body["current_total_price"]), current);
    if body["financial_status"] == "voided" {
        assert!(paid.is_zero());
    } else {
        assert_eq!(decimal(&body["total_outstanding"]), current - paid);
    }
    check_parcels(body);
    check_digits(body, digits);
}

/// No parcel holds what was not ordered, and what was shipped does not wait.
fn check_parcels(body: &Value) {
    let mut shipped: BTreeMap<u64, u64> = BTreeMap::new();
    for line in list(&body["fulfillments"]).iter().flat_map(|parcel| list(&parcel["line_items"])) {
        *shipped.entry(line["id"].as_u64().unwrap()).or_default() += line["quantity"].as_u64().unwrap();
    }
    for line in list(&body["line_items"]) {
        let units = |key: &str| line[key].as_u64().unwrap();
        let gone = shipped.get(&units("id")).copied().unwrap_or(0);
        assert!(gone + units("fulfillable_quantity") <= units("quantity"), "{line}");
        assert_eq!(line["fulfillment_status"].is_null(), gone == 0, "{line}");
    }
}

fn rate(tax_line: &Value) -> Decimal {
    tax_line["rate"].to_string().parse().unwrap()
}

/// The equation of every real refund in which money moved, and the two lists of a shipping refund agree.
fn check_refund(refund: &Value) {
    let mut worth = Decimal::ZERO;
    for line in list(&refund["refund_line_items"]) {
        assert!(line["subtotal"].is_number() && line["total_tax"].is_number());
        assert_eq!(line["subtotal"].to_string().parse::<Decimal>().unwrap(), shop_money(&line["subtotal_set"]));
        assert!(shop_money(&line["subtotal_set"]) >= Decimal::ZERO, "{line}");
        worth += shop_money(&line["subtotal_set"]) + shop_money(&line["total_tax_set"]);
    }
    let shipping: Decimal = list(&refund["refund_shipping_lines"])
        .iter()
        .map(|part| shop_money(&part["subtotal_amount_set"]) + shop_money(&part["tax_amount_set"]))
        .sum();
    let mut adjusted = Decimal::ZERO;
    for one in list(&refund["order_adjustments"]) {
        let amount = decimal(&one["amount"]) + decimal(&one["tax_amount"]);
        adjusted += amount;
        if one["kind"] == "shipping_refund" {
            assert_eq!(-amount, shipping);
        }
    }
    let moved = list(&refund["transactions"]);
    if moved.is_empty() {
        return;
    }
    assert!(
        moved.iter().all(|one| one["kind"] == "refund" && (one["status"] == "success" || one["status"] == "pending"))
    );
    if moved.iter().any(|one| one["currency"] != refund["total_duties_set"]["shop_money"]["currency_code"]) {
        return;
    }
    assert_eq!(worth - adjusted, total(&refund["transactions"], "amount"), "{refund:#}");
}

/// Each amount anywhere in the body has the digits of its currency.
fn check_digits(value: &Value, digits: u32) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if ["presentment_money", "transactions"].contains(&name.as_str()) {
                    continue;
                }
                let money = ["amount", "price", "tax_amount"].contains(&name.as_str())
                    || (name.contains("total_") && field.is_string());
                if money && name != "total_tip_received" {
                    let text = field.as_str().unwrap();
                    let after = text.split_once('.').map_or(0, |(_, after)| after.len());
                    assert_eq!(after, digits as usize, "{name}: {text}");
                    assert!(!text.starts_with("-0") || text.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9']));
                }
                check_digits(field, digits);
            }
        }
        Value::Array(all) => all.iter().for_each(|one| check_digits(one, digits)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

// ── random histories ───────────────────────────────────────────────────────────────────────────────────────────────

fn pick<T: Clone>(chance: &mut Chance, from: &[T]) -> T {
    let at = chance.below(u64::try_from(from.len()).unwrap());
    from[usize::try_from(at).unwrap()].clone()
}

fn few(chance: &mut Chance, most: u32) -> u32 {
    1 + u32::try_from(chance.below(u64::from(most))).unwrap()
}

fn amount(chance: &mut Chance, digits: u32) -> Decimal {
    Decimal::new(i64::try_from(chance.below(9_000)).unwrap(), digits)
}

fn random_cart(chance: &mut Chance, shelf: &[VariantId], digits: u32) -> Cart {
    let lines: Vec<(VariantId, u32)> = (0..few(chance, 4)).map(|_| (pick(chance, shelf), few(chance, 5))).collect();
    let mut cart = Cart::of(&lines);
    if chance.per_mille(200) {
        let price = amount(chance, digits);
        cart.lines.push((Item::Custom { title: "تغليف / gift wrap".to_owned(), price, taxable: true }, 1));
    }
    if chance.per_mille(100) {
        cart.lines.push((Item::GiftCard { price: amount(chance, digits) }, 1));
    }
    for _ in 0..chance.below(3) {
        let value = if chance.per_mille(500) {
            Worth::Percent(Decimal::from(pick(chance, &[5, 10, 33, 100])))
        } else {
            Worth::Fixed(amount(chance, digits))
        };
        let origin = pick(
            chance,
            &[
                Origin::Code("RAMADAN&10".to_owned()),
                Origin::Automatic("خصم".to_owned()),
                Origin::Manual("VIP".to_owned()),
            ],
        );
        let target = pick(chance, &[Target::Line(0), Target::Order, Target::Order, Target::Shipping]);
        cart.discounts.push(Discount { origin, target, value });
    }
    cart.shipping = match chance.below(3) {
        0 => Shipping::None,
        1 => Shipping::Free,
        _ => Shipping::Priced(amount(chance, digits)),
    };
    cart.tip = chance.per_mille(150).then(|| amount(chance, digits));
    cart.duties = if chance.per_mille(100) { amount(chance, digits) } else { Decimal::ZERO };
    let part = Payment::Part(amount(chance, digits));
    cart.payment = pick(chance, &[Payment::Paid, Payment::Paid, Payment::Pending, Payment::Authorized, part]);
    if chance.per_mille(200) {
        cart.buyer = None;
    }
    cart
}

fn tax(title: &str, per_mille: i64) -> Tax {
    Tax { title: title.to_owned(), rate: Decimal::new(per_mille, 3) }
}

fn random_setup(chance: &mut Chance, currency: &str, seed: u64) -> ShopSetup {
    let taxes_included = chance.per_mille(500);
    let mut setup = ShopSetup { taxes_included, seed, ..ShopSetup::new("nakheel.myshopify.com", SECRET, currency) };
    if chance.per_mille(300) {
        setup.taxes = vec![tax("GST", 50), tax("QST", 99), tax("Levy", 0)];
    }
    if chance.per_mille(200) {
        setup.presentment = Some(Presentment { currency: "EUR".to_owned(), rate: Decimal::new(23, 2) });
    }
    setup
}

/// A shop of which some products have taxes of their own.
fn open_with(setup: ShopSetup, chance: &mut Chance) -> (Shop, Vec<VariantId>) {
    let own = [vec![tax("Reduced", 50)], vec![tax("Zero", 0)], vec![], vec![tax("VAT", 150), tax("Excise", 500)]];
    let mut shop = Shop::new(setup);
    let products = Product::samples(shop.setup().digits());
    let shelf = products.into_iter().map(|product| match chance.per_mille(400) {
        true => shop.sell_with_taxes(product, pick(chance, &own)),
        false => shop.sell(product),
    });
    let shelf = shelf.collect();
    (shop, shelf)
}

fn random_act(
    chance: &mut Chance,
    shop: &mut Shop,
    shelf: &[VariantId],
    order: OrderId,
    now: Timestamp,
) -> (&'static str, Result<Vec<Delivery>, Refusal>) {
    let digits = shop.setup().digits();
    let left = shop.what_is_left(order).unwrap();
    let restock = pick(chance, &[Restock::NoRestock, Restock::Cancel, Restock::Return]);
    let some = (!left.is_empty()).then(|| pick(chance, &left));
    match (chance.below(16), some) {
        (0, _) => {
            let item = Item::Variant(pick(chance, shelf));
            ("add", shop.edit(order, &[Edit::AddLine { item, quantity: few(chance, 3) }], now))
        }
        (1 | 2, Some(line)) => {
            let to = u32::try_from(chance.below(u64::from(line.units) + 3)).unwrap();
            ("set", shop.edit(order, &[Edit::SetQuantity { line: line.line_id, to, restock: true }], now))
        }
        (3, Some(line)) => {
            let value = pick(chance, &[Worth::Percent(Decimal::from(15)), Worth::Fixed(Decimal::ONE)]);
            let edits = [Edit::Discount { line: line.line_id, value }, Edit::remove(line.line_id)];
            ("discount", shop.edit(order, &edits[..usize::try_from(few(chance, 2)).unwrap()], now))
        }
        (4 | 5, Some(line)) => {
            let mut refund = Refund::of(&[(line.line_id, few(chance, line.units), restock)]);
            refund.money = pick(chance, &[MoneyBack::None, MoneyBack::Worth, MoneyBack::Pending, MoneyBack::Pending]);
            if chance.per_mille(300) {
                refund.money = MoneyBack::Amount(amount(chance, digits));
            }
            ("refund", shop.refund(order, &refund, now))
        }
        (6, _) => {
            let body = shop.order_body(order).unwrap();
            let all = shop_money(&body["current_shipping_price_set"]);
            let shipping = if chance.per_mille(500) { all } else { (all / Decimal::TWO).trunc_with_scale(digits) };
            ("shipping back", shop.refund(order, &Refund { shipping, ..Refund::of(&[]) }, now))
        }
        (7, _) => {
            let money = MoneyBack::Amount(amount(chance, digits));
            ("goodwill", shop.refund(order, &Refund { money, ..Refund::of(&[]) }, now))
        }
        (8 | 9, _) => ("pay", shop.pay(order, now)),
        (10, _) if chance.per_mille(400) => {
            let [restock, money, shipping] = [(); 3].map(|()| chance.per_mille(600));
            let how = CancelHow { restock, money, shipping, reason: "customer".to_owned() };
            ("cancel", shop.cancel(order, &how, now))
        }
        (10, _) => ("fulfil", shop.fulfil(order, now)),
        (11, Some(line)) => {
            let parcel = [(line.line_id, few(chance, line.units))];
            ("fulfil part", shop.fulfil_part(order, &parcel, now))
        }
        (12, _) => ("pay part", shop.pay_part(order, amount(chance, digits), now)),
        (13, _) => ("decline", shop.decline(order, now)),
        (_, _) => match shop.settle_refunds(order, now) {
            Err(Refusal::Nothing) => ("tag", shop.tag(order, "vip", now)),
            settled => ("settle", settled),
        },
    }
}

#[test]
fn every_history_adds_up() {
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..180 {
        let (currency, digits) = [("SAR", 2), ("KWD", 3), ("JPY", 0), ("AED", 2)][seed % 4];
        let seed = u64::try_from(seed).unwrap();
        println!("seed {seed}, {currency}");
        let mut chance = Chance::new(seed);
        let (mut shop, shelf) = open_with(random_setup(&mut chance, currency, seed), &mut chance);
        let mut now = at(0);
        let (order, deliveries) = shop.buy(&random_cart(&mut chance, &shelf, digits), now).unwrap();
        let mut seen = check_action(&deliveries);
        let mut before = shop.order_body(order).unwrap();
        check_order(&before, &shop.what_is_left(order).unwrap(), shop.what_is_paid(order).unwrap(), digits);
        for _ in 0..8 {
            // Often several actions in one second.
            now += SignedDuration::from_millis(i64::try_from(chance.below(2_000)).unwrap());
            let (verb, result) = random_act(&mut chance, &mut shop, &shelf, order, now);
            let body = shop.order_body(order).unwrap();
            let Ok(deliveries) = result else {
                assert_eq!(body, before, "a refused {verb} changes nothing");
                continue;
            };
            *done.entry(verb).or_default() += 1;
            check_order(&body, &shop.what_is_left(order).unwrap(), shop.what_is_paid(order).unwrap(), digits);
            check_step(&before, &body);
            for id in check_action(&deliveries) {
                assert!(seen.insert(id), "a webhook id came twice");
            }
            before = body;
        }
    }
    println!("{done:?}");
    for verb in [
        "add",
        "set",
        "discount",
        "refund",
        "shipping back",
        "goodwill",
        "pay",
        "cancel",
        "fulfil",
        "fulfil part",
        "pay part",
        "decline",
        "settle",
        "tag",
    ] {
        assert!(done.get(verb).is_some_and(|times| *times >= 10), "{verb} was hardly ever possible: {done:?}");
    }
}

/// One action: one event, many webhooks; every body is what it says. Gives the webhook ids.
fn check_action(deliveries: &[Delivery]) -> BTreeSet<String> {
    assert!(deliveries.iter().all(|delivery| delivery.event_id == deliveries[0].event_id));
    let last = deliveries.last().unwrap();
    let body: Value = serde_json::from_slice(&last.body).unwrap();
    assert!(raw(&body) == last.body, "the bytes are the value and nothing else");
    assert!(!std::str::from_utf8(&last.body).unwrap().replace("\\/", "").contains(['/', '&', '<', '>']));
    deliveries.iter().map(|delivery| delivery.webhook_id.clone()).collect()
}

/// What no action may do.
fn check_step(before: &Value, after: &Value) {
    let time = |body: &Value| body["updated_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(time(before) < time(after));
    for (old, new) in list(&before["line_items"]).iter().zip(list(&after["line_items"])) {
        assert_eq!(old["id"], new["id"]);
        assert!(old["quantity"].as_u64() <= new["quantity"].as_u64(), "quantity went down");
    }
    assert!(list(&before["refunds"]).len() <= list(&after["refunds"]).len());
}

#[test]
fn the_same_seed_repeats_every_byte() {
    let story = |seed| {
        let (mut shop, shelf) = open("SAR", true, seed);
        let (order, mut all) = shop.buy(&Cart::of(&[(shelf[0], 2)]), at(0)).unwrap();
        let lines = lines_of(&shop, order);
        all.extend(shop.refund(order, &Refund::of(&[(lines[0], 1, Restock::Return)]), at(60)).unwrap());
        all
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}

// ── the verbs one by one ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn each_verb_causes_its_topics() {
    let (mut shop, shelf) = open("SAR", true, 1);
    let (order, bought) = shop.buy(&Cart::of(&[(shelf[0], 2), (shelf[4], 1)]), at(0)).unwrap();
    assert_eq!(topics(&bought), ["orders/create", "orders/paid", "orders/updated", "order_transactions/create"]);
    assert_eq!(topics(&shop.tag(order, "seen", at(1)).unwrap()), ["orders/updated"]);
    let line = lines_of(&shop, order)[0];
    let edited = shop.edit(order, &[Edit::SetQuantity { line, to: 1, restock: true }], at(2)).unwrap();
    assert_eq!(topics(&edited), ["refunds/create", "orders/edited", "orders/updated"]);
    let refunded = shop.refund(order, &Refund::of(&[(line, 1, Restock::Cancel)]), at(3)).unwrap();
    assert_eq!(topics(&refunded), ["refunds/create", "order_transactions/create", "orders/updated"]);
    let parcels = ["fulfillments/create", "orders/fulfilled", "orders/updated"];
    assert_eq!(topics(&shop.fulfil(order, at(4)).unwrap()), parcels);
    let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".to_owned() };
    assert_eq!(shop.cancel(order, &how, at(5)), Err(Refusal::Shipped));
    let gone = shop.delete(order, at(6)).unwrap();
    assert_eq!(gone[0].body, format!("{{\"id\":{}}}", order.0).into_bytes());
    assert_eq!(shop.tag(order, "late", at(7)), Err(Refusal::UnknownOrder));
    assert_eq!(shop.what_is_left(order).unwrap().len(), 1, "the book of a deleted order stays");

    let mut cart = Cart::of(&[(shelf[1], 1)]);
    cart.payment = Payment::Authorized;
    let (order, bought) = shop.buy(&cart, at(8)).unwrap();
    assert_eq!(body_of(&bought, "orders/create")["financial_status"], "authorized");
    let paid = shop.pay(order, at(9)).unwrap();
    assert_eq!(topics(&paid), ["order_transactions/create", "orders/paid", "orders/updated"]);
    assert_eq!(body_of(&paid, "order_transactions/create")["kind"], "capture");
    assert_eq!(shop.pay(order, at(9)), Err(Refusal::Nothing));
    let cancelled = shop.cancel(order, &how, at(10)).unwrap();
    assert_eq!(
        topics(&cancelled),
        ["orders/cancelled", "refunds/create", "order_transactions/create", "orders/updated"]
    );
    let body = body_of(&cancelled, "orders/cancelled");
    assert_eq!((&body["financial_status"], &body["fulfillment_status"]), (&json!("refunded"), &json!("restocked")));
    assert!(decimal(&body["current_total_price"]).is_zero() && body["cancelled_at"].is_string());
}

#[test]
fn only_subscribed_topics_are_delivered() {
    let topics_wanted = [Topic::OrdersUpdated].into_iter().collect();
    let mut shop = Shop::new(ShopSetup { topics: topics_wanted, ..ShopSetup::new("a.myshopify.com", SECRET, "SAR") });
    let variant = shop.sell(Product::samples(2).remove(0));
    let (_, deliveries) = shop.buy(&Cart::of(&[(variant, 1)]), at(0)).unwrap();
    assert_eq!(topics(&deliveries), ["orders/updated"]);
}

#[test]
fn an_unpaid_order_can_be_cancelled_with_and_without_a_record() {
    let (mut shop, shelf) = open("SAR", true, 3);
    let mut cart = Cart::of(&[(shelf[0], 2)]);
    cart.payment = Payment::Pending;
    for restock in [true, false] {
        let (order, _) = shop.buy(&cart, at(0)).unwrap();
        let how = CancelHow { restock, money: true, shipping: false, reason: "inventory".to_owned() };
        let body = body_of(&shop.cancel(order, &how, at(1)).unwrap(), "orders/cancelled");
        assert_eq!(body["financial_status"], "voided");
        assert_eq!(list(&body["refunds"]).len(), usize::from(restock));
        assert_eq!(body["line_items"][0]["current_quantity"], json!(if restock { 0 } else { 2 }));
    }
}

#[test]
fn an_edit_removal_leaves_a_record_without_money() {
    let (mut shop, shelf) = open("SAR", true, 4);
    let (order, bought) = shop.buy(&Cart::of(&[(shelf[0], 3), (shelf[3], 1)]), at(0)).unwrap();
    let line = lines_of(&shop, order)[0];
    let edited = shop.edit(order, &[Edit::SetQuantity { line, to: 1, restock: true }], at(1)).unwrap();
    let body = body_of(&edited, "orders/updated");
    let first = &body["line_items"][0];
    assert_eq!(
        (&first["quantity"], &first["current_quantity"], &first["fulfillable_quantity"]),
        (&json!(3), &json!(1), &json!(1))
    );
    assert_eq!(body["total_price"], body_of(&bought, "orders/create")["total_price"]);
    let record = &body["refunds"][0];
    assert!(list(&record["transactions"]).is_empty() && list(&record["order_adjustments"]).is_empty());
    assert_eq!(record["refund_line_items"][0]["quantity"], json!(2));
    assert_eq!(*record, body_of(&edited, "refunds/create"));
    let log = body_of(&edited, "orders/edited");
    assert_eq!(log["order_edit"]["line_items"]["removals"], json!([{"id": line.0, "delta": 2}]));
    // 2 × 129.95 is owed back, and nobody has paid it.
    assert_eq!(body["total_outstanding"], "-259.90");
    assert_eq!(body["financial_status"], "paid");
}

#[test]
fn money_that_was_owed_is_no_goodwill() {
    let (mut shop, shelf) = open("SAR", true, 4);
    let (order, _) = shop.buy(&Cart::of(&[(shelf[0], 2), (shelf[3], 1)]), at(0)).unwrap();
    shop.edit(order, &[Edit::remove(lines_of(&shop, order)[0])], at(1)).unwrap();
    let money = MoneyBack::Amount(Decimal::new(26_490, 2));
    let body = body_of(&shop.refund(order, &Refund { money, ..Refund::of(&[]) }, at(2)).unwrap(), "orders/updated");
    // 259.90 of the 264.90 was owed for the removed goods; only the rest lowers what the order is worth.
    let reasons: Vec<(&Value, &Value)> = list(&body["refunds"][1]["order_adjustments"])
        .iter()
        .map(|adjustment| (&adjustment["reason"], &adjustment["amount"]))
        .collect();
    assert_eq!(
        reasons,
        [(&json!("Pending refund discrepancy"), &json!("-259.90")), (&json!("Refund discrepancy"), &json!("-5.00"))]
    );
    assert_eq!((&body["current_total_price"], &body["total_outstanding"]), (&json!("10.75"), &json!("0.00")));
    let too_much = Refund { money: MoneyBack::Amount(Decimal::from(11)), ..Refund::of(&[]) };
    assert_eq!(shop.refund(order, &too_much, at(3)), Err(Refusal::TooMuchMoney));
}

#[test]
fn a_refused_edit_leaves_nothing_behind() {
    let (mut shop, shelf) = open("SAR", true, 4);
    let (order, _) = shop.buy(&Cart::of(&[(shelf[0], 3)]), at(0)).unwrap();
    let before = shop.order_body(order).unwrap();
    let edits = [Edit::remove(lines_of(&shop, order)[0]), Edit::remove(LineId(1))];
    assert_eq!(shop.edit(order, &edits, at(1)), Err(Refusal::UnknownLine));
    assert_eq!(shop.order_body(order).unwrap(), before);
}

#[test]
fn the_last_units_take_the_remainder() {
    let (mut shop, _) = open("KWD", false, 5);
    let item = Item::Custom { title: "Thirds".to_owned(), price: Decimal::new(1_000, 3), taxable: true };
    let mut cart = Cart { lines: vec![(item, 3)], ..Cart::of(&[]) };
    let origin = Origin::Code("ODD".to_owned());
    cart.discounts = vec![Discount { origin, target: Target::Order, value: Worth::Fixed(Decimal::new(1, 0)) }];
    let (order, _) = shop.buy(&cart, at(0)).unwrap();
    let line = lines_of(&shop, order)[0];
    let subtotals: Vec<String> = (1..=3)
        .map(|second| {
            let back = shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), at(second)).unwrap();
            let record = body_of(&back, "refunds/create");
            record["refund_line_items"][0]["subtotal_set"]["shop_money"]["amount"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(subtotals, ["0.667", "0.667", "0.666"]);
    assert_eq!(shop.order_body(order).unwrap()["current_total_price"], "0.000");
    assert!(shop.what_is_left(order).unwrap().is_empty());
}

#[test]
fn a_fixed_discount_is_spread_like_in_a_real_order() {
    // The worked example of the sums: 10.00 over lines of 94.00 (99.00 less 5.00) and three times 100.00.
    let (mut shop, _) = open("SAR", false, 6);
    let custom = |price| (Item::Custom { title: "Board".to_owned(), price: Decimal::new(price, 0), taxable: false }, 1);
    let mut cart = Cart { lines: [99, 100, 100, 100].map(custom).to_vec(), ..Cart::of(&[]) };
    let fixed = |origin, target, value| Discount { origin, target, value: Worth::Fixed(Decimal::from(value)) };
    cart.discounts = vec![
        fixed(Origin::Automatic("5 off".to_owned()), Target::Line(0), 5),
        fixed(Origin::Manual("Ten".to_owned()), Target::Order, 10),
    ];
    let (_, bought) = shop.buy(&cart, at(0)).unwrap();
    let body = body_of(&bought, "orders/create");
    let shares: Vec<&Value> = list(&body["line_items"])
        .iter()
        .map(|line| list(&line["discount_allocations"]).last().map(|share| &share["amount"]).unwrap())
        .collect();
    assert_eq!(shares, ["2.39", "2.54", "2.54", "2.53"]);
    assert_eq!(body["total_price"], "384.00");
    assert_eq!(body["discount_codes"], json!([{"code": "Ten", "amount": "10.00", "type": "fixed_amount"}]));
    assert_eq!(body["discount_applications"][1]["value"], "10.0");
}

#[test]
fn digits_follow_the_currency() {
    for (currency, price, zero) in [("SAR", "129.95", "0.00"), ("KWD", "13.000", "0.000"), ("JPY", "12995", "0")] {
        let (mut shop, shelf) = open(currency, true, 9);
        let (_, bought) = shop.buy(&Cart::of(&[(shelf[0], 1)]), at(0)).unwrap();
        let body = body_of(&bought, "orders/create");
        assert_eq!(body["total_price"], price);
        assert_eq!(body["total_price_set"]["shop_money"], json!({"amount": price, "currency_code": currency}));
        assert_eq!(body["total_discounts"], zero);
        assert_eq!(body["line_items"][0]["total_discount"], zero);
    }
}

#[test]
fn times_carry_the_offset_of_the_shop() {
    let (mut shop, shelf) = open("SAR", true, 9);
    let mut cart = Cart::of(&[(shelf[0], 1)]);
    cart.processed_at = Some(at(-86_400));
    let (order, bought) = shop.buy(&cart, at(0)).unwrap();
    let body = body_of(&bought, "orders/create");
    assert_eq!(body["created_at"], "2026-09-21T17:13:20+03:00");
    assert_eq!(body["processed_at"], "2026-09-20T17:13:20+03:00");
    shop.keep_updated_at_once();
    let tagged = body_of(&shop.tag(order, "a", at(5)).unwrap(), "orders/updated");
    assert_eq!(tagged["updated_at"], body["updated_at"]);
    assert_ne!(tagged["tags"], body["tags"]);
    let noted = body_of(&shop.note(order, "b", at(5)).unwrap(), "orders/updated");
    assert_eq!(noted["updated_at"], "2026-09-21T17:13:25+03:00");
}

#[test]
fn two_merchants_share_a_shop_by_vendor() {
    let (mut shop, shelf) = open("SAR", true, 9);
    let (order, bought) = shop.buy(&Cart::of(&[(shelf[0], 1), (shelf[4], 2), (shelf[2], 1)]), at(0)).unwrap();
    let body = body_of(&bought, "orders/create");
    let vendors: Vec<&Value> = list(&body["line_items"]).iter().map(|line| &line["vendor"]).collect();
    assert_eq!(vendors, ["Wadi Home", "عطور نجد", "Wadi Home"]);
    let mine = shop.what_is_left_of(order, "عطور نجد").unwrap();
    assert_eq!((mine.len(), mine[0].units, mine[0].net), (1, 2, Decimal::new(37_400, 2)));
}

#[test]
fn odd_lines_look_as_they_do_in_real_orders() {
    let (mut shop, shelf) = open("SAR", true, 9);
    let mut cart = Cart::of(&[(shelf[0], 1)]);
    cart.lines.push((Item::GiftCard { price: Decimal::from(100) }, 1));
    cart.tip = Some(Decimal::from(5));
    cart.buyer = None;
    cart.discounts = vec![Discount {
        origin: Origin::Code("ALL".to_owned()),
        target: Target::Order,
        value: Worth::Percent(Decimal::ONE_HUNDRED),
    }];
    let (_, bought) = shop.buy(&cart, at(0)).unwrap();
    let body = body_of(&bought, "orders/create");
    let lines = list(&body["line_items"]);
    assert_eq!(lines[1]["gift_card"], true);
    assert!(list(&lines[1]["discount_allocations"]).is_empty() && list(&lines[1]["tax_lines"]).is_empty());
    assert!(lines[2].as_object().unwrap().contains_key("tip_payment_gateway"));
    assert!(!lines[0].as_object().unwrap().contains_key("tip_payment_gateway"));
    assert_eq!(body["total_tip_received"], "5.00");
    assert_eq!(body["total_price"], "105.00");
    assert_eq!(
        (&body["customer"], &body["shipping_address"], &body["email"]),
        (&Value::Null, &Value::Null, &json!(""))
    );
    assert!(body.as_object().unwrap().len() >= 85, "{} keys", body.as_object().unwrap().len());
}

#[test]
fn parcels_leave_one_by_one() {
    let (mut shop, shelf) = open("SAR", true, 12);
    let (order, _) = shop.buy(&Cart::of(&[(shelf[0], 3), (shelf[2], 1)]), at(0)).unwrap();
    let line = lines_of(&shop, order)[0];
    let sent = shop.fulfil_part(order, &[(line, 2)], at(1)).unwrap();
    assert_eq!(topics(&sent), ["fulfillments/create", "orders/partially_fulfilled", "orders/updated"]);
    let parcel = body_of(&sent, "fulfillments/create");
    assert_eq!((&parcel["order_id"], &parcel["line_items"][0]["quantity"]), (&json!(order.0), &json!(2)));
    let body = body_of(&sent, "orders/updated");
    let first = &body["line_items"][0];
    assert_eq!((&first["fulfillable_quantity"], &first["fulfillment_status"]), (&json!(1), &json!("partial")));
    assert_eq!(body["fulfillment_status"], "partial");
    assert_eq!(shop.fulfil_part(order, &[(line, 2)], at(2)), Err(Refusal::TooMany { left: 1 }));
    let rest = shop.fulfil(order, at(3)).unwrap();
    assert_eq!(topics(&rest), ["fulfillments/create", "orders/fulfilled", "orders/updated"]);
    assert_eq!(body_of(&rest, "fulfillments/create")["name"], "#1001.2");
    assert_eq!(shop.fulfil(order, at(4)), Err(Refusal::Nothing));
}

#[test]
fn money_comes_in_parts_fails_and_is_on_its_way() {
    let (mut shop, shelf) = open("SAR", true, 13);
    let cart = Cart { payment: Payment::Part(Decimal::from(100)), ..Cart::of(&[(shelf[2], 1)]) };
    let (order, bought) = shop.buy(&cart, at(0)).unwrap();
    assert!(!topics(&bought).contains(&"orders/paid"));
    let body = body_of(&bought, "orders/create");
    assert_eq!((&body["financial_status"], &body["total_outstanding"]), (&json!("partially_paid"), &json!("249.00")));
    let failed = shop.decline(order, at(1)).unwrap();
    let transaction = body_of(&failed, "order_transactions/create");
    assert_eq!((&transaction["status"], &transaction["amount"]), (&json!("failure"), &json!("249.00")));
    assert_eq!(shop.what_is_paid(order).unwrap(), Decimal::from(100));
    assert_eq!(shop.pay_part(order, Decimal::from(250), at(2)), Err(Refusal::TooMuchMoney));
    let paid = shop.pay_part(order, Decimal::from(249), at(2)).unwrap();
    assert_eq!(topics(&paid), ["order_transactions/create", "orders/paid", "orders/updated"]);

    let line = lines_of(&shop, order)[0];
    let promised = Refund { money: MoneyBack::Pending, ..Refund::of(&[(line, 1, Restock::Return)]) };
    let back = shop.refund(order, &promised, at(3)).unwrap();
    assert_eq!(topics(&back), ["refunds/create", "orders/updated"], "nobody hears of money on its way");
    let record = body_of(&back, "refunds/create");
    assert_eq!(record["transactions"][0]["status"], "pending");
    assert_eq!(body_of(&back, "orders/updated")["financial_status"], "paid");
    let goodwill = Refund { money: MoneyBack::Amount(Decimal::ONE), ..Refund::of(&[]) };
    assert_eq!(shop.refund(order, &goodwill, at(4)), Err(Refusal::TooMuchMoney), "it cannot be given twice");
    let arrived = shop.settle_refunds(order, at(5)).unwrap();
    assert_eq!(topics(&arrived), ["order_transactions/create", "orders/updated"]);
    assert_eq!(body_of(&arrived, "orders/updated")["financial_status"], "refunded");
    assert_eq!(shop.settle_refunds(order, at(6)), Err(Refusal::Nothing));

    let cart = Cart { payment: Payment::Authorized, ..Cart::of(&[(shelf[2], 1)]) };
    let (order, _) = shop.buy(&cart, at(7)).unwrap();
    let kinds: Vec<Value> = [100, 249]
        .map(|part| shop.pay_part(order, Decimal::from(part), at(8)).unwrap())
        .iter()
        .map(|paid| body_of(paid, "order_transactions/create")["kind"].clone())
        .collect();
    assert_eq!(kinds, ["capture", "capture"]);
}

#[test]
fn several_taxes_are_lines_of_their_own() {
    let mut setup = ShopSetup::new("a.myshopify.com", SECRET, "SAR");
    (setup.taxes, setup.taxes_included) = (vec![tax("GST", 50), tax("QST", 99)], false);
    let mut shop = Shop::new(setup);
    let [plain, reduced, free] =
        [(); 3].map(|()| Product { price: Decimal::from(10), ..Product::samples(2).remove(0) });
    let plain = shop.sell(plain);
    let reduced = shop.sell_with_taxes(reduced, vec![tax("GST", 50)]);
    let free = shop.sell_with_taxes(free, vec![tax("Zero", 0)]);
    let mut cart = Cart::of(&[(plain, 1), (reduced, 1), (free, 1)]);
    cart.shipping = Shipping::Priced(Decimal::from(20));
    let (_, bought) = shop.buy(&cart, at(0)).unwrap();
    let body = body_of(&bought, "orders/create");
    let told = |lines: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        list(lines).iter().map(|line| (text(&line["title"]), text(&line["price"]))).collect()
    };
    let pair = |title: &str, price: &str| (title.to_owned(), price.to_owned());
    assert_eq!(told(&body["line_items"][0]["tax_lines"]), [pair("GST", "0.50"), pair("QST", "0.99")]);
    assert_eq!(told(&body["line_items"][2]["tax_lines"]), [pair("Zero", "0.00")]);
    assert_eq!(told(&body["tax_lines"]), [pair("GST", "2.00"), pair("QST", "2.97"), pair("Zero", "0.00")]);
    assert_eq!((&body["total_tax"], &body["total_price"]), (&json!("4.97"), &json!("54.97")));
}

#[test]
fn a_buyer_may_see_another_currency_and_pay_duties() {
    let mut setup = ShopSetup::new("a.myshopify.com", SECRET, "SAR");
    setup.presentment = Some(Presentment { currency: "KWD".to_owned(), rate: Decimal::new(82, 3) });
    let mut shop = Shop::new(setup);
    let lamp = shop.sell(Product::samples(2).remove(2));
    let cart = Cart { duties: Decimal::from(12), ..Cart::of(&[(lamp, 1)]) };
    let (_, bought) = shop.buy(&cart, at(0)).unwrap();
    let body = body_of(&bought, "orders/create");
    assert_eq!((&body["currency"], &body["presentment_currency"]), (&json!("SAR"), &json!("KWD")));
    assert_eq!(body["total_price"], "361.00");
    assert_eq!(
        body["total_price_set"],
        json!({"shop_money": {"amount": "361.00", "currency_code": "SAR"},
               "presentment_money": {"amount": "29.602", "currency_code": "KWD"}})
    );
    assert_eq!(shop_money(&body["original_total_duties_set"]), Decimal::from(12));
    let sale = body_of(&bought, "order_transactions/create");
    assert_eq!((&sale["amount"], &sale["currency"]), (&json!("29.602"), &json!("KWD")));
}

// ── bytes and headers ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn the_signature_is_shopifys() {
    let body = r#"{"id":450789469,"email":"\u0026","landing_site":"http:\/\/example.com","note":"شكرا"}"#;
    assert_eq!(body.len(), 89);
    assert_eq!(sign("hush", body.as_bytes()), "0XPNewvNEn+S5yrCnfZfsD7eWofVsJm61AjPPTtQJVc=");
}

#[test]
fn raw_bytes_are_escaped_as_shopify_escapes() {
    let value = json!({"a": "back\\slash / <b> & \"نص\"\n"});
    assert_eq!(String::from_utf8(raw(&value)).unwrap(), r#"{"a":"back\\slash \/ \u003cb\u003e \u0026 \"نص\"\n"}"#);
    let (mut shop, shelf) = open("SAR", true, 9);
    let (_, bought) = shop.buy(&Cart::of(&[(shelf[4], 1)]), at(0)).unwrap();
    let text = std::str::from_utf8(&bought[0].body).unwrap();
    assert!(text.contains(r"gid:\/\/shopify\/Order\/") && text.contains(r"عود \u0026 عنبر"));
}

#[test]
fn headers_tell_what_shopify_tells() {
    let (mut shop, shelf) = open("SAR", true, 9);
    let (order, bought) = shop.buy(&Cart::of(&[(shelf[4], 1)]), at(0)).unwrap();
    let headers: BTreeMap<_, _> = bought[0].headers(SECRET).into_iter().collect();
    assert_eq!(headers["X-Shopify-Topic"], "orders/create");
    assert_eq!(headers["X-Shopify-Shop-Domain"], "nakheel.myshopify.com");
    assert_eq!(headers["X-Shopify-API-Version"], "2026-07");
    assert_eq!(headers["X-Shopify-Triggered-At"], "2026-09-21T14:13:20.000000000Z");
    assert_eq!(headers["X-Shopify-Hmac-Sha256"], sign(SECRET, &bought[0].body));
    assert_eq!(headers["X-Shopify-Order-Id"], order.0.to_string());
    assert_eq!((headers["X-Shopify-Webhook-Id"].len(), &headers["X-Shopify-Webhook-Id"][14..15]), (36, "4"));
    let other = shop.say("app/uninstalled", &json!({"id": 1, "domain": null}), at(1));
    assert!(other.headers(SECRET).iter().all(|(name, _)| *name != "X-Shopify-Order-Id"));
}

#[test]
fn the_sender_posts_the_bytes_and_follows_no_redirect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/webhook/nakheel", listener.local_addr().unwrap());
    let receiver = thread::spawn(move || {
        let mut heard = Vec::new();
        for answer in ["HTTP/1.1 302 Found\r\nLocation: /elsewhere", "HTTP/1.1 503 Busy", "HTTP/1.1 204 Fine"] {
            let (stream, _) = listener.accept().unwrap();
            heard.push(receive(stream, answer));
        }
        heard
    });
    let (mut shop, shelf) = open("SAR", true, 9);
    let (_, bought) = shop.buy(&Cart::of(&[(shelf[4], 1)]), at(0)).unwrap();
    let sender = Sender::new();
    let statuses: Vec<u16> = (0..3).map(|_| sender.send(&url, &bought[0], SECRET).unwrap()).collect();
    assert_eq!(statuses, [302, 503, 204]);
    for (head, body) in receiver.join().unwrap() {
        assert!(head.starts_with("POST /webhook/nakheel HTTP/1.1"));
        assert_eq!(body, bought[0].body);
        let signature = format!("x-shopify-hmac-sha256: {}", sign(SECRET, &bought[0].body).to_lowercase());
        assert!(head.to_lowercase().contains(&signature));
    }
}

/// Reads one request, answers it and closes.
fn receive(stream: TcpStream, answer: &str) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line, mut length) = (String::new(), String::new(), 0);
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(reader.get_mut(), "{answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    (head, body)
}

// ── the courier ────────────────────────────────────────────────────────────────────────────────────────────────────

fn hundred_deliveries() -> Vec<Delivery> {
    let (mut shop, shelf) = open("SAR", true, 11);
    (0..25).flat_map(|second| shop.buy(&Cart::of(&[(shelf[0], 1)]), at(second)).unwrap().1).collect()
}

/// Answers everything with `status` until the courier is idle.
fn run(courier: &mut Courier, status: u16) -> Vec<(Timestamp, Delivery)> {
    let mut sent = Vec::new();
    while let Some(now) = courier.next_at() {
        for delivery in courier.due(now) {
            courier.answered(&delivery, Some(status), now);
            sent.push((now, delivery));
        }
    }
    sent
}

#[test]
fn a_perfect_courier_brings_all_in_order() {
    let all = hundred_deliveries();
    for max_delay_s in [0, 60] {
        let mut courier = Courier::new(1, Habits { max_delay_s, ..Habits::default() });
        courier.post(all.clone(), at(100));
        let sent: Vec<Delivery> = run(&mut courier, 200).into_iter().map(|(_, delivery)| delivery).collect();
        assert_eq!(sent, all);
    }
}

#[test]
fn bad_habits_repeat_shuffle_and_lose_but_never_change_a_delivery() {
    let all = hundred_deliveries();
    let habits = Habits { duplicate_per_mille: 300, shuffle: true, max_delay_s: 90, lose_per_mille: 100 };
    let mut courier = Courier::new(2, habits);
    courier.post(all.clone(), at(100));
    let sent = run(&mut courier, 204);
    let first: Vec<&str> = sent.iter().take(10).map(|(_, delivery)| delivery.webhook_id.as_str()).collect();
    assert_ne!(first, all.iter().take(10).map(|delivery| delivery.webhook_id.as_str()).collect::<Vec<_>>());
    assert!(sent.iter().all(|(when, delivery)| all.contains(delivery) && (at(100)..=at(190)).contains(when)));
    let distinct: BTreeSet<&str> = sent.iter().map(|(_, delivery)| delivery.webhook_id.as_str()).collect();
    assert!(sent.len() > distinct.len(), "some came twice, under the same webhook id");
    let lost = courier.undelivered();
    assert!(!lost.is_empty() && lost.iter().all(|delivery| !distinct.contains(delivery.webhook_id.as_str())));
    assert_eq!(distinct.len() + lost.len(), all.len(), "every delivery is accounted for");
}

#[test]
fn failures_come_again_eight_times_in_four_hours() {
    let one = hundred_deliveries().remove(0);
    let mut courier = Courier::new(3, Habits::default());
    courier.post(vec![one.clone()], at(0));
    let sent = run(&mut courier, 302);
    assert_eq!(sent.len(), 9);
    assert!(sent.iter().all(|(_, delivery)| *delivery == one));
    assert!(sent[8].0 <= at(4 * 3600));
    assert!(RETRY_GAPS_S.is_sorted());
    assert_eq!(courier.undelivered(), std::slice::from_ref(&one));

    // No answer is a failure; success ends it.
    let mut courier = Courier::new(3, Habits::default());
    courier.post(vec![one], at(0));
    let due = courier.due(at(0));
    courier.answered(&due[0], None, at(5));
    assert_eq!(courier.next_at(), Some(at(5 + RETRY_GAPS_S[0])));
    assert!(courier.due(at(5)).is_empty());
    assert_eq!(run(&mut courier, 200).len(), 1);
    assert_eq!((courier.next_at(), courier.undelivered().len()), (None, 0));
}

#[test]
fn two_copies_fail_on_their_own() {
    let one = hundred_deliveries().remove(0);
    let mut courier = Courier::new(4, Habits { duplicate_per_mille: 1000, ..Habits::default() });
    courier.post(vec![one.clone()], at(0));
    let sent = run(&mut courier, 503);
    assert_eq!(sent.len(), 18, "nine times each");
    assert_eq!(courier.undelivered(), [one.clone(), one.clone()]);
    // The success of one copy says nothing of the other.
    let mut courier = Courier::new(4, Habits { duplicate_per_mille: 1000, ..Habits::default() });
    courier.post(vec![one.clone()], at(0));
    assert_eq!(courier.due(at(0)).len(), 2);
    courier.answered(&one, Some(200), at(0));
    courier.answered(&one, Some(500), at(0));
    assert_eq!(courier.next_at(), Some(at(RETRY_GAPS_S[0])));
    assert_eq!(run(&mut courier, 500).len(), 8);
}

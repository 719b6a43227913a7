//! The client against the sandbox's shop over loopback: what comes back, and what each refusal counts as.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use qantara::config::keys;
use qantara::domain::connection::Blocked;
use qantara::outgoing::{Limits, Outgoing};
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::admin::{Gap, Storefront};
use qantara::sandbox::shop::cart::{
    CancelHow, Cart, Discount, Edit, Item, LineId, OrderId, Origin, Payment, Refund, Restock, Shipping, Target,
    Value as Worth, VariantId,
};
use qantara::sandbox::shop::delivery::Delivery;
use qantara::sandbox::{Server, World};
use qantara::shop::api::client::{Client, Door, Setback};
use qantara::shop::api::conversation::{Conversation, Found};
use qantara::shop::read::{Reading, read};
use rust_decimal::Decimal;

use crate::common::stage::{START, shop};

const DOMAIN: &str = "wadi.myshopify.com";
const TOKEN: &str = "shpat_forever";

/// A shop on a socket, and a client for it.
struct Line {
    server: Server,
    client: Client,
    now: Arc<Mutex<Timestamp>>,
}

impl Line {
    fn to(shop: Shop) -> Self {
        let now = Arc::new(Mutex::new(START.parse::<Timestamp>().unwrap()));
        let mut world = World::new(1);
        let mut front = Storefront::new(shop, "id", "client-secret");
        front.admin.grant(TOKEN);
        world.add_shop(front);
        let clock = Arc::clone(&now);
        let server = Server::start(Arc::new(Mutex::new(world)), move || *clock.lock().unwrap()).unwrap();
        let allow = keys::Outgoing { allow: vec!["127.0.0.0/8".parse().unwrap()], extra_ca_file: None };
        let limits = Limits {
            call_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_answer_bytes: 16 << 20,
        };
        let client = Client::new(Outgoing::new(&allow).unwrap(), limits, Some(server.address()));
        Self { server, client, now }
    }

    fn shop<T>(&self, change: impl FnOnce(&mut Storefront) -> T) -> T {
        change(self.server.world().lock().unwrap().shop_mut(DOMAIN).unwrap())
    }

    fn with<T>(&self, token: &str, ask: impl FnOnce(&mut Conversation<'_>) -> T) -> T {
        let door = Door { shop: DOMAIN.to_owned(), token: token.to_owned().into() };
        let scopes = self.shop(|front| front.admin.scopes.clone());
        ask(&mut Conversation::new(&self.client, &door, scopes))
    }

    fn order(&self, order: OrderId) -> Reading {
        match self.with(TOKEN, |talk| talk.order(order.0.try_into().unwrap())).unwrap() {
            Found::Order(reading) => *reading,
            other @ (Found::Missing | Found::Unreadable(_)) => panic!("{other:?}"),
        }
    }
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

/// The newest body of the order that a webhook carried.
fn newest(deliveries: &[Delivery]) -> Reading {
    let whole = deliveries.iter().rev().find_map(|one| match read(&one.topic, &one.body) {
        Ok(reading @ Reading::Order { .. }) => Some(reading),
        Ok(_) => None,
        Err(error) => panic!("{}: {error}", one.topic),
    });
    whole.expect("a delivery with the whole order")
}

/// A name, and what happens in the shop.
type Kind = (&'static str, fn(&mut Shop, &[VariantId]) -> (OrderId, Vec<Delivery>));

fn bought(shop: &mut Shop, cart: &Cart) -> (OrderId, Vec<Delivery>) {
    shop.buy(cart, start()).unwrap()
}

fn first_line(shop: &Shop, order: OrderId) -> LineId {
    shop.what_is_left(order).unwrap()[0].line_id
}

/// Every kind of order that the sandbox makes.
const KINDS: &[Kind] = &[
    ("plain", |shop, shelf| bought(shop, &Cart::of(&[(shelf[0], 2), (shelf[2], 1)]))),
    ("shipping, discounts and tags", |shop, shelf| {
        let discount = |origin, target, value| Discount { origin, target, value };
        let cart = Cart {
            discounts: vec![
                discount(Origin::Code("TEN".into()), Target::Order, Worth::Percent(Decimal::TEN)),
                discount(Origin::Manual("Kind".into()), Target::Line(0), Worth::Fixed(Decimal::ONE)),
                discount(Origin::Automatic("Free".into()), Target::Shipping, Worth::Percent(Decimal::TEN)),
            ],
            shipping: Shipping::Priced(Decimal::from(20)),
            tags: vec!["vip".into(), "gift".into()],
            ..Cart::of(&[(shelf[0], 3), (shelf[1], 1)])
        };
        bought(shop, &cart)
    }),
    ("no buyer, pending, cash on delivery", |shop, shelf| {
        let cart = Cart { buyer: None, payment: Payment::Pending, gateway: "cod".into(), ..Cart::of(&[(shelf[0], 1)]) };
        bought(shop, &cart)
    }),
    ("authorized, captured later", |shop, shelf| {
        let cart = Cart { payment: Payment::Authorized, ..Cart::of(&[(shelf[0], 1)]) };
        let (order, _) = bought(shop, &cart);
        (order, shop.pay(order, start()).unwrap())
    }),
    ("tip, gift card and a custom line", |shop, shelf| {
        let mut cart = Cart { tip: Some(Decimal::from(7)), ..Cart::of(&[(shelf[0], 1)]) };
        cart.lines.push((Item::GiftCard { price: Decimal::from(50) }, 1));
        bought(shop, &cart)
    }),
    ("duties and rounded cash", |shop, shelf| {
        let cart = Cart { duties: Decimal::from(5), cash_rounding: Decimal::new(2, 2), ..Cart::of(&[(shelf[0], 1)]) };
        bought(shop, &cart)
    }),
    ("test order of the counter", |shop, shelf| {
        bought(shop, &Cart { test: true, source: "pos".into(), ..Cart::of(&[(shelf[0], 1)]) })
    }),
    ("refunded in part with shipping", |shop, shelf| {
        let cart = Cart { shipping: Shipping::Priced(Decimal::from(20)), ..Cart::of(&[(shelf[0], 3)]) };
        let (order, _) = bought(shop, &cart);
        let line = first_line(shop, order);
        let refund = Refund { shipping: Decimal::TEN, ..Refund::of(&[(line, 1, Restock::Return)]) };
        (order, shop.refund(order, &refund, start()).unwrap())
    }),
    ("edited", |shop, shelf| {
        let (order, _) = bought(shop, &Cart::of(&[(shelf[0], 3)]));
        let line = first_line(shop, order);
        (order, shop.edit(order, &[Edit::remove(line)], start()).unwrap())
    }),
    ("cancelled with restock and money", |shop, shelf| {
        let (order, _) = bought(shop, &Cart::of(&[(shelf[0], 3)]));
        let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
        (order, shop.cancel(order, &how, start()).unwrap())
    }),
    ("shipped in part, then wholly", |shop, shelf| {
        let (order, _) = bought(shop, &Cart::of(&[(shelf[0], 3)]));
        let line = first_line(shop, order);
        shop.fulfil_part(order, &[(line, 1)], start()).unwrap();
        (order, shop.fulfil(order, start()).unwrap())
    }),
];

#[test]
fn an_order_reads_the_same_by_webhook_and_by_api() {
    for (name, happen) in KINDS {
        let (mut shop, shelf) = shop(DOMAIN, "hush", 7);
        let (order, deliveries) = happen(&mut shop, &shelf);
        // Whoever asks later is told the same moment.
        let told = newest(&deliveries);
        let body = shop.order_body(order).unwrap();
        let now = read("orders/updated", body.to_string().as_bytes()).unwrap();
        let line = Line::to(shop);
        let asked = line.order(order);
        let (
            Reading::Order { snapshot, facts, updated_at, buyer },
            Reading::Order { snapshot: s, facts: f, updated_at: u, buyer: b },
        ) = (&now, &asked)
        else {
            panic!("{name}: no order");
        };
        assert_eq!(snapshot, s, "{name}");
        assert_eq!(updated_at, u, "{name}");
        assert_eq!(buyer, b, "{name}");
        assert_eq!(facts.cancelled, f.cancelled, "{name}");
        assert_eq!(facts.refunds, f.refunds, "{name}");
        // Movements of money have webhooks of their own; the API tells them all at once.
        assert!(facts.transactions.iter().all(|(id, one)| f.transactions.get(id) == Some(one)), "{name}");
        for delivery in deliveries.iter().filter(|one| one.topic == "order_transactions/create") {
            let Ok(Reading::Facts { facts, .. }) = read(&delivery.topic, &delivery.body) else { panic!("{name}") };
            assert!(facts.transactions.iter().all(|(id, one)| f.transactions.get(id) == Some(one)), "{name}");
        }
        let Reading::Order { updated_at: before, .. } = told else { panic!("{name}") };
        assert!(before <= *u, "{name}");
    }
}

#[test]
fn a_token_of_the_clients_credentials_ends_after_a_day() {
    let (shop, _) = shop(DOMAIN, "hush", 1);
    let line = Line::to(shop);
    let grant = line.client.sign_in(DOMAIN, "id", &"client-secret".to_owned().into()).unwrap();
    assert_eq!(grant.lives, SignedDuration::from_secs(86_399));
    assert!(grant.scopes.contains("read_orders"));
    let token = secrecy::ExposeSecret::expose_secret(&grant.token).to_owned();
    let known = line.with(&token, |talk| talk.introduce()).unwrap();
    assert_eq!(known.domain, DOMAIN);
    assert_eq!(known.scopes, grant.scopes);
    *line.now.lock().unwrap() += SignedDuration::from_hours(24);
    let ended = line.with(&token, |talk| talk.introduce()).unwrap_err();
    assert_eq!(ended, Setback::Blocked(Blocked::Token));
    let wrong = line.client.sign_in(DOMAIN, "id", &"other".to_owned().into()).unwrap_err();
    assert_eq!(wrong, Setback::Blocked(Blocked::Client { text: "Client authentication failed".into() }));
}

#[test]
fn every_refusal_is_told_apart() {
    let (mut shop, shelf) = shop(DOMAIN, "hush", 1);
    let (order, _) = bought(&mut shop, &Cart::of(&[(shelf[0], 1)]));
    let line = Line::to(shop);
    let id = i64::try_from(order.0).unwrap();
    for (status, blocked) in [
        (401, Blocked::Token),
        (402, Blocked::Unpaid),
        (403, Blocked::Forbidden),
        (404, Blocked::NoShop),
        (423, Blocked::Locked),
    ] {
        line.shop(|front| front.admin.shut = Some(status));
        assert_eq!(line.with(TOKEN, |talk| talk.order(id)).unwrap_err(), Setback::Blocked(blocked));
    }
    line.shop(|front| front.admin.shut = Some(502));
    assert!(matches!(line.with(TOKEN, |talk| talk.order(id)), Err(Setback::Failed(_))));
    line.shop(|front| front.admin.shut = None);
    assert_eq!(line.with("shpat_other", |talk| talk.order(id)).unwrap_err(), Setback::Blocked(Blocked::Token));

    line.shop(|front| front.admin.scopes = ["read_products".to_owned()].into());
    let missing = Blocked::Scopes { missing: ["read_orders".to_owned()].into() };
    assert_eq!(line.with(TOKEN, |talk| talk.order(id)).unwrap_err(), Setback::Blocked(missing));

    line.shop(|front| front.admin.scopes = ["read_orders".to_owned()].into());
    // A single order is null then, with the rest of the answer at hand: it is denied, and not missing.
    line.shop(|front| front.admin.gap = Some(Gap::Orders));
    assert_eq!(line.with(TOKEN, |talk| talk.order(id)).unwrap_err(), Setback::Blocked(Blocked::Protected));
    let listed = line.with(TOKEN, |talk| talk.changed_since(start(), None));
    assert_eq!(listed.unwrap_err(), Setback::Blocked(Blocked::Protected));
}

#[test]
fn an_order_without_its_buyer_is_an_order() {
    let (mut shop, shelf) = shop(DOMAIN, "hush", 1);
    let (order, _) = bought(&mut shop, &Cart::of(&[(shelf[0], 1)]));
    let line = Line::to(shop);
    line.shop(|front| front.admin.gap = Some(Gap::Persons));
    let Reading::Order { buyer, snapshot, .. } = line.order(order) else { panic!("no order") };
    assert_eq!(buyer, None);
    assert_eq!(snapshot.name, "#1001");
}

#[test]
fn an_order_of_many_lines_and_a_list_of_many_orders_are_read_to_the_last_page() {
    let (mut shop, shelf) = shop(DOMAIN, "hush", 1);
    let lines: Vec<(VariantId, u32)> = (0..120).map(|at| (shelf[at % shelf.len()], 1)).collect();
    let (order, _) = bought(&mut shop, &Cart::of(&lines));
    for minute in 1..=120 {
        shop.buy(&Cart::of(&[(shelf[0], 1)]), start() + SignedDuration::from_mins(minute)).unwrap();
    }
    let line = Line::to(shop);
    *line.now.lock().unwrap() += SignedDuration::from_hours(3);
    let Reading::Order { snapshot, .. } = line.order(order) else { panic!("no order") };
    assert_eq!(snapshot.lines.len(), 120);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = line.with(TOKEN, |talk| talk.changed_since(start(), after.as_deref())).unwrap();
        all.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), 121);
    assert!(all.is_sorted_by_key(|row| row.updated_at));
    let named = line.with(TOKEN, |talk| talk.named("1002")).unwrap();
    assert_eq!(named.len(), 1);
    assert_eq!(named[0].name, "#1002");
}

#[test]
fn a_dry_bucket_is_waited_for() {
    let (shop, _) = shop(DOMAIN, "hush", 1);
    let line = Line::to(shop);
    line.shop(|front| front.admin.surcharge = 1_500);
    line.with(TOKEN, |talk| {
        talk.introduce().unwrap();
        // Not even asked: the last answer said that it cannot be paid.
        let Err(Setback::Throttled(wait)) = talk.introduce() else { panic!("answered") };
        assert_eq!(wait, SignedDuration::from_secs(11));
    });
    assert_eq!(line.shop(|front| front.admin.times("Shop")), 1);
    let throttled = line.with(TOKEN, |talk| talk.introduce()).unwrap_err();
    assert_eq!(throttled, Setback::Throttled(SignedDuration::from_secs(11)));
    *line.now.lock().unwrap() += SignedDuration::from_secs(11);
    line.with(TOKEN, |talk| talk.introduce()).unwrap();
}

#[test]
fn subscriptions_decide_what_is_delivered() {
    let (mut shop, shelf) = shop(DOMAIN, "hush", 1);
    let (_, deliveries) = bought(&mut shop, &Cart::of(&[(shelf[0], 1)]));
    let line = Line::to(shop);
    assert!(line.shop(|front| front.sent(deliveries.clone())).is_empty());
    let uri = "https://bridge.example/webhook/wadi";
    line.with(TOKEN, |talk| talk.subscribe("ORDERS_CREATE", uri)).unwrap();
    assert!(matches!(line.with(TOKEN, |talk| talk.subscribe("ORDERS_CREATE", uri)), Err(Setback::Failed(_))));
    assert_eq!(line.shop(|front| front.sent(deliveries.clone())).len(), 1);
    line.shop(|front| front.admin.lose = 1);
    assert!(line.shop(|front| front.sent(deliveries.clone())).is_empty());
    let known = line.with(TOKEN, |talk| talk.subscriptions()).unwrap();
    assert_eq!(known.len(), 1);
    line.with(TOKEN, |talk| talk.unsubscribe(&known[0].id)).unwrap();
    line.with(TOKEN, |talk| talk.unsubscribe(&known[0].id)).unwrap();
    assert!(line.with(TOKEN, |talk| talk.subscriptions()).unwrap().is_empty());
}

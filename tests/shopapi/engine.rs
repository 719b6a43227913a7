//! What the engine makes of a shop that can be asked, on the simulated clock.

use jiff::SignedDuration;
use qantara::db::alert::{self, Cause};
use qantara::db::order::State;
use qantara::db::scope::Scope;
use qantara::db::{Context as _, shop_api};
use qantara::desk::{Secret, Wish};
use qantara::domain::connection::Blocked;
use qantara::sandbox::daftra::DocumentKind;
use qantara::sandbox::shop::admin::{Storefront, Subscription};
use qantara::sandbox::shop::cart::{CancelHow, Cart, OrderId, VariantId};
use qantara::sandbox::shop::delivery::Delivery;

use crate::common::stage::{Cast, Plan, Stage, shop};

const DOMAIN: &str = "wadi.myshopify.com";
const TOKEN: &str = "shpat_forever";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A bridge, and a shop whose API it may ask.
pub(crate) struct Story {
    pub(crate) stage: Stage,
    pub(crate) shelf: Vec<VariantId>,
    merchant_id: i64,
}

impl Story {
    /// Not connected yet.
    fn new() -> Self {
        let mut stage = Stage::new(Plan { workers: 2, ..Plan::default() });
        let (shop, shelf) = shop(DOMAIN, "hush", 7);
        let mut front = Storefront::new(shop, "client-1", "hush");
        front.admin.grant(TOKEN);
        stage.network.world.lock().unwrap().add_shop(front);
        let merchant_id = stage.add(&Cast::default());
        stage.engine.is_reached_at("https://bridge.example".to_owned());
        stage.start();
        Self { stage, shelf, merchant_id }
    }

    /// Connected by a token that does not end.
    pub(crate) fn with_token() -> Self {
        let story = Self::new();
        story.connect(None, TOKEN);
        story
    }

    /// Connected by the credentials of an app, whose secret signs its webhooks, too.
    fn with_client() -> Self {
        let story = Self::new();
        story.connect(Some("client-1"), "hush");
        story
    }

    pub(crate) fn connect(&self, client_id: Option<&str>, secret: &str) {
        self.stage.wish(Wish::ShopConnect {
            slug: "wadi".to_owned(),
            client_id: client_id.map(str::to_owned),
            secret: Secret(secret.to_owned().into()),
            signs: None,
        });
        self.stage.intake.reload().unwrap();
        self.chores();
    }

    /// Whoever waits for a chore is woken, and time for one call or two passes.
    fn chores(&self) {
        self.stage.engine.wake_chores();
        self.stage.pass(MINUTE);
        self.stage.until_idle(HOUR);
    }

    pub(crate) fn shop<T>(&self, change: impl FnOnce(&mut Storefront) -> T) -> T {
        change(self.stage.network.world.lock().unwrap().shop_mut(DOMAIN).unwrap())
    }

    pub(crate) fn buy(&self) -> (OrderId, Vec<Delivery>) {
        let (now, cart) = (self.stage.clock.now(), Cart::of(&[(self.shelf[2], 1)]));
        self.shop(|front| front.shop.buy(&cart, now)).unwrap()
    }

    pub(crate) fn api(&self) -> shop_api::ShopApi {
        self.stage.db.read(|c| shop_api::get(c, self.merchant_id)).unwrap().unwrap()
    }

    pub(crate) fn invoices(&self) -> usize {
        self.stage.account("one", |account| account.documents(DocumentKind::Invoice).count())
    }

    pub(crate) fn alerts(&self, cause: Cause) -> usize {
        let open = self.stage.db.read(alert::open).unwrap();
        open.iter().filter(|one| one.cause == cause.word()).count()
    }
}

#[test]
fn an_order_that_no_webhook_told_of_is_found_and_booked_once() {
    let story = Story::with_token();
    let (_, deliveries) = story.buy();
    story.stage.pass(16 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!(story.stage.order("#1001").state, State::Settled);
    assert_eq!(story.invoices(), 1);
    // The deliveries come after all, and are the same thing.
    story.stage.deliver(&deliveries);
    story.stage.until_idle(HOUR);
    story.stage.pass(HOUR);
    assert_eq!(story.invoices(), 1);
    assert_eq!(story.shop(|front| front.admin.times("Order")), 1, "known as it is: not asked for again");
    assert_eq!(story.api().blocked, None);
    assert!(story.api().caught_up_at.is_some());
}

#[test]
fn what_happened_while_nobody_was_there_is_found_after_the_start() {
    let story = Story::with_token();
    let Story { stage, shelf, merchant_id } = story;
    for _ in 0..120 {
        let now = stage.clock.now();
        let cart = Cart::of(&[(shelf[2], 1)]);
        stage.network.world.lock().unwrap().shop_mut(DOMAIN).unwrap().shop.buy(&cart, now).unwrap();
    }
    let mut stage = stage.restart(5 * HOUR);
    stage.start();
    let story = Story { stage, shelf, merchant_id };
    story.stage.pass(10 * MINUTE);
    story.stage.until_idle(5 * HOUR);
    assert_eq!(story.invoices(), 120);
}

#[test]
fn a_person_asks_for_orders_by_time_and_by_name() {
    let story = Story::with_token();
    story.buy();
    let since = story.stage.clock.now() - 24 * HOUR;
    let wish = |since, orders: &[&str]| {
        let orders = orders.iter().map(|name| (*name).to_owned()).collect();
        story.stage.wish(Wish::CatchUp { slug: "wadi".to_owned(), since, orders })
    };
    wish(None, &["1001", "#9999"]);
    story.chores();
    assert_eq!(story.invoices(), 1);
    assert!(story.api().wanted.is_empty());
    let answer = wish(Some(since), &[]);
    assert!(answer["nothing_placed_before"].is_null());
    let long_ago = wish(Some(since - 100 * 24 * HOUR), &[]);
    assert!(long_ago["nothing_placed_before"].is_string(), "{long_ago}");
    story.chores();
    assert_eq!(story.api().since, None);
}

#[test]
fn a_token_is_made_anew_before_it_ends_and_trouble_is_told_while_it_opens() {
    let story = Story::with_client();
    assert_eq!(story.shop(|front| front.admin.tokens.len()), 2);
    story.stage.pass(19 * HOUR);
    assert_eq!(story.shop(|front| front.admin.tokens.len()), 2, "one a day");
    story.stage.pass(3 * HOUR);
    assert_eq!(story.shop(|front| front.admin.tokens.len()), 3);
    // Somebody changes the client's secret: the token of before still opens, and it is told.
    story.shop(|front| front.admin.client.1 = "another".to_owned());
    story.stage.pass(21 * HOUR);
    assert_eq!(story.alerts(Cause::ShopApi), 1);
    story.buy();
    story.stage.pass(16 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 1);
    story.stage.pass(6 * HOUR);
    assert!(matches!(story.api().blocked, Some(Blocked::Client { .. })), "{:?}", story.api());
    story.connect(Some("client-1"), "another");
    story.stage.pass(16 * MINUTE);
    assert_eq!(story.alerts(Cause::ShopApi), 0);
    assert_eq!(story.api().blocked, None);
}

#[test]
fn what_is_closed_holds_up_no_webhook() {
    let story = Story::with_token();
    for (status, blocked) in [(402, Blocked::Unpaid), (423, Blocked::Locked)] {
        story.shop(|front| front.admin.shut = Some(status));
        story.stage.pass(20 * MINUTE);
        assert_eq!(story.api().blocked, Some(blocked));
        assert_eq!(story.alerts(Cause::ShopApi), 1);
    }
    let (_, deliveries) = story.buy();
    story.stage.pass(2 * MINUTE);
    story.stage.deliver(&deliveries);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 1);
    story.shop(|front| front.admin.shut = None);
    story.stage.pass(16 * MINUTE);
    assert_eq!((story.api().blocked, story.alerts(Cause::ShopApi)), (None, 0));
}

#[test]
fn subscriptions_are_made_and_mended_and_what_was_missed_is_found() {
    let story = Story::with_client();
    let topics = || story.shop(|front| front.admin.subscriptions.len());
    assert_eq!(topics(), 12);
    assert_eq!(story.alerts(Cause::Subscriptions), 0, "made the first time");
    let (_, deliveries) = story.buy();
    let sent = story.shop(|front| front.sent(deliveries));
    assert!(!sent.is_empty());
    story.stage.deliver(&sent);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 1);
    // Shopify gives up on us; one topic leads to where we were; and somebody else uses the same app.
    let other = Subscription {
        id: "gid://shopify/WebhookSubscription/900".to_owned(),
        uri: "https://other.example/hooks".to_owned(),
        topic: "ORDERS_EDITED".to_owned(),
    };
    let stranger = Subscription { uri: "https://twin.example/webhook/wadi".to_owned(), ..other.clone() };
    let moved = "update shop_api set address = 'https://old.example/webhook/wadi'";
    story.stage.db.write(move |tx| tx.execute(moved, []).during("move")).unwrap();
    story.shop(|front| {
        front.admin.subscriptions.retain(|one| !one.topic.starts_with("ORDERS_"));
        front.admin.subscriptions.push(stranger.clone());
        front.admin.subscriptions[0].uri = "https://old.example/webhook/wadi".to_owned();
        front.admin.subscriptions.push(other.clone());
    });
    let (_, deliveries) = story.buy();
    let sent = story.shop(|front| front.sent(deliveries));
    story.stage.deliver(&sent);
    story.stage.pass(61 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!(topics(), 14);
    let ours = "https://bridge.example/webhook/wadi";
    assert!(story.shop(|front| {
        front.admin.subscriptions.iter().all(|one| one.uri == ours || [&other, &stranger].contains(&one))
    }));
    assert_eq!(story.invoices(), 2);
    assert_eq!(story.alerts(Cause::Subscriptions), 1);
    story.stage.pass(26 * HOUR);
    assert_eq!(story.alerts(Cause::Subscriptions), 0);
}

#[test]
fn an_older_body_is_read_anew_before_the_first_write() {
    let story = Story::with_token();
    let (order, deliveries) = story.buy();
    let now = story.stage.clock.now();
    let cancel = CancelHow { restock: true, money: true, shipping: true, reason: "customer".to_owned() };
    story.shop(|front| front.shop.cancel(order, &cancel, now)).unwrap();
    // What comes tells of the order as it was two minutes ago.
    story.stage.pass(2 * MINUTE);
    story.stage.deliver(&deliveries[..1]);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 0, "cancelled meanwhile, and nothing was booked");
    // A fresh body is taken as it is.
    let asked = story.shop(|front| front.admin.times("Order"));
    let (_, deliveries) = story.buy();
    story.stage.deliver(&deliveries);
    story.stage.until_idle(MINUTE);
    assert_eq!(story.invoices(), 1);
    assert_eq!(story.shop(|front| front.admin.times("Order")), asked);
}

#[test]
fn without_a_way_nothing_is_asked() {
    let story = Story::new();
    let (_, deliveries) = story.buy();
    story.stage.pass(2 * MINUTE);
    story.stage.deliver(&deliveries);
    story.stage.until_idle(HOUR);
    story.stage.pass(24 * HOUR);
    assert_eq!(story.invoices(), 1);
    assert!(story.shop(|front| front.admin.asked.is_empty()));
    // And after somebody took it away again.
    story.connect(None, TOKEN);
    story.stage.wish(Wish::ShopDisconnect { slug: "wadi".to_owned() });
    let asked = story.shop(|front| front.admin.asked.len());
    story.stage.pass(24 * HOUR);
    assert_eq!(story.shop(|front| front.admin.asked.len()), asked);
}

#[test]
fn a_shop_that_removed_the_app_is_left_alone_until_it_is_back() {
    let story = Story::with_token();
    let gone = |gone: &'static str| {
        let set = format!("update merchant set uninstalled_at = {gone}");
        story.stage.db.write(move |tx| tx.execute(&set, []).during("set")).unwrap();
    };
    gone("1");
    let asked = story.shop(|front| front.admin.times("Orders"));
    story.buy();
    story.stage.pass(3 * HOUR);
    assert_eq!((story.shop(|front| front.admin.times("Orders")) - asked, story.invoices()), (0, 0));
    gone("null");
    story.stage.pass(3 * HOUR);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 1);
}

#[test]
fn of_an_order_whose_customer_was_forgotten_the_shop_tells_nothing_more() {
    let story = Story::with_token();
    story.buy();
    story.stage.pass(16 * MINUTE);
    story.stage.until_idle(HOUR);
    let kept = || {
        let ask = "select buyer is not null from orders";
        story.stage.db.read(|c| c.query_row(ask, [], |row| row.get::<_, bool>(0)).during("look")).unwrap()
    };
    assert!(kept(), "the shop tells of buyers");
    let forget = "update orders set buyer = null, redacted_at = 1";
    story.stage.db.write(move |tx| tx.execute(forget, []).during("forget")).unwrap();
    story.stage.wish(Wish::CatchUp { slug: "wadi".to_owned(), since: None, orders: vec!["#1001".to_owned()] });
    let asked = story.shop(|front| front.admin.times("Order"));
    story.chores();
    assert!(story.shop(|front| front.admin.times("Order")) > asked);
    assert!(!kept());
}

#[test]
fn a_day_is_proven_once_the_shop_was_looked_through_from_before_it_until_after_it() {
    let story = Story::new();
    let live = "update merchant set live_from = 1781686800000";
    story.stage.db.write(move |tx| tx.execute(live, []).during("go live")).unwrap();
    story.connect(None, TOKEN);
    story.buy();
    story.stage.pass(72 * HOUR);
    let proven = |day: &str| {
        let day = day.parse().unwrap();
        story.stage.db.see(&Scope::All, |sight| sight.is_proven(&sight.statement(story.merchant_id, day)?.0)).unwrap()
    };
    // The merchant went live at noon of the first.
    assert_eq!(["2026-06-17", "2026-06-18", "2026-06-19"].map(proven), [false, true, true]);
    let since = "2026-06-16T00:00:00Z".parse().unwrap();
    story.stage.wish(Wish::CatchUp { slug: "wadi".to_owned(), since: Some(since), orders: Vec::new() });
    story.chores();
    assert!(proven("2026-06-17"));
    let unread = |orders: &'static str| {
        let set = format!("update shop_api set unread = '{orders}'");
        story.stage.db.write(move |tx| tx.execute(&set, []).during("set")).unwrap();
    };
    unread(r##"[{"id":1,"name":"#1"}]"##);
    assert!(!proven("2026-06-17"), "an order that is listed and not given may be of that day");
    unread("[]");
    story.shop(|front| front.admin.shut = Some(423));
    story.stage.pass(48 * HOUR);
    assert!(!proven("2026-06-21"), "nobody could look");
}

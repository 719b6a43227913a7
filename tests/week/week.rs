//! The week as it passes: buyers, couriers, and what goes wrong on which day.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use qantara::db::merchant;
use qantara::desk::{Secret, Wish};
use qantara::domain::rules::{GatewayRule, PaymentRules};
use qantara::sandbox::daftra::{AccountSetup, ApiKey, PaymentMethod};
use qantara::sandbox::shop::admin::Storefront;
use qantara::sandbox::shop::cart::{OrderId, Payment};
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::courier::Habits;
use qantara::sandbox::shop::delivery::Delivery;

use crate::common::stage::{Cast, Plan, Stage};
use crate::town::{Deed, History, Merchant, Place, cast, has_lamp, history, places};

/// Midnight in Riyadh of the week's first day.
const FIRST: &str = "2026-06-18T00:00+03";
/// When everything has come to its end and the last statement was drawn up.
const END: &str = "2026-06-26T06:00+03";
const ORIGIN: &str = "https://bridge.example";
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Often enough for a night's examination, seldom enough for a fast test.
const UPKEEP: SignedDuration = SignedDuration::from_mins(10);
/// The same: a beat is a write that reaches the disk.
const HEARTBEAT: SignedDuration = SignedDuration::from_mins(5);
/// How everything is paid.
const GATEWAY: &str = "bogus";

/// How the week goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) seed: u64,
    pub(crate) orders: usize,
    /// Whether the shops can be asked, and make our webhooks.
    pub(crate) has_api: bool,
    /// How many deliveries in a thousand never leave.
    pub(crate) lose_per_mille: u32,
}

/// What goes wrong, and who mends it.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// Somebody takes all our webhooks away.
    LoseSubscriptions,
    Stop,
    Start,
    RevokeToken,
    NewToken,
}

#[derive(Clone, Debug)]
enum Event {
    /// The next thing of the history of an order.
    Deed {
        number: usize,
        step: usize,
    },
    Turn(Turn),
}

/// A whole week, and everybody in it.
pub(crate) struct Week {
    pub(crate) course: Course,
    stage: Option<Stage>,
    is_up: bool,
    pub(crate) places: Vec<Place>,
    pub(crate) merchants: Vec<Merchant>,
    histories: Vec<(usize, History)>,
    known: BTreeMap<usize, OrderId>,
    events: BTreeMap<(Timestamp, u64), Event>,
    planned: u64,
    chance: Chance,
    /// When whose webhooks were taken away, by whomever.
    pub(crate) unsubscribed: BTreeSet<(&'static str, Timestamp)>,
    /// Deliveries that were sent, with their repeats.
    pub(crate) sent: usize,
}

fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}

impl Week {
    pub(crate) fn new(course: Course) -> Self {
        let mut chance = Chance::new(course.seed);
        let accounts = ["one", "two"].map(|name| AccountSetup {
            name: name.to_owned(),
            keys: vec![ApiKey::full(&format!("key-{name}"))],
            ..AccountSetup::default()
        });
        let mut stage = Stage::new(Plan { workers: 2, accounts: accounts.into(), upkeep: UPKEEP });
        stage.settings.heartbeat = HEARTBEAT;
        let mut stage = stage.restart(SignedDuration::ZERO);
        let mut own = Vec::new();
        for (shop, place) in places(&mut chance) {
            stage.network.world.lock().unwrap().add_shop(Storefront::new(shop, "client-1", place.secret));
            own.push(place);
        }
        let habits =
            Habits { duplicate_per_mille: 20, shuffle: true, max_delay_s: 90, lose_per_mille: course.lose_per_mille };
        let merchants = cast(&mut chance, habits);
        for merchant in &merchants {
            let place = &own[merchant.place];
            stage.add(&Cast {
                slug: merchant.slug,
                shop: place.domain,
                secret: place.secret,
                account: merchant.account,
                key: &format!("key-{}", merchant.account),
                vendors: &Vec::from_iter(merchant.vendor),
                ..Cast::default()
            });
        }
        let mut week = Self {
            course,
            stage: Some(stage),
            is_up: false,
            places: own,
            merchants,
            histories: Vec::new(),
            known: BTreeMap::new(),
            events: BTreeMap::new(),
            planned: 0,
            chance,
            unsubscribed: BTreeSet::new(),
            sent: 0,
        };
        week.record_payments();
        week.start();
        if course.has_api {
            (0..week.merchants.len()).for_each(|merchant| week.connect(merchant, "first"));
        }
        week.plan();
        week
    }

    pub(crate) fn stage(&self) -> &Stage {
        self.stage.as_ref().unwrap()
    }

    /// A part of an order is paid by one payment: only who sells the whole records money.
    fn record_payments(&self) {
        let rule = GatewayRule { method: "bank".into(), treasury_id: None };
        let rules = PaymentRules {
            record: true,
            refunds: true,
            gateways: BTreeMap::from([(GATEWAY.to_owned(), rule)]),
            ..PaymentRules::default()
        };
        let stage = self.stage();
        stage.account("one", |account| {
            let method = PaymentMethod { id: 1, slug: "bank".into(), label: "Bank".into(), ..PaymentMethod::default() };
            account.add_method(method)
        });
        let change = move |tx: &rusqlite::Transaction<'_>| {
            let mut whole = merchant::by_slug(tx, "bahr")?.unwrap();
            whole.rules.payments = rules;
            merchant::change(tx, &whole)
        };
        stage.db.write(change).unwrap();
    }

    /// How many orders were asked for at the shops' APIs.
    pub(crate) fn read(&self) -> usize {
        (0..self.places.len()).map(|place| self.shop(place, |front| front.admin.times("Order"))).sum()
    }

    /// What is to happen when.
    fn plan(&mut self) {
        let first = at(FIRST);
        let gap = 7 * DAY.as_secs() / i64::try_from(self.course.orders).unwrap();
        for number in 0..self.course.orders {
            let (place, deeds) = if has_lamp(number) {
                (number % 2, vec![(SignedDuration::ZERO, Deed::Buy(Payment::Paid))])
            } else {
                (usize::try_from(self.chance.below(2)).unwrap(), history(&mut self.chance))
            };
            let turn = i64::try_from(number).unwrap() * gap;
            let late = i64::try_from(self.chance.below(u64::try_from(gap).unwrap())).unwrap();
            self.histories.push((place, deeds));
            self.put(first + SignedDuration::from_secs(turn + late), Event::Deed { number, step: 0 });
        }
        let hours = |hours: i64| first + SignedDuration::from_hours(hours);
        let mut turns = vec![(hours(3 * 24 + 10), Turn::Stop), (hours(3 * 24 + 16), Turn::Start)];
        if self.course.has_api {
            turns.extend([
                (hours(24 + 9), Turn::LoseSubscriptions),
                (hours(4 * 24 + 21), Turn::RevokeToken),
                (hours(5 * 24 + 2), Turn::NewToken),
                (hours(5 * 24 + 13), Turn::LoseSubscriptions),
            ]);
        }
        turns.into_iter().for_each(|(at, turn)| self.put(at, Event::Turn(turn)));
    }

    fn put(&mut self, at: Timestamp, event: Event) {
        self.planned += 1;
        self.events.insert((at, self.planned), event);
    }

    /// Lives through it.
    pub(crate) fn play(&mut self) {
        let end = at(END);
        loop {
            let couriers = self.merchants.iter().filter_map(|merchant| merchant.courier.next_at());
            let event = self.events.keys().next().map(|(at, _)| *at);
            let next = couriers.chain(event).min().filter(|next| *next < end);
            self.pass_until(next.unwrap_or(end));
            if next.is_none() {
                return;
            }
            let now = self.stage().clock.now();
            while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= now) {
                match entry.remove() {
                    Event::Deed { number, step } => self.do_deed(number, step, now),
                    Event::Turn(turn) => self.turn(turn),
                }
            }
            self.carry();
        }
    }

    fn pass_until(&self, then: Timestamp) {
        let stage = self.stage();
        let gap = then.duration_since(stage.clock.now()).max(SignedDuration::ZERO);
        if self.is_up { stage.pass(gap) } else { stage.hand.advance(gap) }
    }

    fn do_deed(&mut self, number: usize, step: usize, now: Timestamp) {
        let (place, deeds) = &self.histories[number];
        let (at, deed, next) = (*place, deeds[step].1, deeds.get(step + 1).map(|(gap, _)| *gap));
        let place = &mut self.places[at];
        let mut world = self.stage.as_ref().unwrap().network.world.lock().unwrap();
        let shop = &mut world.shop_mut(place.domain).unwrap().shop;
        let news = match (deed, self.known.get(&number)) {
            (Deed::Buy(payment), _) => {
                let (order, news) = place.buy(shop, payment, number, &mut self.chance, now);
                self.known.insert(number, order);
                news
            }
            (_, Some(order)) => place.change(shop, *order, deed, &mut self.chance, now).unwrap_or_default(),
            (_, None) => Vec::new(),
        };
        drop(world);
        if let Some(gap) = next {
            self.put(now + gap, Event::Deed { number, step: step + 1 });
        }
        self.post(at, &news, now);
    }

    /// Deliveries leave for whoever is subscribed.
    fn post(&mut self, place: usize, news: &[Delivery], now: Timestamp) {
        let domain = self.places[place].domain;
        for merchant in 0..self.merchants.len() {
            if self.merchants[merchant].place != place {
                continue;
            }
            let slug = self.merchants[merchant].slug;
            let is_told = |one: &&Delivery| !self.course.has_api || self.is_told(domain, slug, one);
            let told = news.iter().filter(is_told).cloned().collect();
            let merchant = &mut self.merchants[merchant];
            let lost = merchant.courier.undelivered().len();
            merchant.courier.post(told, now);
            let lost: Vec<_> = merchant.courier.undelivered()[lost..].iter().filter_map(order_of).collect();
            merchant.missed.extend(lost);
        }
    }

    fn is_told(&self, domain: &str, slug: &str, delivery: &Delivery) -> bool {
        let uri = format!("{ORIGIN}/webhook/{slug}");
        let topic = delivery.topic.replace('/', "_").to_uppercase();
        let mut world = self.stage().network.world.lock().unwrap();
        let subscriptions = &world.shop_mut(domain).unwrap().admin.subscriptions;
        subscriptions.iter().any(|one| one.uri == uri && one.topic == topic)
    }

    /// Couriers ring, and are let in while somebody is there.
    fn carry(&mut self) {
        let now = self.stage().clock.now();
        for merchant in 0..self.merchants.len() {
            for delivery in self.merchants[merchant].courier.due(now) {
                self.sent += 1;
                let Merchant { slug, place, .. } = self.merchants[merchant];
                let is_kept = self.is_up && self.stage().deliver_to(Some(slug), &delivery, self.places[place].secret);
                assert_eq!(is_kept, self.is_up, "{} was not kept", delivery.topic);
                let merchant = &mut self.merchants[merchant];
                let before = merchant.courier.undelivered().len();
                merchant.courier.answered(&delivery, is_kept.then_some(200), now);
                let is_given_up = merchant.courier.undelivered().len() > before;
                if is_kept {
                    merchant.heard.extend(order_of(&delivery));
                }
                if is_given_up {
                    merchant.missed.extend(order_of(&delivery));
                    self.give_up(slug, place, &delivery, now);
                }
            }
        }
    }

    /// Shopify deletes a webhook that fails for so long, if an app made it.
    fn give_up(&mut self, slug: &'static str, place: usize, delivery: &Delivery, now: Timestamp) {
        if !self.course.has_api {
            return;
        }
        let uri = format!("{ORIGIN}/webhook/{slug}");
        let topic = delivery.topic.replace('/', "_").to_uppercase();
        self.shop(place, |front| front.admin.subscriptions.retain(|one| one.uri != uri || one.topic != topic));
        self.unsubscribed.insert((slug, now));
    }

    fn shop<T>(&self, place: usize, change: impl FnOnce(&mut Storefront) -> T) -> T {
        let mut world = self.stage().network.world.lock().unwrap();
        change(world.shop_mut(self.places[place].domain).unwrap())
    }

    fn turn(&mut self, turn: Turn) {
        let now = self.stage().clock.now();
        match turn {
            Turn::LoseSubscriptions => {
                for place in 0..self.places.len() {
                    self.shop(place, |front| front.admin.subscriptions.clear());
                }
                self.unsubscribed.extend(self.merchants.iter().map(|merchant| (merchant.slug, now)));
            }
            Turn::Stop => {
                self.stage.as_mut().unwrap().stop();
                self.is_up = false;
            }
            Turn::Start => {
                let before = self.stage.take().unwrap();
                self.stage = Some(before.restart(SignedDuration::ZERO));
                self.start();
            }
            Turn::RevokeToken => drop(self.shop(0, |front| front.admin.tokens.remove("wadi-first"))),
            Turn::NewToken => self.connect(0, "second"),
        }
    }

    fn start(&mut self) {
        let stage = self.stage.as_mut().unwrap();
        if self.course.has_api {
            stage.engine.is_reached_at(ORIGIN.to_owned());
        }
        stage.start();
        self.is_up = true;
    }

    /// A person connects a merchant to its shop.
    fn connect(&self, merchant: usize, which: &str) {
        let Merchant { slug, place, client_id, .. } = self.merchants[merchant];
        let signs = self.places[place].secret;
        let token = format!("{slug}-{which}");
        let secret = |text: &str| Secret(text.to_owned().into());
        let wish = match client_id {
            Some(id) => {
                Wish::ShopConnect { slug: slug.into(), client_id: Some(id.into()), secret: secret(signs), signs: None }
            }
            None => {
                self.shop(place, |front| front.admin.grant(&token));
                let signs = Some(secret(signs));
                Wish::ShopConnect { slug: slug.into(), client_id: None, secret: secret(&token), signs }
            }
        };
        let stage = self.stage();
        stage.wish(wish);
        stage.intake.reload().unwrap();
        stage.engine.wake_chores();
        stage.pass(SignedDuration::from_mins(2));
    }
}

fn order_of(delivery: &Delivery) -> Option<OrderId> {
    delivery.order_id.map(OrderId)
}

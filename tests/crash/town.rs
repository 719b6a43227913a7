//! The world outside of the bridge: shops with buyers, merchants, accounts with their unknowns, and what should come of
//! it all, taken from the shops' own books.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use qantara::db::merchant::Mode;
use qantara::desk::file::{Daftra, Gateway, Lines, MerchantFile, Orders, Payments, Shop as ShopPart, Tax};
use qantara::desk::{Proposal, Secret, Secrets};
use qantara::domain::rules::{ExchangePolicy, LinePolicy, LockedPolicy, ShippingPolicy, SkuRules};
use qantara::sandbox::World;
use qantara::sandbox::daftra::{Account, AccountSetup, ApiKey, Client, PaymentMethod, Product, any};
use qantara::sandbox::fault::FaultKind;
use qantara::sandbox::shop::cart::{
    CancelHow, Cart, Edit, Item, LineId, MoneyBack, OrderId, Payment, Refund, Restock, VariantId,
};
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::courier::{Courier, Habits};
use qantara::sandbox::shop::delivery::{Delivery, raw};
use qantara::sandbox::shop::{Refusal, Shop};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::common::stage::{CLIENT, STORE, VAT_INCLUDED, furnished, shop};

pub(crate) const STOCK: i64 = 100_000;
/// What an account may lack, and what a person maps it to there.
pub(crate) const ODD_SKU: &str = "WH-3300";
const ODD_PRODUCT: u64 = 103;
pub(crate) const SPARE_PRODUCT: u64 = 108;
pub(crate) const OTHER_STORE: i64 = 2;
/// What an account may have too little of, in both of its stores.
pub(crate) const SCARCE_PRODUCT: u64 = 102;
/// How much of it is missing then.
pub(crate) const MISSING: i64 = STOCK - 2;
/// How the shops are paid.
const GATEWAY: &str = "bogus";
const WADI: &str = "Wadi Home";
const NAJD: &str = "عطور نجد";

/// A shop and what happened in it.
pub(crate) struct Place {
    pub(crate) shop: Shop,
    shelf: Vec<VariantId>,
    pub(crate) orders: BTreeMap<OrderId, Placed>,
}

/// What the shop's book of what is left does not tell of an order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    pub(crate) at: Timestamp,
    is_paid: bool,
    /// Cancelled before anything was paid: nothing is left, though there may be no record of it.
    pub(crate) is_called_off: bool,
    /// Units by SKU whose money went back, but not they.
    pub(crate) kept: BTreeMap<String, Decimal>,
    /// Money that went back for no goods. Nothing more happens to the order, so that what should be stays plain.
    pub(crate) goodwill: Option<Decimal>,
    /// The line that was given for other goods. Nor after this.
    pub(crate) given: Option<u64>,
}

/// A merchant as its owner wants it; the database follows when it is told.
pub(crate) struct Merchant {
    pub(crate) slug: String,
    pub(crate) place: usize,
    pub(crate) account: String,
    /// `None`: every line of the shop.
    pub(crate) vendor: Option<&'static str>,
    pub(crate) file: MerchantFile,
    /// What it is to be.
    pub(crate) mode: Mode,
    pub(crate) is_paused: bool,
    pub(crate) is_mapped: bool,
    pub(crate) secrets: Vec<String>,
    pub(crate) key: String,
    /// What the shop signs with.
    pub(crate) secret: String,
    pub(crate) courier: Courier,
    /// Everything that was ever on its way.
    pub(crate) posted: Vec<Delivery>,
}

impl Merchant {
    /// Orders from then on are booked.
    pub(crate) fn live_from(&self) -> Option<Timestamp> {
        self.file.orders.live_from
    }

    pub(crate) fn proposal(&self) -> Box<Proposal> {
        let secret = |text: &String| Secret(text.as_str().into());
        let secrets =
            Secrets { webhook: self.secrets.iter().map(secret).collect(), daftra_key: Some(secret(&self.key)) };
        Box::new(Proposal { file: self.file.clone(), secrets })
    }
}

/// An account that shows its unknowns, and now and then what changes how orders end, as chance will have it.
fn unknowns(name: &str, chance: &mut Chance) -> AccountSetup {
    let mut setup =
        AccountSetup { name: name.to_owned(), keys: vec![ApiKey::full(&format!("key-{name}"))], ..any(chance) };
    if setup.list_lag_seconds > 0 {
        setup.list_lag_seconds = u32::try_from(1 + chance.below(60)).unwrap();
    }
    match chance.below(10) {
        0 => setup.e_invoices = true,
        1 => setup.requisitions = true,
        _ => {}
    }
    setup
}

/// What goes wrong with a call. What puts a merchant in trouble for hours comes less often.
pub(crate) fn bad_day(chance: &mut Chance) -> FaultKind {
    let upto = |limit, chance: &mut Chance| u32::try_from(1 + chance.below(limit)).unwrap();
    match chance.below(32) {
        0..4 => FaultKind::LoseRequest,
        4..8 => FaultKind::LoseAnswer,
        8..12 => late(chance),
        12..15 => FaultKind::ErrorAfterSaving,
        15..17 => FaultKind::ErrorBeforeSaving,
        17..19 => FaultKind::FailedWith200,
        19..21 => FaultKind::Throttled { retry_after: chance.per_mille(500).then_some(upto(90, chance)) },
        21..23 => FaultKind::Slow { seconds: upto(50, chance) },
        23 => FaultKind::Hang,
        24..26 => FaultKind::CutAt { bytes: usize::try_from(chance.below(200)).unwrap() },
        26..28 => FaultKind::TruncatedJson,
        28 => FaultKind::HtmlPage,
        29 => FaultKind::HtmlRedirect,
        30 => FaultKind::Unauthorized,
        _ => FaultKind::Forbidden,
    }
}

/// Executed after the caller gave up, but well within the settling time.
pub(crate) fn late(chance: &mut Chance) -> FaultKind {
    FaultKind::Late { seconds: u32::try_from(1 + chance.below(80)).unwrap() }
}

pub(crate) struct Town {
    pub(crate) places: Vec<Place>,
    pub(crate) merchants: Vec<Merchant>,
    /// Accounts whose catalogue lacks the odd product.
    pub(crate) lacking: BTreeSet<String>,
    /// Accounts that have too little of the scarce product until it arrives.
    pub(crate) scarce: BTreeSet<&'static str>,
}

impl Town {
    /// One to three merchants: alone, two in one shop, two in one account, or both.
    pub(crate) fn new(chance: &mut Chance, world: &mut World, start: Timestamp) -> Self {
        let cast: &[(&str, usize, &str, Option<&'static str>)] = match chance.below(5) {
            0 | 1 => &[("wadi", 0, "one", None)],
            2 => &[("wadi", 0, "one", Some(WADI)), ("najd", 0, "two", Some(NAJD))],
            3 => &[("wadi", 0, "one", Some(WADI)), ("najd", 0, "one", Some(NAJD))],
            _ => &[("wadi", 0, "one", Some(WADI)), ("najd", 0, "two", Some(NAJD)), ("bahr", 1, "one", None)],
        };
        let mut town =
            Self { places: Vec::new(), merchants: Vec::new(), lacking: BTreeSet::new(), scarce: BTreeSet::new() };
        for name in ["one", "two"] {
            let mut account = furnished(unknowns(name, chance), start);
            let method = PaymentMethod { id: 1, slug: "bank".into(), label: "Bank".into(), ..PaymentMethod::default() };
            account.add_method(method);
            account.add_client(Client { id: 16, business_name: "Other".into(), ..Client::default() });
            let code = "SPARE".to_owned();
            account.add_product(Product { id: SPARE_PRODUCT, product_code: code, ..Product::default() });
            for product in 101..=SPARE_PRODUCT {
                account.add_stock(product, 2, Decimal::from(STOCK), start);
            }
            account.add_stock(SPARE_PRODUCT, 1, Decimal::from(STOCK), start);
            if chance.per_mille(300) {
                let other = Product { id: ODD_PRODUCT, product_code: "ELSE".into(), ..Product::default() };
                account.add_product(other);
                town.lacking.insert(name.to_owned());
            }
            let is_strict = !account.setup().negative_stock && !account.setup().requisitions;
            if is_strict && chance.per_mille(300) {
                stock_up(&mut account, -MISSING, start);
                town.scarce.insert(name);
            }
            world.add(account);
        }
        for place in 0..=cast.iter().map(|merchant| merchant.1).max().unwrap() {
            let (shop, shelf) = shop(&domain(place), "unused", chance.bits());
            town.places.push(Place { shop, shelf, orders: BTreeMap::new() });
        }
        for (slug, place, account, vendor) in cast {
            let mode = if chance.per_mille(250) { Mode::Shadow } else { Mode::Live };
            let habits = Habits {
                duplicate_per_mille: 150,
                shuffle: chance.per_mille(700),
                max_delay_s: [0, 5, 60, 600][usize::try_from(chance.below(4)).unwrap()],
                lose_per_mille: 10,
            };
            let mut file = file(slug, *place, account, *vendor);
            file.mode = Some(mode);
            // Whose lines are a part of an order only is paid in the end, by one payment: only the whole can be judged.
            if vendor.is_none() && chance.per_mille(800) {
                let gateway = Gateway { shopify: GATEWAY.into(), method: "bank".into(), treasury_id: None };
                file.payments = Payments { record: true, refunds: true, gateway: vec![gateway], from: None };
            }
            file.orders.locked = if chance.per_mille(500) { LockedPolicy::NewInvoice } else { LockedPolicy::Hold };
            file.orders.exchange = if chance.per_mille(500) { ExchangePolicy::Book } else { ExchangePolicy::Hold };
            let policies = [LinePolicy::Hold, LinePolicy::Line, LinePolicy::Skip];
            file.lines.goodwill = policies[usize::try_from(chance.below(3)).unwrap()];
            file.orders.live_from = (mode == Mode::Live).then(|| start - SignedDuration::from_hours(24));
            let secret = format!("hush-{slug}");
            town.merchants.push(Merchant {
                slug: (*slug).to_owned(),
                place: *place,
                account: (*account).to_owned(),
                vendor: *vendor,
                file,
                mode,
                is_paused: false,
                is_mapped: false,
                secrets: vec![secret.clone()],
                key: format!("key-{account}"),
                secret,
                courier: Courier::new(chance.bits(), habits),
                posted: Vec::new(),
            });
        }
        town
    }

    /// Somebody buys something.
    pub(crate) fn buy(&mut self, place: usize, chance: &mut Chance, now: Timestamp) -> OrderId {
        let shop = &mut self.places[place];
        let mut wanted = BTreeMap::new();
        for _ in 0..=chance.below(3) {
            let variant = shop.shelf[usize::try_from(chance.below(8)).unwrap()];
            wanted.insert(variant, u32::try_from(1 + chance.below(5)).unwrap());
        }
        let payment = match chance.below(4) {
            0 => Payment::Pending,
            1 => Payment::Authorized,
            _ => Payment::Paid,
        };
        let cart = Cart { payment, ..Cart::of(&wanted.into_iter().collect::<Vec<_>>()) };
        let (order, news) = shop.shop.buy(&cart, now).unwrap();
        let placed = Placed { at: now, is_paid: payment == Payment::Paid, ..Placed::default() };
        shop.orders.insert(order, placed);
        self.post(place, &news, now);
        order
    }

    /// Something happens to an order; the shop may refuse, and then nothing did. Returns its name.
    pub(crate) fn change(
        &mut self,
        place: usize,
        order: OrderId,
        chance: &mut Chance,
        now: Timestamp,
    ) -> (&'static str, bool) {
        let is_shared = self.merchants.iter().any(|merchant| merchant.place == place && merchant.vendor.is_some());
        let Place { shop, shelf, orders } = &mut self.places[place];
        let placed = orders.get_mut(&order).unwrap();
        let is_over = placed.goodwill.is_some() || placed.given.is_some();
        let left = if is_over { Vec::new() } else { shop.what_is_left(order).unwrap() };
        let line = usize::try_from(chance.below(8)).unwrap().checked_rem(left.len()).map(|at| left[at].clone());
        let quantity = u32::try_from(1 + chance.below(3)).unwrap();
        let added = Item::Variant(shelf[usize::try_from(chance.below(8)).unwrap()]);
        let (what, news) = match (chance.below(14), line) {
            (0, _) | (_, None) => ("tags", shop.tag(order, "seen", now)),
            (1, _) => {
                let paid = shop.pay(order, now);
                placed.is_paid |= paid.is_ok();
                ("pays", paid)
            }
            (2, _) => ("ships", shop.fulfil(order, now)),
            (3, _) => ("adds a line", shop.edit(order, &[Edit::AddLine { item: added, quantity }], now)),
            (4, Some(line)) => ("takes a line off", shop.edit(order, &[Edit::remove(line.line_id)], now)),
            (5 | 6, Some(line)) => {
                let to = line.units + quantity;
                let edit = Edit::SetQuantity { line: line.line_id, to, restock: true };
                ("adds units", shop.edit(order, &[edit], now))
            }
            (7, Some(line)) => {
                let edit = Edit::SetQuantity { line: line.line_id, to: line.units - 1, restock: true };
                ("takes a unit off", shop.edit(order, &[edit], now))
            }
            (8 | 9, Some(line)) => {
                let refund = Refund::of(&[(line.line_id, 1.max(line.units / 2), Restock::Return)]);
                ("sends units back", shop.refund(order, &refund, now))
            }
            (10, Some(line)) => {
                let refund = Refund::of(&[(line.line_id, 1, Restock::NoRestock)]);
                let news = shop.refund(order, &refund, now);
                if news.is_ok() {
                    *placed.kept.entry(line.sku).or_default() += Decimal::ONE;
                }
                ("keeps a unit whose money goes back", news)
            }
            (11, Some(line)) => ("exchanges a unit", exchange(shop, order, line.line_id, added, placed, now)),
            // Whose the money is that goods do not explain, nobody knows who sells only a part of the order.
            (12, Some(_)) if !is_shared && shop.what_is_paid(order).unwrap() > Decimal::ONE => {
                let money = Decimal::ONE;
                let refund = Refund { money: MoneyBack::Amount(money), ..Refund::of(&[]) };
                let news = shop.refund(order, &refund, now);
                placed.goodwill = news.is_ok().then_some(money);
                ("is given money back for nothing", news)
            }
            // The same.
            (_, Some(_)) if is_shared && !is_balanced(shop, order) => ("tags", shop.tag(order, "seen", now)),
            (_, Some(_)) => {
                let restock = placed.is_paid || chance.per_mille(500);
                let how = CancelHow { restock, money: true, shipping: true, reason: "customer".into() };
                let news = shop.cancel(order, &how, now);
                placed.is_called_off |= news.is_ok();
                ("cancels", news)
            }
        };
        let is_done = news.is_ok();
        if let Ok(news) = news {
            self.post(place, &news, now);
        }
        (what, is_done)
    }

    fn post(&mut self, place: usize, news: &[Delivery], now: Timestamp) {
        let given = &self.places[place].orders;
        let given = |one: &Delivery| one.order_id.and_then(|id| given.get(&OrderId(id))?.given);
        let news: Vec<Delivery> = news.iter().map(|one| named(one.clone(), given(one))).collect();
        for merchant in self.merchants.iter_mut().filter(|merchant| merchant.place == place) {
            merchant.posted.extend_from_slice(&news);
            merchant.courier.post(news.clone(), now);
        }
    }
}

/// A unit comes back, and another line is given for it.
fn exchange(
    shop: &mut Shop,
    order: OrderId,
    line: LineId,
    item: Item,
    placed: &mut Placed,
    now: Timestamp,
) -> Result<Vec<Delivery>, Refusal> {
    let mut news = shop.edit(order, &[Edit::AddLine { item, quantity: 1 }], now)?;
    let lines = shop.order_body(order)?;
    placed.given = lines["line_items"].as_array().and_then(|lines| lines.last()?["id"].as_u64());
    // What is not delivered again cannot come back, and is given all the same.
    news.extend(shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), now).unwrap_or_default());
    Ok(news)
}

/// The body of an order names the line that was given for others.
fn named(mut delivery: Delivery, given: Option<u64>) -> Delivery {
    if let (Some(line), true) = (given, delivery.topic.starts_with("orders/")) {
        let mut body: Value = serde_json::from_slice(&delivery.body).unwrap();
        if body["line_items"].as_array().is_some_and(|lines| lines.iter().any(|one| one["id"] == line)) {
            body["returns"] = json!([{"exchange_line_items": [{"line_item": {"id": line}}]}]);
            delivery.body = raw(&body);
        }
    }
    delivery
}

/// The scarce product comes, or goes.
pub(crate) fn stock_up(account: &mut Account, units: i64, now: Timestamp) {
    for store in [1, 2] {
        account.add_stock(SCARCE_PRODUCT, store, Decimal::from(units), now);
    }
}

/// Nothing was paid yet, or exactly what is left.
fn is_balanced(shop: &Shop, order: OrderId) -> bool {
    let (paid, left) = (shop.what_is_paid(order).unwrap(), shop.what_is_left(order).unwrap());
    paid.is_zero() || paid == left.iter().map(|line| line.net).sum()
}

/// The product of a SKU in an account.
pub(crate) fn product_of(sku: &str, is_lacking: bool) -> u64 {
    match sku {
        "WH-1001-RED-XL" | "WH-1001-BLU-M" => 101,
        "WH-2040" => 102,
        ODD_SKU if is_lacking => SPARE_PRODUCT,
        ODD_SKU => ODD_PRODUCT,
        "6281000000014" => 104,
        "NJ-OUD-100" => 105,
        "NJ-BKH-1" => 106,
        _ => 107,
    }
}

fn domain(place: usize) -> String {
    format!("shop-{place}.myshopify.com")
}

fn file(slug: &str, place: usize, account: &str, vendor: Option<&str>) -> MerchantFile {
    MerchantFile {
        slug: slug.to_owned(),
        name: slug.to_owned(),
        time_zone: "Asia/Riyadh".to_owned(),
        mode: None,
        shop: ShopPart { domain: domain(place), webhook_secret_files: Vec::new() },
        daftra: Daftra {
            url: format!("http://127.0.0.1:8901/acct/{account}"),
            key_file: None,
            store_id: STORE,
            client_id: CLIENT,
            branch_id: None,
        },
        lines: Lines {
            vendors: vec![vendor.unwrap_or("*").to_owned()],
            not_vendors: Vec::new(),
            separators: SkuRules::default().separators,
            strip_prefixes: Vec::new(),
            add_prefix: String::new(),
            sku_is_barcode: false,
            shipping: ShippingPolicy::AllLines,
            custom: LinePolicy::Hold,
            gift_card: LinePolicy::Hold,
            tip: LinePolicy::Hold,
            duty: LinePolicy::Hold,
            goodwill: LinePolicy::Hold,
        },
        orders: Orders::default(),
        payments: Payments::default(),
        tax: vec![Tax { title: None, rate: "0.15".to_owned(), included: true, daftra_id: VAT_INCLUDED }],
    }
}

/// The vendor of a SKU of the sample shelf.
pub(crate) fn vendor_of(sku: &str) -> &'static str {
    if sku.starts_with("WH-") { WADI } else { NAJD }
}

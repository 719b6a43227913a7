//! The town of `demo --once --orders`: five merchants in four shops, each with other habits, and their four accounts.
//!
//! Plain tables. The merchants' rules were written by a person, as was what a SKU must lead to (`wares`); the product
//! learns of both only as everybody does, by merchant files and by asking the fake Daftra.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use anyhow::{Context as _, anyhow};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::figures::Worth;
use super::interrupt::Interrupt;
use super::stage::{Sign, Stage};
use super::wares::{BUNDLE, CATALOGUE, DUNE_LIGHTS, MORE, NAJD, TOKYO_LIGHTS, WADI, WARES, Ware};
use crate::clock::Clock;
use crate::sandbox::World;
use crate::sandbox::daftra::{
    Account, AccountSetup, Client, Document, DocumentKind, PaymentMethod, Product, Store, Tax, Treasury,
};
use crate::sandbox::shop::cart::{Product as OnSale, VariantId};
use crate::sandbox::shop::{Presentment, Shop, ShopSetup, Tax as ShopTax, Topic};

/// A shop, which has its own currency, and the Daftra account of its merchants.
pub(super) struct ShopRow {
    pub(super) domain: &'static str,
    pub(super) account: &'static str,
    pub(super) currency: &'static str,
    /// Digits after the point of its money.
    pub(super) digits: u32,
    /// In per cent.
    tax: Option<i64>,
    /// Whether its prices contain the tax.
    pub(super) taxes_included: bool,
    /// Whether anybody subscribed to its transactions.
    pub(super) tells_money: bool,
    /// What the buyers of a shop pay with, which need not be its currency: that, and the price of one unit.
    abroad: Option<(&'static str, Decimal)>,
}

/// All shops.
pub(super) const SHOPS: [ShopRow; 4] = [
    ShopRow {
        domain: "souq.myshopify.com",
        account: "riyadh",
        currency: "SAR",
        digits: 2,
        tax: Some(15),
        taxes_included: true,
        tells_money: true,
        abroad: None,
    },
    ShopRow {
        domain: "pearls.myshopify.com",
        account: "kuwait",
        currency: "KWD",
        digits: 3,
        tax: None,
        taxes_included: false,
        tells_money: true,
        abroad: None,
    },
    ShopRow {
        domain: "creek.myshopify.com",
        account: "dubai",
        currency: "AED",
        digits: 2,
        tax: Some(5),
        taxes_included: false,
        tells_money: false,
        abroad: None,
    },
    ShopRow {
        domain: "kissaten.myshopify.com",
        account: "tokyo",
        currency: "JPY",
        digits: 0,
        tax: Some(10),
        taxes_included: true,
        tells_money: true,
        abroad: Some(("USD", Decimal::from_parts(67, 0, 0, false, 4))),
    },
];

/// Places of the shops in [`SHOPS`].
pub(super) const SOUQ: usize = 0;
pub(super) const PEARLS: usize = 1;
pub(super) const CREEK: usize = 2;
pub(super) const KISSATEN: usize = 3;

/// When the shipping of an order is on the merchant's invoice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    Always,
    Never,
    /// If nobody else has a line in the order.
    WholeOrders,
}

/// A merchant, and the same as TOML for the product.
pub(super) struct MerchantRow {
    pub(super) slug: &'static str,
    pub(super) shop: usize,
    /// Warehouse and client in its account; merchants of one account differ in both.
    pub(super) store: u64,
    pub(super) client: u64,
    pub(super) whose: Whose,
    pub(super) carries: Carries,
    /// Invoiced when paid, unless the buyer pays the courier.
    pub(super) when_paid: bool,
    /// Typed-in items and tips: on the invoice as text, or left out. `None`: a person decides.
    pub(super) custom: Option<Extra>,
    pub(super) tip: Option<Extra>,
    zone: &'static str,
    /// The same, in hours before UTC: there is no other time in summer.
    hours: i64,
    /// How each way of paying is booked. None: payments are not recorded.
    pub(super) till: &'static [Till],
    /// Money that goes back is a payment, too.
    pub(super) pays_back: bool,
    /// An invoice that Daftra will not change goes back, and another one takes its place; else a person decides.
    pub(super) makes_anew: bool,
    /// Under `[lines]` and `[orders]`.
    lines: &'static str,
    orders: &'static str,
}

/// A way of paying.
#[derive(Debug)]
pub(super) struct Till {
    /// The shop's word.
    pub(super) gateway: &'static str,
    /// Daftra's.
    pub(super) method: &'static str,
    /// What the merchant's file says; without it the method's own.
    named: Option<u64>,
    /// Where the money must lie.
    pub(super) treasury: u64,
}

const fn till(gateway: &'static str, method: &'static str, named: Option<u64>, treasury: u64) -> Till {
    Till { gateway, method, named, treasury }
}

/// Which lines are a merchant's.
pub(super) enum Whose {
    All,
    Only(&'static str),
    AllBut(&'static str),
}

/// What becomes of a line without goods.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    Text,
    LeftOut,
}

/// What the shops call paying the courier.
pub(super) const AT_THE_DOOR: &str = "Cash on Delivery (COD)";
/// By card.
pub(super) const CARD: &str = "bogus";
/// By a bank that lends the money.
pub(super) const LATER: &str = "Tabby";
/// Orders that carry this tag are booked elsewhere.
pub(super) const ELSEWHERE: &str = "wholesale";
/// What some things are taxed with beside the tax of their shop, in per cent.
const TOURISM: i64 = 2;
/// In a way that no merchant's file names.
pub(super) const UNNAMED: &str = "بنك بعيد";

/// The ways of paying that each account knows, with the treasury of each: the till, the bank.
const METHODS: [(&str, u64); 3] = [("cash", 1), ("bank", 2), ("tabby", 2)];
const TREASURIES: [&str; 2] = ["Till", "Bank"];

/// The merchant whose invoices that cannot be changed are for a person.
pub(super) const WADI_AT: usize = 0;

/// All merchants.
pub(super) const MERCHANTS: [MerchantRow; 5] = [
    MerchantRow {
        slug: "wadi",
        shop: SOUQ,
        store: 1,
        client: 1,
        whose: Whose::Only(WADI),
        carries: Carries::Always,
        when_paid: false,
        custom: None,
        tip: None,
        zone: "Asia/Riyadh",
        hours: 3,
        till: &[
            till(CARD, "bank", Some(2), 2),
            till(AT_THE_DOOR, "cash", Some(1), 1),
            till(LATER, "tabby", Some(1), 1),
        ],
        pays_back: false,
        makes_anew: false,
        lines: "vendors = [\"wadi home\"]\nshipping = \"always\"",
        orders: "",
    },
    MerchantRow {
        slug: "najd",
        shop: SOUQ,
        store: 2,
        client: 2,
        whose: Whose::Only(NAJD),
        carries: Carries::Never,
        when_paid: false,
        custom: None,
        tip: None,
        zone: "Asia/Riyadh",
        hours: 3,
        till: &[],
        pays_back: false,
        makes_anew: true,
        lines: "vendors = [\"عطور نجد\"]\nshipping = \"never\"\nsku_is_barcode = true",
        orders: "",
    },
    MerchantRow {
        slug: "bahr",
        shop: PEARLS,
        store: 1,
        client: 1,
        whose: Whose::All,
        carries: Carries::WholeOrders,
        when_paid: true,
        custom: Some(Extra::Text),
        tip: Some(Extra::LeftOut),
        zone: "Asia/Kuwait",
        hours: 3,
        till: &[till(CARD, "bank", None, 2), till(LATER, "cash", None, 1)],
        pays_back: true,
        makes_anew: false,
        lines: "vendors = [\"*\"]\nadd_prefix = \"BH-\"\ncustom = \"line\"\ntip = \"skip\"\nduty = \"line\"",
        orders: "trigger = \"paid\"",
    },
    MerchantRow {
        slug: "khor",
        shop: CREEK,
        store: 1,
        client: 1,
        whose: Whose::AllBut(DUNE_LIGHTS),
        carries: Carries::Always,
        when_paid: false,
        custom: None,
        tip: None,
        zone: "Asia/Dubai",
        hours: 4,
        till: &[till(CARD, "bank", None, 2), till(LATER, "tabby", Some(1), 1), till(AT_THE_DOOR, "cash", None, 1)],
        pays_back: false,
        makes_anew: false,
        lines: "vendors = [\"*\"]\nnot_vendors = [\"Dune Lights\"]\nshipping = \"always\"\nstrip_prefixes = [\"KH-\"]",
        orders: "",
    },
    MerchantRow {
        slug: "sakura",
        shop: KISSATEN,
        store: 1,
        client: 1,
        whose: Whose::AllBut(TOKYO_LIGHTS),
        carries: Carries::WholeOrders,
        when_paid: true,
        custom: None,
        tip: None,
        zone: "Asia/Tokyo",
        hours: 9,
        till: &[],
        pays_back: false,
        makes_anew: false,
        lines: "vendors = [\"*\"]\nnot_vendors = [\"Tokyo Lights\"]",
        orders: "trigger = \"paid\"\ntrigger_by_gateway = { \"Cash on Delivery (COD)\" = \"created\" }",
    },
];

impl ShopRow {
    /// Whether transactions are in the shop's currency.
    pub(super) fn tells_amounts(&self) -> bool {
        self.abroad.is_none()
    }

    pub(super) fn has_tax(&self) -> bool {
        self.tax.is_some()
    }

    /// What the buyer pays for it.
    pub(super) fn price(&self, worth: Worth) -> i64 {
        if self.taxes_included { worth.net } else { worth.net + worth.tax }
    }
}

impl MerchantRow {
    /// Whether lines of this vendor are the merchant's.
    pub(super) fn owns(&self, vendor: &str) -> bool {
        match self.whose {
            Whose::All => true,
            Whose::Only(own) => vendor == own,
            Whose::AllBut(other) => vendor != other,
        }
    }

    /// Whether payments are recorded.
    pub(super) fn records(&self) -> bool {
        !self.till.is_empty()
    }

    /// The moment by the merchant's clock.
    pub(super) fn clock(&self, at: Timestamp) -> DateTime {
        (at + SignedDuration::from_hours(self.hours)).to_zoned(TimeZone::UTC).datetime()
    }

    /// The day of a moment, where the merchant is.
    pub(super) fn day(&self, at: Timestamp) -> Date {
        self.clock(at).date()
    }

    /// How the merchant books money that came this way.
    pub(super) fn books(&self, gateway: &str) -> Option<&'static Till> {
        self.till.iter().find(|till| till.gateway == gateway)
    }
}

/// Calls time out by this machine's clock, so a hanging one must end before anybody loses patience; and a key that was
/// turned away is tried again before the town's day is over.
const CONFIG: &str = "[daftra]\ncall_timeout_ms = 3000\ncalls_at_once = 4\n[engine]\ntrouble_probe_ms = 300000\n";

/// The stores of every account.
pub(super) const STORES: [u64; 2] = [1, 2];
/// Units of everything in every store at the beginning.
pub(super) const OPENING: i64 = 1_000_000;

/// Codes of an account by the product's id.
pub(super) type Codes = BTreeMap<u64, &'static str>;

/// A shop at work.
pub(super) struct Front {
    pub(super) shop: Shop,
    /// What is on sale, by the place in [`WARES`].
    pub(super) variants: BTreeMap<usize, VariantId>,
}

/// The stage with the town on it.
pub(super) struct Town {
    pub(super) stage: Stage,
    /// In the order of [`SHOPS`].
    pub(super) fronts: Vec<Front>,
    /// The same shops with a rate that no merchant's tax map has; nobody told the bookkeepers of the new law.
    pub(super) after_the_law: Vec<Front>,
    /// By account.
    pub(super) codes: BTreeMap<&'static str, Codes>,
    /// Goods that came in later, by account, code and store.
    pub(super) came_in: BTreeMap<(&'static str, &'static str, u64), i64>,
}

impl Town {
    /// Builds the town and starts the product in it.
    pub(super) fn new(seed: u64, speed: u32, now: Timestamp, interrupt: &Interrupt) -> anyhow::Result<Self> {
        let clock = Clock::scaled(now, speed);
        let mut world = World::new(seed);
        let mut codes = BTreeMap::new();
        for row in &SHOPS {
            let (account, own) = open_account(row, now).map_err(|why| anyhow!("The fake Daftra is wrong: {why}"))?;
            world.add(account);
            codes.insert(row.account, own);
        }
        let domains: Vec<&str> = SHOPS.iter().map(|row| row.domain).collect();
        let mut stage = Stage::bare(speed, clock, world, &domains, interrupt.clone())?;
        let front = |place: usize, is_late: bool| open_shop(place, seed, is_late, stage.secret(SHOPS[place].domain));
        let fronts = (0..SHOPS.len()).map(|place| front(place, false)).collect();
        let after_the_law = (0..SHOPS.len()).map(|place| front(place, true)).collect();
        stage.write_config(CONFIG)?;
        for merchant in &MERCHANTS {
            stage.write_file(&format!("{}.toml", merchant.slug), &merchant_file(merchant, &stage))?;
        }
        stage.start()?;
        for merchant in &MERCHANTS {
            let file = stage.folder().join(format!("{}.toml", merchant.slug));
            stage.command(&["merchant", "add", &file.display().to_string()])?;
        }
        Ok(Self { stage, fronts, after_the_law, codes, came_in: BTreeMap::new() })
    }

    /// The invoice of an order, if there is one.
    pub(super) fn invoice(&self, place: usize, order: u64) -> Option<u64> {
        let account = SHOPS[MERCHANTS[place].shop].account;
        let world = self.stage.world();
        let world = world.lock().unwrap_or_else(PoisonError::into_inner);
        let is_its = |document: &&Document| {
            merchant_by_client(account, document.client_id) == Some(place)
                && order_of(document.text("po_number")) == Some(order)
        };
        world.account(account)?.documents(DocumentKind::Invoice).filter(is_its).last().map(|document| document.id)
    }

    /// The product of a code.
    pub(super) fn product(&self, account: &str, code: &str) -> Option<u64> {
        self.codes.get(account)?.iter().find(|(_, known)| **known == code).map(|(id, _)| *id)
    }

    /// The code of a product of an account.
    pub(super) fn code(&self, account: &str, product: u64) -> anyhow::Result<&'static str> {
        let codes = self.codes.get(account).with_context(|| format!("there is no account {account}"))?;
        codes.get(&product).copied().with_context(|| format!("{account} has no product {product}"))
    }
}

/// The order that a document's reference names.
pub(super) fn order_of(reference: &str) -> Option<u64> {
    reference.split('-').nth(1)?.parse().ok()
}

/// The merchant that a document of an account is about: no two of one account have the same client.
pub(super) fn merchant_by_client(account: &str, client: u64) -> Option<usize> {
    MERCHANTS.iter().position(|row| SHOPS[row.shop].account == account && row.client == client)
}

/// The merchants of a shop, by their place in [`MERCHANTS`].
pub(super) fn merchants_of(shop: usize) -> impl Iterator<Item = usize> {
    (0..MERCHANTS.len()).filter(move |place| MERCHANTS[*place].shop == shop)
}

fn open_account(row: &ShopRow, now: Timestamp) -> Result<(Account, Codes), String> {
    let mut account = Account::new(AccountSetup {
        name: row.account.to_owned(),
        currency: row.currency.to_owned(),
        decimals: row.digits,
        ..AccountSetup::default()
    })?;
    let people = ["Online shop", "متجر النت"];
    for name in people {
        account.add_client(Client { business_name: name.to_owned(), ..Client::default() });
    }
    for id in STORES {
        account.add_store(Store { id, name: format!("Warehouse {id}"), primary: id == 1, ..Store::default() });
    }
    for (id, name) in (1..).zip(TREASURIES) {
        account.add_treasury(Treasury { id, name: name.to_owned() });
    }
    for (slug, treasury) in METHODS {
        let (slug, label) = (slug.to_owned(), slug.to_owned());
        account.add_method(PaymentMethod { slug, label, treasury_id: Some(treasury), ..PaymentMethod::default() });
    }
    let mut add_tax = |name: &str, percent: i64| {
        let (name, value) = (name.to_owned(), Decimal::from(percent));
        account.add_tax(Tax { name, value, included: row.taxes_included, ..Tax::default() })
    };
    let tax = row.tax.map(|percent| add_tax("VAT", percent));
    row.tax.map(|percent| add_tax("VAT and tourism", percent + TOURISM));
    let mut codes = Codes::new();
    for (_, code, barcode) in CATALOGUE.into_iter().chain(MORE).filter(|(of, ..)| *of == row.account) {
        let product = account.add_product(Product {
            name: format!("Thing {code}"),
            product_code: code.to_owned(),
            barcode: barcode.to_owned(),
            tax1: tax,
            kind: if code == BUNDLE { 3 } else { 1 },
            ..Product::default()
        });
        for store in STORES {
            account.add_stock(product, store, Decimal::from(OPENING), now);
        }
        codes.insert(product, code);
    }
    Ok((account, codes))
}

fn open_shop(place: usize, seed: u64, is_late: bool, secret: &str) -> Front {
    let row = &SHOPS[place];
    let mut setup = ShopSetup::new(row.domain, secret, row.currency);
    let rate = row.tax.map(|percent| Decimal::new(if is_late { percent + 3 } else { percent }, 2));
    setup.taxes = rate.map(|rate| ShopTax { title: "VAT".to_owned(), rate }).into_iter().collect();
    setup.taxes_included = row.taxes_included;
    setup.presentment = row.abroad.map(|(currency, rate)| Presentment { currency: currency.to_owned(), rate });
    // Each shop counts its own ids, and the seed of the town shifts them all.
    let half = u64::try_from(place * 2).expect("four shops") + u64::from(is_late);
    setup.seed = seed.wrapping_mul(8).wrapping_add(half);
    setup.first_order_number = if is_late { 900_001 } else { 1001 };
    setup.topics.remove(&Topic::OrdersFulfilled);
    let mut shop = Shop::new(setup);
    let on_sale = |ware: &Ware| OnSale {
        sku: ware.sku.to_owned(),
        price: Decimal::new(ware.price, row.digits),
        vendor: ware.vendor.to_owned(),
        title: format!("Thing {}", ware.sku),
        variant_title: None,
        taxable: ware.taxable,
    };
    let tourism = ShopTax { title: "Tourism".to_owned(), rate: Decimal::new(TOURISM, 2) };
    let wares = WARES.iter().enumerate().filter(|(_, ware)| ware.shop == place);
    let variants = wares.map(|(at, ware)| {
        let mut taxes = shop.setup().taxes.clone();
        taxes.extend(ware.two_taxes.then(|| tourism.clone()));
        (at, shop.sell_with_taxes(on_sale(ware), taxes))
    });
    let variants = variants.collect();
    Front { shop, variants }
}

fn merchant_file(merchant: &MerchantRow, stage: &Stage) -> String {
    let (slug, shop) = (merchant.slug, &SHOPS[merchant.shop]);
    let sign = Sign {
        slug,
        name: slug,
        zone: merchant.zone,
        domain: shop.domain,
        account: shop.account,
        store: merchant.store,
        client: merchant.client,
    };
    let locked = if merchant.makes_anew { "new_invoice" } else { "hold" };
    let orders = format!("ignored_tags = [\"{ELSEWHERE}\"]\nlocked = \"{locked}\"\n{}", merchant.orders);
    let mut text = stage.merchant_file(&sign, merchant.lines, &orders);
    if let Some(percent) = shop.tax {
        let (rate, included) = (Decimal::new(percent, 2), shop.taxes_included);
        text += &format!("[[tax]]\ntitle = \"VAT\"\nrate = \"{rate}\"\nincluded = {included}\ndaftra_id = 1\n");
        let both = Decimal::new(percent + TOURISM, 2);
        text +=
            &format!("[[tax]]\ntitle = \"VAT + Tourism\"\nrate = \"{both}\"\nincluded = {included}\ndaftra_id = 2\n");
    }
    if merchant.records() {
        text += &format!("[payments]\nrecord = true\nrefunds = {}\n", merchant.pays_back);
    }
    for Till { gateway, method, named, .. } in merchant.till {
        text += &format!("[[payments.gateway]]\nshopify = \"{gateway}\"\nmethod = \"{method}\"\n");
        text += &named.map_or_else(String::new, |id| format!("treasury_id = {id}\n"));
    }
    text
}

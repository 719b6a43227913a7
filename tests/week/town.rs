//! Two shops with three merchants, and what happens to each of their orders, as one seed has it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use qantara::sandbox::shop::cart::{
    CancelHow, Cart, Edit, Item, OrderId, Payment, Product, Refund as Return, Restock, VariantId,
};
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::courier::{Courier, Habits};
use qantara::sandbox::shop::delivery::Delivery;
use qantara::sandbox::shop::{Refusal, Shop};
use rust_decimal::Decimal;

use crate::common::stage::shop;

/// What no account has: whoever buys it gives a person something to do.
pub(crate) const UNKNOWN_SKU: &str = "LAMP-9";
const WADI: &str = "Wadi Home";
const NAJD: &str = "عطور نجد";
/// Two orders in so many have it, one in each shop.
const UNKNOWN_EVERY: usize = 40;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A merchant of the week.
pub(crate) struct Merchant {
    pub(crate) slug: &'static str,
    /// Which of the shops.
    pub(crate) place: usize,
    pub(crate) account: &'static str,
    /// `None`: every line of the shop.
    pub(crate) vendor: Option<&'static str>,
    /// How it is connected: by an app's credentials, or by a token.
    pub(crate) client_id: Option<&'static str>,
    pub(crate) courier: Courier,
    /// Orders of which something never came, and nothing will.
    pub(crate) missed: BTreeSet<OrderId>,
    /// Orders of which something came.
    pub(crate) heard: BTreeSet<OrderId>,
}

/// A shop beside its books: what the test did there.
pub(crate) struct Place {
    pub(crate) domain: &'static str,
    /// Signs the webhooks.
    pub(crate) secret: &'static str,
    shelf: Vec<VariantId>,
    lamp: VariantId,
    pub(crate) orders: BTreeMap<OrderId, Placed>,
}

/// What the shop's book of what is left does not tell of an order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    /// Its account lacks a product.
    pub(crate) is_unmappable: bool,
    pub(crate) is_cancelled: bool,
    /// Units by SKU whose money went back, but not they.
    pub(crate) kept: BTreeMap<String, Decimal>,
}

/// One thing that happens to an order. What the shop refuses did not happen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Buy(Payment),
    Pay,
    Ship,
    AddUnits,
    AddLine,
    TakeUnitOff,
    SendUnitBack,
    KeepUnit,
    Cancel,
    Tag,
}

/// What happens to one order from the checkout on, each so long after the one before.
pub(crate) type History = Vec<(SignedDuration, Deed)>;

/// Whether the order of this number has what no account has.
pub(crate) fn has_lamp(number: usize) -> bool {
    [10, 11].contains(&(number % UNKNOWN_EVERY))
}

/// A history: half of all orders are bought and shipped; the others are paid late, edited, cancelled or sent back.
pub(crate) fn history(chance: &mut Chance) -> History {
    let paid = Deed::Buy(Payment::Paid);
    let later = [Payment::Pending, Payment::Authorized][usize::from(chance.per_mille(300))];
    let deeds: Vec<Deed> = match chance.below(100) {
        0..48 => vec![paid, Deed::Ship],
        48..58 => vec![Deed::Buy(later), Deed::Pay, Deed::Ship],
        58..64 => vec![paid, Deed::AddUnits, Deed::Pay, Deed::Ship],
        64..69 => vec![paid, Deed::AddLine, Deed::Pay, Deed::Ship],
        69..74 => vec![paid, Deed::TakeUnitOff, Deed::Ship],
        74..82 => vec![paid, Deed::Ship, Deed::SendUnitBack],
        82..86 => vec![paid, Deed::Ship, Deed::KeepUnit],
        86..94 => vec![paid, Deed::Cancel],
        94..97 => vec![Deed::Buy(later), Deed::Cancel],
        _ => vec![paid, Deed::Tag, Deed::Ship],
    };
    let mut gap = || MINUTE * i32::try_from(1 + chance.below(5 * 60)).unwrap();
    deeds.into_iter().map(|deed| (gap(), deed)).collect()
}

impl Merchant {
    /// Whether it has to do with an order: one of its lines was there at some time.
    pub(crate) fn sells(&self, vendor: &str) -> bool {
        self.vendor.is_none_or(|own| own == vendor)
    }
}

/// Two merchants in one shop, and one with a shop of its own who keeps its books where one of the others does.
pub(crate) fn cast(chance: &mut Chance, habits: Habits) -> Vec<Merchant> {
    [
        ("wadi", 0, "one", Some(WADI), None),
        ("najd", 0, "two", Some(NAJD), None),
        ("bahr", 1, "one", None, Some("client-1")),
    ]
    .into_iter()
    .map(|(slug, place, account, vendor, client_id)| Merchant {
        slug,
        place,
        account,
        vendor,
        client_id,
        courier: Courier::new(chance.bits(), habits),
        missed: BTreeSet::new(),
        heard: BTreeSet::new(),
    })
    .collect()
}

/// The shops, and what the test keeps beside them.
pub(crate) fn places(chance: &mut Chance) -> Vec<(Shop, Place)> {
    [("souk.myshopify.com", "hush-souk"), ("bahr.myshopify.com", "hush-bahr")]
        .into_iter()
        .map(|(domain, secret)| {
            let (mut shop, shelf) = shop(domain, secret, chance.bits());
            let lamp = shop.sell(Product { sku: UNKNOWN_SKU.into(), ..Product::samples(2).remove(2) });
            (shop, Place { domain, secret, shelf, lamp, orders: BTreeMap::new() })
        })
        .collect()
}

impl Place {
    /// Somebody buys up to three things.
    pub(crate) fn buy(
        &mut self,
        shop: &mut Shop,
        payment: Payment,
        number: usize,
        chance: &mut Chance,
        now: Timestamp,
    ) -> (OrderId, Vec<Delivery>) {
        let mut wanted = BTreeMap::new();
        for _ in 0..=chance.below(3) {
            wanted.insert(self.any(chance), u32::try_from(1 + chance.below(4)).unwrap());
        }
        let is_unmappable = has_lamp(number);
        if is_unmappable {
            wanted.insert(self.lamp, 1);
        }
        let cart = Cart { payment, ..Cart::of(&wanted.into_iter().collect::<Vec<_>>()) };
        let (order, news) = shop.buy(&cart, now).unwrap();
        self.orders.insert(order, Placed { is_unmappable, ..Placed::default() });
        (order, news)
    }

    /// Something happens to an order that was bought.
    pub(crate) fn change(
        &mut self,
        shop: &mut Shop,
        order: OrderId,
        deed: Deed,
        chance: &mut Chance,
        now: Timestamp,
    ) -> Result<Vec<Delivery>, Refusal> {
        let item = Item::Variant(self.any(chance));
        let placed = self.orders.get_mut(&order).unwrap();
        let left = shop.what_is_left(order).unwrap();
        let at = usize::try_from(chance.below(u64::try_from(left.len()).unwrap())).unwrap();
        let Some(line) = left.get(at).cloned() else { return Err(Refusal::Nothing) };
        let units = |to| [Edit::SetQuantity { line: line.line_id, to, restock: true }];
        match deed {
            Deed::Buy(_) => Err(Refusal::Nothing),
            Deed::Pay => shop.pay(order, now),
            Deed::Ship => shop.fulfil(order, now),
            Deed::Tag => shop.tag(order, "seen", now),
            Deed::AddLine => shop.edit(order, &[Edit::AddLine { item, quantity: 1 }], now),
            Deed::AddUnits => shop.edit(order, &units(line.units + 2), now),
            Deed::TakeUnitOff => shop.edit(order, &units(line.units - 1), now),
            Deed::SendUnitBack => shop.refund(order, &Return::of(&[(line.line_id, 1, Restock::Return)]), now),
            Deed::KeepUnit => {
                let news = shop.refund(order, &Return::of(&[(line.line_id, 1, Restock::NoRestock)]), now)?;
                *placed.kept.entry(line.sku).or_default() += Decimal::ONE;
                Ok(news)
            }
            Deed::Cancel => {
                let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
                let news = shop.cancel(order, &how, now)?;
                placed.is_cancelled = true;
                Ok(news)
            }
        }
    }

    fn any(&self, chance: &mut Chance) -> VariantId {
        let at = chance.below(u64::try_from(self.shelf.len()).unwrap());
        self.shelf[usize::try_from(at).unwrap()]
    }
}

/// The product that a SKU leads to in either account.
pub(crate) fn product_of(sku: &str) -> u64 {
    match sku {
        "WH-1001-RED-XL" | "WH-1001-BLU-M" => 101,
        "WH-2040" => 102,
        "WH-3300" => 103,
        "6281000000014" => 104,
        "NJ-OUD-100" => 105,
        "NJ-BKH-1" => 106,
        "NJ-BOOK" => 107,
        other => panic!("{other} is on no shelf"),
    }
}

/// The vendor of a SKU.
pub(crate) fn vendor_of(sku: &str) -> &'static str {
    if sku.starts_with("NJ-") || sku.starts_with("628") { NAJD } else { WADI }
}

//! What is bought in a generated town: the deck of lots, carts with all their discounts, and the chance behind everything.
//!
//! Of every hundred orders 93 are *plain*, five *must be held* for a stated cause, two are to be *left alone*.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::history::What;
use super::town::{
    AT_THE_DOOR, CARD, CREEK, Front, KISSATEN, LATER, MERCHANTS, PEARLS, SHOPS, SOUQ, UNNAMED, WADI_AT, merchants_of,
};
use super::wares::{Leads, NAJD, WARES};
use crate::sandbox::shop::cart::{Buyer, Cart, Discount, Item, Origin, Payment, Shipping, Target, Value as Off};
use crate::sandbox::shop::chance::Chance;

/// What an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lot {
    Plain,
    MustHold(Cause),
    LeaveAlone(Why),
}

/// Why a person must decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    UnknownProduct,
    AmbiguousProduct,
    UnknownTax,
    CustomLine,
    Tip,
    GiftCard,
    CancelledButPaid,
    MoneyKeptBack,
    UnmappedGateway,
    Duty,
    /// Until the goods come in.
    NotEnoughStock,
    /// The invoice cannot be changed any more, and the order was.
    Locked,
}

const CAUSES: [Cause; 12] = [
    Cause::UnknownProduct,
    Cause::CancelledButPaid,
    Cause::Tip,
    Cause::AmbiguousProduct,
    Cause::MoneyKeptBack,
    Cause::CustomLine,
    Cause::UnknownTax,
    Cause::GiftCard,
    Cause::UnmappedGateway,
    Cause::NotEnoughStock,
    Cause::Locked,
    Cause::Duty,
];

/// Why nothing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Test,
    AtTheCounter,
    Tagged,
    SomebodyElses,
    NeverPaid,
    CancelledUnpaid,
}

const WHYS: [Why; 6] =
    [Why::Test, Why::AtTheCounter, Why::SomebodyElses, Why::NeverPaid, Why::CancelledUnpaid, Why::Tagged];

/// Units that no warehouse has.
pub(super) const MORE_THAN_THERE_IS: u32 = 2_000_000;

/// The hand that draws what happens.
pub(super) struct Hand {
    pub(super) chance: Chance,
    deck: Vec<Lot>,
    causes: usize,
    whys: usize,
}

impl Hand {
    pub(super) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), deck: Vec::new(), causes: 0, whys: 0 }
    }

    pub(super) fn lot(&mut self) -> Lot {
        if self.deck.is_empty() {
            self.deck = vec![Lot::Plain; 93];
            for _ in 0..5 {
                self.deck.push(Lot::MustHold(CAUSES[self.causes % CAUSES.len()]));
                self.causes += 1;
            }
            for _ in 0..2 {
                self.deck.push(Lot::LeaveAlone(WHYS[self.whys % WHYS.len()]));
                self.whys += 1;
            }
            let mut deck = std::mem::take(&mut self.deck);
            self.shuffle(&mut deck);
            self.deck = deck;
        }
        self.deck.pop().unwrap_or(Lot::Plain)
    }

    /// A shop where it can happen.
    pub(super) fn shop_for(&mut self, lot: Lot) -> usize {
        let shops: &[usize] = match lot {
            Lot::Plain => &[SOUQ, SOUQ, PEARLS, CREEK, KISSATEN],
            Lot::MustHold(Cause::Locked) => &[SOUQ],
            Lot::MustHold(Cause::CustomLine | Cause::Tip | Cause::UnknownTax | Cause::Duty)
            | Lot::LeaveAlone(Why::SomebodyElses) => &[SOUQ, CREEK, KISSATEN],
            Lot::MustHold(Cause::UnmappedGateway) => &[SOUQ, PEARLS, CREEK],
            Lot::MustHold(_) | Lot::LeaveAlone(Why::Test | Why::AtTheCounter | Why::Tagged) => {
                &[SOUQ, PEARLS, CREEK, KISSATEN]
            }
            Lot::LeaveAlone(Why::NeverPaid | Why::CancelledUnpaid) => &[PEARLS],
        };
        shops[self.below(shops.len())]
    }

    /// A cart, and what each of its lines is.
    pub(super) fn cart(&mut self, shop: usize, lot: Lot, front: &Front, now: Timestamp) -> (Cart, Vec<What>) {
        let wares = self.wares(shop, lot);
        let mut whats: Vec<(What, u32)> = wares.into_iter().map(|ware| (What::Ware(ware), self.units())).collect();
        let mut cart = Cart::of(&[]);
        let is_najds = whats.iter().all(|(what, _)| matches!(what, What::Ware(at) if WARES[*at].vendor == NAJD));
        let is_bahr = shop == PEARLS && lot == Lot::Plain;
        match lot {
            Lot::MustHold(Cause::CustomLine) => whats.push((What::Custom, 2)),
            Lot::MustHold(Cause::GiftCard) => whats.push((What::GiftCard, 1)),
            Lot::MustHold(Cause::NotEnoughStock) => whats[0].1 = MORE_THAN_THERE_IS,
            Lot::Plain if is_bahr && self.chance.per_mille(60) => whats.push((What::Custom, self.units())),
            Lot::Plain | Lot::MustHold(_) | Lot::LeaveAlone(_) => {}
        }
        let digits = SHOPS[shop].digits;
        for (what, units) in &whats {
            let item = match what {
                What::Ware(ware) => Item::Variant(front.variants[ware]),
                What::Custom => {
                    Item::Custom { title: "خياطة".to_owned(), price: Decimal::new(3_007, digits), taxable: true }
                }
                What::GiftCard | What::Tip => Item::GiftCard { price: Decimal::new(10_000, digits) },
            };
            cart.lines.push((item, *units));
        }
        let mut whats: Vec<What> = whats.into_iter().map(|(what, _)| what).collect();
        if lot == Lot::MustHold(Cause::Tip) || (is_bahr && self.chance.per_mille(60)) {
            cart.tip = Some(Decimal::new(500, digits));
            whats.push(What::Tip);
        }
        cart.shipping = match self.below(10) {
            0..3 => Shipping::None,
            3 => Shipping::Free,
            _ => Shipping::Priced(Decimal::new(900 + 125 * self.number(9), digits)),
        };
        if lot == Lot::Plain {
            self.discount(&mut cart, digits);
        }
        if lot == Lot::MustHold(Cause::Duty) || is_bahr && self.chance.per_mille(40) {
            cart.duties = Decimal::new(2_345, digits);
        }
        // Small coins are counted where nobody counts the money.
        if is_najds && lot == Lot::Plain && self.chance.per_mille(40) {
            cart.cash_rounding = Decimal::new(self.number(5) - 2, digits);
        }
        if self.chance.per_mille(100) {
            cart.processed_at = Some(self.around_midnight(shop, now));
        }
        if lot == Lot::LeaveAlone(Why::Tagged) {
            cart.tags = vec!["VIP".to_owned(), "Wholesale".to_owned()];
        }
        cart.test = lot == Lot::LeaveAlone(Why::Test);
        if lot == Lot::LeaveAlone(Why::AtTheCounter) {
            "pos".clone_into(&mut cart.source);
            cart.buyer = None;
        } else if self.chance.per_mille(100) {
            cart.buyer = Some(Buyer { email: None, phone: None, ..Buyer::sample() });
        }
        cart.payment = match (lot, self.below(20)) {
            (Lot::LeaveAlone(Why::NeverPaid | Why::CancelledUnpaid), _) => Payment::Pending,
            (Lot::Plain, 0..4) => Payment::Pending,
            (Lot::Plain, 4) => Payment::Authorized,
            (Lot::Plain, 5) if self.chance.per_mille(400) => {
                Payment::Part(Decimal::new(1_000 + self.number(9_000), digits))
            }
            (Lot::Plain | Lot::MustHold(_) | Lot::LeaveAlone(_), _) => Payment::Paid,
        };
        let is_left_to_the_courier = shop != PEARLS && cart.payment == Payment::Pending && self.chance.per_mille(500);
        cart.gateway = match lot {
            Lot::MustHold(Cause::UnmappedGateway) => UNNAMED,
            _ if is_left_to_the_courier => AT_THE_DOOR,
            _ if self.chance.per_mille(200) => LATER,
            Lot::Plain | Lot::MustHold(_) | Lot::LeaveAlone(_) => CARD,
        }
        .to_owned();
        (cart, whats)
    }

    /// A second before the last midnight where the merchant is, or after it, or on the stroke.
    fn around_midnight(&mut self, shop: usize, now: Timestamp) -> Timestamp {
        let place = merchants_of(shop).next().expect("every shop has a merchant");
        let since = MERCHANTS[place].clock(now).time().duration_since(jiff::civil::Time::midnight());
        now - since + SignedDuration::from_secs(self.number(3) - 1)
    }

    /// Which wares: of one merchant, of both merchants of the souq, with a stranger's thing among them.
    fn wares(&mut self, shop: usize, lot: Lot) -> Vec<usize> {
        let leads = |wanted: fn(Leads) -> bool| -> Vec<usize> {
            (0..WARES.len()).filter(|at| WARES[*at].shop == shop && wanted(WARES[*at].leads)).collect()
        };
        if lot == Lot::LeaveAlone(Why::SomebodyElses) {
            return leads(|leads| leads == Leads::Elsewhere);
        }
        let special = match lot {
            Lot::MustHold(Cause::UnknownProduct) => leads(|leads| leads == Leads::Nowhere),
            Lot::MustHold(Cause::AmbiguousProduct) => leads(|leads| leads == Leads::TwoWays),
            Lot::Plain if shop != PEARLS && self.chance.per_mille(100) => leads(|leads| leads == Leads::Elsewhere),
            Lot::Plain | Lot::MustHold(_) | Lot::LeaveAlone(_) => Vec::new(),
        };
        let mut good = leads(|leads| matches!(leads, Leads::To(_)));
        // The souq's merchants share an order now and then, but not one that is about a hold of one of them.
        let is_shared = lot == Lot::Plain && self.chance.per_mille(250);
        if !is_shared {
            let all: Vec<usize> = merchants_of(shop).collect();
            let concerned = all.iter().find(|at| special.iter().any(|ware| MERCHANTS[**at].owns(WARES[*ware].vendor)));
            let owner = concerned.copied().unwrap_or_else(|| all[self.below(all.len())]);
            // Whoever makes a new invoice holds nothing for it.
            let owner = &MERCHANTS[if lot == Lot::MustHold(Cause::Locked) { WADI_AT } else { owner }];
            good.retain(|at| owner.owns(WARES[*at].vendor));
        }
        if lot == Lot::MustHold(Cause::UnknownTax) {
            good.retain(|at| WARES[*at].taxable && !WARES[*at].two_taxes);
        }
        let most = if self.chance.per_mille(200) { 6 } else { 3 };
        let count = 1 + self.below(most);
        let mut wares: Vec<usize> = (0..count).map(|_| good[self.below(good.len())]).collect();
        wares.extend(special);
        self.shuffle(&mut wares);
        wares
    }

    fn discount(&mut self, cart: &mut Cart, digits: u32) {
        let percent = [Decimal::from(10), Decimal::from(15), Decimal::new(333, 1)][self.below(3)];
        let fixed = Decimal::new(100 + 77 * self.number(9), digits);
        let value = if self.chance.per_mille(600) { Off::Percent(percent) } else { Off::Fixed(fixed) };
        let line = Target::Line(self.below(cart.lines.len()));
        let code = || Origin::Code("WELCOME".to_owned());
        let automatic = || Origin::Automatic("خصم".to_owned());
        let one = |origin, target, value| vec![Discount { origin, target, value }];
        cart.discounts = match self.below(20) {
            0..3 => one(code(), Target::Order, value),
            3 => one(automatic(), Target::Order, value),
            4 | 5 => one(Origin::Manual("Friend".to_owned()), line, value),
            6 => one(code(), Target::Shipping, value),
            9 => one(code(), Target::Shipping, Off::Percent(Decimal::ONE_HUNDRED)),
            7 => {
                let second = Discount { origin: code(), target: Target::Order, value: Off::Fixed(fixed) };
                one(automatic(), line, Off::Percent(percent)).into_iter().chain([second]).collect()
            }
            8 if self.chance.per_mille(400) => one(code(), Target::Order, Off::Percent(Decimal::ONE_HUNDRED)),
            _ => Vec::new(),
        };
    }

    pub(super) fn units(&mut self) -> u32 {
        let most = if self.chance.per_mille(50) { 12 } else { 4 };
        u32::try_from(1 + self.below(most)).expect("a dozen fits")
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).expect("a count fits");
        usize::try_from(self.chance.below(limit)).expect("it is below a count")
    }

    pub(super) fn number(&mut self, limit: u64) -> i64 {
        i64::try_from(self.chance.below(limit)).expect("limits are small")
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

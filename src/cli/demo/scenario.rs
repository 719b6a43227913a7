//! The scenario of `demo --once`, written by hand: what happens in the shops, and what Daftra must hold in the end.
//!
//! Nothing here is computed. Prices are on the shelf of the fake shop (SAR with 15 % VAT inside, KWD without tax), sums
//! were added up by a person, and the demo compares them with what it reads from the fake Daftra over HTTP.

/// Which shop an order comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// SAR, shared by the merchants wadi (vendor Wadi Home) and najd (vendor عطور نجد).
    Souq,
    /// KWD, of the merchant bahr alone.
    Kuwait,
}

/// What is in the cart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Put {
    /// SKU and units.
    Goods(&'static str, u32),
    /// Typed in at the counter.
    Custom(&'static str, &'static str),
    GiftCard(&'static str),
}

/// How the order was placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) unpaid: bool,
    pub(super) test: bool,
    pub(super) at_the_counter: bool,
    /// Price of the shipping line; empty: none.
    pub(super) shipping: &'static str,
    /// Taken off the whole order by a code; empty: nothing.
    pub(super) discount: &'static str,
}

/// What happens afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    Tag,
    Pay,
    Units(&'static str, u32),
    Add(&'static str, u32),
    GiveBack(&'static str, u32),
    Cancel,
}

/// How the deliveries travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// Each step when the one before has settled.
    InOrder,
    /// The same, each delivery three times.
    Thrice,
    /// Everything at once, the last first.
    Backwards,
}

/// What Daftra does with the order's first create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    Good,
    LosesTheAnswer,
    LosesTheRequest,
    SavesAndSays500,
    Throttles,
}

/// What a merchant's books must say in the end.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// Total of the one invoice, sum of the receipts, and the units that are left, per product code.
    Booked { invoice: &'static str, receipts: &'static str, left: &'static [(&'static str, u32)] },
    /// Nothing; it waits for a person.
    Held,
    /// Nothing, with a reason.
    Ignored,
}

/// One order.
pub(super) struct Story {
    pub(super) about: &'static str,
    pub(super) from: From,
    pub(super) cart: &'static [Put],
    pub(super) placed: Placed,
    pub(super) then: &'static [Then],
    pub(super) sent: Sent,
    pub(super) day: Day,
    pub(super) ends: &'static [(&'static str, End)],
    /// The serving process is killed while this order is on its way.
    pub(super) kill: bool,
}

const WADI: &str = "wadi";
const NAJD: &str = "najd";
const BAHR: &str = "bahr";

const PAID: Placed = Placed { unpaid: false, test: false, at_the_counter: false, shipping: "", discount: "" };
const UNPAID: Placed = Placed { unpaid: true, ..PAID };

const fn booked(invoice: &'static str, left: &'static [(&'static str, u32)]) -> End {
    End::Booked { invoice, receipts: "0", left }
}

const PLAIN: Story = Story {
    about: "",
    from: From::Souq,
    cart: &[],
    placed: PAID,
    then: &[],
    sent: Sent::InOrder,
    day: Day::Good,
    ends: &[],
    kill: false,
};

use Put::{Custom, GiftCard, Goods};
use Then::{Add, Cancel, GiveBack, Pay, Tag, Units};

/// All orders, in the order in which they are placed.
pub(super) const STORIES: &[Story] = &[
    Story {
        about: "one line, the whole SKU is the product code",
        cart: &[Goods("WH-2040", 1)],
        ends: &[(WADI, booked("349.00", &[("WH-2040", 1)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "the SKU's prefix is the product code",
        cart: &[Goods("WH-1001-RED-XL", 2), Goods("WH-1001-BLU-M", 1)],
        ends: &[(WADI, booked("359.40", &[("WH-1001", 3)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "the SKU is a barcode",
        cart: &[Goods("6281000000014", 2)],
        ends: &[(NAJD, booked("374.00", &[("OUD-50", 2)])), (WADI, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "two merchants share one order",
        cart: &[Goods("WH-3300", 4), Goods("NJ-BKH-1", 3)],
        ends: &[(WADI, booked("63.00", &[("WH-3300", 4)])), (NAJD, booked("129.99", &[("NJ-BKH-1", 3)]))],
        ..PLAIN
    },
    Story {
        about: "an untaxed book beside taxed oud",
        cart: &[Goods("NJ-BOOK", 1), Goods("NJ-OUD-100", 1)],
        ends: &[(NAJD, booked("480.50", &[("NJ-BOOK", 1), ("NJ-OUD-100", 1)])), (WADI, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "shipping goes onto the invoice of the only merchant",
        cart: &[Goods("WH-2040", 1)],
        placed: Placed { shipping: "25.00", ..PAID },
        ends: &[(WADI, booked("374.00", &[("WH-2040", 1)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "shipping of a shared order goes onto nobody's",
        cart: &[Goods("WH-2040", 1), Goods("NJ-OUD-100", 1)],
        placed: Placed { shipping: "25.00", ..PAID },
        ends: &[(WADI, booked("349.00", &[("WH-2040", 1)])), (NAJD, booked("420.50", &[("NJ-OUD-100", 1)]))],
        ..PLAIN
    },
    Story {
        about: "10.00 off three cushions: no unit price divides it",
        cart: &[Goods("WH-1001-RED-XL", 3)],
        placed: Placed { discount: "10.00", ..PAID },
        ends: &[(WADI, booked("379.85", &[("WH-1001", 3)])), (NAJD, End::Ignored)],
        kill: true,
        ..PLAIN
    },
    Story {
        about: "Daftra loses the answer after saving",
        cart: &[Goods("WH-3300", 10)],
        day: Day::LosesTheAnswer,
        ends: &[(WADI, booked("157.50", &[("WH-3300", 10)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "Daftra loses the request",
        cart: &[Goods("WH-3300", 11)],
        day: Day::LosesTheRequest,
        ends: &[(WADI, booked("173.25", &[("WH-3300", 11)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "Daftra saves and says 500",
        cart: &[Goods("NJ-OUD-100", 2)],
        day: Day::SavesAndSays500,
        ends: &[(NAJD, booked("841.00", &[("NJ-OUD-100", 2)])), (WADI, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "Daftra asks for patience",
        cart: &[Goods("NJ-BKH-1", 1)],
        day: Day::Throttles,
        ends: &[(NAJD, booked("43.33", &[("NJ-BKH-1", 1)])), (WADI, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "every delivery comes three times",
        cart: &[Goods("WH-2040", 2)],
        sent: Sent::Thrice,
        ends: &[(WADI, booked("698.00", &[("WH-2040", 2)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "a tag is no reason to write",
        cart: &[Goods("WH-2040", 1)],
        then: &[Tag],
        ends: &[(WADI, booked("349.00", &[("WH-2040", 1)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "paid later",
        cart: &[Goods("NJ-OUD-100", 1)],
        placed: UNPAID,
        then: &[Pay],
        ends: &[(NAJD, booked("420.50", &[("NJ-OUD-100", 1)])), (WADI, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "an edit takes a unit off: the invoice is replaced",
        cart: &[Goods("WH-2040", 3)],
        placed: UNPAID,
        then: &[Units("WH-2040", 2)],
        ends: &[(WADI, booked("698.00", &[("WH-2040", 2)])), (NAJD, End::Ignored)],
        kill: true,
        ..PLAIN
    },
    Story {
        about: "an edit adds a line",
        cart: &[Goods("WH-2040", 1)],
        placed: UNPAID,
        then: &[Add("WH-3300", 2)],
        ends: &[(WADI, booked("380.50", &[("WH-2040", 1), ("WH-3300", 2)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "an edit adds the other merchant's goods: a second invoice",
        cart: &[Goods("WH-2040", 1)],
        placed: UNPAID,
        then: &[Add("NJ-OUD-100", 1)],
        ends: &[(WADI, booked("349.00", &[("WH-2040", 1)])), (NAJD, booked("420.50", &[("NJ-OUD-100", 1)]))],
        ..PLAIN
    },
    Story {
        about: "edited twice, with every delivery three times",
        cart: &[Goods("WH-1001-BLU-M", 4)],
        placed: UNPAID,
        then: &[Units("WH-1001-BLU-M", 3), Units("WH-1001-BLU-M", 1)],
        sent: Sent::Thrice,
        ends: &[(WADI, booked("99.50", &[("WH-1001", 1)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "one of two came back: a receipt",
        cart: &[Goods("NJ-OUD-100", 2)],
        then: &[GiveBack("NJ-OUD-100", 1)],
        ends: &[
            (NAJD, End::Booked { invoice: "841.00", receipts: "420.50", left: &[("NJ-OUD-100", 1)] }),
            (WADI, End::Ignored),
        ],
        ..PLAIN
    },
    Story {
        about: "both came back, one after the other: two receipts",
        cart: &[Goods("WH-2040", 2)],
        then: &[GiveBack("WH-2040", 1), GiveBack("WH-2040", 1)],
        ends: &[(WADI, End::Booked { invoice: "698.00", receipts: "698.00", left: &[] }), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "one merchant's goods of a shared order came back",
        cart: &[Goods("WH-3300", 2), Goods("NJ-BKH-1", 1)],
        then: &[GiveBack("WH-3300", 1)],
        ends: &[
            (WADI, End::Booked { invoice: "31.50", receipts: "15.75", left: &[("WH-3300", 1)] }),
            (NAJD, booked("43.33", &[("NJ-BKH-1", 1)])),
        ],
        ..PLAIN
    },
    Story {
        about: "paid, then cancelled with a refund: all goes back",
        cart: &[Goods("WH-2040", 1), Goods("WH-3300", 1)],
        then: &[Cancel],
        ends: &[(WADI, End::Booked { invoice: "364.75", receipts: "364.75", left: &[] }), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "never paid, then cancelled",
        cart: &[Goods("NJ-BKH-1", 2)],
        placed: UNPAID,
        then: &[Cancel],
        ends: &[(NAJD, End::Booked { invoice: "86.66", receipts: "86.66", left: &[] }), (WADI, End::Ignored)],
        kill: true,
        ..PLAIN
    },
    Story {
        about: "the cancellation comes before the order: nothing is booked",
        cart: &[Goods("WH-2040", 1)],
        then: &[Cancel],
        sent: Sent::Backwards,
        ends: &[(WADI, End::Ignored), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "edits and payment in reverse order",
        cart: &[Goods("WH-1001-RED-XL", 2)],
        placed: UNPAID,
        then: &[Units("WH-1001-RED-XL", 1), Pay],
        sent: Sent::Backwards,
        ends: &[(WADI, booked("129.95", &[("WH-1001", 1)])), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "a product Daftra does not have",
        cart: &[Goods("ZZ-404", 1), Goods("WH-2040", 1)],
        ends: &[(WADI, End::Held), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "a gift card is no goods",
        cart: &[Goods("WH-2040", 1), GiftCard("100.00")],
        ends: &[(WADI, End::Held), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "something typed in at the counter",
        cart: &[Goods("NJ-BKH-1", 1), Custom("Gift wrapping", "15.00")],
        ends: &[(NAJD, End::Held), (WADI, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "a vendor that belongs to nobody",
        cart: &[Goods("SL-1", 1)],
        ends: &[(WADI, End::Ignored), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "a test order",
        cart: &[Goods("WH-2040", 1)],
        placed: Placed { test: true, ..PAID },
        ends: &[(WADI, End::Ignored), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "a sale at the till, which the merchant books itself",
        cart: &[Goods("WH-2040", 1)],
        placed: Placed { at_the_counter: true, ..PAID },
        ends: &[(WADI, End::Ignored), (NAJD, End::Ignored)],
        ..PLAIN
    },
    Story {
        about: "dinars have three digits",
        from: From::Kuwait,
        cart: &[Goods("WH-3300", 7)],
        ends: &[(BAHR, booked("11.060", &[("WH-3300", 7)]))],
        ..PLAIN
    },
    Story {
        about: "dinars, discounted and partly sent back",
        from: From::Kuwait,
        cart: &[Goods("WH-1001-BLU-M", 3), Goods("NJ-BOOK", 1)],
        placed: Placed { shipping: "2.500", ..PAID },
        then: &[GiveBack("WH-1001-BLU-M", 1)],
        ends: &[(BAHR, End::Booked { invoice: "38.370", receipts: "9.955", left: &[("WH-1001", 2), ("NJ-BOOK", 1)] })],
        ..PLAIN
    },
    Story {
        about: "dinars, cancelled after payment",
        from: From::Kuwait,
        cart: &[Goods("WH-2040", 1)],
        then: &[Cancel],
        ends: &[(BAHR, End::Booked { invoice: "34.905", receipts: "34.905", left: &[] })],
        ..PLAIN
    },
];

//! What one may ask of the fake shop: carts, edits, refunds, cancellations. Plain data; `order` says what comes of it.

use jiff::Timestamp;
use rust_decimal::Decimal;

/// An order, by Shopify's number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(pub u64);

/// A line of an order; stable over edits and refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId(pub u64);

/// Something on the shop's shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariantId(pub u64);

/// What the shop sells: one variant of one product.
#[derive(Debug, Clone)]
pub struct Product {
    /// May be empty, as in real shops.
    pub sku: String,
    /// Per unit; contains the tax when the shop's prices do.
    pub price: Decimal,
    /// Two merchants in one shop differ by this name only.
    pub vendor: String,
    /// Name of the product.
    pub title: String,
    /// Name of the variant, when the product has several.
    pub variant_title: Option<String>,
    /// False: no tax lines.
    pub taxable: bool,
}

impl Product {
    /// A small shelf of two vendors, with names in Arabic and English and prices that suit the currency's digits.
    pub fn samples(digits: u32) -> Vec<Product> {
        const WADI: &str = "Wadi Home";
        const NAJD: &str = "عطور نجد";
        [
            ("WH-1001-RED-XL", 12_995, WADI, "Linen cushion / \"Wadi\"", Some("Red / XL"), true),
            ("WH-1001-BLU-M", 9_950, WADI, "Linen cushion / \"Wadi\"", Some("Blue / M"), true),
            ("WH-2040", 34_900, WADI, "مصباح طاولة خشبي", None, true),
            ("WH-3300", 1_575, WADI, "Coffee & date tray", None, true),
            ("6281000000014", 18_700, NAJD, "عود & عنبر", Some("٥٠ مل"), true),
            ("NJ-OUD-100", 42_050, NAJD, "دهن عود كمبودي", Some("١٠٠ مل"), true),
            ("NJ-BKH-1", 4_333, NAJD, "بخور معمول <فاخر>", None, true),
            ("NJ-BOOK", 6_000, NAJD, "كتاب العطور", None, false),
        ]
        .into_iter()
        .map(|(sku, price, vendor, title, variant_title, taxable)| Product {
            sku: sku.to_owned(),
            price: match digits {
                0 => Decimal::new(price, 0),
                3 => Decimal::new(price + 5, 3),
                _ => Decimal::new(price, 2),
            },
            vendor: vendor.to_owned(),
            title: title.to_owned(),
            variant_title: variant_title.map(str::to_owned),
            taxable,
        })
        .collect()
    }
}

/// What a line of a cart is.
#[derive(Debug, Clone)]
pub enum Item {
    /// From the shelf.
    Variant(VariantId),
    /// Typed in by a person: no product, no SKU, no vendor.
    Custom {
        /// Free text.
        title: String,
        /// Per unit.
        price: Decimal,
        /// Whether the shop's tax applies.
        taxable: bool,
    },
    /// A gift card sold: a liability, never taxed, never discounted.
    GiftCard {
        /// Its value.
        price: Decimal,
    },
}

/// A checkout.
#[derive(Debug, Clone)]
pub struct Cart {
    /// What and how many.
    pub lines: Vec<(Item, u32)>,
    /// Applied in this order, each on what the ones before left over.
    pub discounts: Vec<Discount>,
    /// The shipping line, if any.
    pub shipping: Shipping,
    /// Becomes a line of its own.
    pub tip: Option<Decimal>,
    /// Import duties, paid at the till and shown in no line.
    pub duties: Decimal,
    /// What is paid beyond the total, or less, because there are no smaller coins. Only of what is paid at the till.
    pub cash_rounding: Decimal,
    /// `None`: a counter sale, or hidden by data protection; customer and addresses are null.
    pub buyer: Option<Buyer>,
    /// As it appears in `payment_gateway_names`.
    pub gateway: String,
    /// What happened at the till.
    pub payment: Payment,
    /// The buyer's note.
    pub note: Option<String>,
    /// Tags from the start.
    pub tags: Vec<String>,
    /// `web`, `pos`, `shopify_draft_order`, …
    pub source: String,
    /// An order through the test gateway.
    pub test: bool,
    /// The business date of an imported order; else the moment of buying.
    pub processed_at: Option<Timestamp>,
}

impl Cart {
    /// A plain paid web order of these things, without shipping, by the sample buyer.
    pub fn of(lines: &[(VariantId, u32)]) -> Cart {
        Cart {
            lines: lines.iter().map(|(variant, quantity)| (Item::Variant(*variant), *quantity)).collect(),
            discounts: Vec::new(),
            shipping: Shipping::None,
            tip: None,
            duties: Decimal::ZERO,
            cash_rounding: Decimal::ZERO,
            buyer: Some(Buyer::sample()),
            gateway: "bogus".to_owned(),
            payment: Payment::Paid,
            note: None,
            tags: Vec::new(),
            source: "web".to_owned(),
            test: false,
            processed_at: None,
        }
    }
}

/// A price reduction.
#[derive(Debug, Clone)]
pub struct Discount {
    /// Who grants it.
    pub origin: Origin,
    /// What it lowers.
    pub target: Target,
    /// By how much.
    pub value: Value,
}

/// Where a discount comes from; the text is its code or title.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Typed by the buyer.
    Code(String),
    /// Granted by a rule of the shop.
    Automatic(String),
    /// Granted by a person.
    Manual(String),
}

/// What a discount lowers.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// One line, by its place in the cart.
    Line(usize),
    /// Spread over all lines but gift cards and tips.
    Order,
    /// The shipping line.
    Shipping,
}

/// How much a discount takes away.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// Per cent of what is left.
    Percent(Decimal),
    /// An amount, but never more than what is left.
    Fixed(Decimal),
}

/// The shipping line of a cart.
#[derive(Debug, Clone, Copy)]
pub enum Shipping {
    /// No line at all.
    None,
    /// A line of 0.
    Free,
    /// A line with a price.
    Priced(Decimal),
}

/// What happened at the till.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    /// Money was taken.
    Paid,
    /// Some of it was taken, never more than all; the rest is owed.
    Part(Decimal),
    /// Nothing yet: cash on delivery, bank transfer.
    Pending,
    /// The card is reserved, not charged.
    Authorized,
}

/// The person who buys.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail; null when absent.
    pub email: Option<String>,
    /// Phone; null when absent.
    pub phone: Option<String>,
    /// Street; people type anything here.
    pub address1: String,
    /// City.
    pub city: String,
    /// Country as text and code.
    pub country: (String, String),
}

impl Buyer {
    /// An invented person with an Arabic address.
    pub fn sample() -> Buyer {
        Buyer {
            first_name: "نورة".to_owned(),
            last_name: "المثال".to_owned(),
            email: Some("noura@example.com".to_owned()),
            phone: Some("+966500000000".to_owned()),
            address1: "شارع التجربة ١٢، شقة 3/أ".to_owned(),
            city: "الرياض".to_owned(),
            country: ("Saudi Arabia".to_owned(), "SA".to_owned()),
        }
    }
}

/// One change in an edit of a placed order.
#[derive(Debug, Clone)]
pub enum Edit {
    /// A new line.
    AddLine {
        /// What.
        item: Item,
        /// How many.
        quantity: u32,
    },
    /// Units left on a line. More raises `quantity`; fewer makes a record without money.
    SetQuantity {
        /// Which line.
        line: LineId,
        /// Units that shall be left.
        to: u32,
        /// Whether removed units return to stock.
        restock: bool,
    },
    /// A manual discount on what is left of a line.
    Discount {
        /// Which line.
        line: LineId,
        /// By how much.
        value: Value,
    },
}

impl Edit {
    /// Takes all that is left of a line off the order, back to stock.
    pub fn remove(line: LineId) -> Edit {
        Edit::SetQuantity { line, to: 0, restock: true }
    }
}

/// Goods or money that go back.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Line, units, and where the goods go.
    pub lines: Vec<(LineId, u32, Restock)>,
    /// Shipping to give back, in the terms of the shipping price (its tax share follows).
    pub shipping: Decimal,
    /// What the buyer gets.
    pub money: MoneyBack,
    /// The reason a person typed.
    pub note: Option<String>,
}

impl Refund {
    /// Lines at their exact worth, nothing else.
    pub fn of(lines: &[(LineId, u32, Restock)]) -> Refund {
        Refund { lines: lines.to_vec(), shipping: Decimal::ZERO, money: MoneyBack::Worth, note: None }
    }
}

/// How much money a refund moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyBack {
    /// None: a record without transactions.
    None,
    /// What goods and shipping are worth.
    Worth,
    /// A typed amount; the difference becomes a `refund_discrepancy`.
    Amount(Decimal),
    /// What goods and shipping are worth, on its way: the transaction waits until `settle_refunds`.
    Pending,
}

/// Where refunded goods go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restock {
    /// Nowhere: lost, broken or kept.
    NoRestock,
    /// They were never shipped.
    Cancel,
    /// They came back.
    Return,
}

/// How an order is cancelled. Without `restock` and `money` there is no refund record.
#[derive(Debug, Clone)]
pub struct CancelHow {
    /// Goods go back to stock.
    pub restock: bool,
    /// All money taken is given back.
    pub money: bool,
    /// The record, if there is one, gives back the shipping as well.
    pub shipping: bool,
    /// customer, fraud, inventory, declined, other or staff.
    pub reason: String,
}

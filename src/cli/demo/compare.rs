//! The books of the fake Daftra, read over HTTP, beside what they must say. Every difference has a place and a sentence.
//!
//! All amounts are compared to the last digit but the taxes, and totals to which taxes are added: the product sends
//! prices, and how many roundings lie on the way through Daftra's rows is not the shop's. One minor unit per row passes.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, de};

use super::expectation::{Booked, Expected, Goods, Stand};
use super::figures::minor;
use super::town::{MERCHANTS, MerchantRow, OPENING, SHOPS, STORES, ShopRow, Town};

/// Where a difference is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Merchant and Shopify's number of the order.
    Order { merchant: usize, order: u64 },
    /// A product in a store of an account.
    Stock { account: &'static str, code: &'static str, store: u64 },
    /// What belongs to nobody: an account, and what it is.
    Stray { account: &'static str, what: String },
}

/// What differs, by place.
pub(super) type Differences = BTreeMap<Place, String>;

/// Where an order stands, as the product says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: String,
    /// Why, as codes.
    pub(super) codes: BTreeSet<String>,
}

/// Something of every order, by merchant and Shopify's number.
pub(super) type ByOrder<T> = BTreeMap<(usize, u64), T>;

/// What an account holds, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Books {
    pub(super) invoices: Vec<Paper>,
    pub(super) receipts: Vec<Paper>,
    credit_notes: Vec<Paper>,
    payments: Vec<PaymentEntry>,
    stock: BTreeMap<u64, BTreeMap<u64, Decimal>>,
}

/// A document.
#[derive(Deserialize)]
pub(super) struct Paper {
    pub(super) id: u64,
    draft: bool,
    deleted: Option<de::IgnoredAny>,
    client_id: u64,
    store_id: Option<u64>,
    currency: String,
    texts: Texts,
    totals: Totals,
    pub(super) items: Vec<Row>,
}

#[derive(Deserialize)]
struct Texts {
    #[serde(default)]
    po_number: String,
}

#[derive(Deserialize)]
struct Totals {
    total: Decimal,
    tax: Decimal,
}

/// A row of a document.
#[derive(Deserialize)]
pub(super) struct Row {
    pub(super) product_id: Option<u64>,
    store_id: Option<u64>,
    pub(super) unit_price: Decimal,
    quantity: Decimal,
}

#[derive(Deserialize)]
struct PaymentEntry {
    document_id: u64,
    amount: Decimal,
}

impl Paper {
    /// Merchant and order: the merchant by the client, which no two of an account share, the order by the reference.
    pub(super) fn owner(&self, account: &str) -> Option<(usize, u64)> {
        let is_its = |row: &MerchantRow| SHOPS[row.shop].account == account && row.client == self.client_id;
        let order = self.texts.po_number.split('-').nth(1)?.parse().ok()?;
        Some((MERCHANTS.iter().position(is_its)?, order))
    }

    /// Its first row is about a product.
    pub(super) fn has_goods(&self) -> bool {
        self.items.first().is_some_and(|row| row.product_id.is_some())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invoice,
    Receipt,
    CreditNote,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Receipt => "receipt",
            Self::CreditNote => "credit note",
        }
    }
}

/// What was found of one order.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) booked: Booked,
    /// Rows of all documents: so many roundings.
    rows: i64,
    /// What should stand in no book.
    faults: Vec<String>,
}

/// An account compared.
pub(super) struct Compared {
    pub(super) found: ByOrder<Found>,
    pub(super) differences: Differences,
}

/// Compares an account: all its orders, everything that belongs to none, and the stock.
pub(super) fn compare(
    town: &Town,
    account: &'static str,
    books: &Books,
    expected: &ByOrder<Expected>,
    standing: &ByOrder<Standing>,
) -> anyhow::Result<Compared> {
    let (found, mut differences) = find(town, account, books)?;
    let is_here = |merchant: usize| SHOPS[MERCHANTS[merchant].shop].account == account;
    for ((merchant, order), wanted) in expected.iter().filter(|((merchant, _), _)| is_here(*merchant)) {
        let key = (*merchant, *order);
        let shop = &SHOPS[MERCHANTS[*merchant].shop];
        let nothing = Found::default();
        let (found, standing) = (found.get(&key).unwrap_or(&nothing), standing.get(&key));
        if let Some(text) = difference(wanted, found, standing, shop) {
            differences.insert(Place::Order { merchant: *merchant, order: *order }, text);
        }
    }
    for (merchant, order) in found.keys().filter(|key| !expected.contains_key(key)) {
        let place = Place::Order { merchant: *merchant, order: *order };
        differences.insert(place, "no shop knows this order".to_owned());
    }
    differences.extend(stock(town, account, books, expected));
    Ok(Compared { found, differences })
}

/// What was found of every order, and what belongs to none.
fn find(town: &Town, account: &'static str, books: &Books) -> anyhow::Result<(ByOrder<Found>, Differences)> {
    let (mut orders, mut strays) = (ByOrder::<Found>::new(), Differences::new());
    let mut owners = BTreeMap::new();
    let kinds =
        [(Kind::Invoice, &books.invoices), (Kind::Receipt, &books.receipts), (Kind::CreditNote, &books.credit_notes)];
    for (kind, papers) in kinds {
        for paper in papers.iter().filter(|paper| paper.deleted.is_none()) {
            match paper.owner(account) {
                Some(owner) => {
                    owners.insert(paper.id, owner);
                    orders.entry(owner).or_default().add(kind, paper, town, owner.0)?;
                }
                None => {
                    let what = format!("{} {}", kind.name(), paper.id);
                    strays.insert(Place::Stray { account, what }, "belongs to no order".to_owned());
                }
            }
        }
    }
    for payment in &books.payments {
        let text = format!("a payment of {} that nobody booked", payment.amount.normalize());
        match owners.get(&payment.document_id).and_then(|owner| orders.get_mut(owner)) {
            Some(found) => found.faults.push(text),
            None => {
                let what = format!("payment of document {}", payment.document_id);
                strays.insert(Place::Stray { account, what }, text);
            }
        }
    }
    Ok((orders, strays))
}

impl Found {
    fn add(&mut self, kind: Kind, paper: &Paper, town: &Town, merchant: usize) -> anyhow::Result<()> {
        let merchant = &MERCHANTS[merchant];
        let shop = &SHOPS[merchant.shop];
        let name = format!("{} {}", kind.name(), paper.id);
        let faults = &mut self.faults;
        let mut exact = |amount: Decimal, digits: u32| {
            minor(amount, digits).unwrap_or_else(|| {
                faults.push(format!("{name} says {}, which is too exact", amount.normalize()));
                0
            })
        };
        let (total, tax) = (exact(paper.totals.total, shop.digits), exact(paper.totals.tax, shop.digits));
        let sign = if kind == Kind::Invoice { 1 } else { -1 };
        let mut is_elsewhere = false;
        for row in &paper.items {
            let (money, units) = (exact(row.unit_price * row.quantity, shop.digits), exact(row.quantity, 0));
            let code = row.product_id.map(|id| town.code(shop.account, id)).transpose()?;
            let goods = self.booked.goods.entry(code).or_default();
            goods.units += sign * units;
            goods.money += sign * money;
            self.rows += 1;
            is_elsewhere |= code.is_some() && row.store_id.or(paper.store_id) != Some(merchant.store);
        }
        self.booked.goods.retain(|_, goods| *goods != Goods::default());
        self.booked.tax += sign * tax;
        match kind {
            Kind::Invoice => {
                self.booked.invoices += 1;
                self.booked.invoiced += total;
            }
            Kind::Receipt => {
                self.booked.receipts += 1;
                self.booked.given_back += total;
            }
            Kind::CreditNote => self.faults.push(format!("a {name}")),
        }
        let faults = [
            (is_elsewhere, "is about another store".to_owned()),
            (paper.draft, "is a draft".to_owned()),
            (paper.currency != shop.currency, format!("is in {}", paper.currency)),
        ];
        self.faults.extend(faults.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| format!("{name} {what}")));
        Ok(())
    }
}

/// What is wrong with one order, in words.
fn difference(wanted: &Expected, found: &Found, standing: Option<&Standing>, shop: &ShopRow) -> Option<String> {
    let Some(standing) = standing else { return Some("the product does not know this order".to_owned()) };
    let stands = match wanted.stand {
        Stand::Settled => standing.is("settled", None),
        Stand::SettledOrIgnored => standing.state == "settled" || standing.state == "ignored",
        Stand::Ignored(code) => standing.is("ignored", Some(code)),
        Stand::Waiting(code) => standing.is("waiting", Some(code)),
        Stand::Held(code) => standing.is("held", Some(code)),
    };
    if stands && found.faults.is_empty() && fits(wanted, found, shop) {
        return None;
    }
    let codes: Vec<&str> = standing.codes.iter().map(String::as_str).collect();
    let faults = if found.faults.is_empty() { String::new() } else { format!("; {}", found.faults.join(", ")) };
    Some(format!(
        "expected {:?}, {}; found {} {}, {}{faults}",
        wanted.stand,
        say(&wanted.booked, shop),
        standing.state,
        codes.join(", "),
        say(&found.booked, shop),
    ))
}

impl Standing {
    fn is(&self, state: &str, code: Option<&str>) -> bool {
        self.state == state && self.codes.iter().map(String::as_str).eq(code)
    }
}

fn fits(wanted: &Expected, found: &Found, shop: &ShopRow) -> bool {
    let (want, have) = (&wanted.booked, &found.booked);
    let near = |a: i64, b: i64, slack: i64| (a - b).abs() <= slack;
    let tax_slack = if shop.has_tax() { found.rows } else { 0 };
    let total_slack = if shop.taxes_included { 0 } else { tax_slack };
    let is_same = have.goods == want.goods && near(have.tax, want.tax, tax_slack);
    let is_split = if wanted.is_open {
        let may_be_missing = wanted.stand == Stand::SettledOrIgnored;
        (have.invoices == 1 || (may_be_missing && have.invoices == 0))
            && near(have.invoiced - have.given_back, want.invoiced - want.given_back, total_slack)
    } else {
        (have.invoices, have.receipts) == (want.invoices, want.receipts)
            && near(have.invoiced, want.invoiced, total_slack)
            && near(have.given_back, want.given_back, total_slack)
    };
    is_same && is_split
}

/// `1 invoice 349.00, tax 45.52, 1 WH-2040 for 349.00`.
fn say(booked: &Booked, shop: &ShopRow) -> String {
    let money = |amount: i64| Decimal::new(amount, shop.digits).to_string();
    if booked.invoices + booked.receipts == 0 {
        return "nothing".to_owned();
    }
    let mut parts = vec![format!("{} invoice {}", booked.invoices, money(booked.invoiced))];
    if booked.receipts > 0 {
        parts.push(format!("{} receipts {}", booked.receipts, money(booked.given_back)));
    }
    parts.push(format!("tax {}", money(booked.tax)));
    parts.extend(booked.goods.iter().map(|(code, goods)| {
        format!("{} {} for {}", goods.units, code.unwrap_or("without product"), money(goods.money))
    }));
    parts.join(", ")
}

/// Every balance must be what lay there, less what was invoiced, with what came back.
fn stock(town: &Town, account: &'static str, books: &Books, expected: &ByOrder<Expected>) -> Differences {
    let mut sold = BTreeMap::<(&str, u64), i64>::new();
    for ((merchant, _), wanted) in expected {
        let merchant = &MERCHANTS[*merchant];
        for (code, goods) in wanted.booked.goods.iter().filter(|_| SHOPS[merchant.shop].account == account) {
            if let Some(code) = code {
                *sold.entry((code, merchant.store)).or_default() += goods.units;
            }
        }
    }
    let nothing = BTreeMap::new();
    let mut differences = Differences::new();
    for (product, code) in town.codes.get(account).into_iter().flatten() {
        for store in STORES {
            let wanted = OPENING - sold.get(&(code, store)).copied().unwrap_or_default();
            let found = books.stock.get(product).unwrap_or(&nothing).get(&store).copied().unwrap_or_default();
            if found != Decimal::from(wanted) {
                let text = format!("expected {wanted} in store {store}, found {}", found.normalize());
                differences.insert(Place::Stock { account, code, store }, text);
            }
        }
    }
    differences
}

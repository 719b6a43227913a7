//! The books of the fake Daftra, read over HTTP, beside what they must say. Every difference has a place and a sentence.
//!
//! All amounts are compared to the last digit but the taxes, and totals to which taxes are added: the product sends
//! prices, and promises taxes to a minor unit for each line of a document. So much passes, and no more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Deserialize, de};

use super::expectation::{Booked, Expected, Goods, Papers, REQUISITION, Stand};
use super::figures::minor;
use super::purse::{Entry, Purse};
use super::town::{MERCHANTS, OPENING, SHOPS, STORES, ShopRow, Town, merchant_by_client, order_of};

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
    pub(super) payments: Vec<PaymentEntry>,
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
    date: Date,
    created: Timestamp,
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

/// A payment.
#[derive(Deserialize)]
pub(super) struct PaymentEntry {
    pub(super) id: u64,
    pub(super) document_id: u64,
    pub(super) amount: Decimal,
    method: String,
    treasury_id: u64,
    transaction_id: String,
    date: DateTime,
    status: u64,
}

/// What must be of one order.
pub(super) struct Wanted {
    pub(super) papers: Expected,
    pub(super) purse: Purse,
}

impl Paper {
    /// Merchant and order: the merchant by the client, which no two of an account share, the order by the reference.
    pub(super) fn owner(&self, account: &str) -> Option<(usize, u64)> {
        Some((merchant_by_client(account, self.client_id)?, order_of(&self.texts.po_number)?))
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
    pub(super) payments: Vec<Entry>,
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
    expected: &ByOrder<Wanted>,
    standing: &ByOrder<Standing>,
) -> anyhow::Result<Compared> {
    let (found, mut differences) = find(town, account, books)?;
    let is_here = |merchant: usize| SHOPS[MERCHANTS[merchant].shop].account == account;
    for ((merchant, order), wanted) in expected.iter().filter(|((merchant, _), _)| is_here(*merchant)) {
        let key = (*merchant, *order);
        let nothing = Found::default();
        let (found, standing) = (found.get(&key).unwrap_or(&nothing), standing.get(&key));
        if let Some(text) = difference(wanted, found, standing, *merchant) {
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
                    owners.insert(paper.id, (owner, kind == Kind::Receipt));
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
        let owner = owners.get(&payment.document_id);
        match owner.and_then(|(owner, on_receipt)| Some((orders.get_mut(owner)?, owner, *on_receipt))) {
            Some((found, owner, on_receipt)) => found.pay(payment, *owner, on_receipt),
            None => {
                let what = format!("payment of document {}", payment.document_id);
                let text = format!("a payment of {} that nobody booked", payment.amount.normalize());
                strays.insert(Place::Stray { account, what }, text);
            }
        }
    }
    Ok((orders, strays))
}

impl Found {
    fn pay(&mut self, payment: &PaymentEntry, (merchant, order): (usize, u64), on_receipt: bool) {
        let amount = minor(payment.amount, SHOPS[MERCHANTS[merchant].shop].digits);
        let key = payment.transaction_id.splitn(3, '-').collect::<Vec<_>>();
        let transaction = match key.as_slice() {
            [_, of, key] if *of == order.to_string() && payment.status == 1 => match key.strip_prefix("transaction/") {
                Some(id) => id.parse().ok().map(Some),
                None => key.starts_with("paid").then_some(None),
            },
            _ => None,
        };
        match (amount, transaction) {
            (Some(amount), Some(transaction)) => self.payments.push(Entry {
                on_receipt,
                amount,
                transaction,
                method: payment.method.clone(),
                treasury: payment.treasury_id,
                date: payment.date,
            }),
            _ => self.faults.push(format!("a payment of {} that nobody booked", payment.amount.normalize())),
        }
    }

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
            is_elsewhere |= code.is_some() && row.store_id.or(paper.store_id) != Some(merchant.store);
        }
        self.booked.goods.retain(|_, goods| *goods != Goods::default());
        let papers = match kind {
            Kind::Invoice => &mut self.booked.invoices,
            Kind::Receipt | Kind::CreditNote => &mut self.booked.receipts,
        };
        papers.total += total;
        papers.tax += tax;
        papers.dates.push(paper.date);
        papers.dates.sort_unstable();
        let made = merchant.day(paper.created);
        // What was begun before midnight may arrive after it.
        if paper.date == made || paper.date.tomorrow().is_ok_and(|next| next == made) {
            papers.as_made.push(paper.date);
        }
        let faults = [
            (is_elsewhere, "is about another store".to_owned()),
            (paper.draft, "is a draft".to_owned()),
            (kind == Kind::CreditNote, "should be none".to_owned()),
            (paper.currency != shop.currency, format!("is in {}", paper.currency)),
        ];
        self.faults.extend(faults.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| format!("{name} {what}")));
        Ok(())
    }
}

/// What is wrong with one order, in words.
fn difference(wanted: &Wanted, found: &Found, standing: Option<&Standing>, merchant: usize) -> Option<String> {
    let merchant = &MERCHANTS[merchant];
    let shop = &SHOPS[merchant.shop];
    let Wanted { papers, purse } = wanted;
    let Some(standing) = standing else { return Some("the product does not know this order".to_owned()) };
    let stands = match papers.stand {
        Stand::Settled => standing.is("settled", None),
        Stand::SettledOrIgnored => standing.state == "settled" || standing.state == "ignored",
        Stand::Ignored(code) => standing.is("ignored", Some(code)),
        Stand::Waiting(code) => standing.is("waiting", Some(code)),
        Stand::Held(code) => standing.is("held", Some(code)),
    };
    let mut faults = found.faults.clone();
    faults.extend(purse.faults(&found.payments, merchant, found.booked.total()));
    if stands && faults.is_empty() && fits(papers, &found.booked, shop) {
        return None;
    }
    let codes: Vec<&str> = standing.codes.iter().map(String::as_str).collect();
    let faults: String = faults.iter().map(|fault| format!("; {fault}")).collect();
    let other = papers.other_forms.iter().map(|form| format!(", or {}", say(form, shop))).collect::<String>();
    Some(format!(
        "expected {:?}, {}{other}; found {} {}, {}{faults}",
        papers.stand,
        say(&papers.booked, shop),
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

fn fits(wanted: &Expected, found: &Booked, shop: &ShopRow) -> bool {
    let slack = Slack::of(shop);
    if wanted.is_open {
        let may_be_missing = wanted.stand == Stand::SettledOrIgnored;
        let (want, lines) = (&wanted.booked, wanted.booked.invoices.lines + wanted.booked.receipts.lines);
        let is_dated = found.invoices.dates == want.invoices.dates
            && found.receipts.dates.iter().all(|date| want.receipts.dates.contains(date));
        return found.goods == want.goods
            && (is_dated || may_be_missing && *found == Booked::default())
            && slack.covers(found.total() - want.total(), found.tax() - want.tax(), lines);
    }
    let is_same = |have: &Papers, want: &Papers| {
        is_dated(have, want) && slack.covers(have.total - want.total, have.tax - want.tax, want.lines)
    };
    std::iter::once(&wanted.booked).chain(&wanted.other_forms).any(|form| {
        found.goods == form.goods
            && is_same(&found.invoices, &form.invoices)
            && is_same(&found.receipts, &form.receipts)
    })
}

/// Each document has its date; one that has no moment of its own in the shop carries the day on which it was made.
fn is_dated(have: &Papers, want: &Papers) -> bool {
    let made = &have.as_made;
    let mut others = have.dates.clone();
    let mut missing = want.dates.clone();
    missing.retain(|date| match others.iter().position(|other| other == date) {
        Some(place) => {
            others.remove(place);
            false
        }
        None => true,
    });
    have.dates.len() == want.dates.len()
        && missing.len() <= want.at_work
        && missing.iter().zip(&others).all(|(want, have)| have > want && made.contains(have))
}

/// How far documents of so many lines may be off: the product promises a minor unit for each.
struct Slack {
    total: i64,
    tax: i64,
}

impl Slack {
    fn of(shop: &ShopRow) -> Self {
        let tax = i64::from(shop.has_tax());
        Self { total: if shop.taxes_included { 0 } else { tax }, tax }
    }

    fn covers(&self, total: i64, tax: i64, lines: i64) -> bool {
        total.abs() <= self.total * lines && tax.abs() <= self.tax * lines
    }
}

/// `1 invoice 349.00 (tax 45.52) of 2026-11-20, 1 WH-2040 for 349.00`.
fn say(booked: &Booked, shop: &ShopRow) -> String {
    let money = |amount: i64| Decimal::new(amount, shop.digits).to_string();
    let papers = |what: &str, Papers { total, tax, dates, .. }: &Papers| {
        let days: Vec<String> = dates.iter().map(ToString::to_string).collect();
        format!("{} {what} {} (tax {}) of {}", dates.len(), money(*total), money(*tax), days.join(" "))
    };
    let Booked { invoices, receipts, goods } = booked;
    if invoices.dates.is_empty() && receipts.dates.is_empty() {
        return "nothing".to_owned();
    }
    let mut parts = vec![papers("invoice", invoices)];
    parts.extend((!receipts.dates.is_empty()).then(|| papers("receipts", receipts)));
    parts.extend(goods.iter().map(|(code, goods)| {
        format!("{} {} for {}", goods.units, code.unwrap_or("without product"), money(goods.money))
    }));
    parts.join(", ")
}

/// Every balance must be what lay there, less what was invoiced, with what came back.
fn stock(town: &Town, account: &'static str, books: &Books, expected: &ByOrder<Wanted>) -> Differences {
    let mut sold = BTreeMap::<(&str, u64), i64>::new();
    // What the warehouse did not hand out yet is still there.
    let is_out = |wanted: &Wanted| wanted.papers.stand != Stand::Waiting(REQUISITION);
    for ((merchant, _), wanted) in expected.iter().filter(|(_, wanted)| is_out(wanted)) {
        let merchant = &MERCHANTS[*merchant];
        for (code, goods) in wanted.papers.booked.goods.iter().filter(|_| SHOPS[merchant.shop].account == account) {
            if let Some(code) = code {
                *sold.entry((code, merchant.store)).or_default() += goods.units;
            }
        }
    }
    let nothing = BTreeMap::new();
    let mut differences = Differences::new();
    for (product, code) in town.codes.get(account).into_iter().flatten() {
        for store in STORES {
            let came_in = town.came_in.get(&(account, *code, store)).copied().unwrap_or_default();
            let wanted = OPENING + came_in - sold.get(&(code, store)).copied().unwrap_or_default();
            let found = books.stock.get(product).unwrap_or(&nothing).get(&store).copied().unwrap_or_default();
            if found != Decimal::from(wanted) {
                let text = format!("expected {wanted} in store {store}, found {}", found.normalize());
                differences.insert(Place::Stock { account, code, store }, text);
            }
        }
    }
    differences
}

//! What should be at the end of the week, by the shops' own lists of orders and nothing of ours, against what Daftra
//! holds, what the statements say, and what people were told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use qantara::db::class::Class;
use qantara::db::log::{self, Status};
use qantara::db::scope::Scope;
use qantara::sandbox::daftra::{Account, Document, DocumentKind};
use qantara::sandbox::shop::cart::OrderId;
use rust_decimal::Decimal;

use crate::town::{Merchant, Placed, UNKNOWN_SKU, product_of, vendor_of};
use crate::week::Week;

/// The week's first day in the merchants' time zone.
const FIRST: &str = "2026-06-18";

/// One order of one merchant, as the shop's own books have it.
pub(crate) struct Sold {
    pub(crate) id: OrderId,
    pub(crate) name: String,
    day: Date,
    placed: Placed,
    /// Some line of it was the merchant's at some time.
    is_ours: bool,
    /// Not everything was given back; what the buyer kept for nothing is.
    is_left: bool,
    /// Units by product, and money, that Daftra should hold of it in the end.
    units: BTreeMap<u64, Decimal>,
    money: Decimal,
    /// What the shop keeps of what was paid.
    paid: Decimal,
}

/// What stands of one order in Daftra.
#[derive(Debug)]
struct Held {
    invoices: usize,
    /// References that more than one document carries.
    twice: BTreeSet<String>,
    units: BTreeMap<u64, Decimal>,
    money: Decimal,
    paid: Decimal,
}

/// A day of a merchant on its statement.
pub(crate) struct Day {
    pub(crate) is_proven: bool,
    /// Numbers that nobody told of.
    pub(crate) missing: BTreeSet<u64>,
    /// By the shop's name for the order.
    pub(crate) classes: BTreeMap<String, Class>,
}

/// An alert: its cause, whom it is about, and whether it is over.
pub(crate) type Told = (String, String, bool);

impl Week {
    /// All orders of a merchant's shop, from the shop's own list.
    pub(crate) fn sold(&self, merchant: &Merchant) -> Vec<Sold> {
        let place = &self.places[merchant.place];
        let mut world = self.stage().network.world.lock().unwrap();
        let shop = &world.shop_mut(place.domain).unwrap().shop;
        let zone = TimeZone::get("Asia/Riyadh").unwrap();
        let mut all = Vec::new();
        for id in shop.order_ids() {
            let body = shop.order_body(id).unwrap();
            let placed = place.orders[&id].clone();
            let created: Timestamp = body["created_at"].as_str().unwrap().parse().unwrap();
            let lines = body["line_items"].as_array().unwrap();
            let is_ours = lines.iter().any(|line| merchant.sells(line["vendor"].as_str().unwrap()));
            let left = if placed.is_cancelled { Vec::new() } else { shop.what_is_left(id).unwrap() };
            let left: Vec<_> = left.into_iter().filter(|line| merchant.sells(&line.vendor)).collect();
            let mut units: BTreeMap<u64, Decimal> = BTreeMap::new();
            let known = left.iter().map(|line| (line.sku.as_str(), Decimal::from(line.units)));
            let kept = placed.kept.iter().map(|(sku, kept)| (sku.as_str(), *kept));
            let kept = kept.filter(|(sku, _)| merchant.sells(vendor_of(sku)));
            for (sku, count) in known.chain(kept).filter(|(sku, _)| *sku != UNKNOWN_SKU) {
                *units.entry(product_of(sku)).or_default() += count;
            }
            all.push(Sold {
                id,
                name: body["name"].as_str().unwrap().to_owned(),
                day: created.to_zoned(zone.clone()).date(),
                is_ours,
                is_left: !left.is_empty(),
                units,
                money: left.iter().map(|line| line.net).sum(),
                paid: shop.what_is_paid(id).unwrap(),
                placed,
            });
        }
        all
    }

    /// Everything in which Daftra's own books are not what the shops' say, by merchant and order. Orders that rightly wait
    /// for a person have no document.
    pub(crate) fn differences(&self) -> BTreeMap<(&'static str, OrderId), String> {
        let mut faults = BTreeMap::new();
        for merchant in &self.merchants {
            for sold in self.sold(merchant) {
                let held = self.stage().account(merchant.account, |account| {
                    Held::of(account, &format!("k{}-{}", merchant.slug, sold.id.0))
                });
                if let Some(fault) = sold.fault(merchant, &held) {
                    faults.insert((merchant.slug, sold.id), format!("{}: {fault}", sold.name));
                }
            }
        }
        faults
    }

    /// The documents in Daftra that are about no order of any shop.
    pub(crate) fn strays(&self) -> BTreeSet<String> {
        let own: BTreeSet<String> = self
            .merchants
            .iter()
            .flat_map(|merchant| {
                self.sold(merchant).into_iter().map(|sold| format!("k{}-{}", merchant.slug, sold.id.0))
            })
            .collect();
        let all = |name| self.stage().account(name, |account| documents(account).map(key_of).collect::<Vec<_>>());
        ["one", "two"].into_iter().flat_map(all).filter(|key| !own.contains(key)).collect()
    }

    /// The seven days of a merchant, each with what its shop's list says of it and what its statement does.
    pub(crate) fn days(&self, merchant: usize) -> Vec<(Vec<Sold>, Day)> {
        let merchant_id = i64::try_from(merchant).unwrap() + 1;
        let first: Date = FIRST.parse().unwrap();
        let mut sold: BTreeMap<Date, Vec<Sold>> = BTreeMap::new();
        for one in self.sold(&self.merchants[merchant]) {
            sold.entry(one.day).or_default().push(one);
        }
        let days = (0..7).map(|day| first.checked_add(day.days()).unwrap());
        let read = |day: Date| {
            let read = self.stage().db.see(&Scope::All, |sight| {
                let (statement, lines) = sight.statement(merchant_id, day)?;
                Ok((sight.is_proven(&statement)?, statement, lines))
            });
            let (is_proven, statement, lines) = read.unwrap();
            let missing = statement.missing.iter().flat_map(|gap| gap.from..=gap.to).collect();
            let classes = lines.into_iter().map(|line| (line.name.unwrap(), line.class)).collect();
            (sold.remove(&day).unwrap_or_default(), Day { is_proven, missing, classes })
        };
        let days: Vec<_> = days.map(read).collect();
        assert!(sold.is_empty(), "orders of other days: {:?}", sold.keys());
        days
    }

    /// Orders of a merchant that waited for a person at any time, by our own log.
    pub(crate) fn waited_for_a_person(&self) -> BTreeSet<(String, i64)> {
        let stage = self.stage();
        let names: BTreeMap<i64, (String, i64)> =
            stage.orders().into_iter().map(|order| (order.id, (order.merchant, order.remote_id))).collect();
        let mut waited = BTreeSet::new();
        for status in [Status::Held, Status::Failed] {
            let filter = log::Filter { status: Some(status), ..log::Filter::default() };
            for entry in stage.db.read(|c| log::list(c, filter, 1_000_000)).unwrap() {
                waited.extend(entry.order_id.map(|id| names[&id].clone()));
            }
        }
        waited
    }

    /// Everything people were told, in the order of the alphabet.
    pub(crate) fn told(&self) -> Vec<Told> {
        let all =
            self.stage().db.see(&Scope::All, |sight| Ok([sight.alerts()?, sight.past_alerts(None, 10_000)?].concat()));
        let told = all.unwrap().into_iter().map(|one| (one.cause, one.subject, one.closed_at.is_some()));
        let mut told: Vec<_> = told.collect();
        told.sort();
        told
    }
}

impl Sold {
    /// The account lacks something that the merchant sold.
    pub(crate) fn is_unmappable(&self, merchant: &Merchant) -> bool {
        self.placed.is_unmappable && merchant.sells(vendor_of(UNKNOWN_SKU))
    }

    /// What the day's statement should call it, one of these.
    pub(crate) fn classes(&self, merchant: &Merchant) -> Vec<Class> {
        match (self.is_ours, self.is_unmappable(merchant) && !self.placed.is_cancelled) {
            (false, _) => vec![Class::Ignored],
            (true, true) => vec![Class::Held],
            // What was over before it was first looked at never had an invoice.
            (true, false) if !self.is_left => vec![Class::Cancelled, Class::Ignored],
            (true, false) => vec![Class::Invoiced],
        }
    }

    fn fault(&self, merchant: &Merchant, held: &Held) -> Option<String> {
        if held.invoices > 1 || !held.twice.is_empty() {
            return Some(format!("DUPLICATE {held:?}"));
        }
        let is_nothing = !self.is_ours || self.is_unmappable(merchant);
        if held.invoices == 0 {
            let may_be_nothing = is_nothing || self.units.is_empty() || self.placed.is_cancelled;
            return (!may_be_nothing).then(|| "MISSING".to_owned());
        }
        if is_nothing {
            return Some(format!("nothing should be there: {held:?}"));
        }
        if (&held.units, held.money) != (&self.units, self.money) {
            return Some(format!("{held:?} instead of {:?} for {}", self.units, self.money));
        }
        // Daftra rounds each document by itself, and the last payment takes that along.
        let is_paid = merchant.vendor.is_some() || (held.paid - self.paid).abs() <= Decimal::new(5, 2);
        (!is_paid).then(|| format!("{} was paid, and payments of {} stand there", self.paid, held.paid))
    }
}

fn documents(account: &Account) -> impl Iterator<Item = &Document> {
    account.documents(DocumentKind::Invoice).chain(account.documents(DocumentKind::RefundReceipt))
}

/// The merchant's key and the order, which begin every reference.
fn key_of(document: &Document) -> String {
    document.text("po_number").splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

impl Held {
    fn of(account: &Account, key: &str) -> Self {
        let own: Vec<_> = documents(account).filter(|one| key_of(one) == key).collect();
        let sign = |one: &Document| match one.kind {
            DocumentKind::Invoice => Decimal::ONE,
            DocumentKind::RefundReceipt | DocumentKind::CreditNote => -Decimal::ONE,
        };
        let mut units: BTreeMap<u64, Decimal> = BTreeMap::new();
        for one in &own {
            for item in &one.items {
                if let Some(product) = item.product_id {
                    *units.entry(product).or_default() += item.quantity * sign(one);
                }
            }
        }
        units.retain(|_, units| !units.is_zero());
        let mut seen = BTreeSet::new();
        let references = own.iter().map(|one| one.text("po_number"));
        let mut twice: BTreeSet<String> =
            references.filter(|reference| !seen.insert(*reference)).map(str::to_owned).collect();
        let mut paid = Decimal::ZERO;
        let mut payments = BTreeSet::new();
        for payment in account.payments() {
            let Some(document) = own.iter().find(|one| one.id == payment.document_id) else { continue };
            paid += payment.amount * sign(document);
            if !payments.insert(&payment.transaction_id) {
                twice.insert(payment.transaction_id.clone());
            }
        }
        Self {
            invoices: own.iter().filter(|one| one.kind == DocumentKind::Invoice).count(),
            twice,
            units,
            money: own.iter().map(|one| one.totals.total * sign(one)).sum(),
            paid,
        }
    }
}

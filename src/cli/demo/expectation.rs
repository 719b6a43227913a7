//! What a merchant's books must say about an order: from its events and the amounts the shop signed, by addition alone.
//!
//! Shares nothing with the product but the language: own types, own arithmetic, integers in minor units. Where taxes are
//! rounded on the way to Daftra is not its business: they may differ by a minor unit per row (see `compare`).

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::checkout::{Cause, Lot, Why};
use super::figures::Worth;
use super::history::{Event, Order, What};
use super::town::{Carries, Extra, Leads, MERCHANTS, MerchantRow, SHOPS, WARES};
use crate::sandbox::shop::cart::Restock;

/// Where the order must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Settled,
    /// Nothing is left of it: never invoiced, or taken back.
    SettledOrIgnored,
    Ignored(&'static str),
    Waiting(&'static str),
    /// For this cause and no other.
    Held(&'static str),
}

/// Units and money of one product, or of rows without product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Goods {
    pub(super) units: i64,
    pub(super) money: i64,
}

/// What the books say about one order of one merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) invoices: usize,
    pub(super) invoiced: i64,
    pub(super) receipts: usize,
    pub(super) given_back: i64,
    /// Invoices less receipts.
    pub(super) tax: i64,
    /// Invoices less receipts, by product code; the stock moves by these units.
    pub(super) goods: BTreeMap<Option<&'static str>, Goods>,
}

/// The end of one order for one merchant.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) stand: Stand,
    pub(super) booked: Booked,
    /// How the sum is split over invoice and receipts is not known.
    pub(super) is_open: bool,
}

/// What must be in the books of this merchant.
pub(super) fn expect(order: &Order, place: usize) -> anyhow::Result<Expected> {
    let merchant = &MERCHANTS[place];
    let own = Own::of(order, merchant);
    let nothing = |stand| Ok(Expected { stand, booked: Booked::default(), is_open: false });
    match order.lot {
        Lot::LeaveAlone(Why::Test) => return nothing(Stand::Ignored("test_order")),
        Lot::LeaveAlone(Why::AtTheCounter) => return nothing(Stand::Ignored("source")),
        Lot::Plain | Lot::MustHold(_) | Lot::LeaveAlone(_) => {}
    }
    if own.lines.is_empty() {
        return nothing(Stand::Ignored("no_own_lines"));
    }
    let hold = match order.lot {
        Lot::MustHold(cause) => Some(cause),
        Lot::Plain | Lot::LeaveAlone(_) => None,
    };
    if let Some(code) = hold.and_then(before_the_invoice) {
        return nothing(Stand::Held(code));
    }
    let cancelled = order.events.iter().any(|event| matches!(event, Event::Cancelled { .. }));
    if merchant.when_paid && !order.at_the_door && !order.is_paid() {
        let stand = if cancelled { Stand::Ignored("cancelled_before_invoice") } else { Stand::Waiting("not_paid") };
        return nothing(stand);
    }
    let booked = own.book(order, merchant, hold)?;
    let is_nothing = booked.goods.values().all(|goods| *goods == Goods::default());
    let stand = match hold {
        Some(Cause::CancelledButPaid) => Stand::Held("cancelled_but_paid"),
        Some(Cause::MoneyKeptBack) => Stand::Held("refund_part"),
        Some(_) | None if order.is_open && is_nothing => Stand::SettledOrIgnored,
        Some(_) | None => Stand::Settled,
    };
    // Whoever hears of such a record before he hears of the cancellation takes it for an edit.
    let looks_like_an_edit =
        |event: &Event| matches!(event, Event::Cancelled { record: Some(_), moved_money: false, .. });
    let is_open = order.is_open || order.events.iter().any(looks_like_an_edit);
    Ok(Expected { stand, booked, is_open })
}

/// The code of a hold that leaves nothing to be booked.
fn before_the_invoice(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::UnknownProduct => Some("unknown_product"),
        Cause::AmbiguousProduct => Some("ambiguous_product"),
        Cause::UnknownTax => Some("unknown_tax"),
        Cause::CustomLine => Some("custom_line"),
        Cause::Tip => Some("tip"),
        Cause::GiftCard => Some("gift_card"),
        Cause::CancelledButPaid | Cause::MoneyKeptBack => None,
    }
}

/// The merchant's own lines of an order.
struct Own {
    /// The product, or none for a row of text. A line that is left out has no entry.
    billed: BTreeMap<u64, Option<&'static str>>,
    /// All of them.
    lines: Vec<u64>,
    /// Nobody else has a line in the order.
    is_whole: bool,
}

impl Own {
    fn of(order: &Order, merchant: &MerchantRow) -> Self {
        let added = || {
            order.events.iter().filter_map(|event| match event {
                Event::Added { line, what, .. } => Some((*line, *what)),
                Event::Raised { .. }
                | Event::Lowered { .. }
                | Event::Paid
                | Event::GaveBack { .. }
                | Event::Cancelled { .. } => None,
            })
        };
        let of_ware = |what: What| match what {
            What::Ware(at) => Some(merchant.owns(WARES[at].vendor)),
            What::Custom | What::Tip | What::GiftCard => None,
        };
        let named: Vec<bool> = added().filter_map(|(_, what)| of_ware(what)).collect();
        // What has no vendor goes with the rest if the rest is one merchant's.
        let is_alone = merchant.owns("") || named.iter().all(|own| *own);
        let (mut billed, mut lines, mut is_whole) = (BTreeMap::new(), Vec::new(), true);
        for (line, what) in added() {
            if !of_ware(what).unwrap_or(is_alone) {
                is_whole = false;
                continue;
            }
            lines.push(line);
            let product = match what {
                What::Ware(at) => match WARES[at].leads {
                    Leads::To(code) => Some(Some(code)),
                    Leads::Nowhere | Leads::TwoWays | Leads::Elsewhere => None,
                },
                What::Custom => (merchant.custom == Some(Extra::Text)).then_some(None),
                What::Tip => (merchant.tip == Some(Extra::Text)).then_some(None),
                What::GiftCard => None,
            };
            billed.extend(product.map(|product| (line, product)));
        }
        Self { billed, lines, is_whole }
    }

    fn book(&self, order: &Order, merchant: &MerchantRow, hold: Option<Cause>) -> anyhow::Result<Booked> {
        let figures = &order.figures;
        let mut sheet = Sheet { on_top: !SHOPS[order.shop].taxes_included, booked: Booked::default() };
        let (mut shrunk, mut back) = (BTreeMap::<u64, Worth>::new(), Vec::new());
        let mut ordered = BTreeMap::<u64, i64>::new();
        let mut all_goes_back = false;
        for event in &order.events {
            match event {
                Event::Added { line, units, .. } => drop(ordered.insert(*line, *units)),
                Event::Raised { line, by } => *ordered.entry(*line).or_default() += by,
                Event::Lowered { record, line, by, restocked } => {
                    let gone =
                        *figures.records.get(record).and_then(|record| record.goods.get(line)).context(NO_RECORD)?;
                    if gone.units != *by {
                        bail!("{}: {by} units were taken off, the shop's record says {}", order.name, gone.units);
                    }
                    match restocked {
                        true => *shrunk.entry(*line).or_default() += gone,
                        // The goods are gone, so their stock went out: invoiced, and given back without product.
                        false => back.push((*record, vec![(*line, Restock::NoRestock)])),
                    }
                }
                Event::Paid => {}
                Event::GaveBack { record, goods, moved_money } => {
                    let is_edit = !moved_money && goods.iter().all(|(.., way)| *way == Restock::Cancel);
                    if is_edit && !goods.is_empty() {
                        bail!("{}: goods without worth that nobody shipped look like an edit", order.name);
                    }
                    if hold != Some(Cause::MoneyKeptBack) {
                        back.push((*record, goods.iter().map(|(line, _, way)| (*line, *way)).collect()));
                    }
                }
                Event::Cancelled { record, goods, .. } => {
                    all_goes_back = hold != Some(Cause::CancelledButPaid);
                    if let Some(record) = record {
                        back.push((*record, goods.iter().map(|(line, _)| (*line, Restock::Cancel)).collect()));
                    }
                }
            }
        }
        let carried = match merchant.carries {
            Carries::Always => true,
            Carries::Never => false,
            Carries::WholeOrders => self.is_whole,
        };
        let shipping = figures.shipping.filter(|line| carried && line.net != 0);
        let mut left = BTreeMap::<u64, Worth>::new();
        let mut invoice = Worth::default();
        for (line, product) in &self.billed {
            let mut worth = *figures.lines.get(line).context("the shop forgot a line")?;
            if ordered.get(line) != Some(&worth.units) {
                bail!(
                    "{}: the shop counts {} units of line {line}, we {:?}",
                    order.name,
                    worth.units,
                    ordered.get(line)
                );
            }
            worth += -shrunk.get(line).copied().unwrap_or_default();
            sheet.move_goods(*product, worth);
            invoice += worth;
            left.insert(*line, worth);
        }
        invoice += shipping.unwrap_or_default();
        sheet.move_goods(None, shipping.unwrap_or_default());
        sheet.booked.invoices = 1;
        sheet.booked.invoiced = sheet.total(invoice);
        sheet.booked.tax = invoice.tax;

        let mut shipping_left = shipping.unwrap_or_default();
        for (record, goods) in back {
            let known = figures.records.get(&record).context(NO_RECORD)?;
            let mut receipt = Worth::default();
            let mut rows = 0;
            for (line, way) in goods {
                let Some(product) = self.billed.get(&line) else { continue };
                let gone = *known.goods.get(&line).context(NO_RECORD)?;
                sheet.move_goods(product.filter(|_| way != Restock::NoRestock), -gone);
                *left.entry(line).or_default() += -gone;
                receipt += gone;
                rows += 1;
            }
            if let Some(gone) = known.shipping.filter(|_| shipping.is_some()) {
                sheet.move_goods(None, -gone);
                shipping_left += -gone;
                receipt += gone;
                rows += 1;
            }
            sheet.give_back(receipt, rows);
        }
        if all_goes_back {
            let mut receipt = shipping_left;
            let mut rows = usize::from(shipping_left.units > 0);
            sheet.move_goods(None, -shipping_left);
            for (line, worth) in left.iter().filter(|(_, worth)| worth.units > 0) {
                sheet.move_goods(self.billed.get(line).copied().flatten(), -*worth);
                receipt += *worth;
                rows += 1;
            }
            sheet.give_back(receipt, rows);
        }
        sheet.booked.goods.retain(|_, goods| *goods != Goods::default());
        Ok(sheet.booked)
    }
}

const NO_RECORD: &str = "the shop has no such refund record";

struct Sheet {
    /// Taxes are added to the prices.
    on_top: bool,
    booked: Booked,
}

impl Sheet {
    fn total(&self, worth: Worth) -> i64 {
        if self.on_top { worth.net + worth.tax } else { worth.net }
    }

    fn move_goods(&mut self, product: Option<&'static str>, worth: Worth) {
        let goods = self.booked.goods.entry(product).or_default();
        goods.units += worth.units;
        goods.money += worth.net;
    }

    /// A receipt, unless nothing of the merchant's is on it.
    fn give_back(&mut self, worth: Worth, rows: usize) {
        if rows > 0 {
            self.booked.receipts += 1;
            self.booked.given_back += self.total(worth);
            self.booked.tax -= worth.tax;
        }
    }
}

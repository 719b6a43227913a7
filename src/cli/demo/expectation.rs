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
    // What comes back of a cancelled order is told by its own record, or, where that is late, by the receipt of all that is left.
    let is_silent = |event: &Event| matches!(event, Event::Cancelled { record: None, .. });
    let is_late =
        order.events.iter().any(is_silent) && order.events.iter().any(|event| matches!(event, Event::GaveBack { .. }));
    let is_open = order.is_open || is_late || order.events.iter().any(looks_like_an_edit);
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

    /// One invoice of what was ordered and not edited away, and a receipt for each record that gives something back.
    fn book(&self, order: &Order, merchant: &MerchantRow, hold: Option<Cause>) -> anyhow::Result<Booked> {
        let changes = Changes::of(order, hold)?;
        let mut sheet = Sheet { on_top: !SHOPS[order.shop].taxes_included, booked: Booked::default() };
        let mut left = BTreeMap::<u64, Worth>::new();
        for (line, product) in &self.billed {
            let mut worth = *order.figures.lines.get(line).context("the shop forgot a line")?;
            let ours = changes.ordered.get(line).copied().unwrap_or_default();
            if ours != worth.units {
                bail!("{}: the shop counts {} units of line {line}, we {ours}", order.name, worth.units);
            }
            worth += -changes.edited_away.get(line).copied().unwrap_or_default();
            sheet.move_goods(*product, worth);
            left.insert(*line, worth);
        }
        let carried = match merchant.carries {
            Carries::Always => true,
            Carries::Never => false,
            Carries::WholeOrders => self.is_whole,
        };
        let shipping = order.figures.shipping.filter(|line| carried && line.net != 0);
        let mut shipping_left = shipping.unwrap_or_default();
        sheet.move_goods(None, shipping_left);
        sheet.invoice(left.values().copied().chain(shipping));

        for Back { record, goods } in changes.back {
            let known = order.figures.records.get(&record).context(NO_RECORD)?;
            let mut rows = Vec::new();
            for (line, way) in goods {
                let Some(product) = self.billed.get(&line) else { continue };
                let gone = *known.goods.get(&line).context(NO_RECORD)?;
                // Goods that do not come back are given back as money only.
                sheet.move_goods(product.filter(|_| way != Restock::NoRestock), -gone);
                *left.entry(line).or_default() += -gone;
                rows.push(gone);
            }
            if let Some(gone) = known.shipping.filter(|_| shipping.is_some()) {
                sheet.move_goods(None, -gone);
                shipping_left += -gone;
                rows.push(gone);
            }
            sheet.give_back(&rows);
        }
        if changes.all_goes_back {
            let rows = left.iter().map(|(line, worth)| (self.billed.get(line).copied().flatten(), *worth));
            let rows: Vec<_> = rows.chain([(None, shipping_left)]).filter(|(_, worth)| worth.units > 0).collect();
            rows.iter().for_each(|(product, worth)| sheet.move_goods(*product, -*worth));
            sheet.give_back(&rows.iter().map(|(_, worth)| *worth).collect::<Vec<_>>());
        }
        sheet.booked.goods.retain(|_, goods| *goods != Goods::default());
        Ok(sheet.booked)
    }
}

/// The events of an order, sorted by what they mean for documents.
#[derive(Default)]
struct Changes {
    /// Units by line.
    ordered: BTreeMap<u64, i64>,
    /// Taken off the invoice by edits.
    edited_away: BTreeMap<u64, Worth>,
    back: Vec<Back>,
    /// The order is cancelled: what no record gave back goes back at the end.
    all_goes_back: bool,
}

/// Lines of a record, each with the way of its goods.
struct Back {
    record: u64,
    goods: Vec<(u64, Restock)>,
}

impl Changes {
    fn of(order: &Order, hold: Option<Cause>) -> anyhow::Result<Self> {
        let mut changes = Self::default();
        for event in &order.events {
            match event {
                Event::Added { line, units, .. } => drop(changes.ordered.insert(*line, *units)),
                Event::Raised { line, by } => *changes.ordered.entry(*line).or_default() += by,
                Event::Lowered { record, line, by, restocked } => {
                    let known = order.figures.records.get(record).context(NO_RECORD)?;
                    let gone = *known.goods.get(line).context(NO_RECORD)?;
                    if gone.units != *by {
                        bail!("{}: {by} units were taken off, the shop's record says {}", order.name, gone.units);
                    }
                    if *restocked {
                        *changes.edited_away.entry(*line).or_default() += gone;
                    } else {
                        // Their stock went out, so they were invoiced.
                        changes.back.push(Back { record: *record, goods: vec![(*line, Restock::NoRestock)] });
                    }
                }
                Event::Paid => {}
                Event::GaveBack { record, goods, moved_money } => {
                    let never_left = !goods.is_empty() && goods.iter().all(|(.., way)| *way == Restock::Cancel);
                    if never_left && !moved_money {
                        bail!("{}: goods without worth that nobody shipped look like an edit", order.name);
                    }
                    if hold != Some(Cause::MoneyKeptBack) {
                        let goods = goods.iter().map(|(line, _, way)| (*line, *way)).collect();
                        changes.back.push(Back { record: *record, goods });
                    }
                }
                Event::Cancelled { record, goods, .. } => {
                    changes.all_goes_back = hold != Some(Cause::CancelledButPaid);
                    let goods = goods.iter().map(|(line, _)| (*line, Restock::Cancel)).collect();
                    changes.back.extend(record.map(|record| Back { record, goods }));
                }
            }
        }
        Ok(changes)
    }
}

const NO_RECORD: &str = "the shop has no such refund record";

struct Sheet {
    /// Taxes are added to the prices.
    on_top: bool,
    booked: Booked,
}

impl Sheet {
    fn move_goods(&mut self, product: Option<&'static str>, worth: Worth) {
        let goods = self.booked.goods.entry(product).or_default();
        goods.units += worth.units;
        goods.money += worth.net;
    }

    fn invoice(&mut self, rows: impl Iterator<Item = Worth>) {
        let (total, tax) = self.sum(rows);
        self.booked.invoices += 1;
        self.booked.invoiced += total;
        self.booked.tax += tax;
    }

    /// A receipt, unless nothing of the merchant's is on it.
    fn give_back(&mut self, rows: &[Worth]) {
        if !rows.is_empty() {
            let (total, tax) = self.sum(rows.iter().copied());
            self.booked.receipts += 1;
            self.booked.given_back += total;
            self.booked.tax -= tax;
        }
    }

    fn sum(&self, rows: impl Iterator<Item = Worth>) -> (i64, i64) {
        let mut sum = Worth::default();
        rows.for_each(|row| sum += row);
        (if self.on_top { sum.net + sum.tax } else { sum.net }, sum.tax)
    }
}

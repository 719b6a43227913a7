//! What a merchant's books must say about an order: from its events and the amounts the shop signed, by addition alone.
//!
//! Shares nothing with the product but the language: own types, own arithmetic, integers in minor units. Where taxes are
//! rounded on the way to Daftra is not its business: they may differ by a minor unit per line (see `compare`). What must
//! have been paid is in `purse`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use jiff::civil::Date;

use super::checkout::{Cause, Lot, Why};
use super::figures::Worth;
use super::history::{Event, Requisition, Told, What};
use super::town::{Carries, Extra, MERCHANTS, MerchantRow, SHOPS, ShopRow};
use super::wares::{Leads, WARES};
use crate::sandbox::shop::cart::Restock;

/// How an order waits for its warehouse.
pub(super) const REQUISITION: &str = "stock_pending";

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

/// Documents of one kind, summed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Papers {
    pub(super) total: i64,
    pub(super) tax: i64,
    /// What is billed or given back on them: in so many places Daftra may round a tax.
    pub(super) lines: i64,
    /// One for each, sorted.
    pub(super) dates: Vec<Date>,
    /// So many of these are of the day on which the product came to it, which bad days put off.
    pub(super) at_work: usize,
    /// The dates of those that carry the day on which they were made; found, not expected.
    pub(super) as_made: Vec<Date>,
}

/// What the books say about one order of one merchant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Booked {
    pub(super) invoices: Papers,
    pub(super) receipts: Papers,
    /// Invoices less receipts, by product code; the stock moves by these units.
    pub(super) goods: BTreeMap<Option<&'static str>, Goods>,
}

impl Booked {
    /// What the documents leave to be paid.
    pub(super) fn total(&self) -> i64 {
        self.invoices.total - self.receipts.total
    }

    pub(super) fn tax(&self) -> i64 {
        self.invoices.tax - self.receipts.tax
    }
}

/// The end of one order for one merchant.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) stand: Stand,
    pub(super) booked: Booked,
    /// The same in other forms, if the order in which the news arrives decides about it.
    pub(super) other_forms: Vec<Booked>,
    /// How the sum is split over invoice and receipts is not known.
    pub(super) is_open: bool,
    /// The merchant's invoice would come to all that the order ever cost, so that its money is the merchant's.
    pub(super) is_whole: bool,
}

/// What must be in the books of this merchant.
pub(super) fn expect(told: Told<'_>, place: usize) -> anyhow::Result<Expected> {
    let (order, merchant) = (told.order, &MERCHANTS[place]);
    let own = Own::of(told, merchant);
    let is_whole = own.ordered(told, merchant) == told.figures.total;
    let nothing =
        |stand| Ok(Expected { stand, booked: Booked::default(), other_forms: Vec::new(), is_open: false, is_whole });
    match order.lot {
        Lot::LeaveAlone(Why::Test) => return nothing(Stand::Ignored("test_order")),
        Lot::LeaveAlone(Why::AtTheCounter) => return nothing(Stand::Ignored("source")),
        Lot::LeaveAlone(Why::Tagged) => return nothing(Stand::Ignored("tag")),
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
    let is_cancelled = told.events.iter().any(|event| matches!(event, Event::Cancelled { .. }));
    if merchant.when_paid && !order.at_the_door && !told.is_paid() {
        let stand = if is_cancelled { Stand::Ignored("cancelled_before_invoice") } else { Stand::Waiting("not_paid") };
        return nothing(stand);
    }
    let locked = told.when_locked();
    let booked = match locked {
        Some((before, _)) if hold == Some(Cause::Locked) => own.book(before, merchant, hold, &AS_TOLD)?,
        Some((before, day)) => own.book_anew(before, merchant.day(day), told, merchant)?,
        None => own.book(told, merchant, hold, &AS_TOLD)?,
    };
    let is_nothing = booked.goods.values().all(|goods| *goods == Goods::default());
    let was = |meant: &dyn Fn(&Event) -> bool| told.events.iter().any(meant);
    let stand = match hold {
        Some(Cause::CancelledButPaid) if is_cancelled => Stand::Held("cancelled_but_paid"),
        Some(Cause::MoneyKeptBack) if was(&|event| matches!(event, Event::GaveBack { .. })) => {
            Stand::Held("refund_part")
        }
        Some(Cause::UnmappedGateway) if merchant.records() && told.is_paid() => Stand::Held("unmapped_gateway"),
        Some(Cause::Locked) if locked.is_some() => Stand::Held("locked"),
        Some(_) | None if order.is_open && is_nothing => Stand::SettledOrIgnored,
        None if order.requisition == Some(Requisition::Waits) => Stand::Waiting(REQUISITION),
        Some(_) | None => Stand::Settled,
    };
    let mut other_forms = Vec::new();
    if locked.is_none() {
        for edits in own.other_readings(told, merchant) {
            let form = own.book(told, merchant, hold, &edits)?;
            // An invoice without rows is no invoice.
            other_forms.extend(Some(form).filter(|form| form.invoices.lines > 0));
        }
    }
    Ok(Expected { stand, booked, other_forms, is_open: order.is_open, is_whole })
}

/// Records that are taken for edits of the order: none.
const AS_TOLD: BTreeSet<u64> = BTreeSet::new();

/// The code of a hold that leaves nothing to be booked.
fn before_the_invoice(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::UnknownProduct => Some("unknown_product"),
        Cause::AmbiguousProduct => Some("ambiguous_product"),
        Cause::UnknownTax => Some("unknown_tax"),
        Cause::CustomLine => Some("custom_line"),
        Cause::Tip => Some("tip"),
        Cause::GiftCard => Some("gift_card"),
        Cause::Duty => Some("extra_amount"),
        Cause::CancelledButPaid
        | Cause::MoneyKeptBack
        | Cause::UnmappedGateway
        | Cause::NotEnoughStock
        | Cause::Locked => None,
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
    fn of(told: Told<'_>, merchant: &MerchantRow) -> Self {
        let added = || {
            told.events.iter().filter_map(|event| match event {
                Event::Added { line, what, .. } => Some((*line, *what)),
                Event::Raised { .. }
                | Event::Lowered { .. }
                | Event::Paid
                | Event::Locked
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

    /// Which records may be taken for edits, for want of having heard better.
    fn other_readings(&self, told: Told<'_>, merchant: &MerchantRow) -> Vec<BTreeSet<u64>> {
        let shipping_of = |record: &u64| told.figures.records.get(record).and_then(|known| known.shipping);
        // Shipping that goes back is no edit of goods.
        let has_shipping = |record: &u64| shipping_of(record).is_some() && self.shipping(told, merchant).is_some();
        let mut readings = Vec::new();
        // Whoever waits for money, and hears that there is some only when part of it has gone back, invoices the rest.
        let mut gone = BTreeSet::new();
        let paid = told.events.iter().position(|event| matches!(event, Event::Paid)).unwrap_or(told.events.len());
        for event in told.events.iter().skip(paid).filter(|_| merchant.when_paid && !told.order.at_the_door) {
            let Event::GaveBack { record, goods, .. } = event else { continue };
            if has_shipping(record) || goods.iter().any(|(.., way)| *way == Restock::NoRestock) {
                break;
            }
            gone.insert(*record);
            readings.push(gone.clone());
        }
        // Whoever hears of such a record before he hears of the cancellation takes it for an edit.
        let silent = told.events.iter().find_map(|event| match event {
            Event::Cancelled { record, moved_money: false, .. } => *record,
            Event::Added { .. }
            | Event::Raised { .. }
            | Event::Lowered { .. }
            | Event::Paid
            | Event::Locked
            | Event::GaveBack { .. }
            | Event::Cancelled { .. } => None,
        });
        readings.extend(silent.filter(|record| !has_shipping(record)).map(|record| BTreeSet::from([record])));
        readings
    }

    /// What the shipping is to the merchant, if it is on the invoice.
    fn shipping(&self, told: Told<'_>, merchant: &MerchantRow) -> Option<Worth> {
        let carried = match merchant.carries {
            Carries::Always => true,
            Carries::Never => false,
            Carries::WholeOrders => self.is_whole,
        };
        told.figures.shipping.filter(|line| carried && line.net != 0)
    }

    /// The price of everything that was ever ordered of the merchant.
    fn ordered(&self, told: Told<'_>, merchant: &MerchantRow) -> i64 {
        let lines = self.billed.keys().filter_map(|line| told.figures.lines.get(line).copied());
        let shop = &SHOPS[told.order.shop];
        let extras = self.shipping(told, merchant).into_iter().chain(self.duties(told));
        lines.chain(extras).map(|worth| shop.price(worth)).sum()
    }

    /// Duties are of the only merchant of an order, and never taxed.
    fn duties(&self, told: Told<'_>) -> Option<Worth> {
        let net = told.figures.duties;
        (self.is_whole && net != 0).then_some(Worth { units: 1, net, tax: 0 })
    }

    /// An invoice that cannot be changed makes room for another one: it goes back as far as it did not before, and the new
    /// one bills what is left of the order then.
    fn book_anew(&self, before: Told<'_>, day: Date, told: Told<'_>, merchant: &MerchantRow) -> anyhow::Result<Booked> {
        let old = self.book(before, merchant, None, &AS_TOLD)?;
        let mut all = self.book(told, merchant, None, &AS_TOLD)?;
        let Booked { invoices, receipts, .. } = old;
        all.invoices.total += invoices.total - receipts.total;
        all.invoices.tax += invoices.tax - receipts.tax;
        all.invoices.lines += invoices.lines;
        all.invoices.dates.push(day);
        all.invoices.dates.sort_unstable();
        (all.invoices.at_work, all.receipts.at_work) = (1, 1);
        all.receipts.total += invoices.total - receipts.total;
        all.receipts.tax += invoices.tax - receipts.tax;
        all.receipts.lines += invoices.lines;
        all.receipts.dates.push(day);
        all.receipts.dates.sort_unstable();
        Ok(all)
    }

    /// One invoice of what was ordered and not edited away, and a receipt for each record that gives something back.
    fn book(
        &self,
        told: Told<'_>,
        merchant: &MerchantRow,
        hold: Option<Cause>,
        edits: &BTreeSet<u64>,
    ) -> anyhow::Result<Booked> {
        let (name, figures) = (&told.order.name, told.figures);
        let changes = Changes::of(told, hold, edits)?;
        let mut sheet = Sheet { shop: &SHOPS[told.order.shop], booked: Booked::default() };
        let mut left = BTreeMap::<u64, Worth>::new();
        for (line, product) in &self.billed {
            let mut worth = *figures.lines.get(line).context("the shop forgot a line")?;
            let ours = changes.ordered.get(line).copied().unwrap_or_default();
            if ours != worth.units {
                bail!("{name}: the shop counts {} units of line {line}, we {ours}", worth.units);
            }
            worth += -changes.edited_away.get(line).copied().unwrap_or_default();
            sheet.move_goods(*product, worth);
            left.insert(*line, worth);
        }
        let (shipping, duties) = (self.shipping(told, merchant), self.duties(told));
        let mut shipping_left = shipping.unwrap_or_default();
        sheet.move_goods(None, shipping_left);
        sheet.move_goods(None, duties.unwrap_or_default());
        let billed = left.values().copied().chain(shipping).chain(duties).filter(|worth| worth.units > 0);
        sheet.invoice(&billed.collect::<Vec<_>>(), merchant.day(figures.processed));

        for Back { record, goods } in changes.back {
            let known = figures.records.get(&record).context(NO_RECORD)?;
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
            sheet.give_back(&rows, merchant.day(known.at));
        }
        if changes.all_goes_back {
            let rows = left.iter().map(|(line, worth)| (self.billed.get(line).copied().flatten(), *worth));
            let rows: Vec<_> = rows.chain([(None, shipping_left)]).filter(|(_, worth)| worth.units > 0).collect();
            rows.iter().for_each(|(product, worth)| sheet.move_goods(*product, -*worth));
            let cancelled = figures.cancelled.with_context(|| format!("{name}: the shop knows of no cancellation"))?;
            sheet.give_back(&rows.iter().map(|(_, worth)| *worth).collect::<Vec<_>>(), merchant.day(cancelled));
        }
        sheet.booked.receipts.dates.sort_unstable();
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
    fn of(told: Told<'_>, hold: Option<Cause>, edits: &BTreeSet<u64>) -> anyhow::Result<Self> {
        let (name, figures) = (&told.order.name, told.figures);
        let mut changes = Self::default();
        let mut is_all_back = false;
        let all_of = |record: u64| Ok::<_, anyhow::Error>(&figures.records.get(&record).context(NO_RECORD)?.goods);
        for event in told.events {
            match event {
                Event::Added { line, units, .. } => drop(changes.ordered.insert(*line, *units)),
                Event::Raised { line, by } => *changes.ordered.entry(*line).or_default() += by,
                Event::Lowered { record, line, by, restocked } => {
                    let known = figures.records.get(record).context(NO_RECORD)?;
                    let gone = *known.goods.get(line).context(NO_RECORD)?;
                    if gone.units != *by {
                        bail!("{name}: {by} units were taken off, the shop's record says {}", gone.units);
                    }
                    if *restocked {
                        *changes.edited_away.entry(*line).or_default() += gone;
                    } else {
                        // Their stock went out, so they were invoiced.
                        changes.back.push(Back { record: *record, goods: vec![(*line, Restock::NoRestock)] });
                    }
                }
                Event::Paid | Event::Locked => {}
                Event::GaveBack { record, goods, moved_money } => {
                    let never_left = !goods.is_empty() && goods.iter().all(|(.., way)| *way == Restock::Cancel);
                    if never_left && !moved_money {
                        bail!("{name}: goods without worth that nobody shipped look like an edit");
                    }
                    if edits.contains(record) {
                        changes.edit_away(all_of(*record)?);
                        continue;
                    }
                    // Of an order that was cancelled without a record the receipt of all that was left told already.
                    if hold != Some(Cause::MoneyKeptBack) && !is_all_back {
                        let goods = goods.iter().map(|(line, _, way)| (*line, *way)).collect();
                        changes.back.push(Back { record: *record, goods });
                    }
                }
                Event::Cancelled { record, goods, .. } => {
                    changes.all_goes_back = hold != Some(Cause::CancelledButPaid);
                    is_all_back = record.is_none() && !told.order.is_open;
                    let Some(record) = *record else { continue };
                    if edits.contains(&record) {
                        changes.edit_away(all_of(record)?);
                    } else {
                        let goods = goods.iter().map(|(line, _)| (*line, Restock::Cancel)).collect();
                        changes.back.push(Back { record, goods });
                    }
                }
            }
        }
        Ok(changes)
    }

    fn edit_away(&mut self, goods: &BTreeMap<u64, Worth>) {
        for (line, gone) in goods {
            *self.edited_away.entry(*line).or_default() += *gone;
        }
    }
}

const NO_RECORD: &str = "the shop has no such refund record";

struct Sheet {
    shop: &'static ShopRow,
    booked: Booked,
}

impl Sheet {
    fn move_goods(&mut self, product: Option<&'static str>, worth: Worth) {
        let goods = self.booked.goods.entry(product).or_default();
        goods.units += worth.units;
        goods.money += worth.net;
    }

    fn invoice(&mut self, rows: &[Worth], date: Date) {
        self.booked.invoices.add(rows, date, self.shop);
    }

    /// A receipt, unless nothing of the merchant's is on it.
    fn give_back(&mut self, rows: &[Worth], date: Date) {
        if !rows.is_empty() {
            self.booked.receipts.add(rows, date, self.shop);
        }
    }
}

impl Papers {
    fn add(&mut self, rows: &[Worth], date: Date, shop: &ShopRow) {
        for row in rows {
            self.total += shop.price(*row);
            self.tax += row.tax;
            self.lines += 1;
        }
        self.dates.push(date);
    }
}

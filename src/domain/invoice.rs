//! From an order to the invoice Daftra should hold: whose lines, which products, taxes and amounts, and the gate that
//! compares what Daftra would compute with what the order says.
//!
//! A line that is on the document already keeps its product, taxes and ownership, whatever rules and catalogue say
//! today: what was sent once is frozen.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, Code, Resolution, Rule, resolve};
use super::money::{Amount, Currency};
use super::order::{Line, Order, Snapshot};
use super::reason::{Extra, Hold, LineDifference};
use super::rules::{LinePolicy, Merchant, PricePolicy, Rules, ShippingPolicy, Vendor, Vendors};
use super::tax::{self, BilledTax, Charge};

/// A sales invoice as we want it in Daftra, with every choice that was made for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDraft {
    pub header: Header,
    /// Whose lines were the merchant's: what an edit adds is judged by it too.
    pub vendors: Vendors,
    pub shipping: ShippingPolicy,
    /// Whether the shipping is on it: decided once, so that a line which an edit adds cannot take it off again. Content of
    /// before this key decides anew.
    #[serde(default)]
    pub with_shipping: Option<bool>,
    #[serde(default)]
    pub price: PricePolicy,
    /// Every line of the order that was looked at, so that a later change of rules decides only about new lines.
    pub seen: BTreeMap<i64, Seen>,
    pub billed: Vec<Billed>,
    /// What others had paid on it when a PUT of ours was last sent: whether Daftra keeps that is to be seen.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub paid_by_others: Decimal,
    /// Somebody else made it, and a person gave it to the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<Adopted>,
}

/// What is special about an invoice that we did not make. Its money is not ours to record: whoever made it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Its rows are still those of whoever made it: only its total is known to be the order's.
    pub rows_are_theirs: bool,
}

/// What invoice and receipt have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `<merchant key>-<order id>-<source key>`: on the document itself, stored before the first send, never changed.
    pub reference: String,
    pub order_name: String,
    pub client_id: i64,
    pub store_id: i64,
    pub branch_id: Option<i64>,
    pub currency: Currency,
    /// In the merchant's time zone.
    pub date: Date,
    /// Created without number and stock movement, for a person to issue.
    pub draft: bool,
}

/// What was decided about one line of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    Billed,
    NotOurs,
    /// Ours, but no goods, and the merchant's policy leaves it out.
    Skipped,
}

/// Where billed units come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Line(i64),
    Shipping(i64),
    Tip,
    Duties,
    Fees,
    /// Money that a refund record gives back for none of the others: only on receipts.
    Money(i64),
}

/// As it stands in fingerprints and on our rows in Daftra: `line 447654529`.
impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(id) => write!(f, "line {id}"),
            Self::Shipping(id) => write!(f, "shipping {id}"),
            Self::Tip => f.write_str("tip"),
            Self::Duties => f.write_str("duties"),
            Self::Fees => f.write_str("fees"),
            Self::Money(refund) => write!(f, "money {refund}"),
        }
    }
}

/// One thing on a document, as the shop counts it; it becomes one row in Daftra or a few.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Billed {
    pub source: Source,
    pub title: String,
    pub sku: String,
    /// `None`: a free-text row which moves no stock.
    pub product_id: Option<i64>,
    /// How the product was found, for whoever asks later.
    pub found: Option<Found>,
    pub taxes: Vec<BilledTax>,
    /// The amounts contain the tax.
    pub included: bool,
    pub units: i64,
    pub net: Amount,
    pub tax: Amount,
    /// Units and unit prices whose sum is exactly `net`.
    pub rows: Vec<Row>,
}

/// The rule and the code that decided about a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub rule: Rule,
    pub code: Code,
}

/// One row in Daftra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub units: i64,
    pub unit_price: Amount,
}

/// The rows of so many units that cost exactly `net` together: one, or two whose prices differ by a minor unit.
/// Discounts are inside the unit prices, so nothing depends on how Daftra reads a discount column.
#[must_use]
pub fn exact_rows(units: i64, net: Amount) -> Vec<Row> {
    if units <= 0 {
        return Vec::new();
    }
    let base = net.0.div_euclid(units);
    let dearer = net.0.rem_euclid(units);
    let rows =
        [Row { units: dearer, unit_price: Amount(base + 1) }, Row { units: units - dearer, unit_price: Amount(base) }];
    rows.into_iter().filter(|row| row.units > 0).collect()
}

/// Beyond so many units no row is made for each.
const MOST_SINGLE_ROWS: i64 = 12;

impl Billed {
    /// With the rows of which Daftra computes the shop's tax, as near as any: a row is rounded by itself, so how the units
    /// are split moves the tax by a minor unit.
    #[must_use]
    pub fn in_rows(self) -> Self {
        // Rounded by document, the tax is the same however the units are split.
        let off = |candidate: &Self| {
            let alone = [candidate.clone()];
            (predict(&alone, Rounding::PerRow).tax - candidate.tax).abs()
        };
        let first = Self { rows: exact_rows(self.units.max(1), self.net), ..self };
        let others = other_rows(first.units, first.net).into_iter().map(|rows| Self { rows, ..first.clone() });
        // The first of equals: the fewest rows.
        std::iter::once(first.clone()).chain(others).min_by_key(off).unwrap_or(first)
    }
}

/// The other ways to split units that cost `net` together: one odd unit, dearer or cheaper, or every unit by itself.
fn other_rows(units: i64, net: Amount) -> Vec<Vec<Row>> {
    if units < 2 {
        return Vec::new();
    }
    let odd = |unit_price: i64| {
        let last = net.0 - unit_price * (units - 1);
        let rows =
            [Row { units: units - 1, unit_price: Amount(unit_price) }, Row { units: 1, unit_price: Amount(last) }];
        (last >= 0).then(|| rows.to_vec())
    };
    let base = net.0.div_euclid(units);
    let singles = || {
        let count = usize::try_from(units).unwrap_or_default();
        net.allocate(&vec![1; count]).into_iter().map(|unit_price| Row { units: 1, unit_price }).collect()
    };
    [odd(base), odd(base + 1), (units <= MOST_SINGLE_ROWS).then(singles)].into_iter().flatten().collect()
}

/// Units and amounts that left a line before it was billed, by refund records of class absorbed or edit.
#[derive(Clone, Debug, Default)]
pub struct Removed(pub BTreeMap<i64, (i64, Amount, Amount)>);

/// What stands in the way of a draft.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Obstacles {
    /// Codes to ask Daftra about first.
    pub ask: BTreeSet<Code>,
    pub holds: Vec<Hold>,
}

/// A draft, complete only without obstacles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafted {
    pub invoice: InvoiceDraft,
    pub obstacles: Obstacles,
}

impl Drafted {
    /// Nothing is left to bill. What Daftra is asked about has a row already.
    #[must_use]
    pub fn is_without_rows(&self) -> bool {
        self.invoice.billed.is_empty() && self.obstacles.holds.is_empty()
    }
}

/// Drafts the invoice of what is the merchant's and was not removed. `frozen` is what an earlier send said.
#[must_use]
pub fn draft(
    order: &Order,
    merchant: &Merchant,
    catalog: &Catalog,
    removed: &Removed,
    frozen: Option<&InvoiceDraft>,
) -> Drafted {
    let snapshot = &order.snapshot;
    let rules = &merchant.rules;
    let mut obstacles = Obstacles::default();
    let header = frozen.map_or_else(|| fresh_header(snapshot, merchant), |known| known.header.clone());
    let shipping = frozen.map_or(rules.shipping, |known| known.shipping);
    let vendors = frozen.map_or(&rules.vendors, |known| &known.vendors);

    let price = frozen.map_or(rules.price, |known| known.price);
    let (seen, billed) = (BTreeMap::new(), Vec::new());
    let with_shipping = frozen.map(InvoiceDraft::carries_shipping);
    let mut invoice = InvoiceDraft {
        header,
        vendors: vendors.clone(),
        shipping,
        with_shipping,
        price,
        seen,
        billed,
        paid_by_others: Decimal::ZERO,
        // What is written from now on are rows of ours.
        adopted: frozen.and_then(|known| known.adopted).map(|_| Adopted { rows_are_theirs: false }),
    };
    for line in &snapshot.lines {
        let known = frozen.and_then(|draft| draft.seen.get(&line.id)).copied();
        let decided = known.unwrap_or_else(|| decide(line, snapshot, rules, vendors, &mut obstacles));
        invoice.seen.insert(line.id, decided);
        if decided == Seen::Billed {
            let before = frozen.and_then(|draft| draft.find(Source::Line(line.id)));
            let billed = bill_line(line, snapshot, rules, catalog, removed, before, &mut obstacles);
            invoice.billed.extend(billed);
        }
    }
    invoice.with_shipping = Some(invoice.carries_shipping());
    if invoice.carries_shipping() {
        for part in snapshot.shipping.iter().filter(|part| !part.net().is_zero()) {
            let source = Source::Shipping(part.id);
            let before = frozen.and_then(|draft| draft.find(source));
            let charge = Charge {
                line: &part.title,
                taxes: &part.taxes,
                included: snapshot.taxes_included,
                net: part.net(),
                units: 1,
            };
            invoice.billed.push(Billed {
                source,
                title: part.title.clone(),
                sku: String::new(),
                product_id: None,
                found: None,
                taxes: daftra_taxes(&charge, rules, before, &mut obstacles),
                included: snapshot.taxes_included,
                units: 1,
                net: part.net(),
                tax: part.tax(),
                rows: exact_rows(1, part.net()),
            });
        }
    }
    let extras = check_sums(snapshot, &mut obstacles);
    if invoice.is_whole_order() && invoice.has_own() {
        invoice.billed.extend(bill_extras(&extras, snapshot, rules, &mut obstacles));
    }
    Drafted { invoice, obstacles }
}

fn fresh_header(snapshot: &Snapshot, merchant: &Merchant) -> Header {
    Header {
        reference: reference(merchant, snapshot.id, "order"),
        order_name: snapshot.name.clone(),
        client_id: merchant.rules.client_id,
        store_id: merchant.rules.store_id,
        branch_id: merchant.rules.branch_id,
        currency: snapshot.currency,
        date: snapshot.processed_at.to_zoned(merchant.zone.clone()).date(),
        draft: merchant.rules.draft,
    }
}

/// The reference of a document; nobody else's can be equal, for the merchant's key is random.
#[must_use]
pub fn reference(merchant: &Merchant, order_id: i64, source_key: &str) -> String {
    format!("{}-{order_id}-{source_key}", merchant.key)
}

fn decide(line: &Line, snapshot: &Snapshot, rules: &Rules, vendors: &Vendors, obstacles: &mut Obstacles) -> Seen {
    if !is_own(line, snapshot, vendors) {
        return Seen::NotOurs;
    }
    let name = line.title.clone();
    let (policy, hold) = if line.tip {
        (rules.tip, Hold::Tip { line: name })
    } else if line.gift_card {
        (rules.gift_card, Hold::GiftCard { line: name })
    } else if is_custom(line) {
        (rules.custom, Hold::CustomLine { line: name })
    } else {
        return Seen::Billed;
    };
    match policy {
        LinePolicy::Line => Seen::Billed,
        LinePolicy::Skip => Seen::Skipped,
        LinePolicy::Hold => {
            obstacles.holds.push(hold);
            Seen::Billed
        }
    }
}

/// A line belongs to the merchant when its vendor does. A line without vendor (custom item, tip) has no owner of its
/// own: it follows the others when they are all the merchant's.
fn is_own(line: &Line, snapshot: &Snapshot, vendors: &Vendors) -> bool {
    let vendor = Vendor::new(&line.vendor);
    if !vendor.is_none() {
        return vendors.covers(&vendor);
    }
    let mut named =
        snapshot.lines.iter().map(|line| Vendor::new(&line.vendor)).filter(|vendor| !vendor.is_none()).peekable();
    match vendors {
        Vendors::AllBut(_) => true,
        Vendors::Only(_) => named.peek().is_some() && named.all(|vendor| vendors.covers(&vendor)),
    }
}

/// Neither a variant nor a SKU: something typed at the counter.
fn is_custom(line: &Line) -> bool {
    line.variant_id.is_none() && line.sku.trim().is_empty()
}

fn bill_line(
    line: &Line,
    snapshot: &Snapshot,
    rules: &Rules,
    catalog: &Catalog,
    removed: &Removed,
    before: Option<&Billed>,
    obstacles: &mut Obstacles,
) -> Option<Billed> {
    let (gone_units, gone_net, gone_tax) = removed.0.get(&line.id).copied().unwrap_or_default();
    let units = line.quantity - gone_units;
    let (net, tax) = (line.net() - gone_net, line.tax() - gone_tax);
    // When no unit is left, what is left of the money is the shop's rounding: a minor unit per unit at most.
    let rounding = Amount(line.quantity);
    if units == 0 && net.abs() <= rounding && tax.abs() <= rounding {
        return None;
    }
    if units <= 0 || net < Amount::ZERO || tax < Amount::ZERO {
        // More was taken off than there is, or money is left on no goods.
        obstacles.holds.push(Hold::AmountsDoNotAddUp { expected: line.net(), found: gone_net });
        return None;
    }
    let (product_id, found) = match before {
        Some(before) => (before.product_id, before.found.clone()),
        None if line.tip || line.gift_card || is_custom(line) => (None, None),
        None => product(line, rules, catalog, obstacles).unzip(),
    };
    let included = snapshot.taxes_included;
    let charge = Charge { line: &line.title, taxes: &line.taxes, included, net: line.net(), units: line.quantity };
    let billed = Billed {
        source: Source::Line(line.id),
        title: line.title.clone(),
        sku: line.sku.clone(),
        product_id,
        found,
        taxes: daftra_taxes(&charge, rules, before, obstacles),
        included,
        units,
        net,
        tax,
        rows: Vec::new(),
    };
    Some(billed.in_rows())
}

fn daftra_taxes(
    charge: &Charge<'_>,
    rules: &Rules,
    before: Option<&Billed>,
    obstacles: &mut Obstacles,
) -> Vec<BilledTax> {
    match tax::map(charge, rules, before.map_or(&[], |billed| &billed.taxes)) {
        Ok(tax) => tax.into_iter().collect(),
        Err(hold) => {
            obstacles.holds.push(hold);
            Vec::new()
        }
    }
}

fn product(line: &Line, rules: &Rules, catalog: &Catalog, obstacles: &mut Obstacles) -> Option<(i64, Found)> {
    let name = line.title.clone();
    match resolve(line, rules, catalog) {
        Resolution::Found { product_id, rule, code } => return Some((product_id, Found { rule, code })),
        Resolution::Ask(codes) => obstacles.ask.extend(codes),
        Resolution::Ambiguous { code, products } => {
            obstacles.holds.push(Hold::AmbiguousProduct { line: name, sku: code, products });
        }
        Resolution::Unknown { codes } => obstacles.holds.push(Hold::UnknownProduct { line: name, codes }),
    }
    None
}

/// Proves that the order's own sums hold, and returns the amounts beside lines and shipping that its total contains.
/// They count only if together they explain the total exactly.
fn check_sums(snapshot: &Snapshot, obstacles: &mut Obstacles) -> Vec<(Extra, Amount)> {
    let lines: Amount = snapshot.lines.iter().map(Line::net).sum();
    let shipping: Amount = snapshot.shipping.iter().map(|part| part.net()).sum();
    let tax: Amount = snapshot.lines.iter().map(Line::tax).chain(snapshot.shipping.iter().map(|part| part.tax())).sum();
    if tax != snapshot.total_tax {
        obstacles.holds.push(Hold::AmountsDoNotAddUp { expected: snapshot.total_tax, found: tax });
    }
    let sum = lines + shipping + if snapshot.taxes_included { Amount::ZERO } else { tax };
    let tip = if snapshot.lines.iter().any(|line| line.tip) { Amount::ZERO } else { snapshot.tip };
    let extras = [
        (Extra::Tip, tip),
        (Extra::Duties, snapshot.duties),
        (Extra::Fees, snapshot.fees),
        (Extra::CashRounding, snapshot.cash_rounding),
    ];
    // What is zero explains nothing: the first that fits leaves it out.
    for chosen in 0..1_usize << extras.len() {
        let subset: Vec<_> =
            extras.iter().enumerate().filter(|(bit, _)| chosen & (1 << bit) != 0).map(|(_, extra)| *extra).collect();
        if sum + subset.iter().map(|(_, amount)| *amount).sum() == snapshot.total_price {
            return subset;
        }
    }
    obstacles.holds.push(Hold::AmountsDoNotAddUp { expected: snapshot.total_price, found: sum });
    Vec::new()
}

fn bill_extras(
    extras: &[(Extra, Amount)],
    snapshot: &Snapshot,
    rules: &Rules,
    obstacles: &mut Obstacles,
) -> Vec<Billed> {
    let mut billed = Vec::new();
    for (what, amount) in extras.iter().copied() {
        let (policy, row) = match what {
            Extra::Tip => (rules.tip, Some((Source::Tip, "Tip"))),
            Extra::Duties => (rules.duty, Some((Source::Duties, "Duties"))),
            Extra::Fees => (rules.duty, Some((Source::Fees, "Fees"))),
            Extra::CashRounding => (LinePolicy::Hold, None),
        };
        match (policy, row) {
            (LinePolicy::Skip, _) => {}
            (LinePolicy::Line, Some((source, title))) => billed.push(Billed {
                source,
                title: title.to_owned(),
                sku: String::new(),
                product_id: None,
                found: None,
                taxes: Vec::new(),
                included: snapshot.taxes_included,
                units: 1,
                net: amount,
                tax: Amount::ZERO,
                rows: exact_rows(1, amount),
            }),
            (LinePolicy::Hold, _) | (LinePolicy::Line, None) => {
                obstacles.holds.push(Hold::ExtraAmount { what, amount });
            }
        }
    }
    billed
}

impl InvoiceDraft {
    /// Nothing of ours stands on it yet.
    #[must_use]
    pub fn has_rows_of_others(&self) -> bool {
        self.adopted.is_some_and(|adopted| adopted.rows_are_theirs)
    }

    #[must_use]
    pub fn find(&self, source: Source) -> Option<&Billed> {
        self.billed.iter().find(|billed| billed.source == source)
    }

    /// Every line of the order is the merchant's.
    #[must_use]
    pub fn is_whole_order(&self) -> bool {
        self.seen.values().all(|seen| *seen != Seen::NotOurs)
    }

    /// The shipping is on this document.
    #[must_use]
    pub fn carries_shipping(&self) -> bool {
        let by_policy = || match self.shipping {
            ShippingPolicy::Always => true,
            ShippingPolicy::AllLines => self.is_whole_order(),
            ShippingPolicy::Never => false,
        };
        self.has_own() && self.with_shipping.unwrap_or_else(by_policy)
    }

    fn has_own(&self) -> bool {
        self.seen.values().any(|seen| *seen == Seen::Billed)
    }
}

/// Totals of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub total: Amount,
    pub tax: Amount,
}

/// Where a system rounds taxes to minor units. Which of them Daftra does is unknown, so both are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    PerRow,
    PerDocument,
}

/// What the shop says these things cost.
#[must_use]
pub fn shop_totals(billed: &[Billed]) -> Totals {
    let tax = billed.iter().map(|b| b.tax).sum();
    let total = billed.iter().map(|b| if b.included { b.net } else { b.net + b.tax }).sum();
    Totals { total, tax }
}

/// What Daftra will compute from the rows and taxes.
#[must_use]
pub fn predict(billed: &[Billed], rounding: Rounding) -> Totals {
    let mut per_tax: BTreeMap<i64, Decimal> = BTreeMap::new();
    let mut tax = Amount::ZERO;
    let mut total = Amount::ZERO;
    let mut added = Amount::ZERO;
    for one in billed {
        for row in &one.rows {
            let row_net = Amount(row.unit_price.0 * row.units);
            total += row_net;
            for rate in &one.taxes {
                let exact = tax::exact(row_net, rate.rate, one.included);
                match rounding {
                    Rounding::PerRow => {
                        tax += Amount::rounded(exact);
                        if !one.included {
                            added += Amount::rounded(exact);
                        }
                    }
                    Rounding::PerDocument => *per_tax.entry(rate.daftra_id).or_default() += exact,
                }
            }
        }
    }
    if rounding == Rounding::PerDocument {
        tax = per_tax.values().map(|exact| Amount::rounded(*exact)).sum();
        let included = billed.first().is_some_and(|one| one.included);
        added = if included { Amount::ZERO } else { tax };
    }
    Totals { total: total + added, tax }
}

/// What the gate compared, and why it lets a document not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gated {
    pub shop: Totals,
    /// The worse of the two predictions.
    pub daftra: Totals,
    pub hold: Option<Hold>,
}

/// Lets a document pass only if what Daftra will compute, however it rounds, is the shop's amount within the tolerance.
#[must_use]
pub fn gate(billed: &[Billed], tolerance_minor: Option<i64>) -> Gated {
    let tolerance = Amount(tolerance_minor.unwrap_or_else(|| i64::try_from(billed.len()).unwrap_or(i64::MAX)));
    let shop = shop_totals(billed);
    let off = |daftra: Totals| (shop.total - daftra.total).abs().max((shop.tax - daftra.tax).abs());
    let [a, b] = [predict(billed, Rounding::PerRow), predict(billed, Rounding::PerDocument)];
    let (worst, rounding) = if off(a) >= off(b) { (a, Rounding::PerRow) } else { (b, Rounding::PerDocument) };
    let hold = (off(worst) > tolerance).then_some(Hold::TotalsDiffer {
        order: shop.total,
        daftra: worst.total,
        tax_order: shop.tax,
        tax_daftra: worst.tax,
        tolerance,
        lines: differing_lines(billed, rounding),
    });
    Gated { shop, daftra: worst, hold }
}

/// What Daftra holds of an invoice where it surely is not to the last digit what the order says; `total` is as it was read
/// back. Within the tolerance that is no reason to hold, but it stays in the order's story.
#[must_use]
pub fn off_by_rounding(billed: &[Billed], total: Amount) -> Option<Totals> {
    let predictions = [Rounding::PerRow, Rounding::PerDocument].map(|rounding| predict(billed, rounding));
    let mut possible = predictions.into_iter().filter(|daftra| daftra.total == total);
    if possible.clone().any(|daftra| daftra == shop_totals(billed)) {
        return None;
    }
    // Rows that others added are in the total, too.
    Some(possible.next().unwrap_or(Totals { total, ..predictions[0] }))
}

fn differing_lines(billed: &[Billed], rounding: Rounding) -> Vec<LineDifference> {
    let each = billed.iter().map(|one| {
        let alone = [one.clone()];
        let (order, daftra) = (shop_totals(&alone), predict(&alone, rounding));
        LineDifference {
            line: one.title.clone(),
            order: order.total,
            daftra: daftra.total,
            tax_order: order.tax,
            tax_daftra: daftra.tax,
        }
    });
    each.filter(|line| line.order != line.daftra || line.tax_order != line.tax_daftra).collect()
}

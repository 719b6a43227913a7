//! How each refund record is understood, and the receipts that follow.
//!
//! Every record gets exactly one class, for ever: it lowers what the first invoice bills, or changes the invoice, or
//! becomes a receipt, or changes nothing. A receipt repeats the invoice's own product, taxes and store, and never takes
//! back more than is left.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::invoice::{Billed, Header, InvoiceDraft, Removed, Seen, Source, reference, shop_totals};
use super::money::Amount;
use super::order::{Facts, Line, Order, Refund, RefundLine, Restock, Snapshot};
use super::reason::{Hold, RefundPart};
use super::rules::{LinePolicy, Merchant};

/// How one refund record was understood. Written once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It was there before the first invoice, which bills what is left.
    Absorbed,
    /// Units removed by an edit after the invoice: the invoice is replaced.
    Edit,
    /// A refund receipt of its own.
    Receipt,
    /// Its goods are on the receipt of the cancellation already; or it only gives back money that was paid too much or that
    /// the rules leave out.
    Covered,
    /// No part of it is the merchant's.
    NotOurs,
}

impl Class {
    pub const ALL: [Self; 5] = [Self::Absorbed, Self::Edit, Self::Receipt, Self::Covered, Self::NotOurs];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Absorbed => "absorbed",
            Self::Edit => "edit",
            Self::Receipt => "receipt",
            Self::Covered => "covered",
            Self::NotOurs => "not_ours",
        }
    }
}

/// A refund receipt as we want it in Daftra.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptDraft {
    pub header: Header,
    pub cause: Cause,
    pub billed: Vec<Billed>,
}

/// What the receipt answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Refund(i64),
    /// The order was cancelled and no record says how: everything that is left.
    Cancel,
    /// The order's n-th invoice cannot be changed any more and makes room for the next one: everything that is left.
    Reversal(u32),
}

impl Cause {
    /// The receipt's place in the ledger of its order.
    #[must_use]
    pub fn source_key(self) -> String {
        match self {
            Self::Refund(id) => format!("refund/{id}"),
            Self::Cancel => "cancel".to_owned(),
            Self::Reversal(number) => format!("reversal/{number}"),
        }
    }
}

/// In minor units; with more tax than that, no edit but one by just the tax moves the worth of a unit to where it misleads.
const LITTLE_TAX_PER_UNIT: i64 = 4;

/// The order with the amounts of its refunded goods in the terms of its prices: containing the tax where prices do.
///
/// Shopify's words say that `subtotal` contains the tax in such a shop, the sums of its refunds say that it does not.
/// What the shop says its lines are worth now tells which of the two it does. Where it says nothing, or the record is newer,
/// the line itself tells: every unit is worth the same, but for the rounding that gathers in the last. Where an edit has
/// changed their worth since, the tax is still the same part of what is given back as of what was charged.
///
/// The records whose body is still to come and which can be read both ways are named beside it.
#[must_use]
pub fn in_price_terms(order: &Order) -> (Cow<'_, Order>, BTreeSet<i64>) {
    let mut unclear = BTreeSet::new();
    if !order.snapshot.taxes_included || order.facts.refunds.is_empty() {
        return (Cow::Borrowed(order), unclear);
    }
    let told = told_by_the_shop(order);
    let mut order = order.clone();
    let Order { snapshot, facts } = &mut order;
    let parts = facts.refunds.values_mut().flat_map(|refund| {
        let (id, is_seen) = (refund.id, snapshot.refunds_seen.contains(&refund.id));
        refund.lines.iter_mut().map(move |part| (id, is_seen, part))
    });
    for (refund, is_seen, part) in parts {
        let Some(line) = snapshot.lines.iter().find(|line| line.id == part.line_id) else { continue };
        let off = |worth: Amount| (part.tax - line.tax().share(worth.0, line.net().0)).abs();
        let with_tax = part.subtotal + part.tax;
        let units = line.net().share(part.quantity, line.quantity);
        let fits = |worth: Amount| (worth - units).abs() <= Amount(line.quantity);
        let fit = (fits(part.subtotal), fits(with_tax));
        // A minor unit is rounding and proves nothing.
        let tells = |one: Amount, not: Amount| off(not) > Amount(1) && off(one) < off(not);
        // An edit in the body to come may have made a unit of a few minor units look like one with or without its tax.
        let is_little = part.tax <= Amount(LITTLE_TAX_PER_UNIT * line.quantity);
        let is_unclear = match fit {
            (true, true) => true,
            // Or units of a line are worth different amounts since, and its tax tells the other reading.
            (true, false) => is_little || tells(with_tax, part.subtotal),
            (false, true) => is_little || tells(part.subtotal, with_tax),
            (false, false) => (off(part.subtotal) - off(with_tax)).abs() <= Amount(1),
        };
        if !is_seen && !part.tax.is_zero() && is_unclear {
            unclear.insert(refund);
        }
        let lacks_tax = told.filter(|_| is_seen).unwrap_or_else(|| match fit {
            (true, _) => false,
            (false, true) => true,
            (false, false) => tells(with_tax, part.subtotal),
        });
        if lacks_tax {
            part.subtotal = with_tax;
        }
    }
    (Cow::Owned(order), unclear)
}

/// Whether the amounts of refunded goods lack the tax of the prices, by what the shop says its lines are worth now. A reading
/// fits if it explains that but for a minor unit per unit given back. If both do, only an amount that explains it exactly as
/// it is stated tells. Nothing does where units left without a record, as by a cancellation, or where a tip is among the
/// lines, which the shop may or may not count.
fn told_by_the_shop(order: &Order) -> Option<bool> {
    let Order { snapshot, facts } = order;
    let seen = facts.refunds.values().filter(|refund| snapshot.refunds_seen.contains(&refund.id));
    let parts: Vec<&RefundLine> = seen.flat_map(|refund| &refund.lines).collect();
    let tax: Amount = parts.iter().map(|part| part.tax).sum();
    let stated: Amount = parts.iter().map(|part| part.subtotal).sum();
    let ordered: Amount = snapshot.lines.iter().map(Line::net).sum();
    let gone = ordered - snapshot.current_subtotal.filter(|_| snapshot.lines.iter().all(|line| !line.tip))?;
    let units: i64 = parts.iter().map(|part| part.quantity).sum();
    let left_the_order = snapshot.lines.iter().map(|line| line.current_quantity.map(|now| line.quantity - now)).sum();
    if Some(units) != left_the_order {
        return None;
    }
    let rounding = Amount(units);
    let is_gone = |amount: Amount| (gone - amount).abs() <= rounding;
    let (as_stated, with_tax) = (is_gone(stated), is_gone(stated + tax));
    match (as_stated, with_tax) {
        (true, true) => (gone == stated).then_some(false),
        (false, false) => None,
        (true, false) | (false, true) => Some(with_tax),
    }
}

/// Which lines of the order are the merchant's.
pub type OwnLines = BTreeSet<i64>;

/// The class of a record that is known before the invoice was ever sent. `draft` is the invoice of the whole order.
#[must_use]
pub fn class_before_invoice(refund: &Refund, own: &OwnLines, draft: &InvoiceDraft) -> Class {
    let only_goods = !touches_shipping(refund, draft) && !has_other_money(refund) && !touches_duties(refund, draft);
    let has_goods = own_lines(refund, own).next().is_some();
    let gone = own_lines(refund, own).any(|line| line.restock == Restock::NoRestock);
    if is_not_ours(refund, own, draft) {
        Class::NotOurs
    } else if has_goods && only_goods && !gone {
        Class::Absorbed
    } else {
        // Goods that do not come back are invoiced, so that their stock goes out, and shipping given back was charged
        // first: both need the receipt.
        Class::Receipt
    }
}

/// The class of a record that came after the invoice was sent.
#[must_use]
pub fn class_after_invoice(
    refund: &Refund,
    own: &OwnLines,
    invoice: &InvoiceDraft,
    facts: &Facts,
    cancel_receipt: bool,
) -> Class {
    if is_not_ours(refund, own, invoice) {
        return Class::NotOurs;
    }
    if cancel_receipt {
        return Class::Covered;
    }
    let lines = || own_lines(refund, own);
    let came_back = refund.is_return || lines().any(|line| line.restock == Restock::Return);
    let gone = lines().any(|line| line.restock == Restock::NoRestock);
    // Money kept or added beside the goods is no edit, even while its transaction is still on its way.
    let beside = touches_shipping(refund, invoice) || has_other_money(refund) || touches_duties(refund, invoice);
    if beside || refund.has_money() || came_back || gone || facts.cancelled.is_some() {
        Class::Receipt
    } else {
        Class::Edit
    }
}

/// No own line, no shipping that we billed, and no money that could only be about us.
fn is_not_ours(refund: &Refund, own: &OwnLines, invoice: &InvoiceDraft) -> bool {
    own_lines(refund, own).next().is_none() && !touches_shipping(refund, invoice) && !is_ours_alone(refund, invoice)
}

/// Money for no goods and no shipping: it was paid too much, or is a kindness.
#[must_use]
pub fn is_money_alone(refund: &Refund) -> bool {
    refund.lines.is_empty() && shipping_part(refund).is_none() && !refund.has_duties && refund.has_money()
}

/// Money that neither goods nor shipping explain, alone or beside them.
#[must_use]
pub fn has_money_beside(refund: &Refund) -> bool {
    is_money_alone(refund) || has_other_money(refund)
}

/// Only its money tells what the record is for, and that is still on its way.
#[must_use]
pub fn waits_for_money(refund: &Refund) -> bool {
    refund.is_under_way() && has_money_beside(refund)
}

/// Money that neither goods nor shipping explain. A record that moved no money may say so by an adjustment of the worth
/// of its goods: that is none.
fn has_other_money(refund: &Refund) -> bool {
    let (amount, tax) = other_money(refund);
    let worth: Amount = refund.lines.iter().map(|line| line.subtotal).sum();
    let taxed = worth + refund.lines.iter().map(|line| line.tax).sum();
    let is_unpaid_worth = !refund.has_money() && [worth, taxed].contains(&(amount + tax));
    !(amount.is_zero() && tax.is_zero() || is_unpaid_worth)
}

/// The adjustments that are not about shipping, summed: the shop corrects one by another.
fn other_money(refund: &Refund) -> (Amount, Amount) {
    let other = refund.adjustments.iter().filter(|adjustment| !adjustment.is_shipping);
    other.fold(Default::default(), |sum: (Amount, Amount), a| (sum.0 + a.amount, sum.1 + a.tax))
}

/// What went back beyond the worth of goods and shipping; below zero, what of that was kept.
#[must_use]
pub fn money_beside(refund: &Refund) -> Amount {
    let (amount, tax) = other_money(refund);
    -(amount + tax)
}

/// Money without goods can only be attributed when nobody else has a line in the order, and is not shipping alone: who
/// billed the shipping gives it back.
fn is_ours_alone(refund: &Refund, invoice: &InvoiceDraft) -> bool {
    let has_goods = !refund.lines.is_empty();
    let only_shipping = shipping_part(refund).is_some() && !has_other_money(refund) && !refund.has_duties;
    invoice.is_whole_order() && !has_goods && !only_shipping && (refund.has_money() || has_other_money(refund))
}

fn own_lines<'a>(refund: &'a Refund, own: &'a OwnLines) -> impl Iterator<Item = &'a RefundLine> {
    refund.lines.iter().filter(|line| own.contains(&line.line_id))
}

fn touches_shipping(refund: &Refund, invoice: &InvoiceDraft) -> bool {
    invoice.billed.iter().any(|billed| matches!(billed.source, Source::Shipping(_))) && shipping_part(refund).is_some()
}

/// Duties or fees go back that we billed.
fn touches_duties(refund: &Refund, invoice: &InvoiceDraft) -> bool {
    refund.has_duties && invoice.billed.iter().any(|billed| matches!(billed.source, Source::Duties | Source::Fees))
}

/// The shipping given back: `refund_shipping_lines`, else the shipping adjustments. Newer bodies show the same money in
/// both; it counts once.
pub(super) fn shipping_part(refund: &Refund) -> Option<(Option<i64>, Amount, Amount)> {
    if let Some(first) = refund.shipping.first() {
        let net = refund.shipping.iter().map(|part| part.subtotal).sum();
        let tax = refund.shipping.iter().map(|part| part.tax).sum();
        let id = (refund.shipping.len() == 1).then_some(first.shipping_id);
        return Some((id, net, tax));
    }
    let parts = || refund.adjustments.iter().filter(|adjustment| adjustment.is_shipping);
    let (net, tax) = (-parts().map(|a| a.amount).sum::<Amount>(), -parts().map(|a| a.tax).sum::<Amount>());
    (!net.is_zero() || !tax.is_zero()).then_some((None, net, tax))
}

/// What the records of these classes take off the lines before they are billed.
#[must_use]
pub fn removed(facts: &Facts, classes: &BTreeMap<i64, Class>) -> Removed {
    let mut removed = Removed::default();
    for refund in facts.refunds.values() {
        match classes.get(&refund.id) {
            Some(Class::Absorbed | Class::Edit) => {
                for line in &refund.lines {
                    let sum = removed.0.entry(line.line_id).or_default();
                    *sum = (sum.0 + line.quantity, sum.1 + line.subtotal, sum.2 + line.tax);
                }
            }
            Some(Class::Receipt | Class::Covered | Class::NotOurs) | None => {}
        }
    }
    removed
}

/// What of an invoice no receipt has taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub units: i64,
    pub net: Amount,
    pub tax: Amount,
}

impl Left {
    fn take(&mut self, billed: &Billed) {
        self.units -= billed.units;
        self.net -= billed.net;
        self.tax -= billed.tax;
    }
}

/// What is left of each billed thing after these receipts, by the invoice's own sources. Money that went back for none of
/// them stands below zero, so that all together is what is left of the whole.
#[must_use]
pub fn left<'a>(invoice: &InvoiceDraft, receipts: impl Iterator<Item = &'a ReceiptDraft>) -> BTreeMap<Source, Left> {
    let mut left: BTreeMap<Source, Left> = invoice
        .billed
        .iter()
        .map(|billed| (billed.source, Left { units: billed.units, net: billed.net, tax: billed.tax }))
        .collect();
    for billed in receipts.flat_map(|receipt| &receipt.billed) {
        left.entry(billed.source).or_default().take(billed);
    }
    left
}

/// What of the whole invoice no receipt has taken back, as the customer pays it.
#[must_use]
pub fn worth(invoice: &InvoiceDraft, left: &BTreeMap<Source, Left>) -> Amount {
    let included = invoice.billed.first().is_some_and(|billed| billed.included);
    left.values().map(|left| if included { left.net } else { left.net + left.tax }).sum()
}

/// The receipt for one refund record. `money` is what becomes of money that neither goods nor shipping explain.
pub fn receipt(
    refund: &Refund,
    merchant: &Merchant,
    snapshot: &Snapshot,
    invoice: &InvoiceDraft,
    left: &BTreeMap<Source, Left>,
    money: LinePolicy,
) -> Result<ReceiptDraft, Vec<Hold>> {
    let mut holds = Vec::new();
    let mut billed: Vec<Billed> = Vec::new();
    // Units that are the last of an older body need not be the last.
    let is_current = snapshot.refunds_seen.contains(&refund.id);
    for line in &refund.lines {
        let exceeds = |title: &str, left| Hold::RefundExceeds {
            refund: refund.id,
            line: title.to_owned(),
            left,
            refunded: line.quantity,
        };
        let Some(original) = invoice.find(Source::Line(line.line_id)) else {
            // Somebody else's goods are no part of it. Our own that are off the invoice may come back onto it by an edit
            // of which the body is still to come.
            if invoice.seen.get(&line.line_id) == Some(&Seen::Billed) {
                let named = snapshot.lines.iter().find(|known| known.id == line.line_id);
                holds.push(exceeds(named.map_or("", |known| &known.title), 0));
            }
            continue;
        };
        // One record may name a line several times, for goods that go different ways.
        let mut rest = left.get(&original.source).copied().unwrap_or_default();
        for taken in billed.iter().filter(|taken| taken.source == original.source) {
            rest.take(taken);
        }
        match take_back(original, line, rest, is_current) {
            Some(part) => billed.push(part),
            None => holds.push(exceeds(&original.title, rest.units)),
        }
    }
    if touches_shipping(refund, invoice) {
        match take_back_shipping(refund, invoice, left) {
            Some(part) => billed.push(part),
            None => holds.push(Hold::RefundPart { refund: refund.id, part: RefundPart::Shipping }),
        }
    }
    let part = |part| Hold::RefundPart { refund: refund.id, part };
    let only_money = is_money_alone(refund);
    if has_money_beside(refund) {
        let (amount, tax) = other_money(refund);
        // Money kept would be a row below zero.
        let is_more = amount + tax < Amount::ZERO || amount.is_zero() && tax.is_zero();
        match money {
            LinePolicy::Line if is_more => match money_row(refund, snapshot, invoice, &billed) {
                Some(row) => billed.push(row),
                None => holds.push(part(RefundPart::Adjustment)),
            },
            LinePolicy::Skip if is_more => {}
            LinePolicy::Hold | LinePolicy::Skip | LinePolicy::Line => {
                holds.push(part(if only_money { RefundPart::MoneyOnly } else { RefundPart::Adjustment }));
            }
        }
    }
    if touches_duties(refund, invoice) {
        holds.push(part(RefundPart::Duties));
    }
    if holds.is_empty() && shop_totals(&billed).total > worth(invoice, left) {
        holds.push(part(RefundPart::TooMuch));
    }
    if billed.is_empty() && holds.is_empty() {
        holds.push(part(if refund.has_money() { RefundPart::MoneyOnly } else { RefundPart::Line }));
    }
    if holds.is_empty() {
        let header = receipt_header(merchant, snapshot.id, invoice, Cause::Refund(refund.id), refund.created_at);
        Ok(ReceiptDraft { header, cause: Cause::Refund(refund.id), billed })
    } else {
        Err(holds)
    }
}

/// The receipt for all that is left of an invoice.
#[must_use]
pub fn receipt_for_the_rest(
    merchant: &Merchant,
    order_id: i64,
    cause: Cause,
    at: Timestamp,
    invoice: &InvoiceDraft,
    left: &BTreeMap<Source, Left>,
) -> ReceiptDraft {
    let billed = invoice.billed.iter().filter_map(|original| {
        let rest = left.get(&original.source).copied().unwrap_or_default();
        (rest.units > 0).then(|| part_of(original, rest.units, rest.net, rest.tax, original.product_id))
    });
    ReceiptDraft { header: receipt_header(merchant, order_id, invoice, cause, at), cause, billed: billed.collect() }
}

fn receipt_header(merchant: &Merchant, order_id: i64, invoice: &InvoiceDraft, cause: Cause, at: Timestamp) -> Header {
    Header {
        reference: reference(merchant, order_id, &cause.source_key()),
        date: at.to_zoned(merchant.zone.clone()).date(),
        draft: false,
        ..invoice.header.clone()
    }
}

fn take_back(original: &Billed, line: &RefundLine, rest: Left, is_current: bool) -> Option<Billed> {
    if line.quantity <= 0 || line.quantity > rest.units {
        return None;
    }
    // The last units take the remainder of the shop's rounding, which is at most a minor unit per unit taken before.
    let is_last = is_current && line.quantity == rest.units;
    let slack = Amount(original.units);
    let settle = |stated: Amount, rest: Amount| {
        if is_last && (rest - stated).abs() <= slack { Some(rest) } else { (stated <= rest).then_some(stated) }
    };
    let (net, tax) = (settle(line.subtotal, rest.net)?, settle(line.tax, rest.tax)?);
    let product_id = match line.restock {
        // Without a product the row moves no stock: the goods do not come back.
        Restock::NoRestock => None,
        Restock::Cancel | Restock::Return | Restock::LegacyRestock => original.product_id,
    };
    Some(part_of(original, line.quantity, net, tax, product_id))
}

/// A shipping refund is the whole of what is left, or a part of it, whichever way the body counts the tax. Anything else is
/// not guessed.
fn take_back_shipping(refund: &Refund, invoice: &InvoiceDraft, left: &BTreeMap<Source, Left>) -> Option<Billed> {
    let (id, net, tax) = shipping_part(refund)?;
    let mut carried = invoice.billed.iter().filter(|billed| match (billed.source, id) {
        (Source::Shipping(own), Some(id)) => own == id,
        (Source::Shipping(_), None) => true,
        (Source::Line(_) | Source::Tip | Source::Duties | Source::Fees | Source::Money(_), _) => false,
    });
    let (original, None) = (carried.next()?, carried.next()) else { return None };
    let rest = left.get(&original.source).copied().unwrap_or_default();
    let is_all = rest.tax == tax && (rest.net == net || original.included && rest.net == net + tax);
    if rest.units > 0 && is_all {
        return Some(part_of(original, rest.units, rest.net, rest.tax, None));
    }
    let net = if original.included { shipping_in_price_terms(original, net, tax)? } else { net };
    let fits = net > Amount::ZERO && net < rest.net && (Amount::ZERO..=rest.tax).contains(&tax);
    // A part of the amount takes no unit: the one unit of shipping is used up by its last part only.
    fits.then(|| part_of(original, 0, net, tax, None))
}

/// A part of a price that contains its tax, whichever way the body counts it: the tax is the same part of it as of the
/// whole. Where that leaves a choice nothing is guessed.
fn shipping_in_price_terms(original: &Billed, net: Amount, tax: Amount) -> Option<Amount> {
    let is_price = |worth: Amount| (tax - original.tax.share(worth.0, original.net.0)).abs() <= Amount(1);
    match (is_price(net), is_price(net + tax)) {
        (true, false) => Some(net),
        (false, true) => Some(net + tax),
        (true, true) => tax.is_zero().then_some(net),
        (false, false) => None,
    }
}

/// Money for no goods as a row of its own: if the record's parts together are the money that went back, and its tax, if it
/// has one, is that of everything on the invoice.
fn money_row(refund: &Refund, snapshot: &Snapshot, invoice: &InvoiceDraft, others: &[Billed]) -> Option<Billed> {
    let paid = refund.paid_out(snapshot.currency)?;
    let (amount, tax) = match other_money(refund) {
        (amount, tax) if amount.is_zero() && tax.is_zero() => (paid, Amount::ZERO),
        (amount, tax) => (-amount, -tax),
    };
    let first = invoice.billed.first()?;
    let is_all = shop_totals(others).total + amount + tax == paid;
    let is_plain = amount > Amount::ZERO && tax >= Amount::ZERO;
    let same_tax = tax.is_zero() || invoice.billed.iter().all(|billed| billed.taxes == first.taxes);
    if !(is_all && is_plain && same_tax && invoice.is_whole_order()) {
        return None;
    }
    let row = Billed {
        source: Source::Money(refund.id),
        title: "Money back".to_owned(),
        sku: String::new(),
        product_id: None,
        found: None,
        taxes: if tax.is_zero() { Vec::new() } else { first.taxes.clone() },
        included: first.included,
        units: 1,
        net: if first.included { amount + tax } else { amount },
        tax,
        rows: Vec::new(),
    };
    Some(row.in_rows())
}

fn part_of(original: &Billed, units: i64, net: Amount, tax: Amount, product_id: Option<i64>) -> Billed {
    Billed { units, net, tax, product_id, ..original.clone() }.in_rows()
}

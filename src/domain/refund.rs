//! How each refund record is understood, and the receipts that follow.
//!
//! Every record gets exactly one class, for ever: it lowers what the first invoice bills, or changes the invoice, or
//! becomes a receipt, or changes nothing. A receipt repeats the invoice's own product, taxes and store, and never takes
//! back more than is left.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::invoice::{Billed, Header, InvoiceDraft, Removed, Seen, Source, exact_rows, reference};
use super::money::Amount;
use super::order::{Facts, Order, Refund, RefundLine, Restock, Snapshot};
use super::reason::{Hold, RefundPart};
use super::rules::Merchant;

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
    /// Its goods are on the receipt of the cancellation already; or only money that was paid too much went back.
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
}

impl Cause {
    /// The receipt's place in the ledger of its order.
    #[must_use]
    pub fn source_key(self) -> String {
        match self {
            Self::Refund(id) => format!("refund/{id}"),
            Self::Cancel => "cancel".to_owned(),
        }
    }
}

/// The order with the amounts of its refunded goods in the terms of its prices: containing the tax where prices do.
///
/// Shopify's words say that `subtotal` contains the tax in such a shop, the sums of its refunds say that it does not.
/// The line itself tells which: every unit is worth the same, but for the rounding that gathers in the last. Where an edit
/// has changed their worth since, the tax is still the same part of what is given back as of what was charged.
#[must_use]
pub fn in_price_terms(order: &Order) -> Cow<'_, Order> {
    if !order.snapshot.taxes_included || order.facts.refunds.is_empty() {
        return Cow::Borrowed(order);
    }
    let mut order = order.clone();
    for part in order.facts.refunds.values_mut().flat_map(|refund| &mut refund.lines) {
        let Some(line) = order.snapshot.lines.iter().find(|line| line.id == part.line_id) else { continue };
        if line.net() <= Amount::ZERO {
            continue;
        }
        let off = |worth: Amount| (part.tax - line.tax().share(worth.0, line.net().0)).abs();
        let with_tax = part.subtotal + part.tax;
        let units = line.net().share(part.quantity, line.quantity);
        let fits = |worth: Amount| (worth - units).abs() <= Amount(line.quantity);
        let lacks_tax = match (fits(part.subtotal), fits(with_tax)) {
            (true, _) => false,
            (false, true) => true,
            // A minor unit is rounding and proves nothing.
            (false, false) => off(part.subtotal) > Amount(1) && off(with_tax) < off(part.subtotal),
        };
        if lacks_tax {
            part.subtotal = with_tax;
        }
    }
    Cow::Owned(order)
}

/// Which lines of the order are the merchant's.
pub type OwnLines = BTreeSet<i64>;

/// The class of a record that is known before the invoice was ever sent. `draft` is the invoice of the whole order.
#[must_use]
pub fn class_before_invoice(refund: &Refund, own: &OwnLines, draft: &InvoiceDraft) -> Class {
    let only_goods = !touches_shipping(refund, draft) && !has_other_money(refund) && !refund.has_duties;
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
    let beside = touches_shipping(refund, invoice) || has_other_money(refund) || refund.has_duties;
    let only_goods = lines().next().is_some() && !beside;
    if only_goods && !refund.has_money() && !came_back && !gone && facts.cancelled.is_none() {
        Class::Edit
    } else {
        Class::Receipt
    }
}

/// No own line, no shipping that we billed, and no money that could only be about us.
fn is_not_ours(refund: &Refund, own: &OwnLines, invoice: &InvoiceDraft) -> bool {
    own_lines(refund, own).next().is_none() && !touches_shipping(refund, invoice) && !is_ours_alone(refund, invoice)
}

/// Money that neither goods nor shipping explain. A record that moved no money may say so by an adjustment of the worth
/// of its goods: that is none.
fn has_other_money(refund: &Refund) -> bool {
    let other = refund.adjustments.iter().filter(|adjustment| !adjustment.is_shipping);
    let (amount, tax): (Amount, Amount) = other.fold(Default::default(), |sum, a| (sum.0 + a.amount, sum.1 + a.tax));
    let worth: Amount = refund.lines.iter().map(|line| line.subtotal).sum();
    let taxed = worth + refund.lines.iter().map(|line| line.tax).sum();
    let is_unpaid_worth = !refund.has_money() && [worth, taxed].contains(&(amount + tax));
    !(amount.is_zero() && tax.is_zero() || is_unpaid_worth)
}

/// Money without goods can only be attributed when nobody else has a line in the order, and is not shipping alone: who
/// billed the shipping gives it back.
fn is_ours_alone(refund: &Refund, invoice: &InvoiceDraft) -> bool {
    let has_goods = !refund.lines.is_empty();
    let only_shipping = shipping_part(refund).is_some() && !has_other_money(refund) && !refund.has_duties;
    invoice.is_whole_order() && !has_goods && !only_shipping && (refund.has_money() || has_other_money(refund))
}

/// Money that is for no goods and no shipping: it can only be an over-payment, or a kindness.
#[must_use]
pub fn is_money_alone(refund: &Refund) -> bool {
    refund.lines.is_empty() && shipping_part(refund).is_none() && !refund.has_duties && refund.has_money()
}

fn own_lines<'a>(refund: &'a Refund, own: &'a OwnLines) -> impl Iterator<Item = &'a RefundLine> {
    refund.lines.iter().filter(|line| own.contains(&line.line_id))
}

fn touches_shipping(refund: &Refund, invoice: &InvoiceDraft) -> bool {
    invoice.billed.iter().any(|billed| matches!(billed.source, Source::Shipping(_))) && shipping_part(refund).is_some()
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

/// What is left of each billed thing after these receipts, by the invoice's own sources.
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

/// The receipt for one refund record.
pub fn receipt(
    refund: &Refund,
    merchant: &Merchant,
    snapshot: &Snapshot,
    invoice: &InvoiceDraft,
    left: &BTreeMap<Source, Left>,
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
    if has_other_money(refund) {
        holds.push(part(RefundPart::Adjustment));
    }
    if refund.has_duties {
        holds.push(part(RefundPart::Duties));
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

/// The receipt for all that is left of a cancelled order.
#[must_use]
pub fn cancel_receipt(
    merchant: &Merchant,
    order_id: i64,
    at: Timestamp,
    invoice: &InvoiceDraft,
    left: &BTreeMap<Source, Left>,
) -> ReceiptDraft {
    let billed = invoice.billed.iter().filter_map(|original| {
        let rest = left.get(&original.source).copied().unwrap_or_default();
        (rest.units > 0).then(|| part_of(original, rest.units, rest.net, rest.tax, original.product_id))
    });
    ReceiptDraft {
        header: receipt_header(merchant, order_id, invoice, Cause::Cancel, at),
        cause: Cause::Cancel,
        billed: billed.collect(),
    }
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

/// A shipping refund is either the whole of what is left, whichever way the body counts its tax, or a net amount beside
/// its tax. Anything else is not guessed.
fn take_back_shipping(refund: &Refund, invoice: &InvoiceDraft, left: &BTreeMap<Source, Left>) -> Option<Billed> {
    let (id, net, tax) = shipping_part(refund)?;
    let mut carried = invoice.billed.iter().filter(|billed| match (billed.source, id) {
        (Source::Shipping(own), Some(id)) => own == id,
        (Source::Shipping(_), None) => true,
        (Source::Line(_) | Source::Tip | Source::Duties | Source::Fees, _) => false,
    });
    let (original, None) = (carried.next()?, carried.next()) else { return None };
    let rest = left.get(&original.source).copied().unwrap_or_default();
    let is_all =
        if original.included { rest.net == net || rest.net == net + tax } else { rest.net == net && rest.tax == tax };
    if rest.units > 0 && is_all {
        return Some(part_of(original, rest.units, rest.net, rest.tax, None));
    }
    let fits = !original.included && net > Amount::ZERO && net < rest.net && tax <= rest.tax;
    // A part of the amount takes no unit: the one unit of shipping is used up by its last part only.
    fits.then(|| Billed { units: 0, rows: exact_rows(1, net), ..part_of(original, 0, net, tax, None) })
}

fn part_of(original: &Billed, units: i64, net: Amount, tax: Amount, product_id: Option<i64>) -> Billed {
    Billed { units, net, tax, product_id, rows: exact_rows(units, net), ..original.clone() }
}

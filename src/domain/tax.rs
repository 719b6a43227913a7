//! From the taxes that the shop charged on a line to the one tax of its row in Daftra.
//!
//! A row carries one tax at most. Whether Daftra takes a second one on the net alone or on the first one too is unknown;
//! one tax comes out the same in both readings. So taxes that a line carries together need a rule for their sum.
//!
//! The shop's amounts count, its rates are labels: bodies are known whose tax is no such part of the price. Then the rule
//! is meant that gives the amount. Whether the document as a whole adds up is for the gate to say.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::Amount;
use super::order::TaxLine;
use super::reason::Hold;
use super::rules::{Rules, TaxRule, fold};

/// A tax of the shop, or several as `A + B`, and the Daftra tax they were mapped to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BilledTax {
    pub title: String,
    /// Of the tax in Daftra: 0.15 is fifteen percent.
    pub rate: Decimal,
    pub daftra_id: i64,
}

/// What the shop charged for a line or for shipping.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Its title, for holds.
    pub line: &'a str,
    pub taxes: &'a [TaxLine],
    /// The net contains the taxes.
    pub included: bool,
    pub net: Amount,
    pub units: i64,
}

/// Daftra's tax for what was charged, if anything was. `before` is what the row has already.
pub fn map(charge: &Charge<'_>, rules: &Rules, before: &[BilledTax]) -> Result<Option<BilledTax>, Hold> {
    let Some(tax) = joined(charge.taxes) else { return Ok(None) };
    let TaxLine { title, rate, amount } = tax;
    let off = |rate| (Amount::rounded(exact(charge.net, rate, charge.included)) - amount).abs();
    // The shop rounds by unit, and spreads over the lines what it rounded for the order.
    let explains = |rate| off(rate) <= Amount(charge.units + 1);
    let mut known = before.iter().filter(|tax| same_titles(&tax.title, &title));
    if let Some(known) = known.find(|tax| tax.rate == rate || explains(tax.rate)) {
        return Ok(Some(known.clone()));
    }
    let several = counting(charge.taxes).nth(1).is_some();
    let of_title = |rule: &&TaxRule| match &rule.title {
        Some(known) => same_titles(known, &title),
        // A tax would be booked as another.
        None => !several,
    };
    let mut fitting: Vec<&TaxRule> =
        rules.taxes.iter().filter(|rule| rule.included == charge.included).filter(of_title).collect();
    fitting.sort_by_key(|rule| rule.title.is_none());
    let stated = fitting.iter().find(|rule| rule.rate == rate);
    let meant = || {
        let mut exact = fitting.iter().filter(|rule| off(rule.rate).is_zero());
        exact.next().filter(|first| exact.all(|other| other.rate == first.rate))
    };
    let rule = if explains(rate) { stated } else { meant().or(stated) };
    let line = charge.line.to_owned();
    match rule {
        Some(TaxRule { rate, daftra_id, .. }) => Ok(Some(BilledTax { title, rate: *rate, daftra_id: *daftra_id })),
        None if several => Err(Hold::SeveralTaxes { line, title, rate, included: charge.included }),
        None => Err(Hold::UnknownTax { line, title, rate, included: charge.included }),
    }
}

/// The tax that an amount of so much carries or contains, in fractions of a minor unit.
#[must_use]
pub fn exact(net: Amount, rate: Decimal, included: bool) -> Decimal {
    let tax = Decimal::from(net.0) * rate;
    if included { tax / (Decimal::ONE + rate) } else { tax }
}

/// Everything that was charged as one tax, as a rule of the tax map must name it.
#[must_use]
pub fn joined(taxes: &[TaxLine]) -> Option<TaxLine> {
    let mut counting = counting(taxes);
    let mut sum = counting.next()?.clone();
    for tax in counting {
        sum.title.push_str(" + ");
        sum.title.push_str(&tax.title);
        sum.rate += tax.rate;
        sum.amount += tax.amount;
    }
    Some(sum)
}

/// The shop lists taxes that it did not charge, a rate with an amount of zero: those are none of the row's, or Daftra
/// would compute them. A rate of zero is one where nothing else is.
fn counting(taxes: &[TaxLine]) -> impl Iterator<Item = &TaxLine> {
    let charges = |tax: &&TaxLine| !tax.amount.is_zero();
    let zero_rated = if taxes.iter().any(|tax| charges(&tax)) { None } else { taxes.iter().find(|t| t.rate.is_zero()) };
    taxes.iter().filter(charges).chain(zero_rated)
}

/// Whether two titles name the same taxes, `A + B` like `B + A`.
fn same_titles(a: &str, b: &str) -> bool {
    let names = |titles: &str| {
        let mut names: Vec<String> = titles.split('+').map(fold).collect();
        names.sort();
        names
    };
    names(a) == names(b)
}

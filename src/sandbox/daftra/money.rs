//! Totals of a document, from rows and header alone. Exact decimals; halves are rounded away from zero.
//!
//! A row's subtotal is before tax, also when the tax is included in the price. A header discount lowers the taxable
//! amount of every row by the same share. What `tax2` is taken on is the account's to say.

use super::setup::{AccountSetup, Rounding, SecondTax};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

/// A tax as it counts on a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rate {
    pub tax_id: u64,
    pub name: String,
    pub percent: Decimal,
    pub included: bool,
}

impl Rate {
    fn share(&self) -> Decimal {
        self.percent / Decimal::ONE_HUNDRED
    }
}

/// Discount of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowDiscount {
    /// None.
    No,
    /// Of the row, type 1.
    Percent(Decimal),
    /// Per unit, type 2: counts as often as the quantity says.
    PerUnit(Decimal),
}

/// Discount of the whole document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discount {
    /// None.
    No,
    /// Field `discount`.
    Percent(Decimal),
    /// Field `discount_amount`.
    Amount(Decimal),
}

/// What a row brings to the totals.
pub(super) struct Row<'a> {
    pub unit_price: Decimal,
    pub quantity: Decimal,
    pub discount: RowDiscount,
    pub taxes: [Option<&'a Rate>; 2],
}

/// What the header brings to the totals.
pub(super) struct Header<'a> {
    pub discount: Discount,
    pub shipping: Decimal,
    pub shipping_tax: Option<&'a Rate>,
}

/// Amounts of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowTotals {
    /// Before tax, after the row's discount.
    pub subtotal: Decimal,
    pub discount: Decimal,
    /// Amounts of `tax1` and `tax2`.
    pub taxes: [Decimal; 2],
}

/// Amounts of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub rows: Vec<RowTotals>,
    pub item_discount: Decimal,
    pub subtotal: Decimal,
    pub discount: Decimal,
    pub tax: Decimal,
    pub shipping: Decimal,
    pub shipping_tax: Decimal,
    pub total: Decimal,
}

pub(super) fn totals(rows: &[Row<'_>], header: &Header<'_>, setup: &AccountSetup) -> Totals {
    let round = |amount: Decimal| amount.round_dp_with_strategy(setup.decimals, RoundingStrategy::MidpointAwayFromZero);
    let early = |amount| match setup.rounding {
        Rounding::Row => round(amount),
        Rounding::Document => amount,
    };
    let rows: Vec<RowTotals> = rows.iter().map(|row| row_totals(row, setup.second_tax, early)).collect();
    let subtotal: Decimal = rows.iter().map(|row| row.subtotal).sum();
    let discount = early(match header.discount {
        Discount::No => Decimal::ZERO,
        Discount::Percent(percent) => subtotal * percent / Decimal::ONE_HUNDRED,
        Discount::Amount(amount) => amount,
    });
    let taxed = |tax: Decimal| match discount.is_zero() || subtotal.is_zero() {
        true => tax,
        false => early(tax * (subtotal - discount) / subtotal),
    };
    let rows: Vec<RowTotals> = rows.into_iter().map(|row| RowTotals { taxes: row.taxes.map(taxed), ..row }).collect();
    let tax: Decimal = rows.iter().flat_map(|row| row.taxes).sum();
    let (shipping_tax, shipping_extra) = match header.shipping_tax {
        None => (Decimal::ZERO, Decimal::ZERO),
        Some(rate) if rate.included => {
            (early(header.shipping - header.shipping / (Decimal::ONE + rate.share())), Decimal::ZERO)
        }
        Some(rate) => {
            let tax = early(header.shipping * rate.share());
            (tax, tax)
        }
    };
    Totals {
        item_discount: round(rows.iter().map(|row| row.discount).sum()),
        subtotal: round(subtotal),
        discount: round(discount),
        tax: round(tax),
        shipping: round(header.shipping),
        shipping_tax: round(shipping_tax),
        total: round(subtotal - discount + tax + header.shipping + shipping_extra),
        rows: (rows.into_iter())
            .map(|row| RowTotals {
                subtotal: round(row.subtotal),
                discount: round(row.discount),
                taxes: row.taxes.map(round),
            })
            .collect(),
    }
}

fn row_totals(row: &Row<'_>, second_tax: SecondTax, round: impl Fn(Decimal) -> Decimal) -> RowTotals {
    let gross = row.unit_price * row.quantity;
    let discount = round(match row.discount {
        RowDiscount::No => Decimal::ZERO,
        RowDiscount::Percent(percent) => gross * percent / Decimal::ONE_HUNDRED,
        RowDiscount::PerUnit(amount) => amount * row.quantity,
    });
    let price = round(gross - discount);
    let share = |slot: Option<&Rate>| slot.map_or(Decimal::ZERO, Rate::share);
    let included = |slot: Option<&Rate>| slot.is_some_and(|rate| rate.included);
    let [tax1, tax2] = row.taxes;
    // What a unit of net brings of each tax, and how much of that the price contains.
    let second_share = match second_tax {
        SecondTax::OnNet => share(tax2),
        SecondTax::OnNetAndFirst => (Decimal::ONE + share(tax1)) * share(tax2),
    };
    let inside = |slot, part| if included(slot) { part } else { Decimal::ZERO };
    let exact = price / (Decimal::ONE + inside(tax1, share(tax1)) + inside(tax2, second_share));
    let first = round(exact * share(tax1));
    let second = round(exact * second_share);
    // What is included leaves the price, so that the parts add up to it to the last digit.
    let contained = [(tax1, first), (tax2, second)].into_iter().filter(|(slot, _)| included(*slot));
    let subtotal = price - contained.map(|(_, amount)| amount).sum::<Decimal>();
    RowTotals { subtotal, discount, taxes: [first, second] }
}

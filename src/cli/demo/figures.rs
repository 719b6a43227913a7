//! The amounts of an order as its shop signed them, in minor units: what the merchant sees and may hold anybody to.
//!
//! A second reading of the body, of the little that an expectation needs. Amounts are in the terms of the prices: they
//! contain the tax where prices do, also those of refund records, of which the shop prints the part without tax.

use std::collections::BTreeMap;

use anyhow::Context as _;
use rust_decimal::Decimal;
use serde_json::Value;

use super::town::ShopRow;

/// Units, or none for shipping, with their money after discounts and the tax in it or on top of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Worth {
    pub(super) units: i64,
    pub(super) net: i64,
    pub(super) tax: i64,
}

impl std::ops::AddAssign for Worth {
    fn add_assign(&mut self, other: Self) {
        self.units += other.units;
        self.net += other.net;
        self.tax += other.tax;
    }
}

impl std::ops::Neg for Worth {
    type Output = Self;

    fn neg(self) -> Self {
        Self { units: -self.units, net: -self.net, tax: -self.tax }
    }
}

/// An element of `refunds[]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// By line; one record names a line once.
    pub(super) goods: BTreeMap<u64, Worth>,
    pub(super) shipping: Option<Worth>,
}

/// The amounts of one body.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) total: i64,
    /// Positive: by the buyer.
    pub(super) owed: i64,
    /// Everything ever ordered, by line.
    pub(super) lines: BTreeMap<u64, Worth>,
    pub(super) shipping: Option<Worth>,
    pub(super) shipping_left: i64,
    pub(super) records: BTreeMap<u64, Record>,
    /// Any discount, for whoever wants to alter one.
    pub(super) discount: i64,
}

impl Figures {
    pub(super) fn read(body: &Value, shop: &ShopRow) -> anyhow::Result<Self> {
        let reader = Reader { digits: shop.digits, taxes_included: shop.taxes_included };
        let mut figures = Self {
            total: reader.text(&body["total_price"])?,
            owed: reader.text(&body["total_outstanding"])?,
            discount: reader.text(&body["total_discounts"])?,
            ..Self::default()
        };
        for line in list(&body["line_items"]) {
            let units = whole(&line["quantity"])?;
            figures.lines.insert(id(&line["id"])?, reader.charged(line, units)?);
        }
        if let Some(line) = list(&body["shipping_lines"]).next() {
            figures.shipping = Some(reader.charged(line, 1)?);
        }
        for refund in list(&body["refunds"]) {
            let mut record = Record::default();
            for part in list(&refund["refund_line_items"]) {
                let back = reader.back(&part["subtotal_set"], &part["total_tax_set"], whole(&part["quantity"])?)?;
                record.goods.insert(id(&part["line_item_id"])?, back);
            }
            if let Some(part) = list(&refund["refund_shipping_lines"]).next() {
                record.shipping = Some(reader.back(&part["subtotal_amount_set"], &part["tax_amount_set"], 1)?);
            }
            figures.records.insert(id(&refund["id"])?, record);
        }
        let gone: i64 = figures.records.values().filter_map(|record| record.shipping).map(|back| back.net).sum();
        figures.shipping_left = figures.shipping.map_or(0, |line| line.net) - gone;
        Ok(figures)
    }
}

struct Reader {
    digits: u32,
    taxes_included: bool,
}

impl Reader {
    /// A line or the shipping: price times units, less its discounts.
    fn charged(&self, line: &Value, units: i64) -> anyhow::Result<Worth> {
        let mut worth = Worth { units, net: self.text(&line["price"])? * units, tax: 0 };
        for discount in list(&line["discount_allocations"]) {
            worth.net -= self.text(&discount["amount"])?;
        }
        for tax in list(&line["tax_lines"]) {
            worth.tax += self.text(&tax["price"])?;
        }
        Ok(worth)
    }

    fn back(&self, subtotal: &Value, tax: &Value, units: i64) -> anyhow::Result<Worth> {
        let (subtotal, tax) = (self.bag(subtotal)?, self.bag(tax)?);
        let net = if self.taxes_included { subtotal + tax } else { subtotal };
        Ok(Worth { units, net, tax })
    }

    fn bag(&self, bag: &Value) -> anyhow::Result<i64> {
        self.text(&bag["shop_money"]["amount"])
    }

    fn text(&self, amount: &Value) -> anyhow::Result<i64> {
        let exact = amount.as_str().and_then(|text| minor(text.parse().ok()?, self.digits));
        exact.with_context(|| format!("{amount} is no amount of the shop"))
    }
}

/// An amount in minor units; none if it has more digits than its currency.
pub(super) fn minor(amount: Decimal, digits: u32) -> Option<i64> {
    let scaled = (amount * Decimal::from(10_i64.pow(digits))).normalize();
    if scaled.scale() == 0 { i64::try_from(scaled.mantissa()).ok() } else { None }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn id(value: &Value) -> anyhow::Result<u64> {
    value.as_u64().with_context(|| format!("{value} is no id"))
}

fn whole(value: &Value) -> anyhow::Result<i64> {
    value.as_i64().with_context(|| format!("{value} is no number of units"))
}

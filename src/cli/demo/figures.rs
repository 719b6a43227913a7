//! The amounts of an order as its shop signed them, in minor units: what the merchant sees and may hold anybody to.
//!
//! A second reading of the body, of the little that an expectation needs. Amounts are in the terms of the prices: they
//! contain the tax where prices do, also those of refund records, of which the shop prints the part without tax.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::Timestamp;
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
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) at: Timestamp,
    /// By line; one record names a line once.
    pub(super) goods: BTreeMap<u64, Worth>,
    pub(super) shipping: Option<Worth>,
}

/// The shop's word for where the money stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Paid,
    /// All of it or a part.
    WentBack,
    Other,
}

/// The amounts of one body.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// The business date of the order.
    pub(super) processed: Timestamp,
    pub(super) cancelled: Option<Timestamp>,
    pub(super) word: Word,
    pub(super) total: i64,
    /// Positive: by the buyer.
    pub(super) owed: i64,
    /// Everything ever ordered, by line.
    pub(super) lines: BTreeMap<u64, Worth>,
    pub(super) shipping: Option<Worth>,
    pub(super) shipping_left: i64,
    /// Import duties, of which no line tells.
    pub(super) duties: i64,
    pub(super) records: BTreeMap<u64, Record>,
    /// Any discount, for whoever wants to alter one.
    pub(super) discount: i64,
}

impl Figures {
    pub(super) fn read(body: &Value, shop: &ShopRow) -> anyhow::Result<Self> {
        let reader = Reader { digits: shop.digits, taxes_included: shop.taxes_included };
        let mut figures = Self {
            processed: moment(&body["processed_at"])?,
            cancelled: (!body["cancelled_at"].is_null()).then(|| moment(&body["cancelled_at"])).transpose()?,
            word: match body["financial_status"].as_str() {
                Some("paid") => Word::Paid,
                Some("refunded" | "partially_refunded") => Word::WentBack,
                Some(_) | None => Word::Other,
            },
            total: reader.text(&body["total_price"])?,
            owed: reader.text(&body["total_outstanding"])?,
            discount: reader.text(&body["total_discounts"])?,
            lines: BTreeMap::new(),
            shipping: None,
            shipping_left: 0,
            duties: match body["original_total_duties_set"].is_null() {
                true => 0,
                false => reader.bag(&body["original_total_duties_set"])?,
            },
            records: BTreeMap::new(),
        };
        for line in list(&body["line_items"]) {
            let units = whole(&line["quantity"])?;
            figures.lines.insert(id(&line["id"])?, reader.charged(line, units)?);
        }
        if let Some(line) = list(&body["shipping_lines"]).next() {
            figures.shipping = Some(reader.charged(line, 1)?);
        }
        for refund in list(&body["refunds"]) {
            let mut record = Record { at: moment(&refund["created_at"])?, goods: BTreeMap::new(), shipping: None };
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

/// Money that moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved {
    pub(super) transaction: u64,
    pub(super) at: Timestamp,
    /// Below zero: back to the buyer.
    pub(super) amount: i64,
}

impl Moved {
    /// What the body of a transaction says; none if it moved nothing.
    pub(super) fn read(body: &Value, shop: &ShopRow) -> anyhow::Result<Option<Self>> {
        let sign = match (body["status"].as_str(), body["kind"].as_str()) {
            (Some("success"), Some("sale" | "capture")) => 1,
            (Some("success"), Some("refund")) => -1,
            _ => return Ok(None),
        };
        let amount = sign * shop_amount(&body["amount"], shop.digits)?;
        Ok(Some(Self { transaction: id(&body["id"])?, at: moment(&body["processed_at"])?, amount }))
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
        shop_amount(amount, self.digits)
    }
}

fn shop_amount(amount: &Value, digits: u32) -> anyhow::Result<i64> {
    let exact = amount.as_str().and_then(|text| minor(text.parse().ok()?, digits));
    exact.with_context(|| format!("{amount} is no amount of the shop"))
}

/// An amount in minor units; none if it has more digits than its currency.
pub(super) fn minor(amount: Decimal, digits: u32) -> Option<i64> {
    let scaled = (amount * Decimal::from(10_i64.pow(digits))).normalize();
    if scaled.scale() == 0 { i64::try_from(scaled.mantissa()).ok() } else { None }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn moment(value: &Value) -> anyhow::Result<Timestamp> {
    let moment = value.as_str().and_then(|text| text.parse().ok());
    moment.with_context(|| format!("{value} is no moment"))
}

fn id(value: &Value) -> anyhow::Result<u64> {
    value.as_u64().with_context(|| format!("{value} is no id"))
}

fn whole(value: &Value) -> anyhow::Result<i64> {
    value.as_i64().with_context(|| format!("{value} is no number of units"))
}

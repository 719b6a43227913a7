//! Questions about the stock: how much of a product is there, and whether an invoice took its goods.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::client::{Answered, Client, Door, unreadable};
use super::look::List;
use super::outcome::{Dialect, Setback, Unanswered};
use super::wire;
use crate::outgoing::Method;

/// Rows of the stock that invoices wrote.
const BY_INVOICE: i64 = 2;

impl Client {
    /// What is left of a product in each store. None: Daftra keeps no stock of it, or has no such product.
    pub fn available(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        product_id: i64,
    ) -> Answered<Result<Option<BTreeMap<i64, Decimal>>, Unanswered>> {
        self.visit(door, pace, "stock", |visit| {
            let path = format!("/api2/products/{product_id}.json");
            match visit.call(Dialect::V1, Method::Get, &path, &[], None) {
                Err(Setback::Refused(refusal)) if refusal.status == 404 => Ok(None),
                reply => wire::available(&reply?).map_err(unreadable),
            }
        })
    }

    /// Whether an invoice moved the stock of a product: the movement itself is the proof.
    pub fn has_moved(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        product_id: i64,
        invoice_id: i64,
    ) -> Answered<Result<bool, Unanswered>> {
        let product = product_id.to_string();
        let source = BY_INVOICE.to_string();
        let list = List {
            dialect: Dialect::V1,
            path: "/api2/stock_transactions.json",
            model: "StockTransaction",
            query: vec![("product_id", &product), ("source_type", &source)],
        };
        self.visit(door, pace, "stock", |visit| {
            let mut has_moved = false;
            visit.pages(&list, &mut |row| {
                let is = |name, wanted| Ok::<_, String>(wire::integer(row, name)? == Some(wanted));
                has_moved |=
                    is("product_id", product_id)? && is("order_id", invoice_id)? && is("source_type", BY_INVOICE)?;
                Ok(())
            })?;
            Ok(has_moved)
        })
    }
}

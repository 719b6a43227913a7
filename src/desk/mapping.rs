//! A person's word that a code of the shop is a product of Daftra. It goes before every other way to find a product;
//! lines that were sent already keep theirs.

use rusqlite::Transaction;
use serde_json::json;

use super::merchant::{ask_orders, open_merchant};
use super::{Done, Effects, Error, Moment, Refusal};
use crate::db::order::{Overview, State};
use crate::db::product;
use crate::domain::catalog::Code;
use crate::domain::reason::{Hold, Reason};

/// Maps a code and asks again for the orders that wait for a product.
pub(super) fn set(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    code: &str,
    product_id: i64,
) -> Result<Done, Error> {
    let merchant = open_merchant(tx, slug)?;
    let known = Code::new(code);
    if known.is_none() {
        return Err(Refusal::new("code", code, "write a SKU, a barcode or the id of a variant").into());
    }
    if product_id <= 0 {
        return Err(Refusal::new("product", product_id, "write Daftra's id of the product, a positive number").into());
    }
    let was = product::mapped(tx, merchant.id, &known)?;
    let mut facts = json!({ "merchant": merchant.slug, "code": known.as_str(), "product": product_id, "was": was });
    if was == Some(product_id) {
        facts["orders"] = 0.into();
        return Ok(Done { answer: facts, effects: Effects::default() });
    }
    product::map(tx, merchant.id, &known, product_id)?;
    facts["orders"] = ask_orders(tx, merchant.id, State::Held, moment.now, waits_for_a_product)?.into();
    moment.write_down(tx, "mapping.set", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects { orders_asked: true, ..Effects::default() } })
}

/// A hold names the codes that were looked for, but not the variant, which may be what was mapped.
fn waits_for_a_product(order: &Overview) -> bool {
    let Some(Reason::Held(holds)) = &order.reason else { return false };
    holds.iter().any(|hold| matches!(hold, Hold::UnknownProduct { .. } | Hold::AmbiguousProduct { .. }))
}

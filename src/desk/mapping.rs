//! A person's word that a code of the shop is a product of Daftra. It goes before every other way to find a product;
//! lines that were sent already keep theirs.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use serde::Serialize;
use serde_json::json;

use super::merchant::{ask_orders, open_merchant};
use super::{About, Done, Effects, Error, MappingRow, Moment, Refusal, Why};
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
    let known = check(None, code, product_id)?;
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

/// Maps many codes at once, or none of them, and asks again for the orders that wait for a product.
pub(super) fn import(tx: &Transaction<'_>, moment: &Moment, slug: &str, rows: &[MappingRow]) -> Result<Done, Error> {
    let merchant = open_merchant(tx, slug)?;
    let mut seen = BTreeSet::new();
    for (number, row) in (1..).zip(rows) {
        let code = check(Some(number), &row.code, row.product_id)?;
        if !seen.insert(code) {
            return Err(refusal(Some(number), "code", &row.code, Why::CodeTwice).into());
        }
    }
    let mut changed = Vec::new();
    for row in rows {
        let code = Code::new(&row.code);
        let was = product::mapped(tx, merchant.id, &code)?;
        if product::map_with_note(tx, merchant.id, &code, row.product_id, row.note.trim())? {
            changed.push(json!({ "code": code.as_str(), "product": row.product_id, "was": was }));
        }
    }
    let mut facts = json!({ "merchant": merchant.slug, "rows": rows.len(), "changed": changed.len(), "orders": 0 });
    if changed.is_empty() {
        return Ok(Done { answer: facts, effects: Effects::default() });
    }
    facts["orders"] = ask_orders(tx, merchant.id, State::Held, moment.now, waits_for_a_product)?.into();
    moment.write_down(tx, "mapping.import", json!({ "merchant": merchant.slug, "changed": changed }))?;
    Ok(Done { answer: facts, effects: Effects { orders_asked: true, ..Effects::default() } })
}

fn check(line: Option<u32>, code: &str, product_id: i64) -> Result<Code, Refusal> {
    let known = Code::new(code);
    if known.is_none() {
        return Err(refusal(line, "code", code, Why::CodeForm));
    }
    if product_id <= 0 {
        return Err(refusal(line, "product", product_id, Why::ProductForm));
    }
    Ok(known)
}

fn refusal(line: Option<u32>, key: &str, value: impl Serialize, why: Why) -> Refusal {
    let refusal = Refusal::new(key, value, why);
    match line {
        None => refusal,
        Some(number) => Refusal { about: About::Line(number, key.to_owned()), ..refusal },
    }
}

/// A hold names the codes that were looked for, but not the variant, which may be what was mapped.
fn waits_for_a_product(order: &Overview) -> bool {
    let Some(Reason::Held(holds)) = &order.reason else { return false };
    holds.iter().any(|hold| matches!(hold, Hold::UnknownProduct { .. } | Hold::AmbiguousProduct { .. }))
}

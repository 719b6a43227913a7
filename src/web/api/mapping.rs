//! Which code of a shop is which product of Daftra. What is sent goes in whole or not at all; what is read can be sent.

use serde_json::{Map, Value};

use super::List;
use super::query::Query;
use crate::desk::{MappingRow, Wish};
use crate::view::read;
use crate::web::asked::Asked;
use crate::web::auth::Actor;
use crate::web::reply::{self, Problem, Reply, Wrong};

pub(in crate::web) fn list(asked: &Asked) -> Result<Reply, Problem> {
    let query = Query::parse(asked, &["after", "limit"])?;
    let (after, limit) = (query.text("after").unwrap_or_default(), query.limit()?);
    let items = asked.see(|sight| read::mappings(sight, asked.slug(), after, limit + 1))?;
    Ok(reply::json(&List::page(items, limit, |last| query.next(&asked.path, "after", &last.code))))
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, body: &[u8]) -> Result<Reply, Problem> {
    let slug = asked.see(|sight| sight.merchant(asked.slug()))?.slug;
    let rows = rows(body)?;
    Ok(reply::json(&asked.perform(actor, Wish::MappingImport { slug, rows })?))
}

/// Read by hand, so that every fault is told by its place and in our words.
fn rows(body: &[u8]) -> Result<Vec<MappingRow>, Wrong> {
    let whole = || Wrong::new("body", "no list of codes", r#"write {"items":[{"code":"AB-1","product_id":7}]}"#);
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Err(whole()) };
    known(&fields, "", &["items"])?;
    let Some(Value::Array(items)) = fields.get("items") else { return Err(whole()) };
    items.iter().enumerate().map(|(at, item)| row(&format!("items[{at}]"), item)).collect()
}

fn row(place: &str, item: &Value) -> Result<MappingRow, Wrong> {
    let Value::Object(fields) = item else {
        return Err(Wrong::new(place, item.to_string(), "write an object of code and product_id"));
    };
    known(fields, &format!("{place}."), &["code", "product_id", "note"])?;
    let wrong = |name: &str, remedy: &str| {
        let key = format!("{place}.{name}");
        fields
            .get(name)
            .map_or_else(|| Wrong::new(&key, "missing", remedy), |value| Wrong::new(&key, value.to_string(), remedy))
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = text("code").ok_or_else(|| wrong("code", "write a SKU, a barcode or the id of a variant, as text"))?;
    let product_id = fields.get("product_id").and_then(Value::as_i64).filter(|id| *id > 0);
    let product_id = product_id.ok_or_else(|| wrong("product_id", "write Daftra's id of the product, a number"))?;
    let note = if fields.contains_key("note") { text("note") } else { Some(String::new()) };
    let note = note.ok_or_else(|| wrong("note", "write text, or leave it out"))?;
    Ok(MappingRow { code, product_id, note })
}

fn known(fields: &Map<String, Value>, place: &str, names: &[&str]) -> Result<(), Wrong> {
    match fields.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(Wrong::new(format!("{place}{name}"), "unknown", format!("use {}", names.join(", ")))),
        None => Ok(()),
    }
}

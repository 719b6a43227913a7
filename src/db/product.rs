//! What is known of each merchant's Daftra catalogue: products, codes asked in vain, and what people decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::convert::ms;
use super::{Context as _, Error};
use crate::domain::catalog::{Catalog, Code, Product, ProductKind};

/// How long answers of Daftra are believed.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    pub product: SignedDuration,
    pub miss: SignedDuration,
}

/// The part of the catalogue that could decide about these codes, as far as it is fresh.
pub fn about(
    c: &Connection,
    merchant_id: i64,
    codes: &BTreeSet<Code>,
    ages: Ages,
    now: Timestamp,
) -> Result<Catalog, Error> {
    const READ: &str = "read the catalogue";
    let mut catalog = Catalog::default();
    let mut products = c
        .prepare_cached(
            "select remote_id, code, barcode, name, kind, active, tracked, branch_id from product
             where merchant_id = ?1 and code = ?2 and seen_at >= ?3
             union
             select remote_id, code, barcode, name, kind, active, tracked, branch_id from product
             where merchant_id = ?1 and barcode = ?2 and seen_at >= ?3",
        )
        .during(READ)?;
    let mut mapping =
        c.prepare_cached("select product_id from mapping where merchant_id = ?1 and code = ?2").during(READ)?;
    let mut miss = c
        .prepare_cached("select 1 from product_miss where merchant_id = ?1 and code = ?2 and asked_at >= ?3")
        .during(READ)?;
    let mut found = BTreeSet::new();
    for code in codes {
        let fresh = ms(now - ages.product);
        let rows = products.query_map((merchant_id, code.as_str(), fresh), from_row).during(READ)?;
        for row in rows {
            found.insert(row.during(READ)?);
        }
        for row in mapping.query_map((merchant_id, code.as_str()), |row| row.get(0)).during(READ)? {
            catalog.mappings.insert(code.clone(), row.during(READ)?);
        }
        if miss.exists((merchant_id, code.as_str(), ms(now - ages.miss))).during(READ)? {
            catalog.misses.insert(code.clone());
        }
    }
    catalog.products = found.into_iter().collect();
    Ok(catalog)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        id: row.get(0)?,
        code: Code::new(&row.get::<_, String>(1)?),
        barcode: Code::new(&row.get::<_, String>(2)?),
        name: row.get(3)?,
        kind: match row.get(4)? {
            2 => ProductKind::Service,
            3 => ProductKind::Bundle,
            _ => ProductKind::Product,
        },
        active: row.get(5)?,
        tracked: row.get(6)?,
        branch_id: row.get(7)?,
    })
}

/// Keeps what Daftra answered about a code: its products, or that it has none.
pub fn learn(
    tx: &Transaction<'_>,
    merchant_id: i64,
    code: &Code,
    products: &[Product],
    now: Timestamp,
) -> Result<(), Error> {
    const KEEP: &str = "keep a product";
    let mut statement = tx
        .prepare_cached(
            "insert into product (merchant_id, remote_id, code, barcode, name, kind, active, tracked, branch_id, seen_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             on conflict (merchant_id, remote_id) do update set code = excluded.code, barcode = excluded.barcode,
               name = excluded.name, kind = excluded.kind, active = excluded.active, tracked = excluded.tracked,
               branch_id = excluded.branch_id, seen_at = excluded.seen_at",
        )
        .during(KEEP)?;
    for product in products {
        let kind = match product.kind {
            ProductKind::Product => 1,
            ProductKind::Service => 2,
            ProductKind::Bundle => 3,
        };
        statement
            .execute((
                merchant_id,
                product.id,
                product.code.as_str(),
                product.barcode.as_str(),
                &product.name,
                kind,
                product.active,
                product.tracked,
                product.branch_id,
                ms(now),
            ))
            .during(KEEP)?;
    }
    if products.iter().any(|product| product.code == *code || product.barcode == *code) {
        tx.execute("delete from product_miss where merchant_id = ?1 and code = ?2", (merchant_id, code.as_str()))
            .during("forget a miss")?;
    } else {
        tx.execute(
            "insert into product_miss (merchant_id, code, asked_at) values (?1, ?2, ?3)
             on conflict (merchant_id, code) do update set asked_at = excluded.asked_at",
            (merchant_id, code.as_str(), ms(now)),
        )
        .during("note a miss")?;
    }
    Ok(())
}

/// A person's "try again": what was asked in vain may be there by now.
pub fn forget_misses(tx: &Transaction<'_>, merchant_id: i64) -> Result<(), Error> {
    tx.execute("delete from product_miss where merchant_id = ?1", [merchant_id]).during("forget misses")?;
    Ok(())
}

/// What a person decided about a code.
pub fn mapped(c: &Connection, merchant_id: i64, code: &Code) -> Result<Option<i64>, Error> {
    c.prepare_cached("select product_id from mapping where merchant_id = ?1 and code = ?2")
        .during("read a mapping")?
        .query_row((merchant_id, code.as_str()), |row| row.get(0))
        .optional()
        .during("read a mapping")
}

/// A person decides about a code, in the place of what was decided before.
pub fn map(tx: &Transaction<'_>, merchant_id: i64, code: &Code, product_id: i64) -> Result<(), Error> {
    tx.execute(
        "insert into mapping (merchant_id, code, product_id) values (?1, ?2, ?3)
         on conflict (merchant_id, code) do update set product_id = excluded.product_id",
        (merchant_id, code.as_str(), product_id),
    )
    .during("map a code")?;
    Ok(())
}

/// Like [`map`], with a word for people. True if anything changed.
pub fn map_with_note(
    tx: &Transaction<'_>,
    merchant_id: i64,
    code: &Code,
    product_id: i64,
    note: &str,
) -> Result<bool, Error> {
    let changed = tx
        .prepare_cached(
            "insert into mapping (merchant_id, code, product_id, note) values (?1, ?2, ?3, ?4)
             on conflict (merchant_id, code) do update set product_id = excluded.product_id, note = excluded.note
             where product_id <> excluded.product_id or note <> excluded.note",
        )
        .during("map a code")?
        .execute((merchant_id, code.as_str(), product_id, note))
        .during("map a code")?;
    Ok(changed > 0)
}

/// A code, its product and the note that people left.
pub type Mapping = (String, i64, String);

/// What people decided about codes after this one, by code; an empty one is before all.
pub fn mappings(c: &Connection, merchant_id: i64, after: &str, limit: u32) -> Result<Vec<Mapping>, Error> {
    const LIST: &str = "list mappings";
    let mut statement = c
        .prepare_cached(
            "select code, product_id, note from mapping where merchant_id = ?1 and code > ?2 order by code limit ?3",
        )
        .during(LIST)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let rows = statement.query_map((merchant_id, after, limit), read).during(LIST)?;
    rows.map(|row| row.during(LIST)).collect()
}

/// All that people decided about codes.
pub fn all_mapped(c: &Connection, merchant_id: i64) -> Result<BTreeMap<Code, i64>, Error> {
    let all = mappings(c, merchant_id, "", u32::MAX)?;
    Ok(all.into_iter().map(|(code, product_id, _)| (Code::new(&code), product_id)).collect())
}

/// What Daftra calls a product, if it was seen.
pub fn name(c: &Connection, merchant_id: i64, remote_id: i64) -> Result<Option<String>, Error> {
    c.prepare_cached("select name from product where merchant_id = ?1 and remote_id = ?2")
        .during("read a product's name")?
        .query_row((merchant_id, remote_id), |row| row.get(0))
        .optional()
        .during("read a product's name")
}

//! `mapping`: which code of a shop is which product of Daftra, where the codes do not say it themselves.
//!
//! Files are CSV with the columns code, product and note, as a spreadsheet writes them; what `export` prints `import`
//! takes and changes nothing.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::open::merchant_of;
use super::{Ended, Session, is_stdin, open, out};
use crate::clock::Clock;
use crate::db::scope::Scope;
use crate::db::{Db, product};
use crate::desk::{Wish, mapping_file};
use crate::view::{self, read};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// From now on this code is this product, whatever else would fit; orders held for want of a product go on
    Set {
        /// The merchant
        merchant: String,
        /// A SKU, a barcode or the id of a variant
        code: String,
        /// Daftra's id of the product
        product: i64,
    },
    /// What was decided about codes
    List {
        /// The merchant
        merchant: String,
    },
    /// Set many at once from a CSV file with the columns code, product, note; codes that it does not name stay
    Import {
        /// The merchant
        merchant: String,
        /// - for standard input
        file: PathBuf,
    },
    /// Print all as CSV
    Export {
        /// The merchant
        merchant: String,
    },
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let now = Clock::real().now();
        match self {
            Self::Set { merchant, code, product } => {
                let wish = Wish::MappingSet { slug: merchant, code, product_id: product };
                let answer = open::wish(&config, wish, now)?;
                session.out.say(&answer, || {
                    let code = answer["code"].as_str().unwrap_or_default();
                    match (answer["was"].as_i64(), answer["orders"].as_u64().unwrap_or_default()) {
                        (Some(was), _) if was == product => format!("{code} is product {product} already"),
                        (_, 0) => format!("{code} is product {product}"),
                        (_, orders) => format!("{code} is product {product}; {orders} held orders are looked at again"),
                    }
                })?;
            }
            Self::List { merchant } => {
                let mappings = shown(&open::look(&config)?, &merchant)?;
                let cells = |one: &view::Mapping| [one.code.clone(), one.product_id.to_string(), one.note.clone()];
                session.out.say(&mappings, || {
                    out::table(["CODE", "PRODUCT", "NOTE"], &mappings.iter().map(cells).collect::<Vec<_>>())
                })?;
            }
            Self::Import { merchant, file } => {
                let rows = mapping_file::read(&text_of(&file)?).with_context(|| format!("In {}", file.display()))?;
                let answer = open::wish(&config, Wish::MappingImport { slug: merchant, rows }, now)?;
                session.out.say(&answer, || {
                    let (rows, changed, orders) = (&answer["rows"], &answer["changed"], &answer["orders"]);
                    format!("{rows} codes read, {changed} changed; {orders} held orders are looked at again")
                })?;
            }
            Self::Export { merchant } => {
                let db = open::look(&config)?;
                let stored = stored(&db, &merchant)?;
                session.out.say(&shown(&db, &merchant)?, || mapping_file::write(&stored))?;
            }
        }
        Ok(Ended::Fine)
    }
}

fn stored(db: &Db, slug: &str) -> anyhow::Result<Vec<product::Mapping>> {
    let merchant = merchant_of(db, slug)?;
    Ok(db.read(|c| product::mappings(c, merchant.id, "", u32::MAX))?)
}

fn shown(db: &Db, slug: &str) -> anyhow::Result<Vec<view::Mapping>> {
    let merchant = merchant_of(db, slug)?;
    Ok(db.see(&Scope::All, |sight| read::mappings(sight, &merchant.slug, "", u32::MAX))?)
}

/// What stands in a file; what is no UTF-8 in it is marked.
pub(super) fn text_of(file: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if is_stdin(file) {
        io::stdin().read_to_string(&mut text).context("Cannot read standard input")?;
    } else {
        let bytes = fs::read(file).with_context(|| format!("Cannot read {}", file.display()))?;
        text = String::from_utf8_lossy(&bytes).into_owned();
    }
    Ok(text)
}

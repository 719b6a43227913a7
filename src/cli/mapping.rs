//! `mapping`: which code of a shop is which product of Daftra, where the codes do not say it themselves.

use super::{Ended, Session, open};
use crate::clock::Clock;
use crate::desk::Wish;

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
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let Self::Set { merchant, code, product } = self;
        let wish = Wish::MappingSet { slug: merchant, code, product_id: product };
        let answer = open::wish(&session.config()?, wish, Clock::real().now())?;
        session.out.say(&answer, || {
            let code = answer["code"].as_str().unwrap_or_default();
            match (answer["was"].as_i64(), answer["orders"].as_u64().unwrap_or_default()) {
                (Some(was), _) if was == product => format!("{code} is product {product} already"),
                (_, 0) => format!("{code} is product {product}"),
                (_, orders) => format!("{code} is product {product}; {orders} held orders are looked at again"),
            }
        })?;
        Ok(Ended::Fine)
    }
}

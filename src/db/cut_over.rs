//! What is shown before a merchant goes live: how far products cover its variants, and documents of others.

use jiff::Timestamp;

use super::sight::Sight;
use super::{Context as _, Error, namesake, variant};

impl Sight<'_> {
    /// Since when the merchant's variants are being looked through, if they are.
    pub fn coverage_under_way(&self, merchant_id: i64) -> Result<Option<Timestamp>, Error> {
        self.allow(merchant_id)?;
        Ok(variant::look(self.connection(), merchant_id)?.map(|look| look.began_at))
    }

    /// How far the products of Daftra cover what a merchant sells.
    pub fn coverage(&self, merchant_id: i64) -> Result<Option<variant::Coverage>, Error> {
        self.allow(merchant_id)?;
        variant::coverage(self.connection(), merchant_id)
    }

    /// Variants for which no product is found, after this one.
    pub fn uncovered(&self, merchant_id: i64, after: i64, limit: u32) -> Result<Vec<variant::Known>, Error> {
        const LIST: &str = "list variants without a product";
        self.allow(merchant_id)?;
        let columns = variant::COLUMNS;
        let sql = format!(
            "select {columns} from variant
             where merchant_id = ?1 and remote_id > ?2 and outcome in ('ambiguous', 'unknown') order by remote_id limit ?3"
        );
        let mut statement = self.connection().prepare_cached(&sql).during(LIST)?;
        let rows = statement.query_map((merchant_id, after, limit), variant::from_row).during(LIST)?;
        rows.map(|row| row.during(LIST)?).collect()
    }

    /// Documents of others that name orders of a merchant, those that wait first.
    pub fn namesakes(&self, merchant_id: i64, limit: u32) -> Result<Vec<namesake::Namesake>, Error> {
        const LIST: &str = "list documents of others";
        self.allow(merchant_id)?;
        let namesake = namesake::NAMESAKE;
        let sql = format!(
            "{namesake} where n.merchant_id = ?1 order by n.state in ('adopted', 'dismissed'), n.id desc limit ?2"
        );
        let mut statement = self.connection().prepare_cached(&sql).during(LIST)?;
        let rows = statement.query_map((merchant_id, limit), namesake::from_row).during(LIST)?;
        rows.map(|row| row.during(LIST)?).collect()
    }

    /// How looking for them stands.
    pub fn look_for_namesakes(&self, merchant_id: i64) -> Result<namesake::Look, Error> {
        self.allow(merchant_id)?;
        namesake::look(self.connection(), merchant_id)
    }
}

//! What people did about one order, as its story shows it. The rows themselves are `audit`'s.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;

use super::convert::{at, from_json};
use super::{Context as _, Error};

/// One thing somebody did.
#[derive(Clone, Debug)]
pub struct Act {
    pub at: Timestamp,
    /// Who; none for the command line.
    pub user: Option<String>,
    pub action: String,
    pub facts: Value,
}

/// What was done about an order, newest first.
pub fn of_order(c: &Connection, order_id: i64, limit: u32) -> Result<Vec<Act>, Error> {
    const LIST: &str = "list what people did about an order";
    let mut statement = c
        .prepare_cached(
            "select a.at, u.name, a.action, a.facts
             from audit_order o cross join audit a on a.id = o.audit_id left join user u on u.id = a.user_id
             where o.order_id = ?1 order by o.audit_id desc limit ?2",
        )
        .during(LIST)?;
    let rows = statement
        .query_map((order_id, limit), |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
        })
        .during(LIST)?;
    rows.map(|row| {
        let (when, user, action, facts) = row.during(LIST)?;
        Ok(Act { at: at(when)?, user, action, facts: from_json(LIST, &facts)? })
    })
    .collect()
}

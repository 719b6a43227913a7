//! What waits for a person, by cause.

use super::List;
use super::query::Query;
use crate::db::held::LOOKED_AT;
use crate::view::read;
use crate::web::asked::Asked;
use crate::web::reply::{self, Problem, Reply};

pub(in crate::web) fn list(asked: &Asked) -> Result<Reply, Problem> {
    let query = Query::parse(asked, &["merchant"])?;
    let merchant_id = query.merchant(asked)?.map(|merchant| merchant.id);
    let (items, is_cut) = asked.see(|sight| read::causes(sight, merchant_id, LOOKED_AT))?;
    Ok(reply::json(&List { items, next: None, is_cut }))
}

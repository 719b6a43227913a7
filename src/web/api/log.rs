//! The log, with the filters of its page.

use jiff::civil::Date;

use super::List;
use super::query::Query;
use crate::db::browse::{Place, Search};
use crate::db::log::Status;
use crate::view::read;
use crate::web::asked::Asked;
use crate::web::page::log;
use crate::web::reply::{self, Problem, Reply};

pub(in crate::web) fn list(asked: &Asked) -> Result<Reply, Problem> {
    let query = Query::parse(asked, &["merchant", "order", "status", "from", "to", "q", "before", "limit"])?;
    let day = |name| query.word(name, |text| text.parse::<Date>().ok(), || "write a day as 2026-11-20".to_owned());
    let status = || format!("write one of {}", Status::ALL.map(Status::word).join(", "));
    // What the page would answer "nothing here" is told by its field.
    query.merchant(asked)?;
    query.word("status", Status::parse, status)?;
    day("from")?;
    day("to")?;
    let (limit, order_id) = (query.limit()?, query.number("order")?);
    let place = query.number("before")?.map_or(Place::Newest, Place::Before);
    let search = Search { order_id, ..log::search(asked)? };
    let page = asked.see(|sight| read::log(sight, &search, place, limit))?;
    let next =
        page.items.last().filter(|_| page.has_more).map(|last| query.next(&asked.path, "before", &last.id.to_string()));
    Ok(reply::json(&List { items: page.items, next, is_cut: page.is_cut }))
}

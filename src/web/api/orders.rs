//! Orders: where they stand, their stories, and looking at one again.

use super::List;
use super::query::Query;
use crate::db::order::{Filter, State};
use crate::desk::Wish;
use crate::view::read;
use crate::web::asked::Asked;
use crate::web::auth::Actor;
use crate::web::reply::{self, Problem, Reply};

pub(in crate::web) fn list(asked: &Asked) -> Result<Reply, Problem> {
    let query = Query::parse(asked, &["merchant", "state", "q", "before", "limit"])?;
    let limit = query.limit()?;
    let filter = Filter {
        merchant_id: query.merchant(asked)?.map(|merchant| merchant.id),
        state: query
            .word("state", State::parse, || format!("write one of {}", State::ALL.map(State::word).join(", ")))?,
        before: query.number("before")?,
    };
    let mut items = asked.see(|sight| match query.text("q") {
        Some(text) => read::orders_called(sight, filter, text.trim()),
        None => read::orders(sight, filter, limit + 1),
    })?;
    // One more than wanted tells whether there are more.
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > wanted;
    items.truncate(wanted);
    let next = items.last().filter(|_| has_more).map(|last| query.next(&asked.path, last.id));
    Ok(reply::json(&List { items, next, is_cut: false }))
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    Query::parse(asked, &[])?;
    let id = asked.id()?;
    Ok(reply::json(&asked.see(|sight| read::story(sight, id))?))
}

pub(in crate::web) fn retry(asked: &Asked, actor: &Actor, _: &[u8]) -> Result<Reply, Problem> {
    let order_id = asked.id()?;
    asked.see(|sight| sight.order(order_id))?;
    Ok(reply::json(&asked.perform(actor, Wish::OrderRetry { order_id })?))
}

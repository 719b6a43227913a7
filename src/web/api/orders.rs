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
    let items = asked.see(|sight| match query.text("q") {
        Some(text) => read::orders_called(sight, filter, text.trim(), limit + 1),
        None => read::orders(sight, filter, limit + 1),
    })?;
    Ok(reply::json(&List::page(items, limit, |last| query.next(&asked.path, "before", &last.id.to_string()))))
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

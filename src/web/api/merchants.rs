//! Merchants: what they are, and pausing them.

use super::List;
use super::query::Query;
use crate::desk::Wish;
use crate::view::{self, read};
use crate::web::asked::Asked;
use crate::web::auth::Actor;
use crate::web::reply::{self, Problem, Reply};

pub(in crate::web) fn list(asked: &Asked) -> Result<Reply, Problem> {
    Query::parse(asked, &[])?;
    Ok(reply::json(&List::whole(asked.see(read::merchants)?)))
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    Query::parse(asked, &[])?;
    let merchant = asked.see(|sight| read::merchant(sight, asked.slug(), &origin(asked)))?;
    Ok(reply::json(&merchant))
}

pub(in crate::web) fn pause(asked: &Asked, actor: &Actor, _: &[u8]) -> Result<Reply, Problem> {
    turn(asked, actor, |slug| Wish::MerchantPause { slug })
}

pub(in crate::web) fn resume(asked: &Asked, actor: &Actor, _: &[u8]) -> Result<Reply, Problem> {
    turn(asked, actor, |slug| Wish::MerchantResume { slug })
}

fn turn(asked: &Asked, actor: &Actor, wish: impl FnOnce(String) -> Wish) -> Result<Reply, Problem> {
    let slug = asked.see(|sight| sight.merchant(asked.slug()))?.slug;
    let mut answer = asked.perform(actor, wish(slug.clone()))?;
    answer["webhook_address"] = view::webhook_address(&origin(asked), &slug).into();
    Ok(reply::json(&answer))
}

fn origin(asked: &Asked) -> String {
    let config = &asked.context.parts.config;
    config.public_origin(config.http.listen)
}

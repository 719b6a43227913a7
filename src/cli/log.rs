//! `log`: the sync log, newest first.

use super::{Ended, Session, open, order, out};
use crate::db::browse::{Place, Search};
use crate::db::log::Status;
use crate::db::scope::Scope;
use crate::text::Lang;
use crate::view::{self, read};

#[derive(clap::Args)]
pub(super) struct Log {
    /// Of one merchant
    #[arg(long, value_name = "SLUG")]
    merchant: Option<String>,
    /// With one status: success, updated, cancelled, ignored, failed, held, waiting, in_doubt, duplicate, test, paused, shadow
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Of one order, by our number for it, Shopify's, or its name
    #[arg(long, value_name = "ORDER")]
    order: Option<String>,
    /// Only rows older than this one: the next page
    #[arg(long, value_name = "ROW")]
    before: Option<i64>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

fn status(word: &str) -> Result<Status, String> {
    Status::parse(word).ok_or_else(|| format!("write one of {}", Status::ALL.map(Status::word).join(", ")))
}

impl Log {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let db = open::look(&session.config()?)?;
        let merchant = self.merchant.as_deref().map(|slug| open::merchant_of(&db, slug)).transpose()?;
        let order = self.order.as_deref().map(|text| order::the_one(&db, merchant.as_ref(), text)).transpose()?;
        let search = Search {
            merchant_id: merchant.map(|merchant| merchant.id),
            status: self.status,
            order_id: order.map(|order| order.id),
            ..Search::default()
        };
        let place = self.before.map_or(Place::Newest, Place::Before);
        let rows = db.see(&Scope::All, |sight| read::log(sight, &search, place, self.limit))?.items;
        session.out.say(&rows, || {
            let cells = |row: &view::LogRow| {
                let status = Lang::En.words().status(row.status).to_owned();
                [
                    row.id.to_string(),
                    view::second(row.at),
                    row.merchant.clone(),
                    row.order.clone(),
                    status,
                    row.what.clone(),
                ]
            };
            out::table(
                ["ROW", "TIME (UTC)", "MERCHANT", "ORDER", "STATUS", "WHAT"],
                &rows.iter().map(cells).collect::<Vec<_>>(),
            )
        })?;
        Ok(Ended::Fine)
    }
}

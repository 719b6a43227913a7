//! `hold`: what waits for a person, by cause, and what the person can do about it.

use std::collections::BTreeMap;

use anyhow::bail;
use jiff::Timestamp;

use super::order::{Which, merchant_of, rule};
use super::{Ended, Session, open, out, view};
use crate::clock::Clock;
use crate::db::document;
use crate::db::order::{self, Overview, State};
use crate::db::{Db, Error};
use crate::desk::Wish;
use crate::domain::document::State as DocumentState;
use crate::domain::reason::{Hold, Reason};
use crate::domain::ruling::Ruling;
use crate::text::Lang;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Why orders are held: each cause once, with the orders it holds
    List {
        /// Of one merchant
        #[arg(long, value_name = "SLUG")]
        merchant: Option<String>,
    },
    /// Look again at every order that is held for a cause, once it is mended
    Release {
        /// As `hold list` names it: unknown_product, refused, …
        cause: String,
        /// Only where it is about this
        #[arg(long)]
        about: Option<String>,
        /// Of one merchant
        #[arg(long, value_name = "SLUG")]
        merchant: Option<String>,
    },
    /// Nothing is to be done for an order until the shop changes it
    Dismiss {
        #[command(flatten)]
        which: Which,
        /// Why; it is kept with the order
        #[arg(long)]
        note: String,
    },
    /// The invoice was deleted in Daftra on purpose: leave it so until the shop changes the order
    Leave(Deleted),
    /// The invoice was deleted in Daftra: make a new one in its place
    NewInvoice(Deleted),
}

#[derive(clap::Args)]
pub(super) struct Deleted {
    #[command(flatten)]
    which: Which,
    /// Why; it is kept with the order
    #[arg(long, default_value = "")]
    note: String,
}

/// Orders read at a time, and orders named of a cause.
const PAGE: u32 = 1_000;
const EXAMPLES: usize = 10;

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::List { merchant } => {
                let db = open::look(&session.config()?)?;
                let merchant = merchant.as_deref().map(|slug| merchant_of(&db, slug)).transpose()?;
                let held = held(&db, merchant.map(|merchant| merchant.id))?;
                let causes = by_cause(&held);
                session.out.say(&causes, || list(&causes))?;
                Ok(Ended::Fine)
            }
            Self::Release { cause, about, merchant } => {
                let wish = Wish::HoldRelease { slug: merchant, cause, about };
                let answer = open::wish(&session.config()?, wish, Clock::real().now())?;
                session.out.say(&answer, || format!("{} held orders are looked at again", answer["orders"]))?;
                Ok(Ended::Fine)
            }
            Self::Dismiss { which, note } => rule(session, &which, note, |_, _| Ok(Ruling::Dismiss)),
            Self::Leave(Deleted { which, note }) => {
                rule(session, &which, note, |db, order| Ok(Ruling::Leave { document: deleted_invoice(db, order)? }))
            }
            Self::NewInvoice(Deleted { which, note }) => rule(session, &which, note, |db, order| {
                Ok(Ruling::NewInvoice { document: deleted_invoice(db, order)? })
            }),
        }
    }
}

fn deleted_invoice(db: &Db, order: &Overview) -> anyhow::Result<i64> {
    let documents = db.read(|c| document::of_order(c, order.id))?;
    let is_gone =
        |one: &&crate::domain::document::Document| one.invoice().is_some() && one.state == DocumentState::Gone;
    match documents.iter().rev().find(is_gone) {
        Some(document) => Ok(document.id),
        None => bail!("None of the invoices of order {} was found deleted in Daftra", order.name),
    }
}

fn held(db: &Db, merchant_id: Option<i64>) -> Result<Vec<Overview>, Error> {
    let mut filter = order::Filter { merchant_id, state: Some(State::Held), before: None };
    let mut held = Vec::new();
    loop {
        let page = db.read(|c| order::list(c, filter, PAGE))?;
        let Some(last) = page.last() else { return Ok(held) };
        filter.before = Some(last.id);
        held.extend(page);
    }
}

/// One row per cause and what it is about; an order counts once in each of its causes.
fn by_cause(held: &[Overview]) -> Vec<view::Cause> {
    let mut causes = BTreeMap::<(&str, String), (Vec<&Overview>, &Hold)>::new();
    for order in held {
        let Some(Reason::Held(holds)) = &order.reason else { continue };
        for hold in holds {
            let (orders, _) = causes.entry((hold.code(), hold.subject())).or_insert_with(|| (Vec::new(), hold));
            if orders.last().is_none_or(|last| last.id != order.id) {
                orders.push(order);
            }
        }
    }
    let words = Lang::En.words();
    let mut causes: Vec<view::Cause> = causes
        .into_iter()
        .map(|((cause, about), (orders, hold))| view::Cause {
            cause,
            about,
            orders: orders.len(),
            since: orders.iter().map(|order| order.state_at).min().unwrap_or(Timestamp::UNIX_EPOCH),
            examples: orders.iter().take(EXAMPLES).map(|order| order.name.clone()).collect(),
            why: words.hold(hold, None).into(),
        })
        .collect();
    causes.sort_by(|a, b| b.orders.cmp(&a.orders).then(a.since.cmp(&b.since)));
    causes
}

fn list(causes: &[view::Cause]) -> String {
    if causes.is_empty() {
        return "No order is held.".to_owned();
    }
    let cells = |cause: &view::Cause| {
        let examples = cause.examples.join(" ");
        let more = if cause.orders > cause.examples.len() { " …" } else { "" };
        [
            cause.cause.to_owned(),
            cause.about.clone(),
            cause.orders.to_string(),
            view::second(cause.since),
            format!("{examples}{more}"),
            cause.why.next_step.clone(),
        ]
    };
    let head = ["CAUSE", "ABOUT", "ORDERS", "SINCE (UTC)", "WHICH", "NEXT STEP"];
    out::table(head, &causes.iter().map(cells).collect::<Vec<_>>())
}

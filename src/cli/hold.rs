//! `hold`: what waits for a person, by cause, and what the person can do about it.

use anyhow::bail;

use super::open::merchant_of;
use super::order::{Which, rule};
use super::{Ended, Session, open, out};
use crate::clock::Clock;
use crate::db::order::Overview;
use crate::db::scope::Scope;
use crate::db::{Db, document};
use crate::desk::Wish;
use crate::domain::document::State as DocumentState;
use crate::domain::ruling::Ruling;
use crate::view::{self, read};

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
    Leave(About),
    /// The invoice was deleted in Daftra: make a new one in its place
    NewInvoice(About),
    /// The invoice was changed by hand: write our rows and fields again, over what they became; what others added stays
    Rewrite(About),
}

#[derive(clap::Args)]
pub(super) struct About {
    #[command(flatten)]
    which: Which,
    /// Why; it is kept with the order
    #[arg(long, default_value = "")]
    note: String,
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::List { merchant } => {
                let db = open::look(&session.config()?)?;
                let merchant = merchant.as_deref().map(|slug| merchant_of(&db, slug)).transpose()?;
                let merchant_id = merchant.map(|merchant| merchant.id);
                let (causes, _) = db.see(&Scope::All, |sight| read::causes(sight, merchant_id, usize::MAX))?;
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
            Self::Leave(About { which, note }) => {
                rule(session, &which, note, |db, order| Ok(Ruling::Leave { document: deleted_invoice(db, order)? }))
            }
            Self::NewInvoice(About { which, note }) => rule(session, &which, note, |db, order| {
                Ok(Ruling::NewInvoice { document: deleted_invoice(db, order)? })
            }),
            Self::Rewrite(About { which, note }) => {
                rule(session, &which, note, |db, order| Ok(Ruling::Rewrite { document: changed_invoice(db, order)? }))
            }
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

fn changed_invoice(db: &Db, order: &Overview) -> anyhow::Result<i64> {
    let documents = db.read(|c| document::of_order(c, order.id))?;
    match documents.iter().find(|document| document.can_be_rewritten()) {
        Some(document) => Ok(document.id),
        None => bail!("No invoice of order {} is known to be changed by hand that could be written again", order.name),
    }
}

fn list(causes: &[view::Cause]) -> String {
    if causes.is_empty() {
        return "No order is held.".to_owned();
    }
    let cells = |cause: &view::Cause| {
        let examples = cause.examples.join(" ");
        let more = if cause.orders > cause.examples.len() { " …" } else { "" };
        [
            cause.merchant.clone(),
            cause.cause.to_owned(),
            cause.about.clone(),
            cause.orders.to_string(),
            view::second(cause.since),
            format!("{examples}{more}"),
            cause.why.next_step.clone(),
        ]
    };
    let head = ["MERCHANT", "CAUSE", "ABOUT", "ORDERS", "SINCE (UTC)", "WHICH", "NEXT STEP"];
    out::table(head, &causes.iter().map(cells).collect::<Vec<_>>())
}

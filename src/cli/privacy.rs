//! `privacy`: what shops ask for in the name of their customers, and forgetting a customer.

use std::collections::BTreeSet;

use super::{Ended, Session, open, out};
use crate::clock::Clock;
use crate::db::scope::Scope;
use crate::desk::Wish;
use crate::view::{self, PrivacyRow, read};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// What was asked for, newest first
    List,
    /// Print, as JSON, all that is kept of the customer of a request; it is noted in the history
    Read {
        /// Its number, as "privacy list" shows it
        request: i64,
    },
    /// The customer has the answer
    Answer {
        /// Its number, as "privacy list" shows it
        request: i64,
    },
    /// Forget the customer of a request; nobody can take that back
    Redact {
        /// Its number, as "privacy list" shows it
        request: i64,
    },
    /// Forget who placed these orders, though no shop asked for it; nobody can take that back
    Forget {
        /// The merchant
        merchant: String,
        /// Shopify's number of each order
        #[arg(required = true)]
        orders: Vec<i64>,
    },
    /// A shop that removed the app has it again
    Back {
        /// The merchant
        merchant: String,
    },
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        const SOON: &str = "The running server forgets within a minute; see qantara privacy list";
        let (config, now) = (session.config()?, Clock::real().now());
        match self {
            Self::List => {
                let rows = open::look(&config)?.see(&Scope::All, read::privacy_requests)?;
                session.out.say(&rows, || list(&rows))?;
            }
            Self::Read { request } => {
                let held = open::wish(&config, Wish::PrivacyRead { request_id: request }, now)?;
                session.out.say(&held, || serde_json::to_string_pretty(&held).unwrap_or_default())?;
            }
            Self::Answer { request } => {
                let answer = open::wish(&config, Wish::PrivacyAnswer { request_id: request }, now)?;
                session.out.say(&answer, || format!("Request {request} is answered"))?;
            }
            Self::Redact { request } => {
                let answer = open::wish(&config, Wish::PrivacyRedact { request_id: request }, now)?;
                session.out.say(&answer, || SOON.to_owned())?;
            }
            Self::Forget { merchant, orders } => {
                let orders: BTreeSet<i64> = orders.into_iter().collect();
                let answer = open::wish(&config, Wish::PrivacyForget { slug: merchant, orders }, now)?;
                session.out.say(&answer, || SOON.to_owned())?;
            }
            Self::Back { merchant } => {
                let answer = open::wish(&config, Wish::ShopBack { slug: merchant.clone() }, now)?;
                session.out.say(&answer, || format!("The shop of {merchant} has the app again"))?;
            }
        }
        Ok(Ended::Fine)
    }
}

fn list(rows: &[PrivacyRow]) -> String {
    let cells = |row: &PrivacyRow| {
        [
            row.id.to_string(),
            row.merchant.clone(),
            row.kind.word().to_owned(),
            row.orders.len().to_string(),
            view::second(row.received_at),
            view::second(row.due_at),
            row.state.word().to_owned(),
        ]
    };
    let head = ["REQUEST", "MERCHANT", "KIND", "ORDERS", "RECEIVED (UTC)", "DUE (UTC)", "STATE"];
    out::table(head, &rows.iter().map(cells).collect::<Vec<_>>())
}

//! Where an order stands in the operator's words: every order is in exactly one class.

use rusqlite::Connection;
use serde::Serialize;

use super::order::{Overview, State};
use super::sight::Sight;
use super::{Error, document};
use crate::domain::document::Document;
use crate::domain::ledger::Ledger;
use crate::domain::reason::{Reason, Waiting};
use crate::domain::refund::left;

/// The classes of the daily account of all orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Daftra holds an invoice, and something is left on it.
    Invoiced,
    /// Everything that was invoiced was given back.
    Cancelled,
    Ignored,
    Waiting,
    Shadow,
    Held,
    /// A call whose end nobody learned is being looked up.
    InDoubt,
    Failed,
    /// Not planned yet, or being worked on for the first time.
    InWork,
}

impl Class {
    pub const ALL: [Self; 9] = [
        Self::Invoiced,
        Self::Cancelled,
        Self::Ignored,
        Self::Waiting,
        Self::Shadow,
        Self::Held,
        Self::InDoubt,
        Self::Failed,
        Self::InWork,
    ];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Invoiced => "invoiced",
            Self::Cancelled => "cancelled",
            Self::Ignored => "ignored",
            Self::Waiting => "waiting",
            Self::Shadow => "shadow",
            Self::Held => "held",
            Self::InDoubt => "in_doubt",
            Self::Failed => "failed",
            Self::InWork => "in_work",
        }
    }

    /// The class of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }
}

/// The class of an order that stands so, for this reason, with these documents. Every case is one of them.
#[must_use]
pub fn class(state: State, reason: Option<&Reason>, documents: &[Document]) -> Class {
    match state {
        State::New | State::Working => Class::InWork,
        State::Ignored => Class::Ignored,
        State::Shadow => Class::Shadow,
        State::Held => Class::Held,
        State::Failed => Class::Failed,
        State::Waiting => match reason {
            Some(Reason::Waiting(Waiting::Settling { .. } | Waiting::LookingAgain { .. })) => Class::InDoubt,
            Some(Reason::Waiting(Waiting::StockPending { .. })) => Class::Invoiced,
            Some(Reason::Waiting(
                Waiting::BodyRemoved
                | Waiting::CancelRecord
                | Waiting::OrderBehind { .. }
                | Waiting::MoneyUnderWay { .. }
                | Waiting::NotPaid
                | Waiting::NotFulfilled,
            )) => Class::Waiting,
            // The schema wants a reason, and a waiting order has none but one to wait.
            Some(Reason::Ignored(_) | Reason::Held(_) | Reason::Failed(_)) | None => Class::Waiting,
        },
        State::Settled => {
            if is_anything_left(documents) {
                Class::Invoiced
            } else {
                Class::Cancelled
            }
        }
    }
}

fn is_anything_left(documents: &[Document]) -> bool {
    let Some(invoice) = documents.iter().find(|document| document.invoice().is_some() && document.state.is_live())
    else {
        return false;
    };
    let Some(content) = invoice.invoice() else { return false };
    left(content, Ledger::receipts_of(documents)).values().any(|left| left.units > 0)
}

impl Sight<'_> {
    /// The class of an order of a list.
    pub fn class(&self, order: &Overview) -> Result<Class, Error> {
        self.allow(order.merchant_id)?;
        of(self.connection(), order)
    }
}

/// The class of an order of a list. Documents are read only where they decide.
pub fn of(c: &Connection, order: &Overview) -> Result<Class, Error> {
    let documents = match order.state {
        State::Settled => document::of_order(c, order.id)?,
        State::New | State::Working | State::Waiting | State::Ignored | State::Shadow | State::Held | State::Failed => {
            Vec::new()
        }
    };
    Ok(class(order.state, order.reason.as_ref(), &documents))
}

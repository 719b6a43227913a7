//! What a mail says, before any word of it is chosen: facts, and the merchant's own words around them.

use serde::{Deserialize, Serialize};

use crate::domain::draft::Draft;
use crate::domain::invoice::{Billed, Source, shop_totals};
use crate::domain::money::{Amount, Currency};
use crate::domain::news::Kind;
use crate::domain::reason::Reason;
use crate::domain::refund::Cause;
use crate::domain::telling::{Day, Facts, Stage};

/// One mail to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub kind: Kind,
    /// The tag of the recipient's language.
    pub language: String,
    /// The merchant's name; empty for the operator's own mails.
    pub merchant: String,
    pub order: Option<Order>,
    pub paper: Option<Paper>,
    /// Of an updated invoice.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Why the order waits, or was given up.
    pub reason: Option<Reason>,
    /// What there are more of.
    pub of: Option<Kind>,
    /// Where more is to be read.
    pub link: Option<String>,
    /// The merchant's own words; none: ours.
    pub own: Option<Own>,
    /// Somebody wants to see how it looks.
    #[serde(default)]
    pub is_trial: bool,
    /// Of an alert.
    #[serde(default)]
    pub alert: Option<(Stage, Facts)>,
    /// Of a summary: each merchant's day, and for the operator how many alerts are open.
    #[serde(default)]
    pub days: Vec<Day>,
    #[serde(default)]
    pub open_alerts: Option<u32>,
}

/// An order, as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub name: String,
    /// Its page here.
    pub page: Option<String>,
}

/// An invoice or a refund receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// What it is.
    pub kind: PaperKind,
    /// The number people see.
    pub number: Option<String>,
    /// Of the invoice that a receipt is on.
    pub invoice: Option<String>,
    pub currency: Currency,
    pub lines: Vec<Line>,
    pub tax: Amount,
    pub total: Amount,
    /// Its page in Daftra.
    pub page: Option<String>,
}

/// What a paper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaperKind {
    Invoice,
    /// A receipt for what was refunded.
    Refund,
    /// A receipt for all that a cancelled order still had.
    Cancel,
    /// A receipt that makes room for another invoice.
    Reversal,
}

/// One thing on a paper, in the shop's amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub source: Source,
    pub title: String,
    pub sku: String,
    pub units: i64,
    /// With its tax.
    pub total: Amount,
}

/// What is otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Added(Line),
    Removed(Line),
    Changed { was: Line, is: Line },
    Total { was: Amount, is: Amount },
}

/// A merchant's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    pub subject: String,
    pub greeting: String,
    pub closing: String,
}

impl Letter {
    /// One that says nothing yet but its kind.
    #[must_use]
    pub fn blank(kind: Kind, language: &str) -> Self {
        Self {
            kind,
            language: language.to_owned(),
            merchant: String::new(),
            order: None,
            paper: None,
            changes: Vec::new(),
            reason: None,
            of: None,
            link: None,
            own: None,
            is_trial: false,
            alert: None,
            days: Vec::new(),
            open_alerts: None,
        }
    }
}

impl Line {
    fn of(billed: &Billed) -> Self {
        let total = if billed.included { billed.net } else { billed.net + billed.tax };
        let Billed { source, title, sku, units, .. } = billed;
        Self { source: *source, title: title.clone(), sku: sku.clone(), units: *units, total }
    }
}

impl Paper {
    /// Of a draft; a payment is no paper. `total` is what Daftra computed, where that is known.
    #[must_use]
    pub fn of(draft: &Draft, number: Option<String>, total: Option<Amount>) -> Option<Self> {
        let kind = match draft {
            Draft::Invoice(_) => PaperKind::Invoice,
            Draft::RefundReceipt(receipt) => match receipt.cause {
                Cause::Refund(_) => PaperKind::Refund,
                Cause::Cancel => PaperKind::Cancel,
                Cause::Reversal(_) => PaperKind::Reversal,
            },
            Draft::Payment(_) => return None,
        };
        let shop = shop_totals(draft.billed());
        Some(Self {
            kind,
            number,
            invoice: None,
            currency: draft.header().currency,
            lines: draft.billed().iter().map(Line::of).collect(),
            tax: shop.tax,
            total: total.unwrap_or(shop.total),
            page: None,
        })
    }
}

/// What is otherwise on the second of two drafts, line by line, and in all.
#[must_use]
pub fn changes(was: &Draft, is: &Draft) -> Vec<Change> {
    let lines = |draft: &Draft| draft.billed().iter().map(Line::of).collect::<Vec<_>>();
    let (before, after) = (lines(was), lines(is));
    let mut changes = Vec::new();
    for line in &after {
        match before.iter().find(|known| known.source == line.source) {
            None => changes.push(Change::Added(line.clone())),
            Some(known) if (known.units, known.total) != (line.units, line.total) => {
                changes.push(Change::Changed { was: known.clone(), is: line.clone() });
            }
            Some(_) => {}
        }
    }
    let is_gone = |line: &&Line| after.iter().all(|known| known.source != line.source);
    changes.extend(before.iter().filter(is_gone).cloned().map(Change::Removed));
    if was.total() != is.total() {
        changes.push(Change::Total { was: was.total(), is: is.total() });
    }
    changes
}

/// Changes as they are kept until mails are made of them.
#[must_use]
pub fn as_json(changes: &[Change]) -> String {
    serde_json::to_string(changes).expect("changes have only string keys and no fallible parts")
}

//! What we did for one order so far: its documents, how its refund records were understood, what people decided about
//! it, and what is known of the account they lie in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::document::{Document, Policy, State};
use super::operation::Change;
use super::refund::{Cause, Class, ReceiptDraft};
use super::ruling::Ruling;

/// What we did for one order so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    pub documents: Vec<Document>,
    pub classes: BTreeMap<i64, Class>,
    /// What people decided, as far as it is in force.
    pub rulings: BTreeSet<Ruling>,
    /// Decimals of the Daftra account, once known.
    pub decimals: Option<u32>,
    /// Set after a restore or a long silence: another life of this database may have sent documents for sources older
    /// than this, so a new document is looked for before it is sent.
    pub look_first_before: Option<Timestamp>,
    /// A document that others made is to be its invoice: no rule passes it over, and nothing has to happen first.
    pub is_adopting: bool,
    pub policy: Policy,
}

/// The first invoice's place among the documents of its order.
pub const INVOICE_KEY: &str = "order";

/// The place of an order's n-th invoice: `order`, `order/2`, …
#[must_use]
pub fn invoice_key(number: u32) -> String {
    if number <= 1 { INVOICE_KEY.to_owned() } else { format!("{INVOICE_KEY}/{number}") }
}

/// Which of an order's invoices has this place.
#[must_use]
pub fn invoice_number(source_key: &str) -> u32 {
    source_key.rsplit_once('/').and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

impl Ledger {
    /// The order's one invoice, if there is or may be one.
    #[must_use]
    pub fn live_invoice(&self) -> Option<&Document> {
        self.documents.iter().find(|document| document.invoice().is_some() && document.state.is_live())
    }

    /// The newest of the order's invoices, whatever became of it.
    #[must_use]
    pub fn last_invoice(&self) -> Option<&Document> {
        let invoices = self.documents.iter().filter(|document| document.invoice().is_some());
        invoices.max_by_key(|document| invoice_number(&document.source_key))
    }

    /// The document of a source, whatever became of it.
    #[must_use]
    pub fn by_source(&self, source_key: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.source_key == source_key)
    }

    /// The receipts that take something back from the live invoice, or may.
    pub fn receipts(&self) -> impl Iterator<Item = &ReceiptDraft> {
        Self::receipts_of(&self.documents)
    }

    /// The receipts among these documents that count against the live invoice.
    pub fn receipts_of(documents: &[Document]) -> impl Iterator<Item = &ReceiptDraft> {
        Self::counting(documents).filter_map(Document::receipt)
    }

    /// The rows of [`Ledger::receipts_of`]. Those of a reversed invoice do not count: the reversal took back what they had
    /// left, so the two are even.
    pub fn counting(documents: &[Document]) -> impl Iterator<Item = &Document> {
        let counts = |receipt: &&Document| receipt.state.may_exist() && !is_even(documents, receipt);
        documents.iter().filter(|document| document.receipt().is_some()).filter(counts)
    }

    /// The invoice that bills the order; or, of an order that was edited to nothing, the reversed one that no other took the
    /// place of.
    #[must_use]
    pub fn billing_invoice(&self) -> Option<&Document> {
        let invoices = self.documents.iter().filter(|document| document.invoice().is_some());
        let sent = invoices.filter(|invoice| invoice.state != State::Dropped);
        sent.max_by_key(|invoice| invoice_number(&invoice.source_key)).filter(|last| last.state != State::Gone)
    }

    /// The refund records whose receipts lie with a reversed invoice: the next one bills what they left.
    pub fn evened_out(&self) -> impl Iterator<Item = i64> {
        let even = |receipt: &&Document| receipt.state.may_exist() && is_even(&self.documents, receipt);
        self.documents.iter().filter(even).filter_map(Document::receipt).filter_map(|receipt| match receipt.cause {
            Cause::Refund(id) => Some(id),
            Cause::Cancel | Cause::Reversal(_) => None,
        })
    }

    /// It is not wanted any more.
    #[must_use]
    pub fn drop(&self, document: &Document) -> Change {
        self.unless_it_left(document, Change::Drop { document: document.id })
    }

    /// What was refused or given up is wanted again.
    #[must_use]
    pub fn want(&self, document: &Document) -> Change {
        self.unless_it_left(document, Change::Want { document: document.id })
    }

    /// What another life of the database may have sent since is looked for first.
    fn unless_it_left(&self, document: &Document, change: Change) -> Change {
        let may_have_left = document.may_have_left(self.look_first_before);
        if may_have_left { Change::Recover { document: document.id } } else { change }
    }

    /// A person said so, and it still counts.
    #[must_use]
    pub fn is_ruled(&self, ruling: Ruling) -> bool {
        self.rulings.contains(&ruling)
    }
}

fn is_even(documents: &[Document], receipt: &Document) -> bool {
    let parent = documents.iter().find(|document| Some(document.id) == receipt.parent_id);
    parent.is_some_and(|invoice| invoice.state == State::Reversed)
}

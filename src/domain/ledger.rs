//! What we did for one order so far: its documents, how its refund records were understood, and what is known of the
//! account they lie in.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::document::{Document, Policy};
use super::refund::{Class, ReceiptDraft};

/// What we did for one order so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    pub documents: Vec<Document>,
    pub classes: BTreeMap<i64, Class>,
    /// Decimals of the Daftra account, once known.
    pub decimals: Option<u32>,
    /// Set after a restore or a long silence: another life of this database may have sent documents for sources older
    /// than this, so a new document is looked for before it is sent.
    pub look_first_before: Option<Timestamp>,
    pub policy: Policy,
}

impl Ledger {
    /// The order's one invoice, if there is or may be one.
    #[must_use]
    pub fn live_invoice(&self) -> Option<&Document> {
        self.documents.iter().find(|document| document.invoice().is_some() && document.state.is_live())
    }

    /// The document of a source, whatever became of it.
    #[must_use]
    pub fn by_source(&self, source_key: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.source_key == source_key)
    }

    /// The receipts that take something back from the live invoice, or may.
    pub fn receipts(&self) -> impl Iterator<Item = &ReceiptDraft> {
        self.documents.iter().filter(|document| document.state.may_exist()).filter_map(Document::receipt)
    }
}

//! What a person decided about one order where the rules could not, as far as it is still in force.
//!
//! A dismissal and a "leave it" hold for what the person saw: when the shop changes the order, it is put before a person
//! again. An import and a new invoice are done once; the document they lead to is what remains of them.

use serde::{Deserialize, Serialize};

/// One decision of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ruling {
    /// Nothing more is to be done for the order as it is.
    Dismiss,
    /// The merchant's rules pass the order over, and it is booked all the same.
    Import,
    /// A new invoice takes the place of one that was deleted in Daftra.
    NewInvoice { document: i64 },
    /// What was deleted in Daftra was deleted on purpose.
    Leave { document: i64 },
    /// What somebody changed in Daftra is written over, once.
    Rewrite { document: i64 },
}

impl Ruling {
    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Dismiss => "dismiss",
            Self::Import => "import",
            Self::NewInvoice { .. } => "new_invoice",
            Self::Leave { .. } => "leave",
            Self::Rewrite { .. } => "rewrite",
        }
    }

    /// The document it is about.
    #[must_use]
    pub fn document(self) -> Option<i64> {
        match self {
            Self::Dismiss | Self::Import => None,
            Self::NewInvoice { document } | Self::Leave { document } | Self::Rewrite { document } => Some(document),
        }
    }

    /// The ruling of a word and the document it names; none for a pair that makes no sense.
    #[must_use]
    pub fn parse(word: &str, document: Option<i64>) -> Option<Self> {
        match (word, document) {
            ("dismiss", None) => Some(Self::Dismiss),
            ("import", None) => Some(Self::Import),
            ("new_invoice", Some(document)) => Some(Self::NewInvoice { document }),
            ("leave", Some(document)) => Some(Self::Leave { document }),
            ("rewrite", Some(document)) => Some(Self::Rewrite { document }),
            (_, _) => None,
        }
    }
}

//! The steps a plan is made of, as data: what to do in Daftra, what to note in our own books.
//!
//! They lie below the plan, which makes them, and the trace, which tells of one that shadow mode held back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalog::Code;
use super::draft::Draft;
use super::invoice::Seen;
use super::money::Amount;
use super::refund::Class;

/// One step towards what Daftra should hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Our own books only; no call.
    Record { changes: Vec<Change> },
    /// Ask Daftra for products we do not know.
    Find { codes: BTreeSet<Code> },
    /// Create a document: a new one, or one that is `planned` already.
    Create {
        document: Option<i64>,
        parent: Option<i64>,
        source_key: String,
        draft: Draft,
        classes: BTreeMap<i64, Class>,
    },
    /// Read, merge our part, write back.
    Replace { document: i64, draft: Draft, classes: BTreeMap<i64, Class> },
    /// Write what it held before somebody changed it by hand; what others added stays.
    Rewrite { document: i64 },
    /// Read back what was written.
    Verify { document: i64 },
    /// Look up a document whose call we never heard the end of.
    Resolve { document: i64, wanted: bool },
}

/// A change of our own books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The process died during its call.
    Recover {
        document: i64,
    },
    Drop {
        document: i64,
    },
    Want {
        document: i64,
    },
    /// A document another life of this database may have sent: born in doubt.
    LookFirst {
        parent: Option<i64>,
        source_key: String,
        draft: Box<Draft>,
        look_at: Timestamp,
        classes: BTreeMap<i64, Class>,
    },
    /// A posted receipt took back all that was left of a locked invoice.
    Reverse {
        document: i64,
    },
    Class {
        refund: i64,
        class: Class,
    },
    /// What was decided about lines that change nothing on the document, so that rules of later do not decide again.
    Note {
        document: i64,
        seen: BTreeMap<i64, Seen>,
    },
    /// A payment that was made on the shop's word turns out to be these transactions.
    Adopt {
        document: i64,
        transactions: BTreeSet<i64>,
    },
    /// Another life of the database sent a payment for these transactions: this much is in Daftra.
    Recount {
        document: i64,
        covers: BTreeSet<i64>,
        amount: Amount,
    },
}

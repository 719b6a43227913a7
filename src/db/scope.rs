//! Whose things somebody may see: everybody's, or those of named merchants.

use std::collections::BTreeSet;

/// Whose things somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    /// These merchants, by our own ids.
    Only(BTreeSet<i64>),
}

impl Scope {
    /// Whether a merchant is in it.
    #[must_use]
    pub fn has(&self, merchant_id: i64) -> bool {
        match self {
            Self::All => true,
            Self::Only(merchants) => merchants.contains(&merchant_id),
        }
    }
}

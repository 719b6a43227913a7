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
    /// One merchant of it, or nothing if that one is not in it.
    #[must_use]
    pub fn narrowed(&self, merchant_id: i64) -> Self {
        Self::Only(self.has(merchant_id).then_some(merchant_id).into_iter().collect())
    }

    /// Whether a merchant is in it.
    #[must_use]
    pub fn has(&self, merchant_id: i64) -> bool {
        match self {
            Self::All => true,
            Self::Only(merchants) => merchants.contains(&merchant_id),
        }
    }
}

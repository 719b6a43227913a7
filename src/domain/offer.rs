//! What an account has to offer to whoever sets up a merchant: plain names beside the numbers that documents carry. Nothing
//! is planned from it.

use rust_decimal::Decimal;

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Daftra's id.
    pub id: i64,
    /// As people read it there.
    pub name: String,
}

/// Where the documents of a merchant belong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// The active warehouses, the primary one first.
    pub stores: Vec<Named>,
    /// Empty in an account without branches.
    pub branches: Vec<Named>,
}

/// A tax that may be put on a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tax {
    /// Daftra's id.
    pub id: i64,
    /// As people read it there.
    pub name: String,
    /// 0.15 is fifteen percent.
    pub rate: Decimal,
    /// Prices contain it.
    pub included: bool,
}

/// A way of paying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The word by which documents name it.
    pub slug: String,
    /// As people read it there.
    pub label: String,
}

/// How money is booked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaysOfPaying {
    /// The active methods.
    pub methods: Vec<Method>,
    /// The active treasuries.
    pub treasuries: Vec<Named>,
}

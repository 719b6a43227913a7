//! What somebody gets a mail about, and why a mail did not go out.

use serde::{Deserialize, Serialize};

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An invoice is in Daftra, and was read back as it was written.
    Created,
    /// It was replaced, or reversed to make room for another.
    Updated,
    /// It was refunded, wholly or in part.
    Cancelled,
    /// An order waits for a person.
    Held,
    /// An order was given up.
    Failed,
    /// More of one kind than anybody would read, counted.
    More,
    /// Somebody wants to see whether mails arrive.
    Trial,
    /// The operator must know something.
    Alert,
    /// How the orders of a day stand.
    Summary,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Updated,
        Self::Cancelled,
        Self::Held,
        Self::Failed,
        Self::More,
        Self::Trial,
        Self::Alert,
        Self::Summary,
    ];
    /// Those that people choose among.
    pub const CHOSEN: [Self; 6] =
        [Self::Created, Self::Updated, Self::Cancelled, Self::Held, Self::Failed, Self::Summary];
    /// Those about one order, which people word anew.
    pub const OF_ORDERS: [Self; 5] = [Self::Created, Self::Updated, Self::Cancelled, Self::Held, Self::Failed];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::More => "more",
            Self::Trial => "trial",
            Self::Alert => "alert",
            Self::Summary => "summary",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// One cause can make thousands of them.
    #[must_use]
    pub fn comes_in_storms(self) -> bool {
        matches!(self, Self::Held | Self::Failed)
    }
}

/// Why a try to send a mail failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// No connection: the name, the port, or nobody there.
    Unreachable,
    /// The certificate is not one we trust for that name, or TLS failed otherwise.
    Tls,
    /// The server offers no STARTTLS.
    NoStarttls,
    /// User and password were not taken.
    Login { code: Option<u16>, words: String },
    /// The server cannot take it now.
    Later { code: u16, words: String },
    /// The server will never take it.
    Refused { code: u16, words: String },
    /// The connection ended before the mail was handed over.
    Cut,
    /// The connection ended while the answer was waited for: the server may have taken it.
    InDoubt,
    /// What is to be sent cannot be read: sealed with another key, or by a later version.
    Unreadable,
    /// The customer it mentioned was forgotten before it went out.
    Forgotten,
    /// Mails were switched off before it went out.
    Off,
}

//! When somebody is told of an alert, told again, and told that it is over. Pure, so that a storm can be played in a test.
//!
//! A cause is told once however often it comes: what came meanwhile is a count. One that comes and goes is told like one that
//! stays, at most once in each pause.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How patient the telling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// So long a cause stands before anybody hears of it: what ends sooner is shown on the page only.
    pub settle: SignedDuration,
    /// So long after the last word it is told again while it stands.
    pub remind: SignedDuration,
    /// Between the last word about an alert and the first about the next of the same cause and subject.
    pub pause: SignedDuration,
}

/// What is told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is so.
    Opened,
    /// It is so still.
    Reminder,
    /// It is over.
    Over,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Opened, Self::Reminder, Self::Over];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reminder => "reminder",
            Self::Over => "over",
        }
    }

    /// The stage of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// The last word about it.
    pub told: Option<(Stage, Timestamp)>,
    /// When the last word was said about an earlier alert of the same cause and subject.
    pub told_before: Option<Timestamp>,
}

/// What is to be told next, and from when on. `None`: nothing more.
#[must_use]
pub fn next(alert: &Standing, pace: Pace) -> Option<(Stage, Timestamp)> {
    match (alert.told, alert.closed_at) {
        (None, None) => {
            let settled = alert.opened_at + pace.settle;
            Some((Stage::Opened, alert.told_before.map_or(settled, |before| settled.max(before + pace.pause))))
        }
        (None, Some(_)) | (Some((Stage::Over, _)), _) => None,
        (Some((Stage::Opened | Stage::Reminder, at)), None) => Some((Stage::Reminder, at + pace.remind)),
        (Some((Stage::Opened | Stage::Reminder, _)), Some(closed)) => Some((Stage::Over, closed)),
    }
}

/// What a word about an alert says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The alert's id.
    pub alert: i64,
    /// The word of its cause, perhaps of a later version.
    pub cause: String,
    /// Name and slug of the merchant that it is about.
    pub merchant: Option<(String, String)>,
    /// The Daftra account that it is about, by its address; or what else there is to name.
    pub particular: Option<String>,
    /// How often it came.
    pub count: i64,
    /// Orders that wait because of it; none where that is not to be said.
    pub waiting: Option<u32>,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// What is told of a merchant's day: its statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    pub merchant: String,
    pub day: Date,
    /// How many orders are in which class, by the class's word; classes without any are not there.
    pub classes: Vec<(String, i64)>,
    /// Numbers of orders that nobody told of, as people write them.
    pub missing: Vec<String>,
    /// The shop itself was looked through: there are no other orders.
    pub is_proven: bool,
    /// The statement's page.
    pub page: Option<String>,
}

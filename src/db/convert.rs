//! Between columns and the values they stand for: times in milliseconds, JSON columns, words of states.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

/// A time as its column holds it.
#[must_use]
pub(crate) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The time of a column.
pub(crate) fn at(ms: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(ms)
        .map_err(|error| Error::Unreadable { context: "read a time", why: error.to_string() })
}

/// The time of a column that may be empty.
pub(crate) fn maybe_at(ms: Option<i64>) -> Result<Option<Timestamp>, Error> {
    ms.map(at).transpose()
}

/// A value as its JSON column holds it.
#[must_use]
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("a column's type has only string keys and no fallible parts")
}

/// The value of a JSON column.
pub(crate) fn from_json<T: DeserializeOwned>(context: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Unreadable { context, why: error.to_string() })
}

/// A column's word that only this program writes.
pub(crate) fn word<T>(context: &'static str, text: &str, parsed: Option<T>) -> Result<T, Error> {
    parsed.ok_or_else(|| Error::Unreadable { context, why: format!("'{text}' is no word we know") })
}

//! What stands behind the question mark of an address of the API. A field that is not known is refused, not passed over:
//! a script that misspelled its filter would get everything.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;

use crate::db::merchant::Merchant;
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Wrong};

const USUAL: u32 = 50;
const MOST: u32 = 200;

/// The fields, each once.
pub(super) struct Query<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> Query<'a> {
    pub(super) fn parse(asked: &'a Asked, known: &[&str]) -> Result<Self, Problem> {
        let mut fields = BTreeMap::new();
        for (name, value) in asked.wishes() {
            if !known.contains(&&*name) {
                let remedy = match known {
                    [] => "this address takes no fields".to_owned(),
                    known => format!("use {}", known.join(", ")),
                };
                return Err(Wrong::new(name, "unknown", remedy).into());
            }
            if fields.contains_key(&name) {
                return Err(Wrong::new(name, "there twice", "give it once").into());
            }
            fields.insert(name, value);
        }
        Ok(Self(fields))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| &**value)
    }

    /// A value that must be one of something.
    pub(super) fn word<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
        remedy: impl FnOnce() -> String,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match parse(text) {
            Some(value) => Ok(Some(value)),
            None => Err(Wrong::new(name, json!(text).to_string(), remedy()).into()),
        }
    }

    /// One of our numbers.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let positive = |text: &str| text.parse().ok().filter(|number| *number > 0);
        self.word(name, positive, || "write one of our numbers, as an answer shows them".to_owned())
    }

    pub(super) fn limit(&self) -> Result<u32, Problem> {
        let fits = |text: &str| text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        Ok(self.word("limit", fits, || format!("write a number from 1 to {MOST}"))?.unwrap_or(USUAL))
    }

    /// The merchant of a filter. One that is out of scope is not there.
    pub(super) fn merchant(&self, asked: &Asked) -> Result<Option<Merchant>, Problem> {
        let all = asked.see(|sight| sight.merchants())?;
        let find = |slug: &str| all.into_iter().find(|merchant| merchant.slug == slug);
        self.word("merchant", find, || "there is no such merchant: /api/v1/merchants lists them".to_owned())
    }

    /// The address of what comes after a row, which this field names.
    pub(super) fn next(&self, path: &str, field: &str, last: &str) -> String {
        let start = format!("{path}?");
        let length = start.len();
        let kept = self.0.iter().filter(|(name, _)| *name != field);
        let mut address = form_urlencoded::Serializer::for_suffix(start, length);
        address.extend_pairs(kept).append_pair(field, last).finish()
    }
}

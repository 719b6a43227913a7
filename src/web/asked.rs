//! One request of somebody who has signed in, as handlers get it: who, where, in which language, and what was typed.
//!
//! A handler reads the database through [`Asked::see`] only, and so with the eyes of whoever asks; it changes things by
//! wishes only, which need an [`Actor`].

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::auth::{Actor, Viewer};
use super::context::Context;
use super::multipart;
use crate::db;
use crate::db::sight::Sight;
use crate::desk::{self, Person, Via, Wish};
use crate::text::{Lang, Notice};

/// What a handler knows of its request.
pub(super) struct Asked {
    pub(super) context: Arc<Context>,
    pub(super) viewer: Viewer,
    pub(super) lang: Lang,
    /// Where the browser is, as far as trusted proxies tell.
    pub(super) client: IpAddr,
    /// Where the browser reaches us, as far as it can be believed.
    pub(super) origin: Option<String>,
    /// Without the query.
    pub(super) path: String,
    /// As far as the route reads it.
    pub(super) query: String,
    /// What stands in the places that the route leaves open.
    pub(super) captured: Vec<String>,
}

impl Asked {
    /// The number in the first open place of the route.
    pub(super) fn id(&self) -> Result<i64, Notice> {
        self.captured.first().and_then(|text| text.parse().ok()).ok_or(Notice::NotFound)
    }

    /// The word in the first open place of the route.
    pub(super) fn slug(&self) -> &str {
        self.captured.first().map_or("", String::as_str)
    }

    /// What the address says after its question mark, but for fields that were left empty.
    pub(super) fn wishes(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes()).filter(|(_, value)| !value.is_empty())
    }

    /// Reads with the eyes of whoever asks.
    pub(super) fn see<T>(&self, look: impl FnOnce(&Sight<'_>) -> Result<T, db::Error>) -> Result<T, db::Error> {
        self.context.parts.db.see(&self.viewer.user().scope, look)
    }

    /// What a form must carry that is sent to this address.
    pub(super) fn token(&self, action: &str) -> String {
        self.context.guard.form_token(&self.viewer, action)
    }

    /// Makes a wish come true in the name of whoever pressed the button.
    pub(super) fn perform(&self, actor: &Actor, wish: Wish) -> Result<Value, desk::Error> {
        let person = Person { user_id: Some(actor.user().id), via: actor.via(), from: Some(self.client) };
        self.context.parts.desk.perform(wish, person)
    }

    /// The body of a delivery, opened for whoever asks. Whether they may is for the caller to know.
    pub(super) fn body(&self, delivery_id: i64) -> Result<String, desk::Error> {
        let person = Person { user_id: Some(self.viewer.user().id), via: Via::Page, from: Some(self.client) };
        self.context.parts.desk.body(delivery_id, person)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.context.parts.clock.now()
    }
}

/// Fields of one form, far beyond the longest of ours: each weighs more in memory than on the wire.
const FIELDS: usize = 10_000;

/// What was typed into a form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The proof that somebody pressed our button. It stands first in our forms; nothing else is kept on the way to it.
    pub(super) fn token(headers: &HeaderMap, bytes: &[u8]) -> String {
        typed(headers, bytes).find(|(name, _)| name == "token").map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// The fields of these names.
    pub(super) fn read(headers: &HeaderMap, bytes: &[u8], names: &[&str]) -> Result<Self, Notice> {
        let named = typed(headers, bytes).filter(|(name, _)| names.contains(&&**name));
        let fields: Vec<_> =
            named.take(FIELDS + 1).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        if fields.len() > FIELDS { Err(Notice::TooLarge) } else { Ok(Self(fields)) }
    }

    /// The value of a field without the blanks around it; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The values of a field that may be there several times, such as ticked boxes.
    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// A value as it was typed: blanks belong to a password.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Names and values as they come.
fn typed<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Box<dyn Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + 'a> {
    match multipart::boundary(headers) {
        Some(boundary) => Box::new(multipart::fields(bytes, &boundary)),
        None => Box::new(form_urlencoded::parse(bytes)),
    }
}

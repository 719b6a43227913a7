//! Every request has an id: in each line of the log that it causes, and in the answer, so that whoever complains can name it.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::header::{HeaderName, HeaderValue};
use tracing::Span;

use super::reply::Reply;
use crate::vault;

/// Where an answer says which request it belongs to.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Letters that tell one run of the program from another.
const RUN: usize = 8;

/// Gives ids out: what tells this run of the program from others, and a number.
pub(super) struct Requests {
    run: String,
    last: AtomicU64,
}

/// The id of one request. What a sender calls it is not taken over: anybody could write anything into our log.
pub(super) struct Id(String);

impl Requests {
    pub(super) fn new() -> Self {
        let run = vault::random_token().chars().filter(char::is_ascii_alphanumeric).take(RUN).collect();
        Self { run, last: AtomicU64::new(0) }
    }

    pub(super) fn next(&self) -> Id {
        Id(format!("{}-{}", self.run, self.last.fetch_add(1, Ordering::Relaxed) + 1))
    }
}

impl Id {
    /// What lines of the log that belong to the request stand under.
    pub(super) fn span(&self) -> Span {
        tracing::info_span!("http", request = %self.0)
    }

    pub(super) fn stamp(self, reply: &mut Reply) {
        let value = HeaderValue::try_from(self.0).expect("an id is plain ASCII");
        reply.headers_mut().insert(HEADER, value);
    }
}

//! Answers, and the headers each of them carries.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use maud::Markup;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::db;
use crate::desk;
use crate::text::Notice;
use crate::text::refusal::Refusal;

pub(super) type Reply = Response<Full<Bytes>>;

/// When a sender or a browser that was turned away for lack of room may come again.
const COME_AGAIN_SECONDS: u64 = 5;

/// Nothing is loaded from elsewhere, only our own file of script runs, nobody frames us.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Pages show names and orders: nothing is kept.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not "no-referrer": a browser then sends "Origin: null" from our own forms, which is what a stranger's looks like.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Why somebody gets a sentence instead of a page, and the one header that belongs to some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) notice: Notice,
    /// The methods an address knows.
    pub(super) allow: Option<&'static str>,
    /// What was not right with what was sent.
    pub(super) because: Option<Box<Because>>,
}

/// What was not right with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// A wish was refused.
    Refused(Refusal),
    /// A field of the API, which speaks English like its description.
    Wrong(Wrong),
}

/// A field that is not what the API's description says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) found: String,
    pub(super) remedy: String,
}

impl Wrong {
    /// A value in JSON, or a word for what is not there.
    pub(super) fn new(field: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { field: field.into(), found: found.into(), remedy: remedy.into() }
    }
}

impl From<Notice> for Problem {
    fn from(notice: Notice) -> Self {
        Self { notice, allow: None, because: None }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { because: Some(Box::new(Because::Refused(refusal))), ..Notice::Refused.into() }
    }
}

impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Self {
        Self { because: Some(Box::new(Because::Wrong(wrong))), ..Notice::Refused.into() }
    }
}

impl From<desk::Error> for Problem {
    fn from(error: desk::Error) -> Self {
        match error {
            desk::Error::Refused(refusal) => refusal.into(),
            desk::Error::Db(error) => error.into(),
        }
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        let notice = match &error {
            db::Error::Full | db::Error::NoReader(_) | db::Error::Stopped => Notice::Busy,
            db::Error::NotFound { .. } => return Notice::NotFound.into(),
            db::Error::Newer { .. }
            | db::Error::Older { .. }
            | db::Error::Damaged(_)
            | db::Error::GivenUp
            | db::Error::Unusable { .. }
            | db::Error::Locked { .. }
            | db::Error::Constraint { .. }
            | db::Error::Unreadable { .. }
            | db::Error::Panicked(_)
            | db::Error::Sqlite { .. }
            | db::Error::File { .. } => Notice::Fault,
        };
        tracing::error!(%error, "A page could not be made");
        notice.into()
    }
}

/// The status of a notice.
pub(super) fn status(notice: Notice) -> StatusCode {
    match notice {
        Notice::SignIn => StatusCode::UNAUTHORIZED,
        Notice::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
        Notice::Forbidden | Notice::TokenNeeded | Notice::CrossSite | Notice::StaleForm => StatusCode::FORBIDDEN,
        Notice::NotFound => StatusCode::NOT_FOUND,
        Notice::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Notice::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        Notice::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Notice::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Notice::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Notice::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Notice::Fault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Only a status, for machines.
pub(super) fn bare(status: StatusCode) -> Reply {
    let mut reply = make(status, Bytes::new());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        reply.headers_mut().insert(header::RETRY_AFTER, COME_AGAIN_SECONDS.into());
    }
    reply
}

/// A word, for machines that ask for no more.
pub(super) fn text(status: StatusCode, word: impl Into<Bytes>) -> Reply {
    typed(make(status, word.into()), "text/plain; charset=utf-8")
}

/// Figures for those who measure.
pub(super) fn metrics(text: String) -> Reply {
    typed(make(StatusCode::OK, Bytes::from(text)), "text/plain; version=0.0.4; charset=utf-8")
}

/// A page.
pub(super) fn html(status: StatusCode, page: Markup) -> Reply {
    typed(make(status, Bytes::from(page.into_string())), "text/html; charset=utf-8")
}

/// An answer for programs.
pub(super) fn json(value: &impl Serialize) -> Reply {
    typed(make(StatusCode::OK, written(value)), "application/json")
}

/// A file of ours for programs.
pub(super) fn json_file(text: &'static str) -> Reply {
    typed(make(StatusCode::OK, Bytes::from_static(text.as_bytes())), "application/json")
}

/// A problem as RFC 9457 tells it to programs, with what its status owes them.
pub(super) fn problem_json(problem: &Problem, told: &impl Serialize) -> Reply {
    let mut reply = typed(make(status(problem.notice), written(told)), "application/problem+json");
    owe(&mut reply, problem);
    if problem.notice == Notice::SignIn {
        reply.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Qantara\""));
    }
    reply
}

fn written(value: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_string(value).expect("answers have only string keys and no fallible parts"))
}

/// The sentence of a problem as a page, with what its status owes the browser.
pub(super) fn problem(problem: &Problem, page: Markup) -> Reply {
    let mut reply = html(status(problem.notice), page);
    owe(&mut reply, problem);
    reply
}

fn owe(reply: &mut Reply, problem: &Problem) {
    let headers = reply.headers_mut();
    match problem.notice {
        Notice::SignIn => {
            let challenge = HeaderValue::from_static("Basic realm=\"Qantara\", charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        Notice::TooManyTries { seconds } => drop(headers.insert(header::RETRY_AFTER, seconds.into())),
        Notice::Busy => drop(headers.insert(header::RETRY_AFTER, COME_AGAIN_SECONDS.into())),
        Notice::Forbidden
        | Notice::TokenNeeded
        | Notice::CrossSite
        | Notice::StaleForm
        | Notice::NotFound
        | Notice::Refused
        | Notice::WrongMethod
        | Notice::TooLarge
        | Notice::TooSlow
        | Notice::Unsupported
        | Notice::Fault => {}
    }
    if let Some(allow) = problem.allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
}

/// Something to keep as a file of this name, which is plain ASCII.
pub(super) fn file(kind: &'static str, name: &str, content: String) -> Reply {
    let mut reply = typed(make(StatusCode::OK, Bytes::from(content)), kind);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("the name is ASCII");
    reply.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    reply
}

/// A style whose name changes with its content.
pub(super) fn style(text: &'static str) -> Reply {
    let mut reply = typed(make(StatusCode::OK, Bytes::from_static(text.as_bytes())), "text/css; charset=utf-8");
    let forever = HeaderValue::from_static("private, max-age=31536000, immutable");
    reply.headers_mut().insert(header::CACHE_CONTROL, forever);
    reply
}

/// A script whose name changes with its content.
pub(super) fn script(text: &'static str) -> Reply {
    typed(style(text), "text/javascript; charset=utf-8")
}

/// A mail as mail programs show it, with the one style that stands in it.
pub(super) fn mail(page: String, style: &str) -> Reply {
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = POLICY.replace("style-src 'self'", &format!("style-src 'sha256-{hash}'"));
    let mut reply = typed(make(StatusCode::OK, Bytes::from(page)), "text/html; charset=utf-8");
    let policy = HeaderValue::from_str(&policy).expect("a hash is plain ASCII");
    reply.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    reply
}

/// Lets this answer show one page from elsewhere.
pub(super) fn may_frame(mut reply: Reply, origin: &str) -> Reply {
    let policy = HeaderValue::from_str(&format!("{POLICY}; frame-src {origin}")).expect("an origin is plain ASCII");
    reply.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    reply
}

/// From now on browsers come by HTTPS only. Of this host: what others serve beside it is not ours to decide.
pub(super) fn over_https(mut reply: Reply) -> Reply {
    let year = HeaderValue::from_static("max-age=31536000");
    reply.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    reply
}

/// After a form: look there.
pub(super) fn see(address: &str) -> Reply {
    let mut reply = make(StatusCode::SEE_OTHER, Bytes::new());
    let address = HeaderValue::from_str(address).expect("our own addresses are plain ASCII");
    reply.headers_mut().insert(header::LOCATION, address);
    reply
}

/// The same is at another address, for good and for every method.
pub(super) fn moved(address: HeaderValue) -> Reply {
    let mut reply = make(StatusCode::PERMANENT_REDIRECT, Bytes::new());
    reply.headers_mut().insert(header::LOCATION, address);
    reply
}

fn typed(mut reply: Reply, kind: &'static str) -> Reply {
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}

fn make(status: StatusCode, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    for (name, value) in ALWAYS {
        reply.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    reply
}

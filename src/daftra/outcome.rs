//! What came back from one call, and what that counts as.
//!
//! The rule is asymmetric on purpose. Accepted needs everything (2xx, JSON, the word, the code, an id), refused needs
//! Daftra's own explanation, and whatever is left is unknown: the document may exist. Messages are localised, so they
//! are shown and never branched on, but for one that makes us more careful.

use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::redact;
use super::wire;
use crate::domain::reason::Refusal;
use crate::outgoing::{Answer, Failure};

/// How a create or replace ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is there. A replace gives back the id it was asked for.
    Accepted {
        /// Daftra's id.
        remote_id: i64,
        /// The number people see, if Daftra tells it.
        remote_no: Option<String>,
    },
    /// Daftra said no, and why.
    Refused(Refusal),
    /// No byte of the request left.
    Unsent(String),
    /// Not executed: too many calls.
    Throttled {
        /// How long Daftra wants us to wait.
        retry_after: Option<SignedDuration>,
        /// For people.
        text: String,
    },
    /// Not executed: the key does not open.
    Credential(String),
    /// It may have been executed, or may yet be.
    Unknown {
        /// For people.
        text: String,
        /// Set when the merchant's address itself looks wrong.
        trouble: Option<Trouble>,
    },
}

/// Why a question stayed without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// No byte of the request left.
    Unsent(String),
    /// Too many calls.
    Throttled {
        /// How long Daftra wants us to wait.
        retry_after: Option<SignedDuration>,
        /// For people.
        text: String,
    },
    /// The key does not open.
    Credential(String),
    /// An answer that says nothing we may rely on, or none.
    Failed {
        /// For people.
        text: String,
        /// The other side is down, as opposed to answering nonsense: this counts for the breaker.
        outage: bool,
        /// Set when the merchant's address itself looks wrong.
        trouble: Option<Trouble>,
    },
}

impl Unanswered {
    /// An answer we cannot rely on.
    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::Failed { text: text.into(), outage: false, trouble: None }
    }
}

/// Signs that the address or the account behind it is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// We are sent elsewhere. It is not followed: the key stays with the address it was given for.
    Redirect,
    /// A page for people, such as a log-in form.
    Html,
}

/// Which of Daftra's two interfaces was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/api2`: an envelope with `result` and `code`.
    V1,
    /// `/v2/api/entity`: bare data, or an `error`.
    V2,
}

/// One call, judged before asking what it means for the question. Good: 2xx, and the body says success in the way of
/// its dialect.
pub type Reply = Result<Map<String, Value>, Setback>;

/// Why a call was no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setback {
    /// Daftra explains why not.
    Refused(Refusal),
    /// No byte of the request left.
    Unsent(String),
    /// Too many calls.
    Throttled {
        /// How long Daftra wants us to wait.
        retry_after: Option<SignedDuration>,
        /// For people.
        text: String,
    },
    /// The key does not open.
    Credential(String),
    /// Everything else.
    Unknown {
        /// For people.
        text: String,
        /// The other side is down.
        outage: bool,
        /// The address looks wrong.
        trouble: Option<Trouble>,
    },
}

impl std::fmt::Display for Setback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => {
                f.write_str(&refusal.message)?;
                refusal.fields.iter().try_for_each(|(field, complaint)| write!(f, "; {field}: {complaint}"))
            }
            Self::Unsent(text) | Self::Credential(text) => f.write_str(text),
            Self::Throttled { retry_after: _, text } | Self::Unknown { text, outage: _, trouble: _ } => {
                f.write_str(text)
            }
        }
    }
}

impl From<Setback> for Written {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Refused(refusal) => Self::Refused(refusal),
            Setback::Unsent(text) => Self::Unsent(text),
            Setback::Throttled { retry_after, text } => Self::Throttled { retry_after, text },
            Setback::Credential(text) => Self::Credential(text),
            Setback::Unknown { text, outage: _, trouble } => Self::Unknown { text, trouble },
        }
    }
}

/// A refusal to answer is no answer.
impl From<Setback> for Unanswered {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Refused(refusal) => {
                let Refusal { status, message, fields: _ } = refusal;
                Self::failed(format!("HTTP {status}: Daftra refuses to answer: {message}"))
            }
            Setback::Unsent(text) => Self::Unsent(text),
            Setback::Throttled { retry_after, text } => Self::Throttled { retry_after, text },
            Setback::Credential(text) => Self::Credential(text),
            Setback::Unknown { text, outage, trouble } => Self::Failed { text, outage, trouble },
        }
    }
}

/// Judges one call. Texts come out without the key and without mail addresses.
pub fn judge(exchange: Result<Answer, Failure>, dialect: Dialect, key: &SecretString) -> Reply {
    let answer = match exchange {
        Ok(answer) => answer,
        Err(Failure::Unsent(text)) => return Err(Setback::Unsent(text)),
        Err(Failure::Unknown(text)) => return Err(Setback::Unknown { text, outage: true, trouble: None }),
    };
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let words = Words { status: answer.status, body: body.as_ref(), key };
    let setback = match answer.status {
        429 => throttled(&answer, &words),
        408 | 500.. => words.unknown("the server failed", true, None),
        300..400 => words.unknown("we are sent elsewhere, so the address is wrong", false, Some(Trouble::Redirect)),
        _ if body.is_none() && is_html(&answer) => {
            words.unknown("a page for people instead of an answer", false, Some(Trouble::Html))
        }
        _ if body.is_none() => words.unknown("the answer is not whole JSON", false, None),
        401 | 403 => words.credential(),
        400.. => words.refused(answer.status),
        200..300 => match &body {
            Some(Value::Object(fields)) if is_success(fields, dialect) => return Ok(fields.clone()),
            Some(Value::Object(fields)) if is_failure(fields, dialect) => failed_with_200(&answer, fields, &words),
            _ => words.unknown("the answer says neither success nor failure", false, None),
        },
        _ => words.unknown("a status nobody expects", false, None),
    };
    Err(setback)
}

/// What a call counts as when it was to create a document.
#[must_use]
pub fn created(reply: Reply) -> Written {
    let fields = match reply {
        Ok(fields) => fields,
        Err(setback) => return setback.into(),
    };
    match wire::id(&fields, "id") {
        Ok(Some(remote_id)) => Written::Accepted { remote_id, remote_no: wire::text(&fields, "invoice_number") },
        Ok(None) | Err(_) => Written::Unknown { text: "Daftra says success and names no id".to_owned(), trouble: None },
    }
}

/// What a call counts as when it was to replace the document `id`.
#[must_use]
pub fn replaced(reply: Reply, id: i64) -> Written {
    match reply {
        Ok(fields) => Written::Accepted { remote_id: id, remote_no: wire::text(&fields, "invoice_number") },
        Err(setback) => setback.into(),
    }
}

fn is_success(fields: &Map<String, Value>, dialect: Dialect) -> bool {
    match dialect {
        Dialect::V1 => {
            let says_so = fields.get("result").and_then(Value::as_str) == Some("successful");
            says_so && matches!(code(fields), Some(200 | 202))
        }
        Dialect::V2 => !is_failure(fields, dialect),
    }
}

fn is_failure(fields: &Map<String, Value>, dialect: Dialect) -> bool {
    let says_so = fields.get("result").and_then(Value::as_str).is_some_and(|word| word.eq_ignore_ascii_case("failed"));
    says_so || dialect == Dialect::V2 && fields.contains_key("error")
}

fn code(fields: &Map<String, Value>) -> Option<u16> {
    wire::id(fields, "code").ok().flatten().and_then(|code| u16::try_from(code).ok())
}

/// A failure under HTTP 200: the code inside decides as the status would have.
fn failed_with_200(answer: &Answer, fields: &Map<String, Value>, words: &Words<'_>) -> Setback {
    match code(fields) {
        Some(429) => throttled(answer, words),
        Some(401 | 403) => words.credential(),
        Some(408 | 500..) => words.unknown("the server failed", true, None),
        Some(code @ 400..) => words.refused(code),
        Some(_) | None => words.refused(answer.status),
    }
}

/// No account is paused for longer by one answer.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

fn throttled(answer: &Answer, words: &Words<'_>) -> Setback {
    let wish = answer.header("retry-after").and_then(|text| {
        let seconds = text.trim().parse().ok().map(SignedDuration::from_secs);
        // A date counts from the server's own clock: ours may be elsewhere.
        seconds.or_else(|| {
            let until = rfc2822::parse(text).ok()?.timestamp();
            let now = rfc2822::parse(answer.header("date")?).ok()?.timestamp();
            Some(until.duration_since(now))
        })
    });
    let retry_after = wish.map(|wish| wish.clamp(SignedDuration::ZERO, LONGEST_PAUSE));
    Setback::Throttled { retry_after, text: words.line("too many calls") }
}

fn is_html(answer: &Answer) -> bool {
    let named = answer.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    named || answer.body.trim_ascii_start().starts_with(b"<")
}

/// What can be said about an answer.
struct Words<'a> {
    status: u16,
    body: Option<&'a Value>,
    key: &'a SecretString,
}

impl Words<'_> {
    /// One line for people: status, our reading, Daftra's words.
    fn line(&self, reading: &str) -> String {
        match self.message().as_str() {
            "" => format!("HTTP {}: {reading}", self.status),
            message => format!("HTTP {}: {reading}: {message}", self.status),
        }
    }

    fn credential(&self) -> Setback {
        Setback::Credential(self.line("the key does not open"))
    }

    fn unknown(&self, reading: &str, outage: bool, trouble: Option<Trouble>) -> Setback {
        Setback::Unknown { text: self.line(reading), outage, trouble }
    }

    /// A no counts only if Daftra says why: a gateway's bare status proves nothing.
    fn refused(&self, status: u16) -> Setback {
        let refusal = Refusal { status, message: self.message(), fields: self.complaints() };
        if refusal.message.is_empty() && refusal.fields.is_empty() {
            return self.unknown("a refusal without a reason", false, None);
        }
        Setback::Refused(refusal)
    }

    fn message(&self) -> String {
        let said = |name| self.body.and_then(|body| body.get(name)).and_then(Value::as_str);
        redact::words(said("message").or_else(|| said("error")).unwrap_or_default(), self.key)
    }

    fn complaints(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for name in ["validation_errors", "errors"] {
            if let Some(complaints) = self.body.and_then(|body| body.get(name)) {
                self.collect(String::new(), complaints, &mut found);
            }
        }
        found
    }

    /// Flat or nested by model, texts or lists of texts: all forms have been seen.
    fn collect(&self, place: String, complaint: &Value, found: &mut Vec<(String, String)>) {
        match complaint {
            Value::String(text) if !text.is_empty() => found.push((place, redact::words(text, self.key))),
            Value::Array(list) => list.iter().for_each(|one| self.collect(place.clone(), one, found)),
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                    self.collect(place, inner, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

//! HTTP as plain values: what the sandbox is asked and what it says. No socket, no async; `server` carries them.

use serde_json::Value;

/// One request, complete.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Upper case, as sent.
    pub method: String,
    /// Path without the query, not decoded.
    pub path: String,
    /// What follows the `?`, not decoded.
    pub query: String,
    /// In the order sent; names in any case.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request for `target`, which may carry a query.
    pub fn new(method: &str, target: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Request { method: method.into(), path: path.into(), query: query.into(), ..Request::default() }
    }

    /// The same request with one more header.
    pub fn with_header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same request with this JSON as its body.
    pub fn with_json(mut self, body: &Value) -> Request {
        self.body = body.to_string().into_bytes();
        self.with_header("Content-Type", "application/json")
    }

    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Decoded query parameters in the order sent.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }
}

/// One answer, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// Without `Content-Length`, which the carrier knows.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Answer {
        let headers = vec![("Content-Type".into(), "application/json; charset=UTF-8".into())];
        Answer { status, headers, body: body.to_string().into_bytes() }
    }

    /// An HTML page: what the real service shows for log-in, maintenance and gateway trouble.
    pub fn html(status: u16, body: &str) -> Answer {
        let headers = vec![("Content-Type".into(), "text/html; charset=UTF-8".into())];
        Answer { status, headers, body: body.as_bytes().to_vec() }
    }

    /// Plain words for people.
    pub fn text(body: &str) -> Answer {
        let headers = vec![("Content-Type".into(), "text/plain; charset=UTF-8".into())];
        Answer { status: 200, headers, body: body.as_bytes().to_vec() }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The answer as bytes on the line; `Reaction::Cut` counts in these.
    pub fn raw(&self) -> Vec<u8> {
        let mut raw = format!("HTTP/1.1 {} Sandbox\r\n", self.status);
        for (name, value) in &self.headers {
            raw.push_str(&format!("{name}: {value}\r\n"));
        }
        raw.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        let mut raw = raw.into_bytes();
        raw.extend_from_slice(&self.body);
        raw
    }
}

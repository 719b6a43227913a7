//! The one way out: every HTTP call of the product goes through [`Outgoing::exchange`].
//!
//! - A failure says what we know about the other side: [`Failure::Unsent`], when no byte of the request left, or
//!   [`Failure::Unknown`]. That is decided by *where* it failed: name resolution and the connector mark their errors,
//!   and whatever is not marked is unknown.
//! - Addresses are judged after name resolution; private ones and plain HTTP want an exception in `[outgoing] allow`.
//! - One connection per call, no proxy, no redirect, nothing repeated, every step with a time-out and a limit.
//!
//! What an answer means is for the caller: any status is an [`Answer`].

mod address;
mod loopback;
mod tls;

use std::{fmt, path::PathBuf, time::Duration};

use rustls_pki_types::pem;
use secrecy::{ExposeSecret, SecretString};
use ureq::{
    Agent, AsSendBody, Error, Timeout,
    http::{HeaderValue, Request, Uri, request::Builder, uri::Scheme},
    unversioned::{
        resolver::DefaultResolver,
        transport::{ConnectionDetails, Connector, TcpConnector},
    },
};

use crate::config::keys;
use address::Guide;
use loopback::LoopbackOnly;
use tls::Tls;

/// An HTTP client that goes only where it may.
#[derive(Debug, Clone)]
pub struct Outgoing {
    agent: Agent,
}

/// One request.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// What to do.
    pub method: Method,
    /// In full, with scheme and host.
    pub url: &'a str,
    /// Names and values that anyone may read.
    pub headers: &'a [(&'a str, &'a str)],
    /// The header that carries the key.
    pub secret_header: Option<(&'a str, &'a SecretString)>,
    /// What to send; its type is one of the headers.
    pub body: Option<&'a [u8]>,
}

/// The methods that those we call want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Asks for the headers alone.
    Head,
}

/// Where one call must end.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first step to the last byte of the answer.
    pub call_timeout: Duration,
    /// For resolving the name, and then for connecting with TLS.
    pub connect_timeout: Duration,
    /// The longest body that is an answer.
    pub max_answer_bytes: usize,
}

/// A whole answer, whatever its status.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// As long as announced. Without an announcement it ends with the connection, and cut looks like whole: what is in
    /// it must show its own end, as JSON does.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// A call without an answer. The texts name the host, never the rest of the address nor the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No byte of the request left: it may be sent again freely.
    #[error("{0}")]
    Unsent(String),
    /// It may have been executed, or may yet be: look before sending again.
    #[error("{0}")]
    Unknown(String),
}

/// Why the extra certificates are not usable.
#[derive(Debug, thiserror::Error)]
pub enum CaFileError {
    /// Unreadable, or not PEM.
    #[error("outgoing.extra_ca_file {} cannot be read: {source}; name a PEM file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// PEM, but nothing in it is a certificate of an authority.
    #[error("outgoing.extra_ca_file {} holds no usable certificate; name a PEM file of certificates", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Outgoing {
    /// The client over TCP.
    pub fn new(config: &keys::Outgoing) -> Result<Self, CaFileError> {
        Self::with_connector(config, TcpConnector::default())
    }

    /// A client that never leaves this machine, whatever a name resolves to: for a server whose clock is not the real one.
    pub fn loopback_only(config: &keys::Outgoing) -> Result<Self, CaFileError> {
        Self::with_connector(config, LoopbackOnly::default())
    }

    /// The same client over another network, for simulations: addresses, TLS and classification stay as they are.
    pub fn with_connector(config: &keys::Outgoing, network: impl Connector) -> Result<Self, CaFileError> {
        let tls = Tls::new(config.extra_ca_file.as_deref())?;
        let settings = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .max_response_header_size(64 * 1024)
            .user_agent(concat!("qantara/", env!("CARGO_PKG_VERSION")))
            .build();
        let guide = Guide { allow: config.allow.clone(), dns: DefaultResolver::default() };
        Ok(Self { agent: Agent::with_parts(settings, Marking(network.chain(tls)), guide) })
    }

    /// Sends the call once and reads the whole answer.
    pub fn exchange(&self, call: &Call<'_>, limits: &Limits) -> Result<Answer, Failure> {
        let uri = parse_url(call.url)?;
        let place = format!("{}:{}", uri.host().unwrap_or_default(), port_of(&uri));
        let request = head(call, uri)
            .map_err(|_| Failure::Unsent(format!("{place}: a header holds characters that cannot be sent")))?;
        let answered = match call.body {
            Some(body) => self.run(request.body(body), limits),
            None => self.run(request.body(()), limits),
        };
        answered.map_err(|error| classify(&error, &place))
    }

    fn run<B: AsSendBody>(
        &self,
        request: Result<Request<B>, ureq::http::Error>,
        limits: &Limits,
    ) -> Result<Answer, Error> {
        let request = request.map_err(Error::Http).map_err(before_sending)?;
        let (connect, call) = (Some(limits.connect_timeout), Some(limits.call_timeout));
        let request = self
            .agent
            .configure_request(request)
            .timeout_resolve(connect)
            .timeout_connect(connect)
            .timeout_send_request(call)
            .timeout_send_body(call)
            .timeout_recv_response(call)
            .timeout_recv_body(call)
            .timeout_global(call)
            .build();
        let mut response = self.agent.run(request)?;
        // The limit of ureq is the first length it refuses to read on at, ours the last that is good.
        let refused_at = (limits.max_answer_bytes as u64).saturating_add(1);
        let body = response.body_mut().with_config().limit(refused_at).read_to_vec()?;
        let readable = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().into(), readable(value))).collect();
        Ok(Answer { status: response.status().as_u16(), headers, body })
    }
}

/// Passes the connector through and marks its errors: while connecting, the request has not begun.
#[derive(Debug)]
struct Marking<C>(C);

impl<C: Connector> Connector for Marking<C> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails<'_>, below: Option<()>) -> Result<Option<Self::Out>, Error> {
        match self.0.connect(details, below) {
            Ok(Some(transport)) => Ok(Some(transport)),
            Ok(None) => Err(before_sending(Error::ConnectionFailed)),
            Err(error) => Err(before_sending(error)),
        }
    }
}

/// The mark: this error came before the first byte of the request.
#[derive(Debug)]
struct BeforeSending(Error);

fn before_sending(error: Error) -> Error {
    Error::Other(Box::new(BeforeSending(error)))
}

impl std::error::Error for BeforeSending {}

impl fmt::Display for BeforeSending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn classify(error: &Error, place: &str) -> Failure {
    if let Error::Other(cause) = error
        && let Some(BeforeSending(error)) = cause.downcast_ref()
    {
        return Failure::Unsent(format!("{place}: {}", describe(error)));
    }
    Failure::Unknown(format!("{place}: {}", describe(error)))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is ureq's and grows; the rest needs no words of its own")]
fn describe(error: &Error) -> String {
    match error {
        Error::HostNotFound => "the name has no address".into(),
        Error::Timeout(Timeout::Resolve) => "the name was not resolved in time".into(),
        Error::Timeout(Timeout::Connect) => "no connection in time".into(),
        Error::Timeout(Timeout::SendRequest | Timeout::SendBody) => "the request could not be sent in time".into(),
        Error::Timeout(Timeout::RecvResponse) => "no answer in time".into(),
        Error::Timeout(Timeout::RecvBody) => "the answer did not end in time".into(),
        Error::Timeout(_) => "the call took longer than its time-out".into(),
        Error::BodyExceedsLimit(_) => "the answer is longer than what is read".into(),
        Error::LargeResponseHeader(..) => "the headers of the answer are longer than what is read".into(),
        Error::Protocol(error) => format!("the answer is not valid HTTP: {error}"),
        Error::Io(error) => match error.get_ref().and_then(|cause| cause.downcast_ref()) {
            Some(error) => tls::in_words(error),
            None => error.to_string(),
        },
        Error::Rustls(error) => tls::in_words(error),
        Error::Tls(why) => format!("TLS: {why}"),
        Error::Other(cause) => cause.to_string(),
        // ureq's own texts for these may quote the address.
        _ => "the HTTP client gave up".into(),
    }
}

fn parse_url(url: &str) -> Result<Uri, Failure> {
    let refused = |why: &str| Err(Failure::Unsent(format!("The address cannot be called: {why}")));
    let Ok(uri) = url.parse::<Uri>() else { return refused("it is not a valid URL") };
    match (uri.scheme_str(), uri.authority()) {
        (Some("http" | "https"), Some(authority)) if authority.as_str().contains('@') => {
            refused("it carries a user or password; keys belong into their own field")
        }
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => refused("it must begin with https:// and a host"),
    }
}

fn head(call: &Call<'_>, uri: Uri) -> Result<Builder, ureq::http::Error> {
    let mut request = Request::builder().method(call.method.name()).uri(uri);
    for (name, value) in call.headers {
        request = request.header(*name, HeaderValue::from_str(value)?);
    }
    if let Some((name, secret)) = call.secret_header {
        let mut value = HeaderValue::from_str(secret.expose_secret())?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    Ok(request)
}

fn port_of(uri: &Uri) -> u16 {
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    uri.port_u16().unwrap_or(usual)
}

impl Method {
    /// As HTTP writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Head => "HEAD",
        }
    }
}

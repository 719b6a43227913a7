//! The dialogue with a certificate authority: entering with an account, proving names, fetching the certificate. It keeps
//! nothing; what goes out goes by [`Outgoing`], on threads that may wait.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error, HttpClient,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, RetryPolicy,
};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::challenges::Challenges;
use crate::clock::Clock;
use crate::config::keys;
use crate::outgoing::{Answer, CaFileError, Call, Limits, Method, Outgoing};
use crate::web::blocking::Panicked;
use crate::web::tls::Unusable;

/// One call. Whoever signs may take their time.
const LIMITS: Limits = Limits {
    call_timeout: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(10),
    max_answer_bytes: 1024 * 1024,
};
/// How long each of an order's two waits may be: for the proofs, and for the certificate.
const WAIT: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));
/// An order with all its calls.
const PATIENCE: Duration = Duration::from_secs(600);
/// The authority does not know our account any more.
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// A certificate authority, and what it is told of us.
#[derive(Clone)]
pub(super) struct Authority {
    directory: String,
    contact: Option<String>,
    caller: Caller,
}

/// Our account as it is kept.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// Credentials are of one authority.
    directory: String,
    credentials: AccountCredentials,
}

impl Authority {
    pub(super) fn new(config: &keys::Acme, clock: Clock) -> Result<Self, Unusable> {
        Ok(Self {
            directory: config.directory.clone(),
            contact: config.contact.as_ref().map(|address| format!("mailto:{address}")),
            caller: Caller { outgoing: outgoing(config)?, clock, come_again: Arc::default() },
        })
    }

    /// Our account there: the one that is known, or a new one with the text to keep.
    pub(super) async fn enter(self, known: Option<SecretString>) -> Result<(Account, Option<SecretString>), Failure> {
        let entry = known.and_then(|text| serde_json::from_str::<Entry>(text.expose_secret()).ok());
        let builder = Account::builder_with_http(Box::new(self.caller.clone()));
        let entered = match entry.filter(|entry| entry.directory == self.directory) {
            Some(entry) => builder.from_credentials(entry.credentials).await.map(|account| (account, None)),
            None => self.introduce(builder).await,
        };
        entered.map_err(|error| self.failure(&error))
    }

    async fn introduce(&self, builder: instant_acme::AccountBuilder) -> Result<(Account, Option<SecretString>), Error> {
        let contact: Vec<&str> = self.contact.as_deref().into_iter().collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder.create(&new, self.directory.clone(), None).await?;
        let entry = serde_json::to_string(&Entry { directory: self.directory.clone(), credentials })?;
        Ok((account, Some(SecretString::from(entry))))
    }

    /// Proves the names and gets a certificate for them, with a key of its own: both as PEM.
    pub(super) async fn order(
        self,
        account: Account,
        domains: Vec<String>,
        challenges: Arc<Challenges>,
    ) -> Result<SecretString, Failure> {
        match tokio::time::timeout(PATIENCE, get(&account, domains, &challenges)).await {
            Ok(got) => got.map_err(|error| self.failure(&error)),
            Err(_) => Err(Failure::new("The order did not end in time")),
        }
    }

    fn failure(&self, error: &Error) -> Failure {
        let is_stranger = matches!(error, Error::Api(problem) if problem.r#type.as_deref() == Some(NO_ACCOUNT));
        let come_again = self.caller.come_again.lock().unwrap_or_else(PoisonError::into_inner).take();
        Failure { why: format!("{error}. {}", advice(error)), come_again, is_stranger }
    }
}

async fn get(account: &Account, domains: Vec<String>, challenges: &Challenges) -> Result<SecretString, Error> {
    let names: Vec<Identifier> = domains.into_iter().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let mut proofs = order.authorizations();
    while let Some(proof) = proofs.next().await {
        let mut proof = proof?;
        // A proof of an earlier order may still count.
        if proof.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = proof
            .challenge(ChallengeType::Http01)
            .ok_or(Error::Str("the authority does not take a proof over HTTP (http-01) of this name"))?;
        challenges.prove(&challenge.token, challenge.key_authorization().as_str());
        challenge.set_ready().await?;
    }
    match order.poll_ready(&WAIT).await {
        Ok(OrderStatus::Ready) => {}
        Ok(OrderStatus::Pending | OrderStatus::Processing | OrderStatus::Valid | OrderStatus::Invalid) => {
            return Err(refusal(&mut order).await.unwrap_or(Error::Str("the reason of a refused order")));
        }
        // What is said of the proof tells more than what is said of the order.
        Err(error) => return Err(refusal(&mut order).await.unwrap_or(error)),
    }
    let key = SecretString::from(order.finalize().await?);
    let chain = order.poll_certificate(&WAIT).await?;
    Ok(SecretString::from(format!("{}\n{}", chain.trim_end(), key.expose_secret())))
}

/// Why a name was not proved, as the authority says it.
async fn refusal(order: &mut Order) -> Option<Error> {
    let mut proofs = order.authorizations();
    while let Some(Ok(mut proof)) = proofs.next().await {
        let name = proof.identifier().to_string();
        let state = proof.refresh().await.ok()?;
        if let Some(mut problem) = state.challenges.iter().find_map(|challenge| challenge.error.clone()) {
            problem.detail = Some(format!("{name}: {}", problem.detail.unwrap_or_default()));
            return Some(Error::Api(problem));
        }
    }
    None
}

/// What to do, by the kind of problem (RFC 8555, section 6.7).
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is instant-acme's; the rest is a call that failed")]
fn advice(error: &Error) -> &'static str {
    let kind = match error {
        Error::Api(problem) => problem.r#type.as_deref().and_then(|urn| urn.rsplit(':').next()),
        Error::Timeout(_) => return "It is tried again by itself",
        _ => return "Let this machine reach acme.directory",
    };
    match kind.unwrap_or_default() {
        "dns" => "Let the name lead to this server, with its AAAA record, too, if it has one",
        "connection" | "unauthorized" | "incorrectResponse" | "tls" => {
            "Let the name and its port 80 lead to acme.listen of this server"
        }
        "rateLimited" => "There is nothing to do but wait",
        "caa" | "rejectedIdentifier" => "Let the name's CAA record allow this authority, or choose another name",
        "invalidContact" | "unsupportedContact" => "Correct acme.contact",
        "externalAccountRequired" => "It wants an account made beforehand: choose another in acme.directory",
        "userActionRequired" => "Its terms changed: read them, they are in what it says",
        _ => "Look at what the authority says",
    }
}

/// The way out to the authority: private addresses may be called by the name that the owner of the machine wrote down.
pub(super) fn outgoing(config: &keys::Acme) -> Result<Outgoing, Unusable> {
    let authority = config.directory.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let with_port = format!("{authority}:443");
    let exception = authority.parse().or_else(|_| with_port.parse());
    let allow = exception.into_iter().collect();
    let settings = keys::Outgoing { allow, extra_ca_file: config.extra_ca_file.clone() };
    Outgoing::new(&settings).map_err(|error| {
        let (path, why) = match error {
            CaFileError::Unreadable { path, source } => (path, source.to_string()),
            CaFileError::Empty { path } => (path, "it holds no usable certificate".to_owned()),
        };
        Unusable::new("acme.extra_ca_file", &path, format!("{why}; name a PEM file of certificates"))
    })
}

/// Carries calls out, and notes when the authority wants to be left alone.
#[derive(Clone)]
struct Caller {
    outgoing: Outgoing,
    clock: Clock,
    come_again: Arc<Mutex<Option<SignedDuration>>>,
}

impl HttpClient for Caller {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let caller = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let Ok(body) = body.collect().await;
            let call = tokio::task::spawn_blocking(move || caller.exchange(&head, &body.to_bytes()));
            call.await.map_err(|panic| Error::Other(panic.into()))?
        })
    }
}

impl Caller {
    fn exchange(&self, head: &Parts, body: &[u8]) -> Result<BytesResponse, Error> {
        let method = match head.method.as_str() {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            _ => return Err(Error::Str("a method that ACME has no use for")),
        };
        let readable = head.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let headers: Vec<(&str, &str)> = readable.collect();
        let url = head.uri.to_string();
        let body = Some(body).filter(|body| !body.is_empty());
        let call = Call { method, url: &url, headers: &headers, secret_header: None, body };
        let answer = self.outgoing.exchange(&call, &LIMITS).map_err(|failure| Error::Other(failure.into()))?;
        if answer.status >= 400 {
            *self.come_again.lock().unwrap_or_else(PoisonError::into_inner) = self.come_again(&answer);
            let kind = answer.header("content-type").unwrap_or_default();
            if !kind.starts_with("application/problem+json") {
                let host = head.uri.host().unwrap_or_default();
                return Err(Error::Other(format!("{host} answers {} without a reason", answer.status).into()));
            }
        }
        let mut response = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::new(Bytes::from(answer.body)))?.into())
    }

    /// `Retry-After`: seconds, or a date.
    fn come_again(&self, answer: &Answer) -> Option<SignedDuration> {
        let said = answer.header("retry-after")?.trim();
        let seconds = said.parse().ok().map(SignedDuration::from_secs);
        let date = || rfc2822::parse(said).ok().map(|date| Timestamp::from(&date).duration_since(self.clock.now()));
        seconds.or_else(date).filter(SignedDuration::is_positive)
    }
}

/// Why no certificate came.
#[derive(Debug)]
pub(super) struct Failure {
    why: String,
    /// When the authority wants to be asked again.
    pub(super) come_again: Option<SignedDuration>,
    /// It does not know our account.
    pub(super) is_stranger: bool,
}

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), come_again: None, is_stranger: false }
    }
}

impl From<Panicked> for Failure {
    fn from(panicked: Panicked) -> Self {
        Self::new(panicked.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

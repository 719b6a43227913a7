//! The calls: one method per question or wish, each a short conversation with Daftra.
//!
//! Writes are one call each. Questions may take several (pages), and stop at the first call without an answer. Every
//! call is announced to the caller's `pace` first and leaves a [`Report`].

use std::sync::Arc;

use form_urlencoded::Serializer;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use secrecy::SecretString;
use serde_json::Value;

use super::outcome::{self, Dialect, Reply, Setback, Unanswered, Written};
use super::redact;
use super::wire::{self, RemoteDocument, Site};
use super::write::{self, Replacement};
use crate::domain::draft::Draft;
use crate::outgoing::{Answer, Call, Limits, Method, Outgoing};
use crate::vitals::Vitals;

/// One merchant's way into its account.
#[derive(Clone, Debug)]
pub struct Door {
    /// Scheme, host, port and path prefix.
    pub address: String,
    /// For the header `apikey`.
    pub key: SecretString,
    /// Where the merchant's documents live, in an account with branches.
    pub branch_id: Option<i64>,
}

/// How calls are made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time-outs and the longest answer.
    pub limits: Limits,
    /// Rows asked for per page of a list.
    pub page_size: u32,
}

/// Speaks to Daftra.
#[derive(Clone, Debug)]
pub struct Client {
    outgoing: Outgoing,
    settings: Settings,
    /// Told of each call.
    vitals: Option<Arc<Vitals>>,
}

/// What came of it, and every call it took.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    /// What came of it.
    pub outcome: T,
    /// In the order of the calls; empty if nothing was sent.
    pub reports: Vec<Report>,
}

/// One call as it may be kept: no key, nothing about persons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// Below the account's address, with the query.
    pub path: String,
    /// HTTP status, when there was one.
    pub status: Option<u16>,
    /// JSON, or empty when nothing was sent.
    pub request: Vec<u8>,
    /// JSON, or empty when nothing came.
    pub answer: Vec<u8>,
    /// Why it did not count as a success; else empty.
    pub detail: String,
}

/// What payments are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payable {
    /// Money came in.
    Invoice(i64),
    /// Money went back.
    Receipt(i64),
}

/// What reading one document gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// It is there.
    Found(Box<RemoteDocument>),
    /// Daftra says there is no such document.
    Missing,
}

/// Where a kind of document lives.
#[derive(Clone, Copy)]
struct Kind {
    resource: &'static str,
    type_id: i64,
}

const INVOICE: Kind = Kind { resource: "invoices", type_id: 0 };
const RECEIPT: Kind = Kind { resource: "refund_receipts", type_id: 6 };
const PAYMENTS: &str = "invoice_payments";

impl Client {
    /// A client that goes out by this way.
    #[must_use]
    pub fn new(outgoing: Outgoing, settings: Settings) -> Self {
        Self { outgoing, settings, vitals: None }
    }

    /// The way on which it goes out.
    #[must_use]
    pub fn way_out(&self) -> (&Outgoing, Limits) {
        (&self.outgoing, self.settings.limits)
    }

    /// The same client; how long its calls take, and what time it is over there, is noted.
    #[must_use]
    pub fn measured_by(self, vitals: Arc<Vitals>) -> Self {
        Self { vitals: Some(vitals), ..self }
    }

    /// Creates a document. A receipt and a payment name their parent's id; without it nothing is sent.
    pub fn create(&self, door: &Door, pace: &dyn Fn(), draft: &Draft, parent_remote: Option<i64>) -> Answered<Written> {
        self.visit(door, pace, "create", |visit| {
            let Some(body) = write::body(draft, parent_remote) else {
                return Written::Unsent("A receipt or payment needs the id of its parent".to_owned());
            };
            let path = format!("/api2/{}.json", resource(draft));
            outcome::created(visit.call(Dialect::V1, Method::Post, &path, &[], Some(&body)))
        })
    }

    /// Replaces an invoice by what [`write::merge`] made of it.
    pub fn replace(&self, door: &Door, pace: &dyn Fn(), id: i64, replacement: &Replacement) -> Answered<Written> {
        self.visit(door, pace, "replace", |visit| {
            let path = format!("/api2/{}/{id}.json", INVOICE.resource);
            outcome::replaced(visit.call(Dialect::V1, Method::Put, &path, &[], Some(replacement.body())), id)
        })
    }

    /// Reads an invoice.
    pub fn read_invoice(&self, door: &Door, pace: &dyn Fn(), id: i64) -> Answered<Result<Read, Unanswered>> {
        self.visit(door, pace, "read", |visit| visit.read(INVOICE, id))
    }

    /// Reads a refund receipt.
    pub fn read_receipt(&self, door: &Door, pace: &dyn Fn(), id: i64) -> Answered<Result<Read, Unanswered>> {
        self.visit(door, pace, "read", |visit| visit.read(RECEIPT, id))
    }

    /// Whose account this is. The cheapest call, so also the proof that the key opens again.
    pub fn site_info(&self, door: &Door, pace: &dyn Fn()) -> Answered<Result<Site, Unanswered>> {
        self.visit(door, pace, "site_info", |visit| {
            let answer = visit.call(Dialect::V1, Method::Get, "/api2/site_info.json", &[], None)?;
            wire::site(&answer).map_err(unreadable)
        })
    }

    /// One conversation; what it is for is a word for those who measure.
    pub(super) fn visit<T>(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        action: &'static str,
        talk: impl FnOnce(&mut Visit<'_>) -> T,
    ) -> Answered<T> {
        let mut visit = Visit { client: self, door, pace, action, reports: Vec::new() };
        let outcome = talk(&mut visit);
        Answered { outcome, reports: visit.reports }
    }
}

/// One conversation.
pub(super) struct Visit<'a> {
    client: &'a Client,
    door: &'a Door,
    pace: &'a dyn Fn(),
    action: &'static str,
    reports: Vec<Report>,
}

impl Visit<'_> {
    pub(super) fn page_size(&self) -> u32 {
        self.client.settings.page_size
    }

    pub(super) fn read_invoice(&mut self, id: i64) -> Result<Read, Unanswered> {
        self.read(INVOICE, id)
    }

    fn read(&mut self, kind: Kind, id: i64) -> Result<Read, Unanswered> {
        let reply = self.call(Dialect::V1, Method::Get, &format!("/api2/{}/{id}.json", kind.resource), &[], None);
        if let Err(Setback::Refused(refusal)) = &reply
            && refusal.status == 404
            // Also how an address answers that is no Daftra account any more: that says nothing about the document.
            && !refusal.message.eq_ignore_ascii_case("invalid endpoint")
        {
            return Ok(Read::Missing);
        }
        let document = wire::document(&reply?, kind.type_id).map_err(unreadable)?;
        if document.id != id {
            return Err(Unanswered::failed(format!("Asked for document {id}, got {}", document.id)));
        }
        Ok(Read::Found(Box::new(document)))
    }

    /// The only place from which a call leaves.
    pub(super) fn call(
        &mut self,
        dialect: Dialect,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let key = &self.door.key;
        let branch = self.door.branch_id.map(|id| ("request_branch_id", id.to_string()));
        let query = query.iter().copied().chain(branch.iter().map(|(name, id)| (*name, id.as_str())));
        let query = Serializer::new(String::new()).extend_pairs(query).finish();
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        let url = format!("{}{path}", self.door.address.trim_end_matches('/'));
        let body = body.map(|body| body.to_string().into_bytes());
        let headers = [("Accept", "application/json"), ("Content-Type", "application/json")];
        let call = Call {
            method,
            url: &url,
            headers: if body.is_some() { &headers } else { &headers[..1] },
            secret_header: Some(("apikey", key)),
            body: body.as_deref(),
        };
        (self.pace)();
        let watch = self.client.vitals.as_deref().map(|vitals| (vitals, vitals.now()));
        let exchange = self.client.outgoing.exchange(&call, &self.client.settings.limits);
        let took = watch.map(|(vitals, began)| (vitals, vitals.since(began)));
        let came = exchange.as_ref().ok();
        if let Some(((vitals, _), time)) = watch.zip(came.and_then(told_time)) {
            vitals.hear(&self.door.address, time);
        }
        let mut report = Report {
            method: method.name(),
            path: redact::without_key(&path, key),
            status: came.map(|answer| answer.status),
            request: redact::body(body.as_deref().unwrap_or_default(), key),
            answer: came.map(|answer| redact::body(&answer.body, key)).unwrap_or_default(),
            detail: String::new(),
        };
        let reply = outcome::judge(exchange, dialect, key);
        if let Some((vitals, took)) = took {
            vitals.calls.note([self.action, outcome_of(&reply)], took);
        }
        report.detail = reply.as_ref().err().map(ToString::to_string).unwrap_or_default();
        self.reports.push(report);
        reply
    }
}

/// What time it was over there, by the header that every web server sends.
fn told_time(answer: &Answer) -> Option<Timestamp> {
    Some(rfc2822::parse(answer.header("date")?).ok()?.timestamp())
}

fn outcome_of(reply: &Reply) -> &'static str {
    match reply {
        Ok(_) => "answered",
        Err(Setback::Refused(_)) => "refused",
        Err(Setback::Unsent(_)) => "unsent",
        Err(Setback::Throttled { .. }) => "throttled",
        Err(Setback::Credential(_)) => "credential",
        Err(Setback::Unknown { .. }) => "unknown",
    }
}

/// An answer which we cannot read is no answer.
pub(super) fn unreadable(problem: impl std::fmt::Display) -> Unanswered {
    Unanswered::failed(format!("The answer cannot be read: {problem}"))
}

fn resource(draft: &Draft) -> &'static str {
    match draft {
        Draft::Invoice(_) => INVOICE.resource,
        Draft::RefundReceipt(_) => RECEIPT.resource,
        Draft::Payment(_) => PAYMENTS,
    }
}

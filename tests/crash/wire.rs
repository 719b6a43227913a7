//! What travels: the product's calls to Daftra, and the shops' deliveries to the product.

use std::fmt;
use std::io;
use std::sync::Weak;

use jiff::{SignedDuration, Timestamp};
use qantara::engine::intake::Received;
use qantara::sandbox::Reaction;
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::http::Request;
use qantara::sandbox::shop::delivery::Delivery;
use qantara::shop::webhook::Headers;
use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

use crate::common::network::{Incoming, Patience, Wire};
use crate::sim::{Life, PATIENCE, Sim};
use crate::town::{bad_day, late};

/// The network below the product's HTTP client.
pub(crate) struct Network {
    pub(crate) sim: Weak<Sim>,
}

impl Connector for Network {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, Error> {
        let sim = self.sim.upgrade().expect("a call is made within a seed");
        let now = sim.life().clock.now();
        let is_down = {
            let mut state = sim.state();
            let (rate, account) = (state.rates.down, account_of(details.uri.path()).unwrap_or_default());
            let is_out = state.outages.get(account).is_some_and(|until| now < *until);
            let is_down = state.death.is_some() || is_out || (rate > 0 && state.chance.per_mille(rate));
            if is_down {
                state.tell(now, format!("no connection to {account}"));
            }
            is_down
        };
        if is_down {
            return Err(Error::Io(io::ErrorKind::ConnectionRefused.into()));
        }
        let clock = sim.life().clock.clone();
        Ok(Some(Wire::new(clock, Box::new(move |request, patience| sim.carry(request, patience)))))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

/// What a call is for.
fn kind_of(request: &Request) -> &'static str {
    let path = request.path.as_str();
    let is_list = path.ends_with("invoices.json");
    match request.method.as_str() {
        "POST" if is_list => "create invoice",
        "POST" if path.ends_with("/invoice_payments.json") => "create payment",
        "POST" => "create receipt",
        "PUT" => "replace invoice",
        _ if path.contains("/site_info") => "site_info",
        _ if path.contains("/invoice_payment/list") => "list payments",
        _ if path.contains("/site_payment_gateway/list") || path.contains("/treasury/list") => "find tills",
        _ if path.contains("/api2/products/") => "read stock",
        _ if path.contains("/product") => "find products",
        _ if path.contains("/refund_receipt/list") => "look up receipt",
        _ if path.contains("/refund_receipts/") => "read receipt",
        _ if is_list => "look up invoice",
        _ => "read invoice",
    }
}

/// The reference that a request carries, if it sends a document.
fn reference(request: &Request) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body);
    let (_, rest) = body.split_once("\"po_number\":\"").or_else(|| body.split_once("\"transaction_id\":\""))?;
    rest.split_once('"').map(|(reference, _)| reference.to_owned())
}

fn lost() -> Error {
    Error::Io(io::ErrorKind::ConnectionReset.into())
}

impl Sim {
    /// One call: the raw answer, or how the connection ended.
    fn carry(&self, request: &Request, patience: Patience) -> Result<Incoming, Error> {
        let (life, kind) = (self.life(), kind_of(request));
        let sends = request.method != "GET";
        let what = reference(request).unwrap_or_else(|| request.path.clone());
        self.tell(&life, format!("{kind}, {what}"));
        if self.ends_at(&life, &format!("{kind}: before")) {
            return Err(lost());
        }
        if sends {
            if self.ends_at(&life, &format!("{kind}: executed")) {
                self.state().world.react(request, life.clock.now());
                return Err(lost());
            }
            if self.ends_at(&life, &format!("{kind}: late")) {
                self.arrives_later(&life, request);
                return Err(lost());
            }
        }
        self.state().meddle(life.clock.now());
        let latency = 20 + self.state().chance.below(if sends { 3_000 } else { 300 });
        self.pass(&life, life.clock.now() + SignedDuration::from_millis(i64::try_from(latency).unwrap()));
        self.another_worker(&life);
        if self.is_dead() {
            // It had left already.
            if sends && self.state().chance.per_mille(500) {
                self.arrives_later(&life, request);
            }
            return Err(lost());
        }
        let reaction = self.react(&life, request);
        let arrive = |raw: Vec<u8>, after: SignedDuration| {
            self.pass(&life, life.clock.now() + after.min(PATIENCE));
            if self.is_dead() || self.ends_at(&life, &format!("{kind}: heard")) {
                return Err(lost());
            }
            if after > PATIENCE { Err(Error::Timeout(patience.reason)) } else { Ok(raw.into()) }
        };
        match reaction {
            Reaction::Answer { answer, after } => arrive(answer.raw(), after),
            Reaction::Cut { answer, bytes, after } => {
                let mut raw = answer.raw();
                raw.truncate(bytes);
                arrive(raw, after)
            }
            Reaction::Drip { answer, bytes_per_second } => {
                let raw = answer.raw();
                let seconds = raw.len().div_ceil(usize::try_from(bytes_per_second).unwrap());
                arrive(raw, SignedDuration::from_secs(i64::try_from(seconds).unwrap()))
            }
            Reaction::Close | Reaction::Refuse => Err(lost()),
            Reaction::Hang => arrive(Vec::new(), SignedDuration::from_hours(1)),
        }
    }

    /// Daftra's answer, on a good day or a bad one.
    fn react(&self, life: &Life, request: &Request) -> Reaction {
        let (state, now) = (&mut *self.state(), life.clock.now());
        let rate = state.rates.fault;
        let fault = (rate > 0 && state.chance.per_mille(rate)).then(|| bad_day(&mut state.chance));
        if let (Some(kind), Some(account)) =
            (&fault, account_of(&request.path).and_then(|name| state.world.account_mut(name)))
        {
            account.add_fault(Fault::once(kind.clone()));
        }
        let reaction = state.world.react(request, now);
        state.call_the_warehouse(account_of(&request.path).unwrap_or_default(), now);
        let text = match &reaction {
            Reaction::Answer { answer, .. } => format!("answer {}", answer.status),
            Reaction::Cut { .. } => "a cut answer".to_owned(),
            Reaction::Drip { .. } => "a trickle".to_owned(),
            Reaction::Close | Reaction::Refuse => "no answer".to_owned(),
            Reaction::Hang => "silence".to_owned(),
        };
        if let (Some(FaultKind::Late { seconds }), Some(reference)) = (&fault, reference(request)) {
            state.on_its_way.push((now + SignedDuration::from_secs((*seconds).into()), kind_of(request), reference));
        }
        let why = fault.map_or_else(String::new, |fault| format!(" ({fault:?})"));
        state.tell(now, format!("    {text}{why}"));
        reaction
    }

    /// Nobody hears of it any more, and it is executed all the same.
    fn arrives_later(&self, life: &Life, request: &Request) {
        let state = &mut *self.state();
        let kind = late(&mut state.chance);
        let now = life.clock.now();
        state.tell(now, format!("    it is executed all the same ({kind:?})"));
        if let Some(account) = account_of(&request.path).and_then(|name| state.world.account_mut(name)) {
            account.add_fault(Fault::once(kind));
        }
        state.world.react(request, now);
        if let (true, Some(reference)) =
            (state.death.as_ref().is_some_and(|death| death.is_restore), reference(request))
        {
            state.note_undone_by(kind_of(request), &reference);
        }
    }

    /// A delivery knocks, and its courier hears what came of it.
    pub(crate) fn deliver(&self, life: &Life, number: usize, delivery: &Delivery, now: Timestamp) {
        let secret = {
            let mut state = self.state();
            let merchant = &state.town.merchants[number];
            let (slug, secret) = (merchant.slug.clone(), merchant.secret.clone());
            let order = delivery.order_id.unwrap_or_default();
            state.tell(now, format!("{slug}: {} of order {order} ({})", delivery.topic, &delivery.webhook_id[..8]));
            secret
        };
        let heard = self.knock(life, number, delivery, &secret);
        self.state().town.merchants[number].courier.answered(delivery, heard, now);
    }

    /// Hands a delivery in, signed with this secret. `None`: nobody lived to answer.
    pub(crate) fn knock(&self, life: &Life, number: usize, delivery: &Delivery, secret: &str) -> Option<u16> {
        let slug = self.state().town.merchants[number].slug.clone();
        let headers = delivery.headers(secret);
        let headers = Headers::read(headers.iter().map(|(name, value)| (*name, value.as_str())));
        let before = self.commits();
        let status = match life.intake.receive(Some(&slug), &headers, &delivery.body) {
            Received::Pending(pending) => pending.wait().map_or(503, |()| 200),
            Received::Busy => 503,
            Received::NotAuthentic => {
                // The stranger is counted, and nobody waits for that but us.
                self.until_committed(before);
                401
            }
        };
        let heard = (!self.is_dead()).then_some(status);
        if heard != Some(200) {
            let text = heard.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            self.tell(life, format!("    {text}"));
        }
        heard
    }

    fn tell(&self, life: &Life, text: String) {
        self.state().tell(life.clock.now(), text);
    }
}

fn account_of(path: &str) -> Option<&str> {
    path.strip_prefix("/acct/")?.split('/').next()
}

//! A stateful fake Daftra with its bad days, for tests, the crash simulation, `demo` and `sandbox`.
//!
//! `World::react` is one function from request to reaction over plain state. It knows no clock, no socket and no chance
//! but its own seed; `server` carries it over HTTP, simulations call it directly. It shares no code with the product: a
//! misreading of Daftra must not be made twice by the same hand. Where the real behaviour is unknown, the harsher one is
//! the default or a switch of the account.
//!
//! Addresses: `/acct/<name>/api2/…` and `/acct/<name>/v2/api/entity/…` are the fake Daftra, `/shop/<domain>/admin/…` is the
//! API of a fake shop; `/control/…` is described in `control`.

mod control;
pub mod daftra;
pub mod fault;
pub mod http;
mod server;
pub mod shop;

pub(crate) use control::shop::open as open_shop;
pub use server::{Server, serve};

use self::daftra::Account;
use self::fault::{FaultKind, draw};
use self::http::{Answer, Request};
use self::shop::admin::Storefront;
use self::shop::chance::Chance;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// All accounts, and the requests that are still on their way.
#[derive(Clone, Debug)]
pub struct World {
    accounts: BTreeMap<String, Account>,
    shops: BTreeMap<String, Storefront>,
    late: Vec<Late>,
    chance: Chance,
}

#[derive(Clone, Debug)]
struct Late {
    due: Timestamp,
    request: Request,
}

/// What the caller experiences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// An answer, after a while.
    Answer { answer: Answer, after: SignedDuration },
    /// The first bytes of the raw answer, after a while; then the connection closes.
    Cut { answer: Answer, bytes: usize, after: SignedDuration },
    /// The raw answer, so many bytes a second.
    Drip { answer: Answer, bytes_per_second: u32 },
    /// The connection closes without a byte.
    Close,
    /// Nothing, for ever.
    Hang,
    /// As if nobody listened. A server can only close at once; a simulation says "connection refused".
    Refuse,
}

impl World {
    /// An empty world; `seed` decides every fault that is left to chance.
    pub fn new(seed: u64) -> World {
        World { accounts: BTreeMap::new(), shops: BTreeMap::new(), late: Vec::new(), chance: Chance::new(seed) }
    }

    /// Adds an account, or replaces the one of that name.
    pub fn add(&mut self, account: Account) {
        self.accounts.insert(account.setup().name.clone(), account);
    }

    /// The account of that name.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// The account of that name, to change it.
    pub fn account_mut(&mut self, name: &str) -> Option<&mut Account> {
        self.accounts.get_mut(name)
    }

    /// Adds a shop, or replaces the one of that domain.
    pub fn add_shop(&mut self, shop: Storefront) {
        self.shops.insert(shop.shop.setup().domain.clone(), shop);
    }

    /// The domains of all shops.
    fn domains(&self) -> impl Iterator<Item = &str> {
        self.shops.keys().map(String::as_str)
    }

    /// The shop of that domain, to buy there or to change its API.
    pub fn shop_mut(&mut self, domain: &str) -> Option<&mut Storefront> {
        self.shops.get_mut(domain)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// When the next late request arrives.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.late.iter().map(|late| late.due).min()
    }

    /// Carries out the late requests that have arrived by now, in the order and at the moments of their arrival.
    pub fn tick(&mut self, now: Timestamp) {
        self.late.sort_by_key(|late| late.due);
        let arrived = self.late.partition_point(|late| late.due <= now);
        for late in self.late.drain(..arrived).collect::<Vec<_>>() {
            self.execute(&late.request, late.due);
        }
    }

    /// What happens to this request now.
    pub fn react(&mut self, request: &Request, now: Timestamp) -> Reaction {
        self.tick(now);
        if request.path == "/control" || request.path.starts_with("/control/") {
            return at_once(control::react(self, request, now));
        }
        let faults = if let Some(account) = split(&request.path).and_then(|(name, _)| self.accounts.get_mut(name)) {
            account.count(request);
            &mut account.faults
        } else if let Some(shop) = split_shop(&request.path).and_then(|(name, _)| self.shops.get_mut(name)) {
            &mut shop.faults
        } else {
            return at_once(self.execute(request, now));
        };
        let Some(kind) = draw(faults, request, &mut self.chance) else {
            return at_once(self.execute(request, now));
        };
        let instead = |answer| Reaction::Answer { answer, after: SignedDuration::ZERO };
        let v2 = request.path.contains("/v2/");
        match kind {
            FaultKind::LoseRequest => Reaction::Close,
            FaultKind::LoseAnswer => {
                self.execute(request, now);
                Reaction::Close
            }
            FaultKind::Late { seconds } => {
                let due = now.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX);
                self.late.push(Late { due, request: request.clone() });
                Reaction::Close
            }
            FaultKind::ErrorAfterSaving => {
                self.execute(request, now);
                instead(internal_error())
            }
            FaultKind::ErrorBeforeSaving => instead(internal_error()),
            FaultKind::FailedWith200 => {
                instead(Answer::json(200, &json!({"result": "failed", "code": 200, "message": "Item was not saved"})))
            }
            FaultKind::HtmlPage => instead(daftra::log_in_page()),
            FaultKind::HtmlRedirect => {
                instead(Answer { status: 302, ..daftra::log_in_page() }.with_header("Location", "/login"))
            }
            FaultKind::Unauthorized => instead(daftra::unauthorized(v2)),
            FaultKind::Forbidden => instead(Answer::json(
                403,
                &json!({"result": "failed", "code": 403, "message": "Forbidden",
                        "error_type": "permission_denied", "extra_data": []}),
            )),
            FaultKind::Throttled { retry_after } => {
                let answer =
                    Answer::json(429, &json!({"result": "failed", "code": 429, "message": "Too Many Requests"}));
                instead(match retry_after {
                    Some(seconds) => answer.with_header("Retry-After", &seconds.to_string()),
                    None => answer,
                })
            }
            FaultKind::Slow { seconds } => Reaction::Answer {
                answer: self.execute(request, now),
                after: SignedDuration::from_secs(seconds.into()),
            },
            FaultKind::Drip { bytes_per_second } => {
                Reaction::Drip { answer: self.execute(request, now), bytes_per_second }
            }
            FaultKind::Hang => Reaction::Hang,
            FaultKind::CutAt { bytes } => {
                Reaction::Cut { answer: self.execute(request, now), bytes, after: SignedDuration::ZERO }
            }
            FaultKind::TruncatedJson => {
                let mut answer = self.execute(request, now);
                answer.body.truncate(answer.body.len() / 2);
                instead(answer)
            }
            FaultKind::Refuse => Reaction::Refuse,
        }
    }

    fn execute(&mut self, request: &Request, now: Timestamp) -> Answer {
        if let Some((domain, rest)) = split_shop(&request.path) {
            return match self.shops.get_mut(domain) {
                Some(shop) => shop.answer(rest, request, now),
                None => Answer::json(404, &json!({"errors": "Not Found"})),
            };
        }
        let known = split(&request.path).and_then(|(name, rest)| Some((self.accounts.get_mut(name)?, rest)));
        match known {
            Some((account, rest)) => daftra::answer(account, rest, request, now),
            None => Answer::html(404, "<!DOCTYPE html><title>Not found</title><p>No such account.</p>"),
        }
    }
}

/// `/acct/one/api2/invoices` is `one` and `/api2/invoices`.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/acct/")?;
    Some(rest.split_at(rest.find('/')?))
}

/// `/shop/wadi.myshopify.com/admin/oauth/access_token` is the shop and what lies below it.
fn split_shop(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/shop/")?;
    Some(rest.split_at(rest.find('/')?))
}

fn at_once(answer: Answer) -> Reaction {
    Reaction::Answer { answer, after: SignedDuration::ZERO }
}

fn internal_error() -> Answer {
    Answer::json(500, &json!({"result": "failed", "code": 500, "message": "Internal Server Error"}))
}

//! Bad days: what may go wrong with one call, and which calls it hits.
//!
//! A fault belongs to one account. The first fault in the list that matches and fires decides; a call suffers at most
//! one, but every fault counts the calls it matches. Chance comes from the world's own seeded generator, so a run can be
//! repeated.

use super::http::Request;
use super::shop::chance::Chance;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The request never arrives; the connection closes.
    LoseRequest,
    /// The request is carried out; the connection closes without a byte.
    LoseAnswer,
    /// The connection closes now; the request is carried out this much later.
    Late { seconds: u32 },
    /// Carried out, then HTTP 500.
    ErrorAfterSaving,
    /// HTTP 500, nothing done.
    ErrorBeforeSaving,
    /// HTTP 200 with `result: failed`, nothing done.
    FailedWith200,
    /// A log-in page with HTTP 200, nothing done.
    HtmlPage,
    /// A redirect to the log-in page, nothing done.
    HtmlRedirect,
    /// HTTP 401 as for a revoked key.
    Unauthorized,
    /// HTTP 403 with `error_type` and `extra_data`.
    Forbidden,
    /// HTTP 429, with `Retry-After` in seconds if given.
    Throttled {
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// Carried out at once, answered this much later.
    Slow { seconds: u32 },
    /// Carried out at once; the answer trickles, the connection stays open until its last byte.
    Drip { bytes_per_second: u32 },
    /// Nothing done, never answered, the connection stays open.
    Hang,
    /// Carried out; the connection closes after this many bytes of the answer.
    CutAt { bytes: usize },
    /// Carried out; a complete HTTP answer with half of its JSON.
    TruncatedJson,
    /// As if nobody listened.
    Refuse,
}

/// A kind of trouble and the calls it hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only calls with this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose path contains this.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// How many matching calls it lets pass before it begins.
    #[serde(default)]
    pub after: u32,
    /// How often it may still fire; without it, until removed.
    #[serde(default)]
    pub times: Option<u32>,
    /// In how many of 1,000 matching calls it fires; without it, in each.
    #[serde(default)]
    pub per_mille: Option<u32>,
}

impl Fault {
    /// This trouble on every call, until removed.
    pub fn always(kind: FaultKind) -> Fault {
        Fault { kind, method: None, path_contains: None, after: 0, times: None, per_mille: None }
    }

    /// This trouble on the next call.
    pub fn once(kind: FaultKind) -> Fault {
        Fault { times: Some(1), ..Fault::always(kind) }
    }

    /// Only for calls with this method whose path contains this text.
    pub fn on(mut self, method: &str, path_contains: &str) -> Fault {
        (self.method, self.path_contains) = (Some(method.into()), Some(path_contains.into()));
        self
    }

    /// Not in the first so many matching calls.
    pub fn after(mut self, calls: u32) -> Fault {
        self.after = calls;
        self
    }

    /// Only in so many of 1,000 matching calls.
    pub fn per_mille(mut self, per_mille: u32) -> Fault {
        self.per_mille = Some(per_mille);
        self
    }

    fn hits(&self, request: &Request) -> bool {
        self.times != Some(0)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && self.path_contains.as_ref().is_none_or(|part| request.path.contains(part.as_str()))
    }
}

/// What happens to this call. Spent faults leave the list.
pub(crate) fn draw(faults: &mut Vec<Fault>, request: &Request, chance: &mut Chance) -> Option<FaultKind> {
    let mut fired = None;
    for (at, fault) in faults.iter_mut().enumerate().filter(|(_, fault)| fault.hits(request)) {
        if fault.after > 0 {
            fault.after -= 1;
        } else if fired.is_none() && fault.per_mille.is_none_or(|share| chance.per_mille(share)) {
            fired = Some(at);
        }
    }
    let at = fired?;
    let kind = faults[at].kind.clone();
    if let Some(times) = &mut faults[at].times {
        *times -= 1;
        if *times == 0 {
            faults.remove(at);
        }
    }
    Some(kind)
}

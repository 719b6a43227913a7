//! Plain HTTP beside HTTPS: proves to the authority that a name leads here (HTTP-01, RFC 8555), and sends everybody else
//! on to HTTPS. It knows nothing of the pages, and reads no body.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::header::HeaderValue;
use hyper::{Request, StatusCode};

use crate::web::reply::{self, Reply};

const WELL_KNOWN: &str = "/.well-known/acme-challenge/";

/// The proofs of the order that runs.
pub(in crate::web) struct Challenges {
    proofs: Mutex<BTreeMap<String, String>>,
    /// Where HTTPS is.
    origin: String,
}

impl Challenges {
    pub(in crate::web) fn new(origin: String) -> Self {
        Self { proofs: Mutex::default(), origin }
    }

    /// From now on this token is answered with this text.
    pub(super) fn prove(&self, token: &str, proof: &str) {
        self.lock().insert(token.to_owned(), proof.to_owned());
    }

    /// The order is over.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    pub(in crate::web) fn answer<B>(&self, request: &Request<B>) -> Reply {
        if let Some(token) = request.uri().path().strip_prefix(WELL_KNOWN) {
            return match self.lock().get(token) {
                Some(proof) => reply::text(StatusCode::OK, proof.clone()),
                None => reply::bare(StatusCode::NOT_FOUND),
            };
        }
        // An address of ours is plain ASCII; what is not comes from nowhere and is sent to the first page.
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let there = HeaderValue::from_str(&format!("{}{path}", self.origin));
        let home = || HeaderValue::from_str(&self.origin).expect("an origin is plain ASCII");
        reply::moved(there.unwrap_or_else(|_| home()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

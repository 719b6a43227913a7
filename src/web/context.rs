//! Everything a request can need.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};

use super::Parts;
use super::auth::Guard;
use super::request::Requests;
use super::tls::Tls;

/// What all requests share.
pub(super) struct Context {
    pub(super) parts: Parts,
    pub(super) guard: Guard,
    pub(super) requests: Requests,
    pub(super) readiness: Readiness,
    /// Bytes of bodies that may still be taken into memory, over all requests.
    pub(super) room: Arc<Semaphore>,
    /// None: plain HTTP.
    pub(super) tls: Option<Tls>,
}

/// What the last look for whether all is well found.
pub(super) struct Readiness {
    /// Held by the one who looks.
    pub(super) looking: Mutex<()>,
    pub(super) was_found: AtomicBool,
}

impl Readiness {
    /// Before anybody looked.
    pub(super) fn new() -> Self {
        Self { looking: Mutex::new(()), was_found: AtomicBool::new(true) }
    }
}

pub(super) fn read_timeout(context: &Context) -> Duration {
    Duration::from_millis(context.parts.config.http.read_timeout_ms)
}

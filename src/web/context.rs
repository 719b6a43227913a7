//! Everything a request can need.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Parts;
use super::auth::Guard;

/// What all requests share.
pub(super) struct Context {
    pub(super) parts: Parts,
    pub(super) guard: Guard,
    /// Bytes of bodies that may still be taken into memory, over all requests.
    pub(super) room: Arc<Semaphore>,
}

pub(super) fn read_timeout(context: &Context) -> Duration {
    Duration::from_millis(context.parts.config.http.read_timeout_ms)
}

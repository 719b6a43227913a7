//! The way from threads that serve sockets to those that may wait.

use super::reply::Problem;
use crate::db;

/// Runs what waits for the database or burns time on a thread that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, db::Error> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.unwrap_or_else(|panic| Err(db::Error::Panicked(panic.to_string())))?)
}

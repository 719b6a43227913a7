//! The way from threads that serve sockets to those that may wait.

use super::reply::Problem;
use crate::db;

/// Runs what waits for the database or burns time on a thread that may.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    Problem: From<E>,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(panic) => Err(db::Error::Panicked(panic.to_string()).into()),
    }
}

//! The way from threads that serve sockets to those that may wait, and back.

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::reply::Problem;
use crate::db;

/// Runs what waits for the database or burns time on a thread that may.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    Problem: From<E>,
{
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(done) => Ok(done?),
        Err(panic) => Err(db::Error::Panicked(panic.to_string()).into()),
    }
}

/// What serves the sockets, for work that wants to run there.
pub(super) struct Serving {
    pub(super) runtime: Handle,
    pub(super) stopping: watch::Receiver<bool>,
}

impl Serving {
    /// Runs this to its end, on the threads that serve sockets. None: the server stops first. A panic is an error.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<Result<T, Panicked>> {
        let mut stopping = self.stopping.clone();
        self.runtime.block_on(async {
            let mut task = tokio::spawn(work);
            tokio::select! {
                done = &mut task => Some(done.map_err(|error| Panicked(error.to_string()))),
                _ = stopping.wait_for(|stop| *stop) => {
                    task.abort();
                    None
                }
            }
        })
    }
}

/// Work that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("A fault of ours: {0}")]
pub(super) struct Panicked(String);

//! The writer thread: many changes, one commit, answers only after it.
//!
//! Invariants: changes run in the order in which they arrived; each runs in a savepoint of its own, so that one which
//! fails or panics undoes only itself; nobody hears "done" before the commit, and if the commit fails nobody hears it.
//! (An error is "not known to be done": after a failed fsync and a crash the change may be there after all.)
//! A panic outside of a change ends the process: what the writer does not understand it must not go on with, and after
//! a restart the database is exactly what was acknowledged.
//!
//! Not here: retries and priorities. The inbox is bounded; at the bound `post` says so and `write` waits.

use std::any::{Any, type_name};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::task::{self, Poll};
use std::thread::{self, JoinHandle};
use std::{io, process};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{Context, Error};

/// Changes that may wait for the writer; one more and `post` says `Full`.
pub const INBOX: usize = 1024;
/// Changes in one commit at most: bounds how long the first of them waits for the last.
pub const GROUP: usize = 256;

/// The inbox is full and the change was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// A point in the life of the writer where a crash would be interesting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// All changes of the group have run; none is on the disk.
    BeforeCommit,
    /// All are on the disk, or rolled back; nobody has heard of it.
    AfterCommit,
}

/// Told around each commit, with the names of the changes in it: the types of their closures, and so the functions that
/// wrote them.
pub type OnCommit = Box<dyn FnMut(Moment, &[&'static str]) + Send>;

/// The answer to a posted change. Await it on a thread that serves sockets, `wait` for it anywhere else.
#[must_use = "a change that nobody asks about may have failed"]
pub struct Pending<T>(oneshot::Receiver<Result<T, Error>>);

impl<T> Pending<T> {
    /// Blocks until the change is on the disk or has failed.
    pub fn wait(self) -> Result<T, Error> {
        self.0.blocking_recv().unwrap_or(Err(Error::Stopped))
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Stopped)))
    }
}

/// A change on its way to the writer.
struct Work {
    name: &'static str,
    change: Change,
}

/// Runs in the group's transaction; gets the error instead when there could be none.
type Change = Box<dyn FnOnce(Result<&Transaction<'_>, Error>) -> Reply + Send>;
/// Told how the commit went, passes the outcome on to whoever asked.
type Reply = Box<dyn FnOnce(Result<(), Error>)>;

/// The sending side of the writer thread; dropping it waits until everything accepted is done.
pub(crate) struct Writer {
    running: Option<(SyncSender<Work>, JoinHandle<()>)>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, on_commit: OnCommit) -> io::Result<Writer> {
        let (inbox, arrivals) = sync_channel(INBOX);
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let served = catch_unwind(AssertUnwindSafe(|| serve(connection, &arrivals, on_commit)));
            if served.is_err() {
                process::abort(); // the panic's message is out already
            }
        })?;
        Ok(Writer { running: Some((inbox, thread)) })
    }

    pub(crate) fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (inbox, thread) = self.running();
        assert_ne!(thread.thread().id(), thread::current().id(), "a change must not wait for another change");
        let (work, pending) = package(change);
        // If it cannot be sent the writer is gone, and `wait` finds that out.
        let _ = inbox.send(work);
        pending.wait()
    }

    pub(crate) fn post<T, F>(&self, change: F) -> Result<Pending<T>, Full>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    {
        let (inbox, _) = self.running();
        let (work, pending) = package(change);
        match inbox.try_send(work) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(pending), // disconnected: it answers `Stopped`
            Err(TrySendError::Full(_)) => Err(Full),
        }
    }

    fn running(&self) -> &(SyncSender<Work>, JoinHandle<()>) {
        self.running.as_ref().expect("only drop takes it")
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some((inbox, thread)) = self.running.take() {
            drop(inbox); // the thread empties what is in it and ends
            let _ = thread.join(); // cannot fail: its panics end the process
        }
    }
}

fn package<T, F>(change: F) -> (Work, Pending<T>)
where
    T: Send + 'static,
    F: FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
{
    let (answer, pending) = oneshot::channel();
    let run: Change = Box::new(move |tx| {
        let outcome = tx.and_then(|tx| in_savepoint(tx, change));
        Box::new(move |committed| {
            // Who no longer listens need not know.
            let _ = answer.send(outcome.and_then(|value| committed.map(|()| value)));
        })
    });
    (Work { name: type_name::<F>(), change: run }, Pending(pending))
}

fn serve(mut connection: Connection, arrivals: &Receiver<Work>, mut on_commit: OnCommit) {
    while let Ok(first) = arrivals.recv() {
        let tx = match connection.transaction_with_behavior(TransactionBehavior::Immediate).during("begin to write") {
            Ok(tx) => tx,
            Err(error) => {
                (first.change)(Err(error))(Ok(()));
                continue;
            }
        };
        let (mut names, mut replies) = (vec![first.name], vec![(first.change)(Ok(&tx))]);
        // SQLite ends the transaction by itself on a full disk or an I/O error. What ran so far is then undone and the
        // commit below fails for all of it; what comes later must not run outside of a transaction.
        while replies.len() < GROUP
            && !tx.is_autocommit()
            && let Ok(next) = arrivals.try_recv()
        {
            names.push(next.name);
            replies.push((next.change)(Ok(&tx)));
        }
        on_commit(Moment::BeforeCommit, &names);
        let committed = tx.commit().during("commit");
        on_commit(Moment::AfterCommit, &names);
        for reply in replies {
            reply(committed.clone());
        }
    }
    // Leaves one file behind. Another process that reads may prevent it; then the next start reads the log instead.
    let _ = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()));
}

/// Runs one change so that failing, or panicking, undoes it alone.
fn in_savepoint<T>(
    tx: &Transaction<'_>,
    change: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    tx.execute_batch("savepoint change").during("begin a change")?;
    // Whatever a panic leaves half done in the database is rolled back, and the closure's own values are gone with it.
    let outcome = catch_unwind(AssertUnwindSafe(|| change(tx)))
        .unwrap_or_else(|panic| Err(Error::Panicked(message(panic.as_ref()))));
    if !tx.is_autocommit() {
        let end = if outcome.is_ok() { "release change" } else { "rollback to change; release change" };
        tx.execute_batch(end).expect("a change that can be neither kept nor undone must not be committed");
    }
    outcome
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

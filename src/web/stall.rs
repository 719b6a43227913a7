//! A socket that gives up on a peer which reads nothing, and lets one that is still sending hear its answer. Without the
//! first, whoever asks and never takes the answers holds one of `http.max_connections` for ever. Without the second, a
//! file that is too large is refused with a connection that breaks and not with the page that says so: what arrives at a
//! closed socket takes back the answer before it is read. While a request is read its limits are those of `server` and
//! `body`.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// What a peer may still send after the last answer, in bytes: it is thrown away.
const LEFTOVER: usize = 16 * 1024 * 1024;
/// How long it may be silent meanwhile.
const SILENCE: Duration = Duration::from_secs(2);

/// Whether of the connection's last request something is still to come.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

impl Unread {
    pub(super) fn set(&self, is_unread: bool) {
        self.0.store(is_unread, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection whose writes fail once nothing has left for `patience`. With an unread rest it is closed when the peer has
/// done so too, is silent, or `patience` is over.
pub(super) struct Impatient {
    stream: TcpStream,
    patience: Duration,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    unread: Unread,
    /// Since all has been said.
    leaving: Option<Leaving>,
}

struct Leaving {
    read: usize,
    latest: Instant,
    silence: Pin<Box<Sleep>>,
}

impl Impatient {
    pub(super) fn new(stream: TcpStream, patience: Duration, unread: Unread) -> Self {
        Self { stream, patience, stalled: None, unread, leaving: None }
    }

    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the peer reads nothing")))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, patience, unread, leaving, .. } = &mut *self;
        if leaving.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        if !unread.get() {
            return Poll::Ready(Ok(()));
        }
        let now = Instant::now();
        let leaving = leaving.get_or_insert_with(|| Leaving {
            read: 0,
            latest: now + *patience,
            silence: Box::pin(sleep(SILENCE.min(*patience))),
        });
        while leaving.read < LEFTOVER && leaving.silence.as_mut().poll(cx).is_pending() {
            let mut bytes = [0; 8 * 1024];
            let mut into = ReadBuf::new(&mut bytes);
            // A peer that is gone has nothing more to hear.
            if ready!(Pin::new(&mut *stream).poll_read(cx, &mut into)).is_err() || into.filled().is_empty() {
                break;
            }
            leaving.read += into.filled().len();
            leaving.silence.as_mut().reset(leaving.latest.min(Instant::now() + SILENCE));
        }
        Poll::Ready(Ok(()))
    }
}

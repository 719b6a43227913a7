//! Accepts connections within limits, speaks HTTP/1.1 on them, and stops without cutting a request off.
//!
//! The caller owns the listener and says when to stop, so a test binds port 0 and a service manager may hand a socket
//! over. At `http.max_connections` no more are accepted: they wait in the kernel. A head that does not arrive within
//! `http.read_timeout_ms`, or a kept-alive connection without a new one, is closed; a body has the same time again, and so
//! has a peer that takes nothing of its answer.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::auth::Guard;
use super::context::{Context, read_timeout};
use super::stall::Impatient;
use super::{Parts, route, tls};

/// Threads which serve sockets.
const WORKERS: usize = 2;
/// Threads which render pages and prove passwords.
const BLOCKING: usize = 8;
/// The largest head of a request; more is answered 431.
const HEAD_BYTES: usize = 64 * 1024;
/// Pause after a failed accept: out of file descriptors is not cured by asking again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What a page that is being rendered gets when the requests are done.
const LAST_PAGES: Duration = Duration::from_secs(1);

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Socket or threads.
    #[error("The HTTP server cannot start: {0}")]
    System(#[from] io::Error),
    /// The chain or its key.
    #[error(transparent)]
    Certificate(#[from] tls::Unusable),
}

/// A server at work. Dropping it without waiting cuts running requests off.
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
    runtime: Runtime,
}

/// Starts to serve on this listener, on threads of its own.
pub fn start(parts: Parts, listener: TcpListener) -> Result<Running, StartError> {
    let http = &parts.config.http;
    let tls = tls::acceptor(http)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let room = Arc::new(Semaphore::new(http.bodies_in_memory_bytes));
    let guard = Guard::new(&parts);
    let context = Arc::new(Context { parts, guard, room });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING)
        .thread_name("web")
        .enable_all()
        .build()?;
    let (stop, stopping) = watch::channel(false);
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)?
    };
    let accepting = runtime.spawn(accept(context, listener, tls, stopping));
    Ok(Running { address, stop, accepting, runtime })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting and lets running requests end; idle connections are closed. Returns at once.
    pub fn stop(&self) {
        // Without a receiver the accept loop has ended already.
        let _ = self.stop.send(true);
    }

    /// Waits until it has stopped: all requests answered, or `engine.stop_grace_ms` over.
    pub fn wait(self) {
        let Self { stop, accepting, runtime, .. } = self;
        if runtime.block_on(accepting).is_err() {
            tracing::error!("The accept loop of the HTTP server panicked");
        }
        drop(stop);
        runtime.shutdown_timeout(LAST_PAGES);
    }
}

async fn accept(
    context: Arc<Context>,
    listener: tokio::net::TcpListener,
    tls: Option<TlsAcceptor>,
    mut stopping: watch::Receiver<bool>,
) {
    let config = Arc::clone(&context.parts.config);
    let connections = Arc::new(Semaphore::new(config.http.max_connections));
    let graceful = GracefulShutdown::new();
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await.expect("this semaphore is never closed");
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "A connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (context, tls, watcher) = (Arc::clone(&context), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            connect(context, stream, peer, tls, watcher).await;
            drop(permit);
        });
    }
    drop(listener);
    let grace = Duration::from_millis(config.engine.stop_grace_ms);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("Requests were still running when the time to stop was over");
    }
}

async fn connect(
    context: Arc<Context>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    watcher: Watcher,
) {
    // Answers are small and written whole: waiting to fill a packet only delays them. A socket that refuses is closed.
    let _ = stream.set_nodelay(true);
    let stream = Impatient::new(stream, read_timeout(&context));
    let Some(tls) = tls else { return speak(context, stream, peer, false, watcher).await };
    match tokio::time::timeout(read_timeout(&context), tls.accept(stream)).await {
        Ok(Ok(stream)) => speak(context, stream, peer, true, watcher).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "A TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "A TLS handshake took too long"),
    }
}

async fn speak<S>(context: Arc<Context>, stream: S, peer: SocketAddr, is_tls: bool, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let timeout = read_timeout(&context);
    let service = service_fn(move |request| {
        let context = Arc::clone(&context);
        async move { Ok::<_, std::convert::Infallible>(route::answer(&context, request, peer.ip(), is_tls).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeout)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "A connection ended early");
    }
}

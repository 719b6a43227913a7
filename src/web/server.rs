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

use hyper::Request;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::acme::challenges::Challenges;
use super::auth::Guard;
use super::blocking::Serving;
use super::context::{Context, Readiness, read_timeout};
use super::request::Requests;
use super::stall::{Impatient, Unread};
use super::tls::facts::Facts;
use super::tls::{self, Shown, Tls};
use super::upkeep::{self, Source, Upkeep};
use super::{Parts, route};
use crate::config::keys;
use crate::db;

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
    /// The port for plain HTTP beside HTTPS.
    #[error(
        "acme.listen is {listen}: the port cannot be used ({source}), free it or choose another that port 80 leads to"
    )]
    Challenges {
        /// Where it should have been.
        listen: SocketAddr,
        /// The system's word.
        source: io::Error,
    },
    /// What is told of the certificate.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// A server at work. Dropping it without waiting cuts running requests off.
pub struct Running {
    address: SocketAddr,
    plain: Option<SocketAddr>,
    tls: Option<Tls>,
    stop: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
    upkeep: Option<Upkeep>,
    runtime: Runtime,
}

/// Starts to serve on this listener, on threads of its own; with `[acme]` also on `acme.listen`, in plain HTTP.
pub fn start(parts: Parts, listener: TcpListener) -> Result<Running, StartError> {
    let (config, clock, db) = (Arc::clone(&parts.config), parts.clock.clone(), Arc::clone(&parts.db));
    let vitals = Arc::clone(&parts.vitals);
    let http = &config.http;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (source, pair) = Source::open(&config, address, &clock)?.unzip();
    let shown = pair.map(|pair| Arc::new(Shown::new(pair)));
    let challenges = source.as_ref().and_then(Source::challenges).map(|challenges| bind(&config.acme, challenges));
    let plain = challenges.transpose()?;
    let plain_address = plain.as_ref().map(|(_, listener)| listener.local_addr()).transpose()?;
    let room = Arc::new(Semaphore::new(http.bodies_in_memory_bytes));
    let guard = Guard::new(&parts);
    let tls = shown.clone().map(Tls::new);
    let context = Arc::new(Context {
        parts,
        guard,
        requests: Requests::new(),
        readiness: Readiness::new(),
        room,
        tls: tls.clone(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING)
        .thread_name("web")
        .enable_all()
        .build()?;
    let (stop, stopping) = watch::channel(false);
    let ports =
        [Some((Port::Pages, listener)), plain.map(|(challenges, listener)| (Port::Plain(challenges), listener))];
    let accepting = ports
        .into_iter()
        .flatten()
        .map(|(port, listener)| {
            let _inside = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            Ok(runtime.spawn(accept(Arc::clone(&context), port, listener, stopping.clone())))
        })
        .collect::<io::Result<_>>()?;
    let upkeep = match source.zip(shown) {
        Some((source, shown)) => {
            let serving = Serving { runtime: runtime.handle().clone(), stopping };
            Some(Upkeep::start(source, shown, clock, db, vitals, serving)?)
        }
        None => {
            upkeep::nothing_to_look_after(&db, &clock)?;
            None
        }
    };
    Ok(Running { address, plain: plain_address, tls, stop, accepting, upkeep, runtime })
}

fn bind(acme: &keys::Acme, challenges: Arc<Challenges>) -> Result<(Arc<Challenges>, TcpListener), StartError> {
    let listen = acme.listen;
    let bound = TcpListener::bind(listen).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    bound.map(|listener| (challenges, listener)).map_err(|source| StartError::Challenges { listen, source })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers an authority, and sends all others to HTTPS.
    #[must_use]
    pub fn plain_address(&self) -> Option<SocketAddr> {
        self.plain
    }

    /// What the certificate says that handshakes are answered with now.
    #[must_use]
    pub fn certificate(&self) -> Option<Arc<Facts>> {
        self.tls.as_ref().map(Tls::facts)
    }

    /// Stops accepting and lets running requests end; idle connections are closed. Returns at once.
    pub fn stop(&self) {
        // Without a receiver the accept loops have ended already.
        let _ = self.stop.send(true);
        self.upkeep.iter().for_each(Upkeep::stop);
    }

    /// Waits until it has stopped: all requests answered, or `engine.stop_grace_ms` over.
    pub fn wait(self) {
        let Self { stop, accepting, upkeep, runtime, .. } = self;
        for port in accepting {
            if runtime.block_on(port).is_err() {
                tracing::error!("The accept loop of the HTTP server panicked");
            }
        }
        if let Some(upkeep) = upkeep {
            upkeep.wait();
        }
        drop(stop);
        runtime.shutdown_timeout(LAST_PAGES);
    }
}

/// What a listener is there for.
#[derive(Clone)]
enum Port {
    /// Everything, by HTTPS if there is a certificate.
    Pages,
    /// Plain HTTP beside HTTPS.
    Plain(Arc<Challenges>),
}

async fn accept(
    context: Arc<Context>,
    port: Port,
    listener: tokio::net::TcpListener,
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
        let (context, port, watcher) = (Arc::clone(&context), port.clone(), graceful.watcher());
        tokio::spawn(async move {
            connect(context, port, stream, peer, watcher).await;
            drop(permit);
        });
    }
    drop(listener);
    let grace = Duration::from_millis(config.engine.stop_grace_ms);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("Requests were still running when the time to stop was over");
    }
}

async fn connect(context: Arc<Context>, port: Port, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
    // Answers are small and written whole: waiting to fill a packet only delays them. A socket that refuses is closed.
    let _ = stream.set_nodelay(true);
    let timeout = read_timeout(&context);
    let unread = Unread::default();
    let stream = Impatient::new(stream, timeout, unread.clone());
    let acceptor = match (&port, &context.tls) {
        (Port::Pages, Some(tls)) => tls.acceptor.clone(),
        (Port::Pages, None) | (Port::Plain(_), _) => {
            return speak(context, port, stream, peer, false, unread, watcher).await;
        }
    };
    match tokio::time::timeout(timeout, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => speak(context, port, stream, peer, true, unread, watcher).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "A TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "A TLS handshake took too long"),
    }
}

async fn speak<S>(
    context: Arc<Context>,
    port: Port,
    stream: S,
    peer: SocketAddr,
    is_tls: bool,
    unread: Unread,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let timeout = read_timeout(&context);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (context, port) = (Arc::clone(&context), port.clone());
        unread.set(!request.body().is_end_stream());
        request.extensions_mut().insert(unread.clone());
        async move {
            Ok::<_, std::convert::Infallible>(match port {
                Port::Pages => route::answer(&context, request, peer.ip(), is_tls).await,
                Port::Plain(challenges) => challenges.answer(&request),
            })
        }
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

//! The sandbox over HTTP, for people and real processes.
//!
//! The world is locked for the length of one reaction, never across an await. An answer that must break in the middle or
//! trickle is written by hand, on the connection taken back from hyper. The server does not poll: late requests arrive with the
//! next call, or when the owner of the world ticks it.

use super::http::{Answer, Request};
use super::{Reaction, World};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, future, io, thread};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Larger bodies end the connection; the largest real document is some hundred kilobytes.
const MAX_BODY_BYTES: usize = 4 << 20;

/// Serves the world on this listener until `stop` resolves; connections that are open then are dropped.
pub async fn serve<C>(listener: TcpListener, world: Arc<Mutex<World>>, clock: C, stop: impl Future<Output = ()>)
where
    C: Fn() -> Timestamp + Send + Sync + 'static,
{
    let clock = Arc::new(clock);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            // A failed accept concerns a caller who is gone already.
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(converse(stream, world.clone(), clock.clone()));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection. hyper reads requests and writes whole answers; any other comes back as the error of the service.
async fn converse<C>(stream: TcpStream, world: Arc<Mutex<World>>, clock: Arc<C>)
where
    C: Fn() -> Timestamp + Send + Sync + 'static,
{
    let service = service_fn(move |incoming| Box::pin(answer(incoming, world.clone(), clock.clone())));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = future::poll_fn(|cx| connection.poll_without_shutdown(cx)).await else { return };
    let Some(by_hand) = error.source().and_then(|source| source.downcast_ref::<ByHand>()) else { return };
    let stream = connection.into_parts().io.into_inner();
    // The caller may have hung up first; either way the connection ends here.
    let _ = match by_hand.bytes_per_second {
        None => write_all(&stream, &by_hand.bytes).await,
        Some(pace) => trickle(&stream, &by_hand.bytes, pace).await,
    };
}

/// One byte at a time, evenly, a thousand a second at most; whoever hangs up is noticed by the next byte but one.
async fn trickle(stream: &TcpStream, bytes: &[u8], per_second: u32) -> io::Result<()> {
    let gap = Duration::from_secs(1) / per_second.max(1);
    for byte in bytes.chunks(1) {
        tokio::time::sleep(gap).await;
        write_all(stream, byte).await?;
    }
    Ok(())
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn answer<C>(
    incoming: hyper::Request<Incoming>,
    world: Arc<Mutex<World>>,
    clock: Arc<C>,
) -> Result<hyper::Response<Full<Bytes>>, Box<dyn Error + Send + Sync>>
where
    C: Fn() -> Timestamp,
{
    let (head, body) = incoming.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES).collect().await?.to_bytes().to_vec();
    let request = Request {
        method: head.method.to_string(),
        path: head.uri.path().into(),
        query: head.uri.query().unwrap_or_default().into(),
        headers: (head.headers.iter())
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body,
    };
    let now = clock();
    let reaction = world.lock().unwrap_or_else(PoisonError::into_inner).react(&request, now);
    match reaction {
        Reaction::Answer { answer, after } => {
            pass(after).await;
            Ok(respond(answer)?)
        }
        Reaction::Cut { answer, bytes, after } => {
            pass(after).await;
            let mut raw = answer.raw();
            raw.truncate(bytes);
            Err(ByHand { bytes: raw, bytes_per_second: None }.into())
        }
        Reaction::Drip { answer, bytes_per_second } => {
            Err(ByHand { bytes: answer.raw(), bytes_per_second: Some(bytes_per_second) }.into())
        }
        Reaction::Close | Reaction::Refuse => Err(ByHand { bytes: Vec::new(), bytes_per_second: None }.into()),
        Reaction::Hang => future::pending().await,
    }
}

async fn pass(time: SignedDuration) {
    tokio::time::sleep(Duration::try_from(time).unwrap_or_default()).await;
}

fn respond(answer: Answer) -> Result<hyper::Response<Full<Bytes>>, hyper::http::Error> {
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(answer.body.into()))
}

/// The bytes that still go out before the connection closes, all at once or at a pace.
#[derive(Debug)]
struct ByHand {
    bytes: Vec<u8>,
    bytes_per_second: Option<u32>,
}

impl fmt::Display for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The sandbox ends this connection after {} bytes", self.bytes.len())
    }
}

impl Error for ByHand {}

/// The sandbox on a thread of its own, on a free port of 127.0.0.1; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Starts serving; callers can connect as soon as this returns.
    pub fn start<C>(world: Arc<Mutex<World>>, clock: C) -> io::Result<Server>
    where
        C: Fn() -> Timestamp + Send + Sync + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let shared = world.clone();
        let thread = thread::Builder::new().name("sandbox".into()).spawn(move || {
            runtime.block_on(serve(listener, shared, clock, async {
                // A dropped sender means stop as well.
                let _ = stopped.await;
            }));
        })?;
        Ok(Server { address, world, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The world it serves, to set up and to look into.
    pub fn world(&self) -> Arc<Mutex<World>> {
        self.world.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the server thread has been printed by its own hook.
            let _ = thread.join();
        }
    }
}

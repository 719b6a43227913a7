//! A simulated network below the product's HTTP client: the sandbox answers as a function, time passes on the hand.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use qantara::clock::Clock;
use qantara::sandbox::http::Request;
use qantara::sandbox::{Reaction, World};
use ureq::Error;
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

/// The wires between the product and the fake Daftra.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) world: Arc<Mutex<World>>,
    pub(crate) clock: Clock,
    /// Accounts whose host is down: connections are refused.
    pub(crate) down: Arc<Mutex<BTreeSet<String>>>,
    /// Every request that left, once somebody listens.
    pub(crate) heard: Arc<Mutex<Option<Vec<Request>>>>,
    /// What one call costs at least.
    pub(crate) latency: SignedDuration,
}

impl Connector for Network {
    type Out = Wire;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Wire>, Error> {
        let path = details.uri.path();
        if self.down.lock().unwrap().iter().any(|name| path.starts_with(&format!("/acct/{name}/"))) {
            return Err(Error::Io(io::ErrorKind::ConnectionRefused.into()));
        }
        let buffers = LazyBuffers::new(64 * 1024, 64 * 1024);
        Ok(Some(Wire { network: self.clone(), sent: Vec::new(), answer: None, deadline: None, buffers }))
    }
}

pub(crate) struct Wire {
    network: Network,
    sent: Vec<u8>,
    answer: Option<Incoming>,
    /// When the caller's patience ends. Its own clock stands still, so it is asked once, at the first wait.
    deadline: Option<Timestamp>,
    buffers: LazyBuffers,
}

/// What is still to be read, and how fast it comes.
struct Incoming {
    bytes: Vec<u8>,
    bytes_per_second: Option<u32>,
}

impl Wire {
    /// Carries the request over and waits for what comes back.
    fn ask(&self, patience: &NextTimeout) -> Result<Incoming, Error> {
        let network = &self.network;
        let Some(request) = parse(&self.sent) else { return Err(Error::Io(io::ErrorKind::InvalidData.into())) };
        if let Some(heard) = network.heard.lock().unwrap().as_mut() {
            heard.push(request.clone());
        }
        network.clock.sleep(network.latency);
        let reaction = {
            let now = network.clock.now();
            let mut world = network.world.lock().unwrap();
            world.react(&request, now)
        };
        let whole = |bytes| Incoming { bytes, bytes_per_second: None };
        match reaction {
            Reaction::Answer { answer, after } => self.wait(after, patience).map(|()| whole(answer.raw())),
            Reaction::Cut { answer, bytes, after } => {
                let mut raw = answer.raw();
                raw.truncate(bytes);
                self.wait(after, patience).map(|()| whole(raw))
            }
            Reaction::Drip { answer, bytes_per_second } => {
                Ok(Incoming { bytes: answer.raw(), bytes_per_second: Some(bytes_per_second) })
            }
            Reaction::Close | Reaction::Refuse => Err(Error::Io(io::ErrorKind::ConnectionReset.into())),
            Reaction::Hang => self.wait(SignedDuration::from_hours(24), patience).map(|()| whole(Vec::new())),
        }
    }

    /// Lets the time pass, but no longer than the caller's patience.
    fn wait(&self, gap: SignedDuration, patience: &NextTimeout) -> Result<(), Error> {
        let clock = &self.network.clock;
        let left = self.deadline.map_or(SignedDuration::MAX, |deadline| deadline.duration_since(clock.now()));
        clock.sleep(gap.min(left));
        if gap > left { Err(Error::Timeout(patience.reason)) } else { Ok(()) }
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        self.sent.extend_from_slice(&self.buffers.output()[..amount]);
        Ok(())
    }

    fn await_input(&mut self, patience: NextTimeout) -> Result<bool, Error> {
        if self.deadline.is_none() {
            let longest = match patience.after {
                Duration::Exact(longest) => SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX),
                Duration::NotHappening => SignedDuration::from_hours(1),
            };
            self.deadline = Some(self.network.clock.now().saturating_add(longest).unwrap());
        }
        let mut answer = match self.answer.take() {
            Some(rest) => rest,
            None => self.ask(&patience)?,
        };
        let mut ready = answer.bytes.len();
        if let Some(pace) = answer.bytes_per_second.filter(|_| ready > 0) {
            // What comes in a second comes at its end.
            self.wait(SignedDuration::from_secs(1), &patience)?;
            ready = ready.min(usize::try_from(pace).unwrap());
        }
        let room = self.buffers.input_append_buf();
        let amount = ready.min(room.len());
        room[..amount].copy_from_slice(&answer.bytes[..amount]);
        self.buffers.input_appended(amount);
        answer.bytes.drain(..amount);
        self.answer = Some(answer);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }
}

fn parse(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let mut request = Request::new(first.next()?, first.next()?);
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        request = request.with_header(name, value);
    }
    request.body = bytes[end + 4..].to_vec();
    Some(request)
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

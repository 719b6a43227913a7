//! A simulated network below the product's HTTP client: the sandbox answers as a function, time passes on the hand.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use qantara::clock::Clock;
use qantara::sandbox::http::Request;
use qantara::sandbox::{Reaction, World};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};
use ureq::{Error, Timeout};

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
        let (network, clock) = (self.clone(), self.clock.clone());
        Ok(Some(Wire::new(clock, Box::new(move |request, patience| network.carry(request, patience)))))
    }
}

impl Network {
    /// Carries the request over and waits for what comes back.
    fn carry(&self, request: &Request, patience: Patience) -> Result<Incoming, Error> {
        if let Some(heard) = self.heard.lock().unwrap().as_mut() {
            heard.push(request.clone());
        }
        self.clock.sleep(self.latency);
        let reaction = {
            let now = self.clock.now();
            let mut world = self.world.lock().unwrap();
            world.react(request, now)
        };
        match reaction {
            Reaction::Answer { answer, after } => patience.wait(&self.clock, after).map(|()| answer.raw().into()),
            Reaction::Cut { answer, bytes, after } => {
                let mut raw = answer.raw();
                raw.truncate(bytes);
                patience.wait(&self.clock, after).map(|()| raw.into())
            }
            Reaction::Drip { answer, bytes_per_second } => {
                Ok(Incoming { bytes: answer.raw(), bytes_per_second: Some(bytes_per_second) })
            }
            Reaction::Close | Reaction::Refuse => Err(Error::Io(io::ErrorKind::ConnectionReset.into())),
            Reaction::Hang => patience.wait(&self.clock, SignedDuration::from_hours(24)).map(|()| Vec::new().into()),
        }
    }
}

/// What becomes of one request: what comes back, or how the connection ended.
pub(crate) type Carry = Box<dyn Fn(&Request, Patience) -> Result<Incoming, Error> + Send + Sync>;

/// What is still to be read, and how fast it comes.
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    bytes_per_second: Option<u32>,
}

impl From<Vec<u8>> for Incoming {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, bytes_per_second: None }
    }
}

/// How long the caller waits, and what it says then.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    deadline: Timestamp,
    pub(crate) reason: Timeout,
}

impl Patience {
    /// Lets the time pass, but no longer than that.
    fn wait(self, clock: &Clock, gap: SignedDuration) -> Result<(), Error> {
        let left = self.deadline.duration_since(clock.now());
        clock.sleep(gap.min(left));
        if gap > left { Err(Error::Timeout(self.reason)) } else { Ok(()) }
    }
}

/// One connection.
pub(crate) struct Wire {
    clock: Clock,
    carry: Carry,
    sent: Vec<u8>,
    answer: Option<Incoming>,
    /// When the caller's patience ends. Its own clock stands still, so it is asked once, at the first wait.
    deadline: Option<Timestamp>,
    buffers: LazyBuffers,
}

impl Wire {
    pub(crate) fn new(clock: Clock, carry: Carry) -> Self {
        let buffers = LazyBuffers::new(8 * 1024, 8 * 1024);
        Self { clock, carry, sent: Vec::new(), answer: None, deadline: None, buffers }
    }

    fn patience(&mut self, next: &NextTimeout) -> Patience {
        let longest = match next.after {
            Duration::Exact(longest) => SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX),
            Duration::NotHappening => SignedDuration::from_hours(1),
        };
        let now = self.clock.now();
        let deadline = *self.deadline.get_or_insert_with(|| now.saturating_add(longest).unwrap());
        Patience { deadline, reason: next.reason }
    }

    fn ask(&self, patience: Patience) -> Result<Incoming, Error> {
        let Some(request) = parse(&self.sent) else { return Err(Error::Io(io::ErrorKind::InvalidData.into())) };
        (self.carry)(&request, patience)
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
        let patience = self.patience(&patience);
        let mut answer = match self.answer.take() {
            Some(rest) => rest,
            None => self.ask(patience)?,
        };
        let mut ready = answer.bytes.len();
        if let Some(pace) = answer.bytes_per_second.filter(|_| ready > 0) {
            // What comes in a second comes at its end.
            patience.wait(&self.clock, SignedDuration::from_secs(1))?;
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

//! A simulated network below the product's HTTP client: the sandbox answers as a function, time passes on the hand.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
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
        let network = self.clone();
        Ok(Some(Wire::new(Box::new(move |request, patience| network.carry(request, patience)))))
    }
}

impl Network {
    /// Carries the request over and waits for what comes back.
    fn carry(&self, request: &Request, patience: NextTimeout) -> Result<Vec<u8>, Error> {
        if let Some(heard) = self.heard.lock().unwrap().as_mut() {
            heard.push(request.clone());
        }
        self.clock.sleep(self.latency);
        let reaction = {
            let now = self.clock.now();
            let mut world = self.world.lock().unwrap();
            world.react(request, now)
        };
        let longest = match patience.after {
            Duration::Exact(longest) => SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX),
            Duration::NotHappening => SignedDuration::from_hours(1),
        };
        let arrive = |bytes: Vec<u8>, after: SignedDuration| {
            self.clock.sleep(after.min(longest));
            if after > longest { Err(Error::Timeout(patience.reason)) } else { Ok(bytes) }
        };
        match reaction {
            Reaction::Answer { answer, after } => arrive(answer.raw(), after),
            Reaction::Cut { answer, bytes, after } => {
                let mut raw = answer.raw();
                raw.truncate(bytes);
                arrive(raw, after)
            }
            Reaction::Close | Reaction::Refuse => Err(Error::Io(io::ErrorKind::ConnectionReset.into())),
            Reaction::Hang => arrive(Vec::new(), SignedDuration::from_hours(24)),
        }
    }
}

/// What becomes of one request: the raw answer, or how the connection ended.
pub(crate) type Carry = Box<dyn Fn(&Request, NextTimeout) -> Result<Vec<u8>, Error> + Send + Sync>;

/// One connection.
pub(crate) struct Wire {
    carry: Carry,
    sent: Vec<u8>,
    /// What is still to be read.
    answer: Option<Vec<u8>>,
    buffers: LazyBuffers,
}

impl Wire {
    pub(crate) fn new(carry: Carry) -> Self {
        Self { carry, sent: Vec::new(), answer: None, buffers: LazyBuffers::new(8 * 1024, 8 * 1024) }
    }

    fn ask(&self, patience: NextTimeout) -> Result<Vec<u8>, Error> {
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
        let mut answer = match self.answer.take() {
            Some(rest) => rest,
            None => self.ask(patience)?,
        };
        let room = self.buffers.input_append_buf();
        let amount = answer.len().min(room.len());
        room[..amount].copy_from_slice(&answer[..amount]);
        self.buffers.input_appended(amount);
        self.answer = Some(answer.split_off(amount));
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

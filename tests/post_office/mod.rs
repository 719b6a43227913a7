//! A mail server on port 0 that takes mails, or fails where it is told to. It keeps what it took, byte by byte.

#![allow(dead_code, reason = "each test file uses its part")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What goes wrong with one connection. Another one is served as told next, and well when nothing is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing does.
    Well,
    /// The line is closed before any word.
    HangUp,
    /// This answer to the sender, the recipient, or the whole mail.
    Sender(&'static str),
    Recipient(&'static str),
    Whole(&'static str),
    /// The line is closed in the middle of the mail.
    CutInData,
    /// The mail is taken, and the line closed before the answer.
    LoseAnswer,
    /// Nothing is ever answered to the recipient.
    Silent,
}

/// One mail as it was taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    taken: Vec<Taken>,
    connections: usize,
}

pub(crate) struct PostOffice {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl PostOffice {
    pub(crate) fn open() -> Self {
        Self::with(None)
    }

    /// With TLS from the first byte.
    pub(crate) fn with_tls(config: ServerConfig) -> Self {
        Self::with(Some(Arc::new(config)))
    }

    fn with(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (state, tls) = (Arc::clone(&shared), tls.clone());
                thread::spawn(move || {
                    state.lock().unwrap().connections += 1;
                    // Whoever hangs up does so.
                    let _ = match tls {
                        Some(tls) => serve(StreamOwned::new(ServerConnection::new(tls).unwrap(), stream), &state),
                        None => serve(stream, &state),
                    };
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn will(&self, faults: &[Fault]) {
        self.state.lock().unwrap().faults.extend(faults);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

fn serve<S: Read + Write>(stream: S, state: &Mutex<State>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let say = |stream: &mut BufReader<S>, line: &str| {
        stream.get_mut().write_all(format!("{line}\r\n").as_bytes())?;
        stream.get_mut().flush()
    };
    let next = || state.lock().unwrap().faults.pop_front().unwrap_or(Fault::Well);
    let mut fault = next();
    if fault == Fault::HangUp {
        return Ok(());
    }
    say(&mut stream, "220 post.example ESMTP")?;
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match line.split([' ', ':']).next().unwrap_or_default().to_uppercase().as_str() {
            "EHLO" => say(&mut stream, "250-post.example\r\n250 8BITMIME")?,
            "MAIL" => {
                from = address(line);
                say(&mut stream, if let Fault::Sender(no) = fault { no } else { "250 fine" })?;
            }
            "RCPT" => {
                to = address(line);
                if fault == Fault::Silent {
                    // Until the other side has had enough.
                    let mut rest = Vec::new();
                    return stream.read_to_end(&mut rest).map(drop);
                }
                say(&mut stream, if let Fault::Recipient(no) = fault { no } else { "250 fine" })?;
            }
            "DATA" => {
                say(&mut stream, "354 go on")?;
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n.\r\n") {
                    if fault == Fault::CutInData && bytes.len() > 100 {
                        return Ok(());
                    }
                    if stream.read_until(b'\n', &mut bytes)? == 0 {
                        return Ok(());
                    }
                }
                if let Fault::Whole(no) = fault {
                    say(&mut stream, no)?;
                } else {
                    bytes.truncate(bytes.len() - 3);
                    let bytes = unstuffed(&bytes);
                    state.lock().unwrap().taken.push(Taken { from: from.clone(), to: to.clone(), bytes });
                    if fault == Fault::LoseAnswer {
                        return Ok(());
                    }
                    say(&mut stream, "250 taken")?;
                }
                fault = next();
            }
            "QUIT" => return say(&mut stream, "221 bye"),
            "RSET" | "NOOP" => {
                say(&mut stream, "250 fine")?;
                if fault != Fault::Well {
                    fault = next();
                }
            }
            _ => say(&mut stream, "500 what?")?,
        }
    }
}

/// A dot that begins a line was doubled on the way.
fn unstuffed(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.replace("\r\n..", "\r\n.").into_bytes()
}

/// Where a stranger's connection goes.
pub(crate) fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(TcpStream::connect(address).is_err(), "the port is free again");
    address
}

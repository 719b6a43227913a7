//! The local socket: how a command changes something while the server runs, so that there is one writer and the change
//! shows at once.
//!
//! One connection, one line of JSON in (a [`Wish`]), one line out. Whoever may open the socket may wish for anything, so
//! it belongs to the server's user alone and appears under its name only when it is closed to all others. A socket
//! that a crash left behind is replaced; the server's lock says that nobody uses it.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Refusal, Wish};

/// The name of the socket inside the data folder.
pub const FILE: &str = "qantara.sock";

/// The longest wish: a merchant with thousands of vendors fits.
const LINE_BYTES: u64 = 1024 * 1024;
/// The longest answer: all that is kept of a customer fits.
const ANSWER_BYTES: u64 = 64 * LINE_BYTES;
/// How long one side waits for a line of a command, which is typed in one go.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a command waits for the server: a password is hashed, a transaction committed.
const SERVER_TIMEOUT: Duration = Duration::from_secs(60);

/// What the server says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(Value),
    Refused(Refusal),
    Failed(String),
}

/// The socket while it is served.
pub struct Running {
    path: PathBuf,
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Serves the socket of a data folder on a thread of its own. The caller holds the server's lock.
pub fn serve(folder: &Path, perform: impl Fn(Wish) -> Result<Value, Error> + Send + 'static) -> io::Result<Running> {
    let path = folder.join(FILE);
    let listener = bind(folder, &path)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let is_stopping = Arc::clone(&stopping);
    let thread = Builder::new().name("desk".to_owned()).spawn(move || {
        for connection in listener.incoming() {
            if is_stopping.load(Ordering::SeqCst) {
                return;
            }
            if let Err(error) = connection.and_then(|stream| answer(&stream, &perform)) {
                tracing::debug!(%error, "a command hung up");
            }
        }
    })?;
    Ok(Running { path, stopping, thread })
}

impl Running {
    /// Ends after the wish that is being answered.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The thread waits for a connection. If nobody can connect any more, it ends with the process.
        if UnixStream::connect(&self.path).is_ok() && self.thread.join().is_err() {
            tracing::error!("the thread of the local socket panicked");
        }
        // A socket that stays is replaced by the next server.
        let _ = fs::remove_file(&self.path);
    }
}

fn bind(folder: &Path, path: &Path) -> io::Result<UnixListener> {
    let closet = folder.join(".desk");
    let inside = closet.join(FILE);
    match DirBuilder::new().mode(0o700).create(&closet) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let _ = fs::remove_file(&inside);
    let listener = UnixListener::bind(&inside)?;
    fs::set_permissions(&inside, Permissions::from_mode(0o600))?;
    fs::rename(&inside, path)?;
    let _ = fs::remove_dir(&closet);
    Ok(listener)
}

fn answer(stream: &UnixStream, perform: &dyn Fn(Wish) -> Result<Value, Error>) -> io::Result<()> {
    stream.set_read_timeout(Some(COMMAND_TIMEOUT))?;
    stream.set_write_timeout(Some(COMMAND_TIMEOUT))?;
    let line = read_line(stream, LINE_BYTES)?;
    let reply = match serde_json::from_str(&line) {
        Ok(wish) => match perform(wish) {
            Ok(answer) => Reply::Done(answer),
            Err(Error::Refused(refusal)) => Reply::Refused(refusal),
            Err(Error::Db(error)) => Reply::Failed(error.to_string()),
        },
        // serde's own words may quote the wish, and with it a secret.
        Err(_) => Reply::Failed("The server does not know this wish: use the command of its own version".to_owned()),
    };
    write_line(stream, &reply)
}

/// Why a running server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The wish is wrong.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server tried, or does not know this wish.
    #[error("{0}")]
    Failed(String),
    /// The socket is there and cannot be used.
    #[error("The server's socket {} cannot be opened: {source}; run the command as the server's user", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The wish was sent.
    #[error("The server did not answer: {0}; look whether the change was made before trying again")]
    Unanswered(io::Error),
}

/// Whether a server listens.
#[must_use]
pub fn is_served(folder: &Path) -> bool {
    UnixStream::connect(folder.join(FILE)).is_ok()
}

/// Asks the server of a data folder; `None` if none is running.
pub fn ask(folder: &Path, wish: &Wish) -> Result<Option<Value>, AskError> {
    let path = folder.join(FILE);
    let stream = match UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(source) => return Err(AskError::Socket { path, source }),
    };
    match converse(&stream, wish) {
        Ok(Reply::Done(answer)) => Ok(Some(answer)),
        Ok(Reply::Refused(refusal)) => Err(refusal.into()),
        Ok(Reply::Failed(text)) => Err(AskError::Failed(text)),
        Err(error) => Err(AskError::Unanswered(error)),
    }
}

fn converse(stream: &UnixStream, wish: &Wish) -> io::Result<Reply> {
    stream.set_read_timeout(Some(SERVER_TIMEOUT))?;
    stream.set_write_timeout(Some(COMMAND_TIMEOUT))?;
    write_line(stream, wish)?;
    Ok(serde_json::from_str(&read_line(stream, ANSWER_BYTES)?)?)
}

fn read_line(stream: &UnixStream, longest: u64) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(longest)).read_line(&mut line)?;
    if line.ends_with('\n') { Ok(line) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

fn write_line(mut stream: &UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line)
}

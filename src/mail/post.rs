//! Handing mails to the one mail server of the configuration.
//!
//! The dialogue is held command by command, for how far it came decides what a failure means: before the mail was handed over
//! nothing was sent; between its first byte and the server's answer nobody knows. Nothing is repeated here but the greeting of
//! a connection that had gone stale.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters, TlsVersion};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_rustls::rustls;

use super::render::Rendered;
use crate::domain::news::Problem;

/// The longest answer of a server that is kept.
const LONGEST_WORDS: usize = 200;

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Plain at first, and never a mail before TLS.
    StartTls,
    Tls,
    /// Nothing; on this machine only.
    None,
}

/// Who takes our mails.
pub struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: Option<(String, SecretString)>,
    /// For each step of the dialogue.
    pub timeout: Duration,
    tls: TlsParameters,
}

/// Why there is no server to talk to.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("mail.extra_ca_file: {0} cannot be read as PEM certificates: name another file or empty the key")]
    Authorities(String),
    #[error("mail.server: TLS knows no such name; write the server's name, for example smtp.example.com")]
    Name,
}

impl Server {
    /// A server, and the authorities beside the built-in ones that may vouch for it.
    pub fn new(
        host: String,
        port: u16,
        security: Security,
        login: Option<(String, SecretString)>,
        timeout: Duration,
        extra_ca_file: Option<&Path>,
    ) -> Result<Self, ServerError> {
        let mut tls = TlsParameters::builder(host.clone()).set_min_tls_version(TlsVersion::Tlsv12);
        if let Some(path) = extra_ca_file {
            let failed = || ServerError::Authorities(path.display().to_string());
            let pem = std::fs::read(path).map_err(|_| failed())?;
            tls = tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| failed())?);
        }
        let tls = tls.build_rustls().map_err(|_| ServerError::Name)?;
        Ok(Self { host, port, security, login, timeout, tls })
    }
}

/// The address in a text, if it is one; with a name around it where `Name <address>` is written.
#[must_use]
pub fn mailbox(text: &str) -> Option<Mailbox> {
    text.trim().parse().ok()
}

/// The domain of an address.
#[must_use]
pub fn domain(mailbox: &Mailbox) -> &str {
    mailbox.email.domain()
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handed {
    /// The server answers for it now.
    Taken,
    /// It surely has it not. `is_the_servers`: no other mail would fare better.
    NotTaken { problem: Problem, is_the_servers: bool },
    /// The connection ended while its answer was waited for.
    Unknown,
}

/// A mail on its way.
pub struct Outgoing<'a> {
    pub from: &'a Mailbox,
    pub to: &'a Address,
    pub message_id: &'a str,
    pub at: Timestamp,
    pub rendered: &'a Rendered,
}

/// The bytes of a mail: the same for the same mail.
pub fn bytes(mail: &Outgoing<'_>) -> Result<Vec<u8>, Problem> {
    // What separates the parts is told by the mail itself, and occurs in no text.
    let boundary: String = mail.message_id.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let auto = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(boundary)
        .singlepart(SinglePart::plain(mail.rendered.text.clone()))
        .singlepart(SinglePart::html(mail.rendered.html.clone()));
    let message = Message::builder()
        .from(mail.from.clone())
        .to(Mailbox::new(None, mail.to.clone()))
        .subject(mail.rendered.subject.clone())
        .message_id(Some(mail.message_id.to_owned()))
        .date(mail.at.into())
        .raw_header(auto)
        .multipart(parts)
        .map_err(|_| Problem::Unreadable)?;
    Ok(message.formatted())
}

/// A connection that is kept for the next mail.
pub struct Post {
    server: Server,
    open: Option<SmtpConnection>,
}

impl Post {
    /// Nobody is called yet.
    #[must_use]
    pub fn new(server: Server) -> Self {
        Self { server, open: None }
    }

    /// Hands one mail to the server.
    pub fn hand_over(&mut self, from: &Address, to: &Address, message: &[u8]) -> Handed {
        let is_kept = self.open.is_some();
        let handed = self.try_once(from, to, message);
        let is_stale = matches!(&handed, Handed::NotTaken { problem: Problem::Cut, .. });
        if is_kept && is_stale { self.try_once(from, to, message) } else { handed }
    }

    /// Whether the server can be talked to, as far as a mail: name, TLS, and login.
    pub fn greet(&mut self) -> Result<(), Problem> {
        self.open = None;
        self.open = Some(self.server.connect()?);
        Ok(())
    }

    /// Ends the connection, if there is one.
    pub fn hang_up(&mut self) {
        if let Some(mut connection) = self.open.take() {
            // Whether it was heard changes nothing.
            let _ = connection.quit();
        }
    }

    fn try_once(&mut self, from: &Address, to: &Address, message: &[u8]) -> Handed {
        let mut connection = match self.open.take() {
            Some(connection) => connection,
            None => match self.server.connect() {
                Ok(connection) => connection,
                Err(problem) => return Handed::NotTaken { problem, is_the_servers: true },
            },
        };
        let handed = converse(&mut connection, from, to, message);
        let is_good = match &handed {
            Handed::Taken => true,
            Handed::NotTaken { is_the_servers: false, .. } => connection.command(Rset).is_ok(),
            Handed::NotTaken { .. } | Handed::Unknown => false,
        };
        if is_good {
            self.open = Some(connection);
        } else {
            connection.abort();
        }
        handed
    }
}

impl Server {
    fn connect(&self) -> Result<SmtpConnection, Problem> {
        let hello = ClientId::default();
        let wrapped = (self.security == Security::Tls).then_some(&self.tls);
        let place = (self.host.as_str(), self.port);
        let mut connection =
            SmtpConnection::connect(place, Some(self.timeout), &hello, wrapped, None).map_err(|error| {
                told(&error).unwrap_or(if is_tls(&error) { Problem::Tls } else { Problem::Unreachable })
            })?;
        if self.security == Security::StartTls {
            if !connection.can_starttls() {
                connection.abort();
                return Err(Problem::NoStarttls);
            }
            connection.starttls(&self.tls, &hello).map_err(|error| told(&error).unwrap_or(Problem::Tls))?;
        }
        if let Some((user, password)) = &self.login {
            let login = Credentials::new(user.clone(), password.expose_secret().to_owned());
            if let Err(error) = connection.auth(&[Mechanism::Plain, Mechanism::Login], &login) {
                connection.abort();
                return Err(Problem::Login { code: code(&error), words: words(&error) });
            }
        }
        Ok(connection)
    }
}

fn converse(connection: &mut SmtpConnection, from: &Address, to: &Address, message: &[u8]) -> Handed {
    let mut options = Vec::new();
    if [from, to].into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let words = "SMTPUTF8".to_owned();
            return Handed::NotTaken { problem: Problem::Refused { code: 553, words }, is_the_servers: false };
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    // That we may not send as this sender is true of every mail.
    if let Err(error) = connection.command(Mail::new(Some(from.clone()), options)) {
        return Handed::NotTaken { problem: told(&error).unwrap_or(Problem::Cut), is_the_servers: true };
    }
    let begun = connection.command(Rcpt::new(to.clone(), Vec::new())).and_then(|_| connection.command(Data));
    if let Err(error) = begun {
        return not_taken(&error, Problem::Cut);
    }
    match connection.message(message) {
        Ok(_) => Handed::Taken,
        // An answer that is a no is an answer; all else leaves us without one.
        Err(error) if error.status().is_some() => not_taken(&error, Problem::InDoubt),
        Err(_) => Handed::Unknown,
    }
}

fn not_taken(error: &Error, otherwise: Problem) -> Handed {
    const CLOSING: u16 = 421;
    let problem = told(error).unwrap_or(otherwise);
    let is_the_servers = match &problem {
        Problem::Later { code, .. } => *code == CLOSING,
        Problem::Refused { .. } => false,
        Problem::Unreachable
        | Problem::Tls
        | Problem::NoStarttls
        | Problem::Login { .. }
        | Problem::Cut
        | Problem::InDoubt
        | Problem::Unreadable
        | Problem::Forgotten
        | Problem::Off => true,
    };
    Handed::NotTaken { problem, is_the_servers }
}

/// What the server said, if it said no.
fn told(error: &Error) -> Option<Problem> {
    let code = code(error)?;
    let words = words(error);
    Some(if error.is_permanent() { Problem::Refused { code, words } } else { Problem::Later { code, words } })
}

fn code(error: &Error) -> Option<u16> {
    error.status().and_then(|code| code.to_string().parse().ok())
}

/// The server's words, short, and without anybody's address.
fn words(error: &Error) -> String {
    let said = if error.status().is_some() { error.source().map(ToString::to_string) } else { None };
    let said = said.unwrap_or_default();
    let clean = said.split_whitespace().map(|word| if word.contains('@') { "…" } else { word });
    clean.collect::<Vec<_>>().join(" ").chars().filter(|letter| !letter.is_control()).take(LONGEST_WORDS).collect()
}

/// Whether TLS failed somewhere below: the handshake happens with the first byte that is read.
fn is_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(below) = cause {
        let inner = below.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if below.is::<rustls::Error>() || inner.is_some_and(|inner| inner.is::<rustls::Error>()) {
            return true;
        }
        cause = below.source();
    }
    error.is_tls()
}

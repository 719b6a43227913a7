//! What the owner of the machine decides: one TOML file, single keys overlaid from the environment, defaults in code.
//!
//! A `Config` that exists is usable: types, bounds and the rules between keys were checked by [`load`]. Every complaint
//! names the key, the value and what to write instead. An empty text means "not set". Durations are whole milliseconds.
//! No secret is ever in here, only paths of files (`…_file`); what merchants decide is in the database.

pub mod keys;
pub mod network;

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    fs, io,
    net::IpAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};
use tracing_subscriber::filter::{LevelFilter, Targets};

use keys::{Acme, Alerts, Backup, Daftra, Data, Engine, Http, Log, Mail, MailSecurity, Outgoing, Retention, Vault};

/// The effective configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where everything is kept.
    pub data: Data,
    /// The side we serve.
    pub http: Http,
    /// The certificate that is got and renewed by itself.
    pub acme: Acme,
    /// The master key.
    pub vault: Vault,
    /// Copies of the database.
    pub backup: Backup,
    /// How we call Daftra.
    pub daftra: Daftra,
    /// How orders are worked on.
    pub engine: Engine,
    /// What is worth an alert.
    pub alerts: Alerts,
    /// Who takes our mails.
    pub mail: Mail,
    /// What is kept for how long.
    pub retention: Retention,
    /// Where calls may go.
    pub outgoing: Outgoing,
    /// What is written to the log.
    pub log: Log,
    #[serde(skip)]
    origins: BTreeMap<String, Origin>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File,
    /// This environment variable.
    Environment(String),
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("The configuration file {} cannot be read: {source}; name a readable file or start without one", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{}, line {line} is not valid TOML: {message}; correct the line", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A key that does not exist. Its value stays unsaid: it may be a secret in the wrong place.
    #[error("There is no key {key} ({origin}): use one of {known}")]
    Unknown {
        /// The key as `section.key`.
        key: String,
        /// Where it stands.
        origin: Origin,
        /// The keys that do exist there.
        known: String,
    },
    /// A value that cannot be.
    #[error("{key} is {value} ({origin}): {remedy}")]
    Value {
        /// The key as `section.key`.
        key: String,
        /// The value as TOML.
        value: String,
        /// Where it stands.
        origin: Origin,
        /// What to write instead.
        remedy: String,
    },
}

const ENVIRONMENT_PREFIX: &str = "QANTARA__";
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";
const CREDENTIAL: &str = "qantara.key";
/// The port that an address of the web need not name.
const HTTPS: u16 = 443;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const TIB: u64 = 1 << 40;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 3_600 * SECOND;

/// Reads the file, lays the environment over it and checks the result. Without a file everything is default.
///
/// `QANTARA__HTTP__LISTEN=…` sets `http.listen`; a list is separated by commas.
pub fn load(path: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Config, Error> {
    let mut draft = Draft::of_defaults();
    if let Some(path) = path {
        draft.lay_file_over(path)?;
    }
    let mut credential = None;
    for (name, text) in env {
        if let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) {
            draft.lay_variable_over(&name, &key.to_lowercase().replacen("__", ".", 1), &text)?;
        } else if name == CREDENTIALS_DIRECTORY {
            credential = Some(Path::new(&text).join(CREDENTIAL)).filter(|file| file.is_file());
        }
    }
    if let Some(file) = credential {
        let value = Value::String(file.display().to_string());
        draft.set("vault.key_file", value, Origin::Environment(CREDENTIALS_DIRECTORY.into()))?;
    }
    let config = draft.finish()?;
    config.check()?;
    Ok(config)
}

impl Config {
    /// Whether the port that is listened on speaks TLS.
    pub fn serves_https(&self) -> bool {
        self.http.certificate_file.is_some() || self.acme.is_on()
    }

    /// Where browsers and shops reach a server at this address, as far as the configuration knows.
    pub fn public_origin(&self, address: std::net::SocketAddr) -> String {
        if let Some(address) = &self.http.public_address {
            return address.clone();
        }
        match self.acme.domains.first() {
            Some(domain) if address.port() == HTTPS => format!("https://{domain}"),
            Some(domain) => format!("https://{domain}:{}", address.port()),
            None if self.serves_https() => format!("https://{address}"),
            None => format!("http://{address}"),
        }
    }

    /// Where backups go.
    pub fn backup_folder(&self) -> PathBuf {
        self.backup.folder.clone().unwrap_or_else(|| self.data.folder.join("backups"))
    }

    /// Every key with its effective value as TOML and where that comes from.
    pub fn explain(&self) -> Vec<(String, String, Origin)> {
        let mut lines = Vec::new();
        for (section, keys) in table_of(self) {
            for (key, value) in keys.as_table().into_iter().flatten() {
                let key = format!("{section}.{key}");
                let origin = self.origin(&key);
                lines.push((key, value.to_string(), origin));
            }
        }
        lines
    }

    fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    fn check(&self) -> Result<(), Error> {
        self.check_bounds()?;
        self.check_http()?;
        self.check_acme()?;
        self.check_alerts()?;
        self.check_mail()?;
        self.check_log()
    }

    fn check_bounds(&self) -> Result<(), Error> {
        let Self { data, http, backup, daftra, engine, alerts, retention, .. } = self;
        self.within("data.min_free_bytes", data.min_free_bytes, 0..=TIB)?;
        self.within("http.max_body_bytes", http.max_body_bytes, 64 * KIB..=64 * MIB)?;
        self.within("http.read_timeout_ms", http.read_timeout_ms, 100..=60 * SECOND)?;
        self.within("http.bodies_in_memory_bytes", http.bodies_in_memory_bytes, http.max_body_bytes..=2048 * MIB)?;
        self.within("http.max_connections", http.max_connections, 1..=65_536)?;
        if backup.every_ms != 0 {
            self.within("backup.every_ms", backup.every_ms, MINUTE..=31 * 24 * HOUR)?;
        }
        self.within("backup.keep", backup.keep, 1..=10_000)?;
        self.within("backup.keep_days", backup.keep_days, 0..=3_650)?;
        self.within("daftra.call_timeout_ms", daftra.call_timeout_ms, 50..=300 * SECOND)?;
        self.within("daftra.connect_timeout_ms", daftra.connect_timeout_ms, 10..=120 * SECOND)?;
        self.within("daftra.settling_ms", daftra.settling_ms, 2 * daftra.call_timeout_ms..=24 * HOUR)?;
        self.within("daftra.look_ups", daftra.look_ups, 2..=10)?;
        self.within("daftra.look_up_gap_ms", daftra.look_up_gap_ms, 1..=24 * HOUR)?;
        self.within("daftra.pace_ms", daftra.pace_ms, 0..=60 * SECOND)?;
        self.within("daftra.calls_at_once", daftra.calls_at_once, 1..=16)?;
        self.within("daftra.look_up_page", daftra.look_up_page, 1..=1_000)?;
        self.within("daftra.max_answer_bytes", daftra.max_answer_bytes, 64 * KIB..=256 * MIB)?;
        self.within("engine.workers", engine.workers, 1..=256)?;
        self.within("engine.max_failures", engine.max_failures, 1..=100)?;
        self.within("engine.retry_first_ms", engine.retry_first_ms, 1..=HOUR)?;
        self.within("engine.retry_longest_ms", engine.retry_longest_ms, engine.retry_first_ms..=24 * HOUR)?;
        self.within("engine.breaker_after", engine.breaker_after, 1..=1_000)?;
        self.within("engine.breaker_first_ms", engine.breaker_first_ms, 1..=HOUR)?;
        self.within("engine.breaker_longest_ms", engine.breaker_longest_ms, engine.breaker_first_ms..=24 * HOUR)?;
        self.within("engine.trouble_probe_ms", engine.trouble_probe_ms, 1..=24 * HOUR)?;
        self.within("engine.max_operations_per_run", engine.max_operations_per_run, 1..=1_000)?;
        self.within("engine.product_miss_ms", engine.product_miss_ms, 0..=24 * HOUR)?;
        self.within("engine.product_age_ms", engine.product_age_ms, 1..=30 * 24 * HOUR)?;
        // Three beats that stay away are too long a silence for the unit's watchdog.
        self.within("engine.heartbeat_ms", engine.heartbeat_ms, 10..=MINUTE)?;
        self.within("engine.heartbeat_gap_ms", engine.heartbeat_gap_ms, 2 * engine.heartbeat_ms..=24 * HOUR)?;
        self.within("engine.stop_grace_ms", engine.stop_grace_ms, 0..=10 * 60 * SECOND)?;
        self.within("alerts.every_ms", alerts.every_ms, 10..=HOUR)?;
        self.within("alerts.in_doubt_ms", alerts.in_doubt_ms, SECOND..=30 * 24 * HOUR)?;
        self.within("alerts.hold_ms", alerts.hold_ms, SECOND..=365 * 24 * HOUR)?;
        self.within("alerts.queue_age_ms", alerts.queue_age_ms, SECOND..=24 * HOUR)?;
        self.within("alerts.clock_ms", alerts.clock_ms, 10 * SECOND..=24 * HOUR)?;
        self.within("alerts.settle_ms", alerts.settle_ms, 0..=24 * HOUR)?;
        self.within("alerts.remind_ms", alerts.remind_ms, MINUTE..=31 * 24 * HOUR)?;
        for (key, days) in [
            ("retention.bodies_days", retention.bodies_days),
            ("retention.buyers_days", retention.buyers_days),
            ("retention.orders_days", retention.orders_days),
            ("retention.calls_days", retention.calls_days),
            ("retention.mails_days", retention.mails_days),
            ("retention.log_days", retention.log_days),
            ("retention.closed_days", retention.closed_days),
        ] {
            self.within(key, days, 0..=36_500)?;
        }
        Ok(())
    }

    fn check_http(&self) -> Result<(), Error> {
        let http = &self.http;
        let has_certificate = match (&http.certificate_file, &http.certificate_key_file) {
            (Some(_), Some(_)) => true,
            (None, None) => false,
            (Some(_), None) => {
                return Err(self.error("http.certificate_key_file", "\"\"", "name the certificate's key"));
            }
            (None, Some(_)) => return Err(self.error("http.certificate_file", "\"\"", "name the key's certificate")),
        };
        let is_protected = has_certificate || self.acme.is_on() || http.listen.ip().to_canonical().is_loopback();
        if !is_protected && http.trusted_proxies.is_empty() && !http.allow_plain_http {
            let remedy = "beyond loopback this would be plain HTTP: name the server in acme.domains, or \
                          http.certificate_file and http.certificate_key_file, or the proxy in http.trusted_proxies, \
                          or set http.allow_plain_http = true";
            return Err(self.error("http.listen", http.listen, remedy));
        }
        match &http.public_address {
            Some(address) if !is_origin(address) => {
                let remedy = "write scheme and host only, for example https://orders.example.com";
                Err(self.error("http.public_address", address, remedy))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_acme(&self) -> Result<(), Error> {
        let acme = &self.acme;
        if !acme.is_on() {
            return Ok(());
        }
        let domains = acme.domains.join(", ");
        if self.http.certificate_file.is_some() {
            let remedy = "http.certificate_file is set, too: keep one of them, the other would never be used";
            return Err(self.error("acme.domains", domains, remedy));
        }
        if let Some(name) = acme.domains.iter().find(|name| !is_host(name)) {
            let remedy = "write names only, in small ASCII letters (xn--… for others), without scheme, port or *; \
                          addresses get no certificate";
            return Err(self.error("acme.domains", name, remedy));
        }
        let is_plain = |address: &&String| !address.starts_with("https://");
        if let Some(address) = self.http.public_address.as_ref().filter(is_plain) {
            let remedy = "acme.domains turns HTTPS on: begin with https://, or empty one of them";
            return Err(self.error("http.public_address", address, remedy));
        }
        if !acme.agree_to_terms {
            let remedy = "read the terms of the certificate authority (https://letsencrypt.org/repository/) and say \
                          true, or empty acme.domains";
            return Err(self.error("acme.agree_to_terms", false, remedy));
        }
        if let Some(contact) = acme.contact.as_ref().filter(|contact| !is_mail_address(contact)) {
            return Err(self.error("acme.contact", contact, "write one mail address, for example owner@example.com"));
        }
        if !acme.directory.starts_with("https://") || !is_origin(authority_of(&acme.directory)) {
            let remedy = "write the https:// address of the authority's directory";
            return Err(self.error("acme.directory", &acme.directory, remedy));
        }
        Ok(())
    }

    fn check_alerts(&self) -> Result<(), Error> {
        let alerts = &self.alerts;
        if !["en", "ar"].contains(&alerts.language.as_str()) {
            return Err(self.error("alerts.language", &alerts.language, "write \"en\" or \"ar\""));
        }
        if let Some(address) = alerts.mail_to.iter().find(|address| !is_mail_address(address)) {
            return Err(self.error(
                "alerts.mail_to",
                address,
                "write mail addresses, for example [\"ops@example.com\"]",
            ));
        }
        if !alerts.mail_to.is_empty() && self.mail.server.is_none() {
            let remedy = "there is no mail server: name it in mail.server, or empty the list";
            return Err(self.error("alerts.mail_to", alerts.mail_to.join(", "), remedy));
        }
        if TimeZone::get(&alerts.time_zone).is_err() {
            let remedy = "write the name of a time zone, for example Asia/Riyadh";
            return Err(self.error("alerts.time_zone", &alerts.time_zone, remedy));
        }
        match (&alerts.telegram_token_file, &alerts.telegram_chat) {
            (Some(_), None) => {
                let remedy = "name the chat in which the bot of alerts.telegram_token_file speaks, or empty both";
                return Err(self.error("alerts.telegram_chat", "\"\"", remedy));
            }
            (None, Some(chat)) => {
                let remedy = "name the file with the bot's token in alerts.telegram_token_file, or empty both";
                return Err(self.error("alerts.telegram_chat", chat, remedy));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if !is_origin(&alerts.telegram_address) {
            let remedy = "write scheme and host only, for example https://api.telegram.org";
            return Err(self.error("alerts.telegram_address", &alerts.telegram_address, remedy));
        }
        match (&alerts.webhook_url, &alerts.webhook_secret_file) {
            (Some(url), _) if !is_origin(authority_of(url)) => {
                Err(self.error("alerts.webhook_url", authority_of(url), "write an address that begins with https://"))
            }
            (Some(_), None) => {
                let remedy = "name the file with the secret (whsec_…) that signs what goes to alerts.webhook_url";
                Err(self.error("alerts.webhook_secret_file", "\"\"", remedy))
            }
            (None, Some(file)) => {
                let remedy = "write the address in alerts.webhook_url, or empty both";
                Err(self.error("alerts.webhook_secret_file", file.display(), remedy))
            }
            (Some(_), Some(_)) | (None, None) => Ok(()),
        }
    }

    fn check_mail(&self) -> Result<(), Error> {
        let mail = &self.mail;
        self.within("mail.port", mail.port, 1..=u16::MAX)?;
        self.within("mail.timeout_ms", mail.timeout_ms, 100..=10 * MINUTE)?;
        self.within("mail.retry_first_ms", mail.retry_first_ms, SECOND..=HOUR)?;
        self.within("mail.retry_longest_ms", mail.retry_longest_ms, mail.retry_first_ms..=24 * HOUR)?;
        self.within("mail.give_up_ms", mail.give_up_ms, MINUTE..=14 * 24 * HOUR)?;
        let Some(server) = &mail.server else { return Ok(()) };
        let address = server.parse::<IpAddr>();
        if address.is_err() && !is_host(&server.to_lowercase()) {
            let remedy = "write a name or an address without scheme and port, for example smtp.example.com";
            return Err(self.error("mail.server", server, remedy));
        }
        let is_here = server == "localhost" || address.is_ok_and(|ip| ip.to_canonical().is_loopback());
        if mail.security == MailSecurity::None && !is_here {
            let remedy = "beyond this machine mails and the password would be readable: write \"starttls\" or \"tls\"";
            return Err(self.error("mail.security", "none", remedy));
        }
        match (&mail.user, &mail.password_file) {
            (Some(_), None) => {
                return Err(self.error("mail.password_file", "\"\"", "name the file of the user's password"));
            }
            (None, Some(_)) => {
                return Err(self.error("mail.user", "\"\"", "name the user whose password the file holds"));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        match &mail.from {
            Some(from) if is_mail_address(from.rsplit('<').next().unwrap_or_default().trim_end_matches('>')) => Ok(()),
            Some(_) | None => {
                let remedy = "write who sends, for example orders@example.com or Orders <orders@example.com>";
                Err(self.error("mail.from", mail.from.as_deref().unwrap_or("\"\""), remedy))
            }
        }
    }

    fn check_log(&self) -> Result<(), Error> {
        let filter = &self.log.filter;
        // Targets takes a bare word for a target, so that a misspelt level would silence everything else.
        let words_are_levels =
            filter.split(',').all(|item| item.contains('=') || item.trim().parse::<LevelFilter>().is_ok());
        if words_are_levels && filter.parse::<Targets>().is_ok() {
            return Ok(());
        }
        Err(self.error("log.filter", filter, "write a level or pairs, for example info or info,qantara=debug"))
    }

    fn within<T: PartialOrd + Display>(&self, key: &str, value: T, bounds: RangeInclusive<T>) -> Result<(), Error> {
        if bounds.contains(&value) {
            return Ok(());
        }
        Err(self.error(key, value, &format!("write a number from {} to {}", bounds.start(), bounds.end())))
    }

    fn error(&self, key: &str, value: impl Display, remedy: &str) -> Error {
        Error::Value { key: key.into(), value: value.to_string(), origin: self.origin(key), remedy: remedy.into() }
    }
}

/// The configuration while it is put together: all keys with their defaults, some of them replaced.
struct Draft {
    table: Table,
    origins: BTreeMap<String, Origin>,
}

impl Draft {
    fn of_defaults() -> Self {
        Self { table: table_of(&Config::default()), origins: BTreeMap::new() }
    }

    fn lay_file_over(&mut self, path: &Path) -> Result<(), Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
        let file: Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            Error::Syntax { path: path.into(), line, message: error.message().into() }
        })?;
        for (section, keys) in file {
            // An empty section is judged, too: a misspelt one must not pass in silence.
            let (Value::Table(keys), true) = (keys, self.table.contains_key(&section)) else {
                return Err(self.unknown(&section, Origin::File));
            };
            for (key, value) in keys {
                self.set(&format!("{section}.{key}"), value, Origin::File)?;
            }
        }
        Ok(())
    }

    fn lay_variable_over(&mut self, name: &str, key: &str, text: &str) -> Result<(), Error> {
        let origin = Origin::Environment(name.into());
        let Some(slot) = self.slot(key) else { return Err(self.unknown(key, origin)) };
        // A text that does not fit stays a text: the one check of types below complains about it.
        let value = match slot {
            Value::Integer(_) => text.parse().map_or_else(|_| text.into(), Value::Integer),
            Value::Boolean(_) => text.parse().map_or_else(|_| text.into(), Value::Boolean),
            Value::Array(_) => {
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Vec<_>>().into()
            }
            Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => text.into(),
        };
        self.set(key, value, origin)
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) -> Result<(), Error> {
        let Some(slot) = self.slot(key) else { return Err(self.unknown(key, origin)) };
        *slot = value;
        self.origins.insert(key.into(), origin);
        Ok(())
    }

    fn slot(&mut self, key: &str) -> Option<&mut Value> {
        let (section, key) = key.split_once('.')?;
        self.table.get_mut(section)?.as_table_mut()?.get_mut(key)
    }

    fn unknown(&self, key: &str, origin: Origin) -> Error {
        let section = key.split_once('.').and_then(|(section, _)| self.table.get(section)?.as_table());
        let known = section.unwrap_or(&self.table).keys().cloned().collect::<Vec<_>>().join(", ");
        Error::Unknown { key: key.into(), origin, known }
    }

    fn finish(mut self) -> Result<Config, Error> {
        match serde_path_to_error::deserialize::<_, Config>(Value::Table(self.table.clone())) {
            Ok(config) => Ok(Config { origins: self.origins, ..config }),
            Err(error) => {
                // The path of an item in a list ends in its number; the key is what stands before it.
                let path = error.path().to_string();
                let key = path.split_once('[').map_or(path.as_str(), |(key, _)| key).to_string();
                let value = self.slot(&key).map(|slot| slot.to_string()).unwrap_or_default();
                let origin = self.origins.remove(&key).unwrap_or(Origin::Default);
                let remedy = remedy(&key).map_or_else(|| error.inner().to_string(), str::to_string);
                Err(Error::Value { key, value, origin, remedy: remedy.trim().into() })
            }
        }
    }
}

/// What to write where the type alone does not say it.
fn remedy(key: &str) -> Option<&'static str> {
    match key {
        "http.listen" => Some("write an address with a port, for example 0.0.0.0:8080"),
        "acme.listen" => Some("write an address with a port, for example 0.0.0.0:80"),
        "mail.security" => Some("write \"starttls\", \"tls\" or, for a server on this machine, \"none\""),
        "log.format" => Some("write \"text\" or \"json\""),
        _ if key.ends_with("_ms") => Some("write whole milliseconds, for example 30000"),
        _ if key.ends_with("_days") => Some("write whole days, for example 90"),
        _ if key.ends_with("_bytes") => Some("write a whole number of bytes, for example 4194304"),
        _ if key.ends_with("_file") || key == "data.folder" => Some("write a path in quotes"),
        _ => None,
    }
}

fn is_origin(address: &str) -> bool {
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/?#@".contains(c)))
}

/// Scheme and host of an address.
fn authority_of(address: &str) -> &str {
    let host_at = address.find("://").map_or(0, |at| at + 3);
    let end = address[host_at..].find(['/', '?', '#']).map_or(address.len(), |at| host_at + at);
    &address[..end]
}

/// Something at something, and one of it.
fn is_mail_address(address: &str) -> bool {
    let halves = address.split_once('@');
    halves.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !address.contains(|c: char| c.is_whitespace() || ":,<>".contains(c))
}

/// A name that a certificate can carry and the public can look up. A last label of digits would be an address.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|b| b.is_ascii_digit())
}

fn table_of(config: &Config) -> Table {
    Table::try_from(config).expect("a Config consists of sections with plain values, which TOML can hold")
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("file"),
            Self::Environment(name) => write!(f, "environment {name}"),
        }
    }
}

//! Every key of the configuration with its meaning and its default. `config.example.toml` says the same to operators,
//! and a test holds the two together. Bounds are checked in the parent.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    HOUR, MIB, SECOND,
    network::{Exception, Network},
};

/// `[data]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Database, lock, local socket and backups.
    pub folder: PathBuf,
    /// With less room than this nothing new is begun; 0 begins everything.
    pub min_free_bytes: u64,
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: "/var/lib/qantara".into(), min_free_bytes: 256 * MIB as u64 }
    }
}

/// `[http]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Scheme and host under which Shopify and browsers reach us.
    #[serde(with = "optional")]
    pub public_address: Option<String>,
    /// PEM chain; with the key it turns HTTPS on.
    #[serde(with = "optional")]
    pub certificate_file: Option<PathBuf>,
    /// PEM key of the certificate.
    #[serde(with = "optional")]
    pub certificate_key_file: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// The operator's word that plain HTTP beyond loopback is meant.
    pub allow_plain_http: bool,
    /// Largest request body; more is answered 413.
    pub max_body_bytes: usize,
    /// Time to receive one request.
    pub read_timeout_ms: u64,
    /// Bodies of all running requests together; more is answered 503.
    pub bodies_in_memory_bytes: usize,
    /// Open connections; more wait to be accepted.
    pub max_connections: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_address: None,
            certificate_file: None,
            certificate_key_file: None,
            trusted_proxies: Vec::new(),
            allow_plain_http: false,
            max_body_bytes: 4 * MIB,
            read_timeout_ms: 5 * SECOND,
            bodies_in_memory_bytes: 64 * MIB,
            max_connections: 1_024,
        }
    }
}

/// `[acme]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acme {
    /// The names of the certificate that is asked for; none: it is not asked for.
    pub domains: Vec<String>,
    /// Whom the authority may write to.
    #[serde(with = "optional")]
    pub contact: Option<String>,
    /// Where the certificate authority tells its addresses.
    pub directory: String,
    /// The operator's word that the authority's terms are agreed to.
    pub agree_to_terms: bool,
    /// PEM certificates that the authority's own HTTPS may be signed by, beside the built-in ones.
    #[serde(with = "optional")]
    pub extra_ca_file: Option<PathBuf>,
    /// Where the authority's question is answered over plain HTTP; from outside it must be port 80.
    pub listen: SocketAddr,
}

impl Acme {
    /// Whether a certificate is got by itself.
    pub fn is_on(&self) -> bool {
        !self.domains.is_empty()
    }
}

impl Default for Acme {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            contact: None,
            directory: "https://acme-v02.api.letsencrypt.org/directory".into(),
            agree_to_terms: false,
            extra_ca_file: None,
            listen: SocketAddr::from(([0, 0, 0, 0], 80)),
        }
    }
}

/// `[vault]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The master key; a systemd credential named `qantara.key` wins over it.
    pub key_file: PathBuf,
}

impl Default for Vault {
    fn default() -> Self {
        Self { key_file: "/etc/qantara/qantara.key".into() }
    }
}

/// `[backup]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Where backups go; not set: `backups` in the data folder.
    #[serde(with = "optional")]
    pub folder: Option<PathBuf>,
    /// How often one is made; 0: never.
    pub every_ms: u64,
    /// Most of them that are kept.
    pub keep: usize,
    /// Age at which one is deleted; 0: never.
    pub keep_days: u32,
}

impl Default for Backup {
    fn default() -> Self {
        Self { folder: None, every_ms: 24 * HOUR, keep: 14, keep_days: 30 }
    }
}

/// `[daftra]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daftra {
    /// A whole call, from name resolution to the last byte of the answer.
    pub call_timeout_ms: u64,
    /// Name resolution, and then connecting with TLS.
    pub connect_timeout_ms: u64,
    /// How long a lost call may still be executed, hence when looking for it begins to mean something.
    pub settling_ms: u64,
    /// Look-ups that must find nothing before a document counts as absent.
    pub look_ups: u32,
    /// Time between two such look-ups.
    pub look_up_gap_ms: u64,
    /// Time between two calls to one account.
    pub pace_ms: u64,
    /// Calls to one account at the same time.
    pub calls_at_once: usize,
    /// Rows asked for per page of a list.
    pub look_up_page: u32,
    /// Largest answer that is read.
    pub max_answer_bytes: usize,
}

impl Default for Daftra {
    fn default() -> Self {
        Self {
            call_timeout_ms: 30 * SECOND,
            connect_timeout_ms: 10 * SECOND,
            settling_ms: 90 * SECOND,
            look_ups: 2,
            look_up_gap_ms: 60 * SECOND,
            pace_ms: 250,
            calls_at_once: 1,
            look_up_page: 100,
            max_answer_bytes: 16 * MIB,
        }
    }
}

/// `[engine]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Threads which work on orders.
    pub workers: usize,
    /// Failures in a row before an order waits for a person.
    pub max_failures: u32,
    /// First pause after a failure; it doubles.
    pub retry_first_ms: u64,
    /// Longest pause after a failure.
    pub retry_longest_ms: u64,
    /// Outages in a row which pause an account.
    pub breaker_after: u32,
    /// First such pause; it doubles.
    pub breaker_first_ms: u64,
    /// Longest such pause.
    pub breaker_longest_ms: u64,
    /// How often a merchant in trouble is tried.
    pub trouble_probe_ms: u64,
    /// Operations on one order in one go; more is a fault and shown as such.
    pub max_operations_per_run: u32,
    /// How long a product that was not found is not asked for again.
    pub product_miss_ms: u64,
    /// Age at which the catalogue of a merchant is read anew.
    pub product_age_ms: u64,
    /// How often we note that we live.
    pub heartbeat_ms: u64,
    /// Silence after which a start looks in Daftra before it sends.
    pub heartbeat_gap_ms: u64,
    /// Time for running requests to end when stopping.
    pub stop_grace_ms: u64,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            workers: 16,
            max_failures: 10,
            retry_first_ms: 10 * SECOND,
            retry_longest_ms: HOUR,
            breaker_after: 5,
            breaker_first_ms: 30 * SECOND,
            breaker_longest_ms: 600 * SECOND,
            trouble_probe_ms: HOUR,
            max_operations_per_run: 20,
            product_miss_ms: HOUR,
            product_age_ms: 6 * HOUR,
            heartbeat_ms: 60 * SECOND,
            heartbeat_gap_ms: 600 * SECOND,
            stop_grace_ms: 10 * SECOND,
        }
    }
}

/// `[alerts]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// How often it is looked whether something is worth an alert.
    pub every_ms: u64,
    /// A document in doubt for longer.
    pub in_doubt_ms: u64,
    /// An order held for longer.
    pub hold_ms: u64,
    /// An order due for longer, although nothing forbids to work on it; also when `/readyz` gives up on a queue that stands still.
    pub queue_age_ms: u64,
    /// Our time further from that of others, or set back by more.
    pub clock_ms: u64,
    /// A cause that stands for longer is told.
    pub settle_ms: u64,
    /// While it stands it is told again after so long.
    pub remind_ms: u64,
    /// In which language: `en` or `ar`.
    pub language: String,
    /// Who gets each alert, and the summary of each day, by mail.
    pub mail_to: Vec<String>,
    /// The time zone of those who do.
    pub time_zone: String,
    /// The token of a Telegram bot that tells of alerts.
    #[serde(with = "optional")]
    pub telegram_token_file: Option<PathBuf>,
    /// The chat in which it does: a number, or `@name` of a channel.
    #[serde(with = "optional")]
    pub telegram_chat: Option<String>,
    /// Scheme and host of Telegram's Bot API.
    pub telegram_address: String,
    /// Where each word about an alert is posted.
    #[serde(with = "optional")]
    pub webhook_url: Option<String>,
    /// The secret that signs it, as Standard Webhooks writes it: `whsec_…`.
    #[serde(with = "optional")]
    pub webhook_secret_file: Option<PathBuf>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            every_ms: 60 * SECOND,
            in_doubt_ms: HOUR,
            hold_ms: 24 * HOUR,
            queue_age_ms: 900 * SECOND,
            clock_ms: 120 * SECOND,
            settle_ms: 60 * SECOND,
            remind_ms: 24 * HOUR,
            language: "en".into(),
            mail_to: Vec::new(),
            time_zone: "Asia/Riyadh".into(),
            telegram_token_file: None,
            telegram_chat: None,
            telegram_address: "https://api.telegram.org".into(),
            webhook_url: None,
            webhook_secret_file: None,
        }
    }
}

/// `[mail]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// The name of the server that takes our mails; none: no mails.
    #[serde(with = "optional")]
    pub server: Option<String>,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: MailSecurity,
    /// Who we are to it; none: it asks nobody.
    #[serde(with = "optional")]
    pub user: Option<String>,
    /// File of the user's password.
    #[serde(with = "optional")]
    pub password_file: Option<PathBuf>,
    /// Who sends, as people read it: an address, or `Name <address>`.
    #[serde(with = "optional")]
    pub from: Option<String>,
    /// PEM certificates trusted beside the built-in ones.
    #[serde(with = "optional")]
    pub extra_ca_file: Option<PathBuf>,
    /// How long one step of the dialogue may take.
    pub timeout_ms: u64,
    /// First pause after a try that failed; it doubles.
    pub retry_first_ms: u64,
    /// Longest such pause.
    pub retry_longest_ms: u64,
    /// How old a mail may be before it is given up.
    pub give_up_ms: u64,
}

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Plain, then TLS before anything of ours is said.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Nothing; for a server on this machine.
    None,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            server: None,
            port: 587,
            security: MailSecurity::StartTls,
            user: None,
            password_file: None,
            from: None,
            extra_ca_file: None,
            timeout_ms: 30 * SECOND,
            retry_first_ms: 60 * SECOND,
            retry_longest_ms: HOUR,
            give_up_ms: 48 * HOUR,
        }
    }
}

/// `[retention]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Bodies of deliveries; 0 keeps them for ever, as everywhere here.
    pub bodies_days: u32,
    /// Who bought, whatever the order waits for.
    pub buyers_days: u32,
    /// What settled and ignored orders hold beyond their documents: snapshot, decisions, buyer.
    pub orders_days: u32,
    /// Requests to Daftra and its answers.
    pub calls_days: u32,
    /// Mails, from the day on which they were made.
    pub mails_days: u32,
    /// Rows of the sync log, and closed alerts.
    pub log_days: u32,
    /// All that a merchant had, from the day on which it was closed.
    pub closed_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            bodies_days: 90,
            buyers_days: 90,
            orders_days: 90,
            calls_days: 90,
            mails_days: 90,
            log_days: 730,
            closed_days: 90,
        }
    }
}

/// `[outgoing]`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// Private destinations, and destinations without TLS, that may be called all the same.
    pub allow: Vec<Exception>,
    /// PEM certificates trusted beside the built-in ones.
    #[serde(with = "optional")]
    pub extra_ca_file: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Level, or target=level pairs separated by commas.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people and journald.
    Text,
    /// For machines: one object per line.
    Json,
}

/// TOML has no null, and a key that is missing from `explain` could not be discovered: empty means none.
mod optional {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.serialize(to),
            None => to.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, T: From<String>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(from)?;
        Ok((!text.is_empty()).then(|| T::from(text)))
    }
}

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
}

impl Default for Data {
    fn default() -> Self {
        Self { folder: "/var/lib/qantara".into() }
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

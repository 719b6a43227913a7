//! `healthcheck`: asks the server that runs with this configuration whether it is ready, for containers and scripts.
//!
//! It goes where the server listens, on this machine: whatever certificate is shown there is the server's own, perhaps for
//! another name, so it is not judged. Nothing secret is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;
use ureq::Agent;
use ureq::tls::TlsConfig;

use super::{Ended, Session};
use crate::config::Config;
use crate::config::keys::Http;

/// Longer than the server takes to find out.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Healthcheck {
    /// Ask only whether the process answers, not whether it can do its work
    #[arg(long)]
    live: bool,
}

impl Healthcheck {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let config = session.config()?;
        let asked = ask(&config, if self.live { "livez" } else { "readyz" })?;
        session.out.say(&json!({ "ok": true, "asked": asked.url }), || "ok".to_owned())?;
        Ok(Ended::Fine)
    }
}

/// A server of this machine that answered well.
pub(super) struct Well {
    pub(super) url: String,
    /// Tells this run of the server from others.
    pub(super) run: Option<String>,
}

/// Asks the server of this configuration where it listens.
pub(super) fn ask(config: &Config, probe: &str) -> anyhow::Result<Well> {
    let scheme = if config.serves_https() { "https" } else { "http" };
    let url = format!("{scheme}://{}/{probe}", address(&config.http)?);
    let answer = agent().get(&url).call().with_context(|| format!("{url} does not answer: is the server running?"))?;
    if !answer.status().is_success() {
        bail!("{url} answers {}: the server's log says why it is not ready", answer.status().as_u16());
    }
    let id = answer.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    Ok(Well { url, run: id.map(run_of) })
}

/// The part of a request's id that all of one run of a server have in common.
pub(super) fn run_of(request_id: &str) -> String {
    request_id.split('-').next().unwrap_or_default().to_owned()
}

/// Where the server is reached from this machine.
fn address(http: &Http) -> anyhow::Result<SocketAddr> {
    let listen = http.listen;
    if listen.port() == 0 {
        bail!("http.listen is {listen}: the system chooses the port, so nobody can know where to ask; name a port");
    }
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    Ok(SocketAddr::new(ip, listen.port()))
}

fn agent() -> Agent {
    Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .tls_config(TlsConfig::builder().disable_verification(true).build())
        .build()
        .into()
}

//! How Shopify and browsers get here: the port, the name, and what answers under the public address.

use std::fs;
use std::net::{TcpListener, ToSocketAddrs as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{Row, Server};
use crate::cli::healthcheck;
use crate::config::Config;
use crate::config::keys;
use crate::config::network::Exception;
use crate::outgoing::{Answer, Call, Failure, Limits, Method, Outgoing};
use crate::web::upkeep;

/// Shopify gives a delivery five seconds in all.
const LIMITS: Limits = Limits {
    call_timeout: Duration::from_secs(5),
    connect_timeout: Duration::from_secs(5),
    max_answer_bytes: 64 * 1024,
};

/// Whether a server works here and is ready, or could work.
pub(super) fn server(config: &Config, server: &Server) -> Row {
    const CHECK: &str = "server";
    let listen = config.http.listen;
    match server {
        Server::Running(pid) => {
            let process = pid.map_or_else(String::new, |pid| format!(" as process {pid}"));
            if listen.port() == 0 {
                return Row::good(CHECK, format!("runs{process}; http.listen names no port, so it was not asked"));
            }
            match healthcheck::ask(config, "readyz") {
                Ok(_) => Row::good(CHECK, format!("runs{process}, listens on {listen} and is ready")),
                Err(error) => {
                    let next =
                        "journalctl -u qantara -n 30 says why; while qantara restore or rekey runs, wait for its end";
                    Row::bad(CHECK, format!("something runs{process}, but {error:#}"), next)
                }
            }
        }
        Server::Unknown(why) => Row::bad(CHECK, why, "Run it as the server's user, or as root"),
        Server::Stopped => {
            let plain = config.acme.is_on().then_some(("acme.listen", config.acme.listen));
            for (key, address) in [("http.listen", listen)].into_iter().chain(plain) {
                if let Err(error) = TcpListener::bind(address) {
                    let found = format!("does not run, and {key}, {address}, cannot be used: {error}");
                    let next =
                        "Stop what uses the port (ss -ltnp shows it), choose another one, or start it as the service";
                    return Row::bad(CHECK, found, next);
                }
            }
            Row::warning(CHECK, format!("does not run; {listen} is free for it"), "systemctl start qantara")
        }
    }
}

/// The certificate that the server shows: whether it is for our name, until when it is good, whether the server's user can
/// read it.
pub(super) fn certificate(config: &Config, now: Timestamp) -> Option<Row> {
    const CHECK: &str = "certificate";
    if !config.serves_https() {
        return None;
    }
    let renew = if config.acme.is_on() {
        "The server gets them by itself; its journal says what stands in the way: journalctl -u qantara -g certificate"
    } else {
        "Put the new one into the place of http.certificate_file and its key: the server sees it within a minute"
    };
    let facts = match upkeep::on_disk(config) {
        Err(unusable) => return Some(Row::bad(CHECK, unusable, renew)),
        Ok(None) => {
            return Some(Row::warning(CHECK, "none came yet: browsers and Shopify refuse the stand-in", renew));
        }
        Ok(Some(facts)) => facts,
    };
    let files = [&config.http.certificate_file, &config.http.certificate_key_file];
    if let Some(file) = files.into_iter().flatten().find(|file| is_closed_to_the_server(file, &config.data.folder)) {
        let found = format!("{} is closed to the user who owns {}", file.display(), config.data.folder.display());
        let next = "Open it to a group, and name that in a drop-in (systemctl edit qantara): SupplementaryGroups=";
        return Some(Row::bad(CHECK, found, next));
    }
    if let Some(name) = public_name(config).filter(|name| !facts.is_for(name)) {
        return Some(Row::bad(CHECK, format!("{facts}: it is not for {name}"), renew));
    }
    let days = facts.not_after.duration_since(now).as_hours().max(0) / 24;
    Some(match (now >= facts.not_after, facts.is_nearly_over(now)) {
        (true, _) => Row::bad(CHECK, format!("{facts}: it is over"), renew),
        (false, true) => Row::warning(CHECK, format!("{facts}: {days} days left"), renew),
        (false, false) => Row::good(CHECK, format!("{facts}: {days} days left")),
    })
}

/// Whether the server's user surely cannot read a file. Which groups its service was given is not known here.
fn is_closed_to_the_server(file: &Path, data: &Path) -> bool {
    let (Ok(about), Ok(folder)) = (fs::metadata(file), fs::metadata(data)) else { return false };
    let mode = about.mode();
    let is_owners = folder.uid() == 0 || (about.uid() == folder.uid() && mode & 0o400 != 0);
    !is_owners && mode & 0o044 == 0
}

/// The name under which the world knows this server.
fn public_name(config: &Config) -> Option<&str> {
    let host = config.http.public_address.as_deref()?.split("://").nth(1)?;
    Some(host.rsplit_once(':').map_or(host, |(name, _)| name))
}

/// The public address as the world sees it.
pub(super) fn from_outside(config: &Config) -> Vec<Row> {
    let Some(origin) = &config.http.public_address else {
        let next = "Set http.public_address, for example https://orders.example.com: Shopify needs it";
        return vec![Row::warning("public address", "none is set", next)];
    };
    let host = origin.split("://").nth(1).unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().unwrap_or(443)),
        None => (host, if origin.starts_with("https://") { 443 } else { 80 }),
    };
    let mut rows = vec![dns(name, port)];
    if rows[0].state == super::State::Bad {
        return rows;
    }
    rows.push(public_address(config, origin, name, port));
    rows
}

fn dns(name: &str, port: u16) -> Row {
    const CHECK: &str = "DNS";
    match (name.trim_matches(['[', ']']), port).to_socket_addrs() {
        Ok(addresses) => {
            let mut addresses: Vec<_> = addresses.map(|address| address.ip()).collect();
            addresses.dedup();
            let list = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            if addresses.iter().any(|address| address.is_loopback()) {
                let next = "Shopify cannot reach it there: point the name to this machine's public address";
                return Row::warning(CHECK, format!("{name} is {list}"), next);
            }
            Row::good(CHECK, format!("{name} is {list}"))
        }
        Err(error) => {
            let next = format!("Make an A record for {name} that points to this machine; new ones take some minutes");
            Row::bad(CHECK, format!("{name} has no address: {error}"), next)
        }
    }
}

/// Asks ourselves as Shopify does: by name, trusting nobody but the usual authorities.
fn public_address(config: &Config, origin: &str, name: &str, port: u16) -> Row {
    const CHECK: &str = "public address";
    let ask = |extra_ca_file: Option<std::path::PathBuf>| -> Result<Answer, Failure> {
        let allow = vec![Exception::Host(name.to_lowercase(), port)];
        let outgoing = Outgoing::new(&keys::Outgoing { allow, extra_ca_file })
            .map_err(|error| Failure::Unsent(error.to_string()))?;
        let url = format!("{origin}/livez");
        outgoing
            .exchange(&Call { method: Method::Get, url: &url, headers: &[], secret_header: None, body: None }, &LIMITS)
    };
    match (ask(None), &config.outgoing.extra_ca_file) {
        (Ok(answer), _) if is_another(config, &answer) => Row::bad(
            CHECK,
            format!("{origin} leads to another server of Qantara than the one that runs here"),
            "Let the name lead to this machine, and stop the other server first: two must never work for one shop",
        ),
        (Ok(answer), _) if answer.status == 200 && answer.body == b"ok" => Row::good(
            CHECK,
            format!(
                "{origin} answers{}",
                if origin.starts_with("https") { ", with a certificate that everybody trusts" } else { "" }
            ),
        ),
        (Ok(answer), _) => Row::bad(
            CHECK,
            format!("{origin}/livez answers {}, which is not this server", answer.status),
            "Point the name, or the proxy, to this server",
        ),
        (Err(why), Some(file)) if ask(Some(file.clone())).is_ok() => Row::warning(
            CHECK,
            format!("{why}; it is trusted with {} only", file.display()),
            "Shopify does not know that authority: use a certificate of a public one",
        ),
        (Err(why), _) => {
            let next = "Check that the service runs, that the firewall lets its port through, and that the chain is complete \
                        (certificate and intermediates in one file)";
            Row::bad(CHECK, why, next)
        }
    }
}

/// Whether it was not the server of this machine that answered.
fn is_another(config: &Config, answer: &Answer) -> bool {
    let here = healthcheck::ask(config, "livez").ok().and_then(|well| well.run);
    let there = answer.header("x-request-id").map(healthcheck::run_of);
    here.zip(there).is_some_and(|(here, there)| here != there)
}

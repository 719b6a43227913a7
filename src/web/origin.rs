//! Where a browser reaches us, as it says itself: for addresses that people copy from a page while nobody has configured one.
//! Only shown back to whoever asked; nothing is decided by it.

use std::net::{IpAddr, Ipv6Addr};

use hyper::HeaderMap;
use hyper::header::HOST;

use crate::config::Config;

/// Scheme and host of the request, if the host can be one.
pub(super) fn of(headers: &HeaderMap, peer: IpAddr, config: &Config) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    if !is_host(host) {
        return None;
    }
    let http = &config.http;
    let is_proxy = http.trusted_proxies.iter().any(|network| network.contains(peer.to_canonical()));
    let forwarded = headers.get("x-forwarded-proto").filter(|_| is_proxy);
    let is_tls = match forwarded {
        Some(scheme) => scheme.as_bytes().eq_ignore_ascii_case(b"https"),
        None => http.certificate_file.is_some(),
    };
    Some(format!("{}://{}", if is_tls { "https" } else { "http" }, host.to_ascii_lowercase()))
}

/// A name or an address, and a port where there is one.
fn is_host(text: &str) -> bool {
    const LONGEST: usize = 253;
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = || host.len() <= LONGEST && host.split('.').all(is_label);
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_good = inside.map_or_else(is_name, |inside| inside.parse::<Ipv6Addr>().is_ok());
    is_good && port.is_none_or(is_port)
}

//! Where a browser reaches us, as it says itself: for addresses that people copy from a page while nobody has configured one.
//! Only shown back to whoever asked; nothing is decided by it.

use std::net::Ipv6Addr;

use hyper::HeaderMap;
use hyper::header::HOST;

/// Scheme and host of the request, if the host can be one.
pub(super) fn of(headers: &HeaderMap, is_https: bool) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok().filter(|host| is_host(host))?;
    Some(format!("{}://{}", if is_https { "https" } else { "http" }, host.to_ascii_lowercase()))
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

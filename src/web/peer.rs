//! Who is really asking, and how: the peer of the socket, or what a proxy that we trust says of it. Found out once for a
//! request, so that no two parts of an answer can think differently of it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::HOST;

use crate::config::keys::Http;
use crate::config::network::Network;

/// The browser's side of a request.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    /// It came to us by HTTPS.
    pub(super) is_https: bool,
    /// It came from this machine, and nobody stands between.
    pub(super) is_local: bool,
}

/// What proxies write into what they hand on.
const BY_PROXIES: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

impl Peer {
    /// What socket and headers tell of it.
    pub(super) fn of(socket: IpAddr, is_tls: bool, headers: &HeaderMap, http: &Http) -> Self {
        Self {
            address: address(socket, headers, &http.trusted_proxies),
            is_https: is_https(is_tls, socket, headers, http),
            is_local: is_local(socket, headers, http),
        }
    }
}

/// Whether somebody on this machine asks for this machine. Not so if a proxy says that it hands something on; nor if it may be
/// one that says nothing: it comes from where a trusted one is, or we listen where nobody else could come from and are known
/// to the public; nor if the name that was asked for is not this machine's: a page of strangers can make a browser come here
/// under its own name.
fn is_local(socket: IpAddr, headers: &HeaderMap, http: &Http) -> bool {
    let peer = socket.to_canonical();
    let may_be_a_proxy = http.trusted_proxies.iter().any(|network| network.contains(peer))
        || (http.public_address.is_some() && http.listen.ip().to_canonical().is_loopback());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    peer.is_loopback()
        && !BY_PROXIES.iter().any(|name| headers.contains_key(*name))
        && !may_be_a_proxy
        && names_this_machine(host)
}

/// Whether a host, perhaps with a port, is this machine's own name or number.
fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        Some(_) | None => host,
    };
    name.eq_ignore_ascii_case("localhost") || parse(name).is_some_and(|address| address.is_loopback())
}

/// The right-most address nobody we trust has vouched for. Left of it a stranger may have written what it likes.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(client) {
            break;
        }
        // A proxy that writes no address leaves itself as the last one known.
        let Some(address) = parse(hop.trim()) else { break };
        client = address;
    }
    client
}

/// Whether the browser's side of the connection is HTTPS: it is ours, a proxy that we trust says so, or the request was
/// sent to the public address, which is one. A stranger's word does not count. Of several proxies in a row the nearest is
/// believed, which hands on what it was told: left of its word a stranger may have written another.
fn is_https(is_tls: bool, peer: IpAddr, headers: &HeaderMap, http: &Http) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|line| line.to_str().ok());
    let said = last.and_then(|line| line.rsplit(',').next()).map(str::trim);
    let peer = peer.to_canonical();
    match said.filter(|_| http.trusted_proxies.iter().any(|network| network.contains(peer))) {
        Some(scheme) => is_tls || scheme.eq_ignore_ascii_case("https"),
        None => is_tls || is_for_the_public(headers, http),
    }
}

fn is_for_the_public(headers: &HeaderMap, http: &Http) -> bool {
    let ours = http.public_address.as_deref().and_then(|address| address.strip_prefix("https://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    ours.zip(host).is_some_and(|(ours, host)| ours.eq_ignore_ascii_case(host))
}

/// The neighbourhood whose failures count together: whoever has one address of it can have the others.
pub(super) fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare = || hop.trim_start_matches('[').trim_end_matches(']').parse().ok();
    bare()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

//! Where a call may go, judged on the addresses a name really has at this moment: a name that changes its mind between
//! check and call cannot lead us inward, because only judged addresses are handed to the connector.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ureq::{
    Error,
    config::Config,
    http::{Uri, uri::Scheme},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::{before_sending, port_of};
use crate::config::network::Exception;

/// Resolves names and keeps only the addresses that may be called.
#[derive(Debug)]
pub(super) struct Guide {
    pub(super) allow: Vec<Exception>,
    pub(super) dns: DefaultResolver,
}

impl Resolver for Guide {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let candidates = self.look_up(uri, config, timeout).map_err(before_sending)?;
        let mut permitted = self.empty();
        for candidate in candidates.iter().filter(|candidate| self.permits(uri, candidate.ip())) {
            permitted.push(*candidate);
        }
        if permitted.is_empty() { Err(before_sending(refusal(uri, &candidates))) } else { Ok(permitted) }
    }
}

impl Guide {
    fn look_up(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            // Nobody need be asked; the resolver would start a thread for it.
            Ok(address) => {
                let mut literal = self.empty();
                literal.push(SocketAddr::new(address, port_of(uri)));
                Ok(literal)
            }
            Err(_) => self.dns.resolve(uri, config, timeout),
        }
    }

    fn permits(&self, uri: &Uri, address: IpAddr) -> bool {
        let is_ordinary = uri.scheme() == Some(&Scheme::HTTPS) && is_public(address);
        is_ordinary || {
            let (host, port) = (uri.host().unwrap_or_default(), port_of(uri));
            self.allow.iter().any(|exception| exception.covers(host, port, address))
        }
    }
}

fn refusal(uri: &Uri, candidates: &[SocketAddr]) -> Error {
    let inward = candidates.iter().map(SocketAddr::ip).find(|address| !is_public(*address));
    let why = match inward {
        Some(address) => format!("{address} is not a public address, and [outgoing] allow does not name it"),
        None if uri.scheme() == Some(&Scheme::HTTPS) => "the name has no address".into(),
        None => "an address without TLS must be named in [outgoing] allow; write https://".into(),
    };
    Error::Other(why.into())
}

/// Whether the address is one of the public Internet: no network of the operator, nothing reserved, also not by way of
/// an IPv6 address which carries an IPv4 address inside.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        [0 | 10 | 127, ..] => false,                   // this network, private, loopback
        [100, 64..=127, ..] => false,                  // carrier-grade NAT
        [169, 254, ..] => false,                       // link-local, cloud metadata
        [172, 16..=31, ..] => false,                   // private
        [192, 168, ..] => false,                       // private
        [192, 0, 0 | 2, _] => false,                   // protocol assignments, documentation
        [192, 88, 99, _] => false,                     // 6to4 relays, retired
        [198, 18 | 19, ..] => false,                   // benchmarks
        [198, 51, 100, _] | [203, 0, 113, _] => false, // documentation
        [224..=255, ..] => false,                      // multicast, reserved, broadcast
        _ => true,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 and 6to4 reach the IPv4 address they carry.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(carried(high, low)),
        [0x2002, high, low, ..] => is_public_v4(carried(high, low)),
        [0x2001, 0..=0x1ff, ..] => false, // protocol assignments, among them Teredo and benchmarks
        [0x2001, 0xdb8, ..] => false,     // documentation
        [0x3fff, 0..=0xfff, ..] => false, // documentation
        [0x2000..=0x3fff, ..] => true,    // global unicast
        _ => false,                       // loopback, unspecified, unique local, link-local, multicast, unassigned
    }
}

fn carried(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

//! Address ranges as an operator writes them: whom we believe (`http.trusted_proxies`) and whom we may call although
//! they are private (`outgoing.allow`).
//!
//! An IPv4 address that arrives inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address, in the range and in the question.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Network {
    base: IpAddr,
    prefix: u32,
}

impl Network {
    /// Whether the address lies in this range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4() && (bits(address) ^ bits(self.base)).leading_zeros() >= self.prefix
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("'{text}' is no network: write one like 10.0.0.0/8, fd00::/8 or 192.168.1.5");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let base = address.parse::<IpAddr>().map_err(|_| malformed())?.to_canonical();
        let width = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), str::parse).map_err(|_| malformed())?;
        if prefix > width {
            return Err(malformed());
        }
        let first = first_of(base, prefix);
        if first != base {
            return Err(format!("'{text}' starts inside the network: write {first}/{prefix}"));
        }
        Ok(Self { base, prefix })
    }
}

/// A private destination that may be called: a network, or one name with its port wherever that name leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Exception {
    /// Every address in the range, whatever name led there.
    Network(Network),
    /// The host as it stands in the URL, lower case, with the port.
    Host(String, u16),
}

impl Exception {
    /// Whether a call to this host and port, which resolved to this address, is covered.
    pub fn covers(&self, host: &str, port: u16, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(address),
            Self::Host(name, number) => *number == port && name.eq_ignore_ascii_case(host),
        }
    }
}

impl FromStr for Exception {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((host, port)) = text.rsplit_once(':')
            && let Ok(port) = port.parse()
            && !host.is_empty()
            && !host.contains('/')
            && (host.starts_with('[') || !host.contains(':'))
        {
            return Ok(Self::Host(host.to_ascii_lowercase(), port));
        }
        text.parse().map(Self::Network).map_err(|why: String| format!("{why}, or a host with a port like erp.lan:8080"))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// Left-aligned, so that a prefix counts from the same end in both families.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn first_of(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into()),
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl TryFrom<String> for Exception {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Exception> for String {
    fn from(exception: Exception) -> Self {
        exception.to_string()
    }
}

//! What a certificate says of itself, for pages, metrics and whoever waits for its end.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What is known of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// Who signed it, as RFC 4514 writes a name.
    pub issuer: String,
    /// When it begins to be valid.
    pub not_before: Timestamp,
    /// When it ceases to be.
    pub not_after: Timestamp,
    /// It names itself as its issuer: nobody trusts it who was not told to.
    pub is_self_signed: bool,
}

impl Facts {
    /// Reads them off one certificate.
    pub fn read(certificate: &CertificateDer<'_>) -> Result<Self, Unreadable> {
        let certificate = Certificate::from_der(certificate).map_err(|error| Unreadable(error.to_string()))?;
        let content = certificate.tbs_certificate();
        let validity = content.validity();
        Ok(Self {
            names: names(&certificate)?,
            issuer: content.issuer().to_string(),
            not_before: time(validity.not_before.to_unix_duration())?,
            not_after: time(validity.not_after.to_unix_duration())?,
            is_self_signed: content.issuer() == content.subject(),
        })
    }

    /// Whether nine tenths of its life are over: who renews it should have done so long ago.
    pub fn is_nearly_over(&self, now: Timestamp) -> bool {
        let life = self.not_after.duration_since(self.not_before);
        now >= self.not_after || self.not_after.duration_since(now) <= life / 10
    }

    /// Whether a browser that asks for a name takes it, which may be for all names of one level.
    pub fn is_for(&self, name: &str) -> bool {
        let parent = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        self.names.iter().any(|own| own.eq_ignore_ascii_case(name) || Some(own.to_ascii_lowercase()) == parent)
    }

    /// Whether it is for all of these names.
    pub fn covers(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.names.contains(name))
    }
}

fn names(certificate: &Certificate) -> Result<Vec<String>, Unreadable> {
    let extension = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .map_err(|error| Unreadable(error.to_string()))?;
    let listed = extension.map(|(_, names)| names.0).unwrap_or_default();
    Ok(listed.iter().filter_map(name).collect())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is X.509's; servers have names and addresses only")]
fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(address) => {
            let address = address.as_bytes();
            let v4 = || <[u8; 4]>::try_from(address).map(|bytes| Ipv4Addr::from(bytes).to_string());
            let v6 = || <[u8; 16]>::try_from(address).map(|bytes| Ipv6Addr::from(bytes).to_string());
            v4().or_else(|_| v6()).ok()
        }
        _ => None,
    }
}

fn time(since_1970: Duration) -> Result<Timestamp, Unreadable> {
    let seconds = i64::try_from(since_1970.as_secs()).ok();
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| Unreadable("its time".into()))
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { names, issuer, not_before, not_after, .. } = self;
        write!(f, "{} by {issuer}, valid from {not_before} to {not_after}", names.join(", "))
    }
}

/// It is not what X.509 calls a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no certificate that can be read ({0})")]
pub struct Unreadable(String);

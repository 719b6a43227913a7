//! HTTPS: TLS 1.2 and 1.3 with one provider given explicitly, and one certificate for every name, which can be swapped
//! while the server serves.
//!
//! A connection keeps the certificate of its handshake; the next one gets today's. Where certificates come from and when
//! they change is not known here.

pub mod facts;
pub(super) mod files;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::{ServerConfig, sign::CertifiedKey};

use facts::Facts;

/// What turns connections into TLS ones. Clones show the same certificate.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    shown: Arc<Shown>,
}

impl Tls {
    pub(super) fn new(shown: Arc<Shown>) -> Self {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring supports the versions rustls names as safe")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), shown }
    }

    /// What the certificate says that handshakes are answered with now.
    pub(super) fn facts(&self) -> Arc<Facts> {
        self.shown.pair().facts
    }
}

/// The certificate of today, whoever asks and by whatever name.
pub(super) struct Shown(RwLock<Pair>);

impl Shown {
    pub(super) fn new(pair: Pair) -> Self {
        Self(RwLock::new(pair))
    }

    /// From the next handshake on it is this one.
    pub(super) fn swap(&self, pair: Pair) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
    }

    /// What it is now.
    pub(super) fn pair(&self) -> Pair {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair().key)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shown").field(&self.pair().facts).finish()
    }
}

/// A chain with the key that it was made for, and what its first certificate says.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: Arc<Facts>,
}

impl Pair {
    /// From PEM texts, which may be one and the same.
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Unfit> {
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Unfit::Chain(format!("{error}; name a PEM file")))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| Unfit::Key(format!("{error}; name a PEM file with the private key")))?;
        Self::new(chain, key)
    }

    /// Makes sure that they belong together.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Unfit> {
        let Some(first) = chain.first() else {
            return Err(Unfit::Chain("it holds no certificate; name the PEM file of the chain".into()));
        };
        let facts = Facts::read(first)
            .map_err(|error| Unfit::Chain(format!("{error}; name a file whose first certificate is the server's")))?;
        let key = CertifiedKey::from_der(chain, key, &provider())
            .map_err(|error| Unfit::Key(format!("{error}; name the key this certificate was made for")))?;
        Ok(Self { key: Arc::new(key), facts: Arc::new(facts) })
    }

    /// Whether both would show the same chain, and hence have the same key.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What a look at where the certificate comes from found.
pub(super) enum Finding {
    Well,
    /// What is wrong, and what to do.
    Wrong(String),
    /// No news.
    Nothing,
}

/// Which half of a pair is to blame, and what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("{0}")]
    Chain(String),
    #[error("{0}")]
    Key(String),
}

/// A certificate or key that cannot be served, or a place to keep them that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {} cannot be used: {why}", path.display())]
pub struct Unusable {
    /// The key of the configuration.
    pub key: &'static str,
    /// The file it names.
    pub path: PathBuf,
    /// What is wrong and what to do.
    pub why: String,
}

impl Unusable {
    pub(super) fn new(key: &'static str, path: &Path, why: impl Into<String>) -> Self {
        Self { key, path: path.to_owned(), why: why.into() }
    }
}

//! HTTPS from two PEM files: the chain and its key. TLS 1.2 and 1.3, one provider given explicitly.
//!
//! The files are read at the start; after a renewal the service is restarted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

use crate::config::keys::Http;

const CHAIN: &str = "http.certificate_file";
const KEY: &str = "http.certificate_key_file";

/// What turns connections into TLS ones, when there is a certificate.
pub(super) fn acceptor(http: &Http) -> Result<Option<TlsAcceptor>, Unusable> {
    let (Some(chain_file), Some(key_file)) = (&http.certificate_file, &http.certificate_key_file) else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_file_iter(chain_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(CHAIN, chain_file, format!("{error}; name a PEM file")))?;
    if chain.is_empty() {
        return Err(unusable(CHAIN, chain_file, "it holds no certificate; name the PEM file of the chain".into()));
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(|error| unusable(KEY, key_file, format!("{error}; name a PEM file with the private key")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the versions rustls names as safe")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| unusable(KEY, key_file, format!("{error}; name the key this certificate was made for")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

fn unusable(key: &'static str, path: &Path, why: String) -> Unusable {
    Unusable { key, path: path.to_owned(), why }
}

/// A certificate or key that cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("{key} {} cannot be used: {why}", path.display())]
pub struct Unusable {
    /// The key of the configuration.
    pub key: &'static str,
    /// The file it names.
    pub path: PathBuf,
    /// What is wrong and what to do.
    pub why: String,
}

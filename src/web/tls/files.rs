//! A certificate from the operator's two PEM files, which somebody else renews.
//!
//! The files are read whole at each look: a few kilobytes a minute, and no trick with times or links goes unnoticed.
//! What does not load or does not fit changes nothing.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Pair, Shown, Unfit, Unusable};
use crate::config::keys::Http;

const CHAIN: &str = "http.certificate_file";
const KEY: &str = "http.certificate_key_file";

/// The two files.
pub(in crate::web) struct Files {
    chain: PathBuf,
    key: PathBuf,
}

impl Files {
    /// None are named: plain HTTP, or a certificate from elsewhere.
    pub(in crate::web) fn of(http: &Http) -> Option<Self> {
        let (chain, key) = http.certificate_file.clone().zip(http.certificate_key_file.clone())?;
        Some(Self { chain, key })
    }

    /// What is in them now.
    pub(in crate::web) fn read(&self) -> Result<Pair, Unusable> {
        let read = |key: &'static str, path: &Path| {
            fs::read(path).map_err(|error| Unusable::new(key, path, format!("{error}; name a PEM file")))
        };
        let (chain, key) = (read(CHAIN, &self.chain)?, read(KEY, &self.key)?);
        Pair::from_pem(&chain, &key).map_err(|unfit| match unfit {
            Unfit::Chain(why) => Unusable::new(CHAIN, &self.chain, why),
            Unfit::Key(why) => Unusable::new(KEY, &self.key, why),
        })
    }

    /// Shows what is in them, if that is new. The error says what somebody has to mend.
    pub(in crate::web) fn look(&self, shown: &Shown, now: Timestamp) -> Result<(), String> {
        let pair = self.read().map_err(|unusable| unusable.to_string())?;
        if !pair.is(&shown.pair()) {
            tracing::info!(certificate = %pair.facts, "A new certificate is in use");
            shown.swap(pair.clone());
        }
        if pair.facts.is_nearly_over(now) {
            let (end, file) = (pair.facts.not_after, self.chain.display());
            return Err(format!("the certificate in {file} ends at {end}: put a new one in its place"));
        }
        Ok(())
    }
}

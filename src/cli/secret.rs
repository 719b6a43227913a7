//! Secrets come from files and from standard input, never from arguments, which others can see.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use super::{is_stdin, out};
use crate::desk::Secret;

/// The secret in a file, or on standard input.
pub(super) fn read(key: &str, path: &Path) -> anyhow::Result<Secret> {
    if is_stdin(path) {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).with_context(|| format!("Cannot read {key} from standard input"))?;
        return Ok(Secret(SecretString::from(text.trim())));
    }
    let text = fs::read_to_string(path)
        .with_context(|| format!("{key} is {}: it cannot be read, name the right file", path.display()))?;
    let mode = fs::metadata(path)?.mode() & 0o777;
    if mode & 0o044 != 0 {
        out::complain(&format!("{0} can be read by others (mode {mode:04o}); run: chmod 600 {0}", path.display()));
    }
    let text = text.trim();
    if text.is_empty() {
        bail!("{key} is {}: the file is empty, put the secret into it", path.display());
    }
    Ok(Secret(SecretString::from(text)))
}

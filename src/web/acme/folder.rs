//! What is kept of the authority's: our account with its key, and the newest certificate with its own, in
//! `<data.folder>/acme`, which nobody else may read.
//!
//! Each is one file, written under another name, flushed and renamed: after a crash it is the old one or the new one,
//! and a chain never meets the key of another. No backup of the database holds them; losing them costs one order.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Our account at the authority.
pub(super) const ACCOUNT: &str = "account.json";
/// When the authority was asked in vain last, and what for.
pub(super) const FAILURE: &str = "last-failure.txt";
/// Chain and key.
pub(super) const CERTIFICATE: &str = "certificate.pem";

/// The folder.
#[derive(Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn of(data: &Path) -> Self {
        Self(data.join("acme"))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, and closes it to others.
    pub(super) fn create(&self) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.0) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made?,
        }
        fs::set_permissions(&self.0, Permissions::from_mode(0o700))
    }

    /// The text of a file; none is no error.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<String>> {
        match fs::read_to_string(self.0.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a file as a whole.
    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let draft = self.0.join(format!("{name}.new"));
        // One that a crash left behind keeps its rights; a fresh one has ours.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed?,
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, self.0.join(name))?;
        File::open(&self.0)?.sync_all()
    }

    /// What is of no use any more goes, if it is there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

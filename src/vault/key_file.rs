//! The file of the master key: one line of hex digits, or two while the key is being replaced.
//!
//! Two lines are the current key and the one before it, newest first. A file is never changed in place: the new content
//! is complete and on the disk under another name before a rename puts it there, with the owner and the rights of the
//! old one, so whoever could read the key still can, and nobody else.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};

use super::{KEY_BYTES, Key, MasterKey, random};

/// Where systemd puts the credentials of services.
const CREDENTIALS: &str = "/run/credentials";

/// What a key file holds.
pub struct Keys {
    /// Seals, and opens.
    pub current: MasterKey,
    /// Opens what was sealed before the current one came.
    pub previous: Option<MasterKey>,
}

impl MasterKey {
    /// Reads a file which nobody else can read: 32 raw bytes or 64 hex digits, or two lines of 64.
    pub fn read(path: &Path) -> Result<Keys, KeyFileError> {
        let failed = |source| KeyFileError::Unreadable { path: path.into(), source };
        // The same open file is judged and read, so it cannot be exchanged in between.
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let mode = metadata.mode() & 0o777;
        // systemd hands a credential to the service's user as root's 0440: the group bit is the mask of an access list with
        // that one user on it.
        let is_credential = mode == 0o440 && metadata.uid() == 0 && path.starts_with(CREDENTIALS);
        if mode & 0o077 != 0 && !is_credential {
            return Err(KeyFileError::Exposed { path: path.into(), mode });
        }
        // One byte more than any good file has: a wrong one is noticed and never read whole.
        const AT_MOST: usize = 2 * (2 * KEY_BYTES + "\r\n".len()) + 1;
        let mut content = SecretBox::new(Box::new(Vec::with_capacity(AT_MOST)));
        file.take(AT_MOST as u64).read_to_end(content.expose_secret_mut()).map_err(failed)?;
        parse(content.expose_secret()).ok_or_else(|| KeyFileError::Malformed { path: path.into() })
    }

    /// Writes a new key to a file that must not exist yet, readable by its owner only.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source: io::Error| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                return KeyFileError::Exists { path: path.into() };
            }
            KeyFileError::Unwritable { path: path.into(), source }
        };
        let key = Self::generate();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(key.line().expose_secret().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        // A key that is lost in a power cut takes everything it sealed with it: the folder's entry must last, too.
        sync_folder_of(path).map_err(failed)?;
        Ok(key)
    }

    /// A new key that is in no file yet.
    pub fn generate() -> Self {
        Self(Key::new(random()))
    }

    fn line(&self) -> SecretString {
        let digits: String = self.0.bytes.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect();
        SecretString::from(digits + "\n")
    }
}

/// Puts other keys, newest first, into a key file that is there. It holds either the old ones or these, whatever happens.
pub fn replace(path: &Path, keys: &[&MasterKey]) -> Result<(), KeyFileError> {
    // Behind a link lies the file itself: it is replaced, not the link.
    let path = &fs::canonicalize(path).map_err(|source| KeyFileError::Unreadable { path: path.into(), source })?;
    let failed = |source| KeyFileError::Unwritable { path: path.clone(), source };
    let next = path.with_added_extension("next");
    match fs::remove_file(&next) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let write = || {
        let old = fs::metadata(path)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(old.mode() & 0o777))?;
        keys.iter().try_for_each(|key| file.write_all(key.line().expose_secret().as_bytes()))?;
        file.sync_all()?;
        fs::rename(&next, path)?;
        sync_folder_of(path)
    };
    write().map_err(|error| {
        // Whatever key it holds is in no other file.
        let _ = fs::remove_file(&next);
        failed(error)
    })
}

/// Why there is no master key; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Missing or closed to us.
    #[error("The master key {} cannot be read: {source}; name the right file in vault.key_file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Others could have read it.
    #[error("The master key {0} is open to others (mode {mode:04o}); run: chmod 600 {0}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// No known form.
    #[error(
        "The master key {} must be 32 bytes or 64 hex digits, or two lines of 64 hex digits; \
         put the right file back from its copy",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// A key is never overwritten.
    #[error("{} exists already and may be the only key to a database; name another file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Nothing was made.
    #[error("The master key {} cannot be written: {source}; name a file in an existing folder of yours", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

fn parse(content: &[u8]) -> Option<Keys> {
    if let Ok(raw) = content.try_into() {
        return Some(Keys { current: MasterKey(Key::new(raw)), previous: None });
    }
    let mut lines = content.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let current = from_hex(lines.next()?)?;
    let previous = match lines.next() {
        Some(line) => Some(from_hex(line)?),
        None => None,
    };
    lines.next().is_none().then_some(Keys { current, previous })
}

fn from_hex(digits: &[u8]) -> Option<MasterKey> {
    let mut key = [0; KEY_BYTES];
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(MasterKey(Key::new(key)))
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

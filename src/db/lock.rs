//! Keeps a second server off a data folder.
//!
//! The operating system releases the lock when its holder dies, however it dies, so there is nothing stale to clean up;
//! the file stays and its content is only a courtesy to whoever is refused. It does not protect the database (SQLite
//! does): it protects the queue, which is worked on by one process without leases.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process;

use super::Error;

/// The name of the lock inside the data folder.
pub const FILE: &str = "qantara.lock";

/// While it lives, no other process can have one for the same folder.
#[derive(Debug)]
pub struct ServerLock {
    _held: File,
}

impl ServerLock {
    /// Takes the lock of a data folder, or says who has it.
    pub fn take(folder: &Path) -> Result<ServerLock, Error> {
        let path = folder.join(FILE);
        // Whoever can open the file, even to read, could lock it: nobody else may.
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = open.map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { folder: folder.to_owned(), pid: pid_in(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
        }
        write_pid(&mut file).map_err(Error::file(&path))?;
        Ok(ServerLock { _held: file })
    }
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", process::id())
}

/// None while the holder is between locking and writing.
fn pid_in(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

//! Keeps a second server off a data folder.
//!
//! The operating system releases the lock when its holder dies, however it dies, so there is nothing stale to clean up;
//! the file stays and its content is only a courtesy to whoever is refused. It does not protect the database (SQLite
//! does): it protects the queue, which is worked on by one process without leases.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process;

use super::{Error, file};

/// The name of the lock inside the data folder.
pub const FILE: &str = "qantara.lock";

/// While it lives, no other process can have one for the same folder.
#[derive(Debug)]
pub struct ServerLock {
    held: File,
}

impl ServerLock {
    /// Takes the lock of a data folder, or says who has it.
    pub fn take(folder: &Path) -> Result<ServerLock, Error> {
        let mut lock = Self::hold(folder)?;
        write_pid(&mut lock.held).map_err(Error::file(&folder.join(FILE)))?;
        Ok(lock)
    }

    /// The same for a moment, without a word of it in the file.
    pub fn hold(folder: &Path) -> Result<ServerLock, Error> {
        let path = folder.join(FILE);
        // Whoever can open the file, even to read, could lock it: nobody else may.
        let mut file = file::open_or_create(&path).map_err(Error::file(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { folder: folder.to_owned(), pid: pid_in(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(Error::file(&path)(error)),
        }
        Ok(ServerLock { held: file })
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

//! Files beside the database: who may read them, whose they are, and that their names survive a power cut.
//!
//! A command that root runs must leave nothing behind that the server's own user cannot open. So what is made here
//! belongs to whoever the folder belongs to. (SQLite does the same with the side files of a database.)

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::Path;

/// Who may read and write: the owner.
pub(crate) const PRIVATE: u32 = 0o600;

/// Opens a file to read and write; one that is made here is private and belongs to the owner of its folder. A link is refused:
/// whoever owns the folder could lead root's hand to any file.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    match create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path),
        created => created,
    }
}

/// Makes a file that is not there yet: private, and the folder owner's.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(PRIVATE).open(path)?;
    give_to(&file, &fs::metadata(folder_of(path))?)?;
    Ok(file)
}

/// Gives a file the owner and the rights of another one.
pub(crate) fn make_like(file: &File, model: &fs::Metadata) -> io::Result<()> {
    give_to(file, model)?;
    file.set_permissions(Permissions::from_mode(model.mode() & 0o777))
}

/// The name of a file survives a power cut only when its folder is on the disk, too.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// The folder in which a file lies.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Only root can give files away, and only root has to.
fn give_to(file: &File, owner: &fs::Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if own.uid() != 0 || (own.uid(), own.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

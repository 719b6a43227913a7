//! What lies on this machine: the data folder, its disk, the key, the database.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use jiff::SignedDuration;

use super::Row;
use crate::cli::open;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{self, Db, data_key, verify};
use crate::text::bytes;
use crate::vault::{MasterKey, Vault};

/// Below this nobody can work for long.
const LITTLE_SPACE: u64 = 1 << 30;
/// A commit that takes longer makes Shopify wait; ten of those and it gives up.
const SLOW_COMMIT: SignedDuration = SignedDuration::from_millis(50);
const COMMITS: usize = 20;
const BLOCK: usize = 4096;
/// Told by whoever was called, or by nobody.
pub(super) const CLOCK: &str = "clock";

/// There, and closed to all others.
pub(super) fn folder(folder: &Path) -> Row {
    const CHECK: &str = "data folder";
    let about = match fs::metadata(folder) {
        Ok(about) if about.is_dir() => about,
        Ok(_) => return Row::bad(CHECK, format!("{} is no folder", folder.display()), "Name another data.folder"),
        Err(error) => {
            let next = "Create it for the user the server runs as, or name another data.folder";
            return Row::bad(CHECK, format!("{}: {error}", folder.display()), next);
        }
    };
    let mode = about.mode() & 0o777;
    if mode & 0o077 != 0 {
        let found = format!("{} is open to others (mode {mode:04o})", folder.display());
        return Row::bad(CHECK, found, format!("chmod 700 {}", folder.display()));
    }
    let strange = |name: &str| {
        let file = fs::metadata(folder.join(name)).ok()?;
        (file.uid() != about.uid() || file.mode() & 0o077 != 0).then(|| name.to_owned())
    };
    let files =
        [db::FILE.to_owned(), format!("{}-wal", db::FILE), format!("{}-shm", db::FILE), db::lock::FILE.to_owned()];
    let strange: Vec<String> = files.iter().filter_map(|name| strange(name)).collect();
    if !strange.is_empty() {
        let found =
            format!("{} in {} belong to somebody else or are open to others", strange.join(", "), folder.display());
        let next = format!("chown --reference={0} {0}/{1}* && chmod 600 {0}/{1}*", folder.display(), db::FILE);
        return Row::bad(CHECK, found, next);
    }
    Row::good(CHECK, format!("{} is closed to others", folder.display()))
}

/// How much room is left.
pub(super) fn space(folder: &Path, least: u64) -> Row {
    const CHECK: &str = "disk space";
    match rustix::fs::statvfs(folder) {
        Ok(disk) => {
            let (free, whole) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
            let found = format!("{} of {} free", bytes(free), bytes(whole));
            if free < LITTLE_SPACE.max(least.saturating_add(least / 4)) {
                let next = "Make room, or use a larger disk: with less than data.min_free_bytes webhooks are put off";
                return Row::bad(CHECK, found, next);
            }
            Row::good(CHECK, found)
        }
        Err(error) => Row::bad(CHECK, error, "Check that the disk is mounted and readable"),
    }
}

/// How long a commit takes: every delivery waits for one.
pub(super) fn speed(folder: &Path) -> Row {
    const CHECK: &str = "disk speed";
    match commits(folder) {
        Ok(mut took) => {
            took.sort_unstable();
            let median = took[took.len() / 2];
            let found = format!("a commit takes {} ms (the middle of {COMMITS})", millis(median));
            if median > SLOW_COMMIT {
                return Row::warning(CHECK, found, "Use a local SSD: deliveries are answered after a commit");
            }
            Row::good(CHECK, found)
        }
        Err(error) => Row::bad(
            CHECK,
            format!("{} cannot be written: {error}", folder.display()),
            "Run it as the server's user, or as root",
        ),
    }
}

fn commits(folder: &Path) -> std::io::Result<Vec<SignedDuration>> {
    let (path, clock) = (folder.join(".doctor"), Clock::real());
    let _ = fs::remove_file(&path);
    // A new one: through a link that lies there, root would write to another file.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    // Without a name it is gone whatever happens here.
    fs::remove_file(&path)?;
    (0..COMMITS)
        .map(|_| {
            let began = clock.now();
            file.write_all(&[0; BLOCK])?;
            file.sync_data()?;
            Ok(clock.now().duration_since(began))
        })
        .collect()
}

/// Whether our time is right, where nobody who was called has said what time it is.
pub(super) fn clock() -> Row {
    const CHECK: &str = CLOCK;
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Row::good(CHECK, "the system says that a time server sets it");
    }
    let next = "timedatectl shows whether a time server is asked; timedatectl set-ntp true lets it be asked";
    Row::warning(CHECK, "compared with nobody else's: no Daftra account was asked, or none answered", next)
}

/// Older databases that a restore and an upgrade left beside the one in use.
pub(super) fn left_over(folder: &Path) -> Option<Row> {
    const CHECK: &str = "old databases";
    let marks = ["before-v", "replaced-"].map(|mark| format!("{}.{mark}", db::FILE));
    let mut found: Vec<(String, u64)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            marks.iter().any(|mark| name.starts_with(mark)).then_some(())?;
            Some((name, entry.metadata().ok()?.len()))
        })
        .collect();
    found.sort();
    if found.is_empty() {
        return None;
    }
    let list: Vec<_> = found.iter().map(|(name, size)| format!("{name} ({})", bytes(*size))).collect();
    let next = format!(
        "Once all is well: rm {}/{}.{{before-v,replaced-}}*; they hold orders and buyers",
        folder.display(),
        db::FILE
    );
    Some(Row::warning(CHECK, list.join(", "), next))
}

/// The master key, and whether it is the database's.
pub(super) fn key(config: &Config) -> Row {
    const CHECK: &str = "master key";
    let file = &config.vault.key_file;
    let key = match MasterKey::read(file) {
        Ok(key) => key,
        Err(error) => {
            let next = "Run it as root: the key is root's. If the file is lost, put its copy back";
            return Row::bad(CHECK, error, next);
        }
    };
    // SQLite takes an empty file for a new database, and looking must not make one.
    let has_database = fs::metadata(config.data.folder.join(db::FILE)).is_ok_and(|about| about.len() > 0);
    let sealed = if has_database {
        open::look(config).ok().and_then(|db| db.read(data_key::newest).ok()).flatten()
    } else {
        None
    };
    let Some((id, sealed)) = sealed else {
        return Row::good(CHECK, format!("{} is closed to others; nothing is sealed yet", file.display()));
    };
    match Vault::new(key.current, key.previous).open_data_key(id, &sealed) {
        Ok(_) => Row::good(CHECK, format!("{} is closed to others and opens the database", file.display())),
        Err(error) => Row::bad(
            CHECK,
            format!("{} does not open the database: {error}", file.display()),
            "Name the key the database was made with in vault.key_file",
        ),
    }
}

/// Whether the database is whole: all that `qantara verify` looks at in a file.
pub(super) fn database(db: &Db, folder: &Path) -> Row {
    const CHECK: &str = "database";
    let path = folder.join(db::FILE);
    let size = fs::metadata(&path).map(|about| about.len()).unwrap_or_default();
    match db.read(|c| verify::examine(c, &path)) {
        Ok(report) if report.findings.is_empty() => Row::good(CHECK, format!("whole, {}", bytes(size))),
        Ok(report) => {
            let found: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
            let next = "Stop the server and put the newest good backup back: qantara restore FILE";
            Row::bad(CHECK, found.join("; "), next)
        }
        Err(error) => Row::bad(CHECK, error, "Look into the journal for errors of the disk"),
    }
}

fn millis(time: SignedDuration) -> String {
    let micros = time.as_micros();
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}

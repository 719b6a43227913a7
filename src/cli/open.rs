//! Opening what a command needs: the database, the keys, and the way to whoever may change things.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;
use serde_json::Value;

use super::out;
use crate::config::Config;
use crate::db::lock::ServerLock;
use crate::db::merchant::{self, Merchant};
use crate::db::{self, Db, data_key};
use crate::desk::{Desk, Person, Wish, local};
use crate::engine::Settings;
use crate::vault::key_file::Keys;
use crate::vault::{DataKey, MasterKey, Vault};

/// The id of the first data key, which its seal is bound to.
const FIRST_DATA_KEY: i64 = 1;

/// The database with everything that opens what is sealed in it.
pub(super) struct Opened {
    pub(super) db: Arc<Db>,
    pub(super) vault: Arc<Vault>,
    pub(super) data_key: Arc<DataKey>,
}

/// Opens the database to change it. The caller holds the server's lock. A new database gets its keys here.
pub(super) fn open(config: &Config, now: Timestamp) -> anyhow::Result<Opened> {
    let db = Arc::new(Db::open(&config.data.folder)?);
    let stored = db.read(data_key::newest)?;
    let keys = master_keys(config, stored.is_some())?;
    let vault = Arc::new(Vault::new(keys.current, keys.previous));
    let data_key = match stored {
        Some((id, sealed)) => vault.open_data_key(id, &sealed).with_context(|| {
            let (key, folder) = (config.vault.key_file.display(), config.data.folder.display());
            format!("The master key {key} is not the one the database in {folder} was sealed with")
        })?,
        None => {
            let key = DataKey::generate();
            let sealed = vault.seal_data_key(FIRST_DATA_KEY, &key);
            db.write(move |tx| data_key::add(tx, FIRST_DATA_KEY, &sealed, now))?;
            key
        }
    };
    Ok(Opened { db, vault, data_key: Arc::new(data_key) })
}

/// A key is made only for a database that has nothing sealed yet: to any other it would be the wrong one.
fn master_keys(config: &Config, is_needed: bool) -> anyhow::Result<Keys> {
    let file = &config.vault.key_file;
    // What cannot even be looked at is left to `read`, which says why.
    if file.try_exists().unwrap_or(true) {
        return Ok(MasterKey::read(file)?);
    }
    if is_needed {
        bail!(
            "The master key {} is missing, and what the database in {} holds is sealed with it: \
             put the file back from its copy, or name it in vault.key_file",
            file.display(),
            config.data.folder.display()
        );
    }
    let key = MasterKey::create(file)?;
    out::complain(&format!("A new master key is in {}: keep a copy apart from the backups", file.display()));
    Ok(Keys { current: key, previous: None })
}

/// Opens the database to look into it, also while a server works with it.
pub(super) fn look(config: &Config) -> anyhow::Result<Db> {
    let file = config.data.folder.join(db::FILE);
    if !file.is_file() {
        return Err(anyhow!(
            "There is no database {}: name the configuration with --config or QANTARA_CONFIG, or the right data.folder in \
             it; for a new one begin with qantara init",
            file.display()
        ));
    }
    Ok(Db::open_as_it_is(&config.data.folder)?)
}

/// Makes a wish come true: by the server if one is running, else here, keeping a server out meanwhile.
pub(super) fn wish(config: &Config, wish: Wish, now: Timestamp) -> anyhow::Result<Value> {
    let folder = existing(&config.data.folder)?;
    if let Some(answer) = local::ask(folder, &wish)? {
        return Ok(answer);
    }
    let _lock = ServerLock::take(folder)?;
    let opened = open(config, now)?;
    let policy = Settings::new(config).policy;
    let desk = Desk { db: &opened.db, vault: &opened.vault, policy };
    Ok(desk.perform(wish, now, Person::AT_THE_COMMAND_LINE)?.answer)
}

/// The data folder, which nobody makes by accident.
pub(super) fn existing(folder: &Path) -> anyhow::Result<&Path> {
    if folder.is_dir() {
        return Ok(folder);
    }
    bail!("data.folder is {}: there is no such folder, create it for the user the server runs as", folder.display())
}

/// The merchant of a slug that somebody typed.
pub(super) fn merchant_of(db: &Db, slug: &str) -> anyhow::Result<Merchant> {
    match db.read(|c| merchant::by_slug(c, slug))? {
        Some(merchant) => Ok(merchant),
        None => bail!("There is no merchant \"{slug}\": qantara merchant list shows them"),
    }
}

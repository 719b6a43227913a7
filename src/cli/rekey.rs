//! `rekey`: a new master key, and everything sealed anew with it.
//!
//! The key file holds both keys from before the first value is sealed anew until after the last one is on the disk, so
//! whenever this is cut off the server still opens everything. Running it again finishes it.

use anyhow::bail;
use serde_json::json;

use super::{Ended, Session, open};
use crate::clock::Clock;
use crate::config::Config;
use crate::db::lock::ServerLock;
use crate::db::{self, Db, audit};
use crate::engine::seals;
use crate::vault::{MasterKey, OpenError, Vault, key_file};

pub(super) fn run(session: &Session) -> anyhow::Result<Ended> {
    let (config, now) = (session.config()?, Clock::real().now());
    let folder = open::existing(&config.data.folder)?;
    let _lock = ServerLock::take(folder)?;
    let file = &config.vault.key_file;
    if !folder.join(db::FILE).is_file() {
        bail!("There is no database {}: a new key needs none, begin with serve", folder.join(db::FILE).display());
    }
    let db = Db::open(folder)?;
    let found = MasterKey::read(file)?;
    let was_interrupted = found.previous.is_some();
    if !was_interrupted {
        demand_that_all_opens(&db, &config, &Vault::new(found.current, None))?;
        let old = MasterKey::read(file)?.current;
        key_file::replace(file, &[&MasterKey::generate(), &old])?;
    }

    let both = MasterKey::read(file)?;
    let vault = Vault::new(both.current, both.previous);
    let anew = db.write(move |tx| {
        let anew = seals::seal_anew(tx, &vault)?;
        if let Ok(values) = &anew {
            audit::write(tx, None, "vault.rekey", &json!({ "values": values, "via": "cli" }), now)?;
        }
        Ok(anew)
    })?;
    let values = match anew {
        Ok(values) => values,
        Err((name, why)) => bail!("{}", stays_closed(&config, &name, &why)),
    };
    demand_that_all_opens(&db, &config, &Vault::new(MasterKey::read(file)?.current, None))?;
    key_file::replace(file, &[&MasterKey::read(file)?.current])?;

    session.out.say(&json!({ "key_file": file, "values": values, "finished": was_interrupted }), || {
        let done = match was_interrupted {
            true => "The file held two keys: what the older one had sealed is now sealed with the newer one",
            false => "There is a new master key",
        };
        format!(
            "{done} ({values} values, {}).\nKeep a copy of it in another place. Backups of before open with the old key \
             only: keep that, too, as long as you keep them, and make a new backup now.\nForms that are open in a \
             browser must be loaded again.",
            file.display()
        )
    })?;
    Ok(Ended::Fine)
}

fn demand_that_all_opens(db: &Db, config: &Config, vault: &Vault) -> anyhow::Result<()> {
    let proof = db.read(|c| seals::prove(c, vault))?;
    match proof.closed.into_iter().next() {
        None => Ok(()),
        Some((name, why)) => bail!("{}", stays_closed(config, &name, &why)),
    }
}

fn stays_closed(config: &Config, name: &str, why: &OpenError) -> String {
    format!(
        "The {name} does not open with {} ({why}), and what does not open cannot be sealed anew: \
         put the right key back, or enter that secret again",
        config.vault.key_file.display()
    )
}

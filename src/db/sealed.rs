//! All that the master key seals, wherever it stands.

use rusqlite::{Connection, Transaction};

use super::merchant::CredentialKind;
use super::{Context as _, Error};

/// One sealed value of the master key.
pub struct Sealed {
    pub row: Row,
    /// What it is, for people.
    pub name: String,
    pub sealed: Vec<u8>,
}

/// Where it stands, with what its seal is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    DataKey(i64),
    Credential {
        id: i64,
        merchant_id: i64,
        /// None: of a later version, so nobody here knows what its seal is bound to.
        kind: Option<CredentialKind>,
        /// Of the merchant's Daftra account.
        address: Option<String>,
        /// The merchant's shop.
        shop: String,
    },
}

/// All of them.
pub fn all(c: &Connection) -> Result<Vec<Sealed>, Error> {
    const LIST: &str = "list what is sealed";
    let mut all = Vec::new();
    let mut statement = c.prepare("select id, sealed from data_key order by id").during(LIST)?;
    let keys = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).during(LIST)?;
    for key in keys {
        let (id, sealed) = key.during(LIST)?;
        all.push(Sealed { row: Row::DataKey(id), name: format!("data key {id}"), sealed });
    }
    let mut statement = c
        .prepare(
            "select c.id, c.merchant_id, c.kind, c.slot, c.sealed, m.slug, a.address, m.shop_domain
             from credential c join merchant m on m.id = c.merchant_id left join account a on a.id = m.account_id
             order by c.id",
        )
        .during(LIST)?;
    let credentials = statement
        .query_map([], |row| {
            let (kind, slot, slug): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(5)?);
            Ok(Sealed {
                row: Row::Credential {
                    id: row.get(0)?,
                    merchant_id: row.get(1)?,
                    kind: CredentialKind::parse(&kind),
                    address: row.get(6)?,
                    shop: row.get(7)?,
                },
                name: format!("{kind} ({slot}) of merchant {slug}"),
                sealed: row.get(4)?,
            })
        })
        .during(LIST)?;
    for credential in credentials {
        all.push(credential.during(LIST)?);
    }
    Ok(all)
}

/// The same value under another seal; all that is noted about it stays.
pub fn replace(tx: &Transaction<'_>, row: &Row, sealed: &[u8]) -> Result<(), Error> {
    let (sql, id) = match row {
        Row::DataKey(id) => ("update data_key set sealed = ?2 where id = ?1", id),
        Row::Credential { id, .. } => ("update credential set sealed = ?2 where id = ?1", id),
    };
    tx.execute(sql, (id, sealed)).during("seal a value anew")?;
    Ok(())
}

//! What the master key seals: that all of it opens, and sealing all of it anew with another key.

use rusqlite::{Connection, Transaction};

use super::credential_place;
use crate::db;
use crate::db::merchant::CredentialKind;
use crate::db::sealed::{self, Row, Sealed};
use crate::vault::{OpenError, Place, Vault, data_key_place};

/// How many sealed values there are, and the names of those that stay closed.
pub struct Proof {
    pub sealed: usize,
    /// With the reason.
    pub closed: Vec<(String, OpenError)>,
    /// The data key is among them: nothing of this database opens with this master key.
    pub is_other_key: bool,
    /// Opened with the previous key only.
    pub by_previous: usize,
}

/// Tries every sealed value.
pub fn prove(c: &Connection, vault: &Vault) -> Result<Proof, db::Error> {
    let mut proof = Proof { sealed: 0, closed: Vec::new(), is_other_key: false, by_previous: 0 };
    for value in sealed::all(c)? {
        proof.sealed += 1;
        match sealed_anew(&value, vault) {
            Ok(None) => {}
            Ok(Some(_)) => proof.by_previous += 1,
            Err(why) => {
                proof.is_other_key |= matches!(value.row, Row::DataKey(_)) && why == OpenError::UnknownKey;
                proof.closed.push((value.name, why));
            }
        }
    }
    Ok(proof)
}

/// Seals with the current key whatever the previous one sealed; how many that were. The first value that stays closed
/// ends it, and nothing was changed then.
pub fn seal_anew(tx: &Transaction<'_>, vault: &Vault) -> Result<Result<usize, (String, OpenError)>, db::Error> {
    let mut anew = Vec::new();
    for value in sealed::all(tx)? {
        match sealed_anew(&value, vault) {
            Ok(None) => {}
            Ok(Some(sealed)) => anew.push((value.row, sealed)),
            Err(why) => return Ok(Err((value.name, why))),
        }
    }
    for (row, sealed) in &anew {
        sealed::replace(tx, row, sealed)?;
    }
    Ok(Ok(anew.len()))
}

fn sealed_anew(value: &Sealed, vault: &Vault) -> Result<Option<Vec<u8>>, OpenError> {
    let place = place_of(&value.row).ok_or(OpenError::Format)?;
    vault.seal_anew(&place, &value.sealed)
}

/// `None`: of a later version, so nobody here knows what its seal is bound to.
fn place_of(row: &Row) -> Option<Place<'_>> {
    match row {
        Row::DataKey(id) => Some(data_key_place(*id)),
        Row::Credential { merchant_id, kind, address, shop, .. } => {
            let kind = (*kind)?;
            // Only a key that is sent somewhere is bound to where it is sent.
            let address = match kind {
                CredentialKind::DaftraKey => address.as_deref(),
                CredentialKind::ShopToken | CredentialKind::ShopClient => Some(shop.as_str()),
                CredentialKind::WebhookSecret | CredentialKind::StoreKey | CredentialKind::ForgottenSecret => None,
            };
            Some(credential_place(*merchant_id, kind, address))
        }
    }
}

//! Keeps secrets: seals what must not be read from the database file, and proves passwords and tokens.
//!
//! - A sealed value is `version ‖ key id ‖ nonce ‖ XChaCha20-Poly1305`. Its associated data is the place it was sealed
//!   for, so a value that was changed, or copied to another row or another address, does not open.
//! - Two master keys may be live, told apart by the key id; the current one seals. A master key is never in the
//!   database. It seals credentials and data keys; data keys seal bodies and buyers, so a new master key means sealing
//!   a handful of rows anew.
//! - Nothing here implements `Debug`, and keys are wiped from memory when dropped.
//!
//! Where sealed values are kept is not decided here.

pub mod key_file;

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::{Digest, Sha256};

const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const FORMAT: u8 = 1;

/// The column of the row a sealed value belongs to and, for keys that are sent somewhere, the address they go to.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Table of the row.
    pub table: &'a str,
    /// Id of the row.
    pub row: i64,
    /// Which secret of the row.
    pub kind: &'a str,
    /// Where the secret is sent; changing it must make the secret useless.
    pub address: Option<&'a str>,
}

/// Why a sealed value stays closed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not made by `seal`, or by a later program.
    #[error("The value is not sealed in a form this program knows")]
    Format,
    /// Sealed with a key that is not here.
    #[error("The value was sealed with another key; give the key it was sealed with as the previous one")]
    UnknownKey,
    /// Changed, or sealed for another place.
    #[error("The value was changed, or belongs to another row or address")]
    Refused,
}

/// Seals and opens with the master keys.
pub struct Vault {
    current: MasterKey,
    previous: Option<MasterKey>,
}

impl Vault {
    /// Seals with `current`, opens with either.
    pub fn new(current: MasterKey, previous: Option<MasterKey>) -> Self {
        Self { current, previous }
    }

    /// Seals with the current master key.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.current.0.seal(place, plain)
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        match self.current.0.open(place, sealed) {
            Err(OpenError::UnknownKey) => self.previous.as_ref().ok_or(OpenError::UnknownKey)?.0.open(place, sealed),
            opened => opened,
        }
    }

    /// The same value sealed with the current master key; `None` if it is already.
    pub fn seal_anew(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Option<Vec<u8>>, OpenError> {
        match self.current.0.open(place, sealed) {
            Err(OpenError::UnknownKey) => {
                let plain = SecretBox::new(Box::new(self.open(place, sealed)?));
                Ok(Some(self.seal(place, plain.expose_secret())))
            }
            opened => opened.map(|_| None),
        }
    }

    /// Opens a secret that is text.
    pub fn open_text(&self, place: &Place<'_>, sealed: &[u8]) -> Result<SecretString, OpenError> {
        let plain = self.open(place, sealed)?;
        String::from_utf8(plain).map(SecretString::from).map_err(|_| OpenError::Format)
    }

    /// Seals a data key for its row.
    pub fn seal_data_key(&self, row: i64, key: &DataKey) -> Vec<u8> {
        self.seal(&data_key_place(row), key.0.bytes.expose_secret())
    }

    /// Opens the data key of this row.
    pub fn open_data_key(&self, row: i64, sealed: &[u8]) -> Result<DataKey, OpenError> {
        let plain = SecretBox::new(Box::new(self.open(&data_key_place(row), sealed)?));
        let bytes = plain.expose_secret().as_slice().try_into().map_err(|_| OpenError::Format)?;
        Ok(DataKey(Key::new(bytes)))
    }

    /// A keyed hash for one purpose which stays the same over restarts, until the master key changes.
    pub fn keyed_hash(&self, purpose: &str) -> KeyedHash {
        KeyedHash(Key::new(self.current.0.derive(purpose)))
    }
}

/// The key above all others: it lives in a file beside the database, never inside.
pub struct MasterKey(Key);

/// Seals bodies and buyers; itself kept in the database, sealed by the master key.
pub struct DataKey(Key);

impl DataKey {
    /// A new random key.
    pub fn generate() -> Self {
        Self(Key::new(random()))
    }

    /// Seals for this place.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        self.0.seal(place, plain)
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.0.open(place, sealed)
    }
}

/// HMAC-SHA256 over parts: remembers a proven header without keeping it, and makes form tokens.
pub struct KeyedHash(Key);

impl KeyedHash {
    /// A random key that dies with the process.
    pub fn fresh() -> Self {
        Self(Key::new(random()))
    }

    /// The hash of these parts; how they are cut counts.
    pub fn hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub fn verify(&self, parts: &[&[u8]], hash: &[u8]) -> bool {
        self.mac(parts).verify_slice(hash).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.mac();
        parts.iter().for_each(|part| mac.update(&framed(part)));
        mac
    }
}

/// An argon2id hash in PHC form, with a salt of its own. Takes 19 MiB and tens of milliseconds.
pub fn hash_password(password: &SecretString) -> String {
    hash_with_salt(password, &random::<16>())
}

/// Whether the password fits the stored hash. Without one (an unknown user) it costs the same and is never true.
pub fn verify_password(password: &SecretString, stored: Option<&str>) -> bool {
    let Some(stored) = stored else {
        black_box(hash_with_salt(password, &[0; 16]));
        return false;
    };
    argon2id().verify_password(password.expose_secret().as_bytes(), stored).is_ok()
}

/// 256 random bits for addresses and headers.
pub fn random_token() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(random::<32>())
}

/// A new token for scripts. Its beginning tells people and searches for leaked secrets what it is.
pub fn api_token() -> SecretString {
    SecretString::from(format!("qa_{}", random_token()))
}

/// What is kept of a token: as random as it is, a plain hash cannot be guessed back.
pub fn fingerprint(secret: &SecretString) -> [u8; 32] {
    Sha256::digest(secret.expose_secret().as_bytes()).into()
}

/// Bytes from the kernel.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel gives random bytes; without them nothing here would be safe");
    bytes
}

/// What a page may show of a secret, so that two can be told apart: its last four characters, nothing of a short one.
pub fn last_four(secret: &SecretString) -> String {
    let secret = secret.expose_secret();
    let length = secret.chars().count();
    if length < 12 { String::new() } else { secret.chars().skip(length - 4).collect() }
}

struct Key {
    id: [u8; KEY_ID_BYTES],
    bytes: SecretBox<[u8; KEY_BYTES]>,
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let mut key = Self { id: [0; KEY_ID_BYTES], bytes: SecretBox::new(Box::new(bytes)) };
        // Derived, not drawn: the file holds nothing but the key, and the id gives none of it away.
        let derived = key.derive("key id");
        key.id.copy_from_slice(&derived[..KEY_ID_BYTES]);
        key
    }

    fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random();
        let payload = Payload { msg: plain, aad: &place.associated_data() };
        let ciphertext = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("XChaCha20-Poly1305 takes any text shorter than 256 GiB");
        [&[FORMAT][..], &self.id, &nonce, &ciphertext].concat()
    }

    fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (format, rest) = sealed.split_first().ok_or(OpenError::Format)?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID_BYTES>().ok_or(OpenError::Format)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Format)?;
        if *format != FORMAT {
            return Err(OpenError::Format);
        }
        if *id != self.id {
            return Err(OpenError::UnknownKey);
        }
        let payload = Payload { msg: ciphertext, aad: &place.associated_data() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| OpenError::Refused)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.bytes.expose_secret().into())
    }

    fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        let mut mac = self.mac();
        mac.update(b"qantara: ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn mac(&self) -> Hmac<Sha256> {
        <Hmac<Sha256> as KeyInit>::new_from_slice(self.bytes.expose_secret()).expect("HMAC takes a key of any length")
    }
}

impl Place<'_> {
    /// Unambiguous: no two places have the same bytes.
    fn associated_data(&self) -> Vec<u8> {
        let address = self.address.map(|address| framed(address.as_bytes())).unwrap_or_default();
        [framed(self.table.as_bytes()), self.row.to_le_bytes().to_vec(), framed(self.kind.as_bytes()), address].concat()
    }
}

/// Where the data key of a row belongs.
pub fn data_key_place(row: i64) -> Place<'static> {
    Place { table: "data_key", row, kind: "data_key", address: None }
}

/// The length before the bytes, so that neighbours cannot trade bytes.
fn framed(part: &[u8]) -> Vec<u8> {
    let mut framed = (part.len() as u64).to_le_bytes().to_vec();
    framed.extend_from_slice(part);
    framed
}

fn hash_with_salt(password: &SecretString, salt: &[u8; 16]) -> String {
    argon2id()
        .hash_password_with_salt(password.expose_secret().as_bytes(), salt)
        .expect("the parameters are fixed and the salt has the right length")
        .to_string()
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("these are the parameters OWASP names");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

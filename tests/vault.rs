//! Sealing, key files, passwords: what must open, and what must stay closed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use qantara::vault::key_file::{self, KeyFileError};
use qantara::vault::{
    DataKey, KeyedHash, MasterKey, OpenError, Place, Vault, hash_password, last_four, random_token, verify_password,
};
use secrecy::{ExposeSecret, SecretString};

const PLACE: Place<'static> =
    Place { table: "credential", row: 7, kind: "daftra_key", address: Some("https://a.daftra.com") };

#[test]
fn a_sealed_value_opens_at_its_place_only() {
    let vault = Vault::new(key('1'), None);
    let sealed = vault.seal(&PLACE, b"secret");
    assert_eq!(vault.open(&PLACE, &sealed), Ok(b"secret".to_vec()));
    assert_eq!(vault.open_text(&PLACE, &sealed).unwrap().expose_secret(), "secret");

    let elsewhere = [
        Place { table: "data_key", ..PLACE },
        Place { row: 8, ..PLACE },
        Place { kind: "shopify_token", ..PLACE },
        Place { address: Some("https://b.daftra.com"), ..PLACE },
        Place { address: Some(""), ..PLACE },
        Place { address: None, ..PLACE },
        // The same letters, cut differently.
        Place { table: "credentiald", kind: "aftra_key", ..PLACE },
        Place { kind: "daftra_keyhttps://a.daftra.com", address: None, ..PLACE },
    ];
    for place in elsewhere {
        assert_eq!(vault.open(&place, &sealed), Err(OpenError::Refused), "{place:?}");
    }
    let nowhere = Place { address: None, ..PLACE };
    assert_eq!(vault.open(&Place { address: Some(""), ..PLACE }, &vault.seal(&nowhere, b"x")), Err(OpenError::Refused));
}

#[test]
fn a_changed_value_does_not_open() {
    let vault = Vault::new(key('1'), None);
    let sealed = vault.seal(&PLACE, b"secret");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let expected = match at {
            0 => OpenError::Format,
            1..=4 => OpenError::UnknownKey,
            _ => OpenError::Refused,
        };
        assert_eq!(vault.open(&PLACE, &changed), Err(expected), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert!(vault.open(&PLACE, &sealed[..length]).is_err(), "cut to {length} bytes");
    }
    assert_eq!(vault.open_text(&PLACE, &vault.seal(&PLACE, b"\xff")).err(), Some(OpenError::Format));
}

#[test]
fn sealing_twice_gives_two_values() {
    let vault = Vault::new(key('1'), None);
    let sealed: BTreeSet<_> = (0..100).map(|_| vault.seal(&PLACE, b"secret")).collect();
    assert_eq!(sealed.len(), 100);
    assert_eq!(sealed.first().unwrap().len(), 1 + 4 + 24 + b"secret".len() + 16);
}

#[test]
fn a_previous_master_key_opens_and_the_current_one_seals() {
    let by_old = Vault::new(key('1'), None).seal(&PLACE, b"old");
    let both = Vault::new(key('2'), Some(key('1')));
    let only_new = Vault::new(key('2'), None);
    assert_eq!(both.open(&PLACE, &by_old), Ok(b"old".to_vec()));
    assert_eq!(only_new.open(&PLACE, &by_old), Err(OpenError::UnknownKey));
    assert_eq!(only_new.open(&PLACE, &both.seal(&PLACE, b"new")), Ok(b"new".to_vec()));
    assert_eq!(both.open(&Place { row: 8, ..PLACE }, &by_old), Err(OpenError::Refused));
}

#[test]
fn a_data_key_is_kept_sealed_and_survives_a_new_master_key() {
    let old = Vault::new(key('1'), None);
    let data_key = DataKey::generate();
    let body_place = Place { table: "delivery", row: 1, kind: "body", address: None };
    let body = data_key.seal(&body_place, b"body");
    let kept = old.seal_data_key(3, &data_key);
    assert_eq!(old.open_data_key(4, &kept).err(), Some(OpenError::Refused));

    let both = Vault::new(key('2'), Some(key('1')));
    let kept_anew = both.seal_data_key(3, &both.open_data_key(3, &kept).ok().unwrap());
    let reopened = Vault::new(key('2'), None).open_data_key(3, &kept_anew).ok().unwrap();
    assert_eq!(reopened.open(&body_place, &body), Ok(b"body".to_vec()));
    assert_eq!(DataKey::generate().open(&body_place, &body), Err(OpenError::UnknownKey));
}

#[test]
fn a_key_file_is_created_once_for_its_owner_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qantara.key");
    let created = MasterKey::create(&path).ok().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let content = fs::read(&path).unwrap();
    let sealed = Vault::new(created, None).seal(&PLACE, b"secret");
    let read = vault_of(&path);
    assert_eq!(read.open(&PLACE, &sealed), Ok(b"secret".to_vec()));

    assert!(matches!(MasterKey::create(&path).err(), Some(KeyFileError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), content, "the existing key was touched");
    let nowhere = folder.path().join("missing").join("qantara.key");
    assert!(matches!(MasterKey::create(&nowhere).err(), Some(KeyFileError::Unwritable { .. })));
    assert!(matches!(MasterKey::read(&nowhere).err(), Some(KeyFileError::Unreadable { .. })));
}

#[test]
fn a_key_may_be_raw_or_hex_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let read = |content: &[u8]| MasterKey::read(&written(folder.path(), content, 0o600));
    let raw = vault_of(&written(folder.path(), &[0xab; 32], 0o600));
    let sealed = raw.seal(&PLACE, b"secret");
    for hex in ["ab".repeat(32), "AB".repeat(32) + "\n", "aB".repeat(32) + "\r\n"] {
        let vault = vault_of(&written(folder.path(), hex.as_bytes(), 0o600));
        assert_eq!(vault.open(&PLACE, &sealed), Ok(b"secret".to_vec()), "{hex:?}");
    }
    let hex = |digits: &str, times| digits.repeat(times).into_bytes();
    let lines = |count| hex(&("ab".repeat(32) + "\n"), count);
    let malformed = [
        vec![],
        vec![0xab; 31],
        vec![0xab; 33],
        vec![0xab; 64],
        hex("ag", 32),
        hex("+b", 32),
        hex("ab", 40),
        hex("ab", 64),
        lines(3),
        [lines(1), b"\n".to_vec(), lines(1)].concat(),
        [lines(1), vec![0xab; 32]].concat(),
    ];
    for content in malformed {
        assert!(matches!(read(&content).err(), Some(KeyFileError::Malformed { .. })), "{content:?}");
    }
}

#[test]
fn a_file_of_two_keys_seals_with_the_first_and_opens_with_both() {
    let folder = tempfile::tempdir().unwrap();
    let by_old = Vault::new(key('1'), None).seal(&PLACE, b"old");
    for end in ["\n", "\r\n", ""] {
        let path = written(folder.path(), format!("{}{end}{}{end}", "2".repeat(64), "1".repeat(64)).as_bytes(), 0o600);
        if end.is_empty() {
            assert!(matches!(MasterKey::read(&path).err(), Some(KeyFileError::Malformed { .. })));
            continue;
        }
        let both = vault_of(&path);
        assert_eq!(both.open(&PLACE, &by_old), Ok(b"old".to_vec()));
        assert!(Vault::new(key('2'), None).open(&PLACE, &both.seal(&PLACE, b"new")).is_ok());
        let anew = both.seal_anew(&PLACE, &by_old).unwrap().expect("it was the old key's");
        assert_eq!(Vault::new(key('2'), None).open(&PLACE, &anew), Ok(b"old".to_vec()));
        assert_eq!(both.seal_anew(&PLACE, &anew), Ok(None));
        assert_eq!(both.seal_anew(&Place { row: 8, ..PLACE }, &by_old), Err(OpenError::Refused));
    }
}

#[test]
fn a_key_file_is_replaced_with_its_rights_and_behind_its_link() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "1".repeat(64).as_bytes(), 0o400);
    let link = folder.path().join("link.key");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    // What an earlier try left behind.
    fs::write(path.with_added_extension("next"), "half").unwrap();
    key_file::replace(&link, &[&key('2'), &key('1')]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n{}\n", "2".repeat(64), "1".repeat(64)));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    key_file::replace(&path, &[&key('2')]).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "2".repeat(64) + "\n");
    let nowhere = folder.path().join("missing.key");
    assert!(matches!(key_file::replace(&nowhere, &[]).err(), Some(KeyFileError::Unreadable { .. })));
}

#[test]
fn a_key_file_open_to_others_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o620, 0o644, 0o660, 0o444] {
        let path = written(folder.path(), &[0xab; 32], mode);
        let error = MasterKey::read(&path).err().unwrap();
        assert!(matches!(error, KeyFileError::Exposed { .. }), "{mode:o}: {error}");
        assert!(error.to_string().contains(&format!("run: chmod 600 {}", path.display())), "{error}");
    }
    for mode in [0o600, 0o400] {
        assert!(MasterKey::read(&written(folder.path(), &[0xab; 32], mode)).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_password_is_proven_by_its_hash() {
    let password = SecretString::from("صحيح horse");
    let stored = hash_password(&password);
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_ne!(stored, hash_password(&password), "each hash has a salt of its own");
    assert!(verify_password(&password, Some(&stored)));
    assert!(!verify_password(&SecretString::from("wrong"), Some(&stored)));
    assert!(!verify_password(&password, Some("no hash")));
    assert!(!verify_password(&password, None));
}

#[test]
fn a_keyed_hash_depends_on_key_purpose_and_cut() {
    let fresh = KeyedHash::fresh();
    let hash = fresh.hash(&[b"user", b"form"]);
    assert!(fresh.verify(&[b"user", b"form"], &hash));
    assert!(!fresh.verify(&[b"userf", b"orm"], &hash));
    assert!(!fresh.verify(&[b"userform"], &hash));
    assert!(!fresh.verify(&[b"user", b"form"], &hash[..31]));
    assert!(!KeyedHash::fresh().verify(&[b"user", b"form"], &hash));

    let vault = Vault::new(key('1'), None);
    let lasting = vault.keyed_hash("form token").hash(&[b"user"]);
    assert!(Vault::new(key('1'), Some(key('2'))).keyed_hash("form token").verify(&[b"user"], &lasting));
    assert!(!vault.keyed_hash("session").verify(&[b"user"], &lasting));
    assert!(!Vault::new(key('2'), None).keyed_hash("form token").verify(&[b"user"], &lasting));
}

#[test]
fn tokens_differ_and_fit_into_addresses() {
    let tokens: BTreeSet<_> = (0..100).map(|_| random_token()).collect();
    assert_eq!(tokens.len(), 100);
    let is_plain =
        |token: &String| token.len() == 43 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    assert!(tokens.iter().all(is_plain));
}

#[test]
fn only_a_long_secret_shows_its_end() {
    let shown = |secret: &str| last_four(&SecretString::from(secret));
    assert_eq!(shown("shpat_0123456789abcdef"), "cdef");
    assert_eq!(shown("0123456789ab"), "89ab");
    assert_eq!(shown("0123456789a"), "");
    assert_eq!(shown(""), "");
    assert_eq!(shown("مفتاحطويلجدا"), "لجدا", "characters count, not bytes");
}

/// A master key made of one hex digit.
fn key(digit: char) -> MasterKey {
    let folder = tempfile::tempdir().unwrap();
    MasterKey::read(&written(folder.path(), digit.to_string().repeat(64).as_bytes(), 0o600)).ok().unwrap().current
}

fn vault_of(path: &Path) -> Vault {
    let keys = MasterKey::read(path).ok().unwrap();
    Vault::new(keys.current, keys.previous)
}

fn written(folder: &Path, content: &[u8], mode: u32) -> PathBuf {
    let path = folder.join(format!("{mode:o}-{}.key", random_token()));
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

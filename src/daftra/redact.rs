//! What of a call may be kept: everything a bookkeeper needs, nothing about a person and never the key.
//!
//! Fields are judged by the words of their names, so that a new `client_secondary_phone2` is hidden before anyone has
//! heard of it. Hiding too much costs a look into Daftra; hiding too little cannot be taken back.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// Stands for what is hidden.
const HIDDEN: &str = "…";
/// What is kept of one body; of the rest only the structure.
const MOST_BYTES: usize = 32 * 1024;
/// A message longer than this is cut.
const MOST_MESSAGE_CHARS: usize = 500;
/// A shorter key would be found in ordinary words.
const SHORTEST_KEY: usize = 6;

/// A field whose name contains one of these words is personal, secret, or free text by persons.
const PERSONAL: [&str; 33] = [
    "address",
    "apikey",
    "birth",
    "bn",
    "business",
    "city",
    "email",
    "fax",
    "first",
    "gender",
    "hash",
    "ip",
    "key",
    "last",
    "location",
    "logo",
    "mail",
    "mobile",
    "name",
    "national",
    "notes",
    "password",
    "phone",
    "photo",
    "postal",
    "secondary",
    "secret",
    "signature",
    "state",
    "terms",
    "token",
    "url",
    "zip",
];

/// Records that are about persons, or hold what persons typed, as a whole.
const PERSONAL_RECORDS: [&str; 8] = [
    "client",
    "clients",
    "extra_details",
    "invoicecustomfield",
    "invoicedocument",
    "invoicereminder",
    "staff",
    "supplier",
];

/// A body as it may be kept. What is not JSON cannot be judged, so only its size is kept.
pub(super) fn body(bytes: &[u8], key: &SecretString) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let kept = match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => {
            let mut room = MOST_BYTES;
            redacted(&value, key, &mut room)
        }
        Err(_) => json!({"not_json_bytes": bytes.len()}),
    };
    kept.to_string().into_bytes()
}

/// A text by Daftra, without the key and without mail addresses, cut to what a person reads.
pub(super) fn words(text: &str, key: &SecretString) -> String {
    let text = without_key(text, key);
    let mails_hidden: Vec<&str> =
        text.split_whitespace().map(|word| if word.contains('@') { HIDDEN } else { word }).collect();
    mails_hidden.join(" ").chars().take(MOST_MESSAGE_CHARS).collect()
}

/// Any text without the key.
pub(super) fn without_key(text: &str, key: &SecretString) -> String {
    match key.expose_secret() {
        secret if secret.len() < SHORTEST_KEY => text.to_owned(),
        secret => text.replace(secret, HIDDEN),
    }
}

fn redacted(value: &Value, key: &SecretString, room: &mut usize) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) => take(room, 8).map_or_else(|| HIDDEN.into(), |()| value.clone()),
        Value::String(text) => take(room, text.len()).map_or_else(|| HIDDEN.into(), |()| words(text, key).into()),
        Value::Array(list) => {
            let mut kept = Vec::new();
            for one in list {
                if *room == 0 {
                    kept.push(HIDDEN.into());
                    break;
                }
                kept.push(redacted(one, key, room));
            }
            kept.into()
        }
        Value::Object(fields) => {
            let kept = fields.iter().map_while(|(name, inner)| {
                take(room, name.len())?;
                let hidden = is_personal(name, inner);
                Some((without_key(name, key), if hidden { HIDDEN.into() } else { redacted(inner, key, room) }))
            });
            Value::Object(kept.collect())
        }
    }
}

fn take(room: &mut usize, bytes: usize) -> Option<()> {
    let left = room.checked_sub(bytes);
    *room = left.unwrap_or(0);
    left.map(|_| ())
}

fn is_personal(name: &str, inner: &Value) -> bool {
    // Absent is not personal, and worth seeing.
    if inner.is_null() || inner.as_str() == Some("") {
        return false;
    }
    let name = name.to_ascii_lowercase();
    let mut words = name.split('_').map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
    PERSONAL_RECORDS.contains(&name.as_str()) || words.any(|word| PERSONAL.contains(&word))
}

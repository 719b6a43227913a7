//! Why a delivery that proves nothing proves nothing, told from facts: its headers, the secret of before, and what things
//! on the way do to bodies. Nothing here lets anybody in.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::db::rejection::Why;
use crate::shop::webhook::verify;

/// An HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;
/// A body of more is not tried in other forms.
const LARGEST: usize = 256 * 1024;
/// Bodies that are tried in other forms for one merchant in one minute: who floods one address buys no more of our time, and
/// takes none of what the others have. There are as many addresses as an owner made.
const A_MINUTE: u32 = 60;
/// A label of a host name, and the domain of all shops.
const LONGEST_SHOP: usize = 63 + ".myshopify.com".len();

/// What is wrong with a request without asking any secret.
pub(super) fn at_first_sight(signature: &str, body: &[u8]) -> Option<Why> {
    if signature.is_empty() {
        return Some(Why::NoSignature);
    }
    if !STANDARD.decode(signature).is_ok_and(|bytes| bytes.len() == SIGNATURE_BYTES) {
        return Some(Why::BrokenSignature);
    }
    body.is_empty().then_some(Why::EmptyBody)
}

/// The shop a request names, if that can be one; a stranger's text is not kept.
pub(super) fn shop_named(domain: &str) -> &str {
    let is_shop = domain.len() <= LONGEST_SHOP
        && domain.strip_suffix(".myshopify.com").is_some_and(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if is_shop { domain } else { "" }
}

/// Tries the known secrets in other ways, a limited number of times.
#[derive(Default)]
pub(super) struct Examiner {
    /// The minute that runs, and how many were looked at in it for each merchant.
    pace: Mutex<(i64, BTreeMap<i64, u32>)>,
}

impl Examiner {
    /// Why none of the secrets that prove for this merchant signed this body as it came.
    pub(super) fn examine(
        &self,
        merchant_id: i64,
        body: &[u8],
        signature: &str,
        secrets: &[SecretString],
        forgotten: &[SecretString],
        now: Timestamp,
    ) -> Why {
        if body.len() > LARGEST || !self.has_time(merchant_id, now) {
            return Why::Unexamined;
        }
        if verify(body, signature, forgotten).is_some() {
            return Why::ForgottenSecret;
        }
        if as_it_was(body).iter().any(|form| verify(form, signature, secrets).is_some()) {
            return Why::ChangedBody;
        }
        Why::OtherSecret
    }

    fn has_time(&self, merchant_id: i64, now: Timestamp) -> bool {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now.as_second().div_euclid(60);
        if pace.0 != minute {
            *pace = (minute, BTreeMap::new());
        }
        let looked_at = pace.1.entry(merchant_id).or_default();
        *looked_at = looked_at.saturating_add(1);
        *looked_at <= A_MINUTE
    }
}

/// The body before what proxies, logs and scripts between the shop and us do to bodies.
fn as_it_was(body: &[u8]) -> Vec<Vec<u8>> {
    let trimmed = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    let mut forms = vec![trimmed.to_vec(), [trimmed, b"\n"].concat(), compact(trimmed)];
    // Read as Latin-1 and written as UTF-8, or the other way round.
    let latin: String = trimmed.iter().map(|byte| char::from(*byte)).collect();
    forms.push(latin.into_bytes());
    if let Ok(text) = std::str::from_utf8(trimmed) {
        forms.extend(text.chars().map(|letter| u8::try_from(letter).ok()).collect::<Option<Vec<u8>>>());
        forms.push(text.replace("\r\n", "\n").into_bytes());
        forms.push(slashes_escaped(&compact(trimmed)));
    }
    forms
}

/// JSON without the blanks between its values.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_string, mut is_escaped) = (false, false);
    let mut compact = Vec::with_capacity(json.len());
    for byte in json {
        if in_string {
            in_string = is_escaped || *byte != b'"';
            is_escaped = !is_escaped && *byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = *byte == b'"';
        }
        compact.push(*byte);
    }
    compact
}

/// As the shop writes slashes; who reads and writes JSON again takes the escapes away.
fn slashes_escaped(json: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(json.len() + 64);
    for byte in json {
        if *byte == b'/' && escaped.last() != Some(&b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped
}

//! A form with a file in it (`multipart/form-data`), whole in memory and within the limits of every form.
//!
//! Only what browsers send is read: parts one after another, each with a name and its bytes. File names and types of parts
//! mean nothing here.

use std::borrow::Cow;
use std::iter;

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

/// What parts the parts, if the request is such a form.
pub(super) fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?.trim_matches('"');
    // RFC 2046 allows no longer one.
    (1..=70).contains(&boundary.len()).then(|| boundary.to_owned())
}

/// Names and values of the parts, each read when it is asked for. Bytes that are no UTF-8 become marks that say so; what
/// is cut off is left out.
pub(super) fn fields<'a>(
    bytes: &'a [u8],
    boundary: &str,
) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter may stand at the very beginning.
    let mut rest = match bytes.strip_prefix(&delimiter[2..]) {
        Some(parts) => Some(parts),
        None => split(bytes, &delimiter).map(|(_, parts)| parts),
    };
    let parts = iter::from_fn(move || {
        let (part, after) = split(rest?, &delimiter)?;
        rest = Some(after);
        Some(part)
    });
    parts.filter_map(field)
}

fn field(part: &[u8]) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let (head, value) = split(part.strip_prefix(b"\r\n")?, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(head);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = disposition.split(';').find_map(|one| one.trim().strip_prefix("name=\"")?.strip_suffix('"'))?;
    Some((Cow::Owned(name.to_owned()), String::from_utf8_lossy(value)))
}

/// What stands before and after the first of these marks.
fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

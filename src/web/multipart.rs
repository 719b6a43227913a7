//! A form with a file in it (`multipart/form-data`), whole in memory and within the limits of every form.
//!
//! Only what browsers send is read: parts one after another, each with a name and its bytes. File names and types of parts
//! mean nothing here.

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

/// Names and values of the parts. Bytes that are no UTF-8 become marks that say so; what is cut off is left out.
pub(super) fn fields(bytes: &[u8], boundary: &str) -> Vec<(String, String)> {
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very beginning.
    let whole = [b"\r\n", bytes].concat();
    let mut parts = split(&whole, delimiter.as_bytes());
    // What comes before the first delimiter, and after the last.
    parts.pop();
    parts.into_iter().skip(1).filter_map(field).collect()
}

fn field(part: &[u8]) -> Option<(String, String)> {
    let part = part.strip_prefix(b"\r\n")?;
    let end = find(part, b"\r\n\r\n")?;
    let (head, value) = (String::from_utf8_lossy(&part[..end]), &part[end + 4..]);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = disposition.split(';').find_map(|one| one.trim().strip_prefix("name=\"")?.strip_suffix('"'))?;
    Some((name.to_owned(), String::from_utf8_lossy(value).into_owned()))
}

fn split<'a>(bytes: &'a [u8], delimiter: &[u8]) -> Vec<&'a [u8]> {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(at) = find(rest, delimiter) {
        parts.push(&rest[..at]);
        rest = &rest[at + delimiter.len()..];
    }
    parts.push(rest);
    parts
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

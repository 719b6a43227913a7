//! The API: what pages show and do, for scripts. It answers the shapes of `view`, as `--json` prints them, and changes
//! things by the same wishes as pages.
//!
//! - `openapi.json` describes it; tests hold the file to the routes and to real answers.
//! - Whoever reads shows a token or name and password; whoever changes shows a token.
//! - Doing a thing twice is doing it once: a script that did not hear the answer just asks again.
//! - Lists go by keyset, from the newest or by code: `next` is the address of the rest.

pub(super) mod holds;
pub(super) mod log;
pub(super) mod mapping;
pub(super) mod merchants;
pub(super) mod orders;
pub(super) mod problem;
mod query;

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use serde::Serialize;

use super::asked::Asked;
use super::reply::{self, Problem, Reply};

const DESCRIPTION: &str = include_str!("openapi.json");

/// What there is, for programs that read descriptions.
pub(super) fn description(_: &Asked) -> Result<Reply, Problem> {
    Ok(reply::json_file(DESCRIPTION))
}

/// Whether an address is the API's, also one that does not exist.
pub(super) fn is_below(path: &str) -> bool {
    path.strip_prefix("/api").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether what was sent says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Every list.
#[derive(Serialize)]
struct List<T> {
    items: Vec<T>,
    /// The address of the rest.
    next: Option<String>,
    /// More may fit than was looked at.
    is_cut: bool,
}

impl<T> List<T> {
    /// All there is.
    fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, is_cut: false }
    }

    /// So many of these, of which there is one more if there are more.
    fn page(mut items: Vec<T>, limit: u32, next: impl FnOnce(&T) -> String) -> Self {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > wanted;
        items.truncate(wanted);
        let next = items.last().filter(|_| has_more).map(next);
        Self { items, next, is_cut: false }
    }
}

//! The rows of the log as a file: CSV for people and their tables, JSON for programs.
//!
//! Both have the rows that the page would show, a limited number of them; the header `Link` and the field `next` lead to
//! the rest. Where the page in a browser shows a name, a table could run it: no cell begins like a formula.

use hyper::header::{HeaderValue, LINK};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::wish::Wish;
use super::{Scene, what};
use crate::db::browse::Place;
use crate::db::log::{Entry, Facts, Status};
use crate::text::{self, Lang};
use crate::web::asked::Asked;
use crate::web::reply::{self, Problem, Reply};

/// Rows in one file.
const ROWS: u32 = 10_000;
/// So that spreadsheets read UTF-8 as what it is.
pub(in crate::web::page) const BYTE_ORDER_MARK: &str = "\u{FEFF}";

pub(in crate::web) fn csv(asked: &Asked) -> Result<Reply, Problem> {
    let (rows, zone, next) = rows(asked, "/log.csv")?;
    let lang = asked.lang;
    let (label, words) = (lang.words().labels(), lang.log());
    let name = zone.iana_name().unwrap_or("UTC");
    let time = format!("{} ({name})", label.time);
    let mut file = BYTE_ORDER_MARK.to_owned();
    line(&mut file, &[words.row, &time, label.merchant, label.order, label.status, label.what]);
    for entry in &rows {
        let (id, time) = (entry.id.to_string(), text::time(entry.at, &zone));
        let cells =
            [&id, &time, &entry.merchant, &entry.order_name, lang.words().status(entry.status), &what(entry, lang)];
        line(&mut file, &cells);
    }
    Ok(download(asked, "csv", "text/csv; charset=utf-8", file, next.as_deref()))
}

pub(in crate::web) fn json(asked: &Asked) -> Result<Reply, Problem> {
    let (rows, _, next) = rows(asked, "/log.json")?;
    let rows = rows.iter().map(|entry| Row::of(entry, asked.lang)).collect();
    let file = File { rows, next: next.as_deref() };
    let text = serde_json::to_string(&file).expect("rows have only string keys and no fallible parts");
    Ok(download(asked, "json", "application/json", text, next.as_deref()))
}

/// A row as the command line's JSON has it.
#[derive(Serialize)]
struct Row<'a> {
    id: i64,
    at: Timestamp,
    merchant: &'a str,
    order_id: Option<i64>,
    order: &'a str,
    status: Status,
    facts: Option<&'a Facts>,
    /// The same for people.
    what: String,
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry, lang: Lang) -> Self {
        let Entry { id, at, merchant, order_id, order_name, status, facts, currency: _ } = entry;
        let what = plain(&what(entry, lang));
        Self {
            id: *id,
            at: *at,
            merchant,
            order_id: *order_id,
            order: order_name,
            status: *status,
            facts: facts.as_ref(),
            what,
        }
    }
}

#[derive(Serialize)]
struct File<'a> {
    rows: Vec<Row<'a>>,
    /// Where the rest is.
    next: Option<&'a str>,
}

fn rows(asked: &Asked, path: &str) -> Result<(Vec<Entry>, TimeZone, Option<String>), Problem> {
    let wish = Wish::parse(asked)?;
    let (found, zone) = asked.see(|sight| {
        let scene = Scene::of(sight, &wish)?;
        Ok((sight.browse(&scene.search, wish.place, ROWS)?, scene.zone))
    })?;
    let last = found.rows.last().filter(|_| found.has_older);
    let next = last.map(|last| wish.at(Place::Before(last.id)).address(path));
    Ok((found.rows, zone, next))
}

fn download(asked: &Asked, ending: &str, kind: &'static str, file: String, next: Option<&str>) -> Reply {
    let name = format!("qantara-log-{}.{ending}", asked.now().strftime("%Y-%m-%d"));
    let mut reply = reply::file(kind, &name, file);
    if let Some(next) = next {
        let link = HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).expect("our own addresses are ASCII");
        reply.headers_mut().insert(LINK, link);
    }
    reply
}

pub(in crate::web::page) fn line(file: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    file.push_str(&cells.join(","));
    file.push_str("\r\n");
}

/// Quoted as RFC 4180 says; what a spreadsheet would take for a formula gets an apostrophe.
fn cell(text: &str) -> String {
    let text = plain(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let guard = if is_formula || text.starts_with(['\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// Without the marks that keep directions apart on a page: nobody searches for them.
fn plain(text: &str) -> String {
    text.replace(|letter: char| ('\u{2066}'..='\u{2069}').contains(&letter), "")
}

//! What people did: who, what, when, from where.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::Value;

use super::{Frame, code, page, table, time};
use crate::db::audit::Entry;
use crate::text::{Lang, Notice};
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

const ROWS: u32 = 100;

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let before = asked.wishes().find(|(name, _)| name == "before").map(|(_, id)| id.parse::<i64>());
    let before = before.transpose().map_err(|_| Notice::NotFound)?;
    let rows = asked.see(|sight| sight.audit(before, ROWS))?;
    Ok(page(&Frame::new(asked, false), asked.lang.audit().title, &render(&rows, asked.lang)))
}

fn render(rows: &[Entry], lang: Lang) -> Markup {
    let words = lang.audit();
    let shown: Vec<Markup> = rows.iter().map(|entry| row(entry, lang)).collect();
    let older = (u32::try_from(rows.len()) == Ok(ROWS)).then(|| rows.last()).flatten();
    html! {
        h1 { (words.title) }
        p.hint { (words.hint) }
        (table(&[words.when, words.who, words.what, words.details, words.from], &shown, words.nothing))
        p.muted { (lang.words().labels().times_in) " " (code("UTC")) }
        @if let Some(last) = older { p { a href={ "/audit?before=" (last.id) } { (words.older) } } }
    }
}

fn row(entry: &Entry, lang: Lang) -> Markup {
    let words = lang.audit();
    let text_of = |name: &str| entry.facts.get(name).and_then(Value::as_str);
    // How and from where have their own places.
    let facts = entry.facts.as_object().into_iter().flatten();
    let facts: Vec<_> =
        facts.filter(|(name, value)| !["via", "from"].contains(&name.as_str()) && !is_empty(value)).collect();
    html! {
        td { (time(entry.at, &TimeZone::UTC)) }
        td { @match &entry.user { Some(name) => bdi { (name) }, None => span.muted { (words.command_line) } } }
        td { (lang.words().deed(&entry.action)) }
        td.wide {
            @if let [(_, Value::String(only))] = facts.as_slice() {
                bdi { (only) }
            } @else {
                details {
                    summary { @match brief(&facts) { Some(brief) => bdi { (brief) }, None => (words.details) } }
                    dl.facts { @for (name, value) in &facts { dt { (code(name)) } dd { (code(&said(value))) } } }
                }
            }
        }
        td { @match text_of("from") { Some(from) => (code(from)), None => "–" } }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The fact that names what was changed.
fn brief<'a>(facts: &[(&String, &'a Value)]) -> Option<&'a str> {
    let named = ["name", "user", "merchant", "cause", "code"];
    named.iter().find_map(|wanted| facts.iter().find(|(name, _)| name == wanted).and_then(|(_, value)| value.as_str()))
}

fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

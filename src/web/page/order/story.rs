//! What came and went: the acts of people, the deliveries of the shop, the calls to Daftra.

use maud::{Markup, html};
use serde_json::Value;

use super::{CALLS, View};
use crate::db::act::Act;
use crate::db::delivery;
use crate::db::document::Attempt;
use crate::db::mail::Mail;
use crate::db::user::Role;
use crate::domain::ruling::Ruling;
use crate::web::page::merchant::mails::standing;
use crate::web::page::{code, maybe_time, removed, table, time};

/// No answer is kept longer than this (`daftra.max_answer_bytes` at most); a size beyond it is not believed.
const LARGEST: usize = 256 * 1024 * 1024;
/// Of each request and answer, so many characters are shown.
const SHOWN: usize = 20_000;

pub(super) fn people(view: &View<'_>) -> Markup {
    let (label, words) = (view.lang.words().labels(), view.lang.order());
    let row = |act: &Act| {
        html! {
            td { (time(act.at, &view.zone)) }
            td { @match &act.user { Some(name) => bdi { (name) }, None => (words.command_line) } }
            td { (done(act, view)) }
            td.wide { bdi { (act.facts["note"].as_str().unwrap_or_default()) } }
        }
    };
    let rows: Vec<Markup> = view.story.acts.iter().map(row).collect();
    table(&[label.time, words.who, label.what, words.note], &rows, words.nobody)
}

/// What somebody did; an action of a later version stands for itself.
fn done<'a>(act: &'a Act, view: &View<'_>) -> &'a str {
    let words = view.lang.order();
    match act.action.as_str() {
        "order.retry" => words.act_retry,
        "order.note" => words.act_note,
        "hold.release" => words.act_release,
        "delivery.replay" => words.act_replay,
        "delivery.read" => words.act_read,
        "order.rule" => {
            let word = act.facts["ruling"].as_str().unwrap_or_default();
            let ruling = Ruling::parse(word, act.facts.get("document").and_then(Value::as_i64));
            ruling.map_or("order.rule", |ruling| view.lang.words().ruling(ruling))
        }
        other => other,
    }
}

/// The mails about the order; nothing where there are none.
pub(super) fn mails(view: &View<'_>) -> Markup {
    let words = view.lang.mail();
    let row = |mail: &Mail| {
        html! {
            td { (time(mail.created_at, &view.zone)) }
            td { (words.of(mail.kind).name) }
            td { (standing(view.lang, mail, &view.zone)) }
        }
    };
    let rows: Vec<Markup> = view.mails.iter().map(row).collect();
    html! {
        @if !rows.is_empty() {
            section #mails { h2 { (words.title) } (table(&[words.when, words.about, words.state], &rows, "")) }
        }
    }
}

pub(super) fn deliveries(view: &View<'_>) -> Markup {
    let (label, words) = (view.lang.words().labels(), view.lang.order());
    let may_open = view.asked.viewer.is(Role::Owner);
    let row = |delivery: &delivery::Overview| {
        html! {
            td { (time(delivery.received_at, &view.zone)) }
            td { (code(&delivery.topic)) }
            td { (maybe_time(delivery.sent_at, &view.zone)) }
            td { (delivery.repeats) }
            td { (code(&delivery.event_key)) }
            @if may_open {
                td.nowrap {
                    @if delivery.has_body { a href={ "/deliveries/" (delivery.id) "/body" } { (words.show_body) } }
                    @else { (removed(view.asked.context.parts.config.retention.bodies_days, view.lang)) }
                }
            }
        }
    };
    let rows: Vec<Markup> = view.story.deliveries.iter().map(row).collect();
    let mut headings = vec![label.received, label.topic, label.sent, label.repeats, label.event];
    headings.extend(may_open.then_some(words.body));
    table(&headings, &rows, label.no_deliveries)
}

pub(super) fn calls(view: &View<'_>) -> Markup {
    let attempts = &view.story.attempts;
    html! {
        @if attempts.is_empty() { p.empty { (view.lang.words().labels().no_calls) } }
        @else { div.card { @for attempt in attempts.iter().rev() { (call(attempt, view)) } } }
        @if u32::try_from(attempts.len()) == Ok(CALLS) { p.hint { (view.lang.order().older_calls) } }
    }
}

fn call(attempt: &Attempt, view: &View<'_>) -> Markup {
    let (words, label) = (view.lang.words(), view.lang.words().labels());
    html! {
        details {
            summary {
                (time(attempt.started_at, &view.zone)) " · " (words.action(&attempt.action)) ": "
                @match &attempt.outcome {
                    Some(outcome) => (words.outcome(outcome)),
                    None => (label.no_end),
                }
                @if let Some(status) = attempt.status { " · " (code(&format!("HTTP {status}"))) }
                @if let Some(ended) = attempt.ended_at {
                    " · " (label.duration) " " (code(&format!("{} ms", ended.duration_since(attempt.started_at).as_millis())))
                }
            }
            @if !attempt.detail.is_empty() { p { bdi { (attempt.detail) } } }
            @if attempt.ended_at.is_some() && attempt.request.is_none() && attempt.answer.is_none() {
                p {
                    (label.request) ", " (label.answer) ": "
                    (removed(view.asked.context.parts.config.retention.calls_days, view.lang))
                }
            }
            (exchanged(view, label.request, attempt.request.as_deref()))
            (exchanged(view, label.answer, attempt.answer.as_deref()))
        }
    }
}

/// What was sent or came back, redacted before it was kept.
fn exchanged(view: &View<'_>, heading: &str, packed: Option<&[u8]>) -> Markup {
    let text = packed.filter(|packed| !packed.is_empty()).map(unpack);
    html! {
        @if let Some(text) = text.filter(|text| text.as_deref() != Some("")) {
            h3.small { (heading) }
            @match text {
                Some(text) => {
                    @let (shown, is_cut) = beginning(&text);
                    pre dir="ltr" tabindex="0" { (shown) }
                    @if is_cut { p.hint { (view.lang.order().cut) } }
                }
                None => p.hint { (view.lang.words().labels().unreadable) },
            }
        }
    }
}

fn unpack(packed: &[u8]) -> Option<String> {
    let (size, _) = lz4_flex::block::uncompressed_size(packed).ok()?;
    let bytes = (size <= LARGEST).then(|| lz4_flex::decompress_size_prepended(packed).ok()).flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn beginning(text: &str) -> (&str, bool) {
    text.char_indices().nth(SHOWN).map_or((text, false), |(end, _)| (&text[..end], true))
}

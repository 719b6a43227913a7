//! One order's story: where it stands and why, what Daftra holds, how that was decided, and everything that came and
//! went on the way.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::{Frame, badge_of_state, code, done, form, log_rows, maybe_time, page, table, time};
use crate::db::delivery;
use crate::db::document::Attempt;
use crate::db::log::Entry;
use crate::db::order::Overview;
use crate::db::user::Role;
use crate::desk::Wish;
use crate::domain::document::Document;
use crate::domain::money::Currency;
use crate::domain::payment::PaymentDraft;
use crate::domain::trace;
use crate::text::{self, Lang, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

/// Rows of the log; an order with more has a story nobody reads to its end.
const ROWS: u32 = 500;
/// No answer is kept longer than this (`daftra.max_answer_bytes` at most); a size beyond it is not believed.
const LARGEST: usize = 256 * 1024 * 1024;

/// What comes later than this is no reason to keep asking.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// Where an order is shown.
fn address(id: i64) -> String {
    format!("/orders/{id}")
}

/// Where its button leads.
fn retry_address(id: i64) -> String {
    format!("/orders/{id}/retry")
}

/// Leads to an order by its name, or by our id while it has none.
pub(super) fn link(id: i64, name: &str) -> Markup {
    html! { a href=(address(id)) { bdi { @if name.is_empty() { "№ " (id) } @else { (name) } } } }
}

struct View<'a> {
    asked: &'a Asked,
    frame: Frame<'a>,
    order: Overview,
    zone: TimeZone,
    /// The shop's, once a snapshot or a document tells it.
    currency: Option<Currency>,
    documents: Vec<Document>,
    deliveries: Vec<delivery::Overview>,
    attempts: Vec<Attempt>,
    log: Vec<Entry>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let id = asked.id()?;
    let view = asked.see(|sight| {
        let story = sight.story(id, ROWS, asked.now())?;
        Ok(View {
            asked,
            frame: Frame::new(asked, is_moving(&story.order, asked.now())),
            currency: story.currency,
            // A zone that this build does not know is a reason to show other hours, not to show nothing.
            zone: TimeZone::get(&story.time_zone).unwrap_or(TimeZone::UTC),
            documents: story.documents,
            deliveries: story.deliveries,
            attempts: story.attempts,
            log: story.log,
            order: story.order,
        })
    })?;
    let name = named(&view.order);
    Ok(page(&view.frame, &name, &render(&view, asked.lang)))
}

/// Looks at the order now, whatever it waits for.
pub(in crate::web) fn retry(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let order = asked.see(|sight| sight.order(asked.id().unwrap_or_default()))?;
    asked.perform(actor, Wish::OrderRetry { order_id: order.id })?;
    Ok(done(&address(order.id), Said::LooksAgain))
}

fn named(order: &Overview) -> String {
    if order.name.is_empty() { format!("№ {}", order.id) } else { order.name.clone() }
}

/// Whether somebody who reads the page should see it go on: it is looked at by itself before the reader has left.
fn is_moving(order: &Overview, now: Timestamp) -> bool {
    order.due_at.is_some_and(|due| due < now + SOON)
}

fn render(view: &View<'_>, lang: Lang) -> Markup {
    let label = lang.words().labels();
    let log = log_rows(&view.log, &view.zone, view.currency, lang, true);
    html! {
        h1 { (label.order) " " bdi { (named(&view.order)) } " " (badge_of_state(view.order.state, lang)) }
        (standing(view, lang))
        section { h2 { (label.documents) } (documents(view, lang)) }
        section { h2 { (label.decisions) } (decisions(view, lang)) }
        section {
            h2 { (label.deliveries) }
            (table(&[label.received, label.topic, label.sent, label.repeats, label.event], &deliveries(view), label.no_deliveries))
        }
        section { h2 { (label.calls) } (calls(view, lang)) }
        section { h2 { (label.log) } (table(&[label.time, label.status, label.what], &log, label.no_log)) }
        p.muted { (label.times_in) " " (code(view.zone.iana_name().unwrap_or("UTC"))) }
    }
}

fn standing(view: &View<'_>, lang: Lang) -> Markup {
    let (order, label) = (&view.order, lang.words().labels());
    html! {
        @if let Some(reason) = &order.reason {
            @for sentence in text::reason(lang, reason, view.currency) {
                div.reason {
                    p { (sentence.what) }
                    p.next { strong { (label.next_step) ": " } (sentence.next_step) }
                }
            }
        }
        dl {
            dt { (label.merchant) } dd { a href={ "/log?merchant=" (order.merchant) } { bdi { (order.merchant) } } }
            dt { (label.shop_number) } dd { (code(&order.remote_id.to_string())) }
            dt { (label.placed) } dd { (maybe_time(order.placed_at, &view.zone)) }
            dt { (label.since) } dd { (time(order.state_at, &view.zone)) }
            @if let Some(due) = order.due_at { dt { (label.next_look) } dd { (time(due, &view.zone)) } }
            @if let Some(money) = order.trace.as_ref().and_then(trace::money) {
                dt { (label.money) } dd { (text::balance(lang, money, view.currency)) }
            }
            @if order.failures > 0 { dt { (label.failures) } dd { (order.failures) } }
        }
        @if view.asked.viewer.is(Role::Operator) {
            (form(view.asked, &retry_address(order.id), &html! { button { (label.try_again) } }))
        }
    }
}

fn documents(view: &View<'_>, lang: Lang) -> Markup {
    let (words, label) = (lang.words(), lang.words().labels());
    html! {
        @if view.documents.is_empty() { p.empty { (label.no_documents) } }
        @for document in &view.documents {
            @let header = document.content.header();
            article {
                h3 {
                    (words.document_kind(&document.content))
                    @if let Some(number) = &document.remote_no { " " bdi { (number) } }
                    ": " (words.document_state(document.state))
                }
                dl {
                    @if let Some(total) = document.total {
                        dt { (label.total) } dd { (text::amount(lang, total, Some(header.currency))) }
                    }
                    @if let Some(id) = document.remote_id { dt { (label.remote_id) } dd { (code(&id.to_string())) } }
                    dt { (label.reference) } dd { (code(&header.reference)) }
                    dt { (label.since) } dd { (time(document.since_at, &view.zone)) }
                    dt { (label.verified) } dd { (maybe_time(document.verified_at, &view.zone)) }
                    @if let Some(at) = document.look_at { dt { (label.next_look) } dd { (time(at, &view.zone)) } }
                    @if let Some(payment) = document.payment() { (paid(payment, view, lang)) }
                }
                @if document.payment().is_none() {
                    details {
                        summary { (label.content) }
                        (table(&[label.line, label.sku, label.product, label.units, label.net, label.tax], &lines(document, lang), ""))
                    }
                }
            }
        }
    }
}

fn paid(payment: &PaymentDraft, view: &View<'_>, lang: Lang) -> Markup {
    let label = lang.words().labels();
    html! {
        dt { (label.net) } dd { (text::amount(lang, payment.amount, Some(payment.header.currency))) }
        dt { (label.gateway) } dd { bdi { (payment.gateway) } }
        dt { (label.time) } dd { (time(payment.at, &view.zone)) }
        dt { (label.method) } dd { (code(&payment.method)) }
        @if let Some(id) = payment.treasury_id { dt { (label.treasury) } dd { (code(&id.to_string())) } }
    }
}

fn lines(document: &Document, lang: Lang) -> Vec<Markup> {
    let currency = Some(document.content.header().currency);
    let row = |billed: &crate::domain::invoice::Billed| {
        html! {
            td.wide { bdi { (billed.title) } }
            td { (code(&billed.sku)) }
            td { @match billed.product_id { Some(id) => (code(&id.to_string())), None => "–" } }
            td { (billed.units) }
            td.nowrap { (text::amount(lang, billed.net, currency)) }
            td.nowrap { (text::amount(lang, billed.tax, currency)) }
        }
    };
    document.content.billed().iter().map(row).collect()
}

fn decisions(view: &View<'_>, lang: Lang) -> Markup {
    let words = lang.words();
    html! {
        @match &view.order.trace {
            Some(trace) if !trace.is_empty() => {
                ul { @for step in trace { li { (words.step(step, view.currency)) } } }
            }
            Some(_) | None => p.empty { (words.labels().no_decisions) }
        }
    }
}

fn deliveries(view: &View<'_>) -> Vec<Markup> {
    let row = |delivery: &delivery::Overview| {
        html! {
            td { (time(delivery.received_at, &view.zone)) }
            td { (code(&delivery.topic)) }
            td { (maybe_time(delivery.sent_at, &view.zone)) }
            td { (delivery.repeats) }
            td { (code(&delivery.event_key)) }
        }
    };
    view.deliveries.iter().map(row).collect()
}

fn calls(view: &View<'_>, lang: Lang) -> Markup {
    let (words, label) = (lang.words(), lang.words().labels());
    html! {
        @if view.attempts.is_empty() { p.empty { (label.no_calls) } }
        @for attempt in &view.attempts {
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
                (exchanged(label.request, attempt.request.as_deref(), label.unreadable))
                (exchanged(label.answer, attempt.answer.as_deref(), label.unreadable))
            }
        }
    }
}

/// What was sent or came back, redacted before it was kept.
fn exchanged(heading: &str, packed: Option<&[u8]>, unreadable: &str) -> Markup {
    html! {
        @if let Some(packed) = packed.filter(|packed| !packed.is_empty()) {
            h4 { (heading) }
            @match unpack(packed) {
                Some(text) => pre dir="ltr" { (text) },
                None => p.empty { (unreadable) },
            }
        }
    }
}

fn unpack(packed: &[u8]) -> Option<String> {
    let (size, _) = lz4_flex::block::uncompressed_size(packed).ok()?;
    let bytes = (size <= LARGEST).then(|| lz4_flex::decompress_size_prepended(packed).ok()).flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

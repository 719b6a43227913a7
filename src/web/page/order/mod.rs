//! One order's story: where it stands and what to do, what Daftra holds, how that was decided, and everything that came
//! and went on the way. What a reader needs first stands first.

pub(in crate::web) mod act;
mod paper;
mod story;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::wrong::Wrong;
use super::{Frame, badge, badge_of_state, code, mapping, maybe_time, page, table, time};
use crate::db::log::Entry;
use crate::db::mail::Mail;
use crate::db::merchant::Mode;
use crate::db::order::Overview;
use crate::db::sight::Story;
use crate::db::user::Role;
use crate::domain::money::Amount;
use crate::domain::reason::{Hold, Reason};
use crate::domain::trace;
use crate::text::{self, Lang};
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

/// Rows of the log; an order with more has a story nobody reads to its end.
const ROWS: u32 = 500;

/// What comes later than this is no reason to keep asking.
const SOON: SignedDuration = SignedDuration::from_mins(5);

/// Calls that are shown; the bodies of all of them would be megabytes.
const CALLS: u32 = 60;

/// Where an order is shown.
pub(super) fn address(id: i64) -> String {
    format!("/orders/{id}")
}

/// Leads to an order by its name, or by our id while it has none.
pub(super) fn link(id: i64, name: &str) -> Markup {
    html! { a href=(address(id)) { bdi { @if name.is_empty() { "№ " (id) } @else { (name) } } } }
}

struct View<'a> {
    asked: &'a Asked,
    lang: Lang,
    story: Story,
    mails: Vec<Mail>,
    zone: TimeZone,
    /// What was typed into the form that is shown again.
    typed: &'a str,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let view = View::of(asked, "")?;
    let order = &view.story.order;
    let frame = Frame::new(asked, is_moving(order, asked.now())).watched().with_typing();
    Ok(page(&frame, &named(order), &render(&view)))
}

/// The page with the form that was not taken, and why.
fn again(asked: &Asked, typed: &str, wrong: &Wrong) -> Result<Reply, Problem> {
    let view = View::of(asked, typed)?;
    Ok(wrong.reply(&Frame::new(asked, false), &named(&view.story.order), &render(&view)))
}

impl<'a> View<'a> {
    fn of(asked: &'a Asked, typed: &'a str) -> Result<Self, Problem> {
        let id = asked.id()?;
        let story = asked.see(|sight| sight.story(id, ROWS, CALLS, asked.now()))?;
        // A zone that this build does not know is a reason to show other hours, not to show nothing.
        let zone = TimeZone::get(&story.merchant.time_zone).unwrap_or(TimeZone::UTC);
        let mails = asked.see(|sight| sight.mails_of_order(id))?;
        Ok(Self { asked, lang: asked.lang, story, mails, zone, typed })
    }
}

fn named(order: &Overview) -> String {
    if order.name.is_empty() { format!("№ {}", order.id) } else { order.name.clone() }
}

/// Whether somebody who reads the page should see it go on: it is looked at by itself before the reader has left.
fn is_moving(order: &Overview, now: Timestamp) -> bool {
    order.due_at.is_some_and(|due| due < now + SOON)
}

fn render(view: &View<'_>) -> Markup {
    let (order, lang) = (&view.story.order, view.lang);
    let (label, words) = (lang.words().labels(), lang.order());
    html! {
        div.head {
            h1 { (label.order) " " bdi { (named(order)) } " " (badge_of_state(order.state, lang)) }
            @if let Some(address) = in_shopify(view) {
                div.actions { a.button href=(address) rel="external noreferrer" { (words.in_shopify) } }
            }
        }
        (figures(view))
        (standing(view))
        (act::buttons(view))
        section { h2 { (label.documents) } (paper::documents(view)) }
        section { h2 { (label.decisions) } (decisions(view)) }
        section #people { h2 { (words.people) } (story::people(view)) (act::note_form(view)) }
        section.stack { h2 { (label.log) } (table(&[label.time, label.status, label.what], &log(view), words.no_rows)) }
        (story::mails(view))
        section { h2 { (label.deliveries) } (story::deliveries(view)) }
        section { h2 { (label.calls) } (story::calls(view)) }
        p.muted { (label.times_in) " " (code(view.zone.iana_name().unwrap_or("UTC"))) }
    }
}

/// The page of the order in the shop's own administration, if the shop's name is one that can stand there.
fn in_shopify(view: &View<'_>) -> Option<String> {
    let shop = view.story.merchant.shop_domain.strip_suffix(".myshopify.com")?;
    let is_plain = shop.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let id = view.story.order.remote_id;
    is_plain.then(|| format!("https://admin.shopify.com/store/{shop}/orders/{id}"))
}

/// What it comes to, and what is due.
fn figures(view: &View<'_>) -> Markup {
    let Story { order, documents, price, currency, .. } = &view.story;
    let (lang, label) = (view.lang, view.lang.words().labels());
    let amount = |amount: Amount| text::amount(lang, amount, *currency);
    let money = order.trace.as_ref().and_then(trace::money);
    if price.is_none() && money.is_none() && documents.iter().all(|document| document.total.is_none()) {
        return Markup::default();
    }
    html! {
        dl.figures.card {
            @if let Some((total, currency)) = price {
                div { dt { (lang.order().whole_order) } dd { (text::amount(lang, *total, Some(*currency))) } }
            }
            @for document in documents.iter().filter(|document| document.payment().is_none()) {
                @if let Some(total) = document.total {
                    div {
                        dt {
                            (lang.words().document_kind(&document.content))
                            @if let Some(number) = &document.remote_no { " " bdi { (number) } }
                        }
                        dd { (amount(total)) }
                    }
                }
            }
            @if let Some(money) = money {
                div { dt { (label.money) } dd { (text::balance(lang, money, *currency)) } }
            }
        }
    }
}

/// Where it stands and why, with what to do about it.
fn standing(view: &View<'_>) -> Markup {
    let Story { order, merchant, .. } = &view.story;
    let (lang, label) = (view.lang, view.lang.words().labels());
    html! {
        @if merchant.mode == Mode::Paused { p.banner.calm { (lang.order().paused) } }
        @if let Some(trouble) = &merchant.trouble {
            @let sentence = lang.words().trouble(trouble);
            div.reason { p { (sentence.what) } p.next { strong { (label.next_step) ": " } (sentence.next_step) } }
        }
        @if let Some(reason) = &order.reason { (why(view, reason)) }
        dl {
            dt { (label.merchant) } dd { a href={ "/log?merchant=" (order.merchant) } { bdi { (merchant.name) } } }
            dt { (label.since) } dd { (time(order.state_at, &view.zone)) }
            dt { (label.placed) } dd { (maybe_time(order.placed_at, &view.zone)) }
            dt { (label.shop_number) } dd { (code(&order.remote_id.to_string())) }
            @if let Some(due) = order.due_at { dt { (label.next_look) } dd { (time(due, &view.zone)) } }
            @if order.failures > 0 { dt { (label.failures) } dd { (order.failures) } }
        }
    }
}

fn why(view: &View<'_>, reason: &Reason) -> Markup {
    let lang = view.lang;
    let holds: &[Hold] = if let Reason::Held(holds) = reason { holds } else { &[] };
    html! {
        @for (at, sentence) in text::reason(lang, reason, view.story.currency).into_iter().enumerate() {
            div.reason {
                p { (sentence.what) }
                p.next { strong { (lang.words().labels().next_step) ": " } (sentence.next_step) }
                @if let Some(address) = holds.get(at).and_then(|hold| mapping::of_hold(&view.story.order.merchant, hold)) {
                    @if view.asked.viewer.is(Role::Operator) {
                        div.actions { a.button.primary href=(address) { (lang.mapping().choose) } }
                    }
                }
            }
        }
    }
}

fn decisions(view: &View<'_>) -> Markup {
    let words = view.lang.words();
    html! {
        @match &view.story.order.trace {
            Some(trace) if !trace.is_empty() => {
                ol.card.steps { @for step in trace { li { (words.step(step, view.story.currency)) } } }
            }
            Some(_) | None => p.empty { (words.labels().no_decisions) }
        }
    }
}

fn log(view: &View<'_>) -> Vec<Markup> {
    let row = |entry: &Entry| {
        html! {
            td { (time(entry.at, &view.zone)) }
            td { (badge(entry.status, view.lang)) }
            td.wide { (text::happened(view.lang, entry.status, entry.facts.as_ref(), view.story.currency)) }
        }
    };
    view.story.log.iter().map(row).collect()
}

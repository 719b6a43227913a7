//! Pages: each file has what a page shows, how it is read, and how it looks. Rendering is pure. No page needs a script;
//! the one there is shows news of what is still moving without a reload.

pub(super) mod home;
pub(super) mod notice;
pub(super) mod order;

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest as _, Sha256};

use super::auth::Viewer;
use super::context::Context;
use crate::db::log::{Entry, Status};
use crate::db::merchant::Mode;
use crate::db::order::State;
use crate::domain::money::Currency;
use crate::text::{self, Lang};

/// The one stylesheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The one script.
pub(super) const SCRIPT: &str = include_str!("live.js");

/// Its name changes with its content, so that a browser may keep it for ever.
pub(super) fn style_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| name_of(STYLE, "css"));
    &NAME
}

/// The same for the script.
pub(super) fn script_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| name_of(SCRIPT, "js"));
    &NAME
}

fn name_of(text: &str, kind: &str) -> String {
    let hash: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}.{kind}")
}

/// How often a page of something that moves is asked for again, in milliseconds.
const LIVE_MS: u32 = 1_500;

/// What a page needs to know about its surroundings.
struct Around<'a> {
    viewer: Option<&'a Viewer>,
    /// Something on it is still moving.
    is_live: bool,
    /// In the demo: the origin of the sites beside this one.
    playground: Option<&'a str>,
}

impl<'a> Around<'a> {
    /// In the demo every page is live: somebody presses buttons next door.
    fn new(context: &'a Context, viewer: Option<&'a Viewer>, is_moving: bool) -> Self {
        let playground = context.parts.playground.as_deref();
        Self { viewer, is_live: viewer.is_some() && (is_moving || playground.is_some()), playground }
    }
}

/// What stands around every page.
fn layout(lang: Lang, title: &str, around: &Around<'_>, content: &Markup) -> Markup {
    let words = lang.words();
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) dir=(lang.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Qantara" }
                link rel="stylesheet" href={ "/static/" (style_name()) };
                @if around.is_live {
                    script src={ "/static/" (script_name()) } defer {}
                    noscript { meta http-equiv="refresh" content="5"; }
                }
            }
            body data-live-ms=[around.is_live.then_some(LIVE_MS)] {
                @if let Some(origin) = around.playground {
                    iframe.playground src={ (origin) "/line" } title="Playground" {}
                }
                header {
                    a.brand href="/" { "Qantara" }
                    @if let Some(viewer) = around.viewer {
                        span.muted {
                            (words.labels().signed_in) " " bdi { (viewer.user().name) }
                            " (" (words.role(viewer.user().role)) ")"
                        }
                    }
                }
                main.live #main { (content) }
            }
        }
    }
}

/// A table that scrolls inside its own box, so that a phone never scrolls the page sideways; a sentence if it is empty.
fn table(headings: &[&str], rows: &[Markup], empty: &str) -> Markup {
    html! {
        @if rows.is_empty() {
            p.empty { (empty) }
        } @else {
            div.scroll {
                table {
                    thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                    tbody { @for row in rows { tr { (row) } } }
                }
            }
        }
    }
}

fn time(at: Timestamp, zone: &TimeZone) -> Markup {
    html! { time dir="ltr" datetime=(at.to_string()) { (text::time(at, zone)) } }
}

fn maybe_time(at: Option<Timestamp>, zone: &TimeZone) -> Markup {
    html! { @match at { Some(at) => (time(at, zone)), None => "–" } }
}

/// An id or a code: isolated, and in the type in which digits are told apart.
fn code(text: &str) -> Markup {
    html! { bdi.code dir="ltr" { (text) } }
}

/// The colour of a status; its word always stands beside it.
fn badge(status: Status, lang: Lang) -> Markup {
    let tone = match status {
        Status::Success | Status::Updated | Status::Cancelled => "good",
        Status::Failed => "bad",
        Status::Held | Status::InDoubt => "warn",
        Status::Ignored | Status::Waiting | Status::Duplicate | Status::Test | Status::Paused | Status::Shadow => {
            "calm"
        }
    };
    html! { span class={ "badge " (tone) } { (lang.words().status(status)) } }
}

fn badge_of_state(state: State, lang: Lang) -> Markup {
    let tone = match state {
        State::Settled => "good",
        State::Failed => "bad",
        State::Held => "warn",
        State::New | State::Working | State::Waiting | State::Ignored | State::Shadow => "calm",
    };
    html! { span class={ "badge " (tone) } { (lang.words().order_state(state)) } }
}

fn badge_of_mode(mode: Mode, lang: Lang) -> Markup {
    let tone = match mode {
        Mode::Live => "good",
        Mode::Shadow | Mode::Paused | Mode::Closed => "calm",
    };
    html! { span class={ "badge " (tone) } { (lang.words().mode(mode)) } }
}

/// The rows of the sync log; the merchant and the order are left out where the page is about them.
fn log_rows(log: &[Entry], zone: &TimeZone, currency: Option<Currency>, lang: Lang, about_one: bool) -> Vec<Markup> {
    let row = |entry: &Entry| {
        html! {
            td { (time(entry.at, zone)) }
            @if !about_one {
                td { bdi { (entry.merchant) } }
                td { @if let Some(id) = entry.order_id { (order::link(id, &entry.order_name)) } @else { "–" } }
            }
            td { (badge(entry.status, lang)) }
            td.wide { @if let Some(facts) = &entry.facts { (text::facts(lang, facts, currency)) } }
        }
    };
    log.iter().map(row).collect()
}

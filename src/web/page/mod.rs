//! Pages: each file has what a page shows, how it is read, and how it looks. Rendering is pure. No page needs a script;
//! the one there is shows news of what is still moving without a reload.

pub(super) mod again;
pub(super) mod alerts;
pub(super) mod attention;
pub(super) mod audit;
pub(super) mod deliveries;
pub(super) mod delivery;
pub(super) mod home;
pub(super) mod log;
pub(super) mod mapping;
pub(super) mod me;
pub(super) mod merchant;
pub(super) mod notice;
pub(super) mod order;
pub(super) mod privacy;
pub(super) mod server;
pub(super) mod statements;
pub(super) mod tokens;
pub(super) mod users;
mod wrong;

use std::sync::LazyLock;

use hyper::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use sha2::{Digest as _, Sha256};

use super::asked::Asked;
use super::auth::Viewer;
use super::context::Context;
use super::reply::{self, Reply};
use crate::db::log::Status;
use crate::db::merchant::Mode;
use crate::db::order::State;
use crate::db::user::Role;
use crate::text::label::shell::Shell;
use crate::text::{self, Lang, Said};

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
const MOVING_MS: u32 = 1_500;
/// The same for a page on which something may begin to move.
const WATCHED_MS: u32 = 5_000;

/// What stands around a page.
pub(super) struct Frame<'a> {
    lang: Lang,
    viewer: Option<&'a Viewer>,
    /// The path of the page itself, for the menu.
    here: &'a str,
    /// What a button has just done.
    said: Option<Said>,
    /// Something on it is still moving.
    is_moving: bool,
    /// Something on it may begin to move while it is open.
    is_watched: bool,
    /// People type into it: without the script it must not be loaded again under their hands.
    has_typing: bool,
    /// In the demo: the origin of the sites beside this one.
    playground: Option<&'a str>,
}

type MenuEntry = (&'static str, fn(&Shell) -> &'static str, Role);

/// The menu: where it leads, what it is called, and whose it is. A page below an entry belongs to it.
const MENU: &[MenuEntry] = &[
    ("/", |words| words.overview, Role::Viewer),
    ("/attention", |words| words.attention, Role::Viewer),
    ("/alerts", |words| words.alerts, Role::Viewer),
    ("/log", |words| words.log, Role::Viewer),
    ("/statements", |words| words.statements, Role::Viewer),
    ("/deliveries", |words| words.deliveries, Role::Viewer),
    ("/merchants", |words| words.merchants, Role::Viewer),
    ("/privacy", |words| words.privacy, Role::Owner),
    ("/users", |words| words.users, Role::Owner),
    ("/audit", |words| words.audit, Role::Owner),
    ("/server", |words| words.server, Role::Owner),
];

impl<'a> Frame<'a> {
    /// In the demo every page is live: somebody presses buttons next door.
    pub(super) fn new(asked: &'a Asked, is_moving: bool) -> Self {
        let said = asked.wishes().find(|(name, _)| name == SAID).and_then(|(_, code)| Said::parse(&code));
        let playground = asked.context.parts.playground.as_deref();
        Self {
            lang: asked.lang,
            viewer: Some(&asked.viewer),
            here: &asked.path,
            said,
            is_moving: is_moving || playground.is_some(),
            is_watched: false,
            has_typing: false,
            playground,
        }
    }

    /// A page into which people type.
    pub(super) fn with_typing(self) -> Self {
        Self { has_typing: true, ..self }
    }

    /// A page that people leave open: what begins to move shows without a reload.
    pub(super) fn watched(self) -> Self {
        Self { is_watched: true, ..self }
    }

    /// After how many milliseconds the script asks again, if it does.
    fn live_ms(&self) -> Option<u32> {
        if self.is_moving { Some(MOVING_MS) } else { self.is_watched.then_some(WATCHED_MS) }
    }

    /// For whoever is not let in, and for what is not there.
    fn bare(context: &'a Context, viewer: Option<&'a Viewer>, lang: Lang) -> Self {
        let playground = context.parts.playground.as_deref();
        Self { lang, viewer, here: "", said: None, is_moving: false, is_watched: false, has_typing: false, playground }
    }
}

/// The field of an address that says what a button has just done.
pub(super) const SAID: &str = "said";

/// After a form: the page of this address, and on it what was done.
pub(super) fn done(address: &str, said: Said) -> Reply {
    let sign = if address.contains('?') { '&' } else { '?' };
    reply::see(&format!("{address}{sign}{SAID}={}", said.word()))
}

/// A page in its frame.
fn page(frame: &Frame<'_>, title: &str, content: &Markup) -> Reply {
    reply::html(StatusCode::OK, layout(frame, title, content))
}

/// What stands around every page.
fn layout(frame: &Frame<'_>, title: &str, content: &Markup) -> Markup {
    let (lang, words) = (frame.lang, frame.lang.shell());
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) dir=(lang.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Qantara" }
                link rel="stylesheet" href={ "/static/" (style_name()) };
                @if frame.live_ms().is_some() {
                    script src={ "/static/" (script_name()) } defer {}
                    @if frame.is_moving && !frame.has_typing { noscript { meta http-equiv="refresh" content="5"; } }
                }
            }
            body data-live-ms=[frame.live_ms()] {
                a.skip href="#main" { (words.skip) }
                @if let Some(origin) = frame.playground {
                    iframe.playground src={ (origin) "/line" } title="Playground" {}
                }
                header {
                    a.brand href="/" { "Qantara" }
                    @if let Some(viewer) = frame.viewer { (menu(frame, viewer)) }
                }
                main.live #main tabindex="-1" {
                    @if let Some(said) = frame.said {
                        p.banner.good role="status" { (lang.words().said(said)) }
                    }
                    (content)
                }
            }
        }
    }
}

fn menu(frame: &Frame<'_>, viewer: &Viewer) -> Markup {
    let words = frame.lang.shell();
    let is_here = |entry: &str| match entry {
        "/" => frame.here == "/",
        entry => frame.here.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    let current = |entry: &str| is_here(entry).then_some("page");
    html! {
        nav aria-label=(words.menu) {
            @for (address, name, role) in MENU {
                @if viewer.is(*role) { a href=(address) aria-current=[current(address)] { (name(words)) } }
            }
        }
        a.me href="/me" aria-current=[current("/me")] title=(words.me) {
            bdi { (viewer.user().name) }
            span.muted { (frame.lang.words().role(viewer.user().role)) }
        }
    }
}

/// A form of a token, its fields and their button.
fn form(asked: &Asked, action: &str, content: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name="token" value=(asked.token(action));
            (content)
        }
    }
}

/// Says that a form was not taken, and why.
fn complaint(text: &str) -> Markup {
    html! { p.banner.bad role="alert" { (text) } }
}

/// A table that scrolls inside its own box, so that a phone never scrolls the page sideways; a sentence if it is empty.
fn table(headings: &[&str], rows: &[Markup], empty: &str) -> Markup {
    html! {
        @if rows.is_empty() {
            p.empty { (empty) }
        } @else {
            div.scroll tabindex="0" {
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

/// Instead of what retention has taken away after so many days; 0 where it is off by now.
fn removed(days: u32, lang: Lang) -> Markup {
    let words = lang.shell();
    html! { span.muted { @if days == 0 { (words.nothing) } @else { (words.removed_after.of(days)) } } }
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

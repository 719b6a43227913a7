//! A sentence instead of a page: why, what to do, and a way on.

use maud::{Markup, html};

use super::{Frame, MENU, layout};
use crate::text::{Lang, Notice};
use crate::web::auth::Viewer;
use crate::web::context::Context;
use crate::web::reply::{Because, Problem};
use crate::web::route;

pub(in crate::web) fn render(
    context: &Context,
    viewer: Option<&Viewer>,
    problem: &Problem,
    path: &str,
    lang: Lang,
) -> Markup {
    let sentence = lang.words().notice(problem.notice);
    let (address, name) = way_on(problem.notice, path, viewer, lang);
    let content = html! {
        div.notice {
            h1 { (sentence.what) }
            @if let Some(Because::Refused(refusal)) = problem.because.as_deref() { p.banner.bad { (refusal.line(lang)) } }
            p { (sentence.next_step) }
            p { a.button.primary href=(address) { (name) } }
        }
    };
    layout(&Frame::bare(context, viewer, lang), &sentence.what, &content)
}

/// The same page once more, where that may help; else the nearest page above it that is there for whoever asks.
fn way_on(notice: Notice, path: &str, viewer: Option<&Viewer>, lang: Lang) -> (String, &'static str) {
    let words = lang.shell();
    let above = || {
        let above = route::page_above(path, viewer, notice == Notice::NotFound);
        let name = MENU.iter().find(|(entry, ..)| *entry == above).map_or(words.back, |(_, name, _)| name(words));
        (above, name)
    };
    let once_more = |name: &'static str| if route::is_page(path) { (path.to_owned(), name) } else { above() };
    match notice {
        Notice::SignIn => once_more(words.sign_in),
        Notice::TooManyTries { .. } | Notice::Busy | Notice::Fault => once_more(words.try_again),
        Notice::Forbidden
        | Notice::TokenNeeded
        | Notice::CrossSite
        | Notice::StaleForm
        | Notice::NotFound
        | Notice::Refused
        | Notice::WrongMethod
        | Notice::TooLarge
        | Notice::TooSlow
        | Notice::Unsupported => above(),
    }
}

//! A sentence instead of a page: why, and what to do.

use maud::{Markup, html};

use super::{Frame, layout};
use crate::text::Lang;
use crate::web::auth::Viewer;
use crate::web::context::Context;
use crate::web::reply::{Because, Problem};

pub(in crate::web) fn render(context: &Context, viewer: Option<&Viewer>, problem: &Problem, lang: Lang) -> Markup {
    let sentence = lang.words().notice(problem.notice);
    let content = html! {
        h1 { (sentence.what) }
        @if let Some(Because::Refused(refusal)) = problem.because.as_deref() { p { (refusal.line(lang)) } }
        p { (sentence.next_step) }
        p { a href="/" { (lang.shell().overview) } }
    };
    layout(&Frame::bare(context, viewer, lang), &sentence.what, &content)
}

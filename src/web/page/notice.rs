//! A sentence instead of a page: why, and what to do.

use maud::{Markup, html};

use super::{Around, layout};
use crate::text::{Lang, Notice};
use crate::web::context::Context;

pub(in crate::web) fn render(context: &Context, notice: Notice, lang: Lang) -> Markup {
    let words = lang.words();
    let sentence = words.notice(notice);
    let content = html! {
        h1 { (sentence.what) }
        p { (sentence.next_step) }
        p { a href="/" { (words.labels().overview) } }
    };
    layout(lang, &sentence.what, &Around::new(context, None, false), &content)
}

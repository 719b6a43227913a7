//! A sentence instead of a page: why, and what to do.

use maud::{Markup, html};

use super::layout;
use crate::text::{Lang, Notice};

pub(in crate::web) fn render(notice: Notice, lang: Lang) -> Markup {
    let words = lang.words();
    let sentence = words.notice(notice);
    let content = html! {
        h1 { (sentence.what) }
        p { (sentence.next_step) }
        p { a href="/" { (words.labels().overview) } }
    };
    layout(lang, &sentence.what, None, &content)
}

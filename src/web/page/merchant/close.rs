//! The end of a merchant: what it means, and a word typed so that no slip does it. And the way back, into a pause.

use maud::{Markup, html};

use super::{Known, perform};
use crate::desk::Wish;
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, done, form};
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn close(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let words = asked.lang.merchants();
    let wrong = if form.get("confirm") == known.merchant.slug {
        perform(asked, actor, Wish::MerchantClose { slug: known.merchant.slug.clone() })?
    } else {
        Some(Wrong::at("confirm", words.close_not_confirmed))
    };
    let Some(wrong) = wrong else { return Ok(done(&known.address(), Said::Saved)) };
    let content = html! { (super::head(asked, &known)) (card(asked, &known, form.get("confirm"))) };
    Ok(wrong.reply(&Frame::new(asked, false), words.close, &content))
}

pub(super) fn card(asked: &Asked, known: &Known, typed: &str) -> Markup {
    let words = asked.lang.merchants();
    let fields = html! {
        label.field {
            span { (words.close_confirm) " " bdi.code dir="ltr" { (known.merchant.slug) } }
            input name="confirm" value=(typed) required autocomplete="off" dir="ltr";
        }
        button.danger { (words.close) }
    };
    html! {
        div.card {
            p { (words.close_hint) }
            (form(asked, &format!("{}/close", known.address()), &fields))
        }
    }
}

pub(in crate::web) fn open(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::of(asked)?;
    let words = asked.lang.merchants();
    match perform(asked, actor, Wish::MerchantOpen { slug: known.merchant.slug.clone() })? {
        None => Ok(done(&known.address(), Said::Saved)),
        Some(wrong) => {
            let content = html! { (super::head(asked, &known)) (way_back(asked, &known)) };
            Ok(wrong.reply(&Frame::new(asked, false), words.open, &content))
        }
    }
}

pub(super) fn way_back(asked: &Asked, known: &Known) -> Markup {
    let words = asked.lang.merchants();
    html! {
        section.card {
            h2 { (words.open) }
            p { (words.open_hint) }
            (form(asked, &format!("{}/open", known.address()), &html! { button { (words.open) } }))
        }
    }
}

//! The end of a merchant: what it means, and a word typed so that no slip does it. And the way back, into a pause.

use maud::{Markup, html};
use secrecy::SecretString;
use serde_json::Value;

use super::shop::secret_field;
use super::{Known, Step, perform};
use crate::desk::{self, Secret, Wish};
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, code, done, form, page, table};
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

pub(in crate::web) fn open(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::of(asked)?;
    let words = asked.lang.merchants();
    let secret = Some(form.get("secret")).filter(|secret| !secret.is_empty());
    let secret = secret.map(|secret| Secret(SecretString::from(secret)));
    match asked.perform(actor, Wish::MerchantOpen { slug: known.merchant.slug.clone(), secret }) {
        Ok(answer) => match answer["vendors_lost"].as_array().filter(|lost| !lost.is_empty()) {
            // Told at once, on the page that answers the button: nobody would look for it in the history.
            Some(lost) => {
                let known = Known::of(asked)?;
                let content = html! { (super::head(asked, &known)) (lost_vendors(asked, &known, lost)) };
                Ok(page(&Frame::new(asked, false), words.open, &content))
            }
            None => Ok(done(&known.address(), Said::Saved)),
        },
        Err(desk::Error::Refused(refusal)) => {
            let content = html! { (super::head(asked, &known)) (way_back(asked, &known)) };
            Ok(super::wrong(&refusal, asked.lang).reply(&Frame::new(asked, false), words.open, &content))
        }
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

/// Which vendors the merchant had before, and whose they are now.
fn lost_vendors(asked: &Asked, known: &Known, lost: &[Value]) -> Markup {
    let words = asked.lang.merchants();
    let row = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let (vendor, slug) = (text("vendor"), text("merchant"));
        html! {
            td { @if vendor == "*" { (words.all_lines) } @else { bdi { (vendor) } } }
            td { a href=(super::address(&slug)) { (code(&slug)) } }
        }
    };
    let rows: Vec<Markup> = lost.iter().map(row).collect();
    html! {
        p.banner.warn role="status" { (words.opened_without) }
        section.card {
            h2 { (words.vendors_elsewhere) }
            (table(&[words.vendors, words.vendor_of], &rows, ""))
            p.hint { (words.vendors_elsewhere_hint) }
            div.actions {
                a.button.primary href=(known.step(Step::Vendors)) { (words.vendors) }
                a.button href=(known.address()) { (words.overview) }
            }
        }
    }
}

pub(super) fn way_back(asked: &Asked, known: &Known) -> Markup {
    let words = asked.lang.merchants();
    let fields = html! {
        (secret_field(words.secret_new, words.open_secret_hint, false))
        button { (words.open) }
    };
    html! {
        section.card {
            h2 { (words.open) }
            p { (words.open_hint) }
            (form(asked, &format!("{}/open", known.address()), &fields))
        }
    }
}

//! Which product of Daftra a code of the shop is: searched in the account, chosen with one button, and every order that
//! waited for a product is looked at again.

use maud::{Markup, html};

use super::{Frame, code, done, form, page, table};
use crate::db::merchant::Merchant;
use crate::db::product::Mapping;
use crate::desk::Wish;
use crate::desk::account::Silence;
use crate::domain::catalog::{Code, Product};
use crate::domain::reason::Hold;
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

/// Where somebody says which product the code of this hold is; none if it is about something else.
pub(super) fn of_hold(merchant: &str, hold: &Hold) -> Option<String> {
    let subject = hold.subject();
    if !matches!(hold, Hold::UnknownProduct { .. } | Hold::AmbiguousProduct { .. }) || subject.is_empty() {
        return None;
    }
    let start = address(merchant) + "?";
    let length = start.len();
    let mut query = form_urlencoded::Serializer::for_suffix(start, length);
    query.append_pair("code", &subject);
    Some(query.finish())
}

fn address(merchant: &str) -> String {
    format!("/merchants/{merchant}/mapping")
}

struct View<'a> {
    asked: &'a Asked,
    merchant: Merchant,
    /// What is decided already.
    known: Vec<Mapping>,
    code: String,
    search: String,
    /// None: nothing was looked for.
    found: Option<Result<Vec<Product>, Silence>>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let wish = |wanted: &str| asked.wishes().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let code = wish("code").unwrap_or_default();
    let search = wish("search").unwrap_or_else(|| code.clone());
    let (merchant, known) = asked.see(|sight| {
        let merchant = sight.merchant(asked.slug())?;
        let known = sight.mappings(merchant.id)?;
        Ok((merchant, known))
    })?;
    let is_meant = !code.is_empty() && !search.trim().is_empty();
    let found = is_meant.then(|| asked.context.parts.accounts.products(merchant.id, &search)).transpose()?;
    let view = View { asked, merchant, known, code, search, found };
    Ok(page(&Frame::new(asked, false).with_typing(), asked.lang.mapping().title, &render(&view)))
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let merchant = asked.see(|sight| sight.merchant(asked.slug()))?;
    let product_id = form.get("product").parse().unwrap_or_default();
    let wish = Wish::MappingSet { slug: merchant.slug.clone(), code: form.get("code").to_owned(), product_id };
    asked.perform(actor, wish)?;
    Ok(done(&address(&merchant.slug), Said::Mapped))
}

fn render(view: &View<'_>) -> Markup {
    let words = view.asked.lang.mapping();
    html! {
        h1 { (words.title) " " span.muted { bdi { (view.merchant.name) } } }
        p.hint { (words.hint) }
        form.filter method="get" action=(address(&view.merchant.slug)) {
            label.field { span { (words.code) } input name="code" value=(view.code) required dir="ltr"; }
            label.field { span { (words.search) } input type="search" name="search" value=(view.search) dir="auto"; }
            button.second { (words.look) }
        }
        p.hint { (words.search_hint) }
        @match &view.found {
            None => {},
            Some(Ok(products)) => {
                (table(&[words.product, words.product_code, words.barcode, words.choose], &rows(view, products), words.nothing))
            },
            Some(Err(_)) => p.banner.bad role="alert" { (words.silent) },
        }
        section {
            h2 { (words.known) }
            (table(&[words.code, words.number, words.note], &decided(view), words.nothing_known))
        }
    }
}

fn decided(view: &View<'_>) -> Vec<Markup> {
    let row = |(known, product_id, note): &Mapping| {
        html! {
            td { (code(known)) }
            td { (code(&product_id.to_string())) }
            td { bdi { (note) } }
        }
    };
    view.known.iter().map(row).collect()
}

fn rows(view: &View<'_>, products: &[Product]) -> Vec<Markup> {
    let row = |product: &Product| {
        let fields = html! {
            input type="hidden" name="code" value=(view.code);
            input type="hidden" name="product" value=(product.id);
            button.second aria-label={ (view.asked.lang.mapping().is_this) ": " (product.name) } {
                (view.asked.lang.mapping().is_this)
            }
        };
        html! {
            td.wide { bdi { (product.name) } }
            td { (maybe(&product.code)) }
            td { (maybe(&product.barcode)) }
            td { (form(view.asked, &address(&view.merchant.slug), &fields)) }
        }
    };
    products.iter().map(row).collect()
}

fn maybe(known: &Code) -> Markup {
    html! { @if known.is_none() { "–" } @else { (code(known.as_str())) } }
}

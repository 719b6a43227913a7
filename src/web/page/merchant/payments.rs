//! Whether the shop's money is recorded in Daftra, and how each way of paying is booked there.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Known, Step, save, saved, show_step, silence};
use crate::desk::Secrets;
use crate::desk::file::{Gateway, MerchantFile, Payments};
use crate::domain::offer::WaysOfPaying;
use crate::domain::rules::fold;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{form, table};
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    render(asked, &known, &known.file, None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let mut file = known.file.clone();
    let record = form.get("record") == "yes";
    let rows = form.all("gateway").zip(form.all("method")).zip(form.all("treasury"));
    let gateway = rows.filter(|((_, method), _)| !method.is_empty()).map(|((shopify, method), treasury)| Gateway {
        shopify: shopify.to_owned(),
        method: method.to_owned(),
        treasury_id: treasury.parse().ok().filter(|id| *id > 0),
    });
    file.payments = Payments {
        record,
        from: file.payments.from.filter(|_| record),
        refunds: record && form.get("refunds") == "yes",
        gateway: gateway.collect(),
    };
    match save(asked, actor, file.clone(), Secrets::default())? {
        None => Ok(saved(&known, Step::Payments)),
        Some(wrong) => render(asked, &known, &file, Some(&wrong)),
    }
}

fn render(asked: &Asked, known: &Known, file: &MerchantFile, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let words = asked.lang.merchants();
    let mut gateways = asked.see(|sight| sight.seen(known.merchant.id))?.gateways;
    for one in &file.payments.gateway {
        gateways.entry(fold(&one.shopify)).or_insert_with(|| one.shopify.clone());
    }
    let content = match asked.context.parts.accounts.ways_of_paying(known.merchant.id)? {
        Ok(ways) => content(asked, known, &file.payments, &gateways, &ways),
        Err(why) => {
            html! { p.banner.bad { (silence(why, words)) " " a href=(known.step(Step::Daftra)) { (words.daftra) } } }
        }
    };
    Ok(show_step(asked, known, Step::Payments, wrong, &content))
}

fn content(
    asked: &Asked,
    known: &Known,
    payments: &Payments,
    gateways: &BTreeMap<String, String>,
    ways: &WaysOfPaying,
) -> Markup {
    let words = asked.lang.merchants();
    let choice = |word: &str, checked: bool, label: &str, hint: &str| {
        html! {
            label.choice {
                input type="radio" name="record" value=(word) checked[checked]; " " (label)
                span.hint { (hint) }
            }
        }
    };
    let rows: Vec<Markup> = gateways
        .iter()
        .map(|(key, name)| row(asked, name, payments.gateway.iter().find(|one| fold(&one.shopify) == *key), ways))
        .collect();
    let fields = html! {
        fieldset {
            legend { (words.payments) }
            (choice("no", !payments.record, words.record_not, words.record_not_hint))
            (choice("yes", payments.record, words.record, words.record_hint))
        }
        label.choice { input type="checkbox" name="refunds" value="yes" checked[payments.refunds]; " " (words.refunds) }
        (table(&[words.gateway, words.method, words.treasury], &rows, words.no_gateways))
        div.actions { button { (asked.lang.shell().save) } }
    };
    html! {
        section.card {
            h2 { (words.payments) }
            p.muted { (words.payments_hint) }
            (form(asked, &known.step(Step::Payments), &fields))
        }
    }
}

fn row(asked: &Asked, name: &str, rule: Option<&Gateway>, ways: &WaysOfPaying) -> Markup {
    let words = asked.lang.merchants();
    let method = rule.map(|rule| rule.method.as_str());
    let treasury = rule.and_then(|rule| rule.treasury_id);
    html! {
        td { bdi { (name) } input type="hidden" name="gateway" value=(name); }
        td {
            select name="method" aria-label={ (words.method) ": " (name) } {
                option value="" { (words.choose) }
                @for one in &ways.methods { option value=(one.slug) selected[method == Some(one.slug.as_str())] { (one.label) } }
                @if let Some(slug) = method.filter(|slug| !ways.methods.iter().any(|one| one.slug == *slug)) {
                    option value=(slug) selected { (slug) " · " (words.unlisted) }
                }
            }
        }
        td {
            select name="treasury" aria-label={ (words.treasury) ": " (name) } {
                option value="" { (words.methods_own) }
                @for one in &ways.treasuries { option value=(one.id) selected[treasury == Some(one.id)] { (one.name) } }
                @if let Some(id) = treasury.filter(|id| !ways.treasuries.iter().any(|one| one.id == *id)) {
                    option value=(id) selected { "#" (id) " · " (words.unlisted) }
                }
            }
        }
    }
}

//! The rules for what shops see differently: each choice beside what it leads to.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Known, Step, names, save, saved, show_step};
use crate::desk::Secrets;
use crate::desk::file::MerchantFile;
use crate::domain::rules::{Trigger, fold};
use crate::text::label::policies::Policy;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{form, table};
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let tolerance = known.file.orders.tolerance_minor.map(|minor| minor.to_string()).unwrap_or_default();
    render(asked, &known, &known.file, Typed { tolerance: &tolerance, gateway: "" }, None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let mut file = known.file.clone();
    let MerchantFile { lines, orders, .. } = &mut file;
    choose(form, "shipping", &mut lines.shipping);
    choose(form, "custom", &mut lines.custom);
    choose(form, "gift_card", &mut lines.gift_card);
    choose(form, "tip", &mut lines.tip);
    choose(form, "duty", &mut lines.duty);
    choose(form, "goodwill", &mut lines.goodwill);
    choose(form, "trigger", &mut orders.trigger);
    choose(form, "price", &mut orders.price);
    choose(form, "locked", &mut orders.locked);
    choose(form, "exchange", &mut orders.exchange);
    orders.trigger_by_gateway = triggers(form);
    orders.draft = form.get("draft") == "draft";
    orders.test_orders = form.get("test_orders") == "yes";
    orders.ignored_sources = names(form.get("sources")).into_iter().collect();
    orders.ignored_tags = names(form.get("tags")).into_iter().collect();
    let tolerance = form.get("tolerance");
    let wrong = match tolerance.parse::<i64>() {
        Err(_) if !tolerance.is_empty() => Some(Wrong::at("tolerance", asked.lang.merchants().wrong_tolerance)),
        minor => {
            orders.tolerance_minor = minor.ok();
            save(asked, actor, file.clone(), Secrets::default())?
        }
    };
    match wrong {
        None => Ok(saved(&known, Step::Policies)),
        Some(wrong) => {
            let is_ruled = |name: &&str| file.orders.trigger_by_gateway.contains_key(*name);
            let gateway = form.all("gateway").last().filter(|name| !is_ruled(name)).unwrap_or_default();
            render(asked, &known, &file, Typed { tolerance, gateway }, Some(&wrong))
        }
    }
}

/// The ways of paying for which another moment was chosen.
fn triggers(form: &Form) -> BTreeMap<String, Trigger> {
    let rows = form.all("gateway").zip(form.all("moment")).filter(|(gateway, _)| !gateway.is_empty());
    rows.filter_map(|(gateway, word)| Some((gateway.to_owned(), serde_json::from_value(Value::from(word)).ok()?)))
        .collect()
}

/// What was typed and is no rule: it stands there again.
#[derive(Clone, Copy)]
struct Typed<'a> {
    tolerance: &'a str,
    gateway: &'a str,
}

/// A word that means nothing, or none, leaves the rule as it is.
fn choose<T: DeserializeOwned>(form: &Form, name: &str, rule: &mut T) {
    if let Ok(chosen) = serde_json::from_value(Value::from(form.get(name))) {
        *rule = chosen;
    }
}

fn render(
    asked: &Asked,
    known: &Known,
    file: &MerchantFile,
    typed: Typed<'_>,
    wrong: Option<&Wrong>,
) -> Result<Reply, Problem> {
    let gateways = asked.see(|sight| sight.seen(known.merchant.id))?.gateways;
    let (words, rules) = (asked.lang.merchants(), asked.lang.policies());
    let MerchantFile { lines, orders, .. } = file;
    let list = |name: &str, label: &str, hint: &str, values: Vec<&str>| {
        html! {
            label.field {
                span { (label) }
                textarea name=(name) rows="2" dir="auto" { (values.join("\n")) }
                span.hint { (hint) }
            }
        }
    };
    let fields = html! {
        div.policies {
            (policy("trigger", &rules.trigger, orders.trigger))
            (policy("draft", &rules.draft, if orders.draft { "draft" } else { "issued" }))
            (policy("shipping", &rules.shipping, lines.shipping))
            (policy("custom", &rules.custom, lines.custom))
            (policy("gift_card", &rules.gift_card, lines.gift_card))
            (policy("tip", &rules.tip, lines.tip))
            (policy("duty", &rules.duty, lines.duty))
            (policy("goodwill", &rules.goodwill, lines.goodwill))
            (policy("exchange", &rules.exchange, orders.exchange))
            (policy("locked", &rules.locked, orders.locked))
            (policy("price", &rules.price, orders.price))
        }
        (by_gateway(asked, &orders.trigger_by_gateway, gateways, typed.gateway))
        (list("sources", words.sources, words.sources_hint, orders.ignored_sources.iter().map(String::as_str).collect()))
        (list("tags", words.tags, words.tags_hint, orders.ignored_tags.iter().map(String::as_str).collect()))
        label.choice {
            input type="checkbox" name="test_orders" value="yes" checked[orders.test_orders]; " " (words.test_orders)
        }
        label.field {
            span { (words.tolerance) }
            input name="tolerance" inputmode="numeric" dir="ltr" value=(typed.tolerance);
            span.hint { (words.tolerance_hint) }
        }
        button { (asked.lang.shell().save) }
    };
    let content = html! {
        section.card {
            h2 { (words.policies) }
            p.muted { (words.policies_hint) }
            (form(asked, &known.step(Step::Policies), &fields))
        }
    };
    Ok(show_step(asked, known, Step::Policies, wrong, &content))
}

/// When orders paid in one way are invoiced, where that is not when all others are.
fn by_gateway(
    asked: &Asked,
    rules: &BTreeMap<String, Trigger>,
    mut seen: BTreeMap<String, String>,
    typed: &str,
) -> Markup {
    let (words, moments) = (asked.lang.merchants(), &asked.lang.policies().trigger);
    for name in rules.keys() {
        seen.entry(fold(name)).or_insert_with(|| name.clone());
    }
    let choice = |label: &str, chosen: Option<Trigger>| {
        let chosen = serde_json::to_value(chosen).unwrap_or_default();
        html! {
            select name="moment" aria-label=(label) {
                option value="" { (words.as_others) }
                @for one in &moments.choices { option value=(one.word) selected[chosen == one.word] { (one.label) } }
            }
        }
    };
    let row = |(key, name): (&String, &String)| {
        let rule = rules.iter().find(|(known, _)| fold(known) == *key).map(|(_, trigger)| *trigger);
        html! {
            td { bdi { (name) } input type="hidden" name="gateway" value=(name); }
            td { (choice(&format!("{}: {name}", moments.title), rule)) }
        }
    };
    let mut rows: Vec<Markup> = seen.iter().map(row).collect();
    rows.push(html! {
        td { input.fill name="gateway" value=(typed) dir="auto" aria-label=(words.another_gateway) placeholder=(words.another_gateway); }
        td { (choice(words.another_gateway, None)) }
    });
    html! {
        fieldset {
            legend { (words.by_gateway) }
            p.hint { (words.by_gateway_hint) }
            (table(&[words.gateway, moments.title], &rows, ""))
            ul.hint { @for one in &moments.choices { li { (one.label) ": " (one.consequence) } } }
        }
    }
}

fn policy<const N: usize>(name: &str, policy: &Policy<N>, rule: impl Serialize) -> Markup {
    let chosen = serde_json::to_value(rule).unwrap_or_default();
    html! {
        fieldset {
            legend { (policy.title) }
            @for one in &policy.choices {
                label.choice {
                    input type="radio" name=(name) value=(one.word) checked[chosen == one.word]; " " (one.label)
                    span.hint { (one.consequence) }
                }
            }
        }
    }
}

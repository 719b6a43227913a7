//! The rules for what shops see differently: each choice beside what it leads to.

use maud::{Markup, html};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Known, Step, names, save, saved, show_step};
use crate::desk::Secrets;
use crate::desk::file::MerchantFile;
use crate::text::label::policies::Policy;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::form;
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    Ok(render(asked, &known, &known.file, None))
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
    orders.draft = form.get("draft") == "draft";
    orders.test_orders = form.get("test_orders") == "yes";
    orders.ignored_sources = names(form.get("sources")).into_iter().collect();
    orders.ignored_tags = names(form.get("tags")).into_iter().collect();
    let tolerance = form.get("tolerance");
    let wrong = match tolerance.parse::<i64>() {
        Err(_) if !tolerance.is_empty() => Some(asked.lang.merchants().wrong_tolerance.to_owned()),
        minor => {
            orders.tolerance_minor = minor.ok();
            save(asked, actor, file.clone(), Secrets::default())?
        }
    };
    match wrong {
        None => Ok(saved(&known, Step::Policies)),
        Some(wrong) => Ok(render(asked, &known, &file, Some(&wrong))),
    }
}

/// A word that means nothing, or none, leaves the rule as it is.
fn choose<T: DeserializeOwned>(form: &Form, name: &str, rule: &mut T) {
    if let Ok(chosen) = serde_json::from_value(Value::from(form.get(name))) {
        *rule = chosen;
    }
}

fn render(asked: &Asked, known: &Known, file: &MerchantFile, wrong: Option<&str>) -> Reply {
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
    let tolerance = orders.tolerance_minor.map(|minor| minor.to_string()).unwrap_or_default();
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
        (list("sources", words.sources, words.sources_hint, orders.ignored_sources.iter().map(String::as_str).collect()))
        (list("tags", words.tags, words.tags_hint, orders.ignored_tags.iter().map(String::as_str).collect()))
        label.choice {
            input type="checkbox" name="test_orders" value="yes" checked[orders.test_orders]; " " (words.test_orders)
        }
        label.field {
            span { (words.tolerance) }
            input name="tolerance" inputmode="numeric" dir="ltr" value=(tolerance);
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
    show_step(asked, known, Step::Policies, wrong, &content)
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

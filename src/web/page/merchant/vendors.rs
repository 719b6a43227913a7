//! Whose lines are the merchant's: chosen from the vendors on recent orders, or typed.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Known, Step, names, save, saved, show_step};
use crate::db::seen::{Seen, SeenVendor};
use crate::desk::Secrets;
use crate::desk::file::MerchantFile;
use crate::domain::rules::Vendor;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{form, table};
use crate::web::reply::{Problem, Reply};

/// The word for all lines of a shop.
const EVERY: &str = "*";

/// Who owns which vendor of the shop; nothing where the owner is out of sight.
type Owners = BTreeMap<String, Option<String>>;

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    render(asked, &known, &known.file, None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let mut file = known.file.clone();
    let ticked = form.all("vendor").map(str::to_owned);
    let typed = names(form.get("more"));
    if form.get("whose") == "all" {
        file.lines.vendors = vec![EVERY.to_owned()];
        file.lines.not_vendors = names(form.get("but"));
    } else {
        file.lines.vendors = ticked.chain(typed).filter(|name| name != EVERY && !name.is_empty()).collect();
        file.lines.not_vendors.clear();
    }
    let wrong = if file.lines.vendors.is_empty() {
        Some(Wrong::at("more", asked.lang.merchants().missing))
    } else {
        save(asked, actor, file.clone(), Secrets::default())?
    };
    match wrong {
        None => Ok(saved(&known, Step::Vendors)),
        Some(wrong) => render(asked, &known, &file, Some(&wrong)),
    }
}

fn render(asked: &Asked, known: &Known, file: &MerchantFile, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let (seen, owners) =
        asked.see(|sight| Ok((sight.seen(known.merchant.id)?, sight.vendors_of_shop(&known.merchant.shop_domain)?)))?;
    let content = content(asked, known, file, &seen, &owners, wrong.is_some());
    Ok(show_step(asked, known, Step::Vendors, wrong, &content))
}

/// What was typed stands there again, in the file that was not taken.
fn content(asked: &Asked, known: &Known, file: &MerchantFile, seen: &Seen, owners: &Owners, is_again: bool) -> Markup {
    let words = asked.lang.merchants();
    let own = &file.lines.vendors;
    let is_all = own.iter().any(|name| name == EVERY);
    let is_seen = |name: &str| seen.vendors.contains_key(Vendor::new(name).as_str());
    let unseen: Vec<&str> = own.iter().map(String::as_str).filter(|name| *name != EVERY && !is_seen(name)).collect();
    let choice = |word: &str, checked: bool, label: &str, hint: &str| {
        html! {
            label.choice {
                input type="radio" name="whose" value=(word) checked[checked] required; " " (label)
                span.hint { (hint) }
            }
        }
    };
    let rows: Vec<Markup> =
        seen.vendors.iter().map(|(key, vendor)| row(asked, known, file, key, vendor, owners)).collect();
    let fields = html! {
        fieldset {
            legend { (words.vendors) }
            (choice("all", is_all, words.all_lines, words.all_lines_hint))
            label.field.below {
                span { (words.but_not) }
                textarea name="but" dir="auto" rows="2" { (spelled(&file.lines.not_vendors, seen).join("\n")) }
                span.hint { (words.but_not_hint) }
            }
            (choice("some", !is_all && (is_again || !own.is_empty()), words.only_these, words.only_these_hint))
        }
        @if seen.orders > 0 { p.hint { (words.seen_in) ": " (seen.orders) } }
        (table(&[words.vendor, words.whose, words.orders, words.lines, words.example], &rows, words.nothing_seen))
        label.field {
            span { (words.more_vendors) }
            textarea name="more" dir="auto" rows="3" { (unseen.join("\n")) }
            span.hint { (words.more_vendors_hint) }
        }
        button { (asked.lang.shell().save) }
    };
    html! {
        section.card {
            h2 { (words.vendors) }
            p.muted { (words.vendors_hint) }
            (form(asked, &known.step(Step::Vendors), &fields))
        }
    }
}

/// As the shop writes them, where it was seen how.
fn spelled<'a>(names: &'a [String], seen: &'a Seen) -> Vec<&'a str> {
    let spelling = |name: &'a String| seen.vendors.get(name).map_or(name.as_str(), |vendor| vendor.name.as_str());
    names.iter().map(spelling).collect()
}

fn row(asked: &Asked, known: &Known, file: &MerchantFile, key: &str, vendor: &SeenVendor, owners: &Owners) -> Markup {
    let words = asked.lang.merchants();
    let has = |names: &[String]| names.iter().any(|name| Vendor::new(name).as_str() == key);
    let stored = &known.file.lines;
    let is_all = stored.vendors.iter().any(|name| name == EVERY) && !has(&stored.not_vendors);
    let slug = known.merchant.slug.as_str();
    let owner = owners.get(key).or_else(|| owners.get(EVERY));
    let is_ours = is_all || owners.get(key).is_some_and(|owner| owner.as_deref() == Some(slug));
    let is_others = !is_ours && owner.is_some_and(|owner| owner.as_deref() != Some(slug));
    html! {
        td {
            @if key.is_empty() {
                span.muted { (words.no_vendor) }
            } @else {
                label.choice {
                    input type="checkbox" name="vendor" value=(vendor.name) checked[has(&file.lines.vendors)] disabled[is_others]; " "
                    bdi { (vendor.name) }
                }
            }
        }
        td {
            @if is_ours { span.badge.good { (words.ours) } }
            @else if is_others {
                span.badge.calm { (words.others) }
                @if let Some(Some(owner)) = owner { " " bdi.code dir="ltr" { (owner) } }
            }
            @else { span.badge.warn { (words.nobodys) } }
        }
        td { (vendor.orders) }
        td { (vendor.lines) }
        td.wide { bdi { (vendor.example) } }
    }
}

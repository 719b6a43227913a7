//! How the shop's SKUs become Daftra's codes, and what is looked for by these rules.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{Known, Step, names, save, saved, show_step};
use crate::db::seen::Seen;
use crate::desk::Secrets;
use crate::desk::file::MerchantFile;
use crate::domain::catalog::{Code, Item, candidates};
use crate::domain::order::Line;
use crate::domain::rules::Rules;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{code, form, table};
use crate::web::reply::{Problem, Reply};

/// Signs that are offered; others can be typed.
const SIGNS: [char; 5] = ['-', '_', '.', '/', ' '];

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    render(asked, &known, &known.file, None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let mut file = known.file.clone();
    let lines = &mut file.lines;
    lines.strip_prefixes = names(form.get("strip"));
    form.get("add").clone_into(&mut lines.add_prefix);
    // A space is a sign, too: fields are trimmed, so its box has a word.
    let ticked = form.all("end").filter_map(|sign| if sign == BLANK { Some(' ') } else { sign.chars().next() });
    let typed = form.get("ends").chars().filter(|sign| !sign.is_whitespace());
    lines.separators = ticked.chain(typed).collect();
    lines.sku_is_barcode = form.get("barcode") == "yes";
    match save(asked, actor, file.clone(), Secrets::default())? {
        None => Ok(saved(&known, Step::Codes)),
        Some(wrong) => render(asked, &known, &file, Some(&wrong)),
    }
}

/// Stands for a space in the form.
const BLANK: &str = "blank";

fn render(asked: &Asked, known: &Known, file: &MerchantFile, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let seen = asked.see(|sight| sight.seen(known.merchant.id))?;
    Ok(show_step(asked, known, Step::Codes, wrong, &content(asked, known, file, &seen)))
}

fn content(asked: &Asked, known: &Known, file: &MerchantFile, seen: &Seen) -> Markup {
    let (words, lines) = (asked.lang.codes(), &file.lines);
    let others: String = lines.separators.iter().filter(|sign| !SIGNS.contains(sign)).collect();
    let sign = |sign: char| {
        let value = if sign == ' ' { BLANK.to_owned() } else { sign.to_string() };
        html! {
            label.choice {
                input type="checkbox" name="end" value=(value) checked[lines.separators.contains(&sign)]; " "
                @if sign == ' ' { (words.blank) } @else { (code(&value)) }
            }
        }
    };
    let fields = html! {
        label.field {
            span { (words.strip) }
            textarea name="strip" rows="2" dir="ltr" spellcheck="false" { (lines.strip_prefixes.join("\n")) }
            span.hint { (words.strip_hint) }
        }
        label.field {
            span { (words.add) }
            input name="add" value=(lines.add_prefix) dir="ltr" autocomplete="off" spellcheck="false";
            span.hint { (words.add_hint) }
        }
        fieldset {
            legend { (words.ends) }
            div.row { @for one in SIGNS { (sign(one)) } }
            p.hint { (words.ends_hint) }
        }
        label.field {
            span { (words.others) }
            input name="ends" value=(others) dir="ltr" autocomplete="off" spellcheck="false";
            span.hint { (words.others_hint) }
        }
        label.choice {
            input type="checkbox" name="barcode" value="yes" checked[lines.sku_is_barcode]; " " (words.barcode)
            span.hint { (words.barcode_hint) }
        }
        button { (asked.lang.shell().save) }
    };
    html! {
        section.card {
            h2 { (words.title) }
            p.muted { (words.hint) }
            p { a href={ (known.address()) "/mapping" } { (words.by_hand) } }
            (form(asked, &known.step(Step::Codes), &fields))
        }
        section {
            h2 { (words.looked_for) }
            p.hint { (words.looked_for_hint) }
            (table(&[words.sku, words.codes], &examples(&known.merchant.rules, seen), words.nothing_seen))
        }
    }
}

fn examples(rules: &Rules, seen: &Seen) -> Vec<Markup> {
    let row = |(sku, line): (&String, &Line)| {
        html! {
            td { (code(sku)) }
            td.wide { @for (at, one) in looked_for(line, rules).iter().enumerate() { @if at > 0 { " · " } (code(one.as_str())) } }
        }
    };
    seen.skus.iter().map(row).collect()
}

/// The longest first, as they are tried. The variant's own number is looked for among what was mapped by hand only.
fn looked_for(line: &Line, rules: &Rules) -> Vec<Code> {
    let all: BTreeSet<Code> = candidates(&Item { variant_id: None, sku: &line.sku, barcode: None }, rules);
    let mut all: Vec<Code> = all.into_iter().collect();
    all.sort_by_key(|code| std::cmp::Reverse(code.as_str().chars().count()));
    all
}

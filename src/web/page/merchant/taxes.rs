//! The tax map: each tax that orders carried beside the tax of the account that stands for it.

use maud::{Markup, html};
use rust_decimal::Decimal;

use super::{Known, Step, save, saved, show_step, silence};
use crate::db::seen::Seen;
use crate::desk::Secrets;
use crate::desk::file;
use crate::domain::offer::Tax;
use crate::domain::rules::fold;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{form, table};
use crate::web::reply::{Problem, Reply};

/// One row of the form: a rule that is there, or a tax that no rule names.
struct Row {
    /// Any title, if there is none.
    title: Option<String>,
    rate: String,
    included: bool,
    chosen: Option<i64>,
    lines: usize,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    render(asked, &known, &known.file, None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let mut file = known.file.clone();
    let rows = form.all("title").zip(form.all("rate")).zip(form.all("included")).zip(form.all("daftra"));
    file.tax = rows
        .filter_map(|(((title, rate), included), daftra)| {
            let daftra_id = daftra.parse().ok().filter(|id| *id > 0)?;
            let title = (!title.is_empty()).then(|| title.to_owned());
            Some(file::Tax { title, rate: rate.to_owned(), included: included == "yes", daftra_id })
        })
        .collect();
    match save(asked, actor, file.clone(), Secrets::default())? {
        None => Ok(saved(&known, Step::Taxes)),
        Some(wrong) => render(asked, &known, &file, Some(&wrong)),
    }
}

/// Whether a rule of the file answers for a tax of this title.
pub(super) fn is_mapped(file: &file::MerchantFile, title: &str, rate: Decimal, included: bool) -> bool {
    let fits = |rule: &file::Tax| {
        let names = |text: &str| {
            let mut names: Vec<String> = text.split('+').map(fold).collect();
            names.sort();
            names
        };
        let is_title = rule.title.as_ref().map_or(!title.contains(" + "), |known| names(known) == names(title));
        is_title && rule.included == included && rule.rate.parse::<Decimal>().is_ok_and(|known| known == rate)
    };
    file.tax.iter().any(fits)
}

fn rows(file: &file::MerchantFile, seen: &Seen, taxes: &[Tax]) -> Vec<Row> {
    let lines = |title: Option<&str>, rate: &str, included: bool| {
        let fits = |(key, its_rate, is_included): &(String, Decimal, bool)| {
            title.is_none_or(|title| fold(title) == *key)
                && rate.parse::<Decimal>().is_ok_and(|rate| rate == *its_rate)
                && *is_included == included
        };
        seen.taxes.iter().filter(|(key, _)| fits(key)).map(|(_, tax)| tax.lines).sum()
    };
    let mut rows: Vec<Row> = file
        .tax
        .iter()
        .map(|rule| Row {
            title: rule.title.clone(),
            rate: rule.rate.clone(),
            included: rule.included,
            chosen: Some(rule.daftra_id),
            lines: lines(rule.title.as_deref(), &rule.rate, rule.included),
        })
        .collect();
    for ((_, rate, included), tax) in &seen.taxes {
        if !is_mapped(file, &tax.title, *rate, *included) {
            let mut same = taxes.iter().filter(|one| one.rate == *rate && one.included == *included);
            // Proposed only where no other could be meant.
            let chosen = same.next().filter(|_| same.next().is_none()).map(|one| one.id);
            let title = Some(tax.title.clone());
            rows.push(Row { title, rate: rate.to_string(), included: *included, chosen, lines: tax.lines });
        }
    }
    rows
}

fn render(asked: &Asked, known: &Known, file: &file::MerchantFile, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let words = asked.lang.merchants();
    let seen = asked.see(|sight| sight.seen(known.merchant.id))?;
    let content = match asked.context.parts.accounts.taxes(known.merchant.id)? {
        Ok(taxes) => content(asked, known, file, &seen, &taxes),
        Err(why) => {
            html! { p.banner.bad { (silence(why, words)) " " a href=(known.step(Step::Daftra)) { (words.daftra) } } }
        }
    };
    Ok(show_step(asked, known, Step::Taxes, wrong, &content))
}

fn content(asked: &Asked, known: &Known, file: &file::MerchantFile, seen: &Seen, taxes: &[Tax]) -> Markup {
    let words = asked.lang.merchants();
    let rows: Vec<Markup> = rows(file, seen, taxes).iter().map(|one| row(asked, one, taxes)).collect();
    let headings = [words.tax, words.tax_in_daftra, words.lines];
    let fields = html! {
        (table(&headings, &rows, words.no_taxes))
        div.actions { button { (asked.lang.shell().save) } }
    };
    html! {
        section.card {
            h2 { (words.taxes) }
            p.muted { (words.taxes_hint) }
            (form(asked, &known.step(Step::Taxes), &fields))
        }
    }
}

fn row(asked: &Asked, row: &Row, taxes: &[Tax]) -> Markup {
    let words = asked.lang.merchants();
    let name = row.title.as_deref().unwrap_or(words.any_title);
    let rate: Option<Decimal> = row.rate.parse().ok();
    html! {
        td {
            bdi { (name) } " " bdi.nowrap dir="ltr" { (percent(rate)) }
            div.hint { (words.prices) " " (if row.included { words.included } else { words.excluded }) }
            input type="hidden" name="title" value=(row.title.as_deref().unwrap_or_default());
            input type="hidden" name="rate" value=(row.rate);
            input type="hidden" name="included" value=(if row.included { "yes" } else { "no" });
        }
        td {
            select name="daftra" aria-label={ (words.tax_in_daftra) ": " (name) " " (percent(rate)) } {
                option value="" { (words.not_mapped) }
                // A tax that contains itself in prices stands for no other kind: the sums would differ.
                @for tax in taxes.iter().filter(|tax| tax.included == row.included) {
                    option value=(tax.id) selected[row.chosen == Some(tax.id)] {
                        (tax.name) " (" (percent(Some(tax.rate))) ")"
                        @if Some(tax.rate) == rate { " · " (words.suggested) }
                    }
                }
                @if let Some(id) = row.chosen.filter(|id| !taxes.iter().any(|tax| tax.id == *id && tax.included == row.included)) {
                    option value=(id) selected { "#" (id) " · " (words.unlisted) }
                }
            }
        }
        td { (row.lines) }
    }
}

fn percent(rate: Option<Decimal>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{}%", (rate * Decimal::ONE_HUNDRED).normalize()))
}

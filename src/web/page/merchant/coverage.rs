//! For which of a shop's variants a product is found in Daftra, by which rule, and for which none is: to be looked at before a
//! merchant goes live.

use maud::{Markup, html};

use super::{Known, head, perform};
use crate::db::variant::{self, Coverage};
use crate::desk::{Wish, coverage};
use crate::domain::catalog::Code;
use crate::domain::variant::Outcome;
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{Frame, code, done, form, log, maybe_time, page, table};
use crate::web::reply::{self, Problem, Reply};

/// Of the variants without a product, so many are shown; the file has all.
const ROWS: u32 = 200;

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    answer(asked, &Known::of(asked)?, None)
}

pub(in crate::web) fn look(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::CoverageLook { slug: known.merchant.slug.clone() };
    match perform(asked, actor, wish)? {
        None => Ok(done(&address(&known), Said::Saved)),
        Some(wrong) => answer(asked, &known, Some(&wrong)),
    }
}

/// All variants without a product.
pub(in crate::web) fn csv(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::of(asked)?;
    let rest = asked.see(|sight| sight.uncovered(known.merchant.id, 0, u32::MAX))?;
    let name = format!("qantara-coverage-{}.csv", known.merchant.slug);
    let file = log::export::BYTE_ORDER_MARK.to_owned() + &coverage::file(&rest);
    Ok(reply::file("text/csv; charset=utf-8", &name, file))
}

fn address(known: &Known) -> String {
    format!("{}/coverage", known.address())
}

fn answer(asked: &Asked, known: &Known, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let words = asked.lang.coverage();
    let id = known.merchant.id;
    let (found, since, rest) =
        asked.see(|sight| Ok((sight.coverage(id)?, sight.coverage_under_way(id)?, sight.uncovered(id, 0, ROWS)?)))?;
    let title = format!("{} · {}", words.title, known.merchant.name);
    let content = html! {
        (head(asked, known))
        h2 { (words.title) }
        p { (words.hint) }
        @if since.is_some() {
            p.banner.calm role="status" { (words.under_way) " " (maybe_time(since, &known.zone())) }
        }
        @match &found {
            Some(found) => (result(asked, known, found, &rest)),
            None => p.muted { (words.never) },
        }
        (form(asked, &address(known), &html! { button { (words.look) } }))
    };
    let frame = Frame::new(asked, false);
    Ok(wrong.map_or_else(|| page(&frame, &title, &content), |wrong| wrong.reply(&frame, &title, &content)))
}

fn result(asked: &Asked, known: &Known, found: &Coverage, rest: &[variant::Known]) -> Markup {
    let words = asked.lang.coverage();
    let count = |outcome: &Outcome| found.counts.get(outcome).copied().unwrap_or_default();
    let mut rows: Vec<Markup> = Outcome::ALL
        .iter()
        .filter(|outcome| count(outcome) > 0)
        .map(|outcome| html! { td { (words.outcomes.of(*outcome)) } td { (count(outcome)) } })
        .collect();
    rows.push(html! { td { strong { (words.total) } } td { strong { (found.total()) } } });
    html! {
        section.card {
            p { (words.looked_at) " " (maybe_time(Some(found.read_at), &known.zone())) }
            p { @if found.whole { (words.whole) } @else { (words.of_orders) } }
            (table(&[words.by, words.variants], &rows, ""))
        }
        @if rest.is_empty() {
            p.banner.good { (words.all_found) }
        } @else {
            section {
                h2 { (words.rest) }
                p.hint { (words.rest_hint) }
                p { a.button href={ (address(known)) ".csv" } download { (words.file) } }
                (table(
                    &[words.article, words.variant, words.sku, words.barcode, words.why],
                    &rest.iter().map(|row| line(asked, row)).collect::<Vec<_>>(),
                    "",
                ))
            }
        }
    }
}

fn line(asked: &Asked, row: &variant::Known) -> Markup {
    let words = asked.lang.coverage();
    html! {
        td.wide { bdi { (row.title) } }
        td { (code(&row.id.to_string())) }
        td { (code(&row.sku)) }
        td {
            @match row.barcode.as_ref().map(Code::as_str) {
                Some("") => "–",
                Some(barcode) => (code(barcode)),
                None => (words.unknown_barcode),
            }
        }
        td { @if let Some(outcome) = row.outcome { (words.outcomes.of(outcome)) } }
    }
}

//! Documents in Daftra that name a merchant's orders and were made by somebody else: found, and each adopted or dismissed.

use maud::{Markup, html};

use super::live::answer;
use super::{Known, Step, perform};
use crate::db::namesake::{Namesake, State};
use crate::desk::{AdoptRow, Error, Wish};
use crate::text::refusal::Refusal;
use crate::text::{Notice, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{code, done, form, maybe_time, order, table};
use crate::web::reply::{Problem, Reply};

/// So many are shown; those that wait come first.
const ROWS: u32 = 300;

pub(in crate::web) fn look(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::CutOverLook { slug: known.merchant.slug.clone() };
    said(asked, &known, perform(asked, actor, wish)?)
}

pub(in crate::web) fn adopt(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let invoice = invoice_of(asked)?;
    let all = asked.see(|sight| sight.namesakes(known.merchant.id, u32::MAX))?;
    let one = all.into_iter().find(|one| one.remote_id == invoice).ok_or(Notice::NotFound)?;
    let order = asked.see(|sight| sight.order(one.order_id))?.remote_id.to_string();
    let row = AdoptRow { line: 1, order, invoice: invoice.to_string() };
    let wish = Wish::OrderAdopt { slug: known.merchant.slug.clone(), rows: vec![row] };
    let wrong = match asked.perform(actor, wish) {
        Ok(answer) => {
            let refusal = serde_json::from_value::<Option<Refusal>>(answer["lines"][0]["refusal"].clone());
            refusal.ok().flatten().map(|refusal| Wrong::new(refusal.line(asked.lang)))
        }
        Err(Error::Refused(refusal)) => Some(Wrong::new(refusal.line(asked.lang))),
        Err(error @ Error::Db(_)) => return Err(error.into()),
    };
    said(asked, &known, wrong)
}

pub(in crate::web) fn dismiss(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let wish = Wish::NamesakeDismiss { slug: known.merchant.slug.clone(), invoice: invoice_of(asked)? };
    said(asked, &known, perform(asked, actor, wish)?)
}

fn invoice_of(asked: &Asked) -> Result<i64, Problem> {
    Ok(asked.captured.get(1).and_then(|id| id.parse().ok()).ok_or(Notice::NotFound)?)
}

fn said(asked: &Asked, known: &Known, wrong: Option<Wrong>) -> Result<Reply, Problem> {
    match wrong {
        None => Ok(done(&known.step(Step::Live), Said::Saved)),
        Some(wrong) => answer(asked, known, &wrong),
    }
}

/// For the page about going live.
pub(super) fn section(asked: &Asked, known: &Known) -> Result<Markup, Problem> {
    let words = asked.lang.cut_over();
    let id = known.merchant.id;
    let (look, all) = asked.see(|sight| Ok((sight.look_for_namesakes(id)?, sight.namesakes(id, ROWS)?)))?;
    let rows: Vec<Markup> = all.iter().map(|one| row(asked, known, one)).collect();
    let address = format!("{}/cut-over", known.address());
    Ok(html! {
        section.card {
            h2 { (words.title) }
            p { (words.hint) }
            @if look.since.is_some() {
                p.banner.calm role="status" { (words.under_way) }
            } @else if look.looked_at.is_some() {
                p.muted { (words.looked_at) " " (maybe_time(look.looked_at, &known.zone())) }
            } @else {
                p.muted { (words.never) }
            }
            @if look.looked_at.is_some() || !rows.is_empty() {
                (table(&[words.order, words.invoice, words.total, words.state, ""], &rows, words.none))
            }
            @if !rows.is_empty() { p.hint { (words.adopt_hint) } }
            (form(asked, &address, &html! { button { (words.look) } }))
        }
    })
}

fn row(asked: &Asked, known: &Known, one: &Namesake) -> Markup {
    let words = asked.lang.cut_over();
    let number = one.remote_no.clone().unwrap_or_else(|| one.remote_id.to_string());
    let button = |what: &str, label: &str, is_second: bool| {
        let action = format!("{}/cut-over/{}/{what}", known.address(), one.remote_id);
        form(asked, &action, &html! { button.second[is_second] { (label) } })
    };
    html! {
        td { (order::link(one.order_id, &one.order_name)) }
        td { (code(&number)) }
        td { bdi { (one.total) } }
        td.wide {
            (words.state(one.state))
            @if let Some(fault) = &one.fault { ". " strong { (words.fault(fault)) } }
        }
        td {
            @match one.state {
                State::Open => { (button("adopt", words.adopt, false)) " " (button("dismiss", words.dismiss, true)) },
                State::Adopting => (button("dismiss", words.dismiss, true)),
                State::Dismissed => (button("adopt", words.adopt, true)),
                State::Adopted => {}
            }
        }
    }
}

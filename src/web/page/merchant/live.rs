//! From setting up to shadow, from shadow to live: what is there, what is missing, and what each of them means.

use jiff::Timestamp;
use jiff::civil::DateTime;
use maud::{Markup, html};

use super::{Known, Step, cut_over, save, saved, show_step, taxes};
use crate::db::merchant::Mode;
use crate::db::seen::Seen;
use crate::desk::Secrets;
use crate::desk::file::Missing;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{form, maybe_time};
use crate::web::reply::{Problem, Reply};

/// One line of the list: what is to be there, whether it is, and where it is done.
struct Check {
    label: &'static str,
    is_there: bool,
    step: Step,
    /// Nothing runs without it, not even in shadow.
    is_needed: bool,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    render(asked, &known, "", None)
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let mut file = known.file.clone();
    let from = live_from(form.get("from"), &known);
    file.orders.live_from = None;
    match form.get("mode") {
        "live" => {
            file.mode = Some(Mode::Live);
            file.orders.live_from = from.ok().flatten();
        }
        _ => file.mode = Some(Mode::Shadow),
    }
    let wrong = match from {
        Err(()) => Some(Wrong::at("from", asked.lang.merchants().live_from_wrong)),
        Ok(_) => save(asked, actor, file, Secrets::default())?,
    };
    match wrong {
        None => Ok(saved(&known, Step::Live)),
        Some(wrong) => render(asked, &known, form.get("from"), Some(&wrong)),
    }
}

/// As browsers write what their calendar gives, in the merchant's zone.
fn live_from(text: &str, known: &Known) -> Result<Option<Timestamp>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let local: DateTime = text.parse().map_err(|_| ())?;
    let at = local.to_zoned(known.zone()).map_err(|_| ())?;
    Ok(Some(at.timestamp()))
}

/// The page with a complaint of one of its buttons.
pub(super) fn answer(asked: &Asked, known: &Known, wrong: &Wrong) -> Result<Reply, Problem> {
    render(asked, known, "", Some(wrong))
}

fn checks(asked: &Asked, known: &Known, seen: &Seen) -> Vec<Check> {
    let words = asked.lang.merchants();
    let progress = &known.progress;
    let are_taxes_mapped =
        seen.taxes.iter().all(|((_, rate, included), tax)| taxes::is_mapped(&known.file, &tax.title, *rate, *included));
    let check = |label, is_there, step, is_needed| Check { label, is_there, step, is_needed };
    vec![
        check(words.check_secret, progress.webhook_secrets > 0, Step::Shop, false),
        check(words.check_delivery, progress.last_delivery.is_some(), Step::Webhooks, false),
        check(words.check_key, progress.has_daftra_key && known.merchant.trouble.is_none(), Step::Daftra, true),
        check(words.check_store, !known.lacks(Missing::Store), Step::Daftra, true),
        check(words.check_client, !known.lacks(Missing::Client), Step::Daftra, true),
        check(words.check_vendors, !known.lacks(Missing::Vendors), Step::Vendors, true),
        check(words.check_taxes, are_taxes_mapped, Step::Taxes, false),
    ]
}

fn render(asked: &Asked, known: &Known, from: &str, wrong: Option<&Wrong>) -> Result<Reply, Problem> {
    let words = asked.lang.merchants();
    let seen = asked.see(|sight| sight.seen(known.merchant.id))?;
    let mut checks = checks(asked, known, &seen);
    let may_start = checks.iter().all(|check| check.is_there || !check.is_needed);
    let may_go_live = checks.iter().all(|check| check.is_there);
    let is_live = known.merchant.mode == Mode::Live;
    checks.push(Check {
        label: words.check_shadow,
        is_there: known.progress.shadows > 0 || is_live,
        step: Step::Live,
        is_needed: false,
    });
    let others = match known.merchant.mode {
        Mode::Live | Mode::Shadow => cut_over::section(asked, known)?,
        Mode::Paused | Mode::Closed => html! {},
    };
    let content = html! {
        section.card {
            h2 { (words.checklist) }
            ul.checks { @for check in &checks { (line(asked, known, check)) } }
        }
        @match known.merchant.mode {
            Mode::Live => {
                p.banner.good { (words.live_on) " " (words.live_since) " " (maybe_time(known.merchant.live_from, &known.zone())) }
                (shadow(asked, known, words.shadow_back, true))
                (others)
            },
            Mode::Shadow => {
                p.banner.calm { (words.shadow_on) }
                (others)
                (live(asked, known, from, may_go_live))
            },
            // It goes back to where it was, with the day on which it went live.
            Mode::Paused if known.merchant.live_from.is_some() => {
                section.card { (form(asked, &format!("{}/resume", known.address()), &html! { button { (words.resume) } })) }
            },
            Mode::Paused | Mode::Closed => {
                @if may_start { (shadow(asked, known, words.shadow_start, false)) }
                @else { p.banner.warn { (words.first_finish) } }
            }
        }
    };
    Ok(show_step(asked, known, Step::Live, wrong, &content))
}

fn line(asked: &Asked, known: &Known, check: &Check) -> Markup {
    let words = asked.lang.merchants();
    html! {
        li {
            @if check.is_there {
                span.good role="img" aria-label=(words.is_done) { "✓" } " " (check.label)
            } @else {
                span.warn role="img" aria-label=(words.is_open) { "○" } " "
                @if check.step == Step::Live { (check.label) } @else { a href=(known.step(check.step)) { (check.label) } }
            }
        }
    }
}

fn shadow(asked: &Asked, known: &Known, label: &str, is_second: bool) -> Markup {
    let words = asked.lang.merchants();
    let fields = html! {
        input type="hidden" name="mode" value="shadow";
        button.second[is_second] { (label) }
    };
    html! {
        section.card {
            h2 { (words.shadow_title) }
            p { (words.shadow_hint) }
            (form(asked, &known.step(Step::Live), &fields))
        }
    }
}

fn live(asked: &Asked, known: &Known, from: &str, may: bool) -> Markup {
    let words = asked.lang.merchants();
    let fields = html! {
        input type="hidden" name="mode" value="live";
        label.field {
            span { (words.live_from) }
            input type="datetime-local" name="from" value=(from) dir="ltr";
            span.hint { (words.live_from_hint) }
        }
        button { (words.live_start) }
    };
    html! {
        section.card {
            h2 { (words.live_title) }
            p { (words.live_hint) }
            @if may { (form(asked, &known.step(Step::Live), &fields)) } @else { p.banner.warn { (words.first_finish) } }
        }
    }
}

//! What needs a person: held orders by cause, orders that were given up, and documents in doubt, each with what to do.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::again::{HERE, Wish as Again};
use super::{Frame, code, done, mapping, maybe_time, order, page, time};
use crate::db;
use crate::db::held::{Cause, Doubt};
use crate::db::merchant::{Merchant, Mode};
use crate::db::order::{Filter, Overview, State};
use crate::db::sight::Sight;
use crate::db::user::Role;
use crate::desk::Wish;
use crate::text::{Lang, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{Problem, Reply};

/// The parts of the page, for those who lead here.
pub(super) const HELD: &str = "held";
pub(super) const FAILED: &str = "failed";

/// Failed orders that are shown.
const ROWS: u32 = 100;
/// Failed orders that are shown of each merchant, however many merchants there are.
const FEWEST: u32 = 10;
/// Documents in doubt that are shown.
const DOUBTS: usize = 100;

struct View<'a> {
    asked: &'a Asked,
    /// The slug of the only merchant that is shown.
    only: Option<String>,
    merchants: Vec<Merchant>,
    causes: Vec<Cause>,
    /// More are held than were looked at.
    is_cut: bool,
    failed: Vec<Overview>,
    doubts: Vec<Doubt>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let only = asked.wishes().find(|(name, _)| name == "merchant").map(|(_, slug)| slug.into_owned());
    let view = asked.see(|sight| {
        let id = only.as_deref().map(|slug| sight.merchant(slug)).transpose()?.map(|merchant| merchant.id);
        let (causes, is_cut) = sight.causes(id)?;
        let doubts = sight.doubts(id, DOUBTS)?;
        let merchants = sight.merchants()?;
        let meant: Vec<i64> =
            merchants.iter().map(|merchant| merchant.id).filter(|one| id.is_none_or(|id| id == *one)).collect();
        // Whoever has many hides nobody who has few.
        let share = (ROWS / u32::try_from(meant.len()).unwrap_or(ROWS).max(1)).max(FEWEST);
        let mut failed = Vec::new();
        for one in meant {
            failed.extend(
                sight.orders(Filter { merchant_id: Some(one), state: Some(State::Failed), before: None }, share)?,
            );
        }
        Ok(View { asked, merchants, causes, is_cut, failed, doubts, only })
    })?;
    Ok(page(&Frame::new(asked, false), asked.lang.attention().title, &render(&view)))
}

/// Looks again at every order that one cause holds: of one merchant, or of all whom somebody sees.
pub(in crate::web) fn release(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let cause = form.get("cause").to_owned();
    let about = form.all("about").next().map(|_| form.raw("about").to_owned());
    for slug in meant(asked, form, |sight, id| {
        let is_meant = |one: &Cause| one.cause == cause && about.as_ref().is_none_or(|about| *about == one.about);
        Ok(sight.causes(Some(id))?.0.iter().any(is_meant))
    })? {
        asked.perform(actor, Wish::HoldRelease { slug: Some(slug), cause: cause.clone(), about: about.clone() })?;
    }
    Ok(done(HERE, Said::LooksAgain))
}

/// Tries all failed orders again: of one merchant, or of all whom somebody sees.
pub(in crate::web) fn retry(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    for slug in meant(asked, form, |sight, id| {
        let failed = Filter { merchant_id: Some(id), state: Some(State::Failed), before: None };
        Ok(!sight.orders(failed, 1)?.is_empty())
    })? {
        asked.perform(actor, Wish::FailedRetry { slug })?;
    }
    Ok(done(HERE, Said::LooksAgain))
}

/// The merchant that a form names; or, if it names none, all that are open and have such orders.
fn meant(
    asked: &Asked,
    form: &Form,
    has_some: impl Fn(&Sight<'_>, i64) -> Result<bool, db::Error>,
) -> Result<Vec<String>, Problem> {
    let slug = form.get("merchant");
    Ok(asked.see(|sight| {
        if !slug.is_empty() {
            return Ok(vec![sight.merchant(slug)?.slug]);
        }
        let mut slugs = Vec::new();
        for merchant in sight.merchants()?.into_iter().filter(|merchant| merchant.mode != Mode::Closed) {
            if has_some(sight, merchant.id)? {
                slugs.push(merchant.slug);
            }
        }
        Ok(slugs)
    })?)
}

fn render(view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    let is_fine = view.causes.is_empty() && view.failed.is_empty() && view.doubts.is_empty();
    html! {
        h1 { (words.title) }
        @if view.merchants.len() > 1 { (filter(view)) }
        @if is_fine {
            div.empty { p { strong { (words.nothing) } } p { (words.nothing_next) } }
        }
        @if !view.causes.is_empty() { (held(view)) }
        @if !view.failed.is_empty() { (failed(view)) }
        @if !view.doubts.is_empty() { (doubts(view)) }
    }
}

fn filter(view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    html! {
        form.filter method="get" action=(HERE) {
            label { (words.merchant) " "
                select name="merchant" {
                    option value="" { (words.all) }
                    @for merchant in &view.merchants {
                        option value=(merchant.slug) selected[view.only.as_ref() == Some(&merchant.slug)] { (merchant.name) }
                    }
                }
            }
            button.second { (words.show) }
        }
    }
}

fn held(view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    html! {
        section id=(HELD) {
            h2 { (words.held) }
            p.hint { (words.look_again_hint) }
            @if view.is_cut { p.banner.calm { (words.cut) } }
            @for cause in &view.causes { (one_cause(cause, view)) }
        }
    }
}

fn one_cause(cause: &Cause, view: &View<'_>) -> Markup {
    let (lang, words) = (view.asked.lang, view.asked.lang.attention());
    let sentence = lang.words().hold(&cause.hold, None);
    let of_this = Again { merchant: Some(&cause.merchant), cause: Some(cause.cause), about: Some(&cause.about) };
    // Others may be held for the same kind of reason.
    let is_of_several = view.causes.iter().filter(|other| other.cause == cause.cause).count() > 1;
    let of_kind = Again { merchant: view.only.as_deref(), cause: Some(cause.cause), about: None };
    html! {
        article {
            div.head {
                h3 {
                    span.badge.warn { (cause.orders) " " (count_word(cause.orders, lang)) } " "
                    bdi { (name_of(&cause.merchant, view)) }
                }
                span.muted { (words.since) " " (time(cause.since, &TimeZone::UTC)) " UTC" }
            }
            p { (sentence.what) }
            p { strong { (lang.shell().next_step) ": " } (sentence.next_step) }
            p.names {
                @for (id, name) in &cause.examples { (order::link(*id, name)) " " }
                @if cause.orders > cause.examples.len() { span.muted { (words.and_more) } }
            }
            @if view.asked.viewer.is(Role::Operator) {
                div.actions {
                    @if let Some(address) = mapping::of_hold(&cause.merchant, &cause.hold) {
                        a.button.primary href=(address) { (lang.mapping().choose) }
                    }
                    a.button href=(of_this.address()) { (words.look_again) }
                    @if is_of_several { a href=(of_kind.address()) { (words.look_again_kind) } }
                }
            }
        }
    }
}

fn count_word(count: usize, lang: Lang) -> &'static str {
    if count == 1 { lang.attention().order } else { lang.attention().orders }
}

fn name_of<'a>(slug: &'a str, view: &'a View<'_>) -> &'a str {
    view.merchants.iter().find(|merchant| merchant.slug == slug).map_or(slug, |merchant| &merchant.name)
}

fn failed(view: &View<'_>) -> Markup {
    let (lang, words) = (view.asked.lang, view.asked.lang.attention());
    let slugs: std::collections::BTreeSet<&str> = view.failed.iter().map(|order| order.merchant.as_str()).collect();
    let of_merchant = |merchant| Again { merchant, cause: None, about: None }.address();
    html! {
        section id=(FAILED) {
            h2 { (words.failed) }
            p.hint { (words.failed_hint) }
            @if slugs.len() > 1 && view.asked.viewer.is(Role::Operator) {
                div.actions { a.button href=(of_merchant(None)) { (words.retry_all_merchants) } }
            }
            @for slug in slugs {
                article {
                    h3 { bdi { (name_of(slug, view)) } }
                    ul.plain {
                        @for order in view.failed.iter().filter(|order| order.merchant == slug) {
                            li {
                                (order::link(order.id, &order.name)) " "
                                @if let Some(reason) = &order.reason {
                                    @for sentence in crate::text::reason(lang, reason, None) { span.muted { (sentence.what) } }
                                }
                            }
                        }
                    }
                    @if view.asked.viewer.is(Role::Operator) {
                        div.actions {
                            a.button href=(of_merchant(Some(slug))) { (words.retry_all) }
                        }
                    }
                }
            }
        }
    }
}

fn doubts(view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    html! {
        section #doubt {
            h2 { (words.in_doubt) }
            p.hint { (words.in_doubt_hint) }
            ul.plain.card {
                @for doubt in &view.doubts {
                    li {
                        (order::link(doubt.order_id, &doubt.order)) " · " bdi { (name_of(&doubt.merchant, view)) } " · "
                        (code(&doubt.reference)) " · " (words.since) " " (time(doubt.since, &TimeZone::UTC)) " · "
                        (words.next_look) " " (maybe_time(doubt.look_at, &TimeZone::UTC)) " UTC"
                    }
                }
            }
        }
    }
}

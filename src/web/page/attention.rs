//! What needs a person: held orders by cause, invoices that Daftra refuses to change, orders that were given up, and
//! documents in doubt; each with what to do.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::again::{HERE, Wish as Again};
use super::{Frame, code, done, form, mapping, order, page, time};
use crate::db;
use crate::db::held::{self, Cause, Doubt, LOOKED_AT, Locked};
use crate::db::merchant::{Merchant, Mode};
use crate::db::order::{Filter, Overview, State};
use crate::db::sight::Sight;
use crate::db::user::Role;
use crate::desk::Wish;
use crate::domain::reason::Hold;
use crate::text::Said;
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
/// Documents in doubt, and of those that are locked, that are shown.
const DOCUMENTS: usize = 100;

struct View<'a> {
    asked: &'a Asked,
    /// The slug of the only merchant that is shown.
    only: Option<String>,
    merchants: Vec<Merchant>,
    causes: Vec<Cause>,
    locked: Vec<Locked>,
    /// More are held than were looked at.
    is_cut: bool,
    failed: Vec<Overview>,
    doubts: Vec<Doubt>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let only = asked.wishes().find(|(name, _)| name == "merchant").map(|(_, slug)| slug.into_owned());
    let view = asked.see(|sight| {
        let id = only.as_deref().map(|slug| sight.merchant(slug)).transpose()?.map(|merchant| merchant.id);
        let (held, is_cut) = sight.held_among(id, LOOKED_AT)?;
        let mut causes = held::by_cause(&held);
        causes.retain(|cause| !matches!(cause.hold, Hold::Locked { .. }));
        let mut locked = held::locked(&held);
        let is_cut = is_cut || locked.len() > DOCUMENTS;
        locked.truncate(DOCUMENTS);
        let doubts = sight.doubts(id, DOCUMENTS)?;
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
        Ok(View { asked, merchants, causes, locked, is_cut, failed, doubts, only })
    })?;
    Ok(page(&Frame::new(asked, false).watched(), asked.lang.attention().title, &render(&view)))
}

/// Looks again at every order that one cause holds: of one merchant, or of all whom somebody sees.
pub(in crate::web) fn release(asked: &Asked, actor: &Actor, typed: &Form) -> Result<Reply, Problem> {
    let cause = typed.get("cause").to_owned();
    let about = typed.all("about").next().map(|_| typed.raw("about").to_owned());
    for slug in meant(asked, typed, |sight, id| {
        let is_meant = |one: &Cause| one.cause == cause && about.as_ref().is_none_or(|about| *about == one.about);
        Ok(sight.causes(Some(id))?.0.iter().any(is_meant))
    })? {
        asked.perform(actor, Wish::HoldRelease { slug: Some(slug), cause: cause.clone(), about: about.clone() })?;
    }
    Ok(done(HERE, Said::LooksAgain))
}

/// Tries all failed orders again: of one merchant, or of all whom somebody sees.
pub(in crate::web) fn retry(asked: &Asked, actor: &Actor, typed: &Form) -> Result<Reply, Problem> {
    for slug in meant(asked, typed, |sight, id| {
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
    typed: &Form,
    has_some: impl Fn(&Sight<'_>, i64) -> Result<bool, db::Error>,
) -> Result<Vec<String>, Problem> {
    let slug = typed.get("merchant");
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
    let is_fine = [view.causes.len(), view.locked.len(), view.failed.len(), view.doubts.len()] == [0; 4];
    html! {
        h1 { (words.title) }
        @if view.merchants.len() > 1 { (filter(view)) }
        @if is_fine {
            div.empty { p { strong { (words.nothing) } } p { (words.nothing_next) } }
        }
        @if view.is_cut { p.banner.calm { (words.cut) } }
        @if !view.causes.is_empty() { (held(view)) }
        @if !view.locked.is_empty() { (locked(view)) }
        @if !view.failed.is_empty() { (failed(view)) }
        @if !view.doubts.is_empty() { (doubts(view)) }
        @if let (false, Some(zone)) = (is_fine, only_zone(view)) {
            p.muted { (view.asked.lang.words().labels().times_in) " " (code(zone)) }
        }
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
                    span.badge.warn { (words.orders.of(cause.orders)) } " "
                    bdi { (name_of(&cause.merchant, view)) }
                }
                span.muted { (words.since) " " (at(cause.since, &cause.merchant, view)) }
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

fn name_of<'a>(slug: &'a str, view: &'a View<'_>) -> &'a str {
    view.merchants.iter().find(|merchant| merchant.slug == slug).map_or(slug, |merchant| &merchant.name)
}

/// In the zone of the merchant, which is said beside it where merchants live in several.
fn at(at: Timestamp, slug: &str, view: &View<'_>) -> Markup {
    let merchant = view.merchants.iter().find(|merchant| merchant.slug == slug);
    let zone = merchant.map_or("UTC", |merchant| merchant.time_zone.as_str());
    let known = TimeZone::get(zone);
    let zone = if known.is_ok() { zone } else { "UTC" };
    html! {
        (time(at, &known.unwrap_or(TimeZone::UTC)))
        @if only_zone(view).is_none() { " " (code(zone)) }
    }
}

/// The zone of all merchants that are shown, if it is one.
fn only_zone<'a>(view: &'a View<'_>) -> Option<&'a str> {
    let mut zones = view.merchants.iter().map(|merchant| merchant.time_zone.as_str());
    let first = zones.next()?;
    (TimeZone::get(first).is_ok() && zones.all(|zone| zone == first)).then_some(first)
}

/// Which order, which document, whose, and since when.
fn subject(order_id: i64, order: &str, reference: &str, slug: &str, since: Timestamp, view: &View<'_>) -> Markup {
    html! {
        div.head {
            h3 { (order::link(order_id, order)) " · " (code(reference)) " · " bdi { (name_of(slug, view)) } }
            span.muted { (view.asked.lang.attention().since) " " (at(since, slug, view)) }
        }
    }
}

/// One thing that can be done, and what it does.
fn choice(what: &str, does: &str) -> Markup {
    html! { li { strong { (what) ": " } (does) } }
}

/// Looks at the order now: what its own page has as a button, too.
fn try_again(order_id: i64, label: &str, view: &View<'_>) -> Markup {
    form(view.asked, &format!("/orders/{order_id}/retry"), &html! { button { (label) } })
}

fn locked(view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    html! {
        section #locked {
            h2 { (words.locked) }
            p.hint { (words.locked_hint) }
            @if view.locked.len() > 1 && view.asked.viewer.is(Role::Operator) {
                @let all = Again { merchant: view.only.as_deref(), cause: Some("locked"), about: None };
                div.actions { a.button href=(all.address()) { (words.look_again) } }
            }
            @for one in &view.locked { (one_locked(one, view)) }
        }
    }
}

fn one_locked(one: &Locked, view: &View<'_>) -> Markup {
    let (lang, words) = (view.asked.lang, view.asked.lang.attention());
    // Where others' payments are on it, no new invoice may take its place.
    let may_be_replaced = matches!(&one.hold, Hold::Locked { payments, .. } if payments.is_empty());
    html! {
        article {
            (subject(one.order_id, &one.order, &one.reference, &one.merchant, one.since, view))
            p { (lang.words().hold(&one.hold, None).what) }
            ul {
                (choice(words.unlock, if may_be_replaced { words.unlock_does } else { words.take_payments_does }))
                @if may_be_replaced { (choice(words.replace, words.replace_does)) }
                (choice(words.by_hand, words.by_hand_does))
            }
            @if view.asked.viewer.is(Role::Operator) {
                div.actions {
                    (try_again(one.order_id, lang.words().labels().try_again, view))
                    @if may_be_replaced && view.asked.viewer.is(Role::Owner) {
                        a.button href={ "/merchants/" (one.merchant) "/policies" } { (words.replace_rule) }
                    }
                    a.button href=(order::address(one.order_id)) { (words.to_order) }
                }
            }
        }
    }
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
            @for doubt in &view.doubts { (one_doubt(doubt, view)) }
        }
    }
}

fn one_doubt(doubt: &Doubt, view: &View<'_>) -> Markup {
    let words = view.asked.lang.attention();
    html! {
        article {
            (subject(doubt.order_id, &doubt.order, &doubt.reference, &doubt.merchant, doubt.since, view))
            @if let Some(look_at) = doubt.look_at { p { (words.next_look) " " (at(look_at, &doubt.merchant, view)) } }
            ul {
                (choice(words.wait, words.wait_does))
                (choice(words.look_now, words.look_now_does))
                (choice(words.look_yourself, words.look_yourself_does))
            }
            @if view.asked.viewer.is(Role::Operator) {
                div.actions {
                    (try_again(doubt.order_id, words.look_now, view))
                    a.button href=(order::address(doubt.order_id)) { (words.to_order) }
                }
            }
        }
    }
}

//! One merchant at a glance: whether it is well, what is missing, how it is set, and the buttons that stop it.

use maud::{Markup, html};

use super::{Known, Step, head, perform, steps, webhook_address};
use crate::db::merchant::Mode;
use crate::db::user::Role;
use crate::desk::Wish;
use crate::desk::file::MerchantFile;
use crate::text::Said;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::{Frame, code, done, form, maybe_time, page};
use crate::web::reply::{Problem, Reply};

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::of(asked)?;
    let content = render(asked, &known)?;
    Ok(page(&Frame::new(asked, false).watched(), &known.merchant.name, &content))
}

pub(in crate::web) fn pause(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    turn(asked, actor, &known, Wish::MerchantPause { slug: known.merchant.slug.clone() })
}

pub(in crate::web) fn resume(asked: &Asked, actor: &Actor, _form: &Form) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    turn(asked, actor, &known, Wish::MerchantResume { slug: known.merchant.slug.clone() })
}

fn turn(asked: &Asked, actor: &Actor, known: &Known, wish: Wish) -> Result<Reply, Problem> {
    let Some(wrong) = perform(asked, actor, wish)? else { return Ok(done(&known.address(), Said::Saved)) };
    Ok(wrong.reply(&Frame::new(asked, false), &known.merchant.name, &render(asked, known)?))
}

fn render(asked: &Asked, known: &Known) -> Result<Markup, Problem> {
    let words = asked.lang.merchants();
    let zone = known.zone();
    let now = asked.now();
    let today = now.to_zoned(zone.clone()).start_of_day().map_or(now, |start| start.timestamp());
    let orders = asked.see(|sight| sight.orders_since(known.merchant.id, today))?;
    Ok(html! {
        (head(asked, known))
        (steps(asked, known, None))
        @if known.merchant.mode == Mode::Closed { p.banner.calm { (words.closed) } }
        @else if let Some(trouble) = &known.merchant.trouble {
            @let sentence = asked.lang.words().trouble(trouble);
            p.banner.bad { (sentence.what) " " strong { (sentence.next_step) } }
        }
        section.card {
            dl.figures {
                div { dt { (words.orders_today) } dd { (orders) } }
                div { dt { (words.last_delivery) } dd.small { @if known.progress.last_delivery.is_some() { (maybe_time(known.progress.last_delivery, &zone)) } @else { (words.never) } } }
                div { dt { (words.shadows) } dd { (known.progress.shadows) } }
            }
            div.actions { (buttons(asked, known)) }
        }
        @if asked.viewer.is(Role::Owner) && known.merchant.mode == Mode::Closed { (super::close::way_back(asked, known)) }
        (settings(asked, known))
        @if asked.viewer.is(Role::Owner) && known.merchant.mode != Mode::Closed {
            section { details { summary { (words.close) } (super::close::card(asked, known, "")) } }
        }
    })
}

fn buttons(asked: &Asked, known: &Known) -> Markup {
    let words = asked.lang.merchants();
    let here = known.address();
    let open = Step::ALL.into_iter().find(|step| step.is_done(known) == Some(false));
    let pausing = |action: &str, label: &str| {
        let action = format!("{here}/{action}");
        form(asked, &action, &html! { button.second { (label) } })
    };
    html! {
        @if let (true, Some(step), false) = (asked.viewer.is(Role::Owner), open, known.merchant.mode == Mode::Closed) {
            a.button.primary href=(known.step(step)) {
                @if known.is_begun_only() { (words.go_on) } @else { (step.name(asked.lang)) }
            }
        }
        a.button href={ "/log?merchant=" (known.merchant.slug) } { (words.its_log) }
        @if asked.viewer.is(Role::Operator) {
            a.button href={ (here) "/mapping" } { (asked.lang.mapping().known) }
            @if known.merchant.mode != Mode::Closed { a.button href={ (here) "/coverage" } { (asked.lang.coverage().title) } }
        }
        @if asked.viewer.is(Role::Operator) { a.button href=(super::mails::here(known)) { (asked.lang.mail().title) } }
        @if asked.viewer.is(Role::Owner) && known.merchant.mode != Mode::Closed {
            a.button href={ (here) "/api" } { (asked.lang.shop_api().title) }
        }
        @if asked.viewer.is(Role::Operator) && !known.is_begun_only() {
            @match known.merchant.mode {
                Mode::Live | Mode::Shadow => { (pausing("pause", words.pause)) span.hint { (words.pause_hint) } },
                Mode::Paused => (pausing("resume", words.resume)),
                Mode::Closed => {}
            }
        }
    }
}

/// How it is set, for everybody who may see it.
fn settings(asked: &Asked, known: &Known) -> Markup {
    let (words, label) = (asked.lang.merchants(), asked.lang.words().labels());
    let MerchantFile { shop, lines, .. } = &known.file;
    let (webhooks, _) = webhook_address(asked, &known.merchant.slug);
    let zone = known.zone();
    html! {
        section.card {
            h2 { (words.overview) }
            dl {
                dt { (label.shop) } dd { (code(&shop.domain)) }
                dt { (words.webhooks_address) } dd { (code(&webhooks)) }
                dt { (words.secret) }
                dd { @if known.progress.webhook_secrets > 0 { (words.secret_stored) } @else { (words.secret_none) } }
                dt { (words.zone) } dd { (code(&known.merchant.time_zone)) }
                dt { (words.daftra) }
                dd { @if known.progress.address.is_empty() { (words.no_account_yet) } @else { (code(&known.progress.address)) } }
                dt { (words.vendors) }
                dd {
                    @if lines.vendors.iter().any(|name| name == "*") { (words.all_lines) }
                    @else if lines.vendors.is_empty() { "–" }
                    @else { ul.plain { @for name in &lines.vendors { li { bdi { (name) } } } } }
                }
                @if let Some(since) = known.merchant.live_from {
                    dt { (words.live_since) } dd { (maybe_time(Some(since), &zone)) }
                }
            }
        }
    }
}

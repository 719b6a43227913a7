//! What shops ask for in the name of their customers: until when, what was done, and the buttons for it. For owners.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Frame, code, done, form, page, table, time};
use crate::db::merchant::Merchant;
use crate::db::privacy::{Counts, Kind, NEAR, Request, State};
use crate::desk::Wish;
use crate::text::{self, Lang, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{self, Problem, Reply};

const HERE: &str = "/privacy";
/// More than a server sees in years.
const ROWS: u32 = 500;

struct View<'a> {
    asked: &'a Asked,
    now: Timestamp,
    merchants: BTreeMap<i64, Merchant>,
    /// Merchants whose shops removed our app, and since when.
    gone: Vec<(i64, Timestamp)>,
    requests: Vec<Request>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let view = asked.see(|sight| {
        let merchants: BTreeMap<i64, Merchant> =
            sight.merchants()?.into_iter().map(|merchant| (merchant.id, merchant)).collect();
        let mut gone = Vec::new();
        for id in merchants.keys() {
            gone.extend(sight.uninstalled_at(*id)?.map(|since| (*id, since)));
        }
        let requests = sight.privacy_requests(ROWS)?;
        Ok(View { asked, now: asked.now(), merchants, gone, requests })
    })?;
    Ok(page(&Frame::new(asked, false).watched(), asked.lang.privacy().title, &render(&view)))
}

/// All that is kept of a customer, as a file. Asked for by a form, for it leaves a row in the history.
pub(in crate::web) fn read(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let request_id = known(asked)?;
    let held = asked.perform(actor, Wish::PrivacyRead { request_id })?;
    let text = serde_json::to_string_pretty(&held).unwrap_or_default();
    Ok(reply::file("application/json", &format!("qantara-privacy-{request_id}.json"), text))
}

pub(in crate::web) fn answer(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let request_id = known(asked)?;
    asked.perform(actor, Wish::PrivacyAnswer { request_id })?;
    Ok(done(HERE, Said::Saved))
}

pub(in crate::web) fn redact(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let request_id = known(asked)?;
    asked.perform(actor, Wish::PrivacyRedact { request_id })?;
    Ok(done(HERE, Said::Forgetting))
}

/// The shop of a merchant has our app again.
pub(in crate::web) fn back(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let merchant = asked.see(|sight| sight.merchant(asked.slug()))?;
    asked.perform(actor, Wish::ShopBack { slug: merchant.slug })?;
    Ok(done(HERE, Said::Saved))
}

fn known(asked: &Asked) -> Result<i64, Problem> {
    let id = asked.id()?;
    Ok(asked.see(|sight| sight.privacy_request(id))?.id)
}

fn render(view: &View<'_>) -> Markup {
    let words = view.asked.lang.privacy();
    let (open, ended): (Vec<&Request>, Vec<&Request>) =
        view.requests.iter().partition(|request| matches!(request.state, State::Open | State::Doing));
    let rows: Vec<Markup> = ended.iter().map(|request| past(request, view)).collect();
    html! {
        h1 { (words.title) }
        p.hint { (words.hint) }
        @if !view.gone.is_empty() {
            section #gone {
                h2 { (words.gone) }
                ul.plain.problems { @for (id, since) in &view.gone { li.banner.warn { (left(*id, *since, view)) } } }
            }
        }
        section #open {
            h2 { (words.open) }
            @if open.is_empty() { p.empty { (words.nothing_open) } }
            @for request in open { (card(request, view)) }
        }
        section #past {
            h2 { (words.past) }
            (table(&[words.kind, words.merchant, words.received, words.ended, words.became], &rows, words.nothing_past))
            p.hint { (view.asked.lang.words().labels().times_in) " " (code("UTC")) }
        }
    }
}

fn merchant(id: i64, view: &View<'_>) -> Markup {
    html! {
        @if let Some(merchant) = view.merchants.get(&id) {
            a href={ "/merchants/" (merchant.slug) } { bdi { (merchant.name) } }
        }
    }
}

fn left(id: i64, since: Timestamp, view: &View<'_>) -> Markup {
    let words = view.asked.lang.privacy();
    html! {
        div {
            p { strong { (merchant(id, view)) } " " (time(since, &TimeZone::UTC)) }
            p { (words.gone_hint) }
            @if let Some(merchant) = view.merchants.get(&id) {
                (form(view.asked, &format!("{HERE}/shops/{}/back", merchant.slug), &html! { button.second { (words.back) } }))
            }
        }
    }
}

fn card(request: &Request, view: &View<'_>) -> Markup {
    let (lang, words) = (view.asked.lang, view.asked.lang.privacy());
    let button = |deed: &str, button: &Markup| form(view.asked, &format!("{HERE}/{}/{deed}", request.id), button);
    let is_near = request.due_at - NEAR <= view.now;
    let left = request.due_at.duration_since(view.now).as_secs();
    html! {
        section.card {
            h3 { (kind(request.kind, lang)) " · " (merchant(request.merchant_id, view)) }
            dl {
                dt { (words.received) } dd { (time(request.received_at, &TimeZone::UTC)) }
                dt { (words.due) }
                dd {
                    (time(request.due_at, &TimeZone::UTC))
                    " "
                    span class={ "badge " (if is_near { "warn" } else { "calm" }) } {
                        @if left > 0 { bdi { (text::span(lang, left)) } } @else { (words.late) }
                    }
                }
                @if let Some(customer) = request.customer_id { dt { (words.customer) } dd { (code(&customer.to_string())) } }
                @if request.kind != Kind::ShopRedact {
                    dt { (words.orders) }
                    dd {
                        @if request.orders.is_empty() { (words.no_orders) }
                        @for id in &request.orders { (code(&id.to_string())) " " }
                    }
                }
            }
            @match (request.kind, request.state) {
                (_, State::Doing) => p { (words.doing) },
                (Kind::DataRequest, _) => {
                    p.hint { (words.data_hint) }
                    div.actions {
                        (button("data", &html! { button.second { (words.download) } }))
                        (button("answer", &html! { button { (words.answered) } }))
                    }
                }
                (Kind::CustomerRedact, _) => {
                    p.hint { (words.redact_hint) }
                    div.actions {
                        (button("data", &html! { button.second { (words.download) } }))
                        (button("redact", &html! { button.danger { (words.redact) } }))
                    }
                }
                (Kind::ShopRedact, _) => {
                    p.hint { (words.shop_hint) " " @if let Some(at) = request.begins_at { (time(at, &TimeZone::UTC)) } }
                }
            }
        }
    }
}

fn past(request: &Request, view: &View<'_>) -> Markup {
    let (lang, words) = (view.asked.lang, view.asked.lang.privacy());
    html! {
        td {
            (kind(request.kind, lang))
            @if let Some(customer) = request.customer_id { " " (code(&customer.to_string())) }
        }
        td { (merchant(request.merchant_id, view)) }
        td { (time(request.received_at, &TimeZone::UTC)) }
        td { (time(request.state_at, &TimeZone::UTC)) }
        td.wide {
            @match (request.state, request.kind) {
                (State::Dropped, _) => (words.dropped),
                (_, Kind::DataRequest) => (words.was_answered),
                (State::Open | State::Doing | State::Done, _) => (counted(&request.counts, lang)),
            }
        }
    }
}

fn counted(counts: &Counts, lang: Lang) -> Markup {
    let words = lang.privacy();
    let parts = [
        (words.of_orders, counts.orders),
        (words.of_bodies, counts.bodies),
        (words.of_calls, counts.calls),
        (words.of_texts, counts.texts),
        (words.of_unknown, counts.unknown),
    ];
    html! {
        @for (index, (what, count)) in parts.into_iter().filter(|(_, count)| *count > 0).enumerate() {
            @if index > 0 { " · " }
            (what) ": " (count)
        }
        @if *counts == Counts::default() { (words.of_nothing) }
    }
}

fn kind(kind: Kind, lang: Lang) -> &'static str {
    let words = lang.privacy();
    match kind {
        Kind::DataRequest => words.data_request,
        Kind::CustomerRedact => words.customer_redact,
        Kind::ShopRedact => words.shop_redact,
    }
}

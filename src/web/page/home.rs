//! The overview: what needs somebody, and how the merchants stand.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Frame, badge_of_mode, code, page, table, time};
use crate::db::alert::Alert;
use crate::db::log::Status;
use crate::db::merchant::Merchant;
use crate::db::order::State;
use crate::text::Lang;
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

struct View<'a> {
    frame: Frame<'a>,
    public_address: &'a str,
    alerts: Vec<Alert>,
    merchants: Vec<Merchant>,
    counts: Vec<(i64, State, i64)>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let public_address = asked.context.parts.config.http.public_address.as_deref().unwrap_or_default();
    let view = asked.see(|sight| {
        Ok(View {
            frame: Frame::new(asked, false),
            public_address,
            alerts: sight.alerts()?,
            merchants: sight.merchants()?,
            counts: sight.standing()?,
        })
    })?;
    let content = render(&view);
    Ok(page(&view.frame, asked.lang.shell().overview, &content))
}

fn render(view: &View<'_>) -> Markup {
    let lang = view.frame.lang;
    let label = lang.words().labels();
    html! {
        h1 { (lang.shell().overview) }
        section {
            h2 { (label.alerts) }
            (table(&[label.cause, label.subject, label.count, label.since, label.last_seen], &alerts(view, lang), label.no_alerts))
        }
        section {
            h2 { (label.merchants) }
            (table(&[label.merchant, label.shop, label.mode, label.orders, label.webhook], &merchants(view, lang), label.no_merchants))
        }
    }
}

fn alerts(view: &View<'_>, lang: Lang) -> Vec<Markup> {
    let row = |alert: &Alert| {
        html! {
            td.wide { (lang.words().alert(&alert.cause)) }
            td { bdi { (alert.subject) } }
            td { (alert.count) }
            td { (time(alert.opened_at, &TimeZone::UTC)) }
            td { (time(alert.seen_at, &TimeZone::UTC)) }
        }
    };
    view.alerts.iter().map(row).collect()
}

fn merchants(view: &View<'_>, lang: Lang) -> Vec<Markup> {
    let words = lang.words();
    let row = |merchant: &Merchant| {
        let counts: Vec<_> = view.counts.iter().filter(|(id, ..)| *id == merchant.id).collect();
        html! {
            td {
                a href={ "/log?merchant=" (merchant.slug) } { bdi { (merchant.name) } }
                @if let Some(trouble) = &merchant.trouble {
                    @let sentence = words.trouble(trouble);
                    p.trouble { (sentence.what) " " strong { (sentence.next_step) } }
                }
            }
            td { (code(&merchant.shop_domain)) }
            td { (badge_of_mode(merchant.mode, lang)) }
            td {
                @for (index, (_, state, count)) in counts.iter().enumerate() {
                    span.nowrap {
                        @match rows_of(*state) {
                            Some(status) => a href={ "/log?merchant=" (merchant.slug) "&status=" (status.word()) } {
                                (words.order_state(*state)) " " (count)
                            },
                            None => { (words.order_state(*state)) " " (count) }
                        }
                        @if index + 1 < counts.len() { " ·" }
                    } " "
                }
                @if counts.is_empty() { "–" }
            }
            td { (code(&format!("{}/webhook/{}", view.public_address, merchant.slug))) }
        }
    };
    view.merchants.iter().map(row).collect()
}

/// Where somebody finds the orders that wait for a person.
fn rows_of(state: State) -> Option<Status> {
    match state {
        State::Held => Some(Status::Held),
        State::Failed => Some(Status::Failed),
        State::New | State::Working | State::Waiting | State::Settled | State::Ignored | State::Shadow => None,
    }
}

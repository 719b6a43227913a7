//! The overview: what needs somebody, how the merchants stand, and the newest rows of the sync log.

use hyper::StatusCode;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Around, badge_of_mode, code, layout, log_rows, table, time};
use crate::db;
use crate::db::alert::{self, Alert};
use crate::db::log::{self, Entry, Status};
use crate::db::merchant::{self, Merchant};
use crate::db::order::{self, State};
use crate::text::{Lang, Notice};
use crate::web::auth::Viewer;
use crate::web::context::Context;
use crate::web::reply::{self, Reply};

/// Rows of the log on one page.
const ROWS: u32 = 100;

/// Which rows of the log somebody wants to see.
pub(in crate::web) struct Wish {
    merchant: Option<String>,
    status: Option<Status>,
    before: Option<i64>,
}

impl Wish {
    /// From the query; a field left empty is no wish, a word that means nothing leads nowhere.
    pub(in crate::web) fn parse(query: &str) -> Result<Self, Notice> {
        let mut wish = Self { merchant: None, status: None, before: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()) {
            match &*name {
                "merchant" => wish.merchant = Some(value.into_owned()),
                "status" => wish.status = Some(Status::parse(&value).ok_or(Notice::NotFound)?),
                "before" => wish.before = Some(value.parse().map_err(|_| Notice::NotFound)?),
                _ => {}
            }
        }
        Ok(wish)
    }

    /// The same rows, continued.
    fn older_than(&self, id: i64) -> String {
        let mut query = form_urlencoded::Serializer::for_suffix("/?".to_owned(), 2);
        query.append_pair("before", &id.to_string());
        if let Some(merchant) = &self.merchant {
            query.append_pair("merchant", merchant);
        }
        if let Some(status) = self.status {
            query.append_pair("status", status.word());
        }
        query.finish()
    }
}

struct View<'a> {
    around: Around<'a>,
    wish: &'a Wish,
    public_address: &'a str,
    alerts: Vec<Alert>,
    merchants: Vec<Merchant>,
    counts: Vec<(i64, State, i64)>,
    log: Vec<Entry>,
}

pub(in crate::web) fn show(context: &Context, viewer: &Viewer, wish: &Wish, lang: Lang) -> Result<Reply, db::Error> {
    let public_address = context.parts.config.http.public_address.as_deref().unwrap_or_default();
    let view = context.parts.db.read(|c| {
        let merchants = merchant::all(c)?;
        let merchant_id = match &wish.merchant {
            None => None,
            Some(slug) => {
                let known = merchants.iter().find(|merchant| merchant.slug == *slug);
                Some(known.ok_or(db::Error::NotFound { context: "find the merchant of a filter" })?.id)
            }
        };
        let filter = log::Filter { merchant_id, status: wish.status, order_id: None, before: wish.before };
        Ok(View {
            around: Around::new(context, Some(viewer), false),
            wish,
            public_address,
            alerts: alert::open(c)?,
            merchants,
            counts: order::counts(c)?,
            log: log::list(c, filter, ROWS)?,
        })
    })?;
    Ok(reply::html(StatusCode::OK, render(&view, lang)))
}

fn render(view: &View<'_>, lang: Lang) -> Markup {
    let label = lang.words().labels();
    let utc = TimeZone::UTC;
    let log = log_rows(&view.log, &utc, None, lang, false);
    let older = (u32::try_from(view.log.len()) == Ok(ROWS)).then(|| view.log.last()).flatten();
    let content = html! {
        h1 { (label.overview) }
        section {
            h2 { (label.alerts) }
            (table(&[label.cause, label.subject, label.count, label.since, label.last_seen], &alerts(view, lang), label.no_alerts))
        }
        section {
            h2 { (label.merchants) }
            (table(&[label.merchant, label.shop, label.mode, label.orders, label.webhook], &merchants(view, lang), label.no_merchants))
        }
        section {
            h2 { (label.log) }
            (filter(view, lang))
            (table(&[label.time, label.merchant, label.order, label.status, label.what], &log, label.no_log))
            p.muted { (label.times_in) " " (code("UTC")) }
            @if let Some(last) = older { p { a href=(view.wish.older_than(last.id)) { (label.older) } } }
        }
    };
    layout(lang, label.overview, &view.around, &content)
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
                a href={ "/?merchant=" (merchant.slug) } { bdi { (merchant.name) } }
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
                            Some(status) => a href={ "/?merchant=" (merchant.slug) "&status=" (status.word()) } {
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

fn filter(view: &View<'_>, lang: Lang) -> Markup {
    let (words, label) = (lang.words(), lang.words().labels());
    html! {
        form.filter method="get" action="/" {
            label { (label.merchant) " "
                select name="merchant" {
                    option value="" { (label.all) }
                    @for merchant in &view.merchants {
                        option value=(merchant.slug) selected[view.wish.merchant.as_ref() == Some(&merchant.slug)] {
                            (merchant.name)
                        }
                    }
                }
            }
            label { (label.status) " "
                select name="status" {
                    option value="" { (label.all) }
                    @for status in Status::ALL {
                        option value=(status.word()) selected[view.wish.status == Some(status)] { (words.status(status)) }
                    }
                }
            }
            button { (label.show) }
        }
    }
}

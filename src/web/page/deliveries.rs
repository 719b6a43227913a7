//! The deliveries: what was turned away and why, then all that came in, newest first, and what became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Frame, badge_of_state, code, order, page, removed, table, time};
use crate::db::delivery::Fate;
use crate::db::inbox::{Filter, Received};
use crate::db::merchant::{Merchant, Mode};
use crate::db::rejection::{Rejected, Why};
use crate::db::user::Role;
use crate::text::{Lang, Notice};
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

const HERE: &str = "/deliveries";
/// Deliveries on one page.
const ROWS: u32 = 100;

/// Which deliveries somebody wants to see, as it stands in the address.
#[derive(Default)]
struct Wish {
    merchant: Option<String>,
    topic: Option<String>,
    fate: Option<Fate>,
    before: Option<i64>,
}

struct View<'a> {
    asked: &'a Asked,
    wish: Wish,
    merchants: Vec<Merchant>,
    /// Of the one merchant that is shown, else UTC.
    zone: TimeZone,
    topics: Vec<String>,
    rows: Vec<Received>,
    has_older: bool,
    rejected: Vec<Rejected>,
    /// When the last delivery of a merchant proved itself.
    proved: BTreeMap<i64, Timestamp>,
}

impl Wish {
    /// From the address; a word that means nothing leads nowhere.
    fn parse(asked: &Asked) -> Result<Self, Notice> {
        let mut wish = Self::default();
        for (name, value) in asked.wishes() {
            match &*name {
                "merchant" => wish.merchant = Some(value.into_owned()),
                "topic" => wish.topic = Some(value.into_owned()),
                "fate" => wish.fate = Some(Fate::parse(&value).ok_or(Notice::NotFound)?),
                "before" => wish.before = Some(value.parse().map_err(|_| Notice::NotFound)?),
                _ => {}
            }
        }
        Ok(wish)
    }

    fn is_narrow(&self) -> bool {
        self.merchant.is_some() || self.topic.is_some() || self.fate.is_some()
    }

    /// The same deliveries from another place on.
    fn address(&self, before: Option<i64>) -> String {
        let before = before.map(|id| id.to_string());
        let fields = [
            ("before", before.as_deref()),
            ("merchant", self.merchant.as_deref()),
            ("topic", self.topic.as_deref()),
            ("fate", self.fate.map(Fate::word)),
        ];
        let mut fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?))).peekable();
        if fields.peek().is_none() {
            return HERE.to_owned();
        }
        let start = format!("{HERE}?");
        let length = start.len();
        form_urlencoded::Serializer::for_suffix(start, length).extend_pairs(fields).finish()
    }
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let wish = Wish::parse(asked)?;
    let view = asked.see(|sight| {
        let merchants = sight.merchants()?;
        let chosen = wish.merchant.as_deref().map(|slug| sight.merchant(slug)).transpose()?;
        let only = chosen.as_ref().or(if let [only] = merchants.as_slice() { Some(only) } else { None });
        let zone = only.map_or(TimeZone::UTC, zone);
        let merchant_id = chosen.map(|merchant| merchant.id);
        let filter = Filter { merchant_id, topic: wish.topic.clone(), fate: wish.fate, before: wish.before };
        let mut rows = sight.deliveries(&filter, ROWS + 1)?;
        let has_older = u32::try_from(rows.len()).is_ok_and(|found| found > ROWS);
        rows.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
        let mut rejected = sight.rejected(asked.now())?;
        rejected.retain(|one| merchant_id.is_none() || one.merchant_id == merchant_id);
        let mut proved = BTreeMap::new();
        for id in rejected.iter().filter_map(|one| one.merchant_id) {
            proved.extend(sight.progress(id)?.last_delivery.map(|at| (id, at)));
        }
        let topics = sight.topics(merchant_id)?;
        Ok(View { asked, wish, merchants, zone, topics, rows, has_older, rejected, proved })
    })?;
    // Before the first one somebody waits for it.
    let is_waiting = view.rows.is_empty() && !view.wish.is_narrow();
    let frame = Frame::new(asked, is_waiting).with_typing();
    let frame = if view.wish.before.is_none() { frame.watched() } else { frame };
    Ok(page(&frame, asked.lang.shell().deliveries, &render(&view)))
}

fn zone(merchant: &Merchant) -> TimeZone {
    TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC)
}

fn render(view: &View<'_>) -> Markup {
    let lang = view.asked.lang;
    let (label, words) = (lang.words().labels(), lang.deliveries());
    html! {
        h1 { (lang.shell().deliveries) }
        p.hint { (words.hint) }
        section {
            h2 { (words.turned_away) }
            @if view.rejected.is_empty() {
                p.banner.good { (words.nothing_turned_away) }
            } @else {
                p.hint { (words.turned_away_hint) }
                @for one in &view.rejected { (turned_away(one, view)) }
            }
        }
        section.live.stack #rows {
            h2 { (words.inbox) }
            (filter(view))
            (inbox(view))
            (pager(view))
            p.hint { (label.times_in) " " (code(view.zone.iana_name().unwrap_or("UTC"))) }
        }
    }
}

fn turned_away(one: &Rejected, view: &View<'_>) -> Markup {
    let lang = view.asked.lang;
    let words = lang.deliveries();
    let sentence = lang.words().rejection(one.why, &one.shop);
    let merchant = view.merchants.iter().find(|merchant| Some(merchant.id) == one.merchant_id);
    let zone = merchant.map_or(TimeZone::UTC, zone);
    let tone = if one.is_noise() { "badge calm" } else { "badge warn" };
    let last_proved = one.merchant_id.and_then(|id| view.proved.get(&id));
    let is_about_secrets =
        !one.is_noise() && matches!(one.why, Why::OtherSecret | Why::ForgottenSecret | Why::OtherShop);
    html! {
        article {
            div.head {
                h3 {
                    @match merchant {
                        Some(merchant) => a href={ "/merchants/" (merchant.slug) } { bdi { (merchant.name) } },
                        None => (words.of_nobody),
                    }
                }
                span.muted { (words.last) " " (time(one.last_at, &zone)) " " (code(zone.iana_name().unwrap_or("UTC"))) }
            }
            p {
                span class=(tone) { (one.week) " " (words.in_a_week) } " "
                @if one.day > 0 { span class=(tone) { (one.day) " " (words.in_a_day) } " " }
                (sentence.what)
            }
            p { strong { (lang.shell().next_step) ": " } (sentence.next_step) }
            @if one.why == Why::OtherSecret {
                p.hint {
                    @match last_proved {
                        Some(at) => { (words.proved) " " (time(*at, &zone)) },
                        None => (words.never_proved),
                    }
                }
            }
            @if let Some(merchant) = merchant.filter(|merchant| is_about_secrets && merchant.mode != Mode::Closed) {
                @if view.asked.viewer.is(Role::Owner) {
                    div.actions {
                        a.button href={ "/merchants/" (merchant.slug) "/shop" @if one.why != Why::OtherShop { "#secret" } } {
                            @if one.why == Why::OtherShop { (lang.merchants().domain) } @else { (words.to_secret) }
                        }
                    }
                }
            }
        }
    }
}

fn filter(view: &View<'_>) -> Markup {
    let (lang, wish) = (view.asked.lang, &view.wish);
    let (label, words) = (lang.words().labels(), lang.deliveries());
    let is_unlisted = |topic: &&String| !view.topics.contains(topic);
    html! {
        form.filter method="get" action=(HERE) role="search" {
            @if view.merchants.len() > 1 {
                label { (label.merchant) br;
                    select name="merchant" {
                        option value="" { (label.all) }
                        @for merchant in &view.merchants {
                            option value=(merchant.slug) selected[wish.merchant.as_ref() == Some(&merchant.slug)] {
                                (merchant.name)
                            }
                        }
                    }
                }
            }
            label { (label.topic) br;
                select name="topic" dir="ltr" {
                    option value="" { (label.all) }
                    @for topic in view.topics.iter().chain(wish.topic.iter().filter(is_unlisted)) {
                        option value=(topic) selected[wish.topic.as_ref() == Some(topic)] { (topic) }
                    }
                }
            }
            label { (words.fate) br;
                select name="fate" {
                    option value="" { (label.all) }
                    @for fate in Fate::ALL {
                        option value=(fate.word()) selected[wish.fate == Some(fate)] { (lang.words().fate(fate)) }
                    }
                }
            }
            button { (label.show) }
            @if wish.is_narrow() { a.button href=(HERE) { (words.clear) } }
        }
    }
}

fn inbox(view: &View<'_>) -> Markup {
    let lang = view.asked.lang;
    let (label, words) = (lang.words().labels(), lang.deliveries());
    let of_one = view.merchants.len() == 1 || view.wish.merchant.is_some();
    let may_open = view.asked.viewer.is(Role::Owner);
    let row = |one: &Received| {
        let name =
            view.merchants.iter().find(|merchant| merchant.id == one.merchant_id).map_or("", |known| &known.name);
        html! {
            td { (time(one.received_at, &view.zone)) }
            @if !of_one { td { bdi { (name) } } }
            td { (code(&one.topic)) }
            td.nowrap { @if let Some(order) = &one.order { (order::link(order.id, &order.name)) } @else { "–" } }
            td {
                @match (&one.order, one.fate) {
                    (Some(order), Fate::Order) => (badge_of_state(order.state, lang)),
                    (_, fate) => (badge(fate, lang)),
                }
                @if one.repeats > 0 { " " span.muted.nowrap { (words.repeated) " × " (one.repeats) } }
            }
            @if may_open {
                td.nowrap {
                    @if one.has_body { a href={ (HERE) "/" (one.id) "/body" } { (lang.order().show_body) } }
                    @else { (removed(view.asked.context.parts.config.retention.bodies_days, lang)) }
                }
            }
        }
    };
    let rows: Vec<Markup> = view.rows.iter().map(row).collect();
    let mut headings = vec![label.received];
    headings.extend((!of_one).then_some(label.merchant));
    headings.extend([label.topic, label.order, words.fate]);
    headings.extend(may_open.then_some(lang.order().body));
    table(&headings, &rows, if view.wish.is_narrow() { words.nothing_fits } else { words.nothing_yet })
}

/// One that did not go to an order.
fn badge(fate: Fate, lang: Lang) -> Markup {
    let tone = match fate {
        Fate::Unreadable => "badge bad",
        Fate::Order | Fate::Sample | Fate::Other => "badge calm",
    };
    html! { span class=(tone) { (lang.words().fate(fate)) } }
}

fn pager(view: &View<'_>) -> Markup {
    let (wish, words) = (&view.wish, view.asked.lang.deliveries());
    let last = view.rows.last().filter(|_| view.has_older);
    html! {
        @if wish.before.is_some() || last.is_some() {
            div.pager role="navigation" aria-label=(words.pages) {
                span { @if wish.before.is_some() { a href=(wish.address(None)) { (words.newest) } } }
                @if let Some(last) = last {
                    a href=(wish.address(Some(last.id))) rel="next" { (view.asked.lang.words().labels().older) }
                }
            }
        }
    }
}

//! The overview: is everything fine? Problems first, each with its button; then the day and the month, and each merchant in
//! figures.

mod chart;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use self::chart::chart;
use super::alerts::Subjects;
use super::attention::{FAILED, HELD};
use super::{Frame, badge_of_mode, order, page, time};
use crate::db;
use crate::db::alert::{Alert, Cause};
use crate::db::merchant::Merchant;
use crate::db::order::State;
use crate::db::pulse::{self, DEEPEST, Outcomes, Pulse, Queue, Soon};
use crate::db::rejection::{self, Rise};
use crate::db::scope::Scope;
use crate::db::user::Role;
use crate::text::{self, Lang};
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};

const DAYS: i64 = 30;

struct View<'a> {
    frame: Frame<'a>,
    may_add: bool,
    now: Timestamp,
    alerts: Vec<Alert>,
    subjects: Subjects,
    /// Held and failed orders of all merchants.
    stuck: [(State, i64); 2],
    /// Where deliveries that prove nothing come in.
    rises: Vec<Rise>,
    rows: Vec<Row>,
}

/// One merchant.
struct Row {
    merchant: Merchant,
    zone: TimeZone,
    /// The hour in which its day began.
    midnight: i64,
    pulse: Pulse,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let now = asked.now();
    let month = pulse::hour(now) - DAYS * 24;
    let view = asked.see(|sight| {
        let standing = sight.standing()?;
        let count = |wanted| standing.iter().filter(|(_, state, _)| *state == wanted).map(|(.., count)| count).sum();
        let row = |merchant: Merchant| {
            let zone = TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC);
            let midnight = pulse::midnight(now, &zone);
            Ok::<_, db::Error>(Row { pulse: sight.pulse(merchant.id, month, now)?, merchant, zone, midnight })
        };
        Ok(View {
            frame: Frame::new(asked, false).watched(),
            may_add: asked.viewer.is(Role::Owner) && asked.viewer.user().scope == Scope::All,
            now,
            alerts: sight.alerts()?,
            subjects: Subjects::of(sight)?,
            rises: rejection::rising(&sight.rejected(now)?),
            stuck: [State::Held, State::Failed].map(|state| (state, count(state))),
            rows: sight.merchants()?.into_iter().map(row).collect::<Result<_, _>>()?,
        })
    })?;
    Ok(page(&view.frame, asked.lang.shell().overview, &render(&view)))
}

fn render(view: &View<'_>) -> Markup {
    let lang = view.frame.lang;
    let words = lang.home();
    html! {
        h1 { (lang.shell().overview) }
        @if view.rows.is_empty() {
            div.empty {
                p { strong { (words.nobody_yet) } }
                p { (words.nobody_yet_next) }
                @if view.may_add { a.button.primary href="/merchants/new" { (lang.merchants().add) } }
            }
        } @else {
            (problems(view, lang))
            (day(view, lang))
            (charts(view, lang))
            section { h2 { (lang.words().labels().merchants) } (merchants(view, lang)) }
        }
    }
}

fn problems(view: &View<'_>, lang: Lang) -> Markup {
    let words = lang.home();
    let troubled: Vec<&Row> = view.rows.iter().filter(|row| row.merchant.trouble.is_some()).collect();
    // A merchant's trouble is told at the merchant, with what to do.
    // So is that deliveries prove nothing, with their numbers.
    let told = [Cause::Trouble, Cause::Signatures].map(Cause::word);
    let others: Vec<&Alert> = view.alerts.iter().filter(|alert| !told.contains(&alert.cause.as_str())).collect();
    let stuck: Vec<_> = view.stuck.iter().filter(|(_, count)| *count > 0).collect();
    html! {
        @if troubled.is_empty() && others.is_empty() && stuck.is_empty() && view.rises.is_empty() {
            p.banner.good { (words.all_is_well) }
        } @else {
            section {
                h2 { (words.problems) }
                ul.plain.problems {
                    @for row in troubled {
                        @if let Some(trouble) = &row.merchant.trouble {
                            @let sentence = lang.words().trouble(trouble);
                            li.banner.bad {
                                p { strong { bdi { (row.merchant.name) } } " – " (sentence.what) }
                                p { (sentence.next_step) }
                            }
                        }
                    }
                    @for (state, count) in stuck {
                        li.banner.warn {
                            p { strong { (stuck_orders(*state, *count, lang)) } }
                            a.button href={ "/attention#" (stuck_part(*state)) } { (words.see_orders) }
                        }
                    }
                    @for rise in &view.rises { li.banner.warn { (turned_away(rise, view, lang)) } }
                    @for alert in others {
                        @let sentence = text::alert(lang, &alert.cause);
                        li.banner.warn {
                            div {
                                p {
                                    strong { (sentence.what) } " " (view.subjects.show(alert))
                                    @if alert.count > 1 { " " span.muted { "× " (alert.count) } }
                                }
                                p { (sentence.next_step) }
                                p.muted { (time(alert.seen_at, &TimeZone::UTC)) " UTC" }
                            }
                            a.button href="/alerts" { (lang.alerts().all) }
                        }
                    }
                }
            }
        }
    }
}

fn turned_away(rise: &Rise, view: &View<'_>, lang: Lang) -> Markup {
    let words = lang.home();
    let row = view.rows.iter().find(|row| Some(row.merchant.id) == rise.merchant_id);
    let zone = row.map_or(TimeZone::UTC, |row| row.zone.clone());
    html! {
        div {
            p {
                strong { bdi { (row.map_or(words.of_nobody, |row| row.merchant.name.as_str())) } } " – "
                (words.rejected.of(rise.day))
            }
            p.muted {
                (words.rejected_before) ": " (rise.day_before) " · " (words.rejected_last) " " (time(rise.last_at, &zone))
            }
        }
        a.button href="/deliveries" { (words.see_why) }
    }
}

fn stuck_orders(state: State, count: i64, lang: Lang) -> String {
    let words = lang.home();
    if state == State::Failed { words.failed_orders.of(count) } else { words.held_orders.of(count) }
}

fn stuck_part(state: State) -> &'static str {
    if state == State::Failed { FAILED } else { HELD }
}

fn day(view: &View<'_>, lang: Lang) -> Markup {
    let words = lang.home();
    let mut today = Outcomes::default();
    view.rows.iter().for_each(|row| today.plus(pulse::since(&row.pulse, row.midnight)));
    let begin = view.rows.iter().map(|row| row.midnight).min().unwrap_or_default();
    let soon = |percent| pulse::within(view.rows.iter().map(|row| &row.pulse), begin, percent);
    html! {
        section.card {
            h2 { (words.today) }
            dl.figures {
                (figure(words.orders, &today.all().to_string()))
                (figure(words.invoiced, &today.done.to_string()))
                (figure(words.stuck, &today.stuck.to_string()))
                (figure(words.open, &today.open.to_string()))
                (figure(words.ignored, &today.ignored.to_string()))
                (figure(words.success, &percent(today.success(), lang)))
                (figure(words.median, &quickly(soon(50), lang)))
                (figure(words.p95, &quickly(soon(95), lang)))
            }
        }
    }
}

fn figure(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { bdi { (value) } } } }
}

fn percent(value: Option<i64>, lang: Lang) -> String {
    value.map_or_else(|| lang.shell().nothing.to_owned(), |value| format!("{value} %"))
}

fn quickly(soon: Option<Soon>, lang: Lang) -> String {
    match soon {
        Some(Soon(Some(seconds))) => text::span(lang, seconds),
        Some(Soon(None)) => lang.home().longer.to_owned(),
        None => lang.shell().nothing.to_owned(),
    }
}

fn charts(view: &View<'_>, lang: Lang) -> Markup {
    let pulses: Vec<Pulse> = view.rows.iter().map(|row| row.pulse.clone()).collect();
    // Bars of merchants who live apart stand side by side by the clock of the first.
    let zone = view.rows.first().map_or(TimeZone::UTC, |row| row.zone.clone());
    let now = pulse::hour(view.now);
    let hour = |at: i64| Timestamp::from_second(at * 3_600).unwrap_or_default().to_zoned(zone.clone());
    let hours = (now - 23..=now).map(|at| hour(at).strftime("%H:00").to_string());
    let hours: Vec<_> = hours.zip(pulse::steps(&pulses, now, 24, 1)).collect();
    let end_of_day = view.rows.first().map_or(now, |row| row.midnight + 23);
    let days = (0..DAYS).rev().map(|back| hour(end_of_day - back * 24).strftime("%Y-%m-%d").to_string());
    let days: Vec<_> = days.zip(pulse::steps(&pulses, end_of_day, DAYS, 24)).collect();
    html! {
        section.grid.charts {
            div.card { (chart(lang, lang.home().last_24_hours, &hours)) }
            div.card { (chart(lang, lang.home().last_30_days, &days)) }
        }
    }
}

fn merchants(view: &View<'_>, lang: Lang) -> Markup {
    let words = lang.home();
    html! {
        div.grid {
            @for row in &view.rows {
                article {
                    div.head {
                        h3 { a href={ "/log?merchant=" (row.merchant.slug) } { bdi { (row.merchant.name) } } }
                        (badge_of_mode(row.merchant.mode, lang))
                    }
                    dl.facts { (facts(row, view.now, lang)) }
                    @if let Some(trouble) = &row.merchant.trouble {
                        p.trouble { (words.health) ": " (lang.words().trouble(trouble).what) }
                    }
                }
            }
        }
    }
}

fn facts(row: &Row, now: Timestamp, lang: Lang) -> Markup {
    let words = lang.home();
    let today = pulse::since(&row.pulse, row.midnight);
    let soon = |percent| quickly(pulse::within([&row.pulse], row.midnight, percent), lang);
    html! {
        dt { (words.today) }
        dd {
            (words.orders) " " strong { (today.all()) }
            @for (name, count) in [(words.invoiced, today.done), (words.stuck, today.stuck), (words.open, today.open), (words.ignored, today.ignored)] {
                @if count > 0 { " · " span.nowrap { (name) " " (count) } }
            }
        }
        dt { (words.success) } dd { (percent(today.success(), lang)) }
        dt { (words.pace) } dd { (words.half) " " strong { (soon(50)) } " · " (words.p95) " " strong { (soon(95)) } }
        dt { (words.queue) } dd { (queue(row.pulse.queue, now, lang)) }
        @if let Some((id, name, since)) = &row.pulse.oldest_hold {
            dt { (words.oldest_hold) } dd { (order::link(*id, name)) " · " (ago(*since, now, lang)) }
        }
        dt { (words.last_delivery) }
        dd { @match row.pulse.last_delivery { Some(at) => (time(at, &row.zone)), None => (words.never) } }
        @if row.merchant.trouble.is_none() { dt { (words.health) } dd { span.good { (words.healthy) } } }
    }
}

fn queue(queue: Queue, now: Timestamp, lang: Lang) -> Markup {
    html! {
        (queue.depth) @if queue.depth == DEEPEST { "+" }
        @if let Some(oldest) = queue.oldest { " · " (ago(oldest, now, lang)) }
    }
}

fn ago(since: Timestamp, now: Timestamp, lang: Lang) -> Markup {
    html! { bdi { (text::span(lang, now.duration_since(since).as_secs())) } }
}

//! The daily statements: every order of a day in one class, each within reach.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::log::export;
use super::{Frame, code, order, page, table, time};
use crate::db::class::Class;
use crate::db::examination::Examination;
use crate::db::merchant::Merchant;
use crate::db::statement::{Line, Statement};
use crate::domain::sequence::Gap;
use crate::text::{Lang, Notice};
use crate::web::asked::Asked;
use crate::web::reply::{self, Problem, Reply};

const HERE: &str = "/statements";
/// Statements on one page.
const ROWS: u32 = 60;

struct View<'a> {
    asked: &'a Asked,
    merchants: Vec<Merchant>,
    chosen: Option<Merchant>,
    is_later: bool,
    rows: Vec<Statement>,
    has_older: bool,
    /// Of the merchant that is shown alone.
    examined: Option<Examination>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let field = |wanted: &str| asked.wishes().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let before = field("before").map(|day| day.parse::<Date>()).transpose().map_err(|_| Notice::NotFound)?;
    let slug = field("merchant");
    let view = asked.see(|sight| {
        let chosen = slug.as_deref().map(|slug| sight.merchant(slug)).transpose()?;
        let mut rows = sight.statements(chosen.as_ref().map(|merchant| merchant.id), before, ROWS + 1)?;
        let has_older = u32::try_from(rows.len()).is_ok_and(|found| found > ROWS);
        if has_older {
            // The next page begins with a day: none is cut in two.
            let last = rows.pop().map(|row| row.day);
            rows.retain(|row| Some(row.day) != last);
        }
        let merchants = sight.merchants()?;
        let only = chosen.as_ref().or(if let [only] = merchants.as_slice() { Some(only) } else { None });
        let examined = only.map(|merchant| sight.examined(merchant.id)).transpose()?.flatten();
        Ok(View { asked, merchants, chosen, is_later: before.is_some(), rows, has_older, examined })
    })?;
    Ok(page(&Frame::new(asked, false), asked.lang.statements().title, &render(&view)))
}

fn render(view: &View<'_>) -> Markup {
    let words = view.asked.lang.statements();
    html! {
        h1 { (words.title) }
        p.hint { (words.hint) }
        @if let Some(examined) = &view.examined { p.hint { (night(examined, view.asked.lang)) } }
        section.stack #rows {
            (filter(view))
            (list(view))
            (pager(view))
        }
    }
}

fn night(examined: &Examination, lang: Lang) -> String {
    let words = lang.statements();
    if examined.ended_at.is_some() { words.examined.of(examined.orders) } else { words.examining.of(examined.orders) }
}

fn filter(view: &View<'_>) -> Markup {
    let (label, words) = (view.asked.lang.words().labels(), view.asked.lang.statements());
    html! {
        @if view.merchants.len() > 1 {
            form.filter method="get" action=(HERE) role="search" {
                label { (label.merchant) br;
                    select name="merchant" {
                        option value="" { (label.all) }
                        @for merchant in &view.merchants {
                            option value=(merchant.slug) selected[view.is_of(merchant)] { (merchant.name) }
                        }
                    }
                }
                button { (label.show) }
                @if view.chosen.is_some() { a.button href=(HERE) { (words.clear) } }
            }
        }
    }
}

impl View<'_> {
    fn is_of(&self, merchant: &Merchant) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.id == merchant.id)
    }
}

fn list(view: &View<'_>) -> Markup {
    let lang = view.asked.lang;
    let (label, words) = (lang.words().labels(), lang.statements());
    let of_one = view.merchants.len() == 1 || view.chosen.is_some();
    let row = |one: &Statement| {
        let merchant = view.merchants.iter().find(|merchant| merchant.id == one.merchant_id);
        html! {
            td.nowrap { @if let Some(merchant) = merchant { a href=(address(merchant, one.day)) { (day(one.day)) } } }
            @if !of_one { td { bdi { (merchant.map_or("", |known| known.name.as_str())) } } }
            td { (one.orders()) }
            td.wide { (counts(one, lang)) }
            td { (numbers(&one.missing, "warn")) }
        }
    };
    let mut headings = vec![words.day];
    headings.extend((!of_one).then_some(label.merchant));
    headings.extend([words.orders, words.classes, words.missing]);
    let rows: Vec<Markup> = view.rows.iter().map(row).collect();
    table(&headings, &rows, if view.chosen.is_some() || view.is_later { words.nothing_fits } else { words.nothing })
}

fn address(merchant: &Merchant, day: Date) -> String {
    format!("/merchants/{}/statements/{day}", merchant.slug)
}

fn day(day: Date) -> Markup {
    html! { time dir="ltr" datetime=(day) { (day) } }
}

fn counts(statement: &Statement, lang: Lang) -> Markup {
    html! {
        @for (class, count) in &statement.counts { span class={ "badge " (tone(*class)) } { (lang.words().class(*class)) " " (count) } " " }
    }
}

fn tone(class: Class) -> &'static str {
    match class {
        Class::Invoiced | Class::Cancelled => "good",
        Class::Failed => "bad",
        Class::Held | Class::InDoubt => "warn",
        Class::Ignored | Class::Waiting | Class::Shadow | Class::InWork => "calm",
    }
}

fn numbers(gaps: &[Gap], tone: &str) -> Markup {
    html! {
        @for gap in gaps {
            span class={ "badge " (tone) } dir="ltr" { @if gap.from == gap.to { (gap.from) } @else { (gap.from) " – " (gap.to) } } " "
        }
    }
}

fn pager(view: &View<'_>) -> Markup {
    let words = view.asked.lang.statements();
    let last = view.rows.last().filter(|_| view.has_older);
    let narrow = view.chosen.as_ref().map(|merchant| format!("merchant={}", merchant.slug)).unwrap_or_default();
    html! {
        @if view.is_later || last.is_some() {
            div.pager role="navigation" aria-label=(words.pages) {
                span { @if view.is_later { a href={ (HERE) "?" (narrow) } { (words.newest) } } }
                @if let Some(last) = last {
                    a href={ (HERE) "?" (narrow) "&before=" (last.day) } rel="next" { (view.asked.lang.words().labels().older) }
                }
            }
        }
    }
}

/// One day of one merchant.
struct Day {
    merchant: Merchant,
    statement: Statement,
    lines: Vec<Line>,
    /// The shop's own list has no others.
    is_proven: bool,
}

impl Day {
    fn of(asked: &Asked) -> Result<Self, Problem> {
        let day: Date = asked.captured.get(1).and_then(|day| day.parse().ok()).ok_or(Notice::NotFound)?;
        Ok(asked.see(|sight| {
            let merchant = sight.merchant(asked.slug())?;
            let (statement, lines) = sight.statement(merchant.id, day)?;
            let is_proven = sight.is_proven(&statement)?;
            Ok(Self { merchant, statement, lines, is_proven })
        })?)
    }

    fn of_class(&self, class: Class) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.class == class).collect()
    }
}

pub(in crate::web) fn one(asked: &Asked) -> Result<Reply, Problem> {
    let told = Day::of(asked)?;
    let words = asked.lang.statements();
    let title = format!("{} {}", words.of, told.statement.day);
    Ok(page(&Frame::new(asked, false), &title, &render_one(asked, &told)))
}

fn render_one(asked: &Asked, told: &Day) -> Markup {
    let (lang, words) = (asked.lang, asked.lang.statements());
    let zone = told.merchant.zone().unwrap_or(TimeZone::UTC);
    let statement = &told.statement;
    html! {
        div.head {
            h1 { (words.of) " " (day(statement.day)) }
            div.actions {
                a.button href={ (address(&told.merchant, statement.day)) "/orders.csv" } download { (words.file) }
            }
        }
        p { a href={ "/merchants/" (told.merchant.slug) } { bdi { (told.merchant.name) } } }
        section.card {
            @if statement.orders() == 0 { p { (words.no_orders) } }
            @else { p { strong { (words.all_orders.of(statement.orders())) } " " (counts(statement, lang)) } }
            p.hint { @if told.is_proven { (words.proven) } @else { (words.told_only) } }
            p.muted { (words.drawn) " " (time(statement.drawn_at, &zone)) " " (code(zone.iana_name().unwrap_or("UTC"))) }
        }
        @if !statement.missing.is_empty() {
            section {
                h2 { (words.missing) }
                p { (numbers(&statement.missing, "warn")) }
                p { strong { (lang.shell().next_step) ": " } (words.missing_hint) }
            }
        }
        @for class in Class::ALL {
            @let lines = told.of_class(class);
            @if !lines.is_empty() {
                section {
                    h2 { (lang.words().class(class)) " " span.muted { (lines.len()) } }
                    ul.plain.chips { @for line in lines { li { (link(line, lang)) } } }
                }
            }
        }
    }
}

fn link(line: &Line, lang: Lang) -> Markup {
    match &line.name {
        Some(name) => order::link(line.order_id, name),
        None => html! { (line.order_id) " " span.muted { (lang.statements().forgotten) } },
    }
}

pub(in crate::web) fn csv(asked: &Asked) -> Result<Reply, Problem> {
    let told = Day::of(asked)?;
    let (words, label) = (asked.lang.words(), asked.lang.words().labels());
    let mut file = export::BYTE_ORDER_MARK.to_owned();
    export::line(&mut file, &[asked.lang.statements().day, label.order, label.number, label.status, label.what]);
    for line in &told.lines {
        let (day, id) = (told.statement.day.to_string(), line.order_id.to_string());
        let name = line.name.as_deref().unwrap_or_default();
        export::line(&mut file, &[&day, name, &id, line.class.word(), words.class(line.class)]);
    }
    let name = format!("qantara-{}-{}.csv", told.merchant.slug, told.statement.day);
    Ok(reply::file("text/csv; charset=utf-8", &name, file))
}

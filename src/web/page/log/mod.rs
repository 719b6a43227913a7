//! The sync log: the story of every order, row by row, newest first.

pub(in crate::web) mod export;
mod wish;

use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::{Frame, badge, code, order, page, table, time};
use crate::db::Error;
use crate::db::browse::{Page, Place, Search};
use crate::db::log::{Entry, Status};
use crate::db::merchant::Merchant;
use crate::db::sight::Sight;
use crate::text::{self, Lang};
use crate::web::asked::Asked;
use crate::web::reply::{Problem, Reply};
use wish::Wish;

const HERE: &str = "/log";

/// Rows on one page.
const ROWS: u32 = 100;

struct View<'a> {
    frame: Frame<'a>,
    wish: &'a Wish,
    scene: Scene,
    found: Page,
    /// Of each status, where that can be told without reading the rows.
    counts: Option<Vec<i64>>,
}

/// Whose rows are shown, and by whose clock.
struct Scene {
    /// All that the reader may see.
    merchants: Vec<Merchant>,
    zone: TimeZone,
    search: Search,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let wish = Wish::parse(asked)?;
    let view = asked.see(|sight| {
        let scene = Scene::of(sight, &wish)?;
        let found = sight.browse(&scene.search, wish.place, ROWS)?;
        let counts = sight.counts(&scene.search, asked.now())?.map(|known| {
            Status::ALL.into_iter().map(|status| known.get(&status).copied().unwrap_or_default()).collect()
        });
        let is_newest = !found.has_newer && scene.search.until.is_none_or(|until| asked.now() < until);
        Ok(View { frame: Frame::new(asked, is_newest).with_typing(), wish: &wish, scene, found, counts })
    })?;
    let content = render(&view);
    Ok(page(&view.frame, asked.lang.shell().log, &content))
}

/// What an address asks for, as the API asks for it too.
pub(in crate::web) fn search(asked: &Asked) -> Result<Search, Problem> {
    let wish = Wish::parse(asked)?;
    Ok(asked.see(|sight| Scene::of(sight, &wish))?.search)
}

impl Scene {
    fn of(sight: &Sight<'_>, wish: &Wish) -> Result<Self, Error> {
        let merchants = sight.merchants()?;
        let chosen = wish.merchant.as_deref().map(|slug| sight.merchant(slug)).transpose()?;
        // Whoever sees one merchant only lives in its zone.
        let only = chosen.as_ref().or(if let [only] = merchants.as_slice() { Some(only) } else { None });
        let zone = only.and_then(|known| TimeZone::get(&known.time_zone).ok()).unwrap_or(TimeZone::UTC);
        let search = wish.search(chosen.map(|known| known.id), &zone);
        Ok(Self { merchants, zone, search })
    }

    /// Nobody needs to be told which merchant it is if there is one only.
    fn is_of_one(&self) -> bool {
        self.merchants.len() == 1 || self.search.merchant_id.is_some()
    }
}

fn render(view: &View<'_>) -> Markup {
    let lang = view.frame.lang;
    let (label, words, all) = (lang.words().labels(), lang.log(), view.wish.at(Place::Newest));
    html! {
        div.head {
            h1 { (lang.shell().log) }
            div.actions title=(words.export_hint) {
                a.button href=(all.address("/log.csv")) download="" { (words.csv) }
                a.button href=(all.address("/log.json")) download="" { (words.json) }
            }
        }
        (tabs(view))
        (filter(view))
        section.live.stack #rows aria-label=(lang.shell().log) {
            @if view.found.is_cut { p.banner.warn { (words.is_cut) } }
            (rows(view))
            (pager(view))
            p.hint { (label.times_in) " " (code(view.scene.zone.iana_name().unwrap_or("UTC"))) ". " (words.export_hint) }
        }
    }
}

fn tabs(view: &View<'_>) -> Markup {
    let (lang, wish) = (view.frame.lang, view.wish);
    let all: Option<i64> = view.counts.as_ref().map(|counts| counts.iter().sum());
    let tab = |status: Option<Status>, name: &str, count: Option<i64>| {
        html! {
            li {
                a href=(wish.with_status(status).address(HERE)) aria-current=[(wish.status == status).then_some("true")] {
                    (name)
                    @if let Some(count) = count { " " bdi.count { (grouped(count)) } }
                }
            }
        }
    };
    html! {
        div role="navigation" aria-label=(lang.log().statuses) {
            ul.tabs {
                (tab(None, lang.words().labels().all, all))
                @for (at, status) in Status::ALL.into_iter().enumerate() {
                    (tab(Some(status), lang.words().status(status), view.counts.as_ref().and_then(|counts| counts.get(at)).copied()))
                }
            }
        }
    }
}

fn filter(view: &View<'_>) -> Markup {
    let (lang, wish) = (view.frame.lang, view.wish);
    let (label, words) = (lang.words().labels(), lang.log());
    html! {
        form.filter method="get" action=(HERE) role="search" {
            @if let Some(status) = wish.status { input type="hidden" name="status" value=(status.word()); }
            @if view.scene.merchants.len() > 1 {
                label { (label.merchant) br;
                    select name="merchant" {
                        option value="" { (label.all) }
                        @for merchant in &view.scene.merchants {
                            option value=(merchant.slug) selected[wish.merchant.as_ref() == Some(&merchant.slug)] {
                                (merchant.name)
                            }
                        }
                    }
                }
            }
            label { (words.from) br;
                input type="date" name="from" value=(wish.from.map(|day| day.to_string()).unwrap_or_default());
            }
            label { (words.until) br;
                input type="date" name="to" value=(wish.to.map(|day| day.to_string()).unwrap_or_default());
            }
            label { (words.search) br;
                input type="search" name="q" value=(wish.text.as_deref().unwrap_or_default()) dir=[wish.text.as_ref().map(|_| "auto")] size="30"
                    maxlength="200" placeholder=(words.search_hint);
            }
            button { (label.show) }
            @if wish.is_narrow() { a.button href=(HERE) { (words.clear) } }
        }
    }
}

fn rows(view: &View<'_>) -> Markup {
    let lang = view.frame.lang;
    let (label, words) = (lang.words().labels(), lang.log());
    if view.found.rows.is_empty() {
        return html! {
            div.empty {
                @if view.wish.is_narrow() {
                    p { (words.nothing_fits) }
                    p { a.button href=(HERE) { (words.clear) } }
                } @else {
                    p { (words.nothing_yet) }
                }
            }
        };
    }
    let of_one = view.scene.is_of_one();
    let row = |entry: &Entry| {
        html! {
            td { (time(entry.at, &view.scene.zone)) }
            @if !of_one { td { bdi { (entry.merchant) } } }
            td.nowrap { @if let Some(id) = entry.order_id { (order::link(id, &entry.order_name)) } @else { "–" } }
            td { (badge(entry.status, lang)) }
            td.wide { (what(entry, lang)) }
        }
    };
    let rows: Vec<Markup> = view.found.rows.iter().map(row).collect();
    let headings = [label.time, label.merchant, label.order, label.status, label.what];
    let headings: Vec<&str> = headings.into_iter().filter(|heading| !of_one || *heading != label.merchant).collect();
    table(&headings, &rows, "")
}

fn pager(view: &View<'_>) -> Markup {
    let (wish, found, words) = (view.wish, &view.found, view.frame.lang.log());
    let at = |place| wish.at(place).address(HERE);
    let first = found.rows.first().filter(|_| found.has_newer);
    let last = found.rows.last().filter(|_| found.has_older);
    html! {
        @if found.has_newer || last.is_some() {
            div.pager role="navigation" aria-label=(words.pages) {
                span {
                    @if let Some(first) = first {
                        a href=(at(Place::Newest)) { (words.newest) } " · "
                        a href=(at(Place::After(first.id))) rel="prev" { (words.newer) }
                    } @else if found.has_newer {
                        a href=(at(Place::Newest)) { (words.newest) }
                    }
                }
                @if let Some(last) = last {
                    a href=(at(Place::Before(last.id))) rel="next" { (view.frame.lang.words().labels().older) }
                }
            }
        }
    }
}

fn what(entry: &Entry, lang: Lang) -> String {
    text::happened(lang, entry.status, entry.facts.as_ref(), entry.currency)
}

/// Thousands apart, so that large numbers can be read.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

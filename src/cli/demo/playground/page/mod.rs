//! What the browser sees of the two sites. Everything works without a script: forms lead back to the page, and the script
//! (the same as on Qantara's pages) only shows news without a reload.

pub(super) mod daftra;
pub(super) mod shop;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use rust_decimal::Decimal;

use super::facts::Line;
use super::life::Playground;

/// Qantara's own style, and what only these sites have.
pub(super) const STYLE: &str = concat!(include_str!("../../../../web/page/style.css"), include_str!("style.css"));
/// Qantara's own script.
pub(super) const SCRIPT: &str = include_str!("../../../../web/page/live.js");

/// How often a page is asked for again.
const LIVE_MS: u32 = 700;
/// For how long what is new stands out.
const NEW_SECONDS: i64 = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Site {
    Shop,
    Daftra,
    Qantara,
}

impl Site {
    const ALL: [(Self, &str); 3] = [(Self::Shop, "Shop"), (Self::Daftra, "Daftra"), (Self::Qantara, "Qantara")];
}

/// The status line alone, for the frame on Qantara's pages.
pub(super) fn line(playground: &Playground) -> anyhow::Result<Markup> {
    let facts = playground.facts()?;
    Ok(document("Playground", "framed", &html! { (bar(playground, Site::Qantara, &facts.line)) }))
}

/// What stands around both sites.
fn layout(playground: &Playground, site: Site, line: &Line, content: &Markup) -> Markup {
    let name = if site == Site::Shop { "Shop" } else { "Daftra" };
    document(
        &format!("{name} · Qantara's playground"),
        "site",
        &html! { (bar(playground, site, line)) main { (content) } },
    )
}

fn document(title: &str, class: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/style.css";
                script src="/live.js" defer {}
            }
            body class=(class) data-live-ms=(LIVE_MS) { (content) }
        }
    }
}

/// Where one is, where else one can go, and how everything stands.
fn bar(playground: &Playground, here: Site, line: &Line) -> Markup {
    let address = |site| match site {
        Site::Shop => "/shop",
        Site::Daftra => "/daftra",
        Site::Qantara => playground.qantara.as_str(),
    };
    html! {
        header.bar {
            nav {
                @for (site, name) in Site::ALL {
                    a href=(address(site)) target=[(here == Site::Qantara).then_some("_top")]
                        aria-current=[(site == here).then_some("page")] { (name) }
                }
            }
            p.line.live #line role="status" { (figures(line)) }
        }
    }
}

/// The line, with what would be a disaster standing out.
fn figures(line: &Line) -> Markup {
    let text = line.to_string();
    let is_wrong = |part: &str| !part.starts_with("0 ") && (part.ends_with("missing") || part.ends_with("twice"));
    html! {
        @for (index, part) in text.split(" · ").enumerate() {
            @if index > 0 { " · " }
            span class=[is_wrong(part).then_some("bad")] { (part) }
        }
    }
}

/// The time of day where the shops are.
fn clock(at: Timestamp) -> Markup {
    // A build without time zones shows other hours, not nothing.
    let zone = TimeZone::get("Asia/Riyadh").unwrap_or(TimeZone::UTC);
    html! { time datetime=(at.to_string()) { (at.to_zoned(zone).strftime("%H:%M:%S")) } }
}

fn is_new(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).as_secs() < NEW_SECONDS
}

/// Without the zeros that arithmetic leaves behind.
fn number(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// An amount with the digits of its currency.
fn money(amount: Decimal, currency: &str) -> String {
    let digits = if currency == "KWD" { 3 } else { 2 };
    format!("{amount:.digits$} {currency}")
}

//! The shops: what is on the shelf, what was ordered and how far it has come, and what can be broken.

use maud::{Markup, html};

use super::super::facts::{Facts, Order, Part, kind_word};
use super::super::life::Playground;
use super::super::trouble::Trouble;
use super::{Site, clock, is_new, layout, money};
use crate::cli::demo::scenario::From;
use crate::cli::demo::stage::{shelf, shown};
use crate::db::order::State;
use crate::sandbox::shop::cart::Product;
use crate::text::Lang;

/// What is sold: enough to try each way a SKU leads to a product, and two that lead nowhere.
const SOUQ: [(&str, &str); 8] = [
    ("WH-2040", ""),
    ("WH-3300", ""),
    ("WH-1001-RED-XL", "its SKU begins with Daftra's product code"),
    ("6281000000014", "its SKU is a barcode"),
    ("NJ-OUD-100", ""),
    ("NJ-BOOK", "not taxed"),
    ("ZZ-404", "Daftra does not know it: a person must decide"),
    ("SL-1", "of a vendor that is nobody's: left alone"),
];
const KUWAIT: [(&str, &str); 3] = [("NJ-BKH-1", ""), ("WH-3300", ""), ("NJ-OUD-100", "")];

/// The shop of a word in an address.
pub(in super::super) fn from(word: &str) -> Option<From> {
    [From::Souq, From::Kuwait].into_iter().find(|from| self::word(*from) == word)
}

pub(in super::super) fn show(playground: &Playground) -> anyhow::Result<Markup> {
    let facts = playground.facts()?;
    Ok(layout(playground, Site::Shop, &facts.line, &render(playground, &facts)))
}

fn render(playground: &Playground, facts: &Facts) -> Markup {
    let said = facts.said.as_ref().filter(|(at, _)| is_new(*at, facts.now));
    html! {
        nav.jump { a href="#shelf" { "Buy" } a href="#orders" { "Orders" } a href="#troubles" { "Break something" } }
        div.shop {
            section.shelf #shelf aria-label="Shelf" {
                (goods(From::Souq, &SOUQ))
                (goods(From::Kuwait, &KUWAIT))
            }
            section.orders.live #orders aria-label="Orders" {
                div.heading {
                    h1 { "Orders" }
                    form.quiet method="post" action="/shop/stream" {
                        button.plain aria-pressed=(facts.is_streaming) {
                            @if facts.is_streaming { "Stop the orders coming in" } @else { "Let orders come in" }
                        }
                    }
                }
                p.said role="status" { @if let Some((_, said)) = said { (said) } }
                @if said.is_none() {
                    p.hint { "Buy something and watch it become an invoice in Daftra. Then break something." }
                }
                @for order in &facts.orders { (card(playground, facts, order)) }
            }
            section.troubles.live #troubles aria-label="Break something" {
                h2 { "Break something" }
                @for (trouble, is_on) in &facts.troubles { (breaking(*trouble, *is_on)) }
            }
        }
    }
}

fn goods(from: From, chosen: &[(&str, &str)]) -> Markup {
    let (digits, currency) = currency(from);
    let products: Vec<Product> = shelf(digits).collect();
    let find = |sku: &str| products.iter().find(|product| product.sku == sku);
    html! {
        form.quiet.goods method="post" action={ "/shop/buy/" (word(from)) } {
            // First, because a key pressed in a field presses the first button of its form.
            div.heading { h2 { (title(from)) } button.plain { "Buy what is counted" } }
            p.muted.small { (note(from)) }
            @for (product, note) in chosen.iter().filter_map(|(sku, note)| Some((find(sku)?, note))) {
                div.product {
                    div.what {
                        bdi.title { (name(product)) }
                        span.muted.small { bdi { (product.vendor) } " · " (money(product.price, currency)) }
                        @if !note.is_empty() { span.muted.small { (note) } }
                    }
                    input type="number" name=(product.sku) min="0" max="99" placeholder="0" inputmode="numeric"
                        aria-label={ "How many: " (name(product)) };
                    button name="one" value=(product.sku) aria-label={ "Buy one: " (name(product)) } { "Buy" }
                }
            }
        }
    }
}

fn card(playground: &Playground, facts: &Facts, order: &Order) -> Markup {
    let address = |act: &str| format!("/shop/orders/{}/{act}", order.id.0);
    html! {
        article.order.new[is_new(order.at, facts.now)] id={ "order-" (order.id.0) } {
            header {
                h3 { (order.name) }
                span { (title(order.from)) " · " strong { (order.total) } }
                span.muted { (clock(order.at)) }
            }
            @if order.is_cancelled { p.muted { "Cancelled: goods and money went back." } }
            @else if order.lines.is_empty() { p.muted { "Nothing is left of it." } }
            @for line in &order.lines {
                form.quiet.item method="post" action=(address("more")) {
                    input type="hidden" name="line" value=(line.id.0);
                    span { (line.units) " × " bdi { (line.title) } }
                    @if !order.is_cancelled {
                        span.buttons {
                            button.plain formaction=(address("fewer")) aria-label={ "One less: " (line.title) } { "−" }
                            button.plain formaction=(address("more")) aria-label={ "One more: " (line.title) } { "+" }
                            button.plain formaction=(address("give-back")) { "Refund one" }
                        }
                    }
                }
            }
            (journey(playground, order))
            @if !order.is_cancelled {
                form.quiet.buttons method="post" action=(address("add")) {
                    button.plain { "Add a tray" }
                    button.plain formaction=(address("cancel")) { "Cancel order" }
                }
            }
        }
    }
}

/// `sent → kept → invoice 000012 in Daftra`.
fn journey(playground: &Playground, order: &Order) -> Markup {
    let progress = order.progress;
    let is_kept = progress.kept >= progress.posted;
    html! {
        ol.journey {
            li.good { (dot()) "sent" @if progress.posted > 1 { " " span.muted { "(" (progress.posted) " deliveries)" } } }
            @if is_kept { li.good { (dot()) "kept" } }
            @else if progress.is_turned_away { li.warn { (dot()) "Qantara does not answer; sent again until it does" } }
            @else { li.calm { (dot()) "on its way" } }
            @if is_kept && order.parts.is_empty() { li.calm { (dot()) "no merchant's goods: left alone" } }
            @for part in &order.parts { (part_of(playground, part)) }
        }
    }
}

/// A colour; its word always stands beside it.
fn dot() -> Markup {
    html! { i.dot aria-hidden="true" {} }
}

fn part_of(playground: &Playground, part: &Part) -> Markup {
    let (tone, word) = standing(part);
    html! {
        li class=(tone) {
            (dot())
            bdi { (shown(part.slug)) } ": "
            @if !part.is_in_doubt { (papers(part)) }
            @if part.is_in_doubt || part.papers.is_empty() || part.state != State::Settled {
                @if !part.is_in_doubt && !part.papers.is_empty() { ", " }
                strong { (word) }
            }
            " · " a.nowrap href={ (playground.qantara) "orders/" (part.id) } { "story in Qantara" }
            @if part.state != State::Settled && !part.why.is_empty() { p.why { (part.why) } }
            @if part.is_in_doubt && !part.papers.is_empty() {
                p.why { "You can see what Qantara cannot know yet: " (papers(part)) ". It looks there before it sends anything again." }
            }
        }
    }
}

/// `invoice 000012 in Daftra`.
fn papers(part: &Part) -> Markup {
    html! {
        @for (index, paper) in part.papers.iter().enumerate() {
            @if index > 0 { ", " }
            a href={ "/daftra#" (part.slug) "-" (kind_word(paper.kind)) "-" (paper.no) } { (kind_word(paper.kind)) " " (paper.no) }
        }
        @if !part.papers.is_empty() { " in Daftra" }
    }
}

fn standing(part: &Part) -> (&'static str, String) {
    if part.is_in_doubt {
        return ("warn", "in doubt".to_owned());
    }
    let tone = match part.state {
        State::Settled => "good",
        State::Failed => "bad",
        State::Held => "warn",
        State::New | State::Working | State::Waiting | State::Ignored | State::Shadow => "calm",
    };
    (tone, Lang::En.words().order_state(part.state).to_lowercase())
}

fn breaking(trouble: Trouble, is_on: bool) -> Markup {
    html! {
        form.quiet.trouble method="post" action={ "/shop/break/" (trouble.word()) } {
            button.danger aria-pressed=[(trouble != Trouble::KillNow).then_some(is_on)] {
                (trouble.title()) @if is_on { span.on { "on: call it off" } }
            }
            p.small.muted { (trouble.about()) }
        }
    }
}

fn name(product: &Product) -> String {
    product
        .variant_title
        .as_ref()
        .map_or_else(|| product.title.clone(), |variant| format!("{} – {variant}", product.title))
}

fn word(from: From) -> &'static str {
    match from {
        From::Souq => "souq",
        From::Kuwait => "kuwait",
    }
}

fn title(from: From) -> &'static str {
    match from {
        From::Souq => "Souq",
        From::Kuwait => "Kuwait",
    }
}

fn note(from: From) -> &'static str {
    match from {
        From::Souq => "SAR, 15 % VAT inside; two merchants share it",
        From::Kuwait => "KWD, three digits, no tax",
    }
}

fn currency(from: From) -> (u32, &'static str) {
    match from {
        From::Souq => (2, "SAR"),
        From::Kuwait => (3, "KWD"),
    }
}

//! The fake Daftra's books: invoices, receipts and stock of all accounts, read from the fake itself.

use jiff::Timestamp;
use maud::{Markup, html};
use rust_decimal::Decimal;

use super::super::facts::{kind_word, order_of};
use super::super::life::Playground;
use super::{Site, clock, is_new, layout, money, number};
use crate::cli::demo::stage::{MERCHANTS, shown};
use crate::cli::sandbox::{CATALOGUE, code_of};
use crate::sandbox::World;
use crate::sandbox::daftra::{Account, Document, DocumentKind};

/// Documents of one kind on the page.
const SHOWN: usize = 50;
/// The source of stock that somebody brought in by hand.
const BY_HAND: u8 = 1;

pub(in super::super) fn show(playground: &Playground) -> anyhow::Result<Markup> {
    let facts = playground.facts()?;
    let content = render(&playground.world(), facts.now);
    Ok(layout(playground, Site::Daftra, &facts.line, &content))
}

fn render(world: &World, now: Timestamp) -> Markup {
    html! {
        section.live #invoices {
            h1 { "Invoices" }
            p.muted { "Each merchant has an account of its own, and each account counts its documents by itself." }
            (papers(world, DocumentKind::Invoice, now))
        }
        section.live #receipts { h2 { "Refund receipts" } (papers(world, DocumentKind::RefundReceipt, now)) }
        section.live #stock { h2 { "Stock" } (stock(world, now)) }
    }
}

/// A merchant's account.
fn accounts(world: &World) -> impl Iterator<Item = (&'static str, &Account)> {
    MERCHANTS.iter().filter_map(|(slug, _, account, _)| Some((*slug, world.account(account)?)))
}

fn papers(world: &World, kind: DocumentKind, now: Timestamp) -> Markup {
    let mut all: Vec<(&str, &Account, &Document)> = accounts(world)
        .flat_map(|(slug, account)| account.documents(kind).map(move |document| (slug, account, document)))
        .collect();
    all.sort_by_key(|(_, _, document)| std::cmp::Reverse((document.created, document.id)));
    let more = all.len().saturating_sub(SHOWN);
    html! {
        @if all.is_empty() { p.empty { "None yet." } } @else {
            div.scroll {
                table {
                    thead { tr {
                        @for title in ["Order", "Number", "Account", "Total", "Rows", "Client", "Reference", "Saved"] { th scope="col" { (title) } }
                    } }
                    tbody { @for (slug, account, document) in all.iter().take(SHOWN) { (row(slug, account, document, now)) } }
                }
            }
            @if more > 0 { p.muted { (more) " older ones are not shown." } }
        }
    }
}

fn row(slug: &str, account: &Account, document: &Document, now: Timestamp) -> Markup {
    let client = account.client(document.client_id).map_or("–", |client| client.business_name.as_str());
    let reference = document.text("po_number");
    html! {
        tr.new[is_new(document.modified, now)] id={ (slug) "-" (kind_word(document.kind)) "-" (document.no) } {
            td.nowrap { bdi { (order_name(document)) } }
            td.nowrap { strong { (document.no) } }
            td.nowrap { bdi { (shown(slug)) } }
            td.nowrap.amount { (money(document.totals.total, &document.currency)) }
            td.rows {
                @for item in &document.items {
                    div { (number(item.quantity)) " × " bdi { (item.item) } }
                }
            }
            td.nowrap { bdi { (client) } }
            td {
                @match order_of(document) {
                    Some(order) => a href={ "/shop#order-" (order) } { bdi.code { (reference) } },
                    None => bdi.code { (reference) },
                }
            }
            td.nowrap {
                (clock(document.modified))
                @if document.version > 1 { " " span.muted.small { "replaced " (document.version - 1) "×" } }
            }
        }
    }
}

/// Qantara's notes begin with it.
fn order_name(document: &Document) -> &str {
    document.text("notes").split_whitespace().next().filter(|word| word.starts_with('#')).unwrap_or("–")
}

fn stock(world: &World, now: Timestamp) -> Markup {
    let accounts: Vec<(&str, &Account)> = accounts(world).collect();
    html! {
        div.scroll {
            table.stock {
                thead {
                    tr {
                        th scope="col" { "Product" }
                        @for (slug, _) in &accounts { th scope="col" { bdi { (shown(slug)) } } }
                    }
                }
                tbody {
                    @for (id, (_, _, name, _)) in (1_u64..).zip(CATALOGUE) {
                        tr {
                            td { bdi.title { (name) } " " bdi.code.muted { (code_of(id).unwrap_or_default()) } }
                            @for (_, account) in &accounts { (balance(account, id, now)) }
                        }
                    }
                }
            }
        }
        p.muted.small { "What lies there now, and in brackets what it was opened with." }
    }
}

fn balance(account: &Account, product: u64, now: Timestamp) -> Markup {
    let moves = || account.stock_transactions().iter().filter(move |row| row.product_id == product);
    let opening: Decimal = moves().filter(|row| row.source_type == BY_HAND).map(|row| row.quantity).sum();
    let left: Decimal = moves().map(|row| row.quantity).sum();
    let is_fresh = moves().any(|row| row.source_type != BY_HAND && is_new(row.date, now));
    html! {
        td.nowrap.new[is_fresh] {
            @if left == opening { span.muted { (number(left)) } }
            @else { strong { (number(left)) } " " span.muted { "(" (number(opening)) ")" } }
        }
    }
}

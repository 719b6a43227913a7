//! Which product of Daftra a code of the shop is: what orders wait for, a search in the account, one button that decides,
//! and files for many codes at once. Every order that waited for a product is then looked at again.

use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::Value;

use super::wrong::Wrong;
use super::{Frame, code, done, form, order, page, table, time};
use crate::db;
use crate::db::held::Cause;
use crate::db::merchant::Merchant;
use crate::db::product;
use crate::desk::account::Silence;
use crate::desk::mapping_file::{self, Fault};
use crate::desk::{Error, Wish};
use crate::domain::catalog::{Code, Product};
use crate::domain::reason::Hold;
use crate::text::Said;
use crate::text::label::mapping::Mapping;
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::reply::{self, Problem, Reply};

/// Of what is decided, so much is shown.
const ROWS: usize = 300;
/// One more tells whether there are more.
const ASKED: u32 = 301;
/// So that spreadsheets read UTF-8 as what it is.
const BYTE_ORDER_MARK: &str = "\u{FEFF}";

/// Where somebody says which product the code of this hold is; none if it is about something else.
pub(super) fn of_hold(merchant: &str, hold: &Hold) -> Option<String> {
    let subject = hold.subject();
    if !matches!(hold, Hold::UnknownProduct { .. } | Hold::AmbiguousProduct { .. }) || subject.is_empty() {
        return None;
    }
    Some(of_code(merchant, &subject))
}

fn of_code(merchant: &str, code: &str) -> String {
    let start = address(merchant) + "?";
    let length = start.len();
    form_urlencoded::Serializer::for_suffix(start, length).append_pair("code", code).finish()
}

fn address(merchant: &str) -> String {
    format!("/merchants/{merchant}/mapping")
}

fn address_of_file(merchant: &str) -> String {
    address(merchant) + ".csv"
}

struct View<'a> {
    asked: &'a Asked,
    merchant: Merchant,
    /// What orders wait for.
    waiting: Vec<Cause>,
    /// What is decided already, with the name of the product where it was seen.
    known: Vec<(product::Mapping, Option<String>)>,
    /// There is more of it.
    is_cut: bool,
    code: String,
    search: String,
    /// None: nothing was looked for.
    found: Option<Result<Vec<Product>, Silence>>,
}

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let view = View::of(asked)?;
    Ok(page(&Frame::new(asked, false).with_typing(), asked.lang.mapping().title, &render(&view)))
}

pub(in crate::web) fn set(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let merchant = asked.see(|sight| sight.merchant(asked.slug()))?;
    let product_id = form.get("product").parse().unwrap_or_default();
    let wish = Wish::MappingSet { slug: merchant.slug.clone(), code: form.get("code").to_owned(), product_id };
    asked.perform(actor, wish)?;
    Ok(done(&address(&merchant.slug), Said::Mapped))
}

/// All of them, as the command line exports them.
pub(in crate::web) fn file(asked: &Asked) -> Result<Reply, Problem> {
    let (merchant, known) = asked.see(|sight| {
        let merchant = sight.merchant(asked.slug())?;
        let known = sight.mappings(merchant.id, "", u32::MAX)?;
        Ok((merchant, known))
    })?;
    let name = format!("qantara-mapping-{}.csv", merchant.slug);
    Ok(reply::file("text/csv; charset=utf-8", &name, BYTE_ORDER_MARK.to_owned() + &mapping_file::write(&known)))
}

/// Takes a file in, whole or not at all.
pub(in crate::web) fn import(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let merchant = asked.see(|sight| sight.merchant(asked.slug()))?;
    let words = asked.lang.mapping();
    let wrong = match mapping_file::read(form.raw("file")) {
        Err(fault) => in_words(&fault, words),
        Ok(rows) if rows.is_empty() => words.no_file.to_owned(),
        Ok(rows) => match asked.perform(actor, Wish::MappingImport { slug: merchant.slug.clone(), rows }) {
            Ok(answer) => return Ok(done(&address_after(&merchant.slug, &answer), Said::FileTaken)),
            Err(Error::Refused(refusal)) => refusal.line(asked.lang),
            Err(error @ Error::Db(_)) => return Err(error.into()),
        },
    };
    let view = View::of(asked)?;
    let said = format!("{wrong} {}", words.nothing_changed);
    Ok(Wrong::at("file", said).reply(&Frame::new(asked, false).with_typing(), words.title, &render(&view)))
}

/// What the answer to an import counts, as it stands in the address of the page after it.
const COUNTS: [&str; 3] = ["rows", "changed", "orders"];

/// The page that says what a file did.
fn address_after(merchant: &str, answer: &Value) -> String {
    let counts = COUNTS.map(|name| format!("{name}={}", answer[name].as_u64().unwrap_or_default()));
    format!("{}?{}", address(merchant), counts.join("&"))
}

/// How many codes a file had, how many of them were new, and how many orders are looked at because of it.
fn counted(view: &View<'_>) -> Markup {
    let words = view.asked.lang.mapping();
    let count = |name: &str| {
        let (_, value) = view.asked.wishes().find(|(known, _)| known == name)?;
        value.parse::<u64>().ok()
    };
    let counts = [words.codes_read, words.codes_changed, words.orders_asked].into_iter().zip(COUNTS.map(count));
    let told: Vec<String> = counts.filter_map(|(what, count)| Some(format!("{what}: {}", count?))).collect();
    html! { @if told.len() == COUNTS.len() { p.hint { (told.join(" · ")) } } }
}

/// What is wrong with a file, by row and column.
fn in_words(fault: &Fault, words: &Mapping) -> String {
    let column = |at: usize| mapping_file::HEAD.get(at).copied().unwrap_or_default();
    let place = |row: usize, at: usize| format!("{} {row}, {} {}: ", words.row, words.column, column(at));
    match fault {
        Fault::NotText => words.not_text.to_owned(),
        Fault::TooMany { most } => format!("{} {most}", words.too_many),
        Fault::OpenQuote { row } => format!("{} {row}: {}", words.row, words.open_quote),
        Fault::Columns { row, columns } => format!("{} {row}: {} {columns}.", words.row, words.columns),
        Fault::NoCode { row } => place(*row, 0) + words.no_code,
        Fault::Rounded { row, code } => format!("{}\u{2068}{code}\u{2069} {}", place(*row, 0), words.rounded),
        // Isolated: a code runs in its own direction inside a sentence.
        Fault::Product { row, value } => format!("{}{} \u{2068}{value}\u{2069}", place(*row, 1), words.no_number),
        Fault::Twice { row, first, code } => {
            format!("{}{} \u{2068}{code}\u{2069} ({} {first}).", place(*row, 0), words.twice, words.row)
        }
    }
}

impl<'a> View<'a> {
    fn of(asked: &'a Asked) -> Result<Self, Problem> {
        let wish = |wanted: &str| asked.wishes().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        let code = wish("code").unwrap_or_default();
        let search = wish("search").unwrap_or_else(|| code.clone());
        let (merchant, waiting, known, is_cut) = asked.see(|sight| {
            let merchant = sight.merchant(asked.slug())?;
            let (mut waiting, _) = sight.causes(Some(merchant.id))?;
            waiting.retain(|cause| of_hold(&merchant.slug, &cause.hold).is_some());
            let mut all = sight.mappings(merchant.id, "", ASKED)?;
            let is_cut = all.len() > ROWS;
            all.truncate(ROWS);
            let named = |one: product::Mapping| {
                let name = sight.product_name(merchant.id, one.1)?;
                Ok::<_, db::Error>((one, name))
            };
            let known = all.into_iter().map(named).collect::<Result<_, _>>()?;
            Ok((merchant, waiting, known, is_cut))
        })?;
        let is_meant = !code.is_empty() && !search.trim().is_empty();
        let found = is_meant.then(|| asked.context.parts.accounts.products(merchant.id, &search)).transpose()?;
        Ok(Self { asked, merchant, waiting, known, is_cut, code, search, found })
    }
}

fn render(view: &View<'_>) -> Markup {
    let words = view.asked.lang.mapping();
    html! {
        div.head {
            h1 { (words.title) " " span.muted { a.quiet href={ "/merchants/" (view.merchant.slug) } { bdi { (view.merchant.name) } } } }
        }
        (counted(view))
        p.hint { (words.hint) }
        @if view.code.is_empty() { (waiting(view)) (choice(view)) } @else { (choice(view)) (waiting(view)) }
        (files(view))
        section.stack {
            h2 { (words.known) }
            (table(&[words.code, words.product, words.note, words.change], &decided(view), words.nothing_known))
            @if view.is_cut { p.hint { (words.is_cut) } }
        }
    }
}

/// What orders wait for, the code with the most of them first.
fn waiting(view: &View<'_>) -> Markup {
    let words = view.asked.lang.mapping();
    let zone = TimeZone::get(&view.merchant.time_zone).unwrap_or(TimeZone::UTC);
    let row = |cause: &Cause| {
        html! {
            td { (code(&cause.about)) }
            td.nowrap { (view.asked.lang.attention().orders.of(cause.orders)) }
            td { (time(cause.since, &zone)) }
            td.wide {
                @for (id, name) in cause.examples.iter().take(3) { (order::link(*id, name)) " " }
                @if cause.orders > 3 { "…" }
            }
            td {
                @if let Some(address) = of_hold(&view.merchant.slug, &cause.hold) {
                    a.button href=(address) aria-label={ (words.choose) ": " (cause.about) } { (words.choose) }
                }
            }
        }
    };
    let rows: Vec<Markup> = view.waiting.iter().map(row).collect();
    html! {
        section.stack {
            h2 { (words.waiting) }
            @if rows.is_empty() { p.banner.good { (words.nothing_waits) } }
            @else { (table(&[words.code, words.orders, words.since, words.examples, view.asked.lang.shell().next_step], &rows, "")) }
        }
    }
}

/// A code, and a product to look for.
fn choice(view: &View<'_>) -> Markup {
    let words = view.asked.lang.mapping();
    html! {
        section.card #choose {
            h2 { (words.which) }
            form.row method="get" action=(address(&view.merchant.slug)) {
                label.field { span { (words.code) } input name="code" value=(view.code) required dir="ltr" autocomplete="off" spellcheck="false"; }
                label.field {
                    span { (words.search) }
                    input type="search" name="search" value=(view.search) dir="auto" placeholder=(words.search_hint);
                }
                button { (words.look) }
            }
            @match &view.found {
                None => {},
                Some(Ok(products)) => {
                    div.stack {
                        (table(&[words.product, words.product_code, words.barcode, words.choose], &rows(view, products), words.nothing))
                    }
                },
                Some(Err(_)) => p.banner.bad role="alert" { (words.silent) },
            }
        }
    }
}

fn files(view: &View<'_>) -> Markup {
    let words = view.asked.lang.mapping();
    let here = address_of_file(&view.merchant.slug);
    html! {
        section.card #file {
            h2 { (words.file) }
            p.hint { (words.file_hint) }
            form.row method="post" action=(here) enctype="multipart/form-data" {
                input type="hidden" name="token" value=(view.asked.token(&here));
                label.field { span { (words.choose_file) } input type="file" name="file" accept=".csv,text/csv" required; }
                button { (words.take_in) }
                a.button href=(here) download="" { (words.save) }
            }
            p.hint { (words.take_in_hint) }
        }
    }
}

fn decided(view: &View<'_>) -> Vec<Markup> {
    let words = view.asked.lang.mapping();
    let row = |((known, product_id, note), name): &(product::Mapping, Option<String>)| {
        html! {
            td { (code(known)) }
            td.wide { @if let Some(name) = name { bdi { (name) } " · " } span.nowrap { (words.number) " " (code(&product_id.to_string())) } }
            td.muted { bdi { (note) } }
            td { a href={ (of_code(&view.merchant.slug, known)) "#choose" } aria-label={ (words.change) ": " (known) } { (words.change) } }
        }
    };
    view.known.iter().map(row).collect()
}

fn rows(view: &View<'_>, products: &[Product]) -> Vec<Markup> {
    let row = |product: &Product| {
        let fields = html! {
            input type="hidden" name="code" value=(view.code);
            input type="hidden" name="product" value=(product.id);
            button.second aria-label={ (view.asked.lang.mapping().is_this) ": " (product.name) } {
                (view.asked.lang.mapping().is_this)
            }
        };
        html! {
            td.wide { bdi { (product.name) } }
            td { (maybe(&product.code)) }
            td { (maybe(&product.barcode)) }
            td { (form(view.asked, &address(&view.merchant.slug), &fields)) }
        }
    };
    products.iter().map(row).collect()
}

fn maybe(known: &Code) -> Markup {
    html! { @if known.is_none() { "–" } @else { (code(known.as_str())) } }
}

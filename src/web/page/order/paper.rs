//! The documents of an order: what Daftra holds, what is on it, and whether its goods left the warehouse.

use maud::{Markup, html};

use super::View;
use crate::domain::document::{Document, State, Stock};
use crate::domain::invoice::Billed;
use crate::domain::payment::PaymentDraft;
use crate::domain::reason::Waiting;
use crate::text::{self, Lang};
use crate::web::page::{code, maybe_time, table, time};

pub(super) fn documents(view: &View<'_>) -> Markup {
    html! {
        @if view.story.documents.is_empty() { p.empty { (view.lang.words().labels().no_documents) } }
        @for document in &view.story.documents { article { (one(document, view)) } }
    }
}

fn one(document: &Document, view: &View<'_>) -> Markup {
    let lang = view.lang;
    let (words, label, header) = (lang.words(), lang.words().labels(), document.content.header());
    let columns = [label.line, label.sku, label.product, label.units, label.net, label.tax];
    html! {
        div.head {
            h3 {
                (words.document_kind(&document.content))
                @if let Some(number) = &document.remote_no { " " bdi { (number) } }
                ": " (words.document_state(document.state))
            }
            @if let Some(address) = in_daftra(document, view) {
                a href=(address) rel="external noreferrer" { (lang.order().in_daftra) }
            }
        }
        dl {
            @if let Some(total) = document.total {
                dt { (label.total) } dd { (text::amount(lang, total, Some(header.currency))) }
            }
            @if let Some(payment) = document.payment() { (paid(payment, view)) }
            @if document.invoice().is_some() && document.remote_id.is_some() {
                dt { (lang.order().stock) } dd { (stock(document, lang)) }
            }
            @if let Some(refusal) = &document.refusal {
                dt { (lang.order().refusal) } dd { bdi { (refusal.message) } " " (code(&refusal.status.to_string())) }
            }
            @if let Some(at) = document.look_at { dt { (label.next_look) } dd { (time(at, &view.zone)) } }
        }
        @if document.payment().is_none() {
            details { summary { (label.content) } (table(&columns, &lines(document, lang), "")) }
        }
        details {
            summary { (label.reference) " " (code(&header.reference)) }
            dl {
                @if let Some(id) = document.remote_id { dt { (label.remote_id) } dd { (code(&id.to_string())) } }
                dt { (label.since) } dd { (time(document.since_at, &view.zone)) }
                dt { (label.verified) } dd { (maybe_time(document.verified_at, &view.zone)) }
            }
        }
    }
}

/// The page of an invoice in the account. Where Daftra shows receipts and payments is not known well enough to link there.
fn in_daftra(document: &Document, view: &View<'_>) -> Option<String> {
    let is_there = match document.state {
        State::Posted | State::Replacing | State::ReplaceInDoubt | State::Locked | State::Reversed => true,
        State::Planned | State::Sending | State::InDoubt | State::Refused | State::Dropped | State::Gone => false,
    };
    let id = document.remote_id.filter(|_| is_there && document.invoice().is_some())?;
    let address = view.story.addresses.get(&document.account_id)?;
    Some(format!("{address}/owner/invoices/view/{id}"))
}

/// What Daftra's books say of the goods.
fn stock(document: &Document, lang: Lang) -> String {
    match &document.stock {
        Some(Stock::Moved) => lang.order().stock_moved.to_owned(),
        Some(Stock::Pending { why }) => {
            let reference = document.content.header().reference.clone();
            lang.words().waiting(&Waiting::StockPending { reference, why: why.clone() }).what
        }
        None => lang.order().stock_unknown.to_owned(),
    }
}

fn paid(payment: &PaymentDraft, view: &View<'_>) -> Markup {
    let label = view.lang.words().labels();
    html! {
        dt { (label.net) } dd { (text::amount(view.lang, payment.amount, Some(payment.header.currency))) }
        dt { (label.gateway) } dd { bdi { (payment.gateway) } }
        dt { (label.time) } dd { (time(payment.at, &view.zone)) }
        dt { (label.method) } dd { (code(&payment.method)) }
        @if let Some(id) = payment.treasury_id { dt { (label.treasury) } dd { (code(&id.to_string())) } }
    }
}

fn lines(document: &Document, lang: Lang) -> Vec<Markup> {
    let currency = Some(document.content.header().currency);
    let row = |billed: &Billed| {
        html! {
            td.wide { bdi { (billed.title) } }
            td { (code(&billed.sku)) }
            td { @match billed.product_id { Some(id) => (code(&id.to_string())), None => "–" } }
            td { (billed.units) }
            td.nowrap { (text::amount(lang, billed.net, currency)) }
            td.nowrap { (text::amount(lang, billed.tax, currency)) }
        }
    };
    document.content.billed().iter().map(row).collect()
}

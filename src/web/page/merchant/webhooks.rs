//! How the shop is told to send its orders, and whether it does: this page looks by itself until the first delivery has
//! proved itself.

use maud::{Markup, html};

use super::{Beginning, Known, Step, around, webhook_address};
use crate::web::asked::Asked;
use crate::web::page::{Frame, code, maybe_time, page};
use crate::web::reply::{Problem, Reply};

/// Each tells of something that changes an invoice, a receipt or a payment. The names people read are in the labels, in the
/// same order.
const TOPICS: [&str; 8] = [
    "orders/create",
    "orders/updated",
    "orders/paid",
    "orders/cancelled",
    "orders/edited",
    "orders/fulfilled",
    "refunds/create",
    "order_transactions/create",
];

pub(in crate::web) fn show(asked: &Asked) -> Result<Reply, Problem> {
    let known = Known::open(asked)?;
    let is_waiting = known.progress.webhook_secrets > 0 && known.progress.last_delivery.is_none();
    let words = asked.lang.merchants();
    let title = format!("{} · {}", words.webhooks, known.merchant.name);
    let content = around(asked, &known, Step::Webhooks, &render(asked, &known));
    Ok(page(&Frame::new(asked, is_waiting), &title, &content))
}

fn render(asked: &Asked, known: &Known) -> Markup {
    let words = asked.lang.merchants();
    let (address, beginning) = webhook_address(asked, &known.merchant.slug);
    html! {
        (state(asked, known))
        section.card {
            h2 { (words.webhooks_where) }
            ol {
                li { (words.webhooks_open) }
                li {
                    (words.webhooks_each)
                    p { input.copy readonly dir="ltr" aria-label=(words.webhooks_address) value=(address); }
                    @match beginning {
                        Beginning::Configured => {},
                        Beginning::AddressBar => p.hint { (words.from_the_address_bar) },
                        Beginning::Unknown => p.hint { (words.no_public_address) },
                    }
                    div.scroll tabindex="0" {
                        table {
                            thead { tr { th scope="col" { (words.webhooks_event) } th scope="col" { (words.webhooks_topic) } } }
                            tbody { @for (event, topic) in words.events.iter().zip(TOPICS) { tr { td { (event) } td { (code(topic)) } } } }
                        }
                    }
                }
                li { (words.webhooks_secret) " " a href={ (known.step(Step::Shop)) "#secret" } { (words.secret) } }
                li { (words.webhooks_test) }
            }
            p.hint { (words.webhooks_app) }
        }
        div.actions { a.button.primary href=(known.step(Step::Webhooks.next())) { (asked.lang.shell().next_step) } }
    }
}

fn state(asked: &Asked, known: &Known) -> Markup {
    let words = asked.lang.merchants();
    html! {
        @if known.progress.last_delivery.is_some() {
            p.banner.good role="status" {
                strong { (words.arrived) } " " (words.last_delivery) ": " (maybe_time(known.progress.last_delivery, &known.zone()))
            }
        } @else if known.progress.webhook_secrets == 0 {
            p.banner.warn { (words.wants_secret) " " a href={ (known.step(Step::Shop)) "#secret" } { (words.secret) } }
        } @else {
            p.banner.calm role="status" { strong { (words.waiting) } " " (words.waiting_hint) }
        }
    }
}

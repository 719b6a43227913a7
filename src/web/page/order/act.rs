//! What people do about an order: the buttons that make sense where it stands, and what they lead to.

use maud::{Markup, html};

use super::{View, address, again};
use crate::db::delivery;
use crate::db::order::State;
use crate::db::user::Role;
use crate::desk::{self, Wish};
use crate::domain::document::State as DocumentState;
use crate::domain::reason::{Ignored, Reason};
use crate::domain::ruling::Ruling;
use crate::text::refusal::Why;
use crate::text::{Notice, Said};
use crate::web::asked::{Asked, Form};
use crate::web::auth::Actor;
use crate::web::page::wrong::Wrong;
use crate::web::page::{done, form};
use crate::web::reply::{Problem, Reply};

/// A note in one line; more does not fit a table.
const LONGEST_NOTE: &str = "1000";

/// Looks at the order now, whatever it waits for.
pub(in crate::web) fn retry(asked: &Asked, actor: &Actor, _: &Form) -> Result<Reply, Problem> {
    let order_id = known(asked)?;
    perform(asked, actor, Wish::OrderRetry { order_id }, "", Said::LooksAgain)
}

/// Nothing more is to be done, as long as the order stays as it is.
pub(in crate::web) fn dismiss(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    rule(asked, actor, form, Ruling::Dismiss, Said::Dismissed)
}

/// The rules pass the order over, and it is booked.
pub(in crate::web) fn import(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    rule(asked, actor, form, Ruling::Import, Said::Imported)
}

/// A new invoice takes the place of one that was deleted in Daftra.
pub(in crate::web) fn renew(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    rule(asked, actor, form, Ruling::NewInvoice { document: document(asked)? }, Said::Decided)
}

/// What was deleted in Daftra stays deleted.
pub(in crate::web) fn leave(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    rule(asked, actor, form, Ruling::Leave { document: document(asked)? }, Said::Decided)
}

/// What somebody changed by hand is written over.
pub(in crate::web) fn rewrite(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    rule(asked, actor, form, Ruling::Rewrite { document: document(asked)? }, Said::Decided)
}

/// Keeps a note with the story.
pub(in crate::web) fn note(asked: &Asked, actor: &Actor, form: &Form) -> Result<Reply, Problem> {
    let (order_id, note) = (known(asked)?, form.get("note"));
    perform(asked, actor, Wish::OrderNote { order_id, note: note.to_owned() }, note, Said::Noted)
}

fn rule(asked: &Asked, actor: &Actor, form: &Form, ruling: Ruling, said: Said) -> Result<Reply, Problem> {
    let (order_id, note) = (known(asked)?, form.get("note"));
    perform(asked, actor, Wish::OrderRule { order_id, ruling, note: note.to_owned() }, note, said)
}

/// The order's page again: with what was done, or with what was typed and why it was not taken.
fn perform(asked: &Asked, actor: &Actor, wish: Wish, typed: &str, said: Said) -> Result<Reply, Problem> {
    match asked.perform(actor, wish) {
        Ok(_) => Ok(done(&address(asked.id()?), said)),
        Err(desk::Error::Refused(refusal)) => {
            let text = refusal.line(asked.lang);
            let is_note = matches!(refusal.why, Why::NoteLength(..));
            again(asked, typed, &if is_note { Wrong::at("note", text) } else { Wrong::new(text) })
        }
        Err(error @ desk::Error::Db(_)) => Err(error.into()),
    }
}

/// The order of the address, if whoever asks may see it.
fn known(asked: &Asked) -> Result<i64, Problem> {
    let id = asked.id()?;
    Ok(asked.see(|sight| sight.order(id))?.id)
}

/// The document in the second open place; whether it is the order's is the desk's to know.
fn document(asked: &Asked) -> Result<i64, Notice> {
    asked.captured.get(1).and_then(|text| text.parse().ok()).ok_or(Notice::NotFound)
}

/// What may be done where the order stands. The first button is the one to press, if there is one.
pub(super) fn buttons(view: &View<'_>) -> Markup {
    let (order, words) = (&view.story.order, view.lang.order());
    if !view.asked.viewer.is(Role::Operator) {
        return Markup::default();
    }
    let at = |what: &str| format!("{}/{what}", address(order.id));
    let waits_for_a_person = matches!(order.state, State::Held | State::Failed);
    let retry = if waits_for_a_person {
        html! { button { (view.lang.words().labels().try_again) } }
    } else {
        html! { button.second { (words.look_again) } }
    };
    let newest = view.story.deliveries.iter().rfind(|delivery| delivery.has_body);
    html! {
        section.card aria-label=(words.next) {
            (gone(view))
            (changed(view))
            @if is_passed_over(order.reason.as_ref()) {
                p { (words.import_hint) }
                (with_reason(view, &at("import"), &html! { button { (words.import) } }))
            }
            div.actions {
                (form(view.asked, &at("retry"), &retry))
                @if let Some(delivery) = newest { (replay(view, delivery)) }
            }
            @if waits_for_a_person {
                details open[view.asked.path == at("dismiss")] {
                    summary { (words.dismiss) "…" }
                    p.hint { (words.dismiss_hint) }
                    (with_reason(view, &at("dismiss"), &html! { button.danger { (words.dismiss) } }))
                }
            }
        }
    }
}

fn replay(view: &View<'_>, delivery: &delivery::Overview) -> Markup {
    let words = view.lang.order();
    let action = format!("/deliveries/{}/replay", delivery.id);
    form(view.asked, &action, &html! { button.second title=(words.replay_hint) { (words.replay) } })
}

/// The two ways on from an invoice that somebody deleted in Daftra.
fn gone(view: &View<'_>) -> Markup {
    let words = view.lang.order();
    let is_open = view.story.order.state == State::Held;
    let invoices = view.story.documents.iter().filter(|document| document.invoice().is_some());
    let gone: Vec<i64> =
        invoices.filter(|invoice| is_open && invoice.state == DocumentState::Gone).map(|invoice| invoice.id).collect();
    html! {
        @for id in gone {
            @let at = |what: &str| format!("{}/documents/{id}/{what}", address(view.story.order.id));
            p { (words.gone_hint) }
            div.actions {
                (form(view.asked, &at("renew"), &html! { button { (words.new_invoice) } }))
                (form(view.asked, &at("leave"), &html! { button.second { (words.leave) } }))
            }
        }
    }
}

/// The way back from what somebody changed in Daftra.
fn changed(view: &View<'_>) -> Markup {
    let words = view.lang.order();
    let is_open = view.story.order.state == State::Held;
    let changed = view.story.documents.iter().filter(|document| is_open && document.can_be_rewritten());
    html! {
        @for id in changed.map(|document| document.id) {
            p { (words.changed_hint) }
            div.actions {
                (form(view.asked, &format!("{}/documents/{id}/rewrite", address(view.story.order.id)), &html! { button { (words.rewrite) } }))
            }
        }
    }
}

/// Only what a rule of the merchant's passes over can be booked against it.
fn is_passed_over(reason: Option<&Reason>) -> bool {
    matches!(reason, Some(Reason::Ignored(Ignored::BeforeGoLive { .. } | Ignored::Source { .. } | Ignored::Tag { .. })))
}

fn with_reason(view: &View<'_>, action: &str, button: &Markup) -> Markup {
    let content = html! {
        label.field { span { (view.lang.order().why) } input name="note" value=(typed(view, action)) maxlength=(LONGEST_NOTE) dir="auto"; }
        (button)
    };
    form(view.asked, action, &content)
}

/// Where somebody writes down what others should know of this order.
pub(super) fn note_form(view: &View<'_>) -> Markup {
    if !view.asked.viewer.is(Role::Operator) {
        return Markup::default();
    }
    let words = view.lang.order();
    let action = format!("{}/note", address(view.story.order.id));
    let content = html! {
        div.row {
            label.field { span { (words.note) } input name="note" value=(typed(view, &action)) maxlength=(LONGEST_NOTE) dir="auto" required; }
            button.second { (words.keep_note) }
        }
    };
    form(view.asked, &action, &content)
}

/// What was typed into the form of this address, if it is the one that was sent.
fn typed<'a>(view: &View<'a>, action: &str) -> &'a str {
    if view.asked.path == action { view.typed } else { "" }
}

//! What a person decides about held orders: all of one cause are looked at again, or one is ruled on.
//!
//! Nothing is ever taken out of a hold by force: releasing asks the planner again, and a ruling is something the planner
//! reads. So an order whose cause is still there is held again.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use serde_json::json;

use super::merchant::open_merchant;
use super::order::{begin_anew, known};
use super::{About, Done, Effects, Error, Moment, Refusal, Why};
use crate::db::order::{self, Overview, State};
use crate::db::{document, job, product, ruling};
use crate::domain::document::State as DocumentState;
use crate::domain::reason::{Hold, Ignored, Reason};
use crate::domain::ruling::Ruling;

/// Orders read at a time.
const PAGE: u32 = 500;

/// Looks again at every order that is held for this cause.
pub(super) fn release(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: Option<&str>,
    cause: &str,
    about: Option<&str>,
) -> Result<Done, Error> {
    let merchant = slug.map(|slug| open_merchant(tx, slug)).transpose()?;
    let is_meant = |hold: &Hold| hold.code() == cause && about.is_none_or(|about| hold.subject() == about);
    let (mut released, mut merchants) = (Vec::new(), BTreeSet::new());
    let mut filter = order::Filter {
        merchant_id: merchant.map(|merchant| merchant.id),
        state: Some(State::Held),
        ..order::Filter::default()
    };
    loop {
        let page = order::list(tx, filter, PAGE)?;
        for order in page.iter().filter(|order| holds(order).iter().any(is_meant)) {
            begin_anew(tx, moment, order)?;
            merchants.insert(order.merchant_id);
            released.push(order.id);
        }
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
    }
    if released.is_empty() {
        return Err(Refusal::new("cause", [Some(cause), about], Why::NoCause).into());
    }
    for merchant_id in merchants {
        product::forget_misses(tx, merchant_id)?;
    }
    let facts = json!({ "merchant": slug, "cause": cause, "about": about, "orders": released });
    moment.write_down(tx, "hold.release", facts)?;
    let answer = json!({ "cause": cause, "about": about, "orders": released.len() });
    Ok(Done { answer, effects: Effects { orders_asked: true, ..Effects::default() } })
}

/// Looks again at every order of a merchant that was given up.
pub(super) fn retry_failed(tx: &Transaction<'_>, moment: &Moment, slug: &str) -> Result<Done, Error> {
    let merchant = open_merchant(tx, slug)?;
    let mut filter = order::Filter { merchant_id: Some(merchant.id), state: Some(State::Failed), before: None };
    let mut again = Vec::new();
    loop {
        let page = order::list(tx, filter, PAGE)?;
        for order in &page {
            begin_anew(tx, moment, order)?;
            again.push(order.id);
        }
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
    }
    let answer = json!({ "merchant": slug, "orders": again.len() });
    if !again.is_empty() {
        product::forget_misses(tx, merchant.id)?;
        moment.write_down(tx, "failed.retry", json!({ "merchant": slug, "orders": again }))?;
    }
    Ok(Done { answer, effects: Effects { orders_asked: true, ..Effects::default() } })
}

/// Writes a ruling down and looks at the order with it.
pub(super) fn rule(
    tx: &Transaction<'_>,
    moment: &Moment,
    order_id: i64,
    ruling: Ruling,
    note: &str,
) -> Result<Done, Error> {
    let order = known(tx, order_id)?;
    check(tx, &order, ruling)?;
    ruling::add(tx, order_id, ruling, note.trim(), moment.by.user_id, moment.now)?;
    job::hurry(tx, order_id, order.merchant_id, moment.now)?;
    let facts = json!({
        "order": order_id,
        "name": order.name,
        "merchant": order.merchant,
        "ruling": ruling.word(),
        "document": ruling.document(),
        "note": note.trim(),
    });
    moment.write_down(tx, "order.rule", facts.clone())?;
    Ok(Done { answer: facts, effects: Effects { orders_asked: true, ..Effects::default() } })
}

/// A ruling must have something to decide.
fn check(tx: &Transaction<'_>, order: &Overview, ruling: Ruling) -> Result<(), Error> {
    let refuse = |why: fn(State) -> Why| Err(Refusal::of(About::Order(order.name.clone()), why(order.state)).into());
    match (ruling, &order.reason) {
        (Ruling::Dismiss, Some(Reason::Held(_) | Reason::Failed(_))) => Ok(()),
        (Ruling::Dismiss, Some(Reason::Ignored(_) | Reason::Waiting(_)) | None) => refuse(Why::NotDismissed),
        (
            Ruling::Import,
            Some(Reason::Ignored(Ignored::BeforeGoLive { .. } | Ignored::Source { .. } | Ignored::Tag { .. })),
        ) => Ok(()),
        (Ruling::Import, Some(_) | None) => refuse(Why::NotImported),
        (Ruling::NewInvoice { document } | Ruling::Leave { document }, _) => {
            let documents = document::of_order(tx, order.id)?;
            let is_gone = documents
                .iter()
                .any(|one| one.id == document && one.invoice().is_some() && one.state == DocumentState::Gone);
            if is_gone { Ok(()) } else { refuse(Why::NothingGone) }
        }
        (Ruling::Rewrite { document }, _) => {
            let documents = document::of_order(tx, order.id)?;
            let can_be = documents.iter().any(|one| one.id == document && one.can_be_rewritten());
            if can_be { Ok(()) } else { refuse(Why::NothingChanged) }
        }
    }
}

/// The reasons why a person must decide about an order.
fn holds(order: &Overview) -> &[Hold] {
    match &order.reason {
        Some(Reason::Held(holds)) => holds,
        Some(Reason::Ignored(_) | Reason::Waiting(_) | Reason::Failed(_)) | None => &[],
    }
}

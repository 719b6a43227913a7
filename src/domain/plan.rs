//! The one decision: what Daftra should hold for an order, less what the ledger says it holds already.
//!
//! A plan is data. The engine performs its first operation, records the outcome and asks again, so a plan never goes
//! stale. The same function serves a new order, an edit, a cancellation, a repeat, a retry and a dry run.

mod follow;
mod invoice;
mod payments;
mod send;
mod take_back;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::collect;
use super::document::{Document, Next, State, next};
use super::draft::Draft;
use super::invoice::{Drafted, Gated, InvoiceDraft, Removed, Seen, draft, gate};
use super::ledger::{Ledger, invoice_number};
use super::operation::{Change, Operation};
use super::order::{Order, Refund};
use super::reason::{Hold, Ignored, Waiting};
use super::refund::{Cause, Class, OwnLines, has_money_beside, in_price_terms, removed};
use super::rules::{LinePolicy, Merchant, PricePolicy};
use super::ruling::Ruling;
use super::trace::{Step, Trace};

/// What is to be done for an order now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Daftra holds what it should.
    Settled,
    Ignore(Ignored),
    /// A person must decide; every reason at once.
    Hold(Vec<Hold>),
    /// Nothing may run before this time; without one, before the order changes.
    Wait(Option<Timestamp>, Waiting),
    /// What may run now, in order.
    Act(Vec<Operation>),
}

/// How long a body is waited for: shops send again for two days what was not taken.
const BODY_WAIT: SignedDuration = SignedDuration::from_hours(72);

/// Decides. The same input gives the same output.
#[must_use]
pub fn plan(
    order: &Order,
    merchant: &Merchant,
    catalog: &Catalog,
    ledger: &Ledger,
    now: Timestamp,
) -> (Decision, Trace) {
    let mut trace = Trace::new();
    let (mut order, mut unclear) = in_price_terms(order);
    // What takes the place of a reversed invoice repeats its choices.
    let is_binding = |invoice: &&Document| invoice.state.may_exist() || invoice.state == State::Reversed;
    let sent = ledger.last_invoice().filter(is_binding).and_then(Document::invoice);
    if sent.map_or(merchant.rules.price, |invoice| invoice.price) == PricePolicy::Zero {
        order = Cow::Owned(order.without_prices());
        unclear.clear();
    }
    let case = Case { order: &order, unclear, merchant, catalog, ledger, now };
    let decision = case.decide(&mut trace);
    (decision, trace)
}

/// What documents need by themselves, whatever is wanted of them.
#[derive(Default)]
struct Needs {
    looks: Vec<Operation>,
    holds: Vec<Hold>,
    wait: Option<(Timestamp, Waiting)>,
}

struct Case<'a> {
    order: &'a Order,
    /// Refund records that only the body to come can explain.
    unclear: BTreeSet<i64>,
    merchant: &'a Merchant,
    catalog: &'a Catalog,
    ledger: &'a Ledger,
    now: Timestamp,
}

impl Case<'_> {
    /// Invoice and receipts first. Payments come after them, and no trouble of a payment holds those up.
    fn decide(&self, trace: &mut Trace) -> Decision {
        match self.documents(trace) {
            decided @ Decision::Act(_) => decided,
            decided @ (Decision::Settled | Decision::Hold(_) | Decision::Wait(..) | Decision::Ignore(_)) => {
                self.with_payments(decided, trace)
            }
        }
    }

    fn documents(&self, trace: &mut Trace) -> Decision {
        let is_dismissed = self.ledger.is_ruled(Ruling::Dismiss);
        match self.unsettled() {
            // What is under way comes to its end, whatever was decided about the order.
            Some(decision @ (Decision::Act(_) | Decision::Wait(..))) => return decision,
            Some(decision) if !is_dismissed => return decision,
            Some(_) | None if is_dismissed => return Decision::Ignore(Ignored::Dismissed),
            Some(_) | None => {}
        }
        if self.order.facts.deleted {
            trace.push(Step::DeletedInShop);
        }
        match self.ledger.live_invoice() {
            Some(invoice) if invoice.state.may_exist() => self.follow(invoice, trace),
            planned => self.next_invoice(planned, trace),
        }
    }

    /// No invoice exists: the first one is due, or one in the place of the last.
    fn next_invoice(&self, planned: Option<&Document>, trace: &mut Trace) -> Decision {
        let Some(last) = planned.or_else(|| self.ledger.last_invoice()) else {
            return self.invoice(None, 1, trace);
        };
        let number = invoice_number(&last.source_key);
        match last.state {
            State::Reversed => self.invoice(None, number + 1, trace),
            State::Gone if self.ledger.is_ruled(Ruling::NewInvoice { document: last.id }) => {
                self.invoice(None, number + 1, trace)
            }
            State::Gone => {
                Decision::Ignore(Ignored::InvoiceDeleted { reference: last.content.header().reference.clone() })
            }
            State::Planned
            | State::Sending
            | State::InDoubt
            | State::Refused
            | State::Dropped
            | State::Posted
            | State::Replacing
            | State::ReplaceInDoubt
            | State::Locked => self.invoice(Some(last), number, trace),
        }
    }

    /// What single documents need before anything else may be decided: recovery, looks, reading back, and their holds.
    fn unsettled(&self) -> Option<Decision> {
        let mut documents: Vec<&Document> = self.ledger.documents.iter().collect();
        documents.sort_by_key(|document| document.id);
        let foreign = |document: &&&Document| {
            document.account_id != self.merchant.account_id && document.state.is_live() && !document.never_left()
        };
        if let Some(document) = documents.iter().find(foreign) {
            let reference = document.content.header().reference.clone();
            return Some(Decision::Hold(vec![Hold::OtherAccount { reference }]));
        }
        let running = documents.iter().filter(|document| self.next(document) == Next::Recover);
        let changes: Vec<Change> = running.map(|document| Change::Recover { document: document.id }).collect();
        if !changes.is_empty() {
            return Some(Decision::Act(vec![Operation::Record { changes }]));
        }
        documents.retain(|document| document.payment().is_none());
        let Needs { looks, holds, wait } = self.needs(&documents);
        if !looks.is_empty() {
            return Some(Decision::Act(looks));
        }
        if !holds.is_empty() {
            return Some(Decision::Hold(holds));
        }
        wait.map(|(at, why)| Decision::Wait(Some(at), why))
    }

    fn next(&self, document: &Document) -> Next {
        next(document, self.now, &self.ledger.policy)
    }

    /// What these documents need by themselves.
    fn needs(&self, documents: &[&Document]) -> Needs {
        let mut needs = Needs::default();
        let mut verify = Vec::new();
        for document in documents {
            match self.next(document) {
                Next::Look if matches!(document.state, State::Posted | State::Locked) => {
                    verify.push(Operation::Verify { document: document.id })
                }
                Next::Look => {
                    needs.looks.push(Operation::Resolve { document: document.id, wanted: self.is_wanted(document) });
                }
                Next::LookAt(at, why) => {
                    // The last look for a dropped document holds up nothing.
                    if document.state != State::Dropped && needs.wait.as_ref().is_none_or(|(first, _)| at < *first) {
                        needs.wait = Some((at, why));
                    }
                }
                Next::Verify => verify.push(Operation::Verify { document: document.id }),
                Next::Hold(Hold::Gone { .. }) if self.is_judged(document) => {}
                Next::Hold(Hold::ChangedByHand { .. }) if self.is_to_be_rewritten(document) => {
                    needs.looks.push(Operation::Rewrite { document: document.id });
                }
                Next::Hold(hold) => needs.holds.push(hold),
                Next::Nothing if self.may_be_lost(document) => {
                    verify.push(Operation::Verify { document: document.id });
                }
                Next::Nothing | Next::Recover => {}
            }
        }
        needs.looks.extend(verify);
        needs
    }

    /// A person decided what follows from the deletion of a document.
    fn is_judged(&self, gone: &Document) -> bool {
        let document = gone.id;
        self.ledger.is_ruled(Ruling::Leave { document }) || self.ledger.is_ruled(Ruling::NewInvoice { document })
    }

    /// A person wants our rows back on an invoice; one that was missing a moment ago is looked for first.
    fn is_to_be_rewritten(&self, changed: &Document) -> bool {
        changed.state == State::Posted
            && changed.invoice().is_some()
            && changed.look_at.is_none_or(|at| at <= self.now)
            && self.ledger.is_ruled(Ruling::Rewrite { document: changed.id })
    }

    /// Whether a document in doubt is still to be made if it turns out to be absent.
    fn is_wanted(&self, document: &Document) -> bool {
        match &document.content {
            Draft::Invoice(_) => document.state != State::Dropped && self.end_before_invoice().is_none(),
            Draft::RefundReceipt(receipt) => document.state != State::Dropped && self.is_receipt(receipt.cause),
            Draft::Payment(payment) => collect::is_wanted(document, payment, self.order),
        }
    }

    /// What was only looked for has no class yet.
    fn is_receipt(&self, cause: Cause) -> bool {
        match cause {
            Cause::Refund(id) => self.ledger.classes.get(&id) == Some(&Class::Receipt),
            Cause::Cancel | Cause::Reversal(_) => true,
        }
    }

    /// Why an order that was never invoiced will not be. A reversal and the invoice after it are one act: it is finished
    /// first, and the end comes to the new invoice as it would have come to the old one.
    fn end_before_invoice(&self) -> Option<Ignored> {
        if self.is_after_reversal() {
            None
        } else if self.order.facts.cancelled.is_some() {
            Some(Ignored::CancelledBeforeInvoice)
        } else if self.order.facts.deleted {
            Some(Ignored::DeletedBeforeInvoice)
        } else {
            None
        }
    }

    fn is_after_reversal(&self) -> bool {
        self.ledger.documents.iter().any(|document| document.state == State::Reversed)
    }

    /// What left the lines before they are billed, also by the receipts of an invoice that was reversed since.
    fn removed(&self, classes: &BTreeMap<i64, Class>) -> Removed {
        let mut classes = classes.clone();
        classes.extend(self.ledger.evened_out().map(|refund| (refund, Class::Absorbed)));
        removed(&self.order.facts, &classes)
    }

    /// The records that the snapshot can explain.
    fn refunds(&self) -> impl Iterator<Item = &Refund> {
        self.order.facts.refunds.values().filter(|refund| !self.is_ahead(refund))
    }

    /// The record overtook the body that explains it: whose the goods are, whether they were ever invoiced, whether its
    /// amounts contain the tax, or what its money is for.
    fn is_ahead(&self, refund: &Refund) -> bool {
        let snapshot = &self.order.snapshot;
        let lacks_line = |id: i64| snapshot.lines.iter().all(|line| line.id != id);
        let lacks_shipping = |id: i64| snapshot.shipping.iter().all(|part| part.id != id);
        !snapshot.refunds_seen.contains(&refund.id)
            && (self.unclear.contains(&refund.id) && !self.ledger.classes.contains_key(&refund.id)
                || self.explained_until(refund).is_some()
                || refund.lines.iter().any(|line| lacks_line(line.line_id))
                || refund.shipping.iter().any(|part| lacks_shipping(part.shipping_id)))
    }

    /// Money for no goods may be for goods of an earlier record that is still to come: for how long it waits for the body
    /// that has both.
    fn explained_until(&self, refund: &Refund) -> Option<Timestamp> {
        let is_behind = !self.order.snapshot.refunds_seen.contains(&refund.id);
        let is_decided = self.ledger.classes.contains_key(&refund.id);
        let becomes_a_row = self.merchant.rules.goodwill == LinePolicy::Line && has_money_beside(refund);
        let until = refund.created_at + BODY_WAIT;
        (is_behind && becomes_a_row && !is_decided && self.now < until).then_some(until)
    }

    /// The snapshot must agree with itself: units ordered, less the units of the refund records it contains, are the
    /// units it says are left. A cancellation may lower them without a record.
    fn quantities(&self, target: &InvoiceDraft) -> Vec<Hold> {
        let mut holds = Vec::new();
        if self.order.facts.cancelled.is_some() {
            return holds;
        }
        let snapshot = &self.order.snapshot;
        for line in &snapshot.lines {
            let Some(shop) = line.current_quantity else { continue };
            if target.seen.get(&line.id) != Some(&Seen::Billed) {
                continue;
            }
            let seen = self.order.facts.refunds.values().filter(|refund| snapshot.refunds_seen.contains(&refund.id));
            let gone: i64 = seen.flat_map(|r| &r.lines).filter(|l| l.line_id == line.id).map(|l| l.quantity).sum();
            let ours = line.quantity - gone;
            if ours != shop {
                holds.push(Hold::QuantitiesDiffer { line: line.title.clone(), ours, shop });
            }
        }
        holds
    }

    fn draft(&self, gone: &Removed, frozen: Option<&InvoiceDraft>) -> Drafted {
        draft(self.order, self.merchant, self.catalog, gone, frozen)
    }

    fn gate(&self, target: &InvoiceDraft, trace: &mut Trace) -> Option<Hold> {
        let Gated { shop, daftra, hold } = gate(&target.billed, self.merchant.rules.tolerance_minor);
        trace.push(Step::Totals { shop, daftra });
        hold
    }
}

fn own_lines(draft: &InvoiceDraft) -> OwnLines {
    draft.seen.iter().filter(|(_, seen)| **seen == Seen::Billed).map(|(id, _)| *id).collect()
}

//! Payments among the operations: they are read and looked for with the invoice or receipt they are on.

use std::collections::BTreeSet;

use super::order::Performed;
use super::perform::{Visit, parent_of};
use crate::daftra::client::{Answered, Payable};
use crate::daftra::compare::compare_payment;
use crate::daftra::look::Looked;
use crate::daftra::outcome::Unanswered;
use crate::daftra::wire::RemotePayment;
use crate::db::Error;
use crate::db::document::Action;
use crate::db::order::Case;
use crate::domain::document::{Document, Event};
use crate::domain::draft::Draft;
use crate::domain::invoice::reference;
use crate::domain::payment::{Cause, PaymentDraft};

impl Visit<'_> {
    /// A payment whose end we never learned.
    pub(super) fn resolve_payment(&self, document: &Document, case: &Case, wanted: bool) -> Result<Performed, Error> {
        let Some(payable) = payable(document, case) else {
            return Ok(Performed::Retry("the parent of a payment has no id".to_owned()));
        };
        let Answered { outcome, reports } = self.engine.daftra.payments(&self.door, &self.pace(), payable);
        let outcome = outcome.and_then(|payments| match payments {
            Some(payments) => Ok(look_among(&payments, document, case, wanted)),
            None => Err(no_parent(payable)),
        });
        let mut answered = Answered { outcome, reports };
        if matches!(answered.outcome, Ok(Looked::Absent)) {
            self.look_on_other_invoices(document, case, &mut answered);
        }
        self.looked_up(document, answered, wanted)
    }

    /// Another life of this database may have booked it on another invoice of the order: on the reversed one, while nothing
    /// was left to bill, or on the one that took its place. Then it is not to be booked here, and a person must judge.
    fn look_on_other_invoices(
        &self,
        document: &Document,
        case: &Case,
        answered: &mut Answered<Result<Looked, Unanswered>>,
    ) {
        let invoices = case.ledger.documents.iter().filter(|known| known.invoice().is_some());
        let others = invoices.filter(|invoice| Some(invoice.id) != document.parent_id);
        let others = others.filter_map(|invoice| invoice.remote_id);
        for id in others {
            let Answered { outcome, reports } =
                self.engine.daftra.payments(&self.door, &self.pace(), Payable::Invoice(id));
            answered.reports.extend(reports);
            let own = document.content.header().reference.as_str();
            match outcome {
                Ok(payments) => {
                    let here = payments.into_iter().flatten().filter(|payment| payment.transaction_id.trim() == own);
                    let ids: BTreeSet<i64> = here.map(|payment| payment.id).collect();
                    if !ids.is_empty() {
                        answered.outcome = Ok(Looked::Several(ids));
                        return;
                    }
                }
                Err(problem) => {
                    answered.outcome = Err(problem);
                    return;
                }
            }
        }
    }

    /// Before an invoice is reversed: what somebody paid on it would stay on what counts no more. Our books know of no
    /// payment then, so any that is there is somebody else's. `None`: there is none.
    pub(super) fn look_for_payments_of_others(&self, invoice: &Document) -> Result<Option<Performed>, Error> {
        let Some(id) = invoice.remote_id else { return Ok(None) };
        let answered = self.engine.daftra.payments(&self.door, &self.pace(), Payable::Invoice(id));
        self.note(Action::Verify, Some(invoice.id), &answered, |payments| match payments {
            Some(_) => "found",
            None => "absent",
        })?;
        let payments = match answered.outcome {
            Ok(payments) => payments.into_iter().flatten().map(|payment| payment.id).collect::<BTreeSet<_>>(),
            Err(problem) => return self.trouble(problem).map(Some),
        };
        self.answered()?;
        if payments.is_empty() {
            return Ok(None);
        }
        self.happened(invoice.id, Event::PaidByOthers { payments }).map(Some)
    }

    /// A payment is read back with what it is on. One that vanished since we replaced its invoice went with the PUT;
    /// any other was taken out by somebody.
    pub(super) fn verify_payment(
        &self,
        document: &Document,
        draft: &PaymentDraft,
        case: &Case,
    ) -> Result<Performed, Error> {
        let Some(payable) = payable(document, case) else {
            return Ok(Performed::Retry("the parent of a payment has no id".to_owned()));
        };
        let Answered { outcome, reports } = self.engine.daftra.payments(&self.door, &self.pace(), payable);
        let outcome = outcome.and_then(|payments| payments.ok_or_else(|| no_parent(payable)));
        let answered = Answered { outcome, reports };
        let is_known = |payment: &&RemotePayment| Some(payment.id) == document.remote_id;
        self.note(Action::Verify, Some(document.id), &answered, |payments| match payments.iter().find(is_known) {
            Some(_) => "found",
            None => "absent",
        })?;
        let payments = match answered.outcome {
            Ok(payments) => payments,
            Err(problem) => return self.looked_in_vain(document.id, problem),
        };
        let events = match payments.iter().find(is_known) {
            Some(payment) => {
                let differences = compare_payment(draft, payment);
                vec![if differences.is_empty() {
                    Event::AsWritten { total: draft.amount, remote_no: None }
                } else {
                    Event::Differs { differences }
                }]
            }
            None if parent_of(document, case).is_some_and(|parent| document.was_seen_before_writing(parent)) => {
                vec![Event::Lost]
            }
            None => match look_among(&payments, document, case, false) {
                // With a PUT of another life of this database it went, and came back.
                Looked::Found { remote_id, remote_no } => vec![Event::Lost, Event::Found { remote_id, remote_no }],
                Looked::Several(ids) => vec![Event::Lost, Event::Several { ids }],
                Looked::Absent => vec![Event::Missing],
            },
        };
        self.answered()?;
        self.all_happened(document.id, events)
    }
}

/// What a payment is on, once that exists.
fn payable(payment: &Document, case: &Case) -> Option<Payable> {
    let parent = parent_of(payment, case)?;
    let id = parent.remote_id?;
    match &parent.content {
        Draft::Invoice(_) => Some(Payable::Invoice(id)),
        Draft::RefundReceipt(_) => Some(Payable::Receipt(id)),
        Draft::Payment(_) => None,
    }
}

fn no_parent(payable: Payable) -> Unanswered {
    let text = format!("There is no {payable:?}, so nobody can say what was paid on it");
    Unanswered::Failed { text, outage: false, trouble: None }
}

/// The payment that carries the reference. Where none does and one is to be sent, the same money may be there under
/// another reference of this order that our books do not know: another life's, and a person must judge.
fn look_among(payments: &[RemotePayment], document: &Document, case: &Case, wanted: bool) -> Looked {
    let own = document.content.header().reference.as_str();
    let hits: BTreeSet<i64> =
        payments.iter().filter(|payment| payment.transaction_id.trim() == own).map(|payment| payment.id).collect();
    if let (Some(remote_id), 1) = (hits.first(), hits.len()) {
        return Looked::Found { remote_id: *remote_id, remote_no: None };
    }
    if !hits.is_empty() {
        return Looked::Several(hits);
    }
    let family = reference(&case.merchant, case.order.snapshot.id, "");
    let is_by_word = document.payment().is_some_and(|payment| matches!(payment.cause, Cause::Paid(_)));
    let known = || case.ledger.documents.iter().map(|known| known.content.header().reference.as_str());
    let is_stranger = |payment: &&RemotePayment| {
        let other = payment.transaction_id.trim();
        let key = other.strip_prefix(&family);
        key.is_some_and(|key| is_by_word || key.starts_with("paid")) && known().all(|known| known != other)
    };
    let strangers: BTreeSet<i64> = payments.iter().filter(is_stranger).map(|payment| payment.id).collect();
    if wanted && !strangers.is_empty() { Looked::Several(strangers) } else { Looked::Absent }
}

//! A document that somebody else made becomes the invoice of an order.
//!
//! It happens where the order's invoice would be created: what would be sent is compared with what Daftra holds, and if it
//! comes to the same, the books say in one commit that this is it. Nothing is written in Daftra; what an edit writes later
//! puts our rows in the place of theirs, after the document was read and compared once more.

use std::collections::BTreeMap;

use super::Engine;
use super::order::Performed;
use super::perform::{as_written, classify, differences, must};
use crate::daftra::client::Read;
use crate::daftra::wire::RemoteDocument;
use crate::db::document::{self, Action};
use crate::db::job::Job;
use crate::db::log::{self, Status};
use crate::db::merchant::Mode;
use crate::db::order::Case;
use crate::db::{Error, namesake};
use crate::domain::document::{Document, Event, State, apply};
use crate::domain::draft::Draft;
use crate::domain::invoice::{Adopted, InvoiceDraft};
use crate::domain::namesake::Fault;
use crate::domain::operation::{Change, Operation};
use crate::domain::plan::Decision;
use crate::domain::reason::DifferenceKind;
use crate::domain::refund::Class;

/// What the plan says of an order that is to adopt a document.
enum Wish {
    /// This invoice is due: the document may take its place.
    Invoice { document: Option<i64>, source_key: String, draft: InvoiceDraft, classes: BTreeMap<i64, Class> },
    /// None is, and none will be.
    Never(Fault),
}

/// `None`: something else comes first, or a person has to do with the order.
fn wish(decision: &Decision, mode: Mode) -> Option<Wish> {
    match decision {
        Decision::Act(operations) => match operations.first()? {
            Operation::Create { document, source_key, draft: Draft::Invoice(draft), classes, .. } => {
                let (draft, classes) = (draft.clone(), classes.clone());
                Some(Wish::Invoice { document: *document, source_key: source_key.clone(), draft, classes })
            }
            Operation::Create { .. } | Operation::Replace { .. } | Operation::Rewrite { .. } => {
                Some(Wish::Never(Fault::HasInvoice))
            }
            // In shadow nothing of ours was made that could be looked for.
            Operation::Record { changes } if mode == Mode::Shadow => {
                let Change::LookFirst { source_key, draft, classes, .. } = changes.first()? else { return None };
                let Draft::Invoice(draft) = draft.as_ref() else { return None };
                let (source_key, draft, classes) = (source_key.clone(), draft.clone(), classes.clone());
                Some(Wish::Invoice { document: None, source_key, draft, classes })
            }
            Operation::Find { .. }
            | Operation::Record { .. }
            | Operation::Verify { .. }
            | Operation::Resolve { .. } => None,
        },
        Decision::Settled => Some(Wish::Never(Fault::HasInvoice)),
        Decision::Ignore(_) => Some(Wish::Never(Fault::NotBooked)),
        Decision::Hold(_) | Decision::Wait(..) => None,
    }
}

impl Engine {
    /// Adopts what the order is to adopt; `None` where it is to adopt nothing, or something else comes first.
    pub(super) fn adopt_wanted(&self, job: &Job, case: &Case, decision: &Decision) -> Result<Option<Performed>, Error> {
        let (Some(wanted), Some(wish)) = (case.adopting, wish(decision, case.mode)) else { return Ok(None) };
        self.adopt(job, case, wanted, wish).map(Some)
    }

    /// Reads the document, judges it, and writes down what came of it.
    fn adopt(&self, job: &Job, case: &Case, (id, remote_id): (i64, i64), wish: Wish) -> Result<Performed, Error> {
        let (known, source_key, mut draft, classes) = match wish {
            Wish::Invoice { document, source_key, draft, classes } => (document, source_key, draft, classes),
            Wish::Never(fault) => return self.not_adopted(id, fault, None),
        };
        let known = case.ledger.documents.iter().find(|document| Some(document.id) == known).cloned();
        let visit = match self.visit(job, case.order_id)? {
            Ok(visit) => visit,
            Err(ended) => return Ok(ended),
        };
        if visit.account_id != case.merchant.account_id {
            return Ok(Performed::Done);
        }
        let answered = self.daftra.read_invoice(&visit.door, &visit.pace(), remote_id);
        visit.note(Action::LookUp, None, &answered, |read| match read {
            Read::Found(_) => "found",
            Read::Missing => "absent",
        })?;
        let read = match answered.outcome {
            Ok(Read::Found(read)) => read,
            Ok(Read::Missing) => {
                visit.answered()?;
                return self.not_adopted(id, Fault::Missing, known);
            }
            Err(problem) => return visit.trouble(problem),
        };
        visit.answered()?;
        // Whose it is, and from where, stays as whoever made it wrote it.
        draft.header.client_id = read.client_id.unwrap_or(draft.header.client_id);
        draft.header.store_id = read.store_id.unwrap_or(draft.header.store_id);
        draft.adopted = Some(Adopted { rows_are_theirs: true });
        if let Some(fault) = fault_of(&draft, &read) {
            return self.not_adopted(id, fault, known);
        }
        let (order_id, account_id, now, policy) =
            (case.order_id, visit.account_id, self.clock.now(), self.settings.policy);
        let (job, currency) = (*job, draft.header.currency);
        let draft = Draft::Invoice(draft);
        self.db.write(move |tx| {
            if namesake::owner(tx, account_id, remote_id)?.is_some() {
                return namesake::end(tx, id, Some(&Fault::Taken)).map(drop);
            }
            if !namesake::end(tx, id, None)? {
                return Ok(());
            }
            let blank = Document::planned(account_id, None, source_key, draft.clone(), now);
            let mut planned = Document { wanted: draft.fingerprint(), content: draft, ..known.unwrap_or(blank) };
            if planned.id == 0 {
                planned.id = document::add(tx, order_id, &planned)?;
            }
            let looked_for = must(apply(&planned, Event::Restarted, now, &policy));
            let found = Event::Found { remote_id, remote_no: read.no.clone() };
            let found = must(apply(&looked_for, found, now, &policy));
            let adopted = must(apply(&found, as_written(currency, &read), now, &policy));
            document::store(tx, planned.state, &adopted)?;
            classify(tx, order_id, &classes, planned.id)?;
            let facts = log::Facts::Document {
                reference: adopted.content.header().reference.clone(),
                number: adopted.remote_no.clone(),
                state: adopted.state,
            };
            let about = log::About {
                merchant_id: job.merchant_id,
                order_id: Some(order_id),
                delivery_id: None,
                document_id: Some(planned.id),
            };
            log::write(tx, Status::Updated, about, Some(&facts), now)
        })?;
        Ok(Performed::Done)
    }

    /// What was planned only for the adoption is given up with it: it makes no order ours that the rules pass over.
    fn not_adopted(&self, id: i64, fault: Fault, planned: Option<Document>) -> Result<Performed, Error> {
        let (now, policy) = (self.clock.now(), self.settings.policy);
        self.db.write(move |tx| {
            let ended = namesake::end(tx, id, Some(&fault))?;
            match planned.filter(|planned| ended && planned.state == State::Planned && planned.unknown_sends == 0) {
                Some(planned) => document::store(tx, planned.state, &must(apply(&planned, Event::Drop, now, &policy))),
                None => Ok(()),
            }
        })?;
        Ok(Performed::Done)
    }
}

/// What stands in the way of this document being that invoice.
fn fault_of(draft: &InvoiceDraft, read: &RemoteDocument) -> Option<Fault> {
    if let Some(refunded) = read.refunded.filter(|refunded| !refunded.is_zero()) {
        return Some(Fault::Refunded { daftra: refunded.normalize().to_string() });
    }
    let found = differences(&Draft::Invoice(draft.clone()), read);
    let of = |what| found.iter().find(|difference| difference.what == what).cloned();
    if let Some(one) = of(DifferenceKind::Currency) {
        return Some(Fault::Currency { ours: one.ours, daftra: one.daftra });
    }
    if of(DifferenceKind::Draft).is_some() {
        return Some(Fault::Draft);
    }
    of(DifferenceKind::Total).map(|one| Fault::Total { ours: one.ours, daftra: one.daftra })
}

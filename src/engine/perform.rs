//! One operation: intent committed, then the call, then its outcome committed. This is the only place where the three
//! meet; a crash between any two of them leaves a document that the next start looks up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Transaction;

use super::gate::{Entry, Pass};
use super::order::{Performed, is_first_write};
use super::{Engine, news};
use crate::daftra::client::{Answered, Door, Read, Report};
use crate::daftra::compare::{compare, lost_payments, paid_by_others};
use crate::daftra::look::Looked;
use crate::daftra::outcome::{Unanswered, Written};
use crate::daftra::wire::RemoteDocument;
use crate::daftra::write::{Replacement, merge, overwrite};
use crate::db::document::{self, About, Action, Ended};
use crate::db::job::{self, Chore, Job};
use crate::db::log::{self, Status};
use crate::db::merchant::{self, Trouble};
use crate::db::order::Case;
use crate::db::{Error, account, alert, namesake, product, ruling};
use crate::domain::catalog::Code;
use crate::domain::document::{Document, Event, Policy, State, apply};
use crate::domain::draft::Draft;
use crate::domain::invoice::{Adopted, InvoiceDraft, shop_totals};
use crate::domain::ledger::Ledger;
use crate::domain::money::{Amount, Currency};
use crate::domain::operation::{Change, Operation};
use crate::domain::reason::{Difference, DifferenceKind};
use crate::domain::refund::{Cause, Class, ReceiptDraft, left};
use crate::domain::ruling::Ruling;

/// How far back before the order was placed a document of it may have been created: clocks and zones differ.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);
/// A pause that Daftra asked for without saying how long, or with none: coming back at once is what it complains of.
const UNSTATED_PAUSE: SignedDuration = SignedDuration::from_secs(30);

/// The way into the account for one operation.
pub(super) struct Visit<'a> {
    pub(super) engine: &'a Engine,
    pub(super) job: Job,
    order_id: i64,
    pub(super) account_id: i64,
    pub(super) door: Door,
    pass: Pass,
}

impl Engine {
    pub(super) fn perform(&self, job: &Job, case: &Case, operation: Operation) -> Result<Performed, Error> {
        if let Operation::Record { changes } = operation {
            return self.record(job, case, changes);
        }
        let visit = match self.visit(job, case.order_id)? {
            Ok(visit) => visit,
            Err(ended) => return Ok(ended),
        };
        if visit.account_id != case.merchant.account_id {
            // The merchant moved since the order was planned: what was to happen there must not happen here.
            return Ok(Performed::Done);
        }
        let is_first = is_first_write(case, &operation);
        let of = |id: i64| case.ledger.documents.iter().find(|document| document.id == id);
        match operation {
            Operation::Record { .. } => Ok(Performed::Done),
            Operation::Find { codes } => visit.find(codes),
            Operation::Create { document, parent, source_key, draft, classes } => {
                let known = document.and_then(of).cloned();
                if let (Draft::RefundReceipt(ReceiptDraft { cause: Cause::Reversal(_), .. }), Some(invoice)) =
                    (&draft, parent.and_then(of))
                    && let Some(ended) = visit.look_for_payments_of_others(invoice)?
                {
                    return Ok(ended);
                }
                let parent_remote = parent.and_then(of).and_then(|parent| parent.remote_id);
                let blank = || Document::planned(visit.account_id, parent, source_key, draft.clone(), self.clock.now());
                // The invoice it was planned for may have made room for another one.
                let document = Document { parent_id: parent, ..known.unwrap_or_else(blank) };
                visit.create(document, &draft, classes, (parent_remote, is_first))
            }
            Operation::Replace { document, draft, classes } => match of(document) {
                Some(document) => visit.replace(document.clone(), draft, classes),
                None => Ok(Performed::Done),
            },
            Operation::Rewrite { document } => match of(document) {
                Some(document) => visit.rewrite(document.clone()),
                None => Ok(Performed::Done),
            },
            Operation::Verify { document } => match of(document) {
                Some(document) => match &document.content {
                    Draft::Invoice(invoice) if document.state == State::Refused => {
                        visit.look_for_shortages(document.id, invoice)
                    }
                    Draft::Invoice(_) | Draft::RefundReceipt(_) => visit.verify(document, case),
                    Draft::Payment(payment) => visit.verify_payment(document, payment, case),
                },
                None => Ok(Performed::Done),
            },
            Operation::Resolve { document, wanted } => match of(document) {
                Some(document) if document.state == State::ReplaceInDoubt => visit.resolve_replace(document, case),
                Some(document) => match &document.content {
                    Draft::Invoice(draft) => visit.resolve_invoice(document, draft, case, wanted),
                    Draft::RefundReceipt(draft) => visit.resolve_receipt(document, draft, case, wanted),
                    Draft::Payment(_) => visit.resolve_payment(document, case, wanted),
                },
                None => Ok(Performed::Done),
            },
        }
    }

    /// Enters the account: finds the key, waits for the gate and, after an outage, asks something harmless first.
    pub(super) fn visit(&self, job: &Job, order_id: i64) -> Result<Result<Visit<'_>, Performed>, Error> {
        let Some((door, account)) = self.door(job.merchant_id)? else {
            let text = "there is no key for this address".to_owned();
            let until = self.in_trouble(job.merchant_id, Trouble::Credential { text })?;
            return Ok(Err(Performed::PutBack(until)));
        };
        let pass = match self.gates.enter(account.id) {
            Entry::In(pass) => pass,
            Entry::Later(at) => return Ok(Err(Performed::PutBack(at))),
        };
        let now = self.clock.now();
        if account.not_before > now {
            return Ok(Err(Performed::PutBack(account.not_before)));
        }
        let probe = pass.needs_probe();
        let visit = Visit { engine: self, job: *job, order_id, account_id: account.id, door, pass };
        if probe {
            let answered = self.daftra.site_info(&visit.door, &|| visit.pass.pace());
            visit.note(Action::SiteInfo, None, &answered, |_| "found")?;
            let site = match answered.outcome {
                Ok(site) => site,
                Err(problem) => return visit.trouble(problem).map(Err),
            };
            visit.answered()?;
            if let Some(known) = account.site_id.filter(|known| *known != site.id) {
                let until = self.in_trouble(job.merchant_id, Trouble::OtherSite { known, found: site.id })?;
                return Ok(Err(Performed::PutBack(until)));
            }
        }
        Ok(Ok(visit))
    }

    /// Changes of our own books only.
    fn record(&self, job: &Job, case: &Case, changes: Vec<Change>) -> Result<Performed, Error> {
        let (job, order_id, account_id) = (*job, case.order_id, case.merchant.account_id);
        let (now, policy) = (self.clock.now(), self.settings.policy);
        let invoice = case.ledger.billing_invoice().map_or(0, |invoice| invoice.id);
        let documents = case.ledger.documents.iter();
        let receipts: BTreeMap<i64, i64> = documents
            .filter_map(|document| match document.receipt()?.cause {
                Cause::Refund(refund) => Some((refund, document.id)),
                Cause::Cancel | Cause::Reversal(_) => None,
            })
            .collect();
        self.db.write(move |tx| {
            for change in changes {
                match change {
                    Change::Recover { document } => {
                        happen(tx, &job, order_id, document, Event::Restarted, now, &policy)?
                    }
                    Change::Drop { document } => happen(tx, &job, order_id, document, Event::Drop, now, &policy)?,
                    Change::Want { document } => happen(tx, &job, order_id, document, Event::Want, now, &policy)?,
                    Change::LookFirst { parent, source_key, draft, look_at, classes } => {
                        let blank = Document::planned(account_id, parent, source_key, *draft, now);
                        let born = Document { state: State::InDoubt, look_at: Some(look_at), ..blank };
                        let id = document::add(tx, order_id, &born)?;
                        classify(tx, order_id, &classes, id)?;
                    }
                    Change::Reverse { document } => happen(tx, &job, order_id, document, Event::Reverse, now, &policy)?,
                    Change::Note { document, seen } => {
                        happen(tx, &job, order_id, document, Event::Note { seen }, now, &policy)?
                    }
                    Change::Class { refund, class } => {
                        let receipt = receipts.get(&refund).filter(|_| class == Class::Receipt);
                        let about = receipt.copied().unwrap_or(invoice);
                        document::classify(tx, order_id, refund, class, about)?
                    }
                    Change::Adopt { document, transactions } => {
                        happen(tx, &job, order_id, document, Event::Adopt { transactions }, now, &policy)?
                    }
                    Change::Recount { document, covers, amount } => {
                        let event = Event::Recount { covers, amount };
                        happen(tx, &job, order_id, document, event, now, &policy)?
                    }
                }
            }
            Ok(())
        })?;
        Ok(Performed::Done)
    }

    /// A merchant's key or address does not work: nobody calls for it until a chore finds it repaired.
    fn in_trouble(&self, merchant_id: i64, trouble: Trouble) -> Result<Timestamp, Error> {
        let until = self.note_trouble(merchant_id, trouble)?;
        let probe = self.clock.now() + self.settings.trouble_probe;
        self.db.write(move |tx| job::ask_chore(tx, Chore::Account, merchant_id, probe))?;
        self.wake_chores();
        Ok(until)
    }

    /// Stops a merchant's calls and tells the operator, once.
    pub(super) fn note_trouble(&self, merchant_id: i64, trouble: Trouble) -> Result<Timestamp, Error> {
        let now = self.clock.now();
        // Longer than until the next question, so that its answer is there before anyone calls.
        let until = now + self.settings.trouble_probe * 2;
        tracing::warn!(merchant = merchant_id, ?trouble, "a merchant's way into Daftra does not work");
        self.db.write(move |tx| {
            merchant::trouble(tx, merchant_id, &trouble, until)?;
            alert::raise(tx, alert::Cause::Trouble, &format!("merchant {merchant_id}"), Some(merchant_id), now)
        })?;
        Ok(until)
    }
}

impl Visit<'_> {
    pub(super) fn pace(&self) -> impl Fn() {
        || self.pass.pace()
    }

    fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    fn find(&self, codes: BTreeSet<Code>) -> Result<Performed, Error> {
        for code in codes {
            let answered = self.engine.daftra.products(&self.door, &self.pace(), code.as_str());
            let (job, now) = (self.job, self.now());
            self.note(Action::Find, None, &answered, |products| if products.is_empty() { "absent" } else { "found" })?;
            match answered.outcome {
                Ok(products) => {
                    self.answered()?;
                    self.engine.db.write(move |tx| product::learn(tx, job.merchant_id, &code, &products, now))?;
                }
                Err(problem) => return self.trouble(problem),
            }
        }
        Ok(Performed::Done)
    }

    fn create(
        &self,
        document: Document,
        draft: &Draft,
        classes: BTreeMap<i64, Class>,
        (parent_remote, is_first): (Option<i64>, bool),
    ) -> Result<Performed, Error> {
        let (order_id, now, policy) = (self.order_id, self.now(), self.engine.settings.policy);
        let (about, account_id) = (self.about(Action::Create, None), self.account_id);
        let sent = draft.clone();
        let begun = self.engine.db.write(move |tx| {
            // What a look found, or a person decided, since it was planned comes first: it is planned again.
            if is_first && namesake::awaits(tx, order_id)? {
                return Ok(None);
            }
            // One that never left for its old account may go to the new one.
            let mut document = Document { account_id, ..document };
            if document.id == 0 {
                document.id = document::add(tx, order_id, &document)?;
            }
            let sending = must(apply(&document, Event::Create { draft: sent }, now, &policy));
            document::store(tx, document.state, &sending)?;
            classify(tx, order_id, &classes, document.id)?;
            let about = About { document_id: Some(document.id), ..about };
            Ok(Some((document.id, document::begin_attempt(tx, about, now)?)))
        })?;
        let Some((id, attempt)) = begun else { return Ok(Performed::Done) };
        let answered = self.engine.daftra.create(&self.door, &self.pace(), draft, parent_remote);
        self.conclude(id, attempt, answered)
    }

    /// Reads first: what others wrote is carried over, and a document that is not what we wrote is left alone.
    fn replace(&self, document: Document, draft: Draft, classes: BTreeMap<i64, Class>) -> Result<Performed, Error> {
        let (Some(remote_id), Draft::Invoice(mut new), Draft::Invoice(old)) =
            (document.remote_id, draft, document.content.clone())
        else {
            return Ok(Performed::Retry("only an invoice that exists can be replaced".to_owned()));
        };
        let read = match self.read(&document, remote_id)? {
            Ok(read) => read,
            Err(ended) => return Ok(ended),
        };
        let replacement = match merge(&read, &old, &new) {
            Ok(replacement) => replacement,
            Err(differences) => return self.happened(document.id, Event::Differs { differences }),
        };
        new.paid_by_others = paid_by_others(&new, &read).unwrap_or_default();
        self.put(document, Draft::Invoice(new), &replacement, classes)
    }

    /// A person wants our part of it back as it was.
    fn rewrite(&self, document: Document) -> Result<Performed, Error> {
        let (Some(remote_id), Draft::Invoice(mut own)) = (document.remote_id, document.content.clone()) else {
            return Ok(Performed::Retry("only an invoice that exists can be written again".to_owned()));
        };
        let read = match self.read(&document, remote_id)? {
            Ok(read) => read,
            Err(ended) => return Ok(ended),
        };
        let replacement = overwrite(&read, &own);
        own.adopted = own.adopted.map(|_| Adopted { rows_are_theirs: false });
        let Some(replacement) = replacement else {
            let (job, order_id, id, now) = (self.job, self.order_id, document.id, self.now());
            let policy = self.engine.settings.policy;
            let event = Event::Differs { differences: differences(&document.content, &read) };
            self.engine.db.write(move |tx| {
                ruling::fulfil(tx, Ruling::Rewrite { document: id })?;
                happen(tx, &job, order_id, id, event, now, &policy)
            })?;
            return Ok(Performed::Done);
        };
        own.paid_by_others = paid_by_others(&own, &read).unwrap_or_default();
        self.put(document, Draft::Invoice(own), &replacement, BTreeMap::new())
    }

    /// The intent, the PUT, and what came of it. Whoever wished for it has wished once.
    fn put(
        &self,
        document: Document,
        draft: Draft,
        replacement: &Replacement,
        classes: BTreeMap<i64, Class>,
    ) -> Result<Performed, Error> {
        let Some(remote_id) = document.remote_id else {
            return Ok(Performed::Retry("only an invoice that exists can be replaced".to_owned()));
        };
        let (order_id, now, policy) = (self.order_id, self.now(), self.engine.settings.policy);
        let about = self.about(Action::Replace, Some(document.id));
        let id = document.id;
        let attempt = self.engine.db.write(move |tx| {
            let replacing = must(apply(&document, Event::Replace { draft }, now, &policy));
            document::store(tx, document.state, &replacing)?;
            ruling::fulfil(tx, Ruling::Rewrite { document: document.id })?;
            classify(tx, order_id, &classes, document.id)?;
            document::begin_attempt(tx, about, now)
        })?;
        let answered = self.engine.daftra.replace(&self.door, &self.pace(), remote_id, replacement);
        self.conclude(id, attempt, answered)
    }

    /// Commits what came of a call that writes.
    fn conclude(&self, document_id: i64, attempt: i64, answered: Answered<Written>) -> Result<Performed, Error> {
        let (word, event, ended) = match answered.outcome {
            Written::Accepted { remote_id, remote_no } => {
                ("accepted", Event::Accepted { remote_id: Some(remote_id), remote_no }, Ok(()))
            }
            Written::Refused(refusal) => ("refused", Event::Refused(refusal), Ok(())),
            Written::Unsent(text) => ("unsent", Event::NotExecuted, Err(Unanswered::Unsent(text))),
            Written::Credential(text) => ("credential", Event::NotExecuted, Err(Unanswered::Credential(text))),
            Written::Throttled { retry_after, text } => {
                ("throttled", Event::NotExecuted, Err(Unanswered::Throttled { retry_after, text }))
            }
            Written::Unknown { text, trouble } => {
                ("unknown", Event::Unknown, Err(Unanswered::Failed { text, outage: true, trouble }))
            }
        };
        let remote_id = if let Event::Accepted { remote_id, .. } = &event { *remote_id } else { None };
        let ended_attempt = ended_attempt(word, remote_id, &answered.reports);
        let (job, order_id, now) = (self.job, self.order_id, self.now());
        let policy = self.engine.settings.policy;
        let is_unknown = matches!(event, Event::Unknown);
        self.engine.db.write(move |tx| {
            document::end_attempt(tx, attempt, &ended_attempt, now)?;
            happen(tx, &job, order_id, document_id, event, now, &policy)
        })?;
        match ended {
            Ok(()) => {
                self.answered()?;
                Ok(Performed::Done)
            }
            Err(problem) => {
                let ended = self.trouble(problem)?;
                // In doubt: the planner says when to look, which no try of the order is spent on.
                Ok(if is_unknown { Performed::Done } else { ended })
            }
        }
    }

    fn verify(&self, document: &Document, case: &Case) -> Result<Performed, Error> {
        let Some(remote_id) = document.remote_id else { return Ok(Performed::Done) };
        let read = match self.read(document, remote_id)? {
            Ok(read) => read,
            Err(ended) => return Ok(ended),
        };
        let mut differences = differences(&document.content, &read);
        differences.extend(strange_receipts(document, case, &read));
        if !differences.is_empty() {
            return self.happened(document.id, Event::Differs { differences });
        }
        self.found_as_written(document, &document.content, &read, case)
    }

    /// It is what we wrote; what an invoice did to the stock is asked in the same breath.
    fn found_as_written(
        &self,
        document: &Document,
        draft: &Draft,
        read: &RemoteDocument,
        case: &Case,
    ) -> Result<Performed, Error> {
        let mut events = vec![as_written(draft.header().currency, read)];
        // What others wrote moved their goods; what of it moved is known once the rows are ours.
        if let Draft::Invoice(invoice) = draft
            && !invoice.has_rows_of_others()
        {
            match self.stock(document, invoice, read, case)? {
                Ok(stock) => events.push(Event::StockRead { stock }),
                Err(ended) => return Ok(ended),
            }
            // Asked of the first look after a PUT: what vanishes later somebody took out.
            let is_first = document.verified_at.is_none_or(|at| at < document.since_at);
            let lost = lost_payments(invoice, read).filter(|_| is_first);
            events.extend(lost.map(|lost| Event::Differs { differences: vec![lost] }));
        }
        self.all_happened(document.id, events)
    }

    /// Reads a document back. What stands in the way of an answer is dealt with here.
    fn read(&self, document: &Document, remote_id: i64) -> Result<Result<RemoteDocument, Performed>, Error> {
        let answered = match &document.content {
            Draft::Invoice(_) => self.engine.daftra.read_invoice(&self.door, &self.pace(), remote_id),
            Draft::RefundReceipt(_) => self.engine.daftra.read_receipt(&self.door, &self.pace(), remote_id),
            Draft::Payment(_) => return Ok(Err(Performed::Retry("a payment is read with what it is on".to_owned()))),
        };
        self.note(Action::Verify, Some(document.id), &answered, |read| match read {
            Read::Found(_) => "found",
            Read::Missing => "absent",
        })?;
        match answered.outcome {
            Ok(Read::Found(read)) => {
                self.answered()?;
                Ok(Ok(*read))
            }
            Ok(Read::Missing) => {
                self.answered()?;
                self.happened(document.id, Event::Missing).map(Err)
            }
            Err(problem) => self.looked_in_vain(document.id, problem).map(Err),
        }
    }

    /// A create whose end we never learned: look for its reference.
    fn resolve_invoice(
        &self,
        document: &Document,
        draft: &InvoiceDraft,
        case: &Case,
        wanted: bool,
    ) -> Result<Performed, Error> {
        let reference = &draft.header.reference;
        let since = case.order.snapshot.created_at.min(case.order.snapshot.processed_at) - LOOK_BACK;
        let since = since.to_zoned(case.merchant.zone.clone()).date().min(draft.header.date);
        let answered = self.engine.daftra.look_up_invoice(&self.door, &self.pace(), reference, since);
        self.looked_up(document, answered, wanted)
    }

    fn resolve_receipt(
        &self,
        document: &Document,
        draft: &ReceiptDraft,
        case: &Case,
        wanted: bool,
    ) -> Result<Performed, Error> {
        let Some(invoice_id) = parent_of(document, case).and_then(|invoice| invoice.remote_id) else {
            return Ok(Performed::Retry("the invoice of a receipt has no id".to_owned()));
        };
        let is_of_it = |d: &&Document| d.receipt().is_some() && d.parent_id == document.parent_id;
        let posted = case.ledger.documents.iter().filter(is_of_it).filter(|d| d.remote_id.is_some());
        let known = draft.header.currency.decimal(posted.filter_map(|d| d.total).sum());
        let reference = &draft.header.reference;
        let answered = self.engine.daftra.look_up_receipt(&self.door, &self.pace(), reference, invoice_id, known);
        self.looked_up(document, answered, wanted)
    }

    pub(super) fn looked_up(
        &self,
        document: &Document,
        answered: Answered<Result<Looked, Unanswered>>,
        wanted: bool,
    ) -> Result<Performed, Error> {
        self.note(Action::LookUp, Some(document.id), &answered, |looked| match looked {
            Looked::Found { .. } => "found",
            Looked::Absent => "absent",
            Looked::Several(_) => "several",
        })?;
        let event = match answered.outcome {
            Ok(Looked::Found { remote_id, remote_no }) => Event::Found { remote_id, remote_no },
            Ok(Looked::Absent) => Event::Absent { wanted },
            Ok(Looked::Several(ids)) => Event::Several { ids },
            Err(problem) => return self.looked_in_vain(document.id, problem),
        };
        self.answered()?;
        self.happened(document.id, event)
    }

    /// A PUT whose end we never learned: read the document and see which of the two it is.
    fn resolve_replace(&self, document: &Document, case: &Case) -> Result<Performed, Error> {
        let (Some(remote_id), Some(replacement)) = (document.remote_id, &document.replacement) else {
            return Ok(Performed::Retry("a replacement in doubt has neither id nor draft".to_owned()));
        };
        let read = match self.read(document, remote_id)? {
            Ok(read) => read,
            Err(ended) => return Ok(ended),
        };
        if differences(replacement, &read).is_empty() {
            return self.found_as_written(document, replacement, &read, case);
        }
        let event = if differences(&document.content, &read).is_empty() {
            Event::AsBefore
        } else {
            Event::Differs { differences: differences(replacement, &read) }
        };
        self.happened(document.id, event)
    }

    pub(super) fn happened(&self, document_id: i64, event: Event) -> Result<Performed, Error> {
        self.all_happened(document_id, vec![event])
    }

    /// In one commit, in this order.
    pub(super) fn all_happened(&self, document_id: i64, events: Vec<Event>) -> Result<Performed, Error> {
        let (job, order_id, now) = (self.job, self.order_id, self.now());
        let policy = self.engine.settings.policy;
        self.engine.db.write(move |tx| {
            events.into_iter().try_for_each(|event| happen(tx, &job, order_id, document_id, event, now, &policy))
        })?;
        Ok(Performed::Done)
    }

    /// A look that says nothing. One that reached nobody is no look at all; one that was answered with nonsense is
    /// counted, for a person must look when it goes on.
    pub(super) fn looked_in_vain(&self, document_id: i64, problem: Unanswered) -> Result<Performed, Error> {
        if let Unanswered::Failed { outage: false, .. } = &problem {
            self.happened(document_id, Event::LookFailed)?;
        }
        self.trouble(problem)
    }

    fn about(&self, action: Action, document_id: Option<i64>) -> About {
        About { action, order_id: Some(self.order_id), account_id: self.account_id, document_id }
    }

    /// Notes a call that only reads, with its end.
    pub(super) fn note<T>(
        &self,
        action: Action,
        document_id: Option<i64>,
        answered: &Answered<Result<T, Unanswered>>,
        word: impl FnOnce(&T) -> &'static str,
    ) -> Result<(), Error> {
        let about = self.about(action, document_id);
        let word = match &answered.outcome {
            Ok(answer) => word(answer),
            Err(Unanswered::Unsent(_)) => "unsent",
            Err(Unanswered::Throttled { .. }) => "throttled",
            Err(Unanswered::Credential(_)) => "credential",
            Err(Unanswered::Failed { .. }) => "failed",
        };
        let ended = ended_attempt(word, None, &answered.reports);
        let now = self.now();
        self.engine.db.write(move |tx| {
            let id = document::begin_attempt(tx, about, now)?;
            document::end_attempt(tx, id, &ended, now)
        })
    }

    /// The account is alive.
    pub(super) fn answered(&self) -> Result<(), Error> {
        if self.pass.answered() {
            let (subject, now) = (format!("account {}", self.account_id), self.now());
            self.engine.db.write(move |tx| alert::close(tx, alert::Cause::Outage, &subject, now))?;
        }
        Ok(())
    }

    /// What a call that brought no usable answer means for the account, the merchant and the order.
    pub(super) fn trouble(&self, problem: Unanswered) -> Result<Performed, Error> {
        let account_id = self.account_id;
        match problem {
            Unanswered::Throttled { retry_after, .. } => {
                self.answered()?;
                let stated = retry_after.filter(|pause| pause.is_positive());
                let until = self.now() + stated.unwrap_or(UNSTATED_PAUSE);
                self.pass.close_until(until);
                self.engine.db.write(move |tx| account::pause(tx, account_id, until))?;
                Ok(Performed::PutBack(until))
            }
            Unanswered::Credential(text) => {
                self.answered()?;
                let until = self.engine.in_trouble(self.job.merchant_id, Trouble::Credential { text })?;
                Ok(Performed::PutBack(until))
            }
            Unanswered::Unsent(text) => self.no_answer(text),
            Unanswered::Failed { trouble: Some(trouble), .. } => {
                // The address is wrong for this merchant; the account itself is not known to be down.
                let until = self.engine.in_trouble(self.job.merchant_id, trouble.into())?;
                Ok(Performed::PutBack(until))
            }
            Unanswered::Failed { text, outage: true, .. } => self.no_answer(text),
            Unanswered::Failed { text, outage: false, trouble: None } => Ok(Performed::Retry(text)),
        }
    }

    fn no_answer(&self, text: String) -> Result<Performed, Error> {
        let Some(pause) = self.pass.no_answer() else { return Ok(Performed::Retry(text)) };
        let (account_id, now) = (self.account_id, self.now());
        let until = now + pause;
        tracing::warn!(account = account_id, reason = %text, %pause, "an account does not answer");
        self.engine.db.write(move |tx| {
            account::pause(tx, account_id, until)?;
            alert::raise(tx, alert::Cause::Outage, &format!("account {account_id}"), None, now)
        })?;
        Ok(Performed::PutBack(until))
    }
}

/// Applies an event to a document as it stands now, and tells its story.
pub(super) fn happen(
    tx: &Transaction<'_>,
    job: &Job,
    order_id: i64,
    document_id: i64,
    event: Event,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), Error> {
    let before = document::get(tx, document_id)?;
    let is_read_back = matches!(event, Event::AsWritten { .. });
    let after = must(apply(&before, event, now, policy));
    document::store(tx, before.state, &after)?;
    news::of_document(tx, order_id, &before, &after, is_read_back, now)?;
    let Some(status) = told(tx, order_id, &before, &after)? else { return Ok(()) };
    let facts = log::Facts::Document {
        reference: after.content.header().reference.clone(),
        number: after.remote_no.clone(),
        state: after.state,
    };
    let about = log::About {
        merchant_id: job.merchant_id,
        order_id: Some(order_id),
        delivery_id: None,
        document_id: Some(document_id),
    };
    log::write(tx, status, about, Some(&facts), now)
}

/// The sync log's word for a change of a document, if it is one that people want to read.
fn told(tx: &Transaction<'_>, order_id: i64, before: &Document, after: &Document) -> Result<Option<Status>, Error> {
    if before.state == after.state {
        return Ok(None);
    }
    Ok(match (before.state, after.state) {
        (State::Sending | State::InDoubt | State::Dropped, State::Posted) => match &after.content {
            Draft::Invoice(_) => Some(Status::Success),
            Draft::Payment(_) => Some(Status::Updated),
            Draft::RefundReceipt(ReceiptDraft { cause: Cause::Cancel, .. }) => Some(Status::Cancelled),
            // The order lives on with another invoice.
            Draft::RefundReceipt(ReceiptDraft { cause: Cause::Reversal(_), .. }) => Some(Status::Updated),
            Draft::RefundReceipt(ReceiptDraft { cause: Cause::Refund(_), .. }) => {
                let documents = document::of_order(tx, order_id)?;
                let invoice = documents.iter().find(|d| Some(d.id) == after.parent_id).and_then(Document::invoice);
                let receipts = || Ledger::receipts_of(&documents);
                let is_all = invoice.is_some_and(|i| left(i, receipts()).values().all(|rest| rest.units <= 0));
                Some(if is_all { Status::Cancelled } else { Status::Updated })
            }
        },
        (State::Replacing | State::ReplaceInDoubt, State::Posted) if before.content != after.content => {
            Some(Status::Updated)
        }
        (_, State::InDoubt | State::ReplaceInDoubt) => Some(Status::InDoubt),
        (_, _) => None,
    })
}

pub(super) fn classify(
    tx: &Transaction<'_>,
    order_id: i64,
    classes: &BTreeMap<i64, Class>,
    document: i64,
) -> Result<(), Error> {
    classes.iter().try_for_each(|(refund, class)| document::classify(tx, order_id, *refund, *class, document))
}

/// The document that a receipt or payment is on.
pub(super) fn parent_of<'a>(document: &Document, case: &'a Case) -> Option<&'a Document> {
    case.ledger.documents.iter().find(|parent| Some(parent.id) == document.parent_id)
}

/// An event that cannot happen is a fault of ours: the change is rolled back and the order shows it.
pub(super) fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn differences(draft: &Draft, read: &RemoteDocument) -> Vec<Difference> {
    let mut differences = compare(draft, read, Amount(i64::try_from(draft.billed().len()).unwrap_or(i64::MAX)));
    if draft.header().currency.amount(read.total).is_err() {
        let ours = draft.header().currency.to_string();
        differences.push(Difference { what: DifferenceKind::Total, ours, daftra: read.total.to_string() });
    }
    differences
}

/// More went back on the invoice than by the receipts we know: somebody made one by hand.
fn strange_receipts(invoice: &Document, case: &Case, read: &RemoteDocument) -> Option<Difference> {
    let (ledger, facts) = (&case.ledger, &case.order.facts);
    // After a restore one of ours may be there that is still to be looked for.
    let is_cancelled = facts.cancelled.is_some() && ledger.by_source(&Cause::Cancel.source_key()).is_none();
    if is_cancelled || facts.refunds.keys().any(|refund| !ledger.classes.contains_key(refund)) {
        return None;
    }
    let known = ledger.documents.iter().filter(|d| d.parent_id == Some(invoice.id) && d.state.may_exist());
    let receipts: Vec<_> = known.filter_map(|document| Some((document.total, document.receipt()?))).collect();
    let sum = receipts.iter().map(|(total, draft)| total.unwrap_or_else(|| shop_totals(&draft.billed).total)).sum();
    // What was not read back yet may be off by the account's own rounding.
    let rows: usize = receipts.iter().map(|(_, draft)| draft.billed.len()).sum();
    let currency = invoice.content.header().currency;
    let most = currency.decimal(sum + Amount(i64::try_from(rows).unwrap_or(i64::MAX)));
    let refunded = read.refunded.filter(|refunded| invoice.invoice().is_some() && *refunded > most)?;
    let (ours, daftra) = (currency.print(sum), refunded.normalize().to_string());
    Some(Difference { what: DifferenceKind::Refunded, ours, daftra })
}

pub(super) fn as_written(currency: Currency, read: &RemoteDocument) -> Event {
    let total = currency.amount(read.total).unwrap_or_default();
    Event::AsWritten { total, remote_no: read.no.clone() }
}

fn ended_attempt(word: &'static str, remote_id: Option<i64>, reports: &[Report]) -> Ended {
    let Some(last) = reports.last() else { return Ended { outcome: word, ..Ended::default() } };
    let more = if reports.len() > 1 { format!(" ({} calls)", reports.len()) } else { String::new() };
    Ended {
        outcome: word,
        status: last.status,
        remote_id,
        request: lz4_flex::compress_prepend_size(&last.request),
        answer: lz4_flex::compress_prepend_size(&last.answer),
        detail: format!("{} {}{more} {}", last.method, last.path, last.detail).trim_end().to_owned(),
    }
}

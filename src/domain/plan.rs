//! The one decision: what Daftra should hold for an order, less what the ledger says it holds already.
//!
//! A plan is data. The engine performs its first operation, records the outcome and asks again, so a plan never goes
//! stale. The same function serves a new order, an edit, a cancellation, a repeat, a retry and a dry run.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::collect::{self, Collected, Purse, Wanted, collect};
use super::invoice::{Drafted, Gated, InvoiceDraft, Obstacles, Removed, Seen, draft, gate, shop_totals};
use super::ledger::{Document, Draft, Fingerprint, Ledger, Next, State, next};
use super::money::Amount;
use super::operation::{Change, Operation};
use super::order::{FulfillmentStatus, Order, PaymentStatus, Refund, SAMPLE_ORDER, TransactionStatus};
use super::payment::money;
use super::reason::{Hold, Ignored, Waiting};
use super::refund::{
    Cause, Class, Left, OwnLines, ReceiptDraft, cancel_receipt, class_after_invoice, class_before_invoice,
    in_price_terms, is_money_alone, left, receipt, removed,
};
use super::rules::{Merchant, Trigger, fold};
use super::trace::{Step, Trace, steps};

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

/// The invoice's place among the documents of its order.
pub const INVOICE_KEY: &str = "order";
/// How long a cancellation waits for its refund record.
const CANCEL_RECORD_WAIT: SignedDuration = SignedDuration::from_mins(15);

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
    let order = in_price_terms(order);
    let case = Case { order: &order, merchant, catalog, ledger, now };
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
    merchant: &'a Merchant,
    catalog: &'a Catalog,
    ledger: &'a Ledger,
    now: Timestamp,
}

impl Case<'_> {
    /// Invoice and receipts first. Payments come after them, and no trouble of a payment holds those up.
    fn decide(&self, trace: &mut Trace) -> Decision {
        match self.documents(trace) {
            decided @ (Decision::Act(_) | Decision::Ignore(_)) => decided,
            decided @ (Decision::Settled | Decision::Hold(_) | Decision::Wait(..)) => {
                self.with_payments(decided, trace)
            }
        }
    }

    fn documents(&self, trace: &mut Trace) -> Decision {
        if let Some(decision) = self.unsettled() {
            return decision;
        }
        if self.order.facts.deleted {
            trace.push(Step::DeletedInShop);
        }
        match self.ledger.live_invoice() {
            Some(invoice) if invoice.state.may_exist() => self.follow(invoice, trace),
            planned => self.first_invoice(planned, trace),
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
                Next::Look if document.state == State::Posted => {
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

    /// A payment whose invoice was written after the payment was last seen: a PUT may take payments along.
    fn may_be_lost(&self, document: &Document) -> bool {
        let parent = self.ledger.documents.iter().find(|parent| document.parent_id == Some(parent.id));
        document.payment().is_some()
            && document.state == State::Posted
            && parent.is_some_and(|parent| document.was_seen_before_writing(parent))
    }

    /// What it is on is there: of a document that is missing nobody can say what was paid on it.
    fn is_on_something(&self, payment: &Document) -> bool {
        let parent = self.ledger.documents.iter().find(|parent| payment.parent_id == Some(parent.id));
        parent.is_some_and(|parent| matches!(parent.state, State::Posted | State::Locked) && parent.misses == 0)
    }

    /// The payments, once it is decided about the documents they are on. New ones are made only when those are through.
    fn with_payments(&self, decided: Decision, trace: &mut Trace) -> Decision {
        let payments = self.ledger.documents.iter().filter(|document| document.payment().is_some());
        let mut payments: Vec<&Document> = payments.filter(|payment| self.is_on_something(payment)).collect();
        payments.sort_by_key(|document| document.id);
        let Needs { looks: mut operations, mut holds, wait } = self.needs(&payments);
        if self.merchant.rules.payments.record {
            trace.push(Step::Money(money(self.order)));
        }
        if operations.is_empty()
            && decided == Decision::Settled
            && let Some(Collected { changes, wanted, holds: obstacles, .. }) = self.collect()
        {
            if !changes.is_empty() {
                return Decision::Act(vec![Operation::Record { changes }]);
            }
            holds.extend(obstacles);
            for Wanted { parent, draft, source_at } in wanted {
                let key = draft.cause.source_key();
                let known = self.ledger.by_source(&key);
                match self.create(known, Some(parent), key, Draft::Payment(draft), BTreeMap::new(), source_at) {
                    Decision::Act(more) => operations.extend(more),
                    Decision::Hold(more) => holds.extend(more),
                    Decision::Settled | Decision::Ignore(_) | Decision::Wait(..) => {}
                }
            }
        }
        if !operations.is_empty() {
            return Decision::Act(operations);
        }
        match decided {
            Decision::Hold(mut known) => {
                known.extend(holds);
                Decision::Hold(known)
            }
            Decision::Settled if !holds.is_empty() => Decision::Hold(holds),
            Decision::Settled => wait.map_or(Decision::Settled, |(at, why)| Decision::Wait(Some(at), why)),
            Decision::Wait(..) | Decision::Act(_) | Decision::Ignore(_) => decided,
        }
    }

    /// What the money of an order needs whose documents are through; `None` where it is no business of ours.
    fn collect(&self) -> Option<Collected> {
        let rules = &self.merchant.rules.payments;
        let is_too_old = rules.from.is_some_and(|from| self.order.snapshot.created_at < from);
        let invoice = self.ledger.live_invoice()?;
        let content = invoice.invoice()?;
        if !rules.record || is_too_old {
            return None;
        }
        // Nothing can be paid on a draft.
        if content.header.draft || !invoice.state.may_exist() {
            return None;
        }
        let all = self.draft(&Removed::default(), Some(content)).invoice;
        let is_whole = shop_totals(&all.billed).total == self.order.snapshot.total_price;
        let Self { order, merchant, ledger, now, .. } = *self;
        Some(collect(&Purse { order, merchant, ledger, invoice, content, is_whole, now }))
    }

    /// Whether a document in doubt is still to be made if it turns out to be absent.
    fn is_wanted(&self, document: &Document) -> bool {
        match &document.content {
            Draft::Invoice(_) => document.state != State::Dropped && self.end_before_invoice().is_none(),
            Draft::RefundReceipt(_) => document.state != State::Dropped,
            Draft::Payment(payment) => collect::is_wanted(document, payment, self.order),
        }
    }

    /// Why an order that was never invoiced will not be.
    fn end_before_invoice(&self) -> Option<Ignored> {
        if self.order.facts.cancelled.is_some() {
            Some(Ignored::CancelledBeforeInvoice)
        } else if self.order.facts.deleted {
            Some(Ignored::DeletedBeforeInvoice)
        } else {
            None
        }
    }

    /// Reasons to leave an order alone that never led to a document.
    fn not_for_us(&self) -> Option<Ignored> {
        let snapshot = &self.order.snapshot;
        let rules = &self.merchant.rules;
        if snapshot.id == SAMPLE_ORDER {
            return Some(Ignored::Sample);
        }
        if snapshot.test && !rules.test_orders {
            return Some(Ignored::TestOrder);
        }
        if rules.ignored_sources.contains(&fold(&snapshot.source)) {
            return Some(Ignored::Source { source: snapshot.source.clone() });
        }
        match self.merchant.live_from {
            Some(live_from) if snapshot.created_at < live_from => {
                Some(Ignored::BeforeGoLive { placed_at: snapshot.created_at, live_from })
            }
            Some(_) | None => None,
        }
    }

    /// No invoice exists: either nothing was ever sent, or surely nothing came into being. So today's rules decide: a
    /// merchant who named a wrong client mends it and tries again.
    fn first_invoice(&self, known: Option<&Document>, trace: &mut Trace) -> Decision {
        let known = known.or_else(|| self.ledger.by_source(INVOICE_KEY));
        let untouched = self.ledger.documents.is_empty();
        let first = self.draft(&Removed::default(), None).invoice;
        let has_own = first.seen.values().any(|seen| *seen != Seen::NotOurs);
        let mut ignored = self.end_before_invoice();
        if untouched {
            let strangers = || {
                let vendors = self.order.snapshot.lines.iter().map(|line| line.vendor.clone()).collect();
                Ignored::NoOwnLines { vendors }
            };
            ignored = self.not_for_us().or_else(|| (!has_own).then(strangers)).or(ignored);
        }
        if let Some(ignored) = ignored {
            trace.extend(steps(self.order, &first));
            return self.leave(known, ignored);
        }
        let own = own_lines(&first);
        let mut classes = self.ledger.classes.clone();
        for refund in self.refunds() {
            let class = *classes.entry(refund.id).or_insert_with(|| class_before_invoice(refund, &own, &first));
            trace.push(Step::Refund { id: refund.id, class });
        }
        let gone = removed(&self.order.facts, &classes);
        let Drafted { invoice: target, mut obstacles } = self.draft(&gone, None);
        trace.extend(steps(self.order, &target));
        if !obstacles.ask.is_empty() {
            return Decision::Act(vec![Operation::Find { codes: obstacles.ask }]);
        }
        obstacles.holds.extend(self.quantities(&target));
        self.check_decimals(&target, &mut obstacles);
        if obstacles.holds.is_empty() && target.billed.is_empty() {
            return self.leave(known, Ignored::NothingToBill);
        }
        if obstacles.holds.is_empty() {
            obstacles.holds.extend(self.gate(&target, trace));
        }
        if !obstacles.holds.is_empty() {
            return Decision::Hold(obstacles.holds);
        }
        if untouched && let Some(why) = self.trigger_is_missing() {
            return Decision::Wait(None, why);
        }
        let classes = classes
            .into_iter()
            .filter(|(id, class)| {
                matches!(class, Class::Absorbed | Class::NotOurs) && !self.ledger.classes.contains_key(id)
            })
            .collect();
        self.create(
            known,
            None,
            INVOICE_KEY.to_owned(),
            Draft::Invoice(target),
            classes,
            self.order.snapshot.created_at,
        )
    }

    /// The records that the snapshot can explain.
    fn refunds(&self) -> impl Iterator<Item = &Refund> {
        self.order.facts.refunds.values().filter(|refund| !self.is_ahead(refund))
    }

    /// The record overtook the body that adds its lines and cannot be understood before it: whose the goods are, and
    /// whether they were ever invoiced.
    fn is_ahead(&self, refund: &Refund) -> bool {
        let snapshot = &self.order.snapshot;
        let lacks_line = |id: i64| snapshot.lines.iter().all(|line| line.id != id);
        let lacks_shipping = |id: i64| snapshot.shipping.iter().all(|part| part.id != id);
        !snapshot.refunds_seen.contains(&refund.id)
            && (refund.lines.iter().any(|line| lacks_line(line.line_id))
                || refund.shipping.iter().any(|part| lacks_shipping(part.shipping_id)))
    }

    /// An end without document: a row that was planned is dropped first.
    fn leave(&self, known: Option<&Document>, ignored: Ignored) -> Decision {
        match known {
            Some(document) if matches!(document.state, State::Planned | State::Refused) => {
                Decision::Act(vec![Operation::Record { changes: vec![Change::Drop { document: document.id }] }])
            }
            // The last look for a document that may still turn up.
            Some(Document { state: State::Dropped, look_at: Some(at), content, .. }) => {
                Decision::Wait(Some(*at), Waiting::Settling { reference: content.header().reference.clone() })
            }
            Some(_) | None => Decision::Ignore(ignored),
        }
    }

    fn trigger_is_missing(&self) -> Option<Waiting> {
        let snapshot = &self.order.snapshot;
        match self.merchant.rules.trigger(&snapshot.gateways) {
            Trigger::Created => None,
            Trigger::Paid => (!snapshot.payment.was_paid_in_full()).then_some(Waiting::NotPaid),
            Trigger::Fulfilled => {
                (snapshot.fulfillment != FulfillmentStatus::Fulfilled).then_some(Waiting::NotFulfilled)
            }
        }
    }

    fn check_decimals(&self, target: &InvoiceDraft, obstacles: &mut Obstacles) {
        let currency = target.header.currency;
        if let Some(decimals) = self.ledger.decimals
            && decimals < currency.digits()
        {
            obstacles.holds.push(Hold::AccountTooCoarse { currency, decimals });
        }
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

    fn create(
        &self,
        known: Option<&Document>,
        parent: Option<i64>,
        source_key: String,
        draft: Draft,
        classes: BTreeMap<i64, Class>,
        source_at: Timestamp,
    ) -> Decision {
        let operation = match known {
            Some(document) => match document.state {
                // A copy of the database that was put back does not know what became of it.
                State::Planned if self.ledger.look_first_before.is_some_and(|before| document.since_at < before) => {
                    Operation::Record { changes: vec![Change::Recover { document: document.id }] }
                }
                State::Planned => Operation::Create { document: Some(document.id), parent, source_key, draft, classes },
                State::Refused if document.wanted == draft.fingerprint() => {
                    let reference = document.content.header().reference.clone();
                    let Some(refusal) = document.refusal.clone() else { return Decision::Settled };
                    return Decision::Hold(vec![Hold::Refused { reference, refusal }]);
                }
                State::Refused | State::Dropped => {
                    Operation::Record { changes: vec![Change::Want { document: document.id }] }
                }
                State::Sending
                | State::InDoubt
                | State::Posted
                | State::Replacing
                | State::ReplaceInDoubt
                | State::Locked
                | State::Gone
                | State::Reversed => return Decision::Settled,
            },
            None => match self.ledger.look_first_before {
                Some(before) if source_at < before => {
                    let look_at = self.now.max(before + self.ledger.policy.settling);
                    let draft = Box::new(draft);
                    Operation::Record {
                        changes: vec![Change::LookFirst { parent, source_key, draft, look_at, classes }],
                    }
                }
                Some(_) | None => Operation::Create { document: None, parent, source_key, draft, classes },
            },
        };
        Decision::Act(vec![operation])
    }

    /// The invoice exists: edits replace it, money and goods that went back become receipts.
    fn follow(&self, invoice: &Document, trace: &mut Trace) -> Decision {
        let Some(content) = invoice.invoice() else { return Decision::Settled };
        let facts = &self.order.facts;
        let first = self.draft(&Removed::default(), Some(content)).invoice;
        let own = own_lines(&first);
        let cancel = self.ledger.by_source(&Cause::Cancel.source_key()).is_some_and(|d| d.state.may_exist());
        let mut classes = self.ledger.classes.clone();
        for refund in self.refunds() {
            classes.entry(refund.id).or_insert_with(|| {
                let class = class_after_invoice(refund, &own, content, facts, cancel);
                if class == Class::Receipt && self.is_overpaid_by(refund, content) { Class::Covered } else { class }
            });
        }
        let redraft = |classes: &_| self.draft(&removed(facts, classes), Some(content));
        let mut drafted = redraft(&classes);
        if drafted.is_without_rows() {
            // An invoice without rows is no invoice: what the edit took away goes back by receipt.
            for (id, class) in &mut classes {
                if *class == Class::Edit && !self.ledger.classes.contains_key(id) {
                    *class = Class::Receipt;
                }
            }
            drafted = redraft(&classes);
            if drafted.is_without_rows() {
                let expected = shop_totals(&content.billed).total;
                drafted.obstacles.holds.push(Hold::AmountsDoNotAddUp { expected, found: Amount::ZERO });
            }
        }
        let Drafted { invoice: target, mut obstacles } = drafted;
        trace.extend(steps(self.order, &target));
        trace.extend(classes.iter().map(|(id, class)| Step::Refund { id: *id, class: *class }));
        if !obstacles.ask.is_empty() {
            return Decision::Act(vec![Operation::Find { codes: obstacles.ask }]);
        }
        let wanted = Fingerprint::of(&target.billed);
        if invoice.is_out_of_step(&wanted) {
            obstacles.holds.extend(self.quantities(&target));
            if obstacles.holds.is_empty() {
                obstacles.holds.extend(self.gate(&target, trace));
                obstacles.holds.extend(self.overdrawn(&target));
            }
            if !obstacles.holds.is_empty() {
                return Decision::Hold(obstacles.holds);
            }
            if let (State::Locked, Some(refusal)) = (invoice.state, invoice.refusal.clone()) {
                let reference = content.header.reference.clone();
                return Decision::Hold(vec![Hold::Locked { reference, refusal }]);
            }
            let edits = self.fresh(&classes, |class| class == Class::Edit);
            let draft = Draft::Invoice(target);
            return Decision::Act(vec![Operation::Replace { document: invoice.id, draft, classes: edits }]);
        }
        trace.push(Step::InStep { reference: content.header.reference.clone() });
        let ahead = facts.refunds.values().find(|refund| self.is_ahead(refund));
        match (self.take_back(invoice, content, &classes), ahead) {
            (Decision::Settled, Some(refund)) => Decision::Wait(None, Waiting::OrderBehind { refund: refund.id }),
            (decision, _) => decision,
        }
    }

    /// The record only gives back what was paid too much.
    fn is_overpaid_by(&self, refund: &Refund, invoice: &InvoiceDraft) -> bool {
        // Money on its way may still stay.
        let has_left = refund.transactions.values().all(|movement| movement.status == TransactionStatus::Success);
        let now = money(self.order);
        let billed = shop_totals(&invoice.billed).total;
        let taken_back: Amount = self.ledger.receipts().map(|receipt| shop_totals(&receipt.billed).total).sum();
        self.merchant.rules.payments.record
            && has_left
            && is_money_alone(refund)
            && self.order.facts.money_was_received()
            && now.received - now.given_back >= billed - taken_back
    }

    fn draft(&self, gone: &Removed, frozen: Option<&InvoiceDraft>) -> Drafted {
        draft(self.order, self.merchant, self.catalog, gone, frozen)
    }

    fn gate(&self, target: &InvoiceDraft, trace: &mut Trace) -> Option<Hold> {
        let Gated { shop, daftra, hold } = gate(&target.billed, self.merchant.rules.tolerance_minor);
        trace.push(Step::Totals { shop, daftra });
        hold
    }

    fn fresh(&self, classes: &BTreeMap<i64, Class>, is_meant: impl Fn(Class) -> bool) -> BTreeMap<i64, Class> {
        let known = &self.ledger.classes;
        classes
            .iter()
            .filter(|(id, class)| is_meant(**class) && !known.contains_key(id))
            .map(|(i, c)| (*i, *c))
            .collect()
    }

    /// Receipts, one after the other, then what a cancellation leaves over.
    fn take_back(&self, invoice: &Document, content: &InvoiceDraft, classes: &BTreeMap<i64, Class>) -> Decision {
        let facts = &self.order.facts;
        let mut changes: Vec<Change> = Vec::new();
        // An edit that changed nothing on the invoice is noted with the classes that never change a document.
        for (refund, class) in self.fresh(classes, |class| class != Class::Receipt) {
            changes.push(Change::Class { refund, class });
        }
        if !changes.is_empty() {
            return Decision::Act(vec![Operation::Record { changes }]);
        }
        let mut holds = Vec::new();
        for refund in facts.refunds.values().filter(|refund| classes.get(&refund.id) == Some(&Class::Receipt)) {
            let cause = Cause::Refund(refund.id);
            let known = self.ledger.by_source(&cause.source_key());
            if known.is_some_and(|document| document.state.may_exist() || document.state == State::Gone) {
                continue;
            }
            let rest = left(content, self.ledger.receipts());
            match receipt(refund, self.merchant, &self.order.snapshot, content, &rest) {
                Ok(draft) => {
                    let classes = self.fresh(&BTreeMap::from([(refund.id, Class::Receipt)]), |_| true);
                    let (key, parent) = (cause.source_key(), Some(invoice.id));
                    return self.create(known, parent, key, Draft::RefundReceipt(draft), classes, refund.created_at);
                }
                Err(reasons) => holds.extend(reasons),
            }
        }
        holds.extend(self.overdrawn(content));
        // Units may have left the order in a way that no record shows.
        holds.extend(self.quantities(content));
        if !holds.is_empty() {
            return Decision::Hold(holds);
        }
        match facts.cancelled {
            Some(cancelled) => self.cancel_rest(invoice, content, cancelled.at),
            None => Decision::Settled,
        }
    }

    /// Where receipts take back more than the invoice holds: of what it loses by an edit, or by a receipt that was given
    /// up and turned up.
    fn overdrawn(&self, invoice: &InvoiceDraft) -> Vec<Hold> {
        let short = |left: &Left| left.units < 0 || left.net < Amount::ZERO || left.tax < Amount::ZERO;
        let below_zero = left(invoice, self.ledger.receipts()).into_iter().filter(|(_, left)| short(left));
        let hold = |(source, Left { units, net, tax })| {
            let mut billed = self.ledger.receipts().flat_map(|receipt| &receipt.billed);
            let line = billed.find(|billed| billed.source == source).map(|billed| billed.title.clone());
            Hold::Overdrawn { line: line.unwrap_or_default(), units, net, tax }
        };
        below_zero.map(hold).collect()
    }

    /// The order is cancelled and the records do not cover everything.
    fn cancel_rest(&self, invoice: &Document, content: &InvoiceDraft, at: Timestamp) -> Decision {
        let rest = left(content, self.ledger.receipts());
        let key = Cause::Cancel.source_key();
        let known = self.ledger.by_source(&key);
        if rest.values().all(|left| left.units <= 0) {
            return match known {
                // Records came while Daftra could not take it.
                Some(Document { state: State::Planned | State::Refused, id, .. }) => {
                    Decision::Act(vec![Operation::Record { changes: vec![Change::Drop { document: *id }] }])
                }
                Some(_) | None => Decision::Settled,
            };
        }
        if known.is_none() {
            if self.now < at + CANCEL_RECORD_WAIT {
                return Decision::Wait(Some(at + CANCEL_RECORD_WAIT), Waiting::CancelRecord);
            }
            let mut holds = Vec::new();
            if self.was_paid() {
                holds.push(Hold::CancelledButPaid);
            }
            match self.order.snapshot.fulfillment {
                FulfillmentStatus::Nothing | FulfillmentStatus::Restocked => {}
                FulfillmentStatus::Partial | FulfillmentStatus::Fulfilled | FulfillmentStatus::Unknown => {
                    holds.push(Hold::CancelledAfterShipping);
                }
            }
            if !holds.is_empty() {
                return Decision::Hold(holds);
            }
        }
        let draft: ReceiptDraft = cancel_receipt(self.merchant, self.order.snapshot.id, at, content, &rest);
        self.create(known, Some(invoice.id), key, Draft::RefundReceipt(draft), BTreeMap::new(), at)
    }

    fn was_paid(&self) -> bool {
        let status = self.order.snapshot.payment;
        self.order.facts.money_was_received() || status.was_paid_in_full() || status == PaymentStatus::PartiallyPaid
    }
}

fn own_lines(draft: &InvoiceDraft) -> OwnLines {
    draft.seen.iter().filter(|(_, seen)| **seen == Seen::Billed).map(|(id, _)| *id).collect()
}

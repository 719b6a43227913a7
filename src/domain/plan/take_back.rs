//! What goes back: a receipt for each refund record that is one, and for what a cancellation leaves over.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Case, Decision};
use crate::domain::document::{Document, State};
use crate::domain::draft::Draft;
use crate::domain::invoice::{InvoiceDraft, Source, shop_totals};
use crate::domain::money::Amount;
use crate::domain::operation::{Change, Operation};
use crate::domain::order::{FulfillmentStatus, Order, PaymentStatus, Refund};
use crate::domain::reason::{Hold, Waiting};
use crate::domain::refund::{
    Cause, Class, Left, ReceiptDraft, is_money_alone, left, money_beside, receipt, receipt_for_the_rest,
    waits_for_money, worth,
};
use crate::domain::rules::LinePolicy;

/// How long a cancellation waits for its refund record.
const CANCEL_RECORD_WAIT: SignedDuration = SignedDuration::from_mins(15);

impl Case<'_> {
    /// Receipts, one after the other, then what a cancellation leaves over.
    pub(super) fn take_back(
        &self,
        invoice: &Document,
        content: &InvoiceDraft,
        whole: &InvoiceDraft,
        classes: &BTreeMap<i64, Class>,
    ) -> Decision {
        let facts = &self.order.facts;
        let mut changes: Vec<Change> = Vec::new();
        // An edit that changed nothing on the invoice is noted with the classes that never change a document.
        for (refund, class) in self.fresh(classes, |class| class != Class::Receipt) {
            changes.push(Change::Class { refund, class });
        }
        // A receipt of another life that was found is one for ever.
        for (refund, class) in self.fresh(classes, |class| class == Class::Receipt) {
            let known = self.ledger.by_source(&Cause::Refund(refund).source_key());
            if known.is_some_and(|document| document.state.may_exist()) {
                changes.push(Change::Class { refund, class });
            }
        }
        if !changes.is_empty() {
            return Decision::Act(vec![Operation::Record { changes }]);
        }
        let mut holds = Vec::new();
        let mut under_way = None;
        for refund in facts.refunds.values().filter(|refund| classes.get(&refund.id) == Some(&Class::Receipt)) {
            let cause = Cause::Refund(refund.id);
            let known = self.ledger.by_source(&cause.source_key());
            if known.is_some_and(|document| document.state.may_exist() || document.state == State::Gone) {
                continue;
            }
            if waits_for_money(refund) {
                under_way = Some(refund.id);
                continue;
            }
            let draft = match self.receipt(refund, content, whole) {
                Ok(draft) => Draft::RefundReceipt(draft),
                Err(reasons) => {
                    holds.extend(reasons);
                    continue;
                }
            };
            let classes = self.fresh(&BTreeMap::from([(refund.id, Class::Receipt)]), |_| true);
            match self.create(known, Some(invoice.id), cause.source_key(), draft, classes, refund.created_at) {
                // What Daftra refused of one record holds up no other.
                Decision::Hold(reasons) => holds.extend(reasons),
                Decision::Settled => {}
                decision @ (Decision::Act(_) | Decision::Ignore(_) | Decision::Wait(..)) => return decision,
            }
        }
        holds.extend(self.overdrawn(content));
        // Units may have left the order in a way that no record shows.
        holds.extend(self.quantities(content));
        if !holds.is_empty() {
            return Decision::Hold(holds);
        }
        match (facts.cancelled, under_way) {
            (_, Some(refund)) => Decision::Wait(None, Waiting::MoneyUnderWay { refund }),
            (Some(cancelled), None) => self.cancel_rest(invoice, content, cancelled.at),
            (None, None) => Decision::Settled,
        }
    }

    fn receipt(
        &self,
        refund: &Refund,
        content: &InvoiceDraft,
        whole: &InvoiceDraft,
    ) -> Result<ReceiptDraft, Vec<Hold>> {
        let rest = left(content, self.ledger.receipts());
        let money = self.money_policy(refund, content, whole);
        let told = if self.is_even_with(refund, content, whole) {
            Cow::Owned(refund.for_goods())
        } else {
            Cow::Borrowed(refund)
        };
        receipt(&told, self.merchant, &self.order.snapshot, content, &rest, money)
    }

    /// Another life of the database may have understood a record otherwise, for it saw an older body: the receipts that it
    /// may have made are looked for before the invoice loses anything, in the order in which it would have made them.
    pub(super) fn look_for_receipts(
        &self,
        invoice: &Document,
        content: &InvoiceDraft,
        whole: &InvoiceDraft,
        classes: &BTreeMap<i64, Class>,
    ) -> Option<Decision> {
        let cancelled = self.order.facts.cancelled;
        let is_earlier = |refund: &&Refund| cancelled.is_none_or(|cancelled| refund.created_at < cancelled.at);
        let (earlier, later): (Vec<&Refund>, Vec<&Refund>) = self.refunds().partition(is_earlier);
        let of_record = |refund: &Refund| self.look_for_receipt(refund, invoice, content, whole, classes);
        let of_cancel = || self.look_for_cancel(invoice, content, cancelled?.at);
        earlier.into_iter().find_map(of_record).or_else(of_cancel).or_else(|| later.into_iter().find_map(of_record))
    }

    fn look_for_receipt(
        &self,
        refund: &Refund,
        invoice: &Document,
        content: &InvoiceDraft,
        whole: &InvoiceDraft,
        classes: &BTreeMap<i64, Class>,
    ) -> Option<Decision> {
        let (class, key) = (*classes.get(&refund.id)?, Cause::Refund(refund.id).source_key());
        let is_known = self.ledger.classes.contains_key(&refund.id) || self.ledger.by_source(&key).is_some();
        if class == Class::NotOurs || is_known {
            return None;
        }
        // What held then may not hold now, and the other way round.
        let at_any_rate = || {
            let rest = left(content, self.ledger.receipts());
            receipt(refund, self.merchant, &self.order.snapshot, content, &rest, LinePolicy::Line)
        };
        let draft = self.receipt(refund, content, whole).or_else(|_| at_any_rate()).ok()?;
        // Its class depends on what is found.
        let undecided = BTreeMap::new();
        self.look_first(Some(invoice.id), key, Draft::RefundReceipt(draft), undecided, refund.created_at)
    }

    fn look_for_cancel(&self, invoice: &Document, content: &InvoiceDraft, at: Timestamp) -> Option<Decision> {
        let (key, rest) = (Cause::Cancel.source_key(), left(content, self.ledger.receipts()));
        if self.ledger.by_source(&key).is_some() || rest.values().all(|left| left.units <= 0) {
            return None;
        }
        let draft = receipt_for_the_rest(self.merchant, self.order.snapshot.id, Cause::Cancel, at, content, &rest);
        self.look_first(Some(invoice.id), key, Draft::RefundReceipt(draft), BTreeMap::new(), at)
    }

    /// Money for no goods that no document is to tell of: it was paid too much, or the rules leave it out.
    pub(super) fn is_left_out(&self, refund: &Refund, content: &InvoiceDraft, whole: &InvoiceDraft) -> bool {
        is_money_alone(refund)
            && !refund.is_under_way()
            && (self.merchant.rules.goodwill == LinePolicy::Skip
                || self.balance(refund, content, whole).is_some_and(|(_, after)| after >= Amount::ZERO))
    }

    /// What becomes of money for no goods. It lowers what the order is worth only if nothing was owed to the customer
    /// before, nor by the customer.
    fn money_policy(&self, refund: &Refund, content: &InvoiceDraft, whole: &InvoiceDraft) -> LinePolicy {
        let policy = self.merchant.rules.goodwill;
        let is_even = || self.balance(refund, content, whole).is_some_and(|(before, _)| before.is_zero());
        if policy == LinePolicy::Line && !is_even() { LinePolicy::Hold } else { policy }
    }

    /// The money beside the goods of a record is exactly what was paid too much before it, or what was still owed: then
    /// the goods are all that a document has to tell of.
    fn is_even_with(&self, refund: &Refund, content: &InvoiceDraft, whole: &InvoiceDraft) -> bool {
        let beside = money_beside(refund);
        !beside.is_zero() && self.balance(refund, content, whole).is_some_and(|(before, _)| before == beside)
    }

    /// What the customer has paid beyond what the documents hold, before this record and after its money; of the records
    /// those count that are booked, which this one is not. `None` where it is not known: part of the order is no business of ours, or
    /// money moved that nobody told of, or in another currency.
    fn balance(&self, refund: &Refund, content: &InvoiceDraft, whole: &InvoiceDraft) -> Option<(Amount, Amount)> {
        let Order { snapshot, facts } = self.order;
        let currency = snapshot.currency;
        if shop_totals(&whole.billed).total != snapshot.total_price || !facts.money_was_received() {
            return None;
        }
        let is_booked = |other: &&Refund| {
            let class = self.ledger.classes.get(&other.id);
            let document = self.ledger.by_source(&Cause::Refund(other.id).source_key());
            match class {
                Some(Class::Receipt) => document.is_some_and(|document| document.state.may_exist()),
                Some(Class::Absorbed | Class::Edit | Class::Covered | Class::NotOurs) => true,
                None => false,
            }
        };
        let others: Option<Amount> =
            facts.refunds.values().filter(is_booked).map(|other| other.paid_out(currency)).sum();
        let left = worth(content, &left(content, self.ledger.receipts()));
        let before = facts.received(currency)? - others? - left;
        Some((before, before - refund.paid_out(currency)?))
    }

    /// Where receipts take back more than the invoice holds: of what it loses by an edit, or by a receipt that was given
    /// up and turned up.
    pub(super) fn overdrawn(&self, invoice: &InvoiceDraft) -> Vec<Hold> {
        let short = |left: &Left| left.units < 0 || left.net < Amount::ZERO || left.tax < Amount::ZERO;
        let left = left(invoice, self.ledger.receipts());
        // Money for no goods counts against the whole.
        let is_short = worth(invoice, &left) < Amount::ZERO;
        let below_zero = left.into_iter().filter(|(source, left)| match source {
            Source::Money(_) => is_short,
            Source::Line(_) | Source::Shipping(_) | Source::Tip | Source::Duties | Source::Fees => short(left),
        });
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
                Some(document) if matches!(document.state, State::Planned | State::Refused) => self.give_up(document),
                Some(_) | None => Decision::Settled,
            };
        }
        // What was only looked for and is not there was never decided.
        let is_undecided =
            |known: &Document| matches!(known.state, State::Planned | State::Dropped) && known.unknown_sends == 0;
        if known.is_none_or(is_undecided) {
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
        let draft = receipt_for_the_rest(self.merchant, self.order.snapshot.id, Cause::Cancel, at, content, &rest);
        if shop_totals(&draft.billed).total > worth(content, &rest) {
            // Money went back beside the goods: how much of it is for these, nobody says.
            return Decision::Hold(vec![Hold::CancelledButPaid]);
        }
        self.create(known, Some(invoice.id), key, Draft::RefundReceipt(draft), BTreeMap::new(), at)
    }

    fn was_paid(&self) -> bool {
        let status = self.order.snapshot.payment;
        self.order.facts.money_was_received() || status.was_paid_in_full() || status == PaymentStatus::PartiallyPaid
    }

    pub(super) fn fresh(
        &self,
        classes: &BTreeMap<i64, Class>,
        is_meant: impl Fn(Class) -> bool,
    ) -> BTreeMap<i64, Class> {
        let known = &self.ledger.classes;
        classes
            .iter()
            .filter(|(id, class)| is_meant(**class) && !known.contains_key(id))
            .map(|(i, c)| (*i, *c))
            .collect()
    }
}

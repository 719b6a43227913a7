//! The invoice is there: the shop's edits replace it, and what Daftra will not change is taken back and made anew.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Case, Decision, own_lines};
use crate::domain::document::{Document, State, Stock};
use crate::domain::draft::{Draft, Fingerprint};
use crate::domain::invoice::{Drafted, InvoiceDraft, Removed, Seen, Source, off_by_rounding, shop_totals};
use crate::domain::ledger::invoice_number;
use crate::domain::money::Amount;
use crate::domain::operation::{Change, Operation};
use crate::domain::order::{Refund, RefundLine, Restock};
use crate::domain::reason::{Hold, Refusal, Waiting};
use crate::domain::refund::{Cause, Class, Left, class_after_invoice, left, receipt_for_the_rest};
use crate::domain::rules::{ExchangePolicy, LockedPolicy};
use crate::domain::trace::{Step, Trace, steps};

impl Case<'_> {
    /// The invoice exists: edits replace it, money and goods that went back become receipts.
    pub(super) fn follow(&self, invoice: &Document, trace: &mut Trace) -> Decision {
        let Some(content) = invoice.invoice() else { return Decision::Settled };
        let reversal = Cause::Reversal(invoice_number(&invoice.source_key));
        if self.ledger.by_source(&reversal.source_key()).is_some_and(|document| document.state.may_exist()) {
            let changes = vec![Change::Reverse { document: invoice.id }];
            return Decision::Act(vec![Operation::Record { changes }]);
        }
        let facts = &self.order.facts;
        let first = self.draft(&Removed::default(), Some(content)).invoice;
        let own = own_lines(&first);
        let cancel = self.ledger.by_source(&Cause::Cancel.source_key()).is_some_and(|d| d.state.may_exist());
        let mut classes = self.ledger.classes.clone();
        for refund in self.refunds() {
            classes.entry(refund.id).or_insert_with(|| {
                let known = self.ledger.by_source(&Cause::Refund(refund.id).source_key());
                if known.is_some_and(|document| document.state.may_exist()) {
                    return Class::Receipt;
                }
                let class = class_after_invoice(refund, &own, content, facts, cancel);
                if class == Class::Receipt && self.is_left_out(refund, content, &first) {
                    Class::Covered
                } else {
                    class
                }
            });
        }
        if let Some(look) = self.look_for_receipts(invoice, content, &first, &classes) {
            return look;
        }
        let redraft = |classes: &_| self.draft(&self.removed(classes), Some(content));
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
        if let Some(exchange) = self.exchange(content, &target, &classes) {
            return Decision::Hold(obstacles.holds.into_iter().chain([exchange]).collect());
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
                let (reference, payments) = (content.header.reference.clone(), invoice.paid_by_others());
                if payments.is_empty() && self.may_reverse(content, &refusal) {
                    return self.reverse(invoice, content, reversal);
                }
                return Decision::Hold(vec![Hold::Locked { reference, refusal, payments }]);
            }
            let edits = self.fresh(&classes, |class| class == Class::Edit);
            let draft = Draft::Invoice(target);
            return Decision::Act(vec![Operation::Replace { document: invoice.id, draft, classes: edits }]);
        }
        if self.may_be_edited(invoice) {
            return Decision::Act(vec![Operation::Verify { document: invoice.id }]);
        }
        trace.push(Step::InStep { reference: content.header.reference.clone() });
        if let Some(daftra) = invoice.total.and_then(|total| off_by_rounding(&content.billed, total)) {
            trace.push(Step::Totals { shop: shop_totals(&content.billed), daftra });
        }
        if let Some(document) = self.ledger.by_source(&reversal.source_key())
            && matches!(document.state, State::Planned | State::Refused)
        {
            // The shop took back what could not be written.
            return self.give_up(document);
        }
        if target.seen != content.seen && invoice.state == State::Posted {
            let changes = vec![Change::Note { document: invoice.id, seen: target.seen }];
            return Decision::Act(vec![Operation::Record { changes }]);
        }
        let ahead = facts.refunds.values().find(|refund| self.is_ahead(refund));
        match (self.take_back(invoice, content, &first, &classes), ahead) {
            (Decision::Settled, Some(refund)) => {
                Decision::Wait(self.explained_until(refund), Waiting::OrderBehind { refund: refund.id })
            }
            (Decision::Settled, None) => self.stock(invoice, content),
            (decision, _) => decision,
        }
    }

    /// An invoice that was not read back since a restore: another life of the database may have edited it. Until it is read,
    /// it is not in step with anything, and no receipt knows what is left of it.
    fn may_be_edited(&self, invoice: &Document) -> bool {
        invoice.state == State::Posted && self.is_of_before(invoice)
    }

    /// It was not read back since the last restore or long silence.
    pub(super) fn is_of_before(&self, document: &Document) -> bool {
        // A clock that was set back is no reason to read it again and again.
        let before = self.ledger.look_first_before.filter(|before| *before <= self.now);
        document.verified_at.is_some_and(|at| before.is_some_and(|before| at < before))
    }

    /// Settled only if the goods left their warehouse, or came back.
    fn stock(&self, invoice: &Document, content: &InvoiceDraft) -> Decision {
        let is_anything_out = || left(content, self.ledger.receipts()).values().any(|left| left.units > 0);
        match (&invoice.stock, invoice.next_stock_look()) {
            (Some(Stock::Pending { why }), Some(at)) if is_anything_out() => {
                let reference = content.header.reference.clone();
                Decision::Wait(Some(at), Waiting::StockPending { reference, why: why.clone() })
            }
            (Some(Stock::Pending { .. } | Stock::Moved) | None, _) => Decision::Settled,
        }
    }

    /// Whether an invoice that Daftra will not change may make room for another one without a person. What it complains
    /// of by field can be mended, and what was given back beside goods or paid cannot be carried over; nor can money that is
    /// left of goods which are all back, for it was to be edited away. After a restore nobody knows what was paid on it.
    fn may_reverse(&self, content: &InvoiceDraft, refusal: &Refusal) -> bool {
        let is_goods = |source: Source| matches!(source, Source::Line(_));
        let is_younger = |before: Timestamp| self.order.snapshot.created_at >= before;
        let is_nothing = |left: &Left| left.net.is_zero() && left.tax.is_zero();
        self.merchant.rules.locked == LockedPolicy::NewInvoice
            && refusal.fields.is_empty()
            && self.order.facts.cancelled.is_none()
            && (!self.merchant.rules.payments.record || self.ledger.look_first_before.is_none_or(is_younger))
            && self.ledger.documents.iter().all(|document| document.payment().is_none() || document.never_left())
            && self.ledger.receipts().flat_map(|receipt| &receipt.billed).all(|billed| is_goods(billed.source))
            && left(content, self.ledger.receipts()).values().all(|left| left.units > 0 || is_nothing(left))
    }

    /// A receipt for all that is left of a locked invoice. Once it exists, the next invoice may.
    fn reverse(&self, invoice: &Document, content: &InvoiceDraft, reversal: Cause) -> Decision {
        let rest = left(content, self.ledger.receipts());
        if rest.values().all(|left| left.units <= 0) {
            let changes = vec![Change::Reverse { document: invoice.id }];
            return Decision::Act(vec![Operation::Record { changes }]);
        }
        let draft = receipt_for_the_rest(self.merchant, self.order.snapshot.id, reversal, self.now, content, &rest);
        let key = reversal.source_key();
        let (known, parent) = (self.ledger.by_source(&key), Some(invoice.id));
        // When it was first wanted nobody knows; another life of the database may have made it.
        let source_at = self.order.snapshot.created_at;
        self.create(known, parent, key, Draft::RefundReceipt(draft), BTreeMap::new(), source_at)
    }

    /// Goods given for others, of which something is still to be booked.
    fn exchange(&self, content: &InvoiceDraft, target: &InvoiceDraft, classes: &BTreeMap<i64, Class>) -> Option<Hold> {
        let snapshot = &self.order.snapshot;
        let named = snapshot.exchanged.as_ref().filter(|_| self.merchant.rules.exchange == ExchangePolicy::Hold)?;
        let returns = || self.order.facts.refunds.values().filter(|refund| refund.is_return);
        let is_open = |refund: &Refund| {
            classes.get(&refund.id) == Some(&Class::Receipt)
                && self.ledger.by_source(&Cause::Refund(refund.id).source_key()).is_none_or(Document::never_left)
        };
        let is_given = |id: i64| named.contains(&id) || named.is_empty() && !content.seen.contains_key(&id);
        let given = snapshot.lines.iter().filter(|line| is_given(line.id) && target.seen[&line.id] == Seen::Billed);
        let is_new = given.clone().any(|line| content.find(Source::Line(line.id)).is_none());
        if !is_new && !returns().any(is_open) {
            return None;
        }
        let title = |id: i64| snapshot.lines.iter().find(|line| line.id == id).map(|line| line.title.clone());
        // Not every exchange names its return.
        let came_back = |part: &&RefundLine| part.restock == Restock::Return;
        let records = self.order.facts.refunds.values();
        let back = records
            .flat_map(|refund| refund.lines.iter().filter(move |part| refund.is_return || came_back(part)))
            .filter(|part| target.seen.get(&part.line_id) == Some(&Seen::Billed));
        Some(Hold::Exchange {
            back: back.map(|part| (title(part.line_id).unwrap_or_default(), part.quantity)).collect(),
            given: given.map(|line| (line.title.clone(), line.quantity)).collect(),
        })
    }
}

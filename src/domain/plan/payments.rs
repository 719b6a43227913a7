//! Payments, after the documents they are on. No trouble of a payment holds those up.

use std::collections::BTreeMap;

use super::{Case, Decision, Needs};
use crate::domain::collect::{Collected, Purse, Wanted, collect};
use crate::domain::document::{Document, State};
use crate::domain::draft::Draft;
use crate::domain::invoice::{Removed, shop_totals};
use crate::domain::operation::Operation;
use crate::domain::payment::money;
use crate::domain::reason::Waiting;
use crate::domain::trace::{Step, Trace};

impl Case<'_> {
    /// The payments, once it is decided about the documents they are on. New ones are made only when those are through.
    pub(super) fn with_payments(&self, decided: Decision, trace: &mut Trace) -> Decision {
        let payments = self.ledger.documents.iter().filter(|document| document.payment().is_some());
        // Ids of another account say nothing in this one.
        let payments = payments.filter(|payment| payment.account_id == self.merchant.account_id);
        let mut payments: Vec<&Document> = payments.filter(|payment| self.is_on_something(payment)).collect();
        payments.sort_by_key(|document| document.id);
        let Needs { looks: mut operations, mut holds, wait } = self.needs(&payments);
        if self.merchant.rules.payments.record && !matches!(decided, Decision::Ignore(_)) {
            trace.push(Step::Money(money(self.order)));
        }
        // Money does not wait for goods.
        let is_through = matches!(decided, Decision::Settled | Decision::Wait(_, Waiting::StockPending { .. }));
        if operations.is_empty()
            && is_through
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
            Decision::Settled | Decision::Wait(..) if is_through && !holds.is_empty() => Decision::Hold(holds),
            Decision::Settled | Decision::Wait(_, Waiting::StockPending { .. }) | Decision::Ignore(_) => {
                wait.map_or(decided, |(at, why)| Decision::Wait(Some(at), why))
            }
            Decision::Wait(..) | Decision::Act(_) => decided,
        }
    }

    /// What the money of an order needs whose documents are through; `None` where it is no business of ours.
    fn collect(&self) -> Option<Collected> {
        let rules = &self.merchant.rules.payments;
        let is_too_old = rules.from.is_some_and(|from| self.order.snapshot.created_at < from);
        let invoice = self.ledger.billing_invoice()?;
        let content = invoice.invoice()?;
        // Of an invoice that others made they recorded the money.
        if !rules.record || is_too_old || content.adopted.is_some() {
            return None;
        }
        // Nothing can be paid on a draft.
        if content.header.draft {
            return None;
        }
        let all = self.draft(&Removed::default(), Some(content)).invoice;
        let is_whole = shop_totals(&all.billed).total == self.order.snapshot.total_price;
        let Self { order, merchant, ledger, now, .. } = *self;
        Some(collect(&Purse { order, merchant, ledger, invoice, content, is_whole, now }))
    }

    /// A payment whose invoice was written after the payment was last seen, or may have been by another life of this
    /// database: a PUT may take payments along.
    pub(super) fn may_be_lost(&self, document: &Document) -> bool {
        let parent = self.ledger.documents.iter().find(|parent| document.parent_id == Some(parent.id));
        let is_written_since = |parent| document.was_seen_before_writing(parent) || self.is_of_before(document);
        document.payment().is_some() && document.state == State::Posted && parent.is_some_and(is_written_since)
    }

    /// What it is on is there: of a document that is missing nobody can say what was paid on it.
    fn is_on_something(&self, payment: &Document) -> bool {
        let parent = self.ledger.documents.iter().find(|parent| payment.parent_id == Some(parent.id));
        let is_there = |parent: &Document| matches!(parent.state, State::Posted | State::Locked | State::Reversed);
        parent.is_some_and(|parent| is_there(parent) && parent.misses == 0)
    }
}

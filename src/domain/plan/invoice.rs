//! The invoice that is not there yet: whether the order is the merchant's to book at all, and what stands on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Decision, own_lines};
use crate::domain::catalog::Code;
use crate::domain::document::{Document, State};
use crate::domain::draft::Draft;
use crate::domain::invoice::{Drafted, InvoiceDraft, Obstacles, Removed, Seen, reference};
use crate::domain::ledger::invoice_key;
use crate::domain::operation::{Change, Operation};
use crate::domain::order::{FulfillmentStatus, PaymentStatus, SAMPLE_ORDER};
use crate::domain::payment::was_paid_in_full;
use crate::domain::reason::{Hold, Ignored, Waiting};
use crate::domain::refund::{Class, class_before_invoice};
use crate::domain::rules::{Trigger, fold};
use crate::domain::ruling::Ruling;
use crate::domain::trace::{Step, Trace, steps};

impl Case<'_> {
    /// No invoice exists: either nothing was ever sent, or surely nothing came into being. So today's rules decide: a
    /// merchant who named a wrong client mends it and tries again.
    pub(super) fn invoice(&self, known: Option<&Document>, number: u32, trace: &mut Trace) -> Decision {
        let source_key = invoice_key(number);
        // Before the first there is none but itself, which is not reversed.
        let before = self.ledger.by_source(&invoice_key(number - 1));
        let reversed = before.filter(|before| before.state == State::Reversed).and_then(Document::invoice);
        let untouched = self.ledger.documents.is_empty();
        // A row for a look that found nothing makes no order ours.
        let nothing_left = self.ledger.documents.iter().all(Document::was_never_sent);
        let Drafted { invoice: mut first, obstacles: Obstacles { ask, .. } } =
            self.draft(&Removed::default(), reversed);
        first.header.reference = reference(self.merchant, self.order.snapshot.id, &source_key);
        let has_own = first.seen.values().any(|seen| *seen != Seen::NotOurs);
        let mut ignored = self.end_before_invoice();
        if nothing_left {
            let strangers = || {
                let vendors = self.order.snapshot.lines.iter().map(|line| line.vendor.clone()).collect();
                Ignored::NoOwnLines { vendors }
            };
            ignored = self.not_for_us().or_else(|| (!has_own).then(strangers)).or(ignored);
        }
        if let Some(ignored) = ignored {
            trace.extend(steps(self.order, &first));
            return self.leave(known, source_key, (first, ask), ignored, &BTreeMap::new());
        }
        let own = own_lines(&first);
        let mut classes = self.ledger.classes.clone();
        for refund in self.refunds() {
            let class = *classes.entry(refund.id).or_insert_with(|| class_before_invoice(refund, &own, &first));
            trace.push(Step::Refund { id: refund.id, class });
        }
        let gone = self.removed(&classes);
        let Drafted { invoice: mut target, mut obstacles } = self.draft(&gone, reversed);
        target.header.reference = reference(self.merchant, self.order.snapshot.id, &source_key);
        if reversed.is_some() {
            target.header.date = self.now.to_zoned(self.merchant.zone.clone()).date();
        }
        trace.extend(steps(self.order, &target));
        if !obstacles.ask.is_empty() {
            return Decision::Act(vec![Operation::Find { codes: obstacles.ask }]);
        }
        obstacles.holds.extend(self.quantities(&target));
        self.check_decimals(&target, &mut obstacles);
        if obstacles.holds.is_empty() && target.billed.is_empty() {
            return self.leave(known, source_key, (first, ask), Ignored::NothingToBill, &classes);
        }
        if obstacles.holds.is_empty() {
            obstacles.holds.extend(self.gate(&target, trace));
        }
        if !obstacles.holds.is_empty() {
            return Decision::Hold(obstacles.holds);
        }
        if untouched
            && !self.ledger.is_adopting
            && let Some(why) = self.trigger_is_missing()
        {
            return Decision::Wait(None, why);
        }
        if known.is_none() && number == 1 {
            // Whether another life invoiced before or after its refunds, only what is found can tell. Units ordered
            // never go down, so it is the whole order that is found, or one which a person must judge.
            let (key, placed_at) = (source_key.clone(), self.order.snapshot.created_at);
            if let Some(look) = self.look_first(None, key, Draft::Invoice(first), BTreeMap::new(), placed_at) {
                return look;
            }
        }
        let classes = classes
            .into_iter()
            .filter(|(id, class)| {
                matches!(class, Class::Absorbed | Class::NotOurs) && !self.ledger.classes.contains_key(id)
            })
            .collect();
        self.create(known, None, source_key, Draft::Invoice(target), classes, self.order.snapshot.created_at)
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
        if self.ledger.is_adopting || self.ledger.is_ruled(Ruling::Import) {
            return None;
        }
        if rules.ignored_sources.contains(&fold(&snapshot.source)) {
            return Some(Ignored::Source { source: snapshot.source.clone() });
        }
        if let Some(tag) = snapshot.tags.iter().find(|tag| rules.ignored_tags.contains(&fold(tag))) {
            return Some(Ignored::Tag { tag: tag.clone() });
        }
        match self.merchant.live_from {
            Some(live_from) if snapshot.created_at < live_from => {
                Some(Ignored::BeforeGoLive { placed_at: snapshot.created_at, live_from })
            }
            Some(_) | None => None,
        }
    }

    /// An end without document: a row that was planned is dropped first. Where another life of the database may have
    /// made one before the end came, it is looked for, with its products; what is found is taken back like any other.
    /// After a reversal nothing is left to book.
    fn leave(
        &self,
        known: Option<&Document>,
        source_key: String,
        (first, ask): (InvoiceDraft, BTreeSet<Code>),
        ignored: Ignored,
        classes: &BTreeMap<i64, Class>,
    ) -> Decision {
        let had_a_beginning = match ignored {
            Ignored::CancelledBeforeInvoice | Ignored::DeletedBeforeInvoice | Ignored::NothingToBill => true,
            Ignored::NoOwnLines { .. }
            | Ignored::BeforeGoLive { .. }
            | Ignored::TestOrder
            | Ignored::Sample
            | Ignored::Source { .. }
            | Ignored::Tag { .. }
            | Ignored::Dismissed
            | Ignored::InvoiceDeleted { .. } => false,
        };
        let end = || if self.is_after_reversal() { self.leave_for_good(classes) } else { Decision::Ignore(ignored) };
        match known {
            Some(document) if matches!(document.state, State::Planned | State::Refused) => self.give_up(document),
            None if had_a_beginning && !first.billed.is_empty() => {
                let placed_at = self.order.snapshot.created_at;
                let look = self.look_first(None, source_key, Draft::Invoice(first), BTreeMap::new(), placed_at);
                match look {
                    Some(_) if !ask.is_empty() => Decision::Act(vec![Operation::Find { codes: ask }]),
                    Some(look) => look,
                    None => end(),
                }
            }
            // The last look for a document that may still turn up.
            Some(Document { state: State::Dropped, look_at: Some(at), content, .. }) => {
                Decision::Wait(Some(*at), Waiting::Settling { reference: content.header().reference.clone() })
            }
            Some(_) | None => end(),
        }
    }

    /// Nothing takes the place of the reversed invoice. No document tells of the records that emptied the order; what money
    /// goes back with them, or without any goods, was paid too much.
    fn leave_for_good(&self, classes: &BTreeMap<i64, Class>) -> Decision {
        let fresh = self.fresh(classes, |_| self.ledger.billing_invoice().is_some());
        let lasting = |class| match class {
            Class::Receipt => Class::Covered,
            Class::Absorbed | Class::Edit | Class::Covered | Class::NotOurs => class,
        };
        let changes: Vec<Change> =
            fresh.into_iter().map(|(refund, class)| Change::Class { refund, class: lasting(class) }).collect();
        if changes.is_empty() { Decision::Settled } else { Decision::Act(vec![Operation::Record { changes }]) }
    }

    fn trigger_is_missing(&self) -> Option<Waiting> {
        let snapshot = &self.order.snapshot;
        match self.merchant.rules.trigger(&snapshot.gateways) {
            Trigger::Created => None,
            Trigger::Paid => (!self.is_paid()).then_some(Waiting::NotPaid),
            Trigger::Fulfilled => {
                (snapshot.fulfillment != FulfillmentStatus::Fulfilled).then_some(Waiting::NotFulfilled)
            }
        }
    }

    /// "Refunded" is also said of an order of which only a part was ever paid; where the shop tells of its money, that counts.
    fn is_paid(&self) -> bool {
        let word = self.order.snapshot.payment;
        word == PaymentStatus::Paid || word.was_paid_in_full() && was_paid_in_full(self.order).unwrap_or(true)
    }

    fn check_decimals(&self, target: &InvoiceDraft, obstacles: &mut Obstacles) {
        let currency = target.header.currency;
        if let Some(decimals) = self.ledger.decimals
            && decimals < currency.digits()
        {
            obstacles.holds.push(Hold::AccountTooCoarse { currency, decimals });
        }
    }
}

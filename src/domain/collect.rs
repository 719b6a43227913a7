//! Which payments Daftra should hold for an order whose invoice is in step and whose receipts are through.
//!
//! - The sole owner of an order records each sale and capture once, by transaction id; a merchant who has a share of it
//!   records one payment when the order is paid, over what its documents leave open.
//! - Where the shop says "paid" and names no transaction, one payment stands in for it. A transaction that comes later
//!   is adopted by it, never booked beside it; of one that brought more, only what the payment does not hold is booked.
//!   Once money went back since the shop said so, the transaction is waited for.
//! - What the shop keeps of an order that was edited to nothing is recorded on its last invoice, also on a reversed one.
//! - Money that went back before its payment was sent is taken off it; money on its way back is not. Later it is told by
//!   the receipt, and as a payment of its own where the rules want that. After a restore "before it was sent" is known
//!   only of what was looked for, so looking comes first; what is found to be less by just such money had it taken off.
//! - A payment that went with a PUT of ours comes back as it was, whatever the shop says since, if what it was paid on or
//!   its successor is there.
//!
//! The sums over all payments of an order do not depend on how money that went back is spread over those unsent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::document::{Document, State};
use super::invoice::{Header, InvoiceDraft, reference, shop_totals};
use super::ledger::Ledger;
use super::money::{Amount, Currency};
use super::operation::Change;
use super::order::{Order, PaymentStatus, Refund, Transaction, TransactionKind, TransactionStatus};
use super::payment::{Cause, PaymentDraft, brings_money, movements, was_paid_in_full};
use super::reason::Hold;
use super::refund::{self, Class};
use super::rules::Merchant;

/// The shop's clock and ours may differ by so much: money that came before the shop said "paid" is what it spoke of.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// An order whose documents are as they should be.
pub(super) struct Purse<'a> {
    pub(super) order: &'a Order,
    pub(super) merchant: &'a Merchant,
    pub(super) ledger: &'a Ledger,
    pub(super) invoice: &'a Document,
    pub(super) content: &'a InvoiceDraft,
    /// The invoice bills all that the order ever cost, so that all of its money is the merchant's.
    pub(super) is_whole: bool,
    pub(super) now: Timestamp,
}

/// What is to be done about the money.
#[derive(Default)]
pub(super) struct Collected {
    /// For our own books, first of all.
    pub(super) changes: Vec<Change>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) holds: Vec<Hold>,
    /// Whose payment is wanted or held, and so not given up.
    kept: BTreeSet<String>,
}

/// A payment that is not there yet.
pub(super) struct Wanted {
    pub(super) parent: i64,
    pub(super) draft: PaymentDraft,
    pub(super) source_at: Timestamp,
}

/// Money on its way to becoming one payment.
struct Pile<'a> {
    first: &'a Transaction,
    covers: BTreeSet<i64>,
    amount: Amount,
}

/// What counts beside an invoice.
struct Balance<'a> {
    receipts: Vec<&'a Document>,
    payments: Vec<&'a PaymentDraft>,
}

/// Money that went back and was not taken off a payment.
struct Later<'a> {
    movement: &'a Transaction,
    amount: Amount,
    /// What it gives back is in payments that were sent.
    was_recorded: bool,
}

/// Decides about all payments at once; of those that exist it adds none.
pub(super) fn collect(purse: &Purse<'_>) -> Collected {
    let mut found = Collected::default();
    purse.bring_back(&mut found);
    if purse.is_whole {
        found.changes.extend(purse.recounted());
        purse.by_transaction(&mut found);
    }
    purse.by_word(&mut found);
    let given_up = purse.rows().filter(|(document, payment)| {
        matches!(document.state, State::Planned | State::Refused) && !found.kept.contains(&payment.cause.source_key())
    });
    found.changes.extend(given_up.map(|(document, _)| purse.ledger.drop(document)));
    found
}

impl<'a> Purse<'a> {
    /// By their ids: what is decided never follows the order in which the ledger lists them.
    fn rows(&self) -> impl Iterator<Item = (&'a Document, &'a PaymentDraft)> {
        let payments = self.ledger.documents.iter().filter_map(|document| Some((document, document.payment()?)));
        let mut rows: Vec<_> = payments.collect();
        rows.sort_by_key(|(document, _)| document.id);
        rows.into_iter()
    }

    /// The payments that take part in the order's balance: those on its invoice, and on one that was reversed when nothing
    /// was left to bill.
    fn counted(&self) -> impl Iterator<Item = &'a PaymentDraft> {
        let staying = self.rows().filter(|(document, payment)| self.stays(document, payment));
        let on_invoice = staying.filter(|(document, payment)| {
            let parent = self.comes_back_on(document, payment).or(document.parent_id);
            let is_reversed = |known: &Document| Some(known.id) == parent && known.state == State::Reversed;
            parent == Some(self.invoice.id) || self.ledger.documents.iter().any(is_reversed)
        });
        on_invoice.map(|(_, payment)| payment)
    }

    fn bring_back(&self, found: &mut Collected) {
        for (document, payment) in self.rows() {
            let Some(parent) = self.comes_back_on(document, payment) else { continue };
            found.kept.insert(payment.cause.source_key());
            let mut draft = payment.clone();
            // A method that no rule names any more may be no more in Daftra either.
            let rules = &self.merchant.rules.payments;
            let mut named = rules.gateways.values();
            let is_named = named.any(|rule| (&rule.method, rule.treasury_id) == (&payment.method, payment.treasury_id));
            if let Some(rule) = rules.gateway(&payment.gateway).filter(|_| !is_named) {
                (draft.method, draft.treasury_id) = (rule.method.clone(), rule.treasury_id);
            }
            found.wanted.push(Wanted { parent, draft, source_at: payment.at });
        }
    }

    /// The transactions that are in a payment already.
    fn spoken_for(&self) -> BTreeSet<i64> {
        let live = self.rows().filter(|(document, payment)| self.keeps_its_place(document, payment));
        live.flat_map(|(_, payment)| payment.covers.iter().copied()).collect()
    }

    fn by_transaction(&self, found: &mut Collected) {
        let movements = movements(self.order);
        let spoken_for = self.spoken_for();
        let mut fresh: Vec<&Transaction> =
            movements.iter().filter(|(id, _)| !spoken_for.contains(id)).map(|(_, movement)| *movement).collect();
        fresh.sort_by_key(|movement| (movement.at, movement.id));
        let (mut incoming, outgoing): (Vec<&Transaction>, Vec<&Transaction>) =
            fresh.into_iter().partition(|movement| brings_money(movement.kind));
        let partly = self.adopt(&movements, &mut incoming, found);

        let (mut piles, mut to_look_for): (Vec<Pile<'_>>, Vec<Pile<'_>>) = (Vec::new(), Vec::new());
        for movement in incoming {
            let covers = BTreeSet::from([movement.id]);
            let Some(amount) = movement.amount_in(self.order.snapshot.currency) else {
                self.hold_foreign(movement, found);
                continue;
            };
            let adopted = partly.filter(|(id, _)| *id == movement.id).map_or(Amount::ZERO, |(_, adopted)| adopted);
            let pile = Pile { first: movement, covers, amount: amount - adopted };
            if self.may_be_there(movement) { to_look_for.push(pile) } else { piles.push(pile) }
        }
        let mut room: Amount = self.counted().map(PaymentDraft::money).sum();
        let is_guessed = self.rows().any(|(document, payment)| self.is_guessed(document, payment));
        let mut later = Vec::new();
        for movement in outgoing {
            let Some(amount) = self.leaves(movement, found) else { continue };
            if self.is_to_be_looked_for(movement) {
                self.give_back(&Later { movement, amount, was_recorded: true }, found);
                continue;
            }
            if is_guessed {
                // Another life may have taken it off; until that is known, nothing is sent that it could be taken off.
                piles.clear();
                continue;
            }
            // What no receipt tells of is taken off what was not sent, or a person would have to book it.
            let is_untold = self.is_untold(movement);
            if is_untold && net(&mut piles, movement, amount) {
                continue;
            }
            let unsent: Amount = piles.iter().chain(&to_look_for).map(|pile| pile.amount).sum();
            if is_untold && amount > room + unsent {
                // More went back than is known to have come in: the rest of it is still to be told, and until then nothing
                // is sent off which this money could not be taken any more.
                piles.clear();
                continue;
            }
            let was_recorded = amount <= room;
            if was_recorded {
                room -= amount;
            }
            if was_recorded || !net(&mut piles, movement, amount) {
                later.push(Later { movement, amount, was_recorded });
            }
        }
        for Pile { first, covers, amount } in to_look_for.into_iter().chain(piles) {
            if amount > Amount::ZERO {
                let source_at = first.at.unwrap_or(self.order.snapshot.processed_at);
                let gateways = if first.gateway.trim().is_empty() {
                    self.gateways()
                } else {
                    BTreeSet::from([first.gateway.clone()])
                };
                let rounding = self.rounding(amount);
                let intent = Intent { cause: Cause::Transaction(first.id), at: source_at, amount, rounding, covers };
                self.want(self.invoice, intent, &gateways, source_at, found);
            }
        }
        // What the word's payment is made without has no payment of its own.
        let is_without = self.is_paid_by_word();
        for one in later.into_iter().filter(|one| one.was_recorded || !is_without) {
            self.give_back(&one, found);
        }
    }

    /// Payments made on the shop's word take in the money it spoke of. One that may have been sent keeps its place even
    /// while it surely is not there: it is sent again rather than another.
    ///
    /// Returns the transaction that is adopted in part only, and how much of it: it brought more than the payments hold.
    fn adopt(
        &self,
        movements: &BTreeMap<i64, &Transaction>,
        incoming: &mut Vec<&'a Transaction>,
        found: &mut Collected,
    ) -> Option<(i64, Amount)> {
        let by_word = |(document, payment): &(&Document, &PaymentDraft)| {
            matches!(payment.cause, Cause::Paid(_)) && self.keeps_its_place(document, payment)
        };
        let mut rows: Vec<_> = self.rows().filter(by_word).collect();
        rows.sort_by_key(|(_, payment)| payment.cause);
        let sent_again = || {
            let again = rows.iter().filter(|(document, payment)| self.is_sent_again(document, payment));
            again.map(|(_, payment)| *payment)
        };
        let mut held = unnamed(self.counted().chain(sent_again()), movements, self.order.snapshot.currency);
        // What is in doubt may yet be absent: who brought more than it holds waits for its end.
        let is_certain = rows.iter().all(|(document, _)| matches!(document.state, State::Posted | State::Gone));
        let mut partly = None;
        for (document, payment) in rows {
            let mut transactions = BTreeSet::new();
            incoming.retain(|movement| {
                let came_before = movement.at.is_none_or(|at| at <= payment.at + CLOCKS_DIFFER);
                if held <= Amount::ZERO || !came_before {
                    return true;
                }
                let amount = movement.amount_in(self.order.snapshot.currency).unwrap_or(held);
                if amount > held {
                    partly = Some((movement.id, held));
                    held = Amount::ZERO;
                    return is_certain;
                }
                held -= amount;
                transactions.insert(movement.id);
                false
            });
            if self.is_sent_again(document, payment) {
                let (amount, rounding) = (payment.amount - payment.rounding, payment.rounding);
                let covers = payment.covers.union(&transactions).copied().collect();
                let intent = Intent { cause: payment.cause, at: payment.at, amount, rounding, covers };
                self.want(self.invoice, intent, &self.gateways(), payment.at, found);
            } else if document.state == State::Posted && !transactions.is_empty() {
                found.changes.push(Change::Adopt { document: document.id, transactions });
            }
        }
        self.look_first(incoming, found);
        partly
    }

    /// Nobody else is recorded for what it stands for.
    fn keeps_its_place(&self, document: &Document, payment: &PaymentDraft) -> bool {
        self.stays(document, payment) || self.is_sent_again(document, payment)
    }

    /// Its money is in Daftra, or may be; or comes back; or a person took it out, and nobody puts it back.
    fn stays(&self, document: &Document, payment: &PaymentDraft) -> bool {
        let is_there = document.state.may_exist() || document.state == State::Gone;
        is_there || self.comes_back_on(document, payment).is_some()
    }

    /// On what it is sent as it was: it was there, and went with a PUT of ours. The next invoice takes the place of its
    /// own. What was paid out on a receipt that is no more is decided anew: on an invoice it would be money received.
    fn comes_back_on(&self, document: &Document, payment: &PaymentDraft) -> Option<i64> {
        let went = payment.lost && matches!(document.state, State::Planned | State::Refused);
        let mut documents = self.ledger.documents.iter().filter(|_| went);
        let parent = documents.find(|parent| Some(parent.id) == document.parent_id)?;
        if parent.state.may_exist() { Some(parent.id) } else { parent.invoice().map(|_| self.invoice.id) }
    }

    /// Made on the shop's word, sent with unknown end, surely not there, and still open.
    fn is_sent_again(&self, document: &Document, payment: &PaymentDraft) -> bool {
        matches!(payment.cause, Cause::Paid(_))
            && matches!(document.state, State::Planned | State::Refused)
            && document.unknown_sends > 0
            && !payment.lost
            && payment.money() <= self.open()
    }

    /// Another life of this database may have sent its payment: that is looked for as it was, before anything is taken
    /// off it.
    fn may_be_there(&self, movement: &Transaction) -> bool {
        let Some(before) = self.ledger.look_first_before else { return false };
        match self.ledger.by_source(&Cause::Transaction(movement.id).source_key()) {
            Some(document) => document.may_have_left(Some(before)),
            None => movement.at.unwrap_or(self.order.snapshot.processed_at) < before,
        }
    }

    /// Money came in on the invoice, and another life of this database may have sent it: as long as it was not read, nobody
    /// knows what that life took off it.
    fn is_guessed(&self, document: &Document, payment: &PaymentDraft) -> bool {
        document.parent_id == Some(self.invoice.id)
            && matches!(document.state, State::InDoubt | State::Posted)
            && document.total.is_none()
            && !payment.lost
            && payment.amount > Amount::ZERO
            && self.ledger.look_first_before.is_some_and(|before| payment.at < before)
    }

    /// Money that went back may have a payment of its own, of another life.
    fn is_to_be_looked_for(&self, movement: &Transaction) -> bool {
        let is_recorded = self.merchant.rules.payments.refunds && self.record_of(movement).is_some();
        is_recorded && self.may_be_there(movement)
    }

    /// Another life of this database may have recorded on the shop's word what is known by its transaction now. It is
    /// looked for before anything is sent; nobody sends it.
    fn look_first(&self, incoming: &[&Transaction], found: &mut Collected) {
        let cause = Cause::Paid(1);
        let is_due = self.ledger.look_first_before.is_some_and(|before| self.order.snapshot.created_at < before);
        if !is_due || incoming.is_empty() || self.ledger.by_source(&cause.source_key()).is_some() {
            return;
        }
        let then = self.balance_before(incoming.iter().filter_map(|movement| movement.at).min());
        // Where nothing was open, all of it was.
        let told = || incoming.iter().filter_map(|movement| movement.amount_in(self.order.snapshot.currency)).sum();
        let amount = Some(self.open_in(&then)).filter(|open| *open > Amount::ZERO).unwrap_or_else(told);
        if amount <= Amount::ZERO {
            return;
        }
        let rounding = self.rounding_in(&then, amount);
        let intent = Intent { cause, at: self.now, amount, rounding, covers: BTreeSet::new() };
        let gateways = incoming.iter().map(|movement| movement.gateway.clone()).take(1).collect();
        self.want(self.invoice, intent, &gateways, self.order.snapshot.created_at, found);
    }

    /// The amount that goes out, or that it cannot be booked.
    fn leaves(&self, movement: &Transaction, found: &mut Collected) -> Option<Amount> {
        if !is_outgoing(movement) {
            return None;
        }
        let amount = movement.amount_in(self.order.snapshot.currency);
        if amount.is_none() && self.merchant.rules.payments.refunds {
            self.hold_foreign(movement, found);
        }
        // Shops tell of refunds of nothing, too.
        amount.filter(|amount| !amount.is_zero())
    }

    fn hold_foreign(&self, movement: &Transaction, found: &mut Collected) {
        found.kept.insert(Cause::Transaction(movement.id).source_key());
        found.holds.push(Hold::ForeignPayment {
            transaction: movement.id,
            amount: movement.amount,
            currency: movement.currency.clone(),
        });
    }

    /// By which record this money goes back, and how that was understood, if it is any business of ours.
    fn record_of(&self, movement: &Transaction) -> Option<(&'a Refund, Class)> {
        let mut refunds = self.order.facts.refunds.values();
        let record = refunds.find(|refund| refund.transactions.contains_key(&movement.id))?;
        let class = *self.ledger.classes.get(&record.id)?;
        (class != Class::NotOurs).then_some((record, class))
    }

    /// The record of this money lowered the invoice.
    fn was_taken_off(&self, movement: &Transaction) -> bool {
        matches!(self.record_of(movement), Some((_, Class::Absorbed | Class::Edit)))
    }

    /// No receipt tells of this money.
    fn is_untold(&self, movement: &Transaction) -> bool {
        movement.kind == TransactionKind::Change || self.was_taken_off(movement)
    }

    /// A payment that may be of another life of this database was looked for, and less of it is in Daftra, by one or all of
    /// the movements that this life still has to take off or to tell, and has looked for; or more, by one or all of those
    /// that this life took off. One that this life once found as it should be was changed since, and what is not there at
    /// all had nothing taken off.
    fn recounted(&self) -> Option<Change> {
        let before = self.ledger.look_first_before?;
        let currency = self.order.snapshot.currency;
        let spoken_for = self.spoken_for();
        let movements = movements(self.order);
        let is_left =
            |movement: &Transaction| !spoken_for.contains(&movement.id) && !self.is_to_be_looked_for(movement);
        let out = movements.values().filter(|movement| is_outgoing(movement));
        let out: Vec<(&Transaction, Amount)> =
            out.filter_map(|movement| Some((*movement, movement.amount_in(currency)?))).collect();
        let left: Vec<_> = out.iter().copied().filter(|(movement, _)| is_left(movement)).collect();
        let untold: Vec<_> = left.iter().copied().filter(|(movement, _)| self.is_untold(movement)).collect();
        let is_fresh = |document: &Document| document.parent_id == Some(self.invoice.id) && document.total.is_none();
        let mut found = self.rows().filter(|(document, payment)| payment.at < before && is_fresh(document));
        found.find_map(|(document, payment)| {
            let amount = document.found_amount().filter(|amount| *amount > Amount::ZERO)?;
            let missing = payment.amount - amount;
            let covers = if missing > Amount::ZERO {
                let sets = left.chunks(1).chain([untold.as_slice(), left.as_slice()]);
                payment.covers.union(&that_make_up(missing, sets)?).copied().collect()
            } else {
                let off: Vec<_> = out.iter().copied().filter(|(one, _)| payment.covers.contains(&one.id)).collect();
                let sets = off.chunks(1).chain([off.as_slice()]);
                payment.covers.difference(&that_make_up(-missing, sets)?).copied().collect()
            };
            Some(Change::Recount { document: document.id, covers, amount })
        })
    }

    /// The receipt that tells of this money.
    fn receipt_of(&self, movement: &Transaction) -> Option<&'a Document> {
        let cause = match self.record_of(movement)? {
            (record, Class::Receipt) => refund::Cause::Refund(record.id),
            (_, Class::Covered) => refund::Cause::Cancel,
            (_, Class::Edit | Class::Absorbed | Class::NotOurs) => return None,
        };
        self.ledger.by_source(&cause.source_key()).filter(|receipt| receipt.state == State::Posted)
    }

    /// Money that went back after its payment was sent. A record that has a receipt is told by that; any other took
    /// back what was paid too much.
    fn give_back(&self, later: &Later<'_>, found: &mut Collected) {
        let Later { movement, amount, was_recorded } = *later;
        let Some((record, _)) = self.record_of(movement) else { return };
        let wants_payments = self.merchant.rules.payments.refunds;
        let (parent, amount) = match self.receipt_of(movement) {
            Some(_) if !wants_payments => return,
            Some(receipt) => (receipt, amount),
            // Money that never came by our books cannot have been too much.
            None if !was_recorded => return,
            None if !wants_payments => {
                found.kept.insert(Cause::Transaction(movement.id).source_key());
                found.holds.push(Hold::PayBackByHand { refund: record.id, amount });
                return;
            }
            None => (self.invoice, -amount),
        };
        let at = movement.at.unwrap_or(record.created_at);
        let (cause, rounding) = (Cause::Transaction(movement.id), Amount::ZERO);
        let gateways = BTreeSet::from([movement.gateway.clone()]);
        let intent = Intent { cause, at, amount, rounding, covers: [movement.id].into() };
        self.want(parent, intent, &gateways, at, found);
    }

    /// One payment of what is open, when the shop says that the order is paid and tells of no money of ours; or of what
    /// transactions brought beyond their own payments, where the one that held it is gone.
    fn by_word(&self, found: &mut Collected) {
        let snapshot = &self.order.snapshot;
        let movements = movements(self.order);
        let had_word = || self.rows().any(|(_, payment)| matches!(payment.cause, Cause::Paid(_)));
        let lost = Some(-unnamed(self.counted(), &movements, snapshot.currency))
            .filter(|lost| self.is_whole && *lost > Amount::ZERO && had_word());
        let amount = lost.unwrap_or_else(|| self.open() + self.about_to_leave());
        if !self.is_paid_by_word() && lost.is_none() || amount <= Amount::ZERO {
            return;
        }
        let mut causes = (1..).map(Cause::Paid);
        let is_free = |cause: &Cause| {
            let known = self.ledger.by_source(&cause.source_key());
            !known.is_some_and(|document| document.payment().is_some_and(|payment| self.stays(document, payment)))
        };
        let Some(cause) = causes.find(is_free).filter(|cause| !found.kept.contains(&cause.source_key())) else {
            return;
        };
        let records = self.order.facts.refunds.values().filter(|_| self.is_whole);
        let covers = records.flat_map(|refund| refund.transactions.keys().copied());
        let spoken_for = self.spoken_for();
        let covers =
            covers.filter(|id| lost.is_none() && movements.contains_key(id) && !spoken_for.contains(id)).collect();
        let rounding = self.rounding(amount);
        let intent = Intent { cause, at: self.now, amount, rounding, covers };
        self.want(self.invoice, intent, &self.gateways(), snapshot.created_at, found);
    }

    /// The shop says that the order is paid, and no transaction says how.
    fn is_paid_by_word(&self) -> bool {
        let is_said = self.order.snapshot.payment == PaymentStatus::Paid;
        if self.is_whole {
            let tells_of_money = movements(self.order).values().any(|movement| brings_money(movement.kind));
            // Once money went back, words do not tell whether goods that were added since are paid.
            !tells_of_money && is_said && !self.is_word_outdated()
        } else {
            // Of an order of which only a part was ever paid some may have gone back, too.
            is_said || was_paid_in_full(self.order) == Some(true)
        }
    }

    /// Money went back, or is about to, in a record that the body with the shop's word does not show: no document need
    /// tell of it, so what is open is not what was received.
    fn is_word_outdated(&self) -> bool {
        let Order { snapshot, facts } = self.order;
        let shown = facts.refunds.values().filter(|refund| snapshot.refunds_seen.contains(&refund.id));
        let shown: BTreeSet<i64> = shown.flat_map(|refund| refund.transactions.keys().copied()).collect();
        let of_refunds = facts.refunds.values().flat_map(|refund| refund.transactions.values());
        let mut all = facts.transactions.values().chain(of_refunds);
        all.any(|movement| movement.goes_back() && !shown.contains(&movement.id))
    }

    /// Money on its way back of which the documents tell already: it was received, and is given back once it has left.
    fn about_to_leave(&self) -> Amount {
        let records = self.order.facts.refunds.values().filter(|_| self.is_whole);
        let leaving = records.flat_map(|refund| refund.transactions.values()).filter(|movement| {
            let is_told = self.was_taken_off(movement) || self.receipt_of(movement).is_some();
            is_told && movement.goes_back() && movement.status != TransactionStatus::Success
        });
        leaving.filter_map(|movement| movement.amount_in(self.order.snapshot.currency)).sum()
    }

    /// What stands beside the invoice now.
    fn balance(&self) -> Balance<'a> {
        let payments: Vec<_> = self.counted().collect();
        Balance { receipts: Ledger::counting(&self.ledger.documents).collect(), payments }
    }

    /// What stood beside the invoice when money came in at this time: nothing of what went back since.
    fn balance_before(&self, paid_at: Option<Timestamp>) -> Balance<'a> {
        let Balance { mut receipts, mut payments } = self.balance();
        let was_before = |at: Option<Timestamp>| paid_at.is_none_or(|paid_at| at.is_none_or(|at| at < paid_at));
        receipts.retain(|receipt| was_before(receipt.receipt().and_then(|receipt| self.told_at(receipt.cause))));
        payments.retain(|payment| payment.amount > Amount::ZERO || was_before(Some(payment.at)));
        Balance { receipts, payments }
    }

    /// When the shop told of what a receipt takes back.
    fn told_at(&self, cause: refund::Cause) -> Option<Timestamp> {
        let facts = &self.order.facts;
        match cause {
            refund::Cause::Refund(id) => facts.refunds.get(&id).map(|refund| refund.created_at),
            refund::Cause::Cancel => facts.cancelled.as_ref().map(|cancelled| cancelled.at),
            refund::Cause::Reversal(_) => None,
        }
    }

    /// What is open now.
    fn open(&self) -> Amount {
        self.open_in(&self.balance())
    }

    /// What invoice, receipts and payments leave open, by the shop's amounts. Of a reversed invoice its receipt left nothing.
    fn open_in(&self, balance: &Balance<'_>) -> Amount {
        let paid: Amount = balance.payments.iter().map(|payment| payment.money()).sum();
        if self.invoice.state == State::Reversed {
            return -paid;
        }
        let receipts = balance.receipts.iter().filter_map(|receipt| receipt.receipt());
        let back: Amount = receipts.map(|receipt| shop_totals(&receipt.billed).total).sum();
        shop_totals(&self.content.billed).total - back - paid
    }

    fn rounding(&self, amount: Amount) -> Amount {
        self.rounding_in(&self.balance(), amount)
    }

    /// The payment that leaves nothing open takes along what Daftra's own rounding left, as far as that is tolerated.
    fn rounding_in(&self, balance: &Balance<'_>, amount: Amount) -> Amount {
        let back: Option<Amount> = balance.receipts.iter().map(|receipt| receipt.total).sum();
        let (Some(total), Some(back), true) = (self.invoice.total, back, amount == self.open_in(balance)) else {
            return Amount::ZERO;
        };
        let paid: Amount = balance.payments.iter().map(|payment| payment.amount).sum();
        let rounding = total - back - paid - amount;
        let lines = || i64::try_from(self.content.billed.len()).unwrap_or(i64::MAX);
        let tolerance = self.merchant.rules.tolerance_minor.unwrap_or_else(lines);
        let is_sane = rounding.abs() <= Amount(tolerance) && amount + rounding > Amount::ZERO;
        if is_sane { rounding } else { Amount::ZERO }
    }

    /// The shop's words for the ways this order was paid.
    fn gateways(&self) -> BTreeSet<String> {
        self.order.snapshot.gateways.iter().cloned().collect()
    }

    fn want(
        &self,
        parent: &Document,
        intent: Intent,
        gateways: &BTreeSet<String>,
        source_at: Timestamp,
        found: &mut Collected,
    ) {
        let Intent { cause, at, amount, rounding, covers } = intent;
        found.kept.insert(cause.source_key());
        let mut booked = gateways.iter().map(|name| self.merchant.rules.payments.gateway(name));
        let rule = booked.next().flatten().filter(|rule| booked.all(|other| other == Some(*rule)));
        let Some(rule) = rule else {
            let hold = Hold::UnmappedGateway { gateways: gateways.clone() };
            if !found.holds.contains(&hold) {
                found.holds.push(hold);
            }
            return;
        };
        let clock = at.to_zoned(self.merchant.zone.clone()).datetime();
        let header = Header {
            reference: reference(self.merchant, self.order.snapshot.id, &cause.source_key()),
            date: clock.date(),
            ..parent.content.header().clone()
        };
        let draft = PaymentDraft {
            header,
            cause,
            at,
            clock,
            amount: amount + rounding,
            rounding,
            covers,
            gateway: gateways.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            method: rule.method.clone(),
            treasury_id: rule.treasury_id,
            lost: false,
        };
        found.wanted.push(Wanted { parent: parent.id, draft, source_at });
    }
}

/// A payment before it is known how it is booked.
struct Intent {
    cause: Cause,
    at: Timestamp,
    /// What moved.
    amount: Amount,
    rounding: Amount,
    covers: BTreeSet<i64>,
}

/// The first of these sets of movements that is so much.
fn that_make_up<'a>(
    amount: Amount,
    sets: impl Iterator<Item = &'a [(&'a Transaction, Amount)]>,
) -> Option<BTreeSet<i64>> {
    let mut sets = sets.filter(|set| set.iter().map(|(_, amount)| *amount).sum::<Amount>() == amount);
    sets.next().map(|set| set.iter().map(|(movement, _)| movement.id).collect())
}

fn is_outgoing(movement: &Transaction) -> bool {
    matches!(movement.kind, TransactionKind::Change | TransactionKind::Refund)
}

/// What payments hold beyond the transactions they name; below zero, what these brought and they do not hold. One of a
/// foreign transaction holds just that.
fn unnamed<'p>(
    payments: impl Iterator<Item = &'p PaymentDraft>,
    movements: &BTreeMap<i64, &Transaction>,
    currency: Currency,
) -> Amount {
    let beyond = |payment: &PaymentDraft| {
        let named = payment.covers.iter().filter_map(|id| movements.get(id));
        let named: Option<Amount> = named
            .map(|movement| {
                let amount = movement.amount_in(currency)?;
                Some(if brings_money(movement.kind) { amount } else { -amount })
            })
            .sum();
        named.map_or(Amount::ZERO, |named| payment.money() - named)
    };
    payments.map(beyond).sum()
}

/// Takes money that went back off what was not sent: from one pile of the same way of paying, else from another, else
/// from several, which become one. False: there is not so much.
fn net(piles: &mut Vec<Pile<'_>>, movement: &Transaction, amount: Amount) -> bool {
    if piles.iter().map(|pile| pile.amount).sum::<Amount>() < amount {
        return false;
    }
    piles.sort_by_key(|pile| (pile.first.gateway != movement.gateway, pile.amount != amount, pile.first.id));
    let at = piles.iter().position(|pile| pile.amount >= amount).unwrap_or(0);
    let mut pile = piles.remove(at);
    while pile.amount < amount {
        let next = piles.remove(0);
        pile.amount += next.amount;
        pile.covers.extend(next.covers);
    }
    pile.amount -= amount;
    pile.covers.insert(movement.id);
    piles.push(pile);
    piles.sort_by_key(|pile| pile.first.id);
    true
}

/// Whether a payment in doubt is to be sent if it turns out to be absent: one that was to stand in for transactions is
/// not once these are known, unless it may have been sent.
pub(super) fn is_wanted(document: &Document, payment: &PaymentDraft, order: &Order) -> bool {
    let is_known = movements(order).values().any(|movement| brings_money(movement.kind));
    match payment.cause {
        Cause::Transaction(_) => document.state != State::Dropped,
        Cause::Paid(_) => document.state != State::Dropped && (payment.lost || document.unknown_sends > 0 || !is_known),
    }
}

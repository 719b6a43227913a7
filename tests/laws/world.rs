//! A Daftra of a few lines and our ledger beside it: performs one operation after the other, with good or bad luck, and
//! checks at every write what must hold at every write.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use qantara::domain::catalog::{Catalog, Code, Product, ProductKind};
use qantara::domain::document::{Document, Event, Policy, State, apply};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::{Billed, Rounding, Source, predict, shop_totals};
use qantara::domain::ledger::Ledger;
use qantara::domain::money::Amount;
use qantara::domain::operation::{Change, Operation};
use qantara::domain::order::{Facts, Order};
use qantara::domain::payment::{Cause, PaymentDraft, brings_money, money, movements};
use qantara::domain::plan::{Decision, plan};
use qantara::domain::reason::{Hold, Refusal};
use qantara::domain::refund::{Class, Left};
use qantara::domain::rules::{Merchant, TaxRule, Vendor, Vendors};
use rust_decimal::Decimal;

use crate::history::{Body, ORDER, at};
use crate::make::rules;

/// How a write ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    Good,
    /// Never reached Daftra, and we know it.
    Unsent,
    /// Never reached Daftra, and we do not know it.
    RequestLost,
    /// Done, but we do not know it.
    AnswerLost,
    /// The process dies before the call, or after it.
    DeadBefore,
    DeadAfter,
    Refused,
}

pub(crate) struct World {
    pub(crate) merchant: Merchant,
    pub(crate) catalog: Catalog,
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
    pub(crate) luck: VecDeque<Luck>,
    /// What Daftra holds, by reference.
    pub(crate) remote: BTreeMap<String, Draft>,
    /// Daftra's products.
    pub(crate) shelf: Vec<Product>,
    order: Option<Order>,
    facts: Facts,
    rank: usize,
}

/// A merchant of the vendor Nour with two tax rates, whose tolerance swallows the shop's rounding of refunds.
pub(crate) fn merchant() -> Merchant {
    let taxes = [(5, false), (5, true), (15, false), (15, true)];
    let tax =
        |((percent, included), daftra_id)| TaxRule { title: None, rate: Decimal::new(percent, 2), included, daftra_id };
    let mut rules = rules();
    rules.vendors = Vendors::Only([Vendor::new("nour")].into());
    rules.taxes = taxes.into_iter().zip(11..).map(tax).collect();
    rules.tolerance_minor = Some(100);
    Merchant { key: "k7".into(), account_id: 1, zone: TimeZone::UTC, live_from: None, rules }
}

fn product(id: i64) -> Product {
    Product {
        id: 1_000 + id,
        code: Code::new(&format!("SKU-{id}")),
        barcode: Code::new(""),
        name: format!("Product {id}"),
        kind: ProductKind::Product,
        active: true,
        tracked: true,
        branch_id: None,
    }
}

pub(crate) fn world() -> World {
    let classes = BTreeMap::new();
    World {
        merchant: merchant(),
        catalog: Catalog::default(),
        ledger: Ledger {
            documents: Vec::new(),
            classes,
            rulings: BTreeSet::new(),
            decimals: None,
            look_first_before: None,
            is_adopting: false,
            policy: Policy::default(),
        },
        now: at(0),
        luck: VecDeque::new(),
        remote: BTreeMap::new(),
        shelf: (1..12).map(product).collect(),
        order: None,
        facts: Facts::default(),
        rank: 0,
    }
}

impl World {
    /// Takes a body in: an older snapshot never replaces a newer one, facts are merged.
    pub(crate) fn deliver(&mut self, body: &Body) {
        self.facts.merge(body.facts.clone());
        if let Some(snapshot) = &body.snapshot
            && (self.order.is_none() || body.rank >= self.rank)
        {
            self.rank = body.rank;
            self.order = Some(Order { snapshot: snapshot.clone(), facts: Facts::default() });
        }
        if let Some(order) = &mut self.order {
            order.facts = self.facts.clone();
        }
    }

    /// The decision, which the order of documents and products must not change.
    pub(crate) fn plan(&self) -> Option<Decision> {
        let order = self.order.as_ref()?;
        let (mut ledger, mut catalog) = (self.ledger.clone(), self.catalog.clone());
        ledger.documents.reverse();
        catalog.products.reverse();
        let planned = plan(order, &self.merchant, &self.catalog, &self.ledger, self.now);
        assert_eq!(planned, plan(order, &self.merchant, &catalog, &ledger, self.now));
        Some(planned.0)
    }

    /// Plans and performs until nothing is to be done now.
    pub(crate) fn rest(&mut self) -> Option<Decision> {
        let calm = self.luck.is_empty();
        for _ in 0..if calm { 40 } else { 200 } {
            let decision = self.plan()?;
            let Decision::Act(operations) = decision else { return Some(decision) };
            let first = operations.into_iter().next().expect("An act has an operation");
            self.perform(first);
        }
        panic!("No end within the operations of a plan: {:?}", self.plan());
    }

    /// Plans, performs, lets time pass, and lets a person try again what only a person may.
    pub(crate) fn live(&mut self) -> Option<Decision> {
        for _ in 0..100 {
            match self.rest()? {
                Decision::Wait(Some(at), _) => {
                    assert!(at > self.now, "waits for the past");
                    self.now = at;
                }
                Decision::Hold(holds) if self.try_again(&holds) => {}
                // No decision speaks of a payment in doubt where something else holds; it is looked for all the same.
                Decision::Hold(_) if self.payment_in_doubt().is_some() => {
                    self.now = self.payment_in_doubt().unwrap().max(self.now);
                }
                end @ (Decision::Settled
                | Decision::Ignore(_)
                | Decision::Hold(_)
                | Decision::Wait(None, _)
                | Decision::Act(_)) => return Some(end),
            }
        }
        panic!("Waits for ever");
    }

    fn payment_in_doubt(&self) -> Option<Timestamp> {
        let payments = self.ledger.documents.iter().filter(|known| known.payment().is_some());
        payments.filter(|payment| payment.state == State::InDoubt).filter_map(|payment| payment.look_at).min()
    }

    fn try_again(&mut self, holds: &[Hold]) -> bool {
        let is_for_a_person =
            |hold: &Hold| matches!(hold, Hold::Refused { .. } | Hold::Locked { .. } | Hold::TooManyUnknownSends { .. });
        if !holds.iter().any(is_for_a_person) {
            return false;
        }
        for index in 0..self.ledger.documents.len() {
            let document = &self.ledger.documents[index];
            let is_over = matches!(document.state, State::Reversed);
            if matches!(document.state, State::Refused | State::Locked) || document.unknown_sends > 0 && !is_over {
                self.event(document.id, Event::TryAgain);
            }
        }
        true
    }

    pub(crate) fn perform(&mut self, operation: Operation) {
        match operation {
            Operation::Record { changes } => changes.into_iter().for_each(|change| self.record(change)),
            Operation::Find { codes } => {
                let known = |code: &Code| self.catalog.misses.contains(code);
                assert!(!codes.is_empty() && !codes.iter().any(known), "{codes:?} were asked for already");
                for code in codes {
                    let hits: Vec<Product> = self.shelf.iter().filter(|p| p.code == code).cloned().collect();
                    if hits.is_empty() {
                        self.catalog.misses.insert(code);
                    }
                    self.catalog.products.extend(hits);
                }
            }
            Operation::Create { document, parent, source_key, draft, classes } => {
                self.check_draft(&draft, &source_key);
                self.classify(classes);
                let id = document.unwrap_or_else(|| self.plant(parent, source_key, draft.clone()));
                // The invoice it was planned for may have made room for another one.
                self.ledger.documents.iter_mut().find(|document| document.id == id).unwrap().parent_id = parent;
                self.event(id, Event::Create { draft: draft.clone() });
                self.send(id, &draft);
            }
            Operation::Replace { document, draft, classes } => {
                let source_key = self.document(document).source_key.clone();
                self.check_draft(&draft, &source_key);
                self.check_frozen(document, &draft);
                self.classify(classes);
                self.event(document, Event::Replace { draft: draft.clone() });
                self.send(document, &draft);
            }
            Operation::Rewrite { .. } => panic!("nobody wished for it"),
            Operation::Verify { document } if self.document(document).state == State::Refused => {
                self.event(document, Event::Short { shortages: Vec::new() });
            }
            Operation::Verify { document } => {
                let held = self.document(document);
                let same = is_same(self.remote.get(&held.content.header().reference), Some(&held.content));
                let differs = || Event::Differs { differences: Vec::new() };
                self.event(document, if same { as_written(&held.content) } else { differs() });
            }
            Operation::Resolve { document, wanted } => {
                let held = self.document(document);
                let remote = self.remote.get(&held.content.header().reference);
                let event = match (held.state, remote) {
                    (State::ReplaceInDoubt, remote) if is_same(remote, held.replacement.as_ref()) => {
                        as_written(remote.unwrap())
                    }
                    (State::ReplaceInDoubt, _) => Event::AsBefore,
                    (_, Some(_)) => Event::Found { remote_id: held.id + 7_000, remote_no: None },
                    (_, None) => Event::Absent { wanted },
                };
                self.event(document, event);
            }
        }
    }

    fn record(&mut self, change: Change) {
        match change {
            Change::Recover { document } => self.event(document, Event::Restarted),
            Change::Drop { document } => self.event(document, Event::Drop),
            Change::Want { document } => self.event(document, Event::Want),
            Change::Reverse { document } => self.event(document, Event::Reverse),
            Change::Note { document, seen } => self.event(document, Event::Note { seen }),
            Change::Class { refund, class } => self.classify([(refund, class)].into()),
            Change::Adopt { document, transactions } => {
                self.event(document, Event::Adopt { transactions });
                let payment = self.document(document).content.clone();
                self.remote.insert(payment.header().reference.clone(), payment);
            }
            Change::Recount { document, covers, amount } => {
                self.event(document, Event::Recount { covers, amount });
            }
            Change::LookFirst { parent, source_key, draft, look_at, classes } => {
                self.classify(classes);
                let id = self.plant(parent, source_key, *draft);
                let document = self.ledger.documents.iter_mut().find(|document| document.id == id).unwrap();
                (document.state, document.look_at) = (State::InDoubt, Some(look_at));
            }
        }
    }

    fn send(&mut self, id: i64, draft: &Draft) {
        let reference = draft.header().reference.clone();
        let luck = self.luck.pop_front().unwrap_or(Luck::Good);
        if matches!(luck, Luck::Good | Luck::AnswerLost | Luck::DeadAfter) {
            let before = self.remote.insert(reference.clone(), draft.clone());
            let creates = self.document(id).remote_id.is_none();
            assert!(!creates || before.is_none(), "{reference} exists twice");
        }
        match luck {
            Luck::Good => self.event(id, Event::Accepted { remote_id: Some(id + 7_000), remote_no: None }),
            Luck::Unsent => self.event(id, Event::NotExecuted),
            Luck::RequestLost | Luck::AnswerLost => self.event(id, Event::Unknown),
            Luck::DeadBefore | Luck::DeadAfter => {}
            Luck::Refused => {
                self.event(id, Event::Refused(Refusal { status: 400, message: "No".into(), fields: Vec::new() }));
            }
        }
    }

    fn plant(&mut self, parent: Option<i64>, source_key: String, draft: Draft) -> i64 {
        assert!(self.ledger.by_source(&source_key).is_none(), "{source_key} has a row already");
        assert_eq!(
            parent.is_some(),
            matches!(draft, Draft::RefundReceipt(_) | Draft::Payment(_)),
            "receipts and payments have a parent, invoices none"
        );
        let id = 1 + i64::try_from(self.ledger.documents.len()).unwrap();
        let document = Document { id, ..Document::planned(1, parent, source_key, draft, self.now) };
        self.ledger.documents.push(document);
        id
    }

    fn classify(&mut self, classes: BTreeMap<i64, Class>) {
        for (refund, class) in classes {
            let before = self.ledger.classes.insert(refund, class);
            assert_eq!(before, None, "refund {refund} gets a second class");
        }
    }

    fn document(&self, id: i64) -> &Document {
        self.ledger.documents.iter().find(|document| document.id == id).unwrap()
    }

    fn event(&mut self, id: i64, event: Event) {
        let after = apply(self.document(id), event, self.now, &self.ledger.policy).unwrap();
        *self.ledger.documents.iter_mut().find(|document| document.id == id).unwrap() = after;
    }

    fn check_draft(&self, draft: &Draft, source_key: &str) {
        let order = self.order.as_ref().unwrap();
        assert_eq!(draft.header().reference, format!("k7-{ORDER}-{source_key}"));
        for billed in draft.billed() {
            let rows: i64 = billed.rows.iter().map(|row| row.units * row.unit_price.0).sum();
            assert_eq!(rows, billed.net.0, "the rows of {billed:?}");
        }
        match draft {
            Draft::Invoice(invoice) => {
                assert!(!invoice.billed.is_empty(), "an invoice without rows");
                let is_there =
                    |d: &Document| d.invoice().is_some() && matches!(d.state, State::Posted | State::Reversed);
                let exists = self.ledger.documents.iter().any(is_there);
                let over = order.facts.cancelled.is_some() || order.facts.deleted;
                assert!(exists || !over, "a first invoice for an order that is over");
                assert_close(&invoice.billed, self.merchant.rules.tolerance_minor);
                let included = order.snapshot.taxes_included;
                assert_nothing_below_zero(
                    &self.left_with(&invoice.billed, &[]),
                    included,
                    "replaced below its receipts",
                );
            }
            Draft::RefundReceipt(receipt) => {
                assert!(!receipt.billed.is_empty(), "a receipt without rows");
                let invoice = self.ledger.live_invoice().unwrap().content.billed();
                let (left, included) = (self.left_with(invoice, &receipt.billed), order.snapshot.taxes_included);
                assert_nothing_below_zero(&left, included, "more taken back than is left");
            }
            Draft::Payment(payment) => self.check_payment(payment),
        }
    }

    /// Money is recorded once, and never more of it than came in.
    fn check_payment(&self, payment: &PaymentDraft) {
        assert!(!payment.amount.is_zero(), "a payment of nothing: {payment:?}");
        let others = self.ledger.documents.iter().filter(|known| known.state.may_exist());
        let others: Vec<&PaymentDraft> =
            others.filter_map(Document::payment).filter(|other| other.cause != payment.cause).collect();
        for other in &others {
            let twice: Vec<&i64> = other.covers.intersection(&payment.covers).collect();
            assert!(twice.is_empty(), "{twice:?} are in {other:?} and in {payment:?}");
        }
        let movements = movements(self.order.as_ref().unwrap());
        let came = |id: &i64| movements.get(id).is_some_and(|movement| brings_money(movement.kind));
        let is_told = |one: &&PaymentDraft| matches!(one.cause, Cause::Transaction(_)) && one.covers.iter().any(came);
        let recorded: Amount = others.into_iter().chain([payment]).filter(is_told).map(PaymentDraft::money).sum();
        let received = self.came_in();
        assert!(recorded <= received, "{recorded:?} of {received:?} that came in");
    }

    /// All sales and captures, also what was handed out as change.
    fn came_in(&self) -> Amount {
        let order = self.order.as_ref().unwrap();
        let movements = movements(order);
        let incoming = movements.values().filter(|movement| brings_money(movement.kind));
        incoming.filter_map(|movement| movement.amount_in(order.snapshot.currency)).sum()
    }

    /// At the end of a history: what came in is recorded, but for what went back.
    pub(crate) fn check_payments(&self, end: &Decision) {
        let live = self.ledger.documents.iter().filter(|known| known.state.may_exist());
        let on = |invoice: bool| -> Amount {
            let parents = self.ledger.documents.iter().filter(|parent| parent.invoice().is_some() == invoice);
            let parents: BTreeSet<i64> = parents.map(|parent| parent.id).collect();
            let payments = live.clone().filter(|known| known.parent_id.is_some_and(|id| parents.contains(&id)));
            payments.filter_map(Document::payment).map(PaymentDraft::money).sum()
        };
        let (came, went) = (on(true), on(false));
        let money = money(self.order.as_ref().unwrap());
        let is_told = movements(self.order.as_ref().unwrap()).values().any(|one| brings_money(one.kind));
        let stands_in = live.clone().filter_map(Document::payment).any(|one| matches!(one.cause, Cause::Paid(_)));
        assert!(went <= money.given_back, "{went:?} went back by our books, {:?} by the shop's", money.given_back);
        if *end == Decision::Settled && is_told && !stands_in {
            let range = money.received - money.given_back..=self.came_in();
            assert!(range.contains(&came), "{came:?} is recorded, the shop says {money:?}");
        }
    }

    /// What was sent once is frozen, whatever rules and catalogue say since.
    fn check_frozen(&self, document: i64, draft: &Draft) {
        let before = &self.document(document).content;
        assert_eq!(before.header(), draft.header());
        for now in draft.billed() {
            if let Some(then) = before.billed().iter().find(|billed| billed.source == now.source) {
                assert_eq!(then.product_id, now.product_id, "{:?}", now.source);
                for tax in &then.taxes {
                    let same = now.taxes.iter().find(|same| same.rate == tax.rate && same.title == tax.title);
                    assert!(same.is_none_or(|same| same.daftra_id == tax.daftra_id), "{:?}", now.source);
                }
            }
        }
    }

    fn left_with(&self, invoice: &[Billed], receipt: &[Billed]) -> BTreeMap<Source, Left> {
        let mut left = BTreeMap::new();
        invoice.iter().for_each(|billed| add(&mut left, billed, 1));
        receipt.iter().for_each(|billed| add(&mut left, billed, -1));
        let receipts = self.remote.iter().filter(|(_, draft)| matches!(draft, Draft::RefundReceipt(_)));
        let counting = receipts.filter(|(reference, _)| !self.is_even(reference));
        counting.flat_map(|(_, draft)| draft.billed()).for_each(|billed| add(&mut left, billed, -1));
        left
    }

    /// With the receipts of a reversed invoice nothing of it is left.
    fn is_even(&self, reference: &str) -> bool {
        let documents = || self.ledger.documents.iter();
        // A life that remembers nothing has not found all of them yet: each counts until it knows better.
        let receipt = documents().find(|document| document.content.header().reference == reference);
        let parent = receipt.and_then(|receipt| receipt.parent_id);
        parent.is_some_and(|parent| documents().any(|d| d.id == parent && d.state == State::Reversed))
    }

    /// What Daftra's documents leave of every line and of the shipping, where units are left.
    pub(crate) fn net(&self) -> BTreeMap<Source, Left> {
        let mut left = BTreeMap::new();
        for draft in self.remote.values() {
            let sign = if matches!(draft, Draft::Invoice(_)) { 1 } else { -1 };
            draft.billed().iter().for_each(|billed| add(&mut left, billed, sign));
        }
        left
    }

    /// Our ledger says of every document what Daftra says.
    pub(crate) fn check_books(&self) {
        for document in &self.ledger.documents {
            let reference = &document.content.header().reference;
            let exists = document.state.may_exist() || document.state == State::Reversed;
            let ours = exists.then_some(&document.content);
            let theirs = self.remote.get(reference);
            assert!(is_same(ours, theirs), "{reference} is {}: {ours:?} {theirs:?}", document.state.word());
        }
        let ours: BTreeSet<_> = self.ledger.documents.iter().map(|d| &d.content.header().reference).collect();
        assert!(self.remote.keys().all(|reference| ours.contains(reference)));
    }
}

/// The same header and the same things billed or paid: the rest is for our own books.
fn is_same(ours: Option<&Draft>, theirs: Option<&Draft>) -> bool {
    let held = |draft: &Draft| (draft.header().clone(), draft.billed().to_vec(), draft.total());
    ours.map(held) == theirs.map(held)
}

fn as_written(content: &Draft) -> Event {
    Event::AsWritten { total: content.total(), remote_no: None }
}

fn add(left: &mut BTreeMap<Source, Left>, billed: &Billed, sign: i64) {
    let rest = left.entry(billed.source).or_default();
    rest.units += sign * billed.units;
    rest.net += Amount(sign * billed.net.0);
    rest.tax += Amount(sign * billed.tax.0);
}

/// `included`: the net contains the tax.
fn assert_nothing_below_zero(left: &BTreeMap<Source, Left>, included: bool, what: &str) {
    // Money for no goods is taken off the whole.
    let fine = |(source, rest): (&Source, &Left)| {
        matches!(source, Source::Money(_)) || rest.units >= 0 && rest.net >= Amount::ZERO && rest.tax >= Amount::ZERO
    };
    assert!(left.iter().all(fine), "{what}: {left:?}");
    // It is gross, and has no tax of its own.
    let gross: Amount = left.values().map(|rest| if included { rest.net } else { rest.net + rest.tax }).sum();
    assert!(gross >= Amount::ZERO, "{what} in money: {left:?}");
}

/// What Daftra will compute is the shop's amount within the tolerance, however Daftra rounds.
fn assert_close(billed: &[Billed], tolerance: Option<i64>) {
    let tolerance = tolerance.unwrap_or_else(|| i64::try_from(billed.len()).unwrap());
    let shop = shop_totals(billed);
    for rounding in [Rounding::PerRow, Rounding::PerDocument] {
        let daftra = predict(billed, rounding);
        assert!((daftra.total - shop.total).abs() <= Amount(tolerance), "{rounding:?}: {daftra:?} for {shop:?}");
        assert!((daftra.tax - shop.tax).abs() <= Amount(tolerance), "{rounding:?}: {daftra:?} for {shop:?}");
    }
}

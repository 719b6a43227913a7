//! An order of two teas and a mug at 100.00 each, what the shop and people did to it, and our books of it. A plan is told
//! in one line; doing it takes its first operation for done, as a Daftra would that does what it is told.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use qantara::domain::catalog::{Catalog, Code, Product, ProductKind};
use qantara::domain::document::{Document, Policy, State, Stock};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::InvoiceDraft;
use qantara::domain::ledger::Ledger;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::operation::{Change, Operation};
use qantara::domain::order::{
    Cancelled, Facts, FulfillmentStatus, Line, Order, PaymentStatus, Refund, RefundLine, Restock, Snapshot,
    Transaction, TransactionKind, TransactionStatus,
};
use qantara::domain::payment::{self, PaymentDraft};
use qantara::domain::plan::{Decision, plan};
use qantara::domain::reason::Refusal;
use qantara::domain::refund::Class;
use qantara::domain::rules::{GatewayRule, Merchant};
use qantara::domain::ruling::Ruling;
use qantara::domain::trace::Trace;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use crate::make;

/// The lines of the order, by id.
pub(crate) const TEA: i64 = 1;
pub(crate) const MUG: i64 = 2;
/// What a unit costs; nothing is taxed.
pub(crate) const PRICE: i64 = 10_000;

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
}

/// An order, and all that was done for it.
#[derive(Clone)]
pub(crate) struct Books {
    pub(crate) order: Order,
    pub(crate) merchant: Merchant,
    pub(crate) catalog: Catalog,
    pub(crate) ledger: Ledger,
    pub(crate) now: Timestamp,
}

impl Books {
    /// Placed at minute 0; it is minute 1000, and nothing was done yet.
    pub(crate) fn new() -> Self {
        let snapshot = Snapshot {
            id: 55,
            name: "#55".into(),
            currency: Currency::parse("SAR").unwrap(),
            taxes_included: false,
            test: false,
            source: "web".into(),
            tags: Vec::new(),
            gateways: vec!["mada".into()],
            payment: PaymentStatus::Unknown,
            fulfillment: FulfillmentStatus::Nothing,
            created_at: at(0),
            processed_at: at(0),
            lines: Vec::new(),
            shipping: Vec::new(),
            total_price: Amount::ZERO,
            total_tax: Amount::ZERO,
            current_subtotal: None,
            tip: Amount::ZERO,
            duties: Amount::ZERO,
            fees: Amount::ZERO,
            cash_rounding: Amount::ZERO,
            exchanged: None,
            refunds_seen: BTreeSet::new(),
        };
        let ledger = Ledger {
            documents: Vec::new(),
            classes: BTreeMap::new(),
            rulings: BTreeSet::new(),
            decimals: None,
            look_first_before: None,
            is_adopting: false,
            policy: Policy::default(),
        };
        let product = |(id, code): (i64, &str)| Product {
            id,
            code: Code::new(code),
            barcode: Code::new(""),
            name: code.into(),
            kind: ProductKind::Product,
            active: true,
            tracked: true,
            branch_id: None,
        };
        let products = [(501, "TEA"), (502, "MUG"), (503, "JAR")].map(product).into();
        let merchant =
            Merchant { key: "k7".into(), account_id: 1, zone: TimeZone::UTC, live_from: None, rules: make::rules() };
        let order = Order { snapshot, facts: Facts::default() };
        let catalog = Catalog { products, ..Catalog::default() };
        Self { order, merchant, catalog, ledger, now: at(1_000) }.add(TEA, "TEA", 2).add(MUG, "MUG", 1)
    }

    /// The invoice of the whole order was made and read back, and its goods are out.
    pub(crate) fn invoiced() -> Self {
        Self::new().does("create order 30000")
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// More of the order than was known.
    pub(crate) fn add(mut self, id: i64, sku: &str, quantity: i64) -> Self {
        let line = Line { quantity, current_quantity: Some(quantity), ..make::line(id, sku) };
        self.order.snapshot.total_price += line.net();
        self.order.snapshot.lines.push(line);
        self
    }

    /// A line of the order, to be changed.
    pub(crate) fn line(&mut self, id: i64) -> &mut Line {
        self.order.snapshot.lines.iter_mut().find(|line| line.id == id).unwrap()
    }

    /// A record of the shop: so many units of these lines, and money that went back for it.
    pub(crate) fn record(mut self, id: i64, goods: &[(i64, i64)], restock: Restock, minor: i64) -> Self {
        for (line, quantity) in goods {
            let known = self.order.snapshot.lines.iter_mut().find(|known| known.id == *line);
            if let Some(left) = known.and_then(|known| known.current_quantity.as_mut()) {
                *left -= quantity;
            }
        }
        self.order.snapshot.refunds_seen.insert(id);
        self.ahead(id, goods, restock, minor)
    }

    /// The same, and the body of the order that contains it is still to come.
    pub(crate) fn ahead(mut self, id: i64, goods: &[(i64, i64)], restock: Restock, minor: i64) -> Self {
        let part = |(line_id, quantity): &(i64, i64)| RefundLine {
            line_id: *line_id,
            quantity: *quantity,
            restock,
            subtotal: Amount(PRICE * quantity),
            tax: Amount::ZERO,
        };
        let refund = Refund {
            id,
            created_at: at(100 + id),
            lines: goods.iter().map(part).collect(),
            shipping: Vec::new(),
            adjustments: Vec::new(),
            has_duties: false,
            is_return: restock == Restock::Return,
            transactions: (minor > 0).then(|| (id, moved(id, TransactionKind::Refund, minor))).into_iter().collect(),
        };
        self.order.facts.refunds.insert(id, refund);
        self
    }

    /// The units that an edit took off.
    pub(crate) fn edit(self, id: i64, goods: &[(i64, i64)]) -> Self {
        self.record(id, goods, Restock::Cancel, 0)
    }

    /// Goods that came back, and the money for them.
    pub(crate) fn back(self, id: i64, goods: &[(i64, i64)]) -> Self {
        let units: i64 = goods.iter().map(|(_, quantity)| quantity).sum();
        self.record(id, goods, Restock::Return, PRICE * units)
    }

    pub(crate) fn refund(&mut self, id: i64) -> &mut Refund {
        self.order.facts.refunds.get_mut(&id).unwrap()
    }

    pub(crate) fn paid(self, minor: i64) -> Self {
        self.sale(900, minor)
    }

    /// Money that came in at the minute of its id.
    pub(crate) fn sale(mut self, id: i64, minor: i64) -> Self {
        self.order.facts.transactions.insert(id, moved(id, TransactionKind::Sale, minor));
        self
    }

    pub(crate) fn cancelled(self, minute: i64) -> Self {
        self.with(|books| books.order.facts.cancelled = Some(Cancelled { at: at(minute) }))
    }

    /// What was decided about a record.
    pub(crate) fn class(self, refund: i64, class: Class) -> Self {
        self.with(|books| {
            books.ledger.classes.insert(refund, class);
        })
    }

    pub(crate) fn ruled(mut self, ruling: Ruling) -> Self {
        self.ledger.rulings.insert(ruling);
        self
    }

    /// An older copy of the books was put back at this minute, and what it knows to be there was read since.
    pub(crate) fn restored(self, minute: i64) -> Self {
        self.with(|books| {
            books.ledger.look_first_before = Some(at(minute));
            let there = books.ledger.documents.iter_mut().filter(|document| document.state == State::Posted);
            there.for_each(|document| document.verified_at = Some(books.now));
        })
    }

    pub(crate) fn document(&mut self, id: i64) -> &mut Document {
        self.ledger.documents.iter_mut().find(|document| document.id == id).unwrap()
    }

    /// A document in another state than it would be, and no look is due.
    pub(crate) fn is(mut self, id: i64, state: State) -> Self {
        let document = self.document(id);
        (document.state, document.look_at) = (state, None);
        self
    }

    /// Daftra will not change the invoice any more, and complains of no field.
    pub(crate) fn locked(self, id: i64) -> Self {
        self.is(id, State::Locked).with(|books| books.document(id).refusal = Some(refusal()))
    }

    /// Payments are recorded.
    pub(crate) fn recording(self) -> Self {
        self.with(|books| {
            let mada = GatewayRule { method: "bank".into(), treasury_id: None };
            books.merchant.rules.payments.record = true;
            books.merchant.rules.payments.gateways.insert("mada".into(), mada);
        })
    }

    /// A payment of ours that Daftra holds, for a transaction.
    pub(crate) fn payment(self, parent: i64, transaction: i64, minor: i64) -> Self {
        self.payment_of(parent, payment::Cause::Transaction(transaction), minor, &[transaction])
    }

    /// A payment of ours that Daftra holds, made at minute 60.
    pub(crate) fn payment_of(mut self, parent: i64, cause: payment::Cause, minor: i64, covers: &[i64]) -> Self {
        let payment = PaymentDraft {
            header: self.document(parent).content.header().clone(),
            cause,
            at: at(60),
            clock: at(60).to_zoned(TimeZone::UTC).datetime(),
            amount: Amount(minor),
            rounding: Amount::ZERO,
            covers: covers.iter().copied().collect(),
            gateway: "mada".into(),
            method: "bank".into(),
            treasury_id: None,
            lost: false,
        };
        self.post(Some(parent), payment.cause.source_key(), Draft::Payment(payment));
        self
    }

    fn post(&mut self, parent: Option<i64>, source_key: String, draft: Draft) -> &mut Document {
        let id = i64::try_from(self.ledger.documents.len()).unwrap() + 1;
        let planned = Document { id, ..Document::planned(1, parent, source_key, draft, at(0)) };
        self.ledger.documents.push(planned);
        posted(self.document(id));
        self.document(id)
    }

    pub(crate) fn plan(&self) -> Decision {
        self.plan_and_trace().0
    }

    pub(crate) fn plan_and_trace(&self) -> (Decision, Trace) {
        plan(&self.order, &self.merchant, &self.catalog, &self.ledger, self.now)
    }

    /// Takes the first operation of a plan that is told so for done.
    pub(crate) fn does(mut self, told: &str) -> Self {
        assert_eq!(self.told(), told);
        let Decision::Act(operations) = self.plan() else { panic!("nothing to do: {told}") };
        match operations.into_iter().next().unwrap() {
            Operation::Record { changes } => changes.into_iter().for_each(|change| self.record_change(change)),
            Operation::Create { document, parent, source_key, draft, classes } => {
                self.ledger.classes.extend(classes);
                match document {
                    Some(id) => posted(self.document(id)),
                    None => drop(self.post(parent, source_key, draft)),
                }
            }
            Operation::Replace { document, draft, classes } => {
                self.ledger.classes.extend(classes);
                let document = self.document(document);
                document.content = draft;
                posted(document);
            }
            other @ (Operation::Find { .. }
            | Operation::Rewrite { .. }
            | Operation::Verify { .. }
            | Operation::Resolve { .. }) => {
                panic!("{other:?}")
            }
        }
        self
    }

    fn record_change(&mut self, change: Change) {
        match change {
            Change::Class { refund, class } => {
                self.ledger.classes.insert(refund, class);
            }
            Change::Drop { document } => self.document(document).state = State::Dropped,
            Change::Want { document } => self.document(document).state = State::Planned,
            Change::Reverse { document } => self.document(document).state = State::Reversed,
            Change::Note { document, seen } => match &mut self.document(document).content {
                Draft::Invoice(InvoiceDraft { seen: known, .. }) => *known = seen,
                other @ (Draft::RefundReceipt(_) | Draft::Payment(_)) => panic!("{other:?}"),
            },
            Change::LookFirst { parent, source_key, draft, look_at, classes } => {
                self.ledger.classes.extend(classes);
                let document = self.post(parent, source_key, *draft);
                (document.state, document.look_at, document.written) = (State::InDoubt, Some(look_at), None);
            }
            Change::Recount { document, covers, amount } => {
                let Draft::Payment(payment) = &mut self.document(document).content else { panic!("no payment") };
                payment.covers = covers;
                payment.amount = amount;
                self.document(document).finding = None;
            }
            other @ (Change::Recover { .. } | Change::Adopt { .. }) => panic!("{other:?}"),
        }
    }

    /// What is to be done, in one line.
    pub(crate) fn told(&self) -> String {
        match self.plan() {
            Decision::Settled => "settled".to_owned(),
            Decision::Ignore(why) => format!("ignore: {}", code(&why)),
            Decision::Hold(holds) => {
                format!("hold: {}", holds.iter().map(code).collect::<Vec<_>>().join(", "))
            }
            Decision::Wait(until, why) => {
                assert!(until.is_none_or(|until| until > self.now), "waits for the past: {until:?}");
                let until = until.map(|until| format!(" until {}", minute(until))).unwrap_or_default();
                format!("wait: {}{until}", code(&why))
            }
            Decision::Act(operations) => operations.into_iter().map(operation).collect::<Vec<_>>().join("; "),
        }
    }
}

/// Daftra's no, without a complaint about any field.
pub(crate) fn refusal() -> Refusal {
    Refusal { status: 400, message: "no".into(), fields: Vec::new() }
}

fn moved(id: i64, kind: TransactionKind, minor: i64) -> Transaction {
    let (status, gateway, currency) = (TransactionStatus::Success, "mada".into(), "SAR".into());
    Transaction { id, kind, status, gateway, amount: Decimal::new(minor, 2), currency, at: Some(at(id)) }
}

/// Daftra holds it as it was sent, and it was read back.
fn posted(document: &mut Document) {
    document.state = State::Posted;
    document.wanted = document.content.fingerprint();
    document.written = Some(document.wanted.clone());
    document.remote_id = Some(7_000 + document.id);
    document.total = Some(document.content.total());
    document.verified_at = Some(at(0));
    document.stock = Some(Stock::Moved);
}

fn code(reason: &impl Serialize) -> String {
    json!(reason)["code"].as_str().unwrap().to_owned()
}

fn minute(moment: Timestamp) -> i64 {
    (moment.as_second() - at(0).as_second()) / 60
}

fn operation(operation: Operation) -> String {
    let classes = |classes: BTreeMap<i64, Class>| -> String {
        classes.into_iter().map(|(refund, class)| format!(" {refund}={class:?}")).collect()
    };
    match operation {
        Operation::Record { changes } => changes.into_iter().map(change).collect::<Vec<_>>().join(", "),
        Operation::Create { source_key, draft: Draft::Payment(draft), parent, .. } => {
            let parent = parent.filter(|parent| *parent != 1).map(|parent| format!(" on {parent}")).unwrap_or_default();
            format!("create {source_key} {} {}{parent}", draft.amount.0, draft.method)
        }
        Operation::Create { source_key, draft, classes: of, .. } => {
            format!("create {source_key} {}{}", draft.total().0, classes(of))
        }
        Operation::Replace { document, draft, classes: of } => {
            format!("replace {document} {}{}", draft.total().0, classes(of))
        }
        Operation::Find { codes } => format!("find {}", json!(codes)),
        Operation::Rewrite { document } => format!("rewrite {document}"),
        Operation::Verify { document } => format!("verify {document}"),
        Operation::Resolve { document, wanted } => {
            format!("resolve {document} {}", if wanted { "wanted" } else { "unwanted" })
        }
    }
}

fn change(change: Change) -> String {
    match change {
        Change::Recover { document } => format!("recover {document}"),
        Change::Drop { document } => format!("drop {document}"),
        Change::Want { document } => format!("want {document}"),
        Change::Reverse { document } => format!("reverse {document}"),
        Change::Note { document, .. } => format!("note {document}"),
        Change::Class { refund, class } => format!("{refund} is {class:?}"),
        Change::Adopt { document, transactions } => format!("adopt {transactions:?} by {document}"),
        Change::Recount { document, covers, amount } => format!("{document} is {} of {covers:?}", amount.0),
        Change::LookFirst { source_key, draft, look_at, .. } => {
            let reference = &draft.header().reference;
            assert!(reference.ends_with(&format!("-{source_key}")), "{reference} is looked for as {source_key}");
            format!("look for {source_key} {} at {}", draft.total().0, minute(look_at))
        }
    }
}

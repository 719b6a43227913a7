//! Money of an order whose invoice is in step, case by case: which payments are wanted, what they stand for, what is
//! adopted, given up or held.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "common/make.rs"]
mod make;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use qantara::domain::catalog::{Catalog, Code, Product, ProductKind};
use qantara::domain::document::{Document, Policy, State, Stock};
use qantara::domain::draft::Draft;
use qantara::domain::ledger::Ledger;
use qantara::domain::money::Amount;
use qantara::domain::operation::{Change, Operation};
use qantara::domain::order::{
    Facts, Order, PaymentStatus, Refund, Snapshot, Transaction, TransactionKind, TransactionStatus,
};
use qantara::domain::payment::{Cause, PaymentDraft};
use qantara::domain::plan::{Decision, plan};
use qantara::domain::reason::Refusal;
use qantara::domain::refund::{self, Class, ReceiptDraft};
use qantara::domain::rules::{GatewayRule, Merchant, PaymentRules};
use qantara::domain::ruling::Ruling;
use rust_decimal::Decimal;
use serde_json::json;

use TransactionKind::{Authorization, Change as Handed, Refund as Back, Sale};

/// What the one line costs; it is untaxed.
const TOTAL: i64 = 10_000;
/// Of the invoice among the documents.
const INVOICE: i64 = 1;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
}

fn movement(id: i64, kind: TransactionKind, minor: i64) -> Transaction {
    let (status, gateway, currency) = (TransactionStatus::Success, "mada".into(), "SAR".into());
    Transaction { id, kind, status, gateway, amount: Decimal::new(minor, 2), currency, at: Some(at(id)) }
}

/// An order, and all that was done for it.
#[derive(Clone)]
struct Books {
    order: Order,
    merchant: Merchant,
    ledger: Ledger,
    now: Timestamp,
}

impl Books {
    /// The invoice is posted; the shop tells of these movements of money, a minute apart, and says nothing itself.
    fn new(movements: &[(i64, TransactionKind, i64)]) -> Self {
        let gateway =
            |name: &str, method: &str| (name.to_owned(), GatewayRule { method: method.to_owned(), treasury_id: None });
        let gateways = [gateway("mada", "bank"), gateway("visa", "bank"), gateway("cash", "cash")].into();
        let payments = PaymentRules { record: true, gateways, ..PaymentRules::default() };
        let rules = qantara::domain::rules::Rules { payments, ..make::rules() };
        let snapshot = Snapshot {
            payment: PaymentStatus::Unknown,
            created_at: at(0),
            processed_at: at(0),
            lines: vec![make::line(1, "TEA")],
            total_price: Amount(TOTAL),
            ..make::snapshot()
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
        let mut books = Self {
            order: Order { snapshot, facts: Facts::default() },
            merchant: Merchant { key: "k7".into(), account_id: 1, zone: TimeZone::UTC, live_from: None, rules },
            ledger,
            now: at(1_000),
        };
        let Decision::Act(operations) = books.plan() else { panic!("no invoice") };
        let Operation::Create { draft, .. } = operations.into_iter().next().unwrap() else { panic!("no invoice") };
        books.post(None, "order", draft);
        let all = movements.iter().map(|(id, kind, minor)| (*id, movement(*id, *kind, *minor)));
        books.order.facts.transactions = all.collect();
        books
    }

    fn plan(&self) -> Decision {
        let product = Product {
            id: 501,
            code: Code::new("TEA"),
            barcode: Code::new(""),
            name: "Tea".into(),
            kind: ProductKind::Product,
            active: true,
            tracked: true,
            branch_id: None,
        };
        let catalog = Catalog { products: vec![product], ..Catalog::default() };
        plan(&self.order, &self.merchant, &catalog, &self.ledger, self.now).0
    }

    /// A document that Daftra holds as it was sent.
    fn post(&mut self, parent: Option<i64>, source_key: &str, draft: Draft) -> &mut Document {
        let id = i64::try_from(self.ledger.documents.len()).unwrap() + 1;
        let posted = Document {
            id,
            state: State::Posted,
            written: Some(draft.fingerprint()),
            remote_id: Some(7_000 + id),
            total: Some(draft.total()),
            verified_at: Some(at(1_000)),
            stock: Some(Stock::Moved),
            ..Document::planned(1, parent, source_key.to_owned(), draft, at(0))
        };
        self.ledger.documents.push(posted);
        self.ledger.documents.last_mut().unwrap()
    }

    fn invoice(&mut self) -> &mut Document {
        &mut self.ledger.documents[0]
    }

    /// A payment on a document, for these transactions, made at minute 60.
    fn payment(&mut self, parent: i64, cause: Cause, minor: i64, covers: &[i64]) -> &mut Document {
        let header = self.ledger.documents[0].content.header().clone();
        let key = cause.source_key();
        let payment = PaymentDraft {
            header,
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
        self.post(Some(parent), &key, Draft::Payment(payment))
    }

    /// A receipt of so much, for a record or the cancellation.
    fn receipt(&mut self, cause: refund::Cause, minor: i64) -> &mut Document {
        let invoice = self.ledger.documents[0].invoice().unwrap().clone();
        let part = qantara::domain::invoice::Billed { units: 0, net: Amount(minor), ..invoice.billed[0].clone() };
        let draft = ReceiptDraft { header: invoice.header, cause, billed: vec![part.in_rows()] };
        self.post(Some(INVOICE), &cause.source_key(), Draft::RefundReceipt(draft))
    }

    /// A record of the shop that names a movement, of a class that was decided.
    fn record(&mut self, id: i64, class: Option<Class>, movement: Transaction) -> &mut Self {
        let refund = Refund {
            id,
            created_at: at(0),
            lines: Vec::new(),
            shipping: Vec::new(),
            adjustments: Vec::new(),
            has_duties: false,
            is_return: false,
            transactions: [(movement.id, movement)].into(),
        };
        self.order.facts.refunds.insert(id, refund);
        self.ledger.classes.extend(class.map(|class| (id, class)));
        self
    }

    fn says(mut self, payment: PaymentStatus) -> Self {
        self.order.snapshot.payment = payment;
        self
    }

    /// Somebody else's line makes the order one that several share.
    fn shared(mut self) -> Self {
        self.order.snapshot.total_price = Amount(2 * TOTAL);
        let extra = Amount(TOTAL);
        self.order.snapshot.duties = extra;
        self.merchant.rules.duty = qantara::domain::rules::LinePolicy::Skip;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// What is to be done, a line for each: payments with what moved, Daftra's rounding, what they stand for and where.
    fn told(&self) -> Vec<String> {
        let change = |change: Change| match change {
            Change::Drop { document } => format!("drop {document}"),
            Change::Want { document } => format!("want {document}"),
            Change::Adopt { document, transactions } => format!("adopt {transactions:?} by {document}"),
            Change::LookFirst { source_key, draft, .. } => format!("look for {source_key} {}", draft.total().0),
            other @ (Change::Recover { .. }
            | Change::Reverse { .. }
            | Change::Class { .. }
            | Change::Note { .. }
            | Change::Recount { .. }) => panic!("{other:?}"),
        };
        let one = |operation| match operation {
            Operation::Record { changes } => changes.into_iter().map(change).collect::<Vec<_>>().join(", "),
            Operation::Create { parent, source_key, draft: Draft::Payment(payment), .. } => {
                let PaymentDraft { covers, method, rounding, .. } = &payment;
                let rounding = if rounding.is_zero() { String::new() } else { format!(" rounded {}", rounding.0) };
                let parent = if parent == Some(INVOICE) { String::new() } else { format!(" on {}", parent.unwrap()) };
                format!("{source_key} {}{rounding} {covers:?} {method}{parent}", payment.money().0)
            }
            Operation::Resolve { document, wanted } => format!("resolve {document} {wanted}"),
            other @ (Operation::Create { .. }
            | Operation::Replace { .. }
            | Operation::Rewrite { .. }
            | Operation::Find { .. }
            | Operation::Verify { .. }) => panic!("{other:?}"),
        };
        match self.plan() {
            Decision::Settled => Vec::new(),
            Decision::Hold(holds) => {
                holds.iter().map(|hold| format!("hold {}", json!(hold)["code"].as_str().unwrap())).collect()
            }
            Decision::Act(operations) => operations.into_iter().map(one).collect(),
            other @ (Decision::Ignore(_) | Decision::Wait(..)) => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_sale_is_a_payment_in_the_order_of_time() {
    let two = Books::new(&[(1, Sale, 4_000), (2, Sale, 6_000)]);
    assert_eq!(two.told(), ["transaction/1 4000 {1} bank", "transaction/2 6000 {2} bank"]);
    let later = two.clone().with(|books| books.order.facts.transactions.get_mut(&1).unwrap().at = Some(at(9)));
    assert_eq!(later.told(), ["transaction/2 6000 {2} bank", "transaction/1 4000 {1} bank"]);
    let nameless = two.with(|books| books.order.facts.transactions.get_mut(&1).unwrap().gateway = " ".into());
    assert_eq!(
        nameless.told(),
        ["transaction/1 4000 {1} bank", "transaction/2 6000 {2} bank"],
        "as the order was paid"
    );
    let promised = Books::new(&[(1, Authorization, TOTAL), (2, Sale, TOTAL)]);
    assert_eq!(promised.told(), ["transaction/2 10000 {2} bank"], "a promise takes nothing away");
}

#[test]
fn the_change_is_taken_off_what_is_not_sent_and_a_refund_off_what_is() {
    let sent = |movements: &[(i64, TransactionKind, i64)]| {
        Books::new(&[&[(1, Sale, 5_000), (2, Sale, 6_500)], movements].concat()).with(|books| {
            books.payment(INVOICE, Cause::Transaction(1), 5_000, &[1]);
        })
    };
    for (about, movements, expected) in [
        ("nothing", vec![], vec!["transaction/2 6500 {2} bank"]),
        ("change", vec![(3, Handed, 500)], vec!["transaction/2 6000 {2, 3} bank"]),
        ("a refund", vec![(3, Back, 500)], vec!["transaction/2 6500 {2} bank"]),
        ("all that was sent", vec![(3, Back, 5_000)], vec!["transaction/2 6500 {2} bank"]),
        ("more than was sent", vec![(3, Back, 5_001)], vec!["transaction/2 1499 {2, 3} bank"]),
        ("twice, once too much", vec![(3, Back, 3_000), (4, Back, 3_000)], vec!["transaction/2 3500 {2, 4} bank"]),
        ("too much, then less", vec![(3, Back, 6_000), (4, Back, 400)], vec!["transaction/2 500 {2, 3} bank"]),
        ("all that was not sent", vec![(3, Handed, 6_500)], vec![]),
        ("all but a minor unit", vec![(3, Handed, 6_499)], vec!["transaction/2 1 {2, 3} bank"]),
        ("more change than there is", vec![(3, Handed, 6_501)], vec!["transaction/2 6500 {2} bank"]),
    ] {
        assert_eq!(sent(&movements).told(), expected, "{about}");
    }
}

/// One is taken off which was paid in the same way, then one of just so much, then the first; else several become one.
#[test]
fn money_that_went_back_is_taken_off_the_nearest_payment() {
    let paid = |sales: &[(i64, &str, i64)], gateway: &str, back: i64| {
        let mut all: Vec<_> = sales.iter().map(|(id, _, minor)| (*id, Sale, *minor)).collect();
        all.push((9, Back, back));
        Books::new(&all).with(|books| {
            let ways = sales.iter().map(|(id, way, _)| (*id, *way)).chain([(9, gateway)]);
            ways.for_each(|(id, way)| books.order.facts.transactions.get_mut(&id).unwrap().gateway = way.into());
        })
    };
    let unlike = [(1, "mada", 4_000), (2, "cash", 7_500)];
    let alike = [(1, "mada", 7_500), (2, "mada", 4_000)];
    let three = [(1, "cash", 1_000), (2, "mada", 2_000), (3, "mada", 3_000)];
    for (about, sales, gateway, back, expected) in [
        (
            "the same way",
            &unlike[..],
            "cash",
            4_000,
            vec!["transaction/1 4000 {1} bank", "transaction/2 3500 {2, 9} cash"],
        ),
        (
            "the same way, the first",
            &unlike,
            "mada",
            3_000,
            vec!["transaction/1 1000 {1, 9} bank", "transaction/2 7500 {2} cash"],
        ),
        ("another way, where there is enough", &unlike, "mada", 7_500, vec!["transaction/1 4000 {1} bank"]),
        ("just so much", &alike, "mada", 4_000, vec!["transaction/1 7500 {1} bank"]),
        ("the first", &alike, "mada", 3_000, vec!["transaction/1 4500 {1, 9} bank", "transaction/2 4000 {2} bank"]),
        ("both together", &unlike, "cash", 9_000, vec!["transaction/2 2500 {1, 2, 9} cash"]),
        (
            "two of three",
            &three,
            "mada",
            4_500,
            vec!["transaction/1 1000 {1} cash", "transaction/2 500 {2, 3, 9} bank"],
        ),
        ("all of three", &three, "mada", 6_000, vec![]),
        (
            "more than all",
            &three,
            "mada",
            6_001,
            vec!["transaction/1 1000 {1} cash", "transaction/2 2000 {2} bank", "transaction/3 3000 {3} bank"],
        ),
    ] {
        assert_eq!(paid(sales, gateway, back).told(), expected, "{about}");
    }
}

#[test]
fn what_is_not_wanted_any_more_is_given_up() {
    for state in [State::Planned, State::Refused] {
        let books =
            Books::new(&[]).with(|books| books.payment(INVOICE, Cause::Transaction(3), 500, &[3]).state = state);
        assert_eq!(books.told(), ["drop 2"]);
        // In another currency now: a person decides, and nothing is given up.
        let foreign = books.with(|books| {
            let sale = Transaction { currency: "USD".into(), ..movement(3, Sale, 500) };
            books.order.facts.transactions.insert(3, sale);
        });
        assert_eq!(foreign.told(), ["hold foreign_payment"]);
    }
    let gone = Books::new(&[(1, Sale, TOTAL)]).with(|books| {
        books.payment(INVOICE, Cause::Transaction(1), TOTAL, &[1]).state = State::Gone;
        books.ledger.rulings.insert(Ruling::Leave { document: 2 });
    });
    assert_eq!(gone.told(), [""; 0], "a person took it out, and nobody puts it back");
    let rest = Books::new(&[(1, Sale, 4_000), (2, Sale, 6_000)]).with(|books| {
        books.payment(INVOICE, Cause::Transaction(1), 4_000, &[1]).state = State::Gone;
        books.ledger.rulings.insert(Ruling::Leave { document: 2 });
        books.invoice().total = Some(Amount(TOTAL + 1));
    });
    assert_eq!(rest.told(), ["transaction/2 6000 rounded 1 {2} bank"], "it still leaves so much less open");
}

#[test]
fn what_is_given_up_does_not_follow_the_order_of_the_documents() {
    let refused = Books::new(&[]).with(|books| {
        for id in [5, 6] {
            books.payment(INVOICE, Cause::Transaction(id), 2_000, &[id]).state = State::Refused;
        }
    });
    let turned = refused.clone().with(|books| books.ledger.documents.reverse());
    assert_eq!(refused.told(), ["drop 2, drop 3"]);
    assert_eq!(turned.told(), refused.told());
}

#[test]
fn a_payment_by_word_takes_in_the_money_it_spoke_of() {
    let by_word = |minor: i64, covers: &[i64], movements: &[(i64, TransactionKind, i64)]| {
        Books::new(movements).with(|books| {
            books.payment(INVOICE, Cause::Paid(1), minor, covers);
        })
    };
    for (about, books, expected) in [
        ("all of it", by_word(TOTAL, &[], &[(1, Sale, TOTAL)]), vec!["adopt {1} by 2"]),
        ("in two parts", by_word(TOTAL, &[], &[(1, Sale, 8_000), (2, Sale, 2_000)]), vec!["adopt {1, 2} by 2"]),
        ("what it does not need", by_word(TOTAL, &[], &[(1, Sale, TOTAL), (2, Sale, 500)]), vec!["adopt {1} by 2"]),
        ("what is more", by_word(TOTAL, &[1], &[(1, Sale, TOTAL), (2, Sale, 500)]), vec!["transaction/2 500 {2} bank"]),
        ("a last minor unit", by_word(TOTAL, &[1], &[(1, Sale, TOTAL - 1), (2, Sale, 1)]), vec!["adopt {2} by 2"]),
        (
            "less what had gone back",
            by_word(8_000, &[9], &[(1, Sale, 7_000), (2, Sale, 1_000), (9, Back, 2_000)]),
            vec!["adopt {1, 2} by 2"],
        ),
        ("a promise is no money", by_word(TOTAL, &[], &[(1, Authorization, TOTAL)]), vec![]),
    ] {
        assert_eq!(books.told(), expected, "{about}");
    }
    let told_at = |moment: Option<Timestamp>| {
        let set = |books: &mut Books| books.order.facts.transactions.get_mut(&1).unwrap().at = moment;
        by_word(TOTAL, &[], &[(1, Sale, TOTAL)]).with(set).told()
    };
    let latest = at(60) + SignedDuration::from_mins(5);
    assert_eq!(told_at(Some(latest)), ["adopt {1} by 2"], "clocks differ");
    assert_eq!(told_at(Some(latest + SignedDuration::from_secs(1))), ["transaction/1 10000 {1} bank"]);
    assert_eq!(told_at(None), ["adopt {1} by 2"]);

    let twice = Books::new(&[(1, Sale, 6_500)]).with(|books| {
        books.payment(INVOICE, Cause::Paid(2), 3_500, &[]);
        books.payment(INVOICE, Cause::Paid(1), 6_500, &[]);
    });
    assert_eq!(twice.told(), ["adopt {1} by 3"], "the first word first");
    let by_movement = Books::new(&[(2, Sale, 5_000)]).with(|books| {
        books.payment(INVOICE, Cause::Transaction(1), 5_000, &[1]);
    });
    assert_eq!(by_movement.told(), ["transaction/2 5000 {2} bank"], "a movement is no word");
}

/// A payment by word that may have been sent, and surely is not there: it is sent again rather than another.
#[test]
fn a_payment_by_word_that_may_have_been_sent_keeps_its_place() {
    let waiting = |state: State, unknown_sends: u32, movements: &[(i64, TransactionKind, i64)]| {
        Books::new(movements).with(|books| {
            let document = books.payment(INVOICE, Cause::Paid(1), TOTAL, &[]);
            (document.state, document.unknown_sends, document.written) = (state, unknown_sends, None);
            document.refusal = Some(Refusal { status: 400, message: "No".into(), fields: Vec::new() });
        })
    };
    let sale = [(1, Sale, TOTAL)];
    assert_eq!(waiting(State::Planned, 1, &sale).told(), ["paid 10000 {1} bank"]);
    assert_eq!(waiting(State::Planned, 1, &[]).told(), ["paid 10000 {} bank"]);
    assert_eq!(waiting(State::Planned, 1, &[]).says(PaymentStatus::Paid).told(), ["paid 10000 {} bank"], "once");
    assert_eq!(waiting(State::Refused, 1, &sale).told(), ["hold refused"]);
    assert_eq!(waiting(State::Planned, 0, &sale).told(), ["drop 2"], "it never left");
    assert_eq!(waiting(State::Posted, 1, &sale).told(), ["adopt {1} by 2"], "it is there");
    let part = waiting(State::Posted, 1, &[(1, Sale, 4_000)]).with(|books| {
        let Draft::Payment(payment) = &mut books.ledger.documents[1].content else { panic!("a payment") };
        payment.amount = Amount(4_000);
    });
    assert_eq!(part.told(), ["adopt {1} by 2"], "nor is it sent again where as much is open");
    let less = waiting(State::Planned, 1, &sale).with(|books| {
        books.payment(INVOICE, Cause::Transaction(7), 1, &[7]);
    });
    assert_eq!(less.told(), ["drop 2"], "more than is open now");
    let rounded = waiting(State::Planned, 1, &sale).with(|books| {
        let Draft::Payment(payment) = &mut books.ledger.documents[1].content else { panic!("a payment") };
        (payment.amount, payment.rounding) = (Amount(TOTAL + 1), Amount(1));
    });
    assert_eq!(rounded.told(), ["paid 10000 rounded 1 {1} bank"]);
}

#[test]
fn another_life_may_have_recorded_the_shops_word() {
    let restored = |movements: &[(i64, TransactionKind, i64)], before: Timestamp| {
        let after = |books: &mut Books| {
            books.order.facts.transactions.values_mut().for_each(|movement| movement.at = Some(at(500)));
            books.ledger.look_first_before = Some(before);
        };
        Books::new(movements).with(after)
    };
    let sale = [(1, Sale, TOTAL)];
    let (just, earlier) = (at(0) + SignedDuration::from_secs(1), at(0));
    assert_eq!(restored(&sale, just).told(), ["look for paid 10000", "transaction/1 10000 {1} bank"]);
    assert_eq!(restored(&sale, earlier).told(), ["transaction/1 10000 {1} bank"], "the order is younger");
    assert_eq!(restored(&[], just).told(), [""; 0], "no money is known");
    let part = restored(&[(1, Sale, 4_000)], just).told();
    assert_eq!(part, ["look for paid 10000", "transaction/1 4000 {1} bank"], "the word spoke of all that was open");
    let unknown = restored(&[(1, Sale, 500)], just).with(|books| {
        books.payment(INVOICE, Cause::Transaction(7), TOTAL, &[7]);
        books.order.facts.transactions.get_mut(&1).unwrap().currency = "USD".into();
    });
    assert_eq!(unknown.told(), ["hold foreign_payment"], "how much the word held nobody can say");
    let dropped = restored(&sale, just).with(|books| {
        let document = books.payment(INVOICE, Cause::Paid(1), TOTAL, &[]);
        (document.state, document.written) = (State::Dropped, None);
    });
    assert_eq!(dropped.told(), ["transaction/1 10000 {1} bank"], "it was looked for");
    // Where nothing is open any more, all of it went back since.
    for paid in [TOTAL, TOTAL - 1] {
        let books = restored(&[(1, Sale, 1)], just).with(|books| {
            books.payment(INVOICE, Cause::Transaction(7), paid, &[7]);
        });
        assert_eq!(books.told(), ["look for paid 1", "transaction/1 1 {1} bank"], "{paid}");
    }
    // What went back since was still there when the money came.
    let gave_back = |minute: i64| {
        let books = restored(&sale, just).with(|books| {
            books.record(9, Some(Class::Receipt), movement(9, TransactionKind::Void, 3_000));
            books.order.facts.refunds.get_mut(&9).unwrap().created_at = at(minute);
            books.receipt(refund::Cause::Refund(9), 3_000);
            let went_out = books.payment(INVOICE, Cause::Transaction(7), -500, &[7]);
            let Draft::Payment(payment) = &mut went_out.content else { panic!("a payment") };
            payment.at = at(minute);
        });
        books.told().swap_remove(0)
    };
    assert_eq!(gave_back(501), "look for paid 10000");
    assert_eq!(gave_back(500), "look for paid 10000");
    assert_eq!(gave_back(499), "look for paid 7500", "goods and money that went back before");
    let ways = restored(&[(1, Sale, 4_000), (2, Sale, 6_000)], just)
        .with(|books| books.order.facts.transactions.get_mut(&2).unwrap().gateway = "cash".into());
    let parts = ["look for paid 10000", "transaction/1 4000 {1} bank", "transaction/2 6000 {2} cash"];
    assert_eq!(ways.told(), parts, "looked for as it came first");
}

#[test]
fn in_doubt_a_payment_by_word_is_made_only_where_no_money_is_known() {
    use State::{Dropped, InDoubt};
    let (word, sale) = (Cause::Paid(1), Cause::Transaction(1));
    for (about, movements, cause, state, unknown_sends, wanted) in [
        ("nothing is known", vec![], word, InDoubt, 0, true),
        ("a promise", vec![(1, Authorization, TOTAL)], word, InDoubt, 0, true),
        ("money", vec![(1, Sale, TOTAL)], word, InDoubt, 0, false),
        ("money after a promise", vec![(1, Authorization, TOTAL), (2, Sale, TOTAL)], word, InDoubt, 0, false),
        ("money, and it may have been sent", vec![(1, Sale, TOTAL)], word, InDoubt, 1, true),
        ("given up", vec![], word, Dropped, 1, false),
        ("a movement", vec![(1, Sale, TOTAL)], sale, InDoubt, 0, true),
        ("a movement, given up", vec![(1, Sale, TOTAL)], sale, Dropped, 0, false),
    ] {
        let books = Books::new(&movements).with(|books| {
            let document = books.payment(INVOICE, cause, TOTAL, &[]);
            (document.state, document.unknown_sends, document.written) = (state, unknown_sends, None);
            document.look_at = Some(at(100));
        });
        assert_eq!(books.told(), [format!("resolve 2 {wanted}")], "{about}");
    }
}

/// The whole was paid and recorded, then 20.00 went back by a record.
fn given_back(class: Option<Class>, refunds: bool) -> Books {
    Books::new(&[(1, Sale, TOTAL)]).with(|books| {
        books.merchant.rules.payments.refunds = refunds;
        books.payment(INVOICE, Cause::Transaction(1), TOTAL, &[1]);
        // Another record names another movement.
        let failed = Transaction { status: TransactionStatus::Failure, ..movement(8, Back, 1) };
        books.record(90, Some(Class::NotOurs), failed).record(91, class, movement(5, Back, 2_000));
        books.receipt(refund::Cause::Refund(91), 2_000);
    })
}

#[test]
fn money_that_goes_back_later_is_told_by_its_receipt_or_is_a_payment() {
    let on_receipt = vec!["transaction/5 2000 {5} bank on 3"];
    let on_invoice = vec!["transaction/5 -2000 {5} bank"];
    let by_hand = vec!["hold pay_back_by_hand"];
    for (about, books, expected) in [
        ("told by the receipt", given_back(Some(Class::Receipt), false), vec![]),
        ("and a payment of it", given_back(Some(Class::Receipt), true), on_receipt),
        ("paid too much, by hand", given_back(Some(Class::Edit), false), by_hand.clone()),
        ("paid too much", given_back(Some(Class::Edit), true), on_invoice.clone()),
        ("left before the invoice", given_back(Some(Class::Absorbed), true), on_invoice.clone()),
        ("covered by nothing", given_back(Some(Class::Covered), true), on_invoice.clone()),
        ("somebody else's", given_back(Some(Class::NotOurs), true), vec![]),
    ] {
        let without = |books: &mut Books| {
            if books.ledger.classes[&91] != Class::Receipt {
                books.ledger.documents.truncate(2);
            }
        };
        assert_eq!(books.with(without).told(), expected, "{about}");
    }
    let gone = given_back(Some(Class::Receipt), true).with(|books| {
        books.ledger.documents[2].state = State::Gone;
        books.ledger.rulings.insert(Ruling::Leave { document: 3 });
    });
    assert_eq!(gone.told(), on_invoice, "its receipt is gone");
    let cancelled = given_back(Some(Class::Covered), true).with(|books| {
        books.ledger.documents.truncate(2);
        books.receipt(refund::Cause::Cancel, 2_000);
    });
    assert_eq!(cancelled.told(), ["transaction/5 2000 {5} bank on 3"], "by the receipt of the cancellation");
    let held = given_back(Some(Class::Edit), false).with(|books| {
        books.ledger.documents.truncate(2);
        books.payment(INVOICE, Cause::Transaction(5), -2_000, &[5]).state = State::Planned;
    });
    assert_eq!(held.told(), by_hand, "what is held is not given up");
    let never_came = given_back(Some(Class::Edit), true).with(|books| books.ledger.documents.truncate(1));
    let never_came = never_came.with(|books| {
        books.order.facts.transactions.remove(&1);
    });
    assert_eq!(never_came.told(), [""; 0], "what never came by our books was not too much");

    let more = Books::new(&[(1, Sale, 4_000)]).with(|books| {
        books.merchant.rules.payments.refunds = true;
        books.receipt(refund::Cause::Refund(91), 5_000);
        books.record(91, Some(Class::Receipt), movement(5, Back, 5_000));
    });
    let both = ["transaction/1 4000 {1} bank", "transaction/5 5000 {5} bank on 2"];
    assert_eq!(more.told(), both, "more than came is taken off nothing");

    let nothing = given_back(Some(Class::Edit), false).with(|books| {
        books.ledger.documents.truncate(2);
        books.record(91, None, movement(5, Back, 0));
    });
    assert_eq!(nothing.told(), [""; 0], "shops tell of refunds of nothing");
    for (refunds, expected) in [(true, vec!["hold foreign_payment"]), (false, vec![])] {
        let foreign = given_back(Some(Class::Edit), refunds).with(|books| {
            books.ledger.documents.truncate(2);
            books.record(91, None, Transaction { currency: "USD".into(), ..movement(5, Back, 500) });
        });
        assert_eq!(foreign.told(), expected, "{refunds}");
    }
}

#[test]
fn where_the_shop_says_paid_one_payment_stands_in() {
    use PaymentStatus::{Paid, PartiallyRefunded, Pending};
    let promised = || Books::new(&[(1, Authorization, TOTAL)]);
    assert_eq!(promised().says(Paid).told(), ["paid 10000 {} bank"]);
    assert_eq!(promised().says(Pending).told(), [""; 0]);
    assert_eq!(promised().says(PartiallyRefunded).told(), [""; 0], "words do not tell what of it is paid");
    let with = |minor: i64| {
        Books::new(&[]).says(Paid).with(|books| {
            books.payment(INVOICE, Cause::Transaction(7), minor, &[7]);
        })
    };
    assert_eq!(with(TOTAL - 1).told(), ["paid 1 {} bank"]);
    assert_eq!(with(TOTAL).told(), [""; 0]);
    let again = Books::new(&[]).says(Paid).with(|books| {
        books.payment(INVOICE, Cause::Paid(1), 9_000, &[]);
    });
    assert_eq!(again.told(), ["paid/2 1000 {} bank"]);
    let owed = Books::new(&[(1, Sale, TOTAL - 1)]).says(Paid).with(|books| {
        books.payment(INVOICE, Cause::Transaction(1), TOTAL - 1, &[1]);
    });
    assert_eq!(owed.told(), [""; 0], "where the shop tells of money its word adds none");
    let dropped = again.with(|books| {
        let document = &mut books.ledger.documents[1];
        (document.state, document.written) = (State::Dropped, None);
    });
    assert_eq!(dropped.told(), ["want 2"], "its place is free");

    // What went back is part of the word; what failed, and what is in a payment already, is not.
    let spoken = Books::new(&[]).says(Paid).with(|books| {
        let failed = Transaction { status: TransactionStatus::Failure, ..movement(6, Back, 500) };
        books.record(91, Some(Class::Edit), movement(5, Back, 500)).record(92, Some(Class::Edit), failed);
        books.record(93, Some(Class::Edit), movement(4, Back, 500));
        books.payment(INVOICE, Cause::Transaction(4), -500, &[4]);
        books.order.snapshot.refunds_seen = [91, 92, 93].into();
    });
    assert_eq!(spoken.told(), ["paid 10500 {5} bank"]);
    // Of what went back since, the word does not speak, nor of what is about to.
    for (status, expected) in [
        (TransactionStatus::Success, vec![]),
        (TransactionStatus::Pending, vec![]),
        (TransactionStatus::Failure, vec!["paid 10000 {} bank"]),
    ] {
        let since = |is_recorded: bool| {
            let back = Transaction { status, ..movement(5, Back, 500) };
            Books::new(&[]).says(Paid).with(|books| match is_recorded {
                true => drop(books.record(91, Some(Class::Covered), back)),
                false => drop(books.order.facts.transactions.insert(5, back)),
            })
        };
        assert_eq!(since(true).told(), expected, "{status:?}");
        assert_eq!(since(false).told(), expected, "{status:?}, and its record is still to come");
    }
    // What is on its way back was received, if the documents are without it already.
    for (about, class, receipt, status, expected) in [
        ("an edit", Class::Edit, None, TransactionStatus::Pending, "paid 10500 {} bank"),
        ("before the invoice", Class::Absorbed, None, TransactionStatus::Pending, "paid 10500 {} bank"),
        ("it came to nothing", Class::Edit, None, TransactionStatus::Error, "paid 10000 {} bank"),
        ("on no document", Class::Covered, None, TransactionStatus::Pending, "paid 10000 {} bank"),
        ("somebody else's", Class::NotOurs, None, TransactionStatus::Pending, "paid 10000 {} bank"),
        (
            "on a receipt",
            Class::Receipt,
            Some(refund::Cause::Refund(91)),
            TransactionStatus::Pending,
            "paid 10000 {} bank",
        ),
        (
            "with the rest",
            Class::Covered,
            Some(refund::Cause::Cancel),
            TransactionStatus::Pending,
            "paid 10000 {} bank",
        ),
    ] {
        let shown = Books::new(&[]).says(Paid).with(|books| {
            let back = Transaction { status, ..movement(5, Back, 500) };
            let failed = Transaction { status: TransactionStatus::Failure, ..movement(4, Back, 1) };
            books.record(90, Some(Class::NotOurs), failed).record(91, Some(class), back);
            books.order.snapshot.refunds_seen = [91].into();
            receipt.map(|cause| books.receipt(cause, 500));
        });
        assert_eq!(shown.told(), [expected], "{about}");
    }
    // A payment on a receipt is none on the invoice, and a receipt leaves less to pay.
    let receipts = Books::new(&[]).says(Paid).with(|books| {
        books.receipt(refund::Cause::Refund(91), 4_000);
        books.payment(2, Cause::Transaction(5), 4_000, &[5]);
    });
    assert_eq!(receipts.told(), ["paid 6000 {} bank"]);
}

#[test]
fn a_share_is_paid_when_the_order_is() {
    use PaymentStatus::{Paid, PartiallyRefunded, Pending};
    let share = |minor: i64| Books::new(&[(1, Sale, minor)]).shared();
    assert_eq!(share(TOTAL).says(Pending).told(), [""; 0]);
    assert_eq!(share(2 * TOTAL - 1).says(Pending).told(), [""; 0]);
    assert_eq!(share(2 * TOTAL).says(Pending).told(), ["paid 10000 {} bank"]);
    assert_eq!(share(TOTAL).says(PartiallyRefunded).told(), [""; 0], "half of it is owed");
    assert_eq!(share(2 * TOTAL).says(PartiallyRefunded).told(), ["paid 10000 {} bank"]);
    assert_eq!(Books::new(&[]).shared().says(Paid).told(), ["paid 10000 {} bank"]);
    assert_eq!(Books::new(&[]).shared().says(Pending).told(), [""; 0]);
    let back = Books::new(&[]).shared().says(Paid).with(|books| {
        books.record(91, Some(Class::NotOurs), movement(5, Back, 500));
    });
    assert_eq!(back.told(), ["paid 10000 {} bank"], "whose money went back is not ours to say");
    let leaving = Books::new(&[]).shared().says(Paid).with(|books| {
        let back = Transaction { status: TransactionStatus::Pending, ..movement(5, Back, 500) };
        books.record(91, Some(Class::Edit), back);
    });
    assert_eq!(leaving.told(), ["paid 10000 {} bank"], "nor whose will");
}

#[test]
fn several_ways_of_paying_count_where_they_are_booked_alike() {
    let by = |ways: &[&str]| {
        let set =
            |books: &mut Books| books.order.snapshot.gateways = ways.iter().map(|way| (*way).to_owned()).collect();
        Books::new(&[]).says(PaymentStatus::Paid).with(set).told()
    };
    assert_eq!(by(&["mada", "visa"]), ["paid 10000 {} bank"]);
    assert_eq!(by(&["mada", "cash"]), ["hold unmapped_gateway"]);
    assert_eq!(by(&["mada", "barter"]), ["hold unmapped_gateway"]);
    assert_eq!(by(&[]), ["hold unmapped_gateway"]);
}

#[test]
fn the_payment_that_leaves_nothing_open_takes_daftras_rounding_along() {
    let rounded = |by: i64, paid: i64, sale: i64| {
        Books::new(&[(1, Sale, sale)]).with(|books| {
            books.invoice().total = Some(Amount(TOTAL + by));
            if paid > 0 {
                books.payment(INVOICE, Cause::Transaction(7), paid, &[7]);
            }
        })
    };
    for (by, paid, sale, expected) in [
        (1, 0, TOTAL, "transaction/1 10000 rounded 1 {1} bank"),
        (-1, 0, TOTAL, "transaction/1 10000 rounded -1 {1} bank"),
        (2, 0, TOTAL, "transaction/1 10000 {1} bank"),
        (-2, 0, TOTAL, "transaction/1 10000 {1} bank"),
        (1, 0, TOTAL - 1, "transaction/1 9999 {1} bank"),
        (1, TOTAL - 1, 1, "transaction/1 1 rounded 1 {1} bank"),
        (-1, TOTAL - 1, 1, "transaction/1 1 {1} bank"),
        (-1, TOTAL - 2, 2, "transaction/1 2 rounded -1 {1} bank"),
    ] {
        assert_eq!(rounded(by, paid, sale).told(), [expected], "{by} {paid} {sale}");
    }
    let receipts = rounded(0, 0, 6_000).with(|books| {
        books.receipt(refund::Cause::Refund(91), 4_000).total = Some(Amount(4_001));
        let refused = books.receipt(refund::Cause::Refund(92), 4_000);
        (refused.state, refused.total, refused.written) = (State::Dropped, None, None);
    });
    assert_eq!(receipts.told(), ["transaction/1 6000 rounded -1 {1} bank"]);
}

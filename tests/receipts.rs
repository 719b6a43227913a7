//! Refund records, case by case: which class each has, and what its receipt takes back or why a person is asked.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use qantara::domain::invoice::{Billed, Header, InvoiceDraft, Seen, Source};
use qantara::domain::money::{Amount, Currency};
use qantara::domain::order::{
    Adjustment, Cancelled, Facts, Line, Order, Refund, RefundLine, RefundShipping, Restock, Snapshot, TaxLine,
    Transaction, TransactionKind, TransactionStatus,
};
use qantara::domain::reason::{Hold, RefundPart};
use qantara::domain::refund::Cause;
use qantara::domain::refund::{
    Class, Left, ReceiptDraft, class_after_invoice, class_before_invoice, in_price_terms, is_money_alone, left,
    money_beside, receipt, receipt_for_the_rest, removed, waits_for_money, worth,
};
use qantara::domain::rules::{LinePolicy, Merchant, PricePolicy, ShippingPolicy, Vendors};
use qantara::domain::tax::BilledTax;
use rust_decimal::Decimal;
use serde_json::json;

#[path = "common/make.rs"]
mod make;

const REFUND: i64 = 91;

fn vat() -> BilledTax {
    BilledTax { title: "VAT".into(), rate: Decimal::new(15, 2), daftra_id: 5 }
}

fn billed(source: Source, units: i64, net: i64, tax: i64) -> Billed {
    let billed = Billed {
        source,
        title: source.to_string(),
        sku: String::new(),
        product_id: matches!(source, Source::Line(_)).then_some(501),
        found: None,
        taxes: vec![vat()],
        included: false,
        units,
        net: Amount(net),
        tax: Amount(tax),
        rows: Vec::new(),
    };
    billed.in_rows()
}

fn invoice(billed: Vec<Billed>) -> InvoiceDraft {
    let of_line = |billed: &Billed| match billed.source {
        Source::Line(id) => Some((id, Seen::Billed)),
        Source::Shipping(_) | Source::Tip | Source::Duties | Source::Fees | Source::Money(_) => None,
    };
    InvoiceDraft {
        header: Header {
            reference: "k7-55-order".into(),
            order_name: "#55".into(),
            client_id: 7,
            store_id: 3,
            branch_id: None,
            currency: Currency::parse("SAR").unwrap(),
            date: date(2026, 3, 1),
            draft: true,
        },
        vendors: Vendors::AllBut([].into()),
        shipping: ShippingPolicy::AllLines,
        with_shipping: Some(true),
        paid_by_others: Decimal::ZERO,
        adopted: None,
        price: PricePolicy::Sale,
        seen: billed.iter().filter_map(of_line).collect(),
        billed,
    }
}

/// Two units at 100.00 and one at 50.00, and 10.00 for shipping, with their VAT.
fn usual() -> InvoiceDraft {
    invoice(vec![
        billed(Source::Line(1), 2, 20_000, 3_000),
        billed(Source::Line(2), 1, 5_000, 750),
        billed(Source::Shipping(9), 1, 1_000, 150),
    ])
}

/// The same lines, and no shipping on it.
fn bare() -> InvoiceDraft {
    let mut bare = usual();
    bare.billed.truncate(2);
    bare
}

/// The same, and somebody else's line in the order.
fn share(of: InvoiceDraft) -> InvoiceDraft {
    let mut share = of;
    share.seen.insert(8, Seen::NotOurs);
    share
}

fn with(of: InvoiceDraft, extra: Billed) -> InvoiceDraft {
    let mut with = of;
    with.billed.push(extra);
    with
}

/// A record that says nothing yet.
fn record() -> Refund {
    Refund {
        id: REFUND,
        created_at: Timestamp::UNIX_EPOCH,
        lines: Vec::new(),
        shipping: Vec::new(),
        adjustments: Vec::new(),
        has_duties: false,
        is_return: false,
        transactions: BTreeMap::new(),
    }
}

trait Says: Sized {
    fn goods(self, line_id: i64, quantity: i64, net: i64, tax: i64, restock: Restock) -> Self;
    fn shipping(self, id: i64, net: i64, tax: i64) -> Self;
    fn shipping_adjusted(self, net: i64, tax: i64) -> Self;
    /// Below zero is more for the customer.
    fn adjusted(self, amount: i64, tax: i64) -> Self;
    fn duties(self) -> Self;
    fn paid(self, minor: i64) -> Self;
    fn paying(self, minor: i64) -> Self;
}

impl Says for Refund {
    fn goods(mut self, line_id: i64, quantity: i64, net: i64, tax: i64, restock: Restock) -> Self {
        self.lines.push(RefundLine { line_id, quantity, restock, subtotal: Amount(net), tax: Amount(tax) });
        self
    }

    fn shipping(mut self, shipping_id: i64, net: i64, tax: i64) -> Self {
        self.shipping.push(RefundShipping { shipping_id, subtotal: Amount(net), tax: Amount(tax) });
        self
    }

    fn shipping_adjusted(mut self, net: i64, tax: i64) -> Self {
        self.adjustments.push(Adjustment { is_shipping: true, amount: Amount(-net), tax: Amount(-tax) });
        self
    }

    fn adjusted(mut self, amount: i64, tax: i64) -> Self {
        self.adjustments.push(Adjustment { is_shipping: false, amount: Amount(amount), tax: Amount(tax) });
        self
    }

    fn duties(self) -> Self {
        Self { has_duties: true, ..self }
    }

    fn paid(self, minor: i64) -> Self {
        moved(self, minor, TransactionStatus::Success)
    }

    fn paying(self, minor: i64) -> Self {
        moved(self, minor, TransactionStatus::Pending)
    }
}

fn moved(mut refund: Refund, minor: i64, status: TransactionStatus) -> Refund {
    let (kind, gateway, currency) = (TransactionKind::Refund, "mada".into(), "SAR".into());
    let money = Transaction { id: 17, kind, status, gateway, amount: Decimal::new(minor, 2), currency, at: None };
    refund.transactions.insert(17, money);
    refund
}

use Restock::{Cancel, LegacyRestock, NoRestock, Return};

/// One unit of line 1 and its share of the tax.
fn one(restock: Restock) -> Refund {
    record().goods(1, 1, 10_000, 1_500, restock)
}

fn own(invoice: &InvoiceDraft) -> BTreeSet<i64> {
    invoice.seen.iter().filter(|(_, seen)| **seen == Seen::Billed).map(|(id, _)| *id).collect()
}

fn before(refund: &Refund, draft: &InvoiceDraft) -> Class {
    class_before_invoice(refund, &own(draft), draft)
}

fn after(refund: &Refund, invoice: &InvoiceDraft) -> Class {
    class_after_invoice(refund, &own(invoice), invoice, &Facts::default(), false)
}

fn skipped() -> InvoiceDraft {
    let mut skipped = usual();
    skipped.seen.insert(3, Seen::Skipped);
    skipped
}

#[test]
fn each_record_has_a_class() {
    use Class::{Absorbed, Edit, NotOurs, Receipt};
    let both = |one: Restock, other: Restock| record().goods(1, 1, 10_000, 1_500, one).goods(2, 1, 5_000, 750, other);
    let strange = || record().goods(8, 1, 10_000, 1_500, Cancel);
    let with_duties = |source| with(usual(), billed(source, 1, 500, 0));
    for (about, refund, invoice, first, later) in [
        ("goods that never left", one(Cancel), usual(), Absorbed, Edit),
        ("goods of an older body", one(LegacyRestock), usual(), Absorbed, Edit),
        ("goods that came back", one(Return), usual(), Absorbed, Receipt),
        ("some of them", both(Cancel, Return), usual(), Absorbed, Receipt),
        ("goods that are gone", one(NoRestock), usual(), Receipt, Receipt),
        ("some of them", both(NoRestock, Cancel), usual(), Receipt, Receipt),
        ("a return", Refund { is_return: true, ..one(Cancel) }, usual(), Absorbed, Receipt),
        ("goods and their money", one(Cancel).paid(11_500), usual(), Absorbed, Receipt),
        ("its money on the way", one(Cancel).paying(11_500), usual(), Absorbed, Receipt),
        ("goods and shipping", one(Cancel).shipping(9, 1_000, 150), usual(), Receipt, Receipt),
        ("goods and the tax of shipping", one(Cancel).shipping_adjusted(0, 150), usual(), Receipt, Receipt),
        ("goods and shipping that others billed", one(Cancel).shipping(9, 1_000, 150), bare(), Absorbed, Edit),
        ("goods and a kindness", one(Cancel).adjusted(-2_000, 0), usual(), Receipt, Receipt),
        ("goods and a kindness of tax", one(Cancel).adjusted(0, -300), usual(), Receipt, Receipt),
        ("a kindness taken back", one(Cancel).adjusted(-2_000, -300).adjusted(2_000, 300), usual(), Absorbed, Edit),
        ("goods and duties", one(Cancel).duties(), with_duties(Source::Duties), Receipt, Receipt),
        ("goods and fees", one(Cancel).duties(), with_duties(Source::Fees), Receipt, Receipt),
        ("goods and duties that nobody billed", one(Cancel).duties(), usual(), Absorbed, Edit),
        ("goods, and duties stay", one(Cancel), with_duties(Source::Duties), Absorbed, Edit),
        // A record without money says the worth of its goods once more: net, with the tax apart, or with it inside.
        ("unpaid worth", one(Cancel).adjusted(10_000, 0), usual(), Absorbed, Edit),
        ("unpaid worth and tax", one(Cancel).adjusted(10_000, 1_500), usual(), Absorbed, Edit),
        ("unpaid worth, some of it as tax", one(Cancel).adjusted(11_000, 500), usual(), Absorbed, Edit),
        ("unpaid, of another worth", one(Cancel).adjusted(8_500, 0), usual(), Receipt, Receipt),
        ("unpaid, of another worth, its tax apart", one(Cancel).adjusted(10_000, 500), usual(), Receipt, Receipt),
        ("shipping", record().shipping(9, 1_000, 150).paid(1_150), usual(), Receipt, Receipt),
        ("shipping that others billed", record().shipping(9, 1_000, 150).paid(1_150), bare(), NotOurs, NotOurs),
        ("and a kindness", record().shipping(9, 1_000, 150).adjusted(-500, 0).paid(1_650), bare(), Receipt, Receipt),
        ("and duties", record().shipping(9, 1_000, 150).duties().paid(1_650), bare(), Receipt, Receipt),
        ("money alone", record().paid(2_000), usual(), Receipt, Receipt),
        ("money on its way", record().adjusted(-2_000, 0), usual(), Receipt, Receipt),
        ("money alone, of a share", record().paid(2_000), share(usual()), NotOurs, NotOurs),
        ("nothing", record(), usual(), NotOurs, NotOurs),
        ("somebody else's goods", strange().paid(11_500), share(usual()), NotOurs, NotOurs),
        ("goods that were left out", record().goods(3, 1, 900, 0, Cancel).paid(900), skipped(), NotOurs, NotOurs),
        ("and shipping", strange().shipping(9, 1_000, 150), share(usual()), Receipt, Receipt),
    ] {
        assert_eq!((before(&refund, &invoice), after(&refund, &invoice)), (first, later), "{about}: {refund:?}");
    }
    let cancelled = Facts { cancelled: Some(Cancelled { at: Timestamp::UNIX_EPOCH }), ..Facts::default() };
    let (own, usual) = (own(&usual()), usual());
    assert_eq!(class_after_invoice(&one(Cancel), &own, &usual, &cancelled, false), Receipt);
    assert_eq!(class_after_invoice(&one(Cancel), &own, &usual, &cancelled, true), Class::Covered);
    assert_eq!(class_after_invoice(&strange(), &own, &usual, &cancelled, true), NotOurs);
    for class in Class::ALL {
        assert_eq!(json!(class), class.word());
    }
}

#[test]
fn what_only_money_explains_waits_for_it() {
    for (about, refund, alone, waits) in [
        ("a kindness", record().paid(2_000), true, false),
        ("on its way", record().paying(2_000), true, true),
        ("no money at all", record().adjusted(-2_000, 0), false, false),
        ("goods", one(Cancel).paying(11_500), false, false),
        ("goods and a kindness", one(Cancel).adjusted(-500, 0).paying(12_000), false, true),
        ("goods, and as much again", one(Cancel).adjusted(-11_500, 0).paying(23_000), false, true),
        ("goods, and their worth kept", one(Cancel).adjusted(11_500, 0).paying(1), false, true),
        ("shipping", record().shipping(9, 1_000, 150).paying(1_150), false, false),
        ("duties", record().duties().paying(500), false, false),
    ] {
        assert_eq!((is_money_alone(&refund), waits_for_money(&refund)), (alone, waits), "{about}");
    }
    let beside = one(Cancel).adjusted(-2_000, -300).adjusted(500, 75).shipping_adjusted(1_000, 150);
    assert_eq!(money_beside(&beside), Amount(1_725));
}

#[test]
fn only_what_never_was_billed_is_taken_off_the_lines() {
    let of = |id: i64, refund: Refund| (id, Refund { id, ..refund });
    let refunds = [
        of(1, one(Cancel)),
        of(2, one(Cancel).goods(2, 1, 5_000, 750, Cancel)),
        of(3, one(Return)),
        of(4, one(Return)),
        of(5, one(Cancel)),
        of(6, one(Cancel)),
    ];
    let facts = Facts { refunds: refunds.into(), ..Facts::default() };
    let classes = (1..).zip([Class::Absorbed, Class::Edit, Class::Receipt, Class::Covered, Class::NotOurs]).collect();
    let expected = [(1, (2, Amount(20_000), Amount(3_000))), (2, (1, Amount(5_000), Amount(750)))];
    assert_eq!(removed(&facts, &classes).0, expected.into());
}

fn merchant() -> Merchant {
    let zone = TimeZone::get("Asia/Riyadh").unwrap();
    Merchant { key: "k7".into(), account_id: 1, zone, live_from: None, rules: make::rules() }
}

/// The shop's own body knows the record.
fn snapshot() -> Snapshot {
    Snapshot { refunds_seen: [REFUND].into(), ..make::snapshot() }
}

type Taken = Result<Vec<(Source, i64, i64, i64)>, Vec<Hold>>;

/// The receipt's source, units, net and tax; all is left of the invoice but for `left`.
fn taken_from(
    refund: &Refund,
    invoice: &InvoiceDraft,
    changed: &[(Source, (i64, i64, i64))],
    snapshot: &Snapshot,
    money: LinePolicy,
) -> Taken {
    let mut rest = left(invoice, std::iter::empty());
    let changed = changed
        .iter()
        .map(|(source, (units, net, tax))| (*source, Left { units: *units, net: Amount(*net), tax: Amount(*tax) }));
    rest.extend(changed);
    let draft = receipt(refund, &merchant(), snapshot, invoice, &rest, money)?;
    Ok(draft.billed.iter().map(|b| (b.source, b.units, b.net.0, b.tax.0)).collect())
}

fn taken(refund: &Refund, invoice: &InvoiceDraft, money: LinePolicy) -> Taken {
    taken_from(refund, invoice, &[], &snapshot(), money)
}

fn held(part: RefundPart) -> Vec<Hold> {
    vec![Hold::RefundPart { refund: REFUND, part }]
}

fn exceeds(line: &str, left: i64, refunded: i64) -> Hold {
    Hold::RefundExceeds { refund: REFUND, line: line.to_owned(), left, refunded }
}

const LINE: Source = Source::Line(1);
const SHIPPING: Source = Source::Shipping(9);

#[test]
fn the_last_units_take_the_remainder_of_the_rounding() {
    let all = |net, tax| record().goods(1, 2, net, tax, Cancel);
    let current = snapshot();
    let older = Snapshot { refunds_seen: BTreeSet::new(), ..snapshot() };
    let too_much = |units| Err(vec![exceeds("line 1", units, units)]);
    for (about, refund, snapshot, expected) in [
        ("as it is left", all(20_000, 3_000), &current, Ok((2, 20_000, 3_000))),
        ("a minor unit for each unit may be missing", all(19_998, 2_998), &current, Ok((2, 20_000, 3_000))),
        ("or be too much", all(20_002, 3_002), &current, Ok((2, 20_000, 3_000))),
        ("what is less by more is less", all(19_997, 2_997), &current, Ok((2, 19_997, 2_997))),
        ("what is more by more is too much", all(20_003, 3_000), &current, too_much(2)),
        ("also of the tax", all(20_000, 3_003), &current, too_much(2)),
        ("an older body does not know which are the last", all(19_998, 2_998), &older, Ok((2, 19_998, 2_998))),
        ("nor may they be more there", all(20_001, 3_000), &older, too_much(2)),
        (
            "what is not the last takes its own",
            record().goods(1, 1, 19_999, 2_999, Cancel),
            &current,
            Ok((1, 19_999, 2_999)),
        ),
        (
            "and no more than is left",
            record().goods(1, 1, 20_001, 0, Cancel),
            &current,
            Err(vec![exceeds("line 1", 2, 1)]),
        ),
    ] {
        let expected = expected.map(|(units, net, tax)| vec![(LINE, units, net, tax)]);
        assert_eq!(taken_from(&refund, &usual(), &[], snapshot, LinePolicy::Hold), expected, "{about}");
    }
    for (units, left) in [(0, 2), (-1, 2), (3, 2)] {
        let refund = record().goods(1, units, 100, 15, Cancel);
        assert_eq!(taken(&refund, &usual(), LinePolicy::Hold), Err(vec![exceeds("line 1", left, units)]));
    }
}

#[test]
fn a_record_may_name_a_line_several_times() {
    let twice =
        record().goods(2, 1, 5_000, 750, Cancel).goods(1, 1, 9_999, 1_500, Return).goods(1, 1, 10_000, 1_500, Cancel);
    let expected = vec![(Source::Line(2), 1, 5_000, 750), (LINE, 1, 9_999, 1_500), (LINE, 1, 10_001, 1_500)];
    assert_eq!(taken(&twice, &usual(), LinePolicy::Hold), Ok(expected));
    let thrice = twice.goods(1, 1, 1, 0, Cancel);
    assert_eq!(taken(&thrice, &usual(), LinePolicy::Hold), Err(vec![exceeds("line 1", 0, 1)]));
}

#[test]
fn lines_that_are_not_on_the_invoice() {
    let stranger = || record().goods(8, 1, 100, 0, Cancel);
    assert_eq!(taken(&stranger(), &share(usual()), LinePolicy::Hold), Err(held(RefundPart::Line)));
    assert_eq!(taken(&stranger().paid(100), &share(usual()), LinePolicy::Hold), Err(held(RefundPart::MoneyOnly)));
    let beside = stranger().goods(1, 1, 10_000, 1_500, Cancel);
    assert_eq!(taken(&beside, &share(usual()), LinePolicy::Hold), Ok(vec![(LINE, 1, 10_000, 1_500)]));
    // Ours, and taken off it by an edit.
    let mut off = usual();
    off.billed.remove(1);
    let named = Snapshot { lines: vec![make::line(1, "TEA"), make::line(2, "CUP")], ..snapshot() };
    let refund = record().goods(2, 1, 5_000, 750, Cancel);
    assert_eq!(taken_from(&refund, &off, &[], &named, LinePolicy::Hold), Err(vec![exceeds("Thing 2", 0, 1)]));
}

#[test]
fn goods_that_do_not_come_back_move_no_stock() {
    let products = |restock| {
        let rest = left(&usual(), std::iter::empty());
        let draft = receipt(&one(restock), &merchant(), &snapshot(), &usual(), &rest, LinePolicy::Hold).unwrap();
        draft.billed[0].product_id
    };
    assert_eq!([Cancel, Return, LegacyRestock, NoRestock].map(products), [Some(501), Some(501), Some(501), None]);
}

/// A receipt is never a draft, is dated by its record in the merchant's zone, and repeats the rest.
#[test]
fn a_receipt_has_the_invoices_header() {
    let late = Refund { created_at: "2026-03-31T22:30:00Z".parse().unwrap(), ..one(Cancel) };
    let rest = left(&usual(), std::iter::empty());
    let ReceiptDraft { header, cause, .. } =
        receipt(&late, &merchant(), &snapshot(), &usual(), &rest, LinePolicy::Hold).unwrap();
    let reference = format!("k7-55-{}", cause.source_key());
    let expected = Header { reference, date: date(2026, 4, 1), draft: false, ..usual().header };
    assert_eq!((header, cause), (expected, Cause::Refund(REFUND)));
}

#[test]
fn what_is_left_of_everything_goes_back_at_once() {
    let invoice = usual();
    let mut rest = left(&invoice, std::iter::empty());
    rest.insert(Source::Line(2), Left { units: 0, net: Amount(3), tax: Amount(1) });
    rest.remove(&SHIPPING);
    let draft = receipt_for_the_rest(&merchant(), 55, Cause::Cancel, Timestamp::UNIX_EPOCH, &invoice, &rest);
    let billed: Vec<_> = draft.billed.iter().map(|b| (b.source, b.units, b.product_id)).collect();
    assert_eq!(billed, [(LINE, 2, Some(501))], "what has no unit left is no row");
    let included = InvoiceDraft {
        billed: invoice.billed.iter().map(|billed| Billed { included: true, ..billed.clone() }).collect(),
        ..invoice.clone()
    };
    let all = left(&invoice, std::iter::empty());
    assert_eq!((worth(&invoice, &all), worth(&included, &all)), (Amount(29_900), Amount(26_000)));
}

/// Of an invoice whose one shipping row is 10.00 and 1.50 of tax, or 11.50 with it.
fn courier(refund: &Refund, included: bool, rest: (i64, i64, i64)) -> Result<(i64, i64, i64), Vec<Hold>> {
    let mut invoice = usual();
    let net = if included { 1_150 } else { 1_000 };
    for billed in &mut invoice.billed {
        billed.included = included;
    }
    invoice.billed[2].net = Amount(net);
    let taken = taken_from(refund, &invoice, &[(SHIPPING, rest)], &snapshot(), LinePolicy::Hold)?;
    let [(SHIPPING, units, net, tax)] = taken[..] else { panic!("{taken:?}") };
    Ok((units, net, tax))
}

#[test]
fn shipping_goes_back_whole_or_in_part() {
    for (about, net, tax, expected) in [
        ("all", 1_000, 150, Some((1, 1_000, 150))),
        ("all with another tax", 1_000, 149, None),
        ("a part", 500, 75, Some((0, 500, 75))),
        ("a part with any tax", 500, 60, Some((0, 500, 60))),
        ("a part with all of the tax", 500, 150, Some((0, 500, 150))),
        ("a part that its tax would make the whole", 850, 150, Some((0, 850, 150))),
        ("a part without tax", 500, 0, Some((0, 500, 0))),
        ("a minor unit", 1, 0, Some((0, 1, 0))),
        ("all but one", 999, 150, Some((0, 999, 150))),
        ("more", 1_001, 150, None),
        ("more tax than there is", 500, 151, None),
        ("tax below zero", 500, -1, None),
        ("tax alone", 0, 75, None),
        ("less than nothing", -1, 75, None),
    ] {
        let found = courier(&record().shipping(9, net, tax), false, (1, 1_000, 150));
        assert_eq!(found, expected.ok_or(held(RefundPart::Shipping)), "{about}");
        let found = courier(&record().shipping_adjusted(net, tax), false, (1, 1_000, 150));
        assert_eq!(found, expected.ok_or(held(RefundPart::Shipping)), "adjusted: {about}");
    }
    let nothing = courier(&record().shipping(9, 0, 0), false, (0, 0, 0));
    assert_eq!(nothing, Err(held(RefundPart::Shipping)), "nothing of nothing");
}

#[test]
fn shipping_whose_price_contains_its_tax_goes_back_by_the_tax_it_states() {
    for (about, net, tax, expected) in [
        ("all, tax inside", 1_150, 150, Some((1, 1_150, 150))),
        ("all, tax beside", 1_000, 150, Some((1, 1_150, 150))),
        ("a part, tax inside", 575, 75, Some((0, 575, 75))),
        ("a part, tax beside", 500, 75, Some((0, 575, 75))),
        ("a minor unit is rounding", 575, 76, Some((0, 575, 76))),
        ("also below", 575, 74, Some((0, 575, 74))),
        ("two are not", 575, 77, None),
        ("nor below", 575, 73, None),
        ("no part by either reading", 575, 40, None),
        ("so little that both fit", 5, 1, None),
        ("without tax both are the same", 5, 0, Some((0, 5, 0))),
    ] {
        let found = courier(&record().shipping(9, net, tax), true, (1, 1_150, 150));
        assert_eq!(found, expected.ok_or(held(RefundPart::Shipping)), "{about}");
    }
    let rest = courier(&record().shipping(9, 575, 75), true, (1, 700, 75));
    assert_eq!(rest, Ok((0, 575, 75)), "all of the tax that is left does not make a part the whole");
}

#[test]
fn shipping_is_taken_off_the_row_it_names() {
    let two = with(usual(), billed(Source::Shipping(10), 1, 500, 75));
    let extras = [Source::Tip, Source::Duties, Source::Fees].map(|source| billed(source, 1, 1_000, 150));
    let many = extras.into_iter().fold(usual(), with);
    let whole = |source, net, tax| Ok(vec![(source, 1, net, tax)]);
    let none = || Err(held(RefundPart::Shipping));
    for (about, refund, invoice, expected) in [
        ("the first", record().shipping(9, 1_000, 150), &two, whole(SHIPPING, 1_000, 150)),
        ("the other", record().shipping(10, 500, 75), &two, whole(Source::Shipping(10), 500, 75)),
        ("another", record().shipping(11, 1_000, 150), &two, none()),
        ("another, of one", record().shipping(11, 1_000, 150), &usual(), none()),
        ("none, of two", record().shipping_adjusted(1_000, 150), &two, none()),
        ("none, of one", record().shipping_adjusted(1_000, 150), &usual(), whole(SHIPPING, 1_000, 150)),
        (
            "several, of one",
            record().shipping(11, 600, 90).shipping(12, 400, 60),
            &usual(),
            whole(SHIPPING, 1_000, 150),
        ),
        (
            "told twice",
            record().shipping(9, 1_000, 150).shipping_adjusted(1_000, 150),
            &usual(),
            whole(SHIPPING, 1_000, 150),
        ),
        ("beside tips, duties and fees", record().shipping_adjusted(1_000, 150), &many, whole(SHIPPING, 1_000, 150)),
    ] {
        assert_eq!(taken(&refund, invoice, LinePolicy::Hold), expected, "{about}");
    }
}

#[test]
fn money_for_no_goods_goes_by_the_policy() {
    use LinePolicy::{Hold, Line, Skip};
    let money = Source::Money(REFUND);
    let goods = (LINE, 1, 10_000, 1_500);
    let (adjustment, alone) = (|| Err(held(RefundPart::Adjustment)), || Err(held(RefundPart::MoneyOnly)));
    let kind = || one(Cancel).adjusted(-2_000, 0).paid(13_500);
    let kept = || one(Cancel).adjusted(2_000, 0).paid(9_500);
    for (about, refund, policy, expected) in [
        ("alone, held", record().paid(2_000), Hold, alone()),
        ("alone, skipped all the same", record().paid(2_000), Skip, alone()),
        ("alone, booked", record().paid(2_000), Line, Ok(vec![(money, 1, 2_000, 0)])),
        ("alone and adjusted", record().adjusted(-2_000, 0).paid(2_000), Line, Ok(vec![(money, 1, 2_000, 0)])),
        ("with its tax", record().adjusted(-2_000, -300).paid(2_300), Line, Ok(vec![(money, 1, 2_000, 300)])),
        ("a minor unit", record().adjusted(-1, 0).paid(1), Line, Ok(vec![(money, 1, 1, 0)])),
        ("another amount than went back", record().adjusted(-2_000, 0).paid(2_001), Line, adjustment()),
        ("tax alone", record().adjusted(0, -300).paid(300), Line, adjustment()),
        ("tax kept of it", record().adjusted(-2_001, 1).paid(2_000), Line, adjustment()),
        ("money kept, that went back", record().adjusted(2_000, 0).paid(2_000), Line, alone()),
        ("tax kept, that went back", record().adjusted(0, 300).paid(300), Line, alone()),
        ("beside goods, held", kind(), Hold, adjustment()),
        ("beside goods, skipped", kind(), Skip, Ok(vec![goods])),
        ("beside goods, booked", kind(), Line, Ok(vec![goods, (money, 1, 2_000, 0)])),
        (
            "with its tax",
            one(Cancel).adjusted(-2_000, -300).paid(13_800),
            Line,
            Ok(vec![goods, (money, 1, 2_000, 300)]),
        ),
        ("of another sum", one(Cancel).adjusted(-2_000, 0).paid(9_500), Line, adjustment()),
        ("kept beside goods, held", kept(), Hold, adjustment()),
        ("kept beside goods is not skipped", kept(), Skip, adjustment()),
        ("nor booked", kept(), Line, adjustment()),
        ("more and less alike", one(Cancel).adjusted(-2_000, 2_000).paid(11_500), Skip, adjustment()),
        ("less in all", one(Cancel).adjusted(-2_000, 2_500).paid(11_000), Skip, adjustment()),
        ("a minor unit more", one(Cancel).adjusted(-2_001, 2_000).paid(11_501), Skip, Ok(vec![goods])),
        ("more of the tax", one(Cancel).adjusted(2_000, -2_500).paid(12_000), Skip, Ok(vec![goods])),
    ] {
        assert_eq!(taken(&refund, &usual(), policy), expected, "{about}");
    }
    let alone = record().paid(2_000);
    assert_eq!(taken(&alone, &share(usual()), Line), adjustment(), "of a share nobody knows whose money it is");
}

#[test]
fn the_row_of_money_has_the_tax_of_everything() {
    let mut other_tax = usual();
    other_tax.billed[1].taxes[0].daftra_id = 6;
    let row = |refund: &Refund, invoice: &InvoiceDraft| {
        let rest = left(invoice, std::iter::empty());
        let draft = receipt(refund, &merchant(), &snapshot(), invoice, &rest, LinePolicy::Line);
        draft.map(|mut draft| draft.billed.pop().unwrap())
    };
    let (plain, taxed) = (record().paid(2_000), record().adjusted(-2_000, -300).paid(2_300));
    assert_eq!(row(&plain, &other_tax).unwrap().taxes, [], "money without tax has none");
    assert_eq!(row(&taxed, &usual()).unwrap().taxes, [vat()]);
    assert_eq!(row(&taxed, &other_tax), Err(held(RefundPart::Adjustment)), "whose tax it is nobody knows");
    let mut included = usual();
    included.billed.iter_mut().for_each(|billed| billed.included = true);
    let found = row(&taxed, &included).unwrap();
    assert_eq!((found.included, found.net, found.tax), (true, Amount(2_300), Amount(300)));
    assert!(!row(&taxed, &usual()).unwrap().included);
}

#[test]
fn duties_and_more_than_is_left_are_held() {
    let billed_duties = with(usual(), billed(Source::Duties, 1, 500, 0));
    let duties = one(Cancel).duties();
    assert_eq!(taken(&duties, &billed_duties, LinePolicy::Hold), Err(held(RefundPart::Duties)));
    assert_eq!(taken(&duties, &usual(), LinePolicy::Hold), Ok(vec![(LINE, 1, 10_000, 1_500)]));

    // Money that went back for no goods counts against the whole.
    let given = |minor: i64| [(Source::Money(4), (-1, -minor, 0))];
    let all = || record().goods(1, 2, 20_000, 3_000, Cancel);
    let taken = |refund, invoice, minor| taken_from(&refund, &invoice, &given(minor), &snapshot(), LinePolicy::Hold);
    assert_eq!(taken(all(), usual(), 6_900), Ok(vec![(LINE, 2, 20_000, 3_000)]), "just as much is left");
    assert_eq!(taken(all(), usual(), 6_901), Err(held(RefundPart::TooMuch)));
    assert_eq!(
        taken(all().duties(), billed_duties, 7_500),
        Err(held(RefundPart::Duties)),
        "the first reason is enough"
    );
}

fn sold(id: i64, quantity: i64, net: i64, tax: i64) -> Line {
    let taxes = vec![TaxLine { title: "VAT".into(), rate: Decimal::new(15, 2), amount: Amount(tax) }];
    Line { quantity, unit_price: Amount(net / quantity), taxes, ..make::line(id, "SKU") }
}

/// What the subtotal of these goods comes to.
fn read(lines: Vec<Line>, included: bool, goods: (i64, i64, i64, i64)) -> i64 {
    let (line_id, quantity, net, tax) = goods;
    let facts =
        Facts { refunds: [(REFUND, record().goods(line_id, quantity, net, tax, Cancel))].into(), ..Facts::default() };
    let order = Order { snapshot: Snapshot { lines, taxes_included: included, ..snapshot() }, facts };
    in_price_terms(&order).0.facts.refunds[&REFUND].lines[0].subtotal.0
}

#[test]
fn goods_back_are_read_in_the_terms_of_the_orders_prices() {
    let lines = || vec![sold(1, 2, 23_000, 3_000), sold(2, 1, 2_300, 300)];
    for (about, goods, expected) in [
        ("the tax is inside", (1, 1, 11_500, 1_500), 11_500),
        ("the tax is beside", (1, 1, 10_000, 1_500), 11_500),
        ("of the other line", (2, 1, 2_000, 300), 2_300),
        ("with the shop's rounding", (1, 1, 10_002, 1_500), 11_502),
        ("and below", (1, 1, 9_998, 1_500), 11_498),
        ("inside with the shop's rounding", (1, 1, 11_498, 1_500), 11_498),
        ("the price fits, whatever the tax", (1, 1, 11_500, 1_800), 11_500),
        ("or nearly", (1, 1, 11_502, 1_800), 11_502),
        ("the price fits with the tax, whatever that is", (1, 1, 11_490, 10), 11_500),
        // Since an edit changed what it is worth, the tax tells.
        ("inside, of another worth", (1, 1, 9_200, 1_200), 9_200),
        ("beside, of another worth", (1, 1, 8_000, 1_200), 9_200),
        ("beside, of more worth", (1, 1, 12_000, 1_800), 13_800),
        ("nearer as it is", (2, 1, 1_000, 132), 1_000),
        ("one minor unit proves nothing", (2, 1, 7, 1), 7),
        ("two do", (2, 1, 7, 2), 9),
        ("where both are as far nothing is changed", (2, 1, 1, 5), 1),
        ("a line that is not known", (3, 1, 8_000, 1_200), 8_000),
    ] {
        assert_eq!(read(lines(), true, goods), expected, "{about}");
    }
    assert_eq!(read(lines(), false, (1, 1, 21_500, 1_500)), 21_500, "prices do not contain it");
    assert_eq!(read(lines(), false, (2, 1, 2_000, 300)), 2_000, "whatever would fit");
    assert_eq!(read(vec![sold(1, 2, 0, 0)], true, (1, 1, 0, 0)), 0, "for nothing");
    let untouched = Order { snapshot: Snapshot { taxes_included: true, ..snapshot() }, facts: Facts::default() };
    assert!(matches!(in_price_terms(&untouched).0, Cow::Borrowed(_)));
}

//! Where the money of an order stands, case by case: by its transactions where any is known, else by the shop's word.

#[path = "common/make.rs"]
mod make;

use jiff::Timestamp;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::order::{
    Adjustment, Cancelled, Facts, Order, PaymentStatus, Refund, RefundLine, RefundShipping, Restock, Shipping,
    Snapshot, Transaction, TransactionKind, TransactionStatus,
};
use qantara::domain::payment::{Cause, Money, MoneyState, money, was_paid_in_full};

const TOTAL: Amount = Amount(11_500);

fn order(payment: PaymentStatus) -> Order {
    let price = Amount(1_150);
    let courier = Shipping { id: 9, title: "Courier".into(), price, discount: Amount::ZERO, taxes: Vec::new() };
    let (shipping, total_tax) = (vec![courier], Amount(1_500));
    let snapshot = Snapshot { payment, shipping, total_price: TOTAL, total_tax, ..make::snapshot() };
    Order { snapshot, facts: Facts::default() }
}

fn movement(id: i64, kind: TransactionKind, minor: i64) -> Transaction {
    let (status, gateway, currency) = (TransactionStatus::Success, "mada".into(), "SAR".into());
    Transaction { id, kind, status, gateway, amount: rust_decimal::Decimal::new(minor, 2), currency, at: None }
}

fn with(payment: PaymentStatus, movements: &[(TransactionKind, i64)]) -> Order {
    let mut order = order(payment);
    order.facts.transactions =
        (1..).zip(movements).map(|(id, (kind, minor))| (id, movement(id, *kind, *minor))).collect();
    order
}

/// A record that gives back goods worth `net` and their tax, with the money for them.
fn goods_back(order: &mut Order, net: i64, tax: i64, money: i64) {
    let line =
        RefundLine { line_id: 1, quantity: 1, restock: Restock::Return, subtotal: Amount(net), tax: Amount(tax) };
    let refund = Refund {
        id: 91,
        created_at: Timestamp::UNIX_EPOCH,
        lines: vec![line],
        shipping: Vec::new(),
        adjustments: Vec::new(),
        has_duties: false,
        is_return: false,
        transactions: [(19, movement(19, TransactionKind::Refund, money))].into(),
    };
    order.facts.refunds.insert(91, refund);
}

/// State and what is unpaid.
fn stands(order: &Order) -> (MoneyState, i64) {
    let money = money(order);
    (money.state, money.unpaid().0)
}

#[test]
fn transactions_say_where_the_money_stands_whatever_the_shop_says() {
    use TransactionKind::{Authorization, Capture, Change, Other, Refund, Sale, Void};
    for (movements, expected) in [
        (&[(Sale, 11_500)][..], (MoneyState::Paid, 0)),
        (&[(Authorization, 11_500), (Capture, 5_000), (Capture, 6_500)], (MoneyState::Paid, 0)),
        (&[(Authorization, 11_500), (Capture, 5_000)], (MoneyState::PartiallyPaid, 6_500)),
        (&[(Sale, 12_000)], (MoneyState::Overpaid, -500)),
        (&[(Sale, 12_000), (Change, 500)], (MoneyState::Paid, 0)),
        (&[(Sale, 11_499)], (MoneyState::PartiallyPaid, 1)),
        (&[(Sale, 11_500), (Refund, 2_000)], (MoneyState::PartiallyRefunded, 2_000)),
        (&[(Sale, 11_500), (Refund, 11_500)], (MoneyState::Refunded, 11_500)),
        (&[(Authorization, 11_500), (Void, 0), (Sale, 11_500)], (MoneyState::Paid, 0)),
        (&[(Sale, 11_500), (Refund, 1)], (MoneyState::PartiallyRefunded, 1)),
        (&[(Sale, 11_500), (Refund, 11_499)], (MoneyState::PartiallyRefunded, 11_499)),
        (&[(Sale, 11_500), (Other, 500)], (MoneyState::Paid, 0)),
    ] {
        for word in [PaymentStatus::Pending, PaymentStatus::Paid, PaymentStatus::Unknown] {
            assert_eq!(stands(&with(word, movements)), expected, "{movements:?}");
        }
    }
}

#[test]
fn without_money_the_shops_word_counts() {
    use TransactionKind::{Authorization, Other, Refund, Void};
    let due = TOTAL.0;
    for (word, movements, expected) in [
        (PaymentStatus::Pending, &[][..], (MoneyState::Pending, due)),
        (PaymentStatus::Unknown, &[], (MoneyState::Pending, due)),
        (PaymentStatus::Authorized, &[], (MoneyState::Authorized, due)),
        (PaymentStatus::PartiallyPaid, &[], (MoneyState::PartiallyPaid, due)),
        (PaymentStatus::Paid, &[], (MoneyState::Paid, 0)),
        (PaymentStatus::PartiallyRefunded, &[], (MoneyState::PartiallyRefunded, 0)),
        (PaymentStatus::Refunded, &[], (MoneyState::Refunded, 0)),
        (PaymentStatus::Voided, &[], (MoneyState::Voided, due)),
        (PaymentStatus::Expired, &[(Authorization, 11_500)], (MoneyState::Expired, due)),
        (PaymentStatus::Pending, &[(Authorization, 11_500)], (MoneyState::Authorized, due)),
        (PaymentStatus::Pending, &[(Authorization, 11_500), (Void, 0)], (MoneyState::Voided, due)),
        (PaymentStatus::Pending, &[(Other, 11_500)], (MoneyState::Pending, due)),
        // Money that went back had come before; "paid" is said of what came, and not of what is left.
        (PaymentStatus::Paid, &[(Refund, 2_000)], (MoneyState::Paid, 2_000)),
        (PaymentStatus::PartiallyRefunded, &[(Refund, 2_000)], (MoneyState::PartiallyRefunded, 0)),
        (PaymentStatus::Refunded, &[(Refund, 11_500)], (MoneyState::Refunded, 0)),
    ] {
        assert_eq!(stands(&with(word, movements)), expected, "{word:?} {movements:?}");
    }
}

#[test]
fn money_that_is_not_certain_or_not_ours_does_not_count() {
    let mut pending = with(PaymentStatus::Pending, &[(TransactionKind::Sale, 11_500)]);
    pending.facts.transactions.get_mut(&1).unwrap().status = TransactionStatus::Pending;
    assert_eq!(stands(&pending), (MoneyState::Pending, 11_500));
    let mut foreign = with(PaymentStatus::Paid, &[(TransactionKind::Sale, 3_067), (TransactionKind::Sale, 1_500)]);
    foreign.facts.transactions.get_mut(&1).unwrap().currency = "USD".into();
    assert_eq!(stands(&foreign), (MoneyState::PartiallyPaid, 10_000));
    let mut unnamed = with(PaymentStatus::Pending, &[(TransactionKind::Sale, 11_500)]);
    unnamed.facts.transactions.get_mut(&1).unwrap().currency.clear();
    assert_eq!(stands(&unnamed), (MoneyState::Paid, 0), "test bodies name no currency");
}

/// What the order is worth, what was received and what went back are asked by different parts; a movement counts for all
/// of them or for none.
#[test]
fn a_movement_is_the_shops_money_for_everybody_or_for_nobody() {
    let sar = Currency::parse("SAR").unwrap();
    for (currency, counts) in [("SAR", true), ("sar", true), (" SAR ", true), ("", true), (" ", true), ("USD", false)] {
        let mut order = with(PaymentStatus::Pending, &[(TransactionKind::Sale, 11_500)]);
        goods_back(&mut order, 10_000, 1_500, 11_500);
        let refund = order.facts.refunds.get_mut(&91).unwrap();
        for movement in order.facts.transactions.values_mut().chain(refund.transactions.values_mut()) {
            movement.currency = currency.into();
        }
        let sum = counts.then_some(TOTAL);
        assert_eq!(order.facts.received(sar), sum, "{currency:?}");
        assert_eq!(order.facts.refunds[&91].paid_out(sar), sum, "{currency:?}");
        assert_eq!(was_paid_in_full(&order), counts.then_some(true), "{currency:?}");
        let Money { received, given_back, .. } = money(&order);
        assert_eq!((received, given_back), (sum.unwrap_or_default(), sum.unwrap_or_default()), "{currency:?}");
    }
    assert_eq!(was_paid_in_full(&with(PaymentStatus::Refunded, &[])), None, "of money nobody told");
    let mut parts = with(PaymentStatus::Pending, &[(TransactionKind::Sale, 11_500)]);
    parts.facts.transactions.get_mut(&1).unwrap().amount = rust_decimal::Decimal::new(115_001, 3);
    assert_eq!((parts.facts.received(sar), money(&parts).received), (None, Amount::ZERO), "parts of a halala");
}

#[test]
fn the_order_costs_what_is_left_of_it() {
    let sale = [(TransactionKind::Sale, 11_500)];
    let mut returned = with(PaymentStatus::Paid, &sale);
    goods_back(&mut returned, 5_000, 750, 5_750);
    assert_eq!(stands(&returned), (MoneyState::PartiallyRefunded, 0));
    let mut unpaid_back = returned.clone();
    unpaid_back.facts.refunds.get_mut(&91).unwrap().transactions.clear();
    assert_eq!(stands(&unpaid_back), (MoneyState::Overpaid, -5_750), "the money is still with the merchant");

    // Shipping given back, with its tax beside it and, where prices contain it, inside or beside.
    let shipping = |net, tax| vec![RefundShipping { shipping_id: 9, subtotal: Amount(net), tax: Amount(tax) }];
    for (included, net, tax, worth) in
        [(false, 1_000, 150, 1_150), (true, 1_000, 150, 1_150), (true, 1_150, 150, 1_150)]
    {
        let mut order = with(PaymentStatus::Paid, &sale);
        order.snapshot.taxes_included = included;
        goods_back(&mut order, 0, 0, 0);
        order.facts.refunds.get_mut(&91).unwrap().shipping = shipping(net, tax);
        assert_eq!(money(&order).total, TOTAL - Amount(worth), "{included} {net}");
    }

    // The shipping that is named, or all of it, tells what the price with its tax may be.
    let worth = |included, shipping: Vec<RefundShipping>, adjusted: &[(i64, i64)]| {
        let mut order = with(PaymentStatus::Paid, &sale);
        order.snapshot.taxes_included = included;
        let more = Shipping { id: 10, price: Amount(2_000), ..order.snapshot.shipping[0].clone() };
        order.snapshot.shipping.push(more);
        goods_back(&mut order, 0, 0, 0);
        let refund = order.facts.refunds.get_mut(&91).unwrap();
        refund.shipping = shipping;
        let parts = adjusted.iter().map(|(net, tax)| (Amount(-net), Amount(-tax)));
        refund.adjustments = parts.map(|(amount, tax)| Adjustment { is_shipping: true, amount, tax }).collect();
        TOTAL - money(&order).total
    };
    assert_eq!(worth(true, shipping(1_150, 150), &[]), Amount(1_150), "beside it would be more than it cost");
    assert_eq!(worth(true, Vec::new(), &[(1_150, 150)]), Amount(1_300), "of both together it may be beside");
    assert_eq!(worth(true, Vec::new(), &[(3_150, 150)]), Amount(3_150));
    assert_eq!(worth(false, shipping(1_150, 173), &[]), Amount(1_323), "prices without it say nothing of it");

    let mut included = with(PaymentStatus::Paid, &sale);
    included.snapshot.taxes_included = true;
    goods_back(&mut included, 5_750, 750, 5_750);
    assert_eq!(stands(&included), (MoneyState::PartiallyRefunded, 0));
    let mut by_word = with(PaymentStatus::Refunded, &[]);
    goods_back(&mut by_word, 10_000, 1_500, 11_500);
    assert_eq!((money(&by_word).total, money(&by_word).received), (Amount::ZERO, TOTAL));
    let mut more = with(PaymentStatus::Paid, &sale);
    goods_back(&mut more, 12_000, 0, 11_500);
    assert_eq!(stands(&more), (MoneyState::Refunded, -500), "goods worth more than the order");

    let mut cancelled = with(PaymentStatus::Paid, &[(TransactionKind::Sale, 1)]);
    cancelled.facts.cancelled = Some(Cancelled { at: Timestamp::UNIX_EPOCH });
    assert_eq!(stands(&cancelled), (MoneyState::Overpaid, -1));
    let mut cancelled = with(PaymentStatus::Paid, &sale);
    cancelled.facts.cancelled = Some(Cancelled { at: Timestamp::UNIX_EPOCH });
    assert_eq!(stands(&cancelled), (MoneyState::Overpaid, -11_500));
    goods_back(&mut cancelled, 10_000, 1_500, 11_500);
    assert_eq!(stands(&cancelled), (MoneyState::Refunded, 0));
}

#[test]
fn each_payment_has_its_own_place() {
    let keys = [Cause::Transaction(17), Cause::Paid(1), Cause::Paid(2)].map(Cause::source_key);
    assert_eq!(keys, ["transaction/17", "paid", "paid/2"]);
}

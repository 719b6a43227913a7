//! Whether the amounts of goods given back contain the tax of the prices: by what the shop says its lines are worth now, and
//! which records must wait for the body that says so.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "decided/books.rs"]
mod books;
#[path = "common/make.rs"]
mod make;

use books::{Books, TEA};
use qantara::domain::money::Amount;
use qantara::domain::order::{Restock, TaxLine};
use qantara::domain::refund::in_price_terms;
use rust_decimal::Decimal;

/// What two teas cost, with 15 % in it.
const TEAS: i64 = 23_000;

/// Two teas, and a record that gives one back for so much and so much tax. The body contains it, or is still to come.
fn given(amount: i64, tax: i64, is_seen: bool) -> Books {
    let mut books = Books::new();
    books.order.snapshot.lines.truncate(1);
    books.order.snapshot.taxes_included = true;
    books.line(TEA).unit_price = Amount(TEAS / 2);
    let vat = TaxLine { title: "VAT".into(), rate: Decimal::new(15, 2), amount: Amount(3_000) };
    books.line(TEA).taxes.push(vat);
    record(books, 9, amount, tax, is_seen)
}

fn record(books: Books, id: i64, amount: i64, tax: i64, is_seen: bool) -> Books {
    let goods = [(TEA, 1)];
    let told = if is_seen {
        books.record(id, &goods, Restock::Cancel, 0)
    } else {
        books.ahead(id, &goods, Restock::Cancel, 0)
    };
    told.with(|books| {
        let part = &mut books.refund(id).lines[0];
        (part.subtotal, part.tax) = (Amount(amount), Amount(tax));
    })
}

/// The amount of a record in the terms of the prices.
fn read(books: &Books, id: i64) -> i64 {
    in_price_terms(&books.order).0.facts.refunds[&id].lines[0].subtotal.0
}

fn is_unclear(amount: i64, tax: i64) -> bool {
    in_price_terms(&given(amount, tax, false).order).1.contains(&9)
}

#[test]
fn what_the_shop_says_its_lines_are_worth_counts() {
    let told = |amount, tax, gone| {
        given(amount, tax, true).with(|books| books.order.snapshot.current_subtotal = Some(Amount(TEAS - gone)))
    };
    // By its tax the line would be read otherwise, in either direction.
    for (gone, expected) in [(7_998, 9_200), (7_999, 8_000), (8_000, 8_000), (8_001, 8_000), (8_002, 9_200)] {
        assert_eq!(read(&told(8_000, 1_200, gone), 9), expected, "{gone}");
    }
    for (gone, expected) in [(10_398, 9_200), (10_399, 10_400), (10_400, 10_400), (10_401, 10_400), (10_402, 9_200)] {
        assert_eq!(read(&told(9_200, 1_200, gone), 9), expected, "{gone}");
    }
    // Where both readings explain it, only the exact amount as it is stated tells.
    assert_eq!(read(&told(11_497, 1, 11_497), 9), 11_497);
    assert_eq!(read(&told(11_497, 1, 11_498), 9), 11_498, "the worth of a unit does");

    let stated = || told(8_000, 1_200, 8_000);
    let by_line = |change: fn(&mut Books)| read(&stated().with(change), 9);
    assert_eq!(by_line(|books| books.order.snapshot.current_subtotal = None), 9_200);
    assert_eq!(by_line(|books| books.line(TEA).current_quantity = Some(0)), 9_200, "a unit left without a record");
    assert_eq!(by_line(|books| books.line(TEA).current_quantity = None), 9_200);
    let tip = |books: &mut Books| {
        let tip = qantara::domain::order::Line { tip: true, unit_price: Amount::ZERO, ..make::line(4, "") };
        books.order.snapshot.lines.push(tip);
    };
    assert_eq!(by_line(tip), 9_200, "the shop may count a tip or not");
    // Of a record that the body does not contain it says nothing.
    let later = record(stated(), 10, 8_000, 1_200, false);
    assert_eq!((read(&later, 9), read(&later, 10)), (8_000, 9_200));
}

#[test]
fn a_record_that_can_be_read_both_ways_waits_for_its_body() {
    for (about, amount, tax, expected) in [
        ("both fit the worth of a unit", 11_500, 1, true),
        ("without tax there is nothing to read", 11_500, 0, false),
        ("the price fits, and so does the tax", 11_500, 1_500, false),
        ("the price fits, with little tax", 11_500, 8, true),
        ("with more", 11_500, 9, false),
        ("the price fits, and the tax says otherwise", 11_500, 1_800, true),
        ("the price fits with the tax", 10_000, 1_500, false),
        ("with little", 11_490, 8, true),
        ("the price fits with the tax, which says otherwise", 11_488, 12, true),
        ("neither fits, and the tax tells", 8_000, 1_200, false),
        ("both are as far off", 8_000, 1_116, true),
        ("but for a minor unit, below", 8_000, 1_115, true),
        ("and above", 7_999, 1_116, true),
        ("two tell, below", 7_996, 1_114, false),
        ("and above, too", 8_000, 1_117, false),
    ] {
        assert_eq!(is_unclear(amount, tax), expected, "{about}");
    }
    // With so little tax on the line an edit to come may have made its units look so.
    let little = given(11_494, 4, false).with(|books| books.line(TEA).taxes[0].amount = Amount(8));
    assert!(in_price_terms(&little.order).1.contains(&9));
    for (amount, tax) in [(11_500, 1), (11_500, 1_500)] {
        let seen = given(amount, tax, true);
        assert!(in_price_terms(&seen.order).1.is_empty(), "the body is there");
    }
}

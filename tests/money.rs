//! Amounts: what is read, what is refused, what is printed, and that no minor unit is ever lost.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "laws/law.rs"]
mod law;

use law::law;
use proptest::collection::vec;
use proptest::prelude::Strategy;
use proptest::sample::select;
use qantara::domain::invoice::exact_rows;
use qantara::domain::money::{Amount, BadAmount, Currency};
use rust_decimal::Decimal;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn currencies() -> impl Strategy<Value = Currency> {
    select(vec![currency("SAR"), currency("KWD"), currency("JPY")])
}

#[test]
fn a_currency_is_three_letters_and_has_its_own_digits() {
    for (code, digits) in [("SAR", 2), ("AED", 2), ("USD", 2), ("KWD", 3), ("BHD", 3), ("JPY", 0), ("KRW", 0)] {
        assert_eq!(currency(code).digits(), digits, "{code}");
    }
    assert_eq!(Currency::parse(" sar "), Some(currency("SAR")));
    assert_eq!(currency("kwd").to_string(), "KWD");
    for wrong in ["", "SA", "SARR", "S4R", "ر.س", "SA "] {
        assert_eq!(Currency::parse(wrong), None, "{wrong:?}");
    }
    let complaint = serde_json::from_str::<Currency>("\"riyal\"").unwrap_err().to_string();
    assert!(complaint.contains("'riyal' is not a currency"), "{complaint}");
}

#[test]
fn amounts_are_read_exactly_or_refused() {
    let sar = |text: &str| currency("SAR").parse_amount(text);
    let fine = |code: &str, text: &str, minor: i64| assert_eq!(currency(code).parse_amount(text), Ok(Amount(minor)));
    fine("SAR", "12.5", 1_250);
    fine("SAR", " 12.50 ", 1_250);
    fine("SAR", "12.5000", 1_250);
    fine("SAR", "-0.01", -1);
    fine("SAR", "0", 0);
    fine("KWD", "12.345", 12_345);
    fine("JPY", "14319", 14_319);
    fine("JPY", "0.0", 0);
    fine("JPY", "1250.00", 1_250);

    assert_eq!(sar("12.505"), Err(BadAmount::TooFine { amount: "12.505".into(), currency: currency("SAR") }));
    assert!(matches!(currency("JPY").parse_amount("1.5"), Err(BadAmount::TooFine { .. })));
    assert!(matches!(currency("KWD").parse_amount("0.0005"), Err(BadAmount::TooFine { .. })));
    for wrong in ["", "abc", "1,50", "1e3", "NaN", "12.50 SAR", "١٢"] {
        assert_eq!(sar(wrong), Err(BadAmount::NotANumber(wrong.into())));
    }
}

/// A decimal holds 28 digits; what lies beyond them must not be rounded off before it is looked at.
#[test]
fn digits_beyond_those_of_a_decimal_are_refused_not_rounded() {
    for text in
        ["12.50000000000000000000000000001", "0.00000000000000000000000000001", "12.504999999999999999999999999999"]
    {
        assert!(currency("SAR").parse_amount(text).is_err(), "{text}");
    }
}

#[test]
fn the_largest_amount_is_the_largest() {
    let sar = currency("SAR");
    assert_eq!(sar.parse_amount("10000000000000.00"), Ok(Amount(1_000_000_000_000_000)));
    assert_eq!(sar.parse_amount("-10000000000000.00"), Ok(Amount(-1_000_000_000_000_000)));
    for text in ["10000000000000.01", "-10000000000000.01", "79228162514264337593543950335"] {
        assert_eq!(sar.parse_amount(text), Err(BadAmount::TooLarge(text.into())));
    }
    assert_eq!(Amount(500_000_000_000_000).times(2), Some(Amount(1_000_000_000_000_000)));
    assert_eq!(Amount(1_000_000_000_000_001).times(1), None);
    assert_eq!(Amount::rounded(Decimal::MAX), Amount(1_000_000_000_000_000));
    assert_eq!(Amount(i64::MAX).times(i64::MAX), None);
}

#[test]
fn amounts_print_with_the_digits_of_their_currency() {
    for (code, minor, text) in [
        ("SAR", 1_250, "12.50"),
        ("SAR", -5, "-0.05"),
        ("KWD", 1_250, "1.250"),
        ("JPY", 1_250, "1250"),
        ("SAR", 0, "0.00"),
    ] {
        assert_eq!(currency(code).print(Amount(minor)), text);
    }
}

#[test]
fn halves_are_rounded_away_from_zero() {
    for (minor, rate, rounded) in
        [(50, "0.15", 8), (-50, "0.15", -8), (49, "0.15", 7), (30, "0.15", 5), (33, "0.05", 2)]
    {
        let exact = Decimal::from(minor) * rate.parse::<Decimal>().unwrap();
        assert_eq!(Amount::rounded(exact), Amount(rounded), "{minor} at {rate}");
    }
    for (exact, rounded) in [("0.5", 1), ("-0.5", -1), ("1.4999", 1), ("2.5", 3), ("-2.5", -3)] {
        assert_eq!(Amount::rounded(exact.parse().unwrap()), Amount(rounded), "{exact}");
    }
}

#[test]
fn printing_and_reading_come_back() {
    law(2_000, (currencies(), -1_000_000_000_000_000_i64..=1_000_000_000_000_000), |(currency, minor)| {
        assert_eq!(currency.parse_amount(&currency.print(Amount(minor))), Ok(Amount(minor)));
        assert_eq!(currency.amount(currency.decimal(Amount(minor))), Ok(Amount(minor)));
        assert_eq!(currency.decimal(Amount(minor)).scale(), currency.digits());
    });
}

#[test]
fn allocating_loses_nothing_and_every_part_is_within_a_minor_unit() {
    law(2_000, (-1_000_000_000_i64..1_000_000_000, vec(0_i64..100_000, 1..12)), |(minor, weights)| {
        let parts = Amount(minor).allocate(&weights);
        assert_eq!(parts.len(), weights.len());
        assert_eq!(parts.iter().copied().sum::<Amount>(), Amount(minor));
        let all: i64 = weights.iter().sum();
        for (part, weight) in parts.iter().zip(&weights).filter(|_| all > 0) {
            let exact = Decimal::from(minor) * Decimal::from(*weight) / Decimal::from(all);
            assert!((Decimal::from(part.0) - exact).abs() < Decimal::ONE, "{part:?} instead of {exact}");
            assert!(*weight > 0 || part.is_zero(), "{part:?} on no weight");
        }
    });
}

#[test]
fn allocating_over_no_weight_loses_nothing() {
    assert_eq!(Amount(7).allocate(&[0, 0]), [Amount(7), Amount(0)]);
    assert_eq!(Amount(7).allocate(&[]), []);
    assert_eq!(Amount(7).allocate(&[0, 1]), [Amount(0), Amount(7)]);
    assert_eq!(Amount(10).allocate(&[1, 1, 1]), [Amount(4), Amount(3), Amount(3)]);
    assert_eq!(Amount(10).allocate(&[1, 2]), [Amount(3), Amount(7)], "the larger fraction gets the odd unit");
}

/// Units taken in any number of goes carry the same as units taken at once.
#[test]
fn shares_of_adjoining_ranges_add_up() {
    law(2_000, (-1_000_000_000_i64..1_000_000_000, vec(1_i64..50, 1..8)), |(minor, goes)| {
        let of: i64 = goes.iter().sum();
        let mut taken = 0;
        let mut sum = Amount::ZERO;
        for units in goes {
            let part = Amount(minor).share(taken + units, of) - Amount(minor).share(taken, of);
            let exact = Decimal::from(minor) * Decimal::from(units) / Decimal::from(of);
            assert!((Decimal::from(part.0) - exact).abs() < Decimal::ONE, "{part:?} instead of {exact}");
            taken += units;
            sum += part;
        }
        assert_eq!(sum, Amount(minor));
    });
    assert_eq!(Amount(5).share(0, 0), Amount::ZERO);
}

#[test]
fn rows_cost_exactly_the_net_and_their_prices_differ_by_a_minor_unit() {
    law(2_000, (1_i64..10_000, -1_000_000_000_i64..1_000_000_000), |(units, net)| {
        let rows = exact_rows(units, Amount(net));
        assert!(matches!(rows.len(), 1 | 2));
        assert_eq!(rows.iter().map(|row| row.units).sum::<i64>(), units);
        assert_eq!(rows.iter().map(|row| row.unit_price.0 * row.units).sum::<i64>(), net);
        assert!(rows.iter().all(|row| row.units > 0));
        assert!(rows.windows(2).all(|pair| pair[0].unit_price.0 - pair[1].unit_price.0 == 1));
    });
    assert_eq!(exact_rows(0, Amount(5)), []);
}

//! What an order becomes, case by case: whose lines, which tax, which rows, which amounts beside them; and what the gate
//! lets pass.

#[path = "common/make.rs"]
mod make;

use jiff::tz::TimeZone;
use make::{line, rules};
use qantara::domain::catalog::{Catalog, Code, Product, ProductKind};
use qantara::domain::invoice::{
    Billed, Drafted, Gated, Removed, Row, Seen, Source, Totals, draft, gate, off_by_rounding,
};
use qantara::domain::money::Amount;
use qantara::domain::order::{Facts, Line, Order, Shipping, Snapshot, TaxLine};
use qantara::domain::reason::{Extra, Hold};
use qantara::domain::rules::{LinePolicy, Merchant, Rules, ShippingPolicy, TaxRule, Vendor, Vendors};
use qantara::domain::tax::{BilledTax, Charge, map};
use rust_decimal::Decimal;

/// A rate in thousandths.
fn rate(thousandths: i64) -> Decimal {
    Decimal::new(thousandths, 3)
}

fn tax(title: &str, thousandths: i64, minor: i64) -> TaxLine {
    TaxLine { title: title.to_owned(), rate: rate(thousandths), amount: Amount(minor) }
}

fn rule(title: &str, thousandths: i64, included: bool, daftra_id: i64) -> TaxRule {
    let title = (!title.is_empty()).then(|| title.to_owned());
    TaxRule { title, rate: rate(thousandths), included, daftra_id }
}

fn billed_tax(title: &str, thousandths: i64, daftra_id: i64) -> BilledTax {
    BilledTax { title: title.to_owned(), rate: rate(thousandths), daftra_id }
}

/// Rules without a title come first, so that their order alone prefers them.
fn tax_map() -> Rules {
    let taxes = [
        ("", 0, false, 1),
        ("", 50, false, 2),
        ("", 150, false, 3),
        ("VAT", 50, false, 4),
        ("VAT", 150, false, 5),
        ("VAT", 150, true, 6),
        ("City + VAT", 200, false, 7),
        ("VAT", 900, false, 8),
    ];
    Rules { taxes: taxes.map(|(title, rate, included, id)| rule(title, rate, included, id)).into(), ..rules() }
}

/// Daftra's tax for what was charged on 100.00.
fn mapped(taxes: &[TaxLine], before: &[BilledTax], units: i64) -> Result<Option<BilledTax>, Hold> {
    let charge = Charge { line: "Tea", taxes, included: false, net: Amount(10_000), units };
    map(&charge, &tax_map(), before)
}

#[test]
fn a_tax_is_booked_by_the_rule_that_names_it_and_gives_its_amount() {
    for (about, taxes, expected) in [
        ("a title goes before none", vec![tax("VAT", 150, 1_500)], ("VAT", 150, 5)),
        ("titles are compared folded", vec![tax(" vat ", 150, 1_500)], (" vat ", 150, 5)),
        ("no rule names it", vec![tax("Levy", 150, 1_500)], ("Levy", 150, 3)),
        ("within the shop's own rounding", vec![tax("VAT", 150, 1_502)], ("VAT", 150, 5)),
        ("the amount counts, the rate is a label", vec![tax("VAT", 250, 500)], ("VAT", 50, 4)),
        ("the label, where no rule gives the amount", vec![tax("VAT", 900, 4_000)], ("VAT", 900, 8)),
        ("two taxes", vec![tax("City", 50, 500), tax("VAT", 150, 1_500)], ("City + VAT", 200, 7)),
        ("in either order", vec![tax("VAT", 150, 1_500), tax("City", 50, 500)], ("VAT + City", 200, 7)),
        ("their amounts count together", vec![tax("City", 500, 500), tax("VAT", 400, 1_500)], ("City + VAT", 200, 7)),
        ("what was not charged is none", vec![tax("City", 50, 0), tax("VAT", 150, 1_500)], ("VAT", 150, 5)),
        ("nor is a rate of zero beside one", vec![tax("Zero", 0, 0), tax("VAT", 150, 1_500)], ("VAT", 150, 5)),
        ("a rate of zero by itself is one", vec![tax("VAT", 150, 0), tax("Zero", 0, 0)], ("Zero", 0, 1)),
        ("the first of them", vec![tax("Zero", 0, 0), tax("Exempt", 0, 0)], ("Zero", 0, 1)),
    ] {
        let (title, rate, id) = expected;
        assert_eq!(mapped(&taxes, &[], 1), Ok(Some(billed_tax(title, rate, id))), "{about}");
    }
    assert_eq!(mapped(&[], &[], 1), Ok(None));
    assert_eq!(mapped(&[tax("VAT", 150, 0)], &[], 1), Ok(None), "listed and not charged");
    let included =
        Charge { line: "Tea", taxes: &[tax("VAT", 900, 1_500)], included: true, net: Amount(11_500), units: 1 };
    assert_eq!(map(&included, &tax_map(), &[]), Ok(Some(billed_tax("VAT", 150, 6))), "the part of a price with tax");
}

#[test]
fn a_tax_that_nobody_mapped_is_held() {
    let (line, included) = (|| "Tea".to_owned(), false);
    let unknown = Hold::UnknownTax { line: line(), title: "VAT".into(), rate: rate(250), included };
    assert_eq!(mapped(&[tax("VAT", 250, 2_500)], &[], 1), Err(unknown.clone()));
    assert_eq!(mapped(&[tax("VAT", 250, 2_000)], &[], 1), Err(unknown), "nor does the amount tell");
    // The rule for 15 % names no tax: both together would be booked as one of them.
    let several = Hold::SeveralTaxes { line: line(), title: "City + Levy".into(), rate: rate(150), included };
    assert_eq!(mapped(&[tax("City", 50, 500), tax("Levy", 100, 1_000)], &[], 1), Err(several));

    // One minor unit of tax on five is what 10 % give and 15 %: which was meant nobody knows.
    let either = Rules { taxes: vec![rule("", 100, false, 1), rule("", 150, false, 2)], ..rules() };
    let taxes = [tax("VAT", 900, 1)];
    let charge = Charge { line: "Tea", taxes: &taxes, included: false, net: Amount(5), units: 1 };
    assert!(matches!(map(&charge, &either, &[]), Err(Hold::UnknownTax { .. })));
}

/// What the row has already stays, as far as it explains what was charged now.
#[test]
fn a_tax_that_is_on_the_row_stays() {
    let before = [billed_tax("VAT", 150, 77)];
    for (about, taxes, units, id) in [
        ("its rate", tax("VAT", 150, 1_500), 1, 77),
        ("its rate, whatever the amount", tax("VAT", 150, 500), 1, 77),
        ("its amount, and a minor unit for each unit and one", tax("VAT", 900, 1_503), 2, 77),
        ("also below", tax("VAT", 900, 1_497), 2, 77),
        ("more is another tax", tax("VAT", 900, 1_504), 2, 8),
        ("less, too", tax("VAT", 900, 1_496), 2, 8),
        ("another title is another tax", tax("Levy", 150, 1_500), 1, 3),
    ] {
        let found = mapped(&[taxes], &before, units).unwrap().unwrap();
        assert_eq!(found.daftra_id, id, "{about}");
    }
    // A rate that explains the amount counts, though another rule would give it to the last minor unit.
    let close = [rule("", 150, false, 1), TaxRule { rate: Decimal::new(1_501, 4), ..rule("", 0, false, 2) }];
    let rules = Rules { taxes: close.into(), ..rules() };
    let taxes = [tax("VAT", 150, 1_501)];
    let charge = Charge { line: "Tea", taxes: &taxes, included: false, net: Amount(10_000), units: 1 };
    assert_eq!(map(&charge, &rules, &[]).unwrap().unwrap().daftra_id, 1);
}

/// So many units that cost `net` together, taxed at the rate with so much.
fn goods(units: i64, net: i64, thousandths: i64, tax: i64) -> Billed {
    Billed {
        source: Source::Line(1),
        title: "Tea".into(),
        sku: "TEA".into(),
        product_id: Some(501),
        found: None,
        taxes: vec![billed_tax("VAT", thousandths, 5)],
        included: false,
        units,
        net: Amount(net),
        tax: Amount(tax),
        rows: Vec::new(),
    }
}

/// Units and unit prices.
fn rows(billed: Billed) -> Vec<(i64, i64)> {
    billed.in_rows().rows.iter().map(|Row { units, unit_price }| (*units, unit_price.0)).collect()
}

#[test]
fn units_are_split_into_the_rows_of_which_daftra_computes_the_shops_tax() {
    for (about, billed, expected) in [
        ("one row where it gives the tax", goods(2, 206, 150, 31), vec![(2, 103)]),
        ("each of two units is rounded by itself", goods(2, 206, 150, 30), vec![(1, 103), (1, 103)]),
        ("the dearer unit is the odd one, one costs nothing", goods(5, 8, 70, 1), vec![(4, 2), (1, 0)]),
        ("no price below zero, though its tax were right", goods(5, 3, 150, 1), vec![(3, 1), (2, 0)]),
        ("a dozen rows at most", goods(12, 1_236, 150, 180), vec![(1, 103); 12]),
        ("beyond that the nearest of the others", goods(13, 1_339, 150, 195), vec![(12, 103), (1, 103)]),
        ("the last part of what has no unit left is one row", goods(0, 1_000, 150, 149), vec![(1, 1_000)]),
    ] {
        assert_eq!(rows(billed), expected, "{about}");
    }
}

#[test]
fn the_gate_compares_total_and_tax_in_both_directions_and_both_roundings() {
    let plain = |net: i64, tax: i64| Billed {
        rows: vec![Row { units: 1, unit_price: Amount(net) }],
        ..goods(1, net, 150, tax)
    };
    let totals = |total: i64, tax: i64| Totals { total: Amount(total), tax: Amount(tax) };
    let passes = |billed: &[Billed], tolerance| gate(billed, tolerance).hold.is_none();
    // Daftra computes a tax of 15.00.
    for (tax, tolerance, expected) in [
        (1_500, Some(0), true),
        (1_502, Some(1), false),
        (1_498, Some(1), false),
        (1_502, Some(2), true),
        (1_498, Some(2), true),
    ] {
        assert_eq!(passes(&[plain(10_000, tax)], tolerance), expected, "{tax} {tolerance:?}");
    }
    assert!(passes(&[plain(10_000, 1_501)], None), "a minor unit for each thing billed");
    assert!(!passes(&[plain(10_000, 1_502)], None));
    assert!(passes(&[plain(10_000, 1_502), plain(10_000, 1_500)], None));
    // Where the price contains the tax, only the tax differs; where the rows do not cost the net, only the total.
    let included = Billed { included: true, ..plain(11_500, 1_490) };
    assert!(!passes(&[included], Some(5)));
    let dearer = Billed { taxes: Vec::new(), tax: Amount::ZERO, net: Amount(9_990), ..plain(10_000, 0) };
    assert!(!passes(std::slice::from_ref(&dearer), Some(5)));
    assert!(!passes(&[Billed { net: Amount(10_010), ..dearer.clone() }], Some(5)));
    let Some(Hold::TotalsDiffer { lines, .. }) = gate(&[dearer], Some(5)).hold else { panic!("it passes") };
    assert_eq!(lines.len(), 1, "whose total differs, and no tax");

    // 0.45 and 0.45 round to nothing row by row, and to one together.
    let pair = |tax: i64| [plain(3, tax), Billed { title: "Cup".into(), tax: Amount::ZERO, ..plain(3, 0) }];
    let Gated { shop, daftra, hold } = gate(&pair(1), Some(0));
    assert_eq!((shop, daftra), (totals(7, 1), totals(6, 0)), "the worse of the two is shown");
    let Some(Hold::TotalsDiffer { lines, .. }) = hold else { panic!("{hold:?}") };
    assert_eq!(lines.iter().map(|line| line.line.as_str()).collect::<Vec<_>>(), ["Tea"], "only what differs by itself");
    assert_eq!(gate(&pair(0), Some(0)).daftra, totals(7, 1));
    // A tax inside the price differs, and no total.
    let inside = [Billed { included: true, ..plain(11_500, 1_490) }, Billed { included: true, ..plain(11_500, 1_500) }];
    let Some(Hold::TotalsDiffer { lines, .. }) = gate(&inside, Some(5)).hold else { panic!("it passes") };
    assert_eq!(lines.len(), 1);
    let off = |billed: &[Billed], total: i64| off_by_rounding(billed, Amount(total)).map(|it| (it.total.0, it.tax.0));
    assert_eq!(off(&pair(1), 7), None, "Daftra may have rounded as the shop did");
    assert_eq!(off(&pair(1), 6), Some((6, 0)), "it surely did not");
    assert_eq!(off(&pair(1), 9), Some((9, 0)), "and somebody added a row");
    assert_eq!(off(&inside, 23_000), Some((23_000, 3_000)), "the same total, and surely another tax");
    // The same distance above and below: rounding by row is shown.
    let middle = [plain(3, 1), plain(3, 0), plain(3, 0), plain(3, 0)];
    assert_eq!(gate(&middle, None).daftra, totals(12, 0), "of 0 by row and 2 together, where the shop says 1");
}

#[test]
fn sources_have_their_words() {
    let all = [Source::Line(7), Source::Shipping(9), Source::Tip, Source::Duties, Source::Fees, Source::Money(4)];
    let words = ["line 7", "shipping 9", "tip", "duties", "fees", "money 4"];
    assert_eq!(all.map(|source| source.to_string()), words);
}

/// An order of these lines whose sums are right.
fn order(lines: Vec<Line>) -> Order {
    let mut snapshot = Snapshot { lines, ..make::snapshot() };
    total(&mut snapshot);
    Order { snapshot, facts: Facts::default() }
}

fn total(snapshot: &mut Snapshot) {
    let Snapshot { lines, shipping, .. } = &*snapshot;
    let tax = lines.iter().map(Line::tax).chain(shipping.iter().map(Shipping::tax)).sum();
    let net: Amount = lines.iter().map(Line::net).chain(shipping.iter().map(Shipping::net)).sum();
    (snapshot.total_tax, snapshot.total_price) = (tax, net + tax);
}

/// Daftra sells whatever line 1, 2 and 3 are.
fn catalog() -> Catalog {
    let product = |id: i64| Product {
        id: 500 + id,
        code: Code::new(&format!("SKU{id}")),
        barcode: Code::new(""),
        name: format!("Thing {id}"),
        kind: ProductKind::Product,
        active: true,
        tracked: true,
        branch_id: None,
    };
    Catalog { products: (1..=3).map(product).collect(), ..Catalog::default() }
}

fn drafted(order: &Order, removed: &Removed, rules: Rules) -> Drafted {
    let merchant = Merchant { key: "k7".into(), account_id: 1, zone: TimeZone::UTC, live_from: None, rules };
    draft(order, &merchant, &catalog(), removed, None)
}

fn sold(id: i64) -> Line {
    line(id, &format!("SKU{id}"))
}

fn of(vendor: &str, line: Line) -> Line {
    Line { vendor: vendor.to_owned(), ..line }
}

fn sources(drafted: &Drafted) -> Vec<Source> {
    drafted.invoice.billed.iter().map(|billed| billed.source).collect()
}

fn holds(drafted: &Drafted) -> &[Hold] {
    &drafted.obstacles.holds
}

#[test]
fn a_line_without_vendor_follows_the_others_when_all_are_the_merchants() {
    let only = || Vendors::Only([Vendor::new("Nour"), Vendor::new("Dar")].into());
    let but = |names: &[&str]| Vendors::AllBut(names.iter().map(|name| Vendor::new(name)).collect());
    for (about, vendors, others, is_own) in [
        ("one of ours", only(), vec!["Nour"], true),
        ("two of ours", only(), vec!["Nour", "Dar"], true),
        ("one of ours and a stranger", only(), vec!["Nour", "Rival"], false),
        ("a stranger and one of ours", only(), vec!["Rival", "Nour"], false),
        ("strangers", only(), vec!["Rival"], false),
        ("nobody", only(), vec![], false),
        ("nobody who is named", only(), vec![" "], false),
        ("the shop's own merchant, beside a stranger", but(&["Rival"]), vec!["Rival"], true),
        ("the shop's own merchant, alone", but(&["Rival"]), vec![], true),
    ] {
        let named = (2..).zip(&others).map(|(id, vendor)| of(vendor, sold(id)));
        let order = order([of("", sold(1))].into_iter().chain(named).collect());
        let seen = &drafted(&order, &Removed::default(), Rules { vendors, ..rules() }).invoice.seen;
        assert_eq!(seen[&1] == Seen::Billed, is_own, "{about}");
    }
}

#[test]
fn shipping_and_what_is_beside_the_lines_go_with_lines_that_are_billed() {
    let courier = |minor| Shipping {
        id: 9,
        title: "Courier".into(),
        price: Amount(minor),
        discount: Amount::ZERO,
        taxes: Vec::new(),
    };
    let gift = Line { gift_card: true, ..sold(2) };
    let skip = || Rules { gift_card: LinePolicy::Skip, shipping: ShippingPolicy::Always, ..rules() };
    let stranger = || Rules { vendors: Vendors::Only([Vendor::new("Nour")].into()), ..rules() };
    let always = || Rules { shipping: ShippingPolicy::Always, ..stranger() };
    for (about, lines, rules, expected) in [
        ("goods", vec![sold(1)], rules(), vec![Source::Line(1), Source::Shipping(9), Source::Tip]),
        (
            "goods and what is left out",
            vec![sold(1), gift.clone()],
            skip(),
            vec![Source::Line(1), Source::Shipping(9), Source::Tip],
        ),
        ("only what is left out", vec![gift], skip(), vec![]),
        ("a share", vec![sold(1), of("Rival", sold(2))], stranger(), vec![Source::Line(1)]),
        (
            "a share that takes the shipping",
            vec![sold(1), of("Rival", sold(2))],
            always(),
            vec![Source::Line(1), Source::Shipping(9)],
        ),
        ("no share", vec![of("Rival", sold(2))], always(), vec![]),
    ] {
        let mut order = order(lines);
        order.snapshot.shipping.push(courier(1_000));
        total(&mut order.snapshot);
        order.snapshot.tip = Amount(300);
        order.snapshot.total_price += Amount(300);
        let drafted = drafted(&order, &Removed::default(), rules);
        assert_eq!((sources(&drafted), holds(&drafted)), (expected, &[][..]), "{about}");
    }
    // Shipping is one unit: two minor units of tax are its rounding, three are another tax.
    for (tax_minor, id) in [(1_502, 1), (1_503, 2)] {
        let mut order = order(vec![sold(1)]);
        order.snapshot.shipping.push(Shipping { taxes: vec![tax("VAT", 150, tax_minor)], ..courier(10_000) });
        total(&mut order.snapshot);
        let exact = TaxRule { rate: Decimal::new(tax_minor, 4), ..rule("", 0, false, 2) };
        let rules = Rules { taxes: vec![rule("", 150, false, 1), exact], ..rules() };
        let drafted = drafted(&order, &Removed::default(), rules);
        assert_eq!(drafted.invoice.billed[1].taxes[0].daftra_id, id, "{tax_minor}");
    }
}

#[test]
fn tips_gift_cards_and_custom_items_are_no_products() {
    let variant_alone = Line { sku: " ".into(), ..sold(1) };
    let typed = Line { variant_id: None, ..variant_alone.clone() };
    for (about, line, product, asks) in [
        ("goods", sold(1), Some(501), false),
        ("a tip, whatever its code", Line { tip: true, ..sold(1) }, None, false),
        ("a gift card", Line { gift_card: true, ..sold(1) }, None, false),
        ("typed at the counter", typed, None, false),
        ("a code without variant", Line { variant_id: None, ..sold(1) }, Some(501), false),
    ] {
        let drafted = drafted(&order(vec![line]), &Removed::default(), rules());
        let [billed] = drafted.invoice.billed.as_slice() else { panic!("{about}: {drafted:?}") };
        assert_eq!((billed.product_id, !drafted.obstacles.ask.is_empty()), (product, asks), "{about}");
        assert_eq!(holds(&drafted), [], "{about}");
    }
    // A variant that has no code is no custom item; nobody knows its product.
    let hold = Rules { custom: LinePolicy::Hold, ..rules() };
    let drafted = drafted(&order(vec![variant_alone]), &Removed::default(), hold);
    assert!(matches!(holds(&drafted), [Hold::UnknownProduct { .. }]), "{drafted:?}");
}

#[test]
fn of_a_line_that_is_gone_only_rounding_may_be_left() {
    // Two units at 100.00 with 30.00 of tax.
    let line = Line { quantity: 2, taxes: vec![tax("VAT", 150, 3_000)], ..sold(1) };
    let order = order(vec![line]);
    let taxed = || Rules { taxes: vec![rule("", 150, false, 1)], ..rules() };
    for (units, net, tax, expected) in [
        (0, 0, 0, Some(2)),
        (1, 10_000, 1_500, Some(1)),
        (1, 20_000, 3_000, Some(1)),
        (2, 20_000, 3_000, None),
        (2, 20_002, 3_000, None),
        (2, 19_998, 3_000, None),
        (2, 20_000, 3_002, None),
        (2, 20_000, 2_998, None),
    ] {
        let drafted = drafted(&order, &Removed([(1, (units, Amount(net), Amount(tax)))].into()), taxed());
        assert_eq!(drafted.invoice.billed.first().map(|billed| billed.units), expected, "{units} {net} {tax}");
        assert_eq!((holds(&drafted), drafted.is_without_rows()), (&[][..], expected.is_none()), "{units} {net} {tax}");
    }
    for (units, net, tax) in [
        (2, 19_997, 3_000),
        (2, 20_003, 3_000),
        (2, 20_000, 2_997),
        (2, 20_000, 3_003),
        (3, 20_000, 3_000),
        (3, 10_000, 1_500),
        (1, 20_001, 3_000),
        (1, 20_000, 3_001),
    ] {
        let drafted = drafted(&order, &Removed([(1, (units, Amount(net), Amount(tax)))].into()), taxed());
        let expected = [Hold::AmountsDoNotAddUp { expected: Amount(20_000), found: Amount(net) }];
        assert_eq!(holds(&drafted), expected, "{units} {net} {tax}");
        assert_eq!((sources(&drafted), drafted.is_without_rows()), (vec![], false), "{units} {net} {tax}");
    }
}

/// The order's total with these amounts beside its one line of 100.00, and what is booked or held of it.
fn beside(change: impl FnOnce(&mut Snapshot), total: i64, rules: Rules) -> Drafted {
    let mut order = order(vec![sold(1)]);
    change(&mut order.snapshot);
    order.snapshot.total_price = Amount(total);
    drafted(&order, &Removed::default(), rules)
}

#[test]
fn amounts_beside_the_lines_count_if_they_explain_the_total() {
    let all = |snapshot: &mut Snapshot| {
        (snapshot.tip, snapshot.duties, snapshot.fees) = (Amount(300), Amount(500), Amount(900));
    };
    let (goods, tip, duties, fees) = (Source::Line(1), Source::Tip, Source::Duties, Source::Fees);
    for (total, expected) in [
        (10_000, vec![goods]),
        (10_300, vec![goods, tip]),
        (10_500, vec![goods, duties]),
        (10_800, vec![goods, tip, duties]),
        (10_900, vec![goods, fees]),
        (11_400, vec![goods, duties, fees]),
        (11_700, vec![goods, tip, duties, fees]),
    ] {
        let drafted = beside(all, total, rules());
        assert_eq!((sources(&drafted), holds(&drafted)), (expected, &[][..]), "{total}");
    }
    let drafted = beside(all, 10_001, rules());
    let off = Hold::AmountsDoNotAddUp { expected: Amount(10_001), found: Amount(10_000) };
    assert_eq!((sources(&drafted), holds(&drafted)), (vec![goods], &[off][..]));

    // What was rounded for cash is no row, whatever the policies for rows are.
    let drafted = beside(|snapshot| snapshot.cash_rounding = Amount(-20), 9_980, rules());
    let rounded = Hold::ExtraAmount { what: Extra::CashRounding, amount: Amount(-20) };
    assert_eq!((sources(&drafted), holds(&drafted)), (vec![goods], &[rounded][..]));

    let drafted = beside(|snapshot| snapshot.total_tax = Amount(1), 10_000, rules());
    assert_eq!(holds(&drafted), [Hold::AmountsDoNotAddUp { expected: Amount(1), found: Amount::ZERO }]);
}

#[test]
fn a_tip_that_is_a_line_is_no_amount_beside_the_lines() {
    let mut order = order(vec![sold(1), Line { tip: true, ..sold(2) }]);
    order.snapshot.tip = Amount(300);
    for (off, is_explained) in [(0, true), (300, false), (1, false), (-1, false)] {
        let mut order = order.clone();
        order.snapshot.total_price += Amount(off);
        let drafted = drafted(&order, &Removed::default(), rules());
        assert_eq!(sources(&drafted), [Source::Line(1), Source::Line(2)], "{off}");
        assert_eq!(holds(&drafted).is_empty(), is_explained, "{off}");
    }
}

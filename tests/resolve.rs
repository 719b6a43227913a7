//! Which product a line is: mapping, barcode, whole SKU, longest prefix; and when nobody may guess.

#[path = "laws/law.rs"]
mod law;
#[path = "common/make.rs"]
mod make;

use std::collections::BTreeSet;

use law::law;
use make::{line, rules};
use proptest::collection::vec;
use proptest::sample::select;
use qantara::domain::catalog::{Catalog, Code, Product, ProductKind, Resolution, Rule, resolve};
use qantara::domain::rules::{Rules, SkuRules, Vendor, fold};

/// An EAN-13 with a leading zero and its UPC-A, an EAN-13 without twin, and both with a wrong check digit.
const EAN_OF_UPC: &str = "0036000291452";
const UPC: &str = "036000291452";
const EAN: &str = "6291041500213";
const BAD_EAN: &str = "6291041500214";
const BAD_UPC: &str = "036000291453";

fn product(id: i64, code: &str, barcode: &str) -> Product {
    Product {
        id,
        code: Code::new(code),
        barcode: Code::new(barcode),
        name: format!("Product {id}"),
        kind: ProductKind::Product,
        active: true,
        tracked: true,
        branch_id: None,
    }
}

fn codes(texts: &[&str]) -> BTreeSet<Code> {
    texts.iter().map(|text| Code::new(text)).collect()
}

/// A catalogue in which every other code was asked for and not found.
struct Shelf {
    rules: Rules,
    catalog: Catalog,
}

fn shelf(products: &[Product]) -> Shelf {
    Shelf { rules: rules(), catalog: Catalog { products: products.to_vec(), ..Catalog::default() } }
}

impl Shelf {
    fn sku(mut self, change: impl FnOnce(&mut SkuRules)) -> Self {
        change(&mut self.rules.sku);
        self
    }

    fn branch(mut self, branch: i64) -> Self {
        self.rules.branch_id = Some(branch);
        self
    }

    fn mapped(mut self, key: &str, product: i64) -> Self {
        self.catalog.mappings.insert(Code::new(key), product);
        self
    }

    fn variant(mut self, id: i64, barcode: &str) -> Self {
        self.catalog.barcodes.insert(id, Code::new(barcode));
        self
    }

    /// The end of the story: whatever is asked for is a miss.
    fn end(&self, sku: &str) -> Resolution {
        let mut catalog = self.catalog.clone();
        for _ in 0..4 {
            match resolve(&line(1, sku), &self.rules, &catalog) {
                Resolution::Ask(asked) => {
                    assert!(asked.is_disjoint(&catalog.misses), "{asked:?} were asked for already");
                    catalog.misses.extend(asked);
                }
                end @ (Resolution::Found { .. } | Resolution::Ambiguous { .. } | Resolution::Unknown { .. }) => {
                    return end;
                }
            }
        }
        panic!("'{sku}' is asked about for ever");
    }

    #[track_caller]
    fn finds(&self, sku: &str, id: i64, by: Rule) {
        match self.end(sku) {
            Resolution::Found { product_id, rule, .. } => assert_eq!((product_id, rule), (id, by), "'{sku}'"),
            other @ (Resolution::Ask(_) | Resolution::Ambiguous { .. } | Resolution::Unknown { .. }) => {
                panic!("'{sku}' gave {other:?}")
            }
        }
    }

    #[track_caller]
    fn doubts(&self, sku: &str, between: &[i64]) {
        match self.end(sku) {
            Resolution::Ambiguous { products, .. } => {
                assert_eq!(products, between.iter().copied().collect(), "'{sku}'")
            }
            other @ (Resolution::Ask(_) | Resolution::Found { .. } | Resolution::Unknown { .. }) => {
                panic!("'{sku}' gave {other:?}")
            }
        }
    }

    #[track_caller]
    fn misses(&self, sku: &str) {
        let end = self.end(sku);
        assert!(matches!(end, Resolution::Unknown { .. }), "'{sku}' gave {end:?}");
    }
}

#[test]
fn what_a_person_decided_comes_first() {
    let shelf = shelf(&[product(1, "ABC-100", EAN), product(2, "other", "")]);
    shelf.finds("ABC-100", 1, Rule::Code);
    let by_sku = shelf.mapped(" abc-100 ", 2);
    by_sku.finds("ABC-100", 2, Rule::Mapping);
    let by_variant = by_sku.mapped("1001", 9);
    by_variant.finds("ABC-100", 9, Rule::Mapping);
    by_variant.finds("", 9, Rule::Mapping);
}

#[test]
fn the_barcode_that_the_shop_gave_a_variant_goes_before_the_sku() {
    let products = [product(1, "BOWL", EAN), product(2, "ABC", "")];
    let known = |barcode: &str| shelf(&products).variant(1001, barcode);
    known(EAN).finds("nobody's", 1, Rule::Barcode);
    known(EAN).finds("", 1, Rule::Barcode);
    known(EAN).finds("ABC-RED", 1, Rule::Barcode);
    known("4-711").mapped("4-711", 9).finds("ABC-RED", 9, Rule::Mapping);
    // None, or one that nobody knows: the SKU decides.
    known("").finds("ABC-RED", 2, Rule::SkuPrefix);
    known("4-711").finds("ABC-RED", 2, Rule::SkuPrefix);
    known("4-711").misses("");
    // Two different products are nobody's to choose from, and a leading zero is no difference.
    known(EAN).doubts("ABC", &[1, 2]);
    let upc = [product(1, "BOWL", "0036000291452")];
    shelf(&upc).variant(1001, "036000291452").finds("x", 1, Rule::BarcodeTwin);
}

#[test]
fn a_barcode_counts_when_its_check_digit_does() {
    shelf(&[product(1, "x", EAN)]).finds(EAN, 1, Rule::Barcode);
    shelf(&[product(1, "x", BAD_EAN)]).misses(BAD_EAN);
    shelf(&[product(1, "x", BAD_EAN)]).sku(|sku| sku.is_barcode = true).finds(BAD_EAN, 1, Rule::Barcode);
    shelf(&[product(1, "x", "AB-1")]).misses("AB-1");
    shelf(&[product(1, "x", "AB-1")]).sku(|sku| sku.is_barcode = true).finds("ab-1", 1, Rule::Barcode);
}

#[test]
fn check_digits() {
    for right in ["96385074", UPC, EAN_OF_UPC, EAN, "10614141000415"] {
        assert!(Code::new(right).is_gtin(), "{right}");
        let last = right.as_bytes()[right.len() - 1] - b'0';
        for wrong in (0..10).filter(|digit| *digit != last) {
            assert!(
                !Code::new(&format!("{}{wrong}", &right[..right.len() - 1])).is_gtin(),
                "{right} ending in {wrong}"
            );
        }
    }
    for no in ["", "0", "1234567", "629104150021", "062910415002130", "6291041-00213", "٦٢٩١٠٤١٥٠٠٢١٣"] {
        assert!(!Code::new(no).is_gtin(), "{no}");
    }
}

#[test]
fn a_leading_zero_makes_no_other_article() {
    shelf(&[product(1, "x", EAN_OF_UPC)]).finds(UPC, 1, Rule::BarcodeTwin);
    shelf(&[product(1, "x", UPC)]).finds(EAN_OF_UPC, 1, Rule::BarcodeTwin);
    shelf(&[product(1, "x", UPC)]).finds(UPC, 1, Rule::Barcode);
    shelf(&[product(1, "x", UPC), product(2, "y", EAN_OF_UPC)]).doubts(UPC, &[1, 2]);
    shelf(&[product(1, "x", &format!("0{BAD_UPC}"))]).misses(BAD_UPC);
    for (code, twin) in
        [(UPC, Some(EAN_OF_UPC)), (EAN_OF_UPC, Some(UPC)), (EAN, None), ("96385074", None), ("ABCDEFGHIJKL", None)]
    {
        assert_eq!(Code::new(code).gtin_twin(), twin.map(Code::new), "{code}");
    }
}

#[test]
fn two_candidates_or_two_rules_that_disagree_are_nobodys_guess() {
    shelf(&[product(1, "abc", ""), product(2, "ABC ", "")]).doubts("Abc", &[1, 2]);
    shelf(&[product(1, "x", EAN), product(2, "y", EAN)]).doubts(EAN, &[1, 2]);
    shelf(&[product(1, "x", EAN), product(2, EAN, "")]).doubts(EAN, &[1, 2]);
    shelf(&[product(1, EAN, EAN)]).finds(EAN, 1, Rule::Barcode);
    shelf(&[product(1, "ABC-100", ""), product(2, "abc-100", "")]).doubts("ABC-100-RED", &[1, 2]);
}

#[test]
fn the_whole_sku_comes_before_its_prefix_and_the_longest_prefix_before_the_shorter() {
    let all = [product(1, "ABC", ""), product(2, "ABC-100", ""), product(3, "ABC-100-RED", "")];
    shelf(&all).finds("abc-100-red", 3, Rule::Code);
    shelf(&all).finds("ABC-100-RED-XL", 3, Rule::SkuPrefix);
    shelf(&all).finds("ABC-100-BLUE", 2, Rule::SkuPrefix);
    shelf(&all).finds("ABC-1001", 1, Rule::SkuPrefix);
    shelf(&all).misses("ABCD-100");
    shelf(&all).misses("XABC-100");
}

#[test]
fn a_prefix_ends_where_a_separator_begins_and_has_three_characters() {
    for separator in ["-", "_", ".", "/", " "] {
        shelf(&[product(1, "ABC", "")]).finds(&format!("ABC{separator}RED"), 1, Rule::SkuPrefix);
    }
    for none in ["ABCRED", "ABC+RED", "ABC:RED"] {
        shelf(&[product(1, "ABC", "")]).misses(none);
    }
    shelf(&[product(1, "ABC", "")]).sku(|sku| sku.separators = ['+'].into()).finds("ABC+RED", 1, Rule::SkuPrefix);
    shelf(&[product(1, "ABC", "")]).sku(|sku| sku.separators = ['+'].into()).misses("ABC-RED");
    shelf(&[product(1, "AB", "")]).misses("AB-RED");
    shelf(&[product(1, "AB", "")]).finds("AB", 1, Rule::Code);
    shelf(&[product(1, "قهوة", "")]).finds("قهوة-250", 1, Rule::SkuPrefix);
    shelf(&[product(1, "قه", "")]).misses("قه-250");
}

#[test]
fn a_merchants_own_prefix_is_taken_off_or_put_before() {
    let strip = |sku: &mut SkuRules| sku.strip_prefixes = vec!["NR-".into(), "X".into()];
    shelf(&[product(1, "1001", "")]).sku(strip).finds("nr-1001", 1, Rule::Code);
    shelf(&[product(1, "1001", "")]).sku(strip).finds("NR-1001-RED", 1, Rule::SkuPrefix);
    shelf(&[product(1, "NR-1001", "")]).sku(strip).finds("NR-1001", 1, Rule::Code);
    shelf(&[product(1, "1001", ""), product(2, "NR-1001", "")]).sku(strip).doubts("NR-1001", &[1, 2]);
    shelf(&[product(1, "", "")]).sku(strip).misses("NR-");
    let add = |sku: &mut SkuRules| sku.add_prefix = "NR-".into();
    shelf(&[product(1, "NR-1001", "")]).sku(add).finds("1001", 1, Rule::Code);
    shelf(&[product(1, "1001", "")]).sku(add).finds("1001", 1, Rule::Code);
}

/// Two spellings of one SKU can end in prefixes of the same length: neither is the longest.
#[test]
fn prefixes_of_the_same_length_are_two_candidates() {
    let both = [product(1, "ABC", ""), product(2, "DEF", "")];
    let strip = |sku: &mut SkuRules| sku.strip_prefixes = vec!["ABC-".into()];
    shelf(&both).sku(strip).doubts("ABC-DEF-1", &[1, 2]);
    shelf(&both[1..]).sku(strip).finds("ABC-DEF-1", 2, Rule::SkuPrefix);
}

#[test]
fn inactive_products_and_those_of_another_branch_do_not_count() {
    let asleep = [Product { active: false, ..product(1, "ABC", EAN) }];
    let elsewhere = [Product { branch_id: Some(4), ..product(2, "ABC", EAN) }];
    let and_another = |first: &[Product]| [first, &[product(3, "ABC", "")]].concat();
    shelf(&asleep).misses("ABC");
    shelf(&asleep).misses("ABC-RED");
    shelf(&and_another(&asleep)).finds("ABC", 3, Rule::Code);
    shelf(&elsewhere).branch(5).misses(EAN);
    shelf(&elsewhere).branch(4).finds(EAN, 2, Rule::Barcode);
    shelf(&elsewhere).finds(EAN, 2, Rule::Barcode);
    shelf(&and_another(&elsewhere)).branch(5).finds("ABC", 3, Rule::Code);
}

#[test]
fn whole_codes_are_asked_for_first_then_prefixes_then_nothing() {
    let rules = rules();
    let mut catalog = Catalog::default();
    let ask = |catalog: &Catalog, sku: &str| resolve(&line(1, sku), &rules, catalog);
    assert_eq!(ask(&catalog, "ABC-100-RED"), Resolution::Ask(codes(&["abc-100-red"])));
    catalog.misses = codes(&["abc-100-red"]);
    assert_eq!(ask(&catalog, "ABC-100-RED"), Resolution::Ask(codes(&["abc", "abc-100"])));
    catalog.products = vec![product(1, "ABC", "")];
    assert_eq!(
        ask(&catalog, "ABC-100-RED"),
        Resolution::Ask(codes(&["abc-100"])),
        "a longer prefix may still be found"
    );
    catalog.misses.insert(Code::new("ABC-100"));
    let found = Resolution::Found { product_id: 1, rule: Rule::SkuPrefix, code: Code::new("ABC") };
    assert_eq!(ask(&catalog, "ABC-100-RED"), found);
    assert_eq!(ask(&catalog, UPC), Resolution::Ask(codes(&[UPC, EAN_OF_UPC])));
    assert_eq!(ask(&catalog, ""), Resolution::Unknown { codes: codes(&["1001"]) });
    catalog.products[0].active = false;
    assert_eq!(ask(&catalog, "ABC"), Resolution::Unknown { codes: codes(&["abc"]) }, "an inactive one is known");
}

/// Which products lie in the catalogue matters; in which order, or what else lies there, does not.
#[test]
fn the_order_of_the_catalogue_does_not_matter() {
    let texts = select(vec!["ABC", "ABC-1", "ABC-1-X", "DEF", UPC, EAN_OF_UPC, EAN, ""]);
    let products = vec((texts.clone(), texts.clone()), 0..6);
    law(1_500, (products, texts, select(vec!["", "ABC-", "DEF-"])), |(products, sku, strip)| {
        let products: Vec<Product> =
            products.iter().zip(1..).map(|((code, barcode), id)| product(id, code, barcode)).collect();
        let mut turned = products.clone();
        turned.reverse();
        turned.push(product(99, "nobody's", ""));
        let strip = |rules: &mut SkuRules| rules.strip_prefixes = vec![strip.to_owned()];
        assert_eq!(shelf(&products).sku(strip).end(sku), shelf(&turned).sku(strip).end(sku));
    });
}

#[test]
fn names_and_codes_compare_trimmed_in_one_case_and_one_normal_form() {
    for (a, b) in [(" Nour ", "nour"), ("CAFE\u{301}", "café"), ("ÉCLAIR", "e\u{301}clair"), ("مَتجر", "مَتجر")]
    {
        assert_eq!(Vendor::new(a), Vendor::new(b), "{a} and {b}");
    }
    assert!(Vendor::new(" \u{a0}").is_none());
    law(3_000, "\\PC{0,12}", |text| assert_eq!(fold(&fold(&text)), fold(&text), "{text:?}"));
}

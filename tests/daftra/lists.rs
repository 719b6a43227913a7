//! What forms choose from: only what is in use, by name, and a search that is checked row by row.

use qantara::domain::offer::{Named, Places};
use qantara::sandbox::daftra::{self, PaymentMethod, Store, Tax};

use crate::office::{BUYER, Office, still};

fn named(id: i64, name: &str) -> Named {
    Named { id, name: name.to_owned() }
}

#[test]
fn warehouses_in_use_come_with_the_primary_one_first() {
    let office = Office::with(2, |setup| setup.branches = Vec::new());
    office.account(|account| {
        account.add_store(Store { id: 5, name: "Closed".into(), active: false, ..Store::default() });
        account.add_store(Store { id: 6, name: "Jeddah".into(), primary: true, ..Store::default() });
    });
    let places = office.client.places(&office.door, &still).outcome.unwrap();
    // No branches in this account: its refusal to list them is no failure.
    assert_eq!(places, Places { stores: vec![named(6, "Jeddah"), named(4, "Riyadh")], branches: Vec::new() });
}

#[test]
fn branches_are_listed_where_there_are_some() {
    let office = Office::with(2, |setup| setup.branches = vec![1, 2]);
    let places = office.client.places(&office.door, &still).outcome.unwrap();
    assert_eq!(places.branches, [named(1, "Branch 1"), named(2, "Branch 2")]);
}

#[test]
fn taxes_are_fractions_and_only_those_in_use() {
    let office = Office::new();
    office.account(|account| {
        account.add_tax(Tax { id: 8, name: "Old".into(), active: false, ..Tax::default() });
        let value = "7.5".parse().unwrap();
        account.add_tax(Tax { id: 9, name: "Inside".into(), value, included: true, ..Tax::default() });
    });
    let taxes = office.client.taxes(&office.door, &still).outcome.unwrap();
    let told: Vec<_> = taxes.iter().map(|tax| (tax.id, tax.rate.to_string(), tax.included)).collect();
    assert_eq!(told, [(7, "0.15".to_owned(), false), (9, "0.075".to_owned(), true)]);
}

#[test]
fn ways_of_paying_have_their_words() {
    let office = Office::new();
    office.account(|account| {
        account
            .add_method(PaymentMethod { slug: "cash".into(), label: "نقدًا".into(), ..PaymentMethod::default() });
        let off = PaymentMethod { slug: "off".into(), active: false, ..PaymentMethod::default() };
        account.add_method(off);
    });
    let ways = office.client.ways_of_paying(&office.door, &still).outcome.unwrap();
    assert_eq!(ways.methods.iter().map(|one| (&*one.slug, &*one.label)).collect::<Vec<_>>(), [("cash", "نقدًا")]);
    assert_eq!(ways.treasuries, [named(1, "Main treasury")]);
}

#[test]
fn a_client_is_found_by_a_part_of_a_name_also_where_the_filter_is_ignored() {
    for v2_filters in [true, false] {
        let office = Office::with(100, |setup| setup.v2_filters = v2_filters);
        let person = |first: &str, last: &str| daftra::Client {
            first_name: first.into(),
            last_name: last.into(),
            ..daftra::Client::default()
        };
        office.account(|account| account.add_client(daftra::Client { id: 16, ..person("Online", "Orders") }));
        let look = |text: &str| office.client.clients(&office.door, &still, text).outcome.unwrap();
        assert_eq!(look("oNLine"), [named(16, "Online Orders")], "filters {v2_filters}");
        assert_eq!(look("nobody"), []);
        assert_eq!(look(" "), [named(15, BUYER), named(16, "Online Orders")]);
    }
}

#[test]
fn a_product_is_found_by_a_part_of_its_name_or_code_also_where_the_filter_is_ignored() {
    for v2_filters in [true, false] {
        let office = Office::with(100, |setup| setup.v2_filters = v2_filters);
        let look = |text: &str| office.client.products_like(&office.door, &still, text).outcome.unwrap();
        let all = look("");
        let one = all.first().expect("the account sells something");
        let part: String = one.name.chars().take(4).collect();
        assert!(look(&part.to_uppercase()).contains(one), "filters {v2_filters}");
        assert!(look(one.code.as_str()).contains(one), "filters {v2_filters}");
        assert_eq!(look("nobody has this"), []);
    }
}

#[test]
fn one_client_is_read_by_its_id_or_is_not_there() {
    let office = Office::new();
    let read = |id| office.client.client(&office.door, &still, id).outcome.unwrap();
    assert_eq!(read(15), Some(named(15, BUYER)));
    assert_eq!(read(99), None);
}

#[test]
fn a_key_that_does_not_open_says_so() {
    let mut office = Office::new();
    office.door.key = "another".into();
    // As a refusal or as a page for people, but never as an account without warehouses.
    assert!(office.client.places(&office.door, &still).outcome.is_err());
}

//! The pages of the coverage and of documents of others: what they show, and what their buttons do.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use web_world::World;

const COVERAGE: &str = "/merchants/noon/coverage";
const LIVE: &str = "/merchants/noon/live";

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.add_user("olga", Role::Owner);
    world
}

#[test]
fn the_coverage_counts_by_rule_and_names_what_no_product_is_found_for() {
    let world = world();
    assert!(world.get(COVERAGE, "omar").body.contains("Nobody has looked yet."));
    world.sql(
        "insert into coverage (merchant_id, read_at, whole, counts)
           values (1, 1795165260000, 0, '{\"barcode\":7,\"sku_prefix\":2,\"unknown\":1}');
         insert into variant (merchant_id, remote_id, barcode, sku, title, read_at, outcome)
           values (1, 31, '', '=1+1', '<b>Bowl</b>', 0, 'unknown'), (1, 32, '629', 'B', 'Cup', 0, 'barcode')",
    );
    let page = world.get(COVERAGE, "omar").body;
    assert!(page.contains("Only the variants seen in orders"), "{page}");
    for (what, count) in [("barcode", 7), ("beginning of the SKU", 2), ("no product fits", 1)] {
        assert!(page.contains(&format!("<td>{what}</td><td>{count}</td>")), "{what}: {page}");
    }
    assert!(page.contains("&lt;b&gt;Bowl&lt;/b&gt;") && !page.contains(">Cup<"), "{page}");
    let file = world.get("/merchants/noon/coverage.csv", "omar");
    assert!(file.header("content-disposition").unwrap().contains("qantara-coverage-noon.csv"));
    let lines: Vec<_> = file.body.lines().collect();
    assert_eq!(lines[1..], ["31,\"'=1+1\",,<b>Bowl</b>,unknown"], "what a shop wrote is no formula");
    assert_eq!(world.get(COVERAGE, "vera").status, 403, "it is for whoever maps codes");
}

#[test]
fn documents_of_others_stand_on_the_page_about_going_live_with_their_buttons() {
    let world = world();
    world.sql(
        "insert into namesake (merchant_id, order_id, account_id, remote_id, remote_no, total, state, fault, seen_at) values
           (1, 1, 1, 900, '000900', '12.5 SAR', 'open', '{\"code\":\"total\",\"ours\":\"12.00\",\"daftra\":\"12.5\"}', 0),
           (1, 1, 1, 901, null, '', 'dismissed', null, 0)",
    );
    let page = world.get(LIVE, "olga").body;
    assert!(page.contains("000900") && page.contains("12.5 SAR") && page.contains("dismissed"), "{page}");
    assert!(page.contains("It does not come to what the order does."), "{page}");
    assert!(
        page.contains("/merchants/noon/cut-over/900/adopt") && page.contains("/merchants/noon/cut-over/900/dismiss")
    );
    assert!(
        page.contains("/merchants/noon/cut-over/901/adopt") && !page.contains("/merchants/noon/cut-over/901/dismiss")
    );
    let dismissed = world.press("olga", LIVE, "/merchants/noon/cut-over/900/dismiss", "");
    assert_eq!(dismissed.status, 303, "{}", dismissed.body);
    assert_eq!(world.press("olga", LIVE, "/merchants/noon/cut-over", "").status, 303);
    assert_eq!(world.press("omar", COVERAGE, COVERAGE, "").status, 303);
    let wished: Vec<_> = world.desk.wishes().into_iter().map(|(_, wish)| wish).collect();
    assert_eq!(wished, ["namesake_dismiss", "cut_over_look", "coverage_look"]);
}

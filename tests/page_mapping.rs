//! The page on which somebody says which product a code is.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use serde_json::json;
use web_world::World;

const HERE: &str = "/merchants/noon/mapping";

#[test]
fn a_held_order_leads_to_the_product_and_one_button_maps_it() {
    let world = World::new();
    world.add_order();
    let leads =
        |page: &str, user: &str| world.get(page, user).body.contains("href=\"/merchants/noon/mapping?code=ab-1\"");
    for page in ["/orders/1", "/attention"] {
        assert!(leads(page, "omar") && !leads(page, "vera"), "{page}: who only reads maps nothing");
    }
    let found = world.get(&format!("{HERE}?code=ab-1"), "omar").body;
    assert!(found.contains("&lt;b&gt;Scarf&lt;/b&gt;") && found.contains("It is this one"), "{found}");
    let fields = "code=ab-1&product=7";
    let answer = world.press("omar", &format!("{HERE}?code=ab-1"), HERE, fields);
    assert_eq!(answer.header("location"), Some("/merchants/noon/mapping?said=mapped"));
    assert_eq!(world.desk.last().1, json!({"mapping_set": {"slug": "noon", "code": "ab-1", "product_id": 7}}));
}

#[test]
fn what_is_not_found_or_not_asked_says_so_and_what_is_decided_is_shown() {
    let world = World::new();
    world.add_order();
    world.sql("insert into mapping (merchant_id, code, product_id, note) values (1, 'old-9', 4711, '<i>box</i>')");
    let page = |query: &str| world.get(&format!("{HERE}{query}"), "omar").body;
    assert!(page("?code=x&search=nothing").contains("no active product like that"));
    assert!(page("?code=x&search=silent").contains("could not be asked"));
    let start = page("");
    assert!(start.contains("old-9") && start.contains("4711") && start.contains("&lt;i&gt;box"), "{start}");
    assert!(!start.contains("It is this one"), "nothing was looked for");
}

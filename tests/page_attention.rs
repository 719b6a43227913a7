//! What needs a person: invoices that Daftra refuses to change and documents in doubt, each with its choices, by the
//! clock of its merchant.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use web_world::World;

/// Beside the order of the world (merchant 1, Riyadh) a second merchant in Cairo: one invoice locked, one with payments
/// of others on it, and one of which nobody knows whether Daftra has it.
const STUCK: &str = r##"
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
select 'wadi', 'k2', 'Wadi', 'wadi.myshopify.com', 1, 'Africa/Cairo', 'live', 0, rules, 0 from merchant;
insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at) values
(2, 71, '#71', 'held', 1795165200000, '{"held":[{"code":"locked","reference":"k2-71-order",
  "refusal":{"status":400,"message":"a <closed> period","fields":[]}}]}', 0),
(2, 72, '#72', 'held', 1795165200000, '{"held":[{"code":"locked","reference":"k2-72-order",
  "refusal":{"status":400,"message":"paid","fields":[]},"payments":[31]}]}', 0),
(2, 73, '#73', 'waiting', 1795165200000, '{"waiting":{"code":"looking_again","reference":"k2-73-order"}}', 0);
insert into document (order_id, account_id, kind, source_key, reference, state, since_at, look_at, content, wanted)
select 4, 1, kind, source_key, 'k2-73-order', 'in_doubt', 1795165200000, 1795165500000, content, wanted
from document where id = 1;
"##;

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.sql(STUCK);
    world.add_user("ola", Role::Owner);
    world
}

/// What stands in the part of this id.
fn part(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<section id=\"{id}\">")).unwrap_or_else(|| panic!("no {id}: {page}"));
    rest.split_once("</section>").unwrap().0.to_owned()
}

#[test]
fn a_locked_invoice_says_what_each_choice_does() {
    let world = world();
    let page = world.get("/attention?merchant=wadi", "ola").body;
    let locked = part(&page, "locked");
    let articles: Vec<&str> = locked.split("<article>").skip(1).collect();
    let [free, paid] = articles.as_slice() else { panic!("{locked}") };
    for expected in
        ["#71", "k2-71-order", "a &lt;closed&gt; period", "11:00:00", "Unlock it", "A refund receipt", "by hand"]
    {
        assert!(free.contains(expected), "{expected}: {free}");
    }
    assert!(free.contains("/merchants/wadi/policies"), "the rule is an owner's");
    assert!(
        paid.contains("Take them off") && !paid.contains("A refund receipt"),
        "no new invoice takes its place: {paid}"
    );
    assert!(locked.contains("cause=locked"), "all of them at once");
    assert!(!page.contains("id=\"held\""), "and it does not stand there twice: {page}");
    assert!(
        !part(&world.get("/attention", "omar").body, "locked").contains("/policies"),
        "an operator would be refused"
    );
    let button = world.press("omar", "/attention?merchant=wadi", "/orders/2/retry", "");
    assert_eq!(button.header("location"), Some("/orders/2?said=looks_again"));
    let looks_on = world.get("/attention", "vera").body;
    assert!(part(&looks_on, "locked").contains("#71") && !looks_on.contains("/retry"), "{looks_on}");
}

#[test]
fn a_document_in_doubt_says_what_each_choice_does() {
    let world = world();
    let doubt = part(&world.get("/attention?merchant=wadi", "omar").body, "doubt");
    for expected in ["#73", "k2-73-order", "11:00:00", "11:05:00", "Wait", "Look for it now", "Look yourself"] {
        assert!(doubt.contains(expected), "{expected}: {doubt}");
    }
    let button = world.press("omar", "/attention", "/orders/4/retry", "");
    assert_eq!(button.header("location"), Some("/orders/4?said=looks_again"));
}

#[test]
fn times_are_the_merchants_and_the_zone_is_said() {
    let world = world();
    let both = world.get("/attention", "vera").body;
    assert!(part(&both, "held").contains("12:00:00</time> <bdi class=\"code\" dir=\"ltr\">Asia/Riyadh"), "{both}");
    assert!(part(&both, "doubt").contains("11:00:00</time> <bdi class=\"code\" dir=\"ltr\">Africa/Cairo"), "{both}");
    assert!(!both.contains("UTC"), "{both}");
    world.limit("vera", &[2]);
    let hers = world.get("/attention", "vera").body;
    assert!(hers.contains("Times in") && hers.matches("Africa/Cairo").count() == 1, "once is enough: {hers}");
    world.limit("vera", &[1]);
    assert!(!world.get("/attention", "vera").body.contains("k2-7"), "nothing of others");
}

#[test]
fn orders_are_counted_in_the_form_that_goes_with_the_number() {
    let world = world();
    let badge = |lang: &str, orders: &'static str| {
        world.sql("update orders set state = 'settled', reason = null where merchant_id = 2");
        world.sql(orders);
        let page = world.get("/attention", "vera").body;
        assert!(page.contains(lang), "{lang}: {page}");
    };
    badge(">1 order</span>", "");
    let another = "insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
                   select 1, 900 + (select count(*) from orders), 'x', 'held', 0, reason, 0 from orders where id = 1";
    badge(">2 orders</span>", another);
    world.sql("update user set language = 'ar'");
    badge(">3 طلبات</span>", another);
    world.sql("update orders set state = 'settled', reason = null where id > 5");
    badge(">طلبان</span>", "");
}

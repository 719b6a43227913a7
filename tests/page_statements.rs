//! The pages of the daily statements: what they show, lead to and admit.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use web_world::World;

const DAY: &str = "/merchants/noon/statements/2026-11-20";

fn world() -> World {
    let world = World::new();
    world.add_order();
    world
}

#[test]
fn a_day_leads_to_its_orders_and_says_what_cannot_be_known() {
    let world = world();
    let list = world.get("/statements", "vera").body;
    assert!(list.contains(DAY) && list.contains("Invoiced 1") && list.contains("1002 – 1003"), "{list}");
    let one = world.get(DAY, "vera").body;
    assert!(one.contains("href=\"/orders/1\"") && one.contains("One order was placed on this day."), "{one}");
    assert!(one.contains("cannot be known without access to it"), "{one}");
    assert!(one.contains("1002 – 1003") && one.contains("nobody told of these numbers"), "{one}");
    assert!(one.contains("2026-11-21 04:00:00"), "in the merchant's time: {one}");
    assert!(one.contains("&lt;b&gt;Noon&lt;/b&gt;"), "{one}");

    world.sql("update statement set missing = '[]'; delete from accounted");
    let empty = world.get(DAY, "vera").body;
    assert!(empty.contains("No order of this day is known.") && !empty.contains("nobody told"), "{empty}");
    world.sql("insert into accounted values (1, 77, 'held')");
    assert!(world.get(DAY, "vera").body.contains("not known any more"));
}

#[test]
fn the_file_has_a_line_for_each_order() {
    let world = world();
    world.sql("update orders set name = '=1+1'");
    let answer = world.get(&format!("{DAY}/orders.csv"), "vera");
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(answer.header("content-disposition").unwrap().contains("qantara-noon-2026-11-20.csv"));
    let lines: Vec<_> = answer.body.lines().collect();
    assert_eq!(lines[1], "\"2026-11-20\",\"'=1+1\",\"1\",\"invoiced\",\"Invoiced\"");
}

#[test]
fn lists_are_narrowed_paged_and_limited() {
    let world = world();
    world.sql(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100)
         insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing)
         select 1, date('2026-11-20', '-' || i || ' days'), 0, 9, 9, '[]' from n",
    );
    let first = world.get("/statements?merchant=noon", "vera").body;
    assert_eq!(first.matches("/statements/2026-").count(), 60);
    let (_, rest) = first.split_once("before=").unwrap();
    let older = world.get(&format!("/statements?before={}", &rest[..10]), "vera").body;
    assert_eq!(older.matches("/statements/2026-").count(), 41);
    assert!(!older.contains(&format!("/statements/{}", &rest[..10])), "no day twice");
    for wrong in ["/statements?before=x", "/statements?merchant=nobody", "/merchants/noon/statements/2026-13-01"] {
        assert_eq!(world.get(wrong, "vera").status, 404, "{wrong}");
    }
    assert_eq!(world.get("/merchants/noon/statements/2025-01-01", "vera").status, 404);
    world.add_user("lola", Role::Viewer);
    world.limit("lola", &[]);
    assert!(!world.get("/statements", "lola").body.contains(DAY));
    assert_eq!(world.get(DAY, "lola").status, 404);
}

#[test]
fn in_arabic_it_reads_from_right_to_left() {
    let world = world();
    world.sql("update user set language = 'ar'; insert into examination values (1, '2026-11-21', 0, 9, 0, 0, 14)");
    let list = world.get("/statements", "vera").body;
    assert!(list.contains("dir=\"rtl\"") && list.contains("الكشوف اليومية"), "{list}");
    assert!(list.contains("14 طلبًا"), "{list}");
    assert!(world.get(DAY, "vera").body.contains("ورد طلب واحد"));
}

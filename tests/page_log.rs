//! The page of the sync log: what it finds, how it is paged, counted and saved, and what people see when there is nothing.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use serde_json::Value;
use web_world::{Answer, World};

/// Beside the order of the world (merchant 1, Riyadh) a second merchant in Cairo with one order and its rows.
const SECOND: &str = r##"
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
select 'wadi', 'k2', 'Wadi', 'wadi.myshopify.com', 1, 'Africa/Cairo', 'live', 0, rules, 0 from merchant;
insert into orders (merchant_id, remote_id, name, state, state_at, created_at) values (2, 77, '#2002', 'settled', 0, 0);
insert into order_sku (merchant_id, sku, order_id) values (2, 'wh-7', 2), (1, 'ab-1', 1);
insert into sync_log (at, merchant_id, order_id, status, reason)
values (1795165203000, 2, 2, 'updated', '{"topic":"=HYPERLINK(\"x\")"}');
"##;

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.sql(SECOND);
    world
}

/// The rows of the table, each as its words.
fn rows(page: &Answer) -> Vec<String> {
    let Some((_, body)) = page.body.split_once("<tbody>") else { return Vec::new() };
    let body = body.split_once("</tbody>").unwrap().0;
    body.split("</tr>").map(words).filter(|row| !row.is_empty()).collect()
}

fn words(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                text.push(' ');
            }
            _ if !is_tag => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn link(page: &Answer, rel: &str) -> Option<String> {
    let (before, _) = page.body.split_once(&format!("\" rel=\"{rel}\""))?;
    Some(before.rsplit_once("href=\"")?.1.replace("&amp;", "&"))
}

#[test]
fn words_find_an_order_by_each_of_its_names() {
    let world = world();
    let found = |words: &str| rows(&world.get(&format!("/log?q={words}"), "vera"));
    for words in ["5551234567", "INV-000042", "AB-1", "%20ab-1%20"] {
        let rows = found(words);
        assert_eq!(rows.len(), 2, "{words}: {rows:?}");
        assert!(rows.iter().all(|row| row.contains("#1001")), "{words}: {rows:?}");
    }
    for words in ["%232002", "2002", "77", "wh-7", "%D9%A2%D9%A0%D9%A0%D9%A2"] {
        let rows = found(words);
        assert_eq!(rows.len(), 1, "{words}: {rows:?}");
        assert!(rows[0].contains("#2002"), "{words}: {rows:?}");
    }
    assert!(found("wh").is_empty(), "a SKU is looked for as a whole");
    assert_eq!(rows(&world.get("/log?q=AB-1&status=held", "vera")).len(), 1, "with a status");
    assert!(rows(&world.get("/log?q=AB-1&merchant=wadi", "vera")).is_empty(), "of another merchant");
}

#[test]
fn a_limited_reader_finds_and_counts_only_their_own() {
    let world = world();
    world.add_user("lina", Role::Viewer);
    world.sql(
        "update user set limited = 1 where name = 'lina';
         insert into user_merchant select id, 2 from user where name = 'lina'",
    );
    let page = world.get("/log", "lina");
    assert_eq!(rows(&page).len(), 1);
    assert!(page.body.contains("Africa/Cairo"), "their own merchant's zone");
    assert!(words(&page.body).contains("All 1 "), "{}", words(&page.body));
    for query in ["q=AB-1", "q=INV-000042", "q=5551234567", "q=1"] {
        assert!(rows(&world.get(&format!("/log?{query}"), "lina")).is_empty(), "{query}");
    }
    for path in ["/log?merchant=noon", "/log.csv?merchant=noon", "/log.json?merchant=noon"] {
        assert_eq!(world.get(path, "lina").status, 404, "{path}");
    }
    assert!(!world.get("/log.csv", "lina").body.contains("1001"));
    assert_eq!(world.get("/log.json", "lina").body.matches("\"id\"").count(), 1);
}

#[test]
fn days_are_those_of_the_merchant() {
    let world = World::new();
    world.add_order();
    world.sql(SECOND);
    // Midnight of the twenty-first in Riyadh, and a second before it.
    world.sql(
        "delete from sync_log; delete from happening;
         insert into sync_log (at, merchant_id, order_id, status) values
           (1795208399000, 1, 1, 'held'), (1795208400000, 1, 1, 'success'), (1795294800000, 1, 1, 'updated')",
    );
    let page = |query: &str| world.get(&format!("/log?merchant=noon&{query}"), "vera");
    let found = |query: &str| rows(&page(query));
    assert_eq!(found("from=2026-11-21").len(), 2);
    assert_eq!(found("to=2026-11-20").len(), 1);
    let day = found("from=2026-11-21&to=2026-11-21");
    assert_eq!(day.len(), 1, "{day:?}");
    assert!(day[0].starts_with("2026-11-21 00:00:00") && day[0].contains("Success"), "{day:?}");
    assert_eq!(found("from=2026-11-21&to=2026-11-21&q=5551234567").len(), 1, "with words");
    let counted = words(&page("from=2026-11-21&to=2026-11-21").body);
    assert!(counted.contains("All 1 Success 1 Updated 0"), "{counted}");
    assert_eq!(rows(&world.get("/log?from=2026-11-21", "vera")).len(), 1, "in UTC midnight is later");
    for wrong in ["from=yesterday", "to=2026-13-01", "before=x", "after=x", "status=x", "merchant=x"] {
        assert_eq!(world.get(&format!("/log?{wrong}"), "vera").status, 404, "{wrong}");
    }
}

#[test]
fn pages_lead_to_older_rows_and_back_again() {
    let world = world();
    world.sql(
        "delete from sync_log;
         insert into sync_log (at, merchant_id, status)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 250)
         select i * 1000, 1, 'duplicate' from n",
    );
    let first = world.get("/log?status=duplicate", "vera");
    assert!(link(&first, "prev").is_none() && first.body.contains("data-live-ms"), "the newest page is live");
    assert!(!first.body.contains("<noscript>"), "nobody's typing is thrown away");
    let second = world.get(&link(&first, "next").unwrap(), "vera");
    let third = world.get(&link(&second, "next").unwrap(), "vera");
    assert!(!second.body.contains("data-live-ms"));
    assert_eq!([rows(&first).len(), rows(&second).len(), rows(&third).len()], [100, 100, 50]);
    assert!(link(&third, "next").is_none(), "the end");
    let back = world.get(&link(&third, "prev").unwrap(), "vera");
    assert_eq!(rows(&back), rows(&second), "the same rows on the way back");
    let newest = world.get(&link(&back, "prev").unwrap(), "vera");
    assert_eq!(rows(&newest), rows(&first));
    assert!(newest.body.contains("data-live-ms"), "where it ends it goes on by itself");
}

#[test]
fn nothing_yet_is_not_nothing_that_fits() {
    let world = World::new();
    let page = world.get("/log", "vera").body;
    assert!(page.contains("Nothing has happened yet."), "{page}");
    let page = world.get("/log?q=nobody", "vera").body;
    assert!(page.contains("No row fits this filter.") && page.contains("href=\"/log\">Clear all filters"), "{page}");
    assert!(page.contains("value=\"nobody\""), "what was typed stays");
}

#[test]
fn a_file_has_the_rows_of_the_page_and_no_formula() {
    let world = world();
    let csv = world.get("/log.csv?merchant=wadi", "vera");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"qantara-log-2026-11-20.csv\""));
    let lines: Vec<&str> = csv.body.trim_end().split("\r\n").collect();
    assert_eq!(lines[0], "\u{FEFF}\"Row\",\"Time (Africa/Cairo)\",\"Merchant\",\"Order\",\"Status\",\"What happened\"");
    assert_eq!(
        lines[1..],
        ["\"4\",\"2026-11-20 11:00:03\",\"wadi\",\"#2002\",\"Updated\",\"'=HYPERLINK(\"\"x\"\")\""],
        "{lines:?}"
    );
    for (name, guarded) in [("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), (" =1", "' =1"), ("1-2", "1-2")] {
        let name = name.to_owned();
        world
            .db
            .write(move |tx| {
                let sql = "update orders set name = ?1 where id = 2";
                qantara::db::Context::during(tx.execute(sql, [name]), "prepare a test")
            })
            .unwrap();
        let csv = world.get("/log.csv?q=wh-7", "vera").body;
        assert!(csv.contains(&format!(",\"{guarded}\",")), "{guarded}: {csv}");
    }

    let json = world.get("/log.json?q=AB-1", "vera");
    assert_eq!(json.header("content-type"), Some("application/json"));
    let file: Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(file["rows"].as_array().unwrap().len(), 2);
    assert_eq!(file["rows"][0]["status"], "held");
    assert_eq!(file["rows"][1]["facts"]["document"]["number"], "INV-000042");
    assert_eq!((file["next"].clone(), json.header("link")), (Value::Null, None));
}

#[test]
fn a_file_that_is_full_says_where_the_rest_is() {
    let world = world();
    world.sql(
        "delete from sync_log;
         insert into sync_log (at, merchant_id, status)
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 10007)
         select i * 1000, 1, 'duplicate' from n",
    );
    let first = world.get("/log.json?status=duplicate", "vera");
    let file: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(file["rows"].as_array().unwrap().len(), 10_000);
    let next = file["next"].as_str().unwrap();
    assert_eq!(first.header("link"), Some(&*format!("<{next}>; rel=\"next\"")));
    let rest: Value = serde_json::from_str(&world.get(next, "vera").body).unwrap();
    assert_eq!((rest["rows"].as_array().unwrap().len(), &rest["next"]), (7, &Value::Null));
}

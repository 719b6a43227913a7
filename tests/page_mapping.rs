//! The page on which somebody says which product a code is, one by one or with a file.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use serde_json::json;
use web_world::{Answer, PASSWORD, World, basic};

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

const FILE: &str = "/merchants/noon/mapping.csv";

/// Sends a file as a browser does.
fn upload(world: &World, user: &str, file: &[u8]) -> Answer {
    let token = world.form_token(user, FILE);
    let part = |name: &str, more: &str| format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n");
    let mut body = part("token", "").into_bytes();
    body.extend(format!("\r\n{token}\r\n").into_bytes());
    body.extend(part("file", "; filename=\"a; name=b.csv\"").into_bytes());
    body.extend(b"Content-Type: text/csv\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--XyZ--\r\n");
    let headers = [
        ("Authorization", &*basic(user, PASSWORD)),
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "multipart/form-data; boundary=XyZ"),
    ];
    let mut stream = world.connect();
    web_world::send_bytes(&mut stream, &format!("POST {FILE}"), &headers, &body);
    web_world::read(&mut stream)
}

#[test]
fn a_file_is_taken_in_whole_or_names_the_row_and_the_column() {
    let world = World::new();
    world.add_order();
    for (file, wrong) in [
        (
            "code,product\nab-1,7,x,y\n",
            "Row 2: Three columns are wanted: code, product and note. So many are there: 4.",
        ),
        ("code,product,note\nab-1,7,\n ,8,\n", "Row 3, column code: The code is missing."),
        (
            "ab-1,seven\n",
            "Row 1, column product: Daftra's number of the product is wanted, for example 4711. It says: \u{2068}seven\u{2069}",
        ),
        ("ab-1,-7\n", "Row 1, column product"),
        ("ab-1,7\n\nAB-1 ,8\n", "Row 3, column code: This code stands in an earlier row too."),
        ("code,product\nab-1,7\n\"ab-2,8\n", "Row 3: A cell begins with a quote"),
        ("6.28123E+12,7\n", "Row 1, column code: \u{2068}6.28123E+12\u{2069} is what a spreadsheet left"),
        ("\ncode;product\n1,5E+5;7\n", "Row 3, column code: \u{2068}1,5E+5\u{2069} is what"),
        ("code,product,note\n", "There is no row with a code"),
        ("", "There is no row with a code"),
        (&"\n".repeat(100_001), "at most this many rows: 100000"),
    ] {
        let answer = upload(&world, "omar", file.as_bytes());
        let said = answer.body.replace("&#39;", "'");
        assert!(answer.status == 422 && said.contains(wrong) && said.contains("Nothing was changed"), "{file}: {said}");
    }
    // As a spreadsheet of Windows saves Arabic.
    assert!(upload(&world, "omar", b"ab-1,7,\xe3\xe4\xca\xcc\n").body.contains("CSV UTF-8"));
    assert!(world.desk.wishes().is_empty(), "nothing was wished for");

    let answer = upload(
        &world,
        "omar",
        "\u{feff}sep=;\r\n\r\ncode;product;note\r\nAB-1;7;\"a; \"\"box\"\"\"\r\n;;\r\nعطر;8;\r\n".as_bytes(),
    );
    assert_eq!(answer.status, 303, "{}", answer.body);
    let rows =
        json!([{"code": "AB-1", "product_id": 7, "note": "a; \"box\""}, {"code": "عطر", "product_id": 8, "note": ""}]);
    assert_eq!(world.desk.last().1, json!({"mapping_import": {"slug": "noon", "rows": rows}}));
}

#[test]
fn what_is_saved_is_taken_in_unchanged() {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into mapping (merchant_id, code, product_id, note)
         values (1, 'a,\"b', 1, 'one; two'), (1, '=1+1', 2, '@x'), (1, '''-5', 4, '''s'), (1, 'عطر', 3, 'x
y')",
    );
    let saved = world.get(FILE, "omar");
    assert!(saved.header("content-disposition").unwrap().contains("qantara-mapping-noon.csv"));
    assert!(saved.body.starts_with("\u{feff}code,product,note\n"), "{}", saved.body);
    for cell in ["=1+1", "@x", "'-5"] {
        assert!(saved.body.contains(&format!("\"'{cell}\"")), "a spreadsheet runs {cell}: {}", saved.body);
    }
    assert_eq!(upload(&world, "omar", saved.body.as_bytes()).status, 303);
    let rows = &world.desk.last().1["mapping_import"]["rows"];
    let expected = json!([{"code": "'-5", "product_id": 4, "note": "'s"}, {"code": "=1+1", "product_id": 2, "note": "@x"},
                          {"code": "a,\"b", "product_id": 1, "note": "one; two"},
                          {"code": "عطر", "product_id": 3, "note": "x\ny"}]);
    assert_eq!(*rows, expected);
}

#[test]
fn the_page_shows_what_orders_wait_for_and_what_is_decided() {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into mapping (merchant_id, code, product_id) values (1, 'old-9', 9), (1, 'old-8', 8);
         insert into product (merchant_id, remote_id, code, name, kind, active, tracked, seen_at)
         values (1, 9, 'p9', '<b>Lamp</b>', 1, 1, 1, 0);
         insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at)
         select 1, 2, '#1002', 'held', 0, reason, 0 from orders;",
    );
    let page = world.get(HERE, "omar").body;
    let waiting = page.split("Orders that wait for a product").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(waiting.contains("ab-1") && waiting.contains(">2 orders<") && waiting.contains("#1002"), "{waiting}");
    assert!(!waiting.contains("totals"), "other causes are not this page's: {waiting}");
    let known = page.split("Codes mapped by hand").nth(1).unwrap();
    assert!(known.contains("&lt;b&gt;Lamp") && known.contains("mapping?code=old-9#choose"), "{known}");
}

#[test]
fn what_a_file_did_is_counted_on_the_page_after_it() {
    let world = World::new();
    world.add_order();
    let told = |query: &str| world.get(&format!("{HERE}?{query}"), "omar").body;
    let page = told("rows=2&changed=1&orders=3&said=file_taken");
    assert!(page.contains("Codes in the file: 2 · New or changed: 1 · Orders looked at again: 3"), "{page}");
    for query in ["rows=2&changed=1", "rows=2&changed=1&orders=<b>", ""] {
        assert!(!told(query).contains("in the file:"), "{query}");
    }
}

#[test]
fn a_file_may_have_as_many_codes_as_a_large_shop() {
    let world = World::new();
    world.add_order();
    let rows: String = (0..60_000).map(|at| format!("code-{at},7,\"from the old system, as it was\"\n")).collect();
    assert!(rows.len() > 2 << 20, "more than any form that is typed");
    assert_eq!(upload(&world, "omar", rows.as_bytes()).status, 303);
    assert_eq!(world.desk.last().1["mapping_import"]["rows"].as_array().unwrap().len(), 60_000);
}

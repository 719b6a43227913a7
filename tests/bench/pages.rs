//! How long the pages take when the books are full: a million orders, three million rows of the log.
//!
//! Two real orders, one booked and one held, are multiplied in the database; then the executable serves it, and each page
//! is asked for one after the other. `QANTARA_ORDERS=50000 cargo bench --bench pages` for a smaller one. It prints; nothing
//! fails because of a time.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set its stage ends")]
#![expect(clippy::disallowed_methods, reason = "it measures real time, and fills the database by hand")]

#[path = "../process/mod.rs"]
mod process;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use process::{DOMAIN, House, WEBHOOK_SECRET, until};
use qantara::domain::reason::{Failed, Ignored, Reason};
use qantara::web::route::ROUTES;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::Sha256;

const PASSWORD: &str = "correct horse battery";
const TIMES: usize = 200;
/// A guest is an operator who sees two of the merchants.
const LIMITED: &str = "
update user set limited = 1 where name = 'guest';
insert into user_merchant select u.id, m.id from user u, merchant m where u.name = 'guest' and m.id in (3, 4);
";

/// What a page should stay under, 99 times of 100.
const LIMIT: Duration = Duration::from_millis(100);

/// One order of each fate becomes as many as wanted: twenty merchants, four hundred days, of a hundred two held, one
/// ignored; of a thousand two given up, one in shadow. A few hundred documents are in doubt, locked or gone.
/// Snapshots and bodies are there for the newest tenth, as retention leaves them.
const MANY: &str = "
pragma journal_mode = wal; pragma synchronous = off; pragma cache_size = -400000; pragma temp_store = memory;
begin;
create temp table n as with recursive n(i) as (select 1 union all select i + 1 from n where i < :orders) select i from n;
create temp table day as select max(state_at) as last, 400 * 86400000 / :orders as apart from orders;
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
  select slug || i, key || i, name || ' ' || i, i || shop_domain, account_id, time_zone, mode, live_from, rules, created_at
  from merchant, n where i <= 19;
insert into vendor (shop_domain, name, merchant_id) select shop_domain, '*', id from merchant where id > 1;
insert into orders (id, merchant_id, remote_id, name, state, state_at, reason, snapshot, version_at, trace, placed_at, created_at)
  select i + 10, 1 + i % 20, o.remote_id + i, '#' || (5000 + i), o.state, last - (:orders - i) * apart, o.reason,
    iif(i * 10 > :orders * 9 or o.state <> 'settled', o.snapshot, null), o.version_at, o.trace,
    last - (:orders - i) * apart - 5000, last - (:orders - i) * apart - 4000
  from n, day cross join orders o where o.id = iif(i % 50, 1, 2);
update orders set state = 'ignored', reason = ':ignored' where id > 10 and id % 100 = 33;
update orders set state = 'failed', reason = ':failed' where id > 10 and id % 500 = 77;
update orders set state = 'shadow' where id > 10 and id % 1000 = 88;
insert into document (order_id, account_id, kind, source_key, reference, state, since_at, content, wanted, written,
    remote_id, remote_no, total_minor, currency, stock, verified_at)
  select o.id, account_id, kind, source_key, 'k' || o.id, d.state, o.state_at, content, wanted, written,
    d.remote_id + o.id, printf('%06d', o.id), total_minor, d.currency, stock, o.state_at
  from orders o cross join document d where o.id > 10 and d.order_id = 1 and o.state = 'settled';
update document set state = 'in_doubt', remote_id = null, remote_no = null, written = null, look_at = since_at
  where order_id > 10 and order_id % 10000 = 91;
update document set state = 'gone' where order_id > 10 and order_id % 10000 = 92;
update document set state = 'locked', refusal = json_object('status', 400, 'message', '', 'fields', json('[]'))
  where order_id > 10 and order_id % 10000 = 93;
insert into delivery (merchant_id, event_key, topic, order_id, received_at, body)
  select o.merchant_id, 'event-' || o.id || topic, topic, o.id, o.created_at, iif(o.snapshot is null, null, d.body)
  from orders o cross join (
    select body, 'orders/create' as topic from delivery where id = 1 union all
    select body, 'orders/updated' from delivery where id = 1) d
  where o.id > 10;
insert into attempt (order_id, account_id, document_id, action, started_at, ended_at, outcome, status)
  select d.order_id, account_id, d.id, 'create', since_at - 900, since_at - 400, 'accepted', 202 from document d where order_id > 10;
create temp table told as select
  (select reason from sync_log where order_id = 1 and status = 'success') as booked,
  (select reason from sync_log where order_id = 2 and status = 'held') as held;
insert into sync_log (at, merchant_id, order_id, document_id, status, reason)
  select o.state_at, o.merchant_id, o.id, (select id from document where order_id = o.id),
    iif(o.state = 'settled', iif(o.id % 7, status, 'updated'), 'held'), iif(o.state = 'settled', booked, held)
  from orders o cross join (select 'success' as status union all select 'updated' union all select 'duplicate') cross join told
  where o.id > 10 order by o.id;
insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing)
  select merchant_id, date(created_at / 1000, 'unixepoch'), min(created_at), max(created_at) + 1, max(created_at), '[]'
  from orders where id > 10 group by 1, 2;
insert into accounted (statement_id, order_id, class)
  select s.id, o.id, 'invoiced' from orders o
  join statement s on s.merchant_id = o.merchant_id and s.day = date(o.created_at / 1000, 'unixepoch') where o.id > 10;
insert into order_sku select merchant_id, 'wh-' || (id % 5000), id from orders where id > 10;
insert into mapping (merchant_id, code, product_id) select 1 + i % 20, 'code-' || i, 1 + i % 5000 from n where i <= 200000;
insert into product (merchant_id, remote_id, code, barcode, name, kind, active, tracked, seen_at)
  select 1 + i % 20, 10 + i, 'code-' || i, '', 'Product ' || i, 1, 1, 1, 0 from n where i <= 100000;
insert into rejection (merchant_id, hour, reason, count, last_at, shop)
  select 1 + i % 20, last / 3600000 - i / 20, iif(i % 3, 'other_secret', 'no_signature'), 7, last - i / 20 * 3600000, ''
  from n, day where i <= 20 * 24 * 30;
insert into user (name, password, role, created_at) select 'user' || i, 'none', 'viewer', 0 from n where i <= 200;
insert into token (user_id, name, hash, role, created_at, expires_at)
  select 1, 't' || i, cast('t' || i as blob), 'viewer', 0, 0 from n where i <= 200;
insert into alert (cause, subject, merchant_id, opened_at, seen_at)
  select 'trouble', 'account ' || i, 1 + i % 20, last - i * 60000, last from n, day where i <= 200;
insert into audit (at, action, facts, previous, hash)
  select last - i, 'order.retry', json_object('order', i + 10), x'00', cast('h' || i as blob) from n, day where i <= 20000;
commit;
analyze;
";

fn main() {
    let orders: u32 = std::env::var("QANTARA_ORDERS").map_or(1_000_000, |text| text.parse().unwrap());
    let house = House::new();
    let began = Instant::now();
    fill(&house, orders);
    let bytes = house.path("data/qantara.db").metadata().unwrap().len();
    println!("{orders} orders, {} MiB, filled in {:.0?}", bytes >> 20, began.elapsed());

    for (name, role) in [("owner", "owner"), ("guest", "operator")] {
        let add = ["user", "add", name, "--role", role, "--password-file", "-"];
        house.qantara(&add).write_stdin(PASSWORD).assert().success();
    }
    Connection::open(house.path("data/qantara.db")).unwrap().execute_batch(LIMITED).unwrap();
    let server = house.start(&["serve"]);
    let address = format!("http://{}", server.text("listening"));
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    println!("{:>9} {:>9} {:>9}  who   page", "median", "p99", "longest");
    let paths = paths(orders);
    for route in ROUTES.iter().filter(|route| route.method == "GET" && route.role.is_some()) {
        let is_asked = paths.iter().any(|(_, path)| is_of(route.path, path));
        assert!(is_asked || route.path.starts_with("/static/"), "nobody asks for {}", route.path);
    }
    for (who, path) in paths {
        let token = format!("Basic {}", BASE64_STANDARD.encode(format!("{who}:{PASSWORD}")));
        let mut took: Vec<Duration> = (0..=TIMES)
            .map(|_| {
                let began = Instant::now();
                let mut answer = agent.get(format!("{address}{path}")).header("Authorization", &token).call().unwrap();
                answer.body_mut().read_to_vec().unwrap();
                began.elapsed()
            })
            .skip(1)
            .collect();
        took.sort_unstable();
        let (median, p99, longest) = (took[TIMES / 2], took[TIMES * 99 / 100], took[TIMES - 1]);
        let verdict = if p99 < LIMIT { "" } else { "  TOO SLOW" };
        println!("{:>9} {:>9} {:>9}  {who} {path}{verdict}", ms(median), ms(p99), ms(longest));
    }
    let began = Instant::now();
    let released = house.ask(&["hold", "release", "unknown_product"]);
    println!("{} held orders looked at again by one button: {:.1?}", released["orders"], began.elapsed());
    assert!(server.stop().0.success());
}

/// Whether an address is one of a route's.
fn is_of(route: &str, address: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    let fits = |(place, word): (&str, &str)| place == word || (place.starts_with('{') && !word.is_empty());
    route.split('/').count() == path.split('/').count() && route.split('/').zip(path.split('/')).all(fits)
}

fn ms(time: Duration) -> String {
    format!("{}.{:02} ms", time.as_millis(), time.as_micros() % 1000 / 10)
}

/// Every page and list there is, with the filters that people use, at both ends of the books: for the owner, and for the
/// guest where somebody limited may look.
fn paths(orders: u32) -> Vec<(&'static str, String)> {
    let (newest, oldest) = (orders + 9, 61);
    let mut paths: Vec<String> = [
        "/",
        "/attention",
        "/attention?merchant=wadi-home3",
        "/attention/again?cause=unknown_product&about=nobody-knows",
        "/attention/again?merchant=wadi-home3&cause=unknown_product",
        "/attention/again",
        "/log",
        "/log?status=held",
        "/log?status=duplicate",
        "/log?status=shadow",
        "/log?merchant=wadi-home3",
        "/log?merchant=wadi-home3&status=held",
        "/log?from=2026-03-01&to=2026-03-02",
        "/log?q=wh-77",
        "/log?q=%235077",
        "/log?q=000077",
        "/log?q=nothing-like-it",
        "/log?before=1000",
        "/log.csv?merchant=wadi-home3&from=2026-11-01",
        "/log.json?status=held&from=2026-11-01",
        "/deliveries",
        "/deliveries?merchant=wadi-home3",
        "/deliveries?topic=orders/create",
        "/deliveries?before=1000",
        "/deliveries/1/body",
        "/merchants",
        "/merchants/new",
        "/merchants/wadi-home3",
        "/merchants/wadi-home3/mapping",
        "/merchants/wadi-home3/mapping.csv",
        "/merchants/wadi-home3/shop",
        "/merchants/wadi-home3/webhooks",
        "/merchants/wadi-home3/api",
        "/merchants/wadi-home3/daftra",
        "/merchants/wadi-home3/codes",
        "/merchants/wadi-home3/policies",
        "/merchants/wadi-home3/payments",
        "/merchants/wadi-home3/mails",
        "/merchants/wadi-home3/words/created/ar",
        "/merchants/wadi-home3/words/created/ar/preview",
        "/merchants/wadi-home3/vendors",
        "/merchants/wadi-home3/taxes",
        "/merchants/wadi-home3/live",
        "/users",
        "/users/1",
        "/audit",
        "/alerts",
        "/statements",
        "/statements?merchant=wadi-home3&before=2026-06-01",
        "/merchants/wadi-home3/coverage",
        "/merchants/wadi-home3/coverage.csv",
        "/merchants/wadi-home3/statements/2026-06-01",
        "/merchants/wadi-home3/statements/2026-06-01/orders.csv",
        "/alerts?before=100",
        "/privacy",
        "/server",
        "/metrics",
        "/me",
        "/api/v1/openapi.json",
        "/api/v1/merchants",
        "/api/v1/merchants/wadi-home3",
        "/api/v1/merchants/wadi-home3/mapping?limit=200",
        "/api/v1/orders",
        "/api/v1/orders?state=held",
        "/api/v1/orders?state=failed&merchant=wadi-home3&limit=200",
        "/api/v1/orders?q=5077",
        "/api/v1/log",
        "/api/v1/holds",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.extend(
        [newest, oldest].iter().flat_map(|order| [format!("/orders/{order}"), format!("/api/v1/orders/{order}")]),
    );
    let of_guest =
        |path: &&String| GUEST.iter().any(|start| path.starts_with(start)) || ["/", "/me"].contains(&path.as_str());
    let guest: Vec<_> = paths.iter().filter(of_guest).cloned().map(|path| ("guest", path)).collect();
    paths.into_iter().map(|path| ("owner", path)).chain(guest).collect()
}

/// Below these a guest may look.
const GUEST: &[&str] = &[
    "/attention",
    "/log",
    "/deliveries?",
    "/merchants/wadi-home3/mapping",
    "/api/v1/orders?",
    "/api/v1/log",
    "/api/v1/holds",
];

fn fill(house: &House, orders: u32) {
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let file = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.qantara(&["merchant", "add", &file.display().to_string()]).assert().success();
    let server = house.start(&["serve"]);
    for (number, sku) in [(1, "WH-2040"), (2, "nobody-knows")] {
        deliver(server.text("listening"), &order(number, sku));
    }
    until("one is booked and one is held", || {
        let orders = house.ask(&["order", "list"]);
        let states = [0, 1].map(|at| orders[at]["state"].as_str().unwrap_or_default().to_owned());
        states.contains(&"settled".to_owned()) && states.contains(&"held".to_owned())
    });
    assert!(server.stop().0.success());
    let db = Connection::open(house.path("data/qantara.db")).unwrap();
    let is_settled: bool =
        db.query_row("select state = 'settled' from orders where id = 1", [], |row| row.get(0)).unwrap();
    assert!(is_settled, "the first order is the one that is multiplied most");
    let word = |reason: &Reason| serde_json::to_string(reason).unwrap();
    let many = MANY
        .replace(":orders", &orders.to_string())
        .replace(":ignored", &word(&Reason::Ignored(Ignored::TestOrder)))
        .replace(":failed", &word(&Reason::Failed(Failed::NoEnd)));
    db.execute_batch(&many).unwrap();
    drop(sandbox);
}

fn deliver(listening: &str, order: &Value) {
    let body = order.to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let url = format!("http://{listening}/webhook/wadi-home");
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let answer = agent
        .post(url)
        .header("X-Shopify-Topic", "orders/create")
        .header("X-Shopify-Shop-Domain", DOMAIN)
        .header("X-Shopify-Webhook-Id", order["name"].as_str().unwrap())
        .header("X-Shopify-Hmac-Sha256", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
        .send(body.as_bytes())
        .unwrap();
    assert_eq!(answer.status(), 200);
}

fn order(number: i64, sku: &str) -> Value {
    let at = "2026-11-20T10:00:00+03:00";
    json!({
        "id": 5_379_000_000_000_i64 + number, "name": format!("#{}", 1000 + number), "order_number": 1000 + number,
        "created_at": at, "updated_at": at, "processed_at": at, "currency": "SAR", "taxes_included": true,
        "financial_status": "paid", "total_price": "349.00", "total_tax": "45.52", "refunds": [], "shipping_lines": [],
        "line_items": [{
            "id": number, "variant_id": 11, "sku": sku, "vendor": "Wadi Home", "name": "Table lamp", "quantity": 1,
            "current_quantity": 1, "price": "349.00", "discount_allocations": [],
            "tax_lines": [{ "title": "VAT", "rate": 0.15, "price": "45.52" }],
        }],
    })
}

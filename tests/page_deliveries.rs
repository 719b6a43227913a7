//! The page of the deliveries: what came in, what became of it, what was turned away and why.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use qantara::db::user::Role;
use web_world::World;

/// Beside the order of the world (merchant 1) a second merchant, deliveries of every fate, and some that were turned away.
const MORE: &str = r##"
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
select 'wadi', 'k2', 'Wadi', 'wadi.myshopify.com', 1, 'Africa/Cairo', 'live', 0, rules, 0 from merchant;
insert into orders (merchant_id, remote_id, name, state, state_at, created_at) values (2, 77, '#2002', 'settled', 0, 0);
insert into delivery (merchant_id, event_key, topic, order_id, received_at, body, fate) values
  (2, 'a', 'orders/create', 2, 1795165203000, x'00', 'order'), (2, 'b', 'orders/create', null, 1795165204000, x'00', 'sample'),
  (2, 'c', 'refunds/create', null, 1795165205000, null, 'unreadable'), (2, 'd', 'shop/<redact>', null, 1795165206000, null, 'other');
insert into rejection values
  (1, 1795165200000 / 3600000, 'other_secret', 3, 1795165200000, 'noon.myshopify.com'),
  (2, 1795165200000 / 3600000, 'no_signature', 2, 1795165200000, ''),
  (0, 1795165200000 / 3600000, 'unknown_address', 400, 1795165200000, '');
"##;

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.sql(MORE);
    world.add_user("olga", Role::Owner);
    world.add_user("lina", Role::Viewer);
    world.limit("lina", &[2]);
    world
}

/// The topics of the rows, from the newest.
fn topics(body: &str) -> Vec<String> {
    let rows = body.split("<tbody>").nth(1).map_or("", |rows| rows.split("</tbody>").next().unwrap());
    let topic = |row: &str| {
        row.split("class=\"code\" dir=\"ltr\">").nth(1).map(|rest| rest.split('<').next().unwrap().to_owned())
    };
    rows.split("</tr>").filter_map(topic).collect()
}

#[test]
fn each_filter_shows_what_it_says() {
    let world = world();
    let of = |query: &str| topics(&world.get(&format!("/deliveries{query}"), "vera").body);
    assert_eq!(of(""), ["shop/&lt;redact&gt;", "refunds/create", "orders/create", "orders/create", "orders/create"]);
    assert_eq!(of("?merchant=noon"), ["orders/create"]);
    assert_eq!(of("?topic=orders/create").len(), 3);
    assert_eq!(of("?topic=orders/create&fate=order").len(), 2);
    assert_eq!(of("?topic=orders/create&fate=sample&merchant=wadi").len(), 1);
    assert_eq!(of("?fate=unreadable"), ["refunds/create"]);
    assert_eq!(of("?fate=other&topic=orders/create"), [""; 0]);
    assert_eq!(of("?before=3").len(), 2);
    for nonsense in ["?fate=lost", "?before=x", "?merchant=nobody"] {
        assert_eq!(world.get(&format!("/deliveries{nonsense}"), "vera").status, 404, "{nonsense}");
    }
    let page = world.get("/deliveries?fate=sample&topic=none", "vera").body;
    assert!(page.contains("No delivery fits") && page.contains("value=\"none\" selected"), "{page}");
}

#[test]
fn each_row_leads_to_its_order_and_an_owner_to_its_body() {
    let world = world();
    let (vera, olga) = (world.get("/deliveries", "vera").body, world.get("/deliveries", "olga").body);
    assert!(vera.contains("href=\"/orders/2\"") && vera.contains("came again × 3"), "{vera}");
    assert!(vera.contains("href=\"/deliveries\"") && !vera.contains("/body\""));
    assert!(
        olga.contains("href=\"/deliveries/2/body\"") && !olga.contains("href=\"/deliveries/4/body\""),
        "one is gone"
    );
}

#[test]
fn pages_follow_each_other_without_gaps() {
    let world = world();
    world.sql(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 250)
         insert into delivery (merchant_id, event_key, topic, received_at) select 1 + i % 2, 'k' || i, 'n/' || i, i from n",
    );
    let (mut address, mut seen) = ("/deliveries".to_owned(), Vec::new());
    loop {
        let page = world.get(&address, "vera").body;
        seen.extend(topics(&page));
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        address = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
    }
    let made: Vec<&String> = seen.iter().filter(|topic| topic.starts_with("n/")).collect();
    assert_eq!((seen.len(), made.len()), (255, 250));
    assert!(made.windows(2).all(|pair| pair[0][2..].parse::<u32>().unwrap() > pair[1][2..].parse().unwrap()));
}

#[test]
fn what_was_turned_away_says_why_and_what_to_do() {
    let world = world();
    let page = world.get("/deliveries", "olga").body;
    assert!(page.contains("signed with another secret") && page.contains("Settings → Notifications"), "{page}");
    assert!(page.contains("Other deliveries of this merchant proved themselves"), "noon had one that did");
    assert!(page.contains("For no merchant") && page.contains("400 in seven days"));
    assert!(page.contains("href=\"/merchants/noon/shop#secret\""));
    assert!(!world.get("/deliveries", "vera").body.contains("/shop#secret"), "who only reads gives no secret");
    let limited = world.get("/deliveries", "lina").body;
    assert!(
        limited.contains("no signature") && !limited.contains("another secret") && !limited.contains("For no merchant")
    );
    assert!(!limited.contains("Noon") && !limited.contains("orders/1"), "{limited}");
    world.advance(8 * 86_400);
    assert!(world.get("/deliveries", "vera").body.contains("Nothing was turned away"));
}

#[test]
fn the_overview_tells_of_what_rises_and_leads_there() {
    let world = world();
    let page = world.get("/", "vera").body;
    let problem = |text: &str| {
        page.split("<li class=\"banner warn\">").any(|li| li.contains(text) && li.contains("href=\"/deliveries\""))
    };
    assert!(problem("Noon") && problem("No merchant"), "{page}");
    assert!(!page.contains("2 deliveries were turned away"), "two without a signature are noise: {page}");
    assert!(!world.get("/", "lina").body.contains("turned away"), "what comes to nobody or to others is not theirs");
}

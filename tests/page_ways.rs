//! No page shows a way to what its reader may not: every link is there, and every button is of a role the reader has.
//! Pages are found as people find them, so a new one is walked without being named here.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::collections::{BTreeMap, BTreeSet};

use hyper::Method;
use qantara::db::user::Role;
use qantara::web::route::ROUTES;
use web_world::World;

/// A second merchant that is closed, an order of every kind that has buttons, and somebody limited.
const MORE: &str = r##"
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, rules, created_at)
select 'souq', 'k2', 'Souq', 'souq.myshopify.com', 1, 'Africa/Cairo', 'closed', rules, 0 from merchant;
insert into orders (merchant_id, remote_id, name, state, state_at, reason, created_at) values
(1, 81, '#81', 'failed', 0, '{"failed":{"code":"no_end"}}', 0),
(1, 82, '#82', 'ignored', 0, '{"ignored":{"code":"tag","tag":"vip"}}', 0),
(1, 83, '#83', 'held', 0, '{"held":[{"code":"locked","reference":"k1-83-order",
  "refusal":{"status":400,"message":"closed","fields":[]}}]}', 0),
(2, 84, '#84', 'settled', 0, null, 0);
insert into sync_log (at, merchant_id, order_id, status) select 1795165200000, merchant_id, id, 'held' from orders;
update document set state = 'gone' where id = 1;
update delivery set body = x'00';
"##;

fn world() -> World {
    let world = World::new();
    world.add_order();
    world.sql(MORE);
    world.add_user("ola", Role::Owner);
    world.add_user("lina", Role::Operator);
    world.limit("lina", &[1]);
    world
}

/// The smallest role that may press a button which sends to this address.
fn role_of(action: &str) -> Option<Role> {
    let fits = |pattern: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), action.split('/').collect());
        wanted.len() == given.len()
            && wanted.iter().zip(given).all(|(one, other)| one.starts_with('{') || *one == other)
    };
    // A word of its own comes before an open place, as in the table.
    ROUTES.iter().find(|route| route.method == Method::POST && fits(route.path)).and_then(|route| route.role)
}

fn quoted<'a>(page: &'a str, attribute: &str) -> Vec<String> {
    let values: Vec<&'a str> = page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    values.into_iter().map(|value| value.replace("&amp;", "&")).collect()
}

#[test]
fn no_page_shows_a_way_to_what_its_reader_may_not() {
    let world = world();
    let mut pressed: BTreeMap<&str, usize> = BTreeMap::new();
    for (user, role) in
        [("vera", Role::Viewer), ("omar", Role::Operator), ("lina", Role::Operator), ("ola", Role::Owner)]
    {
        let (mut seen, mut open) = (BTreeSet::from(["/".to_owned()]), vec!["/".to_owned()]);
        while let Some(path) = open.pop() {
            let page = world.get(&path, user);
            assert_eq!(page.status, 200, "{path}, which a page shows to {user}");
            for action in quoted(&page.body, "<form method=\"post\" action=\"") {
                let needed = role_of(&action).unwrap_or_else(|| panic!("{path}: nothing is at {action}"));
                assert!(role >= needed, "{path}: {user} would be refused at {action}");
                *pressed.entry(user).or_default() += 1;
            }
            let ways = quoted(&page.body, " href=\"").into_iter().filter(|way| way.starts_with('/'));
            for way in ways.map(|way| way.split('#').next().unwrap().to_owned()) {
                if seen.insert(way.clone()) {
                    open.push(way);
                }
            }
        }
        assert!(seen.len() > 15, "{user} got no further than {seen:?}");
        assert_eq!(seen.iter().any(|path| path.contains("souq")), user != "lina", "{user}: {seen:?}");
    }
    assert!(
        pressed["vera"] < pressed["lina"] && pressed["lina"] <= pressed["omar"] && pressed["omar"] < pressed["ola"]
    );
}

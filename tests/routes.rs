//! Every address of the table is attacked: nobody gets in without a name, beyond a role, beyond a scope, from another site
//! or without the form's own token, and no answer can be framed, led astray or made to run somebody's script. A new address
//! is attacked by being in the table.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use hyper::Method;
use qantara::db::user::Role;
use qantara::web::route::{ROUTES, Route};
use web_world::{Answer, PASSWORD, World, basic};

/// Owner, operator and viewer see all; lina is an operator of the second merchant only, to whom nothing of the first one
/// belongs.
fn town() -> World {
    let world = World::new();
    world.add_order();
    world.sql(
        "insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
         select 'souq', 'k2', 'Souq', 'souq.myshopify.com', 1, time_zone, 'shadow', 0, rules, 0 from merchant where id = 1",
    );
    world.add_user("olga", Role::Owner);
    world.add_user("lina", Role::Operator);
    world.limit("lina", &[2]);
    // Vera's, and the first.
    world.add_token("vera", Role::Viewer, None, 7);
    world
}

/// The address with everything filled in that exists, all of it the first merchant's.
fn address(route: &Route) -> String {
    let places = ["{order}", "{document}", "{delivery}", "{user}", "{token}"];
    let path = places.into_iter().fold(route.path.to_owned(), |path, place| path.replace(place, "1"));
    path.replace("{merchant}", "noon").replace("{slug}", "noon")
}

/// Those behind the sign-in, but for style and script, whose names change.
fn pages() -> impl Iterator<Item = (&'static Route, Role)> {
    ROUTES.iter().filter(|route| !route.path.starts_with("/static/")).filter_map(|route| Some((route, route.role?)))
}

fn is_api(route: &Route) -> bool {
    route.path.starts_with("/api/")
}

fn who(role: Role) -> &'static str {
    match role {
        Role::Viewer => "vera",
        Role::Operator => "omar",
        Role::Owner => "olga",
    }
}

/// As a browser sends a form from our own page.
fn from_our_page(user: &str) -> Vec<(&'static str, String)> {
    vec![("Authorization", basic(user, PASSWORD)), ("Sec-Fetch-Site", "same-origin".to_owned())]
}

/// As whoever this address is for comes by: with a form of ours, or with a token as large as its user.
fn properly(world: &World, route: &Route, user: &str) -> (Vec<(&'static str, String)>, String) {
    if is_api(route) {
        let token = world.add_token(user, Role::Owner, None, 7);
        let headers = vec![("Authorization", token), ("Content-Type", "application/json".to_owned())];
        let is_change = route.method == Method::POST;
        return (headers, if is_change { "{\"items\":[]}".to_owned() } else { String::new() });
    }
    (from_our_page(user), token(world, user, &address(route)))
}

fn ask(world: &World, route: &Route, headers: &[(&'static str, String)], body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.send(&format!("{} {}", route.method, address(route)), &headers, body)
}

fn token(world: &World, user: &str, action: &str) -> String {
    format!("token={}", world.form_token(user, action))
}

#[test]
fn nobody_gets_in_without_a_name_or_beyond_a_role() {
    let world = town();
    for (route, role) in pages() {
        let line = format!("{} {}", route.method, route.path);
        assert_eq!(ask(&world, route, &[], "").status, 401, "{line}");
        for smaller in Role::ALL.into_iter().filter(|other| *other < role) {
            let user = who(smaller);
            let (headers, body) = properly(&world, route, user);
            assert_eq!(ask(&world, route, &headers, &body).status, 403, "{line} as {user}");
        }
        let user = who(role);
        let (headers, body) = properly(&world, route, user);
        let fields = if is_api(route) { "" } else { "&merchant=noon&role=viewer&name=vera&days=30" };
        let allowed = ask(&world, route, &headers, &(body + fields)).status;
        assert!(![401, 403, 404, 405, 500].contains(&allowed), "{line} as {user}: {allowed}");
    }
}

#[test]
fn a_form_of_another_site_another_page_or_another_person_is_not_taken() {
    let world = town();
    for (route, role) in pages().filter(|(route, _)| route.method == Method::POST) {
        let (user, path) = (who(role), address(route));
        if is_api(route) {
            // What a browser sends by itself changes nothing here, wherever it was sent from.
            for body in ["", "{\"items\":[]}", &token(&world, user, &path)] {
                assert_eq!(ask(&world, route, &from_our_page(user), body).status, 403, "{path} with a password");
            }
            continue;
        }
        let right = token(&world, user, &path);
        let mut forged = vec![("Authorization", basic(user, PASSWORD))];
        assert_eq!(ask(&world, route, &forged, &right).status, 403, "{path}: a browser that says nothing");
        for site in ["cross-site", "same-site", "none"] {
            forged.truncate(1);
            forged.push(("Sec-Fetch-Site", site.to_owned()));
            assert_eq!(ask(&world, route, &forged, &right).status, 403, "{path} from {site}");
        }
        let stranger = if user == "olga" { "omar" } else { "olga" };
        for wrong in
            [String::new(), "token=".to_owned(), token(&world, user, "/elsewhere"), token(&world, stranger, &path)]
        {
            assert_eq!(ask(&world, route, &from_our_page(user), &wrong).status, 403, "{path} with {wrong:?}");
        }
    }
    assert!(world.desk.wishes().is_empty(), "nothing was wished for");
}

#[test]
fn what_is_out_of_scope_is_not_there() {
    let world = town();
    let about_one = |route: &&(&Route, Role)| {
        ["{order}", "{document}", "{delivery}", "{merchant}", "{token}"]
            .iter()
            .any(|place| route.0.path.contains(place))
    };
    let (mut met, pages) = (0, pages().collect::<Vec<_>>());
    for (route, _) in pages.iter().filter(|(_, role)| *role < Role::Owner).filter(about_one) {
        let (headers, body) = properly(&world, route, "lina");
        let answer = ask(&world, route, &headers, &body);
        assert_eq!(answer.status, 404, "{} {}", route.method, route.path);
        met += 1;
    }
    assert!(met >= 2, "an order's page and its button at least");
    assert!(world.desk.wishes().is_empty(), "nothing was wished for");
    for (route, _) in pages.iter().filter(|(route, _)| route.method == Method::GET) {
        let (headers, _) = properly(&world, route, "lina");
        let body = ask(&world, route, &headers, "").body;
        for strange in ["#1001", "Noon", "noon.myshopify", "5551234567"] {
            assert!(!body.contains(strange), "{} tells of {strange}: {body}", route.path);
        }
    }
}

#[test]
fn no_answer_can_be_framed_led_astray_or_made_to_run_a_script() {
    let world = town();
    for (route, role) in pages() {
        let (user, path) = (who(role), address(route));
        let body =
            token(&world, user, &path) + "&merchant=//evil.example&next=//evil.example&back=https://evil.example";
        let answer = ask(
            &world,
            route,
            &if is_api(route) { properly(&world, route, user).0 } else { from_our_page(user) },
            &body,
        );
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        if let Some(location) = answer.header("location") {
            assert!(location.starts_with('/') && !location.starts_with("//"), "{path} leads to {location}");
            assert!(!location.contains("evil"), "{path} leads to {location}");
        }
        // The names of the order, its lines and its merchant are full of these; a file is no page.
        if !answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            continue;
        }
        let page = answer.body.replace("<script src=\"/static/", "");
        for markup in ["<script", "<b>", "<i>", "<u>", "<s>", "<em>", "<event>", " onerror", "javascript:"] {
            assert!(!page.contains(markup), "{path} has {markup}: {page}");
        }
    }
}

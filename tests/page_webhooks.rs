//! The webhook address that people copy: from the configuration, else from the address bar, never from nonsense.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod web_world;

use std::io::Write as _;

use qantara::config::Config;
use qantara::db::user::Role;
use web_world::{PASSWORD, World, basic, read};

const HERE: &str = "/merchants/noon/webhooks";

/// The page as a browser gets it that calls us so.
fn page(settings: impl FnOnce(&mut Config), host: &str, more: &str) -> String {
    let world = World::with(settings, Box::new(|_, _, _| qantara::web::Received::NotAuthentic));
    world.add_order();
    world.add_user("olga", Role::Owner);
    let mut stream = world.connect();
    let login = basic("olga", PASSWORD);
    write!(stream, "GET {HERE} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {login}\r\n{more}\r\n").unwrap();
    let answer = read(&mut stream);
    assert_eq!(answer.status, 200, "{}", answer.head);
    answer.body
}

fn shows(page: &str, address: &str) -> bool {
    page.contains(&format!("value=\"{address}/webhook/noon\""))
}

#[test]
fn without_a_setting_the_address_bar_tells_and_the_page_says_so() {
    for (host, shown) in [
        ("Bridge.example", "http://bridge.example"),
        ("bridge.example:8443", "http://bridge.example:8443"),
        ("192.168.1.7:3000", "http://192.168.1.7:3000"),
        ("[::1]:80", "http://[::1]:80"),
        ("localhost", "http://localhost"),
    ] {
        let page = page(|_| {}, host, "");
        assert!(shows(&page, shown) && page.contains("address bar"), "{host}: {page}");
    }
}

#[test]
fn what_is_no_host_is_not_shown() {
    for host in
        ["a b", "evil\"><b>", "x:0", "x:99999", "x:+1", "user@x", "-x", "a..b", "[::1", "[x]", "x/y", &"a".repeat(64)]
    {
        let page = page(|_| {}, host, "");
        assert!(shows(&page, "") && page.contains("only the end of it is shown"), "{host}: {page}");
    }
}

#[test]
fn a_setting_goes_first_and_a_trusted_proxy_tells_of_https() {
    let set = |config: &mut Config| config.http.public_address = Some("https://bridge.example".into());
    let configured = page(set, "other.example", "");
    assert!(shows(&configured, "https://bridge.example") && !configured.contains("address bar"), "{configured}");
    let trust = |config: &mut Config| config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    assert!(shows(&page(trust, "a.example", "X-Forwarded-Proto: https\r\n"), "https://a.example"));
    assert!(shows(&page(|_| {}, "a.example", "X-Forwarded-Proto: https\r\n"), "http://a.example"), "a stranger's word");
    // Read as for everything else: of a chain the nearest proxy's word counts, and left of it stands what anybody wrote.
    for (said, scheme) in [
        ("X-Forwarded-Proto: http, https\r\nX-Forwarded-For: 192.0.2.1, 127.0.0.9\r\n", "https"),
        ("X-Forwarded-Proto: https, http\r\n", "http"),
        ("X-Forwarded-Proto: http\r\nX-Forwarded-Proto: HTTPS\r\n", "https"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", "http"),
        ("", "http"),
    ] {
        assert!(shows(&page(trust, "a.example", said), &format!("{scheme}://a.example")), "{said}");
    }
    let of_another = |config: &mut Config| config.http.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let said = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 10.0.0.1\r\n";
    assert!(shows(&page(of_another, "a.example", said), "http://a.example"), "not the proxy we trust");
}

//! The configuration from outside: what an operator writes, and what they are told.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::{fs, path::Path};

use qantara::config::{self, Config, Origin, keys::LogFormat, network::Network};

#[test]
fn without_a_file_everything_is_default() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.daftra.settling_ms, 90_000);
    assert_eq!(config.http.certificate_file, None);
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(config.explain().iter().all(|(_, _, origin)| *origin == Origin::Default));
    let (key_file, no_env) = (Config::default().vault.key_file, std::iter::empty());
    assert_eq!(config::load(None, no_env).unwrap().vault.key_file, key_file);
}

#[test]
fn the_example_names_every_key_with_its_default_and_a_sentence() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    let example = config::load(Some(&path), std::iter::empty()).unwrap().explain();
    let defaults = Config::default().explain();
    assert_eq!(keys_and_values(&example), keys_and_values(&defaults));
    let not_named: Vec<_> = example.iter().filter(|(_, _, origin)| *origin != Origin::File).collect();
    assert!(not_named.is_empty(), "missing in config.example.toml: {not_named:?}");

    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair[1].contains(" = ")) {
        assert!(pair[0].starts_with("# ") && pair[0].ends_with('.'), "no sentence above: {}", pair[1]);
    }
}

#[test]
fn the_environment_wins_over_the_file_and_explain_says_so() {
    let file = "[http]\nlisten = '127.0.0.1:1'\nmax_connections = 7\n[daftra]\npace_ms = 0\n";
    let config = load(
        file,
        &[
            ("QANTARA__HTTP__LISTEN", "127.0.0.1:2"),
            ("QANTARA__HTTP__ALLOW_PLAIN_HTTP", "true"),
            ("QANTARA__HTTP__TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.5"),
            ("QANTARA__HTTP__CERTIFICATE_FILE", "/a.pem"),
            ("QANTARA__HTTP__CERTIFICATE_KEY_FILE", "/b.pem"),
            ("QANTARA_FIXTURES", "somewhere"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.http.listen.port(), 2);
    assert!(config.http.allow_plain_http);
    assert_eq!(config.http.certificate_file.as_deref(), Some(Path::new("/a.pem")));
    assert!(config.http.trusted_proxies[0].contains([10, 1, 2, 3].into()));

    let explained = |key: &str| {
        let (_, value, origin) = config.explain().into_iter().find(|(name, _, _)| name == key).unwrap();
        (value, origin)
    };
    let variable = Origin::Environment("QANTARA__HTTP__LISTEN".into());
    assert_eq!(explained("http.listen"), ("\"127.0.0.1:2\"".into(), variable));
    assert_eq!(explained("http.max_connections"), ("7".into(), Origin::File));
    assert_eq!(explained("http.trusted_proxies").0, r#"["10.0.0.0/8", "192.168.1.5/32"]"#);
    assert_eq!(explained("engine.workers"), ("16".into(), Origin::Default));
}

#[test]
fn a_systemd_credential_wins_over_the_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let env = [("CREDENTIALS_DIRECTORY", directory), ("QANTARA__VAULT__KEY_FILE", "/elsewhere")];
    assert_eq!(load("", &env).unwrap().vault.key_file, Path::new("/elsewhere"), "there is no such credential yet");
    fs::write(folder.path().join("qantara.key"), "").unwrap();
    assert_eq!(load("", &env).unwrap().vault.key_file, folder.path().join("qantara.key"));
}

#[test]
fn a_complaint_names_key_value_origin_and_remedy() {
    let cases = [
        ("[http]\nlisten = '0.0.0.0'", r#"http.listen is "0.0.0.0" (file): write an address with a port"#),
        ("[http]\nlistne = 'hunter2'", "There is no key http.listne (file): use one of allow_plain_http, "),
        ("[htpp]", "There is no key htpp (file): use one of acme, alerts, backup, "),
        ("htpp = 1", "There is no key htpp (file)"),
        ("http = 1", "There is no key http (file)"),
        ("[daftra]\ncall_timeout_ms = '30s'", r#"daftra.call_timeout_ms is "30s" (file): write whole milliseconds"#),
        ("[backup]\nevery_ms = 59999", "backup.every_ms is 59999 (file): write a number from 60000 to 2678400000"),
        ("[backup]\nkeep = 0", "backup.keep is 0 (file): write a number from 1 to 10000"),
        ("[daftra]\ncall_timeout_ms = 1", "daftra.call_timeout_ms is 1 (file): write a number from 50 to 300000"),
        ("[daftra]\nlook_ups = 1", "daftra.look_ups is 1 (file): write a number from 2 to 10"),
        ("[daftra]\ncall_timeout_ms = 60000", "daftra.settling_ms is 90000 (default): write a number from 120000 to "),
        ("[engine]\nretry_first_ms = 9\nretry_longest_ms = 8", "write a number from 9 to "),
        ("[engine]\nheartbeat_ms = 60001", "engine.heartbeat_ms is 60001 (file): write a number from 10 to 60000"),
        ("[engine]\nheartbeat_gap_ms = 119999", "engine.heartbeat_gap_ms is 119999 (file): write a number from 120000"),
        (
            "[http]\nmax_body_bytes = 67108864\nbodies_in_memory_bytes = 67108863",
            "is 67108863 (file): write a number from 67108864 to ",
        ),
        ("[http]\ncertificate_file = 'a'", r#"http.certificate_key_file is "" (default): name the certificate's key"#),
        ("[http]\npublic_address = 'https://a/b'", "http.public_address is https://a/b (file): write scheme and host"),
        ("[http]\ntrusted_proxies = ['10.0.0.1/8']", "'10.0.0.1/8' starts inside the network: write 10.0.0.0/8"),
        ("[outgoing]\nallow = ['everything']", "outgoing.allow is [\"everything\"] (file): 'everything' is no network"),
        ("[log]\nformat = 'xml'", r#"log.format is "xml" (file): write "text" or "json""#),
        ("[log]\nfilter = 'debugg'", "log.filter is debugg (file): write a level"),
        ("[log]\nfilter = 'info,qantara=loud'", "log.filter is info,qantara=loud (file): write a level"),
        ("[http]\n\nlisten = \n", "line 3 is not valid TOML"),
    ];
    for (file, expected) in cases {
        let complaint = load(file, &[]).unwrap_err().to_string();
        assert!(complaint.contains(expected), "{file:?} is answered: {complaint}");
        assert!(!complaint.contains("hunter2"), "the value of an unknown key may be a secret: {complaint}");
    }

    let complaint = |name, value| load("", &[(name, value)]).unwrap_err().to_string();
    let bad_number = complaint("QANTARA__ENGINE__WORKERS", "many");
    assert!(
        bad_number.starts_with(r#"engine.workers is "many" (environment QANTARA__ENGINE__WORKERS): "#),
        "{bad_number}"
    );
    let bad_name = complaint("QANTARA__HTTP", "x");
    assert!(bad_name.contains("no key http (environment QANTARA__HTTP)"), "{bad_name}");
    let bad_file = config::load(Some(Path::new("/nowhere/config.toml")), std::iter::empty()).unwrap_err().to_string();
    assert!(bad_file.contains("/nowhere/config.toml cannot be read"), "{bad_file}");
}

#[test]
fn plain_http_beyond_loopback_must_be_meant() {
    let public = "[http]\nlisten = '0.0.0.0:80'\n";
    let complaint = load(public, &[]).unwrap_err().to_string();
    assert!(complaint.contains("http.listen is 0.0.0.0:80") && complaint.contains("plain HTTP"), "{complaint}");
    for excuse in [
        "allow_plain_http = true",
        "trusted_proxies = ['10.0.0.1']",
        "[acme]\ndomains = ['orders.example.com']\nagree_to_terms = true",
        "certificate_file = 'a.pem'\ncertificate_key_file = 'b.pem'",
        "listen = '[::1]:80'",
        "listen = '[::ffff:127.0.0.1]:80'",
    ] {
        let file = if excuse.starts_with("listen") { format!("[http]\n{excuse}") } else { format!("{public}{excuse}") };
        load(&file, &[]).unwrap_or_else(|error| panic!("{excuse}: {error}"));
    }
}

#[test]
fn a_certificate_is_asked_for_only_as_it_can_be_got() {
    let on = |more: &str| format!("[acme]\nagree_to_terms = true\ndomains = ['orders.example.com']\n{more}");
    let acme = load(&on("contact = 'owner@example.com'\n"), &[]).unwrap().acme;
    assert_eq!((acme.is_on(), acme.listen.to_string()), (true, "0.0.0.0:80".to_owned()));
    assert!(acme.directory.starts_with("https://acme-v02."), "{}", acme.directory);
    assert!(!load("[acme]\ncontact = 'owner@example.com'", &[]).unwrap().acme.is_on());

    let named = |name: &str| format!("[acme]\nagree_to_terms = true\ndomains = ['fine.example.com', '{name}']\n");
    let files = "[http]\ncertificate_file = 'a'\ncertificate_key_file = 'b'\n";
    let cases = [
        ("[acme]\ndomains = ['a.test']".to_owned(), "acme.agree_to_terms is false (default): read the terms"),
        (on(files), "acme.domains is orders.example.com (file): http.certificate_file is set, too: keep one"),
        (on("[http]\npublic_address = 'http://a.test'\n"), "http.public_address is http://a.test (file): acme.domains"),
        (on("contact = 'owner'\n"), "acme.contact is owner (file): write one mail address"),
        (on("contact = 'mailto:a@b.test'\n"), "acme.contact is mailto:a@b.test (file)"),
        (on("directory = 'http://a.test/dir'\n"), "acme.directory is http://a.test/dir (file): write the https://"),
        (on("directory = 'https://u@a.test/dir'\n"), "acme.directory is "),
        (on("directory = 'https:///dir'\n"), "acme.directory is "),
        (on("listen = '80'\n"), r#"acme.listen is "80" (file): write an address with a port, for example 0.0.0.0:80"#),
        (on("domain = []\n"), "There is no key acme.domain (file): use one of agree_to_terms, contact, "),
    ];
    let refused = |file: &str| load(file, &[]).unwrap_err().to_string();
    for (file, expected) in cases {
        let complaint = refused(&file);
        assert!(complaint.contains(expected), "{file:?} is answered: {complaint}");
    }
    let long = "a".repeat(64) + ".test";
    for name in
        ["*.a.test", "https://a.test", "a.test:443", "A.test", "متجر.test", "a..test", "-a.test", "1.2.3.4", "", &long]
    {
        let complaint = refused(&named(name));
        assert!(complaint.contains(&format!("acme.domains is {name} (file): write names only")), "{complaint}");
    }
    for name in ["localhost", "xn--mgbb9fbpob.test", "1-2.a3.test"] {
        load(&named(name), &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn the_public_address_is_known_without_being_written_down() {
    let origin = |file: &str, port: u16| load(file, &[]).unwrap().public_origin(([127, 0, 0, 1], port).into());
    let acme = "[acme]\nagree_to_terms = true\ndomains = ['a.test', 'b.test']\n";
    assert_eq!(origin("", 8080), "http://127.0.0.1:8080");
    assert_eq!(origin("[http]\ncertificate_file = 'a'\ncertificate_key_file = 'b'\n", 8443), "https://127.0.0.1:8443");
    assert_eq!(
        (origin(acme, 443), origin(acme, 8443)),
        ("https://a.test".to_owned(), "https://a.test:8443".to_owned())
    );
    assert_eq!(origin(&format!("{acme}[http]\npublic_address = 'https://c.test'\n"), 8443), "https://c.test");
}

#[test]
fn a_network_contains_its_addresses_in_either_spelling() {
    let contains =
        |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
    assert!(contains("10.0.0.0/8", "10.255.255.255"));
    assert!(!contains("10.0.0.0/8", "11.0.0.0"));
    assert!(contains("10.0.0.0/8", "::ffff:10.1.1.1"));
    assert!(contains("192.168.1.5", "192.168.1.5") && !contains("192.168.1.5", "192.168.1.4"));
    assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "2606:4700::1"));
    assert!(contains("::/0", "2606:4700::1") && !contains("::/0", "8.8.8.8"));
    assert!(contains("fd00::/8", "fdff::1") && !contains("fd00::/8", "fe80::1"));
    for malformed in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/", "::/129", "fd00::1/8"] {
        assert!(malformed.parse::<Network>().is_err(), "{malformed:?} was accepted");
    }
}

fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, config::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, file).unwrap();
    config::load(Some(&path), env.iter().map(|(name, value)| (name.to_string(), value.to_string())))
}

fn keys_and_values(explained: &[(String, String, Origin)]) -> Vec<(&str, &str)> {
    explained.iter().map(|(key, value, _)| (key.as_str(), value.as_str())).collect()
}

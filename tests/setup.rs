//! Setting a server up, and asking whether everything is well: `init`, `doctor`, `install`, `completions`, as a person does.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod process;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use assert_cmd::Command;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use process::{DAFTRA_KEY, House};
use qantara::clock::Clock;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tempfile::TempDir;

const QANTARA: &str = env!("CARGO_BIN_EXE_qantara");

/// An empty folder in which `init` may put everything.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn qantara(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(QANTARA);
        command.env_clear().env("QANTARA_CONFIG", self.path("etc/config.toml")).args(arguments);
        command
    }

    fn init(&self, more: &[&str]) -> Command {
        let (data, key) = (self.path("var/data"), self.path("etc/qantara.key"));
        let mut command = self.qantara(&["init", "--data-folder", &data, "--key-file", &key]);
        command.args(more).write_stdin("");
        command
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }
}

fn out(command: &mut Command, code: i32) -> String {
    String::from_utf8(command.assert().code(code).get_output().stdout.clone()).unwrap()
}

fn err(command: &mut Command, code: i32) -> String {
    String::from_utf8(command.assert().code(code).get_output().stderr.clone()).unwrap()
}

const TRIAL: [&str; 6] = ["--https", "none", "--public-address", "http://localhost:8080", "--listen", "127.0.0.1:0"];

#[test]
fn init_makes_what_a_server_needs_and_the_owner_signs_in() {
    let site = Site::new();
    let made: Value = serde_json::from_str(&out(site.init(&TRIAL).arg("--json"), 0)).unwrap();
    assert_eq!(made["owner"], "owner");
    assert_eq!(
        (site.mode("var/data"), site.mode("etc/qantara.key"), site.mode("etc/config.toml")),
        (0o700, 0o600, 0o644)
    );

    let (config, key) =
        (fs::read(site.path("etc/config.toml")).unwrap(), fs::read(site.path("etc/qantara.key")).unwrap());
    let again = out(&mut site.init(&["--https", "none", "--public-address", "http://other:1"]), 0);
    assert!(again.contains("it stays as it is") && again.contains("There is an owner already"), "{again}");
    assert_eq!(config, fs::read(site.path("etc/config.toml")).unwrap());
    assert_eq!(key, fs::read(site.path("etc/qantara.key")).unwrap());

    let house = House::inside(site.0);
    let server = house.start_with(&house.path("etc/config.toml"), &["serve"]);
    let password = made["password"].as_str().unwrap();
    let signed_in = |password: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let token = BASE64_STANDARD.encode(format!("owner:{password}"));
        let url = format!("http://{}/", server.text("listening"));
        agent.get(url).header("Authorization", &format!("Basic {token}")).call().unwrap().status()
    };
    assert_eq!((signed_in(password).as_u16(), signed_in("another one").as_u16()), (200, 401));
}

#[test]
fn init_says_which_answer_is_missing_or_wrong() {
    let missing = err(&mut Site::new().init(&[]), 1);
    assert!(missing.contains("--public-address is missing"), "{missing}");
    let missing = err(&mut Site::new().init(&["--public-address", "https://a.example"]), 1);
    assert!(missing.contains("--https is missing"), "{missing}");
    let site = Site::new();
    let plain = err(&mut site.init(&["--public-address", "http://a.example", "--https", "acme"]), 1);
    assert!(plain.contains("write https:// and the host"), "{plain}");
    let terms = err(&mut site.init(&["--public-address", "https://a.example", "--https", "acme"]), 1);
    assert!(terms.contains("--agree-to-terms is missing"), "{terms}");
    let files = err(&mut site.init(&["--public-address", "https://a.example", "--https", "files"]), 1);
    assert!(files.contains("--certificate-file"), "{files}");
    assert!(!Path::new(&site.path("etc")).exists(), "nothing was made");
    for wrong in ["https://orders.example.com/path", "https://192.0.2.7", "https://orders example.com"] {
        let refused = ["--public-address", wrong, "--https", "acme", "--agree-to-terms"];
        let said = err(&mut site.init(&refused), 2);
        assert!(said.contains("http.public_address") || said.contains("acme.domains"), "{wrong}: {said}");
        assert!(
            !Path::new(&site.path("etc/config.toml")).exists(),
            "{wrong} was written, and the next try would keep it"
        );
    }
}

#[test]
fn what_init_writes_is_a_configuration_for_each_way_of_https() {
    let ways: [&[&str]; 3] = [
        &["--https", "acme", "--agree-to-terms", "--contact", "it@example.com"],
        &["--certificate-file", "/etc/ssl/chain.pem", "--certificate-key-file", "/etc/ssl/key.pem"],
        &["--https", "proxy", "--trusted-proxy", "10.0.0.0/8"],
    ];
    for (way, words) in ways.into_iter().zip(["ufw allow 80/tcp", "open TCP 443", "First merchant"]) {
        let site = Site::new();
        let said = out(site.init(&["--public-address", "https://orders.example.com/"]).args(way), 0);
        assert!(said.contains(words) && said.contains("https://orders.example.com/merchants/new"), "{said}");
        let shown: Value = serde_json::from_str(&out(&mut site.qantara(&["config", "show", "--json"]), 0)).unwrap();
        let set: Vec<&Value> = shown.as_array().unwrap().iter().filter(|line| line["origin"] == "file").collect();
        assert!(set.iter().any(|line| line["key"] == "http.public_address"), "{set:?}");
    }
}

/// The rows of `doctor --json` by check, and its exit code.
fn doctor(house: &House, code: i32, more: &[&str]) -> Vec<Value> {
    let output = house.qantara(&["doctor", "--json"]).args(more).assert().code(code).get_output().stdout.clone();
    let told: Value = serde_json::from_slice(&output).unwrap();
    told["checks"].as_array().unwrap().clone()
}

#[track_caller]
fn row<'a>(rows: &'a [Value], check: &str) -> &'a Value {
    rows.iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{check} is not in {rows:?}"))
}

#[test]
fn doctor_finds_a_good_house_good_and_each_fault_with_what_to_do() {
    let house = House::new();
    fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let file = house.merchant(sandbox.text("daftra"), "mode = 'live'");
    house.qantara(&["merchant", "add", &file.display().to_string()]).assert().success();

    let rows = doctor(&house, 0, &[]);
    for check in ["configuration", "data folder", "disk space", "master key", "database", "daftra"] {
        assert_eq!(row(&rows, check)["state"], "good", "{rows:?}");
    }
    assert_eq!(row(&rows, "server")["state"], "warning");
    assert_eq!(
        (&row(&rows, "daftra")["of"], row(&rows, "public address")["state"].as_str()),
        (&json!("wadi-home"), Some("warning"))
    );
    let words = house.words(&["doctor"]);
    assert!(words.contains("good  daftra wadi-home: ") && words.contains("-> Set http.public_address"), "{words}");

    fs::set_permissions(house.path("data"), Permissions::from_mode(0o755)).unwrap();
    let rows = doctor(&house, 3, &["--offline"]);
    assert!(row(&rows, "data folder")["next"].as_str().unwrap().starts_with("chmod 700 "), "{rows:?}");
    assert!(rows.iter().all(|row| row["check"] != "daftra"), "offline asks nobody");
    fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(house.path("data/qantara.db"), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(row(&doctor(&house, 3, &["--offline"]), "data folder")["state"], "bad");
    fs::set_permissions(house.path("data/qantara.db"), Permissions::from_mode(0o600)).unwrap();

    let mut rules = fs::read_to_string(&file).unwrap();
    rules = rules.replace("store_id = 1", "store_id = 77").replace("daftra_id = 1", "daftra_id = 78");
    let file = house.write("merchant.toml", &rules);
    house.qantara(&["merchant", "set", &file.display().to_string()]).assert().success();
    let found = row(&doctor(&house, 3, &[]), "daftra")["found"].as_str().unwrap().to_owned();
    assert!(found.contains("warehouse 77 is not there") && found.contains("tax 78 is not there"), "{found}");

    drop(sandbox);
    let rows = doctor(&house, 3, &[]);
    assert!(row(&rows, "daftra")["found"].as_str().unwrap().contains("not reached"), "{rows:?}");

    fs::rename(house.path("qantara.key"), house.path("kept.key")).unwrap();
    house.write("qantara.key", &"0".repeat(64));
    let rows = doctor(&house, 3, &["--offline"]);
    assert!(row(&rows, "master key")["found"].as_str().unwrap().contains("does not open the database"), "{rows:?}");
}

#[test]
fn doctor_asks_the_public_address_as_the_world_does() {
    let house = House::new();
    fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
    let server = house.start(&["serve"]);
    let port = server.text("listening").rsplit_once(':').unwrap().1.to_owned();
    let ask = |origin: &str, code| {
        let told = house
            .qantara(&["doctor", "--json"])
            .env("QANTARA__HTTP__PUBLIC_ADDRESS", origin)
            .assert()
            .code(code)
            .get_output()
            .stdout
            .clone();
        serde_json::from_slice::<Value>(&told).unwrap()["checks"].as_array().unwrap().clone()
    };
    let rows = ask(&format!("http://localhost:{port}"), 0);
    assert_eq!(row(&rows, "public address")["state"], "good", "{rows:?}");
    assert!(row(&rows, "server")["found"].as_str().unwrap().contains(&format!("process {}", server.pid())), "{rows:?}");
    assert_eq!(row(&rows, "DNS")["state"], "warning", "Shopify does not reach a loopback address");

    let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let rows = ask(
        &format!("http://localhost:{}", sandbox.text("daftra").split(':').nth(2).unwrap().split('/').next().unwrap()),
        3,
    );
    assert!(row(&rows, "public address")["found"].as_str().unwrap().contains("not this server"), "{rows:?}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rows = ask(&format!("https://localhost:{}", nobody.port()), 3);
    assert_eq!(row(&rows, "public address")["state"], "bad", "{rows:?}");
}

#[test]
fn doctor_counts_the_days_of_the_certificate() {
    let house = House::new();
    fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
    house.configure("http", "public_address = 'https://orders.example.com'");
    for (key, file) in [("certificate_file", "chain.pem"), ("certificate_key_file", "key.pem")] {
        house.configure("http", &format!("{key} = '{}'", house.path(file).display()));
    }
    house.write("qantara.key", &"0".repeat(64));
    let examine = |from: i32, to: i32, code| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["orders.example.com".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        house.write("chain.pem", &params.self_signed(&key).unwrap().pem());
        house.write("key.pem", &key.serialize_pem());
        row(&doctor(&house, code, &["--offline"]), "certificate").clone()
    };
    let ask = |origin: &str| {
        let mut ask = house.qantara(&["doctor", "--json", "--offline"]);
        let told = ask.env("QANTARA__HTTP__PUBLIC_ADDRESS", origin).assert().get_output().stdout.clone();
        let told: Value = serde_json::from_slice(&told).unwrap();
        row(told["checks"].as_array().unwrap(), "certificate").clone()
    };
    let good = examine(2025, 9000, 0);
    for (origin, state) in [
        ("https://Orders.example.com:8443", "good"),
        ("https://example.com", "bad"),
        ("https://a.orders.example.com", "bad"),
    ] {
        assert_eq!(ask(origin)["state"], state, "{origin}");
    }
    assert!(ask("https://example.com")["found"].as_str().unwrap().ends_with("it is not for example.com"));
    assert_eq!(good["state"], "good");
    let found = good["found"].as_str().unwrap();
    assert!(found.contains("orders.example.com") && found.contains(" days left"), "{found}");
    // Two years at most of the sixty and more since 1970.
    let in_two_years = i32::from(Clock::real().now().to_zoned(jiff::tz::TimeZone::UTC).year()) + 2;
    let near = examine(1970, in_two_years, 0);
    assert_eq!(near["state"], "warning", "{near}");
    assert!(near["next"].as_str().unwrap().contains("http.certificate_file"), "{near}");
    let over = examine(2020, 2025, 3);
    assert_eq!(over["state"], "bad", "{over}");
    assert!(over["found"].as_str().unwrap().ends_with("it is over"), "{over}");

    house.write("key.pem", "no key");
    let unfit = row(&doctor(&house, 3, &["--offline"]), "certificate").clone();
    assert_eq!(unfit["state"], "bad", "{unfit}");
}

#[test]
fn doctor_says_what_is_wrong_with_an_account_and_what_to_do() {
    let unknown_ways =
        "[payments]\nrecord = true\n[[payments.gateway]]\nshopify = 'mada'\nmethod = 'pigeon'\ntreasury_id = 99\n";
    for (wish, key, rules, found, next) in [
        ("expired=true", DAFTRA_KEY, "", "a page for people answers instead", "its subscription runs"),
        ("decimals=1", DAFTRA_KEY, "", "it keeps 1 decimals, and SAR has 2", "Put it right in Daftra"),
        ("decimals=2", "another", "", "does not accept the key", "Type the API key anew"),
        ("decimals=2", DAFTRA_KEY, unknown_ways, "the way of paying \"pigeon\" (for mada)", "choose anew"),
        ("decimals=2", DAFTRA_KEY, unknown_ways, "treasury 99 (for mada)", "/merchants/wadi-home"),
    ] {
        let house = House::new();
        fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
        let sandbox = house.start(&["sandbox", "--listen", "127.0.0.1:0", "--set", wish]);
        house.write("daftra-key", key);
        let file = house.merchant(sandbox.text("daftra"), "mode = 'live'");
        house.write("merchant.toml", &(fs::read_to_string(&file).unwrap() + rules));
        house.qantara(&["merchant", "add", &file.display().to_string()]).assert().success();
        let row = row(&doctor(&house, 3, &[]), "daftra").clone();
        assert!(row["found"].as_str().unwrap().contains(found), "{wish} {key}: {row}");
        assert!(row["next"].as_str().unwrap().contains(next), "{wish} {key}: {row}");
    }
}

#[test]
fn doctor_looks_at_the_clock_the_disk_and_the_ports() {
    let house = House::new();
    fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
    house.write("qantara.key", &"0".repeat(64));
    let rows = doctor(&house, 0, &["--offline"]);
    let found = |check: &str| row(&rows, check)["found"].as_str().unwrap().to_owned();
    assert!(found("disk space").contains("free") && found("disk speed").contains("a commit takes "), "{rows:?}");
    assert!(["good", "warning"].contains(&row(&rows, "clock")["state"].as_str().unwrap()), "{rows:?}");
    assert_eq!(row(&rows, "database")["state"], "warning");
    assert!(!house.path("data/qantara.db").exists() && !house.path("data/.doctor").exists());

    // An empty file is no database, and looking makes none of it; a link leads nobody to another file.
    let precious = house.write("precious", "kept");
    std::os::unix::fs::symlink(&precious, house.path("data/.doctor")).unwrap();
    std::os::unix::fs::symlink(&precious, house.path("data/qantara.lock")).unwrap();
    house.write("data/qantara.db", "");
    let rows = doctor(&house, 3, &["--offline"]);
    assert_eq!(
        (row(&rows, "database")["state"].as_str(), row(&rows, "server")["state"].as_str()),
        (Some("warning"), Some("bad"))
    );
    assert_eq!(
        (fs::read_to_string(&precious).unwrap().as_str(), fs::metadata(house.path("data/qantara.db")).unwrap().len()),
        ("kept", 0)
    );
    fs::remove_file(house.path("data/qantara.lock")).unwrap();
    fs::remove_file(house.path("data/qantara.db")).unwrap();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let told = house
        .qantara(&["doctor", "--json", "--offline"])
        .env("QANTARA__HTTP__LISTEN", &address)
        .assert()
        .code(3)
        .get_output()
        .stdout
        .clone();
    let told: Value = serde_json::from_slice(&told).unwrap();
    let server = row(told["checks"].as_array().unwrap(), "server");
    assert!(server["found"].as_str().unwrap().contains(&format!("http.listen, {address}, cannot be used")), "{server}");
}

#[test]
fn doctor_finds_damage_and_what_lies_about() {
    let house = House::new();
    fs::set_permissions(house.path("data"), Permissions::from_mode(0o700)).unwrap();
    let server = house.start(&["serve"]);
    // It holds the lock and answers: but not at the address that is asked.
    let told = house
        .qantara(&["doctor", "--json", "--offline"])
        .env("QANTARA__HTTP__LISTEN", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string())
        .assert()
        .code(3)
        .get_output()
        .stdout
        .clone();
    let told: Value = serde_json::from_slice(&told).unwrap();
    let hung = row(told["checks"].as_array().unwrap(), "server");
    assert!(hung["found"].as_str().unwrap().contains("does not answer"), "{hung}");
    assert!(server.stop().0.success());

    house.write("data/qantara.db.before-v2", "what an upgrade left");
    let rows = doctor(&house, 0, &["--offline"]);
    let old = row(&rows, "old databases");
    assert!(old["found"].as_str().unwrap().contains("qantara.db.before-v2 (20.0 B)"), "{old}");

    let file = house.path("data/qantara.db");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let rows = doctor(&house, 3, &["--offline"]);
    assert_eq!(row(&rows, "database")["state"], "bad", "{rows:?}");
    assert!(row(&rows, "database")["next"].as_str().unwrap().contains("qantara restore FILE"), "{rows:?}");
}

#[test]
fn another_server_of_ours_at_the_public_address_is_noticed() {
    let (here, there) = (House::new(), House::new());
    let (ours, theirs) = (here.start(&["serve"]), there.start(&["serve"]));
    fs::set_permissions(here.path("data"), Permissions::from_mode(0o700)).unwrap();
    let ask = |public: &str| {
        let told = here
            .qantara(&["doctor", "--json"])
            .env("QANTARA__HTTP__LISTEN", ours.text("listening"))
            .env("QANTARA__HTTP__PUBLIC_ADDRESS", format!("http://{public}"))
            .assert()
            .get_output()
            .stdout
            .clone();
        let told: Value = serde_json::from_slice(&told).unwrap();
        let rows = told["checks"].as_array().unwrap();
        assert!(row(rows, "server")["found"].as_str().unwrap().ends_with("and is ready"), "{rows:?}");
        row(rows, "public address").clone()
    };
    assert_eq!(ask(ours.text("listening"))["state"], "good");
    let other = ask(theirs.text("listening"));
    assert!(other["found"].as_str().unwrap().contains("another server of Qantara"), "{other}");
}

#[test]
fn a_wrong_configuration_is_the_first_thing_doctor_says() {
    let house = House::new();
    house.configure("http", "liste = 1");
    let rows = doctor(&house, 3, &[]);
    assert_eq!(rows.len(), 1);
    assert!(rows[0]["found"].as_str().unwrap().contains("http.liste"), "{rows:?}");
}

#[test]
fn a_service_is_installed_where_its_unit_lets_it_work_and_nowhere_else() {
    let site = Site::new();
    for (flag, usual) in [("--data-folder", "/var/lib/qantara"), ("--key-file", "/etc/qantara/qantara.key")] {
        let said = err(&mut site.qantara(&["install", flag, &site.path("elsewhere")]), 1);
        assert!(said.contains(usual) && said.contains(&format!("leave {flag} out")), "{said}");
    }
}

#[test]
fn shells_are_told_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = out(&mut Site::new().qantara(&["completions", shell]), 0);
        for command in ["serve", "merchant", "doctor", "uninstall"] {
            assert!(script.contains(command), "{shell} is not told of {command}");
        }
    }
}

//! The desk: what people ask for, what is refused and with which words, and what is left behind.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use qantara::db::merchant::{self, CredentialKind, Merchant, Mode};
use qantara::db::user::{self, Role};
use qantara::db::{Db, FILE, act, data_key, delivery, document, job, order, product, ruling, token};
use qantara::desk::file::{EXAMPLE, MerchantFile};
use qantara::desk::{Desk, Done, Effects, Error, MappingRow, Person, Proposal, Secret, Secrets, Wish};
use qantara::domain::catalog::Code;
use qantara::domain::document::{Document, Policy, State};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::{Header, InvoiceDraft};
use qantara::domain::money::Currency;
use qantara::domain::order::Facts;
use qantara::domain::reason::{Failed, Hold, Ignored, Reason, Refusal};
use qantara::domain::rules::{PricePolicy, ShippingPolicy};
use qantara::domain::ruling::Ruling;
use qantara::engine::credential_place;
use qantara::engine::intake::body_place;
use qantara::sandbox::shop::cart::{Cart, Product};
use qantara::sandbox::shop::{Shop, ShopSetup};
use qantara::vault::{self, DataKey, MasterKey, Vault, verify_password};
use rusqlite::{Connection, OpenFlags};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tempfile::TempDir;

/// The smallest file; tests put lines of their own into its sections.
const PLAIN: &str = "slug = 'wadi'
name = 'Wadi Home'
time_zone = 'Asia/Riyadh'
[shop]
domain = 'wadi.myshopify.com'
[daftra]
url = 'https://wadi.daftra.com'
store_id = 1
client_id = 1
[lines]
vendors = ['*']
";

struct House {
    folder: TempDir,
    db: Db,
    vault: Arc<Vault>,
}

impl House {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let key = MasterKey::create(&folder.path().join("key")).unwrap();
        Self { db: Db::open(folder.path()).unwrap(), vault: Arc::new(Vault::new(key, None)), folder }
    }

    /// Those that prove deliveries, the current one first.
    fn webhook_secrets(&self, slug: &str) -> Vec<String> {
        let merchant_id = self.merchant(slug).id;
        let kind = CredentialKind::WebhookSecret;
        let mut stored = self.db.read(|c| merchant::credentials(c, Some(merchant_id))).unwrap();
        stored.retain(|one| one.kind == kind);
        stored.sort_by_key(|one| one.slot == merchant::Slot::Previous);
        let place = credential_place(merchant_id, kind, None);
        let open = |sealed: &Vec<u8>| self.vault.open_text(&place, sealed).unwrap().expose_secret().to_owned();
        stored.iter().map(|one| open(&one.sealed)).collect()
    }

    fn wish(&self, wish: Wish) -> Result<Done, Error> {
        let desk = Desk { db: &self.db, vault: &self.vault, policy: patient() };
        desk.perform(wish, now(), Person::AT_THE_COMMAND_LINE)
    }

    fn add(&self, file: &str) -> Result<Done, Error> {
        self.wish(Wish::MerchantAdd(proposal(file, Secrets::default())))
    }

    fn set(&self, file: &str) -> Result<Done, Error> {
        self.wish(Wish::MerchantSet(proposal(file, Secrets::default())))
    }

    fn merchant(&self, slug: &str) -> Merchant {
        self.db.read(|c| merchant::by_slug(c, slug)).unwrap().unwrap()
    }

    /// The stored secret as the engine opens it.
    fn opened(&self, slug: &str, kind: CredentialKind, address: Option<&str>) -> Vec<String> {
        let id = self.merchant(slug).id;
        let stored = self.db.read(|c| merchant::credentials(c, Some(id))).unwrap();
        let of_kind = stored.iter().filter(|credential| credential.kind == kind);
        let open = |sealed: &[u8]| self.vault.open_text(&credential_place(id, kind, address), sealed);
        of_kind.map(|credential| open(&credential.sealed).unwrap().expose_secret().to_owned()).collect()
    }

    fn audit(&self) -> Vec<(String, String)> {
        let path = self.folder.path().join(FILE);
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut rows = connection.prepare("select action, facts from audit order by id").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }
}

fn now() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().unwrap()
}

/// More patient than anybody is by default.
fn patient() -> Policy {
    Policy { settling: SignedDuration::from_hours(1), ..Policy::default() }
}

fn proposal(file: &str, secrets: Secrets) -> Box<Proposal> {
    Box::new(Proposal { file: MerchantFile::read(file).unwrap(), secrets })
}

fn secret(text: &str) -> Secret {
    Secret(SecretString::from(text))
}

fn with(webhook: &[&str], key: Option<&str>) -> Secrets {
    Secrets { webhook: webhook.iter().copied().map(secret).collect(), daftra_key: key.map(secret) }
}

fn refusal(result: Result<Done, Error>) -> String {
    match result {
        Err(Error::Refused(refusal)) => refusal.to_string(),
        Err(Error::Db(error)) => panic!("the database failed: {error}"),
        Ok(done) => panic!("it was not refused: {}", done.answer),
    }
}

#[test]
fn each_wrong_value_is_named_with_its_key_and_what_to_write() {
    let house = House::new();
    for (find, replace, complaint) in [
        ("slug = 'wadi'", "slug = 'Wadi Home'", "slug is \"Wadi Home\": write 1 to 40 of a-z, 0-9 and -"),
        ("slug = 'wadi'", "", "slug is missing: write 1 to 40"),
        ("slug = 'wadi'", "slug = wadi", "line 1 is not valid TOML"),
        ("name = 'Wadi Home'", "name = ''", "name is \"\": write the merchant's name"),
        ("'Asia/Riyadh'", "'Riyadh'", "time_zone is \"Riyadh\": write an IANA name"),
        ("[shop]", "mode = 'fast'\n[shop]", "mode is \"fast\": write \"shadow\", \"live\" or \"paused\""),
        ("[shop]", "mode = 'closed'\n[shop]", "mode is \"closed\": write \"shadow\""),
        ("'wadi.myshopify.com'", "'wadi.com'", "shop.domain is \"wadi.com\": write the shop's permanent domain"),
        ("'wadi.myshopify.com'", "'https://wadi.myshopify.com'", "shop.domain is"),
        ("domain = 'wadi.myshopify.com'", "", "shop.domain is missing"),
        ("[lines]", "[shipping]\nrate = 1\n[lines]", "shipping is unknown: there is no such key"),
        ("store_id = 1", "store_id = 0", "daftra.store_id is 0: write Daftra's number of it"),
        ("store_id = 1", "store_id = '1'", "daftra.store_id is \"1\": write Daftra's number of it"),
        ("client_id = 1", "client_id = -4", "daftra.client_id is -4"),
        ("client_id = 1", "client_id = 1\nkey = 'abc'", "daftra.key is unknown: there is no such key"),
        ("https://wadi.daftra.com", "wadi.daftra.com", "daftra.url is \"wadi.daftra.com\": write scheme and host"),
        ("https://wadi.daftra.com", "https://wadi.daftra.com/", "daftra.url is"),
        ("https://wadi.daftra.com", "https://wadi.daftra.com/api2", "daftra.url is"),
        ("https://wadi.daftra.com", "https://key@wadi.daftra.com", "daftra.url is"),
        ("https://wadi.daftra.com", "https://wadi.daftra.com:port", "daftra.url is"),
        ("https://wadi.daftra.com", "ftp://wadi.daftra.com", "daftra.url is"),
        ("vendors = ['*']", "vendors = []", "lines.vendors is []: name the vendors"),
        ("vendors = ['*']", "", "lines.vendors is missing"),
        ("vendors = ['*']", "vendors = ['*', 'Wadi']", "lines.vendors is [\"*\",\"Wadi\"]: \"*\" stands for all"),
        ("vendors = ['*']", "vendors = [' ']", "lines.vendors is [\" \"]: a vendor without a name"),
        (
            "vendors = ['*']",
            "vendors = ['A']\nnot_vendors = ['B']",
            "lines.not_vendors is [\"B\"]: it names exceptions",
        ),
        (
            "vendors = ['*']",
            "vendors = ['*']\nseparators = ['--']",
            "lines.separators[0] is \"--\": write a list of single",
        ),
        ("vendors = ['*']", "vendors = ['*']\nstrip_prefixes = ['']", "lines.strip_prefixes is [\"\"]"),
        (
            "vendors = ['*']",
            "vendors = ['*']\ntip = 'keep'",
            "lines.tip is \"keep\": write \"hold\", \"skip\" or \"line\"",
        ),
        ("[lines]", "[orders]\ntrigger = 'packed'\n[lines]", "orders.trigger is \"packed\": write \"created\""),
        ("[lines]", "[orders]\ntrigger_by_gateway = { cod = 1 }\n[lines]", "orders.trigger_by_gateway.cod is 1: write"),
        ("[lines]", "[orders]\ntolerance_minor = -1\n[lines]", "orders.tolerance_minor is -1: write a whole number"),
        ("[lines]", "[orders]\nlive_from = 'May'\n[lines]", "orders.live_from is \"May\": write a time with its zone"),
        (
            "[lines]",
            "[[tax]]\nrate = 0.15\nincluded = true\ndaftra_id = 1\n[lines]",
            "tax[0].rate is 0.15: write the fraction in quotes",
        ),
        (
            "[lines]",
            "[[tax]]\nrate = '15'\nincluded = true\ndaftra_id = 1\n[lines]",
            "tax[0].rate is \"15\": write the fraction",
        ),
        ("[lines]", "[[tax]]\nrate = '15%'\nincluded = true\ndaftra_id = 1\n[lines]", "tax[0].rate is \"15%\""),
        (
            "[lines]",
            "[[tax]]\nrate = '0.15'\ndaftra_id = 1\n[lines]",
            "tax[0].included is missing: write true if prices contain",
        ),
        (
            "[lines]",
            "[[tax]]\nrate = '0.15'\nincluded = true\ndaftra_id = 1\n[[tax]]\nrate = '0.150'\nincluded = true\ndaftra_id = 2\n[lines]",
            "tax[1] is ambiguous: tax[0] says the same",
        ),
        ("[daftra]", "api_url = 'https://x'\n[daftra]", "shop.api_url is set: not in this version: leave it out"),
        ("[daftra]", "token_file = 'x'\n[daftra]", "shop.token_file is set: not in this version"),
        (
            "[lines]",
            "[payments]\nrecord = true\n[orders]\ndraft = true\n[lines]",
            "payments.record is true: nothing can be paid on a draft",
        ),
        (
            "[lines]",
            "[payments]\nrecord = true\n[orders]\nprice = 'zero'\n[lines]",
            "payments.record is true: documents without prices take no payments",
        ),
        ("[lines]", "[payments]\nrefunds = true\n[lines]", "payments.refunds is true: it goes with record = true"),
        (
            "[lines]",
            "[payments]\nfrom = 2026-11-01T00:00:00Z\n[lines]",
            "payments.from is \"2026-11-01T00:00:00Z\": it goes with record = true",
        ),
        (
            "[lines]",
            "[[payments.gateway]]\nmethod = 'cash'\n[lines]",
            "payments.gateway[0].shopify is missing: write the gateway's name",
        ),
        (
            "[lines]",
            "[[payments.gateway]]\nshopify = 'mada'\nmethod = ' '\n[lines]",
            "payments.gateway[0].method is \" \": write the word by which Daftra knows",
        ),
        (
            "[lines]",
            "[[payments.gateway]]\nshopify = 'paypal'\nmethod = 'paypal'\n[lines]",
            "payments.gateway[0].method is \"paypal\": Daftra wants the buyer's mail",
        ),
        (
            "[lines]",
            "[[payments.gateway]]\nshopify = 'mada'\nmethod = 'bank'\ntreasury_id = 0\n[lines]",
            "payments.gateway[0].treasury_id is 0: write Daftra's number",
        ),
        (
            "[lines]",
            "[[payments.gateway]]\nshopify = 'mada'\nmethod = 'bank'\n[[payments.gateway]]\nshopify = ' MADA'\nmethod = 'cash'\n[lines]",
            "payments.gateway[1].shopify is \" MADA\": it stands there twice",
        ),
        (
            "[lines]",
            "[orders]\nlocked = 'reverse'\n[lines]",
            "orders.locked is \"reverse\": write \"hold\" or \"new_invoice\"",
        ),
        ("[lines]", "[orders]\nprice = 'free'\n[lines]", "orders.price is \"free\": write \"sale\" or \"zero\""),
        ("[lines]", "[orders]\nexchange = 'no'\n[lines]", "orders.exchange is \"no\": write \"hold\" or \"book\""),
        ("[lines]", "[lines]\ngoodwill = 'ask'", "lines.goodwill is \"ask\": write \"hold\", \"skip\" or \"line\""),
        ("[lines]", "[notify]\nmail = 'a@b.c'\n[lines]", "notify is set: not in this version"),
    ] {
        let text = PLAIN.replacen(find, replace, 1);
        let complained = match MerchantFile::read(&text) {
            Err(refusal) => refusal.to_string(),
            Ok(file) => {
                refusal(house.wish(Wish::MerchantAdd(Box::new(Proposal { file, secrets: Secrets::default() }))))
            }
        };
        assert!(complained.starts_with(complaint), "{replace:?}\n  gave {complained}\n  not  {complaint}");
    }
    assert!(house.audit().is_empty(), "a refused wish leaves nothing behind");
}

#[test]
fn the_same_merchant_in_json_is_the_same_merchant() {
    let json = r#"{"slug": "wadi", "name": "Wadi Home", "time_zone": "Asia/Riyadh", "payments": {"record": false},
        "shop": {"domain": "wadi.myshopify.com"}, "orders": {"locked": "hold"}, "lines": {"vendors": ["*"]},
        "daftra": {"url": "https://wadi.daftra.com", "store_id": 1, "client_id": 1}}"#;
    assert_eq!(MerchantFile::read(json).unwrap(), MerchantFile::read(PLAIN).unwrap());
    let complaint = MerchantFile::read("{\n\"slug\": }").unwrap_err().to_string();
    assert!(complaint.starts_with("line 2 is not valid JSON"), "{complaint}");
}

#[test]
fn what_show_prints_changes_nothing_and_leaves_no_trace() {
    let house = House::new();
    let odd = "
        not_vendors = ['Gift Wrap', 'ÉCLAT']\nseparators = [' ', '\"', 'ـ']\nstrip_prefixes = ['NR-']
        [orders]\ntrigger_by_gateway = { 'Cash on Delivery (COD)' = 'fulfilled' }\nignored_sources = ['POS']
        tolerance_minor = 5\nlive_from = 2026-11-01T00:00:00.123456+03:00
        [payments]\nrecord = true\nrefunds = true\n[[payments.gateway]]\nshopify = 'Cash on Delivery (COD)'\nmethod = 'cash'\ntreasury_id = 2
        [[tax]]\nrate = '0.150'\nincluded = true\ndaftra_id = 3\n[[tax]]\ntitle = 'VAT \"x\"'\nrate = '0'\nincluded = false\ndaftra_id = 4";
    for (slug, file) in [
        ("wadi-home", EXAMPLE.to_owned()),
        (
            "odd",
            PLAIN.replace("'wadi'", "'odd'").replace("wadi.my", "odd.my").replace("[shop]", "mode = 'live'\n[shop]")
                + odd,
        ),
    ] {
        house.add(&file).unwrap();
        let before = (house.merchant(slug), house.audit());
        let printed = MerchantFile::of(&before.0, &MerchantFile::read(&file).unwrap().daftra.url).to_toml();
        let done = house.set(&printed).unwrap();
        assert_eq!(done.effects, Effects::default());
        assert_eq!((house.merchant(slug), house.audit()), before);
        for key in
            printed.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key.trim_matches(['"', '\'']))
        {
            let is_explained = EXAMPLE.contains(&format!("{key} = ")) || key.starts_with("cash on delivery");
            assert!(is_explained, "the example does not explain {key}");
        }
        let again = MerchantFile::of(&house.merchant(slug), &MerchantFile::read(&file).unwrap().daftra.url).to_toml();
        assert_eq!(again, printed);
    }
}

#[test]
fn who_begins_to_record_payments_does_so_from_then_on() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let recording = format!("{PLAIN}[payments]\nrecord = true\n");
    let from = |house: &House| house.merchant("wadi").rules.payments.from;
    let done = house.set(&recording).unwrap();
    assert_eq!(from(&house), Some(now()));
    assert_eq!(done.answer["changed"], serde_json::json!(["payments"]));
    assert!(house.set(&recording).unwrap().effects == Effects::default(), "nothing more is new");
    let earlier = format!("{recording}from = 2026-11-01T00:00:00Z\n");
    house.set(&earlier).unwrap();
    assert_eq!(from(&house), Some("2026-11-01T00:00:00Z".parse().unwrap()));
    house.set(PLAIN).unwrap();
    assert_eq!((from(&house), house.merchant("wadi").rules.payments.record), (None, false));
    // A merchant that records from the beginning has no older orders.
    house.add(&recording.replace("'wadi'", "'fresh'").replace("wadi.my", "new.my")).unwrap();
    assert_eq!(house.merchant("fresh").rules.payments.from, None);
}

#[test]
fn a_change_is_told_by_key_and_written_down_with_both_sides() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let changed = PLAIN.replace("store_id = 1", "store_id = 2").replace("Wadi Home", "Wadi");
    let done = house.set(&changed).unwrap();
    assert_eq!(done.answer["changed"], serde_json::json!(["daftra.store_id", "name"]));
    assert!(done.effects.doors_changed && done.effects.orders_asked && !done.effects.chores_asked);
    assert_eq!(house.merchant("wadi").rules.store_id, 2);
    let audit = house.audit();
    let (action, facts) = audit.last().unwrap();
    assert_eq!((audit.len(), action.as_str()), (2, "merchant.set"));
    assert!(facts.contains(r#"{"is":2,"key":"daftra.store_id","was":1}"#), "{facts}");
    assert!(facts.contains(r#""via":"cli""#), "{facts}");
}

#[test]
fn one_vendor_has_one_owner_and_all_lines_one_merchant() {
    let house = House::new();
    let of = |slug: &str, vendors: &str| PLAIN.replace("'wadi'", &format!("'{slug}'")).replace("['*']", vendors);
    house.add(&of("one", "['Wadi Home', 'Najd']")).unwrap();
    let complaint = refusal(house.add(&of("two", "[' NAJD ']")));
    assert_eq!(complaint, "lines.vendors is \"najd\": merchant \"one\" owns this vendor: take it away there first");
    let complaint = refusal(house.add(&of("two", "['*']")));
    assert!(complaint.contains("merchant \"one\" sells in the same shop"), "{complaint}");
    house.add(&of("two", "['Oud']")).unwrap();
    assert!(refusal(house.set(&of("two", "['*']"))).contains("merchant \"one\""));
    house.set(&of("one", "['Wadi Home']")).unwrap();
    house.set(&of("two", "['Oud', 'Najd']")).unwrap();

    house.add(&of("three", "['*']").replace("wadi.my", "three.my")).unwrap();
    let complaint = refusal(house.add(&of("four", "['Najd']").replace("wadi.my", "three.my")));
    assert!(complaint.contains("merchant \"three\" owns all lines of this shop"), "{complaint}");
    assert!(refusal(house.add(&of("three", "['Najd']"))).starts_with("slug is \"three\": this slug is taken"));
}

#[test]
fn two_shops_never_share_a_webhook_secret() {
    let house = House::new();
    let two = PLAIN.replace("'wadi'", "'two'").replace("wadi.my", "two.my");
    house.wish(Wish::MerchantAdd(proposal(PLAIN, with(&["new", "shared"], None)))).unwrap();
    let add = |webhook: &[&str]| refusal(house.wish(Wish::MerchantAdd(proposal(&two, with(webhook, None)))));
    assert!(add(&["a", "b", "c"]).starts_with("shop.webhook_secret_files is a list of 3: the current one"));
    assert!(add(&[""]).starts_with("a secret is empty"));
    let complaint = add(&["shared"]);
    assert!(complaint.starts_with("shop.webhook_secret_files is not this shop's alone"), "{complaint}");
    assert!(!complaint.contains("shared\""), "{complaint}");
    house.wish(Wish::MerchantAdd(proposal(&two, with(&["own"], None)))).unwrap();

    // Two merchants of one shop get the same deliveries, so they have the same secret.
    let (left, right) =
        (PLAIN.replace("['*']", "['Left']"), PLAIN.replace("['*']", "['Right']").replace("'wadi'", "'right'"));
    house.set(&left).unwrap();
    house.wish(Wish::MerchantAdd(proposal(&right, with(&["new"], None)))).unwrap();
    // Moving to another shop takes the secret along.
    let moved = left.replace("wadi.my", "elsewhere.my");
    assert!(refusal(house.set(&moved)).contains("merchant \"right\" of another shop has the same secret"));
}

#[test]
fn secrets_stay_until_replaced_and_a_key_belongs_to_its_address() {
    let house = House::new();
    let (address, other) = ("https://wadi.daftra.com", "https://new.daftra.com");
    let done =
        house.wish(Wish::MerchantAdd(proposal(PLAIN, with(&["s3cret-a", "s3cret-b"], Some("k3y-one"))))).unwrap();
    assert_eq!(done.answer["notes"], serde_json::json!([]));
    assert_eq!(house.opened("wadi", CredentialKind::WebhookSecret, None), ["s3cret-a", "s3cret-b"]);
    assert_eq!(house.opened("wadi", CredentialKind::DaftraKey, Some(address)), ["k3y-one"]);

    house.set(&PLAIN.replace("Wadi Home", "Wadi")).unwrap();
    assert_eq!(house.opened("wadi", CredentialKind::DaftraKey, Some(address)), ["k3y-one"]);
    let same = with(&["s3cret-a", "s3cret-b"], Some("k3y-one"));
    let rows = house.audit().len();
    house.wish(Wish::MerchantSet(proposal(&PLAIN.replace("Wadi Home", "Wadi"), same))).unwrap();
    assert_eq!(house.audit().len(), rows, "the same secrets again change nothing");
    house.wish(Wish::MerchantSet(proposal(PLAIN, with(&["s3cret-c"], None)))).unwrap();
    assert_eq!(house.opened("wadi", CredentialKind::WebhookSecret, None), ["s3cret-c"]);

    let moved = PLAIN.replace(address, other);
    let done = house.set(&moved).unwrap();
    assert_eq!(done.answer["secrets"], serde_json::json!(["daftra_key"]));
    assert!(done.answer["notes"][0].as_str().unwrap().starts_with("No Daftra key for this address"), "{}", done.answer);
    assert!(house.opened("wadi", CredentialKind::DaftraKey, Some(other)).is_empty());
    let done = house.wish(Wish::MerchantSet(proposal(&moved, with(&[], Some("k3y-two"))))).unwrap();
    assert!(done.effects.chores_asked, "a new key is tried at once");
    assert_eq!(house.opened("wadi", CredentialKind::DaftraKey, Some(other)), ["k3y-two"]);
    for (_, facts) in house.audit() {
        assert!(!facts.contains("s3cret") && !facts.contains("k3y"), "{facts}");
    }
}

#[test]
fn going_live_begins_now_and_a_pause_remembers_what_was_paused() {
    let house = House::new();
    let mode = |mode: &str| PLAIN.replace("[shop]", &format!("mode = '{mode}'\n[shop]"));
    let state = || (house.merchant("wadi").mode, house.merchant("wadi").live_from);
    let turn = |wish: fn(String) -> Wish| house.wish(wish("wadi".to_owned())).unwrap();
    let pause = |slug| Wish::MerchantPause { slug };
    let resume = |slug| Wish::MerchantResume { slug };

    let paused =
        PLAIN.replace("'wadi'", "'two'").replace("wadi.my", "two.my").replace("[shop]", "mode = 'paused'\n[shop]");
    let effects = house.add(&paused).unwrap().effects;
    assert_eq!(effects, Effects { doors_changed: true, orders_asked: true, ..Effects::default() });
    assert!(house.add(PLAIN).unwrap().effects.chores_asked);
    assert_eq!(state(), (Mode::Shadow, None), "a new merchant shows what it would do");
    turn(pause);
    turn(resume);
    assert_eq!(state(), (Mode::Shadow, None));

    house.set(&mode("live")).unwrap();
    assert_eq!(state(), (Mode::Live, Some(now())));
    house.set(&PLAIN.replace("Wadi Home", "Wadi")).unwrap();
    assert_eq!(state(), (Mode::Live, Some(now())), "a file without mode leaves it as it is");
    turn(pause);
    assert_eq!(state(), (Mode::Paused, Some(now())));
    assert_eq!(turn(pause).effects, Effects::default(), "paused twice is paused");
    assert!(turn(resume).effects.chores_asked);
    assert_eq!(state(), (Mode::Live, Some(now())));

    house.set(&mode("shadow")).unwrap();
    assert_eq!(state(), (Mode::Shadow, None), "the next go-live begins anew");
    let early = "2026-11-01T00:00:00+03:00";
    let dated = |word: &str| mode(word) + &format!("[orders]\nlive_from = '{early}'\n");
    assert!(refusal(house.set(&dated("shadow"))).contains("write it together with mode = \"live\""));
    house.set(&dated("live")).unwrap();
    assert_eq!(state(), (Mode::Live, Some(early.parse().unwrap())));
    assert!(now().duration_since(early.parse().unwrap()) > SignedDuration::from_hours(24));

    let stranger = refusal(house.wish(Wish::MerchantPause { slug: "nobody".to_owned() }));
    assert_eq!(stranger, "merchant is \"nobody\": there is no such merchant: qantara merchant list shows them");
}

#[test]
fn users_are_added_once_with_a_password_worth_the_name() {
    let house = House::new();
    let add = |name: &str, password: &str| {
        house.wish(Wish::UserAdd { name: name.to_owned(), role: Role::Operator, password: secret(password) })
    };
    assert!(refusal(add("ali", "short")).starts_with("password is 5 characters long: choose one of 10"));
    assert!(
        refusal(add("ali:x", "long enough")).starts_with("user is \"ali:x\": write 1 to 64 characters without a colon")
    );
    add("علي", "long enough").unwrap();
    assert!(refusal(add("علي", "long enough too")).contains("this name is taken"));
    let stored = |name: &str| house.db.read(|c| user::by_name(c, name)).unwrap().unwrap();
    assert!(verify_password(&SecretString::from("long enough"), Some(&stored("علي").password)));

    let passwd =
        |name: &str| Wish::UserPasswd { name: name.to_owned(), password: secret("another one"), end_tokens: true };
    house.wish(passwd("علي")).unwrap();
    assert!(verify_password(&SecretString::from("another one"), Some(&stored("علي").password)));
    assert_eq!(stored("علي").role, Role::Operator);
    assert!(refusal(house.wish(passwd("omar"))).contains("there is no such user"));
    let audit = house.audit();
    assert_eq!(audit.iter().map(|(action, _)| action.as_str()).collect::<Vec<_>>(), ["user.add", "user.passwd"]);
    assert!(!audit.iter().any(|(_, facts)| facts.contains("long enough") || facts.contains("argon2")));
}

#[test]
fn tokens_end_with_the_password_if_that_is_wished_and_with_the_user_for_good() {
    let house = House::new();
    let add_user = |name: &str| Wish::UserAdd { name: name.into(), role: Role::Owner, password: secret("long enough") };
    let token = |user: &str, name: &str| {
        let (user, name, secret) = (user.to_owned(), name.to_owned(), Secret(vault::api_token()));
        house.wish(Wish::TokenAdd { user, name, role: Role::Viewer, merchant: None, days: 9, secret })
    };
    let passwd = |end_tokens| {
        let wish = Wish::UserPasswd { name: "ali".into(), password: secret("another one"), end_tokens };
        house.wish(wish).unwrap().answer
    };
    let disable = |disabled| house.wish(Wish::UserDisable { name: "ali".into(), disabled }).unwrap().answer;
    let live = || {
        let live = house.db.read(token::all).unwrap();
        live.into_iter().map(|token| (token.user, token.name)).collect::<Vec<_>>()
    };
    let of = |user: &str, name: &str| (user.to_owned(), name.to_owned());
    for user in ["ali", "sara"] {
        house.wish(add_user(user)).unwrap();
        token(user, "first").unwrap();
    }
    token("ali", "second").unwrap();
    assert_eq!(passwd(false), json!({ "user": "ali", "tokens_ended": [] }));
    assert_eq!(live(), [of("ali", "second"), of("sara", "first"), of("ali", "first")]);
    assert_eq!(passwd(true), json!({ "user": "ali", "tokens_ended": ["first", "second"] }));
    assert_eq!(live(), [of("sara", "first")], "nobody else's");
    assert_eq!(passwd(true)["tokens_ended"], json!([]));

    token("ali", "third").unwrap();
    assert_eq!(disable(true), json!({ "user": "ali", "disabled": true, "tokens_ended": ["third"] }));
    assert!(refusal(token("ali", "fourth")).contains("a disabled user gets no token: enable the user first"));
    disable(false);
    assert_eq!(live(), [of("sara", "first")], "what has ended stays so");
    // As an earlier version left it.
    house
        .db
        .write(|tx| Ok(tx.execute("update token set revoked_at = null where name = 'third'", []).unwrap()))
        .unwrap();
    house.db.write(|tx| Ok(tx.execute("update user set disabled_at = 1 where name = 'ali'", []).unwrap())).unwrap();
    assert_eq!(disable(false)["tokens_ended"], json!(["third"]));
    assert_eq!(live(), [of("sara", "first")]);
    token("ali", "fourth").unwrap();
    disable(false);
    assert_eq!(live().len(), 2, "whoever is not disabled is not enabled");
    let audit = house.audit();
    let told = audit.iter().filter(|(action, _)| action.starts_with("user.")).map(|(_, facts)| facts.contains("third"));
    assert_eq!(told.filter(|names| *names).count(), 2, "{audit:?}");
}

#[test]
fn a_token_is_made_within_its_users_rights_and_kept_as_a_hash() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let password = secret("long enough");
    house.wish(Wish::UserAdd { name: "ali".into(), role: Role::Operator, password }).unwrap();
    let clear = vault::api_token();
    let add = |name: &str, role: Role, merchant: Option<&str>, days: u32| {
        let (user, merchant) = ("ali".to_owned(), merchant.map(str::to_owned));
        house.wish(Wish::TokenAdd { user, name: name.into(), role, merchant, days, secret: Secret(clear.clone()) })
    };
    for (name, role, merchant, days, expected) in [
        (" ", Role::Viewer, None, 9, "name is \"\": write what the token is for"),
        ("x", Role::Owner, None, 9, "role is \"owner\": choose operator or less"),
        ("x", Role::Viewer, Some("souq"), 9, "merchant is \"souq\": there is no such merchant"),
        ("x", Role::Viewer, None, 0, "days is 0: write a number from 1 to 366"),
        ("x", Role::Viewer, None, 367, "days is 367"),
    ] {
        let refused = refusal(add(name, role, merchant, days));
        assert!(refused.starts_with(expected), "{refused}");
    }
    let short = Wish::TokenAdd {
        user: "ali".into(),
        name: "x".into(),
        role: Role::Viewer,
        merchant: None,
        days: 9,
        secret: secret("qa_short"),
    };
    assert!(refusal(house.wish(short)).starts_with("secret is too short"));
    // A merchant out of the user's sight is not there.
    let limit = |merchants: Option<Vec<String>>| {
        house.wish(Wish::UserRights { name: "ali".into(), role: Role::Operator, merchants }).unwrap();
    };
    limit(Some(Vec::new()));
    assert!(refusal(add("x", Role::Viewer, Some("wadi"), 9)).contains("there is no such merchant"));
    limit(None);

    let done = add("nightly", Role::Operator, Some("wadi"), 366).unwrap();
    let told = json!({ "user": "ali", "token": 1, "name": "nightly", "role": "operator", "merchant": "wadi",
                       "expires_at": "2027-11-22T09:00:00Z" });
    assert_eq!(done.answer, told);
    assert!(refusal(add("nightly", Role::Viewer, None, 9)).contains("there is such a token"));
    let hash = vault::fingerprint(&clear);
    let speaks =
        |at: Timestamp| house.db.read(move |c| token::speaker(c, &hash, at)).unwrap().map(|(token, _)| token.id);
    assert_eq!(speaks(now()), Some(1));
    let revoke = |token_id| house.wish(Wish::TokenRevoke { token_id });
    for _ in 0..2 {
        assert_eq!(revoke(1).unwrap().answer, json!({ "user": "ali", "token": 1, "name": "nightly" }));
    }
    assert_eq!(speaks(now()), None);
    assert!(refusal(revoke(9)).starts_with("token is 9: there is no such token"));
    for number in 0..20 {
        let (user, name) = ("ali".to_owned(), format!("script {number}"));
        let secret = Secret(vault::api_token());
        house.wish(Wish::TokenAdd { user, name, role: Role::Viewer, merchant: None, days: 1, secret }).unwrap();
    }
    assert!(refusal(add("one more", Role::Viewer, None, 9)).starts_with("tokens is 20: revoke one of them"));
    let audit = house.audit();
    let count = |wanted: &str| audit.iter().filter(|(action, _)| action == wanted).count();
    assert_eq!((count("token.add"), count("token.revoke")), (21, 1), "once, though it was said twice");
    assert!(!audit.iter().any(|(_, facts)| facts.contains("qa_")), "{audit:?}");
    // Those that have ended are in nobody's way.
    house.db.write(|tx| Ok(tx.execute("update token set expires_at = 1", []).unwrap())).unwrap();
    let (user, secret) = ("ali".to_owned(), Secret(vault::api_token()));
    let again = Wish::TokenAdd { user, name: "script 1".into(), role: Role::Viewer, merchant: None, days: 9, secret };
    assert_eq!(house.wish(again).unwrap().answer["name"], "script 1");
}

#[test]
fn a_mapping_is_written_down_and_asks_for_the_orders_that_wait_for_a_product() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let merchant_id = house.merchant("wadi").id;
    let unknown = Hold::UnknownProduct { line: "Lamp".to_owned(), codes: BTreeSet::new() };
    let holds = [Reason::Held(vec![unknown]), Reason::Held(vec![Hold::CancelledButPaid])];
    let parked = house.db.write(move |tx| {
        for (remote_id, reason) in (1..).zip(&holds) {
            let id = order::known(tx, merchant_id, remote_id, now())?;
            order::stand(tx, id, order::State::Held, Some(reason), None, now())?;
        }
        job::unfinished(tx, now())
    });
    assert_eq!(parked.unwrap(), 0);
    let map = |code: &str, product_id| {
        house.wish(Wish::MappingSet { slug: "wadi".to_owned(), code: code.to_owned(), product_id })
    };
    let done = map(" WH-2040 ", 102).unwrap();
    let told = json!({ "merchant": "wadi", "code": "wh-2040", "product": 102, "was": null, "orders": 1 });
    assert_eq!((done.answer, done.effects.orders_asked), (told, true));
    assert_eq!(house.db.read(|c| job::unfinished(c, now())).unwrap(), 1, "the one that waits for a product is due");
    assert_eq!(map("wh-2040", 102).unwrap().effects, Effects::default(), "known already");
    assert_eq!(map("wh-2040", 103).unwrap().answer["was"], 102);
    let code = Code::new("WH-2040");
    assert_eq!(house.db.read(|c| product::mapped(c, merchant_id, &code)).unwrap(), Some(103));
    let written = house.audit().into_iter().filter(|(action, _)| action == "mapping.set").count();
    assert_eq!(written, 2, "what changes nothing is not written down");
    assert_eq!(refusal(map(" ", 1)), "code is \" \": write a SKU, a barcode or the id of a variant");
    assert_eq!(refusal(map("x", 0)), "product is 0: write Daftra's id of the product, a positive number");
}

#[test]
fn an_order_nobody_knows_is_refused() {
    let house = House::new();
    let complaint = refusal(house.wish(Wish::OrderRetry { order_id: 7 }));
    assert_eq!(complaint, "order is 7: there is no such order: qantara order list shows them");
}

/// An order whose invoice is in this state, for `retry`.
fn with_invoice(house: &House, state: State, change: impl FnOnce(&mut Document)) -> i64 {
    house.add(PLAIN).unwrap();
    let merchant = house.merchant("wadi");
    let header = Header {
        reference: "k-1-order".to_owned(),
        order_name: "#1".to_owned(),
        client_id: 1,
        store_id: 1,
        branch_id: None,
        currency: Currency::parse("SAR").unwrap(),
        date: jiff::civil::date(2026, 11, 21),
        draft: false,
    };
    let draft = Draft::Invoice(InvoiceDraft {
        header,
        vendors: merchant.rules.vendors.clone(),
        shipping: ShippingPolicy::Never,
        with_shipping: None,
        paid_by_others: rust_decimal::Decimal::ZERO,
        adopted: None,
        price: PricePolicy::Sale,
        seen: BTreeMap::new(),
        billed: Vec::new(),
    });
    let mut document = Document::planned(merchant.account_id.unwrap(), None, "order".to_owned(), draft, now());
    document.state = state;
    change(&mut document);
    let write = move |tx: &rusqlite::Transaction<'_>| {
        let order_id = order::known(tx, merchant.id, 1, now())?;
        let planned = Document { state: State::Planned, ..document.clone() };
        let id = document::add(tx, order_id, &planned)?;
        document::store(tx, State::Planned, &Document { id, ..document })?;
        Ok(order_id)
    };
    house.db.write(write).unwrap()
}

#[test]
fn trying_again_plans_a_refused_document_anew() {
    let house = House::new();
    let refusal = Refusal { status: 400, message: "no".to_owned(), fields: Vec::new() };
    let order_id = with_invoice(&house, State::Refused, |document| document.refusal = Some(refusal));
    let done = house.wish(Wish::OrderRetry { order_id }).unwrap();
    assert!(done.effects.orders_asked);
    assert_eq!(done.answer["documents"], serde_json::json!(["k-1-order"]));
    let document = house.db.read(|c| document::of_order(c, order_id)).unwrap().remove(0);
    assert_eq!((document.state, document.refusal), (State::Planned, None));
    assert_eq!(house.db.read(|c| job::unfinished(c, now())).unwrap(), 1, "it is due now");
}

#[test]
fn trying_again_never_cuts_a_settling_time_short() {
    let minutes = |count| SignedDuration::from_mins(count);
    // A call of 50 minutes ago may still be executed for ten more; one of two hours ago is looked for at once.
    for (sent, look_at) in [(now() - minutes(50), now() + minutes(10)), (now() - minutes(120), now())] {
        let house = House::new();
        let order_id = with_invoice(&house, State::InDoubt, |document| {
            document.since_at = sent;
            document.look_at = Some(now() + minutes(200));
        });
        house.wish(Wish::OrderRetry { order_id }).unwrap();
        let document = house.db.read(|c| document::of_order(c, order_id)).unwrap().remove(0);
        assert_eq!((document.state, document.look_at), (State::InDoubt, Some(look_at)));
    }
}

#[test]
fn trying_again_looks_once_more_for_what_nobody_could_look_up() {
    let looks = |look_at: Option<Timestamp>| {
        let house = House::new();
        let order_id = with_invoice(&house, State::Dropped, |document| {
            document.since_at = now() - SignedDuration::from_hours(30);
            (document.look_at, document.failed_looks) = (look_at, 5);
        });
        house.wish(Wish::OrderRetry { order_id }).unwrap();
        let document = house.db.read(|c| document::of_order(c, order_id)).unwrap().remove(0);
        (document.look_at, document.failed_looks)
    };
    assert_eq!(looks(Some(now())), (Some(now()), 0));
    assert_eq!(looks(None), (None, 5), "its last look is done");
}

/// An order that stands so, for this reason.
fn standing(house: &House, remote_id: i64, state: order::State, reason: Option<Reason>) -> i64 {
    let merchant_id = house.merchant("wadi").id;
    let write = move |tx: &rusqlite::Transaction<'_>| {
        let id = order::known(tx, merchant_id, remote_id, now())?;
        order::stand(tx, id, state, reason.as_ref(), None, now())?;
        Ok(id)
    };
    house.db.write(write).unwrap()
}

#[test]
fn a_ruling_must_have_something_to_decide() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let held = standing(&house, 1, order::State::Held, Some(Reason::Held(vec![Hold::CancelledButPaid])));
    let settled = standing(&house, 2, order::State::Settled, None);
    let passed_over = Reason::Ignored(Ignored::Source { source: "pos".into() });
    let ignored = standing(&house, 3, order::State::Ignored, Some(passed_over));
    let rule = |order_id, ruling| house.wish(Wish::OrderRule { order_id, ruling, note: " by phone ".into() });
    for (order_id, ruling, complaint) in [
        (settled, Ruling::Dismiss, "only what is held or was given up can be dismissed"),
        (ignored, Ruling::Dismiss, "only what is held or was given up can be dismissed"),
        (held, Ruling::Import, "only an order that the merchant's rules pass over can be imported"),
        (held, Ruling::Leave { document: 7 }, "none of its invoices was deleted in Daftra"),
        (held, Ruling::NewInvoice { document: 7 }, "none of its invoices was deleted in Daftra"),
        (held, Ruling::Rewrite { document: 7 }, "no invoice of it is known to be changed by hand"),
        (99, Ruling::Dismiss, "there is no such order"),
    ] {
        let told = refusal(rule(order_id, ruling));
        assert!(told.contains(complaint), "{told}");
    }
    assert_eq!(house.audit().len(), 1, "a refused wish leaves nothing behind");

    let done = rule(held, Ruling::Dismiss).unwrap();
    assert!(done.effects.orders_asked);
    assert_eq!(rule(ignored, Ruling::Import).unwrap().answer["ruling"], "import");
    let in_force = |id| house.db.read(move |c| ruling::in_force(c, id)).unwrap();
    assert_eq!((in_force(held), in_force(ignored)), ([Ruling::Dismiss].into(), [Ruling::Import].into()));
    let [told] = house.db.read(|c| ruling::of_order(c, held)).unwrap().try_into().unwrap();
    assert_eq!((told.note.as_str(), told.user, told.at), ("by phone", None, now()), "the note is kept");
    assert_eq!(house.audit().last().unwrap().0, "order.rule");

    // A dismissal is of what the person saw; an import is for good.
    let news = Facts { deleted: true, ..Facts::default() };
    let hear = move |tx: &rusqlite::Transaction<'_>| {
        order::take_facts(tx, held, &news, now())?;
        order::take_facts(tx, ignored, &news, now())
    };
    house.db.write(hear).unwrap();
    assert_eq!((in_force(held), in_force(ignored)), (BTreeSet::new(), [Ruling::Import].into()));
}

#[test]
fn a_cause_releases_the_orders_it_holds_and_no_others() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let unknown = |code: &str| Hold::UnknownProduct { line: "Lamp".into(), codes: [Code::new(code)].into() };
    let held = |holds| Some(Reason::Held(holds));
    standing(&house, 1, order::State::Held, held(vec![unknown("a"), Hold::CancelledButPaid]));
    standing(&house, 2, order::State::Held, held(vec![unknown("b")]));
    standing(&house, 3, order::State::Held, held(vec![Hold::CancelledAfterShipping]));
    let release = |slug: Option<&str>, cause: &str, about: Option<&str>| {
        let (slug, about) = (slug.map(str::to_owned), about.map(str::to_owned));
        house.wish(Wish::HoldRelease { slug, cause: cause.to_owned(), about })
    };
    assert!(refusal(release(None, "locked", None)).contains("no order is held for it"));
    assert!(refusal(release(None, "unknown_product", Some("c"))).contains("no order is held for it"));
    assert!(refusal(release(Some("nobody"), "unknown_product", None)).contains("there is no such merchant"));
    let due = || house.db.read(|c| job::unfinished(c, now())).unwrap();
    assert_eq!(due(), 0);
    assert_eq!(release(None, "unknown_product", Some("b")).unwrap().answer["orders"], 1);
    assert_eq!(due(), 1);
    assert_eq!(release(Some("wadi"), "unknown_product", None).unwrap().answer["orders"], 2);
    assert_eq!(due(), 2, "the third is held for something else");
}

#[test]
fn a_mapping_file_is_taken_whole_or_not_at_all() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let row = |code: &str, product_id| MappingRow { code: code.into(), product_id, note: " a box ".into() };
    let import = |rows| house.wish(Wish::MappingImport { slug: "wadi".into(), rows });
    assert!(
        refusal(import(vec![row("a", 1), row("A ", 2)]))
            .starts_with("line 2: code is \"A \": the code stands there twice")
    );
    assert!(refusal(import(vec![row("a", 1), row("b", 0)])).starts_with("line 2: product is 0"));
    let id = house.merchant("wadi").id;
    let all = || house.db.read(move |c| product::mappings(c, id, "", 9)).unwrap();
    assert_eq!(all(), []);
    assert_eq!(import(vec![row("b", 2), row("A", 1)]).unwrap().answer["changed"], 2);
    assert_eq!(all(), [("a".to_owned(), 1, "a box".to_owned()), ("b".to_owned(), 2, "a box".to_owned())]);
    assert_eq!(import(vec![row("a", 1)]).unwrap().effects, Effects::default(), "what changes nothing asks for nothing");
    assert_eq!(import(vec![row("a", 3)]).unwrap().answer["changed"], 1);
    let written = house.audit().into_iter().filter(|(action, _)| action == "mapping.import").count();
    assert_eq!(written, 2);
}

#[test]
fn a_note_stays_with_its_order_and_an_empty_one_is_refused() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let order_id = standing(&house, 7, order::State::Settled, None);
    let other = standing(&house, 8, order::State::Settled, None);
    let note = |note: &str| house.wish(Wish::OrderNote { order_id, note: note.to_owned() });
    assert_eq!(refusal(note("  ")), "note is 0 characters long: write 1 to 1000 characters");
    assert!(refusal(note(&"ن".repeat(1_001))).starts_with("note is 1001 characters long"));
    assert!(refusal(house.wish(Wish::OrderNote { order_id: 99, note: "x".into() })).starts_with("order is 99"));
    note(" اتصل العميل ").unwrap();
    house.wish(Wish::OrderRetry { order_id }).unwrap();
    let acts = |id| house.db.read(|c| act::of_order(c, id, 10)).unwrap();
    let told: Vec<_> = acts(order_id).into_iter().map(|act| (act.action, act.facts["note"].clone())).collect();
    assert_eq!(told, [("order.retry".to_owned(), json!(null)), ("order.note".to_owned(), json!("اتصل العميل"))]);
    assert!(acts(other).is_empty(), "nothing was done about the other");
}

/// A delivery as the door keeps it, but for the order it is about.
fn kept(house: &House, topic: &'static str, event_key: &'static str, body: &[u8], key: &DataKey) -> i64 {
    let merchant_id = house.merchant("wadi").id;
    let body = key.seal(&body_place(merchant_id, event_key), &lz4_flex::compress_prepend_size(body));
    let webhook = delivery::Delivery {
        merchant_id,
        event_key: event_key.into(),
        topic: topic.into(),
        sent_at: None,
        body,
        fate: delivery::Fate::Unreadable,
    };
    match house.db.write(move |tx| delivery::keep(tx, &webhook, None, now())).unwrap() {
        delivery::Kept::New { id } | delivery::Kept::Repeat { id, .. } => id,
    }
}

#[test]
fn a_kept_delivery_is_read_again_and_opened_with_a_trace() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let key = DataKey::generate();
    let mut shop = Shop::new(ShopSetup { seed: 7, ..ShopSetup::new("wadi.myshopify.com", "hush", "SAR") });
    let shelf: Vec<_> = Product::samples(1).into_iter().map(|product| shop.sell(product)).collect();
    let (_, deliveries) = shop.buy(&Cart::of(&[(shelf[0], 1)]), now()).unwrap();
    let id = kept(&house, "orders/create", "one", &deliveries[0].body, &key);
    let replay = |delivery_id| house.wish(Wish::DeliveryReplay { delivery_id });
    assert!(refusal(replay(id)).starts_with("delivery 1 is sealed with another key"), "there is no key at all");
    let sealed = house.vault.seal_data_key(1, &key);
    house.db.write(move |tx| data_key::add(tx, 1, &sealed, now())).unwrap();

    let done = replay(id).unwrap();
    assert!(done.effects.orders_asked, "somebody looks at it");
    let order_id = done.answer["order"].as_i64().unwrap();
    let (order, overview) =
        house.db.read(|c| Ok((order::get(c, order_id)?, delivery::of_order(c, order_id)?))).unwrap();
    assert_eq!((order.due_at, overview.len()), (Some(now()), 1), "{order:?}");
    assert!(house.db.read(|c| order::price(c, order_id)).unwrap().is_some(), "its body was taken in");
    replay(id).unwrap();
    assert_eq!(house.db.read(|c| order::list(c, order::Filter::default(), 9)).unwrap().len(), 1, "no second order");

    let desk = Desk { db: &house.db, vault: &house.vault, policy: patient() };
    let body = desk.body(id, now(), Person::AT_THE_COMMAND_LINE).unwrap();
    assert_eq!(body.as_bytes(), deliveries[0].body);
    let (action, facts) = house.audit().pop().unwrap();
    assert_eq!(action, "delivery.read");
    assert!(facts.contains(&format!("\"order\":{order_id}")) && !facts.contains("line_items"), "{facts}");

    let broken = kept(&house, "orders/create", "two", b"{\"id\":5}", &key);
    assert!(refusal(replay(broken)).starts_with("delivery 2 is unreadable at order_number"));
    let foreign = kept(&house, "themes/publish", "three", b"{}", &key);
    assert_eq!(refusal(replay(foreign)), "delivery 3 is about no order: there is nothing to take in");
    let other = kept(&house, "orders/create", "four", &deliveries[0].body, &DataKey::generate());
    assert!(refusal(replay(other)).starts_with("delivery 4 is sealed with another key"));
    assert!(refusal(replay(99)).starts_with("delivery is 99: there is no such delivery"));
    house.db.write(|tx| tx.execute("update delivery set body = null", []).map_err(|_| never())).unwrap();
    assert!(refusal(replay(id)).starts_with("delivery 1 is without its body"));
}

fn never() -> qantara::db::Error {
    qantara::db::Error::NotFound { context: "change a table that is there" }
}

/// A merchant of whom only the shop is known.
fn begun(mode: &str) -> String {
    let account = "url = 'https://wadi.daftra.com'\nstore_id = 1\nclient_id = 1";
    PLAIN
        .replace(account, "url = ''\nstore_id = 0\nclient_id = 0")
        .replace("['*']", "[]")
        .replace("[shop]", &format!("mode = '{mode}'\n[shop]"))
}

#[test]
fn only_a_paused_merchant_may_be_incomplete() {
    let house = House::new();
    let complaint = house.add(&begun("shadow")).unwrap_err().to_string();
    assert!(complaint.starts_with("daftra.url is \"\": write scheme and host"), "{complaint}");
    house.add(&begun("paused")).unwrap();
    assert_eq!((house.merchant("wadi").account_id, house.merchant("wadi").mode), (None, Mode::Paused));
    let resume = || house.wish(Wish::MerchantResume { slug: "wadi".into() });
    assert!(resume().unwrap_err().to_string().starts_with("daftra.url is"));
    // Step by step, in any order; the last one is still asked for.
    for (known, missing) in [
        ("url = ''", "daftra.url"),
        ("store_id = 0", "daftra.store_id"),
        ("client_id = 0", "daftra.client_id"),
        ("vendors = []", "lines.vendors"),
    ] {
        let whole = PLAIN.replace("[shop]", "mode = 'paused'\n[shop]");
        let name = known.split(' ').next().unwrap();
        let given = whole.lines().find(|line| line.starts_with(name)).unwrap();
        house.set(&whole.replace(given, known)).unwrap();
        let complaint = resume().unwrap_err().to_string();
        assert!(complaint.starts_with(&format!("{missing} is")), "{complaint}");
    }
    house.set(&PLAIN.replace("[shop]", "mode = 'paused'\n[shop]")).unwrap();
    resume().unwrap();
    assert_eq!(house.merchant("wadi").mode, Mode::Shadow);
    // What runs does not become incomplete.
    let complaint = house.set(&PLAIN.replace("store_id = 1", "store_id = 0")).unwrap_err().to_string();
    assert!(complaint.starts_with("daftra.store_id is 0"), "{complaint}");
}

#[test]
fn a_key_without_an_address_and_the_name_of_the_page_are_refused() {
    let house = House::new();
    let keyed = house.wish(Wish::MerchantAdd(proposal(&begun("paused"), with(&[], Some("key")))));
    assert_eq!(keyed.unwrap_err().to_string(), "daftra.key_file is set: name the address it belongs to: daftra.url");
    let complaint = house.add(&PLAIN.replace("'wadi'", "'new'")).unwrap_err().to_string();
    assert!(complaint.starts_with("slug is \"new\": the page for a new merchant"), "{complaint}");
}

#[test]
fn a_new_webhook_secret_keeps_the_one_before_until_it_is_forgotten() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let opened = || house.opened("wadi", CredentialKind::WebhookSecret, None);
    let rotate = |text: &str| house.wish(Wish::SecretRotate { slug: "wadi".into(), secret: secret(text) });
    for (given, expected) in [("one", vec!["one"]), ("two", vec!["two", "one"]), ("three", vec!["three", "two"])] {
        assert!(rotate(given).unwrap().effects.doors_changed, "the intake must hear of it");
        assert_eq!(opened(), expected);
    }
    let before = house.audit().len();
    rotate("three").unwrap();
    assert_eq!(
        (house.audit().len(), opened()),
        (before, vec!["three".to_owned(), "two".to_owned()]),
        "nothing changed"
    );
    house.wish(Wish::SecretForget { slug: "wadi".into() }).unwrap();
    assert_eq!(opened(), ["three"]);
    assert!(rotate("").unwrap_err().to_string().contains("empty"));
    assert!(house.audit().iter().all(|(_, facts)| !facts.contains("three") && !facts.contains("two")));
}

#[test]
fn a_closed_merchant_leaves_its_vendors_to_others_and_does_not_change() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    house.wish(Wish::MerchantClose { slug: "wadi".into() }).unwrap();
    assert_eq!(house.merchant("wadi").mode, Mode::Closed);
    assert!(house.set(PLAIN).unwrap_err().to_string().contains("a closed merchant does not change"));
    house.add(&PLAIN.replace("'wadi'", "'najd'")).unwrap();
}

#[test]
fn a_closed_merchant_is_opened_into_a_pause_with_what_is_still_its_own() {
    let house = House::new();
    let open = |slug: &str| house.wish(Wish::MerchantOpen { slug: slug.into(), secret: None });
    let close = |slug: &str| house.wish(Wish::MerchantClose { slug: slug.into() }).unwrap();
    let owned = || house.db.read(|c| merchant::vendors_of_shop(c, "wadi.myshopify.com")).unwrap();
    house.add(&format!("mode = 'live'\n{PLAIN}")).unwrap();
    assert_eq!(open("wadi").unwrap().answer["changed"], json!([]), "it is not closed");
    close("wadi");
    let done = open("wadi").unwrap();
    assert_eq!((&done.answer["mode"], done.effects.doors_changed), (&json!("paused"), true));
    let again = house.merchant("wadi");
    assert_eq!((again.mode, again.live_from), (Mode::Paused, None), "never straight into live");
    assert_eq!(owned(), [("*".to_owned(), again.id)]);
    house.wish(Wish::MerchantResume { slug: "wadi".into() }).unwrap();
    assert_eq!(house.merchant("wadi").mode, Mode::Shadow);
    assert!(house.audit().iter().any(|(action, _)| action == "merchant.open"));

    // All lines belong to somebody else by now.
    close("wadi");
    house.add(&PLAIN.replace("'wadi'", "'najd'")).unwrap();
    let answer = open("wadi").unwrap().answer;
    let notes = answer["notes"].to_string();
    assert!(notes.contains("have these vendors now, so they stay there: * (najd)"), "{notes}");
    assert_eq!(answer["vendors_lost"], json!([{ "vendor": "*", "merchant": "najd" }]));
    assert_eq!(owned(), [("*".to_owned(), house.merchant("najd").id)]);
    assert_eq!(MerchantFile::of(&house.merchant("wadi"), "https://wadi.daftra.com").lines.vendors, [""; 0]);
    assert!(refusal(house.wish(Wish::MerchantResume { slug: "wadi".into() })).contains("lines.vendors"));

    // One of two vendors is.
    close("najd");
    house.set(&PLAIN.replace("['*']", "['A', 'B']")).unwrap();
    close("wadi");
    open("najd").unwrap();
    house.set(&PLAIN.replace("'wadi'", "'najd'").replace("['*']", "['b', 'c']")).unwrap();
    let answer = open("wadi").unwrap().answer;
    assert!(answer["notes"].to_string().contains("stay there: b (najd)\""), "{answer}");
    assert_eq!(answer["vendors_lost"], json!([{ "vendor": "b", "merchant": "najd" }]));
    let names: Vec<String> = owned().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(refusal(open("nobody")).contains("there is no such merchant"));
}

#[test]
fn a_closed_merchant_stays_closed_while_another_shop_has_its_secret() {
    let house = House::new();
    house.wish(Wish::MerchantAdd(proposal(PLAIN, with(&["shared"], None)))).unwrap();
    house.wish(Wish::MerchantClose { slug: "wadi".into() }).unwrap();
    let other = PLAIN.replace("'wadi'", "'najd'").replace("wadi.myshopify", "najd.myshopify");
    house.wish(Wish::MerchantAdd(proposal(&other, with(&["shared"], None)))).unwrap();
    let open = |given: Option<&str>| house.wish(Wish::MerchantOpen { slug: "wadi".into(), secret: given.map(secret) });
    let refused = refusal(open(None));
    assert!(refused.contains("\"najd\" of another shop has the same secret by now"), "{refused}");
    assert!(refused.contains("give a new secret of this shop together with opening it"), "{refused}");
    assert!(refusal(open(Some("shared"))).contains("give each shop an app of its own"), "still not its own");
    assert!(refusal(open(Some(""))).contains("empty"));
    assert_eq!(house.merchant("wadi").mode, Mode::Closed);
    let before = house.audit().len();
    let done = open(Some("own")).unwrap();
    assert_eq!((&done.answer["mode"], &done.answer["secrets"]), (&json!("paused"), &json!(["webhook_secret"])));
    assert!(done.effects.doors_changed, "the intake must hear of it");
    assert_eq!(house.webhook_secrets("wadi"), ["own"], "what is another shop's proves nothing here");
    assert_eq!(house.webhook_secrets("najd"), ["shared"]);
    assert!(house.audit().iter().all(|(_, facts)| !facts.contains("\"own\"")));
    // Said again it changes nothing; with another secret it is as if that were replaced.
    open(Some("own")).unwrap();
    assert_eq!(house.audit().len(), before + 1);
    open(Some("next")).unwrap();
    assert_eq!(house.webhook_secrets("wadi"), ["next", "own"]);
}

#[test]
fn a_merchant_may_be_opened_with_the_secret_of_before_or_another_one() {
    let house = House::new();
    house.wish(Wish::MerchantAdd(proposal(PLAIN, with(&["one"], None)))).unwrap();
    let close = || house.wish(Wish::MerchantClose { slug: "wadi".into() }).unwrap();
    let open = |given: Option<&str>| {
        house.wish(Wish::MerchantOpen { slug: "wadi".into(), secret: given.map(secret) }).unwrap();
        house.webhook_secrets("wadi")
    };
    close();
    assert_eq!(open(None), ["one"]);
    close();
    assert_eq!(open(Some("one")), ["one"]);
    close();
    assert_eq!(open(Some("two")), ["two", "one"], "the shop may go on with the old one for a while");
}

/// What was asked for in vain may be there by now, whichever way somebody says "again".
#[test]
fn whoever_asks_again_has_products_asked_for_again() {
    let house = House::new();
    house.add(PLAIN).unwrap();
    let order_id = standing(&house, 1, order::State::Held, Some(Reason::Held(vec![Hold::CancelledButPaid])));
    standing(&house, 2, order::State::Failed, Some(Reason::Failed(Failed::NoEnd)));
    let merchant_id = house.merchant("wadi").id;
    let misses = || {
        let count = |c: &Connection| c.query_row("select count(*) from product_miss", [], |row| row.get::<_, i64>(0));
        house.db.read(|c| Ok(count(c).unwrap())).unwrap()
    };
    for wish in [
        Wish::OrderRetry { order_id },
        Wish::HoldRelease { slug: None, cause: "cancelled_but_paid".into(), about: None },
        Wish::FailedRetry { slug: "wadi".into() },
    ] {
        let told = serde_json::to_string(&wish).unwrap();
        house.db.write(move |tx| product::learn(tx, merchant_id, &Code::new("a"), &[], now())).unwrap();
        assert_eq!(misses(), 1);
        house.wish(wish).unwrap();
        assert_eq!(misses(), 0, "{told}");
    }
}

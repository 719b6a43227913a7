//! What the demo plays on: a fake Daftra and fake shops in this process, the product itself as a child process that can
//! be killed, and a folder that disappears afterwards. Everything stays on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow, bail};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::interrupt::Interrupt;
use super::scenario::From;
use crate::cli::sandbox::sample;
use crate::clock::Clock;
use crate::sandbox::daftra::AccountSetup;
use crate::sandbox::fault::Fault;
use crate::sandbox::shop::cart::{Product, VariantId};
use crate::sandbox::shop::delivery::{Delivery, Sender};
use crate::sandbox::shop::{Shop, ShopSetup};
use crate::sandbox::{Server, World};
use crate::vault;

/// A merchant of the demo: slug, shop, Daftra account, vendors.
pub(super) const MERCHANTS: [(&str, From, &str, &str); 3] = [
    ("wadi", From::Souq, "one", "Wadi Home"),
    ("najd", From::Souq, "two", "عطور نجد"),
    ("bahr", From::Kuwait, "three", "*"),
];

/// How often a delivery is sent before the demo gives up; between two tries lies [`PAUSE`].
const TRIES: u32 = 200;
/// Books of more bytes are not those of a demo.
const LARGEST_BOOKS: u64 = 1 << 30;
const PAUSE: SignedDuration = SignedDuration::from_millis(50);
/// How often a new life is tried: its port is the old one's, and may be somebody else's for a moment.
const LIVES: u32 = 20;

/// A merchant as the first part of its file has it.
pub(super) struct Sign<'a> {
    pub(super) slug: &'a str,
    pub(super) name: &'a str,
    pub(super) zone: &'a str,
    pub(super) domain: &'a str,
    pub(super) account: &'a str,
    pub(super) store: u64,
    pub(super) client: u64,
}

/// How the serving process is set up, beyond what every demo needs.
#[derive(Default)]
pub(super) struct Manner {
    /// Sections of the configuration.
    pub(super) settings: &'static str,
    /// Arguments of `serve`.
    pub(super) arguments: Vec<String>,
}

/// A folder that goes with whoever holds it.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("qantara-demo-{}", vault::random_token()));
        let made = fs::DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("Cannot make the folder {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing that could be done about it here.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The stage; dropping it ends the child and removes the folder.
pub(super) struct Stage {
    folder: Folder,
    program: PathBuf,
    server: Server,
    /// Also while it is starting.
    serving: Option<Child>,
    interrupt: Interrupt,
    /// Where it listens, in all its lives.
    address: Option<SocketAddr>,
    sender: Sender,
    /// Each shop signs with its own.
    secrets: BTreeMap<&'static str, String>,
    speed: u32,
    manner: Manner,
    /// The time of the play, shared with the child.
    pub(super) clock: Clock,
    /// The time of this machine, for waiting.
    real: Clock,
    shops: BTreeMap<&'static str, (Shop, BTreeMap<String, VariantId>)>,
    pub(super) kills: u32,
}

impl Stage {
    /// Sets everything up and starts the product in its manner.
    pub(super) fn with(speed: u32, manner: Manner, interrupt: Interrupt) -> anyhow::Result<Self> {
        let clock = Clock::scaled(Clock::real().now(), speed);
        let mut world = World::new(1);
        for (name, currency, decimals) in [("one", "SAR", 2), ("two", "SAR", 2), ("three", "KWD", 3)] {
            let setup = AccountSetup {
                name: name.to_owned(),
                currency: currency.to_owned(),
                decimals,
                ..AccountSetup::default()
            };
            let (account, _) = sample(setup, &clock).map_err(|why| anyhow!("The fake Daftra is wrong: {why}"))?;
            world.add(account);
        }
        let settings = manner.settings;
        let domains = [From::Souq, From::Kuwait].map(domain);
        let mut stage = Self::bare(speed, clock, world, &domains, interrupt)?;
        stage.manner = manner;
        stage.open_shops();
        stage.write_config(settings)?;
        stage.write_merchants()?;
        stage.start()?;
        Ok(stage)
    }

    /// A stage with a fake Daftra and the secrets of some shops, and nobody on it.
    pub(super) fn bare(
        speed: u32,
        clock: Clock,
        world: World,
        domains: &[&'static str],
        interrupt: Interrupt,
    ) -> anyhow::Result<Self> {
        let of_world = clock.clone();
        let stage = Self {
            program: std::env::current_exe().context("Cannot find this program itself")?,
            server: Server::start(Arc::new(Mutex::new(world)), move || of_world.now())?,
            serving: None,
            address: None,
            sender: Sender::new(),
            shops: BTreeMap::new(),
            secrets: domains.iter().map(|domain| (*domain, vault::random_token())).collect(),
            speed,
            manner: Manner::default(),
            folder: Folder::make()?,
            interrupt,
            clock,
            real: Clock::real(),
            kills: 0,
        };
        for (domain, secret) in &stage.secrets {
            stage.write_file(&format!("{domain}.secret"), secret)?;
        }
        let key = AccountSetup::default().keys.first().map(|key| key.key.clone()).unwrap_or_default();
        stage.write_file("daftra-key", &key)?;
        Ok(stage)
    }

    fn open_shops(&mut self) {
        for (from, currency, seed) in [(From::Souq, "SAR", 1), (From::Kuwait, "KWD", 2)] {
            let mut setup = ShopSetup { seed, ..ShopSetup::new(domain(from), self.secret(domain(from)), currency) };
            if from == From::Kuwait {
                // Numbers that cannot be mistaken for the other shop's.
                (setup.taxes, setup.taxes_included, setup.first_order_number) = (Vec::new(), false, 5001);
            }
            let digits = setup.digits();
            let mut shop = Shop::new(setup);
            let variants = shelf(digits).map(|product| (product.sku.clone(), shop.sell(product))).collect();
            self.shops.insert(domain(from), (shop, variants));
        }
    }

    /// The configuration, with `more` of it.
    pub(super) fn write_config(&self, more: &str) -> anyhow::Result<()> {
        let folder = self.folder().display();
        let text = format!(
            "[data]\nfolder = \"{folder}\"\n[vault]\nkey_file = \"{folder}/key\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
             [outgoing]\nallow = [\"127.0.0.0/8\"]\n[backup]\nevery_ms = 0\n[log]\nfilter = \"warn\"\n{more}"
        );
        self.write_file("config.toml", &text)
    }

    /// A merchant's file as a person would write it, with the lines that are the merchant's and the policies for orders.
    pub(super) fn merchant_file(&self, sign: &Sign<'_>, lines: &str, orders: &str) -> String {
        let Sign { slug, name, zone, domain, account, store, client } = sign;
        let (address, live_from) = (self.server.address(), self.clock.now() - SignedDuration::from_hours(1));
        format!(
            "slug = \"{slug}\"\nname = \"{name}\"\ntime_zone = \"{zone}\"\nmode = \"live\"\n\
             [shop]\ndomain = \"{domain}\"\nwebhook_secret_files = [\"{domain}.secret\"]\n\
             [daftra]\nurl = \"http://{address}/acct/{account}\"\nkey_file = \"daftra-key\"\n\
             store_id = {store}\nclient_id = {client}\n[lines]\n{lines}\n\
             [orders]\nignored_sources = [\"pos\"]\nlive_from = \"{live_from}\"\n{orders}\n"
        )
    }

    /// The merchants' files.
    fn write_merchants(&self) -> anyhow::Result<()> {
        for (slug, from, account, vendor) in MERCHANTS {
            let tax = "[[tax]]\nrate = \"0.15\"\nincluded = true\ndaftra_id = 1\n";
            let (name, domain) = (shown(slug), domain(from));
            let sign = Sign { slug, name, zone: "Asia/Riyadh", domain, account, store: 1, client: 1 };
            let tax = if from == From::Souq { tax } else { "" };
            let text = self.merchant_file(&sign, &format!("vendors = [\"{vendor}\"]"), tax);
            self.write_file(&format!("{slug}.toml"), &text)?;
        }
        Ok(())
    }

    /// A file in the demo's folder that nobody else can read.
    pub(super) fn write_file(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder().join(name);
        let file = fs::File::options().create_new(true).write(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("Cannot write {}", path.display()))
    }

    /// Adds somebody who may sign in, and returns the password.
    pub(super) fn add_owner(&self) -> anyhow::Result<String> {
        let password: String = vault::random_token().chars().take(12).collect();
        self.write_file("password", &password)?;
        let file = self.folder().join("password").display().to_string();
        self.command(&["user", "add", "demo", "--role", "owner", "--password-file", &file])?;
        Ok(password)
    }

    /// Adds the merchants, through the command line like everybody.
    pub(super) fn add_merchants(&self) -> anyhow::Result<()> {
        for (slug, ..) in MERCHANTS {
            self.command(&["merchant", "add", &self.folder().join(format!("{slug}.toml")).display().to_string()])?;
        }
        Ok(())
    }

    /// A command of the product, and its answer.
    pub(super) fn command(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.at(arguments).output().context("Cannot run this program itself")?;
        // Ctrl-C in a terminal comes to the command as well.
        self.interrupt.check()?;
        if !output.status.success() {
            bail!("qantara {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("qantara {}", arguments.join(" ")))
    }

    fn at(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder().join("config.toml")).arg("--json").args(arguments);
        command
    }

    /// Starts the product.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        self.interrupt.check()?;
        let (speed, start) = (self.speed.to_string(), self.clock.now().to_string());
        let log = fs::File::options().create(true).append(true).open(self.folder().join("log"))?;
        let mut command = self.at(&["serve", "--clock-speed", &speed, "--clock-start", &start]);
        if let Some(address) = self.address {
            command.env("QANTARA__HTTP__LISTEN", address.to_string());
        }
        let child = command
            .args(&self.manner.arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C is for the demo, which ends the child itself.
            .process_group(0)
            .spawn()
            .context("Cannot start the serving process")?;
        let mut line = String::new();
        if let Some(stdout) = self.serving.insert(child).stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address =
            serde_json::from_str::<Value>(&line).ok().and_then(|said| said["listening"].as_str()?.parse().ok());
        if address.is_none() {
            self.end()?;
            bail!("The serving process did not start:\n{}", self.log());
        }
        self.address = address;
        Ok(())
    }

    /// What the serving processes said.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// kill -9, and a new life at the same address.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        if self.serving.is_some() {
            self.end()?;
            self.kills += 1;
        }
        for _ in 1..LIVES {
            self.interrupt.check()?;
            if self.start().is_ok() {
                return Ok(());
            }
            self.real.sleep(PAUSE);
        }
        self.start()
    }

    /// Ends the serving process the hard way.
    fn end(&mut self) -> std::io::Result<()> {
        let Some(mut child) = self.serving.take() else { return Ok(()) };
        child.kill()?;
        child.wait().map(drop)
    }

    /// Whether the serving process ended without being told to: somebody else killed it.
    pub(super) fn is_dead(&mut self) -> bool {
        self.serving.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|ended| ended.is_some()))
    }

    /// Where the pages are.
    pub(super) fn pages(&self) -> String {
        self.address.map_or_else(String::new, |address| format!("http://{address}/"))
    }

    /// Sends until it is taken, as Shopify does.
    pub(super) fn send(&self, delivery: &Delivery) -> anyhow::Result<()> {
        let url = format!("{}webhook", self.pages());
        for _ in 0..TRIES {
            self.interrupt.check()?;
            if let Ok(200) = self.sender.send(&url, delivery, self.secret(&delivery.shop_domain)) {
                return Ok(());
            }
            self.real.sleep(PAUSE);
        }
        bail!("{} was not taken after {TRIES} tries:\n{}", delivery.topic, self.log())
    }

    /// What a shop signs with.
    pub(super) fn secret(&self, domain: &str) -> &str {
        self.secrets.get(domain).map_or("", String::as_str)
    }

    /// A shop and its variants by SKU.
    pub(super) fn shop(&mut self, from: From) -> anyhow::Result<(&mut Shop, &BTreeMap<String, VariantId>)> {
        let (shop, variants) = self.shops.get_mut(domain(from)).context("there is no such shop")?;
        Ok((shop, variants))
    }

    /// Where the fake Daftra is commanded from.
    pub(super) fn control(&self) -> String {
        format!("http://{}/control", self.server.address())
    }

    /// The fake Daftra.
    pub(super) fn world(&self) -> Arc<Mutex<World>> {
        self.server.world()
    }

    /// Something goes wrong with the next create of an account.
    pub(super) fn spoil(&self, account: &str, fault: Fault) {
        let world = self.server.world();
        let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = world.account_mut(account) {
            account.add_fault(fault);
        }
    }

    /// What an account holds, read over HTTP.
    pub(super) fn books<T: DeserializeOwned>(&self, account: &str) -> anyhow::Result<T> {
        let mut answer = agent().get(&self.desk(account, "books")).call()?;
        let body = answer.body_mut().with_config().limit(LARGEST_BOOKS).reader();
        serde_json::from_reader(BufReader::new(body)).with_context(|| format!("Cannot read the books of {account}"))
    }

    /// Does something in an account over HTTP, as `control` of the sandbox describes it.
    pub(super) fn at_the_desk(&self, account: &str, action: &str, what: &Value) -> anyhow::Result<()> {
        let asked = agent().post(&self.desk(account, action)).send(what.to_string().as_bytes());
        asked.map(drop).with_context(|| format!("{account} does not take the {action} {what}"))
    }

    fn desk(&self, account: &str, action: &str) -> String {
        format!("{}/acct/{account}/{action}", self.control())
    }

    /// Waits for as long as an eye blinks, of this machine's time.
    pub(super) fn blink(&self) {
        self.real.sleep(PAUSE / 10);
    }

    /// Waits a moment of this machine's time.
    pub(super) fn pause(&self) {
        self.real.sleep(PAUSE * 4);
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Nothing that could be done about it here; the folder goes either way.
        let _ = self.end();
    }
}

/// What a shop sells: the samples, something Daftra does not know, and something of a vendor that nobody is.
pub(super) fn shelf(digits: u32) -> impl Iterator<Item = Product> {
    let extra = |sku: &str, vendor: &str, title: &str| Product {
        sku: sku.to_owned(),
        price: Decimal::TEN,
        vendor: vendor.to_owned(),
        title: title.to_owned(),
        variant_title: None,
        taxable: true,
    };
    let extras = [extra("ZZ-404", "Wadi Home", "Surprise box"), extra("SL-1", "Souq Lights", "Paper lantern")];
    Product::samples(digits).into_iter().chain(extras)
}

/// A merchant's name for people.
pub(super) fn shown(slug: &str) -> &str {
    match slug {
        "wadi" => "Wadi Home",
        "najd" => "عطور نجد",
        "bahr" => "Bahr Trading",
        other => other,
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).build().into()
}

pub(super) fn domain(from: From) -> &'static str {
    match from {
        From::Souq => "souq.myshopify.com",
        From::Kuwait => "kuwait.myshopify.com",
    }
}

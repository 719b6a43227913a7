//! `init`: what a server needs before its first start - a configuration, a data folder, the master key and an owner.
//!
//! What is there already is left as it is and said so: whoever was interrupted runs it again. It asks for what was not
//! given if a person sits at the terminal, and names the flags if nobody does. Nothing of the service manager here:
//! that is `install`, which begins with this.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::user::Password;
use super::{Ended, Session, open};
use crate::clock::Clock;
use crate::config::network::Network;
use crate::config::{self as configuration, Config};
use crate::db::lock::ServerLock;
use crate::db::user::{self, Role};
use crate::desk::{Desk, Person, Wish};
use crate::engine::Settings;

/// Where the configuration lies when nobody says otherwise.
pub(super) const CONFIG_FILE: &str = "/etc/qantara/config.toml";
pub(super) const DATA_FOLDER: &str = "/var/lib/qantara";
const KEY_FILE: &str = "/etc/qantara/qantara.key";

#[derive(clap::Args)]
pub(super) struct Init {
    #[command(flatten)]
    setup: Setup,
}

/// How Shopify and browsers reach the server, and who owns it.
#[derive(clap::Args)]
pub(super) struct Setup {
    /// Scheme and host under which Shopify and browsers reach this server, for example https://orders.example.com
    #[arg(long, value_name = "ORIGIN")]
    public_address: Option<String>,
    /// How the way to this server is encrypted
    #[arg(long, value_enum)]
    https: Option<Https>,
    /// With --https acme: a mail address for the certificate authority
    #[arg(long, value_name = "MAIL")]
    contact: Option<String>,
    /// With --https acme: agree to the terms of the certificate authority
    #[arg(long)]
    agree_to_terms: bool,
    /// With --https acme: another certificate authority than Let's Encrypt
    #[arg(long, value_name = "URL")]
    acme_directory: Option<String>,
    /// With --https acme: certificates to trust when talking to that authority
    #[arg(long, value_name = "FILE")]
    acme_ca_file: Option<PathBuf>,
    /// With --https files: the certificate chain
    #[arg(long, value_name = "FILE", requires = "certificate_key_file")]
    certificate_file: Option<PathBuf>,
    /// With --https files: the certificate's private key
    #[arg(long, value_name = "FILE", requires = "certificate_file")]
    certificate_key_file: Option<PathBuf>,
    /// With --https proxy: the network the proxy calls from
    #[arg(long, value_name = "NETWORK", default_value = "127.0.0.1")]
    trusted_proxy: Network,
    /// Address and port to listen on; by default what fits to --https
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Folder of the database
    #[arg(long, value_name = "FOLDER", default_value = DATA_FOLDER)]
    data_folder: PathBuf,
    /// The master key, which seals all secrets
    #[arg(long, value_name = "FILE", default_value = KEY_FILE)]
    key_file: PathBuf,
    /// The name with which the first owner signs in
    #[arg(long, value_name = "NAME", default_value = "owner")]
    owner: String,
    #[command(flatten)]
    password: Password,
}

/// Who encrypts.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Https {
    /// This server, with certificates that it gets by itself from Let's Encrypt
    Acme,
    /// This server, with certificate files that somebody else renews
    Files,
    /// A proxy in front of it
    Proxy,
    /// Nobody: for a trial on this machine
    None,
}

/// What there was and what was made.
pub(super) struct Made {
    pub(super) config: Config,
    pub(super) said: Vec<String>,
    pub(super) password: Option<secrecy::SecretString>,
    owner: Option<String>,
}

impl Init {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        let file = session.config_file.clone().unwrap_or_else(|| CONFIG_FILE.into());
        let made = self.setup.make(session, &file, Path::new("/"))?;
        let lines = [made.said.clone(), made.owner_words(), next_steps(&made.config, false)].concat();
        session.out.say(&made.value(&file), || lines.join("\n"))?;
        Ok(Ended::Fine)
    }
}

impl Made {
    pub(super) fn value(&self, file: &Path) -> serde_json::Value {
        let password = self.password.as_ref().map(|password| password.expose_secret());
        json!({ "config": file, "owner": self.owner, "password": password })
    }

    /// Who may sign in now; a password that was made up is told this once.
    pub(super) fn owner_words(&self) -> Vec<String> {
        let Some(owner) = &self.owner else { return Vec::new() };
        let mut lines = vec![format!("Owner: {owner}")];
        lines.extend(self.password.as_ref().map(|it| format!("Password, shown this once: {}", it.expose_secret())));
        lines
    }
}

impl Setup {
    /// The service is let into these places and no others.
    pub(super) fn demand_the_places_of_the_service(&self) -> anyhow::Result<()> {
        for (flag, chosen, usual) in
            [("--data-folder", &self.data_folder, DATA_FOLDER), ("--key-file", &self.key_file, KEY_FILE)]
        {
            if chosen != Path::new(usual) {
                bail!("{flag} is {}: the service works with {usual} only, leave {flag} out", chosen.display());
            }
        }
        Ok(())
    }

    /// Makes what is missing. `root` is the folder that will be `/` when the server runs.
    pub(super) fn make(self, session: &Session, file: &Path, root: &Path) -> anyhow::Result<Made> {
        let inside = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
        let mut said = Vec::new();
        let there = inside(file);
        if there.try_exists().with_context(|| format!("Cannot look for {}", there.display()))? {
            said.push(format!("{} is there already: it stays as it is", there.display()));
        } else {
            let text = self.configuration()?;
            let failed = || format!("Cannot write {}", there.display());
            make_folder(there.parent().unwrap_or(Path::new("/")), 0o755)?;
            let part = put_aside(&there, &text).with_context(failed)?;
            // What is refused gets no name: the next try would find it there and leave it as it is.
            if let Err(error) = configuration::load(Some(&part), session.environment.iter().cloned()) {
                fs::remove_file(&part).with_context(failed)?;
                return Err(error.into());
            }
            fs::rename(&part, &there).with_context(failed)?;
            said.push(format!("Wrote {}", there.display()));
        }
        let mut config = configuration::load(Some(&there), session.environment.iter().cloned())?;
        config.data.folder = inside(&config.data.folder);
        config.vault.key_file = inside(&config.vault.key_file);
        make_folder(&config.data.folder, 0o700)?;
        make_folder(config.vault.key_file.parent().unwrap_or(Path::new("/")), 0o755)?;

        let _lock = ServerLock::take(&config.data.folder)?;
        let now = Clock::real().now();
        let opened = open::open(&config, now)?;
        let owners = opened.db.read(user::all)?;
        let (mut owner, mut password) = (None, None);
        if owners.iter().any(|user| user.role == Role::Owner && user.disabled_at.is_none()) {
            said.push("There is an owner already: nobody was added".to_owned());
        } else {
            let (secret, made_up) = self.password.get_or_make_up()?;
            let policy = Settings::new(&config).policy;
            let desk = Desk { db: &opened.db, vault: &opened.vault, policy };
            let add = Wish::UserAdd { name: self.owner.clone(), role: Role::Owner, password: secret };
            desk.perform(add, now, Person::AT_THE_COMMAND_LINE)?;
            (owner, password) = (Some(self.owner), made_up);
        }
        Ok(Made { config, said, password, owner })
    }

    /// The configuration that these answers come to.
    fn configuration(&self) -> anyhow::Result<String> {
        let origin = match &self.public_address {
            Some(origin) => origin.trim_end_matches('/').to_ascii_lowercase(),
            None => ask(
                "Under which address will Shopify reach this server, for example https://orders.example.com?",
                "--public-address https://orders.example.com",
                None,
            )?
            .to_ascii_lowercase(),
        };
        let https = match self.https {
            Some(https) => https,
            None if self.certificate_file.is_some() => Https::Files,
            None => chosen(&ask("How is it encrypted: acme, files, proxy or none?", "--https acme", Some("acme"))?)?,
        };
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).unwrap_or_default();
        if host.is_empty() || (https != Https::None && !origin.starts_with("https://")) {
            bail!("--public-address is {origin}: write https:// and the host, for example https://orders.example.com");
        }
        let text = |value: &dyn std::fmt::Display| toml::Value::String(value.to_string()).to_string();
        let listen = self.listen.unwrap_or_else(|| https.usual_listen());
        let mut http = format!("[http]\nlisten = {}\npublic_address = {}\n", text(&listen), text(&origin));
        let mut acme = String::new();
        match https {
            Https::Acme => {
                let name = host.split(':').next().unwrap_or_default();
                if !self.agree_to_terms && !agrees()? {
                    bail!("--agree-to-terms is missing: without it no authority gives a certificate");
                }
                let plain = SocketAddr::new(everywhere(), 80);
                acme = format!(
                    "\n[acme]\ndomains = [{}]\nagree_to_terms = true\nlisten = {}\n",
                    text(&name),
                    text(&plain)
                );
                let more = [
                    ("contact", self.contact.clone()),
                    ("directory", self.acme_directory.clone()),
                    ("extra_ca_file", self.acme_ca_file.as_ref().map(|file| file.display().to_string())),
                ];
                for (key, value) in more {
                    acme.extend(value.map(|value| format!("{key} = {}\n", text(&value))));
                }
            }
            Https::Files => {
                let (Some(chain), Some(key)) = (&self.certificate_file, &self.certificate_key_file) else {
                    bail!("--https files wants --certificate-file and --certificate-key-file");
                };
                http += &format!("certificate_file = {}\n", text(&chain.display()));
                http += &format!("certificate_key_file = {}\n", text(&key.display()));
            }
            Https::Proxy => http += &format!("trusted_proxies = [{}]\n", text(&self.trusted_proxy)),
            Https::None => {}
        }
        let (data, key) = (text(&self.data_folder.display()), text(&self.key_file.display()));
        Ok(format!(
            "# Only what differs from the defaults; `qantara config show` prints every key.\n\n\
             [data]\nfolder = {data}\n\n{http}{acme}\n[vault]\nkey_file = {key}\n"
        ))
    }
}

impl Https {
    fn usual_listen(self) -> SocketAddr {
        match self {
            Self::Acme | Self::Files => SocketAddr::new(everywhere(), 443),
            Self::Proxy | Self::None => ([127, 0, 0, 1], 8080).into(),
        }
    }
}

/// All addresses of this machine, of both families if it has both.
fn everywhere() -> IpAddr {
    let both = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    TcpListener::bind((both, 0)).map_or(Ipv4Addr::UNSPECIFIED.into(), |_| both)
}

/// What a person does after this, with the commands to type.
pub(super) fn next_steps(config: &Config, is_installed: bool) -> Vec<String> {
    let origin = config.http.public_address.clone().unwrap_or_default();
    let host = origin.split("://").nth(1).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    let port = config.http.listen.port();
    let mut lines = vec![String::new(), "Next:".to_owned()];
    let mut step = |text: String| lines.push(format!("  {}. {text}", lines.len() - 1));
    if !config.http.listen.ip().is_loopback() {
        step(format!(
            "DNS: let {name} point to this machine (an A record, and AAAA if it has IPv6); then this says so: getent ahosts {name}"
        ));
        let ports = if !config.acme.is_on() { format!("{port}") } else { format!("{port} and 80") };
        step(format!(
            "Firewall: open TCP {ports}, for example: ufw allow {port}/tcp{}",
            if !config.acme.is_on() { "" } else { " && ufw allow 80/tcp" }
        ));
    }
    if !is_installed {
        step("Service: sudo qantara install (or, for a trial: qantara serve)".to_owned());
    }
    step("Check: qantara doctor".to_owned());
    step(format!("First merchant: open {origin}/merchants/new and sign in"));
    step(format!(
        "Keep a copy of {} apart from the backups: without it they cannot be opened",
        config.vault.key_file.display()
    ));
    lines
}

fn chosen(word: &str) -> anyhow::Result<Https> {
    Https::from_str(word, true).map_err(|_| anyhow::anyhow!("--https is {word}: write acme, files, proxy or none"))
}

fn agrees() -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    let answer = ask(
        "Do you agree to the terms of the certificate authority (letsencrypt.org/repository)?",
        "--agree-to-terms",
        Some("no"),
    )?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Asks at the terminal; an empty answer takes what is proposed. Without a terminal it names an example of the flag.
fn ask(question: &str, example: &str, proposed: Option<&str>) -> anyhow::Result<String> {
    let flag = example.split(' ').next().unwrap_or_default();
    if !io::stdin().is_terminal() {
        bail!("{flag} is missing: for example {example}");
    }
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} {}", proposed.map(|word| format!("[{word}] ")).unwrap_or_default())?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    match (line.trim(), proposed) {
        ("", Some(proposed)) => Ok(proposed.to_owned()),
        ("", None) => bail!("{flag} is missing: nothing was typed"),
        (answer, _) => Ok(answer.trim_end_matches('/').to_owned()),
    }
}

fn make_folder(folder: &Path, mode: u32) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(folder);
    made.with_context(|| format!("Cannot make the folder {}", folder.display()))
}

/// Whole or not at all: under another name first.
pub(super) fn put(file: &Path, text: &str) -> io::Result<()> {
    fs::rename(put_aside(file, text)?, file)
}

fn put_aside(file: &Path, text: &str) -> io::Result<PathBuf> {
    let part = file.with_added_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&part)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    Ok(part)
}

//! The product as a process: an installation in a folder of its own, commands, and servers on ports of their choice.

#![allow(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its stage fails")]

#[allow(clippy::duplicate_mod, reason = "some programs take two helpers that listen")]
#[path = "../common/leaks.rs"]
mod leaks;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

const QANTARA: &str = env!("CARGO_BIN_EXE_qantara");
pub(crate) const DOMAIN: &str = "wadi-home.myshopify.com";
pub(crate) const WEBHOOK_SECRET: &str = "shpss-a-very-secret-secret";
/// The key of the sandbox's account.
pub(crate) const DAFTRA_KEY: &str = "key-one";

/// How often something is asked for that must become so; each time is a process of its own.
const PATIENCE: u32 = 1_000;

/// A folder with everything an installation has.
pub(crate) struct House(TempDir);

impl House {
    pub(crate) fn new() -> Self {
        Self::inside(TempDir::new().unwrap())
    }

    pub(crate) fn inside(folder: TempDir) -> Self {
        let house = Self(folder);
        fs::create_dir(house.path("data")).unwrap();
        let path = |name: &str| house.path(name).display().to_string();
        let config = format!(
            "[data]\nfolder = '{}'\n[vault]\nkey_file = '{}'\n[http]\nlisten = '127.0.0.1:0'\n\
             [daftra]\npace_ms = 0\n[outgoing]\nallow = ['127.0.0.0/8']\n[log]\nfilter = 'trace'\nformat = 'json'\n",
            path("data"),
            path("qantara.key")
        );
        house.write("config.toml", &config);
        house.write("webhook-secret", &format!("{WEBHOOK_SECRET}\n"));
        house.write("daftra-key", DAFTRA_KEY);
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The merchant file for a Daftra address, with a line of its own at the top.
    pub(crate) fn merchant(&self, daftra: &str, line: &str) -> PathBuf {
        self.write(
            "merchant.toml",
            &format!(
                "slug = 'wadi-home'\nname = 'Wadi Home'\ntime_zone = 'Asia/Riyadh'\n{line}\n\
                 [shop]\ndomain = '{DOMAIN}'\nwebhook_secret_files = ['webhook-secret']\n\
                 [daftra]\nurl = '{daftra}'\nkey_file = 'daftra-key'\nstore_id = 1\nclient_id = 1\n\
                 [lines]\nvendors = ['*']\n[orders]\nlive_from = '2026-01-01T00:00:00Z'\n\
                 [[tax]]\nrate = '0.15'\nincluded = true\ndaftra_id = 1\n"
            ),
        )
    }

    pub(crate) fn qantara(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(QANTARA);
        command.env_clear().env("QANTARA_CONFIG", self.path("config.toml")).args(arguments);
        command
    }

    /// One more line under a `[section]` of the configuration.
    pub(crate) fn configure(&self, section: &str, line: &str) {
        let config = fs::read_to_string(self.path("config.toml")).unwrap();
        let head = format!("[{section}]\n");
        let config = match config.contains(&head) {
            true => config.replace(&head, &format!("{head}{line}\n")),
            false => format!("{config}{head}{line}\n"),
        };
        self.write("config.toml", &config);
    }

    /// What a command prints with `--json`.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Value {
        let output = self.qantara(arguments).arg("--json").assert().success().get_output().stdout.clone();
        serde_json::from_slice(&output).unwrap()
    }

    /// What a failing command complains of.
    pub(crate) fn complaint(&self, arguments: &[&str], code: i32) -> String {
        let assert = self.qantara(arguments).assert().code(code);
        String::from_utf8(assert.get_output().stderr.clone()).unwrap()
    }

    pub(crate) fn words(&self, arguments: &[&str]) -> String {
        let output = self.qantara(arguments).assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    }

    /// Waits for the one order to come to its end; if it does not, its story says why.
    pub(crate) fn until_settled(&self) {
        let state = || self.ask(&["order", "list"])[0]["state"].clone();
        for _ in 0..PATIENCE {
            match state().as_str() {
                Some("settled") => return,
                Some("failed") => break,
                Some(_) | None => {}
            }
        }
        panic!("{}", self.words(&["order", "show", "#1001"]));
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_under(arguments, None)
    }

    /// As a service manager does that listens for notices.
    pub(crate) fn start_under(&self, arguments: &[&str], notices: Option<&Path>) -> Running {
        self.spawn(&self.path("config.toml"), arguments, notices)
    }

    /// With another configuration than the house's own.
    pub(crate) fn start_with(&self, config: &Path, arguments: &[&str]) -> Running {
        self.spawn(config, arguments, None)
    }

    fn spawn(&self, config: &Path, arguments: &[&str], notices: Option<&Path>) -> Running {
        let mut command = Process::new(QANTARA);
        command.env_clear().env("QANTARA_CONFIG", config).args(arguments).arg("--json");
        command.envs(notices.map(|socket| ("NOTIFY_SOCKET", socket)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let about = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut complaint = String::new();
            child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
            panic!("it did not start: {complaint}")
        });
        // Read all along: a process whose pipe is full stands still with its next line.
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            log
        });
        Running { child: Some(child), about, log: Some(log) }
    }
}

/// A process that serves; its first line says where.
pub(crate) struct Running {
    child: Option<Child>,
    about: Value,
    log: Option<JoinHandle<String>>,
}

impl Running {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.about[key].as_str().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// SIGKILL: no goodbye of any kind.
    pub(crate) fn kill(mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "it had ended before it was killed");
        leaks::search(&self.log.take().unwrap().join().unwrap());
    }

    /// SIGTERM, and what it logged until it ended.
    pub(crate) fn stop(mut self) -> (ExitStatus, String) {
        let mut child = self.child.take().unwrap();
        assert!(Process::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        let log = self.log.take().unwrap().join().unwrap();
        leaks::search(&log);
        (status, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // A test that failed half-way leaves nothing behind.
            let _ = child.kill();
            let _ = child.wait();
            if let Some(Ok(log)) = self.log.take().map(JoinHandle::join).filter(|_| !thread::panicking()) {
                leaks::search(&log);
            }
        }
    }
}

pub(crate) fn http(method: &str, url: &str, body: Option<&Value>) -> Value {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let mut answer = match (method, body) {
        ("POST", Some(body)) => agent.post(url).send(body.to_string().as_bytes()).unwrap(),
        _ => agent.get(url).call().unwrap(),
    };
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// Asks again until it is so; the asking itself takes its time.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..PATIENCE {
        if is_so() {
            return;
        }
    }
    panic!("it never came to this: {what}");
}

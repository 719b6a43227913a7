//! A certificate that is got and renewed by itself (ACME, RFC 8555): the names of `acme.domains` are proved to lead here
//! over plain HTTP.
//!
//! The certificate in use stays in use on any failure, and is kept on the disk before it is needed there. Until the first
//! one comes, a stand-in that nobody trusts answers handshakes. Asking happens on the thread that looks after the
//! certificate, never while a request waits.

mod authority;
pub(super) mod challenges;
mod folder;
pub mod times;

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use secrecy::{ExposeSecret as _, SecretString};

use super::blocking::Serving;
use super::tls::facts::Facts;
use super::tls::{Finding, Pair, Shown, Unusable};
use crate::clock::Clock;
use crate::config::Config;
use crate::vault;
use authority::{Authority, Failure};
use challenges::Challenges;
use folder::{ACCOUNT, CERTIFICATE, FAILURE, Folder};

/// What a kept certificate begins with: which authority it is of. PEM lets text stand before.
const DIRECTORY: &str = "Directory: ";
/// When to try again to write what could not be written.
const SAVE_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// The wall clock may be set while we wait for months: it is asked again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// A server that starts again and again asks no more often than so for what it was refused: Let's Encrypt bears five failures
/// an hour.
const AFTER_A_RESTART: SignedDuration = SignedDuration::from_mins(15);

/// The certificate of `acme.domains`, and when the next is due.
pub(super) struct Acme {
    domains: Vec<String>,
    directory: String,
    folder: Folder,
    authority: Authority,
    pub(super) challenges: Arc<Challenges>,
    /// Where between early and late this server renews.
    chance: u16,
    /// What fits the configuration.
    held: Option<Held>,
    /// What is in use and not on the disk yet.
    unsaved: Option<SecretString>,
    failures: u32,
    /// Nobody is asked before, after failures.
    not_before: Timestamp,
}

struct Held {
    facts: Arc<Facts>,
    /// By our clock, if it was in this life.
    got_at: Option<Timestamp>,
}

impl Acme {
    /// What the server at this address begins with.
    pub(super) fn open(config: &Config, address: SocketAddr, clock: &Clock) -> Result<(Self, Pair), Unusable> {
        let (domains, directory) = (config.acme.domains.clone(), config.acme.directory.clone());
        let folder = Folder::of(&config.data.folder);
        folder.create().map_err(|error| {
            Unusable::new("data.folder", folder.path(), format!("{error}; let the server's user write there"))
        })?;
        let authority = Authority::new(&config.acme, clock.clone())?;
        let kept = kept(&folder).unwrap_or_else(|unusable| {
            tracing::warn!(%unusable, "The certificate that was kept is of no use; another is asked for");
            None
        });
        let is_of_today = |kept: &&Kept| kept.directory == directory && kept.pair.facts.covers(&domains);
        let held =
            kept.as_ref().filter(is_of_today).map(|kept| Held { facts: Arc::clone(&kept.pair.facts), got_at: None });
        let pair = kept.map_or_else(|| stand_in(&domains), |kept| kept.pair);
        let failed_at = folder.read(FAILURE).ok().flatten().and_then(|text| failed_at(&text, &directory, &domains));
        let not_before = failed_at.filter(|at| *at <= clock.now()).map_or(Timestamp::MIN, |at| at + AFTER_A_RESTART);
        let acme = Self {
            challenges: Arc::new(Challenges::new(config.public_origin(address))),
            chance: u16::from_be_bytes(vault::random()),
            unsaved: None,
            failures: 0,
            not_before,
            domains,
            directory,
            folder,
            authority,
            held,
        };
        Ok((acme, pair))
    }

    /// Does what is due, and says when to come again.
    pub(super) fn look(&mut self, shown: &Shown, clock: &Clock, serving: &Serving) -> (Finding, Timestamp) {
        if self.held.is_none() && self.failures == 0 {
            tracing::info!(
                domains = self.domains.join(", "),
                "Waiting for the certificate; until then nobody trusts ours"
            );
        }
        if self.due() <= clock.now() {
            match self.get(shown, clock, serving) {
                Ok(true) => {}
                Ok(false) => return (Finding::Nothing, clock.now()),
                Err(failure) => {
                    let why = self.come_again(&failure, clock.now());
                    return (Finding::Wrong(why), self.next(clock.now()));
                }
            }
        }
        let finding = match self.save() {
            Err(why) => Finding::Wrong(why),
            Ok(()) if self.failures > 0 || self.held.is_none() => Finding::Nothing,
            Ok(()) => Finding::Well,
        };
        (finding, self.next(clock.now()))
    }

    fn next(&self, now: Timestamp) -> Timestamp {
        if self.unsaved.is_some() { now + SAVE_AGAIN } else { self.due().min(now + LONGEST_WAIT) }
    }

    /// What is wrong, and when it is tried again.
    fn come_again(&mut self, failure: &Failure, now: Timestamp) -> String {
        self.failures += 1;
        let left = self.held.as_ref().map_or(SignedDuration::ZERO, |held| held.facts.not_after.duration_since(now));
        self.not_before = now + times::pause(self.failures, left, failure.come_again);
        let told = format!("{now}\n{}\n{}\n", self.directory, self.domains.join(" "));
        if let Err(error) = self.folder.write(FAILURE, &told) {
            tracing::warn!(%error, "cannot note that the authority was asked in vain");
        }
        format!("{failure}. The next try is at {:.0}", self.not_before)
    }

    fn due(&self) -> Timestamp {
        let renewal = self.held.as_ref().map_or(Timestamp::MIN, |held| {
            times::renewal(held.facts.not_before, held.facts.not_after, held.got_at, self.chance)
        });
        renewal.max(self.not_before)
    }

    /// Gets a certificate and shows it. False: the server stops.
    fn get(&mut self, shown: &Shown, clock: &Clock, serving: &Serving) -> Result<bool, Failure> {
        let ordered = match self.order(serving) {
            // The authority lost our account: an authority for trials does so with every start.
            Err(failure) if failure.is_stranger => {
                self.folder.remove(ACCOUNT).map_err(|error| self.unwritable(&error))?;
                self.order(serving)
            }
            ordered => ordered,
        };
        self.challenges.forget();
        let Some(text) = ordered? else { return Ok(false) };
        let pem = text.expose_secret().as_bytes();
        let pair =
            Pair::from_pem(pem, pem).map_err(|unfit| Failure::new(format!("What came is of no use: {unfit}")))?;
        if !pair.facts.covers(&self.domains) {
            return Err(Failure::new(format!("What came is for other names: {}", pair.facts)));
        }
        tracing::info!(certificate = %pair.facts, "A new certificate is in use");
        self.held = Some(Held { facts: Arc::clone(&pair.facts), got_at: Some(clock.now()) });
        self.unsaved = Some(text);
        (self.failures, self.not_before) = (0, Timestamp::MIN);
        if let Err(error) = self.folder.remove(FAILURE) {
            tracing::warn!(%error, "cannot take the note of the last failure away");
        }
        shown.swap(pair);
        Ok(true)
    }

    /// The text to keep. None: the server stops.
    fn order(&self, serving: &Serving) -> Result<Option<SecretString>, Failure> {
        let known = self.folder.read(ACCOUNT).map_err(|error| self.unwritable(&error))?.map(SecretString::from);
        let Some(entered) = serving.run(self.authority.clone().enter(known)) else { return Ok(None) };
        let (account, made) = entered??;
        if let Some(made) = made {
            self.folder.write(ACCOUNT, made.expose_secret()).map_err(|error| self.unwritable(&error))?;
        }
        let order = self.authority.clone().order(account, self.domains.clone(), Arc::clone(&self.challenges));
        let Some(issued) = serving.run(order) else { return Ok(None) };
        let pem = issued??;
        Ok(Some(SecretString::from(format!("{DIRECTORY}{}\n{}", self.directory, pem.expose_secret()))))
    }

    fn save(&mut self) -> Result<(), String> {
        if let Some(text) = &self.unsaved {
            self.folder.write(CERTIFICATE, text.expose_secret()).map_err(|error| {
                let folder = self.folder.path().display();
                format!("The new certificate is in use, but {folder} does not keep it: {error}. Make room there")
            })?;
            self.unsaved = None;
        }
        Ok(())
    }

    fn unwritable(&self, error: &std::io::Error) -> Failure {
        let folder = self.folder.path().display();
        Failure::new(format!("{folder} cannot be used: {error}. Let the server's user write there"))
    }
}

/// When the same was asked for in vain.
fn failed_at(text: &str, directory: &str, domains: &[String]) -> Option<Timestamp> {
    let mut lines = text.lines();
    let at = lines.next()?.parse().ok()?;
    (lines.next() == Some(directory) && lines.next() == Some(&domains.join(" "))).then_some(at)
}

/// What a server with this configuration would begin with, if its authority can be called at all.
pub(super) fn on_disk(config: &Config) -> Result<Option<Arc<Facts>>, Unusable> {
    authority::outgoing(&config.acme)?;
    Ok(kept(&Folder::of(&config.data.folder))?.map(|kept| kept.pair.facts))
}

struct Kept {
    directory: String,
    pair: Pair,
}

fn kept(folder: &Folder) -> Result<Option<Kept>, Unusable> {
    let unusable = |why: String| Unusable::new("data.folder", &folder.path().join(CERTIFICATE), why);
    let text = folder.read(CERTIFICATE).map_err(|error| unusable(format!("{error}; let the server's user read it")))?;
    let Some(text) = text.map(SecretString::from) else { return Ok(None) };
    let text = text.expose_secret();
    let directory = text.lines().next().and_then(|line| line.strip_prefix(DIRECTORY)).unwrap_or_default().to_owned();
    match Pair::from_pem(text.as_bytes(), text.as_bytes()) {
        Ok(pair) => Ok(Some(Kept { directory, pair })),
        Err(unfit) => Err(unusable(format!("{unfit}; or remove the file, and another comes"))),
    }
}

/// A certificate of our own making, so that there is something to answer with.
fn stand_in(domains: &[String]) -> Pair {
    let key = KeyPair::generate().expect("the kernel gives random bytes, and ring needs nothing else");
    let mut params = CertificateParams::new(domains).expect("the configuration lets only DNS names through");
    params.distinguished_name.push(DnType::CommonName, "Qantara waits for its certificate");
    let certificate = params.self_signed(&key).expect("a key of ring's signs what rcgen writes");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Pair::new(vec![certificate.der().clone()], key.into()).expect("the key was just made for it")
}

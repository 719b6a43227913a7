//! Who is asking, and may they: HTTP Basic against argon2id, tokens for the API, and the proofs that handlers demand.
//!
//! - [`Viewer`] and [`Actor`] can only be made here, from a request. A handler that changes something takes an `Actor`, so
//!   it cannot be reached without role and either same origin and form token, or a token of the API. A browser sends its
//!   password by itself, also for a page of strangers; a token it does not have. So the API changes nothing on a password.
//! - A token is looked up by its hash on every request and is its user with less: role and scope are the smaller of both.
//! - A proven header is remembered for five minutes as a keyed hash, beside the user's id and password hash, which are
//!   compared with the live row on every request: a new password, another role or a disabled account work at once.
//! - An unknown user costs the same argon2 as a known one. Two passwords are proven at a time, a bounded number waits.
//! - Failures delay by account name and network: an answer 429, never a held thread. A proven header is never delayed.
//!
//! Every map is bounded; what is lost at the bound is convenience (a proof) or the mildest of the delays.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::blocking::blocking;
use super::reply::Problem;
use super::{Parts, peer};
use crate::clock::Clock;
use crate::db::token;
use crate::db::user::{self, Role, User};
use crate::db::{self, Db, tally};
use crate::desk::Via;
use crate::text::Notice;
use crate::vault::{KeyedHash, fingerprint, verify_password};

/// Passwords proven at once, 19 MiB each.
const SEATS: usize = 2;
/// Sign-ins that may wait for a seat; one more is answered 503.
const QUEUE: usize = 64;
/// How long a proven header needs no argon2.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);
/// Proven headers kept; the oldest go first.
const PROOFS: usize = 1_024;
/// Failures of one name from one network that cost nothing: people mistype.
const FREE_TRIES: u32 = 5;
/// Each failure after those doubles the delay, from one second to this.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(5);
/// Without a failure for so long, all are forgotten.
const FORGIVEN: SignedDuration = SignedDuration::from_hours(1);
/// Names with failures kept; those with the fewest failures go first, so that inventing names frees nobody.
const NAMES: usize = 4_096;

const DAY_SECONDS: i64 = 86_400;

/// Somebody who signed in, or a script of somebody.
#[derive(Clone, Debug)]
pub struct Viewer {
    user: User,
    /// The token that was shown instead of a password.
    token: Option<i64>,
}

/// Somebody who pressed a button on our own page or whose script showed a token, and whose role is enough for it.
#[derive(Clone, Debug)]
pub struct Actor(Viewer);

/// Somebody whose role is enough and who comes from a page of ours; whether they meant to, the form's token will tell.
pub(super) struct Presser(Viewer);

impl Viewer {
    /// The user as the database has it now; for a script no more than its token allows.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Whether their role is this one, or includes it.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.user.role >= role
    }
}

impl Actor {
    /// The user as the database has it now; for a script no more than its token allows.
    pub fn user(&self) -> &User {
        &self.0.user
    }

    /// How a wish of theirs comes.
    pub(super) fn via(&self) -> Via {
        self.0.token.map_or(Via::Page, |token| Via::Api { token })
    }
}

/// A keyed hash of a header, or of a name and a network.
type Key = [u8; 32];

/// Stands before every page.
pub(super) struct Guard {
    db: Arc<Db>,
    clock: Clock,
    public_address: Option<String>,
    /// Dies with the process: what is remembered is of no use elsewhere.
    hidden: KeyedHash,
    /// Survives a restart: a page that is open keeps its buttons.
    forms: KeyedHash,
    proofs: Mutex<HashMap<Key, Proof>>,
    failures: Mutex<HashMap<Key, Failures>>,
    seats: Arc<Semaphore>,
    queue: Semaphore,
}

struct Proof {
    user_id: i64,
    password: String,
    until: Timestamp,
}

struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    fn next_try(&self) -> Timestamp {
        match self.count.checked_sub(FREE_TRIES) {
            Some(more) => self.last + SignedDuration::from_secs(1 << more.min(20)).min(LONGEST_DELAY),
            None => self.last,
        }
    }
}

struct Login {
    header: Key,
    name: String,
    password: SecretString,
}

impl Guard {
    pub(super) fn new(parts: &Parts) -> Self {
        Self {
            db: Arc::clone(&parts.db),
            clock: parts.clock.clone(),
            public_address: parts.config.http.public_address.clone(),
            hidden: KeyedHash::fresh(),
            forms: parts.vault.keyed_hash("form token"),
            proofs: Mutex::default(),
            failures: Mutex::default(),
            seats: Arc::new(Semaphore::new(SEATS)),
            queue: Semaphore::new(QUEUE),
        }
    }

    /// Proves who is asking.
    pub(super) async fn viewer(&self, headers: &HeaderMap, client: IpAddr) -> Result<Viewer, Problem> {
        let login = headers.get(AUTHORIZATION).and_then(|header| self.login(header)).ok_or(Notice::SignIn)?;
        if let Some(viewer) = self.remembered(&login).await? {
            return Ok(viewer);
        }
        let network = peer::network(client);
        let failing = self.hidden.hash(&[login.name.as_bytes(), network.as_bytes()]);
        self.may_try(failing)?;
        let _waiting = self.queue.try_acquire().map_err(|_| Notice::Busy)?;
        let seat = Arc::clone(&self.seats).acquire_owned().await.expect("this semaphore is never closed");
        // Browsers ask for many things at once with one header; the first of them has proven it meanwhile.
        if let Some(viewer) = self.remembered(&login).await? {
            return Ok(viewer);
        }
        // Counted before it is known, so that tries sent together are counted together.
        self.begin_try(failing)?;
        let db = Arc::clone(&self.db);
        let proven = blocking(move || {
            let known = db.read(|c| user::by_name(c, &login.name))?;
            let fits = verify_password(&login.password, known.as_ref().map(|user| user.password.as_str()));
            drop(seat); // goes with the work: a browser that hangs up does not make room for a third
            Ok::<_, db::Error>(known.filter(|user| fits && user.disabled_at.is_none()).map(|user| (login.header, user)))
        });
        match proven.await? {
            Some((header, user)) => {
                lock(&self.failures).remove(&failing);
                self.remember(header, &user);
                Ok(Viewer { user, token: None })
            }
            None => {
                self.note_failure(network);
                Err(Notice::SignIn.into())
            }
        }
    }

    /// Proves that this viewer may do this, and does it from a page of ours: all that is known before a form is read.
    pub(super) fn presser(&self, viewer: &Viewer, role: Role, headers: &HeaderMap) -> Result<Presser, Notice> {
        if !self.is_same_origin(headers) {
            return Err(Notice::CrossSite);
        }
        if viewer.is(role) { Ok(Presser(viewer.clone())) } else { Err(Notice::Forbidden) }
    }

    /// Proves that they meant to press this form's button.
    pub(super) fn actor(&self, presser: Presser, action: &str, token: &str) -> Result<Actor, Notice> {
        let Presser(viewer) = presser;
        let today = self.day();
        let fits = |hash: &[u8]| {
            [today, today - 1].iter().any(|day| {
                let (user, day) = form(viewer.user(), *day);
                self.forms.verify(&[&user, &day, action.as_bytes()], hash)
            })
        };
        if !BASE64_URL_SAFE_NO_PAD.decode(token).is_ok_and(|hash| fits(&hash)) {
            return Err(Notice::StaleForm);
        }
        Ok(Actor(viewer))
    }

    /// Proves who is asking the API: by a token, or by name and password as everywhere.
    pub(super) async fn caller(&self, headers: &HeaderMap, client: IpAddr) -> Result<Viewer, Problem> {
        let Some(secret) = headers.get(AUTHORIZATION).and_then(bearer) else {
            return self.viewer(headers, client).await;
        };
        let (db, now) = (Arc::clone(&self.db), self.clock.now());
        let found = blocking(move || db.read(|c| token::speaker(c, &fingerprint(&secret), now))).await?;
        let network = peer::network(client);
        let Some((token, user)) = found else {
            // Nobody guesses a token; this tells of a script that was forgotten, and keeps it from asking without end.
            self.begin_try(self.hidden.hash(&[b"", b"token", network.as_bytes()]))?;
            self.note_failure(network);
            return Err(Notice::SignIn.into());
        };
        if token.is_news(now) {
            // Nobody waits for the note.
            drop(self.db.post(move |tx| token::used(tx, token.id, now)));
        }
        Ok(Viewer { user, token: Some(token.id) })
    }

    /// Proves that a script may do this: with a token, never with a password.
    pub(super) fn script(&self, viewer: &Viewer, role: Role) -> Result<Actor, Notice> {
        if viewer.token.is_none() {
            return Err(Notice::TokenNeeded);
        }
        if viewer.is(role) { Ok(Actor(viewer.clone())) } else { Err(Notice::Forbidden) }
    }

    /// Whether this is somebody's password; asked by those who are about to change it.
    pub(super) fn is_password_of(&self, user: &User, password: &SecretString) -> Result<bool, Notice> {
        let _seat = self.seats.try_acquire().map_err(|_| Notice::Busy)?;
        Ok(verify_password(password, Some(&user.password)))
    }

    /// What a form with this action must carry: of use to this user, today and tomorrow.
    pub(super) fn form_token(&self, viewer: &Viewer, action: &str) -> String {
        let (user, day) = form(viewer.user(), self.day());
        BASE64_URL_SAFE_NO_PAD.encode(self.forms.hash(&[&user, &day, action.as_bytes()]))
    }

    fn login(&self, header: &HeaderValue) -> Option<Login> {
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (name, password) = pair.split_once(':')?;
        let header = self.hidden.hash(&[header.as_bytes()]);
        Some(Login { header, name: name.to_owned(), password: SecretString::from(password) })
    }

    /// The user of a header that was proven lately, if nothing about the user has changed.
    async fn remembered(&self, login: &Login) -> Result<Option<Viewer>, Problem> {
        let now = self.clock.now();
        let proof =
            lock(&self.proofs).get(&login.header).map(|proof| (proof.user_id, proof.password.clone(), proof.until));
        let Some((user_id, password, _)) = proof.filter(|(.., until)| now < *until) else { return Ok(None) };
        let (db, name) = (Arc::clone(&self.db), login.name.clone());
        let live = blocking(move || db.read(|c| user::by_name(c, &name))).await?;
        let same = live.filter(|user| user.id == user_id && user.password == password && user.disabled_at.is_none());
        if same.is_none() {
            lock(&self.proofs).remove(&login.header);
        }
        Ok(same.map(|user| Viewer { user, token: None }))
    }

    fn remember(&self, header: Key, user: &User) {
        let now = self.clock.now();
        let mut proofs = lock(&self.proofs);
        proofs.retain(|_, proof| now < proof.until);
        if proofs.len() >= PROOFS
            && let Some(oldest) = proofs.iter().min_by_key(|(_, proof)| proof.until).map(|(key, _)| *key)
        {
            proofs.remove(&oldest);
        }
        let until = now + REMEMBERED;
        proofs.insert(header, Proof { user_id: user.id, password: user.password.clone(), until });
    }

    fn may_try(&self, failing: Key) -> Result<(), Notice> {
        let now = self.clock.now();
        let left = lock(&self.failures)
            .get(&failing)
            .map_or(SignedDuration::ZERO, |known| known.next_try().duration_since(now));
        if left <= SignedDuration::ZERO {
            return Ok(());
        }
        let seconds = u64::try_from(left.as_millis().max(0)).unwrap_or(u64::MAX).div_ceil(1_000);
        Err(Notice::TooManyTries { seconds })
    }

    fn begin_try(&self, failing: Key) -> Result<(), Notice> {
        self.may_try(failing)?;
        let now = self.clock.now();
        let mut failures = lock(&self.failures);
        failures.retain(|_, known| now.duration_since(known.last) < FORGIVEN);
        if failures.len() >= NAMES
            && !failures.contains_key(&failing)
            && let Some(mildest) =
                failures.iter().min_by_key(|(_, known)| (known.count, known.last)).map(|(key, _)| *key)
        {
            failures.remove(&mildest);
        }
        let known = failures.entry(failing).or_insert(Failures { count: 0, last: now });
        known.count = known.count.saturating_add(1);
        known.last = now;
        Ok(())
    }

    fn note_failure(&self, network: String) {
        tracing::warn!(network, "A sign-in failed");
        let now = self.clock.now();
        // Nobody waits for the count, and a full inbox has more urgent things in it.
        drop(self.db.post(move |tx| tally::count(tx, tally::Kind::Login, &network, now)));
    }

    /// Browsers say where a form was sent from; one that says nothing is not believed.
    fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        if let Some(site) = headers.get("sec-fetch-site") {
            return site == "same-origin";
        }
        let Some(origin) = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return false };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        (authority.is_some() && authority == host)
            || self.public_address.as_deref().is_some_and(|ours| ours.eq_ignore_ascii_case(origin))
    }

    fn day(&self) -> i64 {
        self.clock.now().as_second().div_euclid(DAY_SECONDS)
    }
}

/// The token of a header, if it has one.
fn bearer(header: &HeaderValue) -> Option<SecretString> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| SecretString::from(token.trim()))
}

fn form(user: &User, day: i64) -> ([u8; 8], [u8; 8]) {
    (user.id.to_be_bytes(), day.to_be_bytes())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

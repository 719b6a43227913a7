//! Looks after the certificate that is shown, on a thread of its own that waits by the clock: files are looked at each
//! minute, a certificate of an authority is renewed when it is due. What goes wrong is logged once and told as an alert,
//! which is closed when all is well again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use jiff::{SignedDuration, Timestamp};

use super::acme::challenges::Challenges;
use super::acme::{self, Acme};
use super::blocking::Serving;
use super::tls::facts::Facts;
use super::tls::files::Files;
use super::tls::{Finding, Pair, Shown, Unusable};
use crate::clock::{Bell, Clock, Enlisted};
use crate::config::Config;
use crate::db::alert::{self, Cause};
use crate::db::{Db, Error};
use crate::vitals::Vitals;

/// How often the operator's files are looked at.
const FILES: SignedDuration = SignedDuration::from_mins(1);
/// There is one certificate, hence one open alert.
const SUBJECT: &str = "HTTPS";

/// Where the certificate comes from.
pub(super) enum Source {
    Files(Files),
    Acme(Box<Acme>),
}

impl Source {
    /// The source and what it gives at the start; none for plain HTTP.
    pub(super) fn open(config: &Config, address: SocketAddr, clock: &Clock) -> Result<Option<(Self, Pair)>, Unusable> {
        if config.acme.is_on() {
            let (acme, pair) = Acme::open(config, address, clock)?;
            return Ok(Some((Self::Acme(Box::new(acme)), pair)));
        }
        let files = Files::of(&config.http);
        files.map(|files| files.read().map(|pair| (Self::Files(files), pair))).transpose()
    }

    /// What answers on the port for plain HTTP, if there is one.
    pub(super) fn challenges(&self) -> Option<Arc<Challenges>> {
        match self {
            Self::Files(_) => None,
            Self::Acme(acme) => Some(Arc::clone(&acme.challenges)),
        }
    }
}

/// The certificate that a server with this configuration begins with, as it lies on the disk. None: it speaks plain HTTP,
/// or no certificate came yet.
pub fn on_disk(config: &Config) -> Result<Option<Arc<Facts>>, Unusable> {
    if config.acme.is_on() {
        return acme::on_disk(config);
    }
    Files::of(&config.http).map(|files| Ok(files.read()?.facts)).transpose()
}

/// Without a certificate nothing can be wrong with it any more.
pub(super) fn nothing_to_look_after(db: &Db, clock: &Clock) -> Result<(), Error> {
    let now = clock.now();
    db.write(move |tx| alert::close(tx, Cause::Certificate, SUBJECT, now))
}

/// The thread at work.
pub(super) struct Upkeep {
    bell: Bell,
    thread: JoinHandle<()>,
}

impl Upkeep {
    pub(super) fn start(
        source: Source,
        shown: Arc<Shown>,
        clock: Clock,
        db: Arc<Db>,
        vitals: Arc<Vitals>,
        serving: Serving,
    ) -> std::io::Result<Self> {
        let bell = clock.bell(1);
        let round = Round {
            source,
            shown,
            enlisted: clock.enlist(),
            bell: bell.clone(),
            clock,
            db,
            vitals,
            serving,
            last: None,
        };
        let thread = Builder::new().name("certificate".to_owned()).spawn(move || round.run())?;
        Ok(Self { bell, thread })
    }

    /// Wakes it, to see that the server stops.
    pub(super) fn stop(&self) {
        self.bell.ring();
    }

    pub(super) fn wait(self) {
        if self.thread.join().is_err() {
            tracing::error!("The thread that looks after the certificate panicked");
        }
    }
}

struct Round {
    source: Source,
    shown: Arc<Shown>,
    clock: Clock,
    bell: Bell,
    db: Arc<Db>,
    vitals: Arc<Vitals>,
    serving: Serving,
    /// What was told last.
    last: Option<Result<(), String>>,
    enlisted: Option<Enlisted>,
}

impl Round {
    fn run(mut self) {
        while !*self.serving.stopping.borrow() {
            let (finding, next) = self.look();
            self.vitals.certify(Some(self.until()));
            self.tell(finding);
            self.clock.wait(&self.bell, next);
        }
        drop(self.enlisted);
    }

    /// Until when the certificate that is shown is good: the stand-in never was.
    fn until(&self) -> Timestamp {
        let facts = self.shown.pair().facts;
        match &self.source {
            Source::Acme(_) if facts.is_self_signed => self.clock.now(),
            Source::Acme(_) | Source::Files(_) => facts.not_after,
        }
    }

    fn look(&mut self) -> (Finding, Timestamp) {
        match &mut self.source {
            Source::Acme(acme) => acme.look(&self.shown, &self.clock, &self.serving),
            Source::Files(files) => {
                let now = self.clock.now();
                let finding = match files.look(&self.shown, now) {
                    // The same complaint each minute is no news.
                    Err(why) if self.last.as_ref().is_some_and(|last| last.as_ref() == Err(&why)) => Finding::Nothing,
                    found => found.map_or_else(Finding::Wrong, |()| Finding::Well),
                };
                (finding, now + FILES)
            }
        }
    }

    fn tell(&mut self, finding: Finding) {
        let now = self.clock.now();
        let told = match finding {
            Finding::Well if matches!(self.last, Some(Ok(()))) => return,
            Finding::Nothing => return,
            Finding::Well => {
                self.last = Some(Ok(()));
                self.db.write(move |tx| alert::close(tx, Cause::Certificate, SUBJECT, now))
            }
            Finding::Wrong(why) => {
                tracing::error!(why, "The certificate could not be renewed or read; the one before stays in use");
                self.last = Some(Err(why));
                self.db.write(move |tx| alert::raise(tx, Cause::Certificate, SUBJECT, None, now))
            }
        };
        if let Err(error) = told {
            // The next finding tells it again.
            self.last = None;
            tracing::error!(%error, "What is known of the certificate could not be told");
        }
    }
}

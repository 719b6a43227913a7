//! The threads of the engine: workers on orders, one for chores, one for the upkeep, one for telling of alerts, one for backups, one that says "alive".
//!
//! A thread is a loop over one step (`work_once`, `chore_once`, `upkeep_once`, `beat_once`), which a simulation takes one by one.
//! Idle workers sleep until somebody asks or the next job comes due. There are no leases: one process owns the
//! database, and at its start whatever was running is known to be cut off.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

use jiff::{SignedDuration, Timestamp};

use super::perform::happen;
use super::{Engine, NO_ROOM};
use crate::daftra::client::Door;
use crate::daftra::outcome::Unanswered;
use crate::db::job::{self, Again, Chore, Job};
use crate::db::merchant::{self, Mode, Trouble};
use crate::db::{Error, account, alert, document, order, setting};
use crate::domain::document::Event;

/// Nobody sleeps longer without looking: the net under a wake-up that got lost.
/// Nobody stops a server for so long without a reason; a clock that is wrong looks the same.
const LONG_SILENCE: SignedDuration = SignedDuration::from_hours(7 * 24);
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);
/// Work is due but its accounts have as many running jobs as they may; whoever ends one goes on with it.
const CROWDED: SignedDuration = SignedDuration::from_secs(1);
/// After an error of the database itself.
const PAUSE_ON_ERROR: SignedDuration = SignedDuration::from_secs(1);

/// The running threads. Dropping it leaves them running; call `stop`.
pub struct Running {
    engine: Arc<Engine>,
    threads: Vec<JoinHandle<()>>,
}

/// Puts things right after the last end, whatever it was, and starts the threads. `alive` is called after each
/// heartbeat that reached the disk.
pub fn start(engine: &Arc<Engine>, alive: impl Fn() + Send + 'static) -> Result<Running, StartError> {
    engine.recover()?;
    let mut running = Running { engine: Arc::clone(engine), threads: Vec::new() };
    for number in 1..=engine.settings.workers {
        running.spawn(format!("order-{number}"), |engine| engine.work())?;
    }
    running.spawn("chore".to_owned(), |engine| engine.do_chores())?;
    running.spawn("upkeep".to_owned(), |engine| engine.keep_up())?;
    running.spawn("telling".to_owned(), |engine| engine.tell())?;
    running.spawn("watchdog".to_owned(), move |engine| engine.beat(&alive))?;
    Ok(running)
}

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was done, and there may be more.
    Done,
    /// There is nothing to do before this time, unless somebody asks.
    Idle(Timestamp),
}

/// Why the engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Db(#[from] Error),
    #[error("A thread cannot start: {0}")]
    Thread(#[from] io::Error),
}

impl Running {
    pub(super) fn spawn(&mut self, name: String, run: impl FnOnce(&Arc<Engine>) + Send + 'static) -> io::Result<()> {
        let engine = Arc::clone(&self.engine);
        let enlisted = engine.clock.enlist();
        self.threads.push(Builder::new().name(name).spawn(move || {
            run(&engine);
            drop(enlisted);
        })?);
        Ok(())
    }

    /// Lets nobody begin anything new.
    pub fn announce_stop(&self) {
        self.engine.stopping.store(true, Ordering::SeqCst);
        self.engine.bell.ring_all();
        self.engine.chores.ring_all();
        self.engine.heart.ring_all();
        self.engine.backups.ring_all();
        self.engine.broom.ring_all();
        self.engine.mouth.ring_all();
        self.engine.mails.ring_all();
    }

    /// Lets every call that is running come to its end, then ends the threads.
    pub fn stop(self) {
        self.announce_stop();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the engine panicked");
            }
        }
    }
}

impl Engine {
    /// At the start nothing runs. A call whose answer was lost puts its document in doubt; after a long silence another
    /// life of this database may have sent documents, so new ones are looked for first.
    pub fn recover(&self) -> Result<(), Error> {
        let (now, policy, gap) = (self.clock.now(), self.settings.policy, self.settings.heartbeat_gap);
        let last = self.db.write(move |tx| {
            let last = setting::time(tx, setting::HEARTBEAT)?;
            if last.is_some_and(|last| now.duration_since(last) > gap) {
                setting::set_time(tx, setting::LOOK_FIRST_BEFORE, now)?;
            }
            setting::set_time(tx, setting::HEARTBEAT, now)?;
            job::recover(tx, now)?;
            for (document_id, order_id) in document::cut_off(tx)? {
                let merchant_id = order::get(tx, order_id)?.merchant_id;
                let job = Job { id: 0, subject: order_id, merchant_id, asked: 0, failures: 0 };
                happen(tx, &job, order_id, document_id, Event::Restarted, now, &policy)?;
                job::ask(tx, order_id, merchant_id, now, false)?;
            }
            for merchant in merchant::all(tx)? {
                if matches!(merchant.mode, Mode::Live | Mode::Shadow) {
                    job::ask_chore(tx, Chore::Account, merchant.id, now)?;
                }
            }
            Ok(last)
        })?;
        self.note_start(now);
        self.ask_shops()?;
        if last.is_some_and(|last| last.duration_since(now) > self.settings.clock) {
            self.note_clock_set_back(now);
        }
        if last.is_some_and(|last| now.duration_since(last) > LONG_SILENCE) {
            self.note_long_silence(now);
        }
        Ok(())
    }

    /// A worker's life.
    fn work(&self) {
        while !self.is_stopping() {
            if let Step::Idle(until) = self.work_once() {
                self.clock.wait(&self.bell, until);
            }
        }
    }

    /// Claims the next order and runs it to its end.
    pub fn work_once(&self) -> Step {
        let (now, per_account) = (self.clock.now(), self.settings.per_account);
        if self.vitals.disk.is_full(now) {
            return Step::Idle(now + NO_ROOM);
        }
        match self.db.write(move |tx| job::claim(tx, now, per_account)) {
            Ok(Some(job)) => {
                self.run(&job);
                Step::Done
            }
            Ok(None) => Step::Idle(wake_at(self.db.read(job::next_claim).unwrap_or_default(), now)),
            Err(error) => {
                tracing::error!(%error, "cannot claim an order");
                Step::Idle(now + PAUSE_ON_ERROR)
            }
        }
    }

    fn do_chores(&self) {
        while !self.is_stopping() {
            if let Step::Idle(until) = self.chore_once() {
                self.clock.wait(&self.chores, until);
            }
        }
    }

    /// Claims the next chore and does it.
    pub fn chore_once(&self) -> Step {
        let now = self.clock.now();
        match self.db.write(move |tx| job::claim_chore(tx, now)) {
            Ok(Some((chore, job))) => {
                let done = match chore {
                    Chore::Account => self.meet_account(&job),
                    Chore::CatchUp => self.catch_up(&job),
                    Chore::Subscriptions => self.watch_subscriptions(&job),
                    Chore::Catalogue => self.look_at_coverage(&job),
                    Chore::Namesakes => self.look_for_namesakes(&job),
                };
                if let Err(error) = done {
                    tracing::error!(merchant = job.subject, ?chore, %error, "cannot do a chore");
                    self.release(&job);
                }
                Step::Done
            }
            Ok(None) => Step::Idle(wake_at(self.db.read(job::next_chore).unwrap_or_default(), now)),
            Err(error) => {
                tracing::error!(%error, "cannot claim a chore");
                Step::Idle(now + PAUSE_ON_ERROR)
            }
        }
    }

    /// Gives a job back whose end could not be recorded, as soon as the database takes it: one that stays marked as
    /// running would be touched by nobody, and hold its account's place.
    pub(super) fn release(&self, job: &Job) {
        let job = *job;
        while !self.is_stopping() {
            let now = self.clock.now();
            let again = now + self.settings.retry.first;
            match self.db.write(move |tx| job::fail(tx, &job, Some(again), now)) {
                Ok(()) => return,
                Err(error) => tracing::error!(job = job.id, %error, "cannot give a job back"),
            }
            self.clock.sleep(PAUSE_ON_ERROR);
        }
    }

    /// What a merchant's payments are to name and the account does not have; `None` where it cannot be asked.
    fn unknown_tills(&self, merchant_id: i64, door: &Door) -> Result<Option<BTreeSet<String>>, Error> {
        let payments = self.db.read(|c| merchant::get(c, merchant_id))?.rules.payments;
        if !payments.record {
            return Ok(Some(BTreeSet::new()));
        }
        let Ok(tills) = self.daftra.tills(door, &|| {}).outcome else { return Ok(None) };
        let mut unknown = BTreeSet::new();
        for rule in payments.gateways.values() {
            if !tills.methods.contains(&rule.method) {
                unknown.insert(format!("merchant {merchant_id}: {}", rule.method));
            }
            if let Some(id) = rule.treasury_id.filter(|id| !tills.treasuries.contains(id)) {
                unknown.insert(format!("merchant {merchant_id}: treasury {id}"));
            }
        }
        Ok(Some(unknown))
    }

    /// Asks a merchant's account who it is: a key that works again lets the merchant's orders go on; another account
    /// at the same address stops them.
    fn meet_account(&self, job: &Job) -> Result<(), Error> {
        let merchant_id = job.subject;
        let job = *job;
        // Of a closed merchant nobody is asked, and its key is not used.
        let is_closed = self.db.read(|c| merchant::get(c, merchant_id))?.mode == Mode::Closed;
        let Some((door, account)) = self.door(merchant_id)?.filter(|_| !is_closed) else {
            let now = self.clock.now();
            return self.db.write(move |tx| job::settle(tx, &job, Again::WhenAsked, now));
        };
        let answered = self.daftra.site_info(&door, &|| {});
        let now = self.clock.now();
        let later = now + self.settings.trouble_probe;
        match answered.outcome {
            Ok(site) if account.site_id.as_ref().is_some_and(|known| *known != site.id) => {
                let known = account.site_id.unwrap_or_default();
                self.note_trouble(merchant_id, Trouble::OtherSite { known, found: site.id })?;
                self.db.write(move |tx| job::settle(tx, &job, Again::At(later), now))
            }
            Ok(site) => {
                let unknown_tills = self.unknown_tills(merchant_id, &door)?;
                self.db.write(move |tx| {
                    let subject = format!("merchant {merchant_id}");
                    if site.is_expired {
                        alert::raise(tx, alert::Cause::Expired, &subject, Some(merchant_id), now)?;
                    } else {
                        alert::close(tx, alert::Cause::Expired, &subject, now)?;
                    }
                    if let Some(subjects) = unknown_tills {
                        alert::set(tx, alert::Cause::Payments, merchant_id, &subjects, now)?;
                    }
                    account::introduce(tx, account.id, &site.id, Some(&site.currency), site.decimals)?;
                    if merchant::recovered(tx, merchant_id, now)? {
                        alert::close(tx, alert::Cause::Trouble, &subject, now)?;
                    }
                    job::settle(tx, &job, Again::WhenAsked, now)
                })?;
                self.bell.ring_all();
                Ok(())
            }
            Err(Unanswered::Credential(text)) => {
                self.note_trouble(merchant_id, Trouble::Credential { text })?;
                self.db.write(move |tx| job::settle(tx, &job, Again::At(later), now))
            }
            Err(Unanswered::Failed { trouble: Some(trouble), .. }) => {
                self.note_trouble(merchant_id, trouble.into())?;
                self.db.write(move |tx| job::settle(tx, &job, Again::At(later), now))
            }
            Err(Unanswered::Throttled { .. } | Unanswered::Unsent(_) | Unanswered::Failed { .. }) => {
                let again = now + self.settings.retry.gap(job.failures + 1, 0);
                // The orders wait for this answer: another account may have moved in meanwhile.
                let until = again + self.settings.trouble_probe;
                self.db.write(move |tx| {
                    merchant::still_in_trouble(tx, merchant_id, until)?;
                    job::fail(tx, &job, Some(again), now)
                })
            }
        }
    }

    fn beat(&self, alive: &dyn Fn()) {
        while !self.is_stopping() {
            let now = self.clock.now();
            match self.beat_once() {
                Ok(()) => alive(),
                // It hangs not, and another start would find no more room.
                Err(error) if error.is_no_room() => {
                    tracing::error!(%error, "the disk has no room for the heartbeat");
                    alive();
                }
                Err(error) => tracing::error!(%error, "the heartbeat did not reach the disk"),
            }
            self.clock.wait(&self.heart, now + self.settings.heartbeat);
        }
    }

    /// Each beat is a write that reached the disk: "alive", not "has a pid".
    pub fn beat_once(&self) -> Result<(), Error> {
        let now = self.clock.now();
        self.db.write(move |tx| setting::set_time(tx, setting::HEARTBEAT, now))
    }
}

fn wake_at(next: Option<Timestamp>, now: Timestamp) -> Timestamp {
    match next {
        Some(at) if at <= now => now + CROWDED,
        Some(at) => at.min(now + LONGEST_SLEEP),
        None => now + LONGEST_SLEEP,
    }
}

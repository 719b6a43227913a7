//! Tells people of alerts who look at no page. What is told is decided by `domain::telling` and noted in one transaction with
//! the rows that are sent; sending is a thread's own, so that a receiver who does not answer keeps nobody waiting.

use std::sync::{MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Transaction;

use super::Engine;
use super::letters::{Address, Seals};
use super::worker::Step;
use crate::channel::{Channel, Channels, Message, Refused};
use crate::db::notice::{self, MOST_FAILURES, Notice, Outcome};
use crate::db::{Error, mail};
use crate::domain::news::Kind;
use crate::domain::retry::Backoff;
use crate::mail::letter::Letter;
use crate::text::{Lang, telling};

/// How `db::condition` names mails among the ways that may fail.
const MAIL: &str = "mail";
/// Between tries of what was not taken.
const RETRY: Backoff = Backoff { first: SignedDuration::from_secs(30), longest: SignedDuration::from_hours(2) };
/// Nobody is waited for longer, whatever pause a receiver asks for.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);
/// The net under a wake-up that got lost; after an error of the database, too.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);

/// How alerts are told.
#[derive(Clone, Debug)]
pub struct Tongue {
    pub channels: Channels,
    pub lang: Lang,
    /// Mail addresses of those who run the server; none while mails are off.
    pub mail_to: Vec<String>,
    /// In which they get the summary of the day.
    pub zone: TimeZone,
}

/// Those who run the server, as the outbox writes to them.
#[derive(Default)]
pub(super) struct ToOperators {
    seals: Option<Seals>,
    addresses: Vec<String>,
    language: &'static str,
}

impl ToOperators {
    /// One mail to each.
    pub(super) fn put(
        &self,
        tx: &Transaction<'_>,
        key: &str,
        now: Timestamp,
        letter: impl Fn(&str) -> Letter,
    ) -> Result<(), Error> {
        let Some(seals) = &self.seals else { return Ok(()) };
        for address in &self.addresses {
            let to = Address { merchant_id: None, order_id: None, address };
            let new = seals.sealed(format!("{key}/{}", seals.tag(address)), &letter(self.language), &to, now, now);
            mail::put(tx, &new, now)?;
        }
        Ok(())
    }
}

impl Engine {
    /// How alerts are told. Said once, before it starts; without it they are shown on their page only.
    pub fn speaks_by(&self, tongue: Tongue) {
        // A second time would say the same.
        let _ = self.tongue.set(tongue);
    }

    /// Notes what is to be told of alerts now, and wakes whoever sends it.
    pub(super) fn tell_of_alerts(&self, now: Timestamp) -> Result<(), Error> {
        let Some(tongue) = self.tongue.get() else { return Ok(()) };
        let (pace, open) = (self.settings.telling, tongue.channels.open());
        let is_heard = !open.is_empty() || !tongue.mail_to.is_empty();
        if !is_heard || self.db.read(|c| notice::due(c, pace, now))?.is_empty() {
            return Ok(());
        }
        let (letters, page) = (self.letters_to_operators()?, self.alerts_page());
        self.db.write(move |tx| {
            for word in notice::due(tx, pace, now)? {
                notice::tell(tx, &word, open.iter().map(|channel| channel.word()), now)?;
                if word.may_go_by(MAIL) {
                    let key = format!("alert/{}/{}/{}", word.facts.alert, word.stage.word(), now.as_millisecond());
                    letters.put(tx, &key, now, |language| Letter {
                        alert: Some((word.stage, word.facts.clone())),
                        link: Some(page.clone()),
                        ..Letter::blank(Kind::Alert, language)
                    })?;
                }
            }
            Ok(())
        })?;
        self.mouth.ring();
        self.wake_mails();
        Ok(())
    }

    pub(super) fn alerts_page(&self) -> String {
        format!("{}/alerts", self.origin.get().map_or("", String::as_str))
    }

    /// What it takes to write to those who run the server. Without the key of what is sealed nobody is written to.
    pub(super) fn letters_to_operators(&self) -> Result<ToOperators, Error> {
        let Some(tongue) = self.tongue.get() else { return Ok(ToOperators::default()) };
        if tongue.mail_to.is_empty() {
            return Ok(ToOperators::default());
        }
        Ok(ToOperators { seals: self.seals()?, addresses: tongue.mail_to.clone(), language: tongue.lang.tag() })
    }

    /// The life of the thread.
    pub(super) fn tell(&self) {
        while !self.is_stopping() {
            if let Step::Idle(until) = self.tell_once() {
                self.clock.wait(&self.mouth, until);
            }
        }
    }

    /// Sends what is first in line of each channel, if it is due.
    pub fn tell_once(&self) -> Step {
        let now = self.clock.now();
        // What was said is not said again only because that could not be noted.
        let unsettled = self.unsettled().clone();
        if let Some((id, outcome)) = unsettled {
            if let Err(error) = self.db.write(move |tx| notice::settle(tx, id, &outcome, now)) {
                tracing::error!(%error, "cannot note what came of telling an alert");
                return Step::Idle(now + LONGEST_SLEEP);
            }
            *self.unsettled() = None;
        }
        let mut next = now + LONGEST_SLEEP;
        for channel in Channel::ALL {
            match self.db.read(|c| notice::first(c, channel.word())) {
                Ok(Some((notice, due))) if due <= now => match self.say(channel, &notice) {
                    Ok(()) => return Step::Done,
                    Err(error) => tracing::error!(%error, "cannot note what came of telling an alert"),
                },
                Ok(Some((_, due))) => next = next.min(due),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "cannot ask what is to be told of alerts"),
            }
        }
        Step::Idle(next)
    }

    fn say(&self, channel: Channel, notice: &Notice) -> Result<(), Error> {
        let Some(tongue) = self.tongue.get() else { return Ok(()) };
        let page = self.alerts_page();
        let text = telling::text(tongue.lang, notice.stage, &notice.facts, &page);
        let body = telling::body(tongue.lang, notice.stage, &notice.facts, &page, notice.created_at).to_string();
        let id = format!("alert-{}-{}", notice.created_at.as_millisecond(), notice.id);
        let message = Message { id: &id, text: &text, body: &body };
        let sent = tongue.channels.send(channel, &message, self.clock.now());
        let now = self.clock.now();
        let failures = notice.failures.saturating_add(1);
        let outcome = match sent {
            Ok(()) => Outcome::Sent,
            Err(Refused::Never(why)) => Outcome::Failed { why },
            Err(Refused::Later { why, .. }) if failures >= MOST_FAILURES => Outcome::Failed { why },
            Err(Refused::Later { why, after }) => {
                let usual = RETRY.gap(failures, 0);
                Outcome::Later { why, due_at: now + after.unwrap_or(usual).max(usual).min(LONGEST_PAUSE) }
            }
        };
        match &outcome {
            Outcome::Sent => tracing::info!(channel = channel.word(), "told of an alert"),
            Outcome::Later { why, .. } | Outcome::Failed { why } => {
                tracing::warn!(channel = channel.word(), %why, "cannot tell of an alert");
            }
        }
        let id = notice.id;
        *self.unsettled() = Some((id, outcome.clone()));
        self.db.write(move |tx| notice::settle(tx, id, &outcome, now))?;
        *self.unsettled() = None;
        Ok(())
    }

    fn unsettled(&self) -> MutexGuard<'_, Option<(i64, Outcome)>> {
        self.unsaid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Tells people of alerts who look at no page. What is told is decided by `domain::telling` and noted in one transaction with
//! the rows that are sent; sending is a thread's own, so that a receiver who does not answer keeps nobody waiting.

use jiff::{SignedDuration, Timestamp};

use super::Engine;
use super::worker::Step;
use crate::channel::{Channel, Channels, Message, Refused};
use crate::db::Error;
use crate::db::notice::{self, MOST_FAILURES, Notice, Outcome};
use crate::domain::retry::Backoff;
use crate::text::{Lang, telling};

/// Between tries of what was not taken.
const RETRY: Backoff = Backoff { first: SignedDuration::from_secs(30), longest: SignedDuration::from_hours(2) };
/// Nobody is waited for longer, whatever pause a receiver asks for.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(6);
/// The net under a wake-up that got lost; after an error of the database, too.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);

/// How alerts are told beside mail.
#[derive(Clone, Debug)]
pub struct Tongue {
    pub channels: Channels,
    pub lang: Lang,
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
        if open.is_empty() || self.db.read(|c| notice::due(c, pace, now))?.is_empty() {
            return Ok(());
        }
        self.db.write(move |tx| {
            for word in notice::due(tx, pace, now)? {
                notice::tell(tx, &word, open.iter().map(|channel| channel.word()), now)?;
            }
            Ok(())
        })?;
        self.mouth.ring();
        Ok(())
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
        let mut next = now + LONGEST_SLEEP;
        for channel in Channel::ALL {
            match self.db.read(|c| notice::first(c, channel.word())) {
                Ok(Some((notice, due))) if due <= now => match self.send(channel, &notice) {
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

    fn send(&self, channel: Channel, notice: &Notice) -> Result<(), Error> {
        let Some(tongue) = self.tongue.get() else { return Ok(()) };
        let page = format!("{}/alerts", self.origin.get().map_or("", String::as_str));
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
        self.db.write(move |tx| notice::settle(tx, id, &outcome, now))
    }
}

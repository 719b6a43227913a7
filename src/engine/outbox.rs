//! The outbox at work, on a thread of its own: news become mails, and mails go to the mail server.
//!
//! - Orders never wait for any of it: what makes news writes one row, and whatever is wrong with mails stays here.
//! - That a mail is under way is committed before the server is called, and how it ended after. What is cut off between the two is
//!   sent again with the same Message-ID, and counts as in doubt.
//! - What is the server's fault holds up all mails, with a pause that doubles; what is one recipient's, only that mail.
//! - Of what comes in storms a recipient gets [`MOST_AN_HOUR`] mails in an hour; one more tells how many others there were.
//! - A mail that is too old is given up, and says why; a person can send it again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lettre::message::Mailbox;
use secrecy::SecretString;

use super::letters::{self, Address, Scene, Seals};
use super::worker::{Running, Step};
use super::{Engine, NO_ROOM};
use crate::config::Config;
use crate::config::keys::MailSecurity;
use crate::db::mail::{self, Ended, Mail, New, News, Recipient};
use crate::db::{Error, account, data_key, document, merchant, order};
use crate::domain::news::Problem;
use crate::domain::retry::Backoff;
use crate::mail::letter::Change;
use crate::mail::post::{self, Handed, Outgoing, Post, Security, Server, ServerError};
use crate::mail::render::render;

/// Of one kind, merchant and recipient, in one hour, of what one cause can make thousands of.
pub const MOST_AN_HOUR: u32 = 10;
const HOUR_MS: i64 = 3_600_000;
/// Copies that may have arrived before a person must look.
pub const MOST_DOUBTS: u32 = 3;
/// Nobody sleeps longer without looking.
const LONGEST_SLEEP: SignedDuration = SignedDuration::from_mins(5);
/// After an error of the database itself.
const PAUSE_ON_ERROR: SignedDuration = SignedDuration::from_secs(1);
/// A connection that nobody needs is not kept longer.
const KEPT_OPEN: SignedDuration = SignedDuration::from_secs(20);

/// How mails are sent.
pub struct Rules {
    pub server: Server,
    pub from: Mailbox,
    /// Between two tries.
    pub retry: Backoff,
    /// Older ones are given up.
    pub give_up: SignedDuration,
}

/// Why mails cannot be sent as the configuration wants it.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("mail.password_file is {}: {cause}; name a file that the server's user may read", path.display())]
    Password { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("mail.from is no mail address: write for example orders@example.com or Orders <orders@example.com>")]
    From,
}

impl Rules {
    /// The rules of a configuration; `None` if mails are off.
    pub fn new(config: &Config) -> Result<Option<Self>, RulesError> {
        let mail = &config.mail;
        let Some(host) = mail.server.clone() else { return Ok(None) };
        let password = mail.password_file.as_ref().map(|path| {
            let text = fs::read_to_string(path).map_err(|cause| RulesError::Password { path: path.clone(), cause })?;
            Ok::<_, RulesError>(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
        });
        let login = mail.user.clone().zip(password.transpose()?);
        let security = match mail.security {
            MailSecurity::StartTls => Security::StartTls,
            MailSecurity::Tls => Security::Tls,
            MailSecurity::None => Security::None,
        };
        let ms = |value: u64| SignedDuration::from_millis(i64::try_from(value).unwrap_or(i64::MAX));
        let timeout = Duration::from_millis(mail.timeout_ms);
        Ok(Some(Self {
            server: Server::new(host, mail.port, security, login, timeout, mail.extra_ca_file.as_deref())?,
            from: mail.from.as_deref().and_then(post::mailbox).ok_or(RulesError::From)?,
            retry: Backoff { first: ms(mail.retry_first_ms), longest: ms(mail.retry_longest_ms) },
            give_up: ms(mail.give_up_ms),
        }))
    }
}

/// What the thread knows between two mails.
pub struct Outbox {
    post: Post,
    from: Mailbox,
    retry: Backoff,
    give_up: SignedDuration,
    /// Until then nobody is called: the server is not as it should be.
    closed_until: Option<Timestamp>,
    /// Calls in a row that were the server's fault.
    outages: u32,
    /// How a mail ended, as long as that could not be noted.
    unsettled: Option<(i64, Ended)>,
}

impl Outbox {
    /// Nobody is called yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let Rules { server, from, retry, give_up } = rules;
        Self { post: Post::new(server), from, retry, give_up, closed_until: None, outages: 0, unsettled: None }
    }
}

impl Running {
    /// Sends mails from now on, on a thread of their own.
    pub fn send_mails(&mut self, rules: Rules) -> io::Result<()> {
        self.spawn("mails".to_owned(), move |engine| {
            let mut outbox = Outbox::new(rules);
            while !engine.is_stopping() {
                if let Step::Idle(until) = engine.mail_once(&mut outbox) {
                    let now = engine.clock.now();
                    if until > now + KEPT_OPEN {
                        outbox.post.hang_up();
                    }
                    engine.clock.wait(&engine.mails, until);
                }
            }
            outbox.post.hang_up();
        })
    }
}

impl Engine {
    /// Puts the outbox right after the last end, whatever it was; while mails are off no news is noted.
    pub fn open_outbox(&self, is_on: bool) -> Result<(), Error> {
        let now = self.clock.now();
        self.db.write(move |tx| {
            mail::switch(tx, is_on, now)?;
            mail::recover(tx, now)
        })
    }

    /// Makes mails of the next news, or sends the next mail.
    pub fn mail_once(&self, outbox: &mut Outbox) -> Step {
        let now = self.clock.now();
        match self.mail_step(outbox, now) {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(%error, "cannot work on the outbox");
                Step::Idle(now + PAUSE_ON_ERROR)
            }
        }
    }

    fn mail_step(&self, outbox: &mut Outbox, now: Timestamp) -> Result<Step, Error> {
        if let Some((id, ended)) = outbox.unsettled.clone() {
            self.db.write(move |tx| mail::settle(tx, id, &ended, now))?;
            outbox.unsettled = None;
        }
        // That the disk is full is itself told by mail: only news waits for room.
        let has_room = !self.vitals.disk.is_full(now);
        if has_room && let Some(news) = self.db.read(mail::news)? {
            self.make_mails(&news, now)?;
            return Ok(Step::Done);
        }
        if let Some(until) = outbox.closed_until.filter(|until| *until > now) {
            return Ok(Step::Idle(until.min(now + LONGEST_SLEEP)));
        }
        let Some(taken) = self.db.write(move |tx| mail::take(tx, now))? else {
            let next = self.db.read(mail::next_due)?;
            let longest = if has_room { LONGEST_SLEEP } else { NO_ROOM };
            return Ok(Step::Idle(next.unwrap_or(Timestamp::MAX).min(now + longest)));
        };
        let ended = self.send(&taken, outbox)?;
        let (id, now) = (taken.id, self.clock.now());
        outbox.unsettled = Some((id, ended.clone()));
        if let Ended::Failed(problem) = &ended {
            tracing::warn!(mail = id, ?problem, "a mail was given up");
        }
        self.db.write(move |tx| mail::settle(tx, id, &ended, now))?;
        outbox.unsettled = None;
        Ok(Step::Done)
    }

    fn send(&self, mail: &Mail, outbox: &mut Outbox) -> Result<Ended, Error> {
        let Some((to, bytes)) = self.bytes(mail, &outbox.from)? else { return Ok(Ended::Failed(Problem::Unreadable)) };
        let handed = outbox.post.hand_over(&outbox.from.email, &to.email, &bytes);
        let now = self.clock.now();
        if !matches!(handed, Handed::NotTaken { is_the_servers: true, .. }) {
            outbox.outages = 0;
        }
        let again = now + outbox.retry.gap(mail.failures + 1, spread(mail.id));
        // One that a person wants sent again is old, and gets two tries.
        let is_too_old = mail.failures > 0 && again.duration_since(mail.created_at) > outbox.give_up;
        Ok(match handed {
            Handed::Taken => {
                tracing::info!(mail = mail.id, kind = mail.kind.word(), "a mail was sent");
                Ended::Sent
            }
            Handed::Unknown => {
                tracing::warn!(mail = mail.id, "the answer to a mail was lost");
                if mail.doubts + 1 >= MOST_DOUBTS {
                    Ended::Failed(Problem::InDoubt)
                } else {
                    Ended::InDoubt { until: again }
                }
            }
            Handed::NotTaken { problem: problem @ Problem::Refused { .. }, is_the_servers: false } => {
                Ended::Failed(problem)
            }
            Handed::NotTaken { problem, is_the_servers } => {
                let until = if is_the_servers { outbox.close(&problem, now) } else { again };
                if is_too_old { Ended::Failed(problem) } else { Ended::Later { until, problem } }
            }
        })
    }

    /// The whole mail and its recipient; `None` if it cannot be read here.
    fn bytes(&self, mail: &Mail, from: &Mailbox) -> Result<Option<(Mailbox, Vec<u8>)>, Error> {
        let Some(seals) = self.seals()? else { return Ok(None) };
        let (Ok(to), Ok(letter)) = (seals.recipient(mail), seals.letter(mail)) else { return Ok(None) };
        let Some(to) = post::mailbox(&to) else { return Ok(None) };
        let rendered = render(&letter, mail.count);
        let message_id = format!("<{}@{}>", mail.message_id, post::domain(from));
        let outgoing =
            Outgoing { from, to: &to.email, message_id: &message_id, at: mail.created_at, rendered: &rendered };
        let bytes = post::bytes(&outgoing).ok();
        Ok(bytes.map(|bytes| (to, bytes)))
    }

    pub(super) fn seals(&self) -> Result<Option<Seals>, Error> {
        let stored = self.db.read(data_key::newest)?;
        Ok(Seals::of(&self.vault, stored.as_ref()))
    }

    /// One mail per recipient, and the news is done with: in one transaction.
    fn make_mails(&self, news: &News, now: Timestamp) -> Result<(), Error> {
        let order_id = news.order_id;
        let was_forgotten = self.db.read(|c| mail::is_forgotten(c, order_id))?;
        let made = match self.written(news, now) {
            Ok(made) => made,
            // It would stand in the way of all others for ever.
            Err(error @ (Error::Unreadable { .. } | Error::NotFound { .. })) => {
                tracing::error!(news = news.id, order = news.order_id, %error, "no mail can be made of news");
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let News { id, kind, merchant_id, .. } = *news;
        self.db.write(move |tx| {
            // Forgotten since it was read: it is written anew from what is left.
            if mail::is_forgotten(tx, order_id)? != was_forgotten {
                return Ok(());
            }
            if mail::done_with(tx, id)? {
                for (new, instead) in &made {
                    let hour = now.as_millisecond().div_euclid(HOUR_MS) * HOUR_MS;
                    let since = Timestamp::from_millisecond(hour).unwrap_or(now);
                    let most = MOST_AN_HOUR.saturating_mul(u32::try_from(made.len()).unwrap_or(u32::MAX));
                    let is_storm = kind.comes_in_storms() && mail::how_many(tx, merchant_id, kind, since)? >= most;
                    letters::post(tx, if is_storm { instead } else { new }, now)?;
                }
            }
            Ok(())
        })
    }

    /// For each recipient the mail, and what goes out instead once there are too many.
    fn written(&self, news: &News, now: Timestamp) -> Result<Vec<(New, New)>, Error> {
        let Some(seals) = self.seals()? else { return Ok(Vec::new()) };
        let origin = self.origin.get().map(String::as_str);
        let about = self.db.read(|c| {
            let documents = document::of_order(c, news.order_id)?;
            let mut addresses = BTreeMap::new();
            for document in &documents {
                addresses.insert(document.account_id, account::get(c, document.account_id)?.address);
            }
            let mut recipients = mail::recipients(c, news.merchant_id)?;
            recipients.retain(|recipient| recipient.kinds.contains(&news.kind));
            let recipients = recipients
                .into_iter()
                .map(|recipient| {
                    let own = mail::wording(c, news.merchant_id, news.kind, &recipient.language)?;
                    Ok((recipient, own))
                })
                .collect::<Result<Vec<_>, Error>>()?;
            Ok((order::get(c, news.order_id)?, merchant::get(c, news.merchant_id)?, documents, addresses, recipients))
        })?;
        let (order, merchant, documents, addresses, recipients) = about;
        let scene = Scene { order: &order, merchant: &merchant, documents: &documents, addresses: &addresses, origin };
        let changes: Vec<Change> =
            news.changes.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let hour = now.as_millisecond().div_euclid(HOUR_MS);
        let end_of_hour = Timestamp::from_millisecond((hour + 1) * HOUR_MS).unwrap_or(now);
        let mut made = Vec::new();
        for (recipient, own) in recipients {
            let Ok(address) = seals.address(&recipient) else { continue };
            let Recipient { id, language, .. } = &recipient;
            let letter = scene.letter(news.kind, language, news.document_id, changes.clone(), own);
            let to = Address { merchant_id: Some(merchant.id), order_id: Some(order.id), address: &address };
            let (kind, word) = (news.kind, news.kind.word());
            let key = match news.document_id {
                // A document comes into being once, whatever happens to the news of it.
                Some(document) if news.changes.is_none() => format!("{word}/{document}/{id}"),
                Some(_) | None => format!("{word}/news {}/{id}", news.id),
            };
            let all = Address { order_id: None, ..to };
            let more = letters::more(&merchant, kind, language, origin);
            let counted =
                seals.sealed(format!("more/{}/{word}/{hour}/{id}", merchant.id), &more, &all, end_of_hour, now);
            made.push((seals.sealed(key, &letter, &to, now, now), counted));
        }
        Ok(made)
    }
}

impl Outbox {
    /// The server is not as it should be: nobody calls it for a while.
    fn close(&mut self, problem: &Problem, now: Timestamp) -> Timestamp {
        self.outages += 1;
        let until = now + self.retry.gap(self.outages, 0);
        tracing::warn!(?problem, %until, "the mail server takes no mails");
        self.closed_until = Some(until);
        until
    }
}

/// Out of a thousand: mails that failed together do not come back together, and no chance is needed for that.
fn spread(id: i64) -> u16 {
    let mixed = id.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u16::try_from(mixed >> 32 & 0xffff).unwrap_or_default() % 1_000
}

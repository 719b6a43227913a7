//! Mails: who gets them, in whose words, trials, and sending one again. Addresses are sealed here, and no audit row has one.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Done, Effects, Error, Moment, Refusal, Why, merchant};
use crate::db;
use crate::db::mail::{self, Mail, Recipient, Sample, Wording};
use crate::db::merchant::{Merchant, Mode};
use crate::db::scope::Scope;
use crate::db::sight::Sight;
use crate::domain::news::Kind;
use crate::engine::letters::{self, Address, Scene, Seals};
use crate::mail::letter::Letter;
use crate::mail::post;
use crate::mail::render::unknown_place;
use crate::text::Lang;
use crate::vault::Vault;

/// Of one merchant; more are a mailing list, which has an address of its own.
pub const MOST_RECIPIENTS: usize = 20;
const LONGEST_ADDRESS: usize = 254;
/// Characters of each of a merchant's own words.
pub const LONGEST_SUBJECT: usize = 200;
/// The same of the others.
pub const LONGEST_WORDS: usize = 2_000;

/// A merchant's own words, as they are typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub subject: String,
    pub greeting: String,
    pub closing: String,
}

/// Opens what the outbox keeps, for pages.
pub struct Opener(Option<Seals>);

impl Opener {
    /// With the data key that belongs to what is looked at.
    pub fn of(sight: &Sight<'_>, vault: &Arc<Vault>) -> Result<Self, db::Error> {
        Ok(Self(Seals::of(vault, sight.data_key()?.as_ref())))
    }

    /// The address of somebody who gets mails; none if it does not open.
    #[must_use]
    pub fn address(&self, recipient: &Recipient) -> Option<String> {
        self.0.as_ref()?.address(recipient).ok()
    }

    /// To whom a mail goes; none if it does not open.
    #[must_use]
    pub fn recipient(&self, mail: &Mail) -> Option<String> {
        self.0.as_ref()?.recipient(mail).ok()
    }
}

/// What a mail of a kind would say today of the merchant's newest order that fits, in the words as they are kept; none
/// without such an order.
pub fn sample(
    sight: &Sight<'_>,
    merchant: &Merchant,
    kind: Kind,
    language: &str,
    origin: Option<&str>,
) -> Result<Option<Letter>, db::Error> {
    let own = sight.mail_wording(merchant.id, kind, language)?;
    let Some(Sample { order, documents, addresses }) = sight.mail_sample(merchant.id, kind)? else { return Ok(None) };
    let scene = Scene { order: &order, merchant, documents: &documents, addresses: &addresses, origin };
    let receipt = documents.iter().rfind(|document| document.receipt().is_some() && document.remote_id.is_some());
    let about = receipt.filter(|_| kind == Kind::Cancelled).map(|document| document.id);
    Ok(Some(scene.letter(kind, language, about, Vec::new(), own)))
}

fn open(tx: &Transaction<'_>, slug: &str) -> Result<Merchant, Error> {
    let known = merchant::any_merchant(tx, slug)?;
    if known.mode == Mode::Closed {
        return Err(Refusal::of(super::About::Merchant(slug.to_owned()), Why::MerchantClosed).into());
    }
    Ok(known)
}

fn seals(tx: &Transaction<'_>, moment: &Moment) -> Result<Seals, Error> {
    let stored = db::data_key::newest(tx)?;
    Seals::of(&moment.vault, stored.as_ref()).ok_or_else(|| Refusal::of(super::About::Secret, Why::BodySealed).into())
}

fn tongue(language: &str) -> Result<(), Error> {
    match Lang::of_tag(language) {
        Some(_) => Ok(()),
        None => Err(Refusal::new("language", language, Why::Language).into()),
    }
}

fn done(moment: &Moment, tx: &Transaction<'_>, action: &str, facts: serde_json::Value) -> Result<Done, Error> {
    moment.write_down(tx, action, facts.clone())?;
    Ok(Done { answer: facts, effects: Effects { mails_asked: true, ..Effects::default() } })
}

/// Somebody gets a merchant's mails from now on.
pub(super) fn add_recipient(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    address: &str,
    language: &str,
    kinds: &BTreeSet<Kind>,
) -> Result<Done, Error> {
    let merchant = open(tx, slug)?;
    tongue(language)?;
    let address = address.trim();
    let is_bare = !address.contains(['<', '>', ',', ';']) && address.chars().count() <= LONGEST_ADDRESS;
    if !is_bare || post::mailbox(address).is_none() {
        return Err(Refusal::new("address", address, Why::MailForm).into());
    }
    let seals = seals(tx, moment)?;
    let known = mail::recipients(tx, merchant.id)?;
    if known.len() >= MOST_RECIPIENTS {
        return Err(Refusal::new("recipient", known.len(), Why::RecipientsMany(MOST_RECIPIENTS)).into());
    }
    let is_same = |one: &Recipient| seals.address(one).is_ok_and(|known| known.eq_ignore_ascii_case(address));
    if known.iter().any(|one| is_same(one) && one.language == language) {
        return Err(Refusal::new("address", address, Why::RecipientTaken).into());
    }
    let sealed = seals.seal_address(merchant.id, address);
    let kinds = chosen(kinds);
    let id = mail::add_recipient(tx, merchant.id, &sealed, language, &kinds, moment.now)?;
    let facts = json!({ "merchant": slug, "recipient": id, "language": language, "kinds": kinds });
    done(moment, tx, "mail.recipient_add", facts)
}

/// Somebody gets others than before, or in another language.
pub(super) fn set_recipient(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    id: i64,
    language: &str,
    kinds: &BTreeSet<Kind>,
) -> Result<Done, Error> {
    let merchant = open(tx, slug)?;
    tongue(language)?;
    let known = recipient(tx, &merchant, id)?;
    let kinds = chosen(kinds);
    let facts = json!({ "merchant": slug, "recipient": id, "language": language, "kinds": kinds });
    if (known.language.as_str(), &known.kinds) == (language, &kinds) {
        return Ok(Done { answer: facts, effects: Effects::default() });
    }
    mail::change_recipient(tx, id, language, &kinds)?;
    done(moment, tx, "mail.recipient_set", facts)
}

/// Somebody gets no more.
pub(super) fn remove_recipient(tx: &Transaction<'_>, moment: &Moment, slug: &str, id: i64) -> Result<Done, Error> {
    let merchant = open(tx, slug)?;
    recipient(tx, &merchant, id)?;
    mail::remove_recipient(tx, id)?;
    done(moment, tx, "mail.recipient_remove", json!({ "merchant": slug, "recipient": id }))
}

/// A merchant's own words for a kind of mail; none: ours again.
pub(super) fn set_words(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    kind: Kind,
    language: &str,
    own: Option<&Words>,
) -> Result<Done, Error> {
    let merchant = open(tx, slug)?;
    tongue(language)?;
    if !Kind::OF_ORDERS.contains(&kind) {
        return Err(Refusal::new("kind", kind, Why::NoMail).into());
    }
    let own = own.map(worded).transpose()?;
    let facts = json!({ "merchant": slug, "kind": kind, "language": language, "own": own.is_some() });
    if mail::wording(tx, merchant.id, kind, language)? == own {
        return Ok(Done { answer: facts, effects: Effects::default() });
    }
    mail::set_wording(tx, merchant.id, kind, language, own.as_ref())?;
    done(moment, tx, "mail.words", facts)
}

fn worded(own: &Words) -> Result<Wording, Error> {
    let Words { subject, greeting, closing } = own;
    let all = [
        ("subject", subject, LONGEST_SUBJECT, 1),
        ("greeting", greeting, LONGEST_WORDS, 0),
        ("closing", closing, LONGEST_WORDS, 0),
    ];
    for (key, text, longest, shortest) in all {
        let length = text.trim().chars().count();
        if !(shortest..=longest).contains(&length) {
            return Err(Refusal::of(super::About::Key(key.to_owned()), Why::NoteLength(length, longest)).into());
        }
        if let Some(place) = unknown_place(text) {
            return Err(Refusal::new(key, place, Why::UnknownPlace).into());
        }
    }
    let clean = |text: &str| text.trim().replace("\r\n", "\n");
    Ok(Wording { subject: clean(subject), greeting: clean(greeting), closing: clean(closing) })
}

/// Sends a mail again: a merchant's, or one to those who run the server.
pub(super) fn resend(tx: &Transaction<'_>, moment: &Moment, slug: Option<&str>, id: i64) -> Result<Done, Error> {
    let merchant_id = slug.map(|slug| open(tx, slug)).transpose()?.map(|merchant| merchant.id);
    let refused = || Refusal::new("mail", id, Why::NoMail);
    let known = mail::get(tx, id).ok().filter(|known| known.merchant_id == merchant_id).ok_or_else(refused)?;
    if !mail::resend(tx, known.id, moment.now)? {
        return Err(refused().into());
    }
    done(moment, tx, "mail.resend", json!({ "merchant": slug, "mail": id, "order": known.order_id }))
}

/// Sends somebody what a mail of a kind would say today, marked as a trial.
pub(super) fn trial(
    tx: &Transaction<'_>,
    moment: &Moment,
    slug: &str,
    kind: Kind,
    language: &str,
    to: i64,
    origin: Option<&str>,
) -> Result<Done, Error> {
    let merchant = open(tx, slug)?;
    tongue(language)?;
    let recipient = recipient(tx, &merchant, to)?;
    let seals = seals(tx, moment)?;
    let sight = Sight::of(tx, &Scope::All);
    let letter =
        sample(&sight, &merchant, kind, language, origin)?.ok_or_else(|| Refusal::new("kind", kind, Why::NoMail))?;
    let address = seals.address(&recipient).map_err(|_| Refusal::of(super::About::Secret, Why::BodySealed))?;
    let to = Address { merchant_id: Some(merchant.id), order_id: None, address: &address };
    let key = format!("trial/{}/{}/{}", kind.word(), recipient.id, moment.now.as_millisecond());
    let letter = Letter { is_trial: true, ..letter };
    let new = mail::New { kind: Kind::Trial, ..seals.sealed(key, &letter, &to, moment.now, moment.now) };
    letters::post(tx, &new, moment.now)?;
    let facts = json!({ "merchant": slug, "kind": kind, "language": language, "recipient": recipient.id });
    done(moment, tx, "mail.trial", facts)
}

fn recipient(tx: &Transaction<'_>, merchant: &Merchant, id: i64) -> Result<Recipient, Error> {
    let mut known = mail::recipients(tx, merchant.id)?.into_iter();
    Ok(known.find(|one| one.id == id).ok_or_else(|| Refusal::new("recipient", id, Why::NoRecipient))?)
}

fn chosen(kinds: &BTreeSet<Kind>) -> BTreeSet<Kind> {
    kinds.iter().copied().filter(|kind| Kind::CHOSEN.contains(kind)).collect()
}

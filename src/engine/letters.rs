//! From what happened to letters, and letters into the outbox: what each says, who gets it, and its seals.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::db::mail::{self, Mail, New, Recipient, Wording};
use crate::db::merchant::Merchant;
use crate::db::order::Overview;
use crate::db::{self};
use crate::domain::document::Document;
use crate::domain::news::Kind;
use crate::mail::letter::{Change, Letter, Order, Own, Paper};
use crate::vault::{DataKey, OpenError, Place, Vault};

/// Seals and opens what the outbox keeps.
pub struct Seals {
    data_key: DataKey,
    vault: Arc<Vault>,
}

impl Seals {
    /// With the data key of the database, as [`db::data_key::newest`] has it; none where it does not open.
    #[must_use]
    pub fn of(vault: &Arc<Vault>, stored: Option<&(i64, Vec<u8>)>) -> Option<Self> {
        let (id, sealed) = stored?;
        Some(Self { data_key: vault.open_data_key(*id, sealed).ok()?, vault: Arc::clone(vault) })
    }

    /// The address of somebody who is to get a merchant's mails.
    #[must_use]
    pub fn seal_address(&self, merchant_id: i64, address: &str) -> Vec<u8> {
        self.data_key.seal(&address_place(merchant_id), address.as_bytes())
    }

    /// The address of somebody who gets mails.
    pub fn address(&self, recipient: &Recipient) -> Result<String, OpenError> {
        text(self.data_key.open(&address_place(recipient.merchant_id), &recipient.address)?)
    }

    /// An address in a key: the same for the same address, and nobody reads it.
    #[must_use]
    pub fn tag(&self, address: &str) -> String {
        let hash = self.vault.keyed_hash("recipient").hash(&[address.as_bytes()]);
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// To whom a mail goes.
    pub fn recipient(&self, mail: &Mail) -> Result<String, OpenError> {
        text(self.data_key.open(&place(mail.merchant_id, &mail.key, "recipient"), &mail.recipient)?)
    }

    /// What a mail says.
    pub fn letter(&self, mail: &Mail) -> Result<Letter, OpenError> {
        let sealed = mail.content.as_deref().ok_or(OpenError::Format)?;
        let plain = self.data_key.open(&place(mail.merchant_id, &mail.key, "content"), sealed)?;
        serde_json::from_slice(&plain).map_err(|_| OpenError::Format)
    }

    /// A letter as the outbox takes it. Its Message-ID is of this key and moment alone, and of no other installation.
    #[must_use]
    pub fn sealed(&self, key: String, letter: &Letter, to: &Address<'_>, due_at: Timestamp, now: Timestamp) -> New {
        let Address { merchant_id, order_id, address } = *to;
        let made_at = now.as_millisecond().to_le_bytes();
        let hash = self.vault.keyed_hash("message id").hash(&[key.as_bytes(), &made_at]);
        let plain = serde_json::to_vec(letter).expect("a letter has only string keys and no fallible parts");
        New {
            recipient: self.data_key.seal(&place(merchant_id, &key, "recipient"), address.as_bytes()),
            content: self.data_key.seal(&place(merchant_id, &key, "content"), &plain),
            message_id: hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
            kind: letter.kind,
            merchant_id,
            order_id,
            due_at,
            key,
        }
    }
}

/// Where a letter goes, and what it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    pub merchant_id: Option<i64>,
    pub order_id: Option<i64>,
    pub address: &'a str,
}

fn address_place(merchant_id: i64) -> Place<'static> {
    Place { table: "mail_recipient", row: merchant_id, kind: "address", address: None }
}

fn place<'a>(merchant_id: Option<i64>, key: &'a str, what: &'a str) -> Place<'a> {
    Place { table: "mail", row: merchant_id.unwrap_or(0), kind: what, address: Some(key) }
}

fn text(plain: Vec<u8>) -> Result<String, OpenError> {
    String::from_utf8(plain).map_err(|_| OpenError::Format)
}

/// All that letters about one order are made of.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub order: &'a Overview,
    pub merchant: &'a Merchant,
    pub documents: &'a [Document],
    /// Of the accounts in which the documents lie.
    pub addresses: &'a BTreeMap<i64, String>,
    /// Where our own pages are.
    pub origin: Option<&'a str>,
}

impl Scene<'_> {
    /// What is told of the order. `document_id`: what it is about, where it is about one; else its live invoice is shown.
    #[must_use]
    pub fn letter(
        &self,
        kind: Kind,
        language: &str,
        document_id: Option<i64>,
        changes: Vec<Change>,
        own: Option<Wording>,
    ) -> Letter {
        let about = match document_id {
            Some(id) => self.documents.iter().find(|document| document.id == id),
            None => {
                self.documents.iter().rfind(|document| document.invoice().is_some() && document.remote_id.is_some())
            }
        };
        Letter {
            merchant: self.merchant.name.clone(),
            order: Some(Order {
                name: if self.order.name.is_empty() {
                    format!("№ {}", self.order.id)
                } else {
                    self.order.name.clone()
                },
                page: self.origin.map(|origin| format!("{origin}/orders/{}", self.order.id)),
            }),
            paper: about.and_then(|document| self.paper(document)),
            changes,
            reason: if matches!(kind, Kind::Held | Kind::Failed) { self.order.reason.clone() } else { None },
            own: own.map(|own| Own { subject: own.subject, greeting: own.greeting, closing: own.closing }),
            ..Letter::blank(kind, language)
        }
    }

    fn paper(&self, document: &Document) -> Option<Paper> {
        let paper = Paper::of(&document.content, document.remote_no.clone(), document.total)?;
        let invoice = self.documents.iter().find(|parent| Some(parent.id) == document.parent_id);
        // Daftra shows a receipt with the invoice that it is on.
        let shown = invoice.unwrap_or(document);
        let page = self.addresses.get(&shown.account_id).zip(shown.remote_id);
        Some(Paper {
            invoice: invoice.and_then(|invoice| invoice.remote_no.clone()),
            page: page.map(|(address, id)| format!("{}/owner/invoices/view/{id}", address.trim_end_matches('/'))),
            ..paper
        })
    }
}

/// A letter of the number of those that are not mailed one by one.
#[must_use]
pub fn more(merchant: &Merchant, of: Kind, language: &str, origin: Option<&str>) -> Letter {
    Letter {
        merchant: merchant.name.clone(),
        of: Some(of),
        link: origin.map(|origin| format!("{origin}/attention?merchant={}", merchant.slug)),
        ..Letter::blank(Kind::More, language)
    }
}

/// Puts it there, or counts it where it counts.
pub fn post(tx: &Transaction<'_>, new: &New, now: Timestamp) -> Result<bool, db::Error> {
    if new.kind == Kind::More { mail::put_or_count(tx, new, now) } else { mail::put(tx, new, now) }
}

//! What people ask for: every change on somebody's word, whether it comes from the command line or from a page.
//!
//! - One wish, one transaction, one row in the audit. Every refusal comes before the first write, so a refused wish
//!   leaves nothing behind.
//! - A wish that changes nothing writes nothing, not even an audit row.
//! - Secrets travel inside a wish only: answers and audit rows name them and never hold them.
//!
//! It does not read files, ask questions, print, or call anybody.

pub mod account;
mod check;
pub mod coverage;
pub mod cut_over;
mod delivery;
pub mod file;
mod go_live;
mod hold;
pub mod local;
pub mod mail;
mod mapping;
pub mod mapping_file;
mod merchant;
pub mod office;
mod order;
mod person;
mod privacy;
mod shop;
mod token;
mod way;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::Transaction;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::db::user::Role;
use crate::db::{self, Db, audit};
use crate::domain::document::Policy;
use crate::domain::news::Kind;
use crate::domain::ruling::Ruling;
use crate::text::refusal::{About, Form, Refusal, Why};
use crate::vault::Vault;
use file::MerchantFile;

/// One thing somebody wants changed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// A new merchant.
    MerchantAdd(Box<Proposal>),
    /// A merchant as the file says, wholly; secrets that are not given stay.
    MerchantSet(Box<Proposal>),
    /// Keep deliveries, do nothing.
    MerchantPause {
        /// The merchant.
        slug: String,
    },
    /// Back to what was paused.
    MerchantResume {
        /// The merchant.
        slug: String,
    },
    /// The end of a merchant: what was booked stays, nothing new is taken in.
    MerchantClose {
        /// The merchant.
        slug: String,
    },
    /// A closed merchant is there again, paused.
    MerchantOpen {
        /// The merchant.
        slug: String,
        /// Another current webhook secret, in clear; none: those of before.
        secret: Option<Secret>,
    },
    /// Another current webhook secret; the one before still proves deliveries.
    SecretRotate {
        /// The merchant.
        slug: String,
        /// In clear; sealed before it is stored.
        secret: Secret,
    },
    /// Somebody gets a merchant's mails.
    MailRecipientAdd {
        /// The merchant.
        slug: String,
        /// Where to.
        address: String,
        /// As a tag.
        language: String,
        /// About what.
        kinds: BTreeSet<Kind>,
    },
    /// Somebody gets other mails than before.
    MailRecipientSet {
        /// The merchant.
        slug: String,
        /// Our own id.
        recipient_id: i64,
        /// As a tag.
        language: String,
        /// About what.
        kinds: BTreeSet<Kind>,
    },
    /// Somebody gets no more mails.
    MailRecipientRemove {
        /// The merchant.
        slug: String,
        /// Our own id.
        recipient_id: i64,
    },
    /// A merchant's own words for a kind of mail.
    MailWords {
        /// The merchant.
        slug: String,
        /// About what.
        kind: Kind,
        /// As a tag.
        language: String,
        /// None: ours again.
        own: Option<mail::Words>,
    },
    /// A mail is sent again.
    MailResend {
        /// The merchant; none: it is to those who run the server.
        slug: Option<String>,
        /// Our own id.
        mail_id: i64,
    },
    /// Somebody gets a mail of a kind as a trial.
    MailTrial {
        /// The merchant.
        slug: String,
        /// About what.
        kind: Kind,
        /// As a tag.
        language: String,
        /// Our own id.
        recipient_id: i64,
        /// Where our pages are, for its links.
        origin: Option<String>,
    },
    /// The webhook secret before the current one proves nothing any more.
    SecretForget {
        /// The merchant.
        slug: String,
    },
    /// The shop's API may be asked from now on.
    ShopConnect {
        /// The merchant.
        slug: String,
        /// Of the app whose secret is given; none: a token that does not end is given.
        client_id: Option<String>,
        /// The token, or the client's secret, in clear.
        secret: Secret,
        /// With a token: what signs webhooks that the app made. It lets us make them.
        signs: Option<Secret>,
    },
    /// The shop's API is asked no more.
    ShopDisconnect {
        /// The merchant.
        slug: String,
    },
    /// Look for orders in the shop now.
    CatchUp {
        /// The merchant.
        slug: String,
        /// All that changed since then; none: as usual.
        since: Option<Timestamp>,
        /// These orders, by name.
        orders: Vec<String>,
    },
    /// Look for which of the shop's variants a product is found.
    CoverageLook {
        /// The merchant.
        slug: String,
    },
    /// A code of the shop is this product of Daftra.
    MappingSet {
        /// The merchant.
        slug: String,
        /// A SKU, a barcode or the id of a variant.
        code: String,
        /// Daftra's id.
        product_id: i64,
    },
    /// Look for documents in Daftra that name orders and are not ours.
    CutOverLook {
        /// The merchant.
        slug: String,
    },
    /// Documents that others made become the invoices of orders.
    OrderAdopt {
        /// The merchant.
        slug: String,
        /// Each for itself.
        rows: Vec<AdoptRow>,
    },
    /// A document is none of ours, whatever it names.
    NamesakeDismiss {
        /// The merchant.
        slug: String,
        /// Daftra's id.
        invoice: i64,
    },
    /// Look at an order now, whatever it waits for.
    OrderRetry {
        /// Our own id.
        order_id: i64,
    },
    /// Look now at every order of a merchant that was given up.
    FailedRetry {
        /// The merchant.
        slug: String,
    },
    /// A person decides about one order.
    OrderRule {
        /// Our own id.
        order_id: i64,
        /// What is decided.
        ruling: Ruling,
        /// Why.
        note: String,
    },
    /// A person writes something down about one order.
    OrderNote {
        /// Our own id.
        order_id: i64,
        /// What.
        note: String,
    },
    /// Take the kept body of a delivery in once more.
    DeliveryReplay {
        /// Our own id.
        delivery_id: i64,
    },
    /// Collect what is kept of the customer of a request.
    PrivacyRead {
        /// Our own id.
        request_id: i64,
    },
    /// A customer was told what is kept.
    PrivacyAnswer {
        /// Our own id.
        request_id: i64,
    },
    /// Forget the customer of a request.
    PrivacyRedact {
        /// Our own id.
        request_id: i64,
    },
    /// Forget who placed orders, though no shop asked for it.
    PrivacyForget {
        /// The merchant.
        slug: String,
        /// By Shopify's ids.
        orders: BTreeSet<i64>,
    },
    /// A shop that removed our app has it again.
    ShopBack {
        /// The merchant.
        slug: String,
    },
    /// Look now at every order that is held for one cause.
    HoldRelease {
        /// Of one merchant only.
        slug: Option<String>,
        /// The code of the hold.
        cause: String,
        /// What the hold is about, where several orders may be held by the same.
        about: Option<String>,
    },
    /// Codes of the shop are these products of Daftra.
    MappingImport {
        /// The merchant.
        slug: String,
        /// Each at most once.
        rows: Vec<MappingRow>,
    },
    /// A new person who may sign in.
    UserAdd {
        /// To sign in with.
        name: String,
        /// What the person may do.
        role: Role,
        /// In clear; hashed before it is stored.
        password: Secret,
    },
    /// What somebody may do and see.
    UserRights {
        /// The person.
        name: String,
        /// What the person may do.
        role: Role,
        /// The slugs of the merchants to whom the person is limited; none: all of them, also future ones.
        merchants: Option<Vec<String>>,
    },
    /// Lets somebody in no longer, or again; tokens end for good.
    UserDisable {
        /// The person.
        name: String,
        /// No longer.
        disabled: bool,
    },
    /// The language somebody reads.
    UserLanguage {
        /// The person.
        name: String,
        /// Its tag; none: what the browser asks for.
        language: Option<String>,
    },
    /// A script speaks for a user from now on.
    TokenAdd {
        /// The person for whom it speaks.
        user: String,
        /// What it is for.
        name: String,
        /// It may do no more than this.
        role: Role,
        /// It sees this merchant only; none: what the person sees.
        merchant: Option<String>,
        /// Until it ends.
        days: u32,
        /// In clear; hashed before it is stored.
        secret: Secret,
    },
    /// A token opens nothing any more.
    TokenRevoke {
        /// Our own id.
        token_id: i64,
    },
    /// Another password.
    UserPasswd {
        /// The person.
        name: String,
        /// In clear; hashed before it is stored.
        password: Secret,
        /// The person's tokens open nothing any more.
        end_tokens: bool,
    },
}

/// One line of an imported mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingRow {
    /// A SKU, a barcode or the id of a variant.
    pub code: String,
    /// Daftra's id.
    pub product_id: i64,
    /// For people.
    #[serde(default)]
    pub note: String,
}

/// One order and the document that is to be its invoice, as somebody wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptRow {
    /// Of the file, from 1 on.
    pub line: u32,
    /// By name or by Shopify's id.
    pub order: String,
    /// Daftra's id.
    pub invoice: String,
}

/// What a merchant is to be.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// What the merchant file says; the paths of its secrets mean nothing here.
    pub file: MerchantFile,
    /// The secrets it named.
    pub secrets: Secrets,
}

/// The secrets of a merchant that are to be replaced.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The current one, then the previous one; empty leaves both as they are.
    pub webhook: Vec<Secret>,
    /// For the Daftra address of the file.
    pub daftra_key: Option<Secret>,
}

/// A secret on its way to the vault. It has no `Debug`; it is written out for the local socket only.
#[derive(Clone)]
pub struct Secret(pub SecretString);

impl Secret {
    fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    fn is(&self, other: &SecretString) -> bool {
        self.0.expose_secret() == other.expose_secret()
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        SecretString::deserialize(from).map(Self)
    }
}

/// Who wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// `None` on the command line: whoever may open the data folder.
    pub user_id: Option<i64>,
    /// How the wish came.
    pub via: Via,
    /// From where, if it came over the network.
    pub from: Option<IpAddr>,
}

impl Person {
    /// Whoever typed a command.
    pub const AT_THE_COMMAND_LINE: Self = Self { user_id: None, via: Via::Cli, from: None };
}

/// How a wish came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The command line.
    Cli,
    /// A page.
    Page,
    /// The API.
    Api {
        /// The id of the token that was shown.
        token: i64,
    },
}

impl Via {
    fn word(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Page => "page",
            Self::Api { .. } => "api",
        }
    }
}

/// A wish that came true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What changed, for the one who wished.
    pub answer: Value,
    /// Whom a running server must tell.
    pub effects: Effects,
}

/// What a running server must do after a change; at its next start it would find out by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Merchants or secrets: the intake reads them anew.
    pub doors_changed: bool,
    /// Orders became due.
    pub orders_asked: bool,
    /// A chore became due.
    pub chores_asked: bool,
    /// There may be something to mail.
    pub mails_asked: bool,
}

/// Why a wish ended without a change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The wish itself is wrong.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database is in trouble: the same wish may come true later.
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Where wishes come true.
pub struct Desk<'a> {
    /// What is changed.
    pub db: &'a Db,
    /// Seals what is secret.
    pub vault: &'a Arc<Vault>,
    /// How patient we are with Daftra, whoever is not.
    pub policy: Policy,
}

impl Desk<'_> {
    /// Makes a wish come true.
    pub fn perform(&self, wish: Wish, now: Timestamp, by: Person) -> Result<Done, Error> {
        let moment = Moment { vault: Arc::clone(self.vault), policy: self.policy, now, by };
        match wish {
            Wish::MerchantAdd(proposal) => {
                let choice = proposal.file.check()?;
                self.in_one(move |tx| merchant::add(tx, &moment, choice, &proposal.secrets))
            }
            Wish::MerchantSet(proposal) => {
                let choice = proposal.file.check()?;
                self.in_one(move |tx| merchant::set(tx, &moment, choice, &proposal.secrets))
            }
            Wish::MerchantPause { slug } => self.in_one(move |tx| merchant::pause(tx, &moment, &slug)),
            Wish::MerchantResume { slug } => self.in_one(move |tx| merchant::resume(tx, &moment, &slug)),
            Wish::MerchantClose { slug } => self.in_one(move |tx| merchant::close(tx, &moment, &slug)),
            Wish::MerchantOpen { slug, secret } => self.in_one(move |tx| merchant::open(tx, &moment, &slug, secret)),
            Wish::SecretRotate { slug, secret } => self.in_one(move |tx| merchant::rotate(tx, &moment, &slug, secret)),
            Wish::MailRecipientAdd { slug, address, language, kinds } => {
                self.in_one(move |tx| mail::add_recipient(tx, &moment, &slug, &address, &language, &kinds))
            }
            Wish::MailRecipientSet { slug, recipient_id, language, kinds } => {
                self.in_one(move |tx| mail::set_recipient(tx, &moment, &slug, recipient_id, &language, &kinds))
            }
            Wish::MailRecipientRemove { slug, recipient_id } => {
                self.in_one(move |tx| mail::remove_recipient(tx, &moment, &slug, recipient_id))
            }
            Wish::MailWords { slug, kind, language, own } => {
                self.in_one(move |tx| mail::set_words(tx, &moment, &slug, kind, &language, own.as_ref()))
            }
            Wish::MailResend { slug, mail_id } => {
                self.in_one(move |tx| mail::resend(tx, &moment, slug.as_deref(), mail_id))
            }
            Wish::MailTrial { slug, kind, language, recipient_id, origin } => {
                self.in_one(move |tx| mail::trial(tx, &moment, &slug, kind, &language, recipient_id, origin.as_deref()))
            }
            Wish::SecretForget { slug } => self.in_one(move |tx| merchant::forget_previous(tx, &moment, &slug)),
            Wish::ShopConnect { slug, client_id, secret, signs } => {
                self.in_one(move |tx| shop::connect(tx, &moment, &slug, client_id.as_deref(), &secret, signs))
            }
            Wish::ShopDisconnect { slug } => self.in_one(move |tx| shop::disconnect(tx, &moment, &slug)),
            Wish::CatchUp { slug, since, orders } => {
                self.in_one(move |tx| shop::catch_up(tx, &moment, &slug, since, &orders))
            }
            Wish::CutOverLook { slug } => self.in_one(move |tx| cut_over::look(tx, &moment, &slug)),
            Wish::OrderAdopt { slug, rows } => self.in_one(move |tx| cut_over::adopt(tx, &moment, &slug, &rows)),
            Wish::NamesakeDismiss { slug, invoice } => {
                self.in_one(move |tx| cut_over::dismiss(tx, &moment, &slug, invoice))
            }
            Wish::CoverageLook { slug } => self.in_one(move |tx| coverage::look(tx, &moment, &slug)),
            Wish::MappingSet { slug, code, product_id } => {
                self.in_one(move |tx| mapping::set(tx, &moment, &slug, &code, product_id))
            }
            Wish::OrderRetry { order_id } => self.in_one(move |tx| order::retry(tx, &moment, order_id)),
            Wish::FailedRetry { slug } => self.in_one(move |tx| hold::retry_failed(tx, &moment, &slug)),
            Wish::OrderRule { order_id, ruling, note } => {
                self.in_one(move |tx| hold::rule(tx, &moment, order_id, ruling, &note))
            }
            Wish::OrderNote { order_id, note } => {
                self.in_one(move |tx| order::note(tx, &moment, order_id, note.trim()))
            }
            Wish::DeliveryReplay { delivery_id } => self.in_one(move |tx| delivery::replay(tx, &moment, delivery_id)),
            Wish::PrivacyRead { request_id } => {
                let held = self.db.read(|c| refused_apart(privacy::collect(c, &moment.vault, request_id)))??;
                self.in_one(move |tx| privacy::read(tx, &moment, request_id, held))
            }
            Wish::PrivacyAnswer { request_id } => self.in_one(move |tx| privacy::answer(tx, &moment, request_id)),
            Wish::PrivacyRedact { request_id } => self.in_one(move |tx| privacy::redact(tx, &moment, request_id)),
            Wish::PrivacyForget { slug, orders } => self.in_one(move |tx| privacy::forget(tx, &moment, &slug, &orders)),
            Wish::ShopBack { slug } => self.in_one(move |tx| privacy::shop_is_back(tx, &moment, &slug)),
            Wish::HoldRelease { slug, cause, about } => {
                self.in_one(move |tx| hold::release(tx, &moment, slug.as_deref(), &cause, about.as_deref()))
            }
            Wish::MappingImport { slug, rows } => self.in_one(move |tx| mapping::import(tx, &moment, &slug, &rows)),
            Wish::UserAdd { name, role, password } => {
                let password = person::hashed(&name, &password)?;
                self.in_one(move |tx| person::add(tx, &moment, &name, role, &password))
            }
            Wish::UserRights { name, role, merchants } => {
                self.in_one(move |tx| person::set_rights(tx, &moment, &name, role, merchants.as_deref()))
            }
            Wish::UserDisable { name, disabled } => {
                self.in_one(move |tx| person::disable(tx, &moment, &name, disabled))
            }
            Wish::UserLanguage { name, language } => {
                self.in_one(move |tx| person::set_language(tx, &moment, &name, language.as_deref()))
            }
            Wish::TokenAdd { user, name, role, merchant, days, secret } => {
                let wanted = token::Wanted { user, name, role, merchant, days, secret };
                self.in_one(move |tx| token::add(tx, &moment, &wanted))
            }
            Wish::TokenRevoke { token_id } => self.in_one(move |tx| token::revoke(tx, &moment, token_id)),
            Wish::UserPasswd { name, password, end_tokens } => {
                let password = person::hashed(&name, &password)?;
                self.in_one(move |tx| person::set_password(tx, &moment, &name, &password, end_tokens))
            }
        }
    }

    /// Opens the body of a delivery for a person; that it was read is written down.
    pub fn body(&self, delivery_id: i64, now: Timestamp, by: Person) -> Result<String, Error> {
        let moment = Moment { vault: Arc::clone(self.vault), policy: self.policy, now, by };
        let answer = self.in_one(move |tx| delivery::read(tx, &moment, delivery_id))?.answer;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    fn in_one(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> Result<Done, Error> + Send + 'static,
    ) -> Result<Done, Error> {
        // Nothing was written before a refusal, so there is nothing to roll back.
        let done = self.db.write(move |tx| refused_apart(change(tx)))?;
        Ok(done?)
    }
}

/// A refusal is an answer of the database's thread, no trouble of it.
fn refused_apart<T>(done: Result<T, Error>) -> Result<Result<T, Refusal>, db::Error> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal)),
        Err(Error::Db(error)) => Err(error),
    }
}

/// What every change needs beside the wish.
struct Moment {
    vault: Arc<Vault>,
    policy: Policy,
    now: Timestamp,
    by: Person,
}

impl Moment {
    fn write_down(&self, tx: &Transaction<'_>, action: &str, mut facts: Value) -> Result<(), db::Error> {
        facts["via"] = self.by.via.word().into();
        if let Via::Api { token } = self.by.via {
            facts["by_token"] = token.into();
        }
        if let Some(from) = self.by.from {
            facts["from"] = from.to_string().into();
        }
        audit::write(tx, self.by.user_id, action, &facts, self.now)
    }
}

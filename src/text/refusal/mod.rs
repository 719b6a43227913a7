//! Why a wish does not come true: codes and facts first, which travel and are compared, then a sentence per language.
//!
//! A refusal names a value by the key of the merchant file, as the command line knows it; a page puts the name of its
//! field there. A secret is never part of it.

mod ar;
mod en;
mod field;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Lang, Sentence};
use crate::db::order::State;
use crate::db::user::Role;

/// Which value, what it is, and why that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What is wrong.
    pub about: About,
    /// What was given, in JSON, where that says something; never a secret.
    pub value: Option<String>,
    /// The reason, and with it the way out.
    pub why: Why,
}

/// What a refusal speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A key of the merchant file, or what a command is given.
    Key(String),
    /// A key in a line of an imported file; the first has the number 1.
    Line(u32, String),
    /// A line of a file that cannot be read.
    Text(usize),
    /// A merchant by its slug.
    Merchant(String),
    /// An order as the shop calls it.
    Order(String),
    /// A delivery by our own id.
    Delivery(i64),
    /// One that is not named any closer.
    Secret,
}

/// Why something cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It has not the form it must have.
    Form(Form),
    /// It must be there.
    Missing(Option<Form>),
    /// Nobody knows this key; known are these.
    UnknownKey(String),
    /// A key of a later version; the one value that already means what happens today.
    LaterKey(Option<String>),
    /// The reader's own complaint.
    Type(String),
    /// The reader's own complaint.
    Json(String),
    /// The reader's own complaint.
    Toml(String),

    /// Another merchant has this slug.
    SlugTaken,
    /// An address of ours has this name.
    SlugReserved,
    /// No merchant has this slug.
    NoMerchant,
    /// A closed merchant does not change.
    MerchantClosed,
    /// What a closed merchant had is gone.
    MerchantPurged,
    /// A day from which is booked, in a mode that books nothing.
    LiveFromAlone,
    /// All lines are claimed in a shop in which this merchant sells too.
    SharedShop(String),
    /// This merchant owns the vendor.
    VendorOwned(String),
    /// This merchant owns all lines of the shop.
    ShopOwned(String),
    /// All vendors and a vendor.
    AllVendorsAlone,
    /// Exceptions without a rule.
    ExceptionsAlone,
    /// A vendor without a name.
    VendorNameless,
    /// An empty prefix, or one with blanks around it.
    PrefixForm,
    /// Blanks around it.
    Blanks,
    /// An earlier row says the same tax.
    TaxTwice(usize),

    /// A key without the address it belongs to.
    KeyAlone,
    /// More secrets than there are places.
    SecretsMany(usize),
    /// An empty secret.
    SecretEmpty,
    /// A merchant of another shop has the same secret.
    SecretShared(String),
    /// A merchant of another shop has had the same secret since this one was closed.
    SecretTaken(String),

    /// There is no account of Daftra yet.
    NoAccount,
    /// Nobody may ask the merchant's shop.
    NoShopApi,
    /// More orders by name than are taken at once.
    OrdersMany(usize, usize),

    /// Nothing can be paid on a draft.
    PaidDraft,
    /// Documents without prices take no payments.
    PaidZero,
    /// It means nothing while no payments are recorded.
    RecordFirst,
    /// A method that asks for the buyer's mail address.
    MethodWantsMail,
    /// The gateway stands there twice.
    GatewayTwice,

    /// A name to sign in with has another form.
    UserForm,
    /// Somebody has this name.
    UserTaken,
    /// Nobody has this name.
    NoUser,
    /// Whoever is not let in gets no token.
    UserDisabled,
    /// So many characters, where it is from so many to so many.
    PasswordLength(usize, usize, usize),
    /// Nobody else may do everything.
    LastOwner,
    /// An owner cannot be limited to merchants.
    OwnerLimited,
    /// Not one of ours.
    Language,

    /// A token's name has another form; it is at most so long.
    TokenName(usize),
    /// The user has a token of this name.
    TokenTaken,
    /// The user has so many already.
    TokensMany(usize),
    /// The user may do less than that.
    TokenRole(Role),
    /// It lasts from one day to so many.
    TokenDays(u32),
    /// It could be guessed: it has less than so many characters.
    TokenShort(usize),
    /// No token has this id.
    NoToken,

    /// Not a mail address, or more than one.
    MailForm,
    /// It gets mails already.
    RecipientTaken,
    /// The merchant has so many already.
    RecipientsMany(usize),
    /// Nobody with this number gets mails.
    NoRecipient,
    /// Words in braces that stand for nothing.
    UnknownPlace,
    /// No such mail, or what it says is not kept any more, or it is on its way.
    NoMail,

    /// So many characters, where it is at most so many.
    NoteLength(usize, usize),
    /// The code stands there twice.
    CodeTwice,
    /// No code at all.
    CodeForm,
    /// Not an id of Daftra.
    ProductForm,

    /// No order has this id.
    NoOrder,
    /// Daftra was not looked through of late for documents of others.
    CutOverFirst,
    /// So many documents of others wait for a decision.
    CutOverOpen(u32),
    /// Several orders have this name.
    OrderAmbiguous,
    /// The order has an invoice.
    OrderInvoiced,
    /// What the shop says of the order is not known, or no longer.
    OrderEmpty,
    /// The invoice is that of another order.
    InvoiceTaken(String),
    /// The invoice names another order.
    InvoiceNames(String),
    /// Not an id of Daftra.
    InvoiceForm,
    /// It stands in two lines.
    LineTwice,
    /// No such document waits for a decision.
    NoNamesake,
    /// No order is held for this.
    NoCause,
    /// Only what waits for a person can be dismissed.
    NotDismissed(State),
    /// Only what the rules pass over can be imported.
    NotImported(State),
    /// No invoice of it is gone.
    NothingGone(State),
    /// No invoice of the order was found changed by hand.
    NothingChanged(State),

    /// No delivery has this id.
    NoDelivery,
    /// No request about a customer has this number.
    NoRequest,
    /// A request of this kind, or that was ended, does not take this.
    RequestEnded,
    /// An order is named that no request may be made without.
    NoOrdersNamed,
    /// A delivery that is about no order.
    NothingToTakeIn,
    /// A body that does not say what its topic says: where, and how.
    BodyUnreadable(String, String),
    /// A body that is no longer kept.
    BodyPurged,
    /// A body sealed with a key we do not have.
    BodySealed,
}

/// What a value looks like where its type alone does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A merchant's name in addresses.
    Slug,
    /// A merchant's name for people.
    Name,
    /// An IANA time zone.
    TimeZone,
    /// What a merchant's orders lead to.
    Mode,
    /// `[shop]`
    ShopSection,
    /// The permanent domain.
    ShopDomain,
    /// `[daftra]`
    DaftraSection,
    /// The account's address.
    DaftraUrl,
    /// `[lines]`
    LinesSection,
    /// Whose lines.
    Vendors,
    /// Where a SKU's prefix may end.
    Separators,
    /// When an order is invoiced.
    Trigger,
    /// A moment.
    Time,
    /// How far sums may differ.
    Tolerance,
    /// What follows when Daftra refuses to change an invoice.
    Locked,
    /// What becomes of shipping.
    Shipping,
    /// What the customer pays, or nothing.
    Price,
    /// Goods exchanged for others.
    Exchange,
    /// What becomes of a line that is no product.
    Line,
    /// A tax rate.
    Rate,
    /// Whether prices contain a tax.
    Included,
    /// A way of paying as Shopify names it.
    Gateway,
    /// A way of paying as Daftra names it.
    Method,
    /// An id of Daftra.
    DaftraId,
}

impl Refusal {
    /// Of a value as it would stand in the merchant file.
    pub(crate) fn new(key: impl Into<String>, value: impl Serialize, why: Why) -> Self {
        Self { about: About::Key(key.into()), value: Some(json!(value).to_string()), why }
    }

    /// Of something whose reason says what it is.
    pub(crate) fn of(about: About, why: Why) -> Self {
        Self { about, value: None, why }
    }

    /// What is wrong, and what to do, with the names that the pages give the fields.
    #[must_use]
    pub fn sentence(&self, lang: Lang) -> Sentence {
        match lang {
            Lang::En => en::sentence(self, true),
            Lang::Ar => ar::sentence(self),
        }
    }

    /// The same in English, with the keys of the merchant file and the commands.
    #[must_use]
    pub fn in_keys(&self) -> Sentence {
        en::sentence(self, false)
    }

    /// What a page says, in one line.
    #[must_use]
    pub fn line(&self, lang: Lang) -> String {
        let Sentence { what, next_step } = self.sentence(lang);
        format!("{what}: {next_step}")
    }

    /// The reason as programs know it.
    #[must_use]
    pub fn code(&self) -> String {
        let why = json!(self.why);
        let with_facts = || why.as_object()?.keys().next().cloned();
        why.as_str().map(str::to_owned).or_else(with_facts).expect("an enum is its word, or its word with facts")
    }
}

/// As the command line says it.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sentence { what, next_step } = self.in_keys();
        write!(f, "{what}: {next_step}")
    }
}

impl std::error::Error for Refusal {}

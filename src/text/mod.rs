//! Every word a person reads, in English and Arabic: sentences made from codes and facts, never from an error's text.
//!
//! [`Words`] has a method per sentence and one implementation per language, so the compiler demands both. Plain text
//! without markup: pages and the command line print the same sentences. Names and codes inside a sentence keep their
//! own direction through Unicode isolates.

mod ar;
mod en;
pub mod label;
pub mod plural;
pub mod refusal;
pub mod telling;

use jiff::Timestamp;

use self::plural::Plural;
use crate::db::alert::Cause;
use crate::db::class;
use crate::db::delivery::Fate;
use crate::db::log::{Facts, Status};
use crate::db::merchant::{Mode, Trouble};
use crate::db::order;
use crate::db::rejection::Why;
use crate::db::user::Role;
use crate::domain::connection::Blocked;
use crate::domain::document;
use crate::domain::draft::Draft;
use crate::domain::money::{Amount, Currency};
use crate::domain::operation::Operation;
use crate::domain::payment::{Money, MoneyState};
use crate::domain::reason::{Failed, Hold, Ignored, LineDifference, Reason, Waiting};
use crate::domain::refund::Class;
use crate::domain::ruling::Ruling;
use crate::domain::trace::Step;

/// A language people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English, left to right.
    En,
    /// Arabic, right to left.
    Ar,
}

/// What is the case, and what the reader can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The case and its cause.
    pub what: String,
    /// What happens next, or what to press.
    pub next_step: String,
}

/// Why a page answers with a sentence instead of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nobody is signed in, or name and password do not fit.
    SignIn,
    /// Too many wrong passwords lately: come back in so many seconds.
    TooManyTries {
        /// Until the next try counts.
        seconds: u64,
    },
    /// The role is too small.
    Forbidden,
    /// The API changes things for tokens only.
    TokenNeeded,
    /// The form was sent from another site.
    CrossSite,
    /// The form's token is missing or two days old.
    StaleForm,
    /// No such page, order or merchant.
    NotFound,
    /// What was wished cannot be; why stands beside it.
    Refused,
    /// The page exists and does not do that.
    WrongMethod,
    /// The request is larger than what is read.
    TooLarge,
    /// The request did not arrive in time.
    TooSlow,
    /// The body is compressed, or no form.
    Unsupported,
    /// Busy: come back in a moment.
    Busy,
    /// A fault of ours.
    Fault,
}

/// What a button has done, on the page that is shown next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The order is looked at again.
    LooksAgain,
    /// A change is kept.
    Saved,
    /// The password is another one, and tokens stay.
    PasswordChanged,
    /// The password is another one, and tokens have ended.
    TokensEnded,
    /// Somebody may sign in.
    UserAdded,
    /// A code is a product, and its orders are looked at again.
    Mapped,
    /// A note is kept with the order.
    Noted,
    /// Nothing more is done for the order.
    Dismissed,
    /// The order is booked although the rules pass it over.
    Imported,
    /// What was decided about a deleted invoice is kept.
    Decided,
    /// A delivery was read again.
    Replayed,
    /// The mappings of a file are kept.
    FileTaken,
    /// A customer is being forgotten.
    Forgetting,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::LooksAgain,
        Self::Saved,
        Self::PasswordChanged,
        Self::TokensEnded,
        Self::UserAdded,
        Self::Mapped,
        Self::Noted,
        Self::Dismissed,
        Self::Imported,
        Self::Decided,
        Self::Replayed,
        Self::FileTaken,
        Self::Forgetting,
    ];

    /// After a new password.
    #[must_use]
    pub fn of_password(ends_tokens: bool) -> Self {
        if ends_tokens { Self::TokensEnded } else { Self::PasswordChanged }
    }

    /// As it stands in an address.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::LooksAgain => "looks_again",
            Self::Saved => "saved",
            Self::PasswordChanged => "password_changed",
            Self::TokensEnded => "tokens_ended",
            Self::UserAdded => "user_added",
            Self::Mapped => "mapped",
            Self::Noted => "noted",
            Self::Dismissed => "dismissed",
            Self::Imported => "imported",
            Self::Decided => "decided",
            Self::Replayed => "replayed",
            Self::FileTaken => "file_taken",
            Self::Forgetting => "forgetting",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.word() == word)
    }
}

/// Every sentence; amounts are printed in the currency when it is known.
pub trait Words: Sync {
    /// Headings, columns and buttons.
    fn labels(&self) -> &'static Labels;
    /// Where an order stands.
    fn order_state(&self, state: order::State) -> &'static str;
    /// The status of a row of the sync log.
    fn status(&self, status: Status) -> &'static str;
    /// What a row of the log without facts means; nothing where the status says it all.
    fn bare(&self, status: Status) -> &'static str;
    /// What a merchant's orders lead to.
    fn mode(&self, mode: Mode) -> &'static str;
    /// What a user may do.
    fn role(&self, role: Role) -> &'static str;
    /// Where a document stands.
    fn document_state(&self, state: document::State) -> &'static str;
    /// What a document is called in Daftra.
    fn document_kind(&self, draft: &Draft) -> &'static str;
    /// Where the money of an order stands.
    fn money_state(&self, state: MoneyState) -> &'static str;
    /// What of the money is missing, or too much; nothing when it is even.
    fn owed(&self, unpaid: Amount, currency: Option<Currency>) -> Option<String>;
    /// How a refund record was understood.
    fn refund_class(&self, class: Class) -> &'static str;
    /// What a call was for; a word of a later version stands for itself.
    fn action<'a>(&self, word: &'a str) -> &'a str;
    /// How a call ended; a word of a later version stands for itself.
    fn outcome<'a>(&self, word: &'a str) -> &'a str;
    /// What somebody changed; a word of a later version stands for itself.
    fn deed<'a>(&self, word: &'a str) -> &'a str;
    /// What an alert is about, without a full stop: what it is about in particular follows.
    fn alert(&self, cause: Cause) -> Sentence;
    /// Why nothing is to be done.
    fn ignored(&self, why: &Ignored) -> Sentence;
    /// What is waited for.
    fn waiting(&self, why: &Waiting) -> Sentence;
    /// Why a person must decide.
    fn hold(&self, why: &Hold, currency: Option<Currency>) -> Sentence;
    /// Why we gave up.
    fn failed(&self, why: &Failed) -> Sentence;
    /// Why a merchant's calls are turned away.
    fn trouble(&self, trouble: &Trouble) -> Sentence;
    /// Why the API of a shop does not open.
    fn blocked(&self, blocked: &Blocked) -> Sentence;
    /// What is likely wrong with deliveries that prove nothing, and the shop that the newest of them named.
    fn rejection(&self, why: Why, shop: &str) -> Sentence;
    /// What became of a delivery.
    fn fate(&self, fate: Fate) -> &'static str;
    /// One thing the planner noticed.
    fn step(&self, step: &Step, currency: Option<Currency>) -> String;
    /// The class of an order, one of those every order is in.
    fn class(&self, class: class::Class) -> &'static str;
    /// What a person decided.
    fn ruling(&self, ruling: Ruling) -> &'static str;
    /// A document and what became of it.
    fn document(&self, reference: &str, number: Option<&str>, state: document::State) -> String;
    /// What a button has done.
    fn said(&self, said: Said) -> &'static str;
    /// Why there is a sentence instead of a page.
    fn notice(&self, notice: Notice) -> Sentence;
    /// An amount without a known currency.
    fn minor_units(&self, amount: Amount) -> String;
    /// Text of any direction, marked where it would disturb a sentence of this language.
    fn isolate(&self, text: &str) -> String;
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Ar];

    /// The language a browser asks for: the best-weighted of ours, English without a wish.
    #[must_use]
    pub fn accepted(header: &str) -> Self {
        let mut best = (Self::En, 0);
        for item in header.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
            let wish = match tag.split('-').next() {
                Some("ar") => Self::Ar,
                Some("en") => Self::En,
                Some(_) | None => continue,
            };
            if weight > best.1 {
                best = (wish, weight);
            }
        }
        best.0
    }

    /// The language of a tag.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.tag() == tag)
    }

    /// Its own name for itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ar => "العربية",
        }
    }

    /// As HTML and HTTP name it.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ar => "ar",
        }
    }

    /// The writing direction, as HTML names it.
    #[must_use]
    pub fn direction(self) -> &'static str {
        match self {
            Self::En => "ltr",
            Self::Ar => "rtl",
        }
    }

    /// Its sentences.
    #[must_use]
    pub fn words(self) -> &'static dyn Words {
        match self {
            Self::En => &en::English,
            Self::Ar => &ar::Arabic,
        }
    }
}

/// Why an order stands where it stands: one sentence, or one per hold.
#[must_use]
pub fn reason(lang: Lang, reason: &Reason, currency: Option<Currency>) -> Vec<Sentence> {
    let words = lang.words();
    match reason {
        Reason::Ignored(why) => vec![words.ignored(why)],
        Reason::Waiting(why) => vec![words.waiting(why)],
        Reason::Held(holds) => holds.iter().map(|hold| words.hold(hold, currency)).collect(),
        Reason::Failed(why) => vec![words.failed(why)],
    }
}

/// What a row of the sync log says: its facts, or what its status means where it has none.
#[must_use]
pub fn happened(lang: Lang, status: Status, known: Option<&Facts>, currency: Option<Currency>) -> String {
    known.map_or_else(|| lang.words().bare(status).to_owned(), |known| facts(lang, known, currency))
}

/// What an alert is about and what to do; a word of a later version stands for itself.
#[must_use]
pub fn alert(lang: Lang, cause: &str) -> Sentence {
    let unknown = || Sentence { what: cause.to_owned(), next_step: String::new() };
    Cause::parse(cause).map_or_else(unknown, |cause| lang.words().alert(cause))
}

/// The facts of a row of the sync log, without next steps: those are on the order's page.
#[must_use]
pub fn facts(lang: Lang, facts: &Facts, currency: Option<Currency>) -> String {
    match facts {
        Facts::Document { reference, number, state } => lang.words().document(reference, number.as_deref(), *state),
        Facts::Reason(why) => {
            let sentences: Vec<String> = reason(lang, why, currency).into_iter().map(|one| one.what).collect();
            sentences.join(" ")
        }
        Facts::Topic(topic) => lang.words().isolate(topic),
    }
}

/// A time to the second in a zone: `2026-11-21 14:03:09`.
#[must_use]
pub fn time(at: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A size as operators read it: 1536 MiB is 1.5 GiB.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = u128::from(count) * 10;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// A length of time in one unit, rounded down: `45 s`, `7 min`, `3 h`, `12 d`.
#[must_use]
pub fn span(lang: Lang, seconds: i64) -> String {
    let (units, days) = match lang {
        Lang::En => (["s", "min", "h"], Plural::en("{} d", "{} d")),
        Lang::Ar => (["ث", "د", "س"], Plural::ar(["يوم واحد", "يومان", "{} أيام", "{} يومًا", "{} يوم"])),
    };
    match seconds.max(0) {
        short @ 0..60 => format!("{short} {}", units[0]),
        minutes @ 60..3_600 => format!("{} {}", minutes / 60, units[1]),
        hours @ 3_600..172_800 => format!("{} {}", hours / 3_600, units[2]),
        long => days.of(long / 86_400),
    }
}

/// An amount in major units with its currency, or in minor units while no currency is known.
#[must_use]
pub fn amount(lang: Lang, amount: Amount, currency: Option<Currency>) -> String {
    money(lang.words(), amount, currency)
}

/// Where the money of an order stands, and what is missing or too much.
#[must_use]
pub fn balance(lang: Lang, money: &Money, currency: Option<Currency>) -> String {
    let words = lang.words();
    let state = words.money_state(money.state);
    words.owed(money.unpaid(), currency).map_or_else(|| state.to_owned(), |owed| format!("{state}. {owed}"))
}

/// What shadow mode held back, as far as a person needs to know.
enum Planned<'a> {
    Create(&'a Draft),
    Replace(&'a Draft),
    OwnBooks,
}

fn planned(operation: &Operation) -> Planned<'_> {
    match operation {
        Operation::Create { draft, .. } => Planned::Create(draft),
        Operation::Replace { draft, .. } => Planned::Replace(draft),
        // What a person decided about an invoice that exists; shadow mode has none.
        Operation::Rewrite { .. } => Planned::OwnBooks,
        Operation::Record { .. } | Operation::Find { .. } | Operation::Verify { .. } | Operation::Resolve { .. } => {
            Planned::OwnBooks
        }
    }
}

fn money(words: &dyn Words, amount: Amount, currency: Option<Currency>) -> String {
    match currency {
        Some(currency) => words.isolate(&format!("{} {currency}", currency.print(amount))),
        None => words.minor_units(amount),
    }
}

/// What differs line by line, behind a sentence.
fn differing(lines: &[LineDifference], say: impl Fn(&LineDifference) -> String) -> String {
    lines.iter().map(|one| format!(" {}.", say(one))).collect()
}

/// Units and titles: `2 x “Cup” + 1 x “Pot”`.
fn units(goods: &[(String, i64)], quote: impl Fn(&str) -> String) -> String {
    if goods.is_empty() {
        return "0".to_owned();
    }
    goods.iter().map(|(title, units)| format!("{units} × {}", quote(title))).collect::<Vec<_>>().join(" + ")
}

/// Between first-strong isolate and its end: whatever direction the text has, it stays inside.
fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

/// The digits of a quality value like `0.8`, as a number out of 1,000; nonsense counts as unwanted.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.trim().split_once('.').unwrap_or((quality.trim(), ""));
    if fraction.len() > 3 {
        return 0;
    }
    format!("{whole}{fraction:0<3}").parse().ok().filter(|value| *value <= 1_000).unwrap_or(0)
}

/// Headings, columns and buttons.
pub struct Labels {
    pub alerts: &'static str,
    pub merchants: &'static str,
    pub log: &'static str,
    pub merchant: &'static str,
    pub shop: &'static str,
    pub mode: &'static str,
    pub orders: &'static str,
    pub cause: &'static str,
    pub subject: &'static str,
    pub count: &'static str,
    pub since: &'static str,
    pub time: &'static str,
    pub order: &'static str,
    pub status: &'static str,
    pub what: &'static str,
    pub all: &'static str,
    pub show: &'static str,
    pub older: &'static str,
    pub next_step: &'static str,
    pub placed: &'static str,
    pub shop_number: &'static str,
    pub next_look: &'static str,
    pub failures: &'static str,
    pub try_again: &'static str,
    pub documents: &'static str,
    pub no_documents: &'static str,
    pub kind: &'static str,
    pub number: &'static str,
    pub state: &'static str,
    pub total: &'static str,
    pub remote_id: &'static str,
    pub reference: &'static str,
    pub verified: &'static str,
    pub content: &'static str,
    pub line: &'static str,
    pub sku: &'static str,
    pub product: &'static str,
    pub units: &'static str,
    pub net: &'static str,
    pub method: &'static str,
    pub gateway: &'static str,
    pub treasury: &'static str,
    pub money: &'static str,
    pub tax: &'static str,
    pub decisions: &'static str,
    pub no_decisions: &'static str,
    pub deliveries: &'static str,
    pub no_deliveries: &'static str,
    pub topic: &'static str,
    pub received: &'static str,
    pub sent: &'static str,
    pub repeats: &'static str,
    pub event: &'static str,
    pub calls: &'static str,
    pub no_calls: &'static str,
    pub no_end: &'static str,
    pub duration: &'static str,
    pub request: &'static str,
    pub answer: &'static str,
    pub unreadable: &'static str,
    pub times_in: &'static str,
}

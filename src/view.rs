//! The shapes that scripts may rely on: what `--json` prints and what the API answers is the same, made once, here. Times
//! are RFC 3339 in UTC, amounts are decimals as text, sentences are English, and codes (`state`, `reason`, `trace`) stay
//! while their sentences may be worded anew.

pub mod read;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::db::class::Class;
use crate::db::document::Attempt;
use crate::db::log::{Entry, Facts, Status};
use crate::db::merchant::Mode;
use crate::db::order::Overview;
use crate::db::ruling;
use crate::db::user::Role;
use crate::db::{delivery, held, merchant, order, privacy, statement, token, user};
use crate::desk::file::MerchantFile;
use crate::domain::document as ledger;
use crate::domain::invoice::Billed;
use crate::domain::money::Currency;
use crate::domain::payment::{self, MoneyState, PaymentDraft};
use crate::domain::reason::Reason;
use crate::domain::sequence::Gap;
use crate::domain::trace::Trace;
use crate::text::{self, Lang};

/// `privacy list`: what a shop asks for in the name of a customer, or of all.
#[derive(Debug, Serialize)]
pub struct PrivacyRow {
    /// Our own number.
    pub id: i64,
    /// The merchant's slug.
    pub merchant: String,
    /// What is asked for.
    pub kind: privacy::Kind,
    /// Shopify's number.
    pub customer_id: Option<i64>,
    /// Shopify's numbers.
    pub orders: BTreeSet<i64>,
    pub received_at: Timestamp,
    /// The last day for it.
    pub due_at: Timestamp,
    pub state: privacy::State,
    /// When that state began.
    pub state_at: Timestamp,
    /// What was taken away.
    pub counts: privacy::Counts,
}

/// `merchant list`: one merchant in a line.
#[derive(Debug, Serialize)]
pub struct MerchantRow {
    /// In the webhook address.
    pub slug: String,
    /// For people.
    pub name: String,
    /// What its orders lead to.
    pub mode: Mode,
    /// The permanent domain.
    pub shop_domain: String,
    /// The address of its account.
    pub daftra: Option<String>,
    /// How many orders are in which state.
    pub orders: BTreeMap<&'static str, i64>,
    /// Why its calls are turned away.
    pub trouble: Option<Sentence>,
}

impl MerchantRow {
    fn new(
        merchant: &merchant::Merchant,
        daftra: Option<String>,
        orders: impl Iterator<Item = (order::State, i64)>,
    ) -> Self {
        Self {
            slug: merchant.slug.clone(),
            name: merchant.name.clone(),
            mode: merchant.mode,
            shop_domain: merchant.shop_domain.clone(),
            daftra,
            orders: orders.map(|(state, count)| (state.word(), count)).collect(),
            trouble: merchant.trouble.as_ref().map(|trouble| Lang::En.words().trouble(trouble).into()),
        }
    }
}

/// `merchant show`.
#[derive(Debug, Serialize)]
pub struct Merchant {
    /// As `merchant set` takes it.
    pub file: MerchantFile,
    /// Where the shop sends to.
    pub webhook_address: String,
    /// How many are stored.
    pub webhook_secrets: usize,
    /// Whether one is stored for the address.
    pub has_daftra_key: bool,
    /// Why its calls are turned away.
    pub trouble: Option<Sentence>,
}

/// What is the case and what to do about it.
#[derive(Debug, Serialize)]
pub struct Sentence {
    /// The case and its cause.
    pub what: String,
    /// What happens next, or what to do.
    pub next_step: String,
}

impl From<text::Sentence> for Sentence {
    fn from(sentence: text::Sentence) -> Self {
        Self { what: sentence.what, next_step: sentence.next_step }
    }
}

/// `order list`, and the head of `order show`.
#[derive(Debug, Serialize)]
pub struct Order {
    /// Our own number for it.
    pub id: i64,
    /// Shopify's.
    pub shopify_id: i64,
    /// `#1042`.
    pub name: String,
    /// Slug.
    pub merchant: String,
    /// Where it stands.
    pub state: &'static str,
    /// The same in the words of the daily account: every order is in one class.
    pub class: Class,
    /// Since when.
    pub since: Timestamp,
    /// By the shop's clock.
    pub placed_at: Option<Timestamp>,
    /// When it is looked at again by itself.
    pub due_at: Option<Timestamp>,
    /// Tries that failed in a row.
    pub failures: u32,
    /// Why it stands there, for programs.
    pub reason: Option<Reason>,
    /// The same for people.
    pub why: Vec<Sentence>,
}

impl Order {
    fn new(class: Class, order: Overview, currency: Option<Currency>) -> Self {
        let why = order.reason.as_ref().map(|reason| text::reason(Lang::En, reason, currency)).unwrap_or_default();
        Self {
            id: order.id,
            shopify_id: order.remote_id,
            name: order.name,
            merchant: order.merchant,
            state: order.state.word(),
            class,
            since: order.state_at,
            placed_at: order.placed_at,
            due_at: order.due_at,
            failures: order.failures,
            reason: order.reason,
            why: why.into_iter().map(Sentence::from).collect(),
        }
    }
}

/// `order show`: the whole story.
#[derive(Debug, Serialize)]
pub struct Story {
    /// Where it stands.
    pub order: Order,
    /// What the shop sent.
    pub deliveries: Vec<Delivery>,
    /// What exists, or may exist, in Daftra.
    pub documents: Vec<Document>,
    /// What people decided about it.
    pub rulings: Vec<Ruling>,
    /// Where the money stands; `null` while it is not recorded.
    pub money: Option<Money>,
    /// Why the last plan came out so, for programs.
    pub trace: Trace,
    /// The same for people.
    pub decisions: Vec<String>,
    /// Every call to Daftra.
    pub calls: Vec<Call>,
    /// What happened, newest first.
    pub log: Vec<LogRow>,
}

/// A webhook.
#[derive(Debug, Serialize)]
pub struct Delivery {
    /// `orders/create`.
    pub topic: String,
    /// By our clock.
    pub received_at: Timestamp,
    /// By the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// How often it came again.
    pub repeats: i64,
    /// What repeats are recognised by.
    pub event: String,
}

impl From<delivery::Overview> for Delivery {
    fn from(delivery: delivery::Overview) -> Self {
        let delivery::Overview { topic, received_at, sent_at, repeats, event_key, .. } = delivery;
        Self { topic, received_at, sent_at, repeats, event: event_key }
    }
}

/// What a person decided about an order.
#[derive(Debug, Serialize)]
pub struct Ruling {
    /// `dismiss`, `import`, `new_invoice`, `leave` or `rewrite`.
    pub ruling: &'static str,
    /// The same for people.
    pub what: &'static str,
    /// When.
    pub at: Timestamp,
    /// Who; `null` at the command line.
    pub by: Option<String>,
    /// Why.
    pub note: String,
}

impl From<ruling::Overview> for Ruling {
    fn from(overview: ruling::Overview) -> Self {
        let ruling::Overview { ruling, at, user, note } = overview;
        Self { ruling: ruling.word(), what: Lang::En.words().ruling(ruling), at, by: user, note }
    }
}

/// `hold list`: one cause, and how many orders it holds.
#[derive(Debug, Serialize)]
pub struct Cause {
    /// The merchant's slug.
    pub merchant: String,
    /// For `hold release`.
    pub cause: &'static str,
    /// What the orders have in common: a code, a tax, Daftra's words.
    pub about: String,
    /// How many.
    pub orders: usize,
    /// The oldest of them.
    pub since: Timestamp,
    /// Names of some.
    pub examples: Vec<String>,
    /// Of the first of them.
    pub why: Sentence,
}

impl From<held::Cause> for Cause {
    fn from(cause: held::Cause) -> Self {
        Self {
            why: Lang::En.words().hold(&cause.hold, None).into(),
            merchant: cause.merchant,
            cause: cause.cause,
            about: cause.about,
            orders: cause.orders,
            since: cause.since,
            examples: cause.examples.into_iter().map(|(_, name)| name).collect(),
        }
    }
}

/// `statement list`, and with its lines `statement show`.
#[derive(Debug, Serialize)]
pub struct Statement {
    /// The merchant's slug.
    pub merchant: String,
    /// In the merchant's own calendar.
    pub day: Date,
    /// When it was drawn up.
    pub drawn_at: Timestamp,
    /// All orders of the day.
    pub orders: i64,
    /// How many are in which class.
    pub classes: BTreeMap<Class, i64>,
    /// Numbers of orders that nobody told us of.
    pub missing: Vec<Gap>,
    /// The shop's own list was read since and has no others; `false`: that cannot be known.
    pub proven: bool,
    /// The orders; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<StatementLine>>,
}

/// One order of a statement.
#[derive(Debug, Serialize)]
pub struct StatementLine {
    /// Our own number.
    pub order_id: i64,
    /// The shop's name for it.
    pub order: String,
    /// Where it stood.
    pub class: Class,
}

impl Statement {
    fn new(
        merchant: String,
        statement: statement::Statement,
        proven: bool,
        lines: Option<Vec<statement::Line>>,
    ) -> Self {
        let line = |line: statement::Line| {
            let statement::Line { order_id, name, class } = line;
            StatementLine { order_id, order: name.unwrap_or_default(), class }
        };
        Self {
            orders: statement.orders(),
            merchant,
            day: statement.day,
            drawn_at: statement.drawn_at,
            classes: statement.counts,
            missing: statement.missing,
            proven,
            lines: lines.map(|lines| lines.into_iter().map(line).collect()),
        }
    }
}

/// `mapping list`.
#[derive(Debug, Serialize)]
pub struct Mapping {
    /// Of the shop.
    pub code: String,
    /// Daftra's id.
    pub product_id: i64,
    /// For people.
    pub note: String,
}

/// A document of the ledger.
#[derive(Debug, Serialize)]
pub struct Document {
    /// `invoice`, `refund_receipt` or `payment`.
    pub kind: &'static str,
    /// Where it stands.
    pub state: ledger::State,
    /// Ours, on the document itself.
    pub reference: String,
    /// Daftra's visible number.
    pub number: Option<String>,
    /// Daftra's id.
    pub daftra_id: Option<i64>,
    /// As read back.
    pub total: Option<String>,
    /// ISO code.
    pub currency: String,
    /// Whether the goods of an invoice left their warehouse; `null` until it was read back.
    pub stock: Option<ledger::Stock>,
    /// When it was last read back and found right.
    pub verified_at: Option<Timestamp>,
    /// What is on it, with the products that were chosen.
    pub lines: Vec<Line>,
    /// What a payment says; `null` for every other document.
    pub payment: Option<Payment>,
}

/// The money of an order.
#[derive(Debug, Serialize)]
pub struct Money {
    /// In one word.
    pub state: MoneyState,
    /// What the order costs now.
    pub total: String,
    /// What came in.
    pub received: String,
    /// What went back.
    pub given_back: String,
    /// Below zero: paid too much.
    pub unpaid: String,
}

impl Money {
    fn new(money: &payment::Money, currency: Currency) -> Self {
        Self {
            state: money.state,
            total: currency.print(money.total),
            received: currency.print(money.received),
            given_back: currency.print(money.given_back),
            unpaid: currency.print(money.unpaid()),
        }
    }
}

/// How money is booked.
#[derive(Debug, Serialize)]
pub struct Payment {
    /// Below zero: it went back.
    pub amount: String,
    /// When it moved.
    pub at: Timestamp,
    /// The shop's word.
    pub gateway: String,
    /// Daftra's word.
    pub method: String,
    /// `null`: the method's own.
    pub treasury_id: Option<i64>,
    /// Shopify's ids of what it stands for.
    pub transactions: BTreeSet<i64>,
}

impl From<&PaymentDraft> for Payment {
    fn from(payment: &PaymentDraft) -> Self {
        Self {
            amount: payment.header.currency.print(payment.amount),
            at: payment.at,
            gateway: payment.gateway.clone(),
            method: payment.method.clone(),
            treasury_id: payment.treasury_id,
            transactions: payment.covers.clone(),
        }
    }
}

/// A line of a document.
#[derive(Debug, Serialize)]
pub struct Line {
    /// As the shop calls it.
    pub title: String,
    /// As the shop writes it.
    pub sku: String,
    /// Daftra's number; `null` for free text that moves no stock.
    pub product_id: Option<i64>,
    /// How many.
    pub units: i64,
    /// For all units; contains the tax if the shop's prices do.
    pub net: String,
    /// For all units.
    pub tax: String,
}

impl Line {
    fn new(billed: &Billed, currency: Currency) -> Self {
        Self {
            title: billed.title.clone(),
            sku: billed.sku.clone(),
            product_id: billed.product_id,
            units: billed.units,
            net: currency.print(billed.net),
            tax: currency.print(billed.tax),
        }
    }
}

impl From<&ledger::Document> for Document {
    fn from(document: &ledger::Document) -> Self {
        let header = document.content.header();
        Self {
            kind: document.content.kind(),
            state: document.state,
            reference: header.reference.clone(),
            number: document.remote_no.clone(),
            daftra_id: document.remote_id,
            total: document.total.map(|total| header.currency.print(total)),
            currency: header.currency.code().to_owned(),
            stock: document.stock.clone(),
            verified_at: document.verified_at,
            lines: document.content.billed().iter().map(|billed| Line::new(billed, header.currency)).collect(),
            payment: document.payment().map(Payment::from),
        }
    }
}

/// A call to Daftra.
#[derive(Debug, Serialize)]
pub struct Call {
    /// `create`, `replace`, `look_up`, `verify`, `find` or `site_info`.
    pub action: String,
    /// When.
    pub started_at: Timestamp,
    /// `null`: we never learned the end.
    pub duration_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Method, address and what was wrong; redacted.
    pub detail: String,
}

impl From<Attempt> for Call {
    fn from(attempt: Attempt) -> Self {
        let Attempt { action, started_at, ended_at, outcome, status, detail, .. } = attempt;
        let duration_ms = ended_at.map(|end| end.as_millisecond() - started_at.as_millisecond());
        Self { action, started_at, duration_ms, outcome, status, detail }
    }
}

/// A row of the sync log.
#[derive(Debug, Serialize)]
pub struct LogRow {
    /// For `--before`.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Slug.
    pub merchant: String,
    /// Our own number of the order.
    pub order_id: Option<i64>,
    /// `#1042`, or empty.
    pub order: String,
    /// What happened.
    pub status: Status,
    /// The facts, for programs.
    pub facts: Option<Facts>,
    /// The same for people.
    pub what: String,
}

impl From<Entry> for LogRow {
    fn from(entry: Entry) -> Self {
        let Entry { id, at, merchant, order_id, order_name, status, facts, currency: _ } = entry;
        let what = what(facts.as_ref());
        Self { id, at, merchant, order_id, order: order_name, status, facts, what }
    }
}

/// `user list`.
#[derive(Debug, Serialize)]
pub struct User {
    /// To sign in with.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Since when the person may not sign in.
    pub disabled_at: Option<Timestamp>,
}

impl From<user::User> for User {
    fn from(user: user::User) -> Self {
        Self { name: user.name, role: user.role, disabled_at: user.disabled_at }
    }
}

/// Where the webhooks of a merchant go, on a server that is reached at this origin.
pub fn webhook_address(origin: &str, slug: &str) -> String {
    format!("{origin}/webhook/{slug}")
}

/// `token list`.
#[derive(Debug, Serialize)]
pub struct Token {
    /// For `token revoke`.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// For whom it speaks.
    pub user: String,
    /// What it may do at most.
    pub role: Role,
    /// It sees this one only; `null`: what its user sees.
    pub merchant: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// To the hour.
    pub used_at: Option<Timestamp>,
}

impl From<token::Token> for Token {
    fn from(token: token::Token) -> Self {
        let token::Token { id, name, user, role, merchant, created_at, expires_at, used_at, .. } = token;
        Self { id, name, user, role, merchant, created_at, expires_at, used_at }
    }
}

/// A time for people, in UTC.
pub fn second(at: Timestamp) -> String {
    text::time(at, &TimeZone::UTC)
}

/// The facts of a row of the log in words.
fn what(facts: Option<&Facts>) -> String {
    facts.map(|facts| text::facts(Lang::En, facts, None)).unwrap_or_default()
}

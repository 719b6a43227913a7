//! One Daftra account: its switches, its records, and how tests and people fill and read it.
//!
//! Records are plain data; the rules that change them live in the files beside this one.

use super::document::{Document, DocumentKind};
use super::payment::Payment;
use super::stock::StockTransaction;
use crate::sandbox::fault::Fault;
use crate::sandbox::http::Request;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an account is and how it behaves. Everything but the name may be changed while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSetup {
    /// Name in the address, `/acct/<name>`.
    pub name: String,
    /// Keys that open it.
    pub keys: Vec<ApiKey>,
    /// Currency of documents that name none.
    pub currency: String,
    /// Digits that amounts are rounded to.
    pub decimals: u32,
    /// IANA name, or a POSIX rule such as `<+03>-3`.
    pub time_zone: String,
    /// How v1 prints dates.
    pub date_format: DateFormat,
    /// Language of messages.
    pub language: Language,
    /// Branches; empty: the feature is off. The first is the default branch.
    pub branches: Vec<u64>,
    /// Is the `po_number` filter of the invoice list honoured?
    pub po_numbers: bool,
    /// Where amounts are rounded.
    pub rounding: Rounding,
    /// May stock fall below zero?
    pub negative_stock: bool,
    /// Does stock of invoices wait for an accepted requisition?
    pub requisitions: bool,
    /// Does a credit note bring stock back?
    pub credit_note_stock: bool,
    /// Are the ids of created records numeric strings?
    pub ids_as_text: bool,
    /// Does the answer to a created invoice carry its number?
    pub number_in_answer: bool,
    /// What a PUT does to parts that it does not mention.
    pub partial_put: PartialPut,
    /// Does a line without `tax1` or `tax2` take the product's?
    pub tax_inheritance: bool,
    /// Documents and payments up to this day are closed.
    pub closed_until: Option<Date>,
    /// Refused changes of a document say 404 instead of 400.
    pub refuse_with_404: bool,
    /// Issuing an issued document is refused.
    pub reissue_refused: bool,
    /// How long a new record is missing from lists.
    pub list_lag_seconds: u32,
    /// Is the `product_code` filter of v1 honoured?
    pub product_code_filter: bool,
    /// Are the filters of v2 honoured?
    pub v2_filters: bool,
    /// Is the subscription over? Shown by `site_info` only.
    pub expired: bool,
}

impl Default for AccountSetup {
    fn default() -> AccountSetup {
        AccountSetup {
            name: "one".into(),
            keys: vec![ApiKey::full("key-one")],
            currency: "SAR".into(),
            decimals: 2,
            time_zone: "Asia/Riyadh".into(),
            date_format: DateFormat::DayMonthYear,
            language: Language::En,
            branches: Vec::new(),
            po_numbers: true,
            rounding: Rounding::Row,
            negative_stock: false,
            requisitions: false,
            credit_note_stock: false,
            ids_as_text: false,
            number_in_answer: true,
            partial_put: PartialPut::Drop,
            tax_inheritance: true,
            closed_until: None,
            refuse_with_404: false,
            reissue_refused: false,
            list_lag_seconds: 0,
            product_code_filter: true,
            v2_filters: true,
            expired: false,
        }
    }
}

/// A key and what it may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiKey {
    /// The secret.
    pub key: String,
    /// Resources it may not change, as in the address: `invoices`, `invoice_payments`.
    pub may_not_change: BTreeSet<String>,
    /// Resources it may not even read.
    pub may_not_view: BTreeSet<String>,
    /// Stores it has no right to.
    pub closed_stores: BTreeSet<u64>,
}

impl ApiKey {
    /// A key that may do everything.
    pub fn full(key: &str) -> ApiKey {
        ApiKey { key: key.into(), ..ApiKey::default() }
    }
}

/// How v1 prints dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// 31/12/2026
    DayMonthYear,
    /// 12/31/2026
    MonthDayYear,
    /// 2026-12-31
    YearMonthDay,
}

impl DateFormat {
    pub(super) fn id(self) -> u8 {
        match self {
            DateFormat::DayMonthYear => 1,
            DateFormat::MonthDayYear => 2,
            DateFormat::YearMonthDay => 5,
        }
    }

    pub(super) fn pattern(self) -> &'static str {
        match self {
            DateFormat::DayMonthYear => "%d/%m/%Y",
            DateFormat::MonthDayYear => "%m/%d/%Y",
            DateFormat::YearMonthDay => "%Y-%m-%d",
        }
    }
}

/// Language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Arabic.
    Ar,
}

/// Where amounts are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Net and taxes of each row, then summed.
    Row,
    /// Only the sums.
    Document,
}

/// What a PUT does to parts that it does not mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartialPut {
    /// They stay.
    Keep,
    /// They are lost: rows, payments, custom fields, texts, discounts, shipping, store.
    Drop,
}

/// A product, service (type 2) or bundle (type 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Product {
    pub id: u64,
    pub name: String,
    pub product_code: String,
    pub barcode: String,
    #[serde(rename = "type")]
    pub kind: u8,
    pub active: bool,
    pub track_stock: bool,
    pub unit_price: Decimal,
    pub tax1: Option<u64>,
    pub tax2: Option<u64>,
    pub branch_id: Option<u64>,
}

impl Default for Product {
    fn default() -> Product {
        Product {
            id: 0,
            name: String::new(),
            product_code: String::new(),
            barcode: String::new(),
            kind: 1,
            active: true,
            track_stock: true,
            unit_price: Decimal::ZERO,
            tax1: None,
            tax2: None,
            branch_id: None,
        }
    }
}

/// A customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    pub id: u64,
    pub client_number: String,
    pub business_name: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub phone1: String,
    pub address1: String,
    pub city: String,
    pub country_code: String,
    /// The invoicing method is e-mail: an invoice needs an address.
    pub invoice_by_email: bool,
}

/// A warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    pub id: u64,
    pub name: String,
    pub primary: bool,
    pub active: bool,
}

impl Default for Store {
    fn default() -> Store {
        Store { id: 0, name: String::new(), primary: false, active: true }
    }
}

/// A tax; `value` in percent, `included` in prices or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tax {
    pub id: u64,
    pub name: String,
    pub value: Decimal,
    pub included: bool,
    pub active: bool,
}

impl Default for Tax {
    fn default() -> Tax {
        Tax { id: 0, name: String::new(), value: Decimal::ZERO, included: false, active: true }
    }
}

/// A way to pay; documents name its slug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentMethod {
    pub id: u64,
    #[serde(rename = "payment_gateway")]
    pub slug: String,
    pub label: String,
    pub active: bool,
    pub treasury_id: Option<u64>,
}

impl Default for PaymentMethod {
    fn default() -> PaymentMethod {
        PaymentMethod { id: 0, slug: String::new(), label: String::new(), active: true, treasury_id: None }
    }
}

/// A cash box or bank account; the lowest id is the default one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Treasury {
    pub id: u64,
    pub name: String,
}

/// One Daftra account with everything in it.
#[derive(Clone, Debug)]
pub struct Account {
    setup: AccountSetup,
    zone: TimeZone,
    pub(super) products: BTreeMap<u64, Product>,
    pub(super) clients: BTreeMap<u64, Client>,
    pub(super) stores: BTreeMap<u64, Store>,
    pub(super) taxes: BTreeMap<u64, Tax>,
    pub(super) methods: BTreeMap<u64, PaymentMethod>,
    pub(super) treasuries: BTreeMap<u64, Treasury>,
    pub(super) documents: BTreeMap<u64, Document>,
    pub(super) payments: BTreeMap<u64, Payment>,
    pub(super) stock: Vec<StockTransaction>,
    pub(in crate::sandbox) faults: Vec<Fault>,
    calls: BTreeMap<String, u64>,
    counters: BTreeMap<Series, u64>,
}

/// What is counted on its own. Ids and numbers start far apart, so that mistaking one for another shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Series {
    Document,
    Item,
    Payment,
    Stock,
    Draft,
    Number(DocumentKind),
}

impl Account {
    /// An account with one treasury and nothing else. Refused: an unknown time zone, more than 8 decimals.
    pub fn new(setup: AccountSetup) -> Result<Account, String> {
        let zone = zone(&setup)?;
        let main = Treasury { id: 1, name: "Main treasury".into() };
        Ok(Account {
            setup,
            zone,
            products: BTreeMap::new(),
            clients: BTreeMap::new(),
            stores: BTreeMap::new(),
            taxes: BTreeMap::new(),
            methods: BTreeMap::new(),
            treasuries: BTreeMap::from([(1, main)]),
            documents: BTreeMap::new(),
            payments: BTreeMap::new(),
            stock: Vec::new(),
            faults: Vec::new(),
            calls: BTreeMap::new(),
            counters: BTreeMap::new(),
        })
    }

    /// What it is now.
    pub fn setup(&self) -> &AccountSetup {
        &self.setup
    }

    /// Behaves differently from now on; the name stays.
    pub fn change(&mut self, change: impl FnOnce(&mut AccountSetup)) -> Result<(), String> {
        let mut setup = self.setup.clone();
        change(&mut setup);
        setup.name.clone_from(&self.setup.name);
        self.zone = zone(&setup)?;
        self.setup = setup;
        Ok(())
    }

    /// Adds a bad day.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The bad days are over.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Adds or replaces; id 0 means the next free one. Returns the id.
    pub fn add_product(&mut self, product: Product) -> u64 {
        put(&mut self.products, product.id, |id| Product { id, ..product })
    }

    /// Adds or replaces; id 0 means the next free one. Returns the id.
    pub fn add_client(&mut self, client: Client) -> u64 {
        put(&mut self.clients, client.id, |id| {
            let client_number =
                if client.client_number.is_empty() { format!("{id:06}") } else { client.client_number.clone() };
            Client { id, client_number, ..client }
        })
    }

    /// Adds or replaces; id 0 means the next free one. Returns the id.
    pub fn add_store(&mut self, store: Store) -> u64 {
        put(&mut self.stores, store.id, |id| Store { id, ..store })
    }

    /// Adds or replaces; id 0 means the next free one. Returns the id.
    pub fn add_tax(&mut self, tax: Tax) -> u64 {
        put(&mut self.taxes, tax.id, |id| Tax { id, ..tax })
    }

    /// Adds or replaces; id 0 means the next free one. Returns the id.
    pub fn add_method(&mut self, method: PaymentMethod) -> u64 {
        put(&mut self.methods, method.id, |id| PaymentMethod { id, ..method })
    }

    /// Adds or replaces; id 0 means the next free one. Returns the id.
    pub fn add_treasury(&mut self, treasury: Treasury) -> u64 {
        put(&mut self.treasuries, treasury.id, |id| Treasury { id, ..treasury })
    }

    pub(in crate::sandbox) fn count(&mut self, request: &Request) {
        let resource = request.path.split("/api2/").nth(1).or_else(|| request.path.split("/entity/").nth(1));
        let resource = resource.unwrap_or("?").split(['/', '.']).next().unwrap_or_default();
        *self.calls.entry(format!("{} {resource}", request.method)).or_default() += 1;
    }

    /// How many calls came, by method and resource such as `POST invoices`, whatever became of them.
    pub fn calls(&self) -> &BTreeMap<String, u64> {
        &self.calls
    }

    pub(super) fn next(&mut self, series: Series) -> u64 {
        let start = match series {
            Series::Document => 1000,
            Series::Item => 50_000,
            Series::Payment => 300,
            Series::Stock => 9000,
            Series::Draft => 0,
            Series::Number(_) => 93,
        };
        let last = self.counters.entry(series).or_insert(start);
        *last += 1;
        *last
    }

    pub(super) fn local(&self, moment: Timestamp) -> Zoned {
        moment.to_zoned(self.zone.clone())
    }

    pub(super) fn local_text(&self, moment: Timestamp) -> String {
        self.local(moment).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Has the record been there long enough to show in lists?
    pub(super) fn listed(&self, created: Timestamp, now: Timestamp) -> bool {
        now.duration_since(created).as_secs() >= i64::from(self.setup.list_lag_seconds)
    }

    pub(super) fn closed(&self, date: Date) -> bool {
        self.setup.closed_until.is_some_and(|until| date <= until)
    }
}

fn zone(setup: &AccountSetup) -> Result<TimeZone, String> {
    if setup.decimals > 8 {
        return Err(format!("decimals is {}: at most 8", setup.decimals));
    }
    TimeZone::get(&setup.time_zone)
        .or_else(|_| TimeZone::posix(&setup.time_zone))
        .map_err(|error| format!("time_zone is '{}': {error}", setup.time_zone))
}

fn put<T>(table: &mut BTreeMap<u64, T>, wanted: u64, make: impl FnOnce(u64) -> T) -> u64 {
    let next = table.last_key_value().map_or(1, |(last, _)| last + 1);
    let id = if wanted == 0 { next } else { wanted };
    table.insert(id, make(id));
    id
}

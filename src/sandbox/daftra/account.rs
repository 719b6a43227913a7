//! One Daftra account: its records, and how tests and people fill it.
//!
//! Records are plain data; the rules that change them live in the files beside this one.

use super::document::{Document, DocumentKind};
use super::payment::Payment;
use super::setup::AccountSetup;
use super::stock::StockTransaction;
use crate::sandbox::fault::Fault;
use crate::sandbox::http::Request;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

    /// The bad days that are still to come; those that are spent have left the list.
    pub fn faults(&mut self) -> &mut Vec<Fault> {
        &mut self.faults
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

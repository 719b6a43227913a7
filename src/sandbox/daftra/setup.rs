//! What an account is and which of Daftra's unknown or switchable behaviours it shows.
//!
//! Defaults are the harsher reading. A field that is not understood is an error when read from JSON.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

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
    /// What a row's second tax is taken on.
    pub second_tax: SecondTax,
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
    /// Are the filters of v1's invoice list honoured? `po_number` has a switch of its own.
    pub v1_filters: bool,
    /// Is the `custom_field` filter of v1's credit notes honoured?
    pub credit_note_filters: bool,
    /// Does v1's invoice list show drafts unasked?
    pub drafts_listed: bool,
    /// Is a refused write answered with HTTP 200 and `result: failed`?
    pub failures_with_200: bool,
    /// Are complaints about fields lists of texts under the model's name?
    pub nested_complaints: bool,
    /// Does an empty map print as `[]`?
    pub empty_maps_as_lists: bool,
    /// Are receipts and credit notes answered under the name `Invoice`?
    pub answers_say_invoice: bool,
    /// Do rows and payments stand beside the header in answers, instead of inside?
    pub rows_beside_header: bool,
    /// Are the counts of a v2 list in `meta`?
    pub v2_meta: bool,
    /// Do rows of v2 carry their relations at level 1?
    pub v2_relations: bool,
    /// Does v1 show a bad key the log-in page, with HTTP 200?
    pub bad_key_page: bool,
    /// Does the tax authority accept an invoice as soon as it is issued?
    pub e_invoices: bool,
    /// Is the subscription over?
    pub expired: bool,
    /// What calls get then; `site_info` is answered always.
    pub when_expired: WhenExpired,
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
            second_tax: SecondTax::OnNetAndFirst,
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
            v1_filters: true,
            credit_note_filters: false,
            drafts_listed: true,
            failures_with_200: false,
            nested_complaints: false,
            empty_maps_as_lists: true,
            answers_say_invoice: false,
            rows_beside_header: false,
            v2_meta: false,
            v2_relations: true,
            bad_key_page: false,
            e_invoices: false,
            expired: false,
            when_expired: WhenExpired::Page,
        }
    }
}

impl AccountSetup {
    /// The same with these fields changed, then read as a whole: a misspelt field is an error.
    pub fn with(&self, changes: Map<String, Value>) -> Result<AccountSetup, String> {
        let mut all = serde_json::to_value(self).map_err(|error| error.to_string())?;
        for (name, value) in changes {
            all[name] = value;
        }
        serde_json::from_value(all).map_err(|error| error.to_string())
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

/// What a row's second tax is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondTax {
    /// The net, like the first.
    OnNet,
    /// The net and the first tax.
    OnNetAndFirst,
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

/// What calls get when the subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenExpired {
    /// What they always got.
    Answers,
    /// HTTP 403.
    Forbidden,
    /// A page for people, with HTTP 200.
    Page,
}

//! What nobody knows of the real Daftra, as one list: each unknown with its other setting.
//!
//! The default of `AccountSetup` is one setting of every unknown, so the defaults and this list together are both settings
//! of all. Suites run through the list, `any` draws from it.

use super::setup::{AccountSetup, DateFormat, Language, PartialPut, Rounding, SecondTax, WhenExpired};
use crate::sandbox::shop::chance::Chance;

/// One unknown of the real service.
#[derive(Debug)]
pub struct Unknown {
    /// The field of `AccountSetup`.
    pub name: &'static str,
    /// Sets it to what it is not by default.
    pub other: fn(&mut AccountSetup),
    /// How orders end differently under the other setting, whoever serves them; `None`: they must not.
    pub changes: Option<&'static str>,
}

const fn same(name: &'static str, other: fn(&mut AccountSetup)) -> Unknown {
    Unknown { name, other, changes: None }
}

/// Every unknown, by the field that decides it.
pub const UNKNOWNS: &[Unknown] = &[
    // How answers look.
    same("date_format", |setup| setup.date_format = DateFormat::MonthDayYear),
    same("language", |setup| setup.language = Language::Ar),
    same("ids_as_text", |setup| setup.ids_as_text = true),
    same("number_in_answer", |setup| setup.number_in_answer = false),
    same("failures_with_200", |setup| setup.failures_with_200 = true),
    same("nested_complaints", |setup| setup.nested_complaints = true),
    same("empty_maps_as_lists", |setup| setup.empty_maps_as_lists = false),
    same("answers_say_invoice", |setup| setup.answers_say_invoice = true),
    same("rows_beside_header", |setup| setup.rows_beside_header = true),
    same("v2_meta", |setup| setup.v2_meta = true),
    same("v2_relations", |setup| setup.v2_relations = false),
    same("bad_key_page", |setup| setup.bad_key_page = true),
    same("refuse_with_404", |setup| setup.refuse_with_404 = true),
    // What lists show.
    same("po_numbers", |setup| setup.po_numbers = false),
    same("product_code_filter", |setup| setup.product_code_filter = false),
    same("v1_filters", |setup| setup.v1_filters = false),
    same("v2_filters", |setup| setup.v2_filters = false),
    same("credit_note_filters", |setup| setup.credit_note_filters = true),
    same("drafts_listed", |setup| setup.drafts_listed = false),
    same("list_lag_seconds", |setup| setup.list_lag_seconds = 1),
    // What writes do.
    same("partial_put", |setup| setup.partial_put = PartialPut::Keep),
    same("tax_inheritance", |setup| setup.tax_inheritance = false),
    same("rounding", |setup| setup.rounding = Rounding::Document),
    same("second_tax", |setup| setup.second_tax = SecondTax::OnNet),
    same("reissue_refused", |setup| setup.reissue_refused = true),
    same("negative_stock", |setup| setup.negative_stock = true),
    same("credit_note_stock", |setup| setup.credit_note_stock = true),
    same("branches", |setup| setup.branches = vec![6, 7]),
    Unknown {
        name: "requisitions",
        other: |setup| setup.requisitions = true,
        changes: Some("stock moves when the requisition is accepted; from then on the invoice refuses changes"),
    },
    Unknown {
        name: "e_invoices",
        other: |setup| setup.e_invoices = true,
        changes: Some("an issued invoice refuses changes, so an edited order waits for a person"),
    },
    Unknown {
        name: "closed_until",
        other: |setup| setup.closed_until = Some(jiff::civil::date(2099, 12, 31)),
        changes: Some("whatever is dated in the period is refused, so the order waits for a person"),
    },
    Unknown {
        name: "expired",
        other: |setup| setup.expired = true,
        changes: Some("nothing is written until the subscription is renewed"),
    },
    Unknown {
        name: "when_expired",
        other: |setup| (setup.expired, setup.when_expired) = (true, WhenExpired::Forbidden),
        changes: Some("nothing is written until the subscription is renewed"),
    },
];

/// The unknown of that name.
pub fn unknown(name: &str) -> Option<&'static Unknown> {
    UNKNOWNS.iter().find(|unknown| unknown.name == name)
}

/// Any account under which orders must end as they would in the default one: every other unknown falls to either side.
pub fn any(chance: &mut Chance) -> AccountSetup {
    let mut setup = AccountSetup::default();
    for unknown in UNKNOWNS.iter().filter(|unknown| unknown.changes.is_none()) {
        if chance.per_mille(500) {
            (unknown.other)(&mut setup);
        }
    }
    setup
}

//! Why a plan came out as it did, as small facts; `text` puts them into words.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::catalog::{Code, Rule};
use super::invoice::{Billed, Found, InvoiceDraft, Seen, Source, Totals};
use super::operation::Operation;
use super::order::Order;
use super::payment::Money;
use super::refund::Class;
use super::rules::ShippingPolicy;

pub type Trace = Vec<Step>;

/// One thing the planner noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Ownership {
        line: i64,
        title: String,
        vendor: String,
        seen: Seen,
    },
    Product {
        line: i64,
        title: String,
        rule: Rule,
        code: Code,
        product_id: i64,
    },
    Shipping {
        policy: ShippingPolicy,
        billed: bool,
    },
    /// The order's amounts for the merchant's part, and Daftra's: the worse of two predictions, or what it holds.
    Totals {
        shop: Totals,
        daftra: Totals,
    },
    Refund {
        id: i64,
        class: Class,
    },
    /// Where the money stands, for a merchant whose payments are recorded.
    Money(Money),
    /// The document is what it should be.
    InStep {
        reference: String,
    },
    /// In shadow mode: what would have been done.
    WouldDo {
        operation: Box<Operation>,
    },
    /// The shop deleted the order; the books stay.
    DeletedInShop,
    /// What stood here, and what it was made from, was removed so many days after the order came to its end.
    Trimmed {
        at: Timestamp,
        days: i64,
        /// A hash of what was known then.
        known: String,
    },
}

/// Where the money stood when the plan was made, for a merchant whose payments are recorded.
#[must_use]
pub fn money(trace: &Trace) -> Option<&Money> {
    trace.iter().find_map(|step| if let Step::Money(money) = step { Some(money) } else { None })
}

/// What was decided about each line of the order, and about its shipping.
pub(super) fn steps(order: &Order, invoice: &InvoiceDraft) -> Trace {
    let mut trace = Trace::new();
    for line in &order.snapshot.lines {
        if let Some(seen) = invoice.seen.get(&line.id) {
            let (title, vendor) = (line.title.clone(), line.vendor.clone());
            trace.push(Step::Ownership { line: line.id, title, vendor, seen: *seen });
        }
        if let Some(Billed { product_id: Some(product_id), found: Some(found), .. }) =
            invoice.find(Source::Line(line.id))
        {
            let Found { rule, code } = found.clone();
            trace.push(Step::Product { line: line.id, title: line.title.clone(), rule, code, product_id: *product_id });
        }
    }
    trace.push(Step::Shipping { policy: invoice.shipping, billed: invoice.carries_shipping() });
    trace
}

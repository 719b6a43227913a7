//! Payments of documents, and what they make of the document's status.

use super::Call;
use super::account::{Account, Series};
use super::document::DocumentKind;
use super::form::{Form, given, integer, text};
use super::refusal::{Message, Reason, Refusal};
use jiff::Timestamp;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};

/// Money that belongs to a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payment {
    pub id: u64,
    pub document_id: u64,
    /// Slug of the method.
    pub method: String,
    pub amount: Decimal,
    /// In the account's time zone.
    pub date: DateTime,
    pub transaction_id: String,
    pub treasury_id: u64,
    /// 1 completed; others do not count: 0 failed, 2 pending, 3 not completed.
    pub status: u64,
    pub notes: String,
    pub created: Timestamp,
}

/// A checked payment that has no id yet.
pub(super) struct NewPayment {
    method: String,
    amount: Decimal,
    date: DateTime,
    transaction_id: String,
    treasury_id: u64,
    status: u64,
    notes: String,
}

/// Where the money of a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    pub paid: Decimal,
    /// Sum of the receipts and credit notes of an invoice.
    pub refunded: Decimal,
    pub unpaid: Decimal,
    /// -1 draft, 0 unpaid, 1 partially paid, 2 paid, 3 refunded, 4 overpaid.
    pub status: i8,
}

impl Account {
    /// The payments of this document.
    pub fn payments_of(&self, document_id: u64) -> impl Iterator<Item = &Payment> {
        self.payments.values().filter(move |payment| payment.document_id == document_id)
    }

    /// Where the money of this document stands.
    pub fn standing(&self, document_id: u64) -> Option<Standing> {
        let document = self.documents.get(&document_id)?;
        let total = document.totals.total;
        let completed = self.payments_of(document_id).filter(|payment| payment.status == 1);
        let paid = completed.map(|payment| payment.amount).sum();
        let children = self.documents.values().filter(|child| child.parent == Some(document_id) && child.counts());
        let refunded: Decimal = children.map(|child| child.totals.total).sum();
        let status = if document.draft {
            -1
        } else if refunded > Decimal::ZERO && refunded >= total {
            3
        } else if paid > total {
            4
        } else if paid + refunded >= total {
            2
        } else if paid > Decimal::ZERO {
            1
        } else {
            0
        };
        Some(Standing { paid, refunded, unpaid: total - paid - refunded, status })
    }
}

/// Reads and checks one submitted payment; problems go to the form.
pub(super) fn read(form: &mut Form<'_>, place: &str, fields: &Map<String, Value>) -> Option<NewPayment> {
    let account = form.account;
    let method = text(fields, "payment_method");
    let known = account.methods.values().find(|known| known.slug == method && known.active);
    if known.is_none() {
        form.problem(place, "payment_method", if method.is_empty() { Reason::Required } else { Reason::Inactive });
    }
    if matches!(method.as_str(), "paypal" | "stripe") && text(fields, "email").is_empty() {
        form.problem(place, "email", Reason::Required);
    }
    let amount = form.number(place, fields, "amount");
    if amount.is_none_or(|amount| amount.is_zero()) {
        form.problem(place, "amount", Reason::Required);
    }
    let default_treasury = || known.and_then(|known| known.treasury_id).or(account.treasuries.keys().next().copied());
    let treasury = form.reference(place, fields, "treasury_id", |id| account.treasuries.contains_key(&id));
    let status = given(fields, "status").map_or(Some(1), integer).filter(|status| *status <= 3);
    if status.is_none() {
        form.problem(place, "status", Reason::OutOfRange);
    }
    let transaction_id = text(fields, "transaction_id");
    if transaction_id.chars().count() > 100 {
        form.problem(place, "transaction_id", Reason::TooLong);
    }
    let date = form.moment(place, fields, "date")?;
    Some(NewPayment {
        method,
        amount: amount?,
        date,
        transaction_id,
        treasury_id: treasury.or_else(default_treasury)?,
        status: status?,
        notes: text(fields, "notes"),
    })
}

/// Refuses money dated in a closed period.
pub(super) fn check_period(account: &Account, payment: &NewPayment) -> Result<(), Refusal> {
    match account.closed(payment.date.date()) {
        true => Err(Refusal::new(400, Message::ClosedPeriod(payment.date.date()))),
        false => Ok(()),
    }
}

pub(super) fn add(account: &mut Account, document_id: u64, new: NewPayment, now: Timestamp) -> u64 {
    let id = account.next(Series::Payment);
    let NewPayment { method, amount, date, transaction_id, treasury_id, status, notes } = new;
    let payment =
        Payment { id, document_id, method, amount, date, transaction_id, treasury_id, status, notes, created: now };
    account.payments.insert(id, payment);
    id
}

/// `POST /invoice_payments`: on an invoice or on a refund receipt, which share one id space.
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Result<u64, Refusal> {
    let body = call.object()?;
    let fields = super::form::wrapped(&body, "InvoicePayment")?;
    let mut form = Form::new(account, call);
    let payable = |id| {
        let document = account.documents.get(&id).filter(|document| document.deleted.is_none());
        document.is_some_and(|document| call.branch.is_none() || document.branch_id == call.branch)
    };
    let document_id = form.reference("", fields, "invoice_id", payable);
    if document_id.is_none() {
        form.problem("", "invoice_id", Reason::Required);
    }
    let payment = read(&mut form, "", fields);
    form.finish()?;
    let (Some(document_id), Some(payment)) = (document_id, payment) else {
        return Err(Refusal::new(400, Message::BadRequest));
    };
    check_period(account, &payment)?;
    Ok(add(account, document_id, payment, call.now))
}

/// `DELETE /invoice_payments/{id}`.
pub(super) fn delete(account: &mut Account, id: u64) -> Result<(), Refusal> {
    let payment = account.payments.get(&id).ok_or(Refusal::new(404, Message::NotFound("Payment")))?;
    if account.closed(payment.date.date()) {
        return Err(Refusal::new(400, Message::ClosedPeriod(payment.date.date())));
    }
    account.payments.remove(&id);
    Ok(())
}

/// Has this document payments, or receipts that lean on it?
pub(super) fn is_leaned_on(account: &Account, document_id: u64) -> bool {
    account.payments_of(document_id).next().is_some()
        || account.documents.values().any(|child| {
            child.parent == Some(document_id) && child.deleted.is_none() && child.kind != DocumentKind::Invoice
        })
}

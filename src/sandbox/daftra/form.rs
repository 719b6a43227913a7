//! Reading submitted JSON: lenient about "5" and 5, strict about what is meant, every problem collected.

use super::Call;
use super::account::Account;
use super::refusal::{Message, Reason, Refusal};
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// A submitted body under inspection.
pub(super) struct Form<'a> {
    pub account: &'a Account,
    pub call: &'a Call<'a>,
    problems: Vec<(String, Reason)>,
}

impl<'a> Form<'a> {
    pub(super) fn new(account: &'a Account, call: &'a Call<'a>) -> Form<'a> {
        Form { account, call, problems: Vec::new() }
    }

    /// Notes a problem with a field; `place` names the row, such as `InvoiceItem.0`, or is empty. The first one counts.
    pub(super) fn problem(&mut self, place: &str, name: &str, reason: Reason) {
        let field = if place.is_empty() { name.into() } else { format!("{place}.{name}") };
        if self.problems.iter().all(|(known, _)| *known != field) {
            self.problems.push((field, reason));
        }
    }

    /// Refuses the body if there was any problem.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.problems)) }
    }

    /// A number within sane bounds, so that no product of two can overflow.
    pub(super) fn number(&mut self, place: &str, fields: &Map<String, Value>, name: &str) -> Option<Decimal> {
        let value = given(fields, name)?;
        match decimal(value) {
            Some(number) if number.abs() < Decimal::from(1_000_000_000_000_u64) && number.scale() <= 10 => Some(number),
            Some(_) => {
                self.problem(place, name, Reason::OutOfRange);
                None
            }
            None => {
                self.problem(place, name, Reason::NoNumber);
                None
            }
        }
    }

    /// An amount that may not be negative.
    pub(super) fn amount(&mut self, place: &str, fields: &Map<String, Value>, name: &str) -> Option<Decimal> {
        let amount = self.number(place, fields, name)?;
        if amount.is_sign_negative() && !amount.is_zero() {
            self.problem(place, name, Reason::OutOfRange);
            return None;
        }
        Some(amount)
    }

    /// The id of something that must exist; 0 means none, as everywhere in v1.
    pub(super) fn reference(
        &mut self,
        place: &str,
        fields: &Map<String, Value>,
        name: &str,
        exists: impl Fn(u64) -> bool,
    ) -> Option<u64> {
        match integer(given(fields, name)?) {
            Some(0) => None,
            Some(id) if exists(id) => Some(id),
            Some(_) | None => {
                self.problem(place, name, Reason::Unknown);
                None
            }
        }
    }

    /// `YYYY-MM-DD` with or without `HH:MM:SS`; absent: now, in the account's zone.
    pub(super) fn moment(&mut self, place: &str, fields: &Map<String, Value>, name: &str) -> Option<DateTime> {
        if given(fields, name).is_none() {
            return Some(self.account.local(self.call.now).datetime());
        }
        let moment = moment(&text(fields, name));
        if moment.is_none() {
            self.problem(place, name, Reason::NoDate);
        }
        moment
    }
}

/// The object under the model's name; without it the request says nothing.
pub(super) fn wrapped<'b>(body: &'b Map<String, Value>, name: &str) -> Result<&'b Map<String, Value>, Refusal> {
    body.get(name).and_then(Value::as_object).ok_or(Refusal::new(400, Message::BadRequest))
}

/// The value, unless it is absent, null or empty.
pub(super) fn given<'b>(fields: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    fields.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

/// The value as text; numbers as they print.
pub(super) fn text(fields: &Map<String, Value>, name: &str) -> String {
    match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => u8::from(*flag).to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

pub(super) fn integer(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Any of `true`, `1`, `"1"`, `"true"`.
pub(super) fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| integer(value) == Some(1) || value.as_str() == Some("true"))
}

/// `YYYY-MM-DD` with or without `HH:MM:SS`, nothing else: a date in the site's own format is not understood.
pub(super) fn moment(text: &str) -> Option<DateTime> {
    DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .or_else(|_| Date::strptime("%Y-%m-%d", text).map(|date| date.at(0, 0, 0, 0)))
        .ok()
}

//! Why Daftra says no, in the words and shapes of v1 and in the account's language.

use super::setup::{AccountSetup, Language};
use super::v1_rows::empty_map;
use crate::sandbox::http::Answer;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// A refused call.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub message: Message,
    /// Field and reason, for `validation_errors`.
    pub fields: Vec<(String, Reason)>,
}

/// The message of a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Message {
    BadRequest,
    Forbidden,
    InvalidEndpoint,
    NotFound(&'static str),
    InvoiceEmpty,
    ClosedPeriod(Date),
    RemoveTransactions,
    EInvoiceAccepted,
    RequisitionAccepted,
    AlreadyIssued,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Required,
    Unknown,
    Inactive,
    NoNumber,
    OutOfRange,
    NoDate,
    TooLong,
    Exclusive,
    NoRight,
    NotEnough,
}

impl Refusal {
    pub(super) fn new(status: u16, message: Message) -> Refusal {
        Refusal { status, message, fields: Vec::new() }
    }

    pub(super) fn invalid(fields: Vec<(String, Reason)>) -> Refusal {
        Refusal { fields, ..Refusal::new(400, Message::BadRequest) }
    }

    pub(super) fn field(name: &str, reason: Reason) -> Refusal {
        Refusal::invalid(vec![(name.into(), reason)])
    }

    /// What goes out; some accounts hide a refused write behind a 200.
    pub(super) fn answer(&self, setup: &AccountSetup, method: &str) -> Answer {
        let language = setup.language;
        let hidden = setup.failures_with_200 && self.status == 400 && method != "GET";
        let status = if hidden { 200 } else { self.status };
        let mut body = json!({"result": "failed", "code": status, "message": self.message.text(language),
                              "error_type": "", "extra_data": empty_map(setup)});
        if !self.fields.is_empty() {
            let mut complaints = Map::new();
            for (name, reason) in &self.fields {
                if setup.nested_complaints {
                    // `InvoiceItem.0.tax1` belongs under `InvoiceItem`; a plain name to the header.
                    let (model, field) = name.split_once('.').unwrap_or(("Invoice", name));
                    complaints.entry(model).or_insert_with(|| json!({}))[field] = json!([reason.text(language)]);
                } else {
                    complaints.insert(name.clone(), reason.text(language).into());
                }
            }
            body["validation_errors"] = Value::Object(complaints);
        }
        Answer::json(status, &body)
    }
}

impl Message {
    fn text(self, language: Language) -> String {
        let (english, arabic) = match self {
            Message::BadRequest => ("Bad Request", "طلب غير صالح"),
            Message::Forbidden => ("Forbidden", "غير مسموح"),
            Message::InvalidEndpoint => ("Invalid Endpoint", "رابط غير صالح"),
            Message::NotFound(what) => {
                return match language {
                    Language::En => format!("{what} not found"),
                    Language::Ar => "العنصر غير موجود".into(),
                };
            }
            Message::InvoiceEmpty => ("Invoice is empty", "الفاتورة فارغة"),
            Message::ClosedPeriod(date) => {
                return match language {
                    Language::En => format!(
                        "You can not add, edit, or delete a transaction in this date {date} within a closed period"
                    ),
                    Language::Ar => {
                        format!("لا يمكنك إضافة أو تعديل أو حذف معاملة في هذا التاريخ {date} ضمن فترة مغلقة")
                    }
                };
            }
            Message::RemoveTransactions => {
                ("Can't delete item. Remove its transactions first.", "لا يمكن حذف العنصر. احذف معاملاته أولاً.")
            }
            Message::EInvoiceAccepted => (
                "The electronic invoice has been accepted; it can not be edited",
                "تم قبول الفاتورة الإلكترونية ولا يمكن تعديلها",
            ),
            Message::RequisitionAccepted => (
                "The requisition has been received; the invoice can not be edited",
                "تم استلام الإذن المخزني ولا يمكن تعديل الفاتورة",
            ),
            Message::AlreadyIssued => ("The invoice is not a draft", "الفاتورة ليست مسودة"),
        };
        language.pick(english, arabic).into()
    }
}

impl Reason {
    pub(super) fn text(self, language: Language) -> &'static str {
        let (english, arabic) = match self {
            Reason::Required => ("This field is required", "هذا الحقل مطلوب"),
            Reason::Unknown => ("Not found", "غير موجود"),
            Reason::Inactive => ("Not found or inactive", "غير موجود أو غير نشط"),
            Reason::NoNumber => ("Must be a number", "يجب أن يكون رقماً"),
            Reason::OutOfRange => ("Out of range", "خارج النطاق"),
            Reason::NoDate => ("Invalid date", "تاريخ غير صالح"),
            Reason::TooLong => ("Too long", "طويل جداً"),
            Reason::Exclusive => ("Either a percentage or an amount", "إما نسبة أو مبلغ"),
            Reason::NoRight => ("No permission for this warehouse", "لا توجد صلاحية لهذا المستودع"),
            Reason::NotEnough => ("Not enough stock", "الكمية المتاحة غير كافية"),
        };
        language.pick(english, arabic)
    }
}

impl Language {
    fn pick<'a>(self, english: &'a str, arabic: &'a str) -> &'a str {
        match self {
            Language::En => english,
            Language::Ar => arabic,
        }
    }
}

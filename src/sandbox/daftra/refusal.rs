//! Why Daftra says no, in the words and shapes of v1 and in the account's language.

use super::setup::Language;
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

    pub(super) fn answer(&self, language: Language) -> Answer {
        let mut body = json!({"result": "failed", "code": self.status, "message": self.message.text(language),
                              "error_type": "", "extra_data": []});
        if !self.fields.is_empty() {
            let fields: Map<String, Value> =
                self.fields.iter().map(|(name, reason)| (name.clone(), reason.text(language).into())).collect();
            body["validation_errors"] = Value::Object(fields);
        }
        Answer::json(self.status, &body)
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

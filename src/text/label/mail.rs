//! Mails: the words around their facts, and the pages on which people choose and watch them.

use crate::db::mail::State;
use crate::domain::news::{Kind, Problem};
use crate::text::plural::Plural;
use crate::text::{Lang, Sentence};

/// The words of one kind of mail.
pub struct Of {
    /// In lists.
    pub name: &'static str,
    pub subject: &'static str,
    pub heading: &'static str,
}

/// Everything around the facts of mails, and the pages about them.
pub struct Mail {
    pub created: Of,
    pub updated: Of,
    pub cancelled: Of,
    pub held: Of,
    pub failed: Of,
    pub more_of: Of,
    pub trial: Of,
    pub alert: Of,
    pub summary: Of,
    pub refunded: &'static str,
    pub reversed: &'static str,
    pub greeting: &'static str,
    pub closing: &'static str,
    pub trial_text: &'static str,
    pub more: Plural,
    pub more_lines: Plural,
    pub merchant: &'static str,
    pub order: &'static str,
    pub invoice: &'static str,
    pub receipt: &'static str,
    pub item: &'static str,
    pub units: &'static str,
    pub amount: &'static str,
    pub tax: &'static str,
    pub total: &'static str,
    pub what_changed: &'static str,
    pub added: &'static str,
    pub removed: &'static str,
    pub changed: &'static str,
    /// From before to after, in the direction of reading.
    pub arrow: &'static str,
    pub open_order: &'static str,
    pub open_daftra: &'static str,
    pub open: &'static str,
    pub title: &'static str,
    pub hint: &'static str,
    pub is_off: &'static str,
    pub not_live: &'static str,
    pub recipients: &'static str,
    pub recipients_hint: &'static str,
    pub nobody: &'static str,
    pub address: &'static str,
    pub language: &'static str,
    pub about: &'static str,
    pub add: &'static str,
    pub save: &'static str,
    pub remove: &'static str,
    pub unreadable: &'static str,
    pub wordings: &'static str,
    pub wordings_hint: &'static str,
    pub own_words: &'static str,
    pub our_words: &'static str,
    pub subject: &'static str,
    pub greeting_label: &'static str,
    pub closing_label: &'static str,
    pub places: &'static str,
    pub reset: &'static str,
    pub preview: &'static str,
    pub preview_hint: &'static str,
    pub preview_of: &'static str,
    pub no_preview: &'static str,
    pub as_shown: &'static str,
    pub as_text: &'static str,
    pub send_trial: &'static str,
    pub trial_hint: &'static str,
    pub outbox: &'static str,
    pub nothing_sent: &'static str,
    pub to: &'static str,
    pub when: &'static str,
    pub state: &'static str,
    pub queued: &'static str,
    pub sending: &'static str,
    pub sent: &'static str,
    pub gave_up: &'static str,
    pub next_try: &'static str,
    pub tries: Plural,
    pub perhaps_twice: &'static str,
    pub resend: &'static str,
    pub older: &'static str,
    pub back: &'static str,
}

impl Mail {
    /// The words of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &Of {
        match kind {
            Kind::Created => &self.created,
            Kind::Updated => &self.updated,
            Kind::Cancelled => &self.cancelled,
            Kind::Held => &self.held,
            Kind::Failed => &self.failed,
            Kind::More => &self.more_of,
            Kind::Trial => &self.trial,
            Kind::Alert => &self.alert,
            Kind::Summary => &self.summary,
        }
    }

    /// Where a mail stands.
    #[must_use]
    pub fn state(&self, state: State) -> &'static str {
        match state {
            State::Queued => self.queued,
            State::Sending => self.sending,
            State::Sent => self.sent,
            State::Failed => self.gave_up,
        }
    }
}

/// Why a mail did not go out, and what to do.
#[must_use]
pub fn problem(lang: Lang, problem: &Problem) -> Sentence {
    match lang {
        Lang::En => in_english(problem),
        Lang::Ar => in_arabic(problem),
    }
}

fn in_english(problem: &Problem) -> Sentence {
    let say = |what: &str, next_step: &str| Sentence { what: what.to_owned(), next_step: next_step.to_owned() };
    match problem {
        Problem::Unreachable => say(
            "The mail server cannot be reached.",
            "Check mail.server and mail.port, and whether this machine may call out; it is tried again by itself.",
        ),
        Problem::Tls => say(
            "The mail server's certificate is not trusted for its name, or it speaks no TLS on this port.",
            "Check mail.server, mail.port and mail.security; for an authority of your own, name mail.extra_ca_file.",
        ),
        Problem::NoStarttls => say(
            "The mail server offers no STARTTLS, so nothing was sent.",
            "Use another port, or set mail.security to \"tls\".",
        ),
        Problem::Login { .. } => say(
            &said("The mail server does not accept user and password", problem),
            "Check mail.user and the file of mail.password_file; it is tried again by itself.",
        ),
        Problem::Later { .. } => {
            say(&said("The mail server cannot take the mail now", problem), "It is tried again by itself.")
        }
        Problem::Refused { .. } => say(
            &said("The mail server refuses the mail", problem),
            "Check the recipient's address, and whether mail.from may send; then send it again.",
        ),
        Problem::Cut => say("The connection ended before the mail was handed over.", "It is tried again by itself."),
        Problem::InDoubt => say(
            "The mail was handed over, but the answer was lost: it may have arrived.",
            "It is sent again with the same Message-ID, so that mail programs show it once.",
        ),
        Problem::Unreadable => say(
            "What is to be sent cannot be read: it was sealed with another key, or by a later version.",
            "Check the master key, then send it again.",
        ),
        Problem::Off => say("Mails were switched off before it went out.", "Send it again if it is still wanted."),
        Problem::Forgotten => say("The customer was forgotten before the mail went out.", ""),
    }
}

fn in_arabic(problem: &Problem) -> Sentence {
    let say = |what: &str, next_step: &str| Sentence { what: what.to_owned(), next_step: next_step.to_owned() };
    match problem {
        Problem::Unreachable => say(
            "تعذّر الوصول إلى خادم البريد.",
            "تحقّق من mail.server وmail.port ومن أن هذا الجهاز يستطيع الاتصال بالخارج؛ تُعاد المحاولة تلقائيًا.",
        ),
        Problem::Tls => say(
            "شهادة خادم البريد غير موثوقة لاسمه، أو أنه لا يتحدث TLS على هذا المنفذ.",
            "تحقّق من mail.server وmail.port وmail.security؛ ولجهة إصدار خاصة بك حدّد mail.extra_ca_file.",
        ),
        Problem::NoStarttls => {
            say("خادم البريد لا يوفّر STARTTLS، لذلك لم يُرسل شيء.", "استخدم منفذًا آخر، أو اجعل mail.security هو \"tls\".")
        }
        Problem::Login { .. } => say(
            &said("خادم البريد لا يقبل اسم المستخدم وكلمة المرور", problem),
            "تحقّق من mail.user ومن ملف mail.password_file؛ تُعاد المحاولة تلقائيًا.",
        ),
        Problem::Later { .. } => say(&said("لا يستطيع خادم البريد أخذ الرسالة الآن", problem), "تُعاد المحاولة تلقائيًا."),
        Problem::Refused { .. } => say(
            &said("خادم البريد يرفض الرسالة", problem),
            "تحقّق من عنوان المستلم ومن أن mail.from يحق له الإرسال، ثم أعد الإرسال.",
        ),
        Problem::Cut => say("انقطع الاتصال قبل تسليم الرسالة.", "تُعاد المحاولة تلقائيًا."),
        Problem::InDoubt => say(
            "سُلّمت الرسالة لكن الرد ضاع: ربما وصلت.",
            "تُرسل مرة أخرى بمعرّف الرسالة نفسه حتى تعرضها برامج البريد مرة واحدة.",
        ),
        Problem::Unreadable => {
            say("لا يمكن قراءة ما سيُرسل: خُتم بمفتاح آخر أو بإصدار أحدث.", "تحقّق من المفتاح الرئيسي، ثم أعد الإرسال.")
        }
        Problem::Off => say("أُوقفت الرسائل قبل إرسالها.", "أعد إرسالها إن كانت ما زالت مطلوبة."),
        Problem::Forgotten => say("مُحيت بيانات العميل قبل إرسال الرسالة.", ""),
    }
}

/// With what the server said: its number and its words, isolated from the sentence around them.
fn said(sentence: &str, problem: &Problem) -> String {
    let (code, words) = match problem {
        Problem::Login { code, words } => (*code, words.as_str()),
        Problem::Later { code, words } | Problem::Refused { code, words } => (Some(*code), words.as_str()),
        Problem::Unreachable
        | Problem::Tls
        | Problem::NoStarttls
        | Problem::Cut
        | Problem::InDoubt
        | Problem::Unreadable
        | Problem::Forgotten
        | Problem::Off => (None, ""),
    };
    let said = [code.map(|code| code.to_string()).unwrap_or_default(), words.to_owned()].join(" ");
    let said = said.trim();
    if said.is_empty() { format!("{sentence}.") } else { format!("{sentence} (\u{2068}{said}\u{2069}).") }
}

pub(super) static EN: Mail = Mail {
    created: Of {
        name: "Invoice created",
        subject: "Invoice {invoice} for order {order}",
        heading: "The invoice was created",
    },
    updated: Of {
        name: "Invoice updated",
        subject: "Invoice {invoice} for order {order} was updated",
        heading: "The invoice was updated",
    },
    cancelled: Of {
        name: "Cancelled or refunded",
        subject: "Refund for order {order}, invoice {invoice}",
        heading: "The order was cancelled, its invoice refunded",
    },
    held: Of {
        name: "Order held",
        subject: "Order {order} waits for a decision",
        heading: "The order waits for a person",
    },
    failed: Of {
        name: "Order failed",
        subject: "Order {order} could not be booked",
        heading: "The order was given up",
    },
    more_of: Of { name: "More of one kind", subject: "More orders of {merchant}", heading: "There were more" },
    trial: Of { name: "Trial", subject: "A trial mail from Qantara", heading: "This is a trial" },
    alert: Of { name: "Alert", subject: "Alert from Qantara", heading: "Alert" },
    summary: Of { name: "Summary", subject: "The day in Qantara", heading: "The day" },
    refunded: "There was a refund",
    reversed: "The invoice was reversed; a new one follows",
    greeting: "Hello,",
    closing: "Qantara, for {merchant}",
    trial_text: "If you read this, mails arrive.",
    more: Plural::en("{} more order in this hour", "{} more orders in this hour"),
    more_lines: Plural::en("and {} more line", "and {} more lines"),
    merchant: "Merchant",
    order: "Order",
    invoice: "Invoice",
    receipt: "Refund receipt",
    item: "Item",
    units: "Quantity",
    amount: "Amount",
    tax: "Tax included",
    total: "Total",
    what_changed: "What changed",
    added: "Added",
    removed: "Removed",
    changed: "Changed",
    arrow: "→",
    open_order: "Open the order",
    open_daftra: "Open in Daftra",
    open: "Open",
    title: "Mails",
    hint: "Who is told what happens to this merchant's orders, in whose words, and what became of each mail.",
    is_off: "Mails are off: the configuration names no mail server (mail.server). Nothing is sent.",
    not_live: "Mails are sent while the merchant is live; now nothing happens that anybody would be told.",
    recipients: "Recipients",
    recipients_hint: "Each gets a mail of their own, in their language, about what is ticked.",
    nobody: "Nobody gets mails yet.",
    address: "Mail address",
    language: "Language",
    about: "About",
    add: "Add recipient",
    save: "Save",
    remove: "Remove recipient",
    unreadable: "Not readable with this master key",
    wordings: "Words",
    wordings_hint: "Subject, greeting and closing can be yours; what happened is told by Qantara.",
    own_words: "own words",
    our_words: "standard words",
    subject: "Subject",
    greeting_label: "Greeting",
    closing_label: "Closing",
    places: "Filled in by themselves:",
    reset: "Back to the standard words",
    preview: "Preview",
    preview_hint: "The newest order of this kind, with the words as they are kept.",
    preview_of: "Order",
    no_preview: "There is no order with an invoice yet to show it with.",
    as_shown: "See it as mail programs show it",
    as_text: "As plain text",
    send_trial: "Send a trial",
    trial_hint: "Sends this preview to one recipient, marked as a trial.",
    outbox: "Outbox",
    nothing_sent: "There are no mails.",
    to: "To",
    when: "Made",
    state: "State",
    queued: "waiting",
    sending: "being sent",
    sent: "sent",
    gave_up: "failed",
    next_try: "Next try:",
    tries: Plural::en("{} try failed", "{} tries failed"),
    perhaps_twice: "An answer was lost: it may have arrived twice, with the same Message-ID.",
    resend: "Send again",
    older: "Older mails",
    back: "Back to the mails",
};

pub(super) static AR: Mail = Mail {
    created: Of {
        name: "إنشاء فاتورة", subject: "الفاتورة {invoice} للطلب {order}", heading: "أُنشئت الفاتورة"
    },
    updated: Of {
        name: "تحديث فاتورة", subject: "حُدّثت الفاتورة {invoice} للطلب {order}", heading: "حُدّثت الفاتورة"
    },
    cancelled: Of {
        name: "إلغاء أو استرداد",
        subject: "استرداد للطلب {order}، الفاتورة {invoice}",
        heading: "أُلغي الطلب ورُدّت قيمة فاتورته",
    },
    held: Of {
        name: "طلب معلّق", subject: "الطلب {order} ينتظر قرارًا", heading: "الطلب ينتظر شخصًا"
    },
    failed: Of {
        name: "طلب تعذّر", subject: "تعذّر تسجيل الطلب {order}", heading: "توقّفت محاولات تسجيل الطلب"
    },
    more_of: Of {
        name: "المزيد من نوع واحد", subject: "طلبات أخرى لدى {merchant}", heading: "هناك المزيد"
    },
    trial: Of { name: "تجربة", subject: "رسالة تجريبية من Qantara", heading: "هذه تجربة" },
    alert: Of { name: "تنبيه", subject: "تنبيه من Qantara", heading: "تنبيه" },
    summary: Of { name: "ملخص", subject: "يوم Qantara", heading: "ملخص اليوم" },
    refunded: "تم استرداد مبلغ",
    reversed: "عُكست الفاتورة، وتتبعها فاتورة جديدة",
    greeting: "مرحبًا،",
    closing: "Qantara، نيابةً عن {merchant}",
    trial_text: "إن كنت تقرأ هذا فالرسائل تصل.",
    more: Plural::ar([
        "طلب آخر في هذه الساعة",
        "طلبان آخران في هذه الساعة",
        "{} طلبات أخرى في هذه الساعة",
        "{} طلبًا آخر في هذه الساعة",
        "{} طلب آخر في هذه الساعة",
    ]),
    more_lines: Plural::ar(["وبند آخر", "وبندان آخران", "و{} بنود أخرى", "و{} بندًا آخر", "و{} بند آخر"]),
    merchant: "التاجر",
    order: "الطلب",
    invoice: "الفاتورة",
    receipt: "الفاتورة المرتجعة",
    item: "البند",
    units: "الكمية",
    amount: "المبلغ",
    tax: "منها ضريبة",
    total: "الإجمالي",
    what_changed: "ما الذي تغيّر",
    added: "أُضيف",
    removed: "أُزيل",
    changed: "تغيّر",
    arrow: "←",
    open_order: "افتح الطلب",
    open_daftra: "افتح في دفترة",
    open: "افتح",
    title: "الرسائل",
    hint: "من يُبلَّغ بما يحدث لطلبات هذا التاجر، وبأي كلمات، وما آلت إليه كل رسالة.",
    is_off: "الرسائل متوقفة: لا يحدد ملف الإعداد خادم بريد (mail.server). لا يُرسل شيء.",
    not_live: "تُرسل الرسائل ما دام التاجر يعمل فعليًا؛ الآن لا يحدث ما يُبلَّغ به أحد.",
    recipients: "المستلمون",
    recipients_hint: "يحصل كل منهم على رسالته بلغته عمّا هو محدد.",
    nobody: "لا يحصل أحد على رسائل بعد.",
    address: "عنوان البريد",
    language: "اللغة",
    about: "عن",
    add: "أضف مستلمًا",
    save: "احفظ",
    remove: "أزل المستلم",
    unreadable: "لا يُقرأ بهذا المفتاح الرئيسي",
    wordings: "الكلمات",
    wordings_hint: "يمكن أن يكون العنوان والتحية والختام بكلماتك؛ أما ما حدث فترويه Qantara.",
    own_words: "كلمات خاصة",
    our_words: "الكلمات المعتادة",
    subject: "العنوان",
    greeting_label: "التحية",
    closing_label: "الختام",
    places: "تُملأ تلقائيًا:",
    reset: "عودة إلى الكلمات المعتادة",
    preview: "معاينة",
    preview_hint: "أحدث طلب من هذا النوع، بالكلمات المحفوظة.",
    preview_of: "الطلب",
    no_preview: "لا يوجد بعد طلب له فاتورة لعرضها به.",
    as_shown: "شاهدها كما تعرضها برامج البريد",
    as_text: "كنص عادي",
    send_trial: "أرسل تجربة",
    trial_hint: "يرسل هذه المعاينة إلى مستلم واحد معلَّمةً بأنها تجربة.",
    outbox: "الرسائل الصادرة",
    nothing_sent: "لا توجد رسائل.",
    to: "إلى",
    when: "أُعدّت",
    state: "الحالة",
    queued: "تنتظر",
    sending: "تُرسل الآن",
    sent: "أُرسلت",
    gave_up: "تعذّرت",
    next_try: "المحاولة التالية:",
    tries: Plural::ar(["فشلت محاولة واحدة", "فشلت محاولتان", "فشلت {} محاولات", "فشلت {} محاولة", "فشلت {} محاولة"]),
    perhaps_twice: "ضاع ردّ: ربما وصلت مرتين بمعرّف الرسالة نفسه.",
    resend: "أعد الإرسال",
    older: "رسائل أقدم",
    back: "عودة إلى الرسائل",
};

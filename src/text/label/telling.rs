//! What is told of an alert outside the pages: in mails, in Telegram, by a webhook.

use crate::domain::telling::Stage;
use crate::text::plural::Plural;

/// Words about an alert.
pub struct Telling {
    /// Before what is the case.
    pub opened: &'static str,
    pub reminder: &'static str,
    pub over: &'static str,
    pub waiting: Plural,
    pub times: Plural,
    pub next_step: &'static str,
    pub since: &'static str,
    /// Of what is over: from when to when.
    pub was: &'static str,
    /// By which way something was told, and what came of it.
    pub channels: &'static str,
    /// Above the list of mails.
    pub mails: &'static str,
    pub telegram: &'static str,
    pub webhook: &'static str,
    pub queued: &'static str,
    pub sent: &'static str,
    pub failed: &'static str,
    /// What `alert test` says.
    pub trial: &'static str,
    /// Of the daily summary.
    pub day: &'static str,
    pub orders: &'static str,
    pub missing: &'static str,
    pub proven: &'static str,
    pub told_only: &'static str,
    pub statement: &'static str,
    pub standing: Plural,
    pub nothing_stands: &'static str,
}

impl Telling {
    /// What is told.
    #[must_use]
    pub fn stage(&self, stage: Stage) -> &'static str {
        match stage {
            Stage::Opened => self.opened,
            Stage::Reminder => self.reminder,
            Stage::Over => self.over,
        }
    }

    /// The name of a channel; a word of a later version stands for itself.
    #[must_use]
    pub fn channel<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "telegram" => self.telegram,
            "webhook" => self.webhook,
            other => other,
        }
    }

    /// What came of it; a word of a later version stands for itself.
    #[must_use]
    pub fn state<'a>(&self, word: &'a str) -> &'a str {
        match word {
            "queued" => self.queued,
            "sent" => self.sent,
            "failed" => self.failed,
            other => other,
        }
    }
}

pub(super) static EN: Telling = Telling {
    opened: "Alert",
    reminder: "Still so",
    over: "Over",
    waiting: Plural::en("{} order waits", "{} orders wait"),
    times: Plural::en("It came once", "It came {} times"),
    next_step: "What to do",
    since: "Since",
    was: "From",
    channels: "Told",
    mails: "Mails to those who run the server",
    telegram: "Telegram",
    webhook: "Webhook",
    queued: "to be sent",
    sent: "sent",
    failed: "not sent",
    trial: "This is a test: alerts arrive here.",
    day: "Summary of",
    orders: "Orders",
    missing: "Numbers nobody told of",
    proven: "The shop itself was looked through: it has no other orders of this day.",
    told_only: "These are the orders that the shop told of; without its API nobody can know of others.",
    statement: "Open the statement",
    standing: Plural::en("{} alert is open", "{} alerts are open"),
    nothing_stands: "No alert is open",
};

pub(super) static AR: Telling = Telling {
    opened: "تنبيه",
    reminder: "ما زال قائمًا",
    over: "انتهى",
    waiting: Plural::ar(["طلب واحد ينتظر", "طلبان ينتظران", "{} طلبات تنتظر", "{} طلبًا ينتظر", "{} طلب ينتظر"]),
    times: Plural::ar(["حدث مرة واحدة", "حدث مرتين", "حدث {} مرات", "حدث {} مرة", "حدث {} مرة"]),
    next_step: "ما العمل",
    since: "منذ",
    was: "من",
    channels: "أُبلغ",
    mails: "رسائل إلى مشغّلي الخادم",
    telegram: "تيليغرام",
    webhook: "خطاف الويب",
    queued: "بانتظار الإرسال",
    sent: "أُرسل",
    failed: "لم يُرسل",
    trial: "هذه تجربة: التنبيهات تصل إلى هنا.",
    day: "ملخص",
    orders: "الطلبات",
    missing: "أرقام لم يُبلغ عنها أحد",
    proven: "فُحص المتجر نفسه: ليست لديه طلبات أخرى في هذا اليوم.",
    told_only: "هذه هي الطلبات التي أبلغ عنها المتجر؛ من دون واجهته البرمجية لا يمكن معرفة غيرها.",
    statement: "افتح الكشف",
    standing: Plural::ar([
        "تنبيه واحد مفتوح",
        "تنبيهان مفتوحان",
        "{} تنبيهات مفتوحة",
        "{} تنبيهًا مفتوحًا",
        "{} تنبيه مفتوح",
    ]),
    nothing_stands: "لا تنبيه مفتوحًا",
};

//! Documents in Daftra that name a merchant's orders and were made by somebody else.

use crate::db::namesake::State;
use crate::domain::namesake::Fault;

/// Documents in Daftra that name a merchant's orders and were made by somebody else.
pub struct CutOver {
    pub title: &'static str,
    pub hint: &'static str,
    pub never: &'static str,
    pub under_way: &'static str,
    pub looked_at: &'static str,
    pub none: &'static str,
    pub look: &'static str,
    pub order: &'static str,
    pub invoice: &'static str,
    pub total: &'static str,
    pub state: &'static str,
    pub adopt: &'static str,
    pub adopt_hint: &'static str,
    pub dismiss: &'static str,
    pub open: &'static str,
    pub adopting: &'static str,
    pub adopted: &'static str,
    pub dismissed: &'static str,
    pub missing: &'static str,
    pub taken: &'static str,
    pub total_differs: &'static str,
    pub currency_differs: &'static str,
    pub refunded: &'static str,
    pub draft: &'static str,
    pub has_invoice: &'static str,
    pub not_booked: &'static str,
    pub ours: &'static str,
    pub in_daftra: &'static str,
}

impl CutOver {
    /// What is decided, in words.
    #[must_use]
    pub fn state(&self, state: State) -> &'static str {
        match state {
            State::Open => self.open,
            State::Adopting => self.adopting,
            State::Adopted => self.adopted,
            State::Dismissed => self.dismissed,
        }
    }

    /// Why a document cannot be adopted, with the amounts.
    #[must_use]
    pub fn fault(&self, fault: &Fault) -> String {
        let both = |what: &str, ours: &str, daftra: &str| {
            format!("{what} {}: \u{2066}{ours}\u{2069}, {}: \u{2066}{daftra}\u{2069}", self.ours, self.in_daftra)
        };
        match fault {
            Fault::Missing => self.missing.to_owned(),
            Fault::Taken => self.taken.to_owned(),
            Fault::Total { ours, daftra } => both(self.total_differs, ours, daftra),
            Fault::Currency { ours, daftra } => both(self.currency_differs, ours, daftra),
            Fault::Refunded { daftra } => format!("{} \u{2066}{daftra}\u{2069}", self.refunded),
            Fault::Draft => self.draft.to_owned(),
            Fault::HasInvoice => self.has_invoice.to_owned(),
            Fault::NotBooked => self.not_booked.to_owned(),
        }
    }
}

pub(super) static EN: CutOver = CutOver {
    title: "Documents of others",
    hint: "Invoices in Daftra that name an order of the last 30 days and were not made from here: by a program used before, or by \
           hand. Each is adopted or dismissed before the merchant goes live.",
    never: "Nobody has looked yet.",
    under_way: "Daftra is being looked through.",
    looked_at: "Last looked through",
    none: "None was found.",
    look: "Look in Daftra now",
    order: "Order",
    invoice: "Invoice in Daftra",
    total: "Total",
    state: "State",
    adopt: "Adopt",
    adopt_hint: "Adopted, it is the order's invoice: edits, cancellations and refunds follow it, and no second one is made. \
                 Dismissed, it is none of ours: the order is booked as if it were not there.",
    dismiss: "Dismiss",
    open: "waits for you",
    adopting: "is being adopted",
    adopted: "adopted",
    dismissed: "dismissed",
    missing: "Daftra has no such invoice.",
    taken: "It is the invoice of another order already.",
    total_differs: "It does not come to what the order does.",
    currency_differs: "It is in another currency.",
    refunded: "Receipts that are not ours give back",
    draft: "It is a draft: issue it in Daftra first.",
    has_invoice: "The order has an invoice of ours.",
    not_booked: "Nothing of this order is to be booked: it was cancelled, deleted, or has no lines of this merchant.",
    ours: "The order",
    in_daftra: "Daftra",
};

pub(super) static AR: CutOver = CutOver {
    title: "مستندات غيرنا",
    hint: "فواتير في دفترة تذكر طلبًا من آخر ثلاثين يومًا ولم تُنشأ من هنا: أنشأها برنامج سابق أو شخص. يُقرَّر أمر كلٍّ منها قبل \
           التشغيل الفعلي.",
    never: "لم يُبحث بعد.",
    under_way: "يُبحث في دفترة الآن.",
    looked_at: "آخر بحث",
    none: "لم يوجد شيء منها.",
    look: "ابحث في دفترة الآن",
    order: "الطلب",
    invoice: "الفاتورة في دفترة",
    total: "المجموع",
    state: "الحالة",
    adopt: "تبنَّها",
    adopt_hint: "إذا تبنّيتها صارت فاتورة الطلب: تتبعها التعديلات والإلغاءات والمرتجعات ولا تُنشأ ثانية. وإذا صرفت النظر عنها فليست \
                 لنا، ويُسجَّل الطلب كأنها غير موجودة.",
    dismiss: "اصرف النظر",
    open: "تنتظر قرارك",
    adopting: "قيد التبنّي",
    adopted: "تبنّيناها",
    dismissed: "صُرف النظر عنها",
    missing: "لا توجد فاتورة كهذه في دفترة.",
    taken: "هي فاتورة طلب آخر.",
    total_differs: "مجموعها يخالف مجموع الطلب.",
    currency_differs: "هي بعملة أخرى.",
    refunded: "عليها فواتير مرتجعة ليست لنا بمبلغ",
    draft: "هي مسودة: أصدرها في دفترة أولًا.",
    has_invoice: "للطلب فاتورة منا.",
    not_booked: "لا شيء يُسجَّل لهذا الطلب: أُلغي أو حُذف أو ليس فيه بنود لهذا التاجر.",
    ours: "الطلب",
    in_daftra: "دفترة",
};

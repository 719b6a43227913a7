//! The rules of a merchant for what shops see differently: each choice in plain words, and what it leads to.

/// The rules a person chooses between.
pub struct Policies {
    pub trigger: Policy<3>,
    pub shipping: Policy<3>,
    pub custom: Policy<3>,
    pub gift_card: Policy<3>,
    pub tip: Policy<3>,
    pub duty: Policy<3>,
    pub goodwill: Policy<3>,
    pub draft: Policy<2>,
    pub price: Policy<2>,
    pub locked: Policy<2>,
    pub exchange: Policy<2>,
}

/// A rule and what each choice leads to.
pub struct Policy<const N: usize> {
    pub title: &'static str,
    pub choices: [Choice; N],
}

/// One choice of a rule.
pub struct Choice {
    /// As the merchant file says it.
    pub word: &'static str,
    pub label: &'static str,
    pub consequence: &'static str,
}

const fn choice(word: &'static str, label: &'static str, consequence: &'static str) -> Choice {
    Choice { word, label, consequence }
}

pub(super) static EN: Policies = Policies {
    trigger: Policy {
        title: "When is an order invoiced?",
        choices: [
            choice("created", "When it is placed", "At once, paid or not. The usual choice with cash on delivery."),
            choice("paid", "When it is paid", "An order that is never paid never gets an invoice."),
            choice("fulfilled", "When it is sent", "Stock leaves Daftra when the goods leave the warehouse."),
        ],
    },
    shipping: Policy {
        title: "Shipping",
        choices: [
            choice(
                "all_lines",
                "Only if the whole order is this merchant's",
                "In an order of several merchants it is on nobody's invoice.",
            ),
            choice("always", "Always on this merchant's invoice", "Also in an order of several merchants."),
            choice("never", "Never", "Shipping is booked elsewhere."),
        ],
    },
    custom: Policy {
        title: "Items typed in by hand",
        choices: [
            choice("hold", "Ask a person", "The order is held until somebody decides."),
            choice("skip", "Leave them off", "The invoice shows less than the customer paid."),
            choice("line", "A row of free text", "On the invoice, without stock."),
        ],
    },
    gift_card: Policy {
        title: "Gift cards sold",
        choices: [
            choice("hold", "Ask a person", "The order is held until somebody decides."),
            choice("skip", "Leave them off", "Selling a card is no sale of goods yet."),
            choice("line", "A row of free text", "On the invoice, without stock."),
        ],
    },
    tip: Policy {
        title: "Tips",
        choices: [
            choice("hold", "Ask a person", "The order is held until somebody decides."),
            choice("skip", "Leave them off", "Tips are booked elsewhere."),
            choice("line", "A row of free text", "On the invoice, without stock."),
        ],
    },
    duty: Policy {
        title: "Duties and fees",
        choices: [
            choice("hold", "Ask a person", "The order is held until somebody decides."),
            choice("skip", "Leave them off", "Duties are booked elsewhere."),
            choice("line", "A row of free text", "On the invoice, without stock."),
        ],
    },
    goodwill: Policy {
        title: "Money given back for no goods",
        choices: [
            choice("hold", "Ask a person", "The refund is held until somebody decides."),
            choice("skip", "No document", "The money goes back in the shop only."),
            choice("line", "A row on a refund receipt", "Without goods and without stock."),
        ],
    },
    draft: Policy {
        title: "Invoices in Daftra are",
        choices: [
            choice("issued", "Issued at once", "With a number; stock moves."),
            choice("draft", "Left as drafts", "No number and no stock movement until somebody issues them in Daftra."),
        ],
    },
    price: Policy {
        title: "Prices on the invoice",
        choices: [
            choice("sale", "What the customer pays", "The usual choice."),
            choice("zero", "None", "Documents only move stock; the money is booked elsewhere."),
        ],
    },
    locked: Policy {
        title: "If Daftra refuses to change an invoice",
        choices: [
            choice("hold", "Ask a person", "The order is held until somebody decides."),
            choice(
                "new_invoice",
                "Receipt and new invoice",
                "A refund receipt takes back what is left of it, then a new invoice is made.",
            ),
        ],
    },
    exchange: Policy {
        title: "Goods exchanged after the invoice",
        choices: [
            choice("hold", "Ask a person", "Somebody looks at both sides first."),
            choice(
                "book",
                "Book both sides",
                "The invoice gains what was given, a refund receipt takes back what was returned.",
            ),
        ],
    },
};

pub(super) static AR: Policies = Policies {
    trigger: Policy {
        title: "متى يُفوتر الطلب؟",
        choices: [
            choice("created", "عند إنشائه", "فورًا، دُفع أو لم يُدفع. الخيار المعتاد مع الدفع عند الاستلام."),
            choice("paid", "عند دفعه", "الطلب الذي لا يُدفع لا يحصل على فاتورة."),
            choice("fulfilled", "عند شحنه", "يخرج المخزون من دفترة عندما تخرج البضاعة من المستودع."),
        ],
    },
    shipping: Policy {
        title: "الشحن",
        choices: [
            choice("all_lines", "فقط إذا كان الطلب كله لهذا التاجر", "في طلب لعدة تجار لا يظهر في فاتورة أحد."),
            choice("always", "دائمًا في فاتورة هذا التاجر", "حتى في طلب لعدة تجار."),
            choice("never", "أبدًا", "يُسجَّل الشحن في مكان آخر."),
        ],
    },
    custom: Policy {
        title: "البنود المكتوبة يدويًا",
        choices: [
            choice("hold", "سؤال شخص", "يُعلَّق الطلب حتى يقرر أحد."),
            choice("skip", "تركها", "تُظهر الفاتورة أقل مما دفعه العميل."),
            choice("line", "سطر نص حر", "في الفاتورة وبلا مخزون."),
        ],
    },
    gift_card: Policy {
        title: "بطاقات الهدايا المباعة",
        choices: [
            choice("hold", "سؤال شخص", "يُعلَّق الطلب حتى يقرر أحد."),
            choice("skip", "تركها", "بيع البطاقة ليس بيع بضاعة بعد."),
            choice("line", "سطر نص حر", "في الفاتورة وبلا مخزون."),
        ],
    },
    tip: Policy {
        title: "الإكراميات",
        choices: [
            choice("hold", "سؤال شخص", "يُعلَّق الطلب حتى يقرر أحد."),
            choice("skip", "تركها", "تُسجَّل الإكراميات في مكان آخر."),
            choice("line", "سطر نص حر", "في الفاتورة وبلا مخزون."),
        ],
    },
    duty: Policy {
        title: "الجمارك والرسوم",
        choices: [
            choice("hold", "سؤال شخص", "يُعلَّق الطلب حتى يقرر أحد."),
            choice("skip", "تركها", "تُسجَّل الجمارك في مكان آخر."),
            choice("line", "سطر نص حر", "في الفاتورة وبلا مخزون."),
        ],
    },
    goodwill: Policy {
        title: "مبالغ تُعاد بلا بضاعة",
        choices: [
            choice("hold", "سؤال شخص", "يُعلَّق الاسترجاع حتى يقرر أحد."),
            choice("skip", "بلا مستند", "يعود المال في المتجر فقط."),
            choice("line", "سطر في فاتورة مرتجعة", "بلا بضاعة وبلا مخزون."),
        ],
    },
    draft: Policy {
        title: "الفواتير في دفترة",
        choices: [
            choice("issued", "تُصدر فورًا", "لها رقم ويتحرك المخزون."),
            choice("draft", "تبقى مسودات", "بلا رقم وبلا حركة مخزون حتى يصدرها أحد في دفترة."),
        ],
    },
    price: Policy {
        title: "الأسعار في الفاتورة",
        choices: [
            choice("sale", "ما يدفعه العميل", "الخيار المعتاد."),
            choice("zero", "بلا أسعار", "المستندات تحرّك المخزون فقط؛ ويُسجَّل المال في مكان آخر."),
        ],
    },
    locked: Policy {
        title: "إذا رفضت دفترة تعديل فاتورة",
        choices: [
            choice("hold", "سؤال شخص", "يُعلَّق الطلب حتى يقرر أحد."),
            choice(
                "new_invoice",
                "فاتورة مرتجعة وفاتورة جديدة",
                "تستعيد فاتورة مرتجعة ما بقي منها، ثم تُنشأ فاتورة جديدة.",
            ),
        ],
    },
    exchange: Policy {
        title: "بضاعة استُبدلت بعد الفاتورة",
        choices: [
            choice("hold", "سؤال شخص", "ينظر شخص في الجانبين أولًا."),
            choice("book", "تسجيل الجانبين", "تزيد الفاتورة بما أُعطي، وتستعيد فاتورة مرتجعة ما أُعيد."),
        ],
    },
};

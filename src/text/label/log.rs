//! The page of the sync log, and the files made from it.

/// The page of the sync log, and the files made from it.
pub struct Log {
    pub statuses: &'static str,
    pub from: &'static str,
    pub until: &'static str,
    pub search: &'static str,
    pub search_hint: &'static str,
    pub clear: &'static str,
    pub csv: &'static str,
    pub json: &'static str,
    pub export_hint: &'static str,
    pub newer: &'static str,
    pub newest: &'static str,
    pub nothing_yet: &'static str,
    pub nothing_fits: &'static str,
    pub is_cut: &'static str,
    pub row: &'static str,
    pub pages: &'static str,
}

pub(super) static EN: Log = Log {
    statuses: "Rows by status",
    from: "From",
    until: "To",
    search: "Search",
    search_hint: "Order, invoice number or SKU",
    clear: "Clear all filters",
    csv: "Save as CSV",
    json: "Save as JSON",
    export_hint: "A file has the rows that fit the filter, the newest 10,000 of them at most. For more, choose dates.",
    newer: "Newer rows",
    newest: "Newest rows",
    nothing_yet: "Nothing has happened yet. Rows appear here as soon as the shop sends its first order.",
    nothing_fits: "No row fits this filter.",
    is_cut: "Many orders fit these words: you see the rows of the newest 100. Choose a merchant, or write the whole order name.",
    row: "Row",
    pages: "Other pages of rows",
};

pub(super) static AR: Log = Log {
    statuses: "السطور حسب الحالة",
    from: "من",
    until: "إلى",
    search: "بحث",
    search_hint: "الطلب أو رقم الفاتورة أو رمز SKU",
    clear: "امسح كل عوامل التصفية",
    csv: "احفظ بصيغة CSV",
    json: "احفظ بصيغة JSON",
    export_hint: "يضم الملف السطور المطابقة للتصفية، أحدث 10,000 منها على الأكثر. للمزيد اختر تواريخ.",
    newer: "سطور أحدث",
    newest: "أحدث السطور",
    nothing_yet: "لم يحدث شيء بعد. تظهر السطور هنا فور أن يرسل المتجر أول طلب.",
    nothing_fits: "لا سطر يطابق هذه التصفية.",
    is_cut: "تطابق هذه الكلمات طلبات كثيرة: ترى سطور أحدث 100 منها. اختر تاجرًا أو اكتب اسم الطلب كاملًا.",
    row: "السطر",
    pages: "صفحات السطور الأخرى",
};

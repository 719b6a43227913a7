//! What a page calls the keys of the merchant file and what commands are given.

use std::borrow::Cow;

use crate::text::{Lang, isolated};

/// Key, English, Arabic.
const FIELDS: [(&str, &str, &str); 44] = [
    ("slug", "Short name", "الاسم المختصر"),
    ("name", "Name", "الاسم"),
    ("time_zone", "Time zone", "المنطقة الزمنية"),
    ("mode", "Mode", "الوضع"),
    ("shop.domain", "Permanent domain of the shop", "النطاق الدائم للمتجر"),
    ("shop.webhook_secret_files", "Webhook secret", "سرّ الإشعارات"),
    ("daftra.url", "Daftra address", "عنوان دفترة"),
    ("daftra.key_file", "API key", "مفتاح دفترة"),
    ("daftra.store_id", "Warehouse", "المستودع"),
    ("daftra.client_id", "Client", "العميل"),
    ("daftra.branch_id", "Branch", "الفرع"),
    ("lines.vendors", "Vendors", "المورّدون"),
    ("lines.not_vendors", "Vendors that are left out", "المورّدون المستثنون"),
    ("lines.strip_prefixes", "Prefixes taken off a SKU", "البادئات المحذوفة من رمز SKU"),
    ("lines.add_prefix", "Prefix put before a SKU", "البادئة المضافة إلى رمز SKU"),
    ("orders.tolerance_minor", "Tolerated difference", "الفرق المسموح"),
    ("orders.live_from", "Live from", "بداية التشغيل الفعلي"),
    ("tax", "Taxes", "الضرائب"),
    ("payments.record", "Record payments", "تسجيل المدفوعات"),
    ("payments.refunds", "Record refunded money", "تسجيل المبالغ المستردة"),
    ("payments.gateway", "Ways of paying", "طرق الدفع"),
    ("user", "User", "المستخدم"),
    ("password", "Password", "كلمة المرور"),
    ("role", "Role", "الصلاحية"),
    ("days", "Days", "الأيام"),
    ("token", "Token", "رمز الوصول"),
    ("tokens", "Tokens", "رموز الوصول"),
    ("secret", "Secret", "السرّ"),
    ("language", "Language", "اللغة"),
    ("merchant", "Merchant", "التاجر"),
    ("merchants", "Merchants", "التجار"),
    ("order", "Order", "الطلب"),
    ("delivery", "Delivery", "الإشعار"),
    ("address", "Mail address", "عنوان البريد"),
    ("recipient", "Recipients", "المستلمون"),
    ("mail", "Mail", "الرسالة"),
    ("kind", "Kind of mail", "نوع الرسالة"),
    ("subject", "Subject", "العنوان"),
    ("greeting", "Greeting", "التحية"),
    ("closing", "Closing", "الختام"),
    ("note", "Note", "الملاحظة"),
    ("cause", "Cause", "سبب التعليق"),
    ("code", "Code", "الرمز"),
    ("product", "Product", "المنتج"),
];

/// The name of a field; a key that no page shows stands for itself.
pub(super) fn field(lang: Lang, key: &str) -> Cow<'_, str> {
    let plain = key.split('[').next().unwrap_or(key);
    match (FIELDS.iter().find(|(known, _, _)| *known == plain), lang) {
        (Some((_, name, _)), Lang::En) | (Some((_, _, name)), Lang::Ar) => Cow::Borrowed(*name),
        (None, Lang::En) => key.into(),
        (None, Lang::Ar) => isolated(key).into(),
    }
}

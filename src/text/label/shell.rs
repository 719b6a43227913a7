//! What stands around every page.

/// What stands around every page.
pub struct Shell {
    pub menu: &'static str,
    pub skip: &'static str,
    pub overview: &'static str,
    pub attention: &'static str,
    pub log: &'static str,
    pub deliveries: &'static str,
    pub users: &'static str,
    pub audit: &'static str,
    pub merchants: &'static str,
    pub me: &'static str,
    pub back: &'static str,
    pub save: &'static str,
    pub cancel: &'static str,
    pub language: &'static str,
    pub next_step: &'static str,
    pub nothing: &'static str,
}

pub(super) static EN: Shell = Shell {
    menu: "Menu",
    skip: "Skip to the content",
    overview: "Overview",
    attention: "Needs attention",
    log: "Sync log",
    deliveries: "Deliveries",
    users: "Users",
    audit: "History",
    merchants: "Merchants",
    me: "My account",
    back: "Back",
    save: "Save",
    cancel: "Cancel",
    language: "Language",
    next_step: "Next step",
    nothing: "–",
};

pub(super) static AR: Shell = Shell {
    menu: "القائمة",
    skip: "انتقل إلى المحتوى",
    overview: "نظرة عامة",
    attention: "يحتاج إلى انتباه",
    log: "سجل المزامنة",
    deliveries: "الإشعارات",
    users: "المستخدمون",
    audit: "السجل",
    merchants: "التجار",
    me: "حسابي",
    back: "رجوع",
    save: "حفظ",
    cancel: "إلغاء",
    language: "اللغة",
    next_step: "الخطوة التالية",
    nothing: "–",
};

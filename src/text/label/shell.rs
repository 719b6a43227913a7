//! What stands around every page.

/// What stands around every page.
pub struct Shell {
    pub menu: &'static str,
    pub skip: &'static str,
    pub overview: &'static str,
    pub log: &'static str,
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
    log: "Sync log",
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
    log: "سجل المزامنة",
    merchants: "التجار",
    me: "حسابي",
    back: "رجوع",
    save: "حفظ",
    cancel: "إلغاء",
    language: "اللغة",
    next_step: "الخطوة التالية",
    nothing: "–",
};

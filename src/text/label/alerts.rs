//! The page of the alerts.

/// The page of the alerts.
pub struct Alerts {
    pub hint: &'static str,
    pub open: &'static str,
    pub past: &'static str,
    pub nothing_open: &'static str,
    pub nothing_past: &'static str,
    pub since: &'static str,
    pub last: &'static str,
    pub opened: &'static str,
    pub closed: &'static str,
    pub newest: &'static str,
    pub pages: &'static str,
    pub all: &'static str,
}

pub(super) static EN: Alerts = Alerts {
    hint: "What somebody should know. An alert closes by itself when its cause is gone.",
    open: "Open",
    past: "Over",
    nothing_open: "Nothing is wrong at the moment.",
    nothing_past: "There were no alerts before.",
    since: "Since",
    last: "last seen",
    opened: "Opened",
    closed: "Closed",
    newest: "Open alerts",
    pages: "Other pages of alerts",
    all: "All alerts",
};

pub(super) static AR: Alerts = Alerts {
    hint: "ما ينبغي أن يعرفه أحد. يُغلق التنبيه تلقائيًا عندما يزول سببه.",
    open: "المفتوحة",
    past: "المنتهية",
    nothing_open: "لا خلل في الوقت الحالي.",
    nothing_past: "لم تكن هناك تنبيهات من قبل.",
    since: "منذ",
    last: "آخر مرة",
    opened: "فُتح",
    closed: "أُغلق",
    newest: "التنبيهات المفتوحة",
    pages: "صفحات التنبيهات الأخرى",
    all: "كل التنبيهات",
};

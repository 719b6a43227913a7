//! The pages of the daily statements.

use crate::text::plural::Plural;

/// The pages of the daily statements.
pub struct Statements {
    pub title: &'static str,
    pub hint: &'static str,
    pub day: &'static str,
    pub orders: &'static str,
    pub classes: &'static str,
    pub missing: &'static str,
    pub drawn: &'static str,
    pub nothing: &'static str,
    pub nothing_fits: &'static str,
    pub clear: &'static str,
    pub newest: &'static str,
    pub pages: &'static str,
    pub of: &'static str,
    pub all_orders: Plural,
    pub no_orders: &'static str,
    pub told_only: &'static str,
    pub proven: &'static str,
    pub missing_hint: &'static str,
    pub examined: Plural,
    pub examining: Plural,
    pub file: &'static str,
    pub forgotten: &'static str,
}

pub(super) static EN: Statements = Statements {
    title: "Daily statements",
    hint: "Every order of a day in exactly one class, as it stood in the night after. Drawn up anew for a week, for orders move on.",
    day: "Day",
    orders: "Orders",
    classes: "Where they stand",
    missing: "Numbers never seen",
    drawn: "Drawn up",
    nothing: "No statement yet. The first one is drawn up in the night after the merchant's first day, from four o'clock on.",
    nothing_fits: "No statement fits this filter.",
    clear: "Clear all filters",
    newest: "Newest statements",
    pages: "Other pages of statements",
    of: "Statement of",
    all_orders: Plural::en("One order was placed on this day.", "{} orders were placed on this day."),
    no_orders: "No order of this day is known.",
    told_only: "Qantara knows the orders that the shop told it of. Whether the shop has others cannot be known without access to it: \
                compare the number of orders with the shop's own list for this day.",
    proven: "The shop itself was looked through to its end after this day: it has no orders of it that are not here.",
    missing_hint: "The shop counted on, but nobody told of these numbers. Open them in the shop: an order whose webhook was lost can be \
                   sent again with any change of it, such as a tag. A number may also belong to a deleted order.",
    examined: Plural::en(
        "In the latest night Daftra was asked again about one order.",
        "In the latest night Daftra was asked again about {} orders.",
    ),
    examining: Plural::en(
        "Daftra is being asked again about the orders of the last 30 days: one so far.",
        "Daftra is being asked again about the orders of the last 30 days: {} so far.",
    ),
    file: "Download as CSV",
    forgotten: "not known any more",
};

pub(super) static AR: Statements = Statements {
    title: "الكشوف اليومية",
    hint: "كشف يومي لكل تاجر: كل طلبات اليوم، كل طلب في فئة واحدة فقط، كما كانت في الليلة التالية. يُعاد إعداد الكشف لمدة أسبوع لأن حال الطلبات يتغير.",
    day: "اليوم",
    orders: "الطلبات",
    classes: "أين وصلت",
    missing: "أرقام لم تصل",
    drawn: "أُعدّ في",
    nothing: "لا كشوف بعد. يُعدّ أول كشف في الليلة التالية لأول يوم للتاجر، ابتداءً من الساعة الرابعة.",
    nothing_fits: "لا كشف يطابق هذا التصفية.",
    clear: "امسح كل عوامل التصفية",
    newest: "أحدث الكشوف",
    pages: "صفحات الكشوف الأخرى",
    of: "كشف يوم",
    all_orders: Plural::ar([
        "ورد طلب واحد في هذا اليوم.",
        "ورد طلبان في هذا اليوم.",
        "وردت {} طلبات في هذا اليوم.",
        "ورد {} طلبًا في هذا اليوم.",
        "ورد {} طلب في هذا اليوم.",
    ]),
    no_orders: "لا يُعرف أي طلب في هذا اليوم.",
    told_only: "تعرف قنطرة الطلبات التي أخبرها بها المتجر فقط، ولا يمكن معرفة وجود غيرها دون وصول إلى المتجر: قارن عدد الطلبات بقائمة \
                المتجر نفسه لهذا اليوم.",
    proven: "قُرئت قائمة المتجر نفسه إلى آخرها بعد هذا اليوم: ليس فيها طلب لهذا اليوم غير موجود هنا.",
    missing_hint: "واصل المتجر العدّ، لكن لم يصل خبر عن هذه الأرقام. افتحها في المتجر: الطلب الذي ضاع إشعاره يُرسل مجددًا مع أي تغيير \
                   فيه، كإضافة وسم. وقد يكون الرقم لطلب محذوف.",
    examined: Plural::ar([
        "في آخر ليلة سُئلت دفترة مجددًا عن طلب واحد.",
        "في آخر ليلة سُئلت دفترة مجددًا عن طلبين.",
        "في آخر ليلة سُئلت دفترة مجددًا عن {} طلبات.",
        "في آخر ليلة سُئلت دفترة مجددًا عن {} طلبًا.",
        "في آخر ليلة سُئلت دفترة مجددًا عن {} طلب.",
    ]),
    examining: Plural::ar([
        "تُسأل دفترة الآن مجددًا عن طلبات آخر 30 يومًا: طلب واحد حتى الآن.",
        "تُسأل دفترة الآن مجددًا عن طلبات آخر 30 يومًا: طلبان حتى الآن.",
        "تُسأل دفترة الآن مجددًا عن طلبات آخر 30 يومًا: {} طلبات حتى الآن.",
        "تُسأل دفترة الآن مجددًا عن طلبات آخر 30 يومًا: {} طلبًا حتى الآن.",
        "تُسأل دفترة الآن مجددًا عن طلبات آخر 30 يومًا: {} طلب حتى الآن.",
    ]),
    file: "تنزيل بصيغة CSV",
    forgotten: "لم يعد معروفًا",
};

//! How the SKUs of a shop become the product codes of Daftra.

/// How the SKUs of a shop become the product codes of Daftra.
pub struct Codes {
    pub title: &'static str,
    pub hint: &'static str,
    pub by_hand: &'static str,
    pub strip: &'static str,
    pub strip_hint: &'static str,
    pub add: &'static str,
    pub add_hint: &'static str,
    pub ends: &'static str,
    pub ends_hint: &'static str,
    pub blank: &'static str,
    pub others: &'static str,
    pub others_hint: &'static str,
    pub barcode: &'static str,
    pub barcode_hint: &'static str,
    pub looked_for: &'static str,
    pub looked_for_hint: &'static str,
    pub sku: &'static str,
    pub codes: &'static str,
    pub nothing_seen: &'static str,
}

pub(super) static EN: Codes = Codes {
    title: "Codes",
    hint: "How the shop's SKUs find Daftra's products: by barcode, then by the whole code, then by its beginning. A product that is \
           not found, or not certain, holds the order; it is never guessed.",
    by_hand: "Codes that no rule can tell are mapped by hand",
    strip: "Beginnings to leave off",
    strip_hint: "One per line, for example WH-. Then WH-1001 is also looked for as 1001.",
    add: "Beginning that only Daftra's codes have",
    add_hint: "For example WH-. Then 1001 is also looked for as WH-1001.",
    ends: "A code may end before",
    ends_hint: "With the hyphen WH-1001-RED is also looked for as WH-1001, where Daftra has no product of the whole code: all colours \
                and sizes are one product then. With none of these only the whole code counts.",
    blank: "space",
    others: "Other signs",
    others_hint: "Without anything between them.",
    barcode: "Every SKU is a barcode",
    barcode_hint: "SKUs are then compared with Daftra's barcodes too. Without it only those that are valid article numbers.",
    looked_for: "What is looked for now",
    looked_for_hint: "SKUs of recent orders under the rules that are stored, the longest code first. Save to see what a change does.",
    sku: "SKU in the shop",
    codes: "Looked for in Daftra as",
    nothing_seen: "No order with a SKU came in yet. After the first ones you see here what is looked for.",
};

pub(super) static AR: Codes = Codes {
    title: "الرموز",
    hint: "كيف تقود رموز SKU في المتجر إلى منتجات دفترة: بالباركود أولًا، ثم بالرمز كاملًا، ثم ببدايته. المنتج الذي لا يُعثر عليه أو لا \
           يُعرف يقينًا يوقف الطلب، ولا يُخمَّن أبدًا.",
    by_hand: "الرموز التي لا تحددها قاعدة تُربط يدويًا",
    strip: "بدايات تُحذف",
    strip_hint: "واحدة في كل سطر، مثل \u{2066}WH-\u{2069}. عندها يُبحث عن \u{2066}WH-1001\u{2069} أيضًا بالرمز \u{2066}1001\u{2069}.",
    add: "بداية لا توجد إلا في رموز دفترة",
    add_hint: "مثل \u{2066}WH-\u{2069}. عندها يُبحث عن \u{2066}1001\u{2069} أيضًا بالرمز \u{2066}WH-1001\u{2069}.",
    ends: "قد ينتهي الرمز قبل",
    ends_hint: "مع الشرطة يُبحث عن \u{2066}WH-1001-RED\u{2069} أيضًا بالرمز \u{2066}WH-1001\u{2069} إذا لم يكن في دفترة منتج بالرمز كاملًا: كل \
                الألوان والمقاسات عندها منتج واحد. وبدون أي منها يُعتد بالرمز كاملًا فقط.",
    blank: "مسافة",
    others: "علامات أخرى",
    others_hint: "بلا شيء بينها.",
    barcode: "كل رمز SKU هو باركود",
    barcode_hint: "تُقارن الرموز عندها بباركود دفترة أيضًا. وبدونه يُقارن منها فقط ما هو رقم صنف صحيح.",
    looked_for: "ما يُبحث عنه الآن",
    looked_for_hint: "رموز من طلبات حديثة حسب القواعد المحفوظة، الأطول أولًا. احفظ لترى أثر أي تغيير.",
    sku: "الرمز في المتجر",
    codes: "يُبحث عنه في دفترة باسم",
    nothing_seen: "لم يصل بعد طلب فيه رمز SKU. بعد أول الطلبات ترى هنا ما يُبحث عنه.",
};

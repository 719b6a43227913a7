//! For which of a shop's variants a product of Daftra is found.

use crate::domain::variant::Outcome;

/// For which of a shop's variants a product of Daftra is found.
pub struct Coverage {
    pub title: &'static str,
    pub hint: &'static str,
    pub never: &'static str,
    pub under_way: &'static str,
    pub look: &'static str,
    pub looked_at: &'static str,
    pub whole: &'static str,
    pub of_orders: &'static str,
    pub all_found: &'static str,
    pub rest: &'static str,
    pub rest_hint: &'static str,
    pub file: &'static str,
    pub by: &'static str,
    pub variants: &'static str,
    pub variant: &'static str,
    pub article: &'static str,
    pub sku: &'static str,
    pub barcode: &'static str,
    pub why: &'static str,
    pub unknown_barcode: &'static str,
    pub total: &'static str,
    pub outcomes: Outcomes,
}

/// What a variant came to.
pub struct Outcomes {
    pub mapping: &'static str,
    pub barcode: &'static str,
    pub barcode_twin: &'static str,
    pub code: &'static str,
    pub sku_prefix: &'static str,
    pub ambiguous: &'static str,
    pub unknown: &'static str,
}

impl Outcomes {
    /// What a variant came to, in words.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Mapping => self.mapping,
            Outcome::Barcode => self.barcode,
            Outcome::BarcodeTwin => self.barcode_twin,
            Outcome::Code => self.code,
            Outcome::SkuPrefix => self.sku_prefix,
            Outcome::Ambiguous => self.ambiguous,
            Outcome::Unknown => self.unknown,
        }
    }
}

pub(super) static EN: Coverage = Coverage {
    title: "Coverage",
    hint: "For which variants of the shop a product is found in Daftra. Orders with a variant that is not covered are held.",
    never: "Nobody has looked yet.",
    under_way: "The variants are being looked through, since",
    look: "Look now",
    looked_at: "Last looked through",
    whole: "All variants of the shop that are this merchant's.",
    of_orders: "Only the variants seen in orders: the shop did not tell of all it sells. Connect its API, with the scope \
                read_products, for the whole.",
    all_found: "A product is found for every variant.",
    rest: "Variants without a product",
    rest_hint: "Give the product its barcode or code in Daftra, or map the variant by hand; then look again.",
    file: "All of them as CSV",
    by: "Found by",
    variants: "Variants",
    variant: "Variant",
    article: "Article",
    sku: "SKU",
    barcode: "Barcode",
    why: "Why",
    unknown_barcode: "not known",
    total: "Together",
    outcomes: Outcomes {
        mapping: "mapping by hand",
        barcode: "barcode",
        barcode_twin: "barcode, but for a leading zero",
        code: "whole SKU",
        sku_prefix: "beginning of the SKU",
        ambiguous: "several products fit",
        unknown: "no product fits",
    },
};

pub(super) static AR: Coverage = Coverage {
    title: "التغطية",
    hint: "أيّ أصناف المتجر يوجد لها منتج في دفترة. والطلب الذي فيه صنف غير مغطّى يُعلَّق.",
    never: "لم يُفحص ذلك بعد.",
    under_way: "تُفحص الأصناف الآن، منذ",
    look: "افحص الآن",
    looked_at: "آخر فحص",
    whole: "كل أصناف المتجر التي تخص هذا التاجر.",
    of_orders: "الأصناف التي ظهرت في الطلبات فقط: لم يذكر المتجر كل ما يبيعه. اربط واجهته البرمجية مع الصلاحية \
                \u{2066}read_products\u{2069} ليكتمل الفحص.",
    all_found: "لكل صنف منتج.",
    rest: "أصناف بلا منتج",
    rest_hint: "أعطِ المنتج باركوده أو رمزه في دفترة، أو اربط الصنف يدويًا، ثم افحص من جديد.",
    file: "كلها في ملف \u{2066}CSV\u{2069}",
    by: "وُجد عن طريق",
    variants: "الأصناف",
    variant: "الصنف",
    article: "البضاعة",
    sku: "رمز \u{2066}SKU\u{2069}",
    barcode: "الباركود",
    why: "السبب",
    unknown_barcode: "غير معروف",
    total: "المجموع",
    outcomes: Outcomes {
        mapping: "ربط يدوي",
        barcode: "الباركود",
        barcode_twin: "الباركود إلا صفرًا في أوله",
        code: "رمز \u{2066}SKU\u{2069} كاملًا",
        sku_prefix: "أول رمز \u{2066}SKU\u{2069}",
        ambiguous: "ينطبق عليه أكثر من منتج",
        unknown: "لا ينطبق عليه منتج",
    },
};

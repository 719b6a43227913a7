//! What is on sale in a generated town, and what Daftra knows of it. What a SKU must lead to stands beside it and was
//! written by a person.

use super::town::{CREEK, KISSATEN, PEARLS, SOUQ};

pub(super) const WADI: &str = "Wadi Home";
/// Makes a new invoice where the old one cannot be changed.
pub(super) const NAJD: &str = "عطور نجد";
const BAHR: &str = "Bahr";
const KHOR: &str = "Khor Living";
const SAKURA: &str = "さくら";
const SOUQ_LIGHTS: &str = "Souq Lights";
pub(super) const DUNE_LIGHTS: &str = "Dune Lights";
pub(super) const TOKYO_LIGHTS: &str = "Tokyo Lights";

/// Something on sale.
pub(super) struct Ware {
    pub(super) shop: usize,
    pub(super) vendor: &'static str,
    pub(super) sku: &'static str,
    /// In minor units.
    pub(super) price: i64,
    pub(super) taxable: bool,
    /// Taxed twice.
    pub(super) two_taxes: bool,
    pub(super) leads: Leads,
}

/// What a SKU must lead to in Daftra.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Leads {
    /// The product of this code.
    To(&'static str),
    /// No product.
    Nowhere,
    /// Two products: nobody may choose.
    TwoWays,
    /// Nowhere either, but it is nobody's here: somebody else's vendor.
    Elsewhere,
}

use Leads::{Elsewhere, Nowhere, To, TwoWays};

const fn ware(shop: usize, vendor: &'static str, sku: &'static str, price: i64, leads: Leads) -> Ware {
    Ware { shop, vendor, sku, price, taxable: true, two_taxes: false, leads }
}

const fn taxed_twice(shop: usize, vendor: &'static str, sku: &'static str, price: i64, leads: Leads) -> Ware {
    Ware { two_taxes: true, ..ware(shop, vendor, sku, price, leads) }
}

const fn untaxed(shop: usize, vendor: &'static str, sku: &'static str, price: i64, leads: Leads) -> Ware {
    Ware { taxable: false, ..ware(shop, vendor, sku, price, leads) }
}

/// All that is on sale, with what it must lead to: prefixes, barcodes in both lengths, own prefixes put on and taken off.
pub(super) const WARES: [Ware; 38] = [
    ware(SOUQ, WADI, "WH-1001-RED-XL", 12_995, To("WH-1001")),
    ware(SOUQ, WADI, "WH-1001-BLU-M", 9_950, To("WH-1001")),
    ware(SOUQ, WADI, "wh-2040", 34_900, To("WH-2040")),
    ware(SOUQ, WADI, "WH-3300", 1_575, To("WH-3300")),
    ware(SOUQ, WADI, "WH-77/A B", 499, To("WH-77/A")),
    untaxed(SOUQ, WADI, "WH-BOOK", 6_000, To("WH-BOOK")),
    ware(SOUQ, WADI, "WH-SET-GREEN", 41_025, To(BUNDLE)),
    taxed_twice(SOUQ, NAJD, "NJ-TENT", 23_400, To("NJ-TENT")),
    taxed_twice(CREEK, KHOR, "KH-TENT", 31_250, To("TENT")),
    taxed_twice(KISSATEN, SAKURA, "SK-FAN", 1_111, To("SK-FAN")),
    ware(SOUQ, WADI, "ZZ-404", 1_000, Nowhere),
    ware(SOUQ, NAJD, "6281000000014", 18_700, To("OUD-50")),
    ware(SOUQ, NAJD, "0012345678905", 5_125, To("MISK-12")),
    ware(SOUQ, NAJD, "SHELF 9", 42_050, To("NJ-OUD-100")),
    ware(SOUQ, NAJD, "NJ-BKH-1", 4_333, To("NJ-BKH-1")),
    ware(SOUQ, NAJD, "6281000000021", 2_000, TwoWays),
    ware(SOUQ, SOUQ_LIGHTS, "SL-1", 2_500, Elsewhere),
    ware(PEARLS, BAHR, "1001", 9_955, To("BH-1001")),
    ware(PEARLS, BAHR, "2040", 34_905, To("BH-2040")),
    ware(PEARLS, BAHR, "3300-L", 1_580, To("BH-3300")),
    ware(PEARLS, BAHR, "PEARL.7", 125, To("BH-PEARL")),
    ware(PEARLS, "", "77", 12_007, To("BH-77")),
    ware(PEARLS, BAHR, "9999", 1_000, Nowhere),
    ware(PEARLS, BAHR, "5005", 2_000, TwoWays),
    ware(CREEK, KHOR, "KH-LAMP-01", 19_900, To("LAMP-01")),
    ware(CREEK, KHOR, "KH-MUG", 3_550, To("MUG")),
    ware(CREEK, KHOR, "KH-RUG-L-RED", 125_000, To("RUG-L")),
    ware(CREEK, KHOR, "OIL_50", 1_299, To("OIL")),
    untaxed(CREEK, KHOR, "KH-BOOK", 8_000, To("BOOK")),
    ware(CREEK, KHOR, "KH-404", 1_000, Nowhere),
    ware(CREEK, KHOR, "KH-TWIN", 2_000, TwoWays),
    ware(CREEK, DUNE_LIGHTS, "DL-1", 4_500, Elsewhere),
    ware(KISSATEN, SAKURA, "SK-CUP-S", 1_480, To("SK-CUP")),
    ware(KISSATEN, SAKURA, "SK-BOWL", 3_333, To("SK-BOWL")),
    ware(KISSATEN, SAKURA, "4901234567894", 2_750, To("SK-KETTLE")),
    ware(KISSATEN, SAKURA, "4512345678906", 980, TwoWays),
    ware(KISSATEN, SAKURA, "XX-404", 1_000, Nowhere),
    ware(KISSATEN, TOKYO_LIGHTS, "TL-1", 4_000, Elsewhere),
];

/// The code of a product that consists of others.
pub(super) const BUNDLE: &str = "WH-SET";

/// Account, code and barcode of everything in Daftra, also of what makes a SKU ambiguous or tempts a wrong prefix.
pub(super) const CATALOGUE: [(&str, &str, &str); 33] = [
    ("riyadh", "WH-1001", ""),
    ("riyadh", "WH-2040", ""),
    ("riyadh", "WH-3300", ""),
    ("riyadh", "WH-77", ""),
    ("riyadh", "WH-77/A", ""),
    ("riyadh", "WH-BOOK", ""),
    ("riyadh", "WH", ""),
    ("riyadh", BUNDLE, ""),
    ("riyadh", "NJ-TENT", ""),
    ("riyadh", "OUD-50", "6281000000014"),
    ("riyadh", "MISK-12", "012345678905"),
    ("riyadh", "NJ-OUD-100", "SHELF 9"),
    ("riyadh", "NJ-BKH-1", ""),
    ("riyadh", "NJ-BKH", ""),
    ("riyadh", "6281000000021", ""),
    ("riyadh", "NJ-X", "6281000000021"),
    ("kuwait", "BH-1001", ""),
    ("kuwait", "BH-2040", ""),
    ("kuwait", "BH-3300", ""),
    ("kuwait", "BH-PEARL", ""),
    ("kuwait", "BH-77", ""),
    ("kuwait", "BH-5005", ""),
    ("kuwait", "5005", ""),
    ("dubai", "LAMP-01", ""),
    ("dubai", "MUG", ""),
    ("dubai", "RUG-L", ""),
    ("dubai", "RUG", ""),
    ("dubai", "OIL", ""),
    ("dubai", "BOOK", ""),
    ("dubai", "TENT", ""),
    ("dubai", "TWIN", ""),
    ("dubai", "KH-TWIN", ""),
    ("tokyo", "SK-CUP", ""),
];
/// Tokyo's are written as they would be after a migration: the name of one is the barcode of another.
pub(super) const MORE: [(&str, &str, &str); 5] = [
    ("tokyo", "SK-FAN", ""),
    ("tokyo", "SK-BOWL", ""),
    ("tokyo", "SK-KETTLE", "4901234567894"),
    ("tokyo", "4512345678906", ""),
    ("tokyo", "SK-X", "4512345678906"),
];

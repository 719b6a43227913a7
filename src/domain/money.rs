//! Money as integer minor units, with the currency's own digits.
//!
//! An [`Amount`] has no currency of its own: everything inside one order is in that order's one currency (the shop's),
//! and the reader refuses any other, so amounts of two currencies can never meet. Decimals appear only at the edges,
//! floats nowhere.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency. Two currencies are the same when their codes are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Currency([u8; 3]);

/// Currencies without a minor unit.
const NO_DIGITS: [&str; 16] =
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Currencies whose major unit has a thousand minor ones.
const THREE_DIGITS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];
/// No single amount may be larger than this many minor units, so that no sum of an order can overflow.
const LARGEST: i64 = 1_000_000_000_000_000;

/// Text that is not an amount of a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    #[error("'{0}' is not a number")]
    NotANumber(String),
    #[error("'{amount}' has more digits than {currency} has")]
    TooFine { amount: String, currency: Currency },
    #[error("'{0}' is larger than any order can be")]
    TooLarge(String),
}

impl Currency {
    /// The currency of a three-letter code; lower case is accepted.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.trim().as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphabetic).then(|| Self(bytes.map(|b| b.to_ascii_uppercase())))
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many decimals its amounts have: 0, 2 or 3.
    #[must_use]
    pub fn digits(self) -> u32 {
        match self.code() {
            code if NO_DIGITS.contains(&code) => 0,
            code if THREE_DIGITS.contains(&code) => 3,
            _ => 2,
        }
    }

    /// Reads a plain amount as Shopify or Daftra print it. Zeros beyond the currency's digits are harmless
    /// (Shopify writes `"0.0"` for yen); other digits beyond them are an error, never rounded away.
    pub fn parse_amount(self, text: &str) -> Result<Amount, BadAmount> {
        // The plain parser would round off what lies beyond a decimal's 28 digits.
        let decimal = Decimal::from_str_exact(text.trim()).map_err(|_| BadAmount::NotANumber(text.to_owned()))?;
        self.amount(decimal)
    }

    /// The exact amount of a decimal in major units.
    pub fn amount(self, major: Decimal) -> Result<Amount, BadAmount> {
        let minor = major
            .checked_mul(Decimal::from(10_u32.pow(self.digits())))
            .ok_or_else(|| BadAmount::TooLarge(major.to_string()))?
            .normalize();
        if minor.scale() > 0 {
            return Err(BadAmount::TooFine { amount: major.to_string(), currency: self });
        }
        match minor.to_i64() {
            Some(minor) if minor.abs() <= LARGEST => Ok(Amount(minor)),
            Some(_) | None => Err(BadAmount::TooLarge(major.to_string())),
        }
    }

    /// The amount in major units, with exactly the currency's digits.
    #[must_use]
    pub fn decimal(self, amount: Amount) -> Decimal {
        Decimal::new(amount.0, self.digits())
    }

    /// The amount as people and both systems write it: `12.50`, `12.500`, `1250`.
    #[must_use]
    pub fn print(self, amount: Amount) -> String {
        self.decimal(amount).to_string()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::parse(&code).ok_or_else(|| format!("'{code}' is not a currency: write three letters, for example SAR"))
    }
}

/// Integer minor units of the order's one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(pub i64);

impl Amount {
    pub const ZERO: Self = Self(0);

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The amount of so many equal pieces; `None` beyond what any order can be.
    #[must_use]
    pub fn times(self, count: i64) -> Option<Self> {
        self.0.checked_mul(count).filter(|minor| minor.abs() <= LARGEST).map(Self)
    }

    /// The share of `self` that the first `units` of `of` units carry. Shares of adjoining ranges add up exactly:
    /// whoever takes the last units takes the remainder.
    #[must_use]
    pub fn share(self, units: i64, of: i64) -> Self {
        if of == 0 {
            return Self::ZERO;
        }
        let share = i128::from(self.0) * i128::from(units) / i128::from(of);
        Self(i64::try_from(share).unwrap_or(self.0))
    }

    /// Splits over weights without losing a minor unit: each part is within one unit of its exact share, and the
    /// larger fractions get the odd units (the first of equals). No weight at all puts everything on the first part.
    #[must_use]
    pub fn allocate(self, weights: &[i64]) -> Vec<Self> {
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        let mut parts = vec![Self::ZERO; weights.len()];
        if total <= 0 {
            if let Some(first) = parts.first_mut() {
                *first = self;
            }
            return parts;
        }
        let mut fractions = Vec::with_capacity(weights.len());
        let mut rest = self.0;
        for (index, weight) in weights.iter().enumerate() {
            let exact = i128::from(self.0) * i128::from(*weight);
            let part = i64::try_from(exact.div_euclid(total)).unwrap_or(0);
            parts[index] = Self(part);
            rest -= part;
            fractions.push((exact.rem_euclid(total), index));
        }
        fractions.sort_by_key(|(fraction, index)| (std::cmp::Reverse(*fraction), *index));
        for (_, index) in fractions {
            if rest == 0 {
                break;
            }
            parts[index].0 += 1;
            rest -= 1;
        }
        parts
    }

    /// Minor units from a decimal number of minor units, rounded half away from zero.
    #[must_use]
    pub fn rounded(minor: Decimal) -> Self {
        let whole = minor.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        Self(whole.to_i64().unwrap_or(LARGEST))
    }
}

impl Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

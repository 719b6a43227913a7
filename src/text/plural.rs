//! What is counted, in the form that goes with its number. Each language has its own forms and its own rule for which
//! number takes which; both stand here and nowhere else.

/// A phrase in all forms of one language; `{}` is the number, which forms for one and two may say in a word.
#[derive(Clone, Copy, Debug)]
pub enum Plural {
    /// English.
    En {
        /// 1.
        one: &'static str,
        /// All others, also none.
        other: &'static str,
    },
    /// Arabic.
    Ar {
        /// 1, said with a word.
        one: &'static str,
        /// 2, the dual.
        two: &'static str,
        /// What ends in 03 to 10.
        few: &'static str,
        /// What ends in 11 to 99.
        many: &'static str,
        /// Round hundreds, what ends in 01 and 02 beyond them, and none.
        other: &'static str,
    },
}

impl Plural {
    pub(super) const fn en(one: &'static str, other: &'static str) -> Self {
        Self::En { one, other }
    }

    pub(super) const fn ar([one, two, few, many, other]: [&'static str; 5]) -> Self {
        Self::Ar { one, two, few, many, other }
    }

    /// The phrase with this number in it.
    #[must_use]
    pub fn of(&self, count: impl TryInto<i64>) -> String {
        // What does not fit is large: it ends like the largest number there is.
        let count = count.try_into().unwrap_or(i64::MAX);
        self.form(count.unsigned_abs()).replace("{}", &count.to_string())
    }

    fn form(&self, count: u64) -> &'static str {
        match self {
            Self::En { one, other } => match count {
                1 => one,
                _ => other,
            },
            Self::Ar { one, two, few, many, other } => match (count, count % 100) {
                (1, _) => one,
                (2, _) => two,
                (_, 3..=10) => few,
                (_, 11..=99) => many,
                _ => other,
            },
        }
    }
}

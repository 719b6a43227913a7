//! What a document is to say, with all frozen choices, and the one line of facts by which two of them are compared.

use serde::{Deserialize, Serialize};

use super::invoice::{Billed, Header, InvoiceDraft, shop_totals};
use super::money::Amount;
use super::payment::PaymentDraft;
use super::refund::ReceiptDraft;

/// What kind of document it is, with all frozen choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draft {
    Invoice(InvoiceDraft),
    RefundReceipt(ReceiptDraft),
    Payment(PaymentDraft),
}

impl Draft {
    /// As it stands in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invoice(_) => "invoice",
            Self::RefundReceipt(_) => "refund_receipt",
            Self::Payment(_) => "payment",
        }
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        match self {
            Self::Invoice(draft) => &draft.header,
            Self::RefundReceipt(draft) => &draft.header,
            Self::Payment(draft) => &draft.header,
        }
    }

    #[must_use]
    pub fn billed(&self) -> &[Billed] {
        match self {
            Self::Invoice(draft) => &draft.billed,
            Self::RefundReceipt(draft) => &draft.billed,
            Self::Payment(_) => &[],
        }
    }

    /// What the shop says it comes to.
    #[must_use]
    pub fn total(&self) -> Amount {
        match self {
            Self::Invoice(_) | Self::RefundReceipt(_) => shop_totals(self.billed()).total,
            Self::Payment(draft) => draft.amount,
        }
    }

    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Invoice(_) | Self::RefundReceipt(_) => Fingerprint::of(self.billed()),
            Self::Payment(draft) => Fingerprint(format!("{}; payment {}", Fingerprint::VERSION, draft.amount.0)),
        }
    }
}

/// The shop's facts on a document in one line of text: version, then source, units, net and tax of each thing.
/// It holds nothing that rules, catalogue or software decide, so a change of those is never a reason to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    const VERSION: &str = "1";

    #[must_use]
    pub fn of(billed: &[Billed]) -> Self {
        let mut parts: Vec<String> =
            billed.iter().map(|one| format!("{}: {} {} {}", one.source, one.units, one.net.0, one.tax.0)).collect();
        parts.sort();
        Self(format!("{}; {}", Self::VERSION, parts.join("; ")))
    }

    /// Written by a version of this software that counted other things.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.0.split(';').next() != Some(Self::VERSION)
    }
}

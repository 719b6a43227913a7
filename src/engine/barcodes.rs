//! The barcodes of a shop's variants, for orders that no product was looked for yet.
//!
//! The body of an order carries none, so the shop is asked for each variant, and again when its word is some hours old; many
//! tell by themselves when one changes. A shop that cannot be asked holds up no order for ever: while it does not answer, a
//! new order waits for a quarter of an hour; then, and where the API is closed to us, what it said last counts, and the SKU
//! of a variant of which it said nothing.

use std::collections::BTreeSet;

use super::Engine;
use super::catch_up::PAUSE;
use super::reread::{PATIENCE, ReadAgain};
use crate::db::variant::{self, Keep};
use crate::db::{Error, order};
use crate::domain::operation::{Change, Operation};
use crate::domain::plan::Decision;
use crate::domain::reason::Hold;
use crate::shop::api::client::Setback;
use crate::shop::api::conversation::Conversation;

/// Without it an app sees no barcode.
pub(super) const SCOPE: &str = "read_products";

/// Whether a decision could come out otherwise with the barcodes of the order's variants.
pub(super) fn needs_barcodes(decision: &Decision) -> bool {
    match decision {
        Decision::Act(operations) => operations.iter().any(|operation| match operation {
            Operation::Find { .. } | Operation::Create { .. } | Operation::Replace { .. } => true,
            Operation::Record { changes } => changes.iter().any(|change| matches!(change, Change::LookFirst { .. })),
            Operation::Rewrite { .. } | Operation::Verify { .. } | Operation::Resolve { .. } => false,
        }),
        Decision::Hold(holds) => {
            holds.iter().any(|hold| matches!(hold, Hold::UnknownProduct { .. } | Hold::AmbiguousProduct { .. }))
        }
        Decision::Settled | Decision::Ignore(_) | Decision::Wait(..) => false,
    }
}

impl Engine {
    /// Asks the shop for the barcodes of an order's variants.
    pub(super) fn read_variants(
        &self,
        merchant_id: i64,
        order_id: i64,
        ids: &BTreeSet<i64>,
    ) -> Result<ReadAgain, Error> {
        let way = match self.way_to_shop(merchant_id)? {
            Some(Ok(way)) if way.scopes.contains(SCOPE) => way,
            Some(Err(setback)) => return self.not_told(merchant_id, order_id, &setback),
            None | Some(Ok(_)) => return Ok(ReadAgain::AsItIs),
        };
        match Conversation::new(&self.shops, &way.door, way.scopes.clone()).variants(ids) {
            Ok(variants) => {
                let now = self.clock.now();
                let told: BTreeSet<i64> = variants.iter().map(|variant| variant.id).collect();
                let gone: BTreeSet<i64> = ids.difference(&told).copied().collect();
                self.db.write(move |tx| {
                    variant::learn(tx, merchant_id, &variants, Keep::All, now)?;
                    variant::are_gone(tx, merchant_id, &gone, now)
                })?;
                Ok(ReadAgain::Done)
            }
            Err(setback) => self.not_told(merchant_id, order_id, &setback),
        }
    }

    fn not_told(&self, merchant_id: i64, order_id: i64, setback: &Setback) -> Result<ReadAgain, Error> {
        let now = self.clock.now();
        let known_since = self.db.read(|c| order::known_since(c, order_id))?;
        let is_old = now.duration_since(known_since) > PATIENCE;
        match setback {
            Setback::Throttled(wait) if !is_old => Ok(ReadAgain::Later(now + *wait)),
            Setback::Failed(_) if !is_old => Ok(ReadAgain::Later(now + PAUSE)),
            Setback::Throttled(_) | Setback::Failed(_) | Setback::Blocked(_) => {
                self.note_shop(merchant_id, setback)?;
                Ok(ReadAgain::AsItIs)
            }
        }
    }
}

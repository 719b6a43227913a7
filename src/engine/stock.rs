//! What Daftra's stock says about an invoice: whether its goods left their warehouse, and what is missing when it was
//! refused. Questions only; what follows from the answers is the planner's.

use std::collections::{BTreeMap, BTreeSet};

use super::order::Performed;
use super::perform::Visit;
use crate::daftra::outcome::Unanswered;
use crate::daftra::wire::RemoteDocument;
use crate::db::Error;
use crate::db::document::Action;
use crate::db::order::Case;
use crate::domain::catalog::ProductKind;
use crate::domain::document::{Document, Event, Stock};
use crate::domain::invoice::InvoiceDraft;
use crate::domain::reason::{Shortage, Unmoved};

/// After a refusal the stock of so many products is asked for at most: one that lacks is enough to know.
const MOST_STOCK_QUESTIONS: usize = 20;
/// The requisition of an invoice was confirmed and its goods are out.
const REQUISITION_ACCEPTED: i64 = 3;

impl Visit<'_> {
    /// Daftra's words for a lack of stock are not known, so after a no the stock itself is asked. Who is told nothing
    /// asks again; an answer that says nothing leaves the refusal as it is.
    pub(super) fn look_for_shortages(&self, document_id: i64, invoice: &InvoiceDraft) -> Result<Performed, Error> {
        let mut wanted = BTreeMap::<i64, (i64, &str)>::new();
        for billed in &invoice.billed {
            if let Some(product_id) = billed.product_id {
                wanted.entry(product_id).or_insert((0, &billed.title)).0 += billed.units;
            }
        }
        let store_id = invoice.header.store_id;
        let mut shortages = Vec::new();
        for (product_id, (wanted, title)) in wanted.into_iter().take(MOST_STOCK_QUESTIONS) {
            let answered = self.engine.daftra.available(&self.door, &self.pace(), product_id);
            self.note(Action::Find, Some(document_id), &answered, |stores| match stores {
                Some(_) => "found",
                None => "absent",
            })?;
            let stores = match answered.outcome {
                Ok(Some(stores)) => stores,
                Ok(None) => continue,
                Err(problem) => {
                    if is_an_answer(&problem) {
                        self.happened(document_id, Event::Short { shortages })?;
                    }
                    return self.trouble(problem);
                }
            };
            let available = stores.get(&store_id).copied().unwrap_or_default();
            if available < wanted.into() {
                shortages.push(Shortage { product_id, title: title.to_owned(), store_id, wanted, available });
            }
        }
        self.answered()?;
        self.happened(document_id, Event::Short { shortages })
    }

    /// Goods left their warehouse if the invoice is issued, no requisition waits, and Daftra keeps stock of them. Of a
    /// product of which it kept none the movement itself is asked for.
    pub(super) fn stock(
        &self,
        document: &Document,
        invoice: &InvoiceDraft,
        read: &RemoteDocument,
        case: &Case,
    ) -> Result<Result<Stock, Performed>, Error> {
        let mut why = BTreeSet::new();
        if read.is_draft {
            why.insert(Unmoved::Draft);
        }
        if read.requisition_status.is_some_and(|status| status != REQUISITION_ACCEPTED) {
            why.insert(Unmoved::Requisition);
        }
        let products: BTreeSet<i64> = invoice.billed.iter().filter_map(|billed| billed.product_id).collect();
        for product_id in products.into_iter().filter(|id| is_untracked(*id, document, case)) {
            let answered = self.engine.daftra.has_moved(&self.door, &self.pace(), product_id, read.id);
            self.note(Action::Verify, Some(document.id), &answered, |moved| if *moved { "found" } else { "absent" })?;
            match answered.outcome {
                Ok(true) => {}
                Ok(false) => drop(why.insert(Unmoved::Untracked(product_id))),
                Err(problem) => return self.trouble(problem).map(Err),
            }
        }
        Ok(Ok(if why.is_empty() { Stock::Moved } else { Stock::Pending { why } }))
    }
}

/// Daftra answered, and asking again would bring the same.
fn is_an_answer(problem: &Unanswered) -> bool {
    match problem {
        Unanswered::Credential(_) | Unanswered::Failed { outage: false, .. } => true,
        Unanswered::Unsent(_) | Unanswered::Throttled { .. } | Unanswered::Failed { outage: true, .. } => false,
    }
}

/// The catalogue says that Daftra keeps no stock of it, or it was so before: keeping it from now on moves nothing that was
/// sold until then, so only the movement itself is a proof. Services have no stock, and a bundle has that of its parts.
fn is_untracked(product_id: i64, invoice: &Document, case: &Case) -> bool {
    let was_untracked = match &invoice.stock {
        Some(Stock::Pending { why }) => why.contains(&Unmoved::Untracked(product_id)),
        Some(Stock::Moved) | None => false,
    };
    let known = case.catalog.products.iter().find(|product| product.id == product_id);
    was_untracked || known.is_some_and(|product| product.kind == ProductKind::Product && !product.tracked)
}

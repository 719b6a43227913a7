//! What people do in Daftra's own screens while nobody looks.

use super::account::{Account, Series};
use super::document::{CustomField, Document, Item, Requisition, save};
use super::money::RowDiscount;
use super::payment::Payment;
use super::setup::Language;
use super::stock;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

/// An edit by hand. It goes past the locks of the API, but not past the stock.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Hand {
    /// Other price or quantity in a row; what is absent stays.
    ChangeRow { document: u64, row: usize, unit_price: Option<Decimal>, quantity: Option<Decimal> },
    /// A row that nobody else knows.
    AddRow { document: u64, item: String, unit_price: Decimal, quantity: Decimal },
    /// A row less.
    RemoveRow { document: u64, row: usize },
    /// Other notes.
    SetNotes { document: u64, notes: String },
    /// One more custom field.
    AddCustomField { document: u64, label: String, value: String },
    /// A payment that nobody else knows.
    AddPayment { document: u64, method: String, amount: Decimal },
    /// Another amount of a payment.
    ChangePayment { payment: u64, amount: Decimal },
    /// Deleted with its payments.
    Delete { document: u64 },
    /// The tax authority accepted it.
    AcceptEInvoice { document: u64 },
    /// The warehouse handed the goods out.
    AcceptRequisition { document: u64 },
}

impl Account {
    /// Does it, or says why not.
    pub fn hand(&mut self, hand: Hand, now: Timestamp) -> Result<(), String> {
        match hand {
            Hand::ChangeRow { document, row, unit_price, quantity } => self.edit(document, now, |document| {
                let Some(item) = document.items.get_mut(row) else { return Err(format!("There is no row {row}")) };
                item.unit_price = unit_price.unwrap_or(item.unit_price);
                item.quantity = quantity.unwrap_or(item.quantity);
                Ok(())
            }),
            Hand::AddRow { document, item, unit_price, quantity } => self.edit(document, now, |document| {
                document.items.push(Item {
                    id: 0,
                    item,
                    description: String::new(),
                    product_id: None,
                    store_id: None,
                    unit_price,
                    quantity,
                    discount: RowDiscount::No,
                    taxes: [None, None],
                });
                Ok(())
            }),
            Hand::RemoveRow { document, row } => self.edit(document, now, |document| {
                if row >= document.items.len() {
                    return Err(format!("There is no row {row}"));
                }
                document.items.remove(row);
                Ok(())
            }),
            Hand::SetNotes { document, notes } => self.edit(document, now, |document| {
                document.texts.insert("notes".into(), notes);
                Ok(())
            }),
            Hand::AddCustomField { document, label, value } => self.edit(document, now, |document| {
                document.custom_fields.push(CustomField { label, value });
                Ok(())
            }),
            Hand::AddPayment { document, method, amount } => {
                self.live(document)?;
                let id = self.next(Series::Payment);
                let payment = Payment {
                    id,
                    document_id: document,
                    method,
                    amount,
                    date: self.local(now).datetime(),
                    transaction_id: String::new(),
                    treasury_id: 1,
                    status: 1,
                    notes: String::new(),
                    created: now,
                };
                self.payments.insert(id, payment);
                Ok(())
            }
            Hand::ChangePayment { payment: id, amount } => {
                let payment = self.payments.get_mut(&id).ok_or_else(|| format!("There is no payment {id}"))?;
                payment.amount = amount;
                Ok(())
            }
            Hand::Delete { document: id } => {
                self.live(id)?.deleted = Some(now);
                self.payments.retain(|_, payment| payment.document_id != id);
                stock::repost(self, id, now);
                Ok(())
            }
            Hand::AcceptEInvoice { document } => {
                self.live(document)?.e_invoice_accepted = true;
                Ok(())
            }
            Hand::AcceptRequisition { document } => self.edit(document, now, |document| match document.requisition {
                Some(Requisition::Pending) => {
                    document.requisition = Some(Requisition::Accepted);
                    Ok(())
                }
                Some(Requisition::Accepted) | None => Err("No requisition is waiting".into()),
            }),
        }
    }

    fn live(&mut self, id: u64) -> Result<&mut Document, String> {
        let document = self.documents.get_mut(&id).filter(|document| document.deleted.is_none());
        document.ok_or_else(|| format!("There is no document {id}"))
    }

    fn edit(
        &mut self,
        id: u64,
        now: Timestamp,
        edit: impl FnOnce(&mut Document) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut document = self.live(id)?.clone();
        edit(&mut document)?;
        save(self, document, None, now).map(|_| ()).map_err(|refusal| {
            let fields = refusal.fields.iter().map(|(name, reason)| format!("{name}: {}", reason.text(Language::En)));
            format!("Refused: {}", fields.collect::<Vec<_>>().join(", "))
        })
    }
}

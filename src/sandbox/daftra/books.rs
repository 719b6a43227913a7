//! What an account holds, for assertions, `demo` and people: "found" in every "expected and found".

use super::account::{Account, Client};
use super::document::{Document, DocumentKind};
use super::payment::Payment;
use serde_json::{Map, Value, json};

impl Account {
    /// A document by id, deleted or not.
    pub fn document(&self, id: u64) -> Option<&Document> {
        self.documents.get(&id)
    }

    /// Documents of one kind that are not deleted, by id.
    pub fn documents(&self, kind: DocumentKind) -> impl Iterator<Item = &Document> {
        self.documents.values().filter(move |document| document.kind == kind && document.deleted.is_none())
    }

    /// A customer by id.
    pub fn client(&self, id: u64) -> Option<&Client> {
        self.clients.get(&id)
    }

    /// Every payment, by id.
    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payments.values()
    }

    /// All of it as JSON; amounts are strings.
    pub fn books(&self) -> Value {
        let documents = |kind| {
            let all = self.documents.values().filter(move |document| document.kind == kind);
            all.map(|document| self.entry(document)).collect::<Value>()
        };
        let stock: Map<String, Value> = (self.products.keys())
            .map(|id| (id.to_string(), json!(self.balances(*id))))
            .filter(|(_, balances)| balances.as_object().is_some_and(|balances| !balances.is_empty()))
            .collect();
        json!({
            "invoices": documents(DocumentKind::Invoice),
            "credit_notes": documents(DocumentKind::CreditNote),
            "receipts": documents(DocumentKind::RefundReceipt),
            "payments": self.payments.values().collect::<Vec<_>>(),
            "clients": self.clients.values().collect::<Vec<_>>(),
            "stock": stock,
            "stock_transactions": self.stock,
            "calls": self.calls(),
        })
    }

    fn entry(&self, document: &Document) -> Value {
        let mut entry = json!(document);
        entry["standing"] = json!(self.standing(document.id));
        entry["payments"] = json!(self.payments_of(document.id).collect::<Vec<_>>());
        entry
    }
}

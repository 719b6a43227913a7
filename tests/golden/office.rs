//! A fake Daftra for each way to round, which books every document that a golden case sends: the body is the real one,
//! and its total and its stock must be what the order says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use qantara::daftra::write::body;
use qantara::domain::catalog::{Catalog, ProductKind};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::{Billed, shop_totals};
use qantara::sandbox::daftra::{Account, AccountSetup, Client, Product, Rounding, Store, Tax};
use qantara::sandbox::http::Request;
use qantara::sandbox::{Reaction, World};
use rust_decimal::Decimal;
use serde_json::Value;

/// What Daftra holds of one order, with its own sums.
pub(crate) struct Office {
    worlds: [(Rounding, World); 2],
    /// Remote id and the last that was sent, by reference.
    held: BTreeMap<String, (u64, Draft)>,
}

impl Office {
    pub(crate) fn new() -> Self {
        let world = |rounding| {
            let mut world = World::new(7);
            let setup = AccountSetup { rounding, negative_stock: true, ..AccountSetup::default() };
            world.add(Account::new(setup).unwrap());
            (rounding, world)
        };
        Self { worlds: [Rounding::Row, Rounding::Document].map(world), held: BTreeMap::new() }
    }

    /// Books a document, and checks that each Daftra's total is the shop's within the tolerance.
    pub(crate) fn take(&mut self, draft: &Draft, parent: Option<&str>, catalog: &Catalog, tolerance: Option<i64>) {
        if matches!(draft, Draft::Payment(_)) {
            // Money changes no document: the books of payments are in tests/payments.rs.
            return;
        }
        let header = draft.header();
        let parent = parent.map(|reference| i64::try_from(self.held[reference].0).unwrap());
        let (method, path) = match (draft, self.held.get(&header.reference)) {
            (Draft::Invoice(_), Some((id, _))) => ("PUT", format!("invoices/{id}")),
            (Draft::Invoice(_), None) => ("POST", "invoices".to_owned()),
            _ => ("POST", "refund_receipts".to_owned()),
        };
        let target = format!("/acct/one/api2/{path}.json");
        let request = Request::new(method, &target).with_header("apikey", "key-one");
        let request = request.with_json(&body(draft, parent).unwrap());
        let mut id = None;
        for (rounding, world) in &mut self.worlds {
            let account = world.account_mut("one").unwrap();
            furnish(account, draft, catalog);
            let Reaction::Answer { answer, .. } = world.react(&request, Timestamp::UNIX_EPOCH) else {
                panic!("no answer")
            };
            let said: Value = serde_json::from_slice(&answer.body).unwrap();
            assert!(matches!(answer.status, 200 | 202), "{said}");
            let known = self.held.get(&header.reference).map(|(id, _)| *id);
            let posted = known.unwrap_or_else(|| said["id"].as_u64().unwrap());
            assert_eq!(id.replace(posted).unwrap_or(posted), posted);
            let totals = &world.account("one").unwrap().document(posted).unwrap().totals;
            let shop = header.currency.decimal(shop_totals(draft.billed()).total);
            let allowed = tolerance.unwrap_or_else(|| i64::try_from(draft.billed().len()).unwrap());
            let allowed = Decimal::new(allowed, header.currency.digits());
            let off = (totals.total - shop).abs();
            assert!(
                off <= allowed,
                "rounding by {rounding:?}, Daftra's total is {}, the order says {shop}",
                totals.total
            );
        }
        self.held.insert(header.reference.clone(), (id.unwrap(), draft.clone()));
    }

    /// Of every product that is goods, as many left the store as the documents say.
    pub(crate) fn check_stock(&self, catalog: &Catalog) {
        let mut moved: BTreeMap<i64, i64> = BTreeMap::new();
        for (_, draft) in self.held.values() {
            let sign = if matches!(draft, Draft::Invoice(_)) { -1 } else { 1 };
            for billed in draft.billed().iter().filter(|_| !draft.header().draft) {
                let goods = billed.product_id.filter(|id| kind(catalog, *id) == ProductKind::Product);
                if let Some(id) = goods {
                    *moved.entry(id).or_default() += sign * billed.units;
                }
            }
        }
        for (_, world) in &self.worlds {
            for (product, units) in &moved {
                let balances = world.account("one").unwrap().balances(u64::try_from(*product).unwrap());
                assert_eq!(balances.values().sum::<Decimal>(), Decimal::from(*units), "stock of product {product}");
            }
        }
    }
}

/// Whatever the document names is there.
fn furnish(account: &mut Account, draft: &Draft, catalog: &Catalog) {
    let header = draft.header();
    account.change(|setup| setup.decimals = header.currency.digits()).unwrap();
    let id = |id: i64| u64::try_from(id).unwrap();
    account.add_client(Client { id: id(header.client_id), business_name: "Orders".into(), ..Client::default() });
    account.add_store(Store { id: id(header.store_id), name: "Main".into(), primary: true, active: true });
    for billed in draft.billed() {
        for tax in &billed.taxes {
            let value = tax.rate * Decimal::ONE_HUNDRED;
            let (name, included) = (tax.title.clone(), billed.included);
            account.add_tax(Tax { id: id(tax.daftra_id), name, value, included, active: true });
        }
        if let Some(product_id) = billed.product_id {
            account.add_product(product(catalog, product_id, billed));
        }
    }
}

fn product(catalog: &Catalog, id: i64, billed: &Billed) -> Product {
    let number = match kind(catalog, id) {
        ProductKind::Product => 1,
        ProductKind::Service => 2,
        ProductKind::Bundle => 3,
    };
    Product { id: u64::try_from(id).unwrap(), name: billed.title.clone(), kind: number, ..Product::default() }
}

/// What has left the catalogue since counts as goods.
fn kind(catalog: &Catalog, id: i64) -> ProductKind {
    catalog.products.iter().find(|product| product.id == id).map_or(ProductKind::Product, |product| product.kind)
}

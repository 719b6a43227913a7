//! What stands on the shop's shelf as programs see it: variants with their barcodes, and the products they belong to.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::body::{gid, time};
use super::cart::VariantId;
use super::delivery::{Delivery, raw};
use super::{Refusal, Shop, Ware};

/// A body tells of no more variants in full.
const TOLD: usize = 100;
/// A product without choices.
const NO_CHOICE: &str = "Default Title";

/// What a person typed in for a variant, and when.
#[derive(Debug, Clone, Default)]
pub(super) struct Label {
    barcode: Option<String>,
    changed_at: Option<Timestamp>,
}

impl Shop {
    /// A person gives a variant a barcode, or takes it away; the shop tells of the whole product.
    pub fn label(&mut self, variant: VariantId, barcode: Option<&str>, now: Timestamp) -> Result<Delivery, Refusal> {
        let ware = self.desk.shelf.get_mut(&variant).ok_or(Refusal::UnknownVariant)?;
        ware.label = Label { barcode: barcode.map(str::to_owned), changed_at: Some(now) };
        let body = self.product_body(variant)?;
        let event_id = self.desk.mint.chance.uuid();
        Ok(self.deliver("products/update", event_id, None, raw(&body), now))
    }

    /// Another variant of the product of this one.
    pub fn sell_beside(&mut self, first: VariantId, sku: &str, choice: &str) -> Result<VariantId, Refusal> {
        let mut ware = self.desk.shelf.get(&first).ok_or(Refusal::UnknownVariant)?.clone();
        ware.product.sku = sku.to_owned();
        ware.product.variant_title = Some(choice.to_owned());
        ware.label = Label::default();
        let variant = VariantId(self.desk.mint.id());
        self.desk.shelf.insert(variant, ware);
        Ok(variant)
    }

    /// Takes a variant off the shelf for good.
    pub fn stop_selling(&mut self, variant: VariantId) {
        self.desk.shelf.remove(&variant);
    }

    /// The product of a variant as `products/update` carries it.
    fn product_body(&self, variant: VariantId) -> Result<Value, Refusal> {
        let ware = self.desk.shelf.get(&variant).ok_or(Refusal::UnknownVariant)?;
        let setup = &self.desk.setup;
        let all: Vec<_> = self.desk.shelf.iter().filter(|(_, one)| one.product_id == ware.product_id).collect();
        let changed_at = all.iter().filter_map(|(_, one)| one.label.changed_at).max();
        let variants: Vec<Value> = all
            .iter()
            .take(TOLD)
            .map(|(id, one)| {
                json!({
                    "id": id.0,
                    "admin_graphql_api_id": gid("ProductVariant", id.0),
                    "product_id": one.product_id,
                    "barcode": one.label.barcode,
                    "sku": one.product.sku,
                    "title": choice(one),
                    "price": one.product.price.to_string(),
                    "updated_at": one.label.changed_at.map(|at| time(at, setup)),
                })
            })
            .collect();
        let gids: Vec<Value> =
            all.iter().map(|(id, _)| json!({"admin_graphql_api_id": gid("ProductVariant", id.0)})).collect();
        Ok(json!({
            "id": ware.product_id,
            "admin_graphql_api_id": gid("Product", ware.product_id),
            "title": ware.product.title,
            "vendor": ware.product.vendor,
            "status": "active",
            "updated_at": changed_at.map(|at| time(at, setup)),
            "variants": variants,
            "variant_gids": gids,
        }))
    }

    /// A variant as GraphQL shows it; null once it is gone.
    pub(super) fn variant_node(&self, id: u64) -> Value {
        let Some(ware) = self.desk.shelf.get(&VariantId(id)) else { return Value::Null };
        json!({
            "legacyResourceId": id.to_string(),
            "sku": ware.product.sku,
            "barcode": ware.label.barcode,
            "title": choice(ware),
            "updatedAt": ware.label.changed_at.unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
            "product": {"title": ware.product.title, "vendor": ware.product.vendor},
        })
    }

    /// All variants, by their ids.
    pub(super) fn variant_nodes(&self) -> Vec<Value> {
        self.desk.shelf.keys().map(|variant| self.variant_node(variant.0)).collect()
    }
}

fn choice(ware: &Ware) -> &str {
    ware.product.variant_title.as_deref().unwrap_or(NO_CHOICE)
}

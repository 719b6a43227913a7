//! Plain rules and lines, to be changed by each case as far as it matters.

use qantara::domain::money::Amount;
use qantara::domain::order::Line;
use qantara::domain::rules::{
    ExchangePolicy, LinePolicy, LockedPolicy, PaymentRules, PricePolicy, Rules, ShippingPolicy, SkuRules, Trigger,
    Vendors,
};

/// A merchant that owns every vendor, takes everything as a row and knows no tax.
pub(crate) fn rules() -> Rules {
    Rules {
        vendors: Vendors::AllBut([].into()),
        client_id: 7,
        store_id: 3,
        branch_id: None,
        sku: SkuRules::default(),
        shipping: ShippingPolicy::AllLines,
        custom: LinePolicy::Line,
        gift_card: LinePolicy::Line,
        tip: LinePolicy::Line,
        duty: LinePolicy::Line,
        goodwill: LinePolicy::Line,
        trigger: Trigger::Created,
        trigger_by_gateway: [].into(),
        ignored_sources: [].into(),
        ignored_tags: [].into(),
        test_orders: false,
        draft: false,
        price: PricePolicy::Sale,
        exchange: ExchangePolicy::Hold,
        tolerance_minor: None,
        locked: LockedPolicy::NewInvoice,
        taxes: Vec::new(),
        payments: PaymentRules::default(),
    }
}

/// One untaxed unit at 100.00, by variant 1000 + id.
pub(crate) fn line(id: i64, sku: &str) -> Line {
    Line {
        id,
        variant_id: Some(1_000 + id),
        sku: sku.to_owned(),
        vendor: "Nour".to_owned(),
        title: format!("Thing {id}"),
        quantity: 1,
        current_quantity: Some(1),
        unit_price: Amount(10_000),
        discount: Amount::ZERO,
        taxes: Vec::new(),
        gift_card: false,
        tip: false,
    }
}

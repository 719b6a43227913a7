//! A plain order and plain rules, to be changed by each case as far as it matters.

#![allow(dead_code, reason = "each test program uses its part")]

use std::collections::BTreeSet;

use jiff::Timestamp;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::order::{FulfillmentStatus, Line, PaymentStatus, Snapshot};
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

/// Order 55, in riyals and without anything on it, placed at the beginning of time and paid by card.
pub(crate) fn snapshot() -> Snapshot {
    let at = Timestamp::UNIX_EPOCH;
    Snapshot {
        id: 55,
        name: "#55".to_owned(),
        currency: Currency::parse("SAR").expect("a currency"),
        taxes_included: false,
        test: false,
        source: "web".to_owned(),
        tags: Vec::new(),
        gateways: vec!["mada".to_owned()],
        payment: PaymentStatus::Paid,
        fulfillment: FulfillmentStatus::Nothing,
        created_at: at,
        processed_at: at,
        lines: Vec::new(),
        shipping: Vec::new(),
        total_price: Amount::ZERO,
        total_tax: Amount::ZERO,
        current_subtotal: None,
        tip: Amount::ZERO,
        duties: Amount::ZERO,
        fees: Amount::ZERO,
        cash_rounding: Amount::ZERO,
        exchanged: None,
        refunds_seen: BTreeSet::new(),
    }
}

//! The order as JSON, version 2026-07. Money is text with the currency's own digits; nothing is computed here
//! but sums over lines.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::cart::{Buyer, Origin, Target, Value as Worth};
use super::change_body::refund;
use super::order::{Allocation, Application, Fulfilment, Line, LineKind, Order, ShippingLine, Sums, TaxLine, round};
use super::{ShopSetup, digits_of};

/// The order resource.
pub(super) fn order(order: &Order, setup: &ShopSetup) -> Value {
    let mut body = Map::new();
    let sums = order.sums(setup);
    add(&mut body, identity(order, setup));
    add(&mut body, state(order, &sums, setup));
    add(&mut body, people(order));
    add(&mut body, origin(order));
    totals(&mut body, order, &sums, setup);
    add(
        &mut body,
        json!({
            "discount_applications": order.applications.iter().map(application).collect::<Vec<_>>(),
            "discount_codes": order.applications.iter().filter_map(|one| code(one, setup)).collect::<Vec<_>>(),
            "fulfillments":
                (1..).zip(&order.fulfilments).map(|(at, one)| fulfilment(order, at, one, setup)).collect::<Vec<_>>(),
            "line_items": order.lines.iter().map(|one| line(order, one, setup)).collect::<Vec<_>>(),
            "refunds": order.records.iter().map(|one| refund(order, one, setup)).collect::<Vec<_>>(),
            "shipping_lines": order.shipping.iter().map(|one| shipping(order, one, setup)).collect::<Vec<_>>(),
            "tax_lines": tax_lines(&all_taxes(order), setup),
            "line_item_groups": [],
            "returns": [],
        }),
    );
    Value::Object(body)
}

fn identity(order: &Order, setup: &ShopSetup) -> Value {
    let (number, token) = (order.number, &order.token);
    json!({
        "id": order.id.0,
        "admin_graphql_api_id": gid("Order", order.id.0),
        "name": format!("#{number}"),
        "order_number": number,
        "number": number.saturating_sub(1000),
        "confirmation_number": token[..9].to_uppercase(),
        "token": token,
        "order_status_url":
            format!("https://{}/1/orders/{token}/authenticate?key={}&none=VwBVAVdV", setup.domain, &token[16..]),
        "created_at": time(order.created_at, setup),
        "updated_at": time(order.updated_at, setup),
        "processed_at": time(order.processed_at, setup),
        "cancelled_at": order.cancelled.as_ref().map(|cancelled| time(cancelled.at, setup)),
        "closed_at": order.cancelled.as_ref().map(|cancelled| time(cancelled.at, setup)),
        "cancel_reason": order.cancelled.as_ref().map(|cancelled| &cancelled.reason),
    })
}

fn state(order: &Order, sums: &Sums, setup: &ShopSetup) -> Value {
    json!({
        "financial_status": order.financial_status(sums),
        "fulfillment_status": order.fulfilment_status(),
        "confirmed": true,
        "test": order.test,
        "currency": setup.currency,
        "presentment_currency": presentment_currency(setup),
        "taxes_included": setup.taxes_included,
        "tax_exempt": false,
        "estimated_taxes": false,
        "duties_included": false,
        "note": order.note,
        "note_attributes": [],
        "tags": order.tags.join(", "),
        "payment_gateway_names": [order.gateway],
        "payment_terms": null,
        "total_weight": 0,
    })
}

fn people(order: &Order) -> Value {
    let email = order.buyer.as_ref().and_then(|(_, buyer)| buyer.email.clone());
    let phone = order.buyer.as_ref().and_then(|(_, buyer)| buyer.phone.clone());
    let address = order.buyer.as_ref().map(|(_, buyer)| address(buyer));
    json!({
        "billing_address": address,
        "shipping_address": address,
        "customer": order.buyer.as_ref().map(|(id, buyer)| json!({
            "id": id,
            "admin_graphql_api_id": gid("Customer", *id),
            "first_name": buyer.first_name,
            "last_name": buyer.last_name,
            "email": buyer.email,
            "phone": buyer.phone,
            "currency": null,
            "note": null,
            "state": "disabled",
            "tax_exempt": false,
            "tax_exemptions": [],
            "verified_email": true,
            "default_address": address,
        })),
        "buyer_accepts_marketing": false,
        "contact_email": email,
        // A counter sale has an empty text here, not null.
        "email": email.unwrap_or_default(),
        "phone": phone,
        "customer_locale": "ar-SA",
        "company": null,
        "user_id": null,
    })
}

fn origin(order: &Order) -> Value {
    json!({
        "source_name": order.source,
        "source_identifier": null,
        "source_url": null,
        "app_id": 580_111,
        "browser_ip": null,
        "cart_token": null,
        "checkout_token": null,
        "client_details": null,
        "device_id": null,
        "landing_site": "/",
        "landing_site_ref": null,
        "location_id": null,
        "merchant_business_entity_id": "MTE",
        "merchant_of_record_app_id": null,
        "po_number": null,
        "reference": null,
        "referring_site": "",
    })
}

fn totals(body: &mut Map<String, Value>, order: &Order, sums: &Sums, setup: &ShopSetup) {
    let duties = (!order.duties.is_zero()).then(|| bag(order.duties, setup));
    for (name, amount) in [
        ("current_subtotal_price", sums.current_subtotal),
        ("current_total_discounts", sums.current_discounts),
        ("current_total_price", sums.current_total),
        ("current_total_tax", sums.current_tax),
        ("subtotal_price", sums.subtotal),
        ("total_discounts", sums.discounts),
        ("total_line_items_price", sums.line_items),
        ("total_price", sums.total),
        ("total_tax", sums.tax),
    ] {
        body.insert(name.to_owned(), json!(text(amount, setup)));
        body.insert(format!("{name}_set"), bag(amount, setup));
    }
    // This one field prints "0.0" beside amounts without a decimal point.
    let tip = if sums.tip.is_zero() { "0.0".to_owned() } else { text(sums.tip, setup) };
    add(
        body,
        json!({
            "total_tip_received": tip,
            "total_outstanding": text(sums.outstanding, setup),
            "total_shipping_price_set": bag(sums.shipping, setup),
            "current_shipping_price_set": bag(sums.current_shipping, setup),
            "total_cash_rounding_payment_adjustment_set": bag(order.cash_rounding, setup),
            "total_cash_rounding_refund_adjustment_set": bag(Decimal::ZERO, setup),
            "original_total_duties_set": duties,
            "current_total_duties_set": duties,
            "original_total_additional_fees_set": null,
            "current_total_additional_fees_set": null,
        }),
    );
}

pub(super) fn line(order: &Order, line: &Line, setup: &ShopSetup) -> Value {
    let left = order.left(line);
    let is_touched = order.fulfilments.iter().any(|one| one.lines.iter().any(|(id, _)| *id == line.id));
    let shipped = is_touched.then_some(if line.to_ship == 0 { "fulfilled" } else { "partial" });
    let name = line.variant_title.as_ref().map_or(line.title.clone(), |variant| format!("{} - {variant}", line.title));
    let mut body = Map::new();
    add(
        &mut body,
        json!({
            "id": line.id.0,
            "admin_graphql_api_id": gid("LineItem", line.id.0),
            "attributed_staffs": [],
            "current_quantity": left.units,
            "discount_allocations": allocations(&line.allocations, setup),
            "duties": [],
            "fulfillable_quantity": line.to_ship,
            "fulfillment_service": "manual",
            "fulfillment_status": shipped,
            "gift_card": line.kind == LineKind::GiftCard,
            "grams": 0,
            "name": name,
            "price": text(line.price, setup),
            "price_set": bag(line.price, setup),
            "product_exists": line.source.is_some(),
            "product_id": line.source.map(|(product, _)| product),
            "properties": [],
            "quantity": line.quantity,
            "requires_shipping": line.source.is_some(),
        }),
    );
    add(
        &mut body,
        json!({
            "sales_line_item_group_id": null,
            "sku": line.sku,
            "tax_lines": tax_lines(&line.taxes, setup),
            "taxable": line.taxable,
            "title": line.title,
            "total_discount": text(Decimal::ZERO, setup),
            "total_discount_set": bag(Decimal::ZERO, setup),
            "variant_id": line.source.map(|(_, variant)| variant),
            "variant_inventory_management": line.source.map(|_| "shopify"),
            "variant_title": line.variant_title,
            "vendor": line.vendor,
        }),
    );
    if line.kind == LineKind::Tip {
        add(&mut body, json!({"tip_payment_gateway": order.gateway, "tip_payment_method": null}));
    }
    Value::Object(body)
}

pub(super) fn shipping(order: &Order, line: &ShippingLine, setup: &ShopSetup) -> Value {
    json!({
        "id": line.id,
        "carrier_identifier": null,
        "code": "Standard",
        "current_discounted_price_set": bag(order.shipping_left().0, setup),
        "discount_allocations": allocations(&line.allocations, setup),
        "discounted_price": text(line.net(), setup),
        "discounted_price_set": bag(line.net(), setup),
        "is_removed": false,
        "phone": null,
        "price": text(line.price, setup),
        "price_set": bag(line.price, setup),
        "requested_fulfillment_service_id": null,
        "source": "shopify",
        "tax_lines": tax_lines(&line.taxes, setup),
        "title": "Standard",
    })
}

/// The body of `fulfillments/create`, by id; null for a parcel that never left.
pub(super) fn fulfilment_of(order: &Order, id: u64, setup: &ShopSetup) -> Value {
    let parcel = (1..).zip(&order.fulfilments).find(|(_, one)| one.id == id);
    parcel.map(|(at, one)| fulfilment(order, at, one, setup)).into()
}

fn fulfilment(order: &Order, at: usize, one: &Fulfilment, setup: &ShopSetup) -> Value {
    let shipped = |line: &Line| one.lines.iter().find(|(id, _)| *id == line.id).map(|(_, units)| *units);
    let lines = order.lines.iter().filter_map(|whole| {
        let mut body = line(order, whole, setup);
        body["quantity"] = json!(shipped(whole)?);
        Some(body)
    });
    json!({
        "id": one.id,
        "admin_graphql_api_id": gid("Fulfillment", one.id),
        "order_id": order.id.0,
        "created_at": time(one.at, setup),
        "updated_at": time(one.at, setup),
        "name": format!("#{}.{at}", order.number),
        "service": "manual",
        "shipment_status": null,
        "status": "success",
        "tracking_company": null,
        "tracking_numbers": [],
        "tracking_urls": [],
        "line_items": lines.collect::<Vec<_>>(),
    })
}

fn application(one: &Application) -> Value {
    let (kind, key, name) = match &one.discount.origin {
        Origin::Code(code) => ("discount_code", "code", code),
        Origin::Automatic(title) => ("automatic", "title", title),
        Origin::Manual(title) => ("manual", "title", title),
    };
    let (target, selection) = match (one.discount.target, &one.discount.origin) {
        (Target::Line(_), Origin::Manual(_)) => ("line_item", "explicit"),
        (Target::Line(_), Origin::Code(_) | Origin::Automatic(_)) => ("line_item", "entitled"),
        (Target::Order, _) => ("line_item", "all"),
        (Target::Shipping, _) => ("shipping_line", "all"),
    };
    let (value_type, value) = match one.discount.value {
        Worth::Percent(share) => ("percentage", share),
        Worth::Fixed(amount) => ("fixed_amount", amount),
    };
    let mut body = Map::new();
    add(
        &mut body,
        json!({
            "type": kind,
            "target_type": target,
            "target_selection": selection,
            "allocation_method": "across",
            "value_type": value_type,
            "value": ratio(value),
        }),
    );
    body.insert(key.to_owned(), json!(name));
    Value::Object(body)
}

/// Codes, and manual discounts of the whole order, which are listed as if their title were a code.
fn code(one: &Application, setup: &ShopSetup) -> Option<Value> {
    let name = match (&one.discount.origin, one.discount.target) {
        (Origin::Code(code), _) => code,
        (Origin::Manual(title), Target::Order) => title,
        (Origin::Manual(_) | Origin::Automatic(_), _) => return None,
    };
    let kind = match (one.discount.target, one.discount.value) {
        (Target::Shipping, _) => "shipping",
        (Target::Line(_) | Target::Order, Worth::Percent(_)) => "percentage",
        (Target::Line(_) | Target::Order, Worth::Fixed(_)) => "fixed_amount",
    };
    Some(json!({"code": name, "amount": text(one.amount, setup), "type": kind}))
}

fn allocations(all: &[Allocation], setup: &ShopSetup) -> Vec<Value> {
    all.iter()
        .map(|one| {
            json!({
                "amount": text(one.amount, setup),
                "amount_set": bag(one.amount, setup),
                "discount_application_index": one.application,
            })
        })
        .collect()
}

fn tax_lines(lines: &[TaxLine], setup: &ShopSetup) -> Value {
    (lines.iter())
        .map(|line| {
            json!({
                "channel_liable": false,
                "price": text(line.amount, setup),
                "price_set": bag(line.amount, setup),
                "rate": number(line.tax.rate),
                "title": line.tax.title,
            })
        })
        .collect()
}

/// The taxes of lines and shipping, each once.
fn all_taxes(order: &Order) -> Vec<TaxLine> {
    let mut all: Vec<TaxLine> = Vec::new();
    let shipping = order.shipping.iter().flat_map(|line| &line.taxes);
    for line in order.lines.iter().flat_map(|line| &line.taxes).chain(shipping) {
        match all.iter_mut().find(|known| known.tax == line.tax) {
            Some(known) => known.amount += line.amount,
            None => all.push(line.clone()),
        }
    }
    all
}

fn address(buyer: &Buyer) -> Value {
    json!({
        "first_name": buyer.first_name,
        "last_name": buyer.last_name,
        "name": format!("{} {}", buyer.first_name, buyer.last_name),
        "company": null,
        "address1": buyer.address1,
        "address2": null,
        "city": buyer.city,
        "province": null,
        "province_code": null,
        "country": buyer.country.0,
        "country_code": buyer.country.1,
        "zip": null,
        "phone": buyer.phone,
        "latitude": null,
        "longitude": null,
    })
}

pub(super) fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

pub(super) fn time(at: Timestamp, setup: &ShopSetup) -> String {
    at.to_zoned(setup.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// An amount with the digits of the currency. It has no more: everything was rounded when it came into being.
pub(super) fn text(amount: Decimal, setup: &ShopSetup) -> String {
    with_digits(amount, setup.digits())
}

fn with_digits(mut amount: Decimal, digits: u32) -> String {
    amount.rescale(digits);
    // Shopify has no negative zero.
    if amount.is_zero() {
        amount.set_sign_positive(true)
    };
    amount.to_string()
}

pub(super) fn presentment_currency(setup: &ShopSetup) -> &str {
    setup.presentment.as_ref().map_or(&setup.currency, |other| &other.currency)
}

/// The amount as the buyer sees it, rounded by itself: sums of these need not add up, as they do not in real shops.
pub(super) fn presented(amount: Decimal, setup: &ShopSetup) -> String {
    setup.presentment.as_ref().map_or_else(
        || text(amount, setup),
        |other| {
            let digits = digits_of(&other.currency);
            with_digits(round(amount * other.rate, digits), digits)
        },
    )
}

pub(super) fn bag(amount: Decimal, setup: &ShopSetup) -> Value {
    json!({
        "shop_money": {"amount": text(amount, setup), "currency_code": setup.currency},
        "presentment_money": {"amount": presented(amount, setup), "currency_code": presentment_currency(setup)},
    })
}

/// Without needless zeros, but with one digit after the point.
fn ratio(value: Decimal) -> String {
    let mut value = value.normalize();
    value.rescale(value.scale().max(1));
    value.to_string()
}

/// A JSON number with the digits the decimal shows; rates and refund subtotals travel like this.
pub(super) fn number(amount: Decimal) -> Value {
    serde_json::from_str(&amount.to_string()).expect("a decimal is written as JSON writes numbers")
}

fn add(body: &mut Map<String, Value>, part: Value) {
    if let Value::Object(fields) = part {
        body.extend(fields);
    }
}

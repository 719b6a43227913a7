//! `/control/shop`: opening shops, buying there without that any webhook tells of it, and what an app may do.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parse;
use crate::sandbox::World;
use crate::sandbox::http::Request;
use crate::sandbox::shop::admin::Storefront;
use crate::sandbox::shop::cart::{CancelHow, Cart, OrderId, Payment, Product, Refund, Restock, VariantId};
use crate::sandbox::shop::{Refusal, Shop, ShopSetup};

/// The app that every shop of the sandbox has.
const CLIENT_ID: &str = "sandbox-app";

/// Opens a shop with the sample shelf, whose app has a token and a secret; what connects a merchant to it.
pub(crate) fn open(world: &mut World, domain: &str, currency: &str) -> Result<Value, String> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-')
    };
    if !domain.strip_suffix(".myshopify.com").is_some_and(is_name) {
        return Err(format!("domain is '{domain}': write it like wadi.myshopify.com"));
    }
    if world.shop_mut(domain).is_some() {
        return Err(format!("{domain} is open already"));
    }
    let name = domain.split('.').next().unwrap_or_default();
    let (secret, token) = (format!("shpss_{name}"), format!("shpat_{name}"));
    let setup = ShopSetup::new(domain, &secret, currency);
    let digits = setup.digits();
    let mut shop = Shop::new(setup);
    for product in Product::samples(digits) {
        shop.sell(product);
    }
    let mut front = Storefront::new(shop, CLIENT_ID, &secret);
    front.admin.grant(&token);
    world.add_shop(front);
    Ok(json!({"domain": domain, "token": token, "client_id": CLIENT_ID, "client_secret": secret}))
}

/// What is commanded below `/control/shop`; nothing where there is no such shop or action.
pub(super) fn react(
    world: &mut World,
    method: &str,
    path: &[&str],
    request: &Request,
    now: Timestamp,
) -> Option<Result<Value, String>> {
    Some(match (method, path) {
        ("GET", []) => Ok(json!(world.domains().collect::<Vec<_>>())),
        ("POST", []) => parse(request)
            .and_then(|Opened { domain, currency }| open(world, &domain, currency.as_deref().unwrap_or("SAR"))),
        (method, [domain, action @ ..]) => act(world.shop_mut(domain)?, method, action, request, now)?,
        _ => return None,
    })
}

fn act(
    front: &mut Storefront,
    method: &str,
    action: &[&str],
    request: &Request,
    now: Timestamp,
) -> Option<Result<Value, String>> {
    let done = |()| json!({});
    Some(match (method, action) {
        ("GET", []) => Ok(json!({"orders": orders(&front.shop), "shelf": shelf(&front.shop)})),
        ("POST", ["buy"]) => parse(request).and_then(|bought| buy(&mut front.shop, &bought, now)),
        ("POST", ["grant"]) => parse(request).map(|Named { token }| front.admin.grant(&token)).map(done),
        ("POST", ["revoke"]) => parse(request).and_then(|Named { token }| match front.admin.tokens.remove(&token) {
            Some(_) => Ok(json!({})),
            None => Err("The shop's app has no such token".to_owned()),
        }),
        ("POST", ["shut"]) => parse(request).map(|Shut { status }| front.admin.shut = status).map(done),
        ("POST", ["broken"]) => parse(request).map(|Broken { orders }| front.admin.broken = orders).map(done),
        ("POST", ["order", id, deed]) => {
            let (order, deed) = (OrderId(id.parse().ok()?), *deed);
            change(&mut front.shop, order, deed, request, now)?.map_err(|refusal| refusal.to_string()).map(done)
        }
        _ => return None,
    })
}

/// Something that can happen to an order, by its word.
fn change(
    shop: &mut Shop,
    order: OrderId,
    deed: &str,
    request: &Request,
    now: Timestamp,
) -> Option<Result<(), Refusal>> {
    let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".to_owned() };
    let news = match deed {
        "pay" => shop.pay(order, now),
        "ship" => shop.fulfil(order, now),
        "cancel" => shop.cancel(order, &how, now),
        "delete" => shop.delete(order, now),
        "refund" => {
            let Ok(Line { sku, quantity }) = parse(request) else { return Some(Err(Refusal::UnknownLine)) };
            let line = shop.what_is_left(order).ok()?.into_iter().find(|line| line.sku == sku);
            let lines = line.map(|line| (line.line_id, quantity, Restock::Return));
            lines.ok_or(Refusal::UnknownLine).and_then(|line| shop.refund(order, &Refund::of(&[line]), now))
        }
        _ => return None,
    };
    Some(news.map(drop))
}

fn buy(shop: &mut Shop, bought: &Bought, now: Timestamp) -> Result<Value, String> {
    let lines: Result<Vec<(VariantId, u32)>, String> = bought
        .lines
        .iter()
        .map(|Line { sku, quantity }| {
            let found = shop.shelf().find(|(_, product)| product.sku == *sku);
            found.map(|(variant, _)| (variant, *quantity)).ok_or_else(|| Refusal::UnknownVariant.to_string())
        })
        .collect();
    let payment = if bought.paid { Payment::Paid } else { Payment::Pending };
    let cart = Cart { payment, ..Cart::of(&lines?) };
    let (order, _) = shop.buy(&cart, now).map_err(|refusal| refusal.to_string())?;
    let body = shop.order_body(order).map_err(|refusal| refusal.to_string())?;
    Ok(json!({"order": order.0, "name": body["name"]}))
}

fn orders(shop: &Shop) -> Vec<Value> {
    let bodies = shop.order_ids().into_iter().filter_map(|order| shop.order_body(order).ok());
    let row = |body: Value| {
        json!({"order": body["id"], "name": body["name"], "total": body["total_price"], "money": body["financial_status"],
               "changed": body["updated_at"], "cancelled": body["cancelled_at"]})
    };
    bodies.map(row).collect()
}

fn shelf(shop: &Shop) -> Vec<Value> {
    shop.shelf()
        .map(|(_, product)| json!({"sku": product.sku, "price": product.price, "vendor": product.vendor}))
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    domain: String,
    currency: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bought {
    lines: Vec<Line>,
    #[serde(default = "yes")]
    paid: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: String,
    quantity: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shut {
    status: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    orders: BTreeSet<u64>,
}

fn yes() -> bool {
    true
}

//! `/control`: how people and other processes set up the sandbox, break it and read its books. JSON in, JSON out.
//!
//! ```text
//! GET    /control                          this page
//! GET    /control/unknowns                 what nobody knows of Daftra: fields of AccountSetup with their default, their
//!                                          other setting, and what it changes
//! GET    /control/acct                     names of the accounts
//! POST   /control/acct                     an account: the fields of AccountSetup, each optional      -> {"name"}
//!
//! GET    /control/acct/<name>/settings     all fields of AccountSetup as they are
//! POST   /control/acct/<name>/settings     some of them; the others stay
//! POST   /control/acct/<name>/revoke       {"key"}: this key opens nothing from now on
//!
//! POST   /control/acct/<name>/product      the fields of Product; also client, store, tax, method, treasury  -> {"id"}
//! DELETE /control/acct/<name>/product/<id> gone for good; also client, store, tax, method, treasury
//! POST   /control/acct/<name>/stock        {"product_id", "store_id", "quantity"}
//!
//! GET    /control/acct/<name>/faults       the bad days to come, with what is left of their counts
//! POST   /control/acct/<name>/fault        {"kind": "cut_at", "bytes": 20, "method": "POST", "path_contains": "invoices",
//!                                          "after": 3, "times": 1, "per_mille": 500}; all but the kind and its own field
//!                                          optional; without "times" until removed
//!     lose_request                         never arrives; the connection closes
//!     lose_answer                          carried out; the connection closes without a byte
//!     late {"seconds"}                     the connection closes now; carried out later
//!     slow {"seconds"}                     carried out now, answered later
//!     drip {"bytes_per_second"}            carried out; the answer trickles
//!     hang                                 nothing done, never answered
//!     refuse                               as if nobody listened
//!     error_before_saving, error_after_saving                             HTTP 500
//!     failed_with200                       HTTP 200 with "result": "failed", nothing done
//!     html_page, html_redirect             a log-in page with HTTP 200, or a redirect to it; nothing done
//!     unauthorized, forbidden              HTTP 401 as for a revoked key, HTTP 403; nothing done
//!     throttled {"retry_after"}            HTTP 429; the header only if seconds are given
//!     cut_at {"bytes"}                     carried out; the connection closes after so many bytes of the answer
//!     truncated_json                       carried out; half of the JSON in a whole answer
//! DELETE /control/acct/<name>/faults       the bad days are over
//!
//! POST   /control/acct/<name>/hand         what a person does in Daftra's own screens:
//!     {"do": "change_row", "document": 1001, "row": 0, "quantity": 3, "unit_price": 5}
//!     {"do": "remove_row", "document", "row"}
//!     {"do": "add_row", "document", "item", "unit_price", "quantity"}
//!     {"do": "set_notes", "document", "notes"}
//!     {"do": "add_custom_field", "document", "label", "value"}
//!     {"do": "add_payment", "document", "method", "amount"}
//!     {"do": "delete", "document"}
//!     {"do": "accept_e_invoice", "document"}
//!     {"do": "accept_requisition", "document"}
//! GET    /control/acct/<name>/books        everything the account holds
//!
//! GET    /control/shop                     domains of the shops
//! POST   /control/shop                     {"domain", "currency"}: a shop with a small shelf; what connects a merchant to its
//!                                          API                      -> {"domain", "token", "client_id", "client_secret"}
//! GET    /control/shop/<domain>            its orders and its shelf
//! POST   /control/shop/<domain>/buy        {"lines": [{"sku", "quantity"}], "paid": true}. No webhook tells of it: the
//!                                          shop's API does                                            -> {"order", "name"}
//! POST   /control/shop/<domain>/order/<order>/pay         also ship, cancel, delete; refund {"sku", "quantity"}
//! POST   /control/shop/<domain>/grant      {"token"}: it opens the API; revoke {"token"}: no more
//! POST   /control/shop/<domain>/shut       {"status": 423}: every call is answered so; null: as usual
//! POST   /control/shop/<domain>/broken     {"orders": [id]}: those and no others are listed and cannot be asked for
//! ```
//!
//! What is wrong is answered 400 with `{"error": …}`, an unknown address 404. Nothing here is subject to faults.

pub(super) mod shop;

use super::World;
use super::daftra::{Account, AccountSetup, Record, UNKNOWNS};
use super::http::{Answer, Request};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The help is the comment above, so it cannot say anything else.
fn help() -> String {
    let lines = include_str!("control.rs").lines().map_while(|line| line.strip_prefix("//!"));
    lines
        .filter(|line| !line.contains("```"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect()
}

/// A page of another site must not press these buttons in somebody's browser. Browsers say where a request comes from.
fn is_from_elsewhere(request: &Request) -> bool {
    let site = request.header("sec-fetch-site").unwrap_or("none");
    request.header("origin").is_some() || !matches!(site, "none" | "same-origin")
}

pub(super) fn react(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    if is_from_elsewhere(request) {
        return Answer::json(403, &json!({"error": "Pages of other sites may not command the sandbox"}));
    }
    let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let result = match (request.method.as_str(), path.as_slice()) {
        ("GET", ["control"]) => return Answer::text(&help()),
        ("GET", ["control", "unknowns"]) => Some(unknowns()),
        ("GET", ["control", "acct"]) => Some(Ok(json!(world.names().collect::<Vec<_>>()))),
        ("POST", ["control", "acct"]) => Some(create(world, request)),
        (method, ["control", "shop", action @ ..]) => shop::react(world, method, action, request, now),
        (method, ["control", "acct", name, action @ ..]) => {
            world.account_mut(name).and_then(|account| act(account, method, action, request, now))
        }
        _ => None,
    };
    match result {
        Some(Ok(body)) => Answer::json(200, &body),
        Some(Err(error)) => Answer::json(400, &json!({"error": error})),
        None => Answer::json(404, &json!({"error": "There is no such account, shop or action"})),
    }
}

fn create(world: &mut World, request: &Request) -> Result<Value, String> {
    let setup: AccountSetup = parse(request)?;
    let name = setup.name.clone();
    if name.is_empty() || name.contains('/') {
        return Err(format!("name is '{name}': it becomes a part of the address"));
    }
    world.add(Account::new(setup)?);
    Ok(json!({"name": name}))
}

fn record(kind: &str) -> Option<Record> {
    Some(match kind {
        "product" => Record::Product,
        "client" => Record::Client,
        "store" => Record::Store,
        "tax" => Record::Tax,
        "method" => Record::Method,
        "treasury" => Record::Treasury,
        _ => return None,
    })
}

fn unknowns() -> Result<Value, String> {
    let plain = json(&AccountSetup::default())?;
    let rows = UNKNOWNS.iter().map(|unknown| {
        let mut setup = AccountSetup::default();
        (unknown.other)(&mut setup);
        let other = json(&setup)?[unknown.name].clone();
        Ok(json!({"name": unknown.name, "default": plain[unknown.name], "other": other, "changes": unknown.changes}))
    });
    rows.collect()
}

fn json(value: &impl Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn act(
    account: &mut Account,
    method: &str,
    action: &[&str],
    request: &Request,
    now: Timestamp,
) -> Option<Result<Value, String>> {
    let id = |id: u64| json!({"id": id});
    Some(match (method, action) {
        ("GET", ["books"]) => Ok(account.books()),
        ("GET", ["settings"]) => json(account.setup()),
        ("GET", ["faults"]) => json(account.faults()),
        ("POST", ["revoke"]) => parse(request).and_then(|Revoked { key }| match account.revoke(&key) {
            true => Ok(json!({})),
            false => Err("The account has no such key".into()),
        }),
        ("POST", ["settings"]) => settings(account, request),
        ("POST", ["product"]) => parse(request).map(|product| id(account.add_product(product))),
        ("POST", ["client"]) => parse(request).map(|client| id(account.add_client(client))),
        ("POST", ["store"]) => parse(request).map(|store| id(account.add_store(store))),
        ("POST", ["tax"]) => parse(request).map(|tax| id(account.add_tax(tax))),
        ("POST", ["method"]) => parse(request).map(|method| id(account.add_method(method))),
        ("POST", ["treasury"]) => parse(request).map(|treasury| id(account.add_treasury(treasury))),
        ("POST", ["stock"]) => parse(request).map(|Stock { product_id, store_id, quantity }| {
            account.add_stock(product_id, store_id, quantity, now);
            json!({})
        }),
        ("POST", ["fault"]) => parse(request).map(|fault| {
            account.add_fault(fault);
            json!({})
        }),
        ("DELETE", ["faults"]) => {
            account.clear_faults();
            Ok(json!({}))
        }
        ("POST", ["hand"]) => parse(request).and_then(|hand| account.hand(hand, now)).map(|()| json!({})),
        ("DELETE", [kind, id]) => {
            let (kind, id) = (record(kind)?, id.parse().ok()?);
            account.remove(kind, id).then_some(Ok(json!({})))?
        }
        _ => return None,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stock {
    product_id: u64,
    store_id: u64,
    quantity: Decimal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoked {
    key: String,
}

fn settings(account: &mut Account, request: &Request) -> Result<Value, String> {
    let setup = account.setup().with(parse(request)?)?;
    account.change(|old| *old = setup)?;
    Ok(json!({}))
}

fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

//! `/control`: how people and other processes set up the sandbox, break it and read its books. JSON in, JSON out.
//!
//! ```text
//! GET    /control/acct                    names of the accounts
//! POST   /control/acct                    an account: the fields of AccountSetup, each optional      -> {"name"}
//! POST   /control/acct/<name>/settings    the same fields, for an account that exists
//! POST   /control/acct/<name>/product     the fields of Product; also client, store, tax, method, treasury -> {"id"}
//! POST   /control/acct/<name>/stock       {"product_id", "store_id", "quantity"}
//! POST   /control/acct/<name>/fault       {"kind": "cut_at", "bytes": 20, "method": "POST", "path_contains": "invoices",
//!                                          "times": 1, "per_mille": 500}; all but the kind and its own fields optional
//! DELETE /control/acct/<name>/faults      the bad days are over
//! POST   /control/acct/<name>/hand        {"do": "change_row", "document": 1001, "row": 0, "quantity": 3}, see Hand
//! GET    /control/acct/<name>/books       everything the account holds
//! ```
//!
//! What is wrong is answered 400 with `{"error": …}`, an unknown address 404. Nothing here is subject to faults.

use super::World;
use super::daftra::{Account, AccountSetup};
use super::http::{Answer, Request};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) fn react(world: &mut World, request: &Request, now: Timestamp) -> Answer {
    let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let result = match (request.method.as_str(), path.as_slice()) {
        ("GET", ["control", "acct"]) => Ok(json!(world.names().collect::<Vec<_>>())),
        ("POST", ["control", "acct"]) => create(world, request),
        (method, ["control", "acct", name, action]) => match world.account_mut(name) {
            Some(account) => match act(account, method, action, request, now) {
                Some(result) => result,
                None => return nothing_here(),
            },
            None => return nothing_here(),
        },
        _ => return nothing_here(),
    };
    match result {
        Ok(body) => Answer::json(200, &body),
        Err(error) => Answer::json(400, &json!({"error": error})),
    }
}

fn nothing_here() -> Answer {
    Answer::json(404, &json!({"error": "There is no such account or action"}))
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

fn act(
    account: &mut Account,
    method: &str,
    action: &str,
    request: &Request,
    now: Timestamp,
) -> Option<Result<Value, String>> {
    let id = |id: u64| json!({"id": id});
    Some(match (method, action) {
        ("GET", "books") => Ok(account.books()),
        ("POST", "settings") => settings(account, request),
        ("POST", "product") => parse(request).map(|product| id(account.add_product(product))),
        ("POST", "client") => parse(request).map(|client| id(account.add_client(client))),
        ("POST", "store") => parse(request).map(|store| id(account.add_store(store))),
        ("POST", "tax") => parse(request).map(|tax| id(account.add_tax(tax))),
        ("POST", "method") => parse(request).map(|method| id(account.add_method(method))),
        ("POST", "treasury") => parse(request).map(|treasury| id(account.add_treasury(treasury))),
        ("POST", "stock") => parse(request).map(|Stock { product_id, store_id, quantity }| {
            account.add_stock(product_id, store_id, quantity, now);
            json!({})
        }),
        ("POST", "fault") => parse(request).map(|fault| {
            account.add_fault(fault);
            json!({})
        }),
        ("DELETE", "faults") => {
            account.clear_faults();
            Ok(json!({}))
        }
        ("POST", "hand") => parse(request).and_then(|hand| account.hand(hand, now)).map(|()| json!({})),
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

/// The submitted fields laid over the present set-up, then read as a whole: a misspelt field is an error.
fn settings(account: &mut Account, request: &Request) -> Result<Value, String> {
    let mut all = serde_json::to_value(account.setup()).map_err(|error| error.to_string())?;
    let changes: serde_json::Map<String, Value> = parse(request)?;
    for (name, value) in changes {
        all[name] = value;
    }
    let setup: AccountSetup = serde_json::from_value(all).map_err(|error| error.to_string())?;
    account.change(|old| *old = setup)?;
    Ok(json!({}))
}

fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, String> {
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

//! The way to a shop's API, and why it does not lead there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What the app must be allowed to do in the shop, each with what is missing without it.
pub const SCOPES: [&str; 3] = ["read_orders", "read_products", "read_returns"];

/// Lets orders older than sixty days be seen; given by Shopify on request only.
pub const SCOPE_OF_OLD_ORDERS: &str = "read_all_orders";

/// Why the API of a shop does not give what it is asked for. A person has to do something about each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Blocked {
    /// 401: the token was revoked, has ended, or is another shop's.
    Token,
    /// The shop gives no token for the client's id and secret.
    Client {
        /// The shop's words.
        text: String,
    },
    /// 402: the shop has not paid its plan.
    Unpaid,
    /// 403: the shop does not let this app in.
    Forbidden,
    /// 404: there is no such shop.
    NoShop,
    /// 423: Shopify has locked the shop.
    Locked,
    /// The app may not do everything that is needed.
    Scopes {
        /// The scopes it lacks.
        missing: BTreeSet<String>,
    },
    /// The app was not approved for what is protected about buyers.
    Protected,
    /// What is stored opens no more: another shop's, or another master key's.
    Sealed,
}

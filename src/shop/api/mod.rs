//! The shop's Admin API: GraphQL only, and only to ask; of the shop nothing is changed but our own subscriptions.
//!
//! Each document is a file of its own, checked by `tests/shopapi.rs` against an excerpt of the official schema. What comes back
//! is read by the same reader as a webhook ([`order`] brings it into that shape).

pub mod client;
pub mod conversation;
mod order;

use jiff::civil::{Date, date};

/// The version of the API that is spoken.
pub const VERSION: &str = "2026-07";

/// From then on Shopify may answer with another version than [`VERSION`].
pub const VERSION_ENDS: Date = date(2027, 7, 1);

/// One question: the name of its operation, and its text.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// The operation.
    pub name: &'static str,
    /// GraphQL.
    pub text: &'static str,
}

/// Who the shop is, and what the app may do there.
pub const SHOP: Document = Document { name: "Shop", text: include_str!("shop.graphql") };
/// Orders by the time they changed last, or by name.
pub const ORDERS: Document = Document { name: "Orders", text: include_str!("orders.graphql") };
/// How many orders changed since a time.
pub const ORDERS_COUNT: Document = Document { name: "OrdersCount", text: include_str!("orders_count.graphql") };
/// One order without its lines.
pub const ORDER: Document = Document { name: "Order", text: include_str!("order.graphql") };
/// The lines of an order.
pub const ORDER_LINES: Document = Document { name: "OrderLines", text: include_str!("lines.graphql") };
/// One refund record.
pub const REFUND: Document = Document { name: "Refund", text: include_str!("refund.graphql") };
/// Variants by their ids, at most 250.
pub const VARIANTS: Document = Document { name: "Variants", text: include_str!("variants.graphql") };
/// All variants of the shop.
pub const SHELF: Document = Document { name: "Shelf", text: include_str!("shelf.graphql") };
/// To what the app has subscribed.
pub const SUBSCRIPTIONS: Document = Document { name: "Subscriptions", text: include_str!("subscriptions.graphql") };
/// One more subscription.
pub const SUBSCRIBE: Document = Document { name: "Subscribe", text: include_str!("subscribe.graphql") };
/// One less.
pub const UNSUBSCRIBE: Document = Document { name: "Unsubscribe", text: include_str!("unsubscribe.graphql") };

/// All of them.
pub const DOCUMENTS: [Document; 11] =
    [SHOP, ORDERS, ORDERS_COUNT, ORDER, ORDER_LINES, REFUND, VARIANTS, SHELF, SUBSCRIPTIONS, SUBSCRIBE, UNSUBSCRIBE];

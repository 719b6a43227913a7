//! The shop's Admin API: tokens, the price of questions, subscriptions, and what the program asks.
//!
//! No engine of GraphQL: it knows the documents that the product sends by their operation's name, and answers each as
//! the real one does. Whatever the real one may refuse can be commanded.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::admin_body;
use super::delivery::{API_VERSION, Delivery};
use super::{Shop, Topic};
use crate::sandbox::fault::Fault;
use crate::sandbox::http::{Answer, Request};

/// How long a token of the client's credentials lives.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(86_399);
/// The bucket of a standard plan.
const BUCKET: i64 = 2_000;
const RESTORED_PER_SECOND: i64 = 100;
/// So far back orders are shown without `read_all_orders`.
const SHOWN: SignedDuration = SignedDuration::from_hours(60 * 24);
const PAGE: usize = 50;
/// Of the list of variants.
const SHELF_PAGE: usize = 100;
/// Ids in one question.
const MOST_IDS: usize = 250;

/// A shop and its Admin API.
#[derive(Clone, Debug)]
pub struct Storefront {
    /// Where people buy.
    pub shop: Shop,
    /// What a program may ask.
    pub admin: Admin,
    /// Bad days of the API.
    pub faults: Vec<Fault>,
}

/// What the shop's Admin API knows of an app.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The app's id and secret.
    pub client: (String, String),
    /// What the app may do.
    pub scopes: BTreeSet<String>,
    /// What the app may not see of buyers.
    pub gap: Option<Gap>,
    /// An answer that comes instead of every other: 402, 403, 404 or 423.
    pub shut: Option<u16>,
    /// Orders that cannot be asked for, while all others can.
    pub broken: BTreeSet<u64>,
    /// Tokens that are good, and until when.
    pub tokens: BTreeMap<String, Option<Timestamp>>,
    /// Who is told of what; they decide what is delivered.
    pub subscriptions: Vec<Subscription>,
    /// So many of the next deliveries never leave.
    pub lose: u32,
    /// Every operation that was asked, in order.
    pub asked: Vec<String>,
    /// What a question costs beyond its own price.
    pub surcharge: i64,
    points: i64,
    counted_at: Timestamp,
    made: u64,
}

/// What Shopify keeps back from an app that was not approved for the data of buyers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Orders as a whole.
    Orders,
    /// Names, addresses, mail and phone.
    Persons,
}

/// Who is told of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// `gid://shopify/WebhookSubscription/1`.
    pub id: String,
    /// Where deliveries go.
    pub uri: String,
    /// `ORDERS_CREATE`.
    pub topic: String,
}

impl Admin {
    /// An app with every scope and no token yet.
    pub fn new(client_id: &str, client_secret: &str) -> Admin {
        Admin {
            client: (client_id.to_owned(), client_secret.to_owned()),
            scopes: ["read_orders", "read_products", "read_returns"].map(str::to_owned).into(),
            gap: None,
            shut: None,
            broken: BTreeSet::new(),
            tokens: BTreeMap::new(),
            subscriptions: Vec::new(),
            lose: 0,
            asked: Vec::new(),
            surcharge: 0,
            points: BUCKET,
            counted_at: Timestamp::UNIX_EPOCH,
            made: 0,
        }
    }

    /// A token of the old kind, which does not end.
    pub fn grant(&mut self, token: &str) {
        self.tokens.insert(token.to_owned(), None);
    }

    /// How many operations of this name were asked.
    pub fn times(&self, operation: &str) -> usize {
        self.asked.iter().filter(|one| *one == operation).count()
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn is_good(&self, token: Option<&str>, now: Timestamp) -> bool {
        token.and_then(|token| self.tokens.get(token)).is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// Takes the price out of the bucket; what is left, or `None` when it does not suffice.
    fn pay(&mut self, price: i64, now: Timestamp) -> Result<i64, i64> {
        let since = now.duration_since(self.counted_at).as_secs().clamp(0, BUCKET);
        if since > 0 {
            self.points = BUCKET.min(self.points + since * RESTORED_PER_SECOND);
            self.counted_at = now;
        }
        if price > self.points {
            return Err(self.points);
        }
        self.points -= price;
        Ok(self.points)
    }

    fn sign_in(&mut self, request: &Request, now: Timestamp) -> Answer {
        let fields: BTreeMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if field("grant_type") != "client_credentials"
            || (field("client_id"), field("client_secret")) != (self.client.0.as_str(), self.client.1.as_str())
        {
            let body = json!({"error": "invalid_client", "error_description": "Client authentication failed"});
            return Answer::json(400, &body);
        }
        let token = format!("shpca_{:032x}", self.next());
        self.tokens.insert(token.clone(), now.checked_add(TOKEN_LIFE).ok());
        let scopes: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        let body = json!({"access_token": token, "scope": scopes.join(","), "expires_in": TOKEN_LIFE.as_secs()});
        Answer::json(200, &body)
    }
}

impl Storefront {
    /// A shop with an app that has every scope.
    pub fn new(shop: Shop, client_id: &str, client_secret: &str) -> Storefront {
        Storefront { shop, admin: Admin::new(client_id, client_secret), faults: Vec::new() }
    }

    /// What really leaves of these deliveries: those somebody subscribed to, less those that get lost.
    pub fn sent(&mut self, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let mut sent = Vec::new();
        for delivery in deliveries {
            let topic = delivery.topic.replace('/', "_").to_uppercase();
            if !self.admin.subscriptions.iter().any(|one| one.topic == topic) {
                continue;
            }
            if self.admin.lose > 0 {
                self.admin.lose -= 1;
                continue;
            }
            sent.push(delivery);
        }
        sent
    }

    /// Answers a call below the shop's address.
    pub(crate) fn answer(&mut self, path: &str, request: &Request, now: Timestamp) -> Answer {
        if let Some(status) = self.admin.shut {
            let why = if status == 404 { "Not Found" } else { "Unavailable Shop" };
            return Answer::json(status, &json!({"errors": why}));
        }
        if request.method != "POST" {
            return Answer::json(404, &json!({"errors": "Not Found"}));
        }
        if path == "/admin/oauth/access_token" {
            return self.admin.sign_in(request, now);
        }
        if path != format!("/admin/api/{API_VERSION}/graphql.json") {
            return Answer::json(404, &json!({"errors": "Not Found"}));
        }
        if !self.admin.is_good(request.header("X-Shopify-Access-Token"), now) {
            let why = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            return Answer::json(401, &json!({"errors": why}));
        }
        let Ok(asked) = serde_json::from_slice::<Value>(&request.body) else {
            return Answer::json(400, &json!({"errors": {"query": "Required parameter missing or invalid"}}));
        };
        let operation = asked["operationName"].as_str().unwrap_or_default().to_owned();
        let price = price(&operation) + self.admin.surcharge;
        let (left, paid) = match self.admin.pay(price, now) {
            Ok(left) => (left, true),
            Err(left) => (left, false),
        };
        let cost = json!({"cost": {
            "requestedQueryCost": price,
            "actualQueryCost": if paid { json!(price) } else { Value::Null },
            "throttleStatus": {
                "maximumAvailable": BUCKET, "currentlyAvailable": left, "restoreRate": RESTORED_PER_SECOND,
            },
        }});
        if !paid {
            let error = json!({"message": "Throttled", "extensions": {"code": "THROTTLED"}});
            return Answer::json(200, &json!({"errors": [error], "extensions": cost}));
        }
        self.admin.asked.push(operation.clone());
        let mut body = self.reply(&operation, &asked["variables"], now);
        body["extensions"] = cost;
        Answer::json(200, &body)
    }

    fn reply(&mut self, operation: &str, variables: &Value, now: Timestamp) -> Value {
        let text = |name: &str| variables[name].as_str().unwrap_or_default();
        let reads_orders = matches!(operation, "Orders" | "OrdersCount" | "Order" | "OrderLines" | "Refund");
        if reads_orders && !self.admin.scopes.contains("read_orders") {
            return denied("order", "`read_orders` access scope.");
        }
        if reads_orders && self.admin.gap == Some(Gap::Orders) {
            let message = "This app is not approved to access the Order object. See \
                           https://shopify.dev/docs/apps/launch/protected-customer-data for more details.";
            // What may be missing is null by itself; a list may not, so nothing is left around it.
            let (path, data) = match operation {
                "Order" | "OrderLines" => ("order", json!({"order": null})),
                "Refund" => ("refund", json!({"refund": null})),
                _ => ("orders", Value::Null),
            };
            return json!({"data": data, "errors": [
                {"message": message, "path": [path], "extensions": {"code": "ACCESS_DENIED"}},
            ]});
        }
        let with_returns = variables["returns"] == true;
        if with_returns && !self.admin.scopes.contains("read_returns") {
            return denied("returns", "`read_returns` access scope.");
        }
        let reads_products = matches!(operation, "Variants" | "Shelf");
        if reads_products && !self.admin.scopes.contains("read_products") {
            return denied("productVariants", "`read_products` access scope.");
        }
        match operation {
            "Shop" => {
                let setup = self.shop.setup();
                let scopes: Vec<Value> = self.admin.scopes.iter().map(|one| json!({"handle": one})).collect();
                json!({"data": {
                    "shop": {"myshopifyDomain": setup.domain, "name": "Sandbox", "currencyCode": setup.currency},
                    "currentAppInstallation": {"accessScopes": scopes},
                }})
            }
            "Orders" => json!({"data": {"orders": self.list(text("q"), text("after"), now)}}),
            "OrdersCount" => {
                json!({"data": {"ordersCount": {"count": self.found(text("q"), now).len(), "precision": "EXACT"}}})
            }
            "Order" if self.admin.broken.contains(&number(text("id"))) => {
                json!({"data": null, "errors": [{"message": "Internal error. Looks like something went wrong on our end."}]})
            }
            "Order" => self.order(text("id"), with_returns, now),
            "OrderLines" => {
                let Some(rest) = self.shown(text("id"), now) else { return json!({"data": {"order": null}}) };
                let lines: Vec<Value> =
                    rest["line_items"].as_array().into_iter().flatten().map(admin_body::line).collect();
                json!({"data": {"order": {"updatedAt": rest["updated_at"], "lineItems": paged(lines, text("after"))}}})
            }
            "Refund" => {
                let id = number(text("id"));
                let found = self.shop.order_ids().into_iter().filter_map(|order| self.shop.order_body(order).ok());
                let found = found.into_iter().find_map(|rest| {
                    let refund = rest["refunds"].as_array()?.iter().find(|one| one["id"] == id)?;
                    Some(admin_body::refund(refund, &rest, with_returns))
                });
                json!({"data": {"refund": found}})
            }
            "Variants" => self.variants(&variables["ids"]),
            "Shelf" => {
                json!({"data": {"productVariants": pages_of(SHELF_PAGE, self.shop.variant_nodes(), text("after"))}})
            }
            "Subscriptions" => {
                let nodes = self
                    .admin
                    .subscriptions
                    .iter()
                    .map(|one| json!({"id": one.id, "uri": one.uri, "topic": one.topic, "format": "JSON"}));
                json!({"data": {"webhookSubscriptions": paged(nodes.collect(), text("after"))}})
            }
            "Subscribe" => self.subscribe(text("topic"), &variables["subscription"]),
            "Unsubscribe" => {
                let before = self.admin.subscriptions.len();
                self.admin.subscriptions.retain(|one| one.id != text("id"));
                let gone = (self.admin.subscriptions.len() < before).then(|| text("id"));
                let errors = match gone {
                    Some(_) => json!([]),
                    None => json!([{"field": ["id"], "message": "Webhook subscription does not exist"}]),
                };
                let payload = json!({"deletedWebhookSubscriptionId": gone, "userErrors": errors});
                json!({"data": {"webhookSubscriptionDelete": payload}})
            }
            unknown => json!({"errors": [{"message": format!("No operation named \"{unknown}\"")}]}),
        }
    }

    fn variants(&self, ids: &Value) -> Value {
        let ids: Vec<&str> = ids.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if ids.len() > MOST_IDS {
            let message =
                format!("The input array size of {} is greater than the maximum allowed of {MOST_IDS}.", ids.len());
            return json!({"errors": [{"message": message, "extensions": {"code": "MAX_INPUT_SIZE_EXCEEDED"}}]});
        }
        let is_variant = |gid: &&str| gid.starts_with("gid://shopify/ProductVariant/");
        let nodes = ids.iter().map(|gid| if is_variant(gid) { self.shop.variant_node(number(gid)) } else { json!({}) });
        json!({"data": {"nodes": nodes.collect::<Vec<_>>()}})
    }

    fn order(&self, id: &str, with_returns: bool, now: Timestamp) -> Value {
        let Some(rest) = self.shown(id, now) else { return json!({"data": {"order": null}}) };
        let with_persons = self.admin.gap != Some(Gap::Persons);
        let transactions = self.shop.transaction_bodies(number(id));
        let order = admin_body::order(&rest, &transactions, with_returns, with_persons);
        if with_persons {
            return json!({"data": {"order": order}});
        }
        let message = "This app is not approved to use the email field. See \
                       https://shopify.dev/docs/apps/launch/protected-customer-data for more details.";
        json!({"data": {"order": order}, "errors": [
            {"message": message, "path": ["order", "email"], "extensions": {"code": "ACCESS_DENIED"}},
        ]})
    }

    fn subscribe(&mut self, topic: &str, wanted: &Value) -> Value {
        let uri = wanted["uri"].as_str().unwrap_or_default().to_owned();
        let known = Topic::ALL.iter().any(|one| one.as_str().replace('/', "_").to_uppercase() == topic)
            || matches!(topic, "APP_UNINSTALLED" | "PRODUCTS_UPDATE");
        let wrong = if !known {
            Some("Topic is invalid")
        } else if !uri.starts_with("https://") {
            Some("Address protocol http:// is not supported")
        } else if self.admin.subscriptions.iter().any(|one| one.topic == topic && one.uri == uri) {
            Some("Address for this topic has already been taken")
        } else {
            None
        };
        if let Some(message) = wrong {
            let errors = json!([{"field": ["webhookSubscription", "uri"], "message": message}]);
            return json!({"data": {"webhookSubscriptionCreate": {"webhookSubscription": null, "userErrors": errors}}});
        }
        let id = format!("gid://shopify/WebhookSubscription/{}", self.admin.next());
        self.admin.subscriptions.push(Subscription { id: id.clone(), uri, topic: topic.to_owned() });
        json!({"data": {"webhookSubscriptionCreate": {"webhookSubscription": {"id": id}, "userErrors": []}}})
    }

    /// The order of this id as a webhook would carry it, if the app may see one so old.
    fn shown(&self, id: &str, now: Timestamp) -> Option<Value> {
        let id = number(id);
        let order = self.shop.order_ids().into_iter().find(|order| order.0 == id)?;
        self.shop.order_body(order).ok().filter(|rest| self.is_young(rest, now))
    }

    fn is_young(&self, rest: &Value, now: Timestamp) -> bool {
        let created = moment(&rest["created_at"]);
        self.admin.scopes.contains("read_all_orders") || created.is_some_and(|at| now.duration_since(at) <= SHOWN)
    }

    /// Orders by the time they changed last, those that the search means.
    fn list(&self, search: &str, after: &str, now: Timestamp) -> Value {
        paged(self.found(search, now).iter().map(admin_body::listed).collect(), after)
    }

    fn found(&self, search: &str, now: Timestamp) -> Vec<Value> {
        let since = search.strip_prefix("updated_at:>=").and_then(|rest| rest.trim_matches('\'').parse().ok());
        let name = search.strip_prefix("name:").map(|name| name.trim_matches('\'').trim_start_matches('#').to_owned());
        let is_meant = |rest: &Value| match (since, &name) {
            (Some(since), _) => moment(&rest["updated_at"]).is_some_and(|at: Timestamp| at >= since),
            (None, Some(name)) => rest["name"].as_str().is_some_and(|own| own.trim_start_matches('#') == name),
            (None, None) => true,
        };
        let all = self.shop.order_ids_since(since).into_iter().filter_map(|order| self.shop.order_body(order).ok());
        let mut found: Vec<Value> = all.filter(|rest| self.is_young(rest, now) && is_meant(rest)).collect();
        found.sort_by_key(|rest| (moment(&rest["updated_at"]), rest["id"].as_u64()));
        found
    }
}

/// What a question costs; a fixed price that is near the real one.
fn price(operation: &str) -> i64 {
    match operation {
        "Orders" => 12,
        "Order" => 40,
        "OrderLines" => 60,
        "Refund" => 45,
        "Variants" => 250,
        "Shelf" => 202,
        "Subscribe" | "Unsubscribe" => 10,
        _ => 3,
    }
}

fn denied(field: &str, required: &str) -> Value {
    let message = format!("Access denied for {field} field. Required access: {required}");
    let extensions = json!({"code": "ACCESS_DENIED", "requiredAccess": required});
    json!({"data": null, "errors": [{"message": message, "path": [field], "extensions": extensions}]})
}

/// One page; the cursor is how many came before.
fn paged(all: Vec<Value>, after: &str) -> Value {
    pages_of(PAGE, all, after)
}

fn pages_of(size: usize, all: Vec<Value>, after: &str) -> Value {
    let from = after.parse().unwrap_or(0);
    let end = all.len().min(from + size);
    let page_info = json!({"hasNextPage": end < all.len(), "endCursor": end.to_string()});
    let nodes: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    json!({"pageInfo": page_info, "nodes": nodes})
}

fn moment(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn number(gid: &str) -> u64 {
    gid.rsplit('/').next().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

//! The fake Daftra: one request against one account.
//!
//! Order for the reader: `account` (what there is), `write` and `document` (what happens), `v1` and `v2` (how it looks).
//! What a faithful fake must imitate, in the order of our notes on Daftra; the tests are `point_NN_…` in
//! `tests/sandbox_daftra`, one file per place named there:
//!
//! ```text
//! NN  what                                                          where                     tests
//! 01  two interfaces, the key alone and in any case, 404s           mod, v1                   calls
//! 02  v1 envelope, 202, ids, wrapper; failures with 200             v1, refusal               calls
//! 03  lists: paging, caps, ignored and partial filters, drafts, lag v1                        calls
//! 04  an invoice as it prints: types, dates, places of rows         v1_rows, v1               documents
//! 05  one id space for all documents                                document, write::find     documents
//! 06  numbers are a sequence of their own                           document::save            documents
//! 07  totals, discounts, taxes, shipping, rounding                  money                     documents
//! 08  refusals by field, closed period, taxes that are gone         write, form, refusal      documents
//! 09  stock: sources, stores, negative, requisitions                stock                     stock_and_money
//! 10  PUT replaces; partial PUT; locks; branches; e-invoices        write::replace            documents
//! 11  payments and the status they make                             payment                   stock_and_money
//! 12  receipts and credit notes: parents, lists, custom fields      write, v1                 stock_and_money, documents
//! 13  no deletion over payments and receipts                        write::delete, payment    documents
//! 14  v2: flat rows, filters, paginator, errors, shared codes       v2                        calls
//! 15  site_info, expired subscription                               v1_rows::site, mod        calls
//! 16  a GET that issues a draft                                     write::update_draft       documents
//! 17  messages in Arabic                                            refusal                   calls
//! ```
//!
//! Bad days are `fault` (tests `fault_…`), what nobody knows is `unknowns`. No endpoint is here that the bridge does not
//! call, but for those which the list above names: no bulk create, requisition records, listings, multi-entity fetch,
//! OAuth, nor anything of purchases and accounting.

mod account;
mod books;
mod document;
mod form;
mod hand;
mod money;
mod payment;
mod refusal;
mod setup;
mod stock;
mod unknowns;
mod v1;
mod v1_rows;
mod v2;
mod write;

pub use account::{Account, Client, PaymentMethod, Product, Record, Store, Tax, Treasury};
pub use document::{CustomField, Document, DocumentKind, Item, Requisition};
pub use hand::Hand;
pub use money::{Discount, Rate, RowDiscount, RowTotals, Totals};
pub use payment::{Payment, Standing};
pub use setup::{AccountSetup, ApiKey, DateFormat, Language, PartialPut, Rounding, SecondTax, WhenExpired};
pub use stock::StockTransaction;
pub use unknowns::{UNKNOWNS, Unknown, any, unknown};

use self::refusal::{Message, Refusal};
use super::http::{Answer, Request};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// One authenticated call.
struct Call<'a> {
    method: &'a str,
    /// What follows `/api2/` or `/v2/api/entity/`, without `.json` and trailing slash.
    path: Vec<&'a str>,
    parameters: Vec<(String, String)>,
    body: &'a [u8],
    key: ApiKey,
    /// `None` when the feature is off.
    branch: Option<u64>,
    now: Timestamp,
}

impl Call<'_> {
    /// The last parameter of that name that says something.
    fn parameter(&self, name: &str) -> Option<&str> {
        let given = self.parameters.iter().rev().find(|(n, value)| n == name && !value.is_empty());
        given.map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object.
    fn object(&self) -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| Refusal::new(400, Message::BadRequest))
    }
}

/// Answers a request whose path below the account is `path`.
pub(super) fn answer(account: &mut Account, path: &str, request: &Request, now: Timestamp) -> Answer {
    let v2 = path.starts_with("/v2/");
    let setup = account.setup();
    let Some(key) = authenticate(account, request) else {
        return if setup.bad_key_page && !v2 { log_in_page() } else { unauthorized(v2) };
    };
    let parameters = request.parameters();
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".json").unwrap_or(path);
    let rest = path.strip_prefix(if v2 { "/v2/api/entity/" } else { "/api2/" }).unwrap_or_default();
    let mut call = Call {
        method: &request.method,
        path: rest.split('/').collect(),
        parameters,
        body: &request.body,
        key,
        branch: None,
        now,
    };
    if account.setup().expired && call.path != ["site_info"] {
        match account.setup().when_expired {
            WhenExpired::Answers => {}
            WhenExpired::Forbidden => {
                return Refusal::new(403, Message::Forbidden).answer(account.setup(), call.method);
            }
            WhenExpired::Page => {
                return Answer::html(200, "<!DOCTYPE html><title>Renew</title><p>Your subscription is over.</p>");
            }
        }
    }
    let result = enter(account, &mut call).and_then(|()| match v2 {
        true => v2::answer(account, &call),
        false => v1::answer(account, &call),
    });
    result.unwrap_or_else(|refusal| refusal.answer(account.setup(), call.method))
}

/// What people see who are not signed in.
pub(super) fn log_in_page() -> Answer {
    Answer::html(200, "<!DOCTYPE html><html><head><title>Login</title></head><body><form>Login</form></body></html>")
}

/// What a bad key gets.
pub(super) fn unauthorized(v2: bool) -> Answer {
    match v2 {
        true => Answer::json(401, &json!({"message": "Unauthenticated."})),
        false => Answer::json(401, &json!({"result": "failed", "code": 401, "message": "Unauthorized"})),
    }
}

/// The key of the request. An `Authorization` header spoils it, even beside a good key.
fn authenticate(account: &Account, request: &Request) -> Option<ApiKey> {
    if request.header("authorization").is_some() {
        return None;
    }
    let secret = request.header("apikey")?;
    account.setup().keys.iter().find(|key| key.key == secret).cloned()
}

/// Chooses the branch and checks the key's permissions.
fn enter(account: &Account, call: &mut Call<'_>) -> Result<(), Refusal> {
    let forbidden = || Refusal::new(403, Message::Forbidden);
    let branches = &account.setup().branches;
    if let Some(default) = branches.first() {
        let branch = match call.parameter("request_branch_id") {
            Some(wanted) => wanted.parse().ok().filter(|wanted| branches.contains(wanted)).ok_or_else(forbidden)?,
            None => *default,
        };
        call.branch = Some(branch);
    }
    let resource = call.path.first().copied().unwrap_or_default();
    let changes = call.method != "GET" || call.path.get(1) == Some(&"update_draft");
    let barred = call.key.may_not_view.contains(resource) || changes && call.key.may_not_change.contains(resource);
    if barred { Err(forbidden()) } else { Ok(()) }
}

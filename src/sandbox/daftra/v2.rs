//! `/v2/api/entity`: flat rows with real numbers, a filter grammar, Laravel's paginator.
//!
//! Rows are rendered first and filtered as JSON, so the grammar is the same for every entity. A filter on a field that
//! the entity does not have is ignored. Soft-deleted documents are rows like any other.

use super::Call;
use super::account::Account;
use super::document::{Document, DocumentKind};
use super::form::{decimal, given, integer};
use super::money::Discount;
use super::payment::Payment;
use super::refusal::{Message, Reason, Refusal};
use super::v1::client_of;
use super::v1_rows::{Depth, real};
use crate::sandbox::http::Answer;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::cmp::Ordering;

pub(super) fn answer(account: &mut Account, call: &Call<'_>) -> Result<Answer, Refusal> {
    match (call.method, call.path.as_slice()) {
        ("POST", ["client"]) => create_client(account, call),
        ("GET", [entity, rest @ ..]) => {
            let Some(rows) = rows(account, call, entity) else {
                return Ok(Answer::json(200, &json!({"error": "Entity Not exists"})));
            };
            Ok(match rest {
                ["list"] | ["list", _] => list(account, call, filtered(account, call, rows)),
                ["filter-auto-suggest"] => suggest(filtered(account, call, rows)),
                [id] | [id, _] => show(id, rows),
                _ => return Err(Refusal::new(404, Message::InvalidEndpoint)),
            })
        }
        _ => Err(Refusal::new(404, Message::InvalidEndpoint)),
    }
}

/// Every row of an entity, newest last; `None`: there is no such entity, or its feature is off.
fn rows(account: &Account, call: &Call<'_>, entity: &str) -> Option<Vec<Value>> {
    let documents = |kind| {
        let all = account.documents.values().filter(move |document| {
            document.kind == kind
                && account.listed(document.created, call.now)
                && (call.branch.is_none() || document.branch_id == call.branch)
        });
        let level = call.path.get(2).and_then(|level| level.parse::<u8>().ok()).unwrap_or(1);
        let depth = if account.setup().v2_relations || level > 1 { Depth::All } else { Depth::Header };
        all.map(|row| document(account, row, depth)).collect()
    };
    Some(match entity {
        "invoice" => documents(DocumentKind::Invoice),
        "credit_note" => documents(DocumentKind::CreditNote),
        "refund_receipt" => documents(DocumentKind::RefundReceipt),
        "invoice_payment" => {
            let listed = account.payments.values().filter(|payment| account.listed(payment.created, call.now));
            listed.map(|row| payment(account, row)).collect()
        }
        "product" => {
            let all = account.products.values().map(|product| {
                json!({"id": product.id, "name": product.name, "product_code": product.product_code,
                       "barcode": product.barcode, "type": product.kind, "status": u8::from(!product.active),
                       "unit_price": real(product.unit_price), "tax1": product.tax1, "tax2": product.tax2,
                       "track_stock": u8::from(product.track_stock), "available_online": 1,
                       "stock_balance": real(account.balances(product.id).values().sum()),
                       "branch_id": product.branch_id, "deleted_at": null})
            });
            all.collect()
        }
        "client" => {
            let all = account.clients.values().map(|client| {
                json!({"id": client.id, "client_number": client.client_number, "business_name": client.business_name,
                       "first_name": client.first_name, "last_name": client.last_name, "email": client.email,
                       "phone1": client.phone1, "city": client.city, "country_code": client.country_code,
                       "deleted_at": null})
            });
            all.collect()
        }
        "store" => (account.stores.values())
            .map(|store| {
                json!({"id": store.id, "name": store.name, "primary": u8::from(store.primary),
                                "active": u8::from(store.active), "deleted_at": null})
            })
            .collect(),
        "tax" => (account.taxes.values())
            .map(|tax| {
                json!({"id": tax.id, "name": tax.name, "value": real(tax.value),
                              "included": u8::from(tax.included), "active": u8::from(tax.active)})
            })
            .collect(),
        "treasury" => (account.treasuries.values())
            .map(|treasury| json!({"id": treasury.id, "name": treasury.name, "type": 3, "active": 1}))
            .collect(),
        "site_payment_gateway" => (account.methods.values())
            .map(|method| {
                json!({"id": method.id, "payment_gateway": method.slug, "label": method.label,
                                 "default": 0, "active": u8::from(method.active), "manually_added": 0,
                                 "disable_for_client": 0, "treasury_id": method.treasury_id, "branch_id": null})
            })
            .collect(),
        "branch" if call.branch.is_some() => (account.setup().branches.iter())
            .map(|id| json!({"id": id, "name": format!("Branch {id}"), "status": 1}))
            .collect(),
        _ => return None,
    })
}

fn document(account: &Account, document: &Document, depth: Depth) -> Value {
    let totals = &document.totals;
    let standing = account.standing(document.id);
    let items = document.items.iter().zip(&totals.rows).map(|(item, amounts)| {
        let [tax1, tax2] = item.taxes.each_ref().map(|rate| rate.as_ref().map(|rate| rate.tax_id));
        json!({"id": item.id, "invoice_id": document.id, "item": item.item, "product_id": item.product_id,
               "store_id": item.store_id.or(document.store_id), "unit_price": real(item.unit_price),
               "quantity": real(item.quantity), "tax1": tax1, "tax2": tax2,
               "calculated_discount": real(amounts.discount), "subtotal": real(amounts.subtotal)})
    });
    let amount = match document.discount {
        Discount::Amount(amount) => amount,
        Discount::No | Discount::Percent(_) => Decimal::ZERO,
    };
    let mut row = json!({
        "id": document.id, "type": document.kind.type_id(), "no": document.no, "client_id": document.client_id,
        "store_id": document.store_id, "branch_id": document.branch_id, "subscription_id": document.parent,
        "currency_code": document.currency, "date": document.date.to_string(), "draft": document.draft,
        "po_number": document.texts.get("po_number"), "notes": document.text("notes"),
        "discount_amount": real(amount), "shipping_amount": real(totals.shipping),
        "summary_subtotal": real(totals.subtotal), "summary_discount": real(totals.discount),
        "summary_total": real(totals.total), "summary_paid": standing.map(|s| real(s.paid)),
        "summary_unpaid": standing.map(|s| real(s.unpaid)), "summary_refund": standing.map(|s| real(s.refunded)),
        "payment_status": standing.map(|s| s.status), "created": account.local_text(document.created),
        "modified": account.local_text(document.modified),
        "deleted_at": document.deleted.map(|moment| account.local_text(moment)),
    });
    if depth == Depth::All {
        row["invoice_item"] = items.collect();
        row["payment"] = account.payments_of(document.id).map(|row| payment(account, row)).collect();
    }
    row
}

fn payment(account: &Account, payment: &Payment) -> Value {
    json!({"id": payment.id, "invoice_id": payment.document_id, "payment_method": payment.method,
           "amount": real(payment.amount), "date": payment.date.strftime("%Y-%m-%d %H:%M:%S").to_string(),
           "transaction_id": payment.transaction_id, "treasury_id": payment.treasury_id, "status": payment.status,
           "notes": payment.notes, "created": account.local_text(payment.created), "deleted_at": null})
}

/// `filter[field]`, `filter[field][op]`, `filter[field][in][]`, `filter[or][field][op]`, and `sort[field]`.
fn filtered(account: &Account, call: &Call<'_>, mut rows: Vec<Value>) -> Vec<Value> {
    if !account.setup().v2_filters {
        return rows;
    }
    let parameters: Vec<(Vec<&str>, &str)> =
        call.parameters.iter().filter_map(|(name, value)| Some((keys(name)?, value.as_str()))).collect();
    rows.retain(|row| {
        let holds = |path: &[&str], value: &str| match path {
            [field] => test(row, field, "equal", value, &[]),
            [field, "in" | "not_in", ""] => {
                let op = path[1];
                let same = |other: &&(Vec<&str>, &str)| other.0.get(1..) == Some(path);
                let values: Vec<&str> = parameters.iter().filter(same).map(|(_, value)| *value).collect();
                test(row, field, op, value, &values)
            }
            [field, op] => test(row, field, op, value, &[]),
            _ => true,
        };
        let mut either = parameters.iter().filter(|(path, _)| path.starts_with(&["filter", "or"])).peekable();
        let any = either.peek().is_none() || either.any(|(path, value)| holds(&path[2..], value));
        let all = parameters.iter().filter(|(path, _)| path[0] == "filter" && path.get(1) != Some(&"or"));
        any && all.into_iter().all(|(path, value)| holds(&path[1..], value))
    });
    if let Some((path, direction)) = parameters.iter().find(|(path, _)| path[0] == "sort" && path.len() == 2) {
        rows.sort_by(|a, b| compare(&a[path[1]], &b[path[1]]));
        if direction.eq_ignore_ascii_case("desc") {
            rows.reverse();
        }
    }
    rows
}

/// `filter[a][b]` is `filter`, `a`, `b`.
fn keys(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = name.split_once('[')?;
    let rest = rest.strip_suffix(']')?;
    Some(std::iter::once(first).chain(rest.split("][")).collect())
}

fn test(row: &Value, field: &str, op: &str, value: &str, values: &[&str]) -> bool {
    let Some(found) = row.get(field) else { return true };
    let wanted =
        |text: &str| if found.is_string() { json!(text) } else { decimal(&json!(text)).map_or(json!(text), real) };
    let order = compare(found, &wanted(value));
    match op {
        "equal" => order == Ordering::Equal,
        "not_equal" => order != Ordering::Equal,
        "gt" => order == Ordering::Greater,
        "gte" | "from" => order != Ordering::Less,
        "lt" => order == Ordering::Less,
        "lte" | "to" => order != Ordering::Greater,
        "like" => plain(found).contains(&value.trim_matches('%').to_lowercase()),
        "is_null" => found.is_null() == (value == "1"),
        "in" => values.iter().any(|value| compare(found, &wanted(value)) == Ordering::Equal),
        "not_in" => values.iter().all(|value| compare(found, &wanted(value)) != Ordering::Equal),
        _ => true,
    }
}

/// Numbers as numbers, everything else as text without case.
fn compare(a: &Value, b: &Value) -> Ordering {
    let number = |value: &Value| decimal(value).filter(|_| value.is_number());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => plain(a).cmp(&plain(b)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_lowercase(),
        Value::Bool(flag) => u8::from(*flag).to_string(),
        Value::Null => String::new(),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

fn list(account: &Account, call: &Call<'_>, rows: Vec<Value>) -> Answer {
    let asked = |name| call.parameter(name).and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0);
    let (per_page, page) = (asked("per_page").unwrap_or(20), asked("page").unwrap_or(1));
    let total = rows.len();
    let last = total.div_ceil(per_page).max(1);
    let path = format!("/v2/api/entity/{}", call.path.join("/"));
    let link = |page: usize| format!("{path}?page={page}");
    let before = (page - 1).saturating_mul(per_page);
    let data: Vec<Value> = rows.into_iter().skip(before).take(per_page).collect();
    let (from, to) = ((!data.is_empty()).then(|| before + 1), (!data.is_empty()).then(|| before + data.len()));
    let (previous, next) = ((page > 1).then(|| link(page - 1)), (page < last).then(|| link(page + 1)));
    let body = match account.setup().v2_meta {
        true => json!({"data": data, "links": {"first": link(1), "last": link(last), "prev": previous, "next": next},
                       "meta": {"current_page": page, "from": from, "last_page": last, "path": path,
                                "per_page": per_page, "to": to, "total": total}}),
        false => json!({"current_page": page, "data": data, "first_page_url": link(1), "from": from, "last_page": last,
                        "last_page_url": link(last), "links": [], "next_page_url": next, "path": path,
                        "per_page": per_page, "prev_page_url": previous, "to": to, "total": total}),
    };
    Answer::json(200, &body)
}

/// A bare array, without any envelope.
fn suggest(rows: Vec<Value>) -> Answer {
    let names = rows.into_iter().map(|row| {
        let name = if row["business_name"].is_null() { &row["name"] } else { &row["business_name"] };
        json!({"id": row["id"], "name": name, "avatar": null})
    });
    Answer::json(200, &names.collect())
}

fn show(id: &str, rows: Vec<Value>) -> Answer {
    let wanted = integer(&id.into());
    match rows.into_iter().find(|row| wanted.is_some() && integer(&row["id"]) == wanted) {
        Some(row) => Answer::json(200, &row),
        None => Answer::json(400, &json!({"message": "Record not found"})),
    }
}

/// Created with 200, refused with 422.
fn create_client(account: &mut Account, call: &Call<'_>) -> Result<Answer, Refusal> {
    let fields = call.object()?;
    if given(&fields, "business_name").is_none() {
        let reason = Reason::Required.text(account.setup().language);
        let body = json!({"message": "Entity not saved", "errors": {"business_name": [reason]}});
        return Ok(Answer::json(422, &body));
    }
    let id = account.add_client(client_of(&fields));
    Ok(Answer::json(200, &json!({"message": "Entity saved", "id": id})))
}

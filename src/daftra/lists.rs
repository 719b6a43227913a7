//! What an account has to choose from: warehouses, branches, taxes, ways of paying, treasuries, clients.
//!
//! For forms only: what was read may be older than what somebody has just switched on, so nothing is refused because of it.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::client::{Answered, Client, Door, Visit, unreadable};
use super::look::{List, is_deleted};
use super::outcome::{Dialect, Setback, Unanswered};
use super::wire;
use crate::domain::catalog::Product;
use crate::domain::offer::{Method, Named, Places, Tax, WaysOfPaying};
use crate::domain::rules::fold;
use crate::outgoing::Method as Verb;

impl Client {
    /// The warehouses and branches.
    pub fn places(&self, door: &Door, pace: &dyn Fn()) -> Answered<Result<Places, Unanswered>> {
        self.visit(door, pace, "choices", |visit| {
            let list = List { dialect: Dialect::V1, path: "/api2/stores.json", model: "Store", query: Vec::new() };
            let mut stores = Vec::new();
            visit.pages(&list, &mut |row| {
                if wire::flag(row, "active")? {
                    stores.push((!wire::flag(row, "primary")?, named(row)?));
                }
                Ok(())
            })?;
            stores.sort_by_key(|(is_second, store)| (*is_second, store.id));
            let stores = stores.into_iter().map(|(_, store)| store).collect();
            Ok(Places { stores, branches: visit.branches()? })
        })
    }

    /// The active taxes.
    pub fn taxes(&self, door: &Door, pace: &dyn Fn()) -> Answered<Result<Vec<Tax>, Unanswered>> {
        self.visit(door, pace, "choices", |visit| {
            let list = List { dialect: Dialect::V1, path: "/api2/taxes.json", model: "Tax", query: Vec::new() };
            let mut taxes = Vec::new();
            visit.pages(&list, &mut |row| {
                // Not every account says whether a tax is in use.
                if wire::text(row, "active").is_none() || wire::flag(row, "active")? {
                    let Named { id, name } = named(row)?;
                    let percent = wire::decimal(row, "value")?.ok_or("value of a tax is missing")?;
                    let rate = (percent / Decimal::ONE_HUNDRED).normalize();
                    taxes.push(Tax { id, name, rate, included: wire::flag(row, "included")? });
                }
                Ok(())
            })?;
            Ok(taxes)
        })
    }

    /// The active ways of paying, and the active treasuries.
    pub fn ways_of_paying(&self, door: &Door, pace: &dyn Fn()) -> Answered<Result<WaysOfPaying, Unanswered>> {
        let list = |path| List { dialect: Dialect::V2, path, model: "", query: vec![("sort[id]", "asc")] };
        self.visit(door, pace, "choices", |visit| {
            let mut ways = WaysOfPaying::default();
            visit.pages(&list("/v2/api/entity/site_payment_gateway/list/1"), &mut |row| {
                if let Some(slug) = wire::method(row)?.filter(|_| !is_deleted(row)) {
                    ways.methods.push(Method { label: wire::text(row, "label").unwrap_or_else(|| slug.clone()), slug });
                }
                Ok(())
            })?;
            visit.pages(&list("/v2/api/entity/treasury/list/1"), &mut |row| {
                if wire::treasury(row)?.is_some() && !is_deleted(row) {
                    ways.treasuries.push(named(row)?);
                }
                Ok(())
            })?;
            Ok(ways)
        })
    }

    /// Clients whose name or number holds a text, one page of them: a list of thousands is nothing to choose from.
    pub fn clients(&self, door: &Door, pace: &dyn Fn(), text: &str) -> Answered<Result<Vec<Named>, Unanswered>> {
        const PATH: &str = "/v2/api/entity/client/list/1";
        const NAMES: [&str; 4] = ["business_name", "first_name", "last_name", "client_number"];
        let like = format!("%{}%", text.trim());
        let fields = NAMES.map(|name| format!("filter[or][{name}][like]"));
        let mut query = vec![("sort[id]", "asc")];
        if !text.trim().is_empty() {
            query.extend(fields.iter().map(|field| (field.as_str(), like.as_str())));
        }
        let list = List { dialect: Dialect::V2, path: PATH, model: "", query };
        let wanted = fold(text);
        self.visit(door, pace, "choices", |visit| {
            let mut clients = Vec::new();
            visit.page(&list, 1, &mut |row| {
                // A filter is a wish.
                let holds = |name: &&str| wire::text(row, name).is_some_and(|value| fold(&value).contains(&wanted));
                if !is_deleted(row) && (wanted.is_empty() || NAMES.iter().any(holds)) {
                    clients.push(client(row)?);
                }
                Ok(())
            })?;
            Ok(clients)
        })
    }

    /// Active products whose name, code or barcode holds a text, one page of them.
    pub fn products_like(
        &self,
        door: &Door,
        pace: &dyn Fn(),
        text: &str,
    ) -> Answered<Result<Vec<Product>, Unanswered>> {
        const PATH: &str = "/v2/api/entity/product/list/1";
        const NAMES: [&str; 3] = ["name", "product_code", "barcode"];
        let like = format!("%{}%", text.trim());
        let fields = NAMES.map(|name| format!("filter[or][{name}][like]"));
        let mut query = vec![("sort[id]", "asc")];
        query.extend(fields.iter().map(|field| (field.as_str(), like.as_str())));
        let list = List { dialect: Dialect::V2, path: PATH, model: "", query };
        let wanted = fold(text);
        self.visit(door, pace, "products", |visit| {
            let mut products = Vec::new();
            visit.page(&list, 1, &mut |row| {
                // A filter is a wish.
                let holds = |name: &&str| wire::text(row, name).is_some_and(|value| fold(&value).contains(&wanted));
                if !is_deleted(row) && NAMES.iter().any(holds) {
                    products.extend(Some(wire::product(row)?).filter(|product| product.active));
                }
                Ok(())
            })?;
            Ok(products)
        })
    }

    /// One client; none if it is not there.
    pub fn client(&self, door: &Door, pace: &dyn Fn(), id: i64) -> Answered<Result<Option<Named>, Unanswered>> {
        self.visit(door, pace, "choices", |visit| {
            let path = format!("/api2/clients/{id}.json");
            match visit.call(Dialect::V1, Verb::Get, &path, &[], None) {
                Err(Setback::Refused(refusal)) if refusal.status == 404 => Ok(None),
                reply => {
                    let found = wire::record(&reply?, "Client").and_then(|row| client(&row));
                    found.map(Some).map_err(unreadable)
                }
            }
        })
    }
}

impl Visit<'_> {
    /// Where the feature is off Daftra refuses the list itself.
    fn branches(&mut self) -> Result<Vec<Named>, Unanswered> {
        let query = [("sort[id]", "asc"), ("per_page", "100")];
        let answer = match self.call(Dialect::V2, Verb::Get, "/v2/api/entity/branch/list/1", &query, None) {
            Err(Setback::Refused(_)) => return Ok(Vec::new()),
            reply => reply?,
        };
        let page = wire::page_v2(&answer).map_err(unreadable)?;
        let rows = page.rows.into_iter().filter(|row| !is_deleted(row));
        rows.map(|row| named(row).map_err(unreadable)).collect()
    }
}

fn named(row: &Map<String, Value>) -> Result<Named, String> {
    with_id(row, wire::text(row, "name"))
}

/// A firm has one name, a person two.
fn client(row: &Map<String, Value>) -> Result<Named, String> {
    let parts: Vec<String> = ["first_name", "last_name"].iter().filter_map(|name| wire::text(row, name)).collect();
    let person = (!parts.is_empty()).then(|| parts.join(" "));
    with_id(row, wire::text(row, "business_name").or(person))
}

/// What has no name is called by its id.
fn with_id(row: &Map<String, Value>, name: Option<String>) -> Result<Named, String> {
    let id = wire::id(row, "id")?.ok_or("id of a row is missing")?;
    Ok(Named { id, name: name.map_or_else(|| format!("#{id}"), |name| name.trim().to_owned()) })
}

//! A bridge furnished for one body: account, catalogue and tax map are made from what the body names.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use qantara::db::log::Facts;
use qantara::db::merchant;
use qantara::domain::reason::{Failed, Reason};
use qantara::domain::rules::{LinePolicy, Rules, TaxRule};
use qantara::sandbox::daftra::{Account, AccountSetup, DocumentKind, Product, SecondTax, Tax};
use qantara::sandbox::shop::delivery::Delivery;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::common::stage::{self, Cast, Plan, Stage};
use crate::left::{Left, list, number};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Ids in the fake Daftra, above those it is furnished with.
const FIRST_PRODUCT: u64 = 1_001;
const FIRST_TAX: u64 = 11;

/// A bridge with one merchant whose Daftra knows everything that the body sells.
pub(crate) struct Bridge {
    stage: Stage,
    merchant_id: i64,
    shop_domain: String,
    products: Products,
}

/// Daftra's products for the body's lines.
#[derive(Default)]
struct Products {
    by_line: BTreeMap<i64, u64>,
    by_code: BTreeMap<String, u64>,
    /// What a person must map, for the line has no code of its own.
    by_variant: BTreeMap<i64, u64>,
}

impl Bridge {
    pub(crate) fn new(body: &Value, second_tax: SecondTax) -> Self {
        let shop_domain = body["shop_domain"].as_str().unwrap_or("wadi.myshopify.com").to_owned();
        let setup = AccountSetup {
            currency: body["currency"].as_str().unwrap_or("SAR").to_owned(),
            decimals: number(&body["total_price"]).scale(),
            time_zone: zone(body),
            second_tax,
            ..AccountSetup::default()
        };
        let mut stage = Stage::new(Plan { workers: 1, accounts: vec![setup], ..Plan::default() });
        let merchant_id = stage.add(&Cast { shop: &shop_domain, ..Cast::default() });
        let (products, taxes) = (Products::of(body), taxes(body));
        stage.account("one", |account| products.put_on_the_shelf(account));
        stage.account("one", |account| {
            for tax in &taxes {
                let id = tax.daftra_id.try_into().unwrap();
                let (name, value) = (tax.title.clone().unwrap(), tax.rate * Decimal::ONE_HUNDRED);
                account.add_tax(Tax { id, name, value, included: tax.included, active: true });
            }
        });
        let mappings = products.by_variant.clone();
        let write = stage.db.write(move |tx| {
            for (variant, product) in mappings {
                let sql = "insert into mapping (merchant_id, code, product_id) values (?1, ?2, ?3)";
                tx.execute(sql, (merchant_id, variant.to_string(), i64::try_from(product).unwrap())).unwrap();
            }
            let mut merchant = merchant::get(tx, merchant_id)?;
            merchant.live_from = Some("2000-01-01T00:00:00Z".parse().unwrap());
            merchant.rules = Rules { taxes, test_orders: true, ignored_sources: BTreeSet::new(), ..stage::rules(&[]) };
            merchant::change(tx, &merchant)
        });
        write.unwrap();
        stage.start();
        Self { stage, merchant_id, shop_domain, products }
    }

    /// Delivers a body and says what became of it and why, in the words of the table.
    pub(crate) fn deliver(&self, id: &str, topic: &str, body: &[u8]) -> (String, String) {
        let delivery = Delivery {
            topic: topic.to_owned(),
            webhook_id: id.to_owned(),
            event_id: id.to_owned(),
            triggered_at: self.stage.clock.now(),
            api_version: "2026-07".to_owned(),
            shop_domain: self.shop_domain.clone(),
            order_id: None,
            body: body.to_vec(),
        };
        assert!(self.stage.deliver_to(None, &delivery, "hush"), "every signed body is kept");
        self.stage.until_idle(DAY);
        self.outcome()
    }

    fn outcome(&self) -> (String, String) {
        if let Some(order) = self.stage.orders().pop() {
            return (order.state.word().to_owned(), order.reason.as_ref().map(codes).unwrap_or_default());
        }
        match self.stage.log().pop() {
            None => ("kept".to_owned(), String::new()),
            Some(entry) => match entry.facts {
                Some(Facts::Reason(Reason::Failed(Failed::Unreadable { path, .. }))) => {
                    (entry.status.word().to_owned(), if path.is_empty() { "body".to_owned() } else { path })
                }
                _ => (entry.status.word().to_owned(), String::new()),
            },
        }
    }

    /// The merchant decides that custom items are booked, and a person tries the order again.
    pub(crate) fn book_custom_lines(&self) -> (String, String) {
        let id = self.merchant_id;
        let write = self.stage.db.write(move |tx| {
            let mut merchant = merchant::get(tx, id)?;
            merchant.rules.custom = LinePolicy::Line;
            merchant::change(tx, &merchant)
        });
        write.unwrap();
        self.stage.try_again(&self.stage.orders()[0]);
        self.stage.until_idle(DAY);
        self.outcome()
    }

    /// The merchant's tax map loses its rows for taxes that a line carries together.
    pub(crate) fn forget_joined_taxes(&self) {
        let id = self.merchant_id;
        let write = self.stage.db.write(move |tx| {
            let mut merchant = merchant::get(tx, id)?;
            merchant.rules.taxes.retain(|rule| rule.title.as_deref().is_some_and(|title| !title.contains('+')));
            merchant::change(tx, &merchant)
        });
        write.unwrap();
    }

    pub(crate) fn documents(&self) -> usize {
        let kinds = [DocumentKind::Invoice, DocumentKind::CreditNote, DocumentKind::RefundReceipt];
        self.stage.account("one", |account| kinds.map(|kind| account.documents(kind).count()).into_iter().sum())
    }

    /// What the one invoice in Daftra, less its receipts, amounts to.
    pub(crate) fn found(&self) -> Result<Left, String> {
        self.stage.account("one", |account| self.found_in(account))
    }

    fn found_in(&self, account: &Account) -> Result<Left, String> {
        let invoices: Vec<_> = account.documents(DocumentKind::Invoice).collect();
        let [invoice] = invoices.as_slice() else { return Err(format!("{} invoices", invoices.len())) };
        let mut found = Left::default();
        let receipts = account.documents(DocumentKind::RefundReceipt);
        for (document, sign) in receipts.map(|receipt| (receipt, -Decimal::ONE)).chain([(*invoice, Decimal::ONE)]) {
            if !document.counts() {
                return Err(format!("{} does not count", document.no));
            }
            found.total += document.totals.total * sign;
            found.tax += document.totals.tax * sign;
            for item in &document.items {
                let Some(line) = line_of(&item.description) else { continue };
                *found.units.entry(line).or_default() += item.quantity * sign;
                let product = self.products.by_line.get(&line).copied();
                if document.id == invoice.id && item.product_id != product {
                    return Err(format!("line {line} is product {:?}, not {product:?}", item.product_id));
                }
            }
        }
        found.units.retain(|_, units| !units.is_zero());
        Ok(found)
    }
}

impl Products {
    fn of(order: &Value) -> Self {
        let mut products = Self::default();
        let mut ids = FIRST_PRODUCT..;
        for line in list(&order["line_items"]) {
            let (sku, variant) = (line["sku"].as_str().unwrap_or_default().trim(), line["variant_id"].as_i64());
            let id = match (sku, variant) {
                ("", None) => continue,
                ("", Some(variant)) => *products.by_variant.entry(variant).or_insert_with(|| ids.next().unwrap()),
                _ => *products.by_code.entry(sku.to_lowercase()).or_insert_with(|| ids.next().unwrap()),
            };
            products.by_line.insert(line["id"].as_i64().unwrap_or_default(), id);
        }
        products
    }

    fn put_on_the_shelf(&self, account: &mut Account) {
        let coded = self.by_code.iter().map(|(code, id)| (code.clone(), *id));
        for (product_code, id) in coded.chain(self.by_variant.iter().map(|(variant, id)| (format!("M{variant}"), *id)))
        {
            account.add_product(Product { id, name: product_code.clone(), product_code, ..Product::default() });
            account.add_stock(id, 1, Decimal::ONE_THOUSAND, stage::START.parse().unwrap());
        }
    }
}

/// The tax map that books what each line was charged, and a row for each of its taxes alone.
fn taxes(order: &Value) -> Vec<TaxRule> {
    let included = order["taxes_included"] == true;
    let mut wanted = BTreeSet::new();
    for line in list(&order["line_items"]).chain(list(&order["shipping_lines"])) {
        let charged: Vec<&Value> = list(&line["tax_lines"]).filter(|tax| !number(&tax["price"]).is_zero()).collect();
        let rule = |taxes: &[&Value]| {
            let titles: Vec<&str> = taxes.iter().map(|tax| tax["title"].as_str().unwrap()).collect();
            let sum = |key: &str| taxes.iter().map(|tax| number(&tax[key])).sum::<Decimal>();
            (titles.join(" + "), charged_rate(line, included, sum("rate"), sum("price")))
        };
        wanted.extend(charged.chunks(1).chain([charged.as_slice()]).filter(|taxes| !taxes.is_empty()).map(rule));
    }
    let numbered = wanted.into_iter().zip(FIRST_TAX..);
    let rule = |((title, rate), id): ((String, Decimal), u64)| TaxRule {
        title: Some(title),
        rate,
        included,
        daftra_id: id.try_into().unwrap(),
    };
    numbered.map(rule).collect()
}

/// The rate that was charged. Some of Shopify's own samples name another one than their amounts show.
fn charged_rate(line: &Value, included: bool, stated: Decimal, amount: Decimal) -> Decimal {
    let discount: Decimal = list(&line["discount_allocations"]).map(|part| number(&part["amount"])).sum();
    let units = if line["quantity"].is_null() { Decimal::ONE } else { number(&line["quantity"]) };
    let price = number(&line["price"]) * units - discount;
    let base = if included { price - amount } else { price };
    if (base * stated - amount).abs() < Decimal::new(5, 2) { stated } else { (amount / base).round_dp(5) }
}

/// The zone of the shop's clock: bodies only show how far it is from Greenwich.
fn zone(order: &Value) -> String {
    let time = order["created_at"].as_str().unwrap_or("+03:00");
    let (sign, hours) = (&time[time.len() - 6..time.len() - 5], &time[time.len() - 5..time.len() - 3]);
    // Zones of this name count westwards.
    let flipped = if sign == "-" { '+' } else { '-' };
    match hours.trim_start_matches('0') {
        "" => "Etc/GMT".to_owned(),
        hours => format!("Etc/GMT{flipped}{hours}"),
    }
}

/// The line that a row's description is marked with.
fn line_of(description: &str) -> Option<i64> {
    description.strip_suffix(']')?.rsplit_once("[line ")?.1.parse().ok()
}

/// The codes of a reason, each once.
fn codes(reason: &Reason) -> String {
    let reason = json!(reason);
    let inner = reason.as_object().unwrap().values().next().unwrap();
    let all = inner.as_array().map_or(std::slice::from_ref(inner), Vec::as_slice);
    let codes: BTreeSet<&str> = all.iter().map(|one| one["code"].as_str().unwrap()).collect();
    codes.into_iter().collect::<Vec<_>>().join(", ")
}

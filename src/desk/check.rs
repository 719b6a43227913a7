//! From a merchant file to what is stored, and back. A [`Choice`] is good in itself; whether it gets along with the
//! other merchants is judged in the transaction that stores it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::file::{Daftra, Gateway, Lines, MerchantFile, Missing, Orders, Payments, Shop, Tax};
use super::{About, Form, Refusal, Why};
use crate::db::merchant::{Merchant, Mode};
use crate::domain::rules::{GatewayRule, PaymentRules, PricePolicy, Rules, SkuRules, TaxRule, Vendor, Vendors, fold};

/// The word for all lines of a shop, in the file and among the owned vendors.
pub(super) const EVERY_VENDOR: &str = "*";

/// A merchant as somebody wants it.
pub(super) struct Choice {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) time_zone: String,
    pub(super) mode: Option<Mode>,
    pub(super) live_from: Option<Timestamp>,
    pub(super) shop_domain: String,
    /// Of the Daftra account; none while it is not known.
    pub(super) address: Option<String>,
    pub(super) rules: Rules,
    /// Without it nothing can be planned: only a paused merchant may go without.
    pub(super) missing: Option<Refusal>,
}

impl Choice {
    /// The names this merchant claims in its shop.
    pub(super) fn vendor_names(&self) -> Vec<String> {
        match &self.rules.vendors {
            Vendors::AllBut(_) => vec![EVERY_VENDOR.to_owned()],
            Vendors::Only(own) => own.iter().map(|vendor| vendor.as_str().to_owned()).collect(),
        }
    }
}

impl MerchantFile {
    /// Judges every value.
    pub(super) fn check(&self) -> Result<Choice, Refusal> {
        let name = self.name.trim();
        wants(is_slug(&self.slug), "slug", Form::Slug, &self.slug)?;
        wants(
            (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control),
            "name",
            Form::Name,
            &self.name,
        )?;
        wants(TimeZone::get(&self.time_zone).is_ok(), "time_zone", Form::TimeZone, &self.time_zone)?;
        wants(self.mode != Some(Mode::Closed), "mode", Form::Mode, self.mode)?;
        let shop_domain = self.shop.domain.trim().to_ascii_lowercase();
        wants(is_permanent_domain(&shop_domain), "shop.domain", Form::ShopDomain, &self.shop.domain)?;
        let address = match self.daftra.url.as_str() {
            "" => None,
            url => Some(address(url).ok_or_else(|| Refusal::new("daftra.url", url, Why::Form(Form::DaftraUrl)))?),
        };
        let missing = self.missing().into_iter().next().map(|missing| match missing {
            Missing::Account => Refusal::new("daftra.url", "", Why::Form(Form::DaftraUrl)),
            Missing::Store => Refusal::new("daftra.store_id", 0, Why::Form(Form::DaftraId)),
            Missing::Client => Refusal::new("daftra.client_id", 0, Why::Form(Form::DaftraId)),
            Missing::Vendors => Refusal::new("lines.vendors", &self.lines.vendors, Why::Form(Form::Vendors)),
        });
        Ok(Choice {
            slug: self.slug.clone(),
            name: name.to_owned(),
            time_zone: self.time_zone.clone(),
            mode: self.mode,
            live_from: self.orders.live_from,
            shop_domain,
            address,
            rules: self.rules()?,
            missing,
        })
    }

    /// What a merchant must have before its orders can be planned, in the order in which people are asked for it.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        let Self { daftra, lines, .. } = self;
        let needs = [
            (Missing::Account, daftra.url.is_empty()),
            (Missing::Store, daftra.store_id == 0),
            (Missing::Client, daftra.client_id == 0),
            (Missing::Vendors, lines.vendors.is_empty()),
        ];
        needs.into_iter().filter_map(|(missing, is_missing)| is_missing.then_some(missing)).collect()
    }

    fn rules(&self) -> Result<Rules, Refusal> {
        let Self { daftra, lines, orders, .. } = self;
        wants(daftra.store_id >= 0, "daftra.store_id", Form::DaftraId, daftra.store_id)?;
        wants(daftra.client_id >= 0, "daftra.client_id", Form::DaftraId, daftra.client_id)?;
        wants(daftra.branch_id.is_none_or(|id| id > 0), "daftra.branch_id", Form::DaftraId, daftra.branch_id)?;
        let tolerance = orders.tolerance_minor;
        wants(
            tolerance.is_none_or(|minor| (0..=100_000).contains(&minor)),
            "orders.tolerance_minor",
            Form::Tolerance,
            tolerance,
        )?;
        Ok(Rules {
            vendors: vendors(lines)?,
            client_id: daftra.client_id,
            store_id: daftra.store_id,
            branch_id: daftra.branch_id,
            sku: sku(lines)?,
            shipping: lines.shipping,
            custom: lines.custom,
            gift_card: lines.gift_card,
            tip: lines.tip,
            duty: lines.duty,
            goodwill: lines.goodwill,
            trigger: orders.trigger,
            trigger_by_gateway: orders
                .trigger_by_gateway
                .iter()
                .map(|(name, trigger)| (fold(name), *trigger))
                .collect(),
            ignored_sources: orders.ignored_sources.iter().map(|source| fold(source)).collect(),
            ignored_tags: orders.ignored_tags.iter().map(|tag| fold(tag)).collect(),
            test_orders: orders.test_orders,
            draft: orders.draft,
            price: orders.price,
            exchange: orders.exchange,
            tolerance_minor: tolerance,
            locked: orders.locked,
            taxes: taxes(&self.tax)?,
            payments: payments(&self.payments, orders)?,
        })
    }

    /// The file of a stored merchant; the paths of its secrets are not known.
    #[must_use]
    pub fn of(merchant: &Merchant, address: &str) -> Self {
        let Merchant { rules, .. } = merchant;
        let names = |set: &BTreeSet<Vendor>| set.iter().map(|vendor| vendor.as_str().to_owned()).collect();
        let (vendors, not_vendors) = match &rules.vendors {
            Vendors::AllBut(others) => (vec![EVERY_VENDOR.to_owned()], names(others)),
            Vendors::Only(own) => (names(own), Vec::new()),
        };
        Self {
            slug: merchant.slug.clone(),
            name: merchant.name.clone(),
            time_zone: merchant.time_zone.clone(),
            mode: Some(merchant.mode),
            shop: Shop { domain: merchant.shop_domain.clone(), webhook_secret_files: Vec::new() },
            daftra: Daftra {
                url: address.to_owned(),
                key_file: None,
                store_id: rules.store_id,
                client_id: rules.client_id,
                branch_id: rules.branch_id,
            },
            lines: Lines {
                vendors,
                not_vendors,
                separators: rules.sku.separators.clone(),
                strip_prefixes: rules.sku.strip_prefixes.clone(),
                add_prefix: rules.sku.add_prefix.clone(),
                sku_is_barcode: rules.sku.is_barcode,
                shipping: rules.shipping,
                custom: rules.custom,
                gift_card: rules.gift_card,
                tip: rules.tip,
                duty: rules.duty,
                goodwill: rules.goodwill,
            },
            orders: Orders {
                trigger: rules.trigger,
                trigger_by_gateway: rules.trigger_by_gateway.clone(),
                ignored_sources: rules.ignored_sources.clone(),
                ignored_tags: rules.ignored_tags.clone(),
                test_orders: rules.test_orders,
                live_from: merchant.live_from,
                draft: rules.draft,
                price: rules.price,
                exchange: rules.exchange,
                tolerance_minor: rules.tolerance_minor,
                locked: rules.locked,
            },
            tax: rules.taxes.iter().map(tax).collect(),
            payments: Payments {
                record: rules.payments.record,
                from: rules.payments.from,
                refunds: rules.payments.refunds,
                gateway: rules.payments.gateways.iter().map(gateway).collect(),
            },
        }
    }
}

fn tax(rule: &TaxRule) -> Tax {
    Tax { title: rule.title.clone(), rate: rule.rate.to_string(), included: rule.included, daftra_id: rule.daftra_id }
}

fn gateway((name, rule): (&String, &GatewayRule)) -> Gateway {
    Gateway { shopify: name.clone(), method: rule.method.clone(), treasury_id: rule.treasury_id }
}

fn vendors(lines: &Lines) -> Result<Vendors, Refusal> {
    let own = named("lines.vendors", &lines.vendors)?;
    let others = named("lines.not_vendors", &lines.not_vendors)?;
    let is_every = own.contains(&Vendor::new(EVERY_VENDOR));
    if is_every && own.len() > 1 {
        return Err(Refusal::new("lines.vendors", &lines.vendors, Why::AllVendorsAlone));
    }
    if others.contains(&Vendor::new(EVERY_VENDOR)) || !(is_every || others.is_empty()) {
        return Err(Refusal::new("lines.not_vendors", &lines.not_vendors, Why::ExceptionsAlone));
    }
    Ok(if is_every { Vendors::AllBut(others) } else { Vendors::Only(own) })
}

fn named(key: &str, names: &[String]) -> Result<BTreeSet<Vendor>, Refusal> {
    let vendors: BTreeSet<Vendor> = names.iter().map(|name| Vendor::new(name)).collect();
    if vendors.iter().any(Vendor::is_none) {
        return Err(Refusal::new(key, names, Why::VendorNameless));
    }
    Ok(vendors)
}

fn sku(lines: &Lines) -> Result<SkuRules, Refusal> {
    let is_prefix = |prefix: &String| !prefix.is_empty() && prefix.trim() == prefix;
    if !lines.strip_prefixes.iter().all(is_prefix) {
        return Err(Refusal::new("lines.strip_prefixes", &lines.strip_prefixes, Why::PrefixForm));
    }
    if lines.add_prefix.trim() != lines.add_prefix {
        return Err(Refusal::new("lines.add_prefix", &lines.add_prefix, Why::Blanks));
    }
    Ok(SkuRules {
        separators: lines.separators.clone(),
        strip_prefixes: lines.strip_prefixes.clone(),
        add_prefix: lines.add_prefix.clone(),
        is_barcode: lines.sku_is_barcode,
    })
}

fn taxes(taxes: &[Tax]) -> Result<Vec<TaxRule>, Refusal> {
    let mut seen = BTreeMap::new();
    let mut rules = Vec::with_capacity(taxes.len());
    for (number, tax) in taxes.iter().enumerate() {
        let key = |name: &str| format!("tax[{number}].{name}");
        let rate = Decimal::from_str_exact(&tax.rate).ok().filter(|rate| (Decimal::ZERO..Decimal::ONE).contains(rate));
        let Some(rate) = rate.map(|rate| rate.normalize()) else {
            return Err(Refusal::new(key("rate"), &tax.rate, Why::Form(Form::Rate)));
        };
        wants(tax.daftra_id > 0, &key("daftra_id"), Form::DaftraId, tax.daftra_id)?;
        let title = tax.title.as_deref().map(str::trim).filter(|title| !title.is_empty()).map(str::to_owned);
        if let Some(first) = seen.insert((title.as_deref().map(fold), rate, tax.included), number) {
            return Err(Refusal::of(About::Key(format!("tax[{number}]")), Why::TaxTwice(first)));
        }
        rules.push(TaxRule { title, rate, included: tax.included, daftra_id: tax.daftra_id });
    }
    Ok(rules)
}

/// These need the buyer's mail address with every payment, which does not leave our books.
const ASK_FOR_MAIL: [&str; 2] = ["paypal", "stripe"];
/// Daftra's own limit.
const LONGEST_METHOD: usize = 100;

fn payments(payments: &Payments, orders: &Orders) -> Result<PaymentRules, Refusal> {
    let Payments { record, from, refunds, gateway } = payments;
    if *record && orders.draft {
        return Err(Refusal::new("payments.record", record, Why::PaidDraft));
    }
    if *record && orders.price == PricePolicy::Zero {
        return Err(Refusal::new("payments.record", record, Why::PaidZero));
    }
    if *refunds && !record {
        return Err(Refusal::new("payments.refunds", refunds, Why::RecordFirst));
    }
    if from.is_some() && !record {
        return Err(Refusal::new("payments.from", from, Why::RecordFirst));
    }
    let mut gateways = BTreeMap::new();
    for (number, one) in gateway.iter().enumerate() {
        let key = |name: &str| format!("payments.gateway[{number}].{name}");
        let (name, method) = (fold(&one.shopify), one.method.trim());
        wants(!name.is_empty(), &key("shopify"), Form::Gateway, &one.shopify)?;
        wants((1..=LONGEST_METHOD).contains(&method.chars().count()), &key("method"), Form::Method, &one.method)?;
        wants(one.treasury_id.is_none_or(|id| id > 0), &key("treasury_id"), Form::DaftraId, one.treasury_id)?;
        if ASK_FOR_MAIL.contains(&method) {
            return Err(Refusal::new(key("method"), method, Why::MethodWantsMail));
        }
        let rule = GatewayRule { method: method.to_owned(), treasury_id: one.treasury_id };
        if gateways.insert(name, rule).is_some() {
            return Err(Refusal::new(key("shopify"), &one.shopify, Why::GatewayTwice));
        }
    }
    Ok(PaymentRules { record: *record, from: *from, refunds: *refunds, gateways })
}

fn is_slug(slug: &str) -> bool {
    slug.len() <= 40 && is_label(slug)
}

/// As a part of a host name may be.
fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

pub(super) fn is_permanent_domain(domain: &str) -> bool {
    domain.strip_suffix(".myshopify.com").is_some_and(is_label)
}

/// The address in the one form in which accounts are told apart.
pub(super) fn address(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    };
    let is_good = matches!(scheme.as_str(), "http" | "https")
        && !host.is_empty()
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
        && !url.contains(|c: char| c.is_whitespace() || c.is_control() || "@?#\\\"".contains(c))
        && !path.ends_with('/')
        && !path.ends_with("/api2");
    is_good.then(|| format!("{scheme}://{}{path}", authority.to_ascii_lowercase()))
}

fn wants(is_good: bool, key: &str, form: Form, value: impl serde::Serialize) -> Result<(), Refusal> {
    if is_good { Ok(()) } else { Err(Refusal::new(key, value, Why::Form(form))) }
}

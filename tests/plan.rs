//! Golden plans: each file in `tests/plan` is one business case, told in the shop's own bodies, with the outcome written
//! by hand from the business sense. The snapshot beside it keeps the whole decision and why it came out so.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "golden/office.rs"]
mod office;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use office::Office;
use qantara::domain::catalog::{Catalog, Code, Product, ProductKind};
use qantara::domain::document::{Document, Event, Policy, State, Stock, apply};
use qantara::domain::draft::Draft;
use qantara::domain::ledger::Ledger;
use qantara::domain::money::Amount;
use qantara::domain::operation::{Change, Operation};
use qantara::domain::order::{Facts, Order, Snapshot};
use qantara::domain::plan::{Decision, plan};
use qantara::domain::reason::{Ignored, Refusal, Shortage};
use qantara::domain::rules::{Merchant, Rules};
use qantara::domain::ruling::Ruling;
use qantara::domain::trace::Trace;
use qantara::shop::read::{Reading, read};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// No order needs more operations than this.
const MOST_OPERATIONS: usize = 20;

/// One business case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    #[serde(default = "default_now")]
    now: Timestamp,
    /// Until when the plan is followed: a wait that ends by then is waited for.
    until: Option<Timestamp>,
    #[serde(flatten)]
    setting: Setting,
    /// Codes Daftra was asked about lately and does not have.
    #[serde(default)]
    misses: Vec<String>,
    /// Products Daftra has and our catalogue does not: asking finds them.
    #[serde(default)]
    daftra: Vec<ProductRow>,
    decimals: Option<u32>,
    /// Minor units by which Daftra's own rounding of the invoice is off.
    #[serde(default)]
    rounded: i64,
    look_first_before: Option<Timestamp>,
    /// Whether looking for a document in doubt finds it.
    #[serde(default)]
    found: bool,
    /// What came before, each planned and performed in its time.
    #[serde(default)]
    history: Vec<Past>,
    /// What the merchant or Daftra changed since.
    #[serde(default)]
    changed: Setting,
    /// What a person decided since.
    #[serde(default)]
    rulings: Vec<Ruling>,
    /// What looks at the stock of an invoice find.
    #[serde(default)]
    stock: Vec<Stock>,
    /// What is missing in stock when Daftra refuses.
    #[serde(default)]
    shortages: Vec<Shortage>,
    #[serde(default = "default_topic")]
    topic: String,
    body: String,
    /// Deliveries that came right after the body.
    #[serde(default)]
    also: Vec<Delivery>,
    expect: Expect,
}

/// Only what deviates from `default_merchant`.
#[derive(Default, Deserialize)]
struct Setting {
    #[serde(default)]
    merchant: MerchantRow,
    #[serde(default)]
    rules: serde_json::Map<String, Value>,
    #[serde(default)]
    product: Vec<ProductRow>,
    #[serde(default)]
    mapping: BTreeMap<String, i64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MerchantRow {
    account_id: Option<i64>,
    zone: Option<String>,
    live_from: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductRow {
    id: i64,
    code: String,
    #[serde(default)]
    barcode: String,
    name: String,
    #[serde(default = "default_kind")]
    kind: ProductKind,
    #[serde(default = "yes")]
    active: bool,
    branch_id: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Past {
    #[serde(default = "default_now")]
    now: Timestamp,
    #[serde(default)]
    answer: Answer,
    #[serde(default = "default_topic")]
    topic: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    topic: String,
    body: String,
}

/// How Daftra answered what was sent in a past step.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    #[default]
    Accepted,
    Refused,
    /// Refused without a complaint about any field.
    Locked,
    /// Refused for its date: the books of that time are closed.
    ClosedPeriod,
    /// Accepted, and later somebody deleted it.
    Deleted,
    /// No answer came.
    Unknown,
}

/// Written by hand.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// What is to be done first, in one word.
    decision: String,
    /// The documents that are sent, in this order, if every answer is good.
    #[serde(default)]
    document: Vec<Sent>,
    /// Why it is ignored, held or waits: at first or in the end.
    #[serde(default)]
    codes: BTreeSet<String>,
    /// How it ends. Left out: as it begins if nothing is done, else settled.
    ends: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    /// `invoice`, `replacement`, `refund_receipt` or `payment`.
    kind: String,
    /// What the customer pays or gets back, tax included.
    total: String,
    tax: String,
    /// By product; `text` are free-text rows, which move no stock.
    #[serde(default)]
    units: BTreeMap<String, i64>,
    /// Only where the number of rows is the point.
    rows: Option<usize>,
    /// Only where the day is the point.
    date: Option<String>,
}

#[test]
fn every_case_is_planned_as_its_business_sense_says() {
    let (mut cases, mut snapshots) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => drop(cases.insert(stem)),
            Some("snap") => drop(snapshots.insert(stem)),
            // A snapshot that waits for a person's review.
            Some("new") => {}
            _ => panic!("{} is neither a case nor a snapshot", path.display()),
        }
    }
    assert!(cases.len() >= 42, "Only {} cases are left", cases.len());
    assert_eq!(snapshots.difference(&cases).collect::<Vec<_>>(), Vec::<&String>::new(), "snapshots without a case");
    let failed: Vec<&String> = cases.iter().filter(|name| std::panic::catch_unwind(|| check(name)).is_err()).collect();
    assert!(failed.is_empty(), "{} of {} cases failed: {failed:#?}", failed.len(), cases.len());
}

/// Plays one case.
fn check(name: &str) {
    let text = std::fs::read_to_string(folder().join(format!("{name}.toml"))).unwrap();
    let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut world = World::of(&case);
    for past in &case.history {
        world.now = past.now;
        world.hear(&past.topic, &past.body);
        world.run(past.answer, past.now);
    }
    world.set(&case.changed);
    world.ledger.rulings = case.rulings.iter().copied().collect();
    world.now = case.now;
    world.hear(&case.topic, &case.body);
    for delivery in &case.also {
        world.hear(&delivery.topic, &delivery.body);
    }
    let (first, trace) = world.plan();
    let (sent, last) = world.run(Answer::Accepted, case.until.unwrap_or(case.now));

    world.office.check_stock(&world.catalog);

    let mut outcome = Expect {
        decision: word(&first).to_owned(),
        document: sent.iter().map(Sent::of).collect(),
        codes: codes(&first).into_iter().chain(codes(&last)).collect(),
        ends: Some(word(&last).to_owned()),
    };
    if case.expect.ends.is_none()
        && (word(&last) == "settled" || outcome.document.is_empty() && word(&first) == word(&last))
    {
        outcome.ends = None;
    }
    for (sent, expected) in outcome.document.iter_mut().zip(&case.expect.document) {
        sent.rows = expected.rows.and(sent.rows);
        sent.date = expected.date.as_ref().and(sent.date.take());
    }
    assert_eq!(outcome, case.expect, "{name}: left is the plan, right is the case");

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("plan");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, story(&first, &trace)));
}

/// The shop, the merchant, our books and a Daftra that does what it is told.
struct World {
    now: Timestamp,
    merchant: Merchant,
    catalog: Catalog,
    ledger: Ledger,
    snapshot: Option<(Timestamp, Snapshot)>,
    facts: Facts,
    daftra: Vec<Product>,
    rounded: Amount,
    found: bool,
    stock: Vec<Stock>,
    shortages: Vec<Shortage>,
    office: Office,
}

impl World {
    fn of(case: &Case) -> Self {
        let mut world = Self {
            now: case.now,
            merchant: default_merchant(),
            catalog: Catalog { misses: case.misses.iter().map(|code| Code::new(code)).collect(), ..Catalog::default() },
            ledger: Ledger {
                documents: Vec::new(),
                classes: BTreeMap::new(),
                rulings: BTreeSet::new(),
                decimals: case.decimals,
                look_first_before: case.look_first_before,
                is_adopting: false,
                policy: Policy::default(),
            },
            snapshot: None,
            facts: Facts::default(),
            daftra: case.daftra.iter().map(ProductRow::product).collect(),
            rounded: Amount(case.rounded),
            found: case.found,
            stock: case.stock.clone(),
            shortages: case.shortages.clone(),
            office: Office::new(),
        };
        world.set(&case.setting);
        world
    }

    fn set(&mut self, setting: &Setting) {
        let row = &setting.merchant;
        self.merchant.account_id = row.account_id.unwrap_or(self.merchant.account_id);
        self.merchant.live_from = row.live_from.or(self.merchant.live_from);
        if let Some(zone) = &row.zone {
            self.merchant.zone = TimeZone::get(zone).unwrap();
        }
        let mut rules = serde_json::to_value(&self.merchant.rules).unwrap();
        rules.as_object_mut().unwrap().extend(setting.rules.clone());
        self.merchant.rules = serde_json::from_value(rules).unwrap();
        for row in &setting.product {
            self.catalog.products.retain(|known| known.id != row.id);
            self.catalog.products.push(row.product());
        }
        self.catalog.mappings.extend(setting.mapping.iter().map(|(code, id)| (Code::new(code), *id)));
    }

    /// Takes a delivery in as intake does: an older snapshot never replaces a newer one, facts only grow.
    fn hear(&mut self, topic: &str, body: &str) {
        match read(topic, body.as_bytes()).unwrap() {
            Reading::Order { snapshot, facts, updated_at, .. } => {
                self.facts.merge(facts);
                if self.snapshot.as_ref().is_none_or(|(known, _)| *known <= updated_at) {
                    self.snapshot = Some((updated_at, *snapshot));
                }
            }
            Reading::Facts { facts, .. } => self.facts.merge(facts),
            Reading::Sample { .. } => {}
            reading @ (Reading::Edited { .. }
            | Reading::DataRequest { .. }
            | Reading::RedactBuyer { .. }
            | Reading::RedactShop { .. }
            | Reading::Uninstalled { .. }
            | Reading::Product { .. }
            | Reading::Other) => panic!("{topic} does not belong in a case: {reading:?}"),
        }
    }

    fn plan(&self) -> (Decision, Trace) {
        match &self.snapshot {
            Some((_, snapshot)) => {
                let order = Order { snapshot: snapshot.clone(), facts: self.facts.clone() };
                plan(&order, &self.merchant, &self.catalog, &self.ledger, self.now)
            }
            // A sample leaves nothing to plan; so does a fact that overtook its order, in the history.
            None => (Decision::Ignore(Ignored::Sample), Trace::new()),
        }
    }

    /// Performs operation after operation until nothing may run, and returns what was sent.
    fn run(&mut self, answer: Answer, until: Timestamp) -> (Vec<(&'static str, Draft)>, Decision) {
        let mut sent = Vec::new();
        for _ in 0..MOST_OPERATIONS {
            match self.plan().0 {
                Decision::Act(operations) => sent.extend(self.perform(operations.into_iter().next().unwrap(), answer)),
                Decision::Wait(Some(at), _) if at <= until => self.now = at,
                end @ (Decision::Settled | Decision::Ignore(_) | Decision::Hold(_) | Decision::Wait(..)) => {
                    return (sent, end);
                }
            }
        }
        panic!("The plan does not come to an end");
    }

    fn perform(&mut self, operation: Operation, answer: Answer) -> Option<(&'static str, Draft)> {
        match operation {
            Operation::Record { changes } => {
                changes.into_iter().for_each(|change| self.record(change));
                None
            }
            Operation::Find { codes } => {
                let fits = |product: &Product| codes.contains(&product.code) || codes.contains(&product.barcode);
                self.catalog.products.extend(self.daftra.iter().filter(|product| fits(product)).cloned());
                self.catalog.misses.extend(codes);
                None
            }
            Operation::Create { document, parent, source_key, draft, classes } => {
                let id = document.unwrap_or_else(|| self.plan_document(parent, source_key, draft.clone()));
                self.document(id).parent_id = parent;
                self.ledger.classes.extend(classes);
                self.event(id, Event::Create { draft: draft.clone() });
                self.answer(id, answer);
                if matches!(answer, Answer::Accepted) {
                    self.book(id, &draft);
                }
                Some((draft.kind(), draft))
            }
            Operation::Replace { document, draft, classes } => {
                self.ledger.classes.extend(classes);
                self.event(document, Event::Replace { draft: draft.clone() });
                self.answer(document, answer);
                if matches!(answer, Answer::Accepted) {
                    self.book(document, &draft);
                }
                Some(("replacement", draft))
            }
            Operation::Rewrite { document } => {
                let draft = self.document(document).content.clone();
                self.event(document, Event::Replace { draft: draft.clone() });
                self.answer(document, answer);
                Some(("rewritten", draft))
            }
            Operation::Verify { document } if self.document(document).state == State::Refused => {
                self.event(document, Event::Short { shortages: self.shortages.clone() });
                None
            }
            Operation::Verify { document } => {
                let total = self.document(document).content.total() + self.rounded(document);
                self.event(document, Event::AsWritten { total, remote_no: None });
                if self.document(document).invoice().is_some() {
                    let stock = if self.stock.is_empty() { Stock::Moved } else { self.stock.remove(0) };
                    self.event(document, Event::StockRead { stock });
                }
                None
            }
            Operation::Resolve { document: id, wanted } => {
                let document = self.document(id);
                let replacement = document.replacement.as_ref().map(Draft::total);
                if self.found {
                    let document = self.document(id);
                    let draft = document.replacement.clone().unwrap_or_else(|| document.content.clone());
                    self.book(id, &draft);
                }
                let event = match (replacement, self.found) {
                    (Some(total), true) => Event::AsWritten { total, remote_no: None },
                    (Some(_), false) => Event::AsBefore,
                    (None, true) => Event::Found { remote_id: 7_000 + id, remote_no: None },
                    (None, false) => Event::Absent { wanted },
                };
                self.event(id, event);
                None
            }
        }
    }

    /// A document reaches Daftra.
    fn book(&mut self, id: i64, draft: &Draft) {
        let parent = self.document(id).parent_id;
        let parent = parent.map(|parent| self.document(parent).content.header().reference.clone());
        let tolerance = self.merchant.rules.tolerance_minor;
        self.office.take(draft, parent.as_deref(), &self.catalog, tolerance);
    }

    /// What Daftra computes of an invoice beside what the shop says.
    fn rounded(&mut self, document: i64) -> Amount {
        if self.document(document).invoice().is_some() { self.rounded } else { Amount::ZERO }
    }

    fn record(&mut self, change: Change) {
        match change {
            Change::Recover { document } => self.event(document, Event::Restarted),
            Change::Drop { document } => self.event(document, Event::Drop),
            Change::Want { document } => self.event(document, Event::Want),
            Change::LookFirst { parent, source_key, draft, look_at, classes } => {
                let id = self.plan_document(parent, source_key, *draft);
                let born = self.document(id);
                (born.state, born.look_at) = (State::InDoubt, Some(look_at));
                self.ledger.classes.extend(classes);
            }
            Change::Reverse { document } => self.event(document, Event::Reverse),
            Change::Note { document, seen } => self.event(document, Event::Note { seen }),
            Change::Class { refund, class } => drop(self.ledger.classes.insert(refund, class)),
            Change::Adopt { document, transactions } => self.event(document, Event::Adopt { transactions }),
            Change::Recount { document, covers, amount } => {
                self.event(document, Event::Recount { covers, amount });
            }
        }
    }

    fn plan_document(&mut self, parent: Option<i64>, source_key: String, draft: Draft) -> i64 {
        let id = i64::try_from(self.ledger.documents.len()).unwrap() + 1;
        let planned = Document::planned(self.merchant.account_id, parent, source_key, draft, self.now);
        self.ledger.documents.push(Document { id, ..planned });
        id
    }

    fn answer(&mut self, document: i64, answer: Answer) {
        let event = match answer {
            Answer::Accepted => Event::Accepted { remote_id: Some(7_000 + document), remote_no: None },
            Answer::Unknown => Event::Unknown,
            Answer::Deleted => {
                self.event(document, Event::Accepted { remote_id: Some(7_000 + document), remote_no: None });
                self.event(document, Event::Missing);
                Event::Missing
            }
            Answer::Locked => {
                let message = "The electronic invoice has been accepted".to_owned();
                Event::Refused(Refusal { status: 400, message, fields: Vec::new() })
            }
            Answer::ClosedPeriod => {
                let date = self.document(document).content.header().date;
                let message = format!(
                    "You can not add, edit, or delete a transaction in this date {date} within a closed period"
                );
                Event::Refused(Refusal { status: 400, message, fields: Vec::new() })
            }
            Answer::Refused => Event::Refused(Refusal {
                status: 400,
                message: "Validation failed".to_owned(),
                fields: vec![("client_id".to_owned(), "Client not found".to_owned())],
            }),
        };
        self.event(document, event);
    }

    fn event(&mut self, document: i64, event: Event) {
        let now = self.now;
        let policy = self.ledger.policy;
        let document = self.document(document);
        *document = apply(document, event, now, &policy).unwrap();
    }

    fn document(&mut self, id: i64) -> &mut Document {
        self.ledger.documents.iter_mut().find(|document| document.id == id).unwrap()
    }
}

impl Sent {
    /// Added up from the rows as Daftra would, so that a row that went astray shows.
    fn of((kind, draft): &(&'static str, Draft)) -> Self {
        let mut units = BTreeMap::new();
        let (mut total, mut tax, mut rows) = (Amount::ZERO, Amount::ZERO, 0);
        if let Draft::Payment(payment) = draft {
            total = payment.amount;
        }
        for billed in draft.billed() {
            let key = billed.product_id.map_or_else(|| "text".to_owned(), |id| id.to_string());
            for row in &billed.rows {
                *units.entry(key.clone()).or_default() += row.units;
                total += row.unit_price.times(row.units).unwrap();
                rows += 1;
            }
            tax += billed.tax;
            total += if billed.included { Amount::ZERO } else { billed.tax };
        }
        let print = |amount| draft.header().currency.print(amount);
        let date = draft.header().date.to_string();
        Self {
            kind: (*kind).to_owned(),
            total: print(total),
            tax: print(tax),
            units,
            rows: Some(rows),
            date: Some(date),
        }
    }
}

impl ProductRow {
    fn product(&self) -> Product {
        Product {
            id: self.id,
            code: Code::new(&self.code),
            barcode: Code::new(&self.barcode),
            name: self.name.clone(),
            kind: self.kind,
            active: self.active,
            tracked: true,
            branch_id: self.branch_id,
        }
    }
}

fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Settled => "settled",
        Decision::Ignore(_) => "ignore",
        Decision::Hold(_) => "hold",
        Decision::Wait(..) => "wait",
        Decision::Act(operations) => match &operations[0] {
            Operation::Record { .. } => "record",
            Operation::Find { .. } => "find",
            Operation::Create { .. } => "create",
            Operation::Replace { .. } => "replace",
            Operation::Rewrite { .. } => "rewrite",
            Operation::Verify { .. } => "verify",
            Operation::Resolve { .. } => "resolve",
        },
    }
}

fn codes(decision: &Decision) -> Vec<String> {
    let code = |reason: Value| reason["code"].as_str().unwrap().to_owned();
    match decision {
        Decision::Settled | Decision::Act(_) => Vec::new(),
        Decision::Ignore(ignored) => vec![code(json!(ignored))],
        Decision::Hold(holds) => holds.iter().map(|hold| code(json!(hold))).collect(),
        Decision::Wait(_, why) => vec![code(json!(why))],
    }
}

/// The decision and its trace, a line for each part.
fn story(decision: &Decision, trace: &Trace) -> String {
    let mut lines = vec![word(decision).to_owned()];
    match decision {
        Decision::Settled => {}
        Decision::Ignore(ignored) => lines.push(line(ignored)),
        Decision::Hold(holds) => lines.extend(holds.iter().map(line)),
        Decision::Wait(until, why) => lines.push(line(&(until, why))),
        Decision::Act(operations) => {
            for operation in operations {
                match operation {
                    Operation::Create { draft, source_key, parent, classes, .. } => {
                        lines.push(line(&("create", source_key, parent, classes)));
                        lines.extend(parts(draft));
                    }
                    Operation::Replace { document, draft, classes } => {
                        lines.push(line(&("replace", document, classes)));
                        lines.extend(parts(draft));
                    }
                    Operation::Record { .. }
                    | Operation::Rewrite { .. }
                    | Operation::Find { .. }
                    | Operation::Verify { .. }
                    | Operation::Resolve { .. } => lines.push(line(operation)),
                }
            }
        }
    }
    lines.push("because".to_owned());
    lines.extend(trace.iter().map(line));
    lines.join("\n")
}

fn parts(draft: &Draft) -> Vec<String> {
    let payment = match draft {
        Draft::Payment(payment) => Some(line(payment)),
        Draft::Invoice(_) | Draft::RefundReceipt(_) => None,
    };
    [line(draft.header())].into_iter().chain(draft.billed().iter().map(line)).chain(payment).collect()
}

fn line(part: &impl Serialize) -> String {
    serde_json::to_string(part).unwrap()
}

/// A shop in Riyadh that sells nothing but its own goods, with VAT of 15 % and of zero, on top or included.
fn default_merchant() -> Merchant {
    let tax = |rate: &str, included: bool, id: i64| json!({"title": null, "rate": rate, "included": included, "daftra_id": id});
    let rules: Rules = serde_json::from_value(json!({
        "vendors": {"all_but": []},
        "client_id": 9, "store_id": 3, "branch_id": null,
        "sku": {"separators": ["-", "_", ".", "/", " "], "strip_prefixes": [], "add_prefix": "", "is_barcode": false},
        "shipping": "all_lines", "custom": "hold", "gift_card": "hold", "tip": "hold", "duty": "hold",
        "trigger": "created", "trigger_by_gateway": {}, "ignored_sources": [], "test_orders": false, "draft": false,
        "tolerance_minor": null,
        "taxes": [tax("0.15", false, 1), tax("0.15", true, 2), tax("0", false, 3), tax("0", true, 4)]
    }))
    .unwrap();
    Merchant {
        key: "k7".to_owned(),
        account_id: 1,
        zone: TimeZone::get("Asia/Riyadh").unwrap(),
        live_from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        rules,
    }
}

fn default_now() -> Timestamp {
    "2026-03-01T09:00:00Z".parse().unwrap()
}

fn default_topic() -> String {
    "orders/updated".to_owned()
}

fn default_kind() -> ProductKind {
    ProductKind::Product
}

fn yes() -> bool {
    true
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan")
}

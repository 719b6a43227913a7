//! The end of a seed: what should be, by the shops' own books, against what Daftra holds and what our ledger says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use qantara::db::order::{self, Overview, State as OrderState};
use qantara::db::{Db, document, log};
use qantara::domain::document::{Document as Row, State as RowState};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::Source;
use qantara::domain::reason::{Failed, Hold, Reason, Waiting};
use qantara::domain::rules::{ExchangePolicy, LinePolicy, LockedPolicy};
use qantara::sandbox::daftra::{Account, Document, DocumentKind};
use qantara::sandbox::shop::cart::OrderId;
use rust_decimal::Decimal;

use crate::people::Tampering;
use crate::sim::{Sim, State};
use crate::town::{Merchant, SPARE_PRODUCT, STOCK, product_of};

const KINDS: [DocumentKind; 2] = [DocumentKind::Invoice, DocumentKind::RefundReceipt];

/// The merchant's key and the order, which begin every reference.
pub(crate) fn order_of(reference: &str) -> String {
    reference.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

fn key_of(merchant: &str, order: OrderId) -> String {
    format!("k{merchant}-{}", order.0)
}

/// Held for a person, rightly, and trying again changes nothing about it. A restore made undone here what was done in
/// Daftra: what differs then is shown to a person, who cannot settle it in this version.
pub(crate) fn is_for_a_person(state: &State, order: &Overview) -> bool {
    let undone = state.undone.get(&key(order));
    let is_known = |hold: &Hold| {
        // A payment went with a PUT of the life that is gone, which did not come to send it again.
        let is_payment = |reference: &str| ["transaction/", "paid"].iter().any(|kind| reference.contains(kind));
        let is_of_another_life = matches!(hold, Hold::ChangedByHand { .. } | Hold::Overdrawn { .. })
            || matches!(hold, Hold::Gone { reference } if is_payment(reference));
        let is_unexplained = matches!(hold, Hold::LookUpFails { .. });
        undone.is_some_and(|undone| is_of_another_life && undone.has_documents || is_unexplained && undone.has_receipts)
    };
    holds(order).is_some_and(|holds| holds.iter().all(|hold| is_known(hold) || is_wanted(state, order, hold)))
}

/// Held because of what really happened to it and what the merchant's rules then leave to a person.
fn is_wanted(state: &State, order: &Overview, hold: &Hold) -> bool {
    let merchant = state.town.merchants.iter().find(|merchant| merchant.slug == order.merchant).unwrap();
    let setup = state.world.account(&merchant.account).unwrap().setup();
    let id = OrderId(u64::try_from(order.remote_id).unwrap());
    let placed = &state.town.places[merchant.place].orders[&id];
    let by_hand = |with| state.by_hand.get(&key(order)).is_some_and(|done| done.contains(&with));
    let is_exchange_left = merchant.file.orders.exchange == ExchangePolicy::Hold;
    let is_goodwill_left = merchant.file.lines.goodwill != LinePolicy::Skip;
    // What was paid, cancelled or given back for nothing no other invoice can take over.
    let stays = merchant.file.orders.locked == LockedPolicy::Hold
        || merchant.file.payments.record
        || placed.is_called_off
        || placed.goodwill.is_some();
    matches!(hold, Hold::Locked { .. }) && (setup.e_invoices || setup.requisitions) && stays
        || matches!(hold, Hold::Exchange { .. }) && placed.given.is_some() && is_exchange_left
        || matches!(hold, Hold::RefundPart { .. }) && placed.goodwill.is_some() && is_goodwill_left
        || matches!(hold, Hold::ChangedByHand { .. }) && by_hand(Tampering::Change)
        || matches!(hold, Hold::Gone { .. }) && by_hand(Tampering::Delete)
}

fn holds(order: &Overview) -> Option<&[Hold]> {
    match &order.reason {
        Some(Reason::Held(holds)) => Some(holds),
        Some(Reason::Ignored(_) | Reason::Waiting(_) | Reason::Failed(_)) | None => None,
    }
}

fn key(order: &Overview) -> String {
    format!("k{}-{}", order.merchant, order.remote_id)
}

impl State {
    /// A person deleted the invoice, and a restore made us forget that there was one: what stood on it stays in Daftra with
    /// nothing to find it by, and the order is booked anew.
    fn forgot_a_deletion(&self, key: &str) -> bool {
        let is_deleted = self.by_hand.get(key).is_some_and(|done| done.contains(&Tampering::Delete));
        is_deleted && self.undone.contains_key(key)
    }

    /// What a call makes of an order of which a restore made us forget it.
    pub(crate) fn note_undone_by(&mut self, kind: &str, reference: &str) {
        let undone = self.undone.entry(order_of(reference)).or_default();
        undone.has_documents |= kind != "create payment";
        undone.has_receipts |= kind == "create receipt";
    }

    /// Notes the orders that were written to since a copy was made, or will be by a call that is still on its way.
    pub(crate) fn note_undone(&mut self, since: Timestamp, now: Timestamp) {
        for (at, kind, reference) in std::mem::take(&mut self.on_its_way) {
            if at > now {
                self.note_undone_by(kind, &reference);
            }
        }
        for name in ["one", "two"] {
            let account = self.world.account(name).unwrap();
            let documents = KINDS.into_iter().flat_map(|kind| account.documents(kind));
            let fresh = documents.filter(|document| document.modified >= since);
            for document in fresh {
                let undone = self.undone.entry(order_of(document.text("po_number"))).or_default();
                undone.has_documents = true;
                undone.has_receipts |= document.kind == DocumentKind::RefundReceipt;
            }
            // Those of an order that is held meanwhile nobody looks for.
            for payment in account.payments().filter(|payment| payment.created >= since) {
                self.undone.entry(order_of(&payment.transaction_id)).or_default();
            }
        }
    }
}

type IsCase = fn(&Hold) -> bool;

/// What the sync log tells of cases.
const HELD: &[(IsCase, &str)] = &[
    (|hold| matches!(hold, Hold::Locked { .. }), "a locked invoice is held"),
    (|hold| matches!(hold, Hold::NotEnoughStock { .. }), "stock lacks"),
    (|hold| matches!(hold, Hold::ChangedByHand { .. }), "a change by hand is shown"),
    (|hold| matches!(hold, Hold::Gone { .. }), "a deletion by hand is shown"),
    (|hold| matches!(hold, Hold::Exchange { .. }), "an exchange is held"),
    (|hold| matches!(hold, Hold::RefundPart { .. }), "goodwill is held"),
];

/// What came about in a seed, of what every so many seeds must have.
pub(crate) fn cases(sim: &Sim) -> BTreeSet<&'static str> {
    let life = sim.life();
    let db = &life.engine.db;
    let mut cases = BTreeSet::new();
    for order in db.read(|c| order::list(c, order::Filter::default(), 1_000)).unwrap() {
        let is_booked = db.read(|c| document::of_order(c, order.id)).unwrap().iter().any(is_goodwill);
        cases.extend(is_booked.then_some("goodwill is on a receipt"));
    }
    for entry in db.read(|c| log::list(c, log::Filter::default(), 100_000)).unwrap() {
        let Some(log::Facts::Reason(reason)) = entry.facts else { continue };
        match reason {
            Reason::Held(holds) => {
                let known = HELD.iter().filter(|(is_case, _)| holds.iter().any(is_case));
                cases.extend(known.map(|(_, case)| *case));
            }
            Reason::Waiting(Waiting::StockPending { .. }) => drop(cases.insert("stock waits for a requisition")),
            Reason::Waiting(_) | Reason::Ignored(_) | Reason::Failed(_) => {}
        }
    }
    let state = sim.state();
    if !state.by_hand.values().any(|done| done.contains(&Tampering::Change)) {
        // After a restore the same hold shows what the life that is gone did.
        cases.remove("a change by hand is shown");
    }
    for merchant in &state.town.merchants {
        let account = state.world.account(&merchant.account).unwrap();
        if account.payments().next().is_some() {
            cases.insert("payments are recorded");
        }
        for (order, placed) in &state.town.places[merchant.place].orders {
            let found = Found::of(account, &key_of(&merchant.slug, *order));
            cases.extend((found.reversals > 0).then_some("a locked invoice makes room for another"));
            let is_left_out = merchant.file.lines.goodwill == LinePolicy::Skip && placed.goodwill.is_some();
            cases.extend((is_left_out && found.invoices > 0).then_some("goodwill is left out"));
            let is_booked = merchant.file.orders.exchange == ExchangePolicy::Book && placed.given.is_some();
            cases.extend((is_booked && found.receipts > 0).then_some("an exchange is booked"));
        }
    }
    cases
}

/// Everything that is not as it should be.
pub(crate) fn differences(sim: &Sim) -> Vec<String> {
    let life = sim.life();
    let db = &life.engine.db;
    let orders = db.read(|c| order::list(c, order::Filter::default(), 1_000)).unwrap();
    let mut rows = Vec::new();
    for order in &orders {
        let documents = db.read(|c| document::of_order(c, order.id)).unwrap();
        rows.extend(documents.into_iter().map(|row| (order.merchant.clone(), row)));
    }
    let state = sim.state();
    let excused = orders.iter().filter(|order| is_for_a_person(&state, order)).map(key).collect();
    let is_restored = |order: &&Overview| state.undone.contains_key(&key(order)) && is_for_a_person(&state, order);
    let astray = orders.iter().filter(is_restored).map(key).chain(state.by_hand.keys().cloned()).collect();
    let end = End { state: &state, orders, rows, excused, astray };
    let found =
        [end.restless(), faults_of_ours(db), end.lost_deliveries(db), end.documents(), end.books(), end.money()];
    [found.concat(), told_twice(db)].concat()
}

/// That a document came into being is news once, however often the process died.
fn told_twice(db: &Db) -> Vec<String> {
    let told = db.read(|c| {
        let twice = "select document_id, count(*) from mail_news where document_id is not null and changes is null
                     group by document_id having count(*) > 1";
        let mut statement = c.prepare(twice).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap();
        Ok(rows.map(Result::unwrap).collect::<Vec<_>>())
    });
    told.unwrap().into_iter().map(|(document, times)| format!("document {document} is news {times} times")).collect()
}

/// Everything at the end of a seed.
struct End<'a> {
    state: &'a State,
    orders: Vec<Overview>,
    /// The ledger, with the merchant of each row.
    rows: Vec<(String, Row)>,
    /// Orders that only a person can settle.
    excused: BTreeSet<String>,
    /// Those of them of which Daftra holds something else than our ledger says: after a restore, or by hand.
    astray: BTreeSet<String>,
}

impl End<'_> {
    /// What it should hold is not said by the shop's books alone.
    fn is_open(&self, key: &str) -> bool {
        self.excused.contains(key) || self.state.by_hand.contains_key(key)
    }

    /// Orders and documents that wait for something.
    fn restless(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for Overview { merchant, remote_id, state, reason, .. } in &self.orders {
            let is_at_rest = matches!(state, OrderState::Settled | OrderState::Ignored | OrderState::Shadow);
            if !is_at_rest && !self.is_open(&format!("k{merchant}-{remote_id}")) {
                faults.push(format!("{remote_id} of {merchant} is {}: {reason:?}", state.word()));
            }
        }
        for (_, row) in &self.rows {
            let is_restless = match row.state {
                RowState::Sending | RowState::InDoubt | RowState::Replacing | RowState::ReplaceInDoubt => true,
                RowState::Planned | RowState::Refused | RowState::Dropped | RowState::Posted => false,
                RowState::Locked | RowState::Gone | RowState::Reversed => false,
            };
            let reference = &row.content.header().reference;
            if is_restless && !self.is_open(&order_of(reference)) {
                faults.push(format!("{reference} is {}", row.state.word()));
            }
        }
        faults
    }

    /// What was answered with 200, or sent again until it was, is kept.
    fn lost_deliveries(&self, db: &Db) -> Vec<String> {
        let kept = db.read(|c| {
            let slugs = "select slug, event_key from delivery join merchant on merchant.id = merchant_id";
            let mut statement = c.prepare(slugs).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            Ok(rows.map(Result::unwrap).collect::<BTreeSet<(String, String)>>())
        });
        let kept = kept.unwrap();
        let merchants = self.state.town.merchants.iter();
        let posted = merchants.flat_map(|merchant| merchant.posted.iter().map(move |one| (&merchant.slug, one)));
        let lost = posted.filter(|(slug, one)| !kept.contains(&((*slug).clone(), one.webhook_id.clone())));
        lost.map(|(slug, one)| format!("{} of {:?} never came to {slug}", one.topic, one.order_id)).collect()
    }

    /// Of every order exactly what the shop's book says, and never more than one invoice.
    fn documents(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for merchant in &self.state.town.merchants {
            for (order, placed) in &self.state.town.places[merchant.place].orders {
                let account = self.state.world.account(&merchant.account).unwrap();
                let key = key_of(&merchant.slug, *order);
                let (mut expected, found) = (Expected::of(self.state, merchant, *order), Found::of(account, &key));
                if self.rows.iter().any(|(_, row)| is_goodwill(row) && order_of(&row.content.header().reference) == key)
                {
                    expected.money -= placed.goodwill.unwrap_or_default();
                }
                let is_twice = !found.twice.is_empty() && !self.state.forgot_a_deletion(&key);
                let reversed = self.rows.iter().map(|(_, row)| row).filter(|row| row.state == RowState::Reversed);
                let reversed = reversed.filter(|row| order_of(&row.content.header().reference) == key).count();
                // Where receipts had taken back everything, no reversal was needed; after a restore our rows forgot it.
                let is_undone = self.state.undone.contains_key(&key);
                let forgotten = if is_undone { found.empty.max(found.reversals) } else { found.reversals };
                if found.invoices > 1 + reversed.max(forgotten) || is_twice {
                    faults.push(format!("DUPLICATE {key}: {} invoices, twice: {:?}", found.invoices, found.twice));
                }
                let is_live = merchant.live_from().is_some_and(|from| placed.at.as_second() >= from.as_second());
                // What is cancelled before its invoice never gets one, not even for units that stay with the buyer.
                let may_be_nothing = expected.units.is_empty() || placed.is_called_off;
                match (is_live, found.invoices + found.receipts) {
                    (false, 0) => {}
                    (false, _) => faults.push(format!("{key} was placed before the merchant went live, and is booked")),
                    (true, 0) if may_be_nothing || self.state.by_hand.contains_key(&key) => {}
                    (true, 0) => faults.push(format!("MISSING {key}")),
                    (true, _) if self.is_open(&key) => {}
                    (true, _) if (&found.units, found.money) == (&expected.units, expected.money) => {}
                    (true, _) => faults.push(format!(
                        "{key}: units by product {:?} instead of {:?}, money {} instead of {}",
                        found.units, expected.units, found.money, expected.money
                    )),
                }
            }
        }
        faults
    }

    /// Of every order that is booked the payments are the money which the shop kept, each of them once, and the ledger has
    /// the same.
    fn money(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for merchant in &self.state.town.merchants {
            let account = self.state.world.account(&merchant.account).unwrap();
            let of_merchant = format!("k{}-", merchant.slug);
            let own = account.payments().filter(|payment| payment.transaction_id.starts_with(&of_merchant));
            let mut books = BTreeMap::new();
            let (mut references, mut kept) = (BTreeSet::new(), BTreeMap::<String, Decimal>::new());
            for payment in own {
                let reference = &payment.transaction_id;
                let is_twice = !references.insert(reference.clone());
                if is_twice && !self.state.forgot_a_deletion(&order_of(reference)) {
                    faults.push(format!("DUPLICATE payment {reference}"));
                }
                books.insert(payment.id, (reference.clone(), payment.amount.normalize()));
                let is_back =
                    account.document(payment.document_id).is_some_and(|one| one.kind == DocumentKind::RefundReceipt);
                let sum = kept.entry(order_of(reference)).or_default();
                *sum += if is_back { -payment.amount } else { payment.amount };
            }
            let (mut ledger, mut rounded) = (BTreeMap::new(), BTreeMap::<String, Decimal>::new());
            for (slug, row) in &self.rows {
                if let (true, Some(payment), Some(id)) = (*slug == merchant.slug, row.payment(), row.remote_id) {
                    let amount = payment.header.currency.decimal(payment.amount).normalize();
                    let reference = &payment.header.reference;
                    *rounded.entry(order_of(reference)).or_default() +=
                        payment.header.currency.decimal(payment.rounding);
                    ledger.insert(u64::try_from(id).unwrap(), (reference.clone(), amount));
                }
            }
            for id in books.keys().chain(ledger.keys()).collect::<BTreeSet<_>>() {
                let (book, row) = (books.get(id), ledger.get(id));
                let reference = book.or(row).map_or("", |one| &one.0);
                if book != row && !self.astray.contains(&order_of(reference)) {
                    faults.push(format!("payment {id} is {row:?} in the ledger and {book:?} in Daftra"));
                }
            }
            let place = &self.state.town.places[merchant.place];
            for order in place.orders.keys().filter(|_| merchant.file.payments.record) {
                let key = key_of(&merchant.slug, *order);
                let invoices = Found::of(account, &key).invoices;
                let paid = if invoices == 0 { Decimal::ZERO } else { place.shop.what_is_paid(*order).unwrap() };
                let kept = kept.get(&key).copied().unwrap_or_default();
                // The last payment takes Daftra's own rounding along: a minor unit per row at most.
                let rounded = rounded.get(&key).copied().unwrap_or_default();
                let most = Decimal::new(Found::of(account, &key).rows, 2);
                if (kept - rounded != paid || rounded.abs() > most) && !self.is_open(&key) {
                    faults.push(format!("{key}: payments of {kept}, {rounded} of it rounding, the shop kept {paid}"));
                }
            }
        }
        faults
    }

    /// The ledger has the documents of Daftra, with their references and totals, and no others.
    fn books(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for name in ["one", "two"] {
            let account = self.state.world.account(name).unwrap();
            let mut books = BTreeMap::new();
            for document in KINDS.into_iter().flat_map(|kind| account.documents(kind)) {
                let reference = document.text("po_number").to_owned();
                books.insert(document.id, (document.kind, reference, document.totals.total.normalize()));
            }
            let is_here = |slug: &str| self.state.town.merchants.iter().any(|m| m.slug == slug && m.account == name);
            let mut ledger = BTreeMap::new();
            for (_, row) in self.rows.iter().filter(|(slug, _)| is_here(slug)) {
                let Some(id) = row.remote_id else { continue };
                let kind = match &row.content {
                    Draft::Invoice(_) => DocumentKind::Invoice,
                    Draft::RefundReceipt(_) => DocumentKind::RefundReceipt,
                    Draft::Payment(_) => continue,
                };
                let header = row.content.header();
                let total = header.currency.decimal(row.total.unwrap_or_default()).normalize();
                ledger.insert(u64::try_from(id).unwrap(), (kind, header.reference.clone(), total));
            }
            for id in books.keys().chain(ledger.keys()).collect::<BTreeSet<_>>() {
                let (book, row) = (books.get(id), ledger.get(id));
                let reference = book.or(row).map_or("", |one| &one.1);
                if book != row && !self.astray.contains(&order_of(reference)) {
                    faults.push(format!("document {id} is {row:?} in the ledger and {book:?} in Daftra"));
                }
            }
            faults.extend(stock(account, name));
        }
        faults
    }
}

/// Daftra's bad days may use up the tries of an order; nothing else may fail one, and nothing runs on.
fn faults_of_ours(db: &Db) -> Vec<String> {
    let failed = log::Filter { status: Some(log::Status::Failed), ..log::Filter::default() };
    let is_daftras = |entry: &log::Entry| {
        matches!(entry.facts, Some(log::Facts::Reason(Reason::Failed(Failed::TooManyFailures { .. }))))
    };
    let failed = db.read(|c| log::list(c, failed, 1_000)).unwrap().into_iter().filter(|entry| !is_daftras(entry));
    let failed = failed.map(|entry| format!("a fault of ours: {:?}", entry.facts));
    let running = "select count(*) from job where running_since is not null";
    let running: i64 = db.read(|c| Ok(c.query_row(running, [], |row| row.get(0)).unwrap())).unwrap();
    failed.chain((running > 0).then(|| format!("{running} jobs run"))).collect()
}

/// A receipt for money that went back for no goods.
fn is_goodwill(row: &Row) -> bool {
    let receipt = row.receipt().filter(|_| row.remote_id.is_some());
    receipt.is_some_and(|receipt| receipt.billed.iter().any(|billed| matches!(billed.source, Source::Money(_))))
}

/// What the stock lost is what the documents say.
fn stock(account: &Account, name: &str) -> Vec<String> {
    let all = KINDS.into_iter().flat_map(|kind| account.documents(kind));
    let gone = units(all.collect::<Vec<_>>().as_slice());
    let check = |product: u64| {
        let left: Decimal = account.balances(product).values().sum();
        let lost = Decimal::from(2 * STOCK) - left;
        let gone = gone.get(&product).copied().unwrap_or_default();
        (lost != gone).then(|| format!("stock of product {product} in {name} lost {lost}, the documents say {gone}"))
    };
    (101..=SPARE_PRODUCT).filter_map(check).collect()
}

/// Units by product that documents took, less those they brought back.
fn units(documents: &[&Document]) -> BTreeMap<u64, Decimal> {
    let mut units = BTreeMap::new();
    for document in documents {
        let sign = if document.kind == DocumentKind::Invoice { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        for item in &document.items {
            if let Some(product) = item.product_id {
                *units.entry(product).or_default() += item.quantity * sign;
            }
        }
    }
    units.retain(|_, units: &mut Decimal| !units.is_zero());
    units
}

/// What should stand in Daftra for one order of one merchant.
struct Expected {
    units: BTreeMap<u64, Decimal>,
    money: Decimal,
}

impl Expected {
    fn of(state: &State, merchant: &Merchant, order: OrderId) -> Self {
        let place = &state.town.places[merchant.place];
        let placed = &place.orders[&order];
        let is_lacking = state.town.lacking.contains(&merchant.account);
        let left = match merchant.vendor {
            Some(vendor) => place.shop.what_is_left_of(order, vendor),
            None => place.shop.what_is_left(order),
        };
        let left = if placed.is_called_off { Vec::new() } else { left.unwrap() };
        let mut units: BTreeMap<u64, Decimal> = BTreeMap::new();
        for line in &left {
            *units.entry(product_of(&line.sku, is_lacking)).or_default() += Decimal::from(line.units);
        }
        for (sku, kept) in &placed.kept {
            let is_own = merchant.vendor.is_none_or(|vendor| crate::town::vendor_of(sku) == vendor);
            if is_own {
                *units.entry(product_of(sku, is_lacking)).or_default() += *kept;
            }
        }
        units.retain(|_, units| !units.is_zero());
        Self { units, money: left.iter().map(|line| line.net).sum() }
    }
}

/// What does stand there.
struct Found {
    invoices: usize,
    receipts: usize,
    /// Receipts that took back all that was left of a locked invoice.
    reversals: usize,
    /// Invoices of which receipts took back every unit.
    empty: usize,
    /// Rows of all of them.
    rows: i64,
    /// References that more than one document carries.
    twice: BTreeSet<String>,
    units: BTreeMap<u64, Decimal>,
    money: Decimal,
}

impl Found {
    fn of(account: &Account, key: &str) -> Self {
        let own = |kind| {
            let of_order = move |document: &&Document| order_of(document.text("po_number")) == key;
            account.documents(kind).filter(of_order).collect::<Vec<_>>()
        };
        let (invoices, receipts) = (own(DocumentKind::Invoice), own(DocumentKind::RefundReceipt));
        let money = |documents: &[&Document]| -> Decimal { documents.iter().map(|one| one.totals.total).sum() };
        let all = [invoices.as_slice(), &receipts].concat();
        let is_reversal = |one: &&&Document| one.text("po_number").contains("-reversal/");
        let is_empty = |invoice: &&&Document| {
            let of_it = receipts.iter().filter(|receipt| receipt.parent == Some(invoice.id));
            units(&of_it.copied().chain([**invoice]).collect::<Vec<_>>()).is_empty()
        };
        let mut seen = BTreeSet::new();
        let twice = all.iter().map(|one| one.text("po_number")).filter(|reference| !seen.insert(*reference));
        Self {
            twice: twice.map(str::to_owned).collect(),
            units: units(&all),
            money: money(&invoices) - money(&receipts),
            reversals: receipts.iter().filter(is_reversal).count(),
            empty: invoices.iter().filter(is_empty).count(),
            rows: i64::try_from(all.iter().map(|one| one.items.len()).sum::<usize>()).unwrap(),
            invoices: invoices.len(),
            receipts: receipts.len(),
        }
    }
}

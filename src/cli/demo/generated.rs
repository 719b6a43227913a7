//! `demo --once --orders N --seed S`: a town's generated histories go through the product, and in the end the books are
//! compared with what the generator expects of them. Then five lies are told to the books, and each must be noticed.
//!
//! Every day new orders come and each older one meets its next event; at night all comes to rest, so it is known of each
//! change whether it found an invoice. With faults, Daftra and the way from the shops have bad days all the time and the
//! product is killed once a day; an operator tries again what a bad day refused. Nothing here knows how the product
//! decides: the generator and its expectation use none of its parts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::thread;

use anyhow::{Context as _, anyhow, bail};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Ended, Session};
use super::checkout::{Cause, Hand, Lot};
use super::compare::{ByOrder, Place, Standing, Wanted};
use super::expectation::{REQUISITION, Stand, expect};
use super::history::{Order, Requisition};
use super::interrupt::Interrupt;
use super::lies;
use super::purse::expect_money;
use super::stage::Stage;
use super::town::{KISSATEN, MERCHANTS, SHOPS, Town, merchants_of};
use super::verdict::{Life, Verdict, report};
use crate::clock::Clock;
use crate::sandbox::fault::{Fault, FaultKind};
use crate::sandbox::shop::chance::Chance;
use crate::sandbox::shop::courier::{Courier, Habits};
use crate::sandbox::shop::delivery::Delivery;

/// A settling time of 90 seconds passes in less than a twentieth of one, an hour in two.
const SPEED: u32 = 2_000;
/// A day that has not come to rest after so long never will.
const PATIENCE: SignedDuration = SignedDuration::from_hours(240);
/// Longer than any pause after failures, throttling or trouble with a key.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(3);
/// Deliveries at once, as from a shop with several workers.
const CARRIERS: usize = 4;
/// Rows of a list of orders.
const PAGE: usize = 1_000;
/// How often the operator tries one order again.
const MOST_RETRIES: u32 = 10;
/// Orders that differ whose stories are told.
const STORIES: usize = 3;
/// Orders named when a day does not end.
const NAMED: usize = 20;
/// What a bad day of Daftra leaves to a person, who tries again.
const BAD_DAYS: [&str; 5] = ["refused", "locked", "look_up_fails", "too_many_unknown_sends", "too_many_failures"];

/// What is to be played.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub(super) orders: usize,
    pub(super) seed: u64,
    pub(super) faults: bool,
    /// Expect something wrong.
    pub(super) wrong: bool,
}

pub(super) fn play(session: &Session, interrupt: &Interrupt, ask: Ask) -> anyhow::Result<Ended> {
    let mut run = Run::new(ask, interrupt)?;
    run.live()?;
    let mut expected = run.expected()?;
    if ask.wrong
        && let Some(wanted) = expected.values_mut().find(|wanted| wanted.papers.stand == Stand::Settled)
    {
        wanted.papers.booked.invoices.tax += 1_000;
    }
    let standing = run.standing()?;
    let verdict = Verdict::of(&run.town, &expected, &standing)?;
    let noticed = match verdict.differences.is_empty() {
        true => Some(lies::tell(&run.town, &run.orders, &expected, &standing)?),
        false => None,
    };
    let stories = run.stories(&verdict)?;
    let (kills, retried) = (run.town.stage.kills, run.retries.values().sum());
    let life = Life { seed: ask.seed, orders: &run.orders, expectations: expected.len(), kills, retried, stories };
    report(session, &life, &standing, &verdict, noticed.as_ref())
}

/// The town, and the days in it.
struct Run {
    ask: Ask,
    town: Town,
    hand: Hand,
    /// For kills.
    chance: Chance,
    courier: Courier,
    orders: Vec<Order>,
    /// How often the operator tried again, by our number of the order.
    retries: BTreeMap<i64, u32>,
}

/// An order as `order list` shows it.
#[derive(Deserialize)]
struct Row {
    id: i64,
    shopify_id: u64,
    merchant: String,
    state: String,
    due_at: Option<Timestamp>,
    reason: Option<Value>,
}

/// A merchant as `merchant list` shows it.
#[derive(Deserialize)]
struct MerchantRow {
    orders: BTreeMap<String, u64>,
}

impl Run {
    fn new(ask: Ask, interrupt: &Interrupt) -> anyhow::Result<Self> {
        let town = Town::new(ask.seed, SPEED, Clock::real().now(), interrupt)?;
        let habits = Habits { duplicate_per_mille: 100, shuffle: true, max_delay_s: 600, lose_per_mille: 0 };
        let habits = if ask.faults { habits } else { Habits::default() };
        if ask.faults {
            let times = u32::try_from(1 + ask.orders / 2_000)?;
            for (place, shop) in SHOPS.iter().enumerate() {
                let makes_anew = merchants_of(place).any(|merchant| MERCHANTS[merchant].makes_anew);
                bad_days(times, makes_anew).into_iter().for_each(|fault| town.stage.spoil(shop.account, fault));
            }
        }
        Ok(Self {
            ask,
            town,
            hand: Hand::new(ask.seed),
            chance: Chance::new(ask.seed),
            courier: Courier::new(ask.seed, habits),
            orders: Vec::new(),
            retries: BTreeMap::new(),
        })
    }

    /// All days.
    fn live(&mut self) -> anyhow::Result<()> {
        let a_day = (self.ask.orders / 25).clamp(25, 500);
        let on_requisition = (self.ask.orders / 100).clamp(4, 50);
        let orders = self.ask.orders - on_requisition;
        loop {
            let mut touched = BTreeSet::new();
            let mut news = Vec::new();
            let mut older: Vec<usize> = (0..self.orders.len()).filter(|at| self.orders[*at].has_a_future()).collect();
            self.hand.shuffle(&mut older);
            for at in older {
                let order = &mut self.orders[at];
                touched.insert(order.id.0);
                news.push(self.hand.go_on(order, &mut self.town)?);
            }
            for _ in 0..a_day.min(orders - self.orders.len()) {
                let (order, deliveries) = self.hand.buy(&mut self.town)?;
                touched.insert(order.id.0);
                news.push(deliveries);
                self.orders.push(order);
            }
            if touched.is_empty() {
                break;
            }
            self.hand.shuffle(&mut news);
            self.courier.post(news.into_iter().flatten().collect(), self.town.stage.now());
            let kill = self.ask.faults.then(|| self.chance.per_mille(500));
            self.carry(kill == Some(true))?;
            if kill == Some(false) {
                self.town.stage.kill()?;
            }
            self.rest(&touched)?;
        }
        self.try_for_stock()?;
        self.on_requisition(on_requisition)
    }

    /// All goods have come in; whoever was served before may have taken what came for somebody else. Goods that come in
    /// after a refusal and before the question leave a refusal without a reason.
    fn try_for_stock(&mut self) -> anyhow::Result<()> {
        let short = self.orders.iter().filter(|order| order.lot == Lot::MustHold(Cause::NotEnoughStock));
        let short: BTreeSet<u64> = short.map(|order| order.id.0).collect();
        let still = |run: &Self| -> anyhow::Result<Vec<Row>> {
            let held = |row: &Row| row.state == "held" && short.contains(&row.shopify_id);
            Ok(run.rows(|_| true)?.into_iter().filter(held).collect())
        };
        self.until(
            |run| {
                let held = still(run)?;
                held.iter().try_for_each(|row| run.try_again(row))?;
                Ok(held.is_empty())
            },
            "Something is still not in stock",
        )?;
        self.rest(&short)
    }

    /// On the last day a warehouse hands out goods on requisition only, and does so for every other order.
    fn on_requisition(&mut self, orders: usize) -> anyhow::Result<()> {
        let account = SHOPS[KISSATEN].account;
        let world = self.town.stage.world();
        if let Some(account) = world.lock().unwrap_or_else(PoisonError::into_inner).account_mut(account) {
            account.change(|setup| setup.requisitions = true).map_err(|why| anyhow!("{why}"))?;
        }
        let (mut touched, mut news, mut accepted) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        for at in 0..orders {
            let requisition = if at % 2 == 0 { Requisition::Accepted } else { Requisition::Waits };
            let (order, deliveries) = self.hand.buy_at(KISSATEN, Lot::Plain, Some(requisition), &mut self.town)?;
            touched.insert(order.id.0);
            if requisition == Requisition::Accepted {
                accepted.insert(order.id.0);
            }
            news.extend(deliveries);
            self.orders.push(order);
        }
        self.courier.post(news, self.town.stage.now());
        self.carry(false)?;
        self.rest(&touched)?;
        for order in &accepted {
            for place in merchants_of(KISSATEN) {
                let invoice = self.town.invoice(place, *order).context("an order without an invoice")?;
                let accept = json!({"do": "accept_requisition", "document": invoice});
                self.town.stage.at_the_desk(account, "hand", &accept)?;
            }
        }
        let waits = |row: &Row| accepted.contains(&row.shopify_id) && row.state == "waiting";
        self.until(|run| Ok(!run.rows(|_| true)?.iter().any(waits)), "Goods that are out are still waited for")
    }

    /// Waits for something.
    fn until(&self, is_so: impl Fn(&Self) -> anyhow::Result<bool>, complaint: &str) -> anyhow::Result<()> {
        let end = self.town.stage.now() + PATIENCE;
        while !is_so(self)? {
            if self.town.stage.now() > end {
                bail!("{complaint}\n{}", self.town.stage.log());
            }
            self.town.stage.pause();
        }
        Ok(())
    }

    /// Brings everything to the product, which may be killed while it comes.
    fn carry(&mut self, kill: bool) -> anyhow::Result<()> {
        let mut kill = kill;
        while self.courier.next_at().is_some() {
            let now = self.town.stage.now();
            let due = self.courier.due(now);
            let middle = if kill && !due.is_empty() {
                kill = false;
                self.chance.below(u64::try_from(due.len())?)
            } else {
                0
            };
            let (before, after) = due.split_at(usize::try_from(middle)?);
            send(&self.town.stage, before)?;
            if !before.is_empty() {
                self.town.stage.kill()?;
            }
            send(&self.town.stage, after)?;
            for delivery in &due {
                self.courier.answered(delivery, Some(200), now);
            }
            if due.is_empty() {
                self.town.stage.blink();
            }
        }
        Ok(())
    }

    /// Waits until nothing that was touched goes on by itself.
    fn rest(&mut self, touched: &BTreeSet<u64>) -> anyhow::Result<()> {
        let end = self.town.stage.now() + PATIENCE;
        let orders = self.orders.iter().filter(|order| touched.contains(&order.id.0));
        let all: usize = orders.map(|order| order.merchants().count()).sum();
        loop {
            let merchants: Vec<MerchantRow> = self.command(&["merchant", "list"])?;
            let count = |state: &str| merchants.iter().filter_map(|row| row.orders.get(state)).sum::<u64>();
            let mut restless = Vec::new();
            if count("new") + count("working") == 0 {
                let rows = self.rows(|rows| rows.iter().any(|row| touched.contains(&row.shopify_id)))?;
                let rows: Vec<Row> = rows.into_iter().filter(|row| touched.contains(&row.shopify_id)).collect();
                let now = self.town.stage.now();
                for row in &rows {
                    if self.mend(row)? || !row.is_at_rest(now) {
                        restless.push(format!("{} of {} is {}", row.shopify_id, row.merchant, row.state));
                    }
                }
                if restless.is_empty() && rows.len() == all {
                    return Ok(());
                }
            }
            if self.town.stage.now() > end {
                restless.truncate(NAMED);
                bail!("The town does not come to rest: {restless:?}\n{}", self.town.stage.log());
            }
            self.town.stage.pause();
        }
    }

    /// What a bad day refused is tried again. True if it was.
    fn mend(&mut self, row: &Row) -> anyhow::Result<bool> {
        // A panic, or a plan without end, is no bad day.
        let is_bad_day = row.codes().iter().any(|code| BAD_DAYS.contains(&code.as_str()));
        if !self.ask.faults || !is_bad_day {
            return Ok(false);
        }
        let tries = self.retries.entry(row.id).or_default();
        if *tries >= MOST_RETRIES {
            return Ok(false);
        }
        *tries += 1;
        self.try_again(row)?;
        Ok(true)
    }

    fn try_again(&self, row: &Row) -> anyhow::Result<()> {
        let order = row.shopify_id.to_string();
        self.town.stage.command(&["order", "retry", &order, "--merchant", &row.merchant]).map(drop)
    }

    /// The newest orders, page by page for as long as a page is `wanted`.
    fn rows(&self, wanted: impl Fn(&[Row]) -> bool) -> anyhow::Result<Vec<Row>> {
        let mut all = Vec::new();
        let limit = PAGE.to_string();
        let mut before: Option<i64> = None;
        loop {
            let first = before.map(|id| id.to_string());
            let mut arguments = vec!["order", "list", "--limit", &limit];
            arguments.extend(first.iter().flat_map(|id| ["--before", id.as_str()]));
            let page: Vec<Row> = self.command(&arguments)?;
            let is_last = page.len() < PAGE || !wanted(&page);
            before = page.last().map(|row| row.id);
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    fn command<T: serde::de::DeserializeOwned>(&self, arguments: &[&str]) -> anyhow::Result<T> {
        Ok(serde_json::from_value(self.town.stage.command(arguments)?)?)
    }

    /// What the product itself tells of the first orders that differ.
    fn stories(&self, verdict: &Verdict) -> anyhow::Result<Vec<String>> {
        let orders = verdict.differences.keys().filter_map(|place| match place {
            Place::Order { merchant, order } => Some((order.to_string(), MERCHANTS[*merchant].slug)),
            Place::Stock { .. } | Place::Stray { .. } => None,
        });
        let show =
            |(order, slug): (String, &str)| self.town.stage.command(&["order", "show", &order, "--merchant", slug]);
        orders.take(STORIES).map(|order| show(order).map(|story| story.to_string())).collect()
    }

    fn expected(&self) -> anyhow::Result<ByOrder<Wanted>> {
        let mut expected = ByOrder::new();
        for order in &self.orders {
            for merchant in order.merchants() {
                let wanted = Wanted { papers: expect(order.told(), merchant)?, purse: expect_money(order, merchant)? };
                expected.insert((merchant, order.id.0), wanted);
            }
        }
        Ok(expected)
    }

    fn standing(&self) -> anyhow::Result<ByOrder<Standing>> {
        let mut standing = ByOrder::new();
        for row in self.rows(|_| true)? {
            let merchant = MERCHANTS.iter().position(|merchant| merchant.slug == row.merchant);
            let merchant = merchant.with_context(|| format!("there is no merchant {}", row.merchant))?;
            let codes = row.codes();
            if standing.insert((merchant, row.shopify_id), Standing { state: row.state, codes }).is_some() {
                bail!("{} stands twice in the list of orders of {}", row.shopify_id, row.merchant);
            }
        }
        Ok(standing)
    }
}

impl Row {
    fn is_at_rest(&self, now: Timestamp) -> bool {
        // What is missing in Daftra is looked for again by the hour, and that is no reason to wait.
        let is_missing = self.state == "held" && (self.codes().iter().eq(["unknown_product"]) || self.lacks_stock());
        match self.state.as_str() {
            // What is due later was put off by a bad day; only the last look for a dropped document is a day away.
            "settled" | "ignored" | "held" | "failed" => {
                is_missing || self.due_at.is_none_or(|due| due > now + LONGEST_DELAY)
            }
            "waiting" => self.due_at.is_none() || self.codes().iter().eq([REQUISITION]),
            _ => false,
        }
    }

    fn lacks_stock(&self) -> bool {
        self.state == "held" && self.codes().iter().eq(["not_enough_stock"])
    }

    fn codes(&self) -> BTreeSet<String> {
        let reasons = self.reason.iter().filter_map(Value::as_object).flat_map(|reason| reason.values());
        let whys = reasons.flat_map(|why| why.as_array().cloned().unwrap_or_else(|| vec![why.clone()]));
        whys.filter_map(|why| Some(why["code"].as_str()?.to_owned())).collect()
    }
}

/// All the trouble an account makes, in so many of a thousand calls. What stops a merchant for an hour, or a call for
/// seconds of everybody's time, comes only a few `times`. Where a refused change has consequences of its own only creates
/// are refused.
fn bad_days(times: u32, makes_anew: bool) -> Vec<Fault> {
    let rare = |kind| Fault { times: Some(times), ..Fault::always(kind).per_mille(5) };
    let common = [
        (FaultKind::LoseRequest, 8),
        (FaultKind::LoseAnswer, 8),
        (FaultKind::Late { seconds: 45 }, 8),
        (FaultKind::ErrorAfterSaving, 8),
        (FaultKind::ErrorBeforeSaving, 4),
        (FaultKind::Throttled { retry_after: Some(7) }, 4),
        (FaultKind::Throttled { retry_after: None }, 2),
        (FaultKind::CutAt { bytes: 20 }, 4),
        (FaultKind::TruncatedJson, 4),
    ];
    let rare = [
        FaultKind::HtmlPage,
        FaultKind::HtmlRedirect,
        FaultKind::Unauthorized,
        FaultKind::Forbidden,
        FaultKind::Slow { seconds: 1 },
        FaultKind::Hang,
    ]
    .map(rare);
    let refusals = [(FaultKind::FailedWith200, 3), (FaultKind::Refuse, 4)].map(|(kind, share)| {
        let fault = Fault::always(kind).per_mille(share);
        if makes_anew { fault.on("POST", "/") } else { fault }
    });
    let common = common.map(|(kind, share)| Fault::always(kind).per_mille(share));
    rare.into_iter().chain(common).chain(refusals).collect()
}

/// Several carriers at once; each delivery is brought until it is taken.
fn send(stage: &Stage, deliveries: &[Delivery]) -> anyhow::Result<()> {
    let shares = deliveries.chunks(deliveries.len().div_ceil(CARRIERS).max(1));
    thread::scope(|scope| {
        let carriers: Vec<_> =
            shares.map(|share| scope.spawn(|| share.iter().try_for_each(|delivery| stage.send(delivery)))).collect();
        carriers.into_iter().try_for_each(|carrier| carrier.join().map_err(|_| anyhow!("A carrier panicked"))?)
    })
}

//! What a generated town came to: each merchant in numbers, differences in words, and the last line.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::{Ended, Session, out};
use super::checkout::Lot;
use super::compare::{Books, ByOrder, Compared, Differences, Place, Standing, Wanted, compare};
use super::features;
use super::history::{Event, Order};
use super::lies;
use super::town::{MERCHANTS, SHOPS, Town};

/// Differences that are told in words.
const TOLD: usize = 20;

/// What the comparison of all accounts came to.
pub(super) struct Verdict {
    pub(super) differences: Differences,
    merchants: Vec<Tally>,
    missing: usize,
    twice: usize,
}

/// One merchant in numbers.
#[derive(Default)]
struct Tally {
    orders: usize,
    invoices: usize,
    receipts: usize,
    payments: usize,
    held: BTreeMap<String, usize>,
    left_alone: usize,
    waiting: usize,
    differences: usize,
}

impl Verdict {
    /// Compares all accounts.
    pub(super) fn of(town: &Town, expected: &ByOrder<Wanted>, standing: &ByOrder<Standing>) -> anyhow::Result<Self> {
        let mut verdict = Self { differences: Differences::new(), merchants: Vec::new(), missing: 0, twice: 0 };
        verdict.merchants.resize_with(MERCHANTS.len(), Tally::default);
        for shop in &SHOPS {
            let books: Books = town.stage.books(shop.account)?;
            let Compared { found, differences } = compare(town, shop.account, &books, expected, standing)?;
            for ((merchant, order), found) in &found {
                let wanted = expected.get(&(*merchant, *order));
                let may_be = wanted.map_or(1, |wanted| wanted.papers.booked.invoices.dates.len().max(1));
                verdict.twice += found.booked.invoices.dates.len().saturating_sub(may_be);
                let tally = &mut verdict.merchants[*merchant];
                tally.invoices += found.booked.invoices.dates.len();
                tally.receipts += found.booked.receipts.dates.len();
                tally.payments += found.payments.len();
            }
            let wanted =
                expected.iter().filter(|((merchant, _), _)| SHOPS[MERCHANTS[*merchant].shop].account == shop.account);
            let is_missing = |(key, wanted): &(&(usize, u64), &Wanted)| {
                wanted.papers.booked.goods.values().any(|goods| goods.units != 0)
                    && found.get(key).is_none_or(|found| found.booked.invoices.dates.is_empty())
            };
            verdict.missing += wanted.filter(is_missing).count();
            verdict.differences.extend(differences);
        }
        for ((merchant, _), standing) in standing {
            let tally = &mut verdict.merchants[*merchant];
            tally.orders += 1;
            match standing.state.as_str() {
                "held" => standing.codes.iter().for_each(|code| *tally.held.entry(code.clone()).or_default() += 1),
                "ignored" => tally.left_alone += 1,
                "waiting" => tally.waiting += 1,
                _ => {}
            }
        }
        for place in verdict.differences.keys() {
            if let Place::Order { merchant, .. } = place {
                verdict.merchants[*merchant].differences += 1;
            }
        }
        Ok(verdict)
    }
}

/// What was played.
pub(super) struct Life<'a> {
    pub(super) seed: u64,
    pub(super) orders: &'a [Order],
    pub(super) expectations: usize,
    pub(super) kills: u32,
    /// How often the operator tried an order again.
    pub(super) retried: u32,
    /// What the product tells of orders that differ.
    pub(super) stories: Vec<String>,
}

/// What happened in the town.
#[derive(Default)]
struct Events {
    edits: usize,
    refunds: usize,
    cancellations: usize,
    /// Orders of which everything was told at once.
    open: usize,
}

impl Events {
    fn of(orders: &[Order]) -> Self {
        let mut sum = Self::default();
        for order in orders {
            sum.open += usize::from(order.is_open);
            for event in &order.events {
                match event {
                    Event::Raised { .. } | Event::Lowered { .. } => sum.edits += 1,
                    Event::GaveBack { .. } => sum.refunds += 1,
                    Event::Cancelled { .. } => sum.cancellations += 1,
                    Event::Added { at_checkout, .. } => sum.edits += usize::from(!at_checkout),
                    Event::Paid | Event::Locked => {}
                }
            }
        }
        sum
    }
}

/// Tells it all. Fine only without differences, and if every lie was noticed.
pub(super) fn report(
    session: &Session,
    life: &Life<'_>,
    standing: &ByOrder<Standing>,
    verdict: &Verdict,
    noticed: Option<&lies::Noticed>,
) -> anyhow::Result<Ended> {
    let Life { seed, orders, expectations, kills, retried, stories } = life;
    let invoices: usize = verdict.merchants.iter().map(|tally| tally.invoices).sum();
    let held = standing.values().filter(|standing| standing.state == "held").count();
    let plain = orders.iter().filter(|order| order.lot == Lot::Plain).count();
    let by_id: BTreeMap<u64, &Order> = orders.iter().map(|order| (order.id.0, order)).collect();
    let told: Vec<[String; 3]> = verdict.differences.iter().map(|(place, text)| tell(place, text, &by_id)).collect();
    let (all, events, features) = (orders.len(), Events::of(orders), features::count(orders));
    let lacks: Vec<&str> = features.iter().filter(|(_, count)| *count == 0).map(|(name, _)| *name).collect();
    let lacks = if all < features::ENOUGH { Vec::new() } else { lacks };
    let line = format!(
        "{all} orders · {invoices} invoices · {held} held · {} missing · {} twice · killed {kills} times",
        verdict.missing, verdict.twice
    );
    let answer = json!({
        "orders": all, "seed": seed, "plain": plain, "expectations": expectations, "invoices": invoices,
        "held": held, "missing": verdict.missing, "twice": verdict.twice, "killed": kills, "retried": retried,
        "edits": events.edits, "refunds": events.refunds, "cancellations": events.cancellations, "open": events.open,
        "differences": told.len(), "planted": lies::COUNT, "noticed": noticed.map_or(0, |noticed| noticed.count),
        "merchants": MERCHANTS.iter().zip(&verdict.merchants).map(|(row, tally)| json!({
            "merchant": row.slug, "currency": SHOPS[row.shop].currency, "orders": tally.orders,
            "invoices": tally.invoices, "receipts": tally.receipts, "payments": tally.payments,
            "held": tally.held,
            "ignored": tally.left_alone, "waiting": tally.waiting, "differences": tally.differences,
        })).collect::<Vec<_>>(),
        "stories": stories, "features": features.iter().copied().collect::<BTreeMap<_, _>>(), "lacks": lacks,
        "rows": told.iter().map(|[whose, what, text]| json!({"whose": whose, "what": what, "text": text})).collect::<Vec<_>>(),
    });
    session.out.say(&answer, || {
        let rows: Vec<[String; 10]> = MERCHANTS
            .iter()
            .zip(&verdict.merchants)
            .map(|(row, tally)| {
                let causes: Vec<String> = tally.held.iter().map(|(code, count)| format!("{count} {code}")).collect();
                let Tally { orders, invoices, receipts, payments, left_alone, waiting, differences, .. } = *tally;
                let numbers = [orders, invoices, receipts, payments, left_alone, waiting, differences];
                let [orders, invoices, receipts, payments, ignored, waiting, differences] =
                    numbers.map(|number| number.to_string());
                let (slug, currency) = (row.slug.to_owned(), SHOPS[row.shop].currency.to_owned());
                [slug, currency, orders, invoices, receipts, payments, ignored, waiting, differences, causes.join(", ")]
            })
            .collect();
        let head =
            ["merchant", "", "orders", "invoices", "receipts", "payments", "ignored", "waiting", "differences", "held"];
        let mut text = out::table(head, &rows);
        if !told.is_empty() {
            text += &format!("\n{}", out::table(["whose", "what", "difference"], &told[..told.len().min(TOLD)]));
        }
        if told.len() > TOLD {
            text += &format!("and {} more\n", told.len() - TOLD);
        }
        stories.iter().for_each(|story| text += &format!("\nthe product tells: {story}\n"));
        text += &format!(
            "\n{plain} plain orders, {} edits, {} refunds, {} cancellations, {} orders told in any order; what an \
             operator tried again: {retried}\n",
            events.edits, events.refunds, events.cancellations, events.open
        );
        let met: Vec<String> = features.iter().map(|(name, count)| format!("{count} {name}")).collect();
        text += &format!("met: {}\n", met.join(" · "));
        if !lacks.is_empty() {
            text += &format!("never met: {}\n", lacks.join(", "));
        }
        if let Some(noticed) = noticed {
            noticed.missed.iter().for_each(|missed| text += &format!("{missed}\n"));
            text += &format!("{} planted changes found\n", noticed.count);
        }
        text + &line
    })?;
    let is_fine = told.is_empty() && lacks.is_empty() && noticed.is_some_and(|noticed| noticed.count == lies::COUNT);
    Ok(if is_fine { Ended::Fine } else { Ended::FoundWrong })
}

/// Whose it is, what, and the difference; of an order also its history, from which the expectation follows.
fn tell(place: &Place, text: &str, orders: &BTreeMap<u64, &Order>) -> [String; 3] {
    let mut text = text.to_owned();
    let (whose, what) = match place {
        Place::Order { merchant, order } => {
            let known = orders.get(order);
            if let Some(known) = known {
                text += &format!("; history: {:?} {:?}", known.lot, known.events);
            }
            let name = known.map_or("an order", |known| known.name.as_str());
            (MERCHANTS[*merchant].slug, format!("{name} ({order})"))
        }
        Place::Stock { account, code, .. } => (*account, (*code).to_owned()),
        Place::Stray { account, what } => (*account, what.clone()),
    };
    [whose.to_owned(), what, text]
}

//! What must have been paid in a merchant's books, by the issue's own words: each movement of money once, by its
//! transaction; where none is told, one payment when the order is paid, which a later transaction adopts; and of an order
//! that the merchant shares with others, what the merchant's documents come to, when it is paid.
//!
//! Follows an order from evening to evening, for at night all that is known is in the books. Of orders that were told in
//! any order only the sum is known, and that it is one of a few.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::expectation::{Booked, Stand, expect};
use super::figures::{Moved, Word};
use super::history::{Order, Told};
use super::town::{MERCHANTS, MerchantRow, SHOPS, ShopRow, Till};

/// The payments of one order of one merchant.
#[derive(Clone, Debug, Default)]
pub(super) struct Purse {
    wanted: Vec<Wanted>,
    /// Of an order told in any order: the payments are among those above, and come to one of these.
    sums: Option<BTreeSet<i64>>,
    /// They leave nothing open of the documents, to Daftra's last digit.
    closes: bool,
    /// By so much Daftra may have rounded the documents.
    slack: i64,
}

/// A payment that must be there.
#[derive(Clone, Debug)]
struct Wanted {
    on_receipt: bool,
    amount: i64,
    slack: i64,
    /// Its transaction, and when that was.
    told: Option<(u64, Timestamp)>,
    /// The shop may have said "paid" first.
    by_word: bool,
    till: &'static Till,
}

/// A payment that is there.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) on_receipt: bool,
    pub(super) amount: i64,
    /// None: by the shop's word.
    pub(super) transaction: Option<u64>,
    pub(super) method: String,
    pub(super) treasury: u64,
    pub(super) date: DateTime,
}

/// What must be in the books of this merchant.
pub(super) fn expect_money(order: &Order, place: usize) -> anyhow::Result<Purse> {
    let (merchant, shop) = (&MERCHANTS[place], &SHOPS[order.shop]);
    let Some(till) = merchant.books(&order.gateway) else { return Ok(Purse::default()) };
    let mut life = Life { merchant, shop, till, purse: Purse::default(), fresh: Vec::new(), secret: Vec::new() };
    if order.is_open {
        return life.in_any_order(order, place);
    }
    let (mut closed, mut last) = (None, Booked::default());
    for told in order.evenings() {
        let expected = expect(told, place)?;
        life.hear(told);
        if !expected.booked.invoices.dates.is_empty() && !matches!(expected.stand, Stand::Held(_)) {
            let before = life.purse.wanted.len();
            life.evening(told, &expected.booked, expected.is_whole);
            if life.purse.wanted.len() > before {
                closed = (life.paid() == expected.booked.total()).then(|| expected.booked.clone());
            }
        }
        last = expected.booked;
    }
    life.purse.closes = closed.is_some_and(|booked| booked == last);
    Ok(life.purse)
}

struct Life {
    merchant: &'static MerchantRow,
    shop: &'static ShopRow,
    till: &'static Till,
    purse: Purse,
    /// Told and not yet in a payment.
    fresh: Vec<Moved>,
    /// Not told.
    secret: Vec<Moved>,
}

impl Life {
    fn hear(&mut self, told: Told<'_>) {
        if self.shop.tells_money {
            self.fresh.extend(told.moved)
        } else {
            self.secret.extend(told.moved)
        }
        if told.reveals {
            self.fresh.append(&mut self.secret);
            self.adopt();
        }
    }

    /// What the shop said is paid was paid by the transactions of which it tells only now; what they brought beyond that
    /// is still to be booked.
    fn adopt(&mut self) {
        let mut held: i64 =
            self.purse.wanted.iter().filter(|known| known.told.is_none()).map(|known| known.amount).sum();
        for moved in self.fresh.iter_mut().filter(|moved| moved.amount > 0) {
            let adopted = moved.amount.min(held);
            moved.amount -= adopted;
            held -= adopted;
        }
        self.fresh.retain(|moved| moved.amount != 0);
    }

    /// What went back before its payment was booked is taken off that.
    fn net(&mut self) {
        let mut booked = self.paid();
        let (mut incoming, outgoing): (Vec<Moved>, Vec<Moved>) =
            self.fresh.drain(..).partition(|moved| moved.amount > 0);
        let mut later = Vec::new();
        for gone in outgoing {
            let exactly = incoming.iter().position(|moved| moved.amount == -gone.amount);
            let bearer = exactly.or_else(|| incoming.iter().position(|moved| moved.amount >= -gone.amount));
            match bearer {
                Some(bearer) if booked < -gone.amount => incoming[bearer].amount += gone.amount,
                Some(_) | None => {
                    booked += gone.amount;
                    later.push(gone);
                }
            }
        }
        self.fresh = incoming.into_iter().filter(|moved| moved.amount != 0).chain(later).collect();
    }

    fn paid(&self) -> i64 {
        self.purse.wanted.iter().filter(|wanted| !wanted.on_receipt).map(|wanted| wanted.amount).sum()
    }

    /// What is in the books after a night.
    fn evening(&mut self, told: Told<'_>, booked: &Booked, is_whole: bool) {
        let slack = if self.shop.taxes_included { 0 } else { booked.invoices.lines };
        self.net();
        let fresh = std::mem::take(&mut self.fresh);
        for Moved { transaction, at, amount } in fresh.into_iter().filter(|_| is_whole) {
            let on_receipt = amount < 0;
            if !on_receipt || self.merchant.pays_back {
                // The first money may have been booked when the shop said that the order is paid.
                let by_word = !on_receipt && self.purse.wanted.iter().all(|known| known.told.is_none());
                let (amount, told) = (amount.abs(), Some((transaction, at)));
                self.purse.wanted.push(Wanted { on_receipt, amount, slack, told, by_word, till: self.till });
            }
        }
        let is_told = self.shop.tells_money || told.reveals;
        let is_due = match told.figures.word {
            Word::Paid => !is_whole || !is_told,
            // Words do not tell how much was paid before something went back; transactions do.
            Word::WentBack => !is_whole && is_told && told.figures.owed <= 0,
            Word::Other => false,
        };
        let open = booked.total() - self.paid();
        if is_due && open > 0 {
            let (on_receipt, by_word) = (false, true);
            self.purse.wanted.push(Wanted { on_receipt, amount: open, slack, told: None, by_word, till: self.till });
        }
    }

    /// Everything was told at once: money may have gone back before it was booked, and the shop's word may have been heard
    /// at any time.
    fn in_any_order(mut self, order: &Order, place: usize) -> anyhow::Result<Purse> {
        let end = expect(order.told(), place)?;
        let (mut incoming, mut outgoing) = (0, Vec::new());
        let mut sums = BTreeSet::new();
        let mut is_ever_whole = false;
        let mut by_word = Vec::new();
        // What each day took off the documents.
        let (mut losses, mut before) = (Vec::new(), 0);
        for told in order.evenings() {
            let expected = expect(told, place)?;
            is_ever_whole |= expected.is_whole;
            for moved in told.moved.iter().filter(|_| self.shop.tells_money) {
                incoming += moved.amount.max(0);
                if moved.amount < 0 {
                    outgoing.push(-moved.amount);
                }
                let (amount, told) = (moved.amount.abs(), Some((moved.transaction, moved.at)));
                let on_receipt = moved.amount < 0;
                self.purse.wanted.push(Wanted { on_receipt, amount, slack: 0, told, by_word: false, till: self.till });
            }
            let total = expected.booked.total();
            losses.push(before - total.min(before));
            before = total;
            if told.figures.word != Word::Other && told.figures.owed <= 0 {
                by_word.push((total, losses.len()));
            }
        }
        let is_share = !end.is_whole || !self.shop.tells_money;
        if is_ever_whole && self.shop.tells_money {
            let net = incoming - outgoing.iter().sum::<i64>();
            sums.extend(match self.merchant.pays_back {
                true => vec![net],
                false => subsets(&outgoing).into_iter().map(|gone| incoming - gone).collect(),
            });
        }
        if is_share {
            let open = end.booked.total();
            let word = order.told().figures.word;
            let owes = order.told().figures.owed > 0;
            let is_paid = word == Word::Paid || word == Word::WentBack && self.shop.tells_money && !owes;
            for (total, days) in by_word {
                // Records may come before the body in which the order was paid.
                let gone = subsets(&losses[days..]);
                sums.extend(gone.into_iter().map(|gone| total - gone).filter(|sum| !is_paid || *sum >= open));
            }
            sums.extend((!is_paid || open <= 0).then_some(0));
        }
        sums.extend((end.stand == Stand::SettledOrIgnored || end.booked.invoices.dates.is_empty()).then_some(0));
        self.purse.slack = if self.shop.taxes_included { 0 } else { end.booked.invoices.lines };
        self.purse.sums = Some(sums);
        Ok(self.purse)
    }
}

/// The sums of all choices of these.
fn subsets(amounts: &[i64]) -> BTreeSet<i64> {
    let mut sums = BTreeSet::from([0]);
    for amount in amounts {
        let more: Vec<i64> = sums.iter().map(|sum| sum + amount).collect();
        sums.extend(more);
    }
    sums
}

impl Purse {
    /// What is wrong with the payments that are there; `open` is what Daftra's documents leave to be paid.
    pub(super) fn faults(&self, found: &[Entry], merchant: &MerchantRow, open: i64) -> Vec<String> {
        let digits = SHOPS[merchant.shop].digits;
        let money = |amount: i64| Decimal::new(amount, digits);
        let paid = |on_receipt| -> i64 {
            found.iter().filter(|entry| entry.on_receipt == on_receipt).map(|entry| entry.amount).sum()
        };
        let mut faults = Vec::new();
        match &self.sums {
            None => {
                let mut rest: Vec<&Entry> = found.iter().collect();
                for wanted in &self.wanted {
                    match rest.iter().position(|entry| wanted.fits(entry, merchant)) {
                        Some(at) => drop(rest.remove(at)),
                        None => faults.push(format!("no payment {}", wanted.say(digits))),
                    }
                }
                faults.extend(
                    rest.into_iter().map(|entry| format!("a payment that nobody expects: {}", entry.say(digits))),
                );
            }
            Some(sums) => {
                let strangers =
                    found.iter().filter(|entry| !self.wanted.iter().any(|wanted| wanted.may_be(entry, merchant)));
                let strangers = strangers.filter(|entry| entry.transaction.is_some() || entry.on_receipt);
                faults.extend(strangers.map(|entry| format!("a payment that nobody expects: {}", entry.say(digits))));
                let told: Vec<u64> = found.iter().filter_map(|entry| entry.transaction).collect();
                if told.iter().collect::<BTreeSet<_>>().len() < told.len() {
                    faults.push("one movement of money is booked twice".to_owned());
                }
                let sum = paid(false) - paid(true);
                if !sums.iter().any(|wanted| (sum - wanted).abs() <= self.slack) {
                    let wanted: Vec<String> = sums.iter().map(|sum| money(*sum).to_string()).collect();
                    faults.push(format!("payments of {}, expected {}", money(sum), wanted.join(" or ")));
                }
            }
        }
        if self.closes && paid(false) != open {
            faults.push(format!("{} is paid of {}", money(paid(false)), money(open)));
        }
        faults
    }
}

impl Wanted {
    fn fits(&self, entry: &Entry, merchant: &MerchantRow) -> bool {
        let is_named = match entry.transaction {
            Some(_) => self.is_told_as(entry, merchant),
            None => self.by_word,
        };
        is_named && self.lies_right(entry) && (entry.amount - self.amount).abs() <= self.slack
    }

    /// The same payment, or what was left of it when it was booked.
    fn may_be(&self, entry: &Entry, merchant: &MerchantRow) -> bool {
        self.is_told_as(entry, merchant)
            && self.lies_right(entry)
            && (entry.amount == self.amount || !self.on_receipt && merchant.records() && entry.amount <= self.amount)
    }

    fn is_told_as(&self, entry: &Entry, merchant: &MerchantRow) -> bool {
        self.told.is_some_and(|(id, at)| entry.transaction == Some(id) && merchant.clock(at) == entry.date)
    }

    fn lies_right(&self, entry: &Entry) -> bool {
        (self.on_receipt, self.till.method, self.till.treasury)
            == (entry.on_receipt, entry.method.as_str(), entry.treasury)
    }

    fn say(&self, digits: u32) -> String {
        let by = self
            .told
            .map_or_else(|| "by the shop's word".to_owned(), |(id, at)| format!("by transaction {id} of {at}"));
        let on = if self.on_receipt { "on a receipt" } else { "on the invoice" };
        format!("of {} {on} {by}, {} in {}", Decimal::new(self.amount, digits), self.till.method, self.till.treasury)
    }
}

impl Entry {
    fn say(&self, digits: u32) -> String {
        let by = self.transaction.map_or_else(|| "the shop's word".to_owned(), |id| format!("transaction {id}"));
        let on = if self.on_receipt { "a receipt" } else { "the invoice" };
        format!(
            "{} on {on} by {by}, {} in {}, {}",
            Decimal::new(self.amount, digits),
            self.method,
            self.treasury,
            self.date
        )
    }
}

//! The money of an order: at the till, later, and back. Only a transaction that succeeded is money.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::cart::{MoneyBack, Payment};
use super::change::{Changed, News};
use super::order::{Discrepancy, Order, Record, ShippingBack, Transaction, TransactionKind, TransactionStatus, round};
use super::{Desk, Refusal, Topic};

impl Order {
    pub(super) fn settle_at_till(&mut self, payment: Payment, desk: &mut Desk, now: Timestamp) -> Vec<News> {
        let total = self.sums(&desk.setup).total + self.cash_rounding;
        let mut news = vec![Topic::OrdersCreate];
        let (kind, amount) = match payment {
            Payment::Paid => (TransactionKind::Sale, total),
            Payment::Part(part) => (TransactionKind::Sale, round(part, desk.setup.digits()).min(total)),
            Payment::Authorized => (TransactionKind::Authorization, total),
            Payment::Pending => (TransactionKind::Sale, Decimal::ZERO),
        };
        // An order that costs nothing is paid by nobody.
        let transaction = (amount > Decimal::ZERO).then(|| self.transact(kind, amount, desk, now));
        if self.paid() == total {
            news.push(Topic::OrdersPaid);
        }
        news.push(Topic::OrdersUpdated);
        news.into_iter().map(News::Order).chain(transaction).collect()
    }

    pub(super) fn pay(&mut self, desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        let owed = self.owed(desk);
        if owed <= Decimal::ZERO {
            return Err(Refusal::Nothing);
        }
        self.pay_part(owed, desk, now)
    }

    pub(super) fn pay_part(&mut self, amount: Decimal, desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        let (owed, amount) = (self.owed(desk), round(amount, desk.setup.digits()));
        if amount <= Decimal::ZERO || amount > owed {
            return Err(Refusal::TooMuchMoney);
        }
        let is_reserved = self.moved(TransactionKind::Capture) < self.moved(TransactionKind::Authorization);
        let kind = if is_reserved { TransactionKind::Capture } else { TransactionKind::Sale };
        let mut news = vec![self.transact(kind, amount, desk, now)];
        news.extend((amount == owed).then_some(News::Order(Topic::OrdersPaid)));
        news.push(News::Order(Topic::OrdersUpdated));
        Ok(news)
    }

    pub(super) fn decline(&mut self, desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        let owed = self.owed(desk);
        if owed <= Decimal::ZERO {
            return Err(Refusal::Nothing);
        }
        let failed = self.attempt(TransactionKind::Sale, TransactionStatus::Failure, owed, desk, now);
        Ok(vec![failed, News::Order(Topic::OrdersUpdated)])
    }

    pub(super) fn settle_refunds(&mut self) -> Changed {
        let waiting = self.transactions.iter_mut().filter(|one| one.status == TransactionStatus::Pending);
        let mut news: Vec<News> = waiting
            .map(|one| {
                one.status = TransactionStatus::Success;
                News::Transaction(one.id)
            })
            .collect();
        if news.is_empty() {
            return Err(Refusal::Nothing);
        }
        news.push(News::Order(Topic::OrdersUpdated));
        Ok(news)
    }

    /// What the buyer owes, or is owed when negative; what is on its way back counts as given.
    pub(super) fn owed(&self, desk: &Desk) -> Decimal {
        self.sums(&desk.setup).outstanding + self.promised()
    }

    pub(super) fn shipping_back(&self, amount: Decimal, desk: &mut Desk) -> Result<Option<ShippingBack>, Refusal> {
        let (net, tax) = self.shipping_left();
        if amount.is_zero() {
            return Ok(None);
        }
        if amount < Decimal::ZERO || amount > net {
            return Err(Refusal::TooMuchMoney);
        }
        let tax = if amount == net { tax } else { round(tax * amount / net, desk.setup.digits()) };
        Ok(Some(ShippingBack { id: desk.mint.id(), adjustment: desk.mint.id(), net: amount, tax }))
    }

    /// Files the record and moves the money; what differs from the worth of goods and shipping is a discrepancy. It
    /// first evens out what was `owed` before (by the buyer, or to the buyer when negative).
    pub(super) fn give_back(
        &mut self,
        mut record: Record,
        money: MoneyBack,
        owed: Decimal,
        desk: &mut Desk,
        now: Timestamp,
    ) -> Changed {
        let price = |net: Decimal, tax: Decimal| if desk.setup.taxes_included { net } else { net + tax };
        let goods = self.reductions.iter().filter(|reduction| reduction.record == record.id);
        let worth = goods.map(|reduction| price(reduction.share.net, reduction.share.tax)).sum::<Decimal>()
            + record.shipping.map_or(Decimal::ZERO, |back| price(back.net, back.tax));
        let amount = match money {
            MoneyBack::None => None,
            MoneyBack::Worth | MoneyBack::Pending => Some(worth),
            MoneyBack::Amount(amount) => Some(round(amount, desk.setup.digits())),
        };
        if amount.is_some_and(|amount| amount < Decimal::ZERO || amount > self.paid() - self.promised()) {
            return Err(Refusal::TooMuchMoney);
        }
        let empty = !self.reductions.iter().any(|reduction| reduction.record == record.id) && record.shipping.is_none();
        if empty && amount.is_none_or(|amount| amount.is_zero()) {
            return Err(Refusal::Nothing);
        }
        let mut news = vec![News::Refund(record.id)];
        if let Some(amount) = amount {
            let short = worth - amount;
            let evened = if short.is_sign_positive() == owed.is_sign_positive() {
                if owed.abs() < short.abs() { owed } else { short }
            } else {
                Decimal::ZERO
            };
            for (amount, owed) in [(evened, true), (short - evened, false)] {
                if !amount.is_zero() {
                    record.discrepancies.push(Discrepancy { id: desk.mint.id(), amount, owed });
                }
            }
            if !amount.is_zero() {
                let is_on_its_way = money == MoneyBack::Pending;
                let status = if is_on_its_way { TransactionStatus::Pending } else { TransactionStatus::Success };
                let transaction = self.attempt(TransactionKind::Refund, status, amount, desk, now);
                record.transaction = self.transactions.last().map(|last| last.id);
                // Nobody hears of a transaction that has not come to its end.
                news.extend((!is_on_its_way).then_some(transaction));
            }
        }
        self.records.push(record);
        Ok(news)
    }

    pub(super) fn transact(&mut self, kind: TransactionKind, amount: Decimal, desk: &mut Desk, now: Timestamp) -> News {
        self.attempt(kind, TransactionStatus::Success, amount, desk, now)
    }

    fn attempt(
        &mut self,
        kind: TransactionKind,
        status: TransactionStatus,
        amount: Decimal,
        desk: &mut Desk,
        now: Timestamp,
    ) -> News {
        let id = desk.mint.id();
        let parent = match kind {
            TransactionKind::Sale | TransactionKind::Authorization => None,
            TransactionKind::Capture | TransactionKind::Void | TransactionKind::Refund => {
                let good = self.transactions.iter().find(|one| one.status == TransactionStatus::Success);
                good.map(|first| first.id)
            }
        };
        self.transactions.push(Transaction { id, kind, status, amount, at: now, parent });
        News::Transaction(id)
    }
}

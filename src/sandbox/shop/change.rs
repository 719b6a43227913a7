//! What can happen to an order: placed, edited, paid, refunded, cancelled, shipped. Each change says what is to be announced.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::cart::{
    CancelHow, Cart, Discount, Edit, Item, LineId, MoneyBack, OrderId, Origin, Refund, Restock, Shipping,
};
use super::cart::{Payment, Target, Value};
use super::order::{
    Allocation, Application, Cancelled, Discrepancy, Entry, Fulfilment, Line, LineKind, Order, Record, Reduction,
};
use super::order::{Share, ShippingBack, ShippingLine, Transaction, TransactionKind, round, spread};
use super::{Desk, Refusal, Topic};

/// Something a subscriber may hear of.
#[derive(Debug)]
pub(super) enum News {
    /// The order itself, under one of the order topics.
    Order(Topic),
    /// An edit was committed.
    Edited(EditLog),
    /// A refund record, by id.
    Refund(u64),
    /// A transaction, by id.
    Transaction(u64),
    /// The order is no more.
    Deleted,
}

impl News {
    pub(super) fn topic(&self) -> Topic {
        match self {
            News::Order(topic) => *topic,
            News::Edited(_) => Topic::OrdersEdited,
            News::Refund(_) => Topic::RefundsCreate,
            News::Transaction(_) => Topic::OrderTransactionsCreate,
            News::Deleted => Topic::OrdersDelete,
        }
    }
}

/// The lines an edit touched, with units.
#[derive(Debug)]
pub(super) struct EditLog {
    pub(super) id: u64,
    pub(super) at: Timestamp,
    pub(super) additions: Vec<(LineId, u32)>,
    pub(super) removals: Vec<(LineId, u32)>,
}

type Changed = Result<Vec<News>, Refusal>;

impl Order {
    pub(super) fn place(cart: &Cart, desk: &mut Desk, now: Timestamp) -> Result<(Order, Vec<News>), Refusal> {
        let digits = desk.setup.digits();
        let mut lines = Vec::new();
        for (item, quantity) in &cart.lines {
            lines.push(desk.line(item, *quantity)?);
        }
        if let Some(tip) = cart.tip {
            lines.push(desk.tip_line(tip));
        }
        let price = match cart.shipping {
            Shipping::None => None,
            Shipping::Free => Some(Decimal::ZERO),
            Shipping::Priced(price) => Some(round(price, digits)),
        };
        let id = OrderId(desk.mint.id());
        let mut order = Order {
            id,
            number: desk.next_number(),
            token: desk.mint.token(),
            created_at: now,
            processed_at: cart.processed_at.unwrap_or(now),
            updated_at: now,
            cancelled: None,
            deleted: false,
            buyer: cart.buyer.clone().map(|buyer| (desk.mint.id(), buyer)),
            gateway: cart.gateway.clone(),
            note: cart.note.clone(),
            tags: cart.tags.clone(),
            source: cart.source.clone(),
            test: cart.test,
            lines,
            shipping: price.map(|price| ShippingLine {
                id: desk.mint.id(),
                price,
                allocations: Vec::new(),
                tax: Decimal::ZERO,
            }),
            applications: Vec::new(),
            transactions: Vec::new(),
            records: Vec::new(),
            reductions: Vec::new(),
            fulfilments: Vec::new(),
            journal: Vec::new(),
        };
        for discount in &cart.discounts {
            order.grant(discount, digits)?;
        }
        if let Some(shipping) = &mut order.shipping {
            shipping.tax = desk.setup.tax_of(shipping.net());
        }
        for line in &mut order.lines {
            line.tax = desk.tax_on(line);
        }
        order.journal = order.lines.iter().map(|line| entry(line.id, line.whole(), Share::default())).collect();
        let news = order.settle_at_till(cart.payment, desk, now);
        Ok((order, news))
    }

    fn settle_at_till(&mut self, payment: Payment, desk: &mut Desk, now: Timestamp) -> Vec<News> {
        let total = self.sums(&desk.setup).total;
        let mut news = vec![Topic::OrdersCreate];
        let kind = match payment {
            Payment::Paid => Some(TransactionKind::Sale),
            Payment::Authorized => Some(TransactionKind::Authorization),
            Payment::Pending => None,
        };
        // An order that costs nothing is paid by nobody.
        let transaction = kind.filter(|_| !total.is_zero()).map(|kind| self.transact(kind, total, desk, now));
        if payment == Payment::Paid || total.is_zero() {
            news.push(Topic::OrdersPaid);
        }
        news.push(Topic::OrdersUpdated);
        news.into_iter().map(News::Order).chain(transaction).collect()
    }

    /// Grants a discount on what the ones before left over.
    fn grant(&mut self, discount: &Discount, digits: u32) -> Result<(), Refusal> {
        let application = self.applications.len();
        let wanted = |base: Decimal| match discount.value {
            Value::Percent(share) => round(base * share / Decimal::ONE_HUNDRED, digits),
            Value::Fixed(amount) => round(amount, digits),
        };
        let targets: Vec<usize> = match discount.target {
            Target::Line(place) if place < self.lines.len() => vec![place],
            Target::Line(_) => return Err(Refusal::UnknownLine),
            Target::Order => (0..self.lines.len()).filter(|at| self.lines[*at].kind == LineKind::Goods).collect(),
            Target::Shipping => {
                let amount = self.shipping.as_mut().map_or(Decimal::ZERO, |line| {
                    let amount = wanted(line.net()).min(line.net());
                    line.allocations.push(Allocation { application, amount });
                    amount
                });
                self.applications.push(Application { discount: discount.clone(), amount });
                return Ok(());
            }
        };
        let bases: Vec<Decimal> = targets.iter().map(|at| self.left(&self.lines[*at]).net).collect();
        let base = bases.iter().sum();
        let amount = wanted(base).min(base);
        for (at, share) in targets.into_iter().zip(spread(amount, &bases, digits)) {
            if !share.is_zero() {
                self.lines[at].allocations.push(Allocation { application, amount: share });
            }
        }
        self.applications.push(Application { discount: discount.clone(), amount });
        Ok(())
    }

    pub(super) fn edit(&mut self, edits: &[Edit], desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        let record = desk.mint.id();
        let mut log = EditLog { id: desk.mint.id(), at: now, additions: Vec::new(), removals: Vec::new() };
        for edit in edits {
            match edit {
                Edit::AddLine { item, quantity } => {
                    let mut line = desk.line(item, *quantity)?;
                    line.tax = desk.tax_on(&line);
                    log.additions.push((line.id, *quantity));
                    self.journal.push(entry(line.id, line.whole(), Share::default()));
                    self.lines.push(line);
                }
                Edit::SetQuantity { line, to, restock } => {
                    let (left, to_ship) = (self.left(self.line(*line)?).units, self.line(*line)?.to_ship);
                    match to.cmp(&left) {
                        Ordering::Equal => {}
                        Ordering::Greater => {
                            let more = to - left;
                            self.reprice(*line, desk, |order| {
                                let line = order.line_mut(*line)?;
                                line.quantity += more;
                                line.to_ship += more;
                                Ok(())
                            })?;
                            log.additions.push((*line, more));
                        }
                        Ordering::Less if left - to > to_ship => return Err(Refusal::Shipped),
                        Ordering::Less => {
                            let restock = if *restock { Restock::Cancel } else { Restock::NoRestock };
                            self.take(record, *line, left - to, restock, desk)?;
                            log.removals.push((*line, left - to));
                        }
                    }
                }
                Edit::Discount { line, value } => {
                    let place = self.lines.iter().position(|one| one.id == *line).ok_or(Refusal::UnknownLine)?;
                    let origin = Origin::Manual("Edit".to_owned());
                    let discount = Discount { origin, target: Target::Line(place), value: *value };
                    let digits = desk.setup.digits();
                    self.reprice(*line, desk, |order| order.grant(&discount, digits))?;
                }
            }
        }
        let mut news = Vec::new();
        if !log.removals.is_empty() {
            self.records.push(Record::without_money(record, now));
            news.push(News::Refund(record));
        }
        news.push(News::Edited(log));
        news.push(News::Order(Topic::OrdersUpdated));
        Ok(news)
    }

    /// Changes a line and books the difference. Only what is left is taxed anew: what was given back stays as it was.
    fn reprice(
        &mut self,
        id: LineId,
        desk: &Desk,
        change: impl FnOnce(&mut Order) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let before = self.line(id)?.whole();
        change(self)?;
        let gone = self.gone(id);
        let line = self.line_mut(id)?;
        if line.taxable {
            line.tax = gone.tax + desk.setup.tax_of(line.whole().net - gone.net);
        }
        let booked = entry(id, line.whole(), before);
        self.journal.push(booked);
        Ok(())
    }

    pub(super) fn pay(&mut self, desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        let owed = self.sums(&desk.setup).outstanding;
        if owed <= Decimal::ZERO {
            return Err(Refusal::Nothing);
        }
        let reserved = self.has(TransactionKind::Authorization) && !self.has(TransactionKind::Capture);
        let kind = if reserved { TransactionKind::Capture } else { TransactionKind::Sale };
        let transaction = self.transact(kind, owed, desk, now);
        Ok(vec![transaction, News::Order(Topic::OrdersPaid), News::Order(Topic::OrdersUpdated)])
    }

    pub(super) fn refund(&mut self, ask: &Refund, desk: &mut Desk, now: Timestamp) -> Changed {
        let owed = self.sums(&desk.setup).outstanding;
        let mut record = Record::without_money(desk.mint.id(), now);
        record.note.clone_from(&ask.note);
        for (line, units, restock) in &ask.lines {
            self.take(record.id, *line, *units, *restock, desk)?;
        }
        record.shipping = self.shipping_back(ask.shipping, desk)?;
        let mut news = self.give_back(record, ask.money, owed, desk, now)?;
        news.push(News::Order(Topic::OrdersUpdated));
        Ok(news)
    }

    pub(super) fn cancel(&mut self, how: &CancelHow, desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        if !self.fulfilments.is_empty() {
            return Err(Refusal::Shipped);
        }
        let owed = self.sums(&desk.setup).outstanding;
        self.cancelled = Some(Cancelled { at: now, reason: how.reason.clone(), restocked: how.restock });
        let mut news = vec![News::Order(Topic::OrdersCancelled)];
        if self.has(TransactionKind::Authorization) && self.taken().is_zero() {
            news.push(self.transact(TransactionKind::Void, Decimal::ZERO, desk, now));
        }
        let paid = self.paid();
        let money = if how.money && !paid.is_zero() { MoneyBack::Amount(paid) } else { MoneyBack::None };
        let left: Vec<(LineId, u32)> =
            self.lines.iter().map(|line| (line.id, self.left(line).units)).filter(|(_, units)| *units > 0).collect();
        if money != MoneyBack::None || (how.restock && !left.is_empty()) {
            let mut record = Record::without_money(desk.mint.id(), now);
            let restock = if how.restock { Restock::Cancel } else { Restock::NoRestock };
            for (line, units) in left {
                self.take(record.id, line, units, restock, desk)?;
            }
            let shipping = if how.shipping { self.shipping_left().0 } else { Decimal::ZERO };
            record.shipping = self.shipping_back(shipping, desk)?;
            news.extend(self.give_back(record, money, owed, desk, now)?);
        }
        news.push(News::Order(Topic::OrdersUpdated));
        Ok(news)
    }

    pub(super) fn fulfil(&mut self, desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        let lines: Vec<LineId> = self.lines.iter().filter(|line| line.to_ship > 0).map(|line| line.id).collect();
        if lines.is_empty() {
            return Err(Refusal::Nothing);
        }
        for line in &mut self.lines {
            line.to_ship = 0;
        }
        self.fulfilments.push(Fulfilment { id: desk.mint.id(), at: now, lines });
        Ok(vec![News::Order(Topic::OrdersFulfilled), News::Order(Topic::OrdersUpdated)])
    }

    /// Takes units off a line, on account of a record.
    fn take(&mut self, record: u64, id: LineId, units: u32, restock: Restock, desk: &mut Desk) -> Result<(), Refusal> {
        let left = self.left(self.line(id)?);
        if units == 0 || units > left.units {
            return Err(Refusal::TooMany { left: left.units });
        }
        let share = left.part(units, desk.setup.digits());
        self.journal.push(entry(id, Share::default(), share));
        self.reductions.push(Reduction { id: desk.mint.id(), record, line: id, share, restock });
        let line = self.line_mut(id)?;
        // Goods that come back were shipped; any others leave the pile that waits.
        line.to_ship = match restock {
            Restock::Return => line.to_ship.min(left.units - units),
            Restock::Cancel | Restock::NoRestock => line.to_ship.saturating_sub(units),
        };
        Ok(())
    }

    fn shipping_back(&self, amount: Decimal, desk: &mut Desk) -> Result<Option<ShippingBack>, Refusal> {
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
    fn give_back(
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
            MoneyBack::Worth => Some(worth),
            MoneyBack::Amount(amount) => Some(round(amount, desk.setup.digits())),
        };
        if amount.is_some_and(|amount| amount < Decimal::ZERO || amount > self.paid()) {
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
                let transaction = self.transact(TransactionKind::Refund, amount, desk, now);
                record.transaction = self.transactions.last().map(|last| last.id);
                news.push(transaction);
            }
        }
        self.records.push(record);
        Ok(news)
    }

    fn transact(&mut self, kind: TransactionKind, amount: Decimal, desk: &mut Desk, now: Timestamp) -> News {
        let id = desk.mint.id();
        let parent = match kind {
            TransactionKind::Sale | TransactionKind::Authorization => None,
            TransactionKind::Capture | TransactionKind::Void | TransactionKind::Refund => {
                self.transactions.first().map(|first| first.id)
            }
        };
        self.transactions.push(Transaction { id, kind, amount, at: now, parent });
        News::Transaction(id)
    }

    fn open(&self) -> Result<(), Refusal> {
        if self.cancelled.is_some() { Err(Refusal::Cancelled) } else { Ok(()) }
    }
}

impl Desk {
    /// A line without discount or tax yet.
    fn line(&mut self, item: &Item, quantity: u32) -> Result<Line, Refusal> {
        if quantity == 0 {
            return Err(Refusal::Nothing);
        }
        let blank = self.blank_line(quantity);
        let digits = self.setup.digits();
        Ok(match item {
            Item::Variant(variant) => {
                let (product_id, product) = self.shelf.get(variant).ok_or(Refusal::UnknownVariant)?;
                Line {
                    source: Some((*product_id, variant.0)),
                    sku: Some(product.sku.clone()),
                    vendor: Some(product.vendor.clone()),
                    title: product.title.clone(),
                    variant_title: product.variant_title.clone(),
                    price: round(product.price, digits),
                    taxable: product.taxable,
                    ..blank
                }
            }
            Item::Custom { title, price, taxable } => {
                Line { title: title.clone(), price: round(*price, digits), taxable: *taxable, ..blank }
            }
            Item::GiftCard { price } => {
                let title = "Gift card".to_owned();
                Line { kind: LineKind::GiftCard, title, price: round(*price, digits), ..blank }
            }
        })
    }

    fn tax_on(&self, line: &Line) -> Decimal {
        if line.taxable { self.setup.tax_of(line.whole().net) } else { Decimal::ZERO }
    }

    fn tip_line(&mut self, amount: Decimal) -> Line {
        let price = round(amount, self.setup.digits());
        Line { kind: LineKind::Tip, title: "Tip".to_owned(), price, ..self.blank_line(1) }
    }

    fn blank_line(&mut self, quantity: u32) -> Line {
        Line {
            id: LineId(self.mint.id()),
            kind: LineKind::Goods,
            source: None,
            sku: None,
            vendor: None,
            title: String::new(),
            variant_title: None,
            price: Decimal::ZERO,
            taxable: false,
            quantity,
            to_ship: quantity,
            allocations: Vec::new(),
            tax: Decimal::ZERO,
        }
    }
}

impl Record {
    fn without_money(id: u64, at: Timestamp) -> Record {
        Record { id, at, note: None, shipping: None, discrepancies: Vec::new(), transaction: None }
    }
}

/// The step from one share to another, for the journal.
fn entry(line: LineId, to: Share, from: Share) -> Entry {
    Entry { line, units: i64::from(to.units) - i64::from(from.units), net: to.net - from.net, tax: to.tax - from.tax }
}

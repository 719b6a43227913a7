//! What can happen to an order: placed, edited, refunded, cancelled, shipped. Each change says what is to be announced;
//! what happens to its money is in `till`.

use std::cmp::Ordering;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::cart::{
    CancelHow, Cart, Discount, Edit, Item, LineId, MoneyBack, OrderId, Origin, Payment, Refund, Restock, Shipping,
};
use super::cart::{Target, Value};
use super::order::{
    Allocation, Application, Cancelled, Entry, Fulfilment, Line, LineKind, Order, Record, Reduction, Share,
};
use super::order::{ShippingLine, TaxLine, TransactionKind, round, spread};
use super::{Desk, Refusal, Tax, Topic, Ware};

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
    /// A parcel, by id.
    Fulfilment(u64),
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
            News::Fulfilment(_) => Topic::FulfillmentsCreate,
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

pub(super) type Changed = Result<Vec<News>, Refusal>;

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
                taxes: Vec::new(),
            }),
            duties: round(cart.duties, digits),
            cash_rounding: if cart.payment == Payment::Paid {
                round(cart.cash_rounding, digits)
            } else {
                Decimal::ZERO
            },
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
            shipping.taxes = desk.setup.taxes_of(shipping.net(), &desk.setup.taxes);
        }
        for line in &mut order.lines {
            line.taxes = desk.taxes_on(line);
        }
        order.journal = order.lines.iter().map(|line| entry(line.id, line.whole(), Share::default())).collect();
        let news = order.settle_at_till(cart.payment, desk, now);
        Ok((order, news))
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
                    line.taxes = desk.taxes_on(&line);
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
        let taxes: Vec<Tax> = line.taxes.iter().map(|line| line.tax.clone()).collect();
        // Rates as weights, far above any amount that is spread over them.
        let weights: Vec<Decimal> = taxes.iter().map(|tax| tax.rate * Decimal::from(1_000_000_000)).collect();
        let fresh = desk.setup.taxes_of(line.whole().net - gone.net, &taxes);
        let behind = spread(gone.tax, &weights, desk.setup.digits());
        line.taxes =
            fresh.into_iter().zip(behind).map(|(new, old)| TaxLine { amount: new.amount + old, ..new }).collect();
        let booked = entry(id, line.whole(), before);
        self.journal.push(booked);
        Ok(())
    }

    pub(super) fn refund(&mut self, ask: &Refund, desk: &mut Desk, now: Timestamp) -> Changed {
        let owed = self.owed(desk);
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
        let owed = self.owed(desk);
        self.cancelled = Some(Cancelled { at: now, reason: how.reason.clone(), restocked: how.restock });
        let mut news = vec![News::Order(Topic::OrdersCancelled)];
        if self.has(TransactionKind::Authorization) && self.taken().is_zero() {
            news.push(self.transact(TransactionKind::Void, Decimal::ZERO, desk, now));
        }
        let paid = self.paid() - self.promised();
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
        let waiting = self.lines.iter().filter(|line| line.to_ship > 0);
        let parcel: Vec<(LineId, u32)> = waiting.map(|line| (line.id, line.to_ship)).collect();
        self.fulfil_part(&parcel, desk, now)
    }

    pub(super) fn fulfil_part(&mut self, parcel: &[(LineId, u32)], desk: &mut Desk, now: Timestamp) -> Changed {
        self.open()?;
        if parcel.is_empty() {
            return Err(Refusal::Nothing);
        }
        for (id, units) in parcel {
            let line = self.line_mut(*id)?;
            if *units == 0 || *units > line.to_ship {
                return Err(Refusal::TooMany { left: line.to_ship });
            }
            line.to_ship -= units;
        }
        let id = desk.mint.id();
        self.fulfilments.push(Fulfilment { id, at: now, lines: parcel.to_vec() });
        let waits = self.lines.iter().any(|line| line.to_ship > 0);
        let topic = if waits { Topic::OrdersPartiallyFulfilled } else { Topic::OrdersFulfilled };
        Ok(vec![News::Fulfilment(id), News::Order(topic), News::Order(Topic::OrdersUpdated)])
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

    pub(super) fn open(&self) -> Result<(), Refusal> {
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
                let Ware { product_id, product, taxes, .. } = self.shelf.get(variant).ok_or(Refusal::UnknownVariant)?;
                Line {
                    source: Some((*product_id, variant.0)),
                    sku: Some(product.sku.clone()),
                    vendor: Some(product.vendor.clone()),
                    title: product.title.clone(),
                    variant_title: product.variant_title.clone(),
                    price: round(product.price, digits),
                    taxable: product.taxable,
                    taxes: if product.taxable { self.setup.taxes_of(Decimal::ZERO, taxes) } else { Vec::new() },
                    ..blank
                }
            }
            Item::Custom { title, price, taxable } => {
                let taxes = if *taxable { self.setup.taxes_of(Decimal::ZERO, &self.setup.taxes) } else { Vec::new() };
                Line { title: title.clone(), price: round(*price, digits), taxable: *taxable, taxes, ..blank }
            }
            Item::GiftCard { price } => {
                let title = "Gift card".to_owned();
                Line { kind: LineKind::GiftCard, title, price: round(*price, digits), ..blank }
            }
        })
    }

    /// The line's own taxes, for what it comes to.
    fn taxes_on(&self, line: &Line) -> Vec<TaxLine> {
        let taxes: Vec<Tax> = line.taxes.iter().map(|line| line.tax.clone()).collect();
        self.setup.taxes_of(line.whole().net, &taxes)
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
            taxes: Vec::new(),
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

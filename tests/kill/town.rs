//! The buyers of one shop and the courier who brings their news to a server that is dead half of the time.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

use jiff::Timestamp;
use qantara::sandbox::daftra::{Account, Document, DocumentKind};
use qantara::sandbox::shop::cart::{CancelHow, Cart, Edit, OrderId, Product, Refund, Restock, VariantId};
use qantara::sandbox::shop::chance::Chance;
use qantara::sandbox::shop::courier::{Courier, Habits};
use qantara::sandbox::shop::delivery::{Delivery, Sender};
use qantara::sandbox::shop::{Shop, ShopSetup};
use rust_decimal::Decimal;

use crate::process::{DOMAIN, WEBHOOK_SECRET};
use crate::{GLANCE, SEED};

/// The buyers of one shop, and the way from the shop to the server.
pub(crate) struct Town {
    desk: Mutex<Desk>,
    /// Rung when there is something to carry.
    posted: Condvar,
    /// Where the server listens, while it lives.
    address: Mutex<Option<String>>,
}

struct Desk {
    shop: Shop,
    shelf: Vec<VariantId>,
    courier: Courier,
    chance: Chance,
    orders: Vec<OrderId>,
    /// Deliveries on their way.
    carried: usize,
    is_closed: bool,
}

impl Town {
    pub(crate) fn new() -> Self {
        let mut shop = Shop::new(ShopSetup { seed: *SEED, ..ShopSetup::new(DOMAIN, WEBHOOK_SECRET, "SAR") });
        let shelf = Product::samples(2).into_iter().map(|product| shop.sell(product)).collect();
        let habits = Habits { duplicate_per_mille: 150, shuffle: true, max_delay_s: 30, lose_per_mille: 0 };
        let (courier, chance) = (Courier::new(*SEED, habits), Chance::new(*SEED));
        let desk = Desk { shop, shelf, courier, chance, orders: Vec::new(), carried: 0, is_closed: false };
        Self { desk: Mutex::new(desk), posted: Condvar::new(), address: Mutex::default() }
    }

    pub(crate) fn moves_to(&self, address: Option<String>) {
        *self.address.lock().unwrap() = address;
    }

    /// What happens in the shop before a kill: two orders come, and one that has an invoice changes.
    pub(crate) fn news(&self, number: usize, invoiced: &[OrderId], now: Timestamp) {
        let mut desk = self.desk.lock().unwrap();
        let mut news = desk.buy(now);
        news.extend(desk.buy(now));
        for fate in [Fate::Edited, Fate::Refunded] {
            news.extend(desk.change(fate, invoiced, now));
        }
        if number.is_multiple_of(3) {
            let all = desk.orders.clone();
            news.extend(desk.change(Fate::Cancelled, &all, now));
        }
        desk.courier.post(news, now);
        self.posted.notify_all();
    }

    /// Carries what is due, until the town closes.
    pub(crate) fn carry(&self, now: impl Fn() -> Timestamp) {
        let sender = Sender::new();
        loop {
            let mut desk = self.desk.lock().unwrap();
            let due = loop {
                if desk.is_closed {
                    return;
                }
                let due = desk.courier.due(now());
                if !due.is_empty() {
                    break due;
                }
                desk = self.posted.wait_timeout(desk, GLANCE).unwrap().0;
            };
            desk.carried = due.len();
            drop(desk);
            for delivery in due {
                let url = self.address.lock().unwrap().clone();
                let status = url.and_then(|url| sender.send(&url, &delivery, WEBHOOK_SECRET).ok());
                let mut desk = self.desk.lock().unwrap();
                desk.courier.answered(&delivery, status, now());
                desk.carried -= 1;
            }
        }
    }

    /// Shopify's last retries, all at once.
    pub(crate) fn everything_arrives(&self, now: Timestamp) {
        let mut desk = self.desk.lock().unwrap();
        let mut late = desk.courier.due(Timestamp::MAX);
        let old = std::mem::replace(&mut desk.courier, Courier::new(*SEED, Habits::default()));
        // A server that was dead each time the courier came: the operator has it sent once more.
        late.extend_from_slice(old.undelivered());
        desk.courier.post(late, now);
        self.posted.notify_all();
    }

    pub(crate) fn is_quiet(&self) -> bool {
        let desk = self.desk.lock().unwrap();
        desk.carried == 0 && desk.courier.next_at().is_none()
    }

    pub(crate) fn close(&self) {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.posted.notify_all();
    }

    pub(crate) fn check_deliveries(&self, orders: usize) {
        let desk = self.desk.lock().unwrap();
        assert_eq!((desk.orders.len(), desk.courier.undelivered()), (orders, [].as_slice()));
    }

    /// One invoice per order that was not called off before, and of every order exactly what the shop's book says.
    pub(crate) fn check_documents(&self, account: &Account) {
        let desk = self.desk.lock().unwrap();
        let mut invoices = BTreeMap::<OrderId, Vec<&Document>>::new();
        account.documents(DocumentKind::Invoice).for_each(|one| invoices.entry(order_of(one)).or_default().push(one));
        for order in &desk.orders {
            let (own, left) = (invoices.remove(order).unwrap_or_default(), desk.shop.what_is_left(*order).unwrap());
            assert!(own.len() <= 1, "{order:?} has {} invoices", own.len());
            assert!(!own.is_empty() || left.is_empty(), "{order:?} has no invoice");
            let receipts: Vec<_> =
                account.documents(DocumentKind::RefundReceipt).filter(|one| order_of(one) == *order).collect();
            let units = |documents: &[&Document]| -> Decimal {
                documents.iter().flat_map(|document| &document.items).map(|item| item.quantity).sum()
            };
            let money =
                |documents: &[&Document]| -> Decimal { documents.iter().map(|document| document.totals.total).sum() };
            let expected: Decimal = left.iter().map(|line| Decimal::from(line.units)).sum();
            assert_eq!(units(&own) - units(&receipts), expected, "units of {order:?}");
            let expected: Decimal = left.iter().map(|line| line.net).sum();
            assert_eq!(money(&own) - money(&receipts), expected, "money of {order:?}");
        }
        assert_eq!(invoices, BTreeMap::new(), "invoices of nobody's orders");
    }
}

/// What becomes of an order, by its place among all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Edited,
    Refunded,
    Cancelled,
    Kept,
}

impl Fate {
    fn of(place: usize) -> Self {
        match place % 5 {
            0 | 1 => Self::Edited,
            2 => Self::Refunded,
            3 => Self::Cancelled,
            _ => Self::Kept,
        }
    }
}

impl Desk {
    fn buy(&mut self, now: Timestamp) -> Vec<Delivery> {
        let mut line = |most| {
            let variant = self.shelf[usize::try_from(self.chance.below(7)).unwrap()];
            (variant, u32::try_from(2 + self.chance.below(most)).unwrap())
        };
        let (first, second) = (line(4), line(3));
        let lines = if first.0 == second.0 { vec![first] } else { vec![first, second] };
        let (order, deliveries) = self.shop.buy(&Cart::of(&lines), now).unwrap();
        self.orders.push(order);
        deliveries
    }

    /// One of these orders meets its fate, the newest that still can.
    fn change(&mut self, fate: Fate, among: &[OrderId], now: Timestamp) -> Vec<Delivery> {
        let fated = self.orders.iter().enumerate().filter(|(place, _)| Fate::of(*place) == fate);
        let mut chosen: Vec<OrderId> = fated.map(|(_, order)| *order).filter(|order| among.contains(order)).collect();
        chosen.reverse();
        chosen.into_iter().find_map(|order| self.meet(fate, order, now)).unwrap_or_default()
    }

    fn meet(&mut self, fate: Fate, order: OrderId, now: Timestamp) -> Option<Vec<Delivery>> {
        let left = self.shop.what_is_left(order).unwrap();
        let line = left.iter().find(|line| line.units > 1)?;
        let (id, units) = (line.line_id, line.units);
        match fate {
            Fate::Edited => {
                let to = if self.chance.per_mille(500) { units + 2 } else { units - 1 };
                self.shop.edit(order, &[Edit::SetQuantity { line: id, to, restock: true }], now).ok()
            }
            Fate::Refunded => self.shop.refund(order, &Refund::of(&[(id, 1, Restock::Return)]), now).ok(),
            Fate::Cancelled => {
                let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".into() };
                self.shop.cancel(order, &how, now).ok()
            }
            Fate::Kept => None,
        }
    }
}

/// The order a document belongs to: the middle of its reference.
pub(crate) fn order_of(document: &Document) -> OrderId {
    let reference = document.text("po_number");
    let number = reference.split('-').find_map(|part| part.parse().ok().filter(|id: &u64| *id > 1_000_000_000_000));
    OrderId(number.unwrap_or_else(|| panic!("{reference:?} names no order")))
}

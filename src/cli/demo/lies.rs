//! Five lies told to books that are right, one after the other. A comparison that does not find each of them, and nothing
//! else, proves nothing about the books it found right.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use anyhow::Context as _;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::compare::{Books, ByOrder, Paper, PaymentEntry, Place, Standing, Wanted, compare};
use super::history::Order;
use super::town::{MERCHANTS, SHOPS, Town};

/// How many there are.
pub(super) const COUNT: usize = 5;

/// What came of them.
pub(super) struct Noticed {
    pub(super) count: usize,
    /// Those that were not found, or not alone.
    pub(super) missed: Vec<String>,
}

/// A lie: what is said to an account, and where it must show.
struct Lie {
    about: &'static str,
    account: &'static str,
    /// Action and body, as the control of the sandbox takes them.
    told: Vec<(&'static str, Value)>,
    shows: BTreeSet<Place>,
}

/// Tells each lie to an account, compares, and puts the account back as it was.
pub(super) fn tell(
    town: &Town,
    orders: &[Order],
    expected: &ByOrder<Wanted>,
    standing: &ByOrder<Standing>,
) -> anyhow::Result<Noticed> {
    let mut noticed = Noticed { count: 0, missed: Vec::new() };
    for lie in lies(town, orders, expected)? {
        let world = town.stage.world();
        let truth = {
            let world = world.lock().unwrap_or_else(PoisonError::into_inner);
            world.account(lie.account).cloned().with_context(|| format!("there is no account {}", lie.account))?
        };
        for (action, what) in &lie.told {
            town.stage.at_the_desk(lie.account, action, what)?;
        }
        let books = town.stage.books::<Books>(lie.account)?;
        world.lock().unwrap_or_else(PoisonError::into_inner).add(truth);
        let differences = compare(town, lie.account, &books, expected, standing)?.differences;
        if differences.keys().cloned().collect::<BTreeSet<_>>() == lie.shows {
            noticed.count += 1;
        } else {
            noticed.missed.push(format!("planted and not found alone: {}; found {differences:?}", lie.about));
        }
    }
    Ok(noticed)
}

fn lies(town: &Town, orders: &[Order], expected: &ByOrder<Wanted>) -> anyhow::Result<Vec<Lie>> {
    // The merchant with most to tell; the tax inside its prices hides nothing.
    let (merchant, shop) = (0, &SHOPS[MERCHANTS[0].shop]);
    let account = shop.account;
    let books: Books = town.stage.books(account)?;
    let find = |fits: &dyn Fn(&Order, &Wanted) -> bool| {
        let with_expected = orders.iter().filter_map(|order| Some((order, expected.get(&(merchant, order.id.0))?)));
        let mut fitting = with_expected.filter(|(order, wanted)| !wanted.papers.is_open && fits(order, wanted));
        fitting.next().map(|(order, _)| order).context("too few orders to lie about: ask for more")
    };
    let place = |order: &Order| Place::Order { merchant, order: order.id.0 };
    let invoice_of = |order: &Order| papers_of(&books.invoices, account, merchant, order);

    let discounted = find(&|order, wanted| {
        let share = Decimal::new(order.figures.discount, shop.digits);
        wanted.papers.booked.invoices.dates.len() == 1
            && !share.is_zero()
            && invoice_of(order).is_ok_and(|paper| paper.has_goods())
    })?;
    let paper = invoice_of(discounted)?;
    let row = paper.items.first().context("an invoice without rows")?;
    let share = Decimal::new(discounted.figures.discount, shop.digits);
    let undiscounted =
        json!({"do": "change_row", "document": paper.id, "row": 0, "unit_price": row.unit_price + share});

    let (product, code) = town.codes[account].first_key_value().context("an account without products")?;
    let store = MERCHANTS[merchant].store;
    let one_less = json!({"product_id": product, "store_id": store, "quantity": -1});

    let paid = find(&|_, wanted| wanted.papers.booked.invoices.total > 0)?;
    let total = Decimal::new(expected[&(merchant, paid.id.0)].papers.booked.invoices.total, shop.digits);
    let document = invoice_of(paid)?.id;
    let payment = json!({"do": "add_payment", "document": document, "method": "cash", "amount": total});

    let is_of = |document: u64| move |payment: &&PaymentEntry| payment.document_id == document;
    let payment_of = |order: &Order| books.payments.iter().find(is_of(invoice_of(order).ok()?.id));
    let booked = find(&|order, _| payment_of(order).is_some())?;
    let known = payment_of(booked).context("an order without payment")?;
    let more = known.amount + Decimal::new(1, shop.digits);

    let refunded = find(&|order, wanted| {
        let receipt = papers_of(&books.receipts, account, merchant, order);
        wanted.papers.booked.receipts.dates.len() == 1 && receipt.is_ok_and(Paper::has_goods)
    })?;
    let receipt = papers_of(&books.receipts, account, merchant, refunded)?;
    let codes = receipt.items.iter().filter_map(|row| town.codes[account].get(&row.product_id?).copied());
    let stock = |code| Place::Stock { account, code, store };

    Ok(vec![
        Lie {
            about: "a row without its share of the discount",
            account,
            told: vec![("hand", undiscounted)],
            shows: [place(discounted)].into(),
        },
        Lie {
            about: "a unit that left the store",
            account,
            told: vec![("stock", one_less)],
            shows: [stock(*code)].into(),
        },
        Lie {
            about: "a payment, twice",
            account,
            told: vec![("hand", payment.clone()), ("hand", payment)],
            shows: [place(paid)].into(),
        },
        Lie {
            about: "a payment that is a little larger",
            account,
            told: vec![("hand", json!({"do": "change_payment", "payment": known.id, "amount": more}))],
            shows: [place(booked)].into(),
        },
        Lie {
            about: "a receipt that is gone",
            account,
            told: vec![("hand", json!({"do": "delete", "document": receipt.id}))],
            shows: codes.map(stock).chain([place(refunded)]).collect(),
        },
    ])
}

fn papers_of<'a>(papers: &'a [Paper], account: &str, merchant: usize, order: &Order) -> anyhow::Result<&'a Paper> {
    let own = papers.iter().find(|paper| paper.owner(account) == Some((merchant, order.id.0)));
    own.with_context(|| format!("{} has no such document", order.name))
}

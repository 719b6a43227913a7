//! `order`: what became of each order, and why.

use std::iter;

use anyhow::bail;
use jiff::Timestamp;

use super::{Ended, Session, cut_over, open, out};
use crate::clock::Clock;
use crate::db::Db;
use crate::db::merchant::Merchant;
use crate::db::order::{self, Overview, State};
use crate::db::scope::Scope;
use crate::desk::Wish;
use crate::domain::ruling::Ruling;
use crate::text::Lang;
use crate::view::{self, read, second};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Orders, newest first
    List {
        /// Of one merchant
        #[arg(long, value_name = "SLUG")]
        merchant: Option<String>,
        /// In one state: new, working, waiting, settled, ignored, shadow, held, failed
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// Only orders older than this one, by our number: the next page
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// Orders at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// The whole story of one order
    Show(Which),
    /// Look at one order now, whatever it waits for
    Retry(Which),
    /// Make invoices that somebody else wrote in Daftra the invoices of orders; exits with 3 if a line could not be done
    Adopt(cut_over::Adopt),
    /// An invoice in Daftra that names an order is none of ours: the order is booked as if it were not there
    DismissInvoice(cut_over::Dismiss),
    /// Book an order that the merchant's rules pass over, after a look for it in Daftra
    Import {
        #[command(flatten)]
        which: Which,
        /// Why; it is kept with the order
        #[arg(long, default_value = "")]
        note: String,
    },
}

#[derive(clap::Args)]
pub(super) struct Which {
    /// Our number for it, Shopify's, or its name
    order: String,
    /// Of this merchant, if several have such an order
    #[arg(long, value_name = "SLUG")]
    merchant: Option<String>,
}

fn state(word: &str) -> Result<State, String> {
    State::parse(word).ok_or_else(|| format!("write one of {}", State::ALL.map(State::word).join(", ")))
}

impl Command {
    pub(super) fn run(self, session: &Session) -> anyhow::Result<Ended> {
        match self {
            Self::Import { which, note } => return rule(session, &which, note, |_, _| Ok(Ruling::Import)),
            Self::Adopt(adopt) => return adopt.run(session),
            Self::DismissInvoice(dismiss) => return dismiss.run(session),
            Self::List { .. } | Self::Show(_) | Self::Retry(_) => {}
        }
        let config = session.config()?;
        let db = open::look(&config)?;
        match self {
            Self::Import { .. } | Self::Adopt(_) | Self::DismissInvoice(_) => {}
            Self::List { merchant, state, before, limit } => {
                let merchant = merchant.as_deref().map(|slug| open::merchant_of(&db, slug)).transpose()?;
                let filter = order::Filter { merchant_id: merchant.map(|merchant| merchant.id), state, before };
                let orders = db.see(&Scope::All, |sight| read::orders(sight, filter, limit))?;
                session.out.say(&orders, || list(&orders))?;
            }
            Self::Show(which) => {
                let id = which.find(&db)?.id;
                let story = db.see(&Scope::All, |sight| read::story(sight, id))?;
                session.out.say(&story, || tell(&story))?;
            }
            Self::Retry(which) => {
                let order = which.find(&db)?;
                drop(db);
                let answer = open::wish(&config, Wish::OrderRetry { order_id: order.id }, Clock::real().now())?;
                session
                    .out
                    .say(&answer, || format!("Order {} of {} is looked at again", order.name, order.merchant))?;
            }
        }
        Ok(Ended::Fine)
    }
}

impl Which {
    pub(super) fn find(&self, db: &Db) -> anyhow::Result<Overview> {
        let merchant = self.merchant.as_deref().map(|slug| open::merchant_of(db, slug)).transpose()?;
        the_one(db, merchant.as_ref(), &self.order)
    }
}

/// A person's ruling on one order.
pub(super) fn rule(
    session: &Session,
    which: &Which,
    note: String,
    ruling: impl FnOnce(&Db, &Overview) -> anyhow::Result<Ruling>,
) -> anyhow::Result<Ended> {
    let config = session.config()?;
    let db = open::look(&config)?;
    let order = which.find(&db)?;
    let ruling = ruling(&db, &order)?;
    drop(db);
    let wish = Wish::OrderRule { order_id: order.id, ruling, note };
    let answer = open::wish(&config, wish, Clock::real().now())?;
    let words = Lang::En.words();
    session.out.say(&answer, || format!("Order {} of {} is {}", order.name, order.merchant, words.ruling(ruling)))?;
    Ok(Ended::Fine)
}

/// Orders that are named where a text fits several.
const MOST_NAMED: u32 = 20;

/// The one order that somebody means.
pub(super) fn the_one(db: &Db, merchant: Option<&Merchant>, text: &str) -> anyhow::Result<Overview> {
    let filter = order::Filter { merchant_id: merchant.map(|merchant| merchant.id), ..order::Filter::default() };
    let mut found = db.read(|c| order::find(c, filter, text, MOST_NAMED))?;
    match (found.pop(), found.as_slice()) {
        (Some(order), []) => Ok(order),
        (Some(order), others) => {
            let all = others.iter().chain([&order]);
            // Our number of one order may be the name of another; Shopify's is nobody's name.
            let names = all.map(|order| format!("{} --merchant {}", order.remote_id, order.merchant));
            let names = names.collect::<Vec<_>>().join(", ");
            bail!("\"{text}\" fits several orders: use Shopify's number for the right one ({names})")
        }
        (None, _) => bail!("There is no order \"{text}\": qantara order list shows them"),
    }
}

fn list(orders: &[view::Order]) -> String {
    let cells = |order: &view::Order| {
        let why = order.why.first().map_or_else(String::new, |why| why.what.clone());
        let (id, state) = (order.id.to_string(), order.state.to_owned());
        [id, order.name.clone(), order.merchant.clone(), state, second(order.since), why]
    };
    let head = ["ORDER", "NAME", "MERCHANT", "STATE", "SINCE (UTC)", "WHY"];
    out::table(head, &orders.iter().map(cells).collect::<Vec<_>>())
}

/// The story in English; times are UTC.
fn tell(story: &view::Story) -> String {
    let (order, words) = (&story.order, Lang::En.words());
    let mut text = format!(
        "Order {} of {}, our number {}, Shopify's {}\n",
        out::one_line(&order.name),
        order.merchant,
        order.id,
        order.shopify_id
    );
    let state = State::parse(order.state).map_or(order.state, |state| words.order_state(state));
    text += &format!("{state} since {}", second(order.since));
    text += &later(order.placed_at, ", placed ");
    text += &later(order.due_at, ", looked at again ");
    text += " (UTC)\n";
    for why in &order.why {
        text += &format!("{}\n  {}\n", out::one_line(&why.what), out::one_line(&why.next_step));
    }
    section(&mut text, "Deliveries", &story.deliveries, |delivery| {
        let repeats =
            if delivery.repeats > 0 { format!(", repeated {} times", delivery.repeats) } else { String::new() };
        vec![format!("{}  {}{repeats}", second(delivery.received_at), delivery.topic)]
    });
    section(&mut text, "Documents", &story.documents, |document| {
        let total =
            document.total.as_ref().map_or_else(String::new, |total| format!(", {total} {}", document.currency));
        let id = document.daftra_id.map_or_else(String::new, |id| format!(", Daftra's id {id}"));
        let name = words.document(&document.reference, document.number.as_deref(), document.state);
        let verified = later(document.verified_at, ", verified ");
        let first = format!("{}: {name}{total}{id}{verified}", document.kind.replace('_', " "));
        let paid = document.payment.iter().map(|payment| {
            let view::Payment { amount, at, gateway, method, .. } = payment;
            format!("{amount} {} by {gateway} at {}, booked as {method}", document.currency, second(*at))
        });
        iter::once(first).chain(paid).chain(document.lines.iter().map(content)).collect()
    });
    section(&mut text, "Decided by people", &story.rulings, |ruling| {
        let by = ruling.by.as_deref().unwrap_or("the command line");
        let note = if ruling.note.is_empty() { String::new() } else { format!(": {}", ruling.note) };
        vec![format!("{}  {}, by {by}{note}", second(ruling.at), ruling.what)]
    });
    section(&mut text, "Why so", &story.decisions, |step| vec![step.clone()]);
    section(&mut text, "Calls to Daftra", &story.calls, |call| {
        let outcome = call.outcome.as_deref().map_or("the end is not known", |word| words.outcome(word));
        let status = call.status.map_or_else(String::new, |status| format!(" {status}"));
        let took = call.duration_ms.map_or_else(String::new, |ms| format!(", {ms} ms"));
        let (at, action) = (second(call.started_at), words.action(&call.action));
        vec![format!("{at}  {action}: {outcome}{status}{took}  {}", call.detail)]
    });
    section(&mut text, "Log", &story.log, |row| {
        vec![format!("{}  {}  {}", second(row.at), words.status(row.status), row.what)]
    });
    text
}

fn content(line: &view::Line) -> String {
    let view::Line { title, sku, units, net, tax, .. } = line;
    let product = line.product_id.map_or_else(|| "free text".to_owned(), |id| format!("Daftra's product {id}"));
    format!("{units} x {title} ({sku}): {product}, {net}, tax {tax}")
}

fn later(at: Option<Timestamp>, before: &str) -> String {
    at.map_or_else(String::new, |at| format!("{before}{}", second(at)))
}

/// An item is a line, and lines below it that belong to it.
fn section<T>(text: &mut String, title: &str, items: &[T], lines: impl Fn(&T) -> Vec<String>) {
    if !items.is_empty() {
        text.push_str(&format!("\n{title}\n"));
    }
    for item in items {
        for (index, line) in lines(item).iter().enumerate() {
            let indent = if index == 0 { "  " } else { "    " };
            text.push_str(&format!("{indent}{}\n", out::one_line(line.trim_end())));
        }
    }
}

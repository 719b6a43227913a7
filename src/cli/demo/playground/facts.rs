//! What came of everything, read where it stands: what was placed in the shops, what Qantara's database says of it, and
//! what lies in the fake Daftra's books. Nothing here is remembered from the buttons that were pressed.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::life::{Placed, Playground, Yard};
use super::mail::Progress;
use super::trouble::Trouble;
use crate::cli::demo::scenario::From;
use crate::cli::demo::stage::MERCHANTS;
use crate::db::order::{self, Filter, Overview, State};
use crate::db::{self, document};
use crate::domain::document::State as Stage;
use crate::domain::money::Currency;
use crate::domain::reason::{Ignored, Reason};
use crate::sandbox::World;
use crate::sandbox::daftra::{Document, DocumentKind};
use crate::sandbox::shop::cart::{LineId, OrderId};
use crate::text::{self, Lang};

/// Orders on one page; the status line counts all of them.
const SHOWN: usize = 30;
/// Orders read from the database in one go.
const PAGE: u32 = 1_000;

/// One look at everything.
pub(super) struct Facts {
    pub(super) now: Timestamp,
    pub(super) line: Line,
    /// The newest first.
    pub(super) orders: Vec<Order>,
    pub(super) said: Option<(Timestamp, String)>,
    pub(super) is_streaming: bool,
    pub(super) troubles: Vec<(Trouble, bool)>,
}

/// The one line on all three sites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) orders: usize,
    pub(super) invoices: usize,
    pub(super) held: i64,
    /// At rest, and without an invoice that they should have.
    pub(super) missing: usize,
    /// Invoices beyond the first of an order and merchant.
    pub(super) twice: usize,
    pub(super) kills: u32,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, invoices, held, missing, twice, kills } = self;
        let times = if *kills == 1 { "time" } else { "times" };
        write!(
            f,
            "{orders} orders · {invoices} invoices · {held} held · {missing} missing · {twice} twice · killed {kills} {times}"
        )
    }
}

/// One order as the shop has it, and how far each merchant's part of it has come.
pub(super) struct Order {
    pub(super) id: OrderId,
    pub(super) from: From,
    pub(super) at: Timestamp,
    pub(super) name: String,
    pub(super) total: String,
    pub(super) is_cancelled: bool,
    /// With units left.
    pub(super) lines: Vec<Item>,
    pub(super) progress: Progress,
    pub(super) parts: Vec<Part>,
}

/// One line of an order.
pub(super) struct Item {
    pub(super) id: LineId,
    pub(super) title: String,
    pub(super) units: u32,
}

/// One merchant's part of an order.
pub(super) struct Part {
    pub(super) slug: &'static str,
    /// Qantara's number for it.
    pub(super) id: i64,
    pub(super) state: State,
    /// A call whose end nobody knows.
    pub(super) is_in_doubt: bool,
    /// Why it stands there.
    pub(super) why: String,
    pub(super) papers: Vec<Paper>,
}

/// A document in the fake Daftra.
#[derive(Clone)]
pub(super) struct Paper {
    pub(super) kind: DocumentKind,
    pub(super) no: String,
}

/// Where orders stand in Qantara, by Shopify's number and merchant.
type Known = BTreeMap<(u64, String), Overview>;
/// What lies in the books, by Shopify's number and merchant.
type Books = BTreeMap<(u64, &'static str), Vec<Paper>>;

impl Playground {
    /// Looks at everything, in the order in which news travels: what has arrived was sent before.
    pub(super) fn facts(&self) -> anyhow::Result<Facts> {
        let troubles = Trouble::ALL.map(|trouble| (trouble, self.is_on(trouble))).into();
        let mut yard = self.yard();
        let progress = self.mail.progress();
        let progress = |id: OrderId| progress.get(&id.0).copied().unwrap_or_default();
        let (known, held) = self.db.read(|c| Ok((known(c)?, order::counts(c)?)))?;
        let (books, all_invoices) = {
            let world = self.world();
            (books(&world), all_invoices(&world))
        };
        let held = held.iter().filter(|(_, state, _)| *state == State::Held).map(|(.., count)| count).sum();
        let invoices = |papers: &Vec<Paper>| papers.iter().filter(|paper| paper.is_invoice()).count();
        let mut line = Line {
            orders: yard.orders.len(),
            invoices: all_invoices,
            held,
            missing: 0,
            twice: books.values().map(|papers| invoices(papers).saturating_sub(1)).sum(),
            kills: yard.stage()?.kills,
        };
        let placed: Vec<(OrderId, From, Timestamp)> =
            yard.orders.iter().map(|Placed { id, from, at }| (*id, *from, *at)).collect();
        for (id, from, _) in &placed {
            line.missing += missing(&mut yard, *id, *from, progress(*id), &known, &books)?;
        }
        let mut orders = Vec::new();
        for (id, from, at) in placed.into_iter().rev().take(SHOWN) {
            let parts = self.parts(id, from, &known, &books)?;
            orders.push(as_in_the_shop(&mut yard, id, from, at, progress(id), parts)?);
        }
        let is_streaming = yard.next_at.is_some();
        Ok(Facts { now: self.clock.now(), line, orders, said: yard.said.clone(), is_streaming, troubles })
    }

    fn parts(&self, id: OrderId, from: From, known: &Known, books: &Books) -> anyhow::Result<Vec<Part>> {
        let mut parts = Vec::new();
        for (slug, ..) in merchants(from) {
            let Some(overview) = known.get(&(id.0, slug.to_owned())) else { continue };
            if matches!(overview.reason, Some(Reason::Ignored(Ignored::NoOwnLines { .. }))) {
                continue;
            }
            let documents = self.db.read(|c| document::of_order(c, overview.id))?;
            let currency = documents.first().map(|document| document.content.header().currency);
            let is_in_doubt =
                documents.iter().any(|document| matches!(document.state, Stage::InDoubt | Stage::ReplaceInDoubt));
            parts.push(Part {
                slug,
                id: overview.id,
                state: overview.state,
                is_in_doubt,
                why: why(overview, currency),
                papers: books.get(&(id.0, slug)).cloned().unwrap_or_default(),
            });
        }
        Ok(parts)
    }
}

impl Paper {
    fn is_invoice(&self) -> bool {
        self.kind == DocumentKind::Invoice
    }
}

/// In a sentence, and in the address of a row.
pub(super) fn kind_word(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Invoice => "invoice",
        DocumentKind::CreditNote => "credit-note",
        DocumentKind::RefundReceipt => "receipt",
    }
}

/// The merchants of a shop.
fn merchants(from: From) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let mine = MERCHANTS.iter().filter(move |(_, shop, ..)| *shop == from);
    mine.map(|(slug, _, account, vendor)| (*slug, *account, *vendor))
}

fn known(c: &rusqlite::Connection) -> Result<Known, db::Error> {
    let mut known = Known::new();
    let mut filter = Filter::default();
    loop {
        let page = order::list(c, filter, PAGE)?;
        let is_last = u32::try_from(page.len()) != Ok(PAGE);
        filter.before = page.last().map(|order| order.id);
        let keyed = page.into_iter().filter_map(|order| {
            let id = u64::try_from(order.remote_id).ok()?;
            Some(((id, order.merchant.clone()), order))
        });
        known.extend(keyed);
        if is_last {
            return Ok(known);
        }
    }
}

fn books(world: &World) -> Books {
    let mut books = Books::new();
    for (slug, _, account, _) in MERCHANTS {
        let Some(account) = world.account(account) else { continue };
        for kind in [DocumentKind::Invoice, DocumentKind::RefundReceipt] {
            for document in account.documents(kind) {
                let Some(order) = order_of(document) else { continue };
                books.entry((order, slug)).or_default().push(Paper { kind, no: document.no.clone() });
            }
        }
    }
    books
}

/// Also those that name no order.
fn all_invoices(world: &World) -> usize {
    let accounts = MERCHANTS.iter().filter_map(|(_, _, account, _)| world.account(account));
    accounts.map(|account| account.documents(DocumentKind::Invoice).count()).sum()
}

/// Shopify's number for the order, which stands in the reference of each of our documents.
pub(super) fn order_of(document: &Document) -> Option<u64> {
    document.text("po_number").split('-').nth(1)?.parse().ok()
}

/// How many merchants lack the invoice they should have, though nothing is on its way any more.
fn missing(
    yard: &mut Yard,
    id: OrderId,
    from: From,
    progress: Progress,
    known: &Known,
    books: &Books,
) -> anyhow::Result<usize> {
    if progress.kept < progress.posted {
        return Ok(0);
    }
    let left = yard.stage()?.shop(from)?.0.what_is_left(id).map_err(|why| anyhow::anyhow!("{why}"))?;
    let lacks = |(slug, _, vendor): &(&'static str, &str, &str)| {
        let should = left.iter().any(|line| *vendor == "*" || line.vendor == *vendor);
        let has = books.get(&(id.0, *slug)).is_some_and(|papers| papers.iter().any(Paper::is_invoice));
        let is_at_rest = known.get(&(id.0, (*slug).to_owned())).is_none_or(|order| match order.state {
            State::Settled | State::Ignored | State::Failed => order.due_at.is_none(),
            State::New | State::Working | State::Waiting | State::Held | State::Shadow => false,
        });
        should && !has && is_at_rest
    };
    Ok(merchants(from).filter(lacks).count())
}

fn as_in_the_shop(
    yard: &mut Yard,
    id: OrderId,
    from: From,
    at: Timestamp,
    progress: Progress,
    parts: Vec<Part>,
) -> anyhow::Result<Order> {
    let (shop, _) = yard.stage()?.shop(from)?;
    let refused = |why| anyhow::anyhow!("{why}");
    let (body, left) = (shop.order_body(id).map_err(refused)?, shop.what_is_left(id).map_err(refused)?);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let title = |line: LineId| {
        let items = body["line_items"].as_array().into_iter().flatten();
        let item = items.into_iter().find(|item| item["id"] == line.0);
        item.and_then(|item| item["name"].as_str().or(item["title"].as_str())).unwrap_or_default().to_owned()
    };
    Ok(Order {
        id,
        from,
        at,
        name: text("name"),
        total: format!("{} {}", text("current_total_price"), text("currency")),
        is_cancelled: !body["cancelled_at"].is_null(),
        lines: left
            .iter()
            .map(|line| Item { id: line.line_id, title: title(line.line_id), units: line.units })
            .collect(),
        progress,
        parts,
    })
}

fn why(order: &Overview, currency: Option<Currency>) -> String {
    let reason = order.reason.as_ref().map(|reason| text::reason(Lang::En, reason, currency)).unwrap_or_default();
    reason.into_iter().next().map_or_else(String::new, |sentence| sentence.what)
}

//! What people do in the playground: they buy, change their minds and break things. Each act is what the fake shop makes
//! of it, and the deliveries it causes; nothing here tells Qantara anything else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use anyhow::{Context as _, anyhow, bail};
use jiff::{SignedDuration, Timestamp};

use super::mail::{Courier, Mail, Parcel};
use super::trouble::{self, Standing, Trouble};
use crate::cli::demo::scenario::From;
use crate::cli::demo::stage::{Stage, domain};
use crate::clock::Clock;
use crate::db::Db;
use crate::sandbox::World;
use crate::sandbox::shop::cart::{CancelHow, Cart, Edit, Item, LineId, OrderId, Refund, Restock, VariantId};
use crate::sandbox::shop::delivery::Delivery;
use crate::sandbox::shop::{Refusal, Shop};

/// How often somebody looks whether a trouble hit, and whether it is time for another order.
const GLANCE: SignedDuration = SignedDuration::from_millis(20);
/// Between two orders that come in by themselves.
const STREAM_GAP: SignedDuration = SignedDuration::from_secs(2);
/// A stream that was forgotten ends here.
const STREAM_LIMIT: usize = 500;
/// What an "Add" button adds to an order.
const SMALL_THING: &str = "WH-3300";
/// More units of one thing are a slip of the finger; the fake Daftra has a thousand.
const MOST_UNITS: u32 = 99;

/// What a visitor finds, and what comes in by itself.
const SAMPLES: [(From, &[(&str, u32)]); 6] = [
    (From::Souq, &[("WH-2040", 1), ("6281000000014", 2)]),
    (From::Kuwait, &[("NJ-OUD-100", 1)]),
    (From::Souq, &[("WH-1001-RED-XL", 3)]),
    (From::Souq, &[("NJ-BOOK", 1), ("WH-3300", 2)]),
    (From::Kuwait, &[("WH-3300", 2), ("NJ-BKH-1", 1)]),
    (From::Souq, &[("NJ-OUD-100", 1)]),
];

/// The playground, shared by all threads.
pub(super) struct Playground {
    yard: Mutex<Yard>,
    pub(super) mail: Mail,
    pub(super) world: Arc<Mutex<World>>,
    /// Qantara's own database, to look into as its command line does.
    pub(super) db: Db,
    /// Qantara's address with name and password.
    pub(super) qantara: String,
    /// The same as browsers name a site.
    pub(super) origin: String,
    /// Where the fake Daftra is commanded from.
    pub(super) control: String,
    pub(super) clock: Clock,
    closing: AtomicBool,
}

/// What changes.
pub(super) struct Yard {
    /// Gone when the playground closes.
    stage: Option<Stage>,
    /// The oldest first.
    pub(super) orders: Vec<Placed>,
    /// What the last button led to.
    pub(super) said: Option<(Timestamp, String)>,
    /// Each delivery is sent three times.
    pub(super) is_thrice: bool,
    /// When the next order comes in by itself, while a stream is on.
    pub(super) next_at: Option<Timestamp>,
    streamed: usize,
}

/// An order that was placed here.
pub(super) struct Placed {
    pub(super) id: OrderId,
    pub(super) from: From,
    pub(super) at: Timestamp,
}

/// What can be done to a placed order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    More(LineId),
    Fewer(LineId),
    GiveBack(LineId),
    Add,
    Cancel,
}

impl Playground {
    /// Opens the gate; `qantara` is the address with name and password. The courier waits for `start`.
    pub(super) fn new(stage: Stage, qantara: String) -> anyhow::Result<(Self, Courier)> {
        let (mail, courier) = Mail::new(format!("{}webhook", stage.pages()));
        let playground = Self {
            db: Db::open(stage.folder())?,
            world: stage.world(),
            control: stage.control(),
            origin: stage.pages().trim_end_matches('/').to_owned(),
            mail,
            qantara,
            clock: Clock::real(),
            closing: AtomicBool::new(false),
            yard: Mutex::new(Yard {
                stage: Some(stage),
                orders: Vec::new(),
                said: None,
                is_thrice: false,
                next_at: None,
                streamed: 0,
            }),
        };
        Ok((playground, courier))
    }

    /// Somebody has been here before: nothing is empty.
    pub(super) fn welcome(&self) -> anyhow::Result<()> {
        for (from, goods) in &SAMPLES[..2] {
            self.buy(*from, goods)?;
        }
        Ok(())
    }

    /// Ends the child and removes the folder; acts that come later are refused.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        drop(self.yard().stage.take());
    }

    /// A checkout: SKUs and units.
    pub(super) fn buy(&self, from: From, goods: &[(&str, u32)]) -> anyhow::Result<()> {
        let now = self.clock.now();
        let mut yard = self.yard();
        let (shop, variants) = yard.stage()?.shop(from)?;
        let wanted = goods.iter().filter(|(_, units)| *units > 0);
        let lines: Vec<(VariantId, u32)> =
            wanted.map(|(sku, units)| Ok((variant(variants, sku)?, *units))).collect::<anyhow::Result<_>>()?;
        if lines.is_empty() {
            bail!("Nothing is in the cart: choose how many, or press one of the small buttons");
        }
        if lines.iter().any(|(_, units)| *units > MOST_UNITS) {
            bail!("More than {MOST_UNITS} of one thing are not sold here");
        }
        let (id, deliveries) = shop.buy(&Cart::of(&lines), now).map_err(refused)?;
        let name = name(shop, id);
        yard.orders.push(Placed { id, from, at: now });
        yard.said = Some((now, format!("Order {name} is placed, and on its way to Qantara.")));
        self.post(&yard, from, deliveries)
    }

    /// Something happens to an order.
    pub(super) fn act(&self, id: OrderId, act: Act) -> anyhow::Result<()> {
        let now = self.clock.now();
        let mut yard = self.yard();
        let from = yard.orders.iter().find(|order| order.id == id).context("There is no such order")?.from;
        let (shop, variants) = yard.stage()?.shop(from)?;
        let left = shop.what_is_left(id).map_err(refused)?;
        let units = |line: LineId| left.iter().find(|left| left.line_id == line).map_or(0, |left| left.units);
        let (deliveries, what) = match act {
            Act::More(line) => {
                let to = (units(line) + 1).min(MOST_UNITS);
                (shop.edit(id, &[Edit::SetQuantity { line, to, restock: true }], now), "has one unit more")
            }
            Act::Fewer(line) => {
                let to = units(line).saturating_sub(1);
                (shop.edit(id, &[Edit::SetQuantity { line, to, restock: true }], now), "has one unit less")
            }
            Act::GiveBack(line) => {
                (shop.refund(id, &Refund::of(&[(line, 1, Restock::Return)]), now), "gets one unit back, with its money")
            }
            Act::Add => {
                let item = Item::Variant(variant(variants, SMALL_THING)?);
                (shop.edit(id, &[Edit::AddLine { item, quantity: 1 }], now), "has one line more")
            }
            Act::Cancel => {
                let how = CancelHow { restock: true, money: true, shipping: true, reason: "customer".to_owned() };
                (shop.cancel(id, &how, now), "is cancelled, and its money given back")
            }
        };
        let mut deliveries = deliveries.map_err(refused)?;
        // Whoever asks for more pays for it; nothing is owed after anything else.
        if let Ok(paid) = shop.pay(id, now) {
            deliveries.extend(paid);
        }
        let name = name(shop, id);
        yard.said = Some((now, format!("Order {name} {what}.")));
        self.post(&yard, from, deliveries)
    }

    /// Breaks something, or calls it off.
    pub(super) fn trouble(&self, trouble: Trouble) -> anyhow::Result<()> {
        let now = self.clock.now();
        let said = match trouble {
            Trouble::Thrice => {
                let mut yard = self.yard();
                yard.is_thrice = !yard.is_thrice;
                if yard.is_thrice { "Each delivery is sent three times now." } else { "Each delivery is sent once." }
            }
            Trouble::KillNow => {
                self.yard().stage()?.kill()?;
                "Qantara was killed, and is up again."
            }
            Trouble::LoseAnswer | Trouble::SaveAndSay500 | Trouble::DaftraDown | Trouble::KillDuringCall => {
                let mut world = self.world();
                if trouble::standing(&mut world, trouble) == Standing::Armed {
                    trouble::disarm(&mut world, trouble);
                    "Called off."
                } else {
                    trouble::arm(&mut world, trouble);
                    if trouble == Trouble::DaftraDown { "Daftra is down." } else { "Armed. Now buy something." }
                }
            }
        };
        self.yard().said = Some((now, said.to_owned()));
        Ok(())
    }

    /// Lets orders come in by themselves, or stops it.
    pub(super) fn stream(&self) {
        let now = self.clock.now();
        let mut yard = self.yard();
        yard.next_at = if yard.next_at.is_some() { None } else { Some(now) };
        yard.streamed = 0;
    }

    /// Whether a trouble lies in wait, or goes on.
    pub(super) fn is_on(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Thrice => self.yard().is_thrice,
            Trouble::KillNow => false,
            Trouble::LoseAnswer | Trouble::SaveAndSay500 | Trouble::DaftraDown | Trouble::KillDuringCall => {
                trouble::standing(&mut self.world(), trouble) == Standing::Armed
            }
        }
    }

    /// Tells people what their button led to.
    pub(super) fn say(&self, text: String) {
        let now = self.clock.now();
        self.yard().said = Some((now, text));
    }

    pub(super) fn yard(&self) -> MutexGuard<'_, Yard> {
        self.yard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn post(&self, yard: &Yard, from: From, deliveries: Vec<Delivery>) -> anyhow::Result<()> {
        let stage = yard.stage.as_ref().context("The playground is closed")?;
        let secret = stage.secret(domain(from));
        for delivery in deliveries {
            self.mail.post(&Parcel { delivery, secret: secret.to_owned() }, if yard.is_thrice { 3 } else { 1 });
        }
        Ok(())
    }

    /// Sees that what lies in wait hits once, and lets orders come in.
    fn watch(&self) {
        while !self.closing.load(Ordering::SeqCst) {
            for trouble in Trouble::ALL {
                let has_hit = {
                    let mut world = self.world();
                    let has_hit = trouble::standing(&mut world, trouble) == Standing::Hit;
                    if has_hit {
                        trouble::disarm(&mut world, trouble);
                    }
                    has_hit
                };
                if has_hit && trouble == Trouble::KillDuringCall {
                    self.report(self.trouble(Trouble::KillNow));
                }
            }
            // A person at another terminal may kill it as well.
            let revived = self.yard().revive();
            self.report(revived);
            self.report(self.let_one_in());
            self.clock.sleep(GLANCE);
        }
    }

    fn let_one_in(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let (from, goods) = {
            let mut yard = self.yard();
            if yard.next_at.is_none_or(|at| at > now) {
                return Ok(());
            }
            let sample = SAMPLES[yard.streamed % SAMPLES.len()];
            yard.streamed += 1;
            yard.next_at = (yard.streamed < STREAM_LIMIT).then(|| now + STREAM_GAP);
            sample
        };
        self.buy(from, goods)
    }

    fn report(&self, done: anyhow::Result<()>) {
        if let Err(error) = done {
            self.say(error.to_string());
        }
    }
}

impl Yard {
    fn revive(&mut self) -> anyhow::Result<()> {
        let Some(stage) = &mut self.stage else { return Ok(()) };
        if stage.is_dead() { stage.kill() } else { Ok(()) }
    }

    pub(super) fn stage(&mut self) -> anyhow::Result<&mut Stage> {
        self.stage.as_mut().context("The playground is closed")
    }
}

/// The threads which carry deliveries and watch what lies in wait; they end when the playground closes.
pub(super) fn start(playground: &Arc<Playground>, courier: Courier) -> anyhow::Result<()> {
    let (mails, watches) = (Arc::clone(playground), Arc::clone(playground));
    Builder::new().name("mail".to_owned()).spawn(move || courier.carry(&mails.clock, &mails.closing))?;
    Builder::new().name("watch".to_owned()).spawn(move || watches.watch())?;
    Ok(())
}

fn variant(variants: &BTreeMap<String, VariantId>, sku: &str) -> anyhow::Result<VariantId> {
    variants.get(sku).copied().with_context(|| format!("{sku} is not on the shelf"))
}

fn name(shop: &Shop, id: OrderId) -> String {
    let body = shop.order_body(id).ok();
    body.and_then(|body| Some(body["name"].as_str()?.to_owned())).unwrap_or_default()
}

fn refused(why: Refusal) -> anyhow::Error {
    anyhow!("The shop refuses: {why}")
}

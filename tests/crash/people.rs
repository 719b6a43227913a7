//! What buyers and operators do, and when: drawn before the seed begins, carried out while it goes on.

use jiff::{SignedDuration, Timestamp};
use qantara::db::merchant::{self, Mode};
use qantara::db::namesake;
use qantara::db::order::{self, State as OrderState};
use qantara::desk::{Person, Wish};
use qantara::sandbox::daftra::{Account, ApiKey, DocumentKind, Hand, Requisition};
use qantara::sandbox::shop::cart::OrderId;
use rust_decimal::Decimal;

use crate::check::{is_for_a_person, order_of};
use crate::sim::{Life, Sim, State};
use crate::town::{MISSING, ODD_SKU, OTHER_STORE, SPARE_PRODUCT, stock_up};

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Buy {
        place: usize,
    },
    Change {
        place: usize,
        order: OrderId,
    },
    Pause {
        merchant: usize,
    },
    Resume {
        merchant: usize,
    },
    /// Any order, whatever its state.
    Retry,
    /// Another client or store: it fits, or it is a mistake that is mended later.
    Rules {
        merchant: usize,
        client: i64,
        store: i64,
    },
    /// The merchant as it is to be.
    Set {
        merchant: usize,
    },
    NewSecret {
        merchant: usize,
    },
    NewKey {
        account: &'static str,
    },
    /// The account's host does not answer for so many minutes.
    Outage {
        account: &'static str,
        minutes: i64,
    },
    /// Somebody who does not know the secret knocks.
    Stranger {
        merchant: usize,
    },
    Map {
        merchant: usize,
    },
    GoLive {
        merchant: usize,
    },
    BackUp,
    Restore,
    /// Somebody changes the price of a row in Daftra, or deletes an invoice there.
    Tamper {
        account: &'static str,
        with: Tampering,
    },
    /// The warehouse hands out what it was asked for.
    HandOut {
        account: &'static str,
    },
    /// What there was too little of arrives.
    Arrive {
        account: &'static str,
    },
}

/// What somebody does in Daftra's own screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tampering {
    Change,
    Delete,
}

/// What an operator's mistake names.
const NO_CLIENT: i64 = 99;
/// Merchants paused while a call is on its way, in a thousand calls.
const PAUSES: u32 = 12;

impl State {
    /// Draws what will happen in the first hours.
    pub(crate) fn plan_ahead(&mut self) {
        let start: Timestamp = crate::common::stage::START.parse().unwrap();
        let places = self.town.places.len() as u64;
        for _ in 0..3 + self.chance.below(4) {
            let at = self.within(start, 180);
            let place = usize::try_from(self.chance.below(places)).unwrap();
            self.put(at, Act::Buy { place });
        }
        for merchant in 0..self.town.merchants.len() {
            if self.town.merchants[merchant].mode == Mode::Shadow && self.chance.per_mille(850) {
                let at = self.within(start, 150);
                self.put(at, Act::GoLive { merchant });
            }
            if self.town.lacking.contains(&self.town.merchants[merchant].account) {
                let at = self.within(start, 300);
                self.put(at, Act::Map { merchant });
            }
        }
        for _ in 0..self.chance.below(8) {
            self.plan_act(start);
        }
        for account in self.town.scarce.clone() {
            let at = self.within(start, 420);
            self.put(at, Act::Arrive { account });
        }
        for (with, share) in [(Tampering::Change, 120), (Tampering::Delete, 80)] {
            if self.chance.per_mille(share) {
                let at = self.within(start, 300);
                self.put(at, Act::Tamper { account: "one", with });
            }
        }
        if self.chance.per_mille(250) {
            let (backup, restore) = (self.within(start, 200), self.within(start, 360));
            self.put(backup.min(restore), Act::BackUp);
            self.put(backup.max(restore), Act::Restore);
        }
    }

    fn plan_act(&mut self, start: Timestamp) {
        let at = self.within(start, 300);
        let merchant = usize::try_from(self.chance.below(self.town.merchants.len() as u64)).unwrap();
        match self.chance.below(9) {
            0 => {
                let until = self.within(at, 120);
                self.put(at, Act::Pause { merchant });
                self.put(until, Act::Resume { merchant });
            }
            1 | 2 => self.put(at, Act::Retry),
            3 => {
                let store = i64::try_from(1 + self.chance.below(2)).unwrap();
                self.put(at, Act::Rules { merchant, client: 16, store });
            }
            4 => {
                let mended = self.within(at, 90);
                self.put(at, Act::Rules { merchant, client: NO_CLIENT, store: OTHER_STORE });
                self.put(mended, Act::Rules { merchant, client: 15, store: 1 });
            }
            5 => self.put(at, Act::NewSecret { merchant }),
            6 => self.put(at, Act::Stranger { merchant }),
            7 => {
                let minutes = i64::try_from(5 + self.chance.below(90)).unwrap();
                self.put(at, Act::Outage { account: "one", minutes });
            }
            _ => {
                let account = if self.chance.per_mille(700) { "one" } else { "two" };
                self.put(at, Act::NewKey { account });
            }
        }
    }

    /// Something happens to the newest order just now, or a merchant is paused.
    pub(crate) fn meddle(&mut self, now: Timestamp) {
        let rate = self.rates.meddle;
        if rate > 0 && self.chance.per_mille(PAUSES) {
            let merchant = usize::try_from(self.chance.below(self.town.merchants.len() as u64)).unwrap();
            let until = self.within(now, 20);
            self.put(now, Act::Pause { merchant });
            self.put(until, Act::Resume { merchant });
        }
        if rate == 0 || !self.chance.per_mille(rate) {
            return;
        }
        let place = usize::try_from(self.chance.below(self.town.places.len() as u64)).unwrap();
        if let Some((order, _)) = self.town.places[place].orders.last_key_value() {
            let order = *order;
            self.put(now, Act::Change { place, order });
        }
    }

    /// Somebody changes the price of a row of some invoice, or deletes it.
    fn tamper(&mut self, name: &'static str, with: Tampering, now: Timestamp) {
        let account = self.world.account(name).unwrap();
        let invoices: Vec<(u64, String)> =
            account.documents(DocumentKind::Invoice).map(|one| (one.id, order_of(one.text("po_number")))).collect();
        let pick = usize::try_from(self.chance.below(invoices.len() as u64)).unwrap();
        let Some((document, order)) = invoices.get(pick).cloned() else { return };
        let hand = match with {
            Tampering::Change => {
                Hand::ChangeRow { document, row: 0, unit_price: Some(Decimal::ONE_THOUSAND), quantity: None }
            }
            Tampering::Delete => Hand::Delete { document },
        };
        self.world.account_mut(name).unwrap().hand(hand, now).unwrap();
        self.tell(now, format!("{name}: somebody lays hands on document {document} of {order}: {with:?}"));
        self.by_hand.entry(order).or_default().insert(with);
    }

    /// The warehouse has work: it will be done.
    pub(crate) fn call_the_warehouse(&mut self, name: &str, now: Timestamp) {
        let Some(account) = ["one", "two"].into_iter().find(|account| *account == name) else { return };
        let is_called =
            self.agenda.values().any(|act| matches!(act, Act::HandOut { account: other } if *other == account));
        if !is_called && !pending(self.world.account(account).unwrap()).is_empty() {
            let at = self.within(now, 150);
            self.put(at, Act::HandOut { account });
        }
    }

    /// A moment in the next so many minutes.
    fn within(&mut self, start: Timestamp, minutes: u64) -> Timestamp {
        start + SignedDuration::from_millis(i64::try_from(self.chance.below(minutes * 60_000)).unwrap())
    }
}

/// Invoices whose goods the warehouse is to hand out.
fn pending(account: &Account) -> Vec<u64> {
    let invoices = account.documents(DocumentKind::Invoice);
    invoices.filter(|one| one.requisition == Some(Requisition::Pending)).map(|one| one.id).collect()
}

impl Sim {
    pub(crate) fn act(&self, life: &Life, act: Act, now: Timestamp) {
        let again = act;
        match act {
            Act::Buy { place } => {
                let state = &mut *self.state();
                let order = state.town.buy(place, &mut state.chance, now);
                state.tell(now, format!("shop {place}: order {} is placed", order.0));
                for _ in 0..state.chance.below(4) {
                    let at = state.within(now, 240);
                    state.put(at, Act::Change { place, order });
                }
            }
            Act::Change { place, order } => {
                let state = &mut *self.state();
                let (what, is_done) = state.town.change(place, order, &mut state.chance, now);
                let end = if is_done { "" } else { ", but cannot" };
                state.tell(now, format!("shop {place}: order {} {what}{end}", order.0));
            }
            Act::Pause { merchant } => {
                let slug = {
                    let merchant = &mut self.state().town.merchants[merchant];
                    if merchant.mode != Mode::Live {
                        return;
                    }
                    merchant.is_paused = true;
                    merchant.slug.clone()
                };
                self.wish(life, "pause", Wish::MerchantPause { slug }, Act::Set { merchant }, now);
            }
            Act::Resume { merchant } => {
                let slug = {
                    let merchant = &mut self.state().town.merchants[merchant];
                    merchant.is_paused = false;
                    merchant.slug.clone()
                };
                self.wish(life, "resume", Wish::MerchantResume { slug }, Act::Set { merchant }, now);
            }
            Act::Retry => {
                let orders = life.engine.db.read(|c| order::list(c, order::Filter::default(), 100)).unwrap();
                let pick = self.state().chance.below(orders.len() as u64);
                if let Some(order) = orders.get(usize::try_from(pick).unwrap()) {
                    self.wish(life, "retry", Wish::OrderRetry { order_id: order.id }, again, now);
                }
            }
            Act::Rules { merchant, client, store } => {
                {
                    let daftra = &mut self.state().town.merchants[merchant].file.daftra;
                    (daftra.client_id, daftra.store_id) = (client, store);
                }
                self.set(life, merchant, now);
            }
            Act::Set { merchant } => self.set(life, merchant, now),
            Act::NewSecret { merchant } => {
                {
                    let merchant = &mut self.state().town.merchants[merchant];
                    let secret = format!("{}+", merchant.secrets[0]);
                    merchant.secrets.insert(0, secret);
                    merchant.secrets.truncate(2);
                }
                self.set(life, merchant, now);
            }
            Act::NewKey { account } => {
                let state = &mut *self.state();
                let fake = state.world.account_mut(account).unwrap();
                let key = format!("{}+", fake.setup().keys[0].key);
                fake.change(|setup| setup.keys = vec![ApiKey::full(&key)]).unwrap();
                state.tell(now, format!("{account}: another key"));
                for merchant in 0..state.town.merchants.len() {
                    if state.town.merchants[merchant].account == account {
                        state.town.merchants[merchant].key.clone_from(&key);
                        let at = state.within(now, 30);
                        state.put(at, Act::Set { merchant });
                    }
                }
            }
            Act::Outage { account, minutes } => {
                let mut state = self.state();
                state.outages.insert(account, now + SignedDuration::from_mins(minutes));
                state.tell(now, format!("{account}: nobody answers for {minutes} minutes"));
            }
            Act::Stranger { merchant } => {
                let posted = self.state().town.merchants[merchant].posted.last().cloned();
                let Some(forged) = posted else { return };
                self.state().tell(now, "a stranger knocks".to_owned());
                self.knock(life, merchant, &forged, "a guess");
            }
            Act::Map { merchant } => {
                let slug = {
                    let merchant = &mut self.state().town.merchants[merchant];
                    merchant.is_mapped = true;
                    merchant.slug.clone()
                };
                let product_id = i64::try_from(SPARE_PRODUCT).unwrap();
                let wish = Wish::MappingSet { slug, code: ODD_SKU.to_owned(), product_id };
                self.wish(life, "map", wish, again, now);
            }
            // What others may have written is looked for first, and going live waits for that.
            Act::GoLive { merchant } if !self.may_go_live(life, merchant, now) => {
                let slug = self.state().town.merchants[merchant].file.slug.clone();
                let again = Act::GoLive { merchant };
                if self.wish(life, "look for others", Wish::CutOverLook { slug }, again, now) {
                    self.state().put(now + SignedDuration::from_mins(10), again);
                }
            }
            Act::GoLive { merchant } => {
                {
                    let merchant = &mut self.state().town.merchants[merchant];
                    merchant.mode = Mode::Live;
                    merchant.file.orders.live_from = Timestamp::from_second(now.as_second()).ok();
                }
                self.set(life, merchant, now);
            }
            Act::BackUp => {
                self.back_up(life);
                self.state().tell(now, "a copy is kept".to_owned());
            }
            Act::Restore => self.go_back(life, now),
            Act::Tamper { account, with } => self.state().tamper(account, with, now),
            Act::HandOut { account } => {
                let state = &mut *self.state();
                state.tell(now, format!("{account}: the warehouse hands out"));
                let fake = state.world.account_mut(account).unwrap();
                for document in pending(fake) {
                    fake.hand(Hand::AcceptRequisition { document }, now).unwrap();
                }
            }
            Act::Arrive { account } => {
                let state = &mut *self.state();
                state.tell(now, format!("{account}: goods arrive"));
                stock_up(state.world.account_mut(account).unwrap(), MISSING, now);
            }
        }
    }

    fn set(&self, life: &Life, number: usize, now: Timestamp) {
        // An older copy may know it as one that is not live yet.
        let (goes_live, slug) = {
            let merchant = &self.state().town.merchants[number];
            (merchant.mode == Mode::Live && !merchant.is_paused, merchant.file.slug.clone())
        };
        if goes_live && !self.may_go_live(life, number, now) {
            let again = Act::Set { merchant: number };
            if self.wish(life, "look for others", Wish::CutOverLook { slug }, again, now) {
                self.state().put(now + SignedDuration::from_mins(10), again);
            }
            return;
        }
        let proposal = {
            let merchant = &mut self.state().town.merchants[number];
            merchant.file.mode = Some(if merchant.is_paused { Mode::Paused } else { merchant.mode });
            merchant.proposal()
        };
        if self.wish(life, "set", Wish::MerchantSet(proposal), Act::Set { merchant: number }, now) {
            // The shop signs with the new secret once it is known here.
            let merchant = &mut self.state().town.merchants[number];
            merchant.secret.clone_from(&merchant.secrets[0]);
        }
    }

    /// Nobody has orders of late, or Daftra was looked through within the hour.
    fn may_go_live(&self, life: &Life, merchant: usize, now: Timestamp) -> bool {
        let slug = self.state().town.merchants[merchant].file.slug.clone();
        life.engine
            .db
            .read(|c| {
                let known = merchant::by_slug(c, &slug)?.expect("added before the seed begins");
                let orders = namesake::orders_since(c, known.id, now - SignedDuration::from_hours(30 * 24))?;
                let looked_at = namesake::look(c, known.id)?.looked_at;
                let is_fresh = looked_at.is_some_and(|at| now.duration_since(at) < SignedDuration::from_hours(1));
                Ok(known.mode == Mode::Live || orders.is_empty() || is_fresh)
            })
            .unwrap()
    }

    /// Asks for something, and asks again in the next life if no answer came. True if one did.
    fn wish(&self, life: &Life, name: &'static str, wish: Wish, again: Act, now: Timestamp) -> bool {
        {
            let mut state = self.state();
            let text = match &wish {
                Wish::MerchantSet(proposal) => {
                    let (file, live_from) = (&proposal.file, proposal.file.orders.live_from);
                    let (mode, daftra) = (file.mode.map_or("", Mode::word), &file.daftra);
                    let from = live_from.map_or_else(String::new, |from| format!(" from {from}"));
                    format!("{}: {mode}{from}, client {}, store {}", file.slug, daftra.client_id, daftra.store_id)
                }
                Wish::MerchantPause { slug } | Wish::MerchantResume { slug } => slug.clone(),
                Wish::OrderRetry { order_id } => format!("our order {order_id}"),
                Wish::MappingSet { slug, code, product_id } => format!("{slug}: {code} is {product_id}"),
                Wish::MerchantAdd(_) | Wish::UserAdd { .. } => String::new(),
                Wish::UserPasswd { .. } | Wish::UserLanguage { .. } => String::new(),
                Wish::UserRights { .. } | Wish::UserDisable { .. } => String::new(),
                Wish::OrderRule { .. } | Wish::HoldRelease { .. } | Wish::MappingImport { .. } => String::new(),
                Wish::FailedRetry { slug } | Wish::CutOverLook { slug } => slug.clone(),
                Wish::MailRecipientAdd { .. }
                | Wish::MailRecipientSet { .. }
                | Wish::MailRecipientRemove { .. }
                | Wish::MailWords { .. }
                | Wish::MailResend { .. }
                | Wish::MailTrial { .. } => String::new(),
                // Nobody wishes for these here.
                Wish::TokenAdd { .. } | Wish::TokenRevoke { .. } => String::new(),
                Wish::MerchantClose { .. }
                | Wish::MerchantOpen { .. }
                | Wish::SecretRotate { .. }
                | Wish::SecretForget { .. }
                | Wish::OrderNote { .. }
                | Wish::PrivacyRead { .. }
                | Wish::PrivacyAnswer { .. }
                | Wish::PrivacyRedact { .. }
                | Wish::PrivacyForget { .. }
                | Wish::ShopBack { .. }
                | Wish::ShopConnect { .. }
                | Wish::ShopDisconnect { .. }
                | Wish::CatchUp { .. }
                | Wish::CoverageLook { .. }
                | Wish::OrderAdopt { .. }
                | Wish::NamesakeDismiss { .. }
                | Wish::DeliveryReplay { .. } => String::new(),
            };
            state.tell(now, format!("a person wishes: {name} {text}"));
            state.wish = Some(name);
        }
        let answer = life.office.perform(wish, Person::AT_THE_COMMAND_LINE);
        let mut state = self.state();
        state.wish = None;
        if state.death.is_some() {
            state.put(now + SignedDuration::from_secs(1), again);
            return false;
        }
        drop(state);
        answer.unwrap();
        true
    }

    /// An older copy is put back. What a person does then: every merchant as it is to be, and everything once more.
    fn go_back(&self, life: &Life, now: Timestamp) {
        let backup = self.state().backups.first().cloned();
        let Some((at, backup)) = backup else { return };
        self.restore(life, &backup);
        let state = &mut *self.state();
        let soon = now + SignedDuration::from_secs(30);
        state.note_undone(at, now);
        for merchant in 0..state.town.merchants.len() {
            state.put(soon, Act::Set { merchant });
            if state.town.merchants[merchant].is_mapped {
                state.put(soon, Act::Map { merchant });
            }
            let merchant = &mut state.town.merchants[merchant];
            let posted = merchant.posted.clone();
            merchant.courier.post(posted, soon);
        }
    }

    /// A person tries again what waits for one. False if all is well.
    pub(crate) fn try_again(&self) -> bool {
        let life = self.life();
        let orders = life.engine.db.read(|c| order::list(c, order::Filter::default(), 1_000)).unwrap();
        let mut is_well = true;
        for order in orders {
            match order.state {
                OrderState::Settled | OrderState::Ignored | OrderState::Shadow => {}
                OrderState::Held | OrderState::Failed => {
                    is_well &= is_for_a_person(&self.state(), &order);
                    let now = life.clock.now();
                    self.wish(&life, "retry", Wish::OrderRetry { order_id: order.id }, Act::Retry, now);
                }
                OrderState::New | OrderState::Working | OrderState::Waiting => is_well = false,
            }
        }
        !is_well
    }
}

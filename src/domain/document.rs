//! The life of one document in Daftra, as pure functions over all its states.
//!
//! [`next`] says what a document needs, [`apply`] what an event makes of it; every pair that must not happen is a named
//! error. `content` changes only on evidence that Daftra holds it; the draft of a PUT under way lives in `replacement`.
//! A call whose end we never learned is looked up after a settling time, never repeated.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::draft::{Draft, Fingerprint};
use super::invoice::{InvoiceDraft, Seen};
use super::money::Amount;
use super::payment::PaymentDraft;
use super::reason::{Difference, DifferenceKind, Hold, Refusal, Shortage, Unmoved, Waiting};
use super::refund::ReceiptDraft;

/// How patient we are with Daftra.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// After this time a call that timed out is not executed any more: at least twice the call's time-out.
    pub settling: SignedDuration,
    /// Looks in a row that must find nothing before a document counts as absent.
    pub look_ups: u32,
    pub look_up_gap: SignedDuration,
    /// Between the two reads that must miss a document before it counts as deleted.
    pub gone_gap: SignedDuration,
    /// Calls with unknown end before a person must look.
    pub unknown_sends: u32,
    /// Looks that could not be completed before a person must look.
    pub failed_looks: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            settling: SignedDuration::from_secs(90),
            look_ups: 2,
            look_up_gap: SignedDuration::from_secs(60),
            gone_gap: SignedDuration::from_mins(10),
            unknown_sends: 5,
            failed_looks: 5,
        }
    }
}

/// How long a document that nobody wants any more may still turn up.
const LAST_LOOK: SignedDuration = SignedDuration::from_hours(24);
/// How often an invoice is read back while its stock has not moved: on its first day, and after that.
const STOCK_LOOKS: [SignedDuration; 2] = [SignedDuration::from_hours(1), SignedDuration::from_hours(24)];
/// How often what was refused for want of stock is tried again.
const STOCK_RETRY: SignedDuration = SignedDuration::from_hours(1);

/// One thing that may exist in Daftra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub id: i64,
    pub account_id: i64,
    /// The invoice of a receipt; the invoice or receipt of a payment.
    pub parent_id: Option<i64>,
    /// Its place among the order's documents: `order`, `refund/991`, `cancel`, `transaction/17`, `paid`.
    pub source_key: String,
    pub state: State,
    pub since_at: Timestamp,
    /// When to look (again).
    pub look_at: Option<Timestamp>,
    /// Looks in a row that found nothing.
    pub misses: u32,
    /// Looks that could not be completed.
    pub failed_looks: u32,
    pub unknown_sends: u32,
    pub content: Draft,
    pub replacement: Option<Draft>,
    /// Fingerprint last sent, or to be sent.
    pub wanted: Fingerprint,
    /// Fingerprint Daftra is known to hold.
    pub written: Option<Fingerprint>,
    pub refusal: Option<Refusal>,
    /// What the last look found that a person must judge.
    pub finding: Option<Finding>,
    pub remote_id: Option<i64>,
    /// The number people see.
    pub remote_no: Option<String>,
    /// As Daftra computed it.
    pub total: Option<Amount>,
    /// Older than `since_at`: read it back first.
    pub verified_at: Option<Timestamp>,
    /// Whether the goods of an invoice left their warehouse, as far as a look could tell.
    pub stock: Option<Stock>,
}

/// What an invoice did to the stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stock", rename_all = "snake_case")]
pub enum Stock {
    Moved,
    /// Asked again until it moved.
    Pending {
        why: BTreeSet<Unmoved>,
    },
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody was asked, or surely nothing came into being.
    Planned,
    /// A create is running; after a restart its answer is lost.
    Sending,
    /// It may exist, or still come into being.
    InDoubt,
    /// Daftra said no, and why.
    Refused,
    /// Never sent, or absent, and not wanted: the end. It keeps its key.
    Dropped,
    /// It exists.
    Posted,
    /// A PUT is running; after a restart its answer is lost.
    Replacing,
    /// The PUT may still come into being.
    ReplaceInDoubt,
    /// The PUT was refused and the document exists.
    Locked,
    /// Deleted in Daftra by someone.
    Gone,
    /// Replaced by a later invoice: the end.
    Reversed,
}

impl State {
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::Sending,
        Self::InDoubt,
        Self::Refused,
        Self::Dropped,
        Self::Posted,
        Self::Replacing,
        Self::ReplaceInDoubt,
        Self::Locked,
        Self::Gone,
        Self::Reversed,
    ];

    /// As it stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Sending => "sending",
            Self::InDoubt => "in_doubt",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
            Self::Posted => "posted",
            Self::Replacing => "replacing",
            Self::ReplaceInDoubt => "replace_in_doubt",
            Self::Locked => "locked",
            Self::Gone => "gone",
            Self::Reversed => "reversed",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// It takes the place of the order's one live invoice.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            Self::Dropped | Self::Gone | Self::Reversed => false,
            Self::Planned
            | Self::Sending
            | Self::InDoubt
            | Self::Refused
            | Self::Posted
            | Self::Replacing
            | Self::ReplaceInDoubt
            | Self::Locked => true,
        }
    }

    /// It exists in Daftra, or may.
    #[must_use]
    pub fn may_exist(self) -> bool {
        match self {
            Self::Sending | Self::InDoubt => true,
            Self::Posted | Self::Replacing | Self::ReplaceInDoubt | Self::Locked => true,
            Self::Planned | Self::Refused | Self::Dropped | Self::Gone | Self::Reversed => false,
        }
    }
}

/// What a look found that only a person can judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    ChangedByHand {
        differences: Vec<Difference>,
    },
    Several {
        ids: BTreeSet<i64>,
    },
    /// It was refused, and less is in stock than it takes.
    NotEnoughStock {
        shortages: Vec<Shortage>,
    },
    /// It cannot be changed any more, and somebody else booked payments on it.
    PaidByOthers {
        payments: BTreeSet<i64>,
    },
}

impl Document {
    /// An invoice of ours that somebody changed by hand and that Daftra still lets us change.
    #[must_use]
    pub fn can_be_rewritten(&self) -> bool {
        self.invoice().is_some()
            && self.state == State::Posted
            && matches!(self.finding, Some(Finding::ChangedByHand { .. }))
    }
}

/// What a document needs next, as far as it alone can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The process died while a call was running.
    Recover,
    /// Look it up now.
    Look,
    LookAt(Timestamp, Waiting),
    /// It exists and was not read back since it was written; or it was refused, and the stock was not asked since.
    Verify,
    Hold(Hold),
    /// Nothing by itself: the planner compares it with what is wanted.
    Nothing,
}

/// What a document needs next.
#[must_use]
pub fn next(document: &Document, now: Timestamp, policy: &Policy) -> Next {
    let reference = || document.content.header().reference.clone();
    match document.finding.clone() {
        Some(Finding::ChangedByHand { differences }) => {
            return Next::Hold(Hold::ChangedByHand { reference: reference(), differences });
        }
        Some(Finding::Several { ids }) => return Next::Hold(Hold::SeveralFound { reference: reference(), ids }),
        // The planner says so where it would send it.
        Some(Finding::NotEnoughStock { .. }) => return Next::Nothing,
        Some(Finding::PaidByOthers { .. }) | None => {}
    }
    let look = |at: Timestamp| {
        if document.failed_looks >= policy.failed_looks {
            Next::Hold(Hold::LookUpFails { reference: reference() })
        } else if at <= now {
            Next::Look
        } else if document.misses > 0 {
            Next::LookAt(at, Waiting::LookingAgain { reference: reference() })
        } else {
            Next::LookAt(at, Waiting::Settling { reference: reference() })
        }
    };
    match document.state {
        State::Sending | State::Replacing => Next::Recover,
        State::InDoubt | State::ReplaceInDoubt => look(document.look_at.unwrap_or(now)),
        State::Dropped => document.look_at.map_or(Next::Nothing, look),
        State::Planned if document.unknown_sends >= policy.unknown_sends => {
            Next::Hold(Hold::TooManyUnknownSends { reference: reference() })
        }
        State::Posted if document.unknown_sends >= policy.unknown_sends && document.misses == 0 => {
            Next::Hold(Hold::TooManyUnknownSends { reference: reference() })
        }
        State::Posted => match document.look_at {
            Some(at) => look(at),
            None if document.verified_at.is_none_or(|at| at < document.since_at) => Next::Verify,
            None if document.next_stock_look().is_some_and(|at| at <= now) => Next::Verify,
            None => Next::Nothing,
        },
        State::Gone => Next::Hold(Hold::Gone { reference: reference() }),
        // Whether it was for want of stock is still to be asked.
        State::Refused if document.look_at.is_some() => Next::Verify,
        // Daftra will not change it any more; whether its goods moved is asked all the same.
        State::Locked => match document.look_at {
            Some(at) => look(at),
            None if document.next_stock_look().is_some_and(|at| at <= now) => Next::Verify,
            None => Next::Nothing,
        },
        State::Planned | State::Refused | State::Reversed => Next::Nothing,
    }
}

/// What happened to a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The intent to create it is being committed, with the draft that goes out.
    Create {
        draft: Draft,
    },
    /// The intent to replace it is being committed.
    Replace {
        draft: Draft,
    },
    Accepted {
        remote_id: Option<i64>,
        remote_no: Option<String>,
    },
    Refused(Refusal),
    /// Surely not executed: no connection, throttled, or the key was turned away.
    NotExecuted,
    /// It may have been executed.
    Unknown,
    /// The process died while the call was running.
    Restarted,
    /// A look-up found it.
    Found {
        remote_id: i64,
        remote_no: Option<String>,
    },
    /// A complete look-up did not find it.
    Absent {
        wanted: bool,
    },
    Several {
        ids: BTreeSet<i64>,
    },
    /// A look that says nothing.
    LookFailed,
    /// Read back, and it is what we wrote.
    AsWritten {
        total: Amount,
        remote_no: Option<String>,
    },
    /// Read back while a PUT is in doubt: it is still what it was.
    AsBefore,
    /// Read back, and it is neither.
    Differs {
        differences: Vec<Difference>,
    },
    /// Reading it says there is no such document.
    Missing,
    /// What the look that found it as written says about the stock.
    StockRead {
        stock: Stock,
    },
    /// The stock was asked after a refusal: of these less is there than it takes. None: that was not the reason, or
    /// nobody can say.
    Short {
        shortages: Vec<Shortage>,
    },
    /// It was to make room for another invoice, and payments are on it that our books do not know.
    PaidByOthers {
        payments: BTreeSet<i64>,
    },
    /// A receipt took back all that was left of it, so that another invoice can take its place.
    Reverse,
    /// A payment that is not on its invoice any more since we replaced the invoice.
    Lost,
    /// A payment that was made on the shop's word turns out to be these transactions.
    Adopt {
        transactions: BTreeSet<i64>,
    },
    /// For which transactions another life of the database sent a payment, and how much of it is in Daftra.
    Recount {
        covers: BTreeSet<i64>,
        amount: Amount,
    },
    /// Not wanted any more.
    Drop,
    /// Wanted again, or wanted otherwise.
    Want,
    /// Lines of the order were looked at that change nothing on it.
    Note {
        seen: BTreeMap<i64, Seen>,
    },
    /// A person says: try again.
    TryAgain,
    /// Time has passed: it is read again, whatever is known of it.
    Examine,
}

/// An event that cannot happen in a state: a fault of ours, never of the world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A document that is {} cannot take the event {event}", state.word())]
pub struct Impossible {
    pub state: State,
    pub event: String,
}

/// The document after an event.
pub fn apply(document: &Document, event: Event, now: Timestamp, policy: &Policy) -> Result<Document, Impossible> {
    let mut after = document.clone();
    let enter = |after: &mut Document, state: State| {
        after.state = state;
        after.since_at = now;
        after.look_at = None;
        after.misses = 0;
        after.failed_looks = 0;
        after.finding = None;
    };
    let doubt = |after: &mut Document, state: State| {
        enter(after, state);
        after.look_at = Some(now + policy.settling);
        after.unknown_sends += 1;
    };
    match (document.state, event) {
        (State::Planned, Event::Create { draft }) => {
            enter(&mut after, State::Sending);
            after.wanted = draft.fingerprint();
            after.content = draft;
        }
        // Another life of the database may have sent it.
        (State::Planned | State::Refused | State::Dropped, Event::Restarted) => {
            enter(&mut after, State::InDoubt);
            after.refusal = None;
            after.look_at = Some(now + policy.settling);
        }
        (State::Planned | State::Refused, Event::Drop) => {
            enter(&mut after, State::Dropped);
            after.refusal = None;
            // Whoever was sent may still turn up.
            after.look_at = (document.unknown_sends > 0).then(|| now + LAST_LOOK);
        }
        (State::Planned | State::Posted, Event::TryAgain) => {
            if let (Draft::Invoice(invoice), true) = (&mut after.content, document.misses_payments_of_others()) {
                // They are there again, or a person does without them.
                invoice.paid_by_others = Decimal::ZERO;
            }
            after.unknown_sends = 0;
            after.failed_looks = 0;
            after.finding = None;
            after.verified_at = None;
        }
        (State::Sending, Event::Accepted { remote_id: Some(id), remote_no }) => post(&mut after, id, remote_no, enter),
        (State::Sending, Event::Refused(refusal)) => {
            enter(&mut after, State::Refused);
            after.refusal = Some(refusal);
            after.look_at = document.invoice().is_some().then_some(now);
        }
        (State::Sending, Event::NotExecuted) => enter(&mut after, State::Planned),
        // Accepted without an id: something was made, we do not know what.
        (State::Sending, Event::Accepted { remote_id: None, .. } | Event::Unknown | Event::Restarted) => {
            doubt(&mut after, State::InDoubt);
        }
        (State::InDoubt | State::Dropped, Event::Found { remote_id, remote_no }) => {
            post(&mut after, remote_id, remote_no, enter);
        }
        (State::InDoubt, Event::Absent { wanted }) => {
            after.misses += 1;
            if after.misses < policy.look_ups {
                after.look_at = Some(now + policy.look_up_gap);
            } else if wanted {
                enter(&mut after, State::Planned);
            } else {
                enter(&mut after, State::Dropped);
                after.look_at = Some(now + LAST_LOOK);
            }
        }
        (State::Dropped, Event::Absent { .. }) => after.look_at = None,
        (State::Dropped, Event::Want) => {
            if document.unknown_sends > 0 {
                enter(&mut after, State::InDoubt);
                after.look_at = Some(now);
            } else {
                enter(&mut after, State::Planned);
            }
        }
        (State::InDoubt | State::Dropped, Event::Several { ids }) => after.finding = Some(Finding::Several { ids }),
        (
            State::InDoubt | State::Dropped | State::ReplaceInDoubt | State::Posted | State::Locked,
            Event::LookFailed,
        ) => {
            after.failed_looks += 1;
            after.look_at = Some(now + policy.look_up_gap);
        }
        (State::InDoubt | State::ReplaceInDoubt | State::Dropped, Event::TryAgain) => {
            after.unknown_sends = 0;
            after.failed_looks = 0;
            after.misses = 0;
            after.finding = None;
            // Its call may still be executed: no person's impatience makes its absence certain.
            after.look_at = Some(now.max(document.since_at + policy.settling));
        }
        (State::Refused, Event::TryAgain | Event::Want) => {
            enter(&mut after, State::Planned);
            after.refusal = None;
        }
        (State::Posted | State::Locked, Event::AsWritten { total, remote_no }) => {
            after.total = Some(total);
            after.remote_no = remote_no.or(after.remote_no);
            after.verified_at = Some(now);
            after.look_at = None;
            after.misses = 0;
            after.failed_looks = 0;
            // Who paid on it stands in the way of another invoice, whatever it looks like.
            after.finding = after.finding.take().filter(|finding| matches!(finding, Finding::PaidByOthers { .. }));
        }
        (State::Posted | State::ReplaceInDoubt, Event::Differs { differences }) => {
            enter(&mut after, State::Posted);
            after.replacement = None;
            after.refusal = None;
            after.verified_at = Some(now);
            after.finding = Some(Finding::ChangedByHand { differences });
        }
        (State::Locked, Event::Differs { differences }) => {
            after.look_at = None;
            after.misses = 0;
            after.failed_looks = 0;
            after.verified_at = Some(now);
            after.finding = Some(Finding::ChangedByHand { differences });
        }
        (State::Posted | State::ReplaceInDoubt | State::Locked, Event::Missing) => {
            if document.misses == 0 {
                after.misses = 1;
                after.look_at = Some(now + policy.gone_gap);
            } else {
                enter(&mut after, State::Gone);
                after.replacement = None;
                after.refusal = None;
            }
        }
        (State::Posted | State::Locked, Event::StockRead { stock }) => after.stock = Some(stock),
        (State::Refused, Event::Short { shortages }) => {
            after.look_at = None;
            after.finding = (!shortages.is_empty()).then_some(Finding::NotEnoughStock { shortages });
        }
        // Somebody wished it sent again while the stock was asked.
        (State::Planned, Event::Short { .. }) => {}
        (State::Locked, Event::PaidByOthers { payments }) => after.finding = Some(Finding::PaidByOthers { payments }),
        (State::Posted | State::Locked, Event::Reverse) => {
            enter(&mut after, State::Reversed);
            after.refusal = None;
        }
        // The PUT that took it along has ended long ago: it is looked for at once.
        (State::Posted, Event::Lost) if document.payment().is_some() => {
            enter(&mut after, State::InDoubt);
            after.look_at = Some(now);
            (after.remote_id, after.written, after.total, after.verified_at) = (None, None, None, None);
            if let Draft::Payment(payment) = &mut after.content {
                payment.lost = true;
            }
        }
        // Not what Daftra holds, but what we know it to stand for.
        (State::Posted, Event::Adopt { transactions }) if document.payment().is_some() => {
            if let Draft::Payment(payment) = &mut after.content {
                payment.covers.extend(transactions);
            }
        }
        (State::Posted, Event::Recount { covers, amount }) if document.payment().is_some() => {
            if let Draft::Payment(payment) = &mut after.content {
                payment.covers = covers;
                payment.amount = amount;
            }
            after.wanted = after.content.fingerprint();
            after.written = Some(after.wanted.clone());
            after.total = Some(amount);
            after.finding = None;
        }
        (State::Posted, Event::Replace { draft }) => {
            enter(&mut after, State::Replacing);
            after.wanted = draft.fingerprint();
            after.replacement = Some(draft);
        }
        (State::Replacing, Event::Accepted { .. }) => replaced(&mut after, enter),
        (State::Replacing, Event::NotExecuted) => {
            enter(&mut after, State::Posted);
            after.replacement = None;
            after.verified_at = Some(now);
        }
        (State::Replacing, Event::Refused(refusal)) => {
            enter(&mut after, State::ReplaceInDoubt);
            after.refusal = Some(refusal);
            after.look_at = Some(now);
        }
        (State::Replacing, Event::Unknown | Event::Restarted) => doubt(&mut after, State::ReplaceInDoubt),
        (State::ReplaceInDoubt, Event::AsWritten { total, .. }) => {
            replaced(&mut after, enter);
            after.refusal = None;
            after.total = Some(total);
            after.verified_at = Some(now);
        }
        (State::ReplaceInDoubt, Event::AsBefore) => {
            let state = if document.refusal.is_some() { State::Locked } else { State::Posted };
            enter(&mut after, state);
            after.replacement = None;
            after.verified_at = Some(now);
        }
        (State::Posted, Event::Note { seen }) => match &mut after.content {
            Draft::Invoice(invoice) => invoice.seen = seen,
            Draft::RefundReceipt(_) | Draft::Payment(_) => {}
        },
        (State::Locked, Event::TryAgain) => {
            enter(&mut after, State::Posted);
            after.refusal = None;
            after.verified_at = None;
        }
        // What a person is asked about stays as it was found.
        (State::Posted | State::Locked, Event::Examine) => {
            if document.finding.is_none() && document.look_at.is_none() {
                after.look_at = Some(now);
            }
        }
        (State::Gone, Event::TryAgain) => {
            enter(&mut after, State::Posted);
            after.verified_at = None;
        }
        (state, event) => return Err(Impossible { state, event: event.name().to_owned() }),
    }
    Ok(after)
}

fn post(after: &mut Document, remote_id: i64, remote_no: Option<String>, enter: impl Fn(&mut Document, State)) {
    enter(after, State::Posted);
    after.remote_id = Some(remote_id);
    after.remote_no = remote_no;
    after.written = Some(after.wanted.clone());
    after.unknown_sends = 0;
    after.verified_at = None;
}

/// The PUT took place: what was sent is now what Daftra holds.
fn replaced(after: &mut Document, enter: impl Fn(&mut Document, State)) {
    enter(after, State::Posted);
    if let Some(draft) = after.replacement.take() {
        after.written = Some(draft.fingerprint());
        after.content = draft;
    }
    after.unknown_sends = 0;
    after.verified_at = None;
    after.stock = None;
}

impl Event {
    /// The event's name, for errors and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Replace { .. } => "replace",
            Self::Accepted { .. } => "accepted",
            Self::Refused(_) => "refused",
            Self::NotExecuted => "not executed",
            Self::Unknown => "unknown",
            Self::Restarted => "restarted",
            Self::Found { .. } => "found",
            Self::Absent { .. } => "absent",
            Self::Several { .. } => "several",
            Self::LookFailed => "look failed",
            Self::AsWritten { .. } => "as written",
            Self::AsBefore => "as before",
            Self::Differs { .. } => "differs",
            Self::Missing => "missing",
            Self::StockRead { .. } => "stock read",
            Self::Short { .. } => "short",
            Self::PaidByOthers { .. } => "paid by others",
            Self::Reverse => "reverse",
            Self::Lost => "lost",
            Self::Adopt { .. } => "adopt",
            Self::Recount { .. } => "recount",
            Self::Drop => "drop",
            Self::Want => "want",
            Self::Note { .. } => "note",
            Self::TryAgain => "try again",
            Self::Examine => "examine",
        }
    }
}

impl Document {
    /// A document that nobody was asked for yet.
    #[must_use]
    pub fn planned(account_id: i64, parent_id: Option<i64>, source_key: String, draft: Draft, now: Timestamp) -> Self {
        Self {
            id: 0,
            account_id,
            parent_id,
            source_key,
            state: State::Planned,
            since_at: now,
            look_at: None,
            misses: 0,
            failed_looks: 0,
            unknown_sends: 0,
            wanted: draft.fingerprint(),
            content: draft,
            replacement: None,
            written: None,
            refusal: None,
            finding: None,
            remote_id: None,
            remote_no: None,
            total: None,
            verified_at: None,
            stock: None,
        }
    }

    /// When to ask again whether the goods of a posted invoice left their warehouse.
    #[must_use]
    pub fn next_stock_look(&self) -> Option<Timestamp> {
        let (Some(Stock::Pending { .. }), Some(seen)) = (&self.stock, self.verified_at) else { return None };
        let [hourly, daily] = STOCK_LOOKS;
        Some(seen + if seen < self.since_at + daily { hourly } else { daily })
    }

    /// What was missing when it was refused for want of stock, and when to try it again.
    #[must_use]
    pub fn shortages(&self) -> Option<(&[Shortage], Timestamp)> {
        match &self.finding {
            Some(Finding::NotEnoughStock { shortages }) => Some((shortages, self.since_at + STOCK_RETRY)),
            Some(Finding::ChangedByHand { .. } | Finding::Several { .. } | Finding::PaidByOthers { .. }) | None => None,
        }
    }

    /// The payments that somebody else booked on it, if it was to make room for another invoice.
    #[must_use]
    pub fn paid_by_others(&self) -> BTreeSet<i64> {
        match &self.finding {
            Some(Finding::PaidByOthers { payments }) => payments.clone(),
            Some(Finding::ChangedByHand { .. } | Finding::Several { .. } | Finding::NotEnoughStock { .. }) | None => {
                BTreeSet::new()
            }
        }
    }

    /// How much of a payment Daftra holds, if that is not what it should and nothing else differs.
    #[must_use]
    pub fn found_amount(&self) -> Option<Amount> {
        let currency = self.payment()?.header.currency;
        let Some(Finding::ChangedByHand { differences }) = &self.finding else { return None };
        let [Difference { what: DifferenceKind::Amount, daftra, .. }] = differences.as_slice() else { return None };
        currency.amount(daftra.parse().ok()?).ok()
    }

    /// A person is told that payments of others went with a PUT of ours.
    fn misses_payments_of_others(&self) -> bool {
        match &self.finding {
            Some(Finding::ChangedByHand { differences }) => {
                differences.iter().any(|difference| difference.what == DifferenceKind::Paid)
            }
            Some(Finding::Several { .. } | Finding::NotEnoughStock { .. } | Finding::PaidByOthers { .. }) | None => {
                false
            }
        }
    }

    /// Surely nothing of it ever reached its account.
    #[must_use]
    pub fn never_left(&self) -> bool {
        let was_there = self.payment().is_some_and(|payment| payment.lost);
        matches!(self.state, State::Planned | State::Refused) && self.unknown_sends == 0 && !was_there
    }

    /// It was written down to be looked for, or to be sent, and given up before any call for it ended in doubt or in Daftra.
    #[must_use]
    pub fn was_never_sent(&self) -> bool {
        self.state == State::Dropped && self.unknown_sends == 0
    }

    /// What is known of it comes from before the last restore or long silence: another life may have sent it since.
    #[must_use]
    pub fn may_have_left(&self, look_first_before: Option<Timestamp>) -> bool {
        let never_went = matches!(self.state, State::Planned | State::Refused | State::Dropped);
        never_went && look_first_before.is_some_and(|before| self.since_at < before)
    }

    #[must_use]
    pub fn invoice(&self) -> Option<&InvoiceDraft> {
        match &self.content {
            Draft::Invoice(draft) => Some(draft),
            Draft::RefundReceipt(_) | Draft::Payment(_) => None,
        }
    }

    #[must_use]
    pub fn receipt(&self) -> Option<&ReceiptDraft> {
        match &self.content {
            Draft::RefundReceipt(draft) => Some(draft),
            Draft::Invoice(_) | Draft::Payment(_) => None,
        }
    }

    #[must_use]
    pub fn payment(&self) -> Option<&PaymentDraft> {
        match &self.content {
            Draft::Payment(draft) => Some(draft),
            Draft::Invoice(_) | Draft::RefundReceipt(_) => None,
        }
    }

    /// It was last read back, or came into being and was never read back since, before its parent was last written.
    #[must_use]
    pub fn was_seen_before_writing(&self, parent: &Self) -> bool {
        self.verified_at.unwrap_or(self.since_at) < parent.since_at
    }

    /// Daftra holds something else than these facts. A fingerprint of another version of this software is computed
    /// anew and so never a reason to write.
    #[must_use]
    pub fn is_out_of_step(&self, wanted: &Fingerprint) -> bool {
        match &self.written {
            Some(written) if written.is_foreign() => self.content.fingerprint() != *wanted,
            Some(written) => written != wanted,
            None => true,
        }
    }
}

//! The life of one document in Daftra, as pure functions over all its states.
//!
//! [`next`] says what a document needs, [`apply`] what an event makes of it; every pair that must not happen is a named
//! error. `content` changes only on evidence that Daftra holds it; the draft of a PUT under way lives in `replacement`.
//! A call whose end we never learned is looked up after a settling time, never repeated.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::invoice::{Billed, Header, InvoiceDraft, shop_totals};
use super::money::Amount;
use super::payment::PaymentDraft;
use super::reason::{Difference, Hold, Refusal, Waiting};
use super::refund::{Class, ReceiptDraft};

/// What we did for one order so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    pub documents: Vec<Document>,
    pub classes: BTreeMap<i64, Class>,
    /// Decimals of the Daftra account, once known.
    pub decimals: Option<u32>,
    /// Set after a restore or a long silence: another life of this database may have sent documents for sources older
    /// than this, so a new document is looked for before it is sent.
    pub look_first_before: Option<Timestamp>,
    pub policy: Policy,
}

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

/// What kind of document it is, with all frozen choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Draft {
    Invoice(InvoiceDraft),
    RefundReceipt(ReceiptDraft),
    Payment(PaymentDraft),
}

impl Draft {
    /// As it stands in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invoice(_) => "invoice",
            Self::RefundReceipt(_) => "refund_receipt",
            Self::Payment(_) => "payment",
        }
    }

    #[must_use]
    pub fn header(&self) -> &Header {
        match self {
            Self::Invoice(draft) => &draft.header,
            Self::RefundReceipt(draft) => &draft.header,
            Self::Payment(draft) => &draft.header,
        }
    }

    #[must_use]
    pub fn billed(&self) -> &[Billed] {
        match self {
            Self::Invoice(draft) => &draft.billed,
            Self::RefundReceipt(draft) => &draft.billed,
            Self::Payment(_) => &[],
        }
    }

    /// What the shop says it comes to.
    #[must_use]
    pub fn total(&self) -> Amount {
        match self {
            Self::Invoice(_) | Self::RefundReceipt(_) => shop_totals(self.billed()).total,
            Self::Payment(draft) => draft.amount,
        }
    }

    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Invoice(_) | Self::RefundReceipt(_) => Fingerprint::of(self.billed()),
            Self::Payment(draft) => Fingerprint(format!("{}; payment {}", Fingerprint::VERSION, draft.amount.0)),
        }
    }
}

/// The shop's facts on a document in one line of text: version, then source, units, net and tax of each thing.
/// It holds nothing that rules, catalogue or software decide, so a change of those is never a reason to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    const VERSION: &str = "1";

    #[must_use]
    pub fn of(billed: &[Billed]) -> Self {
        let mut parts: Vec<String> =
            billed.iter().map(|one| format!("{}: {} {} {}", one.source, one.units, one.net.0, one.tax.0)).collect();
        parts.sort();
        Self(format!("{}; {}", Self::VERSION, parts.join("; ")))
    }

    /// Written by a version of this software that counted other things.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.0.split(';').next() != Some(Self::VERSION)
    }
}

/// What a look found that only a person can judge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    ChangedByHand { differences: Vec<Difference> },
    Several { ids: BTreeSet<i64> },
}

/// What a document needs next, as far as it alone can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The process died while a call was running.
    Recover,
    /// Look it up now.
    Look,
    LookAt(Timestamp, Waiting),
    /// It exists and was not read back since it was written.
    Verify,
    Hold(Hold),
    /// Nothing by itself: the planner compares it with what is wanted.
    Nothing,
}

/// What a document needs next.
#[must_use]
pub fn next(document: &Document, now: Timestamp, policy: &Policy) -> Next {
    let reference = || document.content.header().reference.clone();
    if let Some(finding) = &document.finding {
        return Next::Hold(match finding.clone() {
            Finding::ChangedByHand { differences } => Hold::ChangedByHand { reference: reference(), differences },
            Finding::Several { ids } => Hold::SeveralFound { reference: reference(), ids },
        });
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
            None => Next::Nothing,
        },
        State::Gone => Next::Hold(Hold::Gone { reference: reference() }),
        State::Planned | State::Refused | State::Locked | State::Reversed => Next::Nothing,
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
    /// A payment that is not on its invoice any more since we replaced the invoice.
    Lost,
    /// A payment that was made on the shop's word turns out to be these transactions.
    Adopt {
        transactions: BTreeSet<i64>,
    },
    /// Not wanted any more.
    Drop,
    /// Wanted again, or wanted otherwise.
    Want,
    /// A person says: try again.
    TryAgain,
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
        (State::Planned, Event::Restarted) => {
            enter(&mut after, State::InDoubt);
            after.look_at = Some(now + policy.settling);
        }
        (State::Planned | State::Refused, Event::Drop) => {
            enter(&mut after, State::Dropped);
            after.refusal = None;
            // Whoever was sent may still turn up.
            after.look_at = (document.unknown_sends > 0).then(|| now + LAST_LOOK);
        }
        (State::Planned | State::Posted, Event::TryAgain) => {
            after.unknown_sends = 0;
            after.failed_looks = 0;
            after.finding = None;
            after.verified_at = None;
        }
        (State::Sending, Event::Accepted { remote_id: Some(id), remote_no }) => post(&mut after, id, remote_no, enter),
        (State::Sending, Event::Refused(refusal)) => {
            enter(&mut after, State::Refused);
            after.refusal = Some(refusal);
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
        (State::InDoubt | State::Dropped | State::ReplaceInDoubt | State::Posted, Event::LookFailed) => {
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
        (State::Posted, Event::AsWritten { total, remote_no }) => {
            after.total = Some(total);
            after.remote_no = remote_no.or(after.remote_no);
            after.verified_at = Some(now);
            after.look_at = None;
            after.misses = 0;
            after.failed_looks = 0;
            after.finding = None;
        }
        (State::Posted | State::ReplaceInDoubt, Event::Differs { differences }) => {
            enter(&mut after, State::Posted);
            after.replacement = None;
            after.refusal = None;
            after.verified_at = Some(now);
            after.finding = Some(Finding::ChangedByHand { differences });
        }
        (State::Posted | State::ReplaceInDoubt, Event::Missing) => {
            if document.misses == 0 {
                after.misses = 1;
                after.look_at = Some(now + policy.gone_gap);
            } else {
                enter(&mut after, State::Gone);
                after.replacement = None;
                after.refusal = None;
            }
        }
        // The PUT that took it along has ended long ago: it is looked for at once.
        (State::Posted, Event::Lost) if document.payment().is_some() => {
            enter(&mut after, State::InDoubt);
            after.look_at = Some(now);
            (after.remote_id, after.written, after.total, after.verified_at) = (None, None, None, None);
        }
        // Not what Daftra holds, but what we know it to stand for.
        (State::Posted, Event::Adopt { transactions }) if document.payment().is_some() => {
            if let Draft::Payment(payment) = &mut after.content {
                payment.covers.extend(transactions);
            }
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
        (State::Locked, Event::TryAgain) => {
            enter(&mut after, State::Posted);
            after.refusal = None;
            after.verified_at = None;
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
            Self::Lost => "lost",
            Self::Adopt { .. } => "adopt",
            Self::Drop => "drop",
            Self::Want => "want",
            Self::TryAgain => "try again",
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
        }
    }

    /// Surely nothing of it ever reached its account.
    #[must_use]
    pub fn never_left(&self) -> bool {
        matches!(self.state, State::Planned | State::Refused) && self.unknown_sends == 0
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

    /// It was last read back before its parent was last written.
    #[must_use]
    pub fn was_seen_before_writing(&self, parent: &Self) -> bool {
        self.verified_at.is_some_and(|seen| seen < parent.since_at)
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

impl Ledger {
    /// The order's one invoice, if there is or may be one.
    #[must_use]
    pub fn live_invoice(&self) -> Option<&Document> {
        self.documents.iter().find(|document| document.invoice().is_some() && document.state.is_live())
    }

    /// The document of a source, whatever became of it.
    #[must_use]
    pub fn by_source(&self, source_key: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.source_key == source_key)
    }

    /// The receipts that take something back from the live invoice, or may.
    pub fn receipts(&self) -> impl Iterator<Item = &ReceiptDraft> {
        self.documents.iter().filter(|document| document.state.may_exist()).filter_map(Document::receipt)
    }
}

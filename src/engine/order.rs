//! Work on one order: load, plan, perform the first operation, record, ask again.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Transaction;

use super::barcodes::needs_barcodes;
use super::reread::{ReadAgain, STALE};
use super::{Engine, NO_ROOM, news};
use crate::db::job::{self, Again, Job};
use crate::db::log::{self, Status};
use crate::db::merchant::Mode;
use crate::db::order::{self, Case, State};
use crate::db::trim::{self, Left};
use crate::db::{Error, alert};
use crate::domain::document::{Document, Next, State as DocumentState, next};
use crate::domain::news::Kind;
use crate::domain::operation::{Change, Operation};
use crate::domain::plan::{Decision, plan};
use crate::domain::reason::{Failed, Hold, Reason, Waiting};
use crate::domain::trace::{Step, Trace};

/// For a refund its class, the receipt, reading it back, and one to spare; for a movement of money as much or less.
const OPERATIONS_PER_FACT: u32 = 4;

/// How soon it is looked again whether a person has decided about a document of others.
const DISPUTED: SignedDuration = SignedDuration::from_mins(10);

/// How one operation ended, for the order that asked for it.
pub(super) enum Performed {
    /// Recorded: ask the planner again.
    Done,
    /// Through no fault of the order: come back then.
    PutBack(Timestamp),
    /// The order's try failed.
    Retry(String),
}

impl Engine {
    /// Runs a claimed job to its end, whatever happens on the way.
    pub(super) fn run(&self, job: &Job) {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.work_on_order(job)));
        let ended = match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Error::Panicked(text))) => self.give_up(job, Failed::Panicked { text }),
            Ok(Err(error @ Error::Unreadable { .. })) => {
                self.give_up(job, Failed::Panicked { text: error.to_string() })
            }
            Ok(Err(error)) => self.fail(job, error.to_string()),
            Err(panic) => self.give_up(job, Failed::Panicked { text: panic_text(panic.as_ref()) }),
        };
        self.wake_mails();
        if let Err(error) = ended {
            tracing::error!(order = job.subject, %error, "cannot record how a run ended");
            self.release(job);
        }
    }

    fn work_on_order(&self, job: &Job) -> Result<(), Error> {
        let mut left = self.settings.max_operations;
        let mut facts = 0;
        let mut has_asked_shop = false;
        // A shop that does not tell is not asked again in the same run.
        let mut may_ask_for_barcodes = true;
        while left > 0 {
            left -= 1;
            let now = self.clock.now();
            let case = self.db.read(|c| order::case(c, job.subject, self.settings.policy, self.settings.ages, now))?;
            let Some(case) = case else { return self.park_without_snapshot(job) };
            // Each refund and each movement of money may rightly take a few operations of its own.
            let known = case.order.facts.refunds.len() + case.order.facts.transactions.len();
            let known = u32::try_from(known).unwrap_or(u32::MAX);
            left = left.saturating_add(known.saturating_sub(facts).saturating_mul(OPERATIONS_PER_FACT));
            facts = facts.max(known);
            let (decision, trace) = plan(&case.order, &case.merchant, &case.catalog, &case.ledger, now);
            if may_ask_for_barcodes && !case.unread.is_empty() && needs_barcodes(&decision) {
                may_ask_for_barcodes = false;
                match self.read_variants(job.merchant_id, case.order_id, &case.unread)? {
                    ReadAgain::Done => continue,
                    ReadAgain::AsItIs => {}
                    ReadAgain::Later(until) => {
                        let job = *job;
                        return self.db.write(move |tx| job::put_back(tx, &job, until));
                    }
                }
            }
            match self.adopt_wanted(job, &case, &decision)? {
                None => {}
                Some(Performed::Done) => continue,
                Some(Performed::PutBack(until)) => {
                    let job = *job;
                    return self.db.write(move |tx| job::put_back(tx, &job, until));
                }
                Some(Performed::Retry(text)) => return self.fail(job, text),
            }
            let operation = match decision {
                Decision::Act(operations) => match operations.into_iter().next() {
                    Some(operation) if may_perform(case.mode, &operation) => operation,
                    Some(operation) => return self.show(job, &case, operation, trace),
                    None => return self.settle(job, &case, Decision::Settled, trace),
                },
                decision @ (Decision::Settled | Decision::Ignore(_) | Decision::Hold(_) | Decision::Wait(..)) => {
                    return self.settle(job, &case, decision, trace);
                }
            };
            // Somebody else may have invoiced it: a person decides first, and is told.
            if case.is_disputed && is_first_write(&case, &operation) {
                let job = *job;
                return self.db.write(move |tx| job::put_back(tx, &job, now + DISPUTED));
            }
            if !has_asked_shop
                && let Some(read_at) = case.read_at
                && is_first_write(&case, &operation)
                && now.duration_since(read_at) > STALE
            {
                has_asked_shop = true;
                match self.read_again(job.merchant_id, &case)? {
                    ReadAgain::Done => continue,
                    ReadAgain::AsItIs => {}
                    ReadAgain::Later(until) => {
                        let job = *job;
                        return self.db.write(move |tx| job::put_back(tx, &job, until));
                    }
                }
            }
            // What is begun must be recorded, and that takes room.
            if self.vitals.disk.is_full(now) {
                let job = *job;
                return self.db.write(move |tx| job::put_back(tx, &job, now + NO_ROOM));
            }
            match self.perform(job, &case, operation)? {
                Performed::Done => {}
                Performed::PutBack(until) => {
                    let job = *job;
                    return self.db.write(move |tx| job::put_back(tx, &job, until));
                }
                Performed::Retry(text) => return self.fail(job, text),
            }
            if self.is_stopping() {
                let job = *job;
                return self.db.write(move |tx| job::put_back(tx, &job, now));
            }
        }
        self.stop_going_round(job)
    }

    /// So many operations are a fault of ours, unless wishes that came meanwhile kept the run going.
    fn stop_going_round(&self, job: &Job) -> Result<(), Error> {
        let (claimed, now) = (*job, self.clock.now());
        let was_asked = self.db.write(move |tx| {
            let was_asked = job::was_asked_since(tx, &claimed)?;
            if was_asked {
                job::put_back(tx, &claimed, now)?;
            }
            Ok(was_asked)
        })?;
        if was_asked { Ok(()) } else { self.give_up(job, Failed::NoEnd) }
    }

    /// Only facts are known: nothing to plan until a body of the order comes. An order that retention has trimmed stays
    /// where it stands, unless something is new: then it waits for its body, and says so.
    fn park_without_snapshot(&self, job: &Job) -> Result<(), Error> {
        let (job, now) = (*job, self.clock.now());
        self.db.write(move |tx| {
            match trim::left_of(tx, &order::get(tx, job.subject)?)? {
                Left::Unborn => drop(order::stand(tx, job.subject, State::New, None, None, now)?),
                Left::AsItWas => {}
                Left::News => {
                    let reason = Reason::Waiting(Waiting::BodyRemoved);
                    if order::stand(tx, job.subject, State::Waiting, Some(&reason), None, now)? {
                        let about = log::About::order(job.merchant_id, job.subject);
                        log::write(tx, Status::Waiting, about, Some(&log::Facts::Reason(reason)), now)?;
                    }
                }
            }
            job::settle(tx, &job, Again::WhenAsked, now)
        })
    }

    /// Records a decision that needs no call.
    fn settle(&self, job: &Job, case: &Case, decision: Decision, trace: Trace) -> Result<(), Error> {
        let now = self.clock.now();
        let (state, reason, status, again) = match decision {
            Decision::Settled => (State::Settled, None, None, Again::WhenAsked),
            Decision::Ignore(why) => {
                (State::Ignored, Some(Reason::Ignored(why)), Some(Status::Ignored), Again::WhenAsked)
            }
            Decision::Hold(holds) => {
                // What is missing in Daftra may be made there: look again when the answer is no longer believed.
                let is_missing = holds.iter().any(|hold| matches!(hold, Hold::UnknownProduct { .. }));
                let miss = is_missing.then(|| now + self.settings.ages.miss);
                // The planner tries what was refused for want of stock again after its own time. Where that is over and
                // it does not, something else holds the order.
                let stock = case.ledger.documents.iter().filter_map(Document::shortages).map(|(_, at)| at);
                let stock = stock.filter(|at| *at > now).min();
                let again = miss.into_iter().chain(stock).min().map_or(Again::WhenAsked, Again::At);
                (State::Held, Some(Reason::Held(holds)), Some(Status::Held), again)
            }
            Decision::Wait(until, why) => {
                let again = match (until, &why) {
                    (None, _) => Again::WhenAsked,
                    // An edit does not wait for a payment.
                    (Some(at), Waiting::Settling { reference } | Waiting::LookingAgain { reference })
                        if is_payment(case, reference) =>
                    {
                        Again::At(at)
                    }
                    (Some(at), Waiting::Settling { .. } | Waiting::LookingAgain { .. }) => Again::NotBefore(at),
                    (
                        Some(at),
                        Waiting::BodyRemoved
                        | Waiting::CancelRecord
                        | Waiting::OrderBehind { .. }
                        | Waiting::MoneyUnderWay { .. }
                        | Waiting::NotPaid
                        | Waiting::NotFulfilled
                        | Waiting::StockPending { .. },
                    ) => Again::At(at),
                };
                // What is in doubt was told when the doubt began.
                let status = match why {
                    Waiting::Settling { .. } | Waiting::LookingAgain { .. } => None,
                    Waiting::BodyRemoved
                    | Waiting::CancelRecord
                    | Waiting::OrderBehind { .. }
                    | Waiting::MoneyUnderWay { .. }
                    | Waiting::NotPaid
                    | Waiting::NotFulfilled
                    | Waiting::StockPending { .. } => Some(Status::Waiting),
                };
                (State::Waiting, Some(Reason::Waiting(why)), status, again)
            }
            Decision::Act(_) => (State::Settled, None, None, Again::WhenAsked),
        };
        // A time that is over would be asked for without end: that is a fault of the plan, and costs one look in a while.
        let again = self.with_last_look(case, again, now).later_than(now, self.settings.policy.look_up_gap);
        self.stand(job, case.order_id, Standing { state, reason, status, trace }, again, now)
    }

    /// Shadow: what would be done is shown, not done.
    fn show(&self, job: &Job, case: &Case, operation: Operation, mut trace: Trace) -> Result<(), Error> {
        let now = self.clock.now();
        if case.mode != Mode::Shadow {
            // Paused or closed while it was claimed: the queue keeps it.
            let job = *job;
            return self.db.write(move |tx| job::put_back(tx, &job, now));
        }
        trace.push(Step::WouldDo { operation: Box::new(operation) });
        let standing = Standing { state: State::Shadow, reason: None, status: Some(Status::Shadow), trace };
        self.stand(job, case.order_id, standing, Again::WhenAsked, now)
    }

    /// The last look for a dropped document holds up nothing, nor does that for a payment where something else does: no
    /// decision speaks of it, and it must come all the same.
    fn with_last_look(&self, case: &Case, again: Again, now: Timestamp) -> Again {
        let policy = &self.settings.policy;
        let is_quiet = |document: &&Document| document.state == DocumentState::Dropped || document.payment().is_some();
        let looks =
            case.ledger.documents.iter().filter(is_quiet).filter_map(|document| match next(document, now, policy) {
                Next::LookAt(at, _) => Some(at),
                Next::Recover | Next::Look | Next::Verify | Next::Hold(_) | Next::Nothing => None,
            });
        match (again, looks.min()) {
            (Again::WhenAsked, Some(look)) => Again::At(look),
            (Again::At(at), Some(look)) => Again::At(at.min(look)),
            (again @ (Again::WhenAsked | Again::At(_) | Again::NotBefore(_)), _) => again,
        }
    }

    fn stand(&self, job: &Job, order_id: i64, standing: Standing, again: Again, now: Timestamp) -> Result<(), Error> {
        let job = *job;
        let Standing { state, reason, status, trace } = standing;
        self.db.write(move |tx| {
            let is_news = order::stand(tx, order_id, state, reason.as_ref(), Some(&trace), now)?;
            if is_news && !order::has_failed(tx, job.merchant_id)? {
                alert::close(tx, alert::Cause::Failed, &format!("merchant {}", job.merchant_id), now)?;
            }
            if is_news && state == State::Held {
                news::of_order(tx, Kind::Held, order_id, now)?;
            }
            if let (true, Some(status)) = (is_news, status) {
                let facts = reason.map(log::Facts::Reason);
                log::write(tx, status, log::About::order(job.merchant_id, order_id), facts.as_ref(), now)?;
            }
            job::settle(tx, &job, again, now)
        })
    }

    /// A try failed: again later, or a person after too many.
    fn fail(&self, job: &Job, text: String) -> Result<(), Error> {
        let failures = job.failures + 1;
        tracing::warn!(merchant = job.merchant_id, order = job.subject, failures, reason = %text, "a try failed");
        if failures >= self.settings.max_failures {
            return self.give_up(job, Failed::TooManyFailures { failures, last: text });
        }
        let (job, now) = (*job, self.clock.now());
        let again = now + self.settings.retry.gap(failures, jitter(&job, failures));
        self.db.write(move |tx| job::fail(tx, &job, Some(again), now))
    }

    fn give_up(&self, job: &Job, failed: Failed) -> Result<(), Error> {
        tracing::error!(merchant = job.merchant_id, order = job.subject, reason = ?failed, "gave up on an order");
        let (job, now) = (*job, self.clock.now());
        self.db.write(move |tx| {
            let reason = Reason::Failed(failed);
            if order::stand(tx, job.subject, State::Failed, Some(&reason), None, now)? {
                let about = log::About::order(job.merchant_id, job.subject);
                log::write(tx, Status::Failed, about, Some(&log::Facts::Reason(reason)), now)?;
                news::of_order(tx, Kind::Failed, job.subject, now)?;
                raise(tx, &job, now)?;
            }
            job::fail(tx, &job, None, now)
        })
    }
}

struct Standing {
    state: State,
    reason: Option<Reason>,
    status: Option<Status>,
    trace: Trace,
}

fn is_payment(case: &Case, reference: &str) -> bool {
    let mut payments = case.ledger.documents.iter().filter_map(Document::payment);
    payments.any(|payment| payment.header.reference == reference)
}

fn raise(tx: &Transaction<'_>, job: &Job, now: Timestamp) -> Result<(), Error> {
    alert::raise(tx, alert::Cause::Failed, &format!("merchant {}", job.merchant_id), Some(job.merchant_id), now)
}

/// Nothing of the order was ever sent, and now it would be.
pub(super) fn is_first_write(case: &Case, operation: &Operation) -> bool {
    let was_sent = |document: &Document| !matches!(document.state, DocumentState::Planned | DocumentState::Dropped);
    matches!(operation, Operation::Create { .. }) && !case.ledger.documents.iter().any(was_sent)
}

/// In shadow mode nothing leaves that writes, neither to Daftra nor to the ledger.
fn may_perform(mode: Mode, operation: &Operation) -> bool {
    match mode {
        Mode::Live => true,
        Mode::Shadow => match operation {
            Operation::Find { .. } | Operation::Verify { .. } | Operation::Resolve { .. } => true,
            Operation::Record { changes } => changes.iter().all(|change| matches!(change, Change::Recover { .. })),
            Operation::Create { .. } | Operation::Replace { .. } | Operation::Rewrite { .. } => false,
        },
        Mode::Paused | Mode::Closed => false,
    }
}

/// Out of a thousand: neighbours come back far apart, and the same order each time at another place. No chance is
/// needed for that.
fn jitter(job: &Job, failures: u32) -> u16 {
    let mixed = (job.id.unsigned_abs() + u64::from(failures)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u16::try_from(mixed >> 32 & 0xffff).unwrap_or_default() % 1_000
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_owned())
}

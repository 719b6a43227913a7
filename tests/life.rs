//! The life of one document: every event in every state, what it needs next, and what is always true of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "laws/law.rs"]
mod law;

use jiff::{SignedDuration, Timestamp};
use law::law;
use proptest::collection::vec;
use qantara::domain::document::{Document, Event, Finding, Impossible, Next, Policy, State, Stock, apply, next};
use qantara::domain::draft::{Draft, Fingerprint};
use qantara::domain::invoice::{Billed, Header, InvoiceDraft, Seen, Source, exact_rows};
use qantara::domain::money::{Amount, Currency};
use qantara::domain::payment::{Cause, PaymentDraft};
use qantara::domain::reason::{Difference, DifferenceKind, Hold, Refusal, Shortage, Unmoved, Waiting};
use qantara::domain::rules::{PricePolicy, ShippingPolicy, Vendors};
use rust_decimal::Decimal;

/// Where each event leads from a document that has just come into a state; `-` cannot happen.
const TABLE: &str = "
                  planned  sending   in_doubt  refused  dropped  posted     replacing         replace_in_doubt  locked  gone    reversed
create            sending  -         -         -        -        -          -                 -                 -       -       -
replace           -        -         -         -        -        replacing  -                 -                 -       -       -
accepted          -        posted    -         -        -        -          posted            -                 -       -       -
accepted_no_id    -        in_doubt  -         -        -        -          posted            -                 -       -       -
refused           -        refused   -         -        -        -          replace_in_doubt  -                 -       -       -
not_executed      -        planned   -         -        -        -          posted            -                 -       -       -
unknown           -        in_doubt  -         -        -        -          replace_in_doubt  -                 -       -       -
restarted         in_doubt in_doubt  -         in_doubt in_doubt -          replace_in_doubt  -                 -       -       -
found             -        -         posted    -        posted   -          -                 -                 -       -       -
absent_wanted     -        -         in_doubt  -        dropped  -          -                 -                 -       -       -
absent_unwanted   -        -         in_doubt  -        dropped  -          -                 -                 -       -       -
several           -        -         in_doubt  -        dropped  -          -                 -                 -       -       -
look_failed       -        -         in_doubt  -        dropped  posted     -                 replace_in_doubt  locked  -       -
as_written        -        -         -         -        -        posted     -                 posted            locked  -       -
as_before         -        -         -         -        -        -          -                 posted            -       -       -
differs           -        -         -         -        -        posted     -                 posted            locked  -       -
missing           -        -         -         -        -        posted     -                 replace_in_doubt  locked  -       -
stock_read        -        -         -         -        -        posted     -                 -                 locked  -       -
short             planned  -         -         refused  -        -          -                 -                 -       -       -
paid_by_others    -        -         -         -        -        -          -                 -                 locked  -       -
reverse           -        -         -         -        -        reversed   -                 -                 reversed -      -
lost              -        -         -         -        -        -          -                 -                 -       -       -
adopt             -        -         -         -        -        -          -                 -                 -       -       -
recount           -        -         -         -        -        -          -                 -                 -       -       -
drop              dropped  -         -         dropped  -        -          -                 -                 -       -       -
want              -        -         -         planned  planned  -          -                 -                 -       -       -
note              -        -         -         -        -        posted     -                 -                 -       -       -
try_again         planned  -         in_doubt  planned  dropped  posted     -                 replace_in_doubt  posted  posted  -
";

const POLICY: Policy = Policy {
    settling: SignedDuration::from_secs(90),
    look_ups: 2,
    look_up_gap: SignedDuration::from_secs(60),
    gone_gap: SignedDuration::from_mins(10),
    unknown_sends: 5,
    failed_looks: 5,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn draft(net: i64) -> Draft {
    Draft::Invoice(InvoiceDraft {
        header: Header {
            reference: "k7-55-order".into(),
            order_name: "#55".into(),
            client_id: 7,
            store_id: 3,
            branch_id: None,
            currency: Currency::parse("SAR").unwrap(),
            date: jiff::civil::date(2026, 11, 20),
            draft: false,
        },
        vendors: Vendors::AllBut([].into()),
        shipping: ShippingPolicy::AllLines,
        with_shipping: None,
        paid_by_others: Decimal::ZERO,
        adopted: None,
        price: PricePolicy::Sale,
        seen: [].into(),
        billed: vec![Billed {
            source: Source::Line(1),
            title: "Thing".into(),
            sku: "T".into(),
            product_id: Some(9),
            found: None,
            taxes: Vec::new(),
            included: true,
            units: 1,
            net: Amount(net),
            tax: Amount::ZERO,
            rows: exact_rows(1, Amount(net)),
        }],
    })
}

fn refusal() -> Refusal {
    Refusal { status: 400, message: "Client not found".into(), fields: Vec::new() }
}

fn found() -> Event {
    Event::Found { remote_id: 70, remote_no: Some("000070".into()) }
}

fn accepted() -> Event {
    Event::Accepted { remote_id: Some(70), remote_no: None }
}

/// Every event by its name in the table.
fn event(name: &str) -> Event {
    match name {
        "create" => Event::Create { draft: draft(100) },
        "replace" => Event::Replace { draft: draft(200) },
        "accepted" => accepted(),
        "accepted_no_id" => Event::Accepted { remote_id: None, remote_no: None },
        "refused" => Event::Refused(refusal()),
        "not_executed" => Event::NotExecuted,
        "unknown" => Event::Unknown,
        "restarted" => Event::Restarted,
        "found" => found(),
        "absent_wanted" => Event::Absent { wanted: true },
        "absent_unwanted" => Event::Absent { wanted: false },
        "several" => Event::Several { ids: [70, 71].into() },
        "look_failed" => Event::LookFailed,
        "as_written" => Event::AsWritten { total: Amount(100), remote_no: Some("000070".into()) },
        "as_written_no_number" => Event::AsWritten { total: Amount(100), remote_no: None },
        "as_before" => Event::AsBefore,
        "differs" => Event::Differs { differences: vec![difference()] },
        "missing" => Event::Missing,
        "stock_read" => Event::StockRead { stock: Stock::Moved },
        "short" => Event::Short { shortages: vec![shortage()] },
        "paid_by_others" => Event::PaidByOthers { payments: [31].into() },
        "reverse" => Event::Reverse,
        "lost" => Event::Lost,
        "adopt" => Event::Adopt { transactions: [17].into() },
        "recount" => Event::Recount { covers: [17, 18].into(), amount: Amount(90) },
        "drop" => Event::Drop,
        "want" => Event::Want,
        "note" => Event::Note { seen: [(9, Seen::Skipped)].into() },
        "try_again" => Event::TryAgain,
        other => panic!("{other} is no event"),
    }
}

fn shortage() -> Shortage {
    Shortage { product_id: 9, title: "Thing".into(), store_id: 3, wanted: 2, available: 1.into() }
}

fn difference() -> Difference {
    Difference { what: DifferenceKind::Total, ours: "1.00".into(), daftra: "2.00".into() }
}

fn planned() -> Document {
    Document::planned(1, None, "order".into(), draft(100), at(0))
}

/// A document led through these events, all in the first second.
fn after(events: &[&str]) -> Document {
    events.iter().fold(planned(), |document, name| step(&document, event(name), 0))
}

#[track_caller]
fn step(document: &Document, event: Event, second: i64) -> Document {
    apply(document, event, at(second), &POLICY).unwrap()
}

/// A document that has just come into a state by the shortest way.
fn in_state(state: State) -> Document {
    let document = match state {
        State::Planned => planned(),
        State::Sending => after(&["create"]),
        State::InDoubt => after(&["create", "unknown"]),
        State::Refused => after(&["create", "refused"]),
        State::Dropped => after(&["drop"]),
        State::Posted => after(&["create", "accepted"]),
        State::Replacing => after(&["create", "accepted", "replace"]),
        State::ReplaceInDoubt => after(&["create", "accepted", "replace", "unknown"]),
        State::Locked => after(&["create", "accepted", "replace", "refused", "as_before"]),
        State::Gone => after(&["create", "accepted", "missing", "missing"]),
        State::Reversed => after(&["create", "accepted", "replace", "refused", "as_before", "reverse"]),
    };
    assert_eq!(document.state, state);
    document
}

/// An event and, for every state in its order, where it leads.
type Row = (&'static str, Vec<(State, Option<State>)>);

fn table() -> Vec<Row> {
    let mut rows = TABLE.lines().filter(|line| !line.is_empty()).map(|line| line.split_whitespace());
    let states: Vec<State> = rows.next().unwrap().map(|word| State::parse(word).unwrap()).collect();
    assert_eq!(states, State::ALL);
    rows.map(|mut cells| {
        let name = cells.next().unwrap();
        let leads: Vec<Option<State>> = cells.map(State::parse).collect();
        assert_eq!(leads.len(), states.len(), "{name}");
        (name, states.iter().copied().zip(leads).collect())
    })
    .collect()
}

#[test]
fn every_event_in_every_state_leads_where_the_table_says_or_is_impossible() {
    let table = table();
    assert_eq!(table.len(), 28);
    for (name, cells) in &table {
        for (state, leads) in cells {
            let got = apply(&in_state(*state), event(name), at(0), &POLICY).map(|after| after.state);
            let named = Impossible { state: *state, event: event(name).name().to_owned() };
            assert_eq!(got, leads.ok_or(named), "{name} in {}", state.word());
        }
    }
    let complaint = apply(&planned(), Event::Missing, at(0), &POLICY).unwrap_err().to_string();
    assert_eq!(complaint, "A document that is planned cannot take the event missing");
}

/// What an event does beside leading elsewhere: every change to a document that has just come into its state, and to one
/// that was looked for, asked and judged before.
#[test]
fn what_each_event_changes_is_as_written_down() {
    let mut told = String::new();
    for (name, cells) in table() {
        for (state, _) in cells.into_iter().filter(|(_, leads)| leads.is_some()) {
            for (past, document) in [("new", in_state(state)), ("old", worn(in_state(state)))] {
                told += &told_of(name, past, &document);
            }
        }
    }
    for name in ["lost", "adopt", "recount"] {
        told += &told_of(name, "payment", &worn(payment()));
    }
    let judged = |document| Document {
        finding: Some(Finding::ChangedByHand { differences: vec![difference()] }),
        ..worn(document)
    };
    told += &told_of("as_written", "judged", &judged(in_state(State::Posted)));
    told += &told_of("as_written_no_number", "old", &worn(in_state(State::Posted)));
    for what in [DifferenceKind::Total, DifferenceKind::Paid] {
        told += &told_of("try_again", &format!("{what:?}"), &misses(what));
    }
    let paid = Document { finding: worn(planned()).finding, ..misses(DifferenceKind::Paid) };
    told += &told_of("try_again", "paid by others", &paid);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("life");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("changes", told));
}

/// With a past: everything that an event may leave behind or take away.
fn worn(document: Document) -> Document {
    Document {
        misses: 1,
        failed_looks: 3,
        unknown_sends: 2,
        look_at: Some(at(1_000)),
        verified_at: Some(at(3)),
        finding: Some(Finding::PaidByOthers { payments: [44].into() }),
        stock: Some(Stock::Pending { why: [Unmoved::Requisition].into() }),
        total: Some(Amount(7)),
        remote_no: document.remote_id.map(|_| "000007".to_owned()),
        ..document
    }
}

/// An invoice on which others had paid, and on which something else is now.
fn misses(what: DifferenceKind) -> Document {
    let mut document = in_state(State::Posted);
    let Draft::Invoice(invoice) = &mut document.content else { unreachable!() };
    invoice.paid_by_others = Decimal::ONE;
    let differences = vec![Difference { what, ..difference() }];
    Document { finding: Some(Finding::ChangedByHand { differences }), ..document }
}

fn told_of(name: &str, past: &str, document: &Document) -> String {
    let after = step(document, event(name), 5_000);
    let (before, now) = (fields(document), fields(&after));
    let changes: Vec<String> = before
        .iter()
        .zip(&now)
        .filter(|(one, other)| one != other)
        .map(|((field, was), (_, is))| format!("    {field}: {was} -> {is}\n"))
        .collect();
    format!("{name}, {past} {}:\n{}", document.state.word(), changes.concat())
}

/// Times as seconds since the document was planned.
fn fields(document: &Document) -> Vec<(&'static str, String)> {
    let second = |time: Option<Timestamp>| time.map(|time| time.duration_since(at(0)).as_secs());
    let net = |draft: &Draft| match draft {
        Draft::Invoice(invoice) => invoice.billed[0].net,
        Draft::RefundReceipt(_) => Amount::ZERO,
        Draft::Payment(payment) => payment.amount,
    };
    vec![
        ("state", document.state.word().to_owned()),
        ("since", format!("{:?}", second(Some(document.since_at)))),
        ("look at", format!("{:?}", second(document.look_at))),
        ("misses", document.misses.to_string()),
        ("failed looks", document.failed_looks.to_string()),
        ("unknown sends", document.unknown_sends.to_string()),
        ("content", format!("{:?} {:?}", net(&document.content), document.payment())),
        ("paid by others", document.invoice().map_or_else(String::new, |invoice| invoice.paid_by_others.to_string())),
        ("replacement", format!("{:?}", document.replacement.as_ref().map(net))),
        ("written", format!("{:?}", document.written)),
        ("wanted", format!("{:?}", document.wanted)),
        ("refusal", format!("{:?}", document.refusal.as_ref().map(|refusal| refusal.status))),
        ("finding", format!("{:?}", document.finding)),
        ("remote id", format!("{:?}", document.remote_id)),
        ("remote no", format!("{:?}", document.remote_no)),
        ("total", format!("{:?}", document.total)),
        ("verified", format!("{:?}", second(document.verified_at))),
        ("stock", format!("{:?}", document.stock)),
    ]
}

#[test]
fn what_never_left_is_told_from_what_another_life_may_have_sent() {
    for state in State::ALL {
        let document = in_state(state);
        let (here, may_be_there) = match state {
            State::Planned | State::Refused => (true, true),
            State::Dropped => (false, true),
            State::Sending | State::InDoubt | State::Posted | State::Replacing | State::ReplaceInDoubt => {
                (false, false)
            }
            State::Locked | State::Gone | State::Reversed => (false, false),
        };
        assert_eq!(document.never_left(), here, "{}", state.word());
        assert_eq!(document.may_have_left(Some(at(1))), may_be_there, "{}", state.word());
        assert!(!document.may_have_left(Some(at(0))) && !document.may_have_left(None), "{}", state.word());
    }
    assert!(!Document { unknown_sends: 1, ..planned() }.never_left(), "it was sent, and nobody knows");
    let mut lost = step(&payment(), Event::Lost, 5);
    for second in [5, 65] {
        lost = step(&lost, Event::Absent { wanted: true }, second);
    }
    assert_eq!((lost.state, lost.never_left()), (State::Planned, false), "it was there, and went with a PUT");
}

#[test]
fn what_another_version_wrote_is_reckoned_anew_and_is_no_reason_to_write() {
    let (same, other) = (draft(100).fingerprint(), draft(200).fingerprint());
    let ours = after(&["create", "accepted"]);
    let foreign = Document { written: Some(Fingerprint("0; line 1: 1 100 0".into())), ..ours.clone() };
    for document in [&ours, &foreign] {
        assert_eq!((document.is_out_of_step(&same), document.is_out_of_step(&other)), (false, true), "{document:?}");
    }
    let stale = Document { content: draft(200), ..ours };
    assert!(!stale.is_out_of_step(&same), "what was written counts, not what would be now");
    assert!(planned().is_out_of_step(&same), "nothing was written");
}

#[test]
fn the_usual_patience_is_this() {
    assert_eq!(Policy::default(), POLICY);
}

#[test]
fn what_was_sent_five_times_in_vain_waits_for_a_person_unless_it_is_just_looked_for() {
    let tired = Document { unknown_sends: 5, ..after(&["create", "accepted"]) };
    let hold = Hold::TooManyUnknownSends { reference: "k7-55-order".into() };
    assert_eq!(next(&tired, at(1), &POLICY), Next::Hold(hold));
    let missed = Document { misses: 1, look_at: Some(at(600)), ..tired };
    assert_eq!(next(&missed, at(600), &POLICY), Next::Look);
}

/// A payment of 1.00 that was just read back.
fn payment() -> Document {
    let clock = "2026-11-20T12:00:00".parse().unwrap();
    let Draft::Invoice(InvoiceDraft { header, .. }) = draft(100) else { unreachable!() };
    let draft = Draft::Payment(PaymentDraft {
        header,
        cause: Cause::Paid(1),
        at: at(0),
        clock,
        amount: Amount(100),
        rounding: Amount::ZERO,
        covers: [].into(),
        gateway: "mada".into(),
        method: "bank".into(),
        treasury_id: None,
        lost: false,
    });
    let planned = Document::planned(1, Some(2), "paid".into(), draft.clone(), at(0));
    let posted = step(&step(&planned, Event::Create { draft }, 0), accepted(), 0);
    step(&posted, event("as_written"), 0)
}

#[test]
fn a_payment_lives_like_every_document_and_may_be_lost_and_adopt() {
    let posted = payment();
    assert_eq!(next(&posted, at(5), &POLICY), Next::Nothing);
    let lost = step(&posted, Event::Lost, 5);
    check(&lost);
    assert_eq!((lost.state, lost.remote_id, lost.total), (State::InDoubt, None, None));
    assert_eq!(next(&lost, at(5), &POLICY), Next::Look, "no call of ours can bring it back late");
    assert_eq!(lost.unknown_sends, 0);
    let once = step(&lost, Event::Absent { wanted: true }, 5);
    assert_eq!(
        next(&once, at(6), &POLICY),
        Next::LookAt(at(65), Waiting::LookingAgain { reference: "k7-55-order".into() })
    );
    assert_eq!(step(&once, Event::Absent { wanted: true }, 65).state, State::Planned, "the same row is sent again");
    assert_eq!(step(&once, found(), 65).state, State::Posted);

    let adopted = step(&posted, event("adopt"), 5);
    assert_eq!(adopted.payment().unwrap().covers, [17].into());
    assert_eq!(Document { content: posted.content.clone(), ..adopted.clone() }, posted, "nothing else changes");
    assert_eq!(adopted.content.fingerprint(), posted.content.fingerprint());
    let found = step(&posted, event("differs"), 5);
    let less = step(&found, event("recount"), 6);
    check(&less);
    let payment = less.payment().unwrap();
    assert_eq!((&payment.covers, payment.amount, less.total), (&[17, 18].into(), Amount(90), Some(Amount(90))));
    assert_eq!((less.finding.as_ref(), &less.wanted), (None, &less.content.fingerprint()));
    for state in State::ALL.into_iter().filter(|state| *state != State::Posted) {
        for name in ["lost", "adopt", "recount"] {
            let elsewhere = Document { state, ..posted.clone() };
            assert!(apply(&elsewhere, event(name), at(5), &POLICY).is_err(), "{name} in {}", state.word());
        }
    }
}

#[test]
fn only_what_was_seen_before_its_parent_was_written_may_have_gone_with_it() {
    let (seen, parent) = (payment(), after(&["create", "accepted"]));
    let written_at = |second| Document { since_at: at(second), ..parent.clone() };
    assert!(seen.was_seen_before_writing(&written_at(1)));
    assert!(!seen.was_seen_before_writing(&written_at(0)));
    // A person's "try again" makes it count as not read back: it is there since it was made.
    let unread = Document { verified_at: None, ..seen };
    assert!(unread.was_seen_before_writing(&written_at(1)));
    assert!(!unread.was_seen_before_writing(&written_at(0)));
}

/// What the table of documents in the database checks, and what the planner relies on.
fn check(document: &Document) {
    let state = document.state;
    let unborn = [State::Planned, State::Sending, State::InDoubt, State::Refused, State::Dropped].contains(&state);
    assert_eq!(document.remote_id.is_none(), unborn, "{document:?}");
    assert_eq!(document.written.is_none(), document.remote_id.is_none(), "{document:?}");
    let replacing = [State::Replacing, State::ReplaceInDoubt].contains(&state);
    assert_eq!(document.replacement.is_some(), replacing, "{document:?}");
    let doubtful = [State::InDoubt, State::ReplaceInDoubt].contains(&state);
    assert!(!doubtful || document.look_at.is_some(), "{document:?}");
    assert!(![State::Refused, State::Locked].contains(&state) || document.refusal.is_some(), "{document:?}");
    let may_be_refused = [State::Refused, State::ReplaceInDoubt, State::Locked].contains(&state);
    assert!(document.refusal.is_none() || may_be_refused, "An old refusal stayed: {document:?}");
    assert!(document.written.as_ref().is_none_or(|written| *written == document.content.fingerprint()), "{document:?}");
    assert_eq!(State::parse(state.word()), Some(state));
}

#[test]
fn whatever_happens_the_schema_would_take_the_document() {
    let table = table();
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    law(1_500, vec((0..names.len(), 0_i64..200), 1..60), |walk| {
        let mut document = planned();
        let mut second = 0;
        for (pick, later) in walk {
            second += later;
            let Ok(after) = apply(&document, event(names[pick]), at(second), &POLICY) else { continue };
            check(&after);
            let came = after.state != document.state;
            assert!(!came || after.since_at == at(second), "{after:?} keeps the time of its former state");
            assert!(after.content == document.content || matches!(after.state, State::Sending | State::Posted));
            assert_eq!(after.content.header().reference, document.content.header().reference);
            assert!(!after.state.may_exist() || next(&after, at(second), &POLICY) != Next::Nothing || is_still(&after));
            document = after;
        }
    });
}

/// It exists, was read back, and nothing is to be looked for.
fn is_still(document: &Document) -> bool {
    document.state == State::Locked || (document.state == State::Posted && document.verified_at.is_some())
}

#[test]
fn from_every_state_that_was_ever_sent_a_look_that_finds_it_or_a_no_leads_out() {
    for state in State::ALL {
        let mut document = in_state(state);
        for second in [0, 100, 200, 900, 1_000] {
            let now = at(second);
            match next(&document, now, &POLICY) {
                Next::Recover => document = step(&document, Event::Restarted, second),
                Next::Look if document.remote_id.is_none() => document = step(&document, found(), second),
                Next::Verify if document.state == State::Refused => document = step(&document, event("short"), second),
                Next::Look | Next::Verify => document = step(&document, event("as_written"), second),
                Next::LookAt(..) | Next::Hold(_) | Next::Nothing => {}
            }
        }
        let ends = [State::Planned, State::Refused, State::Dropped, State::Posted, State::Locked, State::Gone];
        assert!(ends.contains(&document.state) || state == State::Reversed, "{} stays {document:?}", state.word());
    }
}

#[test]
fn a_call_without_an_end_is_looked_up_after_the_settling_time_and_twice() {
    let doubt = step(&after(&["create"]), Event::Unknown, 10);
    assert_eq!(doubt.unknown_sends, 1);
    let reference = || "k7-55-order".to_owned();
    assert_eq!(next(&doubt, at(99), &POLICY), Next::LookAt(at(100), Waiting::Settling { reference: reference() }));
    assert_eq!(next(&doubt, at(100), &POLICY), Next::Look);
    let once = step(&doubt, Event::Absent { wanted: true }, 100);
    assert_eq!(once.state, State::InDoubt);
    assert_eq!(next(&once, at(159), &POLICY), Next::LookAt(at(160), Waiting::LookingAgain { reference: reference() }));
    assert_eq!(next(&once, at(160), &POLICY), Next::Look);
    let twice = step(&once, Event::Absent { wanted: true }, 160);
    assert_eq!((twice.state, twice.unknown_sends, twice.look_at), (State::Planned, 1, None));
    let dropped = step(&once, Event::Absent { wanted: false }, 160);
    assert_eq!((dropped.state, dropped.look_at), (State::Dropped, Some(at(160 + 86_400))));
    assert_eq!(step(&once, found(), 160).state, State::Posted);
}

/// The call may still be executed: no person's impatience makes its absence certain.
#[test]
fn trying_again_does_not_shorten_the_settling_time() {
    for way in [["create", "unknown"].as_slice(), &["create", "accepted", "replace", "unknown"]] {
        let doubt = after(way);
        let early = step(&doubt, Event::TryAgain, 1);
        assert_eq!((early.look_at, early.unknown_sends), (Some(at(90)), 0), "{way:?}");
        let late = step(&doubt, Event::TryAgain, 500);
        assert_eq!(late.look_at, Some(at(500)), "{way:?}");
    }
}

#[test]
fn a_dropped_document_that_may_turn_up_is_looked_for_once_and_credited_if_it_does() {
    let unsent = after(&["drop"]);
    assert_eq!((unsent.look_at, next(&unsent, at(0), &POLICY)), (None, Next::Nothing));
    let sent = after(&["create", "unknown", "absent_wanted", "absent_wanted", "drop"]);
    let day = 86_400;
    assert!(matches!(next(&sent, at(day - 1), &POLICY), Next::LookAt(..)));
    assert_eq!(next(&sent, at(day), &POLICY), Next::Look);
    let absent = step(&sent, Event::Absent { wanted: false }, day);
    assert_eq!(next(&absent, at(10 * day), &POLICY), Next::Nothing);
    let turned_up = step(&sent, found(), day);
    assert_eq!(next(&turned_up, at(day), &POLICY), Next::Verify);
    assert_eq!(step(&unsent, Event::Want, 1).state, State::Planned);
    let again = step(&sent, Event::Want, 1);
    assert_eq!((again.state, next(&again, at(1), &POLICY)), (State::InDoubt, Next::Look));
}

#[test]
fn what_was_written_is_read_back() {
    let posted = after(&["create", "accepted"]);
    assert_eq!(next(&posted, at(0), &POLICY), Next::Verify);
    let read = step(&posted, event("as_written"), 0);
    assert_eq!((next(&read, at(9), &POLICY), read.total), (Next::Nothing, Some(Amount(100))));
    assert_eq!(read.remote_no.as_deref(), Some("000070"));
    let replaced = step(&step(&read, event("replace"), 5), accepted(), 6);
    assert_eq!(next(&replaced, at(6), &POLICY), Next::Verify);
    assert_eq!(
        (replaced.content.fingerprint(), replaced.written),
        (draft(200).fingerprint(), Some(draft(200).fingerprint()))
    );
    let unsent = step(&step(&read, event("replace"), 5), Event::NotExecuted, 6);
    assert_eq!((next(&unsent, at(6), &POLICY), unsent.content), (Next::Nothing, draft(100)));
}

#[test]
fn a_put_in_doubt_ends_as_what_daftra_shows() {
    let doubt = after(&["create", "accepted", "replace", "unknown"]);
    assert_eq!((doubt.look_at, doubt.content.clone()), (Some(at(90)), draft(100)));
    assert_eq!(step(&doubt, event("as_written"), 90).content, draft(200));
    assert_eq!(step(&doubt, Event::AsBefore, 90).content, draft(100));
    let refused = after(&["create", "accepted", "replace", "refused"]);
    assert_eq!(next(&refused, at(0), &POLICY), Next::Look, "a refusal says at once what is there");
    let locked = step(&refused, Event::AsBefore, 1);
    assert_eq!((locked.state, locked.refusal.as_ref()), (State::Locked, Some(&refusal())));
    assert_eq!(next(&locked, at(1), &POLICY), Next::Nothing);
    let free = step(&locked, Event::TryAgain, 2);
    assert_eq!((free.refusal.as_ref(), next(&free, at(2), &POLICY)), (None, Next::Verify));
    let written = step(&refused, event("as_written"), 1);
    assert_eq!((written.content, written.refusal), (draft(200), None));
}

/// The refusal of a PUT is no news about the PUTs after it.
#[test]
fn a_document_that_was_gone_and_is_back_has_forgotten_its_refusal() {
    let gone = after(&["create", "accepted", "replace", "refused", "missing", "missing"]);
    let back = step(&gone, Event::TryAgain, 1_000);
    let doubt = step(&step(&back, event("replace"), 1_001), Event::Unknown, 1_002);
    assert_eq!(step(&doubt, Event::AsBefore, 1_100).state, State::Posted);
}

#[test]
fn only_two_reads_apart_make_a_document_gone() {
    let read = after(&["create", "accepted", "as_written"]);
    let missed = step(&read, Event::Missing, 100);
    assert_eq!((missed.state, missed.misses), (State::Posted, 1));
    assert!(matches!(next(&missed, at(699), &POLICY), Next::LookAt(..)));
    assert_eq!(next(&missed, at(700), &POLICY), Next::Look);
    let back = step(&missed, event("as_written"), 700);
    assert_eq!((back.misses, next(&back, at(700), &POLICY)), (0, Next::Nothing));
    let gone = step(&missed, Event::Missing, 700);
    assert_eq!(next(&gone, at(700), &POLICY), Next::Hold(Hold::Gone { reference: "k7-55-order".into() }));
}

#[test]
fn patience_ends_at_its_limits() {
    let reference = || "k7-55-order".to_owned();
    let with = |state, change: &dyn Fn(&mut Document)| {
        let mut document = in_state(state);
        change(&mut document);
        next(&document, at(1_000), &POLICY)
    };
    let too_many = || Next::Hold(Hold::TooManyUnknownSends { reference: reference() });
    assert_eq!(with(State::Planned, &|d| d.unknown_sends = 4), Next::Nothing);
    assert_eq!(with(State::Planned, &|d| d.unknown_sends = 5), too_many());
    assert_eq!(with(State::Posted, &|d| d.unknown_sends = 4), Next::Verify);
    assert_eq!(with(State::Posted, &|d| d.unknown_sends = 5), too_many());
    let blind = || Next::Hold(Hold::LookUpFails { reference: reference() });
    for state in [State::InDoubt, State::ReplaceInDoubt] {
        assert_eq!(with(state, &|d| d.failed_looks = 4), Next::Look);
        assert_eq!(with(state, &|d| d.failed_looks = 5), blind());
        assert_eq!(
            with(state, &|d| d.unknown_sends = 5),
            Next::Look,
            "what may exist is looked for before anyone judges"
        );
        assert_eq!(with(state, &|d| d.look_at = None), Next::Look);
    }
    assert_eq!(with(State::Posted, &|d| d.verified_at = Some(d.since_at)), Next::Nothing);
    assert_eq!(with(State::Posted, &|d| d.verified_at = Some(at(-1))), Next::Verify);

    for way in [["create", "unknown"].as_slice(), &["create", "accepted", "replace", "unknown"]] {
        let mut document = after(way);
        for look in 0..5 {
            assert_eq!(next(&document, at(90 + 60 * look), &POLICY), Next::Look);
            document = step(&document, Event::LookFailed, 90 + 60 * look);
        }
        assert_eq!(next(&document, at(10_000), &POLICY), blind());
        assert_eq!(next(&step(&document, Event::TryAgain, 10_000), at(10_000), &POLICY), Next::Look);
    }
}

#[test]
fn what_only_a_person_can_judge_holds_until_a_person_did() {
    let several = after(&["create", "unknown", "several"]);
    let ids = [70, 71].into();
    assert_eq!(
        next(&several, at(999), &POLICY),
        Next::Hold(Hold::SeveralFound { reference: "k7-55-order".into(), ids })
    );
    assert_eq!(next(&step(&several, Event::TryAgain, 999), at(999), &POLICY), Next::Look);
    for way in [["create", "accepted"].as_slice(), &["create", "accepted", "replace", "unknown"]] {
        let changed = step(&after(way), event("differs"), 90);
        assert_eq!(changed.finding, Some(Finding::ChangedByHand { differences: vec![difference()] }));
        assert!(matches!(next(&changed, at(90), &POLICY), Next::Hold(Hold::ChangedByHand { .. })));
        assert_eq!(next(&step(&changed, Event::TryAgain, 91), at(91), &POLICY), Next::Verify);
    }
}

/// Whether it matters is for the planner to say: the shop may take back what could not be written.
#[test]
fn payments_of_others_on_a_locked_invoice_are_known_until_a_person_tries_again() {
    let locked = step(&in_state(State::Locked), event("paid_by_others"), 1);
    assert_eq!((next(&locked, at(1), &POLICY), locked.paid_by_others()), (Next::Nothing, [31].into()));
    assert_eq!(step(&locked, Event::TryAgain, 2).paid_by_others(), [].into());
    // Whether its goods moved is asked all the same.
    let pending = step(&locked, Event::StockRead { stock: Stock::Pending { why: [Unmoved::Requisition].into() } }, 2);
    let seen = step(&pending, event("as_written"), 3);
    assert_eq!((next(&seen, at(3_602), &POLICY), next(&seen, at(3_603), &POLICY)), (Next::Nothing, Next::Verify));
    assert_eq!(seen.paid_by_others(), [31].into(), "and what was found stays so");
    let missed = step(&seen, event("missing"), 4);
    let differs = step(&missed, event("differs"), 5);
    assert_eq!((missed.misses, differs.misses, differs.look_at), (1, 0, None));
    assert!(matches!(next(&differs, at(9_999), &POLICY), Next::Hold(Hold::ChangedByHand { .. })));
}

#[test]
fn the_words_of_the_states_are_the_databases() {
    let words: Vec<&str> = State::ALL.iter().map(|state| state.word()).collect();
    assert_eq!(words[..5], ["planned", "sending", "in_doubt", "refused", "dropped"]);
    assert!(words.iter().all(|word| State::parse(word).is_some_and(|state| state.word() == *word)));
    assert_eq!(State::parse("lost"), None);
    let live: Vec<&str> = State::ALL.iter().filter(|state| !state.is_live()).map(|state| state.word()).collect();
    assert_eq!(live, ["dropped", "gone", "reversed"], "the states that leave the place of the one invoice free");
}

#[test]
fn stock_that_has_not_moved_is_asked_for_hourly_and_after_a_day_daily() {
    let hour = 3_600;
    let pending = || Event::StockRead { stock: Stock::Pending { why: [Unmoved::Requisition].into() } };
    let mut posted = step(&after(&["create", "accepted"]), event("as_written"), 0);
    assert_eq!(next(&posted, at(48 * hour), &POLICY), Next::Nothing, "nobody asked about its stock");
    let mut looks = Vec::new();
    posted = step(&posted, pending(), 0);
    for second in (0..=96 * hour).step_by(1_800) {
        if next(&posted, at(second), &POLICY) == Next::Verify {
            looks.push(second / hour);
            posted = step(&step(&posted, event("as_written"), second), pending(), second);
        }
    }
    let expected: Vec<i64> = (1..=24).chain([48, 72, 96]).collect();
    assert_eq!(looks, expected);
    let moved = step(&posted, Event::StockRead { stock: Stock::Moved }, 97 * hour);
    assert_eq!(next(&moved, at(999 * hour), &POLICY), Next::Nothing);
    // What is written anew moves the stock anew.
    let replaced = step(&step(&moved, event("replace"), 1), accepted(), 2);
    assert_eq!(replaced.stock, None);
}

#[test]
fn what_was_refused_for_want_of_stock_says_what_is_missing_until_it_is_tried_again() {
    let unasked = after(&["create", "refused"]);
    assert_eq!(next(&unasked, at(0), &POLICY), Next::Verify, "nobody asked for the stock yet");
    let enough = step(&unasked, Event::Short { shortages: Vec::new() }, 0);
    assert_eq!((next(&enough, at(0), &POLICY), enough.shortages()), (Next::Nothing, None));
    let refused = step(&unasked, event("short"), 0);
    let (shortages, again_at) = refused.shortages().unwrap();
    assert_eq!((shortages, again_at), ([shortage()].as_slice(), at(3_600)));
    assert_eq!(next(&refused, at(0), &POLICY), Next::Nothing, "the planner says so where it would send it");
    let again = step(&refused, Event::Want, 3_600);
    assert_eq!((again.state, again.shortages()), (State::Planned, None));
}

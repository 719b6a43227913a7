//! Histories that went wrong once, told by hand: each must end as its name says.

use qantara::domain::document::State;
use qantara::domain::draft::Draft;
use qantara::domain::invoice::Source;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::operation::Operation;
use qantara::domain::order::{Adjustment, Line, Refund, Restock, TransactionStatus};
use qantara::domain::plan::Decision;
use qantara::domain::reason::{Hold, RefundPart, Waiting};
use qantara::domain::refund::{Class, Left};
use qantara::domain::rules::{LinePolicy, LockedPolicy, ShippingPolicy};
use rust_decimal::Decimal;

use crate::history::{Act, Body, History, Item, Story};
use crate::world::Luck::{Refused, Unsent};
use crate::world::{World, world};

const THREE: Item = Item { ours: true, price: 1_000, quantity: 3, percent_off: 0 };
const OTHERS: Item = Item { ours: false, ..THREE };

/// A paid order of three units at 10.00, untaxed, and what happens to it.
fn story(acts: &[Act]) -> Story {
    Story {
        currency: Currency::parse("SAR").unwrap(),
        included: false,
        percent: 0,
        paid: true,
        sloppy: false,
        bare: false,
        shipping: None,
        items: vec![THREE],
        acts: acts.to_vec(),
    }
}

fn back(line: usize, units: i64, shipping: bool) -> Act {
    Act::Refund { line, units, restock: Restock::Return, shipping }
}

impl World {
    /// Takes in one body after the other and works after each; what the last of them leads to.
    fn take(&mut self, bodies: &[Body]) -> Decision {
        bodies.iter().fold(Decision::Settled, |_, body| self.after(body))
    }

    fn after(&mut self, body: &Body) -> Decision {
        self.deliver(body);
        self.rest().unwrap()
    }

    fn units(&self, line: i64) -> i64 {
        self.net().get(&Source::Line(line)).map_or(0, |left| left.units)
    }
}

/// The bodies of a history, the last refund record changed.
fn told_with(story: &Story, change: impl Fn(&mut Refund)) -> History {
    let mut history = story.tell();
    for body in &mut history.bodies {
        if let Some(mut last) = body.facts.refunds.last_entry() {
            change(last.get_mut());
        }
    }
    history
}

#[test]
fn a_refund_of_a_line_that_is_not_known_yet_waits_for_it() {
    let bodies = story(&[Act::Add(THREE), back(1, 2, false)]).tell().bodies;
    let [order, added, refund, newest] = &bodies[..] else { panic!("{}", bodies.len()) };
    let mut world = world();
    let last = world.take(&[order.clone(), refund.clone()]);
    assert_eq!(last, Decision::Wait(None, Waiting::OrderBehind { refund: 102 }));
    assert_eq!(world.ledger.classes, [].into(), "nobody knows yet whose the goods are");
    assert_eq!(world.after(added), Decision::Settled);
    assert_eq!((world.units(1), world.units(2)), (3, 1));
    assert_eq!(world.after(newest), Decision::Settled);
}

#[test]
fn a_refund_of_a_line_that_an_edit_took_off_waits_for_the_edit_that_brings_it_back() {
    let acts = [Act::Add(THREE), Act::Remove { line: 0, units: 3 }, Act::Raise { line: 0, by: 2 }, back(0, 1, false)];
    let bodies = story(&acts).tell().bodies;
    let (refund, newest) = (&bodies[5], &bodies[6]);
    let mut world = world();
    assert_eq!(world.take(&bodies[..4]), Decision::Settled);
    let exceeds = Hold::RefundExceeds { refund: 105, line: "Thing 1".into(), left: 0, refunded: 1 };
    assert_eq!(world.after(refund), Decision::Hold(vec![exceeds]));
    assert_eq!(world.after(newest), Decision::Settled);
    assert_eq!(world.units(1), 1);
}

#[test]
fn one_record_that_names_a_line_twice_takes_back_no_more_than_is_left() {
    let twice = |bodies: &[Body], units: i64| {
        let mut bodies = bodies.to_vec();
        for body in &mut bodies {
            for refund in body.facts.refunds.values_mut() {
                let mut again = refund.lines[0].clone();
                (again.quantity, again.restock) = (units, Restock::NoRestock);
                again.subtotal = Amount(1_000 * units);
                refund.lines.push(again);
            }
        }
        bodies
    };
    let bodies = story(&[back(0, 2, false)]).tell().bodies;
    let mut fine = world();
    // The units that the order shows do not matter here: only the record alone arrives.
    assert_eq!(fine.take(&twice(&bodies[..2], 1)), Decision::Settled);
    assert_eq!(fine.net()[&Source::Line(1)], Left::default());
    let mut more = world();
    let exceeds = Hold::RefundExceeds { refund: 101, line: "Thing 1".into(), left: 1, refunded: 2 };
    assert_eq!(more.take(&twice(&bodies[..2], 2)), Decision::Hold(vec![exceeds]));
}

/// Whether the shipping is on the invoice was decided when it was first sent.
#[test]
fn another_vendors_line_takes_no_shipping_off_an_invoice_that_carries_it() {
    for acts in [&[Act::Add(OTHERS)][..], &[back(0, 1, true), Act::Add(OTHERS)], &[Act::Add(OTHERS), back(0, 1, true)]]
    {
        let history = Story { shipping: Some(500), ..story(acts) }.tell();
        let mut world = world();
        assert_eq!(world.take(&history.bodies), Decision::Settled, "{acts:?}");
        let shipping = world.net().into_iter().find(|(source, _)| matches!(source, Source::Shipping(_)));
        let given = acts.len() > 1;
        let rest = if given { Left::default() } else { Left { units: 1, net: Amount(500), tax: Amount::ZERO } };
        assert_eq!(shipping.unwrap().1, rest, "{acts:?}");
        let Draft::Invoice(invoice) = &world.ledger.documents[0].content else { panic!("no invoice") };
        assert!(invoice.carries_shipping());
    }
}

/// Money for no goods, of an order that is paid to the last minor unit, is a row of its own on a receipt.
#[test]
fn money_for_no_goods_is_a_row_of_its_own_and_counts_against_the_whole() {
    let told = story(&[Act::Goodwill { amount: 300 }, back(0, 1, false), Act::Goodwill { amount: 200 }]).tell();
    let mut booked = world();
    assert_eq!(booked.take(&told.bodies), Decision::Settled);
    let net = booked.net();
    assert_eq!(net[&Source::Line(1)], Left { units: 2, net: Amount(2_000), tax: Amount::ZERO });
    let money: Vec<(Source, Amount)> = net
        .into_iter()
        .filter(|(source, _)| matches!(source, Source::Money(_)))
        .map(|(s, left)| (s, left.net))
        .collect();
    assert_eq!(money, [(Source::Money(101), Amount(-300)), (Source::Money(105), Amount(-200))]);
    let mut all_at_once = world();
    told.bodies.iter().for_each(|body| all_at_once.deliver(body));
    assert_eq!(all_at_once.rest(), Some(Decision::Settled));
    assert_eq!(all_at_once.remote.len(), 3, "the goods were absorbed");
}

#[test]
fn money_paid_out_after_an_edit_is_no_kindness() {
    let told = story(&[Act::Remove { line: 0, units: 1 }, Act::Goodwill { amount: 1_000 }]).tell();
    let mut world = world();
    assert_eq!(world.take(&told.bodies), Decision::Settled);
    assert_eq!(world.ledger.classes, [(101, Class::Edit), (103, Class::Covered)].into());
    assert_eq!(world.remote.len(), 1);
}

#[test]
fn money_for_no_goods_is_held_where_nothing_is_certain() {
    let money_only = vec![Hold::RefundPart { refund: 101, part: RefundPart::MoneyOnly }];
    let told = story(&[Act::Goodwill { amount: 300 }]).tell();
    // The shop never told what it received.
    let mut silent = told.bodies.clone();
    silent.iter_mut().for_each(|body| drop(body.facts.transactions.remove(&1)));
    let mut untold = world();
    assert_eq!(untold.take(&silent), Decision::Hold(money_only.clone()));
    let mut by_hand = world();
    by_hand.merchant.rules.goodwill = LinePolicy::Hold;
    assert_eq!(by_hand.take(&told.bodies), Decision::Hold(money_only));
    // Somebody else's goods may be what it is for.
    let mixed = Story { items: vec![THREE, OTHERS], ..story(&[Act::Goodwill { amount: 300 }]) }.tell();
    let mut shared = world();
    assert_eq!(shared.take(&mixed.bodies), Decision::Settled);
    assert_eq!(shared.ledger.classes, [(101, Class::NotOurs)].into());
    let mut left_out = world();
    left_out.merchant.rules.goodwill = LinePolicy::Skip;
    assert_eq!(left_out.take(&told.bodies), Decision::Settled);
    assert_eq!((left_out.remote.len(), &left_out.ledger.classes), (1, &[(101, Class::Covered)].into()));
    // The parts of the record are not the money that moved.
    let other = told_with(&story(&[Act::Goodwill { amount: 300 }]), |refund| {
        refund.transactions.values_mut().for_each(|movement| movement.amount += Decimal::ONE);
    });
    assert!(matches!(world().take(&other.bodies), Decision::Hold(_)));
}

#[test]
fn money_on_its_way_is_waited_for_where_only_money_tells_what_it_is_for() {
    let pending = told_with(&story(&[Act::Goodwill { amount: 300 }]), |refund| {
        refund.transactions.values_mut().for_each(|movement| movement.status = TransactionStatus::Pending);
    });
    let mut world = world();
    assert_eq!(world.take(&pending.bodies), Decision::Wait(None, Waiting::MoneyUnderWay { refund: 101 }));
    assert_eq!(world.ledger.classes, [].into());
    let arrived = story(&[Act::Goodwill { amount: 300 }]).tell();
    assert_eq!(world.take(&arrived.bodies[1..]), Decision::Settled);
    assert_eq!(world.remote.len(), 2);
}

/// A kindness and then everything back: together that would be more than was ever billed.
#[test]
fn no_more_money_goes_back_than_was_billed() {
    let told = told_with(&story(&[Act::Goodwill { amount: 300 }, back(0, 3, false)]), |_| {});
    let too_much = Hold::RefundPart { refund: 103, part: RefundPart::TooMuch };
    let mut world = world();
    assert_eq!(world.take(&told.bodies), Decision::Hold(vec![too_much]));
    assert_eq!(world.remote.len(), 2);
}

/// Of two refunds Daftra refuses the first: the second is booked all the same.
#[test]
fn a_refused_receipt_holds_up_no_other() {
    let told = story(&[back(0, 1, false), back(0, 1, false)]).tell();
    let mut world = world();
    assert_eq!(world.after(&told.bodies[0]), Decision::Settled);
    world.luck = [Refused].into();
    world.deliver(&told.bodies[2]);
    assert!(matches!(world.rest(), Some(Decision::Hold(_))));
    assert!(matches!(world.take(&told.bodies[3..]), Decision::Hold(_)));
    let states: Vec<(&str, State)> =
        world.ledger.documents.iter().map(|document| (document.source_key.as_str(), document.state)).collect();
    assert_eq!(states, [("order", State::Posted), ("refund/101", State::Refused), ("refund/103", State::Posted)]);
    assert_eq!(world.live(), Some(Decision::Settled), "and the first when somebody tries again");
    assert_eq!(world.units(1), 1);
}

/// What the rules said of a line when it came stays, also if it changed nothing on the invoice.
#[test]
fn a_line_that_was_left_out_stays_out_when_the_rules_change() {
    let mut bodies = story(&[Act::Fulfil]).tell().bodies;
    let newest = bodies[1].snapshot.as_mut().unwrap();
    newest.lines.push(Line { tip: true, vendor: String::new(), ..crate::make::line(2, "") });
    newest.total_price += Amount(10_000);
    let mut world = world();
    world.merchant.rules.tip = LinePolicy::Skip;
    assert_eq!(world.take(&bodies), Decision::Settled);
    world.merchant.rules.tip = LinePolicy::Line;
    assert_eq!(world.plan(), Some(Decision::Settled));
}

#[test]
fn units_that_leave_a_posted_order_without_a_record_are_seen() {
    let mut bodies = story(&[Act::Fulfil]).tell().bodies;
    bodies[1].snapshot.as_mut().unwrap().lines[0].current_quantity = Some(2);
    let differ = Hold::QuantitiesDiffer { line: "Thing 1".into(), ours: 3, shop: 2 };
    assert_eq!(world().take(&bodies), Decision::Hold(vec![differ]));
}

#[test]
fn what_the_shops_rounding_leaves_of_no_units_is_nothing() {
    let thirds = Item { price: 10, percent_off: 5, ..THREE };
    let mut history =
        Story { sloppy: true, items: vec![thirds, THREE], ..story(&[Act::Remove { line: 0, units: 3 }]) }.tell();
    let newest = history.bodies.pop().unwrap();
    let mut late = world();
    assert_eq!(late.after(&newest), Decision::Settled, "absorbed before the first invoice");
    let mut early = world();
    history.bodies.push(newest);
    assert_eq!(early.take(&history.bodies), Decision::Settled, "edited");
    assert_eq!((late.units(1), early.units(1)), (0, 0));
}

/// Taking the odd minor units belongs to the last units of the order, not to the last of an older body.
#[test]
fn the_last_units_of_an_older_body_are_not_the_last() {
    let item = Item { price: 1_001, quantity: 1, ..THREE };
    let discounted = [Act::Raise { line: 0, by: 1 }, back(0, 1, false)];
    let mut bodies = Story { items: vec![item], ..story(&discounted) }.tell().bodies;
    for refund in bodies.iter_mut().flat_map(|body| body.facts.refunds.values_mut()) {
        refund.lines[0].subtotal = Amount(1_000);
    }
    let mut world = world();
    assert_eq!(world.take(&[bodies[0].clone(), bodies[2].clone(), bodies[3].clone()]), Decision::Settled);
    assert_eq!(world.net()[&Source::Line(1)], Left { units: 1, net: Amount(1_002), tax: Amount::ZERO });
}

#[test]
fn a_receipt_of_the_cancellation_that_was_never_made_makes_way_for_the_records() {
    for luck in [Unsent, Refused] {
        let told = Story { paid: false, ..story(&[Act::Cancel { record: false }]) }.tell();
        let mut world = world();
        world.take(&told.bodies);
        world.luck = [luck].into();
        let Decision::Wait(Some(later), Waiting::CancelRecord) = world.plan().unwrap() else { panic!("does not wait") };
        world.now = later;
        let Some(Decision::Act(operations)) = world.plan() else { panic!("nothing to do") };
        world.perform(operations[0].clone());
        let records = Story { paid: false, ..story(&[Act::Cancel { record: true }]) }.tell();
        assert_eq!(world.after(&records.bodies[1]), Decision::Settled);
        let states: Vec<(&str, State)> =
            world.ledger.documents.iter().map(|document| (document.source_key.as_str(), document.state)).collect();
        assert_eq!(states, [("order", State::Posted), ("cancel", State::Dropped), ("refund/101", State::Posted)]);
        assert_eq!(world.units(1), 0);
    }
}

/// A record that moved no money says so by an adjustment of what its goods are worth.
#[test]
fn money_that_was_never_paid_is_no_money_of_a_record() {
    let unpaid = |amount| {
        let adjustment = Adjustment { is_shipping: false, amount: Amount(amount), tax: Amount::ZERO };
        let removed = Story { paid: false, ..story(&[Act::Remove { line: 0, units: 1 }]) };
        told_with(&removed, move |refund| refund.adjustments = vec![adjustment.clone()]).bodies
    };
    let mut edited = world();
    assert_eq!(edited.take(&unpaid(1_000)), Decision::Settled);
    assert_eq!((edited.units(1), &edited.ledger.classes), (2, &[(101, Class::Edit)].into()));
    let mut absorbed = world();
    assert_eq!(absorbed.after(&unpaid(1_000)[2]), Decision::Settled);
    assert_eq!((absorbed.units(1), &absorbed.ledger.classes), (2, &[(101, Class::Absorbed)].into()));
    let adjustment = Hold::RefundPart { refund: 101, part: RefundPart::Adjustment };
    assert_eq!(world().take(&unpaid(300)), Decision::Hold(vec![adjustment]), "a fee is money");
}

#[test]
fn shipping_that_we_never_billed_is_given_back_by_others() {
    let bodies = Story { shipping: Some(500), ..story(&[Act::PartOfShipping { percent: 100 }]) }.tell().bodies;
    let mut world = world();
    world.merchant.rules.shipping = ShippingPolicy::Never;
    assert_eq!(world.take(&bodies), Decision::Settled);
    assert_eq!(world.ledger.classes, [(101, Class::NotOurs)].into());
}

#[test]
fn an_invoice_is_never_replaced_by_nothing() {
    let mut bodies = story(&[Act::Fulfil]).tell().bodies;
    let newest = bodies[1].snapshot.as_mut().unwrap();
    (newest.lines[0].quantity, newest.lines[0].current_quantity) = (0, Some(0));
    newest.total_price = Amount::ZERO;
    let found = Hold::AmountsDoNotAddUp { expected: Amount(3_000), found: Amount::ZERO };
    assert_eq!(world().take(&bodies), Decision::Hold(vec![found]));
}

#[test]
fn the_order_in_which_the_ledger_lists_its_documents_does_not_matter() {
    let mut world = world();
    assert_eq!(world.take(&story(&[back(0, 1, false)]).tell().bodies), Decision::Settled);
    world.ledger.documents.iter_mut().for_each(|document| document.verified_at = None);
    let both = vec![Operation::Verify { document: 1 }, Operation::Verify { document: 2 }];
    assert_eq!(world.plan(), Some(Decision::Act(both)));
}

/// With so little tax its part of the worth alone tells nothing: the worth of a unit does.
#[test]
fn goods_of_a_few_riyals_given_back_without_their_tax_are_understood() {
    let cheap = Item { price: 426, quantity: 2, ..THREE };
    let stated = |bare| Story { included: true, percent: 5, bare, items: vec![cheap], ..story(&[back(0, 1, false)]) };
    for bare in [false, true] {
        let mut world = world();
        assert_eq!(world.take(&stated(bare).tell().bodies), Decision::Settled);
        assert_eq!(world.net()[&Source::Line(1)].net, Amount(426), "bare: {bare}");
    }
}

fn taxed(percent: i64, item: Item, acts: &[Act]) -> Story {
    Story { included: true, percent, paid: false, items: vec![item], ..story(acts) }
}

/// After the edit a unit is worth what the record's amount and its tax are together, which they are not.
#[test]
fn the_shops_own_sum_tells_whether_an_amount_contains_the_tax() {
    let item = Item { price: 109, quantity: 2, percent_off: 10, ..THREE };
    let told = taxed(5, item, &[Act::Remove { line: 0, units: 1 }, Act::Raise { line: 0, by: 1 }]).tell();
    let mut world = world();
    assert_eq!(world.take(&told.bodies), Decision::Settled);
    assert_eq!(world.net()[&Source::Line(1)].net, told.left[&Source::Line(1)].net);
    let silent = told.bodies.clone().into_iter().map(|mut body| {
        body.snapshot.iter_mut().for_each(|snapshot| snapshot.current_subtotal = None);
        body
    });
    let mut guess = crate::world::world();
    guess.take(&silent.collect::<Vec<_>>());
    assert_ne!(guess.net(), world.net(), "without the sum nobody can tell");
}

/// The line was discounted in a body that is still to come: the record's amount is neither what a unit is worth with the
/// tax nor without.
#[test]
fn a_record_that_can_be_read_both_ways_waits_for_its_body() {
    let item = Item { price: 15, quantity: 5, ..THREE };
    let bodies = taxed(5, item, &[Act::Discount { line: 0, percent: 8 }, back(0, 5, false)]).tell().bodies;
    let [order, _, refund, newest] = &bodies[..] else { panic!("{}", bodies.len()) };
    let mut world = world();
    let last = world.take(&[order.clone(), refund.clone()]);
    assert_eq!(last, Decision::Wait(None, Waiting::OrderBehind { refund: 102 }));
    assert_eq!(world.after(newest), Decision::Settled);
    assert_eq!(world.units(1), 0);
}

/// Amount and tax of the second record are together what is left of the first, and its tax is not.
#[test]
fn a_part_of_the_shipping_is_not_taken_for_the_rest_of_it() {
    let parts = [Act::PartOfShipping { percent: 88 }, Act::PartOfShipping { percent: 67 }];
    let bodies = Story { shipping: Some(95), ..taxed(5, THREE, &parts) }.tell().bodies;
    let shipping = Hold::RefundPart { refund: 101, part: RefundPart::Shipping };
    let mut world = world();
    assert_eq!(world.take(&bodies), Decision::Hold(vec![shipping]));
    assert!(!world.remote.contains_key("k7-55-refund/101"));
}

/// The first life saw everything taken away, which is a receipt; the next one sees a unit more, and could take the record
/// for an edit.
#[test]
fn a_life_that_forgot_looks_for_receipts_before_the_invoice_loses_anything() {
    let bodies = story(&[Act::Remove { line: 0, units: 3 }, Act::Raise { line: 0, by: 1 }]).tell().bodies;
    let mut first = world();
    assert_eq!(first.take(&bodies), Decision::Settled);
    assert_eq!(first.ledger.classes, [(101, Class::Receipt)].into());
    let mut second = world();
    second.ledger.look_first_before = Some(crate::history::at(100));
    second.remote = first.remote.clone();
    bodies.iter().for_each(|body| second.deliver(body));
    assert_eq!(second.live(), Some(Decision::Settled));
    assert_eq!((second.units(1), &second.remote), (1, &first.remote));
    assert_eq!(second.ledger.classes, first.ledger.classes);
    // What was never made is no receipt now either.
    let mut third = world();
    third.ledger.look_first_before = Some(crate::history::at(100));
    bodies.iter().for_each(|body| third.deliver(body));
    assert_eq!(third.live(), Some(Decision::Settled));
    assert_eq!(third.units(1), 1);
}

/// The cancellation was booked before the record of it came, and forgotten.
#[test]
fn a_life_that_forgot_looks_for_the_receipt_of_the_cancellation() {
    let silent = Story { paid: false, ..story(&[Act::Cancel { record: false }]) }.tell();
    let mut first = world();
    first.take(&silent.bodies);
    assert_eq!(first.live(), Some(Decision::Settled));
    let told = Story { paid: false, ..story(&[Act::Cancel { record: true }]) }.tell();
    assert_eq!(first.take(&told.bodies[1..]), Decision::Settled);
    let mut second = world();
    second.ledger.look_first_before = Some(crate::history::at(100));
    second.remote = first.remote.clone();
    told.bodies.iter().for_each(|body| second.deliver(body));
    assert_eq!(second.live(), Some(Decision::Settled));
    assert_eq!(second.remote, first.remote);
}

/// Of four units left one is discounted; a unit without its tax is what the six ever ordered are worth on average. How
/// much of it its tax would be tells that it is not in there.
#[test]
fn a_record_whose_tax_contradicts_its_worth_waits_for_its_body() {
    let half = Item { percent_off: 46, ..THREE };
    let acts = [Act::Remove { line: 0, units: 2 }, Act::Raise { line: 0, by: 3 }, back(0, 1, false)];
    let bodies = Story { bare: true, ..taxed(15, half, &acts) }.tell().bodies;
    let [.., raised, refund, newest] = &bodies[..] else { panic!("{}", bodies.len()) };
    let mut in_order = world();
    assert_eq!(in_order.take(&bodies[..bodies.len() - 2]), Decision::Settled, "{raised:?}");
    assert_eq!(in_order.after(newest), Decision::Settled);
    let mut overtaken = world();
    overtaken.take(&bodies[..bodies.len() - 2]);
    overtaken.after(refund);
    assert_eq!(overtaken.after(newest), Decision::Settled);
    assert_eq!(overtaken.net(), in_order.net());
}

/// The record overtook the discount, so money is left of goods that are back; the invoice that should lose it is locked.
#[test]
fn a_locked_invoice_with_money_left_of_no_goods_makes_room_for_no_other() {
    let bodies = story(&[Act::Discount { line: 0, percent: 38 }, back(0, 3, false)]).tell().bodies;
    let [order, discounted, refund, _] = &bodies[..] else { panic!("{}", bodies.len()) };
    let mut world = world();
    world.merchant.rules.locked = LockedPolicy::NewInvoice;
    assert_eq!(world.take(&[order.clone(), refund.clone()]), Decision::Settled);
    world.luck = [Refused].into();
    let Decision::Hold(holds) = world.after(discounted) else { panic!("goes on") };
    assert!(matches!(holds[..], [Hold::Locked { .. }]), "{holds:?}");
    assert_eq!(world.remote.len(), 2);
}

/// What was paid on it the life that is gone may know alone.
#[test]
fn a_locked_invoice_of_before_a_restore_makes_room_for_no_other() {
    let bodies = story(&[Act::Raise { line: 0, by: 1 }]).tell().bodies;
    for restored_at in [None, Some(crate::history::at(100))] {
        let mut world = world();
        world.merchant.rules.locked = LockedPolicy::NewInvoice;
        assert_eq!(world.after(&bodies[0]), Decision::Settled);
        world.ledger.look_first_before = restored_at;
        world.merchant.rules.payments.record = restored_at.is_some();
        world.luck = [Refused].into();
        let end = world.after(&bodies[1]);
        assert_eq!(matches!(end, Decision::Hold(_)), restored_at.is_some(), "{end:?}");
    }
}

/// Nothing was booked for the cancellation before the restore, and a person was to decide.
#[test]
fn looking_for_the_receipt_of_a_cancellation_decides_nothing() {
    let paid = story(&[Act::Cancel { record: false }]).tell();
    let shipped = Story { paid: false, ..story(&[Act::Fulfil, Act::Cancel { record: false }]) }.tell();
    for (told, hold) in [(paid, Hold::CancelledButPaid), (shipped, Hold::CancelledAfterShipping)] {
        let mut world = world();
        world.take(&told.bodies);
        assert_eq!(world.live(), Some(Decision::Hold(vec![hold.clone()])));
        world.ledger.look_first_before = Some(crate::history::at(100));
        assert_eq!(world.live(), Some(Decision::Hold(vec![hold])));
        assert_eq!(world.remote.len(), 1);
    }
}

/// A unit came back, and what was left was cancelled: the receipt of the cancellation takes what the first one left.
#[test]
fn receipts_of_a_life_that_is_gone_are_looked_for_in_the_order_in_which_they_were_made() {
    let told = Story { paid: false, ..story(&[back(0, 1, false), Act::Cancel { record: false }]) }.tell();
    let mut first = world();
    first.take(&told.bodies);
    assert_eq!((first.live(), first.remote.len()), (Some(Decision::Settled), 3));
    let mut second = world();
    assert_eq!(second.after(&told.bodies[0]), Decision::Settled);
    second.ledger.look_first_before = Some(crate::history::at(100));
    second.remote = first.remote.clone();
    told.bodies.iter().for_each(|body| second.deliver(body));
    assert_eq!(second.live(), Some(Decision::Settled));
    assert_eq!(second.remote, first.remote);
}

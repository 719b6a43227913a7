//! What follows an invoice, situation by situation: edits and what Daftra will not change, goods and money that come back,
//! cancellations, and all of that in books that were put back.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "decided/books.rs"]
mod books;
#[path = "common/make.rs"]
mod make;

use books::{Books, MUG, PRICE, TEA, at, refusal};
use qantara::domain::document::{Finding, State, Stock};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::{Billed, Source};
use qantara::domain::money::Amount;
use qantara::domain::order::{Adjustment, PaymentStatus, RefundShipping, Restock, Shipping, TransactionStatus};
use qantara::domain::plan::Decision;
use qantara::domain::reason::{Hold, Unmoved};
use qantara::domain::refund::Class;
use qantara::domain::rules::{LinePolicy, LockedPolicy, Vendor, Vendors};
use qantara::domain::ruling::Ruling;
use qantara::domain::trace;
use rust_decimal::Decimal;

use State::{Dropped, Gone, InDoubt, Planned, Posted, Refused};

const JAR: i64 = 3;

fn holds(books: &Books) -> Vec<Hold> {
    let Decision::Hold(holds) = books.plan() else { panic!("{}", books.told()) };
    holds
}

/// One tea came back, and its receipt takes back these parts: units, amount and tax.
fn taking(parts: &[(Source, i64, i64, i64)]) -> Books {
    Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt").with(|books| {
        let Draft::RefundReceipt(receipt) = &mut books.document(2).content else { panic!("no receipt") };
        let first = receipt.billed[0].clone();
        let part = |(source, units, net, tax): &(Source, i64, i64, i64)| {
            let title = format!("Back of {source}");
            Billed { source: *source, title, units: *units, net: Amount(*net), tax: Amount(*tax), ..first.clone() }
        };
        receipt.billed = parts.iter().map(part).collect();
    })
}

#[test]
fn an_edit_that_empties_the_invoice_is_taken_back() {
    let first = Books::invoiced().edit(8, &[(TEA, 2)]).does("replace 1 10000 8=Edit");
    let emptied = first.edit(9, &[(MUG, 1)]);
    assert_eq!(emptied.told(), "create refund/9 10000 9=Receipt", "an earlier edit stays one");
    let with_stranger = emptied.record(7, &[(77, 1)], Restock::Return, PRICE);
    assert_eq!(with_stranger.told(), "7 is NotOurs");
    let not_written = Books::invoiced().edit(8, &[(TEA, 2)]).class(8, Class::Edit);
    assert_eq!(not_written.edit(9, &[(MUG, 1)]).told(), "replace 1 10000", "what is to be written is not empty");
    let already = Books::invoiced().edit(8, &[(TEA, 2), (MUG, 1)]).class(8, Class::Edit);
    assert_eq!(already.told(), "hold: amounts_do_not_add_up", "nothing is left that a receipt could take back");
}

#[test]
fn an_edit_is_checked_before_it_is_written() {
    assert_eq!(Books::invoiced().add(JAR, "POT", 1).told(), r#"find ["pot"]"#);
    let lost = |books: Books| books.with(|books| books.line(MUG).current_quantity = Some(0)).told();
    assert_eq!(lost(Books::invoiced().add(JAR, "JAR", 1)), "hold: quantities_differ");
    let back = Books::invoiced().back(9, &[(TEA, 2)]).does("create refund/9 20000 9=Receipt");
    let overdrawn = back.edit(8, &[(TEA, 1)]);
    assert_eq!(overdrawn.told(), "hold: overdrawn");
    assert_eq!(lost(overdrawn), "hold: quantities_differ", "sums that rest on wrong units say nothing");
    let wrong = Books::invoiced().add(JAR, "JAR", 1).with(|books| books.order.snapshot.total_price += Amount(5_000));
    assert_eq!(wrong.told(), "hold: amounts_do_not_add_up");
}

#[test]
fn lines_that_change_nothing_are_noted_on_an_invoice_that_can_be_changed() {
    let gift = Books::invoiced().add(JAR, "JAR", 1).with(|books| {
        books.merchant.rules.gift_card = LinePolicy::Skip;
        books.line(JAR).gift_card = true;
    });
    assert_eq!(gift.clone().does("note 1").told(), "settled");
    assert_eq!(gift.locked(1).told(), "settled");
}

#[test]
fn a_locked_invoice_makes_room_if_everything_on_it_can_be_carried_over() {
    fn locked(change: impl FnOnce(&mut Books)) -> String {
        Books::invoiced().add(JAR, "JAR", 1).locked(1).with(change).told()
    }
    let makes_room = "create reversal/1 30000";
    assert_eq!(locked(|_| ()), makes_room);
    assert_eq!(locked(|books| books.merchant.rules.locked = LockedPolicy::Hold), "hold: locked");
    let complaint = |books: &mut Books| {
        let fields = vec![("client_id".to_owned(), "unknown".to_owned())];
        books.document(1).refusal.as_mut().unwrap().fields = fields;
    };
    assert_eq!(locked(complaint), "hold: locked");
    assert_eq!(locked(|books| *books = books.clone().cancelled(10)), "hold: locked");
    // Money of ours, or of the life that is gone, would stay on it.
    assert_eq!(locked(|books| *books = books.clone().payment(1, 900, 30_000)), "hold: locked");
    assert_eq!(locked(|books| *books = books.clone().payment(1, 900, 30_000).is(2, Planned)), makes_room);
    let restored = |books: &mut Books, minute| {
        books.merchant.rules.payments.record = true;
        books.ledger.look_first_before = Some(at(minute));
    };
    assert_eq!(locked(|books| restored(books, 500)), "hold: locked");
    assert_eq!(locked(|books| restored(books, 0)), makes_room);
    assert_eq!(locked(|books| restored(books, -1)), makes_room);
    let unpaid = |books: &mut Books| books.ledger.look_first_before = Some(at(500));
    assert_eq!(locked(unpaid), "look for reversal/1 30000 at 1000");

    let after = |parts: &[(Source, i64, i64, i64)]| taking(parts).add(JAR, "JAR", 1).locked(1).told();
    assert_eq!(after(&[(Source::Line(TEA), 1, 10_000, 0)]), "create reversal/1 20000");
    assert_eq!(after(&[(Source::Line(TEA), 2, 20_000, 0)]), "create reversal/1 10000");
    assert_eq!(after(&[(Source::Line(TEA), 2, 19_000, 0)]), "hold: locked", "money is left of goods that are back");
    assert_eq!(after(&[(Source::Line(TEA), 2, 20_000, -5)]), "hold: locked");
    assert_eq!(after(&[(Source::Line(TEA), 2, 19_000, -5)]), "hold: locked");
    assert_eq!(after(&[(Source::Line(TEA), 1, 10_000, 0), (Source::Money(9), 1, 500, 0)]), "hold: locked");
    let shipped = Books::new().with(|books| {
        let (title, price, discount) = ("Courier".into(), Amount(1_000), Amount::ZERO);
        books.order.snapshot.shipping.push(Shipping { id: 6, title, price, discount, taxes: Vec::new() });
        books.order.snapshot.total_price += price;
    });
    let free = shipped.does("create order 31000").record(9, &[], Restock::Cancel, 1_000).with(|books| {
        let part = RefundShipping { shipping_id: 6, subtotal: Amount(1_000), tax: Amount::ZERO };
        books.refund(9).shipping.push(part);
    });
    let free = free.does("create refund/9 1000 9=Receipt").add(JAR, "JAR", 1).locked(1);
    assert_eq!(free.told(), "hold: locked", "the new invoice would bill the shipping again");
    let all = [(Source::Line(TEA), 2, 20_000, 0), (Source::Line(MUG), 1, 10_000, 0)];
    assert_eq!(after(&all), "reverse 1", "nothing is left to take back");
}

#[test]
fn a_reversal_that_was_not_sent_is_given_up_when_the_shop_takes_the_edit_back() {
    let reversal = |state| {
        let before = Books::invoiced();
        let mut books = before.clone().add(JAR, "JAR", 1).locked(1).does("create reversal/1 30000").is(2, state);
        books.order = before.order;
        books.document(2).refusal = Some(refusal());
        books.told()
    };
    assert_eq!(reversal(Planned), "drop 2");
    assert_eq!(reversal(Refused), "drop 2");
    assert_eq!(reversal(Dropped), "settled");
    assert_eq!(reversal(Posted), "reverse 1", "once it exists the invoice is even with it");
}

#[test]
fn an_invoice_is_settled_when_its_goods_moved_or_came_back() {
    let pending = Books::invoiced().with(|books| {
        books.document(1).stock = Some(Stock::Pending { why: [Unmoved::Requisition].into() });
        books.document(1).verified_at = Some(at(990));
    });
    assert_eq!(pending.told(), "wait: stock_pending until 1050");
    // Daftra will not take an edit any more, and nothing is left to edit: the stock is asked for all the same.
    let locked = pending.clone().locked(1);
    assert_eq!(locked.told(), "wait: stock_pending until 1050");
    let due = locked.with(|books| books.document(1).verified_at = Some(at(930)));
    assert_eq!(due.told(), "verify 1");
    let paid = due.clone().with(|books| {
        books.document(1).finding = Some(Finding::PaidByOthers { payments: [31].into() });
    });
    assert_eq!(paid.told(), "verify 1", "whoever paid on it");
    let is_missing = |misses, look: i64| {
        due.clone().with(|books| {
            (books.document(1).misses, books.document(1).look_at) = (misses, Some(at(look)));
        })
    };
    assert_eq!(is_missing(1, 1_010).told(), "wait: looking_again until 1010");
    assert_eq!(is_missing(1, 1_000).told(), "verify 1", "whether it is gone is seen twice");
    let most = pending.back(9, &[(TEA, 2)]).does("create refund/9 20000 9=Receipt");
    assert_eq!(most.told(), "wait: stock_pending until 1050", "one is still to move");
    let all = most.back(10, &[(MUG, 1)]).does("create refund/10 10000 10=Receipt");
    assert_eq!(all.told(), "settled");
}

#[test]
fn goods_given_for_others_are_shown_to_a_person() {
    let named = |lines: &[i64], books: Books| {
        books.with(|books| books.order.snapshot.exchanged = Some(lines.iter().copied().collect()))
    };
    let given = |back: &[(&str, i64)], given: &[(&str, i64)]| {
        let side = |side: &[(&str, i64)]| side.iter().map(|(title, units)| ((*title).to_owned(), *units)).collect();
        vec![Hold::Exchange { back: side(back), given: side(given) }]
    };
    let back = || Books::invoiced().back(9, &[(TEA, 1)]);
    let both = back().add(JAR, "JAR", 1);
    let tea_for_jar = given(&[("Thing 1", 1)], &[("Thing 3", 1)]);
    assert_eq!(holds(&named(&[JAR], both.clone())), tea_for_jar);
    assert_eq!(holds(&named(&[], both.clone())), tea_for_jar, "what is new was given");
    let mug = Books::invoiced().back(9, &[(MUG, 1)]).add(JAR, "JAR", 1);
    assert_eq!(holds(&named(&[JAR], mug)), given(&[("Thing 2", 1)], &[("Thing 3", 1)]));
    let cancelled = both.clone().record(10, &[(MUG, 1)], Restock::Cancel, PRICE);
    assert_eq!(holds(&named(&[JAR], cancelled)), tea_for_jar, "what never left did not come back");
    let more = both.clone().add(4, "JAR", 2);
    assert_eq!(holds(&named(&[JAR], more)), tea_for_jar, "what is not named was bought");
    let with_stranger = both.with(|books| {
        let mut other = books.refund(9).lines[0].clone();
        other.line_id = 77;
        books.refund(9).lines.push(other);
    });
    assert_eq!(holds(&named(&[JAR], with_stranger)), tea_for_jar, "what is not ours is no part of it");

    // What was booked of it is no question any more.
    let received = back().does("create refund/9 10000 9=Receipt");
    let nothing_new = received.clone();
    assert_eq!(named(&[MUG], nothing_new).told(), "settled");
    let not_sent = received.clone().is(2, Planned);
    assert_eq!(holds(&named(&[MUG], not_sent)), given(&[("Thing 1", 1)], &[("Thing 2", 1)]), "the return is open");
    assert_eq!(holds(&named(&[], back())), given(&[("Thing 1", 1)], &[]), "what was given is not told yet");
    assert_eq!(holds(&named(&[JAR], received.clone().add(JAR, "JAR", 1))), tea_for_jar, "the jar is open");
    let skipped = received.add(JAR, "JAR", 1).with(|books| {
        books.merchant.rules.gift_card = LinePolicy::Skip;
        books.line(JAR).gift_card = true;
    });
    assert_eq!(named(&[JAR], skipped).told(), "note 1", "what the rules leave out is never booked");
    let no_return = Books::invoiced().record(9, &[(TEA, 1)], Restock::Cancel, PRICE);
    assert_eq!(named(&[MUG], no_return).told(), "create refund/9 10000 9=Receipt");
}

#[test]
fn receipts_never_take_back_more_than_there_was() {
    let of = |parts: &[(Source, i64, i64, i64)]| taking(parts);
    let overdrawn = |source: Source, units, net, tax| {
        let (line, net, tax) = (format!("Back of {source}"), Amount(net), Amount(tax));
        vec![Hold::Overdrawn { line, units, net, tax }]
    };
    let (tea, mug) = (Source::Line(TEA), Source::Line(MUG));
    assert_eq!(of(&[(tea, 2, 20_000, 0)]).told(), "settled");
    assert_eq!(holds(&of(&[(tea, 3, 20_000, 0)])), overdrawn(tea, -1, 0, 0));
    assert_eq!(holds(&of(&[(tea, 2, 20_001, 0)])), overdrawn(tea, 0, -1, 0));
    assert_eq!(holds(&of(&[(tea, 2, 20_000, 1)])), overdrawn(tea, 0, 0, -1));
    assert_eq!(holds(&of(&[(tea, 1, 10_000, 0), (mug, 2, 10_000, 0)])), overdrawn(mug, -1, 0, 0));
    // Money for no goods counts against the whole.
    let money = |minor| of(&[(tea, 2, 20_000, 0), (Source::Money(9), 1, minor, 0)]);
    assert_eq!(money(10_000).told(), "settled");
    assert_eq!(holds(&money(10_001)), overdrawn(Source::Money(9), -1, -10_001, 0));
}

#[test]
fn a_receipt_that_is_there_is_one_for_ever() {
    let looked_for = Books::invoiced().edit(9, &[(TEA, 1)]).restored(500).does("look for refund/9 10000 at 1000");
    let found = looked_for.clone().is(2, Posted);
    assert_eq!(found.told(), "9 is Receipt");
    assert_eq!(found.does("9 is Receipt").told(), "settled");
    assert_eq!(looked_for.is(2, Dropped).told(), "replace 1 20000 9=Edit");

    // Deleted on purpose: whatever the rules say since, it is not asked for again.
    let kindness = Books::invoiced().paid(30_000).record(9, &[], Restock::Cancel, 500);
    let deleted = kindness.does("create refund/9 500 9=Receipt").is(2, Gone).with(|books| {
        books.ledger.rulings.insert(Ruling::Leave { document: 2 });
        books.merchant.rules.goodwill = LinePolicy::Hold;
    });
    assert_eq!(deleted.told(), "settled");
}

#[test]
fn receipts_of_another_life_are_looked_for_in_their_order() {
    let ended = Books::invoiced().back(9, &[(TEA, 1)]).back(11, &[(MUG, 1)]).restored(500);
    let cancelled = ended.clone().cancelled(110);
    let first = cancelled.does("look for refund/9 10000 at 1000").is(2, Dropped);
    let second = first.clone().does("look for cancel 30000 at 1000").is(3, Dropped);
    assert_eq!(second.does("look for refund/11 10000 at 1000").is(4, Dropped).told(), "recover 2");
    let found = first.is(2, Posted);
    let rest = found.does("look for cancel 20000 at 1000").is(3, Posted);
    assert_eq!(rest.told(), "11 is Covered, 9 is Receipt");
    assert_eq!(ended.clone().cancelled(109).told(), "look for cancel 30000 at 1000", "the same moment is no earlier");
    let in_turn = ended.does("look for refund/9 10000 at 1000").is(2, Dropped);
    assert_eq!(in_turn.told(), "look for refund/11 10000 at 1000");

    let decided = Books::invoiced().edit(9, &[(TEA, 1)]).does("replace 1 20000 9=Edit").restored(500);
    assert_eq!(decided.told(), "settled", "what was decided is known");
    let stranger = Books::invoiced().record(9, &[(77, 1)], Restock::Return, PRICE).restored(500);
    assert_eq!(stranger.told(), "9 is NotOurs");
    let generous = Books::invoiced().record(9, &[(77, 1)], Restock::Return, 500).restored(500).with(|books| {
        let (amount, tax) = (Amount(-500), Amount::ZERO);
        books.refund(9).adjustments.push(Adjustment { is_shipping: false, amount, tax });
    });
    assert_eq!(generous.told(), "9 is NotOurs", "nor is the money beside it");
    let held = Books::invoiced().record(9, &[], Restock::Cancel, 500).restored(500);
    assert_eq!(held.told(), "look for refund/9 500 at 1000", "what holds now may not have held then");
    let impossible = Books::invoiced().back(9, &[(TEA, 3)]).restored(500);
    assert_eq!(impossible.told(), "hold: refund_exceeds", "no life can have made that");
}

#[test]
fn nothing_that_is_all_back_is_cancelled_again() {
    let tea = Books::invoiced().back(9, &[(TEA, 2)]).does("create refund/9 20000 9=Receipt");
    let one_left = tea.cancelled(10);
    assert_eq!(one_left.told(), "create cancel 10000");
    assert_eq!(one_left.clone().restored(50).told(), "look for cancel 10000 at 1000");
    let all = one_left.clone().back(10, &[(MUG, 1)]).does("create refund/10 10000 10=Receipt");
    assert_eq!(all.told(), "settled");
    assert_eq!(all.restored(50).told(), "settled");
    // Records came while Daftra could not take it.
    let late = |state| {
        let tried = one_left.clone().does("create cancel 10000").is(3, state);
        let late = tried.back(10, &[(MUG, 1)]).does("create refund/10 10000 10=Receipt");
        late.with(|books| books.document(3).refusal = Some(refusal())).told()
    };
    assert_eq!(late(Planned), "drop 3");
    assert_eq!(late(Refused), "drop 3");
    assert_eq!(late(Dropped), "settled");
    let deleted = one_left.does("create cancel 10000").is(3, Gone).ruled(Ruling::Leave { document: 3 });
    assert_eq!(deleted.told(), "settled", "a person deleted it on purpose");
}

#[test]
fn what_was_only_looked_for_was_never_decided() {
    let paid = Books::invoiced().paid(30_000).cancelled(990);
    let waits = "wait: cancel_record until 1005";
    assert_eq!(paid.told(), waits);
    let tried = |state, unknown_sends| {
        let sent = Books::invoiced().cancelled(10).does("create cancel 30000").is(2, state).with(|books| {
            books.document(2).unknown_sends = unknown_sends;
        });
        sent.paid(30_000).cancelled(990)
    };
    assert_eq!(tried(Dropped, 0).told(), waits);
    assert_eq!(tried(Planned, 0).told(), waits);
    assert_eq!(tried(Planned, 1).told(), "create cancel 30000", "it was sent once, and surely is not there");
    assert_eq!(tried(Dropped, 1).told(), "want 2");
    let kind = tried(Planned, 1).record(9, &[], Restock::Cancel, 500).class(9, Class::Receipt);
    assert_eq!(kind.told(), "create refund/9 500");
    assert_eq!(kind.does("create refund/9 500").told(), "hold: cancelled_but_paid", "of which goods, nobody says");
    let said =
        Books::invoiced().cancelled(10).with(|books| books.order.snapshot.payment = PaymentStatus::PartiallyPaid);
    assert_eq!(said.told(), "hold: cancelled_but_paid", "by the shop's word");
    let later = |books: Books| books.with(|books| books.now = at(1_005)).told();
    assert_eq!(later(tried(Dropped, 0)), "hold: cancelled_but_paid");
    let refused = tried(Refused, 0).with(|books| books.document(2).refusal = Some(refusal()));
    assert_eq!(refused.told(), "hold: refused");
}

/// Goods and a kindness beside them, or the kindness alone: what was paid too much before is told by no document.
#[test]
fn money_beside_the_goods_is_weighed_against_what_was_paid() {
    let beside = |received, minor: i64| {
        Books::invoiced().paid(received).record(9, &[(TEA, 1)], Restock::Return, PRICE + minor).with(|books| {
            let (amount, tax) = (Amount(-minor), Amount::ZERO);
            books.refund(9).adjustments.push(Adjustment { is_shipping: false, amount, tax });
        })
    };
    let plain = "create refund/9 10000 9=Receipt";
    assert_eq!(beside(30_500, 500).told(), plain, "it was paid too much");
    assert_eq!(beside(30_000, 500).told(), "create refund/9 10500 9=Receipt", "a kindness is a row of its own");
    assert_eq!(beside(30_200, 500).told(), "hold: refund_part", "some of both");
    let share = beside(30_500, 500).with(|books| books.order.snapshot.total_price += Amount(5_000));
    assert_eq!(share.told(), "hold: refund_part", "part of the order is no business of ours");
    let untold = beside(30_500, 500).with(|books| books.order.facts.transactions.clear());
    assert_eq!(untold.told(), "hold: refund_part", "nobody told of the money");
    let left_out = |books: Books| books.with(|books| books.merchant.rules.goodwill = LinePolicy::Skip).told();
    assert_eq!(left_out(beside(30_200, 500)), plain, "a kindness that the rules leave out, whatever was paid");
    assert_eq!(left_out(Books::invoiced().paid(30_000).back(9, &[(TEA, 1)])), plain, "goods are never left out");
    let shifted = beside(30_000, 0).with(|books| books.refund(9).adjustments[0].amount = Amount(-5));
    let shifted = shifted.with(|books| books.refund(9).adjustments[0].tax = Amount(5));
    assert_eq!(shifted.told(), "hold: refund_part", "nothing in sum, and still not nothing");
    // All goods back, their whole worth kept, and a refund of nothing: what was paid is still untold.
    let kept = Books::invoiced().record(9, &[(TEA, 2), (MUG, 1)], Restock::Return, 1).with(|books| {
        let (amount, tax) = (Amount(30_000), Amount::ZERO);
        books.refund(9).adjustments.push(Adjustment { is_shipping: false, amount, tax });
        books.refund(9).transactions.get_mut(&9).unwrap().amount = Decimal::ZERO;
    });
    assert_eq!(kept.told(), "hold: refund_part");
}

#[test]
fn what_other_records_gave_back_counts_once_it_is_booked() {
    let kind = |books: Books| books.record(9, &[], Restock::Cancel, 500);
    let even = "create refund/9 500 9=Receipt";
    assert_eq!(kind(Books::invoiced().paid(30_000)).told(), even);
    let after_receipt = Books::invoiced().paid(30_000).back(8, &[(TEA, 1)]).does("create refund/8 10000 8=Receipt");
    assert_eq!(kind(after_receipt.clone()).told(), even);
    let not_there = after_receipt.is(2, Refused).with(|books| books.document(2).refusal = Some(refusal()));
    assert_eq!(kind(not_there).told(), even, "neither its money nor its goods");
    for class in [Class::Absorbed, Class::Edit, Class::Covered, Class::NotOurs] {
        let other = Books::invoiced().paid(30_700).record(7, &[], Restock::Cancel, 700);
        let booked = other.class(7, class);
        assert_eq!(kind(booked).told(), even, "{class:?}");
    }
    let two = kind(Books::invoiced().paid(30_000)).record(10, &[], Restock::Cancel, 300);
    assert_eq!(two.told(), even, "one after the other");
    assert_eq!(two.does(even).told(), "create refund/10 300 10=Receipt");
    let skipped = kind(Books::invoiced().paid(30_000)).with(|books| books.merchant.rules.goodwill = LinePolicy::Skip);
    assert_eq!(skipped.told(), "9 is Covered");
    let share = Books::new().with(|books| {
        books.merchant.rules.goodwill = LinePolicy::Skip;
        books.merchant.rules.vendors = Vendors::Only([Vendor::new("Nour")].into());
        books.line(MUG).vendor = "Wadi".into();
    });
    assert_eq!(kind(share.does("create order 20000")).told(), "9 is NotOurs", "it need not be about us");
    let on_its_way = kind(Books::invoiced().paid(30_000)).with(|books| {
        books.refund(9).transactions.get_mut(&9).unwrap().status = TransactionStatus::Pending;
    });
    assert_eq!(on_its_way.told(), "wait: money_under_way");
}

#[test]
fn an_invoice_is_read_back_before_anything_after_a_restore() {
    let of =
        |books: Books, minute: i64| books.restored(50).with(|books| books.document(1).verified_at = Some(at(minute)));
    assert_eq!(of(Books::invoiced(), 49).told(), "verify 1", "another life may have edited it");
    assert_eq!(of(Books::invoiced(), 50).told(), "settled");
    let set_back = of(Books::invoiced(), 49).with(|books| books.now = at(49));
    assert_eq!(set_back.told(), "settled", "it would be read again and again");
    let receipt = of(Books::invoiced().back(9, &[(TEA, 1)]), 50).does("create refund/9 10000 9=Receipt");
    let old = receipt.with(|books| books.document(2).verified_at = Some(at(49)));
    assert_eq!(old.told(), "settled", "nobody edits a receipt");

    let read = |minute| of(Books::invoiced().back(9, &[(TEA, 1)]), minute);
    let makes = "create refund/9 10000 9=Receipt";
    assert_eq!(read(49).told(), "verify 1");
    assert_eq!(read(50).told(), makes);
    assert_eq!(read(49).locked(1).told(), makes, "what is locked nobody edited");
    let second = read(50).does(makes).back(10, &[(MUG, 1)]).with(|books| {
        books.document(1).verified_at = Some(at(49));
        books.document(2).verified_at = Some(at(60));
        books.ledger.documents.reverse();
    });
    assert_eq!(second.told(), "verify 1");
}

#[test]
fn payments_are_made_when_the_documents_are_through() {
    let paid = Books::invoiced().recording().paid(30_000);
    let makes = "create transaction/900 30000 bank";
    assert_eq!(paid.told(), makes);
    let pending = paid.clone().with(|books| {
        books.document(1).stock = Some(Stock::Pending { why: [Unmoved::Requisition].into() });
        books.document(1).verified_at = Some(at(990));
    });
    assert_eq!(pending.told(), makes, "money does not wait for goods");
    let held = paid.clone().with(|books| books.line(TEA).current_quantity = Some(1));
    assert_eq!(held.told(), "hold: quantities_differ");
    let from = |minute| paid.clone().with(|books| books.merchant.rules.payments.from = Some(at(minute))).told();
    assert_eq!((from(0).as_str(), from(1).as_str()), (makes, "settled"), "older money was booked by hand");
    let tells_of_money = |books: &Books| trace::money(&books.plan_and_trace().1).is_some();
    assert!(tells_of_money(&paid));
    let ignored = Books::new().recording().paid(30_000).cancelled(10);
    assert!(!tells_of_money(&ignored), "the money of what is no business of ours is none either");
}

#[test]
fn no_trouble_of_a_payment_holds_up_a_document() {
    let troubled = Books::invoiced().recording().paid(30_000).payment(1, 900, 30_000).with(|books| {
        books.document(2).finding = Some(Finding::ChangedByHand { differences: Vec::new() });
    });
    assert_eq!(troubled.told(), "hold: changed_by_hand");
    assert_eq!(troubled.clone().edit(9, &[(TEA, 1)]).told(), "replace 1 20000 9=Edit");
    let both = troubled.clone().with(|books| books.line(TEA).current_quantity = Some(1));
    assert_eq!(both.told(), "hold: quantities_differ, changed_by_hand", "every reason at once");
    assert_eq!(troubled.ahead(9, &[(77, 1)], Restock::Return, 0).told(), "wait: order_behind");
    let receipt = Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt");
    assert_eq!(receipt.is(2, Gone).told(), "hold: gone", "and each reason once");
}

#[test]
fn a_payment_is_looked_for_where_its_document_is() {
    let doubt = |books: Books| books.payment(1, 900, 30_000).is(2, InDoubt);
    assert_eq!(doubt(Books::invoiced()).told(), "resolve 2 wanted");
    assert_eq!(doubt(Books::invoiced()).locked(1).told(), "resolve 2 wanted");
    assert_eq!(doubt(Books::invoiced()).is(1, Gone).told(), "hold: gone", "nobody can say what was paid on it");
    let later = |books: Books| books.with(|books| books.document(1).look_at = Some(at(1_001)));
    assert_eq!(later(doubt(Books::invoiced()).is(1, InDoubt)).told(), "wait: settling until 1001");
    let missed = later(doubt(Books::invoiced())).with(|books| books.document(1).misses = 1);
    assert_eq!(missed.told(), "wait: looking_again until 1001");
    let two = doubt(Books::invoiced()).payment(1, 901, 500).is(3, InDoubt);
    assert_eq!(two.told(), "resolve 2 wanted; resolve 3 wanted");
    assert_eq!(two.with(|books| books.ledger.documents.reverse()).told(), "resolve 2 wanted; resolve 3 wanted");
    let on_receipt = Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt");
    let on_receipt = on_receipt.payment(2, 9, 10_000).is(3, InDoubt);
    assert_eq!(on_receipt.told(), "resolve 3 wanted");
    let receipt_in_doubt = on_receipt.is(2, InDoubt).with(|books| books.document(2).look_at = Some(at(1_001)));
    assert_eq!(receipt_in_doubt.told(), "wait: settling until 1001");
}

#[test]
fn a_payment_is_read_back_after_its_document_was_written() {
    let written = |books: Books, id, minute| {
        books.with(|books| {
            (books.document(id).since_at, books.document(id).verified_at) = (at(minute), Some(at(minute)));
        })
    };
    let paid = Books::invoiced().payment(1, 900, 30_000);
    let seen = written(paid, 2, 60);
    assert_eq!(written(seen.clone(), 1, 60).told(), "settled");
    assert_eq!(written(seen.clone(), 1, 61).told(), "verify 2", "a PUT may take payments along");
    assert_eq!(written(seen, 1, 61).is(2, Planned).told(), "settled", "what is there, that is");
    let receipt = Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt");
    assert_eq!(written(receipt.clone(), 1, 61).told(), "settled", "and no receipts");
    let on_receipt = written(receipt.payment(2, 9, 10_000), 3, 60);
    assert_eq!(written(on_receipt.clone(), 1, 61).told(), "settled", "it is on another document");
    assert_eq!(written(on_receipt, 2, 61).told(), "verify 3");
}

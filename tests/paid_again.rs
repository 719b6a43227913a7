//! Payments that went with a PUT, that another life of the books may have made, or that stand for transactions told of
//! later: what is sent again, looked for, adopted or given up.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "decided/books.rs"]
mod books;
#[path = "common/make.rs"]
mod make;

use books::{Books, MUG, TEA, at, refusal};
use qantara::domain::document::{Document, Finding, State};
use qantara::domain::draft::Draft;
use qantara::domain::money::Amount;
use qantara::domain::order::{PaymentStatus, Restock, TransactionStatus};
use qantara::domain::payment::Cause;
use qantara::domain::reason::{Difference, DifferenceKind};
use qantara::domain::refund::Class;
use qantara::domain::rules::{GatewayRule, LinePolicy};
use qantara::domain::ruling::Ruling;

use State::{Dropped, Gone, InDoubt, Planned, Posted, Refused};

/// The second document is a payment that was there and went with a PUT.
fn lost(books: Books, state: State) -> Books {
    books.is(2, state).with(|books| {
        books.document(2).refusal = (state == Refused).then(refusal);
        let Draft::Payment(payment) = &mut books.document(2).content else { panic!("no payment") };
        (payment.lost, payment.method) = (true, "old".into());
        let other = GatewayRule { method: "old".into(), treasury_id: None };
        books.merchant.rules.payments.gateways.insert("other".into(), other);
    })
}

#[test]
fn what_went_with_a_put_comes_back_as_it_was() {
    let invoiced = || Books::invoiced().recording();
    let told_of = lost(invoiced().paid(30_000).payment(1, 900, 29_000), Planned);
    assert_eq!(told_of.told(), "create transaction/900 29000 old", "whatever the shop says since");
    let untold = lost(invoiced().payment(1, 900, 29_000), Planned);
    assert_eq!(untold.told(), "create transaction/900 29000 old");
    let word = |books: Books| books.with(|books| books.order.snapshot.payment = PaymentStatus::Paid);
    let whole = lost(word(invoiced()).payment(1, 900, 30_000), Planned);
    assert_eq!(whole.told(), "create transaction/900 30000 old", "nothing is open beside it");
    let part = lost(word(invoiced()).payment_of(1, Cause::Paid(1), 20_000, &[]), Planned);
    assert_eq!(part.told(), "create paid 20000 old; create paid/2 10000 bank");
    assert_eq!(lost(invoiced().paid(30_000).payment(1, 900, 30_000), Posted).told(), "settled", "it is back");
    let refused = lost(invoiced().payment(1, 900, 30_000), Refused);
    assert_eq!(refused.told(), "hold: refused");
    // The merchant named another method, and a person says that it is tried again.
    let mended = refused.is(2, Planned).with(|books| {
        books.merchant.rules.payments.gateways.remove("other");
    });
    assert_eq!(mended.told(), "create transaction/900 30000 bank");

    let maybe_sent = word(invoiced()).payment_of(1, Cause::Paid(1), 10_000, &[]);
    let maybe_sent = lost(maybe_sent, Planned).with(|books| books.document(2).unknown_sends = 1);
    assert_eq!(maybe_sent.told(), "create paid 10000 old; create paid/2 20000 bank", "once");
    let anew = untold.is(1, Gone).ruled(Ruling::NewInvoice { document: 1 }).does("create order/2 30000");
    assert_eq!(anew.told(), "create transaction/900 29000 old on 3", "on the invoice that is there");
    let anew = |minor| {
        let refused = lost(word(invoiced()).payment_of(1, Cause::Paid(1), minor, &[]), Refused);
        refused.is(1, Gone).ruled(Ruling::NewInvoice { document: 1 }).does("create order/2 30000").told()
    };
    assert_eq!(anew(30_000), "hold: refused", "where it will be nothing is open beside it");
    assert_eq!(anew(29_000), "create paid/2 1000 bank on 3");
}

/// The payments of a sale and of what went back of it, on invoice and receipt. Both went, and are to come back.
fn both_lost(refunds: bool) -> Books {
    let paid = Books::invoiced().recording().paid(30_000).payment(1, 900, 30_000).back(9, &[(TEA, 1)]);
    let paid = paid.does("create refund/9 10000 9=Receipt").payment(3, 9, 10_000).is(2, Planned).is(4, Planned);
    paid.with(|books| {
        books.merchant.rules.payments.refunds = refunds;
        for id in [2, 4] {
            let Draft::Payment(payment) = &mut books.document(id).content else { panic!("no payment") };
            payment.lost = true;
        }
    })
}

/// A payment on a receipt is money paid out. On the invoice it would be money received.
#[test]
fn money_paid_out_on_a_receipt_that_is_gone_does_not_come_back_as_money_received() {
    let deleted = |books: Books| books.is(3, Gone).ruled(Ruling::Leave { document: 3 });
    let on_both = "create transaction/900 30000 bank; create transaction/9 10000 bank on 3";
    assert_eq!(both_lost(true).told(), on_both, "while the receipt is there");
    assert_eq!(both_lost(false).told(), on_both, "whatever the rules say since");
    let gone = deleted(both_lost(true));
    assert_eq!(gone.told(), "create transaction/900 30000 bank; create transaction/9 -10000 bank");
    let back = gone.is(2, Posted);
    assert_eq!(back.told(), "create transaction/9 -10000 bank");
    assert_eq!(back.does("create transaction/9 -10000 bank").told(), "settled");
    // Its money never came by our books: there was nothing to give back.
    let never_came = deleted(both_lost(true)).is(2, Dropped).with(|books| books.order.facts.transactions.clear());
    assert_eq!(never_came.told(), "drop 4");
    // Payments that go back are not recorded any more: a person books it, once the money that came is there.
    let by_hand = deleted(both_lost(false));
    assert_eq!(by_hand.told(), "create transaction/900 30000 bank");
    assert_eq!(by_hand.is(2, Posted).told(), "hold: pay_back_by_hand");
}

/// A transaction brought 200.00 more than its payment, for the shop's word had them. The word's payment went with the
/// invoice it was on; the other one comes back on the next.
#[test]
fn what_the_word_held_comes_back_where_only_the_rest_of_its_transaction_does() {
    let word = Books::invoiced().recording().payment_of(1, Cause::Paid(1), 20_000, &[]).sale(60, 30_000);
    let rest = word.does("create transaction/60 10000 bank").is(3, Planned).is(1, Gone).with(|books| {
        let Draft::Payment(payment) = &mut books.document(3).content else { panic!("no payment") };
        payment.lost = true;
    });
    let anew = rest.ruled(Ruling::NewInvoice { document: 1 }).does("create order/2 30000");
    let both = "create transaction/60 10000 bank on 4; create paid/2 20000 bank on 4";
    assert_eq!(anew.told(), both);
    let shared = anew.clone().with(|books| {
        books.order.snapshot.total_price = Amount(60_000);
        books.order.snapshot.duties = Amount(30_000);
        books.merchant.rules.duty = LinePolicy::Skip;
    });
    assert_eq!(shared.told(), "create transaction/60 10000 bank on 4", "a share is paid when the order is");
    // What went back, and is told by its receipt, is no part of it: money that comes then is other money.
    let given = anew.is(3, Posted).with(|books| books.document(3).parent_id = Some(4)).back(9, &[(TEA, 1)]);
    let given = given.does("create refund/9 10000 9=Receipt").does("create paid/2 20000 bank on 4");
    assert_eq!(given.sale(61, 10_000).told(), "create transaction/61 10000 bank on 4");
}

/// The shop says "paid" and never tells of a transaction, while money is on its way back: it was received, and so it is
/// recorded; it is given back once it left.
#[test]
fn what_is_on_its_way_back_was_received() {
    let pending = |refunds| {
        let books = Books::invoiced().recording().back(9, &[(TEA, 1)]).with(|books| {
            books.order.snapshot.payment = PaymentStatus::Paid;
            books.merchant.rules.payments.refunds = refunds;
        });
        turns(books, TransactionStatus::Pending).does("create refund/9 10000 9=Receipt")
    };
    for (refunds, then) in [(true, "create transaction/9 10000 bank on 2"), (false, "settled")] {
        assert_eq!(pending(refunds).told(), "create paid 30000 bank");
        let paid = pending(refunds).does("create paid 30000 bank");
        assert_eq!(paid.told(), "settled", "it has not left");
        let left = turns(paid.clone(), TransactionStatus::Success).with(|books| {
            books.order.snapshot.payment = PaymentStatus::PartiallyRefunded;
        });
        assert_eq!(left.told(), then);
        assert_eq!(turns(paid.clone(), TransactionStatus::Success).told(), then, "though the body says what it said");
        assert_eq!(turns(paid.clone(), TransactionStatus::Failure).told(), "settled", "it stays with the merchant");
        assert_eq!(paid.sale(900, 30_000).told(), "adopt {900} by 3");
    }
    // It left before the payment was made: that is what the shop still has.
    let before = turns(pending(true), TransactionStatus::Success);
    assert_eq!(before.told(), "create paid 20000 bank");
    assert_eq!(before.does("create paid 20000 bank").told(), "settled");
    let edited = |class| pending(true).class(9, class).with(|books| books.ledger.documents.truncate(1));
    assert_eq!(edited(Class::Absorbed).told(), "replace 1 20000");
    let taken_off = edited(Class::Absorbed).does("replace 1 20000");
    assert_eq!(taken_off.told(), "create paid 30000 bank");
    // A receipt that a person deleted leaves the whole open.
    let deleted = pending(true).is(2, Gone).ruled(Ruling::Leave { document: 2 });
    assert_eq!(deleted.told(), "create paid 30000 bank");
}

/// The money of the record.
fn turns(books: Books, status: TransactionStatus) -> Books {
    books.with(|books| books.refund(9).transactions.get_mut(&9).unwrap().status = status)
}

/// Two payments, and the second one goes back with the goods before the invoice is made: it comes to nothing, also once the
/// first one is in the books and could have borne it.
#[test]
fn money_that_went_back_before_the_invoice_is_taken_off_what_was_not_sent() {
    let known = Books::new().recording().sale(900, 20_000).sale(901, 10_000).back(9, &[(TEA, 1)]);
    let invoiced = known.does("create order 20000 9=Absorbed");
    assert_eq!(invoiced.told(), "create transaction/900 20000 bank");
    assert_eq!(invoiced.payment(1, 900, 20_000).told(), "settled");
}

/// The transactions of an order come in any order. While less is known to have come in than went back before the invoice,
/// the one that is missing is waited for: a payment of the rest alone would have to be paid back by hand.
#[test]
fn money_that_went_back_before_the_invoice_waits_for_the_money_it_was() {
    for refunds in [true, false] {
        let known = Books::new().recording().sale(900, 5_000).back(9, &[(TEA, 1)]).with(|books| {
            books.merchant.rules.payments.refunds = refunds;
        });
        let invoiced = known.does("create order 20000 9=Absorbed");
        assert_eq!(invoiced.told(), "settled");
        let whole = invoiced.sale(901, 25_000);
        assert_eq!(whole.told(), "create transaction/900 5000 bank; create transaction/901 15000 bank");
        // All that went back is known to have come in, some of it is in the books: there is nothing more to wait for.
        let just = Books::new().recording().sale(900, 4_000).sale(901, 6_000).back(9, &[(TEA, 1)]).with(|books| {
            books.merchant.rules.payments.refunds = refunds;
        });
        let booked = just.does("create order 20000 9=Absorbed").payment(1, 900, 4_000);
        assert_eq!(booked.told(), "create transaction/901 6000 bank");
        assert_eq!(
            booked.payment(1, 901, 6_000).told(),
            if refunds { "create transaction/9 -10000 bank" } else { "hold: pay_back_by_hand" }
        );
    }
}

/// What another life of the database sent is looked for in full. Of its payment something had been taken off by then, and
/// nothing but that explains the rest.
#[test]
fn a_payment_found_to_be_less_had_the_money_taken_off_that_went_back() {
    let of = |known: Books, daftra: &str, minute| {
        let differs = Difference { what: DifferenceKind::Amount, ours: "300.00".into(), daftra: daftra.into() };
        known.payment(1, 900, 30_000).restored(minute).with(|books| {
            let payment = books.ledger.documents.last_mut().unwrap();
            (payment.finding, payment.total) = (Some(Finding::ChangedByHand { differences: vec![differs] }), None);
        })
    };
    let paid = || Books::new().recording().sale(900, 30_000);
    let found =
        |daftra: &str, minute| of(paid().back(9, &[(TEA, 1)]).does("create order 20000 9=Absorbed"), daftra, minute);
    let is_held = |books: &Books| books.told().starts_with("hold: changed_by_hand");
    assert_eq!(found("200", 950).told(), "2 is 20000 of {9, 900}");
    assert_eq!(found("200", 950).does("2 is 20000 of {9, 900}").told(), "settled");
    let seen_before = found("200", 950).with(|books| books.document(2).total = Some(Amount(30_000)));
    assert!(is_held(&seen_before), "a person took something off it since");
    let nothing = paid().record(9, &[], Restock::Cancel, 30_000).class(9, Class::Absorbed);
    assert!(is_held(&of(nothing.does("create order 30000"), "0", 950)), "it is not completed");
    for daftra in ["199.99", "200.01", "400", "300.5", "0.001", "none"] {
        assert!(is_held(&found(daftra, 950)), "{daftra}");
    }
    for minute in [30, 60] {
        assert!(is_held(&found("200", minute)), "no other life can have sent it");
    }
    let both = paid().back(9, &[(TEA, 1)]).back(10, &[(MUG, 1)]).does("create order 10000 9=Absorbed 10=Absorbed");
    assert_eq!(of(both.clone(), "200", 950).told(), "2 is 20000 of {9, 900}");
    assert_eq!(of(both.clone(), "100", 950).told(), "2 is 10000 of {9, 10, 900}");
    let and_later = both.clone().back(11, &[(TEA, 1)]).does("create refund/11 10000 11=Receipt");
    assert_eq!(of(and_later, "100", 950).told(), "3 is 10000 of {9, 10, 900}", "what no receipt tells of, first");
    let told = Books::invoiced().recording().sale(900, 30_000).back(9, &[(TEA, 1)]);
    let told = told.does("create refund/9 10000 9=Receipt");
    assert_eq!(of(told.clone(), "200", 950).told(), "3 is 20000 of {9, 900}", "it was not sent by then");
    let by_itself = told.with(|books| books.merchant.rules.payments.refunds = true).payment(2, 9, 10_000);
    assert!(is_held(&of(by_itself, "200", 950)), "it has a payment of its own");
    let known = found("200", 950);
    assert!(is_held(&known.clone().with(|books| books.ledger.look_first_before = None)));
    let otherwise = known.clone().with(|books| {
        let Some(Finding::ChangedByHand { differences }) = &mut books.document(2).finding else { panic!("no finding") };
        differences.push(Difference { what: DifferenceKind::Method, ours: "bank".into(), daftra: "cash".into() });
    });
    assert!(is_held(&otherwise));
    // Or it was sent for more than this life meant to send it for.
    let more = |daftra: &str, covers: &[i64]| {
        of(both.clone(), daftra, 950).with(|books| {
            let Draft::Payment(payment) = &mut books.document(2).content else { panic!("no payment") };
            (payment.amount, payment.covers) = (Amount(10_000), covers.iter().copied().collect());
        })
    };
    assert_eq!(more("200", &[9, 10, 900]).told(), "2 is 20000 of {10, 900}");
    assert_eq!(more("300", &[9, 10, 900]).told(), "2 is 30000 of {900}");
    assert!(is_held(&more("300", &[9, 900])), "there is no reason for so much");
    let told_already = known.with(|books| {
        let Draft::Payment(payment) = &mut books.document(2).content else { panic!("no payment") };
        payment.covers.insert(9);
    });
    assert!(is_held(&told_already));
}

#[test]
fn what_was_never_sent_and_is_not_wanted_is_given_up() {
    let planned = Books::invoiced().recording().payment(1, 900, 30_000).is(2, Planned);
    assert_eq!(planned.told(), "drop 2");
    assert_eq!(planned.restored(500).told(), "recover 2", "another life may have sent it");
    let unsure = Books::invoiced().recording().paid(30_000).payment(1, 900, 30_000).is(2, Planned);
    assert_eq!(unsure.with(|books| books.document(2).unknown_sends = 1).told(), "create transaction/900 30000 bank");
    let named =
        Books::invoiced().recording().sale(60, 30_000).payment_of(1, Cause::Paid(1), 30_000, &[60]).is(2, Planned);
    let named = named.with(|books| books.document(2).unknown_sends = 1);
    assert_eq!(named.told(), "create paid 30000 bank", "rather than another");
    let in_doubt = |lost: bool, unknown_sends| {
        let word = Books::invoiced().recording().paid(30_000).payment_of(1, Cause::Paid(1), 30_000, &[]);
        let doubt = word.is(2, InDoubt).with(|books| {
            books.document(2).unknown_sends = unknown_sends;
            let Draft::Payment(payment) = &mut books.document(2).content else { panic!("no payment") };
            payment.lost = lost;
        });
        doubt.told()
    };
    assert_eq!(in_doubt(false, 0), "resolve 2 unwanted", "the transaction is known");
    assert_eq!(in_doubt(false, 1), "resolve 2 wanted");
    assert_eq!(in_doubt(true, 0), "resolve 2 wanted");
}

#[test]
fn money_of_another_life_is_looked_for_in_full() {
    let paid = |refunds| {
        let paid = Books::invoiced().recording().paid(30_000).record(9, &[], Restock::Cancel, 500);
        paid.with(|books| {
            books.ledger.classes.insert(9, Class::Covered);
            books.merchant.rules.payments.refunds = refunds;
            books.refund(9).transactions.get_mut(&9).unwrap().at = Some(at(910));
        })
    };
    assert_eq!(paid(false).told(), "create transaction/900 29500 bank");
    let word = "look for paid 30000 at 1000";
    let after = |refunds, minute| paid(refunds).restored(minute).told();
    assert_eq!(after(false, 950), format!("{word}; look for transaction/900 30000 at 1000"));
    assert_eq!(after(false, 900), format!("{word}; create transaction/900 29500 bank"), "it came since");
    let given_back = "look for transaction/9 -500 at 1000";
    assert_eq!(after(true, 950), format!("{word}; {given_back}; look for transaction/900 30000 at 1000"));
    assert_eq!(after(true, 905), format!("{word}; look for transaction/900 30000 at 1000"));
    // What went back is not booked by itself while nobody knows of how much it was taken off.
    let unsure = |change: fn(&mut Document)| {
        let books = paid(true).restored(950).payment(1, 900, 30_000).is(2, InDoubt).payment(1, 9, -500).is(3, Dropped);
        let books = books.with(|books| {
            (books.document(2).total, books.document(2).look_at) = (None, Some(at(2_000)));
            books.document(3).since_at = at(960);
            change(books.document(2));
        });
        books.told()
    };
    assert_eq!(unsure(|_| ()), "wait: settling until 2000");
    assert_eq!(unsure(|payment| payment.unknown_sends = 1), "wait: settling until 2000", "that was before the copy");
    let unread = |payment: &mut Document| (payment.state, payment.misses) = (Posted, 0);
    assert_eq!(unsure(unread), "wait: settling until 2000", "it was found, and not read");
    let was_there = |payment: &mut Document| {
        let Draft::Payment(payment) = &mut payment.content else { panic!("no payment") };
        payment.lost = true;
    };
    assert_eq!(unsure(was_there), "want 3", "it was there in full");
    assert_eq!(unsure(|payment| payment.total = Some(Amount(30_000))), "want 3", "it was read");
    // One of the copy may have gone with a PUT of the other life.
    let of_copy = |minute| {
        let books = paid(false).does("create transaction/900 29500 bank").restored(950);
        books.with(|books| books.document(2).verified_at = Some(at(minute))).told()
    };
    assert_eq!((of_copy(949).as_str(), of_copy(950).as_str()), ("verify 2", "settled"));
    // Payments that go back were never recorded, so another life cannot have done it.
    let unrecorded = paid(false).restored(900).with(|books| {
        books.refund(9).transactions.get_mut(&9).unwrap().at = Some(at(890));
    });
    assert_eq!(unrecorded.told(), format!("{word}; create transaction/900 29500 bank"));
    let of_no_record = paid(true).class(9, Class::NotOurs).restored(900).with(|books| {
        books.refund(9).transactions.get_mut(&9).unwrap().at = Some(at(890));
    });
    assert_eq!(of_no_record.told(), format!("{word}; create transaction/900 29500 bank"), "nor of what is not ours");
    // It was looked for, and was not there; or is still to be.
    let planned = |minute| {
        let planned = paid(false).payment(1, 900, 30_000).is(2, Planned).restored(950);
        planned.with(|books| books.document(2).since_at = at(minute)).told()
    };
    assert_eq!(planned(950), format!("{word}; create transaction/900 29500 bank"));
    assert_eq!(planned(949), format!("{word}; recover 2"));
}

#[test]
fn a_transaction_that_brought_more_than_the_word_held_is_booked_for_the_rest() {
    let word = |minor| Books::invoiced().recording().payment_of(1, Cause::Paid(1), minor, &[]);
    assert_eq!(word(20_000).sale(60, 30_000).told(), "create transaction/60 10000 bank");
    let two = word(20_000).sale(60, 25_000).sale(61, 5_000);
    assert_eq!(two.told(), "create transaction/60 5000 bank; create transaction/61 5000 bank");
    let deleted = word(20_000).sale(60, 30_000).is(2, Gone).ruled(Ruling::Leave { document: 2 });
    assert_eq!(deleted.told(), "create transaction/60 10000 bank");
    let all = word(20_000).sale(60, 20_000).is(2, Gone).ruled(Ruling::Leave { document: 2 });
    assert_eq!(all.told(), "settled", "what is gone adopts nothing");
    // The shop said so twice, and the second payment was given up before it was sent.
    let given_up = word(20_000).payment_of(1, Cause::Paid(2), 10_000, &[]).is(3, Dropped).sale(60, 30_000);
    assert_eq!(given_up.told(), "create transaction/60 10000 bank", "nothing is in doubt");
    let doubt = word(20_000).sale(60, 30_000).is(2, InDoubt).with(|books| {
        books.document(2).look_at = Some(at(1_001));
    });
    assert_eq!(doubt.told(), "wait: settling until 1001", "it may yet be absent");
    let foreign = word(20_000).sale(60, 20_000).sale(61, 500).with(|books| {
        books.order.facts.transactions.get_mut(&61).unwrap().currency = "USD".into();
    });
    assert_eq!(foreign.told(), "adopt {60} by 2", "of nothing that is left nothing is taken");
}

#[test]
fn two_troubles_of_one_way_to_pay_are_one() {
    let unmapped = Books::invoiced().recording().sale(60, 20_000).sale(61, 10_000);
    let unmapped = unmapped.with(|books| books.merchant.rules.payments.gateways.clear());
    assert_eq!(unmapped.told(), "hold: unmapped_gateway");
}

//! Payments that went with a PUT, that another life of the books may have made, or that stand for transactions told of
//! later: what is sent again, looked for, adopted or given up.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "decided/books.rs"]
mod books;
#[path = "common/make.rs"]
mod make;

use books::{Books, TEA, at, refusal};
use qantara::domain::document::State;
use qantara::domain::draft::Draft;
use qantara::domain::order::{PaymentStatus, Restock};
use qantara::domain::payment::Cause;
use qantara::domain::refund::Class;
use qantara::domain::rules::GatewayRule;
use qantara::domain::ruling::Ruling;

use State::{Gone, InDoubt, Planned, Posted, Refused};

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

    let on_receipt = invoiced().back(9, &[(TEA, 1)]).with(|books| books.merchant.rules.payments.refunds = true);
    let on_receipt = on_receipt.does("create refund/9 10000 9=Receipt").payment(2, 9, 10_000).is(3, Planned);
    let on_receipt = on_receipt.with(|books| {
        let Draft::Payment(payment) = &mut books.document(3).content else { panic!("no payment") };
        payment.lost = true;
    });
    assert_eq!(on_receipt.told(), "create transaction/9 10000 bank on 2");
    let anew = untold.is(1, Gone).ruled(Ruling::NewInvoice { document: 1 }).does("create order/2 30000");
    assert_eq!(anew.told(), "create transaction/900 29000 old on 3", "on the invoice that is there");
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
}

#[test]
fn a_transaction_that_brought_more_than_the_word_held_is_booked_for_the_rest() {
    let word = |minor| Books::invoiced().recording().payment_of(1, Cause::Paid(1), minor, &[]);
    assert_eq!(word(20_000).sale(60, 30_000).told(), "create transaction/60 10000 bank");
    let two = word(20_000).sale(60, 25_000).sale(61, 5_000);
    assert_eq!(two.told(), "create transaction/60 5000 bank; create transaction/61 5000 bank");
    let deleted = word(20_000).sale(60, 30_000).is(2, Gone).ruled(Ruling::Leave { document: 2 });
    assert_eq!(deleted.told(), "create transaction/60 10000 bank");
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

//! What is decided about the documents of an order, situation by situation, where no delivery by itself makes a case of
//! `tests/plan`: books that were put back, records that overtake their order, several documents at once.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

#[path = "decided/books.rs"]
mod books;
#[path = "common/make.rs"]
mod make;

use books::{Books, MUG, PRICE, TEA, at, refusal};
use qantara::domain::document::{Finding, State};
use qantara::domain::draft::Draft;
use qantara::domain::money::Amount;
use qantara::domain::operation::Operation;
use qantara::domain::order::{PaymentStatus, RefundShipping, Restock, SAMPLE_ORDER, Shipping, TaxLine};
use qantara::domain::plan::Decision;
use qantara::domain::reason::Shortage;
use qantara::domain::refund::Class;
use qantara::domain::rules::{LinePolicy, PricePolicy, Trigger, Vendor, Vendors};
use qantara::domain::ruling::Ruling;
use rust_decimal::Decimal;

use State::{Dropped, Gone, InDoubt, Planned, Posted, Refused, Sending};

const JAR: i64 = 3;

/// The invoice of the whole order was locked and made room: the next one bills a jar more.
fn reversed() -> Books {
    Books::invoiced()
        .add(JAR, "JAR", 1)
        .does("replace 1 40000")
        .with(|books| books.document(1).written = None)
        .locked(1)
        .does("create reversal/1 40000")
        .does("reverse 1")
}

#[test]
fn what_is_under_way_comes_to_its_end_first() {
    let sending = Books::invoiced().back(9, &[(TEA, 1)]).is(1, Sending);
    assert_eq!(sending.told(), "recover 1");
    let twice = Books::invoiced()
        .back(8, &[(TEA, 1)])
        .does("create refund/8 10000 8=Receipt")
        .back(9, &[(TEA, 1)])
        .does("create refund/9 10000 9=Receipt")
        .is(2, InDoubt)
        .is(3, InDoubt);
    assert_eq!(twice.told(), "resolve 2 wanted; resolve 3 wanted");
    let any_order = twice.clone().with(|books| books.ledger.documents.reverse());
    assert_eq!(any_order.told(), twice.told(), "in the order in which they were made");
    let until = |first, second| {
        twice.clone().with(|books| {
            books.document(2).look_at = Some(at(first));
            books.document(3).look_at = Some(at(second));
            books.document(3).misses = 1;
        })
    };
    assert_eq!(until(1_001, 1_002).told(), "wait: settling until 1001");
    assert_eq!(until(1_002, 1_001).told(), "wait: looking_again until 1001");
    assert_eq!(until(1_001, 1_001).told(), "wait: settling until 1001");
    let dropped = until(1_001, 1_002).with(|books| books.document(2).state = Dropped);
    assert_eq!(dropped.told(), "wait: looking_again until 1002", "the last look for what is dropped holds up nothing");
    let missed_once = Books::invoiced().with(|books| books.document(1).look_at = Some(at(999)));
    assert_eq!(missed_once.told(), "verify 1", "it is read back, not looked up");
}

#[test]
fn a_document_in_doubt_is_wanted_as_long_as_the_order_needs_it() {
    let invoice = |change: fn(Books) -> Books| change(Books::invoiced().is(1, InDoubt)).told();
    assert_eq!(invoice(|books| books), "resolve 1 wanted");
    assert_eq!(invoice(|books| books.cancelled(10)), "resolve 1 unwanted");
    assert_eq!(invoice(|books| books.with(|books| books.order.facts.deleted = true)), "resolve 1 unwanted");
    let given_up = |books: Books| books.is(1, Dropped).with(|books| books.document(1).look_at = Some(at(999)));
    assert_eq!(invoice(|books| books.is(1, Dropped)), "want 1", "the same one, not another");
    assert_eq!(given_up(Books::invoiced()).told(), "resolve 1 unwanted");

    let receipt = Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt").is(2, InDoubt);
    assert_eq!(receipt.told(), "resolve 2 wanted");
    let undecided = receipt.clone().with(|books| books.ledger.classes.clear());
    assert_eq!(undecided.told(), "resolve 2 unwanted", "it was only looked for");
    let otherwise = receipt.clone().class(9, Class::Edit);
    assert_eq!(otherwise.told(), "resolve 2 unwanted");
    let dropped = receipt.is(2, Dropped).with(|books| books.document(2).look_at = Some(at(999)));
    assert_eq!(dropped.told(), "resolve 2 unwanted");
    let cancel = Books::invoiced().cancelled(10).does("create cancel 30000").is(2, InDoubt);
    assert_eq!(cancel.told(), "resolve 2 wanted");
}

#[test]
fn what_a_person_dismissed_hides_its_holds_only() {
    let dismissed = |books: Books| books.ruled(Ruling::Dismiss).told();
    assert_eq!(Books::invoiced().is(1, Gone).told(), "hold: gone");
    assert_eq!(dismissed(Books::invoiced().is(1, Gone)), "ignore: dismissed");
    assert_eq!(dismissed(Books::invoiced().is(1, InDoubt)), "resolve 1 wanted");
    let waiting = Books::invoiced().is(1, InDoubt).with(|books| books.document(1).look_at = Some(at(1_001)));
    assert_eq!(dismissed(waiting), "wait: settling until 1001");
    assert_eq!(dismissed(Books::invoiced().edit(9, &[(TEA, 1)])), "ignore: dismissed");
}

#[test]
fn documents_of_another_account_are_held_if_they_may_be_there() {
    let moved = |state| Books::invoiced().is(1, state).with(|books| books.merchant.account_id = 2).told();
    assert_eq!(moved(Posted), "hold: other_account");
    assert_eq!(moved(Planned), "create order 30000");
    assert_eq!(moved(Dropped), "want 1");
}

#[test]
fn what_was_changed_by_hand_is_written_over_only_where_a_person_wants_it() {
    let found = || Some(Finding::ChangedByHand { differences: Vec::new() });
    let changed = Books::invoiced().with(|books| books.document(1).finding = found());
    assert_eq!(changed.told(), "hold: changed_by_hand");
    let wanted = changed.ruled(Ruling::Rewrite { document: 1 });
    assert_eq!(wanted.told(), "rewrite 1");
    // An edit waits for it; the ruling ends with it, which is the database's to know.
    assert_eq!(wanted.clone().edit(9, &[(TEA, 1)]).told(), "rewrite 1");
    // It was missing a moment ago: whether it is there at all is asked when it is time.
    let missing = |minute| wanted.clone().with(|books| books.document(1).look_at = Some(at(minute)));
    assert_eq!(missing(1_001).told(), "hold: changed_by_hand");
    assert_eq!(missing(1_000).told(), "rewrite 1");
    assert_eq!(wanted.clone().locked(1).told(), "hold: changed_by_hand");
    let receipt = Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt");
    let by_hand = receipt.with(|books| books.document(2).finding = found());
    assert_eq!(by_hand.ruled(Ruling::Rewrite { document: 2 }).told(), "hold: changed_by_hand");
}

#[test]
fn a_deleted_invoice_gets_the_next_number() {
    let gone = Books::invoiced().is(1, Gone);
    let ruled = |books: Books, ruling| books.ruled(ruling);
    assert_eq!(ruled(gone.clone(), Ruling::Leave { document: 1 }).told(), "ignore: invoice_deleted");
    let anew = ruled(gone, Ruling::NewInvoice { document: 1 });
    assert_eq!(anew.told(), "create order/2 30000");
    assert_eq!(anew.clone().cancelled(10).told(), "ignore: cancelled_before_invoice");
    // Another life may have made it before the cancellation came.
    assert_eq!(anew.clone().cancelled(10).restored(500).told(), "look for order/2 30000 at 1000");
    // The new one is under today's rules, and repeats nothing of the old one.
    let renamed = anew.with(|books| books.merchant.rules.client_id = 8).with(|books| books.now = at(9_000));
    assert_eq!((client(&renamed), day(&renamed)), (8, "2023-11-14".to_owned()));
}

/// Whom the invoice that is to be made is for.
fn client(books: &Books) -> i64 {
    draft(books).header().client_id
}

fn day(books: &Books) -> String {
    draft(books).header().date.to_string()
}

fn draft(books: &Books) -> Draft {
    let Decision::Act(operations) = books.plan() else { panic!("nothing is to be made") };
    match operations.into_iter().next() {
        Some(Operation::Create { draft, .. } | Operation::Replace { draft, .. }) => draft,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_next_invoice_repeats_what_was_chosen_and_is_dated_today() {
    let next = reversed();
    assert_eq!(next.told(), "create order/2 40000");
    let later = next.clone().with(|books| {
        books.merchant.rules.client_id = 8;
        books.merchant.rules.price = PricePolicy::Zero;
        books.now = at(9_000);
    });
    assert_eq!(later.told(), "create order/2 40000", "its prices too");
    assert_eq!((client(&later), day(&later)), (7, "2023-11-21".to_owned()));
    assert_eq!(next.clone().cancelled(10).told(), "create order/2 40000", "the reversal is finished first");
    let nothing_left = next.clone().edit(9, &[(TEA, 2), (MUG, 1), (JAR, 1)]);
    let nothing_left = nothing_left.does("9 is Absorbed");
    assert_eq!(nothing_left.told(), "settled", "nothing is left to book, and that is no reason to pass the order over");
    // What is kept of it is paid on what there is, also where the next invoice was given up.
    let kept = |books: Books| books.recording().paid(40_000).edit(9, &[(TEA, 2), (MUG, 1), (JAR, 1)]);
    let pays = "create transaction/900 40000 bank";
    assert_eq!(kept(next.clone()).does("9 is Absorbed").told(), pays);
    let second = |state| kept(next.clone().does("create order/2 40000").is(3, state));
    let given_up = second(Refused).does("drop 3").is(3, Dropped);
    assert_eq!(given_up.does("9 is Absorbed").told(), pays);
    // How its records are to be understood is decided when nothing can turn up any more.
    let looked_for = second(Dropped).with(|books| books.document(3).look_at = Some(at(2_000)));
    assert_eq!(looked_for.told(), "wait: settling until 2000");
    assert_eq!(second(Refused).restored(1_500).told(), "recover 3");
    let deleted = second(Gone);
    assert_eq!(deleted.clone().ruled(Ruling::Leave { document: 3 }).told(), "ignore: invoice_deleted");
    assert_eq!(deleted.ruled(Ruling::NewInvoice { document: 3 }).told(), "settled", "a person took it out");
    // Money for no goods was paid too much then, whatever comes after it.
    let back = kept(next.clone()).does("9 is Absorbed").does(pays).record(11, &[], Restock::Cancel, 500);
    assert_eq!(back.does("11 is Covered").told(), "hold: pay_back_by_hand");
    // Long before, its receipts count against the invoice that is gone.
    let given_back = next.does("create order/2 40000").back(9, &[(TEA, 1)]);
    assert_eq!(given_back.told(), "create refund/9 10000 9=Receipt");
    assert_eq!(given_back.does("create refund/9 10000 9=Receipt").told(), "settled", "it counts against the second");
}

/// A receipt that is in Daftra no more has evened nothing out: the reversal took its goods back, and the next invoice bills
/// them.
#[test]
fn a_receipt_that_was_deleted_leaves_its_goods_to_the_next_invoice() {
    let deleted = Books::invoiced().back(9, &[(TEA, 1)]).does("create refund/9 10000 9=Receipt").is(2, Gone);
    let deleted = deleted.ruled(Ruling::Leave { document: 2 }).add(JAR, "JAR", 1).does("replace 1 40000");
    let locked = deleted.with(|books| books.document(1).written = None).locked(1);
    let reversed = locked.does("create reversal/1 40000").does("reverse 1");
    assert_eq!(reversed.told(), "create order/2 40000");
    assert_eq!(reversed.does("create order/2 40000").told(), "settled", "a person wanted no receipt");
}

#[test]
fn an_invoice_that_was_never_sent_is_drafted_by_todays_rules() {
    let refused = Books::invoiced().is(1, Refused).with(|books| books.document(1).refusal = Some(refusal()));
    assert_eq!(refused.told(), "hold: refused");
    let free = refused.with(|books| books.merchant.rules.price = PricePolicy::Zero);
    assert_eq!(free.told(), "want 1");
    assert_eq!(free.does("want 1").told(), "create order 0");
}

/// The tea was sold with its tax inside; a record gives one back in a way that can be read both ways.
fn unclear(books: Books) -> Books {
    let tax = |books: &mut Books| {
        let tax = TaxLine { title: "VAT".into(), rate: Decimal::new(2, 4), amount: Amount(4) };
        books.order.snapshot.taxes_included = true;
        books.line(TEA).taxes.push(tax);
        books.order.snapshot.total_tax = Amount(4);
    };
    books.with(tax).ahead(9, &[(TEA, 1)], Restock::Cancel, 0).with(|books| books.refund(9).lines[0].tax = Amount(2))
}

#[test]
fn a_record_that_overtook_its_order_waits_for_the_body() {
    let rule = qantara::domain::rules::TaxRule {
        title: Some("VAT".into()),
        rate: Decimal::new(2, 4),
        included: true,
        daftra_id: 5,
    };
    let taxed = Books::new().with(|books| books.merchant.rules.taxes.push(rule));
    let ahead = unclear(taxed);
    assert_eq!(ahead.told(), "create order 30000", "as it is not known what went back");
    assert_eq!(ahead.clone().does("create order 30000").told(), "wait: order_behind");
    let known = ahead.clone().class(9, Class::Absorbed);
    assert_eq!(known.told(), "create order 20000", "what was decided counts");
    assert_eq!(known.does("create order 20000").told(), "settled");
    let free = ahead.with(|books| books.merchant.rules.price = PricePolicy::Zero);
    let Draft::Invoice(invoice) = draft(&free) else { panic!("no invoice") };
    assert_eq!(invoice.billed[0].units, 1, "no price is unclear where there is none");

    let unknown = |line| Books::invoiced().ahead(9, &[(line, 1)], Restock::Return, PRICE).told();
    assert_eq!(unknown(77), "wait: order_behind");
    assert_eq!(unknown(TEA), "create refund/9 10000 9=Receipt");
    let seen = Books::invoiced().record(9, &[(77, 1)], Restock::Return, PRICE);
    assert_eq!(seen.told(), "9 is NotOurs", "the body is there, and the line is no part of it");
    let with_shipping = |id: i64| {
        Books::invoiced().ahead(9, &[(TEA, 1)], Restock::Return, PRICE).with(|books| {
            let (title, price, discount) = ("Courier".into(), Amount::ZERO, Amount::ZERO);
            books.order.snapshot.shipping.push(Shipping { id: 6, title, price, discount, taxes: Vec::new() });
            let part = RefundShipping { shipping_id: id, subtotal: Amount::ZERO, tax: Amount::ZERO };
            books.refund(9).shipping.push(part);
        })
    };
    assert_eq!(with_shipping(6).told(), "create refund/9 10000 9=Receipt");
    assert_eq!(with_shipping(7).told(), "wait: order_behind");
}

#[test]
fn a_snapshot_must_agree_with_itself() {
    let lost = |books: Books| books.with(|books| books.line(TEA).current_quantity = Some(1)).told();
    assert_eq!(lost(Books::new()), "hold: quantities_differ");
    assert_eq!(lost(Books::new().edit(9, &[(TEA, 2), (MUG, 1)])), "hold: quantities_differ", "nothing to bill or not");
    let others = Books::new().with(|books| {
        books.merchant.rules.vendors = Vendors::Only([Vendor::new("Nour")].into());
        books.line(MUG).vendor = "Wadi".into();
        books.line(MUG).current_quantity = Some(0);
    });
    assert_eq!(others.told(), "create order 20000", "what is not ours need not");
}

#[test]
fn what_is_no_order_of_ours_is_passed_over() {
    let told = |change: fn(&mut Books)| Books::new().with(change).told();
    assert_eq!(told(|books| books.order.snapshot.id = SAMPLE_ORDER), "ignore: sample");
    assert_eq!(told(|books| books.order.snapshot.test = true), "ignore: test_order");
    let played = |books: &mut Books| {
        books.order.snapshot.test = true;
        books.merchant.rules.test_orders = true;
    };
    assert_eq!(told(played), "create order 30000");
    assert_eq!(told(|books| books.merchant.live_from = Some(at(1))), "ignore: before_go_live");
    assert_eq!(told(|books| books.merchant.live_from = Some(at(0))), "create order 30000");
    assert_eq!(told(|books| books.ledger.decimals = Some(1)), "hold: account_too_coarse");
    assert_eq!(told(|books| books.ledger.decimals = Some(2)), "create order 30000");
    let stranger = Books::new().record(9, &[(77, 1)], Restock::Return, PRICE);
    assert_eq!(stranger.told(), "create order 30000 9=NotOurs");
    // Once something was begun the order is ours.
    let begun = Books::invoiced().is(1, Planned).with(|books| books.merchant.live_from = Some(at(1)));
    assert_eq!(begun.told(), "create order 30000");
}

#[test]
fn the_trigger_is_the_whole_payment() {
    let paid = |word, minor| {
        let books = Books::new().with(|books| {
            books.merchant.rules.trigger = Trigger::Paid;
            books.order.snapshot.payment = word;
        });
        if minor > 0 { books.paid(minor).told() } else { books.told() }
    };
    assert_eq!(paid(PaymentStatus::Pending, 0), "wait: not_paid");
    assert_eq!(paid(PaymentStatus::PartiallyPaid, 5_000), "wait: not_paid");
    let adopting = Books::new().with(|books| {
        books.merchant.rules.trigger = Trigger::Paid;
        books.order.snapshot.payment = PaymentStatus::Pending;
        books.ledger.is_adopting = true;
    });
    assert_eq!(adopting.told(), "create order 30000", "what somebody made already waits for nothing");
    assert_eq!(paid(PaymentStatus::Paid, 0), "create order 30000");
    assert_eq!(paid(PaymentStatus::Paid, 5_000), "create order 30000", "the shop's plain word counts");
    assert_eq!(paid(PaymentStatus::Refunded, 0), "create order 30000");
    assert_eq!(paid(PaymentStatus::Refunded, 30_000), "create order 30000");
    assert_eq!(paid(PaymentStatus::Refunded, 5_000), "wait: not_paid", "only a part was ever paid");
    let refunded = |received, books: Books| {
        books.paid(received).with(|books| {
            books.merchant.rules.trigger = Trigger::Paid;
            books.order.snapshot.payment = PaymentStatus::PartiallyRefunded;
        })
    };
    let kind = refunded(30_000, Books::new().record(9, &[], Restock::Cancel, 500));
    assert_eq!(kind.told(), "create order 30000", "it was paid before money went back");
    let less = refunded(20_000, Books::new().edit(9, &[(TEA, 1)]));
    assert_eq!(less.told(), "create order 20000 9=Absorbed", "what is left is paid");
}

#[test]
fn an_order_that_ended_is_given_up_or_looked_for() {
    let cancelled = Books::new().cancelled(10);
    assert_eq!(cancelled.told(), "ignore: cancelled_before_invoice");
    assert_eq!(cancelled.clone().restored(500).told(), "look for order 30000 at 1000");
    let deleted = Books::new().with(|books| books.order.facts.deleted = true);
    assert_eq!(deleted.restored(500).told(), "look for order 30000 at 1000");
    let emptied = Books::new().edit(9, &[(TEA, 2), (MUG, 1)]);
    assert_eq!(emptied.told(), "ignore: nothing_to_bill");
    assert_eq!(emptied.restored(500).told(), "look for order 30000 at 1000");
    let tagged = Books::new().restored(500).with(|books| {
        books.order.snapshot.tags.push("wholesale".into());
        books.merchant.rules.ignored_tags.insert("wholesale".into());
    });
    assert_eq!(tagged.told(), "ignore: tag", "another life would have passed it over too");
    let skipped = cancelled.clone().restored(500).with(|books| {
        books.merchant.rules.gift_card = LinePolicy::Skip;
        books.order.snapshot.lines.iter_mut().for_each(|line| line.gift_card = true);
    });
    assert_eq!(skipped.told(), "ignore: cancelled_before_invoice", "it was never worth an invoice");
    let unknown = cancelled.restored(500).with(|books| books.catalog.products.retain(|one| one.id != 502));
    assert_eq!(unknown.told(), r#"find ["mug"]"#);

    let planned = Books::invoiced().is(1, Planned).cancelled(10);
    assert_eq!(planned.told(), "drop 1");
    assert_eq!(planned.clone().restored(500).told(), "recover 1", "another life may have sent it");
    assert_eq!(planned.clone().is(1, Dropped).told(), "ignore: cancelled_before_invoice");
    let last_look = planned.is(1, Dropped).with(|books| books.document(1).look_at = Some(at(1_001)));
    assert_eq!(last_look.told(), "wait: settling until 1001", "it may still turn up");
}

#[test]
fn what_another_life_may_have_made_is_looked_for() {
    let edited = Books::new().edit(9, &[(TEA, 1)]);
    assert_eq!(edited.clone().restored(500).told(), "look for order 30000 at 1000", "whenever it was made");
    assert_eq!(edited.clone().restored(1_000).told(), "look for order 30000 at 1001", "once its last call has settled");
    assert_eq!(edited.restored(0).told(), "create order 20000 9=Absorbed", "it was placed since");
    let anew = Books::invoiced().is(1, Gone).edit(9, &[(TEA, 1)]).ruled(Ruling::NewInvoice { document: 1 });
    assert_eq!(anew.restored(500).told(), "look for order/2 20000 at 1000", "a second one was always what is left");

    let planned = Books::invoiced().is(1, Planned).restored(500);
    assert_eq!(planned.told(), "recover 1");
    let refused = planned.edit(9, &[(TEA, 1)]).is(1, Refused);
    assert_eq!(refused.told(), "recover 1");
    assert_eq!(refused.restored(0).told(), "want 1");
    let import = |books: Books| books.ruled(Ruling::Import);
    assert_eq!(import(Books::new()).told(), "look for order 30000 at 1000");
    let later = import(Books::invoiced().back(9, &[(TEA, 1)]));
    assert_eq!(later.told(), "create refund/9 10000 9=Receipt", "what follows was booked by nobody else");
}

#[test]
fn what_lacks_stock_is_tried_again_after_an_hour() {
    let short = |minute| {
        Books::invoiced().is(1, Refused).with(|books| {
            let shortage =
                Shortage { product_id: 501, title: "Tea".into(), store_id: 3, wanted: 2, available: Decimal::ONE };
            books.document(1).finding = Some(Finding::NotEnoughStock { shortages: vec![shortage] });
            books.now = at(minute);
        })
    };
    assert_eq!(short(59).told(), "hold: not_enough_stock");
    assert_eq!(short(60).told(), "want 1");
}

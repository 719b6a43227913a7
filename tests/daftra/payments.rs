//! Payments: what goes out, what is read back of them, and how they are looked for.

use qantara::daftra::client::Payable;
use qantara::daftra::compare::compare_payment;
use qantara::daftra::outcome::{Unanswered, Written};
use qantara::daftra::wire::RemotePayment;
use qantara::daftra::write::body;
use qantara::domain::draft::Draft;
use qantara::domain::money::Amount;
use qantara::domain::payment::{Cause, PaymentDraft};
use qantara::domain::reason::DifferenceKind;
use qantara::sandbox::daftra::{Hand, PaymentMethod};
use qantara::sandbox::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde_json::json;

use crate::office::{MUG, Office, Script, client, header, invoice, line, paced, receipt, still};

fn payment(id: i64, minor: i64) -> PaymentDraft {
    PaymentDraft {
        header: header(&format!("transaction/{id}")),
        cause: Cause::Transaction(id),
        at: "2026-06-17T09:30:00Z".parse().unwrap(),
        clock: "2026-06-17T12:30:00".parse().unwrap(),
        amount: Amount(minor),
        rounding: Amount::ZERO,
        covers: [id].into(),
        gateway: "Cash on Delivery (COD)".into(),
        method: "cash".into(),
        treasury_id: Some(1),
        lost: false,
    }
}

fn office(change: impl FnOnce(&mut qantara::sandbox::daftra::AccountSetup)) -> Office {
    let office = Office::with(2, change);
    office.account(|account| {
        for (id, slug) in (1..).zip(["cash", "bank", "old"]) {
            let (slug, label, active) = (slug.to_owned(), slug.to_owned(), slug != "old");
            account.add_method(PaymentMethod { id, slug, label, active, ..PaymentMethod::default() });
        }
    });
    office
}

fn read(office: &Office, on: Payable) -> Result<Option<Vec<RemotePayment>>, Unanswered> {
    paced(|pace| office.client.payments(&office.door, pace, on)).outcome
}

fn on(office: &Office, payable: Payable) -> Vec<RemotePayment> {
    read(office, payable).unwrap().unwrap()
}

#[test]
fn a_payment_names_its_parent_its_way_and_our_reference() {
    let draft = Draft::Payment(PaymentDraft { treasury_id: None, ..payment(17, 11_500) });
    assert_eq!(body(&draft, None), None, "nothing is sent without the document it is on");
    let expected = json!({"InvoicePayment": {
        "invoice_id": 81, "payment_method": "cash", "amount": 115, "currency_code": "SAR", "date": "2026-06-17 12:30:00",
        "transaction_id": "k3y-820-transaction/17", "status": 1, "notes": "#1042 Cash on Delivery (COD)",
    }});
    assert_eq!(body(&draft, Some(81)), Some(expected));
    let with_treasury = body(&Draft::Payment(payment(17, 1)), Some(81)).unwrap();
    assert_eq!(with_treasury["InvoicePayment"]["treasury_id"], json!(1));
    assert_eq!(with_treasury["InvoicePayment"]["amount"].to_string(), "0.01");
    let office = office(|setup| setup.nested_complaints = false);
    assert!(matches!(office.create(&draft, None), Written::Unsent(_)));
    assert!(
        matches!(office.create(&draft, Some(81)), Written::Refused(refusal) if refusal.fields[0].0 == "invoice_id")
    );
}

#[test]
fn what_was_paid_on_an_invoice_is_read_with_it() {
    for ids_as_text in [false, true] {
        let office = office(|setup| setup.ids_as_text = ids_as_text);
        let invoice_id = office.post(&Draft::Invoice(invoice(vec![line(1, Some(MUG), 2, 10_000)])), None);
        let payable = Payable::Invoice(invoice_id);
        assert_eq!(on(&office, payable), []);
        let draft = payment(17, 11_500);
        let id = office.post(&Draft::Payment(draft.clone()), Some(invoice_id));
        let read = on(&office, payable);
        assert_eq!((read[0].id, read[0].transaction_id.as_str()), (id, "k3y-820-transaction/17"));
        assert_eq!(compare_payment(&draft, &read[0]), []);
        assert_eq!(self::read(&office, Payable::Invoice(9_999)), Ok(None), "no such invoice");

        let payment = u64::try_from(id).unwrap();
        office.hand(Hand::ChangePayment { payment, amount: Decimal::from(100) });
        let other = PaymentDraft { method: "bank".into(), ..draft };
        let differences = compare_payment(&other, &on(&office, payable)[0]);
        let kinds: Vec<DifferenceKind> = differences.iter().map(|one| one.what).collect();
        assert_eq!(kinds, [DifferenceKind::Amount, DifferenceKind::Method]);
        assert_eq!((differences[0].ours.as_str(), differences[0].daftra.as_str()), ("115.00", "100"));
    }
}

#[test]
fn money_that_daftra_does_not_count_is_a_difference() {
    let remote = |is_completed| RemotePayment {
        id: 5,
        amount: "115.000".parse().unwrap(),
        method: "CASH".into(),
        transaction_id: String::new(),
        is_completed,
    };
    assert_eq!(compare_payment(&payment(17, 11_500), &remote(true)), []);
    assert_eq!(compare_payment(&payment(17, 11_500), &remote(false))[0].daftra, "0");
}

#[test]
fn what_was_paid_out_on_a_receipt_is_listed_and_every_row_compared() {
    for v2_filters in [true, false] {
        let office = office(|setup| (setup.v2_filters, setup.list_lag_seconds) = (v2_filters, 0));
        let invoice_id = office.post(&Draft::Invoice(invoice(vec![line(1, Some(MUG), 2, 10_000)])), None);
        for id in 1..=5 {
            office.post(&Draft::Payment(payment(id, 1_000)), Some(invoice_id));
        }
        let receipt_id = office.post(&receipt(vec![line(1, Some(MUG), 1, 5_000)]), Some(invoice_id));
        assert_eq!(on(&office, Payable::Receipt(receipt_id)), []);
        let ours = office.post(&Draft::Payment(payment(19, 5_750)), Some(receipt_id));
        let found: Vec<i64> = on(&office, Payable::Receipt(receipt_id)).into_iter().map(|one| one.id).collect();
        assert_eq!(found, [ours], "filters: {v2_filters}");
    }
}

#[test]
fn a_look_that_breaks_off_or_says_nothing_of_money_proves_nothing() {
    let office = office(|_| {});
    let id = office.post(&Draft::Invoice(invoice(vec![line(1, Some(MUG), 2, 10_000)])), None);
    for kind in [FaultKind::ErrorBeforeSaving, FaultKind::TruncatedJson, FaultKind::HtmlPage, FaultKind::LoseAnswer] {
        office.account(|account| account.add_fault(Fault::always(kind.clone())));
        for payable in [Payable::Invoice(id), Payable::Receipt(id)] {
            assert!(matches!(read(&office, payable), Err(Unanswered::Failed { .. })), "{kind:?} {payable:?}");
        }
        office.account(|account| account.clear_faults());
    }
    let silent = json!({"id": "81", "type": "0", "currency_code": "SAR", "summary_total": 1, "InvoiceItem": []});
    let answer = json!({"result": "successful", "code": 200, "data": {"Invoice": silent}});
    let script = Script::json(&[answer]);
    let looked = client(10).payments(&script.door, &still, Payable::Invoice(81)).outcome;
    assert!(matches!(looked, Err(Unanswered::Failed { outage: false, .. })), "{looked:?}");
    let foreign = json!({"current_page": 1, "last_page": 1, "total": 1, "data": [{"id": 5, "amount": 1}]});
    let script = Script::json(&[foreign]);
    let looked = client(10).payments(&script.door, &still, Payable::Receipt(81)).outcome;
    assert!(matches!(looked, Err(Unanswered::Failed { outage: false, .. })), "whose is it? {looked:?}");
}

#[test]
fn the_accounts_ways_of_paying_are_read_to_the_last_page() {
    let office = office(|_| {});
    let tills = paced(|pace| office.client.tills(&office.door, pace)).outcome.unwrap();
    assert_eq!(tills.methods, ["bank", "cash"].map(str::to_owned).into());
    assert_eq!(tills.treasuries, [1].into());
}

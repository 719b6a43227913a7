//! Documents there and back: what is sent, what is read, what counts as a difference, what a replacement keeps.

use std::time::Duration;

use jiff::civil::date;
use qantara::daftra::client::Read;
use qantara::daftra::compare::compare;
use qantara::daftra::outcome::{Unanswered, Written};
use qantara::daftra::wire::RemoteDocument;
use qantara::daftra::write::{body, merge, overwrite};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::InvoiceDraft;
use qantara::domain::money::{Amount, Currency};
use qantara::domain::reason::DifferenceKind;
use qantara::sandbox::daftra::{DocumentKind, Hand, PartialPut, PaymentMethod};
use qantara::sandbox::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::office::{
    CLIENT, LAMP, MUG, Office, STORE, Script, VAT, client, invoice, line, paced, patient_client, receipt, still,
};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn mugs_and_lamp() -> InvoiceDraft {
    // Three mugs for 10.00 do not divide: two rows.
    invoice(vec![line(1, Some(MUG), 3, 1_000), line(2, Some(LAMP), 1, 4_999)])
}

fn read(office: &Office, id: i64) -> RemoteDocument {
    match paced(|pace| office.client.read_invoice(&office.door, pace, id)).outcome {
        Ok(Read::Found(document)) => *document,
        other => panic!("{other:?}"),
    }
}

fn kinds(draft: &InvoiceDraft, remote: &RemoteDocument) -> Vec<DifferenceKind> {
    compare(&Draft::Invoice(draft.clone()), remote, Amount(1)).into_iter().map(|one| one.what).collect()
}

#[test]
fn a_draft_as_daftra_wants_it() {
    let mut draft = invoice(vec![line(1, Some(MUG), 3, 1_000), line(2, None, 1, 500)]);
    draft.header.branch_id = Some(2);
    draft.billed[1].taxes.clear();
    draft.billed[1].title = "x".repeat(300);
    let sent = body(&Draft::Invoice(draft), None).unwrap();
    assert_eq!(
        sent["Invoice"],
        json!({"client_id": CLIENT, "store_id": STORE, "branch_id": 2, "currency_code": "SAR", "date": "2026-06-17",
               "draft": 0, "po_number": "k3y-820-order", "notes": "#1042 k3y-820-order", "discount": 0,
               "discount_amount": 0})
    );
    let mug = |price: Value, units: i64| {
        json!({"product_id": MUG, "item": "Thing 1", "description": "SKU-1 [line 1]", "unit_price": price, "quantity": units,
               "tax1": VAT, "tax2": null, "discount": 0, "discount_type": 2, "store_id": STORE})
    };
    let rows = sent["InvoiceItem"].as_array().unwrap();
    assert_eq!(rows[..2], [mug(json!(3.34), 1), mug(json!(3.33), 2)]);
    assert_eq!(
        (&rows[2]["product_id"], &rows[2]["tax1"], &rows[2]["tax2"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(rows[2]["item"].as_str().unwrap().len(), 255);
    assert_eq!(sent.as_object().unwrap().len(), 2, "no payment, nothing else: {sent}");
}

#[test]
fn a_receipt_names_its_invoice() {
    let sent = body(&receipt(vec![line(1, Some(MUG), 1, 333)]), Some(81)).unwrap();
    assert_eq!(sent["RefundReceipt"]["subscription_id"], 81);
    assert_eq!(sent["RefundReceipt"]["po_number"], "k3y-820-refund/9");
    assert!(sent.get("Invoice").is_none() && sent["InvoiceItem"].as_array().unwrap().len() == 1);
    assert_eq!(body(&receipt(Vec::new()), None), None);
}

#[test]
fn amounts_go_out_with_exactly_their_digits() {
    let printed = |code: &str, minor: i64| {
        let mut draft = invoice(vec![line(1, Some(MUG), 1, minor)]);
        draft.header.currency = Currency::parse(code).unwrap();
        let sent = body(&Draft::Invoice(draft), None).unwrap();
        assert!(sent["InvoiceItem"][0]["unit_price"].is_number());
        (sent["InvoiceItem"][0]["unit_price"].to_string(), Decimal::new(minor, Currency::parse(code).unwrap().digits()))
    };
    assert_eq!(printed("SAR", 1_250).0, "12.5");
    assert_eq!(printed("SAR", 1_000).0, "10");
    assert_eq!(printed("KWD", 1).0, "0.001");
    assert_eq!(printed("JPY", 1_250).0, "1250");
    assert_eq!(printed("KWD", 999_999_999_999_999).0, "999999999999.999");
    // Up to the largest amount there can be, in steps that touch every digit.
    let mut minor = 1;
    while minor < 1_000_000_000_000_000 {
        for code in ["SAR", "KWD", "JPY"] {
            let (text, amount) = printed(code, minor);
            assert_eq!(text.parse::<Decimal>().unwrap(), amount, "{code} {minor}");
        }
        minor += minor / 37 + 1;
    }
}

#[test]
fn what_was_written_reads_back_without_a_difference() {
    let office = Office::with(10, |setup| (setup.ids_as_text, setup.number_in_answer) = (true, true));
    let draft = mugs_and_lamp();
    let created = paced(|pace| office.client.create(&office.door, pace, &Draft::Invoice(draft.clone()), None));
    let Written::Accepted { remote_id, remote_no } = created.outcome else { panic!("{created:?}") };
    assert_eq!(remote_no.as_deref(), Some("000094"));
    let remote = read(&office, remote_id);
    assert_eq!(kinds(&draft, &remote), []);
    assert_eq!((remote.no.as_deref(), remote.client_id, remote.store_id), (Some("000094"), Some(CLIENT), Some(STORE)));
    assert_eq!((remote.total, remote.date), (decimal("68.99"), Some(date(2026, 6, 17))));
    assert_eq!((remote.refunded, remote.is_draft, remote.is_adjusted), (Some(Decimal::ZERO), false, false));

    let back = receipt(vec![line(1, Some(MUG), 1, 333)]);
    let receipt_id = office.post(&back, Some(remote_id));
    let Ok(Read::Found(there)) = office.client.read_receipt(&office.door, &still, receipt_id).outcome else { panic!() };
    assert_eq!(compare(&back, &there, Amount(1)), []);
    // One kind is not found under the other's address.
    assert_eq!(office.client.read_invoice(&office.door, &still, receipt_id).outcome, Ok(Read::Missing));
    assert_eq!(read(&office, remote_id).refunded, Some(decimal("3.83")));
}

#[test]
fn a_refusal_and_a_bad_key_in_the_sandbox() {
    let office = Office::with(2, |setup| setup.bad_key_page = false);
    let mut draft = mugs_and_lamp();
    draft.header.client_id = 99;
    let Written::Refused(refusal) = office.create(&Draft::Invoice(draft), None) else { panic!() };
    let complained = refusal.fields.iter().any(|(field, _)| field.ends_with("client_id"));
    assert!(matches!(refusal.status, 200 | 400) && complained, "{refusal:?}");
    let stranger = qantara::daftra::client::Door { key: "not-the-key".to_owned().into(), ..office.door.clone() };
    let written = office.client.create(&stranger, &still, &Draft::Invoice(mugs_and_lamp()), None).outcome;
    assert!(matches!(written, Written::Credential(_)), "{written:?}");
}

#[test]
fn an_answer_that_trickles_is_waited_for_no_longer_than_the_whole_call_may_take() {
    let office = Office::new();
    // Some hundred bytes: two seconds and more, with never a tenth of a second between two of them.
    let trickling = Fault::always(FaultKind::Drip { bytes_per_second: 50 });
    office.account(|account| account.add_fault(trickling));
    let hasty = patient_client(2, Duration::from_millis(700));
    let written = hasty.create(&office.door, &still, &Draft::Invoice(mugs_and_lamp()), None).outcome;
    let Written::Unknown { text, trouble: None } = &written else { panic!("{written:?}") };
    assert!(text.ends_with("the call took longer than its time-out"), "{text}");
    assert_eq!(office.account(|account| account.documents(DocumentKind::Invoice).count()), 1, "and yet it is there");
    let read = hasty.read_invoice(&office.door, &still, 1001).outcome;
    assert!(matches!(read, Err(Unanswered::Failed { outage: true, .. })), "{read:?}");
}

#[test]
fn differences_are_named() {
    let office = Office::new();
    let draft = mugs_and_lamp();
    let id = office.post(&Draft::Invoice(draft.clone()), None);
    let document = u64::try_from(id).unwrap();
    let remote = read(&office, id);

    let mut other = draft.clone();
    other.header.client_id = 16;
    other.header.currency = Currency::parse("AED").unwrap();
    assert_eq!(kinds(&other, &remote), [DifferenceKind::Client, DifferenceKind::Currency]);
    other = draft.clone();
    other.header.store_id = 5;
    assert_eq!(kinds(&other, &remote)[0], DifferenceKind::Store);
    other = draft.clone();
    other.billed[1].net = Amount(6_000);
    assert_eq!(kinds(&other, &remote), [DifferenceKind::Total]);
    other = draft.clone();
    other.billed[1].taxes.clear();
    assert_eq!(kinds(&other, &remote), [DifferenceKind::Row]);
    assert_eq!(kinds(&draft, &RemoteDocument { is_draft: true, ..remote.clone() }), [DifferenceKind::Draft]);
    other.clone_from(&draft);
    other.header.draft = true;
    assert_eq!(kinds(&other, &remote), [], "a person issued it, which is what drafts are for");

    office.hand(Hand::ChangeRow { document, row: 2, unit_price: Some(decimal("40")), quantity: None });
    let differences = compare(&Draft::Invoice(draft), &read(&office, id), Amount(1));
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].what, DifferenceKind::Row);
    assert_eq!(
        (differences[0].ours.as_str(), differences[0].daftra.as_str()),
        ("34: 1 x 49.99 [7] @ 4", "34: 1 x 40 [7] @ 4")
    );
}

#[test]
fn rows_of_others_are_no_difference_but_one_of_ours_counts_once() {
    let office = Office::new();
    let draft = invoice(vec![line(1, Some(MUG), 1, 500), line(2, Some(MUG), 1, 500)]);
    let id = office.post(&Draft::Invoice(draft.clone()), None);
    let document = u64::try_from(id).unwrap();
    office.hand(Hand::AddRow { document, item: "Gift wrap".into(), unit_price: 9.into(), quantity: 1.into() });
    let remote = read(&office, id);
    assert_eq!((kinds(&draft, &remote), remote.items.len()), (vec![], 3));
    // The same row twice in the draft wants two rows in Daftra.
    let mut thrice = draft;
    thrice.billed.push(line(3, Some(MUG), 1, 500));
    assert_eq!(kinds(&thrice, &remote), [DifferenceKind::Row]);
}

#[test]
fn a_replacement_keeps_what_others_wrote() {
    for partial_put in [PartialPut::Drop, PartialPut::Keep] {
        replace_what_others_touched(partial_put);
    }
}

fn replace_what_others_touched(partial_put: PartialPut) {
    let office = Office::with(10, |setup| setup.partial_put = partial_put);
    let old = mugs_and_lamp();
    let id = office.post(&Draft::Invoice(old.clone()), None);
    let document = u64::try_from(id).unwrap();
    office.account(|account| {
        account.add_method(PaymentMethod { slug: "cash".into(), label: "Cash".into(), ..PaymentMethod::default() })
    });
    office.hand(Hand::AddRow { document, item: "Gift wrap".into(), unit_price: 9.into(), quantity: 1.into() });
    office.hand(Hand::SetNotes { document, notes: "Ring twice".into() });
    office.hand(Hand::AddCustomField { document, label: "Driver".into(), value: "Omar".into() });
    office.hand(Hand::AddPayment { document, method: "cash".into(), amount: 20.into() });

    let new = invoice(vec![line(1, Some(MUG), 2, 700), line(3, Some(MUG), 1, 5)]);
    let remote = read(&office, id);
    let replacement = merge(&remote, &old, &new).unwrap();
    assert!(replacement.body().get("Payment").is_none());
    let replaced = paced(|pace| office.client.replace(&office.door, pace, id, &replacement));
    assert_eq!(replaced.outcome, Written::Accepted { remote_id: id, remote_no: None });

    let after = read(&office, id);
    assert_eq!((kinds(&new, &after), &after.no, after.date), (vec![], &remote.no, Some(date(2026, 6, 17))));
    assert_eq!(after.notes, "Ring twice\n#1042 k3y-820-order");
    assert_eq!(after.po_number, "k3y-820-order");
    let labels: Vec<&str> =
        after.raw["InvoiceItem"].as_array().unwrap().iter().map(|row| row["item"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Thing 1", "Thing 3", "Gift wrap"]);
    let stored = office.account(|account| account.document(document).unwrap().clone());
    assert_eq!((stored.custom_fields[0].label.as_str(), stored.custom_fields[0].value.as_str()), ("Driver", "Omar"));
    // Payments are not ours to send; whether leaving them out keeps them is Daftra's secret.
    let kept = if partial_put == PartialPut::Keep { 1 } else { 0 };
    let count = |document: &RemoteDocument| document.payments.as_ref().unwrap().len();
    assert_eq!((count(&remote), count(&after)), (1, kept));
}

/// What a captured answer looks like: text where numbers are meant, a date nobody can read, rows beside or inside.
fn captured() -> Value {
    let text = r#"{
        "id": "81", "no": "000094", "type": "0", "client_id": "15", "store_id": "4",
        "branch_id": "1", "staff_id": "-3", "currency_code": "SAR", "date": "18/06/2026", "issue_date": "18/06/2026",
        "original_date": "2026-06-18", "draft": "0", "po_number": "k3y-820-order",
        "notes": "Ring twice, k3y-820-order.", "terms": "30 days", "due_after": "14", "sales_person_id": "8",
        "discount": null, "discount_amount": "", "shipping_amount": null, "summary_total": 115.0, "summary_refund": 0,
        "summary_paid": "20", "payment_status": 1, "requisition_delivery_status": "1", "unique_id": "u",
        "client_first_name": "Layla", "qr_code_url": "https://x/?hash=1", "Client": {"first_name": "Layla"},
        "InvoiceItem": [
            {"id": "1", "item": "Wrap", "product_id": null, "unit_price": "9.00", "quantity": "1", "tax1": null,
             "tax2": "0", "discount": "5", "discount_type": "1", "store_id": "0", "col_3": "red", "subtotal": 8.55},
            {"id": "2", "item": "Mug", "description": "SKU-1 [line 1]", "product_id": "33", "unit_price": "50.000000", "quantity": 2, "tax1": "7",
             "tax2": "0", "discount": null, "discount_type": null, "store_id": "", "subtotal": 100}],
        "InvoiceCustomField": [{"id": "4", "label": "Driver", "value": "Omar"}],
        "InvoicePayment": [{"id": "26", "amount": "20", "payment_method": "cash", "transaction_id": null}]
    }"#;
    serde_json::from_str(text).unwrap()
}

fn read_captured(data: &Value) -> Result<RemoteDocument, String> {
    let script = Script::json(&[json!({"result": "successful", "code": 200, "data": data})]);
    match client(10).read_invoice(&script.door, &still, 81).outcome {
        Ok(Read::Found(document)) => Ok(*document),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn text_and_numbers_read_alike() {
    let remote = read_captured(&json!({"Invoice": captured()})).unwrap();
    let mug = &remote.items[1];
    assert_eq!((remote.total, remote.refunded, remote.branch_id), (decimal("115"), Some(Decimal::ZERO), Some(1)));
    assert_eq!((mug.quantity, mug.unit_price, mug.tax1, mug.tax2), (decimal("2"), decimal("50"), Some(VAT), None));
    assert_eq!((mug.product_id, mug.store_id, mug.discount), (Some(MUG), None, Decimal::ZERO));
    assert_eq!(remote.date, Some(date(2026, 6, 18)), "from original_date");
    let payment = &remote.payments.unwrap()[0];
    assert_eq!((payment.id, payment.amount, payment.is_completed), (26, decimal("20"), true));
    assert_eq!((remote.requisition_status, remote.is_adjusted), (Some(1), false));

    // The other spellings of the same answer.
    let mut other = captured();
    for (name, value) in [("id", json!(81)), ("draft", json!(false)), ("summary_total", json!("115.00"))] {
        other[name] = value;
    }
    let rows = other.as_object_mut().unwrap().remove("InvoiceItem").unwrap();
    let beside = read_captured(&json!({"RefundReceipt": other, "InvoiceItem": {"1": rows[1], "0": rows[0]}})).unwrap();
    assert_eq!((beside.items, beside.id, beside.total), (remote.items, remote.id, remote.total));
}

#[test]
fn what_we_rely_on_must_be_there() {
    for (name, value) in [
        ("id", json!("82")),
        ("id", json!(null)),
        ("type", json!("6")),
        ("summary_total", json!("n/a")),
        ("summary_total", json!(null)),
        ("draft", json!("maybe")),
        ("original_date", json!("18/06/2026")),
        ("InvoiceItem", json!(null)),
        ("InvoiceItem", json!("none")),
        ("InvoiceItem", json!([{"unit_price": "1"}])),
    ] {
        let mut broken = captured();
        broken[name] = value;
        let problem = read_captured(&json!({"Invoice": broken})).unwrap_err();
        assert!(problem.starts_with("Err(Failed"), "{name}: {problem}");
    }
}

#[test]
fn a_merge_of_a_captured_invoice() {
    let remote = read_captured(&json!({"Invoice": captured()})).unwrap();
    let old = invoice(vec![line(1, Some(MUG), 2, 10_000)]);
    let new = invoice(vec![line(1, Some(MUG), 1, 5_000), line(2, Some(LAMP), 1, 4_999)]);
    let body = merge(&remote, &old, &new).unwrap().body().clone();
    let header = &body["Invoice"];
    for (name, value) in [
        ("date", json!("2026-06-18")),
        ("notes", json!("Ring twice, k3y-820-order.")),
        ("terms", json!("30 days")),
        ("due_after", json!("14")),
        ("sales_person_id", json!("8")),
        ("no", json!("000094")),
        ("staff_id", json!("-3")),
        ("client_first_name", json!("Layla")),
        ("branch_id", json!("1")),
        ("client_id", json!(CLIENT)),
        ("draft", json!(0)),
    ] {
        assert_eq!(header[name], value, "{name}");
    }
    for name in
        ["unique_id", "issue_date", "summary_total", "payment_status", "InvoiceItem", "Client", "qr_code_url", "id"]
    {
        assert!(header.get(name).is_none(), "{name}");
    }
    assert_eq!(
        body["InvoiceItem"][0],
        json!({"item": "Wrap", "product_id": null, "unit_price": "9.00", "quantity": "1", "tax1": null, "tax2": "0",
               "discount": "5", "discount_type": "1", "store_id": "0", "col_3": "red"})
    );
    let units =
        |at: usize| (body["InvoiceItem"][at]["product_id"].clone(), body["InvoiceItem"][at]["quantity"].clone());
    assert_eq!([units(1), units(2)], [(json!(MUG), json!(1)), (json!(LAMP), json!(1))]);
    assert_eq!(body["InvoiceCustomField"], json!([{"label": "Driver", "value": "Omar"}]));
    assert!(body.get("Payment").is_none() && body.get("InvoicePayment").is_none());
}

#[test]
fn what_a_person_changed_is_not_overwritten() {
    let old = invoice(vec![line(1, Some(MUG), 2, 10_000)]);
    let refused = |field: &str, value: Value| {
        let mut changed = captured();
        changed[field] = value;
        let remote = read_captured(&json!({"Invoice": changed})).unwrap();
        merge(&remote, &old, &old).unwrap_err().into_iter().map(|one| one.what).collect::<Vec<_>>()
    };
    assert_eq!(refused("client_id", json!("16")), [DifferenceKind::Client]);
    assert_eq!(refused("draft", json!("1")), [DifferenceKind::Draft]);
    let mut rows = captured()["InvoiceItem"].clone();
    rows[1]["discount"] = json!("1");
    assert_eq!(refused("InvoiceItem", rows), [DifferenceKind::Row]);
    // The old row is not there because the new one is: the lost PUT arrived after all.
    let new = invoice(vec![line(1, Some(MUG), 1, 5_000)]);
    let remote = read_captured(&json!({"Invoice": captured()})).unwrap();
    assert!(merge(&remote, &new, &old).is_err());
}

#[test]
fn an_issued_draft_stays_issued() {
    let mut old = invoice(vec![line(1, Some(MUG), 2, 10_000)]);
    old.header.draft = true;
    let mut waiting = captured();
    waiting["draft"] = json!("1");
    for (found, sent) in [(captured(), 0), (waiting, 1)] {
        let remote = read_captured(&json!({"Invoice": found})).unwrap();
        assert_eq!(merge(&remote, &old, &old).unwrap().body()["Invoice"]["draft"], sent);
    }
}

#[test]
fn the_account_behind_a_key() {
    let office = Office::with(10, |setup| setup.decimals = 3);
    let site = paced(|pace| office.client.site_info(&office.door, pace)).outcome.unwrap();
    assert_eq!((site.id.as_str(), site.currency.as_str(), site.decimals), ("4711", "SAR", Some(3)));
    assert_eq!((site.host.as_str(), site.is_expired), ("one.daftra.com", false));
    assert_eq!(office.account(|account| account.documents(DocumentKind::Invoice).count()), 0);
}

#[test]
fn our_rows_are_written_again_only_where_they_can_be_told_from_others() {
    let own = invoice(vec![line(1, Some(MUG), 2, 10_000)]);
    let written = |mark: &str| {
        let mut changed = captured();
        changed["InvoiceItem"][1]["quantity"] = json!("7");
        changed["InvoiceItem"][1]["description"] = json!(mark);
        let remote = read_captured(&json!({"Invoice": changed})).unwrap();
        let body = overwrite(&remote, &own)?.body().clone();
        let rows = body["InvoiceItem"].as_array().unwrap().clone();
        Some(rows.iter().map(|row| (row["item"].clone(), row["quantity"].clone())).collect::<Vec<_>>())
    };
    let rows = written("[line 1]").unwrap();
    assert_eq!((rows.len(), &rows[0].0, &rows[1].1), (2, &json!("Wrap"), &json!(2)), "{rows:?}");
    assert_eq!(written(""), None, "whose row is the one of seven?");
}

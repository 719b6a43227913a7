//! Looking: found is easy, absent must be proven, and a filter is never believed.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use jiff::civil::{Date, date};
use qantara::daftra::look::Looked;
use qantara::daftra::outcome::Unanswered;
use qantara::domain::catalog::{Product, ProductKind};
use qantara::domain::draft::Draft;
use qantara::domain::invoice::InvoiceDraft;
use qantara::sandbox::daftra::Hand;
use qantara::sandbox::fault::{Fault, FaultKind};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::office::{MUG, Office, Script, client, invoice, line, paced, raw, receipt, still};

const YESTERDAY: Date = date(2026, 6, 16);

fn named(reference: &str) -> Draft {
    let plain = invoice(vec![line(1, Some(MUG), 1, 500)]);
    let header = qantara::domain::invoice::Header { reference: reference.into(), ..plain.header.clone() };
    Draft::Invoice(InvoiceDraft { header, ..plain })
}

fn look(office: &Office, reference: &str) -> Result<Looked, Unanswered> {
    paced(|pace| office.client.look_up_invoice(&office.door, pace, reference, YESTERDAY)).outcome
}

fn found(id: i64) -> impl Fn(&Result<Looked, Unanswered>) -> bool {
    move |looked| matches!(looked, Ok(Looked::Found { remote_id, .. }) if *remote_id == id)
}

#[test]
fn an_invoice_is_found_with_and_without_the_filter() {
    for po_numbers in [true, false] {
        let office = Office::with(2, |setup| (setup.po_numbers, setup.list_lag_seconds) = (po_numbers, 0));
        let ids: Vec<i64> = (1..=5).map(|n| office.post(&named(&format!("k-{n}-order")), None)).collect();
        for (n, id) in (1..).zip(&ids) {
            assert!(found(*id)(&look(&office, &format!("k-{n}-order"))), "{n}");
        }
        assert_eq!(look(&office, "k-9-order"), Ok(Looked::Absent));
        // A reference inside a longer one is another.
        assert_eq!(look(&office, "k-1"), Ok(Looked::Absent));
        assert_eq!(look(&office, "k-1-order/2"), Ok(Looked::Absent));
    }
}

#[test]
fn a_draft_and_a_reference_in_the_notes_count() {
    let office = Office::with(2, |setup| (setup.po_numbers, setup.list_lag_seconds) = (false, 0));
    let Draft::Invoice(mut draft) = named("k-1-order") else { unreachable!() };
    draft.header.draft = true;
    let id = office.post(&Draft::Invoice(draft), None);
    assert!(found(id)(&look(&office, "k-1-order")));

    let other = office.post(&named("k-2-order"), None);
    let document = u64::try_from(other).unwrap();
    office.hand(Hand::SetNotes { document, notes: "see <b>k-3-order</b>, please".into() });
    assert!(found(other)(&look(&office, "k-3-order")));
    // Twice: a person must say which.
    office.post(&named("k-3-order"), None);
    let looked = look(&office, "k-3-order");
    assert!(matches!(&looked, Ok(Looked::Several(ids)) if ids.len() == 2 && ids.contains(&other)), "{looked:?}");
}

#[test]
fn a_deleted_invoice_is_absent_and_an_unlisted_one_not_yet_there() {
    let office = Office::with(2, |setup| setup.list_lag_seconds = 5);
    let id = office.post(&named("k-1-order"), None);
    assert_eq!(look(&office, "k-1-order"), Ok(Looked::Absent));
    office.later(SignedDuration::from_secs(10));
    assert!(found(id)(&look(&office, "k-1-order")));
    office.hand(Hand::Delete { document: u64::try_from(id).unwrap() });
    assert_eq!(look(&office, "k-1-order"), Ok(Looked::Absent));
}

#[test]
fn a_look_that_breaks_off_proves_nothing() {
    let office = Office::with(2, |setup| setup.po_numbers = false);
    for n in 1..=5 {
        office.post(&named(&format!("k-{n}-order")), None);
    }
    for (kind, expected) in [
        (FaultKind::ErrorBeforeSaving, "Failed"),
        (FaultKind::TruncatedJson, "Failed"),
        (FaultKind::HtmlPage, "Failed"),
        (FaultKind::LoseAnswer, "Failed"),
        (FaultKind::Unauthorized, "Credential"),
        (FaultKind::Throttled { retry_after: Some(3) }, "Throttled"),
    ] {
        office.account(|account| account.add_fault(Fault::always(kind.clone())));
        let looked = format!("{:?}", look(&office, "k-9-order"));
        assert!(looked.starts_with(&format!("Err({expected}")), "{kind:?}: {looked}");
        office.account(|account| account.clear_faults());
    }
}

fn list(rows: &[Value], page: i64, pages: i64, total: i64) -> Value {
    let data: Vec<Value> = rows.iter().map(|row| json!({"Invoice": row})).collect();
    json!({"result": "successful", "code": 200, "data": data,
           "pagination": {"prev": null, "next": null, "page": page, "page_count": pages, "total_results": total}})
}

fn row(id: i64, po_number: &str) -> Value {
    json!({"id": id.to_string(), "type": "0", "no": format!("{id:06}"), "po_number": po_number, "notes": null})
}

/// Looks in a list of which the first answer belongs to the quick try.
fn look_in(answers: &[Value]) -> Result<Looked, Unanswered> {
    let script = Script::json(answers);
    let looked = client(2).look_up_invoice(&script.door, &still, "k-1-order", YESTERDAY).outcome;
    assert_eq!(script.requests().len(), answers.len());
    looked
}

fn text(looked: Result<Looked, Unanswered>) -> String {
    match looked {
        Err(Unanswered::Failed { text, outage: false, trouble: None }) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn absence_adds_up() {
    let none = list(&[], 1, 1, 0);
    assert_eq!(look_in(&[none.clone(), none.clone(), none.clone()]), Ok(Looked::Absent));
    let (first, second) = (list(&[row(1, "a"), row(2, "b")], 1, 2, 3), list(&[row(3, "c")], 2, 2, 3));
    assert_eq!(look_in(&[none.clone(), first.clone(), second, none.clone()]), Ok(Looked::Absent));
    let draft = list(&[row(4, "k-1-order")], 1, 1, 1);
    let among_drafts = look_in(&[none.clone(), none.clone(), draft]);
    assert_eq!(among_drafts, Ok(Looked::Found { remote_id: 4, remote_no: Some("000004".into()) }));

    let short = list(&[row(1, "a")], 1, 1, 2);
    assert_eq!(text(look_in(&[none.clone(), short])), "The list has 2 rows and gave 1");
    let again = list(&[row(2, "b")], 2, 2, 3);
    assert_eq!(text(look_in(&[none.clone(), first.clone(), again])), "The list has 3 rows and gave 2");
    let grown = list(&[row(3, "c"), row(4, "d")], 2, 2, 4);
    assert_eq!(text(look_in(&[none.clone(), first.clone(), grown])), "The list changed while it was read");
    assert_eq!(text(look_in(&[none, first.clone(), first])), "Asked for page 2, got page 1");
}

#[test]
fn a_list_that_cannot_be_read_proves_nothing() {
    let none = list(&[], 1, 1, 0);
    let mut without_counts = none.clone();
    without_counts["pagination"] = json!({"page": 1, "page_count": 1});
    let mut without_rows = none.clone();
    without_rows["data"] = json!(null);
    let mut nested_otherwise = list(&[row(1, "a")], 1, 1, 1);
    nested_otherwise["data"][0] = row(1, "a");
    let mut without_id = row(1, "a");
    without_id["id"] = json!("");
    for odd in [
        without_counts,
        without_rows,
        nested_otherwise,
        list(&[without_id], 1, 1, 1),
        list(&[json!({"id": "1", "no": "000001"})], 1, 1, 1),
    ] {
        assert!(text(look_in(&[none.clone(), odd])).starts_with("The answer cannot be read"));
    }
}

#[test]
fn an_ignored_filter_does_not_adopt_a_stranger() {
    let all = list(&[row(1, "k-1-order/2"), row(2, "xk-1-order")], 1, 1, 2);
    assert_eq!(look_in(&[all.clone(), all.clone(), all]), Ok(Looked::Absent));
    // Debit notes live in the same list.
    let mut note = row(3, "k-1-order");
    note["type"] = json!("16");
    let all = list(&[note], 1, 1, 1);
    assert_eq!(look_in(&[all.clone(), all.clone(), all]), Ok(Looked::Absent));
    // A filter that was ignored shows one page of many: the first hit is not the only one.
    let (first, last) = (list(&[row(1, "k-1-order")], 1, 2, 2), list(&[row(2, "k-1-order")], 2, 2, 2));
    let both = look_in(&[first.clone(), first, last]);
    assert_eq!(both, Ok(Looked::Several(BTreeSet::from([1, 2]))));
    let ours = list(&[row(1, "other"), row(2, "k-1-order")], 1, 1, 2);
    let looked = look_in(&[ours]);
    assert_eq!(looked, Ok(Looked::Found { remote_id: 2, remote_no: Some("000002".into()) }));
}

#[test]
fn the_list_is_asked_for_whole() {
    let none = list(&[], 1, 1, 0);
    let script = Script::json(&[none.clone(), none.clone(), none]);
    let door = qantara::daftra::client::Door { branch_id: Some(6), ..script.door.clone() };
    client(2).look_up_invoice(&door, &still, "k-1-order", YESTERDAY).outcome.unwrap();
    let requests = script.requests();
    let line = |at: usize| requests[at].lines().next().unwrap().to_owned();
    let common = "created_from=2026-06-16&recursive=1&sort=id&direction=asc";
    let rest = "page=1&limit=2&request_branch_id=6 HTTP/1.1";
    assert_eq!(line(0), format!("GET /acct/one/api2/invoices.json?{common}&po_number=k-1-order&{rest}"));
    assert_eq!(line(1), format!("GET /acct/one/api2/invoices.json?{common}&{rest}"));
    assert_eq!(line(2), format!("GET /acct/one/api2/invoices.json?{common}&draft=1&{rest}"));
}

#[test]
fn a_receipt_is_found_among_all_and_absent_only_if_the_invoice_agrees() {
    for v2_filters in [true, false] {
        let office = Office::with(2, |setup| (setup.v2_filters, setup.list_lag_seconds) = (v2_filters, 0));
        let invoices: Vec<i64> = (1..=3).map(|n| office.post(&named(&format!("k-{n}-order")), None)).collect();
        let elsewhere = office.post(&receipt(vec![line(1, Some(MUG), 1, 100)]), Some(invoices[1]));
        let look = |reference: &str, posted: &str| {
            let posted: Decimal = posted.parse().unwrap();
            let ask =
                |pace: &dyn Fn()| office.client.look_up_receipt(&office.door, pace, reference, invoices[0], posted);
            paced(ask).outcome
        };
        assert_eq!(look("k3y-820-cancel", "0"), Ok(Looked::Absent));
        let known = office.post(&receipt(vec![line(1, Some(MUG), 1, 200)]), Some(invoices[0]));
        let looked = look("k3y-820-refund/9", "0");
        if v2_filters {
            assert!(found(known)(&looked), "{looked:?}");
        } else {
            // The reference is the same on purpose: nothing may be adopted then.
            assert_eq!(looked, Ok(Looked::Several(BTreeSet::from([elsewhere, known]))));
        }
        assert_eq!(look("k3y-820-cancel", "2.30"), Ok(Looked::Absent));
        let disagreed = text(look("k3y-820-cancel", "0"));
        assert!(disagreed.contains("says 2.3 is refunded, our receipts are 0"), "{disagreed}");
        office.hand(Hand::Delete { document: u64::try_from(known).unwrap() });
        assert!(!found(known)(&look("k3y-820-refund/9", "0")), "deleted rows stay in the list");
    }
}

#[test]
fn products_by_code_barcode_and_the_other_length_of_it() {
    for v2_filters in [true, false] {
        let office = Office::with(2, |setup| setup.v2_filters = v2_filters);
        let ids = |code: &str| -> Vec<i64> {
            let products = paced(|pace| office.client.products(&office.door, pace, code)).outcome.unwrap();
            products.into_iter().map(|product| product.id).collect()
        };
        assert_eq!(ids(" MUG-1 "), [33, 35], "a code and another product's barcode");
        assert_eq!(ids("lamp-1"), [34]);
        assert_eq!(ids("0123456789012"), [33]);
        assert_eq!(ids("123456789012"), [33], "EAN-13 with a leading zero");
        assert_eq!(ids("mug"), [] as [i64; 0]);
        let products = office.client.products(&office.door, &still, "lamp-1").outcome.unwrap();
        let lamp = &products[0];
        assert_eq!(
            (lamp.code.as_str(), lamp.kind, lamp.active, lamp.tracked),
            ("lamp-1", ProductKind::Product, true, true)
        );
    }
}

fn ask_for_products(answers: Vec<Vec<u8>>) -> Result<Vec<Product>, Unanswered> {
    let count = answers.len();
    let script = Script::new(answers);
    let products = client(10).products(&script.door, &still, "MUG-1").outcome;
    assert_eq!(script.requests().len(), count);
    products
}

#[test]
fn where_v2_is_of_no_use_v1_is_asked() {
    let json = |body: &Value| raw("200 OK", "application/json", &body.to_string());
    let mug = json!({"id": "33", "name": "Mug", "product_code": "Mug-1", "barcode": "", "type": "1", "status": "1",
                     "track_stock": "1", "branch_id": "0"});
    let v1 = |rows: &[Value]| {
        let data: Vec<Value> = rows.iter().map(|row| json!({"Product": row})).collect();
        json(&json!({"result": "successful", "code": 200, "data": data,
                     "pagination": {"page": 1, "page_count": 1, "total_results": rows.len()}}))
    };
    let unauthorized = raw("401 Unauthorized", "application/json", r#"{"message":"Unauthenticated."}"#);
    let no_entity = json(&json!({"error": "Entity Not exists"}));
    for useless in [unauthorized.clone(), no_entity] {
        let products = ask_for_products(vec![useless, v1(std::slice::from_ref(&mug)), v1(&[])]).unwrap();
        assert_eq!((products.len(), products[0].id, products[0].active), (1, 33, false));
    }
    let refused =
        raw("401 Unauthorized", "application/json", r#"{"result":"failed","code":401,"message":"Unauthorized"}"#);
    assert!(matches!(ask_for_products(vec![unauthorized, refused]), Err(Unanswered::Credential(_))));
    // An outage is an outage; asking the same server more does not help.
    let down = ask_for_products(vec![raw("502 Bad Gateway", "text/html", "<html>")]);
    assert!(matches!(down, Err(Unanswered::Failed { outage: true, .. })), "{down:?}");
}

#[test]
fn deleted_products_do_not_count() {
    let page = |row: Value| json!({"data": [row], "meta": {"current_page": 1, "last_page": 1, "total": 1}});
    let mug = |deleted_at: Value| {
        page(json!({"id": 33, "product_code": "MUG-1", "barcode": null, "type": 3, "deleted_at": deleted_at}))
    };
    for (deleted_at, count) in [(json!("2026-06-01 10:00:00"), 0), (json!(null), 1)] {
        let script = Script::json(&[mug(deleted_at.clone()), mug(deleted_at)]);
        let products = client(10).products(&script.door, &still, "MUG-1").outcome.unwrap();
        assert_eq!(products.len(), count);
        assert!(products.iter().all(|product| product.kind == ProductKind::Bundle));
    }
}

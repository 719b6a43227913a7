//! What is kept of a call: enough to understand it, nothing about persons, never the key.

use qantara::daftra::client::{Door, Report};
use qantara::domain::draft::Draft;
use serde_json::{Value, json};

use crate::office::{BUYER, KEY, MUG, Office, Script, client, invoice, line, raw, still};

fn assert_clean(report: &Report) {
    let all = format!(
        "{} {} {} {}",
        report.path,
        report.detail,
        String::from_utf8(report.request.clone()).unwrap(),
        String::from_utf8(report.answer.clone()).unwrap()
    );
    for hidden in [KEY, BUYER, "Layla", "0551234567", "layla@", "10.1.2.3", "hash=", "Olaya", "ring twice"] {
        assert!(!all.contains(hidden), "{hidden} is in {all}");
    }
}

#[test]
fn a_report_tells_the_call_and_hides_the_person() {
    let office = Office::with(2, |setup| (setup.ids_as_text, setup.number_in_answer) = (false, true));
    let draft = Draft::Invoice(invoice(vec![line(1, Some(MUG), 2, 2_500)]));
    let created = office.client.create(&office.door, &still, &draft, None);
    let report = &created.reports[0];
    assert_clean(report);
    assert_eq!((report.method, report.path.as_str(), report.status), ("POST", "/api2/invoices.json", Some(202)));
    assert_eq!(report.detail, "");
    let request: Value = serde_json::from_slice(&report.request).unwrap();
    assert_eq!(request["Invoice"]["po_number"], "k3y-820-order");
    assert_eq!(request["InvoiceItem"][0]["unit_price"], 12.5);
    let answer: Value = serde_json::from_slice(&report.answer).unwrap();
    assert_eq!((&answer["id"], &answer["invoice_number"]), (&json!(1001), &json!("000094")));

    let read = office.client.read_invoice(&office.door, &still, 1001);
    assert_clean(&read.reports[0]);
    let answer: Value = serde_json::from_slice(&read.reports[0].answer).unwrap();
    assert_eq!(answer["data"]["Invoice"]["Client"], "…");
    assert_eq!(answer["data"]["Invoice"]["summary_total"], 28.75);
    assert_eq!(read.reports[0].request, b"");
    assert_clean(&office.client.site_info(&office.door, &still).reports[0]);
}

#[test]
fn personal_fields_in_every_corner() {
    let body = json!({"result": "failed", "code": 400, "message": format!("{KEY}: ask layla@example.com"), "data": {
        "client_secondary_phone2": "0551234567", "client_first_name": "Layla", "ip": "10.1.2.3", "notes": "ring twice",
        "invoice_html_url": "https://x/?hash=1", "Client": {"anything": "Layla"}, "phone1": 551_234_567,
        "InvoicePayment": [{"amount": "5", "ip": "10.1.2.3", "client_address1": "Olaya 5"}],
        "InvoiceCustomField": [{"label": "Buyer", "value": "Layla"}], KEY: 1, "summary_paid": "5", "email": null}});
    let script = Script::new(vec![raw("400 Bad Request", "application/json", &body.to_string())]);
    let answered = client(10).site_info(&script.door, &still);
    let report = &answered.reports[0];
    assert_clean(report);
    assert_eq!(report.detail, "…: ask …");
    let answer: Value = serde_json::from_slice(&report.answer).unwrap();
    assert_eq!(answer["data"]["InvoicePayment"], json!([{"amount": "5", "ip": "…", "client_address1": "…"}]));
    assert_eq!((&answer["data"]["summary_paid"], &answer["data"]["email"]), (&json!("5"), &Value::Null));
    assert!(!format!("{:?} {:?}", answered.outcome, script.door).contains(KEY));
}

#[test]
fn what_is_no_json_is_only_counted_and_what_is_long_is_cut() {
    let script = Script::new(vec![raw("200 OK", "application/json", r#"{"data":{"first_name":"Layla"#)]);
    let report = client(10).site_info(&script.door, &still).reports.remove(0);
    assert_eq!(String::from_utf8(report.answer).unwrap(), r#"{"not_json_bytes":28}"#);

    let rows: Vec<Value> = (0..5_000).map(|n| json!({"id": n, "po_number": "k-1-order"})).collect();
    let long = raw("200 OK", "application/json", &json!({"rows": rows}).to_string());
    let script = Script::new(vec![long]);
    let report = client(10).site_info(&script.door, &still).reports.remove(0);
    let kept: Value = serde_json::from_slice(&report.answer).unwrap();
    assert_eq!(kept["rows"][0], json!({"id": 0, "po_number": "k-1-order"}));
    assert!(report.answer.len() < 100_000, "{}", report.answer.len());
}

#[test]
fn the_key_leaves_in_its_header_only() {
    let script = Script::json(&[json!({})]);
    let door = Door { branch_id: Some(3), ..script.door.clone() };
    let draft = Draft::Invoice(invoice(vec![line(1, Some(MUG), 1, 100)]));
    client(10).create(&door, &still, &draft, None);
    let request = script.requests().remove(0);
    let lower = request.to_lowercase();
    assert!(request.starts_with("POST /acct/one/api2/invoices.json?request_branch_id=3 HTTP/1.1\r\n"), "{request}");
    assert!(!lower.contains("authorization"), "{request}");
    assert_eq!(lower.matches(&KEY.to_lowercase()).count(), 1);
    assert!(lower.contains(&format!("\r\napikey: {KEY}\r\n")) && lower.contains("content-type: application/json"));
}

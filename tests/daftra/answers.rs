//! What an answer counts as: everything odd that can come back, one line each.

use jiff::SignedDuration;
use qantara::daftra::client::Read;
use qantara::daftra::outcome::{Dialect, Setback, Trouble, Unanswered, Written, created, judge, replaced};
use qantara::domain::draft::Draft;
use qantara::domain::reason::Refusal;
use qantara::outgoing::{Answer, Failure};
use serde_json::json;

use crate::office::{KEY, MUG, Script, client, door_to, invoice, line, raw, receipt, still};

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Answer { status, headers, body: body.into() }
}

fn create(status: u16, body: &str) -> Written {
    created(judge(Ok(answer(status, &[], body)), Dialect::V1, &KEY.to_owned().into()))
}

fn accepted(remote_id: i64, remote_no: Option<&str>) -> Written {
    Written::Accepted { remote_id, remote_no: remote_no.map(str::to_owned) }
}

#[track_caller]
fn assert_unknown(written: &Written, expected: Option<Trouble>) {
    assert!(matches!(written, Written::Unknown { trouble, .. } if *trouble == expected), "{written:?}");
}

#[test]
fn accepted_needs_everything() {
    assert_eq!(create(202, r#"{"result":"successful","code":202,"id":2415}"#), accepted(2415, None));
    let named = r#"{"result":"successful","code":"200","id":"2415","invoice_number":"000094"}"#;
    assert_eq!(create(200, named), accepted(2415, Some("000094")));
    for body in [
        r#"{"result":"successful","code":202}"#,
        r#"{"result":"successful","code":202,"id":""}"#,
        r#"{"result":"successful","code":202,"id":null}"#,
        r#"{"result":"successful","code":202,"id":0}"#,
        r#"{"result":"successful","code":202,"id":-3}"#,
        r#"{"result":"successful","code":202,"id":"a17"}"#,
        r#"{"result":"successful","id":2415}"#,
        r#"{"result":"successful","code":500,"id":2415}"#,
        r#"{"result":"success","code":202,"id":2415}"#,
        r#"{"code":202,"id":2415}"#,
        r#"{"error":"try later"}"#,
        r#"{"result":"failed","code":202,"id":2415}"#,
        r#"[{"result":"successful","code":202,"id":2415}]"#,
        r#"{"result":"successful","code":202,"id":24"#,
        "2415",
        "",
    ] {
        assert_unknown(&create(202, body), None);
    }
    assert_unknown(&create(100, r#"{"result":"successful","code":202,"id":2415}"#), None);
}

#[test]
fn a_replacement_needs_no_id() {
    let replace = |body| replaced(judge(Ok(answer(200, &[], body)), Dialect::V1, &KEY.to_owned().into()), 81);
    assert_eq!(replace(r#"{"result":"successful","code":200}"#), accepted(81, None));
    assert_unknown(&replace(r#"{"result":"successful"}"#), None);
    assert_unknown(&replace(""), None);
}

#[test]
fn a_no_counts_when_daftra_explains_it() {
    let flat = r#"{"result":"failed","code":400,"message":"Bad Request","validation_errors":{"client_id":"unknown"}}"#;
    let Written::Refused(refusal) = create(400, flat) else { panic!("{:?}", create(400, flat)) };
    assert_eq!(
        refusal,
        Refusal { status: 400, message: "Bad Request".into(), fields: vec![("client_id".into(), "unknown".into())] }
    );
    let nested = r#"{"result":"failed","validation_errors":{"Invoice":{"date":["closed","late"]}}}"#;
    let Written::Refused(refusal) = create(200, nested) else { panic!("{:?}", create(200, nested)) };
    let field = "Invoice.date".to_owned();
    assert_eq!(refusal.fields, [(field.clone(), "closed".to_owned()), (field, "late".to_owned())]);
    assert_eq!(refusal.status, 200);

    assert!(matches!(create(404, r#"{"message":"Item not found"}"#), Written::Refused(r) if r.status == 404));
    assert!(matches!(create(422, r#"{"message":"","errors":{"a":["b"]}}"#), Written::Refused(_)));
    for (status, body) in [(400, "{}"), (400, r#"{"message":""}"#), (404, "null"), (200, r#"{"result":"failed"}"#)] {
        assert_unknown(&create(status, body), None);
    }
}

#[test]
fn the_key_does_not_open() {
    let unauthorized = r#"{"result":"failed","code":401,"message":"Unauthorized"}"#;
    for status in [401, 403, 200] {
        assert!(matches!(create(status, unauthorized), Written::Credential(text) if text.contains("Unauthorized")));
    }
    assert_unknown(&create(401, "<html>Login</html>"), Some(Trouble::Html));
    assert_unknown(&create(403, ""), None);
}

#[test]
fn every_5xx_is_unknown() {
    let failed = r#"{"result":"failed","code":500,"message":"Internal Server Error"}"#;
    for (status, body) in [(500, failed), (503, ""), (599, "{}"), (502, "<html>Bad gateway</html>"), (200, failed)] {
        assert_unknown(&create(status, body), None);
    }
    let saved = r#"{"result":"successful","code":202,"id":2415}"#;
    assert_unknown(&create(500, saved), None);
}

#[test]
fn pages_and_redirects_are_trouble() {
    for status in [200, 202, 404, 403] {
        assert_unknown(&create(status, "  \n<!DOCTYPE html><title>Login</title>"), Some(Trouble::Html));
    }
    let exchange = Ok(answer(200, &[("content-type", "text/html; charset=UTF-8")], "please log in"));
    assert_unknown(&created(judge(exchange, Dialect::V1, &KEY.to_owned().into())), Some(Trouble::Html));
    let body = r#"{"result":"successful","code":202,"id":2415}"#;
    for status in [301, 302, 307] {
        assert_unknown(&create(status, body), Some(Trouble::Redirect));
    }
}

#[test]
fn throttled_says_for_how_long() {
    let wait = |headers: &[(&str, &str)]| {
        let exchange = Ok(answer(429, headers, r#"{"message":"Too many"}"#));
        let written = created(judge(exchange, Dialect::V1, &KEY.to_owned().into()));
        let Written::Throttled { retry_after, .. } = written else { panic!("{written:?}") };
        retry_after
    };
    let date = ("date", "Wed, 17 Jun 2026 09:00:00 GMT");
    assert_eq!(wait(&[]), None);
    assert_eq!(wait(&[("retry-after", "30")]), Some(SignedDuration::from_secs(30)));
    let in_two_minutes = ("retry-after", "Wed, 17 Jun 2026 09:02:00 GMT");
    assert_eq!(wait(&[in_two_minutes, date]), Some(SignedDuration::from_mins(2)));
    assert_eq!(wait(&[in_two_minutes]), None);
    assert_eq!(wait(&[("retry-after", "Wed, 17 Jun 2026 08:00:00 GMT"), date]), Some(SignedDuration::ZERO));
    assert_eq!(wait(&[("retry-after", "99999999999")]), Some(SignedDuration::from_hours(24)));
    assert_eq!(wait(&[("retry-after", "-5")]), Some(SignedDuration::ZERO));
    assert_eq!(wait(&[("retry-after", "soon")]), None);
}

#[test]
fn no_answer_at_all() {
    let judged = |failure| created(judge(Err(failure), Dialect::V1, &KEY.to_owned().into()));
    assert_eq!(judged(Failure::Unsent("no connection".into())), Written::Unsent("no connection".into()));
    assert_unknown(&judged(Failure::Unknown("time-out".into())), None);
}

#[test]
fn v2_has_its_own_success() {
    let judged = |status, body| judge(Ok(answer(status, &[], body)), Dialect::V2, &KEY.to_owned().into());
    assert!(judged(200, r#"{"data":[]}"#).is_ok());
    assert!(matches!(judged(200, r#"{"error":"Entity Not exists"}"#), Err(Setback::Refused(_))));
    assert!(matches!(judged(400, r#"{"message":"Record not found"}"#), Err(Setback::Refused(_))));
    assert!(matches!(judged(401, r#"{"message":"Unauthenticated."}"#), Err(Setback::Credential(_))));
    assert!(matches!(judged(200, "[]"), Err(Setback::Unknown { .. })));
}

#[test]
fn words_come_out_without_key_and_mail_address() {
    let body = json!({"message": format!("Key {KEY} of layla@example.com is bad"),
                      "validation_errors": {"client_email": "layla@example.com is taken"}});
    let Written::Refused(refusal) = create(400, &body.to_string()) else { panic!() };
    assert_eq!(refusal.message, "Key … of … is bad");
    assert_eq!(refusal.fields, [("client_email".to_owned(), "… is taken".to_owned())]);
}

#[test]
fn odd_answers_over_the_wire() {
    let draft = Draft::Invoice(invoice(vec![line(1, Some(MUG), 2, 2_500)]));
    let send = |bytes: Vec<u8>| {
        let script = Script::new(vec![bytes]);
        let written = client(10).create(&script.door, &still, &draft, None).outcome;
        assert_eq!(script.requests().len(), 1, "a write is sent once");
        written
    };
    assert_unknown(&send(Vec::new()), None);
    assert_unknown(&send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 60\r\n\r\n{\"result\":\"succ".to_vec()), None);
    let elsewhere = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_unknown(&send(elsewhere), Some(Trouble::Redirect));
    let good = raw("202 Accepted", "application/json", r#"{"result":"successful","code":202,"id":5}"#);
    assert_eq!(send(good), accepted(5, None));
}

#[test]
fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let door = door_to(&format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let draft = Draft::Invoice(invoice(Vec::new()));
    assert!(matches!(client(10).create(&door, &still, &draft, None).outcome, Written::Unsent(_)));
    let read = client(10).read_invoice(&door, &still, 5).outcome;
    assert!(matches!(read, Err(Unanswered::Unsent(_))), "{read:?}");
}

#[test]
fn a_receipt_without_its_invoice_is_not_sent() {
    let door = door_to("http://127.0.0.1:9");
    let answered = client(10).create(&door, &still, &receipt(vec![line(1, Some(MUG), 1, 100)]), None);
    assert!(matches!(answered.outcome, Written::Unsent(_)));
    assert_eq!(answered.reports, []);
}

#[test]
fn reading_tells_missing_from_unanswered() {
    let read = |status: &str, body: &str| {
        let script = Script::new(vec![raw(status, "application/json", body)]);
        client(10).read_invoice(&script.door, &still, 5).outcome
    };
    let not_found = |message| format!(r#"{{"result":"failed","code":404,"message":"{message}"}}"#);
    for status in ["404 Not Found", "200 OK"] {
        assert_eq!(read(status, &not_found("الفاتورة غير موجودة")), Ok(Read::Missing));
    }
    let refused = |status, body: &str| match read(status, body) {
        Err(Unanswered::Failed { outage, trouble, .. }) => (outage, trouble),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused("404 Not Found", &not_found("Invalid Endpoint")), (false, None));
    assert_eq!(refused("404 Not Found", "<html>"), (false, Some(Trouble::Html)));
    assert_eq!(refused("503 Busy", ""), (true, None));
    assert_eq!(refused("200 OK", r#"{"result":"successful","code":200,"data":{"Inv"#), (false, None));
    assert_eq!(refused("200 OK", r#"{"result":"successful","code":200,"data":{}}"#), (false, None));
}

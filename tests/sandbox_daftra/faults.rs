//! Bad days, one test per kind.

use crate::desk::{Desk, START, furnished, two_mugs};
use jiff::SignedDuration;
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::http::Request;
use qantara::sandbox::{Reaction, World};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

#[test]
fn fault_lose_request() {
    let desk = Desk::new();
    desk.fault(FaultKind::LoseRequest);
    assert!(desk.lost(&two_mugs()).is_empty());
    assert_eq!(desk.invoices(), 0);
    desk.invoice(&two_mugs());
}

#[test]
fn fault_lose_answer() {
    let desk = Desk::new();
    desk.fault(FaultKind::LoseAnswer);
    assert!(desk.lost(&two_mugs()).is_empty());
    assert_eq!((desk.invoices(), desk.stock(3, 1)), (1, "98".into()));
}

#[test]
fn fault_late() {
    let desk = Desk::new();
    desk.fault(FaultKind::Late { seconds: 60 });
    assert!(desk.lost(&two_mugs()).is_empty());
    let total = || desk.get("/api2/invoices").json()["pagination"]["total_results"].clone();
    assert_eq!(total(), 0);
    let due = desk.server.world().lock().unwrap().next_event().unwrap();
    assert_eq!(due, desk.now() + SignedDuration::from_secs(60));
    desk.wait(59);
    assert_eq!(total(), 0);
    desk.wait(1);
    assert_eq!(total(), 1);
    assert_eq!(desk.server.world().lock().unwrap().next_event(), None);
    desk.fault(FaultKind::Late { seconds: 60 });
    assert!(desk.lost(&two_mugs()).is_empty());
    desk.wait(300);
    assert_eq!(desk.read(1002)["created"], "2026-06-17 12:02:00", "at the moment of its arrival");
}

#[test]
fn fault_errors_before_and_after_saving() {
    let desk = Desk::new();
    desk.fault(FaultKind::ErrorBeforeSaving);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert_eq!((reply.status, reply.message().as_str()), (500, "Internal Server Error"));
    assert_eq!(desk.invoices(), 0);
    desk.fault(FaultKind::ErrorAfterSaving);
    assert_eq!(desk.post("/api2/invoices", &two_mugs()).status, 500);
    assert_eq!(desk.invoices(), 1);
}

#[test]
fn fault_failed_with_200() {
    let desk = Desk::new();
    desk.fault(FaultKind::FailedWith200);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert_eq!((reply.status, reply.json()["result"].as_str()), (200, Some("failed")));
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_html_page_and_redirect() {
    let desk = Desk::new();
    desk.fault(FaultKind::HtmlPage);
    let page = desk.post("/api2/invoices", &two_mugs());
    assert!(page.status == 200 && page.body.starts_with(b"<!DOCTYPE html>"));
    desk.fault(FaultKind::HtmlRedirect);
    let redirect = desk.post("/api2/invoices", &two_mugs());
    assert!(redirect.status == 302 && redirect.head.to_lowercase().contains("location: /login"));
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_unauthorized_and_forbidden() {
    let desk = Desk::new();
    desk.fault(FaultKind::Unauthorized);
    assert_eq!(desk.post("/api2/invoices", &two_mugs()).status, 401);
    desk.fault(FaultKind::Forbidden);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert!(reply.status == 403 && reply.json()["error_type"].is_string() && reply.json()["extra_data"].is_array());
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_throttled_with_and_without_retry_after() {
    let desk = Desk::new();
    for retry_after in [Some(30), None] {
        desk.fault(FaultKind::Throttled { retry_after });
        let reply = desk.post("/api2/invoices", &two_mugs());
        assert_eq!(reply.status, 429);
        assert_eq!(reply.head.to_lowercase().contains("retry-after: 30"), retry_after.is_some());
    }
    assert_eq!(desk.invoices(), 0);
}

#[test]
fn fault_slow() {
    let mut world = World::new(1);
    let mut account = furnished(|_| {});
    account.add_fault(Fault::once(FaultKind::Slow { seconds: 40 }));
    world.add(account);
    let request =
        Request::new("POST", "/acct/one/api2/invoices").with_header("apikey", "key-one").with_json(&two_mugs());
    let Reaction::Answer { answer, after } = world.react(&request, START.parse().unwrap()) else { panic!("no answer") };
    assert_eq!((answer.status, after.as_secs()), (202, 40));
}

#[test]
fn fault_drip() {
    let desk = Desk::new();
    desk.fault(FaultKind::Drip { bytes_per_second: 500 });
    let mut stream = TcpStream::connect(desk.server.address()).unwrap();
    let body = two_mugs().to_string();
    let head = "POST /acct/one/api2/invoices HTTP/1.1\r\nHost: x\r\napikey: key-one\r\nContent-Length:";
    stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let (mut answer, mut pieces, mut buffer) = (Vec::new(), 0, [0; 4096]);
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            amount => answer.extend_from_slice(&buffer[..amount]),
        }
        pieces += 1;
    }
    assert!(answer.starts_with(b"HTTP/1.1 202") && answer.ends_with(b"}"), "it is whole");
    assert!(pieces > 20, "{} bytes in {pieces} pieces", answer.len());
    assert_eq!(desk.invoices(), 1);
}

#[test]
fn fault_unauthorized_from_the_third_call_on() {
    let desk = Desk::new();
    desk.account(|account| account.add_fault(Fault::always(FaultKind::Unauthorized).on("POST", "invoices").after(2)));
    let statuses: Vec<u16> = (0..4).map(|_| desk.post("/api2/invoices", &two_mugs()).status).collect();
    assert_eq!(statuses, [202, 202, 401, 401]);
    assert_eq!(desk.get("/api2/invoices").status, 200, "other calls are not counted and not hit");
    desk.account(|account| account.clear_faults());
    assert_eq!(desk.post("/api2/invoices", &two_mugs()).status, 202);
    assert!(desk.account(|account| account.revoke("key-one")));
    assert_eq!(desk.get("/api2/invoices").status, 401, "and a key that is gone opens nothing");
    assert!(!desk.account(|account| account.revoke("key-one")));
}

#[test]
fn fault_hang() {
    let desk = Desk::new();
    desk.fault(FaultKind::Hang);
    let mut stream = TcpStream::connect(desk.server.address()).unwrap();
    let head = "POST /acct/one/api2/invoices HTTP/1.1\r\nHost: x\r\napikey: key-one\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    stream.shutdown(Shutdown::Both).unwrap();
    desk.invoice(&two_mugs());
}

#[test]
fn fault_cut_at_a_byte() {
    let desk = Desk::new();
    for bytes in [0, 5, 60] {
        desk.fault(FaultKind::CutAt { bytes });
        let got = desk.lost(&two_mugs());
        assert_eq!(got.len(), bytes);
        assert!(b"HTTP/1.1 202".starts_with(&got[..bytes.min(12)]));
    }
    desk.fault(FaultKind::CutAt { bytes: 10_000 });
    assert!(desk.lost(&two_mugs()).ends_with(b"}"), "more bytes than there are is the whole answer");
    assert_eq!(desk.invoices(), 4);
}

#[test]
fn fault_truncated_json() {
    let desk = Desk::new();
    desk.fault(FaultKind::TruncatedJson);
    let reply = desk.post("/api2/invoices", &two_mugs());
    assert_eq!(reply.status, 202);
    assert!(reply.body.starts_with(b"{") && serde_json::from_slice::<Value>(&reply.body).is_err());
    assert_eq!(desk.invoices(), 1);
}

#[test]
fn fault_refuse() {
    let desk = Desk::new();
    desk.fault(FaultKind::Refuse);
    assert!(desk.lost(&two_mugs()).is_empty());
    assert_eq!(desk.invoices(), 0);
    let mut world = World::new(1);
    let mut account = furnished(|_| {});
    account.add_fault(Fault::always(FaultKind::Refuse));
    world.add(account);
    let request = Request::new("GET", "/acct/one/api2/invoices");
    assert_eq!(world.react(&request, START.parse().unwrap()), Reaction::Refuse);
}

#[test]
fn faults_of_chance_repeat_with_the_seed() {
    let run = |seed| -> Vec<bool> {
        let mut world = World::new(seed);
        let mut account = furnished(|_| {});
        account.add_fault(Fault::always(FaultKind::LoseAnswer).on("GET", "site_info").per_mille(300));
        world.add(account);
        let request = Request::new("GET", "/acct/one/api2/site_info").with_header("apikey", "key-one");
        (0..1000).map(|_| world.react(&request, START.parse().unwrap()) == Reaction::Close).collect()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let lost = run(3).into_iter().filter(|lost| *lost).count();
    assert!((230..370).contains(&lost), "{lost}");
}

#[test]
fn faults_hit_only_the_calls_they_name_and_only_so_often() {
    let desk = Desk::new();
    let fault = Fault { times: Some(2), ..Fault::always(FaultKind::ErrorBeforeSaving).on("POST", "invoices") };
    desk.account(|account| account.add_fault(fault));
    assert_eq!(desk.get("/api2/invoices").status, 200);
    let statuses: Vec<u16> = (0..3).map(|_| desk.post("/api2/invoices", &two_mugs()).status).collect();
    assert_eq!(statuses, [500, 500, 202]);
}

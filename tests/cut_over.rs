//! From another program to this one: documents that it made in Daftra are found, adopted or dismissed before a merchant goes
//! live, and followed afterwards; and what the watchers say of a live merchant.

#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod common;

use jiff::SignedDuration;
use qantara::db::alert::{self, Cause};
use qantara::db::merchant::Mode;
use qantara::db::namesake::{Namesake, State};
use qantara::db::order::State as OrderState;
use qantara::db::scope::Scope;
use qantara::db::{Context as _, document};
use qantara::desk::file::MerchantFile;
use qantara::desk::{AdoptRow, Desk, Error, Person, Proposal, Secrets, Wish, cut_over};
use qantara::domain::namesake::{Fault, Names};
use qantara::sandbox::daftra::DocumentKind;
use qantara::sandbox::http::Request;
use qantara::sandbox::shop::Shop;
use qantara::sandbox::shop::cart::{Cart, Edit, Item, OrderId, Refund, Restock, VariantId};
use qantara::sandbox::shop::delivery::Delivery;
use qantara::text::refusal::Why;
use serde_json::{Value, json};

use crate::common::stage::{CLIENT, Cast, Plan, Stage, shop};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A merchant in shadow, whose orders another program books.
struct Story {
    stage: Stage,
    shop: Shop,
    shelf: Vec<VariantId>,
    merchant_id: i64,
}

impl Story {
    fn new(mode: Mode) -> Self {
        let mut stage = Stage::new(Plan { workers: 2, upkeep: MINUTE, ..Plan::default() });
        let (shop, shelf) = shop("wadi.myshopify.com", "hush", 7);
        let merchant_id = stage.add(&Cast { mode, ..Cast::default() });
        stage.start();
        Self { stage, shop, shelf, merchant_id }
    }

    fn deliver(&self, deliveries: &[Delivery]) {
        self.stage.deliver(deliveries);
        self.stage.until_idle(HOUR);
    }

    fn buy(&mut self) -> OrderId {
        let cart = Cart::of(&[(self.shelf[2], 2)]);
        let (order, deliveries) = self.shop.buy(&cart, self.stage.clock.now()).unwrap();
        self.deliver(&deliveries);
        order
    }

    /// What the other program writes: one row of free text. Daftra's id of it.
    fn booked_by_another(&self, po_number: &str, notes: &str, price: &str) -> i64 {
        let body = json!({
            "Invoice": {
                "client_id": CLIENT, "store_id": 1, "currency_code": "SAR", "date": "2026-06-17", "draft": 0,
                "po_number": po_number, "notes": notes,
            },
            "InvoiceItem": [{"item": "Order", "unit_price": price, "quantity": 1, "tax1": null, "tax2": null, "store_id": 1}],
        });
        let request = Request {
            method: "POST".to_owned(),
            path: "/acct/one/api2/invoices.json".to_owned(),
            query: String::new(),
            headers: vec![
                ("apikey".to_owned(), "key-one".to_owned()),
                ("Content-Type".to_owned(), "application/json".to_owned()),
            ],
            body: body.to_string().into_bytes(),
        };
        let before = self.ids();
        let now = self.stage.clock.now();
        drop(self.stage.network.world.lock().unwrap().react(&request, now));
        *self.ids().difference(&before).next().unwrap()
    }

    fn ids(&self) -> std::collections::BTreeSet<i64> {
        self.stage.account("one", |account| {
            account.documents(DocumentKind::Invoice).map(|one| i64::try_from(one.id).unwrap()).collect()
        })
    }

    fn receipts(&self) -> usize {
        self.stage.account("one", |account| account.documents(DocumentKind::RefundReceipt).count())
    }

    fn total(&self, invoice: i64) -> String {
        self.stage.account("one", |account| {
            let all = account.documents(DocumentKind::Invoice).collect::<Vec<_>>();
            let one = all.into_iter().find(|one| i64::try_from(one.id) == Ok(invoice)).unwrap();
            one.totals.total.normalize().to_string()
        })
    }

    fn look(&self) {
        self.stage.wish(Wish::CutOverLook { slug: "wadi".to_owned() });
        self.chores();
    }

    fn chores(&self) {
        self.stage.engine.wake_chores();
        self.stage.pass(MINUTE);
        self.stage.until_idle(HOUR);
    }

    fn namesakes(&self) -> Vec<Namesake> {
        self.stage.db.see(&Scope::All, |sight| sight.namesakes(self.merchant_id, 100)).unwrap()
    }

    fn adopt(&self, rows: &[(&str, i64)]) -> Value {
        let row = |(line, (order, invoice)): (u32, &(&str, i64))| AdoptRow {
            line,
            order: (*order).to_owned(),
            invoice: invoice.to_string(),
        };
        let rows = (1..).zip(rows).map(row).collect();
        let answer = self.stage.wish(Wish::OrderAdopt { slug: "wadi".to_owned(), rows });
        for _ in 0..2 {
            self.stage.engine.wake();
        }
        self.stage.pass(MINUTE);
        self.stage.until_idle(HOUR);
        answer
    }

    /// Why the merchant may not go live; none: it is live now.
    fn go_live(&self) -> Option<Why> {
        let (merchant, address) = self
            .stage
            .db
            .read(|c| {
                let merchant = qantara::db::merchant::get(c, self.merchant_id)?;
                let account = qantara::db::account::get(c, merchant.account_id.unwrap())?;
                Ok((merchant, account.address))
            })
            .unwrap();
        let file = MerchantFile { mode: Some(Mode::Live), ..MerchantFile::of(&merchant, &address) };
        let desk = Desk { db: &self.stage.db, vault: &self.stage.vault, policy: self.stage.settings.policy };
        let wish = Wish::MerchantSet(Box::new(Proposal { file, secrets: Secrets::default() }));
        let done = desk.perform(wish, self.stage.clock.now(), Person::AT_THE_COMMAND_LINE);
        self.stage.engine.wake();
        self.chores();
        match done {
            Ok(_) => None,
            Err(Error::Refused(refusal)) => Some(refusal.why),
            Err(error @ Error::Db(_)) => panic!("{error}"),
        }
    }

    fn alerts(&self, cause: Cause) -> usize {
        let open = self.stage.db.read(alert::open).unwrap();
        open.iter().filter(|one| one.cause == cause.word()).count()
    }
}

/// What two of the third thing on the shelf cost.
const PRICE: &str = "698.00";

#[test]
fn a_merchant_goes_live_only_when_each_document_of_others_is_decided_about() {
    let mut story = Story::new(Mode::Shadow);
    story.buy();
    story.buy();
    let first = story.booked_by_another("1001", "", PRICE);
    let second = story.booked_by_another("", "Shopify order #1002, paid", PRICE);
    story.booked_by_another("A-1", "call 1001 back", PRICE);
    assert_eq!(story.go_live(), Some(Why::CutOverFirst));
    story.look();
    let found: Vec<_> =
        story.namesakes().iter().map(|one| (one.order_name.clone(), one.remote_id, one.state)).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.contains(&("#1001".to_owned(), first, State::Open))
            && found.contains(&("#1002".to_owned(), second, State::Open))
    );
    assert_eq!(story.go_live(), Some(Why::CutOverOpen(2)));
    story.adopt(&[("#1001", first)]);
    assert_eq!(story.go_live(), Some(Why::CutOverOpen(1)));
    story.stage.wish(Wish::NamesakeDismiss { slug: "wadi".to_owned(), invoice: second });
    assert_eq!(story.go_live(), None);
    // What was decided stays decided.
    story.look();
    assert!(story.namesakes().iter().all(|one| matches!(one.state, State::Adopted | State::Dismissed)));
}

#[test]
fn an_old_look_does_not_count_and_a_merchant_without_orders_needs_none() {
    let mut story = Story::new(Mode::Shadow);
    story.buy();
    story.look();
    story.stage.pass(25 * HOUR);
    assert_eq!(story.go_live(), Some(Why::CutOverFirst));
    story.look();
    assert_eq!(story.go_live(), None);
    assert_eq!(Story::new(Mode::Shadow).go_live(), None);
}

#[test]
fn an_adopted_document_is_followed_and_no_second_invoice_is_made() {
    let mut story = Story::new(Mode::Shadow);
    let order = story.buy();
    let invoice = story.booked_by_another("#1001", "", PRICE);
    story.look();
    story.adopt(&[("1001", invoice)]);
    assert_eq!(story.go_live(), None);
    assert_eq!(story.stage.order("#1001").state, OrderState::Settled, "{:?}", story.stage.order("#1001").reason);
    assert_eq!(story.ids().len(), 1);
    // An edit puts our rows in the place of theirs.
    let now = story.stage.clock.now();
    let more =
        story.shop.edit(order, &[Edit::AddLine { item: Item::Variant(story.shelf[2]), quantity: 1 }], now).unwrap();
    story.deliver(&more);
    assert_eq!(story.stage.order("#1001").state, OrderState::Settled, "{:?}", story.stage.order("#1001").reason);
    assert_eq!((story.ids().len(), story.total(invoice).as_str()), (1, "1047"));
    // A cancellation goes onto a receipt of it.
    let now = story.stage.clock.now();
    let line = story.shop.what_is_left(order).unwrap()[0].line_id;
    let back = story.shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), now).unwrap();
    story.deliver(&back);
    assert_eq!((story.ids().len(), story.receipts()), (1, 1));
}

#[test]
fn what_somebody_changed_since_the_adoption_is_not_written_over() {
    let mut story = Story::new(Mode::Live);
    story.stage.engine.wake();
    let order = story.buy_in_doubt();
    let invoice = story.booked_by_another("#1001", "", PRICE);
    story.adopt(&[("1001", invoice)]);
    let id = u64::try_from(invoice).unwrap();
    let now = story.stage.clock.now();
    let change = qantara::sandbox::daftra::Hand::ChangeRow {
        document: id,
        row: 0,
        unit_price: Some("500".parse().unwrap()),
        quantity: None,
    };
    story.stage.account("one", |account| account.hand(change, now)).unwrap();
    let more =
        story.shop.edit(order, &[Edit::AddLine { item: Item::Variant(story.shelf[2]), quantity: 1 }], now).unwrap();
    story.deliver(&more);
    assert_eq!(story.stage.order("#1001").state, OrderState::Held);
    assert_eq!(story.total(invoice), "500");
}

impl Story {
    /// Of a live merchant whose rules pass the order over, so that nothing of ours was sent.
    fn buy_in_doubt(&mut self) -> OrderId {
        let sql = "update merchant set live_from = 4102444800000";
        self.stage.db.write(move |tx| tx.execute(sql, []).during("wait for later")).unwrap();
        self.buy()
    }
}

#[test]
fn each_line_of_a_file_is_judged_for_itself() {
    let mut story = Story::new(Mode::Live);
    story.buy();
    let own = *story.ids().iter().next().unwrap();
    story.buy_in_doubt();
    story.buy();
    story.buy();
    story.buy();
    let differs = story.booked_by_another("", "", "1.00");
    let fits = story.booked_by_another("", "", PRICE);
    let answer = story.adopt(&[
        ("#1002", 987_654),
        ("#1003", own),
        ("#1004", differs),
        ("#9999", 5),
        ("#1001", fits + 1),
        ("#1005", fits),
    ]);
    let codes: Vec<Option<String>> = answer["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let why = &line["refusal"]["why"];
            why.as_str().map(str::to_owned).or_else(|| Some(why.as_object()?.keys().next()?.clone()))
        })
        .collect();
    let refused = |code: &str| Some(code.to_owned());
    assert_eq!(
        codes,
        [None, refused("invoice_taken"), None, refused("no_order"), refused("order_invoiced"), None],
        "{answer}"
    );
    let fault = |invoice: i64| story.namesakes().into_iter().find(|one| one.remote_id == invoice).unwrap();
    assert_eq!((fault(987_654).state, fault(987_654).fault), (State::Open, Some(Fault::Missing)));
    assert!(matches!(fault(differs).fault, Some(Fault::Total { .. })), "{:?}", fault(differs));
    assert_eq!(fault(fits).state, State::Adopted);
    let of = story.stage.order("#1005").id;
    let books = story.stage.db.read(|c| document::of_order(c, of)).unwrap();
    assert_eq!(books[0].remote_id, Some(fits));
    // What could not be adopted led to no invoice of ours.
    assert_eq!(story.ids().len(), 3);
}

#[test]
fn a_document_that_names_another_order_is_not_taken_from_it() {
    let mut story = Story::new(Mode::Shadow);
    story.buy();
    story.buy();
    let theirs = story.booked_by_another("1001", "", PRICE);
    story.look();
    let why = |answer: &Value| answer["lines"][0]["refusal"]["why"].clone();
    assert_eq!(why(&story.adopt(&[("1002", theirs)])), json!({"invoice_names": "#1001"}));
    let open = &story.namesakes()[0];
    assert_eq!((open.order_name.as_str(), open.state), ("#1001", State::Open));
    // Whoever says that it is not of that order may say of which it is.
    story.stage.wish(Wish::NamesakeDismiss { slug: "wadi".to_owned(), invoice: theirs });
    assert_eq!(why(&story.adopt(&[("1002", theirs)])), Value::Null);
    let adopted = &story.namesakes()[0];
    assert_eq!((adopted.order_name.as_str(), adopted.state), ("#1002", State::Adopted));
    // Of an order without its body nothing can be compared.
    let trim = "update orders set snapshot = null where name = '#1001'";
    story.stage.db.write(move |tx| tx.execute(trim, []).during("trim")).unwrap();
    assert_eq!(why(&story.adopt(&[("1001", 987_654)])), json!("order_empty"));
}

#[test]
fn an_order_of_before_stays_so_when_its_adoption_fails() {
    let mut story = Story::new(Mode::Live);
    let (live_from, now) = (story.stage.clock.now() + HOUR, story.stage.clock.now());
    let later = format!("update merchant set live_from = {}", live_from.as_millisecond());
    story.stage.db.write(move |tx| tx.execute(&later, []).during("go live")).unwrap();
    story.buy();
    assert_eq!(story.ids().len(), 0);
    // After a restore, too, where it is looked for an invoice of ours first.
    for restored in [false, true] {
        if restored {
            let key = qantara::db::setting::LOOK_FIRST_BEFORE;
            story.stage.db.write(move |tx| qantara::db::setting::set_time(tx, key, now + HOUR)).unwrap();
        }
        let before = story.ids();
        let theirs = story.booked_by_another("1001", "", "1.00");
        story.adopt(&[("1001", theirs)]);
        story.stage.pass(3 * HOUR);
        story.stage.until_idle(HOUR);
        let open = story.namesakes().into_iter().find(|one| one.remote_id == theirs).unwrap();
        assert!(matches!(open.fault, Some(Fault::Total { .. })), "{open:?}");
        story.stage.wish(Wish::NamesakeDismiss { slug: "wadi".to_owned(), invoice: theirs });
        story.stage.engine.wake();
        story.stage.pass(HOUR);
        story.stage.until_idle(HOUR);
        assert_eq!(story.ids().len(), before.len() + 1, "theirs, and none of ours");
        assert_eq!(story.stage.order("#1001").state, OrderState::Ignored);
    }
}

#[test]
fn a_file_may_have_headings_and_any_separator_and_a_line_that_stands_twice_is_refused() {
    let rows = cut_over::rows("order;invoice\n#1001;12\n\n1002;13\n").unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.line, row.order.as_str(), row.invoice.as_str())).collect();
    assert_eq!(told, [(2, "#1001", "12"), (4, "1002", "13")]);
    let mut story = Story::new(Mode::Shadow);
    story.buy();
    let answer = story.adopt(&[("#1001", 12), ("1001", 13)]);
    assert_eq!(answer["adopting"], 0, "{answer}");
}

#[test]
fn an_adoption_that_was_cut_off_is_finished_after_the_start() {
    let mut story = Story::new(Mode::Shadow);
    story.buy();
    let invoice = story.booked_by_another("#1001", "", PRICE);
    story.look();
    let Story { mut stage, shop, shelf, merchant_id } = story;
    stage.stop();
    let row = AdoptRow { line: 1, order: "#1001".to_owned(), invoice: invoice.to_string() };
    stage.wish(Wish::OrderAdopt { slug: "wadi".to_owned(), rows: vec![row] });
    let mut stage = stage.restart(MINUTE);
    stage.start();
    stage.pass(MINUTE);
    stage.until_idle(HOUR);
    let story = Story { stage, shop, shelf, merchant_id };
    assert_eq!(story.namesakes()[0].state, State::Adopted, "{:?}", story.stage.order("#1001"));
    assert_eq!(story.ids().len(), 1);
}

#[test]
fn names_are_found_in_fields_and_in_texts_and_nothing_else_is_taken_for_one() {
    let orders = [(1, 5_551_234_567_890, "#1001"), (2, 5_551_234_567_891, "W1002-EG"), (3, 5_551_234_567_892, "#1003")];
    let names = Names::new(orders.into_iter());
    for (field, text, meant) in [
        ("1001", "", Some(1)),
        (" #1001 ", "", Some(1)),
        ("w1002-eg", "", Some(2)),
        ("5551234567892", "", Some(3)),
        ("10010", "", None),
        ("", "Order #1001.", Some(1)),
        ("", "for W1002-EG, paid", Some(2)),
        ("", "id:5551234567890", Some(1)),
        ("", "call 1001 back", None),
        ("", "#10011", None),
        ("", "", None),
    ] {
        assert_eq!(names.meant([field], text), meant, "{field:?} {text:?}");
    }
}

#[test]
fn a_second_program_is_told_of_until_its_documents_are_decided_about() {
    let mut story = Story::new(Mode::Live);
    story.buy();
    story.stage.pass(MINUTE);
    assert_eq!(story.alerts(Cause::SecondConnector), 0);
    let theirs = story.booked_by_another("1001", "", PRICE);
    story.stage.pass(24 * HOUR);
    story.stage.until_idle(HOUR);
    assert_eq!(story.alerts(Cause::SecondConnector), 1);
    story.stage.wish(Wish::NamesakeDismiss { slug: "wadi".to_owned(), invoice: theirs });
    story.stage.pass(30 * MINUTE);
    assert_eq!(story.alerts(Cause::SecondConnector), 0);
}

#[test]
fn a_missing_number_is_told_of_after_an_hour_and_no_more_when_it_comes() {
    let mut story = Story::new(Mode::Live);
    story.buy();
    let cart = Cart::of(&[(story.shelf[2], 1)]);
    let (_, late) = story.shop.buy(&cart, story.stage.clock.now()).unwrap();
    story.buy();
    story.stage.pass(30 * MINUTE);
    assert_eq!(story.alerts(Cause::Gaps), 0, "it may still come");
    story.stage.pass(HOUR);
    assert_eq!(story.alerts(Cause::Gaps), 1);
    story.deliver(&late);
    story.stage.pass(30 * MINUTE);
    assert_eq!(story.alerts(Cause::Gaps), 0);
}

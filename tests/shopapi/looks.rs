//! Looking through a shop in which something is wrong: single orders, what the app may do, orders that are gone, and payments
//! of which no webhook told.

use jiff::SignedDuration;
use qantara::db::alert::Cause;
use qantara::db::order::State;
use qantara::db::{Context as _, order};
use qantara::desk::Wish;
use qantara::domain::connection::Blocked;
use qantara::domain::reason::{Ignored, Reason};
use qantara::sandbox::fault::{Fault, FaultKind};
use qantara::sandbox::shop::cart::{Cart, OrderId, Payment};

use crate::engine::Story;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn unread(story: &Story) -> Vec<String> {
    story.api().unread.into_iter().map(|order| order.name).collect()
}

#[test]
fn an_order_that_the_api_does_not_give_holds_up_no_other() {
    let story = Story::with_token();
    let orders: Vec<OrderId> = (0..3).map(|_| story.buy().0).collect();
    story.shop(|front| front.admin.broken.insert(orders[0].0));
    story.stage.pass(16 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 2, "the others");
    assert_eq!((unread(&story), story.alerts(Cause::Unread)), (vec!["#1001".to_owned()], 1));
    assert!(story.api().caught_up_at.is_some(), "the look came to its last page");
    assert_eq!(story.alerts(Cause::ShopApi), 0);
    // It is long out of the reach of a usual look by then.
    story.stage.pass(5 * HOUR);
    assert_eq!((unread(&story).len(), story.alerts(Cause::Unread)), (1, 1));
    story.shop(|front| front.admin.broken.clear());
    story.stage.pass(16 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!((story.invoices(), unread(&story).len(), story.alerts(Cause::Unread)), (3, 0, 0));
}

#[test]
fn a_shop_that_answers_nothing_is_no_fault_of_its_orders() {
    let story = Story::with_token();
    story.buy();
    // It still lists them; then nothing comes, whatever is asked.
    let trouble = Fault { after: 1, ..Fault::always(FaultKind::ErrorBeforeSaving) };
    story.shop(|front| front.faults.push(trouble));
    story.stage.pass(16 * MINUTE);
    assert_eq!((unread(&story).len(), story.alerts(Cause::ShopApi)), (0, 1));
    story.shop(|front| front.faults.clear());
    story.stage.pass(HOUR);
    story.stage.until_idle(HOUR);
    assert_eq!((story.invoices(), story.alerts(Cause::ShopApi)), (1, 0));
}

#[test]
fn what_the_shop_did_not_answer_is_asked_for_later() {
    let story = Story::with_token();
    story.shop(|front| front.admin.shut = Some(423));
    let (_, deliveries) = story.buy();
    story.stage.pass(2 * MINUTE);
    story.stage.deliver(&deliveries);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 1, "booked as its webhooks told");
    let read = || {
        let ask = "select read_at is not null from orders";
        story.stage.db.read(|c| c.query_row(ask, [], |row| row.get::<_, bool>(0)).during("look")).unwrap()
    };
    assert!(!read(), "nobody answered");
    story.shop(|front| front.admin.shut = None);
    story.stage.pass(16 * MINUTE);
    assert!(read());
}

/// The transactions of an order that are known.
fn transactions(story: &Story, name: &str) -> usize {
    let id = story.stage.order(name).id;
    story.stage.db.read(|c| order::facts(c, id)).unwrap().transactions.len()
}

#[test]
fn money_of_which_no_webhook_told_is_found() {
    let story = Story::with_token();
    let (now, cart) = (story.stage.clock.now(), Cart { payment: Payment::Pending, ..Cart::of(&[(story.shelf[2], 2)]) });
    let (order, deliveries) = story.shop(|front| front.shop.buy(&cart, now)).unwrap();
    story.stage.deliver(&deliveries);
    story.stage.pass(16 * MINUTE);
    for (known, amount) in (1..).zip([100, 200]) {
        let now = story.stage.clock.now();
        let mut paid = story.shop(|front| front.shop.pay_part(order, amount.into(), now)).unwrap();
        paid.retain(|delivery| delivery.topic != "order_transactions/create");
        assert!(!paid.is_empty(), "the order's own webhook comes");
        story.stage.deliver(&paid);
        story.stage.pass(16 * MINUTE);
        story.stage.until_idle(HOUR);
        assert_eq!(transactions(&story, "1001"), known);
    }
    let asked = story.shop(|front| front.admin.times("Order"));
    story.stage.pass(3 * HOUR);
    assert_eq!(story.shop(|front| front.admin.times("Order")), asked, "each change is asked for once");
}

#[test]
fn what_the_app_may_do_is_asked_anew() {
    let story = Story::with_token();
    assert!(!story.api().scopes.contains("read_all_orders"));
    story.shop(|front| front.admin.scopes.insert("read_all_orders".to_owned()));
    story.stage.pass(25 * HOUR);
    assert!(story.api().scopes.contains("read_all_orders"), "each day");
    // What is taken away is found at once, and what is given back as soon.
    assert!(story.shop(|front| front.admin.scopes.remove("read_orders")));
    story.stage.pass(16 * MINUTE);
    story.stage.pass(16 * MINUTE);
    let missing = ["read_orders".to_owned()].into();
    assert_eq!(story.api().blocked, Some(Blocked::Scopes { missing }));
    story.shop(|front| front.admin.scopes.insert("read_orders".to_owned()));
    story.stage.pass(16 * MINUTE);
    assert_eq!(story.api().blocked, None);
    assert!(story.api().scopes.contains("read_orders"));
}

#[test]
fn an_order_that_was_deleted_in_the_shop_is_not_booked() {
    let story = Story::with_token();
    let (order, deliveries) = story.buy();
    let now = story.stage.clock.now();
    drop(story.shop(|front| front.shop.delete(order, now)).unwrap());
    story.stage.pass(2 * MINUTE);
    story.stage.deliver(&deliveries);
    story.stage.pass(10 * MINUTE);
    assert_eq!(story.stage.order("1001").state, State::Working, "the shop may only be late");
    story.stage.pass(10 * MINUTE);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 0);
    assert_eq!(story.stage.order("1001").reason, Some(Reason::Ignored(Ignored::DeletedBeforeInvoice)));
}

#[test]
fn an_order_that_is_too_old_to_be_shown_is_booked_as_it_was_told() {
    let story = Story::with_token();
    let (_, deliveries) = story.buy();
    let live = "update merchant set live_from = 1";
    story.stage.db.write(move |tx| tx.execute(live, []).during("go live")).unwrap();
    story.stage.wish(Wish::ShopDisconnect { slug: "wadi".to_owned() });
    story.stage.hand.advance(61 * 24 * HOUR);
    story.connect(None, "shpat_forever");
    story.stage.deliver(&deliveries);
    story.stage.until_idle(HOUR);
    assert_eq!(story.invoices(), 1);
}

#[test]
fn a_long_look_says_how_far_it_is_and_a_resumed_merchant_is_looked_after() {
    let story = Story::with_token();
    story.stage.wish(Wish::MerchantPause { slug: "wadi".to_owned() });
    for _ in 0..130 {
        story.buy();
    }
    story.stage.wish(Wish::MerchantResume { slug: "wadi".to_owned() });
    let looked = story.shop(|front| front.admin.times("Orders"));
    story.stage.engine.wake_chores();
    let mut seen = Vec::new();
    for _ in 0..40 {
        story.stage.pass(10 * MINUTE / 60);
        seen.push((story.api().gone_through, story.api().expected));
    }
    assert!(story.shop(|front| front.admin.times("Orders")) > looked, "at once, not at the next quarter of an hour");
    let under_way: Vec<_> = seen.iter().filter_map(|(gone, expected)| Some((*gone, (*expected)?))).collect();
    assert!(under_way.iter().all(|(gone, expected)| gone <= expected), "{under_way:?}");
    assert!(under_way.iter().any(|(gone, expected)| (50..130).contains(gone) && *expected == 130), "{under_way:?}");
    story.stage.pass(20 * MINUTE);
    story.stage.until_idle(3 * HOUR);
    assert_eq!((story.invoices(), story.api().gone_through, story.api().expected), (130, 0, None));
}

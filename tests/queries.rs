//! The plans of the hot statements: none walks through a table that grows with the orders.
//!
//! The functions of `db` keep their SQL to themselves, so SQLite is asked what it was given: every statement that they
//! run is noted and explained, with and without the statistics that `analyze` collects.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use common::stage::{Stage, shop};
use jiff::{SignedDuration, Timestamp};
use qantara::db::document::{About, Action, Ended};
use qantara::db::inbox;
use qantara::db::job::{self, Again, Chore};
use qantara::db::order::{self, State};
use qantara::db::product::{self, Ages};
use qantara::db::scope::Scope;
use qantara::db::sight::Sight;
use qantara::db::{
    account, act, alert, condition, delivery, document, log, mail, merchant, namesake, notice, rejection, seen,
    setting, shop_api, tally, token, trim, variant, watch,
};
use qantara::domain::catalog::Code;
use qantara::domain::connection::Blocked;
use qantara::domain::document::{Document, Policy};
use qantara::domain::draft::Draft;
use qantara::domain::news::{Kind, Problem};
use qantara::domain::refund::Class;
use qantara::domain::telling::Pace;
use qantara::domain::variant::Outcome;
use qantara::sandbox::shop::cart::{Cart, Refund, Restock};
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, OpenFlags, Transaction};
use tempfile::TempDir;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// One row of each growing table becomes thousands, spread over twenty merchants of four accounts.
const MANY: &str = "
create temp table n as with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000) select i from n;
insert into account (address) select 'http://127.0.0.1/acct/' || i from n where i <= 3;
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
  select slug || i, key || i, name, i || shop_domain, 1 + i % 4, time_zone, mode, live_from, rules, created_at
  from merchant, n where i <= 19;
insert into credential (merchant_id, kind, slot, sealed)
  select m.id, kind, slot, sealed from credential, merchant m where merchant_id = 1 and m.id > 1;
insert into vendor (shop_domain, name, merchant_id) select shop_domain, '*', id from merchant where id > 1;
insert into orders (id, merchant_id, remote_id, name, state, state_at, snapshot, version_at, placed_at, created_at)
  select i + 10, 1 + i % 20, remote_id + i, '#' || (2000 + i), iif(i % 9, 'settled', 'new'), state_at, snapshot,
    version_at, placed_at, created_at from orders, n where orders.id = 1;
insert into job (kind, subject, merchant_id, due_at, running_since)
  select 'order', o.id, o.merchant_id, iif(o.id % 3, null, o.id), iif(o.id % 500, null, 1) from orders o where id > 10;
insert into delivery (merchant_id, event_key, topic, order_id, received_at, body)
  select o.merchant_id, event_key || o.id, topic, o.id, received_at, body from delivery d, orders o
  where d.id = 1 and o.id > 10;
insert into document (order_id, account_id, kind, source_key, reference, state, since_at, content, wanted, written,
    remote_id, remote_no, total_minor, currency, verified_at)
  select o.id, d.account_id, kind, source_key, reference || o.id, d.state, since_at, content, wanted, written,
    d.remote_id + o.id, remote_no, total_minor, currency, verified_at from document d, orders o
  where d.kind = 'invoice' and o.id > 10;
insert into attempt (order_id, account_id, document_id, action, started_at, ended_at, outcome)
  select d.order_id, account_id, d.id, 'create', 1, 2, 'accepted' from document d where order_id > 10;
insert into sync_log (at, merchant_id, order_id, document_id, status)
  select at, o.merchant_id, o.id, d.id, iif(o.id % 5, 'success', 'held') from sync_log l, orders o
  join document d on d.order_id = o.id where l.id = 1 and o.id > 10;
insert into order_sku select merchant_id, 'wh-1001', id from orders where id > 10;
insert into user (name, password, role) select 'user ' || i, '', 'owner' from n where i <= 50;
insert into token (user_id, name, hash, role, created_at, expires_at)
  select 1, 'script ' || i, iif(i = 1, x'0707070707070707070707070707070707070707070707070707070707070707', cast(i as blob)),
    'viewer', 0, 1 from n;
insert into audit (at, action, facts, previous, hash)
  select i, 'order.retry', json_object('order', i + 10), x'00', cast(i as blob) from n;
insert into fact (order_id, kind, remote_id, body, seen_at)
  select o.id, f.kind, f.remote_id, body, seen_at from fact f, orders o where f.order_id = 1 and o.id > 10;
insert into reduction (order_id, refund_id, class, document_id)
  select order_id, 7, 'absorbed', id from document where order_id > 10;
insert into mail (dedupe_key, kind, merchant_id, order_id, recipient, content, message_id, state, due_at, created_at, state_at)
  select 'created/' || o.id, iif(o.id % 7, 'created', 'held'), o.merchant_id, o.id, x'00', x'00', '<' || o.id || '@a>',
    iif(o.id % 50, 'sent', 'queued'), iif(o.id % 50, null, o.id), o.id, o.id from orders o where o.id > 10;
insert into mail_recipient (merchant_id, address, language, kinds, created_at)
  select id, x'00', 'en', json_array('created'), 0 from merchant;
insert into setting (key, value) values ('mails_since', '0');
insert into product (merchant_id, remote_id, code, barcode, name, kind, active, tracked, seen_at)
  select 1 + i % 20, 5000 + i, code || i, 'b' || i, name, kind, active, tracked, seen_at from product p, n
  where p.id = (select min(id) from product);
";

/// Tables that grow with merchants and causes, not with orders, under the names that statements give them.
const SMALL: [(&str, &str); 13] = [
    // What waits to become mails, oldest first; and the kinds of one recipient.
    ("n", "from mail_news n"),
    ("k", "json_each(r.kinds) k"),
    ("shop_api", "from shop_api order by merchant_id"),
    // The page of users.
    ("user", "from user order by name"),
    ("merchant", "merchant"),
    ("m", "merchant m"),
    ("account", "account"),
    ("a", "account a"),
    ("vendor", "vendor"),
    ("credential", "credential"),
    ("alert", "alert"),
    ("tally", "tally"),
    ("CONSTANT", ""), // one row of values
];

/// Walks that are meant, and in which statement.
const MEANT: [(&str, &str); 8] = [
    // An index of what runs at this moment: as long as there are workers.
    ("job r indexed by job_running", "SCAN r USING INDEX job_running"),
    ("update job indexed by job_running", "SCAN job USING INDEX job_running"),
    ("select (select count(*) from job", "SCAN job USING INDEX job_running"),
    ("select (select count(*) from job", "SCAN job USING COVERING INDEX job_running"),
    // What waits in the outbox, or failed within a day, counted up to a bound; and what is under way, which is one.
    ("mail indexed by mail_due where state = 'queued'", "SCAN mail USING INDEX mail_due"),
    ("from mail indexed by mail_due", "SCAN (subquery-1)"),
    ("from mail indexed by mail_by_time", "SCAN (subquery-1)"),
    ("update mail indexed by mail_under_way", "SCAN mail USING INDEX mail_under_way"),
];

#[test]
fn no_hot_statement_walks_through_a_growing_table() {
    let (folder, now) = filled();
    let folder = folder.path();
    let mut connection = open(folder);
    for is_analyzed in [false, true] {
        if is_analyzed {
            connection.execute_batch("analyze").unwrap();
            // Statistics are read when a connection opens.
            connection = open(folder);
        }
        let statements = listen(&mut connection, |tx| everything_hot(tx, now));
        assert!(statements.len() > 60, "only {} statements were seen", statements.len());
        let mut walks = Vec::new();
        for (sql, expanded) in &statements {
            for text in [sql, expanded] {
                walks.extend(
                    plan(&connection, text)
                        .into_iter()
                        .filter(|step| walks_through(step, sql))
                        .map(|step| format!("{step}\n    in {}", sql.split_whitespace().collect::<Vec<_>>().join(" "))),
                );
            }
        }
        assert!(walks.is_empty(), "analyzed {is_analyzed}:\n{}", walks.join("\n"));
    }
}

/// The check above would see a walk if there was one.
#[test]
fn a_walk_is_seen() {
    let (folder, _) = filled();
    let connection = open(folder.path());
    for (sql, is_walk) in [
        ("select * from orders where placed_at = 1", true),
        ("select * from job where kind = 'order' and failures = 1", true),
        ("select count(*) from sync_log", true),
        ("select max(placed_at) from orders", true),
        ("select * from orders where merchant_id = 1 order by name limit ?1", true),
        ("select * from orders where id = 1", false),
        ("select * from merchant where name = 'x'", false),
    ] {
        assert_eq!(plan(&connection, sql).iter().any(|step| walks_through(step, sql)), is_walk, "{sql}");
    }
}

/// A database in which one order went all its way, multiplied.
fn filled() -> (Arc<TempDir>, Timestamp) {
    let stage = Stage::usual();
    let (mut shop, shelf) = shop("wadi.myshopify.com", "hush", 1);
    let (order, deliveries) = shop.buy(&Cart::of(&[(shelf[2], 3)]), stage.clock.now()).unwrap();
    stage.deliver(&deliveries);
    stage.until_idle(HOUR);
    let line = shop.what_is_left(order).unwrap()[0].line_id;
    stage.deliver(&shop.refund(order, &Refund::of(&[(line, 1, Restock::Return)]), stage.clock.now()).unwrap());
    stage.until_idle(HOUR);
    let (folder, now) = (Arc::clone(&stage.folder), stage.clock.now());
    drop(stage);
    open(folder.path()).execute_batch(&format!("begin; {MANY} commit;")).unwrap();
    (folder, now)
}

fn open(folder: &std::path::Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join(qantara::db::FILE), flags).unwrap();
    connection.set_prepared_statement_cache_capacity(256);
    connection
}

/// The statements that run meanwhile, as written and with their values. What they change is rolled back.
fn listen(connection: &mut Connection, hot: impl FnOnce(&Transaction<'_>)) -> Vec<(String, String)> {
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let notes = Arc::clone(&seen);
    let note = move |event: TraceEvent<'_>| {
        if let TraceEvent::Stmt(statement, sql) = event {
            let expanded = statement.expanded_sql().unwrap_or_else(|| sql.to_owned());
            notes.lock().unwrap().entry(sql.to_owned()).or_insert(expanded);
        }
    };
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note)).unwrap();
    let tx = connection.transaction().unwrap();
    hot(&tx);
    tx.rollback().unwrap();
    connection.trace_v2(TraceEventCodes::empty(), None::<fn(TraceEvent<'_>)>).unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.into_iter().filter(|(sql, _)| !["BEGIN", "ROLLBACK", "--"].iter().any(|word| sql.starts_with(word))).collect()
}

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement =
        connection.prepare(&format!("explain query plan {sql}")).unwrap_or_else(|e| panic!("{e}: {sql}"));
    let steps = statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>();
    steps.unwrap()
}

fn walks_through(step: &str, sql: &str) -> bool {
    if MEANT.iter().any(|(statement, meant)| sql.contains(statement) && step == *meant) {
        return false;
    }
    // The kind alone chooses every job of every order.
    if step.contains("sqlite_autoindex_job_1 (kind=?)") || step.contains("job_due (kind=?)") {
        return true;
    }
    // A page that is sorted first was read to its end first.
    if step.contains("TEMP B-TREE FOR ORDER BY") {
        return sql.contains("limit ?");
    }
    // The largest of a column without an index.
    let largest = step.strip_prefix("SEARCH ").filter(|table| !table.contains(" USING "));
    let Some(table) = step.strip_prefix("SCAN ").or(largest) else { return false };
    let name = table.split_whitespace().next().unwrap_or_default();
    !SMALL.iter().any(|(small, said)| *small == name && sql.contains(said))
}

/// Everything that runs for each delivery, each order, each call and each page.
fn everything_hot(tx: &Transaction<'_>, now: Timestamp) {
    let ages = Ages { product: HOUR, miss: HOUR };
    let case = order::case(tx, 1, Policy::default(), ages, now).unwrap().unwrap();

    // A delivery.
    let shown = order::get(tx, 1).unwrap();
    order::known(tx, 1, shown.remote_id, now).unwrap();
    let fresh = order::known(tx, 2, 42, now).unwrap();
    for _ in 0..2 {
        let webhook = delivery::Delivery {
            merchant_id: 2,
            event_key: "one".into(),
            topic: "orders/create".into(),
            sent_at: None,
            body: Vec::new(),
            fate: delivery::Fate::Order,
        };
        delivery::keep(tx, &webhook, Some(fresh), now).unwrap();
    }
    order::take_snapshot(tx, fresh, &case.order.snapshot, (now, now), None).unwrap();
    order::take_facts(tx, fresh, &case.order.facts, now).unwrap();
    merchant::vendors_of_shop(tx, "wadi.myshopify.com").unwrap();
    tally::count(tx, tally::Kind::Login, "10.0.0.0/24", now).unwrap();
    rejection::count(tx, Some(2), rejection::Why::OtherSecret, "", now).unwrap();
    alert::raise(tx, alert::Cause::Failed, "merchant 2", Some(2), now).unwrap();
    job::ask(tx, fresh, 2, now, true).unwrap();

    // A worker.
    let claimed = job::claim(tx, now, 2).unwrap().unwrap();
    job::was_asked_since(tx, &claimed).unwrap();
    job::settle(tx, &claimed, Again::At(now), now).unwrap();
    job::put_back(tx, &claimed, now).unwrap();
    job::fail(tx, &claimed, Some(now), now).unwrap();
    job::hurry(tx, fresh, 2, now).unwrap();
    job::next_claim(tx).unwrap();
    job::ask_chore(tx, Chore::Account, 1, now).unwrap();
    job::next_chore(tx).unwrap();
    job::claim_chore(tx, now).unwrap().unwrap();
    shop_api::connect(tx, 1, None, true, now).unwrap();
    shop_api::want(tx, 1, Some(now), &["#1001".to_owned()]).unwrap();
    let api = shop_api::get(tx, 1).unwrap().unwrap();
    shop_api::all(tx).unwrap();
    shop_api::opened(tx, 1, &api.scopes).unwrap();
    shop_api::token_lives(tx, 1, now).unwrap();
    shop_api::block(tx, 1, &Blocked::Token).unwrap();
    shop_api::may(tx, 1, &api.scopes, now).unwrap();
    shop_api::doubt_scopes(tx, 1).unwrap();
    shop_api::note_unread(tx, 1, &shop_api::Unread { id: 1, name: "#1".to_owned() }, true).unwrap();
    shop_api::expect(tx, 1, 1).unwrap();
    shop_api::went_through(tx, 1, 1).unwrap();
    shop_api::seen_until(tx, 1, now).unwrap();
    shop_api::caught_up(tx, 1, &api, now, now).unwrap();
    shop_api::watched(tx, 1, "https://bridge.example/webhook/wadi", now).unwrap();
    shop_api::known_as_of(tx, 1, 1).unwrap();
    shop_api::order_was_read(tx, fresh, now).unwrap();
    shop_api::disconnect(tx, 1).unwrap();
    let ids = BTreeSet::from([31]);
    variant::barcodes(tx, 1, ids.iter().copied()).unwrap();
    variant::told_since(tx, 1, ids.iter().copied(), now).unwrap();
    variant::learn(tx, 1, &[], variant::Keep::All, now).unwrap();
    variant::are_gone(tx, 1, &ids, now).unwrap();
    variant::forget_barcodes(tx, 1, &ids).unwrap();
    variant::learn_from_orders(tx, 1, 0, 10, |_| true).unwrap();
    variant::after(tx, 1, 0, 10).unwrap();
    variant::begin_look(tx, 1, now).unwrap();
    variant::look(tx, 1).unwrap();
    variant::look_came_to(tx, 1, None).unwrap();
    variant::came_to(tx, 1, &[(31, Outcome::Unknown)]).unwrap();
    variant::forget_unseen(tx, 1, now, 10).unwrap();
    variant::coverage(tx, 1).unwrap();
    namesake::adopting(tx, fresh).unwrap();
    namesake::owner(tx, 1, 1).unwrap();
    namesake::own_invoices(tx, 1).unwrap();
    namesake::has_invoice(tx, fresh).unwrap();
    namesake::orders_meant(tx, 1, "#1001").unwrap();
    namesake::orders_since(tx, 1, now - HOUR).unwrap();
    namesake::waiting(tx, 1).unwrap();
    namesake::want(tx, (1, 1), fresh, 77, now).unwrap();
    namesake::dismiss(tx, 1, 77).unwrap();
    watch::orders_by_hour(tx, 1, now).unwrap();
    watch::gaps_since(tx, 1, now - HOUR).unwrap();
    alert::close_seen_before(tx, alert::Cause::Subscriptions, "merchant 1", now, now).unwrap();
    order::stand(tx, fresh, State::Settled, None, None, now).unwrap();
    log::write(tx, log::Status::Success, log::About::order(2, fresh), None, now).unwrap();

    // A call.
    merchant::get(tx, 1).unwrap();
    merchant::credentials(tx, Some(1)).unwrap();
    merchant::note_use(tx, 1, &[7], now).unwrap();
    merchant::uses(tx, 1, merchant::CredentialKind::WebhookSecret).unwrap();
    account::get(tx, 1).unwrap();
    let invoice = case.ledger.documents.iter().find(|document| document.parent_id.is_none()).unwrap();
    let state = invoice.state;
    document::store(tx, state, &document::get(tx, invoice.id).unwrap()).unwrap();
    let Draft::Invoice(draft) = &invoice.content else { panic!("only receipts have a parent") };
    let mut draft = draft.clone();
    draft.header.reference = "another".into();
    let id = document::add(tx, fresh, &Document::planned(1, None, "order".into(), Draft::Invoice(draft), now)).unwrap();
    document::classify(tx, fresh, 9, Class::Receipt, id).unwrap();
    let about = About { action: Action::Create, order_id: Some(fresh), account_id: 1, document_id: Some(id) };
    let attempt = document::begin_attempt(tx, about, now).unwrap();
    document::end_attempt(tx, attempt, &Ended { outcome: "accepted", ..Ended::default() }, now).unwrap();
    product::learn(tx, 1, &Code::new("WH-1"), &case.catalog.products, now).unwrap();
    product::name(tx, 1, 5001).unwrap();
    product::forget_misses(tx, 1).unwrap();
    account::pause(tx, 1, now).unwrap();
    account::introduce(tx, 1, "7", None, None).unwrap();
    merchant::trouble(tx, 1, &merchant::Trouble::Redirect, now).unwrap();
    merchant::recovered(tx, 1, now).unwrap();
    setting::set_time(tx, setting::HEARTBEAT, now).unwrap();

    // A mail.
    let told = mail::Told { kind: Kind::Created, order_id: 1, document_id: Some(invoice.id), changes: None };
    mail::tell(tx, told, now).unwrap();
    let news = mail::news(tx).unwrap().expect("somebody wants to know");
    assert!(mail::done_with(tx, news.id).unwrap());
    let new = mail::New {
        key: "more/1".into(),
        kind: Kind::More,
        merchant_id: Some(1),
        order_id: None,
        recipient: vec![0],
        content: vec![0],
        message_id: "more".into(),
        due_at: now,
    };
    assert!(mail::put(tx, &new, now).unwrap() && mail::put_or_count(tx, &new, now).unwrap());
    mail::how_many(tx, 1, Kind::Held, now).unwrap();
    mail::recipients(tx, 1).unwrap();
    mail::wording(tx, 1, Kind::Held, "ar").unwrap();
    let taken = mail::take(tx, now).unwrap().expect("many wait");
    mail::settle(tx, taken.id, &mail::Ended::Failed(Problem::Cut), now).unwrap();
    mail::resend(tx, taken.id, now).unwrap();
    mail::next_due(tx).unwrap();
    mail::standing(tx, now).unwrap();
    mail::of_order(tx, 20).unwrap();
    mail::forget(tx, 20, now).unwrap();
    for merchant_id in [None, Some(1)] {
        for state in [None, Some(mail::State::Failed)] {
            mail::list(tx, mail::Filter { merchant_id, state, before: None }, 50).unwrap();
        }
    }

    // A start.
    mail::recover(tx, now).unwrap();
    document::cut_off(tx).unwrap();
    job::recover(tx, now).unwrap();
    job::unfinished(tx, now).unwrap();

    let sku = Code::new(&case.order.snapshot.lines[0].sku);
    assert!(order::with_sku(tx, 1, &sku, 10_000).unwrap().contains(&1));
    everything_shown(tx, &shown);
}

/// What is done each minute.
fn everything_kept_up(tx: &Transaction<'_>, now: Timestamp) {
    let limits = condition::Limits { in_doubt: HOUR, hold: HOUR, queue_age: HOUR };
    let found = condition::conditions(tx, &limits, now).unwrap();
    condition::is_stuck(tx, now).unwrap();
    assert!(alert::is_told(tx, &found, now).is_ok() && alert::has_quiet(tx, alert::Cause::Unreadable, now).is_ok());
    alert::stand(tx, &found, now).unwrap();
    let pace = Pace { settle: HOUR, remind: HOUR, pause: HOUR };
    let words = notice::due(tx, pace, now + HOUR * 2).unwrap();
    assert!(!words.is_empty());
    for word in &words {
        notice::tell(tx, word, notice::CHANNELS.into_iter(), now).unwrap();
    }
    let (first, _) = notice::first(tx, "webhook").unwrap().unwrap();
    notice::settle(tx, first.id, &notice::Outcome::Sent, now).unwrap();
    assert!(notice::waiting_for(tx, "webhook").is_ok());
    alert::close_quiet(tx, alert::Cause::Unreadable, now, now).unwrap();
    for class in trim::Class::ALL {
        trim::step(tx, class, HOUR, trim::Place::default(), 5, now + HOUR * 30_000_000).unwrap();
    }
}

fn everything_shown(tx: &Transaction<'_>, shown: &order::Overview) {
    let documents = document::of_order(tx, 1).unwrap();
    let number = documents.iter().find_map(|document| document.remote_no.clone()).unwrap();
    for merchant_id in [None, Some(1)] {
        for text in ["#1001", "1001", &shown.remote_id.to_string()] {
            assert!(
                order::find(tx, order::Filter { merchant_id, ..order::Filter::default() }, text, 5)
                    .unwrap()
                    .iter()
                    .any(|order| order.id == shown.id),
                "{text}"
            );
        }
        for before in [None, Some(900)] {
            for state in [None, Some(State::Settled)] {
                let filter = order::Filter { merchant_id, state, before };
                assert!(!order::list(tx, filter, 5).unwrap().is_empty());
            }
            for status in [None, Some(log::Status::Success)] {
                for order_id in [None, Some(1)] {
                    for (after, is_backwards) in [(None, false), (Some(9), false), (Some(9), true)] {
                        let filter = log::Filter { merchant_id, status, order_id, before, after, is_backwards };
                        log::list(tx, filter, 5).unwrap();
                    }
                }
            }
        }
        assert!(document::orders_by_number(tx, merchant_id, &number, 10_000).unwrap().contains(&1));
    }
    log::first_since(tx, Timestamp::UNIX_EPOCH).unwrap().unwrap();
    for hours in [log::EVER, (0, 1 << 40)] {
        assert!(!log::counts(tx, 1, hours).unwrap().is_empty());
    }
    order::price(tx, 1).unwrap().unwrap();
    act::of_order(tx, 1, 5).unwrap();
    order::counts(tx).unwrap();
    let now = Timestamp::UNIX_EPOCH;
    for scope in [Scope::All, Scope::Only([1, 2].into())] {
        let sight = Sight::of(tx, &scope);
        sight.pulse(1, 0, now).unwrap();
        assert!(sight.orders(order::Filter::default(), 5).unwrap().len() == 5);
        sight.log(log::Filter::default(), 5).unwrap();
        sight.causes(None).unwrap();
        sight.doubts(None, 5).unwrap();
        sight.class(shown).unwrap();
        assert!(sight.orders_called(order::Filter::default(), "#1001", 5).unwrap().iter().any(|order| order.id == 1));
        assert_eq!(
            sight.account_address(&sight.merchant("wadi").unwrap()).unwrap().as_deref().map(str::is_empty),
            Some(false)
        );
        sight.rulings(1).unwrap();
        sight.tokens(1).unwrap();
        sight.rejected(now).unwrap();
        assert!(!sight.topics(None).unwrap().is_empty());
        for topic in [None, Some("orders/create".to_owned())] {
            for fate in [None, Some(delivery::Fate::Order), Some(delivery::Fate::Other)] {
                let filter = inbox::Filter { merchant_id: None, topic: topic.clone(), fate, before: Some(900) };
                sight.deliveries(&filter, 5).unwrap();
            }
        }
    }
    let sight = Sight::of(tx, &Scope::All);
    sight.users().unwrap();
    sight.good_tokens(now).unwrap();
    sight.audit(Some(7), 5).unwrap();
    assert!(token::speaker(tx, &[7; 32], now).unwrap().is_some());
    token::used(tx, 1, now).unwrap();
    seen::last_delivery(tx, 2).unwrap();
    seen::shadows(tx, 2).unwrap();
    seen::orders_since(tx, 2, Timestamp::UNIX_EPOCH).unwrap();
    assert!(seen::recent(tx, 2).unwrap().orders > 0);
    order::facts(tx, 1).unwrap();
    assert!(!delivery::of_order(tx, 1).unwrap().is_empty());
    delivery::body(tx, 1).unwrap();
    assert!(!document::of_order(tx, 1).unwrap().is_empty());
    assert!(!document::attempts(tx, 1).unwrap().is_empty());
    assert_eq!(document::latest_attempts(tx, 1, 1).unwrap().len(), 1);
    delivery::get(tx, 1).unwrap();
    document::classes(tx, 1).unwrap();
    merchant::all(tx).unwrap();
    merchant::by_slug(tx, "wadi").unwrap();
    for alert in alert::open(tx).unwrap() {
        sight.told_of(&alert).unwrap();
    }
    sight.past_alerts(Some(9), 5).unwrap();
    assert!(!sight.gauges(now).unwrap().merchants.is_empty());
    everything_kept_up(tx, now);
    tally::all(tx, tally::Kind::Login).unwrap();
}

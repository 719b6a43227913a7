//! What schema.sql refuses, and how a file becomes one of ours.
//!
//! Each rule has a row which breaks it and a neighbour which does not. The last word has
//! `no_check_and_no_unique_could_be_missing`: it takes each rule out of the schema and finds a row that then gets in.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "what lies in a file is looked at beside Db, too")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use qantara::db::schema::{APPLICATION_ID, Schema, TODAY, copy_before, shape};
use qantara::db::{Context, Db, Error, FILE, Rule};
use rusqlite::Connection;
use tempfile::TempDir;

/// At least one legal row in every table, and a non-null value in every column that refers to another table.
const ROWS: &str = "
insert into account (id, address) values (1, 'https://a'), (2, 'https://b');
insert into merchant (id, slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
  values (1, 'one', 'k1', 'One', 'shop', 1, 'Asia/Riyadh', 'live', 5, '{}', 0),
         (2, 'two', 'k2', 'Two', 'shop', 1, 'Asia/Riyadh', 'live', 5, '{}', 0);
insert into vendor (shop_domain, name, merchant_id) values ('shop', 'nour', 1);
insert into data_key (sealed, created_at) values (x'00', 0);
insert into credential (merchant_id, kind, sealed) values (1, 'daftra_key', x'00');
insert into shop_api (merchant_id, watches) values (1, 0);
insert into orders (id, merchant_id, remote_id, state_at, created_at) values (1, 1, 11, 0, 0), (2, 1, 12, 0, 0);
insert into delivery (merchant_id, event_key, topic, order_id, received_at) values (1, 'e1', 'orders/create', 1, 0);
insert into fact (order_id, kind, remote_id, body, seen_at) values (2, 'refund', 991, '{}', 0);
insert into document (id, order_id, account_id, parent_id, kind, source_key, reference, state,
                      since_at, content, wanted, remote_id, written)
  values (1, 1, 1, null, 'invoice', 'order', 'r1', 'planned', 0, '{}', x'00', null, null),
         (2, 2, 1, null, 'invoice', 'order', 'r2', 'posted', 0, '{}', x'00', 20, x'00'),
         (3, 2, 1, 2, 'payment', 'transaction/17', 'r3', 'planned', 0, '{}', x'00', null, null),
         (4, 2, 1, 2, 'refund_receipt', 'refund/991', 'r4', 'posted', 0, '{}', x'00', 20, x'00');
insert into reduction (order_id, refund_id, class, document_id) values (2, 991, 'receipt', 4);
insert into attempt (order_id, account_id, document_id, action, started_at, ended_at, outcome)
  values (2, 1, 2, 'create', 0, 1, 'accepted');
insert into job (kind, subject, merchant_id) values ('order', 1, 1);
insert into product (merchant_id, remote_id, code, name, kind, active, tracked, seen_at)
  values (1, 7, 'abc', 'Abc', 1, 1, 1, 0);
insert into product_miss (merchant_id, code, asked_at) values (1, 'xyz', 0);
insert into mapping (merchant_id, code, product_id) values (1, 'abc', 7);
insert into user (id, name, password, role) values (1, 'sara', '$argon2id$', 'owner');
insert into user_merchant (user_id, merchant_id) values (1, 1);
insert into token (user_id, name, hash, role, merchant_id, created_at, expires_at)
  values (1, 'nightly', x'00', 'viewer', 1, 0, 9);
insert into ruling (order_id, document_id, kind, version_at, facts, at, user_id) values (2, 2, 'leave', 0, 0, 0, 1);
insert into sync_log (at, merchant_id, order_id, delivery_id, document_id, status) values (0, 1, 2, 1, 2, 'success');
insert into audit (at, user_id, action, facts, previous, hash) values (0, 1, 'login', '{\"order\":1}', x'00', x'01');
insert into alert (cause, subject, merchant_id, opened_at, seen_at) values ('trouble', 'one', 1, 0, 0);
insert into rejection (merchant_id, hour, reason, count, last_at, shop) values (1, 7, 'other_secret', 1, 0, '');
insert into tally (kind, subject, window_at) values ('login', '10.0.0.0/24', 0);
insert into privacy_request (merchant_id, kind, orders, received_at, due_at, state_at, user_id)
  values (1, 'data_request', '[11]', 0, 9, 0, 1);
insert into setting (key, value) values ('heartbeat_at', '0');
";

/// Rows of the tables that came later.
const LATER: &str = "
insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing) values (1, '2026-11-20', 0, 9, 9, '[]');
insert into accounted (statement_id, order_id, class) values (1, 2, 'held');
insert into examination (merchant_id, day, began_at) values (1, '2026-11-20', 0);
insert into notice (alert_id, channel, stage, facts, due_at, created_at, state_at)
  select id, 'webhook', 'opened', '{}', 0, 0, 0 from alert;
insert into mail_news (kind, order_id, document_id, at) values ('created', 2, 2, 0);
insert into mail (dedupe_key, kind, merchant_id, order_id, recipient, content, message_id, due_at, created_at, state_at)
  values ('created/2/1', 'created', 1, 2, x'00', x'00', '<1@a>', 0, 0, 0);
insert into mail_recipient (merchant_id, address, language, kinds, created_at) values (1, x'00', 'ar', '[]', 0);
insert into mail_wording (merchant_id, kind, language, subject, greeting, closing) values (1, 'held', 'ar', '', '', '');
insert into namesake (merchant_id, order_id, account_id, remote_id, state, seen_at) values (1, 1, 1, 77, 'open', 0);
insert into cut_over (merchant_id) values (1);
insert into variant (merchant_id, remote_id, read_at) values (1, 31, 0);
insert into coverage (merchant_id, read_at, whole, counts) values (1, 0, 1, '{}');
";

/// The rule as the error names it, a change it allows, and the nearest one it does not.
const RULES: &[(&str, &str, &str)] = &[
    (
        "unique account.address",
        "update account set address = 'https://c' where id = 2",
        "update account set address = 'https://a' where id = 2",
    ),
    (
        "unique merchant.slug",
        "update merchant set slug = 'three' where id = 2",
        "update merchant set slug = 'one' where id = 2",
    ),
    (
        "unique merchant.key",
        "update merchant set key = 'k3' where id = 2",
        "update merchant set key = 'k1' where id = 2",
    ),
    ("check mode in", "update merchant set mode = 'closed'", "update merchant set mode = 'shut'"),
    ("check json_valid(rules)", "update merchant set rules = '[]'", "update merchant set rules = '['"),
    (
        "check watches in",
        "insert or replace into shop_api (merchant_id, watches) values (1, 1)",
        "insert or replace into shop_api (merchant_id, watches) values (1, 2)",
    ),
    (
        "check json_valid(scopes)",
        "insert or replace into shop_api (merchant_id, watches, scopes) values (1, 0, '[1]')",
        "insert or replace into shop_api (merchant_id, watches, scopes) values (1, 0, '[')",
    ),
    (
        "check json_valid(wanted)",
        "insert or replace into shop_api (merchant_id, watches, wanted) values (1, 0, '[1]')",
        "insert or replace into shop_api (merchant_id, watches, wanted) values (1, 0, '[')",
    ),
    (
        "check json_valid(unread)",
        "insert or replace into shop_api (merchant_id, watches, unread) values (1, 0, '[1]')",
        "insert or replace into shop_api (merchant_id, watches, unread) values (1, 0, '[')",
    ),
    (
        "check blocked is null",
        "insert or replace into shop_api (merchant_id, watches, blocked) values (1, 0, '[]')",
        "insert or replace into shop_api (merchant_id, watches, blocked) values (1, 0, '[')",
    ),
    ("check trouble is null", "update merchant set trouble = '[]'", "update merchant set trouble = '['"),
    (
        "check working_merchant_has_account",
        "update merchant set account_id = null, mode = 'paused'",
        "update merchant set account_id = null",
    ),
    (
        "check live_merchant_has_start",
        "update merchant set live_from = null, mode = 'shadow'",
        "update merchant set live_from = null",
    ),
    (
        "unique vendor.shop_domain, vendor.name",
        "insert into vendor values ('other', 'nour', 2)",
        "insert into vendor values ('shop', 'nour', 2)",
    ),
    ("check kind in", "update credential set kind = 'store_key'", "update credential set kind = 'door_key'"),
    ("check slot in", "update credential set slot = 'previous'", "update credential set slot = 'next'"),
    (
        "unique credential.merchant_id, credential.kind, credential.slot",
        "insert into credential (merchant_id, kind, slot, sealed) values (1, 'daftra_key', 'previous', x'00')",
        "insert into credential (merchant_id, kind, sealed) values (1, 'daftra_key', x'00')",
    ),
    (
        "unique delivery.merchant_id, delivery.event_key",
        "insert into delivery (merchant_id, event_key, topic, received_at) values (2, 'e1', 'orders/create', 0)",
        "insert into delivery (merchant_id, event_key, topic, received_at) values (1, 'e1', 'orders/create', 0)",
    ),
    ("check fate in", "update delivery set fate = 'sample'", "update delivery set fate = 'lost'"),
    ("check state in", "update orders set state = 'settled'", "update orders set state = 'lost'"),
    (
        "check reason is null",
        "update orders set state = 'held', reason = '[]'",
        "update orders set state = 'held', reason = '['",
    ),
    ("check snapshot is null", "update orders set snapshot = '[]'", "update orders set snapshot = '['"),
    ("check trace is null", "update orders set trace = '[]'", "update orders set trace = '['"),
    (
        "unique orders.merchant_id, orders.remote_id",
        "update orders set merchant_id = 2, remote_id = 11 where id = 2",
        "update orders set remote_id = 11 where id = 2",
    ),
    (
        "check stopped_order_has_reason",
        "update orders set state = 'held', reason = '{}'",
        "update orders set state = 'held'",
    ),
    (
        "check stopped_order_has_reason",
        "update orders set state = 'settled'",
        "update orders set state = 'settled', reason = '{}'",
    ),
    ("check kind in", "update fact set kind = 'transaction'", "update fact set kind = 'rumour'"),
    ("check json_valid(body)", "update fact set body = '[]'", "update fact set body = '['"),
    (
        "unique fact.order_id, fact.kind, fact.remote_id",
        "insert into fact values (2, 'refund', 992, '{}', 0)",
        "insert into fact values (2, 'refund', 991, '{}', 0)",
    ),
    (
        "check kind in",
        "update document set kind = 'payment' where id = 4",
        "update document set kind = 'credit' where id = 4",
    ),
    (
        "unique document.reference",
        "update document set reference = 'r9' where id = 3",
        "update document set reference = 'r1' where id = 3",
    ),
    (
        "check state in",
        "update document set state = 'reversed' where id = 2",
        "update document set state = 'lost' where id = 2",
    ),
    ("check json_valid(content)", "update document set content = '[]'", "update document set content = '['"),
    (
        "check replacement is null",
        "update document set state = 'replace_in_doubt', look_at = 9, replacement = '[]' where id = 2",
        "update document set state = 'replace_in_doubt', look_at = 9, replacement = '[' where id = 2",
    ),
    ("check refusal is null", "update document set refusal = '[]'", "update document set refusal = '['"),
    ("check finding is null", "update document set finding = '[]'", "update document set finding = '['"),
    ("check stock is null", "update document set stock = '[]'", "update document set stock = '['"),
    (
        "unique document.order_id, document.kind, document.source_key",
        "insert into document (order_id, account_id, parent_id, kind, source_key, reference, state,
                               since_at, content, wanted)
           values (2, 1, 2, 'payment', 'transaction/18', 'r9', 'planned', 0, '{}', x'00')",
        "insert into document (order_id, account_id, parent_id, kind, source_key, reference, state,
                               since_at, content, wanted)
           values (2, 1, 2, 'payment', 'transaction/17', 'r9', 'planned', 0, '{}', x'00')",
    ),
    (
        "check only_invoices_have_no_parent",
        "update document set parent_id = 4 where id = 3",
        "update document set parent_id = null where id = 3",
    ),
    (
        "check only_invoices_have_no_parent",
        "update document set parent_id = null where id = 2",
        "update document set parent_id = 1 where id = 2",
    ),
    (
        "unique document.account_id, document.kind, document.remote_id",
        "update document set kind = 'refund_receipt', state = 'posted', remote_id = 20, written = x'00', account_id = 2
           where id = 3",
        "update document set kind = 'refund_receipt', state = 'posted', remote_id = 20, written = x'00' where id = 3",
    ),
    (
        "check class in",
        "insert into reduction (order_id, refund_id, class, document_id) values (2, 992, 'covered', null)",
        "insert into reduction (order_id, refund_id, class, document_id) values (2, 992, 'lost', null)",
    ),
    (
        "check used_reduction_names_document",
        "insert into reduction (order_id, refund_id, class, document_id) values (2, 992, 'edit', 4)",
        "insert into reduction (order_id, refund_id, class, document_id) values (2, 992, 'edit', null)",
    ),
    (
        "check used_reduction_names_document",
        "insert into reduction (order_id, refund_id, class, document_id) values (2, 992, 'covered', null)",
        "insert into reduction (order_id, refund_id, class, document_id) values (2, 992, 'covered', 4)",
    ),
    (
        "unique reduction.order_id, reduction.refund_id",
        "insert into reduction values (2, 992, 'not_ours', null)",
        "insert into reduction values (2, 991, 'not_ours', null)",
    ),
    ("check kind in", "update ruling set kind = 'new_invoice'", "update ruling set kind = 'guess', document_id = null"),
    (
        "check ruling_names_its_document",
        "update ruling set kind = 'dismiss', document_id = null",
        "update ruling set document_id = null",
    ),
    (
        "check ruling_names_its_document",
        "update ruling set kind = 'import', document_id = null",
        "update ruling set kind = 'dismiss'",
    ),
    ("check action in", "update attempt set action = 'look_up'", "update attempt set action = 'erase'"),
    ("check outcome in", "update attempt set outcome = 'unknown'", "update attempt set outcome = 'fine'"),
    (
        "check attempt_names_its_document",
        "update attempt set document_id = null, action = 'find'",
        "update attempt set document_id = null",
    ),
    (
        "check ended_attempt_has_outcome",
        "update attempt set ended_at = null, outcome = null",
        "update attempt set ended_at = null",
    ),
    ("check ended_attempt_has_outcome", "update attempt set ended_at = 2", "update attempt set outcome = null"),
    ("check kind in", "update job set kind = 'account'", "update job set kind = 'idle'"),
    (
        "check order_job_has_merchant",
        "update job set merchant_id = null, kind = 'upkeep'",
        "update job set merchant_id = null",
    ),
    (
        "unique job.kind, job.subject",
        "insert into job (kind, subject) values ('account', 1)",
        "insert into job (kind, subject, merchant_id) values ('order', 1, 2)",
    ),
    ("check kind in", "update product set kind = 3", "update product set kind = 4"),
    ("check active in", "update product set active = 0", "update product set active = 2"),
    ("check tracked in", "update product set tracked = 0", "update product set tracked = 2"),
    (
        "unique product.merchant_id, product.remote_id",
        "insert into product (merchant_id, remote_id, code, name, kind, active, tracked, seen_at)
           values (2, 7, 'abc', 'Abc', 1, 1, 1, 0)",
        "insert into product (merchant_id, remote_id, code, name, kind, active, tracked, seen_at)
           values (1, 7, 'abd', 'Abd', 1, 1, 1, 0)",
    ),
    (
        "unique product_miss.merchant_id, product_miss.code",
        "insert into product_miss values (2, 'xyz', 0)",
        "insert into product_miss values (1, 'xyz', 1)",
    ),
    (
        "unique mapping.merchant_id, mapping.code",
        "insert into mapping values (2, 'abc', 7, '')",
        "insert into mapping values (1, 'abc', 8, '')",
    ),
    ("check state in", "update namesake set state = 'adopted'", "update namesake set state = 'lost'"),
    ("check fault is null", "update namesake set fault = '[]'", "update namesake set fault = '['"),
    (
        "unique namesake.account_id, namesake.remote_id",
        "insert into namesake (merchant_id, order_id, account_id, remote_id, state, seen_at) values (1, 1, 2, 77, 'open', 0)",
        "insert into namesake (merchant_id, order_id, account_id, remote_id, state, seen_at) values (1, 1, 1, 77, 'open', 0)",
    ),
    ("check outcome in", "update variant set outcome = 'unknown'", "update variant set outcome = 'lost'"),
    (
        "unique variant.merchant_id, variant.remote_id",
        "insert into variant (merchant_id, remote_id, read_at) values (2, 31, 0)",
        "insert into variant (merchant_id, remote_id, read_at) values (1, 31, 0)",
    ),
    ("check whole in", "update coverage set whole = 0", "update coverage set whole = 2"),
    ("check is_listed in", "update coverage set is_listed = 1", "update coverage set is_listed = 2"),
    ("check json_valid(counts)", "update coverage set counts = '[]'", "update coverage set counts = '['"),
    (
        "unique user.name",
        "insert into user (name, password, role) values ('omar', '', 'viewer')",
        "insert into user (name, password, role) values ('sara', '', 'viewer')",
    ),
    ("check role in", "update user set role = 'viewer'", "update user set role = 'root'"),
    (
        "unique token.hash",
        "insert into token (user_id, name, hash, role, created_at, expires_at) values (1, 'x', x'01', 'owner', 0, 9)",
        "insert into token (user_id, name, hash, role, created_at, expires_at) values (1, 'x', x'00', 'owner', 0, 9)",
    ),
    ("check role in", "update token set role = 'operator'", "update token set role = 'root'"),
    ("check limited in", "update user set limited = 1", "update user set limited = 2"),
    (
        "unique user_merchant.user_id, user_merchant.merchant_id",
        "insert into user_merchant values (1, 2)",
        "insert into user_merchant values (1, 1)",
    ),
    (
        "unique standing.merchant_id, standing.hour, standing.state",
        "insert into standing values (1, 9, 'new', 1)",
        "insert into standing values (1, 0, 'new', 1)",
    ),
    (
        "unique happening.merchant_id, happening.hour, happening.status",
        "insert into happening values (1, 9, 'success', 1)",
        "insert into happening values (1, 0, 'success', 1)",
    ),
    (
        "unique pace.merchant_id, pace.hour, pace.within",
        "insert into pace values (1, 9, 1, 1)",
        "insert into pace values (1, 0, 1, 1)",
    ),
    ("check kind in", "update mail_news set kind = 'held'", "update mail_news set kind = 'trial'"),
    ("check changes is null", "update mail_news set changes = '[]'", "update mail_news set changes = '['"),
    (
        "unique mail.dedupe_key",
        "insert into mail (dedupe_key, kind, recipient, content, message_id, due_at, created_at, state_at)
           values ('created/2/2', 'created', x'00', x'00', '<2@a>', 0, 0, 0)",
        "insert into mail (dedupe_key, kind, recipient, content, message_id, due_at, created_at, state_at)
           values ('created/2/1', 'created', x'00', x'00', '<2@a>', 0, 0, 0)",
    ),
    (
        "unique mail.message_id",
        "insert into mail (dedupe_key, kind, recipient, content, message_id, due_at, created_at, state_at)
           values ('created/2/2', 'created', x'00', x'00', '<2@a>', 0, 0, 0)",
        "insert into mail (dedupe_key, kind, recipient, content, message_id, due_at, created_at, state_at)
           values ('created/2/2', 'created', x'00', x'00', '<1@a>', 0, 0, 0)",
    ),
    ("check kind in", "update mail set kind = 'summary'", "update mail set kind = 'letter'"),
    ("check count > 0", "update mail set count = 2", "update mail set count = 0"),
    ("check state in", "update mail set state = 'sent', due_at = null", "update mail set state = 'lost', due_at = null"),
    ("check problem is null", "update mail set problem = '[]'", "update mail set problem = '['"),
    (
        "check only_what_waits_has_a_time",
        "update mail set state = 'sending', due_at = null",
        "update mail set due_at = null",
    ),
    (
        "check what_waits_has_its_content",
        "update mail set content = null, state = 'failed', due_at = null",
        "update mail set content = null",
    ),
    ("check language in", "update mail_recipient set language = 'en'", "update mail_recipient set language = 'la'"),
    ("check json_valid(kinds)", "update mail_recipient set kinds = '[1]'", "update mail_recipient set kinds = '['"),
    ("check kind in", "update mail_wording set kind = 'failed'", "update mail_wording set kind = 'alert'"),
    ("check language in", "update mail_wording set language = 'en'", "update mail_wording set language = 'la'"),
    (
        "unique mail_wording.merchant_id, mail_wording.kind, mail_wording.language",
        "insert into mail_wording values (2, 'held', 'ar', '', '', '')",
        "insert into mail_wording values (1, 'held', 'ar', '', '', '')",
    ),
    ("check language in", "update user set language = 'ar'", "update user set language = 'la'"),
    ("check status in", "update sync_log set status = 'shadow'", "update sync_log set status = 'settled'"),
    ("check reason is null", "update sync_log set reason = '[]'", "update sync_log set reason = '['"),
    ("check json_valid(facts)", "update audit set facts = '[]'", "update audit set facts = '['"),
    (
        "unique audit.hash",
        "insert into audit (at, action, facts, previous, hash) values (1, 'logout', '{}', x'01', x'02')",
        "insert into audit (at, action, facts, previous, hash) values (1, 'logout', '{}', x'01', x'01')",
    ),
    ("check count > 0", "update alert set count = 2", "update alert set count = 0"),
    (
        "unique alert.cause, alert.subject",
        "update alert set closed_at = 1; insert into alert (cause, subject, opened_at, seen_at)
           values ('trouble', 'one', 2, 2)",
        "insert into alert (cause, subject, opened_at, seen_at) values ('trouble', 'one', 2, 2)",
    ),
    ("check told is null", "update alert set told = 'over'", "update alert set told = 'often'"),
    ("check channel in", "update notice set channel = 'telegram'", "update notice set channel = 'pigeon'"),
    ("check stage in", "update notice set stage = 'reminder'", "update notice set stage = 'later'"),
    ("check json_valid(facts)", "update notice set facts = '[]'", "update notice set facts = '['"),
    ("check state in", "update notice set state = 'sent', due_at = null", "update notice set state = 'lost', due_at = null"),
    ("check only_what_is_queued_is_due", "update notice set due_at = 7", "update notice set due_at = null"),
    ("check json_valid(missing)", "update statement set missing = '[{}]'", "update statement set missing = 'none'"),
    (
        "unique statement.merchant_id, statement.day",
        "insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing)
           values (1, '2026-11-21', 0, 9, 9, '[]')",
        "insert into statement (merchant_id, day, begins_at, ends_at, drawn_at, missing)
           values (1, '2026-11-20', 0, 9, 9, '[]')",
    ),
    ("check a_day_has_a_length", "update statement set begins_at = 8", "update statement set begins_at = 9"),
    ("check class in", "update accounted set class = 'in_doubt'", "update accounted set class = 'lost'"),
    (
        "unique accounted.statement_id, accounted.order_id",
        "insert into accounted values (1, 3, 'held')",
        "insert into accounted values (1, 2, 'invoiced')",
    ),
    (
        "unique examination.merchant_id, examination.day",
        "insert into examination (merchant_id, day, began_at) values (1, '2026-11-21', 0)",
        "insert into examination (merchant_id, day, began_at) values (1, '2026-11-20', 1)",
    ),
    ("check reason in", "update rejection set reason = 'closed'", "update rejection set reason = 'mood'"),
    (
        "unique rejection.merchant_id, rejection.hour, rejection.reason",
        "insert into rejection values (1, 8, 'other_secret', 1, 0, '')",
        "insert into rejection values (1, 7, 'other_secret', 1, 0, '')",
    ),
    (
        "check kind in",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'customer_redact', '[]', 0, 9, null, 'open', 0, '{}')",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'whim', '[]', 0, 9, null, 'open', 0, '{}')",
    ),
    (
        "check json_valid(orders)",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[7]', 0, 9, null, 'open', 0, '{}')",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[', 0, 9, null, 'open', 0, '{}')",
    ),
    (
        "check state in",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[]', 0, 9, null, 'done', 0, '{}')",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[]', 0, 9, null, 'late', 0, '{}')",
    ),
    (
        "check json_valid(counts)",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[]', 0, 9, null, 'open', 0, '[]')",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[]', 0, 9, null, 'open', 0, '[')",
    ),
    (
        "check only_a_shop_begins_by_itself",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'shop_redact', '[]', 0, 9, 9, 'open', 0, '{}')",
        "insert into privacy_request (merchant_id, kind, orders, received_at, due_at, begins_at, state, state_at, counts) 
         values (1, 'data_request', '[]', 0, 9, 9, 'open', 0, '{}')",
    ),
    ("check kind in", "update tally set kind = 'unowned_vendor'", "update tally set kind = 'fraud'"),
    (
        "unique tally.kind, tally.subject, tally.window_at",
        "insert into tally values ('login', '10.0.0.0/24', 1, 1)",
        "insert into tally values ('login', '10.0.0.0/24', 0, 1)",
    ),
    (
        "unique setting.key",
        "insert into setting values ('look_first_before', '0')",
        "insert into setting values ('heartbeat_at', '1')",
    ),
    ("check json_valid(value)", "update setting set value = '[]'", "update setting set value = '['"),
];

/// What each state of a document says about the other columns, written down a second time on purpose.
const STATES: [(&str, &str); 11] = [
    ("planned", "live"),
    ("sending", "live"),
    ("in_doubt", "live, has look_at"),
    ("refused", "live, has refusal"),
    ("dropped", ""),
    ("posted", "live, exists"),
    ("replacing", "live, exists, put under way"),
    ("replace_in_doubt", "live, exists, put under way, has look_at"),
    ("locked", "live, exists, has refusal"),
    ("gone", "exists"),
    ("reversed", "exists"),
];

/// A change that puts document 1 into a state, and whether the state allows it.
struct Posture {
    sql: String,
    legal: bool,
}

/// Every state with every combination of the columns it speaks of.
fn postures() -> Vec<Posture> {
    let mut postures = Vec::new();
    for (state, says) in STATES {
        for bits in 0..32 {
            let has = |bit: u32| bits & (1 << bit) != 0;
            let value = |bit, value| if has(bit) { value } else { "null" };
            let sql = format!(
                "update document set state = '{state}', remote_id = {}, written = {}, replacement = {}, look_at = {}, \
                 refusal = {} where id = 1",
                value(0, "77"),
                value(1, "x'00'"),
                value(2, "'{}'"),
                value(3, "9"),
                value(4, "'{}'"),
            );
            let legal = has(0) == says.contains("exists")
                && has(1) == says.contains("exists")
                && has(2) == says.contains("put under way")
                && (has(3) || !says.contains("has look_at"))
                && (has(4) || !says.contains("has refusal"));
            postures.push(Posture { sql, legal });
        }
    }
    postures
}

#[test]
fn each_rule_refuses_its_row_and_allows_the_neighbour() {
    let db = filled(TODAY.create);
    for (rule, legal, illegal) in RULES {
        let changed = attempt(&db, legal).unwrap_or_else(|error| panic!("{rule}: refuses {legal}: {error}"));
        assert!(changed > 0, "{rule}: nothing to change for {legal}");
        match attempt(&db, illegal) {
            Err(Error::Constraint { rule: kind, name, .. }) => {
                assert!(format!("{kind} {name}").starts_with(rule), "{illegal}: refused by {kind} {name}, not {rule}");
            }
            other => panic!("{rule}: should refuse {illegal}, but {other:?}"),
        }
    }
}

#[test]
fn a_document_is_in_no_state_that_makes_no_sense() {
    let db = filled(TODAY.create);
    for Posture { sql, legal } in postures() {
        assert_eq!(attempt(&db, &sql).is_ok(), legal, "{sql}");
    }
}

#[test]
fn an_order_has_one_live_invoice() {
    let db = filled(TODAY.create);
    for (state, says) in STATES {
        let exists = if says.contains("exists") { "9, x'00'" } else { "null, null" };
        let replacement = if says.contains("put under way") { "'{}'" } else { "null" };
        let second = format!(
            "insert into document (order_id, account_id, kind, source_key, reference, state, since_at, look_at, content,
                                   wanted, refusal, replacement, remote_id, written)
             values (2, 1, 'invoice', 'order/2', 'r9', '{state}', 0, 9, '{{}}', x'00', '{{}}', {replacement}, {exists})"
        );
        assert_eq!(attempt(&db, &second).is_err(), says.contains("live"), "{state} beside a posted one");
        let first_is_over = format!("update document set state = 'reversed' where id = 2; {second}");
        assert!(attempt(&db, &first_is_over).is_ok(), "{state} after one that was reversed");
    }
}

/// An invoice of two lines, two units at 1.00 and one at 5.00, of which one unit at 1.00 was taken back.
const BILLED: &str = r#"
update document set content = '{"invoice":{"billed":[
  {"source":{"line":1},"units":2,"net":200,"tax":30,"included":false},
  {"source":{"line":2},"units":1,"net":500,"tax":75,"included":false}]}}' where id = 2;
update document set content = '{"refund_receipt":{"billed":[
  {"source":{"line":1},"units":1,"net":100,"tax":15,"included":false}]}}' where id = 4;
insert into document (id, order_id, account_id, parent_id, kind, source_key, reference, state, since_at, content, wanted)
  values (5, 2, 1, 2, 'refund_receipt', 'refund/992', 'r5', 'planned', 0, '{}', x'00');
"#;

#[test]
fn nothing_is_sent_that_takes_back_more_than_is_billed() {
    let row = |source: &str, units: i64, net: i64, tax: i64| {
        format!(r#"{{"source":{source},"units":{units},"net":{net},"tax":{tax},"included":false}}"#)
    };
    let take_back = |row: &str| {
        format!(
            r#"update document set state = 'sending', content = '{{"refund_receipt":{{"billed":[{row}]}}}}' where id = 5"#
        )
    };
    let replace = |rows: &str| {
        format!(
            r#"update document set state = 'replacing', replacement = '{{"invoice":{{"billed":[{rows}]}}}}' where id = 2"#
        )
    };
    let line = r#"{"line":1}"#;
    let money = r#"{"money":992}"#;
    let other = row(r#"{"line":2}"#, 1, 500, 75);
    let changes = [
        (take_back(&row(line, 1, 100, 15)), true),
        (take_back(&row(line, 2, 100, 15)), false),
        (take_back(&row(line, 1, 101, 15)), false),
        (take_back(&row(line, 1, 100, 16)), false),
        (take_back(&row(r#"{"line":3}"#, 1, 1, 0)), false),
        // Of 8.05 with tax 1.15 are taken back.
        (take_back(&row(money, 1, 690, 0)), true),
        (take_back(&row(money, 1, 691, 0)), false),
        (replace(&[row(line, 1, 100, 15), other.clone()].join(",")), true),
        (replace(&other), false),
        (replace(&[row(line, 1, 99, 15), other].join(",")), false),
    ];
    let db = filled(TODAY.create);
    db.execute_batch(BILLED).unwrap();
    for (change, is_legal) in &changes {
        match attempt(&db, change) {
            Ok(_) => assert!(is_legal, "{change}"),
            Err(Error::Constraint { rule: Rule::Trigger, name, .. }) => {
                assert_eq!((name.as_str(), *is_legal), ("receipts_fit_their_invoice", false), "{change}");
            }
            Err(error) => panic!("{change}: {error}"),
        }
    }
    db.execute_batch("drop trigger receipts_fit_their_invoice").unwrap();
    assert!(changes.iter().all(|(change, _)| attempt(&db, change).is_ok()), "the trigger was needed for each");
}

#[test]
fn the_class_of_a_record_is_written_once() {
    let db = filled(TODAY.create);
    let again = "update reduction set class = 'edit'";
    let refused = attempt(&db, again);
    assert!(matches!(refused, Err(Error::Constraint { rule: Rule::Trigger, .. })), "{refused:?}");
    db.execute_batch("drop trigger a_class_is_for_ever").unwrap();
    assert!(attempt(&db, again).is_ok());
}

#[test]
fn no_check_and_no_unique_could_be_missing() {
    let mut illegal: Vec<String> = RULES.iter().map(|(.., illegal)| (*illegal).to_owned()).collect();
    illegal.extend(postures().into_iter().filter(|posture| !posture.legal).map(|posture| posture.sql));
    illegal.push(
        "insert into document (order_id, account_id, kind, source_key, reference, state, since_at, content, wanted)
         values (2, 1, 'invoice', 'order/2', 'r9', 'planned', 0, '{}', x'00')"
            .to_owned(),
    );
    let mutants = mutants();
    assert!(mutants.len() > 50, "the parser below lost most of the schema: {} rules", mutants.len());
    for (rule, schema) in mutants {
        let db = filled(&schema);
        assert!(illegal.iter().any(|sql| attempt(&db, sql).is_ok()), "nothing here needs {rule}");
    }
}

#[test]
fn every_reference_is_enforced() {
    let db = filled(TODAY.create);
    let references = rows(
        &db,
        "select t.name, f.\"from\" from sqlite_schema t, pragma_foreign_key_list(t.name) f where t.type = 'table'",
    );
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let (table, column) = reference.split_once(' ').unwrap();
        // One row, so that no unique index speaks first.
        let sql = format!("update {table} set {column} = 404 where {column} = (select min({column}) from {table})");
        let refused = attempt(&db, &sql);
        assert!(matches!(refused, Err(Error::Constraint { rule: Rule::ForeignKey, .. })), "{sql}: {refused:?}");
    }
}

#[test]
fn every_table_is_strict_and_reuses_no_id() {
    let db = filled(TODAY.create);
    let lax = "select name from pragma_table_list
               where schema = 'main' and type = 'table' and name not like 'sqlite%' and not strict";
    assert_eq!(rows(&db, lax), [""; 0]);
    let reusing = "select t.name from pragma_table_list t join sqlite_schema s using (name)
                   where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite%' and not wr
                     and sql not like '%autoincrement%'";
    assert_eq!(rows(&db, reusing), [""; 0]);
    let refused = attempt(&db, "update account set served_at = 'soon'");
    assert!(matches!(refused, Err(Error::Constraint { rule: Rule::DataType, .. })), "{refused:?}");
    let refused = attempt(&db, "update account set served_at = null");
    assert!(matches!(refused, Err(Error::Constraint { rule: Rule::NotNull, .. })), "{refused:?}");
}

#[test]
fn a_delivery_can_be_purged_and_its_id_does_not_come_back() {
    let db = filled(TODAY.create);
    db.execute_batch(
        "delete from delivery;
         insert into delivery (merchant_id, event_key, topic, received_at) values (1, 'e2', 'orders/updated', 0)",
    )
    .unwrap();
    assert_eq!(rows(&db, "select id from delivery"), ["2"]);
    assert_eq!(rows(&db, "select delivery_id from sync_log"), ["1"], "the story stays");
}

#[test]
fn a_new_database_says_what_it_is() {
    let folder = folder();
    drop(Db::open(folder.path()).unwrap());
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    assert_eq!(rows(&db, "select * from pragma_application_id"), [APPLICATION_ID.to_string()]);
    assert_eq!(rows(&db, "select * from pragma_user_version"), [(1 + TODAY.migrations.len()).to_string()]);
    assert_eq!(shape(&db).unwrap(), shape(&filled(TODAY.create)).unwrap());
    Db::open(folder.path()).unwrap(); // and is recognised
}

/// The schema.sql of each version before today's, and rows in all of its tables: whoever adds a migration adds what it
/// starts from.
const RELEASED: &[(&str, &str)] = &[(include_str!("schema/v1.sql"), include_str!("schema/v1-rows.sql"))];

#[test]
fn migrations_and_schema_sql_end_at_the_same_place() {
    both_roads_meet(&TODAY, RELEASED);
    both_roads_meet(&SHELVES, &[(SHELVES_1, ""), (SHELVES_2, "")]);
}

#[test]
fn what_was_kept_by_earlier_versions_is_kept_and_obeys_todays_rules() {
    for (version, (create, rows)) in RELEASED.iter().enumerate() {
        let (_folder, path) = database(create, &TODAY.migrations[..version]);
        let mut db = Connection::open(&path).unwrap();
        db.execute_batch(rows).unwrap();
        let before = contents(&db, None);
        assert!(before.len() > 25, "{:?}", before.keys());
        let empty: Vec<_> = before.iter().filter(|(_, (_, rows))| rows.is_empty()).map(|(table, _)| table).collect();
        assert!(empty.is_empty(), "version {}: no rows in {empty:?}", version + 1);
        TODAY.bring_up(&mut db, &path).unwrap();
        assert_eq!(contents(&db, Some(&before)), before, "version {}", version + 1);
        db.execute_batch(LATER).unwrap();
        for (rule, legal, illegal) in RULES {
            assert!(attempt(&db, legal).is_ok(), "{rule}: refuses {legal}");
            assert!(attempt(&db, illegal).is_err(), "{rule}: allows {illegal}");
        }
    }
}

/// A migration that forgets a column, an index or a rule would be seen.
#[test]
fn no_two_schemas_have_the_same_shape() {
    let today = shape_of(TODAY.create);
    for (rule, schema) in mutants() {
        assert_ne!(shape_of(&schema), today, "without {rule}");
    }
    for line in ["create index attempt_with_bodies", "create index alert_by_time"] {
        let at = TODAY.create.find(line).unwrap();
        let rest = &TODAY.create[at..];
        let without = [&TODAY.create[..at], &rest[rest.find(';').unwrap() + 1..]].concat();
        assert_ne!(shape_of(&without), today, "without {line}");
    }
}

#[test]
fn migrating_keeps_the_rows_and_a_copy_of_the_old_file() {
    let (_folder, path) = database(SHELVES_1, &[]);
    let mut db = Connection::open(&path).unwrap();
    SHELVES.bring_up(&mut db, &path).unwrap();
    assert_eq!(rows(&db, "select title, name, height from book join shelf on shelf.id = shelf_id"), ["Emma top 30"]);
    assert_eq!(rows(&db, "pragma foreign_keys"), ["1"], "on again after the rebuild");
    assert_eq!(rows(&db, "pragma user_version"), ["3"]);

    let copy = Connection::open(copy_before(&path, 3)).unwrap();
    assert_eq!(shape(&copy).unwrap(), shape_of(SHELVES_1));
    assert_eq!(rows(&copy, "select title, name from book join shelf on shelf.id = shelf_id"), ["Emma top"]);
    assert_eq!(rows(&copy, "pragma user_version"), ["1"]);
    assert_eq!(rows(&copy, "pragma journal_mode"), ["delete"], "one file, without a log beside it");
    let mode = std::fs::metadata(copy_before(&path, 3)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "nobody else reads it");
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let (_folder, path) = database(SHELVES_1, &[]);
    for bad in ["create table half (a integer) strict; nonsense", "delete from shelf"] {
        let migrations = [SHELVES.migrations[0], bad];
        let mut db = Connection::open(&path).unwrap();
        Schema { create: "", migrations: &migrations }.bring_up(&mut db, &path).unwrap_err();
        assert_eq!(shape(&db).unwrap(), shape_of(SHELVES_1), "{bad}");
        assert_eq!(rows(&db, "select name from shelf"), ["top"], "{bad}");
        assert_eq!(rows(&db, "pragma user_version"), ["1"], "{bad}");
    }
}

#[test]
fn a_newer_database_is_refused_and_says_where_the_older_one_is() {
    let folder = folder();
    drop(Db::open(folder.path()).unwrap());
    let path = folder.path().join(FILE);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let error = Db::open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(error, Error::Newer { found: 9, .. }), "{error:?}");
    assert!(error.to_string().contains("qantara.db.before-v9"), "{error}");
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let folder = folder();
    let path = folder.path().join(FILE);
    let theirs = Connection::open(&path).unwrap();
    for sql in ["create table photo (id integer)", "pragma application_id = 77; pragma user_version = 1"] {
        theirs.execute_batch(sql).unwrap();
        let error = Db::open(folder.path()).map(drop).unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error:?}");
        assert_eq!(rows(&theirs, "pragma journal_mode"), ["delete"]);
    }
}

// A little library of three versions, for the machinery; ours are below.

const SHELVES_1: &str = "
create table shelf (id integer primary key autoincrement, name text not null) strict;
create table book (id integer primary key autoincrement, shelf_id integer not null references shelf, title text) strict;
insert into shelf (name) values ('top');
insert into book (shelf_id, title) values (1, 'Emma');
";
const SHELVES_2: &str = "
create table shelf (id integer primary key autoincrement, name text not null,
                    height integer not null default 30) strict;
create table book (id integer primary key autoincrement, shelf_id integer not null references shelf, title text) strict;
insert into shelf (name) values ('top');
insert into book (shelf_id, title) values (1, 'Emma');
";
const SHELVES: Schema<'static> = Schema {
    create: "
create table shelf (
  id     integer primary key autoincrement,
  name   text    not null unique,                        -- new in 3
  height integer not null default 30                     -- new in 2
) strict;
create table book (
  id       integer primary key autoincrement,
  shelf_id integer not null references shelf,
  title    text
) strict;
create index book_on_shelf on book (shelf_id);
",
    migrations: &[
        "alter table shelf add column height integer not null default 30",
        // Takes the table apart under the books that refer to it.
        "create table shelf_3 (id integer primary key autoincrement, name text not null unique,
                               height integer not null default 30) strict;
         insert into shelf_3 (id, name, height) select id, name, height from shelf;
         drop table shelf;
         alter table shelf_3 rename to shelf;
         create index book_on_shelf on book (shelf_id);",
    ],
};

fn both_roads_meet(schema: &Schema<'_>, released: &[(&str, &str)]) {
    assert_eq!(released.len(), schema.migrations.len(), "each migration starts from a released schema.sql");
    for (version, (create, rows)) in released.iter().enumerate() {
        let (_folder, path) = database(create, &schema.migrations[..version]);
        let mut db = Connection::open(&path).unwrap();
        db.execute_batch(rows).unwrap();
        schema.bring_up(&mut db, &path).unwrap();
        assert_eq!(shape(&db).unwrap(), shape_of(schema.create), "from version {}", version + 1);
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A file as the release with these migrations made it.
fn database(create: &str, migrations: &[&str]) -> (TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join(FILE);
    let mut db = Connection::open(&path).unwrap();
    Schema { create, migrations }.bring_up(&mut db, &path).unwrap();
    (folder, path)
}

fn in_memory(create: &str) -> Connection {
    let mut db = Connection::open_in_memory().unwrap();
    Schema { create, migrations: &[] }.bring_up(&mut db, Path::new(":memory:")).unwrap();
    db
}

fn filled(create: &str) -> Connection {
    let db = in_memory(create);
    db.execute_batch(ROWS).unwrap_or_else(|error| panic!("{error} in ROWS"));
    if create.contains("create table statement") {
        db.execute_batch(LATER).unwrap_or_else(|error| panic!("{error} in LATER"));
    }
    db
}

/// Tries a change, says how many rows it touched, and takes it back.
fn attempt(db: &Connection, sql: &str) -> Result<u64, Error> {
    let before = db.total_changes();
    db.execute_batch("savepoint attempt").unwrap();
    let outcome = db.execute_batch(sql).during("attempt a change");
    let touched = db.total_changes() - before;
    db.execute_batch("rollback to attempt; release attempt").unwrap();
    outcome.map(|()| touched)
}

/// Each row as its columns with spaces between.
fn rows(db: &Connection, sql: &str) -> Vec<String> {
    use rusqlite::types::ValueRef;
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
        ValueRef::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ValueRef::Real(_) => panic!("there are no such columns"),
    };
    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|n| row.get_ref(n).map(text)).collect::<Result<Vec<_>, _>>();
    statement.query_map([], row).unwrap().map(|row| row.unwrap().join(" ")).collect()
}

/// Each table with its columns and all that is in them; of a later version only the tables and columns of before.
fn contents(db: &Connection, of: Option<&Contents>) -> Contents {
    let names = "select name from pragma_table_list
                 where schema = 'main' and type = 'table' and name not like 'sqlite%' order by name";
    let tables = of.map_or_else(|| rows(db, names), |of| of.keys().cloned().collect());
    let content = |table: String| {
        let columns = match of {
            Some(of) => of[&table].0.clone(),
            None => rows(db, &format!("select name from pragma_table_info('{table}')")).join(", "),
        };
        let content = rows(db, &format!("select {columns} from {table} order by 1, 2"));
        (table, (columns, content))
    };
    tables.into_iter().map(content).collect()
}

type Contents = BTreeMap<String, (String, Vec<String>)>;

fn shape_of(create: &str) -> BTreeMap<String, String> {
    shape(&in_memory(create)).unwrap()
}

fn without_comments(sql: &str) -> String {
    sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The schema without each of its checks and uniques in turn, beside the text of what is missing.
fn mutants() -> Vec<(String, String)> {
    let schema = without_comments(TODAY.create);
    let mut mutants = Vec::new();
    let mut mutate = |from: usize, to: usize, instead: &str| {
        let line = schema[from..].lines().next().unwrap_or_default().to_owned();
        let table = schema[..from].rfind("create table ").map_or("", |at| &schema[at..]);
        let table = table.split_whitespace().nth(2).unwrap_or_default();
        mutants.push((format!("{table}: {line}"), [&schema[..from], instead, &schema[to..]].concat()));
    };
    for (at, _) in schema.match_indices("check (") {
        mutate(at, at + closed(&schema[at..]), "check (true)");
    }
    for (at, word) in schema.match_indices("unique") {
        let list = schema[at..].starts_with("unique (");
        mutate(at, at + if list { closed(&schema[at..]) } else { word.len() }, if list { "check (true)" } else { "" });
    }
    mutants
}

/// Where the first bracket of a text is closed again.
fn closed(text: &str) -> usize {
    let mut depth = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    panic!("an open bracket in {text}");
}

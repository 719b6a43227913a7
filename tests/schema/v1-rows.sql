-- At least one legal row in every table of version 1, and a non-null value in every column that refers to another table.
insert into account (id, address) values (1, 'https://a'), (2, 'https://b');
insert into merchant (id, slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, created_at)
  values (1, 'one', 'k1', 'One', 'shop', 1, 'Asia/Riyadh', 'live', 5, '{}', 0),
         (2, 'two', 'k2', 'Two', 'shop', 1, 'Asia/Riyadh', 'live', 5, '{}', 0);
insert into vendor (shop_domain, name, merchant_id) values ('shop', 'nour', 1);
insert into data_key (sealed, created_at) values (x'00', 0);
insert into credential (merchant_id, kind, sealed) values (1, 'daftra_key', x'00');
insert into orders (id, merchant_id, remote_id, state_at, created_at) values (1, 1, 11, 0, 0), (2, 1, 12, 0, 0);
insert into delivery (merchant_id, event_key, topic, order_id, received_at) values (1, 'e1', 'orders/create', 1, 0);
insert into order_sku (merchant_id, sku, order_id) values (1, 'abc', 1);
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
insert into audit (at, user_id, action, facts, previous, hash) values (0, 1, 'login', '{"order":1}', x'00', x'01');
insert into alert (cause, subject, merchant_id, opened_at, seen_at) values ('trouble', 'one', 1, 0, 0);
insert into rejection (merchant_id, hour, reason, count, last_at, shop) values (1, 7, 'other_secret', 1, 0, '');
insert into tally (kind, subject, window_at) values ('login', '10.0.0.0/24', 0);
insert into setting (key, value) values ('heartbeat_at', '0');

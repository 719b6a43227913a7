insert into account (address) values ('https://noon.daftra.com');
insert into merchant (slug, key, name, shop_domain, account_id, time_zone, mode, live_from, rules, trouble, created_at)
values ('noon', 'k1', '<b>Noon</b> نون', 'noon.myshopify.com', 1, 'Asia/Riyadh', 'live', 0,
  '{"vendors":{"all_but":[]},"client_id":1,"store_id":1,"branch_id":null,"sku":{"separators":[],"strip_prefixes":[],
    "add_prefix":"","is_barcode":false},"shipping":"never","custom":"hold","gift_card":"hold","tip":"hold","duty":"hold",
    "trigger":"created","trigger_by_gateway":{},"ignored_sources":[],"test_orders":false,"draft":false,
    "tolerance_minor":null,"taxes":[]}',
  '{"code":"credential","text":"Unauthenticated."}', 0);
insert into orders (merchant_id, remote_id, name, state, state_at, reason, trace, placed_at, created_at)
values (1, 5551234567, '#1001 <script>alert(1)</script>', 'held', 1795165200000,
  '{"held":[{"code":"unknown_product","line":"<i>عباية</i> \"silk\"","codes":["AB-1"]},
            {"code":"totals_differ","order":11500,"daftra":11501,"tax_order":1500,"tax_daftra":1501,"tolerance":0}]}',
  '[{"ownership":{"line":1,"title":"<u>Scarf</u>","vendor":"Noon","seen":"billed"}},
    {"money":{"state":"overpaid","total":11500,"received":12000,"given_back":0}},
    {"totals":{"shop":{"total":11500,"tax":1500},"daftra":{"total":11501,"tax":1501}}}]',
  1795161600000, 1795165200000);
insert into document (order_id, account_id, kind, source_key, reference, state, since_at, content, wanted, written,
  remote_id, remote_no, total_minor, currency, verified_at)
values (1, 1, 'invoice', 'order', 'k1-5551234567-order', 'posted', 1795165200000,
  '{"invoice":{"header":{"reference":"k1-5551234567-order","order_name":"#1001","client_id":1,"store_id":1,
    "branch_id":null,"currency":"KWD","date":"2026-11-20","draft":false},"vendors":{"all_but":[]},"shipping":"never","seen":{},
    "billed":[{"source":{"line":1},"title":"<u>Scarf</u>","sku":"AB-1","product_id":9,"found":null,"taxes":[],"included":false,
    "units":2,"net":10000,"tax":1500,"rows":[{"units":2,"unit_price":5000}]}]}}',
  x'31', x'31', 4711, 'INV-000042', 11500, 'KWD', 1795165201000);
insert into document (order_id, account_id, parent_id, kind, source_key, reference, state, since_at, content, wanted, written,
  remote_id, total_minor, currency, verified_at)
values (1, 1, 1, 'payment', 'transaction/17', 'k1-5551234567-transaction/17', 'posted', 1795165200000,
  '{"payment":{"header":{"reference":"k1-5551234567-transaction/17","order_name":"#1001","client_id":1,"store_id":1,
    "branch_id":null,"currency":"KWD","date":"2026-11-20","draft":false},"cause":{"transaction":17},
    "at":"2026-11-20T09:00:00Z","clock":"2026-11-20T12:00:00","amount":12000,"rounding":0,"covers":[17],
    "gateway":"<s>Mada</s>","method":"bank","treasury_id":7}}',
  x'31', x'31', 5811, 12000, 'KWD', 1795165201000);
insert into delivery (merchant_id, event_key, topic, order_id, received_at, repeats)
values (1, 'b1-<event>', 'orders/create', 1, 1795165200000, 3);
insert into attempt (order_id, account_id, document_id, action, started_at, ended_at, outcome, status, remote_id, detail)
values (1, 1, 1, 'create', 1795165200000, 1795165200345, 'accepted', 200, 4711, '<em>detail</em>'),
       (1, 1, null, 'find', 1795165201000, null, null, null, null, '');
insert into sync_log (at, merchant_id, order_id, document_id, status, reason)
values (1795165200000, 1, 1, 1, 'success', '{"document":{"reference":"k1-5551234567-order","number":"INV-000042","state":"posted"}}'),
       (1795165201000, 1, 1, null, 'held', '{"reason":{"held":[{"code":"gone","reference":"k1-5551234567-order"}]}}'),
       (1795165202000, 1, null, null, 'ignored', '{"topic":"products/<update>"}');
insert into alert (cause, subject, merchant_id, count, opened_at, seen_at)
values ('trouble', '<noon>', 1, 3, 1795165200000, 1795165201000);
insert into statement (id, merchant_id, day, begins_at, ends_at, drawn_at, missing)
values (1, 1, '2026-11-20', 1795122000000, 1795208400000, 1795222800000, '[{"from":1002,"to":1003}]');
insert into accounted (statement_id, order_id, class) values (1, 1, 'invoiced');

-- The whole schema as it is today. A new database is made from this file; an old one is brought here by the
-- migrations in src/db/schema.rs, and a test proves that both roads end at the same place. Change it there and here
-- together; never edit a migration that was released.
--
-- Times (…_at, not_before, live_from, catch_up_to) are milliseconds since 1970 UTC. Money (…_minor) is integer minor
-- units. Sealed columns hold what src/vault.rs made. JSON columns are read whole, by the core only; whatever a page or
-- a queue filters by is a column. Every table is strict; ids are never reused. A check that joins columns has a name,
-- which is what the error says; tests/schema.rs takes each check and each unique away and shows that it was needed.

-- One Daftra address: pace, breaker and fairness live here.
create table account (
  id         integer primary key autoincrement,
  address    text    not null unique,                    -- scheme, host, port, path prefix
  site_id    text,                                       -- from site_info; another id at the same address: everything stops
  branch_id  integer,
  currency   text,
  decimals   integer,
  not_before integer not null default 0,                 -- 429, breaker, outage: nobody calls before this
  served_at  integer not null default 0                  -- fairness: who was served longest ago
) strict;
create index account_by_served on account (served_at, id);

-- Closed and re-opened, never deleted or made again.
create table merchant (
  id            integer primary key autoincrement,
  slug          text    not null unique,                 -- in the webhook address
  key           text    not null unique,                 -- random, goes into every reference; export and import carry it
  name          text    not null,
  shop_domain   text    not null,                        -- the permanent one; merchants of one shop differ by vendor
  account_id    integer references account,
  time_zone     text    not null,
  mode          text    not null default 'paused' check (mode in ('shadow', 'live', 'paused', 'closed')),
  live_from     integer,                                 -- older orders are not ours to book; set by going live
  rules         text    not null check (json_valid(rules)),  -- domain::Rules
  rules_version integer not null default 1,
  trouble       text    check (trouble is null or json_valid(trouble)),  -- bad key, redirect, HTML: found by the engine
  not_before    integer not null default 0,              -- while in trouble: nobody calls for this merchant before this
  served_at     integer not null default 0,
  catch_up_to   integer,                                 -- cursor over the shop's updated_at; null: no token yet
  created_at    integer not null,
  uninstalled_at integer,                                -- the shop removed our app; null again when it came back
  closed_at     integer,                                 -- since when it is closed
  purged_at     integer,                                 -- some time later all it had is taken away, and this row stays
  constraint working_merchant_has_account check (mode in ('paused', 'closed') or account_id is not null),
  constraint live_merchant_has_start check (mode <> 'live' or live_from is not null)
) strict;
create index merchant_by_account on merchant (account_id);
create index merchant_by_shop on merchant (shop_domain);

-- Whose lines are whose: one owner per shop and vendor.
create table vendor (
  shop_domain text    not null,
  name        text    not null,                          -- trimmed, case-folded; '*' only in a shop with one open merchant
  merchant_id integer not null references merchant,
  primary key (shop_domain, name)
) strict, without rowid;

-- Seals bodies and buyers; itself sealed by the master key.
create table data_key (
  id         integer primary key autoincrement,
  sealed     blob    not null,
  created_at integer not null
) strict;

-- What must never be shown again.
create table credential (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  kind        text    not null check (kind in ('webhook_secret', 'store_key', 'shopify_token', 'shopify_client', 'daftra_key',
                'forgotten_secret')),                    -- proves nothing: it tells why a delivery proves nothing
  slot        text    not null default 'current' check (slot in ('current', 'previous')),
  sealed      blob    not null,
  expires_at  integer,
  used_at     integer,
  unique (merchant_id, kind, slot)
) strict;

-- A merchant's way to the API of its shop; no row: webhooks only. The token itself is a credential.
create table shop_api (
  merchant_id  integer primary key references merchant,
  client_id    text,                                     -- of the app that makes tokens; null: the token does not end
  watches      integer not null check (watches in (0, 1)),   -- whether the subscriptions are ours to make and to mend
  scopes       text    not null default '[]' check (json_valid(scopes)),  -- what the app may do
  scopes_at    integer,                                  -- when the shop said so; null: it must be asked
  token_until  integer,                                  -- null: none yet, or it does not end
  caught_up_at integer,                                  -- when the shop was last looked through to its last page
  looked_from  integer,                                  -- and from which change on
  since        integer,                                  -- a person wants it looked through from here
  wanted       text    not null default '[]' check (json_valid(wanted)),  -- orders that a person wants, by name
  unread       text    not null default '[]' check (json_valid(unread)),  -- orders that its API does not give: tried again each time
  gone_through integer not null default 0,               -- orders of the look that is under way
  expected     integer,                                  -- and how many there are, by the shop's own count
  address      text,                                     -- where our subscriptions lead
  watched_at   integer,                                  -- when our subscriptions were last found whole, or made so
  blocked      text    check (blocked is null or json_valid(blocked))     -- domain::connection::Blocked
) strict, without rowid;

-- One row per webhook and merchant for whom it proved itself.
create table delivery (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  event_key   text    not null,                          -- X-Shopify-Webhook-Id, never Event-Id; absent: hash of topic and body
  topic       text    not null,
  order_id    integer references orders,                 -- null: not about an order
  sent_at     integer,                                   -- X-Shopify-Triggered-At
  received_at integer not null,
  repeats     integer not null default 0,                -- how often the same event came again
  body        blob,                                      -- lz4, then sealed; null once retention has passed
  fate        text    not null default 'order'           -- what became of it
              check (fate in ('order', 'sample', 'unreadable', 'other')),
  unique (merchant_id, event_key)
) strict;
create index delivery_of_order on delivery (order_id);
create index delivery_by_merchant on delivery (merchant_id, id);
create index delivery_by_topic on delivery (merchant_id, topic, id);
create index delivery_by_fate on delivery (merchant_id, fate, id);
create index delivery_by_both on delivery (merchant_id, topic, fate, id);
create index delivery_loose on delivery (merchant_id, id) where order_id is null and body is not null;
create index delivery_with_body on delivery (received_at) where body is not null;

-- What we know of one order, and where it stands.
create table orders (
  id           integer primary key autoincrement,
  merchant_id  integer not null references merchant,
  remote_id    integer not null,                         -- Shopify's id
  name         text    not null default '',              -- '#1042'; '' while only a refund or transaction is known
  state        text    not null default 'new' check (state in
                 ('new', 'working', 'waiting', 'settled', 'ignored', 'shadow', 'held', 'failed')),
  state_at     integer not null,
  reason       text    check (reason is null or json_valid(reason)),      -- domain::Reason: code and facts, not prose
  snapshot     text    check (snapshot is null or json_valid(snapshot)),  -- domain::Order, only what plan reads
  version_at   integer not null default 0,               -- rank of the snapshot: updated_at, then
  triggered_at integer not null default 0,               -- the sender's clock; a lower rank never replaces
  read_at      integer,                                  -- when the shop's API last gave it; null: webhooks only
  buyer        blob,                                     -- name, mail, phone, address: sealed
  redacted_at  integer,                                  -- from then on intake drops buyer fields
  trace        text    check (trace is null or json_valid(trace)),        -- why the last plan came out so; in shadow also what
  placed_at    integer,                                  -- the shop's created_at
  created_at   integer not null,
  unique (merchant_id, remote_id),
  constraint stopped_order_has_reason check ((state in ('waiting', 'ignored', 'held', 'failed')) = (reason is not null))
) strict;
create index orders_by_merchant on orders (merchant_id, id);
create index orders_by_state on orders (state, id);
create index orders_by_both on orders (merchant_id, state, id);
create index orders_by_name on orders (name);
create index orders_by_day on orders (merchant_id, coalesce(placed_at, created_at));
create index orders_by_touch on orders (merchant_id, state_at, id);
create index orders_with_buyer on orders (created_at) where buyer is not null;
create index orders_to_trim on orders (state_at) where snapshot is not null and state in ('settled', 'ignored');

-- Which orders a SKU was ever on, for those who search by it. No foreign key: orders are never deleted, and it would need
-- an index of its own.
create table order_sku (
  merchant_id integer not null,
  sku         text    not null,                          -- trimmed, case-folded
  order_id    integer not null,
  primary key (merchant_id, sku, order_id)
) strict, without rowid;

-- What never goes back, collected from every body.
create table fact (
  order_id  integer not null references orders,
  kind      text    not null check (kind in ('refund', 'transaction', 'cancelled', 'deleted')),
  remote_id integer not null,                            -- refund or transaction id; 0 for cancelled and deleted
  body      text    not null check (json_valid(body)),   -- normalised; pending may advance to success, nothing else changes
  seen_at   integer not null,
  primary key (order_id, kind, remote_id)
) strict, without rowid;

-- The ledger: one row per thing that may exist in Daftra. The life of a row is domain::document's; this table refuses
-- every state that makes no sense.
create table document (
  id            integer primary key autoincrement,
  order_id      integer not null references orders,
  account_id    integer not null references account,     -- where it is sent; may change only while planned
  parent_id     integer references document,             -- the invoice of a receipt; invoice or receipt of a payment
  kind          text    not null check (kind in ('invoice', 'payment', 'refund_receipt')),
  source_key    text    not null,                        -- 'order', 'order/2', 'refund/991', 'cancel', 'transaction/17', 'paid', …
  reference     text    not null unique,                 -- on the document itself; what we look for when in doubt
  state         text    not null check (state in
                  ('planned', 'sending', 'in_doubt', 'refused', 'dropped',                      -- no id known
                   'posted', 'replacing', 'replace_in_doubt', 'locked', 'gone', 'reversed')),   -- it exists or existed
  since_at      integer not null,                        -- when this state began
  look_at       integer,                                 -- when to look (again), or ask for stock
  misses        integer not null default 0,              -- looks in a row that found nothing
  failed_looks  integer not null default 0,              -- looks that could not be completed; at five a person decides
  unknown_sends integer not null default 0,              -- sends whose end we never learned; at five a person decides
  content       text    not null check (json_valid(content)),   -- the draft with all frozen choices; changes by evidence only
  replacement   text    check (replacement is null or json_valid(replacement)),  -- the draft of the PUT under way
  wanted        blob    not null,                        -- fingerprint of the shop facts last sent or to be sent
  written       blob,                                    -- fingerprint Daftra is known to hold
  refusal       text    check (refusal is null or json_valid(refusal)),  -- Daftra's words, redacted
  finding       text    check (finding is null or json_valid(finding)),  -- what a look found that a person must judge
  remote_id     integer,
  remote_no     text,
  total_minor   integer,                                 -- as read back
  currency      text,
  stock         text    check (stock is null or json_valid(stock)),      -- domain::Stock: whether the goods left their warehouse
  verified_at   integer,                                 -- older than since_at: read it back first
  unique (order_id, kind, source_key),                   -- kept for ever: a replay years later cannot post twice
  constraint only_invoices_have_no_parent check ((kind = 'invoice') = (parent_id is null)),
  constraint what_exists_has_an_id check ((remote_id is null) = (state in ('planned', 'sending', 'in_doubt', 'refused', 'dropped'))),
  constraint what_exists_was_written check ((written is null) = (remote_id is null)),
  constraint only_a_put_has_a_replacement check ((replacement is not null) = (state in ('replacing', 'replace_in_doubt'))),
  constraint doubt_has_a_time_to_look check (state not in ('in_doubt', 'replace_in_doubt') or look_at is not null),
  constraint a_no_has_its_words check (state not in ('refused', 'locked') or refusal is not null)
) strict;
create unique index one_live_invoice on document (order_id) where kind = 'invoice' and state not in ('reversed', 'gone', 'dropped');
create unique index document_remote on document (account_id, kind, remote_id) where remote_id is not null;
create index document_unsettled on document (state) where state in ('sending', 'in_doubt', 'replacing', 'replace_in_doubt');
create index document_of_parent on document (parent_id) where parent_id is not null;
create index document_by_number on document (remote_no) where remote_no is not null;

-- What an invoice holds, or will hold when the PUT under way is through, and below zero what its receipts take back.
create view billed as
  select i.id as invoice_id, b.value ->> '$.source' as source, b.value ->> '$.units' as units,
         b.value ->> '$.net' as net, b.value ->> '$.tax' as tax, b.value ->> '$.included' as included
  from document i, json_each(coalesce(i.replacement, i.content), '$.invoice.billed') b
  where i.kind = 'invoice'
  union all
  select r.parent_id, b.value ->> '$.source', -(b.value ->> '$.units'),
         -(b.value ->> '$.net'), -(b.value ->> '$.tax'), b.value ->> '$.included'
  from document r, json_each(r.content, '$.refund_receipt.billed') b
  where r.kind = 'refund_receipt'
    and r.state in ('sending', 'in_doubt', 'posted', 'replacing', 'replace_in_doubt', 'locked');

-- Nothing is sent after which the receipts take back more than their invoice holds: of a line in units, net or tax, of the
-- whole in money. What went back for no line has no line to be taken from.
create trigger receipts_fit_their_invoice after update of state on document
when new.kind in ('invoice', 'refund_receipt') and new.state in ('sending', 'replacing')
begin
  select raise(abort, 'receipts_fit_their_invoice')
  from billed
  where invoice_id = coalesce(new.parent_id, new.id) and source not like '{"money":%'
  group by source
  having min(sum(units), sum(net), sum(tax)) < 0;
  select raise(abort, 'receipts_fit_their_invoice')
  where (select sum(net + iif(included, 0, tax)) from billed where invoice_id = coalesce(new.parent_id, new.id)) < 0;
end;

-- How each refund record was understood; written once.
create table reduction (
  order_id    integer not null references orders,
  refund_id   integer not null,
  class       text    not null check (class in ('absorbed', 'edit', 'receipt', 'covered', 'not_ours')),
  document_id integer references document,               -- the document whose send used it
  primary key (order_id, refund_id),
  constraint used_reduction_names_document check ((class in ('absorbed', 'edit', 'receipt')) = (document_id is not null))
) strict, without rowid;
create index reduction_of_document on reduction (document_id) where document_id is not null;
create trigger a_class_is_for_ever before update of refund_id, class on reduction
begin
  select raise(abort, 'a_class_is_for_ever');
end;

-- Append-only: every call to Daftra that an order caused. Request and answer are redacted and compressed, and trimmed
-- by retention.
create table attempt (
  id          integer primary key autoincrement,
  order_id    integer references orders,
  account_id  integer not null references account,
  document_id integer references document,               -- null: a call about no document (products, site_info)
  action      text    not null check (action in ('create', 'replace', 'look_up', 'verify', 'find', 'site_info')),
  started_at  integer not null,
  ended_at    integer,                                   -- null: we never learned how it ended
  outcome     text    check (outcome in ('accepted', 'refused', 'unsent', 'unknown', 'throttled', 'credential',
                                         'found', 'absent', 'several', 'failed')),
  status      integer,                                   -- HTTP status, when there was one
  remote_id   integer,                                   -- every id the document ever had stays here
  request     blob,
  answer      blob,
  detail      text    not null default '',               -- redacted
  constraint attempt_names_its_document check (action not in ('create', 'replace', 'verify') or document_id is not null),
  constraint ended_attempt_has_outcome check ((ended_at is null) = (outcome is null))
) strict;
create index attempt_of on attempt (document_id);
create index attempt_of_order on attempt (order_id);
create index attempt_with_bodies on attempt (started_at) where request is not null or answer is not null;

-- What a person decided about one order; the plan reads what is in force.
create table ruling (
  id          integer primary key autoincrement,
  order_id    integer not null references orders,
  document_id integer references document,
  kind        text    not null check (kind in ('dismiss', 'import', 'new_invoice', 'leave', 'rewrite')),
  version_at  integer not null,                          -- of the order as the person saw it: dismiss and leave end
  facts       integer not null,                          -- with the next change of it, or the next fact
  at          integer not null,
  user_id     integer references user,                   -- null: at the command line
  note        text    not null default '',
  constraint ruling_names_its_document check ((kind in ('new_invoice', 'leave', 'rewrite')) = (document_id is not null))
) strict;
create index ruling_of on ruling (order_id);
create index ruling_of_document on ruling (document_id) where document_id is not null;

-- The queue, at most one row per subject: bursts melt into one.
create table job (
  id            integer primary key autoincrement,
  kind          text    not null check (kind in ('order', 'catalogue', 'account', 'catch_up', 'subscriptions', 'reconcile', 'upkeep')),
  subject       integer not null,                        -- order, merchant or account by kind; 0 for upkeep
  merchant_id   integer references merchant,
  due_at        integer,                                 -- null: parked until someone or something asks again
  not_before    integer not null default 0,              -- back-off, Retry-After, settling: no ask pulls it nearer
  asked         integer not null default 1,              -- bumped by every wish
  answered      integer not null default 0,              -- value of asked when the last good run began
  failures      integer not null default 0,
  running_since integer,
  unique (kind, subject),
  constraint order_job_has_merchant check (kind <> 'order' or merchant_id is not null)
) strict;
create index job_due on job (kind, merchant_id, due_at) where due_at is not null and running_since is null;
create index job_chore on job (due_at) where due_at is not null and running_since is null and kind <> 'order';
create index job_running on job (merchant_id) where running_since is not null and kind = 'order';

-- Cache of the Daftra catalogue as this merchant's key sees it.
create table product (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  remote_id   integer not null,
  code        text    not null,                          -- trimmed, case-folded
  barcode     text    not null default '',
  name        text    not null,
  kind        integer not null check (kind in (1, 2, 3)),  -- product, service, bundle
  active      integer not null check (active in (0, 1)),
  tracked     integer not null check (tracked in (0, 1)),
  branch_id   integer,
  seen_at     integer not null,
  unique (merchant_id, remote_id)
) strict;
create index product_by_code on product (merchant_id, code);
create index product_by_barcode on product (merchant_id, barcode);

-- Codes asked live and not found; forgotten after an hour.
create table product_miss (
  merchant_id integer not null references merchant,
  code        text    not null,
  asked_at    integer not null,
  primary key (merchant_id, code)
) strict, without rowid;

-- What a person decided about a code.
create table mapping (
  merchant_id integer not null references merchant,
  code        text    not null,
  product_id  integer not null,                          -- Daftra's id
  note        text    not null default '',
  primary key (merchant_id, code)
) strict, without rowid;

-- Documents in Daftra that name an order and were made by somebody else, and what a person decided about each.
create table namesake (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  order_id    integer not null references orders,
  account_id  integer not null references account,
  remote_id   integer not null,                          -- Daftra's id
  remote_no   text,
  total       text    not null default '',               -- as Daftra prints it, with the currency
  state       text    not null check (state in ('open', 'adopting', 'adopted', 'dismissed')),
  fault       text    check (fault is null or json_valid(fault)),  -- domain::namesake::Fault: why it could not be adopted
  seen_at     integer not null,
  unique (account_id, remote_id)
) strict;
create index namesake_of_order on namesake (order_id);
create index namesake_by_merchant on namesake (merchant_id, state);

-- When Daftra was last looked through for them.
create table cut_over (
  merchant_id  integer primary key references merchant,
  since        integer,                                  -- to be looked through from here; null: no look is under way
  looked_at    integer,
  looked_since integer
) strict, without rowid;

-- The variants of a shop that are, or were, the merchant's, as the shop told of them; without a way to its API, those that were
-- seen in orders.
create table variant (
  merchant_id integer not null references merchant,
  remote_id   integer not null,                          -- Shopify's id
  barcode     text,                                      -- trimmed, case-folded; '': the shop has none; null: nobody asked the shop
  sku         text    not null default '',               -- as written by the shop, and so the title
  title       text    not null default '',
  version_at  integer not null default 0,                -- when the shop changed it; an older one never replaces
  read_at     integer not null,
  outcome     text    check (outcome in ('mapping', 'barcode', 'barcode_twin', 'code', 'sku_prefix', 'ambiguous', 'unknown')),
  primary key (merchant_id, remote_id)
) strict, without rowid;
create index variant_uncovered on variant (merchant_id, remote_id) where outcome in ('ambiguous', 'unknown');

-- Of which variants a product was found, when that was last looked through.
create table coverage (
  merchant_id integer primary key references merchant,
  began_at    integer,                                   -- of the look that is under way; null: none is
  place       text    not null default '',               -- how far it came in the list of the shop; '': to its beginning or end
  is_listed   integer not null default 0 check (is_listed in (0, 1)),  -- it has seen all that the shop tells of
  read_at     integer,                                   -- when the last one ended; null: none did
  whole       integer not null default 0 check (whole in (0, 1)),  -- the shop told of all its variants; 0: those seen in orders
  counts      text    not null default '{}' check (json_valid(counts))  -- how many variants by outcome
) strict, without rowid;

create table user (
  id          integer primary key autoincrement,
  name        text    not null unique,
  password    text    not null,                          -- argon2id, PHC string
  role        text    not null check (role in ('owner', 'operator', 'viewer')),
  language    text    check (language in ('ar', 'en')),  -- null: what the browser asks for
  limited     integer not null default 0 check (limited in (0, 1)),  -- sees the merchants of user_merchant, and no others
  created_at  integer not null default 0,
  disabled_at integer
) strict;

create table user_merchant (
  user_id     integer not null references user,
  merchant_id integer not null references merchant,
  primary key (user_id, merchant_id)
) strict, without rowid;

-- What lets a script speak for a user, with no more than the user's rights.
create table token (
  id          integer primary key autoincrement,
  user_id     integer not null references user,
  name        text    not null,                          -- what it is for
  hash        blob    not null unique,                   -- SHA-256; the token itself is shown once and kept nowhere
  role        text    not null check (role in ('owner', 'operator', 'viewer')),
  merchant_id integer references merchant,               -- null: whatever the user sees
  created_at  integer not null,
  expires_at  integer not null,
  used_at     integer,                                   -- to the hour
  revoked_at  integer
) strict;
create index token_by_user on token (user_id);

-- Append-only: the story of every order in the operator's words.
create table sync_log (
  id          integer primary key autoincrement,
  at          integer not null,
  merchant_id integer not null references merchant,
  order_id    integer references orders,
  delivery_id integer,                                   -- no foreign key: deliveries are purged, the story stays
  document_id integer references document,
  status      text    not null check (status in ('success', 'updated', 'cancelled', 'ignored', 'failed',
                                                 'held', 'waiting', 'in_doubt', 'duplicate', 'test', 'paused', 'shadow')),
  reason      text    check (reason is null or json_valid(reason))
) strict;
create index sync_log_by_order on sync_log (order_id);
create index sync_log_by_merchant on sync_log (merchant_id, id);
create index sync_log_by_status on sync_log (status, id);
create index sync_log_by_both on sync_log (merchant_id, status, id);
create index sync_log_by_document on sync_log (document_id);
create index sync_log_by_time on sync_log (at);

-- Counted by the triggers below as things happen, so that no page counts a big table. An hour counts from 1970; hour -1 is
-- all there ever was.

-- Orders by the hour in which they came in, and by where they stand now.
create table standing (
  merchant_id integer not null references merchant,
  hour        integer not null,
  state       text    not null,
  count       integer not null,
  primary key (merchant_id, hour, state)
) strict, without rowid;

-- Rows of the sync log by the hour in which they were written.
create table happening (
  merchant_id integer not null references merchant,
  hour        integer not null,
  status      text    not null,
  count       integer not null,
  primary key (merchant_id, hour, status)
) strict, without rowid;

-- How soon orders became invoices: within so many seconds of the first news of them; 0 is later than all of those.
create table pace (
  merchant_id integer not null references merchant,
  hour        integer not null,
  within      integer not null,
  count       integer not null,
  primary key (merchant_id, hour, within)
) strict, without rowid;

create trigger an_order_is_counted after insert on orders
begin
  insert into standing values (new.merchant_id, -1, new.state, 1), (new.merchant_id, new.created_at / 3600000, new.state, 1)
  on conflict do update set count = count + 1;
end;
create trigger a_move_is_counted after update of state on orders when new.state <> old.state
begin
  update standing set count = count - 1
  where merchant_id = old.merchant_id and hour in (-1, old.created_at / 3600000) and state = old.state;
  insert into standing values (new.merchant_id, -1, new.state, 1), (new.merchant_id, new.created_at / 3600000, new.state, 1)
  on conflict do update set count = count + 1;
end;
create trigger a_happening_is_counted after insert on sync_log
begin
  insert into happening values (new.merchant_id, -1, new.status, 1), (new.merchant_id, new.at / 3600000, new.status, 1)
  on conflict do update set count = count + 1;
  insert into pace
  select new.merchant_id, new.at / 3600000, coalesce((
           select min(value) from json_each('[1,2,3,5,8,12,20,30,60,120,300,900,3600,21600,86400]')
           where value * 1000 >= new.at - o.created_at), 0), 1
  from orders o where o.id = new.order_id and new.status = 'success'
  on conflict do update set count = count + 1;
end;

-- What people did; each row seals the one before.
create table audit (
  id       integer primary key autoincrement,
  at       integer not null,
  user_id  integer references user,
  action   text    not null,
  facts    text    not null check (json_valid(facts)),
  previous blob    not null,
  hash     blob    not null unique
) strict;

-- Which orders an act was about, so that their stories find it; no foreign key for the same reason.
create table audit_order (
  order_id integer not null,
  audit_id integer not null references audit,
  primary key (order_id, audit_id)
) strict, without rowid;
create trigger an_act_is_found_by_its_orders after insert on audit
begin
  insert or ignore into audit_order
  select value, new.id from json_each(new.facts, '$.order') where type = 'integer'
  union all
  select value, new.id from json_each(new.facts, '$.orders')
  where type = 'integer' and json_type(new.facts, '$.orders') = 'array';
end;

-- One open row per cause and subject; written by the step that knows the cause.
create table alert (
  id          integer primary key autoincrement,
  cause       text    not null,
  subject     text    not null,
  merchant_id integer references merchant,
  count       integer not null default 1 check (count > 0),
  opened_at   integer not null,
  seen_at     integer not null,
  closed_at   integer,
  told        text    check (told is null or told in ('opened', 'reminder', 'over')),  -- the last word that was said of it
  told_at     integer
) strict;
create unique index alert_open on alert (cause, subject) where closed_at is null;
create index alert_by_time on alert (seen_at);
create index alert_to_end on alert (id) where closed_at is not null and told in ('opened', 'reminder');
create index alert_told on alert (cause, subject, told_at) where told_at is not null;

-- Words about alerts on their way to Telegram and to the operator's webhook.
create table notice (
  id          integer primary key autoincrement,
  alert_id    integer not null references alert on delete cascade,
  channel     text    not null check (channel in ('telegram', 'webhook')),
  stage       text    not null check (stage in ('opened', 'reminder', 'over')),
  facts       text    not null check (json_valid(facts)),
  state       text    not null default 'queued' check (state in ('queued', 'sent', 'failed')),
  due_at      integer,
  failures    integer not null default 0,
  problem     text,                                      -- why the last try failed
  created_at  integer not null,
  state_at    integer not null,
  constraint only_what_is_queued_is_due check ((due_at is not null) = (state = 'queued'))
) strict;
create index notice_queued on notice (channel, id) where state = 'queued';
create index notice_by_channel on notice (channel, id) where state <> 'queued';
create index notice_of_alert on notice (alert_id);

-- A merchant's orders of one day of its own calendar, each in one class, as they stood in the night after. Drawn up anew
-- while the day is young and its orders move on.
create table statement (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  day         text    not null,                          -- 2026-11-20
  begins_at   integer not null,
  ends_at     integer not null,
  drawn_at    integer not null,
  missing     text    not null check (json_valid(missing)),  -- numbers of orders that nobody told us of
  unique (merchant_id, day),
  constraint a_day_has_a_length check (begins_at < ends_at)
) strict;
create index statement_by_day on statement (day, merchant_id);

-- The orders of a statement; no foreign key to them, for it would need an index of its own.
create table accounted (
  statement_id integer not null references statement,
  order_id     integer not null,
  class        text    not null check (class in ('invoiced', 'cancelled', 'ignored', 'waiting', 'shadow', 'held',
                 'in_doubt', 'failed', 'in_work')),
  primary key (statement_id, order_id)
) strict, without rowid;

-- Each night what Daftra holds of the last weeks is read again, a few orders at a time.
create table examination (
  merchant_id integer not null references merchant,
  day         text    not null,                          -- of the merchant's calendar
  began_at    integer not null,
  ended_at    integer,                                   -- null: it goes on
  place_at    integer not null default 0,                -- state_at of the last order that was looked at, and its id
  place_id    integer not null default 0,
  orders      integer not null default 0,                -- how many were asked for
  primary key (merchant_id, day)
) strict, without rowid;

-- Deliveries that proved nothing, by what is likely wrong: a flood makes counts larger, never rows. A month of them is kept.
create table rejection (
  merchant_id integer not null,                          -- 0: sent to an address, or for a shop, that is nobody's
  hour        integer not null,                          -- from 1970
  reason      text    not null check (reason in ('no_signature', 'broken_signature', 'empty_body', 'unknown_address',
                'unknown_shop', 'closed', 'other_shop', 'forgotten_secret', 'changed_body', 'other_secret', 'unexamined')),
  count       integer not null,
  last_at     integer not null,
  shop        text    not null,                          -- which the newest one named; '' if that is no shop's domain
  primary key (merchant_id, hour, reason)
) strict, without rowid;

-- What shops asked for in the name of their customers, and what became of it; kept for ever as evidence, so it holds ids and
-- counts and nothing about a person.
create table privacy_request (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  kind        text    not null check (kind in ('data_request', 'customer_redact', 'shop_redact')),
  delivery_id integer,                                   -- which brought it; no foreign key: deliveries are purged
  customer_id integer,                                   -- Shopify's
  orders      text    not null check (json_valid(orders)),  -- Shopify's ids; empty for a shop: all of them
  received_at integer not null,
  due_at      integer not null,                          -- the last day for it
  begins_at   integer,                                   -- a shop is forgotten by itself from then on
  state       text    not null default 'open' check (state in ('open', 'doing', 'done', 'dropped')),
  state_at    integer not null,
  user_id     integer references user,                   -- who ended it; null: at the command line, or by itself
  swept       integer not null default 0,                -- deliveries of no order up to this one are done
  reached     integer not null default 0,                -- orders up to this one are done
  counts      text    not null default '{}' check (json_valid(counts)),  -- what was taken away
  constraint only_a_shop_begins_by_itself check ((begins_at is not null) = (kind = 'shop_redact'))
) strict;
create index privacy_request_by_state on privacy_request (state, due_at);

-- What happened that somebody wants a mail about, written in the transaction that made it happen; the outbox makes mails of
-- it and takes it away in one transaction. Only while mails are on, and only for kinds that somebody gets.
create table mail_news (
  id          integer primary key autoincrement,
  kind        text    not null check (kind in ('created', 'updated', 'cancelled', 'held', 'failed')),
  order_id    integer not null references orders,
  document_id integer references document,
  changes     text    check (changes is null or json_valid(changes)),  -- of an updated invoice: what it was, and what it is
  at          integer not null
) strict;
create index mail_news_of_order on mail_news (order_id);
create index mail_news_of_document on mail_news (document_id) where document_id is not null;

-- The outbox: one row per news and recipient.
create table mail (
  id          integer primary key autoincrement,
  dedupe_key  text    not null unique,                   -- 'created/17/3': kind, document or news, recipient
  kind        text    not null check (kind in ('created', 'updated', 'cancelled', 'held', 'failed', 'more', 'trial', 'alert', 'summary')),
  merchant_id integer references merchant,               -- null: to the operator, about no merchant
  order_id    integer references orders,
  recipient   blob    not null,                          -- the address, sealed
  content     blob,                                      -- what it says, sealed; null: it is not kept any more
  count       integer not null default 1 check (count > 0),  -- of 'more': how many news it stands for
  message_id  text    not null unique,                   -- what stands before its @; the same at every try
  state       text    not null default 'queued' check (state in ('queued', 'sending', 'sent', 'failed')),
  due_at      integer,                                   -- when it is tried (again); null: not by itself
  failures    integer not null default 0,                -- tries that failed
  doubts      integer not null default 0,                -- tries whose end was never learned: it may have arrived then, too
  problem     text    check (problem is null or json_valid(problem)),  -- why the last try failed
  created_at  integer not null,
  state_at    integer not null,
  constraint only_what_waits_has_a_time check ((due_at is not null) = (state = 'queued')),
  constraint what_waits_has_its_content check (content is not null or state in ('sent', 'failed'))
) strict;
create index mail_due on mail (due_at) where state = 'queued';
create index mail_under_way on mail (id) where state = 'sending';
create index mail_of_order on mail (order_id) where order_id is not null;
create index mail_by_merchant on mail (merchant_id, id);
create index mail_by_state on mail (state, id);
create index mail_by_both on mail (merchant_id, state, id);
create index mail_by_kind on mail (merchant_id, kind, created_at);
create index mail_by_time on mail (created_at);

-- Who gets mails, in which language, and of which kinds.
create table mail_recipient (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  address     blob    not null,                          -- sealed
  language    text    not null check (language in ('ar', 'en')),
  kinds       text    not null check (json_valid(kinds)),
  created_at  integer not null
) strict;
create index mail_recipient_of on mail_recipient (merchant_id);

-- Words of a merchant's mails where they are not ours.
create table mail_wording (
  merchant_id integer not null references merchant,
  kind        text    not null check (kind in ('created', 'updated', 'cancelled', 'held', 'failed')),
  language    text    not null check (language in ('ar', 'en')),
  subject     text    not null,
  greeting    text    not null,
  closing     text    not null,
  primary key (merchant_id, kind, language)
) strict, without rowid;

-- Strangers fill one row per window, not one per try.
create table tally (
  kind      text    not null check (kind in ('login', 'unowned_vendor')),
  subject   text    not null,                            -- network; shop and vendor
  window_at integer not null,                            -- start of the ten minutes; 0 for unowned_vendor
  count     integer not null default 1,
  primary key (kind, subject, window_at)
) strict, without rowid;

-- heartbeat_at, look_first_before, …
create table setting (
  key   text primary key,
  value text not null check (json_valid(value))
) strict, without rowid;

//! Makes a new database, brings an old one up to date, refuses one that is not ours or newer than this program.
//!
//! Rules for a migration: append it to the list and change schema.sql in the same commit; never edit or remove one that
//! was released; the previous version's rows must survive it. All that are due run in one transaction with foreign keys
//! off (so that tables can be rebuilt) and checked at its end, after a copy of the file was put beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::backup::{self, Existing};
use super::{Context, Error};

/// "Qant" in the header of the file: tells our databases from everybody else's.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"Qant");

/// The schema of this version of the program.
pub const TODAY: Schema<'static> = Schema { create: include_str!("../../schema.sql"), migrations: &[TO_2] };

/// What operating needs: bodies of calls found by their age, and alerts by theirs; the nightly account of all orders; and what
/// shops ask for in the name of their customers.
const TO_2: &str = "
create index attempt_with_bodies on attempt (started_at) where request is not null or answer is not null;
create index alert_by_time on alert (seen_at);
alter table alert add column told text check (told is null or told in ('opened', 'reminder', 'over'));
alter table alert add column told_at integer;
create index alert_to_end on alert (id) where closed_at is not null and told in ('opened', 'reminder');
create index alert_told on alert (cause, subject, told_at) where told_at is not null;
create table notice (
  id          integer primary key autoincrement,
  alert_id    integer not null references alert on delete cascade,
  channel     text    not null check (channel in ('telegram', 'webhook')),
  stage       text    not null check (stage in ('opened', 'reminder', 'over')),
  facts       text    not null check (json_valid(facts)),
  state       text    not null default 'queued' check (state in ('queued', 'sent', 'failed')),
  due_at      integer,
  failures    integer not null default 0,
  problem     text,
  created_at  integer not null,
  state_at    integer not null,
  constraint only_what_is_queued_is_due check ((due_at is not null) = (state = 'queued'))
) strict;
create index notice_queued on notice (channel, id) where state = 'queued';
create index notice_by_channel on notice (channel, id) where state <> 'queued';
create index notice_of_alert on notice (alert_id);
create index orders_by_day on orders (merchant_id, coalesce(placed_at, created_at));
create index orders_by_touch on orders (merchant_id, state_at, id);
create table ruling_of_today (
  id          integer primary key autoincrement,
  order_id    integer not null references orders,
  document_id integer references document,
  kind        text    not null check (kind in ('dismiss', 'import', 'new_invoice', 'leave', 'rewrite')),
  version_at  integer not null,
  facts       integer not null,
  at          integer not null,
  user_id     integer references user,
  note        text    not null default '',
  constraint ruling_names_its_document check ((kind in ('new_invoice', 'leave', 'rewrite')) = (document_id is not null))
) strict;
insert into ruling_of_today select * from ruling;
drop table ruling;
alter table ruling_of_today rename to ruling;
create index ruling_of on ruling (order_id);
create table statement (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  day         text    not null,
  begins_at   integer not null,
  ends_at     integer not null,
  drawn_at    integer not null,
  missing     text    not null check (json_valid(missing)),
  unique (merchant_id, day),
  constraint a_day_has_a_length check (begins_at < ends_at)
) strict;
create index statement_by_day on statement (day, merchant_id);
create table accounted (
  statement_id integer not null references statement,
  order_id     integer not null,
  class        text    not null check (class in ('invoiced', 'cancelled', 'ignored', 'waiting', 'shadow', 'held',
                 'in_doubt', 'failed', 'in_work')),
  primary key (statement_id, order_id)
) strict, without rowid;
create table examination (
  merchant_id integer not null references merchant,
  day         text    not null,
  began_at    integer not null,
  ended_at    integer,
  place_at    integer not null default 0,
  place_id    integer not null default 0,
  orders      integer not null default 0,
  primary key (merchant_id, day)
) strict, without rowid;
create index delivery_loose on delivery (merchant_id, id) where order_id is null and body is not null;
create index orders_with_buyer on orders (created_at) where buyer is not null;
alter table merchant add column uninstalled_at integer;
alter table merchant add column closed_at integer;
alter table merchant add column purged_at integer;
create index reduction_of_document on reduction (document_id) where document_id is not null;
create index ruling_of_document on ruling (document_id) where document_id is not null;
create table privacy_request (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  kind        text    not null check (kind in ('data_request', 'customer_redact', 'shop_redact')),
  delivery_id integer,
  customer_id integer,
  orders      text    not null check (json_valid(orders)),
  received_at integer not null,
  due_at      integer not null,
  begins_at   integer,
  state       text    not null default 'open' check (state in ('open', 'doing', 'done', 'dropped')),
  state_at    integer not null,
  user_id     integer references user,
  swept       integer not null default 0,
  reached     integer not null default 0,
  counts      text    not null default '{}' check (json_valid(counts)),
  constraint only_a_shop_begins_by_itself check ((begins_at is not null) = (kind = 'shop_redact'))
) strict;
create index privacy_request_by_state on privacy_request (state, due_at);
create table mail_news (
  id          integer primary key autoincrement,
  kind        text    not null check (kind in ('created', 'updated', 'cancelled', 'held', 'failed')),
  order_id    integer not null references orders,
  document_id integer references document,
  changes     text    check (changes is null or json_valid(changes)),
  at          integer not null
) strict;
create index mail_news_of_order on mail_news (order_id);
create index mail_news_of_document on mail_news (document_id) where document_id is not null;
create table mail (
  id          integer primary key autoincrement,
  dedupe_key  text    not null unique,
  kind        text    not null check (kind in ('created', 'updated', 'cancelled', 'held', 'failed', 'more', 'trial', 'alert', 'summary')),
  merchant_id integer references merchant,
  order_id    integer references orders,
  recipient   blob    not null,
  content     blob,
  count       integer not null default 1 check (count > 0),
  message_id  text    not null unique,
  state       text    not null default 'queued' check (state in ('queued', 'sending', 'sent', 'failed')),
  due_at      integer,
  failures    integer not null default 0,
  doubts      integer not null default 0,
  problem     text    check (problem is null or json_valid(problem)),
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
create table mail_recipient (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  address     blob    not null,
  language    text    not null check (language in ('ar', 'en')),
  kinds       text    not null check (json_valid(kinds)),
  created_at  integer not null
) strict;
create index mail_recipient_of on mail_recipient (merchant_id);
create table mail_wording (
  merchant_id integer not null references merchant,
  kind        text    not null check (kind in ('created', 'updated', 'cancelled', 'held', 'failed')),
  language    text    not null check (language in ('ar', 'en')),
  subject     text    not null,
  greeting    text    not null,
  closing     text    not null,
  primary key (merchant_id, kind, language)
) strict, without rowid;
create table shop_api (
  merchant_id  integer primary key references merchant,
  client_id    text,
  watches      integer not null check (watches in (0, 1)),
  scopes       text    not null default '[]' check (json_valid(scopes)),
  scopes_at    integer,
  token_until  integer,
  caught_up_at integer,
  looked_from  integer,
  since        integer,
  wanted       text    not null default '[]' check (json_valid(wanted)),
  unread       text    not null default '[]' check (json_valid(unread)),
  gone_through integer not null default 0,
  expected     integer,
  address      text,
  watched_at   integer,
  blocked      text    check (blocked is null or json_valid(blocked))
) strict, without rowid;
create table namesake (
  id          integer primary key autoincrement,
  merchant_id integer not null references merchant,
  order_id    integer not null references orders,
  account_id  integer not null references account,
  remote_id   integer not null,
  remote_no   text,
  total       text    not null default '',
  state       text    not null check (state in ('open', 'adopting', 'adopted', 'dismissed')),
  fault       text    check (fault is null or json_valid(fault)),
  seen_at     integer not null,
  unique (account_id, remote_id)
) strict;
create index namesake_of_order on namesake (order_id);
create index namesake_by_merchant on namesake (merchant_id, state);
create table cut_over (
  merchant_id  integer primary key references merchant,
  since        integer,
  looked_at    integer,
  looked_since integer
) strict, without rowid;
create table variant (
  merchant_id integer not null references merchant,
  remote_id   integer not null,
  barcode     text,
  sku         text    not null default '',
  title       text    not null default '',
  version_at  integer not null default 0,
  read_at     integer not null,
  outcome     text    check (outcome in ('mapping', 'barcode', 'barcode_twin', 'code', 'sku_prefix', 'ambiguous', 'unknown')),
  primary key (merchant_id, remote_id)
) strict, without rowid;
create index variant_uncovered on variant (merchant_id, remote_id) where outcome in ('ambiguous', 'unknown');
create table coverage (
  merchant_id integer primary key references merchant,
  began_at    integer,
  place       text    not null default '',
  is_listed   integer not null default 0 check (is_listed in (0, 1)),
  read_at     integer,
  whole       integer not null default 0 check (whole in (0, 1)),
  counts      text    not null default '{}' check (json_valid(counts))
) strict, without rowid;
";

/// Two roads to the same tables.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a> {
    /// Makes them from nothing.
    pub create: &'a str,
    /// Make them from version 1: the first leads to version 2, and so on.
    pub migrations: &'a [&'a str],
}

/// What an acceptable file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// The tables of this version, which is ours or an earlier one.
    Version(u32),
}

impl Schema<'_> {
    /// The version this schema is at; kept in the file as `user_version`.
    pub(crate) fn version(&self) -> u32 {
        self.numbered().last().map_or(1, |(version, _)| version)
    }

    /// Looks without touching anything.
    pub(crate) fn look_at(&self, connection: &Connection, path: &Path) -> Result<Found, Error> {
        let (application, version, tables) = connection
            .query_row(
                "select application_id, user_version, (select count(*) from sqlite_schema)
                 from pragma_application_id, pragma_user_version",
                [],
                |row| Ok((row.get::<_, i32>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?)),
            )
            .during("read what kind of file the database is")?;
        match (application, version, tables) {
            (0, 0, 0) => Ok(Found::Empty),
            (APPLICATION_ID, found, _) if found > self.version() => {
                Err(Error::Newer { path: path.to_owned(), found, ours: self.version() })
            }
            (APPLICATION_ID, 1.., _) => Ok(Found::Version(version)),
            _ => {
                let why = "it is another program's database: choose another data folder".to_owned();
                Err(Error::Unusable { path: path.to_owned(), why })
            }
        }
    }

    /// Creates or migrates, whichever is due. Either all of it happens or nothing.
    pub fn bring_up(&self, connection: &mut Connection, path: &Path) -> Result<(), Error> {
        let ours = self.version();
        match self.look_at(connection, path)? {
            Found::Version(version) if version == ours => return Ok(()),
            Found::Version(_) => {
                let (copy, go_on) = (copy_before(path, ours), Arc::new(|| true) as backup::GoOn);
                backup::copy(connection, &copy, Existing::Replace, &go_on, backup::quick_check)?;
            }
            Found::Empty => {}
        }
        self.carry_over(connection, path)
    }

    fn carry_over(&self, connection: &mut Connection, path: &Path) -> Result<(), Error> {
        let ours = self.version();
        connection.pragma_update(None, "foreign_keys", "off").during("prepare the database")?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).during("prepare the database")?;
        // Asked again, because only now nobody else can be doing the same.
        match self.look_at(&tx, path)? {
            Found::Empty => {
                tx.execute_batch(self.create).during("create the tables")?;
                tx.pragma_update(None, "application_id", APPLICATION_ID).during("create the tables")?;
            }
            Found::Version(found) => {
                for (_, migration) in self.numbered().filter(|(version, _)| *version > found) {
                    tx.execute_batch(migration).during("migrate the database")?;
                }
            }
        }
        refuse_loose_ends(&tx, path)?;
        tx.pragma_update(None, "user_version", ours).during("prepare the database")?;
        tx.commit().during("prepare the database")?;
        connection.pragma_update(None, "foreign_keys", "on").during("prepare the database")
    }

    /// What a file has otherwise than this schema: its own tables, without their rows, are brought up as the file would
    /// be, so older files are judged as well.
    pub(crate) fn differences(&self, c: &Connection, path: &Path) -> Result<BTreeSet<String>, Error> {
        const COMPARE: &str = "compare the schema";
        let mut bare = Connection::open_in_memory().during(COMPARE)?;
        let mut statement = c
            .prepare(
                "select sql from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\'
                 order by type = 'table' desc, type = 'view' desc, rowid",
            )
            .during(COMPARE)?;
        let own = statement.query_map([], |row| row.get::<_, String>(0)).during(COMPARE)?;
        for sql in own {
            bare.execute(&sql.during(COMPARE)?, []).during(COMPARE)?;
        }
        let version: u32 = c.query_row("pragma user_version", [], |row| row.get(0)).during(COMPARE)?;
        bare.pragma_update(None, "application_id", APPLICATION_ID).during(COMPARE)?;
        bare.pragma_update(None, "user_version", version).during(COMPARE)?;
        self.carry_over(&mut bare, path)?;
        let mut ours = Connection::open_in_memory().during(COMPARE)?;
        self.carry_over(&mut ours, path)?;
        let (theirs, ours) = (shape(&bare)?, shape(&ours)?);
        let names = theirs.keys().chain(ours.keys()).filter(|name| theirs.get(*name) != ours.get(*name));
        Ok(names.cloned().collect())
    }

    fn numbered(&self) -> impl Iterator<Item = (u32, &str)> {
        (2..).zip(self.migrations.iter().copied())
    }
}

/// Tables, indexes, views and triggers by name, however they are spaced, quoted and commented.
pub fn shape(c: &Connection) -> Result<BTreeMap<String, String>, Error> {
    const READ: &str = "read the schema";
    let mut statement = c
        .prepare(
            "select type || ' ' || name, sql from sqlite_schema
             where sql is not null and name not like 'sqlite\\_%' escape '\\'",
        )
        .during(READ)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).during(READ)?;
    rows.map(|row| {
        let (name, sql) = row.during(READ)?;
        let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        let bare = code.join("\n").to_lowercase().replace(|c: char| c.is_whitespace() || c == '"', "");
        Ok((name, bare))
    })
    .collect()
}

/// The copy that is made of `qantara.db` before it becomes version 7: `qantara.db.before-v7`.
pub fn copy_before(path: &Path, version: u32) -> PathBuf {
    path.with_added_extension(format!("before-v{version}"))
}

fn refuse_loose_ends(connection: &Connection, path: &Path) -> Result<(), Error> {
    let loose: Option<String> = connection
        .query_row("select min(\"table\") from pragma_foreign_key_check", [], |row| row.get(0))
        .during("check the foreign keys")?;
    match loose {
        None => Ok(()),
        Some(table) => {
            let why = format!(
                "a row of {table} refers to one that is not there, so it was not migrated and is unchanged: \
                 go back to the version before this one and report it"
            );
            Err(Error::Unusable { path: path.to_owned(), why })
        }
    }
}
